/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A policy is never changed, so one with more captures is read anew from the text of the first: its captures are taken out
 * of its rule again and put back together with the others, because filters of one kind add up. Numbers of rules stay. */

#include "../basic/macro.h"
#include "../basic/string-util.h"
#include "policy-capture.h"
#include "policy-derive.h"
#include "policy-parse.h"

bool policy_can_capture(const Policy *p) {
        return p->n_rules > 0 && p->n_hooks == 0 && p->text;
}

static void remove_captures(Policy *p) {
        PolicyRule *rule = p->rules;
        size_t kept = 0;

        for (size_t i = 0; i < rule->n_events; i++) {
                PolicyEvent *e = rule->events + i;

                if (capture_kind_from_event(e->spec->id) < 0) {
                        rule->events[kept++] = *e;
                        continue;
                }
                policy_event_done(e);
        }
        rule->n_events = kept;
        if (p->captures) {
                capture_spec_list_done(p->captures);
                free(p->captures);
                p->captures = NULL;
        }
}

static int read_again(const Policy *p, Policy **ret) {
        _cleanup_(problem_list_done) ProblemList problems = {};
        Policy **policies = NULL, *found = NULL;
        size_t n = 0;
        int r;

        r = policy_parse(p->text, strlen(p->text), p->path ?: "-", &policies, &n, &problems);
        for (size_t i = 0; i < n; i++)
                if (r >= 0 && !found && streq(policies[i]->name, p->name))
                        found = policies[i];
                else
                        policy_unref(policies[i]);
        free(policies);
        if (r < 0)
                return r;
        if (!found)
                return -ENOENT;
        *ret = found;
        return 0;
}

int policy_derive(const Policy *p, char *const *more, Policy **ret, char **reterr) {
        _cleanup_(policy_unrefp) Policy *q = NULL;
        size_t index = 0;
        int r;

        if (!policy_can_capture(p))
                return -EOPNOTSUPP;
        r = read_again(p, &q);
        if (r < 0)
                return r;
        if (q->n_rules != p->n_rules)
                return -EOPNOTSUPP;
        q->document = p->document;
        q->line = p->line;
        q->column = p->column;
        q->scope = p->scope;

        remove_captures(q);
        STRV_FOREACH(i, more) {
                r = strv_contains(q->capture, *i) ? 0 : strv_extend(&q->capture, *i);
                if (r < 0)
                        return r;
        }
        q->captures = new0(CaptureSpecList, 1);
        if (!q->captures)
                return -ENOMEM;
        r = capture_spec_parse(q->capture, q->captures, &index, reterr);
        if (r < 0)
                return r;
        r = policy_capture_attach(q, reterr);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(q);
        return 0;
}
