/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The index: one text file, append-only. A line is `CRC TYPE key=value ...`: CRC-32C in eight digits over what follows it;
 * values with %XX for all that is not plain. Types: A the artifact as it is (the last one holds), H one more hole, D gone,
 * S everything before is on the disk, V the version of the format.
 *
 * What a crash leaves is read line by line: a torn tail is cut off, a damaged line elsewhere is left out, and what a file's
 * size is, the file knows. A line is written before the file that it names; an artifact without file is dropped at the next
 * start. After the machine itself has crashed, artifacts that were completed since the last S are read again, and those whose
 * digest is not what the index says are marked. When lines far outnumber artifacts, or one could not be written, a new
 * index replaces the old by rename(2). What is written and when it is synced is decided in store.c and store-finish.c. */

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>

#include "../basic/fd-util.h"
#include "../basic/string-util.h"
#include "../basic/time-util.h"
#include "store-internal.h"

#define INDEX_VERSION 1U
/* A gigabyte of index would be ten million lines: something else is wrong then. */
#define INDEX_BYTES_MAX (1024U * 1024U * 1024U)
#define COMPACT_LINES_MIN 4096U
#define COMPACT_FACTOR 4U
#define CRC_DIGITS 8U

#define NOTE_CUT_OFF "the service ended before it was complete"
#define NOTE_DAMAGED "its content is not what was captured: the machine went down before it was on the disk"
#define NOTE_FOUND "found without a line in the index"

static uint32_t crc32c(const char *data, size_t size) {
        static uint32_t table[256];
        uint32_t crc = ~0U;

        if (!table[1])
                for (uint32_t i = 0; i < 256; i++) {
                        uint32_t c = i;

                        for (int bit = 0; bit < 8; bit++)
                                c = c & 1 ? (c >> 1) ^ 0x82f63b78U : c >> 1;
                        table[i] = c;
                }
        for (size_t i = 0; i < size; i++)
                crc = table[(crc ^ (uint8_t) data[i]) & 0xff] ^ (crc >> 8);
        return ~crc;
}

/* --- values --- */

typedef enum ValueType {
        VALUE_STRING,
        VALUE_U64,
        VALUE_U32,
        VALUE_BOOL,
        VALUE_KIND,
        VALUE_DIGEST,
        VALUE_STRV,
} ValueType;

typedef struct ValueRow {
        const char *key;
        ValueType type;
        size_t offset;
} ValueRow;

/* Of an A line. Keys are for ever; what is empty or 0 is left out. */
static const ValueRow value_rows[] = {
        { "id",      VALUE_STRING, offsetof(ArtifactInfo, id) },
        { "path",    VALUE_STRING, offsetof(ArtifactInfo, path) },
        { "kind",    VALUE_KIND,   offsetof(ArtifactInfo, kind) },
        { "size",    VALUE_U64,    offsetof(ArtifactInfo, size_bytes) },
        { "stored",  VALUE_U64,    offsetof(ArtifactInfo, stored_bytes) },
        { "sha256",  VALUE_DIGEST, offsetof(ArtifactInfo, sha256) },
        { "done",    VALUE_BOOL,   offsetof(ArtifactInfo, complete) },
        { "box",     VALUE_STRING, offsetof(ArtifactInfo, container) },
        { "source",  VALUE_STRING, offsetof(ArtifactInfo, source_path) },
        { "comm",    VALUE_STRING, offsetof(ArtifactInfo, comm) },
        { "exe",     VALUE_STRING, offsetof(ArtifactInfo, exe) },
        { "unit",    VALUE_STRING, offsetof(ArtifactInfo, unit) },
        { "note",    VALUE_STRING, offsetof(ArtifactInfo, note) },
        { "dev",     VALUE_U64,    offsetof(ArtifactInfo, dev) },
        { "inode",   VALUE_U64,    offsetof(ArtifactInfo, inode) },
        { "pid",     VALUE_U32,    offsetof(ArtifactInfo, host_pid) },
        { "tid",     VALUE_U32,    offsetof(ArtifactInfo, host_tid) },
        { "uid",     VALUE_U32,    offsetof(ArtifactInfo, uid) },
        { "gid",     VALUE_U32,    offsetof(ArtifactInfo, gid) },
        { "start",   VALUE_U64,    offsetof(ArtifactInfo, start_ns) },
        { "first",   VALUE_U64,    offsetof(ArtifactInfo, first_usec) },
        { "last",    VALUE_U64,    offsetof(ArtifactInfo, last_usec) },
        { "scopes",  VALUE_U64,    offsetof(ArtifactInfo, scopes) },
        { "policy",  VALUE_STRV,   offsetof(ArtifactInfo, policies) },
};

