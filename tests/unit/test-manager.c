/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The whole daemon but its kernel side, in one process: policies on disk, records through the fake ring, entries out
 * of a socket that stands for journald's. Each test has its own root. */
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "../../src/basic/fd-util.h"
#include "../../src/basic/log.h"
#include "../../src/basic/string-util.h"
#include "../../src/daemon/manager.h"
#include "fake-journal.h"
#include "fake-kernel.h"
#include "test.h"

/* No bus here. */
int manager_bus_start(Manager *m) {
        return 0;
}

void manager_bus_stop(Manager *m) {
}

static char root[64];
static int journal = -EBADF;
static Manager *manager;

static void path_of(char *ret, size_t size, const char *name) {
        snprintf(ret, size, "%s/etc/scopetrace/policies.d/%s", root, name);
}

static void put(const char *name, const char *text) {
        char path[256];
        int fd;

        path_of(path, sizeof(path), name);
        fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
        ASSERT_OK(fd);
        ASSERT_OK(write_full(fd, text, strlen(text)));
        close(fd);
}

static void drop(const char *name) {
        char path[256];

        path_of(path, sizeof(path), name);
        ASSERT_OK(unlink(path));
}

static char *policy(const char *name, const char *rest, const char *filters) {
        static char text[4096];

        snprintf(text, sizeof(text), "apiVersion: scopetrace.org/v1\nkind: ScopePolicy\nmetadata:\n  name: %s\nspec:\n"
                 "%s  filters: [%s]\n", name, rest, filters);
        return text;
}

static void prepare(void) {
        char command[256], path[128];

        strcpy(root, "/tmp/test-manager-XXXXXX");
        ASSERT_NOT_NULL(mkdtemp(root));
        snprintf(command, sizeof(command), "mkdir -p %s/etc/scopetrace/policies.d", root);
        ASSERT_EQ(system(command), 0);
        snprintf(path, sizeof(path), "%s/journal", root);
        journal = fake_journal_bind(path);
        setenv("SCOPETRACE_ROOT", root, 1);
        setenv("SCOPETRACE_JOURNAL_SOCKET", path, 1);
        unsetenv("SCOPETRACE_FAKE_REFUSE_EVENT");
        unsetenv("SCOPETRACE_FAKE_REFUSE_POLICY");
}

static void start(void) {
        const ManagerOptions options = { .no_bus = true };

        log_set_target(LOG_TARGET_JOURNAL);
        ASSERT_OK(manager_new(&options, &manager));
        ASSERT_OK(manager_startup(manager));
}

static void stop(void) {
        char command[128];

        manager = manager_free(manager);
        log_set_target(LOG_TARGET_CONSOLE);
        journal = safe_close(journal);
        snprintf(command, sizeof(command), "rm -rf %s", root);
        ASSERT_EQ(system(command), 0);
}

/* The next entry that has this item. */
static const char *wait_for(const char *item) {
        for (unsigned i = 0; i < 300; i++) {
                const char *entry;

                while ((entry = fake_journal_read(journal, 0)))
                        if (fake_journal_has(entry, item))
                                return entry;
                ASSERT_OK(sd_event_run(manager_event(manager), 10000));
        }
        TEST_FAIL("no entry with %s", item);
}

static void happen(const char *event, const char *path) {
        const FakeEvent e = { .event = event, .path = path, .cgroup_id = 5 };
        uint64_t frame[256];

        fake_kernel_push(frame, fake_frame_event(&e, frame, sizeof(frame)));
}

static PolicyState state_of(const char *name) {
        LoadedPolicy *p = manager_policy_by_name(manager, name);

        ASSERT_NOT_NULL(p);
        return p->state;
}

