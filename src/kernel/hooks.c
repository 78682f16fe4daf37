/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Hooks that policies bring, attached. A place (a function, a tracepoint, a symbol of a binary, a system call) has a
 * number, which is its attach cookie and stays its own while anything is attached there; plans that share a place are
 * chained. Functions are attached all at once by kprobe.multi where the kernel has it (Debian 12's 6.1 has not:
 * CONFIG_FPROBE is off), else, as everything else, one by one. */

#include <errno.h>
#include <stdio.h>

#include "kernel-internal.h"
#include "../policy/hook.h"

void hook_tables_freep(HookTables **t) {
        if (*t)
                free((*t)->plans);
        free(*t);
}

void hooks_done(Kernel *k) {
        for (size_t i = 0; k->hook_places.items && i < SCT_HOOKS_MAX; i++) {
                free(k->hook_places.items[i].key);
                free(k->hook_places.items[i].target);
        }
        free(k->hook_places.items);
}

/* The place of this key, for the generation that is being prepared. */
static int take_place(Kernel *k, const Plan *plan, const Hook *hook, const char *target, uint64_t offset, HookPlace **ret) {
        HookPlaces *p = &k->hook_places;
        _cleanup_free_ char *key = NULL;
        HookPlace *unused = NULL;

        if (!p->items) {
                p->items = new0(HookPlace, SCT_HOOKS_MAX);
                if (!p->items)
                        return -ENOMEM;
        }
        if (asprintf(&key, "%s:%s:%s:%s+%llx", hook->syscall ? "syscall" : hook_kind_to_string(hook->kind),
                     hook->path ?: hook->subsystem ?: "", hook->syscall ? hook->syscall_spec->name : "", target ?: "",
                     (unsigned long long) offset) < 0)
                return -ENOMEM;
        for (size_t i = 0; i < SCT_HOOKS_MAX; i++) {
                HookPlace *place = p->items + i;

                if (place->key && strcmp(place->key, key) == 0) {
                        unused = place;
                        break;
                }
                /* Not wanted for two generations: nothing refers to it any more. */
                if (!unused && (!place->key || place->generation + 1 < plan->config.generation))
                        unused = place;
        }
        if (!unused)
                return -E2BIG;
        if (!unused->key || strcmp(unused->key, key) != 0) {
                free(unused->key);
                unused->key = TAKE_PTR(key);
        }
        free(unused->target);
        unused->target = target ? strdup(target) : NULL;
        if (target && !unused->target)
                return -ENOMEM;
        if (unused->generation != plan->config.generation)
                unused->has_return = false;
        unused->generation = plan->config.generation;
        unused->offset = offset;
        unused->hook = hook;
        *ret = unused;
        return 0;
}

/* Puts a hook on a place. */
static int chain(Kernel *k, HookTables *t, const PlanHook *ph, HookPlace *place) {
        size_t n = place - k->hook_places.items;

        if (t->n_links >= SCT_LINKS_MAX)
                return -E2BIG;
        t->links[t->n_links] = (struct sct_hook_link) {
                .plan = ph->plan, .event = t->plans[ph->plan].event, .next = t->hooks[n],
        };
        t->hooks[n] = t->n_links++;
        place->has_return = place->has_return || t->plans[ph->plan].flags & SCT_PLAN_RETURN;
        return 0;
}

/* Where each argument stands in the record of its tracepoint. */
static int resolve_fields(struct sct_plan *plan, const Hook *hook) {
        for (size_t i = 0; i < hook->n_args; i++) {
                TracepointField field;
                int r = tracepoint_field(hook->subsystem, hook->call, hook->args[i].index, &field);

                if (r < 0)
                        return r;
                plan->args[i].max = MIN(field.offset, 0xffffU) | MIN(field.size, 0xffffU) << 16;
        }
        return 0;
}

static int resolve_hook(Kernel *k, const Plan *plan, HookTables *t, const PlanHook *ph) {
        const Hook *hook = ph->hook;
        HookPlace *place;
        int r;

        if (hook->kind == HOOK_KPROBE && hook->syscall) {
                int native, compat;

                r = take_place(k, plan, hook, NULL, 0, &place);
                if (r < 0)
                        return r;
                event_syscall_numbers(hook->syscall_spec, &native, &compat);
                if (native >= 0 && native < SCT_SYSCALL_NR_MAX)
                        t->syscalls[native] = place - k->hook_places.items + 1;
                if (compat >= 0 && compat < SCT_SYSCALL_NR_MAX)
                        t->syscalls[SCT_SYSCALL_NR_MAX + compat] = place - k->hook_places.items + 1;
                return chain(k, t, ph, place);
        }
        if (hook->kind == HOOK_TRACEPOINT) {
                r = resolve_fields(t->plans + ph->plan, hook);
                if (r >= 0)
                        r = take_place(k, plan, hook, hook->call, 0, &place);
                return r < 0 ? r : chain(k, t, ph, place);
        }
        if (hook->kind == HOOK_UPROBE) {
                for (char **s = hook->symbols; s && *s; s++) {
                        r = take_place(k, plan, hook, *s, 0, &place);
                        if (r >= 0)
                                r = chain(k, t, ph, place);
                        if (r < 0)
                                return r;
                }
                for (size_t i = 0; i < hook->n_offsets; i++) {
                        r = take_place(k, plan, hook, NULL, hook->offsets[i], &place);
                        if (r >= 0)
                                r = chain(k, t, ph, place);
                        if (r < 0)
                                return r;
                }
                return 0;
        }
        for (char **s = hook->symbols; s && *s; s++) {
                r = take_place(k, plan, hook, *s, 0, &place);
                if (r >= 0)
                        r = chain(k, t, ph, place);
                if (r < 0)
                        return r;
        }
        if (hook->symbols && hook->symbols[0])
                return 0;
        r = take_place(k, plan, hook, hook->call, 0, &place);
        return r < 0 ? r : chain(k, t, ph, place);
}

