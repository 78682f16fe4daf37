/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* matchArgs, matchData and matchReturnArgs: one condition each, by a row per operator. Values of a positive operator are
 * alternatives, of a negative one all excluded; entries are ANDed, also on one argument.
 *
 * What an operator cannot answer for a type is refused. An argument that could not be read, and a file without a path,
 * match no operator, negative ones included (the latter is why negative string operators exclude the empty path). */

#include <inttypes.h>
#include <stdio.h>
#include <strings.h>
#include <sys/stat.h>

#include "../basic/macro.h"
#include "../basic/string-util.h"
#include "../event/arg-type.h"
#include "tracing-internal.h"

typedef struct Operator Operator;

/* One entry while it is read. */
typedef struct ArgFilter {
        TracingSelector *selector;
        const char *noun;               /* matchArgs, ... */
        bool has_index, is_return;
        bool full;                      /* a limit was reached, and that was said */
        uint64_t index;
        uint64_t positions[2];          /* args: */
        size_t n_positions;
        const YamlNode *values, *operator_at;
        const Operator *operator;

        /* Resolved. */
        const TracingType *type;
        const EventArgSpec *spec;       /* NULL: a return value that is a number */
        uint16_t field;
        ConditionClass class;
        ConditionBuilder builder;
} ArgFilter;

struct Operator {
        const char *names;              /* with spaces between, any case; the first is the one to write */
        unsigned types;                 /* enum TracingTypeFlags: one of these; 0: refused */
        bool negative, no_values;
        int (*add)(YamlReader *r, const YamlNode *value, ArgFilter *f);
        uint8_t variant;                /* enum sct_arg_part, enum PatternKind, enum FilterOperator:
        as `add` takes it */
        const char *advice;             /* refused: what to write; else: which types, for a sentence */
};

static const Operator operators[];
static const size_t n_operators;

/* ---- Values ---- */

static int bad_number(YamlReader *r, const YamlNode *v, const ArgFilter *f, int error, const char *form) {
        const char *text = v->text;

        if (error == -ERANGE)
                return yaml_error(r, v, "%s is beyond what an argument of type %s can hold (%u bits, %s); write "
                                  "another value.",
                                  QUOTE(text), f->type->name, f->type->bits,
                                  f->type->flags & TRACING_SIGNED ? "signed" : "unsigned");
        return yaml_error(r, v, "%s is no %s; the argument's type is %s.", QUOTE(text), form, f->type->name);
}

/* "sys_x", "i386/sys_x", a number, list:NAME: of a syscall64. */
static int add_syscall(YamlReader *r, const YamlNode *v, ArgFilter *f, const char *text) {
        const char *slash = strchr(text, '/');
        bool compat = slash && (startswith(text, "i386/") || startswith(text, "x86/"));
        const EventSpec *spec;
        int native, nr32, q;

        if (slash && !compat && !startswith(text, "x64/"))
                return yaml_error(r, v, "%s names another machine's system call; write x64/ or i386/ before it.",
                                  QUOTE(text));
        spec = tracing_find_syscall(slash ? slash + 1 : text);
        if (!spec)
                return yaml_error(r, v, "%s is no system call; write its name, its number, or list:NAME.", QUOTE(text));
        event_syscall_numbers(spec, &native, &nr32);
        if ((compat ? nr32 : native) < 0)
                return yaml_error(r, v, "%s does not exist in the %s system call table; write %s before it.",
                                  spec->name,
                                  compat ? "32-bit" : "64-bit", compat ? "x64/" : "i386/");
        q = condition_builder_add_number(&f->builder, f->operator->negative ? FILTER_OP_NE : FILTER_OP_EQ,
                                         compat ? (uint64_t) nr32 | 0x80000000U : (uint64_t) native, 0, UINT64_MAX);
        return q < 0 ? q : 0;
}

static int add_syscall_list(YamlReader *r, const YamlNode *v, ArgFilter *f, const char *name) {
        const TracingList *list = tracing_find_list(f->selector->reader, name);

        if (!list)
                return tracing_no_list(r, v, f->selector->reader, name);
        if (f->builder.condition.n_eq + f->builder.condition.n_ne + strv_length(list->values) > TRACING_VALUES_MAX)
                return yaml_error(r, v, "With this list the filter has more than %u values; name each list once.",
                                  TRACING_VALUES_MAX);
        STRV_FOREACH(i, list->values) {
                int q = add_syscall(r, v, f, *i);

                if (q < 0)
                        return q;
        }
        return 0;
}

