/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "../../src/basic/string-util.h"
#include "test.h"

TEST(affixes) {
        ASSERT_STREQ(startswith("scopetrace", "scope"), "trace");
        ASSERT_NULL(startswith("scope", "scopetrace"));
        ASSERT_STREQ(endswith("a.yaml", ".yaml"), ".yaml");
        ASSERT_NULL(endswith("yaml", ".yaml"));
        ASSERT_STREQ(startswith("x", ""), "x");
}

TEST(join_and_strip) {
        _cleanup_free_ char *s = strjoin("a", "", "b", "c");
        char text[] = " \t x y \n";

        ASSERT_STREQ(s, "abc");
        ASSERT_STREQ(strstrip(text), "x y");
}

TEST(lists) {
        _cleanup_strv_free_ char **l = NULL, **copy = NULL;
        _cleanup_free_ char *s = NULL;

        ASSERT_OK(strv_split("  a, b,,c ", " ,", &l));
        ASSERT_EQ(strv_length(l), 3);
        ASSERT_TRUE(strv_contains(l, "b"));
        ASSERT_FALSE(strv_contains(l, ""));
        s = strv_join(l, "+");
        ASSERT_STREQ(s, "a+b+c");
        copy = strv_copy(l);
        ASSERT_EQ(strv_length(copy), 3);
        ASSERT_EQ(strv_length(NULL), 0);
}

TEST(numbers) {
        uint64_t v = 7;
        uint32_t w = 7;

        ASSERT_OK(parse_u64("18446744073709551615", &v));
        ASSERT_EQ_U64(v, UINT64_MAX);
        ASSERT_ERROR(parse_u64("18446744073709551616", &v), ERANGE);
        ASSERT_ERROR(parse_u64("", &v), EINVAL);
        ASSERT_ERROR(parse_u64("-1", &v), EINVAL);
        ASSERT_ERROR(parse_u64(" 1", &v), EINVAL);
        ASSERT_ERROR(parse_u64("1 ", &v), EINVAL);
        ASSERT_ERROR(parse_u64("0x10", &v), EINVAL);
        ASSERT_ERROR(parse_u32("4294967296", &w), ERANGE);
        ASSERT_EQ(w, 7);
}

TEST(sizes) {
        uint64_t v;

        ASSERT_OK(parse_size("4M", &v));
        ASSERT_EQ_U64(v, 4U << 20);
        ASSERT_OK(parse_size("17", &v));
        ASSERT_EQ_U64(v, 17);
        ASSERT_ERROR(parse_size("4X", &v), EINVAL);
        ASSERT_ERROR(parse_size("99999999999T", &v), ERANGE);
}

TEST(times) {
        uint64_t v;

        ASSERT_OK(parse_usec("1min 30s", &v));
        ASSERT_EQ_U64(v, 90 * USEC_PER_SEC);
        ASSERT_OK(parse_usec("5", &v));
        ASSERT_EQ_U64(v, 5 * USEC_PER_SEC);
        ASSERT_OK(parse_usec("10ms", &v));
        ASSERT_EQ_U64(v, 10000);
        ASSERT_OK(parse_usec("infinity", &v));
        ASSERT_EQ_U64(v, UINT64_MAX);
        ASSERT_ERROR(parse_usec("", &v), EINVAL);
        ASSERT_ERROR(parse_usec("5 apples", &v), EINVAL);
}

TEST(booleans) {
        ASSERT_EQ(parse_boolean("Yes"), 1);
        ASSERT_EQ(parse_boolean("off"), 0);
        ASSERT_ERROR(parse_boolean("maybe"), EINVAL);
}

TEST(utf8) {
        ASSERT_TRUE(utf8_is_valid("a\xc3\xa4\xe2\x82\xac\xf0\x9f\x90\x9f", 10));
        ASSERT_FALSE(utf8_is_valid("\xc0\xaf", 2));              /* overlong */
        ASSERT_FALSE(utf8_is_valid("\xed\xa0\x80", 3));          /* surrogate */
        ASSERT_FALSE(utf8_is_valid("\xf4\x90\x80\x80", 4));      /* beyond U+10FFFF */
        ASSERT_FALSE(utf8_is_valid("\xe2\x82", 2));              /* cut */
}

TEST_MAIN()
