/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tables through libsmartcols, JSON of the same tables and of bus messages, and the terminal's side of things: colour
 * only on a terminal and never against $NO_COLOR or $SYSTEMD_COLORS, a pager by systemd's rules. What stands in a
 * table is the verbs' business. */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <json-c/json.h>
#include <libsmartcols/libsmartcols.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-login.h>

#include "../basic/macro.h"
#include "../basic/time-util.h"
#include "output.h"

struct Table {
        const Options *options;
        struct libscols_table *scols;
        struct libscols_line *line;
        size_t n_cells, n_rows;
        bool failed;
};

static pid_t pager_pid = -1;

/* 1, 0, or -1 when the variable is not set or no boolean. */
static int env_bool(const char *name) {
        const char *e = getenv(name);

        if (!e)
                return -1;
        if (IN_SET(e[0], '1', 'y', 'Y', 't', 'T') || strcasecmp(e, "on") == 0)
                return 1;
        if (IN_SET(e[0], '0', 'n', 'N', 'f', 'F') || strcasecmp(e, "off") == 0)
                return 0;
        return -1;
}

bool colors_wanted(void) {
        static int cached = -1;

        if (cached < 0) {
                const char *term = getenv("TERM"), *no_color = getenv("NO_COLOR");
                int wish = env_bool("SYSTEMD_COLORS");

                if (wish >= 0)
                        cached = wish;
                else if (no_color && no_color[0])
                        cached = 0;
                else
                        cached = (isatty(STDOUT_FILENO) || pager_pid > 0) && term && strcmp(term, "dumb") != 0;
        }

        return cached;
}

const char *color_on(const char *sgr) {
        static char buf[4][24];
        static unsigned next;

        if (!colors_wanted())
                return "";

        next = (next + 1) % ELEMENTSOF(buf);
        snprintf(buf[next], sizeof buf[next], "\033[%sm", sgr);
        return buf[next];
}

const char *color_off(void) {
        return colors_wanted() ? "\033[0m" : "";
}

static bool pager_secure(bool *ret_explicit) {
        int wish = env_bool("SYSTEMD_PAGERSECURE");
        uid_t owner;

        *ret_explicit = wish >= 0;
        if (wish >= 0)
                return wish;

        /* Somebody else's privileges, as under sudo: the pager must not become a shell. */
        return sd_pid_get_owner_uid(0, &owner) < 0 || owner != geteuid();
}

static _noreturn_ void pager_exec(const char *pager, bool secure) {
        const char *less = getenv("SYSTEMD_LESS"), *charset = getenv("SYSTEMD_LESSCHARSET");

        (void) prctl(PR_SET_PDEATHSIG, SIGTERM);
        (void) setenv("LESS", less ?: "FRSXMK", 1);
        if (charset)
                (void) setenv("LESSCHARSET", charset, 1);
        (void) setenv("LESSSECURE", secure ? "1" : "0", 1);

        if (pager)
                (void) execl("/bin/sh", "sh", "-c", pager, NULL);
        else
                (void) execlp("less", "less", NULL);

        /* No pager on this host: pass through. */
        for (;;) {
                char buf[4096];
                ssize_t n = read(STDIN_FILENO, buf, sizeof buf);

                if (n <= 0 || write(STDOUT_FILENO, buf, n) != n)
                        _exit(EXIT_SUCCESS);
        }
}

void pager_open(const Options *o) {
        const char *pager = getenv("SYSTEMD_PAGER") ?: getenv("PAGER");
        bool explicit, secure = pager_secure(&explicit);
        int fds[2];
        pid_t pid;

        if (pager_pid > 0 || !o->pager || !isatty(STDOUT_FILENO))
                return;
        if (pager && (pager[0] == 0 || strcmp(pager, "cat") == 0))
                return;
        /* In secure mode only a pager that is known to honour it. */
        if (secure && !explicit)
                pager = NULL;

        (void) colors_wanted();
        fflush(stdout);

        if (pipe(fds) < 0)
                return;

        pid = fork();
        if (pid < 0) {
                safe_close(fds[0]);
                safe_close(fds[1]);
                return;
        }
        if (pid == 0) {
                (void) dup2(fds[0], STDIN_FILENO);
                safe_close(fds[0]);
                safe_close(fds[1]);
                pager_exec(pager, secure);
        }

        (void) dup2(fds[1], STDOUT_FILENO);
        safe_close(fds[0]);
        safe_close(fds[1]);
        pager_pid = pid;
}

