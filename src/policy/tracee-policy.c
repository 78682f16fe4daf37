/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Reads spec.scope, spec.rules and spec.defaultActions of Tracee's policy files, unchanged ones included, and hands
 * every expression to the common filter language. What Tracee spells otherwise (not-container, container=started,
 * spaces inside of scope expressions) is translated here and nowhere else.
 *
 * Each event of the rules is given its own filters; the scope holds for all of them. */

#include "../basic/macro.h"
#include "../basic/string-util.h"
#include "policy-capture.h"
#include "tracee-policy.h"
#include "wording.h"

#define SAME_EVENT_MAX 64    /* rules on one event: each needs a rule of its own in the kernel's tables */

typedef struct TraceePolicy {
        Policy *policy;
        const YamlNode *scope, *rules;
        FilterSet *sets[SAME_EVENT_MAX];        /* [k]: the k-th rule of each event */
        size_t n_sets;
        uint8_t n_of_event[SCT_EVENT_HOOK_FIRST];
} TraceePolicy;

/* One rule while it is read. */
typedef struct TraceeRule {
        TraceePolicy *owner;
        FilterSet *set;
        const EventSpec *spec;
        bool event_failed;
} TraceeRule;

static void tracee_policy_done(TraceePolicy *t) {
        for (size_t i = 0; i < t->n_sets; i++)
                filter_set_free(t->sets[i]);
}

static int read_action(YamlReader *r, const YamlNode *n, void *target) {
        const char *action;
        int q;

        q = yaml_get_string(r, n, 0, &action);
        if (q <= 0)
                return q;
        if (streq(action, "log") || streq(action, "print"))
                return 0;
        if (startswith(action, "webhook") || startswith(action, "forward"))
                return yaml_warning(r, n, "The action %s is not taken here; what matches goes to the journal, where "
                                    "others may read it.", QUOTE(action));
        return yaml_error(r, n, "%s is not an action; write log, or leave it out.", QUOTE(action));
}

static int read_actions(YamlReader *r, const YamlNode *n, void *target) {
        if (yaml_is_null(n))
                return 0;
        return yaml_read_sequence(r, n, read_action, target);
}

/* Tracee's spelling → ours. `strip`: it ignores spaces there. */
static int translate(const char *expression, bool strip, char **ret) {
        static const struct {
                const char *theirs, *ours;
        } rows[] = {
                { "not-container", "!container" },
                { "scope.not-container", "!scope.container" },
                { "context.not-container", "!context.container" },
                { "container=started", "container" },
        };
        char *copy, *p;

        copy = strdup(expression);
        if (!copy)
                return -ENOMEM;
        if (strip) {
                p = copy;
                for (const char *q = expression; *q; q++)
                        if (*q != ' ')
                                *p++ = *q;
                *p = '\0';
        }
        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                if (streq(copy, rows[i].theirs)) {
                        free(copy);
                        copy = strdup(rows[i].ours);
                        break;
                }
        if (!copy)
                return -ENOMEM;
        *ret = copy;
        return 0;
}

typedef struct ScopeTarget {
        FilterSet *set;
        const YamlNode *list;
        bool quiet;
} ScopeTarget;

static int read_scope_item(YamlReader *r, const YamlNode *n, void *target) {
        _cleanup_free_ char *expression = NULL;
        ScopeTarget *t = target;
        FilterPlace place;
        const char *text;
        int q;

        if (t->quiet && n->kind != YAML_SCALAR)
                return 0;
        if (t->quiet)
                text = n->text;
        else {
                q = yaml_get_string(r, n, 0, &text);
                if (q <= 0)
                        return q;
        }
        q = translate(text, /* strip= */ true, &expression);
        if (q < 0)
                return q;

        if (streq(expression, "global")) {
                if (t->list->n_items > 1 && !t->quiet)
                        return yaml_error(r, n, "\"global\" means everything, so nothing can stand beside it; remove "
                                          "it or the others.");
                return 0;
        }
        if (startswith(expression, "event") && strchr("=!<>", expression[5]) && !t->quiet)
                return yaml_error(r, n, "Events do not belong to a scope; write them as rules: `- event: NAME`.");
        if (startswith(expression, "set=") && !t->quiet)
                return yaml_error(r, n, "Sets of events do not belong to a scope; write them as rules: `- event: "
                                  "NAME`.");

        yaml_filter_place(r, n, &place);
        place.exact = place.exact && streq(expression, text);
        return filter_set_add(t->set, &place, expression);
}

