/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Artifacts in memory: the tables by path and by id, their order by last operation, their descriptors. An artifact that was
 * removed while somebody holds it stays in memory, outside of the tables, until the last handle goes. */

#include <fcntl.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "../basic/string-util.h"
#include "../basic/time-util.h"
#include "store-internal.h"

#define BLOCK_BYTES 512U

const char *artifact_kind_to_string(ArtifactKind k) {
        static const char *const names[] = { "write", "read", "exec", "mem", "pcap", "module" };

        assert_cc(ELEMENTSOF(names) == _ARTIFACT_KIND_MAX);
        return k >= 0 && k < _ARTIFACT_KIND_MAX ? names[k] : NULL;
}

ArtifactKind artifact_kind_from_string(const char *s) {
        for (ArtifactKind k = 0; k < _ARTIFACT_KIND_MAX; k++)
                if (streq(s, artifact_kind_to_string(k)))
                        return k;
        return _ARTIFACT_KIND_INVALID;
}

void artifact_info_done(ArtifactInfo *info) {
        free(info->id);
        free(info->path);
        free(info->container);
        free(info->source_path);
        free(info->comm);
        free(info->exe);
        free(info->unit);
        free(info->note);
        strv_free(info->policies);
        free(info->holes);
        *info = (ArtifactInfo) {};
}

static int copy_string(char **p, const char *s) {
        if (!s) {
                *p = NULL;
                return 0;
        }
        *p = strdup(s);
        return *p ? 0 : -ENOMEM;
}

int artifact_info_dup(const ArtifactInfo *info, ArtifactInfo *ret) {
        ArtifactInfo i = *info;
        int r = 0;

        i.id = i.path = i.container = i.source_path = i.comm = i.exe = i.unit = i.note = NULL;
        i.policies = NULL;
        i.holes = NULL;
        r |= copy_string(&i.id, info->id);
        r |= copy_string(&i.path, info->path);
        r |= copy_string(&i.container, info->container);
        r |= copy_string(&i.source_path, info->source_path);
        r |= copy_string(&i.comm, info->comm);
        r |= copy_string(&i.exe, info->exe);
        r |= copy_string(&i.unit, info->unit);
        r |= copy_string(&i.note, info->note);
        if (info->policies) {
                i.policies = strv_copy(info->policies);
                if (!i.policies)
                        r = -ENOMEM;
        }
        if (info->n_holes > 0) {
                i.holes = new(ArtifactRange, info->n_holes);
                if (i.holes)
                        memcpy(i.holes, info->holes, info->n_holes * sizeof(*info->holes));
                else
                        r = -ENOMEM;
        }
        if (r < 0) {
                artifact_info_done(&i);
                return -ENOMEM;
        }
        *ret = i;
        return 0;
}

int artifact_info_copy(const Artifact *a, ArtifactInfo *ret) {
        ArtifactInfo i = a->info;

        i.holes = a->holes;
        i.n_holes = a->n_holes;
        return artifact_info_dup(&i, ret);
}

int store_entry_new(Store *s, Artifact **ret) {
        Artifact *a = new0(Artifact, 1);

        if (!a)
                return -ENOMEM;
        a->store = s;
        a->fd = -EBADF;
        *ret = a;
        return 0;
}

static void entry_free(Artifact *a) {
        safe_close(a->fd);
        a->info.holes = NULL;
        artifact_info_done(&a->info);
        free(a->holes);
        free(a);
}

Artifact *store_entry_by_path(Store *s, const char *path) {
        Artifact *a;

        HASH_FIND(by_path, s->by_path, path, strlen(path), a);
        return a;
}

Artifact *store_entry_by_id(Store *s, const char *id) {
        Artifact *a;

        HASH_FIND(by_id, s->by_id, id, strlen(id), a);
        return a;
}

static int make_id(Store *s, char **ret) {
        char text[11];
        uint64_t v;

        do {
                if (getrandom(&v, sizeof(v), 0) != sizeof(v))
                        return -EIO;
                (void) snprintf(text, sizeof(text), "%010llx", (unsigned long long) (v & 0xffffffffffULL));
        } while (store_entry_by_id(s, text));
        *ret = strdup(text);
        return *ret ? 0 : -ENOMEM;
}

/* Differences are added in two's complement: a negative one is a subtraction. */
static void add_usage(Store *s, const Artifact *a, uint64_t n, uint64_t bytes) {
        for (uint64_t scopes = a->info.scopes; scopes; scopes &= scopes - 1) {
                StoreUsage *u = &s->usage[a->info.kind][__builtin_ctzll(scopes) + 1];

                u->n_artifacts += n;
                u->bytes += bytes;
        }
}

int store_entry_add(Store *s, Artifact *a) {
        int r;

        if (!a->info.id) {
                r = make_id(s, &a->info.id);
                if (r < 0)
                        return r;
        }
        HASH_ADD_KEYPTR(by_path, s->by_path, a->info.path, strlen(a->info.path), a);
        HASH_ADD_KEYPTR(by_id, s->by_id, a->info.id, strlen(a->info.id), a);
        DL_APPEND(s->oldest, a);
        s->counters.n_artifacts++;
        s->counters.bytes += a->info.stored_bytes;
        a->in_tables = true;
        add_usage(s, a, 1, a->info.stored_bytes);
        return 0;
}

