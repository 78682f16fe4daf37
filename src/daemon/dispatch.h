/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The way of one record: from the ring to the outputs. */

#include <stdint.h>

#include "../kernel/kernel.h"
#include "journal.h"
#include "loss.h"
#include "remote-action.h"
#include "rule-map.h"
#include "scope.h"
#include "stack.h"
#include "stream-set.h"
#include "subject.h"

/* Everything the event path needs; the manager owns what it points at. */
typedef struct Dispatch {
        Kernel *kernel;
        RuleMapRing maps;               /* owned */
        Subject *subject;
        LossLog *losses;
        Journal *journal;               /* NULL: events do not go to the journal */
        StreamSet *streams;
        RemoteActions *remote;
        StackResolver *stacks;          /* owned; made when the first stack comes */
        Scope *const *scopes;           /* [SCOPE_MAX + 1], by number */

        bool in_batch;
        uint32_t lost_seen;             /* header.lost of the newest record */
        uint64_t n_lost_ring, n_lost_attributed;
        uint64_t n_events, n_bad;
        uint64_t *lost_by_rule;         /* what was counted to the scopes already, of the generation below */
        uint32_t lost_generation;

        const char **names;             /* scratch: the policies that are left after rate limits */
        size_t n_names_allocated;
        RuleMap *map;                   /* of the record at hand */
} Dispatch;

void dispatch_done(Dispatch *d);
/* A new generation begins. Takes the map. */
void dispatch_push_map(Dispatch *d, RuleMap *m);
/* KernelRecordHandler and KernelBatchHandler. */
void dispatch_record(const void *data, size_t size, void *userdata);
void dispatch_batch_end(void *userdata);
/* What rules of hooks have done since the last call: to the counters of their policies. What their rate limits kept back
 * is reported. Now and then, before somebody asks, and before a generation ends. */
void dispatch_count_actions(Dispatch *d);
/* Losses that no later record told of, and whose they were: now and then, and before a generation ends. */
void dispatch_account_losses(Dispatch *d);
