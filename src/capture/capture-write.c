/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Written and read files: bytes at the offsets they have in their file. All writers of a file share its artifact.
 * Invariant: what did not come, or could not be read, is a hole and never a run of zeros that pass as data.
 *
 * A file is an inode of a device as its container sees it, and the inode's generation: when a deleted file's inode is
 * used again, the new file gets a name of its own. */

#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <uthash.h>
#include <utlist.h>

#include "../basic/macro.h"
#include "../basic/string-util.h"
#include "../basic/time-util.h"
#include "capture-util.h"
#include "capture-write.h"
#include "early-hole.h"
#include "file-fetch.h"
#include "mapping.h"

/* After this long without an operation a file is complete for now; longer for what is large (its digest is taken anew)
 * and for what comes again and again. */
#define IDLE_USEC (2 * USEC_PER_SEC)
#define IDLE_MAX_USEC (300 * USEC_PER_SEC)
#define IDLE_BYTES_PER_SEC (64U * 1024 * 1024)
#define FILES_MAX 65536U        /* that are remembered, so that a reused inode is noticed */

/* How far before its supposed place data is looked for, and how much of it is compared. */
#define SHARED_WINDOW 65536U
#define SHARED_COMPARED 4096U

#define NOTE_SUBMITTED "as handed to the kernel: the end of an asynchronous call was not to be seen"
#define NOTE_COPIED "moved inside the kernel: read back from the file afterwards"
#define NOTE_MAPPED \
        "written through a shared mapping: the range as it was in the file when the mapping ended or was synced"
#define NOTE_ENDED "as it was until the file was emptied: what was written after that has an artifact of its own"
#define NOTE_CUT "the file was cut or punched: what had been captured there is gone from here as it is from the file"
#define NOTE_KERNEL "written by the kernel itself: read back from the file afterwards"

typedef struct FileId {
        uint64_t dev, inode;
} FileId;

typedef struct TrackedFile {
        FileId id;
        uint32_t generation;            /* of the inode */
        char *container;                /* "" for the host; each has an artifact of its own of a file that they share */
        char *key;                      /* of all three */
        char *name;                     /* of its artifact */
        Artifact *artifact;             /* NULL while it is complete */
        uint64_t scopes;                /* that the artifact knows */
        bool noted;                     /* it has a note */
        uint64_t last_usec;             /* of its last operation */
        uint64_t idle_usec;
        uint64_t append_end;            /* of what has no offsets: where the next operation's data goes */
        size_t n_operations;            /* under way: until all have ended, nothing is said to be complete */
        UT_hash_handle hh;
        struct TrackedFile *prev, *next;        /* of the same id */
} TrackedFile;

/* Files of one id: in several containers, or one after the other. */
typedef struct SameId {
        FileId id;
        TrackedFile *files;
        UT_hash_handle hh;
} SameId;

typedef struct Files {
        TrackedFile *by_key;            /* in order of their first operation */
        SameId *by_id;
        EarlyHoles *early_holes;        /* of files that nothing else is known of */
        FileFetch *fetch;
        Mappings *mappings;             /* of files that are written */
} Files;

/* Of one operation that is under way. */
typedef struct WriteOperation {
        TrackedFile *file;
        uint64_t base;                  /* is added to offsets: 0, or where an appending operation begins */
        uint64_t next;                  /* offset of the data that comes next, when nothing is missing */
        bool located;                   /* its place was looked up, where others share the file's position */
} WriteOperation;

static TrackedFile *tracked_file_free(TrackedFile *f) {
        if (!f)
                return NULL;
        if (f->artifact) {
                (void) artifact_complete(f->artifact);
                artifact_unref(f->artifact);
        }
        free(f->container);
        free(f->key);
        free(f->name);
        free(f);
        return NULL;
}

static SameId *same_id(Files *files, FileId id) {
        SameId *same = NULL;

        HASH_FIND(hh, files->by_id, &id, sizeof(id), same);
        return same;
}

