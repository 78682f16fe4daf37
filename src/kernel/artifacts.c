/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The artifact ring: its maps, which cost tens of megabytes and are therefore made when a policy first wants a capture,
 * and its reader, which belongs to a thread of its own. Invariant: between kernel_artifacts_new() and _free() nothing of
 * the reader touches the Kernel, so the two threads share only what the kernel side shares with both. */

#include <fcntl.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>

#include "kernel-internal.h"
#include "../../bpf/abi/artifact.h"
#include "state.h"

#define RING_BYTES_DEFAULT (32U * 1024 * 1024)
#define TICK_MSEC 10            /* bounds how long data waits while there is some */
#define IDLE_TICKS 20           /* then the next chunk must wake the reader */
#define WAKEUP_PART 8           /* of the ring: what may wait until the reader is woken before its time */
#define BATCH_MAX 1024          /* chunks until the caller gets its turn */

enum {
        MAP_RING,
        MAP_STATE,
        MAP_HOLES,
        MAP_WORK,
        MAP_DIRECT,
        MAP_IMAGES,
        MAP_MEM,
        MAP_MODULE,
};

static const char *const map_names[KERNEL_N_ARTIFACT_MAPS] = {
        [MAP_RING] = "sct_art_ring",
        [MAP_STATE] = "sct_art_state",
        [MAP_HOLES] = "sct_art_holes",
        [MAP_WORK] = "sct_art_work",
        [MAP_DIRECT] = "sct_art_direct",
        [MAP_IMAGES] = "sct_art_images",
        [MAP_MEM] = "sct_art_mem",
        [MAP_MODULE] = "sct_art_module",
};

struct KernelArtifacts {
        RingReader *ring;
        volatile struct sct_artifact_state *state;
        int ring_fd, holes_fd, images_fd, wake_fd, epoll_fd;
        size_t ring_bytes;
        unsigned n_batch, n_idle;

        KernelChunkHandler on_chunk;
        void *userdata;
};

/* ---- Maps ---- */

static int map_index(const char *name) {
        for (int i = 0; i < KERNEL_N_ARTIFACT_MAPS; i++)
                if (strcmp(map_names[i], name) == 0)
                        return i;
        return -ENOENT;
}

bool artifacts_is_map(const char *name) {
        return map_index(name) >= 0;
}

/* Whether the kernel has a BTF tracepoint, or a function ("fexit:NAME") that may be hooked. Asked for few names, and BTF
 * takes its time: answers are kept. */
bool artifacts_has_target(const FeatureSet *features, const char *name) {
        static struct {
                const char *name;
                bool there;
        } known[16];
        static size_t n_known;
        const char *function = strncmp(name, "fexit:", 6) == 0 ? name + 6 : NULL;
        bool there;

        if (function && !features->granted[FEATURE_FENTRY])
                return false;
        for (size_t i = 0; i < n_known; i++)
                if (strcmp(known[i].name, name) == 0)
                        return known[i].there;
        there = function ? libbpf_find_vmlinux_btf_id(function, BPF_TRACE_FEXIT) > 0
                         : libbpf_find_vmlinux_btf_id(name, BPF_TRACE_RAW_TP) > 0;
        if (n_known < ELEMENTSOF(known)) {
                known[n_known].name = name;
                known[n_known++].there = there;
        }
        return there;
}

/* What a predecessor left: all of it or nothing. */
int artifacts_take(Kernel *k, const KernelFd *stored, size_t n) {
        for (int i = 0; i < KERNEL_N_ARTIFACT_MAPS; i++)
                k->artifact_fds[i] = -EBADF;
        for (size_t i = 0; i < n; i++) {
                int index = strncmp(stored[i].name, "map-", 4) == 0 ? map_index(stored[i].name + 4) : -ENOENT;

                if (index >= 0)
                        k->artifact_fds[index] = fcntl(stored[i].fd, F_DUPFD_CLOEXEC, 3);
        }
        for (int i = 0; i < KERNEL_N_ARTIFACT_MAPS; i++)
                if (k->artifact_fds[i] < 0) {
                        artifacts_done(k);
                        break;
                }
        return 0;
}

void artifacts_done(Kernel *k) {
        for (int i = 0; i < KERNEL_N_ARTIFACT_MAPS; i++)
                k->artifact_fds[i] = safe_close(k->artifact_fds[i]);
}

