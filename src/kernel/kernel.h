/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The kernel side as one handle: Plan in, records out. Nothing above this layer sees libbpf or a skeleton. */

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "../basic/macro.h"
#include "../policy/feature-set.h"
#include "../policy/plan.h"

typedef struct Kernel Kernel;

typedef struct KernelConfig {
        uint32_t ring_bytes;            /* 0: default; rounded up to a power of two pages */
        const char *cgroup_root;        /* NULL: found in /proc/self/mountinfo */
        uint32_t artifact_ring_bytes;   /* 0: default */
        bool whole_programs;            /* not specialised to what the policies use: for tests */
} KernelConfig;

/* Descriptors that outlive the daemon (systemd's descriptor store). */
typedef struct KernelFd {
        char name[64];                  /* ASCII, no colon */
        int fd;
} KernelFd;

/* Fills `features` by trying each feature once (some tens of milliseconds; cached by the caller). */
int features_probe(FeatureSet *features);
const char *feature_name(Feature f);
const char *feature_sentence(Feature f);    /* what to say when it is missing */

/* Opens and loads the kernel side, attaches what watches cgroups and learns those that exist; no rule is active yet.
 * stored/n_stored: descriptors of a predecessor with the same ABI (owned by the call on success), or none. reterr: a
 * sentence; caller frees. */
int kernel_new(const KernelConfig *config, const FeatureSet *features, KernelFd *stored, size_t n_stored, Kernel **ret,
               char **reterr);
Kernel *kernel_free(Kernel *k);
static inline void kernel_freep(Kernel **k) {
        kernel_free(*k);
}

/* Makes `plan` the active generation: fills the other set of tables, attaches what it newly needs, flips, detaches what
 * nobody wants any more. On failure the old generation stays whole. Returns when the new one judges every event.
 * Plans are wanted by event; an event whose hook this kernel refuses makes the call fail before anything changed:
 * ask kernel_can_serve() first. */
int kernel_apply(Kernel *k, const Plan *plan, char **reterr);
uint32_t kernel_generation(const Kernel *k);

/* Whether an event of the catalogue can be taken here. 0 and how in *ret_hook ("tp_btf", "raw_tp", "tracepoint",
 * "fentry", ...; static string), or -ENOTSUP and the missing feature. Either may be NULL. */
int kernel_can_serve(const FeatureSet *features, const EventSpec *spec, const char **ret_hook, Feature *ret_missing);
/* As long as somebody holds it, what was read of the kernel's types and symbols is kept: megabytes that many hooks ask, one
 * after the other. NULL: no memory, which those will say who need it. */
typedef struct KernelTypes KernelTypes;
KernelTypes *kernel_types_ref(void);
KernelTypes *kernel_types_unref(KernelTypes *t);
DEFINE_TRIVIAL_CLEANUP_FUNC(KernelTypes *, kernel_types_unref)
/* Completes a hook by what only this kernel knows: the functions of a pattern, and whether one that may be missing is
 * there. Comes before kernel_check_hook(); does its work once. */
struct Hook;
int kernel_expand_hook(const FeatureSet *features, struct Hook *hook, char **reterr);
/* Whether a hook that a policy brought can be attached here, with its arguments and the actions of its rules. 0, or
 * -ENOTSUP and a sentence that says what to write instead. Its arguments get the names and types that they have here. */
struct Hook;
int kernel_check_hook(const FeatureSet *features, const Policy *policy, struct Hook *hook, char **reterr);
/* How an event's hook is attached now; NULL when it is not. */
const char *kernel_event_hook(const Kernel *k, const EventSpec *spec);
unsigned kernel_n_hooks(const Kernel *k);

/* The ring as an event source. `on_record` gets every sample in order (wire format, valid during the call only);
 * `on_batch` once after each batch, so that outputs can flush. Batches are bounded, the loop gets its turn between them. */
typedef void (*KernelRecordHandler)(const void *data, size_t size, void *userdata);
typedef void (*KernelBatchHandler)(void *userdata);
int kernel_attach_event(Kernel *k, sd_event *event, int64_t priority, KernelRecordHandler on_record,
                        KernelBatchHandler on_batch, void *userdata);
/* Drains what is in the ring now, without the event loop. Returns the number of records. */
int kernel_drain(Kernel *k);

