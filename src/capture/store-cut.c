/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Artifacts that lose bytes because their file did: the end that was cut off, ranges that were made zeros. Such bytes
 * are no holes, for nothing of the file is missing: holes that lay there are gone too. Keeps the store's sizes right;
 * decides nothing. */

#include <fcntl.h>
#include <sys/stat.h>

#include "store-internal.h"

#define ZEROS_SIZE 65536U

static void forget_holes(Artifact *a, uint64_t offset, uint64_t size) {
        ArtifactRange rest;

        range_subtract(a->holes, &a->n_holes, offset, size, &rest);
        if (rest.size > 0)
                (void) range_add(&a->holes, &a->n_holes, &a->n_holes_allocated, rest.offset, rest.size);
}

/* Where the file system of the store punches no holes. */
static int write_zeros(int fd, uint64_t offset, uint64_t size) {
        static const char zeros[ZEROS_SIZE];

        while (size > 0) {
                ssize_t n = pwrite(fd, zeros, MIN(size, (uint64_t) sizeof(zeros)), (off_t) offset);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n <= 0)
                        return n < 0 ? -errno : -EIO;
                offset += (uint64_t) n;
                size -= (uint64_t) n;
        }
        return 0;
}

static int punch(int fd, uint64_t offset, uint64_t size) {
        if (fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t) offset, (off_t) size) >= 0)
                return 0;
        return errno == EOPNOTSUPP ? write_zeros(fd, offset, size) : -errno;
}

/* With the lock, which is let go of meanwhile: `size` 0 cuts at `offset`. */
static int change(Store *s, Artifact *a, uint64_t offset, uint64_t size) {
        struct stat st;
        int r;

        r = store_entry_open(s, a);
        if (r < 0)
                return r;
        a->n_io++;
        pthread_mutex_unlock(&s->lock);
        if (size == 0)
                r = ftruncate(a->fd, (off_t) offset) < 0 ? -errno : 0;
        else
                r = punch(a->fd, offset, size);
        if (fstat(a->fd, &st) < 0 && r >= 0)
                r = -errno;
        pthread_mutex_lock(&s->lock);
        a->n_io--;
        if (r < 0) {
                store_note_error(s, r);
                return r;
        }
        store_entry_measure(s, a, &st);
        return a->removed ? -ESTALE : 0;
}

static int lose(Artifact *a, uint64_t offset, uint64_t size, bool cut) {
        Store *s = a->store;
        int r;

        pthread_mutex_lock(&s->lock);
        r = a->removed ? -ESTALE : 0;
        if (r >= 0 && offset < a->info.size_bytes)
                r = change(s, a, offset, cut ? 0 : MIN(size, a->info.size_bytes - offset));
        if (r >= 0) {
                forget_holes(a, offset, size);
                a->info.complete = false;
                a->info.sha256[0] = '\0';
                a->recovered = false;
                a->n_changes++;
                r = store_index_put(s, a);
        }
        pthread_mutex_unlock(&s->lock);
        return r;
}

int artifact_cut(Artifact *a, uint64_t size) {
        return lose(a, size, UINT64_MAX - size, true);
}

int artifact_clear(Artifact *a, uint64_t offset, uint64_t size) {
        return size == 0 ? 0 : lose(a, offset, size, false);
}
