/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* a{sv} → StreamOptions. Every option is named and typed here; what is not known is refused by name, so that a client of
 * a newer version learns what this one lacks. */

#include <errno.h>

#include <systemd/sd-bus.h>

#include "../basic/macro.h"
#include "../basic/string-util.h"
#include "bus-util.h"
#include "stream-bus.h"

static int read_scopes(sd_bus_message *message, const char *type, uint64_t *ret, sd_bus_error *error) {
        const uint8_t *numbers;
        uint64_t mask = 0;
        size_t n;
        int r;

        if (streq(type, "t"))
                return sd_bus_message_read(message, "t", ret);
        if (!streq(type, "ay"))
                return sd_bus_error_setf(error, SD_BUS_ERROR_INVALID_ARGS, "Option 'scopes' is an array of numbers "
                                         "(ay) or a mask (t), not '%s'.", type);

        r = sd_bus_message_read_array(message, 'y', (const void **) &numbers, &n);
        if (r < 0)
                return r;

        for (size_t i = 0; i < n; i++) {
                if (numbers[i] < 1 || numbers[i] > SCOPE_MAX)
                        return sd_bus_error_setf(error, BUS_ERROR_NO_SUCH_SCOPE, "Scopes are numbered from 1 to %d, "
                                                 "not %u.", SCOPE_MAX, numbers[i]);
                mask |= SCOPE_BIT(numbers[i]);
        }

        *ret = mask;
        return 0;
}

static int read_format(sd_bus_message *message, StreamOptions *o, sd_bus_error *error) {
        const char *s;
        int r;

        r = sd_bus_message_read(message, "s", &s);
        if (r < 0)
                return r;

        o->format = event_format_from_string(s);
        if (o->format < 0)
                return sd_bus_error_setf(error, SD_BUS_ERROR_INVALID_ARGS, "'%s' is no format: use table, "
                                         "table-verbose, json or export.", s);
        return 0;
}

static int read_stream_option(Manager *m, sd_bus_message *message, const char *key, const char *type, StreamOptions *o,
                              sd_bus_error *error) {
        static const struct {
                const char *key;
                EventFormatFlags flag;
        } flag_rows[] = {
                { "parse-arguments", EVENT_FORMAT_PARSE_ARGUMENTS },
                { "relative-time",   EVENT_FORMAT_RELATIVE_TIME },
                { "containers",      EVENT_FORMAT_CONTAINERS },
        };
        int r, b;

        if (streq(key, "scopes"))
                return read_scopes(message, type, &o->scopes, error);
        if (streq(key, "format"))
                return read_format(message, o, error);
        if (streq(key, "policy")) {
                const char *name;

                r = sd_bus_message_read(message, "s", &name);
                if (r < 0)
                        return r;
                if (!manager_policy_by_name(m, name))
                        return bus_error_from_manager(error, -ENOENT, name, NULL);
                return free_and_strdup(&o->policy, name);
        }
        if (streq(key, "buffer-bytes")) {
                uint64_t bytes;

                r = sd_bus_message_read(message, "t", &bytes);
                if (r < 0)
                        return r;
                if (bytes > STREAM_BUFFER_MAX)
                        return sd_bus_error_setf(error, SD_BUS_ERROR_INVALID_ARGS, "A stream's buffer has at most %u "
                                                 "bytes.", STREAM_BUFFER_MAX);
                o->buffer_bytes = (size_t) bytes;
                return 0;
        }
        if (streq(key, "header")) {
                r = sd_bus_message_read(message, "b", &b);
                o->no_header = !b;
                return r;
        }
        for (size_t i = 0; i < ELEMENTSOF(flag_rows); i++)
                if (streq(key, flag_rows[i].key)) {
                        r = sd_bus_message_read(message, "b", &b);
                        if (r < 0)
                                return r;
                        o->flags = b ? o->flags | flag_rows[i].flag : o->flags & ~flag_rows[i].flag;
                        return 0;
                }

        return sd_bus_error_setf(error, SD_BUS_ERROR_INVALID_ARGS, "Unknown option '%s'.", key);
}

int stream_bus_read_options(Manager *m, sd_bus_message *message, StreamOptions *o, sd_bus_error *error) {
        int r;

        r = sd_bus_message_enter_container(message, 'a', "{sv}");
        if (r < 0)
                return r;

        while ((r = sd_bus_message_enter_container(message, 'e', "sv")) > 0) {
                const char *key, *type;

                r = sd_bus_message_read(message, "s", &key);
                if (r < 0)
                        return r;
                r = sd_bus_message_peek_type(message, NULL, &type);
                if (r < 0)
                        return r;
                r = sd_bus_message_enter_container(message, 'v', type);
                if (r < 0)
                        return r;
                r = read_stream_option(m, message, key, type, o, error);
                if (r == -ENXIO)
                        return sd_bus_error_setf(error, SD_BUS_ERROR_INVALID_ARGS, "Option '%s' has another type than "
                                                 "'%s'.", key, type);
                if (r < 0)
                        return r;
                r = sd_bus_message_exit_container(message);
                if (r < 0)
                        return r;
                r = sd_bus_message_exit_container(message);
                if (r < 0)
                        return r;
        }

        return r < 0 ? r : sd_bus_message_exit_container(message);
}