/* Not a number: a name that the argument's values have, or a set of capabilities. */
static int add_name(YamlReader *r, const YamlNode *v, ArgFilter *f) {
        const char *text = v->text;
        uint8_t printer = f->spec ? f->spec->printer : 0;
        char word[SUGGEST_WORD_MAX + 1] = "";
        uint64_t and, cmp;
        Suggest s;
        int q;

        if (f->type->flags & TRACING_SYSCALL)
                return startswith(text, "list:") ? add_syscall_list(r, v, f, text + 5) : add_syscall(r, v, f, text);
        if (f->type->flags & TRACING_CAPS) {
                and = UINT64_MAX;
                q = tracing_get_capabilities(text, &cmp, word);
        } else {
                q = printer_to_string(printer) ? printer_parse(printer, text, &and, &cmp) : -EINVAL;
                if (q == -ENOENT)
                        (void) snprintf(word, sizeof(word), "%s", text);
        }
        if (q == -ENOENT) {
                suggest_begin(&s, word);
                for (size_t i = 0; printer_name(printer, i); i++)
                        suggest_try(&s, printer_name(printer, i));
                return yaml_error(r, v, "%s is no %s%s", QUOTE(word), printer_to_string(printer),
                                  s.best[0] ? SUGGESTION(&s) : "; write a name as events show it, or a number.");
        }
        if (q < 0)
                return bad_number(r, v, f, -EINVAL, "number");
        if (and == UINT64_MAX)
                q = condition_builder_add_number(&f->builder, f->operator->negative ? FILTER_OP_NE : FILTER_OP_EQ,
                                                 cmp, 0,
                                                 UINT64_MAX);
        else
                q = condition_builder_add_mask(&f->builder, f->operator->negative, and, cmp);
        return q < 0 ? q : 0;
}

static int add_equal_number(YamlReader *r, const YamlNode *v, ArgFilter *f) {
        uint64_t value;
        int q;

        q = tracing_get_integer(v->text, v->size, f->type->bits, f->type->flags & TRACING_SIGNED, true, &value);
        if (q == -EINVAL)
                return add_name(r, v, f);
        if (q < 0)
                return bad_number(r, v, f, q, "number");
        q = condition_builder_add_number(&f->builder, f->operator->negative ? FILTER_OP_NE : FILTER_OP_EQ, value, 0,
                                         UINT64_MAX);
        return q < 0 ? q : 0;
}

static int add_own_pattern(ArgFilter *f, PatternKind kind, const char *text, size_t size) {
        Pattern p = { .kind = kind, .negative = f->operator->negative, .size = size };

        p.text = malloc(size + 1);
        if (!p.text)
                return -ENOMEM;
        memcpy(p.text, text, size);
        p.text[size] = '\0';
        return condition_builder_add_pattern(&f->builder, &p);
}

/* A path that no file can have, or another name of the same one. */
static int add_path_variant(YamlReader *r, const YamlNode *v, ArgFilter *f, PatternKind kind) {
        _cleanup_free_ char *other = NULL;
        int q;

        if (!(f->type->flags & TRACING_PATH) || !IN_SET(kind, PATTERN_EQUAL, PATTERN_PREFIX))
                return 0;
        if (v->text[0] != '/')
                return yaml_warning(r, v, "Paths are compared whole and begin with /, so %s matches none; write /%s, "
                                    "or the operator Postfix.", QUOTE(v->text), QUOTE(v->text));
        q = tracing_resolve_path(v->text, /* last= */ false, &other);
        if (q < 0 || !other)
                return q;
        q = add_own_pattern(f, kind, other, strlen(other));
        return q < 0 ? q : 0;
}

static int add_string(YamlReader *r, const YamlNode *v, ArgFilter *f) {
        PatternKind kind = f->operator->variant;
        size_t size = v->size;
        size_t max = kind == PATTERN_EQUAL ? SCT_STR_CLASS_3 : kind == PATTERN_SUBSTRING ? SCT_STR_MAX : SCT_AFFIX_MAX;
        int q;

        if (v->nul_tail && (f->type->flags & TRACING_BYTES))
                size++;                                   /* the terminator stands behind the text */
        if (size > max)
                return yaml_error(r, v, "The value has %zu bytes, more than the %zu that %.*s compares; write a shorter one%s.",
                                  size, max, (int) strcspn(f->operator->names, " "), f->operator->names,
                                  kind == PATTERN_EQUAL ? " with the operator Prefix" : "");
        q = add_own_pattern(f, kind, v->text, size);
        if (q >= 0)
                q = add_path_variant(r, v, f, kind);
        return q < 0 ? q : 0;
}

