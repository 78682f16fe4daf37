/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Paths through the kernel's structs (resolve: cred.uid.val, mm.owner.comm) → offsets that the kernel side follows. Members of
 * members without a name are found by their own, [n] is an element of an array or of what a pointer points to. What stands
 * at the end says how it is read. */

#include <ctype.h>
#include <errno.h>
#include <stdio.h>

#include "../basic/string-util.h"
#include "hook-types.h"
#include "kernel-types.h"

/* Where a path has come to: a value of type `id`, that stands `offset` behind the address that the steps lead to. */
typedef struct PathWalk {
        const struct btf *btf;
        const char *text;               /* the whole path, for sentences */
        struct sct_arg_path *path;
        uint32_t id;
        uint32_t offset;
        unsigned bit_offset, bits;      /* of a bit field */
} PathWalk;

static const char *type_name(const struct btf *btf, const struct btf_type *t) {
        const char *name = t ? btf__name_by_offset(btf, t->name_off) : NULL;

        return isempty(name) ? "value without a name" : name;
}

/* Behind a pointer: one step more. */
static int follow(PathWalk *w, uint32_t id, char **reterr) {
        if (w->path->n_steps >= SCT_ARG_PATH_STEPS - 1)
                return kernel_error(reterr, -ENOTSUP, "%s leads along more than %d pointers; write a shorter path", w->text,
                                    SCT_ARG_PATH_STEPS - 1);
        w->path->steps[w->path->n_steps++] = w->offset;
        w->offset = 0;
        w->id = id;
        return 0;
}

static bool find_member(const struct btf *btf, const struct btf_type *t, const char *name, size_t size, PathWalk *w) {
        const struct btf_member *m = btf_members(t);

        for (unsigned i = 0; i < btf_vlen(t); i++) {
                const char *s = btf__name_by_offset(btf, m[i].name_off);
                unsigned at = btf_member_bit_offset(t, i);
                const struct btf_type *inner;

                if (strlen(s) == size && memcmp(s, name, size) == 0) {
                        w->bits = btf_member_bitfield_size(t, i);
                        w->bit_offset = w->bits > 0 ? at % 8 : 0;
                        w->offset += at / 8;
                        w->id = m[i].type;
                        return true;
                }
                inner = btf_plain(btf, m[i].type);
                if (*s == '\0' && inner && btf_is_composite(inner)) {
                        uint32_t before = w->offset;

                        w->offset += at / 8;
                        if (find_member(btf, inner, name, size, w))
                                return true;
                        w->offset = before;
                }
        }
        return false;
}

static int step_member(PathWalk *w, const char *name, size_t size, char **reterr) {
        const struct btf_type *t = btf_plain(w->btf, w->id);
        int r;

        if (t && btf_is_ptr(t)) {
                r = follow(w, t->type, reterr);
                if (r < 0)
                        return r;
                t = btf_plain(w->btf, w->id);
        }
        if (!t || !btf_is_composite(t))
                return kernel_error(reterr, -ENOTSUP, "in the path %s, what comes before %.*s is no struct and has no members; end "
                                    "the path there", w->text, (int) size, name);
        w->bits = 0;
        if (!find_member(w->btf, t, name, size, w))
                return kernel_error(reterr, -ENOTSUP, "in the path %s, the struct %s of this kernel has no member %.*s; write one "
                                    "that it has", w->text, type_name(w->btf, t), (int) size, name);
        return 0;
}

static int step_element(PathWalk *w, uint64_t n, char **reterr) {
        const struct btf_type *t = btf_plain(w->btf, w->id);
        uint32_t element;
        int64_t size;
        int r;

        if (t && btf_is_array(t)) {
                element = btf_array(t)->type;
                if (btf_array(t)->nelems > 0 && n >= btf_array(t)->nelems)
                        return kernel_error(reterr, -ENOTSUP, "in the path %s, [%llu] is beyond the array's %u elements; write a "
                                            "smaller number", w->text, (unsigned long long) n, btf_array(t)->nelems);
        } else if (t && btf_is_ptr(t)) {
                element = t->type;
                r = follow(w, element, reterr);
                if (r < 0)
                        return r;
        } else
                return kernel_error(reterr, -ENOTSUP, "in the path %s, [%llu] follows something that is neither array nor pointer; "
                                    "remove it", w->text, (unsigned long long) n);
        size = btf__resolve_size(w->btf, element);
        if (size <= 0 || n > UINT32_MAX / (uint64_t) size)
                return kernel_error(reterr, -ENOTSUP, "in the path %s, elements of what comes before [%llu] have no size; remove it",
                                    w->text, (unsigned long long) n);
        w->offset += (uint32_t) (n * (uint64_t) size);
        w->id = element;
        return 0;
}

