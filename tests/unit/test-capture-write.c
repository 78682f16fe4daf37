/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* From chunks to artifacts: the worker and the kinds that write and read are, on a ring that this test fills. What comes out
 * of order, twice, damaged, too late or not at all must never become data at a wrong place, and what is missing must be a
 * hole. */

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "basic/string-util.h"
#include "capture/capture.h"
#include "event-id.h"
#include "record-builder.h"
#include "test.h"

/* ---- A ring ---- */

#define SAMPLES_MAX 64

static struct {
        pthread_mutex_t lock;
        struct { void *data; size_t size; } samples[SAMPLES_MAX];
        size_t n_samples;
        struct sct_hole holes[SAMPLES_MAX];
        size_t n_holes;
} ring = { .lock = PTHREAD_MUTEX_INITIALIZER };

int kernel_artifacts_new(Kernel *k, KernelArtifacts **ret) {
        *ret = (KernelArtifacts *) &ring;
        return 0;
}

KernelArtifacts *kernel_artifacts_free(KernelArtifacts *a) {
        return NULL;
}

void kernel_artifacts_read_holes(KernelArtifacts *a, KernelHoleHandler on_hole, void *userdata) {
        for (;;) {
                struct sct_hole h;

                pthread_mutex_lock(&ring.lock);
                if (ring.n_holes == 0) {
                        pthread_mutex_unlock(&ring.lock);
                        return;
                }
                h = ring.holes[0];
                memmove(ring.holes, ring.holes + 1, --ring.n_holes * sizeof(ring.holes[0]));
                pthread_mutex_unlock(&ring.lock);
                on_hole(&h, userdata);
        }
}

int kernel_artifacts_read(KernelArtifacts *a, uint64_t timeout_usec, KernelChunkHandler on_chunk,
                          KernelHoleHandler on_hole, void *userdata) {
        int n = 0;

        for (;; n++) {
                void *data;
                size_t size;

                pthread_mutex_lock(&ring.lock);
                if (ring.n_samples == 0) {
                        pthread_mutex_unlock(&ring.lock);
                        break;
                }
                data = ring.samples[0].data;
                size = ring.samples[0].size;
                memmove(ring.samples, ring.samples + 1, --ring.n_samples * sizeof(ring.samples[0]));
                pthread_mutex_unlock(&ring.lock);
                on_chunk(data, size, userdata);
                free(data);
        }
        kernel_artifacts_read_holes(a, on_hole, userdata);
        if (n == 0)
                usleep(1000);
        return n;
}

void kernel_artifacts_wake(KernelArtifacts *a) {
}

int kernel_artifacts_set_image(KernelArtifacts *a, const KernelImage *image, bool kept) {
        return 0;
}

void kernel_artifacts_counters(KernelArtifacts *a, KernelArtifactCounters *ret) {
        *ret = (KernelArtifactCounters) {};
}

static void push(const void *data, size_t size) {
        void *copy = malloc(MAX(size, (size_t) 1));

        memcpy(copy, data, size);
        pthread_mutex_lock(&ring.lock);
        ASSERT_TRUE(ring.n_samples < SAMPLES_MAX);
        ring.samples[ring.n_samples].data = copy;
        ring.samples[ring.n_samples++].size = size;
        pthread_mutex_unlock(&ring.lock);
}

static void push_hole_flags(uint64_t operation, uint64_t inode, uint64_t offset, uint64_t size, uint8_t flags) {
        pthread_mutex_lock(&ring.lock);
        ring.holes[ring.n_holes++] = (struct sct_hole) {
                .operation = operation, .dev = 1, .inode = inode, .offset = offset, .size = size, .flags = flags,
                .event = SCT_EVENT_CAPTURE_WRITE, .inode_generation = 5,
        };
        pthread_mutex_unlock(&ring.lock);
}

