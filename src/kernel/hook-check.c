/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether this kernel, and this version, can serve a hook that a policy brings: the place exists, the arguments are what
 * the policy says, everything it asks is there. What is refused is refused with a sentence, before anything changes: an
 * argument that would read a wrong register is an error here and never garbage in a record. */

#include <bpf/btf.h>
#include <errno.h>
#include <stdio.h>

#include "hook-functions.h"
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

/* What a place hands on: `skip` arguments of the prototype are not the policy's, `n_max` can be read. */
typedef struct Prototype {
        const struct btf *btf;
        const struct btf_type *proto;
        const char *name;
        unsigned skip, n_max;
} Prototype;

static int check_prototype(const Prototype *p, const Hook *hook, char **reterr) {
        const struct btf_param *params = btf_params(p->proto) + p->skip;
        unsigned n = btf_vlen(p->proto) > p->skip ? btf_vlen(p->proto) - p->skip : 0;

        for (size_t i = 0; i < hook->n_args; i++) {
                const HookArg *arg = hook->args + i;
                const char *wanted = type_structs[arg->type];
                const struct btf_type *t;

                if (arg->source != HOOK_ARG_OF_HOOK)
                        continue;
                if (arg->index >= n)
                        return kernel_error(reterr, -ENOTSUP, "%s has %u arguments, there is none with index %u; the first "
                                            "one is 0", p->name, n, arg->index);
                if (arg->index >= p->n_max)
                        return kernel_error(reterr, -ENOTSUP, "argument %u of %s cannot be reached; only the first %u can be "
                                            "read here", arg->index, p->name, p->n_max);
                if (!wanted)
                        continue;
                t = skip_modifiers(p->btf, params[arg->index].type);
                if (t && btf_is_ptr(t))
                        t = skip_modifiers(p->btf, t->type);
                if (!t || !btf_is_composite(t) || strcmp(btf__name_by_offset(p->btf, t->name_off), wanted) != 0)
                        return kernel_error(reterr, -ENOTSUP, "argument %u of %s is no %s: the type %s does not fit it",
                                            arg->index, p->name, wanted, arg->type_name);
        }
        return 0;
}

static int check_function(KernelTypes *t, const Hook *hook, const char *function, char **reterr) {
        Prototype p = { .name = function, .n_max = 6 };
        int r;

        r = kernel_types_function(t, function, &p.btf, &p.proto);
        if (r == -ENOENT)
                return kernel_error(reterr, -ENOTSUP, "this kernel has no function %s that can be hooked; it may be "
                                    "spelt differently, be inlined, or be a system call (write syscall: true)", function);
        if (r < 0)
                return kernel_error(reterr, -ENOTSUP, "the kernel's type information cannot be read: %s", strerror(-r));
        if (r == 0 && hook->n_args > 0)
                return kernel_error(reterr, -ENOTSUP, "nothing says what the arguments of %s are: this kernel has no type "
                                    "information for it; hook it without args", function);
        return r == 0 ? 0 : check_prototype(&p, hook, reterr);
}

static int check_functions(const Hook *hook, char **reterr) {
        _cleanup_(kernel_types_done) KernelTypes t = {};
        int r = 0;

        if (hook->n_members == 0)
                return check_function(&t, hook, hook->call, reterr);
        for (size_t i = 0; r >= 0 && i < hook->n_members; i++)
                r = check_function(&t, hook, hook->members[i].spec.name, reterr);
        return r;
}

static bool returns_int(const Prototype *p) {
        const struct btf_type *t = skip_modifiers(p->btf, p->proto->type);

        return t && btf_is_int(t) && t->size == 4;
}

/* What BPF programs are called for stands in the kernel as bpf_lsm_HOOK. */
static int check_lsm(const Hook *hook, char **reterr) {
        _cleanup_(kernel_types_done) KernelTypes t = {};
        Prototype p = { .name = hook->call, .n_max = 8 };
        char name[160];
        int r;

        snprintf(name, sizeof(name), "bpf_lsm_%s", hook->call);
        r = kernel_types_function(&t, name, &p.btf, &p.proto);
        if (r <= 0)
                return kernel_error(reterr, -ENOTSUP, "this kernel has no LSM hook %s; hooks are named like file_open, "
                                    "without security_", hook->call);
        if (hook->overrides && !returns_int(&p))
                return kernel_error(reterr, -ENOTSUP, "the LSM hook %s returns no error, so there is nothing to override; "
                                    "write Sigkill, or another hook", hook->call);
        return check_prototype(&p, hook, reterr);
}

static int check_raw_tracepoint(const Hook *hook, char **reterr) {
        _cleanup_(kernel_types_done) KernelTypes t = {};
        Prototype p = { .name = hook->call, .skip = 1, .n_max = 8 };

        if (kernel_types_tracepoint(&t, hook->call, &p.btf, &p.proto) < 0)
                return kernel_error(reterr, -ENOTSUP, "there is no raw tracepoint %s here; look for its name in "
                                    "/sys/kernel/tracing/events/%s, and leave out raw for those of system calls by name",
                                    hook->call, hook->subsystem);
        return check_prototype(&p, hook, reterr);
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
                                    HOOK_ACTION_SIGNAL, HOOK_ACTION_OVERRIDE, HOOK_ACTION_NOTIFY_ENFORCER))
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

        r = enforce_check(features, policy, hook, reterr);
        if (r < 0)
                return r;

        switch (hook->kind) {
        case HOOK_KPROBE:
                if (hook->syscall && (hook->syscall_spec || hook->n_members > 0))
                        return 0;
                if (hook->syscall)
                        return kernel_error(reterr, -ENOTSUP, "%s is no system call; write syscall: false for a kernel "
                                            "function", hook->call);
                r = features->granted[FEATURE_KPROBE_MULTI] ? 0 : need(features, FEATURE_KPROBE, reterr);
                return r < 0 ? r : check_functions(hook, reterr);
        case HOOK_TRACEPOINT:
                r = need(features, FEATURE_TRACEPOINT, reterr);
                return r < 0 ? r : check_tracepoint(hook, reterr);
        case HOOK_RAW_TRACEPOINT:
                r = need(features, FEATURE_RAW_TP, reterr);
                return r < 0 ? r : check_raw_tracepoint(hook, reterr);
        case HOOK_UPROBE:
                if (access(hook->path, R_OK) < 0)
                        return kernel_error(reterr, -ENOTSUP, "%s cannot be read: %s", hook->path, strerror(errno));
                return need(features, FEATURE_UPROBE, reterr);
        case HOOK_LSM:
                r = need(features, FEATURE_LSM, reterr);
                return r < 0 ? r : check_lsm(hook, reterr);
        case HOOK_LOADER:
                if (features->granted[FEATURE_LSM] || features->granted[FEATURE_KPROBE] ||
                    features->granted[FEATURE_KPROBE_MULTI])
                        return 0;
                return kernel_error(reterr, -ENOTSUP, "loader sees files where they are mapped, by an LSM hook or a kprobe, "
                                    "and this kernel refuses both (%s); hook the system call mmap instead, with its fd "
                                    "argument", features->reason[FEATURE_KPROBE]);
        default:
                return -ENOTSUP;
        }
}
