/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* scopetraced.conf and its drop-ins. */

#include <stdbool.h>
#include <stdint.h>

#include "../capture/store.h"

typedef struct Config {
        uint64_t ring_bytes;            /* RingSize=; 0: the kernel layer's default */
        bool journal;                   /* Journal=: events become journal records */
        uint64_t journal_queue_bytes;   /* JournalQueueSize= */
        uint64_t stream_buffer_bytes;   /* StreamBufferSize=: of a stream that does not ask for a size */
        int log_level;                  /* LogLevel= */
        char dns_servers[256];          /* DnsServers=: whom DnsLookup asks; empty: those of resolv.conf */
        uint64_t capture_ring_bytes;    /* CaptureRingSize=; 0: the kernel layer's default */
        char *capture_directory;        /* CaptureDirectory=; NULL: captures/ in the state directory */
        uint64_t capture_max_use;       /* CaptureMaxUse=; STORE_AUTO, or 0: no limit. The same for the following */
        uint64_t capture_max_artifact;  /* CaptureMaxArtifactSize= */
        uint64_t capture_max_artifacts; /* CaptureMaxArtifacts= */
        uint64_t capture_keep_free;     /* CaptureKeepFree= */
        uint64_t capture_max_age_usec;  /* CaptureMaxAge=; 0: none */
        StoreFull capture_when_full;    /* CaptureWhenFull= */
        bool capture_clear;             /* CaptureClear= */
} Config;

#define CONFIG_DEFAULT                                          \
        {                                                       \
                .journal = true,                                \
                .journal_queue_bytes = 32U * 1024U * 1024U,     \
                .stream_buffer_bytes = 4U * 1024U * 1024U,      \
                .log_level = 6,                                 \
                .capture_max_use = STORE_AUTO,                  \
                .capture_max_artifact = STORE_AUTO,             \
                .capture_max_artifacts = STORE_AUTO,            \
                .capture_keep_free = STORE_AUTO,                \
                .capture_when_full = STORE_FULL_EVICT,          \
        }

void config_done(Config *c);

/* Reads the file and its drop-ins in the usual order; what is wrong in them is logged and skipped. `root` is put
 * before the search path; NULL: none. Negative only for lack of memory. */
int config_load(Config *c, const char *root);
/* One file's text; for tests. Returns the number of lines that were refused. */
int config_parse(Config *c, const char *path, char *text);
