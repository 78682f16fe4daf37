/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Filters on the process: one entry of matchPIDs, matchBinaries, matchNamespaces, matchCapabilities and the two ...Changes
 * each becomes conditions on the subject.
 *
 * Entries of one filter are ANDed, values of one entry are alternatives (In) or all excluded (NotIn). What follows
 * forks: a host pid as a process tree; a pid of the own namespace through SCT_FIELD_NS_TREE; a binary through
 * SCT_FIELD_EXE_TREE, which holds the binaries of a process and of its ancestors. */

#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>

#include "../basic/macro.h"
#include "../basic/string-util.h"
#include "../event/arg-type.h"
#include "tracing-internal.h"

/* One entry of any of the filters below. */
typedef struct Entry {
        TracingSelector *selector;
        const YamlNode *values, *operator_at;
        bool negative;
        bool follow, follow_given;
        bool own_namespace;             /* isNamespacePID, isNamespaceCapability */
        PatternKind pattern;
        uint16_t binary_field, binary_tree_field;
        const struct NamespaceRow *namespace;
        const struct CapabilityRow *capability;
        uint64_t bits;
        ConditionBuilder builder, second;
} Entry;

static void entry_done(Entry *e) {
        condition_builder_done(&e->builder);
        condition_builder_done(&e->second);
}

static int entry_operator(YamlReader *r, const YamlNode *n, void *target) {
        Entry *e = target;
        int q;

        q = tracing_get_in(r, n, &e->negative);
        e->operator_at = n;
        return q < 0 ? q : 0;
}

static int entry_values(YamlReader *r, const YamlNode *n, void *target) {
        Entry *e = target;

        e->values = n;
        return 0;
}

static int entry_follow(YamlReader *r, const YamlNode *n, void *target) {
        Entry *e = target;

        e->follow_given = true;
        return tracing_get_flag(r, n, &e->follow);
}

static int entry_own_namespace(YamlReader *r, const YamlNode *n, void *target) {
        Entry *e = target;

        return tracing_get_flag(r, n, &e->own_namespace);
}

static int entry_read_values(YamlReader *r, Entry *e, TracingAddValue add) {
        size_t mark = yaml_key_push(r, "values");
        int q;

        q = tracing_each_value(r, e->values, add, e);
        yaml_key_pop(r, mark);
        return q;
}

/* Reads the mapping, then its values: the keys may stand in any order. Returns 1 when both were good. */
static int entry_read(YamlReader *r, const YamlNode *n, const YamlField *fields, size_t n_fields, Entry *e,
                      TracingAddValue add) {
        unsigned errors = r->n_errors;
        int q;

        q = yaml_read_mapping(r, n, fields, n_fields, e);
        if (q >= 0 && r->n_errors == errors)
                q = entry_read_values(r, e, add);
        return q < 0 ? q : r->n_errors == errors;
}

/* ---- matchPIDs ---- */

static int add_pid(YamlReader *r, const YamlNode *v, void *userdata) {
        Entry *e = userdata;
        FilterOperator op = e->negative ? FILTER_OP_NE : FILTER_OP_EQ;
        ConditionBuilder *b = &e->builder;
        uint64_t pid;
        int q;

        if (tracing_get_integer(v->text, v->size, 32, false, false, &pid) < 0 || pid > INT32_MAX)
                return yaml_error(r, v, "%s is no process number; write a number from 0 to %d.", QUOTE(v->text),
                                  INT32_MAX);

        /* Everything descends from process 1: "none of its descendants" would be nothing at all. */
        if (e->follow && !e->own_namespace && e->negative && pid <= 1) {
                b = &e->second;
                if (pid == 1) {
                        q = yaml_warning(r, v, "Every process descends from process 1, so only process 1 itself is "
                                         "left out; to leave out a container's processes, add `isNamespacePID: true`.");
                        if (q < 0)
                                return q;
                }
        }
        q = condition_builder_add_number(b, op, pid, 0, UINT64_MAX);
        return q < 0 ? q : 0;
}

