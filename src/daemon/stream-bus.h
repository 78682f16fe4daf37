/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The options of OpenEventStream. */

#include <systemd/sd-bus.h>

#include "manager.h"

/* Reads the a{sv} that `message` stands at. o->policy is allocated, also on failure. Unknown options are refused. */
int stream_bus_read_options(Manager *m, sd_bus_message *message, StreamOptions *o, sd_bus_error *error);
