/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Documents: what good ones become, and that every bad one is answered with its line, its column and a sentence while
 * the others of the file go on. tests/data/policies/bad says in its first lines what is expected: `#! LINE:COLUMN
 * FRAGMENT`. */

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include "basic/fd-util.h"
#include "policy-test.h"
#include "policy/capture-spec.h"
#include "policy/policy-compile.h"

#define HEAD "apiVersion: scopetrace.org/v1\nkind: ScopePolicy\nmetadata:\n  name: x\n"

static char *read_data(const char *directory, const char *name, size_t *ret_size) {
        const char *source = getenv("SCOPETRACE_SOURCE");
        char path[4096], *text;

        snprintf(path, sizeof(path), "%s/tests/data/policies/%s/%s", source ?: ".", directory, name);
        ASSERT_OK(read_full_file(path, 4 * POLICY_FILE_MAX, &text, ret_size));
        return text;
}

static DIR *open_data(const char *directory) {
        const char *source = getenv("SCOPETRACE_SOURCE");
        char path[4096];
        DIR *d;

        snprintf(path, sizeof(path), "%s/tests/data/policies/%s", source ?: ".", directory);
        d = opendir(path);
        if (!d)
                TEST_FAIL("%s cannot be opened: %m", path);
        return d;
}

TEST(good_files) {
        DIR *d = open_data("good");
        size_t n = 0, size;

        for (struct dirent *e; (e = readdir(d));) {
                if (e->d_name[0] == '.')
                        continue;
                char *text = read_data("good", e->d_name, &size);
                Parsed p = {};

                ASSERT_OK(policy_parse(text, size, e->d_name, &p.policies, &p.n, &p.problems));
                if (p.problems.n > 0 || p.n == 0) {
                        print_problems(&p.problems);
                        TEST_FAIL("%s is not accepted", e->d_name);
                }
                for (size_t i = 0; i < p.n; i++) {
                        ASSERT_NOT_NULL(p.policies[i]->name);
                        ASSERT_GE(p.policies[i]->n_rules, 1);
                        ASSERT_GE(p.policies[i]->rules[0].n_events, 1);
                }
                parsed_done(&p);
                free(text);
                n++;
        }
        closedir(d);
        ASSERT_GE(n, 10);
}

/* One expectation; returns where the next line begins, NULL when there is none. */
static const char *next_expectation(const char *p, const char *end, unsigned *ret_line, unsigned *ret_column,
                                    char fragment[static 256]) {
        const char *newline;
        int skip = 0;

        if (end - p < 3 || memcmp(p, "#! ", 3) != 0)
                return NULL;
        newline = memchr(p, '\n', (size_t) (end - p));
        ASSERT_NOT_NULL(newline);
        ASSERT_EQ(sscanf(p, "#! %u:%u %n", ret_line, ret_column, &skip), 2);
        snprintf(fragment, 256, "%.*s", (int) (newline - p - skip), p + skip);
        return newline + 1;
}

static void check_bad_file(const char *name) {
        Parsed p = {};
        size_t size, n = 0;
        char *text = read_data("bad", name, &size);
        unsigned line, column;
        char fragment[256];

        ASSERT_OK(policy_parse(text, size, name, &p.policies, &p.n, &p.problems));
        for (const char *q = text; (q = next_expectation(q, text + size, &line, &column, fragment)); n++) {
                const Problem *problem = NULL;
                size_t i = n;

                for (size_t k = 0; k < p.problems.n; k++)
                        if (p.problems.items[k].severity == PROBLEM_ERROR && i-- == 0)
                                problem = p.problems.items + k;
                if (!problem || problem->line != line || (column > 0 && problem->column != column) ||
                    !strstr(problem->message, fragment)) {
                        print_problems(&p.problems);
                        TEST_FAIL("%s: expected %u:%u: %s", name, line, column, fragment);
                }
                ASSERT_STREQ(problem->path, name);
                ASSERT_NULL(strchr(problem->message, '\n'));
        }
        ASSERT_GE(n, 1);
        if (p.problems.n_errors != n) {
                print_problems(&p.problems);
                TEST_FAIL("%s: %zu errors, expected %zu", name, p.problems.n_errors, n);
        }
        parsed_done(&p);
        free(text);
}

