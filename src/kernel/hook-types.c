/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the arguments of a hook are, by the kernel's own word: BTF of the function, the format file of the tracepoint, the
 * table of system calls. Arguments get the names and, where the policy says auto, the types that they have there; a type
 * that does not fit is an error, so that no register is ever shown as what it is not. Paths (resolve) become offsets in
 * btf-path.c.
 *
 * Afterwards the hook is complete and does not change any more. */

#include <errno.h>
#include <stdio.h>

#include "../basic/string-util.h"
#include "hook-types.h"
#include "kernel-types.h"

typedef struct StructType {
        const char *name;       /* struct or union */
        const char *type;       /* as policies name it */
} StructType;

static const StructType struct_types[] = {
        { "file", "file" },
        { "path", "path" },
        { "dentry", "dentry" },
        { "kiocb", "kiocb" },
        { "linux_binprm", "linux_binprm" },
        { "filename", "filename" },
        { "sock", "sock" },
        { "socket", "socket" },
        { "sk_buff", "skb" },
        { "sockaddr", "sockaddr" },
        { "sockaddr_in", "sockaddr" },
        { "sockaddr_in6", "sockaddr" },
        { "sockaddr_un", "sockaddr_un" },
        { "sockaddr_storage", "sockaddr" },
        { "sockaddr_unsized", "sockaddr" },
        { "__kernel_sockaddr_storage", "sockaddr" },
        { "cred", "cred" },
        { "user_namespace", "user_namespace" },
        { "bpf_attr", "bpf_attr" },
        { "bpf_prog", "bpf_prog" },
        { "bpf_map", "bpf_map" },
        { "perf_event", "perf_event" },
        { "module", "module" },
        { "load_info", "load_info" },
        { "net_device", "net_device" },
        { "iov_iter", "iov_iter" },
        { "timespec64", "timespec" },
        { "__kernel_timespec", "timespec" },
};

const struct btf_type *btf_plain(const struct btf *btf, uint32_t id) {
        const struct btf_type *t = btf__type_by_id(btf, id);

        while (t && (btf_is_mod(t) || btf_is_typedef(t)))
                t = btf__type_by_id(btf, t->type);
        return t;
}

static const char *struct_type(const char *name) {
        for (size_t i = 0; i < ELEMENTSOF(struct_types); i++)
                if (streq(struct_types[i].name, name))
                        return struct_types[i].type;
        return NULL;
}

static bool is_typedef_named(const struct btf *btf, uint32_t id, const char *name) {
        const struct btf_type *t = btf__type_by_id(btf, id);

        while (t && (btf_is_mod(t) || btf_is_typedef(t))) {
                if (btf_is_typedef(t) && streq(btf__name_by_offset(btf, t->name_off), name))
                        return true;
                t = btf__type_by_id(btf, t->type);
        }
        return false;
}

static bool is_char(const struct btf *btf, uint32_t id) {
        const struct btf_type *t = btf_plain(btf, id);

        return t && btf_is_int(t) && t->size == 1 && !(btf_int_encoding(t) & BTF_INT_BOOL) &&
               streq(btf__name_by_offset(btf, t->name_off), "char");
}

static const char *integer_type(unsigned size, bool is_signed) {
        switch (size) {
        case 1: return is_signed ? "int8" : "uint8";
        case 2: return is_signed ? "int16" : "uint16";
        case 4: return is_signed ? "int32" : "uint32";
        case 8: return is_signed ? "int64" : "uint64";
        default: return NULL;
        }
}

/* A number as a register or memory holds it: struct { int val; } too, as kuid_t is. */
static const char *number_type(const struct btf *btf, uint32_t id, unsigned *ret_size) {
        const struct btf_type *t = btf_plain(btf, id);

        if (!t)
                return NULL;
        if (btf_is_struct(t) && t->size <= 8 && btf_vlen(t) == 1)
                return number_type(btf, btf_members(t)[0].type, ret_size);
        if (btf_is_int(t)) {
                *ret_size = t->size;
                if (btf_int_encoding(t) & BTF_INT_BOOL)
                        return "bool";
                return integer_type(t->size, btf_int_encoding(t) & BTF_INT_SIGNED);
        }
        if (btf_is_any_enum(t)) {
                *ret_size = t->size;
                return integer_type(t->size, btf_kflag(t));
        }
        return NULL;
}

