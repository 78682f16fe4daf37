/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Objects by themselves: references, problems, the truth of conditions made by hand, quoted text and suggestions. */

#include <syslog.h>

#include "policy/policy.h"
#include "policy/wording.h"
#include "test.h"

TEST(references) {
        Policy *p = policy_new();

        ASSERT_NOT_NULL(p);
        ASSERT_EQ(p->priority, LOG_INFO);
        ASSERT_TRUE(policy_ref(p) == p);
        ASSERT_NULL(policy_unref(p));
        ASSERT_EQ(p->n_ref, 1);
        ASSERT_NULL(policy_unref(p));
        ASSERT_NULL(policy_unref(NULL));
}

TEST(kinds) {
        ASSERT_STREQ(policy_kind_to_string(POLICY_KIND_SCOPE), "ScopePolicy");
        ASSERT_STREQ(policy_kind_to_string(POLICY_KIND_TRACEE), "TraceePolicy");
        ASSERT_NULL(policy_kind_to_string(_POLICY_KIND_MAX));
        ASSERT_NULL(policy_kind_to_string(_POLICY_KIND_INVALID));
}

TEST(problems) {
        ProblemList l = {};

        ASSERT_OK(problem_add(&l, PROBLEM_WARNING, "a.yaml", 3, 4, "spec", "%d things", 5));
        ASSERT_OK(problem_add(&l, PROBLEM_ERROR, NULL, 0, 0, NULL, "bad"));
        ASSERT_EQ(l.n, 2);
        ASSERT_EQ(l.n_errors, 1);
        ASSERT_STREQ(l.items[0].message, "5 things");
        ASSERT_STREQ(l.items[1].path, "-");
        ASSERT_STREQ(l.items[1].key, "");
        problem_list_done(&l);
        ASSERT_EQ(l.n, 0);
}

TEST(negative_ranges) {
        NumberRange ranges[] = { { 10, 20, true }, { 15, 30, false } };
        const Condition c = { .ranges = ranges, .n_ranges = 2 }, only_negative = { .ranges = ranges, .n_ranges = 1 };

        ASSERT_FALSE(condition_number_matches(&c, 14));
        ASSERT_FALSE(condition_number_matches(&c, 16));
        ASSERT_TRUE(condition_number_matches(&c, 21));
        ASSERT_FALSE(condition_number_matches(&c, 31));
        ASSERT_TRUE(condition_number_matches(&only_negative, 9));
        ASSERT_FALSE(condition_number_matches(&only_negative, 10));
}

TEST(signed_order) {
        NumberRange range = { (uint64_t) -5, 5, false };
        uint64_t eq[] = { (uint64_t) -9, 100 };
        const Condition c = { .is_signed = true, .eq = eq, .n_eq = 2, .ranges = &range, .n_ranges = 1 };

        ASSERT_TRUE(condition_number_matches(&c, (uint64_t) -9));
        ASSERT_TRUE(condition_number_matches(&c, (uint64_t) -5));
        ASSERT_TRUE(condition_number_matches(&c, 0));
        ASSERT_TRUE(condition_number_matches(&c, 100));
        ASSERT_FALSE(condition_number_matches(&c, (uint64_t) -6));
        ASSERT_FALSE(condition_number_matches(&c, 6));
}

static bool glob(const char *pattern, const char *s) {
        Pattern p = { .kind = PATTERN_GLOB, .text = (char *) pattern, .size = strlen(pattern) };
        const Condition c = { .patterns = &p, .n_patterns = 1 };

        return condition_string_matches(&c, s, strlen(s));
}

TEST(globs) {
        ASSERT_TRUE(glob("*", "") && glob("*", "abc") && glob("a*c", "abbc") && glob("*b*", "abc") &&
                    glob("a**c", "ac"));
        ASSERT_TRUE(glob("*ab", "aab") && glob("a*b*c", "axbxbxc"));
        ASSERT_FALSE(glob("a*c", "abd") || glob("", "x") || glob("a*b", "a"));
        ASSERT_FALSE(glob("*", "a/b") || glob("a*c", "a/c"));
        ASSERT_TRUE(glob("/*/b", "/a/b") && glob("", ""));
}

TEST(quoted_text) {
        char long_text[1000];

        ASSERT_STREQ(QUOTE("plain"), "plain");
        ASSERT_STREQ(QUOTE("a\x1b[1m\n\tb\x7f"), "a\\x1b[1m\\x0a\\x09b\\x7f");
        ASSERT_STREQ(QUOTE("gr\xc3\xbcn"), "gr\xc3\xbcn");
        ASSERT_STREQ(QUOTE("\xff\xc3"), "\\xff\\xc3");
        ASSERT_STREQ(QUOTE("\xc2\x9b"), "\\xc2\\x9b");     /* a one-character terminal escape */
        memset(long_text, 'x', sizeof(long_text));
        ASSERT_LT(strlen(QUOTE_N(long_text, sizeof(long_text))), QUOTE_MAX);
        ASSERT_TRUE(strstr(QUOTE_N(long_text, sizeof(long_text)), "xxx...") != NULL);
}

static const char *nearest(const char *word) {
        static const char *const words[] = { "openat", "openat2", "open", "close", "uid", "gid", "comm" };
        static Suggest s;

        suggest_begin(&s, word);
        for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
                suggest_try(&s, words[i]);
        return s.best;
}

TEST(suggestions) {
        ASSERT_STREQ(nearest("opneat"), "openat");
        ASSERT_STREQ(nearest("OPENAT"), "openat");
        ASSERT_STREQ(nearest("clsoe"), "close");
        ASSERT_STREQ(nearest("com"), "comm");
        ASSERT_STREQ(nearest("elephant"), "");
        ASSERT_STREQ(nearest(""), "");
        ASSERT_STREQ(nearest("xyz"), "");
}

TEST_MAIN()