TEST(event_to_journal) {
        uint64_t frame[64];
        const char *entry;

        prepare();
        put("10-a.yaml", policy("open-files", "  scope: 6\n  priority: warning\n", "event=openat"));
        put("20-b.yaml", policy("both", "  scope: 1\n", "\"event=openat,close\""));
        start();
        wait_for("MESSAGE_ID=298a1c09703d4ff6bfefbd5170480c50");
        fake_kernel_push(frame, fake_frame_cgroup(5, "/system.slice/nginx.service", frame, sizeof(frame)));
        happen("openat", "/etc/passwd");
        entry = wait_for("TRACE_EVENT=openat");
        ASSERT_TRUE(fake_journal_has(entry, "MATCHED_SCOPES=33"));
        ASSERT_TRUE(fake_journal_has(entry, "SCOPE=1"));
        ASSERT_TRUE(fake_journal_has(entry, "SCOPE=6"));
        ASSERT_TRUE(fake_journal_has(entry, "POLICY=open-files"));
        ASSERT_TRUE(fake_journal_has(entry, "POLICY=both"));
        ASSERT_TRUE(fake_journal_has(entry, "PRIORITY=4"));
        ASSERT_TRUE(fake_journal_has(entry, "OBJECT_SYSTEMD_UNIT=nginx.service"));
        ASSERT_TRUE(fake_journal_has(entry, "OBJECT_SYSTEMD_SLICE=system.slice"));
        ASSERT_TRUE(fake_journal_has(entry, "TRACE_SEQ=0"));
        ASSERT_TRUE(fake_journal_has(entry, "TRACE_HOOK=raw_tp"));

        happen("close", NULL);
        entry = wait_for("TRACE_EVENT=close");
        ASSERT_TRUE(fake_journal_has(entry, "MATCHED_SCOPES=1"));
        ASSERT_TRUE(fake_journal_has(entry, "TRACE_SEQ=1"));
        ASSERT_TRUE(fake_journal_has(entry, "PRIORITY=6"));

        ASSERT_EQ(manager_scope(manager, 1)->n_events, 2);
        ASSERT_EQ(manager_scope(manager, 6)->n_events, 1);
        ASSERT_NULL(manager_scope(manager, 2));
        ASSERT_STREQ(manager_status_text(manager), "2 policies in 2 scopes; 2 hooks; 0 lost");
        stop();
}

TEST(scope_numbers) {
        prepare();
        put("10-a.yaml", policy("free-1", "", "event=openat"));
        put("20-b.yaml", policy("fixed", "  scope: 1\n", "event=openat"));
        put("30-c.yaml", policy("free-2", "", "event=openat"));
        start();
        ASSERT_EQ(manager_policy_by_name(manager, "fixed")->scope, 1);
        ASSERT_EQ(manager_policy_by_name(manager, "free-1")->scope, 2);
        ASSERT_EQ(manager_policy_by_name(manager, "free-2")->scope, 3);

        /* A number that was given out stays, whoever goes. */
        drop("10-a.yaml");
        ASSERT_OK(manager_reload(manager));
        ASSERT_NULL(manager_policy_by_name(manager, "free-1"));
        ASSERT_NULL(manager_scope(manager, 2));
        ASSERT_EQ(manager_policy_by_name(manager, "free-2")->scope, 3);
        stop();
}

TEST(bad_file_keeps_last_good) {
        const char *entry;
        LoadedPolicy *p;

        prepare();
        put("10-a.yaml", policy("good", "  scope: 1\n", "event=openat"));
        put("20-b.yaml", policy("never-good", "  scope: 65\n", "event=openat"));
        start();
        ASSERT_EQ(state_of("good"), POLICY_ACTIVE);
        ASSERT_EQ(state_of("20-b.yaml"), POLICY_FAILED);
        ASSERT_GT(manager_policy_by_name(manager, "20-b.yaml")->problems.n_errors, 0);
        entry = wait_for("MESSAGE_ID=425452a3ff064b899237949481ed5a1b");
        ASSERT_CONTAINS(fake_journal_field(entry, "MESSAGE", 0), "20-b.yaml:6:");

        put("10-a.yaml", policy("good", "  scope: 1\n", "event=nonsense"));
        ASSERT_OK(manager_reload(manager));
        wait_for("MESSAGE_ID=032d0e333974454f9c0a574e42b2fddf");
        p = manager_policy_by_name(manager, "good");
        ASSERT_TRUE(p->stale);
        ASSERT_EQ(p->state, POLICY_ACTIVE);
        ASSERT_GT(p->problems.n_errors, 0);
        happen("openat", NULL);
        wait_for("TRACE_EVENT=openat");
        ASSERT_STREQ(manager_status_text(manager), "2 policies in 1 scope, 2 failed; 1 hook; 0 lost");

        put("10-a.yaml", policy("good", "  scope: 1\n", "event=close"));
        ASSERT_OK(manager_reload(manager));
        ASSERT_TRUE(manager_policy_by_name(manager, "good") == p);
        ASSERT_FALSE(p->stale);
        ASSERT_EQ(p->problems.n, 0);
        happen("openat", NULL);
        happen("close", NULL);
        entry = wait_for("TRACE_SEQ=1");
        ASSERT_TRUE(fake_journal_has(entry, "TRACE_EVENT=close"));
        stop();
}

