/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A finished plan → what it asks of the kernel side at all (bpf/abi/uses.h). Says too much rather than too little: a branch
 * that is missing would be a rule that never matches. */

#include "../../bpf/abi/record.h"
#include "../basic/macro.h"
#include "plan-uses.h"

/* What a string predicate asks for, by its flags. */
static const struct {
        uint32_t flag;
        uint64_t use;
} string_rows[] = {
        { SCT_PRED_EQ,        SCT_USE_EQUAL },
        { SCT_PRED_PREFIX,    SCT_USE_PREFIXES },
        { SCT_PRED_SUFFIX,    SCT_USE_SUFFIXES },
        { SCT_PRED_SUBSTRING, SCT_USE_SUBSTRINGS },
};

/* What a field asks for, first to last. */
static const struct {
        uint16_t first, last;
        uint64_t use;
} field_rows[] = {
        { SCT_FIELD_UID,        SCT_FIELD_AUID,                     SCT_USE_IDS },
        { SCT_FIELD_HOST_PPID,  SCT_FIELD_HOST_PPID,                SCT_USE_PARENTS },
        { SCT_FIELD_PPID,       SCT_FIELD_PPID,                     SCT_USE_PARENTS },
        { SCT_FIELD_MNT_NS,     SCT_FIELD_PID_NS,                   SCT_USE_NAMESPACES },
        { SCT_FIELD_CGROUP_BORN, SCT_FIELD_CGROUP_ID,               SCT_USE_CGROUPS },
        { SCT_FIELD_COMM,       SCT_FIELD_COMM,                     SCT_USE_COMM },
        { SCT_FIELD_UTS,        SCT_FIELD_UTS,                      SCT_USE_UTS | SCT_USE_NAMESPACES },
        { SCT_FIELD_NS_EXE,     SCT_FIELD_NS_EXE,                   SCT_USE_NAMESPACES },
        { SCT_FIELD_CGROUP,     SCT_FIELD_CGROUP,                   SCT_USE_CGROUPS },
        { SCT_FIELD_TREE,       SCT_FIELD_TREE,                     SCT_USE_PARENTS },
        { SCT_FIELD_UTS_NS,     SCT_FIELD_CAPS_INHERITABLE,         SCT_USE_TASK_NUMBERS | SCT_USE_NAMESPACES | SCT_USE_IDS },
        { SCT_FIELD_NS_CHANGED, SCT_FIELD_CAPS_INHERITABLE_CHANGED, SCT_USE_ORIGIN | SCT_USE_NAMESPACES | SCT_USE_IDS },
        { SCT_FIELD_EXE_TREE,   SCT_FIELD_EXE_TREE,                 SCT_USE_PARENTS },
        { SCT_FIELD_PARENT_EXE, SCT_FIELD_PARENT_EXE,               SCT_USE_PARENT_EXE | SCT_USE_PARENTS },
        { SCT_FIELD_NS_TREE,    SCT_FIELD_NS_TREE,                  SCT_USE_PARENTS | SCT_USE_NAMESPACES },
        { SCT_FIELD_INTERFACE,  SCT_FIELD_INTERFACE,                SCT_USE_INTERFACES },
        { SCT_FIELD_ARG_PART(1, 0), UINT16_MAX,                     SCT_USE_PARTS },
};

/* What an action asks for. */
static const uint64_t op_rows[] = {
        [SCT_OP_TRACK_SOCK] = SCT_USE_SOCKS,
        [SCT_OP_UNTRACK_SOCK] = SCT_USE_SOCKS,
        [SCT_OP_FOLLOW_FD] = SCT_USE_FD_NAMES,
        [SCT_OP_UNFOLLOW_FD] = SCT_USE_FD_NAMES,
        [SCT_OP_COPY_FD] = SCT_USE_FD_NAMES,
};