TEST(bad_files) {
        DIR *d = open_data("bad");
        size_t n = 0;

        for (struct dirent *e; (e = readdir(d));)
                if (e->d_name[0] != '.') {
                        check_bad_file(e->d_name);
                        n++;
                }
        closedir(d);
        ASSERT_GE(n, 50);
}

TEST(other_documents_go_on) {
        size_t size;
        char *text = read_data("bad", "one-bad-of-three.yaml", &size);
        Parsed p = {};

        ASSERT_OK(policy_parse(text, size, "f", &p.policies, &p.n, &p.problems));
        ASSERT_EQ(p.n, 2);
        ASSERT_STREQ(p.policies[0]->name, "one");
        ASSERT_EQ(p.policies[0]->document, 0);
        ASSERT_STREQ(p.policies[1]->name, "three");
        ASSERT_EQ(p.policies[1]->document, 2);
        ASSERT_CONTAINS(p.policies[1]->text, "scope: 3");
        ASSERT_NULL(strstr(p.policies[1]->text, "scope: 65"));
        parsed_done(&p);
        free(text);

        text = read_data("bad", "syntax-error-in-second.yaml", &size);
        ASSERT_OK(policy_parse(text, size, "f", &p.policies, &p.n, &p.problems));
        ASSERT_EQ(p.n, 2);
        ASSERT_STREQ(p.policies[1]->name, "three");
        parsed_done(&p);
        free(text);
}

/* The packets of events: a policy without one has none to keep. */
TEST(captures_of_packet_events) {
        static const struct {
                const char *filters;
                bool good;
        } rows[] = {
                { "[event=net_packet_tcp]", true }, { "[set=network_events]", true },
                { "[net_packet_udp.args.dst_port=53]", true },
                { "[comm=bash]", true },            /* the set default has net_packet_icmp */
                { "[event=openat]", false },
        };

        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                char text[512];
                Parsed p;

                snprintf(text, sizeof(text), HEAD "spec:\n  filters: %s\n  capture: [network, \"pcap-options:filtered\"]\n",
                         rows[i].filters);
                p = parse_text(text);
                if (rows[i].good) {
                        ASSERT_EQ(p.n, 1);
                        ASSERT_EQ(p.problems.n, 0);
                        ASSERT_TRUE(p.policies[0]->captures->items[0].pcap_filtered);
                } else {
                        ASSERT_EQ(p.problems.n_errors, 1);
                        ASSERT_EQ(p.problems.items[0].line, 7);
                        ASSERT_NOT_NULL(strstr(p.problems.items[0].message, "add for example event=net_packet_tcp"));
                }
                parsed_done(&p);
        }
}

TEST(every_key) {
        Parsed p = parse_text(HEAD "  description: what it is\nspec:\n  scope: 42\n  filters: [comm=bash]\n  priority: "
                              "crit\n"
                              "  rateLimit: 10/min\n  options: fd-paths\n  capture: [exec, \"write=/tmp/*\"]\n");

        ASSERT_EQ(p.n, 1);
        ASSERT_EQ(p.policies[0]->kind, POLICY_KIND_SCOPE);
        ASSERT_STREQ(p.policies[0]->description, "what it is");
        ASSERT_STREQ(p.policies[0]->path, "test.yaml");
        ASSERT_EQ(p.policies[0]->scope, 42);
        ASSERT_EQ(p.policies[0]->priority, LOG_CRIT);
        ASSERT_EQ(p.policies[0]->rate_limit_n, 10);
        ASSERT_EQ(p.policies[0]->rate_limit_usec, 60000000);
        ASSERT_EQ(p.policies[0]->options, POLICY_OPTION_FD_PATHS);
        ASSERT_STREQ(p.policies[0]->capture[1], "write=/tmp/*");
        ASSERT_NULL(p.policies[0]->capture[2]);
        ASSERT_EQ(p.problems.n, 0);
        parsed_done(&p);
}

TEST(rates) {
        static const struct {
                const char *text;
                uint64_t n, usec;
        } rows[] = {
                { "1000/s", 1000, 1000000 }, { "10/min", 10, 60000000 }, { "5/10s", 5, 10000000 },
                { "100/h", 100, 3600000000 }, { "1/500ms", 1, 500000 },
        };

        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                char text[256];

                snprintf(text, sizeof(text), HEAD "spec:\n  rateLimit: %s\n", rows[i].text);
                Parsed p = parse_text(text);
                ASSERT_EQ(p.n, 1);
                ASSERT_EQ(p.policies[0]->rate_limit_n, rows[i].n);
                ASSERT_EQ(p.policies[0]->rate_limit_usec, rows[i].usec);
                parsed_done(&p);
        }
}

