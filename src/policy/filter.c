/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One AND-group while it is collected: conditions by field, events that were chosen, and what stands where; in the end
 * a PolicyRule. Dispatches an expression to its kind by its exact name; what a kind does with it stands in
 * filter-kind.c, filter-events.c and filter-arg.c.
 *
 * Invariant: a set that reported an error yields no rule. */

#include <stdarg.h>
#include <stdio.h>

#include "../basic/macro.h"
#include "../basic/string-util.h"
#include "filter-set.h"
#include "wording.h"

typedef struct OwnPlace {
        char *key;
        unsigned line, column;
} OwnPlace;

/* Expressions on one field. */
typedef struct Field {
        const void *id;
        OwnPlace place;
        ConditionBuilder builder;
        bool container_true, container_false;
} Field;

typedef struct Group {
        const EventSpec *spec;         /* NULL: the subject */
        Field *fields;
        size_t n_fields, n_fields_allocated;
        OwnPlace place;
        bool chosen[CHOICE_EXCLUDED + 1];
} Group;

struct FilterSet {
        FilterReport report;
        void *userdata;
        unsigned n_errors;
        Group subject;
        Group *events;
        size_t n_events, n_events_allocated;
        uint16_t position[SCT_EVENT_HOOK_FIRST];   /* id → index in events + 1 */
        bool any_chosen;               /* event= or set= was given */
        bool switches[_SWITCH_MAX];
};

static const char container_id[1] = "";    /* identity of the field container/host */

static void group_done(Group *g) {
        for (size_t i = 0; i < g->n_fields; i++) {
                condition_builder_done(&g->fields[i].builder);
                free(g->fields[i].place.key);
        }
        free(g->fields);
        free(g->place.key);
}

void filter_set_set_report(FilterSet *s, FilterReport report, void *userdata) {
        assert(s);

        s->report = report;
        s->userdata = userdata;
}

FilterSet *filter_set_new(FilterReport report, void *userdata) {
        FilterSet *s = new0(FilterSet, 1);

        if (!s)
                return NULL;
        filter_set_set_report(s, report, userdata);
        return s;
}

FilterSet *filter_set_free(FilterSet *s) {
        if (!s)
                return NULL;

        group_done(&s->subject);
        for (size_t i = 0; i < s->n_events; i++)
                group_done(s->events + i);
        free(s->events);
        free(s);
        return NULL;
}

_printf_(6, 0)
static int set_report(FilterSet *s, ProblemSeverity severity, const char *key, unsigned line, unsigned column,
                      const char *format, va_list ap) {
        _cleanup_free_ char *message = NULL;

        if (severity == PROBLEM_ERROR)
                s->n_errors++;
        if (!s->report)
                return 0;
        if (vasprintf(&message, format, ap) < 0) {
                message = NULL; /* undefined after a failure */
                return -ENOMEM;
        }
        return s->report(s->userdata, severity, key, line, column, message);
}

_printf_(3, 4)
static int place_error(FilterSet *s, const OwnPlace *place, const char *format, ...) {
        va_list ap;
        int r;

        va_start(ap, format);
        r = set_report(s, PROBLEM_ERROR, place->key, place->line, place->column, format, ap);
        va_end(ap);
        return r;
}

static unsigned place_column(const FilterPlace *place, const char *text, size_t offset) {
        unsigned column = place->column;

        if (place->exact)
                for (size_t i = 0; i < offset && text[i]; i++)
                        if (((unsigned char) text[i] & 0xc0) != 0x80)
                                column++;
        return column;
}

int filter_run_error(FilterRun *x, size_t offset, const char *format, ...) {
        va_list ap;
        int r;

        va_start(ap, format);
        r = set_report(x->set, PROBLEM_ERROR, x->place->key, x->place->line,
                       place_column(x->place, x->expression->text, offset), format, ap);
        va_end(ap);
        return r;
}

int filter_run_warning(FilterRun *x, size_t offset, const char *format, ...) {
        va_list ap;
        int r;

        va_start(ap, format);
        r = set_report(x->set, PROBLEM_WARNING, x->place->key, x->place->line,
                       place_column(x->place, x->expression->text, offset), format, ap);
        va_end(ap);
        return r;
}

static int own_place(OwnPlace *own, const FilterPlace *place) {
        char *key = strdup(strempty(place->key));

        if (!key)
                return -ENOMEM;
        free(own->key);
        *own = (OwnPlace) { .key = key, .line = place->line, .column = place->column };
        return 0;
}

