/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Executed files: exec.<ts>.<name>, once per content. The kernel side tells which file it was and copies what stands in the
 * page cache at that moment, so that a file that is gone at once is whole in most cases; the rest is read from the file
 * as long as it can be reached. What has been kept is told to the kernel side, which then sends no more than the
 * execution itself; a file that changed has another time of change, and is taken anew.
 *
 * Two executions are of one content when the SHA-256 is the same. Without all bytes there is no SHA-256: such a copy is
 * kept with its holes, and the next execution is taken again. */

#include <inttypes.h>
#include <stdio.h>
#include <uthash.h>

#include "../basic/macro.h"
#include "../basic/string-util.h"
#include "capture-image.h"
#include "capture-util.h"
#include "image.h"

/* Names that are remembered, of contents and of files. Beyond it all are forgotten: what comes is then read again, and
 * its digest tells that it is known. */
#define KNOWN_MAX 16384U
/* How often an artifact's last subject is brought up to date. */
#define TELL_USEC (5 * USEC_PER_SEC)
/* A file that changed less than a clock tick before may change again without showing it (CONFIG_HZ may be 100). */
#define RACY_NSEC (20 * NSEC_PER_MSEC)

/* One artifact. */
typedef struct Content {
        UT_hash_handle hh;
        char *key;                        /* container, sha256 */
        char *name, *id;
        uint64_t scopes;
        uint64_t told_usec;
} Content;

/* A file in one state. */
typedef struct Known {
        UT_hash_handle hh;
        char *key;                        /* container, device, inode, time of change, size */
        Content *content;
} Known;

typedef struct ExecState {
        FileSources *sources;
        Content *contents;
        Known *files;
        bool listed;                      /* what an earlier run left in the store is known */
} ExecState;

/* One execution while its chunks come. */
typedef struct Execution {
        FileIdentity identity;
        Image *image;
        char *key;                        /* of Known */
        bool racy;
} Execution;

static Execution *execution_free(Execution *e) {
        if (!e)
                return NULL;
        image_free(e->image);
        free(e->key);
        free(e);
        return NULL;
}

DEFINE_TRIVIAL_CLEANUP_FUNC(Execution *, execution_free);

static void forget_files(ExecState *s) {
        Known *f, *next;

        HASH_ITER(hh, s->files, f, next) {
                HASH_DEL(s->files, f);
                free(f->key);
                free(f);
        }
}

static void content_free(Content *c) {
        free(c->key);
        free(c->name);
        free(c->id);
        free(c);
}

static void forget_all(ExecState *s) {
        Content *c, *next;

        forget_files(s);
        HASH_ITER(hh, s->contents, c, next) {
                HASH_DEL(s->contents, c);
                content_free(c);
        }
}

static void forget_content(ExecState *s, Content *c) {
        Known *f, *next;

        HASH_ITER(hh, s->files, f, next)
                if (f->content == c) {
                        HASH_DEL(s->files, f);
                        free(f->key);
                        free(f);
                }
        HASH_DEL(s->contents, c);
        content_free(c);
}

static char *content_key(const char *container, const char *sha256) {
        return strjoin(strempty(container), "/", sha256);
}

/* Takes over `name`. */
static int add_content(ExecState *s, const char *container, const char *sha256, char *name, const char *id, uint64_t scopes,
                       Content **ret) {
        Content *c;

        if (HASH_COUNT(s->contents) >= KNOWN_MAX)
                forget_all(s);
        c = new0(Content, 1);
        if (c) {
                c->key = content_key(container, sha256);
                c->id = strdup(id);
                c->name = name;
                c->scopes = scopes;
        } else
                free(name);
        if (!c || !c->key || !c->id) {
                if (c)
                        content_free(c);
                return -ENOMEM;
        }
        HASH_ADD_KEYPTR(hh, s->contents, c->key, strlen(c->key), c);
        if (ret)
                *ret = c;
        return 0;
}

static void add_file(ExecState *s, const char *key, Content *c) {
        Known *f;

        HASH_FIND_STR(s->files, key, f);
        if (f) {
                f->content = c;
                return;
        }
        if (HASH_COUNT(s->files) >= KNOWN_MAX)
                forget_files(s);
        f = new0(Known, 1);
        if (!f)
                return;
        f->key = strdup(key);
        f->content = c;
        if (!f->key) {
                free(f);
                return;
        }
        HASH_ADD_KEYPTR(hh, s->files, f->key, strlen(f->key), f);
}

