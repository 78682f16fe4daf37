/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The service's connection to the bus, and the policies that end with the caller who loaded them.
 * manager_bus_start() and manager_bus_stop() stand in manager.h. */

#include <systemd/sd-bus.h>

#include "../basic/macro.h"
#include "manager.h"

typedef struct OwnedPolicy OwnedPolicy;

/* Follows the sender of `message`. -EOPNOTSUPP: not a connection to a bus. */
int owned_policy_new(Manager *m, sd_bus_message *message, OwnedPolicy **ret);
OwnedPolicy *owned_policy_free(OwnedPolicy *o);
DEFINE_TRIVIAL_CLEANUP_FUNC(OwnedPolicy *, owned_policy_free)
/* From now on the policy of this name is unloaded when the sender leaves; the connection owns `o`. */
int owned_policy_attach(OwnedPolicy *o, const char *name);
