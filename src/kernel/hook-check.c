/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether this kernel, and this version, can serve a hook that a policy brings: the place exists, the arguments are what
 * the policy says, everything it asks is there. What is refused is refused with a sentence, before anything changes: an
 * argument that would read a wrong register is an error here and never garbage in a record. */

#include <bpf/btf.h>
#include <errno.h>
#include <stdio.h>

#include "kernel-internal.h"
#include "../policy/hook.h"

/* The struct that an argument type reads, as the function's prototype must name it. NULL: a number or a string. */
static const char *const type_structs[_SCT_ARG_TYPE_MAX] = {
        [SCT_ARG_FILE] = "file",
        [SCT_ARG_KPATH] = "path",
        [SCT_ARG_DENTRY] = "dentry",
        [SCT_ARG_KIOCB] = "kiocb",
        [SCT_ARG_BINPRM] = "linux_binprm",
        [SCT_ARG_FILENAME] = "filename",
        [SCT_ARG_SOCK] = "sock",
        [SCT_ARG_SOCKET] = "socket",
        [SCT_ARG_CRED] = "cred",
        [SCT_ARG_USER_NS] = "user_namespace",
        [SCT_ARG_BPF_ATTR] = "bpf_attr",
        [SCT_ARG_BPF_PROG] = "bpf_prog",
        [SCT_ARG_BPF_MAP] = "bpf_map",
        [SCT_ARG_PERF_EVENT] = "perf_event",
        [SCT_ARG_MODULE] = "module",
        [SCT_ARG_LOAD_INFO] = "load_info",
        [SCT_ARG_NET_DEVICE] = "net_device",
};

/* Types that policies may name and that no program here reads yet. */
static bool type_is_read(uint8_t type) {
        return !IN_SET(type, SCT_ARG_SKB, SCT_ARG_IOVEC, SCT_ARG_IOV_ITER, SCT_ARG_KSOCKADDR, SCT_ARG_STRV,
                       SCT_ARG_TIMESPEC, SCT_ARG_NONE);
}

static const struct btf_type *skip_modifiers(const struct btf *btf, uint32_t id) {
        const struct btf_type *t = btf__type_by_id(btf, id);

        while (t && (btf_is_mod(t) || btf_is_typedef(t)))
                t = btf__type_by_id(btf, t->type);
        return t;
}

static int check_prototype(const struct btf *btf, const Hook *hook, const char *function, char **reterr) {
        int32_t id = btf__find_by_name_kind(btf, function, BTF_KIND_FUNC);
        const struct btf_type *proto;
        const struct btf_param *params;

        if (id < 0)
                return kernel_error(reterr, -ENOTSUP, "this kernel has no function %s that can be hooked; it may be "
                                    "spelt differently, be inlined, or be a system call (write syscall: true)", function);
        proto = btf__type_by_id(btf, btf__type_by_id(btf, id)->type);
        params = btf_params(proto);
        for (size_t i = 0; i < hook->n_args; i++) {
                const HookArg *arg = hook->args + i;
                const char *wanted = type_structs[arg->type];
                const struct btf_type *t;

                if (arg->index >= btf_vlen(proto))
                        return kernel_error(reterr, -ENOTSUP, "%s has %u arguments, there is none with index %u; the first "
                                            "one is 0", function, btf_vlen(proto), arg->index);
                if (arg->index > 5)
                        return kernel_error(reterr, -ENOTSUP, "argument %u of %s is not passed in a register; only the first "
                                            "six can be read here", arg->index, function);
                if (!wanted)
                        continue;
                t = skip_modifiers(btf, params[arg->index].type);
                if (t && btf_is_ptr(t))
                        t = skip_modifiers(btf, t->type);
                if (!t || !btf_is_composite(t) || strcmp(btf__name_by_offset(btf, t->name_off), wanted) != 0)
                        return kernel_error(reterr, -ENOTSUP, "argument %u of %s is no %s: the type %s does not fit it",
                                            arg->index, function, wanted, arg->type_name);
        }
        return 0;
}

static int check_functions(const Hook *hook, char **reterr) {
        struct btf *btf = btf__load_vmlinux_btf();
        int r = 0;

        if (!btf)
                return kernel_error(reterr, -ENOTSUP, "the kernel's type information cannot be read: %s", strerror(errno));
        if (hook->symbols && hook->symbols[0])
                for (char **s = hook->symbols; r >= 0 && *s; s++)
                        r = check_prototype(btf, hook, *s, reterr);
        else
                r = check_prototype(btf, hook, hook->call, reterr);
        btf__free(btf);
        return r;
}

static int check_tracepoint(const Hook *hook, char **reterr) {
        for (size_t i = 0; i < hook->n_args || i == 0; i++) {
                uint32_t index = hook->n_args > 0 ? hook->args[i].index : 0;
                TracepointField field;
                int r = tracepoint_field(hook->subsystem, hook->call, index, &field);

                if (r == -ERANGE)
                        return kernel_error(reterr, -ENOTSUP, "the tracepoint %s/%s has no field %u; the common fields count, "
                                            "see its format file", hook->subsystem, hook->call, index);
                if (r < 0)
                        return kernel_error(reterr, -ENOTSUP, "there is no tracepoint %s/%s here (%s); look for it in "
                                            "/sys/kernel/tracing/events", hook->subsystem, hook->call, strerror(-r));
        }
        return 0;
}

