/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Verbs about the service and its scopes: status, scopes, show, log, top, and the row of trace. Every figure is asked of
 * the service when it is shown; nothing is computed from two of them but top's rates. */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../basic/macro.h"
#include "../basic/string-util.h"
#include "client.h"
#include "output.h"
#include "scopectl.h"

static int bad_reply(const char *doing, int r) {
        return client_report(NULL, doing, r);
}

/* A number of 1..64 names a scope, everything else a policy. */
static bool is_scope(const char *s, unsigned *ret) {
        uint32_t n;

        if (parse_u32(s, &n) < 0)
                return false;

        *ret = n;
        return true;
}

static int verb_scopes(const Options *o, int argc, char *argv[]) {
        static const Column columns[] = {
                { "SCOPE", "scope", COLUMN_NUMBER },
                { "ENABLED", "enabled", COLUMN_BOOLEAN },
                { "EVENTS", "events", COLUMN_NUMBER },
                { "LOST", "lost", COLUMN_NUMBER },
                { "POLICIES", "policies", COLUMN_LIST },
                {}
        };
        static const char doing[] = "list scopes";
        _cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        _cleanup_(table_freep) Table *t = NULL;
        int r;

        r = client_connect(o, &bus);
        if (r < 0)
                return r;
        r = client_call(bus, SERVICE_PATH, INTERFACE_MANAGER, "ListScopes", doing, &m, NULL);
        if (r != 0)
                return r;
        r = table_new(o, "scopes", columns, &t);
        if (r < 0)
                return r;

        r = sd_bus_message_enter_container(m, 'a', "(yasbtto)");
        if (r < 0)
                return bad_reply(doing, r);

        while ((r = sd_bus_message_enter_container(m, 'r', "yasbtto")) > 0) {
                _cleanup_strv_free_ char **policies = NULL;
                _cleanup_free_ char *joined = NULL;
                uint64_t n_events, n_lost;
                uint8_t number;
                int enabled;

                if ((r = sd_bus_message_read(m, "y", &number)) < 0 ||
                    (r = sd_bus_message_read_strv(m, &policies)) < 0 ||
                    (r = sd_bus_message_read(m, "btto", &enabled, &n_events, &n_lost, NULL)) < 0 ||
                    (r = sd_bus_message_exit_container(m)) < 0)
                        return bad_reply(doing, r);

                joined = strv_join(policies, o->json != JSON_OFF ? "\n" : ", ");
                table_row(t);
                table_add_u64(t, number);
                table_add_bool(t, enabled);
                table_add_u64(t, n_events);
                table_add_u64(t, n_lost);
                if (n_lost > 0)
                        table_color(t, "yellow");
                table_add(t, strempty(joined));
        }
        if (r < 0)
                return bad_reply(doing, r);

        return table_print(t, "scopes");
}

typedef struct Status {
        const char *version, *status;
        uint64_t start;
        uint64_t n_events, n_lost, n_lost_ring, n_lost_rate, n_lost_journal, n_lost_streams;
        uint64_t n_truncated, n_faults, n_path_errors, n_unresolved, n_bad_records, n_internal;
        uint64_t n_journal_entries, ring_bytes, ring_used_bytes;
        const char *capture_state;
        uint64_t n_artifacts, artifact_bytes, artifact_max_bytes, n_artifacts_dropped, artifact_hole_bytes, n_capture_lost;
        uint32_t n_captures, n_failed;
} Status;

