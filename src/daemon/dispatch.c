/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The way of one record: parse, number, whose it is, rate limits, subject, outputs. Invariants: every event that
 * matched in the kernel takes one number of the sequence, whether it arrives or is lost, and every number that
 * reaches no output is reported by loss.c; nothing here allocates per event or waits. */

#include <stdlib.h>
#include <syslog.h>

#include "../basic/macro.h"
#include "../basic/string-util.h"
#include "build-id.h"
#include "dispatch.h"

void dispatch_done(Dispatch *d) {
        rule_map_ring_done(&d->maps);
        free(d->lost_by_rule);
        free(d->names);
        stack_resolver_free(d->stacks);
}

void dispatch_push_map(Dispatch *d, RuleMap *m) {
        d->map = NULL;
        rule_map_ring_push(&d->maps, m);
}

static const EventSpec *lookup_hook(uint16_t id, void *userdata) {
        Dispatch *d = userdata;

        return d->map ? rule_map_hook(d->map, id) : NULL;
}

static void count_lost(Dispatch *d, uint64_t scopes, uint64_t n) {
        for (; scopes; scopes &= scopes - 1) {
                Scope *s = d->scopes[__builtin_ctzll(scopes) + 1];

                if (s)
                        s->n_lost += n;
        }
}

/* The count in the record says where in the stream events are missing: they get their numbers before this one. */
static void account_ring_losses(Dispatch *d, uint32_t lost) {
        uint32_t n = lost - d->lost_seen;
        uint64_t first;

        /* Records of several processors: an older count behind a newer one. */
        if (n == 0 || n > UINT32_MAX / 2)
                return;
        d->lost_seen = lost;
        d->n_lost_ring += n;
        first = kernel_next_seq(d->kernel, n);
        loss_log_add(d->losses, LOSS_RING, n, 0, first, first + n - 1);
}

static void attribute_ring_losses(Dispatch *d) {
        RuleMap *m = d->maps.maps[0];
        size_t n = m ? rule_map_n_rules(m) : 0;
        _cleanup_free_ uint64_t *counts = NULL;
        uint64_t scopes = 0;

        if (n == 0)
                return;
        counts = new0(uint64_t, n);
        if (!counts || kernel_lost_by_rule(d->kernel, counts, n) < 0)
                return;
        if (!d->lost_by_rule || d->lost_generation != rule_map_generation(m)) {
                free(d->lost_by_rule);
                d->lost_by_rule = new0(uint64_t, n);
                d->lost_generation = rule_map_generation(m);
        }
        if (!d->lost_by_rule)
                return;

        /* An event may be lost for several rules of one scope: the scope then counts it for the rule that lost most. */
        uint64_t by_scope[SCOPE_MAX + 1] = {};
        for (size_t i = 0; i < n; i++) {
                const RulePolicy *p = rule_map_policy(m, i);
                uint64_t more = counts[i] - d->lost_by_rule[i];

                if (!p || more == 0)
                        continue;
                by_scope[p->scope] = MAX(by_scope[p->scope], more);
                d->lost_by_rule[i] = counts[i];
        }
        for (unsigned i = 1; i <= SCOPE_MAX; i++)
                if (by_scope[i] > 0) {
                        count_lost(d, SCOPE_BIT(i), by_scope[i]);
                        scopes |= SCOPE_BIT(i);
                }
        loss_log_add_scopes(d->losses, LOSS_RING, scopes);
}

void dispatch_account_losses(Dispatch *d) {
        account_ring_losses(d, (uint32_t) kernel_n_lost(d->kernel));
        if (d->n_lost_ring == d->n_lost_attributed)
                return;
        attribute_ring_losses(d);
        d->n_lost_attributed = d->n_lost_ring;
}

/* The kernel side dropped these without a number: they get theirs now. */
static void account_limited(Dispatch *d, RuleMap *m, size_t rule, uint64_t n) {
        const RulePolicy *p = rule_map_policy(m, rule);
        uint64_t first = kernel_next_seq(d->kernel, n), scopes = p ? SCOPE_BIT(p->scope) : 0;

        if (p && p->loaded)
                p->loaded->n_suppressed += n;
        count_lost(d, scopes, n);
        loss_log_add(d->losses, LOSS_RATE_LIMIT, n, scopes, first, first + n - 1);
}

void dispatch_count_actions(Dispatch *d) {
        /* The generation that is active and the one before it, whose last events may have been judged since. */
        for (size_t k = 0; k < 2 && d->maps.maps[k]; k++) {
                RuleMap *m = d->maps.maps[k];

                for (size_t i = 0; i < rule_map_n_rules(m); i++) {
                        RuleAction *a = rule_map_action(m, i);
                        struct sct_acted acted;
                        uint64_t n;

                        /* Of a predecessor's rule only the names are known: it has counted for itself. */
                        if (!a || !a->rule || kernel_rule_acted(d->kernel, rule_map_generation(m), (uint32_t) i, &acted) < 0)
                                continue;
                        n = rule_action_count(a, &acted, rule_map_counts(m, i));
                        if (n > 0)
                                account_limited(d, m, i, n);
                }
        }
}

/* Whether the policy's rateLimit lets this event through: one in each interval on average, a window's worth at once. */
static bool rate_limit_passes(const RulePolicy *p, uint64_t now_ns) {
        uint64_t next;

        if (p->interval_ns == 0 || !p->loaded)
                return true;
        next = MAX(p->loaded->rate_next_ns, now_ns);
        if (next - now_ns > p->window_ns - p->interval_ns) {
                p->loaded->n_suppressed++;
                return false;
        }
        p->loaded->rate_next_ns = next + p->interval_ns;
        return true;
}

