/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Hooks of policies → plans and actions. Every hook has a plan of its own, also where several are on one place in the
 * kernel: each has its own arguments and its own event. */

#include <signal.h>

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

int compile_hook_plan(Compiler *c, struct sct_plan *plan, uint16_t index, const Hook *hook) {
        Plan *p = c->plan;

        plan->flags |= SCT_PLAN_HOOK;
        if (hook->kind == HOOK_LOADER)
                plan->flags &= ~SCT_PLAN_EXIT_ARGS;     /* the build id comes from elsewhere */
        if (hook->has_return || plan->flags & SCT_PLAN_EXIT_ARGS)
                plan->flags |= SCT_PLAN_RETURN;
        for (size_t i = 0; i < hook->n_args && i < plan->n_args; i++)
                plan->args[i].max = hook->args[i].max_data;

        if (!GREEDY_REALLOC(p->hooks, p->n_hooks_allocated, p->n_hooks + 1))
                return -ENOMEM;
        p->hooks[p->n_hooks++] = (PlanHook) { .hook = hook, .plan = index };
        return 0;
}

int compile_actions(Compiler *c) {
        Plan *p = c->plan;

        p->actions = new0(struct sct_action, MAX(c->n_rules, (size_t) 1));
        if (!p->actions)
                return -ENOMEM;
        for (size_t i = 0; i < c->n_rules; i++) {
                const PolicyRule *rule = c->rules[i].rule;
                struct sct_action *a = p->actions + i;

                if (rule->hook && c->rules[i].input->policy->monitor)
                        a->flags |= SCT_ACTION_MONITOR;
                for (size_t k = 0; k < rule->n_actions; k++)
                        switch (rule->actions[k].kind) {
                        case HOOK_ACTION_NO_POST:
                                a->flags |= SCT_ACTION_NO_POST;
                                break;
                        case HOOK_ACTION_SIGKILL:
                                a->flags |= SCT_ACTION_SIGNAL;
                                a->signal = SIGKILL;
                                break;
                        case HOOK_ACTION_SIGNAL:
                                a->flags |= SCT_ACTION_SIGNAL;
                                a->signal = rule->actions[k].signal;
                                break;
                        case HOOK_ACTION_OVERRIDE:
                                a->flags |= SCT_ACTION_OVERRIDE;
                                a->error = rule->actions[k].error;
                                break;
                        default:
                                break;
                        }
        }
        return 0;
}
