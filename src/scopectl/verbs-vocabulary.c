/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the author of a policy needs to know: the catalogue of events, from the generated table that the service was built
 * with, and what the running kernel grants, from the service. */

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>

#include "../basic/macro.h"
#include "../basic/string-util.h"
#include "../event/event-table.h"
#include "client.h"
#include "output.h"
#include "scopectl.h"

static const char *family_name(EventFamily f) {
        static const char *const names[_EVENT_FAMILY_MAX] = {
                [EVENT_FAMILY_SYSCALL] = "syscall",
                [EVENT_FAMILY_PROCESS] = "process",
                [EVENT_FAMILY_CGROUP] = "cgroup",
                [EVENT_FAMILY_SECURITY] = "security",
                [EVENT_FAMILY_FILE] = "file",
                [EVENT_FAMILY_MEMORY] = "memory",
                [EVENT_FAMILY_MODULE] = "module",
                [EVENT_FAMILY_BPF] = "bpf",
                [EVENT_FAMILY_NETWORK] = "network",
                [EVENT_FAMILY_CONTAINER] = "container",
                [EVENT_FAMILY_SIGNATURE] = "signature",
                [EVENT_FAMILY_HOOK] = "hook",
        };

        return f < _EVENT_FAMILY_MAX ? strempty(names[f]) : "";
}

static bool in_set(const EventSpec *e, const char *set) {
        int i = event_set_index(set);

        return i >= 0 && (e->sets & (UINT64_C(1) << i));
}

/* By name, by pattern, or set=NAME. */
static bool event_wanted(const EventSpec *e, const char *pattern) {
        const char *set = startswith(pattern, "set=");

        return set ? in_set(e, set) : fnmatch(pattern, e->name, 0) == 0;
}

static void add_sets(Buffer *b, const EventSpec *e, const char *separator) {
        size_t start = b->size;

        for (unsigned i = 0; event_sets[i]; i++)
                if (e->sets & (UINT64_C(1) << i)) {
                        if (b->size > start)
                                buffer_add_string(b, separator);
                        buffer_add_string(b, event_sets[i]);
                }
}

static void add_args(Buffer *b, const EventSpec *e, const char *separator, bool types) {
        for (unsigned i = 0; i < e->n_args; i++) {
                if (i > 0)
                        buffer_add_string(b, separator);
                buffer_add_string(b, e->args[i].name);
                if (types && !isempty(e->args[i].ctype)) {
                        buffer_add_string(b, ": ");
                        buffer_add_string(b, e->args[i].ctype);
                }
        }
}

static void table_add_buffer(Table *t, Buffer *b) {
        const char *s = buffer_cstring(b);

        table_add(t, isempty(s) ? NULL : s);
        buffer_done(b);
        *b = (Buffer) {};
}

static void event_table_add(const Options *o, Table *t, const EventSpec *e) {
        bool json = o->json != JSON_OFF;
        Buffer b = {};

        table_row(t);
        table_add(t, e->name);
        table_add(t, family_name(e->family));
        if (json) {
                table_add_u64(t, e->id);
                table_add(t, strempty(e->hook));
                table_add(t, strempty(e->doc));
        }
        add_sets(&b, e, json ? "\n" : ",");
        table_add_buffer(t, &b);
        add_args(&b, e, json ? "\n" : ", ", json);
        table_add_buffer(t, &b);
}

static void event_show(const EventSpec *e) {
        Buffer b = {};

        add_sets(&b, e, ", ");
        printf("%s%s%s - %s\n", color_on(COLOR_BOLD), e->name, color_off(), strempty(e->doc));
        printf("%11s: %u\n%11s: %s\n%11s: %s\n", "Number", e->id, "Family", family_name(e->family), "Hook",
               strempty(e->hook));
        if (b.size > 0)
                printf("%11s: %s\n", "Sets", buffer_cstring(&b));
        for (unsigned i = 0; i < e->n_args; i++) {
                const EventArgSpec *a = &e->args[i];

                printf("%11s%c %s%s%s: %s%s%s\n", i == 0 ? "Arguments" : "", i == 0 ? ':' : ' ', color_on(COLOR_BOLD),
                       a->name, color_off(), strempty(a->ctype), isempty(a->doc) ? "" : "; ", strempty(a->doc));
        }
        buffer_done(&b);
}

