/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* All live streams: the manager's side of stream.h. */

#include <stdint.h>
#include <systemd/sd-event.h>

#include "../event/record.h"
#include "stream.h"

typedef struct StreamHandlers {
        /* The reader went away. `console`: it was the descriptor of stream_set_add_fd(). */
        void (*on_closed)(pid_t pid, bool console, void *userdata);
} StreamHandlers;

int stream_set_new(sd_event *event, const StreamHandlers *handlers, void *userdata, StreamSet **ret);
StreamSet *stream_set_free(StreamSet *s);
static inline void stream_set_freep(StreamSet **s) {
        stream_set_free(*s);
}

int stream_set_add(StreamSet *s, const StreamOptions *options, int *ret_fd);
int stream_set_add_fd(StreamSet *s, const StreamOptions *options, int fd);

/* Scopes that any stream wants; 0: there is none. */
uint64_t stream_set_scopes(const StreamSet *s);
void stream_set_write_event(StreamSet *s, const Event *e);
void stream_set_flush(StreamSet *s);
size_t stream_set_list(const StreamSet *s, StreamInfo *ret, size_t max);
uint64_t stream_set_n_lost(const StreamSet *s);
