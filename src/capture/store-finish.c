/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The store's own thread: takes digests of completed artifacts, tells the listener, syncs in batches, expires, and writes the
 * index anew when a line could not be written. It holds the lock only to look things up; an artifact that changes while its
 * digest is taken is left to be completed again by who changed it. */

#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

#include "../basic/thread-util.h"
#include "../basic/time-util.h"
#include "store-internal.h"

#define SYNC_USEC (5 * USEC_PER_SEC)
#define RETRY_USEC (1 * USEC_PER_SEC)
#define EXPIRE_USEC (60 * USEC_PER_SEC)
#define EXPIRE_USEC_MIN (1 * USEC_PER_SEC)
/* Reading this takes longer than anybody waits for a digest: an artifact beyond it has none. */
#define DIGEST_BYTES_MAX (64ULL * 1024U * 1024U * 1024U)

static void keep_for_sync(Store *s, const Artifact *a, int fd) {
        if (s->n_unsynced_fds < STORE_UNSYNCED_MAX) {
                s->unsynced_of[s->n_unsynced_fds] = a;
                s->unsynced_fds[s->n_unsynced_fds++] = fd;
        } else {
                s->unsynced_more = true;
                safe_close(fd);
        }
        s->index_unsynced = true;
}

void store_finisher_forget(Store *s, const Artifact *a) {
        for (size_t i = 0; i < s->n_unsynced_fds;)
                if (s->unsynced_of[i] == a) {
                        safe_close(s->unsynced_fds[i]);
                        s->n_unsynced_fds--;
                        s->unsynced_fds[i] = s->unsynced_fds[s->n_unsynced_fds];
                        s->unsynced_of[i] = s->unsynced_of[s->n_unsynced_fds];
                } else
                        i++;
}

static void finish(Store *s, Artifact *a) {
        uint64_t changes = a->n_changes;
        ArtifactInfo info = {};
        StoreHandler handler;
        void *userdata;
        char sha256[65] = "";
        bool again, copied;
        struct stat st;
        int fd, r = 0;

        fd = a->removed ? -ESTALE : store_open_beneath(s->dir_fd, a->info.path, O_RDONLY | O_NONBLOCK, 0);
        if (fd < 0)
                return;
        pthread_mutex_unlock(&s->lock);
        r = fstat(fd, &st) < 0 ? -errno : 0;
        if (r >= 0 && (uint64_t) st.st_size <= DIGEST_BYTES_MAX)
                r = store_digest_fd(fd, sha256);
        pthread_mutex_lock(&s->lock);

        if (r < 0)
                store_note_error(s, r);
        if (r < 0 || a->removed || a->n_changes != changes) {
                safe_close(fd);
                return;
        }
        store_entry_measure(s, a, &st);
        memcpy(a->info.sha256, sha256, sizeof(sha256));
        a->info.complete = true;
        a->recovered = false;
        again = a->told;
        a->told = true;
        (void) store_index_put(s, a);
        keep_for_sync(s, a, fd);
        handler = s->handler;
        userdata = s->handler_userdata;
        copied = handler && artifact_info_copy(a, &info) >= 0;
        pthread_mutex_unlock(&s->lock);
        if (copied) {
                handler(&info, again, userdata);
                artifact_info_done(&info);
        }
        pthread_mutex_lock(&s->lock);
}

static void sync_all(Store *s) {
        int fds[STORE_UNSYNCED_MAX], dir_fd = -EBADF;
        size_t n = s->n_unsynced_fds;

        memcpy(fds, s->unsynced_fds, sizeof(fds));
        if (s->unsynced_more)
                dir_fd = fcntl(s->dir_fd, F_DUPFD_CLOEXEC, 3);
        s->n_unsynced_fds = 0;
        s->unsynced_more = false;
        s->synced_usec = now_usec(CLOCK_MONOTONIC);
        pthread_mutex_unlock(&s->lock);
        if (dir_fd >= 0)
                (void) syncfs(dir_fd);
        safe_close(dir_fd);
        for (size_t i = 0; i < n; i++) {
                (void) fdatasync(fds[i]);
                safe_close(fds[i]);
        }
        pthread_mutex_lock(&s->lock);
        (void) store_index_sync(s);
}

