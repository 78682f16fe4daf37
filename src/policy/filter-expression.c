/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The grammar of filters: names, operators, lists of values, escapes, wildcards and numbers. Pure text; whatever cannot
 * be meant is refused with a sentence and the byte where it stands, and nothing is silently dropped. */

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "../basic/macro.h"
#include "../basic/string-util.h"
#include "filter-expression.h"
#include "wording.h"

#define OPERATOR_CHARS "=!<>"
#define ESCAPABLE ",*\\=!<> "

void expression_done(Expression *e) {
        assert(e);

        free(e->name);
        free(e->values);
        *e = (Expression) {};
}

int expression_error(ExpressionError *e, size_t offset, const char *format, ...) {
        va_list ap;

        assert(e);

        e->offset = offset;
        va_start(ap, format);
        (void) vsnprintf(e->message, sizeof(e->message), format, ap);
        va_end(ap);
        return 0;
}

static bool is_escape(const char *p, const char *end) {
        return *p == '\\' && p + 1 < end && strchr(ESCAPABLE, p[1]) != NULL;
}

static FilterOperator parse_operator(const char *p, size_t *ret_size) {
        bool equal = p[1] == '=';

        *ret_size = *p != '=' && equal ? 2 : 1;
        switch (*p) {
        case '=':
                return FILTER_OP_EQ;
        case '!':
                return equal ? FILTER_OP_NE : FILTER_OP_NONE;
        case '<':
                return equal ? FILTER_OP_LE : FILTER_OP_LT;
        default:
                return equal ? FILTER_OP_GE : FILTER_OP_GT;
        }
}

static int check_value(const Expression *e, const FilterValue *v, ExpressionError *reterr) {
        const char *name = QUOTE(e->name), *op = filter_operator_to_string(e->op);

        if (v->size == 0) {
                if (v->offset == e->op_offset + strlen(op) && e->text[v->offset] == '\0')
                        return expression_error(reterr, v->offset, "No value stands behind %s%s; write one.", name, op);
                return expression_error(reterr, v->offset, "A value in the list is empty; remove the comma too much.");
        }
        if (strchr(" \t", v->raw[0]))
                return expression_error(reterr, v->offset,
                                        "A value begins with a space; write %s%sVALUE,VALUE without spaces, or \\ "
                                        "before a space that is meant.", name, op);
        if (strchr(" \t", v->raw[v->size - 1]) && !(v->size > 1 && v->raw[v->size - 2] == '\\'))
                return expression_error(reterr, v->offset + v->size - 1,
                                        "A value ends in a space; write %s%sVALUE,VALUE without spaces, or \\ before a "
                                        "space that is meant.", name, op);
        if (strchr(OPERATOR_CHARS, v->raw[0]))
                return expression_error(reterr, e->op_offset,
                                        "%s%c is no operator; write one of = != < > <= >= (or \\%c for a value that "
                                        "begins with %c).", op, v->raw[0], v->raw[0], v->raw[0]);
        return 1;
}

static int split_values(Expression *e, size_t offset, ExpressionError *reterr) {
        const char *end = e->text + strlen(e->text), *start = e->text + offset;
        int r;

        for (const char *p = start;; p++) {
                FilterValue v;

                if (p < end && is_escape(p, end)) {
                        p++;
                        continue;
                }
                if (p < end && *p != ',')
                        continue;

                v = (FilterValue) { .raw = start, .size = (size_t) (p - start), .offset = (size_t) (start - e->text) };
                r = check_value(e, &v, reterr);
                if (r <= 0)
                        return r;
                if (e->n_values >= POLICY_VALUES_MAX)
                        return expression_error(reterr, v.offset, "The filter has more than %u values; use a wildcard, "
                                                "a range or several policies.", POLICY_VALUES_MAX);
                if (!GREEDY_REALLOC(e->values, e->n_values_allocated, e->n_values + 1))
                        return -ENOMEM;
                e->values[e->n_values++] = v;
                if (p == end)
                        return 1;
                start = p + 1;
        }
}

