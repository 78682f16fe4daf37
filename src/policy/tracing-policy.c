/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* spec of TracingPolicy: its sections. lists, enforcers, options and macros are read before the hooks, wherever they
 * stand, because hooks speak of them.
 *
 * Every key that the language has in any of its versions is a row here: read, or refused with the reason; none is
 * ignored in silence. What selects Kubernetes' objects is refused, since a policy without it would watch more. */

#include <inttypes.h>
#include <regex.h>
#include <stdio.h>

#include "../basic/macro.h"
#include "../basic/string-util.h"
#include "tracing-internal.h"
#include "tracing-policy.h"

static void tracing_reader_done(TracingReader *t) {
        for (size_t i = 0; i < t->n_lists; i++) {
                free(t->lists[i].name);
                free(t->lists[i].pattern);
                strv_free(t->lists[i].values);
        }
        free(t->lists);
}

/* ---- lists ---- */

const TracingList *tracing_find_list(const TracingReader *t, const char *name) {
        for (size_t i = 0; i < t->n_lists; i++)
                if (streq(t->lists[i].name, name))
                        return t->lists + i;
        return NULL;
}

int tracing_no_list(YamlReader *r, const YamlNode *n, const TracingReader *t, const char *name) {
        Suggest s;

        suggest_begin(&s, name);
        for (size_t i = 0; i < t->n_lists; i++)
                suggest_try(&s, t->lists[i].name);
        return yaml_error(r, n, "There is no list %s%s", QUOTE(name), s.best[0] ? SUGGESTION(&s) : "; add it to "
                          "spec.lists.");
}

typedef struct ListDraft {
        TracingList list;
        const YamlNode *values, *pattern;
        size_t n_values;
        bool generated;
} ListDraft;

static int list_name(YamlReader *r, const YamlNode *n, void *target) {
        ListDraft *d = target;
        const char *text;
        int q;

        q = yaml_get_string(r, n, YAML_STRING_LENIENT, &text);
        return q <= 0 ? q : free_and_strdup(&d->list.name, text);
}

static int list_type(YamlReader *r, const YamlNode *n, void *target) {
        static const struct {
                const char *name;
                TracingListKind kind;
                bool generated;
        } rows[] = {
                { "", TRACING_LIST_FUNCTIONS, false },
                { "syscalls", TRACING_LIST_SYSCALLS, false },
                { "generated_syscalls", TRACING_LIST_SYSCALLS, true },
                { "generated_ftrace", TRACING_LIST_PATTERN, true },
        };
        ListDraft *d = target;
        const char *text;
        Suggest s;
        int q;

        q = yaml_get_string(r, n, YAML_STRING_EMPTY_OK, &text);
        if (q <= 0)
                return q;
        suggest_begin(&s, text);
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                suggest_try(&s, rows[i].name);
                if (streq(rows[i].name, text)) {
                        d->list.kind = rows[i].kind;
                        d->generated = rows[i].generated;
                        return 0;
                }
        }
        return yaml_error(r, n, "%s is no type of a list%s", QUOTE(text), s.best[0] ? SUGGESTION(&s) :
                          "; write syscalls, generated_syscalls or generated_ftrace, or leave it out for functions.");
}

static int list_values(YamlReader *r, const YamlNode *n, void *target) {
        ListDraft *d = target;

        if (!yaml_is_null(n) && !(n->kind == YAML_SEQUENCE && n->n_items == 0))
                d->values = n;
        return 0;
}

static int list_pattern(YamlReader *r, const YamlNode *n, void *target) {
        ListDraft *d = target;
        const char *text;
        regex_t regex;
        int q;

        q = yaml_get_string(r, n, YAML_STRING_EMPTY_OK, &text);
        if (q <= 0 || *text == '\0')
                return q < 0 ? q : 0;
        if (strlen(text) > TRACING_NAME_MAX)
                return yaml_error(r, n, "The pattern has %zu bytes, more than %u; write a shorter one.", strlen(text),
                                  TRACING_NAME_MAX);
        if (regcomp(&regex, text, REG_EXTENDED | REG_NOSUB) != 0)
                return yaml_error(r, n, "%s is no regular expression; write for example ^ksys_.", QUOTE(text));
        regfree(&regex);
        d->pattern = n;
        return free_and_strdup(&d->list.pattern, text);
}

