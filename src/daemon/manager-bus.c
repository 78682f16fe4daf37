/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The Manager interface. What a method does is manager.c's business; this file reads arguments, asks bus_verify_access()
 * before anything changes, and writes replies. The connection that it is served on is bus-connection.c's. */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <systemd/sd-bus.h>

#include "../basic/macro.h"
#include "../basic/string-util.h"
#include "bus-connection.h"
#include "bus-util.h"
#include "capture-bus.h"
#include "manager-bus.h"
#include "policy-bus.h"
#include "scope-bus.h"
#include "stream-bus.h"

static int list_scopes_row(sd_bus_message *reply, Scope *s) {
        int r;

        r = sd_bus_message_open_container(reply, 'r', "yasbtto");
        if (r < 0)
                return r;
        r = sd_bus_message_append(reply, "y", s->number);
        if (r < 0)
                return r;
        r = sd_bus_message_open_container(reply, 'a', "s");
        if (r < 0)
                return r;

        for (size_t i = 0; i < s->n_policies; i++) {
                _cleanup_free_ char *buf = NULL;

                r = sd_bus_message_append(reply, "s", bus_text(s->policies[i]->name, &buf));
                if (r < 0)
                        return r;
        }

        r = sd_bus_message_close_container(reply);
        if (r < 0)
                return r;
        r = sd_bus_message_append(reply, "btt", !s->disabled, s->n_events, s->n_lost);
        if (r < 0)
                return r;
        r = bus_append_scope_path(reply, s->number);
        if (r < 0)
                return r;

        return sd_bus_message_close_container(reply);
}

static int method_list_scopes(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        Manager *m = userdata;
        int r;

        r = sd_bus_message_new_method_return(message, &reply);
        if (r < 0)
                return r;
        r = sd_bus_message_open_container(reply, 'a', "(yasbtto)");
        if (r < 0)
                return r;

        for (Scope *s = manager_scope_next(m, NULL); s; s = manager_scope_next(m, s)) {
                r = list_scopes_row(reply, s);
                if (r < 0)
                        return r;
        }

        r = sd_bus_message_close_container(reply);
        if (r < 0)
                return r;

        return sd_bus_message_send(reply);
}

static int method_list_policies(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        Manager *m = userdata;
        int r;

        r = sd_bus_message_new_method_return(message, &reply);
        if (r < 0)
                return r;
        r = sd_bus_message_open_container(reply, 'a', "(ssssysuo)");
        if (r < 0)
                return r;

        for (LoadedPolicy *p = manager_policy_next(m, NULL); p; p = manager_policy_next(m, p)) {
                _cleanup_free_ char *path = NULL, *name_buf = NULL, *file_buf = NULL;

                r = bus_policy_path(p->name, &path);
                if (r < 0)
                        return r;
                r = sd_bus_message_append(reply, "(ssssysuo)", bus_text(p->name, &name_buf), policy_bus_kind(p),
                                          policy_state_to_string(p->state), policy_bus_mode(p), p->scope,
                                          bus_text(p->path, &file_buf), (uint32_t) p->problems.n, path);
                if (r < 0)
                        return r;
        }

        r = sd_bus_message_close_container(reply);
        if (r < 0)
                return r;

        return sd_bus_message_send(reply);
}

static int reply_path(sd_bus_message *message, int r, char *path) {
        _cleanup_free_ char *p = path;

        if (r < 0)
                return r;

        return sd_bus_reply_method_return(message, "o", p);
}

static int method_get_scope(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        Manager *m = userdata;
        char *path = NULL, buf[16];
        uint8_t number;
        int r;

        r = sd_bus_message_read(message, "y", &number);
        if (r < 0)
                return r;

        if (number < 1 || number > SCOPE_MAX)
                return sd_bus_error_setf(error, BUS_ERROR_NO_SUCH_SCOPE, "Scopes are numbered from 1 to %d, not %u.",
                                         SCOPE_MAX, number);
        if (!manager_scope(m, number)) {
                snprintf(buf, sizeof buf, "%u", number);
                return bus_error_from_manager(error, -ENXIO, buf, NULL);
        }

        r = bus_scope_path(number, &path);
        return reply_path(message, r, path);
}