int expression_parse(const char *text, Expression *ret, ExpressionError *reterr) {
        _cleanup_(expression_done) Expression e = { .text = text };
        size_t op_size = 0;
        const char *op;
        int r;

        assert(text);
        assert(ret && reterr);

        if (*text == '\0')
                return expression_error(reterr, 0, "The filter is empty; write for example comm=bash.");
        if (*text == '!' && text[1] != '=') {
                e.negated = true;
                e.name_offset = 1;
        }

        op = text + e.name_offset + strcspn(text + e.name_offset, OPERATOR_CHARS);
        e.op_offset = (size_t) (op - text);
        e.name = strndup(text + e.name_offset, e.op_offset - e.name_offset);
        if (!e.name)
                return -ENOMEM;
        if (*op) {
                e.op = parse_operator(op, &op_size);
                if (e.op == FILTER_OP_NONE)
                        return expression_error(reterr, e.op_offset, "A lone ! is no operator; write != for \"is "
                                                "not\".");
                if (isempty(e.name))
                        return expression_error(reterr, 0, "No name stands before %s; write for example comm=bash.",
                                                filter_operator_to_string(e.op));
                if (e.negated)
                        return expression_error(reterr, 0, "A filter with a value takes no ! before its name; write "
                                                "%s!=%s.",
                                                QUOTE(e.name), QUOTE(op + op_size));
                r = split_values(&e, e.op_offset + op_size, reterr);
                if (r <= 0)
                        return r;
        }

        *ret = e;
        e = (Expression) {};
        return 1;
}

/* Takes the escapes away. `stars` gets the positions of the first and the last wildcard and their number. */
typedef struct Stars {
        size_t first, last, n;
} Stars;

static char *unescape(const FilterValue *v, size_t *ret_size, Stars *ret_stars, bool *ret_escaped_star) {
        char *text = malloc(v->size + 1);
        const char *end = v->raw + v->size;
        Stars stars = {};
        size_t n = 0;

        if (!text)
                return NULL;

        *ret_escaped_star = false;
        for (const char *p = v->raw; p < end; p++) {
                if (is_escape(p, end)) {
                        p++;
                        *ret_escaped_star = *ret_escaped_star || *p == '*';
                } else if (*p == '*') {
                        if (stars.n++ == 0)
                                stars.first = n;
                        stars.last = n;
                }
                text[n++] = *p;
        }
        text[n] = '\0';
        *ret_size = n;
        *ret_stars = stars;
        return text;
}

int filter_value_to_pattern(const FilterValue *v, Pattern *ret, ExpressionError *reterr) {
        _cleanup_free_ char *text = NULL;
        bool escaped_star, prefix, suffix;
        Stars stars;
        size_t size;

        assert(v && ret && reterr);

        text = unescape(v, &size, &stars, &escaped_star);
        if (!text)
                return -ENOMEM;

        suffix = stars.n > 0 && stars.first == 0;                  /* *x */
        prefix = stars.n > 0 && stars.last + 1 == size;            /* x* */
        if (stars.n > 0 && stars.n == size)
                return expression_error(reterr, v->offset, "%s matches everything; leave the filter out instead.",
                                        QUOTE_N(v->raw, v->size));
        if (stars.n > (size_t) suffix + (size_t) prefix)
                return expression_error(reterr, v->offset,
                                        "In %s a * stands in the middle; write it at the beginning, at the end or at "
                                        "both (x*, *x, *x*), or \\* for the character itself.", QUOTE_N(v->raw,
                                                                                                        v->size));

        *ret = (Pattern) {
                .kind = prefix && suffix ? PATTERN_SUBSTRING : prefix ? PATTERN_PREFIX : suffix ? PATTERN_SUFFIX :
                        PATTERN_EQUAL,
                .size = size - (prefix ? 1 : 0) - (suffix ? 1 : 0),
        };
        if (suffix)
                memmove(text, text + 1, ret->size);
        text[ret->size] = '\0';
        ret->text = TAKE_PTR(text);
        return 1;
}

int filter_value_to_glob(const FilterValue *v, char **ret, ExpressionError *reterr) {
        _cleanup_free_ char *text = NULL;
        bool escaped_star;
        Stars stars;
        size_t size;

        assert(v && ret && reterr);

        text = unescape(v, &size, &stars, &escaped_star);
        if (!text)
                return -ENOMEM;
        if (escaped_star)
                return expression_error(reterr, v->offset, "A * as a character of a name cannot be matched here; write "
                                        "a wildcard * in its place.");
        *ret = TAKE_PTR(text);
        return 1;
}

