/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Policies → Plan: which policies fit, which number each rule gets, and one plan for the subject and for every event.
 *
 * Invariant: all or nothing for a policy. One that passes a limit is left out with a sentence and leaves nothing behind
 * in the Plan. Limits that show only when the tables are made (automata, predicates) start the compilation again without
 * the policy that takes the most of them.
 *
 * How a condition becomes predicates stands in compile-predicates.c. Whether the kernel can serve an event is not asked
 * here: kernel/ judges that. */

#include <stdarg.h>
#include <stdio.h>

#include "../basic/macro.h"
#include "compile-action.h"
#include "compile-hook.h"
#include "compile-lineage.h"
#include "compile-packet.h"
#include "plan-uses.h"
#include "policy-compile.h"

#define PLANS_EXTRA 2          /* beside those of events: the subject's, and that of all packets */
#define CONDITIONS_MAX 64      /* conditions of one rule on one event, or on the subject: each may become two layers */

static int refuse(ProblemList *problems, const Policy *p, unsigned line, unsigned column, const char *format, ...)
        __attribute__((format(printf, 5, 6)));

/* Returns -EINVAL, or -ENOMEM when not even that can be said. */
static int refuse(ProblemList *problems, const Policy *p, unsigned line, unsigned column, const char *format, ...) {
        _cleanup_free_ char *message = NULL;
        va_list ap;
        int r;

        va_start(ap, format);
        r = vasprintf(&message, format, ap);
        va_end(ap);
        if (r < 0) {
                message = NULL;
                return -ENOMEM;
        }

        r = problem_add(problems, PROBLEM_ERROR, p->path, line, column, "spec", "policy \"%s\" is not loaded: %s.",
                        p->name ?: "", message);
        return r < 0 ? r : -EINVAL;
}

/* ---- Admission: what a policy needs of the things that are counted ---- */

static uint32_t pattern_hash(uint8_t kind, const char *glob, size_t size) {
        uint32_t h = 2166136261U ^ kind;

        for (size_t i = 0; i < size; i++)
                h = (h ^ (uint8_t) glob[i]) * 16777619U;
        return h;
}

int compiler_pattern(Compiler *c, uint8_t kind, const char *glob, size_t size) {
        const Plan *p = c->plan;
        uint32_t h = pattern_hash(kind, glob, size);

        for (size_t i = 0; i < p->n_cgroup_patterns; i++)
                if (c->pattern_hash[i] == h && p->cgroup_patterns[i].kind == kind &&
                    strlen(p->cgroup_patterns[i].glob) == size && memcmp(p->cgroup_patterns[i].glob, glob, size) == 0)
                        return i;
        return -ENOENT;
}

static int admit_pattern(Compiler *c, const CompileInput *in, const Condition *o, uint8_t kind, const char *glob,
                         size_t size) {
        struct sct_cgroup_pattern *pattern;
        Plan *p = c->plan;

        if (size >= SCT_CGROUP_PATTERN_LEN)
                return refuse(c->problems, in->policy, o->line, o->column,
                              "the pattern \"%.*s\" has %zu bytes, more than %d; write a shorter one with *",
                              (int) MIN(size, (size_t) 40), glob, size, SCT_CGROUP_PATTERN_LEN - 1);
        if (compiler_pattern(c, kind, glob, size) >= 0)
                return 0;
        if (p->n_cgroup_patterns >= SCT_CGROUP_PATTERNS_MAX)
                return refuse(c->problems, in->policy, o->line, o->column,
                              "all policies together name more than %d different units, slices, sessions, cgroups and "
                              "containers; write patterns with * instead of single names", SCT_CGROUP_PATTERNS_MAX);
        if (!GREEDY_REALLOC(p->cgroup_patterns, p->n_cgroup_patterns_allocated, p->n_cgroup_patterns + 1))
                return -ENOMEM;

        c->pattern_hash[p->n_cgroup_patterns] = pattern_hash(kind, glob, size);
        pattern = p->cgroup_patterns + p->n_cgroup_patterns++;
        *pattern = (struct sct_cgroup_pattern) { .kind = kind };
        memcpy(pattern->glob, glob, size);
        return 0;
}