static int set_group(FilterSet *s, const EventSpec *spec, const FilterPlace *place, Group **ret) {
        Group *g;
        int r;

        if (!spec) {
                *ret = &s->subject;
                return 0;
        }
        assert(spec->id < SCT_EVENT_HOOK_FIRST);
        if (s->position[spec->id] == 0) {
                if (!GREEDY_REALLOC(s->events, s->n_events_allocated, s->n_events + 1))
                        return -ENOMEM;
                g = s->events + s->n_events;
                *g = (Group) { .spec = spec };
                r = own_place(&g->place, place);
                if (r < 0)
                        return r;
                s->position[spec->id] = (uint16_t) ++s->n_events;
        }
        *ret = s->events + s->position[spec->id] - 1;
        return 0;
}

static int run_field(FilterRun *x, const void *id, Field **ret) {
        Group *g;
        Field *f;
        int r;

        r = set_group(x->set, x->spec, x->place, &g);
        if (r < 0)
                return r;
        for (size_t i = 0; i < g->n_fields; i++)
                if (g->fields[i].id == id) {
                        *ret = g->fields + i;
                        return 0;
                }

        if (!GREEDY_REALLOC(g->fields, g->n_fields_allocated, g->n_fields + 1))
                return -ENOMEM;
        f = g->fields + g->n_fields;
        *f = (Field) { .id = id };
        r = own_place(&f->place, x->place);
        if (r < 0)
                return r;
        f->builder.condition.line = x->place->line;
        f->builder.condition.column = x->place->column;
        g->n_fields++;
        *ret = f;
        return 0;
}

int filter_run_value_error(FilterRun *x, const ExpressionError *error) {
        return filter_run_error(x, error->offset, "%s", error->message);
}

int filter_run_builder(FilterRun *x, const void *id, uint16_t field, ConditionClass class, ConditionBuilder **ret) {
        Field *f;
        int r;

        r = run_field(x, id, &f);
        if (r < 0)
                return r;
        f->builder.condition.field = field;
        f->builder.condition.class = class;
        *ret = &f->builder;
        return 0;
}

int filter_run_container(FilterRun *x, bool inside) {
        Field *f;
        int r;

        r = run_field(x, container_id, &f);
        if (r < 0)
                return r;
        *(inside ? &f->container_true : &f->container_false) = true;
        return 0;
}

int filter_run_choose(FilterRun *x, const EventSpec *spec, FilterChoice choice) {
        Group *g;
        int r;

        r = set_group(x->set, spec, x->place, &g);
        if (r < 0)
                return r;
        g->chosen[choice] = true;
        if (choice != CHOICE_EXCLUDED)
                x->set->any_chosen = true;
        return 0;
}

int filter_run_switch(FilterRun *x, FilterSwitch what) {
        x->set->switches[what] = true;
        return 0;
}

/* `name` begins behind "EVENT.": section[.name]. */
static int dispatch_section(FilterRun *x, const char *name, size_t offset) {
        const char *event = x->spec->name, *dot = strchr(name, '.');
        _cleanup_free_ char *section = NULL;
        Suggest s;

        section = strndup(name, dot ? (size_t) (dot - name) : strlen(name));
        if (!section)
                return -ENOMEM;

        x->kind = filter_kind_find(FILTER_WHERE_SECTION, section);
        if (!x->kind && event_arg_index(x->spec, section) >= 0)
                return filter_run_error(x, offset, "%s is an argument of %s; write %s.args.%s.", section, event, event,
                                        section);
        if (!x->kind)
                return filter_run_error(x, offset, "Behind \"%s.\" stands \"%s\"; write %s.args.NAME, %s.retval or "
                                        "%s.context.FIELD.", event, QUOTE(section), event, event, event);
        if (x->kind->id == FILTER_RETVAL) {
                if (dot)
                        return filter_run_error(x, offset, "%s.retval has no parts; write %s.retval=0.", event, event);
                return filter_kind_apply(x);
        }
        if (!dot || dot[1] == '\0')
                return filter_run_error(x, offset, "A name is missing behind %s.%s; write for example %s.%s.%s=VALUE.",
                                        event, section, event, section, x->kind->id == FILTER_CONTEXT ? "uid" :
                                        x->spec->n_args > 0 ? x->spec->args[0].name : "NAME");
        if (x->kind->id == FILTER_ARG) {
                x->arg_name = dot + 1;
                return filter_kind_apply(x);
        }

        x->kind = filter_kind_find(FILTER_WHERE_CONTEXT, dot + 1);
        if (x->kind)
                return filter_kind_apply(x);
        suggest_begin(&s, dot + 1);
        filter_kind_suggest(FILTER_WHERE_CONTEXT, &s);
        return filter_run_error(x, offset + (size_t) (dot + 1 - name), "%s is no field of an event's context%s",
                                QUOTE(dot + 1), s.best[0] ? SUGGESTION(&s) :
                                "; write one of uid, pid, tid, ppid, comm, binary, syscall, unit, containerId, ...");
}

