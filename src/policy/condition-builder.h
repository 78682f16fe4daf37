/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Collects all expressions on one field and merges them into one Condition. */

#include <stdbool.h>
#include <stdint.h>

#include "filter-expression.h"
#include "policy.h"

typedef struct ConditionBuilder {
        Condition condition;
        size_t n_eq_allocated, n_ne_allocated, n_patterns_allocated, n_masks_allocated, n_ranges_allocated;
        bool has_low, has_high;
        uint64_t low, high;          /* inclusive: the lowest lower and the highest upper bound */
} ConditionBuilder;

void condition_builder_done(ConditionBuilder *b);

/* `min` and `max` of the field's type. 1; 0: no value can satisfy it (> max, < min); -ENOMEM. */
int condition_builder_add_number(ConditionBuilder *b, FilterOperator op, uint64_t value, uint64_t min, uint64_t max);
int condition_builder_add_mask(ConditionBuilder *b, bool negative, uint64_t and, uint64_t cmp);
/* Hit when value has any of these bits. */
int condition_builder_add_any_bit(ConditionBuilder *b, bool negative, uint64_t bits);
/* From low to high, both included; several are alternatives. Not together with < and >. */
int condition_builder_add_range(ConditionBuilder *b, bool negative, uint64_t low, uint64_t high);
/* Takes p->text, also when it fails. */
int condition_builder_add_pattern(ConditionBuilder *b, Pattern *p);

/* Merges. 1 with *ret filled and the builder empty; 0: the bounds exclude each other without a gap (x > 5, x < 6), or
 * both bounds and names of bits are asked for; -ENOMEM. */
int condition_builder_finish(ConditionBuilder *b, Condition *ret);