static const char *base_name(const char *path) {
        const char *slash = path ? strrchr(path, '/') : NULL;

        return slash ? slash + 1 : strempty(path);
}

static char *artifact_name(uint64_t time_ns, const char *path) {
        char *name;

        return asprintf(&name, "exec.%" PRIu64 ".%s", time_ns, base_name(path)) < 0 ? NULL : name;
}

/* "once per content" holds over restarts: the store's index has the digests. */
static int learn_store(ExecState *s, Store *store) {
        ArtifactFilter filter = { .kind = ARTIFACT_EXEC };
        ArtifactInfo *infos = NULL;
        size_t n = 0;
        int r;

        if (s->listed)
                return 0;
        s->listed = true;
        r = store_list(store, &filter, &infos, &n);
        if (r < 0)
                return r;
        for (size_t i = 0; i < n; i++) {
                const char *file = base_name(infos[i].path);
                uint64_t time_ns;
                char *name;

                /* The name as it was given: the store's own has encoded text in it. */
                if (infos[i].sha256[0] && infos[i].n_holes == 0 && sscanf(file, "exec.%" SCNu64 ".", &time_ns) == 1) {
                        name = artifact_name(time_ns, infos[i].source_path);
                        if (name)
                                (void) add_content(s, infos[i].container, infos[i].sha256, name, infos[i].id, 0, NULL);
                }
                artifact_info_done(infos + i);
        }
        free(infos);
        return 0;
}

/* Whether the artifact is still there: anybody may have removed it. */
static bool content_is_kept(Store *store, const Content *c) {
        _cleanup_close_ int fd = store_open_artifact(store, c->id);

        return fd >= 0;
}

/* One more execution of what is kept already. */
static int tell_again(CaptureWorker *w, CaptureOperation *o, Content *c) {
        _cleanup_(artifact_unrefp) Artifact *a = NULL;
        uint64_t now_usec = o->origin.time_ns / NSEC_PER_USEC;
        int r;

        if ((o->origin.scopes & ~c->scopes) == 0 && now_usec < c->told_usec + TELL_USEC)
                return 0;
        r = store_artifact_begin(capture_worker_store(w), &o->origin, NULL, c->name, &a);
        if (r < 0)
                return r;
        c->scopes |= o->origin.scopes;
        c->told_usec = now_usec;
        r = artifact_add_origin(a, &o->origin);
        if (r < 0)
                return r;
        return artifact_complete(a);
}

static ExecState *state_get(CaptureWorker *w) {
        void **state = capture_worker_state(w, CAPTURE_EXEC);
        ExecState *s = *state;

        if (s)
                return s;
        s = new0(ExecState, 1);
        if (!s)
                return NULL;
        s->sources = file_sources_new();
        if (!s->sources) {
                free(s);
                return NULL;
        }
        *state = s;
        /* What the kernel side holds for known is of an earlier worker. */
        (void) kernel_artifacts_set_image(capture_worker_ring(w), NULL, false);
        return s;
}

static int open_source(ExecState *s, const CaptureOperation *o, const FileIdentity *identity) {
        const struct sct_record *h = o->event.header;

        return file_source_open(s->sources, h->mnt_ns, h->host_pid, o->origin.source_path, identity);
}

static int exec_begin(CaptureWorker *w, CaptureOperation *o) {
        _cleanup_(execution_freep) Execution *e = new0(Execution, 1);
        const struct sct_record *h = o->event.header;
        ExecState *s = state_get(w);
        Known *known;
        int r;

        if (!s || !e)
                return -ENOMEM;
        (void) learn_store(s, capture_worker_store(w));
        file_sources_add(s->sources, h->mnt_ns, h->host_pid);

        o->origin.dev = capture_arg_u64(&o->event, "dev");
        o->origin.inode = capture_arg_u64(&o->event, "inode");
        e->identity = (FileIdentity) {
                .inode = o->origin.inode,
                .ctime_ns = capture_arg_u64(&o->event, "ctime"),
                .size = capture_arg_u64(&o->event, "size"),
        };
        e->racy = e->identity.ctime_ns + RACY_NSEC > o->origin.time_ns;
        if (asprintf(&e->key, "%s/%" PRIx64 ":%" PRIx64 ":%" PRIx64 ":%" PRIx64, strempty(o->origin.container), o->origin.dev,
                     e->identity.inode, e->identity.ctime_ns, e->identity.size) < 0) {
                e->key = NULL;
                return -ENOMEM;
        }

        HASH_FIND_STR(s->files, e->key, known);
        if (known) {
                if (content_is_kept(capture_worker_store(w), known->content))
                        return tell_again(w, o, known->content);
                forget_content(s, known->content);
        }
        /* Opened at once, while the process may still be there; whether it is needed is known at the end. */
        r = image_new(&e->identity, open_source(s, o, &e->identity), &e->image);
        if (r < 0)
                return r;
        o->userdata = TAKE_PTR(e);
        return 0;
}