int hooks_resolve(Kernel *k, const Plan *plan, HookTables *ret, char **reterr) {
        ret->plans = new(struct sct_plan, plan->n_plans + 1);
        if (!ret->plans)
                return -ENOMEM;
        memcpy(ret->plans, plan->plans, plan->n_plans * sizeof(struct sct_plan));
        ret->n_plans = plan->n_plans;
        ret->n_links = 1;
        k->hook_places.generation = plan->config.generation;

        for (size_t i = 0; i < plan->n_hooks; i++) {
                int r = resolve_hook(k, plan, ret, plan->hooks + i);

                if (r < 0)
                        return kernel_error(reterr, r, "The hook on %s could not be placed: %s.", plan->hooks[i].hook->call,
                                            strerror(-r));
        }
        return 0;
}

static bool place_is_wanted(const HookPlace *place, uint32_t generation) {
        return place->key && place->generation == generation;
}

static void single_link_name(Kernel *k, const HookPlace *place, bool exit, char name[static 56]) {
        snprintf(name, 56, "h.%s%s.%zu", hook_kind_to_string(place->hook->kind), exit ? ".return" : "",
                 (size_t) (place - k->hook_places.items));
}

/* Attached one by one, and at return too. */
static bool place_is_single(Kernel *k, const HookPlace *place, bool exit) {
        if (place->hook->kind == HOOK_KPROBE)
                return !k->features->granted[FEATURE_KPROBE_MULTI] && !place->hook->syscall &&
                       (!exit || place->has_return);
        return !exit && IN_SET(place->hook->kind, HOOK_TRACEPOINT, HOOK_UPROBE);
}