static int method_get_policy(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        Manager *m = userdata;
        char *path = NULL;
        const char *name;
        int r;

        r = sd_bus_message_read(message, "s", &name);
        if (r < 0)
                return r;

        if (!manager_policy_by_name(m, name))
                return bus_error_from_manager(error, -ENOENT, name, NULL);

        r = bus_policy_path(name, &path);
        return reply_path(message, r, path);
}

static int read_policy_text(sd_bus_message *message, const char **ret, sd_bus_error *error) {
        const char *text;
        int r;

        r = sd_bus_message_read(message, "s", &text);
        if (r < 0)
                return r;

        if (strlen(text) > POLICY_FILE_MAX)
                return sd_bus_error_setf(error, BUS_ERROR_BAD_POLICY, "The text has %zu bytes, a policy may have %u: "
                                         "split it into several.", strlen(text), POLICY_FILE_MAX);

        *ret = text;
        return 0;
}

/* Changes nothing, but reads a stranger's text at the loop's cost: not for everybody. */
static int method_check_policy(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_(problem_list_done) ProblemList problems = {};
        const char *text = NULL;
        int r;

        r = bus_verify_access(message, BUS_ACTION_MANAGE_POLICIES, error);
        if (r < 0)
                return r;
        r = read_policy_text(message, &text, error);
        if (r < 0)
                return r;

        /* A policy that is wrong is the answer, not a failure. */
        r = manager_check_policy(userdata, text, &problems);
        if (r < 0 && problems.n == 0)
                return bus_error_from_manager(error, r, NULL, NULL);

        r = sd_bus_message_new_method_return(message, &reply);
        if (r < 0)
                return r;
        r = bus_append_problems(reply, &problems);
        if (r < 0)
                return r;

        return sd_bus_message_send(reply);
}

static int method_load_policy(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        _cleanup_(problem_list_done) ProblemList problems = {};
        _cleanup_(owned_policy_freep) OwnedPolicy *owned = NULL;
        LoadedPolicy *p = NULL;
        Manager *m = userdata;
        char *path = NULL;
        const char *text = NULL;
        uint64_t flags;
        int r;

        r = bus_verify_access(message, BUS_ACTION_MANAGE_POLICIES, error);
        if (r < 0)
                return r;
        r = read_policy_text(message, &text, error);
        if (r < 0)
                return r;
        r = sd_bus_message_read(message, "t", &flags);
        if (r < 0)
                return r;
        if (flags & ~(uint64_t) _POLICY_LOAD_ALL)
                return sd_bus_error_setf(error, SD_BUS_ERROR_INVALID_ARGS, "Unknown flags 0x%" PRIx64 ".",
                                         flags & ~(uint64_t) _POLICY_LOAD_ALL);

        /* Before the policy is loaded, so that a caller that leaves meanwhile is not missed. */
        if (flags & POLICY_LOAD_TRACK_OWNER) {
                r = owned_policy_new(m, message, &owned);
                if (r < 0)
                        return sd_bus_error_set_errnof(error, r, "Cannot follow the caller, leave flag 1 out: %s",
                                                       strerror(-r));
        }

        r = manager_load_policy(m, text, flags, sd_bus_message_get_sender(message), &p, &problems);
        if (r < 0)
                return bus_error_from_manager(error, r, NULL, &problems);

        if (owned) {
                r = owned_policy_attach(owned, p->name);
                if (r < 0) {
                        (void) manager_unload_policy(m, p->name);
                        return r;
                }
                TAKE_PTR(owned);
        }

        r = bus_policy_path(p->name, &path);
        return reply_path(message, r, path);
}

static int method_unload_policy(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        const char *name;
        int r;

        r = sd_bus_message_read(message, "s", &name);
        if (r < 0)
                return r;

        return policy_bus_unload(userdata, name, message, error);
}

static int method_enable_policy(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        const char *name;
        int r;

        r = sd_bus_message_read(message, "s", &name);
        if (r < 0)
                return r;

        return policy_bus_set_enabled(userdata, name, true, message, error);
}

static int method_set_policy_mode(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        const char *name, *mode;
        int r;

        r = sd_bus_message_read(message, "ss", &name, &mode);
        if (r < 0)
                return r;

        return policy_bus_set_mode(userdata, name, mode, message, error);
}

