/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Hooks that policies bring → places and links. A place (a function, a tracepoint, a symbol of a binary, a system call) has
 * a number, which its program knows and which stays its own while anything is attached there; hooks that share a place
 * are chained by links. Enforcers take places of the same kinds. How places are attached is hook-attach.c's. */

#include <errno.h>
#include <gelf.h>
#include <fcntl.h>
#include <stdio.h>

#include "kernel-internal.h"
#include "../policy/hook.h"

void hook_tables_freep(HookTables **t) {
        if (*t)
                free((*t)->plans);
        free(*t);
}

static void place_done(HookPlace *place) {
        free(place->key);
        free(place->path);
        free(place->target);
        *place = (HookPlace) {};
}

void hooks_done(Kernel *k) {
        for (size_t i = 0; k->hook_places.items && i < SCT_HOOKS_MAX; i++)
                place_done(k->hook_places.items + i);
        free(k->hook_places.items);
        free(k->hook_places.how);
}

#define CHAIN_MAX 64U           /* hooks on one place: HOOK_CHAIN_MAX of bpf/lib/hook-run.bpf.h */

/* One resolution. */
typedef struct Resolver {
        Kernel *k;
        const Plan *plan;
        HookTables *t;
        uint8_t n_chained[SCT_HOOKS_MAX];      /* hooks on each place */
} Resolver;

/* What is wanted of a place; strings are borrowed. */
typedef struct PlaceDraft {
        PlaceMethod method;
        const char *path, *target;
        uint64_t offset, ref_ctr_offset;
        bool is_syscall;
} PlaceDraft;

static int make_key(const PlaceDraft *d, char **ret) {
        if (asprintf(ret, "%i:%s:%s+%llx(%llx)", (int) d->method, d->path ?: "", d->target ?: "",
                     (unsigned long long) d->offset, (unsigned long long) d->ref_ctr_offset) < 0)
                return -ENOMEM;
        return 0;
}

static int fill_place(HookPlace *place, const PlaceDraft *d, char **key) {
        place_done(place);
        place->key = TAKE_PTR(*key);
        place->path = d->path ? strdup(d->path) : NULL;
        place->target = d->target ? strdup(d->target) : NULL;
        place->method = d->method;
        place->offset = d->offset;
        place->ref_ctr_offset = d->ref_ctr_offset;
        place->is_syscall = d->is_syscall;
        return !place->key || (d->path && !place->path) || (d->target && !place->target) ? -ENOMEM : 0;
}

/* The place of this key, for the generation that is being prepared. */
static int take_place(Resolver *r, const PlaceDraft *d, HookPlace **ret) {
        HookPlaces *p = &r->k->hook_places;
        _cleanup_free_ char *key = NULL;
        HookPlace *place = NULL;
        int q;

        q = make_key(d, &key);
        if (q < 0)
                return q;
        for (size_t i = 0; i < SCT_HOOKS_MAX; i++) {
                HookPlace *candidate = p->items + i;

                if (candidate->key && strcmp(candidate->key, key) == 0) {
                        place = candidate;
                        break;
                }
                /* Not wanted for two generations: nothing refers to it any more. */
                if (!place && (!candidate->key || candidate->generation + 1 < p->generation))
                        place = candidate;
        }
        if (!place)
                return -E2BIG;
        if (!place->key || strcmp(place->key, key) != 0) {
                q = fill_place(place, d, &key);
                if (q < 0)
                        return q;
        }
        if (place->generation != p->generation)
                place->has_return = false;
        place->generation = p->generation;
        p->used[place->method] = true;
        *ret = place;
        return 0;
}

