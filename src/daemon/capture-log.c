/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Artifacts in the journal. The store tells of them in its own thread: they are queued here and an eventfd wakes the loop,
 * which is the only one that logs. Trouble (dropped, failed, full) wakes the loop once and is reported at most once a second,
 * with exact numbers, until it is over: then that is said, too. */

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include "../basic/string-util.h"
#include "capture-log.h"
#include "manager.h"
#include "message.h"

#define TROUBLE_USEC (1 * USEC_PER_SEC)
/* Records of one turn of the loop: a burst of artifacts must not hold up the bus. */
#define BATCH_MAX 64U
/* Of one record; the index has them all. */
#define HOLES_SHOWN_MAX 256U

typedef struct Told {
        ArtifactInfo info;
        bool again;
        struct Told *next;
} Told;

struct CaptureLog {
        Store *store;
        int fd;
        sd_event_source *io, *timer;
        bool timer_armed;

        pthread_mutex_t lock;           /* of what follows */
        Told *first, **last;
        bool trouble;

        StoreCounters reported;
        bool failing;                   /* an error was reported, its end was not */
};

/* --- in the store's thread --- */

static void wake(CaptureLog *l) {
        (void) eventfd_write(l->fd, 1);
}

static void on_complete(const ArtifactInfo *info, bool again, void *userdata) {
        CaptureLog *l = userdata;
        Told *t = new0(Told, 1);

        if (!t || artifact_info_dup(info, &t->info) < 0) {
                free(t);
                return;
        }
        t->again = again;
        pthread_mutex_lock(&l->lock);
        *l->last = t;
        l->last = &t->next;
        pthread_mutex_unlock(&l->lock);
        wake(l);
}

static void on_trouble(void *userdata) {
        CaptureLog *l = userdata;

        pthread_mutex_lock(&l->lock);
        l->trouble = true;
        pthread_mutex_unlock(&l->lock);
        wake(l);
}

/* --- in the loop --- */

static void add_holes(MessageFields *f, const ArtifactInfo *info) {
        _cleanup_(buffer_done) Buffer b = {};

        if (info->n_holes == 0)
                return;
        for (size_t i = 0; i < MIN(info->n_holes, (size_t) HOLES_SHOWN_MAX); i++)
                (void) buffer_printf(&b, "%s%" PRIu64 "+%" PRIu64, i > 0 ? "," : "", info->holes[i].offset,
                                     info->holes[i].size);
        if (info->n_holes > HOLES_SHOWN_MAX)
                (void) buffer_add_string(&b, ",...");
        message_add(f, "TRACE_ARTIFACT_HOLES=%s", strempty(buffer_cstring(&b)));
        message_add(f, "TRACE_ARTIFACT_N_HOLES=%zu", info->n_holes);
}

static void add_subject(MessageFields *f, const ArtifactInfo *info) {
        if (info->host_pid > 0) {
                message_add(f, "TRACE_HOST_PID=%" PRIu32, info->host_pid);
                message_add(f, "TRACE_HOST_TID=%" PRIu32, info->host_tid);
                message_add(f, "TRACE_UID=%" PRIu32, info->uid);
                message_add(f, "TRACE_GID=%" PRIu32, info->gid);
                message_add(f, "TRACE_START_NS=%" PRIu64, info->start_ns);
        }
        if (!isempty(info->comm))
                message_add(f, "TRACE_COMM=%s", info->comm);
        if (!isempty(info->exe))
                message_add(f, "TRACE_EXE=%s", info->exe);
        if (!isempty(info->container))
                message_add(f, "TRACE_CONTAINER_ID=%s", info->container);
        if (!isempty(info->unit))
                message_add(f, "OBJECT_SYSTEMD_UNIT=%s", info->unit);
}