int filter_value_to_text(const FilterValue *v, char **ret, ExpressionError *reterr) {
        _cleanup_free_ char *text = NULL;
        bool escaped_star;
        Stars stars;
        size_t size;

        assert(v && ret && reterr);

        text = unescape(v, &size, &stars, &escaped_star);
        if (!text)
                return -ENOMEM;
        if (stars.n > 0)
                return expression_error(reterr, v->offset, "%s has a wildcard, which is not possible here; write the "
                                        "name out.", QUOTE(text));
        *ret = TAKE_PTR(text);
        return 1;
}

bool filter_value_is_numeric(const FilterValue *v) {
        const char *p = v->raw, *end = v->raw + v->size;

        if (p < end && (*p == '-' || *p == '+'))
                p++;
        return p < end && *p >= '0' && *p <= '9' && !memchr(v->raw, '|', v->size);
}

static int number_range_error(const FilterValue *v, NumberFlags flags, uint64_t min, uint64_t max,
                              ExpressionError *reterr) {
        const char *q = QUOTE_N(v->raw, v->size);

        if (FLAGS_SET(flags, NUMBER_SIGNED))
                return expression_error(reterr, v->offset, "%s is not a number from %" PRIi64 " to %" PRIi64
                                        "; write one of those.", q, (int64_t) min, (int64_t) max);
        return expression_error(reterr, v->offset, "%s is not a number from %" PRIu64 " to %" PRIu64
                                "; write one of those.", q, min, max);
}

int filter_value_to_number(const FilterValue *v, NumberFlags flags, uint64_t min, uint64_t max, uint64_t *ret,
                           ExpressionError *reterr) {
        const char *p = v->raw, *end = v->raw + v->size;
        bool negative = false, is_signed = FLAGS_SET(flags, NUMBER_SIGNED);
        unsigned base = 10;
        uint64_t n = 0;

        assert(v && ret && reterr);

        if (p < end && *p == '-' && is_signed) {
                negative = true;
                p++;
        }
        if (end - p > 2 && p[0] == '0' && (p[1] == 'x' || p[1] == 'X') && FLAGS_SET(flags, NUMBER_HEX)) {
                base = 16;
                p += 2;
        } else if (end - p > 1 && p[0] == '0' && p[1] >= '0' && p[1] <= '9') {
                if (!FLAGS_SET(flags, NUMBER_OCTAL))
                        return expression_error(reterr, v->offset, "%s begins with 0; write the number without it.",
                                                QUOTE_N(v->raw, v->size));
                base = 8;
        }

        if (p == end)
                return number_range_error(v, flags, min, max, reterr);
        for (; p < end; p++) {
                unsigned digit = *p >= '0' && *p <= '9' ? (unsigned) (*p - '0') :
                                 *p >= 'a' && *p <= 'f' ? (unsigned) (*p - 'a') + 10 :
                                 *p >= 'A' && *p <= 'F' ? (unsigned) (*p - 'A') + 10 : 99;

                if (digit >= base || __builtin_mul_overflow(n, base, &n) || __builtin_add_overflow(n, digit, &n))
                        return number_range_error(v, flags, min, max, reterr);
        }

        if (is_signed) {
                uint64_t limit = negative ? (uint64_t) INT64_MAX + 1 : (uint64_t) INT64_MAX;

                if (n > limit)
                        return number_range_error(v, flags, min, max, reterr);
                if (negative)
                        n = -n;
                if ((int64_t) n < (int64_t) min || (int64_t) n > (int64_t) max)
                        return number_range_error(v, flags, min, max, reterr);
        } else if (n < min || n > max)
                return number_range_error(v, flags, min, max, reterr);

        *ret = n;
        return 1;
}

static const char *const filter_operator_table[] = {
        [FILTER_OP_NONE] = "",
        [FILTER_OP_EQ] = "=",
        [FILTER_OP_NE] = "!=",
        [FILTER_OP_LT] = "<",
        [FILTER_OP_GT] = ">",
        [FILTER_OP_LE] = "<=",
        [FILTER_OP_GE] = ">=",
};
assert_cc(ELEMENTSOF(filter_operator_table) == _FILTER_OP_MAX);

const char *filter_operator_to_string(FilterOperator op) {
        return filter_operator_table[op];
}
