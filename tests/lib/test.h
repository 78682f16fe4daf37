/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The unit tests' runner. One header: TEST(name) registers itself, ASSERT_* end the running test, TEST_MAIN() is the
 * program. `test-x PATTERN...` or TESTFUNCS="name:other" runs only the tests whose name contains a pattern. One line a
 * test, exit 1 when any failed, 77 when all that ran were skipped (meson's "skip").
 *
 * An assertion leaves the test by longjmp: what it held is leaked on purpose, the program fails anyway. */

#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct TestCase {
        const char *name;
        void (*run)(void);
        struct TestCase *next;
} TestCase;

static TestCase *test_first_, **test_last_ = &test_first_;
static jmp_buf test_leave_;
enum { TEST_LEAVE_FAILED_ = 1, TEST_LEAVE_SKIPPED_ = 2 };

#define TEST(id)                                                                            \
        static void test_##id(void);                                                        \
        __attribute__((constructor)) static void test_register_##id(void) {                 \
                static TestCase c = { .name = #id, .run = test_##id };                      \
                *test_last_ = &c;                                                           \
                test_last_ = &c.next;                                                       \
        }                                                                                   \
        static void test_##id(void)

__attribute__((noreturn, format(printf, 3, 4), unused))
static void test_fail_(const char *file, int line, const char *format, ...) {
        va_list ap;

        fflush(stdout);
        fprintf(stderr, "%s:%d: ", file, line);
        va_start(ap, format);
        vfprintf(stderr, format, ap);
        va_end(ap);
        fputc('\n', stderr);
        longjmp(test_leave_, TEST_LEAVE_FAILED_);
}

/* Why a test cannot run here: names the fact. */
__attribute__((noreturn, format(printf, 1, 2), unused))
static void test_skip(const char *format, ...) {
        va_list ap;

        printf("  skipped: ");
        va_start(ap, format);
        vprintf(format, ap);
        va_end(ap);
        putchar('\n');
        longjmp(test_leave_, TEST_LEAVE_SKIPPED_);
}

#define TEST_FAIL(...) test_fail_(__FILE__, __LINE__, __VA_ARGS__)

