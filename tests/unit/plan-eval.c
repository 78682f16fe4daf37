/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Invariant: reads what the kernel side reads and nothing else: no Policy, no Condition, no text of an expression. */

#include "plan-eval.h"

#include "basic/macro.h"

static void answer_add(struct sct_mask *a, const struct sct_mask *m) {
        a->pos |= m->pos;
        a->neg |= m->neg;
}

static void eval_number(const Plan *p, const struct sct_pred *q, uint64_t value, struct sct_mask *a) {
        if (q->flags & SCT_PRED_SIGNED)
                value = SCT_BIAS(value);

        if (q->flags & SCT_PRED_EQ)
                for (size_t i = 0; i < p->n_numbers; i++)
                        if (p->numbers[i].key.slot == q->slot && p->numbers[i].key.value == value)
                                answer_add(a, &p->numbers[i].mask);

        if (q->flags & SCT_PRED_RANGE) {
                const struct sct_range *last = NULL;

                for (uint32_t i = 0; i < q->count && p->ranges[q->first + i].low <= value; i++)
                        last = p->ranges + q->first + i;
                if (last)
                        answer_add(a, &last->mask);
        }
}

static void eval_mask(const Plan *p, const struct sct_pred *q, uint64_t value, struct sct_mask *a) {
        for (uint32_t i = 0; i < q->count; i++) {
                const struct sct_list_item *item = p->lists + q->first + i;

                if (item->nonzero ? (value & item->and) != 0 : (value & item->and) == item->cmp)
                        answer_add(a, &item->mask);
        }
}

static void eval_bits(const Plan *p, const struct sct_pred *q, const uint64_t *bits, size_t n, struct sct_mask *a) {
        for (uint32_t i = 0; i < q->count; i++) {
                const struct sct_list_item *item = p->lists + q->first + i;

                if (item->cmp < n * 64 && (bits[item->cmp / 64] >> (item->cmp % 64) & 1))
                        answer_add(a, &item->mask);
        }
}

/* A trie: the longest entry that begins the key answers alone. */
static void eval_affix(const PlanString *entries, size_t n, uint32_t slot, const char *key, size_t size,
                       struct sct_mask *a) {
        const PlanString *longest = NULL;

        for (size_t i = 0; i < n; i++)
                if (entries[i].slot == slot && entries[i].size <= MIN(size, (size_t) SCT_AFFIX_MAX) &&
                    memcmp(entries[i].text, key, entries[i].size) == 0 && (!longest || longest->size < entries[i].size))
                        longest = entries + i;
        if (longest)
                answer_add(a, &longest->mask);
}

static void eval_string(const Plan *p, const struct sct_pred *q, const char *s, size_t size, struct sct_mask *a) {
        if (q->flags & SCT_PRED_EQ)
                for (size_t i = 0; i < p->n_equal; i++)
                        if (p->equal[i].slot == q->slot && p->equal[i].size == size &&
                            memcmp(p->equal[i].text, s, size) == 0)
                                answer_add(a, &p->equal[i].mask);

        if (q->flags & SCT_PRED_PREFIX)
                eval_affix(p->prefixes, p->n_prefixes, q->slot, s, size, a);

        if (q->flags & SCT_PRED_SUFFIX) {
                char reversed[SCT_AFFIX_MAX];
                size_t n = MIN(size, sizeof(reversed));

                for (size_t i = 0; i < n; i++)
                        reversed[i] = s[size - 1 - i];
                eval_affix(p->suffixes, p->n_suffixes, q->slot, reversed, n, a);
        }

        if (q->flags & SCT_PRED_SUBSTRING) {
                uint32_t row = 0;

                for (size_t i = 0; i < size; i++) {
                        uint32_t next = p->dfa[q->dfa_first + (row << 8 | (uint8_t) s[i])];

                        row = next & SCT_DFA_ROW;
                        if (next & SCT_DFA_HIT)
                                answer_add(a, p->dfa_masks + (q->dfa_first >> 8) + row);
                }
        }
}

/* Returns whether the field is there. */
static bool eval_field(const Plan *p, const struct sct_pred *q, const EvalInput *in, struct sct_mask *a) {
        const EvalField *f = in->fields + q->field;
        char key[SCT_STR_MAX + 8];

        if (q->class == SCT_CLASS_BITS) {
                if (q->field == SCT_FIELD_CGROUP)
                        eval_bits(p, q, in->cgroup, ELEMENTSOF(in->cgroup), a);
                else if (IN_SET(q->field, SCT_FIELD_EXE_TREE, SCT_FIELD_NS_TREE))
                        eval_bits(p, q, in->kin, ELEMENTSOF(in->kin), a);
                else
                        eval_bits(p, q, q->field == SCT_FIELD_TREE ? &in->tree : &in->follow, 1, a);
                return true;
        }

        if (q->field == SCT_FIELD_NS_EXE) {
                uint64_t ns = in->fields[SCT_FIELD_MNT_NS].number;

                f = in->fields + SCT_FIELD_EXE;
                if (!f->present)
                        return false;
                memcpy(key, &ns, 8);
                memcpy(key + 8, f->text, f->size);
                eval_string(p, q, key, f->size + 8, a);
                return true;
        }

        if (!f->present)
                return false;
        if (q->class == SCT_CLASS_STRING)
                eval_string(p, q, f->text, f->size, a);
        else if (q->class == SCT_CLASS_MASK)
                eval_mask(p, q, f->number, a);
        else if (q->class == SCT_CLASS_NUMBER)
                eval_number(p, q, f->number, a);
        else if (q->class == SCT_CLASS_PRESENT)
                a->pos = UINT64_MAX;
        return true;
}

