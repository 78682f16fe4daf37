/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

/* What rules of hooks do: the first that matches acts, alone. Its actions stand in struct sct_action in the order of the
 * policy; each is taken once, at entry or at return, and counted. Posting comes last. What an Override wants is left in
 * b->error: the program at the place returns it. */

#include "enforcer.bpf.h"
#include "follow.bpf.h"

struct rate_key {
        u64 args;                    /* hash of the arguments' first bytes */
        u32 slot;
        u32 who;                     /* thread, process, or 0 */
};

struct {                             /* owner: kernel side: when a rule last posted this */
        __uint(type, BPF_MAP_TYPE_LRU_HASH);
        __uint(max_entries, 16384);
        __type(key, struct rate_key);
        __type(value, u64);
} sct_rates __weak SEC(".maps");

enum action_when {
        ACTION_ENTRY = 1 << 0,
        ACTION_RETURN = 1 << 1,
};

static __always_inline u32 low_bit(u64 rules) {
        u32 n = 0;

        /* Isolate the lowest bit, then count the zeros below it. */
        rules = (rules & -rules) - 1;
        if (rules & 0xffffffff00000000ULL) {
                n += 32;
                rules >>= 32;
        }
        if (rules & 0xffff0000) {
                n += 16;
                rules >>= 16;
        }
        if (rules & 0xff00) {
                n += 8;
                rules >>= 8;
        }
        if (rules & 0xf0) {
                n += 4;
                rules >>= 4;
        }
        return n + (rules & 1) + ((rules >> 1) & 1) + ((rules >> 2) & 1) + ((rules >> 3) & 1);
}

/* The lowest rule that is left; -1: none. */
__weak __noinline int action_rule(struct sct_buf *b, u32 bank_first, u32 n_banks) {
        u32 i, bank;
        u64 rules;

        if (!b)
                return -1;
        for (i = 0; i < SCT_BANKS_MAX && i < n_banks; i++) {
                bank = (bank_first + i) & (SCT_BANKS_MAX - 1);
                rules = b->active[bank];
                if (rules)
                        return bank * 64 + low_bit(rules);
        }
        return -1;
}

__weak __noinline int action_alone(struct sct_buf *b, u32 bank_first, u32 n_banks, u32 rule) {
        u32 i;

        if (!b)
                return -1;
        for (i = 0; i < SCT_BANKS_MAX && i < n_banks; i++)
                b->active[(bank_first + i) & (SCT_BANKS_MAX - 1)] = 0;
        b->active[(rule / 64) & (SCT_BANKS_MAX - 1)] = 1ULL << (rule & 63);
        return 0;
}

/* Key of the rule in sct_actions and sct_acted. */
static __always_inline u32 action_key(u32 rule, u32 parity) {
        return (parity & 1) * SCT_BANKS_MAX * 64 + (rule & (SCT_BANKS_MAX * 64 - 1));
}

struct action_walk {
        struct sct_scratch *s;
        struct sct_buf *b;
        struct sct_task *t;
        u32 plan_key, key;
        u32 when;                    /* enum action_when */
};

/* 0 when it was done. */
static __always_inline int action_do(struct action_walk *w, const struct sct_action *action, const struct sct_op *op) {
        u32 monitor = action->flags & SCT_ACTION_MONITOR, pair = op->arg | op->other << 8;

        switch (op->kind) {
        case SCT_OP_SIGNAL:
                return monitor ? 0 : bpf_send_signal(op->value);
        case SCT_OP_OVERRIDE:
                if (!monitor)
                        w->b->error = op->value;
                return 0;
        case SCT_OP_ENFORCER:
                return monitor ? 0 : enforcer_notify(op->other, op->value, op->arg);
        case SCT_OP_FOLLOW_FD:
                return fd_follow(w->s, w->b, w->plan_key, pair);
        case SCT_OP_UNFOLLOW_FD:
                return fd_unfollow(w->b, op->arg);
        case SCT_OP_COPY_FD:
                return fd_copy(w->b, pair);
        case SCT_OP_TRACK_SOCK:
                return sock_track(w->s, w->b, w->t, w->b->socks[op->arg & 1]);
        case SCT_OP_UNTRACK_SOCK: {
                u64 sock = w->b->socks[op->arg & 1];

                return bpf_map_delete_elem(&sct_socks, &sock);
        }
        }
        return 0;
}

static long action_step(u32 i, struct action_walk *w) {
        struct sct_action *action = bpf_map_lookup_elem(&sct_actions, &w->key);
        struct sct_acted *acted = bpf_map_lookup_elem(&sct_acted, &w->key);
        struct sct_op *op;

        i &= SCT_OPS_MAX - 1;
        if (!action || !acted)
                return 1;
        op = action->ops + i;
        if (!(w->when & (op->at_return ? ACTION_RETURN : ACTION_ENTRY)) || op->kind <= SCT_OP_NO_POST ||
            op->kind == SCT_OP_DAEMON)
                return 0;
        /* To take back what was never given is no failure: most descriptors that are closed were not followed. */
        if (!action_do(w, action, op))
                __sync_fetch_and_add(&acted->n_done[i], 1);
        else if (op->kind != SCT_OP_UNFOLLOW_FD && op->kind != SCT_OP_COPY_FD && op->kind != SCT_OP_UNTRACK_SOCK)
                __sync_fetch_and_add(&acted->n_failed, 1);
        return 0;
}

