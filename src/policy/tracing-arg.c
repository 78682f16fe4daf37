/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Arguments of a hook: args, data and returnArg, and the event that they make.
 *
 * Here ends what can be said without the kernel. Whether the function has such an argument, of such a type, and of which
 * type a tracepoint's field or an argument of type auto is, kernel/ checks against BTF and the format files when it
 * attaches the hook; the place of every argument for its sentence is HookArg.line. */

#include <inttypes.h>
#include <stdio.h>

#include "../basic/macro.h"
#include "../basic/string-util.h"
#include "../event/arg-type.h"
#include "tracing-internal.h"

#define ARGS_MAX_SYSCALL 6U             /* by the calling convention of system calls */
#define ARGS_MAX_FUNCTION 12U           /* MAX_BPF_FUNC_ARGS: what a trampoline hands on */
#define ARGS_MAX_USER 6U                /* in registers */
#define ARGS_MAX_FORMAT 256U            /* fields of a tracepoint's format */
#define MAX_DATA 327360U                /* what `maxData: true` means */
#define RESOLVE_MAX 512U

typedef struct ArgDraft {
        HookDraft *draft;
        HookArg arg;
        const YamlNode *index;
        bool is_data, is_return;
} ArgDraft;

static int arg_index(YamlReader *r, const YamlNode *n, void *target) {
        ArgDraft *a = target;
        uint64_t v;
        int q;

        q = yaml_get_u64(r, n, 0, UINT32_MAX, &v);
        if (q > 0) {
                a->arg.index = (uint32_t) v;
                a->index = n;
        }
        return q < 0 ? q : 0;
}

static const char *section_of(HookKind k) {
        static const char *const names[] = {
                [HOOK_KPROBE] = "kprobes", [HOOK_TRACEPOINT] = "tracepoints", [HOOK_RAW_TRACEPOINT] = "raw tracepoints",
                [HOOK_UPROBE] = "uprobes", [HOOK_LSM] = "lsmhooks", [HOOK_LOADER] = "loader",
        };

        return names[k];
}

static int arg_type(YamlReader *r, const YamlNode *n, void *target) {
        ArgDraft *a = target;
        const TracingType *type;
        const char *text;
        Suggest s;
        int q;

        q = yaml_get_string(r, n, 0, &text);
        if (q <= 0)
                return q;
        type = tracing_type_find(text);
        if (!type) {
                suggest_begin(&s, text);
                for (size_t i = 0; tracing_type_name(i); i++)
                        suggest_try(&s, tracing_type_name(i));
                return yaml_error(r, n, "%s is no type of an argument%s", QUOTE(text), s.best[0] ? SUGGESTION(&s) :
                                  "; write for example int, uint64, string, file, path, fd, sock, or nop for one that "
                                  "is not read.");
        }
        if (type->hooks & 1U << a->draft->hook->kind && !(type->flags & TRACING_AUTO && a->arg.resolve))
                return yaml_error(r, n, "The type %s is not for %s; write the type that the argument has in the "
                                  "function's prototype.", type->name, section_of(a->draft->hook->kind));
        a->arg.type_name = type->name;
        a->arg.type = type->type;
        return 0;
}

static int arg_size_index(YamlReader *r, const YamlNode *n, void *target) {
        ArgDraft *a = target;
        uint64_t v;
        int q;

        q = yaml_get_u64(r, n, 0, ARGS_MAX_FUNCTION, &v);
        if (q > 0)
                a->arg.size_arg = (uint32_t) v;
        return q < 0 ? q : 0;
}

static int arg_return_copy(YamlReader *r, const YamlNode *n, void *target) {
        ArgDraft *a = target;

        return tracing_get_flag(r, n, &a->arg.return_copy);
}

static int arg_max_data(YamlReader *r, const YamlNode *n, void *target) {
        ArgDraft *a = target;
        bool all = false;
        uint64_t v;
        int q;

        if (n->kind == YAML_SCALAR && n->plain && tracing_is_integer(n->text)) {
                q = yaml_get_u64(r, n, 0, MAX_DATA, &v);
                if (q > 0)
                        a->arg.max_data = (uint32_t) v;
                return q < 0 ? q : 0;
        }
        q = tracing_get_flag(r, n, &all);
        a->arg.max_data = all ? MAX_DATA : 0;
        return q;
}

