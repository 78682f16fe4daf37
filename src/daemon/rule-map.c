/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rule numbers → scopes and policies. Few distinct sets of rules match in practice, so every set is worked out once and
 * then found by its bits: an event costs a hash and a comparison, whatever the number of scopes. Knows nothing of rate
 * limits beyond that they exist; dispatch.c applies them. */

#include <stdio.h>
#include <syslog.h>

#include "../basic/string-util.h"
#include "../policy/hook.h"
#include "hook-state.h"
#include "rule-map.h"
#include "scope.h"

#define MEMO_SIZE 256U          /* distinct sets of matching rules that are remembered; a power of two */
#define MEMO_BANKS_MAX 4U       /* wider sets are worked out each time */
#define RULES_MAX (SCT_BANKS_MAX * 64U)
#define NO_POLICY UINT16_MAX

typedef struct Memo {
        bool valid;
        uint8_t bank_first, n_banks;
        uint64_t masks[MEMO_BANKS_MAX];
        RuleMatch match;
} Memo;

struct RuleMap {
        uint32_t generation;
        uint16_t *rules;        /* rule number → index in policies, or NO_POLICY */
        RuleAction **actions;   /* by rule number, NULL: an event of the catalogue; NULL when loaded from saved state */
        bool has_actions;
        bool owns_hooks;        /* loaded from saved state, as the next */
        char **action_names;
        size_t n_rules;
        RulePolicy *policies;
        size_t n_policies;
        Policy **refs;          /* keeps the descriptions of their hooks; NULL when loaded from saved state */
        size_t n_refs;
        const EventSpec **hooks;    /* by event number - SCT_EVENT_HOOK_FIRST */
        size_t n_hooks, n_hooks_allocated;
        Memo *memo;
        Memo scratch;
};

RuleMap *rule_map_free(RuleMap *m) {
        if (!m)
                return NULL;
        for (size_t i = 0; i < m->n_policies; i++)
                free(m->policies[i].name);
        for (size_t i = 0; i < m->n_refs; i++)
                policy_unref(m->refs[i]);
        for (size_t i = 0; m->memo && i < MEMO_SIZE; i++) {
                free(m->memo[i].match.names);
                free(m->memo[i].match.policies);
        }
        free(m->scratch.match.names);
        free(m->scratch.match.policies);
        free(m->memo);
        for (size_t i = 0; m->actions && i < m->n_rules; i++)
                free(m->actions[i]);
        free(m->rules);
        free(m->actions);
        free(m->policies);
        free(m->refs);
        for (size_t i = 0; m->owns_hooks && i < m->n_hooks; i++)
                hook_state_free((EventSpec *) m->hooks[i]);
        free(m->hooks);
        strv_free(m->action_names);
        free(m);
        return NULL;
}

static int rule_map_alloc(size_t n_rules, size_t n_policies, RuleMap **ret) {
        _cleanup_(rule_map_freep) RuleMap *m = NULL;

        if (n_rules > RULES_MAX || n_policies > RULES_MAX)
                return -E2BIG;
        m = new0(RuleMap, 1);
        if (!m)
                return -ENOMEM;
        m->rules = new0(uint16_t, n_rules + 1);
        m->policies = new0(RulePolicy, n_policies + 1);
        m->refs = new0(Policy *, n_policies + 1);
        m->memo = new0(Memo, MEMO_SIZE);
        if (!m->rules || !m->policies || !m->refs || !m->memo)
                return -ENOMEM;
        m->n_rules = n_rules;
        for (size_t i = 0; i < n_rules; i++)
                m->rules[i] = NO_POLICY;
        *ret = TAKE_PTR(m);
        return 0;
}

static void set_rate(RulePolicy *p, uint64_t n, uint64_t usec) {
        if (n == 0 || usec == 0 || usec > UINT64_MAX / NSEC_PER_USEC)
                return;
        p->window_ns = usec * NSEC_PER_USEC;
        p->interval_ns = MAX(p->window_ns / n, UINT64_C(1));
}

static int add_hook(RuleMap *m, const EventSpec *spec) {
        size_t i;

        if (spec->id < SCT_EVENT_HOOK_FIRST)
                return 0;
        i = spec->id - SCT_EVENT_HOOK_FIRST;
        if (i >= m->n_hooks) {
                if (!GREEDY_REALLOC(m->hooks, m->n_hooks_allocated, i + 1))
                        return -ENOMEM;
                memset(m->hooks + m->n_hooks, 0, (i + 1 - m->n_hooks) * sizeof(m->hooks[0]));
                m->n_hooks = i + 1;
        }
        m->hooks[i] = spec;
        return 0;
}

