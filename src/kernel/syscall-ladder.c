/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The rungs for system calls. Functions cost only the calls that are wanted, and all others nothing. Raw tracepoints see
 * every call of every task and cost each about 80 ns. The classic tracepoints (36 to 42 ns on all calls, 130 on their
 * own) are no rung: the kernel skips them for 32-bit calls (ARCH_TRACE_IGNORE_COMPAT_SYSCALLS), which would go unseen.
 *
 * kprobe.multi rather than fentry: one program for all functions, where fentry wants each function's own, verified at
 * some 40 ms a piece. But before 6.14 (4346ba160409) the kernel has places for a limited number of calls that are under way, four
 * times the number of functions on two processors: when as many wait, the return of the next one is not seen. */

#include <stdio.h>
#include <string.h>

#include "../basic/macro.h"
#include "kernel-internal.h"
#include "syscall-ladder.h"

/* With more calls than this, the raw tracepoints' constant cost is the smaller one. */
#define FUNCTIONS_MANY 64

/* The calls that are wanted, each once, though it may have a number in both tables. */
static size_t wanted_calls(const Plan *plan, const EventSpec **calls, size_t max) {
        size_t n = 0;

        for (unsigned i = 0; i < 2 * SCT_SYSCALL_NR_MAX; i++) {
                const EventSpec *spec;
                bool known = false;

                if (!plan->syscalls[i])
                        continue;
                spec = event_spec_by_syscall(i / SCT_SYSCALL_NR_MAX, i % SCT_SYSCALL_NR_MAX);
                if (!spec)
                        continue;
                for (size_t j = 0; j < n && !known; j++)
                        known = calls[j] == spec;
                if (known)
                        continue;
                if (n == max)
                        return max + 1;
                calls[n++] = spec;
        }
        return n;
}

static bool take_functions(const FeatureSet *features, SyscallSymbols *symbols, const EventSpec **calls, size_t n,
                           SyscallLadder *ret) {
        if (!features->granted[FEATURE_KPROBE_MULTI] || !kernel_is_since(6, 14) || syscall_symbols_load(symbols) < 0)
                return false;
        for (size_t i = 0; i < n; i++) {
                if (syscall_symbols_find(symbols, calls[i], ret->enter, SYSCALL_FUNCTIONS_MAX, &ret->n_enter) < 0)
                        return false;
                if (!calls[i]->no_return &&
                    syscall_symbols_find(symbols, calls[i], ret->exit, SYSCALL_FUNCTIONS_MAX, &ret->n_exit) < 0)
                        return false;
        }
        return ret->n_enter < SYSCALL_FUNCTIONS_MAX;
}

void syscall_ladder(const FeatureSet *features, SyscallSymbols *symbols, const Plan *plan, SyscallLadder *ret) {
        const EventSpec *calls[FUNCTIONS_MANY];
        size_t n;

        *ret = (SyscallLadder) {};
        if (plan->config.plan_sys_enter || plan->config.plan_sys_exit) {
                ret->rung = SYSCALL_RUNG_RAW;
                return;
        }
        n = wanted_calls(plan, calls, ELEMENTSOF(calls));
        if (n == 0)
                ret->rung = SYSCALL_RUNG_NONE;
        else if (n > ELEMENTSOF(calls))
                ret->rung = SYSCALL_RUNG_RAW;
        else if (take_functions(features, symbols, calls, n, ret))
                ret->rung = SYSCALL_RUNG_FUNCTIONS;
        else
                ret->rung = SYSCALL_RUNG_RAW;
}
