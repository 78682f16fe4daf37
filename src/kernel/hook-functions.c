/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which functions and tracepoints the kernel has: by BTF, that of the kernel and that of the module that has the function,
 * and by /proc/kallsyms, where also those stand that have no type. Lists by pattern are written out here, and hooks that
 * may be missing are found missing; both once in the life of a policy. */

#include <bpf/btf.h>
#include <errno.h>
#include <regex.h>
#include <stdio.h>

#include "../basic/string-util.h"
#include "hook-functions.h"
#include "../policy/hook.h"

#define PATTERN_FUNCTIONS_MAX 1024U     /* of one list: as many as a written one may have */

void kernel_types_done(KernelTypes *t) {
        btf__free(t->module);
        btf__free(t->vmlinux);
        *t = (KernelTypes) {};
}

static int load_vmlinux(KernelTypes *t) {
        if (t->vmlinux)
                return 0;
        t->vmlinux = btf__load_vmlinux_btf();
        return t->vmlinux ? 0 : -errno;
}

/* "ffffffffc0b7f000 t nf_nat_setup_info	[nf_nat]". 0 and the module, "" for the kernel itself, or -ENOENT. Symbols of
 * code only. */
static int find_symbol(const char *name, char ret_module[static 64]) {
        FILE *f = fopen("/proc/kallsyms", "re");
        char line[1024];
        int r = -ENOENT;

        if (!f)
                return -errno;
        while (r == -ENOENT && fgets(line, sizeof(line), f)) {
                char type, symbol[512], module[64] = "";

                if (sscanf(line, "%*s %c %511s [%63[^]]]", &type, symbol, module) < 2 || !strchr("tTwW", type) ||
                    strcmp(symbol, name) != 0)
                        continue;
                snprintf(ret_module, 64, "%s", module);
                r = 0;
        }
        fclose(f);
        return r;
}

static const struct btf_type *find_proto(const struct btf *btf, const char *name) {
        int32_t id = btf__find_by_name_kind(btf, name, BTF_KIND_FUNC);

        return id < 0 ? NULL : btf__type_by_id(btf, btf__type_by_id(btf, id)->type);
}

int kernel_types_function(KernelTypes *t, const char *name, const struct btf **ret_btf, const struct btf_type **ret_proto) {
        char module[64];
        int r;

        r = load_vmlinux(t);
        if (r < 0)
                return r;
        *ret_btf = t->vmlinux;
        *ret_proto = find_proto(t->vmlinux, name);
        if (*ret_proto)
                return 1;
        if (find_symbol(name, module) < 0)
                return -ENOENT;
        if (module[0]) {
                if (strcmp(t->module_name, module) != 0) {
                        btf__free(t->module);
                        t->module = btf__load_module_btf(module, t->vmlinux);
                        snprintf(t->module_name, sizeof(t->module_name), "%s", module);
                }
                *ret_btf = t->module;
                *ret_proto = t->module ? find_proto(t->module, name) : NULL;
        }
        return *ret_proto ? 1 : 0;
}

/* btf_trace_NAME is a pointer to the type of a probe function, whose first argument is the probe's own. */
int kernel_types_tracepoint(KernelTypes *t, const char *name, const struct btf **ret_btf, const struct btf_type **ret_proto) {
        const struct btf_type *type;
        char text[160];
        int32_t id;
        int r;

        r = load_vmlinux(t);
        if (r < 0)
                return r;
        snprintf(text, sizeof(text), "btf_trace_%s", name);
        id = btf__find_by_name_kind(t->vmlinux, text, BTF_KIND_TYPEDEF);
        if (id < 0)
                return -ENOENT;
        type = btf__type_by_id(t->vmlinux, btf__type_by_id(t->vmlinux, id)->type);
        if (!type || !btf_is_ptr(type))
                return -ENOENT;
        *ret_btf = t->vmlinux;
        *ret_proto = btf__type_by_id(t->vmlinux, type->type);
        return 0;
}

/* ---- Lists and hooks that may be missing ---- */

/* Functions that can be hooked, one a line; behind a space the module. */
static int match_functions(const regex_t *regex, char ***symbols, size_t *n) {
        FILE *f = fopen("/sys/kernel/tracing/available_filter_functions", "re");
        char line[1024];
        int r = 0;

        if (!f)
                return -errno;
        while (r >= 0 && fgets(line, sizeof(line), f)) {
                line[strcspn(line, " \t\n")] = 0;
                if (strchr(line, '.') || regexec(regex, line, 0, NULL, 0) != 0)
                        continue;
                if (++*n > PATTERN_FUNCTIONS_MAX)
                        r = -E2BIG;
                else
                        r = strv_extend(symbols, line);
        }
        fclose(f);
        return r;
}

static int expand_pattern(Hook *hook, char **reterr) {
        regex_t regex;
        size_t n = 0;
        int r;

        if (regcomp(&regex, hook->pattern, REG_EXTENDED | REG_NOSUB) != 0)
                return -EINVAL;
        r = match_functions(&regex, &hook->symbols, &n);
        regfree(&regex);
        if (r == -E2BIG)
                return kernel_error(reterr, -ENOTSUP, "more than %u functions have names like %s; write a narrower pattern",
                                    PATTERN_FUNCTIONS_MAX, hook->pattern);
        if (r == -ENOMEM)
                return r;
        if (r < 0)
                return kernel_error(reterr, -ENOTSUP, "which functions there are cannot be read from "
                                    "/sys/kernel/tracing/available_filter_functions (%s); write them as a list", strerror(-r));
        if (n == 0)
                return kernel_error(reterr, -ENOTSUP, "no function that can be hooked has a name like %s; see "
                                    "/sys/kernel/tracing/available_filter_functions", hook->pattern);
        return hook_make_members(hook);
}

static bool function_exists(KernelTypes *t, const char *name) {
        const struct btf_type *proto;
        const struct btf *btf;

        return kernel_types_function(t, name, &btf, &proto) >= 0;
}

/* Leaves out the members of a list that are not there. */
static int drop_missing(Hook *hook, KernelTypes *t) {
        size_t n = 0;

        for (size_t i = 0; i < hook->n_members; i++) {
                if (function_exists(t, hook->members[i].spec.name)) {
                        hook->members[n++] = hook->members[i];
                        continue;
                }
                free((char *) hook->members[i].spec.name);
        }
        hook->n_members = n;
        hook->absent = n == 0;
        for (size_t i = 0; hook->symbols && hook->symbols[i]; i++)
                free(hook->symbols[i]);
        for (size_t i = 0; i < n; i++) {
                hook->symbols[i] = strdup(hook->members[i].spec.name);
                if (!hook->symbols[i])
                        return -ENOMEM;
        }
        if (hook->symbols)
                hook->symbols[n] = NULL;
        return 0;
}

int kernel_expand_hook(const FeatureSet *features, Hook *hook, char **reterr) {
        _cleanup_(kernel_types_done) KernelTypes t = {};
        int r = 0;

        if (hook->expanded || hook->kind != HOOK_KPROBE || hook->syscall)
                return 0;
        if (!features->granted[FEATURE_KPROBE] && !features->granted[FEATURE_KPROBE_MULTI])
                return 0;       /* refused by the check, for this reason */
        if (hook->pattern && hook->n_members == 0)
                r = expand_pattern(hook, reterr);
        if (r < 0)
                return r;
        if (hook->ignore_not_found) {
                if (hook->n_members > 0)
                        r = drop_missing(hook, &t);
                else
                        hook->absent = !function_exists(&t, hook->call);
        }
        hook->expanded = r >= 0;
        return r;
}
