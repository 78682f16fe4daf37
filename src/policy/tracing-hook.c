/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One hook: an entry of kprobes, tracepoints, uprobes or lsmhooks. A table per section says which keys it has; arguments
 * (tracing-arg.c) and selectors are read when all other keys are known, in whatever order they stand.
 *
 * What only the kernel can say is not asked here: whether the function or the tracepoint exists, and may be hooked. */

#include <inttypes.h>
#include <stdio.h>
#include <sys/mman.h>

#include "../basic/macro.h"
#include "../basic/string-util.h"
#include "../event/arg-type.h"
#include "tracing-internal.h"

#define MESSAGE_MIN 2U
#define MESSAGE_MAX 256U
#define TAGS_MAX 16U
#define TAG_MIN 2U
#define TAG_MAX 128U

/* ---- System calls ---- */

const EventSpec *tracing_find_syscall(const char *name) {
        static const char *const prefixes[] = { "__x64_sys_", "__ia32_compat_sys_", "__ia32_sys_", "__arm64_sys_",
                                                "__se_sys_",
                                                "__do_sys_", "sys_" };
        /* Entry functions whose name is not the system call's. */
        static const struct {
                const char *function, *name;
        } aliases[] = {
                { "newstat", "stat" }, { "newlstat", "lstat" }, { "newfstat", "fstat" }, { "newuname", "uname" },
                { "sendfile64", "sendfile" }, { "umount", "umount2" },
        };
        const EventSpec *spec;
        bool stripped = false;

        for (size_t i = 0; i < ELEMENTSOF(prefixes) && !stripped; i++) {
                const char *rest = startswith(name, prefixes[i]);

                if (rest) {
                        name = rest;
                        stripped = true;
                }
        }
        for (size_t i = 0; i < ELEMENTSOF(aliases); i++)
                if (streq(aliases[i].function, name))
                        name = aliases[i].name;
        spec = event_spec_by_name(name);
        return spec && spec->family == EVENT_FAMILY_SYSCALL ? spec : NULL;
}

const EventSpec *tracing_find_listed_syscall(const char *name, bool *ret_native, bool *ret_compat) {
        const char *x64 = startswith(name, "x64/"), *i386 = startswith(name, "i386/");

        *ret_native = !i386;
        *ret_compat = !x64;
        return tracing_find_syscall(x64 ?: i386 ?: name);
}

static int no_syscall(YamlReader *r, const YamlNode *n, const char *name) {
        const char *bare = startswith(name, "__x64_sys_") ?: startswith(name, "sys_") ?: name;
        Suggest s;

        suggest_begin(&s, bare);
        for (const EventSpec *e = event_spec_next(NULL); e; e = event_spec_next(e))
                if (e->family == EVENT_FAMILY_SYSCALL)
                        suggest_try(&s, e->name);
        if (s.best[0])
                return yaml_error(r, n, "%s is no system call; for a kernel function write `syscall: false`, or did "
                                  "you mean %s?",
                                  QUOTE(name), s.best);
        return yaml_error(r, n, "%s is no system call, which is what a hook is without `syscall: false`; write that "
                          "for a kernel function.", QUOTE(name));
}

/* ---- Keys that several sections have ---- */

/* A name that becomes an event's, a function's or a file's: one word. */
int tracing_get_word(YamlReader *r, const YamlNode *n, size_t max, const char **ret) {
        const char *text;
        int q;

        q = yaml_get_string(r, n, 0, &text);
        if (q <= 0)
                return q;
        for (const char *p = text; *p; p++)
                if ((unsigned char) *p <= ' ' || *p == 0x7f) {
                        q = yaml_error(r, n, "%s holds a space or a control character, but is a name; remove it.",
                                       QUOTE(text));
                        return q < 0 ? q : 0;
                }
        if (strlen(text) > max) {
                q = yaml_error(r, n, "%s has %zu bytes, more than the %zu of a name; write a shorter one.", QUOTE(text),
                               strlen(text), max);
                return q < 0 ? q : 0;
        }
        *ret = text;
        return 1;
}

int tracing_keep_word(YamlReader *r, const YamlNode *n, size_t max, char **ret) {
        const char *text;
        int q;

        q = tracing_get_word(r, n, max, &text);
        return q <= 0 ? q : free_and_strdup(ret, text);
}