static void push_hole(uint64_t operation, uint64_t inode, uint64_t offset, uint64_t size) {
        push_hole_flags(operation, inode, offset, size, 0);
}

/* ---- Chunks ---- */

typedef struct Head {
        uint64_t operation, inode, offset, size;
        uint32_t inode_generation, generation, how;
        uint8_t flags;
        const char *path;
        uint64_t dev;
        uint16_t event;
} Head;

static void build(const Head *h, RecordBuilder *r) {
        uint64_t rules = 1 << 3;

        record_begin(r, h->event ?: SCT_EVENT_CAPTURE_WRITE);
        r->h.generation = h->generation ?: 7;
        r->h.host_pid = r->h.host_tid = (uint32_t) getpid();
        record_set_comm(r, "writer", "host");
        record_add_string(r, 0, SCT_ARG_PATH, h->path ?: "/tmp/x");
        record_add_number(r, 1, SCT_ARG_U16, S_IFREG | 0644);
        record_add_number(r, 2, SCT_ARG_S32, (uint64_t) -1);
        record_add_number(r, 3, SCT_ARG_U32, h->how);
        record_add_number(r, 4, SCT_ARG_U32, 1);
        record_add_number(r, 5, SCT_ARG_U64, h->inode);
        record_add_number(r, 6, SCT_ARG_U32, h->inode_generation ?: 5);
        record_add_rules(r, 0, &rules, 1);
}

static void chunk(enum sct_chunk_type type, const Head *h, uint64_t offset, const char *data) {
        static uint8_t sample[SCT_RECORD_MAX + 65536];
        struct sct_chunk c = {
                .type = type,
                .flags = h->flags,
                .event = h->event ?: SCT_EVENT_CAPTURE_WRITE,
                .operation = h->operation,
                .offset = offset,
                .size = data ? (uint32_t) strlen(data) : 0,
                .size_total = h->size,
                .dev = h->dev ?: 1,
                .inode = h->inode,
        };
        size_t at = sizeof(c);
        RecordBuilder r;

        if (type == SCT_CHUNK_HEAD || type == SCT_CHUNK_SINGLE) {
                build(h, &r);
                c.record_size = (uint32_t) r.size;
                memcpy(sample + at, r.data, r.size);
                at += ALIGN8(r.size);
        }
        memcpy(sample, &c, sizeof(c));
        memcpy(sample + at, strempty(data), c.size);
        push(sample, at + c.size);
}

static void single(const Head *h, const char *data) {
        Head copy = *h;

        copy.size = strlen(data);
        chunk(SCT_CHUNK_SINGLE, &copy, h->offset, data);
}

/* ---- A worker ---- */

typedef struct Fixture {
        char directory[64];
        Store *store;
        CaptureWorker *worker;
} Fixture;

static void give_rules(CaptureWorker *w, uint32_t generation) {
        CaptureRuleSet set = { .generation = generation, .items = new0(CaptureRule, 2), .n = 2 };

        set.items[0] = (CaptureRule) { .rule = 3, .scope = 42, .policy = strdup("p"), .spec = { .kind = CAPTURE_WRITE } };
        set.items[1] = (CaptureRule) { .rule = 3, .scope = 42, .policy = strdup("p"), .spec = { .kind = CAPTURE_READ } };
        ASSERT_OK(capture_worker_set_rules(w, &set));
}

static Fixture begin(void) {
        Fixture f = {};

        snprintf(f.directory, sizeof(f.directory), "/tmp/sct-test-capture-XXXXXX");
        ASSERT_TRUE(mkdtemp(f.directory) != NULL);
        ASSERT_OK(store_open(&(StoreConfig) { .directory = f.directory }, &f.store));
        ASSERT_OK(capture_worker_new((Kernel *) &ring, f.store, NULL, NULL, &f.worker));
        give_rules(f.worker, 7);
        return f;
}

