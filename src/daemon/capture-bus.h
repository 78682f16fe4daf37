/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The Capture interface, and what the Manager and Scope interfaces say of captures and artifacts. */

#include <systemd/sd-bus.h>

#include "captures.h"

extern const sd_bus_vtable capture_vtable[];

int capture_bus_export(Manager *m, sd_bus *bus);
int capture_bus_path(unsigned scope, CaptureKind kind, char **ret);

/* Methods of the Manager. userdata: Manager. */
int capture_bus_list(sd_bus_message *message, void *userdata, sd_bus_error *error);
int capture_bus_list_artifacts(sd_bus_message *message, void *userdata, sd_bus_error *error);
int capture_bus_open_artifact(sd_bus_message *message, void *userdata, sd_bus_error *error);
int capture_bus_remove_artifacts(sd_bus_message *message, void *userdata, sd_bus_error *error);
int capture_bus_vacuum(sd_bus_message *message, void *userdata, sd_bus_error *error);
int capture_bus_property(sd_bus *bus, const char *path, const char *interface, const char *property,
                         sd_bus_message *reply, void *userdata, sd_bus_error *error);
/* Methods of a Scope. */
int capture_bus_start(sd_bus_message *message, Scope *s, sd_bus_error *error);
int capture_bus_stop(sd_bus_message *message, Scope *s, sd_bus_error *error);