static int hook_call(YamlReader *r, const YamlNode *n, void *target) {
        HookDraft *d = target;

        d->call = n;
        return tracing_keep_word(r, n, TRACING_NAME_MAX, &d->hook->call);
}

static int hook_syscall(YamlReader *r, const YamlNode *n, void *target) {
        HookDraft *d = target;

        return tracing_get_flag(r, n, &d->hook->syscall);
}

static int hook_return(YamlReader *r, const YamlNode *n, void *target) {
        HookDraft *d = target;

        return tracing_get_flag(r, n, &d->hook->has_return);
}

static int hook_args(YamlReader *r, const YamlNode *n, void *target) {
        HookDraft *d = target;

        d->args = n;
        return 0;
}

static int hook_data(YamlReader *r, const YamlNode *n, void *target) {
        HookDraft *d = target;

        d->data = n;
        return 0;
}

static int hook_return_arg(YamlReader *r, const YamlNode *n, void *target) {
        HookDraft *d = target;

        d->return_arg = n;
        return 0;
}

static int hook_return_action(YamlReader *r, const YamlNode *n, void *target) {
        HookDraft *d = target;
        const char *text;
        int q;

        q = yaml_get_string(r, n, 0, &text);
        if (q <= 0)
                return q;
        d->hook->return_action = hook_action_from_string(text);
        if (IN_SET(d->hook->return_action, HOOK_ACTION_POST, HOOK_ACTION_TRACK_SOCK, HOOK_ACTION_UNTRACK_SOCK))
                return 0;
        d->hook->return_action = HOOK_ACTION_POST;
        return yaml_error(r, n, "%s cannot be done with a return value; write TrackSock or UntrackSock, or an action "
                          "in matchReturnActions.", QUOTE(text));
}

static int hook_selectors(YamlReader *r, const YamlNode *n, void *target) {
        HookDraft *d = target;

        d->selectors = n;
        return 0;
}

static int hook_message(YamlReader *r, const YamlNode *n, void *target) {
        HookDraft *d = target;
        const char *text;
        size_t size;
        int q;

        q = yaml_get_string(r, n, YAML_STRING_LENIENT, &text);
        if (q <= 0)
                return q;
        size = strlen(text);
        if (size < MESSAGE_MIN)
                return yaml_error(r, n, "A message has at least %u characters; write what happened.", MESSAGE_MIN);
        if (size > MESSAGE_MAX) {
                q = yaml_warning(r, n, "The message has %zu bytes; only the first %u are kept.", size, MESSAGE_MAX);
                if (q < 0)
                        return q;
                for (size = MESSAGE_MAX; size > 0 && ((unsigned char) text[size] & 0xc0) == 0x80;)
                        size--;
        }
        free(d->hook->message);
        d->hook->message = strndup(text, size);
        return d->hook->message ? 0 : -ENOMEM;
}

static int add_tag(YamlReader *r, const YamlNode *n, void *target) {
        HookDraft *d = target;
        const char *text;
        int q;

        q = yaml_get_string(r, n, YAML_STRING_LENIENT, &text);
        if (q <= 0)
                return q;
        if (strlen(text) < TAG_MIN || strlen(text) > TAG_MAX)
                return yaml_error(r, n, "A tag has %u to %u characters; write another one than %s.", TAG_MIN, TAG_MAX,
                                  QUOTE(text));
        if (strv_length(d->hook->tags) >= TAGS_MAX)
                return yaml_error(r, n, "More than %u tags; remove some.", TAGS_MAX);
        return strv_extend(&d->hook->tags, text);
}

static int hook_tags(YamlReader *r, const YamlNode *n, void *target) {
        return yaml_read_sequence(r, n, add_tag, target);
}

static int ignore_not_found(YamlReader *r, const YamlNode *n, void *target) {
        HookDraft *d = target;

        return tracing_get_flag(r, n, &d->hook->ignore_not_found);
}

static int hook_ignore(YamlReader *r, const YamlNode *n, void *target) {
        static const YamlField fields[] = {
                { "callNotFound", false, ignore_not_found },
                { "digestVerificationFailure", false, NULL },
        };

        return yaml_read_mapping(r, n, fields, ELEMENTSOF(fields), target);
}

