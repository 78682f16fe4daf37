/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Hooks of policies → plans. Every hook has a plan of its own, also where several are on one place in the
 * kernel: each has its own arguments and its own event. */

#include "../basic/macro.h"
#include "compile-hook.h"
#include "hook.h"

static int next_number(uint8_t *used, uint32_t *next, uint16_t *ret) {
        while (*next <= UINT16_MAX && used[*next])
                (*next)++;
        if (*next > UINT16_MAX)
                return -E2BIG;
        *ret = (uint16_t) (*next)++;
        return 0;
}

static int number_hook(Hook *h, uint8_t *used, uint32_t *next) {
        int r;

        r = next_number(used, next, &h->spec.id);
        for (size_t i = 0; r >= 0 && i < h->n_members; i++)
                r = next_number(used, next, &h->members[i].spec.id);
        return r;
}

/* Numbers of enforcers are as lasting. One that finds none left over is refused in the end, by compile_enforcer(). */
static void number_enforcer(Policy *p, uint64_t *used) {
        if (!p->enforcer_calls)
                return;
        p->enforcer_number = *used == UINT64_MAX ? PLAN_ENFORCERS_MAX : (uint8_t) __builtin_ctzll(~*used);
        if (p->enforcer_number < PLAN_ENFORCERS_MAX)
                *used |= UINT64_C(1) << p->enforcer_number;
}

int compile_number_hooks(const CompileInput *inputs, size_t n) {
        _cleanup_free_ uint8_t *used = new0(uint8_t, UINT16_MAX + 1);
        uint32_t next = SCT_EVENT_HOOK_FIRST;
        uint64_t enforcers = 0;
        int r;

        if (!used)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++) {
                const Policy *p = inputs[i].policy;

                if (!p->hooks_numbered)
                        continue;
                if (p->enforcer_calls && p->enforcer_number < PLAN_ENFORCERS_MAX)
                        enforcers |= UINT64_C(1) << p->enforcer_number;
                for (size_t h = 0; h < p->n_hooks; h++) {
                        used[p->hooks[h].spec.id] = 1;
                        for (size_t m = 0; m < p->hooks[h].n_members; m++)
                                used[p->hooks[h].members[m].spec.id] = 1;
                }
        }
        for (size_t i = 0; i < n; i++) {
                Policy *p = inputs[i].policy;

                if (p->hooks_numbered)
                        continue;
                for (size_t h = 0; h < p->n_hooks; h++) {
                        r = number_hook(p->hooks + h, used, &next);
                        if (r < 0)
                                return r;
                }
                number_enforcer(p, &enforcers);
                p->hooks_numbered = true;
        }
        return 0;
}

int compile_enforcers(Compiler *c) {
        Plan *p = c->plan;

        for (size_t i = 0; i < p->n_policies; i++) {
                const Policy *policy = p->policies[i];

                if (policy->enforcer_calls && policy->enforcer_number < PLAN_ENFORCERS_MAX)
                        p->enforcers[policy->enforcer_number] = policy;
        }
        return 0;
}

/* Where the argument is, when it is not one as it stands. */
static int set_path(Plan *p, struct sct_arg_plan *arg, const struct sct_arg_path *path) {
        if (p->n_paths >= SCT_ARG_PATHS_MAX)
                return -E2BIG;
        if (!GREEDY_REALLOC(p->paths, p->n_paths_allocated, p->n_paths + 1))
                return -ENOMEM;
        arg->flags |= SCT_ARG_PLAN_PATH;
        arg->source = p->n_paths & 0xff;
        arg->size_source = (uint8_t) (p->n_paths >> 8);
        p->paths[p->n_paths++] = *path;
        return 0;
}

static int set_argument(Plan *p, struct sct_arg_plan *arg, const Hook *hook, const HookArg *a) {
        /* The field of a record, with a limit of its own: both have no place in the plan. */
        struct sct_arg_path field = {
                .n_steps = 1, .size_source = arg->size_source, .bytes = 8, .max = a->max_data, .steps = { a->field_offset },
        };

        if (a->has_path)
                return set_path(p, arg, &a->path);
        if (hook->kind == HOOK_TRACEPOINT) {
                if (a->max_data > 0 && a->type == SCT_ARG_BYTES)
                        return set_path(p, arg, &field);
                arg->max = MIN(a->field_offset, 0xffffU) | MIN(a->field_size, 0xffffU) << 16;
        } else
                arg->max = a->max_data;
        return 0;
}

int compile_hook_plan(Compiler *c, struct sct_plan *plan, uint16_t index, const Hook *hook) {
        Plan *p = c->plan;
        int r;

        plan->flags |= SCT_PLAN_HOOK;
        if (hook->kind == HOOK_LOADER)
                plan->flags &= ~SCT_PLAN_EXIT_ARGS;     /* the build id comes from elsewhere */
        if (hook->has_return || plan->flags & SCT_PLAN_EXIT_ARGS)
                plan->flags |= SCT_PLAN_RETURN;
        if (hook->has_return && hook->spec.n_args == hook->n_args)
                plan->return_type = hook->return_arg.type;
        for (size_t i = 0; i < plan->n_args; i++) {
                const HookArg *a = i < hook->n_args ? hook->args + i : &hook->return_arg;

                r = set_argument(p, plan->args + i, hook, a);
                if (r < 0)
                        return r;
        }

        if (!GREEDY_REALLOC(p->hooks, p->n_hooks_allocated, p->n_hooks + 1))
                return -ENOMEM;
        p->hooks[p->n_hooks++] = (PlanHook) { .hook = hook, .plan = index };
        return 0;
}
