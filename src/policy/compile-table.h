/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What one predicate looks up, while it is being made. The compiler adds entries rule by rule; table_set_place() sorts
 * them, merges what several rules share, and writes the result into the Plan, or finds that an equal table stands there
 * already. Private to the compiler. */

#include "plan.h"

#define DFA_ENTRIES_MAX (4U * 1024U * 1024U)    /* all automata of a generation: 16 MiB */

typedef struct NumberItem {
        uint64_t value;
        struct sct_mask mask;
} NumberItem;

typedef struct RangeItem {
        uint64_t low, high;           /* inclusive, as unsigned */
        uint8_t bit;
        bool negative;
} RangeItem;

typedef struct StringItem {
        const char *text;             /* of a policy, or of the plan's pool */
        uint32_t size;
        struct sct_mask mask;
} StringItem;

typedef struct StringItems {
        StringItem *items;
        size_t n, n_allocated;
} StringItems;

typedef struct Table {
        NumberItem *numbers;
        size_t n_numbers, n_numbers_allocated;
        RangeItem *spans;                       /* as added */
        size_t n_spans, n_spans_allocated;
        struct sct_range *ranges;               /* made of them */
        size_t n_ranges, n_ranges_allocated;
        struct sct_list_item *lists;
        size_t n_lists, n_lists_allocated;
        StringItems strings[PATTERN_SUBSTRING + 1];   /* by PatternKind; suffixes are reversed */

        /* Where it stands in the plan. */
        uint32_t flags;                         /* SCT_PRED_EQ, _RANGE, _PREFIX, _SUFFIX, _SUBSTRING */
        uint32_t slot, first, count, dfa_first;

        uint64_t hash;
        struct Table *next;
} Table;

Table *table_free(Table *t);
static inline void table_freep(Table **t) {
        table_free(*t);
}

bool table_is_empty(const Table *t);
int table_add_number(Table *t, uint64_t value, unsigned bit, bool negative);
int table_add_span(Table *t, uint64_t low, uint64_t high, unsigned bit, bool negative);
int table_add_list(Table *t, uint64_t and, uint64_t cmp, bool nonzero, unsigned bit, bool negative);
/* `text` must outlive the plan, whatever the kind; suffixes come reversed. */
int table_add_string(Table *t, PatternKind kind, const char *text, size_t size, unsigned bit, bool negative);

#define TABLE_BUCKETS 1024

typedef struct TableSet {
        Plan *plan;
        Table *buckets[TABLE_BUCKETS];
        uint32_t n_slots;
        char *pool_next;                        /* free end of the plan's newest pool block */
        size_t pool_left;
} TableSet;

void table_set_done(TableSet *s);
/* Room for a text in the plan's pool. NULL: out of memory. */
char *table_set_alloc(TableSet *s, size_t size);
/* Takes the table, also on failure. -E2BIG: the automata would pass DFA_ENTRIES_MAX. */
int table_set_place(TableSet *s, Table *t, const Table **ret);

/* compile-string.c */
void strings_sort(StringItems *s);                          /* and merge equal ones */
int strings_merge_affixes(StringItems *s);                  /* sorted: a longer one gets the masks of its prefixes */
int strings_add_automaton(Plan *plan, const StringItems *s, uint32_t *ret_first);