static void finish(Fixture *f) {
        _cleanup_free_ char *command = NULL;

        capture_worker_free(f->worker);
        store_close(f->store);
        ASSERT_TRUE(asprintf(&command, "rm -rf %s", f->directory) > 0);
        ASSERT_EQ(system(command), 0);
}

static char *contents(Fixture *f, const char *name, size_t *ret_size) {
        static char buffer[65536];
        char path[160];
        ssize_t n;
        int fd;

        ASSERT_OK(capture_worker_flush(f->worker, 20 * USEC_PER_SEC));
        snprintf(path, sizeof(path), "%s/host/%s", f->directory, name);
        fd = open(path, O_RDONLY);
        ASSERT_TRUE(fd >= 0);
        n = read(fd, buffer, sizeof(buffer) - 1);
        close(fd);
        ASSERT_TRUE(n >= 0);
        buffer[n] = 0;
        *ret_size = (size_t) n;
        return buffer;
}

static void holes_are(Fixture *f, const char *name, const ArtifactRange *holes, size_t n_holes) {
        ArtifactFilter filter = ARTIFACT_FILTER_ALL;
        char path[80];
        ArtifactInfo *infos;
        size_t n;

        ASSERT_OK(capture_worker_flush(f->worker, 20 * USEC_PER_SEC));
        snprintf(path, sizeof(path), "host/%s", name);
        filter.path = path;
        ASSERT_OK(store_list(f->store, &filter, &infos, &n));
        ASSERT_EQ(n, 1);
        ASSERT_EQ(infos[0].n_holes, n_holes);
        for (size_t i = 0; i < n_holes; i++) {
                ASSERT_EQ(infos[0].holes[i].offset, holes[i].offset);
                ASSERT_EQ(infos[0].holes[i].size, holes[i].size);
        }
        ASSERT_TRUE(infos[0].complete);
        ASSERT_EQ(infos[0].scopes, UINT64_C(1) << 41);
        ASSERT_STREQ(infos[0].comm, "writer");
        artifact_info_done(infos);
        free(infos);
}
#define HOLES(f, name, ...)                                                                 \
        do {                                                                                \
                const ArtifactRange holes_[] = { __VA_ARGS__ };                             \
                holes_are(f, name, holes_, ELEMENTSOF(holes_));                             \
        } while (0)

TEST(small_operations) {
        Fixture f = begin();
        size_t n;
        char *p;

        single(&(Head) { .inode = 100 }, "hello world\n");
        single(&(Head) { .inode = 100, .offset = 6 }, "there");
        single(&(Head) { .inode = 100, .offset = 20 }, "far");
        p = contents(&f, "write.dev-1.inode-100", &n);
        ASSERT_EQ(n, 23);
        ASSERT_EQ(memcmp(p, "hello there\n\0\0\0\0\0\0\0\0far", 23), 0);
        HOLES(&f, "write.dev-1.inode-100");
        finish(&f);
}

/* Chunks of two operations interleave. */
TEST(pieces) {
        Fixture f = begin();
        Head a = { .operation = 1, .inode = 100, .size = 8 }, b = { .operation = 2, .inode = 101, .size = 4 };
        size_t n;

        chunk(SCT_CHUNK_HEAD, &a, 0, NULL);
        chunk(SCT_CHUNK_HEAD, &b, 0, NULL);
        chunk(SCT_CHUNK_DATA, &a, 0, "aaaa");
        chunk(SCT_CHUNK_DATA, &b, 0, "bbbb");
        chunk(SCT_CHUNK_DATA, &a, 4, "cccc");
        chunk(SCT_CHUNK_END, &b, 4, NULL);
        chunk(SCT_CHUNK_END, &a, 8, NULL);
        ASSERT_STREQ(contents(&f, "write.dev-1.inode-100", &n), "aaaacccc");
        ASSERT_STREQ(contents(&f, "write.dev-1.inode-101", &n), "bbbb");
        HOLES(&f, "write.dev-1.inode-100");
        finish(&f);
}

