/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Kernel modules: module.dev-<D>.inode-<I>.pid-<P>.<sha256>, the bytes that were given to the kernel. The digest is known
 * at the end, so an artifact has a name of its own until then; the same content, whoever loads it, is kept once. A load that
 * the kernel refused is kept like any other, and its note says why it failed. */

#include <inttypes.h>
#include <stdio.h>

#include "../basic/macro.h"
#include "../basic/string-util.h"
#include "capture-image.h"
#include "capture-util.h"

typedef struct Module {
        char name[96];                    /* without the digest */
        char note[96];
        uint64_t size, next;
        bool holes;
} Module;

static int module_begin(CaptureWorker *w, CaptureOperation *o) {
        Module *m = new0(Module, 1);
        char name[128];
        int n, r;

        if (!m)
                return -ENOMEM;
        m->size = o->head.size_total;
        n = snprintf(m->name, sizeof(m->name), "module");
        if (o->head.inode)                /* without a file there is neither */
                n += snprintf(m->name + n, sizeof(m->name) - n, ".dev-%" PRIu64 ".inode-%" PRIu64, o->head.dev,
                              o->head.inode);
        snprintf(m->name + n, sizeof(m->name) - n, ".pid-%u", o->event.header->host_pid);
        snprintf(name, sizeof(name), "%s.ts-%" PRIu64, m->name, o->origin.time_ns);
        r = store_artifact_begin(capture_worker_store(w), &o->origin, NULL, name, &o->artifact);
        if (r < 0) {
                free(m);
                return r;
        }
        o->userdata = m;
        return 0;
}

static int add_hole(CaptureOperation *o, Module *m, uint64_t end) {
        int r = 0;

        if (m->next < end) {
                m->holes = true;
                r = artifact_hole(o->artifact, m->next, end - m->next);
        }
        m->next = end;
        return r;
}

static int module_data(CaptureWorker *w, CaptureOperation *o, const struct sct_chunk *c, const void *data) {
        Module *m = o->userdata;
        int r;

        if (!m || c->offset < m->next)
                return 0;
        (void) add_hole(o, m, c->offset);
        r = artifact_write(o->artifact, c->offset, data, c->size);
        m->next = c->offset + c->size;
        if (r < 0)
                m->holes = true;          /* as the store has noted */
        return 0;
}

/* The name that the content has, or is to have: that of whoever loaded it first. */
static int content_name(CaptureWorker *w, CaptureOperation *o, const Module *m, char **ret) {
        _cleanup_free_ ArtifactInfo *infos = NULL;
        ArtifactFilter filter = { .kind = ARTIFACT_MODULE };
        char sha256[65], *name = NULL;
        size_t n = 0;
        int r;

        r = artifact_sha256(o->artifact, sha256);
        if (r < 0)
                return r;
        filter.sha256 = sha256;
        r = store_list(capture_worker_store(w), &filter, &infos, &n);
        for (size_t i = 0; i < n; i++) {
                const char *slash = strrchr(infos[i].path, '/');

                if (!name && slash && streq(strempty(infos[i].container), strempty(o->origin.container)) &&
                    endswith(infos[i].path, sha256))
                        name = strdup(slash + 1);
                artifact_info_done(infos + i);
        }
        if (!name && asprintf(&name, "%s.%s", m->name, sha256) < 0)
                return -ENOMEM;
        *ret = name;
        return 0;
}

static int module_end(CaptureWorker *w, CaptureOperation *o, const struct sct_chunk *c) {
        _cleanup_free_ Module *m = TAKE_PTR(o->userdata);
        _cleanup_free_ char *name = NULL;
        int r;

        if (!m)
                return 0;
        (void) add_hole(o, m, m->size);
        if (c->flags & SCT_CHUNK_FAILED) {
                snprintf(m->note, sizeof(m->note), "the kernel refused to load it: %s", strerror((int) c->offset));
                o->origin.note = m->note;
                (void) artifact_add_origin(o->artifact, &o->origin);
        }
        if (m->holes)
                return artifact_complete(o->artifact);
        r = content_name(w, o, m, &name);
        if (r < 0)
                return r;
        r = artifact_rename(o->artifact, name);
        if (r == -EEXIST)
                return 0;
        return r < 0 ? r : artifact_complete(o->artifact);
}

const CaptureHandler capture_module_handler = {
        .kind = CAPTURE_MODULE,
        .begin = module_begin,
        .data = module_data,
        .end = module_end,
};
