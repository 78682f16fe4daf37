/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One compilation while it goes on: shared by policy-compile.c (what fits, numbers, plans) and compile-predicates.c
 * (conditions → predicates). Private to the compiler. */

#include "compile-table.h"
#include "policy-compile.h"

typedef enum CompilerLimit {
        LIMIT_AUTOMATA,
        LIMIT_PREDICATES,
        LIMIT_RANGES,
        LIMIT_MASKS,
        _LIMIT_MAX,
} CompilerLimit;

typedef struct CompilerRule {         /* by rule number once the rules are numbered */
        const CompileInput *input;
        const PolicyRule *rule;
        uint32_t index;               /* in the policy */
        uint32_t order;               /* of admission */
        uint16_t *ranks;              /* the events that it wants, the most wanted first */
} CompilerRule;

/* The conditions that one rule puts on one event, or on the subject. */
typedef struct RuleConditions {
        uint16_t event, rule;
        const Condition *conditions;
        size_t n;
} RuleConditions;

/* The wanted or the excluded values of a condition on a task and its ancestors. */
typedef struct KinSet {
        const Condition *condition;
        bool negative;
} KinSet;

#define SUBJECT_EXTRAS_MAX 5          /* born, not born, cgroup born, cgroup not born, any container */

typedef struct SubjectExtra {
        Condition conditions[SUBJECT_EXTRAS_MAX];
        NumberRange ranges[SUBJECT_EXTRAS_MAX];
} SubjectExtra;

typedef struct Part Part;

typedef struct Compiler {
        Plan *plan;
        TableSet tables;
        ProblemList *problems;
        CompilerLimit limit;          /* which one, after -E2BIG */

        CompilerRule *rules;
        size_t n_rules, n_rules_allocated;
        SubjectExtra *extras;         /* by rule number */

        const EventSpec *specs[UINT16_MAX + 1];     /* by event id */
        uint16_t events[SCT_PLANS_MAX];             /* ids, in order of admission */
        size_t n_events;
        uint32_t pattern_hash[SCT_CGROUP_PATTERNS_MAX];
        KinSet kin[SCT_KIN_SETS_MAX];               /* by number */

        Part *parts;                  /* work space of compile_predicates() */
        size_t n_parts, n_parts_allocated;
} Compiler;

/* Which banks a plan's rules stand in, from its wants. */
void compiler_set_banks(struct sct_plan *plan);

/* Numbers of admitted cgroup patterns and tree roots; -ENOENT. */
int compiler_pattern(Compiler *c, uint8_t kind, const char *glob, size_t size);
int compiler_tree_root(Compiler *c, uint64_t pid);

/* Appends the predicates of one plan. spec: NULL for the subject. -E2BIG with c->limit set. */
int compile_predicates(Compiler *c, struct sct_plan *plan, const EventSpec *spec, const RuleConditions *rules,
                       size_t n);