/* Equal on types that are both: the values say which, all of them the same. */
static int add_equal(YamlReader *r, const YamlNode *v, ArgFilter *f) {
        return f->class == CONDITION_STRING ? add_string(r, v, f) : add_equal_number(r, v, f);
}

static int add_bound(YamlReader *r, const YamlNode *v, ArgFilter *f) {
        unsigned bits = f->type->bits;
        bool is_signed = f->type->flags & TRACING_SIGNED;
        uint64_t min = is_signed ? (uint64_t) (INT64_MIN >> (64 - bits)) : 0;
        uint64_t max = UINT64_MAX >> (64 - bits + (is_signed ? 1 : 0));
        uint64_t value;
        int q;

        q = tracing_get_integer(v->text, v->size, bits, is_signed, false, &value);
        if (q < 0)
                return bad_number(r, v, f, q, "number");
        q = condition_builder_add_number(&f->builder, f->operator->variant, value, min, max);
        if (q == 0)
                return yaml_error(r, v, "No value of type %s is %s %s; write another bound.", f->type->name,
                                  f->operator->variant == FILTER_OP_GT ? "above" : "below", QUOTE(v->text));
        return q < 0 ? q : 0;
}

static int add_mask(YamlReader *r, const YamlNode *v, ArgFilter *f) {
        char word[SUGGEST_WORD_MAX + 1] = "";
        uint8_t printer = f->spec ? f->spec->printer : 0;
        uint64_t bits, cmp;
        int q;

        if (f->type->flags & TRACING_CAPS)
                q = tracing_get_capabilities(v->text, &bits, word);
        else {
                q = tracing_get_integer(v->text, v->size, f->type->bits, f->type->flags & TRACING_SIGNED, true, &bits);
                if (q == -EINVAL && printer_to_string(printer))
                        q = printer_parse(printer, v->text, &cmp, &bits);
        }
        if (q < 0)
                return bad_number(r, v, f, q == -ERANGE ? q : -EINVAL, "mask");
        if (bits == 0)
                return yaml_error(r, v, "A mask of 0 asks for no bit, so no value matches; write the bits that count.");
        if (f->type->bits < 64)
                bits &= (UINT64_C(1) << f->type->bits) - 1;
        q = condition_builder_add_any_bit(&f->builder, f->operator->negative, bits);
        return q < 0 ? q : 0;
}

static int add_number_range(YamlReader *r, const YamlNode *v, ArgFilter *f) {
        bool is_signed = f->type->flags & TRACING_SIGNED;
        uint64_t low, high;
        int q;

        if ((f->type->flags & TRACING_SYSCALL) && !tracing_is_integer(v->text) && !strchr(v->text, ':'))
                return add_name(r, v, f);
        if ((f->type->flags & TRACING_SYSCALL) && startswith(v->text, "list:"))
                return add_syscall_list(r, v, f, v->text + 5);
        q = tracing_get_range(v->text, f->type->bits, is_signed, &low, &high);
        if (q < 0)
                return bad_number(r, v, f, q, "number and no range min:max");
        if (is_signed ? (int64_t) low > (int64_t) high : low > high)
                return yaml_error(r, v, "The range %s ends before it begins; write min:max.", QUOTE(v->text));
        if (low == high)
                q = condition_builder_add_number(&f->builder, f->operator->negative ? FILTER_OP_NE : FILTER_OP_EQ,
                                                 low, 0,
                                                 UINT64_MAX);
        else
                q = condition_builder_add_range(&f->builder, f->operator->negative, low, high);
        return q < 0 ? q : 0;
}

static int add_address(YamlReader *r, const YamlNode *v, ArgFilter *f) {
        int q;

        if (f->builder.condition.n_patterns > TRACING_VALUES_MAX) {
                f->full = true;
                return yaml_error(r, v, "The filter has more than %u prefixes of addresses; write networks whose prefix "
                                  "length is a multiple of 8.", TRACING_VALUES_MAX);
        }
        q = tracing_add_cidr(&f->builder, v->text, f->operator->negative);
        if (q == 0)
                return yaml_error(r, v, "%s is no address; write for example 10.0.0.1, 10.0.0.0/8, ::1 or fe80::/10.",
                                  QUOTE(v->text));
        return q < 0 ? q : 0;
}

static int add_port(YamlReader *r, const YamlNode *v, ArgFilter *f) {
        uint64_t low, high;
        int q;

        if (tracing_get_range(v->text, 16, false, &low, &high) < 0 || low > high)
                return yaml_error(r, v, "%s is no port; write 0 to 65535, or a range like 1024:65535.", QUOTE(v->text));
        q = condition_builder_add_range(&f->builder, f->operator->negative, low, high);
        return q < 0 ? q : 0;
}

