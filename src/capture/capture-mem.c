/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Memory: bin.pid-<P>.ts-<T>, a region as it was when its protection changed. The kernel side sends the pages that were
 * resident; the others, and what found no room or is beyond its limit, are read from the process while it lives and
 * still has that memory. Such bytes are of a moment later, and the artifact's note says so. What nobody can read any
 * more is a hole. */

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>

#include "../basic/fd-util.h"
#include "../basic/macro.h"
#include "../basic/string-util.h"
#include "capture-image.h"
#include "capture-util.h"

#define PAGE 4096U
#define PIECE (1U << 20)

/* One region while its chunks come, which is in order. */
typedef struct Region {
        uint64_t address, size;
        uint64_t next;                    /* offset up to which it came or was filled */
        uint64_t n_later;                 /* bytes that were read after the event */
        int mem_fd;                       /* the process's memory, negative: gone */
} Region;

static Region *region_free(Region *g) {
        if (!g)
                return NULL;
        safe_close(g->mem_fd);
        free(g);
        return NULL;
}

/* When the thread began, in ticks of /proc. */
static int read_start(uint32_t tid, uint64_t *ret) {
        _cleanup_free_ char *text = NULL;
        char path[40];
        const char *p;
        int r;

        snprintf(path, sizeof(path), "/proc/%u/stat", tid);
        r = read_full_file(path, 4096, &text, NULL);
        if (r < 0)
                return r;
        p = strrchr(text, ')');           /* the name may have anything in it */
        for (unsigned field = 2; p && field < 22; field++)
                p = strchr(p + 1, ' ');
        return p && sscanf(p, " %" SCNu64, ret) == 1 ? 0 : -EINVAL;
}

/* An open descriptor stays with this memory: when the process ends or executes another program it reads nothing. */
static int open_memory(const struct sct_record *h) {
        uint64_t ticks, per_second = sysconf(_SC_CLK_TCK);
        _cleanup_close_ int fd = -EBADF;
        char path[40];
        int r;

        snprintf(path, sizeof(path), "/proc/%u/mem", h->host_tid);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        r = read_start(h->host_tid, &ticks);
        if (r < 0)
                return r;
        return ticks == h->start_ns / (NSEC_PER_SEC / per_second) ? TAKE_FD(fd) : -ESRCH;
}

static int fill_piece(Region *g, Artifact *a, uint64_t offset, size_t size, uint8_t *buffer) {
        size_t n;
        ssize_t k;
        int r = 0;

        while (size > 0) {
                k = g->mem_fd < 0 ? -1 : pread(g->mem_fd, buffer, size, (off_t) (g->address + offset));
                if (k > 0) {
                        n = k;
                        g->n_later += n;
                        r = artifact_write(a, offset, buffer, n);
                } else {
                        /* This page cannot be read; the next one may. */
                        n = g->mem_fd < 0 || k == 0 ? size : MIN(size, (size_t) PAGE);
                        r = artifact_hole(a, offset, n);
                }
                if (r < 0)
                        return r;
                offset += n;
                size -= n;
        }
        return 0;
}

/* What did not come from the kernel side, up to `end`. */
static int fill(Region *g, Artifact *a, uint64_t end) {
        _cleanup_free_ uint8_t *buffer = NULL;
        int r = 0;

        if (g->next >= end)
                return 0;
        buffer = malloc(PIECE);
        if (!buffer)
                return -ENOMEM;
        while (g->next < end && r >= 0) {
                size_t n = MIN(end - g->next, (uint64_t) PIECE);

                r = fill_piece(g, a, g->next, n, buffer);
                g->next += n;
        }
        return r;
}

static int mem_begin(CaptureWorker *w, CaptureOperation *o) {
        const struct sct_record *h = o->event.header;
        Region *g = new0(Region, 1);
        char name[64];
        int r;

        if (!g)
                return -ENOMEM;
        g->address = capture_arg_u64(&o->event, "address");
        g->size = o->head.size_total;
        g->mem_fd = open_memory(h);
        snprintf(name, sizeof(name), "bin.pid-%u.ts-%" PRIu64, h->host_pid, o->origin.time_ns);
        r = store_artifact_begin(capture_worker_store(w), &o->origin, NULL, name, &o->artifact);
        if (r < 0) {
                region_free(g);
                return r;
        }
        o->userdata = g;
        return 0;
}

static int mem_data(CaptureWorker *w, CaptureOperation *o, const struct sct_chunk *c, const void *data) {
        Region *g = o->userdata;
        int r;

        if (!g || c->offset < g->next || c->offset >= g->size)
                return 0;
        r = fill(g, o->artifact, c->offset);
        if (r >= 0) {
                r = artifact_write(o->artifact, c->offset, data, c->size);
                g->next = c->offset + c->size;
        }
        if (r < 0)
                o->userdata = region_free(g);
        return r;
}

static int mem_end(CaptureWorker *w, CaptureOperation *o, const struct sct_chunk *c) {
        Region *g = o->userdata;
        int r;

        if (!g)
                return 0;
        r = fill(g, o->artifact, g->size);
        if (g->n_later > 0) {
                o->origin.note = "partly read from the process after the event";
                (void) artifact_add_origin(o->artifact, &o->origin);
        }
        if (r >= 0)
                r = artifact_complete(o->artifact);
        o->userdata = region_free(g);
        return r;
}

const CaptureHandler capture_mem_handler = {
        .kind = CAPTURE_MEM,
        .begin = mem_begin,
        .data = mem_data,
        .end = mem_end,
};