void eval_predicates(const Plan *p, const struct sct_plan *plan, const EvalInput *in, uint64_t active[SCT_BANKS_MAX]) {
        struct sct_mask a = {};
        bool present = false;

        for (uint32_t i = 0; i < plan->n_preds; i++) {
                const struct sct_pred *q = p->preds + plan->pred_first + i;

                if (active[q->bank] & ~q->keep)
                        present = eval_field(p, q, in, &a) || present;
                if (q->flags & SCT_PRED_MORE)
                        continue;
                active[q->bank] &= (present ? a.pos | (q->has_neg & ~a.neg) : 0) | q->keep;
                a = (struct sct_mask) {};
                present = false;
        }
}

void eval_kin(const Plan *p, const EvalInput *in, uint64_t kin[SCT_KIN_WORDS]) {
        for (uint32_t i = 0; i < p->config.n_kin_preds; i++) {
                const struct sct_pred *q = p->preds + p->config.kin_first + i;
                struct sct_mask a = {};

                (void) eval_field(p, q, in, &a);
                kin[q->bank] |= a.pos;
        }
}

void eval_event(const Plan *p, const struct sct_plan *plan, const EvalInput *in, uint64_t ret[SCT_BANKS_MAX]) {
        memcpy(ret, p->config.all, sizeof(p->config.all));
        eval_predicates(p, p->plans + SCT_PLAN_SUBJECT, in, ret);

        for (size_t i = 0; i < p->n_rules; i++) {
                uint8_t slot = p->config.follow_slot[i];

                if ((p->config.follow[i / 64] >> (i % 64) & 1) && slot < 64 && (in->follow >> slot & 1))
                        ret[i / 64] |= UINT64_C(1) << (i % 64);
        }

        for (size_t i = 0; i < SCT_BANKS_MAX; i++)
                ret[i] &= plan->wants[i];
        eval_predicates(p, plan, in, ret);
}

static const char *check_predicate(const Plan *p, const struct sct_plan *plan, uint32_t i) {
        const struct sct_pred *q = p->preds + plan->pred_first + i;
        bool list = q->class == SCT_CLASS_MASK || q->class == SCT_CLASS_BITS;

        if (plan->pred_first + i >= p->n_preds || q->bank >= p->config.n_banks)
                return "a predicate stands outside";
        if (q->bank < plan->bank_first || q->bank >= plan->bank_first + plan->n_banks)
                return "a predicate of a bank that does not want the event";
        if (!!(q->flags & SCT_PRED_EXIT) != (i >= plan->n_preds_entry))
                return "entry and exit predicates are mixed up";
        if ((q->keep | q->has_neg) & ~plan->wants[q->bank])
                return "a predicate names rules that do not want the event";
        if (q->keep & q->has_neg)
                return "a rule is kept and judged";
        if (q->keep == plan->wants[q->bank])
                return "a predicate that no rule asks";
        if ((q->flags & SCT_PRED_MORE) &&
            (i + 1 == plan->n_preds || q[1].bank != q->bank || q[1].keep != q->keep || q[1].has_neg != q->has_neg))
                return "a chain is broken";
        if ((q->flags & SCT_PRED_RANGE) && q->first + q->count > p->n_ranges)
                return "boundaries stand outside";
        if (list && q->first + q->count > p->n_lists)
                return "list items stand outside";
        if ((q->flags & SCT_PRED_RANGE) && p->ranges[q->first].low != 0)
                return "the first boundary is not 0";
        for (uint32_t k = 1; (q->flags & SCT_PRED_RANGE) && k < q->count; k++)
                if (p->ranges[q->first + k].low <= p->ranges[q->first + k - 1].low)
                        return "boundaries are not ascending";
        return NULL;
}

static const char *check_strings(const PlanString *s, size_t n, size_t max) {
        for (size_t i = 0; i < n; i++) {
                if (s[i].size > max)
                        return "a string is too long for its table";
                if (i > 0 && s[i].slot == s[i - 1].slot && s[i].size == s[i - 1].size &&
                    memcmp(s[i].text, s[i - 1].text, s[i].size) == 0)
                        return "a string stands there twice";
        }
        return NULL;
}

const char *eval_check_plan(const Plan *p) {
        const char *wrong;

        if (p->n_dfa != p->n_dfa_masks * 256)
                return "the automaton's masks do not fit its rows";
        for (size_t i = 0; i < p->n_plans; i++) {
                const struct sct_plan *plan = p->plans + i;

                for (size_t b = 0; b < SCT_BANKS_MAX; b++)
                        if (plan->wants[b] & ~p->config.all[b])
                                return "wanted by rules that do not exist";
                        else if (plan->wants[b] &&
                                 (b < plan->bank_first || b >= (size_t) plan->bank_first + plan->n_banks))
                                return "wanted outside of its banks";
                if (plan->n_preds_entry > plan->n_preds)
                        return "more entry predicates than predicates";
                for (uint32_t k = 0; k < plan->n_preds; k++) {
                        wrong = check_predicate(p, plan, k);
                        if (wrong)
                                return wrong;
                }
        }
        for (size_t i = 1; i < p->n_numbers; i++)
                if (p->numbers[i].key.slot == p->numbers[i - 1].key.slot &&
                    p->numbers[i].key.value == p->numbers[i - 1].key.value)
                        return "a number stands there twice";
        wrong = check_strings(p->equal, p->n_equal, SCT_STR_CLASS_3);
        wrong = wrong ?: check_strings(p->prefixes, p->n_prefixes, SCT_AFFIX_MAX);
        return wrong ?: check_strings(p->suffixes, p->n_suffixes, SCT_AFFIX_MAX);
}
