/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The connection that the service is served on. Tracing does not depend on it: a connection that cannot be made or breaks
 * is tried again for as long as the service runs. The name is requested last, when everything behind it answers.
 * Policies of a caller that left the bus, or of all callers when the bus itself went away, are unloaded here. */

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#include "../basic/log.h"
#include "../basic/macro.h"
#include "../basic/string-util.h"
#include "bus-announce.h"
#include "bus-connection.h"
#include "bus-util.h"
#include "manager-bus.h"

#define RECONNECT_MIN_USEC (250 * USEC_PER_MSEC)
#define RECONNECT_MAX_USEC (30 * USEC_PER_SEC)

typedef struct ManagerBus ManagerBus;

struct OwnedPolicy {
        ManagerBus *bus;
        char *name;
        sd_bus_track *track;
        struct OwnedPolicy *next;
};

struct ManagerBus {
        Manager *manager;
        sd_bus *bus;
        sd_event_source *reconnect;
        uint64_t delay_usec;
        BusAnnounce *announce;
        OwnedPolicy *owned;
};

OwnedPolicy *owned_policy_free(OwnedPolicy *o) {
        if (!o)
                return NULL;

        sd_bus_track_unref(o->track);
        free(o->name);
        free(o);
        return NULL;
}

static OwnedPolicy *owned_take(ManagerBus *b, const char *name) {
        for (OwnedPolicy **o = &b->owned; *o; o = &(*o)->next)
                if (streq_ptr((*o)->name, name)) {
                        OwnedPolicy *found = *o;

                        *o = found->next;
                        return found;
                }

        return NULL;
}

/* Off the list first: the Manager tells us that the policy is gone, too. */
static void owned_unload(ManagerBus *b, OwnedPolicy *owned) {
        _cleanup_(owned_policy_freep) OwnedPolicy *o = owned_take(b, owned->name);
        int r;

        r = manager_unload_policy(b->manager, o->name);
        if (r < 0 && r != -ENOENT)
                log_warning_errno(r, "Cannot unload policy '%s', whose owner left the bus: %m", o->name);
}

static int on_owner_gone(sd_bus_track *track, void *userdata) {
        OwnedPolicy *o = userdata;

        log_debug("The owner of policy '%s' left the bus.", strna(o->name));
        if (o->name)
                owned_unload(o->bus, o);
        return 0;
}

int owned_policy_new(Manager *m, sd_bus_message *message, OwnedPolicy **ret) {
        _cleanup_(owned_policy_freep) OwnedPolicy *o = NULL;
        ManagerBus *b = manager_bus_data(m);
        int r;

        if (!b || sd_bus_message_get_bus(message) != b->bus)
                return -EOPNOTSUPP;

        o = new0(OwnedPolicy, 1);
        if (!o)
                return -ENOMEM;

        o->bus = b;
        r = sd_bus_track_new(b->bus, &o->track, on_owner_gone, o);
        if (r < 0)
                return r;
        r = sd_bus_track_add_sender(o->track, message);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(o);
        return 0;
}

int owned_policy_attach(OwnedPolicy *o, const char *name) {
        o->name = strdup(name);
        if (!o->name)
                return -ENOMEM;

        o->next = o->bus->owned;
        o->bus->owned = o;
        return 0;
}

static void on_policy_added(LoadedPolicy *p, void *userdata) {
        bus_announce_policy_added(((ManagerBus *) userdata)->announce, p);
}

static void on_policy_changed(LoadedPolicy *p, void *userdata) {
        bus_announce_policy_changed(((ManagerBus *) userdata)->announce, p);
}

static void on_policy_removed(LoadedPolicy *p, void *userdata) {
        ManagerBus *b = userdata;

        bus_announce_policy_removed(b->announce, p);
        owned_policy_free(owned_take(b, p->name));
}

static void on_scope_added(Scope *s, void *userdata) {
        bus_announce_scope_added(((ManagerBus *) userdata)->announce, s);
}

static void on_scope_changed(Scope *s, void *userdata) {
        bus_announce_scope_changed(((ManagerBus *) userdata)->announce, s);
}

static void on_scope_removed(Scope *s, void *userdata) {
        bus_announce_scope_removed(((ManagerBus *) userdata)->announce, s);
}

static void on_capture_added(unsigned scope, int kind, void *userdata) {
        bus_announce_capture_added(((ManagerBus *) userdata)->announce, scope, kind);
}

static void on_capture_changed(unsigned scope, int kind, void *userdata) {
        bus_announce_capture_changed(((ManagerBus *) userdata)->announce, scope, kind);
}

static void on_capture_removed(unsigned scope, int kind, void *userdata) {
        bus_announce_capture_removed(((ManagerBus *) userdata)->announce, scope, kind);
}

static void on_manager_changed(Manager *m, void *userdata) {
        bus_announce_manager_changed(((ManagerBus *) userdata)->announce);
}

static void bus_close(ManagerBus *b) {
        bus_announce_set_bus(b->announce, NULL);

        /* Whoever owned a policy was a name on this connection. */
        while (b->owned)
                owned_unload(b, b->owned);

        if (b->bus) {
                (void) sd_bus_detach_event(b->bus);
                b->bus = sd_bus_flush_close_unref(b->bus);
        }
}