static int add_hooks(RuleMap *m, const Policy *policy) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < policy->n_hooks; i++) {
                const Hook *h = policy->hooks + i;

                r = add_hook(m, &h->spec);
                for (size_t k = 0; r >= 0 && k < h->n_members; k++)
                        r = add_hook(m, &h->members[k].spec);
        }
        return r;
}

/* The index of a plan's policy, which is added when it is new. A policy may stand for several scopes never. */
static int policy_index(RuleMap *m, const PlanRule *rule, LoadedPolicy *const *loaded, size_t n_loaded) {
        RulePolicy *p;
        int r;

        for (size_t i = 0; i < m->n_policies; i++)
                if (m->refs[i] == rule->policy && m->policies[i].scope == rule->scope)
                        return (int) i;

        p = &m->policies[m->n_policies];
        p->name = strdup(rule->policy->name);
        if (!p->name)
                return -ENOMEM;
        p->scope = rule->scope;
        p->priority = rule->policy->priority;
        set_rate(p, rule->policy->rate_limit_n, rule->policy->rate_limit_usec);
        for (size_t i = 0; i < n_loaded; i++)
                if (loaded[i]->policy == rule->policy)
                        p->loaded = loaded[i];
        m->refs[m->n_policies] = policy_ref(rule->policy);
        m->n_refs = ++m->n_policies;

        r = add_hooks(m, rule->policy);
        return r < 0 ? r : (int) m->n_policies - 1;
}

static int add_action(RuleMap *m, const Plan *plan, size_t i) {
        const PolicyRule *rule = plan->rules[i].policy->rules + plan->rules[i].rule;

        if (!rule->hook || !plan->actions)
                return 0;
        m->has_actions = true;
        return rule_action_new(rule, plan->actions[i].flags & SCT_ACTION_MONITOR, &m->actions[i]);
}

int rule_map_new(const Plan *plan, LoadedPolicy *const *loaded, size_t n_loaded, RuleMap **ret) {
        _cleanup_(rule_map_freep) RuleMap *m = NULL;
        int r;

        /* No more policies than rules: each has at least one. */
        r = rule_map_alloc(plan->n_rules, plan->n_rules, &m);
        if (r < 0)
                return r;
        m->generation = plan->config.generation;
        m->actions = new0(RuleAction *, MAX(plan->n_rules, (size_t) 1));
        if (!m->actions)
                return -ENOMEM;
        for (size_t i = 0; i < plan->n_rules; i++) {
                if (!plan->rules[i].policy)
                        continue;
                r = add_action(m, plan, i);
                if (r < 0)
                        return r;
                r = policy_index(m, &plan->rules[i], loaded, n_loaded);
                if (r < 0)
                        return r;
                m->rules[i] = (uint16_t) r;
        }
        *ret = TAKE_PTR(m);
        return 0;
}

uint32_t rule_map_generation(const RuleMap *m) {
        return m->generation;
}

size_t rule_map_n_rules(const RuleMap *m) {
        return m->n_rules;
}

const RulePolicy *rule_map_policy(const RuleMap *m, size_t rule) {
        return rule < m->n_rules && m->rules[rule] != NO_POLICY ? &m->policies[m->rules[rule]] : NULL;
}

RuleAction *rule_map_action(RuleMap *m, size_t rule) {
        return m->has_actions && rule < m->n_rules ? m->actions[rule] : NULL;
}

RuleCounts *rule_map_counts(RuleMap *m, size_t rule) {
        const RulePolicy *p = rule_map_policy(m, rule);
        const RuleAction *a = rule_map_action(m, rule);
        const Policy *policy = p ? m->refs[p - m->policies] : NULL;

        if (!a || !p->loaded || p->loaded->policy != policy)
                return NULL;
        return loaded_policy_counts(p->loaded, (size_t) (a->rule - policy->rules));
}

const EventSpec *rule_map_hook(const RuleMap *m, uint16_t id) {
        size_t i = id - SCT_EVENT_HOOK_FIRST;

        return id >= SCT_EVENT_HOOK_FIRST && i < m->n_hooks ? m->hooks[i] : NULL;
}

