/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The Manager interface and the service's connection to the bus. manager_bus_start() and _stop() stand in manager.h. */

#include <systemd/sd-bus.h>

#include "manager.h"

extern const sd_bus_vtable manager_vtable[];

/* Everything that the service offers, on any connection: a bus, or one end of a socket pair in tests. */
int manager_bus_export(Manager *m, sd_bus *bus);
