/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

/* One run of a place that policies hooked: its plans one after the other, and what their rules do. */

#include "arg-read.bpf.h"
#include "event.bpf.h"
#include "object-read.bpf.h"

enum hook_how {
        HOOK_USER = 1 << 0,          /* strings stand in user memory (uprobes, system calls) */
        HOOK_RECORD = 1 << 1,        /* args[0] is a tracepoint's record, arguments are its fields */
        HOOK_EXIT = 1 << 2,          /* arguments that are read at return */
        HOOK_SYSCALL = 1 << 3,       /* the registers are those of a system call */
};

/* Where the field of a tracepoint's record is: sct_arg_plan.max as user space fills it. */
#define HOOK_FIELD_OFFSET(max) ((max) & 0xffff)
#define HOOK_FIELD_SIZE(max) ((max) >> 16)

/* A number of the type's width from wherever it stands. */
static __always_inline u64 widen(u32 type, u64 v) {
        switch (type) {
        case SCT_ARG_S32:
        case SCT_ARG_FD:
                return (s64) (s32) v;
        case SCT_ARG_U32:
                return (u32) v;
        case SCT_ARG_S16:
                return (s64) (s16) v;
        case SCT_ARG_U16:
                return (u16) v;
        case SCT_ARG_S8:
                return (s64) (s8) v;
        case SCT_ARG_U8:
                return (u8) v;
        case SCT_ARG_BOOL:
                return (u8) v != 0;
        }
        return v;
}

struct hook_args_walk {
        struct sct_scratch *s;
        struct sct_buf *b;
        u32 plan_key;
        u32 how;
};

static long hook_arg_step(u32 i, struct hook_args_walk *w) {
        struct sct_plan *plan = bpf_map_lookup_elem(&sct_plans, &w->plan_key);
        struct sct_buf *b = w->b;
        struct sct_arg_plan *arg;
        u32 type, size;
        u64 v;

        if (!plan)
                return 1;
        arg = &plan->args[i & (SCT_ARGS_MAX - 1)];
        type = arg->type;
        if (!(arg->flags & SCT_ARG_PLAN_EXIT) != !(w->how & HOOK_EXIT))
                return 0;

        v = b->args[arg->source & 7];
        if (w->how & HOOK_RECORD) {
                u64 at = b->args[0] + HOOK_FIELD_OFFSET(arg->max);

                v = 0;
                size = HOOK_FIELD_SIZE(arg->max);
                if (type == SCT_ARG_DATA_LOC) {
                        bpf_probe_read_kernel(&v, 4, (void *) at);
                        put_str(b, i, type, b->args[0] + (v & 0xffff), 0);
                        return 0;
                }
                if (type == SCT_ARG_CONST_BUF) {
                        put_bytes_kernel(b, i, type, at, size);
                        return 0;
                }
                if (size > 8)
                        size = 8;
                bpf_probe_read_kernel(&v, size & 15, (void *) at);
        }

        switch (type) {
        case SCT_ARG_STR:
                put_str(b, i, type, v, !!(w->how & (HOOK_USER | HOOK_RECORD)));
                return 0;
        case SCT_ARG_KSTR:
                put_str(b, i, type, v, 0);
                return 0;
        case SCT_ARG_FD:
                put_fd_path(b, w->s, i, (s64) (s32) v);
                return 0;
        case SCT_ARG_BYTES:
                size = arg->size_source < 8 ? b->args[arg->size_source & 7] : 0;
                if (w->how & HOOK_EXIT && (s64) b->rec.retval >= 0 && b->rec.retval < size)
                        size = b->rec.retval;
                if (arg->max && size > arg->max)
                        size = arg->max;
                put_bytes_user(b, i, type, v, size);
                return 0;
        }
        if (type >= SCT_ARG_FILE) {
                if (!put_object(b, w->s, i, type, v))
                        put_fault(b, i, type, SCT_ARG_FAULT);
                return 0;
        }
        put_u64(b, i, type, widen(type, v));
        return 0;
}

__weak __noinline int hook_args(struct sct_scratch *s, struct sct_buf *b, u32 plan_key, u32 how) {
        struct hook_args_walk w = { .plan_key = plan_key, .how = how };
        struct sct_plan *plan = bpf_map_lookup_elem(&sct_plans, &plan_key);

        if (!s || !b || !plan)
                return -1;
        w.s = s;
        w.b = b;
        bpf_loop(plan->n_args, hook_arg_step, &w, 0);
        return 0;
}