/* SPortPriv: below 1024; no values. */
static int add_private(YamlReader *r, const YamlNode *v, ArgFilter *f) {
        int q = condition_builder_add_range(&f->builder, f->operator->negative, 0, 1023);

        return q < 0 ? q : 0;
}

typedef struct NamedPart {
        uint8_t part, printer;
        const char *prefix, *example;
} NamedPart;

static int add_named_part(YamlReader *r, const YamlNode *v, ArgFilter *f) {
        static const NamedPart rows[] = {
                { SCT_PART_FAMILY, PRINTER_SOCKET_DOMAIN, "AF_", "AF_INET" },
                { SCT_PART_PROTOCOL, PRINTER_IP_PROTOCOL, "IPPROTO_", "IPPROTO_TCP" },
                { SCT_PART_STATE, PRINTER_TCP_STATE, "TCP_", "TCP_SYN_RECV" },
        };
        const NamedPart *row = rows;
        uint64_t value;
        Suggest s;
        int q;

        while (row->part != f->operator->variant)
                row++;
        if (tracing_get_name(row->printer, row->prefix, v->text, &value) < 0 || value > UINT16_MAX) {
                suggest_begin(&s, v->text);
                for (size_t i = 0; printer_name(row->printer, i); i++)
                        suggest_try(&s, printer_name(row->printer, i));
                if (s.best[0])
                        return yaml_error(r, v, "%s is no %s%s", QUOTE(v->text), printer_to_string(row->printer),
                                          SUGGESTION(&s));
                return yaml_error(r, v, "%s is no %s; write a number or a name, for example %s.", QUOTE(v->text),
                                  printer_to_string(row->printer), row->example);
        }
        q = condition_builder_add_number(&f->builder, f->operator->negative ? FILTER_OP_NE : FILTER_OP_EQ, value, 0,
                                         UINT64_MAX);
        return q < 0 ? q : 0;
}

static int add_file_type(YamlReader *r, const YamlNode *v, ArgFilter *f) {
        static const struct {
                const char *name;
                uint32_t mode;
        } rows[] = {
                { "sock", S_IFSOCK }, { "socket", S_IFSOCK }, { "lnk", S_IFLNK }, { "link", S_IFLNK },
                { "symlink", S_IFLNK },
                { "reg", S_IFREG }, { "regular", S_IFREG }, { "blk", S_IFBLK }, { "block", S_IFBLK },
                { "dir", S_IFDIR },
                { "directory", S_IFDIR }, { "chr", S_IFCHR }, { "char", S_IFCHR }, { "fifo", S_IFIFO },
                { "pipe", S_IFIFO },
        };
        Suggest s;
        int q;

        suggest_begin(&s, v->text);
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                suggest_try(&s, rows[i].name);
                if (strcasecmp(rows[i].name, v->text) == 0) {
                        q = condition_builder_add_mask(&f->builder, f->operator->negative, S_IFMT, rows[i].mode);
                        return q < 0 ? q : 0;
                }
        }
        return yaml_error(r, v, "%s is no type of file%s", QUOTE(v->text), s.best[0] ? SUGGESTION(&s) :
                          "; write reg, dir, lnk, chr, blk, fifo or sock.");
}

/* ---- Operators ---- */

static const Operator *find_operator(const char *text) {
        size_t n = strlen(text);

        for (size_t i = 0; i < n_operators; i++)
                for (const char *p = operators[i].names; *p; p += strspn(p, " ")) {
                        size_t size = strcspn(p, " ");

                        if (size == n && strncasecmp(p, text, n) == 0)
                                return operators + i;
                        p += size;
                }
        return NULL;
}

static int read_operator(YamlReader *r, const YamlNode *n, void *target) {
        ArgFilter *f = target;
        const char *text;
        char word[SUGGEST_WORD_MAX + 1];
        Suggest s;
        int q;

        q = yaml_get_string(r, n, 0, &text);
        if (q <= 0)
                return q;
        f->operator_at = n;
        f->operator = find_operator(text);
        if (f->operator && f->operator->types > 0)
                return 0;
        if (f->operator) {
                q = yaml_error(r, n, "The operator %s is not available here; %s", QUOTE(text), f->operator->advice);
                f->operator = NULL;
                return q;
        }
        suggest_begin(&s, text);
        for (size_t i = 0; i < n_operators; i++) {
                size_t size = strcspn(operators[i].names, " ");

                memcpy(word, operators[i].names, size);
                word[size] = '\0';
                if (operators[i].types > 0)
                        suggest_try(&s, word);
        }
        return yaml_error(r, n, "%s is no operator%s", QUOTE(text), s.best[0] ? SUGGESTION(&s) :
                          "; write for example Equal, NotEqual, Prefix, Postfix, GT, LT, Mask or InRange.");
}