/* What a value of this BTF type is to a policy. */
int btf_describe(const struct btf *btf, uint32_t id, TypeView *ret) {
        const struct btf_type *t = btf_plain(btf, id), *to;
        const char *name;

        *ret = (TypeView) {};
        if (!t)
                return -EINVAL;
        if (is_typedef_named(btf, id, "kernel_cap_t")) {
                *ret = (TypeView) { .type = "kernel_cap_t", .object = "kernel_cap_t", .size = 8, .by_value = true };
                return 0;
        }
        ret->type = number_type(btf, id, &ret->size);
        if (ret->type) {
                ret->is_number = true;
                return 0;
        }
        if (btf_is_array(t)) {
                ret->by_address = true;
                ret->type = is_char(btf, btf_array(t)->type) ? "string" : NULL;
                ret->object = "array";
                return 0;
        }
        if (btf_is_composite(t)) {
                name = btf__name_by_offset(btf, t->name_off);
                *ret = (TypeView) { .type = struct_type(name), .object = name, .by_address = true };
                return 0;
        }
        if (!btf_is_ptr(t))
                return -EINVAL;

        ret->is_pointer = true;
        ret->size = 8;
        ret->type = "ptr";
        if (is_typedef_named(btf, t->type, "kernel_cap_t")) {
                ret->type = ret->object = "kernel_cap_t";
                return 0;
        }
        to = btf_plain(btf, t->type);
        if (!to || t->type == 0)
                ret->object = "void";
        else if (btf_is_composite(to) || btf_is_fwd(to)) {
                ret->object = btf__name_by_offset(btf, to->name_off);
                ret->type = struct_type(ret->object) ?: "ptr";
        } else if (is_char(btf, t->type)) {
                ret->type = "string";
                ret->object = "char";
        } else if (btf_is_ptr(to) && is_char(btf, to->type))
                ret->type = "strv";
        return 0;
}

/* Whether an argument that a policy says is of `type` may be one that the kernel sees like this. A sentence's end in
 * *ret_wrong, NULL when it fits. */
static const char *misfit(const HookArg *a, const TypeView *v) {
        const char *wanted = a->type_name, *object = v->object ?: "";

        if (a->type == SCT_ARG_NOP || a->type == SCT_ARG_NONE)
                return NULL;
        if (startswith(wanted, "cap_"))
                return streq(object, "kernel_cap_t") || streq(object, "cred") ? NULL : "kernel_cap_t or cred";
        if (a->type == SCT_ARG_KSOCKADDR)
                return v->type && startswith(v->type, "sockaddr") ? NULL : "sockaddr";
        for (size_t i = 0; i < ELEMENTSOF(struct_types); i++)
                if (streq(struct_types[i].type, wanted)) {
                        if (v->type && streq(v->type, wanted))
                                return NULL;
                        /* A void * of a tracepoint's record hides what it is, and the policy knows. */
                        if (v->is_pointer && streq(object, "void"))
                                return NULL;
                        return struct_types[i].name;
                }
        if (streq(wanted, "kernel_cap_t"))
                return streq(object, "kernel_cap_t") ? NULL : "kernel_cap_t";
        if (IN_SET(a->type, SCT_ARG_STR, SCT_ARG_BYTES, SCT_ARG_IOVEC, SCT_ARG_STRV, SCT_ARG_TIMESPEC))
                /* What a pointer leads to is the policy's word: much text is void * or u8 *. */
                return v->is_pointer || v->by_address || (v->is_number && v->size == 8) ? NULL : "pointer";
        /* A number. Many hooks show an address as one. */
        if (v->by_address || (v->is_pointer && hook_type_bits(wanted) < 64))
                return "number";
        return NULL;
}