static void files_remove(Files *files, TrackedFile *f) {
        SameId *same = same_id(files, f->id);

        HASH_DELETE(hh, files->by_key, f);
        if (same) {
                DL_DELETE(same->files, f);
                if (!same->files) {
                        HASH_DELETE(hh, files->by_id, same);
                        free(same);
                }
        }
        tracked_file_free(f);
}

static int files_insert(Files *files, TrackedFile *f) {
        SameId *same = same_id(files, f->id);

        if (!same) {
                same = new0(SameId, 1);
                if (!same)
                        return -ENOMEM;
                same->id = f->id;
                HASH_ADD(hh, files->by_id, id, sizeof(same->id), same);
        }
        DL_APPEND(same->files, f);
        HASH_ADD_KEYPTR(hh, files->by_key, f->key, strlen(f->key), f);
        return 0;
}

static int write_mapped(CaptureWorker *w, const char *key, ArtifactOrigin *origin, uint64_t offset, const void *data,
                        size_t size);

static Files *files_get(CaptureWorker *w, CaptureKind kind) {
        void **state = capture_worker_state(w, kind);
        Files *files = *state;

        if (files)
                return files;
        files = new0(Files, 1);
        if (!files)
                return NULL;
        files->fetch = file_fetch_new();
        if (!files->fetch || mappings_new(write_mapped, &files->mappings) < 0) {
                file_fetch_free(files->fetch);
                free(files);
                return NULL;
        }
        *state = files;
        return files;
}

/* Drops the oldest that are complete. */
static void files_shrink(Files *files) {
        TrackedFile *f, *next;

        if (HASH_COUNT(files->by_key) <= FILES_MAX)
                return;
        HASH_ITER(hh, files->by_key, f, next) {
                if (f->artifact || f->n_operations > 0)
                        continue;
                files_remove(files, f);
                if (HASH_COUNT(files->by_key) <= FILES_MAX / 2)
                        return;
        }
}

/* Whether an artifact of this name is there already, and is of another file: one that ended before this one began. */
static bool name_is_taken(CaptureWorker *w, const CaptureOperation *o, const char *name) {
        _cleanup_free_ char *path = strjoin(isempty(o->origin.container) ? "host" : o->origin.container, "/", name);
        ArtifactFilter filter = ARTIFACT_FILTER_ALL;
        ArtifactInfo *infos = NULL;
        uint64_t born;
        bool taken = false;
        size_t n = 0;

        filter.path = path;
        if (!path || store_list(capture_worker_store(w), &filter, &infos, &n) < 0)
                return false;
        for (size_t i = 0; i < n; i++) {
                /* Of an earlier run: the inode's generation is not known, but when the file began perhaps is. */
                if (!streq_ptr(infos[i].source_path, o->origin.source_path))
                        taken = true;
                else if (file_fetch_birth(o, &born) >= 0)
                        taken = born > infos[i].last_usec;
                artifact_info_done(infos + i);
        }
        free(infos);
        return taken;
}

static int make_name(CaptureWorker *w, Files *files, const CaptureOperation *o, CaptureKind kind, TrackedFile *f) {
        const char *word = capture_kind_to_string(kind);
        SameId *same = same_id(files, f->id);
        TrackedFile *other;
        bool again = false;

        if (asprintf(&f->name, "%s.dev-%" PRIu64 ".inode-%" PRIu64, word, f->id.dev, f->id.inode) < 0) {
                f->name = NULL;
                return -ENOMEM;
        }
        if (same)
                DL_FOREACH(same->files, other)
                        again |= streq(other->container, f->container);
        if (again || name_is_taken(w, o, f->name)) {
                /* The inode is used again. */
                free(TAKE_PTR(f->name));
                if (asprintf(&f->name, "%s.dev-%" PRIu64 ".inode-%" PRIu64 ".generation-%" PRIu32, word, f->id.dev,
                             f->id.inode, f->generation) < 0) {
                        f->name = NULL;
                        return -ENOMEM;
                }
        }
        return 0;
}

