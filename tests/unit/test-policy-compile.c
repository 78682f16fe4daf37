/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The compiler: what its tables answer (plan-eval.c) is what the conditions mean, how rules are numbered and what they
 * share. Limits stand in test-policy-compile-limits.c, the random comparison in test-policy-compile-random.c. */

#include "compile-set.h"
#include "policy/capture-spec.h"

/* One policy, one rule, one condition on one argument. */
static void set_one(Set *s, Condition c) {
        Policy *p = build_policy("one");

        build_on_event(build_event(build_rule(p), &spec_a), c);
        set_add(s, p);
        set_compile(s);
        ASSERT_EQ(s->problems.n, 0);
}

static bool one_number(const Set *s, uint16_t field, uint64_t v) {
        EvalInput in = {};

        in.fields[field] = (EvalField) { .present = true, .number = v };
        return matches(s, SPEC_A_ID, &in, 0);
}

static bool one_string(const Set *s, uint16_t field, const char *v) {
        EvalInput in = {};

        in.fields[field] = (EvalField) { .present = true, .text = v, .size = strlen(v) };
        return matches(s, SPEC_A_ID, &in, 0);
}

TEST(number_vectors) {
        static const struct {
                bool is_signed;
                const char *items, *hit, *miss;
        } rows[] = {
                { true, "50 -2 8", "50 -2 8", "-4 51 MIN MAX" },
                { true, "50 8 !50", "50 8", "-2 -4 51" },
                { true, "51..MAX MIN..-3 8", "8 51 -4 MIN MAX", "50 -2" },
                { false, "50 7 8", "50 7 8", "149" },
                { false, "50 8 !50", "50 8", "149 7" },
                { false, "51..MAX 0..3 8", "8 2 51 52 0 MAX", "50 4" },
                { false, "0..6", "6 5 4 0", "7 MAX" },
                { true, "!0", "1 -1 MIN MAX", "0" },
                { true, "MIN..-1", "-1 MIN", "0 1 MAX" },
                { false, "!5 !6", "4 7 0 MAX", "5 6" },
                { false, "10..20 !15", "10 14 16 20", "9 15 21" },
                { false, "10..20 15 !15", "10 15 20", "9 21" },
                { false, "10..20 30 !15 !30", "10 30 20", "15 9 31" },
                { false, "!10..20", "9 21 0 MAX", "10 15 20" },
                { false, "0..100 !10..20 15", "9 15 21", "10 20 101" },
                { false, "0..10 5..20 15..30", "0 7 12 17 30", "31" },
                { false, "MAX", "MAX", "0" },
                { false, "0..MAX", "0 MAX 5", "" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                uint16_t field = rows[i].is_signed ? ARG(1) : ARG(0);
                Condition hit = number_condition(field, rows[i].is_signed, rows[i].hit),
                          miss = number_condition(field, rows[i].is_signed, rows[i].miss);
                Set s = {};

                set_one(&s, number_condition(field, rows[i].is_signed, rows[i].items));
                for (size_t k = 0; k < hit.n_eq; k++)
                        if (!one_number(&s, field, hit.eq[k]))
                                TEST_FAIL("%s misses %" PRIi64, rows[i].items, (int64_t) hit.eq[k]);
                for (size_t k = 0; k < miss.n_eq; k++)
                        if (one_number(&s, field, miss.eq[k]))
                                TEST_FAIL("%s hits %" PRIi64, rows[i].items, (int64_t) miss.eq[k]);
                condition_done(&hit);
                condition_done(&miss);
                set_done(&s);
        }
}

TEST(string_vectors) {
        static const struct {
                const char *items, *hit, *miss;
        } rows[] = {
                { "abc abcd", "abc abcd", "abcde aaaaaa ab" },
                { "!abc !abcd", "abcde aaaaaa", "abc abcd" },
                { "!abc !abcd abc", "abc abcde aaaaaa", "abcd" },
                { "!flanneld !kube-proxy !etcd kube-apiserver kubelet etcd", "kube-apiserver kubelet etcd bruh",
                  "flanneld kube-proxy" },
                { "*/release_agent /etc/kubernetes/pki/* *secrets/kubernetes.io/serviceaccount* *token /etc/ld.so.preload",
                  "xd/bruh/release_agent /etc/kubernetes/pki/true secrets/kubernetes.io/serviceaccount token something_token "
                  "anythingheresecrets/kubernetes.io/serviceaccountanythingthere /etc/ld.so.preload",
                  "/nottrue/etc/kubernetes/pki/ secrets/notkubernetes.io/serviceaccount token_withsomething "
                  "/etc/ld.so..preload" },
                { "mysqld* runc:[2:INIT] runc:* !runc* !containerd* !(kubelet)", "reality can runc:[2:INIT] runc:x mysqld5",
                  "containerd-nothis (kubelet) runc-else" },
                { "bruh* ahi* yallla* /etc/* /home/* /tmp/* /bin/x* lib* xlib64* /usr*",
                  "xlib643 /bin/x/a3 bruh5 yallla /home/ubuntu", "/x/bin/x/a2 abruh6 yalla /dir/home/ubuntu" },
                { "*bruh *ahi */.ssh */kube.config */.git *.git",
                  "abruh bruh /home/ubuntu/.ssh /usr/kubernetes/kube.config /path/to/repo/.git",
                  "bruh5 k8s/kube.config.user path/to/repo/.gitignore" },
                { "a* ab* abc* abcd*", "a ab abc abcd abcde az", "b ba" },
                { "!a* abc*", "abc abcd b", "a ab abd" },
                { "*he* *she* *hers* *his*", "she hers ushers ahishers the", "h s hs eh" },
                { "!*b*", "a aaa ccc", "b abc ab ba" },
                { "*aa* !*ab*", "aa aab baab c", "ab cab" },
                { "\"\"", "\"\"", "a" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                Set s = {};
                char copy[512], *save = NULL;

                /* "runc:..." is not a mount namespace here. */
                Condition c = string_condition(ARG(2), "");
                strcpy(copy, rows[i].items);
                for (char *w = strtok_r(copy, " ", &save); w; w = strtok_r(NULL, " ", &save)) {
                        bool negative = w[0] == '!', front, back;
                        size_t n;
                        Pattern p = { .negative = negative };

                        w += negative;
                        if (strcmp(w, "\"\"") == 0)
                                w += 2;
                        n = strlen(w);
                        front = n > 0 && w[0] == '*';
                        back = n > 1 && w[n - 1] == '*';
                        p.kind = front && back ? PATTERN_SUBSTRING : front ? PATTERN_SUFFIX : back ? PATTERN_PREFIX
                                                                                                   : PATTERN_EQUAL;
                        p.size = n - front - back;
                        p.text = strndup(w + front, p.size);
                        c.patterns = reallocarray(c.patterns, c.n_patterns + 1, sizeof(p));
                        c.patterns[c.n_patterns++] = p;
                }
                set_one(&s, c);

                for (int hit = 1; hit >= 0; hit--) {
                        char words[512];

                        strcpy(words, hit ? rows[i].hit : rows[i].miss);
                        for (char *w = strtok_r(words, " ", &save); w; w = strtok_r(NULL, " ", &save)) {
                                if (strcmp(w, "\"\"") == 0)
                                        w += 2;
                                if (one_string(&s, ARG(2), w) != hit)
                                        TEST_FAIL("%s %s \"%s\"", rows[i].items, hit ? "misses" : "hits", w);
                        }
                }
                set_done(&s);
        }
}

/* pid= means the process or the thread; pid!= neither. */
TEST(pid_or_tid) {
        static const struct {
                const char *items;
                uint64_t pid, tid;
                bool match;
        } rows[] = {
                { "5", 5, 5, true },
                { "5", 5, 9, true },
                { "5", 1, 5, true },
                { "5", 1, 9, false },
                { "!5", 5, 5, false },
                { "!5", 5, 9, false },
                { "!5", 1, 5, false },
                { "!5", 1, 9, true },
                { "100..MAX !200", 150, 151, true },
                { "100..MAX !200", 200, 201, false },
                { "100..MAX !200", 150, 200, false },
                { "100..MAX !200 7", 7, 200, true },
                { "100..MAX", 50, 150, false },          /* ranges ask the process alone */
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                Condition c = number_condition(SCT_FIELD_HOST_PID, false, rows[i].items);
                EvalInput in = {
                        .fields[SCT_FIELD_HOST_PID] = { .present = true, .number = rows[i].pid },
                        .fields[SCT_FIELD_HOST_TID] = { .present = true, .number = rows[i].tid },
                };
                Policy *p = build_policy("pid");
                PolicyRule *rule = build_rule(p);
                Set s = {};

                c.or_field = SCT_FIELD_HOST_TID;
                build_event(rule, &spec_a);
                build_subject(rule, c);
                set_add(&s, p);
                set_compile(&s);
                if (matches(&s, SPEC_A_ID, &in, 0) != rows[i].match)
                        TEST_FAIL("%s on process %" PRIu64 " thread %" PRIu64, rows[i].items, rows[i].pid, rows[i].tid);
                set_done(&s);
        }
}

TEST(binary_in_a_mount_namespace) {
        static const struct {
                const char *items, *exe;
                uint64_t ns;
                bool match;
        } rows[] = {
                { "77:/bin/ls", "/bin/ls", 77, true },
                { "77:/bin/ls", "/bin/ls", 78, false },
                { "77:/bin/ls /bin/cat", "/bin/cat", 5, true },
                { "77:/bin/ls /bin/cat", "/bin/ls", 5, false },
                { "77:/bin/* 78:/usr/*", "/bin/x", 77, true },
                { "77:/bin/* 78:/usr/*", "/bin/x", 78, false },
                { "!77:/bin/ls", "/bin/ls", 77, false },
                { "!77:/bin/ls", "/bin/ls", 78, true },
                { "!77:/bin/ls /bin/ls", "/bin/ls", 77, true },
                { "!77:/bin/ls !/bin/cat", "/bin/cat", 77, false },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                EvalInput in = {
                        .fields[SCT_FIELD_EXE] = { .present = true, .text = rows[i].exe, .size = strlen(rows[i].exe) },
                        .fields[SCT_FIELD_MNT_NS] = { .present = true, .number = rows[i].ns },
                };
                Policy *p = build_policy("binary");
                PolicyRule *rule = build_rule(p);
                Set s = {};

                build_event(rule, &spec_a);
                build_subject(rule, string_condition(SCT_FIELD_EXE, rows[i].items));
                set_add(&s, p);
                set_compile(&s);
                if (matches(&s, SPEC_A_ID, &in, 0) != rows[i].match)
                        TEST_FAIL("%s on %" PRIu64 ":%s", rows[i].items, rows[i].ns, rows[i].exe);
                set_done(&s);
        }
}

/* A suffix has nothing to do with a namespace in front. */
TEST(suffix_in_a_mount_namespace_is_refused) {
        Policy *p = build_policy("suffix");
        PolicyRule *rule = build_rule(p);
        Set s = {};

        build_event(rule, &spec_a);
        build_subject(rule, string_condition(SCT_FIELD_EXE, "77:*ls"));
        set_add(&s, p);
        set_compile(&s);
        ASSERT_TRUE(s.failed[0]);
        ASSERT_CONTAINS(s.problems.items[0].message, "host:/usr/bin/*");
        ASSERT_EQ(s.plan->n_rules, 0);
        set_done(&s);
}

TEST(masks) {
        Set s = {};

        set_one(&s, mask_condition(ARG(4), "3/1 3/2 40"));
        ASSERT_FALSE(one_number(&s, ARG(4), 0));
        ASSERT_TRUE(one_number(&s, ARG(4), 1));
        ASSERT_TRUE(one_number(&s, ARG(4), 0x102));
        ASSERT_FALSE(one_number(&s, ARG(4), 3));
        ASSERT_TRUE(one_number(&s, ARG(4), 0x43));
        set_done(&s);

        set_one(&s, mask_condition(ARG(4), "!40"));
        ASSERT_TRUE(one_number(&s, ARG(4), 0));
        ASSERT_FALSE(one_number(&s, ARG(4), 0x41));
        set_done(&s);
}

TEST(absent_field_matches_nothing) {
        static const char *const items[] = { "5", "!5", "0..MAX", "!0..3" };
        EvalInput in = {};
        Set s = {};

        for (size_t i = 0; i < ELEMENTSOF(items); i++) {
                set_one(&s, number_condition(ARG(0), false, items[i]));
                ASSERT_FALSE(matches(&s, SPEC_A_ID, &in, 0));
                set_done(&s);
        }
        set_one(&s, present_condition(ARG(5)));
        ASSERT_FALSE(matches(&s, SPEC_A_ID, &in, 0));
        in.fields[ARG(5)].present = true;
        ASSERT_TRUE(matches(&s, SPEC_A_ID, &in, 0));
        set_done(&s);
}

static void set_pattern_bit(const Plan *p, EvalInput *in, unsigned kind, const char *glob) {
        for (size_t i = 0; i < p->n_cgroup_patterns; i++)
                if (p->cgroup_patterns[i].kind == kind && strcmp(p->cgroup_patterns[i].glob, glob) == 0)
                        in->cgroup[i / 64] |= UINT64_C(1) << (i % 64);
}

/* What is excluded lies inside what is wanted. */
TEST(cgroup_and_tree) {
        Policy *p = build_policy("cgroup");
        PolicyRule *rule = build_rule(p);
        EvalInput in = {};
        Set s = {};

        build_event(rule, &spec_a);
        build_subject(rule, cgroup_condition("unit=nginx* !unit=nginx-debug.service"));
        build_subject(rule, cgroup_condition("slice=system.slice"));
        set_add(&s, p);
        p = build_policy("tree");
        rule = build_rule(p);
        build_event(rule, &spec_a);
        build_subject(rule, tree_condition("10 !20 !10"));
        set_add(&s, p);
        set_compile(&s);
        ASSERT_EQ(s.plan->n_cgroup_patterns, 3);
        ASSERT_EQ(s.plan->config.n_cgroup_patterns, 3);
        ASSERT_EQ(s.plan->config.n_tree_roots, 2);
        ASSERT_EQ(s.plan->config.tree_root[0], 10);
        ASSERT_EQ(s.plan->config.tree_root[1], 20);

        ASSERT_FALSE(matches(&s, SPEC_A_ID, &in, 0));
        set_pattern_bit(s.plan, &in, SCT_CGROUP_UNIT, "nginx*");
        ASSERT_FALSE(matches(&s, SPEC_A_ID, &in, 0));
        set_pattern_bit(s.plan, &in, SCT_CGROUP_SLICE, "system.slice");
        ASSERT_TRUE(matches(&s, SPEC_A_ID, &in, 0));
        set_pattern_bit(s.plan, &in, SCT_CGROUP_UNIT, "nginx-debug.service");
        ASSERT_FALSE(matches(&s, SPEC_A_ID, &in, 0));

        ASSERT_FALSE(matches(&s, SPEC_A_ID, &in, 1));
        in.tree = 1;
        ASSERT_TRUE(matches(&s, SPEC_A_ID, &in, 1));
        in.tree = 3;
        ASSERT_FALSE(matches(&s, SPEC_A_ID, &in, 1));
        set_done(&s);
}

TEST(new_processes_and_containers) {
        EvalInput in = { .fields[SCT_FIELD_BORN] = { .present = true, .number = 1000 },
                         .fields[SCT_FIELD_CGROUP_BORN] = { .present = true, .number = 0 } };
        Set s = {};

        for (unsigned i = 0; i < 4; i++) {
                Policy *p = build_policy("new");
                PolicyRule *rule = build_rule(p);

                build_event(rule, &spec_a);
                rule->born_after_load = i == 0;
                rule->not_born_after_load = i == 1;
                rule->cgroup_after_load = i == 2;
                rule->not_cgroup_after_load = i == 3;
                set_add(&s, p);
        }
        set_compile(&s);

        ASSERT_TRUE(matches(&s, SPEC_A_ID, &in, 0));
        ASSERT_FALSE(matches(&s, SPEC_A_ID, &in, 1));
        in.fields[SCT_FIELD_BORN].number = 999;
        ASSERT_FALSE(matches(&s, SPEC_A_ID, &in, 0));
        ASSERT_TRUE(matches(&s, SPEC_A_ID, &in, 1));

        /* Neither kind without a container. */
        ASSERT_FALSE(matches(&s, SPEC_A_ID, &in, 2));
        ASSERT_FALSE(matches(&s, SPEC_A_ID, &in, 3));
        set_pattern_bit(s.plan, &in, SCT_CGROUP_CONTAINER, "*");
        ASSERT_FALSE(matches(&s, SPEC_A_ID, &in, 2));
        ASSERT_TRUE(matches(&s, SPEC_A_ID, &in, 3));
        in.fields[SCT_FIELD_CGROUP_BORN].number = 1000;
        ASSERT_TRUE(matches(&s, SPEC_A_ID, &in, 2));
        ASSERT_FALSE(matches(&s, SPEC_A_ID, &in, 3));
        set_done(&s);
}

TEST(follow_passes_the_subject) {
        Policy *p = build_policy("follow");
        PolicyRule *rule = build_rule(p);
        EvalInput in = { .fields[SCT_FIELD_UID] = { .present = true, .number = 1 } };
        Set s = {};

        build_on_event(build_event(rule, &spec_a), number_condition(ARG(0), false, "5"));
        build_subject(rule, number_condition(SCT_FIELD_UID, false, "0"));
        rule->follow = rule->names_journal = true;
        set_add(&s, p);
        s.inputs[0].follow_slot = 9;
        set_compile(&s);
        ASSERT_EQ(s.plan->config.follow_slot[0], 9);
        ASSERT_EQ(s.plan->config.follow_slot[1], 0xff);
        ASSERT_EQ_U64(s.plan->config.follow[0], 1);
        ASSERT_EQ_U64(s.plan->config.names_journal[0], 1);
        ASSERT_EQ(s.plan->config.any_follow, 1);

        in.fields[ARG(0)] = (EvalField) { .present = true, .number = 5 };
        ASSERT_FALSE(matches(&s, SPEC_A_ID, &in, 0));
        in.follow = 1 << 9;
        ASSERT_TRUE(matches(&s, SPEC_A_ID, &in, 0));
        in.fields[ARG(0)].number = 6;
        ASSERT_FALSE(matches(&s, SPEC_A_ID, &in, 0));
        set_done(&s);

        set_add(&s, policy_ref(p = build_policy("no slot")));
        build_event(rule = build_rule(p), &spec_a);
        rule->follow = true;
        policy_unref(p);
        set_compile(&s);
        ASSERT_TRUE(s.failed[0]);
        set_done(&s);
}

/* Arguments, flags and numbers of a real system call, and where hooks look for the plan. */
TEST(catalogue) {
        const EventSpec *openat = event_spec_by_name("openat"), *exit_group = event_spec_by_name("exit_group"),
                        *sys_enter = event_spec_by_name("sys_enter"), *read = event_spec_by_name("read");
        const struct sct_plan *plan;
        Policy *p = build_policy("real");
        PolicyRule *rule = build_rule(p);
        int native, compat, buf;
        Set s = {};

        ASSERT_NOT_NULL(openat);
        ASSERT_NOT_NULL(exit_group);
        ASSERT_NOT_NULL(sys_enter);
        ASSERT_NOT_NULL(read);
        buf = event_arg_index(read, "count");
        ASSERT_OK(buf);
        build_event(rule, openat);
        build_event(rule, exit_group);
        build_event(rule, sys_enter);
        build_on_event(build_event(rule, read), number_condition(SCT_FIELD_RETVAL, true, "1..MAX"));
        build_on_event(rule->events + 3, number_condition(ARG(buf), false, "8"));
        set_add(&s, p);
        set_compile(&s);

        event_syscall_numbers(openat, &native, &compat);
        ASSERT_EQ(s.plan->n_plans, 5);
        ASSERT_TRUE(s.plan->events[openat->id] > 0);
        ASSERT_EQ(s.plan->syscalls[native], s.plan->events[openat->id]);
        ASSERT_EQ(s.plan->syscalls[SCT_SYSCALL_NR_MAX + compat], s.plan->events[openat->id]);
        ASSERT_EQ(s.plan->config.plan_sys_enter, s.plan->events[sys_enter->id]);
        ASSERT_EQ(s.plan->config.plan_sys_exit, 0);

        plan = s.plan->plans + s.plan->events[openat->id];
        ASSERT_EQ(plan->event, openat->id);
        ASSERT_EQ(plan->n_args, openat->n_args);
        for (size_t i = 0; i < openat->n_args; i++) {
                ASSERT_EQ(plan->args[i].type, openat->args[i].type);
                ASSERT_EQ(plan->args[i].source, openat->args[i].source);
                ASSERT_EQ(plan->args[i].size_source, openat->args[i].size_source);
                ASSERT_EQ(plan->args[i].flags, openat->args[i].flags);
        }
        ASSERT_EQ(plan->flags, 0);
        ASSERT_EQ(s.plan->plans[s.plan->events[exit_group->id]].flags, SCT_PLAN_NO_RETURN);

        plan = s.plan->plans + s.plan->events[read->id];
        ASSERT_EQ(plan->n_preds, 2);
        ASSERT_EQ(plan->n_preds_entry, 1);
        ASSERT_EQ(s.plan->preds[plan->pred_first].field, ARG(buf));
        ASSERT_EQ(s.plan->preds[plan->pred_first + 1].field, SCT_FIELD_RETVAL);
        ASSERT_EQ(s.plan->config.generation, 7);
        set_done(&s);
}

static uint8_t arg_flags(const Set *s, const EventSpec *spec, const char *arg) {
        return s->plan->plans[s->plan->events[spec->id]].args[event_arg_index(spec, arg)].flags;
}

/* One policy of an event that wants more in its records is enough, other events are as they were. */
TEST(options) {
        const EventSpec *close = event_spec_by_name("close"), *dup2 = event_spec_by_name("dup2"),
                        *exec = event_spec_by_name("sched_process_exec"), *openat = event_spec_by_name("openat");
        Policy *plain = build_policy("plain"), *paths = build_policy("paths"), *env = build_policy("env");
        PolicyRule *rule;
        Set s = {};

        rule = build_rule(plain);
        build_event(rule, close);
        build_event(rule, dup2);
        build_event(rule, exec);
        build_event(build_rule(paths), close);
        build_event(paths->rules, openat);
        paths->options = POLICY_OPTION_FD_PATHS;
        set_add(&s, plain);
        set_add(&s, paths);
        set_compile(&s);
        ASSERT_EQ(arg_flags(&s, close, "fd"), SCT_ARG_PLAN_FD_PATH);
        ASSERT_EQ(arg_flags(&s, dup2, "oldfd"), 0);
        ASSERT_EQ(arg_flags(&s, openat, "flags"), 0);
        ASSERT_EQ(s.plan->plans[s.plan->events[exec->id]].flags, 0);
        plan_free(s.plan);
        s.plan = NULL;

        build_event(build_rule(env), exec);
        env->options = POLICY_OPTION_EXEC_ENV;
        set_add(&s, env);
        set_compile(&s);
        ASSERT_EQ(s.plan->plans[s.plan->events[exec->id]].flags, SCT_PLAN_EXEC_ENV);
        ASSERT_EQ(s.plan->plans[s.plan->events[close->id]].flags, 0);
        set_done(&s);
}

/* A condition on the environment needs it read. */
TEST(environment_is_read_for_its_conditions) {
        const EventSpec *exec = event_spec_by_name("sched_process_exec");
        Policy *p = build_policy("p");
        Set s = {};

        build_on_event(build_event(build_rule(p), exec), string_condition(ARG(event_arg_index(exec, "env")), "SECRET*"));
        set_add(&s, p);
        set_compile(&s);
        ASSERT_EQ(s.plan->plans[s.plan->events[exec->id]].flags, SCT_PLAN_EXEC_ENV);
        set_done(&s);
}

/* Bit and bank of a rule are its number; every bank answers for itself. */
TEST(many_rules_of_one_event) {
        static const unsigned sizes[] = { 1, 63, 64, 65, 512, 2048 };

        for (size_t k = 0; k < ELEMENTSOF(sizes); k++) {
                Policy *p = build_policy("many");
                EvalInput in = {};
                Set s = {};

                for (unsigned i = 0; i < sizes[k]; i++) {
                        char items[32];

                        snprintf(items, sizeof(items), "%u", i);
                        build_on_event(build_event(build_rule(p), &spec_a), number_condition(ARG(0), false, items));
                        build_subject(p->rules + i, number_condition(SCT_FIELD_UID, false, "0"));
                }
                set_add(&s, p);
                set_compile(&s);
                ASSERT_EQ(s.problems.n, 0);
                ASSERT_EQ(s.plan->n_rules, sizes[k]);
                ASSERT_EQ(s.plan->config.n_banks, (sizes[k] + 63) / 64);
                ASSERT_EQ(s.plan->plans[1].n_banks, (sizes[k] + 63) / 64);

                in.fields[SCT_FIELD_UID].present = in.fields[ARG(0)].present = true;
                for (unsigned i = 0; i < sizes[k]; i += 1 + sizes[k] / 50) {
                        uint64_t active[SCT_BANKS_MAX];
                        unsigned n = 0;

                        in.fields[ARG(0)].number = i;
                        eval_event(s.plan, s.plan->plans + 1, &in, active);
                        for (unsigned r = 0; r < sizes[k]; r++)
                                if (active[r / 64] >> (r % 64) & 1) {
                                        ASSERT_EQ(s.plan->rules[r].rule, i);
                                        n++;
                                }
                        ASSERT_EQ(n, 1);
                }
                set_done(&s);
        }
}

/* 20 events of 50 rules each, given in turns: no event spreads over more than two banks. */
TEST(rules_of_one_event_are_neighbours) {
        EventSpec specs[20];
        Policy *p = build_policy("turns");
        Set s = {};

        for (unsigned i = 0; i < 20; i++)
                specs[i] = spec_numbered(3000 + i);
        for (unsigned i = 0; i < 1000; i++)
                build_event(build_rule(p), specs + i % 20);
        set_add(&s, p);
        set_compile(&s);
        ASSERT_EQ(s.plan->config.n_banks, 16);
        for (unsigned i = 1; i < s.plan->n_plans; i++)
                ASSERT_LE(s.plan->plans[i].n_banks, 2);
        set_done(&s);
}

/* What is equal stands in the tables once, whatever the number of events and scopes. */
TEST(equal_conditions_cost_once) {
        EventSpec specs[200];
        size_t n_numbers = 0, n_equal = 0, n_dfa = 0, n_preds = 0;

        for (unsigned i = 0; i < ELEMENTSOF(specs); i++)
                specs[i] = spec_numbered(2000 + i);
        for (unsigned n_events = 1; n_events <= 200; n_events += 199) {
                Set s = {};

                for (unsigned i = 0; i < 64; i++) {
                        Policy *p = build_policy("scope");
                        PolicyRule *rule = build_rule(p);

                        for (unsigned k = 0; k < n_events; k++) {
                                PolicyEvent *e = build_event(rule, specs + k);

                                build_on_event(e, number_condition(ARG(0), false, "1 2 3"));
                                build_on_event(e, string_condition(ARG(2), "/etc/passwd /tmp/* *.so *secret*"));
                        }
                        build_subject(rule, string_condition(SCT_FIELD_COMM, "nginx"));
                        set_add(&s, p);
                }
                set_compile(&s);
                if (n_events == 1) {
                        n_numbers = s.plan->n_numbers;
                        n_equal = s.plan->n_equal;
                        n_dfa = s.plan->n_dfa;
                        n_preds = s.plan->n_preds;
                        ASSERT_EQ(n_numbers, 3);
                        ASSERT_EQ(n_equal, 2);
                        ASSERT_EQ(n_dfa, 7 * 256);
                        ASSERT_EQ(n_preds, 3);
                } else {
                        ASSERT_EQ(s.plan->n_plans, 201);
                        ASSERT_EQ(s.plan->n_numbers, n_numbers);
                        ASSERT_EQ(s.plan->n_equal, n_equal);
                        ASSERT_EQ(s.plan->n_dfa, n_dfa);
                        ASSERT_EQ(s.plan->n_preds, n_preds);
                }
                set_done(&s);
        }
}

TEST(many_values) {
        Condition c = number_condition(ARG(0), false, ""), t = string_condition(ARG(2), "");
        Policy *p = build_policy("values");
        EvalInput in = {};
        Set s = {};

        c.n_eq = t.n_patterns = POLICY_VALUES_MAX;
        c.eq = new(uint64_t, c.n_eq);
        t.patterns = new0(Pattern, t.n_patterns);
        for (size_t i = 0; i < c.n_eq; i++) {
                char text[32];

                c.eq[i] = i * 7;
                snprintf(text, sizeof(text), "/a/%zu", i * 7919 % POLICY_VALUES_MAX);
                t.patterns[i] = (Pattern) { .kind = i % 3, .text = strdup(text), .size = strlen(text) };
        }
        build_on_event(build_event(build_rule(p), &spec_a), c);
        build_on_event(p->rules[0].events, t);
        set_add(&s, p);
        set_compile(&s);
        ASSERT_EQ(s.plan->n_numbers, POLICY_VALUES_MAX);

        in.fields[ARG(0)] = (EvalField) { .present = true, .number = 65535 * 7 };
        in.fields[ARG(2)] = (EvalField) { .present = true, .text = "/a/0", .size = 4 };
        ASSERT_TRUE(matches(&s, SPEC_A_ID, &in, 0));
        in.fields[ARG(0)].number++;
        ASSERT_FALSE(matches(&s, SPEC_A_ID, &in, 0));
        set_done(&s);
}

TEST(nothing_to_compile) {
        Policy *p = build_policy("empty");
        Set s = {};

        set_compile(&s);
        ASSERT_EQ(s.plan->n_plans, 1);
        ASSERT_EQ(s.plan->n_rules, 0);
        set_done(&s);

        build_rule(p);       /* wants no event: event!=* */
        set_add(&s, p);
        set_compile(&s);
        ASSERT_FALSE(s.failed[0]);
        ASSERT_EQ(s.plan->n_rules, 0);
        ASSERT_EQ(s.plan->config.n_banks, 0);
        set_done(&s);
}

/* A policy of one rule on some events. */
static void add_on(Set *s, const char *const *events, size_t n, bool filtered) {
        Policy *p = build_policy("packets");
        PolicyRule *rule = build_rule(p);

        for (size_t i = 0; i < n; i++)
                build_event(rule, event_spec_by_name(events[i]));
        if (filtered) {
                p->captures = new0(CaptureSpecList, 1);
                ASSERT_NOT_NULL(p->captures);
                p->captures->items = new0(CaptureSpec, 1);
                ASSERT_NOT_NULL(p->captures->items);
                p->captures->n = 1;
                p->captures->items[0] = (CaptureSpec) { .kind = CAPTURE_NETWORK, .pcap_snaplen = 96, .pcap_filtered = true };
        }
        set_add(s, p);
}

#define ADD_ON(s, filtered, ...) \
        add_on(s, (const char *const[]) { __VA_ARGS__ }, ELEMENTSOF(((const char *const[]) { __VA_ARGS__ })), filtered)

/* One plan for all packets wants what those of the events do; it has no event of its own. */
TEST(plan_of_packets) {
        const struct sct_gen_config *config;
        Set s = {};

        ADD_ON(&s, false, "openat", "net_packet_tcp");
        ADD_ON(&s, false, "openat");
        ADD_ON(&s, true, "net_packet_icmp", "capture_packet");
        set_compile(&s);
        config = &s.plan->config;
        ASSERT_EQ(config->packet_kinds, SCT_PACKET_TCP | SCT_PACKET_ICMP | SCT_PACKET_CAPTURE);
        ASSERT_EQ(config->plan_packets, s.plan->n_plans - 1);
        ASSERT_EQ(s.plan->plans[config->plan_packets].wants[0], 5);
        ASSERT_EQ(s.plan->plans[config->plan_packets].n_preds, 0);
        ASSERT_EQ(config->packets_filtered[0], 4);
        ASSERT_EQ(config->packet_bytes, 96);
        set_done(&s);

        ADD_ON(&s, false, "openat");
        set_compile(&s);
        ASSERT_EQ(s.plan->config.packet_kinds, 0);
        ASSERT_EQ(s.plan->config.plan_packets, 0);
        set_done(&s);
}

/* Interfaces are asked of packets alone. */
TEST(interfaces_of_packets) {
        EvalInput in = {};
        Set s = {};

        ADD_ON(&s, false, "openat", "net_packet_tcp");
        build_subject(s.inputs[0].policy->rules, string_condition(SCT_FIELD_INTERFACE, "eth*"));
        set_compile(&s);
        ASSERT_TRUE(s.plan->uses & SCT_USE_INTERFACES);
        ASSERT_EQ(s.plan->config.n_subject_preds, 0);
        in.fields[SCT_FIELD_INTERFACE] = (EvalField) { .present = true, .text = "lo", .size = 2 };
        ASSERT_TRUE(matches(&s, event_spec_by_name("openat")->id, &in, 0));
        ASSERT_FALSE(matches(&s, event_spec_by_name("net_packet_tcp")->id, &in, 0));
        in.fields[SCT_FIELD_INTERFACE] = (EvalField) { .present = true, .text = "eth0", .size = 4 };
        ASSERT_TRUE(matches(&s, event_spec_by_name("net_packet_tcp")->id, &in, 0));
        set_done(&s);
}

/* Of rules in several banks. */
TEST(plan_of_packets_of_many_rules) {
        const struct sct_plan *all;
        Set s = {};

        for (unsigned i = 0; i < 70; i++)
                ADD_ON(&s, false, i < 3 ? "net_packet_udp" : "openat");
        set_compile(&s);
        all = s.plan->plans + s.plan->config.plan_packets;
        for (unsigned bank = 0; bank < SCT_BANKS_MAX; bank++)
                ASSERT_EQ(all->wants[bank], s.plan->plans[s.plan->events[event_spec_by_name("net_packet_udp")->id]].wants[bank]);
        ASSERT_EQ(all->n_banks, 1);
        set_done(&s);
}

TEST_MAIN()
