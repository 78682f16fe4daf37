/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which policies there are, and in which state. Invariants: names are unique; an object keeps its address as long as
 * its name is there, whatever happens to its file; a bad file never takes away what was good before. Decides nothing
 * about what the kernel does: the manager compiles and applies what policy_set_select() returns. */

#include <stdio.h>
#include <sys/stat.h>

#include "../basic/conf-files.h"
#include "../basic/string-util.h"
#include "../basic/time-util.h"
#include "../policy/policy-parse.h"
#include "../policy/hook.h"
#include "policy-set.h"
#include "remote-action.h"
#include "rule-action.h"
#include "scope.h"

#define FOLLOW_SLOTS_MAX 64
#define FOLLOW_SLOT_NONE 0xff

static const char *const policy_dirs[] = { "/etc/scopetrace/policies.d", "/run/scopetrace/policies.d",
                                           "/usr/lib/scopetrace/policies.d", NULL };
static const char *const policy_suffixes[] = { ".yaml", ".yml", NULL };

static const char *const policy_state_table[_POLICY_STATE_MAX] = {
        [POLICY_ACTIVE] = "active",
        [POLICY_DISABLED] = "disabled",
        [POLICY_FAILED] = "failed",
        [POLICY_MASKED] = "masked",
};

const char *policy_state_to_string(PolicyState s) {
        return s >= 0 && s < _POLICY_STATE_MAX ? policy_state_table[s] : NULL;
}

int problem_list_extend(ProblemList *l, const ProblemList *more) {
        int r;

        for (size_t i = 0; i < more->n; i++) {
                const Problem *p = &more->items[i];

                r = problem_add(l, p->severity, p->path, p->line, p->column, p->key, "%s", strempty(p->message));
                if (r < 0)
                        return r;
        }
        return 0;
}

/* --- one policy --- */

static LoadedPolicy *loaded_policy_free(LoadedPolicy *p) {
        if (!p)
                return NULL;
        free(p->name);
        free(p->path);
        free(p->owner);
        policy_unref(p->policy);
        policy_unref(p->good);
        policy_unref(p->plain);
        policy_unref(p->derived);
        problem_list_done(&p->problems);
        free(p->counts);
        free(p);
        return NULL;
}

RuleCounts *loaded_policy_counts(LoadedPolicy *p, size_t rule) {
        if (!p->policy || rule >= p->policy->n_rules)
                return NULL;
        if (p->counts_of != p->policy) {
                RuleCounts *counts = new0(RuleCounts, p->policy->n_rules);

                if (!counts)
                        return NULL;
                free(p->counts);
                p->counts = counts;
                p->counts_of = p->policy;
        }
        return p->counts + rule;
}

void loaded_policy_forget_plan(LoadedPolicy *p) {
        while (p->problems.n > p->n_read_problems) {
                Problem *q = &p->problems.items[--p->problems.n];

                if (q->severity == PROBLEM_ERROR)
                        p->problems.n_errors--;
                free(q->path);
                free(q->key);
                free(q->message);
        }
        p->compile_failed = false;
}

static void loaded_policy_clear_problems(LoadedPolicy *p) {
        problem_list_done(&p->problems);
        p->problems = (ProblemList) {};
        p->n_read_problems = 0;
        p->compile_failed = false;
}

static int loaded_policy_set_problems(LoadedPolicy *p, const ProblemList *problems) {
        int r;

        loaded_policy_clear_problems(p);
        r = problem_list_extend(&p->problems, problems);
        p->n_read_problems = p->problems.n;
        return r;
}

static int policy_set_add(PolicySet *s, const char *name, LoadedPolicy **ret) {
        LoadedPolicy *p;

        if (!GREEDY_REALLOC(s->items, s->n_allocated, s->n + 1))
                return -ENOMEM;
        p = new0(LoadedPolicy, 1);
        if (!p)
                return -ENOMEM;
        p->state = _POLICY_STATE_INVALID;
        p->follow_slot = FOLLOW_SLOT_NONE;
        p->name = strdup(name);
        if (!p->name) {
                free(p);
                return -ENOMEM;
        }
        s->items[s->n++] = p;
        *ret = p;
        return 0;
}

void policy_set_done(PolicySet *s) {
        for (size_t i = 0; i < s->n; i++)
                loaded_policy_free(s->items[i]);
        free(s->items);
        *s = (PolicySet) {};
}