static int file_get(CaptureWorker *w, Files *files, const CaptureOperation *o, CaptureKind kind, TrackedFile **ret) {
        FileId id = { .dev = o->head.dev, .inode = o->head.inode };
        uint32_t generation = (uint32_t) capture_arg_u64(&o->event, "inode_generation");
        const char *container = strempty(o->origin.container);
        SameId *same = same_id(files, id);
        TrackedFile *f;
        int r;

        if (same)
                DL_FOREACH(same->files, f)
                        if (f->generation == generation && streq(f->container, container)) {
                                *ret = f;
                                return 0;
                        }
        files_shrink(files);
        f = new0(TrackedFile, 1);
        if (!f)
                return -ENOMEM;
        f->id = id;
        f->generation = generation;
        f->idle_usec = IDLE_USEC;
        f->container = strdup(container);
        if (asprintf(&f->key, "%s/%" PRIu64 "/%" PRIu64 "/%" PRIu32, container, id.dev, id.inode, generation) < 0)
                f->key = NULL;
        r = f->container && f->key ? make_name(w, files, o, kind, f) : -ENOMEM;
        if (r >= 0)
                r = files_insert(files, f);
        if (r < 0) {
                tracked_file_free(f);
                return r;
        }
        *ret = f;
        return 0;
}

static const char *note_of(const CaptureOperation *o) {
        if (o->head.flags & SCT_CHUNK_SUBMITTED)
                return NOTE_SUBMITTED;
        if (!(o->head.flags & SCT_CHUNK_FETCH))
                return NULL;
        switch (capture_arg_u64(&o->event, "how")) {
        case SCT_HOW_KERNEL:
                return NOTE_KERNEL;
        }
        return NOTE_COPIED;
}

/* The artifact, open. */
static int file_open(CaptureWorker *w, TrackedFile *f, ArtifactOrigin *origin, const char *note) {
        int r;

        origin->note = note;
        if (!f->artifact) {
                r = store_artifact_begin(capture_worker_store(w), origin, NULL, f->name, &f->artifact);
                if (r < 0)
                        return r;
                f->scopes = origin->scopes;
                f->noted = note != NULL;
                f->append_end = MAX(f->append_end, artifact_size(f->artifact));
                return 0;
        }
        if ((note && !f->noted) || origin->scopes & ~f->scopes) {
                f->scopes |= origin->scopes;
                f->noted = f->noted || note;
                return artifact_add_origin(f->artifact, origin);
        }
        return 0;
}

/* One that was removed while it was open begins anew. */
static int checked(TrackedFile *f, int r) {
        if (r == -ESTALE)
                f->artifact = artifact_unref(f->artifact);
        return r;
}

static void file_hole(TrackedFile *f, uint64_t offset, uint64_t size, uint8_t flags) {
        if (flags & SCT_CHUNK_APPEND) {
                offset = f->append_end;
                f->append_end += size;
        }
        f->last_usec = now_usec(CLOCK_MONOTONIC);
        (void) checked(f, artifact_hole(f->artifact, offset, size));
}

/* What had been lost of it before anything of it came. */
static void early_holes(Files *files, TrackedFile *f) {
        size_t n;
        _cleanup_free_ EarlyHole *holes =
                early_holes_take_file(files->early_holes, f->id.dev, f->id.inode, f->generation, &n);

        for (size_t i = 0; i < n && f->artifact; i++)
                file_hole(f, holes[i].offset, holes[i].size, holes[i].flags);
}

static int fetch(Files *files, WriteOperation *x, CaptureOperation *o) {
        uint64_t end = o->head.offset + o->head.size_total, at = o->head.offset;
        uint8_t buffer[65536];
        int fd, r = 0;

        fd = o->head.flags & SCT_CHUNK_APPEND ? -ENODATA : file_fetch_open(files->fetch, o);
        while (fd >= 0 && at < end) {
                ssize_t n = pread(fd, buffer, MIN(end - at, (uint64_t) sizeof(buffer)), (off_t) at);

                if (n <= 0)
                        break;
                r = checked(x->file, artifact_write(x->file->artifact, x->base + at, buffer, (size_t) n));
                if (r < 0)
                        break;
                at += (uint64_t) n;
        }
        safe_close(fd);
        if (at < end && r >= 0)
                r = artifact_hole(x->file->artifact, x->base + at, end - at);
        return r;
}

