/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What must hold of policies and problems whatever the input was: for the fuzz targets of the policy layer. */

#include <stdlib.h>
#include <string.h>

#include "policy/plan.h"
#include "policy/policy-compile.h"
#include "policy/policy.h"

#define MUST(expr)                                                                          \
        do {                                                                                \
                if (!(expr))                                                                \
                        abort();                                                            \
        } while (0)

static void check_condition(const Condition *c) {
        MUST(c->field != SCT_FIELD_NONE);
        for (size_t i = 0; i < c->n_eq; i++) {
                MUST(condition_number_matches(c, c->eq[i]));
                MUST(i == 0 || (c->is_signed ? (int64_t) c->eq[i - 1] < (int64_t) c->eq[i] : c->eq[i - 1] < c->eq[i]));
        }
        for (size_t i = 0; i < c->n_ne; i++)
                MUST(c->class == CONDITION_TREE || !condition_number_matches(c, c->ne[i]));
        for (size_t i = 0; i < c->n_ranges; i++)
                MUST(c->is_signed ? (int64_t) c->ranges[i].low <= (int64_t) c->ranges[i].high :
                                    c->ranges[i].low <= c->ranges[i].high);
        for (size_t i = 0; i < c->n_patterns; i++) {
                const Pattern *p = c->patterns + i;

                MUST(p->text && p->text[p->size] == '\0');     /* addresses hold NUL bytes */
                if (!p->negative)
                        MUST(condition_string_matches(c, p->text, p->size));
        }
        MUST(c->class == CONDITION_NUMBER || c->class == CONDITION_TREE ? c->n_patterns == 0 && c->n_masks == 0 :
             c->n_eq == 0 && c->n_ne == 0 && c->n_ranges == 0);
        MUST((c->class == CONDITION_PRESENT) == (c->n_eq + c->n_ne + c->n_ranges + c->n_patterns + c->n_masks == 0));
}

static void check_policy(const Policy *p) {
        MUST(p->name && *p->name && strlen(p->name) <= POLICY_NAME_MAX);
        MUST(p->text);
        MUST(p->scope <= POLICY_SCOPE_MAX);
        MUST(p->priority >= 0 && p->priority <= 7);
        MUST((p->rate_limit_n == 0) == (p->rate_limit_usec == 0));
        MUST(p->n_rules > 0);
        for (size_t i = 0; i < p->n_rules; i++) {
                const PolicyRule *rule = p->rules + i;

                MUST(rule->n_events > 0);
                for (size_t k = 0; k < rule->n_subject; k++)
                        check_condition(rule->subject + k);
                for (size_t k = 0; k < rule->n_events; k++) {
                        MUST(rule->events[k].spec);
                        for (size_t j = 0; j < rule->events[k].n_conditions; j++)
                                check_condition(rule->events[k].conditions + j);
                }
        }
}

/* One line that a terminal may print. */
static void check_problems(const ProblemList *l) {
        size_t n_errors = 0;

        for (size_t i = 0; i < l->n; i++) {
                MUST(*l->items[i].message);
                for (const char *p = l->items[i].message; *p; p++)
                        MUST((unsigned char) *p >= 0x20 && *p != 0x7f);
                n_errors += l->items[i].severity == PROBLEM_ERROR;
        }
        MUST(n_errors == l->n_errors);
}

/* What was accepted must be something that the compiler takes or refuses with a sentence. */
static void check_compiles(Policy **policies, size_t n) {
        FeatureSet features = {};
        CompileInput inputs[64] = {};
        bool failed[64];
        ProblemList problems = {};
        Plan *plan = NULL;

        memset(features.granted, 1, sizeof(features.granted));
        n = n < 64 ? n : 64;
        for (size_t i = 0; i < n; i++)
                inputs[i] = (CompileInput) { .policy = policies[i], .scope = 1, .loaded_ns = 5,
                                             .follow_slot = (uint8_t) i };
        MUST(policy_compile(inputs, n, 1, &features, &plan, failed, &problems) >= 0);
        for (size_t i = 0; i < n; i++)
                MUST(!failed[i] || problems.n_errors > 0);
        plan_free(plan);
        problem_list_done(&problems);
}

static void check_all(Policy **policies, size_t n, ProblemList *problems) {
        check_problems(problems);
        for (size_t i = 0; i < n; i++)
                check_policy(policies[i]);
        if (n > 0)
                check_compiles(policies, n);
        for (size_t i = 0; i < n; i++)
                policy_unref(policies[i]);
        free(policies);
        problem_list_done(problems);
}
