/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* PropertiesChanged, InterfacesAdded and InterfacesRemoved: collected while things change, sent when the loop is idle. */

#include <systemd/sd-bus.h>

#include "manager.h"

typedef struct BusAnnounce BusAnnounce;

/* Told when a policy or the whole connection went away; what it is for is the caller's business. */
int bus_announce_new(Manager *m, BusAnnounce **ret);
BusAnnounce *bus_announce_free(BusAnnounce *a);

/* Where signals go; NULL: nowhere, and what was collected is dropped. */
void bus_announce_set_bus(BusAnnounce *a, sd_bus *bus);

void bus_announce_policy_added(BusAnnounce *a, const LoadedPolicy *p);
void bus_announce_policy_changed(BusAnnounce *a, const LoadedPolicy *p);
void bus_announce_policy_removed(BusAnnounce *a, const LoadedPolicy *p);
void bus_announce_scope_added(BusAnnounce *a, const Scope *s);
void bus_announce_scope_changed(BusAnnounce *a, const Scope *s);
void bus_announce_scope_removed(BusAnnounce *a, const Scope *s);
void bus_announce_capture_added(BusAnnounce *a, unsigned scope, int kind);
void bus_announce_capture_changed(BusAnnounce *a, unsigned scope, int kind);
void bus_announce_capture_removed(BusAnnounce *a, unsigned scope, int kind);
void bus_announce_manager_changed(BusAnnounce *a);
