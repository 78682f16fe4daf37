/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* journal.c against a socket that the test reads: fields, order, back-pressure, a journald that goes and comes. */
#include "../../src/basic/macro.h"
#include "../../src/daemon/journal.h"
#include "fake-journal.h"
#include "fake-kernel.h"
#include "test.h"

static uint64_t lost_n, lost_scopes, lost_first, lost_last;

static void on_lost(uint64_t seq, uint64_t scopes, void *userdata) {
        if (lost_n++ == 0)
                lost_first = seq;
        lost_last = seq;
        lost_scopes |= scopes;
}

static char dir[64], path[128];

static Journal *begin(sd_event **event, size_t queue_bytes, bool optional) {
        const JournalOptions options = { .queue_bytes = queue_bytes, .optional = optional, .socket = path,
                                         .on_lost = on_lost };
        Journal *j;

        lost_n = lost_scopes = lost_first = lost_last = 0;
        ASSERT_OK(sd_event_new(event));
        ASSERT_OK(journal_new(*event, &options, &j));
        return j;
}

static void end(Journal *j, sd_event *event) {
        journal_free(j);
        sd_event_unref(event);
}

static void make_dir(void) {
        strcpy(dir, "/tmp/test-journal-XXXXXX");
        ASSERT_NOT_NULL(mkdtemp(dir));
        snprintf(path, sizeof(path), "%s/socket", dir);
}

static void remove_dir(void) {
        unlink(path);
        rmdir(dir);
}

static uint64_t frame[1024];

static Event make_event(uint64_t seq, const char *file) {
        const FakeEvent f = { .event = "openat", .comm = "cat", .retval = 3, .path = file };
        static const char *const policies[] = { "one", "two" };
        FakeFrame *header = (FakeFrame *) frame;
        Event e;

        (void) fake_frame_event(&f, frame, sizeof(frame));
        ASSERT_OK(record_parse(frame + 1, header->size, NULL, NULL, &e));
        e.seq = seq;
        e.scopes = 0x23;
        e.policies = policies;
        e.n_policies = 2;
        e.priority = 5;
        e.container_id = e.cgroup_path = "";
        e.unit = "nginx.service";
        return e;
}

TEST(fields) {
        sd_event *event;
        const char *entry;
        Journal *j;
        Event e;
        int fd;

        make_dir();
        fd = fake_journal_bind(path);
        j = begin(&event, 1 << 20, false);
        e = make_event(17, "/tmp/a\nb");
        journal_write_event(j, &e);
        journal_flush(j);
        entry = fake_journal_read(fd, 1000);
        ASSERT_NOT_NULL(entry);
        ASSERT_TRUE(fake_journal_has(entry, "MATCHED_SCOPES=35"));
        ASSERT_TRUE(fake_journal_has(entry, "SCOPE=1"));
        ASSERT_TRUE(fake_journal_has(entry, "SCOPE=2"));
        ASSERT_TRUE(fake_journal_has(entry, "SCOPE=6"));
        ASSERT_FALSE(fake_journal_has(entry, "SCOPE=3"));
        ASSERT_TRUE(fake_journal_has(entry, "POLICY=one"));
        ASSERT_TRUE(fake_journal_has(entry, "POLICY=two"));
        ASSERT_TRUE(fake_journal_has(entry, "PRIORITY=5"));
        ASSERT_TRUE(fake_journal_has(entry, "SYSLOG_IDENTIFIER=scopetrace"));
        ASSERT_TRUE(fake_journal_has(entry, "TRACE_SEQ=17"));
        ASSERT_TRUE(fake_journal_has(entry, "TRACE_ARG_PATHNAME=/tmp/a\\nb"));
        ASSERT_TRUE(fake_journal_has(entry, "OBJECT_SYSTEMD_UNIT=nginx.service"));
        ASSERT_EQ(journal_n_sent(j), 1);
        end(j, event);
        close(fd);
        remove_dir();
}

/* The socket takes some, the queue some more, the rest is counted; what arrives is in order and without a repeat. */
TEST(back_pressure) {
        const uint64_t n = 5000;
        uint64_t n_read = 0, next = 0;
        sd_event *event;
        const char *entry;
        Journal *j;
        int fd;

        make_dir();
        fd = fake_journal_bind(path);
        j = begin(&event, 64 * 1024, false);
        for (uint64_t i = 0; i < n; i++) {
                Event e = make_event(i, "/etc/passwd");

                journal_write_event(j, &e);
        }
        ASSERT_GT(lost_n, 0);
        ASSERT_EQ(lost_last, n - 1);
        ASSERT_EQ(lost_scopes, 0x23);
        ASSERT_EQ(lost_last - lost_first + 1, lost_n);

        for (;;) {
                while ((entry = fake_journal_read(fd, 0))) {
                        ASSERT_EQ(strtoull(fake_journal_field(entry, "TRACE_SEQ", 0), NULL, 10), next);
                        next++;
                        n_read++;
                }
                if (sd_event_run(event, 100000) == 0)
                        break;
        }
        ASSERT_EQ(n_read + lost_n, n);
        ASSERT_EQ(journal_n_sent(j), n_read);
        ASSERT_EQ(journal_n_lost(j), lost_n);
        end(j, event);
        close(fd);
        remove_dir();
}

TEST(large_entry) {
        _cleanup_free_ char *data = malloc(20 << 20);
        sd_event *event;
        const char *entry;
        Journal *j;
        int fd;

        make_dir();
        fd = fake_journal_bind(path);
        j = begin(&event, 64 << 20, false);
        memset(data, 'x', 20 << 20);
        memcpy(data, "MESSAGE=", 8);
        data[(20 << 20) - 1] = '\n';
        ASSERT_OK(journal_write_entry(j, data, 20 << 20));
        entry = fake_journal_read(fd, 1000);
        ASSERT_NOT_NULL(entry);
        ASSERT_EQ(strlen(entry), 20 << 20);
        end(j, event);
        close(fd);
        remove_dir();
}

TEST(journald_restarts) {
        sd_event *event;
        const char *entry = NULL;
        Journal *j;
        Event e;
        int fd;

        make_dir();
        fd = fake_journal_bind(path);
        j = begin(&event, 1 << 20, false);
        close(fd);
        e = make_event(1, "/x");
        journal_write_event(j, &e);
        journal_flush(j);
        e = make_event(2, "/x");
        journal_write_event(j, &e);
        journal_flush(j);

        fd = fake_journal_bind(path);
        for (unsigned i = 0; i < 50 && !(entry = fake_journal_read(fd, 0)); i++)
                ASSERT_OK(sd_event_run(event, 100000));
        ASSERT_NOT_NULL(entry);
        ASSERT_TRUE(fake_journal_has(entry, "TRACE_SEQ=1"));
        entry = fake_journal_read(fd, 1000);
        ASSERT_TRUE(fake_journal_has(entry, "TRACE_SEQ=2"));
        ASSERT_EQ(lost_n, 0);
        end(j, event);
        close(fd);
        remove_dir();
}

TEST(no_journald) {
        sd_event *event;
        Journal *j;
        Event e;

        make_dir();
        j = begin(&event, 1 << 20, true);
        ASSERT_FALSE(journal_is_present(j));
        e = make_event(1, "/x");
        journal_write_event(j, &e);
        journal_flush(j);
        ASSERT_EQ(lost_n, 0);
        ASSERT_ERROR(journal_write_entry(j, "MESSAGE=x\n", 10), ENOENT);
        end(j, event);
        remove_dir();
}

TEST_MAIN()