/* A version that can be read and cannot be served or compiled is bad, too; its scope number does not count. */
TEST(refused_version_keeps_last_good) {
        char many[8192] = "event=openat";
        LoadedPolicy *p;

        prepare();
        put("10-a.yaml", policy("a", "  scope: 5\n", "event=openat"));
        setenv("SCOPETRACE_FAKE_REFUSE_EVENT", "ptrace", 1);
        start();
        p = manager_policy_by_name(manager, "a");
        put("10-a.yaml", policy("a", "  scope: 6\n", "event=ptrace"));
        for (unsigned i = 0; i < 2; i++) {
                ASSERT_OK(manager_reload(manager));
                ASSERT_TRUE(manager_policy_by_name(manager, "a") == p);
                ASSERT_EQ(p->state, POLICY_ACTIVE);
                ASSERT_TRUE(p->stale);
                ASSERT_EQ(p->scope, 5);
                ASSERT_EQ(p->problems.n_errors, 1);
                ASSERT_CONTAINS(p->problems.items[0].message, "ptrace");
                ASSERT_EQ(p->problems.items[0].line, 7);
        }
        ASSERT_STREQ(manager_status_text(manager), "1 policy in 1 scope, 1 failed; 1 hook; 0 lost");
        happen("openat", NULL);
        ASSERT_TRUE(fake_journal_has(wait_for("TRACE_EVENT=openat"), "MATCHED_SCOPES=16"));

        for (unsigned i = 0; i < 70; i++)
                sprintf(many + strlen(many), ",tree=%u", 1000 + i);       /* 64 are possible */
        put("10-a.yaml", policy("a", "  scope: 6\n", many));
        ASSERT_OK(manager_reload(manager));
        ASSERT_TRUE(p->stale);
        ASSERT_EQ(p->scope, 5);
        ASSERT_EQ(p->problems.n_errors, 1);
        ASSERT_CONTAINS(p->problems.items[0].message, "tree=");

        /* Other changes leave it alone, and its problems with it. */
        ASSERT_OK(manager_set_policy_enabled(manager, "a", false));
        ASSERT_OK(manager_set_policy_enabled(manager, "a", true));
        ASSERT_TRUE(p->stale);
        ASSERT_EQ(p->problems.n_errors, 1);

        put("10-a.yaml", policy("a", "  scope: 6\n", "event=close"));
        ASSERT_OK(manager_reload(manager));
        ASSERT_FALSE(p->stale);
        ASSERT_EQ(p->scope, 6);
        ASSERT_EQ(p->problems.n, 0);
        stop();
}