static int read_index(YamlReader *r, const YamlNode *n, void *target) {
        ArgFilter *f = target;
        int q;

        q = yaml_get_u64(r, n, 0, UINT32_MAX, &f->index);
        f->has_index = q > 0;
        return q < 0 ? q : 0;
}

static int read_position(YamlReader *r, const YamlNode *n, void *target) {
        ArgFilter *f = target;
        uint64_t v;
        int q;

        q = yaml_get_u64(r, n, 0, SCT_ARGS_MAX - 1, &v);
        if (q <= 0)
                return q;
        if (f->n_positions >= ELEMENTSOF(f->positions))
                return yaml_error(r, n, "No operator takes more than two arguments; write one more entry for another "
                                  "one.");
        f->positions[f->n_positions++] = v;
        return 0;
}

static int read_positions(YamlReader *r, const YamlNode *n, void *target) {
        return yaml_read_sequence(r, n, read_position, target);
}

static int read_values(YamlReader *r, const YamlNode *n, void *target) {
        ArgFilter *f = target;

        f->values = n;
        return 0;
}

/* ---- Which argument ---- */

static int no_argument(YamlReader *r, const YamlNode *n, const Hook *hook, uint64_t index) {
        char list[128] = "";
        size_t used = 0;

        for (size_t i = 0; i < hook->n_args && used < sizeof(list) - 16; i++)
                if (hook->args[i].source == HOOK_ARG_OF_HOOK)
                        used += (size_t) snprintf(list + used, sizeof(list) - used, "%s%" PRIu32, used > 0 ? ", " : "",
                                                  hook->args[i].index);
        if (used == 0)
                return yaml_error(r, n, "The hook names no arguments, so there is nothing to compare; add `args:` with "
                                  "an entry `- index: %" PRIu64 "` and its type.", index);
        return yaml_error(r, n, "args has no argument with the index %" PRIu64 " (it has %s); add it there.", index,
                          list);
}

static int resolve_argument(YamlReader *r, const YamlNode *n, ArgFilter *f, size_t first, size_t count) {
        const Hook *hook = f->selector->hook;
        int position;

        if (f->n_positions > 0) {
                for (size_t i = 0; i < f->n_positions; i++)
                        if (f->positions[i] >= count) {
                                int q = yaml_error(r, n, "There is no entry %" PRIu64 ", they are counted from 0 and "
                                                   "there are %zu; write another number in args.", f->positions[i],
                                                   count);

                                return q < 0 ? q : 0;
                        }
                position = (int) (first + f->positions[0]);
        } else if (f->has_index) {
                position = first > 0 ? (f->index < count ? (int) (first + f->index) : -ENOENT) :
                                       tracing_arg_position(hook, f->index);
                if (position < 0) {
                        int q = no_argument(r, n, hook, f->index);

                        return q < 0 ? q : 0;
                }
        } else {
                int q = yaml_error(r, n, "An entry of %s names its argument; add `index:` with the argument's index.",
                                   f->noun);

                return q < 0 ? q : 0;
        }
        f->type = tracing_type_find(hook->args[position].type_name);
        f->spec = hook->spec.args + position;
        f->field = (uint16_t) (SCT_FIELD_ARG + position);
        f->positions[0] = (uint64_t) position;
        if (f->n_positions > 1)
                f->positions[1] += first;
        return 1;
}

static int resolve_return(YamlReader *r, const YamlNode *n, ArgFilter *f) {
        const Hook *hook = f->selector->hook;

        if (!hook->has_return) {
                int q = yaml_error(r, n, "The hook does not read the return value; write `return: true` and "
                                   "`returnArg:` with its type beside call.");

                return q < 0 ? q : 0;
        }
        f->type = tracing_type_find(hook->return_arg.type_name);
        if (hook->spec.n_args > hook->n_args) {
                f->spec = hook->spec.args + hook->n_args;
                f->field = (uint16_t) (SCT_FIELD_ARG + hook->n_args);
        } else
                f->field = SCT_FIELD_RETVAL;
        return 1;
}

/* ---- One entry ---- */

static bool values_are_numbers(const YamlNode *values) {
        for (size_t i = 0; values && i < values->n_items; i++)
                if (values->items[i]->kind != YAML_SCALAR || !tracing_is_integer(values->items[i]->text))
                        return false;
        return true;
}

