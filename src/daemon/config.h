/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* scopetraced.conf and its drop-ins. */

#include <stdbool.h>
#include <stdint.h>

typedef struct Config {
        uint64_t ring_bytes;            /* RingSize=; 0: the kernel layer's default */
        bool journal;                   /* Journal=: events become journal records */
        uint64_t journal_queue_bytes;   /* JournalQueueSize= */
        uint64_t stream_buffer_bytes;   /* StreamBufferSize=: of a stream that does not ask for a size */
        int log_level;                  /* LogLevel= */
} Config;

#define CONFIG_DEFAULT                                          \
        {                                                       \
                .journal = true,                                \
                .journal_queue_bytes = 4U * 1024U * 1024U,      \
                .stream_buffer_bytes = 4U * 1024U * 1024U,      \
                .log_level = 6,                                 \
        }

/* Reads the file and its drop-ins in the usual order; what is wrong in them is logged and skipped. `root` is put
 * before the search path; NULL: none. Negative only for lack of memory. */
int config_load(Config *c, const char *root);
/* One file's text; for tests. Returns the number of lines that were refused. */
int config_parse(Config *c, const char *path, char *text);
