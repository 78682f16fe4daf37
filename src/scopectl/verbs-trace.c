/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* scopectl trace: filters of the command line as policies that live as long as this process, and the live stream of their
 * scopes copied to stdout. The service formats; this file looks at lines only to count them and to take the notices of
 * loss out of what is shown.
 *
 * It unloads nothing that it did not load, and relies on the service to unload what it did when it dies: the policies
 * are loaded with the flag that ties them to this connection. */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "../basic/buffer.h"
#include "../basic/fd-util.h"
#include "../basic/macro.h"
#include "../basic/string-util.h"
#include "../basic/time-util.h"
#include "client.h"
#include "output.h"
#include "scopectl.h"

#define CHUNK_BYTES (256U * 1024U)
/* What may wait for us in the service: a burst of some ten thousand events, while a disk or terminal takes its time. */
#define STREAM_BUFFER_BYTES (UINT64_C(16) * 1024 * 1024)
/* After ^C: what matched before is still on its way through the ring, whose reader comes by every few milliseconds. The
 * end is a silence of this length, or this long at most. */
#define QUIET_MSEC 100
#define DRAIN_MSEC 2000

enum {
        LOAD_TRACK_OWNER = 1 << 0,
        LOAD_EXCLUSIVE = 1 << 1,
};

typedef struct ScopeFilters {
        unsigned number;
        const char **filters;           /* as written, with the number */
        const char **expressions;       /* behind the number */
        size_t n, n_filters_allocated, n_expressions_allocated;
        char *policy;
} ScopeFilters;

typedef struct Trace {
        const Options *options;
        sd_bus *bus;
        ScopeFilters scopes[SCOPE_NUMBER_MAX];
        size_t n_scopes;
        const char *format;
        bool table, json;
        bool header_seen;
        bool service_gone;
        uint64_t n_lines, n_lost_here, n_lost_before, n_lost_after;
        Buffer rest;                    /* of a line that is not complete */
} Trace;

static void trace_done(Trace *t) {
        for (size_t i = 0; i < t->n_scopes; i++) {
                free(t->scopes[i].filters);
                free(t->scopes[i].expressions);
                free(t->scopes[i].policy);
        }
        buffer_done(&t->rest);
        if (t->bus)
                sd_bus_flush_close_unref(t->bus);
}

/* "42:comm=ls" → 42 and "comm=ls"; without a number: scope 1. A colon behind the operator belongs to the value. */
static int split_filter(const char *filter, unsigned *ret_number, const char **ret_expression) {
        size_t op = strcspn(filter, "=!<>"), colon = strcspn(filter, ":");
        char digits[8] = {};
        uint32_t number;

        if (colon >= op || filter[colon] == 0) {
                /* "42:!container" has its operator behind the colon; "!container" has none. */
                *ret_number = 1;
                *ret_expression = filter;
                return 0;
        }

        if (colon < sizeof digits)
                memcpy(digits, filter, colon);
        if (parse_u32(digits, &number) < 0 || number < 1 || number > SCOPE_NUMBER_MAX) {
                fprintf(stderr, "Filter '%s': what stands before the colon is no scope, they are numbered from 1 to %d.\n",
                        filter, SCOPE_NUMBER_MAX);
                return -EINVAL;
        }

        *ret_number = number;
        *ret_expression = filter + colon + 1;
        return 0;
}

static int add_filter(Trace *t, const char *filter) {
        const char *expression;
        ScopeFilters *s = NULL;
        unsigned number;
        int r;

        if (!utf8_is_valid(filter, strlen(filter))) {
                fprintf(stderr, "A filter is not valid UTF-8: use a wildcard for such bytes.\n");
                return -EINVAL;
        }

        r = split_filter(filter, &number, &expression);
        if (r < 0)
                return r;

        for (size_t i = 0; i < t->n_scopes; i++)
                if (t->scopes[i].number == number)
                        s = &t->scopes[i];
        if (!s) {
                s = &t->scopes[t->n_scopes++];
                s->number = number;
        }

        if (!GREEDY_REALLOC(s->filters, s->n_filters_allocated, s->n + 1) ||
            !GREEDY_REALLOC(s->expressions, s->n_expressions_allocated, s->n + 1))
                return -ENOMEM;
        s->filters[s->n] = filter;
        s->expressions[s->n++] = expression;
        return 0;
}

/* What `-o option:NAME` asks for: of the stream, of the policy (spec.options), or of both. */
typedef struct OutputOption {
        const char *name;
        const char *stream, *policy;    /* NULL: nothing */
} OutputOption;

