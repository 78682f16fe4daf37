/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether this kernel, and this version, can serve a hook that a policy brings: the place exists, the arguments are what
 * the policy says, everything it asks is there. What is refused is refused with a sentence, before anything changes: an
 * argument that would read a wrong register is an error here and never garbage in a record. */

#include <errno.h>
#include <stdio.h>

#include "hook-types.h"
#include "kernel-types.h"

static int check_tracepoint(const Hook *hook, char **reterr) {
        for (size_t i = 0; i < hook->n_args || i == 0; i++) {
                bool own = hook->n_args > 0 && hook->args[i].source == HOOK_ARG_OF_HOOK;
                uint32_t index = own ? hook->args[i].index : 0;
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

/* Some LSM hooks return nothing, or yes and no. */
static int check_lsm_error(const Hook *hook, char **reterr) {
        _cleanup_(kernel_types_unrefp) KernelTypes *types = kernel_types_ref();
        const struct btf_type *proto, *t;
        const struct btf *btf;
        char name[160];

        snprintf(name, sizeof(name), "bpf_lsm_%s", hook->call);
        if (kernel_types_function(types, name, &btf, &proto) <= 0)
                return 0;       /* said when its arguments are looked up */
        t = btf_plain(btf, proto->type);
        if (t && btf_is_int(t) && t->size == 4)
                return 0;
        return kernel_error(reterr, -ENOTSUP, "the LSM hook %s returns no error, so there is nothing to override; write "
                            "Sigkill, or another hook", hook->call);
}

static int need(const FeatureSet *features, Feature f, char **reterr) {
        if (features->granted[f])
                return 0;
        return kernel_error(reterr, -ENOTSUP, "%s (%s)", feature_sentence(f), features->reason[f]);
}

static int check_rules(const FeatureSet *features, const Policy *policy, const Hook *hook, char **reterr) {
        int r;

        for (size_t i = 0; i < policy->n_rules; i++) {
                const PolicyRule *rule = policy->rules + i;

                if (rule->hook != hook)
                        continue;
                r = hook_check_actions(features, hook, rule, reterr);
                if (r < 0)
                        return r;
        }
        return 0;
}

int kernel_check_hook(const FeatureSet *features, const Policy *policy, Hook *hook, char **reterr) {
        int r;

        r = check_rules(features, policy, hook, reterr);
        if (r >= 0)
                r = enforce_check(features, policy, hook, reterr);
        if (r < 0)
                return r;

        switch (hook->kind) {
        case HOOK_KPROBE:
                if (hook->syscall && (hook->syscall_spec || hook->n_members > 0))
                        return hook_settle(policy, hook, reterr);
                if (hook->syscall)
                        return kernel_error(reterr, -ENOTSUP, "%s is no system call; write syscall: false for a kernel "
                                            "function", hook->call);
                r = features->granted[FEATURE_KPROBE_MULTI] ? 0 : need(features, FEATURE_KPROBE, reterr);
                return r < 0 ? r : hook_settle(policy, hook, reterr);
        case HOOK_TRACEPOINT:
                r = need(features, FEATURE_TRACEPOINT, reterr);
                if (r >= 0)
                        r = check_tracepoint(hook, reterr);
                return r < 0 ? r : hook_settle(policy, hook, reterr);
        case HOOK_RAW_TRACEPOINT:
                r = need(features, FEATURE_RAW_TP, reterr);
                return r < 0 ? r : hook_settle(policy, hook, reterr);
        case HOOK_UPROBE:
                if (access(hook->path, R_OK) < 0)
                        return kernel_error(reterr, -ENOTSUP, "%s cannot be read: %s", hook->path, strerror(errno));
                r = need(features, FEATURE_UPROBE, reterr);
                return r < 0 ? r : hook_settle(policy, hook, reterr);
        case HOOK_LSM:
                r = need(features, FEATURE_LSM, reterr);
                if (r >= 0 && hook->overrides)
                        r = check_lsm_error(hook, reterr);
                return r < 0 ? r : hook_settle(policy, hook, reterr);
        case HOOK_LOADER:
                if (features->granted[FEATURE_LSM] || features->granted[FEATURE_KPROBE] ||
                    features->granted[FEATURE_KPROBE_MULTI])
                        return hook_settle(policy, hook, reterr);
                return kernel_error(reterr, -ENOTSUP, "loader sees files where they are mapped, by an LSM hook or a kprobe, "
                                    "and this kernel refuses both (%s); hook the system call mmap instead, with its fd "
                                    "argument", features->reason[FEATURE_KPROBE]);
        default:
                return -ENOTSUP;
        }
}
