/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What all interfaces share: names and paths, who may do what, errors in one table, log control. */

#include <systemd/sd-bus.h>

#include "manager.h"

#define BUS_NAME "org.scopetrace.Scopetrace1"
#define BUS_PATH "/org/scopetrace/Scopetrace1"
#define BUS_PATH_SCOPE BUS_PATH "/scope"
#define BUS_PATH_POLICY BUS_PATH "/policy"
#define BUS_PATH_CAPTURE BUS_PATH "/capture"
#define BUS_INTERFACE_MANAGER BUS_NAME ".Manager"
#define BUS_INTERFACE_SCOPE BUS_NAME ".Scope"
#define BUS_INTERFACE_POLICY BUS_NAME ".Policy"
#define BUS_INTERFACE_CAPTURE BUS_NAME ".Capture"
#define LOG_CONTROL_PATH "/org/freedesktop/LogControl1"
#define LOG_CONTROL_INTERFACE "org.freedesktop.LogControl1"

#define BUS_ERROR_NO_SUCH_SCOPE BUS_NAME ".Error.NoSuchScope"
#define BUS_ERROR_NO_SUCH_POLICY BUS_NAME ".Error.NoSuchPolicy"
#define BUS_ERROR_POLICY_EXISTS BUS_NAME ".Error.PolicyExists"
#define BUS_ERROR_SCOPE_IN_USE BUS_NAME ".Error.ScopeInUse"
#define BUS_ERROR_BAD_POLICY BUS_NAME ".Error.BadPolicy"
#define BUS_ERROR_POLICY_FROM_FILE BUS_NAME ".Error.PolicyFromFile"
#define BUS_ERROR_BAD_CAPTURE BUS_NAME ".Error.BadCapture"
#define BUS_ERROR_NO_SUCH_CAPTURE BUS_NAME ".Error.NoSuchCapture"
#define BUS_ERROR_CAPTURE_FROM_POLICY BUS_NAME ".Error.CaptureFromPolicy"
#define BUS_ERROR_NO_SUCH_ARTIFACT BUS_NAME ".Error.NoSuchArtifact"

typedef enum BusAction {
        BUS_ACTION_MANAGE_POLICIES,
        BUS_ACTION_READ_EVENTS,
        BUS_ACTION_MANAGE_CAPTURES,
        BUS_ACTION_MANAGE_SERVICE,
        _BUS_ACTION_MAX,
} BusAction;

/* Whether the sender of `m` may do this: 0, or a negative errno with `error` filled. Ask before any change. */
int bus_verify_access(sd_bus_message *m, BusAction action, sd_bus_error *error);

/* A negative errno of manager_*() as the bus error that means it. `subject`: the policy's name or scope's number that
 * the call was about, or NULL. `problems`: what is wrong with the policy; the first error goes into the message. */
int bus_error_from_manager(sd_bus_error *error, int r, const char *subject, const ProblemList *problems);

int bus_append_problems(sd_bus_message *m, const ProblemList *problems);

/* `s` as the bus can carry it: itself when it is UTF-8, else an escaped copy that *buf owns; "" for NULL or no memory. */
const char *bus_text(const char *s, char **buf);

/* The path of an object; caller frees. */
int bus_policy_path(const char *name, char **ret);
int bus_scope_path(unsigned number, char **ret);
int bus_append_policy_path(sd_bus_message *m, const char *name);
int bus_append_scope_path(sd_bus_message *m, unsigned number);

extern const sd_bus_vtable log_control_vtable[];
