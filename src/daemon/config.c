/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* scopetraced.conf: built-in defaults, then the file, then drop-ins in order of their names. A line that cannot be used
 * is logged with its place and what to write instead, and the rest holds; nothing here stops the service. */

#include <errno.h>
#include <stdlib.h>

#include "../basic/conf-files.h"
#include "../basic/fd-util.h"
#include "../basic/log.h"
#include "../basic/string-util.h"
#include "config.h"
#include "stream.h"

#define CONFIG_FILE_MAX (256U * 1024U)
#define CONFIG_SECTION "Scopetrace"

/* Smaller, and one batch of a busy host does not fit; larger, and a mistyped unit takes the machine's memory. */
#define RING_BYTES_MIN (64U * 1024U)
#define RING_BYTES_MAX (1024U * 1024U * 1024U)
#define QUEUE_BYTES_MIN (64U * 1024U)
#define QUEUE_BYTES_MAX (256U * 1024U * 1024U)
/* Less, and hardly an artifact fits. */
#define CAPTURE_BYTES_MIN (1024U * 1024U)

typedef struct ConfigRow {
        const char *key;
        int (*parse)(const char *value, void *ret, const struct ConfigRow *row);
        size_t offset, size;
        uint64_t min, max;
        const char *expected;           /* "a size from 64K to 1G" */
} ConfigRow;

static const ConfigRow *config_row_by_key(const char *key);

static int parse_bool_row(const char *value, void *ret, const ConfigRow *row) {
        int r = parse_boolean(value);

        if (r < 0)
                return r;
        *(bool *) ret = r;
        return 0;
}

static int parse_size_row(const char *value, void *ret, const ConfigRow *row) {
        uint64_t v;
        int r;

        r = parse_size(value, &v);
        if (r < 0)
                return r;
        if (v < row->min || v > row->max)
                return -ERANGE;
        *(uint64_t *) ret = v;
        return 0;
}

static int parse_level_row(const char *value, void *ret, const ConfigRow *row) {
        int level = log_level_from_string(value);

        if (level < 0)
                return level;
        *(int *) ret = level;
        return 0;
}

/* As journald's: "infinity" is no limit. */
static int parse_limit_row(const char *value, void *ret, const ConfigRow *row) {
        if (streq(value, "infinity")) {
                *(uint64_t *) ret = 0;
                return 0;
        }
        return parse_size_row(value, ret, row);
}

static int parse_count_row(const char *value, void *ret, const ConfigRow *row) {
        uint64_t v = 0;

        if (!streq(value, "infinity") && (parse_u64(value, &v) < 0 || v < row->min || v > row->max))
                return -EINVAL;
        *(uint64_t *) ret = v;
        return 0;
}

static int parse_age_row(const char *value, void *ret, const ConfigRow *row) {
        uint64_t v;
        int r;

        r = parse_usec(value, &v);
        if (r < 0)
                return r;
        *(uint64_t *) ret = v == UINT64_MAX ? 0 : v;
        return 0;
}

static int parse_when_full_row(const char *value, void *ret, const ConfigRow *row) {
        if (streq(value, "evict"))
                *(StoreFull *) ret = STORE_FULL_EVICT;
        else if (streq(value, "stop"))
                *(StoreFull *) ret = STORE_FULL_STOP;
        else
                return -EINVAL;
        return 0;
}

static int parse_directory_row(const char *value, void *ret, const ConfigRow *row) {
        _cleanup_strv_free_ char **parts = NULL;
        int r;

        if (*value != '/')
                return -EINVAL;
        r = strv_split(value, "/", &parts);
        if (r < 0)
                return r;
        /* A directory of its own: clearing and vacuuming happen in it. */
        if (strv_length(parts) < 2 || strv_contains(parts, "..") || strv_contains(parts, "."))
                return -EINVAL;
        return free_and_strdup(ret, value);
}

void config_done(Config *c) {
        free(c->capture_directory);
        c->capture_directory = NULL;
}

/* Addresses with or without ports; whether they make sense is the resolver's to say. */
static int parse_servers_row(const char *value, void *ret, const ConfigRow *row) {
        if (strlen(value) >= sizeof(((Config *) NULL)->dns_servers) ||
            value[strspn(value, "0123456789abcdefABCDEF.:[]%, ")])
                return -EINVAL;
        strcpy(ret, value);
        return 0;
}

static int assign(Config *c, const char *path, unsigned line, const char *key, const char *value) {
        static const Config defaults = CONFIG_DEFAULT;
        const ConfigRow *row = config_row_by_key(key);
        char *field;

        if (!row)
                return log_warning_errno(-EINVAL, "%s:%u: Unknown key %s=; see scopetraced.conf(5).", path, line, key);

        field = (char *) c + row->offset;
        if (isempty(value)) {   /* an empty assignment goes back to the default */
                if (row->parse == parse_directory_row)
                        return free_and_strdup((char **) field, NULL);
                memcpy(field, (const char *) &defaults + row->offset, row->size);
                return 0;
        }
        if (row->parse(value, field, row) < 0)
                return log_warning_errno(-EINVAL, "%s:%u: %s=%s is not used: write %s.", path, line, key, value,
                                         row->expected);
        return 0;
}