static const struct {
        const char *property;
        char type;
        size_t offset;
} status_rows[] = {
        { "Version",         's', offsetof(Status, version) },
        { "Status",          's', offsetof(Status, status) },
        { "StartTimestamp",  't', offsetof(Status, start) },
        { "NEvents",         't', offsetof(Status, n_events) },
        { "NLost",           't', offsetof(Status, n_lost) },
        { "NLostRing",       't', offsetof(Status, n_lost_ring) },
        { "NLostRateLimit",  't', offsetof(Status, n_lost_rate) },
        { "NLostJournal",    't', offsetof(Status, n_lost_journal) },
        { "NLostStreams",    't', offsetof(Status, n_lost_streams) },
        { "NTruncated",      't', offsetof(Status, n_truncated) },
        { "NFaults",         't', offsetof(Status, n_faults) },
        { "NPathErrors",     't', offsetof(Status, n_path_errors) },
        { "NUnresolved",     't', offsetof(Status, n_unresolved) },
        { "NBadRecords",     't', offsetof(Status, n_bad_records) },
        { "NInternalErrors", 't', offsetof(Status, n_internal) },
        { "NJournalEntries", 't', offsetof(Status, n_journal_entries) },
        { "RingBytes",       't', offsetof(Status, ring_bytes) },
        { "RingUsedBytes",   't', offsetof(Status, ring_used_bytes) },
        { "CaptureState",    's', offsetof(Status, capture_state) },
        { "NCaptures",       'u', offsetof(Status, n_captures) },
        { "NArtifacts",      't', offsetof(Status, n_artifacts) },
        { "ArtifactBytes",   't', offsetof(Status, artifact_bytes) },
        { "ArtifactMaxBytes", 't', offsetof(Status, artifact_max_bytes) },
        { "NArtifactsDropped", 't', offsetof(Status, n_artifacts_dropped) },
        { "ArtifactHoleBytes", 't', offsetof(Status, artifact_hole_bytes) },
        { "NCaptureLost",    't', offsetof(Status, n_capture_lost) },
        { "NFailed",         'u', offsetof(Status, n_failed) },
};