/* Whatever is wrong with a file, also with one that takes another's place, and with the whole directory. */
TEST(unreadable_keeps_last_good) {
        char path[256], target[256], command[1024];

        prepare();
        snprintf(command, sizeof(command), "mkdir -p %s/usr/lib/scopetrace", root);
        ASSERT_EQ(system(command), 0);
        put("10-a.yaml", policy("lost", "  scope: 1\n", "event=openat"));
        put("20-b.yaml", policy("shadowed", "  scope: 2\n", "event=close"));
        snprintf(command, sizeof(command), "mv %s/etc/scopetrace/policies.d %s/usr/lib/scopetrace/ && "
                 "mkdir %s/etc/scopetrace/policies.d", root, root, root);
        ASSERT_EQ(system(command), 0);
        start();
        ASSERT_EQ(state_of("lost"), POLICY_ACTIVE);

        path_of(path, sizeof(path), "10-a.yaml");
        ASSERT_OK(symlink("/nowhere/at/all", path));
        put("20-b.yaml", policy("other", "  scope: 65\n", "event=close"));
        ASSERT_OK(manager_reload(manager));
        ASSERT_EQ(state_of("lost"), POLICY_ACTIVE);
        ASSERT_TRUE(manager_policy_by_name(manager, "lost")->stale);
        ASSERT_CONTAINS(manager_policy_by_name(manager, "lost")->problems.items[0].message, "cannot be opened");
        ASSERT_EQ(state_of("shadowed"), POLICY_ACTIVE);
        ASSERT_TRUE(manager_policy_by_name(manager, "shadowed")->stale);
        ASSERT_NULL(manager_policy_by_name(manager, "other"));

        drop("10-a.yaml");
        drop("20-b.yaml");
        ASSERT_OK(manager_reload(manager));
        ASSERT_FALSE(manager_policy_by_name(manager, "lost")->stale);
        ASSERT_FALSE(manager_policy_by_name(manager, "shadowed")->stale);

        snprintf(path, sizeof(path), "%s/usr/lib/scopetrace/policies.d", root);
        snprintf(target, sizeof(target), "%s/usr/lib/scopetrace/elsewhere", root);
        ASSERT_OK(rename(path, target));
        ASSERT_OK(symlink(path, path));                       /* to itself */
        ASSERT_OK(manager_reload(manager));
        ASSERT_EQ(state_of("lost"), POLICY_ACTIVE);
        ASSERT_TRUE(manager_policy_by_name(manager, "lost")->stale);
        ASSERT_EQ(state_of("policies.d"), POLICY_FAILED);
        ASSERT_OK(unlink(path));
        ASSERT_OK(manager_reload(manager));                   /* taken away on purpose */
        ASSERT_NULL(manager_policy_by_name(manager, "lost"));
        ASSERT_NULL(manager_policy_by_name(manager, "policies.d"));
        stop();
}

TEST(masked) {
        char path[256];

        prepare();
        path_of(path, sizeof(path), "10-a.yaml");
        ASSERT_OK(symlink("/dev/null", path));
        start();
        ASSERT_EQ(state_of("10-a.yaml"), POLICY_MASKED);
        ASSERT_ERROR(manager_set_policy_enabled(manager, "10-a.yaml", true), EINVAL);
        stop();
}

TEST(name_clash) {
        prepare();
        put("10-a.yaml", policy("same", "", "event=openat"));
        put("20-b.yaml", policy("same", "", "event=close"));
        start();
        ASSERT_EQ(state_of("same"), POLICY_ACTIVE);
        ASSERT_EQ(state_of("20-b.yaml"), POLICY_FAILED);
        ASSERT_CONTAINS(manager_policy_by_name(manager, "20-b.yaml")->problems.items[0].message, "10-a.yaml");
        stop();
}

TEST(enable_and_disable) {
        LoadedPolicy *p;

        prepare();
        put("10-a.yaml", policy("a", "  scope: 9\n", "event=openat"));
        start();
        ASSERT_OK(manager_set_policy_enabled(manager, "a", false));
        ASSERT_EQ(state_of("a"), POLICY_DISABLED);
        ASSERT_EQ(manager_n_hooks(manager), 0);
        ASSERT_OK(manager_reload(manager));
        ASSERT_EQ(state_of("a"), POLICY_DISABLED);
        ASSERT_OK(manager_set_policy_enabled(manager, "a", true));
        ASSERT_EQ(state_of("a"), POLICY_ACTIVE);
        ASSERT_EQ(manager_n_hooks(manager), 1);

        ASSERT_OK(manager_set_scope_enabled(manager, 9, false));
        ASSERT_EQ(state_of("a"), POLICY_DISABLED);
        ASSERT_EQ(manager_n_hooks(manager), 0);
        ASSERT_OK(manager_set_scope_enabled(manager, 9, true));
        ASSERT_EQ(state_of("a"), POLICY_ACTIVE);
        ASSERT_ERROR(manager_set_scope_enabled(manager, 10, true), ENOENT);
        ASSERT_ERROR(manager_set_policy_enabled(manager, "b", true), ENOENT);
        p = manager_policy_by_name(manager, "a");
        ASSERT_FALSE(p->disabled);
        stop();
}