/* Takes the actions of one moment. rule_when: the rule, and enum action_when from bit 16 on. */
__weak __noinline int action_take(struct sct_scratch *s, struct sct_buf *b, struct sct_task *t, u32 plan_key, u32 rule_when) {
        struct action_walk w = {
                .plan_key = plan_key, .key = action_key(rule_when, plan_key >= SCT_PLANS_MAX), .when = rule_when >> 16,
        };
        struct sct_action *action = bpf_map_lookup_elem(&sct_actions, &w.key);
        struct sct_acted *acted = bpf_map_lookup_elem(&sct_acted, &w.key);

        if (!s || !b || !t || !action || !acted)
                return -1;
        if (w.when & ACTION_ENTRY)
                __sync_fetch_and_add(&acted->n_hits, 1);
        w.s = s;
        w.b = b;
        w.t = t;
        bpf_loop(action->n_ops & (2 * SCT_OPS_MAX - 1), action_step, &w, 0);
        return 0;
}

/* ---- Posting ---- */

struct hash_walk {
        struct sct_buf *b;
        u64 hash;
};

#define RATE_ARG_BYTES 40        /* of each argument tell what is a repetition */

static long hash_step(u32 i, struct hash_walk *w) {
        u64 off = w->b->arg_off[i & (SCT_ARGS_MAX - 1)], words[RATE_ARG_BYTES / 8] = {}, size;
        u32 k;

        barrier_var(off);
        if (off < 8 || off > SCT_ARGS_END)
                return 0;
        size = arg_size(w->b, off);
        barrier_var(size);
        if (size > RATE_ARG_BYTES)
                size = RATE_ARG_BYTES;
        bpf_probe_read_kernel(words, size, w->b->data + off);
        for (k = 0; k < RATE_ARG_BYTES / 8; k++)
                w->hash = (w->hash ^ words[k]) * 0x9e3779b97f4a7c15ULL ^ w->hash >> 29;
        w->hash ^= i + size;
        return 0;
}

/* 1 when the rule has posted this within its interval. */
__weak __noinline int action_is_limited(struct sct_buf *b, u32 action_key) {
        struct sct_action *action = bpf_map_lookup_elem(&sct_actions, &action_key);
        struct hash_walk w = { .b = b };
        struct rate_key key = {};
        u64 now, *last;

        if (!b || !action || !action->rate_ns || !USES(RATES))
                return 0;
        bpf_loop(SCT_ARGS_MAX, hash_step, &w, 0);
        key.args = w.hash;
        key.slot = action->slot;
        if (action->rate_scope == SCT_RATE_THREAD)
                key.who = b->rec.host_tid;
        else if (action->rate_scope == SCT_RATE_PROCESS)
                key.who = b->rec.host_pid;
        now = b->rec.time_ns;
        last = bpf_map_lookup_elem(&sct_rates, &key);
        if (last && now - *last < action->rate_ns)
                return 1;
        bpf_map_update_elem(&sct_rates, &key, &now, BPF_ANY);
        return 0;
}

/* A stack as an argument of its own. */
__weak __noinline int put_stack(struct sct_buf *b, u32 user) {
        u32 index = user ? SCT_ARG_INDEX_USER_STACK : SCT_ARG_INDEX_KERNEL_STACK;
        u64 off, at;
        long n;

        if (!b || !USES(STACKS))
                return -1;
        off = b->used;
        at = off + 8;
        barrier_var(at);
        if (at > SCT_ARGS_END - SCT_STACK_MAX * 8) {
                COUNT(n_truncated);
                return 0;
        }
        barrier_var(at);
        n = bpf_get_task_stack(bpf_get_current_task_btf(), b->data + at, SCT_STACK_MAX * 8, user ? BPF_F_USER_STACK : 0);
        if (n <= 0 || n > SCT_STACK_MAX * 8)
                return 0;       /* a kernel thread has no user stack */
        arg_done(b, off, index, SCT_ARG_BYTES, 0, n);
        return 0;
}

/* Sends the record, unless the rule does not want it. */
__weak __noinline int action_post(struct sct_buf *b, u32 bank_first, u32 n_banks, u32 action_key) {
        struct sct_action *action = bpf_map_lookup_elem(&sct_actions, &action_key);
        struct sct_acted *acted = bpf_map_lookup_elem(&sct_acted, &action_key);

        if (!b || !action || !acted || action->flags & SCT_ACTION_NO_POST)
                return 0;
        if (action_is_limited(b, action_key)) {
                __sync_fetch_and_add(&acted->n_limited, 1);
                return 0;
        }
        if (action->flags & SCT_ACTION_KERNEL_STACK)
                put_stack(b, 0);
        if (action->flags & SCT_ACTION_USER_STACK)
                put_stack(b, 1);
        if (!emit(b, bank_first, n_banks))
                __sync_fetch_and_add(&acted->n_posted, 1);
        return 0;
}
