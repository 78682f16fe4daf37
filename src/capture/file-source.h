/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A file that an event named, as long as it can still be reached: through the process, through its root, or through
 * another process that sees the same mounts. */

#include <stdint.h>
#include <sys/types.h>

/* What makes a file the one that was meant. Device numbers do not: btrfs and overlayfs show others than they use. */
typedef struct FileIdentity {
        uint64_t inode;
        uint64_t ctime_ns;
        uint64_t size;
} FileIdentity;

/* 0 when `fd` is a regular file and that one, -ESTALE when it is another or has changed. */
int file_identity_check(int fd, const FileIdentity *identity);

/* Processes that were seen in each mount namespace: when one is gone, another may still show its files. */
typedef struct FileSources FileSources;
FileSources *file_sources_new(void);
FileSources *file_sources_free(FileSources *s);
static inline void file_sources_freep(FileSources **s) {
        file_sources_free(*s);
}
void file_sources_add(FileSources *s, uint32_t mnt_ns, uint32_t host_pid);

/* A descriptor for reading, or -ENOENT. `path` as the process names it, NULL: its executable alone. */
int file_source_open(FileSources *s, uint32_t mnt_ns, uint32_t host_pid, const char *path, const FileIdentity *identity);
