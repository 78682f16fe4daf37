// SPDX-License-Identifier: GPL-2.0-only
/* The least that a hook can cost: nothing at all, and one record of a given size. */

#include <vmlinux.h>

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char LICENSE[] SEC("license") = "GPL";

#define RECORD_MAX 4096

const volatile u32 record_size = 256;
const volatile u32 wanted_tgid = 0;
const volatile s64 wanted_nr = 0;

u64 n_lost;

struct record {
        u8 data[RECORD_MAX];
};

struct {
        __uint(type, BPF_MAP_TYPE_RINGBUF);
        __uint(max_entries, 8 * 1024 * 1024);
} ring SEC(".maps");

struct {
        __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
        __uint(max_entries, 1);
        __type(key, u32);
        __type(value, struct record);
} record SEC(".maps");

SEC("tp_btf/sys_enter")
int BPF_PROG(empty_enter, struct pt_regs *regs, long nr) {
        return 0;
}

SEC("tp_btf/sys_exit")
int BPF_PROG(empty_exit, struct pt_regs *regs, long retval) {
        return 0;
}

SEC("tp_btf/sys_exit")
int BPF_PROG(output_exit, struct pt_regs *regs, long retval) {
        u32 zero = 0;
        void *r;

        if (regs->orig_ax != wanted_nr || bpf_get_current_pid_tgid() >> 32 != wanted_tgid)
                return 0;
        r = bpf_map_lookup_elem(&record, &zero);
        if (r && record_size <= RECORD_MAX && bpf_ringbuf_output(&ring, r, record_size, BPF_RB_NO_WAKEUP))
                __sync_fetch_and_add(&n_lost, 1);
        return 0;
}
