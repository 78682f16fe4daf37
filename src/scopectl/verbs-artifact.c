/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The verbs artifacts and vacuum. Artifacts travel as descriptors, so that their content never passes the service's loop;
 * removing shows how far it is on a terminal. */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../basic/macro.h"
#include "../basic/string-util.h"
#include "../basic/time-util.h"
#include "client.h"
#include "output.h"
#include "scopectl.h"

#define ARTIFACTS_TYPE "(sssttbsttta{sv})"

static int bad_reply(const char *doing, int r) {
        return client_report(NULL, doing, r);
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

/* --- filters --- */

static int append_time(sd_bus_message *m, const char *key, const char *value) {
        uint64_t now = now_usec(CLOCK_REALTIME), usec;

        if (parse_usec(value, &usec) < 0) {
                fprintf(stderr, "--%s=%s is no time span; write for example 2h or 3d: so long ago.\n", key, value);
                return -EINVAL;
        }
        return sd_bus_message_append(m, "{sv}", key, "t", usec < now ? now - usec : 1);
}

static int append_number(sd_bus_message *m, const char *key, const char *value) {
        uint32_t v;

        if (parse_u32(value, &v) < 0) {
                fprintf(stderr, "--%s=%s is no number.\n", key, value);
                return -EINVAL;
        }
        return sd_bus_message_append(m, "{sv}", key, "u", v);
}

/* The options as a{sv}; `id` NULL: none. */
static int append_filter(sd_bus_message *m, const Options *o, const char *key, const char *id) {
        static const struct {
                const char *key;
                char type;
                size_t offset;
        } rows[] = {
                { "scope", 'u', offsetof(ArtifactOptions, scope) },
                { "pid", 'u', offsetof(ArtifactOptions, pid) },
                { "kind", 's', offsetof(ArtifactOptions, kind) },
                { "container", 's', offsetof(ArtifactOptions, container) },
                { "source", 's', offsetof(ArtifactOptions, source) },
                { "comm", 's', offsetof(ArtifactOptions, comm) },
                { "policy", 's', offsetof(ArtifactOptions, policy) },
                { "since", 't', offsetof(ArtifactOptions, since) },
                { "until", 't', offsetof(ArtifactOptions, until) },
        };
        int r;

        r = sd_bus_message_open_container(m, 'a', "{sv}");
        if (r >= 0 && id)
                r = sd_bus_message_append(m, "{sv}", key, "s", id);
        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(rows); i++) {
                const char *value = *(const char *const *) ((const char *) &o->artifacts + rows[i].offset);

                if (!value)
                        continue;
                r = rows[i].type == 't'   ? append_time(m, rows[i].key, value)
                    : rows[i].type == 'u' ? append_number(m, rows[i].key, value)
                                          : sd_bus_message_append(m, "{sv}", rows[i].key, "s", value);
        }
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static bool has_filter(const Options *o) {
        const ArtifactOptions *a = &o->artifacts;

        return a->scope || a->pid || a->kind || a->container || a->source || a->comm || a->policy || a->since || a->until;
}

static int new_call(sd_bus *bus, const char *member, sd_bus_message **ret) {
        int r;

        r = sd_bus_message_new_method_call(bus, ret, SERVICE_NAME, SERVICE_PATH, INTERFACE_MANAGER, member);
        return r < 0 ? r : sd_bus_message_set_auto_start(*ret, 0);
}

static int call_list(sd_bus *bus, const Options *o, const char *key, const char *id, const char *doing, sd_bus_message **ret) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        int r;

        r = new_call(bus, "ListArtifacts", &m);
        if (r >= 0)
                r = append_filter(m, o, key, id);
        if (r < 0)
                return r;
        r = sd_bus_call(bus, m, CALL_TIMEOUT_USEC, &error, ret);
        return r < 0 ? client_report(&error, doing, r) : 0;
}

/* --- artifacts list --- */

typedef struct ArtifactRow {
        const char *id, *kind, *file, *sha256, *container, *source, *comm, *exe, *unit, *note;
        uint64_t bytes, stored, first, last, scopes;
        uint32_t pid, uid;
        int complete;
        char **policies;
        Buffer holes;
        size_t n_holes;
} ArtifactRow;