static int add_list_value(YamlReader *r, const YamlNode *n, void *target) {
        ListDraft *d = target;
        const char *text, *bare;
        int q;

        q = yaml_get_string(r, n, 0, &text);
        if (q <= 0)
                return q;
        bare = startswith(text, "x64/") ?: startswith(text, "i386/") ?: text;
        if (d->list.kind == TRACING_LIST_SYSCALLS && !tracing_find_syscall(bare))
                return yaml_error(r, n, "%s is no system call; write its name, for example sys_openat or "
                                  "i386/sys_openat.", QUOTE(text));
        if (strlen(text) > TRACING_NAME_MAX)
                return yaml_error(r, n, "%s is no name of a function; write a shorter one.", QUOTE(text));
        if (d->n_values++ >= TRACING_NAMES_MAX)
                return d->n_values > TRACING_NAMES_MAX + 1 ? 0 :
                       yaml_error(r, n, "The list has more than %u values; write another list.", TRACING_NAMES_MAX);
        return strv_extend(&d->list.values, text);
}

static int all_syscalls(ListDraft *d) {
        for (const EventSpec *e = event_spec_next(NULL); e; e = event_spec_next(e)) {
                _cleanup_free_ char *name = NULL;
                int q;

                if (e->family != EVENT_FAMILY_SYSCALL || e->compat_only)
                        continue;
                name = strjoin("sys_", e->name);
                q = name ? strv_extend(&d->list.values, name) : -ENOMEM;
                if (q < 0)
                        return q;
        }
        return 0;
}

static int fill_list(YamlReader *r, const YamlNode *n, ListDraft *d) {
        size_t mark;
        int q;

        if (d->generated && d->values)
                return yaml_error(r, d->values, "The members of a generated list are found, not written; remove "
                                  "values.");
        if (d->list.kind == TRACING_LIST_PATTERN && !d->pattern)
                return yaml_error(r, n, "A list of type generated_ftrace needs to know which functions; add `pattern:` "
                                  "with a regular expression.");
        if (d->list.kind != TRACING_LIST_PATTERN && d->pattern)
                return yaml_error(r, d->pattern, "Only a list of type generated_ftrace has a pattern; remove it.");
        if (d->generated)
                return d->list.kind == TRACING_LIST_SYSCALLS ? all_syscalls(d) : 0;
        if (!d->values)
                return yaml_error(r, n, "The list has no values; add `values:` with at least one name.");
        mark = yaml_key_push(r, "values");
        q = yaml_read_sequence(r, d->values, add_list_value, d);
        yaml_key_pop(r, mark);
        return q;
}

static int read_list(YamlReader *r, const YamlNode *n, void *target) {
        static const YamlField fields[] = {
                { "name", true, list_name },
                { "type", false, list_type },
                { "values", false, list_values },
                { "pattern", false, list_pattern },
                { "validated", false, NULL },
        };
        TracingReader *t = target;
        unsigned errors = r->n_errors;
        ListDraft d = {};
        int q;

        q = yaml_read_mapping(r, n, fields, ELEMENTSOF(fields), &d);
        if (q >= 0 && r->n_errors == errors && tracing_find_list(t, d.list.name))
                q = yaml_error(r, n, "There are two lists of the name %s; give one another name.", QUOTE(d.list.name));
        if (q >= 0 && r->n_errors == errors)
                q = fill_list(r, n, &d);
        if (q >= 0 && !GREEDY_REALLOC(t->lists, t->n_lists_allocated, t->n_lists + 1))
                q = -ENOMEM;
        if (q >= 0 && d.list.name) {
                /* Kept with problems, too: whoever names it shall not hear that it is missing. */
                t->lists[t->n_lists++] = d.list;
                return q;
        }
        free(d.list.name);
        free(d.list.pattern);
        strv_free(d.list.values);
        return q;
}

