/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Actions of rules: their names in records, and their counters. The kernel side counts by generation; here the counts of
 * a rule are carried on from one generation to the next, so that they mean its policy and not a generation. */

#include "../basic/macro.h"
#include "rule-action.h"

bool hook_action_is_enforcement(HookActionKind k) {
        return IN_SET(k, HOOK_ACTION_SIGKILL, HOOK_ACTION_SIGNAL, HOOK_ACTION_OVERRIDE, HOOK_ACTION_NOTIFY_ENFORCER);
}

static const char *const monitored_table[_HOOK_ACTION_MAX] = {
        [HOOK_ACTION_SIGKILL] = "monitor-sigkill",
        [HOOK_ACTION_SIGNAL] = "monitor-signal",
        [HOOK_ACTION_OVERRIDE] = "monitor-override",
        [HOOK_ACTION_NOTIFY_ENFORCER] = "monitor-notifyenforcer",
};

size_t rule_n_actions(const PolicyRule *rule) {
        size_t n = rule->n_actions + (rule->hook && rule->hook->return_action != HOOK_ACTION_POST);

        return MIN(n, (size_t) SCT_OPS_MAX);
}

HookActionKind rule_action_kind(const PolicyRule *rule, size_t index) {
        return index < rule->n_actions ? rule->actions[index].kind : rule->hook->return_action;
}

static bool has_kind(const PolicyRule *rule, HookActionKind kind) {
        for (size_t i = 0; i < rule_n_actions(rule); i++)
                if (rule_action_kind(rule, i) == kind)
                        return true;
        return false;
}

bool rule_enforces(const PolicyRule *rule) {
        for (size_t i = 0; i < rule->n_actions; i++)
                if (hook_action_is_enforcement(rule->actions[i].kind))
                        return true;
        return false;
}

int rule_action_new(const PolicyRule *rule, bool monitor, RuleAction **ret) {
        RuleAction *a = new0(RuleAction, 1);
        bool no_post = has_kind(rule, HOOK_ACTION_NO_POST);

        if (!a)
                return -ENOMEM;
        a->rule = rule;
        a->monitor = monitor;
        a->remote = has_kind(rule, HOOK_ACTION_GET_URL) || has_kind(rule, HOOK_ACTION_DNS_LOOKUP);
        a->quiet = no_post;
        for (size_t i = 0; i < rule_n_actions(rule); i++) {
                HookActionKind kind = rule_action_kind(rule, i);

                a->names[a->n_names++] = monitor && hook_action_is_enforcement(kind) ? monitored_table[kind]
                                                                                     : hook_action_to_string(kind);
        }
        if (!no_post && !has_kind(rule, HOOK_ACTION_POST))
                a->names[a->n_names++] = hook_action_to_string(HOOK_ACTION_POST);
        *ret = a;
        return 0;
}

static uint64_t take(uint64_t now, uint64_t *seen) {
        uint64_t n = now - *seen;

        *seen = now;
        return n;
}

uint64_t rule_action_count(RuleAction *a, const struct sct_acted *now, RuleCounts *counts) {
        RuleCounts none = {}, *c = counts ?: &none;
        uint64_t hits = take(now->n_hits, &a->seen.n_hits), posted = take(now->n_posted, &a->seen.n_posted),
                 limited = take(now->n_limited, &a->seen.n_limited);

        c->n_hits += hits;
        c->n_posted += a->quiet ? 0 : posted;
        c->n_limited += limited;
        c->n_failed += take(now->n_failed, &a->seen.n_failed);
        for (size_t i = 0; i < rule_n_actions(a->rule); i++) {
                HookActionKind kind = rule_action_kind(a->rule, i);
                uint64_t n = take(now->n_done[i], &a->seen.n_done[i]);

                if (kind == HOOK_ACTION_POST)
                        c->n_done[i] += posted;
                else if (kind == HOOK_ACTION_NO_POST)
                        c->n_done[i] += hits;
                else if (a->monitor && hook_action_is_enforcement(kind))
                        c->n_monitored[i] += n;
                else
                        c->n_done[i] += n;
        }
        return limited;
}
