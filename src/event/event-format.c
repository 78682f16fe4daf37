/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One Event as a table row, a JSON line or a MESSAGE. Columns and JSON members are those that Tracee's users know;
 * own members stand at the end of the object. Text of processes never reaches a terminal unescaped. No printf, no
 * allocation beyond the buffer's growth; values of arguments are arg-type.c's business, journal fields are
 * event-fields.c's. */

#include <time.h>

#include "../basic/macro.h"
#include "arg-type.h"
#include "event-format.h"

#define CONTAINER_ID_SHORT 12   /* columns show so much of an id */
#define UTS_NAME_SHORT 16
#define EVENT_NAME_WIDTH 25     /* of the plain table, which cuts longer names */
#define EVENT_NAME_CUT 22
#define MESSAGE_ARG_MAX 512     /* bytes of one argument in MESSAGE; TRACE_ARGS has the whole */
#define ERRNO_MAX 4095

/* Tasks whose JSON is kept: 64 of a kilobyte each stay in the second-level cache. */
#define SUBJECT_TEXTS_BITS 6
#define SUBJECT_TEXTS (1U << SUBJECT_TEXTS_BITS)
#define SUBJECT_TEXT_MAX 720            /* most are of 400 to 500 bytes; longer ones are written anew each time */
#define SUBJECT_CONTAINER_MAX 72        /* of a container id; they have 64 */

static uint64_t epoch_ns;

void event_format_set_epoch(uint64_t boottime_ns) {
        epoch_ns = boottime_ns;
}

static const char *const event_format_table[_EVENT_FORMAT_MAX] = {
        [EVENT_FORMAT_TABLE] = "table",
        [EVENT_FORMAT_TABLE_VERBOSE] = "table-verbose",
        [EVENT_FORMAT_JSON] = "json",
        [EVENT_FORMAT_EXPORT] = "export",
};

const char *event_format_to_string(EventFormat f) {
        return f >= 0 && f < _EVENT_FORMAT_MAX ? event_format_table[f] : NULL;
}

EventFormat event_format_from_string(const char *s) {
        assert(s);

        if (strncmp(s, "format:", strlen("format:")) == 0)
                s += strlen("format:");
        for (EventFormat f = 0; f < _EVENT_FORMAT_MAX; f++)
                if (strcmp(event_format_table[f], s) == 0)
                        return f;
        return _EVENT_FORMAT_INVALID;
}

static uint64_t event_time(const Event *e, EventFormatFlags flags) {
        uint64_t t = e->header->time_ns;

        if (!(flags & EVENT_FORMAT_RELATIVE_TIME))
                return e->time_ns;
        return t > epoch_ns ? t - epoch_ns : 0;
}

static void add_comm(Buffer *b, const Event *e) {
        (void) buffer_add_escaped(b, e->header->comm, strnlen(e->header->comm, sizeof(e->header->comm)));
}

/* --- tables --- */

int event_format_header(Buffer *b, EventFormat f, EventFormatFlags flags) {
        bool containers = flags & EVENT_FORMAT_CONTAINERS;

        if (f == EVENT_FORMAT_TABLE_VERBOSE)
                return buffer_add_string(b, containers ?
                        "TIME             SCOPES            UTS_NAME          CONTAINER_ID  MNT_NS       PID_NS       "
                        "UID    COMM             PID/host        TID/host        PPID/host       RET              "
                        "EVENT                ARGS\n" :
                        "TIME             SCOPES            UTS_NAME          CONTAINER_ID  MNT_NS       PID_NS       "
                        "UID    COMM             PID     TID     PPID    RET              "
                        "EVENT                ARGS\n");
        if (f == EVENT_FORMAT_TABLE)
                return buffer_add_string(b, containers ?
                        "TIME             CONTAINER_ID  UID    COMM             PID/host        TID/host        "
                        "RET              EVENT                     ARGS\n" :
                        "TIME             UID    COMM             PID     TID     "
                        "RET              EVENT                     ARGS\n");
        return 0;
}

/* HH:MM:SS:uuuuuu of the local clock. Asking for the zone of every event would cost more than the rest of the row, and
 * offsets change at full quarters of an hour only. */