static int need(const FeatureSet *features, Feature f, char **reterr) {
        if (features->granted[f])
                return 0;
        return kernel_error(reterr, -ENOTSUP, "%s (%s)", feature_sentence(f), features->reason[f]);
}

/* Fields that conditions of hooks may ask and no program answers yet. */
static bool field_is_answered(uint16_t field) {
        if (IN_SET(field, SCT_FIELD_NS_CHANGED, SCT_FIELD_CAPS_EFFECTIVE_CHANGED, SCT_FIELD_CAPS_PERMITTED_CHANGED,
                   SCT_FIELD_CAPS_INHERITABLE_CHANGED, SCT_FIELD_EXE_TREE, SCT_FIELD_PARENT_EXE, SCT_FIELD_NS_TREE))
                return false;
        if (!SCT_FIELD_IS_ARG(field))
                return true;
        return IN_SET(SCT_FIELD_PART(field), SCT_PART_VALUE, SCT_PART_FAMILY, SCT_PART_PROTOCOL, SCT_PART_STATE,
                      SCT_PART_SPORT, SCT_PART_DPORT, SCT_PART_MODE);
}

static int check_rules(const Policy *policy, const Hook *hook, char **reterr) {
        for (size_t i = 0; i < policy->n_rules; i++) {
                const PolicyRule *rule = policy->rules + i;

                if (rule->hook != hook)
                        continue;
                for (size_t k = 0; k < rule->n_subject; k++)
                        if (!field_is_answered(rule->subject[k].field))
                                return kernel_error(reterr, -ENOTSUP, "selector %u asks for changes of namespaces or "
                                                    "capabilities, or for ancestors; this version does not answer that",
                                                    rule->selector);
                for (size_t e = 0; e < rule->n_events; e++)
                        for (size_t k = 0; k < rule->events[e].n_conditions; k++)
                                if (!field_is_answered(rule->events[e].conditions[k].field))
                                        return kernel_error(reterr, -ENOTSUP, "selector %u filters by addresses or gained "
                                                            "capabilities; this version does not answer that",
                                                            rule->selector);
                for (size_t k = 0; k < rule->n_actions; k++) {
                        const HookAction *a = rule->actions + k;

                        if (!IN_SET(a->kind, HOOK_ACTION_POST, HOOK_ACTION_NO_POST, HOOK_ACTION_SIGKILL,
                                    HOOK_ACTION_SIGNAL))
                                return kernel_error(reterr, -ENOTSUP, "the action %s is not available in this version; "
                                                    "Post, NoPost, Sigkill and Signal are", hook_action_to_string(a->kind));
                        if (a->rate_limit_usec > 0 || a->kernel_stack || a->user_stack || a->at_return)
                                return kernel_error(reterr, -ENOTSUP, "rateLimit, stack traces and actions at return are not "
                                                    "available in this version; leave them out of selector %u",
                                                    rule->selector);
                }
        }
        return 0;
}

int kernel_check_hook(const FeatureSet *features, const Policy *policy, const Hook *hook, char **reterr) {
        int r;

        for (size_t i = 0; i < hook->n_args; i++) {
                if (hook->args[i].source != HOOK_ARG_OF_HOOK || hook->args[i].resolve)
                        return kernel_error(reterr, -ENOTSUP, "data and resolve are not available in this version; name an "
                                            "argument of %s", hook->call);
                if (!type_is_read(hook->args[i].type))
                        return kernel_error(reterr, -ENOTSUP, "arguments of type %s cannot be read in this version; name the type of "
                                            "argument %u, or leave it out", hook->args[i].type_name, hook->args[i].index);
        }
        r = check_rules(policy, hook, reterr);
        if (r < 0)
                return r;

        switch (hook->kind) {
        case HOOK_KPROBE:
                if (hook->syscall && hook->syscall_spec)
                        return 0;
                if (hook->syscall)
                        return kernel_error(reterr, -ENOTSUP, "%s is no system call; write syscall: false for a kernel "
                                            "function", hook->call);
                r = features->granted[FEATURE_KPROBE_MULTI] ? 0 : need(features, FEATURE_KPROBE, reterr);
                return r < 0 ? r : check_functions(hook, reterr);
        case HOOK_TRACEPOINT:
                r = need(features, FEATURE_TRACEPOINT, reterr);
                return r < 0 ? r : check_tracepoint(hook, reterr);
        case HOOK_UPROBE:
                if (access(hook->path, R_OK) < 0)
                        return kernel_error(reterr, -ENOTSUP, "%s cannot be read: %s", hook->path, strerror(errno));
                return need(features, FEATURE_UPROBE, reterr);
        case HOOK_LSM:
                return kernel_error(reterr, -ENOTSUP, "lsmhooks are not available in this version; hook the function "
                                    "security_%s under kprobes", hook->call);
        default:
                return kernel_error(reterr, -ENOTSUP, "hooks of this kind are not available in this version; kprobes, "
                                    "tracepoints and uprobes are");
        }
}
