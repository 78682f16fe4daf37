/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One predicate's entries: collected, sorted, merged over the rules of a bank, written into the Plan once.
 *
 * Invariant: two predicates whose entries and masks are equal share their slot and everything behind it, so that the
 * same condition on fifty events fills the kernel's tables once. What the entries mean is compile-predicates.c's
 * business; how strings are merged stands in compile-string.c. */

#include "../basic/macro.h"
#include "compile-table.h"

#define POOL_BLOCK (64U * 1024U)

Table *table_free(Table *t) {
        if (!t)
                return NULL;

        free(t->numbers);
        free(t->spans);
        free(t->ranges);
        free(t->lists);
        for (size_t k = 0; k < ELEMENTSOF(t->strings); k++)
                free(t->strings[k].items);
        free(t);
        return NULL;
}

bool table_is_empty(const Table *t) {
        assert(t);

        for (size_t k = 0; k < ELEMENTSOF(t->strings); k++)
                if (t->strings[k].n > 0)
                        return false;
        return t->n_numbers == 0 && t->n_spans == 0 && t->n_lists == 0;
}

static struct sct_mask mask_bit(unsigned bit, bool negative) {
        uint64_t m = UINT64_C(1) << bit;

        return negative ? (struct sct_mask) { .neg = m } : (struct sct_mask) { .pos = m };
}

int table_add_number(Table *t, uint64_t value, unsigned bit, bool negative) {
        assert(t);

        if (!GREEDY_REALLOC(t->numbers, t->n_numbers_allocated, t->n_numbers + 1))
                return -ENOMEM;
        t->numbers[t->n_numbers++] = (NumberItem) { .value = value, .mask = mask_bit(bit, negative) };
        return 0;
}

int table_add_span(Table *t, uint64_t low, uint64_t high, unsigned bit, bool negative) {
        assert(t);

        if (low > high)
                return 0;
        if (!GREEDY_REALLOC(t->spans, t->n_spans_allocated, t->n_spans + 1))
                return -ENOMEM;
        t->spans[t->n_spans++] = (RangeItem) { .low = low, .high = high, .bit = bit, .negative = negative };
        return 0;
}

int table_add_list(Table *t, uint64_t and, uint64_t cmp, bool nonzero, unsigned bit, bool negative) {
        assert(t);

        if (!GREEDY_REALLOC(t->lists, t->n_lists_allocated, t->n_lists + 1))
                return -ENOMEM;
        t->lists[t->n_lists++] = (struct sct_list_item) {
                .and = and,
                .cmp = nonzero ? 0 : cmp,
                .nonzero = nonzero,
                .mask = mask_bit(bit, negative),
        };
        return 0;
}

int table_add_string(Table *t, PatternKind kind, const char *text, size_t size, unsigned bit, bool negative) {
        StringItems *s;

        assert(t);
        assert(kind <= PATTERN_SUBSTRING);

        s = t->strings + kind;
        if (!GREEDY_REALLOC(s->items, s->n_allocated, s->n + 1))
                return -ENOMEM;
        s->items[s->n++] = (StringItem) { .text = text, .size = size, .mask = mask_bit(bit, negative) };
        return 0;
}

static int number_compare(const void *a, const void *b) {
        const NumberItem *x = a, *y = b;

        return (x->value > y->value) - (x->value < y->value);
}

static void numbers_sort(Table *t) {
        size_t n = 0;

        if (t->n_numbers == 0)
                return;

        qsort(t->numbers, t->n_numbers, sizeof(t->numbers[0]), number_compare);
        for (size_t i = 1; i < t->n_numbers; i++)
                if (t->numbers[n].value == t->numbers[i].value) {
                        t->numbers[n].mask.pos |= t->numbers[i].mask.pos;
                        t->numbers[n].mask.neg |= t->numbers[i].mask.neg;
                } else
                        t->numbers[++n] = t->numbers[i];
        t->n_numbers = n + 1;
}

static int list_compare(const void *a, const void *b) {
        const struct sct_list_item *x = a, *y = b;

        if (x->and != y->and)
                return x->and < y->and ? -1 : 1;
        if (x->cmp != y->cmp)
                return x->cmp < y->cmp ? -1 : 1;
        return (x->nonzero > y->nonzero) - (x->nonzero < y->nonzero);
}