static void add_text(Buffer *b, const char *text) {
        for (const char *p = text; *p; p++)
                if (*p > ' ' && *p < 0x7f && !IN_SET(*p, '%', '='))
                        (void) buffer_add_char(b, *p);
                else
                        (void) buffer_printf(b, "%%%02x", (unsigned) (unsigned char) *p);
}

static void add_item(Buffer *b, const char *key, const char *text) {
        (void) buffer_printf(b, " %s=", key);
        add_text(b, text);
}

static void add_number(Buffer *b, const char *key, uint64_t v) {
        if (v != 0)
                (void) buffer_printf(b, " %s=%" PRIu64, key, v);
}

static void add_value(Buffer *b, const ValueRow *row, const ArtifactInfo *info) {
        const void *p = (const char *) info + row->offset;

        switch (row->type) {
        case VALUE_STRING:
                if (!isempty(*(char *const *) p))
                        add_item(b, row->key, *(char *const *) p);
                break;
        case VALUE_U64:
                add_number(b, row->key, *(const uint64_t *) p);
                break;
        case VALUE_U32:
                add_number(b, row->key, *(const uint32_t *) p);
                break;
        case VALUE_BOOL:
                add_number(b, row->key, *(const bool *) p);
                break;
        case VALUE_KIND:
                add_item(b, row->key, artifact_kind_to_string(*(const ArtifactKind *) p));
                break;
        case VALUE_DIGEST:
                if (*(const char *) p)
                        add_item(b, row->key, p);
                break;
        case VALUE_STRV:
                STRV_FOREACH(i, *(char **const *) p)
                        add_item(b, row->key, *i);
                break;
        }
}

static int unescape(char *text) {
        char *to = text;

        for (const char *p = text; *p; p++) {
                unsigned v;

                if (*p != '%') {
                        *to++ = *p;
                        continue;
                }
                if (sscanf(p + 1, "%2x", &v) != 1 || v == 0)
                        return -EBADMSG;
                *to++ = (char) v;
                p += 2;
        }
        *to = '\0';
        return 0;
}

static int read_value(const ValueRow *row, const char *text, ArtifactInfo *info) {
        void *p = (char *) info + row->offset;
        uint64_t v = 0;
        int r;

        switch (row->type) {
        case VALUE_STRING:
                return free_and_strdup(p, text);
        case VALUE_KIND:
                r = artifact_kind_from_string(text);
                if (r < 0)
                        return -EBADMSG;
                *(ArtifactKind *) p = r;
                return 0;
        case VALUE_DIGEST:
                if (strlen(text) != 64)
                        return -EBADMSG;
                memcpy(p, text, 65);
                return 0;
        case VALUE_STRV:
                return strv_extend(p, text);
        case VALUE_U32:
                return parse_u32(text, p) < 0 ? -EBADMSG : 0;
        case VALUE_U64:
        case VALUE_BOOL:
                break;
        }
        r = parse_u64(text, &v);
        if (r < 0)
                return -EBADMSG;
        if (row->type == VALUE_BOOL)
                *(bool *) p = v != 0;
        else
                *(uint64_t *) p = v;
        return 0;
}

/* --- lines out --- */

static void line_begin(Buffer *b, const char *type) {
        (void) buffer_printf(b, "%0*x %s", (int) CRC_DIGITS, 0U, type);
}