void rule_map_forget_policy(RuleMap *m, const LoadedPolicy *p) {
        for (size_t i = 0; i < m->n_policies; i++)
                if (m->policies[i].loaded == p)
                        m->policies[i].loaded = NULL;
}

static int match_add(RuleMatch *match, RulePolicy *p) {
        size_t n_allocated = match->n_allocated;

        for (size_t i = 0; i < match->n; i++)
                if (match->policies[i] == p)
                        return 0;
        if (!GREEDY_REALLOC(match->names, n_allocated, match->n + 1) ||
            !GREEDY_REALLOC(match->policies, match->n_allocated, match->n + 1))
                return -ENOMEM;
        match->names[match->n] = p->name;
        match->policies[match->n++] = p;
        match->scopes |= SCOPE_BIT(p->scope);
        match->priority = MIN(match->priority, p->priority);
        match->limited = match->limited || p->interval_ns > 0;
        return 0;
}

static void work_out(RuleMap *m, const uint64_t *masks, unsigned bank_first, unsigned n_banks, RuleMatch *match) {
        match->n = 0;
        match->scopes = 0;
        match->priority = LOG_DEBUG;
        match->limited = false;
        match->action = NULL;

        for (unsigned i = 0; i < n_banks; i++)
                for (uint64_t bits = masks[i]; bits; bits &= bits - 1) {
                        size_t rule = (size_t) (bank_first + i) * 64 + (size_t) __builtin_ctzll(bits);

                        if (rule < m->n_rules && m->rules[rule] != NO_POLICY)
                                (void) match_add(match, &m->policies[m->rules[rule]]);
                        if (!match->action)
                                match->action = rule_map_action(m, rule);
                }
}

const RuleMatch *rule_map_match(RuleMap *m, const Event *e) {
        unsigned n_banks = MIN((unsigned) e->header->n_banks, (unsigned) SCT_BANKS_MAX);
        uint64_t masks[SCT_BANKS_MAX], hash = e->header->bank_first;
        Memo *memo;

        memcpy(masks, e->rules, n_banks * sizeof(uint64_t));
        if (n_banks > MEMO_BANKS_MAX) {
                work_out(m, masks, e->header->bank_first, n_banks, &m->scratch.match);
                return &m->scratch.match;
        }

        for (unsigned i = 0; i < n_banks; i++)
                hash = (hash ^ masks[i]) * UINT64_C(0x9e3779b97f4a7c15);
        memo = &m->memo[(hash >> 32) & (MEMO_SIZE - 1)];
        if (likely(memo->valid && memo->n_banks == n_banks && memo->bank_first == e->header->bank_first &&
                   memcmp(memo->masks, masks, n_banks * sizeof(uint64_t)) == 0))
                return &memo->match;

        memo->valid = true;
        memo->n_banks = (uint8_t) n_banks;
        memo->bank_first = e->header->bank_first;
        memcpy(memo->masks, masks, n_banks * sizeof(uint64_t));
        work_out(m, masks, memo->bank_first, n_banks, &memo->match);
        return &memo->match;
}

/* --- saved state --- */

int rule_map_save(const RuleMap *m, Buffer *b) {
        (void) buffer_printf(b, "generation %u %zu %zu\n", m->generation, m->n_policies, m->n_rules);
        for (size_t i = 0; i < m->n_policies; i++)
                (void) buffer_printf(b, "policy %u %i %s\n", m->policies[i].scope, m->policies[i].priority,
                                     m->policies[i].name);
        for (size_t i = 0; i < m->n_rules; i++)
                (void) buffer_printf(b, "%u\n", m->rules[i]);
        for (size_t i = 0; i < m->n_hooks; i++)
                if (m->hooks[i])
                        (void) hook_state_save(m->hooks[i], b);
        for (size_t i = 0; m->has_actions && i < m->n_rules; i++) {
                const RuleAction *a = m->actions[i];

                if (!a)
                        continue;
                (void) buffer_printf(b, "action %zu %i %i %zu", i, a->monitor, a->quiet, a->n_names);
                for (size_t k = 0; k < a->n_names; k++)
                        (void) buffer_printf(b, " %s", a->names[k]);
                (void) buffer_add_char(b, '\n');
        }
        return b->failed ? -ENOMEM : 0;
}

