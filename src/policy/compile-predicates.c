/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Conditions → predicates (the model stands at the top of bpf/abi/plan.h).
 *
 * A condition becomes one or two parts; a part is what one predicate can answer: pos | (has_neg & ~neg). "x > 5 but not
 * 7" takes two, (pos of > 5) AND (none of 7). All parts of a plan on the same field make one predicate a bank; a
 * rule's second part on that field goes to a second predicate, a *layer*, because predicates are ANDed and their entries
 * are not.
 *
 * Invariant: a rule stands in `keep` of every predicate of its bank in which it has no part. */

#include "../basic/macro.h"
#include "compile-lineage.h"

#define RANGES_MAX ((1U << 18) - 1)    /* boundaries of one predicate: the kernel side halves them 18 times */

enum {
        TAKE_EQ = 1 << 0,              /* single wanted values */
        TAKE_RANGE = 1 << 1,           /* wanted ranges */
        TAKE_NE = 1 << 2,              /* everything that is excluded */
};

struct Part {
        bool exit, is_signed;
        uint8_t cost, take;
        uint16_t field, or_field, rule, layer;
        uint32_t order;
        const Condition *condition;
};

typedef struct ClassRow {
        uint8_t class;                 /* enum sct_pred_class */
        uint8_t cost;                  /* cheap ones first: they may leave no rule */
        unsigned (*split)(const Condition *o, uint8_t takes[static 2]);
        int (*fill)(Compiler *c, const Part *p, unsigned bit, Table *main, Table *second);
} ClassRow;

static const ClassRow *class_row(const Condition *o);

static size_t count_ranges(const Condition *o, bool negative) {
        size_t n = 0;

        for (size_t i = 0; i < o->n_ranges; i++)
                n += o->ranges[i].negative == negative;
        return n;
}

/* eq OR (a range AND none of ne). */
static unsigned split_number(const Condition *o, uint8_t takes[static 2]) {
        bool range = count_ranges(o, false) > 0, ne = o->n_ne > 0 || count_ranges(o, true) > 0;

        takes[0] = TAKE_EQ | TAKE_RANGE;
        takes[1] = TAKE_EQ | TAKE_NE;
        if (range && ne)
                return 2;

        if (!range && o->n_eq == 0)
                takes[0] = TAKE_NE;
        return 1;
}

