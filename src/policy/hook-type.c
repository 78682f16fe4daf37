/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Types and names that arguments of hooks get when the kernel was asked (auto, resolve). What the policy's operators were
 * lowered to before is adapted, or refused with a sentence when the type has no such thing. */

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "../basic/macro.h"
#include "../basic/string-util.h"
#include "../event/arg-type.h"
#include "tracing-internal.h"

unsigned hook_type_bits(const char *type_name) {
        const TracingType *t = tracing_type_find(type_name);

        return t ? t->bits : 0;
}

const char *hook_type_of_syscall(const EventArgSpec *a, bool *ret_pointer) {
        static const char *const names[_SCT_ARG_TYPE_MAX] = {
                [SCT_ARG_S32] = "int32", [SCT_ARG_U32] = "uint32", [SCT_ARG_S64] = "int64", [SCT_ARG_U64] = "uint64",
                [SCT_ARG_S16] = "int16", [SCT_ARG_U16] = "uint16", [SCT_ARG_S8] = "int8", [SCT_ARG_U8] = "uint8",
                [SCT_ARG_BOOL] = "bool", [SCT_ARG_PTR] = "ptr", [SCT_ARG_FD] = "fd", [SCT_ARG_STR] = "string",
                [SCT_ARG_STRV] = "strv", [SCT_ARG_SOCKADDR] = "sockaddr", [SCT_ARG_TIMESPEC] = "timespec",
                [SCT_ARG_INT2] = "int2", [SCT_ARG_BYTES] = "char_buf", [SCT_ARG_STR_OUT] = "char_buf",
                [SCT_ARG_SOCKADDR_OUT] = "sockaddr",
        };

        *ret_pointer = a->type >= SCT_ARG_STR || a->type == SCT_ARG_PTR;
        return names[a->type];
}

__attribute__((format(printf, 2, 3)))
static int sentence(char **reterr, const char *format, ...) {
        va_list ap;

        va_start(ap, format);
        if (vasprintf(reterr, format, ap) < 0)
                *reterr = NULL;
        va_end(ap);
        return -ENOTSUP;
}

/* What a part is called in a sentence, and what a type must have for it. */
static const struct {
        unsigned flags;
        const char *noun;
} part_rows[] = {
        [SCT_PART_FAMILY] = { TRACING_FAMILY, "Family" },
        [SCT_PART_PROTOCOL] = { TRACING_PROTOCOL, "Protocol" },
        [SCT_PART_STATE] = { TRACING_STATE, "State" },
        [SCT_PART_SPORT] = { TRACING_SOURCE, "SPort" },
        [SCT_PART_DPORT] = { TRACING_DEST, "DPort" },
        [SCT_PART_SADDR] = { TRACING_SOURCE, "SAddr" },
        [SCT_PART_DADDR] = { TRACING_DEST, "DAddr" },
        [SCT_PART_MODE] = { TRACING_MODE, "FileType" },
};

/* A value as a number of `bits`, in 64 bits. False: no such number has it. */
static bool fit_number(uint64_t *value, unsigned bits, bool is_signed) {
        uint64_t v = *value, top = bits < 64 ? UINT64_MAX << bits : 0;

        if (bits >= 64)
                return true;
        if (is_signed) {
                /* -1, or 0xffffffff for it */
                if ((int64_t) v < 0 ? (int64_t) v < INT64_MIN >> (64 - bits) : (v & top) != 0)
                        return false;
                v <<= 64 - bits;
                *value = (uint64_t) ((int64_t) v >> (64 - bits));
                return true;
        }
        if ((int64_t) v < 0 && (int64_t) v >= INT64_MIN >> (64 - bits))
                v &= ~top;
        *value = v;
        return (v & top) == 0;
}

static int compare_unsigned(const void *a, const void *b) {
        uint64_t x = *(const uint64_t *) a, y = *(const uint64_t *) b;

        return x < y ? -1 : x > y;
}

static int compare_signed(const void *a, const void *b) {
        int64_t x = *(const int64_t *) a, y = *(const int64_t *) b;

        return x < y ? -1 : x > y;
}

static void sort_numbers(uint64_t *numbers, size_t *n, bool is_signed) {
        size_t kept = 0;

        if (*n == 0)
                return;
        qsort(numbers, *n, sizeof(numbers[0]), is_signed ? compare_signed : compare_unsigned);
        for (size_t i = 0; i < *n; i++)
                if (kept == 0 || numbers[kept - 1] != numbers[i])
                        numbers[kept++] = numbers[i];
        *n = kept;
}

/* Numbers that were read as 64 bits with a sign, for a type that has fewer, or none. */
static int adapt_numbers(const Hook *h, const HookArg *a, Condition *c, const TracingType *t, char **reterr) {
        bool is_signed = t->flags & TRACING_SIGNED;
        uint64_t *lists[] = { c->eq, c->ne };
        size_t *sizes[] = { &c->n_eq, &c->n_ne };

        for (size_t k = 0; k < ELEMENTSOF(lists); k++) {
                for (size_t i = 0; i < *sizes[k]; i++)
                        if (!fit_number(lists[k] + i, t->bits, is_signed))
                                return sentence(reterr, "no value of argument %u of %s is %" PRId64 ": it is of type %s; write "
                                                "another value", a->index, h->call, (int64_t) lists[k][i], t->name);
                sort_numbers(lists[k], sizes[k], is_signed);
        }
        for (size_t i = 0; i < c->n_ranges && !is_signed; i++) {
                NumberRange *r = c->ranges + i;

                /* From the least, and to the greatest, are those of this type. */
                if ((int64_t) r->high < 0)
                        return sentence(reterr, "argument %u of %s is never below 0: it is of type %s; write another bound",
                                        a->index, h->call, t->name);
                if ((int64_t) r->low < 0)
                        r->low = 0;
                if (r->high == INT64_MAX)
                        r->high = UINT64_MAX;
        }
        c->is_signed = is_signed;
        return 0;
}