void store_entry_touch(Store *s, Artifact *a) {
        if (a->removed || !a->next)
                return;
        DL_DELETE(s->oldest, a);
        DL_APPEND(s->oldest, a);
}

void store_entry_detach(Store *s, Artifact *a) {
        if (a->removed)
                return;
        a->removed = true;
        HASH_DELETE(by_path, s->by_path, a);
        HASH_DELETE(by_id, s->by_id, a);
        DL_DELETE(s->oldest, a);
        s->counters.n_artifacts--;
        s->counters.bytes -= a->info.stored_bytes;
        add_usage(s, a, -UINT64_C(1), -a->info.stored_bytes);
        a->in_tables = false;
        store_finisher_forget(s, a);
        if (a->n_refs == 0) {
                store_entry_close(s, a);
                entry_free(a);
        }
}

void store_entry_ref(Artifact *a) {
        a->n_refs++;
}

void store_entry_unref(Artifact *a) {
        Store *s = a->store;

        assert(a->n_refs > 0);
        if (--a->n_refs > 0)
                return;
        a->fd_lent = false;
        store_entry_close(s, a);
        if (a->removed)
                entry_free(a);
}

void store_entry_close(Store *s, Artifact *a) {
        if (a->in_fd_list) {
                DL_DELETE2(s->fds, a, fd_prev, fd_next);
                a->in_fd_list = false;
                s->n_fds--;
        }
        a->fd = safe_close(a->fd);
}

/* a->fd is good afterwards, until the lock is let go without n_io. */
int store_entry_open(Store *s, Artifact *a) {
        int fd;

        if (a->fd >= 0) {
                if (a->in_fd_list) {    /* the last one used comes last */
                        DL_DELETE2(s->fds, a, fd_prev, fd_next);
                        DL_APPEND2(s->fds, a, fd_prev, fd_next);
                }
                return 0;
        }
        if (a->removed)
                return -ESTALE;

        for (Artifact *i = s->fds, *next; i && s->n_fds >= STORE_FDS_MAX; i = next) {
                next = i->fd_next;
                if (!i->fd_lent && i->n_io == 0)
                        store_entry_close(s, i);
        }
        fd = store_open_beneath(s->dir_fd, a->info.path, O_RDWR | O_NONBLOCK, 0);
        if (fd < 0)
                return fd;
        a->fd = fd;
        DL_APPEND2(s->fds, a, fd_prev, fd_next);
        a->in_fd_list = true;
        s->n_fds++;
        return 0;
}

void store_entry_measure(Store *s, Artifact *a, const struct stat *st) {
        uint64_t stored = (uint64_t) st->st_blocks * BLOCK_BYTES;

        if (a->in_tables) {
                s->counters.bytes += stored - a->info.stored_bytes;
                add_usage(s, a, 0, stored - a->info.stored_bytes);
                if (stored > a->info.stored_bytes)
                        s->free_unchecked += stored - a->info.stored_bytes;
        }
        a->info.stored_bytes = stored;
        a->info.size_bytes = (uint64_t) st->st_size;
}

static int fill_string(char **p, const char *s) {
        if (*p || isempty(s))
                return 0;
        *p = strdup(s);
        return *p ? 1 : -ENOMEM;
}

/* The first subject stays; scopes, policies and times add up. */
int store_entry_merge_origin(Store *s, Artifact *a, const ArtifactOrigin *origin) {
        uint64_t usec = origin->time_ns > 0 ? origin->time_ns / NSEC_PER_USEC : now_usec(CLOCK_REALTIME);
        bool changed = false;
        int r;

        if (!a->info.first_usec) {
                a->info.kind = origin->kind;
                a->info.dev = origin->dev;
                a->info.inode = origin->inode;
                a->info.host_pid = origin->host_pid;
                a->info.host_tid = origin->host_tid;
                a->info.uid = origin->uid;
                a->info.gid = origin->gid;
                a->info.start_ns = origin->start_ns;
                a->info.first_usec = a->info.last_usec = usec;
                if (fill_string(&a->info.container, origin->container) < 0 ||
                    fill_string(&a->info.source_path, origin->source_path) < 0 ||
                    fill_string(&a->info.comm, origin->comm) < 0 || fill_string(&a->info.exe, origin->exe) < 0 ||
                    fill_string(&a->info.unit, origin->unit) < 0)
                        return -ENOMEM;
                changed = true;
        }
        a->info.first_usec = MIN(a->info.first_usec, usec);
        a->info.last_usec = MAX(a->info.last_usec, usec);

        r = fill_string(&a->info.source_path, origin->source_path);
        if (r < 0)
                return r;
        changed |= r > 0;
        r = fill_string(&a->info.note, origin->note);
        if (r < 0)
                return r;
        changed |= r > 0;
        if (origin->scopes & ~a->info.scopes) {
                if (a->in_tables)
                        add_usage(s, a, -UINT64_C(1), -a->info.stored_bytes);
                a->info.scopes |= origin->scopes;
                if (a->in_tables)
                        add_usage(s, a, 1, a->info.stored_bytes);
                changed = true;
        }
        STRV_FOREACH(i, origin->policies) {
                if (strv_contains(a->info.policies, *i))
                        continue;
                r = strv_extend(&a->info.policies, *i);
                if (r < 0)
                        return r;
                changed = true;
        }
        if (changed)
                a->n_changes++;
        return changed;
}
