/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The worker: a thread that reads the artifact ring, puts each operation together and gives it to its kind. Invariant:
 * only this thread calls handlers and looks at rule sets; what others hand over waits behind the lock until it comes by.
 *
 * What a kind does with its data is its own business; what is kept, and for how long, is the store's. */

#include <pthread.h>
#include <stdio.h>
#include <time.h>
#include <uthash.h>

#include "../basic/macro.h"
#include "../basic/string-util.h"
#include "../basic/thread-util.h"
#include "../basic/time-util.h"
#include "capture.h"
#include "early-hole.h"

#define SETS_MAX 8U                     /* generations whose chunks may still be in the ring, as RULE_MAPS_MAX */
#define RULES_PER_OPERATION_MAX 256U    /* rules of one record that are looked at; more would be of one policy set */
#define TICK_USEC USEC_PER_SEC
#define ABANDONED_USEC (10 * USEC_PER_SEC)      /* an operation whose end was lost */
#define UNKNOWN_GENERATION_USEC (2 * USEC_PER_SEC)
#define KNOWN_MAX 256U                  /* heads that come again and again are looked up once; 8 KiB each */
#define KNOWN_USEC USEC_PER_SEC         /* then they are looked up again: a cgroup's unit may have come to be known */

typedef struct Operation {
        CaptureOperation public;
        const CaptureHandler *handler;
        void *record;                   /* copy that public.event points into; NULL: a whole one, in the ring */
        const CaptureRule *rules[RULES_PER_OPERATION_MAX];
        char *policies[RULES_PER_OPERATION_MAX + 1];
        char exe[SCT_EXE_MAX + 1], comm[SCT_COMM_LEN + 1], container[80], unit[280];
        uint64_t last_usec;
        size_t record_size;
        bool failed;                    /* its kind does not want the rest */
        UT_hash_handle hh;
} Operation;

struct CaptureWorker {
        KernelArtifacts *ring;
        Store *store;
        CaptureResolver resolver;
        void *userdata;
        pthread_t thread;
        bool started;
        void *states[_CAPTURE_KIND_MAX];

        /* The thread's own. */
        CaptureRuleSet *sets[SETS_MAX];         /* newest first */
        Operation *operations;                  /* by id */
        Operation *spare;
        EarlyHoles *early_holes;                /* of operations whose head is still in the ring */
        Operation *known[KNOWN_MAX];            /* by what their records hold, see find_known() */
        int64_t wall_offset_ns;                 /* CLOCK_REALTIME minus CLOCK_BOOTTIME */
        uint64_t batch_usec;                    /* when this batch began */
        CaptureCounters uncounted;              /* not yet in `counters` */
        uint64_t next_tick_usec;

        pthread_mutex_t lock;
        pthread_cond_t changed;
        CaptureRuleSet *new_sets[SETS_MAX];     /* oldest first */
        size_t n_new_sets;
        bool stopping, flushing;
        uint64_t flush_wanted, flush_done;
        CaptureCounters counters;
};

void capture_rule_set_done(CaptureRuleSet *s) {
        for (size_t i = 0; i < s->n; i++) {
                CaptureSpecList one = { .items = &s->items[i].spec, .n = 1 };

                free(s->items[i].policy);
                capture_spec_done(one.items);
        }
        free(s->items);
        *s = (CaptureRuleSet) {};
}

static CaptureRuleSet *rule_set_free(CaptureRuleSet *s) {
        if (!s)
                return NULL;
        capture_rule_set_done(s);
        free(s);
        return NULL;
}

static void operation_free(Operation *o) {
        if (!o)
                return;
        artifact_unref(o->public.artifact);
        free(o->record);
        free(o);
}

static void count(CaptureWorker *w, uint64_t n_operations, uint64_t bytes, uint64_t n_failed) {
        w->uncounted.n_operations += n_operations;
        w->uncounted.bytes += bytes;
        w->uncounted.n_failed += n_failed;
}

static void known_free(Operation *o) {
        if (!o)
                return;
        free(o->public.userdata);
        operation_free(o);
}

static void forget_known(CaptureWorker *w) {
        for (size_t i = 0; i < KNOWN_MAX; i++)
                known_free(TAKE_PTR(w->known[i]));
}

