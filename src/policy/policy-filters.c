/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The command line's form of policies: a list of filters, each with its scope's number in front. Everything behind the
 * number is filter.h's. */

#include <stdio.h>

#include "../basic/buffer.h"
#include "../basic/macro.h"
#include "../basic/string-util.h"
#include "filter.h"
#include "policy-parse.h"
#include "wording.h"

#define PATH "-"

/* One scope while its filters come in. */
typedef struct Collected {
        FilterSet *set;
        Buffer text;
} Collected;

typedef struct State {
        Collected scopes[POLICY_SCOPE_MAX];
        ProblemList *problems;
        Policy **policies;
        size_t n;
} State;

static void state_done(State *s) {
        for (size_t i = 0; i < POLICY_SCOPE_MAX; i++) {
                filter_set_free(s->scopes[i].set);
                buffer_done(&s->scopes[i].text);
        }
        for (size_t i = 0; i < s->n; i++)
                policy_unref(s->policies[i]);
        free(s->policies);
}

static int report(void *userdata, ProblemSeverity severity, const char *key, unsigned line, unsigned column,
                  const char *message) {
        return problem_add(userdata, severity, PATH, line, column, key, "%s", message);
}

/* `42:` in front of a name. Returns 1 with the scope and where the filter begins, 0 when the number is bad. */
static int parse_scope(const char *filter, unsigned *ret_scope, size_t *ret_offset) {
        size_t n = strcspn(filter, "=!<>:");
        char digits[8] = "";
        uint32_t scope;

        if (filter[n] != ':') {
                *ret_scope = 1;
                *ret_offset = 0;
                return 1;
        }
        if (n == 0 || n >= sizeof(digits))
                return 0;
        memcpy(digits, filter, n);
        if (parse_u32(digits, &scope) < 0 || scope < 1 || scope > POLICY_SCOPE_MAX)
                return 0;
        *ret_scope = scope;
        *ret_offset = n + 1;
        return 1;
}

static int add_filter(State *s, const char *filter, unsigned line) {
        FilterPlace place = { .key = QUOTE(filter), .line = line, .column = 1, .exact = true };
        unsigned scope;
        size_t offset;
        Collected *c;
        int r;

        if (!utf8_is_valid(filter, strlen(filter)))
                return problem_add(s->problems, PROBLEM_ERROR, PATH, line, 1, place.key, "The filter is not UTF-8; "
                                   "write it so.");
        if (!parse_scope(filter, &scope, &offset))
                return problem_add(s->problems, PROBLEM_ERROR, PATH, line, 1, place.key,
                                   "In front of the colon stands no scope; write a number from 1 to %d, or no colon "
                                   "for scope 1.",
                                   POLICY_SCOPE_MAX);

        c = s->scopes + scope - 1;
        if (!c->set) {
                c->set = filter_set_new(report, s->problems);
                if (!c->set)
                        return -ENOMEM;
        }
        (void) buffer_add_string(&c->text, filter);
        r = buffer_add_char(&c->text, '\n');
        if (r < 0)
                return r;
        place.column += (unsigned) offset;
        return filter_set_add(c->set, &place, filter + offset);
}

static int finish_scope(State *s, unsigned scope, const char *name, bool alone) {
        _cleanup_(policy_unrefp) Policy *p = NULL;
        const FilterPlace place = {};
        Collected *c = s->scopes + scope - 1;
        int r;

        p = policy_new();
        if (!p)
                return -ENOMEM;
        p->rules = new0(PolicyRule, 1);
        if (!p->rules)
                return -ENOMEM;
        r = filter_set_finish(c->set, &place, p->rules);
        if (r <= 0)
                return r;
        p->n_rules = 1;

        p->kind = POLICY_KIND_SCOPE;
        p->scope = (uint8_t) scope;
        p->text = buffer_steal(&c->text);
        if (alone)
                p->name = strdup(name);
        else if (asprintf(&p->name, "%s-%u", name, scope) < 0)
                p->name = NULL;
        if (!p->name || !p->text)
                return -ENOMEM;
        s->policies[s->n++] = TAKE_PTR(p);
        return 0;
}

int policy_from_filters(const char *const *filters, size_t n, const char *name, Policy ***ret, size_t *ret_n,
                        ProblemList *problems) {
        _cleanup_(state_done) State s = { .problems = problems };
        unsigned n_scopes = 0;
        int r;

        assert(filters || n == 0);
        assert(name);
        assert(ret && ret_n && problems);

        for (size_t i = 0; i < n; i++) {
                r = add_filter(&s, filters[i], (unsigned) i + 1);
                if (r < 0)
                        return r;
        }
        if (n == 0) {
                s.scopes[0].set = filter_set_new(report, problems);
                if (!s.scopes[0].set)
                        return -ENOMEM;
        }

        s.policies = new0(Policy *, POLICY_SCOPE_MAX);
        if (!s.policies)
                return -ENOMEM;
        for (unsigned i = 0; i < POLICY_SCOPE_MAX; i++)
                n_scopes += s.scopes[i].set != NULL;
        for (unsigned i = 0; i < POLICY_SCOPE_MAX; i++)
                if (s.scopes[i].set) {
                        r = finish_scope(&s, i + 1, name, n_scopes == 1);
                        if (r < 0)
                                return r;
                }

        *ret = TAKE_PTR(s.policies);
        *ret_n = s.n;
        s.n = 0;
        return 0;
}