static void lists_sort(Table *t) {
        size_t n = 0;

        if (t->n_lists == 0)
                return;

        qsort(t->lists, t->n_lists, sizeof(t->lists[0]), list_compare);
        for (size_t i = 1; i < t->n_lists; i++)
                if (list_compare(t->lists + n, t->lists + i) == 0) {
                        t->lists[n].mask.pos |= t->lists[i].mask.pos;
                        t->lists[n].mask.neg |= t->lists[i].mask.neg;
                } else
                        t->lists[++n] = t->lists[i];
        t->n_lists = n + 1;
}

/* ---- Ranges: intervals of many rules → boundaries that answer for all of them ---- */

typedef struct Edge {
        uint64_t at;
        uint8_t bit;
        bool negative, end;
} Edge;

static int edge_compare(const void *a, const void *b) {
        const Edge *x = a, *y = b;

        return (x->at > y->at) - (x->at < y->at);
}

/* Intervals of one rule may overlap, so a bit is a count while the sweep goes on. */
static int ranges_make(Table *t) {
        _cleanup_free_ Edge *edges = NULL;
        uint32_t depth[2][64] = {};
        struct sct_mask mask = {};
        size_t n = 0;

        if (t->n_spans == 0)
                return 0;

        edges = new(Edge, t->n_spans * 2);
        if (!edges || !GREEDY_REALLOC(t->ranges, t->n_ranges_allocated, t->n_spans * 2 + 1))
                return -ENOMEM;

        for (size_t i = 0; i < t->n_spans; i++) {
                const RangeItem *s = t->spans + i;

                edges[n++] = (Edge) { .at = s->low, .bit = s->bit, .negative = s->negative };
                if (s->high < UINT64_MAX)
                        edges[n++] = (Edge) { .at = s->high + 1, .bit = s->bit, .negative = s->negative, .end = true };
        }
        qsort(edges, n, sizeof(edges[0]), edge_compare);

        t->ranges[0] = (struct sct_range) {};
        t->n_ranges = 1;
        for (size_t i = 0; i < n;) {
                uint64_t at = edges[i].at;
                struct sct_range *last = t->ranges + t->n_ranges - 1;

                for (; i < n && edges[i].at == at; i++) {
                        uint32_t *d = &depth[edges[i].negative][edges[i].bit];
                        uint64_t *m = edges[i].negative ? &mask.neg : &mask.pos, b = UINT64_C(1) << edges[i].bit;

                        *d += edges[i].end ? -1 : 1;
                        *m = *d > 0 ? *m | b : *m & ~b;
                }
                if (last->low == at)
                        last->mask = mask;
                else if (last->mask.pos != mask.pos || last->mask.neg != mask.neg)
                        t->ranges[t->n_ranges++] = (struct sct_range) { .low = at, .mask = mask };
        }
        return 0;
}

/* An affix without text is met by every string: as a substring too, where no automaton row would say so. */
static int substrings_move_empty(Table *t) {
        StringItems *s = t->strings + PATTERN_SUBSTRING, *p = t->strings + PATTERN_PREFIX;

        if (s->n == 0 || s->items[0].size > 0)
                return 0;

        if (!GREEDY_REALLOC(p->items, p->n_allocated, p->n + 1))
                return -ENOMEM;
        p->items[p->n++] = s->items[0];
        memmove(s->items, s->items + 1, --s->n * sizeof(s->items[0]));
        return 0;
}

