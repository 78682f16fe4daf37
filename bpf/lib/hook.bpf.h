/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

/* What one hook of a policy does at its place: its arguments put into the record, its rules judged, their actions. Which
 * hooks a place has, and where its arguments come from, is hook-run.bpf.h's. */

#include "arg-read.bpf.h"
#include "event.bpf.h"
#include "object-read.bpf.h"

enum hook_how {
        HOOK_USER = 1 << 0,          /* strings stand in user memory (uprobes, system calls) */
        HOOK_RECORD = 1 << 1,        /* args[0] is a tracepoint's record, arguments are its fields */
        HOOK_EXIT = 1 << 2,          /* arguments that are read at return */
        HOOK_SYSCALL = 1 << 3,       /* the registers are those of a system call */
        HOOK_TRAMPOLINE = 1 << 4,    /* called by a BPF trampoline: LSM hooks, fmod_ret; with SYSCALL: argument 0 is the registers */
        HOOK_RAW = 1 << 5,           /* the context is the arguments: raw tracepoints */
};

#define SCT_HOOK_REGS 8              /* arguments of a place that can be read: sct_buf.args */

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
        if (action->flags & SCT_ACTION_OVERRIDE && !(action->flags & SCT_ACTION_MONITOR))
                b->error = action->error;
        return !(action->flags & SCT_ACTION_NO_POST);
}

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