/* A number that is declared wider than it is would show what stands beside it. */
static void narrow(HookArg *a, EventArgSpec *spec, const TypeView *v) {
        static const struct {
                unsigned size;
                uint8_t is_signed, is_unsigned;
        } rows[] = { { 1, SCT_ARG_S8, SCT_ARG_U8 }, { 2, SCT_ARG_S16, SCT_ARG_U16 }, { 4, SCT_ARG_S32, SCT_ARG_U32 } };

        if (!v->is_number || !IN_SET(a->type, SCT_ARG_S32, SCT_ARG_U32, SCT_ARG_S64, SCT_ARG_U64, SCT_ARG_S16, SCT_ARG_U16))
                return;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                if (rows[i].size == v->size && v->size * 8 < hook_type_bits(a->type_name)) {
                        bool is_signed = IN_SET(a->type, SCT_ARG_S64, SCT_ARG_S32, SCT_ARG_S16);

                        a->type = is_signed ? rows[i].is_signed : rows[i].is_unsigned;
                        if (spec)
                                spec->type = a->type;
                }
}

/* Gives argument i the type that it has, or checks the one that it was given. */
int hook_settle_type(const Policy *policy, Hook *hook, size_t i, const TypeView *v, char **reterr) {
        HookArg *a = i < hook->n_args ? hook->args + i : &hook->return_arg;
        EventArgSpec *spec = i < hook->spec.n_args ? hook->arg_specs + i : NULL;
        const char *wrong;

        if (a->type == SCT_ARG_NONE) {
                if (!v->type)
                        return kernel_error(reterr, -ENOTSUP, "%s is a %s of the kernel, of which no type is known here; write its "
                                            "type, or lead on to a member with resolve",
                                            spec ? spec->name : hook->call, v->object ?: "value");
                return hook_set_type(policy, hook, i, v->type, reterr);
        }
        wrong = misfit(a, v);
        /* At the end of a path stands what stands there, whatever the argument was said to be. */
        if (wrong && a->resolve && v->type)
                return hook_set_type(policy, hook, i, v->type, reterr);
        if (wrong && a->source == HOOK_ARG_OF_HOOK && !a->resolve)
                return kernel_error(reterr, -ENOTSUP, "argument %u of %s is no %s: the type %s does not fit it%s%s", a->index,
                                    hook->call, wrong, a->type_name, v->type ? "; it is of type " : "", strempty(v->type));
        if (wrong)
                return kernel_error(reterr, -ENOTSUP, "%s is no %s: the type %s does not fit it%s%s", a->resolve, wrong,
                                    a->type_name, v->type ? "; it is of type " : "", strempty(v->type));
        narrow(a, spec, v);
        return 0;
}

/* ---- Kernel functions, LSM hooks, raw tracepoints ---- */

/* The arguments of a place; *ret_first: how many of the prototype's come before them. NULL: there is none. */
static const struct btf_type *find_prototype(const struct btf *btf, const Hook *hook, const char *name, unsigned *ret_first) {
        _cleanup_free_ char *other = NULL;
        const struct btf_type *t;
        int32_t id;

        *ret_first = 0;
        if (hook->kind == HOOK_RAW_TRACEPOINT || hook->kind == HOOK_LSM) {
                other = strjoin(hook->kind == HOOK_LSM ? "bpf_lsm_" : "btf_trace_", name);
                if (!other)
                        return NULL;
        }
        if (hook->kind == HOOK_RAW_TRACEPOINT) {
                id = kernel_types_find(btf, other, BTF_KIND_TYPEDEF);
                t = id < 0 ? NULL : btf_plain(btf, (uint32_t) id);
                t = t && btf_is_ptr(t) ? btf_plain(btf, t->type) : NULL;
                *ret_first = 1;
                return t && btf_is_func_proto(t) ? t : NULL;
        }
        id = kernel_types_find(btf, other ?: name, BTF_KIND_FUNC);
        return id < 0 ? NULL : btf__type_by_id(btf, btf__type_by_id(btf, (uint32_t) id)->type);
}

/* How many registers, or words of the stack, an argument takes (x86-64); 0: it stands on the stack whole. */
static unsigned words_of(const struct btf *btf, uint32_t id) {
        const struct btf_type *t = btf_plain(btf, id);

        if (!t || !btf_is_composite(t))
                return 1;
        return t->size > 16 ? 0 : (t->size + 7) / 8;
}

/* The number of the word that holds argument `index`: 0 to 5 in registers, from 6 on the stack. -ENOENT: it is one that
 * does not fit a word. */
