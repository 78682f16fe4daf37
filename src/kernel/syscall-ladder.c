/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The rungs for system calls. Raw tracepoints see every call of every task, 32-bit ones too, and cost each about 80 ns;
 * classic ones cost 36 to 42 ns on all calls and 130 on their own, and are skipped by the kernel for 32-bit calls
 * (ARCH_TRACE_IGNORE_COMPAT_SYSCALLS). So they serve a few calls on a kernel without the 32-bit ABI. */

#include <stdio.h>
#include <string.h>

#include "../basic/macro.h"
#include "syscall-ladder.h"

/* tests/bench/README.md says where the turning point lies. */
#define CLASSIC_FEW 4

const char *syscall_kernel_name(const EventSpec *spec) {
        static const struct {
                const char *name, *kernel_name;
        } renamed[] = {
                { "stat", "newstat" },
                { "fstat", "newfstat" },
                { "lstat", "newlstat" },
                { "uname", "newuname" },
                { "umount2", "umount" },
                { "sendfile", "sendfile64" },
                { "pread64", "pread64" },
        };

        for (size_t i = 0; i < ELEMENTSOF(renamed); i++)
                if (strcmp(renamed[i].name, spec->name) == 0)
                        return renamed[i].kernel_name;
        return spec->name;
}

static bool has_tracepoint(const EventSpec *spec) {
        char path[160];

        snprintf(path, sizeof(path), "/sys/kernel/tracing/events/syscalls/sys_enter_%s", syscall_kernel_name(spec));
        return access(path, F_OK) == 0;
}

void syscall_ladder(const FeatureSet *features, const Plan *plan, SyscallLadder *ret) {
        *ret = (SyscallLadder) {};

        if (plan->config.plan_sys_enter || plan->config.plan_sys_exit) {
                ret->raw = true;
                return;
        }
        for (unsigned nr = 0; nr < SCT_SYSCALL_NR_MAX; nr++) {
                const EventSpec *spec;

                if (!plan->syscalls[nr])
                        continue;
                spec = event_spec_by_syscall(0, nr);
                if (!spec || ret->n_classic == CLASSIC_FEW || features->granted[FEATURE_IA32] ||
                    !features->granted[FEATURE_TRACEPOINT] || spec->no_return || !has_tracepoint(spec)) {
                        ret->raw = true;
                        break;
                }
                ret->classic[ret->n_classic++] = spec;
        }
        for (unsigned nr = SCT_SYSCALL_NR_MAX; nr < 2 * SCT_SYSCALL_NR_MAX && !ret->raw; nr++)
                ret->raw = plan->syscalls[nr] && features->granted[FEATURE_IA32];
        if (ret->raw)
                ret->n_classic = 0;
}