static int arg_label(YamlReader *r, const YamlNode *n, void *target) {
        ArgDraft *a = target;
        const char *text;
        int q;

        q = yaml_get_string(r, n, YAML_STRING_LENIENT, &text);
        if (q <= 0)
                return q;
        if (strlen(text) > TRACING_NAME_MAX)
                return yaml_error(r, n, "The label has %zu bytes, more than %u; write a shorter one.", strlen(text),
                                  TRACING_NAME_MAX);
        for (const char *p = text; *p; p++)
                if ((unsigned char) *p < ' ' || *p == 0x7f)
                        return yaml_error(r, n, "%s holds a control character, but names an argument; remove it.", QUOTE(text));
        return free_and_strdup(&a->arg.label, text);
}

static int arg_resolve(YamlReader *r, const YamlNode *n, void *target) {
        ArgDraft *a = target;

        return tracing_keep_word(r, n, RESOLVE_MAX, &a->arg.resolve);
}

static int arg_btf_type(YamlReader *r, const YamlNode *n, void *target) {
        ArgDraft *a = target;

        return tracing_keep_word(r, n, TRACING_NAME_MAX, &a->arg.btf_type);
}

static int arg_btf_module(YamlReader *r, const YamlNode *n, void *target) {
        ArgDraft *a = target;

        return tracing_keep_word(r, n, TRACING_NAME_MAX, &a->arg.btf_module);
}

static int arg_source(YamlReader *r, const YamlNode *n, void *target) {
        ArgDraft *a = target;
        const char *text;
        int q;

        q = yaml_get_string(r, n, 0, &text);
        if (q <= 0)
                return q;
        if (!a->is_data)
                return yaml_error(r, n, "An argument comes from the hook itself; write other sources as entries of "
                                  "`data:`.");
        if (streq(text, "current_task"))
                a->arg.source = HOOK_ARG_CURRENT_TASK;
        else if (streq(text, "pt_regs"))
                a->arg.source = HOOK_ARG_PT_REGS;
        else
                return yaml_error(r, n, "%s is no source of data; write current_task or pt_regs.", QUOTE(text));
        return 0;
}

static unsigned index_limit(const Hook *h) {
        switch (h->kind) {
        case HOOK_TRACEPOINT:
                return ARGS_MAX_FORMAT;
        case HOOK_UPROBE:
                return ARGS_MAX_USER;
        default:
                return h->kind == HOOK_KPROBE && h->syscall ? ARGS_MAX_SYSCALL : ARGS_MAX_FUNCTION;
        }
}

static int check_arg(YamlReader *r, const YamlNode *n, ArgDraft *a) {
        const Hook *h = a->draft->hook;
        const TracingType *type = tracing_type_find(a->arg.type_name);

        if (a->is_data) {
                if (!a->arg.resolve)
                        return yaml_error(r, n, "An entry of data says where to look; add `resolve:` with a path like "
                                          "cred.uid.val.");
        } else if (!a->is_return) {
                if (!a->index)
                        return yaml_error(r, n, "The key index is missing here; add `index:` with the argument's "
                                          "number, from 0.");
                if (a->arg.index >= index_limit(h))
                        return yaml_error(r, a->index, "The index %" PRIu32 " is beyond the %u arguments that %s can "
                                          "have; they are counted from 0.", a->arg.index, index_limit(h),
                                          h->kind == HOOK_TRACEPOINT ? "a tracepoint" : h->syscall ? "a system call" :
                                          "a function");
        }
        if ((type->flags & TRACING_SIZED) && a->arg.size_arg == 0 && !a->arg.return_copy && a->arg.max_data == 0 &&
            !a->is_return)
                return yaml_error(r, n, "How long a %s is stands in another argument; add `sizeArgIndex:` with that "
                                  "argument's number, from 1, or `returnCopy: true` for as many bytes as the call "
                                  "returns.", type->name);
        return 0;
}