/* Strings point into the message. */
static int status_read(sd_bus_message *m, Status *s) {
        int r;

        r = sd_bus_message_enter_container(m, 'a', "{sv}");
        if (r < 0)
                return r;

        while ((r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
                const char *name;
                size_t i;

                r = sd_bus_message_read(m, "s", &name);
                if (r < 0)
                        return r;

                for (i = 0; i < ELEMENTSOF(status_rows); i++)
                        if (streq(name, status_rows[i].property))
                                break;
                if (i < ELEMENTSOF(status_rows))
                        r = sd_bus_message_read(m, "v", (char[]) { status_rows[i].type, 0 },
                                                (char *) s + status_rows[i].offset);
                else
                        r = sd_bus_message_skip(m, "v");
                if (r < 0)
                        return r;

                r = sd_bus_message_exit_container(m);
                if (r < 0)
                        return r;
        }

        return r;
}

static void captures_print(const Status *s) {
        bool good = streq(s->capture_state, "ok") && s->n_artifacts_dropped == 0 && s->n_capture_lost == 0;
        char used[32], max[32], holes[32];

        format_bytes(used, sizeof used, s->artifact_bytes);
        format_bytes(max, sizeof max, s->artifact_max_bytes);
        format_bytes(holes, sizeof holes, s->artifact_hole_bytes);
        printf("  Captures: %" PRIu32 ", %" PRIu64 " artifacts, %s of %s; %s%s, %" PRIu64 " not kept, %s missing%s\n",
               s->n_captures, s->n_artifacts, used, s->artifact_max_bytes > 0 ? max : "any size",
               color_on(good ? "0" : COLOR_YELLOW), s->capture_state, s->n_artifacts_dropped, holes, color_off());
}

static void status_print(const Status *s) {
        char since[64], ago[64], used[32], size[32];
        bool good = s->n_failed == 0 && s->n_lost == 0;

        format_timestamp(since, sizeof since, s->start);
        format_relative(ago, sizeof ago, s->start);
        format_bytes(used, sizeof used, s->ring_used_bytes);
        format_bytes(size, sizeof size, s->ring_bytes);

        printf("%s●%s scopetrace %s\n", color_on(good ? COLOR_GREEN : COLOR_YELLOW), color_off(), strempty(s->version));
        printf("    Active: %srunning%s since %s; %s\n", color_on(COLOR_GREEN), color_off(), since, ago);
        printf("    Status: \"%s\"\n", strempty(s->status));
        printf("    Events: %" PRIu64 ", %" PRIu64 " written to the journal\n", s->n_events, s->n_journal_entries);
        printf("      Lost: %s%" PRIu64 "%s (ring %" PRIu64 ", rate limits %" PRIu64 ", journal %" PRIu64
               "); by slow readers of streams %" PRIu64 "\n",
               color_on(s->n_lost > 0 ? COLOR_RED : "0"), s->n_lost, color_off(), s->n_lost_ring, s->n_lost_rate,
               s->n_lost_journal, s->n_lost_streams);
        printf("Incomplete: %" PRIu64 " arguments cut, %" PRIu64 " unreadable; %" PRIu64 " paths and %" PRIu64
               " cgroups unresolved\n", s->n_truncated, s->n_faults, s->n_path_errors, s->n_unresolved);
        if (s->n_bad_records > 0 || s->n_internal > 0)
                printf("    Errors: %s%" PRIu64 " bad records, %" PRIu64 " internal%s\n", color_on(COLOR_RED),
                       s->n_bad_records, s->n_internal, color_off());
        printf("      Ring: %s of %s used\n", used, size);
        if (s->capture_state && !streq(s->capture_state, "off"))
                captures_print(s);
}

static int verb_status(const Options *o, int argc, char *argv[]) {
        static const char doing[] = "get the status";
        _cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        Status s = {};
        int r;

        r = client_connect(o, &bus);
        if (r < 0)
                return EXIT_NOT_RUNNING;
        r = client_get_all(bus, SERVICE_PATH, INTERFACE_MANAGER, doing, &m);
        if (r != 0)
                return r;

        if (o->json != JSON_OFF) {
                Buffer b = {};

                r = message_to_json(m, &b);
                if (r >= 0)
                        r = json_print(o, &b);
                buffer_done(&b);
                return r < 0 ? bad_reply(doing, r) : 0;
        }

        r = status_read(m, &s);
        if (r < 0)
                return bad_reply(doing, r);

        pager_open(o);
        status_print(&s);
        if (s.n_failed > 0) {
                putchar('\n');
                r = print_problems(bus);
                if (r != 0)
                        return r;
        }
        return EXIT_SUCCESS;
}

/* The interface that an object has by what it is called on the command line. */
static int show_one(const Options *o, sd_bus *bus, const char *what) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *object = NULL, *m = NULL;
        _cleanup_free_ char *doing = NULL;
        const char *path, *interface;
        unsigned number;
        Buffer b = {};
        int r;

        if (asprintf(&doing, "show %s", what) < 0)
                return -ENOMEM;

        if (is_scope(what, &number)) {
                interface = INTERFACE_SCOPE;
                if (number > UINT8_MAX)
                        number = 0;   /* no scope either, and the service says so */
                r = client_call(bus, SERVICE_PATH, INTERFACE_MANAGER, "GetScope", doing, &object, "y", number);
        } else {
                interface = INTERFACE_POLICY;
                r = client_call(bus, SERVICE_PATH, INTERFACE_MANAGER, "GetPolicy", doing, &object, "s", what);
        }
        if (r != 0)
                return r;

        r = sd_bus_message_read(object, "o", &path);
        if (r < 0)
                return bad_reply(doing, r);
        r = client_get_all(bus, path, interface, doing, &m);
        if (r != 0)
                return r;

        r = message_to_json(m, &b);
        if (r >= 0)
                r = o->json != JSON_OFF ? json_print(o, &b) : json_show(&b);
        buffer_done(&b);
        return r < 0 ? bad_reply(doing, r) : 0;
}

static int verb_show(const Options *o, int argc, char *argv[]) {
        _cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        int r, result = EXIT_SUCCESS;

        r = client_connect(o, &bus);
        if (r < 0)
                return r;

        pager_open(o);
        for (int i = 1; i < argc; i++) {
                if (i > 1 && o->json == JSON_OFF)
                        putchar('\n');
                r = show_one(o, bus, argv[i]);
                if (r != 0)
                        result = r;
        }

        return result;
}

