// SPDX-License-Identifier: GPL-2.0-only
/* Hooks whose program says what the call returns: LSM hooks, and functions that may be modified (fmod_ret: security_*,
 * and the entries of system calls where the kernel has error injection). What such a program is attached to is part of it,
 * so it is loaded once for every place; everything else is as in hook.bpf.c. */

#include "lib/hook-run.bpf.h"

char LICENSE[] SEC("license") = "GPL";

HOOK_ENTER_STEP(enter_trampoline, HOOK_TRAMPOLINE)
HOOK_ENTER_STEP(enter_entry, HOOK_TRAMPOLINE | HOOK_USER | HOOK_SYSCALL)

/* The kernel takes errors from -4095 to 0 (6.12, 5d99e198be27, refuses programs that could return others), and must see
 * that it is one: a mask and a difference are what its verifier follows. */
static __always_inline int as_error(s64 error) {
        u64 magnitude = -error;
        s64 zero = 0;

        barrier_var(magnitude);
        magnitude &= 4095;
        barrier_var(magnitude);
        barrier_var(zero);
        return zero - magnitude;
}

SEC("lsm/file_open")
int sct_h_lsm(u64 *ctx) {
        struct hook_walk w = { .generation = active_generation(), .place = sct_place, .ctx = ctx };

        if (!w.generation)
                return 0;
        if (hook_begin(&w))
                bpf_loop(HOOK_CHAIN_MAX, enter_trampoline, &w, 0);
        if (!w.error)
                w.error = enforcer_apply(w.place, w.generation);
        return as_error(w.error);
}

/* A system call returns a long: the upper half of an int would be what nobody set, and the caller would see 4294967295. */
SEC("fmod_ret/security_file_open")
long sct_h_modret(u64 *ctx) {
        struct hook_walk w = { .generation = active_generation(), .place = sct_place, .ctx = ctx };

        if (!w.generation)
                return 0;
        if (hook_begin(&w)) {
                if (sct_place_syscall)
                        bpf_loop(HOOK_CHAIN_MAX, enter_entry, &w, 0);
                else
                        bpf_loop(HOOK_CHAIN_MAX, enter_trampoline, &w, 0);
        }
        if (!w.error)
                w.error = enforcer_apply(w.place, w.generation);
        return as_error(w.error);
}
