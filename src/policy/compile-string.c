/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* String tables: merged equality entries, tries whose longest match answers for all shorter ones, and one automaton
 * over all substrings of a predicate.
 *
 * The automaton is Aho and Corasick's with complete transitions: a row for every prefix of a substring, 256 next rows
 * each, so that the kernel side takes one step a byte and never goes back. A row's mask is that of every substring that
 * ends there, also of those that are suffixes of what was read. */

#include "../basic/macro.h"
#include "compile-table.h"

static int string_compare(const void *a, const void *b) {
        const StringItem *x = a, *y = b;
        int r;

        r = memcmp(x->text, y->text, MIN(x->size, y->size));
        if (r != 0)
                return r;
        return (x->size > y->size) - (x->size < y->size);
}

void strings_sort(StringItems *s) {
        size_t n = 0;

        if (s->n == 0)
                return;

        qsort(s->items, s->n, sizeof(s->items[0]), string_compare);
        for (size_t i = 1; i < s->n; i++)
                if (string_compare(s->items + n, s->items + i) == 0) {
                        s->items[n].mask.pos |= s->items[i].mask.pos;
                        s->items[n].mask.neg |= s->items[i].mask.neg;
                } else
                        s->items[++n] = s->items[i];
        s->n = n + 1;
}

static bool is_prefix(const StringItem *shorter, const StringItem *longer) {
        return shorter->size <= longer->size && memcmp(shorter->text, longer->text, shorter->size) == 0;
}

/* In sorted order all strings that begin with x follow x without a gap, so the open prefixes form a stack. It is linked
 * through `parent`: the next shorter prefix of each. An item's merged mask holds its parent's already. */
int strings_merge_affixes(StringItems *s) {
        _cleanup_free_ uint32_t *parent = NULL;
        uint32_t top = UINT32_MAX;

        parent = new(uint32_t, s->n + 1);
        if (!parent)
                return -ENOMEM;

        for (size_t i = 0; i < s->n; i++) {
                while (top != UINT32_MAX && !is_prefix(s->items + top, s->items + i))
                        top = parent[top];
                if (top != UINT32_MAX) {
                        s->items[i].mask.pos |= s->items[top].mask.pos;
                        s->items[i].mask.neg |= s->items[top].mask.neg;
                }
                parent[i] = top;
                top = i;
        }
        return 0;
}

/* ---- The automaton ---- */

typedef struct Automaton {
        uint32_t *rows;                 /* 256 entries a row; while the trie grows 0 means none */
        struct sct_mask *masks;
        size_t n_rows, n_rows_max;
} Automaton;

static int automaton_add(Automaton *a, const StringItem *item) {
        uint32_t row = 0;

        for (uint32_t i = 0; i < item->size; i++) {
                uint32_t *next = a->rows + ((size_t) row << 8 | (uint8_t) item->text[i]);

                if (*next == 0) {
                        if (a->n_rows >= a->n_rows_max)
                                return -E2BIG;
                        memset(a->rows + (a->n_rows << 8), 0, 256 * sizeof(uint32_t));
                        a->masks[a->n_rows] = (struct sct_mask) {};
                        *next = a->n_rows++;
                }
                row = *next;
        }

        a->masks[row].pos |= item->mask.pos;
        a->masks[row].neg |= item->mask.neg;
        return 0;
}

/* Breadth first: a row's failure row is shorter, so its transitions and its mask are complete when they are needed. */
static int automaton_complete(Automaton *a) {
        _cleanup_free_ uint32_t *queue = NULL, *fail = NULL;
        size_t head = 0, tail = 0;

        queue = new(uint32_t, a->n_rows);
        fail = new0(uint32_t, a->n_rows);
        if (!queue || !fail)
                return -ENOMEM;

        for (queue[tail++] = 0; head < tail; head++) {
                uint32_t row = queue[head], *next = a->rows + ((size_t) row << 8);
                const uint32_t *other = a->rows + ((size_t) fail[row] << 8);

                for (unsigned b = 0; b < 256; b++) {
                        uint32_t child = next[b];

                        if (child == 0) {
                                next[b] = row == 0 ? 0 : other[b];
                                continue;
                        }
                        fail[child] = row == 0 ? 0 : other[b];
                        a->masks[child].pos |= a->masks[fail[child]].pos;
                        a->masks[child].neg |= a->masks[fail[child]].neg;
                        queue[tail++] = child;
                }
        }
        assert(tail == a->n_rows);

        for (size_t i = 0; i < a->n_rows << 8; i++) {
                const struct sct_mask *m = a->masks + a->rows[i];

                if (m->pos || m->neg)
                        a->rows[i] |= SCT_DFA_HIT;
        }
        return 0;
}

int strings_add_automaton(Plan *plan, const StringItems *s, uint32_t *ret_first) {
        size_t first_row = plan->n_dfa / 256, n_rows = 1;
        Automaton a;
        int r;

        assert(plan);
        assert(s);
        assert(ret_first);

        /* No more rows than bytes; and never more than what is left of the limit. */
        for (size_t i = 0; i < s->n; i++)
                n_rows += s->items[i].size;
        n_rows = MIN(n_rows, DFA_ENTRIES_MAX / 256 - MIN(first_row, (size_t) DFA_ENTRIES_MAX / 256));
        if (n_rows == 0)
                return -E2BIG;
        if (!GREEDY_REALLOC(plan->dfa, plan->n_dfa_allocated, (first_row + n_rows) * 256) ||
            !GREEDY_REALLOC(plan->dfa_masks, plan->n_dfa_masks_allocated, first_row + n_rows))
                return -ENOMEM;

        a = (Automaton) {
                .rows = plan->dfa + first_row * 256,
                .masks = plan->dfa_masks + first_row,
                .n_rows = 1,
                .n_rows_max = n_rows,
        };
        memset(a.rows, 0, 256 * sizeof(uint32_t));
        a.masks[0] = (struct sct_mask) {};

        for (size_t i = 0; i < s->n; i++) {
                r = automaton_add(&a, s->items + i);
                if (r < 0)
                        return r;
        }
        r = automaton_complete(&a);
        if (r < 0)
                return r;

        plan->n_dfa = (first_row + a.n_rows) * 256;
        plan->n_dfa_masks = first_row + a.n_rows;
        *ret_first = first_row * 256;
        return 0;
}