/* ---- enforcers, options ---- */

static int keep_enforcer_call(YamlReader *r, const YamlNode *n, TracingReader *t, const char *name) {
        if (t->n_enforcer_calls++ >= TRACING_NAMES_MAX)
                return t->n_enforcer_calls > TRACING_NAMES_MAX + 1 ? 0 :
                       yaml_error(r, n, "The enforcer has more than %u calls; name each once.", TRACING_NAMES_MAX);
        return strv_extend(&t->policy->enforcer_calls, name);
}

static int add_enforcer_call(YamlReader *r, const YamlNode *n, void *target) {
        TracingReader *t = target;
        const TracingList *list;
        const char *text, *name;
        int q;

        q = yaml_get_string(r, n, 0, &text);
        if (q <= 0)
                return q;
        name = startswith(text, "list:");
        if (!name) {
                if (!tracing_find_syscall(text) && !startswith(text, "security_"))
                        return yaml_error(r, n, "An enforcer stops system calls and security_* functions, and %s is "
                                          "neither; write for example sys_prctl.", QUOTE(text));
                return keep_enforcer_call(r, n, t, text);
        }
        list = tracing_find_list(t, name);
        if (!list)
                return tracing_no_list(r, n, t, name);
        if (list->kind == TRACING_LIST_PATTERN)
                return yaml_error(r, n, "An enforcer stops calls that are known by name; write them as a list of type "
                                  "syscalls.");
        STRV_FOREACH(i, list->values) {
                q = keep_enforcer_call(r, n, t, *i);
                if (q < 0)
                        return q;
        }
        return 0;
}

static int enforcer_calls(YamlReader *r, const YamlNode *n, void *target) {
        return yaml_read_sequence(r, n, add_enforcer_call, target);
}

static int read_enforcer(YamlReader *r, const YamlNode *n, void *target) {
        static const YamlField fields[] = {
                { "calls", true, enforcer_calls },
        };
        TracingReader *t = target;

        t->has_enforcers = true;
        return yaml_read_mapping(r, n, fields, ELEMENTSOF(fields), target);
}

typedef struct OptionDraft {
        const char *name, *value;
        const YamlNode *name_at, *value_at;
} OptionDraft;

static int option_name(YamlReader *r, const YamlNode *n, void *target) {
        OptionDraft *d = target;
        int q = yaml_get_string(r, n, 0, &d->name);

        d->name_at = n;
        return q < 0 ? q : 0;
}

static int option_value(YamlReader *r, const YamlNode *n, void *target) {
        OptionDraft *d = target;
        int q = yaml_get_string(r, n, YAML_STRING_LENIENT | YAML_STRING_EMPTY_OK, &d->value);

        d->value_at = n;
        return q < 0 ? q : 0;
}

static int option_policy_mode(YamlReader *r, const OptionDraft *d, TracingReader *t) {
        if (!streq(d->value, "enforce") && !streq(d->value, "monitor"))
                return yaml_error(r, d->value_at, "%s is no mode of a policy; write enforce or monitor.",
                                  QUOTE(d->value));
        t->policy->monitor = d->value[0] == 'm';
        return 0;
}

static int option_boolean(YamlReader *r, const OptionDraft *d, TracingReader *t) {
        if (parse_boolean(d->value) < 0)
                return yaml_error(r, d->value_at, "%s is neither true nor false; write one of these.", QUOTE(d->value));
        return 0;                       /* how hooks are attached is decided by what the kernel grants */
}

static int option_override_method(YamlReader *r, const OptionDraft *d, TracingReader *t) {
        if (!streq(d->value, "fmod-ret") && !streq(d->value, "override-return"))
                return yaml_error(r, d->value_at, "%s is no way to override; write fmod-ret or override-return, or "
                                  "leave the option out.", QUOTE(d->value));
        return 0;
}

