/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The Policy interface: one object for each policy, whatever its state. */

#include <systemd/sd-bus.h>

#include "manager.h"

extern const sd_bus_vtable policy_vtable[];

int policy_bus_export(Manager *m, sd_bus *bus);

/* What the Manager's methods that take a name do, too: answers `message`. */
int policy_bus_set_enabled(Manager *m, const char *name, bool enabled, sd_bus_message *message, sd_bus_error *error);
int policy_bus_set_mode(Manager *m, const char *name, const char *mode, sd_bus_message *message, sd_bus_error *error);
int policy_bus_unload(Manager *m, const char *name, sd_bus_message *message, sd_bus_error *error);

/* Texts that the list shows as well. */
const char *policy_bus_kind(const LoadedPolicy *p);
const char *policy_bus_mode(const LoadedPolicy *p);
