/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One filter expression taken apart: `name op value,value`. What a name or a value means is not known here.
 *
 * A backslash before `,` `*` `\` `=` `!` `<` `>` or a space takes that character's special meaning away; before
 * anything else it stands for itself, so that unit names like dev-disk-by\x2duuid.device need no care. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy.h"

typedef enum FilterOperator {
        FILTER_OP_NONE,              /* bare name: container, follow */
        FILTER_OP_EQ,
        FILTER_OP_NE,
        FILTER_OP_LT,
        FILTER_OP_GT,
        FILTER_OP_LE,
        FILTER_OP_GE,
        _FILTER_OP_MAX,
} FilterOperator;

const char *filter_operator_to_string(FilterOperator op);

typedef struct FilterValue {
        const char *raw;             /* inside Expression.text, escapes not yet taken */
        size_t size;
        size_t offset;
} FilterValue;

typedef struct Expression {
        const char *text;            /* borrowed */
        char *name;                  /* without a leading ! */
        bool negated;                /* !container */
        size_t name_offset;
        FilterOperator op;
        size_t op_offset;
        FilterValue *values;
        size_t n_values, n_values_allocated;
} Expression;

void expression_done(Expression *e);

/* What is wrong with a text, and where. */
typedef struct ExpressionError {
        size_t offset;
        char message[384];
} ExpressionError;

__attribute__((format(printf, 3, 4)))
int expression_error(ExpressionError *e, size_t offset, const char *format, ...);   /* returns 0 */

/* 1, or 0 with *reterr, or -ENOMEM. */
int expression_parse(const char *text, Expression *ret, ExpressionError *reterr);

/* Values: 1, or 0 with *reterr, or -ENOMEM. */
/* Text with `*` at its beginning, its end or both. */
int filter_value_to_pattern(const FilterValue *v, Pattern *ret, ExpressionError *reterr);
/* Text with `*` anywhere. */
int filter_value_to_glob(const FilterValue *v, char **ret, ExpressionError *reterr);
/* Text without wildcards. */
int filter_value_to_text(const FilterValue *v, char **ret, ExpressionError *reterr);

typedef enum NumberFlags {
        NUMBER_SIGNED = 1 << 0,      /* min and max are int64 */
        NUMBER_HEX = 1 << 1,         /* 0x... too */
        NUMBER_OCTAL = 1 << 2,       /* a leading 0 means octal; else it is refused */
} NumberFlags;

bool filter_value_is_numeric(const FilterValue *v);
int filter_value_to_number(const FilterValue *v, NumberFlags flags, uint64_t min, uint64_t max, uint64_t *ret,
                           ExpressionError *reterr);
