/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Reads a BPF ring buffer. libbpf's reader maps the data twice, so that a record is in one piece wherever it stands, and
 * every page of the ring is counted twice in the resident memory of the process. This one maps it once and copies the one
 * record a round that wraps; and it gives room back for many records at once, since the position stands in a cache line
 * that every reservation reads. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../basic/macro.h"

typedef struct RingReader RingReader;

/* One record, valid until the handler returns. Anything but 0 ends ring_reader_read() after this one. */
typedef int (*RingRecordHandler)(void *userdata, void *data, size_t size);

/* fd: of a map of type BPF_MAP_TYPE_RINGBUF, only used here; bytes: its max_entries. Errors of mmap(2). */
int ring_reader_new(int fd, size_t bytes, RingReader **ret);
RingReader *ring_reader_free(RingReader *r);
DEFINE_TRIVIAL_CLEANUP_FUNC(RingReader *, ring_reader_free);

/* Hands over what is there. Returns what the handler ended it with, 0: there was no more; -ENOMEM: a record that wraps has to
 * wait. Room is given back when a 64th of the ring was read, */
int ring_reader_read(RingReader *r, RingRecordHandler on_record, void *userdata);

/* and now. What was read but not given back is read again by whoever opens the ring next. */
void ring_reader_release(RingReader *r);