TEST(transient) {
        ProblemList problems = {};
        LoadedPolicy *p;

        prepare();
        put("10-a.yaml", policy("file", "  scope: 42\n", "event=openat"));
        start();
        ASSERT_OK(manager_load_policy(manager, policy("t", "  scope: 42\n", "event=close"), 0, NULL, &p, &problems));
        ASSERT_EQ(p->scope, 42);
        ASSERT_EQ(p->state, POLICY_ACTIVE);
        ASSERT_EQ(manager_scope(manager, 42)->n_policies, 2);
        ASSERT_OK(manager_reload(manager));
        ASSERT_TRUE(manager_policy_by_name(manager, "t") == p);

        ASSERT_ERROR(manager_load_policy(manager, policy("t", "", "event=close"), 0, NULL, &p, &problems), EEXIST);
        ASSERT_ERROR(manager_load_policy(manager, policy("u", "  scope: 42\n", "event=close"), POLICY_LOAD_EXCLUSIVE,
                                         NULL, &p, &problems), EBUSY);
        problem_list_done(&problems);
        problems = (ProblemList) {};
        ASSERT_ERROR(manager_load_policy(manager, policy("u", "", "event=nonsense"), 0, NULL, &p, &problems), EINVAL);
        ASSERT_GT(problems.n_errors, 0);
        problem_list_done(&problems);
        ASSERT_NULL(manager_policy_by_name(manager, "u"));

        ASSERT_ERROR(manager_unload_policy(manager, "file"), EROFS);
        ASSERT_ERROR(manager_unload_policy(manager, "u"), ENOENT);
        ASSERT_OK(manager_unload_policy(manager, "t"));
        ASSERT_EQ(manager_scope(manager, 42)->n_policies, 1);
        stop();
}

TEST(refused_by_this_kernel) {
        ProblemList problems = {};
        LoadedPolicy *p;

        prepare();
        put("10-a.yaml", policy("refused", "", "event=ptrace"));
        put("20-b.yaml", policy("fine", "", "event=openat"));
        setenv("SCOPETRACE_FAKE_REFUSE_EVENT", "ptrace", 1);
        start();
        ASSERT_EQ(state_of("refused"), POLICY_FAILED);
        ASSERT_CONTAINS(manager_policy_by_name(manager, "refused")->problems.items[0].message, "kprobes are refused");
        ASSERT_CONTAINS(manager_policy_by_name(manager, "refused")->problems.items[0].message, "not permitted");
        ASSERT_EQ(state_of("fine"), POLICY_ACTIVE);
        ASSERT_OK(manager_check_policy(manager, policy("x", "", "event=ptrace"), &problems));
        ASSERT_GT(problems.n_errors, 0);
        problem_list_done(&problems);
        ASSERT_ERROR(manager_load_policy(manager, policy("x", "", "event=ptrace"), 0, NULL, &p, &problems), ENOTSUP);
        ASSERT_GT(problems.n_errors, 0);
        problem_list_done(&problems);
        ASSERT_NULL(manager_policy_by_name(manager, "x"));
        stop();
}

/* The kernel takes the set as a whole or not at all: the one that it does not like is found and left out. */
TEST(kernel_refuses_one) {
        prepare();
        put("10-a.yaml", policy("a", "", "event=openat"));
        put("20-b.yaml", policy("b", "", "event=close"));
        put("30-c.yaml", policy("c", "", "event=ptrace"));
        setenv("SCOPETRACE_FAKE_REFUSE_POLICY", "b", 1);
        start();
        ASSERT_EQ(state_of("a"), POLICY_ACTIVE);
        ASSERT_EQ(state_of("b"), POLICY_FAILED);
        ASSERT_EQ(state_of("c"), POLICY_ACTIVE);
        ASSERT_CONTAINS(manager_policy_by_name(manager, "b")->problems.items[0].message, "verifier");
        ASSERT_EQ(manager_n_hooks(manager), 2);
        happen("ptrace", NULL);
        wait_for("POLICY=c");
        stop();
}

