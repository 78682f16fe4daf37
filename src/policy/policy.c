/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The Policy object's life, the list of problems, and the truth of one condition at one value.
 *
 * Invariant: a Policy is never changed once a parser has returned it, so a reference is all that a holder needs.
 * Nothing is read, checked or merged here: that is filter.c's and the parsers' business. */

#include <stdarg.h>
#include <stdio.h>
#include <syslog.h>

#include "../basic/macro.h"
#include "../basic/string-util.h"
#include "capture-spec.h"
#include "hook.h"

void problem_list_done(ProblemList *l) {
        assert(l);

        for (size_t i = 0; i < l->n; i++) {
                free(l->items[i].path);
                free(l->items[i].key);
                free(l->items[i].message);
        }
        free(l->items);
        *l = (ProblemList) {};
}

int problem_add(ProblemList *l, ProblemSeverity severity, const char *path, unsigned line, unsigned column,
                const char *key, const char *format, ...) {
        _cleanup_free_ char *p = NULL, *k = NULL, *m = NULL;
        va_list ap;
        int r;

        assert(l);
        assert(format);

        va_start(ap, format);
        r = vasprintf(&m, format, ap);
        va_end(ap);
        if (r < 0) {
                m = NULL; /* undefined after a failure */
                return -ENOMEM;
        }

        p = strdup(path ?: "-");
        k = strdup(strempty(key));
        if (!p || !k || !GREEDY_REALLOC(l->items, l->n_allocated, l->n + 1))
                return -ENOMEM;

        l->items[l->n++] = (Problem) {
                .severity = severity,
                .path = TAKE_PTR(p),
                .line = line,
                .column = column,
                .key = TAKE_PTR(k),
                .message = TAKE_PTR(m),
        };
        if (severity == PROBLEM_ERROR)
                l->n_errors++;
        return 0;
}

void condition_done(Condition *c) {
        assert(c);

        for (size_t i = 0; i < c->n_patterns; i++)
                free(c->patterns[i].text);
        free(c->patterns);
        free(c->eq);
        free(c->ne);
        free(c->ranges);
        free(c->masks);
        *c = (Condition) {};
}

static bool number_in(const uint64_t *sorted, size_t n, uint64_t value, bool is_signed) {
        size_t low = 0, high = n;

        while (low < high) {
                size_t i = low + (high - low) / 2;

                if (sorted[i] == value)
                        return true;
                if (is_signed ? (int64_t) sorted[i] < (int64_t) value : sorted[i] < value)
                        low = i + 1;
                else
                        high = i;
        }
        return false;
}

static bool range_has(const NumberRange *range, uint64_t value, bool is_signed) {
        if (is_signed)
                return (int64_t) value >= (int64_t) range->low && (int64_t) value <= (int64_t) range->high;
        return value >= range->low && value <= range->high;
}

bool condition_number_matches(const Condition *c, uint64_t value) {
        bool wanted = false, excluded, any_positive;

        assert(c);

        if (number_in(c->eq, c->n_eq, value, c->is_signed))
                return true;

        excluded = number_in(c->ne, c->n_ne, value, c->is_signed);
        any_positive = c->n_eq > 0;
        for (size_t i = 0; i < c->n_ranges; i++) {
                bool in = range_has(c->ranges + i, value, c->is_signed);

                if (c->ranges[i].negative)
                        excluded = excluded || in;
                else {
                        any_positive = true;
                        wanted = wanted || in;
                }
        }

        if (excluded)
                return false;
        return any_positive ? wanted : true;
}

bool condition_mask_matches(const Condition *c, uint64_t value) {
        bool any_negative = false, excluded = false;

        assert(c);

        for (size_t i = 0; i < c->n_masks; i++) {
                const MaskItem *m = c->masks + i;
                bool hit = m->nonzero ? (value & m->and) != 0 : (value & m->and) == m->cmp;

                if (m->negative) {
                        any_negative = true;
                        excluded = excluded || hit;
                } else if (hit)
                        return true;
        }
        return any_negative && !excluded;
}

/* `*` stands for any run of bytes but '/', also an empty one, as on the kernel side (bpf/abi/glob.h). The last star is
 * the only one that ever has to be tried again, so the cost is bounded by size * pattern. */
