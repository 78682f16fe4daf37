/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The store's life, and the way of data into it. Data is written without the lock; what it changes is accounted before and
 * after. Whatever cannot be kept is a hole of the artifact and counted: this file is where both happen, and no error ends an
 * artifact. Listing and removing stand in store-list.c. */

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

#include "../basic/string-util.h"
#include "../basic/time-util.h"
#include "store-internal.h"

/* --- life --- */

static int clear_all(Store *s) {
        for (Artifact *a = s->oldest, *next; a; a = next) {
                int r;

                next = a->next;
                r = store_delete(s, a, false);
                if (r < 0)
                        return r;
        }
        store_remove_empty_folders(s);
        return store_index_compact(s);
}

static int init_locks(Store *s) {
        pthread_condattr_t attr;
        int r;

        r = pthread_mutex_init(&s->lock, NULL);
        if (r != 0)
                return -r;
        (void) pthread_condattr_init(&attr);
        (void) pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
        (void) pthread_cond_init(&s->wake, &attr);
        (void) pthread_cond_init(&s->idle, &attr);
        (void) pthread_condattr_destroy(&attr);
        return 0;
}

int store_open(const StoreConfig *config, Store **ret) {
        _cleanup_(store_closep) Store *s = NULL;
        int r;

        s = new0(Store, 1);
        if (!s)
                return -ENOMEM;
        s->dir_fd = s->index_fd = -EBADF;
        r = init_locks(s);
        if (r < 0) {
                free(TAKE_PTR(s));
                return r;
        }
        s->directory = strdup(config->directory);
        if (!s->directory)
                return -ENOMEM;
        s->wanted = *config;
        s->wanted.directory = s->directory;

        pthread_mutex_lock(&s->lock);
        r = store_open_directory(s, true);
        if (r >= 0)
                r = store_index_load(s);
        if (r >= 0 && config->clear)
                r = clear_all(s);
        store_limits_resolve(s, config);
        s->limits_changed = true;
        if (IN_SET(r, -ENOSPC, -EDQUOT, -EROFS, -EIO, -ENOENT, -ENOTDIR, -EBUSY)) {
                /* Comes back by itself: what is there can be listed, what is new is refused and counted meanwhile. */
                s->index_stale = true;
                s->directory_lost = s->dir_fd < 0;
                store_note_error(s, r);
                r = 0;
        }
        pthread_mutex_unlock(&s->lock);
        if (r < 0)
                return r;
        store_empty_trash(s);

        r = store_finisher_start(s);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(s);
        return 0;
}

/* Nobody holds an artifact any more. */
Store *store_close(Store *s) {
        if (!s)
                return NULL;
        store_finisher_stop(s);
        for (Artifact *a = s->oldest, *next; a; a = next) {
                next = a->next;
                store_entry_detach(s, a);
        }
        safe_close(s->index_fd);
        safe_close(s->dir_fd);
        buffer_done(&s->line);
        pthread_cond_destroy(&s->wake);
        pthread_cond_destroy(&s->idle);
        pthread_mutex_destroy(&s->lock);
        free(s->directory);
        free(s);
        return NULL;
}

int store_configure(Store *s, const StoreConfig *config) {
        pthread_mutex_lock(&s->lock);
        store_limits_resolve(s, config);
        s->limits_changed = true;
        pthread_cond_signal(&s->wake);
        pthread_mutex_unlock(&s->lock);
        return 0;
}

void store_set_handler(Store *s, StoreHandler handler, void *userdata) {
        pthread_mutex_lock(&s->lock);
        s->handler = handler;
        s->handler_userdata = userdata;
        if (handler)
                for (Artifact *a = s->oldest; a; a = a->next)
                        if (a->recovered && a->n_refs == 0)
                                store_finisher_queue(s, a);
        pthread_mutex_unlock(&s->lock);
}

int store_flush(Store *s, uint64_t timeout_usec) {
        uint64_t end = now_usec(CLOCK_MONOTONIC) + timeout_usec;
        struct timespec ts = {
                .tv_sec = (time_t) (end / USEC_PER_SEC),
                .tv_nsec = (long) (end % USEC_PER_SEC * NSEC_PER_USEC),
        };
        int r = 0;

        pthread_mutex_lock(&s->lock);
        while (r == 0 && (s->jobs || s->working))
                r = pthread_cond_timedwait(&s->idle, &s->lock, &ts);
        pthread_mutex_unlock(&s->lock);
        return -r;
}

