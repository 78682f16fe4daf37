/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Finds the file of an operation while it can still be reached: by the process's descriptor, by its path below the
 * process's root, by the same path here when the mounts are the same. Invariant: only a regular file with the device and
 * inode that the kernel named is ever opened for reading; opening anything else may block or act.
 *
 * Files that were found stay open for some seconds: what is deleted meanwhile can still be read. */

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#include "../basic/macro.h"
#include "../basic/string-util.h"
#include "../basic/time-util.h"
#include "capture-util.h"
#include "file-fetch.h"

#define HELD_MAX 64U
#define HELD_USEC (30 * USEC_PER_SEC)

/* linux/magic.h: their files show other devices than the kernel calls them by. */
#define BTRFS_MAGIC 0x9123683eL
#define OVERLAYFS_MAGIC 0x794c7630L

typedef struct HeldFile {
        uint64_t dev, inode;
        int fd;
        uint64_t used_usec;
} HeldFile;

struct FileFetch {
        HeldFile held[HELD_MAX];
        size_t n_held;
};

FileFetch *file_fetch_new(void) {
        return new0(FileFetch, 1);
}

FileFetch *file_fetch_free(FileFetch *f) {
        if (!f)
                return NULL;
        for (size_t i = 0; i < f->n_held; i++)
                safe_close(f->held[i].fd);
        free(f);
        return NULL;
}

static bool is_the_file(int fd, const CaptureOperation *o) {
        struct statfs fs;
        struct stat st;

        if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_ino != o->head.inode)
                return false;
        if (((uint64_t) major(st.st_dev) << 20 | minor(st.st_dev)) == o->head.dev)
                return true;
        return fstatfs(fd, &fs) >= 0 && IN_SET((long) fs.f_type, BTRFS_MAGIC, OVERLAYFS_MAGIC);
}

/* A descriptor by which the file is known (O_PATH), -ENOENT. */
static int try_path(const char *path, const CaptureOperation *o) {
        _cleanup_close_ int fd = open(path, O_PATH | O_CLOEXEC);

        if (fd < 0 || !is_the_file(fd, o))
                return -ENOENT;
        return TAKE_FD(fd);
}

static uint32_t own_mnt_ns(void) {
        static uint32_t ns;
        struct stat st;

        if (ns == 0 && stat("/proc/self/ns/mnt", &st) >= 0)
                ns = (uint32_t) st.st_ino;
        return ns;
}

static int find(const CaptureOperation *o) {
        int number = (int) (int64_t) capture_arg_u64(&o->event, "fd"), fd = -ENOENT;
        const char *path = o->origin.source_path;
        _cleanup_free_ char *below = NULL;
        char text[64];

        if (number >= 0) {
                (void) snprintf(text, sizeof(text), "/proc/%" PRIu32 "/fd/%d", o->origin.host_tid, number);
                fd = try_path(text, o);
        }
        if (fd >= 0 || isempty(path) || path[0] != '/')
                return fd;
        (void) snprintf(text, sizeof(text), "/proc/%" PRIu32 "/root", o->origin.host_tid);
        below = strjoin(text, path);
        if (!below)
                return -ENOMEM;
        fd = try_path(below, o);
        if (fd < 0 && o->event.header->mnt_ns == own_mnt_ns())
                fd = try_path(path, o);
        return fd;
}

static HeldFile *held_find(FileFetch *f, const CaptureOperation *o) {
        for (size_t i = 0; i < f->n_held; i++)
                if (f->held[i].dev == o->head.dev && f->held[i].inode == o->head.inode)
                        return f->held + i;
        return NULL;
}

static void held_add(FileFetch *f, const CaptureOperation *o, int fd) {
        HeldFile *h = f->held;

        if (f->n_held < HELD_MAX)
                h = f->held + f->n_held++;
        else {
                for (size_t i = 1; i < f->n_held; i++)
                        if (f->held[i].used_usec < h->used_usec)
                                h = f->held + i;
                safe_close(h->fd);
        }
        *h = (HeldFile) { .dev = o->head.dev, .inode = o->head.inode, .fd = fd, .used_usec = now_usec(CLOCK_MONOTONIC) };
}

int file_fetch_open(FileFetch *f, const CaptureOperation *o) {
        _cleanup_close_ int fd = -EBADF;
        HeldFile *h = held_find(f, o);
        char text[64];
        int copy;

        if (h) {
                h->used_usec = now_usec(CLOCK_MONOTONIC);
                copy = fcntl(h->fd, F_DUPFD_CLOEXEC, 3);
                return copy < 0 ? -errno : copy;
        }
        fd = find(o);
        if (fd < 0)
                return fd;
        /* Through /proc, so that it is this very file, whatever its name is by now. */
        (void) snprintf(text, sizeof(text), "/proc/self/fd/%d", fd);
        copy = open(text, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOATIME);
        if (copy < 0)
                return -errno;
        held_add(f, o, fcntl(copy, F_DUPFD_CLOEXEC, 3));
        return copy;
}

int file_fetch_birth(const CaptureOperation *o, uint64_t *ret_usec) {
        _cleanup_close_ int fd = find(o);
        struct statx stx;

        if (fd < 0)
                return fd;
        if (statx(fd, "", AT_EMPTY_PATH, STATX_BTIME, &stx) < 0)
                return -errno;
        if (!(stx.stx_mask & STATX_BTIME))
                return -ENODATA;
        *ret_usec = (uint64_t) stx.stx_btime.tv_sec * USEC_PER_SEC + stx.stx_btime.tv_nsec / NSEC_PER_USEC;
        return 0;
}

void file_fetch_tick(FileFetch *f) {
        uint64_t now = now_usec(CLOCK_MONOTONIC);

        for (size_t i = f->n_held; i > 0; i--)
                if (f->held[i - 1].used_usec + HELD_USEC < now) {
                        safe_close(f->held[i - 1].fd);
                        f->held[i - 1] = f->held[--f->n_held];
                }
}
