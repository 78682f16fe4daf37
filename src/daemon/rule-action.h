/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What one rule of a hook does on a match, for people and for counters. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../policy/hook.h"
#include "../policy/plan.h"

/* How often, since the rule's policy was loaded in the version that is in force. Over generations and modes. */
typedef struct RuleCounts {
        uint64_t n_hits;                        /* it was the first that matched */
        uint64_t n_posted;
        uint64_t n_limited;                     /* repetitions within its rate limit */
        uint64_t n_failed;                      /* actions that could not be taken */
        uint64_t n_done[SCT_OPS_MAX];           /* by action: taken */
        uint64_t n_monitored[SCT_OPS_MAX];      /* would have been taken */
} RuleCounts;

/* One rule in one generation. */
typedef struct RuleAction {
        const PolicyRule *rule;                 /* of a policy that the generation holds */
        bool monitor;
        bool quiet;                             /* its records are for the actions alone: NoPost */
        bool remote;                            /* GetUrl, DnsLookup */
        const char *names[SCT_OPS_MAX + 1];     /* as TRACE_ACTION has them */
        size_t n_names;
        struct sct_acted seen;                  /* what was counted already */
} RuleAction;

int rule_action_new(const PolicyRule *rule, bool monitor, RuleAction **ret);

/* Adds what came since the last call to `counts` (NULL: nobody wants it), and returns how many events of them were over
 * the rule's rate limit. */
uint64_t rule_action_count(RuleAction *a, const struct sct_acted *now, RuleCounts *counts);

/* Actions that a policy in mode monitor does not take. */
bool hook_action_is_enforcement(HookActionKind k);

bool rule_enforces(const PolicyRule *rule);

/* Those of a rule, what returnArgAction adds counted in. */
size_t rule_n_actions(const PolicyRule *rule);
HookActionKind rule_action_kind(const PolicyRule *rule, size_t index);