/* One more AND-group with the same scope. What is wrong with the scope was said when the first was made. */
static int new_set(YamlReader *r, TraceePolicy *t) {
        ScopeTarget target = { .list = t->scope, .quiet = t->n_sets > 0 };
        FilterSet *set;
        size_t mark;
        int q;

        set = filter_set_new(target.quiet ? NULL : yaml_report, r);
        if (!set)
                return -ENOMEM;
        t->sets[t->n_sets++] = target.set = set;

        if (!t->scope || t->scope->kind != YAML_SEQUENCE)
                return 0;
        mark = yaml_key_push(r, "scope");
        q = yaml_read_sequence(r, t->scope, read_scope_item, &target);
        yaml_key_pop(r, mark);
        if (q < 0)
                return q;
        if (target.quiet) {
                /* From here on problems are those of a rule, not of the scope again. */
                filter_set_set_report(set, yaml_report, r);
        }
        return 0;
}

static int read_scope(YamlReader *r, const YamlNode *n, void *target) {
        TraceePolicy *t = target;

        t->scope = n;
        if (n->kind == YAML_SEQUENCE && n->n_items == 0)
                return yaml_error(r, n, "The scope is empty; write `- global` for everything.");
        if (n->kind != YAML_SEQUENCE)
                return yaml_error(r, n, "A list is wanted here; write `- global`, or filters like `- comm=bash`.");
        return 0;
}

static int read_rules(YamlReader *r, const YamlNode *n, void *target) {
        TraceePolicy *t = target;

        t->rules = n;
        if (n->kind == YAML_SEQUENCE && n->n_items == 0)
                return yaml_error(r, n, "There are no rules; write at least one: `- event: openat`.");
        if (n->kind != YAML_SEQUENCE)
                return yaml_error(r, n, "A list of rules is wanted here; begin each with `- event: NAME`.");
        return 0;
}

/* The set that this rule's event still has room in. */
static int rule_set(YamlReader *r, TraceePolicy *t, const YamlNode *n, const EventSpec *spec, FilterSet **ret) {
        size_t k = spec ? t->n_of_event[spec->id] : 0;
        int q;

        if (k >= SAME_EVENT_MAX) {
                q = yaml_error(r, n, "More than %d rules on the event %s; put several values into one filter, or write "
                               "another policy.", SAME_EVENT_MAX, spec->name);
                return q < 0 ? q : 0;
        }
        if (k >= t->n_sets) {
                q = new_set(r, t);
                if (q < 0)
                        return q;
        }
        if (spec)
                t->n_of_event[spec->id]++;
        *ret = t->sets[k];
        return 1;
}

static int rule_event(YamlReader *r, const YamlNode *n, void *target) {
        TraceeRule *rule = target;
        const EventSpec *spec;
        FilterPlace place;
        const char *name;
        int q;

        rule->event_failed = true;
        q = yaml_get_string(r, n, 0, &name);
        if (q <= 0)
                return q;
        spec = event_spec_by_name(name);
        q = rule_set(r, rule->owner, n, spec, &rule->set);
        if (q <= 0)
                return q;
        yaml_filter_place(r, n, &place);
        q = filter_set_add_event(rule->set, &place, name, &rule->spec);
        if (q < 0)
                return q;
        rule->event_failed = spec && !rule->spec;
        return 0;
}

static int rule_filter(YamlReader *r, const YamlNode *n, void *target) {
        _cleanup_free_ char *expression = NULL;
        TraceeRule *rule = target;
        FilterPlace place;
        const char *text;
        int q;

        q = yaml_get_string(r, n, 0, &text);
        if (q <= 0 || rule->event_failed)
                return q < 0 ? q : 0;
        if (!rule->spec)
                return yaml_error(r, n, "A rule that names several events takes no filters; write one rule for each "
                                  "event.");
        q = translate(text, /* strip= */ false, &expression);
        if (q < 0)
                return q;
        yaml_filter_place(r, n, &place);
        place.exact = place.exact && streq(expression, text);
        return filter_set_add_for_event(rule->set, &place, rule->spec, expression);
}

static int rule_filters(YamlReader *r, const YamlNode *n, void *target) {
        if (yaml_is_null(n))
                return 0;
        return yaml_read_sequence(r, n, rule_filter, target);
}

