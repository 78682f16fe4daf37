/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files that are captured as images: what the kernel side must know once to read them out of the page cache, and which of
 * them the reader of the artifact ring has. Without the first everything works but for files that are gone at once. */

#include <inttypes.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/random.h>

#include "kernel-internal.h"
#include "../../bpf/abi/artifact.h"

/* As in bpf/image.bpf.c. */
struct direct_ask {
        uint32_t fd;
        uint32_t gib;
        uint64_t content[8];
};

/* The end of physical memory, in GiB: zones say where they begin and how long they are, in pages. */
static unsigned memory_end_gib(void) {
        FILE *f = fopen("/proc/zoneinfo", "re");
        uint64_t spanned = 0, start, end = 0;
        char line[256];

        if (!f)
                return 64;
        while (fgets(line, sizeof(line), f)) {
                (void) sscanf(line, " spanned %" SCNu64, &spanned);
                if (sscanf(line, " start_pfn: %" SCNu64, &start) == 1)
                        end = MAX(end, start + spanned);
        }
        fclose(f);
        return end / (1U << 18) + 1;
}

static void unloadp(struct sct **skeleton) {
        probes_unload(*skeleton);
}

int images_prepare(Kernel *k) {
        static const char *const program = "sct_x_direct";
        _cleanup_(unloadp) struct sct *more = NULL;
        _cleanup_close_ int fd = memfd_create("scopetrace-direct", MFD_CLOEXEC);
        struct direct_ask ask = { .gib = memory_end_gib() };
        LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = &ask, .ctx_size_in = sizeof(ask));
        uint8_t page[4096];
        int r;

        if (fd < 0)
                return -errno;
        if (getrandom(page, sizeof(page), 0) != sizeof(page) || write(fd, page, sizeof(page)) != sizeof(page))
                return -EIO;
        ask.fd = fd;
        memcpy(ask.content, page, sizeof(ask.content));
        r = probes_load(k, &program, 1, &more, NULL);
        if (r < 0)
                return r;
        r = bpf_prog_test_run_opts(bpf_program__fd(probes_program(more, program)), &opts);
        if (r < 0)
                return r;
        return opts.retval == 0 ? 0 : -EOPNOTSUPP;
}

int images_set(int map_fd, const KernelImage *image, bool kept) {
        struct sct_image_key key, next;
        struct sct_image_state state;

        if (!image) {
                while (bpf_map_get_next_key(map_fd, NULL, &next) == 0)
                        if (bpf_map_delete_elem(map_fd, &next) < 0)
                                return -errno;
                return 0;
        }
        key = (struct sct_image_key) { .dev = image->dev, .inode = image->inode };
        state = (struct sct_image_state) { .ctime_ns = image->ctime_ns, .size = image->size };
        if (!kept)
                return bpf_map_delete_elem(map_fd, &key) < 0 && errno != ENOENT ? -errno : 0;
        if (bpf_map_update_elem(map_fd, &key, &state, BPF_ANY) == 0)
                return 0;
        /* Full: forget all. What comes is sent again, and known by its digest. */
        return errno == E2BIG ? images_set(map_fd, NULL, false) : -errno;
}