int compiler_tree_root(Compiler *c, uint64_t pid) {
        const struct sct_gen_config *config = &c->plan->config;

        for (uint32_t i = 0; i < config->n_tree_roots; i++)
                if (config->tree_root[i] == pid)
                        return i;
        return -ENOENT;
}

static int admit_tree_roots(Compiler *c, const CompileInput *in, const Condition *o, const uint64_t *pids, size_t n) {
        struct sct_gen_config *config = &c->plan->config;

        for (size_t i = 0; i < n; i++) {
                if (compiler_tree_root(c, pids[i]) >= 0)
                        continue;
                if (config->n_tree_roots >= ELEMENTSOF(config->tree_root))
                        return refuse(c->problems, in->policy, o->line, o->column,
                                      "all policies together name more than %zu different processes by tree=; name a "
                                      "common ancestor instead", ELEMENTSOF(config->tree_root));
                config->tree_root[config->n_tree_roots++] = pids[i];
        }
        return 0;
}

static int admit_string(Compiler *c, const CompileInput *in, const Condition *o, const Pattern *t) {
        size_t size = t->size + (t->has_mnt_ns ? sizeof(uint64_t) : 0), max;

        if (t->has_mnt_ns && o->field != SCT_FIELD_EXE)
                return refuse(c->problems, in->policy, o->line, o->column,
                              "only binary= knows mount namespaces; write the path alone");
        if (t->has_mnt_ns && t->kind != PATTERN_EQUAL && t->kind != PATTERN_PREFIX)
                return refuse(c->problems, in->policy, o->line, o->column,
                              "\"*%.*s\" stands behind a mount namespace; write an absolute path or a prefix such as "
                              "host:/usr/bin/*", (int) MIN(t->size, (size_t) 40), t->text);

        max = t->kind == PATTERN_EQUAL ? SCT_STR_CLASS_3 : t->kind == PATTERN_SUBSTRING ? SCT_STR_MAX : SCT_AFFIX_MAX;
        if (size <= max)
                return 0;
        return refuse(c->problems, in->policy, o->line, o->column,
                      "the value \"%.*s…\" has %zu bytes where %zu are possible; %s", (int) MIN(t->size, (size_t) 40),
                      t->text, t->size, max - (size - t->size),
                      t->kind == PATTERN_EQUAL ? "write its beginning followed by *" : "write a shorter one");
}

