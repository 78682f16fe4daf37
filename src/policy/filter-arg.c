/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* EVENT.args.NAME and EVENT.retval: values as the type of the argument wants them. Numbers are compared as numbers,
 * flags by name as bits, strings with wildcards; types that no filter can compare are refused with a sentence. */

#include <inttypes.h>
#include <stdio.h>

#include "../basic/macro.h"
#include "../basic/string-util.h"
#include "../event/arg-type.h"
#include "filter-set.h"
#include "wording.h"

typedef struct ArgClass {
        enum { ARG_REFUSED, ARG_NUMBER, ARG_BOOL, ARG_TEXT, ARG_LIST, ARG_ADDRESS, ARG_INET, ARG_TIME, ARG_PAIR } kind;
        bool is_signed;
        uint64_t min, max;
        const char *advice;              /* refused: a sentence's end */
} ArgClass;

static const char retval_id[1] = "";     /* identity of the field */

#define OBJECT_ADVICE "kernel objects cannot be compared by these filters; use a TracingPolicy, whose operators know " \
                      "their parts"

#define HEADER_ADVICE "it is a whole header; filter by another argument"

static const ArgClass arg_classes[_SCT_ARG_TYPE_MAX] = {
        [SCT_ARG_S32] = { ARG_NUMBER, true, (uint64_t) INT32_MIN, INT32_MAX },
        [SCT_ARG_U32] = { ARG_NUMBER, false, 0, UINT32_MAX },
        [SCT_ARG_S64] = { ARG_NUMBER, true, (uint64_t) INT64_MIN, INT64_MAX },
        [SCT_ARG_U64] = { ARG_NUMBER, false, 0, UINT64_MAX },
        [SCT_ARG_S16] = { ARG_NUMBER, true, (uint64_t) INT16_MIN, INT16_MAX },
        [SCT_ARG_U16] = { ARG_NUMBER, false, 0, UINT16_MAX },
        [SCT_ARG_S8] = { ARG_NUMBER, true, (uint64_t) INT8_MIN, INT8_MAX },
        [SCT_ARG_U8] = { ARG_NUMBER, false, 0, UINT8_MAX },
        [SCT_ARG_BOOL] = { ARG_BOOL, false, 0, 1 },
        [SCT_ARG_PTR] = { ARG_NUMBER, false, 0, UINT64_MAX },
        [SCT_ARG_FD] = { ARG_NUMBER, true, (uint64_t) INT32_MIN, INT32_MAX },
        [SCT_ARG_STR] = { ARG_TEXT },
        [SCT_ARG_STRV] = { ARG_LIST },
        [SCT_ARG_SOCKADDR] = { ARG_ADDRESS },
        [SCT_ARG_TIMESPEC] = { ARG_TIME, true, 0, 0 },
        [SCT_ARG_INT2] = { ARG_PAIR, true, (uint64_t) INT32_MIN, INT32_MAX },
        [SCT_ARG_BYTES] = { ARG_TEXT },
        [SCT_ARG_PATH] = { ARG_TEXT },
        [SCT_ARG_KSTR] = { ARG_TEXT },
        [SCT_ARG_KSTRV] = { ARG_LIST },
        [SCT_ARG_STR_OUT] = { ARG_TEXT },
        [SCT_ARG_SOCKADDR_OUT] = { ARG_ADDRESS },
        [SCT_ARG_FILE] = { ARG_TEXT },
        [SCT_ARG_KPATH] = { ARG_TEXT },
        [SCT_ARG_DENTRY] = { ARG_TEXT },
        [SCT_ARG_KIOCB] = { ARG_TEXT },
        [SCT_ARG_BINPRM] = { ARG_TEXT },
        [SCT_ARG_FILENAME] = { ARG_TEXT },
        [SCT_ARG_NET_DEVICE] = { ARG_TEXT },
        [SCT_ARG_DATA_LOC] = { ARG_TEXT },
        [SCT_ARG_KCAP] = { ARG_NUMBER, false, 0, UINT64_MAX },
        [SCT_ARG_SYSCALL64] = { ARG_NUMBER, false, 0, UINT64_MAX },
        [SCT_ARG_NOP] = { .advice = "it is not read; filter by another argument" },
        [SCT_ARG_IOVEC] = { .advice = OBJECT_ADVICE },
        [SCT_ARG_IOV_ITER] = { .advice = OBJECT_ADVICE },
        [SCT_ARG_SOCK] = { .advice = OBJECT_ADVICE },
        [SCT_ARG_SOCKET] = { .advice = OBJECT_ADVICE },
        [SCT_ARG_SKB] = { .advice = OBJECT_ADVICE },
        [SCT_ARG_KSOCKADDR] = { ARG_ADDRESS },
        [SCT_ARG_CRED] = { .advice = OBJECT_ADVICE },
        [SCT_ARG_USER_NS] = { .advice = OBJECT_ADVICE },
        [SCT_ARG_BPF_ATTR] = { .advice = OBJECT_ADVICE },
        [SCT_ARG_BPF_PROG] = { .advice = OBJECT_ADVICE },
        [SCT_ARG_BPF_MAP] = { .advice = OBJECT_ADVICE },
        [SCT_ARG_PERF_EVENT] = { .advice = OBJECT_ADVICE },
        [SCT_ARG_MODULE] = { .advice = OBJECT_ADVICE },
        [SCT_ARG_LOAD_INFO] = { .advice = OBJECT_ADVICE },
        [SCT_ARG_CONST_BUF] = { .advice = OBJECT_ADVICE },
        [SCT_ARG_INET] = { ARG_INET },
        [SCT_ARG_PROTO_IPV4] = { .advice = HEADER_ADVICE },
        [SCT_ARG_PROTO_IPV6] = { .advice = HEADER_ADVICE },
        [SCT_ARG_PROTO_TCP] = { .advice = HEADER_ADVICE },
        [SCT_ARG_PROTO_UDP] = { .advice = HEADER_ADVICE },
        [SCT_ARG_PROTO_ICMP] = { .advice = HEADER_ADVICE },
        [SCT_ARG_PROTO_ICMPV6] = { .advice = HEADER_ADVICE },
};

