/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The Policy interface. Objects are found by name when a message comes: nothing here is kept per policy. Access is
 * verified in the two functions that change something, so that no way in forgets it. */

#include <errno.h>
#include <stdlib.h>

#include <systemd/sd-bus.h>

#include "../basic/macro.h"
#include "../basic/string-util.h"
#include "bus-util.h"
#include "../policy/hook.h"
#include "policy-bus.h"
#include "rule-action.h"

/* NULL when the path names none. */
static LoadedPolicy *policy_at(Manager *m, const char *path) {
        _cleanup_free_ char *name = NULL;

        if (sd_bus_path_decode(path, BUS_PATH_POLICY, &name) <= 0)
                return NULL;

        return manager_policy_by_name(m, name);
}

/* Callbacks get the Manager and look the policy up by the path again: a LoadedPolicy does not know its Manager. */
static int policy_find(sd_bus *bus, const char *path, const char *interface, void *userdata, void **ret,
                       sd_bus_error *error) {
        if (!policy_at(userdata, path))
                return 0;

        *ret = userdata;
        return 1;
}

static int policy_enumerate(sd_bus *bus, const char *prefix, void *userdata, char ***ret, sd_bus_error *error) {
        _cleanup_strv_free_ char **l = NULL;
        Manager *m = userdata;
        int r;

        for (LoadedPolicy *p = manager_policy_next(m, NULL); p; p = manager_policy_next(m, p)) {
                _cleanup_free_ char *path = NULL;

                r = bus_policy_path(p->name, &path);
                if (r < 0)
                        return r;
                r = strv_extend(&l, path);
                if (r < 0)
                        return r;
        }

        *ret = TAKE_PTR(l);
        return 1;
}

int policy_bus_set_enabled(Manager *m, const char *name, bool enabled, sd_bus_message *message, sd_bus_error *error) {
        LoadedPolicy *p;
        int r;

        r = bus_verify_access(message, BUS_ACTION_MANAGE_POLICIES, error);
        if (r < 0)
                return r;

        r = manager_set_policy_enabled(m, name, enabled);
        if (r < 0) {
                p = manager_policy_by_name(m, name);
                if (p && p->state == POLICY_MASKED)
                        return sd_bus_error_setf(error, BUS_ERROR_BAD_POLICY, "Policy '%s' is masked: remove the "
                                                 "symbolic link to /dev/null and reload.", name);
                return bus_error_from_manager(error, r, name, p ? &p->problems : NULL);
        }

        return sd_bus_reply_method_return(message, NULL);
}

int policy_bus_set_mode(Manager *m, const char *name, const char *mode, sd_bus_message *message, sd_bus_error *error) {
        PolicyMode value;
        int r;

        r = bus_verify_access(message, BUS_ACTION_MANAGE_POLICIES, error);
        if (r < 0)
                return r;

        if (streq(mode, "enforce"))
                value = POLICY_MODE_ENFORCE;
        else if (streq(mode, "monitor"))
                value = POLICY_MODE_MONITOR;
        else
                return sd_bus_error_setf(error, SD_BUS_ERROR_INVALID_ARGS, "'%s' is no mode; write enforce or monitor.",
                                         mode);

        r = manager_set_policy_mode(m, name, value);
        if (r == -EINVAL)
                return sd_bus_error_setf(error, BUS_ERROR_BAD_POLICY, "Policy '%s' has no action that could be enforced; "
                                         "Sigkill, Signal, Override and NotifyEnforcer can.", name);
        if (r < 0)
                return bus_error_from_manager(error, r, name, NULL);

        return sd_bus_reply_method_return(message, NULL);
}

int policy_bus_unload(Manager *m, const char *name, sd_bus_message *message, sd_bus_error *error) {
        int r;

        r = bus_verify_access(message, BUS_ACTION_MANAGE_POLICIES, error);
        if (r < 0)
                return r;

        r = manager_unload_policy(m, name);
        if (r < 0)
                return bus_error_from_manager(error, r, name, NULL);

        return sd_bus_reply_method_return(message, NULL);
}