/* Puts a hook on a place, as this event. */
static int chain(Resolver *r, const PlanHook *ph, HookPlace *place, uint16_t event) {
        size_t n = place - r->k->hook_places.items;
        HookTables *t = r->t;

        if (t->n_links >= SCT_LINKS_MAX)
                return -E2BIG;
        if (r->n_chained[n]++ >= CHAIN_MAX)
                return -EUSERS;
        t->links[t->n_links] = (struct sct_hook_link) { .plan = ph->plan, .event = event, .next = t->hooks[n] };
        t->hooks[n] = t->n_links++;
        if (t->plans[ph->plan].flags & SCT_PLAN_RETURN) {
                place->has_return = true;
                r->k->hook_places.returns[place->method] = true;
        }
        if (event >= SCT_EVENT_HOOK_FIRST)
                r->k->hook_places.how[event - SCT_EVENT_HOOK_FIRST] = place->method + 1;
        return 0;
}

static int put(Resolver *r, const PlanHook *ph, const PlaceDraft *d, uint16_t event) {
        HookPlace *place;
        int q;

        q = take_place(r, d, &place);
        return q < 0 ? q : chain(r, ph, place, event);
}

/* ---- System calls ---- */

/* The places of a system call: one a table, since a list may name the call of one table alone. */
static int syscall_places(Resolver *r, const EventSpec *spec, bool native, bool compat, HookPlace *ret[static 2], size_t *ret_n) {
        static const char *const abis[] = { "native", "compat" };
        bool wanted[2] = { native, compat && r->k->features->granted[FEATURE_IA32] };
        int numbers[2], q;
        size_t n = 0;

        event_syscall_numbers(spec, numbers, numbers + 1);
        for (size_t i = 0; i < 2; i++) {
                PlaceDraft d = { .method = PLACE_SYSCALL, .path = abis[i], .target = spec->name };

                if (!wanted[i] || numbers[i] < 0 || numbers[i] >= SCT_SYSCALL_NR_MAX)
                        continue;
                q = take_place(r, &d, &ret[n]);
                if (q < 0)
                        return q;
                r->t->syscalls[i * SCT_SYSCALL_NR_MAX + numbers[i]] = ret[n++] - r->k->hook_places.items + 1;
        }
        *ret_n = n;
        return 0;
}

#define ENTRIES_MAX 16U         /* functions that serve one system call in all its forms */

static int entry_places(Resolver *r, const EventSpec *spec, HookPlace *ret[static ENTRIES_MAX], size_t *ret_n) {
        const char *symbols[ENTRIES_MAX];
        size_t n = 0;
        int q;

        q = syscall_symbols_load(&r->k->symbols);
        if (q >= 0)
                q = syscall_symbols_find(&r->k->symbols, spec, symbols, ENTRIES_MAX, &n);
        for (size_t i = 0; q >= 0 && i < n; i++) {
                PlaceDraft d = { .method = PLACE_MODIFY, .target = symbols[i], .is_syscall = true };

                q = take_place(r, &d, &ret[i]);
        }
        *ret_n = n;
        return q;
}

static int put_syscall(Resolver *r, const PlanHook *ph, const EventSpec *spec, bool native, bool compat, uint16_t event) {
        HookPlace *places[ENTRIES_MAX];
        size_t n = 0;
        int q;

        q = ph->hook->overrides ? entry_places(r, spec, places, &n) : syscall_places(r, spec, native, compat, places, &n);
        for (size_t i = 0; q >= 0 && i < n; i++)
                q = chain(r, ph, places[i], event);
        return q;
}

/* ---- Kinds of hooks ---- */

static int resolve_kprobe(Resolver *r, const PlanHook *ph) {
        const Hook *hook = ph->hook;
        PlaceDraft d = { .method = hook->overrides ? PLACE_MODIFY : PLACE_FUNCTION, .target = hook->call };
        int q = 0;

        if (hook->n_members == 0)
                return hook->syscall ? put_syscall(r, ph, hook->syscall_spec, true, true, hook->spec.id)
                                     : put(r, ph, &d, hook->spec.id);
        for (size_t i = 0; q >= 0 && i < hook->n_members; i++) {
                const HookMember *m = hook->members + i;

                d.target = m->spec.name;
                q = m->syscall ? put_syscall(r, ph, m->syscall, m->native, m->compat, m->spec.id)
                               : put(r, ph, &d, m->spec.id);
        }
        return q;
}

