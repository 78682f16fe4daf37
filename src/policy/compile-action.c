/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Actions of rules → struct sct_action, in the order of the policy, so that counters are found by an action's position.
 * What the kernel side has to remember for one rule (names of descriptors, owners of sockets) concerns the hooks of all:
 * their plans are told here. Whether the kernel can take an action is not asked; kernel/ judges that. */

#include <signal.h>

#include "../basic/macro.h"
#include "compile-action.h"
#include "hook.h"

static const uint8_t op_table[_HOOK_ACTION_MAX] = {
        [HOOK_ACTION_POST] = SCT_OP_POST,
        [HOOK_ACTION_NO_POST] = SCT_OP_NO_POST,
        [HOOK_ACTION_SIGKILL] = SCT_OP_SIGNAL,
        [HOOK_ACTION_SIGNAL] = SCT_OP_SIGNAL,
        [HOOK_ACTION_OVERRIDE] = SCT_OP_OVERRIDE,
        [HOOK_ACTION_FOLLOW_FD] = SCT_OP_FOLLOW_FD,
        [HOOK_ACTION_UNFOLLOW_FD] = SCT_OP_UNFOLLOW_FD,
        [HOOK_ACTION_COPY_FD] = SCT_OP_COPY_FD,
        [HOOK_ACTION_GET_URL] = SCT_OP_DAEMON,
        [HOOK_ACTION_DNS_LOOKUP] = SCT_OP_DAEMON,
        [HOOK_ACTION_TRACK_SOCK] = SCT_OP_TRACK_SOCK,
        [HOOK_ACTION_UNTRACK_SOCK] = SCT_OP_UNTRACK_SOCK,
        [HOOK_ACTION_NOTIFY_ENFORCER] = SCT_OP_ENFORCER,
};

static struct sct_op *add_op(struct sct_action *a, HookActionKind kind, bool at_return) {
        struct sct_op *op = a->ops + a->n_ops++;

        op->kind = op_table[kind];
        op->at_return = at_return;
        return op;
}

static void fill_op(struct sct_action *a, const Policy *policy, const HookAction *action) {
        struct sct_op *op = add_op(a, action->kind, action->at_return);

        switch (action->kind) {
        case HOOK_ACTION_SIGKILL:
                op->value = SIGKILL;
                break;
        case HOOK_ACTION_SIGNAL:
                op->value = (int32_t) action->signal;
                break;
        case HOOK_ACTION_OVERRIDE:
                op->value = action->error;
                break;
        case HOOK_ACTION_NOTIFY_ENFORCER:
                op->value = action->error;
                op->arg = (uint8_t) action->signal;
                op->other = policy->enforcer_number;
                break;
        case HOOK_ACTION_FOLLOW_FD:
        case HOOK_ACTION_UNFOLLOW_FD:
        case HOOK_ACTION_COPY_FD:
                op->arg = (uint8_t) action->fd_arg;
                op->other = (uint8_t) action->name_arg;
                break;
        case HOOK_ACTION_POST:
                if (action->rate_limit_usec > 0 && action->rate_limit_usec <= UINT64_MAX / NSEC_PER_USEC) {
                        a->rate_ns = action->rate_limit_usec * NSEC_PER_USEC;
                        a->rate_scope = (uint32_t) action->rate_scope;
                }
                a->flags |= (action->kernel_stack ? SCT_ACTION_KERNEL_STACK : 0) |
                            (action->user_stack ? SCT_ACTION_USER_STACK : 0);
                break;
        default:
                break;
        }
}

/* Whether the selector looks at what is known only when the call returns. */
static bool rule_waits(const PolicyRule *rule) {
        for (size_t i = 0; i < rule->n_events; i++) {
                const PolicyEvent *e = rule->events + i;

                for (size_t k = 0; k < e->n_conditions; k++) {
                        uint16_t field = e->conditions[k].field;

                        if (field == SCT_FIELD_RETVAL ||
                            (SCT_FIELD_IS_ARG(field) &&
                             e->spec->args[SCT_FIELD_ARG_INDEX(field)].flags & SCT_ARG_PLAN_EXIT))
                                return true;
                }
        }
        return false;
}

static void fill_action(struct sct_action *a, const CompilerRule *rule) {
        const PolicyRule *r = rule->rule;
        bool daemon = false, no_post = false;

        a->slot = (uint32_t) r->hook->spec.id << 16 | (r->selector & 0xffff);
        if (compile_input_is_monitor(rule->input))
                a->flags |= SCT_ACTION_MONITOR;
        if (rule_waits(r))
                a->flags |= SCT_ACTION_WAITS;
        for (size_t i = 0; i < r->n_actions && a->n_ops < SCT_OPS_MAX; i++) {
                fill_op(a, rule->input->policy, r->actions + i);
                daemon = daemon || op_table[r->actions[i].kind] == SCT_OP_DAEMON;
                no_post = no_post || r->actions[i].kind == HOOK_ACTION_NO_POST;
        }
        if (r->hook->return_action != HOOK_ACTION_POST && a->n_ops < SCT_OPS_MAX)
                add_op(a, r->hook->return_action, true)->arg = 1;
        /* What user space is to do needs the record; it posts nothing then. */
        if (no_post && !daemon)
                a->flags |= SCT_ACTION_NO_POST;
}

static bool any_op(const Plan *p, size_t n, uint8_t kind) {
        for (size_t i = 0; i < n; i++)
                for (uint32_t k = 0; k < p->actions[i].n_ops; k++)
                        if (p->actions[i].ops[k].kind == kind)
                                return true;
        return false;
}

/* The first argument that is a socket, and is there when the call begins. */
static uint8_t sock_arg(const struct sct_plan *plan) {
        for (unsigned i = 0; i < plan->n_args; i++)
                if (IN_SET(plan->args[i].type, SCT_ARG_SOCK, SCT_ARG_SOCKET, SCT_ARG_SKB) &&
                    !(plan->args[i].flags & (SCT_ARG_PLAN_EXIT | SCT_ARG_PLAN_PATH)))
                        return (uint8_t) (i + 1);
        return 0;
}

int compile_actions(Compiler *c) {
        Plan *p = c->plan;
        bool tracks;

        p->actions = new0(struct sct_action, MAX(c->n_rules, (size_t) 1));
        if (!p->actions)
                return -ENOMEM;
        for (size_t i = 0; i < c->n_rules; i++)
                if (c->rules[i].rule->hook)
                        fill_action(p->actions + i, c->rules + i);

        p->follows_fds = any_op(p, c->n_rules, SCT_OP_FOLLOW_FD);
        tracks = any_op(p, c->n_rules, SCT_OP_TRACK_SOCK);
        for (size_t i = 0; i < p->n_hooks; i++) {
                struct sct_plan *plan = p->plans + p->hooks[i].plan;

                plan->flags |= p->follows_fds ? SCT_PLAN_FD_NAMES : 0;
                plan->sock_arg = tracks ? sock_arg(plan) : 0;
        }
        return 0;
}