/* ---- Sections ---- */

static int begin(TracingReader *t, HookKind kind, const YamlNode *n, HookDraft *ret) {
        Policy *p = t->policy;

        assert(p->n_hooks < t->n_hooks_max);
        *ret = (HookDraft) { .reader = t, .hook = p->hooks + p->n_hooks++, .node = n };
        ret->hook->kind = kind;
        ret->hook->return_action = HOOK_ACTION_POST;
        ret->hook->line = n->line;
        ret->hook->column = n->column;
        return 0;
}

/* A hook on a list of calls, or on several places of a binary: each is an event of its own. */
static int make_members(HookDraft *d) {
        Hook *h = d->hook;
        int q;

        if (h->kind == HOOK_UPROBE ? strv_length(h->symbols) + h->n_offsets < 2 : !h->symbols || !h->symbols[0])
                return 0;
        q = hook_make_members(h);
        for (size_t i = 0; q >= 0 && h->syscall && i < h->n_members; i++) {
                HookMember *m = h->members + i;
                m->syscall = tracing_find_listed_syscall(h->symbols[i], &m->native, &m->compat);
        }
        return q;
}

static int finish(YamlReader *r, HookDraft *d, unsigned errors) {
        int q;

        q = tracing_read_arguments(r, d);
        if (q < 0)
                return q;
        /* Selectors speak of arguments: with wrong ones, every sentence about them would be wrong, too. */
        if (r->n_errors > errors)
                return 0;
        q = tracing_make_spec(d->reader, d->hook);
        if (q >= 0)
                q = make_members(d);
        if (q >= 0) {
                size_t mark = yaml_key_push(r, "selectors");

                q = tracing_read_selectors(r, d->selectors, d->reader, d->hook);
                yaml_key_pop(r, mark);
        }
        return q;
}

static int resolve_list(YamlReader *r, HookDraft *d, const char *name) {
        const TracingList *list = tracing_find_list(d->reader, name);
        Hook *h = d->hook;

        if (!list)
                return tracing_no_list(r, d->call, d->reader, name);
        h->syscall = list->kind == TRACING_LIST_SYSCALLS;
        h->symbols = strv_copy(list->values);
        if (!h->symbols && strv_length(list->values) > 0)
                return -ENOMEM;
        return list->pattern ? free_and_strdup(&h->pattern, list->pattern) : 0;
}

static int resolve_call(YamlReader *r, HookDraft *d) {
        const char *list = startswith(d->hook->call, "list:");
        Hook *h = d->hook;

        if (list)
                return resolve_list(r, d, list);
        if (h->syscall) {
                h->syscall_spec = tracing_find_syscall(h->call);
                return h->syscall_spec ? 0 : no_syscall(r, d->call, h->call);
        }
        if (startswith(h->call, "__x64_sys_") && tracing_find_syscall(h->call))
                return yaml_warning(r, d->call, "%s is a system call's entry, whose only argument as a kernel function "
                                    "is its registers; write `syscall: true`.", QUOTE(h->call));
        return 0;
}

int tracing_read_kprobe(YamlReader *r, const YamlNode *n, void *reader) {
        static const YamlField fields[] = {
                { "call", true, hook_call },
                { "return", false, hook_return },
                { "syscall", false, hook_syscall },
                { "args", false, hook_args },
                { "data", false, hook_data },
                { "returnArg", false, hook_return_arg },
                { "returnArgAction", false, hook_return_action },
                { "selectors", false, hook_selectors },
                { "message", false, hook_message },
                { "tags", false, hook_tags },
                { "ignore", false, hook_ignore },
        };
        unsigned errors = r->n_errors;
        HookDraft d;
        int q;

        q = begin(reader, HOOK_KPROBE, n, &d);
        if (q < 0)
                return q;
        d.hook->syscall = true;         /* the language's default */
        q = yaml_read_mapping(r, n, fields, ELEMENTSOF(fields), &d);
        if (q < 0 || !d.hook->call)
                return q;
        q = resolve_call(r, &d);
        return q < 0 ? q : finish(r, &d, errors);
}

