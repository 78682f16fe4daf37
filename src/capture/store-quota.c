/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Limits: of all artifacts, of their number, of age, and what stays free on the file system. Only artifacts that nobody
 * holds are evicted, the one with the oldest last operation first. What a limit refuses or removes is counted by whoever
 * asked; an error of the disk is counted here, and remembered until something works again. */

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "../basic/string-util.h"
#include "../basic/time-util.h"
#include "store-internal.h"

#define AUTO_MAX_BYTES (4ULL * 1024U * 1024U * 1024U)
#define AUTO_MAX_BYTES_MIN (16ULL * 1024U * 1024U)
#define AUTO_ARTIFACTS 50000U

void store_note_error(Store *s, int error) {
        s->counters.n_errors++;
        s->counters.last_errno = -error;
        store_note_trouble(s);
}

void store_note_trouble(Store *s) {
        if (s->trouble_told || !s->trouble_handler)
                return;
        s->trouble_told = true;
        s->trouble_handler(s->trouble_userdata);
}

void store_note_dropped(Store *s, ArtifactKind kind, uint64_t scopes, uint64_t bytes) {
        s->counters.n_dropped++;
        s->counters.dropped_bytes += bytes;
        s->counters.lost_scopes |= scopes;
        for (; scopes; scopes &= scopes - 1) {
                StoreUsage *u = &s->usage[kind][__builtin_ctzll(scopes) + 1];

                u->n_dropped++;
                u->dropped_bytes += bytes;
        }
        store_note_trouble(s);
}

void store_note_success(Store *s) {
        if (!s->index_stale && !s->directory_lost)
                s->counters.last_errno = 0;
        s->counters.full = false;
}

void store_limits_resolve(Store *s, const StoreConfig *config) {
        uint64_t total = 0;
        struct statvfs v;

        if (s->dir_fd >= 0 && fstatvfs(s->dir_fd, &v) >= 0)
                total = (uint64_t) v.f_blocks * v.f_frsize;
        s->wanted = *config;
        s->wanted.directory = s->directory;
        s->config = s->wanted;
        if (config->max_bytes == STORE_AUTO)
                s->config.max_bytes = CLAMP(total / 10, AUTO_MAX_BYTES_MIN, AUTO_MAX_BYTES);
        if (config->keep_free_bytes == STORE_AUTO)
                s->config.keep_free_bytes = MIN(total / 100 * 15, AUTO_MAX_BYTES);
        if (config->max_artifact_bytes == STORE_AUTO)
                s->config.max_artifact_bytes = s->config.max_bytes / 2;
        if (config->max_artifacts == STORE_AUTO)
                s->config.max_artifacts = AUTO_ARTIFACTS;
}

static int move_to_trash(Store *s, const Artifact *a) {
        _cleanup_close_ int trash = -EBADF;

        if (mkdirat(s->dir_fd, STORE_TRASH, 0700) < 0 && errno != EEXIST)
                return -errno;
        trash = store_open_beneath(s->dir_fd, STORE_TRASH, O_RDONLY | O_DIRECTORY, 0);
        if (trash < 0)
                return trash;
        return renameat(s->dir_fd, a->info.path, trash, a->info.id) < 0 ? -errno : 0;
}

/* The path has only folders that the store made itself, and nobody else may write there: the name is safe to use. */
int store_delete(Store *s, Artifact *a, bool later) {
        int r;

        r = later ? move_to_trash(s, a) : -ENOSYS;
        if (r < 0 && r != -ENOENT)
                r = unlinkat(s->dir_fd, a->info.path, 0) < 0 ? -errno : 0;
        if (r < 0 && r != -ENOENT) {
                store_note_error(s, r);
                return r;
        }
        s->free_bytes += a->info.stored_bytes;
        (void) store_index_drop(s, a);
        store_entry_detach(s, a);
        return 0;
}

static bool is_over(Store *s, uint64_t more_bytes, const Artifact *for_whom) {
        uint64_t free_bytes;

        if (s->config.max_bytes > 0 && s->counters.bytes + more_bytes > s->config.max_bytes)
                return true;
        if (!for_whom && s->config.max_artifacts > 0 && s->counters.n_artifacts >= s->config.max_artifacts)
                return true;
        if (s->config.keep_free_bytes == 0 || more_bytes == 0)
                return false;
        store_free_space(s, false);
        free_bytes = s->free_bytes > s->free_unchecked ? s->free_bytes - s->free_unchecked : 0;
        return free_bytes < s->config.keep_free_bytes + more_bytes;
}

static Artifact *evict_candidate(Store *s, const Artifact *for_whom) {
        for (Artifact *a = s->oldest; a; a = a->next)
                if (a != for_whom && a->n_refs == 0)
                        return a;
        return NULL;
}

static int evict(Store *s, Artifact *a) {
        uint64_t bytes = a->info.stored_bytes;
        int r;

        r = store_delete(s, a, false);
        if (r < 0)
                return r;
        s->counters.n_evicted++;
        s->counters.evicted_bytes += bytes;
        return 0;
}

int store_evict_one(Store *s, const Artifact *for_whom) {
        Artifact *a = s->config.full == STORE_FULL_EVICT ? evict_candidate(s, for_whom) : NULL;

        if (!a)
                return -ENOENT;
        s->retry_usec = 0;      /* the index may fit again */
        return evict(s, a);
}

int store_make_room(Store *s, uint64_t more_bytes, const Artifact *for_whom) {
        while (is_over(s, more_bytes, for_whom)) {
                Artifact *a = NULL;

                if (s->config.full == STORE_FULL_EVICT &&
                    (s->config.max_bytes == 0 ||
                     (for_whom ? for_whom->info.stored_bytes : 0) + more_bytes <= s->config.max_bytes))
                        a = evict_candidate(s, for_whom);
                if (!a) {
                        s->counters.full = true;
                        return -ENOSPC;
                }
                if (evict(s, a) < 0)
                        return -ENOSPC;
        }
        return 0;
}

/* What is older than the configuration allows. Without the lock between two of them. */
int store_expire(Store *s) {
        uint64_t now = now_usec(CLOCK_REALTIME);

        while (s->config.max_age_usec > 0) {
                Artifact *a = evict_candidate(s, NULL);
                uint64_t bytes;

                if (!a || a->info.last_usec >= now || now - a->info.last_usec <= s->config.max_age_usec)
                        break;
                bytes = a->info.stored_bytes;
                if (store_delete(s, a, true) < 0)
                        break;
                s->counters.n_evicted++;
                s->counters.evicted_bytes += bytes;
                pthread_mutex_unlock(&s->lock);
                store_empty_trash(s);
                pthread_mutex_lock(&s->lock);
        }
        return 0;
}
