/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

/* What one hook of a policy does at its place: its rules judged, the actions of the first that matches taken. Which hooks
 * a place has, and where its arguments come from, is hook-run.bpf.h's. */

#include "action.bpf.h"
#include "hook-arg.bpf.h"

enum judge_phase {
        JUDGE_WHOLE,                 /* a call that is seen once */
        JUDGE_ENTRY,                 /* the return is seen too: what asks for nothing of it acts now */
        JUDGE_RETURN,
};

/* ENTRY: returns 1 when the call is to be kept until its return. */
__weak __noinline int hook_judge(struct sct_scratch *s, struct sct_buf *b, struct sct_task *t, u32 plan_key, u32 phase) {
        struct sct_plan *plan = bpf_map_lookup_elem(&sct_plans, &plan_key);
        struct match_args m = { .parity = plan_key >= SCT_PLANS_MAX };
        u32 when = ACTION_ENTRY | ACTION_RETURN, key;
        struct sct_action *action;
        int rule;

        if (!s || !b || !t || !plan)
                return 0;
        m.first = plan->pred_first;
        m.count = plan->n_preds;
        m.bank_first = plan->bank_first;
        m.n_banks = plan->n_banks;
        if (phase == JUDGE_ENTRY)
                m.count = plan->n_preds_entry;
        if (phase == JUDGE_RETURN) {
                m.first += plan->n_preds_entry;
                m.count = b->decided ? 0 : plan->n_preds - plan->n_preds_entry;
        }
        if (m.count && !match_preds(s, b, t, &m))
                return 0;
        rule = action_rule(b, m.bank_first, m.n_banks);
        if (rule < 0)
                return 0;
        key = action_key(rule, m.parity);
        action = bpf_map_lookup_elem(&sct_actions, &key);
        if (!action)
                return 0;
        if (phase == JUDGE_ENTRY) {
                if (action->flags & SCT_ACTION_WAITS)
                        return 1;
                b->decided = 1;
                when = ACTION_ENTRY;
        } else if (b->decided)
                when = ACTION_RETURN;
        action_alone(b, m.bank_first, m.n_banks, rule);
        action_take(s, b, t, plan_key, rule | when << 16);
        if (phase != JUDGE_ENTRY)
                action_post(b, m.bank_first, m.n_banks, key);
        return 1;
}