static int option_size(YamlReader *r, const OptionDraft *d, TracingReader *t) {
        if (!tracing_is_integer(d->value))
                return yaml_error(r, d->value_at, "%s is no number; write one, or leave the option out.",
                                  QUOTE(d->value));
        return 0;
}

static int read_option(YamlReader *r, const YamlNode *n, void *target) {
        static const YamlField fields[] = {
                { "name", true, option_name },
                { "value", true, option_value },
        };
        static const struct {
                const char *name;
                int (*read)(YamlReader *r, const OptionDraft *d, TracingReader *t);
        } rows[] = {
                { "policy-mode", option_policy_mode },
                { "disable-kprobe-multi", option_boolean },
                { "disable-uprobe-multi", option_boolean },
                { "override-method", option_override_method },
                { "sleepable-preload-size", option_size },
        };
        OptionDraft d = {};
        Suggest s;
        int q;

        q = yaml_read_mapping(r, n, fields, ELEMENTSOF(fields), &d);
        if (q < 0 || !d.name || !d.value)
                return q;
        suggest_begin(&s, d.name);
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                suggest_try(&s, rows[i].name);
                if (streq(rows[i].name, d.name))
                        return rows[i].read(r, &d, target);
        }
        if (s.best[0])
                return yaml_error(r, d.name_at, "%s is no option%s", QUOTE(d.name), SUGGESTION(&s));
        return yaml_warning(r, d.name_at, "The option %s is not known here and changes nothing; policy-mode is.",
                            QUOTE(d.name));
}

/* ---- Sections ---- */

static int spec_lists(YamlReader *r, const YamlNode *n, void *target) {
        return yaml_is_null(n) ? 0 : yaml_read_sequence(r, n, read_list, target);
}

static int spec_enforcers(YamlReader *r, const YamlNode *n, void *target) {
        if (yaml_is_null(n))
                return 0;
        if (n->kind == YAML_SEQUENCE && n->n_items > 1)
                return yaml_error(r, n, "There is one enforcer; write all calls into the list of the first.");
        return yaml_read_sequence(r, n, read_enforcer, target);
}

static int spec_options(YamlReader *r, const YamlNode *n, void *target) {
        return yaml_is_null(n) ? 0 : yaml_read_sequence(r, n, read_option, target);
}

static int spec_macros(YamlReader *r, const YamlNode *n, void *target) {
        TracingReader *t = target;

        if (yaml_is_null(n))
                return 0;
        if (n->kind != YAML_MAPPING)
                return yaml_error(r, n, "Macros are a mapping from names to selectors; begin with `name:`.");
        t->macros = n;
        return 0;
}

static int spec_kprobes(YamlReader *r, const YamlNode *n, void *target) {
        return yaml_is_null(n) ? 0 : yaml_read_sequence(r, n, tracing_read_kprobe, target);
}

static int spec_tracepoints(YamlReader *r, const YamlNode *n, void *target) {
        return yaml_is_null(n) ? 0 : yaml_read_sequence(r, n, tracing_read_tracepoint, target);
}

static int spec_uprobes(YamlReader *r, const YamlNode *n, void *target) {
        return yaml_is_null(n) ? 0 : yaml_read_sequence(r, n, tracing_read_uprobe, target);
}

static int spec_lsmhooks(YamlReader *r, const YamlNode *n, void *target) {
        return yaml_is_null(n) ? 0 : yaml_read_sequence(r, n, tracing_read_lsm, target);
}

static int spec_loader(YamlReader *r, const YamlNode *n, void *target) {
        bool wanted = false;
        int q;

        q = yaml_get_bool(r, n, &wanted);
        return q <= 0 || !wanted ? MIN(q, 0) : tracing_add_loader(r, n, target);
}

static int spec_usdts(YamlReader *r, const YamlNode *n, void *target) {
        if (yaml_is_null(n))
                return 0;
        return yaml_error(r, n, "USDT probes are not available here; write the place as an offset in uprobes.");
}

static bool is_empty(const YamlNode *n) {
        return yaml_is_null(n) || (n->kind == YAML_MAPPING && n->n_items == 0);
}

