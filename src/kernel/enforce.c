/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What this kernel lets a policy enforce: Override and NotifyEnforcer. A call can be made to return something else where
 * an LSM program says so, where a security_* function may be modified (fmod_ret), and, of system calls, where the kernel
 * has error injection. What is refused is refused with what to hook instead. Signals need none of this. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "kernel-internal.h"
#include "../policy/hook.h"

/* The security hook that decides over a system call, for the sentence. */
static const struct {
        const char *name, *hook;
} deciders[] = {
        { "open", "file_open" }, { "openat", "file_open" }, { "openat2", "file_open" }, { "creat", "file_open" },
        { "symlink", "inode_symlink" }, { "symlinkat", "inode_symlink" }, { "link", "inode_link" },
        { "linkat", "inode_link" }, { "unlink", "inode_unlink" }, { "unlinkat", "inode_unlink" },
        { "rmdir", "inode_rmdir" }, { "mkdir", "inode_mkdir" }, { "mkdirat", "inode_mkdir" },
        { "mknod", "inode_mknod" }, { "mknodat", "inode_mknod" }, { "rename", "inode_rename" },
        { "renameat", "inode_rename" }, { "renameat2", "inode_rename" }, { "chmod", "inode_setattr" },
        { "fchmod", "inode_setattr" }, { "fchmodat", "inode_setattr" }, { "chown", "inode_setattr" },
        { "fchown", "inode_setattr" }, { "lchown", "inode_setattr" }, { "fchownat", "inode_setattr" },
        { "truncate", "inode_setattr" }, { "ftruncate", "inode_setattr" }, { "setxattr", "inode_setxattr" },
        { "execve", "bprm_check_security" }, { "execveat", "bprm_check_security" }, { "read", "file_permission" },
        { "pread64", "file_permission" }, { "readv", "file_permission" }, { "write", "file_permission" },
        { "pwrite64", "file_permission" }, { "writev", "file_permission" }, { "ioctl", "file_ioctl" },
        { "mmap", "mmap_file" }, { "mprotect", "file_mprotect" }, { "socket", "socket_create" },
        { "bind", "socket_bind" }, { "connect", "socket_connect" }, { "listen", "socket_listen" },
        { "accept", "socket_accept" }, { "accept4", "socket_accept" }, { "sendto", "socket_sendmsg" },
        { "sendmsg", "socket_sendmsg" }, { "sendmmsg", "socket_sendmsg" }, { "recvfrom", "socket_recvmsg" },
        { "recvmsg", "socket_recvmsg" }, { "recvmmsg", "socket_recvmsg" }, { "kill", "task_kill" },
        { "tkill", "task_kill" }, { "tgkill", "task_kill" }, { "ptrace", "ptrace_access_check" },
        { "process_vm_readv", "ptrace_access_check" }, { "process_vm_writev", "ptrace_access_check" },
        { "mount", "sb_mount" }, { "umount2", "sb_umount" }, { "pivot_root", "sb_pivotroot" },
        { "setuid", "task_fix_setuid" }, { "setreuid", "task_fix_setuid" }, { "setresuid", "task_fix_setuid" },
        { "setgid", "task_fix_setgid" }, { "bpf", "bpf" }, { "perf_event_open", "perf_event_open" },
        { "init_module", "kernel_load_data" }, { "finit_module", "kernel_read_file" }, { "clone", "task_alloc" },
        { "clone3", "task_alloc" }, { "fork", "task_alloc" }, { "vfork", "task_alloc" }, { "prctl", "task_prctl" },
        { "unshare", "capable" }, { "setns", "capable" }, { "settimeofday", "settime" }, { "clock_settime", "settime" },
};

static const char *find_decider(const EventSpec *syscall) {
        for (size_t i = 0; i < ELEMENTSOF(deciders); i++)
                if (strcmp(deciders[i].name, syscall->name) == 0)
                        return deciders[i].hook;
        return NULL;
}