static int method_disable_policy(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        const char *name;
        int r;

        r = sd_bus_message_read(message, "s", &name);
        if (r < 0)
                return r;

        return policy_bus_set_enabled(userdata, name, false, message, error);
}

static int method_reload(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        int r;

        r = bus_verify_access(message, BUS_ACTION_MANAGE_POLICIES, error);
        if (r < 0)
                return r;

        r = manager_reload(userdata);
        if (r < 0)
                return bus_error_from_manager(error, r, NULL, NULL);

        return sd_bus_reply_method_return(message, NULL);
}

static pid_t sender_pid(sd_bus_message *message) {
        _cleanup_(sd_bus_creds_unrefp) sd_bus_creds *creds = NULL;
        pid_t pid;

        if (sd_bus_query_sender_creds(message, SD_BUS_CREDS_PID, &creds) < 0 || sd_bus_creds_get_pid(creds, &pid) < 0)
                return 0;

        return pid;
}

static int method_open_event_stream(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        StreamOptions options = { .format = EVENT_FORMAT_JSON };
        _cleanup_free_ char *policy = NULL;
        _cleanup_close_ int fd = -EBADF;
        int r;

        r = bus_verify_access(message, BUS_ACTION_READ_EVENTS, error);
        if (r < 0)
                return r;

        r = stream_bus_read_options(userdata, message, &options, error);
        policy = options.policy;
        if (r < 0)
                return r;

        options.pid = sender_pid(message);
        r = manager_open_stream(userdata, &options, &fd);
        if (r < 0)
                return bus_error_from_manager(error, r, NULL, NULL);

        return sd_bus_reply_method_return(message, "h", fd);
}

static int property_get_version(sd_bus *bus, const char *path, const char *interface, const char *property,
                                sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        return sd_bus_message_append(reply, "s", PROJECT_VERSION);
}

static int property_get_features(sd_bus *bus, const char *path, const char *interface, const char *property,
                                 sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        const FeatureSet *features = manager_features(userdata);
        int r;

        r = sd_bus_message_open_container(reply, 'a', "(sbs)");
        if (r < 0)
                return r;

        for (Feature f = 0; f < _FEATURE_MAX; f++) {
                _cleanup_free_ char *buf = NULL;
                const char *reason = features->granted[f] ? "" : features->reason[f];

                if (!features->granted[f] && isempty(reason))
                        reason = feature_sentence(f);
                r = sd_bus_message_append(reply, "(sbs)", feature_name(f), features->granted[f],
                                          bus_text(reason, &buf));
                if (r < 0)
                        return r;
        }

        return sd_bus_message_close_container(reply);
}

static int property_get_timestamp(sd_bus *bus, const char *path, const char *interface, const char *property,
                                  sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        return sd_bus_message_append(reply, "t", streq(property, "StartTimestamp")
                                                         ? manager_start_realtime_usec(userdata)
                                                         : manager_start_monotonic_usec(userdata));
}

static int property_get_status(sd_bus *bus, const char *path, const char *interface, const char *property,
                               sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        return sd_bus_message_append(reply, "s", manager_status_text(userdata));
}

static int property_get_number(sd_bus *bus, const char *path, const char *interface, const char *property,
                               sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        unsigned n = 0, n_active = 0, n_failed = 0, n_scopes = 0, value;
        Manager *m = userdata;

        manager_policy_counts(m, &n, &n_active, &n_failed);
        for (Scope *s = manager_scope_next(m, NULL); s; s = manager_scope_next(m, s))
                n_scopes++;

        if (streq(property, "Generation"))
                value = manager_generation(m);
        else if (streq(property, "NPolicies"))
                value = n;
        else if (streq(property, "NActive"))
                value = n_active;
        else if (streq(property, "NFailed"))
                value = n_failed;
        else if (streq(property, "NScopes"))
                value = n_scopes;
        else if (streq(property, "NHooks"))
                value = manager_n_hooks(m);
        else
                return -EINVAL;

        return sd_bus_message_append(reply, "u", value);
}