/* Where each argument stands in the record of its tracepoint. */
static int resolve_tracepoint(Resolver *r, const PlanHook *ph) {
        struct sct_plan *plan = r->t->plans + ph->plan;
        const Hook *hook = ph->hook;
        PlaceDraft d = { .method = PLACE_TRACEPOINT, .path = hook->subsystem, .target = hook->call };

        for (size_t i = 0; i < hook->n_args; i++) {
                TracepointField field;
                int q = tracepoint_field(hook->subsystem, hook->call, hook->args[i].index, &field);

                if (q < 0)
                        return q;
                plan->args[i].max = MIN(field.offset, 0xffffU) | MIN(field.size, 0xffffU) << 16;
        }
        return put(r, ph, &d, hook->spec.id);
}

static int resolve_raw_tracepoint(Resolver *r, const PlanHook *ph) {
        PlaceDraft d = { .method = PLACE_RAW_TRACEPOINT, .target = ph->hook->call };

        return put(r, ph, &d, ph->hook->spec.id);
}

/* Where in the file what is loaded at this address stands. */
static int file_offset(const char *path, uint64_t address, uint64_t *ret) {
        _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
        int r = -ERANGE;
        size_t n;
        Elf *elf;

        if (fd < 0)
                return -errno;
        elf_version(EV_CURRENT);
        elf = elf_begin(fd, ELF_C_READ, NULL);
        if (!elf || elf_getphdrnum(elf, &n) != 0)
                n = 0;
        for (size_t i = 0; i < n; i++) {
                GElf_Phdr header;

                if (!gelf_getphdr(elf, i, &header) || header.p_type != PT_LOAD || address < header.p_vaddr ||
                    address - header.p_vaddr >= header.p_filesz)
                        continue;
                *ret = address - header.p_vaddr + header.p_offset;
                r = 0;
                break;
        }
        elf_end(elf);
        return r;
}

static int resolve_uprobe(Resolver *r, const PlanHook *ph) {
        const Hook *hook = ph->hook;
        size_t n = 0;
        int q = 0;

        for (char **s = hook->symbols; q >= 0 && s && *s; s++, n++) {
                PlaceDraft d = { .method = PLACE_UPROBE, .path = hook->path, .target = *s };

                if (n < hook->n_ref_ctr_offsets)
                        d.ref_ctr_offset = hook->ref_ctr_offsets[n];
                q = put(r, ph, &d, n < hook->n_members ? hook->members[n].spec.id : hook->spec.id);
        }
        for (size_t i = 0; q >= 0 && i < hook->n_offsets; i++, n++) {
                PlaceDraft d = { .method = PLACE_UPROBE, .path = hook->path, .offset = hook->offsets[i] };

                if (n < hook->n_ref_ctr_offsets)
                        d.ref_ctr_offset = hook->ref_ctr_offsets[n];
                if (hook->offsets_are_addresses)
                        q = file_offset(hook->path, hook->offsets[i], &d.offset);
                if (q >= 0)
                        q = put(r, ph, &d, n < hook->n_members ? hook->members[n].spec.id : hook->spec.id);
        }
        return q;
}

static int resolve_lsm(Resolver *r, const PlanHook *ph) {
        PlaceDraft d = { .method = PLACE_LSM, .target = ph->hook->call };

        return put(r, ph, &d, ph->hook->spec.id);
}

/* Both have the file first and then what was asked for: PROT_*. */
static int resolve_loader(Resolver *r, const PlanHook *ph) {
        bool lsm = r->k->features->granted[FEATURE_LSM];
        PlaceDraft d = { .method = lsm ? PLACE_LSM : PLACE_FUNCTION, .target = lsm ? "mmap_file" : "security_mmap_file" };

        return put(r, ph, &d, ph->hook->spec.id);
}

/* ---- Enforcers ---- */

