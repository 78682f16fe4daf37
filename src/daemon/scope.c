/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One scope and what was counted for it. The manager makes and drops scopes as policies come and go; the event path
 * adds to the counters. */

#include "../basic/macro.h"
#include "scope.h"

int scope_new(Manager *m, uint8_t number, Scope **ret) {
        _cleanup_(scope_freep) Scope *s = NULL;

        s = new0(Scope, 1);
        if (!s)
                return -ENOMEM;
        s->manager = m;
        s->number = number;
        s->counts = new0(uint64_t, SCOPE_COUNTS_MAX);
        if (!s->counts)
                return -ENOMEM;
        *ret = TAKE_PTR(s);
        return 0;
}

Scope *scope_free(Scope *s) {
        if (!s)
                return NULL;
        free(s->policies);
        free(s->counts);
        free(s);
        return NULL;
}

/* A hook that a policy brought: its description lives in that policy. */
static const EventSpec *hook_spec(const Scope *s, uint16_t id) {
        for (size_t i = 0; i < s->n_policies; i++) {
                const Policy *p = s->policies[i]->policy;

                for (size_t j = 0; p && j < p->n_rules; j++)
                        for (size_t k = 0; k < p->rules[j].n_events; k++)
                                if (p->rules[j].events[k].spec->id == id)
                                        return p->rules[j].events[k].spec;
        }
        return NULL;
}

int scope_foreach_count(const Scope *s, ScopeCountHandler handler, void *userdata) {
        int r;

        for (size_t i = 1; i < SCOPE_COUNTS_MAX; i++) {
                const EventSpec *spec;

                if (s->counts[i] == 0)
                        continue;
                spec = i < SCOPE_CATALOGUE_MAX
                        ? event_spec_by_id((uint16_t) i)
                        : hook_spec(s, (uint16_t) (SCT_EVENT_HOOK_FIRST + i - SCOPE_CATALOGUE_MAX));
                if (!spec)
                        continue;
                r = handler(spec, s->counts[i], userdata);
                if (r != 0)
                        return r;
        }
        return 0;
}
