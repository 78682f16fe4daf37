/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The Capture interface: one object for each kind that a scope captures, found by its id when a message comes. Starting and
 * stopping, asked of the Scope or of the Capture, end in captures.c; artifacts are artifact-bus.c's business. */

#include <errno.h>
#include <stdlib.h>

#include <systemd/sd-bus.h>

#include "../basic/macro.h"
#include "../basic/string-util.h"
#include "bus-util.h"
#include "capture-bus.h"

int capture_bus_path(unsigned scope, CaptureKind kind, char **ret) {
        char id[32];

        (void) snprintf(id, sizeof(id), "%u-%s", scope, capture_kind_to_string(kind));
        return sd_bus_path_encode(BUS_PATH_CAPTURE, id, ret);
}

/* A capture as the bus finds it: the object is what the id says, looked up anew by each property. */
typedef struct FoundCapture {
        Captures *captures;
        unsigned scope;
        CaptureKind kind;
} FoundCapture;

static int parse_id(const char *id, unsigned *ret_scope, CaptureKind *ret_kind) {
        const char *dash = strchr(id, '-');
        char number[4];
        uint32_t scope;
        CaptureKind kind;

        if (!dash || dash == id || dash - id > 2 || id[0] == '0')
                return -ENOENT;
        (void) snprintf(number, sizeof(number), "%.*s", (int) (dash - id), id);
        kind = capture_kind_from_string(dash + 1);
        if (parse_u32(number, &scope) < 0 || scope < 1 || scope > SCOPE_MAX || kind < 0)
                return -ENOENT;
        *ret_scope = scope;
        *ret_kind = kind;
        return 0;
}

static int capture_find(sd_bus *bus, const char *path, const char *interface, void *userdata, void **ret,
                        sd_bus_error *error) {
        static FoundCapture found;      /* used up before the next message is looked at */
        _cleanup_free_ char *id = NULL;
        int r;

        r = sd_bus_path_decode(path, BUS_PATH_CAPTURE, &id);
        if (r <= 0)
                return r;
        found.captures = manager_captures(userdata);
        if (!found.captures || parse_id(id, &found.scope, &found.kind) < 0 ||
            !captures_is_announced(found.captures, found.scope, found.kind))
                return 0;
        *ret = &found;
        return 1;
}

static int capture_enumerate(sd_bus *bus, const char *prefix, void *userdata, char ***ret, sd_bus_error *error) {
        CaptureIterator i = CAPTURE_ITERATOR_FIRST;
        Captures *c = manager_captures(userdata);
        _cleanup_strv_free_ char **l = NULL;
        int r;

        while (c && captures_next(c, &i, NULL)) {
                _cleanup_free_ char *path = NULL;

                r = capture_bus_path(i.scope, i.kind, &path);
                if (r < 0)
                        return r;
                r = strv_extend(&l, path);
                if (r < 0)
                        return r;
        }
        *ret = TAKE_PTR(l);
        return 1;
}

int capture_bus_list(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        CaptureIterator i = CAPTURE_ITERATOR_FIRST;
        Captures *c = manager_captures(userdata);
        CaptureInfo info;
        int r;

        r = sd_bus_message_new_method_return(message, &reply);
        if (r < 0)
                return r;
        r = sd_bus_message_open_container(reply, 'a', "(sysasbttto)");
        if (r < 0)
                return r;
        while (c && captures_next(c, &i, &info)) {
                _cleanup_free_ char *path = NULL;

                r = capture_bus_path(info.scope, info.kind, &path);
                if (r >= 0)
                        r = sd_bus_message_open_container(reply, 'r', "sysasbttto");
                if (r >= 0)
                        r = sd_bus_message_append(reply, "sys", info.id, info.scope, capture_kind_to_string(info.kind));
                if (r >= 0)
                        r = sd_bus_message_append_strv(reply, info.policies);
                if (r >= 0)
                        r = sd_bus_message_append(reply, "bttto", info.at_run_time, info.usage.n_artifacts, info.usage.bytes,
                                                  info.usage.n_dropped, path);
                if (r >= 0)
                        r = sd_bus_message_close_container(reply);
                capture_info_done(&info);
                if (r < 0)
                        return r;
        }
        r = sd_bus_message_close_container(reply);
        if (r < 0)
                return r;
        return sd_bus_message_send(reply);
}

