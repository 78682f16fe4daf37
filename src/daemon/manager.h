/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The Manager owns everything that scopetraced is: event loop, policies, scopes, the kernel handle, outputs and
 * counters. What the bus, the command line and signals may ask for stands here as plain functions. */

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#include "../kernel/kernel.h"
#include "policy-set.h"
#include "scope.h"
#include "stream.h"

/* Priorities in the loop: whoever asks is answered before more events are read. */
#define PRIORITY_SIGNAL (-20)
#define PRIORITY_BUS (-10)
#define PRIORITY_STREAM 0
#define PRIORITY_RING 10
#define PRIORITY_IDLE 100

typedef struct ManagerOptions {
        bool console;                   /* --console: no service manager; events to stdout */
        EventFormat console_format;
        EventFormatFlags console_flags;
        char **policy_paths;            /* --policy FILE|DIR; NULL: the search path */
        const char *bus_address;        /* --bus-address; NULL: the system bus */
        bool no_bus;
} ManagerOptions;

/* Told when something that others show has changed. Called right after the change (removed: right before the object
 * goes away). `m` as a whole: counters of policies, Features, state of the service. */
typedef struct ManagerListener {
        void (*on_policy_added)(LoadedPolicy *p, void *userdata);
        void (*on_policy_changed)(LoadedPolicy *p, void *userdata);
        void (*on_policy_removed)(LoadedPolicy *p, void *userdata);
        void (*on_scope_added)(Scope *s, void *userdata);
        void (*on_scope_changed)(Scope *s, void *userdata);
        void (*on_scope_removed)(Scope *s, void *userdata);
        /* `kind`: enum CaptureKind */
        void (*on_capture_added)(unsigned scope, int kind, void *userdata);
        void (*on_capture_changed)(unsigned scope, int kind, void *userdata);
        void (*on_capture_removed)(unsigned scope, int kind, void *userdata);
        void (*on_manager_changed)(Manager *m, void *userdata);
} ManagerListener;

typedef struct ManagerCounters {
        uint64_t n_events;              /* records read that matched */
        uint64_t n_lost_ring;           /* matched in the kernel and found no room in the ring */
        uint64_t n_lost_rate;           /* over a policy's rateLimit */
        uint64_t n_lost_journal;        /* journald did not take them and the retry queue was full */
        uint64_t n_lost_streams;        /* by slow readers of streams */
        uint64_t n_bad_records;         /* could not be read: never expected */
        uint64_t n_unresolved;          /* cgroup ids without a known path */
        uint64_t n_truncated;           /* arguments cut at their limit */
        uint64_t n_faults;              /* arguments that could not be read */
        uint64_t n_path_errors;
        uint64_t n_internal;
        uint64_t n_journal_entries;     /* sent */
        uint64_t n_url_requests, n_url_failed, n_url_dropped;    /* GetUrl */
        uint64_t n_dns_lookups, n_dns_failed, n_dns_dropped;     /* DnsLookup */
        uint64_t seq;                   /* next TRACE_SEQ */
        uint64_t ring_bytes, ring_used_bytes;
} ManagerCounters;

int manager_new(const ManagerOptions *options, Manager **ret);
Manager *manager_free(Manager *m);
static inline void manager_freep(Manager **m) {
        manager_free(*m);
}
/* Everything up to READY=1. */
int manager_startup(Manager *m);
int manager_loop(Manager *m);

sd_event *manager_event(Manager *m);
struct Captures *manager_captures(Manager *m);
const ManagerOptions *manager_options(const Manager *m);
Kernel *manager_kernel(Manager *m);
const FeatureSet *manager_features(const Manager *m);
void manager_set_listener(Manager *m, const ManagerListener *listener, void *userdata);

uint64_t manager_start_realtime_usec(const Manager *m);
uint64_t manager_start_monotonic_usec(const Manager *m);
uint32_t manager_generation(const Manager *m);
unsigned manager_n_hooks(const Manager *m);
void manager_counters(Manager *m, ManagerCounters *ret);
/* Events lost, for whatever reason except slow stream readers. */
uint64_t manager_n_lost(Manager *m);
/* `12 policies in 9 scopes, 1 failed; 84 hooks; 0 lost`. Static buffer, valid until the next call. */
const char *manager_status_text(Manager *m);

/* Policies, in order of the set. n_* of manager_policy_counts() may be NULL. */
LoadedPolicy *manager_policy_by_name(Manager *m, const char *name);
LoadedPolicy *manager_policy_next(Manager *m, LoadedPolicy *prev);      /* NULL starts; NULL ends */
void manager_policy_counts(Manager *m, unsigned *ret_n, unsigned *ret_n_active, unsigned *ret_n_failed);

/* How the hooks of a policy are attached. `hook` NULL: not attached. Caller frees the array. */
typedef struct ManagerHook {
        const EventSpec *spec;
        const char *hook;
} ManagerHook;
int manager_policy_hooks(Manager *m, const LoadedPolicy *p, ManagerHook **ret, size_t *ret_n);

/* NULL: no policy is assigned to this number. */
Scope *manager_scope(Manager *m, unsigned number);
Scope *manager_scope_next(Manager *m, Scope *prev);

/* Parses and compiles for this kernel; touches nothing. Problems are added, good or bad. */
int manager_check_policy(Manager *m, const char *text, ProblemList *problems);
/* Loads one document as a transient policy and makes it active. -EINVAL with problems; -EEXIST: the name is taken;
 * -EBUSY: POLICY_LOAD_EXCLUSIVE and the scope is in use; -ENOTSUP: this kernel refuses it (problems say why). */
int manager_load_policy(Manager *m, const char *text, uint64_t flags, const char *owner, LoadedPolicy **ret,
                        ProblemList *problems);
/* Transient ones only. -ENOENT; -EROFS: comes from a file (disable it instead). */
int manager_unload_policy(Manager *m, const char *name);
/* -ENOENT; -EINVAL: failed or masked policies cannot be enabled. Nothing to do is 0. */
int manager_set_policy_enabled(Manager *m, const char *name, bool enabled);
/* As the policy says, enforce or monitor; holds over reloads. -ENOENT; -EINVAL: it has nothing to enforce. */
int manager_set_policy_mode(Manager *m, const char *name, PolicyMode mode);
/* The counters of a policy's rules, brought up to date. NULL: it has none (not a TracingPolicy, or never active). */
const struct RuleCounts *manager_policy_counts_of(Manager *m, LoadedPolicy *p);
int manager_set_scope_enabled(Manager *m, unsigned number, bool enabled);
/* Reads everything again; returns when the new set is active. */
int manager_reload(Manager *m);

/* The bus layer (manager-bus.c). Connects, exports, requests the name; manager_free() calls the second. */
int manager_bus_start(Manager *m);
void manager_bus_stop(Manager *m);
/* Where the bus layer keeps its own state. */
void *manager_bus_data(const Manager *m);
void manager_set_bus_data(Manager *m, void *data);