TEST(rate_limit) {
        ManagerCounters counters;
        const char *entry;

        prepare();
        put("10-a.yaml", policy("limited", "  scope: 2\n  rateLimit: 10/s\n", "event=openat"));
        put("20-b.yaml", policy("other", "  scope: 3\n", "event=close"));
        start();
        for (unsigned i = 0; i < 100; i++)
                happen("openat", NULL);
        happen("close", NULL);
        entry = wait_for("TRACE_EVENT=close");
        ASSERT_TRUE(fake_journal_has(entry, "TRACE_SEQ=100"));
        manager_counters(manager, &counters);
        ASSERT_EQ(counters.n_events, 101);
        ASSERT_GE(counters.n_lost_rate, 85);
        ASSERT_LE(counters.n_lost_rate, 90);
        ASSERT_EQ(manager_policy_by_name(manager, "limited")->n_suppressed, counters.n_lost_rate);
        ASSERT_EQ(manager_scope(manager, 2)->n_lost, counters.n_lost_rate);
        ASSERT_EQ(manager_scope(manager, 3)->n_lost, 0);
        entry = wait_for("LOST_REASON=rate-limit");
        ASSERT_EQ(strtoull(fake_journal_field(entry, "LOST_EVENTS", 0), NULL, 10), counters.n_lost_rate);
        ASSERT_TRUE(fake_journal_has(entry, "SCOPE=2"));
        ASSERT_FALSE(fake_journal_has(entry, "SCOPE=3"));
        stop();
}

/* A hole in TRACE_SEQ where events were lost, as wide as their number, and a record that says so. */
TEST(ring_loss) {
        uint64_t frame[16];
        const char *entry;

        prepare();
        put("10-a.yaml", policy("a", "  scope: 7\n", "event=openat"));
        start();
        happen("openat", NULL);
        wait_for("TRACE_SEQ=0");
        fake_kernel_push(frame, fake_frame_lost(5, frame, sizeof(frame)));
        happen("openat", NULL);
        wait_for("TRACE_SEQ=6");
        entry = wait_for("LOST_REASON=ring");
        ASSERT_TRUE(fake_journal_has(entry, "LOST_EVENTS=5"));
        ASSERT_TRUE(fake_journal_has(entry, "TRACE_SEQ_FIRST=1"));
        ASSERT_TRUE(fake_journal_has(entry, "TRACE_SEQ_LAST=5"));
        ASSERT_TRUE(fake_journal_has(entry, "SCOPE=7"));
        ASSERT_TRUE(fake_journal_has(entry, "MESSAGE_ID=b683e11378bc48db8ecb3430419273b5"));
        ASSERT_EQ(manager_scope(manager, 7)->n_lost, 5);
        ASSERT_EQ(manager_n_lost(manager), 5);

        /* No record comes after this one. */
        fake_kernel_push(frame, fake_frame_lost(2, frame, sizeof(frame)));
        entry = wait_for("LOST_EVENTS=2");
        ASSERT_TRUE(fake_journal_has(entry, "TRACE_SEQ_FIRST=7"));
        ASSERT_EQ(manager_n_lost(manager), 7);
        stop();
}

static size_t read_stream(int fd, char *text, size_t size) {
        size_t n = 0;

        for (unsigned i = 0; i < 20; i++) {
                ssize_t k;

                ASSERT_OK(sd_event_run(manager_event(manager), 5000));
                while ((k = recv(fd, text + n, size - 1 - n, MSG_DONTWAIT)) > 0)
                        n += (size_t) k;
        }
        text[n] = '\0';
        return n;
}

