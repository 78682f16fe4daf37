/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Kin sets: conditions on a task and its ancestors (plan.h, "Kin sets").
 *
 * The wanted values of a condition are one set, the excluded ones another. Sets with the same values are one set,
 * whichever rules ask it. Invariant: a set's id depends on its values alone, so that a task's bit outlives a change of
 * the policies around it.
 *
 * Where bits come from is the kernel side's business (bpf/lib/lineage.bpf.h); how rules ask them stands in
 * compile-predicates.c. */

#include "../basic/macro.h"
#include "compile-lineage.h"

bool compile_is_of_kin(const Condition *o) {
        return IN_SET(o->field, SCT_FIELD_EXE_TREE, SCT_FIELD_NS_TREE);
}

bool compile_asks_origin(const Condition *o) {
        return IN_SET(o->field, SCT_FIELD_NS_CHANGED, SCT_FIELD_CAPS_EFFECTIVE_CHANGED,
                      SCT_FIELD_CAPS_PERMITTED_CHANGED, SCT_FIELD_CAPS_INHERITABLE_CHANGED);
}

bool compile_is_of_moment(const Condition *o) {
        return compile_asks_origin(o) || IN_SET(o->field, SCT_FIELD_USER_NS, SCT_FIELD_CAPS_EFFECTIVE,
                                                SCT_FIELD_CAPS_PERMITTED, SCT_FIELD_CAPS_INHERITABLE,
                                                SCT_FIELD_PARENT_EXE, SCT_FIELD_INTERFACE);
}

static uint64_t mix(uint64_t h) {
        h = (h ^ h >> 32) * UINT64_C(0xd6e8feb86659fd93);
        h = (h ^ h >> 32) * UINT64_C(0xd6e8feb86659fd93);
        return h ^ h >> 32;
}

static uint64_t pattern_id(const Pattern *t) {
        uint64_t h = UINT64_C(0xcbf29ce484222325) ^ t->kind;

        for (size_t i = 0; i < t->size; i++)
                h = (h ^ (uint8_t) t->text[i]) * UINT64_C(0x100000001b3);
        if (t->has_mnt_ns)
                h = mix(h) ^ t->mnt_ns;
        return mix(h);
}

/* Of the values of one side; their order does not matter. 0: there are none. */
static uint64_t set_id(const Condition *o, bool negative) {
        const uint64_t *numbers = negative ? o->ne : o->eq;
        size_t n = negative ? o->n_ne : o->n_eq;
        uint64_t id = 0, count = n;

        for (size_t i = 0; i < n; i++)
                id += mix(numbers[i] + 1);
        for (size_t i = 0; i < o->n_patterns; i++)
                if (o->patterns[i].negative == negative) {
                        id += pattern_id(o->patterns + i);
                        count++;
                }
        if (count == 0)
                return 0;
        return mix(id ^ (uint64_t) o->field << 32 ^ count) | 1;
}

static int find_set(const Compiler *c, uint64_t id) {
        for (uint32_t i = 0; i < c->plan->config.n_kin; i++)
                if (c->plan->config.kin_id[i] == id)
                        return i;
        return -ENOENT;
}

int compile_admit_kin(Compiler *c, const Condition *o) {
        struct sct_gen_config *config = &c->plan->config;

        for (int negative = 0; negative < 2; negative++) {
                uint64_t id = set_id(o, negative);

                if (id == 0 || find_set(c, id) >= 0)
                        continue;
                if (config->n_kin >= SCT_KIN_SETS_MAX)
                        return -E2BIG;
                c->kin[config->n_kin] = (KinSet) { .condition = o, .negative = negative };
                config->kin_id[config->n_kin++] = id;
        }
        return 0;
}

unsigned compile_kin_set(const Compiler *c, const Condition *o, bool negative) {
        int n = find_set(c, set_id(o, negative));

        assert(n >= 0);
        return n;
}

/* The set as a condition on one task: its values, all wanted. */
static void set_condition(const KinSet *set, Pattern *patterns, Condition *ret) {
        const Condition *o = set->condition;

        if (o->field == SCT_FIELD_NS_TREE) {
                *ret = (Condition) {
                        .field = SCT_FIELD_PID,
                        .class = CONDITION_NUMBER,
                        .eq = set->negative ? o->ne : o->eq,
                        .n_eq = set->negative ? o->n_ne : o->n_eq,
                };
                return;
        }

        *ret = (Condition) { .field = SCT_FIELD_EXE, .class = CONDITION_STRING, .patterns = patterns };
        for (size_t i = 0; i < o->n_patterns; i++)
                if (o->patterns[i].negative == set->negative) {
                        patterns[ret->n_patterns] = o->patterns[i];
                        patterns[ret->n_patterns++].negative = false;
                }
}

int compile_kin(Compiler *c) {
        struct sct_gen_config *config = &c->plan->config;
        _cleanup_free_ RuleConditions *wants = NULL;
        _cleanup_free_ Condition *conditions = NULL;
        _cleanup_free_ Pattern *patterns = NULL;
        struct sct_plan *plan = c->plan->plans + c->n_events + 1;      /* the one behind all events': for the time being */
        size_t n_patterns = 0, used = 0;
        int r;

        for (uint32_t i = config->n_kin; i < SCT_KIN_SETS_MAX; i++)    /* of policies that were refused */
                config->kin_id[i] = 0;
        if (config->n_kin == 0)
                return 0;

        for (uint32_t i = 0; i < config->n_kin; i++)
                n_patterns += c->kin[i].condition->n_patterns;
        wants = new(RuleConditions, config->n_kin);
        conditions = new(Condition, config->n_kin);
        patterns = new(Pattern, n_patterns + 1);
        if (!wants || !conditions || !patterns)
                return -ENOMEM;

        for (uint32_t i = 0; i < config->n_kin; i++) {
                set_condition(c->kin + i, patterns + used, conditions + i);
                used += conditions[i].n_patterns;
                wants[i] = (RuleConditions) { .rule = i, .conditions = conditions + i, .n = 1 };
                plan->wants[i / 64] |= UINT64_C(1) << (i % 64);
                if (conditions[i].field == SCT_FIELD_PID)
                        config->kin_pid[i / 64] |= UINT64_C(1) << (i % 64);
        }

        r = compile_predicates(c, plan, NULL, wants, config->n_kin);
        if (r < 0)
                return r;
        config->kin_first = plan->pred_first;
        config->n_kin_preds = plan->n_preds;
        for (uint32_t i = 0; i < plan->n_preds; i++)
                if (c->plan->preds[plan->pred_first + i].field == SCT_FIELD_PID)
                        config->n_kin_pid_preds = i + 1;
        *plan = (struct sct_plan) {};
        return 0;
}
