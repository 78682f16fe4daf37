/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The Plan's end of life. It is filled by policy-compile.c alone and never changed afterwards. */

#include "../basic/macro.h"
#include "plan.h"

Plan *plan_free(Plan *p) {
        if (!p)
                return NULL;

        for (size_t i = 0; i < p->n_policies; i++)
                policy_unref(p->policies[i]);
        for (size_t i = 0; i < p->n_pool; i++)
                free(p->pool[i]);
        free(p->plans);
        free(p->preds);
        free(p->numbers);
        free(p->ranges);
        free(p->lists);
        free(p->equal);
        free(p->prefixes);
        free(p->suffixes);
        free(p->dfa);
        free(p->dfa_masks);
        free(p->cgroup_patterns);
        free(p->hooks);
        free(p->actions);
        free(p->paths);
        free(p->rules);
        free(p->policies);
        free(p->pool);
        free(p);
        return NULL;
}
