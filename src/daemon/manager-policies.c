/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The manager's dealings with policies: every change, wherever it comes from, takes the same way: change the set,
 * number it, compile it, make it the active generation, bring states and scopes up to date. Invariant: what the
 * kernel side judges by is always one whole generation, and a policy that cannot be part of it never keeps others
 * out. */

#include <stdio.h>
#include <stdlib.h>

#include "../basic/memory-util.h"
#include "../basic/string-util.h"
#include "../policy/hook.h"
#include "../policy/policy-parse.h"
#include "captures.h"
#include "manager-internal.h"
#include "message.h"

/* --- scopes --- */

static void scope_remove(Manager *m, unsigned number) {
        if (m->listener.on_scope_removed)
                m->listener.on_scope_removed(m->scopes[number], m->listener_userdata);
        m->scopes[number] = scope_free(m->scopes[number]);
}

/* Takes the policies that are assigned to the number now. Returns whether these are others than before. */
static int scope_assign(Manager *m, Scope *s) {
        size_t n = 0;
        bool changed = s->changed;

        for (size_t i = 0; i < m->policies.n; i++) {
                LoadedPolicy *p = m->policies.items[i];

                if (!p->policy || p->scope != s->number)
                        continue;
                if (!GREEDY_REALLOC(s->policies, s->n_policies_allocated, n + 1))
                        return -ENOMEM;
                changed = changed || n >= s->n_policies || s->policies[n] != p;
                s->policies[n++] = p;
        }
        changed = changed || n != s->n_policies;
        s->n_policies = n;
        s->changed = false;
        return changed;
}

static int update_scopes(Manager *m) {
        uint64_t used = 0;
        int r;

        for (size_t i = 0; i < m->policies.n; i++)
                if (m->policies.items[i]->policy && m->policies.items[i]->scope > 0)
                        used |= SCOPE_BIT(m->policies.items[i]->scope);

        for (unsigned number = 1; number <= SCOPE_MAX; number++) {
                bool is_new = !m->scopes[number];

                if (!(used & SCOPE_BIT(number))) {
                        if (!is_new)
                                scope_remove(m, number);
                        continue;
                }
                if (is_new) {
                        r = scope_new(m, (uint8_t) number, &m->scopes[number]);
                        if (r < 0)
                                return r;
                }
                m->scopes[number]->disabled = m->policies.disabled_scopes & SCOPE_BIT(number);
                r = scope_assign(m, m->scopes[number]);
                if (r < 0)
                        return r;
                if (is_new && m->listener.on_scope_added)
                        m->listener.on_scope_added(m->scopes[number], m->listener_userdata);
                else if (r > 0 && m->listener.on_scope_changed)
                        m->listener.on_scope_changed(m->scopes[number], m->listener_userdata);
        }
        return 0;
}

/* --- the next generation --- */

/* Why the compiler left one policy out: it says so again when asked for that one alone. */
static void explain_failure(Manager *m, const CompileInput *input, LoadedPolicy *p) {
        _cleanup_(problem_list_done) ProblemList problems = {};
        _cleanup_(plan_freep) Plan *plan = NULL;
        bool failed = false;

        p->compile_failed = true;
        (void) policy_compile(input, 1, 1, &m->features, &plan, &failed, &problems);
        if (failed)
                (void) problem_list_extend(&p->problems, &problems);
        else
                (void) problem_add(&p->problems, PROBLEM_ERROR, p->path ?: "-", 0, 0, NULL,
                                   "together with the other policies it needs more rules or conditions than one "
                                   "generation can hold; unload or disable some");
}

#define COUNT_INTERVAL_USEC USEC_PER_SEC