static void add_time(Buffer *b, uint64_t time_ns, bool relative) {
        static _Thread_local int64_t known_quarter = -1;
        static _Thread_local int64_t offset_sec;
        uint64_t usec = time_ns / NSEC_PER_USEC % USEC_PER_SEC;
        int64_t sec = (int64_t) (time_ns / NSEC_PER_SEC);
        char text[15];
        unsigned day;

        if (!relative) {
                if (sec / 900 != known_quarter) {
                        time_t t = (time_t) sec;
                        struct tm tm;

                        offset_sec = localtime_r(&t, &tm) ? tm.tm_gmtoff : 0;
                        known_quarter = sec / 900;
                }
                sec += offset_sec;
        }
        day = (unsigned) (sec >= 0 ? sec % 86400 : 0);

        unsigned parts[] = { day / 3600, day / 60 % 60, day % 60 };
        for (size_t i = 0; i < ELEMENTSOF(parts); i++) {
                text[3 * i] = (char) ('0' + parts[i] / 10);
                text[3 * i + 1] = (char) ('0' + parts[i] % 10);
                text[3 * i + 2] = ':';
        }
        for (size_t i = sizeof(text); i > 9; i--, usec /= 10)
                text[i - 1] = (char) ('0' + usec % 10);
        (void) buffer_add(b, text, sizeof(text));
}

static void end_column(Buffer *b, size_t start, size_t width) {
        (void) buffer_pad_to(b, start, width);
        (void) buffer_add_char(b, ' ');
}

static void column_u64(Buffer *b, uint64_t v, size_t width) {
        size_t start = b->size;

        (void) buffer_add_u64(b, v);
        end_column(b, start, width);
}

static void column_text(Buffer *b, const char *s, size_t size, size_t width) {
        size_t start = b->size;

        (void) buffer_add_escaped(b, s, size);
        end_column(b, start, width);
}

/* `pid    /hostpid ` */
static void column_pid(Buffer *b, uint32_t pid, uint32_t host_pid, bool containers) {
        size_t start = b->size;

        if (!containers)
                return column_u64(b, pid, 7);
        (void) buffer_add_u64(b, pid);
        (void) buffer_pad_to(b, start, 7);
        (void) buffer_add_char(b, '/');
        column_u64(b, host_pid, 7);
}

static void column_container(Buffer *b, const Event *e) {
        column_text(b, e->container_id, strnlen(e->container_id, CONTAINER_ID_SHORT), 13);
}

static void column_comm(Buffer *b, const Event *e) {
        size_t start = b->size;

        add_comm(b, e);
        end_column(b, start, 16);
}

static void column_retval(Buffer *b, const Event *e) {
        size_t start = b->size;

        (void) buffer_add_s64(b, e->header->retval);
        end_column(b, start, 16);
}

/* As Tracee: what could not be read is left out. */
static int add_table_args(Buffer *b, const Event *e) {
        bool some = false;

        for (size_t i = 0; i < e->n_args; i++) {
                const EventArg *a = e->args + i;

                if (a->flags & SCT_ARG_FAULT)
                        continue;
                if (some)
                        (void) buffer_add(b, ", ", 2);
                (void) buffer_add_string(b, a->spec->name);
                (void) buffer_add(b, ": ", 2);
                (void) arg_print(b, a, ARG_STYLE_TRACEE);
                some = true;
        }
        return buffer_add_char(b, '\n');
}

static int format_table(Buffer *b, const Event *e, EventFormatFlags flags) {
        bool containers = flags & EVENT_FORMAT_CONTAINERS;
        size_t start = b->size, n;

        add_time(b, event_time(e, flags), flags & EVENT_FORMAT_RELATIVE_TIME);
        end_column(b, start, 16);
        if (containers)
                column_container(b, e);
        column_u64(b, e->header->uid, 6);
        column_comm(b, e);
        column_pid(b, e->header->pid, e->header->host_pid, containers);
        column_pid(b, e->header->tid, e->header->host_tid, containers);
        column_retval(b, e);

        start = b->size;
        n = strlen(e->spec->name);
        (void) buffer_add(b, e->spec->name, n > EVENT_NAME_WIDTH ? EVENT_NAME_CUT : n);
        if (n > EVENT_NAME_WIDTH)
                (void) buffer_add(b, "...", 3);
        end_column(b, start, EVENT_NAME_WIDTH);
        return add_table_args(b, e);
}

static int format_table_verbose(Buffer *b, const Event *e, EventFormatFlags flags) {
        bool containers = flags & EVENT_FORMAT_CONTAINERS;
        const struct sct_record *h = e->header;
        size_t start = b->size;

        add_time(b, event_time(e, flags), flags & EVENT_FORMAT_RELATIVE_TIME);
        end_column(b, start, 16);
        (void) buffer_add_hex(b, e->scopes, 16);
        (void) buffer_add(b, "  ", 2);
        column_text(b, h->uts_name, strnlen(h->uts_name, UTS_NAME_SHORT), 16);
        column_container(b, e);
        column_u64(b, h->mnt_ns, 12);
        column_u64(b, h->pid_ns, 12);
        column_u64(b, h->uid, 6);
        column_comm(b, e);
        column_pid(b, h->pid, h->host_pid, containers);
        column_pid(b, h->tid, h->host_tid, containers);
        column_pid(b, h->ppid, h->host_ppid, containers);
        column_retval(b, e);
        start = b->size;
        (void) buffer_add_string(b, e->spec->name);
        end_column(b, start, 20);
        return add_table_args(b, e);
}