static void bus_retry(ManagerBus *b) {
        int r;

        r = sd_event_source_set_time_relative(b->reconnect, b->delay_usec);
        if (r >= 0)
                r = sd_event_source_set_enabled(b->reconnect, SD_EVENT_ONESHOT);
        if (r < 0)
                log_error_errno(r, "Cannot try to reach the bus again: %m");

        b->delay_usec = MIN(b->delay_usec * 2, (uint64_t) RECONNECT_MAX_USEC);
}

static int on_disconnected(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        ManagerBus *b = userdata;

        log_notice("Lost the connection to the bus; tracing goes on, trying again.");
        /* The connection is closed from the timer: it is in use right now. */
        bus_retry(b);
        return 0;
}

static int on_name(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        ManagerBus *b = userdata;
        const sd_bus_error *e = sd_bus_message_get_error(message);
        uint32_t result;

        if (e) {
                log_error("The bus refuses the name %s: %s", BUS_NAME, strna(e->message));
                return 0;
        }

        b->delay_usec = RECONNECT_MIN_USEC;
        if (sd_bus_message_read(message, "u", &result) >= 0 && result == 2 /* in queue */)
                log_warning("Another process owns the name %s; waiting for it.", BUS_NAME);
        else
                log_debug("Serving %s on the bus.", BUS_NAME);
        return 0;
}

static int bus_setup(ManagerBus *b, sd_bus *bus) {
        const char *address = manager_options(b->manager)->bus_address ?: getenv("DBUS_SYSTEM_BUS_ADDRESS");
        int r;

        r = sd_bus_set_address(bus, address ?: "unix:path=/run/dbus/system_bus_socket");
        if (r < 0)
                return r;
        r = sd_bus_set_bus_client(bus, 1);
        if (r < 0)
                return r;
        r = sd_bus_negotiate_fds(bus, 1);
        if (r < 0)
                return r;
        /* At boot, and on hosts without a bus: connect when its socket appears. */
        r = sd_bus_set_watch_bind(bus, 1);
        if (r < 0)
                return r;
        r = sd_bus_start(bus);
        if (r < 0)
                return r;
        r = sd_bus_attach_event(bus, manager_event(b->manager), PRIORITY_BUS);
        if (r < 0)
                return r;
        r = sd_bus_match_signal_async(bus, NULL, "org.freedesktop.DBus.Local", "/org/freedesktop/DBus/Local",
                                      "org.freedesktop.DBus.Local", "Disconnected", on_disconnected, NULL, b);
        if (r < 0)
                return r;
        r = manager_bus_export(b->manager, bus);
        if (r < 0)
                return r;

        return sd_bus_request_name_async(bus, NULL, BUS_NAME, SD_BUS_NAME_QUEUE, on_name, b);
}

static int bus_connect(ManagerBus *b) {
        sd_bus *bus = NULL;
        int r;

        r = sd_bus_new(&bus);
        if (r < 0)
                return r;
        (void) sd_bus_set_description(bus, "scopetrace");

        r = bus_setup(b, bus);
        if (r < 0) {
                (void) sd_bus_detach_event(bus);
                sd_bus_close_unref(bus);
                return r;
        }

        b->bus = bus;
        bus_announce_set_bus(b->announce, bus);
        return 0;
}

static int on_reconnect(sd_event_source *s, uint64_t usec, void *userdata) {
        ManagerBus *b = userdata;
        int r;

        bus_close(b);

        r = bus_connect(b);
        if (r < 0) {
                log_debug_errno(r, "Cannot connect to the bus: %m");
                bus_retry(b);
        }
        return 0;
}

int manager_bus_start(Manager *m) {
        static const ManagerListener listener = {
                .on_policy_added = on_policy_added,
                .on_policy_changed = on_policy_changed,
                .on_policy_removed = on_policy_removed,
                .on_scope_added = on_scope_added,
                .on_scope_changed = on_scope_changed,
                .on_scope_removed = on_scope_removed,
                .on_capture_added = on_capture_added,
                .on_capture_changed = on_capture_changed,
                .on_capture_removed = on_capture_removed,
                .on_manager_changed = on_manager_changed,
        };
        ManagerBus *b;
        int r;

        b = new0(ManagerBus, 1);
        if (!b)
                return -ENOMEM;
        b->manager = m;
        b->delay_usec = RECONNECT_MIN_USEC;
        manager_set_bus_data(m, b);

        r = sd_event_add_time_relative(manager_event(m), &b->reconnect, CLOCK_MONOTONIC, 0, 0, on_reconnect, b);
        if (r >= 0)
                r = sd_event_source_set_enabled(b->reconnect, SD_EVENT_OFF);
        if (r >= 0)
                r = bus_announce_new(m, &b->announce);
        if (r < 0) {
                manager_bus_stop(m);
                return r;
        }

        manager_set_listener(m, &listener, b);

        r = bus_connect(b);
        if (r < 0) {
                log_warning_errno(r, "Cannot connect to the bus, trying again: %m");
                bus_retry(b);
        }
        return 0;
}

void manager_bus_stop(Manager *m) {
        ManagerBus *b = manager_bus_data(m);

        if (!b)
                return;

        manager_set_listener(m, NULL, NULL);
        /* Not unloaded one by one: the whole set is about to go. */
        while (b->owned) {
                OwnedPolicy *o = b->owned;

                b->owned = o->next;
                owned_policy_free(o);
        }
        if (b->announce)
                bus_close(b);
        sd_event_source_unref(b->reconnect);
        bus_announce_free(b->announce);
        manager_set_bus_data(m, NULL);
        free(b);
}