/* Matches on one field are alternatives; those on two are only when each group is complete, with + between them. */
static int add_matches(char ***l, char **matches, bool *first) {
        int r = 0;

        if (!*first)
                r = strv_extend(l, "+");
        if (r >= 0)
                r = strv_extend(l, "SYSLOG_IDENTIFIER=scopetrace");
        STRV_FOREACH(match, matches)
                if (r >= 0)
                        r = strv_extend(l, *match);

        *first = false;
        return r;
}

/* Arguments that begin with a dash are journalctl's: scopectl log 42 -- --since today */
static int log_arguments(int argc, char *argv[], char ***l) {
        _cleanup_strv_free_ char **scopes = NULL, **policies = NULL;
        bool first = true;
        int r;

        for (int i = 1; i < argc; i++) {
                _cleanup_free_ char *match = NULL;
                unsigned number;

                if (argv[i][0] == '-') {
                        r = strv_extend(l, argv[i]);
                        if (r >= 0 && argv[i + 1] && argv[i + 1][0] != '-' && !strchr(argv[i], '=') && i + 1 < argc)
                                r = strv_extend(l, argv[++i]);
                } else if (is_scope(argv[i], &number)) {
                        if (number < 1 || number > SCOPE_NUMBER_MAX) {
                                fprintf(stderr, "Scopes are numbered from 1 to %d, not %s.\n", SCOPE_NUMBER_MAX, argv[i]);
                                return -EINVAL;
                        }
                        match = strjoin("SCOPE=", argv[i]);
                        r = match ? strv_extend(&scopes, match) : -ENOMEM;
                } else {
                        match = strjoin("POLICY=", argv[i]);
                        r = match ? strv_extend(&policies, match) : -ENOMEM;
                }
                if (r < 0)
                        return r;
        }

        if (scopes || !policies) {
                r = add_matches(l, scopes, &first);
                if (r < 0)
                        return r;
        }
        if (policies)
                return add_matches(l, policies, &first);
        return 0;
}

static int verb_log(const Options *o, int argc, char *argv[]) {
        const struct {
                bool wanted;
                const char *option, *value;
        } rows[] = {
                { o->machine, "--machine", o->machine },
                { !o->pager, "--no-pager", NULL },
                { o->quiet, "--quiet", NULL },
                { o->full, "--full", NULL },
                { o->follow, "--follow", NULL },
                { o->output, "--output", o->output },
                { o->json == JSON_PRETTY, "--output", "json-pretty" },
                { o->json == JSON_SHORT, "--output", "json" },
        };
        _cleanup_strv_free_ char **l = NULL;
        char lines[32];
        int r;

        if (o->host) {
                fprintf(stderr, "The journal of another host is read there: ssh %s scopectl log\n", o->host);
                return EXIT_FAILURE;
        }

        r = strv_extend(&l, "journalctl");
        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(rows); i++) {
                if (!rows[i].wanted)
                        continue;
                r = strv_extend(&l, rows[i].option);
                if (r >= 0 && rows[i].value)
                        r = strv_extend(&l, rows[i].value);
        }
        if (r >= 0 && o->lines >= 0) {
                snprintf(lines, sizeof lines, "--lines=%ld", o->lines);
                r = strv_extend(&l, lines);
        }
        if (r >= 0)
                r = log_arguments(argc, argv, &l);
        if (r < 0)
                return r;

        (void) fflush(stdout);
        (void) execvp(l[0], l);
        fprintf(stderr, "Cannot run journalctl: %s\n", strerror(errno));
        return EXIT_FAILURE;
}

/* Events since the last look, by scope number. */
typedef struct Rates {
        uint64_t before[SCOPE_NUMBER_MAX + 1], now[SCOPE_NUMBER_MAX + 1], lost[SCOPE_NUMBER_MAX + 1];
        char *policies[SCOPE_NUMBER_MAX + 1];
} Rates;