typedef struct KernelCounters {
        uint64_t n_lost;            /* events that matched and found no room */
        uint64_t n_truncated;       /* arguments cut at their limit */
        uint64_t n_faults;          /* arguments that could not be read */
        uint64_t n_path_errors;     /* paths that could not be walked to the root */
        uint64_t n_internal;        /* bookkeeping that failed: task storage, scratch space, map full */
        uint64_t n_records;         /* submitted */
        size_t ring_bytes, ring_used_bytes;
} KernelCounters;
void kernel_counters(Kernel *k, KernelCounters *ret);
uint64_t kernel_n_lost(const Kernel *k);      /* a memory read: callable per record */
/* Events lost per rule number of a generation, since it became active. */
int kernel_lost_by_rule(Kernel *k, uint64_t *counts, size_t n_rules);

/* How often one rule of the generation has acted. -ESTALE: its counts are gone, two generations came since. */
int kernel_rule_acted(Kernel *k, uint32_t generation, uint32_t rule, struct sct_acted *ret);

/* 0 or -ENOENT. The path of a cgroup and what is known of it, also shortly after it ended. */
int kernel_cgroup_lookup(Kernel *k, uint64_t cgroup_id, struct sct_cgroup *ret);
/* Forget a cgroup: call it when SCT_RECORD_CGROUP_RMDIR was seen. */
void kernel_cgroup_forget(Kernel *k, uint64_t cgroup_id);

/* Events of this process are never taken (the service itself and readers of its live streams). */
int kernel_exclude_process(Kernel *k, uint32_t host_pid, bool exclude);

/* ---- The artifact ring (bpf/abi/artifact.h): bulk data. One reader, in whatever thread. ---- */

typedef struct KernelArtifacts KernelArtifacts;
typedef void (*KernelChunkHandler)(const void *data, size_t size, void *userdata);
struct sct_hole;
typedef void (*KernelHoleHandler)(const struct sct_hole *hole, void *userdata);

typedef struct KernelArtifactCounters {
        uint64_t n_operations;
        uint64_t n_lost, lost_bytes;    /* chunks that found no room, and their data */
        uint64_t n_unknown;             /* of them: where they would have been is not known */
        uint64_t fault_bytes;           /* could not be read */
        size_t ring_bytes;
} KernelArtifactCounters;

/* -ENOENT: no generation has wanted a capture yet. Outlives the Kernel. */
int kernel_artifacts_new(Kernel *k, KernelArtifacts **ret);
KernelArtifacts *kernel_artifacts_free(KernelArtifacts *a);
static inline void kernel_artifacts_freep(KernelArtifacts **a) {
        kernel_artifacts_free(*a);
}
/* Reads what is there; when there is nothing, waits at most so long or until woken. Returns the number of chunks; the ring
 * is empty when it is 0. */
int kernel_artifacts_read(KernelArtifacts *a, uint64_t timeout_usec, KernelChunkHandler on_chunk,
                          KernelHoleHandler on_hole, void *userdata);
/* The holes that are known now; in the reader's thread. */
void kernel_artifacts_read_holes(KernelArtifacts *a, KernelHoleHandler on_hole, void *userdata);
/* Whether the content of a file, in this state, is kept: then the kernel side sends no more of it than that it was
 * executed. NULL: nothing is. For the reader's thread. */
typedef struct KernelImage {
        uint64_t dev, inode;            /* as the kernel encodes them */
        uint64_t ctime_ns, size;
} KernelImage;
int kernel_artifacts_set_image(KernelArtifacts *a, const KernelImage *image, bool kept);
void kernel_artifacts_wake(KernelArtifacts *a);                         /* from any thread */
void kernel_artifacts_counters(KernelArtifacts *a, KernelArtifactCounters *ret);

/* Descriptors to keep over a restart. Borrowed. Returns the number, at most `max`. */
size_t kernel_list_fds(Kernel *k, KernelFd *fds, size_t max);
/* A restarted daemon must go on where its predecessor stopped: its sequence number lives beside the ring. */
uint64_t kernel_next_seq(Kernel *k, uint64_t advance);   /* returns the old value, then adds */
/* The first number whose event may not have reached any output yet; `all`: everything up to now has. What a predecessor
 * that died held between the ring and its outputs is what lies from here to the next number. */
uint64_t kernel_flushed_seq(Kernel *k, bool all);
