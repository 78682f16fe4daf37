/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* event= and set=: which events of the catalogue a policy selects. What was named in full survives every exclusion;
 * what a wildcard or a set brought does not. Internal events come with sets alone. */

#include "../basic/macro.h"
#include "../basic/string-util.h"
#include "filter-set.h"
#include "wording.h"

static bool name_matches(const char *pattern, const char *name) {
        const Pattern p = { .kind = PATTERN_GLOB, .text = (char *) pattern, .size = strlen(pattern) };
        const Condition c = { .class = CONDITION_STRING, .patterns = (Pattern *) &p, .n_patterns = 1 };

        return condition_string_matches(&c, name, strlen(name));
}

static int unknown_event(FilterRun *x, const char *word, size_t offset) {
        Suggest s;

        if (event_set_index(word) >= 0)
                return filter_run_error(x, offset, "%s is a set of events, not an event; write set=%s.", word, word);
        suggest_begin(&s, word);
        for (const EventSpec *e = event_spec_next(NULL); e; e = event_spec_next(e))
                if (!e->internal)
                        suggest_try(&s, e->name);
        return filter_run_error(x, offset, "%s is not an event%s", QUOTE(word), s.best[0] ? SUGGESTION(&s) :
                                "; `scopectl events` lists those that there are.");
}

int filter_find_event(FilterRun *x, const char *name, size_t offset, const EventSpec **ret) {
        const EventSpec *e = event_spec_by_name(name);

        *ret = e && !e->internal ? e : NULL;
        return *ret ? 0 : unknown_event(x, name, offset);
}

static int choose_wildcard(FilterRun *x, const char *word, size_t offset, bool negative) {
        size_t n = 0;
        int r;

        for (const EventSpec *e = event_spec_next(NULL); e; e = event_spec_next(e)) {
                if (e->internal || !name_matches(word, e->name))
                        continue;
                n++;
                r = filter_run_choose(x, e, negative ? CHOICE_EXCLUDED : CHOICE_EXPANDED);
                if (r < 0)
                        return r;
        }
        if (n > 0)
                return 0;
        return filter_run_error(x, offset, "No event's name matches %s; `scopectl events` lists those that there are.",
                                QUOTE(word));
}

int filter_choose_set(FilterRun *x, int set, FilterChoice choice) {
        int r;

        if (set < 0)
                return 0;
        for (const EventSpec *e = event_spec_next(NULL); e; e = event_spec_next(e))
                if (e->sets & (UINT64_C(1) << set)) {
                        r = filter_run_choose(x, e, choice);
                        if (r < 0)
                                return r;
                }
        return 0;
}

static bool set_is_empty(int set) {
        for (const EventSpec *e = event_spec_next(NULL); e; e = event_spec_next(e))
                if (e->sets & (UINT64_C(1) << set))
                        return false;
        return true;
}

int filter_choose_word(FilterRun *x, const char *word, size_t offset, bool negative, bool sets_too,
                       const EventSpec **ret) {
        const EventSpec *e;
        int set, r;

        assert(x && word);

        if (strchr(word, '*'))
                return choose_wildcard(x, word, offset, negative);
        set = sets_too && !event_spec_by_name(word) ? event_set_index(word) : -ENOENT;
        if (set >= 0)
                return filter_choose_set(x, set, negative ? CHOICE_EXCLUDED : CHOICE_EXPANDED);
        r = filter_find_event(x, word, offset, &e);
        if (r < 0 || !e)
                return r;
        if (ret)
                *ret = e;
        return filter_run_choose(x, e, negative ? CHOICE_EXCLUDED : CHOICE_NAMED);
}

int filter_apply_event(FilterRun *x) {
        const Expression *e = x->expression;
        int r;

        for (size_t i = 0; i < e->n_values; i++) {
                _cleanup_free_ char *word = NULL;
                ExpressionError error;

                r = filter_value_to_glob(e->values + i, &word, &error);
                if (r == 0)
                        r = filter_run_value_error(x, &error);
                else if (r > 0)
                        r = filter_choose_word(x, word, e->values[i].offset, e->op == FILTER_OP_NE,
                                               /* sets_too= */ false,
                                               NULL);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int unknown_set(FilterRun *x, const char *word, size_t offset) {
        Suggest s;

        if (event_spec_by_name(word))
                return filter_run_error(x, offset, "%s is an event, not a set; write event=%s.", word, word);
        suggest_begin(&s, word);
        for (size_t i = 0; event_sets[i]; i++)
                suggest_try(&s, event_sets[i]);
        return filter_run_error(x, offset, "%s is not a set of events%s", QUOTE(word), s.best[0] ? SUGGESTION(&s) :
                                "; write one like default, fs, net, proc or syscalls.");
}

int filter_apply_set(FilterRun *x) {
        const Expression *e = x->expression;
        int r;

        for (size_t i = 0; i < e->n_values; i++) {
                _cleanup_free_ char *word = NULL;
                ExpressionError error;
                int set;

                r = filter_value_to_text(e->values + i, &word, &error);
                if (r == 0)
                        r = filter_run_value_error(x, &error);
                else if (r > 0) {
                        set = event_set_index(word);
                        if (set < 0)
                                r = unknown_set(x, word, e->values[i].offset);
                        else if (e->op == FILTER_OP_EQ && set_is_empty(set))
                                r = filter_run_error(x, e->values[i].offset, "The set %s has no events in this "
                                                     "version; remove it.", word);
                        else
                                r = filter_choose_set(x, set, e->op == FILTER_OP_NE ? CHOICE_EXCLUDED :
                                                      CHOICE_EXPANDED);
                }
                if (r < 0)
                        return r;
        }
        return 0;
}