static void report_artifact(const Store *s, const Told *t) {
        const ArtifactInfo *info = &t->info;
        _cleanup_(buffer_done) Buffer line = {};
        MessageFields f = {};

        (void) buffer_printf(&line, "%s artifact %s %s: %" PRIu64 " bytes", artifact_kind_to_string(info->kind), info->path,
                             t->again ? "has changed" : "is complete", info->size_bytes);
        if (info->n_holes > 0)
                (void) buffer_printf(&line, ", %zu holes", info->n_holes);
        if (!isempty(info->source_path)) {
                (void) buffer_add_string(&line, ", of ");
                (void) buffer_add_escaped(&line, info->source_path, strlen(info->source_path));
        }
        if (!isempty(info->comm)) {
                (void) buffer_add_string(&line, ", by ");
                (void) buffer_add_escaped(&line, info->comm, strlen(info->comm));
                (void) buffer_printf(&line, "[%" PRIu32 "]", info->host_pid);
        }
        if (info->note)
                (void) buffer_printf(&line, " (%s)", info->note);

        message_add(&f, "TRACE_ARTIFACT=%s", info->id);
        message_add(&f, "TRACE_ARTIFACT_KIND=%s", artifact_kind_to_string(info->kind));
        message_add(&f, "TRACE_ARTIFACT_FILE=%s/%s", store_directory(s), info->path);
        message_add(&f, "TRACE_ARTIFACT_SIZE=%" PRIu64, info->size_bytes);
        if (!isempty(info->sha256))
                message_add(&f, "TRACE_ARTIFACT_SHA256=%s", info->sha256);
        if (!isempty(info->source_path))
                message_add(&f, "TRACE_ARTIFACT_SOURCE=%s", info->source_path);
        if (info->inode > 0) {
                message_add(&f, "TRACE_ARTIFACT_DEV=%" PRIu64, info->dev);
                message_add(&f, "TRACE_ARTIFACT_INODE=%" PRIu64, info->inode);
        }
        message_add(&f, "TRACE_ARTIFACT_FIRST_USEC=%" PRIu64, info->first_usec);
        message_add(&f, "TRACE_ARTIFACT_LAST_USEC=%" PRIu64, info->last_usec);
        if (!isempty(info->note))
                message_add(&f, "TRACE_ARTIFACT_NOTE=%s", info->note);
        add_holes(&f, info);
        add_subject(&f, info);
        message_add_scopes(&f, info->scopes);
        STRV_FOREACH(i, info->policies)
                message_add(&f, "POLICY=%s", *i);
        message_send_always(MESSAGE_ARTIFACT, LOG_INFO, &f, "%s", strempty(buffer_cstring(&line)));
}

static Told *take_told(CaptureLog *l) {
        Told *t;

        pthread_mutex_lock(&l->lock);
        t = l->first;
        if (t) {
                l->first = t->next;
                if (!l->first)
                        l->last = &l->first;
        }
        pthread_mutex_unlock(&l->lock);
        return t;
}

/* Whether there is more. */
static bool report_artifacts(CaptureLog *l, unsigned max) {
        for (unsigned n = 0; n < max; n++) {
                Told *t = take_told(l);

                if (!t)
                        return false;
                report_artifact(l->store, t);
                artifact_info_done(&t->info);
                free(t);
        }
        return true;
}

static void report_loss(CaptureLog *l, const StoreCounters *now) {
        uint64_t n_dropped = now->n_dropped - l->reported.n_dropped;
        uint64_t dropped = now->dropped_bytes - l->reported.dropped_bytes;
        uint64_t n_holes = now->n_holes - l->reported.n_holes, holes = now->hole_bytes - l->reported.hole_bytes;
        const char *reason = now->last_errno != 0 ? strerror(now->last_errno) : now->full ? "limit" : "ring";
        MessageFields f = {};

        if (n_dropped == 0 && n_holes == 0)
                return;
        message_add(&f, "LOST_ARTIFACTS=%" PRIu64, n_dropped);
        message_add(&f, "LOST_BYTES=%" PRIu64, MAX(dropped, holes));
        message_add(&f, "LOST_HOLES=%" PRIu64, n_holes);
        message_add(&f, "LOST_REASON=%s", now->last_errno != 0 ? "disk" : now->full ? "limit" : "ring");
        if (now->lost_scopes)
                message_add_scopes(&f, now->lost_scopes);
        message_send(MESSAGE_CAPTURE_LOSS, LOG_WARNING, &f,
                     "Of what is captured, %" PRIu64 " bytes were not kept (%" PRIu64 " writes or artifacts refused, %" PRIu64
                     " new holes): %s.", MAX(dropped, holes), n_dropped, n_holes,
                     now->last_errno != 0 ? reason
                     : now->full ? "a limit of scopetraced.conf is reached"
                                 : "more came than could be taken");
}