static int table_finish(Table *t) {
        int r;

        numbers_sort(t);
        lists_sort(t);

        r = ranges_make(t);
        if (r < 0)
                return r;

        strings_sort(t->strings + PATTERN_SUBSTRING);
        r = substrings_move_empty(t);
        if (r < 0)
                return r;

        strings_sort(t->strings + PATTERN_EQUAL);
        for (PatternKind k = PATTERN_PREFIX; k <= PATTERN_SUFFIX; k++) {
                strings_sort(t->strings + k);
                r = strings_merge_affixes(t->strings + k);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* ---- Sharing ---- */

static uint64_t hash_bytes(uint64_t h, const void *data, size_t size) {
        const uint8_t *p = data;
        uint64_t w;

        for (; size >= 8; p += 8, size -= 8) {
                memcpy(&w, p, 8);
                h = (h ^ w) * UINT64_C(0x9e3779b97f4a7c15);
                h ^= h >> 29;
        }
        for (; size > 0; p++, size--)
                h = (h ^ *p) * UINT64_C(0x100000001b3);
        return h;
}

/* All array types here are free of padding that could differ: they are made by compound literals of u64 fields. */
assert_cc(sizeof(NumberItem) == 24);
assert_cc(sizeof(struct sct_range) == 24);
assert_cc(sizeof(struct sct_list_item) == 40);

static uint64_t table_hash(const Table *t) {
        uint64_t h = t->n_numbers + (t->n_ranges << 20) + (t->n_lists << 40);

        h = hash_bytes(h, t->numbers, t->n_numbers * sizeof(t->numbers[0]));
        h = hash_bytes(h, t->ranges, t->n_ranges * sizeof(t->ranges[0]));
        h = hash_bytes(h, t->lists, t->n_lists * sizeof(t->lists[0]));
        for (size_t k = 0; k < ELEMENTSOF(t->strings); k++) {
                const StringItems *s = t->strings + k;

                h = hash_bytes(h, &s->n, sizeof(s->n));
                for (size_t i = 0; i < s->n; i++) {
                        h = hash_bytes(h, s->items[i].text, s->items[i].size);
                        h = hash_bytes(h, &s->items[i].mask, sizeof(s->items[i].mask));
                }
        }
        return h;
}

static bool strings_equal(const StringItems *a, const StringItems *b) {
        if (a->n != b->n)
                return false;
        for (size_t i = 0; i < a->n; i++)
                if (a->items[i].size != b->items[i].size ||
                    memcmp(&a->items[i].mask, &b->items[i].mask, sizeof(struct sct_mask)) != 0 ||
                    memcmp(a->items[i].text, b->items[i].text, a->items[i].size) != 0)
                        return false;
        return true;
}

static bool array_equal(const void *a, size_t n, const void *b, size_t m, size_t size) {
        return n == m && (n == 0 || memcmp(a, b, n * size) == 0);
}

static bool table_equal(const Table *a, const Table *b) {
        if (a->hash != b->hash ||
            !array_equal(a->numbers, a->n_numbers, b->numbers, b->n_numbers, sizeof(a->numbers[0])) ||
            !array_equal(a->ranges, a->n_ranges, b->ranges, b->n_ranges, sizeof(a->ranges[0])) ||
            !array_equal(a->lists, a->n_lists, b->lists, b->n_lists, sizeof(a->lists[0])))
                return false;
        for (size_t k = 0; k < ELEMENTSOF(a->strings); k++)
                if (!strings_equal(a->strings + k, b->strings + k))
                        return false;
        return true;
}

/* ---- Into the plan ---- */

static int place_strings(PlanString **array, size_t *n, size_t *n_allocated, uint32_t slot, const StringItems *s) {
        if (!GREEDY_REALLOC(*array, *n_allocated, *n + s->n))
                return -ENOMEM;
        for (size_t i = 0; i < s->n; i++)
                (*array)[(*n)++] = (PlanString) {
                        .slot = slot,
                        .size = s->items[i].size,
                        .text = s->items[i].text,
                        .mask = s->items[i].mask,
                };
        return 0;
}

static int place_affixes(Plan *p, Table *t) {
        const StringItems *equal = t->strings + PATTERN_EQUAL, *prefix = t->strings + PATTERN_PREFIX,
                          *suffix = t->strings + PATTERN_SUFFIX;
        int r;

        if (equal->n > 0) {
                t->flags |= SCT_PRED_EQ;
                r = place_strings(&p->equal, &p->n_equal, &p->n_equal_allocated, t->slot, equal);
                if (r < 0)
                        return r;
        }
        if (prefix->n > 0) {
                t->flags |= SCT_PRED_PREFIX;
                r = place_strings(&p->prefixes, &p->n_prefixes, &p->n_prefixes_allocated, t->slot, prefix);
                if (r < 0)
                        return r;
        }
        if (suffix->n > 0) {
                t->flags |= SCT_PRED_SUFFIX;
                r = place_strings(&p->suffixes, &p->n_suffixes, &p->n_suffixes_allocated, t->slot, suffix);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int place_numbers(Plan *p, Table *t) {
        if (t->n_numbers > 0) {
                t->flags |= SCT_PRED_EQ;
                if (!GREEDY_REALLOC(p->numbers, p->n_numbers_allocated, p->n_numbers + t->n_numbers))
                        return -ENOMEM;
                for (size_t i = 0; i < t->n_numbers; i++)
                        p->numbers[p->n_numbers++] = (PlanNumber) {
                                .key = { .slot = t->slot, .value = t->numbers[i].value },
                                .mask = t->numbers[i].mask,
                        };
        }
        if (t->n_ranges > 0) {
                t->flags |= SCT_PRED_RANGE;
                if (!GREEDY_REALLOC(p->ranges, p->n_ranges_allocated, p->n_ranges + t->n_ranges))
                        return -ENOMEM;
                t->first = p->n_ranges;
                t->count = t->n_ranges;
                memcpy(p->ranges + p->n_ranges, t->ranges, t->n_ranges * sizeof(t->ranges[0]));
                p->n_ranges += t->n_ranges;
        }
        if (t->n_lists > 0) {
                assert(t->n_ranges == 0); /* first and count name one of the two */
                if (!GREEDY_REALLOC(p->lists, p->n_lists_allocated, p->n_lists + t->n_lists))
                        return -ENOMEM;
                t->first = p->n_lists;
                t->count = t->n_lists;
                memcpy(p->lists + p->n_lists, t->lists, t->n_lists * sizeof(t->lists[0]));
                p->n_lists += t->n_lists;
        }
        return 0;
}

static int table_emit(Plan *p, Table *t, uint32_t slot) {
        int r;

        t->slot = slot;
        r = place_numbers(p, t);
        if (r < 0)
                return r;

        r = place_affixes(p, t);
        if (r < 0)
                return r;

        if (t->strings[PATTERN_SUBSTRING].n > 0) {
                t->flags |= SCT_PRED_SUBSTRING;
                return strings_add_automaton(p, t->strings + PATTERN_SUBSTRING, &t->dfa_first);
        }
        return 0;
}

void table_set_done(TableSet *s) {
        assert(s);

        for (size_t i = 0; i < TABLE_BUCKETS; i++)
                while (s->buckets[i]) {
                        Table *t = s->buckets[i];

                        s->buckets[i] = t->next;
                        table_free(t);
                }
}

char *table_set_alloc(TableSet *s, size_t size) {
        Plan *p;
        char *text;

        assert(s);
        p = s->plan;

        if (!s->pool_next || s->pool_left < size) {
                size_t block = MAX((size_t) POOL_BLOCK, size);

                if (!GREEDY_REALLOC(p->pool, p->n_pool_allocated, p->n_pool + 1))
                        return NULL;
                text = malloc(block);
                if (!text)
                        return NULL;
                p->pool[p->n_pool++] = text;
                s->pool_left = block;
                s->pool_next = text;
        }

        text = s->pool_next;
        s->pool_next += size;
        s->pool_left -= size;
        return text;
}

int table_set_place(TableSet *s, Table *table, const Table **ret) {
        _cleanup_(table_freep) Table *t = table;
        Table **bucket;
        int r;

        assert(s);
        assert(ret);

        r = table_finish(t);
        if (r < 0)
                return r;

        t->hash = table_hash(t);
        bucket = s->buckets + t->hash % TABLE_BUCKETS;
        for (Table *i = *bucket; i; i = i->next)
                if (table_equal(i, t)) {
                        *ret = i;
                        return 0;
                }

        r = table_emit(s->plan, t, s->n_slots++);
        if (r < 0)
                return r;

        t->next = *bucket;
        *bucket = t;
        *ret = TAKE_PTR(t);
        return 0;
}
