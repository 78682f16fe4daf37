/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Connects to the bus of this machine, another one or a container, calls the service, and renders what goes wrong: one
 * sentence on stderr and an exit code, from one table. Knows nothing of what the replies mean. */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <systemd/sd-bus.h>

#include "../basic/macro.h"
#include "client.h"

static int connect_address(const char *address, sd_bus **ret) {
        sd_bus *bus = NULL;
        int r;

        r = sd_bus_new(&bus);
        if (r < 0)
                return r;

        r = sd_bus_set_address(bus, address);
        if (r >= 0)
                r = sd_bus_set_bus_client(bus, 1);
        if (r >= 0)
                r = sd_bus_negotiate_fds(bus, 1);
        if (r >= 0)
                r = sd_bus_start(bus);
        if (r < 0) {
                sd_bus_unref(bus);
                return r;
        }

        *ret = bus;
        return 0;
}

int client_connect(const Options *o, sd_bus **ret) {
        sd_bus *bus = NULL;
        int r;

        if (o->bus_address)
                r = connect_address(o->bus_address, &bus);
        else if (o->host)
                r = sd_bus_open_system_remote(&bus, o->host);
        else if (o->machine)
                r = sd_bus_open_system_machine(&bus, o->machine);
        else
                r = sd_bus_open_system(&bus);
        if (r < 0) {
                fprintf(stderr, "Failed to connect to the bus%s%s: %s\n", o->host ? " of " : o->machine ? " of " : "",
                        o->host ?: o->machine ?: "", strerror(-r));
                return r;
        }

        (void) sd_bus_set_allow_interactive_authorization(bus, o->ask_password);
        (void) sd_bus_set_method_call_timeout(bus, CALL_TIMEOUT_USEC);

        *ret = bus;
        return 0;
}

static const struct {
        const char *name;
        int exit_code;
        const char *sentence;     /* instead of the message; NULL: the message says it */
} error_rows[] = {
        { SD_BUS_ERROR_SERVICE_UNKNOWN,    EXIT_NOT_RUNNING,    "the service is not running, start it with: systemctl start scopetrace" },
        { SD_BUS_ERROR_NAME_HAS_NO_OWNER,  EXIT_NOT_RUNNING,    "the service is not running, start it with: systemctl start scopetrace" },
        { SD_BUS_ERROR_NO_REPLY,           EXIT_FAILURE,        "the service did not answer in time" },
        { SD_BUS_ERROR_DISCONNECTED,       EXIT_NOT_RUNNING,    "the connection to the bus was closed" },
        { SD_BUS_ERROR_ACCESS_DENIED,      EXIT_NO_PERMISSION,  NULL },
        { SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED, EXIT_NO_PERMISSION, "this needs to be authorized interactively" },
        { SD_BUS_ERROR_UNKNOWN_OBJECT,     EXIT_NO_SUCH_OBJECT, NULL },
        { ERROR_PREFIX "NoSuchScope",      EXIT_NO_SUCH_OBJECT, NULL },
        { ERROR_PREFIX "NoSuchPolicy",     EXIT_NO_SUCH_OBJECT, NULL },
        { ERROR_PREFIX "NoSuchCapture",    EXIT_NO_SUCH_OBJECT, NULL },
        { ERROR_PREFIX "NoSuchArtifact",   EXIT_NO_SUCH_OBJECT, NULL },
};

int client_report(const sd_bus_error *e, const char *doing, int error) {
        const char *sentence = e && e->message ? e->message : strerror(error < 0 ? -error : error);
        int code = EXIT_FAILURE;

        if (e && e->name)
                for (size_t i = 0; i < ELEMENTSOF(error_rows); i++)
                        if (strcmp(e->name, error_rows[i].name) == 0) {
                                code = error_rows[i].exit_code;
                                if (error_rows[i].sentence)
                                        sentence = error_rows[i].sentence;
                        }

        fprintf(stderr, "Failed to %s: %s\n", doing, sentence);
        return code;
}

int client_call(sd_bus *bus, const char *path, const char *interface, const char *member, const char *doing,
                sd_bus_message **ret, const char *types, ...) {
        _cleanup_(sd_bus_error_free) sd_bus_error e = SD_BUS_ERROR_NULL;
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        va_list ap;
        int r;

        r = sd_bus_message_new_method_call(bus, &m, SERVICE_NAME, path, interface, member);
        if (r < 0)
                return client_report(NULL, doing, r);

        /* A question must not start tracing on a host whose administrator stopped it. */
        r = sd_bus_message_set_auto_start(m, 0);
        if (r < 0)
                return client_report(NULL, doing, r);

        if (types) {
                va_start(ap, types);
                r = sd_bus_message_appendv(m, types, ap);
                va_end(ap);
                if (r < 0)
                        return client_report(NULL, doing, r);
        }

        r = sd_bus_call(bus, m, CALL_TIMEOUT_USEC, &e, ret);
        if (r < 0)
                return client_report(&e, doing, r);

        return 0;
}

int client_get_all(sd_bus *bus, const char *path, const char *interface, const char *doing, sd_bus_message **ret) {
        return client_call(bus, path, "org.freedesktop.DBus.Properties", "GetAll", doing, ret, "s", interface);
}

int client_get_property(sd_bus *bus, const char *path, const char *interface, const char *name, const char *doing,
                        sd_bus_message **ret, const char *type) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        int r;

        r = client_call(bus, path, "org.freedesktop.DBus.Properties", "Get", doing, &reply, "ss", interface, name);
        if (r != 0)
                return r;

        r = sd_bus_message_enter_container(reply, 'v', type);
        if (r < 0)
                return client_report(NULL, doing, r);

        *ret = TAKE_PTR(reply);
        return 0;
}
