/* SPDX-License-Identifier: GPL-2.0-only OR LGPL-2.1-or-later */
#pragma once

/* Wire format of the artifact ring: bulk data, apart from the ring of events.
 *
 * A capture is a rule of the same engine: it wants one of the events of the family "capture" (events.list), whose
 * arguments are what its conditions may ask (path, type, descriptor). What matches is not sent as an event but starts an
 * *operation*: one write call, one loaded module, one packet. An operation is one head, then any number of data chunks.
 * Chunks of one operation are in order; those of several may interleave. A chunk that found no room is not silent: the
 * next chunk of the operation, or its end, tells the gap by its offset, and SCT_CHUNK_END carries what should have come. */

#include "record.h"

#define SCT_CHUNK_DATA_MAX 65536U     /* bytes of data in one chunk */

enum sct_chunk_type {
        SCT_CHUNK_HEAD = 1,           /* followed by a struct sct_record with arguments and rule masks, as in record.h */
        SCT_CHUNK_DATA = 2,           /* followed by data */
        SCT_CHUNK_END = 3,            /* the operation is over; size_total and lost are final */
        SCT_CHUNK_SINGLE = 4,         /* head, data and end in one: the record, padded to 8 bytes, then the data */
};

enum sct_chunk_flags {
        SCT_CHUNK_FETCH = 1 << 0,     /* user space must read the bytes from the file itself: splice, shared mapping, ... */
        SCT_CHUNK_APPEND = 1 << 1,    /* no offset: pipe, socket, character device */
        SCT_CHUNK_FAULT = 1 << 2,     /* END: some bytes could not be read; they are a hole */
};

struct sct_chunk {
        u8 type;                /* enum sct_chunk_type */
        u8 flags;               /* enum sct_chunk_flags */
        u16 event;              /* id of the capture event: which kind of artifact */
        u32 record_size;        /* HEAD, SINGLE: bytes of the record that follows; else 0 */
        u32 size;               /* bytes of data in this chunk */
        u32 lost;               /* END: chunks of this operation that found no room */
        u64 operation;          /* unique while the kernel side lives */
        u64 offset;             /* of this chunk's data: in the file, or from the operation's beginning */
        u64 size_total;         /* of the whole operation; HEAD: as far as it is known */
        u64 dev, inode;         /* kernel's dev_t (major << 20 | minor); 0: no file */
};
