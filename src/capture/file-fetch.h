/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The file that an operation was on, for its bytes that were in no user memory. */

#include <stdint.h>

#include "capture.h"

typedef struct FileFetch FileFetch;
FileFetch *file_fetch_new(void);
FileFetch *file_fetch_free(FileFetch *f);

/* A descriptor for reading that the caller closes, or -ENOENT when the file can be reached no more. */
int file_fetch_open(FileFetch *f, const CaptureOperation *o);
/* When the file began, wall clock. -ENODATA: its file system does not say. */
int file_fetch_birth(const CaptureOperation *o, uint64_t *ret_usec);
/* Lets go of files that nobody asked for in a while. */
void file_fetch_tick(FileFetch *f);