static uint64_t pred_uses(const struct sct_pred *p) {
        uint64_t uses = 0;

        switch (p->class) {
        case SCT_CLASS_STRING:
                for (size_t i = 0; i < ELEMENTSOF(string_rows); i++)
                        if (p->flags & string_rows[i].flag)
                                uses |= string_rows[i].use;
                break;
        case SCT_CLASS_NUMBER:
                if (p->flags & SCT_PRED_RANGE)
                        uses |= SCT_USE_RANGES;
                break;
        case SCT_CLASS_MASK:
        case SCT_CLASS_BITS:
                uses |= SCT_USE_LISTS;
                break;
        }
        for (size_t i = 0; i < ELEMENTSOF(field_rows); i++)
                if (p->field >= field_rows[i].first && p->field <= field_rows[i].last)
                        uses |= field_rows[i].use;
        return uses;
}

static bool type_is_sockaddr(uint8_t type) {
        return type == SCT_ARG_SOCKADDR || type == SCT_ARG_SOCKADDR_OUT || type == SCT_ARG_KSOCKADDR;
}

/* The text of an address is made when it is asked for. */
static uint64_t text_uses(const Plan *plan, const struct sct_plan *p) {
        for (size_t i = 0; i < p->n_preds; i++) {
                const struct sct_pred *pred = plan->preds + p->pred_first + i;

                if (pred->class == SCT_CLASS_STRING && SCT_FIELD_IS_ARG(pred->field) &&
                    type_is_sockaddr(p->args[SCT_FIELD_ARG_INDEX(pred->field)].type))
                        return SCT_USE_PARTS;
        }
        return 0;
}

static uint64_t action_uses(const struct sct_action *action) {
        uint64_t uses = 0;

        if (action->rate_ns > 0)
                uses |= SCT_USE_RATES;
        if (action->flags & (SCT_ACTION_KERNEL_STACK | SCT_ACTION_USER_STACK))
                uses |= SCT_USE_STACKS;
        for (size_t i = 0; i < action->n_ops; i++)
                if (action->ops[i].kind < ELEMENTSOF(op_rows))
                        uses |= op_rows[action->ops[i].kind];
        return uses;
}

void plan_note_uses(Plan *plan) {
        const struct sct_gen_config *config = &plan->config;
        uint64_t uses = 0, types = 0;

        for (size_t i = 0; i < plan->n_preds; i++)
                uses |= pred_uses(plan->preds + i);
        for (size_t i = 0; i < plan->n_plans; i++) {
                const struct sct_plan *p = plan->plans + i;

                uses |= text_uses(plan, p);
                for (size_t k = 0; k < SCT_ARGS_MAX && p->args[k].type != SCT_ARG_NONE; k++)
                        types |= UINT64_C(1) << p->args[k].type;
        }
        for (size_t i = 0; plan->actions && i < plan->n_rules; i++)
                uses |= action_uses(plan->actions + i);

        if (config->n_banks > 1)
                uses |= SCT_USE_BANKS;
        if (config->n_tree_roots > 0)
                uses |= SCT_USE_TREE;
        if (config->any_follow)
                uses |= SCT_USE_FOLLOW;
        if (config->any_origin)
                uses |= SCT_USE_ORIGIN;
        if (config->n_kin > 0)
                uses |= SCT_USE_KIN | SCT_USE_PARENTS | SCT_USE_NAMESPACES;
        if (plan->n_paths > 0)
                uses |= SCT_USE_ARG_PATHS;
        if (plan->follows_fds)
                uses |= SCT_USE_FD_NAMES;
        if (config->packet_kinds & ~SCT_PACKET_CAPTURE)
                uses |= SCT_USE_PACKET_EVENTS;
        if (config->packet_kinds & SCT_PACKET_CAPTURE)
                uses |= SCT_USE_PACKET_CAPTURES;
        for (size_t i = 0; i < config->n_banks; i++)
                if (config->packets_filtered[i] != 0)
                        uses |= SCT_USE_PACKETS_FILTERED;
        plan->uses = uses;
        plan->uses_types = types;
}