/* Digits and a colon in front of a filter: the command line's scope, where there is none. */
static bool has_scope_prefix(const char *name) {
        size_t n = strspn(name, "+0123456789");

        return n > 0 && name[n] == ':';
}

static int unknown_filter(FilterRun *x, const char *name) {
        Suggest s;

        if (event_spec_by_name(name))
                return filter_run_error(x, 0, "%s is an event, not a filter; write event=%s, or %s.args.NAME=VALUE for "
                                        "its arguments.", name, name, name);
        if (event_set_index(name) >= 0)
                return filter_run_error(x, 0, "%s is a set of events, not a filter; write set=%s.", name, name);
        if (has_scope_prefix(name))
                return filter_run_error(x, 0, "A scope's number stands in front of the filter; in a file write it "
                                        "once, as spec.scope.");
        suggest_begin(&s, name);
        filter_kind_suggest(FILTER_WHERE_SUBJECT, &s);
        return filter_run_error(x, 0, "%s is not a filter%s", QUOTE(name), s.best[0] ? SUGGESTION(&s) :
                                "; write one of event, set, comm, binary, uid, gid, auid, pid, tid, ppid, mntns, "
                                "pidns, uts, tree, follow, container, unit, slice, session, cgroup, or "
                                "EVENT.args.NAME.");
}

static int dispatch(FilterRun *x) {
        const Expression *e = x->expression;
        const char *name = e->name, *dot = strchr(name, '.');
        _cleanup_free_ char *event = NULL;
        int r;

        x->kind = filter_kind_find(FILTER_WHERE_SUBJECT, name);
        if (x->kind)
                return filter_kind_apply(x);
        if (!dot || has_scope_prefix(name))
                return unknown_filter(x, name);

        event = strndup(name, (size_t) (dot - name));
        if (!event)
                return -ENOMEM;
        r = filter_find_event(x, event, e->name_offset, &x->spec);
        if (r < 0 || !x->spec)
                return r;
        return dispatch_section(x, dot + 1, e->name_offset + (size_t) (dot + 1 - name));
}

static int run_expression(FilterSet *s, const FilterPlace *place, const char *text, const EventSpec *spec) {
        _cleanup_(expression_done) Expression e = { .text = text };
        FilterRun x = { .set = s, .place = place, .expression = &e, .spec = spec };
        ExpressionError error;
        int r;

        r = expression_parse(text, &e, &error);
        if (r < 0)
                return r;
        if (r == 0)
                return filter_run_value_error(&x, &error);
        if (!spec)
                return dispatch(&x);

        /* Inside of an event: a field of its context may stand alone. */
        if (!strchr(e.name, '.')) {
                x.kind = filter_kind_find(FILTER_WHERE_CONTEXT, e.name);
                if (x.kind)
                        return filter_kind_apply(&x);
        }
        return dispatch_section(&x, e.name, e.name_offset);
}

int filter_set_add(FilterSet *s, const FilterPlace *place, const char *expression) {
        assert(s && place && expression);

        return run_expression(s, place, expression, NULL);
}

int filter_set_add_for_event(FilterSet *s, const FilterPlace *place, const EventSpec *spec, const char *expression) {
        assert(s && place && expression);
        assert(spec);

        return run_expression(s, place, expression, spec);
}

int filter_set_add_event(FilterSet *s, const FilterPlace *place, const char *name, const EventSpec **ret) {
        const Expression e = { .text = name };
        FilterRun x = { .set = s, .place = place, .expression = &e };
        const EventSpec *spec = NULL;
        int r;

        assert(s && place && name);

        r = filter_choose_word(&x, name, 0, /* negative= */ false, /* sets_too= */ true, &spec);
        if (ret)
                *ret = spec;
        return r;
}

/* Nothing was chosen: the events that filters name, else the set `default`. */
static int choose_default(FilterSet *s, const FilterPlace *place) {
        const Expression e = { .text = "" };
        FilterRun x = { .set = s, .place = place, .expression = &e };
        bool any = s->any_chosen;

        for (size_t i = 0; i < s->n_events && !s->any_chosen; i++)
                if (s->events[i].n_fields > 0 && !s->events[i].chosen[CHOICE_EXCLUDED])
                        any = s->events[i].chosen[CHOICE_NAMED] = true;
        if (any)
                return 0;
        return filter_choose_set(&x, event_set_index("default"), CHOICE_EXPANDED);
}