static int exec_data(CaptureWorker *w, CaptureOperation *o, const struct sct_chunk *c, const void *data) {
        Execution *e = o->userdata;

        /* What is not taken, the file may have. */
        if (e)
                (void) image_add(e->image, c->offset, data, c->size);
        return 0;
}

/* Keeps a content that is not there yet. */
static int keep_new(CaptureWorker *w, CaptureOperation *o, ExecState *s, Execution *e, const char *sha256) {
        _cleanup_free_ char *name = artifact_name(o->origin.time_ns, o->origin.source_path);
        _cleanup_(artifact_unrefp) Artifact *a = NULL;
        uint64_t missing = 0;
        Content *c;
        int r, q;

        if (!name)
                return -ENOMEM;
        r = store_artifact_begin(capture_worker_store(w), &o->origin, NULL, name, &a);
        if (r < 0)
                return r;
        r = image_write(e->image, a, &missing);
        q = artifact_complete(a);
        if (r < 0 || q < 0)
                return r < 0 ? r : q;
        if (missing > 0 || !sha256)
                return -ENODATA;

        r = add_content(s, o->origin.container, sha256, TAKE_PTR(name), artifact_id(a), o->origin.scopes, &c);
        if (r < 0)
                return r;
        c->told_usec = o->origin.time_ns / NSEC_PER_USEC;
        if (!e->racy)
                add_file(s, e->key, c);
        return 0;
}

static int keep(CaptureWorker *w, CaptureOperation *o, ExecState *s, Execution *e) {
        _cleanup_free_ char *key = NULL;
        char sha256[65] = "";
        Content *c;
        int r;

        if (image_needs_file(e->image)) {
                r = open_source(s, o, &e->identity);
                if (r >= 0)
                        image_set_file(e->image, r);
        }
        r = image_digest(e->image, sha256);
        if (r < 0)
                return keep_new(w, o, s, e, NULL);
        key = content_key(o->origin.container, sha256);
        if (!key)
                return -ENOMEM;
        HASH_FIND_STR(s->contents, key, c);
        if (c && !content_is_kept(capture_worker_store(w), c)) {
                forget_content(s, c);
                c = NULL;
        }
        if (!c)
                return keep_new(w, o, s, e, sha256);
        if (!e->racy)
                add_file(s, e->key, c);
        return tell_again(w, o, c);
}

static int exec_end(CaptureWorker *w, CaptureOperation *o, const struct sct_chunk *chunk) {
        void **state = capture_worker_state(w, CAPTURE_EXEC);
        Execution *e = o->userdata;
        KernelImage image;
        int r;

        if (!e)
                return 0;
        image = (KernelImage) {
                .dev = o->origin.dev, .inode = e->identity.inode,
                .ctime_ns = e->identity.ctime_ns, .size = e->identity.size,
        };
        r = keep(w, o, *state, e);
        (void) kernel_artifacts_set_image(capture_worker_ring(w), &image, r >= 0 && !e->racy);
        o->userdata = execution_free(e);
        return r;
}

static void exec_stop(CaptureWorker *w) {
        void **state = capture_worker_state(w, CAPTURE_EXEC);
        ExecState *s = *state;

        if (!s)
                return;
        forget_all(s);
        file_sources_free(s->sources);
        free(s);
        *state = NULL;
}

const CaptureHandler capture_exec_handler = {
        .kind = CAPTURE_EXEC,
        .begin = exec_begin,
        .data = exec_data,
        .end = exec_end,
        .stop = exec_stop,
};
