/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the Manager interface says of artifacts. Their paths, sizes and subjects are what processes did: they are handed
 * to those who may manage captures, by methods, and are never properties. Removing runs beside the loop and is answered
 * when it is over; meanwhile the caller, and nobody else, gets the signal RemovalProgress. */

#include <errno.h>
#include <stdlib.h>

#include <systemd/sd-bus.h>

#include "../basic/macro.h"
#include "../basic/string-util.h"
#include "artifact-job.h"
#include "artifact-list.h"
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

int capture_bus_list_artifacts(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        _cleanup_(artifact_filter_done) ArtifactFilter filter = ARTIFACT_FILTER_ALL;
        int r;

        r = bus_verify_access(message, BUS_ACTION_MANAGE_CAPTURES, error);
        if (r < 0)
                return r;
        r = read_filter(message, &filter, error);
        if (r < 0)
                return r;
        r = artifact_list_begin(message, userdata, &filter);
        if (r == -EBUSY)
                return sd_bus_error_set_errnof(error, r, "Others are listing artifacts; try again later.");
        return r;
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