static int line_end(Buffer *b, size_t start) {
        char crc[CRC_DIGITS + 1];

        if (b->failed)
                return -ENOMEM;
        (void) snprintf(crc, sizeof(crc), "%08x", crc32c(b->data + start + CRC_DIGITS, b->size - start - CRC_DIGITS));
        memcpy(b->data + start, crc, CRC_DIGITS);
        return buffer_add_char(b, '\n');
}

static int add_artifact_line(Buffer *b, const Artifact *a) {
        size_t start = b->size;

        line_begin(b, "A");
        for (size_t i = 0; i < ELEMENTSOF(value_rows); i++)
                add_value(b, &value_rows[i], &a->info);
        add_number(b, "told", a->told);
        for (size_t i = 0; i < a->n_holes; i++)
                (void) buffer_printf(b, " hole=%" PRIu64 "+%" PRIu64, a->holes[i].offset, a->holes[i].size);
        return line_end(b, start);
}

/* Appends what is in s->line. A part of it that reached the file is cut off again. */
static int append(Store *s) {
        int r;

        if (s->index_fd < 0 || s->index_stale)
                r = -EIO;
        else if (s->line.failed)
                r = -ENOMEM;
        else {
                r = write_full(s->index_fd, s->line.data, s->line.size);
                if (r < 0 && ftruncate(s->index_fd, (off_t) s->index_bytes) < 0)
                        s->index_stale = true;
        }
        if (r < 0)
                return r;
        s->index_bytes += s->line.size;
        s->index_lines++;
        s->index_unsynced = true;
        if (s->index_lines > COMPACT_LINES_MIN && s->index_lines / COMPACT_FACTOR > s->counters.n_artifacts)
                (void) store_index_compact(s);
        return 0;
}

static int append_or_note(Store *s) {
        int r;

        if (s->index_stale) {   /* the state as a whole has what this line says */
                if (now_usec(CLOCK_MONOTONIC) < s->retry_usec)
                        return -s->counters.last_errno;
                r = store_index_compact(s);
                if (r >= 0)
                        return r;
        } else
                r = append(s);
        if (r < 0) {
                s->index_stale = true;
                s->retry_usec = now_usec(CLOCK_MONOTONIC) + USEC_PER_SEC;
                store_note_error(s, r);
                pthread_cond_signal(&s->wake);
        }
        return r;
}

int store_index_put(Store *s, Artifact *a) {
        buffer_reset(&s->line);
        (void) add_artifact_line(&s->line, a);
        return append_or_note(s);
}

int store_index_hole(Store *s, Artifact *a, uint64_t offset, uint64_t size) {
        buffer_reset(&s->line);
        line_begin(&s->line, "H");
        add_item(&s->line, "id", a->info.id);
        (void) buffer_printf(&s->line, " hole=%" PRIu64 "+%" PRIu64, offset, size);
        (void) line_end(&s->line, 0);
        return append_or_note(s);
}

int store_index_drop(Store *s, const Artifact *a) {
        buffer_reset(&s->line);
        line_begin(&s->line, "D");
        add_item(&s->line, "id", a->info.id);
        (void) line_end(&s->line, 0);
        return append_or_note(s);
}

static int add_header(Buffer *b) {
        size_t start = b->size;

        line_begin(b, "V");
        add_number(b, "version", INDEX_VERSION);
        return line_end(b, start);
}

int store_index_compact(Store *s) {
        _cleanup_(buffer_done) Buffer b = {};
        _cleanup_close_ int fd = -EBADF;
        size_t lines = 1;
        uint64_t bytes;
        int r;

        if (s->dir_fd < 0)
                return -ENOENT;
        (void) unlinkat(s->dir_fd, STORE_INDEX_NEW, 0);
        fd = store_open_beneath(s->dir_fd, STORE_INDEX_NEW, O_RDWR | O_CREAT | O_EXCL | O_APPEND, 0600);
        if (fd < 0)
                return fd;

        r = add_header(&b);
        bytes = 0;
        for (Artifact *a = s->oldest; r >= 0 && a; a = a->next) {
                r = add_artifact_line(&b, a);
                lines++;
                if (r >= 0 && b.size > 1024U * 1024U) {
                        r = write_full(fd, b.data, b.size);
                        bytes += b.size;
                        buffer_reset(&b);
                }
        }
        if (r >= 0)
                r = write_full(fd, b.data, b.size);
        if (r >= 0 && fdatasync(fd) < 0)
                r = -errno;
        if (r >= 0 && renameat(s->dir_fd, STORE_INDEX_NEW, s->dir_fd, STORE_INDEX) < 0)
                r = -errno;
        if (r < 0) {
                (void) unlinkat(s->dir_fd, STORE_INDEX_NEW, 0);
                return r;
        }
        (void) fsync(s->dir_fd);
        safe_close(s->index_fd);
        s->index_fd = TAKE_FD(fd);
        s->index_bytes = bytes + b.size;
        s->index_lines = lines;
        s->index_stale = false;
        return 0;
}