/* Each is an example, too: accepted without a word, named once, and compiled. */
TEST(shipped_policies) {
        static const char *const names[] = { "10-execution.yaml", "20-files.yaml", "30-network.yaml" };
        FeatureSet features = {};
        CompileInput inputs[64] = {};
        Parsed files[3] = {};
        ProblemList problems = {};
        bool failed[64];
        Plan *plan = NULL;
        size_t n = 0;

        memset(features.granted, 1, sizeof(features.granted));
        for (size_t i = 0; i < 3; i++) {
                char path[4096];

                snprintf(path, sizeof(path), "%s/policies.d/%s", getenv("SCOPETRACE_SOURCE") ?: ".", names[i]);
                ASSERT_OK(policy_load_file(path, POLICY_LOAD_ANY_OWNER, &files[i].policies, &files[i].n,
                                           &files[i].problems));
                print_problems(&files[i].problems);
                ASSERT_EQ(files[i].problems.n, 0);
                for (size_t k = 0; k < files[i].n; k++, n++) {
                        ASSERT_LT(n, 64);
                        ASSERT_NOT_NULL(files[i].policies[k]->description);
                        for (size_t j = 0; j < n; j++)
                                ASSERT_NE(strcmp(inputs[j].policy->name, files[i].policies[k]->name), 0);
                        inputs[n] = (CompileInput) { .policy = files[i].policies[k], .scope = (uint8_t) (n + 1),
                                                     .follow_slot = 0xff };
                }
        }
        ASSERT_GE(n, 10);

        ASSERT_OK(policy_compile(inputs, n, 1, &features, &plan, failed, &problems));
        print_problems(&problems);
        ASSERT_EQ(problems.n, 0);
        ASSERT_EQ(plan->n_policies, n);
        plan_free(plan);
        problem_list_done(&problems);
        for (size_t i = 0; i < 3; i++)
                parsed_done(&files[i]);
}

TEST(key_paths) {
        Parsed p = parse_text(HEAD "spec:\n  filters:\n    - comm=bash\n    - uid=x\n");

        ASSERT_EQ(p.n, 0);
        ASSERT_STREQ(p.problems.items[0].key, "spec.filters[1]");
        ASSERT_EQ(p.problems.items[0].line, 8);
        ASSERT_EQ(p.problems.items[0].column, 11);
        parsed_done(&p);
}

TEST(nothing_to_read) {
        static const char *const empty[] = { "", "\n", "# nothing\n", "---\n", "---\n---\n...\n", "~\n" };

        for (size_t i = 0; i < sizeof(empty) / sizeof(empty[0]); i++) {
                Parsed p = parse_text(empty[i]);

                ASSERT_EQ(p.n, 0);
                ASSERT_EQ(p.problems.n, 0);
                parsed_done(&p);
        }
}

TEST(number_of_problems_is_bounded) {
        char *text = malloc(1 << 20), *e;

        ASSERT_NOT_NULL(text);
        e = stpcpy(text, HEAD "spec:\n  filters:\n");
        for (size_t i = 0; i < 50000; i++)
                e = stpcpy(e, "    - uid=x\n");
        Parsed p = parse_text(text);
        ASSERT_EQ(p.problems.n, 101);
        ASSERT_CONTAINS(p.problems.items[100].message, "More than 100 problems");
        parsed_done(&p);

        e = text;
        for (size_t i = 0; i < 50000; i++)
                e = stpcpy(e, "---\nx\n");
        p = parse_text(text);
        ASSERT_LE(p.problems.n, 1002);
        parsed_done(&p);
        free(text);
}

/* As large as a file may be, and quick: positions are not searched from the beginning each time. */
TEST(many_lines) {
        char *text = malloc(POLICY_FILE_MAX), *e;

        ASSERT_NOT_NULL(text);
        e = stpcpy(text, HEAD "spec:\n  filters:\n");
        while (e - text < POLICY_FILE_MAX - 32)
                e = stpcpy(e, "    - uid=1\n");
        Parsed p = parse_text(text);
        ASSERT_EQ(p.n, 1);
        parsed_done(&p);

        e = text;
        while (e - text < POLICY_FILE_MAX - 32)
                e = stpcpy(e, "---\n");
        p = parse_text(text);
        ASSERT_EQ(p.problems.n, 0);
        parsed_done(&p);
        free(text);
}

