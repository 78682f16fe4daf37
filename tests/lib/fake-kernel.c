/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A kernel layer without a kernel. Keeps what the real one keeps over a restart (sequence number, generation, count of
 * lost events) in a memory file that it lists for the descriptor store. Environment, for programs:
 *
 *   SCOPETRACE_FAKE_RECORDS        file, FIFO or socket to read frames from
 *   SCOPETRACE_FAKE_REPEAT         read a regular file so many times
 *   SCOPETRACE_FAKE_REFUSE_EVENT   an event that "this kernel" cannot take
 *   SCOPETRACE_FAKE_REFUSE_POLICY  a policy that kernel_apply() refuses */

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "../../src/basic/buffer.h"
#include "../../src/basic/string-util.h"
#include "../../src/kernel/kernel.h"
#include "fake-kernel.h"

#define BATCH_MAX 4096U
#define CGROUPS_MAX 64U
#define STATE_FD_NAME "fake-state"

typedef struct FakeState {
        uint64_t seq, n_lost, n_records;
        uint32_t generation;
} FakeState;

struct Kernel {
        FakeState *state;
        int state_fd;
        uint64_t wants[4096][SCT_BANKS_MAX];    /* by event: rules that want it */
        uint8_t n_banks;
        size_t n_rules;
        uint64_t n_lost_since;                  /* in this generation */
        bool wanted[4096];
        unsigned n_hooks;
        struct { uint64_t id; char path[SCT_CGROUP_PATH_MAX]; } cgroups[CGROUPS_MAX];
        size_t n_cgroups;
        uint32_t excluded[16];

        KernelRecordHandler on_record;
        KernelBatchHandler on_batch;
        void *userdata;
        sd_event_source *io, *defer;
        int fd;
        bool is_file;
        uint64_t repeat;
        uint64_t record[SCT_RECORD_MAX / 8];    /* aligned */
};

static Kernel *current;
static Buffer ring;             /* frames */
static size_t ring_head;

/* --- artifacts: none --- */

int kernel_artifacts_new(Kernel *k, KernelArtifacts **ret) {
        return -ENOENT;
}

KernelArtifacts *kernel_artifacts_free(KernelArtifacts *a) {
        return NULL;
}

int kernel_artifacts_read(KernelArtifacts *a, uint64_t timeout_usec, KernelChunkHandler on_chunk,
                          KernelHoleHandler on_hole, void *userdata) {
        return -ENOENT;
}

void kernel_artifacts_read_holes(KernelArtifacts *a, KernelHoleHandler on_hole, void *userdata) {
}

void kernel_artifacts_wake(KernelArtifacts *a) {
}

int kernel_artifacts_set_image(KernelArtifacts *a, const KernelImage *image, bool kept) {
        return 0;
}

void kernel_artifacts_counters(KernelArtifacts *a, KernelArtifactCounters *ret) {
        *ret = (KernelArtifactCounters) {};
}

/* --- features --- */

int features_probe(FeatureSet *features) {
        for (Feature f = 0; f < _FEATURE_MAX; f++) {
                features->granted[f] = f != FEATURE_KPROBE;
                features->reason[f][0] = '\0';
        }
        strcpy(features->reason[FEATURE_KPROBE], "Operation not permitted");
        return 0;
}

static const char *const feature_table[_FEATURE_MAX][2] = {
#define SCT_FEATURE(sym, name, sentence) [FEATURE_##sym] = { name, sentence },
#include "../../bpf/abi/features.def"
#undef SCT_FEATURE
};

const char *feature_name(Feature f) {
        return feature_table[f][0];
}

const char *feature_sentence(Feature f) {
        return feature_table[f][1];
}

KernelTypes *kernel_types_ref(void) {
        return NULL;
}

KernelTypes *kernel_types_unref(KernelTypes *t) {
        return NULL;
}

int kernel_expand_hook(const FeatureSet *features, struct Hook *hook, char **reterr) {
        return 0;
}

int kernel_check_hook(const FeatureSet *features, const Policy *policy, struct Hook *hook, char **reterr) {
        return 0;
}

int kernel_can_serve(const FeatureSet *features, const EventSpec *spec, const char **ret_hook, Feature *ret_missing) {
        if (streq_ptr(getenv("SCOPETRACE_FAKE_REFUSE_EVENT"), spec->name)) {
                if (ret_missing)
                        *ret_missing = FEATURE_KPROBE;
                return -ENOTSUP;
        }
        if (ret_hook)
                *ret_hook = "raw_tp";
        return 0;
}

/* --- life --- */

int kernel_new(const KernelConfig *config, const FeatureSet *features, KernelFd *stored, size_t n_stored, Kernel **ret,
               char **reterr) {
        Kernel *k = new0(Kernel, 1);

        if (!k)
                return -ENOMEM;
        k->fd = k->state_fd = -EBADF;
        for (size_t i = 0; i < n_stored; i++)
                if (streq(stored[i].name, STATE_FD_NAME))
                        k->state_fd = stored[i].fd;
        if (k->state_fd < 0) {
                k->state_fd = memfd_create(STATE_FD_NAME, MFD_CLOEXEC);
                if (k->state_fd < 0 || ftruncate(k->state_fd, sizeof(FakeState)) < 0)
                        abort();
        }
        k->state = mmap(NULL, sizeof(FakeState), PROT_READ | PROT_WRITE, MAP_SHARED, k->state_fd, 0);
        if (k->state == MAP_FAILED)
                abort();
        current = k;
        *ret = k;
        return 0;
}