TEST(streams) {
        const StreamOptions json = { .format = EVENT_FORMAT_JSON, .scopes = SCOPE_BIT(2) },
                table = { .format = EVENT_FORMAT_TABLE };
        static char text[1 << 20];
        StreamInfo info[2];
        int a, b;

        prepare();
        put("10-a.yaml", policy("a", "  scope: 1\n", "event=openat"));
        put("20-b.yaml", policy("b", "  scope: 2\n", "event=close"));
        start();
        ASSERT_OK(manager_open_stream(manager, &json, &a));
        ASSERT_OK(manager_open_stream(manager, &table, &b));
        ASSERT_EQ(manager_list_streams(manager, info, 2), 2);
        happen("openat", "/etc/shadow");
        happen("close", NULL);
        read_stream(a, text, sizeof(text));
        ASSERT_CONTAINS(text, "\"eventName\":\"close\"");
        ASSERT_NULL(strstr(text, "openat"));
        read_stream(b, text, sizeof(text));
        ASSERT_CONTAINS(text, "EVENT");
        ASSERT_CONTAINS(text, "openat");
        ASSERT_CONTAINS(text, "close");

        close(a);
        for (unsigned i = 0; i < 10; i++)
                ASSERT_OK(sd_event_run(manager_event(manager), 5000));
        ASSERT_EQ(manager_list_streams(manager, info, 2), 1);
        close(b);
        stop();
}

/* A reader that sleeps loses whole lines, exactly as many as it is told. */
TEST(slow_reader) {
        const StreamOptions o = { .format = EVENT_FORMAT_JSON, .buffer_bytes = 64 * 1024 };
        static char text[64 << 20];
        ManagerCounters counters;
        uint64_t n_lines = 0, n_lost = 0;
        int fd;

        prepare();
        put("10-a.yaml", policy("a", "  scope: 1\n", "event=openat"));
        put("../scopetraced.conf", "[Scopetrace]\nJournal=no\n");
        start();
        ASSERT_OK(manager_open_stream(manager, &o, &fd));
        for (unsigned i = 0; i < 20000; i++)
                happen("openat", "/etc/shadow");
        for (unsigned i = 0; i < 30; i++)
                ASSERT_OK(sd_event_run(manager_event(manager), 0));
        manager_counters(manager, &counters);
        ASSERT_EQ(counters.n_events, 20000);
        ASSERT_GT(counters.n_lost_streams, 0);
        ASSERT_EQ(manager_scope(manager, 1)->n_lost, 0);

        read_stream(fd, text, sizeof(text));
        for (char *p = text, *line; (line = strsep(&p, "\n")) && *line;) {
                if (startswith(line, "{\"lost\":"))
                        n_lost += strtoull(line + strlen("{\"lost\":"), NULL, 10);
                else {
                        ASSERT_NOT_NULL(startswith(line, "{\"timestamp\":"));
                        ASSERT_NOT_NULL(endswith(line, "}"));
                        n_lines++;
                }
        }
        ASSERT_EQ(n_lost, counters.n_lost_streams);
        ASSERT_EQ(n_lines + n_lost, 20000);
        close(fd);
        stop();
}

/* Records of the old set that stand in the ring when the new one becomes active mean what they meant. */
TEST(records_of_an_older_generation) {
        const FakeEvent e = { .event = "openat" };
        uint64_t frame[256] = {}, mask = 1;
        struct sct_record *record = (struct sct_record *) (frame + 1);
        FakeFrame *header = (FakeFrame *) frame;
        uint32_t old;
        const char *entry;

        prepare();
        put("10-a.yaml", policy("before", "  scope: 11\n", "event=openat"));
        start();
        old = manager_generation(manager);
        drop("10-a.yaml");
        put("20-b.yaml", policy("after", "  scope: 12\n", "event=close"));
        ASSERT_OK(manager_reload(manager));
        ASSERT_GT(manager_generation(manager), old);

        (void) fake_frame_event(&e, frame, sizeof(frame));
        record->generation = old;
        record->n_banks = 1;
        memcpy((char *) record + header->size, &mask, sizeof(mask));
        header->size += sizeof(mask);
        fake_kernel_push(frame, sizeof(*header) + header->size);
        entry = wait_for("TRACE_EVENT=openat");
        ASSERT_TRUE(fake_journal_has(entry, "SCOPE=11"));
        ASSERT_TRUE(fake_journal_has(entry, "POLICY=before"));

        /* Nobody knows this one: counted, never guessed. */
        record->generation = 4711;
        fake_kernel_push(frame, sizeof(*header) + header->size);
        wait_for("LOST_REASON=damaged");
        stop();
}

TEST_MAIN()
