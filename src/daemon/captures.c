/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Captures as the manager sees them. The store belongs to this file: where it is, when it is opened, its limits. Captures
 * that were started at run time are kept per scope and become part of the scope's policies before each plan: a policy that
 * is in force is then a derived one, and goes back to what its document says when the capture is stopped. What artifacts and
 * losses are told stands in capture-log.c. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "../basic/string-util.h"
#include "../policy/policy-derive.h"
#include "capture-log.h"
#include "captures.h"
#include "manager-internal.h"
#include "message.h"

/* At the end: for digests of what was completed last. */
#define FLUSH_USEC (10 * USEC_PER_SEC)
#define STATE_DIRECTORY "/var/lib/scopetrace"

struct Captures {
        Manager *manager;
        char *directory;
        Store *store;
        CaptureLog *log;
        ArtifactJob *jobs;

        SavedCapture *items;
        size_t n, n_allocated;
        bool open_failed;
        unsigned version;               /* of items: what a policy was derived from */
        uint64_t present[_CAPTURE_KIND_MAX];    /* by kind: scopes; what the listener knows */
};

static int find_directory(const Manager *m, char **ret) {
        const char *state = secure_getenv("STATE_DIRECTORY");
        _cleanup_free_ char *first = NULL;

        if (m->config.capture_directory) {
                *ret = strdup(m->config.capture_directory);
                return *ret ? 0 : -ENOMEM;
        }
        first = state ? strndup(state, strcspn(state, ":")) : strjoin(strempty(m->root), STATE_DIRECTORY);
        if (!first)
                return -ENOMEM;
        *ret = strjoin(first, "/captures");
        return *ret ? 0 : -ENOMEM;
}

int captures_new(Manager *m, Captures **ret) {
        _cleanup_(captures_freep) Captures *c = NULL;
        int r;

        c = new0(Captures, 1);
        if (!c)
                return -ENOMEM;
        c->manager = m;
        r = find_directory(m, &c->directory);
        if (r < 0)
                return r;
        r = capture_log_new(m->event, &c->log);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(c);
        return 0;
}

void captures_stop(Captures *c) {
        if (!c->store)
                return;
        artifact_jobs_cancel(&c->jobs);
        (void) store_flush(c->store, FLUSH_USEC);
        store_set_handler(c->store, NULL, NULL);
        store_set_trouble_handler(c->store, NULL, NULL);
        capture_log_set_store(c->log, NULL);
        c->store = store_close(c->store);
}

static void runtime_done(SavedCapture *i) {
        strv_free(i->expressions);
}

Captures *captures_free(Captures *c) {
        if (!c)
                return NULL;
        if (c->log)
                captures_stop(c);
        capture_log_free(c->log);
        for (size_t i = 0; i < c->n; i++)
                runtime_done(&c->items[i]);
        free(c->items);
        free(c->directory);
        free(c);
        return NULL;
}

/* --- the store --- */

static StoreConfig store_config(const Captures *c, bool clear) {
        const Config *config = &c->manager->config;

        return (StoreConfig) {
                .directory = c->directory,
                .max_bytes = config->capture_max_use,
                .max_artifact_bytes = config->capture_max_artifact,
                .max_artifacts = config->capture_max_artifacts,
                .max_age_usec = config->capture_max_age_usec,
                .keep_free_bytes = config->capture_keep_free,
                .full = config->capture_when_full,
                .clear = clear,
        };
}

static int open_store(Captures *c) {
        StoreConfig config = store_config(c, c->manager->config.capture_clear);
        int r;

        r = store_open(&config, &c->store);
        if (r == -EPERM)
                return log_error_errno(r, "%s belongs to somebody else, or everybody may write to it: artifacts are not kept "
                                          "there. Change it, or set CaptureDirectory=.", c->directory);
        if (r < 0)
                return log_error_errno(r, "Cannot keep artifacts in %s: %m", c->directory);
        capture_log_set_store(c->log, c->store);
        return 0;
}

int captures_start(Captures *c) {
        struct stat st;

        if (c->store || stat(c->directory, &st) < 0 || !S_ISDIR(st.st_mode))
                return 0;
        return open_store(c);
}

int captures_need_store(Captures *c, Store **ret) {
        int r;

        if (!c->store) {
                r = open_store(c);
                if (r < 0)
                        return r;
        }
        *ret = c->store;
        return 0;
}

Store *captures_store(Captures *c) {
        return c->store;
}

void captures_configure(Captures *c) {
        StoreConfig config = store_config(c, false);

        if (c->store)
                (void) store_configure(c->store, &config);
}

/* --- captures that were started at run time --- */