static uint16_t part_field(const ArgFilter *f, unsigned part) {
        return (uint16_t) (f->field + part * SCT_ARGS_MAX);
}

/* Field and class, as the operator and the type say. Returns 0 after a problem. */
static int lower(YamlReader *r, ArgFilter *f) {
        const Operator *o = f->operator;
        unsigned flags = f->type->flags;
        int q;

        if (!(flags & o->types)) {
                char word[SUGGEST_WORD_MAX + 1];

                (void) snprintf(word, sizeof(word), "%.*s", (int) strcspn(o->names, " "), o->names);
                if (flags == 0 && f->type->type == SCT_ARG_NOP)
                        q = yaml_error(r, f->operator_at, "An argument of type nop is not read, so it cannot be "
                                       "compared; give it its type in args.");
                else if (flags == 0)
                        q = yaml_error(r, f->operator_at, "An argument of type %s is shown but cannot be compared; "
                                       "remove the filter.", f->type->name);
                else
                        q = yaml_error(r, f->operator_at, "%s cannot compare an argument of type %s; it is for %s.",
                                       word,
                                       f->type->name, o->advice);
                return q < 0 ? q : 0;
        }
        f->class = CONDITION_NUMBER;
        f->builder.condition.is_signed = flags & TRACING_SIGNED;
        if (o->add == add_equal || o->add == add_string) {
                bool number = o->add == add_equal && (flags & TRACING_NUMBER) &&
                              (!(flags & TRACING_STRING) || values_are_numbers(f->values));

                f->class = number ? CONDITION_NUMBER : CONDITION_STRING;
        } else if (o->add == add_mask)
                f->class = CONDITION_MASK;
        else if (o->add == add_address) {
                f->class = CONDITION_STRING;
                f->field = part_field(f, o->variant);
        } else if (o->add == add_port || o->add == add_private || o->add == add_named_part)
                f->field = part_field(f, o->variant);
        else if (o->add == add_file_type) {
                f->class = CONDITION_MASK;
                f->field = part_field(f, SCT_PART_MODE);
        }
        else if (f->type->type == SCT_ARG_TIMESPEC)
                f->field = part_field(f, SCT_PART_NSEC);
        if (f->class == CONDITION_STRING)
                f->builder.condition.is_signed = false;
        return 1;
}

static int add_one_value(YamlReader *r, const YamlNode *v, void *userdata) {
        ArgFilter *f = userdata;

        return f->full ? 0 : f->operator->add(r, v, f);
}

static int add_values(YamlReader *r, const YamlNode *n, ArgFilter *f) {
        size_t mark;
        int q;

        if (f->operator->no_values) {
                if (f->values && !yaml_is_null(f->values) && f->values->n_items > 0)
                        return yaml_error(r, f->values, "%.*s takes no values; remove them.",
                                          (int) strcspn(f->operator->names, " "), f->operator->names);
                return f->operator->add(r, NULL, f);
        }
        if (!f->values)
                return yaml_error(r, n, "The key values is missing here; add `values:` with a list.");
        mark = yaml_key_push(r, "values");
        q = tracing_each_value(r, f->values, add_one_value, f);
        yaml_key_pop(r, mark);
        if (q < 0)
                return q;

        /* A pipe has no path: it is not "another file" either. */
        if (f->class == CONDITION_STRING && f->operator->negative && (f->type->flags & TRACING_PATH))
                q = add_own_pattern(f, PATTERN_EQUAL, "", 0);
        return q < 0 ? q : 0;
}

/* (old ^ new) & new: bits of the second argument that the first has not. */
static int add_gained(YamlReader *r, const YamlNode *n, ArgFilter *f) {
        const Hook *hook = f->selector->hook;
        uint16_t field;
        int q;

        if (f->is_return || f->n_positions != 2)
                return yaml_error(r, n, "CapabilitiesGained compares two arguments; write `args: [OLD, NEW]` with "
                                  "their positions in the hook's args, from 0.");
        for (size_t i = 0; i < 2; i++)
                if (!IN_SET(hook->args[f->positions[i]].type, SCT_ARG_KCAP, SCT_ARG_NONE))
                        return yaml_error(r, f->operator_at, "CapabilitiesGained compares sets of capabilities, but "
                                          "argument %" PRIu64
                                          " is of type %s; it is for kernel_cap_t and cap_*.", f->positions[i],
                                          hook->args[f->positions[i]].type_name);
        field = (uint16_t) SCT_FIELD_ARG_PART(SCT_PART_GAINED + f->positions[0], f->positions[1]);
        q = condition_builder_add_any_bit(&f->builder, false, UINT64_MAX);
        if (q < 0)
                return q;
        return tracing_add_condition(r, f->operator_at, f->selector, field, CONDITION_MASK, &f->builder);
}

