/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The filter language of ScopePolicy, Tracee's policies and the command line: expressions of one AND-group are added
 * one by one and become one PolicyRule. Kinds and operators: bpf/abi/filter-kinds.def; grammar: filter-expression.h.
 *
 * Different filters: all must hold. The same filter again, or a list with commas: merged as policy.h says at Condition.
 * event= and set= add up; event!= and set!= take away from wildcards and sets, never what event= names in full. A
 * filter on an event (EVENT.args.NAME=...) selects that event when neither event= nor set= is given. Without any
 * of these: the set `default`.
 *
 * context.timestamp is compared with the wall clock in the policy and with CLOCK_BOOTTIME in the Condition: the
 * conversion happens when the expression is read. binary=host: is resolved then, too. */

#include "policy.h"

typedef struct FilterSet FilterSet;

/* Where an expression stands. `offset` bytes into it are added to the column when `exact`. */
typedef struct FilterPlace {
        const char *key;           /* spec.filters[2] */
        unsigned line, column;
        bool exact;
} FilterPlace;

/* Receives a problem; the column is already that of the offending byte. Returns a negative errno for lack of memory. */
typedef int (*FilterReport)(void *userdata, ProblemSeverity severity, const char *key, unsigned line, unsigned column,
                            const char *message);

/* `report` NULL: problems are only counted. NULL: lack of memory. */
FilterSet *filter_set_new(FilterReport report, void *userdata);
FilterSet *filter_set_free(FilterSet *s);
void filter_set_set_report(FilterSet *s, FilterReport report, void *userdata);
static inline void filter_set_freep(FilterSet **s) {
        filter_set_free(*s);
}

/* All return 0, with problems reported, or -ENOMEM. */
int filter_set_add(FilterSet *s, const FilterPlace *place, const char *expression);
/* Selects events: a name, a wildcard or a set. Sets *ret to the event when it is one alone (may be NULL). */
int filter_set_add_event(FilterSet *s, const FilterPlace *place, const char *name, const EventSpec **ret);
/* A filter of one event, without its name: args.pathname=/x, retval=0, scope.uid=0, uid=0. */
int filter_set_add_for_event(FilterSet *s, const FilterPlace *place, const EventSpec *spec, const char *expression);

/* 1 with *ret filled (policy_rule_done()), 0 when there were problems, -ENOMEM. The set is used up. `place`: of the
 * whole list, for problems that are of no single expression. */
int filter_set_finish(FilterSet *s, const FilterPlace *place, PolicyRule *ret);
