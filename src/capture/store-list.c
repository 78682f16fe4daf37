/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is in the store, for those who ask: filters, copies, read-only descriptors, removal. Removing takes the lock once an
 * artifact and the file off the disk without it, so that it never holds up who writes. */

#include <fcntl.h>

#include "../basic/string-util.h"
#include "../basic/time-util.h"
#include "store-internal.h"

/* `*`: any number of any characters. */
static bool matches_wildcard(const char *pattern, const char *text) {
        const char *star = NULL, *back = NULL;

        if (!pattern)
                return true;
        text = strempty(text);
        while (*text) {
                if (*pattern == '*') {
                        star = pattern++;
                        back = text;
                } else if (*pattern == *text) {
                        pattern++;
                        text++;
                } else if (star) {
                        pattern = star + 1;
                        text = ++back;
                } else
                        return false;
        }
        while (*pattern == '*')
                pattern++;
        return !*pattern;
}

static bool matches_container(const char *wanted, const char *container) {
        if (!wanted)
                return true;
        if (streq(wanted, "host"))
                return isempty(container);
        return !isempty(container) && startswith(container, wanted);    /* ids are given short, as everywhere */
}

static bool matches(const ArtifactFilter *f, const ArtifactInfo *i) {
        return (!f->id || streq(f->id, i->id)) && (!f->path || streq(f->path, i->path)) && (f->kind < 0 || f->kind == (int) i->kind) &&
               (f->scope == 0 || i->scopes & (UINT64_C(1) << ((f->scope - 1) & 63))) &&
               matches_container(f->container, i->container) && matches_wildcard(f->source_path, i->source_path) &&
               matches_wildcard(f->comm, i->comm) && (!f->policy || strv_contains(i->policies, f->policy)) &&
               (!f->sha256 || streq(f->sha256, i->sha256)) && (f->host_pid == 0 || f->host_pid == i->host_pid) &&
               i->last_usec >= f->since_usec && (f->until_usec == 0 || i->first_usec <= f->until_usec);
}

static int by_first(const void *a, const void *b) {
        const ArtifactInfo *x = a, *y = b;

        if (x->first_usec != y->first_usec)
                return x->first_usec < y->first_usec ? -1 : 1;
        return strcmp(x->id, y->id);
}

int store_list(Store *s, const ArtifactFilter *filter, ArtifactInfo **ret, size_t *ret_n) {
        ArtifactInfo *list = NULL;
        size_t n = 0, n_allocated = 0;
        int r = 0;

        pthread_mutex_lock(&s->lock);
        for (Artifact *a = s->oldest; r >= 0 && a; a = a->next) {
                if (!matches(filter, &a->info))
                        continue;
                r = GREEDY_REALLOC(list, n_allocated, n + 1) ? artifact_info_copy(a, &list[n]) : -ENOMEM;
                n += r >= 0;
        }
        pthread_mutex_unlock(&s->lock);
        if (r < 0) {
                for (size_t i = 0; i < n; i++)
                        artifact_info_done(&list[i]);
                free(list);
                return r;
        }
        if (n > 0)
                qsort(list, n, sizeof(*list), by_first);
        *ret = list;
        *ret_n = n;
        return 0;
}

int store_open_artifact(Store *s, const char *id) {
        Artifact *a;
        int fd;

        pthread_mutex_lock(&s->lock);
        a = store_entry_by_id(s, id);
        fd = a ? store_open_beneath(s->dir_fd, a->info.path, O_RDONLY | O_NONBLOCK, 0) : -ENOENT;
        if (a && fd == -ENOENT && a->n_refs == 0) {
                (void) store_index_drop(s, a);          /* removed behind our back */
                store_entry_detach(s, a);
        }
        pthread_mutex_unlock(&s->lock);
        return fd;
}

static int remove_one(Store *s, const char *id, bool only_idle, uint64_t *ret_bytes) {
        Artifact *a;
        int r = -ENOENT;

        pthread_mutex_lock(&s->lock);
        a = store_entry_by_id(s, id);
        if (a && (!only_idle || a->n_refs == 0)) {
                *ret_bytes = a->info.stored_bytes;
                r = store_delete(s, a, true);
        }
        pthread_mutex_unlock(&s->lock);
        if (r >= 0)
                store_empty_trash(s);
        return r;
}

static void free_list(ArtifactInfo *list, size_t n) {
        for (size_t i = 0; i < n; i++)
                artifact_info_done(&list[i]);
        free(list);
}

int store_remove(Store *s, const ArtifactFilter *filter, StoreProgress progress, void *userdata, uint64_t *ret_n,
                 uint64_t *ret_bytes) {
        ArtifactInfo *list = NULL;
        int r, result = 0;
        size_t n = 0;

        *ret_n = *ret_bytes = 0;
        r = store_list(s, filter, &list, &n);
        if (r < 0)
                return r;
        for (size_t i = 0; i < n; i++) {
                uint64_t bytes = 0;

                r = remove_one(s, list[i].id, false, &bytes);
                if (r >= 0) {
                        ++*ret_n;
                        *ret_bytes += bytes;
                        r = progress ? progress(*ret_n, n, *ret_bytes, userdata) : 0;
                        if (r < 0) {
                                result = r;
                                break;
                        }
                } else if (r != -ENOENT)
                        result = r;
        }
        free_list(list, n);
        return result;
}

static int by_last(const void *a, const void *b) {
        const ArtifactInfo *x = a, *y = b;

        return x->last_usec < y->last_usec ? -1 : x->last_usec > y->last_usec;
}

int store_vacuum(Store *s, uint64_t max_bytes, uint64_t max_age_usec, StoreProgress progress, void *userdata,
                 uint64_t *ret_n, uint64_t *ret_bytes) {
        const ArtifactFilter all = ARTIFACT_FILTER_ALL;
        uint64_t now = now_usec(CLOCK_REALTIME);
        ArtifactInfo *list = NULL;
        int r, result = 0;
        size_t n = 0;

        *ret_n = *ret_bytes = 0;
        r = store_list(s, &all, &list, &n);
        if (r < 0)
                return r;
        if (n > 0)
                qsort(list, n, sizeof(*list), by_last);
        for (size_t i = 0; i < n; i++) {
                bool too_old = max_age_usec != UINT64_MAX && list[i].last_usec < now && now - list[i].last_usec > max_age_usec;
                StoreCounters counters;
                uint64_t bytes = 0;

                store_counters(s, &counters);
                if (!too_old && counters.bytes <= max_bytes)
                        break;
                r = remove_one(s, list[i].id, true, &bytes);
                if (r >= 0) {
                        ++*ret_n;
                        *ret_bytes += bytes;
                        r = progress ? progress(*ret_n, n, *ret_bytes, userdata) : 0;
                        if (r < 0) {
                                result = r;
                                break;
                        }
                } else if (r != -ENOENT)
                        result = r;
        }
        free_list(list, n);
        return result;
}