/* Before an object is loaded: it shares the maps, or goes without. */
int artifacts_prepare(Kernel *k, struct bpf_object *object) {
        for (int i = 0; i < KERNEL_N_ARTIFACT_MAPS; i++) {
                struct bpf_map *map = bpf_object__find_map_by_name(object, map_names[i]);
                int r = 0;

                if (!map)
                        continue;
                if (k->artifact_fds[i] < 0)
                        r = bpf_map__set_autocreate(map, false);
                else
                        r = bpf_map__reuse_fd(map, k->artifact_fds[i]);
                if (r < 0)
                        return r;
        }
        return 0;
}

static bool plan_captures(const Plan *plan) {
        for (const EventSpec *e = event_spec_next(NULL); e; e = event_spec_next(e))
                if (e->family == EVENT_FAMILY_CAPTURE && plan->events[e->id] != 0)
                        return true;
        return false;
}

static int make_map(Kernel *k, int i) {
        struct bpf_map *map = probes_map(k, map_names[i]);
        LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = bpf_map__map_flags(map));
        uint32_t n = bpf_map__max_entries(map), wanted = k->artifact_ring_bytes ?: RING_BYTES_DEFAULT;
        int fd;

        if (i == MAP_RING)
                for (n = 64 * 1024; n < wanted && n < (1U << 30);)
                        n *= 2;
        fd = bpf_map_create(bpf_map__type(map), map_names[i], bpf_map__key_size(map), bpf_map__value_size(map), n, &opts);
        if (fd < 0)
                return -errno;
        k->artifact_fds[i] = fd;
        return 0;
}

/* Programs of packets that know captures need the maps, whether this plan captures or not. */
static bool programs_capture(const Kernel *k, const Plan *plan) {
        return plan->config.packet_kinds != 0 && (k->seen_uses & SCT_USE_PACKET_CAPTURES) != 0;
}

int artifacts_make(Kernel *k, const Plan *plan, char **reterr) {
        if ((!plan_captures(plan) && !programs_capture(k, plan)) || k->artifact_fds[MAP_RING] >= 0)
                return 0;
        for (int i = 0; i < KERNEL_N_ARTIFACT_MAPS; i++) {
                int r = make_map(k, i);

                if (r < 0) {
                        artifacts_done(k);
                        return kernel_error(reterr, r, "The ring of captures could not be made: %s.", strerror(-r));
                }
        }
        /* Without it files are read when they are opened, if they still can be. */
        (void) images_prepare(k);
        return 0;
}

size_t artifacts_list_fds(Kernel *k, KernelFd *fds, size_t max) {
        size_t n = 0;

        for (int i = 0; i < KERNEL_N_ARTIFACT_MAPS && n < max; i++)
                if (k->artifact_fds[i] >= 0) {
                        fds[n].fd = k->artifact_fds[i];
                        snprintf(fds[n++].name, sizeof(fds[0].name), "map-%s", map_names[i]);
                }
        return n;
}

/* ---- Reader ---- */

KernelArtifacts *kernel_artifacts_free(KernelArtifacts *a) {
        if (!a)
                return NULL;
        /* Whoever comes next finds a reader that must be woken. */
        if (a->state)
                __atomic_store_n(&a->state->reader, SCT_READER_ASLEEP, __ATOMIC_SEQ_CST);
        ring_reader_free(a->ring);
        if (a->state)
                munmap((void *) a->state, sizeof(*a->state));
        safe_close(a->ring_fd);
        safe_close(a->holes_fd);
        safe_close(a->images_fd);
        safe_close(a->wake_fd);
        safe_close(a->epoll_fd);
        free(a);
        return NULL;
}

static int on_sample(void *userdata, void *data, size_t size) {
        KernelArtifacts *a = userdata;

        a->on_chunk(data, size, a->userdata);
        return ++a->n_batch >= BATCH_MAX;
}

