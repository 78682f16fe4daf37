/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How the wanted system calls of a plan are hooked. */

#include "kernel.h"

#define SYSCALL_CLASSIC_MAX 16

typedef struct SyscallLadder {
        bool raw;                                         /* raw sys_enter and sys_exit: all calls pass there */
        const EventSpec *classic[SYSCALL_CLASSIC_MAX];    /* else: the classic tracepoints of these calls */
        size_t n_classic;
} SyscallLadder;

void syscall_ladder(const FeatureSet *features, const Plan *plan, SyscallLadder *ret);

/* The name that the kernel's tracepoints and entry functions use ("newstat" for stat). Static string. */
const char *syscall_kernel_name(const EventSpec *spec);
