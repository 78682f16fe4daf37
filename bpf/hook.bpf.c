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