static const OutputOption output_options[] = {
        { "parse-arguments",     "parse-arguments", NULL },
        { "parse-arguments-fds", "parse-arguments", "fd-paths" },
        { "exec-env",            NULL,              "exec-env" },
        { "relative-time",       "relative-time",   NULL },
        { "detect-syscall",      NULL,              NULL },     /* always on */
};

static const OutputOption *output_option(const char *name) {
        for (size_t i = 0; i < ELEMENTSOF(output_options); i++)
                if (streq(name, output_options[i].name))
                        return output_options + i;
        return NULL;
}

/* The document that a person would have written. */
static int policy_text(const Trace *t, const ScopeFilters *s, Buffer *b) {
        const Options *o = t->options;

        buffer_add_string(b, "apiVersion: scopetrace.org/v1\nkind: ScopePolicy\nmetadata:\n  name: ");
        buffer_add_json_string(b, s->policy, strlen(s->policy));
        buffer_printf(b, "\n  description: scopectl trace\nspec:\n  scope: %u\n  filters:\n", s->number);
        for (size_t i = 0; i < s->n; i++) {
                buffer_add_string(b, "    - ");
                buffer_add_json_string(b, s->expressions[i], strlen(s->expressions[i]));
                buffer_add_char(b, '\n');
        }
        for (size_t i = 0; i < o->n_captures; i++) {
                buffer_add_string(b, i == 0 ? "  capture:\n    - " : "    - ");
                buffer_add_json_string(b, o->captures[i], strlen(o->captures[i]));
                buffer_add_char(b, '\n');
        }
        for (size_t i = 0, n = 0; i < o->n_output_options; i++) {
                const char *option = output_option(o->output_options[i])->policy;

                if (option)
                        buffer_printf(b, "%s    - %s\n", n++ == 0 ? "  options:\n" : "", option);
        }
        return b->failed ? -ENOMEM : 0;
}

/* The service names the place in a text that the user never saw: say which filter it is instead. */
static int report_load(const Options *o, const ScopeFilters *s, const sd_bus_error *e, int error) {
        const char *key = e->message ? strstr(e->message, "spec.filters[") : NULL;
        const char *capture = e->message ? strstr(e->message, "spec.capture") : NULL;
        unsigned i;
        int n = 0;

        if (sd_bus_error_has_name(e, ERROR_PREFIX "ScopeInUse")) {
                fprintf(stderr, "Scope %u is used by a loaded policy: choose another number (-t N:FILTER, 1 to %d), or join "
                        "it with --share.\n", s->number, SCOPE_NUMBER_MAX);
                return EXIT_FAILURE;
        }
        if (key && sscanf(key, "spec.filters[%u]: %n", &i, &n) == 1 && n > 0 && i < s->n) {
                fprintf(stderr, "Filter '%s': %s\n", s->filters[i], key + n);
                return EXIT_FAILURE;
        }

        if (capture && sscanf(capture, "spec.capture[%u]: %n", &i, &n) == 1 && n > 0 && i < o->n_captures) {
                fprintf(stderr, "--capture %s: %s\n", o->captures[i], capture + n);
                return EXIT_FAILURE;
        }

        return client_report(e, "load the filters", error);
}

/* Where artifacts are is the service's business. */
static int check_captures(const Options *o) {
        for (size_t i = 0; i < o->n_captures; i++)
                if (startswith(o->captures[i], "dir:") || startswith(o->captures[i], "dir.path=") ||
                    streq(o->captures[i], "clear-dir") || streq(o->captures[i], "dir.clear")) {
                        fprintf(stderr, "--capture %s: the service keeps artifacts in its own directory; leave this out, and "
                                "take them from there with scopectl artifacts.\n", o->captures[i]);
                        return EXIT_FAILURE;
                }
        return 0;
}

static int load_scope(Trace *t, ScopeFilters *s) {
        _cleanup_(sd_bus_error_free) sd_bus_error e = SD_BUS_ERROR_NULL;
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        Buffer b = {};
        uint16_t salt = 0;
        uint64_t flags = LOAD_TRACK_OWNER | (t->options->share ? 0 : LOAD_EXCLUSIVE);
        int r;

        (void) getrandom(&salt, sizeof salt, GRND_NONBLOCK);
        if (asprintf(&s->policy, "trace-%d-%04x-%u", (int) getpid(), salt, s->number) < 0) {
                s->policy = NULL;
                return -ENOMEM;
        }

        r = policy_text(t, s, &b);
        if (r >= 0)
                r = sd_bus_message_new_method_call(t->bus, &m, SERVICE_NAME, SERVICE_PATH, INTERFACE_MANAGER,
                                                   "LoadPolicy");
        if (r >= 0)
                r = sd_bus_message_set_auto_start(m, 0);
        if (r >= 0)
                r = sd_bus_message_append(m, "st", buffer_cstring(&b), flags);
        buffer_done(&b);
        if (r < 0)
                return client_report(NULL, "load the filters", r);

        r = sd_bus_call(t->bus, m, CALL_TIMEOUT_USEC, &e, NULL);
        if (r < 0) {
                free(s->policy);
                s->policy = NULL;
                return report_load(t->options, s, &e, r);
        }

        return 0;
}

