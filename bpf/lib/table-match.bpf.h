/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

/* One value against the tables of one predicate: numbers and ranges, masks, sets of bits, cgroups, sets of kin. Which value
 * that is, and what becomes of the answer, is rule-match.bpf.h's. */

#include "string-match.bpf.h"

/* The last boundary that is not above value. */
__weak __noinline int match_range(u32 parity, u32 first, u32 count, u64 value, struct sct_answer *a) {
        u32 low = 0, high = count, i;
        struct sct_range *range;
        void *table;

        if (!a || !USES(RANGES))
                return -1;
        table = bpf_map_lookup_elem(&sct_g_range, &parity);
        if (!table)
                return -1;
        for (i = 0; i < 18 && low < high; i++) {
                u32 middle = (low + high) / 2, index = first + middle;

                range = bpf_map_lookup_elem(table, &index);
                if (!range)
                        return -1;
                if (range->low <= value)
                        low = middle + 1;
                else
                        high = middle;
        }
        if (low == 0)
                return 0;
        low += first - 1;
        range = bpf_map_lookup_elem(table, &low);
        if (range)
                answer_add(a, &range->mask);
        return 0;
}

struct list_walk {
        u64 value;                    /* a number, a set of bits, or a cgroup's id */
        u32 first, parity;
        u32 kind;                     /* enum list_kind */
        struct sct_answer answer;
};

enum list_kind {
        LIST_MASK,                    /* value is a number */
        LIST_BITS,                    /* value is a set of bits */
        LIST_CGROUP,                  /* value is a cgroup's id: the set is that of the patterns it matches */
};

static long list_step(u32 i, struct list_walk *w) {
        void *table = bpf_map_lookup_elem(&sct_g_list, &w->parity);
        u32 index = w->first + i;
        struct sct_list_item *item;
        int hit = 0;

        if (!table)
                return 1;
        item = bpf_map_lookup_elem(table, &index);
        if (!item)
                return 1;
        if (w->kind == LIST_CGROUP) {
                struct sct_cgroup *cgroup = bpf_map_lookup_elem(&sct_cgroups, &w->value);
                u32 word = (item->cmp / 64) & (SCT_CGROUP_PATTERNS_MAX / 64 - 1);

                if (!cgroup)
                        return 1;
                hit = (cgroup->bits[w->parity & 1][word] >> (item->cmp & 63)) & 1;
        } else if (w->kind == LIST_BITS)
                hit = item->cmp < 64 && ((w->value >> (item->cmp & 63)) & 1);
        else if (item->nonzero)
                hit = (w->value & item->and) != 0;
        else
                hit = (w->value & item->and) == item->cmp;
        if (hit) {
                w->answer.pos |= item->mask.pos;
                w->answer.neg |= item->mask.neg;
        }
        return 0;
}

static __always_inline void match_list(const struct sct_pred *p, u32 parity, u64 value, u32 kind, struct sct_answer *a) {
        struct list_walk w = { .value = value, .first = p->first, .parity = parity, .kind = kind };

        if (!USES(LISTS))
                return;
        bpf_loop(p->count, list_step, &w, 0);
        a->pos |= w.answer.pos;
        a->neg |= w.answer.neg;
}

static __always_inline struct sct_kin *kin_of(struct sct_task *t, u32 generation_or_parity) {
        u64 parity = generation_or_parity;

        barrier_var(parity);         /* or the bound that follows is lost where the parity was kept on the stack */
        return t->kin + (parity & 1);
}

struct kin_list_walk {
        struct sct_task *t;
        u32 first, parity;
        struct sct_answer answer;
};

static long kin_list_step(u32 i, struct kin_list_walk *w) {
        void *table = bpf_map_lookup_elem(&sct_g_list, &w->parity);
        u32 index = w->first + i;
        struct sct_list_item *item = table ? bpf_map_lookup_elem(table, &index) : NULL;

        if (!item)
                return 1;
        if ((kin_of(w->t, w->parity)->bits[(item->cmp / 64) & (SCT_KIN_WORDS - 1)] >> (item->cmp & 63)) & 1) {
                w->answer.pos |= item->mask.pos;
                w->answer.neg |= item->mask.neg;
        }
        return 0;
}

/* Items name kin sets: those that the task has met hit. */
__weak __noinline int match_kin(struct sct_task *t, u32 first, u32 count, u32 parity, struct sct_answer *a) {
        struct kin_list_walk w = { .first = first, .parity = parity };

        if (!t || !a || !USES(KIN))
                return -1;
        w.t = t;
        bpf_loop(count, kin_list_step, &w, 0);
        a->pos |= w.answer.pos;
        a->neg |= w.answer.neg;
        return 0;
}

static __always_inline void match_number(const struct sct_pred *p, u32 parity, u64 value, struct sct_answer *a) {
        if (p->flags & SCT_PRED_SIGNED)
                value = SCT_BIAS(value);
        if (p->flags & SCT_PRED_EQ) {
                struct sct_num_key key = { .slot = p->slot, .value = value };
                void *table = bpf_map_lookup_elem(&sct_g_num, &parity);
                struct sct_mask *mask = table ? bpf_map_lookup_elem(table, &key) : NULL;

                if (mask)
                        answer_add(a, mask);
        }
        if (p->flags & SCT_PRED_RANGE)
                match_range(parity, p->first, p->count, value, a);
}
