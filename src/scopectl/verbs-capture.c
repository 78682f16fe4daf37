/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Verbs about what is captured: captures, start-capture, stop-capture, and the rows of those about artifacts. */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../basic/macro.h"
#include "../basic/string-util.h"
#include "client.h"
#include "output.h"
#include "scopectl.h"

static int bad_reply(const char *doing, int r) {
        return client_report(NULL, doing, r);
}

static int parse_scope(const char *s, uint8_t *ret) {
        uint32_t n;

        if (parse_u32(s, &n) < 0 || n < 1 || n > SCOPE_NUMBER_MAX) {
                fprintf(stderr, "Scopes are numbered from 1 to %d, not %s.\n", SCOPE_NUMBER_MAX, s);
                return -EINVAL;
        }
        *ret = (uint8_t) n;
        return 0;
}

static void add_size(Table *t, const Options *o, uint64_t bytes) {
        char text[32];

        if (o->json != JSON_OFF) {
                table_add_u64(t, bytes);
                return;
        }
        format_bytes(text, sizeof text, bytes);
        table_add(t, text);
}

/* --- captures --- */

static int verb_captures(const Options *o, int argc, char *argv[]) {
        static const Column columns[] = {
                { "SCOPE", "scope", COLUMN_NUMBER },
                { "KIND", "kind", COLUMN_STRING },
                { "RUN-TIME", "run_time", COLUMN_BOOLEAN },
                { "ARTIFACTS", "artifacts", COLUMN_NUMBER },
                { "SIZE", "bytes", COLUMN_NUMBER },
                { "DROPPED", "dropped", COLUMN_NUMBER },
                { "POLICIES", "policies", COLUMN_LIST },
                {}
        };
        static const char doing[] = "list captures";
        _cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        _cleanup_(table_freep) Table *t = NULL;
        int r;

        r = client_connect(o, &bus);
        if (r < 0)
                return r;
        r = client_call(bus, SERVICE_PATH, INTERFACE_MANAGER, "ListCaptures", doing, &m, NULL);
        if (r != 0)
                return r;
        r = table_new(o, "captures", columns, &t);
        if (r < 0)
                return r;
        r = sd_bus_message_enter_container(m, 'a', "(sysasbttto)");
        while (r >= 0 && (r = sd_bus_message_enter_container(m, 'r', "sysasbttto")) > 0) {
                _cleanup_strv_free_ char **policies = NULL;
                _cleanup_free_ char *joined = NULL;
                uint64_t n_artifacts, bytes, n_dropped;
                const char *kind;
                uint8_t scope;
                int run_time;

                if ((r = sd_bus_message_read(m, "sys", NULL, &scope, &kind)) < 0 ||
                    (r = sd_bus_message_read_strv(m, &policies)) < 0 ||
                    (r = sd_bus_message_read(m, "bttto", &run_time, &n_artifacts, &bytes, &n_dropped, NULL)) < 0 ||
                    (r = sd_bus_message_exit_container(m)) < 0)
                        break;
                joined = strv_join(policies, o->json != JSON_OFF ? "\n" : ", ");
                table_row(t);
                table_add_u64(t, scope);
                table_add(t, kind);
                table_add_bool(t, run_time);
                table_add_u64(t, n_artifacts);
                add_size(t, o, bytes);
                table_add_u64(t, n_dropped);
                if (n_dropped > 0)
                        table_color(t, "yellow");
                table_add(t, strempty(joined));
        }
        return r < 0 ? bad_reply(doing, r) : table_print(t, "captures");
}

/* --- start-capture, stop-capture --- */

static int get_scope(sd_bus *bus, const char *text, const char *doing, char **ret) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        const char *path;
        uint8_t scope;
        int r;

        r = parse_scope(text, &scope);
        if (r < 0)
                return r;
        r = client_call(bus, SERVICE_PATH, INTERFACE_MANAGER, "GetScope", doing, &m, "y", scope);
        if (r != 0)
                return r;
        r = sd_bus_message_read(m, "o", &path);
        if (r < 0)
                return bad_reply(doing, r);
        *ret = strdup(path);
        return *ret ? 0 : -ENOMEM;
}