/* Told by the queue, or not told at all. */
TEST(holes) {
        Fixture f = begin();
        Head a = { .operation = 1, .inode = 100, .size = 12 }, b = { .operation = 2, .inode = 101, .size = 12 };

        chunk(SCT_CHUNK_HEAD, &a, 0, NULL);
        chunk(SCT_CHUNK_DATA, &a, 0, "aaaa");
        push_hole(1, 100, 4, 4);
        chunk(SCT_CHUNK_DATA, &a, 8, "cccc");
        a.flags = SCT_CHUNK_FAULT;
        chunk(SCT_CHUNK_END, &a, 12, NULL);
        HOLES(&f, "write.dev-1.inode-100", { 4, 4 });

        chunk(SCT_CHUNK_HEAD, &b, 0, NULL);
        chunk(SCT_CHUNK_DATA, &b, 4, "bbbb");
        chunk(SCT_CHUNK_END, &b, 12, NULL);
        HOLES(&f, "write.dev-1.inode-101", { 0, 4 }, { 8, 4 });

        /* An operation whose head was lost; the file is known by another one. */
        single(&(Head) { .inode = 102 }, "some");
        ASSERT_OK(capture_worker_flush(f.worker, 20 * USEC_PER_SEC));
        single(&(Head) { .inode = 102, .offset = 10 }, "more");
        push_hole(0, 102, 4, 6);
        HOLES(&f, "write.dev-1.inode-102", { 4, 6 });

        /* Written after all: no hole any more. */
        single(&(Head) { .inode = 102, .offset = 4 }, "filled");
        HOLES(&f, "write.dev-1.inode-102");
        finish(&f);
}

/* The queue of holes is read apart from the ring and may be ahead of it. */
TEST(early_holes) {
        Fixture f = begin();
        Head a = { .operation = 9, .inode = 110, .size = 12 };
        uint64_t n;

        /* Of an operation whose head was not read yet. */
        push_hole(9, 110, 4, 4);
        push_hole(9, 110, 8, 4);
        ASSERT_OK(capture_worker_flush(f.worker, 20 * USEC_PER_SEC));
        chunk(SCT_CHUNK_HEAD, &a, 0, NULL);
        chunk(SCT_CHUNK_DATA, &a, 0, "aaaa");
        HOLES(&f, "write.dev-1.inode-110", { 4, 8 });

        /* Of a file that nothing was heard of: the first write to it is the one that was lost. */
        push_hole(0, 111, 0, 4);
        push_hole(0, 111, 10, 4);
        ASSERT_OK(capture_worker_flush(f.worker, 20 * USEC_PER_SEC));
        single(&(Head) { .inode = 111, .offset = 4 }, "second");
        HOLES(&f, "write.dev-1.inode-111", { 0, 4 }, { 10, 4 });

        /* The same, where writes append. */
        push_hole_flags(0, 113, 0, 4, SCT_CHUNK_APPEND);
        ASSERT_OK(capture_worker_flush(f.worker, 20 * USEC_PER_SEC));
        single(&(Head) { .inode = 113, .flags = SCT_CHUNK_APPEND }, "next");
        HOLES(&f, "write.dev-1.inode-113", { 0, 4 });
        ASSERT_STREQ(contents(&f, "write.dev-1.inode-113", &n) + 4, "next");

        /* Of a file whose artifact is complete already. */
        single(&(Head) { .inode = 112 }, "some");
        HOLES(&f, "write.dev-1.inode-112");
        push_hole(0, 112, 4, 6);
        HOLES(&f, "write.dev-1.inode-112", { 4, 6 });
        finish(&f);
}