static bool glob_matches(const char *pattern, size_t pattern_size, const char *s, size_t size) {
        size_t p = 0, i = 0, star = SIZE_MAX, retry = 0;

        while (i < size) {
                if (p < pattern_size && pattern[p] == '*') {
                        star = p++;
                        retry = i;
                } else if (p < pattern_size && pattern[p] == s[i]) {
                        p++;
                        i++;
                } else if (star != SIZE_MAX && s[retry] != '/') {
                        p = star + 1;
                        i = ++retry;
                } else
                        return false;
        }
        while (p < pattern_size && pattern[p] == '*')
                p++;
        return p == pattern_size;
}

static bool pattern_matches(const Pattern *p, const char *s, size_t size) {
        switch (p->kind) {
        case PATTERN_EQUAL:
                return p->size == size && memcmp(p->text, s, size) == 0;
        case PATTERN_PREFIX:
                return p->size <= size && memcmp(p->text, s, p->size) == 0;
        case PATTERN_SUFFIX:
                return p->size <= size && memcmp(p->text, s + size - p->size, p->size) == 0;
        case PATTERN_SUBSTRING:
                return p->size == 0 || memmem(s, size, p->text, p->size) != NULL;
        case PATTERN_GLOB:
                return glob_matches(p->text, p->size, s, size);
        }
        return false;
}

bool condition_string_matches(const Condition *c, const char *s, size_t size) {
        bool any_negative = false, excluded = false;

        assert(c);
        assert(s || size == 0);

        for (size_t i = 0; i < c->n_patterns; i++) {
                bool hit = pattern_matches(c->patterns + i, s ?: "", size);

                if (c->patterns[i].negative) {
                        any_negative = true;
                        excluded = excluded || hit;
                } else if (hit)
                        return true;
        }
        return any_negative && !excluded;
}

static void conditions_free(Condition *conditions, size_t n) {
        for (size_t i = 0; i < n; i++)
                condition_done(conditions + i);
        free(conditions);
}

void policy_event_done(PolicyEvent *e) {
        assert(e);

        conditions_free(e->conditions, e->n_conditions);
        *e = (PolicyEvent) {};
}

void policy_rule_done(PolicyRule *rule) {
        assert(rule);

        conditions_free(rule->subject, rule->n_subject);
        for (size_t i = 0; i < rule->n_events; i++)
                policy_event_done(rule->events + i);
        free(rule->events);
        for (size_t i = 0; i < rule->n_actions; i++)
                hook_action_done(rule->actions + i);
        free(rule->actions);
        free(rule->label);
        *rule = (PolicyRule) {};
}

Policy *policy_new(void) {
        Policy *p = new0(Policy, 1);

        if (!p)
                return NULL;

        p->n_ref = 1;
        p->priority = LOG_INFO;
        return p;
}

Policy *policy_ref(Policy *p) {
        if (!p)
                return NULL;

        assert(p->n_ref > 0);
        p->n_ref++;
        return p;
}

Policy *policy_unref(Policy *p) {
        if (!p)
                return NULL;

        assert(p->n_ref > 0);
        if (--p->n_ref > 0)
                return NULL;

        for (size_t i = 0; i < p->n_rules; i++)
                policy_rule_done(p->rules + i);
        free(p->rules);
        for (size_t i = 0; i < p->n_hooks; i++)
                hook_done(p->hooks + i);
        free(p->hooks);
        strv_free(p->enforcer_calls);
        strv_free(p->capture);
        if (p->captures)
                capture_spec_list_done(p->captures);
        free(p->captures);
        free(p->name);
        free(p->description);
        free(p->path);
        free(p->text);
        free(p);
        return NULL;
}

static const char *const policy_kind_table[] = {
        [POLICY_KIND_SCOPE] = "ScopePolicy",
        [POLICY_KIND_TRACING] = "TracingPolicy",
        [POLICY_KIND_TRACEE] = "TraceePolicy",
};
assert_cc(ELEMENTSOF(policy_kind_table) == _POLICY_KIND_MAX);

const char *policy_kind_to_string(PolicyKind k) {
        if (k < 0 || k >= _POLICY_KIND_MAX)
                return NULL;
        return policy_kind_table[k];
}