static int spec_pod_selector(YamlReader *r, const YamlNode *n, void *target) {
        if (is_empty(n))
                return 0;
        return yaml_error(r, n, "Pods and nodes are Kubernetes' objects, of which a host knows nothing; remove the "
                          "selector, or write a ScopePolicy with unit=, cgroup= or container=.");
}

static int spec_host_selector(YamlReader *r, const YamlNode *n, void *target) {
        TracingReader *t = target;

        if (yaml_is_null(n))
                return 0;
        if (!is_empty(n))
                return yaml_error(r, n, "The host has no labels to select; write `hostSelector: {}` for processes "
                                  "outside of containers.");
        t->host_only = true;
        return 0;
}

/* The order is that of reading. */
static const struct {
        YamlField field;
        bool hooks;                     /* a list of hooks */
} sections[] = {
        { { "lists", false, spec_lists }, false },
        { { "enforcers", false, spec_enforcers }, false },
        { { "options", false, spec_options }, false },
        { { "selectorsMacros", false, spec_macros }, false },
        { { "podSelector", false, spec_pod_selector }, false },
        { { "nodeSelector", false, spec_pod_selector }, false },
        { { "containerSelector", false, spec_pod_selector }, false },
        { { "hostSelector", false, spec_host_selector }, false },
        { { "kprobes", false, spec_kprobes }, true },
        { { "fentries", false, spec_kprobes }, true },
        { { "tracepoints", false, spec_tracepoints }, true },
        { { "uprobes", false, spec_uprobes }, true },
        { { "lsmhooks", false, spec_lsmhooks }, true },
        { { "usdts", false, spec_usdts }, true },
        { { "loader", false, spec_loader }, false },
};

/* Hooks are pointed at by rules, so their array is made once. */
static int allocate_hooks(YamlReader *r, const YamlNode *spec, TracingReader *t) {
        size_t n = 1;                   /* loader */

        for (size_t i = 0; i < ELEMENTSOF(sections); i++) {
                const YamlNode *list = sections[i].hooks ? yaml_mapping_get(spec, sections[i].field.key) : NULL;

                if (list && list->kind == YAML_SEQUENCE)
                        n += list->n_items;
        }
        if (n > TRACING_HOOKS_MAX) {
                int q = yaml_error(r, spec, "The policy has %zu hooks, more than %u; split it into several policies.",
                                   n,
                                   TRACING_HOOKS_MAX);

                return q < 0 ? q : 0;
        }
        t->n_hooks_max = n;
        t->policy->hooks = new0(Hook, n);
        return t->policy->hooks ? 1 : -ENOMEM;
}

int tracing_policy_read_spec(YamlReader *r, const YamlNode *spec, void *policy) {
        _cleanup_(tracing_reader_done) TracingReader t = { .policy = policy };
        YamlField keys[ELEMENTSOF(sections)];
        unsigned errors = r->n_errors;
        int q;

        assert(r && spec && policy);

        for (size_t i = 0; i < ELEMENTSOF(sections); i++)
                keys[i] = (YamlField) { .key = sections[i].field.key };         /* only that they are known */
        q = yaml_read_mapping(r, spec, keys, ELEMENTSOF(keys), NULL);
        if (q < 0 || spec->kind != YAML_MAPPING)
                return q;
        q = allocate_hooks(r, spec, &t);
        if (q <= 0)
                return q;

        for (size_t i = 0; i < ELEMENTSOF(sections); i++) {
                const YamlNode *n = yaml_mapping_get(spec, sections[i].field.key);
                size_t mark;

                if (!n)
                        continue;
                mark = yaml_key_push(r, sections[i].field.key);
                q = sections[i].field.read(r, n, &t);
                yaml_key_pop(r, mark);
                if (q < 0)
                        return q;
        }
        if (t.policy->n_hooks == 0 && r->n_errors == errors)
                return yaml_error(r, spec, "The policy hooks nothing; add kprobes, tracepoints, uprobes, lsmhooks or "
                                  "`loader: true`.");
        return 0;
}