LoadedPolicy *policy_set_find(const PolicySet *s, const char *name) {
        for (size_t i = 0; i < s->n; i++)
                if (streq(s->items[i]->name, name))
                        return s->items[i];
        return NULL;
}

void policy_set_state(PolicySet *s, LoadedPolicy *p, PolicyState state) {
        bool is_new = p->state < 0;

        if (state == POLICY_ACTIVE && p->good != p->policy) {
                policy_unref(p->good);
                p->good = policy_ref(p->policy);
                p->good_loaded_ns = p->loaded_ns;
        }
        if (p->state == state)
                return;
        p->state = state;
        if (is_new) {
                if (s->handlers.on_added)
                        s->handlers.on_added(p, s->userdata);
        } else if (s->handlers.on_changed)
                s->handlers.on_changed(p, s->userdata);
}

void policy_set_remove(PolicySet *s, LoadedPolicy *p) {
        for (size_t i = 0; i < s->n; i++) {
                if (s->items[i] != p)
                        continue;
                if (p->state >= 0 && s->handlers.on_removed)
                        s->handlers.on_removed(p, s->userdata);
                memmove(s->items + i, s->items + i + 1, (s->n - i - 1) * sizeof(s->items[0]));
                s->n--;
                if (p->follow_slot != FOLLOW_SLOT_NONE)
                        s->follow_slots &= ~(UINT64_C(1) << p->follow_slot);
                loaded_policy_free(p);
                return;
        }
}

/* --- reading files --- */

/* Where an object of a file stands: behind all that were read before it. */
static void policy_set_move(PolicySet *s, LoadedPolicy *p, size_t *position) {
        for (size_t i = *position; i < s->n; i++)
                if (s->items[i] == p) {
                        memmove(s->items + *position + 1, s->items + *position,
                                (i - *position) * sizeof(s->items[0]));
                        s->items[*position] = p;
                        break;
                }
        (*position)++;
}

static int adopt(PolicySet *s, LoadedPolicy *p, const char *path, Policy *policy, const ProblemList *problems) {
        int r;

        if (!p->policy || !streq_ptr(p->path, path) || !streq_ptr(p->policy->text, policy->text)) {
                r = free_and_strdup(&p->path, path);
                if (r < 0)
                        return r;
                policy_unref(p->policy);
                p->policy = policy_ref(policy);
                p->loaded_ns = now_nsec(CLOCK_BOOTTIME);
                p->rate_next_ns = 0;
                if (p->state >= 0 && s->handlers.on_changed)
                        s->handlers.on_changed(p, s->userdata);
        }
        p->seen = true;
        p->stale = false;
        return loaded_policy_set_problems(p, problems);
}

/* One document of a file that could be read. Clashes become problems of the file. */
static int read_document(PolicySet *s, const char *path, Policy *policy, ProblemList *problems, size_t *position) {
        LoadedPolicy *p;
        ProblemList none = {};
        int r;

        p = policy_set_find(s, policy->name);
        if (p && (p->seen || (!p->path && p->policy))) {
                return problem_add(problems, PROBLEM_ERROR, path, policy->line, policy->column, "metadata.name",
                                   "the name \"%s\" is taken by %s; give this policy another name", policy->name,
                                   p->path ?: "a transient policy");
        }
        if (!p) {
                r = policy_set_add(s, policy->name, &p);
                if (r < 0)
                        return r;
        }
        r = adopt(s, p, path, policy, &none);
        if (r < 0)
                return r;
        policy_set_move(s, p, position);
        return 0;
}

/* The row that stands for a file of which nothing (else) can be said: masked, or nothing in it could be read. */
static int file_row(PolicySet *s, const char *path, const char *name, const ProblemList *problems, size_t *position,
                    LoadedPolicy **ret) {
        LoadedPolicy *p;
        int r;

        p = policy_set_find(s, name);
        if (p && p->seen)    /* a policy that calls itself like the file */
                r = problem_list_extend(&p->problems, problems);
        else {
                if (!p) {
                        r = policy_set_add(s, name, &p);
                        if (r < 0)
                                return r;
                }
                p->policy = policy_unref(p->policy);
                r = free_and_strdup(&p->path, path);
                if (r < 0)
                        return r;
                p->seen = true;
                p->stale = false;
                r = loaded_policy_set_problems(p, problems);
                policy_set_move(s, p, position);
        }
        if (ret)
                *ret = p;
        return r;
}

