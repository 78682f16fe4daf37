/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Tracee's later policy files, unchanged: rules with filters of their own, the scope for all of them, the plain form.
 * */

#include "policy-test.h"

#define HEAD "apiVersion: tracee.aquasec.com/v1beta1\nkind: Policy\nmetadata:\n  name: t\n"

TEST(rules_have_their_own_filters) {
        Parsed p = parse_text(HEAD "spec:\n  scope: [comm=bash]\n  rules:\n  - event: openat\n    filters:\n"
                              "    - data.pathname=/etc/*\n    - retval!=0\n    - uid=0\n  - event: close\n");
        const PolicyRule *rule;

        ASSERT_EQ(p.n, 1);
        ASSERT_EQ(p.policies[0]->kind, POLICY_KIND_TRACEE);
        ASSERT_EQ(p.policies[0]->n_rules, 1);
        rule = rule_of(&p);
        ASSERT_EQ(rule->n_subject, 1);
        ASSERT_EQ(rule->n_events, 2);
        ASSERT_EQ(event_of(rule, "openat")->n_conditions, 3);
        ASSERT_EQ(event_of(rule, "close")->n_conditions, 0);
        ASSERT_TRUE(condition_number_matches(event_condition(&p, "openat", SCT_FIELD_UID), 0));
        ASSERT_FALSE(condition_number_matches(event_condition(&p, "openat", SCT_FIELD_RETVAL), 0));
        parsed_done(&p);
}

/* Tracee refuses a second rule on an event; here it is an alternative. */
TEST(an_event_again) {
        Parsed p = parse_text(HEAD "spec:\n  scope: [comm=bash]\n  rules:\n"
                              "  - {event: openat, filters: [data.pathname=/a]}\n  - {event: close}\n"
                              "  - {event: openat, filters: [data.pathname=/b]}\n");
        const PolicyRule *rules;

        ASSERT_EQ(p.n, 1);
        rules = p.policies[0]->rules;
        ASSERT_EQ(p.policies[0]->n_rules, 2);
        ASSERT_EQ(rules[0].n_events, 2);
        ASSERT_EQ(rules[1].n_events, 1);
        ASSERT_EQ(rules[0].n_subject, 1);
        ASSERT_EQ(rules[1].n_subject, 1);
        ASSERT_STREQ(rules[1].events[0].conditions[0].patterns[0].text, "/b");
        parsed_done(&p);
}

TEST(scope_spellings) {
        Parsed p = parse_text(HEAD "spec:\n  scope:\n  - not-container\n  - uid >= 1000\n  - exec=/usr/bin/id\n  - "
                              "follow\n"
                              "  rules:\n  - event: openat\n");
        const PolicyRule *rule;

        ASSERT_EQ(p.n, 1);
        rule = rule_of(&p);
        ASSERT_TRUE(rule->follow);
        ASSERT_EQ(rule->n_subject, 3);
        ASSERT_TRUE(subject_condition(&p, SCT_FIELD_CGROUP)->patterns[0].negative);
        ASSERT_TRUE(condition_number_matches(subject_condition(&p, SCT_FIELD_UID), 1000));
        ASSERT_STREQ(subject_condition(&p, SCT_FIELD_EXE)->patterns[0].text, "/usr/bin/id");
        parsed_done(&p);

        p = parse_text(HEAD "spec:\n  scope: [container=started]\n  rules:\n  - event: openat\n");
        ASSERT_FALSE(subject_condition(&p, SCT_FIELD_CGROUP)->patterns[0].negative);
        parsed_done(&p);
}

TEST(scope_problems_are_told_once) {
        Parsed p = parse_text(HEAD "spec:\n  scope: [uid=x]\n  rules:\n  - {event: openat, filters: [retval=0]}\n"
                              "  - {event: openat, filters: [retval=1]}\n");

        ASSERT_EQ(p.n, 0);
        ASSERT_EQ(p.problems.n, 1);
        ASSERT_STREQ(p.problems.items[0].key, "spec.scope[0]");
        parsed_done(&p);
}

TEST(actions) {
        Parsed p = parse_text(HEAD "spec:\n  scope: [global]\n  defaultActions: [log, webhook]\n  rules:\n  - event: "
                              "openat\n");

        ASSERT_EQ(p.n, 1);
        ASSERT_EQ(p.problems.n, 1);
        ASSERT_EQ(p.problems.items[0].severity, PROBLEM_WARNING);
        ASSERT_STREQ(p.problems.items[0].key, "spec.defaultActions[1]");
        parsed_done(&p);
}

TEST(plain_form) {
        Parsed p = parse_text("type: policy\nname: plain\ndescription: d\nscope: [global]\nrules:\n- event: openat\n");

        ASSERT_EQ(p.n, 1);
        ASSERT_STREQ(p.policies[0]->name, "plain");
        ASSERT_STREQ(p.policies[0]->description, "d");
        ASSERT_EQ(p.policies[0]->kind, POLICY_KIND_TRACEE);
        parsed_done(&p);

        /* Before `type` was there. */
        p = parse_text("name: older\ndescription: d\nscope:\n- global\ndefaultActions:\n- log\nrules:\n- event: close\n"
                       "  filters:\n  - retval!=0\n");
        ASSERT_EQ(p.n, 1);
        parsed_done(&p);

        p = parse_text("type: policy\nscope: [global]\nrules:\n- event: openat\n");
        ASSERT_EQ(p.n, 0);
        ASSERT_CONTAINS(p.problems.items[0].message, "The key name is missing");
        parsed_done(&p);
}

TEST(description_from_annotations) {
        Parsed p = parse_text("apiVersion: aquasecurity.github.io/v1beta1\nkind: TraceePolicy\nmetadata:\n  name: t\n"
                              "  annotations:\n    description: seen\n    scopetrace.org/scope: \"9\"\n"
                              "spec:\n  scope: [global]\n  rules:\n  - event: openat\n");

        ASSERT_EQ(p.n, 1);
        ASSERT_STREQ(p.policies[0]->description, "seen");
        ASSERT_EQ(p.policies[0]->scope, 9);
        parsed_done(&p);
}

TEST(wildcards_and_sets) {
        Parsed p = parse_text(HEAD "spec:\n  scope: [global]\n  rules:\n  - event: fs_link_ops\n  - event: openat*\n");

        ASSERT_EQ(p.n, 1);
        ASSERT_NOT_NULL(event_of(rule_of(&p), "symlink"));
        ASSERT_NOT_NULL(event_of(rule_of(&p), "openat2"));
        parsed_done(&p);
}

TEST(too_many_rules_on_one_event) {
        char text[8192], *e;

        e = stpcpy(text, HEAD "spec:\n  scope: [global]\n  rules:\n");
        for (int i = 0; i < 70; i++)
                e = stpcpy(e, "  - event: openat\n");
        Parsed p = parse_text(text);
        ASSERT_EQ(p.n, 0);
        ASSERT_CONTAINS(p.problems.items[0].message, "More than 64 rules");
        parsed_done(&p);
}

TEST_MAIN()