static int check_patterns(int argc, char *argv[]) {
        int result = EXIT_SUCCESS;

        for (int i = 1; i < argc; i++) {
                const EventSpec *e = NULL;

                while ((e = event_spec_next(e)))
                        if (!e->internal && event_wanted(e, argv[i]))
                                break;
                if (!e) {
                        fprintf(stderr, "There is no event '%s', see scopectl events.\n", argv[i]);
                        result = EXIT_NO_SUCH_OBJECT;
                }
        }

        return result;
}

static int verb_events(const Options *o, int argc, char *argv[]) {
        static const Column columns[] = {
                { "EVENT", "name", COLUMN_STRING },
                { "FAMILY", "family", COLUMN_STRING },
                { "SETS", "sets", COLUMN_STRING },
                { "ARGUMENTS", "arguments", COLUMN_STRING, true },
                {}
        };
        static const Column json_columns[] = {
                { "EVENT", "name", COLUMN_STRING },
                { "FAMILY", "family", COLUMN_STRING },
                { "NUMBER", "number", COLUMN_NUMBER },
                { "HOOK", "hook", COLUMN_STRING },
                { "DESCRIPTION", "description", COLUMN_STRING },
                { "SETS", "sets", COLUMN_LIST },
                { "ARGUMENTS", "arguments", COLUMN_LIST },
                {}
        };
        _cleanup_(table_freep) Table *t = NULL;
        bool detailed = argc > 1 && o->json == JSON_OFF, first = true;
        int r, result;

        result = check_patterns(argc, argv);

        r = table_new(o, "events", o->json != JSON_OFF ? json_columns : columns, &t);
        if (r < 0)
                return r;

        if (detailed)
                pager_open(o);
        for (const EventSpec *e = event_spec_next(NULL); e; e = event_spec_next(e)) {
                bool wanted = argc <= 1;

                for (int i = 1; i < argc && !wanted; i++)
                        wanted = event_wanted(e, argv[i]);
                if (!wanted || e->internal)
                        continue;

                if (!detailed)
                        event_table_add(o, t, e);
                else {
                        if (!first)
                                putchar('\n');
                        event_show(e);
                        first = false;
                }
        }

        if (!detailed) {
                r = table_print(t, "events");
                if (r < 0)
                        return r;
        }
        return result;
}

static int verb_features(const Options *o, int argc, char *argv[]) {
        static const Column columns[] = {
                { "FEATURE", "name", COLUMN_STRING },
                { "GRANTED", "granted", COLUMN_BOOLEAN },
                { "REASON", "reason", COLUMN_STRING, true },
                {}
        };
        static const char doing[] = "list features";
        _cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        _cleanup_(table_freep) Table *t = NULL;
        const char *name, *reason;
        int r, granted;

        r = client_connect(o, &bus);
        if (r < 0)
                return r;
        r = client_get_property(bus, SERVICE_PATH, INTERFACE_MANAGER, "Features", doing, &m, "a(sbs)");
        if (r != 0)
                return r;
        r = table_new(o, "features", columns, &t);
        if (r < 0)
                return r;

        r = sd_bus_message_enter_container(m, 'a', "(sbs)");
        while (r >= 0 && (r = sd_bus_message_read(m, "(sbs)", &name, &granted, &reason)) > 0) {
                table_row(t);
                table_add(t, name);
                table_add_bool(t, granted);
                table_color(t, granted ? "green" : "red");
                table_add(t, reason);
        }
        if (r < 0)
                return client_report(NULL, doing, r);

        return table_print(t, "features");
}

const Verb verbs_vocabulary[] = {
        { "events",   "[PATTERN…]", "List events with arguments; set=NAME for a set",     0, VERB_ANY, verb_events },
        { "features", NULL,         "List what this kernel grants, and why not",          0, 0, verb_features },
        {}
};