/* With a copy of the record. */
static Operation *operation_new(CaptureWorker *w, const struct sct_chunk *c, const void *record) {
        Operation *o = new0(Operation, 1);

        if (o)
                o->record = malloc(c->record_size);
        if (!o || !o->record) {
                operation_free(o);
                count(w, 0, 0, 1);
                return NULL;
        }
        memcpy(o->record, record, c->record_size);
        o->record_size = c->record_size;
        return o;
}

/* ---- Rules ---- */

static void adopt_sets(CaptureWorker *w) {
        pthread_mutex_lock(&w->lock);
        if (w->n_new_sets > 0)
                forget_known(w);
        for (size_t i = 0; i < w->n_new_sets; i++) {
                rule_set_free(w->sets[SETS_MAX - 1]);
                memmove(w->sets + 1, w->sets, (SETS_MAX - 1) * sizeof(w->sets[0]));
                w->sets[0] = w->new_sets[i];
        }
        w->n_new_sets = 0;
        pthread_mutex_unlock(&w->lock);
}

static const CaptureRuleSet *find_set(CaptureWorker *w, uint32_t generation) {
        for (size_t i = 0; i < SETS_MAX; i++)
                if (w->sets[i] && w->sets[i]->generation == generation)
                        return w->sets[i];
        return NULL;
}

/* The kernel side may be ahead of who tells us what its rules mean, by moments. */
static const CaptureRuleSet *await_set(CaptureWorker *w, uint32_t generation) {
        const CaptureRuleSet *set = find_set(w, generation);
        struct timespec until;

        if (set || (w->sets[0] && (int32_t) (generation - w->sets[0]->generation) < 0))
                return set;
        (void) clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += UNKNOWN_GENERATION_USEC / USEC_PER_SEC;
        pthread_mutex_lock(&w->lock);
        while (w->n_new_sets == 0 && !w->stopping)
                if (pthread_cond_timedwait(&w->changed, &w->lock, &until) != 0)
                        break;
        pthread_mutex_unlock(&w->lock);
        adopt_sets(w);
        return find_set(w, generation);
}

static size_t find_rules(const CaptureRuleSet *set, const uint8_t *masks, size_t n_banks, size_t bank_first,
                         CaptureKind kind, const CaptureRule **ret) {
        size_t n = 0;

        for (size_t i = 0; i < set->n && n < RULES_PER_OPERATION_MAX; i++) {
                const CaptureRule *rule = set->items + i;
                size_t bank = rule->rule / 64;
                uint64_t mask;

                if (bank < bank_first || bank >= bank_first + n_banks ||
                    (rule->spec.kind != kind && rule->spec.kind != _CAPTURE_KIND_INVALID))
                        continue;
                memcpy(&mask, masks + (bank - bank_first) * sizeof(mask), sizeof(mask));
                if ((mask >> (rule->rule % 64)) & 1)
                        ret[n++] = rule;
        }
        return n;
}

/* ---- Operations ---- */

static void set_origin(CaptureWorker *w, Operation *o, CaptureKind kind) {
        static const ArtifactKind kinds[_CAPTURE_KIND_MAX] = {
                [CAPTURE_WRITE] = ARTIFACT_WRITE, [CAPTURE_READ] = ARTIFACT_READ, [CAPTURE_EXEC] = ARTIFACT_EXEC,
                [CAPTURE_MEM] = ARTIFACT_MEM, [CAPTURE_NETWORK] = ARTIFACT_PCAP, [CAPTURE_MODULE] = ARTIFACT_MODULE,
        };
        const Event *e = &o->public.event;
        const char *container = NULL, *unit = NULL;
        size_t n = 0;

        if (w->resolver)
                w->resolver(e->header->cgroup_id, &container, &unit, w->userdata);
        (void) snprintf(o->container, sizeof(o->container), "%s", strempty(container));
        (void) snprintf(o->unit, sizeof(o->unit), "%s", strempty(unit));
        (void) snprintf(o->exe, sizeof(o->exe), "%.*s", (int) (e->exe ? MIN(e->exe_size, (size_t) SCT_EXE_MAX) : 0),
                        e->exe ?: "");
        (void) snprintf(o->comm, sizeof(o->comm), "%.*s", SCT_COMM_LEN, e->header->comm);

        o->public.origin = (ArtifactOrigin) {
                .kind = kinds[kind],
                .container = o->container,
                .dev = o->public.head.dev,
                .inode = o->public.head.inode,
                .host_pid = e->header->host_pid,
                .host_tid = e->header->host_tid,
                .uid = e->header->uid,
                .gid = e->header->gid,
                .start_ns = e->header->start_ns,
                .comm = o->comm,
                .exe = o->exe,
                .unit = isempty(o->unit) ? NULL : o->unit,
                .time_ns = e->header->time_ns + (uint64_t) w->wall_offset_ns,
                .policies = o->policies,
        };
        for (size_t i = 0; i < e->n_args; i++)
                if (e->args[i].spec && streq(e->args[i].spec->name, "pathname") && e->args[i].size > 1 &&
                    e->args[i].data[e->args[i].size - 1] == 0)
                        o->public.origin.source_path = (const char *) e->args[i].data;
        for (size_t i = 0; i < o->public.n_rules; i++) {
                o->public.origin.scopes |= UINT64_C(1) << (o->rules[i]->scope - 1);
                if (!strv_contains(o->policies, o->rules[i]->policy))
                        o->policies[n++] = o->rules[i]->policy;
        }
}