void pager_close(void) {
        if (pager_pid <= 0)
                return;

        fflush(stdout);
        /* The pager sees the end of its input only when no descriptor of the pipe is left. */
        (void) freopen("/dev/null", "w", stdout);
        (void) waitpid(pager_pid, NULL, 0);
        pager_pid = -1;
}

int table_new(const Options *o, const char *name, const Column *columns, Table **ret) {
        static const int json_types[] = {
                [COLUMN_STRING] = SCOLS_JSON_STRING,
                [COLUMN_NUMBER] = SCOLS_JSON_NUMBER,
                [COLUMN_BOOLEAN] = SCOLS_JSON_BOOLEAN,
                [COLUMN_LIST] = SCOLS_JSON_ARRAY_STRING,
        };
        _cleanup_(table_freep) Table *t = new0(Table, 1);

        if (!t || !(t->scols = scols_new_table()))
                return -ENOMEM;

        t->options = o;
        scols_table_set_name(t->scols, name);
        scols_table_enable_json(t->scols, o->json != JSON_OFF);
        scols_table_enable_noheadings(t->scols, !o->legend);
        scols_table_enable_colors(t->scols, o->json == JSON_OFF && colors_wanted());
        scols_table_set_termforce(t->scols, isatty(STDOUT_FILENO) ? SCOLS_TERMFORCE_AUTO : SCOLS_TERMFORCE_NEVER);

        for (const Column *c = columns; c->title; c++) {
                int flags = (c->type == COLUMN_NUMBER ? SCOLS_FL_RIGHT : 0) |
                            (c->type == COLUMN_LIST ? SCOLS_FL_WRAP : 0) |
                            (c->elastic && !o->full ? SCOLS_FL_TRUNC : 0);
                struct libscols_column *cl;

                cl = scols_table_new_column(t->scols, o->json != JSON_OFF ? c->json_name : c->title, 0, flags);
                if (!cl)
                        return -ENOMEM;
                scols_column_set_json_type(cl, json_types[c->type]);
                if (c->type == COLUMN_LIST) {
                        scols_column_set_safechars(cl, "\n");
                        scols_column_set_wrapfunc(cl, scols_wrapnl_chunksize, scols_wrapnl_nextchunk, NULL);
                }
        }

        *ret = TAKE_PTR(t);
        return 0;
}

Table *table_free(Table *t) {
        if (!t)
                return NULL;

        if (t->scols)
                scols_unref_table(t->scols);
        free(t);
        return NULL;
}

void table_row(Table *t) {
        t->line = scols_table_new_line(t->scols, NULL);
        t->n_cells = 0;
        t->n_rows++;
        t->failed = t->failed || !t->line;
}

void table_add(Table *t, const char *s) {
        if (t->failed)
                return;
        if (scols_line_set_data(t->line, t->n_cells++, s) < 0)
                t->failed = true;
}

void table_add_u64(Table *t, uint64_t v) {
        char buf[24];

        snprintf(buf, sizeof buf, "%" PRIu64, v);
        table_add(t, buf);
}

void table_add_bool(Table *t, bool b) {
        if (t->options->json != JSON_OFF)
                table_add(t, b ? "1" : "0");
        else
                table_add(t, b ? "yes" : "no");
}

void table_color(Table *t, const char *color) {
        if (!t->failed && color && t->n_cells > 0)
                (void) scols_cell_set_color(scols_line_get_cell(t->line, t->n_cells - 1), color);
}

static int json_read(const Buffer *b, json_object **ret) {
        json_tokener *tokener;
        json_object *j;

        tokener = json_tokener_new();
        if (!tokener)
                return -ENOMEM;
        j = json_tokener_parse_ex(tokener, b->data, (int) b->size);
        json_tokener_free(tokener);
        if (!j)
                return -EBADMSG;

        *ret = j;
        return 0;
}

