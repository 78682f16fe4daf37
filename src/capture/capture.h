/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The capture side of the service: a worker thread of its own reads the artifact ring and writes into the store, so that a
 * gigabyte of written data never delays an event or a bus reply. The main thread gives it what rules mean, and is told of
 * complete artifacts through the store's handler. Knows nothing of the bus or the journal. */

#include <stdbool.h>
#include <stdint.h>

#include "../event/record.h"
#include "../kernel/kernel.h"
#include "../policy/capture-spec.h"
#include "store.h"
#include "../../bpf/abi/artifact.h"

typedef struct CaptureWorker CaptureWorker;

/* What one rule of a generation asks to be kept. Plain copies: the worker outlives policies. */
typedef struct CaptureRule {
        uint32_t rule;                  /* its number in the generation */
        uint8_t scope;                  /* 1..64 */
        char *policy;
        CaptureSpec spec;               /* without conditions, which are the kernel's. kind _CAPTURE_KIND_INVALID: of a
                                         * predecessor's generation, any kind, options are not known */
} CaptureRule;

typedef struct CaptureRuleSet {
        uint32_t generation;
        CaptureRule *items;             /* ascending by rule */
        size_t n;
} CaptureRuleSet;
void capture_rule_set_done(CaptureRuleSet *s);

/* One operation as its chunks come in. `origin` is filled from the head's record: container and unit are resolved by the
 * daemon's resolver (below); scopes and policies are those of the rules that matched. */
typedef struct CaptureOperation {
        uint64_t id;
        struct sct_chunk head;
        Event event;                    /* of the head; valid until the operation's end */
        ArtifactOrigin origin;
        const CaptureRule **rules;      /* that matched; valid during the call */
        size_t n_rules;
        Artifact *artifact;             /* the kind's: set at head, released at end */
        void *userdata;                 /* the kind's; of a kind that repeats: freed with the head, by free() */
} CaptureOperation;

/* One row a kind (capture-write.c, capture-exec.c, ...). All calls in the worker's thread. Failures are counted by the
 * caller; they never end the worker. */
typedef struct CaptureHandler {
        CaptureKind kind;
        /* Each operation is one chunk, and thousands have the same head: it is looked up once, and data() is all that is
         * called, with what it left in `userdata` for this head. */
        bool repeats;
        int (*begin)(CaptureWorker *w, CaptureOperation *o);
        int (*data)(CaptureWorker *w, CaptureOperation *o, const struct sct_chunk *c, const void *data);
        int (*end)(CaptureWorker *w, CaptureOperation *o, const struct sct_chunk *c);
        int (*tick)(CaptureWorker *w);  /* about once a second: complete what has been idle */
        void (*stop)(CaptureWorker *w); /* last call: complete everything, free state */
        /* Bytes of an operation that should have come and did not (no room in the ring, not readable). May be NULL. */
        int (*hole)(CaptureWorker *w, CaptureOperation *o, uint64_t offset, uint64_t size);
        /* A whole operation that found no room: nothing is known of it but what `h` says. May be NULL. */
        int (*lost)(CaptureWorker *w, CaptureKind kind, const struct sct_hole *h);
        /* A chunk of type SCT_CHUNK_SYNC. May be NULL. */
        int (*sync)(CaptureWorker *w, const struct sct_chunk *c);
} CaptureHandler;

/* capture.c: NULL when nobody captures this kind. */
const CaptureHandler *capture_handler(CaptureKind kind);

/* cgroup id → container id and unit, callable from the worker's thread. Strings are valid until the next call. */
typedef void (*CaptureResolver)(uint64_t cgroup_id, const char **ret_container, const char **ret_unit, void *userdata);

typedef struct CaptureCounters {
        uint64_t n_operations, bytes;
        uint64_t n_lost_chunks, lost_bytes;     /* found no room in the ring */
        uint64_t n_failed;                      /* a handler failed */
        size_t ring_bytes, ring_used_bytes;
} CaptureCounters;

int capture_worker_new(Kernel *kernel, Store *store, CaptureResolver resolver, void *userdata, CaptureWorker **ret);
/* Ends the thread after what is in the ring. */
CaptureWorker *capture_worker_free(CaptureWorker *w);
static inline void capture_worker_freep(CaptureWorker **w) {
        capture_worker_free(*w);
}
/* Takes over the set (also while older generations' records are in the ring: the last few sets are kept). */
int capture_worker_set_rules(CaptureWorker *w, CaptureRuleSet *set);
/* Returns when everything submitted before the call is in the store. For tests and for `scopectl trace --capture` at its end. */
int capture_worker_flush(CaptureWorker *w, uint64_t timeout_usec);
/* For a handler's tick(): somebody waits for capture_worker_flush(), complete what can be. */
bool capture_worker_flushing(const CaptureWorker *w);
void capture_worker_counters(CaptureWorker *w, CaptureCounters *ret);
Store *capture_worker_store(CaptureWorker *w);
/* For handlers: what the kernel side is told comes this way. */
KernelArtifacts *capture_worker_ring(CaptureWorker *w);
/* A place for a kind's own state (one pointer a kind). */
void **capture_worker_state(CaptureWorker *w, CaptureKind kind);