/* What the store does not take of a call is a hole to the call's end. */
TEST(limit_of_an_artifact) {
        Fixture f = begin();
        Head a = { .operation = 1, .inode = 100, .size = 16 };
        StoreConfig config = { .directory = f.directory, .max_artifact_bytes = 4 };

        ASSERT_OK(store_configure(f.store, &config));
        chunk(SCT_CHUNK_HEAD, &a, 0, NULL);
        chunk(SCT_CHUNK_DATA, &a, 0, "aaaa");
        chunk(SCT_CHUNK_DATA, &a, 4, "bbbb");
        chunk(SCT_CHUNK_DATA, &a, 8, "cccc");
        chunk(SCT_CHUNK_DATA, &a, 12, "dddd");
        chunk(SCT_CHUNK_END, &a, 16, NULL);
        HOLES(&f, "write.dev-1.inode-100", { 4, 12 });
        finish(&f);
}

/* The service ends while a call is under way. */
TEST(end_is_lost) {
        Fixture f = begin();
        Head a = { .operation = 1, .inode = 100, .size = 12 };
        ArtifactFilter filter = ARTIFACT_FILTER_ALL;
        ArtifactInfo *infos;
        size_t n;

        chunk(SCT_CHUNK_HEAD, &a, 0, NULL);
        chunk(SCT_CHUNK_DATA, &a, 0, "aaaa");
        f.worker = capture_worker_free(f.worker);
        ASSERT_OK(store_list(f.store, &filter, &infos, &n));
        ASSERT_EQ(n, 1);
        ASSERT_EQ(infos[0].n_holes, 1);
        ASSERT_EQ(infos[0].holes[0].offset, 4);
        ASSERT_EQ(infos[0].holes[0].size, 8);
        artifact_info_done(infos);
        free(infos);
        finish(&f);
}

/* No offsets: each call's data behind that of the one before, also when their chunks interleave. */
TEST(appending) {
        Fixture f = begin();
        Head a = { .operation = 1, .inode = 100, .size = 8, .flags = SCT_CHUNK_APPEND };
        Head b = { .operation = 2, .inode = 100, .size = 4, .flags = SCT_CHUNK_APPEND };
        size_t n;

        chunk(SCT_CHUNK_HEAD, &a, 0, NULL);
        chunk(SCT_CHUNK_HEAD, &b, 0, NULL);
        chunk(SCT_CHUNK_DATA, &b, 0, "bbbb");
        chunk(SCT_CHUNK_DATA, &a, 0, "aaaa");
        chunk(SCT_CHUNK_DATA, &a, 4, "AAAA");
        chunk(SCT_CHUNK_END, &a, 8, NULL);
        chunk(SCT_CHUNK_END, &b, 4, NULL);
        single(&(Head) { .inode = 100, .flags = SCT_CHUNK_APPEND }, "tail");
        ASSERT_STREQ(contents(&f, "write.dev-1.inode-100", &n), "aaaaAAAAbbbbtail");
        single(&(Head) { .inode = 100, .flags = SCT_CHUNK_APPEND }, "+");
        ASSERT_STREQ(contents(&f, "write.dev-1.inode-100", &n), "aaaaAAAAbbbbtail+");
        finish(&f);
}

TEST(inode_used_again) {
        Fixture f = begin();
        size_t n;

        single(&(Head) { .inode = 100, .inode_generation = 5 }, "first");
        single(&(Head) { .inode = 100, .inode_generation = 6 }, "2");
        single(&(Head) { .inode = 100, .inode_generation = 5, .offset = 5 }, "!");
        ASSERT_STREQ(contents(&f, "write.dev-1.inode-100", &n), "first!");
        ASSERT_STREQ(contents(&f, "write.dev-1.inode-100.generation-6", &n), "2");
        finish(&f);
}

TEST(reading_is_apart) {
        Fixture f = begin();
        size_t n;

        single(&(Head) { .inode = 100 }, "written");
        single(&(Head) { .inode = 100, .event = SCT_EVENT_CAPTURE_READ }, "read");
        ASSERT_STREQ(contents(&f, "write.dev-1.inode-100", &n), "written");
        ASSERT_STREQ(contents(&f, "read.dev-1.inode-100", &n), "read");
        finish(&f);
}

