/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The Scope interface: one object for each number that a policy is assigned to. */

#include <systemd/sd-bus.h>

#include "manager.h"

extern const sd_bus_vtable scope_vtable[];

int scope_bus_export(Manager *m, sd_bus *bus);