/* --- JSON --- */

#define LITERAL(b, s) (void) buffer_add((b), (s), sizeof(s) - 1)

static inline void member_u64(Buffer *b, const char *key, size_t key_size, uint64_t v) {
        (void) buffer_add(b, key, key_size);
        (void) buffer_add_u64(b, v);
}

static inline void member_text(Buffer *b, const char *key, size_t key_size, const char *s, size_t size) {
        (void) buffer_add(b, key, key_size);
        (void) buffer_add_json_string(b, s, size);
}

#define MEMBER_U64(b, key, v) member_u64((b), key, sizeof(key) - 1, (v))
#define MEMBER_TEXT(b, key, s, size) member_text((b), key, sizeof(key) - 1, (s), (size))

/* Names of the catalogue need no escaping; what a policy calls its arguments may. */
static void json_name(Buffer *b, const Event *e, const char *name) {
        size_t n = strlen(name);

        if (e->spec->family == EVENT_FAMILY_HOOK) {
                (void) buffer_add_json_string(b, name, n);
                return;
        }
        (void) buffer_add_char(b, '"');
        (void) buffer_add(b, name, n);
        (void) buffer_add_char(b, '"');
}

static void json_args(Buffer *b, const Event *e, ArgStyle style) {
        bool some = false;

        LITERAL(b, ",\"args\":[");
        for (size_t i = 0; i < e->n_args; i++) {
                const EventArg *a = e->args + i;

                if (a->flags & SCT_ARG_FAULT)
                        continue;
                if (some)
                        (void) buffer_add_char(b, ',');
                some = true;
                LITERAL(b, "{\"name\":");
                json_name(b, e, a->spec->name);
                LITERAL(b, ",\"type\":");
                json_name(b, e, arg_is_decoded(a, style) ? "string" : a->spec->ctype);
                LITERAL(b, ",\"value\":");
                (void) arg_print_json(b, a, style);
                (void) buffer_add_char(b, '}');
        }
        (void) buffer_add_char(b, ']');
}

static void json_texts(Buffer *b, const char *const *texts, size_t n) {
        (void) buffer_add_char(b, '[');
        for (size_t i = 0; i < n; i++) {
                if (i > 0)
                        (void) buffer_add_char(b, ',');
                (void) buffer_add_json_string(b, texts[i], strlen(texts[i]));
        }
        (void) buffer_add_char(b, ']');
}

/* A frame a line → a frame an element. */
static void json_stack(Buffer *b, const EventStack *stack) {
        const char *end = stack->text + stack->size;

        (void) buffer_add_char(b, '[');
        for (const char *p = stack->text, *next; p < end; p = next + 1) {
                next = memchr(p, '\n', (size_t) (end - p)) ?: end;
                if (p > stack->text)
                        (void) buffer_add_char(b, ',');
                (void) buffer_add_json_string(b, p, (size_t) (next - p));
        }
        (void) buffer_add_char(b, ']');
}

/* What Tracee does not have; its readers skip unknown members. */
static void json_own_members(Buffer *b, const Event *e) {
        if (e->exe)
                MEMBER_TEXT(b, ",\"executable\":", e->exe, e->exe_size);
        if (e->unit || e->user_unit) {
                const char *unit = e->user_unit ?: e->unit;

                MEMBER_TEXT(b, ",\"unit\":", unit, strlen(unit));
        }
        if (e->n_policies > 0) {
                LITERAL(b, ",\"matchedPolicies\":");
                json_texts(b, e->policies, e->n_policies);
        }
        if (e->n_actions > 0) {
                LITERAL(b, ",\"actions\":");
                json_texts(b, e->actions, e->n_actions);
        }
        if (e->kernel_stack.text) {
                LITERAL(b, ",\"kernelStackTrace\":");
                json_stack(b, &e->kernel_stack);
        }
        if (e->user_stack.text) {
                LITERAL(b, ",\"userStackTrace\":");
                json_stack(b, &e->user_stack);
        }
        if (e->spec->message)
                MEMBER_TEXT(b, ",\"message\":", e->spec->message, strlen(e->spec->message));
        if (e->spec->tags && e->spec->tags[0]) {
                LITERAL(b, ",\"tags\":[");
                for (char *const *tag = e->spec->tags; *tag; tag++) {
                        if (tag != e->spec->tags)
                                (void) buffer_add_char(b, ',');
                        (void) buffer_add_json_string(b, *tag, strlen(*tag));
                }
                (void) buffer_add_char(b, ']');
        }
        if (e->seq > 0)
                MEMBER_U64(b, ",\"sequence\":", e->seq);
}