#define ASSERT_TRUE(expr)                                                                   \
        do {                                                                                \
                if (!(expr))                                                                \
                        TEST_FAIL("%s is not true", #expr);                                 \
        } while (0)
#define ASSERT_FALSE(expr)                                                                  \
        do {                                                                                \
                if (expr)                                                                   \
                        TEST_FAIL("%s is not false", #expr);                                \
        } while (0)
#define ASSERT_NULL(expr)                                                                   \
        do {                                                                                \
                const void *p_ = (expr);                                                    \
                if (p_)                                                                     \
                        TEST_FAIL("%s is %p, not NULL", #expr, p_);                         \
        } while (0)
#define ASSERT_NOT_NULL(expr)                                                               \
        do {                                                                                \
                if (!(expr))                                                                \
                        TEST_FAIL("%s is NULL", #expr);                                     \
        } while (0)

/* A function that returns 0 or more, or a negative errno. */
#define ASSERT_OK(expr)                                                                     \
        do {                                                                                \
                int64_t r_ = (expr);                                                        \
                if (r_ < 0)                                                                 \
                        TEST_FAIL("%s returned %" PRIi64 " (%s)", #expr, r_, strerror((int) -r_)); \
        } while (0)
#define ASSERT_ERROR(expr, error)                                                           \
        do {                                                                                \
                int64_t r_ = (expr), e_ = (error);                                          \
                if (r_ != -e_)                                                              \
                        TEST_FAIL("%s returned %" PRIi64 ", not %s", #expr, r_, #error);    \
        } while (0)

#define ASSERT_INT_(a, op, b)                                                               \
        do {                                                                                \
                int64_t a_ = (int64_t) (a), b_ = (int64_t) (b);                             \
                if (!(a_ op b_))                                                            \
                        TEST_FAIL("%s is %" PRIi64 ", expected " #op " %" PRIi64 " (%s)", #a, a_, b_, #b); \
        } while (0)
#define ASSERT_EQ(a, b) ASSERT_INT_(a, ==, b)
#define ASSERT_NE(a, b) ASSERT_INT_(a, !=, b)
#define ASSERT_LT(a, b) ASSERT_INT_(a, <, b)
#define ASSERT_LE(a, b) ASSERT_INT_(a, <=, b)
#define ASSERT_GT(a, b) ASSERT_INT_(a, >, b)
#define ASSERT_GE(a, b) ASSERT_INT_(a, >=, b)
#define ASSERT_EQ_U64(a, b)                                                                 \
        do {                                                                                \
                uint64_t a_ = (a), b_ = (b);                                                \
                if (a_ != b_)                                                               \
                        TEST_FAIL("%s is %#" PRIx64 ", expected %#" PRIx64, #a, a_, b_);    \
        } while (0)

#define ASSERT_STREQ(a, b)                                                                  \
        do {                                                                                \
                const char *a_ = (a), *b_ = (b);                                            \
                if (!a_ || !b_ || strcmp(a_, b_) != 0)                                      \
                        TEST_FAIL("%s is\n  \"%s\"\nexpected\n  \"%s\"", #a, a_ ?: "(null)", b_ ?: "(null)"); \
        } while (0)
#define ASSERT_CONTAINS(haystack, needle)                                                   \
        do {                                                                                \
                const char *a_ = (haystack), *b_ = (needle);                                \
                if (!a_ || !b_ || !strstr(a_, b_))                                          \
                        TEST_FAIL("%s is\n  \"%s\"\nwhich lacks\n  \"%s\"", #haystack, a_ ?: "(null)", b_ ?: "(null)"); \
        } while (0)
/* Exactly these bytes. */
#define ASSERT_MEM(data, size, expected, expected_size)                                     \
        do {                                                                                \
                const void *a_ = (data), *b_ = (expected);                                  \
                size_t n_ = (size), m_ = (expected_size);                                   \
                if (n_ != m_ || (n_ > 0 && memcmp(a_, b_, n_) != 0))                        \
                        TEST_FAIL("%s is %zu bytes\n  \"%.*s\"\nexpected %zu bytes\n  \"%.*s\"", #data, \
                                  n_, (int) n_, (const char *) a_, m_, (int) m_, (const char *) b_); \
        } while (0)

__attribute__((unused)) static bool test_wanted_(const char *name, int argc, char **argv) {
        const char *list = getenv("TESTFUNCS");
        bool asked = false;

        for (int i = 1; i < argc; i++) {
                if (strstr(name, argv[i]))
                        return true;
                asked = true;
        }
        if (list && *list) {
                char *copy = strdup(list), *save = NULL;
                bool found = false;

                if (!copy)
                        abort();
                for (char *p = strtok_r(copy, ":", &save); p; p = strtok_r(NULL, ":", &save))
                        if (strstr(name, p))
                                found = true;
                free(copy);
                if (found)
                        return true;
                asked = true;
        }
        return !asked;
}

__attribute__((unused)) static int test_main_(int argc, char **argv) {
        static unsigned n_run, n_failed, n_skipped;

        setvbuf(stdout, NULL, _IOLBF, 0);
        for (TestCase *volatile c = test_first_; c; c = c->next) {
                int left;

                if (!test_wanted_(c->name, argc, argv))
                        continue;
                n_run++;
                left = setjmp(test_leave_);
                if (left == 0)
                        c->run();
                else if (left == TEST_LEAVE_SKIPPED_)
                        n_skipped++;
                else
                        n_failed++;
                printf("%s %s\n", left == 0 ? "ok  " : left == TEST_LEAVE_SKIPPED_ ? "skip" : "FAIL", c->name);
        }
        if (n_run == 0) {
                fprintf(stderr, "No test of that name.\n");
                return EXIT_FAILURE;
        }
        if (n_failed > 0)
                return EXIT_FAILURE;
        return n_skipped == n_run ? 77 : EXIT_SUCCESS;
}

#define TEST_MAIN()                                                                         \
        int main(int argc, char *argv[]) {                                                  \
                return test_main_(argc, argv);                                              \
        }