static void copy_counters(const Store *s, StoreCounters *ret) {
        *ret = s->counters;
        ret->max_bytes = s->config.max_bytes;
        ret->max_artifact_bytes = s->config.max_artifact_bytes;
        ret->keep_free_bytes = s->config.keep_free_bytes;
        ret->free_bytes = s->free_bytes;
}

void store_counters(Store *s, StoreCounters *ret) {
        pthread_mutex_lock(&s->lock);
        copy_counters(s, ret);
        pthread_mutex_unlock(&s->lock);
}

void store_usage(Store *s, ArtifactKind kind, unsigned scope, StoreUsage *ret) {
        pthread_mutex_lock(&s->lock);
        *ret = scope <= STORE_SCOPES_MAX ? s->usage[kind][scope] : (StoreUsage) {};
        pthread_mutex_unlock(&s->lock);
}

const char *store_directory(const Store *s) {
        return s->directory;
}

void store_set_trouble_handler(Store *s, void (*handler)(void *userdata), void *userdata) {
        pthread_mutex_lock(&s->lock);
        s->trouble_handler = handler;
        s->trouble_userdata = userdata;
        if (handler && s->counters.last_errno != 0)
                store_note_trouble(s);
        pthread_mutex_unlock(&s->lock);
}

void store_ack_trouble(Store *s, StoreCounters *ret) {
        pthread_mutex_lock(&s->lock);
        copy_counters(s, ret);
        s->counters.lost_scopes = 0;
        s->trouble_told = false;
        pthread_mutex_unlock(&s->lock);
}

/* --- an artifact begins --- */

static int create_file(Store *s, Artifact *a) {
        struct stat st;
        int fd;

        fd = store_open_beneath(s->dir_fd, a->info.path, O_RDWR | O_CREAT | O_EXCL, s->file_mode);
        if (fd == -ENOENT && store_make_folders(s, a->info.path) >= 0)
                fd = store_open_beneath(s->dir_fd, a->info.path, O_RDWR | O_CREAT | O_EXCL, s->file_mode);
        if (fd == -EEXIST) {    /* not in the index: nobody's */
                (void) unlinkat(s->dir_fd, a->info.path, 0);
                fd = store_open_beneath(s->dir_fd, a->info.path, O_RDWR | O_CREAT | O_EXCL, s->file_mode);
        }
        if (fd < 0)
                return fd;
        store_adopt(s, fd, s->file_mode);
        if (fstat(fd, &st) >= 0)
                store_entry_measure(s, a, &st);
        safe_close(fd);
        return 0;
}

static int begin_new(Store *s, const ArtifactOrigin *origin, char **path, Artifact **ret) {
        Artifact *a;
        int r;

        r = store_make_room(s, 0, NULL);
        if (r < 0)
                return r;
        r = store_entry_new(s, &a);
        if (r < 0)
                return r;
        a->info.path = TAKE_PTR(*path);
        r = store_entry_merge_origin(s, a, origin);
        if (r >= 0)
                r = store_entry_add(s, a);
        if (r < 0) {
                a->removed = true;
                store_entry_ref(a);
                store_entry_unref(a);
                return r;
        }
        do {
                r = store_index_put(s, a);
                if (r >= 0)
                        r = create_file(s, a);
        } while (IN_SET(r, -ENOSPC, -EDQUOT) && store_evict_one(s, a) >= 0);
        if (r < 0) {
                if (!s->index_stale)
                        (void) store_index_drop(s, a);
                store_note_error(s, r);
                store_entry_detach(s, a);
                return r;
        }
        *ret = a;
        return 0;
}

/* Something new comes: what was said of its content holds no more. */
static void reopen(Artifact *a) {
        a->info.complete = false;
        a->info.sha256[0] = '\0';
        a->recovered = false;
}

