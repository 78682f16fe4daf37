/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Captures as the manager sees them: the store of this service, the captures that were started at run time,
 * and what the loop is told of artifacts. */

#include "../capture/capture.h"
#include "../capture/store.h"
#include "../policy/capture-spec.h"
#include "artifact-job.h"
#include "manager.h"
#include "state.h"

typedef struct Captures Captures;

int captures_new(Manager *m, Captures **ret);
/* Opens the store when there is one already. */
int captures_start(Captures *c);
/* Closes the store, and tells what is not told yet. Nobody writes to it any more. */
void captures_stop(Captures *c);
Captures *captures_free(Captures *c);
static inline void captures_freep(Captures **c) {
        captures_free(*c);
}
/* New limits. */
void captures_configure(Captures *c);

/* The store, opened and made when it is not there yet. */
int captures_need_store(Captures *c, Store **ret);
/* NULL: nothing was captured yet. */
Store *captures_store(Captures *c);

/* What was started at run time, for the successor; and what a predecessor left, before the first plan. */
const SavedCapture *captures_runtime(const Captures *c, size_t *ret_n);
int captures_restore(Captures *c, const SavedState *saved);
/* Before a plan is made: gives each policy what was started for its scope at run time. */
int captures_derive(Captures *c, PolicySet *set);
/* Scopes and policies are up to date again: tells the listener of captures that came and went. */
void captures_announce(Captures *c);

/* One standing order. */
typedef struct CaptureInfo {
        char id[24];                    /* 42-write */
        uint8_t scope;
        CaptureKind kind;
        bool by_policy, at_run_time;
        char **policies;                /* names of those that ask for it */
        char **expressions;             /* at run time */
        StoreUsage usage;
} CaptureInfo;
void capture_info_done(CaptureInfo *info);
/* Active ones, by scope and kind. */
bool captures_get(Captures *c, unsigned scope, CaptureKind kind, CaptureInfo *ret);
typedef struct CaptureIterator {
        unsigned scope;
        int kind;
} CaptureIterator;
#define CAPTURE_ITERATOR_FIRST { .scope = 1, .kind = -1 }
bool captures_next(Captures *c, CaptureIterator *i, CaptureInfo *ret);
unsigned captures_count(Captures *c);
/* Others were told that it is there, and not yet that it is gone. */
bool captures_is_announced(const Captures *c, unsigned scope, CaptureKind kind);
/* What never was is 0. */
void captures_counters(Captures *c, StoreCounters *ret_store, CaptureCounters *ret_worker);
/* Removals that run. */
ArtifactJob **captures_jobs(Captures *c);
/* What artifacts of a capture are. */
ArtifactKind capture_artifact_kind(CaptureKind k);

/* kind _CAPTURE_KIND_INVALID: those that the expressions say. -ENXIO: no such scope; -EINVAL, -ENOTSUP, -EOPNOTSUPP with a
 * sentence. Expressions of a kind replace those that it was started with before. */
int captures_begin(Captures *c, unsigned scope, CaptureKind kind, char *const *expressions, char **reterr);
/* -ENOENT; -EROFS: only policies ask for it. */
int captures_end(Captures *c, unsigned scope, CaptureKind kind, char **reterr);