const char *policy_bus_kind(const LoadedPolicy *p) {
        return p->policy ? strempty(policy_kind_to_string(p->policy->kind)) : "";
}

const char *policy_bus_mode(const LoadedPolicy *p) {
        if (!p->policy)
                return "";
        if (compile_input_is_monitor(&(CompileInput) { .policy = p->policy, .mode = p->mode }))
                return "monitor";
        for (size_t i = 0; i < p->policy->n_rules; i++)
                if (rule_enforces(p->policy->rules + i))
                        return "enforce";
        return "monitor";
}

/* The name that the object's path stands for: a copy, since the policy may go away with the call. */
static int message_policy_name(sd_bus_message *message, char **ret) {
        int r;

        r = sd_bus_path_decode(sd_bus_message_get_path(message), BUS_PATH_POLICY, ret);
        return r < 0 ? r : r == 0 ? -ENOENT : 0;
}

static int method_enable(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        _cleanup_free_ char *name = NULL;
        int r;

        r = message_policy_name(message, &name);
        if (r < 0)
                return r;

        return policy_bus_set_enabled(userdata, name, true, message, error);
}

static int method_disable(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        _cleanup_free_ char *name = NULL;
        int r;

        r = message_policy_name(message, &name);
        if (r < 0)
                return r;

        return policy_bus_set_enabled(userdata, name, false, message, error);
}

static int method_set_mode(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        _cleanup_free_ char *name = NULL;
        const char *mode;
        int r;

        r = message_policy_name(message, &name);
        if (r < 0)
                return r;
        r = sd_bus_message_read(message, "s", &mode);
        if (r < 0)
                return r;

        return policy_bus_set_mode(userdata, name, mode, message, error);
}

static int method_unload(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        _cleanup_free_ char *name = NULL;
        int r;

        r = message_policy_name(message, &name);
        if (r < 0)
                return r;

        return policy_bus_unload(userdata, name, message, error);
}

static int property_get_string(sd_bus *bus, const char *path, const char *interface, const char *property,
                               sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        LoadedPolicy *p = policy_at(userdata, path);
        _cleanup_free_ char *buf = NULL;
        const char *s;

        if (!p)
                return -ENOENT;

        if (streq(property, "Name"))
                s = p->name;
        else if (streq(property, "Description"))
                s = p->policy ? p->policy->description : NULL;
        else if (streq(property, "Kind"))
                s = policy_bus_kind(p);
        else if (streq(property, "Path"))
                s = p->path;
        else if (streq(property, "State"))
                s = policy_state_to_string(p->state);
        else if (streq(property, "Mode"))
                s = policy_bus_mode(p);
        else
                return -EINVAL;

        return sd_bus_message_append(reply, "s", bus_text(s, &buf));
}

static int property_get_scope(sd_bus *bus, const char *path, const char *interface, const char *property,
                              sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        LoadedPolicy *p = policy_at(userdata, path);

        if (!p)
                return -ENOENT;

        return sd_bus_message_append(reply, "y", p->scope);
}

static int property_get_stale(sd_bus *bus, const char *path, const char *interface, const char *property,
                              sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        LoadedPolicy *p = policy_at(userdata, path);

        if (!p)
                return -ENOENT;

        return sd_bus_message_append(reply, "b", p->stale);
}

static int property_get_hooks(sd_bus *bus, const char *path, const char *interface, const char *property,
                              sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        _cleanup_free_ ManagerHook *hooks = NULL;
        LoadedPolicy *p = policy_at(userdata, path);
        size_t n = 0;
        int r;

        if (!p)
                return -ENOENT;

        r = manager_policy_hooks(userdata, p, &hooks, &n);
        if (r < 0)
                return r;

        r = sd_bus_message_open_container(reply, 'a', "(ss)");
        if (r < 0)
                return r;

        for (size_t i = 0; i < n; i++) {
                r = sd_bus_message_append(reply, "(ss)", hooks[i].spec->name, strempty(hooks[i].hook));
                if (r < 0)
                        return r;
        }

        return sd_bus_message_close_container(reply);
}