/* Whether there is anything that a cut file could take away; of an earlier run, or complete, it is not open. */
static bool has_content(CaptureWorker *w, const TrackedFile *f, const ArtifactOrigin *origin) {
        _cleanup_free_ char *path = NULL;
        ArtifactFilter filter = ARTIFACT_FILTER_ALL;
        ArtifactInfo *infos = NULL;
        bool there = false;
        size_t n = 0;

        if (f->artifact)
                return artifact_size(f->artifact) > 0;
        path = strjoin(isempty(origin->container) ? "host" : origin->container, "/", f->name);
        filter.path = path;
        if (!path || store_list(capture_worker_store(w), &filter, &infos, &n) < 0)
                return false;
        for (size_t i = 0; i < n; i++) {
                there |= infos[i].size_bytes > 0 || infos[i].n_holes > 0;
                artifact_info_done(infos + i);
        }
        free(infos);
        return there;
}

/* The file lost content without a byte being written. What was captured before a file was emptied is what somebody may
 * want to see: it stays, under a name that says until when it was so, and the file's own name goes to what is written
 * next. */
static int lose(CaptureWorker *w, TrackedFile *f, CaptureOperation *o) {
        bool punched = capture_arg_u64(&o->event, "how") == SCT_HOW_PUNCH;
        char name[256];
        int r;

        if (!has_content(w, f, &o->origin))
                return 0;
        r = file_open(w, f, &o->origin, o->head.offset > 0 || punched ? NOTE_CUT : NOTE_ENDED);
        if (r < 0)
                return r;
        if (punched)
                return checked(f, artifact_clear(f->artifact, o->head.offset, o->head.size_total));
        if (o->head.offset > 0)
                return checked(f, artifact_cut(f->artifact, o->head.offset));
        (void) snprintf(name, sizeof(name), "%s.until-%" PRIu64, f->name, o->origin.time_ns);
        r = artifact_rename(f->artifact, name);
        if (r < 0)
                return checked(f, r);
        (void) artifact_complete(f->artifact);
        f->artifact = artifact_unref(f->artifact);
        f->append_end = 0;
        f->idle_usec = IDLE_USEC;
        return 0;
}

static void write_operation_free(WriteOperation *x) {
        if (!x)
                return;
        x->file->n_operations--;
        free(x);
}

/* A failure is the last that is heard of an operation: what of it is still to come will not be kept. */
static int gave_up(CaptureOperation *o, int r) {
        WriteOperation *x = o->userdata;
        uint64_t end = o->head.offset + o->head.size_total;

        if (r >= 0)
                return r;
        if (x->file->artifact && x->next < end && !(o->head.flags & SCT_CHUNK_FETCH))
                (void) artifact_hole(x->file->artifact, x->base + x->next, end - x->next);
        write_operation_free(x);
        o->userdata = NULL;
        return r;
}

static int begin(CaptureWorker *w, CaptureOperation *o, CaptureKind kind) {
        Files *files = files_get(w, kind);
        uint64_t how = capture_arg_u64(&o->event, "how");
        WriteOperation *x;
        TrackedFile *f;
        int r;

        if (!files)
                return -ENOMEM;
        r = file_get(w, files, o, kind, &f);
        if (r < 0)
                return r;
        f->last_usec = now_usec(CLOCK_MONOTONIC);
        if (IN_SET(how, SCT_HOW_CUT, SCT_HOW_PUNCH))
                return lose(w, f, o);
        if (how == SCT_HOW_MAPPING)
                return mapping_begin(files->mappings, files->fetch, o, f->key);
        r = file_open(w, f, &o->origin, note_of(o));
        if (r < 0)
                return r;
        early_holes(files, f);
        x = new0(WriteOperation, 1);
        if (!x)
                return -ENOMEM;
        x->file = f;
        f->n_operations++;
        x->next = o->head.offset;
        if (o->head.flags & SCT_CHUNK_APPEND) {
                x->base = f->append_end - o->head.offset;
                f->append_end += o->head.size_total;
        }
        o->userdata = x;
        return o->head.flags & SCT_CHUNK_FETCH ? gave_up(o, fetch(files, x, o)) : 0;
}