/* The lowest rule that is left alone, and what it does. Returns whether the event is to be posted. */
__weak __noinline int hook_act(struct sct_buf *b, u32 bank_first, u32 n_banks, u32 parity) {
        u32 i, bank, rule, key;
        struct sct_action *action;
        u64 rules, *acted;

        if (!b)
                return 0;
        for (i = 0; i < SCT_BANKS_MAX && i < n_banks; i++) {
                bank = (bank_first + i) & (SCT_BANKS_MAX - 1);
                rules = b->active[bank];
                if (rules)
                        goto found;
        }
        return 0;
found:
        /* Isolate the lowest bit, then count the zeros below it. */
        rules &= -rules;
        b->active[bank] = rules;
        for (i++; i < SCT_BANKS_MAX && i < n_banks; i++)
                b->active[(bank_first + i) & (SCT_BANKS_MAX - 1)] = 0;
        rule = bank * 64;
        rules -= 1;
        if (rules & 0xffffffff00000000ULL) {
                rule += 32;
                rules >>= 32;
        }
        if (rules & 0xffff0000) {
                rule += 16;
                rules >>= 16;
        }
        if (rules & 0xff00) {
                rule += 8;
                rules >>= 8;
        }
        if (rules & 0xf0) {
                rule += 4;
                rules >>= 4;
        }
        rule += (rules & 1) + ((rules >> 1) & 1) + ((rules >> 2) & 1) + ((rules >> 3) & 1);

        key = rule & (SCT_BANKS_MAX * 64 - 1);
        acted = bpf_map_lookup_elem(&sct_acted, &key);
        if (acted)
                __sync_fetch_and_add(acted, 1);
        key += (parity & 1) * SCT_BANKS_MAX * 64;
        action = bpf_map_lookup_elem(&sct_actions, &key);
        if (!action)
                return 1;
        if (action->flags & SCT_ACTION_SIGNAL && !(action->flags & SCT_ACTION_MONITOR))
                bpf_send_signal(action->signal);
        return !(action->flags & SCT_ACTION_NO_POST);
}

struct hook_walk {
        u32 generation;
        u32 plan;                    /* of the chain, 0: its end */
        u32 how;
        u64 place;
        struct pt_regs *ctx;
        s64 retval;
};

__weak __noinline int hook_judge(struct sct_scratch *s, struct sct_buf *b, struct sct_task *t, u32 plan_key) {
        struct sct_plan *plan = bpf_map_lookup_elem(&sct_plans, &plan_key);
        struct match_args m = { .parity = plan_key >= SCT_PLANS_MAX };

        if (!s || !b || !t || !plan)
                return -1;
        m.first = plan->pred_first;
        m.count = plan->n_preds;
        m.bank_first = plan->bank_first;
        m.n_banks = plan->n_banks;
        if (m.count && !match_preds(s, b, t, &m))
                return 0;
        if (hook_act(b, m.bank_first, m.n_banks, m.parity))
                emit(b, m.bank_first, m.n_banks);
        return 0;
}

/* The calling convention's registers; of more than six arguments the rest stands on the stack. */
static __always_inline void function_args(struct pt_regs *regs, u64 *a) {
        u64 sp = PT_REGS_SP_CORE(regs);

        a[0] = PT_REGS_PARM1_CORE(regs);
        a[1] = PT_REGS_PARM2_CORE(regs);
        a[2] = PT_REGS_PARM3_CORE(regs);
        a[3] = PT_REGS_PARM4_CORE(regs);
        a[4] = PT_REGS_PARM5_CORE(regs);
        a[5] = BPF_CORE_READ(regs, r9);
        bpf_probe_read_kernel(a + 6, 2 * sizeof(u64), (void *) (sp + 8));
}

/* In a frame of its own: what reading registers needs is not held while rules are judged. */
static __noinline int hook_registers(struct sct_buf *b, struct pt_regs *ctx, u32 how) {
        if (how & HOOK_RECORD)
                b->args[0] = (u64) ctx;
        else if (how & HOOK_SYSCALL)
                syscall_args(ctx, syscall_is_compat(bpf_get_current_task_btf()), b->args);
        else
                function_args(ctx, b->args);
        return 0;
}

