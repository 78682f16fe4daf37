/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Verbs about policies. Texts are sent as they are: whether a document is good, the service says, and offline its own
 * program does (check). Only the boundaries of documents are known here, because the service loads one at a time. */

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../basic/fd-util.h"
#include "../basic/macro.h"
#include "../basic/string-util.h"
#include "client.h"
#include "output.h"
#include "scopectl.h"

#define POLICY_TEXT_MAX (16U * 1024U * 1024U)

typedef struct PolicyRow {
        const char *name, *kind, *state, *mode, *file, *path;
        uint8_t scope;
        uint32_t n_problems;
} PolicyRow;

/* 1: a row was read, 0: no more. Strings point into the message. */
static int policy_row_read(sd_bus_message *m, PolicyRow *ret) {
        return sd_bus_message_read(m, "(ssssysuo)", &ret->name, &ret->kind, &ret->state, &ret->mode, &ret->scope,
                                   &ret->file, &ret->n_problems, &ret->path);
}

static int list_policies(sd_bus *bus, const char *doing, sd_bus_message **ret) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        r = client_call(bus, SERVICE_PATH, INTERFACE_MANAGER, "ListPolicies", doing, &m, NULL);
        if (r != 0)
                return r;
        r = sd_bus_message_enter_container(m, 'a', "(ssssysuo)");
        if (r < 0)
                return client_report(NULL, doing, r);

        *ret = TAKE_PTR(m);
        return 0;
}

/* One sentence a line: file:line:column: severity: sentence. */
static int policy_problems(sd_bus *bus, const PolicyRow *row, Buffer *b) {
        static const char doing[] = "get a policy's problems";
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        const char *severity, *sentence;
        uint32_t line, column;
        int r;

        r = client_get_property(bus, row->path, INTERFACE_POLICY, "Problems", doing, &m, "a(suus)");
        if (r != 0)
                return r;

        r = sd_bus_message_enter_container(m, 'a', "(suus)");
        while (r >= 0 && (r = sd_bus_message_read(m, "(suus)", &severity, &line, &column, &sentence)) > 0) {
                const char *where = isempty(row->file) ? row->name : row->file;

                if (b->size > 0)
                        buffer_add_char(b, '\n');
                if (line > 0)
                        buffer_printf(b, "%s:%u:%u: %s: %s", where, line, column, severity, sentence);
                else
                        buffer_printf(b, "%s: %s: %s", where, severity, sentence);
        }

        return r < 0 ? client_report(NULL, doing, r) : b->failed ? -ENOMEM : 0;
}

int print_problems(sd_bus *bus) {
        static const char doing[] = "list policies";
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        PolicyRow row;
        int r;

        r = list_policies(bus, doing, &m);
        if (r != 0)
                return r;

        while ((r = policy_row_read(m, &row)) > 0) {
                Buffer b = {};

                if (row.n_problems == 0)
                        continue;
                r = policy_problems(bus, &row, &b);
                if (r == 0)
                        printf("%s%.*s%s\n", color_on(streq(row.state, "failed") ? COLOR_RED : COLOR_YELLOW),
                               (int) b.size, b.data, color_off());
                buffer_done(&b);
                if (r != 0)
                        return r;
        }

        return r < 0 ? client_report(NULL, doing, r) : 0;
}

