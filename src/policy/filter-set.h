/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Between filter.c, which collects, and filter-kind.c, which knows the kinds: nobody else includes this. */

#include "../../bpf/abi/plan.h"
#include "condition-builder.h"
#include "filter-expression.h"
#include "filter.h"
#include "wording.h"

typedef enum FilterKindId {
#define SCT_FILTER_KIND(id, sym, where, names, operators, example, doc) FILTER_##sym = id,
#include "../../bpf/abi/filter-kinds.def"
#undef SCT_FILTER_KIND
} FilterKindId;

typedef enum FilterWhere {
        FILTER_WHERE_SUBJECT,
        FILTER_WHERE_SECTION,
        FILTER_WHERE_CONTEXT,
} FilterWhere;

typedef struct FilterKind {
        FilterKindId id;
        FilterWhere where;
        const char *names, *operators, *example, *doc;
} FilterKind;

/* One expression while it is applied. */
typedef struct FilterRun {
        FilterSet *set;
        const FilterPlace *place;
        const Expression *expression;
        const FilterKind *kind;
        const EventSpec *spec;        /* NULL: the subject */
        const char *arg_name;         /* FILTER_ARG */
} FilterRun;

const FilterKind *filter_kind_find(FilterWhere where, const char *name);
void filter_kind_suggest(FilterWhere where, Suggest *s);
/* Checks the operator and applies the expression. 0 or -ENOMEM. */
int filter_kind_apply(FilterRun *x);

/* What the kinds do to the set (filter.c). */
__attribute__((format(printf, 3, 4)))
int filter_run_error(FilterRun *x, size_t offset, const char *format, ...);
__attribute__((format(printf, 3, 4)))
int filter_run_warning(FilterRun *x, size_t offset, const char *format, ...);
int filter_run_value_error(FilterRun *x, const ExpressionError *error);
/* The condition that expressions on `id` (a row, an argument's spec) are merged into; made when missing, with this
 * field and class. */
int filter_run_builder(FilterRun *x, const void *id, uint16_t field, ConditionClass class, ConditionBuilder **ret);

typedef enum FilterChoice {
        CHOICE_NAMED,      /* event=x */
        CHOICE_EXPANDED,   /* by a wildcard or a set */
        CHOICE_EXCLUDED,
} FilterChoice;
int filter_run_choose(FilterRun *x, const EventSpec *spec, FilterChoice choice);

typedef enum FilterSwitch {
        SWITCH_FOLLOW,
        SWITCH_BORN_AFTER_LOAD,
        SWITCH_NOT_BORN_AFTER_LOAD,
        SWITCH_CGROUP_AFTER_LOAD,
        SWITCH_NOT_CGROUP_AFTER_LOAD,
        _SWITCH_MAX,
} FilterSwitch;
int filter_run_switch(FilterRun *x, FilterSwitch what);
/* container, container=true, !container: both at once means either. */
int filter_run_container(FilterRun *x, bool inside);

/* filter-events.c */
int filter_apply_event(FilterRun *x);
int filter_apply_set(FilterRun *x);
/* A name, a wildcard or (when `sets_too`) a set. */
int filter_choose_word(FilterRun *x, const char *word, size_t offset, bool negative, bool sets_too,
                       const EventSpec **ret);
int filter_choose_set(FilterRun *x, int set, FilterChoice choice);
/* EVENT of EVENT.args.NAME: NULL after a problem. */
int filter_find_event(FilterRun *x, const char *name, size_t offset, const EventSpec **ret);

/* Strings with wildcards (filter-kind.c); `noun` begins a sentence. */
int filter_add_strings(FilterRun *x, const void *id, uint16_t field, size_t max, const char *noun);
int filter_add_list(FilterRun *x, const void *id, uint16_t field);     /* of strings: one that matches is enough */
#define FILTER_TEXT_MAX (SCT_STR_MAX - 1)      /* bytes of a string without NUL */

/* filter-address.c */
int filter_add_addresses(FilterRun *x, const EventArgSpec *arg, uint16_t field);
int filter_add_inet(FilterRun *x, const EventArgSpec *arg, uint16_t field);
int filter_add_times(FilterRun *x, const EventArgSpec *arg, uint16_t field);

/* filter-arg.c */
int filter_apply_arg(FilterRun *x);
int filter_apply_retval(FilterRun *x);