int tracing_read_pids(YamlReader *r, const YamlNode *n, void *target) {
        static const YamlField fields[] = {
                { "operator", true, entry_operator },
                { "values", true, entry_values },
                { "followForks", false, entry_follow },
                { "followforks", false, entry_follow },
                { "isNamespacePID", false, entry_own_namespace },
                { "isNamespacePid", false, entry_own_namespace },
        };
        _cleanup_(entry_done) Entry e = { .selector = target };
        int q;

        q = entry_read(r, n, fields, ELEMENTSOF(fields), &e, add_pid);
        if (q <= 0)
                return q;
        if (e.second.condition.n_ne > 0) {
                q = tracing_add_subject(r, e.operator_at, target, SCT_FIELD_HOST_PID, CONDITION_NUMBER, &e.second);
                if (q < 0)
                        return q;
        }
        if (e.builder.condition.n_eq + e.builder.condition.n_ne == 0)
                return 0;
        if (e.own_namespace)
                return tracing_add_subject(r, e.operator_at, target, e.follow ? SCT_FIELD_NS_TREE : SCT_FIELD_PID,
                                           CONDITION_NUMBER, &e.builder);
        return tracing_add_subject(r, e.operator_at, target, e.follow ? SCT_FIELD_TREE : SCT_FIELD_HOST_PID,
                                   e.follow ? CONDITION_TREE : CONDITION_NUMBER, &e.builder);
}

/* ---- matchBinaries, matchParentBinaries ---- */

static int binary_operator(YamlReader *r, const YamlNode *n, void *target) {
        static const struct {
                const char *name;
                PatternKind kind;
                bool negative;
        } rows[] = {
                { "In", PATTERN_EQUAL, false }, { "NotIn", PATTERN_EQUAL, true },
                { "Prefix", PATTERN_PREFIX, false }, { "NotPrefix", PATTERN_PREFIX, true },
                { "Postfix", PATTERN_SUFFIX, false }, { "NotPostfix", PATTERN_SUFFIX, true },
        };
        Entry *e = target;
        const char *text;
        Suggest s;
        int q;

        q = yaml_get_string(r, n, 0, &text);
        if (q <= 0)
                return q;
        e->operator_at = n;
        suggest_begin(&s, text);
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                suggest_try(&s, rows[i].name);
                if (streq(rows[i].name, text)) {
                        e->pattern = rows[i].kind;
                        e->negative = rows[i].negative;
                        return 0;
                }
        }
        return yaml_error(r, n, "%s is no operator here%s", QUOTE(text), s.best[0] ? SUGGESTION(&s) :
                          "; write In, NotIn, Prefix, NotPrefix, Postfix or NotPostfix.");
}

static int add_binary_pattern(Entry *e, const char *text) {
        Pattern p = { .kind = e->pattern, .negative = e->negative, .text = strdup(text), .size = strlen(text) };
        int q;

        if (!p.text)
                return -ENOMEM;
        q = condition_builder_add_pattern(&e->builder, &p);
        return q < 0 ? q : 0;
}

static int add_binary(YamlReader *r, const YamlNode *v, void *userdata) {
        _cleanup_free_ char *other = NULL;
        Entry *e = userdata;
        size_t max = e->pattern == PATTERN_EQUAL ? SCT_EXE_MAX - 1 : SCT_AFFIX_MAX;
        int q;

        if (v->size > max)
                return yaml_error(r, v, "The path has %zu bytes, more than the %zu that are kept of one; write its end "
                                  "with the operator Postfix.", v->size, max);
        q = add_binary_pattern(e, v->text);
        if (q < 0 || e->pattern == PATTERN_SUFFIX)
                return q;
        if (v->text[0] != '/')
                return yaml_warning(r, v, "Paths of binaries are compared whole and begin with /, so %s matches none; "
                                    "write the whole path, or the operator Postfix.", QUOTE(v->text));

        /* A process's binary is the file, not the symbolic link that it was started by. */
        q = tracing_resolve_path(v->text, /* last= */ e->pattern == PATTERN_EQUAL, &other);
        return q < 0 || !other ? q : add_binary_pattern(e, other);
}