Kernel *kernel_free(Kernel *k) {
        if (!k)
                return NULL;
        sd_event_source_disable_unref(k->io);
        sd_event_source_disable_unref(k->defer);
        munmap(k->state, sizeof(FakeState));
        safe_close(k->state_fd);
        safe_close(k->fd);
        if (current == k)
                current = NULL;
        buffer_done(&ring);
        ring_head = 0;
        free(k);
        return NULL;
}

int kernel_apply(Kernel *k, const Plan *plan, char **reterr) {
        const char *refused = getenv("SCOPETRACE_FAKE_REFUSE_POLICY");

        for (size_t i = 0; refused && i < plan->n_policies; i++)
                if (streq(plan->policies[i]->name, refused)) {
                        if (reterr)
                                *reterr = strdup("the verifier does not like it");
                        return -EACCES;
                }
        memset(k->wants, 0, sizeof(k->wants));
        memset(k->wanted, 0, sizeof(k->wanted));
        k->n_hooks = 0;
        for (size_t i = 0; i < ELEMENTSOF(plan->events); i++)
                if (plan->events[i] > 0) {
                        memcpy(k->wants[i], plan->plans[plan->events[i]].wants, sizeof(k->wants[i]));
                        k->wanted[i] = true;
                        k->n_hooks++;
                }
        k->n_banks = (uint8_t) ((plan->n_rules + 63) / 64);
        k->n_rules = plan->n_rules;
        k->n_lost_since = 0;
        k->state->generation = plan->config.generation;
        return 0;
}

uint32_t kernel_generation(const Kernel *k) {
        return k->state->generation;
}

const char *kernel_event_hook(const Kernel *k, const EventSpec *spec) {
        return spec->id < ELEMENTSOF(k->wanted) && k->wanted[spec->id] ? "raw_tp" : NULL;
}

unsigned kernel_n_hooks(const Kernel *k) {
        return k->n_hooks;
}

/* --- the ring --- */

static bool is_wanted(const Kernel *k, const struct sct_record *h) {
        uint64_t any = 0;

        for (unsigned i = 0; h->event < ELEMENTSOF(k->wants) && i < k->n_banks; i++)
                any |= k->wants[h->event][i];
        return any;
}

static void deliver(Kernel *k, const void *data, size_t size) {
        struct sct_record *h = (struct sct_record *) k->record;

        assert(size + SCT_BANKS_MAX * 8 <= sizeof(k->record));
        memcpy(k->record, data, size);
        if (size >= sizeof(*h) && h->generation == 0 && h->type == SCT_RECORD_EVENT) {
                if (!is_wanted(k, h))
                        return;
                h->generation = k->state->generation;
                h->n_banks = k->n_banks;
                h->lost = (uint32_t) k->state->n_lost;
                memcpy((char *) k->record + size, k->wants[h->event], k->n_banks * 8U);
                size += k->n_banks * 8U;
        }
        k->state->n_records++;
        k->on_record(k->record, size, k->userdata);
}

static void handle(Kernel *k, const FakeFrame *f, const char *data) {
        uint64_t v;

        switch (f->kind) {
        case FAKE_RECORD:
                deliver(k, data, f->size);
                break;
        case FAKE_LOST:
                memcpy(&v, data, sizeof(v));
                k->state->n_lost += v;
                k->n_lost_since += v;
                break;
        case FAKE_CGROUP:
                assert(k->n_cgroups < CGROUPS_MAX && f->size < SCT_CGROUP_PATH_MAX);
                memcpy(&k->cgroups[k->n_cgroups].id, data, 8);
                memcpy(k->cgroups[k->n_cgroups].path, data + 8, f->size - 8);
                k->cgroups[k->n_cgroups++].path[f->size - 8] = '\0';
                break;
        default:
                abort();
        }
}

static int run(Kernel *k, unsigned max) {
        unsigned n = 0;

        while (n < max && ring.size - ring_head >= sizeof(FakeFrame)) {
                FakeFrame f;

                memcpy(&f, ring.data + ring_head, sizeof(f));
                if (ring.size - ring_head - sizeof(f) < f.size)
                        break;
                handle(k, &f, ring.data + ring_head + sizeof(f));
                ring_head += sizeof(f) + f.size;
                n++;
        }
        if (ring_head == ring.size && k->repeat > 1) {
                k->repeat--;
                ring_head = 0;
        } else if (ring_head > 0 && k->repeat <= 1) {
                memmove(ring.data, ring.data + ring_head, ring.size - ring_head);
                ring.size -= ring_head;
                ring_head = 0;
        }
        if (n > 0)
                k->on_batch(k->userdata);
        return (int) n;
}

