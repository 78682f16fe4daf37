// SPDX-License-Identifier: GPL-2.0-only
/* Hooks that policies brought themselves (TracingPolicy). One program a kind of hook; which place it runs at is its
 * attach cookie, and a place leads to a chain of plans, one for each hook that policies put there. All plans of a chain
 * are judged, each on its own; among the rules of one plan the first that matches acts. */

#include "lib/arg-read.bpf.h"
#include "lib/event.bpf.h"
#include "lib/hook.bpf.h"

char LICENSE[] SEC("license") = "GPL";

SEC("kprobe.multi")
int sct_h_entry(struct pt_regs *ctx) {
        return hook_enter(bpf_get_attach_cookie(ctx), ctx, 0);
}

SEC("kprobe.multi")
int sct_h_return(struct pt_regs *ctx) {
        return hook_return(bpf_get_attach_cookie(ctx), PT_REGS_RC(ctx));
}

SEC("kprobe")
int sct_h_uprobe(struct pt_regs *ctx) {
        return hook_enter(bpf_get_attach_cookie(ctx), ctx, HOOK_USER);
}

/* A tracepoint's arguments are fields of its record: each plan's argument says at which offset and how long. */
SEC("tracepoint")
int sct_h_tp(struct pt_regs *ctx) {
        return hook_enter(bpf_get_attach_cookie(ctx), ctx, HOOK_RECORD);
}

/* System calls: the number leads to the place. */
static __always_inline u64 syscall_place(struct task_struct *task, u64 nr, u32 generation) {
        u32 key = (generation & 1) * 2 * SCT_SYSCALL_NR_MAX + (syscall_is_compat(task) ? SCT_SYSCALL_NR_MAX : 0), *place;

        if (nr >= SCT_SYSCALL_NR_MAX)
                return SCT_HOOKS_MAX;
        key += nr;
        place = bpf_map_lookup_elem(&sct_hsyscalls, &key);
        return place && *place ? *place - 1 : SCT_HOOKS_MAX;
}

SEC("tp_btf/sys_enter")
int BPF_PROG(sct_h_sysenter, struct pt_regs *regs, long nr) {
        u32 generation = active_generation();

        if (!generation)
                return 0;
        return hook_enter(syscall_place(bpf_get_current_task_btf(), nr, generation), regs, HOOK_USER | HOOK_SYSCALL);
}

SEC("tp_btf/sys_exit")
int BPF_PROG(sct_h_sysexit, struct pt_regs *regs, long retval) {
        u32 generation = active_generation();

        if (!generation)
                return 0;
        return hook_return(syscall_place(bpf_get_current_task_btf(), syscall_nr(regs), generation), retval);
}