int store_index_sync(Store *s) {
        _cleanup_close_ int fd = -EBADF;
        int r = 0;

        if (s->index_stale)
                (void) append_or_note(s);
        if (!s->index_unsynced || s->index_fd < 0)
                return 0;
        s->index_unsynced = false;
        buffer_reset(&s->line);
        line_begin(&s->line, "S");
        (void) line_end(&s->line, 0);
        r = append_or_note(s);
        s->index_unsynced = false;
        fd = fcntl(s->index_fd, F_DUPFD_CLOEXEC, 3);
        pthread_mutex_unlock(&s->lock);
        if (fd >= 0 && fdatasync(fd) < 0)
                r = -errno;
        pthread_mutex_lock(&s->lock);
        return r;
}

/* --- lines in --- */

typedef struct Reader {
        Store *store;
        bool unsynced_tail;     /* lines after the last S */
        size_t n_bad;
        uint64_t good_bytes;    /* up to the end of the last good line */
        bool bad_before_good;
} Reader;

static int read_hole(Artifact *a, char *text) {
        char *plus = strchr(text, '+');
        uint64_t offset, size;

        if (!plus)
                return -EBADMSG;
        *plus++ = '\0';
        if (parse_u64(text, &offset) < 0 || parse_u64(plus, &size) < 0)
                return -EBADMSG;
        return range_add(&a->holes, &a->n_holes, &a->n_holes_allocated, offset, size);
}

static int read_artifact_item(Artifact *a, const char *key, char *value) {
        if (streq(key, "hole"))
                return read_hole(a, value);
        if (streq(key, "told")) {
                a->told = true;
                return 0;
        }
        for (size_t i = 0; i < ELEMENTSOF(value_rows); i++)
                if (streq(value_rows[i].key, key))
                        return unescape(value) < 0 ? -EBADMSG : read_value(&value_rows[i], value, &a->info);
        return 0;       /* of a later version */
}

static bool path_is_ours(const char *path) {
        _cleanup_strv_free_ char **parts = NULL;

        if (isempty(path) || *path == '/' || strv_split(path, "/", &parts) < 0)
                return false;
        STRV_FOREACH(i, parts)
                if (**i == '.' || strlen(*i) > STORE_NAME_MAX)
                        return false;
        return true;
}

static int read_artifact_line(Reader *reader, char *items) {
        Store *s = reader->store;
        Artifact *a, *old;
        int r;

        r = store_entry_new(s, &a);
        if (r < 0)
                return r;
        for (char *item; r >= 0 && (item = strsep(&items, " "));) {
                char *value = strchr(item, '=');

                if (!value)
                        continue;
                *value++ = '\0';
                r = read_artifact_item(a, item, value);
        }
        if (r >= 0 && (isempty(a->info.id) || !path_is_ours(a->info.path)))
                r = -EBADMSG;
        a->n_refs = 1;
        if (r < 0) {
                a->removed = true;
                store_entry_unref(a);
                return r;
        }
        a->n_refs = 0;

        old = store_entry_by_id(s, a->info.id);
        if (old)
                store_entry_detach(s, old);
        old = store_entry_by_path(s, a->info.path);
        if (old)
                store_entry_detach(s, old);
        a->unverified = reader->unsynced_tail;
        return store_entry_add(s, a);
}

