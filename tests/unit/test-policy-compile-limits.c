/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The compiler's limits: the policy that does not fit fails with a sentence and leaves nothing behind, the others are
 * whole. */

#include "compile-set.h"

static Policy *policy_of_rules(const char *name, unsigned n) {
        Policy *p = build_policy(name);

        for (unsigned i = 0; i < n; i++)
                build_event(build_rule(p), &spec_a);
        return p;
}

TEST(too_many_rules) {
        Set s = {};

        set_add(&s, policy_of_rules("fits", 2000));
        set_add(&s, policy_of_rules("does not", 49));
        set_add(&s, policy_of_rules("fits again", 48));
        set_compile(&s);
        ASSERT_FALSE(s.failed[0]);
        ASSERT_TRUE(s.failed[1]);
        ASSERT_FALSE(s.failed[2]);
        ASSERT_EQ(s.plan->n_rules, 2048);
        ASSERT_EQ(s.plan->n_policies, 2);
        ASSERT_EQ(s.problems.n, 1);
        ASSERT_CONTAINS(s.problems.items[0].message, "\"does not\"");
        ASSERT_CONTAINS(s.problems.items[0].message, "more than 2048 rules");
        set_done(&s);
}

TEST(too_many_events) {
        static EventSpec specs[1100];
        Set s = {};

        for (unsigned i = 0; i < ELEMENTSOF(specs); i++)
                specs[i] = spec_numbered(1000 + i);
        for (unsigned k = 0; k < 3; k++) {
                Policy *p = build_policy("events");
                PolicyRule *rule = build_rule(p);

                for (unsigned i = 0; i < 600; i++)
                        build_event(rule, specs + (k == 1 ? 500 : 0) + i);
                set_add(&s, p);
        }
        set_compile(&s);
        ASSERT_FALSE(s.failed[0]);
        ASSERT_TRUE(s.failed[1]);
        ASSERT_FALSE(s.failed[2]);
        ASSERT_EQ(s.plan->n_plans, 601);
        ASSERT_EQ(s.plan->events[specs[700].id], 0);
        set_done(&s);
}

TEST(too_many_cgroups) {
        Set s = {};

        for (unsigned k = 0; k < 3; k++) {
                Policy *p = build_policy("names");
                PolicyRule *rule = build_rule(p);
                char items[8192] = "", pid[16];

                for (unsigned i = 0; i < 256; i++)
                        sprintf(items + strlen(items), "unit=u%u ", k * 255 + i);
                snprintf(pid, sizeof(pid), "%u", 100 + k);
                build_event(rule, &spec_a);
                build_subject(rule, tree_condition(pid));
                build_subject(rule, cgroup_condition(items));
                set_add(&s, p);
        }
        set_compile(&s);
        ASSERT_FALSE(s.failed[0]);
        ASSERT_FALSE(s.failed[1]);
        ASSERT_TRUE(s.failed[2]);
        ASSERT_EQ(s.plan->n_cgroup_patterns, 511);
        ASSERT_EQ(s.plan->config.n_tree_roots, 2);       /* nothing of the third is left behind */
        ASSERT_CONTAINS(s.problems.items[0].message, "512");
        set_done(&s);
}

TEST(too_many_tree_roots) {
        Set s = {};

        for (unsigned k = 0; k < 3; k++) {
                Policy *p = build_policy("roots");
                PolicyRule *rule = build_rule(p);
                char pids[1024] = "";

                for (unsigned i = 0; i < 32; i++)
                        sprintf(pids + strlen(pids), "%u ", 1 + k * 31 + i);
                build_event(rule, &spec_a);
                build_subject(rule, tree_condition(pids));
                set_add(&s, p);
        }
        set_compile(&s);
        ASSERT_FALSE(s.failed[0]);
        ASSERT_FALSE(s.failed[1]);
        ASSERT_TRUE(s.failed[2]);
        ASSERT_EQ(s.plan->config.n_tree_roots, 63);
        ASSERT_CONTAINS(s.problems.items[0].message, "tree=");
        set_done(&s);
}