static void json_write(const Options *o, json_object *j) {
        if (o->json == JSON_PRETTY)
                pager_open(o);
        puts(json_object_to_json_string_ext(j, JSON_C_TO_STRING_NOSLASHESCAPE |
                                            (o->json == JSON_PRETTY ?
                                             JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED : JSON_C_TO_STRING_PLAIN)));
}

int json_print(const Options *o, const Buffer *b) {
        json_object *j;
        int r;

        r = json_read(b, &j);
        if (r < 0)
                return r;

        json_write(o, j);
        json_object_put(j);
        return 0;
}

/* libsmartcols writes an empty cell as null and an empty list as [null]; a reader expects "" and []. */
static int table_print_json(Table *t) {
        _cleanup_free_ char *text = NULL;
        json_object *j, *rows;
        Buffer b = {};
        int r;

        if (scols_print_table_to_string(t->scols, &text) < 0)
                return -ENOMEM;
        b.data = text;
        b.size = strlen(text);
        r = json_read(&b, &j);
        if (r < 0)
                return r;

        if (json_object_object_get_ex(j, scols_table_get_name(t->scols), &rows))
                for (size_t i = 0; i < json_object_array_length(rows); i++) {
                        json_object *row = json_object_array_get_idx(rows, i);

                        for (size_t c = 0; c < scols_table_get_ncols(t->scols); c++) {
                                const char *name = scols_column_get_name(scols_table_get_column(t->scols, c));
                                json_object *cell = json_object_object_get(row, name);

                                if (!cell)
                                        json_object_object_add(row, name, json_object_new_string(""));
                                else if (json_object_is_type(cell, json_type_array) &&
                                         json_object_array_length(cell) == 1 && !json_object_array_get_idx(cell, 0))
                                        json_object_array_del_idx(cell, 0, 1);
                        }
                }

        json_write(t->options, j);
        json_object_put(j);
        return 0;
}

int table_print(Table *t, const char *noun) {
        const Options *o = t->options;

        if (t->failed)
                return -ENOMEM;

        if (o->json != JSON_OFF)
                return table_print_json(t);

        pager_open(o);
        scols_table_set_stream(t->scols, stdout);
        if (t->n_rows > 0 && scols_print_table(t->scols) < 0)
                return -ENOMEM;
        if (o->legend)
                printf("%s%zu %s listed.%s\n", t->n_rows > 0 ? "\n" : "", t->n_rows, noun,
                       colors_wanted() ? color_off() : "");
        return 0;
}

static void show_value(json_object *v) {
        if (json_object_is_type(v, json_type_boolean))
                fputs(json_object_get_boolean(v) ? "yes" : "no", stdout);
        else if (json_object_is_type(v, json_type_array))
                for (size_t i = 0; i < json_object_array_length(v); i++) {
                        if (i > 0)
                                putchar(' ');
                        show_value(json_object_array_get_idx(v, i));
                }
        else
                fputs(json_object_get_string(v), stdout);
}

int json_show(const Buffer *b) {
        json_object *j;
        int r;

        r = json_read(b, &j);
        if (r < 0)
                return r;

        json_object_object_foreach(j, name, v) {
                const char *title = name;

                if (json_object_is_type(v, json_type_array)) {
                        for (size_t i = 0; i < json_object_array_length(v); i++, title = "") {
                                printf("%13s%c ", title, title[0] ? ':' : ' ');
                                show_value(json_object_array_get_idx(v, i));
                                putchar('\n');
                        }
                } else if (json_object_is_type(v, json_type_object)) {
                        json_object_object_foreach(v, key, value) {
                                printf("%13s%c %s: ", title, title[0] ? ':' : ' ', key);
                                show_value(value);
                                putchar('\n');
                                title = "";
                        }
                } else {
                        printf("%13s: ", name);
                        show_value(v);
                        putchar('\n');
                }
        }

        json_object_put(j);
        return 0;
}

