/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Live streams: what OpenEventStream hands out. Each client has a scope mask, a format and a bounded buffer; a slow
 * reader loses its own events, is told how many in its own stream, and never holds up anybody else. */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "../event/event-format.h"

typedef struct Manager Manager;
typedef struct Stream Stream;
typedef struct StreamSet StreamSet;

typedef struct StreamOptions {
        uint64_t scopes;              /* mask; 0: all */
        EventFormat format;
        EventFormatFlags flags;
        bool no_header;               /* tables: without the header line */
        size_t buffer_bytes;          /* 0: default */
        pid_t pid;                    /* reader's process: its own events are not taken; 0: unknown */
        char *policy;                 /* only events that this policy matched (name; copied); NULL: any */
} StreamOptions;

#define STREAM_BUFFER_DEFAULT (4U * 1024U * 1024U)
#define STREAM_BUFFER_MAX (64U * 1024U * 1024U)
#define STREAMS_MAX 64

/* The reading end, close-on-exec; the stream lives until that end is closed. -EUSERS: STREAMS_MAX are open. */
int manager_open_stream(Manager *m, const StreamOptions *options, int *ret_fd);
/* Writes to `fd` (borrowed) instead: --console. */
int manager_open_stream_on_fd(Manager *m, const StreamOptions *options, int fd);

typedef struct StreamInfo {
        uint64_t scopes;
        EventFormat format;
        pid_t pid;
        uint64_t n_events, n_lost;
        size_t buffered_bytes;
} StreamInfo;
/* Returns the number of streams; fills at most `max`. */
size_t manager_list_streams(Manager *m, StreamInfo *ret, size_t max);