TEST(ten_megabytes) {
        Parsed p = {};
        char *text = malloc(10 << 20);

        ASSERT_NOT_NULL(text);
        memset(text, 'a', 10 << 20);
        ASSERT_OK(policy_parse(text, 10 << 20, "big", &p.policies, &p.n, &p.problems));
        ASSERT_EQ(p.n, 0);
        ASSERT_CONTAINS(p.problems.items[0].message, "split it");
        parsed_done(&p);
        free(text);
}

/* ---- Files ---- */

typedef struct Scratch {
        char directory[64], path[128];
} Scratch;

static void scratch_new(Scratch *s, const char *name, const char *text, mode_t mode) {
        FILE *f;

        strcpy(s->directory, "/tmp/test-policy-parse.XXXXXX");
        ASSERT_NOT_NULL(mkdtemp(s->directory));
        snprintf(s->path, sizeof(s->path), "%s/%s", s->directory, name);
        f = fopen(s->path, "w");
        ASSERT_NOT_NULL(f);
        ASSERT_GE(fputs(text, f), 0);
        ASSERT_EQ(fclose(f), 0);
        ASSERT_OK(chmod(s->path, mode));
}

static void scratch_done(Scratch *s) {
        (void) unlink(s->path);
        (void) rmdir(s->path);
        (void) rmdir(s->directory);
}

static void load_refused(const char *path, unsigned flags, const char *fragment) {
        Parsed p = {};

        ASSERT_OK(policy_load_file(path, flags, &p.policies, &p.n, &p.problems));
        ASSERT_EQ(p.n, 0);
        ASSERT_EQ(p.problems.n_errors, 1);
        ASSERT_CONTAINS(p.problems.items[0].message, fragment);
        ASSERT_STREQ(p.problems.items[0].path, path);
        parsed_done(&p);
}

TEST(file_is_read) {
        Parsed p = {};
        Scratch s;

        scratch_new(&s, "x.yaml", HEAD "spec: {}\n", 0644);
        ASSERT_OK(policy_load_file(s.path, POLICY_LOAD_ANY_OWNER, &p.policies, &p.n, &p.problems));
        ASSERT_EQ(p.n, 1);
        ASSERT_STREQ(p.policies[0]->path, s.path);
        parsed_done(&p);
        scratch_done(&s);
}

TEST(file_others_may_write) {
        Scratch s;

        if (geteuid() != 0)
                test_skip("not root: files of ours do not belong to root");
        scratch_new(&s, "x.yaml", HEAD "spec: {}\n", 0664);
        load_refused(s.path, 0, "chmod go-w");
        ASSERT_OK(chmod(s.path, 0646));
        load_refused(s.path, 0, "chmod go-w");
        ASSERT_OK(chmod(s.path, 0644));
        if (chown(s.path, 1000, 0) < 0)
                test_skip("chown is refused here: %m");
        load_refused(s.path, 0, "chown root");
        scratch_done(&s);
}

TEST(file_is_no_file) {
        Scratch s;

        scratch_new(&s, "x.yaml", "", 0644);
        load_refused(s.directory, 0, "This is a directory");
        ASSERT_OK(unlink(s.path));
        load_refused(s.path, 0, "cannot be opened");
        ASSERT_OK(mkfifo(s.path, 0600));       /* must not wait for a writer */
        load_refused(s.path, 0, "no regular file");
        scratch_done(&s);
}

TEST(file_too_big) {
        Scratch s;

        scratch_new(&s, "x.yaml", "", 0600);
        ASSERT_OK(truncate(s.path, 10 << 20));
        load_refused(s.path, POLICY_LOAD_ANY_OWNER, "more than 1048576 bytes");
        scratch_done(&s);
}

TEST(file_unreadable) {
        Scratch s;

        scratch_new(&s, "x.yaml", HEAD "spec: {}\n", 0);
        if (access(s.path, R_OK) == 0) {
                scratch_done(&s);
                test_skip("this user may read everything");
        }
        load_refused(s.path, POLICY_LOAD_ANY_OWNER, "cannot be opened");
        scratch_done(&s);
}

TEST_MAIN()
