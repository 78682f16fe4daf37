/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

/* Kernel drift: flavors of structs that changed between 6.1 and today, and readers that ask CO-RE which one is there.
 * Everything that knows x86-64 stands in the last section and nowhere else on the BPF side. */

#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#ifndef __hidden
#define __hidden __attribute__((visibility("hidden")))
#endif

/* struct inode lost i_ctime to __i_ctime in 6.6 (13bc24457850) and that to i_ctime_sec/nsec in 6.11 (3aa63a569c64). */
struct inode___ctime_old {
        struct timespec64 i_ctime;
} __attribute__((preserve_access_index));
struct inode___ctime_66 {
        struct timespec64 __i_ctime;
} __attribute__((preserve_access_index));
struct inode___ctime_611 {
        s64 i_ctime_sec;
        u32 i_ctime_nsec;
} __attribute__((preserve_access_index));

static __always_inline u64 inode_ctime_ns(const struct inode *inode) {
        struct inode___ctime_611 *newest = (void *) inode;
        struct inode___ctime_66 *newer = (void *) inode;
        struct inode___ctime_old *old = (void *) inode;

        if (bpf_core_field_exists(newest->i_ctime_sec))
                /* Bit 31 of the nanoseconds says that somebody has read them (I_CTIME_QUERIED, 6.13, 4e40eff0b573). */
                return (u64) BPF_CORE_READ(newest, i_ctime_sec) * 1000000000ULL +
                       (BPF_CORE_READ(newest, i_ctime_nsec) & 0x7fffffff);
        if (bpf_core_field_exists(newer->__i_ctime))
                return (u64) BPF_CORE_READ(newer, __i_ctime.tv_sec) * 1000000000ULL +
                       BPF_CORE_READ(newer, __i_ctime.tv_nsec);
        return (u64) BPF_CORE_READ(old, i_ctime.tv_sec) * 1000000000ULL + BPF_CORE_READ(old, i_ctime.tv_nsec);
}

/* A kernel without CONFIG_MODULES has no such struct. */
struct load_info___modules {
        const char *name;
        unsigned long len;
        bool sig_ok;
} __attribute__((preserve_access_index));

/* ---- x86-64 -------------------------------------------------------------------------------------------------- */

#define SCT_TS_COMPAT 0x0002            /* arch/x86/include/asm/thread_info.h: this system call is a 32-bit one */
#define SCT_TIF_ADDR32 (1UL << 29)      /* the task runs a 32-bit program */
#define SCT_TASK_SIZE_MAX 0x00007fffffffffffULL

static __always_inline int syscall_is_compat(struct task_struct *task) {
        return (task->thread_info.status & SCT_TS_COMPAT) != 0;
}

/* The six arguments of a system call from the registers it was entered with. */
static __always_inline void syscall_args(struct pt_regs *regs, int compat, u64 a[8]) {
        if (compat) {
                a[0] = (u32) BPF_CORE_READ(regs, bx);
                a[1] = (u32) BPF_CORE_READ(regs, cx);
                a[2] = (u32) BPF_CORE_READ(regs, dx);
                a[3] = (u32) BPF_CORE_READ(regs, si);
                a[4] = (u32) BPF_CORE_READ(regs, di);
                a[5] = (u32) BPF_CORE_READ(regs, bp);
        } else {
                /* All in one read, because each costs as much as a lookup: they stand together, from r10 to di. */
                struct {
                        u64 r10, r9, r8, ax, cx, dx, si, di;
                } r = {};

                bpf_probe_read_kernel(&r, sizeof(r), &regs->r10);
                a[0] = r.di;
                a[1] = r.si;
                a[2] = r.dx;
                a[3] = r.r10;
                a[4] = r.r8;
                a[5] = r.r9;
        }
        a[6] = a[7] = 0;
}

/* The same of a call that is not a 32-bit one, where the verifier knows what regs points to. */
static __always_inline void syscall_args_direct(struct pt_regs *regs, u64 a[8]) {
        a[0] = regs->di;
        a[1] = regs->si;
        a[2] = regs->dx;
        a[3] = regs->r10;
        a[4] = regs->r8;
        a[5] = regs->r9;
        a[6] = a[7] = 0;
}

/* The number of the system call that the current task is in; -1 outside of one, as the kernel's entry code leaves it. */
static __always_inline s64 current_syscall_nr(struct task_struct *task) {
        struct pt_regs *regs = (struct pt_regs *) bpf_task_pt_regs(task);

        return BPF_CORE_READ(regs, orig_ax);
}

static __always_inline u64 syscall_nr(struct pt_regs *regs) {
        return BPF_CORE_READ(regs, orig_ax);
}