static bool group_is_chosen(const Group *g) {
        return g->chosen[CHOICE_NAMED] || (g->chosen[CHOICE_EXPANDED] && !g->chosen[CHOICE_EXCLUDED]);
}

/* Only `container`, or only `!container`; both together ask nothing. */
static int container_condition(const Field *f, Condition *ret) {
        Pattern *p;

        if (f->container_true == f->container_false)
                return 0;
        p = new0(Pattern, 1);
        if (!p)
                return -ENOMEM;
        *p = (Pattern) {
                .kind = PATTERN_GLOB,
                .negative = f->container_false,
                .cgroup_kind = SCT_CGROUP_CONTAINER,
                .text = strdup("*"),
                .size = 1,
        };
        if (!p->text) {
                free(p);
                return -ENOMEM;
        }
        *ret = (Condition) {
                .field = SCT_FIELD_CGROUP,
                .class = CONDITION_CGROUP,
                .patterns = p,
                .n_patterns = 1,
                .line = f->place.line,
                .column = f->place.column,
        };
        return 1;
}

static int field_finish(FilterSet *s, Field *f, Condition *ret) {
        int r;

        if (f->id == container_id)
                return container_condition(f, ret);
        if (f->builder.condition.field == SCT_FIELD_NONE)
                return 0;

        r = condition_builder_finish(&f->builder, ret);
        if (r > 0 && ret->n_eq + ret->n_ne + ret->n_patterns + ret->n_masks > POLICY_VALUES_MAX) {
                condition_done(ret);
                return place_error(s, &f->place, "The filters on this field have more than %u values together; use "
                                   "wildcards, ranges or several policies.", POLICY_VALUES_MAX);
        }
        if (r != 0)
                return r;
        if (f->builder.condition.n_masks > 0)
                return place_error(s, &f->place, "Names of values and < or > cannot be mixed in one filter; write two "
                                   "policies.");
        return place_error(s, &f->place, "These bounds leave nothing between them, or nothing out; write x>=LOW and "
                           "x<=HIGH with LOW not above HIGH.");
}

static int group_finish(FilterSet *s, Group *g, Condition **ret, size_t *ret_n) {
        Condition *c;
        size_t n = 0;
        int r = 0;

        c = new0(Condition, MAX(g->n_fields, (size_t) 1));
        if (!c)
                return -ENOMEM;
        for (size_t i = 0; i < g->n_fields && r >= 0; i++) {
                r = field_finish(s, g->fields + i, c + n);
                if (r > 0)
                        n++;
        }
        *ret = c;      /* owned by the rule now, also when it failed */
        *ret_n = n;
        return r < 0 ? r : 0;
}

static int check_switches(FilterSet *s) {
        bool *on = s->switches;

        /* The same thing wanted and excluded is wanted. */
        if (on[SWITCH_BORN_AFTER_LOAD])
                on[SWITCH_NOT_BORN_AFTER_LOAD] = false;
        if (on[SWITCH_CGROUP_AFTER_LOAD])
                on[SWITCH_NOT_CGROUP_AFTER_LOAD] = false;

        if (!on[SWITCH_BORN_AFTER_LOAD] && !on[SWITCH_CGROUP_AFTER_LOAD])
                return 0;
        for (size_t i = 0; i < s->subject.n_fields; i++) {
                const Field *f = s->subject.fields + i;
                const Condition *c = &f->builder.condition;
                bool ids = false;

                for (size_t k = 0; k < c->n_patterns; k++)
                        ids = ids || (c->patterns[k].cgroup_kind == SCT_CGROUP_CONTAINER && !c->patterns[k].negative);
                if (on[SWITCH_BORN_AFTER_LOAD] && c->field == SCT_FIELD_HOST_PID && c->n_eq > 0)
                        return place_error(s, &f->place, "pid=new and pid=NUMBER in one policy can only mean either of "
                                           "both; write two policies for one scope.");
                if (on[SWITCH_CGROUP_AFTER_LOAD] && ids)
                        return place_error(s, &f->place, "container=new and container=ID in one policy can only mean "
                                           "either of both; write two policies for one scope.");
        }
        return 0;
}

