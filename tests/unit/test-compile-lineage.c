/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Conditions on ancestors and on the moment of the event: which sets they become, that the sets' ids depend on the values
 * alone, and in which plan each condition stands. */

#include "compile-set.h"

static PolicyRule *rule_on(Set *s, const char *name, Condition c) {
        Policy *p = build_policy(name);
        PolicyRule *rule = build_rule(p);

        build_event(rule, &spec_a);
        build_subject(rule, c);
        set_add(s, p);
        return rule;
}

static EvalInput running(const char *exe) {
        EvalInput in = {};

        in.fields[SCT_FIELD_EXE] = (EvalField) { .present = true, .text = exe, .size = strlen(exe) };
        return in;
}

/* Whether a rule matches a process that runs `exe` and descends from one that ran `ancestor`. */
static bool descendant_matches(const Set *s, const char *exe, const char *ancestor, size_t rule) {
        EvalInput own = running(exe), other = running(ancestor);

        eval_kin(s->plan, &own, own.kin);
        eval_kin(s->plan, &other, own.kin);
        return matches(s, SPEC_A_ID, &own, rule);
}

TEST(wanted_and_excluded) {
        Set s = {};

        rule_on(&s, "in", string_condition(SCT_FIELD_EXE_TREE, "/bin/a /bin/b"));
        rule_on(&s, "not-in", string_condition(SCT_FIELD_EXE_TREE, "!/bin/a !/bin/b"));
        rule_on(&s, "prefix", string_condition(SCT_FIELD_EXE_TREE, "/usr/*"));
        rule_on(&s, "suffix", string_condition(SCT_FIELD_EXE_TREE, "!*/sshd"));
        set_compile(&s);
        ASSERT_EQ(s.plan->config.n_kin, 3);             /* the first two ask the same set */

        ASSERT_TRUE(descendant_matches(&s, "/bin/b", "/init", 0));
        ASSERT_TRUE(descendant_matches(&s, "/bin/c", "/bin/a", 0));
        ASSERT_FALSE(descendant_matches(&s, "/bin/c", "/bin/c", 0));
        ASSERT_FALSE(descendant_matches(&s, "/bin/c", "/bin/a", 1));
        ASSERT_FALSE(descendant_matches(&s, "/bin/b", "/init", 1));
        ASSERT_TRUE(descendant_matches(&s, "/bin/c", "/bin/c", 1));
        ASSERT_TRUE(descendant_matches(&s, "/bin/c", "/usr/x", 2));
        ASSERT_FALSE(descendant_matches(&s, "/bin/c", "/us", 2));
        ASSERT_FALSE(descendant_matches(&s, "/bin/c", "/usr/sbin/sshd", 3));
        ASSERT_TRUE(descendant_matches(&s, "/bin/c", "/usr/sbin/sshd2", 3));
        set_done(&s);
}

/* Two conditions of one rule: both must hold, each by an ancestor of its own. */
TEST(anded) {
        Set s = {};
        PolicyRule *rule = rule_on(&s, "both", string_condition(SCT_FIELD_EXE_TREE, "/bin/a"));

        build_subject(rule, string_condition(SCT_FIELD_EXE_TREE, "!/bin/b"));
        set_compile(&s);
        ASSERT_EQ(s.plan->config.n_kin, 2);
        ASSERT_TRUE(descendant_matches(&s, "/bin/c", "/bin/a", 0));
        ASSERT_FALSE(descendant_matches(&s, "/bin/b", "/bin/a", 0));
        ASSERT_FALSE(descendant_matches(&s, "/bin/c", "/bin/c", 0));
        set_done(&s);
}

TEST(process_numbers) {
        EvalInput in = running("/bin/c");
        Set s = {};

        rule_on(&s, "binary", string_condition(SCT_FIELD_EXE_TREE, "/bin/a"));
        rule_on(&s, "pid", number_condition(SCT_FIELD_NS_TREE, false, "1 7"));
        rule_on(&s, "not-pid", number_condition(SCT_FIELD_NS_TREE, false, "!1 !7"));
        set_compile(&s);
        ASSERT_EQ(s.plan->config.n_kin, 2);
        ASSERT_EQ(s.plan->config.n_kin_preds, 2);
        ASSERT_EQ(s.plan->config.n_kin_pid_preds, 1);   /* they come first: a fork asks them alone */
        ASSERT_EQ(s.plan->config.kin_pid[0], 2);

        in.fields[SCT_FIELD_PID] = (EvalField) { .present = true, .number = 7 };
        eval_kin(s.plan, &in, in.kin);
        ASSERT_TRUE(matches(&s, SPEC_A_ID, &in, 1));
        ASSERT_FALSE(matches(&s, SPEC_A_ID, &in, 2));
        ASSERT_FALSE(matches(&s, SPEC_A_ID, &in, 0));
        in.kin[0] = 0;
        ASSERT_TRUE(matches(&s, SPEC_A_ID, &in, 2));
        set_done(&s);
}