/* The service would do it itself when we are gone, but a little later than that. */
static void unload_scopes(Trace *t) {
        for (size_t i = 0; i < t->n_scopes; i++)
                if (t->scopes[i].policy)
                        (void) client_call(t->bus, SERVICE_PATH, INTERFACE_MANAGER, "UnloadPolicy", "unload the filters",
                                           NULL, "s", t->scopes[i].policy);
}

/* Events of our scopes that the service lost, as it counts them. */
static int read_lost(Trace *t, uint64_t *ret) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        uint64_t sum = 0, n_lost;
        uint8_t number;
        int r;

        r = client_call(t->bus, SERVICE_PATH, INTERFACE_MANAGER, "ListScopes", "list scopes", &m, NULL);
        if (r != 0)
                return r;

        r = sd_bus_message_enter_container(m, 'a', "(yasbtto)");
        while (r >= 0 && (r = sd_bus_message_enter_container(m, 'r', "yasbtto")) > 0) {
                if ((r = sd_bus_message_read(m, "y", &number)) < 0 || (r = sd_bus_message_skip(m, "asbt")) < 0 ||
                    (r = sd_bus_message_read(m, "t", &n_lost)) < 0 || (r = sd_bus_message_skip(m, "o")) < 0 ||
                    (r = sd_bus_message_exit_container(m)) < 0)
                        break;
                for (size_t i = 0; i < t->n_scopes; i++)
                        if (t->scopes[i].number == number)
                                sum += n_lost;
        }

        *ret = sum;
        return r < 0 ? client_report(NULL, "list scopes", r) : 0;
}

/* Columns for containers, as soon as a filter asks for them. */
static bool wants_containers(const Trace *t) {
        for (size_t i = 0; i < t->n_scopes; i++)
                for (size_t j = 0; j < t->scopes[i].n; j++) {
                        const char *e = t->scopes[i].expressions[j];
                        const char *rest = startswith(e, "container");

                        if (rest && IN_SET(*rest, 0, '=', '!'))
                                return true;
                }
        return false;
}

static int append_flag(sd_bus_message *m, const char *name, bool value) {
        return sd_bus_message_append(m, "{sv}", name, "b", (int) value);
}

static int append_stream_options(Trace *t, sd_bus_message *m) {
        const Options *o = t->options;
        uint64_t mask = 0;
        int r;

        for (size_t i = 0; i < t->n_scopes; i++)
                mask |= UINT64_C(1) << (t->scopes[i].number - 1);

        r = sd_bus_message_open_container(m, 'a', "{sv}");
        if (r >= 0)
                r = sd_bus_message_append(m, "{sv}", "scopes", "t", mask);
        if (r >= 0)
                r = sd_bus_message_append(m, "{sv}", "format", "s", t->format);
        if (r >= 0)
                r = sd_bus_message_append(m, "{sv}", "buffer-bytes", "t", STREAM_BUFFER_BYTES);
        if (r >= 0)
                r = append_flag(m, "header", o->legend);
        if (r >= 0 && wants_containers(t))
                r = append_flag(m, "containers", true);
        for (size_t i = 0; r >= 0 && i < o->n_output_options; i++) {
                const char *option = output_option(o->output_options[i])->stream;

                if (option)
                        r = append_flag(m, option, true);
        }
        if (r >= 0)
                r = sd_bus_message_close_container(m);
        return r;
}

static int open_stream(Trace *t, int *ret_fd) {
        static const char doing[] = "open the stream of events";
        _cleanup_(sd_bus_error_free) sd_bus_error e = SD_BUS_ERROR_NULL;
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL, *reply = NULL;
        int fd, r;

        r = sd_bus_message_new_method_call(t->bus, &m, SERVICE_NAME, SERVICE_PATH, INTERFACE_MANAGER, "OpenEventStream");
        if (r >= 0)
                r = append_stream_options(t, m);
        if (r < 0)
                return client_report(NULL, doing, r);

        r = sd_bus_call(t->bus, m, CALL_TIMEOUT_USEC, &e, &reply);
        if (r < 0)
                return client_report(&e, doing, r);

        r = sd_bus_message_read(reply, "h", &fd);
        if (r >= 0)
                r = fcntl(fd, F_DUPFD_CLOEXEC, 3);
        if (r < 0)
                return client_report(NULL, doing, r < -1 ? r : -errno);

        *ret_fd = r;
        return 0;
}

