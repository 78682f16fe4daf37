/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the files of src/kernel/ share: the handle itself. */

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "../basic/macro.h"
#include "kernel.h"
#include "ring-reader.h"
#include "syscall-symbols.h"

struct sct;                         /* the skeleton: probes.c, maps.c */
struct sct_state;

/* Tables that are sized for each generation, in the order of rows in maps.c. */
#define KERNEL_N_TABLES 11
/* Maps of the artifact ring, in the order of artifacts.c. */
#define KERNEL_N_ARTIFACT_MAPS 8

/* One attached program: a descriptor that detaches when closed. */
typedef struct KernelLink {
        char name[56];              /* program, or program and target: unique */
        const struct ProbeRow *row;
        int fd;
        uint16_t event;             /* whose demand keeps it; 0: always attached */
} KernelLink;

/* How a place is attached. The order is that of rows in hook-attach.c. */
typedef enum PlaceMethod {
        PLACE_FUNCTION,             /* kprobe.multi, or kprobes one by one */
        PLACE_SYSCALL,              /* raw sys_enter and sys_exit, by number */
        PLACE_TRACEPOINT,           /* classic */
        PLACE_RAW_TRACEPOINT,
        PLACE_UPROBE,
        PLACE_LSM,
        PLACE_MODIFY,               /* fmod_ret: what the function returns can be overridden */
        _PLACE_METHOD_MAX,
} PlaceMethod;

/* A place in the kernel, or in a binary, that policies hooked. Its number is the attach cookie. */
typedef struct HookPlace {
        char *key;                  /* NULL: free */
        char *path;                 /* binary; subsystem of a tracepoint */
        char *target;               /* function, or symbol; NULL: by offset */
        PlaceMethod method;
        uint64_t offset, ref_ctr_offset;
        uint32_t generation;        /* that wants it last */
        bool has_return;
        bool is_syscall;            /* PLACE_MODIFY: the function is a system call's entry */
} HookPlace;

typedef struct HookPlaces {
        HookPlace *items;           /* SCT_HOOKS_MAX */
        uint8_t *how;               /* event number - SCT_EVENT_HOOK_FIRST → PlaceMethod + 1 */
        uint32_t generation;        /* that was resolved last: its hooks are wanted */
        bool used[_PLACE_METHOD_MAX], returns[_PLACE_METHOD_MAX];      /* by it */
} HookPlaces;

/* What hooks add to a plan's tables. */
typedef struct HookTables {
        struct sct_plan *plans;
        size_t n_plans;
        struct sct_hook_link links[SCT_LINKS_MAX];     /* [0] is the end of every chain */
        size_t n_links;
        uint32_t hooks[SCT_HOOKS_MAX];
        uint64_t enforcers[SCT_HOOKS_MAX];             /* by place */
        uint32_t syscalls[2 * SCT_SYSCALL_NR_MAX];
} HookTables;

struct Kernel {
        struct sct *skeleton;
        const FeatureSet *features;
        volatile struct sct_state *state;    /* the kernel side's globals, mapped */
        uint32_t instance;
        uint32_t generation;
        bool applied;               /* a generation of ours is active */
        uint64_t uses, uses_types;  /* what the attached programs were specialised to: bpf/abi/uses.h */
        uint64_t seen_uses, seen_uses_types;    /* of all plans so far, refused ones too */
        uint8_t table_used[KERNEL_N_TABLES]; /* bit p: the outer map holds an inner one at parity p */

        KernelLink *links;
        size_t n_links, n_links_allocated;
        SyscallSymbols symbols;
        KernelLink *former;         /* of programs that are being replaced: judge until the new ones are all attached */
        size_t n_former;
        uint64_t former_uses, former_uses_types;
        KernelFd *predecessor;      /* its links: closed when ours have taken over */
        size_t n_predecessor;

        HookPlaces hook_places;
        int artifact_fds[KERNEL_N_ARTIFACT_MAPS];    /* -EBADF: no capture was ever wanted */
        uint32_t artifact_ring_bytes;

        char *cgroup_root;
        int cgroup_root_fd;
        bool packets;                   /* sockets have owners */

        RingReader *ring;
        size_t ring_bytes;
        KernelRecordHandler on_record;
        KernelBatchHandler on_batch;
        void *userdata;
        sd_event_source *io_source, *timer_source, *more_source;
        sd_event_source *node_name_source;
        unsigned n_batch, n_idle_ticks;
};

