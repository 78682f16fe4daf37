/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Places of hooks, attached. What is attached for a place has a link named after the method and the place's number, so
 * that a reload attaches what is new and nothing twice. Functions go all at once by kprobe.multi where the kernel has it
 * (Debian 12's 6.1 has not: CONFIG_FPROBE is off), else, as everything else, one by one.
 *
 * Why functions are hooked by kprobes and not by fentry: a fentry program is loaded once for every function, and to have
 * one verified takes 40 ms and more; one kprobe.multi program serves them all. What must be attached to one target alone
 * (raw tracepoints, LSM hooks, functions that are modified) pays that price. */

#include <bpf/btf.h>
#include <errno.h>
#include <stdio.h>

#include "kernel-internal.h"
#include "kernel-types.h"

typedef struct MethodRow {
        const char *name;               /* in names of links, and what TRACE_HOOK says */
        const char *programs[2];        /* at entry, at return */
        bool own_load;                  /* a copy of the program for each place */
        struct bpf_link *(*attach)(const HookPlace *place, struct bpf_program *program, bool exit, uint64_t cookie);
} MethodRow;

static const MethodRow methods[_PLACE_METHOD_MAX];

static bool place_is_wanted(Kernel *k, const HookPlace *place, bool exit) {
        return place->key && place->generation == k->hook_places.generation && (!exit || place->has_return) &&
               methods[place->method].programs[exit] && methods[place->method].attach;
}

static bool is_multi(Kernel *k, const HookPlace *place) {
        return place->method == PLACE_FUNCTION && k->features->granted[FEATURE_KPROBE_MULTI];
}

static void single_link_name(Kernel *k, const HookPlace *place, bool exit, char name[static 56]) {
        snprintf(name, 56, "h.%s%s.%zu", methods[place->method].name, exit ? ".return" : "",
                 (size_t) (place - k->hook_places.items));
}

/* Wanted, attached by itself, and not there yet. */
static bool is_missing(Kernel *k, const HookPlace *place, bool exit) {
        char name[56];

        if (!place_is_wanted(k, place, exit) || is_multi(k, place))
                return false;
        single_link_name(k, place, exit, name);
        return !probes_find_link(k, name);
}

/* ---- Functions at once ---- */

/* The functions of one side, with their cookies. The name has the set's hash. */
static size_t collect_functions(Kernel *k, bool exit, const char **syms, uint64_t *cookies, char name[static 56]) {
        uint64_t hash = 0xcbf29ce484222325ULL;
        size_t n = 0;

        for (size_t i = 0; i < SCT_HOOKS_MAX; i++) {
                const HookPlace *place = k->hook_places.items + i;

                if (!is_multi(k, place) || !place_is_wanted(k, place, exit))
                        continue;
                for (const char *p = place->target; *p; p++)
                        hash = (hash ^ (uint8_t) *p) * 0x100000001b3ULL;
                hash = (hash ^ i) * 0x100000001b3ULL;
                syms[n] = place->target;
                cookies[n++] = i;
        }
        if (n > 0)
                snprintf(name, 56, "h.%s.%016llx", exit ? "return" : "entry", (unsigned long long) hash);
        else
                name[0] = 0;
        return n;
}

typedef struct FunctionSet {
        const char *syms[SCT_HOOKS_MAX];
        uint64_t cookies[SCT_HOOKS_MAX];
        size_t n;
        char name[56];
} FunctionSet;

static bool functions_missing(Kernel *k, bool exit, FunctionSet *s) {
        s->n = collect_functions(k, exit, s->syms, s->cookies, s->name);
        return s->n > 0 && !probes_find_link(k, s->name);
}

static int attach_functions(Kernel *k, struct sct *skeleton, bool exit, FunctionSet *s, char **reterr) {
        LIBBPF_OPTS(bpf_kprobe_multi_opts, opts, .retprobe = exit, .syms = s->syms, .cookies = (const __u64 *) s->cookies);
        struct bpf_link *link;

        if (!functions_missing(k, exit, s))
                return 0;
        opts.cnt = s->n;
        link = bpf_program__attach_kprobe_multi_opts(probes_program(skeleton, methods[PLACE_FUNCTION].programs[exit]), NULL,
                                                     &opts);
        if (!link)
                return kernel_error(reterr, -errno, "The functions that policies hook could not be attached: %s.",
                                    strerror(errno));
        return probes_add_link(k, link, s->name, NULL, 0);
}

/* ---- One by one ---- */

static struct bpf_link *attach_kprobe(const HookPlace *place, struct bpf_program *program, bool exit, uint64_t cookie) {
        LIBBPF_OPTS(bpf_kprobe_opts, opts, .bpf_cookie = cookie, .retprobe = exit);

        return bpf_program__attach_kprobe_opts(program, place->target, &opts);
}

static struct bpf_link *attach_tracepoint(const HookPlace *place, struct bpf_program *program, bool exit, uint64_t cookie) {
        LIBBPF_OPTS(bpf_tracepoint_opts, opts, .bpf_cookie = cookie);

        return bpf_program__attach_tracepoint_opts(program, place->path, place->target, &opts);
}

static struct bpf_link *attach_raw(const HookPlace *place, struct bpf_program *program, bool exit, uint64_t cookie) {
        return bpf_program__attach_raw_tracepoint(program, place->target);
}

/* symbol, or symbol+offset. */
static struct bpf_link *attach_uprobe(const HookPlace *place, struct bpf_program *program, bool exit, uint64_t cookie) {
        LIBBPF_OPTS(bpf_uprobe_opts, opts, .bpf_cookie = cookie, .retprobe = exit, .ref_ctr_offset = place->ref_ctr_offset);
        _cleanup_free_ char *symbol = place->target ? strdup(place->target) : NULL;
        char *plus = symbol ? strrchr(symbol, '+') : NULL;
        uint64_t offset = place->offset;

        if (place->target && !symbol) {
                errno = ENOMEM;
                return NULL;
        }
        if (plus) {
                *plus = 0;
                offset = strtoull(plus + 1, NULL, 0);
        }
        opts.func_name = symbol;
        return bpf_program__attach_uprobe_opts(program, -1, place->path, offset, &opts);
}

static struct bpf_link *attach_own(const HookPlace *place, struct bpf_program *program, bool exit, uint64_t cookie) {
        return bpf_program__attach(program);
}

static uint32_t count_args(const HookPlace *place) {
        _cleanup_(kernel_types_unrefp) KernelTypes *types = kernel_types_ref();
        const struct btf_type *proto;
        const struct btf *btf;

        if (place->method != PLACE_RAW_TRACEPOINT || kernel_types_tracepoint(types, place->target, &btf, &proto) < 0)
                return 0;
        return btf_vlen(proto) - 1;
}

static int attach_place(Kernel *k, struct sct *shared, const HookPlace *place, bool exit, char **reterr) {
        const MethodRow *method = methods + place->method;
        uint64_t cookie = place - k->hook_places.items;
        struct sct *own = NULL;
        struct bpf_link *link;
        char name[56];
        int r;

        if (method->own_load) {
                ProbeTarget target = {
                        .program = method->programs[exit], .place = (uint32_t) cookie, .is_syscall = place->is_syscall,
                        .n_args = count_args(place),
                        .function = place->method == PLACE_RAW_TRACEPOINT ? NULL : place->target,
                };

                r = probes_load_for(k, &target, &own, reterr);
                if (r < 0)
                        return r;
        }
        single_link_name(k, place, exit, name);
        link = method->attach(place, probes_program(own ?: shared, method->programs[exit]), exit, cookie);
        r = link ? probes_add_link(k, link, name, NULL, 0) : -errno;
        if (!link)
                (void) kernel_error(reterr, r, "The hook on %s%s%s could not be attached: %s.", place->path ?: "",
                                    place->path && place->target ? ":" : "", place->target ?: "", strerror(-r));
        probes_unload(own);
        return r;
}

static int attach_syscalls(Kernel *k, struct sct *skeleton, char **reterr) {
        for (size_t i = 0; i < 2; i++) {
                const char *program = methods[PLACE_SYSCALL].programs[i];
                struct bpf_link *link;
                char name[56];
                int r;

                snprintf(name, sizeof(name), "h.%s", program);
                if (probes_find_link(k, name))
                        continue;
                link = bpf_program__attach(probes_program(skeleton, program));
                if (!link)
                        return kernel_error(reterr, -errno, "The system calls that policies hook could not be attached: %s.",
                                            strerror(errno));
                r = probes_add_link(k, link, name, NULL, 0);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* ---- All together ---- */

/* The programs that have something left to be attached to and serve many places. */
static size_t missing_programs(Kernel *k, FunctionSet *set, const char *programs[static 2 * _PLACE_METHOD_MAX]) {
        bool missing[_PLACE_METHOD_MAX][2] = {};
        size_t n = 0;

        for (size_t i = 0; i < SCT_HOOKS_MAX; i++)
                for (int exit = 0; exit < 2; exit++)
                        if (is_missing(k, k->hook_places.items + i, exit))
                                missing[k->hook_places.items[i].method][exit] = true;
        for (int exit = 0; exit < 2; exit++) {
                missing[PLACE_FUNCTION][exit] = missing[PLACE_FUNCTION][exit] || functions_missing(k, exit, set);
                missing[PLACE_SYSCALL][exit] = k->hook_places.used[PLACE_SYSCALL] && !probes_find_link(k, "h.sct_h_sysexit");
        }
        for (size_t m = 0; m < _PLACE_METHOD_MAX; m++)
                for (int exit = 0; exit < 2; exit++)
                        if (missing[m][exit] && !methods[m].own_load)
                                programs[n++] = methods[m].programs[exit];
        return n;
}

static int attach_all(Kernel *k, struct sct *shared, FunctionSet *set, char **reterr) {
        int r = 0;

        for (int exit = 0; exit < 2 && r >= 0; exit++)
                r = attach_functions(k, shared, exit, set, reterr);
        if (r >= 0 && k->hook_places.used[PLACE_SYSCALL])
                r = attach_syscalls(k, shared, reterr);
        for (size_t i = 0; r >= 0 && i < SCT_HOOKS_MAX; i++)
                for (int exit = 0; r >= 0 && exit < 2; exit++)
                        if (is_missing(k, k->hook_places.items + i, exit))
                                r = attach_place(k, shared, k->hook_places.items + i, exit, reterr);
        return r;
}

int hooks_attach(Kernel *k, char **reterr) {
        _cleanup_free_ FunctionSet *set = new0(FunctionSet, 1);
        const char *programs[2 * _PLACE_METHOD_MAX];
        struct sct *shared = NULL;
        size_t n;
        int r;

        if (!set)
                return -ENOMEM;
        n = missing_programs(k, set, programs);
        if (n > 0) {
                r = probes_load(k, programs, n, &shared, reterr);
                if (r < 0)
                        return r;
        }
        r = attach_all(k, shared, set, reterr);
        probes_unload(shared);
        return r;
}

bool hooks_link_is_wanted(Kernel *k, const char *name) {
        _cleanup_free_ FunctionSet *set = NULL;
        const char *number = strrchr(name, '.');
        const HookPlace *place;
        char wanted[56];
        unsigned long n;
        char *end;

        if (!k->hook_places.items || !number)
                return false;
        if (strncmp(name, "h.sct_h_sys", strlen("h.sct_h_sys")) == 0)
                return k->hook_places.used[PLACE_SYSCALL];
        if (strncmp(name, "h.entry.", strlen("h.entry.")) == 0 || strncmp(name, "h.return.", strlen("h.return.")) == 0) {
                set = new0(FunctionSet, 1);
                if (!set)
                        return true;
                collect_functions(k, name[2] == 'r', set->syms, set->cookies, set->name);
                return strcmp(set->name, name) == 0;
        }
        n = strtoul(number + 1, &end, 10);
        if (*end || n >= SCT_HOOKS_MAX)
                return false;
        place = k->hook_places.items + n;
        for (int exit = 0; exit < 2; exit++) {
                if (!place_is_wanted(k, place, exit) || is_multi(k, place))
                        continue;
                single_link_name(k, place, exit, wanted);
                if (strcmp(wanted, name) == 0)
                        return true;
        }
        return false;
}

const char *hooks_event_method(const Kernel *k, uint16_t event) {
        unsigned method;

        if (!k->hook_places.how || event < SCT_EVENT_HOOK_FIRST)
                return NULL;
        method = k->hook_places.how[event - SCT_EVENT_HOOK_FIRST];
        if (method == 0)
                return NULL;
        if (method - 1 == PLACE_FUNCTION && k->features->granted[FEATURE_KPROBE_MULTI])
                return "kprobe.multi";
        return methods[method - 1].name;
}

static const MethodRow methods[_PLACE_METHOD_MAX] = {
        [PLACE_FUNCTION] = { "kprobe", { "sct_h_entry", "sct_h_return" }, false, attach_kprobe },
        [PLACE_SYSCALL] = { "raw_tp", { "sct_h_sysenter", "sct_h_sysexit" }, false, NULL },
        [PLACE_TRACEPOINT] = { "tracepoint", { "sct_h_tp" }, false, attach_tracepoint },
        [PLACE_RAW_TRACEPOINT] = { "raw_tracepoint", { "sct_h_rawtp" }, true, attach_raw },
        [PLACE_UPROBE] = { "uprobe", { "sct_h_uprobe", "sct_h_uret" }, false, attach_uprobe },
        [PLACE_LSM] = { "lsm", { "sct_h_lsm" }, true, attach_own },
        [PLACE_MODIFY] = { "fmod_ret", { "sct_h_modret" }, true, attach_own },
};
