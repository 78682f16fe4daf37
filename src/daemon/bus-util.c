/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What all interfaces share. Errors become D-Bus errors here and nowhere else, by one table; whether a caller may do
 * something is decided here and nowhere else, by one function. Knows no interface but LogControl1. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <systemd/sd-bus.h>

#include "../basic/buffer.h"
#include "../basic/log.h"
#include "../basic/macro.h"
#include "../basic/string-util.h"
#include "bus-util.h"

static const char *const action_sentences[_BUS_ACTION_MAX] = {
        [BUS_ACTION_MANAGE_POLICIES] = "manage policies",
        [BUS_ACTION_READ_EVENTS] = "read events",
        [BUS_ACTION_MANAGE_CAPTURES] = "manage captures",
        [BUS_ACTION_MANAGE_SERVICE] = "manage the service",
};

int bus_verify_access(sd_bus_message *m, BusAction action, sd_bus_error *error) {
        _cleanup_(sd_bus_creds_unrefp) sd_bus_creds *creds = NULL;
        uid_t euid;
        int r;

        assert(action < _BUS_ACTION_MAX);

        r = sd_bus_query_sender_creds(m, SD_BUS_CREDS_EUID, &creds);
        if (r < 0)
                return sd_bus_error_set_errnof(error, r, "Who is calling cannot be told: %s", strerror(-r));
        r = sd_bus_creds_get_euid(creds, &euid);
        if (r < 0)
                return sd_bus_error_set_errnof(error, r, "Who is calling cannot be told: %s", strerror(-r));

        /* The service's own user is root, except where a test runs it without privileges. */
        if (euid == 0 || euid == geteuid())
                return 0;

        return sd_bus_error_setf(error, SD_BUS_ERROR_ACCESS_DENIED, "Only root may %s.", action_sentences[action]);
}

/* The first error, or when there is none the first warning. */
static const Problem *first_problem(const ProblemList *l) {
        if (!l || l->n == 0)
                return NULL;

        for (size_t i = 0; i < l->n; i++)
                if (l->items[i].severity == PROBLEM_ERROR)
                        return &l->items[i];

        return &l->items[0];
}

static const struct {
        int error;
        const char *name;
        const char *sentence;       /* %s: the subject; used when no problem says it better */
        bool problem;               /* the first problem's text is the better message */
} error_rows[] = {
        { -ENOENT,  BUS_ERROR_NO_SUCH_POLICY,    "There is no policy '%s'.", false },
        { -ENXIO,   BUS_ERROR_NO_SUCH_SCOPE,     "No policy is assigned to scope %s.", false },
        { -EEXIST,  BUS_ERROR_POLICY_EXISTS,     "A policy of this name is loaded: choose another name or unload that one.", true },
        { -EBUSY,   BUS_ERROR_SCOPE_IN_USE,      "A loaded policy uses this scope number: choose another.", true },
        { -EINVAL,  BUS_ERROR_BAD_POLICY,        "The policy is not usable.", true },
        { -EBADMSG, BUS_ERROR_BAD_POLICY,        "The policy is not usable.", true },
        { -ENOTSUP, SD_BUS_ERROR_NOT_SUPPORTED,  "This kernel refuses what the policy needs.", true },
        { -EROFS,   BUS_ERROR_POLICY_FROM_FILE,  "Policy '%s' comes from a file: disable it, or remove the file and reload.", false },
        { -EUSERS,  SD_BUS_ERROR_LIMITS_EXCEEDED, "Too many streams are open.", false },
        { -ENOMEM,  SD_BUS_ERROR_NO_MEMORY,      "Out of memory.", false },
};