/* One whose file was removed behind our back is not there. */
static Artifact *find_present(Store *s, const char *path) {
        Artifact *a = store_entry_by_path(s, path);

        if (a && faccessat(s->dir_fd, a->info.path, F_OK, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT) {
                (void) store_index_drop(s, a);
                store_entry_detach(s, a);
                a = NULL;
        }
        return a;
}

int store_artifact_again(Store *s, const char *container, const char *folder, const char *name, Artifact **ret) {
        _cleanup_free_ char *path = NULL;
        Artifact *a;
        int r;

        r = store_path_make(container, folder, name, &path);
        if (r < 0)
                return r;
        pthread_mutex_lock(&s->lock);
        a = find_present(s, path);
        if (a) {
                store_entry_ref(a);
                store_entry_touch(s, a);
                *ret = a;
        } else
                r = -ENOENT;
        pthread_mutex_unlock(&s->lock);
        return MIN(r, 0);
}

int store_artifact_begin(Store *s, const ArtifactOrigin *origin, const char *folder, const char *name, Artifact **ret) {
        _cleanup_free_ char *path = NULL;
        Artifact *a = NULL;
        int r;

        r = store_path_make(origin->container, folder, name, &path);
        if (r < 0)
                return r;

        pthread_mutex_lock(&s->lock);
        r = store_ensure_directory(s);
        if (r >= 0) {
                a = find_present(s, path);
                if (!a)
                        r = begin_new(s, origin, &path, &a);
                else {
                        bool was_complete = a->info.complete;

                        reopen(a);
                        a->n_changes++;
                        r = store_entry_merge_origin(s, a, origin);
                        if (r > 0 || was_complete)
                                r = store_index_put(s, a);
                }
        }
        if (r >= 0) {
                store_entry_ref(a);
                store_entry_touch(s, a);
                store_note_success(s);
                *ret = a;
                r = 0;
        } else
                store_note_dropped(s, origin->kind, origin->scopes, 0);
        pthread_mutex_unlock(&s->lock);
        return r;
}

Artifact *artifact_unref(Artifact *a) {
        if (!a)
                return NULL;

        Store *s = a->store;

        pthread_mutex_lock(&s->lock);
        store_entry_unref(a);
        pthread_mutex_unlock(&s->lock);
        return NULL;
}

int artifact_add_origin(Artifact *a, const ArtifactOrigin *origin) {
        Store *s = a->store;
        int r;

        pthread_mutex_lock(&s->lock);
        r = store_entry_merge_origin(s, a, origin);
        if (r > 0 && !a->removed)
                r = store_index_put(s, a);
        pthread_mutex_unlock(&s->lock);
        return MIN(r, 0);
}

/* --- data --- */

static void add_hole(Store *s, Artifact *a, uint64_t offset, uint64_t size) {
        if (range_add(&a->holes, &a->n_holes, &a->n_holes_allocated, offset, size) == 0)
                return;
        s->counters.n_holes++;
        s->counters.hole_bytes += size;
        s->counters.lost_scopes |= a->info.scopes;
        a->n_changes++;
        store_note_trouble(s);
        if (!a->removed)
                (void) store_index_hole(s, a, offset, size);
}

static void fill_hole(Artifact *a, uint64_t offset, uint64_t size) {
        ArtifactRange rest;

        if (a->n_holes == 0)
                return;
        range_subtract(a->holes, &a->n_holes, offset, size, &rest);
        if (rest.size > 0)
                (void) range_add(&a->holes, &a->n_holes, &a->n_holes_allocated, rest.offset, rest.size);
}

static void drop_data(Store *s, Artifact *a, uint64_t offset, uint64_t size) {
        store_note_dropped(s, a->info.kind, a->info.scopes, size);
        add_hole(s, a, offset, size);
}

/* How much of it the limit of one artifact leaves. */
static size_t within_artifact_limit(const Store *s, const Artifact *a, uint64_t offset, size_t size) {
        uint64_t max = s->config.max_artifact_bytes;

        if (max == 0)
                return size;
        if (offset >= max)
                return 0;
        size = MIN((uint64_t) size, max - offset);
        /* Blocks that are there already are counted once more when they are written again: only matters at the limit. */
        return a->info.stored_bytes >= max && offset + size > a->info.size_bytes ? 0 : size;
}

/* Without the lock. What was written even when it fails. */
static int write_at(int fd, uint64_t offset, const char *data, size_t size, size_t *ret_written) {
        size_t done = 0;
        int r = 0;

        while (done < size) {
                ssize_t n = pwrite(fd, data + done, size - done, (off_t) (offset + done));

                if (n < 0 && errno == EINTR)
                        continue;
                if (n <= 0) {
                        r = n < 0 ? -errno : -EIO;
                        break;
                }
                done += (size_t) n;
        }
        *ret_written = done;
        return r;
}

static int write_unlocked(Store *s, Artifact *a, uint64_t offset, const void *data, size_t size, size_t *ret_written) {
        struct stat st = {};
        bool measured;
        int r;

        *ret_written = 0;
        r = store_entry_open(s, a);
        if (r < 0)
                return r;
        a->n_io++;
        pthread_mutex_unlock(&s->lock);
        r = write_at(a->fd, offset, data, size, ret_written);
        measured = fstat(a->fd, &st) >= 0;
        pthread_mutex_lock(&s->lock);
        a->n_io--;
        if (measured)
                store_entry_measure(s, a, &st);
        if (measured && st.st_nlink == 0 && !a->removed) {
                store_note_error(s, -ENOENT);           /* removed behind our back, perhaps with the whole directory */
                (void) store_index_drop(s, a);
                store_entry_detach(s, a);
                *ret_written = 0;
        }
        return a->removed ? -ESTALE : r;
}

static int write_locked(Store *s, Artifact *a, uint64_t offset, const char *data, size_t size) {
        size_t fits, written = 0;
        int r = 0;

        if (a->removed)
                return -ESTALE;
        if (offset > INT64_MAX || size > INT64_MAX - offset)
                return -EFBIG;

        reopen(a);
        fits = within_artifact_limit(s, a, offset, size);
        if (fits > 0) {
                r = store_make_room(s, fits, a);
                if (r >= 0) {
                        r = write_unlocked(s, a, offset, data, fits, &written);
                        while (IN_SET(r, -ENOSPC, -EDQUOT) && store_evict_one(s, a) >= 0) {
                                size_t more = 0;

                                r = write_unlocked(s, a, offset + written, data + written, fits - written, &more);
                                written += more;
                        }
                        if (r < 0 && r != -ESTALE)
                                store_note_error(s, r);
                }
        } else
                s->counters.full = true;

        if (written > 0) {
                a->n_changes++;
                fill_hole(a, offset, written);
                if (r >= 0)
                        store_note_success(s);
        }
        if (written < size)
                drop_data(s, a, offset + written, size - written);
        return r < 0 ? r : written < size ? -EFBIG : 0;
}

int artifact_write(Artifact *a, uint64_t offset, const void *data, size_t size) {
        Store *s = a->store;
        int r;

        pthread_mutex_lock(&s->lock);
        r = write_locked(s, a, offset, data, size);
        pthread_mutex_unlock(&s->lock);
        return r;
}

int artifact_append(Artifact *a, const void *data, size_t size) {
        Store *s = a->store;
        int r;

        pthread_mutex_lock(&s->lock);
        r = write_locked(s, a, a->info.size_bytes, data, size);
        pthread_mutex_unlock(&s->lock);
        return r;
}

int artifact_hole(Artifact *a, uint64_t offset, uint64_t size) {
        Store *s = a->store;
        bool was_complete;

        pthread_mutex_lock(&s->lock);
        was_complete = a->info.complete;
        reopen(a);
        add_hole(s, a, offset, size);
        if (was_complete && !a->removed)
                (void) store_index_put(s, a);
        pthread_mutex_unlock(&s->lock);
        return 0;
}

int artifact_fd(Artifact *a) {
        Store *s = a->store;
        int r;

        pthread_mutex_lock(&s->lock);
        r = store_entry_open(s, a);
        if (r >= 0) {
                a->fd_lent = true;
                r = a->fd;
        }
        pthread_mutex_unlock(&s->lock);
        return r;
}

int artifact_sync(Artifact *a) {
        Store *s = a->store;
        struct stat st;
        int r = 0;

        pthread_mutex_lock(&s->lock);
        if (a->removed)
                r = -ESTALE;
        else if (a->fd < 0 || fstat(a->fd, &st) < 0)
                r = -EBADF;
        else if (st.st_nlink == 0) {
                store_note_error(s, -ENOENT);
                (void) store_index_drop(s, a);
                store_entry_detach(s, a);
                r = -ESTALE;
        } else {
                if ((uint64_t) st.st_size != a->info.size_bytes) {
                        reopen(a);
                        a->n_changes++;
                }
                store_entry_measure(s, a, &st);
                if (s->config.max_artifact_bytes > 0 && a->info.size_bytes >= s->config.max_artifact_bytes)
                        r = -EFBIG;
                else
                        r = store_make_room(s, 1, a);
                if (r < 0) {
                        s->counters.full = true;
                        store_note_dropped(s, a->info.kind, a->info.scopes, 0);
                }
        }
        pthread_mutex_unlock(&s->lock);
        return r;
}

const char *artifact_id(const Artifact *a) {
        return a->info.id;
}

uint64_t artifact_size(Artifact *a) {
        uint64_t size;

        pthread_mutex_lock(&a->store->lock);
        size = a->info.size_bytes;
        pthread_mutex_unlock(&a->store->lock);
        return size;
}

int artifact_sha256(Artifact *a, char ret[static 65]) {
        Store *s = a->store;
        int r;

        pthread_mutex_lock(&s->lock);
        r = store_entry_open(s, a);
        if (r >= 0) {
                a->n_io++;
                pthread_mutex_unlock(&s->lock);
                r = store_digest_fd(a->fd, ret);
                pthread_mutex_lock(&s->lock);
                a->n_io--;
        }
        pthread_mutex_unlock(&s->lock);
        return r;
}

/* --- an artifact ends --- */

static int merge_into(Store *s, Artifact *into, Artifact *from) {
        ArtifactOrigin more = {
                .kind = from->info.kind,
                .time_ns = from->info.last_usec * NSEC_PER_USEC,
                .scopes = from->info.scopes,
                .policies = from->info.policies,
        };
        int r;

        r = store_entry_merge_origin(s, into, &more);
        if (r < 0)
                return r;
        if (r > 0)
                (void) store_index_put(s, into);
        (void) store_delete(s, from, false);
        store_entry_touch(s, into);
        if (r > 0)      /* another scope has it now: tell them */
                store_finisher_queue(s, into);
        return -EEXIST;
}

static int rename_file(Store *s, Artifact *a, char **path) {
        _cleanup_free_ char *old_path = NULL;
        int r;

        if (renameat(s->dir_fd, a->info.path, s->dir_fd, *path) < 0) {
                r = -errno;
                store_note_error(s, r);
                return r;
        }
        HASH_DELETE(by_path, s->by_path, a);
        old_path = a->info.path;
        a->info.path = TAKE_PTR(*path);
        HASH_ADD_KEYPTR(by_path, s->by_path, a->info.path, strlen(a->info.path), a);
        return store_index_put(s, a);
}

int artifact_rename(Artifact *a, const char *name) {
        char component[STORE_NAME_MAX + 1];
        _cleanup_free_ char *path = NULL;
        Store *s = a->store;
        Artifact *other;
        char *slash;
        int r;

        r = store_name_encode(name, component);
        if (r < 0)
                return r;

        pthread_mutex_lock(&s->lock);
        slash = strrchr(a->info.path, '/');
        if (asprintf(&path, "%.*s%s", slash ? (int) (slash + 1 - a->info.path) : 0, a->info.path, component) < 0) {
                path = NULL;
                r = -ENOMEM;
        } else if (a->removed)
                r = -ESTALE;
        else if (!streq(path, a->info.path)) {
                other = store_entry_by_path(s, path);
                r = other ? merge_into(s, other, a) : rename_file(s, a, &path);
        }
        pthread_mutex_unlock(&s->lock);
        return r;
}

int artifact_complete(Artifact *a) {
        Store *s = a->store;

        pthread_mutex_lock(&s->lock);
        if (!a->removed && !a->info.complete)
                store_finisher_queue(s, a);
        pthread_mutex_unlock(&s->lock);
        return 0;
}