static int basic_to_json(sd_bus_message *m, char type, Buffer *b) {
        union {
                uint8_t y;
                int b;
                int16_t n;
                uint16_t q;
                int32_t i;
                uint32_t u;
                int64_t x;
                uint64_t t;
                double d;
                const char *s;
        } v;
        int r;

        r = sd_bus_message_read_basic(m, type, &v);
        if (r < 0)
                return r;

        switch (type) {
        case 'y': return buffer_add_u64(b, v.y);
        case 'b': return buffer_add_string(b, v.b ? "true" : "false");
        case 'n': return buffer_add_s64(b, v.n);
        case 'q': return buffer_add_u64(b, v.q);
        case 'i': return buffer_add_s64(b, v.i);
        case 'u': return buffer_add_u64(b, v.u);
        case 'x': return buffer_add_s64(b, v.x);
        case 't': return buffer_add_u64(b, v.t);
        case 'd': return buffer_printf(b, "%.17g", v.d);
        case 's':
        case 'o':
        case 'g': return buffer_add_json_string(b, v.s, strlen(v.s));
        default:  return -EOPNOTSUPP;
        }
}

/* Everything up to the end of the container that was entered: array items, struct fields, or dictionary entries. */
static int container_to_json(sd_bus_message *m, char type, const char *contents, Buffer *b) {
        bool object = type == 'a' && contents[0] == '{' && contents[1] == 's';
        int r;

        r = sd_bus_message_enter_container(m, type, contents);
        if (r < 0)
                return r;

        if (type != 'v' && type != 'e')
                buffer_add_char(b, object ? '{' : '[');
        for (bool first = true; (r = sd_bus_message_at_end(m, false)) == 0; first = false) {
                if (!first)
                        buffer_add_char(b, type == 'e' ? ':' : ',');
                r = message_to_json(m, b);
                if (r < 0)
                        return r;
        }
        if (r < 0)
                return r;
        if (type != 'v' && type != 'e')
                buffer_add_char(b, object ? '}' : ']');

        return sd_bus_message_exit_container(m);
}

int message_to_json(sd_bus_message *m, Buffer *b) {
        const char *contents;
        char type;
        int r;

        r = sd_bus_message_peek_type(m, &type, &contents);
        if (r <= 0)
                return r < 0 ? r : -EBADMSG;

        if (IN_SET(type, 'a', 'v', 'r', 'e')) {
                r = container_to_json(m, type, contents, b);
                if (r < 0)
                        return r;
        } else {
                r = basic_to_json(m, type, b);
                if (r < 0)
                        return r;
        }

        return b->failed ? -ENOMEM : 0;
}

void format_timestamp(char *buf, size_t size, uint64_t usec) {
        time_t t = (time_t) (usec / USEC_PER_SEC);
        struct tm tm;

        if (!localtime_r(&t, &tm) || strftime(buf, size, "%a %Y-%m-%d %H:%M:%S %Z", &tm) == 0)
                snprintf(buf, size, "%" PRIu64, usec);
}

void format_relative(char *buf, size_t size, uint64_t usec) {
        static const struct {
                uint64_t seconds;
                const char *unit, *subunit;
                uint64_t subseconds;
        } rows[] = {
                { 86400, " day", "h", 3600 },
                { 3600,  "h",    "min", 60 },
                { 60,    "min",  "s", 1 },
        };
        uint64_t now = now_usec(CLOCK_REALTIME), ago;

        ago = now > usec ? (now - usec) / USEC_PER_SEC : 0;

        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                if (ago >= rows[i].seconds) {
                        uint64_t n = ago / rows[i].seconds, rest = ago % rows[i].seconds / rows[i].subseconds;

                        snprintf(buf, size, "%" PRIu64 "%s%s %" PRIu64 "%s ago", n, rows[i].unit,
                                 i == 0 && n > 1 ? "s" : "", rest, rows[i].subunit);
                        return;
                }

        snprintf(buf, size, "%" PRIu64 "s ago", ago);
}

void format_bytes(char *buf, size_t size, uint64_t bytes) {
        static const char suffixes[] = "BKMGT";
        size_t i = 0;
        double v = (double) bytes;

        while (v >= 1024 && i + 2 < sizeof suffixes) {
                v /= 1024;
                i++;
        }

        snprintf(buf, size, i == 0 || v == (double) (uint64_t) v ? "%.0f%c" : "%.1f%c", v, suffixes[i]);
}