static bool all_negative(const Condition *c) {
        for (size_t i = 0; i < c->n_patterns; i++)
                if (!c->patterns[i].negative)
                        return false;
        return c->n_patterns > 0;
}

/* A file without a path is not "another file" either. */
static int exclude_no_path(Condition *c) {
        Pattern *p = realloc(c->patterns, (c->n_patterns + 1) * sizeof(*p));

        if (!p)
                return -ENOMEM;
        c->patterns = p;
        memmove(p + 1, p, c->n_patterns * sizeof(*p));
        p[0] = (Pattern) { .kind = PATTERN_EQUAL, .negative = true, .text = strdup("") };
        c->n_patterns++;
        return p[0].text ? 0 : -ENOMEM;
}

static int adapt(const Hook *h, const HookArg *a, Condition *c, const TracingType *t, char **reterr) {
        unsigned part = SCT_FIELD_IS_ARG(c->field) ? SCT_FIELD_PART(c->field) : SCT_PART_VALUE;

        if (part != SCT_PART_VALUE) {
                if (part < ELEMENTSOF(part_rows) && part_rows[part].flags && !(t->flags & part_rows[part].flags))
                        return sentence(reterr, "argument %u of %s is of type %s and has no %s; remove the filter, or name "
                                        "another argument", a->index, h->call, t->name, part_rows[part].noun);
                if (part >= SCT_PART_GAINED && !(t->flags & TRACING_CAPS))
                        return sentence(reterr, "argument %u of %s is of type %s and no set of capabilities; name another one",
                                        a->index, h->call, t->name);
                return 0;
        }
        if (t->type == SCT_ARG_TIMESPEC && c->class == CONDITION_NUMBER)
                c->field = (uint16_t) (c->field + SCT_PART_NSEC * SCT_ARGS_MAX);
        if (c->class == CONDITION_STRING) {
                if (!(t->flags & TRACING_STRING))
                        return sentence(reterr, "argument %u of %s is of type %s and no text; write numbers, or name another "
                                        "argument", a->index, h->call, t->name);
                return t->flags & TRACING_PATH && all_negative(c) ? exclude_no_path(c) : 0;
        }
        if (!(t->flags & TRACING_NUMBER))
                return sentence(reterr, "argument %u of %s is of type %s and no number; write text in quotes, or name another "
                                "argument", a->index, h->call, t->name);
        return c->class == CONDITION_NUMBER ? adapt_numbers(h, a, c, t, reterr) : 0;
}

int hook_set_type(const Policy *policy, Hook *h, size_t i, const char *type_name, char **reterr) {
        HookArg *a = i < h->n_args ? h->args + i : &h->return_arg;
        const TracingType *t = tracing_type_find(type_name);
        bool own_argument = i < h->spec.n_args;
        int r;

        assert(t);

        for (size_t k = 0; k < policy->n_rules; k++) {
                const PolicyRule *rule = policy->rules + k;

                for (size_t e = 0; rule->hook == h && e < rule->n_events; e++)
                        for (size_t n = 0; n < rule->events[e].n_conditions; n++) {
                                Condition *c = rule->events[e].conditions + n;

                                if (own_argument ? !SCT_FIELD_IS_ARG(c->field) || (size_t) SCT_FIELD_ARG_INDEX(c->field) != i :
                                                   c->field != SCT_FIELD_RETVAL)
                                        continue;
                                r = adapt(h, a, c, t, reterr);
                                if (r < 0)
                                        return r;
                        }
        }
        a->type = t->type;
        a->type_name = t->name;
        if (own_argument) {
                EventArgSpec *spec = h->arg_specs + i;

                spec->type = t->type;
                spec->ctype = t->name;
                if (spec->printer == PRINTER_DEFAULT)
                        spec->printer = t->printer;
                if (IN_SET(t->type, SCT_ARG_BYTES, SCT_ARG_IOVEC, SCT_ARG_IOV_ITER))
                        spec->printer = PRINTER_TEXT;
                if (t->type == SCT_ARG_FD)
                        spec->flags |= SCT_ARG_PLAN_FD_PATH;
        }
        return 0;
}

int hook_set_name(Hook *h, size_t i, const char *name) {
        const HookArg *a = h->args + i;
        _cleanup_free_ char *unique = NULL;

        if (a->label || a->resolve || isempty(name))
                return 0;
        for (size_t k = 0; k < h->spec.n_args; k++)
                if (k != i && streq(h->arg_specs[k].name, name) && asprintf(&unique, "%s_%zu", name, i) < 0)
                        return -ENOMEM;
        return free_and_strdup((char **) &h->arg_specs[i].name, unique ?: name);
}