/* Fills `o` from a head whose record stands at `record`. Returns whether it is one that somebody asked for. */
static bool operation_begin(CaptureWorker *w, Operation *o, const struct sct_chunk *c, const void *record) {
        CaptureKind kind = capture_kind_from_event(c->event);
        const CaptureRuleSet *set;

        o->handler = kind >= 0 ? capture_handler(kind) : NULL;
        o->public.id = c->operation;
        o->public.head = *c;
        o->public.rules = o->rules;
        o->last_usec = now_usec(CLOCK_MONOTONIC);
        if (!o->handler || record_parse(record, c->record_size, NULL, NULL, &o->public.event) < 0)
                return false;
        set = await_set(w, o->public.event.header->generation);
        if (!set)
                return false;
        o->public.n_rules = find_rules(set, o->public.event.rules, o->public.event.header->n_banks,
                                       o->public.event.header->bank_first, kind, o->rules);
        if (o->public.n_rules == 0)
                return false;   /* its policy went meanwhile */
        set_origin(w, o, kind);
        return true;
}

/* Once a batch. */
static void counters_publish(CaptureWorker *w) {
        pthread_mutex_lock(&w->lock);
        w->counters.n_operations += w->uncounted.n_operations;
        w->counters.bytes += w->uncounted.bytes;
        w->counters.n_failed += w->uncounted.n_failed;
        pthread_mutex_unlock(&w->lock);
        w->uncounted = (CaptureCounters) {};
}

static void handle(CaptureWorker *w, Operation *o, int r) {
        if (r >= 0 || o->failed)
                return;
        o->failed = true;
        count(w, 0, 0, 1);
}

static void operation_hole(CaptureWorker *w, Operation *o, uint64_t offset, uint64_t size) {
        if (!o->failed && o->handler->hole)
                handle(w, o, o->handler->hole(w, &o->public, offset, size));
}

static void on_hole(const struct sct_hole *h, void *userdata) {
        CaptureWorker *w = userdata;
        CaptureKind kind = capture_kind_from_event(h->event);
        const CaptureHandler *handler = kind >= 0 ? capture_handler(kind) : NULL;
        Operation *o = NULL;

        pthread_mutex_lock(&w->lock);
        w->counters.n_lost_chunks++;
        w->counters.lost_bytes += h->size;
        pthread_mutex_unlock(&w->lock);
        if (h->operation != 0)
                HASH_FIND(hh, w->operations, &h->operation, sizeof(h->operation), o);
        if (o)
                operation_hole(w, o, h->offset, h->size);
        else if (h->operation != 0) {
                if (early_holes_add(&w->early_holes, h) < 0)
                        count(w, 0, 0, 1);
        } else if (handler && handler->lost)
                (void) handler->lost(w, kind, h);
}

static void operation_end(CaptureWorker *w, Operation *o, const struct sct_chunk *c) {
        if (!o->failed)
                handle(w, o, o->handler->end ? o->handler->end(w, &o->public, c) : 0);
        HASH_DELETE(hh, w->operations, o);
        operation_free(o);
}

static void on_head(CaptureWorker *w, const struct sct_chunk *c, const uint8_t *record) {
        size_t n_holes;
        _cleanup_free_ EarlyHole *holes = early_holes_take_operation(w->early_holes, c->operation, &n_holes);
        Operation *o = operation_new(w, c, record);

        if (!o || !operation_begin(w, o, c, o->record)) {
                operation_free(o);
                return;
        }
        handle(w, o, o->handler->begin ? o->handler->begin(w, &o->public) : 0);
        HASH_ADD(hh, w->operations, public.id, sizeof(o->public.id), o);
        count(w, 1, 0, 0);
        for (size_t i = 0; i < n_holes; i++)
                operation_hole(w, o, holes[i].offset, holes[i].size);
}