static int read_binary_entry(YamlReader *r, const YamlNode *n, TracingSelector *s, uint16_t field,
                             uint16_t tree_field) {
        static const YamlField fields[] = {
                { "operator", true, binary_operator },
                { "values", true, entry_values },
                { "followChildren", false, entry_follow },
                { "followForks", false, entry_follow },
                { "followforks", false, entry_follow },
        };
        _cleanup_(entry_done) Entry e = { .selector = s };
        int q;

        q = entry_read(r, n, fields, ELEMENTSOF(fields), &e, add_binary);
        if (q <= 0)
                return q;
        /* "The default behaviour is followForks: true" */
        if (!e.follow_given)
                e.follow = e.pattern == PATTERN_EQUAL && !e.negative && tree_field != 0;
        if (e.follow && tree_field == 0)
                return yaml_error(r, n, "A parent's binary is not followed further; write matchBinaries with "
                                  "`followChildren: true`.");
        return tracing_add_subject(r, e.operator_at, s, e.follow ? tree_field : field, CONDITION_STRING, &e.builder);
}

int tracing_read_binary(YamlReader *r, const YamlNode *n, void *target) {
        return read_binary_entry(r, n, target, SCT_FIELD_EXE, SCT_FIELD_EXE_TREE);
}

int tracing_read_parent_binary(YamlReader *r, const YamlNode *n, void *target) {
        return read_binary_entry(r, n, target, SCT_FIELD_PARENT_EXE, 0);
}

/* ---- Namespaces ---- */

typedef struct NamespaceRow {
        const char *name, *file;        /* below /proc/1/ns */
        uint16_t field;
        uint8_t ns;                     /* enum sct_ns */
        uint32_t initial;               /* inode number of the initial one, from linux/proc_ns.h; 0: not fixed */
} NamespaceRow;

static const NamespaceRow namespaces[] = {
        { "Uts", "uts", SCT_FIELD_UTS_NS, SCT_NS_UTS, 0xeffffffeU },
        { "Ipc", "ipc", SCT_FIELD_IPC_NS, SCT_NS_IPC, 0xefffffffU },
        { "Mnt", "mnt", SCT_FIELD_MNT_NS, SCT_NS_MNT, 0 },
        { "Pid", "pid", SCT_FIELD_PID_NS, SCT_NS_PID, 0xeffffffcU },
        { "PidForChildren", "pid_for_children", SCT_FIELD_PID_NS_FOR_CHILDREN, SCT_NS_PID_FOR_CHILDREN, 0xeffffffcU },
        { "Net", "net", SCT_FIELD_NET_NS, SCT_NS_NET, 0 },
        { "Time", "time", SCT_FIELD_TIME_NS, SCT_NS_TIME, 0xeffffffaU },
        { "TimeForChildren", "time_for_children", SCT_FIELD_TIME_NS_FOR_CHILDREN, SCT_NS_TIME_FOR_CHILDREN,
          0xeffffffaU },
        { "Cgroup", "cgroup", SCT_FIELD_CGROUP_NS, SCT_NS_CGROUP, 0xeffffffbU },
        { "User", "user", SCT_FIELD_USER_NS, SCT_NS_USER, 0xeffffffdU },
};
assert_cc(ELEMENTSOF(namespaces) == _SCT_NS_MAX);

static const NamespaceRow *find_namespace(YamlReader *r, const YamlNode *n, const char *text, int *ret) {
        Suggest s;

        *ret = 0;
        suggest_begin(&s, text);
        for (size_t i = 0; i < ELEMENTSOF(namespaces); i++) {
                suggest_try(&s, namespaces[i].name);
                if (streq(namespaces[i].name, text))
                        return namespaces + i;
        }
        *ret = yaml_error(r, n, "%s is no namespace%s", QUOTE(text), s.best[0] ? SUGGESTION(&s) :
                          "; write Uts, Ipc, Mnt, Pid, PidForChildren, Net, Time, TimeForChildren, Cgroup or User.");
        return NULL;
}

/* The host's, which is process 1's. 1, or 0 after a problem. Where process 1 may not be looked at, the number that the
 * kernel gives the initial namespace, and for those that have none our own. */
