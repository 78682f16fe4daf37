/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

/* The frame of one event at any hook: wanted? → record begun → (the hook puts its arguments) → judged → sent. A program
 * that uses it is a handful of lines. */

#include "emit.bpf.h"

struct event_run {
        struct sct_scratch *s;
        struct sct_task *t;
        struct sct_plan *plan;
        u32 parity;
};

/* The active generation, 0 when this program is to do nothing: no policy, or a newer instance has taken over. */
static __always_inline u32 active_generation(void) {
        if (sct_state.active_instance != sct_instance)
                return 0;
        return sct_state.generation;
}

static __always_inline struct sct_plan *plan_get(u32 index, u32 parity) {
        u32 key = (parity & 1) * SCT_PLANS_MAX + (index & (SCT_PLANS_MAX - 1));

        return bpf_map_lookup_elem(&sct_plans, &key);
}

struct rules_walk {
        struct sct_buf *b;           /* NULL: only ask */
        struct sct_task *t;
        struct sct_plan *plan;
        u64 any;
};

static long rules_step(u32 i, struct rules_walk *w) {
        u32 bank = (w->plan->bank_first + i) & (SCT_BANKS_MAX - 1);
        u64 rules = w->t->subject[bank] & w->plan->wants[bank];

        if (w->b)
                w->b->active[bank] = rules;
        w->any |= rules;
        return 0;
}

/* Whether a rule of the subject wants the plan's event. One bank is the common case. */
static __always_inline int rules_wanted(struct sct_task *t, struct sct_plan *plan) {
        struct rules_walk w = { .t = t, .plan = plan };
        u32 bank = plan->bank_first & (SCT_BANKS_MAX - 1);

        if (!USES(BANKS))
                return (t->subject[0] & plan->wants[0]) != 0;
        if (plan->n_banks == 1)
                return (t->subject[bank] & plan->wants[bank]) != 0;
        bpf_loop(plan->n_banks, rules_step, &w, 0);
        return w.any != 0;
}

/* Sets b->active to the rules of the subject that want the plan's event; 0 when there is none. */
static __always_inline int rules_begin(struct sct_buf *b, struct sct_task *t, struct sct_plan *plan) {
        struct rules_walk w = { .b = b, .t = t, .plan = plan };
        u32 bank = plan->bank_first & (SCT_BANKS_MAX - 1);

        if (!USES(BANKS)) {
                b->active[0] = t->subject[0] & plan->wants[0];
                return b->active[0] != 0;
        }
        if (plan->n_banks == 1) {
                b->active[bank] = t->subject[bank] & plan->wants[bank];
                return b->active[bank] != 0;
        }
        bpf_loop(plan->n_banks, rules_step, &w, 0);
        return w.any != 0;
}

/* The event of the system call that the current task is in, -1 when it is in none. */
static __always_inline s32 syscall_in_progress(struct task_struct *task) {
        s64 nr = task->flags & SCT_PF_KTHREAD ? -1 : current_syscall_nr(task);
        u32 key = (syscall_is_compat(task) ? SCT_SYSCALL_NR_MAX : 0) + (nr & (SCT_SYSCALL_NR_MAX - 1)), *id;

        if (nr < 0 || nr >= SCT_SYSCALL_NR_MAX)
                return -1;
        id = bpf_map_lookup_elem(&sct_sysnames, &key);
        return id ? (s32) *id - 1 : -1;
}

/* Returns 1 when a rule of the current task wants the event of plan `index`: then r->s->buf is a record with header, and
 * event_end() must follow. */
static __always_inline int event_begin_plan(struct event_run *r, u32 index, u32 event, u32 generation) {
        struct task_struct *task = bpf_get_current_task_btf();

        r->parity = generation & 1;
        r->plan = plan_get(index, r->parity);
        if (!r->plan)
                return 0;
        r->t = subject_get_judged(task, generation);
        if (!r->t || !rules_wanted(r->t, r->plan))
                return 0;
        if (!subject_is_described(task, r->t)) {
                r->t = subject_renew(task, generation);
                if (!r->t || !rules_wanted(r->t, r->plan))
                        return 0;
        }
        r->s = scratch_get();
        if (!r->s)
                return 0;
        record_begin(&r->s->buf, r->t, event);
        r->s->buf.rec.syscall = syscall_in_progress(task);
        rules_begin(&r->s->buf, r->t, r->plan);
        return 1;
}

static __always_inline int event_begin(struct event_run *r, u32 event) {
        u32 generation = active_generation(), key, *index;

        if (!generation)
                return 0;
        key = (generation & 1) * SCT_EVENT_ID_MAX + event;
        index = bpf_map_lookup_elem(&sct_events, &key);
        if (!index || !*index)
                return 0;
        return event_begin_plan(r, *index, event, generation);
}

/* Whether the rules that are left want the event. b->active holds which. */
static __always_inline int event_matches(struct event_run *r) {
        struct match_args m = {
                .first = r->plan->pred_first, .count = r->plan->n_preds, .parity = r->parity,
                .bank_first = r->plan->bank_first, .n_banks = r->plan->n_banks,
        };

        return !m.count || match_preds(r->s, &r->s->buf, r->t, &m);
}

static __always_inline void event_end(struct event_run *r) {
        if (event_matches(r))
                emit(&r->s->buf, r->plan->bank_first, r->plan->n_banks);
        scratch_put();
}
