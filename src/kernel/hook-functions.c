/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lists of functions by pattern are written out here, and hooks that may be missing are found missing; both once in the
 * life of a policy. */

#include <errno.h>
#include <regex.h>
#include <stdio.h>

#include "../basic/string-util.h"
#include "kernel-internal.h"
#include "kernel-types.h"
#include "../policy/hook.h"

#define PATTERN_FUNCTIONS_MAX 1024U     /* of one list: as many as a written one may have */

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
        _cleanup_(kernel_types_unrefp) KernelTypes *types = kernel_types_ref();
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
                        r = drop_missing(hook, types);
                else
                        hook->absent = !function_exists(types, hook->call);
        }
        hook->expanded = r >= 0;
        return r;
}
