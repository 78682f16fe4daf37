/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A build without libcurl and c-ares refuses the policies that need them, where they need them, and no others. */

#undef HAVE_LIBCURL
#undef HAVE_CARES
#include "daemon/remote-refusal.c"

#include "daemon/policy-set.h"
#include "tracing-test.h"

#define DUP2                                                                                                    \
        "  kprobes:\n  - call: sys_dup2\n    args: [{index: 0, type: fd}, {index: 1, type: int}]\n    selectors:\n"

static int check(const char *actions, ProblemList *problems) {
        _cleanup_(buffer_done) Buffer b = {};
        FeatureSet features = {};
        Parsed p;
        int r;

        ASSERT_OK(buffer_add_string(&b, DUP2 "    - matchActions:\n"));
        ASSERT_OK(buffer_add_string(&b, actions));
        p = good_spec(buffer_cstring(&b));
        r = policy_check_features(p.policies[0], &features, problems);
        parsed_done(&p);
        return r;
}

TEST(each_action_without_its_library) {
        ProblemList problems = {};

        ASSERT_EQ(check("      - {action: GetUrl, argUrl: 'http://127.0.0.1/'}\n"
                        "      - {action: Post}\n"
                        "      - {action: DnsLookup, argFqdn: a.example}\n", &problems), -ENOTSUP);
        ASSERT_EQ(problems.n, 2);
        ASSERT_TRUE(strstr(problems.items[0].message, "without libcurl; leave GetUrl out"));
        ASSERT_EQ(problems.items[0].line, 11);
        ASSERT_TRUE(strstr(problems.items[1].message, "without c-ares; leave DnsLookup out"));
        ASSERT_EQ(problems.items[1].line, 13);
        problem_list_done(&problems);
}

TEST(other_actions_are_taken) {
        ProblemList problems = {};

        ASSERT_EQ(check("      - {action: Signal, argSig: 10}\n      - {action: NoPost}\n", &problems), 0);
        ASSERT_EQ(problems.n, 0);
        problem_list_done(&problems);
}

TEST_MAIN()
