/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Nanoseconds that one event costs in each form, the parsing of its record included. Not a test: numbers of a debug
 * or sanitizer build say nothing, so build with -Dbuildtype=release.
 *
 *     bench-format [ROUNDS] */

#include <stdio.h>
#include <time.h>

#include "event/event-format.h"
#include "event-id.h"
#include "record-builder.h"

#define ROUNDS_DEFAULT 1000000U

static uint64_t now_ns(void) {
        struct timespec ts;

        (void) clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
        return (uint64_t) ts.tv_sec * NSEC_PER_SEC + (uint64_t) ts.tv_nsec;
}

static void build(RecordBuilder *r) {
        record_begin(r, SCT_EVENT_OPENAT);
        record_set_comm(r, "nginx", "host.example.org");
        record_set_pids(r, 473432, 473432, 295394);
        r->h.flags = SCT_RECORD_HAS_RETVAL;
        r->h.retval = 3;
        r->h.uid = 33;
        r->h.mnt_ns = 4026531841;
        r->h.pid_ns = 4026531836;
        r->h.start_ns = 620311624458929;
        r->h.cgroup_id = 4711;
        r->h.syscall = SCT_EVENT_OPENAT;
        record_add_string(r, SCT_ARG_INDEX_EXE, SCT_ARG_PATH, "/usr/sbin/nginx");
        record_add_number(r, 0, SCT_ARG_FD, (uint64_t) -100);
        record_add_string(r, 1, SCT_ARG_STR, "/var/www/html/index.html");
        record_add_number(r, 2, SCT_ARG_S32, 02000000);
        record_add_number(r, 3, SCT_ARG_U32, 0);
        record_add_rules(r, 0, (const uint64_t[]) { 1 }, 1);
}

static void parse(const RecordBuilder *r, Event *e, unsigned round) {
        static const char *const policies[] = { "web" };

        if (record_parse(r->data, r->size, NULL, NULL, e) < 0)
                abort();
        e->scopes = 0x20;
        e->time_ns = 1657321167356729582ULL + round * 1000ULL;
        e->policies = policies;
        e->n_policies = 1;
        e->unit = "nginx.service";
        e->slice = "system.slice";
        e->cgroup_path = "/system.slice/nginx.service";
        e->hook = "tp_btf";
        e->seq = round;
}

int main(int argc, char *argv[]) {
        unsigned rounds = argc > 1 ? (unsigned) strtoul(argv[1], NULL, 10) : ROUNDS_DEFAULT;
        _cleanup_(field_list_done) FieldList fields = {};
        _cleanup_(buffer_done) Buffer b = {};
        RecordBuilder r;
        uint64_t begin;
        Event e;

        if (rounds == 0)
                return EXIT_FAILURE;
        build(&r);

        begin = now_ns();
        for (unsigned i = 0; i < rounds; i++)
                parse(&r, &e, i);
        printf("%-14s %5.0f ns\n", "parse", (double) (now_ns() - begin) / rounds);

        for (EventFormat f = 0; f < _EVENT_FORMAT_MAX; f++) {
                begin = now_ns();
                for (unsigned i = 0; i < rounds; i++) {
                        parse(&r, &e, i);
                        buffer_reset(&b);
                        if (event_format(&b, &e, f, EVENT_FORMAT_PARSE_ARGUMENTS) < 0)
                                return EXIT_FAILURE;
                }
                printf("%-14s %5.0f ns, %zu bytes\n", event_format_to_string(f),
                       (double) (now_ns() - begin) / rounds, b.size);
        }

        begin = now_ns();
        for (unsigned i = 0; i < rounds; i++) {
                parse(&r, &e, i);
                field_list_reset(&fields);
                if (event_format_fields(&fields, &e) < 0)
                        return EXIT_FAILURE;
        }
        printf("%-14s %5.0f ns, %zu bytes\n", "fields", (double) (now_ns() - begin) / rounds, fields.data.size);
        return EXIT_SUCCESS;
}
