/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

/* One run of a place that policies hooked: its hooks one after the other, each judged on its own, and what they make of
 * the call. A place is a number; it leads to a chain of links, one for each hook that is there: which plan serves it, and
 * as which event (a hook on a list of calls has one plan, and every call of the list its own event).
 *
 * What differs between the kinds of programs is known when they are compiled (`how`), so that each holds only what it
 * needs: verification time counts. */

#include "enforcer.bpf.h"
#include "hook.bpf.h"

enum hook_skip {
        SKIP_EVENT = 1,
        SKIP_STALE,                  /* the socket's owner is to be judged by this generation first */
};

struct hook_walk {
        u32 generation;
        u32 link;                    /* of the chain, 0: its end */
        u32 skip;                    /* enum hook_skip: the owner of the hook's socket is another process */
        u64 place;
        void *ctx;
        s64 retval;
        s64 error;                   /* what the call is to return instead, 0: nothing */
};

static __always_inline struct sct_hook_link *hook_link(u32 link, u32 generation) {
        u32 key = (generation & 1) * SCT_LINKS_MAX + (link & (SCT_LINKS_MAX - 1));

        return link ? bpf_map_lookup_elem(&sct_links, &key) : NULL;
}

/* The calling convention's registers; of more than six arguments the rest stands on the stack. In a frame of its own, as
 * its like: what reading registers needs is not held while rules are judged. */
static __noinline int hook_function_args(struct sct_buf *b, struct pt_regs *regs) {
        u64 *a = b->args;
        u64 sp = PT_REGS_SP_CORE(regs);

        a[0] = PT_REGS_PARM1_CORE(regs);
        a[1] = PT_REGS_PARM2_CORE(regs);
        a[2] = PT_REGS_PARM3_CORE(regs);
        a[3] = PT_REGS_PARM4_CORE(regs);
        a[4] = PT_REGS_PARM5_CORE(regs);
        a[5] = BPF_CORE_READ(regs, r9);
        bpf_probe_read_kernel(a + 6, 2 * sizeof(u64), (void *) (sp + 8));
        return 0;
}

static __noinline int hook_syscall_args(struct sct_buf *b, struct pt_regs *regs) {
        syscall_args(regs, syscall_is_compat(bpf_get_current_task_btf()), b->args);
        return 0;
}

/* An LSM hook, or a function that a trampoline leads to. Beyond the last argument the helper writes nothing. */
static __always_inline void hook_trampoline_args(struct sct_buf *b, u64 *ctx) {
        u64 v;

#pragma unroll
        for (u32 i = 0; i < SCT_HOOK_REGS; i++) {
                v = 0;
                bpf_get_func_arg(ctx, i, &v);
                b->args[i] = v;
        }
}

static __always_inline void hook_raw_args(struct sct_buf *b, u64 *ctx) {
#pragma unroll
        for (u32 i = 0; i < SCT_HOOK_REGS; i++)
                b->args[i] = i < sct_place_n_args ? ctx[i] : 0;
}

static __always_inline void hook_args_of(struct sct_buf *b, void *ctx, u32 how) {
        u64 regs = 0;

        if (how & HOOK_RECORD)
                b->args[0] = (u64) ctx;
        else if (how & HOOK_TRAMPOLINE && how & HOOK_SYSCALL) {
                bpf_get_func_arg(ctx, 0, &regs);
                hook_syscall_args(b, (struct pt_regs *) regs);
        } else if (how & HOOK_TRAMPOLINE)
                hook_trampoline_args(b, ctx);
        else if (how & HOOK_RAW)
                hook_raw_args(b, ctx);
        else if (how & HOOK_SYSCALL)
                hook_syscall_args(b, ctx);
        else
                hook_function_args(b, ctx);
}

/* Keeps a call's entry until its return. */
__weak __noinline int hook_keep(u32 level, u64 place) {
        struct hook_pending_key key = { .pid_tgid = bpf_get_current_pid_tgid(), .place = place };
        struct sct_scratch *s = bpf_map_lookup_elem(&sct_scratches, &level);

        if (!s || bpf_map_update_elem(&sct_hpending, &key, &s->buf, BPF_ANY))
                COUNT(n_internal);
        return 0;
}

/* A record of the owner of the hook's socket, when that was tracked. NULL: it was not, or (w->skip) its owner's rules do
 * not want the event. Its own frame, as above. */
static __noinline struct sct_scratch *hook_sock_begin(struct hook_walk *w, u32 plan_key, u32 how) {
        struct sct_scratch *s = scratch_get();
        int tracked;

        if (!s)
                return NULL;
        hook_args_of(&s->buf, w->ctx, how);
        tracked = sock_begin(s, plan_key, how & HOOK_RECORD);
        w->skip = tracked < 0 ? SKIP_EVENT : tracked == SOCK_STALE ? SKIP_STALE : 0;
        if (tracked == 1)
                return s;
        scratch_put();
        return NULL;
}

/* In no function of its own: judging needs all the frames that there are. */
static __always_inline void hook_sock_judge(struct hook_walk *w) {
        struct sct_scratch *s = scratch_get();
        struct sock_owner *owner;

        if (!s)
                return;
        owner = bpf_map_lookup_elem(&sct_socks, &s->sock);
        if (owner) {
                owner_kin(s, &owner->t, w->generation);
                owner_judge(s, &owner->t, w->generation);
        }
        scratch_put();
}

