/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From a system call to the functions that serve it. A program on a function reads the call's number from the registers
 * that the function is given, so it does no harm to hook one that serves another number; to miss one would. Therefore
 * every spelling that exists is taken for the 32-bit ABI, whose table (arch/x86/entry/syscalls/syscall_32.tbl) leads to
 * functions by many names. x86-64 stands here and in bpf/lib/compat.bpf.h. */

#include <bpf/btf.h>
#include <errno.h>
#include <stdio.h>

#include "../basic/macro.h"
#include "syscall-symbols.h"

static int compare_names(const void *a, const void *b) {
        return strcmp(*(char *const *) a, *(char *const *) b);
}

void syscall_symbols_done(SyscallSymbols *s) {
        for (size_t i = 0; i < s->n; i++)
                free(s->names[i]);
        free(s->names);
        *s = (SyscallSymbols) {};
}

int syscall_symbols_load(SyscallSymbols *s) {
        struct btf *btf;
        int r = 0;

        if (s->loaded)
                return 0;
        btf = btf__load_vmlinux_btf();
        if (!btf)
                return -errno;
        for (uint32_t id = 1; id < btf__type_cnt(btf) && r >= 0; id++) {
                const struct btf_type *t = btf__type_by_id(btf, id);
                const char *name;

                if (!btf_is_func(t))
                        continue;
                name = btf__name_by_offset(btf, t->name_off);
                if (strncmp(name, "__x64_sys_", 10) != 0 && strncmp(name, "__ia32_", 7) != 0)
                        continue;
                if (!GREEDY_REALLOC(s->names, s->n_allocated, s->n + 1) || !(s->names[s->n] = strdup(name)))
                        r = -ENOMEM;
                else
                        s->n++;
        }
        btf__free(btf);
        if (r < 0) {
                syscall_symbols_done(s);
                return r;
        }
        qsort(s->names, s->n, sizeof(s->names[0]), compare_names);
        s->loaded = true;
        return 0;
}

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
        };

        for (size_t i = 0; i < ELEMENTSOF(renamed); i++)
                if (strcmp(renamed[i].name, spec->name) == 0)
                        return renamed[i].kernel_name;
        return spec->name;
}

static const char *find(const SyscallSymbols *s, const char *prefix, const char *name, const char *suffix) {
        char buffer[128], *key = buffer, **found;

        snprintf(buffer, sizeof(buffer), "%s%s%s", prefix, name, suffix);
        found = bsearch(&key, s->names, s->n, sizeof(s->names[0]), compare_names);
        return found ? *found : NULL;
}

static void add(const char *symbol, const char **symbols, size_t max, size_t *n) {
        if (!symbol || *n >= max)
                return;
        for (size_t i = 0; i < *n; i++)
                if (symbols[i] == symbol)
                        return;
        symbols[(*n)++] = symbol;
}

/* Calls that the 32-bit table serves by a function of another name. */
static const struct {
        const char *name, *function;
} ia32_functions[] = {
        { "umount", "oldumount" }, { "oldstat", "stat" }, { "oldfstat", "fstat" }, { "oldlstat", "lstat" },
        { "oldolduname", "olduname" }, { "olduname", "uname" }, { "old_mmap", "mmap" }, { "mmap2", "mmap_pgoff" },
        { "select", "old_select" }, { "readdir", "old_readdir" }, { "getrlimit", "old_getrlimit" },
        { "pread64", "pread" }, { "pwrite64", "pwrite" }, { "sendfile", "sendfile" }, { "sendfile32", "sendfile" },
        { "fcntl", "fcntl64" }, { "stat", "newstat" }, { "umount2", "umount" }, { "uname", "newuname" },
        { "newfstatat", "fstatat" }, { "clock_adjtime64", "clock_adjtime" },
};

int syscall_symbols_find(const SyscallSymbols *s, const EventSpec *spec, const char **symbols, size_t max, size_t *n) {
        static const char *const prefixes[] = { "__ia32_compat_sys_ia32_", "__ia32_compat_sys_x86_",
                                                "__ia32_compat_sys_", "__ia32_sys_ia32_", "__ia32_sys_" };
        static const char *const suffixes[] = { "", "16", "32", "64", "_time32", "_time64" };
        const char *names[4] = { syscall_kernel_name(spec), spec->name };
        size_t n_names = 2, before;
        int native, compat;

        event_syscall_numbers(spec, &native, &compat);
        if (native >= 0) {
                const char *symbol = find(s, "__x64_sys_", syscall_kernel_name(spec), "");

                if (!symbol)
                        symbol = find(s, "__x64_sys_", spec->name, "");
                if (!symbol)
                        return -ENOENT;
                add(symbol, symbols, max, n);
        }
        if (compat < 0)
                return 0;

        for (size_t i = 0; i < ELEMENTSOF(ia32_functions) && n_names < ELEMENTSOF(names); i++)
                if (strcmp(ia32_functions[i].name, spec->name) == 0)
                        names[n_names++] = ia32_functions[i].function;
        before = *n;
        for (size_t i = 0; i < n_names; i++)
                for (size_t p = 0; p < ELEMENTSOF(prefixes); p++)
                        for (size_t x = 0; x < ELEMENTSOF(suffixes); x++)
                                add(find(s, prefixes[p], names[i], suffixes[x]), symbols, max, n);
        return *n > before ? 0 : -ENOENT;
}
