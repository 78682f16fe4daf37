/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How many entries a second journald takes: the fields of one openat event, sent over and over, with what differs from
 * event to event (time, sequence number) different.
 *
 *     journal-loop sendv|batch ENTRIES       sd_journal_sendv(), one call an entry; or sendmmsg() of 64 encoded entries
 *
 * Prints `NAME ENTRIES CPU WALL`, nanoseconds an entry, of the sender. Waits for journald, as sd_journal_sendv() does. */

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <systemd/sd-journal.h>
#include <time.h>

#include "basic/journal-native.h"
#include "basic/string-util.h"
#include "event-id.h"
#include "event/event-format.h"
#include "record-builder.h"

#define BATCH 64
#define FIELDS_MAX 64

static uint64_t now_ns(clockid_t clock) {
        struct timespec ts;

        (void) clock_gettime(clock, &ts);
        return (uint64_t) ts.tv_sec * NSEC_PER_SEC + (uint64_t) ts.tv_nsec;
}

static int make_fields(RecordBuilder *r, uint64_t seq, FieldList *fields) {
        static const char *const policies[] = { "bench" };
        Event e;
        int n;

        n = record_parse(r->data, r->size, NULL, NULL, &e);
        if (n < 0)
                return n;
        e.scopes = 1;
        e.time_ns = now_ns(CLOCK_REALTIME);
        e.policies = policies;
        e.n_policies = 1;
        e.unit = "bench.service";
        e.slice = "system.slice";
        e.cgroup_path = "/system.slice/bench.service";
        e.hook = "tp_btf";
        e.seq = seq;
        field_list_reset(fields);
        return event_format_fields(fields, &e);
}

static void build(RecordBuilder *r) {
        record_begin(r, SCT_EVENT_OPENAT);
        record_set_comm(r, "bench", "host");
        record_set_pids(r, 4711, 4711, 4710);
        r->h.flags = SCT_RECORD_HAS_RETVAL;
        r->h.retval = -2;
        r->h.mnt_ns = 4026531841;
        r->h.pid_ns = 4026531836;
        r->h.start_ns = 620311624458929;
        r->h.syscall = SCT_EVENT_OPENAT;
        record_add_string(r, SCT_ARG_INDEX_EXE, SCT_ARG_PATH, "/usr/bin/bench");
        record_add_number(r, 0, SCT_ARG_FD, (uint64_t) -100);
        record_add_string(r, 1, SCT_ARG_STR, "/tmp/bench/nothing");
        record_add_number(r, 2, SCT_ARG_S32, 0);
        record_add_number(r, 3, SCT_ARG_U32, 0);
        record_add_rules(r, 0, (const uint64_t[]) { 1 }, 1);
}

static int send_one(const FieldList *fields) {
        struct iovec iov[FIELDS_MAX];

        for (size_t i = 0; i < fields->n; i++)
                iov[i] = (struct iovec) {
                        .iov_base = fields->data.data + fields->offsets[i],
                        .iov_len = fields->offsets[i + 1] - fields->offsets[i],
                };
        return sd_journal_sendv(iov, (int) fields->n);
}

static int send_batch(int fd, Buffer *data, const size_t *sizes, unsigned n) {
        struct mmsghdr messages[BATCH] = {};
        struct iovec iov[BATCH];
        size_t at = 0;

        for (unsigned i = 0; i < n; i++) {
                iov[i] = (struct iovec) { .iov_base = data->data + at, .iov_len = sizes[i] };
                messages[i].msg_hdr.msg_iov = &iov[i];
                messages[i].msg_hdr.msg_iovlen = 1;
                at += sizes[i];
        }
        for (unsigned sent = 0; sent < n;) {
                struct pollfd p = { .fd = fd, .events = POLLOUT };
                int r = sendmmsg(fd, messages + sent, n - sent, MSG_NOSIGNAL);

                if (r > 0)
                        sent += (unsigned) r;
                else if (errno == EAGAIN)
                        (void) poll(&p, 1, -1);
                else
                        return -errno;
        }
        return 0;
}

int main(int argc, char *argv[]) {
        _cleanup_(field_list_done) FieldList fields = {};
        _cleanup_(buffer_done) Buffer data = {};
        unsigned long n = argc == 3 ? strtoul(argv[2], NULL, 10) : 0;
        bool batch = argc == 3 && streq(argv[1], "batch");
        uint64_t cpu, wall;
        size_t sizes[BATCH];
        RecordBuilder r;
        int fd = -1;

        if (n == 0)
                return EXIT_FAILURE;
        build(&r);
        if (batch) {
                fd = journal_connect(NULL);
                if (fd < 0)
                        return EXIT_FAILURE;
        }
        cpu = now_ns(CLOCK_PROCESS_CPUTIME_ID);
        wall = now_ns(CLOCK_MONOTONIC);
        for (unsigned long i = 0; i < n; i++) {
                int k = make_fields(&r, i + 1, &fields);

                if (k < 0 || k > FIELDS_MAX)
                        return EXIT_FAILURE;
                if (!batch) {
                        if (send_one(&fields) < 0)
                                return EXIT_FAILURE;
                        continue;
                }
                size_t start = data.size;
                for (size_t f = 0; f < fields.n; f++)
                        (void) journal_add_item(&data, fields.data.data + fields.offsets[f],
                                                fields.offsets[f + 1] - fields.offsets[f]);
                sizes[i % BATCH] = data.size - start;
                if (i % BATCH == BATCH - 1 || i == n - 1) {
                        if (send_batch(fd, &data, sizes, (unsigned) (i % BATCH) + 1) < 0)
                                return EXIT_FAILURE;
                        buffer_reset(&data);
                }
        }
        cpu = now_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu;
        wall = now_ns(CLOCK_MONOTONIC) - wall;
        printf("%s %lu %.1f %.1f\n", argv[1], n, (double) cpu / (double) n, (double) wall / (double) n);
        return EXIT_SUCCESS;
}
