/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Descriptors: reading whole files with a limit, writing whole buffers, sealed memory files. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The whole file, NUL-terminated (the NUL is not counted). -EFBIG when it is larger than `max`. Regular files and
 * those of /proc and /sys. */
int read_full_file(const char *path, size_t max, char **ret, size_t *ret_size);
int read_full_fd(int fd, size_t max, char **ret, size_t *ret_size);
int write_full(int fd, const void *data, size_t size);
int fd_set_nonblock(int fd, bool nonblock);

/* A memory file with this content that nobody can change any more. */
int memfd_new_sealed(const char *name, const void *data, size_t size, int *ret_fd);
/* 0 when `fd` is a memory file that is sealed against every change, -EINVAL when not. */
int memfd_check_sealed(int fd);