/* Whether a condition names journald, or a process whatever it is: see PolicyRule.names_journal. */
static bool condition_names_journal(const Condition *c) {
        if (IN_SET(c->field, SCT_FIELD_HOST_PID, SCT_FIELD_HOST_TID, SCT_FIELD_PID, SCT_FIELD_TID))
                return c->n_eq > 0;
        if (!IN_SET(c->field, SCT_FIELD_COMM, SCT_FIELD_EXE, SCT_FIELD_CGROUP))
                return false;
        for (size_t i = 0; i < c->n_patterns; i++)
                if (!c->patterns[i].negative && c->patterns[i].cgroup_kind != SCT_CGROUP_CONTAINER &&
                    strstr(c->patterns[i].text, "journal"))
                        return true;
        return false;
}

static bool any_names_journal(const Condition *c, size_t n) {
        for (size_t i = 0; i < n; i++)
                if (condition_names_journal(c + i))
                        return true;
        return false;
}

/* By the subject, or by each event on its own: one event that does not would see journald's work for all records. */
static bool rule_names_journal(const PolicyRule *rule) {
        if (any_names_journal(rule->subject, rule->n_subject))
                return true;
        for (size_t i = 0; i < rule->n_events; i++)
                if (!any_names_journal(rule->events[i].conditions, rule->events[i].n_conditions))
                        return false;
        return rule->n_events > 0;
}

static int finish_events(FilterSet *s, PolicyRule *rule) {
        int r;

        rule->events = new0(PolicyEvent, MAX(s->n_events, (size_t) 1));
        if (!rule->events)
                return -ENOMEM;
        for (size_t i = 0; i < s->n_events; i++) {
                Group *g = s->events + i;
                PolicyEvent *e = rule->events + rule->n_events;

                if (!group_is_chosen(g)) {
                        if (g->n_fields == 0)
                                continue;
                        r = place_error(s, &g->fields[0].place, g->chosen[CHOICE_EXCLUDED] ?
                                        "%s is taken away by event!= or set!=, so this filter has no effect; remove "
                                        "one of them." :
                                        "%s is not among the events of this policy, so this filter has no effect; add "
                                        "event=%s or remove the filter.", g->spec->name, g->spec->name);
                        if (r < 0)
                                return r;
                        continue;
                }
                *e = (PolicyEvent) { .spec = g->spec, .line = g->place.line, .column = g->place.column,
                                     .is_implied = !g->chosen[CHOICE_NAMED] && g->n_fields == 0 };
                rule->n_events++;
                r = group_finish(s, g, &e->conditions, &e->n_conditions);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int check_interfaces(FilterSet *s) {
        for (size_t i = 0; i < s->n_events; i++)
                if (group_is_chosen(s->events + i) && event_packet_kind(s->events[i].spec) != 0)
                        return 0;
        for (size_t i = 0; i < s->subject.n_fields; i++)
                if (s->subject.fields[i].builder.condition.field == SCT_FIELD_INTERFACE)
                        return place_error(s, &s->subject.fields[i].place, "net= chooses the interface of packet events, and "
                                           "this policy has none; add for example event=net_packet_tcp, or remove it.");
        return 0;
}

static int finish(FilterSet *s, const FilterPlace *place, PolicyRule *rule) {
        OwnPlace whole = { .key = (char *) strempty(place->key), .line = place->line, .column = place->column };
        int r;

        r = check_switches(s);
        if (r < 0)
                return r;
        r = choose_default(s, place);
        if (r < 0)
                return r;
        r = check_interfaces(s);
        if (r < 0)
                return r;
        r = group_finish(s, &s->subject, &rule->subject, &rule->n_subject);
        if (r < 0)
                return r;
        r = finish_events(s, rule);
        if (r < 0)
                return r;
        if (rule->n_events == 0 && s->n_errors == 0)
                return place_error(s, &whole, "event!= and set!= take all events away; leave at least one.");

        rule->follow = s->switches[SWITCH_FOLLOW];
        rule->born_after_load = s->switches[SWITCH_BORN_AFTER_LOAD];
        rule->not_born_after_load = s->switches[SWITCH_NOT_BORN_AFTER_LOAD];
        rule->cgroup_after_load = s->switches[SWITCH_CGROUP_AFTER_LOAD];
        rule->not_cgroup_after_load = s->switches[SWITCH_NOT_CGROUP_AFTER_LOAD];
        rule->names_journal = rule_names_journal(rule);
        return 0;
}

int filter_set_finish(FilterSet *s, const FilterPlace *place, PolicyRule *ret) {
        PolicyRule rule = {};
        int r;

        assert(s && place && ret);

        r = finish(s, place, &rule);
        if (r < 0 || s->n_errors > 0) {
                policy_rule_done(&rule);
                return r < 0 ? r : 0;
        }
        *ret = rule;
        return 1;
}