static int word_of_argument(const struct btf *btf, const struct btf_type *proto, unsigned first, unsigned index) {
        const struct btf_param *params = btf_params(proto);
        unsigned reg = 0, stack = 0;

        for (unsigned i = first; i < btf_vlen(proto); i++) {
                unsigned words = words_of(btf, params[i].type);
                bool in_registers = words > 0 && reg + words <= 6;

                if (i == first + index)
                        return in_registers ? (int) reg : (int) (6 + stack);
                if (in_registers)
                        reg += words;
                else if (words > 0)
                        stack += words;
                else
                        stack += (btf_plain(btf, params[i].type)->size + 7) / 8;
        }
        return -ENOENT;
}

/* Arguments that no register holds, and that hook.bpf.h has not read from the stack either. */
static void path_to_stack(const struct btf *btf, struct sct_arg_path *p, unsigned word) {
        uint32_t offset = 0;

        (void) btf_member_offset(btf, "pt_regs", "sp", &offset);
        *p = (struct sct_arg_path) {
                .base = SCT_ARG_BASE_REGS, .n_steps = 2, .size_source = 0xff, .bytes = 8,
                .steps = { offset, 8 + 8 * (word - 6) },
        };
}

#define WORDS_READ 8U           /* hook_function_args() */

static int place_argument(const struct btf *btf, Hook *hook, size_t i, const struct btf_type *proto, unsigned first,
                          char **reterr) {
        HookArg *a = hook->args + i;
        bool registers = hook->kind == HOOK_KPROBE;
        int word = registers ? word_of_argument(btf, proto, first, a->index) : (int) a->index;

        if (word < 0)
                return -EINVAL;
        if ((unsigned) word >= WORDS_READ) {
                if (!registers || a->return_copy || a->resolve || a->size_arg > 0)
                        return kernel_error(reterr, -ENOTSUP, "argument %u of %s stands beyond the %uth word of its arguments, where "
                                            "values can be read but not followed; leave out resolve, returnCopy and sizeArgIndex",
                                            a->index, hook->call, WORDS_READ);
                path_to_stack(btf, &a->path, (unsigned) word);
                a->has_path = true;
        } else
                hook->arg_specs[i].source = (uint8_t) word;
        if (a->size_arg > 0) {
                int size = registers ? word_of_argument(btf, proto, first, a->size_arg - 1) : (int) a->size_arg - 1;

                if (a->size_arg - 1 >= btf_vlen(proto) - first || size < 0 || (unsigned) size >= WORDS_READ)
                        return kernel_error(reterr, -ENOTSUP, "%s has %u arguments, there is no argument %u that could hold a size; "
                                            "sizeArgIndex counts from 1", hook->call, btf_vlen(proto) - first, a->size_arg);
                hook->arg_specs[i].size_source = (uint8_t) size;
        }
        return 0;
}

/* The length of an address, where it stands behind it as everywhere: int addrlen. */
static void find_length(const struct btf *btf, Hook *hook, size_t i, const struct btf_type *proto, unsigned first) {
        unsigned next = first + hook->args[i].index + 1, size;
        const struct btf_param *params = btf_params(proto);
        int word;

        if (next >= btf_vlen(proto) || !strstr(btf__name_by_offset(btf, params[next].name_off), "len") ||
            !number_type(btf, params[next].type, &size))
                return;
        word = hook->kind == HOOK_KPROBE ? word_of_argument(btf, proto, first, next - first) : (int) (next - first);
        if (word >= 0 && (unsigned) word < WORDS_READ)
                hook->arg_specs[i].size_source = (uint8_t) word;
}

