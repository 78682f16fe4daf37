/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether the actions of a hook's rules can be taken where the hook is. What they need of the policy alone was checked
 * when it was read; here stands what the kernel, or the way in which actions are taken, does not grant. */

#include "kernel-internal.h"
#include "../policy/hook.h"

/* The kernel side remembers one socket of a call: the first argument that is one. */
static int check_sock(const Hook *hook, const PolicyRule *rule, const HookAction *a, char **reterr) {
        for (size_t i = 0; i < a->sock_arg; i++)
                if (IN_SET(hook->args[i].type, SCT_ARG_SOCK, SCT_ARG_SOCKET, SCT_ARG_SKB) && !hook->args[i].return_copy)
                        return kernel_error(reterr, -ENOTSUP, "%s of selector %u names the second socket of %s; name the "
                                            "first one, or leave it out of args", hook_action_to_string(a->kind),
                                            rule->selector, hook->call);
        if (hook->args[a->sock_arg].resolve)
                return kernel_error(reterr, -ENOTSUP, "%s of selector %u names an argument with `resolve`; name a socket that "
                                    "%s is called with", hook_action_to_string(a->kind), rule->selector, hook->call);
        return 0;
}

int hook_check_actions(const FeatureSet *features, const Hook *hook, const PolicyRule *rule, char **reterr) {
        size_t n = rule->n_actions + (hook->return_action != HOOK_ACTION_POST);

        if (n > SCT_OPS_MAX)
                return kernel_error(reterr, -ENOTSUP, "selector %u has more than %u actions, returnArgAction counted in; leave "
                                    "one out", rule->selector, SCT_OPS_MAX);
        for (size_t k = 0; k < rule->n_actions; k++) {
                const HookAction *a = rule->actions + k;
                int r = 0;

                if (IN_SET(a->kind, HOOK_ACTION_TRACK_SOCK, HOOK_ACTION_UNTRACK_SOCK))
                        r = check_sock(hook, rule, a, reterr);
                if (r < 0)
                        return r;
        }
        return 0;
}