static uint64_t expire_interval(const Store *s) {
        return CLAMP(s->config.max_age_usec / 10, EXPIRE_USEC_MIN, EXPIRE_USEC);
}

/* What is due now; when the next is, UINT64_MAX: nothing is. */
static uint64_t maintain(Store *s) {
        uint64_t now = now_usec(CLOCK_MONOTONIC), next = UINT64_MAX;

        if (s->limits_changed) {
                s->limits_changed = false;
                (void) store_make_room(s, 0, NULL);
                s->expired_usec = 0;
        }
        if (s->index_stale && s->dir_fd >= 0 && !s->directory_lost) {
                if (now >= s->retry_usec) {
                        s->retry_usec = now + RETRY_USEC;
                        if (store_index_compact(s) >= 0)
                                store_note_success(s);
                }
                if (s->index_stale)
                        next = s->retry_usec;
        }
        if (s->index_unsynced || s->n_unsynced_fds > 0) {
                if (now - s->synced_usec >= SYNC_USEC)
                        sync_all(s);
                else
                        next = MIN(next, s->synced_usec + SYNC_USEC);
        }
        if (s->config.max_age_usec > 0) {
                if (s->expired_usec == 0 || now - s->expired_usec >= expire_interval(s)) {
                        s->expired_usec = now;
                        (void) store_expire(s);
                }
                next = MIN(next, s->expired_usec + expire_interval(s));
        }
        return next;
}

static void wait_until(Store *s, uint64_t usec) {
        struct timespec ts = {
                .tv_sec = (time_t) (usec / USEC_PER_SEC),
                .tv_nsec = (long) (usec % USEC_PER_SEC * NSEC_PER_USEC),
        };

        if (usec == UINT64_MAX)
                (void) pthread_cond_wait(&s->wake, &s->lock);
        else
                (void) pthread_cond_timedwait(&s->wake, &s->lock, &ts);
}

static void *finisher_main(void *userdata) {
        Store *s = userdata;

        pthread_mutex_lock(&s->lock);
        for (;;) {
                Artifact *a = s->jobs;
                uint64_t next;

                if (a) {
                        s->jobs = a->job_next;
                        a->queued = false;
                        s->working = true;
                        finish(s, a);
                        s->working = false;
                        store_entry_unref(a);
                        if (!s->jobs)
                                pthread_cond_broadcast(&s->idle);
                        continue;
                }
                if (s->stopping)
                        break;
                next = maintain(s);
                if (!s->jobs && !s->stopping)
                        wait_until(s, next);
        }
        sync_all(s);
        pthread_mutex_unlock(&s->lock);
        return NULL;
}

int store_finisher_start(Store *s) {
        int r;

        r = worker_thread_start(&s->finisher, "sct-store", finisher_main, s);
        if (r < 0)
                return r;
        s->finisher_runs = true;
        return 0;
}

void store_finisher_stop(Store *s) {
        if (!s->finisher_runs)
                return;
        pthread_mutex_lock(&s->lock);
        s->stopping = true;
        pthread_cond_signal(&s->wake);
        pthread_mutex_unlock(&s->lock);
        (void) pthread_join(s->finisher, NULL);
        s->finisher_runs = false;
}

void store_finisher_queue(Store *s, Artifact *a) {
        if (a->queued || a->removed)
                return;
        if (s->jobs)
                s->jobs_last->job_next = a;
        else
                s->jobs = a;
        s->jobs_last = a;
        a->job_next = NULL;
        a->queued = true;
        store_entry_ref(a);
        pthread_cond_signal(&s->wake);
}
