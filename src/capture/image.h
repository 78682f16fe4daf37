/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One file's content while it is put together: blocks that the kernel side sent, the rest from the file itself. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "file-source.h"
#include "store.h"

typedef struct Image Image;

/* `identity`: of the file behind it, whose bytes fill what the kernel side did not send; `fd`: that file, taken over, or
 * negative. */
int image_new(const FileIdentity *identity, int fd, Image **ret);
Image *image_free(Image *i);
static inline void image_freep(Image **i) {
        image_free(*i);
}
/* -ENOBUFS: too much is held in memory; what is not taken may still come from the file. */
int image_add(Image *i, uint64_t offset, const void *data, size_t size);
bool image_needs_file(const Image *i);
void image_set_file(Image *i, int fd);
/* Of all bytes; -ENODATA when some are missing, -ESTALE when the file changed meanwhile. */
int image_digest(Image *i, char ret[static 65]);
/* Everything there is; what is missing becomes a hole. Returns the number of missing bytes by *ret_missing. */
int image_write(Image *i, Artifact *a, uint64_t *ret_missing);