/* --- start and stop --- */

static int capture_error(sd_bus_error *error, int r, unsigned scope, const char *sentence) {
        static const struct {
                int error;
                const char *name;
        } rows[] = {
                { -EINVAL, BUS_ERROR_BAD_CAPTURE },
                { -EOPNOTSUPP, BUS_ERROR_BAD_CAPTURE },
                { -ENOTSUP, BUS_ERROR_BAD_CAPTURE },
                { -ENOENT, BUS_ERROR_NO_SUCH_CAPTURE },
                { -EROFS, BUS_ERROR_CAPTURE_FROM_POLICY },
                { -ENXIO, BUS_ERROR_NO_SUCH_SCOPE },
        };

        if (r == -ENXIO)
                return sd_bus_error_setf(error, BUS_ERROR_NO_SUCH_SCOPE, "No policy is assigned to scope %u.", scope);
        for (size_t i = 0; sentence && i < ELEMENTSOF(rows); i++)
                if (rows[i].error == r)
                        return sd_bus_error_set(error, rows[i].name, sentence);
        return sd_bus_error_set_errnof(error, r, "%s", sentence ?: strerror(-r));
}

static int read_expressions(sd_bus_message *message, const char *kind, char ***ret, sd_bus_error *error) {
        _cleanup_strv_free_ char **l = NULL;
        int r;

        r = sd_bus_message_enter_container(message, 'a', "{sv}");
        if (r < 0)
                return r;
        while ((r = sd_bus_message_enter_container(message, 'e', "sv")) > 0) {
                const char *key;

                r = sd_bus_message_read(message, "s", &key);
                if (r < 0)
                        return r;
                if (!streq(key, "expressions"))
                        return sd_bus_error_setf(error, SD_BUS_ERROR_INVALID_ARGS, "Unknown option '%s'; there is only "
                                                 "'expressions' (as).", key);
                if (sd_bus_message_enter_container(message, 'v', "as") <= 0)
                        return sd_bus_error_set(error, SD_BUS_ERROR_INVALID_ARGS,
                                                "Option 'expressions' is an array of strings (as).");
                l = strv_free(l);
                r = sd_bus_message_read_strv(message, &l);
                if (r >= 0)
                        r = sd_bus_message_exit_container(message);
                if (r >= 0)
                        r = sd_bus_message_exit_container(message);
                if (r < 0)
                        return r;
        }
        if (r < 0)
                return r;
        if (strv_length(l) == 0 && !isempty(kind)) {
                r = strv_extend(&l, kind);
                if (r < 0)
                        return r;
        }
        *ret = TAKE_PTR(l);
        return 0;
}

static int read_kind(const char *text, CaptureKind *ret, sd_bus_error *error) {
        *ret = capture_kind_from_string(text);
        if (*ret < 0)
                return sd_bus_error_setf(error, SD_BUS_ERROR_INVALID_ARGS, "'%s' is no kind of capture: use write, read, exec, "
                                         "mem, network or module.", text);
        return 0;
}

int capture_bus_start(sd_bus_message *message, Scope *s, sd_bus_error *error) {
        Captures *c = manager_captures(s->manager);
        _cleanup_strv_free_ char **expressions = NULL;
        _cleanup_free_ char *sentence = NULL;
        CaptureKind kind = _CAPTURE_KIND_INVALID;
        unsigned scope = s->number;
        const char *text;
        int r;

        r = bus_verify_access(message, BUS_ACTION_MANAGE_CAPTURES, error);
        if (r < 0)
                return r;
        r = sd_bus_message_read(message, "s", &text);
        if (r < 0)
                return r;
        if (!isempty(text)) {   /* "": whatever the expressions ask for */
                r = read_kind(text, &kind, error);
                if (r < 0)
                        return r;
        }
        r = read_expressions(message, text, &expressions, error);
        if (r < 0)
                return r;
        r = captures_begin(c, scope, kind, expressions, &sentence);
        if (r < 0)
                return capture_error(error, r, scope, sentence);
        return sd_bus_reply_method_return(message, NULL);
}