static int unknown_argument(FilterRun *x) {
        char list[512] = "";
        size_t used = 0;
        Suggest s;

        suggest_begin(&s, x->arg_name);
        for (size_t i = 0; i < x->spec->n_args; i++) {
                suggest_try(&s, x->spec->args[i].name);
                if (used < sizeof(list))
                        used += (size_t) snprintf(list + used, sizeof(list) - used, "%s%s", i > 0 ? ", " : "",
                                                  x->spec->args[i].name);
        }
        if (s.best[0])
                return filter_run_error(x, 0, "%s has no argument %s%s", x->spec->name, QUOTE(x->arg_name),
                                        SUGGESTION(&s));
        if (x->spec->n_args == 0)
                return filter_run_error(x, 0, "%s has no arguments; remove the filter.", x->spec->name);
        return filter_run_error(x, 0, "%s has no argument %s; its arguments are %s.", x->spec->name,
                                QUOTE(x->arg_name), list);
}

static int add_number(FilterRun *x, ConditionBuilder *b, const FilterValue *v, uint64_t number, const ArgClass *c) {
        int r;

        r = condition_builder_add_number(b, x->expression->op, number, c->min, c->max);
        if (r == 0)
                return filter_run_error(x, v->offset, "No value is %s %s; write another bound.",
                                        x->expression->op == FILTER_OP_LT ? "below" : "above",
                                        QUOTE_N(v->raw, v->size));
        return r < 0 ? r : 0;
}

/* Names of flags, modes, errors, ... as the argument's printer writes them. */
static int add_named(FilterRun *x, ConditionBuilder *b, const FilterValue *v, ArgPrinter printer, const char *text,
                     const ArgClass *c) {
        const char *noun = printer_to_string(printer);
        uint64_t and, cmp;
        int r;

        if (!IN_SET(x->expression->op, FILTER_OP_EQ, FILTER_OP_NE))
                return filter_run_error(x, v->offset, "< and > compare numbers, but %s is a name; write a number, or = "
                                        "or !=.",
                                        QUOTE(text));
        r = printer_parse(printer, text, &and, &cmp);
        if (r == -ENOENT) {
                Suggest s;

                suggest_begin(&s, text);
                for (size_t i = 0; printer_name(printer, i); i++)
                        suggest_try(&s, printer_name(printer, i));
                return filter_run_error(x, v->offset, "%s is no %s%s", QUOTE(text), noun, s.best[0] ? SUGGESTION(&s) :
                                        "; write names as the events show them, or the number.");
        }
        if (r == -EINVAL)
                return filter_run_error(x, v->offset, "The names in %s contradict each other, so no value has them "
                                        "all; write them as a list with commas.", QUOTE(text));
        if (r < 0)
                return r;
        if (and == UINT64_MAX)
                return add_number(x, b, v, cmp, c);
        r = condition_builder_add_mask(b, x->expression->op == FILTER_OP_NE, and, cmp);
        return r < 0 ? r : 0;
}

