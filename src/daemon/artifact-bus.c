/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the Manager interface says of artifacts. Their paths, sizes and subjects are what processes did: they are handed to
 * those who may manage captures, by methods, and are never properties. Removing runs beside the loop and is answered when
 * it is over; meanwhile the caller, and nobody else, gets the signal RemovalProgress. */

#include <errno.h>
#include <stdlib.h>

#include <systemd/sd-bus.h>

#include "../basic/macro.h"
#include "../basic/string-util.h"
#include "artifact-job.h"
#include "bus-util.h"
#include "capture-bus.h"

/* --- filters --- */

static const struct {
        const char *key;
        char type;
        size_t offset;
} filter_rows[] = {
        { "id",        's', offsetof(ArtifactFilter, id) },
        { "file",      's', offsetof(ArtifactFilter, path) },
        { "container", 's', offsetof(ArtifactFilter, container) },
        { "source",    's', offsetof(ArtifactFilter, source_path) },
        { "comm",      's', offsetof(ArtifactFilter, comm) },
        { "policy",    's', offsetof(ArtifactFilter, policy) },
        { "sha256",    's', offsetof(ArtifactFilter, sha256) },
        { "scope",     'u', offsetof(ArtifactFilter, scope) },
        { "pid",       'u', offsetof(ArtifactFilter, host_pid) },
        { "since",     't', offsetof(ArtifactFilter, since_usec) },
        { "until",     't', offsetof(ArtifactFilter, until_usec) },
};

static int read_filter_value(sd_bus_message *message, const char *key, ArtifactFilter *f, sd_bus_error *error) {
        const char *s;
        int r;

        if (streq(key, "kind")) {
                r = sd_bus_message_read(message, "v", "s", &s);
                if (r < 0)
                        return r;
                f->kind = streq(s, "network") ? ARTIFACT_PCAP : artifact_kind_from_string(s);
                if (f->kind < 0)
                        return sd_bus_error_setf(error, SD_BUS_ERROR_INVALID_ARGS, "'%s' is no kind of artifact: use write, read, "
                                                 "exec, mem, pcap or module.", s);
                return 0;
        }
        for (size_t i = 0; i < ELEMENTSOF(filter_rows); i++) {
                char type[] = { filter_rows[i].type, '\0' };
                void *field = (char *) f + filter_rows[i].offset;

                if (!streq(filter_rows[i].key, key))
                        continue;
                if (filter_rows[i].type != 's')
                        return sd_bus_message_read(message, "v", type, field);
                r = sd_bus_message_read(message, "v", type, &s);
                return r < 0 ? r : free_and_strdup(field, s);
        }
        return sd_bus_error_setf(error, SD_BUS_ERROR_INVALID_ARGS, "Unknown filter '%s'.", key);
}

static int read_filter(sd_bus_message *message, ArtifactFilter *f, sd_bus_error *error) {
        int r;

        r = sd_bus_message_enter_container(message, 'a', "{sv}");
        if (r < 0)
                return r;
        while ((r = sd_bus_message_enter_container(message, 'e', "sv")) > 0) {
                const char *key;

                r = sd_bus_message_read(message, "s", &key);
                if (r < 0)
                        return r;
                r = read_filter_value(message, key, f, error);
                if (r == -ENXIO)
                        return sd_bus_error_setf(error, SD_BUS_ERROR_INVALID_ARGS, "Filter '%s' has another type.", key);
                if (r < 0)
                        return r;
                r = sd_bus_message_exit_container(message);
                if (r < 0)
                        return r;
        }
        if (r < 0)
                return r;
        if (f->scope > SCOPE_MAX)
                return sd_bus_error_setf(error, BUS_ERROR_NO_SUCH_SCOPE, "Scopes are numbered from 1 to %d, not %u.", SCOPE_MAX,
                                         f->scope);
        return sd_bus_message_exit_container(message);
}

/* --- the list --- */

static int append_entry(sd_bus_message *reply, const char *key, const char *type, const void *value) {
        if (*type == 's') {
                _cleanup_free_ char *buf = NULL;

                if (isempty(value))
                        return 0;
                return sd_bus_message_append(reply, "{sv}", key, "s", bus_text(value, &buf));
        }
        if (*type == 'u')
                return sd_bus_message_append(reply, "{sv}", key, "u", *(const uint32_t *) value);
        return sd_bus_message_append(reply, "{sv}", key, "t", *(const uint64_t *) value);
}