static int read_other_line(Reader *reader, char type, char *items) {
        char *id = NULL, *hole = NULL;
        Artifact *a;

        for (char *item; (item = strsep(&items, " "));)
                if (startswith(item, "id="))
                        id = item + 3;
                else if (startswith(item, "hole="))
                        hole = item + 5;
        a = id ? store_entry_by_id(reader->store, id) : NULL;
        if (!a)
                return 0;
        if (type == 'D') {
                store_entry_detach(reader->store, a);
                return 0;
        }
        return hole ? read_hole(a, hole) : -EBADMSG;
}

static int read_line(Reader *reader, char *line, size_t size) {
        char crc[CRC_DIGITS + 1], type;

        if (size < CRC_DIGITS + 2 || line[CRC_DIGITS] != ' ')
                return -EBADMSG;
        (void) snprintf(crc, sizeof(crc), "%08x", crc32c(line + CRC_DIGITS, size - CRC_DIGITS));
        if (memcmp(crc, line, CRC_DIGITS) != 0)
                return -EBADMSG;

        type = line[CRC_DIGITS + 1];
        line += MIN(size, (size_t) CRC_DIGITS + 3);
        switch (type) {
        case 'A':
                return read_artifact_line(reader, line);
        case 'H':
        case 'D':
                return read_other_line(reader, type, line);
        default:
                return 0;       /* S: find_synced_end(); V, and what a later version has */
        }
}

/* Where the lines begin that were perhaps not on the disk when the machine went down. */
static size_t find_synced_end(const char *text, size_t size) {
        size_t end = 0;

        for (size_t at = 0; at < size;) {
                const char *newline = memchr(text + at, '\n', size - at);

                if (!newline)
                        break;
                if ((size_t) (newline - text) == at + CRC_DIGITS + 2 && newline[-1] == 'S')
                        end = (size_t) (newline - text) + 1;
                at = (size_t) (newline - text) + 1;
        }
        return end;
}

static int read_lines(Reader *reader, char *text, size_t size) {
        size_t synced = find_synced_end(text, size);
        int r;

        for (size_t at = 0; at < size;) {
                char *line = text + at, *newline = memchr(line, '\n', size - at);

                if (!newline) {
                        reader->n_bad++;        /* the torn tail */
                        break;
                }
                *newline = '\0';
                reader->unsynced_tail = at >= synced;
                r = strlen(line) == (size_t) (newline - line) ? read_line(reader, line, (size_t) (newline - line))
                                                              : -EBADMSG;
                at = (size_t) (newline - text) + 1;
                if (r == -ENOMEM)
                        return r;
                if (r == -EBADMSG)
                        reader->n_bad++;
                else {
                        reader->good_bytes = at;
                        reader->bad_before_good |= reader->n_bad > 0;
                        reader->store->index_lines++;
                }
        }
        return 0;
}

/* --- what the disk says --- */

static int append_note(ArtifactInfo *info, const char *note) {
        char *joined;

        if (info->note && strstr(info->note, note))
                return 0;
        joined = isempty(info->note) ? strdup(note) : strjoin(info->note, "; ", note);
        if (!joined)
                return -ENOMEM;
        free(info->note);
        info->note = joined;
        return 1;
}

/* > 0: the index must be told. */
static int check_file(Store *s, Artifact *a) {
        bool verify = a->unverified, was_complete = a->info.complete;
        _cleanup_close_ int fd = -EBADF;
        char sha256[65] = "";
        uint64_t size = a->info.size_bytes;
        struct stat st;

        a->unverified = false;
        fd = store_open_beneath(s->dir_fd, a->info.path, O_RDONLY | O_NONBLOCK, 0);
        if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
                if (IN_SET(fd, -EIO, -EACCES, -EMFILE, -ENFILE))
                        return 0;
                store_entry_detach(s, a);
                return 1;
        }
        store_entry_measure(s, a, &st);
        if (!was_complete) {
                a->recovered = true;
                return append_note(&a->info, NOTE_CUT_OFF);
        }
        if (size == a->info.size_bytes && (!verify || store_digest_fd(fd, sha256) < 0 || streq(sha256, a->info.sha256)))
                return 0;
        a->info.complete = false;
        a->info.sha256[0] = '\0';
        a->recovered = true;
        return append_note(&a->info, NOTE_DAMAGED);
}