static int stop(sd_bus_message *message, Captures *c, unsigned scope, CaptureKind kind, sd_bus_error *error) {
        _cleanup_free_ char *sentence = NULL;
        int r;

        r = captures_end(c, scope, kind, &sentence);
        if (r < 0)
                return capture_error(error, r, scope, sentence);
        return sd_bus_reply_method_return(message, NULL);
}

int capture_bus_stop(sd_bus_message *message, Scope *s, sd_bus_error *error) {
        CaptureKind kind;
        const char *text;
        int r;

        r = bus_verify_access(message, BUS_ACTION_MANAGE_CAPTURES, error);
        if (r < 0)
                return r;
        r = sd_bus_message_read(message, "s", &text);
        if (r < 0)
                return r;
        r = read_kind(text, &kind, error);
        if (r < 0)
                return r;
        return stop(message, manager_captures(s->manager), s->number, kind, error);
}

static int method_stop(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        FoundCapture f = *(FoundCapture *) userdata;
        int r;

        r = bus_verify_access(message, BUS_ACTION_MANAGE_CAPTURES, error);
        if (r < 0)
                return r;
        return stop(message, f.captures, f.scope, f.kind, error);
}

/* --- properties --- */

static int append_origins(sd_bus_message *reply, const CaptureInfo *info) {
        int r;

        r = sd_bus_message_open_container(reply, 'a', "s");
        if (r >= 0 && info->by_policy)
                r = sd_bus_message_append(reply, "s", "policy");
        if (r >= 0 && info->at_run_time)
                r = sd_bus_message_append(reply, "s", "run-time");
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int property_get(sd_bus *bus, const char *path, const char *interface, const char *property, sd_bus_message *reply,
                        void *userdata, sd_bus_error *error) {
        FoundCapture *f = userdata;
        _cleanup_(capture_info_done) CaptureInfo info = {};
        StoreCounters counters = {};
        const struct {
                const char *property;
                const uint64_t *value;
        } rows[] = {
                { "NArtifacts", &info.usage.n_artifacts },      { "Bytes", &info.usage.bytes },
                { "NDropped", &info.usage.n_dropped },          { "DroppedBytes", &info.usage.dropped_bytes },
                { "MaxBytes", &counters.max_bytes },            { "MaxArtifactBytes", &counters.max_artifact_bytes },
        };

        if (!captures_get(f->captures, f->scope, f->kind, &info))
                return -ENOENT;
        if (captures_store(f->captures))
                store_counters(captures_store(f->captures), &counters);
        if (streq(property, "Scope"))
                return sd_bus_message_append(reply, "y", info.scope);
        if (streq(property, "Kind"))
                return sd_bus_message_append(reply, "s", capture_kind_to_string(info.kind));
        if (streq(property, "Origins"))
                return append_origins(reply, &info);
        if (streq(property, "Policies"))
                return sd_bus_message_append_strv(reply, info.policies);
        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                if (streq(property, rows[i].property))
                        return sd_bus_message_append(reply, "t", *rows[i].value);
        return -EINVAL;
}

int capture_bus_export(Manager *m, sd_bus *bus) {
        int r;

        r = sd_bus_add_fallback_vtable(bus, NULL, BUS_PATH_CAPTURE, BUS_INTERFACE_CAPTURE, capture_vtable, capture_find, m);
        if (r < 0)
                return r;
        return sd_bus_add_node_enumerator(bus, NULL, BUS_PATH_CAPTURE, capture_enumerate, m);
}

const sd_bus_vtable capture_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD("Stop", NULL, NULL, method_stop, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_PROPERTY("Scope", "y", property_get, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("Kind", "s", property_get, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("Origins", "as", property_get, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("Policies", "as", property_get, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("NArtifacts", "t", property_get, 0, 0),
        SD_BUS_PROPERTY("Bytes", "t", property_get, 0, 0),
        SD_BUS_PROPERTY("NDropped", "t", property_get, 0, 0),
        SD_BUS_PROPERTY("DroppedBytes", "t", property_get, 0, 0),
        SD_BUS_PROPERTY("MaxBytes", "t", property_get, 0, 0),
        SD_BUS_PROPERTY("MaxArtifactBytes", "t", property_get, 0, 0),
        SD_BUS_VTABLE_END
};