static int add_gained_marker(YamlReader *r, const YamlNode *v, ArgFilter *f) {
        return 0;                       /* never called: apply() branches before */
}

static int apply(YamlReader *r, const YamlNode *n, ArgFilter *f) {
        unsigned errors = r->n_errors;
        int q;

        if (f->operator->add == add_gained_marker)
                return add_gained(r, n, f);
        if (f->n_positions > 1)
                return yaml_error(r, n, "%.*s compares one argument; write one number in args.",
                                  (int) strcspn(f->operator->names, " "), f->operator->names);
        q = lower(r, f);
        if (q <= 0)
                return q;
        q = add_values(r, n, f);
        if (q < 0 || r->n_errors > errors)
                return q;
        return tracing_add_condition(r, f->operator_at, f->selector, f->field, f->class, &f->builder);
}

static int read_filter(YamlReader *r, const YamlNode *n, TracingSelector *s, const char *noun, size_t first,
                       size_t count,
                       bool is_return) {
        static const YamlField fields[] = {
                { "index", false, read_index },
                { "args", false, read_positions },
                { "operator", true, read_operator },
                { "values", false, read_values },
        };
        ArgFilter f = { .selector = s, .noun = noun, .is_return = is_return };
        unsigned errors = r->n_errors;
        int q;

        q = yaml_read_mapping(r, n, fields, ELEMENTSOF(fields), &f);
        if (q < 0 || r->n_errors > errors || !f.operator)
                return q;
        q = is_return ? resolve_return(r, n, &f) : resolve_argument(r, n, &f, first, count);
        if (q > 0)
                q = apply(r, n, &f);
        condition_builder_done(&f.builder);
        return q;
}

static size_t count_own_args(const Hook *hook) {
        size_t n = 0;

        while (n < hook->n_args && hook->args[n].source == HOOK_ARG_OF_HOOK)
                n++;
        return n;
}

static int read_arg_filter(YamlReader *r, const YamlNode *n, void *target) {
        TracingSelector *s = target;

        return read_filter(r, n, s, "matchArgs", 0, count_own_args(s->hook), false);
}

static int read_data_filter(YamlReader *r, const YamlNode *n, void *target) {
        TracingSelector *s = target;
        size_t first = count_own_args(s->hook);

        if (first == s->hook->n_args)
                return yaml_error(r, n, "The hook has no data, so there is nothing to compare; add `data:` beside "
                                  "args.");
        return read_filter(r, n, s, "matchData", first, s->hook->n_args - first, false);
}

static int read_return_filter(YamlReader *r, const YamlNode *n, void *target) {
        TracingSelector *s = target;

        s->has_return_conditions = true;
        return read_filter(r, n, s, "matchReturnArgs", 0, 0, true);
}

int tracing_read_match_args(YamlReader *r, const YamlNode *n, TracingSelector *s) {
        return yaml_is_null(n) ? 0 : yaml_read_sequence(r, n, read_arg_filter, s);
}

int tracing_read_match_data(YamlReader *r, const YamlNode *n, TracingSelector *s) {
        return yaml_is_null(n) ? 0 : yaml_read_sequence(r, n, read_data_filter, s);
}

int tracing_read_match_return_args(YamlReader *r, const YamlNode *n, TracingSelector *s) {
        if (s->hook->kind == HOOK_LSM)
                return yaml_error(r, n, "An LSM hook runs before there is a return value; hook the security_* function "
                                  "by kprobes with `return: true` instead.");
        return yaml_is_null(n) ? 0 : yaml_read_sequence(r, n, read_return_filter, s);
}

#define EQUALS (TRACING_NUMBER | TRACING_STRING)
#define FOR_EQUALS "numbers, strings, files and capabilities"
#define FOR_STRINGS "strings, buffers and files"
#define FOR_NUMBERS "numbers"
#define FOR_SOCKETS "sock, socket, skb and, where it has such a part, sockaddr"