static void json_subject(Buffer *b, const Event *e) {
        const struct sct_record *h = e->header;

        MEMBER_U64(b, ",\"processId\":", h->pid);
        MEMBER_U64(b, ",\"cgroupId\":", h->cgroup_id);
        MEMBER_U64(b, ",\"threadId\":", h->tid);
        MEMBER_U64(b, ",\"parentProcessId\":", h->ppid);
        MEMBER_U64(b, ",\"hostProcessId\":", h->host_pid);
        MEMBER_U64(b, ",\"hostThreadId\":", h->host_tid);
        MEMBER_U64(b, ",\"hostParentProcessId\":", h->host_ppid);
        MEMBER_U64(b, ",\"userId\":", h->uid);
        MEMBER_U64(b, ",\"mountNamespace\":", h->mnt_ns);
        MEMBER_U64(b, ",\"pidNamespace\":", h->pid_ns);
        MEMBER_TEXT(b, ",\"processName\":", h->comm, strnlen(h->comm, sizeof(h->comm)));
        MEMBER_TEXT(b, ",\"hostName\":", h->uts_name, strnlen(h->uts_name, sizeof(h->uts_name)));
        MEMBER_TEXT(b, ",\"containerId\":", e->container_id, strlen(e->container_id));
        LITERAL(b, ",\"containerImage\":\"\",\"containerName\":\"\",\"podName\":\"\",\"podNamespace\":\"\","
                   "\"podUID\":\"\",\"podSandbox\":false");
}

/* A task's events differ little from each other: what says who it was is kept as text, and copied while all that it was
 * made from is the same, byte for byte. One for each of the last tasks. */
typedef struct SubjectKey {
        uint64_t cgroup_id;
        uint32_t ids[10];
        char comm[SCT_COMM_LEN];
        char uts_name[SCT_UTS_LEN];
        char container_id[SUBJECT_CONTAINER_MAX];
} SubjectKey;

typedef struct SubjectText {
        SubjectKey key;
        uint32_t size;                  /* 0: not in use */
        char text[SUBJECT_TEXT_MAX];
} SubjectText;

static bool subject_key_fill(SubjectKey *k, const Event *e) {
        const struct sct_record *h = e->header;
        size_t n = strlen(e->container_id);

        if (n > sizeof(k->container_id))
                return false;
        *k = (SubjectKey) {
                .cgroup_id = h->cgroup_id,
                .ids = { h->pid, h->tid, h->ppid, h->host_pid, h->host_tid, h->host_ppid, h->uid, h->mnt_ns, h->pid_ns },
        };
        memcpy(k->comm, h->comm, sizeof(k->comm));
        memcpy(k->uts_name, h->uts_name, sizeof(k->uts_name));
        memcpy(k->container_id, e->container_id, n);
        return true;
}

static void json_known_subject(Buffer *b, const Event *e) {
        static _Thread_local SubjectText known[SUBJECT_TEXTS];
        SubjectText *t = &known[(e->header->host_tid * 0x9e3779b1U) >> (32 - SUBJECT_TEXTS_BITS)];
        size_t start = b->size;
        SubjectKey key;

        if (!subject_key_fill(&key, e))
                return json_subject(b, e);
        if (t->size > 0 && memcmp(&t->key, &key, sizeof(key)) == 0) {
                (void) buffer_add(b, t->text, t->size);
                return;
        }
        json_subject(b, e);
        t->size = 0;
        if (!b->failed && b->size - start <= sizeof(t->text)) {
                t->key = key;
                memcpy(t->text, b->data + start, b->size - start);
                t->size = (uint32_t) (b->size - start);
        }
}