static const char *state_color(const char *state) {
        static const struct {
                const char *state, *color;
        } rows[] = {
                { "active", "green" },
                { "failed", "red" },
                { "disabled", "darkgray" },
                { "masked", "darkgray" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                if (streq(rows[i].state, state))
                        return rows[i].color;
        return NULL;
}

static int policy_table_add(const Options *o, sd_bus *bus, Table *t, const PolicyRow *row) {
        const char *none = o->json != JSON_OFF ? NULL : "-";
        Buffer problems = {};
        int r = 0;

        table_row(t);
        table_add(t, row->name);
        table_add(t, isempty(row->kind) ? none : row->kind);
        table_add(t, row->state);
        table_color(t, state_color(row->state));
        table_add(t, isempty(row->mode) ? none : row->mode);
        if (row->scope > 0)
                table_add_u64(t, row->scope);
        else
                table_add(t, o->json != JSON_OFF ? "0" : "-");

        if (o->json == JSON_OFF) {
                table_add_u64(t, row->n_problems);
                table_add(t, isempty(row->file) ? "-" : row->file);
                return 0;
        }

        if (row->n_problems > 0)
                r = policy_problems(bus, row, &problems);
        if (r == 0) {
                table_add(t, problems.size > 0 ? buffer_cstring(&problems) : NULL);
                table_add(t, row->file);
        }
        buffer_done(&problems);
        return r;
}

static int verb_policies(const Options *o, int argc, char *argv[]) {
        const Column columns[] = {
                { "NAME", "name", COLUMN_STRING },
                { "KIND", "kind", COLUMN_STRING },
                { "STATE", "state", COLUMN_STRING },
                { "MODE", "mode", COLUMN_STRING },
                { "SCOPE", "scope", COLUMN_NUMBER },
                { "PROBLEMS", "problems", o->json != JSON_OFF ? COLUMN_LIST : COLUMN_NUMBER },
                { "FILE", "file", COLUMN_STRING, true },
                {}
        };
        static const char doing[] = "list policies";
        _cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        _cleanup_(table_freep) Table *t = NULL;
        bool problems = false;
        PolicyRow row;
        int r;

        r = client_connect(o, &bus);
        if (r < 0)
                return r;
        r = list_policies(bus, doing, &m);
        if (r != 0)
                return r;
        r = table_new(o, "policies", columns, &t);
        if (r < 0)
                return r;

        while ((r = policy_row_read(m, &row)) > 0) {
                problems = problems || row.n_problems > 0;
                r = policy_table_add(o, bus, t, &row);
                if (r != 0)
                        return r;
        }
        if (r < 0)
                return client_report(NULL, doing, r);

        r = table_print(t, "policies");
        if (r < 0 || o->json != JSON_OFF || o->quiet || !o->legend || !problems)
                return r;

        putchar('\n');
        return print_problems(bus);
}

static int verb_check(const Options *o, int argc, char *argv[]) {
        _cleanup_strv_free_ char **l = NULL;
        char self[PATH_MAX];
        ssize_t n;
        int r;

        r = strv_extend(&l, "scopetraced");
        if (r >= 0)
                r = strv_extend(&l, "--check");
        for (int i = 1; r >= 0 && i < argc; i++)
                r = strv_extend(&l, argv[i]);
        if (r < 0)
                return r;

        /* In a build tree the two stand side by side. */
        n = readlink("/proc/self/exe", self, sizeof self - sizeof "scopetraced");
        if (n > 0) {
                char *slash;

                self[n] = 0;
                slash = strrchr(self, '/');
                strcpy(slash ? slash + 1 : self, "scopetraced");
                (void) execv(self, l);
        }

        (void) execv(SCOPETRACED_PATH, l);
        fprintf(stderr, "Cannot run %s: %s\n", SCOPETRACED_PATH, strerror(errno));
        return EXIT_FAILURE;
}

/* Where the next document begins: behind a line that starts with --- (at the first column, which even a block scalar
 * cannot hold otherwise), or the end. */
static const char *document_end(const char *text) {
        for (const char *p = text; *p;) {
                const char *end = strchr(p, '\n');

                if (p > text && startswith(p, "---") && strchr(" \t\r\n", p[3]))
                        return p;
                if (!end)
                        break;
                p = end + 1;
        }

        return text + strlen(text);
}

/* Nothing but comments, white space and the marker. */
static bool document_is_empty(const char *text, const char *end) {
        while (text < end) {
                const char *line_end = memchr(text, '\n', (size_t) (end - text)) ?: end, *p = text;

                if (startswith(p, "---"))
                        p += 3;
                while (p < line_end && strchr(" \t\r", *p))
                        p++;
                if (p < line_end && *p != '#')
                        return false;
                text = line_end + 1;
        }

        return true;
}

static int load_document(const Options *o, sd_bus *bus, const char *text, const char *doing) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        const char *path;
        int r;

        r = client_call(bus, SERVICE_PATH, INTERFACE_MANAGER, "LoadPolicy", doing, &m, "st", text, UINT64_C(0));
        if (r != 0)
                return r;

        r = sd_bus_message_read(m, "o", &path);
        if (r >= 0 && !o->quiet) {
                _cleanup_free_ char *name = NULL;

                if (sd_bus_path_decode(path, SERVICE_PATH "/policy", &name) > 0)
                        printf("Loaded policy %s.\n", name);
        }
        return r < 0 ? client_report(NULL, doing, r) : 0;
}

/* Every document of a file, each with as many empty lines before it as its place in the file has, so that the line
 * numbers in what the service says are those of the file. */
static int load_text(const Options *o, sd_bus *bus, const char *text, size_t size, const char *doing) {
        unsigned n_lines = 0, n_documents = 0;
        int r;

        if (strlen(text) != size) {
                fprintf(stderr, "Failed to %s: the text holds a NUL byte, policies are UTF-8 text.\n", doing);
                return EXIT_FAILURE;
        }
        if (!utf8_is_valid(text, size)) {
                fprintf(stderr, "Failed to %s: the text is not valid UTF-8.\n", doing);
                return EXIT_FAILURE;
        }

        while (*text) {
                const char *end = document_end(text);

                if (!document_is_empty(text, end)) {
                        Buffer b = {};

                        for (unsigned i = 0; i < n_lines; i++)
                                buffer_add_char(&b, '\n');
                        buffer_add(&b, text, end - text);
                        r = b.failed ? -ENOMEM : load_document(o, bus, buffer_cstring(&b), doing);
                        buffer_done(&b);
                        if (r != 0)
                                return r;
                        n_documents++;
                }

                for (; text < end; text++)
                        n_lines += *text == '\n';
        }

        if (n_documents == 0) {
                fprintf(stderr, "Failed to %s: there is no document in it.\n", doing);
                return EXIT_FAILURE;
        }
        return 0;
}

static int verb_load(const Options *o, int argc, char *argv[]) {
        _cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        int r, result = EXIT_SUCCESS;

        r = client_connect(o, &bus);
        if (r < 0)
                return r;

        for (int i = 1; i < argc; i++) {
                _cleanup_free_ char *text = NULL, *doing = NULL;
                size_t size;

                if (asprintf(&doing, "load %s", argv[i]) < 0)
                        return -ENOMEM;

                if (streq(argv[i], "-"))
                        r = read_full_fd(STDIN_FILENO, POLICY_TEXT_MAX, &text, &size);
                else
                        r = read_full_file(argv[i], POLICY_TEXT_MAX, &text, &size);
                if (r < 0) {
                        fprintf(stderr, "Failed to %s: %s\n", doing, strerror(-r));
                        result = EXIT_FAILURE;
                        continue;
                }

                r = load_text(o, bus, text, size, doing);
                if (r != 0)
                        result = r;
        }

        return result;
}

/* One call for each name; a number is a scope where scopes have the method, too. */
static int for_each_name(const Options *o, int argc, char *argv[], const char *verb, const char *member,
                         const char *scope_member) {
        _cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        int r, result = EXIT_SUCCESS;

        r = client_connect(o, &bus);
        if (r < 0)
                return r;

        for (int i = 1; i < argc; i++) {
                _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
                _cleanup_free_ char *doing = NULL;
                const char *path;
                uint32_t number;

                if (asprintf(&doing, "%s %s", verb, argv[i]) < 0)
                        return -ENOMEM;

                if (scope_member && parse_u32(argv[i], &number) >= 0) {
                        r = client_call(bus, SERVICE_PATH, INTERFACE_MANAGER, "GetScope", doing, &m, "y",
                                        number > UINT8_MAX ? 0 : number);
                        if (r == 0 && sd_bus_message_read(m, "o", &path) >= 0)
                                r = client_call(bus, path, INTERFACE_SCOPE, scope_member, doing, NULL, NULL);
                } else
                        r = client_call(bus, SERVICE_PATH, INTERFACE_MANAGER, member, doing, NULL, "s", argv[i]);
                if (r != 0)
                        result = r;
        }

        return result;
}

static int verb_unload(const Options *o, int argc, char *argv[]) {
        return for_each_name(o, argc, argv, "unload", "UnloadPolicy", NULL);
}

static int verb_enable(const Options *o, int argc, char *argv[]) {
        return for_each_name(o, argc, argv, "enable", "EnablePolicy", "Enable");
}

static int verb_disable(const Options *o, int argc, char *argv[]) {
        return for_each_name(o, argc, argv, "disable", "DisablePolicy", "Disable");
}

static int verb_set_mode(const Options *o, int argc, char *argv[]) {
        _cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        _cleanup_free_ char *doing = NULL;
        int r;

        r = client_connect(o, &bus);
        if (r < 0)
                return r;
        if (asprintf(&doing, "set the mode of %s", argv[1]) < 0)
                return -ENOMEM;

        return client_call(bus, SERVICE_PATH, INTERFACE_MANAGER, "SetPolicyMode", doing, NULL, "ss", argv[1], argv[2]);
}

static int verb_reload(const Options *o, int argc, char *argv[]) {
        _cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        int r;

        r = client_connect(o, &bus);
        if (r < 0)
                return r;

        return client_call(bus, SERVICE_PATH, INTERFACE_MANAGER, "Reload", "reload policies", NULL, NULL);
}

const Verb verbs_policy[] = {
        { "policies", NULL,            "List policies and what is wrong with them",      0, 0, verb_policies },
        { "check",    "FILE|DIR…",     "Check files; needs no service and no privileges", 1, VERB_ANY, verb_check },
        { "load",     "FILE…",         "Load policies until unloaded or restarted",      1, VERB_ANY, verb_load },
        { "unload",   "POLICY…",       "Unload policies that were loaded so",            1, VERB_ANY, verb_unload },
        { "enable",   "SCOPE|POLICY…", "Let scopes or policies match again",             1, VERB_ANY, verb_enable },
        { "disable",  "SCOPE|POLICY…", "Keep scopes or policies from matching",          1, VERB_ANY, verb_disable },
        { "set-mode", "POLICY MODE",   "Let a policy act (enforce), or only count (monitor)", 2, 2, verb_set_mode },
        { "reload",   NULL,            "Read all policies again",                        0, 0, verb_reload },
        {}
};