static int admit_condition(Compiler *c, const CompileInput *in, const Condition *o, const EventSpec *spec) {
        int r;

        if (o->field == SCT_FIELD_NONE ||
            (SCT_FIELD_IS_ARG(o->field) && (!spec || SCT_FIELD_ARG_INDEX(o->field) >= MIN(spec->n_args, SCT_ARGS_MAX))))
                return refuse(c->problems, in->policy, o->line, o->column, "%s has no field of number %d",
                              spec ? spec->name : "a task", o->field);

        if (o->class == CONDITION_TREE) {
                r = admit_tree_roots(c, in, o, o->eq, o->n_eq);
                return r < 0 ? r : admit_tree_roots(c, in, o, o->ne, o->n_ne);
        }

        if (compile_is_of_kin(o) && compile_admit_kin(c, o) < 0)
                return refuse(c->problems, in->policy, o->line, o->column,
                              "all policies together have more than %d different lists of binaries and processes whose "
                              "descendants are followed; use the same list in several places, or write "
                              "`followChildren: false`", SCT_KIN_SETS_MAX);

        for (size_t i = 0; i < o->n_patterns; i++) {
                const Pattern *t = o->patterns + i;

                r = o->class == CONDITION_CGROUP ? admit_pattern(c, in, o, t->cgroup_kind, t->text, t->size)
                                                 : admit_string(c, in, o, t);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int admit_event(Compiler *c, const CompileInput *in, const PolicyEvent *e) {
        uint16_t id = e->spec->id;
        int r;

        if (e->n_conditions > CONDITIONS_MAX)
                return refuse(c->problems, in->policy, e->line, e->column,
                              "a rule puts %zu conditions on %s, more than %d; write several values into one "
                              "expression, separated by commas", e->n_conditions, e->spec->name, CONDITIONS_MAX);
        if (id < SCT_EVENT_HOOK_FIRST && id >= ELEMENTSOF(c->plan->events))
                return refuse(c->problems, in->policy, e->line, e->column, "%s has no place in the table of events",
                              e->spec->name);

        if (!c->specs[id]) {
                if (c->n_events >= SCT_PLANS_MAX - PLANS_EXTRA)
                        return refuse(c->problems, in->policy, e->line, e->column,
                                      "all policies together want more than %d events; name fewer", SCT_PLANS_MAX - PLANS_EXTRA);
                c->specs[id] = e->spec;
                c->events[c->n_events++] = id;
        }

        for (size_t i = 0; i < e->n_conditions; i++) {
                r = admit_condition(c, in, e->conditions + i, e->spec);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int admit_rule(Compiler *c, const CompileInput *in, uint32_t index) {
        const PolicyRule *rule = in->policy->rules + index;
        static const Condition nowhere = {};
        int r;

        if (rule->n_events == 0)
                return 0; /* matches nothing: needs no number */

        if (c->n_rules >= SCT_BANKS_MAX * 64)
                return refuse(c->problems, in->policy, 0, 0, "all policies together have more than %d rules; "
                              "write fewer AND-groups, or several values into one expression", SCT_BANKS_MAX * 64);
        if (rule->follow && in->follow_slot >= 64)
                return refuse(c->problems, in->policy, 0, 0,
                              "more than 64 policies use follow; leave it out of those that can do without");
        if (rule->n_subject > CONDITIONS_MAX)
                return refuse(c->problems, in->policy, 0, 0,
                              "a rule puts %zu conditions on the task, more than %d; write several values into one "
                              "expression, separated by commas", rule->n_subject, CONDITIONS_MAX);

        for (size_t i = 0; i < rule->n_subject; i++) {
                r = admit_condition(c, in, rule->subject + i, NULL);
                if (r < 0)
                        return r;
        }
        if (rule->cgroup_after_load || rule->not_cgroup_after_load) {
                r = admit_pattern(c, in, &nowhere, SCT_CGROUP_CONTAINER, "*", 1);
                if (r < 0)
                        return r;
        }
        for (size_t i = 0; i < rule->n_events; i++) {
                r = admit_event(c, in, rule->events + i);
                if (r < 0)
                        return r;
        }

        if (!GREEDY_REALLOC(c->rules, c->n_rules_allocated, c->n_rules + 1))
                return -ENOMEM;
        c->rules[c->n_rules++] = (CompilerRule) { .input = in, .index = index, .rule = rule };
        return 0;
}

/* -EINVAL: refused, and as if it had never been there. */
static int admit(Compiler *c, const CompileInput *in) {
        size_t n_patterns = c->plan->n_cgroup_patterns, n_events = c->n_events, n_rules = c->n_rules;
        uint32_t n_roots = c->plan->config.n_tree_roots, n_kin = c->plan->config.n_kin;
        int r;

        if (in->policy->enforcer_calls && in->policy->enforcer_number >= PLAN_ENFORCERS_MAX)
                return refuse(c->problems, in->policy, 0, 0, "more than %d policies have enforcers; write the hooks and "
                              "calls of several into one", PLAN_ENFORCERS_MAX);
        for (size_t i = 0; i < in->policy->n_rules; i++) {
                r = admit_rule(c, in, i);
                if (r >= 0)
                        continue;

                c->plan->n_cgroup_patterns = n_patterns;
                c->plan->config.n_tree_roots = n_roots;
                c->plan->config.n_kin = n_kin;
                while (c->n_events > n_events)
                        c->specs[c->events[--c->n_events]] = NULL;
                c->n_rules = n_rules;
                return r;
        }

        if (!GREEDY_REALLOC(c->plan->policies, c->plan->n_policies_allocated, c->plan->n_policies + 1))
                return -ENOMEM;
        c->plan->policies[c->plan->n_policies++] = policy_ref(in->policy);
        return 0;
}

/* ---- Numbers: rules that want the same events stand in the same banks ---- */

typedef struct EventRank {
        uint16_t event;
        uint32_t n_rules;
} EventRank;

static int rank_compare(const void *a, const void *b) {
        const EventRank *x = a, *y = b;

        if (x->n_rules != y->n_rules)
                return x->n_rules > y->n_rules ? -1 : 1;
        return (x->event > y->event) - (x->event < y->event);
}

static int u16_compare(const void *a, const void *b) {
        return *(const uint16_t *) a - *(const uint16_t *) b;
}

static int rule_compare(const void *a, const void *b) {
        const CompilerRule *x = a, *y = b;

        for (size_t i = 0; i < x->rule->n_events && i < y->rule->n_events; i++)
                if (x->ranks[i] != y->ranks[i])
                        return x->ranks[i] < y->ranks[i] ? -1 : 1;
        if (x->rule->n_events != y->rule->n_events)
                return x->rule->n_events < y->rule->n_events ? -1 : 1;
        return x->order < y->order ? -1 : 1;
}

/* Ordered by the events that they want, the most wanted first: its rules are neighbours, within them those that share
 * the next one, and so on. One bank needs no order, and then numbers follow the input. */
static int number_rules(Compiler *c) {
        _cleanup_free_ EventRank *by_count = NULL;
        _cleanup_free_ uint16_t *ranks = NULL, *rank_of = NULL;
        size_t n = 0, used = 0;

        if (c->n_rules <= 64)
                return 0;

        for (size_t i = 0; i < c->n_rules; i++)
                n += c->rules[i].rule->n_events;
        by_count = new0(EventRank, SCT_PLANS_MAX);
        rank_of = new0(uint16_t, UINT16_MAX + 1);
        ranks = new(uint16_t, n);
        if (!by_count || !rank_of || !ranks)
                return -ENOMEM;

        for (size_t i = 0; i < c->n_events; i++) {
                by_count[i].event = c->events[i];
                rank_of[c->events[i]] = i;
        }
        for (size_t i = 0; i < c->n_rules; i++)
                for (size_t k = 0; k < c->rules[i].rule->n_events; k++)
                        by_count[rank_of[c->rules[i].rule->events[k].spec->id]].n_rules++;
        qsort(by_count, c->n_events, sizeof(by_count[0]), rank_compare);
        for (size_t i = 0; i < c->n_events; i++)
                rank_of[by_count[i].event] = i;

        for (size_t i = 0; i < c->n_rules; i++) {
                CompilerRule *rule = c->rules + i;

                rule->order = i;
                rule->ranks = ranks + used;
                for (size_t k = 0; k < rule->rule->n_events; k++)
                        ranks[used++] = rank_of[rule->rule->events[k].spec->id];
                qsort(rule->ranks, rule->rule->n_events, sizeof(ranks[0]), u16_compare);
        }
        qsort(c->rules, c->n_rules, sizeof(c->rules[0]), rule_compare);
        for (size_t i = 0; i < c->n_rules; i++)
                c->rules[i].ranks = NULL; /* they end here */
        return 0;
}

static int fill_rules(Compiler *c) {
        struct sct_gen_config *config = &c->plan->config;
        Plan *p = c->plan;

        memset(config->follow_slot, 0xff, sizeof(config->follow_slot));
        if (!GREEDY_REALLOC(p->rules, p->n_rules_allocated, c->n_rules))
                return -ENOMEM;

        for (size_t i = 0; i < c->n_rules; i++) {
                const CompilerRule *rule = c->rules + i;
                uint64_t bit = UINT64_C(1) << (i % 64);

                p->rules[i] = (PlanRule) {
                        .policy = rule->input->policy,
                        .scope = rule->input->scope,
                        .rule = rule->index,
                };
                config->all[i / 64] |= bit;
                for (size_t s = 0; s < rule->rule->n_subject; s++)
                        if (compile_asks_origin(rule->rule->subject + s))
                                config->any_origin = 1;
                if (rule->rule->names_journal)
                        config->names_journal[i / 64] |= bit;
                if (rule->rule->follow) {
                        config->follow[i / 64] |= bit;
                        config->follow_slot[i] = rule->input->follow_slot;
                        config->any_follow = 1;
                }
        }
        p->n_rules = c->n_rules;
        config->n_banks = (c->n_rules + 63) / 64;
        return 0;
}

/* ---- Plans ---- */

static int want_compare(const void *a, const void *b) {
        const RuleConditions *x = a, *y = b;

        if (x->event != y->event)
                return x->event < y->event ? -1 : 1;
        return (x->rule > y->rule) - (x->rule < y->rule);
}

/* A filter on interfaces is one on packets: other events pass it by. */
static bool asks_of(const Condition *o, const EventSpec *spec) {
        return compile_is_of_moment(o) && (o->field != SCT_FIELD_INTERFACE || event_packet_kind(spec) != 0);
}

/* What every rule asks of the events that it wants, ordered by event. */
static int collect_wants(Compiler *c, RuleConditions **ret, size_t *ret_n) {
        _cleanup_free_ RuleConditions *wants = NULL;
        size_t n = 0;

        for (size_t i = 0; i < c->n_rules; i++)
                n += c->rules[i].rule->n_events * (1 + c->rules[i].rule->n_subject);
        wants = new(RuleConditions, n + 1);
        if (!wants)
                return -ENOMEM;

        n = 0;
        for (size_t i = 0; i < c->n_rules; i++)
                for (size_t k = 0; k < c->rules[i].rule->n_events; k++) {
                        const PolicyEvent *e = c->rules[i].rule->events + k;

                        wants[n++] = (RuleConditions) {
                                .event = e->spec->id,
                                .rule = i,
                                .conditions = e->conditions,
                                .n = e->n_conditions,
                        };
                        for (size_t s = 0; s < c->rules[i].rule->n_subject; s++)
                                if (asks_of(c->rules[i].rule->subject + s, e->spec))
                                        wants[n++] = (RuleConditions) {
                                                .event = e->spec->id,
                                                .rule = i,
                                                .conditions = c->rules[i].rule->subject + s,
                                                .n = 1,
                                        };
                }
        qsort(wants, n, sizeof(wants[0]), want_compare);

        *ret = TAKE_PTR(wants);
        *ret_n = n;
        return 0;
}

void compiler_set_banks(struct sct_plan *plan) {
        unsigned first = 0, end = SCT_BANKS_MAX;

        while (end > 0 && plan->wants[end - 1] == 0)
                end--;
        while (first < end && plan->wants[first] == 0)
                first++;
        plan->bank_first = first;
        plan->n_banks = end - first;
}

static void plan_set_arg(struct sct_arg_plan *arg, const EventArgSpec *spec) {
        *arg = (struct sct_arg_plan) {
                .type = spec->type,
                .source = spec->source,
                .size_source = spec->size_source,
                .flags = spec->flags,
        };
        if (spec->flags & SCT_ARG_PLAN_REGS32) {
                arg->low32 = spec->low32;
                arg->high32 = spec->high32;
        }
}

static void plan_set_event(struct sct_plan *plan, const EventSpec *spec) {
        plan->event = spec->id;
        plan->flags = spec->no_return ? SCT_PLAN_NO_RETURN : 0;
        plan->n_args = MIN(spec->n_args, SCT_ARGS_MAX);
        for (unsigned i = 0; i < plan->n_args; i++)
                plan_set_arg(plan->args + i, spec->args + i);
        for (unsigned i = 0; i < plan->n_args; i++)
                if (plan->args[i].flags & SCT_ARG_PLAN_EXIT)
                        plan->flags |= SCT_PLAN_EXIT_ARGS;
}

/* What one rule's policy wants of every record of the event; that of one is there for all. */
static void plan_add_options(struct sct_plan *plan, const EventSpec *spec, const CompilerRule *rule,
                             const RuleConditions *want) {
        unsigned options = rule->input->policy->options;
        int env;

        if (options & POLICY_OPTION_FD_PATHS)
                for (unsigned i = 0; i < plan->n_args; i++)
                        if (plan->args[i].type == SCT_ARG_FD)
                                plan->args[i].flags |= SCT_ARG_PLAN_FD_PATH;
        if (strcmp(spec->name, "sched_process_exec") != 0)
                return;
        env = event_arg_index(spec, "env");
        if (options & POLICY_OPTION_EXEC_ENV)
                plan->flags |= SCT_PLAN_EXEC_ENV;
        for (size_t i = 0; i < want->n; i++)
                if (want->conditions[i].field == SCT_FIELD_ARG + env)
                        plan->flags |= SCT_PLAN_EXEC_ENV;
}

/* Where the hooks find the plan. */
static void index_event(Compiler *c, const EventSpec *spec, uint16_t plan) {
        Plan *p = c->plan;
        int native = -1, compat = -1;

        if (spec->id < ELEMENTSOF(p->events))
                p->events[spec->id] = plan;

        if (spec->family == EVENT_FAMILY_SYSCALL) {
                event_syscall_numbers(spec, &native, &compat);
                if (native >= 0 && native < SCT_SYSCALL_NR_MAX)
                        p->syscalls[native] = plan;
                if (compat >= 0 && compat < SCT_SYSCALL_NR_MAX)
                        p->syscalls[SCT_SYSCALL_NR_MAX + compat] = plan;
        }
        if (strcmp(spec->name, "sys_enter") == 0)
                p->config.plan_sys_enter = plan;
        else if (strcmp(spec->name, "sys_exit") == 0)
                p->config.plan_sys_exit = plan;
}

static int fill_events(Compiler *c) {
        _cleanup_free_ RuleConditions *wants = NULL;
        size_t n, end;
        int r;

        r = collect_wants(c, &wants, &n);
        if (r < 0)
                return r;

        for (size_t i = 0; i < n; i = end) {
                const EventSpec *spec = c->specs[wants[i].event];
                struct sct_plan *plan = c->plan->plans + c->plan->n_plans;

                plan_set_event(plan, spec);
                for (end = i; end < n && wants[end].event == wants[i].event; end++) {
                        plan->wants[wants[end].rule / 64] |= UINT64_C(1) << (wants[end].rule % 64);
                        plan_add_options(plan, spec, c->rules + wants[end].rule, wants + end);
                }
                compiler_set_banks(plan);

                r = compile_predicates(c, plan, spec, wants + i, end - i);
                if (r < 0)
                        return r;
                if (c->rules[wants[i].rule].rule->hook)
                        r = compile_hook_plan(c, plan, c->plan->n_plans, c->rules[wants[i].rule].rule->hook);
                if (r < 0)
                        return r;
                index_event(c, spec, c->plan->n_plans++);
        }
        return 0;
}

static void add_span(RuleConditions *w, Condition *o, uint16_t field, NumberRange *range, uint64_t low, uint64_t high) {
        *range = (NumberRange) { .low = low, .high = high };
        *o = (Condition) { .field = field, .class = CONDITION_NUMBER, .ranges = range, .n_ranges = 1 };
        w->n++;
}

static Pattern any_container_pattern = {
        .kind = PATTERN_GLOB, .cgroup_kind = SCT_CGROUP_CONTAINER, .text = (char *) "*", .size = 1,
};

/* What pid=new and container=new ask beside the conditions that the rule brings. With loaded_ns 0 nothing is older, and
 * the range from 1 to 0 is empty. */
static size_t synthesize(const CompilerRule *rule, uint16_t number, SubjectExtra *x, RuleConditions *ret) {
        const PolicyRule *p = rule->rule;
        uint64_t loaded = rule->input->loaded_ns, before = loaded > 0 ? loaded - 1 : 0;
        RuleConditions w = { .rule = number, .conditions = x->conditions };

        if (p->born_after_load)
                add_span(&w, x->conditions + w.n, SCT_FIELD_BORN, x->ranges + w.n, loaded, UINT64_MAX);
        if (p->not_born_after_load)
                add_span(&w, x->conditions + w.n, SCT_FIELD_BORN, x->ranges + w.n, loaded == 0, before);
        if (p->cgroup_after_load)
                add_span(&w, x->conditions + w.n, SCT_FIELD_CGROUP_BORN, x->ranges + w.n, loaded, UINT64_MAX);
        if (p->not_cgroup_after_load)
                add_span(&w, x->conditions + w.n, SCT_FIELD_CGROUP_BORN, x->ranges + w.n, loaded == 0, before);
        if (p->cgroup_after_load || p->not_cgroup_after_load)
                x->conditions[w.n++] = (Condition) {
                        .field = SCT_FIELD_CGROUP,
                        .class = CONDITION_CGROUP,
                        .patterns = &any_container_pattern,
                        .n_patterns = 1,
                };
        *ret = w;
        return w.n;
}

static int fill_subject(Compiler *c) {
        _cleanup_free_ RuleConditions *wants = NULL;
        struct sct_plan *plan = c->plan->plans + SCT_PLAN_SUBJECT;
        size_t n = 0;
        int r;

        for (size_t i = 0; i < c->n_rules; i++)
                n += c->rules[i].rule->n_subject + 1;
        wants = new(RuleConditions, n + 1);
        n = 0;
        c->extras = new(SubjectExtra, c->n_rules + 1);
        if (!wants || !c->extras)
                return -ENOMEM;

        for (size_t i = 0; i < c->n_rules; i++) {
                const PolicyRule *rule = c->rules[i].rule;

                plan->wants[i / 64] |= UINT64_C(1) << (i % 64);
                for (size_t s = 0; s < rule->n_subject; s++)
                        if (!compile_is_of_moment(rule->subject + s))
                                wants[n++] = (RuleConditions) { .rule = i, .conditions = rule->subject + s, .n = 1 };
                if (synthesize(c->rules + i, i, c->extras + i, wants + n) > 0)
                        n++;
        }
        compiler_set_banks(plan);
        c->plan->n_plans = 1;

        r = compile_predicates(c, plan, NULL, wants, n);
        if (r < 0)
                return r;
        c->plan->config.subject_first = plan->pred_first;
        c->plan->config.n_subject_preds = plan->n_preds;
        return 0;
}

/* ---- One compilation ---- */

static void compiler_done(Compiler *c) {
        table_set_done(&c->tables);
        plan_free(c->plan);
        free(c->rules);
        free(c->extras);
        free(c->parts);
        free(c);
}

static void compiler_freep(Compiler **c) {
        if (*c)
                compiler_done(*c);
}

/* -E2BIG: what is made of all together passes a limit, *reterr_limit says which; one policy must go. */
static int compile_once(const CompileInput *inputs, size_t n, uint32_t generation, Plan **ret, bool *failed,
                        ProblemList *problems, CompilerLimit *reterr_limit) {
        _cleanup_(compiler_freep) Compiler *c = NULL;
        int r;

        c = new0(Compiler, 1);
        if (!c)
                return -ENOMEM;
        c->problems = problems;
        c->plan = c->tables.plan = new0(Plan, 1);
        if (!c->plan)
                return -ENOMEM;
        c->plan->config.generation = generation;

        for (size_t i = 0; i < n; i++) {
                if (failed[i])
                        continue;
                r = admit(c, inputs + i);
                if (r == -ENOMEM)
                        return r;
                failed[i] = r < 0;
        }
        c->plan->config.n_cgroup_patterns = c->plan->n_cgroup_patterns;

        r = number_rules(c);
        if (r < 0)
                return r;
        r = fill_rules(c);
        if (r < 0)
                return r;

        c->plan->plans = new0(struct sct_plan, c->n_events + PLANS_EXTRA);
        if (!c->plan->plans)
                return -ENOMEM;
        c->plan->n_plans_allocated = c->n_events + PLANS_EXTRA;

        r = fill_subject(c);
        if (r >= 0)
                r = compile_kin(c);
        if (r >= 0)
                r = fill_events(c);
        if (r >= 0)
                compile_packets(c);
        if (r >= 0)
                r = compile_enforcers(c);
        if (r >= 0)
                r = compile_actions(c);
        if (r < 0) {
                *reterr_limit = c->limit;
                return r;
        }

        plan_note_uses(c->plan);
        *ret = TAKE_PTR(c->plan);
        return 0;
}

static size_t weigh_conditions(const Condition *o, size_t n, CompilerLimit limit) {
        size_t w = 0;

        for (size_t i = 0; i < n; i++) {
                w += limit == LIMIT_PREDICATES ? 1 : limit == LIMIT_RANGES ? o[i].n_ranges : o[i].n_masks;
                for (size_t k = 0; limit == LIMIT_AUTOMATA && k < o[i].n_patterns; k++)
                        if (o[i].patterns[k].kind == PATTERN_SUBSTRING)
                                w += o[i].patterns[k].size;
        }
        return w;
}

/* How much of what is short a policy takes. */
static size_t weigh(const Policy *p, CompilerLimit limit) {
        size_t w = 0;

        for (size_t i = 0; i < p->n_rules; i++) {
                const PolicyRule *rule = p->rules + i;

                w += weigh_conditions(rule->subject, rule->n_subject, limit);
                for (size_t k = 0; k < rule->n_events; k++)
                        w += weigh_conditions(rule->events[k].conditions, rule->events[k].n_conditions, limit);
        }
        return w;
}

/* The sentence for each limit that holds for all policies together. */
static const char *const limit_table[_LIMIT_MAX] = {
        [LIMIT_AUTOMATA] = "its values of the form *text* are too many; write prefixes (text*), suffixes (*text) or "
                           "whole values, or fewer of them",
        [LIMIT_PREDICATES] = "it asks too many arguments of too many events; put its conditions on fewer events, or on "
                             "the task (comm, binary, uid, ...) instead of on EVENT.context",
        [LIMIT_RANGES] = "its ranges of numbers are too many; write fewer and wider ones",
        [LIMIT_MASKS] = "its flags are too many; write fewer of them",
};

static int drop_heaviest(const CompileInput *inputs, size_t n, CompilerLimit limit, bool *failed,
                         ProblemList *problems) {
        size_t heaviest = SIZE_MAX, weight = 0;
        int r;

        for (size_t i = 0; i < n; i++) {
                size_t w = failed[i] ? 0 : weigh(inputs[i].policy, limit);

                if (w > 0 && w >= weight) {
                        heaviest = i;
                        weight = w;
                }
        }
        if (heaviest == SIZE_MAX)
                return -E2BIG;

        failed[heaviest] = true;
        r = refuse(problems, inputs[heaviest].policy, 0, 0, "%s", limit_table[limit]);
        return r == -EINVAL ? 0 : r;
}

int policy_compile(const CompileInput *inputs, size_t n, uint32_t generation, const FeatureSet *features, Plan **ret,
                   bool *failed, ProblemList *problems) {
        CompilerLimit limit = LIMIT_AUTOMATA;
        int r;

        assert(inputs || n == 0);
        assert(failed || n == 0);
        assert(ret);
        assert(problems);

        for (size_t i = 0; i < n; i++)
                failed[i] = false;

        r = compile_number_hooks(inputs, n);
        if (r < 0)
                return r;

        for (;;) {
                r = compile_once(inputs, n, generation, ret, failed, problems, &limit);
                if (r != -E2BIG)
                        return r;
                r = drop_heaviest(inputs, n, limit, failed, problems);
                if (r < 0)
                        return r;
        }
}