static int tracepoint_subsystem(YamlReader *r, const YamlNode *n, void *target) {
        HookDraft *d = target;

        return tracing_keep_word(r, n, TRACING_NAME_MAX, &d->hook->subsystem);
}

static int tracepoint_event(YamlReader *r, const YamlNode *n, void *target) {
        HookDraft *d = target;

        return tracing_keep_word(r, n, TRACING_NAME_MAX, &d->hook->call);
}

static int tracepoint_raw(YamlReader *r, const YamlNode *n, void *target) {
        HookDraft *d = target;

        return tracing_get_flag(r, n, &d->raw);
}

int tracing_read_tracepoint(YamlReader *r, const YamlNode *n, void *reader) {
        static const YamlField fields[] = {
                { "subsystem", true, tracepoint_subsystem },
                { "event", true, tracepoint_event },
                { "raw", false, tracepoint_raw },
                { "args", false, hook_args },
                { "data", false, hook_data },
                { "selectors", false, hook_selectors },
                { "message", false, hook_message },
                { "tags", false, hook_tags },
        };
        unsigned errors = r->n_errors;
        HookDraft d;
        int q;

        q = begin(reader, HOOK_TRACEPOINT, n, &d);
        if (q < 0)
                return q;
        q = yaml_read_mapping(r, n, fields, ELEMENTSOF(fields), &d);
        if (q < 0 || !d.hook->call || !d.hook->subsystem)
                return q;
        if (d.raw)
                d.hook->kind = HOOK_RAW_TRACEPOINT;
        return finish(r, &d, errors);
}

/* ---- uprobes ---- */

static int uprobe_path(YamlReader *r, const YamlNode *n, void *target) {
        HookDraft *d = target;
        const char *text;
        int q;

        q = yaml_get_string(r, n, 0, &text);
        if (q <= 0)
                return q;
        if (text[0] != '/')
                return yaml_error(r, n, "%s is not the whole path of a file; begin with /.", QUOTE(text));
        if (strlen(text) >= SCT_STR_MAX)
                return yaml_error(r, n, "The path has %zu bytes, more than a path can have; write a shorter one.",
                                  strlen(text));
        return free_and_strdup(&d->hook->path, text);
}

static int count_name(YamlReader *r, const YamlNode *n, HookDraft *d) {
        int q;

        if (d->n_names++ < TRACING_NAMES_MAX)
                return 1;
        q = d->n_names > TRACING_NAMES_MAX + 1 ? 0 :
            yaml_error(r, n, "The hook is at more than %u places; write another one for the rest.", TRACING_NAMES_MAX);
        return q < 0 ? q : 0;
}

static int add_symbol(YamlReader *r, const YamlNode *n, void *target) {
        HookDraft *d = target;
        const char *text;
        int q;

        q = count_name(r, n, d);
        if (q > 0)
                q = tracing_get_word(r, n, 4096, &text);        /* C++ names are long */
        return q <= 0 ? q : strv_extend(&d->hook->symbols, text);
}

static int uprobe_symbol(YamlReader *r, const YamlNode *n, void *target) {
        HookDraft *d = target;

        d->n_places++;
        return add_symbol(r, n, target);
}

static int uprobe_symbols(YamlReader *r, const YamlNode *n, void *target) {
        HookDraft *d = target;

        if (yaml_is_null(n) || (n->kind == YAML_SEQUENCE && n->n_items == 0))
                return 0;
        d->n_places++;
        return yaml_read_sequence(r, n, add_symbol, target);
}

static int add_offset(YamlReader *r, const YamlNode *n, void *target) {
        HookDraft *d = target;
        uint64_t *more, v;
        const char *text;
        int q;

        q = count_name(r, n, d);
        if (q > 0)
                q = yaml_get_string(r, n, YAML_STRING_LENIENT, &text);
        if (q <= 0)
                return q;
        if (tracing_get_integer(text, strlen(text), 64, false, false, &v) < 0)
                return yaml_error(r, n, "%s is no place in a file; write a number, for example 0x1234.", QUOTE(text));
        more = reallocarray(d->hook->offsets, d->hook->n_offsets + 1, sizeof(uint64_t));
        if (!more)
                return -ENOMEM;
        d->hook->offsets = more;
        d->hook->offsets[d->hook->n_offsets++] = v;
        return 0;
}

