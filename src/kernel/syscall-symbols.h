/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The entry functions of system calls that this kernel has, by BTF. */

#include <stdbool.h>
#include <stddef.h>

#include "../event/record.h"

typedef struct SyscallSymbols {
        char **names;        /* sorted: __x64_sys_*, __ia32_sys_*, __ia32_compat_sys_* */
        size_t n, n_allocated;
        bool loaded;
} SyscallSymbols;

int syscall_symbols_load(SyscallSymbols *s);
void syscall_symbols_done(SyscallSymbols *s);

/* Adds the functions that serve a call of the catalogue to symbols[] (borrowed strings), as many as fit. Fails with
 * -ENOENT when an ABI has the call and no function is known for it. */
int syscall_symbols_find(const SyscallSymbols *s, const EventSpec *spec, const char **symbols, size_t max, size_t *n);

/* The name that the kernel uses in tracepoints and functions ("newstat" for stat). Static string. */
const char *syscall_kernel_name(const EventSpec *spec);
