/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The rules by which expressions on one field become one condition; policy.h states them at `Condition`.
 *
 * What comes out is normal: numbers sorted and unique, no number both wanted and excluded (wanted wins), at most two
 * ranges, patterns sorted and unique. Which field it is, and what its values mean, is not known here. */

#include <stdlib.h>

#include "../basic/macro.h"
#include "condition-builder.h"

void condition_builder_done(ConditionBuilder *b) {
        assert(b);

        condition_done(&b->condition);
        *b = (ConditionBuilder) {};
}

static bool less(const ConditionBuilder *b, uint64_t x, uint64_t y) {
        return b->condition.is_signed ? (int64_t) x < (int64_t) y : x < y;
}

/* x >= low: several such bounds keep the lowest. */
static void add_low(ConditionBuilder *b, uint64_t low) {
        if (!b->has_low || less(b, low, b->low))
                b->low = low;
        b->has_low = true;
}

static void add_high(ConditionBuilder *b, uint64_t high) {
        if (!b->has_high || less(b, b->high, high))
                b->high = high;
        b->has_high = true;
}

int condition_builder_add_number(ConditionBuilder *b, FilterOperator op, uint64_t value, uint64_t min, uint64_t max) {
        Condition *c = &b->condition;

        assert(b);

        switch (op) {
        case FILTER_OP_EQ:
                if (!GREEDY_REALLOC(c->eq, b->n_eq_allocated, c->n_eq + 1))
                        return -ENOMEM;
                c->eq[c->n_eq++] = value;
                return 1;
        case FILTER_OP_NE:
                if (!GREEDY_REALLOC(c->ne, b->n_ne_allocated, c->n_ne + 1))
                        return -ENOMEM;
                c->ne[c->n_ne++] = value;
                return 1;
        case FILTER_OP_GT:
                if (value == max)
                        return 0;
                add_low(b, value + 1);
                return 1;
        case FILTER_OP_GE:
                add_low(b, value);
                return 1;
        case FILTER_OP_LT:
                if (value == min)
                        return 0;
                add_high(b, value - 1);
                return 1;
        case FILTER_OP_LE:
                add_high(b, value);
                return 1;
        default:
                return 0;
        }
}

int condition_builder_add_mask(ConditionBuilder *b, bool negative, uint64_t and, uint64_t cmp) {
        Condition *c = &b->condition;

        assert(b);

        if (!GREEDY_REALLOC(c->masks, b->n_masks_allocated, c->n_masks + 1))
                return -ENOMEM;
        c->masks[c->n_masks++] = (MaskItem) { .and = and, .cmp = cmp, .negative = negative };
        return 1;
}

int condition_builder_add_any_bit(ConditionBuilder *b, bool negative, uint64_t bits) {
        int r;

        r = condition_builder_add_mask(b, negative, bits, 0);
        if (r > 0)
                b->condition.masks[b->condition.n_masks - 1].nonzero = true;
        return r;
}

int condition_builder_add_range(ConditionBuilder *b, bool negative, uint64_t low, uint64_t high) {
        Condition *c = &b->condition;

        assert(b);

        if (!GREEDY_REALLOC(c->ranges, b->n_ranges_allocated, c->n_ranges + 1))
                return -ENOMEM;
        c->ranges[c->n_ranges++] = (NumberRange) { .low = low, .high = high, .negative = negative };
        return 1;
}

int condition_builder_add_pattern(ConditionBuilder *b, Pattern *p) {
        Condition *c = &b->condition;

        assert(b && p);

        if (!GREEDY_REALLOC(c->patterns, b->n_patterns_allocated, c->n_patterns + 1)) {
                free(p->text);
                *p = (Pattern) {};
                return -ENOMEM;
        }
        c->patterns[c->n_patterns++] = *p;
        *p = (Pattern) {};
        return 1;
}

static int compare_unsigned(const void *a, const void *b) {
        uint64_t x = *(const uint64_t *) a, y = *(const uint64_t *) b;

        return x < y ? -1 : x > y;
}

static int compare_signed(const void *a, const void *b) {
        int64_t x = *(const int64_t *) a, y = *(const int64_t *) b;

        return x < y ? -1 : x > y;
}

static size_t sort_numbers(uint64_t *numbers, size_t n, bool is_signed) {
        size_t kept = 0;

        if (n == 0)
                return 0;
        qsort(numbers, n, sizeof(numbers[0]), is_signed ? compare_signed : compare_unsigned);
        for (size_t i = 0; i < n; i++)
                if (kept == 0 || numbers[kept - 1] != numbers[i])
                        numbers[kept++] = numbers[i];
        return kept;
}