static void report_state(CaptureLog *l, const StoreCounters *now) {
        MessageFields f = {};

        if (now->last_errno != 0 && (!l->failing || now->last_errno != l->reported.last_errno)) {
                l->failing = true;
                message_add(&f, "ERRNO=%d", now->last_errno);
                message_add(&f, "CAPTURE_DIRECTORY=%s", store_directory(l->store));
                message_send(MESSAGE_CAPTURE_FAILING, LOG_ERR, &f,
                             "Artifacts cannot be kept in %s: %s. Events go on; it is tried again.",
                             store_directory(l->store), strerror(now->last_errno));
        } else if (now->last_errno == 0 && l->failing) {
                l->failing = false;
                message_add(&f, "CAPTURE_DIRECTORY=%s", store_directory(l->store));
                message_send(MESSAGE_CAPTURE_RESUMED, LOG_NOTICE, &f, "Artifacts are kept in %s again.",
                             store_directory(l->store));
        }
}

static void arm_timer(CaptureLog *l) {
        if (l->timer_armed)
                return;
        if (sd_event_source_set_time_relative(l->timer, TROUBLE_USEC) >= 0 &&
            sd_event_source_set_enabled(l->timer, SD_EVENT_ONESHOT) >= 0)
                l->timer_armed = true;
}

static void report_trouble(CaptureLog *l) {
        StoreCounters now;

        store_ack_trouble(l->store, &now);
        report_state(l, &now);
        report_loss(l, &now);
        l->reported = now;
        if (l->failing)         /* until it is over */
                arm_timer(l);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        CaptureLog *l = userdata;

        l->timer_armed = false;
        if (l->store)
                report_trouble(l);
        return 0;
}

static int on_wake(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        CaptureLog *l = userdata;
        eventfd_t value;
        bool trouble;

        (void) eventfd_read(fd, &value);
        pthread_mutex_lock(&l->lock);
        trouble = l->trouble;
        l->trouble = false;
        pthread_mutex_unlock(&l->lock);
        if (!l->store)
                return 0;
        if (trouble)
                arm_timer(l);
        if (report_artifacts(l, BATCH_MAX))
                wake(l);
        return 0;
}

int capture_log_new(sd_event *event, CaptureLog **ret) {
        CaptureLog *l;
        int r;

        l = new0(CaptureLog, 1);
        if (!l)
                return -ENOMEM;
        l->last = &l->first;
        (void) pthread_mutex_init(&l->lock, NULL);
        l->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        r = l->fd < 0 ? -errno : 0;
        if (r >= 0)
                r = sd_event_add_io(event, &l->io, l->fd, EPOLLIN, on_wake, l);
        if (r >= 0)
                r = sd_event_source_set_priority(l->io, PRIORITY_RING);
        if (r >= 0)
                r = sd_event_add_time_relative(event, &l->timer, CLOCK_MONOTONIC, TROUBLE_USEC, 0, on_timer, l);
        if (r >= 0)
                r = sd_event_source_set_enabled(l->timer, SD_EVENT_OFF);
        if (r < 0) {
                capture_log_free(l);
                return r;
        }
        *ret = l;
        return 0;
}

CaptureLog *capture_log_free(CaptureLog *l) {
        if (!l)
                return NULL;
        capture_log_set_store(l, NULL);
        sd_event_source_disable_unref(l->io);
        sd_event_source_disable_unref(l->timer);
        safe_close(l->fd);
        pthread_mutex_destroy(&l->lock);
        free(l);
        return NULL;
}

void capture_log_set_store(CaptureLog *l, Store *s) {
        if (l->store == s)
                return;
        if (l->store)
                capture_log_flush(l);
        l->store = s;
        l->reported = (StoreCounters) {};
        l->failing = false;
        if (!s)
                return;
        store_set_trouble_handler(s, on_trouble, l);
        store_set_handler(s, on_complete, l);
}

void capture_log_flush(CaptureLog *l) {
        if (!l->store)
                return;
        (void) report_artifacts(l, UINT32_MAX);
        report_trouble(l);
}
