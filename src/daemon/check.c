/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* scopetraced --check: what the service would say of these files, without a kernel, a bus or root. All that is given is
 * one set, as the files of policies.d are: names that clash and limits that hold for all together show here too. One
 * line for each good policy goes to stdout, problems go to stderr. */

#include <stdio.h>

#include "../basic/string-util.h"
#include "check.h"
#include "policy-set.h"

static void print_problem(const Problem *p) {
        fprintf(stderr, "%s:", strempty(p->path));
        if (p->line > 0)
                fprintf(stderr, "%u:", p->line);
        if (p->line > 0 && p->column > 0)
                fprintf(stderr, "%u:", p->column);
        fprintf(stderr, " %s: %s%s%s\n", p->severity == PROBLEM_ERROR ? "error" : "warning", strempty(p->key),
                isempty(p->key) ? "" : ": ", strempty(p->message));
}

/* A file's problems stand at each of its policies. */
static bool is_printed(const PolicySet *s, size_t index, const Problem *q) {
        for (size_t i = 0; i < index; i++)
                for (size_t j = 0; j < s->items[i]->problems.n; j++) {
                        const Problem *o = s->items[i]->problems.items + j;

                        if (o->line == q->line && o->column == q->column && streq_ptr(o->path, q->path) &&
                            streq_ptr(o->message, q->message))
                                return true;
                }
        return false;
}

static unsigned print_set(const PolicySet *s) {
        unsigned n_errors = 0;

        for (size_t i = 0; i < s->n; i++) {
                const LoadedPolicy *p = s->items[i];

                for (size_t j = 0; j < p->problems.n; j++)
                        if (!is_printed(s, i, p->problems.items + j)) {
                                print_problem(p->problems.items + j);
                                n_errors += p->problems.items[j].severity == PROBLEM_ERROR;
                        }
                if (p->policy && p->problems.n_errors == 0 && !p->compile_failed)
                        printf("%s: %s: ok\n", p->path, p->name);
        }
        return n_errors;
}

/* As one generation, which fails those that do not fit. */
static int compile_set(PolicySet *s, ProblemList *problems) {
        _cleanup_free_ CompileInput *inputs = NULL;
        _cleanup_free_ LoadedPolicy **policies = NULL;
        _cleanup_(plan_freep) Plan *plan = NULL;
        _cleanup_free_ bool *failed = NULL;
        FeatureSet features = {};
        size_t n = 0;
        int r;

        for (Feature f = 0; f < _FEATURE_MAX; f++)
                features.granted[f] = true;
        r = policy_set_number(s);
        if (r < 0)
                return r;
        r = policy_set_select(s, &features, &inputs, &policies, &n);
        if (r < 0)
                return r;
        failed = new0(bool, n + 1);
        if (!failed)
                return -ENOMEM;
        r = policy_compile(inputs, n, 1, &features, &plan, failed, problems);
        for (size_t i = 0; i < n; i++)
                policies[i]->compile_failed = failed[i];
        return r;
}

int check_policies(char *const *paths) {
        _cleanup_(problem_list_done) ProblemList problems = {};
        _cleanup_(policy_set_done) PolicySet set = {};
        unsigned n_errors;
        int r;

        r = policy_set_read(&set, NULL, paths);
        if (r >= 0)
                r = compile_set(&set, &problems);
        n_errors = print_set(&set);
        for (size_t i = 0; i < problems.n; i++)
                print_problem(problems.items + i);
        n_errors += (unsigned) problems.n_errors;
        if (r < 0) {
                fprintf(stderr, "Cannot check: %s\n", strerror(-r));
                return r;
        }
        if (set.n == 0)
                fprintf(stderr, "There are no policies; files of a directory are read when their names end in .yaml or "
                        ".yml.\n");
        return (int) n_errors;
}
