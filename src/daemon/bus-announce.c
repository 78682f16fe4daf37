/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Change signals. A reload touches every object several times; a client wants each told once, and never before the reply
 * to the call that caused it is on its way. So changes are collected by object path and sent from an idle event source.
 *
 * A removal is sent at once, because sd-bus asks the object for its interfaces; an object that was never announced is
 * not announced as removed either. Which properties a signal carries is the vtables' business. */

#include <errno.h>
#include <stdlib.h>

#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#include "../basic/log.h"
#include "../basic/macro.h"
#include "../basic/string-util.h"
#include "bus-announce.h"
#include "bus-util.h"
#include "capture-bus.h"

typedef struct Change {
        char *path;
        const char *interface;
        bool added;
} Change;

struct BusAnnounce {
        Manager *manager;
        sd_bus *bus;
        sd_event_source *idle;
        Change *changes;
        size_t n_changes, n_changes_allocated;
        bool manager_changed;
};

static void change_send(BusAnnounce *a, const Change *c) {
        int r;

        if (c->added)
                r = sd_bus_emit_object_added(a->bus, c->path);
        else
                r = sd_bus_emit_properties_changed_strv(a->bus, c->path, c->interface, NULL);
        if (r < 0)
                log_debug_errno(r, "Cannot announce the change of %s: %m", c->path);
}

static void changes_clear(BusAnnounce *a) {
        for (size_t i = 0; i < a->n_changes; i++)
                free(a->changes[i].path);
        a->n_changes = 0;
        a->manager_changed = false;
}

static int on_idle(sd_event_source *s, void *userdata) {
        BusAnnounce *a = userdata;

        if (a->bus) {
                for (size_t i = 0; i < a->n_changes; i++)
                        change_send(a, &a->changes[i]);
                if (a->manager_changed)
                        (void) sd_bus_emit_properties_changed_strv(a->bus, BUS_PATH, BUS_INTERFACE_MANAGER, NULL);
        }

        changes_clear(a);
        return 0;
}

int bus_announce_new(Manager *m, BusAnnounce **ret) {
        BusAnnounce *a;
        int r;

        a = new0(BusAnnounce, 1);
        if (!a)
                return -ENOMEM;
        a->manager = m;

        r = sd_event_add_defer(manager_event(m), &a->idle, on_idle, a);
        if (r >= 0)
                r = sd_event_source_set_priority(a->idle, PRIORITY_IDLE);
        if (r >= 0)
                r = sd_event_source_set_enabled(a->idle, SD_EVENT_OFF);
        if (r < 0) {
                bus_announce_free(a);
                return r;
        }
        (void) sd_event_source_set_description(a->idle, "bus-announce");

        *ret = a;
        return 0;
}

BusAnnounce *bus_announce_free(BusAnnounce *a) {
        if (!a)
                return NULL;

        changes_clear(a);
        free(a->changes);
        sd_event_source_unref(a->idle);
        sd_bus_unref(a->bus);
        free(a);
        return NULL;
}

void bus_announce_set_bus(BusAnnounce *a, sd_bus *bus) {
        sd_bus_unref(a->bus);
        a->bus = sd_bus_ref(bus);
        if (!bus)
                changes_clear(a);
}

static Change *change_find(BusAnnounce *a, const char *path) {
        for (size_t i = 0; i < a->n_changes; i++)
                if (streq(a->changes[i].path, path))
                        return &a->changes[i];
        return NULL;
}

static void wake(BusAnnounce *a) {
        int r;

        r = sd_event_source_set_enabled(a->idle, SD_EVENT_ONESHOT);
        if (r < 0)
                log_warning_errno(r, "Cannot announce changes on the bus: %m");
}

/* Takes `path`. */
static void change_add(BusAnnounce *a, char *path, const char *interface, bool added) {
        Change *c;

        if (!a->bus) {
                free(path);
                return;
        }

        c = change_find(a, path);
        if (c) {
                c->added = c->added || added;
                free(path);
        } else {
                if (!GREEDY_REALLOC(a->changes, a->n_changes_allocated, a->n_changes + 1)) {
                        free(path);
                        log_oom();
                        return;
                }
                a->changes[a->n_changes++] = (Change) { .path = path, .interface = interface, .added = added };
        }

        wake(a);
}

/* Takes `path`. */
static void object_removed(BusAnnounce *a, char *path) {
        Change *c = change_find(a, path);
        bool announced = true;

        if (c) {
                announced = !c->added;
                free(c->path);
                *c = a->changes[--a->n_changes];
        }

        if (a->bus && announced) {
                int r = sd_bus_emit_object_removed(a->bus, path);

                if (r < 0)
                        log_debug_errno(r, "Cannot announce that %s is gone: %m", path);
        }

        free(path);
}

static char *policy_path(const LoadedPolicy *p) {
        char *path = NULL;

        return bus_policy_path(p->name, &path) < 0 ? NULL : path;
}

static char *scope_path(const Scope *s) {
        char *path = NULL;

        return bus_scope_path(s->number, &path) < 0 ? NULL : path;
}

void bus_announce_policy_added(BusAnnounce *a, const LoadedPolicy *p) {
        char *path = policy_path(p);

        if (path)
                change_add(a, path, BUS_INTERFACE_POLICY, true);
}

void bus_announce_policy_changed(BusAnnounce *a, const LoadedPolicy *p) {
        char *path = policy_path(p);

        if (path)
                change_add(a, path, BUS_INTERFACE_POLICY, false);
}

void bus_announce_policy_removed(BusAnnounce *a, const LoadedPolicy *p) {
        char *path = policy_path(p);

        if (path)
                object_removed(a, path);
}

void bus_announce_scope_added(BusAnnounce *a, const Scope *s) {
        char *path = scope_path(s);

        if (path)
                change_add(a, path, BUS_INTERFACE_SCOPE, true);
}

void bus_announce_scope_changed(BusAnnounce *a, const Scope *s) {
        char *path = scope_path(s);

        if (path)
                change_add(a, path, BUS_INTERFACE_SCOPE, false);
}

void bus_announce_scope_removed(BusAnnounce *a, const Scope *s) {
        char *path = scope_path(s);

        if (path)
                object_removed(a, path);
}

void bus_announce_capture_added(BusAnnounce *a, unsigned scope, int kind) {
        char *path = NULL;

        if (capture_bus_path(scope, kind, &path) >= 0)
                change_add(a, path, BUS_INTERFACE_CAPTURE, true);
}

void bus_announce_capture_changed(BusAnnounce *a, unsigned scope, int kind) {
        char *path = NULL;

        if (capture_bus_path(scope, kind, &path) >= 0)
                change_add(a, path, BUS_INTERFACE_CAPTURE, false);
}

void bus_announce_capture_removed(BusAnnounce *a, unsigned scope, int kind) {
        char *path = NULL;

        if (capture_bus_path(scope, kind, &path) >= 0)
                object_removed(a, path);
}

void bus_announce_manager_changed(BusAnnounce *a) {
        if (!a->bus)
                return;

        a->manager_changed = true;
        wake(a);
}