TEST(too_long) {
        static const struct {
                PatternKind kind;
                size_t size;
                bool fits;
        } rows[] = {
                { PATTERN_EQUAL, 4088, true },     { PATTERN_EQUAL, 4089, false },
                { PATTERN_PREFIX, 252, true },     { PATTERN_PREFIX, 253, false },
                { PATTERN_SUFFIX, 252, true },     { PATTERN_SUFFIX, 253, false },
                { PATTERN_SUBSTRING, 4096, true }, { PATTERN_SUBSTRING, 4097, false },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                Condition c = string_condition(ARG(2), "x");
                Policy *p = build_policy("long");
                char *text = malloc(rows[i].size + 1);
                EvalInput in = {};
                Set s = {};

                memset(text, 'y', rows[i].size);
                text[rows[i].size] = 0;
                free(c.patterns[0].text);
                c.patterns[0] = (Pattern) { .kind = rows[i].kind, .text = text, .size = rows[i].size };
                build_on_event(build_event(build_rule(p), &spec_a), c);
                set_add(&s, p);
                set_compile(&s);
                ASSERT_EQ(s.failed[0], !rows[i].fits);
                ASSERT_EQ(s.problems.n, !rows[i].fits);
                if (rows[i].fits) {
                        in.fields[ARG(2)] = (EvalField) { .present = true, .text = text, .size = rows[i].size };
                        ASSERT_TRUE(matches(&s, SPEC_A_ID, &in, 0));
                        in.fields[ARG(2)].size--;
                        ASSERT_FALSE(matches(&s, SPEC_A_ID, &in, 0));
                }
                set_done(&s);
        }
}

/* The automata together have 16384 rows: the policy that takes the most of them goes. */
TEST(too_many_substrings) {
        Set s = {};

        for (unsigned k = 0; k < 3; k++) {
                Condition c = string_condition(ARG(2), "*small*");
                Policy *p = build_policy(k == 1 ? "heavy" : "light");

                for (unsigned i = 0; k == 1 && i < 2000; i++) {
                        Pattern t = { .kind = PATTERN_SUBSTRING };

                        t.size = asprintf(&t.text, "%u-xxxxxxxxxxxxxxxx", i);
                        c.patterns = reallocarray(c.patterns, c.n_patterns + 1, sizeof(t));
                        c.patterns[c.n_patterns++] = t;
                }
                build_on_event(build_event(build_rule(p), &spec_a), c);
                set_add(&s, p);
        }
        set_compile(&s);
        ASSERT_FALSE(s.failed[0]);
        ASSERT_TRUE(s.failed[1]);
        ASSERT_FALSE(s.failed[2]);
        ASSERT_EQ(s.problems.n, 1);
        ASSERT_CONTAINS(s.problems.items[0].message, "*text*");
        ASSERT_EQ(s.plan->n_dfa, 6 * 256);
        ASSERT_EQ(s.plan->n_rules, 2);
        set_done(&s);
}

TEST(too_many_predicates) {
        static EventSpec specs[900];
        Set s = {};

        for (unsigned i = 0; i < ELEMENTSOF(specs); i++)
                specs[i] = spec_numbered(1000 + i);
        for (unsigned k = 0; k < 2; k++) {
                Policy *p = build_policy("wide");
                PolicyRule *rule = build_rule(p);

                for (unsigned i = 0; i < ELEMENTSOF(specs); i++) {
                        PolicyEvent *e = build_event(rule, specs + i);
                        char item[16];

                        snprintf(item, sizeof(item), "%u", i);
                        for (unsigned n = 0; n < (k == 0 ? 5 : 1); n++)
                                build_on_event(e, number_condition(ARG(0), false, item));
                }
                set_add(&s, p);
        }
        set_compile(&s);
        ASSERT_TRUE(s.failed[0]);
        ASSERT_FALSE(s.failed[1]);
        ASSERT_EQ(s.plan->n_preds, 900);
        set_done(&s);
}

TEST_MAIN()