static int walk(PathWalk *w, char **reterr) {
        const char *p = w->text;
        int r;

        while (*p) {
                if (*p == '[') {
                        char *end;
                        uint64_t n;

                        errno = 0;
                        n = strtoull(p + 1, &end, 10);
                        if (end == p + 1 || *end != ']' || errno > 0 || !isdigit((unsigned char) p[1]))
                                return kernel_error(reterr, -ENOTSUP, "the path %s has no number between [ and ]; write for example "
                                                    "a.b[2].c", w->text);
                        r = step_element(w, n, reterr);
                        p = end + 1;
                } else {
                        size_t n = strcspn(p, ".[");

                        if (n == 0)
                                return kernel_error(reterr, -ENOTSUP, "the path %s has an empty member; write names with one dot "
                                                    "between them", w->text);
                        r = step_member(w, p, n, reterr);
                        p += n;
                }
                if (r < 0)
                        return r;
                if (*p == '.' && p[1] != '\0')
                        p++;
                else if (*p && *p != '[')
                        return kernel_error(reterr, -ENOTSUP, "the path %s does not end with a member; remove the last dot", w->text);
        }
        return 0;
}

/* The last step, by what stands there. */
static int finish(PathWalk *w, TypeView *ret, char **reterr) {
        struct sct_arg_path *p = w->path;

        if (btf_describe(w->btf, w->id, ret) < 0)
                return kernel_error(reterr, -ENOTSUP, "the path %s ends at a value that cannot be read; lead it on to a member",
                                    w->text);
        p->steps[p->n_steps++] = w->offset;
        if (ret->by_value) {
                ret->by_address = true;         /* in memory it is no register */
                p->bytes = 8;
        } else if (ret->is_number || ret->is_pointer)
                p->bytes = (uint8_t) ret->size;
        if (w->bits > 0) {
                p->bits = (uint8_t) w->bits;
                p->shift = (uint8_t) w->bit_offset;
                p->bytes = (uint8_t) MIN((w->bit_offset + w->bits + 7) / 8, 8U);
        }
        return 0;
}

/* The base is an address of type `id`, or, typed, of a struct `id`. */
static int resolve_from(const Policy *policy, const struct btf *btf, Hook *hook, size_t i, uint32_t id, bool typed,
                        uint8_t base, char **reterr) {
        HookArg *a = hook->args + i;
        PathWalk w = { .btf = btf, .text = a->resolve, .path = &a->path, .id = id };
        const struct btf_type *t = btf_plain(btf, id);
        TypeView v;
        int r;

        a->path = (struct sct_arg_path) { .base = base, .size_source = 0xff, .max = a->max_data };
        if (a->size_arg > 0)
                a->path.size_source = hook->arg_specs[i].size_source;
        if (!typed && t && btf_is_ptr(t))
                w.id = t->type;
        else if (!typed)
                return kernel_error(reterr, -ENOTSUP, "argument %u of %s is no pointer, so %s cannot be looked for in it; remove "
                                    "resolve", a->index, hook->call, a->resolve);
        r = walk(&w, reterr);
        if (r >= 0)
                r = finish(&w, &v, reterr);
        if (r < 0)
                return r;
        a->has_path = true;
        return hook_settle_type(policy, hook, i, &v, reterr);
}

/* btfType, btfTypeModule: where the path begins instead. */
static int find_type(KernelTypes *types, const struct btf *btf, const HookArg *a, const struct btf **ret_btf, uint32_t *ret,
                     char **reterr) {
        static const uint32_t kinds[] = { BTF_KIND_STRUCT, BTF_KIND_UNION };
        int r;

        if (a->btf_module) {
                r = kernel_types_module(types, a->btf_module, &btf);
                if (r < 0)
                        return kernel_error(reterr, -ENOTSUP, "there is no type information of a module %s: %s; is it loaded?",
                                            a->btf_module, strerror(-r));
        }
        *ret_btf = btf;
        for (size_t i = 0; i < ELEMENTSOF(kinds); i++) {
                int32_t id = kernel_types_find(btf, a->btf_type, kinds[i]);

                if (id > 0) {
                        *ret = (uint32_t) id;
                        return 0;
                }
        }
        return kernel_error(reterr, -ENOTSUP, "this kernel has no struct %s; write one that it has in btfType", a->btf_type);
}

/* Registers by the names of the processor's manual, and how much of them. */
typedef struct RegisterName {
        const char *member;             /* of struct pt_regs */
        const char *names[4];           /* 64, 32, 16, 8 bits */
} RegisterName;