static void row_done(ArtifactRow *a) {
        strv_free(a->policies);
        buffer_done(&a->holes);
}

static int read_holes(sd_bus_message *m, ArtifactRow *a) {
        uint64_t offset, size;
        int r;

        r = sd_bus_message_enter_container(m, 'v', "a(tt)");
        if (r >= 0)
                r = sd_bus_message_enter_container(m, 'a', "(tt)");
        while (r >= 0 && (r = sd_bus_message_read(m, "(tt)", &offset, &size)) > 0)
                (void) buffer_printf(&a->holes, "%s%" PRIu64 "+%" PRIu64, a->n_holes++ > 0 ? "\n" : "", offset, size);
        if (r >= 0)
                r = sd_bus_message_exit_container(m);
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int read_detail(sd_bus_message *m, const char *key, ArtifactRow *a) {
        const struct {
                const char *key;
                const char **field;
        } strings[] = {
                { "container", &a->container }, { "source", &a->source }, { "comm", &a->comm },
                { "exe", &a->exe },             { "unit", &a->unit },     { "note", &a->note },
        };
        int r;

        for (size_t i = 0; i < ELEMENTSOF(strings); i++)
                if (streq(strings[i].key, key))
                        return sd_bus_message_read(m, "v", "s", strings[i].field);
        if (streq(key, "pid"))
                return sd_bus_message_read(m, "v", "u", &a->pid);
        if (streq(key, "uid"))
                return sd_bus_message_read(m, "v", "u", &a->uid);
        if (streq(key, "holes"))
                return read_holes(m, a);
        if (!streq(key, "policies"))
                return sd_bus_message_skip(m, "v");
        r = sd_bus_message_enter_container(m, 'v', "as");
        if (r >= 0)
                r = sd_bus_message_read_strv(m, &a->policies);
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

/* > 0: there is one. Strings point into the message. */
static int read_artifact(sd_bus_message *m, ArtifactRow *ret) {
        ArtifactRow a = {};
        const char *key;
        int r;

        r = sd_bus_message_enter_container(m, 'r', "sssttbsttta{sv}");
        if (r <= 0)
                return r;
        r = sd_bus_message_read(m, "sssttbsttt", &a.id, &a.kind, &a.file, &a.bytes, &a.stored, &a.complete, &a.sha256, &a.first,
                                &a.last, &a.scopes);
        if (r >= 0)
                r = sd_bus_message_enter_container(m, 'a', "{sv}");
        while (r >= 0 && (r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
                r = sd_bus_message_read(m, "s", &key);
                if (r >= 0)
                        r = read_detail(m, key, &a);
                if (r >= 0)
                        r = sd_bus_message_exit_container(m);
        }
        if (r >= 0)
                r = sd_bus_message_exit_container(m);
        if (r >= 0)
                r = sd_bus_message_exit_container(m);
        if (r < 0) {
                row_done(&a);
                return r;
        }
        *ret = a;
        return 1;
}

static void add_json_row(Table *t, const Options *o, const ArtifactRow *a) {
        _cleanup_free_ char *policies = strv_join(a->policies, "\n");
        _cleanup_(buffer_done) Buffer scopes = {}, holes = {};

        for (unsigned i = 0; i < SCOPE_NUMBER_MAX; i++)
                if (a->scopes >> i & 1)
                        (void) buffer_printf(&scopes, "%s%u", scopes.size > 0 ? "\n" : "", i + 1);
        (void) buffer_add(&holes, a->holes.data, a->holes.size);
        table_row(t);
        table_add(t, a->id);
        table_add(t, a->kind);
        table_add(t, a->file);
        table_add_u64(t, a->bytes);
        table_add_u64(t, a->stored);
        table_add_bool(t, a->complete);
        table_add(t, a->sha256);
        table_add_u64(t, a->first);
        table_add_u64(t, a->last);
        table_add(t, strempty(buffer_cstring(&scopes)));
        table_add(t, strempty(policies));
        table_add(t, a->container);
        table_add(t, a->source);
        table_add_u64(t, a->pid);
        table_add_u64(t, a->uid);
        table_add(t, a->comm);
        table_add(t, a->exe);
        table_add(t, a->unit);
        table_add(t, strempty(buffer_cstring(&holes)));
        table_add(t, a->note);
}

static int list_json(const Options *o, sd_bus_message *m, const char *doing) {
        static const Column columns[] = {
                { "ID", "id", COLUMN_STRING },           { "KIND", "kind", COLUMN_STRING },
                { "FILE", "file", COLUMN_STRING },       { "BYTES", "bytes", COLUMN_NUMBER },
                { "STORED", "stored_bytes", COLUMN_NUMBER }, { "COMPLETE", "complete", COLUMN_BOOLEAN },
                { "SHA256", "sha256", COLUMN_STRING },   { "FIRST", "first_usec", COLUMN_NUMBER },
                { "LAST", "last_usec", COLUMN_NUMBER },  { "SCOPES", "scopes", COLUMN_LIST },
                { "POLICIES", "policies", COLUMN_LIST }, { "CONTAINER", "container", COLUMN_STRING },
                { "SOURCE", "source", COLUMN_STRING },   { "PID", "pid", COLUMN_NUMBER },
                { "UID", "uid", COLUMN_NUMBER },         { "COMM", "comm", COLUMN_STRING },
                { "EXE", "exe", COLUMN_STRING },         { "UNIT", "unit", COLUMN_STRING },
                { "HOLES", "holes", COLUMN_LIST },       { "NOTE", "note", COLUMN_STRING },
                {}
        };
        _cleanup_(table_freep) Table *t = NULL;
        ArtifactRow a;
        int r;

        r = table_new(o, "artifacts", columns, &t);
        if (r < 0)
                return r;
        while ((r = read_artifact(m, &a)) > 0) {
                add_json_row(t, o, &a);
                row_done(&a);
        }
        return r < 0 ? bad_reply(doing, r) : table_print(t, "artifacts");
}

static void add_row(Table *t, const Options *o, unsigned scope, const ArtifactRow *a) {
        char when[64], process[64] = "", state[64] = "";

        format_relative(when, sizeof when, a->last);
        if (!isempty(a->comm))
                (void) snprintf(process, sizeof process, "%s[%" PRIu32 "]", a->comm, a->pid);
        if (a->n_holes > 0)
                (void) snprintf(state, sizeof state, "%zu holes", a->n_holes);
        else if (!a->complete)
                (void) snprintf(state, sizeof state, "growing");
        table_row(t);
        table_add_u64(t, scope);
        table_add(t, a->id);
        table_add(t, a->kind);
        add_size(t, o, a->bytes);
        table_add(t, when);
        table_add(t, state);
        if (a->n_holes > 0)
                table_color(t, "yellow");
        table_add(t, process);
        table_add(t, isempty(a->source) ? a->file : a->source);
}

/* One block of rows a scope; an artifact of several scopes stands in each. */
static int list_table(const Options *o, sd_bus_message *m, const char *doing) {
        static const Column columns[] = {
                { "SCOPE", "scope", COLUMN_NUMBER },     { "ID", "id", COLUMN_STRING },
                { "KIND", "kind", COLUMN_STRING },       { "SIZE", "bytes", COLUMN_NUMBER },
                { "LAST", "last", COLUMN_STRING },       { "STATE", "state", COLUMN_STRING },
                { "PROCESS", "process", COLUMN_STRING }, { "OF", "source", COLUMN_STRING, true },
                {}
        };
        _cleanup_(table_freep) Table *t = NULL;
        size_t n = 0, n_allocated = 0;
        ArtifactRow *rows = NULL, a;
        uint64_t all = 0;
        uint32_t only = 0;
        int r;

        r = table_new(o, "artifacts", columns, &t);
        if (r < 0)
                return r;
        while ((r = read_artifact(m, &a)) > 0) {
                if (!GREEDY_REALLOC(rows, n_allocated, n + 1)) {
                        row_done(&a);
                        r = -ENOMEM;
                        break;
                }
                rows[n++] = a;
                all |= a.scopes;
        }
        if (o->artifacts.scope)
                (void) parse_u32(o->artifacts.scope, &only);
        for (unsigned scope = 1; scope <= SCOPE_NUMBER_MAX; scope++)
                for (size_t i = 0; i < n && (only == 0 || only == scope) && all >> (scope - 1) & 1; i++)
                        if (rows[i].scopes >> (scope - 1) & 1)
                                add_row(t, o, scope, &rows[i]);
        for (size_t i = 0; i < n; i++) {
                if (rows[i].scopes == 0)        /* found without a line in the index */
                        add_row(t, o, 0, &rows[i]);
        }
        if (r >= 0)
                r = table_print(t, "artifacts");
        else
                r = r == -ENOMEM ? r : bad_reply(doing, r);
        for (size_t i = 0; i < n; i++)
                row_done(&rows[i]);
        free(rows);
        return r;
}

static int artifacts_list(const Options *o, sd_bus *bus, int argc, char *argv[]) {
        static const char doing[] = "list artifacts";
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        r = call_list(bus, o, NULL, NULL, doing, &m);
        if (r != 0)
                return r;
        r = sd_bus_message_enter_container(m, 'a', ARTIFACTS_TYPE);
        if (r < 0)
                return bad_reply(doing, r);
        return o->json != JSON_OFF ? list_json(o, m, doing) : list_table(o, m, doing);
}

/* --- artifacts cat, export --- */

/* What `name` is: an id, or the file below the directory. */
static int find_one(sd_bus *bus, const char *name, char **ret_id, char **ret_file) {
        static const Options none = {};
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        ArtifactRow a;
        int r;

        r = call_list(bus, &none, strchr(name, '/') ? "file" : "id", name, "find the artifact", &m);
        if (r != 0)
                return r;
        r = sd_bus_message_enter_container(m, 'a', ARTIFACTS_TYPE);
        if (r >= 0)
                r = read_artifact(m, &a);
        if (r < 0)
                return bad_reply("find the artifact", r);
        if (r == 0) {
                fprintf(stderr, "There is no artifact '%s', see scopectl artifacts.\n", name);
                return EXIT_NO_SUCH_OBJECT;
        }
        *ret_id = strdup(a.id);
        *ret_file = strdup(a.file);
        row_done(&a);
        return *ret_id && *ret_file ? 0 : -ENOMEM;
}

static int open_one(const Options *o, sd_bus *bus, const char *name, int *ret_fd, char **ret_file) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        _cleanup_free_ char *id = NULL;
        int r, fd;

        if (o->host) {
                fprintf(stderr, "Artifacts of another host are read there: ssh %s scopectl artifacts cat %s\n", o->host, name);
                return EXIT_FAILURE;
        }
        r = find_one(bus, name, &id, ret_file);
        if (r != 0)
                return r;
        r = client_call(bus, SERVICE_PATH, INTERFACE_MANAGER, "OpenArtifact", "open the artifact", &m, "s", id);
        if (r != 0)
                return r;
        r = sd_bus_message_read(m, "h", &fd);
        if (r < 0)
                return bad_reply("open the artifact", r);
        *ret_fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
        return *ret_fd < 0 ? -errno : 0;
}

static int copy_range(int from, int to, off_t begin, off_t end, bool seekable) {
        char buffer[65536];

        while (begin < end) {
                ssize_t n = pread(from, buffer, (size_t) MIN(end - begin, (off_t) sizeof buffer), begin), done = 0;

                if (n <= 0)
                        return n < 0 ? -errno : 0;
                while (done < n) {
                        ssize_t w = seekable ? pwrite(to, buffer + done, (size_t) (n - done), begin + done)
                                             : write(to, buffer + done, (size_t) (n - done));

                        if (w < 0 && errno == EINTR)
                                continue;
                        if (w < 0)
                                return -errno;
                        done += w;
                }
                begin += n;
        }
        return 0;
}

/* With its holes as holes where that is possible. */
static int copy_sparse(int from, int to) {
        struct stat st;
        off_t at = 0;
        int r;

        if (fstat(from, &st) < 0 || ftruncate(to, st.st_size) < 0)
                return -errno;
        while (at < st.st_size) {
                off_t data = lseek(from, at, SEEK_DATA), hole;

                if (data < 0 && errno == ENXIO)
                        return 0;
                hole = data < 0 ? st.st_size : lseek(from, data, SEEK_HOLE);
                r = copy_range(from, to, data < 0 ? at : data, hole < 0 ? st.st_size : hole, true);
                if (r < 0)
                        return r;
                at = hole < 0 ? st.st_size : hole;
        }
        return 0;
}

static int artifacts_cat(const Options *o, sd_bus *bus, int argc, char *argv[]) {
        for (int i = 0; i < argc; i++) {
                _cleanup_free_ char *file = NULL;
                _cleanup_close_ int fd = -EBADF;
                struct stat st;
                int r;

                r = open_one(o, bus, argv[i], &fd, &file);
                if (r != 0)
                        return r;
                (void) fflush(stdout);
                r = fstat(fd, &st) < 0 ? -errno : copy_range(fd, STDOUT_FILENO, 0, st.st_size, false);
                if (r < 0) {
                        fprintf(stderr, "Failed to copy '%s': %s\n", argv[i], strerror(-r));
                        return EXIT_FAILURE;
                }
        }
        return EXIT_SUCCESS;
}

static int artifacts_export(const Options *o, sd_bus *bus, int argc, char *argv[]) {
        const char *directory = argv[argc - 1];
        _cleanup_close_ int dir_fd = -EBADF;

        if (argc < 2) {
                fprintf(stderr, "Too few arguments: scopectl artifacts export ID… DIRECTORY\n");
                return EXIT_FAILURE;
        }
        dir_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (dir_fd < 0) {
                fprintf(stderr, "Failed to open directory '%s': %s\n", directory, strerror(errno));
                return EXIT_FAILURE;
        }
        for (int i = 0; i < argc - 1; i++) {
                _cleanup_close_ int fd = -EBADF, to = -EBADF;
                _cleanup_free_ char *file = NULL;
                const char *name;
                int r;

                r = open_one(o, bus, argv[i], &fd, &file);
                if (r != 0)
                        return r;
                name = strrchr(file, '/') ? strrchr(file, '/') + 1 : file;
                to = openat(dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
                r = to < 0 ? -errno : copy_sparse(fd, to);
                if (r < 0) {
                        fprintf(stderr, "Failed to write '%s/%s': %s\n", directory, name, strerror(-r));
                        return EXIT_FAILURE;
                }
                if (!o->quiet)
                        printf("%s/%s\n", directory, name);
        }
        return EXIT_SUCCESS;
}

/* --- removal --- */

typedef struct Removal {
        bool show, done;
        uint64_t n, bytes;
        int exit_code;
        const char *doing;
} Removal;

static int on_progress(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        uint64_t n, total, bytes;
        Removal *removal = userdata;
        char size[32];

        if (!removal->show || sd_bus_message_read(m, "ttt", &n, &total, &bytes) < 0)
                return 0;
        format_bytes(size, sizeof size, bytes);
        fprintf(stderr, "\r\033[KRemoved %" PRIu64 " of %" PRIu64 " artifacts, %s freed…", n, total, size);
        return 0;
}

static int on_removed(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        const sd_bus_error *e = sd_bus_message_get_error(m);
        Removal *removal = userdata;
        uint64_t n, bytes;
        int r;

        removal->done = true;
        if (removal->show)
                fprintf(stderr, "\r\033[K");
        if (e) {
                removal->exit_code = client_report(e, removal->doing, -sd_bus_message_get_errno(m));
                return 0;
        }
        r = sd_bus_message_read(m, "tt", &n, &bytes);
        if (r < 0) {
                removal->exit_code = bad_reply(removal->doing, r);
                return 0;
        }
        removal->n += n;
        removal->bytes += bytes;
        return 0;
}

/* A call that may take minutes, with the service's word of how far it is. */
static int call_removal(sd_bus *bus, sd_bus_message *m, Removal *removal) {
        int r;

        removal->done = false;
        removal->show = isatty(STDERR_FILENO) > 0;
        r = sd_bus_match_signal(bus, NULL, SERVICE_NAME, SERVICE_PATH, INTERFACE_MANAGER, "RemovalProgress", on_progress, removal);
        if (r >= 0)
                r = sd_bus_call_async(bus, NULL, m, on_removed, removal, UINT64_MAX);
        while (r >= 0 && !removal->done) {
                r = sd_bus_process(bus, NULL);
                if (r == 0)
                        r = sd_bus_wait(bus, UINT64_MAX);
        }
        return r < 0 ? client_report(NULL, removal->doing, r) : removal->exit_code;
}

static void print_removal(const Options *o, const Removal *removal) {
        char size[32];

        if (o->quiet)
                return;
        format_bytes(size, sizeof size, removal->bytes);
        printf("Removed %" PRIu64 " %s, %s freed.\n", removal->n, removal->n == 1 ? "artifact" : "artifacts", size);
}

static int remove_matching(const Options *o, sd_bus *bus, const char *key, const char *id, Removal *removal) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        r = new_call(bus, "RemoveArtifacts", &m);
        if (r >= 0)
                r = append_filter(m, o, key, id);
        return r < 0 ? r : call_removal(bus, m, removal);
}

static int artifacts_remove(const Options *o, sd_bus *bus, int argc, char *argv[]) {
        Removal removal = { .doing = "remove artifacts" };
        int r = 0;

        if (argc == 0 && !has_filter(o) && !o->artifacts.all) {
                fprintf(stderr, "Which artifacts? Give ids, filters such as --scope= or --kind=, or --all.\n");
                return EXIT_FAILURE;
        }
        if (argc == 0)
                r = remove_matching(o, bus, NULL, NULL, &removal);
        for (int i = 0; r == 0 && i < argc; i++) {
                _cleanup_free_ char *id = NULL, *file = NULL;

                r = find_one(bus, argv[i], &id, &file);
                if (r == 0)
                        r = remove_matching(o, bus, "id", id, &removal);
        }
        if (r == 0 || removal.n > 0)
                print_removal(o, &removal);
        return r;
}

int verb_artifacts(const Options *o, int argc, char *argv[]) {
        static const struct {
                const char *name;
                int n_min;
                int (*run)(const Options *o, sd_bus *bus, int argc, char *argv[]);
        } rows[] = {
                { "list", 0, artifacts_list },
                { "cat", 1, artifacts_cat },
                { "export", 2, artifacts_export },
                { "remove", 0, artifacts_remove },
        };
        _cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        const char *name = argc > 1 ? argv[1] : "list";
        int r;

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                if (!streq(rows[i].name, name))
                        continue;
                if (MAX(argc - 2, 0) < rows[i].n_min) {
                        fprintf(stderr, "Too few arguments: scopectl artifacts %s ID…%s\n", name,
                                rows[i].n_min > 1 ? " DIRECTORY" : "");
                        return EXIT_FAILURE;
                }
                if (argc > 2 && rows[i].run == artifacts_list) {
                        fprintf(stderr, "Too many arguments: scopectl artifacts list takes filters as options, see --help.\n");
                        return EXIT_FAILURE;
                }
                r = client_connect(o, &bus);
                return r < 0 ? r : rows[i].run(o, bus, argc > 2 ? argc - 2 : 0, argv + 2);
        }
        fprintf(stderr, "'%s' is nothing to do with artifacts; use list, cat, export or remove.\n", name);
        return EXIT_FAILURE;
}

int verb_vacuum(const Options *o, int argc, char *argv[]) {
        _cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        uint64_t max_bytes = UINT64_MAX, max_age = UINT64_MAX;
        Removal removal = { .doing = "vacuum" };
        int r;

        if (!o->artifacts.max_use && !o->artifacts.max_age) {
                fprintf(stderr, "To what? Give --max-use=SIZE, --max-age=TIME or both.\n");
                return EXIT_FAILURE;
        }
        if (o->artifacts.max_use && parse_size(o->artifacts.max_use, &max_bytes) < 0) {
                fprintf(stderr, "--max-use=%s is no size; write for example 500M or 2G.\n", o->artifacts.max_use);
                return EXIT_FAILURE;
        }
        if (o->artifacts.max_age && parse_usec(o->artifacts.max_age, &max_age) < 0) {
                fprintf(stderr, "--max-age=%s is no time; write for example 12h or 4w.\n", o->artifacts.max_age);
                return EXIT_FAILURE;
        }
        r = client_connect(o, &bus);
        if (r < 0)
                return r;
        r = new_call(bus, "Vacuum", &m);
        if (r >= 0)
                r = sd_bus_message_append(m, "tt", max_bytes, max_age);
        if (r < 0)
                return r;
        r = call_removal(bus, m, &removal);
        if (r == 0)
                print_removal(o, &removal);
        return r;
}