static const struct {
        const char *prefix;
        ArtifactKind kind;
} kind_prefixes[] = {
        { "write.", ARTIFACT_WRITE }, { "read.", ARTIFACT_READ }, { "exec.", ARTIFACT_EXEC },
        { "bin.", ARTIFACT_MEM },     { "module.", ARTIFACT_MODULE },
};

/* A file that the index lost: it takes room, so it is counted and can be listed and removed. Files that do not look
 * like artifacts are somebody else's and left alone. */
static int adopt_file(Store *s, const char *path, const struct stat *st) {
        const char *name = strrchr(path, '/');
        ArtifactKind kind = _ARTIFACT_KIND_INVALID;
        Artifact *a;
        int r;

        if (!S_ISREG(st->st_mode) || !name || store_entry_by_path(s, path))
                return 0;
        for (size_t i = 0; i < ELEMENTSOF(kind_prefixes); i++)
                if (startswith(name + 1, kind_prefixes[i].prefix))
                        kind = kind_prefixes[i].kind;
        if (endswith(name, ".pcap"))
                kind = ARTIFACT_PCAP;
        if (kind < 0)
                return 0;

        r = store_entry_new(s, &a);
        if (r < 0)
                return r;
        a->info.kind = kind;
        a->info.path = strdup(path);
        a->info.note = strdup(NOTE_FOUND);
        a->info.first_usec = a->info.last_usec = (uint64_t) st->st_mtim.tv_sec * USEC_PER_SEC;
        r = a->info.path && a->info.note ? store_entry_add(s, a) : -ENOMEM;
        if (r < 0) {
                a->removed = true;
                a->n_refs = 1;
                store_entry_unref(a);
                return r;
        }
        store_entry_measure(s, a, st);
        a->recovered = true;
        s->index_stale = true;
        return 0;
}

static int by_last(const Artifact *a, const Artifact *b) {
        return a->info.last_usec < b->info.last_usec ? -1 : a->info.last_usec > b->info.last_usec;
}

int store_index_load(Store *s) {
        _cleanup_free_ char *text = NULL;
        Reader reader = { .store = s };
        bool read_only = false;
        size_t size = 0;
        int r;

        (void) unlinkat(s->dir_fd, STORE_INDEX_NEW, 0);
        s->index_fd = safe_close(s->index_fd);
        s->index_lines = 0;
        s->index_fd = store_open_beneath(s->dir_fd, STORE_INDEX, O_RDWR | O_APPEND, 0);
        if (s->index_fd == -EROFS) {    /* what is there can be listed all the same */
                read_only = true;
                s->index_fd = store_open_beneath(s->dir_fd, STORE_INDEX, O_RDONLY, 0);
        }
        if (s->index_fd < 0 && s->index_fd != -ENOENT)
                return s->index_fd;
        if (s->index_fd >= 0) {
                r = read_full_fd(s->index_fd, INDEX_BYTES_MAX, &text, &size);
                if (r < 0)
                        return r;
                r = read_lines(&reader, text, size);
                if (r < 0)
                        return r;
        }

        s->index_bytes = reader.good_bytes;
        s->index_stale = read_only || s->index_fd < 0 || reader.bad_before_good || reader.good_bytes == 0;
        if (reader.n_bad > 0 && !s->index_stale && ftruncate(s->index_fd, (off_t) reader.good_bytes) < 0)
                s->index_stale = true;
        for (Artifact *a = s->oldest, *next; a; a = next) {
                next = a->next;
                r = check_file(s, a);
                if (r < 0)
                        return r;
                if (r > 0)
                        s->index_stale = true;
        }
        r = store_for_each_file(s, adopt_file);
        if (r == -ENOMEM)
                return r;
        DL_SORT(s->oldest, by_last);
        if (!s->index_stale)
                return 0;
        return store_index_compact(s);
}
