/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The service as its clients see it: a bus connection, calls whose errors are already turned into sentences. */

#include "scopectl.h"

#define SERVICE_NAME "org.scopetrace.Scopetrace1"
#define SERVICE_PATH "/org/scopetrace/Scopetrace1"
#define INTERFACE_MANAGER SERVICE_NAME ".Manager"
#define INTERFACE_SCOPE SERVICE_NAME ".Scope"
#define INTERFACE_POLICY SERVICE_NAME ".Policy"
#define ERROR_PREFIX SERVICE_NAME ".Error."

/* Calls that put a policy set into force compile and attach; the bus's own 25 s would give up on a slow machine. */
#define CALL_TIMEOUT_USEC (120ULL * 1000 * 1000)

int client_connect(const Options *o, sd_bus **ret);

/* One method of the service. What goes wrong is said on stderr as "Failed to <doing>: …", and the exit code that fits it
 * comes back as a positive number; 0 is success. */
int client_call(sd_bus *bus, const char *path, const char *interface, const char *member, const char *doing,
                sd_bus_message **ret, const char *types, ...);
/* All properties of an interface as the message that GetAll returned. */
int client_get_all(sd_bus *bus, const char *path, const char *interface, const char *doing, sd_bus_message **ret);
int client_get_property(sd_bus *bus, const char *path, const char *interface, const char *name, const char *doing,
                        sd_bus_message **ret, const char *type);

/* The exit code that fits a bus error, and the sentence that says it. */
int client_report(const sd_bus_error *e, const char *doing, int error);