static int verb_start_capture(const Options *o, int argc, char *argv[]) {
        static const char doing[] = "start the capture";
        _cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL, *reply = NULL;
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_free_ char *path = NULL;
        int r;

        r = client_connect(o, &bus);
        if (r < 0)
                return r;
        r = get_scope(bus, argv[1], doing, &path);
        if (r != 0)
                return r;
        r = sd_bus_message_new_method_call(bus, &m, SERVICE_NAME, path, INTERFACE_SCOPE, "StartCapture");
        if (r >= 0)
                r = sd_bus_message_append(m, "s", "");
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'a', "{sv}");
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'e', "sv");
        if (r >= 0)
                r = sd_bus_message_append(m, "s", "expressions");
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'v', "as");
        if (r >= 0)
                r = sd_bus_message_append_strv(m, argv + 2);
        for (int i = 0; r >= 0 && i < 3; i++)
                r = sd_bus_message_close_container(m);
        if (r < 0)
                return r;
        r = sd_bus_call(bus, m, CALL_TIMEOUT_USEC, &error, &reply);
        return r < 0 ? client_report(&error, doing, r) : EXIT_SUCCESS;
}

/* Kinds that were started for the scope at run time. */
static int run_time_kinds(sd_bus *bus, unsigned scope, char ***ret) {
        static const char doing[] = "list captures";
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        _cleanup_strv_free_ char **l = NULL;
        int r;

        r = client_call(bus, SERVICE_PATH, INTERFACE_MANAGER, "ListCaptures", doing, &m, NULL);
        if (r != 0)
                return r;
        r = sd_bus_message_enter_container(m, 'a', "(sysasbttto)");
        while (r >= 0 && (r = sd_bus_message_enter_container(m, 'r', "sysasbttto")) > 0) {
                const char *kind;
                uint8_t number;
                int run_time;

                if ((r = sd_bus_message_read(m, "sys", NULL, &number, &kind)) < 0 ||
                    (r = sd_bus_message_skip(m, "as")) < 0 ||
                    (r = sd_bus_message_read(m, "bttto", &run_time, NULL, NULL, NULL, NULL)) < 0 ||
                    (r = sd_bus_message_exit_container(m)) < 0)
                        break;
                if (run_time && number == scope)
                        r = strv_extend(&l, kind);
        }
        if (r < 0)
                return bad_reply(doing, r);
        *ret = TAKE_PTR(l);
        return 0;
}

static int verb_stop_capture(const Options *o, int argc, char *argv[]) {
        static const char doing[] = "stop the capture";
        _cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        _cleanup_strv_free_ char **kinds = NULL;
        _cleanup_free_ char *path = NULL;
        uint8_t scope;
        int r;

        r = parse_scope(argv[1], &scope);
        if (r < 0)
                return r;
        r = client_connect(o, &bus);
        if (r < 0)
                return r;
        r = get_scope(bus, argv[1], doing, &path);
        if (r != 0)
                return r;
        if (argc == 2) {
                r = run_time_kinds(bus, scope, &kinds);
                if (r != 0)
                        return r;
                if (strv_length(kinds) == 0) {
                        fprintf(stderr, "Nothing was started for scope %u with start-capture.\n", scope);
                        return EXIT_NO_SUCH_OBJECT;
                }
        }
        for (char **kind = argc > 2 ? argv + 2 : kinds; *kind; kind++) {
                r = client_call(bus, path, INTERFACE_SCOPE, "StopCapture", doing, NULL, "s", *kind);
                if (r != 0)
                        return r;
        }
        return EXIT_SUCCESS;
}

const Verb verbs_capture[] = {
        { "captures", "", "List what is captured, by scope", 0, 0, verb_captures },
        { "artifacts", "[list]", "List artifacts by scope; filters as options", 0, VERB_ANY, verb_artifacts },
        { "artifacts cat", "ID…", "Write artifacts to the standard output", 1, VERB_ANY, verb_artifacts },
        { "artifacts export", "ID… DIR", "Copy artifacts into a directory", 2, VERB_ANY, verb_artifacts },
        { "artifacts remove", "[ID…]", "Take artifacts off the disk", 0, VERB_ANY, verb_artifacts },
        { "start-capture", "SCOPE WHAT…", "Capture for a scope until it is stopped", 2, VERB_ANY, verb_start_capture },
        { "stop-capture", "SCOPE [KIND…]", "End what start-capture began", 1, VERB_ANY, verb_stop_capture },
        { "vacuum", "", "Remove the oldest artifacts", 0, 0, verb_vacuum },
        {}
};