/* Two records say the same but for when and on which processor, and what a packet's arguments may be told of: these
 * follow behind the header and are compared too. */
static bool record_is_known(const Operation *o, const struct sct_chunk *c, const uint8_t *record) {
        const uint8_t *known = o->record;
        const size_t retval = offsetof(struct sct_record, retval), cpu = offsetof(struct sct_record, cpu);
        const size_t lost = offsetof(struct sct_record, lost), syscall = offsetof(struct sct_record, syscall);

        return o->record_size == c->record_size && memcmp(known, record, lost) == 0 &&
               memcmp(known + retval, record + retval, cpu - retval) == 0 &&
               memcmp(known + syscall, record + syscall, c->record_size - syscall) == 0;
}

/* The operation of an earlier record that says the same, made when there is none. NULL: nobody wants it. */
static Operation *find_known(CaptureWorker *w, const struct sct_chunk *c, const uint8_t *record) {
        const struct sct_record *h = (const struct sct_record *) record;
        uint64_t rules, digest;
        Operation **slot, *o;

        if (c->record_size < sizeof(*h) + sizeof(rules))
                return NULL;
        memcpy(&rules, record + c->record_size - sizeof(rules), sizeof(rules));
        digest = h->start_ns ^ rules ^ (uint64_t) h->host_tid << 32 ^ h->cgroup_id ^ (uint64_t) c->flags << 48;
        digest *= 0x9e3779b97f4a7c15ULL;
        slot = w->known + (digest >> 32) % KNOWN_MAX;
        o = *slot;
        if (o && record_is_known(o, c, record) && o->last_usec + KNOWN_USEC > w->batch_usec) {
                ((struct sct_record *) o->record)->time_ns = h->time_ns;
                o->public.origin.time_ns = h->time_ns + (uint64_t) w->wall_offset_ns;
                o->public.id = c->operation;
                o->public.head = *c;
                return o;
        }
        known_free(TAKE_PTR(*slot));
        o = operation_new(w, c, record);
        if (!o || !operation_begin(w, o, c, o->record)) {
                operation_free(o);
                return NULL;
        }
        /* Only now: a new set of rules may have come, and all known ones were forgotten. */
        *slot = o;
        return o;
}

static void on_single(CaptureWorker *w, const struct sct_chunk *c, const uint8_t *record, const uint8_t *data) {
        CaptureKind kind = capture_kind_from_event(c->event);
        const CaptureHandler *handler = kind >= 0 ? capture_handler(kind) : NULL;
        struct sct_chunk piece = *c;
        Operation *o = w->spare;

        if (handler && handler->repeats) {
                o = find_known(w, c, record);
                if (!o)
                        return;
                o->failed = false;
                handle(w, o, handler->data(w, &o->public, c, data));
                return count(w, 1, c->size, 0);
        }

        memset(&o->public, 0, sizeof(o->public));
        memset(o->policies, 0, sizeof(o->policies));
        o->failed = false;
        if (!operation_begin(w, o, c, record))
                return;
        handle(w, o, o->handler->begin ? o->handler->begin(w, &o->public) : 0);
        if (!o->failed && c->size > 0)
                handle(w, o, o->handler->data ? o->handler->data(w, &o->public, &piece, data) : 0);
        if (!o->failed)
                handle(w, o, o->handler->end ? o->handler->end(w, &o->public, &piece) : 0);
        artifact_unref(TAKE_PTR(o->public.artifact));
        count(w, 1, c->size, 0);
}