void fake_kernel_push(const void *frames, size_t size) {
        (void) buffer_add(&ring, frames, size);
        if (current && current->defer)
                (void) sd_event_source_set_enabled(current->defer, SD_EVENT_ON);
}

static int on_defer(sd_event_source *source, void *userdata) {
        Kernel *k = userdata;

        if (run(k, BATCH_MAX) == 0)
                (void) sd_event_source_set_enabled(source, SD_EVENT_OFF);
        return 0;
}

static int on_io(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        char chunk[65536];
        ssize_t n = read(fd, chunk, sizeof(chunk));

        if (n > 0)
                fake_kernel_push(chunk, (size_t) n);
        else if (n == 0)
                (void) sd_event_source_set_enabled(source, SD_EVENT_OFF);
        return 0;
}

static int open_records(const char *path) {
        struct sockaddr_un sun = { .sun_family = AF_UNIX };
        struct stat st;
        int fd;

        if (stat(path, &st) >= 0 && S_ISSOCK(st.st_mode)) {
                fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
                strncpy(sun.sun_path, path, sizeof(sun.sun_path) - 1);
                if (connect(fd, (struct sockaddr *) &sun, sizeof(sun)) < 0)
                        return -errno;
                return fd;
        }
        /* Reading and writing, so that a FIFO never ends. */
        fd = open(path, (S_ISFIFO(st.st_mode) ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NONBLOCK);
        return fd < 0 ? -errno : fd;
}

static void read_file(Kernel *k) {
        char chunk[65536];
        ssize_t n;

        k->repeat = strtoull(getenv("SCOPETRACE_FAKE_REPEAT") ?: "1", NULL, 10);
        while ((n = read(k->fd, chunk, sizeof(chunk))) > 0)
                fake_kernel_push(chunk, (size_t) n);
}

int kernel_attach_event(Kernel *k, sd_event *event, int64_t priority, KernelRecordHandler on_record,
                        KernelBatchHandler on_batch, void *userdata) {
        const char *path = getenv("SCOPETRACE_FAKE_RECORDS");
        int r;

        k->on_record = on_record;
        k->on_batch = on_batch;
        k->userdata = userdata;
        r = sd_event_add_defer(event, &k->defer, on_defer, k);
        if (r < 0)
                return r;
        (void) sd_event_source_set_priority(k->defer, priority);
        (void) sd_event_source_set_enabled(k->defer, SD_EVENT_ON);
        if (!path)
                return 0;
        k->fd = open_records(path);
        if (k->fd < 0)
                return k->fd;
        r = sd_event_add_io(event, &k->io, k->fd, EPOLLIN, on_io, k);
        if (r == -EPERM) {
                read_file(k);
                return 0;
        }
        return r;
}

int kernel_drain(Kernel *k) {
        return run(k, UINT32_MAX);
}

/* --- the rest --- */

void kernel_counters(Kernel *k, KernelCounters *ret) {
        *ret = (KernelCounters) {
                .n_lost = k->state->n_lost,
                .n_records = k->state->n_records,
                .ring_bytes = 1024 * 1024,
                .ring_used_bytes = ring.size - ring_head,
        };
}

uint64_t kernel_n_lost(const Kernel *k) {
        return k->state->n_lost;
}

int kernel_rule_acted(Kernel *k, uint32_t generation, uint32_t rule, struct sct_acted *ret) {
        return -ESTALE;
}

int kernel_lost_by_rule(Kernel *k, uint64_t *counts, size_t n_rules) {
        for (size_t i = 0; i < n_rules; i++)
                counts[i] = k->n_lost_since;
        return 0;
}

int kernel_cgroup_lookup(Kernel *k, uint64_t cgroup_id, struct sct_cgroup *ret) {
        for (size_t i = 0; i < k->n_cgroups; i++)
                if (k->cgroups[i].id == cgroup_id) {
                        *ret = (struct sct_cgroup) { .path_len = (uint16_t) strlen(k->cgroups[i].path) };
                        strcpy(ret->path, k->cgroups[i].path);
                        return 0;
                }
        return -ENOENT;
}

void kernel_cgroup_forget(Kernel *k, uint64_t cgroup_id) {
        for (size_t i = 0; i < k->n_cgroups; i++)
                if (k->cgroups[i].id == cgroup_id)
                        k->cgroups[i].id = UINT64_MAX;
}

int kernel_exclude_process(Kernel *k, uint32_t host_pid, bool exclude) {
        for (size_t i = 0; i < ELEMENTSOF(k->excluded); i++)
                if (k->excluded[i] == (exclude ? 0 : host_pid)) {
                        k->excluded[i] = exclude ? host_pid : 0;
                        return 0;
                }
        return -ENOSPC;
}

size_t kernel_list_fds(Kernel *k, KernelFd *fds, size_t max) {
        if (max < 1)
                return 0;
        fds[0].fd = k->state_fd;
        strcpy(fds[0].name, STATE_FD_NAME);
        return 1;
}

uint64_t kernel_flushed_seq(Kernel *k, bool all) {
        return kernel_next_seq(k, 0);
}

uint64_t kernel_next_seq(Kernel *k, uint64_t advance) {
        uint64_t seq = k->state->seq;

        k->state->seq += advance;
        return seq;
}
