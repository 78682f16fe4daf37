/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Selectors: each becomes one PolicyRule of its hook. Here stands what holds a selector together: its keys, macros, the
 * rule that comes out. Filters on the process are in tracing-subject.c, on arguments in tracing-operator.c, actions in
 * tracing-action.c. A selector with a problem gives no rule. */

#include "../basic/macro.h"
#include "../basic/string-util.h"
#include "tracing-internal.h"

static int finish(YamlReader *r, const YamlNode *at, uint16_t field, ConditionClass class, ConditionBuilder *b,
                  Condition *ret) {
        int q;

        b->condition.field = field;
        b->condition.class = class;
        (void) yaml_position(r, at, 0, &b->condition.line, &b->condition.column);
        q = condition_builder_finish(b, ret);
        assert(q != 0);                 /* no operator brings bounds that exclude each other */
        condition_builder_done(b);
        return q < 0 ? q : 0;
}

int tracing_add_subject(YamlReader *r, const YamlNode *at, TracingSelector *s, uint16_t field, ConditionClass class,
                        ConditionBuilder *b) {
        int q;

        if (!GREEDY_REALLOC(s->rule.subject, s->n_subject_allocated, s->rule.n_subject + 1))
                return -ENOMEM;
        q = finish(r, at, field, class, b, s->rule.subject + s->rule.n_subject);
        if (q >= 0)
                s->rule.n_subject++;
        return q;
}

int tracing_add_condition(YamlReader *r, const YamlNode *at, TracingSelector *s, uint16_t field, ConditionClass class,
                          ConditionBuilder *b) {
        int q;

        if (!GREEDY_REALLOC(s->event->conditions, s->n_conditions_allocated, s->event->n_conditions + 1))
                return -ENOMEM;
        q = finish(r, at, field, class, b, s->event->conditions + s->event->n_conditions);
        if (q >= 0)
                s->event->n_conditions++;
        return q;
}

int tracing_get_in(YamlReader *r, const YamlNode *n, bool *ret_negative) {
        const char *text;
        int q;

        q = yaml_get_string(r, n, 0, &text);
        if (q <= 0)
                return q;
        if (!streq(text, "In") && !streq(text, "NotIn")) {
                q = yaml_error(r, n, "%s is no operator here; write In or NotIn.", QUOTE(text));
                return q < 0 ? q : 0;
        }
        *ret_negative = text[0] == 'N';
        return 1;
}

int tracing_each_value(YamlReader *r, const YamlNode *n, TracingAddValue add, void *userdata) {
        int q = 0;

        if (n->kind != YAML_SEQUENCE)
                return yaml_error(r, n, "A list of values is wanted here; write each as `- value` on a line of its "
                                  "own.");
        if (n->n_items == 0)
                return yaml_error(r, n, "The list of values is empty; write at least one.");
        if (n->n_items > TRACING_VALUES_MAX)
                return yaml_error(r, n, "The list has %zu values, more than %u; write ranges or prefixes.", n->n_items,
                                  TRACING_VALUES_MAX);
        /* Nobody reads more problems than are shown. */
        for (size_t i = 0; i < n->n_items && q >= 0 && r->n_problems <= YAML_PROBLEMS_MAX; i++) {
                size_t mark = yaml_key_push_index(r, i);
                const char *text;

                q = yaml_get_string(r, n->items[i], YAML_STRING_LENIENT | YAML_STRING_NUL_TAIL_OK, &text);
                if (q > 0)
                        q = add(r, n->items[i], userdata);
                yaml_key_pop(r, mark);
        }
        return q < 0 ? q : 0;
}

int tracing_get_flag(YamlReader *r, const YamlNode *n, void *target) {
        int q = yaml_get_bool(r, n, target);

        return q < 0 ? q : 0;
}

/* ---- Selectors ---- */

enum {                                  /* bits of TracingSelector.seen */
        SEEN_ARGS, SEEN_DATA, SEEN_RETURN, SEEN_PIDS, SEEN_BINARIES, SEEN_PARENTS, SEEN_NS, SEEN_NS_CHANGES, SEEN_CAPS,
        SEEN_CAP_CHANGES, SEEN_ACTIONS, SEEN_RETURN_ACTIONS,
};

static bool seen_before(YamlReader *r, const YamlNode *n, TracingSelector *s, unsigned bit, int *ret) {
        *ret = 0;
        if (!(s->seen & 1U << bit)) {
                s->seen |= 1U << bit;
                return false;
        }
        *ret = yaml_error(r, n, "This filter stands twice, %s; keep one of them.",
                          s->in_macro ? "here and in the selector or in another macro" : "under two spellings");
        return true;
}

