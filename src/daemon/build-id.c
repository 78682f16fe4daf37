/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Build ids, from the notes of ELF files: NT_GNU_BUILD_ID of owner GNU. The file is looked for where its process sees it,
 * and where that has ended, here, when it was in the same mount namespace. It may be another one by now: only one with the
 * inode of the record is believed, all others have no build id. Files of a few kilobytes are read, never executed or
 * waited for; what was found is kept for the files that are mapped most. */

#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "../../bpf/abi/arg-struct.h"
#include "../basic/fd-util.h"
#include "../basic/string-util.h"
#include "build-id.h"

#define BUILD_ID_MAX 64U
#define NOTES_MAX 65536U        /* bytes of one segment of notes */
#define HEADERS_MAX 64U         /* program headers; a shared object has about ten */
#define CACHE_SIZE 256U

typedef struct BuildId {
        dev_t dev;
        ino_t inode;
        struct timespec changed;
        uint8_t size;           /* 0: it has none */
        uint8_t id[BUILD_ID_MAX];
} BuildId;

static BuildId cache[CACHE_SIZE];

/* The first note that is one. */
static void find_note(const uint8_t *notes, size_t size, BuildId *ret) {
        while (size >= sizeof(Elf64_Nhdr)) {
                Elf64_Nhdr h;           /* of the same layout in both classes */
                size_t name, total;

                memcpy(&h, notes, sizeof(h));
                name = ((size_t) h.n_namesz + 3) & ~(size_t) 3;
                total = sizeof(h) + name + (((size_t) h.n_descsz + 3) & ~(size_t) 3);
                if (total > size)
                        return;
                if (h.n_type == NT_GNU_BUILD_ID && h.n_namesz == 4 && memcmp(notes + sizeof(h), "GNU", 4) == 0 &&
                    h.n_descsz > 0 && h.n_descsz <= BUILD_ID_MAX) {
                        ret->size = (uint8_t) h.n_descsz;
                        memcpy(ret->id, notes + sizeof(h) + name, h.n_descsz);
                        return;
                }
                notes += total;
                size -= total;
        }
}

static void read_notes(int fd, uint64_t offset, uint64_t size, BuildId *ret) {
        _cleanup_free_ uint8_t *notes = NULL;
        ssize_t n;

        if (size > NOTES_MAX)
                return;
        notes = malloc(size);
        if (!notes)
                return;
        n = pread(fd, notes, size, (off_t) offset);
        if (n > 0)
                find_note(notes, (size_t) n, ret);
}

#define READ_CLASS(bits)                                                                                \
        static void read_elf##bits(int fd, BuildId *ret) {                                              \
                Elf##bits##_Phdr segments[HEADERS_MAX];                                                 \
                Elf##bits##_Ehdr header;                                                                \
                size_t n;                                                                               \
                                                                                                        \
                if (pread(fd, &header, sizeof(header), 0) != sizeof(header) ||                          \
                    header.e_phentsize != sizeof(segments[0]))                                          \
                        return;                                                                         \
                n = MIN((size_t) header.e_phnum, (size_t) HEADERS_MAX);                                 \
                if (pread(fd, segments, n * sizeof(segments[0]), (off_t) header.e_phoff) !=             \
                    (ssize_t) (n * sizeof(segments[0])))                                                \
                        return;                                                                         \
                for (size_t i = 0; i < n && ret->size == 0; i++)                                        \
                        if (segments[i].p_type == PT_NOTE)                                              \
                                read_notes(fd, segments[i].p_offset, segments[i].p_filesz, ret);        \
        }

READ_CLASS(32)
READ_CLASS(64)

static const BuildId *read_build_id(int fd, const struct stat *st) {
        BuildId *id = cache + (((uint64_t) st->st_ino ^ (uint64_t) st->st_dev) % CACHE_SIZE);
        uint8_t ident[EI_NIDENT];

        if (id->inode == st->st_ino && id->dev == st->st_dev && id->changed.tv_sec == st->st_ctim.tv_sec &&
            id->changed.tv_nsec == st->st_ctim.tv_nsec)
                return id;
        *id = (BuildId) { .dev = st->st_dev, .inode = st->st_ino, .changed = st->st_ctim };
        if (pread(fd, ident, sizeof(ident), 0) != sizeof(ident) || memcmp(ident, ELFMAG, SELFMAG) != 0)
                return id;
        if (ident[EI_CLASS] == ELFCLASS64)
                read_elf64(fd, id);
        else if (ident[EI_CLASS] == ELFCLASS32)
                read_elf32(fd, id);
        return id;
}

static int open_regular(const char *path, uint64_t inode, struct stat *ret) {
        /* Not to wait for whoever writes into a FIFO that took the file's name. */
        int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

        if (fd < 0)
                return -errno;
        if (fstat(fd, ret) < 0 || !S_ISREG(ret->st_mode) || ret->st_ino != inode) {
                safe_close(fd);
                return -ESTALE;
        }
        return fd;
}

static bool same_mount_namespace(const Event *e) {
        struct stat st;

        return stat("/proc/self/ns/mnt", &st) >= 0 && st.st_ino == e->header->mnt_ns;
}

static const EventArg *find_arg(const Event *e, const char *name) {
        for (size_t i = 0; i < e->n_args; i++)
                if (streq(e->args[i].spec->name, name) && !(e->args[i].flags & SCT_ARG_FAULT))
                        return e->args + i;
        return NULL;
}

void build_id_add(Event *e) {
        const EventArg *path = find_arg(e, "path"), *inode = find_arg(e, "inode");
        int position = event_arg_index(e->spec, "buildid");
        char name[64 + SCT_STR_MAX];
        _cleanup_close_ int fd = -EBADF;
        const BuildId *id;
        struct stat st;
        uint64_t ino;
        size_t at;

        if (!path || !inode || position < 0 || e->n_args >= SCT_ARGS_MAX || path->size <= sizeof(struct sct_file) ||
            inode->size != sizeof(ino))
                return;
        memcpy(&ino, inode->data, sizeof(ino));
        (void) snprintf(name, sizeof(name), "/proc/%u/root%.*s", e->header->host_pid,
                        (int) (path->size - sizeof(struct sct_file)), (const char *) path->data + sizeof(struct sct_file));
        fd = open_regular(name, ino, &st);
        if (fd == -ENOENT && same_mount_namespace(e))
                fd = open_regular(strchr(name + strlen("/proc/"), '/') + strlen("/root"), ino, &st);
        if (fd < 0)
                return;
        id = read_build_id(fd, &st);
        if (id->size == 0)
                return;
        for (at = e->n_args++; at > 0 && e->args[at - 1].spec > e->spec->args + position; at--)
                e->args[at] = e->args[at - 1];
        e->args[at] = (EventArg) { .spec = e->spec->args + position, .type = SCT_ARG_BYTES, .size = id->size, .data = id->id };
}
