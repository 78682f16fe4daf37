/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Prints the introspection XML of the service's interfaces, as sd-bus makes it from the vtables that the service
 * registers. No bus and no service: a socket pair, the vtables on one end, Introspect called from the other. */

#include <stdio.h>
#include <sys/socket.h>

#include <systemd/sd-bus.h>
#include <systemd/sd-id128.h>

#include "basic/macro.h"
#include "daemon/bus-util.h"
#include "daemon/capture-bus.h"
#include "daemon/manager-bus.h"
#include "daemon/policy-bus.h"
#include "daemon/scope-bus.h"

static const struct {
        const char *path, *interface;
        const sd_bus_vtable *vtable;
} objects[] = {
        { "/manager", BUS_INTERFACE_MANAGER, manager_vtable },
        { "/scope",   BUS_INTERFACE_SCOPE,   scope_vtable },
        { "/policy",  BUS_INTERFACE_POLICY,  policy_vtable },
        { "/capture", BUS_INTERFACE_CAPTURE, capture_vtable },
};

static int fail(const char *what, int r) {
        fprintf(stderr, "%s: %s\n", what, strerror(-r));
        return EXIT_FAILURE;
}

static int start(sd_bus **ret, int fd, bool server) {
        sd_id128_t id = {};
        sd_bus *bus = NULL;
        int r;

        r = sd_bus_new(&bus);
        if (r >= 0)
                r = sd_bus_set_fd(bus, fd, fd);
        if (r >= 0 && server)
                r = sd_bus_set_server(bus, 1, id);
        if (r >= 0)
                r = sd_bus_set_anonymous(bus, 1);
        if (r >= 0)
                r = sd_bus_start(bus);
        *ret = bus;
        return r;
}

static int on_reply(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        const char *xml;
        bool *done = userdata;

        *done = true;
        if (sd_bus_message_is_method_error(m, NULL) || sd_bus_message_read(m, "s", &xml) < 0) {
                fprintf(stderr, "Introspect was refused.\n");
                exit(EXIT_FAILURE);
        }
        fputs(xml, stdout);
        return 0;
}

int main(void) {
        sd_bus *server = NULL, *client = NULL;
        int pair[2], r;

        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
                return fail("socketpair", -errno);
        r = start(&server, pair[0], true);
        if (r >= 0)
                r = start(&client, pair[1], false);
        if (r < 0)
                return fail("Cannot connect", r);

        for (size_t i = 0; i < ELEMENTSOF(objects); i++) {
                r = sd_bus_add_object_vtable(server, NULL, objects[i].path, objects[i].interface, objects[i].vtable, NULL);
                if (r < 0)
                        return fail(objects[i].interface, r);
        }

        for (size_t i = 0; i < ELEMENTSOF(objects); i++) {
                bool done = false;

                r = sd_bus_call_method_async(client, NULL, NULL, objects[i].path, "org.freedesktop.DBus.Introspectable",
                                             "Introspect", on_reply, &done, NULL);
                if (r < 0)
                        return fail("Introspect", r);
                while (!done)
                        if ((r = sd_bus_process(server, NULL)) < 0 || (r = sd_bus_process(client, NULL)) < 0)
                                return fail("sd_bus_process", r);
        }

        sd_bus_close_unref(client);
        sd_bus_close_unref(server);
        return EXIT_SUCCESS;
}