static const char *last_component(const char *path) {
        const char *slash = strrchr(path, '/');

        return slash ? slash + 1 : path;
}

/* In the search path a file takes the place of the one of the same name. */
static bool is_of_file(const PolicySet *s, const LoadedPolicy *p, const char *path) {
        return s->by_name ? streq(last_component(p->path), last_component(path)) : streq(p->path, path);
}

static bool is_in_directory(const PolicySet *s, const LoadedPolicy *p, const char *path) {
        const char *rest = startswith(p->path, path);

        return rest && *rest == '/' && !strchr(rest + 1, '/');
}

/* What a file with errors, or an unreadable directory, gave before and does not give now goes on in its last good
 * version. */
static int keep_last_good(PolicySet *s, const char *path, bool (*belongs)(const PolicySet *s, const LoadedPolicy *p,
                          const char *path), const ProblemList *problems, size_t *position) {
        int n = 0, r;

        for (size_t i = *position; i < s->n; i++) {
                LoadedPolicy *p = s->items[i];

                if (p->seen || !p->policy || !p->path || !belongs(s, p, path))
                        continue;
                p->seen = true;
                p->stale = true;
                r = loaded_policy_set_problems(p, problems);
                if (r < 0)
                        return r;
                policy_set_move(s, p, position);
                n++;
        }
        return n;
}

static int read_file(PolicySet *s, const ConfFile *file, unsigned flags, size_t *position) {
        _cleanup_(problem_list_done) ProblemList problems = {};
        Policy **policies = NULL;
        size_t n = 0, first = *position;
        int r;

        if (file->masked) {
                LoadedPolicy *p;

                r = file_row(s, file->path, file->name, &problems, position, &p);
                if (r >= 0)
                        policy_set_state(s, p, POLICY_MASKED);
                return r;
        }

        r = policy_load_file(file->path, flags, &policies, &n, &problems);
        if (r < 0 && r != -ENOMEM && problems.n_errors == 0)
                r = problem_add(&problems, PROBLEM_ERROR, file->path, 0, 0, NULL, "cannot read it: %s", strerror(-r));
        for (size_t i = 0; i < n; i++) {
                if (r >= 0)
                        r = read_document(s, file->path, policies[i], &problems, position);
                policy_unref(policies[i]);
        }
        free(policies);
        if (r < 0)
                return r;

        if (problems.n_errors > 0) {
                r = keep_last_good(s, file->path, is_of_file, &problems, position);
                if (r == 0)
                        r = file_row(s, file->path, file->name, &problems, position, NULL);
        } else if (problems.n > 0)
                for (size_t i = first; i < *position && r >= 0; i++)
                        r = loaded_policy_set_problems(s->items[i], &problems);
        return r;
}

static int read_list(PolicySet *s, const ConfFileList *l, unsigned flags, size_t *position) {
        _cleanup_(problem_list_done) ProblemList problems = {};
        int r;

        for (size_t i = 0; i < l->n; i++) {
                r = read_file(s, &l->items[i], flags, position);
                if (r < 0)
                        return r;
        }
        if (!l->unreadable)
                return 0;

        r = problem_add(&problems, PROBLEM_ERROR, l->unreadable, 0, 0, NULL, "The directory cannot be listed (%s).",
                        strerror(-l->error));
        if (r >= 0)
                r = keep_last_good(s, l->unreadable, is_in_directory, &problems, position);
        if (r >= 0)
                r = file_row(s, l->unreadable, last_component(l->unreadable), &problems, position, NULL);
        return r;
}

static int read_path(PolicySet *s, const char *path, size_t *position) {
        _cleanup_(conf_file_list_done) ConfFileList l = {};
        const char *const dirs[] = { path, NULL };
        struct stat st;
        int r;

        if (stat(path, &st) >= 0 && S_ISDIR(st.st_mode)) {
                r = conf_files_list(dirs, policy_suffixes, NULL, &l);
                if (r < 0)
                        return r;
        } else {
                ConfFile file = { .path = (char *) path, .name = last_component(path) };

                return read_file(s, &file, POLICY_LOAD_ANY_OWNER, position);
        }
        return read_list(s, &l, POLICY_LOAD_ANY_OWNER, position);
}

