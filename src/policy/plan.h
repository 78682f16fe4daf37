/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The Plan: one generation of the policy set in the form that the kernel side reads (bpf/abi/plan.h), as plain arrays.
 * Made by policy-compile.c, written into maps by kernel/maps.c, and read again by the daemon to turn rule numbers of a
 * record into scopes and policies. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../../bpf/abi/plan.h"
#include "../../bpf/abi/uses.h"
#include "policy.h"

typedef struct PlanNumber {
        struct sct_num_key key;
        struct sct_mask mask;
} PlanNumber;

typedef struct PlanString {     /* equality, prefix or suffix (suffixes are stored reversed) */
        uint32_t slot;
        uint32_t size;
        const char *text;       /* in the plan's pool, or in one of its policies */
        struct sct_mask mask;
} PlanString;

typedef struct PlanRule {       /* what a rule number means */
        Policy *policy;         /* borrowed: the plan holds a reference in policies[] */
        uint8_t scope;          /* 1..64 */
        uint32_t rule;          /* index in policy->rules */
} PlanRule;

#define PLAN_ENFORCERS_MAX 64     /* a mask in the kernel says whose enforcers a call belongs to */

/* A hook that a policy brought, and the plan that serves it. kernel/ decides where in the kernel that is. */
typedef struct PlanHook {
        const struct Hook *hook;        /* of a policy in policies[] */
        uint16_t plan;
} PlanHook;

typedef struct Plan {
        struct sct_gen_config config;
        uint64_t uses;                        /* enum sct_use */
        uint64_t uses_types;                  /* bit N: type N of arg-types.def */

        struct sct_plan *plans;               /* [0] is the subject */
        size_t n_plans, n_plans_allocated;
        struct sct_pred *preds;
        size_t n_preds, n_preds_allocated;
        uint16_t syscalls[2 * SCT_SYSCALL_NR_MAX];  /* number → plan, 0: unwanted */
        uint16_t events[4096];                /* event id → plan, 0: unwanted (catalogue events only) */

        PlanNumber *numbers;
        size_t n_numbers, n_numbers_allocated;
        struct sct_range *ranges;
        size_t n_ranges, n_ranges_allocated;
        struct sct_list_item *lists;
        size_t n_lists, n_lists_allocated;
        PlanString *equal, *prefixes, *suffixes;
        size_t n_equal, n_equal_allocated;
        size_t n_prefixes, n_prefixes_allocated;
        size_t n_suffixes, n_suffixes_allocated;
        uint32_t *dfa;                        /* rows of 256 entries */
        size_t n_dfa, n_dfa_allocated;        /* entries, not rows */
        struct sct_mask *dfa_masks;           /* one a row: index = entry index / 256 */
        size_t n_dfa_masks, n_dfa_masks_allocated;
        struct sct_cgroup_pattern *cgroup_patterns;
        size_t n_cgroup_patterns, n_cgroup_patterns_allocated;

        PlanHook *hooks;
        size_t n_hooks, n_hooks_allocated;
        const Policy *enforcers[PLAN_ENFORCERS_MAX];   /* by enforcer_number; of policies[] */
        struct sct_action *actions;           /* by rule number */
        struct sct_arg_path *paths;           /* of hooks' arguments */
        size_t n_paths, n_paths_allocated;
        bool follows_fds;                     /* a rule gives descriptors names: they go along with fork */

        PlanRule *rules;                      /* by rule number */
        size_t n_rules, n_rules_allocated;
        Policy **policies;
        size_t n_policies, n_policies_allocated;
        char **pool;                          /* strings that tables point at */
        size_t n_pool, n_pool_allocated;
} Plan;

Plan *plan_free(Plan *p);
static inline void plan_freep(Plan **p) {
        plan_free(*p);
}