static int uprobe_offsets(YamlReader *r, const YamlNode *n, void *target) {
        HookDraft *d = target;

        if (yaml_is_null(n) || (n->kind == YAML_SEQUENCE && n->n_items == 0))
                return 0;
        d->n_places++;
        return yaml_read_sequence(r, n, add_offset, target);
}

static int uprobe_addresses(YamlReader *r, const YamlNode *n, void *target) {
        HookDraft *d = target;

        d->hook->offsets_are_addresses = true;
        return uprobe_offsets(r, n, target);
}

static int add_ref_ctr(YamlReader *r, const YamlNode *n, void *target) {
        HookDraft *d = target;
        uint64_t *more, v;
        const char *text;
        int q;

        q = yaml_get_string(r, n, YAML_STRING_LENIENT, &text);
        if (q <= 0)
                return q;
        if (tracing_get_integer(text, strlen(text), 64, false, false, &v) < 0)
                return yaml_error(r, n, "%s is no place in a file; write a number, for example 0x1234.", QUOTE(text));
        more = reallocarray(d->hook->ref_ctr_offsets, d->hook->n_ref_ctr_offsets + 1, sizeof(uint64_t));
        if (!more)
                return -ENOMEM;
        d->hook->ref_ctr_offsets = more;
        d->hook->ref_ctr_offsets[d->hook->n_ref_ctr_offsets++] = v;
        return 0;
}

static int uprobe_ref_ctrs(YamlReader *r, const YamlNode *n, void *target) {
        return yaml_is_null(n) ? 0 : yaml_read_sequence(r, n, add_ref_ctr, target);
}

static int uprobe_unavailable(YamlReader *r, const YamlNode *n, void *target) {
        return yaml_error(r, n, "This key is not available here, and without it the hook would be another one; remove "
                          "it.");
}

static int uprobe_btf_path(YamlReader *r, const YamlNode *n, void *target) {
        return yaml_error(r, n, "Type information of programs is not read here; remove the key, and give every "
                          "argument its type.");
}

/* What the event is named: the symbol, or the file's name and where in it. */
static int name_uprobe(Hook *h) {
        const char *base = strrchr(h->path, '/') + 1;
        char text[32] = "";

        if (strv_length(h->symbols) == 1 && strlen(h->symbols[0]) <= TRACING_NAME_MAX)
                return free_and_strdup(&h->call, h->symbols[0]);
        if (h->n_offsets == 1)
                (void) snprintf(text, sizeof(text), "+0x%" PRIx64, h->offsets[0]);
        h->call = strjoin(base, text);
        return h->call ? 0 : -ENOMEM;
}

int tracing_read_uprobe(YamlReader *r, const YamlNode *n, void *reader) {
        static const YamlField fields[] = {
                { "path", true, uprobe_path },
                { "symbol", false, uprobe_symbol },
                { "symbols", false, uprobe_symbols },
                { "offsets", false, uprobe_offsets },
                { "addrs", false, uprobe_addresses },
                { "refCtrOffsets", false, uprobe_ref_ctrs },
                { "binaryDigests", false, uprobe_unavailable },
                { "btfPath", false, uprobe_btf_path },
                { "args", false, hook_args },
                { "data", false, hook_data },
                { "return", false, hook_return },
                { "returnArg", false, hook_return_arg },
                { "selectors", false, hook_selectors },
                { "message", false, hook_message },
                { "tags", false, hook_tags },
                { "ignore", false, hook_ignore },
        };
        unsigned errors = r->n_errors;
        HookDraft d;
        int q;

        q = begin(reader, HOOK_UPROBE, n, &d);
        if (q < 0)
                return q;
        q = yaml_read_mapping(r, n, fields, ELEMENTSOF(fields), &d);
        if (q < 0 || r->n_errors > errors)
                return q;
        if (d.n_places != 1)
                return yaml_error(r, n, "A uprobe is at one kind of place; write %s symbol, symbols, offsets or addrs.",
                                  d.n_places == 0 ? "one of" : "only one of");
        if (d.hook->n_ref_ctr_offsets > 0 && d.hook->n_ref_ctr_offsets != strv_length(d.hook->symbols) + d.hook->n_offsets)
                return yaml_error(r, n, "There are %zu refCtrOffsets for %zu places; write one for each, and 0 for a place "
                                  "that has none.", d.hook->n_ref_ctr_offsets,
                                  strv_length(d.hook->symbols) + d.hook->n_offsets);
        q = name_uprobe(d.hook);
        return q < 0 ? q : finish(r, &d, errors);
}

