/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How the wanted system calls of a plan are hooked. */

#include "kernel.h"
#include "syscall-symbols.h"

#define SYSCALL_FUNCTIONS_MAX 512

typedef enum SyscallRung {
        SYSCALL_RUNG_NONE,          /* none is wanted */
        SYSCALL_RUNG_FUNCTIONS,     /* kprobe.multi on the entry functions of the wanted calls */
        SYSCALL_RUNG_RAW,           /* raw sys_enter and sys_exit: all calls pass there */
} SyscallRung;

typedef struct SyscallLadder {
        SyscallRung rung;
        const char *enter[SYSCALL_FUNCTIONS_MAX], *exit[SYSCALL_FUNCTIONS_MAX];   /* borrowed from the symbols */
        size_t n_enter, n_exit;
} SyscallLadder;

void syscall_ladder(const FeatureSet *features, SyscallSymbols *symbols, const Plan *plan, SyscallLadder *ret);
