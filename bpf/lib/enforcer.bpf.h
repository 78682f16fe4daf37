/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

/* Enforcers: a rule (NotifyEnforcer) marks the current task, and the next of the calls that its policy's enforcer lists
 * is stopped: it returns the error, the task gets the signal, and the mark is gone. A mark belongs to one thread, is not
 * inherited, and counts for the enforcers that it names alone. */

#include "buf.bpf.h"

struct sct_mark {
        u64 enforcers;               /* bit N: for the enforcer of number N; 0: no mark */
        s32 error;
        u32 signal;
};

struct {                             /* owner: kernel side; restart: kept */
        __uint(type, BPF_MAP_TYPE_TASK_STORAGE);
        __uint(map_flags, BPF_F_NO_PREALLOC);
        __type(key, int);
        __type(value, struct sct_mark);
} sct_marks __weak SEC(".maps");

struct {                             /* parity * SCT_HOOKS_MAX + place → enforcers that list it (owner: user space) */
        __uint(type, BPF_MAP_TYPE_ARRAY);
        __uint(max_entries, 2 * SCT_HOOKS_MAX);
        __type(key, u32);
        __type(value, u64);
} sct_enforcers __weak SEC(".maps");

/* SCT_OP_ENFORCER. A second mark of the same task replaces the error and the signal of the first. */
__weak __noinline int enforcer_notify(u32 enforcer, s32 error, u32 signal) {
        struct task_struct *task = bpf_get_current_task_btf();
        struct sct_mark *mark = bpf_task_storage_get(&sct_marks, task, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);

        if (!mark) {
                COUNT(n_internal);
                return -1;
        }
        mark->error = error;
        mark->signal = signal;
        mark->enforcers |= 1ULL << (enforcer & 63);
        return 0;
}

/* What a call at this place is to return instead, 0: nothing. */
__weak __noinline int enforcer_apply(u32 place, u32 generation) {
        u32 key = (generation & 1) * SCT_HOOKS_MAX + (place & (SCT_HOOKS_MAX - 1));
        u64 *enforcers = bpf_map_lookup_elem(&sct_enforcers, &key);
        struct task_struct *task;
        struct sct_mark *mark;

        if (!enforcers || !*enforcers)
                return 0;
        task = bpf_get_current_task_btf();
        mark = bpf_task_storage_get(&sct_marks, task, NULL, 0);
        if (!mark || !(mark->enforcers & *enforcers))
                return 0;
        mark->enforcers = 0;
        if (mark->signal)
                bpf_send_signal(mark->signal);
        return mark->error;
}
