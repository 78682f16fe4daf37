/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

/* Records into the ring. Waking the reader is the dearest thing a program can do to the task it traces (12 to 14 us
 * against 60 ns), so no record wakes it: only the first one after idleness, and the one that crosses the threshold. */

#include "subject.bpf.h"

/* How full the ring is stands where the reader writes, too: one record in four asks, by its time. */
#define WAKEUP_ASKS(time_ns) (((time_ns) >> 4 & 3) == 0)

static __always_inline u64 wakeup_flags(u64 time_ns) {
        u32 state = sct_state.reader;

        if (state == SCT_READER_AWAKE || (state == SCT_READER_TIMER && !WAKEUP_ASKS(time_ns)))
                return BPF_RB_NO_WAKEUP;
        if (state == SCT_READER_TIMER &&
            bpf_ringbuf_query(&sct_ring, BPF_RB_AVAIL_DATA) < sct_state.wakeup_bytes)
                return BPF_RB_NO_WAKEUP;
        /* One program wins the crossing. */
        if (__sync_val_compare_and_swap(&sct_state.reader, state, SCT_READER_AWAKE) != state)
                return BPF_RB_NO_WAKEUP;
        return BPF_RB_FORCE_WAKEUP;
}

struct lost_walk {
        struct sct_buf *b;
        u32 first;
};

static long lost_step(u32 i, struct lost_walk *w) {
        u32 rule = w->first + i;
        u64 *n;

        if (!((w->b->active[(rule / 64) & (SCT_BANKS_MAX - 1)] >> (rule & 63)) & 1))
                return 0;
        n = bpf_map_lookup_elem(&sct_lost_rules, &rule);
        if (n)
                __sync_fetch_and_add(n, 1);
        return 0;
}

/* Counts an event that found no room, also for each of its rules. Slow, but only when the ring is full. */
static __always_inline void emit_lost(struct sct_buf *b) {
        struct lost_walk w = { .b = b, .first = b->rec.bank_first * 64 };

        COUNT(n_lost);
        bpf_loop(b->rec.n_banks * 64, lost_step, &w, 0);
}

/* Appends the masks of matched rules and submits. */
__weak __noinline int emit(struct sct_buf *b, u32 bank_first, u32 n_banks) {
        u32 off, size;

        if (!b)
                return -1;
        off = b->used & ~7U;
        bank_first &= SCT_BANKS_MAX - 1;
        if (off > SCT_DATA_MAX - 8 * SCT_BANKS_MAX)
                off = SCT_DATA_MAX - 8 * SCT_BANKS_MAX;
        if (n_banks == 1)
                *(u64 *) (b->data + off) = b->active[bank_first];
        else if (n_banks > SCT_BANKS_MAX ||
                 bpf_probe_read_kernel(b->data + off, n_banks * 8, (void *) b->active + bank_first * 8))
                return -1;
        off += n_banks * 8;
        b->rec.n_banks = n_banks;
        b->rec.bank_first = bank_first;
        b->rec.lost = sct_state.n_lost;
        size = sizeof(b->rec) + off;
        if (size > sizeof(b->rec) + SCT_DATA_MAX)
                return -1;
        if (bpf_ringbuf_output(&sct_ring, &b->rec, size, wakeup_flags(b->rec.time_ns))) {
                emit_lost(b);
                return -1;
        }
        return 0;
}

/* A bookkeeping record about a cgroup. */
static __always_inline void emit_cgroup(struct sct_buf *b, u32 type, u64 cgroup_id) {
        b->stamp = 0;
        __builtin_memset(&b->rec, 0, sizeof(b->rec));
        b->rec.type = type;
        b->rec.cgroup_id = cgroup_id;
        b->rec.time_ns = bpf_ktime_get_boot_ns();
        b->rec.generation = sct_state.generation;
        b->rec.lost = sct_state.n_lost;
        if (bpf_ringbuf_output(&sct_ring, &b->rec, sizeof(b->rec), wakeup_flags(0)))
                COUNT(n_internal);
}