/* Only the event: it must be known before the filters are read, in whatever order the keys stand. */
static int read_rule(YamlReader *r, const YamlNode *n, void *target) {
        static const YamlField fields[] = {
                { "event", true, NULL },
                { "filters", false, rule_filters },
                { "actions", false, read_actions },
        };
        TraceeRule rule = { .owner = target, .event_failed = true };
        const YamlNode *event = yaml_mapping_get(n, "event");

        if (event) {
                size_t mark = yaml_key_push(r, "event");
                int q = rule_event(r, event, &rule);

                yaml_key_pop(r, mark);
                if (q < 0)
                        return q;
        }
        return yaml_read_mapping(r, n, fields, ELEMENTSOF(fields), &rule);
}

/* Ours: Tracee has captures on its command line alone. */
static int read_capture(YamlReader *r, const YamlNode *n, void *target) {
        TraceePolicy *t = target;

        return policy_capture_read(r, n, t->policy);
}

static int finish(YamlReader *r, TraceePolicy *t, const YamlNode *at) {
        _cleanup_free_ char *error = NULL;
        FilterPlace place;
        int q;

        q = new_set(r, t);
        if (q < 0)
                return q;
        if (t->rules && t->rules->kind == YAML_SEQUENCE) {
                size_t mark = yaml_key_push(r, "rules");

                q = yaml_read_sequence(r, t->rules, read_rule, t);
                yaml_key_pop(r, mark);
                if (q < 0)
                        return q;
        }

        t->policy->rules = new0(PolicyRule, t->n_sets);
        if (!t->policy->rules)
                return -ENOMEM;
        yaml_filter_place(r, at, &place);
        for (size_t i = 0; i < t->n_sets && r->n_errors == 0; i++) {
                q = filter_set_finish(t->sets[i], &place, t->policy->rules + t->policy->n_rules);
                if (q < 0)
                        return q;
                t->policy->n_rules += (size_t) q;
        }
        if (r->n_errors > 0)
                return 0;
        q = policy_capture_attach(t->policy, &error);
        return q == -EINVAL ? yaml_error(r, at, "%s", error) : q;
}


int tracee_policy_read_spec(YamlReader *r, const YamlNode *spec, void *policy) {
        static const YamlField fields[] = {
                { "scope", true, read_scope },
                { "rules", true, read_rules },
                { "defaultActions", false, read_actions },
                { "capture", false, read_capture },
        };
        _cleanup_(tracee_policy_done) TraceePolicy t = { .policy = policy };
        int q;

        assert(r && spec && policy);

        q = yaml_read_mapping(r, spec, fields, ELEMENTSOF(fields), &t);
        if (q < 0)
                return q;
        return finish(r, &t, spec);
}

bool tracee_policy_is_plain(const YamlNode *root) {
        const YamlNode *type = yaml_mapping_get(root, "type");

        if (yaml_mapping_get(root, "apiVersion") || yaml_mapping_get(root, "kind"))
                return false;
        return (type && type->kind == YAML_SCALAR && streq(type->text, "policy")) ||
               (yaml_mapping_get(root, "rules") && yaml_mapping_get(root, "scope"));
}

static int read_type(YamlReader *r, const YamlNode *n, void *target) {
        if (n->kind == YAML_SCALAR && streq(n->text, "policy"))
                return 0;
        return yaml_error(r, n, "The type of a policy is `policy`; write `type: policy`.");
}

static int read_description(YamlReader *r, const YamlNode *n, void *target) {
        TraceePolicy *t = target;
        const char *text;
        int q;

        q = yaml_get_string(r, n, YAML_STRING_LENIENT | YAML_STRING_EMPTY_OK, &text);
        if (q <= 0)
                return q;
        return free_and_strdup(&t->policy->description, text);
}

int tracee_policy_read_plain(YamlReader *r, const YamlNode *root, void *policy) {
        static const YamlField fields[] = {
                { "type", false, read_type },
                { "name", true, NULL },
                { "description", false, read_description },
                { "scope", true, read_scope },
                { "rules", true, read_rules },
                { "defaultActions", false, read_actions },
                { "capture", false, read_capture },
        };
        _cleanup_(tracee_policy_done) TraceePolicy t = { .policy = policy };
        int q;

        assert(r && root && policy);

        q = yaml_read_mapping(r, root, fields, ELEMENTSOF(fields), &t);
        if (q < 0)
                return q;
        return finish(r, &t, root);
}