/* auto of a system call's argument: the table of system calls says what it is, and how long an address is. */
static void type_of_syscall(ArgDraft *a) {
        const Hook *h = a->draft->hook;
        const EventArgSpec *spec;
        const char *name;
        bool pointer;

        if (a->arg.type == SCT_ARG_KSOCKADDR && a->arg.size_arg == 0 && h->syscall_spec && !a->is_data && !a->is_return &&
            a->arg.index < h->syscall_spec->n_args && h->syscall_spec->args[a->arg.index].type == SCT_ARG_SOCKADDR)
                a->arg.size_arg = h->syscall_spec->args[a->arg.index].size_source + 1U;
        if (a->arg.type != SCT_ARG_NONE || a->arg.resolve || a->is_data || a->is_return || h->kind != HOOK_KPROBE ||
            !h->syscall_spec || a->arg.index >= h->syscall_spec->n_args)
                return;
        spec = h->syscall_spec->args + a->arg.index;
        name = hook_type_of_syscall(spec, &pointer);
        if (!name)
                return;
        a->arg.type_name = tracing_type_find(name)->name;
        a->arg.type = tracing_type_find(name)->type;
        if (spec->size_source < 8 && a->arg.size_arg == 0 && spec->type != SCT_ARG_SOCKADDR_OUT)
                a->arg.size_arg = spec->size_source + 1U;
        if (spec->type == SCT_ARG_STR_OUT || spec->flags & SCT_ARG_PLAN_EXIT)
                a->arg.return_copy = true;
        /* Structs whose size is known: openat2's how, clone3's arguments. */
        if (a->arg.type == SCT_ARG_BYTES && a->arg.size_arg == 0 && !a->arg.return_copy && a->arg.max_data == 0)
                a->arg.max_data = 64;
}

static int read_arg_with(YamlReader *r, const YamlNode *n, ArgDraft *a) {
        static const YamlField fields[] = {
                { "index", false, arg_index },
                { "type", false, arg_type },
                { "sizeArgIndex", false, arg_size_index },
                { "returnCopy", false, arg_return_copy },
                { "maxData", false, arg_max_data },
                { "label", false, arg_label },
                { "resolve", false, arg_resolve },
                { "btfType", false, arg_btf_type },
                { "btfTypeModule", false, arg_btf_module },
                { "source", false, arg_source },
        };
        unsigned errors = r->n_errors;
        int q;

        a->arg.line = n->line;
        a->arg.column = n->column;
        q = yaml_read_mapping(r, n, fields, ELEMENTSOF(fields), a);
        if (q < 0 || r->n_errors > errors)
                return q;
        if (!a->arg.type_name) {
                const TracingType *automatic = tracing_type_find("auto");

                if ((automatic->hooks & 1U << a->draft->hook->kind) && !a->arg.resolve)
                        return yaml_error(r, n, "The key type is missing here; add `type:` with the argument's type, "
                                          "for example int or string.");
                a->arg.type_name = automatic->name;
                a->arg.type = automatic->type;
        }
        type_of_syscall(a);
        return check_arg(r, n, a);
}

static int add_arg(YamlReader *r, const YamlNode *n, HookDraft *d, bool is_data) {
        ArgDraft a = { .draft = d, .is_data = is_data };
        unsigned errors = r->n_errors;
        Hook *h = d->hook;
        int q;

        /* One place is kept for the return value. */
        if (h->n_args >= SCT_ARGS_MAX - 1)
                return yaml_error(r, n, "The hook has more than %d arguments and data; remove some.", SCT_ARGS_MAX - 1);
        if (is_data)
                a.arg.source = HOOK_ARG_CURRENT_TASK;
        q = read_arg_with(r, n, &a);
        if (q >= 0 && r->n_errors == errors) {
                if (!GREEDY_REALLOC(h->args, d->n_args_allocated, h->n_args + 1))
                        q = -ENOMEM;
                else {
                        h->args[h->n_args++] = a.arg;
                        a.arg = (HookArg) {};
                }
        }
        hook_arg_done(&a.arg);
        return q;
}

static int add_argument(YamlReader *r, const YamlNode *n, void *target) {
        return add_arg(r, n, target, /* is_data= */ false);
}

static int add_data(YamlReader *r, const YamlNode *n, void *target) {
        return add_arg(r, n, target, /* is_data= */ true);
}

static int read_return_arg(YamlReader *r, HookDraft *d) {
        ArgDraft a = { .draft = d, .is_return = true };
        Hook *h = d->hook;
        int q = 0;

        if (d->return_arg) {
                size_t mark = yaml_key_push(r, "returnArg");

                q = read_arg_with(r, d->return_arg, &a);
                yaml_key_pop(r, mark);
                if (q >= 0)
                        h->has_return = true;
        } else if (h->has_return) {
                /* System calls return a long, all of them. */
                if (h->kind != HOOK_KPROBE || !h->syscall)
                        return yaml_error(r, d->node, "`return: true` needs the type of the return value; add "
                                          "`returnArg:` with `index: 0` and its type.");
                a.arg.type_name = "long";
                a.arg.type = SCT_ARG_S64;
                a.arg.line = d->node->line;
                a.arg.column = d->node->column;
        }
        h->return_arg = a.arg;
        return q;
}

