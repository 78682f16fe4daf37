// SPDX-License-Identifier: GPL-2.0-only
/* Hooks that policies brought themselves (TracingPolicy). One program a kind of hook; which place it runs at is its
 * attach cookie, and a place leads to a chain of hooks, one for each that policies put there. All of a chain are judged,
 * each on its own; among the rules of one hook the first that matches acts.
 *
 * What makes a call return something else is enforce.bpf.c's: those programs are loaded once for every place. */

#include "lib/hook-run.bpf.h"

char LICENSE[] SEC("license") = "GPL";

HOOK_ENTER_STEP(enter_function, 0)
HOOK_ENTER_STEP(enter_user, HOOK_USER)
HOOK_ENTER_STEP(enter_record, HOOK_RECORD)
HOOK_ENTER_STEP(enter_raw, HOOK_RAW)
HOOK_ENTER_STEP(enter_syscall, HOOK_USER | HOOK_SYSCALL)
HOOK_RETURN_STEP(return_function, 0)
HOOK_RETURN_STEP(return_user, HOOK_USER)

static __always_inline struct hook_walk walk_begin(void *ctx, u64 place, s64 retval) {
        return (struct hook_walk) { .generation = active_generation(), .place = place, .ctx = ctx, .retval = retval };
}

SEC("kprobe.multi")
int sct_h_entry(struct pt_regs *ctx) {
        struct hook_walk w = walk_begin(ctx, bpf_get_attach_cookie(ctx), 0);

        if (hook_begin(&w))
                bpf_loop(HOOK_CHAIN_MAX, enter_function, &w, 0);
        if (w.generation)
                enforcer_apply(w.place, w.generation);
        return 0;
}

SEC("kprobe.multi")
int sct_h_return(struct pt_regs *ctx) {
        struct hook_walk w = walk_begin(ctx, bpf_get_attach_cookie(ctx), PT_REGS_RC(ctx));

        if (hook_begin(&w))
                bpf_loop(HOOK_CHAIN_MAX, return_function, &w, 0);
        return 0;
}

SEC("kprobe")
int sct_h_uprobe(struct pt_regs *ctx) {
        struct hook_walk w = walk_begin(ctx, bpf_get_attach_cookie(ctx), 0);

        if (hook_begin(&w))
                bpf_loop(HOOK_CHAIN_MAX, enter_user, &w, 0);
        return 0;
}

SEC("kprobe")
int sct_h_uret(struct pt_regs *ctx) {
        struct hook_walk w = walk_begin(ctx, bpf_get_attach_cookie(ctx), PT_REGS_RC(ctx));

        if (hook_begin(&w))
                bpf_loop(HOOK_CHAIN_MAX, return_user, &w, 0);
        return 0;
}

/* A tracepoint's arguments are fields of its record: each plan's argument says at which offset and how long. */
SEC("tracepoint")
int sct_h_tp(struct pt_regs *ctx) {
        struct hook_walk w = walk_begin(ctx, bpf_get_attach_cookie(ctx), 0);

        if (hook_begin(&w))
                bpf_loop(HOOK_CHAIN_MAX, enter_record, &w, 0);
        return 0;
}

/* Loaded once for every raw tracepoint. */
SEC("raw_tp")
int sct_h_rawtp(u64 *ctx) {
        struct hook_walk w = walk_begin(ctx, sct_place, 0);

        if (hook_begin(&w))
                bpf_loop(HOOK_CHAIN_MAX, enter_raw, &w, 0);
        return 0;
}

/* System calls: the number leads to the place. */
static __always_inline u64 syscall_place(struct task_struct *task, u64 nr, u32 generation) {
        u32 key = (generation & 1) * 2 * SCT_SYSCALL_NR_MAX + (syscall_is_compat(task) ? SCT_SYSCALL_NR_MAX : 0), *place;

        if (!generation || nr >= SCT_SYSCALL_NR_MAX)
                return SCT_HOOKS_MAX;
        key += nr;
        place = bpf_map_lookup_elem(&sct_hsyscalls, &key);
        return place && *place ? *place - 1 : SCT_HOOKS_MAX;
}

SEC("tp_btf/sys_enter")
int BPF_PROG(sct_h_sysenter, struct pt_regs *regs, long nr) {
        struct hook_walk w = walk_begin(regs, 0, 0);

        w.place = syscall_place(bpf_get_current_task_btf(), nr, w.generation);
        if (w.place >= SCT_HOOKS_MAX)
                return 0;
        if (hook_begin(&w))
                bpf_loop(HOOK_CHAIN_MAX, enter_syscall, &w, 0);
        enforcer_apply(w.place, w.generation);
        return 0;
}

/* The rule that notifies an enforcer may have run behind the program at sys_enter: the signal of its mark comes here,
 * where it does the same. */
SEC("tp_btf/sys_exit")
int BPF_PROG(sct_h_sysexit, struct pt_regs *regs, long retval) {
        struct hook_walk w = walk_begin(regs, 0, retval);

        w.place = syscall_place(bpf_get_current_task_btf(), syscall_nr(regs), w.generation);
        if (w.place >= SCT_HOOKS_MAX)
                return 0;
        if (hook_begin(&w))
                bpf_loop(HOOK_CHAIN_MAX, return_user, &w, 0);
        enforcer_apply(w.place, w.generation);
        return 0;
}

/* Names of descriptors go to children with the descriptors, and end with their process. Attached while a policy follows
 * descriptors. */
SEC("tp_btf/sched_process_fork")
int BPF_PROG(sct_h_fdfork, struct task_struct *parent, struct task_struct *child) {
        return active_generation() ? fd_fork(parent->tgid, child->tgid) : 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(sct_h_fdexit, struct task_struct *task) {
        return BPF_CORE_READ(task, signal, live.counter) == 0 ? fd_exit(task->tgid) : 0;
}