/* ---- lsmhooks, loader ---- */

int tracing_read_lsm(YamlReader *r, const YamlNode *n, void *reader) {
        static const YamlField fields[] = {
                { "hook", true, hook_call },
                { "args", false, hook_args },
                { "data", false, hook_data },
                { "selectors", false, hook_selectors },
                { "message", false, hook_message },
                { "tags", false, hook_tags },
        };
        unsigned errors = r->n_errors;
        const char *bare;
        HookDraft d;
        int q;

        q = begin(reader, HOOK_LSM, n, &d);
        if (q < 0)
                return q;
        q = yaml_read_mapping(r, n, fields, ELEMENTSOF(fields), &d);
        if (q < 0 || !d.hook->call)
                return q;
        bare = startswith(d.hook->call, "security_") ?: startswith(d.hook->call, "bpf_lsm_");
        if (bare)
                return yaml_error(r, d.call, "%s is the function, not the hook; write %s.", QUOTE(d.hook->call), bare);
        return finish(r, &d, errors);
}

/* A rule of the loader: a file is mapped, so that it can be executed. */
static int loader_conditions(PolicyRule *rule) {
        PolicyEvent *e = rule->events;

        e->conditions = new0(Condition, 2);
        if (!e->conditions)
                return -ENOMEM;
        e->conditions[e->n_conditions++] = (Condition) { .field = SCT_FIELD_ARG, .class = CONDITION_PRESENT };
        e->conditions[1] = (Condition) { .field = SCT_FIELD_ARG + 3, .class = CONDITION_MASK, .n_masks = 1,
                                         .masks = new0(MaskItem, 1) };
        if (!e->conditions[1].masks)
                return -ENOMEM;
        e->conditions[1].masks[0] = (MaskItem) { .and = PROT_EXEC, .nonzero = true };
        e->n_conditions++;
        return 0;
}

/* Shared objects and executables as they are mapped. The build id is not read in the kernel: the daemon looks for it in
 * the file when the record comes. */
int tracing_add_loader(YamlReader *r, const YamlNode *n, TracingReader *t) {
        static const struct {
                const char *label, *type_name, *resolve;
                uint32_t index;                 /* of security_mmap_file() */
                uint8_t type;
        } args[] = {
                { "path", "file", NULL, 0, SCT_ARG_FILE },
                { "buildid", "char_buf", NULL, 1, SCT_ARG_BYTES },
                { "inode", "uint64", "f_inode.i_ino", 0, SCT_ARG_U64 },
                { "prot", "uint64", NULL, 1, SCT_ARG_U64 },
        };
        HookDraft d;
        int q;

        q = begin(t, HOOK_LOADER, n, &d);
        if (q < 0)
                return q;
        d.hook->call = strdup("loader");
        d.hook->args = new0(HookArg, ELEMENTSOF(args));
        if (!d.hook->call || !d.hook->args)
                return -ENOMEM;
        for (size_t i = 0; i < ELEMENTSOF(args); i++) {
                d.hook->args[i] = (HookArg) { .index = args[i].index, .type = args[i].type,
                                              .type_name = args[i].type_name, .return_copy = i == 1,
                                              .label = strdup(args[i].label), .line = n->line, .column = n->column };
                d.hook->n_args++;
                if (args[i].resolve)
                        d.hook->args[i].resolve = strdup(args[i].resolve);
                if (!d.hook->args[i].label || (args[i].resolve && !d.hook->args[i].resolve))
                        return -ENOMEM;
        }
        q = tracing_make_spec(t, d.hook);
        if (q < 0)
                return q;
        d.hook->arg_specs[1].printer = PRINTER_DEFAULT;         /* bytes, not text */
        d.hook->arg_specs[3].printer = PRINTER_MMAP_PROT;
        q = tracing_read_selectors(r, NULL, t, d.hook);
        return q < 0 ? q : loader_conditions(t->policy->rules + t->policy->n_rules - 1);
}
