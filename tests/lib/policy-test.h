/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* For tests of policies: filters and documents as one call, and the conditions that came out. What a call returns is
 * freed by the test with policies_done(). */

#include "policy/plan.h"
#include "policy/policy-parse.h"
#include "policy/policy.h"
#include "test.h"

typedef struct Parsed {
        Policy **policies;
        size_t n;
        ProblemList problems;
} Parsed;

__attribute__((unused)) static void parsed_done(Parsed *p) {
        for (size_t i = 0; i < p->n; i++)
                policy_unref(p->policies[i]);
        free(p->policies);
        problem_list_done(&p->problems);
        *p = (Parsed) {};
}

__attribute__((unused)) static void print_problems(const ProblemList *l) {
        for (size_t i = 0; i < l->n; i++)
                fprintf(stderr, "  %s:%u:%u: %s: %s\n", l->items[i].path, l->items[i].line, l->items[i].column,
                        l->items[i].key, l->items[i].message);
}

__attribute__((unused)) static Parsed parse_filters_n(const char *const *filters, size_t n) {
        Parsed p = {};

        ASSERT_OK(policy_from_filters(filters, n, "test", &p.policies, &p.n, &p.problems));
        return p;
}
#define PARSE_FILTERS(...)                                                                  \
        ({                                                                                  \
                const char *const filters_[] = { __VA_ARGS__ };                             \
                parse_filters_n(filters_, sizeof(filters_) / sizeof(filters_[0]));          \
        })
/* The same, accepted: one policy, no error. */
#define GOOD_FILTERS(...)                                                                   \
        ({                                                                                  \
                Parsed p_ = PARSE_FILTERS(__VA_ARGS__);                                     \
                if (p_.problems.n_errors > 0 || p_.n != 1) {                                \
                        print_problems(&p_.problems);                                       \
                        TEST_FAIL("not accepted: " #__VA_ARGS__);                           \
                }                                                                           \
                p_;                                                                         \
        })
/* Refused, and every fragment stands in the first sentence. */
#define BAD_FILTERS(fragment, ...)                                                          \
        do {                                                                                \
                Parsed p_ = PARSE_FILTERS(__VA_ARGS__);                                     \
                if (p_.n != 0 || p_.problems.n_errors == 0)                                 \
                        TEST_FAIL("not refused: " #__VA_ARGS__);                            \
                if (!strstr(p_.problems.items[0].message, fragment)) {                      \
                        print_problems(&p_.problems);                                       \
                        TEST_FAIL(#__VA_ARGS__ ": \"%s\" is missing in the sentence", fragment); \
                }                                                                           \
                parsed_done(&p_);                                                           \
        } while (0)

__attribute__((unused)) static Parsed parse_text(const char *text) {
        Parsed p = {};

        ASSERT_OK(policy_parse(text, strlen(text), "test.yaml", &p.policies, &p.n, &p.problems));
        return p;
}

__attribute__((unused)) static const PolicyRule *rule_of(const Parsed *p) {
        ASSERT_GE(p->n, 1);
        ASSERT_GE(p->policies[0]->n_rules, 1);
        return p->policies[0]->rules;
}

__attribute__((unused)) static const PolicyEvent *event_of(const PolicyRule *rule, const char *name) {
        for (size_t i = 0; i < rule->n_events; i++)
                if (strcmp(rule->events[i].spec->name, name) == 0)
                        return rule->events + i;
        return NULL;
}

__attribute__((unused)) static const Condition *condition_in(const Condition *c, size_t n, unsigned field) {
        for (size_t i = 0; i < n; i++)
                if (c[i].field == field)
                        return c + i;
        TEST_FAIL("There is no condition on field %u.", field);
}

__attribute__((unused)) static const Condition *subject_condition(const Parsed *p, unsigned field) {
        return condition_in(rule_of(p)->subject, rule_of(p)->n_subject, field);
}

__attribute__((unused)) static const Condition *event_condition(const Parsed *p, const char *event, unsigned field) {
        const PolicyEvent *e = event_of(rule_of(p), event);

        ASSERT_NOT_NULL(e);
        return condition_in(e->conditions, e->n_conditions, field);
}

__attribute__((unused)) static unsigned arg_field(const char *event, const char *arg) {
        const EventSpec *spec = event_spec_by_name(event);

        ASSERT_NOT_NULL(spec);
        ASSERT_OK(event_arg_index(spec, arg));
        return SCT_FIELD_ARG + (unsigned) event_arg_index(spec, arg);
}
