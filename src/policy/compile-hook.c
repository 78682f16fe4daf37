/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Hooks of policies → plans and actions. Every hook has a plan of its own, also where several are on one place in the
 * kernel: each has its own arguments and its own event. */

#include <signal.h>

#include "../basic/macro.h"
#include "compile-hook.h"
#include "hook.h"

int compile_number_hooks(const CompileInput *inputs, size_t n) {
        _cleanup_free_ uint8_t *used = new0(uint8_t, UINT16_MAX + 1);
        uint32_t next = SCT_EVENT_HOOK_FIRST;

        if (!used)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++) {
                Policy *p = inputs[i].policy;

                if (p->hooks_numbered)
                        for (size_t h = 0; h < p->n_hooks; h++)
                                used[p->hooks[h].spec.id] = 1;
        }
        for (size_t i = 0; i < n; i++) {
                Policy *p = inputs[i].policy;

                if (p->hooks_numbered)
                        continue;
                for (size_t h = 0; h < p->n_hooks; h++) {
                        while (next <= UINT16_MAX && used[next])
                                next++;
                        if (next > UINT16_MAX)
                                return -E2BIG;
                        p->hooks[h].spec.id = next++;
                }
                p->hooks_numbered = true;
        }
        return 0;
}

int compile_hook_plan(Compiler *c, struct sct_plan *plan, uint16_t index, const Hook *hook) {
        Plan *p = c->plan;

        plan->flags |= SCT_PLAN_HOOK;
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
                        default:
                                break;
                        }
        }
        return 0;
}