/* maps.c */
int maps_write_plan(Kernel *k, const Plan *plan, const HookTables *hooks, char **reterr);
int maps_write_constants(Kernel *k);
int map_fd(Kernel *k, const char *name);

/* probes.c */
int probes_open(Kernel *k, uint32_t ring_bytes, KernelFd *stored, size_t n_stored, char **reterr);
void probes_close(Kernel *k);
int probes_attach_lifetime(Kernel *k, char **reterr);
/* When the plan uses more than the attached programs know: all of them are to be attached anew, as another instance,
 * beside those that are. Then, when that instance is active, or when it could not be completed: */
void probes_specialise(Kernel *k, const Plan *plan);
void probes_close_former(Kernel *k);
void probes_restore_former(Kernel *k);
int probes_attach_wanted(Kernel *k, const Plan *plan, char **reterr);
void probes_detach_unwanted(Kernel *k, const Plan *plan);
int probes_iterate(Kernel *k, const char *program);
size_t probes_list_fds(Kernel *k, KernelFd *fds, size_t max);
struct bpf_map *probes_map(Kernel *k, const char *name);
void *probes_bss(Kernel *k);

/* One program that is loaded for one place. */
typedef struct ProbeTarget {
        const char *program;
        uint32_t place;             /* sct_place */
        bool is_syscall;            /* sct_place_syscall */
        uint32_t n_args;            /* sct_place_n_args */
        const char *function;       /* what its program is for; NULL: told when it is attached */
} ProbeTarget;

int probes_load_for(Kernel *k, const ProbeTarget *target, struct sct **ret, char **reterr);
int probes_load(Kernel *k, const char *const *programs, size_t n, struct sct **ret, char **reterr);
void probes_unload(struct sct *skeleton);
struct bpf_program *probes_program(struct sct *skeleton, const char *name);
KernelLink *probes_find_link(Kernel *k, const char *name);
int probes_add_link(Kernel *k, struct bpf_link *link, const char *name, const struct ProbeRow *row, uint16_t event);

/* hooks.c */
int hooks_resolve(Kernel *k, const Plan *plan, HookTables *ret, char **reterr);
void hook_tables_freep(HookTables **t);
void hooks_done(Kernel *k);

/* hook-attach.c */
int hooks_attach(Kernel *k, char **reterr);
bool hooks_link_is_wanted(Kernel *k, const char *name);
const char *hooks_event_method(const Kernel *k, uint16_t event);    /* NULL: unknown */

/* enforce.c */
bool enforcer_overrides(const Policy *policy);
int enforce_check(const FeatureSet *features, const Policy *policy, const struct Hook *hook, char **reterr);

/* hook-action.c */
int hook_check_actions(const FeatureSet *features, const struct Hook *hook, const PolicyRule *rule, char **reterr);

/* tracepoint-format.c */
typedef struct TracepointField {
        char name[64];
        char object[64];            /* struct that a pointer points to */
        uint32_t offset, size;
        bool is_signed, is_data_loc, is_array, is_pointer, is_text;
} TracepointField;
int tracepoint_field(const char *subsystem, const char *event, uint32_t index, TracepointField *ret);

/* cgroups.c */
int cgroups_open(Kernel *k, const char *root);
int cgroups_scan(Kernel *k);
int cgroups_match(Kernel *k, const Plan *plan);
void cgroups_find_journald(Kernel *k);

/* node-name.c */
int node_name_watch(Kernel *k, sd_event *event, int64_t priority);
void node_name_unwatch(Kernel *k);

/* artifacts.c */
bool artifacts_is_map(const char *name);
bool artifacts_has_target(const FeatureSet *features, const char *name);
int artifacts_take(Kernel *k, const KernelFd *stored, size_t n);
int artifacts_prepare(Kernel *k, struct bpf_object *object);
int artifacts_make(Kernel *k, const Plan *plan, char **reterr);
size_t artifacts_list_fds(Kernel *k, KernelFd *fds, size_t max);
void artifacts_done(Kernel *k);

/* images.c */
int images_prepare(Kernel *k);
int images_set(int map_fd, const KernelImage *image, bool kept);

/* ringbuf.c */
int ringbuf_open(Kernel *k);
void ringbuf_close(Kernel *k);

__attribute__((format(printf, 3, 4))) int kernel_error(char **reterr, int r, const char *format, ...);

/* kernel.c: by the number that the kernel gives itself, whatever a distribution took back to an older one. */
bool kernel_is_since(unsigned major, unsigned minor);
