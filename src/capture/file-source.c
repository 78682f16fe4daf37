/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Opens a file that a process executed or loaded, after the event. Every way is a race against the process and against
 * whoever changes the file, so each descriptor is compared with what the kernel side saw: same inode number, same time
 * of change, same size. Paths are resolved inside the process's root (openat2, RESOLVE_IN_ROOT): a link in a container
 * leads nowhere outside of it. Opening never waits and never has an effect on what is opened: no FIFO, no device. */

#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>

#include "../basic/macro.h"
#include "file-source.h"

#define NAMESPACES_MAX 256U      /* mount namespaces that are remembered; the one that was quiet longest is forgotten */
#define PROCESSES_MAX 8U         /* of each, the newest */

typedef struct MountNamespace {
        uint32_t id;
        uint32_t pids[PROCESSES_MAX];
        unsigned next;
        uint64_t used;
} MountNamespace;

struct FileSources {
        MountNamespace items[NAMESPACES_MAX];
        size_t n;
        uint64_t clock;
};

FileSources *file_sources_new(void) {
        return new0(FileSources, 1);
}

FileSources *file_sources_free(FileSources *s) {
        free(s);
        return NULL;
}

static MountNamespace *find_namespace(FileSources *s, uint32_t id) {
        for (size_t i = 0; i < s->n; i++)
                if (s->items[i].id == id)
                        return s->items + i;
        return NULL;
}

void file_sources_add(FileSources *s, uint32_t mnt_ns, uint32_t host_pid) {
        MountNamespace *m = find_namespace(s, mnt_ns);

        if (!m) {
                if (s->n < NAMESPACES_MAX)
                        m = s->items + s->n++;
                else {
                        m = s->items;
                        for (size_t i = 1; i < s->n; i++)
                                if (s->items[i].used < m->used)
                                        m = s->items + i;
                }
                *m = (MountNamespace) { .id = mnt_ns };
        }
        m->used = ++s->clock;
        for (size_t i = 0; i < PROCESSES_MAX; i++)
                if (m->pids[i] == host_pid)
                        return;
        m->pids[m->next++ % PROCESSES_MAX] = host_pid;
}

int file_identity_check(int fd, const FileIdentity *identity) {
        struct statfs fs;
        struct stat st;

        assert(identity);

        if (fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode) || (uint64_t) st.st_size != identity->size)
                return -ESTALE;
        if ((uint64_t) st.st_ctim.tv_sec * NSEC_PER_SEC + st.st_ctim.tv_nsec != identity->ctime_ns)
                return -ESTALE;
        if (st.st_ino != identity->inode) {
                /* overlayfs may show the number of the file below. */
                if (fstatfs(fd, &fs) < 0 || fs.f_type != OVERLAYFS_SUPER_MAGIC)
                        return -ESTALE;
        }
        return 0;
}

/* Looks before it opens: O_PATH opens nothing. */
static int open_checked(int dir_fd, const char *path, uint64_t resolve, const FileIdentity *identity) {
        struct open_how how = { .flags = O_PATH | O_CLOEXEC, .resolve = resolve };
        _cleanup_close_ int fd = -EBADF;
        char name[32];
        int r;

        fd = syscall(SYS_openat2, dir_fd, path, &how, sizeof(how));
        if (fd < 0)
                return -errno;
        r = file_identity_check(fd, identity);
        if (r < 0)
                return r;
        snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
        r = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
        return r < 0 ? -errno : r;
}

static int open_executable(uint32_t pid, const FileIdentity *identity) {
        char name[32];

        snprintf(name, sizeof(name), "/proc/%u/exe", pid);
        return open_checked(AT_FDCWD, name, 0, identity);
}

static int open_below_root(uint32_t pid, const char *path, const FileIdentity *identity) {
        _cleanup_close_ int root = -EBADF;
        char name[32];

        snprintf(name, sizeof(name), "/proc/%u/root", pid);
        root = open(name, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (root < 0)
                return -errno;
        return open_checked(root, path, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS, identity);
}

int file_source_open(FileSources *s, uint32_t mnt_ns, uint32_t host_pid, const char *path,
                     const FileIdentity *identity) {
        MountNamespace *m;
        int fd;

        fd = open_executable(host_pid, identity);
        if (fd >= 0 || !path || path[0] != '/')
                return fd >= 0 ? fd : -ENOENT;
        fd = open_below_root(host_pid, path, identity);
        if (fd >= 0)
                return fd;
        m = s ? find_namespace(s, mnt_ns) : NULL;
        for (size_t i = 0; m && i < PROCESSES_MAX; i++) {
                if (m->pids[i] == 0 || m->pids[i] == host_pid)
                        continue;
                fd = open_below_root(m->pids[i], path, identity);
                if (fd >= 0)
                        return fd;
        }
        /* The host's own view: right where the process had no mounts of its own, and harmless where not. */
        fd = open_checked(AT_FDCWD, path, RESOLVE_NO_MAGICLINKS, identity);
        return fd >= 0 ? fd : -ENOENT;
}
