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
        SCT_CHUNK_SYNC = 5,           /* of no operation: a process (operation: its number) has synced or unmapped size_total
                                       * bytes from address offset on, or ended (offset 0, size_total ~0) */
};

enum sct_chunk_flags {
        SCT_CHUNK_FETCH = 1 << 0,     /* user space must read the bytes from the file itself: splice, shared mapping, ... */
        SCT_CHUNK_APPEND = 1 << 1,    /* no offset: pipe, socket, character device */
        SCT_CHUNK_FAULT = 1 << 2,     /* END: some bytes could not be read; they are a hole */
        SCT_CHUNK_SUBMITTED = 1 << 3, /* as handed to the kernel: whether it was written was not to be seen */
        SCT_CHUNK_GONE = 1 << 4,      /* SYNC: the mapping is no more */
        SCT_CHUNK_SHARED = 1 << 5,    /* others share the file's position: the data may stand some bytes before offset */
        SCT_CHUNK_OUT = 1 << 3,       /* of a packet: it leaves */
        SCT_CHUNK_FAILED = 1 << 4,    /* END: the call failed; offset is its error number */
};

/* How data got into a file, or out of it: argument `how` of capture_write and capture_read. */
enum sct_capture_how {
        SCT_HOW_CALL = 0,             /* write() and its kin: from the caller's memory */
        SCT_HOW_COPY = 1,             /* splice(), sendfile(), copy_file_range(): from the file after the call */
        SCT_HOW_MAPPING = 2,          /* a shared mapping begins: the record's return value is its address, offset and
                                       * size_total are in the file. SYNC chunks say when to look */
        SCT_HOW_URING = 3,            /* io_uring */
        SCT_HOW_AIO = 4,              /* io_submit() */
        SCT_HOW_KERNEL = 5,           /* by the kernel itself: core dumps */
        SCT_HOW_CUT = 6,              /* no data: the file ends at offset now, or what stood behind it was moved */
        SCT_HOW_PUNCH = 7,            /* no data: size_total bytes from offset on are zeros now */
};

/* Changes of a region's protection: argument `transition` of capture_mem. */
enum sct_capture_mem {
        SCT_MEM_UNPACKED = 1 << 0,    /* written and executable, now executable alone */
        SCT_MEM_MMAP_WX = 1 << 1,     /* mapped writable and executable */
        SCT_MEM_TO_EXEC = 1 << 2,     /* became executable, and was not */
        SCT_MEM_EXEC_TO_WX = 1 << 3,  /* executable became writable too */
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
        u64 dev, inode;         /* kernel's dev_t (major << 20 | minor); 0: no file. Of a packet:
                                 * its interface's index, and the inode of that one's network namespace */
};

/* What found no room in the ring, in a queue of its own, so that a hole is known exactly whatever else was lost. */
struct sct_hole {
        u64 operation;          /* 0: the head was lost too, the file is all that is known */
        u64 dev, inode;
        u64 offset;             /* as in struct sct_chunk */
        u64 size;
        u64 rules[SCT_BANKS_MAX / 8];   /* operation 0: of the first banks from bank_first on */
        u32 generation;         /* of the policy set */
        u32 inode_generation;
        u16 event;
        u8 flags;               /* enum sct_chunk_flags */
        u8 bank_first;
        u32 pad;
};

/* Executed files whose content was sent, or is kept: what of them need not be sent again. */
struct sct_image_key {
        u64 dev, inode;
};

struct sct_image_state {
        u64 ctime_ns, size;     /* the state that the file was in */
        u64 first_ns, sent_ns;  /* CLOCK_BOOTTIME: when it was first and last sent; sent_ns 0: it is kept */
        u64 is_settled;         /* when it was last sent it could not change without showing it */
};

/* The words that the kernel side and the reader of the ring share: one entry of an array that is mapped. */
struct sct_artifact_state {
        u32 reader;             /* enum sct_reader_state, of the thread that reads this ring */
        u32 pad;
        u64 wakeup_bytes;
        u64 next_operation;
        u64 n_lost;             /* chunks that found no room */
        u64 lost_bytes;         /* data of them */
        u64 n_unknown;          /* holes that found no room in their queue either: where they are is not known */
        u64 fault_bytes;        /* data that could not be read */
};