static int append_policies(sd_bus_message *reply, const ArtifactInfo *a) {
        int r;

        if (!a->policies || !a->policies[0])
                return 0;
        r = sd_bus_message_open_container(reply, 'e', "sv");
        if (r >= 0)
                r = sd_bus_message_append(reply, "s", "policies");
        if (r >= 0)
                r = sd_bus_message_open_container(reply, 'v', "as");
        if (r >= 0)
                r = sd_bus_message_append_strv(reply, a->policies);
        if (r >= 0)
                r = sd_bus_message_close_container(reply);
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int append_holes(sd_bus_message *reply, const ArtifactInfo *a) {
        int r;

        if (a->n_holes == 0)
                return 0;
        r = sd_bus_message_open_container(reply, 'e', "sv");
        if (r >= 0)
                r = sd_bus_message_append(reply, "s", "holes");
        if (r >= 0)
                r = sd_bus_message_open_container(reply, 'v', "a(tt)");
        if (r >= 0)
                r = sd_bus_message_open_container(reply, 'a', "(tt)");
        for (size_t i = 0; r >= 0 && i < a->n_holes; i++)
                r = sd_bus_message_append(reply, "(tt)", a->holes[i].offset, a->holes[i].size);
        if (r >= 0)
                r = sd_bus_message_close_container(reply);
        if (r >= 0)
                r = sd_bus_message_close_container(reply);
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int append_details(sd_bus_message *reply, const ArtifactInfo *a) {
        const struct {
                const char *key, *type;
                const void *value;
                bool wanted;
        } rows[] = {
                { "container", "s", a->container, true },
                { "source", "s", a->source_path, true },
                { "comm", "s", a->comm, true },
                { "exe", "s", a->exe, true },
                { "unit", "s", a->unit, true },
                { "note", "s", a->note, true },
                { "device", "t", &a->dev, a->inode > 0 },
                { "inode", "t", &a->inode, a->inode > 0 },
                { "pid", "u", &a->host_pid, a->host_pid > 0 },
                { "tid", "u", &a->host_tid, a->host_pid > 0 },
                { "uid", "u", &a->uid, a->host_pid > 0 },
                { "gid", "u", &a->gid, a->host_pid > 0 },
                { "start", "t", &a->start_ns, a->host_pid > 0 },
        };
        int r;

        r = sd_bus_message_open_container(reply, 'a', "{sv}");
        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(rows); i++)
                if (rows[i].wanted)
                        r = append_entry(reply, rows[i].key, rows[i].type, rows[i].value);
        if (r >= 0)
                r = append_policies(reply, a);
        if (r >= 0)
                r = append_holes(reply, a);
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int append_artifact(sd_bus_message *reply, const ArtifactInfo *a) {
        int r;

        r = sd_bus_message_open_container(reply, 'r', "sssttbsttta{sv}");
        if (r >= 0)
                r = sd_bus_message_append(reply, "sssttbsttt", a->id, artifact_kind_to_string(a->kind), a->path, a->size_bytes,
                                          a->stored_bytes, a->complete, a->sha256, a->first_usec, a->last_usec, a->scopes);
        if (r >= 0)
                r = append_details(reply, a);
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

int capture_bus_list_artifacts(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        _cleanup_(artifact_filter_done) ArtifactFilter filter = ARTIFACT_FILTER_ALL;
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        Store *store = captures_store(manager_captures(userdata));
        ArtifactInfo *list = NULL;
        size_t n = 0;
        int r;

        r = bus_verify_access(message, BUS_ACTION_MANAGE_CAPTURES, error);
        if (r < 0)
                return r;
        r = read_filter(message, &filter, error);
        if (r < 0)
                return r;
        if (store) {
                r = store_list(store, &filter, &list, &n);
                if (r < 0)
                        return r;
        }
        r = sd_bus_message_new_method_return(message, &reply);
        if (r >= 0)
                r = sd_bus_message_open_container(reply, 'a', "(sssttbsttta{sv})");
        for (size_t i = 0; i < n; i++) {
                if (r >= 0)
                        r = append_artifact(reply, &list[i]);
                artifact_info_done(&list[i]);
        }
        free(list);
        if (r >= 0)
                r = sd_bus_message_close_container(reply);
        return r < 0 ? r : sd_bus_message_send(reply);
}

int capture_bus_open_artifact(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        Store *store = captures_store(manager_captures(userdata));
        _cleanup_close_ int fd = -EBADF;
        const char *id;
        int r;

        r = bus_verify_access(message, BUS_ACTION_MANAGE_CAPTURES, error);
        if (r < 0)
                return r;
        r = sd_bus_message_read(message, "s", &id);
        if (r < 0)
                return r;
        fd = store ? store_open_artifact(store, id) : -ENOENT;
        if (fd == -ENOENT)
                return sd_bus_error_setf(error, BUS_ERROR_NO_SUCH_ARTIFACT, "There is no artifact '%s'.", id);
        if (fd < 0)
                return sd_bus_error_set_errnof(error, fd, "Cannot open artifact '%s': %s", id, strerror(-fd));
        return sd_bus_reply_method_return(message, "h", fd);
}

/* --- removal --- */

static void on_job(int result, uint64_t n, uint64_t total, uint64_t bytes, bool done, void *userdata) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *signal = NULL;
        sd_bus_message *request = userdata;
        sd_bus *bus = sd_bus_message_get_bus(request);
        const char *sender = sd_bus_message_get_sender(request);

        if (!done) {
                if (sd_bus_message_new_signal(bus, &signal, BUS_PATH, BUS_INTERFACE_MANAGER, "RemovalProgress") >= 0 &&
                    (!sender || sd_bus_message_set_destination(signal, sender) >= 0) &&
                    sd_bus_message_append(signal, "ttt", n, total, bytes) >= 0)
                        (void) sd_bus_send(bus, signal, NULL);
                return;
        }
        if (result < 0)
                (void) sd_bus_reply_method_errorf(request, result == -ECANCELED ? SD_BUS_ERROR_NO_REPLY : SD_BUS_ERROR_FAILED,
                                                  "After %llu artifacts: %s", (unsigned long long) n, strerror(-result));
        else
                (void) sd_bus_reply_method_return(request, "tt", n, bytes);
        sd_bus_message_unref(request);
}

static int begin_job(sd_bus_message *message, Manager *m, const ArtifactFilter *filter, uint64_t max_bytes,
                     uint64_t max_age_usec, sd_bus_error *error) {
        Captures *c = manager_captures(m);
        int r;

        if (!captures_store(c))
                return sd_bus_reply_method_return(message, "tt", UINT64_C(0), UINT64_C(0));
        r = artifact_job_new(manager_event(m), captures_jobs(c), captures_store(c), filter, max_bytes, max_age_usec, on_job,
                             sd_bus_message_ref(message));
        if (r < 0) {
                sd_bus_message_unref(message);
                return sd_bus_error_set_errnof(error, r, "%s", r == -EBUSY ? "Others are removing artifacts; try again later."
                                                                           : strerror(-r));
        }
        return 1;
}

int capture_bus_remove_artifacts(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        _cleanup_(artifact_filter_done) ArtifactFilter filter = ARTIFACT_FILTER_ALL;
        int r;

        r = bus_verify_access(message, BUS_ACTION_MANAGE_CAPTURES, error);
        if (r < 0)
                return r;
        r = read_filter(message, &filter, error);
        if (r < 0)
                return r;
        return begin_job(message, userdata, &filter, 0, 0, error);
}

int capture_bus_vacuum(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        uint64_t max_bytes, max_age_usec;
        int r;

        r = bus_verify_access(message, BUS_ACTION_MANAGE_CAPTURES, error);
        if (r < 0)
                return r;
        r = sd_bus_message_read(message, "tt", &max_bytes, &max_age_usec);
        if (r < 0)
                return r;
        return begin_job(message, userdata, NULL, max_bytes, max_age_usec, error);
}

/* --- the Manager's properties --- */

typedef struct AllCounters {
        StoreCounters store;
        CaptureCounters worker;
} AllCounters;

static const struct {
        const char *property;
        size_t offset;
} counter_rows[] = {
        { "NArtifacts",           offsetof(AllCounters, store.n_artifacts) },
        { "ArtifactBytes",        offsetof(AllCounters, store.bytes) },
        { "ArtifactMaxBytes",     offsetof(AllCounters, store.max_bytes) },
        { "NArtifactsDropped",    offsetof(AllCounters, store.n_dropped) },
        { "ArtifactBytesDropped", offsetof(AllCounters, store.dropped_bytes) },
        { "NArtifactsEvicted",    offsetof(AllCounters, store.n_evicted) },
        { "ArtifactBytesEvicted", offsetof(AllCounters, store.evicted_bytes) },
        { "NArtifactHoles",       offsetof(AllCounters, store.n_holes) },
        { "ArtifactHoleBytes",    offsetof(AllCounters, store.hole_bytes) },
        { "NArtifactErrors",      offsetof(AllCounters, store.n_errors) },
        { "NCaptureOperations",   offsetof(AllCounters, worker.n_operations) },
        { "CaptureBytes",         offsetof(AllCounters, worker.bytes) },
        { "NCaptureLost",         offsetof(AllCounters, worker.n_lost_chunks) },
        { "CaptureBytesLost",     offsetof(AllCounters, worker.lost_bytes) },
        { "NCaptureFailed",       offsetof(AllCounters, worker.n_failed) },
};

int capture_bus_property(sd_bus *bus, const char *path, const char *interface, const char *property,
                         sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        Captures *c = manager_captures(userdata);
        AllCounters counters = {};

        if (streq(property, "NCaptures"))
                return sd_bus_message_append(reply, "u", c ? captures_count(c) : 0);
        if (c)
                captures_counters(c, &counters.store, &counters.worker);
        if (streq(property, "CaptureState"))
                return sd_bus_message_append(reply, "s", !c || !captures_store(c)          ? "off"
                                                         : counters.store.last_errno != 0 ? strerror(counters.store.last_errno)
                                                         : counters.store.full            ? "full"
                                                                                          : "ok");
        for (size_t i = 0; i < ELEMENTSOF(counter_rows); i++)
                if (streq(property, counter_rows[i].property))
                        return sd_bus_message_append(reply, "t", *(uint64_t *) ((char *) &counters + counter_rows[i].offset));
        return -EINVAL;
}