int config_parse(Config *c, const char *path, char *text) {
        bool in_section = false, warned = false;
        unsigned line = 0;
        int n_bad = 0;

        for (char *next = text, *p; (p = strsep(&next, "\n"));) {
                char *value;

                line++;
                p = strstrip(p);
                if (!*p || IN_SET(*p, '#', ';'))
                        continue;
                if (*p == '[') {
                        in_section = streq(p, "[" CONFIG_SECTION "]");
                        if (!in_section && ++n_bad)
                                log_warning("%s:%u: Unknown section %s; write [" CONFIG_SECTION "].", path, line, p);
                        warned = true;
                        continue;
                }
                value = strchr(p, '=');
                if (!value) {
                        log_warning("%s:%u: Not an assignment; write Key=value.", path, line);
                        n_bad++;
                        continue;
                }
                *value++ = '\0';
                if (!in_section) {
                        if (!warned && ++n_bad)
                                log_warning("%s:%u: Assignment outside of a section; put [" CONFIG_SECTION
                                            "] before it.", path, line);
                        warned = true;
                        continue;
                }
                if (assign(c, path, line, strstrip(p), strstrip(value)) < 0)
                        n_bad++;
        }
        return n_bad;
}

static int load_file(Config *c, const char *path) {
        _cleanup_free_ char *text = NULL;
        int r;

        r = read_full_file(path, CONFIG_FILE_MAX, &text, NULL);
        if (r == -ENOENT)
                return 0;
        if (r == -ENOMEM)
                return r;
        if (r < 0) {
                log_warning_errno(r, "%s: Cannot read it: %m. Its settings are not used.", path);
                return 0;
        }
        (void) config_parse(c, path, text);
        return 1;
}

int config_load(Config *c, const char *root) {
        static const char *const dirs[] = { "/etc/scopetrace", "/run/scopetrace", "/usr/local/lib/scopetrace",
                                            "/usr/lib/scopetrace", NULL };
        static const char *const dropin_dirs[] = { "/etc/scopetrace/scopetraced.conf.d",
                                                   "/run/scopetrace/scopetraced.conf.d",
                                                   "/usr/local/lib/scopetrace/scopetraced.conf.d",
                                                   "/usr/lib/scopetrace/scopetraced.conf.d", NULL };
        static const char *const suffixes[] = { ".conf", NULL };
        _cleanup_(conf_file_list_done) ConfFileList l = {};
        int r;

        for (const char *const *dir = dirs; *dir; dir++) {
                _cleanup_free_ char *path = strjoin(strempty(root), *dir, "/scopetraced.conf");

                if (!path)
                        return -ENOMEM;
                r = load_file(c, path);
                if (r < 0)
                        return r;
                if (r > 0)
                        break;
        }

        r = conf_files_list(dropin_dirs, suffixes, root, &l);
        if (r < 0)
                return r;
        if (l.unreadable)
                log_warning_errno(l.error, "Cannot read the configuration in %s: %m", l.unreadable);
        for (size_t i = 0; i < l.n; i++)
                if (!l.items[i].masked) {
                        r = load_file(c, l.items[i].path);
                        if (r < 0)
                                return r;
                }
        return 0;
}

#define FIELD(name) offsetof(Config, name), sizeof(((Config *) 0)->name)
static const ConfigRow config_rows[] = {
        { "RingSize", parse_size_row, FIELD(ring_bytes), RING_BYTES_MIN, RING_BYTES_MAX, "a size from 64K to 1G" },
        { "Journal", parse_bool_row, FIELD(journal), 0, 0, "yes or no" },
        { "JournalQueueSize", parse_size_row, FIELD(journal_queue_bytes), QUEUE_BYTES_MIN, QUEUE_BYTES_MAX,
          "a size from 64K to 256M" },
        { "StreamBufferSize", parse_size_row, FIELD(stream_buffer_bytes), QUEUE_BYTES_MIN, STREAM_BUFFER_MAX,
          "a size from 64K to 64M" },
        { "LogLevel", parse_level_row, FIELD(log_level), 0, 0,
          "emerg, alert, crit, err, warning, notice, info or debug" },
        { "DnsServers", parse_servers_row, FIELD(dns_servers), 0, 0,
          "addresses of name servers separated by commas, for example 192.0.2.1,[2001:db8::1]:53" },
        { "CaptureRingSize", parse_size_row, FIELD(capture_ring_bytes), RING_BYTES_MIN, RING_BYTES_MAX,
          "a size from 64K to 1G" },
        { "CaptureDirectory", parse_directory_row, FIELD(capture_directory), 0, 0,
          "an absolute path, at least two folders deep and without dots, of a directory that nothing else uses" },
        { "CaptureMaxUse", parse_limit_row, FIELD(capture_max_use), CAPTURE_BYTES_MIN, INT64_MAX,
          "a size of at least 1M, or infinity" },
        { "CaptureMaxArtifactSize", parse_limit_row, FIELD(capture_max_artifact), 4096, INT64_MAX,
          "a size of at least 4K, or infinity" },
        { "CaptureMaxArtifacts", parse_count_row, FIELD(capture_max_artifacts), 1, 10000000,
          "a number from 1 to 10000000, or infinity" },
        { "CaptureMaxAge", parse_age_row, FIELD(capture_max_age_usec), 0, 0,
          "a time such as 12h or 4w, or infinity" },
        { "CaptureKeepFree", parse_limit_row, FIELD(capture_keep_free), 0, INT64_MAX, "a size; 0 keeps nothing free" },
        { "CaptureWhenFull", parse_when_full_row, FIELD(capture_when_full), 0, 0, "evict or stop" },
        { "CaptureClear", parse_bool_row, FIELD(capture_clear), 0, 0, "yes or no" },
};

static const ConfigRow *config_row_by_key(const char *key) {
        for (size_t i = 0; i < ELEMENTSOF(config_rows); i++)
                if (streq(config_rows[i].key, key))
                        return &config_rows[i];
        return NULL;
}