static void on_chunk(const void *sample, size_t size, void *userdata) {
        const struct sct_chunk *c = sample;
        const uint8_t *rest = (const uint8_t *) (c + 1);
        CaptureWorker *w = userdata;
        Operation *o = NULL;
        size_t at;

        /* Chunks of data stand in places of a few sizes: the sample may be longer than what it says. */
        if (size < sizeof(*c) || c->record_size > size - sizeof(*c))
                return count(w, 0, 0, 1);
        at = ALIGN8((size_t) c->record_size);
        if (c->size > 0 && (at > size - sizeof(*c) || c->size > size - sizeof(*c) - at))
                return count(w, 0, 0, 1);
        if (c->type == SCT_CHUNK_SINGLE)
                return on_single(w, c, rest, rest + at);
        if (c->type == SCT_CHUNK_HEAD)
                return on_head(w, c, rest);

        if (c->type == SCT_CHUNK_SYNC) {
                CaptureKind kind = capture_kind_from_event(c->event);
                const CaptureHandler *handler = kind >= 0 ? capture_handler(kind) : NULL;

                if (handler && handler->sync)
                        (void) handler->sync(w, c);
                return;
        }

        HASH_FIND(hh, w->operations, &c->operation, sizeof(c->operation), o);
        if (!o)
                return;         /* nobody wants it any more */
        o->last_usec = now_usec(CLOCK_MONOTONIC);
        if (c->type == SCT_CHUNK_DATA) {
                if (!o->failed)
                        handle(w, o, o->handler->data ? o->handler->data(w, &o->public, c, rest) : 0);
                count(w, 0, c->size, 0);
        } else if (c->type == SCT_CHUNK_END) {
                /* Its holes were told before its end was sent, and must be known before it is over. */
                if (c->lost > 0 || c->flags & SCT_CHUNK_FAULT)
                        kernel_artifacts_read_holes(w->ring, on_hole, w);
                operation_end(w, o, c);
        }
}

/* ---- The thread ---- */

static void tick(CaptureWorker *w, bool all) {
        uint64_t now = now_usec(CLOCK_MONOTONIC);
        Operation *o, *next;

        HASH_ITER(hh, w->operations, o, next)
                if (all || o->last_usec + ABANDONED_USEC < now) {
                        struct sct_chunk end = o->public.head;

                        end.type = SCT_CHUNK_END;
                        end.flags |= SCT_CHUNK_FAULT;
                        operation_end(w, o, &end);
                }
        for (CaptureKind k = 0; k < _CAPTURE_KIND_MAX; k++) {
                const CaptureHandler *handler = capture_handler(k);

                if (handler && handler->tick)
                        (void) handler->tick(w);
        }
        w->next_tick_usec = now_usec(CLOCK_MONOTONIC) + TICK_USEC;
}

/* Those who had asked for it before the ring was found empty are served: kinds complete what they can. */
static void serve_flush(CaptureWorker *w, uint64_t wanted) {
        pthread_mutex_lock(&w->lock);
        w->flushing = w->flush_done < wanted;
        pthread_mutex_unlock(&w->lock);
        if (!w->flushing)
                return;
        tick(w, false);
        pthread_mutex_lock(&w->lock);
        w->flushing = false;
        w->flush_done = wanted;
        pthread_cond_broadcast(&w->changed);
        pthread_mutex_unlock(&w->lock);
}

static bool is_stopping(CaptureWorker *w, uint64_t *ret_flush_wanted) {
        bool stopping;

        pthread_mutex_lock(&w->lock);
        stopping = w->stopping;
        *ret_flush_wanted = w->flush_wanted;
        pthread_mutex_unlock(&w->lock);
        return stopping;
}

static void *run(void *userdata) {
        CaptureWorker *w = userdata;

        for (;;) {
                uint64_t now = now_usec(CLOCK_MONOTONIC), wait, wanted;
                bool stopping = is_stopping(w, &wanted);
                int n;

                adopt_sets(w);
                wait = stopping || w->next_tick_usec <= now ? 0 : w->next_tick_usec - now;
                w->wall_offset_ns = wall_offset_nsec(w->wall_offset_ns);       /* a packet is quicker than the question */
                w->batch_usec = now;
                n = kernel_artifacts_read(w->ring, wait, on_chunk, on_hole, w);
                counters_publish(w);
                if (n == 0)
                        serve_flush(w, wanted);
                if (now_usec(CLOCK_MONOTONIC) >= w->next_tick_usec)
                        tick(w, false);
                if (n == 0 && stopping)
                        break;
        }
        tick(w, true);
        counters_publish(w);
        for (CaptureKind k = 0; k < _CAPTURE_KIND_MAX; k++) {
                const CaptureHandler *handler = capture_handler(k);

                if (handler && handler->stop)
                        handler->stop(w);
        }
        return NULL;
}