static int fill_number(Compiler *c, const Part *p, unsigned bit, Table *main, Table *second) {
        const Condition *o = p->condition;
        uint64_t bias = o->is_signed ? SCT_BIAS(0) : 0;
        int r;

        for (size_t i = 0; (p->take & TAKE_EQ) && i < o->n_eq; i++) {
                r = table_add_number(main, o->eq[i] ^ bias, bit, false);
                if (r >= 0 && o->or_field)
                        r = table_add_number(second, o->eq[i] ^ bias, bit, false);
                if (r < 0)
                        return r;
        }
        for (size_t i = 0; (p->take & TAKE_NE) && i < o->n_ne; i++) {
                r = table_add_number(main, o->ne[i] ^ bias, bit, true);
                if (r >= 0 && o->or_field)
                        r = table_add_number(second, o->ne[i] ^ bias, bit, true);
                if (r < 0)
                        return r;
        }
        for (size_t i = 0; i < o->n_ranges; i++) {
                const NumberRange *n = o->ranges + i;

                if (!(p->take & (n->negative ? TAKE_NE : TAKE_RANGE)))
                        continue;
                r = table_add_span(main, n->low ^ bias, n->high ^ bias, bit, n->negative);
                /* pid>100 speaks of the process alone, an element of a pair is one like the other. */
                if (r >= 0 && SCT_FIELD_IS_ARG(o->or_field))
                        r = table_add_span(second, n->low ^ bias, n->high ^ bias, bit, n->negative);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* A wanted value wins over an excluded one: one part says it all. */
static unsigned split_masks(const Condition *o, uint8_t takes[static 2]) {
        takes[0] = TAKE_EQ;
        for (size_t i = 0; i < o->n_masks; i++)
                if (o->masks[i].negative)
                        takes[0] |= TAKE_NE;
        return 1;
}

static int fill_masks(Compiler *c, const Part *p, unsigned bit, Table *main, Table *second) {
        for (size_t i = 0; i < p->condition->n_masks; i++) {
                const MaskItem *m = p->condition->masks + i;
                int r;

                r = table_add_list(main, m->and, m->cmp, m->nonzero, bit, m->negative);
                if (r < 0)
                        return r;
        }
        return 0;
}

static unsigned split_strings(const Condition *o, uint8_t takes[static 2]) {
        takes[0] = TAKE_EQ;
        for (size_t i = 0; i < o->n_patterns; i++)
                if (o->patterns[i].negative)
                        takes[0] |= TAKE_NE;
        return 1;
}

/* The text as the tables hold it: behind its mount namespace's number, suffixes backwards. */
static const char *string_lower(Compiler *c, const Pattern *t, size_t *ret_size) {
        char *text;

        *ret_size = t->size + (t->has_mnt_ns ? sizeof(uint64_t) : 0);
        if (!t->has_mnt_ns && t->kind != PATTERN_SUFFIX)
                return t->text; /* the plan holds the policy */

        text = table_set_alloc(&c->tables, *ret_size);
        if (!text)
                return NULL;

        if (t->has_mnt_ns) {
                uint64_t ns = t->mnt_ns;

                memcpy(text, &ns, sizeof(ns));
                memcpy(text + sizeof(ns), t->text, t->size);
        } else
                for (size_t i = 0; i < t->size; i++)
                        text[i] = t->text[t->size - 1 - i];
        return text;
}

static int fill_strings(Compiler *c, const Part *p, unsigned bit, Table *main, Table *second) {
        for (size_t i = 0; i < p->condition->n_patterns; i++) {
                const Pattern *t = p->condition->patterns + i;
                const char *text;
                size_t size;
                int r;

                text = string_lower(c, t, &size);
                if (!text)
                        return -ENOMEM;
                r = table_add_string(t->has_mnt_ns ? second : main, t->kind, text, size, bit, t->negative);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* Cgroups and process trees hold others, so what is excluded lies inside what is wanted ("cgroup=/a cgroup!=/a/b"): any
 * of the wanted AND none of the excluded. The same thing both wanted and excluded is wanted, as with numbers. */
static unsigned split_wanted_excluded(bool wanted, bool excluded, uint8_t takes[static 2]) {
        takes[0] = wanted || !excluded ? TAKE_EQ : TAKE_NE;
        takes[1] = TAKE_NE;
        return wanted && excluded ? 2 : 1;
}

static unsigned split_cgroup(const Condition *o, uint8_t takes[static 2]) {
        size_t n_negative = 0;

        for (size_t i = 0; i < o->n_patterns; i++)
                n_negative += o->patterns[i].negative;
        return split_wanted_excluded(n_negative < o->n_patterns, n_negative > 0, takes);
}

static int fill_cgroup(Compiler *c, const Part *p, unsigned bit, Table *main, Table *second) {
        uint64_t wanted[SCT_CGROUP_PATTERNS_MAX / 64] = {}, excluded[SCT_CGROUP_PATTERNS_MAX / 64] = {};

        for (size_t i = 0; i < p->condition->n_patterns; i++) {
                const Pattern *t = p->condition->patterns + i;
                int n = compiler_pattern(c, t->cgroup_kind, t->text, t->size);

                assert(n >= 0);
                (t->negative ? excluded : wanted)[n / 64] |= UINT64_C(1) << (n % 64);
        }
        for (unsigned n = 0; n < SCT_CGROUP_PATTERNS_MAX; n++) {
                bool w = wanted[n / 64] >> (n % 64) & 1, x = excluded[n / 64] >> (n % 64) & 1;
                int r;

                if (!(p->take == TAKE_EQ ? w : x && !w))
                        continue;
                r = table_add_list(main, 0, n, false, bit, p->take == TAKE_NE);
                if (r < 0)
                        return r;
        }
        return 0;
}

static unsigned split_tree(const Condition *o, uint8_t takes[static 2]) {
        return split_wanted_excluded(o->n_eq > 0, o->n_ne > 0, takes);
}

static int fill_tree(Compiler *c, const Part *p, unsigned bit, Table *main, Table *second) {
        const Condition *o = p->condition;
        uint64_t wanted = 0, excluded = 0, bits;

        for (size_t i = 0; i < o->n_eq; i++)
                wanted |= UINT64_C(1) << compiler_tree_root(c, o->eq[i]);
        for (size_t i = 0; i < o->n_ne; i++)
                excluded |= UINT64_C(1) << compiler_tree_root(c, o->ne[i]);

        bits = p->take == TAKE_EQ ? wanted : excluded & ~wanted;
        for (unsigned n = 0; n < 64; n++) {
                int r;

                if (!(bits >> n & 1))
                        continue;
                r = table_add_list(main, 0, n, false, bit, p->take == TAKE_NE);
                if (r < 0)
                        return r;
        }
        return 0;
}

static unsigned split_kin(const Condition *o, uint8_t takes[static 2]) {
        size_t n_wanted = o->n_eq, n_excluded = o->n_ne;

        for (size_t i = 0; i < o->n_patterns; i++)
                if (o->patterns[i].negative)
                        n_excluded++;
                else
                        n_wanted++;
        return split_wanted_excluded(n_wanted > 0, n_excluded > 0, takes);
}

static int fill_kin(Compiler *c, const Part *p, unsigned bit, Table *main, Table *second) {
        bool negative = p->take == TAKE_NE;

        return table_add_list(main, 0, compile_kin_set(c, p->condition, negative), false, bit, negative);
}

static unsigned split_present(const Condition *o, uint8_t takes[static 2]) {
        takes[0] = TAKE_EQ;
        return 1;
}

static int fill_present(Compiler *c, const Part *p, unsigned bit, Table *main, Table *second) {
        return 0; /* the field being there is the whole answer */
}

/* ---- Parts ---- */

static bool needs_exit(const EventSpec *spec, uint16_t field) {
        if (!spec)
                return false;
        if (field == SCT_FIELD_RETVAL)
                return true;
        return SCT_FIELD_IS_ARG(field) && (spec->args[SCT_FIELD_ARG_INDEX(field)].flags & SCT_ARG_PLAN_EXIT);
}

static int add_parts(Compiler *c, const EventSpec *spec, const RuleConditions *rule) {
        for (size_t i = 0; i < rule->n; i++) {
                const Condition *o = rule->conditions + i;
                const ClassRow *row = class_row(o);
                uint8_t takes[2];
                unsigned n = row->split(o, takes);

                if (!GREEDY_REALLOC(c->parts, c->n_parts_allocated, c->n_parts + n))
                        return -ENOMEM;
                for (unsigned k = 0; k < n; k++) {
                        c->parts[c->n_parts] = (Part) {
                                .exit = needs_exit(spec, o->field),
                                .is_signed = o->class == CONDITION_NUMBER && o->is_signed,
                                .cost = row->cost,
                                .take = takes[k],
                                .field = o->field,
                                .or_field = o->class == CONDITION_NUMBER ? o->or_field : SCT_FIELD_NONE,
                                .rule = rule->rule,
                                .order = c->n_parts,
                                .condition = o,
                        };
                        c->n_parts++;
                }
        }
        return 0;
}

/* Parts that can share a predicate compare as equal. */
static int field_compare(const Part *x, const Part *y) {
        if (x->exit != y->exit)
                return x->exit - y->exit;
        if (x->cost != y->cost)
                return x->cost - y->cost;
        if (x->field != y->field)
                return x->field - y->field;
        if (x->or_field != y->or_field)
                return x->or_field - y->or_field;
        return x->is_signed - y->is_signed;
}

static int rule_part_compare(const void *a, const void *b) {
        const Part *x = a, *y = b;
        int r = field_compare(x, y);

        if (r == 0)
                r = x->rule - y->rule;
        return r != 0 ? r : (x->order > y->order) - (x->order < y->order);
}

static int predicate_compare(const Part *x, const Part *y) {
        int r = field_compare(x, y);

        if (r == 0)
                r = x->layer - y->layer;
        return r != 0 ? r : x->rule / 64 - y->rule / 64;
}

static int layer_part_compare(const void *a, const void *b) {
        const Part *x = a, *y = b;
        int r = predicate_compare(x, y);

        return r != 0 ? r : x->rule - y->rule;
}

static void assign_layers(Compiler *c) {
        if (c->n_parts == 0)
                return;

        qsort(c->parts, c->n_parts, sizeof(c->parts[0]), rule_part_compare);
        for (size_t i = 1; i < c->n_parts; i++) {
                Part *p = c->parts + i;

                if (field_compare(p - 1, p) == 0 && p[-1].rule == p->rule)
                        p->layer = p[-1].layer + 1;
        }
        qsort(c->parts, c->n_parts, sizeof(c->parts[0]), layer_part_compare);
}

/* ---- Predicates ---- */

static int limit_reached(Compiler *c, CompilerLimit limit) {
        c->limit = limit;
        return -E2BIG;
}

static int add_predicate(Compiler *c, const struct sct_pred *model, Table *table) {
        _cleanup_(table_freep) Table *own = table;
        const Table *t;
        Plan *p = c->plan;
        int r;

        if (p->n_preds >= SCT_PREDS_MAX)
                return limit_reached(c, LIMIT_PREDICATES);
        if (!GREEDY_REALLOC(p->preds, p->n_preds_allocated, p->n_preds + 1))
                return -ENOMEM;

        r = table_set_place(&c->tables, TAKE_PTR(own), &t);
        if (r == -E2BIG)
                return limit_reached(c, LIMIT_AUTOMATA);
        if (r < 0)
                return r;
        if (t->n_ranges > RANGES_MAX)
                return limit_reached(c, LIMIT_RANGES);
        if (t->n_lists > SCT_CGROUP_PATTERNS_MAX)
                return limit_reached(c, LIMIT_MASKS);

        p->preds[p->n_preds] = *model;
        p->preds[p->n_preds].flags |= t->flags;
        p->preds[p->n_preds].slot = t->slot;
        p->preds[p->n_preds].first = t->first;
        p->preds[p->n_preds].count = t->count;
        p->preds[p->n_preds].dfa_first = t->dfa_first;
        p->n_preds++;
        return 0;
}

/* One predicate, and the one it is chained to when a second field counts too. */
static int emit_parts(Compiler *c, const struct sct_plan *plan, const Part *parts, size_t n) {
        _cleanup_(table_freep) Table *main = NULL, *second = NULL;
        const ClassRow *row = class_row(parts->condition);
        uint64_t asked = 0, has_neg = 0;
        struct sct_pred model;
        int r;

        main = new0(Table, 1);
        second = new0(Table, 1);
        if (!main || !second)
                return -ENOMEM;

        for (size_t i = 0; i < n; i++) {
                unsigned bit = parts[i].rule % 64;

                asked |= UINT64_C(1) << bit;
                if (parts[i].take & TAKE_NE)
                        has_neg |= UINT64_C(1) << bit;
                r = row->fill(c, parts + i, bit, main, second);
                if (r < 0)
                        return r;
        }

        model = (struct sct_pred) {
                .field = parts->field,
                .class = row->class,
                .bank = parts->rule / 64,
                .flags = (parts->is_signed ? SCT_PRED_SIGNED : 0) | (parts->exit ? SCT_PRED_EXIT : 0),
                .keep = plan->wants[parts->rule / 64] & ~asked,
                .has_neg = has_neg,
        };
        if (table_is_empty(second))
                return add_predicate(c, &model, TAKE_PTR(main));

        if (!table_is_empty(main)) {
                model.flags |= SCT_PRED_MORE;
                r = add_predicate(c, &model, TAKE_PTR(main));
                if (r < 0)
                        return r;
                model.flags &= ~SCT_PRED_MORE;
        }
        model.field = parts->or_field ?: SCT_FIELD_NS_EXE;
        return add_predicate(c, &model, TAKE_PTR(second));
}

/* Fifty events with the same conditions on the task's context have the same predicates: one run of them is enough. */
static void share_predicates(Plan *p, struct sct_plan *plan) {
        for (const struct sct_plan *other = p->plans; other < plan; other++)
                if (other->n_preds == plan->n_preds && other->n_preds_entry == plan->n_preds_entry &&
                    memcmp(p->preds + other->pred_first, p->preds + plan->pred_first,
                           plan->n_preds * sizeof(p->preds[0])) == 0) {
                        plan->pred_first = other->pred_first;
                        p->n_preds -= plan->n_preds;
                        return;
                }
}

int compile_predicates(Compiler *c, struct sct_plan *plan, const EventSpec *spec, const RuleConditions *rules,
                       size_t n) {
        size_t end;
        int r;

        assert(c);
        assert(plan);

        c->n_parts = 0;
        for (size_t i = 0; i < n; i++) {
                r = add_parts(c, spec, rules + i);
                if (r < 0)
                        return r;
        }
        assign_layers(c);

        plan->pred_first = c->plan->n_preds;
        for (size_t i = 0; i < c->n_parts; i = end) {
                for (end = i + 1; end < c->n_parts; end++)
                        if (predicate_compare(c->parts + i, c->parts + end) != 0)
                                break;

                r = emit_parts(c, plan, c->parts + i, end - i);
                if (r < 0)
                        return r;
                plan->n_preds = c->plan->n_preds - plan->pred_first;
                if (!c->parts[i].exit)
                        plan->n_preds_entry = plan->n_preds;
        }
        if (plan->n_preds > 0)
                share_predicates(c->plan, plan);
        return 0;
}

static const ClassRow class_table[] = {
        [CONDITION_NUMBER]  = { SCT_CLASS_NUMBER,  1, split_number,  fill_number  },
        [CONDITION_MASK]    = { SCT_CLASS_MASK,    2, split_masks,   fill_masks   },
        [CONDITION_STRING]  = { SCT_CLASS_STRING,  4, split_strings, fill_strings },
        [CONDITION_CGROUP]  = { SCT_CLASS_BITS,    3, split_cgroup,  fill_cgroup  },
        [CONDITION_TREE]    = { SCT_CLASS_BITS,    3, split_tree,    fill_tree    },
        [CONDITION_PRESENT] = { SCT_CLASS_PRESENT, 0, split_present, fill_present },
};

/* Whatever the class of what the ancestors are asked, the rules ask a bit. */
static const ClassRow kin_row = { SCT_CLASS_BITS, 3, split_kin, fill_kin };

static const ClassRow *class_row(const Condition *o) {
        return compile_is_of_kin(o) ? &kin_row : class_table + o->class;
}