/* eq wins over ne. Both are sorted. */
static size_t drop_wanted(const Condition *c) {
        size_t kept = 0, i = 0;

        for (size_t j = 0; j < c->n_ne; j++) {
                while (i < c->n_eq && (c->is_signed ? (int64_t) c->eq[i] < (int64_t) c->ne[j] : c->eq[i] < c->ne[j]))
                        i++;
                if (i < c->n_eq && c->eq[i] == c->ne[j])
                        continue;
                c->ne[kept++] = c->ne[j];
        }
        return kept;
}

static int compare_patterns(const void *a, const void *b) {
        const Pattern *x = a, *y = b;
        int r = memcmp(x->text, y->text, MIN(x->size, y->size));

        if (r != 0)
                return r;
        if (x->size != y->size)
                return x->size < y->size ? -1 : 1;
        if (x->kind != y->kind)
                return x->kind < y->kind ? -1 : 1;
        if (x->negative != y->negative)
                return x->negative ? 1 : -1;
        if (x->cgroup_kind != y->cgroup_kind)
                return x->cgroup_kind < y->cgroup_kind ? -1 : 1;
        if (x->has_mnt_ns != y->has_mnt_ns)
                return x->has_mnt_ns ? 1 : -1;
        return x->mnt_ns < y->mnt_ns ? -1 : x->mnt_ns > y->mnt_ns;
}

static void sort_patterns(Condition *c) {
        size_t kept = 0;

        if (c->n_patterns == 0)
                return;
        qsort(c->patterns, c->n_patterns, sizeof(c->patterns[0]), compare_patterns);
        for (size_t i = 0; i < c->n_patterns; i++)
                if (kept > 0 && compare_patterns(c->patterns + kept - 1, c->patterns + i) == 0)
                        free(c->patterns[i].text);
                else
                        c->patterns[kept++] = c->patterns[i];
        c->n_patterns = kept;
}

static int merge_ranges(ConditionBuilder *b) {
        uint64_t lowest = b->condition.is_signed ? (uint64_t) INT64_MIN : 0;
        uint64_t highest = b->condition.is_signed ? (uint64_t) INT64_MAX : UINT64_MAX;
        int r;

        if (b->has_low && b->has_high) {
                if (!less(b, b->high, b->low))             /* they overlap: between both */
                        return condition_builder_add_range(b, false, b->low, b->high);
                if (b->high + 1 == b->low)                 /* nothing, or everything: nobody means that */
                        return 0;
                r = condition_builder_add_range(b, false, lowest, b->high);
                if (r < 0)
                        return r;
                return condition_builder_add_range(b, false, b->low, highest);
        }
        if (b->has_low)
                return condition_builder_add_range(b, false, b->low, highest);
        if (b->has_high)
                return condition_builder_add_range(b, false, lowest, b->high);
        return 1;
}

/* Numbers beside names of bits: whole values are masks of all bits. */
static int numbers_to_masks(ConditionBuilder *b) {
        Condition *c = &b->condition;
        int r;

        for (size_t i = 0; i < c->n_eq; i++) {
                r = condition_builder_add_mask(b, false, UINT64_MAX, c->eq[i]);
                if (r < 0)
                        return r;
        }
        for (size_t i = 0; i < c->n_ne; i++) {
                r = condition_builder_add_mask(b, true, UINT64_MAX, c->ne[i]);
                if (r < 0)
                        return r;
        }
        c->n_eq = c->n_ne = 0;
        free(c->eq);
        free(c->ne);
        c->eq = c->ne = NULL;
        return 1;
}

int condition_builder_finish(ConditionBuilder *b, Condition *ret) {
        Condition *c = &b->condition;
        int r;

        assert(b && ret);

        if (c->n_masks > 0) {
                if (b->has_low || b->has_high)
                        return 0;
                c->class = CONDITION_MASK;
                r = numbers_to_masks(b);
                if (r < 0)
                        return r;
        }

        c->n_eq = sort_numbers(c->eq, c->n_eq, c->is_signed);
        c->n_ne = sort_numbers(c->ne, c->n_ne, c->is_signed);
        c->n_ne = drop_wanted(c);
        r = merge_ranges(b);
        if (r <= 0)
                return r;
        sort_patterns(c);

        *ret = *c;
        *b = (ConditionBuilder) {};
        return 1;
}