static const struct {
        const char *property;
        size_t offset;
} counter_rows[] = {
        { "NEvents",         offsetof(ManagerCounters, n_events) },
        { "NLostRing",       offsetof(ManagerCounters, n_lost_ring) },
        { "NLostRateLimit",  offsetof(ManagerCounters, n_lost_rate) },
        { "NLostJournal",    offsetof(ManagerCounters, n_lost_journal) },
        { "NLostStreams",    offsetof(ManagerCounters, n_lost_streams) },
        { "NBadRecords",     offsetof(ManagerCounters, n_bad_records) },
        { "NTruncated",      offsetof(ManagerCounters, n_truncated) },
        { "NFaults",         offsetof(ManagerCounters, n_faults) },
        { "NPathErrors",     offsetof(ManagerCounters, n_path_errors) },
        { "NUnresolved",     offsetof(ManagerCounters, n_unresolved) },
        { "NInternalErrors", offsetof(ManagerCounters, n_internal) },
        { "NJournalEntries", offsetof(ManagerCounters, n_journal_entries) },
        { "NUrlRequests",    offsetof(ManagerCounters, n_url_requests) },
        { "NUrlFailed",      offsetof(ManagerCounters, n_url_failed) },
        { "NUrlDropped",     offsetof(ManagerCounters, n_url_dropped) },
        { "NDnsLookups",     offsetof(ManagerCounters, n_dns_lookups) },
        { "NDnsFailed",      offsetof(ManagerCounters, n_dns_failed) },
        { "NDnsDropped",     offsetof(ManagerCounters, n_dns_dropped) },
        { "NextSequence",    offsetof(ManagerCounters, seq) },
        { "RingBytes",       offsetof(ManagerCounters, ring_bytes) },
        { "RingUsedBytes",   offsetof(ManagerCounters, ring_used_bytes) },
};

static int property_get_counter(sd_bus *bus, const char *path, const char *interface, const char *property,
                                sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        ManagerCounters counters = {};

        if (streq(property, "NLost"))
                return sd_bus_message_append(reply, "t", manager_n_lost(userdata));

        manager_counters(userdata, &counters);
        for (size_t i = 0; i < ELEMENTSOF(counter_rows); i++)
                if (streq(property, counter_rows[i].property))
                        return sd_bus_message_append(reply, "t",
                                                     *(uint64_t *) ((char *) &counters + counter_rows[i].offset));
        return -EINVAL;
}

int manager_bus_export(Manager *m, sd_bus *bus) {
        int r;

        r = sd_bus_add_object_manager(bus, NULL, BUS_PATH);
        if (r < 0)
                return r;
        r = sd_bus_add_object_vtable(bus, NULL, BUS_PATH, BUS_INTERFACE_MANAGER, manager_vtable, m);
        if (r < 0)
                return r;
        r = scope_bus_export(m, bus);
        if (r < 0)
                return r;
        r = policy_bus_export(m, bus);
        if (r < 0)
                return r;
        r = capture_bus_export(m, bus);
        if (r < 0)
                return r;

        return sd_bus_add_object_vtable(bus, NULL, LOG_CONTROL_PATH, LOG_CONTROL_INTERFACE, log_control_vtable, m);
}

#define COUNTER(name) SD_BUS_PROPERTY(name, "t", property_get_counter, 0, 0)
#define CAPTURE_COUNTER(name) SD_BUS_PROPERTY(name, "t", capture_bus_property, 0, 0)
#define NUMBER(name) SD_BUS_PROPERTY(name, "u", property_get_number, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE)

