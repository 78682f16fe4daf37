/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

/* One string against the strings of all rules of a bank at once: equality by hash, prefixes and suffixes by tries,
 * substrings by an automaton. */

#include "buf.bpf.h"

static __always_inline void answer_add(struct sct_answer *a, const struct sct_mask *m) {
        a->pos |= m->pos;
        a->neg |= m->neg;
}

static const char sct_zeros[SCT_STR_CLASS_3 + 8] = {};

/* Equality, by size class: the key is zeroed and filled, the hash covers just the class. */
__weak __noinline int match_str_equal(struct str_args *a) {
        struct sct_mask *mask = NULL;
        struct sct_scratch *s;
        u32 parity, size, level;
        void *table;

        if (!a || !USES(EQUAL))
                return -1;
        level = a->level;
        s = bpf_map_lookup_elem(&sct_scratches, &level);
        if (!s)
                return -1;
        parity = a->parity;
        size = a->size;
#define EQUAL(n)                                                                                \
        do {                                                                                    \
                if (sizeof(s->key.k##n.str) <= 64) {                                            \
                        for (u32 w = 0; w < sizeof(s->key.k##n.str) / 8; w++)                   \
                                ((u64 *) s->key.k##n.str)[w] = 0;                               \
                } else                                                                          \
                        bpf_probe_read_kernel(s->key.k##n.str, sizeof(s->key.k##n.str), sct_zeros); \
                s->key.k##n.slot = a->slot;                                                     \
                s->key.k##n.size = size;                                                        \
                bpf_probe_read_kernel(s->key.k##n.str, size, (const void *) a->str);            \
                table = bpf_map_lookup_elem(&sct_g_str##n, &parity);                            \
                if (table)                                                                      \
                        mask = bpf_map_lookup_elem(table, &s->key.k##n);                        \
        } while (0)

        if (size <= SCT_STR_CLASS_0)
                EQUAL(0);
        else if (size <= SCT_STR_CLASS_1)
                EQUAL(1);
        else if (size <= SCT_STR_CLASS_2)
                EQUAL(2);
        else if (size <= SCT_STR_CLASS_3)
                EQUAL(3);
#undef EQUAL
        if (mask)
                answer_add(&a->answer, mask);
        return 0;
}

__weak __noinline int match_prefix(struct str_args *a) {
        struct sct_mask *mask;
        struct sct_scratch *s;
        void *table;
        u32 parity, size, level;

        if (!a || !USES(PREFIXES))
                return -1;
        level = a->level;
        s = bpf_map_lookup_elem(&sct_scratches, &level);
        if (!s)
                return -1;
        parity = a->parity;
        table = bpf_map_lookup_elem(&sct_g_prefix, &parity);
        if (!table)
                return -1;
        size = a->size;
        if (size > SCT_AFFIX_MAX)
                size = SCT_AFFIX_MAX;
        s->key.affix.slot = a->slot;
        s->key.affix.prefixlen = 32 + 8 * size;
        bpf_probe_read_kernel(s->key.affix.str, size, (const void *) a->str);
        mask = bpf_map_lookup_elem(table, &s->key.affix);
        if (mask)
                answer_add(&a->answer, mask);
        return 0;
}

struct reverse_walk {
        struct sct_scratch *s;
        u32 n;
};

static long reverse_step(u32 i, struct reverse_walk *w) {
        w->s->key.affix.str[i & 0xff] = w->s->path[SCT_STR_MAX + ((w->n - 1 - i) & 0xff)];
        return 0;
}

/* Suffixes are prefixes of the string read backwards. */
__weak __noinline int match_suffix(struct str_args *a) {
        struct sct_mask *mask;
        struct sct_scratch *s;
        void *table;
        struct reverse_walk w = { };
        u32 parity, level;
        u64 n;

        if (!a || !USES(SUFFIXES))
                return -1;
        level = a->level;
        s = bpf_map_lookup_elem(&sct_scratches, &level);
        if (!s)
                return -1;
        parity = a->parity;
        table = bpf_map_lookup_elem(&sct_g_suffix, &parity);
        if (!table)
                return -1;
        n = a->size;
        barrier_var(n);       /* before 6.2 the verifier forgets a bound that was checked on a copy */
        if (n > SCT_AFFIX_MAX)
                n = SCT_AFFIX_MAX;
        /* The tail forward into the path buffer's spare end, then backwards into the key. */
        bpf_probe_read_kernel(s->path + SCT_STR_MAX, n, (const void *) (a->str + a->size - n));
        w.s = s;
        w.n = n;
        bpf_loop(n, reverse_step, &w, 0);
        s->key.affix.slot = a->slot;
        s->key.affix.prefixlen = 32 + 8 * n;
        mask = bpf_map_lookup_elem(table, &s->key.affix);
        if (mask)
                answer_add(&a->answer, mask);
        return 0;
}

struct dfa_walk {
        struct str_args *a;
        u64 word;                 /* the eight bytes around the current one */
        u32 row;
};

static long dfa_step(u32 i, struct dfa_walk *w) {
        u32 parity = w->a->parity, index, *next;
        void *table = bpf_map_lookup_elem(&sct_g_dfa, &parity);

        if (!table)
                return 1;
        if ((i & 7) == 0)
                /* May read up to 7 bytes beyond the string: all strings stand inside larger buffers. */
                bpf_probe_read_kernel(&w->word, 8, (const void *) (w->a->str + i));
        index = w->a->dfa_first + (w->row << 8) + (u8) (w->word >> ((i & 7) * 8));
        next = bpf_map_lookup_elem(table, &index);
        if (!next)
                return 1;
        w->row = *next & SCT_DFA_ROW;
        if (*next & SCT_DFA_HIT) {
                void *masks = bpf_map_lookup_elem(&sct_g_dfamask, &parity);
                struct sct_mask *mask;

                index = (w->a->dfa_first >> 8) + w->row;
                mask = masks ? bpf_map_lookup_elem(masks, &index) : NULL;
                if (mask)
                        answer_add(&w->a->answer, mask);
        }
        return 0;
}

__weak __noinline int match_substring(struct str_args *a) {
        struct dfa_walk w = {};
        u32 size;

        if (!a || !USES(SUBSTRINGS))
                return -1;
        w.a = a;
        size = a->size;
        if (size > SCT_DATA_MAX)
                size = SCT_DATA_MAX;
        bpf_loop(size, dfa_step, &w, 0);
        return 0;
}
