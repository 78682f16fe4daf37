/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

/* What a process was when it began, and what is different now: namespaces and capabilities at its first exec, or at its
 * fork as long as it has not had one. A later exec of the same process does not count, or "unshare -m sh" would hide what
 * unshare did. Invariant: a thread has its process's origin. Processes that were there before anybody asked have as their
 * origin what they were then. */

#include "maps.bpf.h"

#define SCT_PF_FORKNOEXEC 0x00000040

#define NSPROXY_ROW(number, member, type)                                        \
        case number:                                                              \
                in = bpf_core_field_offset(struct nsproxy, member);               \
                inum = bpf_core_field_offset(struct type, ns.inum);               \
                break

/* One namespace's inode number, 0 where the kernel has none. */
__weak __noinline u32 task_ns(u64 address, u32 number) {
        struct task_struct *task = (struct task_struct *) address;
        u64 at = (u64) BPF_CORE_READ(task, nsproxy);
        u32 in = 0, inum = bpf_core_field_offset(struct pid_namespace, ns.inum), result = 0;

        if (!USES(ORIGIN))
                return 0;
        switch (number) {
        NSPROXY_ROW(SCT_NS_UTS, uts_ns, uts_namespace);
        NSPROXY_ROW(SCT_NS_IPC, ipc_ns, ipc_namespace);
        NSPROXY_ROW(SCT_NS_MNT, mnt_ns, mnt_namespace);
        NSPROXY_ROW(SCT_NS_PID_FOR_CHILDREN, pid_ns_for_children, pid_namespace);
        NSPROXY_ROW(SCT_NS_NET, net_ns, net);
        NSPROXY_ROW(SCT_NS_TIME, time_ns, time_namespace);
        NSPROXY_ROW(SCT_NS_TIME_FOR_CHILDREN, time_ns_for_children, time_namespace);
        NSPROXY_ROW(SCT_NS_CGROUP, cgroup_ns, cgroup_namespace);
        case SCT_NS_USER:
                at = (u64) BPF_CORE_READ(task, cred);
                in = bpf_core_field_offset(struct cred, user_ns);
                inum = bpf_core_field_offset(struct user_namespace, ns.inum);
                break;
        default:                     /* of processes: the deepest one that the task has a number in */
                at = (u64) BPF_CORE_READ(task, thread_pid);
                in = bpf_core_field_offset(struct pid, numbers) + bpf_core_field_offset(struct upid, ns) +
                     (BPF_CORE_READ((struct pid *) at, level) & 31) * bpf_core_type_size(struct upid);
        }
        bpf_probe_read_kernel(&at, sizeof(at), (void *) at + in);
        bpf_probe_read_kernel(&result, sizeof(result), (void *) at + inum);
        return result;
}

/* The set of a field SCT_FIELD_CAPS_*, 0: effective. */
static __always_inline u64 task_caps(struct task_struct *task, u32 set) {
        const struct cred *cred = BPF_CORE_READ(task, cred);
        u64 caps = 0;

        if (set == 0)
                bpf_probe_read_kernel(&caps, sizeof(caps), &cred->cap_effective);
        else if (set == 1)
                bpf_probe_read_kernel(&caps, sizeof(caps), &cred->cap_permitted);
        else
                bpf_probe_read_kernel(&caps, sizeof(caps), &cred->cap_inheritable);
        return caps;
}

/* Notes what the task at `address` is now as its origin. */
__weak __noinline int origin_note(struct sct_task *t, u64 address) {
        struct task_struct *task = (struct task_struct *) address;
        u32 i;

        if (!t || !USES(ORIGIN))
                return -1;
#pragma clang loop unroll(disable)
        for (i = 0; i < _SCT_NS_MAX; i++)
                t->origin_ns[i] = task_ns((u64) task, i);
        for (i = 0; i < 3; i++)
                t->origin_caps[i] = task_caps(task, i);
        t->origin_flags |= SCT_ORIGIN_KNOWN;
        return 0;
}

/* SCT_FIELD_NS_CHANGED and SCT_FIELD_CAPS_*_CHANGED of the current task, now. Returns 0 when the origin is not known. */
__weak __noinline int origin_changed(struct sct_task *t, u32 field, u64 *ret) {
        struct task_struct *task = (struct task_struct *) bpf_get_current_task();
        u64 changed = 0;
        u32 i;

        if (!t || !ret || !USES(ORIGIN) || !(t->origin_flags & SCT_ORIGIN_KNOWN))
                return 0;
        if (field == SCT_FIELD_NS_CHANGED) {
                /* Unrolled it would keep ten results on the stack. */
#pragma clang loop unroll(disable)
                for (i = 0; i < _SCT_NS_MAX; i++)
                        changed |= (u64) (t->origin_ns[i] != task_ns((u64) task, i)) << i;
        } else if (field == SCT_FIELD_CAPS_EFFECTIVE_CHANGED)
                changed = t->origin_caps[0] ^ task_caps(task, 0);
        else if (field == SCT_FIELD_CAPS_PERMITTED_CHANGED)
                changed = t->origin_caps[1] ^ task_caps(task, 1);
        else
                changed = t->origin_caps[2] ^ task_caps(task, 2);
        *ret = changed;
        return 1;
}

/* A new task: a thread begins as its creator did, a process as it is. Both were given storage by the caller. */
static __always_inline void origin_fork(struct sct_task *parent, struct sct_task *child, u64 task, int is_thread) {
        u32 i;

        if (!is_thread || !(parent->origin_flags & SCT_ORIGIN_KNOWN)) {
                origin_note(child, task);
                return;
        }
        for (i = 0; i < _SCT_NS_MAX; i++)
                child->origin_ns[i] = parent->origin_ns[i];
        for (i = 0; i < 3; i++)
                child->origin_caps[i] = parent->origin_caps[i];
        child->origin_flags |= parent->origin_flags;
}

static __always_inline void origin_exec(struct sct_task *t, u64 task) {
        if (t->origin_flags & SCT_ORIGIN_EXECED)
                return;
        origin_note(t, task);
        t->origin_flags |= SCT_ORIGIN_EXECED;
}

/* A task that is first looked at while it runs. */
static __always_inline void origin_first_sight(struct sct_task *t, u64 task) {
        if (t->origin_flags & SCT_ORIGIN_KNOWN)
                return;
        origin_note(t, task);
        if (!(BPF_CORE_READ((struct task_struct *) task, flags) & SCT_PF_FORKNOEXEC))
                t->origin_flags |= SCT_ORIGIN_EXECED;
}
