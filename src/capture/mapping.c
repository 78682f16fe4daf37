/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The file of a mapping is held open from the moment the mapping is known until it ends, so that it can be read when the
 * process is gone and the file deleted. What is taken is the whole range, as far as the file goes: which of its bytes came
 * through the mapping cannot be told. Nothing is taken of a file that did not change since it was mapped. */

#include <signal.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "../basic/macro.h"
#include "../basic/string-util.h"
#include "../basic/time-util.h"
#include "mapping.h"

#define MAPPINGS_MAX 512U
#define TMPFS_MAGIC 0x01021994L         /* linux/magic.h: does not tell when a mapping was written to */
/* File times go by ticks of the kernel, and stand behind the clock by as much. */
#define TIME_SLACK_NSEC (20 * NSEC_PER_MSEC)

typedef struct Mapping {
        char *key;
        ArtifactOrigin origin;          /* strings are ours */
        char **policies;
        uint64_t address, offset, size;
        int fd;
        uint64_t seen_ns;               /* changes up to this time are taken */
} Mapping;

struct Mappings {
        MappingWriter writer;
        Mapping items[MAPPINGS_MAX];
        size_t n;
};

int mappings_new(MappingWriter writer, Mappings **ret) {
        Mappings *m = new0(Mappings, 1);

        if (!m)
                return -ENOMEM;
        m->writer = writer;
        *ret = m;
        return 0;
}

static void mapping_done(Mapping *x) {
        safe_close(x->fd);
        free((char *) x->origin.container);
        free((char *) x->origin.source_path);
        free((char *) x->origin.comm);
        free((char *) x->origin.exe);
        free((char *) x->origin.unit);
        strv_free(x->policies);
        free(x->key);
}

static int copy_origin(Mapping *x, const ArtifactOrigin *o) {
        const char *const *from[] = { &o->container, &o->source_path, &o->comm, &o->exe, &o->unit };
        const char **to[] = { &x->origin.container, &x->origin.source_path, &x->origin.comm, &x->origin.exe,
                              &x->origin.unit };

        x->origin = *o;
        for (size_t i = 0; i < ELEMENTSOF(to); i++)
                *to[i] = NULL;
        for (size_t i = 0; i < ELEMENTSOF(to); i++)
                if (*from[i] && !(*to[i] = strdup(*from[i])))
                        return -ENOMEM;
        x->policies = strv_copy(o->policies);
        x->origin.policies = x->policies;
        return x->policies ? 0 : -ENOMEM;
}

static bool has_changed(const Mapping *x, const struct stat *st) {
        uint64_t changed = (uint64_t) st->st_mtim.tv_sec * NSEC_PER_SEC + (uint64_t) st->st_mtim.tv_nsec;
        struct statfs fs;

        return changed + TIME_SLACK_NSEC >= x->seen_ns ||
               (fstatfs(x->fd, &fs) >= 0 && (long) fs.f_type == TMPFS_MAGIC);
}

static void take(Mappings *m, CaptureWorker *w, Mapping *x) {
        uint64_t end, now = now_nsec(CLOCK_REALTIME);
        uint8_t buffer[65536];
        struct stat st;

        if (fstat(x->fd, &st) < 0 || !has_changed(x, &st))
                return;
        x->seen_ns = now;
        end = MIN(x->offset + x->size, (uint64_t) st.st_size);
        for (uint64_t at = x->offset; at < end;) {
                ssize_t n = pread(x->fd, buffer, MIN(end - at, (uint64_t) sizeof(buffer)), (off_t) at);

                if (n <= 0 || m->writer(w, x->key, &x->origin, at, buffer, (size_t) n) < 0)
                        break;
                at += (uint64_t) n;
        }
}

static void drop(Mappings *m, size_t i) {
        mapping_done(m->items + i);
        m->items[i] = m->items[--m->n];
}

Mappings *mappings_free(Mappings *m, CaptureWorker *w) {
        if (!m)
                return NULL;
        while (m->n > 0) {
                take(m, w, m->items);
                drop(m, 0);
        }
        free(m);
        return NULL;
}

int mapping_begin(Mappings *m, FileFetch *fetch, const CaptureOperation *o, const char *key) {
        Mapping x = {
                .address = (uint64_t) o->event.header->retval,
                .offset = o->head.offset,
                .size = o->head.size_total,
                .seen_ns = o->origin.time_ns,
        };
        int r;

        if (m->n == MAPPINGS_MAX)
                return -EMFILE;
        x.fd = file_fetch_open(fetch, o);
        if (x.fd < 0)
                return x.fd;
        x.key = strdup(key);
        r = x.key ? copy_origin(&x, &o->origin) : -ENOMEM;
        if (r < 0) {
                mapping_done(&x);
                return r;
        }
        m->items[m->n++] = x;
        return 0;
}

void mappings_sync(Mappings *m, CaptureWorker *w, const struct sct_chunk *c) {
        for (size_t i = m->n; i > 0; i--) {
                Mapping *x = m->items + i - 1;
                bool all = c->offset == 0 && c->size_total == UINT64_MAX;

                if (x->origin.host_pid != c->operation ||
                    (!all && (c->offset >= x->address + x->size || c->offset + c->size_total <= x->address)))
                        continue;
                take(m, w, x);
                if (c->flags & SCT_CHUNK_GONE &&
                    (all || (c->offset <= x->address && c->offset + c->size_total >= x->address + x->size)))
                        drop(m, i - 1);
        }
}

/* Long-lived ones as they change; those whose process went without a word. */
void mappings_tick(Mappings *m, CaptureWorker *w) {
        for (size_t i = m->n; i > 0; i--) {
                bool gone = kill((pid_t) m->items[i - 1].origin.host_pid, 0) < 0 && errno == ESRCH;
                struct statfs fs;

                /* Where the time says nothing, taking all of it each second would be too much. */
                if (gone || fstatfs(m->items[i - 1].fd, &fs) < 0 || (long) fs.f_type != TMPFS_MAGIC)
                        take(m, w, m->items + i - 1);
                if (gone)
                        drop(m, i - 1);
        }
}