int kernel_artifacts_new(Kernel *k, KernelArtifacts **ret) {
        _cleanup_(kernel_artifacts_freep) KernelArtifacts *a = NULL;
        struct bpf_map_info info = {};
        uint32_t size = sizeof(info);
        void *p;
        int r;

        if (k->artifact_fds[MAP_RING] < 0)
                return -ENOENT;
        a = new0(KernelArtifacts, 1);
        if (!a)
                return -ENOMEM;
        a->ring_fd = fcntl(k->artifact_fds[MAP_RING], F_DUPFD_CLOEXEC, 3);
        a->holes_fd = fcntl(k->artifact_fds[MAP_HOLES], F_DUPFD_CLOEXEC, 3);
        a->images_fd = fcntl(k->artifact_fds[MAP_IMAGES], F_DUPFD_CLOEXEC, 3);
        a->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        a->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
        if (a->ring_fd < 0 || a->holes_fd < 0 || a->images_fd < 0 || a->wake_fd < 0 || a->epoll_fd < 0)
                return -errno;
        /* The ring by its wake-ups alone: while data flows there is always some, and the reader would hardly sleep. */
        if (epoll_ctl(a->epoll_fd, EPOLL_CTL_ADD, a->ring_fd, &(struct epoll_event) { .events = EPOLLIN | EPOLLET }) < 0 ||
            epoll_ctl(a->epoll_fd, EPOLL_CTL_ADD, a->wake_fd, &(struct epoll_event) { .events = EPOLLIN }) < 0)
                return -errno;
        p = mmap(NULL, sizeof(*a->state), PROT_READ | PROT_WRITE, MAP_SHARED, k->artifact_fds[MAP_STATE], 0);
        if (p == MAP_FAILED)
                return -errno;
        a->state = p;
        if (bpf_obj_get_info_by_fd(a->ring_fd, &info, &size) < 0)
                return -errno;
        a->ring_bytes = info.max_entries;
        a->state->wakeup_bytes = a->ring_bytes / WAKEUP_PART;
        r = ring_reader_new(a->ring_fd, a->ring_bytes, &a->ring);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(a);
        return 0;
}

static void set_reader(KernelArtifacts *a, enum sct_reader_state state) {
        __atomic_store_n(&a->state->reader, state, __ATOMIC_SEQ_CST);
}

static int consume(KernelArtifacts *a) {
        a->n_batch = 0;
        (void) ring_reader_read(a->ring, on_sample, a);
        ring_reader_release(a->ring);
        return (int) a->n_batch;
}

/* Until the ring says something, somebody calls kernel_artifacts_wake(), or the time is over. */
static void wait_for_data(KernelArtifacts *a, int msec) {
        struct epoll_event events[2];
        uint64_t n;

        if (epoll_wait(a->epoll_fd, events, ELEMENTSOF(events), msec) > 0)
                while (read(a->wake_fd, &n, sizeof(n)) > 0)
                        ;
}

void kernel_artifacts_read_holes(KernelArtifacts *a, KernelHoleHandler on_hole, void *userdata) {
        struct sct_hole hole;

        while (bpf_map_lookup_and_delete_elem(a->holes_fd, NULL, &hole) == 0)
                on_hole(&hole, userdata);
}

int kernel_artifacts_read(KernelArtifacts *a, uint64_t timeout_usec, KernelChunkHandler on_chunk,
                          KernelHoleHandler on_hole, void *userdata) {
        int msec = (int) MIN(timeout_usec / USEC_PER_MSEC, (uint64_t) 3600 * 1000), n;

        a->on_chunk = on_chunk;
        a->userdata = userdata;
        set_reader(a, SCT_READER_AWAKE);
        n = consume(a);
        a->n_idle = n > 0 ? 0 : a->n_idle + 1;
        if (n == 0 && msec > 0) {
                if (a->n_idle < IDLE_TICKS) {
                        msec = MIN(msec, TICK_MSEC);
                        set_reader(a, SCT_READER_TIMER);
                } else
                        set_reader(a, SCT_READER_ASLEEP);
                /* What came between the last look and the word above has woken nobody. */
                n = consume(a);
                if (n == 0) {
                        wait_for_data(a, msec);
                        set_reader(a, SCT_READER_AWAKE);
                        n = consume(a);
                }
        }
        kernel_artifacts_read_holes(a, on_hole, userdata);
        return n;
}

void kernel_artifacts_wake(KernelArtifacts *a) {
        uint64_t one = 1;

        if (write(a->wake_fd, &one, sizeof(one)) < 0)
                return;         /* it is awake: the counter is full */
}

int kernel_artifacts_set_image(KernelArtifacts *a, const KernelImage *image, bool kept) {
        return images_set(a->images_fd, image, kept);
}

void kernel_artifacts_counters(KernelArtifacts *a, KernelArtifactCounters *ret) {
        *ret = (KernelArtifactCounters) {
                .n_operations = a->state->next_operation,
                .n_lost = a->state->n_lost,
                .lost_bytes = a->state->lost_bytes,
                .n_unknown = a->state->n_unknown,
                .fault_bytes = a->state->fault_bytes,
                .ring_bytes = a->ring_bytes,
        };
}
