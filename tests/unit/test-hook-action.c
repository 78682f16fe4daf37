/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Actions of selectors: what the kernel side is told of them, what records call them, and how their counts are carried
 * from one generation to the next. */

#include <signal.h>

#include "daemon/rule-action.h"
#include "tracing-test.h"

typedef struct Compiled {
        Parsed parsed;
        Plan *plan;
} Compiled;

static Compiled compile(const char *spec, PolicyMode mode) {
        Compiled c = { .parsed = good_spec(spec) };
        CompileInput input = { .policy = c.parsed.policies[0], .scope = 1, .follow_slot = 0xff, .mode = mode };
        ProblemList problems = {};
        FeatureSet features = {};
        bool failed = false;

        ASSERT_OK(policy_compile(&input, 1, 1, &features, &c.plan, &failed, &problems));
        ASSERT_FALSE(failed);
        ASSERT_EQ(problems.n, 0);
        return c;
}

static void compiled_done(Compiled *c) {
        plan_free(c->plan);
        parsed_done(&c->parsed);
}

#define LSEEK                                                                                                   \
        "  tracepoints:\n  - subsystem: syscalls\n    event: sys_enter_lseek\n    args: [{index: 5, type: int32}]\n"        \
        "    selectors:\n"

TEST(operations) {
        _cleanup_(compiled_done) Compiled c =
                compile("  kprobes:\n  - call: sys_dup2\n"
                        "    args: [{index: 0, type: fd}, {index: 1, type: int}, {index: 2, type: string}]\n"
                        "    return: true\n    returnArg: {index: 0, type: int}\n    selectors:\n"
                        "    - matchActions: [{action: Signal, argSig: 10}, {action: CopyFD, argFd: 0, argName: 1},\n"
                        "      {action: FollowFD, argFd: 0, argName: 2}, {action: Post, rateLimit: 5s, rateLimitScope: process,\n"
                        "      kernelStackTrace: true}]\n"
                        "      matchReturnActions: [{action: Sigkill}]\n", POLICY_MODE_DEFAULT);
        const struct sct_action *a = c.plan->actions;

        ASSERT_EQ(a->n_ops, 5);
        ASSERT_EQ(a->ops[0].kind, SCT_OP_SIGNAL);
        ASSERT_EQ(a->ops[0].value, 10);
        ASSERT_FALSE(a->ops[0].at_return);
        ASSERT_EQ(a->ops[1].kind, SCT_OP_COPY_FD);
        ASSERT_EQ(a->ops[1].other, 1);
        ASSERT_EQ(a->ops[2].kind, SCT_OP_FOLLOW_FD);
        ASSERT_EQ(a->ops[2].other, 2);
        ASSERT_EQ(a->ops[3].kind, SCT_OP_POST);
        ASSERT_EQ(a->ops[4].value, SIGKILL);
        ASSERT_TRUE(a->ops[4].at_return);
        ASSERT_EQ_U64(a->rate_ns, UINT64_C(5) * NSEC_PER_SEC);
        ASSERT_EQ(a->rate_scope, SCT_RATE_PROCESS);
        ASSERT_EQ(a->flags, SCT_ACTION_KERNEL_STACK);
        ASSERT_TRUE(c.plan->follows_fds);
        ASSERT_TRUE(c.plan->plans[c.plan->hooks[0].plan].flags & SCT_PLAN_FD_NAMES);
}

/* A selector that looks at the return value matches only then, and so do its actions. */
TEST(waiting) {
        _cleanup_(compiled_done) Compiled c =
                compile("  kprobes:\n  - call: sys_dup2\n    return: true\n    returnArg: {index: 0, type: int}\n    selectors:\n"
                        "    - matchReturnArgs: [{operator: Equal, values: [\"-9\"]}]\n      matchActions: [{action: NoPost}]\n"
                        "    - matchActions: [{action: Post}]\n", POLICY_MODE_DEFAULT);

        ASSERT_EQ(c.plan->actions[0].flags, SCT_ACTION_WAITS | SCT_ACTION_NO_POST);
        ASSERT_EQ(c.plan->actions[1].flags, 0);
        ASSERT_FALSE(c.plan->follows_fds);
}