/* A set keeps its id whatever stands around it and in whichever order its values stand; another one has another. */
TEST(ids) {
        Set a = {}, b = {};

        rule_on(&a, "in", string_condition(SCT_FIELD_EXE_TREE, "/bin/a /bin/b"));
        set_compile(&a);
        rule_on(&b, "other", string_condition(SCT_FIELD_EXE_TREE, "/bin/a"));
        rule_on(&b, "prefix", string_condition(SCT_FIELD_EXE_TREE, "/bin/a* /bin/b"));
        rule_on(&b, "pids", number_condition(SCT_FIELD_NS_TREE, false, "1"));
        rule_on(&b, "in", string_condition(SCT_FIELD_EXE_TREE, "!/bin/b !/bin/a"));
        set_compile(&b);
        ASSERT_EQ(a.plan->config.n_kin, 1);
        ASSERT_EQ(b.plan->config.n_kin, 4);
        ASSERT_EQ(b.plan->config.kin_id[3], a.plan->config.kin_id[0]);
        for (unsigned i = 0; i < 3; i++)
                ASSERT_NE(b.plan->config.kin_id[i], a.plan->config.kin_id[0]);
        ASSERT_EQ(b.plan->config.kin_id[4], 0);
        set_done(&a);
        set_done(&b);
}

TEST(too_many_sets) {
        Set s = {};

        for (unsigned k = 0; k < 3; k++) {
                Policy *p = build_policy("sets");

                for (unsigned i = 0; i < 300; i++) {
                        PolicyRule *rule = build_rule(p);
                        char text[32];

                        snprintf(text, sizeof(text), "/bin/%u", (k == 1) * 300 + i);
                        build_event(rule, &spec_a);
                        build_subject(rule, string_condition(SCT_FIELD_EXE_TREE, text));
                }
                set_add(&s, p);
        }
        set_compile(&s);
        ASSERT_FALSE(s.failed[0]);
        ASSERT_TRUE(s.failed[1]);
        ASSERT_FALSE(s.failed[2]);                      /* the same sets as the first one's */
        ASSERT_EQ(s.plan->config.n_kin, 300);
        ASSERT_EQ(s.plan->config.kin_id[300], 0);
        ASSERT_CONTAINS(s.problems.items[0].message, "more than 512 different lists");
        ASSERT_TRUE(descendant_matches(&s, "/bin/c", "/bin/299", 299));
        ASSERT_FALSE(descendant_matches(&s, "/bin/c", "/bin/299", 298));
        set_done(&s);
}

/* Credentials change without a sign, so they are asked where the event is judged; the rest is the subject's. */
TEST(of_the_moment) {
        static const uint16_t fields[] = {
                SCT_FIELD_USER_NS, SCT_FIELD_CAPS_EFFECTIVE, SCT_FIELD_CAPS_PERMITTED, SCT_FIELD_CAPS_INHERITABLE,
                SCT_FIELD_NS_CHANGED, SCT_FIELD_CAPS_EFFECTIVE_CHANGED, SCT_FIELD_CAPS_PERMITTED_CHANGED,
                SCT_FIELD_CAPS_INHERITABLE_CHANGED,
        };

        for (size_t i = 0; i < ELEMENTSOF(fields); i++) {
                const struct sct_plan *plan;
                EvalInput in = {};
                Set s = {};
                PolicyRule *rule = rule_on(&s, "moment", mask_condition(fields[i], "4"));

                build_subject(rule, number_condition(SCT_FIELD_UID, false, "5"));
                set_compile(&s);
                plan = s.plan->plans + s.plan->events[SPEC_A_ID];
                ASSERT_EQ(s.plan->plans[0].n_preds, 1);
                ASSERT_EQ(s.plan->preds[s.plan->plans[0].pred_first].field, SCT_FIELD_UID);
                ASSERT_EQ(plan->n_preds, 1);
                ASSERT_EQ(plan->n_preds_entry, 1);
                ASSERT_EQ(s.plan->preds[plan->pred_first].field, fields[i]);
                ASSERT_EQ(s.plan->config.any_origin, i >= 4);

                in.fields[SCT_FIELD_UID] = (EvalField) { .present = true, .number = 5 };
                in.fields[fields[i]] = (EvalField) { .present = true, .number = 6 };
                ASSERT_TRUE(matches(&s, SPEC_A_ID, &in, 0));
                in.fields[fields[i]].number = 3;
                ASSERT_FALSE(matches(&s, SPEC_A_ID, &in, 0));
                set_done(&s);
        }
}

TEST_MAIN()
