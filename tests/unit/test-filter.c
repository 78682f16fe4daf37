/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The filter language: what every expression becomes, which values it then matches, and what is refused with which
 * sentence. The vectors of Tracee's own tests are here; where Tracee ignores or never matches silently, ours is
 * tested. */

#include <time.h>

#include "policy-test.h"

static bool number_at(const Condition *c, int64_t v) {
        return condition_number_matches(c, (uint64_t) v);
}

static bool string_at(const Condition *c, const char *s) {
        return condition_string_matches(c, s, strlen(s));
}

/* ---- Grammar and dispatch ---- */

TEST(scope_prefix) {
        BAD_FILTERS("from 1 to 64", ":comm=bash");
        BAD_FILTERS("from 1 to 64", "0:comm=bash");
        BAD_FILTERS("from 1 to 64", "65:comm=bash");
        BAD_FILTERS("from 1 to 64", "x:comm=bash");
        BAD_FILTERS("from 1 to 64", "-1:comm=bash");
        BAD_FILTERS("from 1 to 64", "99999999999999999999:comm=bash");

        Parsed p = GOOD_FILTERS("42:comm=bash");
        ASSERT_EQ(p.policies[0]->scope, 42);
        ASSERT_STREQ(p.policies[0]->name, "test");
        parsed_done(&p);

        p = GOOD_FILTERS("comm=bash");
        ASSERT_EQ(p.policies[0]->scope, 1);
        parsed_done(&p);

        /* A colon behind the operator belongs to the value. */
        p = GOOD_FILTERS("comm=a:b");
        ASSERT_EQ(p.policies[0]->scope, 1);
        parsed_done(&p);
}

TEST(several_scopes) {
        Parsed p = PARSE_FILTERS("3:event=openat", "9:event=close", "3:comm=id");

        ASSERT_EQ(p.n, 2);
        ASSERT_EQ(p.policies[0]->scope, 3);
        ASSERT_STREQ(p.policies[0]->name, "test-3");
        ASSERT_EQ(p.policies[0]->rules[0].n_subject, 1);
        ASSERT_EQ(p.policies[1]->scope, 9);
        ASSERT_EQ(p.policies[1]->rules[0].n_subject, 0);
        parsed_done(&p);

        /* What is wrong in one scope leaves the others. */
        p = PARSE_FILTERS("3:event=openat", "9:event=clsoe");
        ASSERT_EQ(p.n, 1);
        ASSERT_EQ(p.problems.n_errors, 1);
        ASSERT_CONTAINS(p.problems.items[0].message, "did you mean close?");
        ASSERT_EQ(p.problems.items[0].line, 2);
        ASSERT_EQ(p.problems.items[0].column, 9);
        parsed_done(&p);
}