/* Keeps a call's entry until its return. */
__weak __noinline int hook_keep(u32 level, u64 place) {
        struct hook_pending_key key = { .pid_tgid = bpf_get_current_pid_tgid(), .place = place };
        struct sct_scratch *s = bpf_map_lookup_elem(&sct_scratches, &level);

        if (!s || bpf_map_update_elem(&sct_hpending, &key, &s->buf, BPF_ANY))
                COUNT(n_internal);
        return 0;
}

static long hook_enter_step(u32 i, struct hook_walk *w) {
        struct event_run r = {};
        struct sct_plan *plan;
        struct sct_buf *b;
        u32 index = w->plan, plan_key;

        if (!index)
                return 1;
        plan = plan_get(index, w->generation & 1);
        if (!plan)
                return 1;
        w->plan = plan->next;
        if (!event_begin_plan(&r, index, plan->event, w->generation))
                return 0;
        b = &r.s->buf;
        hook_registers(b, w->ctx, w->how);
        b->plan = index;
        b->generation = w->generation;
        plan_key = (w->generation & 1) * SCT_PLANS_MAX + (index & (SCT_PLANS_MAX - 1));
        hook_args(r.s, b, plan_key, w->how);
        if (plan->flags & SCT_PLAN_RETURN)
                hook_keep(r.s->level, w->place << 8 | (i & 0xff));
        else
                hook_judge(r.s, b, r.t, plan_key);
        scratch_put();
        return 0;
}

#define HOOK_CHAIN_MAX 64

static __always_inline int hook_enter(u64 place, struct pt_regs *ctx, u32 how) {
        struct hook_walk w = { .generation = active_generation(), .how = how, .place = place, .ctx = ctx };
        u32 key, *first;

        if (!w.generation || place >= SCT_HOOKS_MAX)
                return 0;
        key = (w.generation & 1) * SCT_HOOKS_MAX + place;
        first = bpf_map_lookup_elem(&sct_hooks, &key);
        if (!first || !*first)
                return 0;
        w.plan = *first;
        bpf_loop(HOOK_CHAIN_MAX, hook_enter_step, &w, 0);
        return 0;
}

/* The calls that are pending are found by the plans of the chain as it is now; of a chain that changed meanwhile they
 * are dropped: the plans that asked for them are gone. */
static long hook_return_step(u32 i, struct hook_walk *w) {
        struct hook_pending_key key = { .pid_tgid = bpf_get_current_pid_tgid(), .place = w->place << 8 | (i & 0xff) };
        u32 index = w->plan, parity = w->generation & 1;
        struct sct_scratch *s;
        struct sct_plan *plan;
        struct sct_task *t;
        struct sct_buf *b;

        if (!index)
                return 1;
        plan = plan_get(index, parity);
        if (!plan)
                return 1;
        w->plan = plan->next;
        if (!(plan->flags & SCT_PLAN_RETURN))
                return 0;
        b = bpf_map_lookup_elem(&sct_hpending, &key);
        if (!b)
                return 0;
        t = bpf_task_storage_get(&sct_tasks, bpf_get_current_task_btf(), NULL, 0);
        s = scratch_get();
        if (t && s && b->generation == w->generation) {
                b->rec.retval = w->retval;
                b->rec.flags |= SCT_RECORD_HAS_RETVAL;
                if (plan->flags & SCT_PLAN_EXIT_ARGS)
                        hook_args(s, b, parity * SCT_PLANS_MAX + (index & (SCT_PLANS_MAX - 1)), w->how | HOOK_EXIT);
                hook_judge(s, b, t, parity * SCT_PLANS_MAX + (index & (SCT_PLANS_MAX - 1)));
        }
        if (s)
                scratch_put();
        bpf_map_delete_elem(&sct_hpending, &key);
        return 0;
}

static __always_inline int hook_return(u64 place, s64 retval) {
        struct hook_walk w = { .generation = active_generation(), .place = place, .retval = retval };
        u32 key, *first;

        if (!w.generation || place >= SCT_HOOKS_MAX)
                return 0;
        key = (w.generation & 1) * SCT_HOOKS_MAX + place;
        first = bpf_map_lookup_elem(&sct_hooks, &key);
        if (!first || !*first)
                return 0;
        w.plan = *first;
        bpf_loop(HOOK_CHAIN_MAX, hook_return_step, &w, 0);
        return 0;
}