static SavedCapture *find_runtime(Captures *c, unsigned scope, CaptureKind kind) {
        for (size_t i = 0; i < c->n; i++)
                if (c->items[i].scope == scope && c->items[i].kind == kind)
                        return &c->items[i];
        return NULL;
}

static void remove_runtime(Captures *c, SavedCapture *i) {
        runtime_done(i);
        *i = c->items[--c->n];
        c->version++;
}

const SavedCapture *captures_runtime(const Captures *c, size_t *ret_n) {
        *ret_n = c->n;
        return c->items;
}

/* Takes the expressions. */
static int set_runtime(Captures *c, unsigned scope, CaptureKind kind, char **expressions) {
        SavedCapture *i = find_runtime(c, scope, kind);

        if (i)
                runtime_done(i);
        else {
                if (!GREEDY_REALLOC(c->items, c->n_allocated, c->n + 1))
                        return -ENOMEM;
                i = &c->items[c->n++];
        }
        *i = (SavedCapture) { .scope = (uint8_t) scope, .kind = kind, .expressions = expressions };
        c->version++;
        return 0;
}

int captures_restore(Captures *c, const SavedState *saved) {
        for (size_t i = 0; i < saved->n_captures; i++) {
                char **l = strv_copy(saved->captures[i].expressions);
                int r;

                r = l ? set_runtime(c, saved->captures[i].scope, saved->captures[i].kind, l) : -ENOMEM;
                if (r < 0) {
                        strv_free(l);
                        return r;
                }
        }
        return 0;
}

static int collect_expressions(Captures *c, unsigned scope, char ***ret) {
        _cleanup_strv_free_ char **l = NULL;

        for (size_t i = 0; i < c->n; i++)
                if (c->items[i].scope == scope)
                        STRV_FOREACH(e, c->items[i].expressions) {
                                int r = strv_extend(&l, *e);

                                if (r < 0)
                                        return r;
                        }
        *ret = TAKE_PTR(l);
        return 0;
}

static void replace_policy(LoadedPolicy *p, Policy *policy) {
        if (p->good == p->policy) {
                policy_unref(p->good);
                p->good = policy_ref(policy);
        }
        policy_unref(p->policy);
        p->policy = policy_ref(policy);
}

static int derive_one(Captures *c, LoadedPolicy *p) {
        _cleanup_strv_free_ char **more = NULL;
        _cleanup_(policy_unrefp) Policy *derived = NULL;
        _cleanup_free_ char *error = NULL;
        bool is_derived = p->plain && p->policy == p->derived;
        Policy *plain;
        int r;

        if (is_derived && p->derived_version == c->version && p->derived_scope == p->scope)
                return 0;
        if (!is_derived && p->plain) {          /* read again meanwhile */
                p->plain = policy_unref(p->plain);
                p->derived = policy_unref(p->derived);
        }
        if (!p->policy || p->scope == 0 || p->stale)
                return 0;

        r = collect_expressions(c, p->scope, &more);
        if (r < 0)
                return r;
        plain = is_derived ? p->plain : p->policy;
        if (!more || !policy_can_capture(plain)) {
                if (is_derived) {
                        replace_policy(p, plain);
                        p->plain = policy_unref(p->plain);
                        p->derived = policy_unref(p->derived);
                }
                return 0;
        }
        r = policy_derive(plain, more, &derived, &error);
        if (r == -ENOMEM)
                return r;
        if (r < 0) {    /* was good when it was started: another policy came to the scope */
                log_warning("Policy '%s' goes without what is captured for scope %u: %s", p->name, p->scope,
                            error ?: strerror(-r));
                return 0;
        }
        if (!is_derived)
                p->plain = policy_ref(plain);
        replace_policy(p, derived);
        policy_unref(p->derived);
        p->derived = policy_ref(derived);
        p->derived_version = c->version;
        p->derived_scope = p->scope;
        return 0;
}