static int settle_argument(const Policy *policy, const struct btf *btf, Hook *hook, size_t i, const struct btf_type *proto,
                           unsigned first, char **reterr) {
        const struct btf_param *params = btf_params(proto);
        HookArg *a = hook->args + i;
        unsigned n = btf_vlen(proto) - first;
        const char *name;
        TypeView v;
        int r;

        if (a->source != HOOK_ARG_OF_HOOK)
                return btf_path_data(policy, btf, hook, i, reterr);
        if (a->index >= n)
                return kernel_error(reterr, -ENOTSUP, "%s has %u argument%s, there is none with index %u; the first one is 0",
                                    hook->call, n, n == 1 ? "" : "s", a->index);
        if (params[first + a->index].type == 0)
                return kernel_error(reterr, -ENOTSUP, "argument %u of %s is one of a variable number, whose type nobody knows; leave it "
                                    "out", a->index, hook->call);
        name = btf__name_by_offset(btf, params[first + a->index].name_off);
        r = place_argument(btf, hook, i, proto, first, reterr);
        if (r < 0)
                return r;
        if (!isempty(name)) {
                r = hook_set_name(hook, i, name);
                if (r < 0)
                        return r;
        }
        if (a->resolve)
                return btf_path_argument(policy, btf, hook, i, params[first + a->index].type, reterr);
        r = btf_describe(btf, params[first + a->index].type, &v);
        if (r < 0)
                return kernel_error(reterr, -ENOTSUP, "argument %u of %s has a type that cannot be read; leave it out", a->index,
                                    hook->call);
        if (v.by_address && words_of(btf, params[first + a->index].type) != 1)
                return kernel_error(reterr, -ENOTSUP, "argument %u of %s is a whole struct %s; leave it out, or hook a function that "
                                    "is handed its address", a->index, hook->call, strempty(v.object));
        r = hook_settle_type(policy, hook, i, &v, reterr);
        if (r >= 0 && a->type == SCT_ARG_KSOCKADDR && a->size_arg == 0)
                find_length(btf, hook, i, proto, first);
        if (r >= 0 && startswith(a->type_name, "cap_") && streq(strempty(v.object), "cred"))
                r = btf_path_to_member(btf, hook, i, "cred", a->type_name, reterr);
        return r;
}

static int settle_return(const Policy *policy, const struct btf *btf, Hook *hook, const struct btf_type *proto, char **reterr) {
        TypeView v;

        if (!hook->has_return)
                return 0;
        if (proto->type == 0)
                return kernel_error(reterr, -ENOTSUP, "%s returns nothing; remove return: true and returnArg", hook->call);
        if (btf_describe(btf, proto->type, &v) < 0)
                return 0;
        if (v.is_pointer && hook->spec.n_args <= hook->n_args && hook->return_arg.type == SCT_ARG_NONE)
                v.type = "ptr";
        if (hook->spec.n_args > hook->n_args) {
                HookArg *a = &hook->return_arg;

                a->path = (struct sct_arg_path) { .base = SCT_ARG_BASE_RETVAL, .size_source = 0xff, .max = a->max_data };
                a->has_path = true;
                return hook_settle_type(policy, hook, hook->n_args, &v, reterr);
        }
        return hook_settle_type(policy, hook, hook->n_args, &v, reterr);
}

static int settle_of_function(const Policy *policy, Hook *hook, const struct btf *btf, const char *function, char **reterr) {
        _cleanup_(kernel_types_unrefp) KernelTypes *types = kernel_types_ref();
        const struct btf_type *proto;
        unsigned first;
        int r;

        proto = find_prototype(btf, hook, function, &first);
        /* Functions of modules have their types there, and some have none at all. */
        if (!proto && hook->kind == HOOK_KPROBE && kernel_types_function(types, function, &btf, &proto) == 0) {
                if (hook->n_args > 0 || hook->has_return)
                        return kernel_error(reterr, -ENOTSUP, "nothing says what the arguments of %s are, the kernel has no type "
                                            "information for it; hook it without args and returnArg", function);
                return 0;
        }
        if (!proto && hook->kind == HOOK_LSM)
                return kernel_error(reterr, -ENOTSUP, "this kernel has no LSM hook %s", function);
        if (!proto && hook->kind == HOOK_RAW_TRACEPOINT)
                return kernel_error(reterr, -ENOTSUP, "this kernel has no raw tracepoint %s with type information; leave out raw: true",
                                    function);
        if (!proto)
                return kernel_error(reterr, -ENOTSUP, "this kernel has no function %s that can be hooked; it may be "
                                    "spelt differently, be inlined, or be a system call (write syscall: true)", function);
        for (size_t i = 0; i < hook->n_args; i++) {
                r = settle_argument(policy, btf, hook, i, proto, first, reterr);
                if (r < 0)
                        return r;
        }
        return settle_return(policy, btf, hook, proto, reterr);
}

/* ---- Tracepoints ---- */