static int add_numeric(FilterRun *x, ConditionBuilder *b, const FilterValue *v, const EventArgSpec *arg,
                       const ArgClass *c) {
        NumberFlags flags = NUMBER_HEX | (c->is_signed ? NUMBER_SIGNED : 0);
        ExpressionError error;
        uint64_t number;
        int r;

        if (IN_SET(arg->printer, PRINTER_MODE, PRINTER_INODE_MODE))
                flags |= NUMBER_OCTAL;
        r = filter_value_to_number(v, flags, c->min, c->max, &number, &error);
        if (r == 0 && arg->type == SCT_ARG_S32 && IN_SET(x->expression->op, FILTER_OP_EQ, FILTER_OP_NE)) {
                ExpressionError ignored;

                /* 4294967295 and 0xffffffff for -1: ids are declared as int and meant as unsigned */
                r = filter_value_to_number(v, NUMBER_HEX, 0, UINT32_MAX, &number, &ignored);
                if (r > 0)
                        number = (uint64_t) (int64_t) (int32_t) number;
        }
        if (r == 0)
                return filter_run_value_error(x, &error);
        if (r < 0)
                return r;
        return add_number(x, b, v, number, c);
}

static int add_boolean(FilterRun *x, ConditionBuilder *b, const FilterValue *v, const char *text, const ArgClass *c) {
        bool value = streq(text, "true") || streq(text, "1");

        if (!value && !streq(text, "false") && !streq(text, "0"))
                return filter_run_error(x, v->offset, "%s is true or false, not %s; write one of them.", x->arg_name,
                                        QUOTE(text));
        return add_number(x, b, v, value, c);
}

static int add_value(FilterRun *x, ConditionBuilder *b, const FilterValue *v, const EventArgSpec *arg,
                     const ArgClass *c) {
        _cleanup_free_ char *text = NULL;
        ExpressionError error;
        int r;

        if (IN_SET(c->kind, ARG_NUMBER, ARG_PAIR) && filter_value_is_numeric(v))
                return add_numeric(x, b, v, arg, c);
        r = filter_value_to_text(v, &text, &error);
        if (r < 0)
                return r;
        if (r == 0)
                return filter_run_value_error(x, &error);
        if (c->kind == ARG_BOOL)
                return add_boolean(x, b, v, text, c);
        if (printer_to_string(arg->printer))
                return add_named(x, b, v, arg->printer, text, c);
        return filter_run_error(x, v->offset, "%s is a number, and %s is none; write digits, or 0x and digits.",
                                arg->name,
                                QUOTE(text));
}

/* Of the structs of openat2 and clone3 the first member, their flags, are asked for; it has 64 bits. */
static bool flags_of_struct(const EventArgSpec *arg, EventArgSpec *ret) {
        if (arg->type != SCT_ARG_BYTES || !IN_SET(arg->printer, PRINTER_OPEN_HOW, PRINTER_CLONE_ARGS))
                return false;
        *ret = *arg;
        ret->type = SCT_ARG_U64;
        ret->printer = arg->printer == PRINTER_OPEN_HOW ? PRINTER_OPEN_FLAGS : PRINTER_CLONE3_FLAGS;
        return true;
}