static int host_namespace(YamlReader *r, const YamlNode *n, const NamespaceRow *row, uint64_t *ret) {
        char path[64];
        struct stat st;
        int q, error;

        (void) snprintf(path, sizeof(path), "/proc/1/ns/%s", row->file);
        if (stat(path, &st) >= 0) {
                *ret = st.st_ino;
                return 1;
        }
        error = errno;
        if (error != ENOENT && row->initial > 0) {
                *ret = row->initial;
                return 1;
        }
        (void) snprintf(path, sizeof(path), "/proc/self/ns/%s", row->file);
        if (error != ENOENT && stat(path, &st) >= 0) {
                *ret = st.st_ino;
                q = yaml_warning(r, n, "/proc/1/ns/%s, which host_ns means, cannot be read here (%s); %s is taken in "
                                 "its place. Write the namespace's inode number to be sure.", row->file,
                                 strerror(error), path);
                return q < 0 ? q : 1;
        }
        q = yaml_error(r, n, "/proc/1/ns/%s, which host_ns means, cannot be read (%s); write the namespace's inode "
                       "number instead.", row->file, strerror(error));
        return q < 0 ? q : 0;
}

static int entry_namespace(YamlReader *r, const YamlNode *n, void *target) {
        Entry *e = target;
        const char *text;
        int q;

        q = yaml_get_string(r, n, 0, &text);
        if (q <= 0)
                return q;
        e->namespace = find_namespace(r, n, text, &q);
        return q;
}

static int add_namespace(YamlReader *r, const YamlNode *v, void *userdata) {
        Entry *e = userdata;
        uint64_t inode;
        int q;

        if (streq(v->text, "host_ns"))
                q = host_namespace(r, v, e->namespace, &inode);
        else if (tracing_get_integer(v->text, v->size, 32, false, false, &inode) < 0)
                return yaml_error(r, v, "%s is no namespace; write its inode number as lsns shows it, or host_ns.",
                                  QUOTE(v->text));
        else
                q = 1;
        if (q <= 0)
                return q;
        q = condition_builder_add_number(&e->builder, e->negative ? FILTER_OP_NE : FILTER_OP_EQ, inode, 0, UINT64_MAX);
        return q < 0 ? q : 0;
}

int tracing_read_namespace(YamlReader *r, const YamlNode *n, void *target) {
        static const YamlField fields[] = {
                { "namespace", true, entry_namespace },
                { "operator", true, entry_operator },
                { "values", true, entry_values },
        };
        _cleanup_(entry_done) Entry e = { .selector = target };
        int q;

        q = entry_read(r, n, fields, ELEMENTSOF(fields), &e, add_namespace);
        if (q <= 0)
                return q;
        return tracing_add_subject(r, e.operator_at, target, e.namespace->field, CONDITION_NUMBER, &e.builder);
}

static int add_changed_namespace(YamlReader *r, const YamlNode *v, void *userdata) {
        Entry *e = userdata;
        const NamespaceRow *row;
        int q;

        row = find_namespace(r, v, v->text, &q);
        if (row)
                e->bits |= UINT64_C(1) << row->ns;
        return q;
}

/* In: one of these is another one than at exec. NotIn: one that is not listed is. */
int tracing_read_namespace_change(YamlReader *r, const YamlNode *n, void *target) {
        static const YamlField fields[] = {
                { "operator", true, entry_operator },
                { "values", true, entry_values },
        };
        const uint64_t all = (UINT64_C(1) << _SCT_NS_MAX) - 1;
        _cleanup_(entry_done) Entry e = { .selector = target };
        int q;

        q = entry_read(r, n, fields, ELEMENTSOF(fields), &e, add_changed_namespace);
        if (q <= 0)
                return q;
        if (e.negative && e.bits == all)
                return yaml_error(r, e.operator_at, "NotIn with every namespace leaves none that could change; list "
                                  "fewer.");
        q = condition_builder_add_any_bit(&e.builder, false, e.negative ? all & ~e.bits : e.bits);
        if (q < 0)
                return q;
        return tracing_add_subject(r, e.operator_at, target, SCT_FIELD_NS_CHANGED, CONDITION_MASK, &e.builder);
}

/* ---- Capabilities ---- */

typedef struct CapabilityRow {
        const char *name;
        uint16_t field, changed_field;
} CapabilityRow;