/* The type of a field whose C declaration says nothing more than the format's numbers do. */
static void describe_field(const TracepointField *f, TypeView *ret) {
        *ret = (TypeView) { .size = f->size };
        if (f->is_data_loc)
                ret->type = "data_loc";
        else if (f->is_array) {
                ret->by_address = true;
                ret->object = "array";
                ret->type = f->is_text && f->size > 8 ? "string" : "const_buf";
        } else if (f->is_pointer) {
                ret->is_pointer = true;
                ret->object = f->object[0] || f->is_text ? f->object : "void";
                ret->type = f->is_text ? "string" : struct_type(f->object) ?: "ptr";
        } else {
                ret->type = integer_type(f->size, f->is_signed);
                ret->is_number = ret->type;
                if (!ret->type)
                        ret->by_address = true;
        }
}

/* The fields of syscalls/sys_enter_NAME are all 8 bytes wide; what they hold stands in the table of system calls. */
static const EventArgSpec *syscall_field(const Hook *hook, const TracepointField *f) {
        const char *name = streq(hook->subsystem, "syscalls") ? startswith(hook->call, "sys_enter_") : NULL;
        const EventSpec *call = name ? event_spec_by_name(name) : NULL;
        int i = call && call->family == EVENT_FAMILY_SYSCALL && f->offset >= 16 ? (int) (f->offset - 16) / 8 : -1;

        return i >= 0 && i < call->n_args ? call->args + i : NULL;
}

static int settle_field(const Policy *policy, Hook *hook, size_t i, char **reterr) {
        HookArg *a = hook->args + i;
        const EventArgSpec *known;
        TracepointField f, size;
        TypeView v;
        int r;

        if (a->source != HOOK_ARG_OF_HOOK)
                return -EOPNOTSUPP;
        r = tracepoint_field(hook->subsystem, hook->call, a->index, &f);
        if (r < 0)
                return r;
        r = hook_set_name(hook, i, f.name);
        if (r < 0)
                return r;
        a->field_offset = f.offset;
        a->field_size = f.size;
        describe_field(&f, &v);
        known = syscall_field(hook, &f);
        if (known && v.is_number) {
                v.type = hook_type_of_syscall(known, &v.is_pointer) ?: v.type;
                v.size = hook_type_bits(v.type) / 8 ?: v.size;
        }
        if (a->resolve)
                return kernel_error(reterr, -ENOTSUP, "resolve is not possible for fields of a tracepoint, whose types no format file "
                                    "says; write raw: true, or data with source: current_task");
        if (a->size_arg > 0) {
                /* As the index of a field: sizeArgIndex counts from 1. */
                r = tracepoint_field(hook->subsystem, hook->call, a->size_arg - 1, &size);
                if (r < 0 || size.offset > 254)
                        return kernel_error(reterr, -ENOTSUP, "the tracepoint %s/%s has no field %u that could hold a size; "
                                            "sizeArgIndex is the field's index plus 1", hook->subsystem, hook->call, a->size_arg - 1);
                hook->arg_specs[i].size_source = (uint8_t) size.offset;
        }
        if (a->type == SCT_ARG_BYTES && f.is_array) {
                r = hook_set_type(policy, hook, i, "const_buf", reterr);
                return r;
        }
        r = hook_settle_type(policy, hook, i, &v, reterr);
        /* As its own event shows it. */
        if (r >= 0 && known && v.is_number && hook_type_bits(a->type_name) > 0 &&
            hook->arg_specs[i].printer == PRINTER_DEFAULT)
                hook->arg_specs[i].printer = known->printer;
        return r;
}

static int settle_of_tracepoint(const Policy *policy, Hook *hook, const struct btf *btf, char **reterr) {
        for (size_t i = 0; i < hook->n_args; i++) {
                int r = hook->args[i].source == HOOK_ARG_OF_HOOK ? settle_field(policy, hook, i, reterr)
                                                                 : btf_path_data(policy, btf, hook, i, reterr);

                if (r < 0)
                        return r;
        }
        return 0;
}