static int property_get_problems(sd_bus *bus, const char *path, const char *interface, const char *property,
                                 sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        LoadedPolicy *p = policy_at(userdata, path);

        if (!p)
                return -ENOENT;

        return bus_append_problems(reply, &p->problems);
}

static int property_get_count(sd_bus *bus, const char *path, const char *interface, const char *property,
                              sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        LoadedPolicy *p = policy_at(userdata, path);

        if (!p)
                return -ENOENT;

        return sd_bus_message_append(reply, "t", streq(property, "NEvents") ? p->n_events : p->n_suppressed);
}

static int append_selector(sd_bus_message *reply, const PolicyRule *rule, const RuleCounts *c) {
        int r;

        r = sd_bus_message_open_container(reply, 'r', "sustttta(stt)");
        if (r < 0)
                return r;
        r = sd_bus_message_append(reply, "sustttt", rule->hook->call, rule->selector, strempty(rule->label), c->n_hits,
                                  c->n_posted, c->n_limited, c->n_failed);
        if (r < 0)
                return r;
        r = sd_bus_message_open_container(reply, 'a', "(stt)");
        if (r < 0)
                return r;
        for (size_t i = 0; i < rule_n_actions(rule); i++) {
                r = sd_bus_message_append(reply, "(stt)", hook_action_to_string(rule_action_kind(rule, i)), c->n_done[i],
                                          c->n_monitored[i]);
                if (r < 0)
                        return r;
        }
        r = sd_bus_message_close_container(reply);
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int property_get_selectors(sd_bus *bus, const char *path, const char *interface, const char *property,
                                  sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        LoadedPolicy *p = policy_at(userdata, path);
        const RuleCounts *counts;
        int r;

        if (!p)
                return -ENOENT;

        r = sd_bus_message_open_container(reply, 'a', "(sustttta(stt))");
        if (r < 0)
                return r;
        counts = manager_policy_counts_of(userdata, p);
        for (size_t i = 0; counts && i < p->policy->n_rules; i++) {
                if (!p->policy->rules[i].hook)
                        continue;
                r = append_selector(reply, p->policy->rules + i, counts + i);
                if (r < 0)
                        return r;
        }
        return sd_bus_message_close_container(reply);
}

int policy_bus_export(Manager *m, sd_bus *bus) {
        int r;

        r = sd_bus_add_fallback_vtable(bus, NULL, BUS_PATH_POLICY, BUS_INTERFACE_POLICY, policy_vtable, policy_find,
                                       m);
        if (r < 0)
                return r;

        return sd_bus_add_node_enumerator(bus, NULL, BUS_PATH_POLICY, policy_enumerate, m);
}

const sd_bus_vtable policy_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD("Enable", NULL, NULL, method_enable, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("Disable", NULL, NULL, method_disable, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("SetMode", SD_BUS_ARGS("s", mode), SD_BUS_NO_RESULT, method_set_mode,
                                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("Unload", NULL, NULL, method_unload, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_PROPERTY("Name", "s", property_get_string, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("Description", "s", property_get_string, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("Kind", "s", property_get_string, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("Path", "s", property_get_string, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("State", "s", property_get_string, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("Mode", "s", property_get_string, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("Scope", "y", property_get_scope, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("Stale", "b", property_get_stale, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("Hooks", "a(ss)", property_get_hooks, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("Problems", "a(suus)", property_get_problems, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("Selectors", "a(sustttta(stt))", property_get_selectors, 0, 0),
        SD_BUS_PROPERTY("NEvents", "t", property_get_count, 0, 0),
        SD_BUS_PROPERTY("NSuppressed", "t", property_get_count, 0, 0),
        SD_BUS_VTABLE_END
};
