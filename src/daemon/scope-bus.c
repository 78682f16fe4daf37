/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The Scope interface. Objects are found by number when a message comes: nothing here is kept per scope. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <systemd/sd-bus.h>

#include "../basic/macro.h"
#include "../basic/string-util.h"
#include "bus-util.h"
#include "capture-bus.h"
#include "scope-bus.h"

static int scope_find(sd_bus *bus, const char *path, const char *interface, void *userdata, void **ret,
                      sd_bus_error *error) {
        _cleanup_free_ char *id = NULL;
        Manager *m = userdata;
        uint32_t number;
        Scope *s;
        int r;

        r = sd_bus_path_decode(path, BUS_PATH_SCOPE, &id);
        if (r <= 0)
                return r;

        /* 07 is not another name of 7. */
        if (id[0] == '0' || parse_u32(id, &number) < 0 || number > SCOPE_MAX)
                return 0;

        s = manager_scope(m, number);
        if (!s)
                return 0;

        *ret = s;
        return 1;
}

static int scope_enumerate(sd_bus *bus, const char *prefix, void *userdata, char ***ret, sd_bus_error *error) {
        _cleanup_strv_free_ char **l = NULL;
        Manager *m = userdata;
        int r;

        for (Scope *s = manager_scope_next(m, NULL); s; s = manager_scope_next(m, s)) {
                _cleanup_free_ char *path = NULL;

                r = bus_scope_path(s->number, &path);
                if (r < 0)
                        return r;
                r = strv_extend(&l, path);
                if (r < 0)
                        return r;
        }

        *ret = TAKE_PTR(l);
        return 1;
}

static int set_enabled(sd_bus_message *message, Scope *s, bool enabled, sd_bus_error *error) {
        unsigned number = s->number;
        char buf[16];
        int r;

        r = bus_verify_access(message, BUS_ACTION_MANAGE_POLICIES, error);
        if (r < 0)
                return r;

        r = manager_set_scope_enabled(s->manager, number, enabled);
        if (r < 0) {
                snprintf(buf, sizeof buf, "%u", number);
                return bus_error_from_manager(error, r == -ENOENT ? -ENXIO : r, buf, NULL);
        }

        return sd_bus_reply_method_return(message, NULL);
}

static int method_enable(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        return set_enabled(message, userdata, true, error);
}

static int method_disable(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        return set_enabled(message, userdata, false, error);
}

static int method_start_capture(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        return capture_bus_start(message, userdata, error);
}

static int method_stop_capture(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        return capture_bus_stop(message, userdata, error);
}

static int property_get_number(sd_bus *bus, const char *path, const char *interface, const char *property,
                               sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        Scope *s = userdata;

        return sd_bus_message_append(reply, "y", s->number);
}

static int property_get_policies(sd_bus *bus, const char *path, const char *interface, const char *property,
                                 sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        Scope *s = userdata;
        int r;

        r = sd_bus_message_open_container(reply, 'a', "s");
        if (r < 0)
                return r;

        for (size_t i = 0; i < s->n_policies; i++) {
                _cleanup_free_ char *buf = NULL;

                r = sd_bus_message_append(reply, "s", bus_text(s->policies[i]->name, &buf));
                if (r < 0)
                        return r;
        }

        return sd_bus_message_close_container(reply);
}

static int property_get_enabled(sd_bus *bus, const char *path, const char *interface, const char *property,
                                sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        Scope *s = userdata;

        return sd_bus_message_append(reply, "b", !s->disabled);
}

static int property_get_n_events(sd_bus *bus, const char *path, const char *interface, const char *property,
                                 sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        Scope *s = userdata;

        return sd_bus_message_append(reply, "t", s->n_events);
}

static int property_get_n_lost(sd_bus *bus, const char *path, const char *interface, const char *property,
                               sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        Scope *s = userdata;

        return sd_bus_message_append(reply, "t", s->n_lost);
}

static int append_count(const EventSpec *spec, uint64_t n, void *userdata) {
        return sd_bus_message_append(userdata, "{st}", spec->name, n);
}

static int property_get_event_counts(sd_bus *bus, const char *path, const char *interface, const char *property,
                                     sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        Scope *s = userdata;
        int r;

        r = sd_bus_message_open_container(reply, 'a', "{st}");
        if (r < 0)
                return r;

        r = scope_foreach_count(s, append_count, reply);
        if (r < 0)
                return r;

        return sd_bus_message_close_container(reply);
}

int scope_bus_export(Manager *m, sd_bus *bus) {
        int r;

        r = sd_bus_add_fallback_vtable(bus, NULL, BUS_PATH_SCOPE, BUS_INTERFACE_SCOPE, scope_vtable, scope_find, m);
        if (r < 0)
                return r;

        return sd_bus_add_node_enumerator(bus, NULL, BUS_PATH_SCOPE, scope_enumerate, m);
}

const sd_bus_vtable scope_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD("Enable", NULL, NULL, method_enable, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("Disable", NULL, NULL, method_disable, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("StartCapture", SD_BUS_ARGS("s", kind, "a{sv}", options), SD_BUS_NO_RESULT,
                                method_start_capture, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("StopCapture", SD_BUS_ARGS("s", kind), SD_BUS_NO_RESULT, method_stop_capture,
                                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_PROPERTY("Number", "y", property_get_number, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("Policies", "as", property_get_policies, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("Enabled", "b", property_get_enabled, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("NEvents", "t", property_get_n_events, 0, 0),
        SD_BUS_PROPERTY("NLost", "t", property_get_n_lost, 0, 0),
        SD_BUS_PROPERTY("EventCounts", "a{st}", property_get_event_counts, 0, 0),
        SD_BUS_VTABLE_END
};