/* Whether a line is the service's notice that this reader was too slow. */
static bool line_is_notice(Trace *t, const char *line, size_t size) {
        char copy[64] = {};
        uint64_t n;

        if (size >= sizeof copy || (line[0] != '#' && line[0] != '{'))
                return false;

        memcpy(copy, line, size);
        if (!(t->table && sscanf(copy, "# %" SCNu64 " events lost", &n) == 1) &&
            !(t->json && sscanf(copy, "{\"lost\":%" SCNu64 "}", &n) == 1))
                return false;

        t->n_lost_here += n;
        return true;
}

/* One complete line. 1: the last that was wanted. */
static int on_line(Trace *t, const char *line, size_t size, bool *ret_show) {
        const Options *o = t->options;

        *ret_show = true;

        if (line_is_notice(t, line, size)) {
                *ret_show = false;
                return 0;
        }
        if (t->table && o->legend && !t->header_seen) {
                t->header_seen = true;
                return 0;
        }
        /* An entry in export format ends with an empty line. */
        if (!t->table && !t->json && size > 1)
                return 0;

        t->n_lines++;
        return o->lines >= 0 && t->n_lines >= (uint64_t) o->lines;
}

/* Writes the complete lines of a chunk, runs of them at once; keeps the rest. 1: enough. */
static int on_data(Trace *t, const char *data, size_t size) {
        const char *run = data, *p = data, *end = data + size;
        int r, last = 0;

        if (t->rest.size > 0) {
                const char *newline = memchr(data, '\n', size);
                size_t n = newline ? (size_t) (newline + 1 - data) : size;
                bool show;

                if (buffer_add(&t->rest, data, n) < 0)
                        return -ENOMEM;
                if (!newline)
                        return 0;

                last = on_line(t, t->rest.data, t->rest.size, &show);
                r = show ? write_full(STDOUT_FILENO, t->rest.data, t->rest.size) : 0;
                buffer_reset(&t->rest);
                if (r < 0 || last)
                        return r < 0 ? r : 1;
                run = p = newline + 1;
        }

        while (p < end && !last) {
                const char *newline = memchr(p, '\n', (size_t) (end - p));
                bool show;

                if (!newline)
                        break;
                last = on_line(t, p, (size_t) (newline + 1 - p), &show);
                if (!show) {
                        r = write_full(STDOUT_FILENO, run, (size_t) (p - run));
                        if (r < 0)
                                return r;
                        run = newline + 1;
                }
                p = newline + 1;
        }

        r = write_full(STDOUT_FILENO, run, (size_t) (p - run));
        if (r < 0 || last)
                return r < 0 ? r : 1;

        return buffer_add(&t->rest, p, (size_t) (end - p));
}

static int64_t now_msec(void) {
        return (int64_t) (now_usec(CLOCK_MONOTONIC) / USEC_PER_MSEC);
}

/* Until the stream ends, enough was seen, or a signal came and what was on its way has arrived. */
static int copy_stream(Trace *t, int fd, int signal_fd) {
        _cleanup_free_ char *chunk = malloc(CHUNK_BYTES);
        struct pollfd fds[] = {
                { .fd = fd, .events = POLLIN },
                { .fd = signal_fd, .events = POLLIN },
                { .fd = sd_bus_get_fd(t->bus) },        /* its end is told unasked */
        };
        int64_t drain_until = 0;

        if (!chunk)
                return -ENOMEM;

        for (;;) {
                ssize_t n;
                int r;

                r = poll(fds, ELEMENTSOF(fds), drain_until > 0 ? QUIET_MSEC : -1);
                if (r < 0 && errno != EINTR)
                        return -errno;
                if (r == 0 || (drain_until > 0 && now_msec() > drain_until))
                        return 0;

                if (fds[1].revents & POLLIN) {
                        struct signalfd_siginfo info;

                        if (drain_until > 0)
                                return 0;   /* asked twice */
                        (void) !read(signal_fd, &info, sizeof info);
                        drain_until = now_msec() + DRAIN_MSEC;
                }
                if (fds[2].revents) {
                        fprintf(stderr, "The bus closed the connection, and with it the service unloaded the filters.\n");
                        t->service_gone = true;
                        return EXIT_FAILURE;
                }
                if (!(fds[0].revents & (POLLIN | POLLHUP | POLLERR)))
                        continue;

                n = read(fd, chunk, CHUNK_BYTES);
                if (n < 0 && IN_SET(errno, EINTR, EAGAIN))
                        continue;
                if (n < 0)
                        return -errno;
                if (n == 0) {
                        fprintf(stderr, "The service ended.\n");
                        t->service_gone = true;
                        return EXIT_NOT_RUNNING;
                }

                r = on_data(t, chunk, (size_t) n);
                if (r != 0)
                        return r < 0 ? r : 0;
        }
}