/* Bytes that are in the file alone; only in that very file. */
TEST(fetched) {
        Fixture f = begin();
        char path[] = "/tmp/sct-test-fetch-XXXXXX", name[80];
        int fd = mkstemp(path);
        struct stat st;
        uint64_t dev;
        size_t n;

        ASSERT_EQ(write(fd, "0123456789", 10), 10);
        ASSERT_EQ(fstat(fd, &st), 0);
        dev = (uint64_t) major(st.st_dev) << 20 | minor(st.st_dev);
        Head h = { .operation = 1, .inode = st.st_ino, .dev = dev, .offset = 2, .size = 5, .how = SCT_HOW_COPY,
                   .flags = SCT_CHUNK_FETCH, .path = path };

        chunk(SCT_CHUNK_HEAD, &h, 2, NULL);
        chunk(SCT_CHUNK_END, &h, 2, NULL);
        snprintf(name, sizeof(name), "write.dev-%llu.inode-%llu", (unsigned long long) dev,
                 (unsigned long long) st.st_ino);
        ASSERT_EQ(memcmp(contents(&f, name, &n), "\0\00023456", 7), 0);
        HOLES(&f, name);

        /* Another file by that name, and more than there is. */
        h.inode++;
        h.operation++;
        chunk(SCT_CHUNK_HEAD, &h, 2, NULL);
        chunk(SCT_CHUNK_END, &h, 2, NULL);
        snprintf(name, sizeof(name), "write.dev-%llu.inode-%llu", (unsigned long long) dev,
                 (unsigned long long) st.st_ino + 1);
        HOLES(&f, name, { 2, 5 });
        close(fd);
        unlink(path);
        finish(&f);
}

/* The rules of its generation come a moment later, or never. */
TEST(generations) {
        Fixture f = begin();
        ArtifactFilter filter = ARTIFACT_FILTER_ALL;
        ArtifactInfo *infos;
        size_t n;

        single(&(Head) { .inode = 100, .generation = 8 }, "new");
        usleep(20000);
        give_rules(f.worker, 8);
        ASSERT_STREQ(contents(&f, "write.dev-1.inode-100", &n), "new");

        single(&(Head) { .inode = 101, .generation = 3 }, "old");
        ASSERT_OK(capture_worker_flush(f.worker, 20 * USEC_PER_SEC));
        ASSERT_OK(store_list(f.store, &filter, &infos, &n));
        ASSERT_EQ(n, 1);
        artifact_info_done(infos);
        free(infos);
        finish(&f);
}

/* Nothing that stands in the ring may do harm. */
TEST(damaged) {
        Fixture f = begin();
        uint8_t sample[sizeof(struct sct_chunk) + 64];
        struct sct_chunk c = {};
        CaptureCounters counters;
        unsigned seed = 1;

        push("", 0);
        push("short", 5);
        for (int i = 0; i < 40; i++) {
                for (size_t k = 0; k < sizeof(sample); k++)
                        sample[k] = (uint8_t) (rand_r(&seed) >> 8);
                memcpy(&c, sample, sizeof(c));
                c.type = (uint8_t) (i % 7);
                c.event = SCT_EVENT_CAPTURE_WRITE;
                if (i % 3 == 0)
                        c.record_size = (uint32_t) i;
                if (i % 4 == 0)
                        c.size = (uint32_t) i;
                memcpy(sample, &c, sizeof(c));
                push(sample, sizeof(sample));
        }
        single(&(Head) { .inode = 100 }, "goes on");
        size_t n;
        ASSERT_STREQ(contents(&f, "write.dev-1.inode-100", &n), "goes on");
        capture_worker_counters(f.worker, &counters);
        ASSERT_GE(counters.n_failed, 2);
        finish(&f);
}

TEST_MAIN()
