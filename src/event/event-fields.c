/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One Event as journal fields, in a list that is reused from event to event, and as an entry of the journal export
 * format. Values are bytes: nothing is escaped here but MESSAGE and TRACE_ARGS, which are lines for people. Field
 * names come from the catalogue or from a policy's hook, never from a traced process. Sends nothing. */

#include "../basic/journal-native.h"
#include "../basic/macro.h"
#include "arg-type.h"
#include "event-format.h"

#define FIELD_NAME_MAX 64       /* journald refuses longer names */
#define ARG_PREFIX "TRACE_ARG_"

static const char *const family_message_id[_EVENT_FAMILY_MAX];

void field_list_reset(FieldList *l) {
        buffer_reset(&l->data);
        l->n = 0;
}

void field_list_done(FieldList *l) {
        buffer_done(&l->data);
        free(l->offsets);
        *l = (FieldList) {};
}

/* An item begins with `name=`; the value is whatever is added to l->data until field_end(). Inline, as what is made of
 * it: the length of a name that is a literal then is a constant. */
static inline __attribute__((always_inline)) int field_begin(FieldList *l, const char *name) {
        if (!GREEDY_REALLOC(l->offsets, l->n_allocated, l->n + 2)) {
                l->data.failed = true;
                return -ENOMEM;
        }
        l->offsets[l->n] = (uint32_t) l->data.size;
        (void) buffer_add_string(&l->data, name);
        return buffer_add_char(&l->data, '=');
}

static inline int field_end(FieldList *l) {
        if (l->data.failed)
                return -ENOMEM;
        l->n++;
        l->offsets[l->n] = (uint32_t) l->data.size;
        return 0;
}

static inline __attribute__((always_inline)) int add_bytes(FieldList *l, const char *name, const void *value,
                                                           size_t size) {
        int r;

        r = field_begin(l, name);
        if (r < 0)
                return r;
        (void) buffer_add(&l->data, value, size);
        return field_end(l);
}

static inline __attribute__((always_inline)) int add_string(FieldList *l, const char *name, const char *value) {
        return add_bytes(l, name, value, strlen(value));
}

static inline __attribute__((always_inline)) int add_u64(FieldList *l, const char *name, uint64_t value) {
        int r;

        r = field_begin(l, name);
        if (r < 0)
                return r;
        (void) buffer_add_u64(&l->data, value);
        return field_end(l);
}

int field_list_add(FieldList *l, const char *name, const void *value, size_t size) {
        return add_bytes(l, name, value, size);
}

int field_list_add_string(FieldList *l, const char *name, const char *value) {
        return add_string(l, name, value);
}

int field_list_add_u64(FieldList *l, const char *name, uint64_t value) {
        return add_u64(l, name, value);
}

int field_list_add_s64(FieldList *l, const char *name, int64_t value) {
        int r;

        r = field_begin(l, name);
        if (r < 0)
                return r;
        (void) buffer_add_s64(&l->data, value);
        return field_end(l);
}

static inline __attribute__((always_inline)) void add_optional(FieldList *l, const char *name, const char *value) {
        if (value && *value)
                (void) add_string(l, name, value);
}

static void add_what(FieldList *l, const Event *e) {
        if (field_begin(l, "MESSAGE") >= 0) {
                (void) event_format_message(&l->data, e);
                (void) field_end(l);
        }
        (void) add_string(l, "MESSAGE_ID", family_message_id[e->spec->family]);
        (void) add_u64(l, "PRIORITY", (unsigned) e->priority);
        (void) add_string(l, "SYSLOG_IDENTIFIER", "scopetrace");
        (void) add_u64(l, "MATCHED_SCOPES", e->scopes);
        for (uint64_t left = e->scopes; left > 0; left &= left - 1)
                (void) add_u64(l, "SCOPE", (unsigned) __builtin_ctzll(left) + 1);
        for (size_t i = 0; i < e->n_policies; i++)
                (void) add_string(l, "POLICY", e->policies[i]);
        (void) add_string(l, "TRACE_EVENT", e->spec->name);
        add_optional(l, "TRACE_HOOK", e->hook);
        add_optional(l, "TRACE_MESSAGE", e->spec->message);
        for (char *const *tag = e->spec->tags; tag && *tag; tag++)
                (void) add_string(l, "TRACE_TAG", *tag);
        (void) add_u64(l, "TRACE_TIME_NS", e->time_ns);
        (void) add_u64(l, "TRACE_SEQ", e->seq);
}

static void add_who(FieldList *l, const Event *e) {
        const struct sct_record *h = e->header;
        const EventSpec *syscall = NULL;

        (void) add_u64(l, "TRACE_PID", h->pid);
        (void) add_u64(l, "TRACE_TID", h->tid);
        (void) add_u64(l, "TRACE_PPID", h->ppid);
        (void) add_u64(l, "TRACE_HOST_PID", h->host_pid);
        (void) add_u64(l, "TRACE_HOST_TID", h->host_tid);
        (void) add_u64(l, "TRACE_HOST_PPID", h->host_ppid);
        (void) add_u64(l, "TRACE_UID", h->uid);
        (void) add_u64(l, "TRACE_GID", h->gid);
        (void) add_bytes(l, "TRACE_COMM", h->comm, strnlen(h->comm, sizeof(h->comm)));
        if (e->exe && e->exe_size > 0)
                (void) add_bytes(l, "TRACE_EXE", e->exe, e->exe_size);
        (void) add_bytes(l, "TRACE_UTS_NAME", h->uts_name, strnlen(h->uts_name, sizeof(h->uts_name)));
        (void) add_u64(l, "TRACE_MNT_NS", h->mnt_ns);
        (void) add_u64(l, "TRACE_PID_NS", h->pid_ns);
        add_optional(l, "TRACE_CGROUP", e->cgroup_path);
        add_optional(l, "TRACE_CONTAINER_ID", e->container_id);
        if (h->syscall >= 0 && h->syscall <= UINT16_MAX)
                syscall = event_spec_by_id((uint16_t) h->syscall);
        if (syscall)
                (void) add_string(l, "TRACE_SYSCALL", syscall->name);
        (void) add_u64(l, "TRACE_START_NS", h->start_ns);

        add_optional(l, "OBJECT_SYSTEMD_UNIT", e->unit);
        add_optional(l, "OBJECT_SYSTEMD_USER_UNIT", e->user_unit);
        add_optional(l, "OBJECT_SYSTEMD_SLICE", e->slice);
        add_optional(l, "OBJECT_SYSTEMD_USER_SLICE", e->user_slice);
        add_optional(l, "OBJECT_SYSTEMD_SESSION", e->session);
}