/* What a mapping's file holds. */
static int write_mapped(CaptureWorker *w, const char *key, ArtifactOrigin *origin, uint64_t offset, const void *data,
                        size_t size) {
        Files *files = files_get(w, CAPTURE_WRITE);
        TrackedFile *f = NULL;
        int r;

        if (files)
                HASH_FIND_STR(files->by_key, key, f);
        if (!f)
                return -ENOENT;
        f->last_usec = now_usec(CLOCK_MONOTONIC);
        r = file_open(w, f, origin, NOTE_MAPPED);
        return r < 0 ? r : checked(f, artifact_write(f->artifact, offset, data, size));
}

static int sync_write(CaptureWorker *w, const struct sct_chunk *c) {
        Files *files = *capture_worker_state(w, CAPTURE_WRITE);

        if (files)
                mappings_sync(files->mappings, w, c);
        return 0;
}

static int begin_write(CaptureWorker *w, CaptureOperation *o) {
        return begin(w, o, CAPTURE_WRITE);
}

static int begin_read(CaptureWorker *w, CaptureOperation *o) {
        return begin(w, o, CAPTURE_READ);
}

/* When several processes share a file's position, one may have moved it on before the other's place was read from it:
 * the data stands there or, as the file itself shows, some bytes before. */
static void locate(Files *files, WriteOperation *x, const CaptureOperation *o, const struct sct_chunk *c,
                   const uint8_t *data) {
        uint64_t window = MIN(c->offset, (uint64_t) SHARED_WINDOW), begin = c->offset - window;
        size_t size = MIN((size_t) c->size, (size_t) SHARED_COMPARED);
        _cleanup_free_ uint8_t *text = NULL;
        _cleanup_close_ int fd = -EBADF;
        ssize_t n;

        x->located = true;
        fd = file_fetch_open(files->fetch, o);
        text = malloc(window + size);
        if (fd < 0 || !text || size == 0)
                return;
        n = pread(fd, text, window + size, (off_t) begin);
        for (ssize_t at = n - (ssize_t) size; at >= 0; at--)
                if (text[at] == data[0] && memcmp(text + at, data, size) == 0) {
                        x->base += begin + (uint64_t) at - c->offset;
                        return;
                }
}

static int on_data(CaptureWorker *w, CaptureOperation *o, const struct sct_chunk *c, const void *data) {
        WriteOperation *x = o->userdata;
        int r;

        if (!x)
                return 0;
        /* Completed under our hands by a tick, or removed. */
        r = file_open(w, x->file, &o->origin, note_of(o));
        if (r < 0)
                return gave_up(o, r);
        x->file->last_usec = now_usec(CLOCK_MONOTONIC);
        if (o->head.flags & SCT_CHUNK_SHARED && !(o->head.flags & SCT_CHUNK_APPEND) && !x->located)
                locate(*capture_worker_state(w, o->origin.kind == ARTIFACT_READ ? CAPTURE_READ : CAPTURE_WRITE), x, o,
                       c, data);
        if (c->offset > x->next)
                (void) artifact_hole(x->file->artifact, x->base + x->next, c->offset - x->next);
        x->next = c->offset + c->size;
        return gave_up(o, checked(x->file, artifact_write(x->file->artifact, x->base + c->offset, data, c->size)));
}

static int on_hole(CaptureWorker *w, CaptureOperation *o, uint64_t offset, uint64_t size) {
        WriteOperation *x = o->userdata;
        int r;

        if (!x)
                return 0;
        r = file_open(w, x->file, &o->origin, note_of(o));
        if (r < 0)
                return gave_up(o, r);
        x->file->last_usec = now_usec(CLOCK_MONOTONIC);
        return gave_up(o, checked(x->file, artifact_hole(x->file->artifact, x->base + offset, size)));
}