static int trace_prepare(Trace *t) {
        static const char *const formats[] = { "table", "table-verbose", "json", "export" };
        const Options *o = t->options;
        bool known = false;
        int r;

        t->format = o->output ?: o->json != JSON_OFF ? "json" : "table";
        for (size_t i = 0; i < ELEMENTSOF(formats); i++)
                known = known || streq(t->format, formats[i]);
        if (!known) {
                fprintf(stderr, "Unknown output format '%s': use table, table-verbose, json or export.\n", t->format);
                return -EINVAL;
        }
        t->table = t->format[0] == 't';
        t->json = t->format[0] == 'j';

        for (size_t i = 0; i < o->n_output_options; i++)
                if (!output_option(o->output_options[i])) {
                        fprintf(stderr, "Unknown output option '%s': use parse-arguments, parse-arguments-fds, exec-env or "
                                "relative-time.\n", o->output_options[i]);
                        return -EINVAL;
                }

        for (size_t i = 0; i < o->n_filters; i++) {
                r = add_filter(t, o->filters[i]);
                if (r < 0)
                        return r;
        }
        /* No filter at all: everything of the usual set. */
        return t->n_scopes == 0 ? add_filter(t, "set=default") : 0;
}

static void report_lost(const Trace *t) {
        uint64_t n = t->n_lost_after > t->n_lost_before ? t->n_lost_after - t->n_lost_before : 0;

        if (t->options->quiet)
                return;
        if (t->n_lost_here > 0)
                fprintf(stderr, "%" PRIu64 " events lost because this reader was too slow.\n",
                        t->n_lost_here);
        if (n > 0)
                fprintf(stderr, "%" PRIu64 " events of these scopes lost by the service, see scopectl status.\n", n);
}

static int trace_run(Trace *t, int signal_fd) {
        _cleanup_close_ int fd = -EBADF;
        int r;

        /* The stream first, so that no event of the policies is missed; read last, so that the table's header tells that
         * they judge every event. */
        r = read_lost(t, &t->n_lost_before);
        if (r == 0)
                r = open_stream(t, &fd);
        for (size_t i = 0; r == 0 && i < t->n_scopes; i++)
                r = load_scope(t, &t->scopes[i]);
        if (r == 0)
                r = copy_stream(t, fd, signal_fd);
        if (r < 0)
                fprintf(stderr, "Failed to copy the stream of events: %s\n", strerror(-r));

        /* What is left of a line was cut by the end of the service. */
        if (t->rest.size > 0)
                (void) write_full(STDOUT_FILENO, t->rest.data, t->rest.size);

        if (fd >= 0 && !t->service_gone && read_lost(t, &t->n_lost_after) == 0)
                report_lost(t);
        if (!t->service_gone)
                unload_scopes(t);
        return r;
}

int verb_trace(const Options *o, int argc, char *argv[]) {
        _cleanup_(trace_done) Trace t = { .options = o };
        _cleanup_close_ int signal_fd = -EBADF;
        sigset_t mask;
        int r;

        r = trace_prepare(&t);
        if (r >= 0)
                r = check_captures(o);
        if (r != 0)
                return r;

        /* A reader that goes away ends this process, and with it the policies. */
        (void) signal(SIGPIPE, SIG_DFL);
        sigemptyset(&mask);
        sigaddset(&mask, SIGINT);
        sigaddset(&mask, SIGTERM);
        if (sigprocmask(SIG_BLOCK, &mask, NULL) < 0 || (signal_fd = signalfd(-1, &mask, SFD_CLOEXEC)) < 0)
                return -errno;

        r = client_connect(o, &t.bus);
        if (r < 0)
                return r;

        if (sd_bus_can_send(t.bus, 'h') <= 0 && o->host) {
                fprintf(stderr, "Live events do not pass the connection to %s: use ssh %s scopectl trace\n", o->host, o->host);
                return EXIT_FAILURE;
        }

        return trace_run(&t, signal_fd);
}