/* TRACE_ARG_<NAME>: what a field name cannot hold becomes an underscore. */
static void arg_field_name(const char *name, char ret[static FIELD_NAME_MAX + 1]) {
        size_t n = sizeof(ARG_PREFIX) - 1;

        memcpy(ret, ARG_PREFIX, n);
        for (; *name && n < FIELD_NAME_MAX; name++) {
                char c = *name;

                if (c >= 'a' && c <= 'z')
                        c = (char) (c - 'a' + 'A');
                else if (!(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9'))
                        c = '_';
                ret[n++] = c;
        }
        ret[n] = '\0';
}

static void add_args(FieldList *l, const Event *e) {
        if (e->header->flags & SCT_RECORD_HAS_RETVAL)
                (void) field_list_add_s64(l, "TRACE_RETVAL", e->header->retval);
        if (e->n_args > 0 && field_begin(l, "TRACE_ARGS") >= 0) {
                (void) event_format_args(&l->data, e, true);
                (void) field_end(l);
        }
        for (size_t i = 0; i < e->n_args; i++) {
                char name[FIELD_NAME_MAX + 1];

                if (e->args[i].flags & SCT_ARG_FAULT)
                        continue;
                arg_field_name(e->args[i].spec->name, name);
                if (field_begin(l, name) < 0)
                        return;
                (void) arg_print_journal(&l->data, e->args + i);
                (void) field_end(l);
        }
}

int event_format_fields(FieldList *l, const Event *e) {
        assert(l);
        assert(e);

        add_what(l, e);
        add_who(l, e);
        add_args(l, e);
        for (size_t i = 0; i < e->n_actions; i++)
                (void) field_list_add_string(l, "TRACE_ACTION", e->actions[i]);
        if (e->n_actions == 0)
                (void) field_list_add_string(l, "TRACE_ACTION", "post");
        if (e->kernel_stack.text)
                (void) field_list_add(l, "TRACE_KERNEL_STACK", e->kernel_stack.text, e->kernel_stack.size);
        if (e->user_stack.text)
                (void) field_list_add(l, "TRACE_USER_STACK", e->user_stack.text, e->user_stack.size);
        return l->data.failed ? -ENOMEM : (int) l->n;
}

int event_format_export(Buffer *b, const Event *e) {
        static _Thread_local FieldList fields;  /* reused; as large as the largest event, and so it stays */
        int r;

        field_list_reset(&fields);
        r = event_format_fields(&fields, e);
        if (r < 0)
                return r;

        (void) buffer_add_string(b, "__REALTIME_TIMESTAMP=");
        (void) buffer_add_u64(b, e->time_ns / NSEC_PER_USEC);
        (void) buffer_add_char(b, '\n');
        for (size_t i = 0; i < fields.n; i++)
                (void) journal_add_item(b, fields.data.data + fields.offsets[i],
                                        fields.offsets[i + 1] - fields.offsets[i]);
        return buffer_add_char(b, '\n');
}

/* MESSAGE_EVENT_<FAMILY>, in the order of EventFamily. */
#define SCT_MESSAGE_ID(sym, id, doc) static const char message_id_##sym[] _unused_ = id;
#include "message-ids.def"
#undef SCT_MESSAGE_ID

static const char *const family_message_id[_EVENT_FAMILY_MAX] = {
        [EVENT_FAMILY_SYSCALL] = message_id_EVENT_SYSCALL,
        [EVENT_FAMILY_PROCESS] = message_id_EVENT_PROCESS,
        [EVENT_FAMILY_CGROUP] = message_id_EVENT_CGROUP,
        [EVENT_FAMILY_SECURITY] = message_id_EVENT_SECURITY,
        [EVENT_FAMILY_FILE] = message_id_EVENT_FILE,
        [EVENT_FAMILY_MEMORY] = message_id_EVENT_MEMORY,
        [EVENT_FAMILY_MODULE] = message_id_EVENT_MODULE,
        [EVENT_FAMILY_BPF] = message_id_EVENT_BPF,
        [EVENT_FAMILY_NETWORK] = message_id_EVENT_NETWORK,
        [EVENT_FAMILY_CONTAINER] = message_id_EVENT_CONTAINER,
        [EVENT_FAMILY_SIGNATURE] = message_id_EVENT_SIGNATURE,
        [EVENT_FAMILY_CAPTURE] = message_id_EVENT_FILE,         /* none ever becomes a record */
        [EVENT_FAMILY_HOOK] = message_id_EVENT_HOOK,
};