/* As event_begin_plan(), but for the socket's owner where the policy set tracks sockets. */
static __always_inline int hook_begin_one(struct event_run *r, struct hook_walk *w, struct sct_hook_link *link, u32 how) {
        if (!(how & HOOK_USER)) {
                r->plan = plan_get(link->plan, w->generation & 1);
                if (!r->plan)
                        return 0;
                if (USES(SOCKS) && r->plan->sock_arg) {
                        u32 key = (w->generation & 1) * SCT_PLANS_MAX + (link->plan & (SCT_PLANS_MAX - 1));

                        r->s = hook_sock_begin(w, key, how);
                        if (!r->s && w->skip == SKIP_STALE) {
                                hook_sock_judge(w);
                                r->s = hook_sock_begin(w, key, how);
                        }
                        if (r->s) {
                                r->s->buf.rec.event = link->event;
                                r->t = bpf_task_storage_get(&sct_tasks, bpf_get_current_task_btf(), NULL,
                                                            BPF_LOCAL_STORAGE_GET_F_CREATE);
                                if (r->t)
                                        return 1;
                                scratch_put();
                                return 0;
                        }
                        if (w->skip == SKIP_EVENT)
                                return 0;
                }
        }
        return event_begin_plan(r, link->plan, link->event, w->generation);
}

static __always_inline long hook_enter_one(u32 i, struct hook_walk *w, u32 how) {
        struct sct_hook_link *link = hook_link(w->link, w->generation);
        struct event_run r = {};
        struct sct_buf *b;
        u32 index, plan_key;

        if (!link)
                return 1;
        w->link = link->next;
        index = link->plan;
        if (!hook_begin_one(&r, w, link, how))
                return 0;
        b = &r.s->buf;
        hook_args_of(b, w->ctx, how);
        r.s->regs = how & (HOOK_RECORD | HOOK_TRAMPOLINE | HOOK_RAW) ? 0 : (u64) w->ctx;
        b->plan = index;
        b->generation = w->generation;
        b->decided = 0;
        b->error = 0;
        plan_key = (w->generation & 1) * SCT_PLANS_MAX + (index & (SCT_PLANS_MAX - 1));
        hook_args(r.s, b, plan_key, how);
        if (!(r.plan->flags & SCT_PLAN_RETURN))
                hook_judge(r.s, b, r.t, plan_key, JUDGE_WHOLE);
        else if (hook_judge(r.s, b, r.t, plan_key, JUDGE_ENTRY))
                hook_keep(r.s->level, w->place << 8 | (i & 0xff));
        if (b->error && !w->error)
                w->error = b->error;
        scratch_put();
        return 0;
}

/* The calls that are pending are found by the links of the chain as it is now; of a chain that changed meanwhile they
 * are dropped: the hooks that asked for them are gone. */
static __always_inline long hook_return_one(u32 i, struct hook_walk *w, u32 how) {
        struct hook_pending_key key = { .pid_tgid = bpf_get_current_pid_tgid(), .place = w->place << 8 | (i & 0xff) };
        struct sct_hook_link *link = hook_link(w->link, w->generation);
        u32 index, parity = w->generation & 1;
        struct sct_scratch *s;
        struct sct_plan *plan;
        struct sct_task *t;
        struct sct_buf *b;

        if (!link)
                return 1;
        w->link = link->next;
        index = link->plan;
        plan = plan_get(index, parity);
        if (!plan)
                return 1;
        if (!(plan->flags & SCT_PLAN_RETURN))
                return 0;
        b = bpf_map_lookup_elem(&sct_hpending, &key);
        if (!b)
                return 0;
        t = bpf_task_storage_get(&sct_tasks, bpf_get_current_task_btf(), NULL, 0);
        s = scratch_get();
        if (t && s && b->generation == w->generation) {
                b->rec.retval = widen(plan->return_type, w->retval);
                b->rec.flags |= SCT_RECORD_HAS_RETVAL;
                if (plan->flags & SCT_PLAN_EXIT_ARGS)
                        hook_args(s, b, parity * SCT_PLANS_MAX + (index & (SCT_PLANS_MAX - 1)), how | HOOK_EXIT);
                hook_judge(s, b, t, parity * SCT_PLANS_MAX + (index & (SCT_PLANS_MAX - 1)), JUDGE_RETURN);
        }
        if (s)
                scratch_put();
        bpf_map_delete_elem(&sct_hpending, &key);
        return 0;
}

/* A program defines its steps: a callback of bpf_loop cannot be handed a constant. */
#define HOOK_ENTER_STEP(name, how)                                              \
        static long name(u32 i, struct hook_walk *w) {                          \
                return hook_enter_one(i, w, how);                               \
        }
#define HOOK_RETURN_STEP(name, how)                                             \
        static long name(u32 i, struct hook_walk *w) {                          \
                return hook_return_one(i, w, how);                              \
        }

#define HOOK_CHAIN_MAX 64

/* Finds the first link of a place; 0 when nobody wants it. */
static __always_inline int hook_begin(struct hook_walk *w) {
        u32 key, *first;

        if (!w->generation || w->place >= SCT_HOOKS_MAX)
                return 0;
        key = (w->generation & 1) * SCT_HOOKS_MAX + w->place;
        first = bpf_map_lookup_elem(&sct_hooks, &key);
        if (!first)
                return 0;
        w->link = *first;
        return w->link != 0;
}