static const RegisterName registers[] = {
        { "ax", { "rax", "eax", "ax", "al" } }, { "bx", { "rbx", "ebx", "bx", "bl" } },
        { "cx", { "rcx", "ecx", "cx", "cl" } }, { "dx", { "rdx", "edx", "dx", "dl" } },
        { "si", { "rsi", "esi", "si", "sil" } }, { "di", { "rdi", "edi", "di", "dil" } },
        { "bp", { "rbp", "ebp", "bp", "bpl" } }, { "sp", { "rsp", "esp", "sp", "spl" } },
        { "r8", { "r8", "r8d", "r8w", "r8b" } }, { "r9", { "r9", "r9d", "r9w", "r9b" } },
        { "r10", { "r10", "r10d", "r10w", "r10b" } }, { "r11", { "r11", "r11d", "r11w", "r11b" } },
        { "r12", { "r12", "r12d", "r12w", "r12b" } }, { "r13", { "r13", "r13d", "r13w", "r13b" } },
        { "r14", { "r14", "r14d", "r14w", "r14b" } }, { "r15", { "r15", "r15d", "r15w", "r15b" } },
        { "ip", { "rip", "eip", "ip", "" } }, { "flags", { "eflags", "rflags", "", "" } },
        { "orig_ax", { "orig_rax", "orig_ax", "", "" } },
};

static int resolve_register(const Policy *policy, const struct btf *btf, Hook *hook, size_t i, char **reterr) {
        static const char *const types[] = { "uint64", "uint32", "uint16", "uint8" };
        HookArg *a = hook->args + i;

        if (!IN_SET(hook->kind, HOOK_KPROBE, HOOK_UPROBE))
                return kernel_error(reterr, -ENOTSUP, "there are no registers at %s; write source: pt_regs for kprobes and uprobes",
                                    hook->call);
        for (size_t k = 0; k < ELEMENTSOF(registers); k++)
                for (size_t w = 0; w < ELEMENTSOF(types); w++) {
                        TypeView v = { .type = types[w], .is_number = true, .size = 8U >> w };
                        uint32_t offset;

                        if (!streq(registers[k].names[w], a->resolve))
                                continue;
                        if (btf_member_offset(btf, "pt_regs", registers[k].member, &offset) < 0)
                                return -EINVAL;
                        a->path = (struct sct_arg_path) {
                                .base = SCT_ARG_BASE_REGS, .n_steps = 1, .size_source = 0xff, .bytes = (uint8_t) v.size,
                                .max = a->max_data, .steps = { offset },
                        };
                        a->has_path = true;
                        /* What a register means is the policy's word. */
                        return a->type == SCT_ARG_NONE ? hook_settle_type(policy, hook, i, &v, reterr) : 0;
                }
        return kernel_error(reterr, -ENOTSUP, "%s is no register; write for example rdi, esi or r8", a->resolve);
}

int btf_path_argument(const Policy *policy, const struct btf *btf, Hook *hook, size_t i, uint32_t type_id, char **reterr) {
        HookArg *a = hook->args + i;
        _cleanup_(kernel_types_unrefp) KernelTypes *types = NULL;
        uint32_t id = 0;
        int r;

        if (a->btf_type) {
                types = kernel_types_ref();
                r = find_type(types, btf, a, &btf, &id, reterr);
                return r < 0 ? r : resolve_from(policy, btf, hook, i, id, true, hook->arg_specs[i].source, reterr);
        }
        return resolve_from(policy, btf, hook, i, type_id, false, hook->arg_specs[i].source, reterr);
}

int btf_path_data(const Policy *policy, const struct btf *btf, Hook *hook, size_t i, char **reterr) {
        int32_t id;

        if (hook->args[i].source == HOOK_ARG_PT_REGS)
                return resolve_register(policy, btf, hook, i, reterr);
        id = kernel_types_find(btf, "task_struct", BTF_KIND_STRUCT);
        if (id < 0)
                return -EINVAL;
        return resolve_from(policy, btf, hook, i, (uint32_t) id, true, SCT_ARG_BASE_TASK, reterr);
}

int btf_member_offset(const struct btf *btf, const char *type, const char *member, uint32_t *ret) {
        int32_t id = kernel_types_find(btf, type, BTF_KIND_STRUCT);
        PathWalk w = { .btf = btf };

        if (id < 0 || !find_member(btf, btf__type_by_id(btf, (uint32_t) id), member, strlen(member), &w))
                return -ENOENT;
        *ret = w.offset;
        return 0;
}

int btf_path_to_member(const struct btf *btf, Hook *hook, size_t i, const char *type, const char *member, char **reterr) {
        HookArg *a = hook->args + i;
        uint32_t offset;

        if (btf_member_offset(btf, type, member, &offset) < 0)
                return kernel_error(reterr, -ENOTSUP, "the struct %s of this kernel has no %s", type, member);
        a->path = (struct sct_arg_path) {
                .base = hook->arg_specs[i].source, .n_steps = 1, .size_source = 0xff, .bytes = 8, .steps = { offset },
        };
        a->has_path = true;
        return 0;
}