int bus_error_from_manager(sd_bus_error *error, int r, const char *subject, const ProblemList *problems) {
        const Problem *p = first_problem(problems);

        assert(r < 0);

        for (size_t i = 0; i < ELEMENTSOF(error_rows); i++) {
                char text[1024];

                if (error_rows[i].error != r)
                        continue;

                if (error_rows[i].problem && p) {
                        _cleanup_free_ char *buf = NULL;
                        const char *sentence;

                        if (p->line > 0)
                                snprintf(text, sizeof text, "%u:%u: %s%s%s", p->line, p->column, strempty(p->key),
                                         isempty(p->key) ? "" : ": ", strempty(p->message));
                        else
                                snprintf(text, sizeof text, "%s%s%s", strempty(p->key), isempty(p->key) ? "" : ": ",
                                         strempty(p->message));
                        sentence = bus_text(text, &buf);
                        return sd_bus_error_set(error, error_rows[i].name, sentence);
                }

                /* The sentences are constants of the table above. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
                snprintf(text, sizeof text, error_rows[i].sentence, strempty(subject));
#pragma GCC diagnostic pop
                return sd_bus_error_set(error, error_rows[i].name, text);
        }

        return sd_bus_error_set_errno(error, r);
}

const char *bus_text(const char *s, char **buf) {
        Buffer b = {};

        if (!s || utf8_is_valid(s, strlen(s)))
                return strempty(s);

        /* The names of files are bytes; a message with one that is not UTF-8 could not be sent at all. */
        (void) buffer_add_escaped(&b, s, strlen(s));
        free(*buf);
        *buf = buffer_steal(&b);
        return strempty(*buf);
}

int bus_append_problems(sd_bus_message *m, const ProblemList *problems) {
        int r;

        r = sd_bus_message_open_container(m, 'a', "(suus)");
        if (r < 0)
                return r;

        for (size_t i = 0; i < problems->n; i++) {
                const Problem *p = &problems->items[i];
                _cleanup_free_ char *sentence = NULL, *buf = NULL;

                if (asprintf(&sentence, "%s%s%s", strempty(p->key), isempty(p->key) ? "" : ": ",
                             strempty(p->message)) < 0)
                        return -ENOMEM;

                r = sd_bus_message_append(m, "(suus)", p->severity == PROBLEM_ERROR ? "error" : "warning", p->line,
                                          p->column, bus_text(sentence, &buf));
                if (r < 0)
                        return r;
        }

        return sd_bus_message_close_container(m);
}

int bus_policy_path(const char *name, char **ret) {
        return sd_bus_path_encode(BUS_PATH_POLICY, name, ret);
}

int bus_scope_path(unsigned number, char **ret) {
        char buf[16];

        snprintf(buf, sizeof buf, "%u", number);
        return sd_bus_path_encode(BUS_PATH_SCOPE, buf, ret);
}

int bus_append_policy_path(sd_bus_message *m, const char *name) {
        _cleanup_free_ char *path = NULL;
        int r;

        r = bus_policy_path(name, &path);
        if (r < 0)
                return r;

        return sd_bus_message_append(m, "o", path);
}

int bus_append_scope_path(sd_bus_message *m, unsigned number) {
        _cleanup_free_ char *path = NULL;
        int r;

        r = bus_scope_path(number, &path);
        if (r < 0)
                return r;

        return sd_bus_message_append(m, "o", path);
}

static int property_get_log_level(sd_bus *bus, const char *path, const char *interface, const char *property,
                                  sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        return sd_bus_message_append(reply, "s", log_level_to_string(log_get_max_level()));
}

static int property_set_log_level(sd_bus *bus, const char *path, const char *interface, const char *property,
                                  sd_bus_message *value, void *userdata, sd_bus_error *error) {
        const char *s;
        int r, level;

        r = bus_verify_access(value, BUS_ACTION_MANAGE_SERVICE, error);
        if (r < 0)
                return r;

        r = sd_bus_message_read(value, "s", &s);
        if (r < 0)
                return r;

        level = log_level_from_string(s);
        if (level < 0)
                return sd_bus_error_setf(error, SD_BUS_ERROR_INVALID_ARGS, "'%s' is no log level.", s);

        log_info("Setting the log level to %s.", s);
        log_set_max_level(level);
        return 0;
}

static int property_get_log_target(sd_bus *bus, const char *path, const char *interface, const char *property,
                                   sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        return sd_bus_message_append(reply, "s", log_target_to_string(log_get_target()));
}

static int property_set_log_target(sd_bus *bus, const char *path, const char *interface, const char *property,
                                   sd_bus_message *value, void *userdata, sd_bus_error *error) {
        const char *s;
        LogTarget target;
        int r;

        r = bus_verify_access(value, BUS_ACTION_MANAGE_SERVICE, error);
        if (r < 0)
                return r;

        r = sd_bus_message_read(value, "s", &s);
        if (r < 0)
                return r;

        target = log_target_from_string(s);
        if (target < 0)
                return sd_bus_error_setf(error, SD_BUS_ERROR_INVALID_ARGS, "'%s' is no log target.", s);

        log_info("Setting the log target to %s.", s);
        log_set_target(target);
        return 0;
}

static int property_get_identifier(sd_bus *bus, const char *path, const char *interface, const char *property,
                                   sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        return sd_bus_message_append(reply, "s", "scopetrace");
}

/* Writable without a capability for sd-bus: the setters ask bus_verify_access(). */
const sd_bus_vtable log_control_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_WRITABLE_PROPERTY("LogLevel", "s", property_get_log_level, property_set_log_level, 0,
                                 SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_WRITABLE_PROPERTY("LogTarget", "s", property_get_log_target, property_set_log_target, 0,
                                 SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_PROPERTY("SyslogIdentifier", "s", property_get_identifier, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_VTABLE_END
};