/* The service needs the record of what it is to do, also when nobody else wants it. */
TEST(remote_without_post) {
        _cleanup_(compiled_done) Compiled c =
                compile(LSEEK "    - matchActions: [{action: NoPost}, {action: GetUrl, argUrl: \"http://127.0.0.1/\"}]\n",
                        POLICY_MODE_DEFAULT);
        _cleanup_free_ RuleAction *a = NULL;

        ASSERT_EQ(c.plan->actions[0].flags, 0);
        ASSERT_EQ(c.plan->actions[0].ops[1].kind, SCT_OP_DAEMON);
        ASSERT_OK(rule_action_new(c.parsed.policies[0]->rules, false, &a));
        ASSERT_TRUE(a->quiet);
        ASSERT_TRUE(a->remote);
}

TEST(sockets) {
        _cleanup_(compiled_done) Compiled c =
                compile("  kprobes:\n  - call: tcp_connect\n    syscall: false\n    args: [{index: 1, type: int}, {index: 0, type: sock}]\n"
                        "    selectors:\n    - matchActions: [{action: TrackSock, argSock: 0}]\n"
                        "  - call: tcp_close\n    syscall: false\n    args: [{index: 0, type: sock}]\n", POLICY_MODE_DEFAULT);

        for (size_t i = 0; i < c.plan->n_hooks; i++) {
                bool connects = strcmp(c.plan->hooks[i].hook->call, "tcp_connect") == 0;

                ASSERT_EQ(c.plan->plans[c.plan->hooks[i].plan].sock_arg, connects ? 2 : 1);
        }
}

TEST(modes) {
        static const char spec[] = LSEEK "    - matchActions: [{action: Sigkill}, {action: Post}]\n";
        _cleanup_(compiled_done) Compiled enforce = compile(spec, POLICY_MODE_DEFAULT), monitor = compile(spec, POLICY_MODE_MONITOR);

        ASSERT_EQ(enforce.plan->actions[0].flags, 0);
        ASSERT_EQ(monitor.plan->actions[0].flags, SCT_ACTION_MONITOR);
        ASSERT_TRUE(rule_enforces(monitor.parsed.policies[0]->rules));
}

TEST(names_and_counts) {
        _cleanup_(compiled_done) Compiled c =
                compile(LSEEK "    - matchActions: [{action: Sigkill}, {action: UnfollowFD, argFd: 5}]\n", POLICY_MODE_DEFAULT);
        _cleanup_free_ RuleAction *first = NULL, *second = NULL;
        struct sct_acted acted = { .n_hits = 3, .n_posted = 2, .n_limited = 1, .n_done = { 3, 2 } };
        RuleCounts counts = {};

        ASSERT_OK(rule_action_new(c.parsed.policies[0]->rules, false, &first));
        ASSERT_EQ(first->n_names, 3);
        ASSERT_STREQ(first->names[0], "sigkill");
        ASSERT_STREQ(first->names[2], "post");
        ASSERT_EQ_U64(rule_action_count(first, &acted, &counts), 1);
        ASSERT_EQ_U64(rule_action_count(first, &acted, &counts), 0);      /* nothing new */
        acted.n_hits++;
        acted.n_failed++;
        (void) rule_action_count(first, &acted, &counts);

        /* The next generation counts from 0, in the other mode. */
        ASSERT_OK(rule_action_new(c.parsed.policies[0]->rules, true, &second));
        ASSERT_STREQ(second->names[0], "monitor-sigkill");
        acted = (struct sct_acted) { .n_hits = 5, .n_posted = 5, .n_done = { 5, 5 } };
        (void) rule_action_count(second, &acted, &counts);

        ASSERT_EQ_U64(counts.n_hits, 9);
        ASSERT_EQ_U64(counts.n_posted, 7);
        ASSERT_EQ_U64(counts.n_limited, 1);
        ASSERT_EQ_U64(counts.n_failed, 1);
        ASSERT_EQ_U64(counts.n_done[0], 3);
        ASSERT_EQ_U64(counts.n_monitored[0], 5);
        ASSERT_EQ_U64(counts.n_done[1], 7);
        ASSERT_EQ_U64(counts.n_monitored[1], 0);
}

TEST_MAIN()
