/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Removing artifacts, and listing them. The thread touches nothing but the store and the counters below; an eventfd brings
 * the loop to tell the asker, at most some times a second. The thread is joined before anybody hears that it is done. */

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include "../basic/string-util.h"
#include "../basic/thread-util.h"
#include "../basic/time-util.h"
#include "artifact-job.h"
#include "manager.h"

#define PROGRESS_USEC (200 * USEC_PER_MSEC)
/* Each has a thread. */
#define JOBS_MAX 8U
#define LISTS_MAX 32U

struct ArtifactJob {
        Store *store;
        bool vacuum;
        ArtifactFilter filter;
        uint64_t max_bytes, max_age_usec;
        ArtifactJobHandler handler;
        ArtifactListHandler list_handler;       /* of a listing; then there is no other */
        void *userdata;

        pthread_t thread;
        int fd;
        sd_event_source *io;
        uint64_t told_usec;             /* the thread's */

        pthread_mutex_t lock;           /* of what follows */
        uint64_t n, total, bytes;
        ArtifactInfo *list;
        size_t n_list;
        int result;
        bool done, cancelled;

        ArtifactJob **jobs, *next;
};

void artifact_filter_done(ArtifactFilter *f) {
        const char **const strings[] = { &f->id, &f->path, &f->container, &f->source_path, &f->comm, &f->policy, &f->sha256 };

        for (size_t i = 0; i < ELEMENTSOF(strings); i++)
                free((char *) *strings[i]);
        *f = (ArtifactFilter) ARTIFACT_FILTER_ALL;
}

static int copy_filter(const ArtifactFilter *f, ArtifactFilter *ret) {
        const char **const strings[] = { &ret->id, &ret->path, &ret->container, &ret->source_path, &ret->comm, &ret->policy,
                                         &ret->sha256 };
        int r = 0;

        *ret = *f;
        for (size_t i = 0; i < ELEMENTSOF(strings); i++)
                if (*strings[i]) {
                        *strings[i] = strdup(*strings[i]);
                        if (!*strings[i])
                                r = -ENOMEM;
                }
        return r;
}

/* --- in the thread --- */

static int on_progress(uint64_t n, uint64_t total, uint64_t bytes, void *userdata) {
        ArtifactJob *j = userdata;
        uint64_t now = now_usec(CLOCK_MONOTONIC);
        bool cancelled;

        pthread_mutex_lock(&j->lock);
        j->n = n;
        j->total = total;
        j->bytes = bytes;
        cancelled = j->cancelled;
        pthread_mutex_unlock(&j->lock);
        if (now - j->told_usec >= PROGRESS_USEC) {
                j->told_usec = now;
                (void) eventfd_write(j->fd, 1);
        }
        return cancelled ? -ECANCELED : 0;
}

static void *job_main(void *userdata) {
        ArtifactJob *j = userdata;
        ArtifactInfo *list = NULL;
        uint64_t n = 0, bytes = 0;
        size_t n_list = 0;
        int r;

        if (j->list_handler)
                r = store_list(j->store, &j->filter, &list, &n_list);
        else if (j->vacuum)
                r = store_vacuum(j->store, j->max_bytes, j->max_age_usec, on_progress, j, &n, &bytes);
        else
                r = store_remove(j->store, &j->filter, on_progress, j, &n, &bytes);
        pthread_mutex_lock(&j->lock);
        j->n = n;
        j->bytes = bytes;
        j->list = list;
        j->n_list = n_list;
        j->result = r;
        j->done = true;
        pthread_mutex_unlock(&j->lock);
        (void) eventfd_write(j->fd, 1);
        return NULL;
}

/* --- in the loop --- */

static ArtifactJob *job_free(ArtifactJob *j) {
        sd_event_source_disable_unref(j->io);
        safe_close(j->fd);
        pthread_mutex_destroy(&j->lock);
        artifact_filter_done(&j->filter);
        free(j);
        return NULL;
}

static void job_end(ArtifactJob *j) {
        for (ArtifactJob **i = j->jobs; *i; i = &(*i)->next)
                if (*i == j) {
                        *i = j->next;
                        break;
                }
        (void) pthread_join(j->thread, NULL);
        if (j->list_handler)
                j->list_handler(j->result, j->list, j->n_list, j->userdata);
        else
                j->handler(j->result, j->n, j->total, j->bytes, true, j->userdata);
        job_free(j);
}

static int on_wake(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        ArtifactJob *j = userdata;
        uint64_t n, total, bytes;
        eventfd_t value;
        bool done;

        (void) eventfd_read(fd, &value);
        pthread_mutex_lock(&j->lock);
        n = j->n;
        total = j->total;
        bytes = j->bytes;
        done = j->done;
        pthread_mutex_unlock(&j->lock);
        if (done)
                job_end(j);
        else
                j->handler(0, n, total, bytes, false, j->userdata);
        return 0;
}

static int job_start(sd_event *event, ArtifactJob *j) {
        int r;

        j->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (j->fd < 0)
                return -errno;
        r = sd_event_add_io(event, &j->io, j->fd, EPOLLIN, on_wake, j);
        if (r < 0)
                return r;
        (void) sd_event_source_set_priority(j->io, PRIORITY_BUS);
        return worker_thread_start(&j->thread, "sct-job", job_main, j);
}

/* `filter` NULL: none. */
static int job_new(sd_event *event, ArtifactJob **jobs, Store *s, const ArtifactFilter *filter, ArtifactJob job) {
        ArtifactJob *j;
        unsigned n = 0;
        int r;

        for (ArtifactJob *i = *jobs; i; i = i->next)
                n += !i->list_handler == !job.list_handler;
        if (n >= (job.list_handler ? LISTS_MAX : JOBS_MAX))
                return -EBUSY;
        j = new0(ArtifactJob, 1);
        if (!j)
                return -ENOMEM;
        *j = job;
        j->fd = -EBADF;
        j->store = s;
        j->jobs = jobs;
        (void) pthread_mutex_init(&j->lock, NULL);
        r = filter ? copy_filter(filter, &j->filter) : 0;
        if (r >= 0)
                r = job_start(event, j);
        if (r < 0) {
                job_free(j);
                return r;
        }
        j->next = *jobs;
        *jobs = j;
        return 0;
}

int artifact_job_new(sd_event *event, ArtifactJob **jobs, Store *s, const ArtifactFilter *filter, uint64_t max_bytes,
                     uint64_t max_age_usec, ArtifactJobHandler handler, void *userdata) {
        return job_new(event, jobs, s, filter, (ArtifactJob) {
                .vacuum = !filter,
                .max_bytes = max_bytes,
                .max_age_usec = max_age_usec,
                .handler = handler,
                .userdata = userdata,
        });
}

int artifact_job_list(sd_event *event, ArtifactJob **jobs, Store *s, const ArtifactFilter *filter,
                      ArtifactListHandler handler, void *userdata) {
        return job_new(event, jobs, s, filter, (ArtifactJob) { .list_handler = handler, .userdata = userdata });
}

void artifact_jobs_cancel(ArtifactJob **jobs) {
        for (ArtifactJob *j = *jobs; j; j = j->next) {
                pthread_mutex_lock(&j->lock);
                j->cancelled = true;
                pthread_mutex_unlock(&j->lock);
        }
        while (*jobs)
                job_end(*jobs);
}
