/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a plan is found to use: each condition its own, and nothing that nobody asked for. */

#include "compile-set.h"

/* What a set of one rule with this condition uses. */
static uint64_t uses_of(Condition c, bool on_event) {
        Policy *p = build_policy("one");
        PolicyRule *rule = build_rule(p);
        PolicyEvent *event = build_event(rule, &spec_a);
        Set s = {};
        uint64_t uses;

        if (on_event)
                build_on_event(event, c);
        else
                build_subject(rule, c);
        set_add(&s, p);
        set_compile(&s);
        uses = s.plan->uses;
        set_done(&s);
        return uses;
}

TEST(conditions_of_the_subject) {
        ASSERT_EQ(uses_of(number_condition(SCT_FIELD_HOST_PID, false, "5"), false), 0);
        ASSERT_EQ(uses_of(number_condition(SCT_FIELD_UID, false, "5"), false), SCT_USE_IDS);
        ASSERT_EQ(uses_of(number_condition(SCT_FIELD_UID, false, "5..900"), false), SCT_USE_IDS | SCT_USE_RANGES);
        ASSERT_EQ(uses_of(string_condition(SCT_FIELD_COMM, "a"), false), SCT_USE_COMM | SCT_USE_EQUAL);
        ASSERT_EQ(uses_of(string_condition(SCT_FIELD_EXE, "/bin/*"), false), SCT_USE_PREFIXES);
        ASSERT_EQ(uses_of(string_condition(SCT_FIELD_EXE, "!*.so"), false), SCT_USE_SUFFIXES);
        ASSERT_EQ(uses_of(string_condition(SCT_FIELD_EXE, "*x*"), false), SCT_USE_SUBSTRINGS);
        ASSERT_EQ(uses_of(string_condition(SCT_FIELD_UTS, "a"), false), SCT_USE_EQUAL | SCT_USE_UTS | SCT_USE_NAMESPACES);
        ASSERT_EQ(uses_of(cgroup_condition("unit=x.service"), false), SCT_USE_LISTS | SCT_USE_CGROUPS);
        ASSERT_EQ(uses_of(tree_condition("5"), false), SCT_USE_LISTS | SCT_USE_TREE | SCT_USE_PARENTS);
        ASSERT_EQ(uses_of(string_condition(SCT_FIELD_EXE_TREE, "/bin/a"), false),
                  SCT_USE_LISTS | SCT_USE_EQUAL | SCT_USE_KIN | SCT_USE_PARENTS | SCT_USE_NAMESPACES);
        ASSERT_EQ(uses_of(mask_condition(SCT_FIELD_NS_CHANGED, "4"), false),
                  SCT_USE_LISTS | SCT_USE_ORIGIN | SCT_USE_NAMESPACES | SCT_USE_IDS);
        ASSERT_EQ(uses_of(number_condition(SCT_FIELD_NET_NS, false, "5"), false),
                  SCT_USE_TASK_NUMBERS | SCT_USE_NAMESPACES | SCT_USE_IDS);
        ASSERT_EQ(uses_of(string_condition(SCT_FIELD_PARENT_EXE, "/bin/a"), false),
                  SCT_USE_EQUAL | SCT_USE_PARENT_EXE | SCT_USE_PARENTS);
}

/* What the kernel side does not compare, because no rule asks it, a rule must not ask: each field of a subject either says
 * what it needs, or cannot change while the same program runs. */
TEST(fields_that_change) {
        static const uint16_t constant[] = { SCT_FIELD_HOST_PID, SCT_FIELD_HOST_TID, SCT_FIELD_PID, SCT_FIELD_TID,
                                             SCT_FIELD_BORN, SCT_FIELD_EXE, SCT_FIELD_FOLLOW };
        static const uint64_t changing = SCT_USE_COMM | SCT_USE_IDS | SCT_USE_CGROUPS | SCT_USE_PARENTS | SCT_USE_NAMESPACES;
        static const uint16_t of_event[] = { SCT_FIELD_TIMESTAMP, SCT_FIELD_CPU, SCT_FIELD_SYSCALL, SCT_FIELD_RETVAL,
                                             SCT_FIELD_INTERFACE };

        for (uint16_t field = SCT_FIELD_NONE + 1; field <= SCT_FIELD_INTERFACE; field++) {
                bool known = false;

                for (size_t i = 0; i < ELEMENTSOF(constant); i++)
                        known = known || constant[i] == field;
                for (size_t i = 0; i < ELEMENTSOF(of_event); i++)
                        known = known || of_event[i] == field;
                if (!known)
                        ASSERT_TRUE(uses_of(number_condition(field, false, "5"), true) & changing);
        }
}

TEST(conditions_of_an_event) {
        ASSERT_EQ(uses_of(number_condition(ARG(0), false, "5"), true), 0);
        ASSERT_EQ(uses_of(string_condition(ARG(2), "a*"), true), SCT_USE_PREFIXES);
        ASSERT_EQ(uses_of(number_condition(SCT_FIELD_ARG_PART(SCT_PART_FAMILY, 0), false, "2"), true), SCT_USE_PARTS);
}

TEST(rules_and_types) {
        Set s = {};

        for (size_t i = 0; i < 65; i++) {
                Policy *p = build_policy("many");

                build_event(build_rule(p), &spec_a);
                set_add(&s, p);
                if (i == 63) {
                        set_compile(&s);
                        ASSERT_FALSE(s.plan->uses & SCT_USE_BANKS);
                        s.plan = plan_free(s.plan);
                }
        }
        set_compile(&s);
        ASSERT_TRUE(s.plan->uses & SCT_USE_BANKS);
        ASSERT_TRUE(s.plan->uses_types & UINT64_C(1) << SCT_ARG_STR);
        ASSERT_FALSE(s.plan->uses_types & UINT64_C(1) << SCT_ARG_IOVEC);
        set_done(&s);
}

TEST(packets) {
        static const struct {
                const char *event;
                uint64_t use;
        } rows[] = {
                { "net_packet_udp", SCT_USE_PACKET_EVENTS }, { "capture_packet", SCT_USE_PACKET_CAPTURES }, { "openat", 0 },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                Policy *p = build_policy("one");
                Set s = {};

                build_event(build_rule(p), event_spec_by_name(rows[i].event));
                set_add(&s, p);
                set_compile(&s);
                ASSERT_EQ(s.plan->uses, rows[i].use);
                set_done(&s);
        }
}

TEST_MAIN()