int policy_set_read(PolicySet *s, const char *root, char *const *paths) {
        size_t position = 0;
        int r = 0;

        for (size_t i = 0; i < s->n; i++)
                s->items[i]->seen = false;
        s->by_name = !paths;

        if (paths)
                STRV_FOREACH(path, paths) {
                        r = read_path(s, *path, &position);
                        if (r < 0)
                                return r;
                }
        else {
                _cleanup_(conf_file_list_done) ConfFileList l = {};

                r = conf_files_list(policy_dirs, policy_suffixes, root, &l);
                if (r < 0)
                        return r;
                r = read_list(s, &l, root ? POLICY_LOAD_ANY_OWNER : 0, &position);
                if (r < 0)
                        return r;
        }

        for (size_t i = s->n; i > 0; i--)
                if (s->items[i - 1]->path && !s->items[i - 1]->seen)
                        policy_set_remove(s, s->items[i - 1]);
        return 0;
}

/* --- transient ones --- */

static bool scope_in_use(const PolicySet *s, uint8_t scope) {
        for (size_t i = 0; i < s->n; i++)
                if (s->items[i]->policy && s->items[i]->scope == scope)
                        return true;
        return false;
}

static int check_transient(const PolicySet *s, const Policy *policy, uint64_t flags, ProblemList *problems) {
        if (policy_set_find(s, policy->name)) {
                (void) problem_add(problems, PROBLEM_ERROR, "-", 0, 0, "metadata.name",
                                   "a policy of the name \"%s\" is loaded; give this one another name", policy->name);
                return -EEXIST;
        }
        if ((flags & POLICY_LOAD_EXCLUSIVE) && policy->scope > 0 && scope_in_use(s, policy->scope)) {
                (void) problem_add(problems, PROBLEM_ERROR, "-", 0, 0, "spec.scope",
                                   "scope %u is used by a loaded policy; choose another number, or share it",
                                   policy->scope);
                return -EBUSY;
        }
        return 0;
}

int policy_set_add_transient(PolicySet *s, const char *text, uint64_t flags, const char *owner, LoadedPolicy **ret,
                             ProblemList *reterr_problems) {
        _cleanup_(problem_list_done) ProblemList found = {};
        ProblemList *problems = &found;
        Policy **policies = NULL;
        LoadedPolicy *p = NULL;
        size_t n = 0;
        int r;

        r = policy_parse(text, strlen(text), "-", &policies, &n, problems);
        if (r >= 0 && problems->n_errors > 0)
                r = -EINVAL;
        if (r >= 0 && n != 1) {
                r = problem_add(problems, PROBLEM_ERROR, "-", 1, 1, NULL,
                                n == 0 ? "there is no policy in it" : "send one document a call");
                r = r < 0 ? r : -EINVAL;
        }
        if (r >= 0)
                r = check_transient(s, policies[0], flags, problems);
        if (r >= 0)
                r = policy_set_add(s, policies[0]->name, &p);
        if (r >= 0) {
                p->load_flags = flags;
                r = adopt(s, p, NULL, policies[0], problems);
                if (r >= 0 && owner)
                        r = free_and_strdup(&p->owner, owner);
        }
        for (size_t i = 0; i < n; i++)
                policy_unref(policies[i]);
        free(policies);
        if (r < 0) {
                if (p)
                        policy_set_remove(s, p);
                (void) problem_list_extend(reterr_problems, problems);
                return r;
        }
        *ret = p;
        return 0;
}

/* --- numbers --- */

static bool uses_follow(const Policy *policy) {
        for (size_t i = 0; i < policy->n_rules; i++)
                if (policy->rules[i].follow)
                        return true;
        return false;
}