static int format_json(Buffer *b, const Event *e, EventFormatFlags flags) {
        ArgStyle style = flags & EVENT_FORMAT_PARSE_ARGUMENTS ? ARG_STYLE_TRACEE : ARG_STYLE_RAW;
        const EventSpec *syscall = NULL;
        const struct sct_record *h = e->header;
        size_t n_args = 0;

        for (size_t i = 0; i < e->n_args; i++)
                n_args += !(e->args[i].flags & SCT_ARG_FAULT);
        if (h->syscall >= 0 && h->syscall <= UINT16_MAX)
                syscall = event_spec_by_id((uint16_t) h->syscall);

        MEMBER_U64(b, "{\"timestamp\":", event_time(e, flags));
        MEMBER_U64(b, ",\"threadStartTime\":", h->start_ns);
        MEMBER_U64(b, ",\"processorId\":", h->cpu);
        json_known_subject(b, e);
        LITERAL(b, ",\"eventId\":\"");
        (void) buffer_add_u64(b, h->event);
        LITERAL(b, "\",\"eventName\":");
        json_name(b, e, e->spec->name);
        MEMBER_U64(b, ",\"matchedScopes\":", e->scopes);
        MEMBER_U64(b, ",\"argsNum\":", n_args);
        LITERAL(b, ",\"returnValue\":");
        (void) buffer_add_s64(b, h->retval);
        LITERAL(b, ",\"syscall\":\"");
        if (syscall)
                (void) buffer_add_string(b, syscall->name);
        LITERAL(b, "\",\"stackAddresses\":null,\"contextFlags\":{\"containerStarted\":");
        (void) buffer_add_string(b, *e->container_id ? "true" : "false");
        LITERAL(b, ",\"isCompat\":");
        (void) buffer_add_string(b, h->flags & SCT_RECORD_COMPAT ? "true" : "false");
        LITERAL(b, "}");
        json_args(b, e, style);
        json_own_members(b, e);
        return buffer_add(b, "}\n", 2);
}

/* --- for people --- */

static int add_args(Buffer *b, const Event *e, ArgStyle style, size_t max) {
        for (size_t i = 0; i < e->n_args; i++) {
                size_t start;

                if (i > 0)
                        (void) buffer_add(b, ", ", 2);
                (void) buffer_add_string(b, e->args[i].spec->name);
                (void) buffer_add(b, ": ", 2);
                start = b->size;
                (void) arg_print(b, e->args + i, style);
                if (max > 0 && b->size - start > max) {
                        b->size = start + max;
                        /* Not in the middle of a character. */
                        while (b->size > start && ((uint8_t) b->data[b->size] & 0xc0) == 0x80)
                                b->size--;
                        (void) buffer_add(b, "...", 3);
                }
        }
        return b->failed ? -ENOMEM : 0;
}

int event_format_args(Buffer *b, const Event *e, bool decoded) {
        assert(b);
        assert(e);

        return add_args(b, e, decoded ? ARG_STYLE_PEOPLE : ARG_STYLE_RAW, 0);
}

/* `3`, `-2 (ENOENT)`, `0x7f01d3e62000` */
static void add_retval(Buffer *b, const Event *e) {
        int64_t v = e->header->retval;

        if (v > UINT32_MAX) {
                (void) buffer_add(b, "0x", 2);
                (void) buffer_add_hex(b, (uint64_t) v, 1);
                return;
        }
        (void) buffer_add_s64(b, v);
        if (e->spec->family == EVENT_FAMILY_SYSCALL && v < 0 && v >= -ERRNO_MAX) {
                (void) buffer_add(b, " (", 2);
                (void) printer_print(b, PRINTER_ERRNO, (uint64_t) v, ARG_STYLE_PEOPLE);
                (void) buffer_add_char(b, ')');
        }
}

int event_format_message(Buffer *b, const Event *e) {
        assert(b);
        assert(e);

        add_comm(b, e);
        (void) buffer_add_char(b, '[');
        (void) buffer_add_u64(b, e->header->host_pid);
        (void) buffer_add(b, "] ", 2);
        (void) buffer_add_string(b, e->spec->name);
        (void) buffer_add_char(b, '(');
        (void) add_args(b, e, ARG_STYLE_PEOPLE, MESSAGE_ARG_MAX);
        (void) buffer_add_char(b, ')');
        if ((e->header->flags & SCT_RECORD_HAS_RETVAL) && !e->spec->no_return) {
                (void) buffer_add(b, " = ", 3);
                add_retval(b, e);
        }
        return b->failed ? -ENOMEM : 0;
}

int event_format(Buffer *b, const Event *e, EventFormat f, EventFormatFlags flags) {
        assert(b);
        assert(e);

        switch (f) {
        case EVENT_FORMAT_TABLE:
                return format_table(b, e, flags);
        case EVENT_FORMAT_TABLE_VERBOSE:
                return format_table_verbose(b, e, flags);
        case EVENT_FORMAT_JSON:
                return format_json(b, e, flags);
        case EVENT_FORMAT_EXPORT:
                return event_format_export(b, e);
        default:
                return -EINVAL;
        }
}