static int on_count(sd_event_source *source, uint64_t usec, void *userdata) {
        Manager *m = userdata;

        dispatch_count_actions(&m->dispatch);
        (void) sd_event_source_set_time_relative(source, COUNT_INTERVAL_USEC);
        return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

/* What rate limits in the kernel keep back is not told by any record: it is looked up while there are such limits. */
static void watch_rate_limits(Manager *m, const Plan *plan) {
        bool any = false;

        for (size_t i = 0; plan->actions && i < plan->n_rules; i++)
                any = any || plan->actions[i].rate_ns > 0;
        if (!any)
                m->count_source = sd_event_source_disable_unref(m->count_source);
        else if (!m->count_source && sd_event_add_time_relative(m->event, &m->count_source, CLOCK_MONOTONIC,
                                                                COUNT_INTERVAL_USEC, 0, on_count, m) < 0)
                (void) log_oom();
}

/* Compiles and applies. Policies that the compiler refuses are failed and left out. -EAGAIN: nothing was applied, since
 * one of these has an older version that goes on in its place. */
static int try_apply(Manager *m, const CompileInput *inputs, LoadedPolicy *const *policies, size_t n, char **reterr) {
        _cleanup_(problem_list_done) ProblemList problems = {};
        _cleanup_(rule_map_freep) RuleMap *map = NULL;
        _cleanup_(plan_freep) Plan *plan = NULL;
        _cleanup_free_ bool *failed = NULL;
        bool go_back = false;
        int r;

        failed = new0(bool, n + 1);
        if (!failed)
                return -ENOMEM;
        r = policy_compile(inputs, n, kernel_generation(m->kernel) + 1, &m->features, &plan, failed, &problems);
        if (r < 0)
                return r;
        for (size_t i = 0; i < n; i++)
                if (failed[i] && !policies[i]->compile_failed) {
                        explain_failure(m, &inputs[i], policies[i]);
                        go_back = go_back || policy_can_go_back(policies[i]);
                }
        if (go_back)
                return -EAGAIN;
        r = rule_map_new(plan, policies, n, &map);
        if (r < 0)
                return r;

        /* What the old generation lost, and did, is told by its own numbers. */
        dispatch_account_losses(&m->dispatch);
        dispatch_count_actions(&m->dispatch);
        r = capture_feed_prepare(m->capture_feed, plan);
        if (r < 0)
                return r;
        r = kernel_apply(m->kernel, plan, reterr);
        if (r < 0)
                return r;
        r = capture_feed_applied(m->capture_feed);
        if (r < 0)
                log_error_errno(r, "Captures cannot be kept: %m");
        dispatch_push_map(&m->dispatch, TAKE_PTR(map));
        watch_rate_limits(m, plan);
        return 0;
}

/* The kernel refused the set as a whole: those that were active stay, the others are tried one after the other. */
static int apply_one_by_one(Manager *m, CompileInput *inputs, LoadedPolicy **policies, size_t n) {
        size_t n_taken = 0;
        int r;

        for (unsigned pass = 0; pass < 2; pass++)
                for (size_t i = n_taken; i < n; i++) {
                        _cleanup_free_ char *error = NULL;
                        CompileInput input = inputs[i];
                        LoadedPolicy *p = policies[i];

                        if (p->compile_failed || (pass == 0 && p->state != POLICY_ACTIVE))
                                continue;
                        inputs[i] = inputs[n_taken];
                        policies[i] = policies[n_taken];
                        inputs[n_taken] = input;
                        policies[n_taken] = p;
                        r = try_apply(m, inputs, policies, n_taken + 1, &error);
                        if (r == -ENOMEM)
                                return r;
                        if (r >= 0) {
                                n_taken++;
                                continue;
                        }
                        p->compile_failed = true;
                        (void) problem_add(&p->problems, PROBLEM_ERROR, p->path ?: "-", 0, 0, NULL,
                                           "the kernel refused it: %s", error ?: strerror(-r));
                }
        /* The last attempt may have failed: go back to what is known to work. */
        return try_apply(m, inputs, policies, n_taken, NULL);
}

static void update_states(Manager *m) {
        for (size_t i = 0; i < m->policies.n; i++) {
                LoadedPolicy *p = m->policies.items[i];
                PolicyState state = POLICY_ACTIVE;

                if (!p->policy)
                        state = p->problems.n_errors > 0 ? POLICY_FAILED : POLICY_MASKED;
                else if (p->disabled || (p->scope > 0 && (m->policies.disabled_scopes & SCOPE_BIT(p->scope))))
                        state = POLICY_DISABLED;
                else if (p->compile_failed)
                        state = POLICY_FAILED;
                policy_set_state(&m->policies, p, state);
        }
}

static void store_state(Manager *m) {
        _cleanup_(buffer_done) Buffer state = {};
        const SavedCapture *captures;
        size_t n_captures;
        int r;

        captures = captures_runtime(m->captures, &n_captures);
        r = state_save(&m->policies, &m->dispatch.maps, captures, n_captures, &state);
        if (r >= 0)
                r = fd_store_update(m->fd_store, m->kernel, &state);
        if (r < 0)
                log_warning_errno(r, "Cannot keep state over a restart: %m");
}

static int apply_set(Manager *m) {
        _cleanup_free_ CompileInput *inputs = NULL;
        _cleanup_free_ LoadedPolicy **policies = NULL;
        _cleanup_free_ char *error = NULL;
        size_t n = 0;
        int r;

        r = policy_set_number(&m->policies);
        if (r < 0)
                return r;
        r = captures_derive(m->captures, &m->policies);
        if (r < 0)
                return r;
        r = policy_set_select(&m->policies, &m->features, &inputs, &policies, &n);
        if (r < 0)
                return r;
        for (size_t i = 0; i < m->policies.n; i++)
                if (policy_can_go_back(m->policies.items[i]))
                        return -EAGAIN;
        r = try_apply(m, inputs, policies, n, &error);
        if (r < 0 && !IN_SET(r, -ENOMEM, -EAGAIN) && n > 0) {
                log_debug_errno(r, "The kernel refused the policy set: %s", error ?: strerror(-r));
                r = apply_one_by_one(m, inputs, policies, n);
        }
        if (r < 0 && r != -EAGAIN)
                log_error_errno(r, "Cannot make the policy set active, the old one goes on: %s", error ?: strerror(-r));
        return r;
}

static int apply(Manager *m) {
        _cleanup_(kernel_types_unrefp) KernelTypes *types = kernel_types_ref();
        int r;

        do
                r = apply_set(m);
        while (policy_set_go_back(&m->policies));
        update_states(m);
        if (update_scopes(m) < 0)
                r = log_oom();
        captures_announce(m->captures);
        store_state(m);
        manager_notify_status(m);
        if (m->listener.on_manager_changed)
                m->listener.on_manager_changed(m, m->listener_userdata);
        return r;
}

int manager_apply(Manager *m) {
        int r = apply(m);

        /* Compiling and loading take megabytes that nothing needs until the next time. */
        memory_give_back();
        return r;
}

/* --- what is wrong with them --- */

static bool same_problem(const Problem *a, const Problem *b) {
        return a->line == b->line && a->column == b->column && streq_ptr(a->path, b->path) &&
               streq_ptr(a->message, b->message);
}

/* A file's problems stand at each of its policies, and are said once. */
static bool said_before(Manager *m, size_t index, const Problem *q) {
        for (size_t i = 0; i < index; i++)
                for (size_t j = 0; j < m->policies.items[i]->problems.n; j++)
                        if (same_problem(&m->policies.items[i]->problems.items[j], q))
                                return true;
        return false;
}

void manager_log_problems(Manager *m, const LoadedPolicy *only) {
        for (size_t i = 0; i < m->policies.n; i++) {
                const LoadedPolicy *p = m->policies.items[i];

                if (only && p != only)
                        continue;
                for (size_t j = 0; j < p->problems.n; j++) {
                        const Problem *q = &p->problems.items[j];

                        if (only || !said_before(m, i, q))
                                message_problem(MESSAGE_POLICY_REFUSED,
                                                q->severity == PROBLEM_ERROR ? LOG_ERR : LOG_WARNING, p->name, q);
                }
                if (p->stale) {
                        MessageFields f = {};

                        message_add(&f, "POLICY=%s", p->name);
                        message_add(&f, "POLICY_FILE=%s", p->path);
                        message_send(MESSAGE_POLICY_STALE, LOG_WARNING, &f,
                                     "%s: The policy %s goes on in its last good version.", p->path, p->name);
                }
        }
}

/* --- the start, and what the set tells --- */

static void on_policy_added(LoadedPolicy *p, void *userdata) {
        Manager *m = userdata;

        if (m->listener.on_policy_added)
                m->listener.on_policy_added(p, m->listener_userdata);
}

static void on_policy_changed(LoadedPolicy *p, void *userdata) {
        Manager *m = userdata;

        if (m->listener.on_policy_changed)
                m->listener.on_policy_changed(p, m->listener_userdata);
}

static void forget_policy(Manager *m, const LoadedPolicy *p) {
        for (size_t i = 0; i < RULE_MAPS_MAX; i++)
                if (m->dispatch.maps.maps[i])
                        rule_map_forget_policy(m->dispatch.maps.maps[i], p);
        for (unsigned number = 1; number <= SCOPE_MAX; number++) {
                Scope *s = m->scopes[number];

                for (size_t i = 0; s && i < s->n_policies; i++)
                        if (s->policies[i] == p) {
                                memmove(s->policies + i, s->policies + i + 1,
                                        (s->n_policies - i - 1) * sizeof(s->policies[0]));
                                s->n_policies--;
                                s->changed = true;
                                break;
                        }
        }
}

static void on_policy_removed(LoadedPolicy *p, void *userdata) {
        Manager *m = userdata;

        forget_policy(m, p);
        if (m->listener.on_policy_removed)
                m->listener.on_policy_removed(p, m->listener_userdata);
}

int manager_policies_start(Manager *m, const SavedState *saved) {
        int r;

        m->policies.handlers = (PolicySetHandlers) {
                .on_added = on_policy_added,
                .on_changed = on_policy_changed,
                .on_removed = on_policy_removed,
        };
        m->policies.userdata = m;

        r = policy_set_read(&m->policies, m->root, m->options.policy_paths);
        if (r < 0)
                return r;
        r = state_restore(saved, &m->policies);
        if (r >= 0)
                r = captures_restore(m->captures, saved);
        if (r < 0)
                return r;
        r = manager_apply(m);
        manager_log_problems(m, NULL);
        return r;
}

void manager_policies_done(Manager *m) {
        for (unsigned number = 1; number <= SCOPE_MAX; number++)
                m->scopes[number] = scope_free(m->scopes[number]);
        policy_set_done(&m->policies);
}

/* --- asked from outside --- */

LoadedPolicy *manager_policy_by_name(Manager *m, const char *name) {
        return policy_set_find(&m->policies, name);
}

LoadedPolicy *manager_policy_next(Manager *m, LoadedPolicy *prev) {
        if (!prev)
                return m->policies.n > 0 ? m->policies.items[0] : NULL;
        for (size_t i = 0; i + 1 < m->policies.n; i++)
                if (m->policies.items[i] == prev)
                        return m->policies.items[i + 1];
        return NULL;
}

void manager_policy_counts(Manager *m, unsigned *ret_n, unsigned *ret_n_active, unsigned *ret_n_failed) {
        unsigned n = 0, n_active = 0, n_failed = 0;

        for (size_t i = 0; i < m->policies.n; i++) {
                n++;
                n_active += m->policies.items[i]->state == POLICY_ACTIVE;
                n_failed += m->policies.items[i]->state == POLICY_FAILED || m->policies.items[i]->stale;
        }
        if (ret_n)
                *ret_n = n;
        if (ret_n_active)
                *ret_n_active = n_active;
        if (ret_n_failed)
                *ret_n_failed = n_failed;
}

typedef struct HookList {
        ManagerHook *items;
        size_t n, n_allocated;
} HookList;

static int list_hook(Manager *m, const LoadedPolicy *p, const EventSpec *spec, HookList *l) {
        for (size_t i = 0; i < l->n; i++)
                if (l->items[i].spec == spec)
                        return 0;
        if (!GREEDY_REALLOC(l->items, l->n_allocated, l->n + 1))
                return -ENOMEM;
        l->items[l->n++] = (ManagerHook) {
                .spec = spec,
                .hook = p->state == POLICY_ACTIVE ? kernel_event_hook(m->kernel, spec) : NULL,
        };
        return 0;
}

int manager_policy_hooks(Manager *m, const LoadedPolicy *p, ManagerHook **ret, size_t *ret_n) {
        HookList l = {};
        int r = 0;

        for (size_t i = 0; r >= 0 && p->policy && i < p->policy->n_rules; i++) {
                const PolicyRule *rule = p->policy->rules + i;

                /* A hook on a list of calls is as many events. */
                for (size_t k = 0; r >= 0 && rule->hook && k < rule->hook->n_members; k++)
                        r = list_hook(m, p, &rule->hook->members[k].spec, &l);
                for (size_t k = 0; r >= 0 && k < rule->n_events && !(rule->hook && rule->hook->n_members > 0); k++)
                        r = list_hook(m, p, rule->events[k].spec, &l);
        }
        if (r < 0) {
                free(l.items);
                return r;
        }
        *ret = l.items;
        *ret_n = l.n;
        return 0;
}

Scope *manager_scope(Manager *m, unsigned number) {
        return number >= 1 && number <= SCOPE_MAX ? m->scopes[number] : NULL;
}

Scope *manager_scope_next(Manager *m, Scope *prev) {
        for (unsigned number = prev ? prev->number + 1U : 1; number <= SCOPE_MAX; number++)
                if (m->scopes[number])
                        return m->scopes[number];
        return NULL;
}

int manager_check_compiled(Manager *m, Policy *policy, ProblemList *problems) {
        CompileInput input = {
                .policy = policy,
                .scope = policy->scope ?: 1,
                .follow_slot = 0,
        };
        _cleanup_(plan_freep) Plan *plan = NULL;
        bool failed = false;
        int r;

        r = policy_check_features(policy, &m->features, problems);
        if (r < 0)
                return r == -ENOTSUP ? 0 : r;
        return policy_compile(&input, 1, 1, &m->features, &plan, &failed, problems);
}

int manager_check_policy(Manager *m, const char *text, ProblemList *problems) {
        Policy **policies = NULL;
        size_t n = 0;
        int r;

        r = policy_parse(text, strlen(text), "-", &policies, &n, problems);
        for (size_t i = 0; i < n; i++) {
                if (r >= 0)
                        r = manager_check_compiled(m, policies[i], problems);
                policy_unref(policies[i]);
        }
        free(policies);
        return r;
}

int manager_load_policy(Manager *m, const char *text, uint64_t flags, const char *owner, LoadedPolicy **ret,
                        ProblemList *problems) {
        LoadedPolicy *p;
        int r;

        if (flags & ~(uint64_t) _POLICY_LOAD_ALL)
                return -EINVAL;
        r = policy_set_add_transient(&m->policies, text, flags, owner, &p, problems);
        if (r < 0)
                return r;

        r = manager_apply(m);
        if (r >= 0 && p->compile_failed)
                r = -ENOTSUP;
        if (r < 0) {
                (void) problem_list_extend(problems, &p->problems);
                policy_set_remove(&m->policies, p);
                (void) manager_apply(m);
                return r;
        }
        manager_log_problems(m, p);
        *ret = p;
        return 0;
}

int manager_unload_policy(Manager *m, const char *name) {
        LoadedPolicy *p = policy_set_find(&m->policies, name);

        if (!p)
                return -ENOENT;
        if (p->path)
                return -EROFS;
        policy_set_remove(&m->policies, p);
        return manager_apply(m);
}

int manager_set_policy_enabled(Manager *m, const char *name, bool enabled) {
        LoadedPolicy *p = policy_set_find(&m->policies, name);

        if (!p)
                return -ENOENT;
        if (!p->policy || (enabled && p->state == POLICY_FAILED))
                return -EINVAL;
        if (p->disabled == !enabled)
                return 0;
        p->disabled = !enabled;
        return manager_apply(m);
}

int manager_set_policy_mode(Manager *m, const char *name, PolicyMode mode) {
        LoadedPolicy *p = policy_set_find(&m->policies, name);
        bool enforces = false;
        int r;

        if (!p)
                return -ENOENT;
        for (size_t i = 0; p->policy && i < p->policy->n_rules; i++)
                enforces = enforces || rule_enforces(p->policy->rules + i);
        if (!enforces)
                return -EINVAL;
        if (p->mode == mode)
                return 0;
        p->mode = mode;
        r = manager_apply(m);
        on_policy_changed(p, m);
        return r;
}

const RuleCounts *manager_policy_counts_of(Manager *m, LoadedPolicy *p) {
        if (!p->policy || p->policy->n_hooks == 0 || !m->kernel)
                return NULL;
        dispatch_count_actions(&m->dispatch);
        return loaded_policy_counts(p, 0);
}

int manager_set_scope_enabled(Manager *m, unsigned number, bool enabled) {
        Scope *s = manager_scope(m, number);

        if (!s)
                return -ENOENT;
        if (s->disabled == !enabled)
                return 0;
        if (enabled)
                m->policies.disabled_scopes &= ~SCOPE_BIT(number);
        else
                m->policies.disabled_scopes |= SCOPE_BIT(number);
        s->disabled = !enabled;
        if (m->listener.on_scope_changed)
                m->listener.on_scope_changed(s, m->listener_userdata);
        return manager_apply(m);
}