static const Operator operators[] = {
        { "Equal eq In", EQUALS, false, false, add_equal, PATTERN_EQUAL, FOR_EQUALS },
        { "NotEqual neq NotIn", EQUALS, true, false, add_equal, PATTERN_EQUAL, FOR_EQUALS },
        { "Prefix", TRACING_STRING, false, false, add_string, PATTERN_PREFIX, FOR_STRINGS },
        { "NotPrefix", TRACING_STRING, true, false, add_string, PATTERN_PREFIX, FOR_STRINGS },
        { "Postfix", TRACING_STRING, false, false, add_string, PATTERN_SUFFIX, FOR_STRINGS },
        { "NotPostfix", TRACING_STRING, true, false, add_string, PATTERN_SUFFIX, FOR_STRINGS },
        { "SubString", TRACING_STRING, false, false, add_string, PATTERN_SUBSTRING, FOR_STRINGS },
        { "NotSubString", TRACING_STRING, true, false, add_string, PATTERN_SUBSTRING, FOR_STRINGS },
        { "SubStringIgnCase SubStringIgnoreCase", 0, false, false, NULL, 0,
          "write SubString, with every spelling as a value of its own." },
        { "CelExpr", 0, false, false, NULL, 0, "write the comparison with Equal, GT, LT, InRange or Mask." },
        { "GT GreaterThan", TRACING_NUMBER, false, false, add_bound, FILTER_OP_GT, FOR_NUMBERS },
        { "LT LessThan", TRACING_NUMBER, false, false, add_bound, FILTER_OP_LT, FOR_NUMBERS },
        { "Mask", TRACING_NUMBER, false, false, add_mask, 0, "numbers and capabilities" },
        { "InMap", TRACING_NUMBER, false, false, add_number_range, 0, FOR_NUMBERS },
        { "NotInMap", TRACING_NUMBER, true, false, add_number_range, 0, FOR_NUMBERS },
        { "InRange", TRACING_NUMBER, false, false, add_number_range, 0, FOR_NUMBERS },
        { "NotInRange", TRACING_NUMBER, true, false, add_number_range, 0, FOR_NUMBERS },
        { "SAddr", TRACING_SOURCE, false, false, add_address, SCT_PART_SADDR, FOR_SOCKETS },
        { "NotSAddr", TRACING_SOURCE, true, false, add_address, SCT_PART_SADDR, FOR_SOCKETS },
        { "DAddr", TRACING_DEST, false, false, add_address, SCT_PART_DADDR, FOR_SOCKETS },
        { "NotDAddr", TRACING_DEST, true, false, add_address, SCT_PART_DADDR, FOR_SOCKETS },
        { "SPort", TRACING_SOURCE, false, false, add_port, SCT_PART_SPORT, FOR_SOCKETS },
        { "NotSPort", TRACING_SOURCE, true, false, add_port, SCT_PART_SPORT, FOR_SOCKETS },
        { "DPort", TRACING_DEST, false, false, add_port, SCT_PART_DPORT, FOR_SOCKETS },
        { "NotDPort", TRACING_DEST, true, false, add_port, SCT_PART_DPORT, FOR_SOCKETS },
        { "SPortPriv", TRACING_SOURCE, false, true, add_private, SCT_PART_SPORT, FOR_SOCKETS },
        { "NotSPortPriv", TRACING_SOURCE, true, true, add_private, SCT_PART_SPORT, FOR_SOCKETS },
        { "DPortPriv", TRACING_DEST, false, true, add_private, SCT_PART_DPORT, FOR_SOCKETS },
        { "NotDPortPriv", TRACING_DEST, true, true, add_private, SCT_PART_DPORT, FOR_SOCKETS },
        { "Protocol", TRACING_PROTOCOL, false, false, add_named_part, SCT_PART_PROTOCOL, FOR_SOCKETS },
        { "NotProtocol", TRACING_PROTOCOL, true, false, add_named_part, SCT_PART_PROTOCOL, FOR_SOCKETS },
        { "Family", TRACING_FAMILY, false, false, add_named_part, SCT_PART_FAMILY, FOR_SOCKETS },
        { "NotFamily", TRACING_FAMILY, true, false, add_named_part, SCT_PART_FAMILY, FOR_SOCKETS },
        { "State", TRACING_STATE, false, false, add_named_part, SCT_PART_STATE, "sock and socket (a packet has no "
          "state)" },
        { "NotState", TRACING_STATE, true, false, add_named_part, SCT_PART_STATE, "sock and socket (a packet has no "
          "state)" },
        { "FileType", TRACING_MODE, false, false, add_file_type, 0, "files and paths" },
        { "NotFileType", TRACING_MODE, true, false, add_file_type, 0, "files and paths" },
        { "CapabilitiesGained", TRACING_CAPS, false, true, add_gained_marker, 0, "kernel_cap_t and cap_*" },
};
static const size_t n_operators = ELEMENTSOF(operators);
