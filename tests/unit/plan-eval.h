/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A model of the kernel side: judges one event by a Plan's tables alone, as bpf/lib/rule-match.bpf.h does. Slow and
 * plain; tests hold the compiler (and whoever fills maps) to it. */

#include "policy/plan.h"

#define EVAL_FIELDS (SCT_FIELD_ARG + SCT_ARGS_MAX)

typedef struct EvalField {
        bool present;
        uint64_t number;            /* signed values as int64 */
        const char *text;           /* strings, without NUL */
        size_t size;
} EvalField;

typedef struct EvalInput {
        EvalField fields[EVAL_FIELDS];                    /* by enum sct_field */
        uint64_t cgroup[SCT_CGROUP_PATTERNS_MAX / 64];    /* patterns that the task's cgroup matches */
        uint64_t tree, follow;
        uint64_t kin[SCT_KIN_WORDS];                      /* kin sets that the task or an ancestor has met */
} EvalInput;

/* Adds to `kin` the sets that one task meets by what it is itself. */
void eval_kin(const Plan *p, const EvalInput *in, uint64_t kin[SCT_KIN_WORDS]);

/* Takes the rules from `active` that fail predicates of a plan. */
void eval_predicates(const Plan *p, const struct sct_plan *plan, const EvalInput *in, uint64_t active[SCT_BANKS_MAX]);

/* The rules that match an event whose plan this is. */
void eval_event(const Plan *p, const struct sct_plan *plan, const EvalInput *in, uint64_t ret[SCT_BANKS_MAX]);

/* Everything that a reader of the tables relies on: order, bounds, numbers in use. Returns what is wrong, or NULL. */
const char *eval_check_plan(const Plan *p);