int captures_derive(Captures *c, PolicySet *set) {
        int r;

        for (size_t i = 0; i < set->n; i++) {
                r = derive_one(c, set->items[i]);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* --- what there is --- */

ArtifactKind capture_artifact_kind(CaptureKind k) {
        static const ArtifactKind kinds[_CAPTURE_KIND_MAX] = {
                [CAPTURE_WRITE] = ARTIFACT_WRITE,
                [CAPTURE_READ] = ARTIFACT_READ,
                [CAPTURE_EXEC] = ARTIFACT_EXEC,
                [CAPTURE_MEM] = ARTIFACT_MEM,
                [CAPTURE_NETWORK] = ARTIFACT_PCAP,
                [CAPTURE_MODULE] = ARTIFACT_MODULE,
        };

        return kinds[k];
}

static bool policy_captures(const Policy *p, CaptureKind kind) {
        for (size_t i = 0; p && p->captures && i < p->captures->n; i++)
                if (p->captures->items[i].kind == kind)
                        return true;
        return false;
}

/* By its document, without what was started at run time. */
static bool asks_itself(const LoadedPolicy *p, CaptureKind kind) {
        return policy_captures(p->plain && p->policy == p->derived ? p->plain : p->policy, kind);
}

static bool is_active(Captures *c, unsigned scope, CaptureKind kind) {
        Scope *s = c->manager->scopes[scope];

        for (size_t i = 0; s && i < s->n_policies; i++)
                if (s->policies[i]->state == POLICY_ACTIVE && policy_captures(s->policies[i]->policy, kind))
                        return true;
        return false;
}

void capture_info_done(CaptureInfo *info) {
        strv_free(info->policies);
        strv_free(info->expressions);
        *info = (CaptureInfo) {};
}

bool captures_get(Captures *c, unsigned scope, CaptureKind kind, CaptureInfo *ret) {
        SavedCapture *runtime;
        CaptureInfo info = { .scope = (uint8_t) scope, .kind = kind };
        Scope *s;

        if (scope < 1 || scope > SCOPE_MAX || kind < 0 || kind >= _CAPTURE_KIND_MAX || !is_active(c, scope, kind))
                return false;
        if (!ret)
                return true;
        (void) snprintf(info.id, sizeof(info.id), "%u-%s", scope, capture_kind_to_string(kind));
        s = c->manager->scopes[scope];
        for (size_t i = 0; i < s->n_policies; i++)
                if (s->policies[i]->state == POLICY_ACTIVE && asks_itself(s->policies[i], kind)) {
                        info.by_policy = true;
                        (void) strv_extend(&info.policies, s->policies[i]->name);
                }
        runtime = find_runtime(c, scope, kind);
        if (runtime) {
                info.at_run_time = true;
                info.expressions = strv_copy(runtime->expressions);
        }
        if (c->store)
                store_usage(c->store, capture_artifact_kind(kind), scope, &info.usage);
        *ret = info;
        return true;
}

bool captures_next(Captures *c, CaptureIterator *i, CaptureInfo *ret) {
        for (; i->scope <= SCOPE_MAX; i->scope++, i->kind = -1)
                while (++i->kind < _CAPTURE_KIND_MAX)
                        if (captures_get(c, i->scope, i->kind, ret))
                                return true;
        return false;
}

unsigned captures_count(Captures *c) {
        CaptureIterator i = CAPTURE_ITERATOR_FIRST;
        unsigned n = 0;

        while (captures_next(c, &i, NULL))
                n++;
        return n;
}

void captures_counters(Captures *c, StoreCounters *ret_store, CaptureCounters *ret_worker) {
        CaptureFeed *feed = c->manager->capture_feed;
        CaptureWorker *worker = feed ? capture_feed_worker(feed) : NULL;

        *ret_store = (StoreCounters) {};
        *ret_worker = (CaptureCounters) {};
        if (c->store)
                store_counters(c->store, ret_store);
        if (worker)
                capture_worker_counters(worker, ret_worker);
}

ArtifactJob **captures_jobs(Captures *c) {
        return &c->jobs;
}

bool captures_is_announced(const Captures *c, unsigned scope, CaptureKind kind) {
        return c->present[kind] & SCOPE_BIT(scope);
}

void captures_announce(Captures *c) {
        Manager *m = c->manager;
        Store *store;

        if (!c->store && !c->open_failed && captures_count(c) > 0)
                c->open_failed = captures_need_store(c, &store) < 0;    /* said once; StartCapture() tries again */

        for (CaptureKind kind = 0; kind < _CAPTURE_KIND_MAX; kind++)
                for (unsigned scope = 1; scope <= SCOPE_MAX; scope++) {
                        bool was = c->present[kind] & SCOPE_BIT(scope), is = is_active(c, scope, kind);

                        if (is && !was) {
                                c->present[kind] |= SCOPE_BIT(scope);
                                if (m->listener.on_capture_added)
                                        m->listener.on_capture_added(scope, kind, m->listener_userdata);
                        } else if (was && !is) {
                                if (m->listener.on_capture_removed)
                                        m->listener.on_capture_removed(scope, kind, m->listener_userdata);
                                c->present[kind] &= ~SCOPE_BIT(scope);
                        } else if (is && m->listener.on_capture_changed)
                                m->listener.on_capture_changed(scope, kind, m->listener_userdata);
                }
}

/* --- asked from outside --- */

/* Those of one kind. What means nothing alone (pcap-snaplen:) goes with packets. */
static int expressions_of_kind(char *const *expressions, CaptureKind kind, char ***ret) {
        _cleanup_strv_free_ char **l = NULL;

        STRV_FOREACH(i, expressions) {
                _cleanup_(capture_spec_list_done) CaptureSpecList one = {};
                char *single[] = { *i, NULL };
                _cleanup_free_ char *error = NULL;
                size_t index = 0;
                int r;

                r = capture_spec_parse(single, &one, &index, &error);
                if (r == -ENOMEM)
                        return r;
                if ((r < 0 || one.n == 0 ? CAPTURE_NETWORK : one.items[0].kind) != kind)
                        continue;
                r = strv_extend(&l, *i);
                if (r < 0)
                        return r;
        }
        *ret = TAKE_PTR(l);
        return 0;
}

/* Whether the kernel and the compiler take each policy of the scope with it, before anything changes. */
static int try_policies(Captures *c, const Scope *s, char *const *more, char **reterr) {
        unsigned n_tried = 0;
        int r;

        for (size_t i = 0; i < s->n_policies; i++) {
                _cleanup_(problem_list_done) ProblemList problems = {};
                _cleanup_(policy_unrefp) Policy *derived = NULL;
                LoadedPolicy *p = s->policies[i];

                if (!p->policy || p->stale || p->state != POLICY_ACTIVE || !policy_can_capture(p->policy))
                        continue;
                r = policy_derive(p->policy, more, &derived, reterr);
                if (r < 0)
                        return r;
                r = manager_check_compiled(c->manager, derived, &problems);
                if (r < 0 || problems.n_errors > 0) {
                        for (size_t j = 0; j < problems.n && !*reterr; j++)
                                if (problems.items[j].severity == PROBLEM_ERROR)
                                        *reterr = strdup(problems.items[j].message);
                        return r < 0 ? r : -ENOTSUP;
                }
                n_tried++;
        }
        if (n_tried > 0)
                return 0;
        *reterr = strdup("No active policy of this scope can capture at run time: it needs a ScopePolicy or a Policy; a "
                         "TracingPolicy cannot.");
        return -EOPNOTSUPP;
}

int captures_begin(Captures *c, unsigned scope, CaptureKind kind, char *const *expressions, char **reterr) {
        _cleanup_(capture_spec_list_done) CaptureSpecList specs = {};
        Scope *s = manager_scope(c->manager, scope);
        size_t index = 0;
        Store *store;
        int r;

        if (!s)
                return -ENXIO;
        r = capture_spec_parse(expressions, &specs, &index, reterr);
        if (r < 0)
                return r;
        if (specs.directory || specs.clear_dir) {
                *reterr = strdup("The directory of artifacts is set by CaptureDirectory= in scopetraced.conf; leave dir: and "
                                 "clear-dir out.");
                return -EINVAL;
        }
        for (size_t i = 0; i < specs.n; i++)
                if (kind >= 0 && specs.items[i].kind != kind) {
                        (void) asprintf(reterr, "The expressions ask for %s, not only %s; start one kind after the other.",
                                        capture_kind_to_string(specs.items[i].kind), capture_kind_to_string(kind));
                        return -EINVAL;
                }
        if (specs.n == 0) {
                *reterr = strdup("Nothing is asked for; name what to capture: write, read, exec, mem, network or module.");
                return -EINVAL;
        }
        r = try_policies(c, s, expressions, reterr);
        if (r < 0)
                return r;
        r = captures_need_store(c, &store);
        if (r < 0)
                return r;

        for (size_t i = 0; i < specs.n; i++) {
                char **l = NULL;

                r = expressions_of_kind(expressions, specs.items[i].kind, &l);
                if (r >= 0)
                        r = set_runtime(c, scope, specs.items[i].kind, l);
                if (r < 0) {
                        strv_free(l);
                        return r;
                }
        }
        return manager_apply(c->manager);
}

int captures_end(Captures *c, unsigned scope, CaptureKind kind, char **reterr) {
        SavedCapture *i;

        if (!manager_scope(c->manager, scope))
                return -ENXIO;
        i = find_runtime(c, scope, kind);
        if (!i) {
                _cleanup_(capture_info_done) CaptureInfo info = {};

                if (!captures_get(c, scope, kind, &info)) {
                        (void) asprintf(reterr, "Scope %u does not capture %s.", scope, capture_kind_to_string(kind));
                        return -ENOENT;
                }
                (void) asprintf(reterr, "That scope %u captures %s is asked for by policy '%s': change or disable it.", scope,
                                capture_kind_to_string(kind), info.policies ? info.policies[0] : "?");
                return -EROFS;
        }
        remove_runtime(c, i);
        return manager_apply(c->manager);
}