static int rates_read(sd_bus *bus, Rates *rates) {
        static const char doing[] = "list scopes";
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        r = client_call(bus, SERVICE_PATH, INTERFACE_MANAGER, "ListScopes", doing, &m, NULL);
        if (r != 0)
                return r;

        for (size_t i = 0; i < ELEMENTSOF(rates->policies); i++) {
                free(rates->policies[i]);
                rates->policies[i] = NULL;
        }

        r = sd_bus_message_enter_container(m, 'a', "(yasbtto)");
        while (r >= 0 && (r = sd_bus_message_enter_container(m, 'r', "yasbtto")) > 0) {
                _cleanup_strv_free_ char **policies = NULL;
                uint64_t n_events, n_lost;
                uint8_t number;

                if ((r = sd_bus_message_read(m, "y", &number)) < 0 ||
                    (r = sd_bus_message_read_strv(m, &policies)) < 0 ||
                    (r = sd_bus_message_read(m, "btto", NULL, &n_events, &n_lost, NULL)) < 0 ||
                    (r = sd_bus_message_exit_container(m)) < 0)
                        break;
                if (number > SCOPE_NUMBER_MAX)
                        continue;
                rates->now[number] = n_events;
                rates->lost[number] = n_lost;
                rates->policies[number] = strv_join(policies, ", ");
        }

        return r < 0 ? bad_reply(doing, r) : 0;
}

static int rates_print(const Options *o, const Rates *rates) {
        static const Column columns[] = {
                { "SCOPE", "scope", COLUMN_NUMBER },
                { "EVENTS/S", "events_per_second", COLUMN_NUMBER },
                { "EVENTS", "events", COLUMN_NUMBER },
                { "LOST", "lost", COLUMN_NUMBER },
                { "POLICIES", "policies", COLUMN_STRING, true },
                {}
        };
        _cleanup_(table_freep) Table *t = NULL;
        bool done[SCOPE_NUMBER_MAX + 1] = {};
        int r;

        r = table_new(o, "scopes", columns, &t);
        if (r < 0)
                return r;

        for (long n = 0; o->lines < 0 || n < o->lines; n++) {
                size_t best = 0;

                for (size_t i = 1; i <= SCOPE_NUMBER_MAX; i++)
                        if (!done[i] && rates->policies[i] &&
                            (best == 0 || rates->now[i] - rates->before[i] > rates->now[best] - rates->before[best]))
                                best = i;
                if (best == 0)
                        break;
                done[best] = true;

                table_row(t);
                table_add_u64(t, best);
                table_add_u64(t, rates->now[best] - rates->before[best]);
                table_add_u64(t, rates->now[best]);
                table_add_u64(t, rates->lost[best]);
                table_add(t, rates->policies[best]);
        }

        return table_print(t, "scopes");
}

static int verb_top(const Options *o, int argc, char *argv[]) {
        _cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        Options quiet = *o;
        Rates rates = {};
        bool terminal = isatty(STDOUT_FILENO) && o->json == JSON_OFF;
        int r;

        quiet.pager = false;
        quiet.legend = o->legend && terminal;

        r = client_connect(o, &bus);
        if (r < 0)
                return r;

        /* On a terminal until interrupted; else one look, of one second. */
        r = rates_read(bus, &rates);
        while (r == 0) {
                memcpy(rates.before, rates.now, sizeof rates.before);
                (void) sleep(1);
                r = rates_read(bus, &rates);
                if (r != 0)
                        break;
                if (terminal)
                        fputs("\033[H\033[2J", stdout);
                r = rates_print(terminal ? &quiet : o, &rates);
                if (!terminal)
                        break;
                fflush(stdout);
        }

        for (size_t i = 0; i < ELEMENTSOF(rates.policies); i++)
                free(rates.policies[i]);
        return r;
}

const Verb verbs_scope[] = {
        { "status", NULL,              "How the service is (default)",                   0, 0, verb_status },
        { "scopes", NULL,              "List scopes and what they counted",              0, 0, verb_scopes },
        { "show",   "SCOPE|POLICY…",   "Show everything about a scope or a policy",      1, VERB_ANY, verb_show },
        { "trace",  NULL,              "Trace with filters of your own until ^C",        0, 0, verb_trace },
        { "log",    "[SCOPE|POLICY…]", "Show events in the journal",                     0, VERB_ANY, verb_log },
        { "top",    NULL,              "Show which scopes have the most events",         0, 0, verb_top },
        {}
};