CaptureWorker *capture_worker_free(CaptureWorker *w) {
        if (!w)
                return NULL;
        if (w->started) {
                pthread_mutex_lock(&w->lock);
                w->stopping = true;
                pthread_cond_broadcast(&w->changed);
                pthread_mutex_unlock(&w->lock);
                kernel_artifacts_wake(w->ring);
                (void) pthread_join(w->thread, NULL);
        }
        kernel_artifacts_free(w->ring);
        forget_known(w);
        for (size_t i = 0; i < SETS_MAX; i++)
                rule_set_free(w->sets[i]);
        for (size_t i = 0; i < w->n_new_sets; i++)
                rule_set_free(w->new_sets[i]);
        free(w->spare);
        early_holes_free(w->early_holes);
        pthread_cond_destroy(&w->changed);
        pthread_mutex_destroy(&w->lock);
        free(w);
        return NULL;
}

int capture_worker_new(Kernel *kernel, Store *store, CaptureResolver resolver, void *userdata, CaptureWorker **ret) {
        _cleanup_(capture_worker_freep) CaptureWorker *w = NULL;
        int r;

        assert(kernel && store && ret);

        w = new0(CaptureWorker, 1);
        if (!w)
                return -ENOMEM;
        (void) pthread_mutex_init(&w->lock, NULL);
        (void) pthread_cond_init(&w->changed, NULL);
        w->store = store;
        w->resolver = resolver;
        w->userdata = userdata;
        w->spare = new0(Operation, 1);
        if (!w->spare)
                return -ENOMEM;
        r = kernel_artifacts_new(kernel, &w->ring);
        if (r < 0)
                return r;

        r = worker_thread_start(&w->thread, "sct-capture", run, w);
        if (r < 0)
                return r;
        w->started = true;
        *ret = TAKE_PTR(w);
        return 0;
}

int capture_worker_set_rules(CaptureWorker *w, CaptureRuleSet *set) {
        CaptureRuleSet *copy = new(CaptureRuleSet, 1);

        if (!copy)
                return -ENOMEM;
        *copy = TAKE_STRUCT(*set);
        pthread_mutex_lock(&w->lock);
        if (w->n_new_sets == SETS_MAX) {
                rule_set_free(w->new_sets[0]);
                memmove(w->new_sets, w->new_sets + 1, (SETS_MAX - 1) * sizeof(w->new_sets[0]));
                w->n_new_sets--;
        }
        w->new_sets[w->n_new_sets++] = copy;
        pthread_cond_broadcast(&w->changed);
        pthread_mutex_unlock(&w->lock);
        return 0;
}

int capture_worker_flush(CaptureWorker *w, uint64_t timeout_usec) {
        uint64_t begin = now_usec(CLOCK_MONOTONIC), wanted, used;
        struct timespec until;
        int r = 0;

        (void) clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += (time_t) (timeout_usec / USEC_PER_SEC);
        until.tv_nsec += (long) (timeout_usec % USEC_PER_SEC * NSEC_PER_USEC);
        until.tv_sec += until.tv_nsec / (long) NSEC_PER_SEC;
        until.tv_nsec %= (long) NSEC_PER_SEC;

        pthread_mutex_lock(&w->lock);
        wanted = ++w->flush_wanted;
        kernel_artifacts_wake(w->ring);
        while (w->flush_done < wanted && r == 0)
                r = pthread_cond_timedwait(&w->changed, &w->lock, &until);
        pthread_mutex_unlock(&w->lock);
        if (r != 0)
                return -r;
        used = now_usec(CLOCK_MONOTONIC) - begin;
        return store_flush(w->store, used < timeout_usec ? timeout_usec - used : 0);
}

bool capture_worker_flushing(const CaptureWorker *w) {
        return w->flushing;
}

void capture_worker_counters(CaptureWorker *w, CaptureCounters *ret) {
        KernelArtifactCounters kernel;

        kernel_artifacts_counters(w->ring, &kernel);
        pthread_mutex_lock(&w->lock);
        *ret = w->counters;
        pthread_mutex_unlock(&w->lock);
        ret->n_lost_chunks = kernel.n_lost;
        ret->lost_bytes = kernel.lost_bytes + kernel.fault_bytes;
        ret->ring_bytes = kernel.ring_bytes;
}

Store *capture_worker_store(CaptureWorker *w) {
        return w->store;
}

KernelArtifacts *capture_worker_ring(CaptureWorker *w) {
        return w->ring;
}

void **capture_worker_state(CaptureWorker *w, CaptureKind kind) {
        assert(kind >= 0 && kind < _CAPTURE_KIND_MAX);
        return w->states + kind;
}