TEST(rejected_vectors) {
        BAD_FILTERS("A name is missing behind open.args", "open.args");
        BAD_FILTERS("open has no argument bla", "open.args.bla=5");
        BAD_FILTERS("open.args.NAME", "open.bla=5");
        BAD_FILTERS("open.args.pathname", "open.pathname=5");
        BAD_FILTERS("blabla is not a filter", "blabla=5");
        BAD_FILTERS("uid\\x090 is not a filter", "uid\t0");
        BAD_FILTERS("mntns\\x090 is not a filter", "mntns\t0");
        BAD_FILTERS("did you mean uid?", "UID>0");
        BAD_FILTERS("test is not a filter", "test=0");
        BAD_FILTERS("is not a filter",
                    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
                    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=0");
        BAD_FILTERS("A name is missing behind open.context", "open.context");
        BAD_FILTERS("bla is not an event", "bla.context.processName=ls");
        BAD_FILTERS("procName is no field", "openat.context.procName=ls");
        BAD_FILTERS("is not an event", ".retval");
        BAD_FILTERS("open.retval", "open.retvall=5");
        BAD_FILTERS("No value stands behind mntns=", "mntns=");
        BAD_FILTERS("No value stands behind uid>=", "uid>=");
        BAD_FILTERS("from 0 to 4294967295", "mntns=-1");
        BAD_FILTERS("from 0 to 4294967295", "uid=-1");
        BAD_FILTERS("begins with a space", "uid=\t");
        BAD_FILTERS("ends in a space", "uid=-1\t");
        BAD_FILTERS("from 0 to 4294967295", "uid=4294967296");
        BAD_FILTERS("from 0 to 4294967295", "2:uid=4294967296");
        BAD_FILTERS("from 0 to 4294967295", "uid=a");
        BAD_FILTERS("from 0 to 4294967295", "pidns=a");
        BAD_FILTERS("== is no operator", "uid==0");
        BAD_FILTERS("== is no operator", "2:uid==0");
        BAD_FILTERS(">> is no operator", "uid>>>>>>>>>>>>>>>>>>>>>>>>>>>>>0");
        BAD_FILTERS("No event's name matches blah*", "event=blah*");
        BAD_FILTERS("No event's name matches bl*ah", "event=bl*ah");
        BAD_FILTERS("is not an event", "event=print_syscall_table");
        BAD_FILTERS("No event's name matches blah*", "event!=blah*");
        BAD_FILTERS("No event's name matches bl*ah", "2:event!=bl*ah");
        BAD_FILTERS("No value is below 0", "uid<0");
        BAD_FILTERS("No value is above 4294967295", "uid>4294967295");
        BAD_FILTERS("pathname is an argument of openat", "openat.pathname=/etc/*");
        BAD_FILTERS("Behind \"open.\" stands \"retvals\"", "open.retvals=5");
}

/* Tracee crashes on these, or takes them for something else. */
TEST(rejected_traps) {
        BAD_FILTERS("event lacks an operator", "event");
        BAD_FILTERS("set lacks an operator", "set");
        BAD_FILTERS("The filter is empty", "");
        BAD_FILTERS("No name stands before =", "=5");
        BAD_FILTERS("A value in the list is empty", "comm=a,");
        BAD_FILTERS("A value in the list is empty", "comm=a,,b");
        BAD_FILTERS("A value in the list is empty", "comm=,a");
        BAD_FILTERS("at most 15 bytes", "comm=sixteen-bytes-xx");
        BAD_FILTERS("at most 64 bytes",
                    "uts=a12345678901234567890123456789012345678901234567890123456789012345");
        BAD_FILTERS("follow has no value", "follow=5");
        BAD_FILTERS("cannot be negated", "!follow");
        BAD_FILTERS("cannot be negated", "!uid");
        BAD_FILTERS("uid!=5", "!uid=5");
        BAD_FILTERS("has no operator >", "container>5");
        BAD_FILTERS("has no operator >=", "container>=5");
        BAD_FILTERS("stands alone", "container=new,abc");
        BAD_FILTERS("stands alone", "pid=new,5");
        BAD_FILTERS("has no operator <", "comm<x");
        BAD_FILTERS("has no operator >", "event>x");
        BAD_FILTERS("has no operator <", "mntns<5");
        BAD_FILTERS("take all events away", "event!=*");
        BAD_FILTERS("take all events away", "event=open*", "event!=open*");
        BAD_FILTERS("matches everything", "comm=*");
        BAD_FILTERS("matches everything", "comm=**");
        BAD_FILTERS("matches everything", "comm!=*");
        BAD_FILTERS("matches everything", "comm!=**");
        BAD_FILTERS("stands in the middle", "comm=a*b");
        BAD_FILTERS("stands in the middle", "comm=*a*b*");
        BAD_FILTERS("A path is compared whole", "binary=ls");
        BAD_FILTERS("A path is compared whole", "binary=bin/*");
        BAD_FILTERS("In front of the colon", "binary=a:/x");
        BAD_FILTERS("from 1 to 4294967295", "binary=-1:/x");
        BAD_FILTERS("packet events", "net=lo", "event=openat");
        BAD_FILTERS("at most 15 bytes", "net=sixteen_bytes_xx");
        BAD_FILTERS("openat is an event, not a filter", "openat");
        BAD_FILTERS("openat is an event, not a filter", "openat=/etc/passwd");
        BAD_FILTERS("fs is a set of events, not a filter", "fs");
        BAD_FILTERS("fs is a set of events, not an event", "event=fs");
        BAD_FILTERS("openat is an event, not a set", "set=openat");
        BAD_FILTERS("is not a set of events", "set=blah");
        BAD_FILTERS("number without it", "uid=007");
        BAD_FILTERS("=! is no operator", "comm=!bash");
        BAD_FILTERS("container managers", "openat.context.podName=x");
        BAD_FILTERS("container managers", "openat.context.containerImage=x");
        BAD_FILTERS("true or false", "openat.context.container=invalid");
        BAD_FILTERS("is not an event", ".args.x=5");
        BAD_FILTERS("has no parts", "openat.retval.x=5");
}

/* Names are exact: Tracee takes the value for the name here. */
TEST(names_are_exact) {
        Parsed p = GOOD_FILTERS("comm=a.retval", "comm=b.args", "comm=c.context");

        ASSERT_TRUE(string_at(subject_condition(&p, SCT_FIELD_COMM), "a.retval"));
        ASSERT_TRUE(string_at(subject_condition(&p, SCT_FIELD_COMM), "b.args"));
        parsed_done(&p);

        BAD_FILTERS("not a filter", "c");
        BAD_FILTERS("not a filter", "p=1");
        BAD_FILTERS("not a filter", "u=1");
        BAD_FILTERS("not a filter", "s=fs");
        BAD_FILTERS("not a filter", "comm =bash");
        BAD_FILTERS("not a filter", " comm=bash");
        BAD_FILTERS("not a filter", "bin exe=/x");
}

TEST(accepted_vectors) {
        static const char *const accepted[] = {
                "25:pid>50000", "pid>=12", "uid=0", "uid!=0", "mntns=0", "pidns!=0", "comm=ls", "binary=/usr/bin/ls",
                "bin=/usr/bin/ls", "exe=/usr/bin/ls", "uts!=deadbeaf", "uid>0", "container", "2:container",
                "!container",
                "container=new", "2:container=new", "container!=new", "pid=new", "2:pid=new", "pid!=new",
                "container=abcd123",
                "2:container=abcd123", "container!=abcd123", "event=open*", "2:event=open*", "pid>12", "2:pid>12",
                "tree=1",
                "tree!=1", "follow", "follow=true", "gid=0", "auid=4294967295", "ppid=1", "tid=1", "unit=nginx.service",
                "slice=system.slice", "session=3", "cgroup=/system.slice", "set=fs", "set=default", "container=true",
                "openat.context.container", "!openat.context.container", "openat.context.host", "uid<=0",
        };

        for (size_t i = 0; i < sizeof(accepted) / sizeof(accepted[0]); i++) {
                Parsed p = PARSE_FILTERS(accepted[i]);

                if (p.n != 1) {
                        print_problems(&p.problems);
                        TEST_FAIL("%s is not accepted", accepted[i]);
                }
                parsed_done(&p);
        }

        Parsed p = GOOD_FILTERS("uid<1", "mntns=5", "pidns!=3", "pid!=10", "comm=ps", "uts!=abc");
        ASSERT_EQ(rule_of(&p)->n_subject, 6);
        parsed_done(&p);
        p = GOOD_FILTERS("2:openat.retval=2", "2:openat.retval>1");
        ASSERT_EQ(rule_of(&p)->n_events, 1);
        parsed_done(&p);
}

TEST(columns_point_into_expressions) {
        Parsed p = PARSE_FILTERS("comm=bash,", "7:uid=0,1,zwei,3");

        ASSERT_EQ(p.problems.n, 2);
        ASSERT_EQ(p.problems.items[0].line, 1);
        ASSERT_EQ(p.problems.items[0].column, 11);
        ASSERT_EQ(p.problems.items[1].line, 2);
        ASSERT_EQ(p.problems.items[1].column, 11);
        parsed_done(&p);
}

/* ---- Events ---- */

TEST(default_set) {
        Parsed p = GOOD_FILTERS("comm=bash");

        ASSERT_NOT_NULL(event_of(rule_of(&p), "sched_process_exec"));
        ASSERT_NULL(event_of(rule_of(&p), "openat"));
        parsed_done(&p);

        p = PARSE_FILTERS("event!=sched_process_exec");
        for (size_t i = 0; i < p.n; i++)
                ASSERT_NULL(event_of(rule_of(&p), "sched_process_exec"));
        parsed_done(&p);
}

TEST(events_by_name_and_wildcard) {
        Parsed p = GOOD_FILTERS("event=ptrace,openat");

        ASSERT_EQ(rule_of(&p)->n_events, 2);
        ASSERT_NOT_NULL(event_of(rule_of(&p), "ptrace"));
        parsed_done(&p);

        p = GOOD_FILTERS("event=sched_proc*,openat", "event!=sched_process_exec");
        ASSERT_EQ(rule_of(&p)->n_events, 3);
        ASSERT_NOT_NULL(event_of(rule_of(&p), "sched_process_exit"));
        ASSERT_NOT_NULL(event_of(rule_of(&p), "sched_process_fork"));
        ASSERT_NOT_NULL(event_of(rule_of(&p), "openat"));
        parsed_done(&p);

        /* What is named in full survives, in whatever order. */
        p = GOOD_FILTERS("event!=openat", "event=open*", "event=openat");
        ASSERT_NOT_NULL(event_of(rule_of(&p), "openat"));
        parsed_done(&p);

        p = GOOD_FILTERS("event=*at2");
        ASSERT_NOT_NULL(event_of(rule_of(&p), "openat2"));
        ASSERT_NULL(event_of(rule_of(&p), "openat"));
        parsed_done(&p);
}

TEST(sets) {
        Parsed p = GOOD_FILTERS("set=fs_link_ops");

        ASSERT_NOT_NULL(event_of(rule_of(&p), "symlink"));
        ASSERT_NULL(event_of(rule_of(&p), "openat"));
        parsed_done(&p);

        /* set!= works here; Tracee ignores it. */
        p = GOOD_FILTERS("set=fs", "set!=fs_link_ops", "event=linkat");
        ASSERT_NULL(event_of(rule_of(&p), "symlink"));
        ASSERT_NOT_NULL(event_of(rule_of(&p), "linkat"));
        ASSERT_NOT_NULL(event_of(rule_of(&p), "openat"));
        parsed_done(&p);
}

TEST(event_filters_name_their_event) {
        Parsed p = GOOD_FILTERS("openat.args.pathname=/etc/*");

        ASSERT_EQ(rule_of(&p)->n_events, 1);
        ASSERT_NOT_NULL(event_of(rule_of(&p), "openat"));
        parsed_done(&p);

        BAD_FILTERS("not among the events", "event=close", "openat.args.pathname=/etc/*");
        BAD_FILTERS("taken away", "event=open*", "event!=openat", "openat.args.pathname=/etc/*");
        BAD_FILTERS("taken away", "event!=openat", "openat.args.pathname=/etc/*");
}

/* ---- Containers, units, trees, switches ---- */

static bool cgroup_at(const Condition *c, const char *s) {
        return condition_string_matches(c, s, strlen(s));
}

TEST(container_forms) {
        Parsed p = GOOD_FILTERS("container");
        const Condition *c = subject_condition(&p, SCT_FIELD_CGROUP);

        ASSERT_EQ(c->class, CONDITION_CGROUP);
        ASSERT_EQ(c->patterns[0].cgroup_kind, SCT_CGROUP_CONTAINER);
        ASSERT_STREQ(c->patterns[0].text, "*");
        ASSERT_FALSE(c->patterns[0].negative);
        parsed_done(&p);

        static const char *const inside[] = { "container", "container=true", "container!=false" };
        static const char *const outside[] = { "!container", "container=false", "container!=true" };
        for (size_t i = 0; i < 3; i++) {
                p = GOOD_FILTERS(inside[i]);
                ASSERT_FALSE(subject_condition(&p, SCT_FIELD_CGROUP)->patterns[0].negative);
                parsed_done(&p);
                p = GOOD_FILTERS(outside[i]);
                ASSERT_TRUE(subject_condition(&p, SCT_FIELD_CGROUP)->patterns[0].negative);
                parsed_done(&p);
        }

        p = GOOD_FILTERS("!container", "container=true");   /* either: asks nothing */
        ASSERT_EQ(rule_of(&p)->n_subject, 0);
        parsed_done(&p);

        p = GOOD_FILTERS("container=abcd123,my-machine");
        c = subject_condition(&p, SCT_FIELD_CGROUP);
        ASSERT_TRUE(cgroup_at(c, "abcd123ffff") && cgroup_at(c, "abcd123") && cgroup_at(c, "my\\x2dmachine") &&
                    cgroup_at(c, "my-machine"));
        ASSERT_FALSE(cgroup_at(c, "abcd12"));
        parsed_done(&p);

        p = GOOD_FILTERS("container=new");
        ASSERT_TRUE(rule_of(&p)->cgroup_after_load);
        parsed_done(&p);
        p = GOOD_FILTERS("container!=new");
        ASSERT_TRUE(rule_of(&p)->not_cgroup_after_load);
        parsed_done(&p);

        p = GOOD_FILTERS("container", "container!=abc");   /* both must hold */
        ASSERT_EQ(rule_of(&p)->n_subject, 2);
        parsed_done(&p);

        p = GOOD_FILTERS("openat.context.containerId=abc", "openat.context.host=false");
        ASSERT_EQ(event_of(rule_of(&p), "openat")->n_conditions, 2);
        parsed_done(&p);

        BAD_FILTERS("no container's id", "container=a/b");
        BAD_FILTERS("two policies", "container=new", "container=abc");
}

TEST(units) {
        Parsed p = GOOD_FILTERS("unit=nginx,user@1000.service/app.slice/x.service,ssh@*.service", "slice=system",
                                "session=c*", "cgroup=/system.slice/");
        const PolicyRule *rule = rule_of(&p);

        ASSERT_EQ(rule->n_subject, 4);
        ASSERT_TRUE(cgroup_at(rule->subject, "nginx.service"));
        ASSERT_TRUE(cgroup_at(rule->subject, "user@1000.service/app.slice/x.service"));
        ASSERT_TRUE(cgroup_at(rule->subject, "ssh@10-0.service"));
        ASSERT_FALSE(cgroup_at(rule->subject, "ssh@10/x.service"));
        ASSERT_STREQ(rule->subject[1].patterns[0].text, "system.slice");
        ASSERT_EQ(rule->subject[1].patterns[0].cgroup_kind, SCT_CGROUP_SLICE);
        ASSERT_STREQ(rule->subject[2].patterns[0].text, "c*");
        ASSERT_STREQ(rule->subject[3].patterns[0].text, "/system.slice");
        parsed_done(&p);

        p = GOOD_FILTERS("unit=dev-disk-by\\x2duuid-1.swap");
        ASSERT_STREQ(rule_of(&p)->subject[0].patterns[0].text, "dev-disk-by\\x2duuid-1.swap");
        parsed_done(&p);

        p = GOOD_FILTERS("slice=-.slice,-");                /* everything */
        ASSERT_EQ(rule_of(&p)->subject[0].n_patterns, 1);
        ASSERT_EQ(rule_of(&p)->subject[0].patterns[0].cgroup_kind, SCT_CGROUP_PATH);
        ASSERT_STREQ(rule_of(&p)->subject[0].patterns[0].text, "/");
        parsed_done(&p);

        BAD_FILTERS("begins with /", "cgroup=system.slice");
        BAD_FILTERS("is a path", "unit=/system.slice/nginx.service");
        BAD_FILTERS("is a path", "slice=a.slice/b.slice");
        BAD_FILTERS("at most 127",
                    "unit=aaaaaaaa"
                    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.service");
}

TEST(tree_and_follow) {
        Parsed p = GOOD_FILTERS("tree=100,200", "tree!=150", "follow");
        const Condition *c = subject_condition(&p, SCT_FIELD_TREE);

        ASSERT_EQ(c->class, CONDITION_TREE);
        ASSERT_EQ(c->n_eq, 2);
        ASSERT_EQ(c->n_ne, 1);
        ASSERT_TRUE(rule_of(&p)->follow);
        parsed_done(&p);
        BAD_FILTERS("has no operator <", "tree<5");
        BAD_FILTERS("from 1 to", "tree=0");
}

TEST(context_syscall) {
        Parsed p = GOOD_FILTERS("sched_process_exec.context.syscall=execve,execveat");
        const Condition *c = event_condition(&p, "sched_process_exec", SCT_FIELD_SYSCALL);

        ASSERT_TRUE(number_at(c, event_spec_by_name("execve")->id));
        ASSERT_FALSE(number_at(c, event_spec_by_name("openat")->id));
        ASSERT_FALSE(number_at(c, -1));
        parsed_done(&p);
        BAD_FILTERS("did you mean execve?", "sched_process_exec.context.syscall=excve");
        BAD_FILTERS("is no system call", "sched_process_exec.context.syscall=sched_switch");
}

TEST(context_timestamp) {
        struct timespec real, boot;
        char filter[128];

        ASSERT_OK(clock_gettime(CLOCK_REALTIME, &real));
        ASSERT_OK(clock_gettime(CLOCK_BOOTTIME, &boot));
        snprintf(filter, sizeof(filter), "openat.context.timestamp>%lld000000000", (long long) real.tv_sec);

        Parsed p = GOOD_FILTERS(filter);
        const Condition *c = event_condition(&p, "openat", SCT_FIELD_TIMESTAMP);
        uint64_t now = (uint64_t) boot.tv_sec * 1000000000ULL;
        ASSERT_TRUE(condition_number_matches(c, now + 2000000000ULL));
        ASSERT_FALSE(condition_number_matches(c, now > 2000000000ULL ? now - 2000000000ULL : 0));
        parsed_done(&p);

        p = GOOD_FILTERS("openat.context.timestamp>1000");   /* 1970: always */
        ASSERT_TRUE(number_at(event_condition(&p, "openat", SCT_FIELD_TIMESTAMP), 0));
        parsed_done(&p);
        p = GOOD_FILTERS("openat.context.timestamp!=1000");
        ASSERT_TRUE(number_at(event_condition(&p, "openat", SCT_FIELD_TIMESTAMP), 5));
        parsed_done(&p);
        BAD_FILTERS("before the start of this machine", "openat.context.timestamp<1000");
}

TEST(names_journal) {
        static const char *const naming[] = {
                "unit=systemd-journald", "unit=systemd-journald@*.service", "comm=systemd-journal",
                "binary=/usr/lib/systemd/systemd-journald", "pid=5", "cgroup=/system.slice/systemd-journald.service",
                "openat.context.comm=systemd-journal",
        };
        static const char *const other[] = {
                "unit=nginx", "comm!=systemd-journal", "pid!=5", "pid>5", "uid=0", "follow", "container=journal",
        };
        Parsed p;

        for (size_t i = 0; i < sizeof(naming) / sizeof(naming[0]); i++) {
                p = GOOD_FILTERS(naming[i]);
                if (!rule_of(&p)->names_journal)
                        TEST_FAIL("%s does not name journald", naming[i]);
                parsed_done(&p);
        }
        for (size_t i = 0; i < sizeof(other) / sizeof(other[0]); i++) {
                p = GOOD_FILTERS(other[i]);
                if (rule_of(&p)->names_journal)
                        TEST_FAIL("%s names journald", other[i]);
                parsed_done(&p);
        }

        /* One event that does not name it would see all of its work. */
        p = GOOD_FILTERS("event=openat,close", "openat.context.comm=systemd-journal");
        ASSERT_FALSE(rule_of(&p)->names_journal);
        parsed_done(&p);
}

TEST_MAIN()