/* The functions of one side, with their cookies. The name has the set's hash. */
static size_t collect_functions(Kernel *k, uint32_t generation, bool exit, const char **syms, uint64_t *cookies,
                                char name[static 56]) {
        uint64_t hash = 0xcbf29ce484222325ULL;
        size_t n = 0;

        for (size_t i = 0; i < SCT_HOOKS_MAX; i++) {
                const HookPlace *place = k->hook_places.items + i;

                if (!place_is_wanted(place, generation) || place->hook->kind != HOOK_KPROBE || place->hook->syscall ||
                    (exit && !place->has_return))
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

static int attach_functions(Kernel *k, struct sct *skeleton, uint32_t generation, bool exit, char **reterr) {
        const char *program = exit ? "sct_h_return" : "sct_h_entry";
        _cleanup_free_ const char **syms = new(const char *, SCT_HOOKS_MAX);
        _cleanup_free_ uint64_t *cookies = new(uint64_t, SCT_HOOKS_MAX);
        LIBBPF_OPTS(bpf_kprobe_multi_opts, opts, .retprobe = exit);
        struct bpf_link *link;
        char name[56];

        if (!syms || !cookies)
                return -ENOMEM;
        opts.cnt = collect_functions(k, generation, exit, syms, cookies, name);
        opts.syms = syms;
        opts.cookies = (const __u64 *) cookies;
        if (opts.cnt == 0 || probes_find_link(k, name))
                return 0;
        link = bpf_program__attach_kprobe_multi_opts(probes_program(skeleton, program), NULL, &opts);
        if (!link)
                return kernel_error(reterr, -errno, "The functions that policies hook could not be attached: %s.",
                                    strerror(errno));
        return probes_add_link(k, link, name, NULL, 0);
}

static int attach_single(Kernel *k, struct sct *skeleton, const HookPlace *place, bool exit, char **reterr) {
        uint64_t cookie = place - k->hook_places.items;
        struct bpf_link *link = NULL;
        char name[56];

        single_link_name(k, place, exit, name);
        if (probes_find_link(k, name))
                return 0;
        if (place->hook->kind == HOOK_TRACEPOINT) {
                LIBBPF_OPTS(bpf_tracepoint_opts, opts, .bpf_cookie = cookie);

                link = bpf_program__attach_tracepoint_opts(probes_program(skeleton, "sct_h_tp"), place->hook->subsystem,
                                                           place->target, &opts);
        } else if (place->hook->kind == HOOK_KPROBE) {
                LIBBPF_OPTS(bpf_kprobe_opts, opts, .bpf_cookie = cookie, .retprobe = exit);

                link = bpf_program__attach_kprobe_opts(probes_program(skeleton, exit ? "sct_h_return" : "sct_h_entry"),
                                                       place->target, &opts);
        } else {
                LIBBPF_OPTS(bpf_uprobe_opts, opts, .bpf_cookie = cookie, .func_name = place->target);

                link = bpf_program__attach_uprobe_opts(probes_program(skeleton, "sct_h_uprobe"), -1, place->hook->path,
                                                       place->offset, &opts);
        }
        if (!link)
                return kernel_error(reterr, -errno, "The hook on %s could not be attached: %s.", place->key, strerror(errno));
        return probes_add_link(k, link, name, NULL, 0);
}

static int attach_syscalls(Kernel *k, struct sct *skeleton, char **reterr) {
        static const char *const programs[] = { "sct_h_sysenter", "sct_h_sysexit" };

        for (size_t i = 0; i < ELEMENTSOF(programs); i++) {
                struct bpf_link *link;
                char name[56];
                int r;

                snprintf(name, sizeof(name), "h.%s", programs[i]);
                if (probes_find_link(k, name))
                        continue;
                link = bpf_program__attach(probes_program(skeleton, programs[i]));
                if (!link)
                        return kernel_error(reterr, -errno, "The system calls that policies hook could not be attached: %s.",
                                            strerror(errno));
                r = probes_add_link(k, link, name, NULL, 0);
                if (r < 0)
                        return r;
        }
        return 0;
}

int hooks_attach(Kernel *k, char **reterr) {
        bool multi = k->features->granted[FEATURE_KPROBE_MULTI];
        uint32_t generation = k->hook_places.generation;
        bool functions = false, returns = false, tracepoints = false, uprobes = false, syscalls = false;
        const char *programs[8];
        struct sct *skeleton = NULL;
        size_t n = 0;
        int r = 0;

        if (!k->hook_places.items)
                return 0;
        for (size_t i = 0; i < SCT_HOOKS_MAX; i++) {
                const HookPlace *place = k->hook_places.items + i;
                HookKind kind;

                if (!place_is_wanted(place, generation))
                        continue;
                kind = place->hook->kind;
                syscalls = syscalls || place->hook->syscall;
                functions = functions || (kind == HOOK_KPROBE && !place->hook->syscall);
                returns = returns || (kind == HOOK_KPROBE && !place->hook->syscall && place->has_return);
                tracepoints = tracepoints || kind == HOOK_TRACEPOINT;
                uprobes = uprobes || kind == HOOK_UPROBE;
        }
        k->hook_places.syscalls = syscalls;
        if (functions)
                programs[n++] = "sct_h_entry";
        if (returns)
                programs[n++] = "sct_h_return";
        if (tracepoints)
                programs[n++] = "sct_h_tp";
        if (uprobes)
                programs[n++] = "sct_h_uprobe";
        if (syscalls) {
                programs[n++] = "sct_h_sysenter";
                programs[n++] = "sct_h_sysexit";
        }
        if (n == 0)
                return 0;

        r = probes_load(k, programs, n, &skeleton, reterr);
        if (r < 0)
                return r;
        if (functions && multi)
                r = attach_functions(k, skeleton, generation, false, reterr);
        if (r >= 0 && returns && multi)
                r = attach_functions(k, skeleton, generation, true, reterr);
        for (size_t i = 0; r >= 0 && i < SCT_HOOKS_MAX; i++) {
                const HookPlace *place = k->hook_places.items + i;

                for (int exit = 0; r >= 0 && exit < 2 && place_is_wanted(place, generation); exit++)
                        if (place_is_single(k, place, exit))
                                r = attach_single(k, skeleton, place, exit, reterr);
        }
        if (r >= 0 && syscalls)
                r = attach_syscalls(k, skeleton, reterr);
        probes_unload(skeleton);
        return r;
}

bool hooks_link_is_wanted(Kernel *k, const char *name) {
        uint32_t generation = k->hook_places.generation;
        _cleanup_free_ const char **syms = new(const char *, SCT_HOOKS_MAX);
        _cleanup_free_ uint64_t *cookies = new(uint64_t, SCT_HOOKS_MAX);
        char wanted[56];

        if (!k->hook_places.items)
                return false;
        if (strncmp(name, "h.sct_h_sys", strlen("h.sct_h_sys")) == 0)
                return k->hook_places.syscalls;
        if (!syms || !cookies)
                return true;
        for (int exit = 0; exit < 2; exit++)
                if (collect_functions(k, generation, exit, syms, cookies, wanted) > 0 && strcmp(wanted, name) == 0)
                        return true;
        for (size_t i = 0; i < SCT_HOOKS_MAX; i++) {
                const HookPlace *place = k->hook_places.items + i;

                if (!place_is_wanted(place, generation))
                        continue;
                for (int exit = 0; exit < 2; exit++) {
                        single_link_name(k, place, exit, wanted);
                        if (place_is_single(k, place, exit) && strcmp(wanted, name) == 0)
                                return true;
                }
        }
        return false;
}