static const CapabilityRow capabilities[] = {
        { "Effective", SCT_FIELD_CAPS_EFFECTIVE, SCT_FIELD_CAPS_EFFECTIVE_CHANGED },
        { "Permitted", SCT_FIELD_CAPS_PERMITTED, SCT_FIELD_CAPS_PERMITTED_CHANGED },
        { "Inheritable", SCT_FIELD_CAPS_INHERITABLE, SCT_FIELD_CAPS_INHERITABLE_CHANGED },
};

static int entry_capability_type(YamlReader *r, const YamlNode *n, void *target) {
        Entry *e = target;
        const char *text;
        Suggest s;
        int q;

        q = yaml_get_string(r, n, 0, &text);
        if (q <= 0)
                return q;
        suggest_begin(&s, text);
        for (size_t i = 0; i < ELEMENTSOF(capabilities); i++) {
                suggest_try(&s, capabilities[i].name);
                if (streq(capabilities[i].name, text)) {
                        e->capability = capabilities + i;
                        return 0;
                }
        }
        return yaml_error(r, n, "%s is no set of capabilities%s", QUOTE(text), s.best[0] ? SUGGESTION(&s) :
                          "; write Effective, Permitted or Inheritable.");
}

static int add_capability(YamlReader *r, const YamlNode *v, void *userdata) {
        Entry *e = userdata;
        char word[SUGGEST_WORD_MAX + 1] = "";
        uint64_t bits;
        Suggest s;

        if (tracing_is_integer(v->text))
                return yaml_error(r, v, "%s is a number; write the capability's name, for example CAP_SYS_ADMIN.",
                                  QUOTE(v->text));
        if (tracing_get_capabilities(v->text, &bits, word) < 0) {
                suggest_begin(&s, word);
                for (size_t i = 0; printer_name(PRINTER_CAPABILITY, i); i++)
                        suggest_try(&s, printer_name(PRINTER_CAPABILITY, i));
                return yaml_error(r, v, "%s is no capability%s", QUOTE(v->text), s.best[0] ? SUGGESTION(&s) :
                                  "; write a name of capabilities(7), for example CAP_SYS_ADMIN.");
        }
        e->bits |= bits;
        return 0;
}

/* isNamespaceCapability: only processes in another user namespace than the host's. */
static int add_other_user_namespace(YamlReader *r, Entry *e) {
        const NamespaceRow *user = namespaces + SCT_NS_USER;
        uint64_t inode;
        int q;

        q = host_namespace(r, e->operator_at, user, &inode);
        if (q <= 0)
                return q;
        q = condition_builder_add_number(&e->second, FILTER_OP_NE, inode, 0, UINT64_MAX);
        if (q < 0)
                return q;
        return tracing_add_subject(r, e->operator_at, e->selector, user->field, CONDITION_NUMBER, &e->second);
}

static int read_capability_entry(YamlReader *r, const YamlNode *n, TracingSelector *s, bool change) {
        static const YamlField fields[] = {
                { "type", false, entry_capability_type },
                { "operator", true, entry_operator },
                { "values", true, entry_values },
                { "isNamespaceCapability", false, entry_own_namespace },
        };
        _cleanup_(entry_done) Entry e = { .selector = s, .capability = capabilities };
        uint16_t field;
        int q;

        q = entry_read(r, n, fields, ELEMENTSOF(fields), &e, add_capability);
        if (q <= 0)
                return q;
        if (e.own_namespace) {
                q = add_other_user_namespace(r, &e);
                if (q < 0)
                        return q;
        }
        field = change ? e.capability->changed_field : e.capability->field;
        q = condition_builder_add_any_bit(&e.builder, e.negative, e.bits);
        if (q >= 0)
                q = tracing_add_subject(r, e.operator_at, s, field, CONDITION_MASK, &e.builder);
        if (q < 0 || !change || !e.negative)
                return q;

        /* NotIn: others changed, and none of these did. */
        q = condition_builder_add_any_bit(&e.builder, false, ~e.bits);
        if (q < 0)
                return q;
        return tracing_add_subject(r, e.operator_at, s, field, CONDITION_MASK, &e.builder);
}

int tracing_read_capability(YamlReader *r, const YamlNode *n, void *target) {
        return read_capability_entry(r, n, target, false);
}

int tracing_read_capability_change(YamlReader *r, const YamlNode *n, void *target) {
        return read_capability_entry(r, n, target, true);
}
