/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the rule numbers of one generation mean. Records say which rules matched, by the numbers of the generation
 * that judged them; a few past generations are kept, so that what stood in the ring over a reload or a restart is
 * read right. */

#include <stdbool.h>
#include <stdint.h>

#include "../basic/buffer.h"
#include "../policy/plan.h"
#include "policy-set.h"
#include "rule-action.h"

#define RULE_MAPS_MAX 8U    /* generations kept: reloads that can pass while one record waits in the ring */

typedef struct RulePolicy {
        char *name;
        uint8_t scope;
        int priority;
        uint64_t interval_ns, window_ns;    /* rateLimit: one event an interval, bursts in a window; 0: none */
        LoadedPolicy *loaded;               /* NULL when it is gone */
} RulePolicy;

/* Who matched. Valid until the next call that returns one. */
typedef struct RuleMatch {
        uint64_t scopes;
        int priority;
        bool limited;                       /* one of them has a rateLimit */
        const RuleAction *action;           /* of hooks that policies brought: the one rule that matched; NULL: only the record */
        size_t n, n_allocated;
        const char **names;
        RulePolicy **policies;
} RuleMatch;

typedef struct RuleMap RuleMap;

/* `loaded`: the rows that the plan's policies came from. */
int rule_map_new(const Plan *plan, LoadedPolicy *const *loaded, size_t n_loaded, RuleMap **ret);
RuleMap *rule_map_free(RuleMap *m);
static inline void rule_map_freep(RuleMap **m) {
        rule_map_free(*m);
}
uint32_t rule_map_generation(const RuleMap *m);
size_t rule_map_n_rules(const RuleMap *m);
const RulePolicy *rule_map_policy(const RuleMap *m, size_t rule);    /* NULL: no such rule */
RuleAction *rule_map_action(RuleMap *m, size_t rule);                /* NULL: it has none of its own */
/* Where its counts go; NULL: its policy is gone, or another version of it is in force. */
RuleCounts *rule_map_counts(RuleMap *m, size_t rule);
const RuleMatch *rule_map_match(RuleMap *m, const Event *e);
/* A hook that a policy of this generation brought. */
const EventSpec *rule_map_hook(const RuleMap *m, uint16_t id);
void rule_map_forget_policy(RuleMap *m, const LoadedPolicy *p);

/* As text, for the state that outlives the daemon. load() moves *text behind what it read. */
int rule_map_save(const RuleMap *m, Buffer *b);
int rule_map_load(const char **text, RuleMap **ret);
/* What stands behind it: hooks, and what rules did. */
int rule_map_load_hook(RuleMap *m, const char **text, const char *end);
int rule_map_load_action(RuleMap *m, const char **text);

typedef struct RuleMapRing {
        RuleMap *maps[RULE_MAPS_MAX];       /* newest first */
} RuleMapRing;

void rule_map_ring_done(RuleMapRing *ring);
void rule_map_ring_push(RuleMapRing *ring, RuleMap *m);              /* takes it */
RuleMap *rule_map_ring_find(RuleMapRing *ring, uint32_t generation);