static int number_follow(PolicySet *s, LoadedPolicy *p) {
        if (!p->policy || !uses_follow(p->policy)) {
                if (p->follow_slot != FOLLOW_SLOT_NONE)
                        s->follow_slots &= ~(UINT64_C(1) << p->follow_slot);
                p->follow_slot = FOLLOW_SLOT_NONE;
                return 0;
        }
        if (p->follow_slot != FOLLOW_SLOT_NONE)
                return 0;
        if (s->follow_slots == UINT64_MAX) {
                p->compile_failed = true;
                return problem_add(&p->problems, PROBLEM_ERROR, p->path ?: "-", p->policy->line,
                                   p->policy->column, "spec.filters",
                                   "%u policies use follow already; leave follow out of one of them",
                                   FOLLOW_SLOTS_MAX);
        }
        p->follow_slot = (uint8_t) __builtin_ctzll(~s->follow_slots);
        s->follow_slots |= UINT64_C(1) << p->follow_slot;
        return 0;
}

void policy_set_take_follow_slot(PolicySet *s, LoadedPolicy *p, uint8_t slot) {
        if (slot >= FOLLOW_SLOTS_MAX || p->follow_slot != FOLLOW_SLOT_NONE || (s->follow_slots & (UINT64_C(1) << slot)))
                return;
        p->follow_slot = slot;
        s->follow_slots |= UINT64_C(1) << slot;
}