int filter_apply_arg(FilterRun *x) {
        const Expression *e = x->expression;
        const EventArgSpec *arg;
        EventArgSpec member;
        ConditionBuilder *b;
        const ArgClass *c;
        uint16_t field;
        int i, r;

        assert(x && x->spec && x->arg_name);

        i = event_arg_index(x->spec, x->arg_name);
        if (i < 0)
                return unknown_argument(x);
        arg = x->spec->args + i;
        field = (uint16_t) (SCT_FIELD_ARG + i);
        c = arg_classes + arg->type;
        if (flags_of_struct(arg, &member)) {
                arg = &member;
                c = arg_classes + SCT_ARG_U64;
        }

        if (c->kind == ARG_REFUSED)
                return filter_run_error(x, 0, "%s of %s is no number and no string: %s.", arg->name, x->spec->name,
                                        c->advice ?: "filter by another argument");
        if (IN_SET(c->kind, ARG_TEXT, ARG_LIST, ARG_BOOL, ARG_ADDRESS, ARG_INET) && !IN_SET(e->op, FILTER_OP_EQ, FILTER_OP_NE))
                return filter_run_error(x, e->op_offset, "%s has no order, so %s is not possible; write = or !=.",
                                        arg->name,
                                        filter_operator_to_string(e->op));
        if (c->kind == ARG_TEXT)
                return filter_add_strings(x, arg, field, FILTER_TEXT_MAX, "A string argument");
        if (c->kind == ARG_LIST)
                return filter_add_list(x, arg, field);
        if (c->kind == ARG_ADDRESS)
                return filter_add_addresses(x, arg, field);
        if (c->kind == ARG_INET)
                return filter_add_inet(x, arg, field);
        if (c->kind == ARG_TIME)
                return filter_add_times(x, arg, field);

        if (c->kind == ARG_PAIR)
                field = (uint16_t) (field + SCT_PART_FIRST * SCT_ARGS_MAX);
        r = filter_run_builder(x, x->spec->args + i, field, CONDITION_NUMBER, &b);
        if (r < 0)
                return r;
        b->condition.is_signed = c->is_signed;
        if (c->kind == ARG_PAIR)            /* either of them */
                b->condition.or_field = (uint16_t) (field + (SCT_PART_SECOND - SCT_PART_FIRST) * SCT_ARGS_MAX);
        for (size_t k = 0; k < e->n_values; k++) {
                r = add_value(x, b, e->values + k, arg, c);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* ENOENT → 2; 0: no such error. */
static int errno_from_name(const char *name) {
        for (int i = 1; i < 256; i++)
                if (streq_ptr(strerrorname_np(i), name))
                        return i;
        return 0;
}

static int add_retval(FilterRun *x, ConditionBuilder *b, const FilterValue *v) {
        static const ArgClass c = { ARG_NUMBER, true, (uint64_t) INT64_MIN, INT64_MAX, NULL };
        _cleanup_free_ char *text = NULL;
        ExpressionError error;
        uint64_t number;
        int e, r;

        if (filter_value_is_numeric(v)) {
                r = filter_value_to_number(v, NUMBER_SIGNED | NUMBER_HEX, c.min, c.max, &number, &error);
                if (r == 0)
                        return filter_run_value_error(x, &error);
                return r < 0 ? r : add_number(x, b, v, number, &c);
        }
        r = filter_value_to_text(v, &text, &error);
        if (r == 0)
                return filter_run_value_error(x, &error);
        if (r < 0)
                return r;

        e = errno_from_name(text[0] == '-' ? text + 1 : text);
        if (e == 0) {
                Suggest s;

                suggest_begin(&s, text[0] == '-' ? text + 1 : text);
                for (int i = 1; i < 256; i++)
                        if (strerrorname_np(i))
                                suggest_try(&s, strerrorname_np(i));
                return filter_run_error(x, v->offset, "%s is no number and no error%s", QUOTE(text), s.best[0] ?
                                        SUGGESTION(&s) :
                                        "; write a number like 0 or -2, or a name like -ENOENT.");
        }
        return add_number(x, b, v, (uint64_t) (int64_t) -e, &c);
}

int filter_apply_retval(FilterRun *x) {
        const Expression *e = x->expression;
        ConditionBuilder *b;
        int r;

        assert(x && x->spec);

        if (x->spec->no_return)
                return filter_run_error(x, 0, "%s never returns, so it has no return value; remove the filter.",
                                        x->spec->name);
        if (x->spec->family != EVENT_FAMILY_SYSCALL && !streq(x->spec->name, "sys_exit"))
                return filter_run_error(x, 0, "%s is no call that returns, so it has no return value; remove the "
                                        "filter.",
                                        x->spec->name);

        r = filter_run_builder(x, retval_id, SCT_FIELD_RETVAL, CONDITION_NUMBER, &b);
        if (r < 0)
                return r;
        b->condition.is_signed = true;
        for (size_t i = 0; i < e->n_values; i++) {
                r = add_retval(x, b, e->values + i);
                if (r < 0)
                        return r;
        }
        return 0;
}
