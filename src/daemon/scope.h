/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One scope: a number 1..64, the policies assigned to it, and what was counted for it. Exists while a policy is
 * assigned to the number; its counters start again when it comes back. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy-set.h"

#define SCOPE_MAX POLICY_SCOPE_MAX
#define SCOPE_BIT(number) (UINT64_C(1) << ((number) - 1))

/* Counts by event: catalogue ids as they are, a policy's own hooks behind them. */
#define SCOPE_CATALOGUE_MAX 4096
#define SCOPE_HOOKS_MAX 1024
#define SCOPE_COUNTS_MAX (SCOPE_CATALOGUE_MAX + SCOPE_HOOKS_MAX)

typedef struct Manager Manager;

typedef struct Scope {
        Manager *manager;
        uint8_t number;
        bool disabled;              /* by Scope.Disable: its policies are left out of the plan */
        LoadedPolicy **policies;    /* borrowed, in the order of the policy set; whatever their state */
        size_t n_policies, n_policies_allocated;
        bool changed;               /* lost a policy since others were last told */
        uint64_t n_events;          /* matched, whatever became of them later */
        uint64_t n_lost;            /* ring overruns, rate limits, journal back-pressure */
        uint64_t *counts;           /* SCOPE_COUNTS_MAX, by scope_count_index() */
} Scope;

int scope_new(Manager *m, uint8_t number, Scope **ret);
Scope *scope_free(Scope *s);
static inline void scope_freep(Scope **s) {
        scope_free(*s);
}

static inline size_t scope_count_index(uint16_t event) {
        if (event < SCOPE_CATALOGUE_MAX)
                return event;
        if (event >= SCT_EVENT_HOOK_FIRST && event - SCT_EVENT_HOOK_FIRST < SCOPE_HOOKS_MAX)
                return SCOPE_CATALOGUE_MAX + (event - SCT_EVENT_HOOK_FIRST);
        return 0; /* id 0 is no event */
}

/* Calls back once for each event that was counted, in order of id. */
typedef int (*ScopeCountHandler)(const EventSpec *spec, uint64_t n, void *userdata);
int scope_foreach_count(const Scope *s, ScopeCountHandler handler, void *userdata);
