/* SPDX-License-Identifier: GPL-2.0-only OR LGPL-2.1-or-later */
#pragma once

/* The words that both sides read while events pass: in the kernel side's .bss, which the daemon maps. */

#include "types.h"

enum sct_reader_state {
        SCT_READER_AWAKE = 0,        /* reads, or was just woken: no wake-up */
        SCT_READER_TIMER = 1,        /* comes by itself in milliseconds: wake it only when much is pending */
        SCT_READER_ASLEEP = 2,       /* has no timer: the next record wakes it */
};

struct sct_state {
        u32 generation;              /* active generation; its parity selects the tables; 0: nothing is active */
        u32 active_instance;         /* programs of this instance work, all others return at once */
        u32 reader;                  /* enum sct_reader_state */
        u32 syscalls_all;            /* bit 0: sys_enter wanted, bit 1: sys_exit wanted (pseudo events) */
        u64 wakeup_bytes;            /* pending bytes that wake a reader on its timer */
        u64 n_lost, n_truncated, n_faults, n_path_errors, n_internal;
        u64 epoch;                   /* raised when cached answers no longer hold: a process was excluded, journald moved */
        u64 journal_ino, journal_cgroup;
        u32 journal_dev;             /* kernel encoding: major << 20 | minor */
        u32 synacks_seen;            /* programs at a cgroup's egress see SYN-ACKs of IPv6: since 6.6 (223f5f79f2ce) */
        u64 closed_seen;             /* a connection without a socket was put down: arriving packets may be of one */
        /* The daemon writes this for every event: on a cache line of its own, or each system call that a program looks
         * at meanwhile would have to fetch the words above anew. */
        u64 apart[6];
        /* System calls of any task between entry and exit that a rule may want. While it is 0 no exit needs to look further.
         * Changes with each such call. */
        u64 n_pending;
        u64 n_stamps;                /* sct_task.stamp: the last one given */
        u64 pending_end[6];
        u64 next_seq;                /* user space's */
        u64 flushed_seq;             /* user space's: all numbers below it have reached the outputs */
        u64 apart_end[6];
};