#define LIST_FIELD(name, bit, item)                                                         \
        static int name(YamlReader *r, const YamlNode *n, void *target) {                   \
                int q;                                                                      \
                                                                                            \
                if (seen_before(r, n, target, bit, &q) || yaml_is_null(n))                  \
                        return q;                                                           \
                return yaml_read_sequence(r, n, item, target);                              \
        }

LIST_FIELD(selector_pids, SEEN_PIDS, tracing_read_pids)
LIST_FIELD(selector_binaries, SEEN_BINARIES, tracing_read_binary)
LIST_FIELD(selector_parent_binaries, SEEN_PARENTS, tracing_read_parent_binary)
LIST_FIELD(selector_namespaces, SEEN_NS, tracing_read_namespace)
LIST_FIELD(selector_namespace_changes, SEEN_NS_CHANGES, tracing_read_namespace_change)
LIST_FIELD(selector_capabilities, SEEN_CAPS, tracing_read_capability)
LIST_FIELD(selector_capability_changes, SEEN_CAP_CHANGES, tracing_read_capability_change)

static int selector_misspelt_binaries(YamlReader *r, const YamlNode *n, void *target) {
        int q = yaml_warning(r, n, "The key is spelt matchBinaries; it is read as such.");

        return q < 0 ? q : selector_binaries(r, n, target);
}

static int selector_args(YamlReader *r, const YamlNode *n, void *target) {
        int q;

        return seen_before(r, n, target, SEEN_ARGS, &q) ? q : tracing_read_match_args(r, n, target);
}

static int selector_data(YamlReader *r, const YamlNode *n, void *target) {
        int q;

        return seen_before(r, n, target, SEEN_DATA, &q) ? q : tracing_read_match_data(r, n, target);
}

static int selector_return_args(YamlReader *r, const YamlNode *n, void *target) {
        int q;

        return seen_before(r, n, target, SEEN_RETURN, &q) ? q : tracing_read_match_return_args(r, n, target);
}

static int selector_actions(YamlReader *r, const YamlNode *n, void *target) {
        int q;

        return seen_before(r, n, target, SEEN_ACTIONS, &q) ? q : tracing_read_actions(r, n,
                                                                                      target, /* at_return= */ false);
}

static int selector_return_actions(YamlReader *r, const YamlNode *n, void *target) {
        int q;

        return seen_before(r, n, target, SEEN_RETURN_ACTIONS, &q) ? q :
        tracing_read_actions(r, n, target, /* at_return= */ true);
}

static int selector_label(YamlReader *r, const YamlNode *n, void *target) {
        TracingSelector *s = target;
        const char *text;
        int q;

        q = yaml_get_string(r, n, YAML_STRING_LENIENT, &text);
        return q <= 0 ? q : free_and_strdup(&s->rule.label, text);
}

static int selector_workloads(YamlReader *r, const YamlNode *n, void *target) {
        return yaml_error(r, n, "Workloads are Kubernetes' pods, of which a host knows nothing; remove the filter, or "
                          "write a ScopePolicy with unit=, cgroup= or container=.");
}

static int selector_command_args(YamlReader *r, const YamlNode *n, void *target) {
        return yaml_error(r, n, "Command lines cannot be compared here; hook execve and compare its arguments.");
}

static int selector_macros(YamlReader *r, const YamlNode *n, void *target);

static const YamlField selector_fields[] = {
        { "matchArgs", false, selector_args },
        { "matchData", false, selector_data },
        { "matchReturnArgs", false, selector_return_args },
        { "returnMatchArgs", false, selector_return_args },
        { "matchPIDs", false, selector_pids },
        { "matchBinaries", false, selector_binaries },
        { "matchBinarys", false, selector_misspelt_binaries },
        { "matchParentBinaries", false, selector_parent_binaries },
        { "matchNamespaces", false, selector_namespaces },
        { "matchNamespaceChanges", false, selector_namespace_changes },
        { "matchCapabilities", false, selector_capabilities },
        { "matchCapabilityChanges", false, selector_capability_changes },
        { "matchActions", false, selector_actions },
        { "matchReturnActions", false, selector_return_actions },
        { "matchWorkloads", false, selector_workloads },
        { "matchCmdArgs", false, selector_command_args },
        { "label", false, selector_label },
        { "macros", false, selector_macros },
};

static int read_macro(YamlReader *r, const YamlNode *n, void *target) {
        TracingSelector *s = target;
        const YamlNode *macro;
        const char *name;
        int q;

        q = yaml_get_string(r, n, 0, &name);
        if (q <= 0)
                return q;
        if (s->in_macro)
                return yaml_error(r, n, "A macro uses no other macro; write out what %s stands for.", QUOTE(name));
        macro = s->reader->macros ? yaml_mapping_get(s->reader->macros, name) : NULL;
        if (!macro)
                return yaml_error(r, n, "There is no macro %s; add it to spec.selectorsMacros.", QUOTE(name));
        s->in_macro = true;
        q = yaml_read_mapping(r, macro, selector_fields, ELEMENTSOF(selector_fields), s);
        s->in_macro = false;
        return q;
}