/* System calls and uprobes: only data has types to be looked up. */
static int settle_of_data(const Policy *policy, Hook *hook, const struct btf *btf, char **reterr) {
        for (size_t i = 0; i < hook->n_args; i++) {
                int r;

                if (hook->args[i].source != HOOK_ARG_OF_HOOK) {
                        r = btf_path_data(policy, btf, hook, i, reterr);
                        if (r < 0)
                                return r;
                } else if (hook->args[i].resolve)
                        return kernel_error(reterr, -ENOTSUP, "resolve follows the kernel's own structs, and argument %u of %s points to "
                                            "the program's memory; write data with source: current_task, or hook the function "
                                            "of the kernel that gets the struct", hook->args[i].index, hook->call);
                else if (hook->args[i].type == SCT_ARG_NONE)
                        return kernel_error(reterr, -ENOTSUP, "nothing says of which type argument %u of %s is; write its type",
                                            hook->args[i].index, hook->call);
        }
        return 0;
}

/* ---- One hook ---- */

/* Several functions share what is known of their arguments: all must have them in the same places. */
static int settle_functions(const Policy *policy, Hook *hook, const struct btf *btf, char **reterr) {
        struct sct_arg_path paths[SCT_ARGS_MAX] = {};
        uint8_t sources[SCT_ARGS_MAX] = {}, sizes[SCT_ARGS_MAX] = {};
        int r;

        if (!hook->symbols || !hook->symbols[0])
                return settle_of_function(policy, hook, btf, hook->call, reterr);
        for (size_t n = 0; hook->symbols[n]; n++) {
                r = settle_of_function(policy, hook, btf, hook->symbols[n], reterr);
                if (r < 0)
                        return r;
                for (size_t i = 0; i < hook->n_args && i < SCT_ARGS_MAX; i++) {
                        const EventArgSpec *spec = hook->arg_specs + i;

                        if (n > 0 && (spec->source != sources[i] || spec->size_source != sizes[i] ||
                                      memcmp(paths + i, &hook->args[i].path, sizeof(paths[i])) != 0))
                                return kernel_error(reterr, -ENOTSUP, "%s and %s do not have their argument %u in the same place; write "
                                                    "an entry for each", hook->symbols[0], hook->symbols[n], hook->args[i].index);
                        sources[i] = spec->source;
                        sizes[i] = spec->size_source;
                        paths[i] = hook->args[i].path;
                }
        }
        return 0;
}

/* Whether anything is to be looked up: the kernel's type information is large. */
static bool wants_btf(const Hook *hook) {
        if (IN_SET(hook->kind, HOOK_RAW_TRACEPOINT, HOOK_LSM, HOOK_LOADER) || (hook->kind == HOOK_KPROBE && !hook->syscall))
                return true;
        for (size_t i = 0; i < hook->n_args; i++)
                if (hook->args[i].source != HOOK_ARG_OF_HOOK)
                        return true;
        return false;
}

int hook_settle(const Policy *policy, Hook *hook, char **reterr) {
        _cleanup_(kernel_types_unrefp) KernelTypes *types = kernel_types_ref();
        const struct btf *btf = NULL;
        int r;

        if (hook->settled)
                return 0;
        if (wants_btf(hook)) {
                r = kernel_types_vmlinux(types, &btf);
                if (r < 0)
                        return kernel_error(reterr, -ENOTSUP, "the kernel's type information cannot be read: %s", strerror(-r));
        }
        for (size_t i = 0; i < hook->n_args; i++) {
                const HookArg *a = hook->args + i;

                if (a->return_copy && !IN_SET(a->type, SCT_ARG_BYTES, SCT_ARG_IOVEC, SCT_ARG_STR, SCT_ARG_KSOCKADDR,
                                              SCT_ARG_INT2, SCT_ARG_TIMESPEC, SCT_ARG_NONE))
                        return kernel_error(reterr, -ENOTSUP, "an argument of type %s cannot be read at return; remove returnCopy from "
                                            "argument %u", a->type_name, a->index);
        }
        if (hook->kind == HOOK_TRACEPOINT)
                r = settle_of_tracepoint(policy, hook, btf, reterr);
        else if (hook->kind == HOOK_UPROBE || hook->syscall)
                r = settle_of_data(policy, hook, btf, reterr);
        else if (hook->kind == HOOK_LOADER)
                r = settle_of_function(policy, hook, btf, "security_mmap_file", reterr);
        else
                r = settle_functions(policy, hook, btf, reterr);
        if (r == -ENOMEM || (r < 0 && *reterr))
                return r;
        if (r < 0)
                return kernel_error(reterr, -ENOTSUP, "the arguments of %s could not be looked up: %s", hook->call, strerror(-r));
        hook->settled = true;
        return 0;
}