/* Takes out of the event the policies that are over their limit. False: none is left. */
static bool apply_rate_limits(Dispatch *d, const RuleMatch *match, Event *e) {
        uint64_t scopes = 0;
        int priority = LOG_DEBUG;
        size_t n = 0;

        if (!GREEDY_REALLOC(d->names, d->n_names_allocated, match->n))
                return true;
        for (size_t i = 0; i < match->n; i++) {
                const RulePolicy *p = match->policies[i];

                if (!rate_limit_passes(p, e->header->time_ns))
                        continue;
                d->names[n++] = p->name;
                scopes |= SCOPE_BIT(p->scope);
                priority = MIN(priority, p->priority);
        }
        if (scopes != match->scopes) {
                count_lost(d, match->scopes & ~scopes, 1);
                loss_log_add(d->losses, LOSS_RATE_LIMIT, 1, match->scopes & ~scopes, e->seq, e->seq);
        }
        e->scopes = scopes;
        e->policies = d->names;
        e->n_policies = n;
        e->priority = priority;
        return n > 0;
}

static void count_event(Dispatch *d, const RuleMatch *match, const Event *e) {
        size_t index = scope_count_index(e->spec->id);

        d->n_events++;
        for (uint64_t bits = match->scopes; bits; bits &= bits - 1) {
                Scope *s = d->scopes[__builtin_ctzll(bits) + 1];

                if (s) {
                        s->n_events++;
                        s->counts[index]++;
                }
        }
        for (size_t i = 0; i < match->n; i++)
                if (match->policies[i]->loaded)
                        match->policies[i]->loaded->n_events++;
}

static void bad_record(Dispatch *d) {
        uint64_t seq = kernel_next_seq(d->kernel, 1);

        d->n_bad++;
        loss_log_add(d->losses, LOSS_DAMAGED, 1, 0, seq, seq);
}

/* Where the acting rule's counts go; NULL: another version of its policy is in force, or none. */
static RuleCounts *counts_of(const RuleMatch *match) {
        LoadedPolicy *p = match->n > 0 ? match->policies[0]->loaded : NULL;
        const PolicyRule *rule = match->action->rule;

        if (!p || !p->policy || rule < p->policy->rules || rule >= p->policy->rules + p->policy->n_rules)
                return NULL;
        return loaded_policy_counts(p, (size_t) (rule - p->policy->rules));
}

static void dispatch_event(Dispatch *d, Event *e) {
        const RuleMatch *match;

        account_ring_losses(d, e->header->lost);
        match = rule_map_match(d->map, e);
        if (unlikely(match->action && match->action->remote) && d->remote)
                remote_actions_take(d->remote, match->action, counts_of(match));
        if (unlikely(match->action && match->action->quiet))
                return;
        e->seq = kernel_next_seq(d->kernel, 1);
        e->scopes = match->scopes;
        e->policies = match->names;
        e->n_policies = match->n;
        e->priority = match->priority;
        if (match->action) {
                e->actions = match->action->names;
                e->n_actions = match->action->n_names;
        }
        if (unlikely(match->scopes == 0)) {
                d->n_bad++;
                loss_log_add(d->losses, LOSS_DAMAGED, 1, 0, e->seq, e->seq);
                return;
        }
        count_event(d, match, e);
        if (unlikely(match->limited) && !apply_rate_limits(d, match, e))
                return;

        subject_fill(d->subject, e);
        if (unlikely(e->spec->family == EVENT_FAMILY_HOOK && streq(e->spec->hook, "loader")))
                build_id_add(e);
        if (unlikely(e->kernel_stack.n > 0 || e->user_stack.n > 0) &&
            (d->stacks || stack_resolver_new(NULL, &d->stacks) >= 0))
                stack_resolver_fill(d->stacks, e);
        e->hook = kernel_event_hook(d->kernel, e->spec);
        if (d->journal)
                journal_write_event(d->journal, e);
        stream_set_write_event(d->streams, e);
}

void dispatch_record(const void *data, size_t size, void *userdata) {
        const struct sct_record *header = data;
        Dispatch *d = userdata;
        Event e;
        int r;

        if (!d->in_batch) {
                d->in_batch = true;
                subject_update_clock(d->subject);
        }
        if (unlikely(size < sizeof(*header)))
                return bad_record(d);
        if (unlikely(header->type == SCT_RECORD_CGROUP_RMDIR)) {
                subject_forget_cgroup(d->subject, header->cgroup_id);
                kernel_cgroup_forget(d->kernel, header->cgroup_id);
                return;
        }
        if (!d->map || rule_map_generation(d->map) != header->generation)
                d->map = rule_map_ring_find(&d->maps, header->generation);

        r = record_parse(data, size, lookup_hook, d, &e);
        if (r == -EPROTO)       /* bookkeeping of the kernel layer */
                return;
        if (unlikely(r < 0 || !d->map))
                return bad_record(d);
        dispatch_event(d, &e);
}

void dispatch_batch_end(void *userdata) {
        Dispatch *d = userdata;

        d->in_batch = false;
        if (d->journal)
                journal_flush(d->journal);
        stream_set_flush(d->streams);
        (void) kernel_flushed_seq(d->kernel, true);
        /* The next record tells where; when none comes, the timer does. */
        if (unlikely((uint32_t) kernel_n_lost(d->kernel) != d->lost_seen))
                loss_log_arm(d->losses);
}