/* Macros are read behind the selector's own filters, so that a filter in both is told at the macro: see read_selector(). */
static int selector_macros(YamlReader *r, const YamlNode *n, void *target) {
        TracingSelector *s = target;

        return s->in_macro ? yaml_read_sequence(r, n, read_macro, s) : 0;
}

static int read_macros(YamlReader *r, const YamlNode *n, TracingSelector *s) {
        const YamlNode *macros = yaml_mapping_get(n, "macros");
        size_t mark;
        int q;

        if (!macros)
                return 0;
        mark = yaml_key_push(r, "macros");
        q = yaml_read_sequence(r, macros, read_macro, s);
        yaml_key_pop(r, mark);
        return q;
}

static Pattern *any_container(void) {
        Pattern *p = new0(Pattern, 1);

        if (!p)
                return NULL;
        p->text = strdup("*");
        if (!p->text) {
                free(p);
                return NULL;
        }
        p->size = 1;
        p->kind = PATTERN_GLOB;
        p->cgroup_kind = SCT_CGROUP_CONTAINER;
        p->negative = true;
        return p;
}

/* hostSelector: {} alone: processes outside of containers. */
static int add_host_only(TracingSelector *s) {
        Condition *c;

        if (!GREEDY_REALLOC(s->rule.subject, s->n_subject_allocated, s->rule.n_subject + 1))
                return -ENOMEM;
        c = s->rule.subject + s->rule.n_subject++;
        *c = (Condition) { .field = SCT_FIELD_CGROUP, .class = CONDITION_CGROUP };
        c->patterns = any_container();
        if (!c->patterns)
                return -ENOMEM;
        c->n_patterns = 1;
        return 0;
}

static int keep_rule(YamlReader *r, const YamlNode *n, TracingSelector *s) {
        TracingReader *t = s->reader;
        Policy *p = t->policy;

        if (!GREEDY_REALLOC(p->rules, t->n_rules_allocated, p->n_rules + 1))
                return -ENOMEM;
        p->rules[p->n_rules++] = s->rule;
        s->rule = (PolicyRule) {};
        return 0;
}

typedef struct SelectorTarget {
        TracingReader *reader;
        Hook *hook;
        uint32_t n;
} SelectorTarget;

static int new_selector(const SelectorTarget *t, const YamlNode *at, TracingSelector *ret) {
        *ret = (TracingSelector) {
                .reader = t->reader,
                .hook = t->hook,
                .rule = { .hook = t->hook, .selector = t->n, .events = new0(PolicyEvent, 1) },
        };
        if (!ret->rule.events)
                return -ENOMEM;
        ret->rule.n_events = 1;
        ret->event = ret->rule.events;
        ret->event->spec = &t->hook->spec;
        ret->event->line = at ? at->line : t->hook->line;
        ret->event->column = at ? at->column : t->hook->column;
        return t->reader->host_only ? add_host_only(ret) : 0;
}

static int read_selector(YamlReader *r, const YamlNode *n, void *target) {
        SelectorTarget *t = target;
        TracingSelector s;
        unsigned errors = r->n_errors;
        int q;

        q = new_selector(t, n, &s);
        if (q >= 0 && !yaml_is_null(n))
                q = yaml_read_mapping(r, n, selector_fields, ELEMENTSOF(selector_fields), &s);
        if (q >= 0)
                q = read_macros(r, n, &s);
        if (q >= 0 && r->n_errors == errors)
                q = tracing_check_actions(r, n, &s);
        if (q >= 0 && r->n_errors == errors)
                q = keep_rule(r, n, &s);
        t->n++;
        policy_rule_done(&s.rule);
        return q;
}

int tracing_read_selectors(YamlReader *r, const YamlNode *selectors, TracingReader *t, Hook *hook) {
        SelectorTarget target = { .reader = t, .hook = hook };
        TracingSelector s;
        int q;

        if (selectors && !yaml_is_null(selectors) && (selectors->kind != YAML_SEQUENCE || selectors->n_items > 0)) {
                if (selectors->kind == YAML_SEQUENCE && selectors->n_items > TRACING_SELECTORS_MAX)
                        return yaml_error(r, selectors, "The hook has %zu selectors, more than %u; write several "
                                          "values into one filter.", selectors->n_items, TRACING_SELECTORS_MAX);
                return yaml_read_sequence(r, selectors, read_selector, &target);
        }
        q = new_selector(&target, NULL, &s);
        if (q >= 0)
                q = keep_rule(r, NULL, &s);
        policy_rule_done(&s.rule);
        return q;
}