static int read_list(YamlReader *r, const YamlNode *n, const char *key, YamlRead read, HookDraft *d) {
        size_t mark;
        int q;

        if (!n || yaml_is_null(n))
                return 0;
        mark = yaml_key_push(r, key);
        q = yaml_read_sequence(r, n, read, d);
        yaml_key_pop(r, mark);
        return q;
}

int tracing_read_arguments(YamlReader *r, HookDraft *d) {
        int q;

        q = read_list(r, d->args, "args", add_argument, d);
        if (q >= 0)
                q = read_list(r, d->data, "data", add_data, d);
        return q < 0 ? q : read_return_arg(r, d);
}

/* ---- The hook's event ---- */

static int name_argument(const Hook *h, size_t i, const HookArg *a, char **ret) {
        const EventSpec *call = h->syscall_spec;
        _cleanup_free_ char *name = NULL;
        char text[32];

        if (a == &h->return_arg)
                name = strdup(a->label ?: "return");
        else if (a->label)
                name = strdup(a->label);
        else if (a->source != HOOK_ARG_OF_HOOK)
                name = strdup(a->resolve);
        else if (call && a->index < call->n_args && !a->resolve)
                name = strdup(call->args[a->index].name);
        else {
                (void) snprintf(text, sizeof(text), "arg%" PRIu32, a->index);
                name = strdup(text);
        }
        if (!name)
                return -ENOMEM;
        for (size_t k = 0; k < i; k++)
                if (streq(h->arg_specs[k].name, name)) {
                        (void) snprintf(text, sizeof(text), "_%zu", i);
                        *ret = strjoin(name, text);
                        return *ret ? 0 : -ENOMEM;
                }
        *ret = TAKE_PTR(name);
        return 0;
}

static uint8_t printer_of(const Hook *h, const HookArg *a) {
        const TracingType *type = tracing_type_find(a->type_name);
        const EventSpec *call = h->syscall_spec;

        if (type->printer != PRINTER_DEFAULT || a == &h->return_arg)
                return type->printer;
        if (type->type == SCT_ARG_BYTES && call && a->source == HOOK_ARG_OF_HOOK && a->index < call->n_args &&
            IN_SET(call->args[a->index].printer, PRINTER_OPEN_HOW, PRINTER_CLONE_ARGS))
                return call->args[a->index].printer;
        if (IN_SET(type->type, SCT_ARG_BYTES, SCT_ARG_IOVEC, SCT_ARG_IOV_ITER))
                return PRINTER_TEXT;
        /* Flags and commands of a system call by name, as its own event shows them. */
        if (call && a->source == HOOK_ARG_OF_HOOK && a->index < call->n_args && !a->resolve && type->bits > 0)
                return call->args[a->index].printer;
        return PRINTER_DEFAULT;
}

static int add_spec(Hook *h, const HookArg *a, bool at_exit) {
        size_t i = h->spec.n_args;
        char *name;
        int q;

        q = name_argument(h, i, a, &name);
        if (q < 0)
                return q;
        h->arg_specs[i] = (EventArgSpec) {
                .name = name,
                .ctype = a->type_name,
                .type = a->type,
                .printer = printer_of(h, a),
                .source = (uint8_t) MIN(a->index, 255U),
                .size_source = a->size_arg > 0 ? (uint8_t) (a->size_arg - 1) : 0xff,
                .flags = (at_exit ? SCT_ARG_PLAN_EXIT : 0) | (a->type == SCT_ARG_FD ? SCT_ARG_PLAN_FD_PATH : 0),
        };
        h->spec.n_args++;
        return 0;
}

int tracing_make_spec(const TracingReader *t, Hook *h) {
        int q;

        h->arg_specs = new0(EventArgSpec, h->n_args + 1);
        if (!h->arg_specs)
                return -ENOMEM;
        h->spec = (EventSpec) {
                .id = (uint16_t) (SCT_EVENT_HOOK_FIRST + (h - t->policy->hooks)),
                .name = h->call,
                .family = EVENT_FAMILY_HOOK,
                .hook = hook_kind_to_string(h->kind),
                .doc = "",
                .args = h->arg_specs,
                .message = h->message,
                .tags = h->tags,
        };
        for (size_t i = 0; i < h->n_args; i++) {
                q = add_spec(h, h->args + i, h->args[i].return_copy);
                if (q < 0)
                        return q;
        }
        if (h->has_return && !(tracing_type_find(h->return_arg.type_name)->flags & TRACING_NUMBER))
                return add_spec(h, &h->return_arg, /* at_exit= */ true);
        return 0;
}