static int check_syscall(const FeatureSet *features, const EventSpec *syscall, const char *what, char **reterr) {
        const char *decider = find_decider(syscall);

        if (features->granted[FEATURE_ERROR_INJECTION])
                return 0;
        if (!decider)
                return kernel_error(reterr, -ENOTSUP, "%s cannot stop the system call %s: %s", what, syscall->name,
                                    feature_sentence(FEATURE_ERROR_INJECTION));
        return kernel_error(reterr, -ENOTSUP, "%s cannot stop the system call %s: the kernel has no error injection "
                            "(CONFIG_FUNCTION_ERROR_INJECTION); hook %s under lsmhooks, or security_%s under kprobes with "
                            "syscall: false, and override that instead", what, syscall->name, decider, decider);
}

static int check_function(const FeatureSet *features, const char *function, bool overrides, char **reterr) {
        Feature wanted = overrides ? FEATURE_FMOD_RET : FEATURE_KPROBE;

        if (features->granted[wanted] || (!overrides && features->granted[FEATURE_KPROBE_MULTI]))
                return 0;
        return kernel_error(reterr, -ENOTSUP, "%s cannot be stopped here: %s (%s)", function, feature_sentence(wanted),
                            features->reason[wanted]);
}

bool enforcer_overrides(const Policy *policy) {
        for (size_t i = 0; i < policy->n_rules; i++)
                for (size_t k = 0; k < policy->rules[i].n_actions; k++) {
                        const HookAction *a = policy->rules[i].actions + k;

                        if (a->kind == HOOK_ACTION_NOTIFY_ENFORCER && a->error != 0)
                                return true;
                }
        return false;
}

static int check_enforcer(const FeatureSet *features, const Policy *policy, char **reterr) {
        bool overrides = enforcer_overrides(policy);
        int r = 0;

        for (char **call = policy->enforcer_calls; r >= 0 && call && *call; call++) {
                bool native, compat;
                const EventSpec *syscall = tracing_find_listed_syscall(*call, &native, &compat);

                if (!syscall)
                        r = check_function(features, *call, overrides, reterr);
                else if (overrides)
                        r = check_syscall(features, syscall, "The enforcer", reterr);
        }
        return r;
}

/* Whether a rule waits for what the call returns, or fills. */
static bool rule_waits(const PolicyRule *rule, const Hook *hook) {
        for (size_t e = 0; e < rule->n_events; e++)
                for (size_t i = 0; i < rule->events[e].n_conditions; i++) {
                        uint16_t field = rule->events[e].conditions[i].field;

                        if (field == SCT_FIELD_RETVAL ||
                            (SCT_FIELD_IS_ARG(field) && SCT_FIELD_ARG_INDEX(field) < hook->spec.n_args &&
                             hook->spec.args[SCT_FIELD_ARG_INDEX(field)].flags & SCT_ARG_PLAN_EXIT))
                                return true;
                }
        return false;
}

static int check_override(const FeatureSet *features, const Hook *hook, const HookAction *a, char **reterr) {
        int r = 0;

        if (a->error == 0)
                return kernel_error(reterr, -ENOTSUP, "Override with argError 0 would let the call run; write an error, for "
                                    "example -1 for EPERM");
        if (hook->kind == HOOK_LSM)
                return 0;
        if (!hook->syscall)
                return check_function(features, hook->call, true, reterr);
        if (hook->syscall_spec)
                return check_syscall(features, hook->syscall_spec, "Override", reterr);
        for (size_t i = 0; r >= 0 && i < hook->n_members; i++)
                r = check_syscall(features, hook->members[i].syscall, "Override", reterr);
        return r;
}

int enforce_check(const FeatureSet *features, const Policy *policy, const Hook *hook, char **reterr) {
        int r = 0;

        for (size_t i = 0; i < policy->n_rules; i++) {
                const PolicyRule *rule = policy->rules + i;

                if (rule->hook != hook)
                        continue;
                if (hook->overrides && rule_waits(rule, hook))
                        return kernel_error(reterr, -ENOTSUP, "a hook with Override is judged before the call runs, and "
                                            "selector %u waits for its return; write that one into a hook of its own",
                                            rule->selector);
                for (size_t k = 0; r >= 0 && k < rule->n_actions; k++) {
                        if (rule->actions[k].kind == HOOK_ACTION_OVERRIDE)
                                r = check_override(features, hook, rule->actions + k, reterr);
                        else if (rule->actions[k].kind == HOOK_ACTION_NOTIFY_ENFORCER)
                                r = check_enforcer(features, policy, reterr);
                }
                if (r < 0)
                        return r;
        }
        return 0;
}