int rule_map_load_hook(RuleMap *m, const char **text, const char *end) {
        EventSpec *spec;
        int r;

        r = hook_state_load(text, end, &spec);
        if (r < 0)
                return r;
        m->owns_hooks = true;
        if (rule_map_hook(m, spec->id))
                r = -EBADMSG;
        else
                r = add_hook(m, spec);
        if (r < 0)
                hook_state_free(spec);
        return r;
}

/* What its rules did, for the records alone: nothing is done again, and nothing counted. */
int rule_map_load_action(RuleMap *m, const char **text) {
        int monitor, quiet, used = 0;
        size_t rule, n;
        RuleAction *a;

        if (sscanf(*text, "action %zu %i %i %zu%n", &rule, &monitor, &quiet, &n, &used) != 4 || rule >= m->n_rules ||
            n > SCT_OPS_MAX)
                return -EBADMSG;
        *text += used;
        if (!m->actions)
                m->actions = new0(RuleAction *, m->n_rules);
        if (!m->actions)
                return -ENOMEM;
        if (m->actions[rule])
                return -EBADMSG;
        a = m->actions[rule] = new0(RuleAction, 1);
        if (!a)
                return -ENOMEM;
        a->monitor = monitor;
        a->quiet = quiet;
        for (; a->n_names < n; a->n_names++) {
                char name[33];

                if (sscanf(*text, " %32[a-z-]%n", name, &used) != 1)
                        return -EBADMSG;
                *text += used;
                if (strv_extend(&m->action_names, name) < 0)
                        return -ENOMEM;
                a->names[a->n_names] = m->action_names[strv_length(m->action_names) - 1];
        }
        if (**text != '\n')
                return -EBADMSG;
        (*text)++;
        m->has_actions = true;
        return 0;
}

static int load_policy(const char **text, RulePolicy *p) {
        char name[POLICY_NAME_MAX + 1];
        unsigned scope;
        int used = 0;

        if (sscanf(*text, "policy %u %i %253[^\n]%n", &scope, &p->priority, name, &used) != 3 ||
            scope < 1 || scope > SCOPE_MAX || p->priority < LOG_EMERG || p->priority > LOG_DEBUG ||
            (*text)[used] != '\n')
                return -EBADMSG;
        p->scope = (uint8_t) scope;
        p->name = strdup(name);
        if (!p->name)
                return -ENOMEM;
        *text += used + 1;
        return 0;
}

int rule_map_load(const char **text, RuleMap **ret) {
        _cleanup_(rule_map_freep) RuleMap *m = NULL;
        size_t n_policies, n_rules;
        unsigned generation;
        int used = 0, r;

        if (sscanf(*text, "generation %u %zu %zu%n", &generation, &n_policies, &n_rules, &used) != 3 ||
            (*text)[used] != '\n')
                return -EBADMSG;
        *text += used + 1;
        r = rule_map_alloc(n_rules, n_policies, &m);
        if (r < 0)
                return r == -E2BIG ? -EBADMSG : r;
        m->generation = generation;

        for (; m->n_policies < n_policies; m->n_policies++) {
                r = load_policy(text, &m->policies[m->n_policies]);
                if (r < 0)
                        return r;
        }
        for (size_t i = 0; i < n_rules; i++) {
                char *end;
                unsigned long v = strtoul(*text, &end, 10);

                if (end == *text || *end != '\n' || (v >= n_policies && v != NO_POLICY))
                        return -EBADMSG;
                m->rules[i] = (uint16_t) v;
                *text = end + 1;
        }
        *ret = TAKE_PTR(m);
        return 0;
}

/* --- the last few --- */

void rule_map_ring_done(RuleMapRing *ring) {
        for (size_t i = 0; i < RULE_MAPS_MAX; i++)
                ring->maps[i] = rule_map_free(ring->maps[i]);
}

void rule_map_ring_push(RuleMapRing *ring, RuleMap *m) {
        rule_map_free(ring->maps[RULE_MAPS_MAX - 1]);
        memmove(ring->maps + 1, ring->maps, (RULE_MAPS_MAX - 1) * sizeof(ring->maps[0]));
        ring->maps[0] = m;
}

RuleMap *rule_map_ring_find(RuleMapRing *ring, uint32_t generation) {
        for (size_t i = 0; i < RULE_MAPS_MAX && ring->maps[i]; i++)
                if (ring->maps[i]->generation == generation)
                        return ring->maps[i];
        return NULL;
}