static int enforcer_call(Resolver *r, const Policy *policy, const char *call) {
        HookPlace *places[ENTRIES_MAX];
        bool overrides = enforcer_overrides(policy), native, compat;
        const EventSpec *syscall = tracing_find_listed_syscall(call, &native, &compat);
        size_t n = 1;
        int q;

        if (syscall)
                q = overrides ? entry_places(r, syscall, places, &n) : syscall_places(r, syscall, native, compat, places, &n);
        else {
                PlaceDraft d = { .method = overrides ? PLACE_MODIFY : PLACE_FUNCTION, .target = call };

                q = take_place(r, &d, places);
        }
        for (size_t i = 0; q >= 0 && i < n; i++)
                r->t->enforcers[places[i] - r->k->hook_places.items] |= UINT64_C(1) << policy->enforcer_number;
        return q;
}

static int resolve_enforcers(Resolver *r, char **reterr) {
        for (size_t i = 0; i < PLAN_ENFORCERS_MAX; i++) {
                const Policy *policy = r->plan->enforcers[i];

                for (char **call = policy ? policy->enforcer_calls : NULL; call && *call; call++) {
                        int q = enforcer_call(r, policy, *call);

                        if (q < 0)
                                return kernel_error(reterr, q, "The enforcer's call %s could not be placed: %s.", *call,
                                                    strerror(-q));
                }
        }
        return 0;
}

static int (*const resolvers[_HOOK_KIND_MAX])(Resolver *r, const PlanHook *ph);

static int begin(Kernel *k, const Plan *plan, HookTables *t) {
        HookPlaces *p = &k->hook_places;

        if (!p->items)
                p->items = new0(HookPlace, SCT_HOOKS_MAX);
        if (!p->how)
                p->how = new0(uint8_t, UINT16_MAX + 1 - SCT_EVENT_HOOK_FIRST);
        t->plans = new(struct sct_plan, plan->n_plans + 1);
        if (!p->items || !p->how || !t->plans)
                return -ENOMEM;
        memcpy(t->plans, plan->plans, plan->n_plans * sizeof(struct sct_plan));
        t->n_plans = plan->n_plans;
        t->n_links = 1;
        p->generation = plan->config.generation;
        memset(p->used, 0, sizeof(p->used));
        memset(p->returns, 0, sizeof(p->returns));
        /* What an earlier attempt at this generation wanted, which the kernel refused. */
        for (size_t i = 0; i < SCT_HOOKS_MAX; i++)
                if (p->items[i].generation == p->generation)
                        p->items[i].generation--;
        return 0;
}

int hooks_resolve(Kernel *k, const Plan *plan, HookTables *ret, char **reterr) {
        Resolver r = { .k = k, .plan = plan, .t = ret };
        int q;

        q = begin(k, plan, ret);
        if (q < 0)
                return q;
        for (size_t i = 0; i < plan->n_hooks; i++) {
                const PlanHook *ph = plan->hooks + i;

                if (ph->hook->absent)
                        continue;
                if (ph->hook->overrides)
                        ret->plans[ph->plan].flags &= ~SCT_PLAN_RETURN;         /* judged before the call runs */
                q = resolvers[ph->hook->kind](&r, ph);
                if (q == -E2BIG)
                        return kernel_error(reterr, q, "The hooks of all policies are on more than %d places; write shorter "
                                            "lists, or a narrower pattern.", SCT_HOOKS_MAX);
                if (q == -EUSERS)
                        return kernel_error(reterr, q, "More than %u hooks of all policies are on %s; write several "
                                            "selectors into one hook.", CHAIN_MAX, ph->hook->call);
                if (q < 0)
                        return kernel_error(reterr, q, "The hook on %s could not be placed: %s.", ph->hook->call,
                                            strerror(-q));
        }
        return resolve_enforcers(&r, reterr);
}

static int (*const resolvers[_HOOK_KIND_MAX])(Resolver *r, const PlanHook *ph) = {
        [HOOK_KPROBE] = resolve_kprobe,
        [HOOK_TRACEPOINT] = resolve_tracepoint,
        [HOOK_RAW_TRACEPOINT] = resolve_raw_tracepoint,
        [HOOK_UPROBE] = resolve_uprobe,
        [HOOK_LSM] = resolve_lsm,
        [HOOK_LOADER] = resolve_loader,
};