/* Methods are open to everybody for sd-bus: those that change or reveal something ask bus_verify_access() first. */
const sd_bus_vtable manager_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD_WITH_ARGS("ListScopes", SD_BUS_NO_ARGS, SD_BUS_RESULT("a(yasbtto)", scopes),
                                method_list_scopes, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("ListPolicies", SD_BUS_NO_ARGS, SD_BUS_RESULT("a(ssssysuo)", policies),
                                method_list_policies, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("GetScope", SD_BUS_ARGS("y", number), SD_BUS_RESULT("o", scope), method_get_scope,
                                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("GetPolicy", SD_BUS_ARGS("s", name), SD_BUS_RESULT("o", policy), method_get_policy,
                                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("CheckPolicy", SD_BUS_ARGS("s", text), SD_BUS_RESULT("a(suus)", problems),
                                method_check_policy, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("LoadPolicy", SD_BUS_ARGS("s", text, "t", flags), SD_BUS_RESULT("o", policy),
                                method_load_policy, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("UnloadPolicy", SD_BUS_ARGS("s", name), SD_BUS_NO_RESULT, method_unload_policy,
                                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("EnablePolicy", SD_BUS_ARGS("s", name), SD_BUS_NO_RESULT, method_enable_policy,
                                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("DisablePolicy", SD_BUS_ARGS("s", name), SD_BUS_NO_RESULT, method_disable_policy,
                                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("SetPolicyMode", SD_BUS_ARGS("s", name, "s", mode), SD_BUS_NO_RESULT,
                                method_set_policy_mode, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Reload", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, method_reload,
                                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("OpenEventStream", SD_BUS_ARGS("a{sv}", options), SD_BUS_RESULT("h", stream),
                                method_open_event_stream, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("ListCaptures", SD_BUS_NO_ARGS, SD_BUS_RESULT("a(sysasbttto)", captures),
                                capture_bus_list, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("ListArtifacts", SD_BUS_ARGS("a{sv}", filter),
                                SD_BUS_RESULT("a(sssttbsttta{sv})", artifacts), capture_bus_list_artifacts,
                                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("OpenArtifact", SD_BUS_ARGS("s", id), SD_BUS_RESULT("h", artifact),
                                capture_bus_open_artifact, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("RemoveArtifacts", SD_BUS_ARGS("a{sv}", filter), SD_BUS_RESULT("t", removed, "t", freed),
                                capture_bus_remove_artifacts, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Vacuum", SD_BUS_ARGS("t", max_bytes, "t", max_age_usec),
                                SD_BUS_RESULT("t", removed, "t", freed), capture_bus_vacuum, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_SIGNAL_WITH_ARGS("RemovalProgress", SD_BUS_ARGS("t", removed, "t", total, "t", freed), 0),
        SD_BUS_PROPERTY("Version", "s", property_get_version, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("Features", "a(sbs)", property_get_features, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("StartTimestamp", "t", property_get_timestamp, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("StartTimestampMonotonic", "t", property_get_timestamp, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("Status", "s", property_get_status, 0, 0),
        NUMBER("Generation"),
        NUMBER("NPolicies"),
        NUMBER("NActive"),
        NUMBER("NFailed"),
        NUMBER("NScopes"),
        NUMBER("NHooks"),
        COUNTER("NEvents"),
        COUNTER("NLost"),
        COUNTER("NLostRing"),
        COUNTER("NLostRateLimit"),
        COUNTER("NLostJournal"),
        COUNTER("NLostStreams"),
        COUNTER("NBadRecords"),
        COUNTER("NTruncated"),
        COUNTER("NFaults"),
        COUNTER("NPathErrors"),
        COUNTER("NUnresolved"),
        COUNTER("NInternalErrors"),
        COUNTER("NJournalEntries"),
        COUNTER("NUrlRequests"),
        COUNTER("NUrlFailed"),
        COUNTER("NUrlDropped"),
        COUNTER("NDnsLookups"),
        COUNTER("NDnsFailed"),
        COUNTER("NDnsDropped"),
        COUNTER("NextSequence"),
        SD_BUS_PROPERTY("RingBytes", "t", property_get_counter, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        COUNTER("RingUsedBytes"),
        SD_BUS_PROPERTY("NCaptures", "u", capture_bus_property, 0, 0),
        SD_BUS_PROPERTY("CaptureState", "s", capture_bus_property, 0, 0),
        CAPTURE_COUNTER("NArtifacts"),
        CAPTURE_COUNTER("ArtifactBytes"),
        CAPTURE_COUNTER("ArtifactMaxBytes"),
        CAPTURE_COUNTER("NArtifactsDropped"),
        CAPTURE_COUNTER("ArtifactBytesDropped"),
        CAPTURE_COUNTER("NArtifactsEvicted"),
        CAPTURE_COUNTER("ArtifactBytesEvicted"),
        CAPTURE_COUNTER("NArtifactHoles"),
        CAPTURE_COUNTER("ArtifactHoleBytes"),
        CAPTURE_COUNTER("NArtifactErrors"),
        CAPTURE_COUNTER("NCaptureOperations"),
        CAPTURE_COUNTER("CaptureBytes"),
        CAPTURE_COUNTER("NCaptureLost"),
        CAPTURE_COUNTER("CaptureBytesLost"),
        CAPTURE_COUNTER("NCaptureFailed"),
        SD_BUS_VTABLE_END
};