int policy_set_number(PolicySet *s) {
        uint64_t used = 0;
        int r;

        for (size_t i = 0; i < s->n; i++) {
                LoadedPolicy *p = s->items[i];

                loaded_policy_forget_plan(p);
                if (!p->policy)
                        p->scope = 0;
                else if (p->policy->scope > 0) {
                        p->scope = p->policy->scope;
                        used |= SCOPE_BIT(p->scope);
                }
        }
        /* Who had a number without asking for it keeps it, unless somebody asks for that very number now. */
        for (size_t i = 0; i < s->n; i++) {
                LoadedPolicy *p = s->items[i];

                if (!p->policy || p->policy->scope > 0 || p->scope == 0)
                        continue;
                if (used & SCOPE_BIT(p->scope))
                        p->scope = 0;
                else
                        used |= SCOPE_BIT(p->scope);
        }
        for (size_t i = 0; i < s->n; i++) {
                LoadedPolicy *p = s->items[i];

                if (p->policy && p->scope == 0 && used != UINT64_MAX) {
                        p->scope = (uint8_t) (__builtin_ctzll(~used) + 1);
                        used |= SCOPE_BIT(p->scope);
                } else if (p->policy && p->scope == 0) {
                        p->compile_failed = true;
                        r = problem_add(&p->problems, PROBLEM_ERROR, p->path ?: "-", p->policy->line,
                                   p->policy->column, "spec.scope",
                                        "all 64 scopes are in use; name one with scope: to share it");
                        if (r < 0)
                                return r;
                }
                r = number_follow(s, p);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* --- what goes into the plan --- */

/* Returns how many of them this build cannot take. */
static int check_remote_actions(const Policy *p, ProblemList *problems) {
        int refused = 0, r;

        for (size_t i = 0; i < p->n_rules; i++)
                for (size_t k = 0; k < p->rules[i].n_actions; k++) {
                        const HookAction *a = p->rules[i].actions + k;
                        const char *why = remote_action_refusal(a->kind);

                        if (!why)
                                continue;
                        refused++;
                        r = problem_add(problems, PROBLEM_ERROR, p->path ?: "-", a->line, a->column,
                                        hook_action_to_string(a->kind), "%s", why);
                        if (r < 0)
                                return r;
                }
        return refused;
}

/* An event that was asked for by its name must be there. One of a set that the kernel cannot serve is left out, with a
 * warning, as long as others of its rule are there. `told`: of each missing feature as an error and as a warning, each is
 * told of once. */
static int check_events(const Policy *p, PolicyRule *rule, const FeatureSet *features, bool told[static 2 * _FEATURE_MAX],
                        ProblemList *problems) {
        size_t kept = 0, n_served = 0;
        int refused = 0, r = 0;

        if (rule->hook)
                return 0;
        for (size_t i = 0; i < rule->n_events; i++)
                if (kernel_can_serve(features, rule->events[i].spec, NULL, NULL) >= 0)
                        n_served++;
        for (size_t i = 0; i < rule->n_events; i++) {
                PolicyEvent *e = rule->events + i;
                Feature missing = _FEATURE_INVALID;
                bool dropped;

                if (kernel_can_serve(features, e->spec, NULL, &missing) >= 0) {
                        rule->events[kept++] = *e;
                        continue;
                }
                dropped = e->is_implied && n_served > 0;
                if (!dropped)
                        refused = -ENOTSUP;
                if (r >= 0 && missing >= 0 && missing < _FEATURE_MAX && !told[2 * missing + dropped]) {
                        told[2 * missing + dropped] = true;
                        r = problem_add(problems, dropped ? PROBLEM_WARNING : PROBLEM_ERROR, p->path ?: "-", e->line,
                                        e->column, e->spec->name, "the event %s cannot be taken here%s: %s%s%s%s", e->spec->name,
                                        dropped ? " and is left out, with others of its kind" : "", feature_sentence(missing),
                                        isempty(features->reason[missing]) ? "" : " (", features->reason[missing],
                                        isempty(features->reason[missing]) ? "" : ")");
                }
                if (dropped)
                        policy_event_done(e);
                else
                        rule->events[kept++] = *e;
        }
        rule->n_events = kept;
        return r < 0 ? r : refused;
}

int policy_check_features(Policy *p, const FeatureSet *features, ProblemList *problems) {
        _cleanup_(kernel_types_unrefp) KernelTypes *types = kernel_types_ref();
        bool told[2 * _FEATURE_MAX] = {};
        int refused = 0, r;

        r = check_remote_actions(p, problems);
        if (r < 0)
                return r;
        if (r > 0)
                refused = -ENOTSUP;
        for (size_t i = 0; i < p->n_hooks; i++) {
                _cleanup_free_ char *error = NULL;

                r = kernel_expand_hook(features, p->hooks + i, &error);
                if (r >= 0 && !p->hooks[i].absent)
                        r = kernel_check_hook(features, p, p->hooks + i, &error);
                if (r == -ENOMEM)
                        return r;
                if (r >= 0)
                        continue;
                refused = -ENOTSUP;
                r = problem_add(problems, PROBLEM_ERROR, p->path ?: "-", p->hooks[i].line, p->hooks[i].column,
                                p->hooks[i].call, "%s", strempty(error));
                if (r < 0)
                        return r;
        }

        for (size_t i = 0; i < p->n_rules; i++) {
                r = check_events(p, p->rules + i, features, told, problems);
                if (r == -ENOMEM)
                        return r;
                if (r < 0)
                        refused = r;
        }
        return refused;
}

bool policy_can_go_back(const LoadedPolicy *p) {
        return p->policy && p->compile_failed && p->good && p->good != p->policy;
}

bool policy_set_go_back(PolicySet *s) {
        bool any = false;

        for (size_t i = 0; i < s->n; i++) {
                LoadedPolicy *p = s->items[i];

                if (!policy_can_go_back(p))
                        continue;
                policy_unref(p->policy);
                p->policy = policy_ref(p->good);
                p->loaded_ns = p->good_loaded_ns;
                p->stale = true;
                p->n_read_problems = p->problems.n;    /* they are of the version in the file */
                any = true;
        }
        return any;
}

int policy_set_select(PolicySet *s, const FeatureSet *features, CompileInput **ret_inputs, LoadedPolicy ***ret_policies,
                      size_t *ret_n) {
        _cleanup_free_ CompileInput *inputs = NULL;
        _cleanup_free_ LoadedPolicy **policies = NULL;
        size_t n = 0;
        int r;

        inputs = new0(CompileInput, s->n + 1);
        policies = new0(LoadedPolicy *, s->n + 1);
        if (!inputs || !policies)
                return -ENOMEM;

        for (size_t i = 0; i < s->n; i++) {
                LoadedPolicy *p = s->items[i];

                if (!p->policy || p->disabled || p->compile_failed || p->scope == 0 ||
                    (s->disabled_scopes & SCOPE_BIT(p->scope)))
                        continue;
                r = policy_check_features(p->policy, features, &p->problems);
                if (r == -ENOTSUP) {
                        p->compile_failed = true;
                        continue;
                }
                if (r < 0)
                        return r;
                inputs[n] = (CompileInput) {
                        .policy = p->policy,
                        .mode = p->mode,
                        .scope = p->scope,
                        .loaded_ns = p->loaded_ns,
                        .follow_slot = p->follow_slot,
                };
                policies[n++] = p;
        }
        *ret_inputs = TAKE_PTR(inputs);
        *ret_policies = TAKE_PTR(policies);
        *ret_n = n;
        return 0;
}
