/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Events → journal entries, over the native protocol, in batches, without ever waiting for journald. */

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "../event/record.h"

typedef struct Journal Journal;

/* An event that journald did not take in time, and that no room was left for. */
typedef void (*JournalLossHandler)(uint64_t seq, uint64_t scopes, void *userdata);

typedef struct JournalOptions {
        size_t queue_bytes;         /* entries that wait for journald */
        bool optional;              /* no socket at start: there is no journal here, and nothing is lost by that */
        const char *socket;         /* NULL: the system's */
        JournalLossHandler on_lost;
        void *userdata;
} JournalOptions;

int journal_new(sd_event *event, const JournalOptions *options, Journal **ret);
Journal *journal_free(Journal *j);
static inline void journal_freep(Journal **j) {
        journal_free(*j);
}

bool journal_is_present(const Journal *j);
void journal_write_event(Journal *j, const Event *e);
/* An entry that is encoded already (log.c); goes out in order with the events. -ENOBUFS: no room. */
int journal_write_entry(Journal *j, const void *data, size_t size);
/* Sends what was written; what journald does not take now is sent when it does. */
void journal_flush(Journal *j);
/* At the end: waits up to `timeout_usec` for journald to take the rest. */
void journal_drain(Journal *j, uint64_t timeout_usec);

uint64_t journal_n_sent(const Journal *j);
uint64_t journal_n_lost(const Journal *j);