/* What did not come is missing, whether or not somebody said so. */
static int on_end(CaptureWorker *w, CaptureOperation *o, const struct sct_chunk *c) {
        WriteOperation *x = TAKE_PTR(o->userdata);
        uint64_t end = o->head.offset + o->head.size_total;
        int r = 0;

        if (x && !(o->head.flags & SCT_CHUNK_FETCH) && x->next < end) {
                r = file_open(w, x->file, &o->origin, note_of(o));
                if (r >= 0)
                        r = checked(x->file, artifact_hole(x->file->artifact, x->base + x->next, end - x->next));
        }
        write_operation_free(x);
        return r;
}

/* The head found no room: the file is known if anything else of it came, and its artifact may be complete already. */
static int on_lost(CaptureWorker *w, CaptureKind kind, const struct sct_hole *h) {
        Files *files = files_get(w, kind);
        SameId *same;
        TrackedFile *f;
        bool known = false;

        if (!files)
                return -ENOMEM;
        same = same_id(files, (FileId) { .dev = h->dev, .inode = h->inode });
        if (same)
                DL_FOREACH(same->files, f) {
                        if (f->generation != h->inode_generation)
                                continue;
                        if (!f->artifact)
                                (void) store_artifact_again(capture_worker_store(w), f->container, NULL, f->name, &f->artifact);
                        if (!f->artifact)
                                continue;
                        known = true;
                        file_hole(f, h->offset, h->size, h->flags);
                }
        return known ? 0 : early_holes_add(&files->early_holes, h);
}

static int tick(CaptureWorker *w, CaptureKind kind) {
        Files *files = *capture_worker_state(w, kind);
        bool flushing = capture_worker_flushing(w);
        uint64_t now = now_usec(CLOCK_MONOTONIC);
        TrackedFile *f, *next;

        if (!files)
                return 0;
        mappings_tick(files->mappings, w);
        HASH_ITER(hh, files->by_key, f, next) {
                uint64_t idle;

                if (!f->artifact)
                        continue;
                idle = f->idle_usec + artifact_size(f->artifact) / IDLE_BYTES_PER_SEC * USEC_PER_SEC;
                if (!flushing && (f->n_operations > 0 || now < f->last_usec + MIN(idle, IDLE_MAX_USEC)))
                        continue;
                (void) artifact_complete(f->artifact);
                f->artifact = artifact_unref(f->artifact);
                if (!flushing)
                        f->idle_usec = MIN(f->idle_usec * 2, IDLE_MAX_USEC);
        }
        file_fetch_tick(files->fetch);
        return 0;
}

static int tick_write(CaptureWorker *w) {
        return tick(w, CAPTURE_WRITE);
}

static int tick_read(CaptureWorker *w) {
        return tick(w, CAPTURE_READ);
}

static void stop(CaptureWorker *w, CaptureKind kind) {
        void **state = capture_worker_state(w, kind);
        Files *files = *state;
        TrackedFile *f, *next;

        if (!files)
                return;
        files->mappings = mappings_free(files->mappings, w);
        *state = NULL;
        HASH_ITER(hh, files->by_key, f, next)
                files_remove(files, f);
        early_holes_free(files->early_holes);
        file_fetch_free(files->fetch);
        free(files);
}

static void stop_write(CaptureWorker *w) {
        stop(w, CAPTURE_WRITE);
}

static void stop_read(CaptureWorker *w) {
        stop(w, CAPTURE_READ);
}

const CaptureHandler capture_write_handler = {
        .kind = CAPTURE_WRITE,
        .begin = begin_write,
        .data = on_data,
        .end = on_end,
        .tick = tick_write,
        .stop = stop_write,
        .hole = on_hole,
        .lost = on_lost,
        .sync = sync_write,
};

const CaptureHandler capture_read_handler = {
        .kind = CAPTURE_READ,
        .begin = begin_read,
        .data = on_data,
        .end = on_end,
        .tick = tick_read,
        .stop = stop_read,
        .hole = on_hole,
        .lost = on_lost,
};
