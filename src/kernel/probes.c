/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Skeleton lifecycle and attachment: which program serves which event, on which rung of the ladder, and who keeps the
 * link. The only file that sees the skeleton. Links are kept as plain descriptors: they detach when the last copy is
 * closed, and a copy can live in the service manager's descriptor store while the daemon is away. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>

#include "../basic/log.h"
#include "kernel-internal.h"
#include "event-id.h"
#include "state.h"
#include "syscall-ladder.h"

/* Needs struct sct_state. */
#include "scopetrace.skel.h"

/* One program that is attached as a whole (system calls have their own ladder). */
typedef struct ProbeRow {
        const char *program;
        uint16_t event;        /* attached while this event is wanted, or one of the below; 0: as long as the service runs */
        const char *hook;      /* what TRACE_HOOK says */
        uint16_t also;         /* or this one; 0: none */
        const char *target;    /* left out where the kernel lacks it or refuses its kind of hook; NULL: it does neither */
} ProbeRow;

/* In the place of an event: */
#define FOR_FD_NAMES UINT16_MAX        /* while rules give descriptors names */
#define FOR_POLICIES (UINT16_MAX - 1)  /* from the first generation on */
#define FOR_PACKETS (UINT16_MAX - 2)   /* while packets are events, or captured */
#define FOR_TCP (UINT16_MAX - 3)       /* while those of TCP are */
#define FOR_SYNACKS (UINT16_MAX - 4)   /* the same, where programs of the cgroup do not see all of them */

static const ProbeRow probes[];

static char last_libbpf_message[512];

/* libbpf talks to stderr by default. The last complaint is kept for the error that follows from it; all of them, the
 * verifier's too, are for who looks for a reason. */
static int on_libbpf_print(enum libbpf_print_level level, const char *format, va_list ap) {
        _cleanup_free_ char *text = NULL;

        if (level != LIBBPF_WARN || vasprintf(&text, format, ap) < 0)
                return 0;
        for (char *line = text, *next; line && *line; line = next) {
                next = strchr(line, '\n');
                if (next)
                        *next++ = 0;
                log_debug("%s", line);
        }
        (void) snprintf(last_libbpf_message, sizeof(last_libbpf_message), "%s", text);
        return 0;
}

struct bpf_map *probes_map(Kernel *k, const char *name) {
        return bpf_object__find_map_by_name(k->skeleton->obj, name);
}

/* Mapped here and not taken from the skeleton: libbpf 1.5 leaves a reused map's globals in private memory. */
void *probes_bss(Kernel *k) {
        void *p;

        p = mmap(NULL, sizeof(struct sct_state), PROT_READ | PROT_WRITE, MAP_SHARED,
                 bpf_map__fd(k->skeleton->maps.bss), 0);
        return p == MAP_FAILED ? NULL : p;
}

void probes_close(Kernel *k) {
        if (k->state)
                munmap((void *) k->state, sizeof(struct sct_state));
        k->state = NULL;
        if (k->skeleton)
                sct__destroy(k->skeleton);
        k->skeleton = NULL;
}

void probes_unload(struct sct *skeleton) {
        if (skeleton)
                sct__destroy(skeleton);
}

static void skeleton_freep(struct sct **skeleton) {
        probes_unload(*skeleton);
}

struct bpf_program *probes_program(struct sct *skeleton, const char *name) {
        return bpf_object__find_program_by_name(skeleton->obj, name);
}

/* Maps that a successor takes over: all but the read-only data, which is each instance's own. */
static bool map_is_kept(struct bpf_map *map) {
        const char *name = bpf_map__name(map);

        return !strstr(name, ".rodata") && !artifacts_is_map(name);
}

/* The name under which a map is stored: globals are named after the object, which is cut differently over versions. */
static const char *map_stored_name(struct bpf_map *map) {
        const char *name = bpf_map__name(map);

        return strstr(name, ".bss") ? "bss" : name;
}

static const KernelFd *find_stored(const KernelFd *stored, size_t n, const char *prefix, const char *name) {
        for (size_t i = 0; i < n; i++)
                if (strncmp(stored[i].name, prefix, strlen(prefix)) == 0 &&
                    strcmp(stored[i].name + strlen(prefix), name) == 0)
                        return stored + i;
        return NULL;
}

static int reuse_maps(Kernel *k, const KernelFd *stored, size_t n_stored, char **reterr) {
        struct sct_state state = {};
        struct bpf_map *map;
        uint32_t zero = 0;

        bpf_object__for_each_map(map, k->skeleton->obj) {
                const KernelFd *fd;

                if (!map_is_kept(map))
                        continue;
                fd = find_stored(stored, n_stored, "map-", map_stored_name(map));
                if (!fd)
                        return kernel_error(reterr, -ESTALE, "The predecessor left no map %s.", map_stored_name(map));
                if (bpf_map__reuse_fd(map, fd->fd) < 0)
                        return kernel_error(reterr, -ESTALE, "The predecessor's map %s has another form.",
                                            map_stored_name(map));
                if (strcmp(map_stored_name(map), "bss") == 0) {
                        /* The linker keeps one section a family: the value is longer than the state, which is first. */
                        size_t size = MAX((size_t) bpf_map__value_size(map), sizeof(struct sct_state));
                        _cleanup_free_ struct sct_state *value = calloc(1, size);

                        if (!value)
                                return -ENOMEM;
                        if (bpf_map_lookup_elem(fd->fd, &zero, value) < 0)
                                return kernel_error(reterr, -errno, "The predecessor's state cannot be read: %s.",
                                                    strerror(errno));
                        state = *value;
                }
        }
        k->skeleton->rodata->sct_instance = state.active_instance + 1;
        return 0;
}

/* The predecessor's links stay open until our programs judge. */
static int keep_predecessor(Kernel *k, const KernelFd *stored, size_t n_stored) {
        k->predecessor = new0(KernelFd, MAX(n_stored, (size_t) 1));
        if (!k->predecessor)
                return -ENOMEM;
        for (size_t i = 0; i < n_stored; i++) {
                if (strncmp(stored[i].name, "link-", 5) == 0)
                        k->predecessor[k->n_predecessor++] = stored[i];
                else
                        safe_close(stored[i].fd);
        }
        return 0;
}

static bool row_is_permanent(const char *program) {
        for (const ProbeRow *row = probes; row->program; row++)
                if (row->event == 0 && strcmp(row->program, program) == 0)
                        return true;
        return false;
}

int probes_open(Kernel *k, uint32_t ring_bytes, KernelFd *stored, size_t n_stored, char **reterr) {
        struct bpf_program *program;
        int r;

        libbpf_set_strict_mode(LIBBPF_STRICT_ALL);
        libbpf_set_print(on_libbpf_print);
        last_libbpf_message[0] = 0;

        k->skeleton = sct__open();
        if (!k->skeleton)
                return kernel_error(reterr, -errno, "The kernel side could not be opened: %s (%s).", strerror(errno),
                                    last_libbpf_message);
        k->skeleton->rodata->sct_instance = 1;
        k->skeleton->rodata->sct_uses = k->skeleton->rodata->sct_uses_types = 0;
        if (ring_bytes > 0) {
                uint32_t size = 64 * 1024;

                while (size < ring_bytes && size < (1U << 30))
                        size *= 2;
                (void) bpf_map__set_max_entries(k->skeleton->maps.sct_ring, size);
        }
        if (n_stored > 0) {
                r = reuse_maps(k, stored, n_stored, reterr);
                if (r < 0)
                        return r;
        }
        bpf_object__for_each_program(program, k->skeleton->obj)
                (void) bpf_program__set_autoload(program, row_is_permanent(bpf_program__name(program)));
        r = artifacts_prepare(k, k->skeleton->obj);
        if (r >= 0)
                r = sct__load(k->skeleton);
        if (r < 0)
                return kernel_error(reterr, r, "The kernel refused the kernel side: %s (%s).", strerror(-r),
                                    last_libbpf_message);
        if (n_stored > 0)
                return keep_predecessor(k, stored, n_stored);
        return 0;
}

/* Loads more programs, on the maps that are there: verifying a program costs tens of milliseconds, so each is loaded
 * when it is first wanted. The instance lives until its programs are attached; the links keep them. */
static int load_more(Kernel *k, const char *const *programs, size_t n, const ProbeTarget *target, struct sct **ret,
                     char **reterr) {
        _cleanup_(skeleton_freep) struct sct *more = sct__open();
        struct bpf_program *program;
        struct bpf_map *map;
        int r;

        if (!more)
                return kernel_error(reterr, -errno, "The kernel side could not be opened: %s.", strerror(errno));
        bpf_object__for_each_program(program, more->obj)
                (void) bpf_program__set_autoload(program, false);
        for (size_t i = 0; i < n; i++)
                (void) bpf_program__set_autoload(bpf_object__find_program_by_name(more->obj, programs[i]), true);
        more->rodata->sct_instance = k->instance;
        more->rodata->sct_uses = k->uses;
        more->rodata->sct_uses_types = k->uses_types;
        if (target) {
                struct bpf_program *own = probes_program(more, target->program);

                more->rodata->sct_place = target->place;
                more->rodata->sct_place_n_args = target->n_args;
                more->rodata->sct_place_syscall = target->is_syscall;
                if (target->function && bpf_program__set_attach_target(own, 0, target->function) < 0)
                        return kernel_error(reterr, -errno, "This kernel has no %s to attach program %s to.",
                                            target->function, target->program);
        }
        /* A program for kprobe.multi finds its cookie elsewhere than one on a single kprobe: it is loaded as what it will
         * be attached as. */
        if (!k->features->granted[FEATURE_KPROBE_MULTI]) {
                (void) bpf_program__set_expected_attach_type(more->progs.sct_h_entry, 0);
                (void) bpf_program__set_expected_attach_type(more->progs.sct_h_return, 0);
        }
        bpf_object__for_each_map(map, more->obj) {
                struct bpf_map *first = probes_map(k, bpf_map__name(map));

                if (map_is_kept(map) && bpf_map__reuse_fd(map, bpf_map__fd(first)) < 0)
                        return kernel_error(reterr, -errno, "Map %s could not be shared: %s.", bpf_map__name(map),
                                            strerror(errno));
        }
        r = artifacts_prepare(k, more->obj);
        if (r >= 0)
                r = sct__load(more);
        if (r < 0)
                return kernel_error(reterr, r, "The kernel refused program %s%s%s: %s (%s).", programs[0],
                                    target && target->function ? " on " : "",
                                    target && target->function ? target->function : "", strerror(-r),
                                    last_libbpf_message);
        *ret = TAKE_PTR(more);
        return 0;
}

int probes_load(Kernel *k, const char *const *programs, size_t n, struct sct **ret, char **reterr) {
        return load_more(k, programs, n, NULL, ret, reterr);
}

int probes_load_for(Kernel *k, const ProbeTarget *target, struct sct **ret, char **reterr) {
        return load_more(k, &target->program, 1, target, ret, reterr);
}

KernelLink *probes_find_link(Kernel *k, const char *name) {
        for (size_t i = 0; i < k->n_links; i++)
                if (strcmp(k->links[i].name, name) == 0)
                        return k->links + i;
        return NULL;
}

/* Takes over a libbpf link as a descriptor of our own. */
int probes_add_link(Kernel *k, struct bpf_link *link, const char *name, const struct ProbeRow *row, uint16_t event) {
        int fd = fcntl(bpf_link__fd(link), F_DUPFD_CLOEXEC, 3), r = fd < 0 ? -errno : 0;

        bpf_link__destroy(link);
        if (r < 0)
                return r;
        if (!GREEDY_REALLOC(k->links, k->n_links_allocated, k->n_links + 1)) {
                safe_close(fd);
                return -ENOMEM;
        }
        k->links[k->n_links] = (KernelLink) { .row = row, .fd = fd, .event = event };
        snprintf(k->links[k->n_links].name, sizeof(k->links[k->n_links].name), "%s", name);
        k->n_links++;
        return 0;
}

static int attach_row(Kernel *k, struct sct *skeleton, const ProbeRow *row, char **reterr) {
        struct bpf_program *program = bpf_object__find_program_by_name(skeleton->obj, row->program);
        struct bpf_link *link;
        int r;

        assert(program);
        link = strcmp(row->hook, "cgroup") == 0 ? bpf_program__attach_cgroup(program, k->cgroup_root_fd)
                                                : bpf_program__attach(program);
        if (!link)
                return kernel_error(reterr, -errno, "Program %s could not be attached: %s (%s).", row->program,
                                    strerror(errno), last_libbpf_message);
        r = probes_add_link(k, link, row->program, row, row->event);
        if (r < 0)
                return kernel_error(reterr, r, "Program %s could not be kept attached: %s.", row->program, strerror(-r));
        return 0;
}

int probes_attach_lifetime(Kernel *k, char **reterr) {
        int r;

        for (const ProbeRow *row = probes; row->program; row++)
                if (row->event == 0) {
                        r = attach_row(k, k->skeleton, row, reterr);
                        if (r < 0)
                                return r;
                }
        return 0;
}

void probes_specialise(Kernel *k, const Plan *plan) {
        k->seen_uses |= plan->uses;
        k->seen_uses_types |= plan->uses_types;
        if (((plan->uses & ~k->uses) | (plan->uses_types & ~k->uses_types)) == 0 &&
            (k->seen_uses != UINT64_MAX || k->uses == UINT64_MAX))
                return;
        k->former_uses = k->uses;
        k->former_uses_types = k->uses_types;
        /* All at once: policies that were refused together are tried one by one. */
        k->uses = k->seen_uses;
        k->uses_types = k->seen_uses_types;
        k->instance++;
        k->former = k->links;
        k->n_former = k->n_links;
        k->links = NULL;
        k->n_links = k->n_links_allocated = 0;
}

static void close_links(KernelLink **links, size_t *n) {
        for (size_t i = 0; i < *n; i++)
                safe_close((*links)[i].fd);
        free(*links);
        *links = NULL;
        *n = 0;
}

void probes_close_former(Kernel *k) {
        close_links(&k->former, &k->n_former);
}

void probes_restore_former(Kernel *k) {
        if (!k->former)
                return;
        close_links(&k->links, &k->n_links);
        k->links = TAKE_PTR(k->former);
        k->n_links = k->n_links_allocated = k->n_former;
        k->n_former = 0;
        k->instance--;
        k->uses = k->former_uses;
        k->uses_types = k->former_uses_types;
}

static bool row_is_wanted(const Kernel *k, const ProbeRow *row, const Plan *plan, const SyscallLadder *ladder) {
        if (row->event == 0 || row->event == FOR_POLICIES)
                return true;
        if (row->event == FOR_FD_NAMES)
                return plan->follows_fds;
        if (row->event == FOR_PACKETS)
                return plan->config.packet_kinds != 0;
        if (row->event == FOR_TCP)
                return (plan->config.packet_kinds & SCT_PACKETS_OF_TCP) != 0;
        if (row->event == FOR_SYNACKS)          /* 223f5f79f2ce */
                return (plan->config.packet_kinds & SCT_PACKETS_OF_TCP) != 0 && !kernel_is_since(6, 6);
        if (row->event == SCT_EVENT_SYS_ENTER || row->event == SCT_EVENT_SYS_EXIT)
                return ladder->rung == SYSCALL_RUNG_RAW;
        if (row->event == SCT_EVENT_SCHED_PROCESS_FORK &&
            (plan->config.n_tree_roots > 0 || plan->config.any_follow || plan->config.n_kin > 0 ||
             plan->config.any_origin))
                return true;
        if (row->target && !artifacts_has_target(k->features, row->target))
                return false;
        return plan->events[row->event] != 0 || (row->also && plan->events[row->also] != 0);
}

/* One link stands for a set of functions: its name has the set's hash, so that the same set is not attached twice. */
static void functions_link_name(const char *const *symbols, size_t n, bool exit, char name[static 56]) {
        uint64_t hash = 0xcbf29ce484222325ULL;      /* FNV-1a */

        for (size_t i = 0; i < n; i++)
                for (const char *p = symbols[i]; *p; p++)
                        hash = (hash ^ (uint8_t) *p) * 0x100000001b3ULL;
        snprintf(name, 56, "km.%s.%016llx", exit ? "exit" : "enter", (unsigned long long) hash);
}

/* While a new set replaces an old one both are attached for a moment: the second entry of a call overwrites what the
 * first one kept, and the second exit finds nothing. */
static int attach_functions(Kernel *k, struct sct *skeleton, const SyscallLadder *ladder, char **reterr) {
        for (int exit = 0; exit < 2; exit++) {
                LIBBPF_OPTS(bpf_kprobe_multi_opts, opts, .syms = (const char **) (exit ? ladder->exit : ladder->enter),
                            .cnt = exit ? ladder->n_exit : ladder->n_enter, .retprobe = exit);
                struct bpf_link *link;
                char name[56];
                int r;

                functions_link_name(opts.syms, opts.cnt, exit, name);
                if (opts.cnt == 0 || probes_find_link(k, name))
                        continue;
                link = bpf_program__attach_kprobe_multi_opts(exit ? skeleton->progs.sct_km_exit
                                                                  : skeleton->progs.sct_km_enter, NULL, &opts);
                if (!link)
                        return kernel_error(reterr, -errno, "The entry functions of system calls could not be attached: %s.",
                                            strerror(errno));
                r = probes_add_link(k, link, name, NULL, 0);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* Which programs of the ladder are still to be loaded. */
static size_t ladder_programs(Kernel *k, const SyscallLadder *ladder, const char *programs[static 2]) {
        char name[56];

        if (ladder->rung != SYSCALL_RUNG_FUNCTIONS)
                return 0;
        functions_link_name((const char *const *) ladder->enter, ladder->n_enter, false, name);
        if (probes_find_link(k, name))
                return 0;
        programs[0] = "sct_km_enter";
        programs[1] = "sct_km_exit";
        return 2;
}

int probes_attach_wanted(Kernel *k, const Plan *plan, char **reterr) {
        _cleanup_(skeleton_freep) struct sct *more = NULL;
        _cleanup_free_ SyscallLadder *ladder = new0(SyscallLadder, 1);
        const char *programs[32];
        size_t n = 0, n_ladder;
        int r;

        if (!ladder)
                return -ENOMEM;
        syscall_ladder(k->features, &k->symbols, plan, ladder);
        for (const ProbeRow *row = probes; row->program; row++)
                if (row_is_wanted(k, row, plan, ladder) && !probes_find_link(k, row->program))
                        programs[n++] = row->program;
        n_ladder = ladder_programs(k, ladder, programs + n);
        n += n_ladder;
        if (n == 0)
                return 0;

        r = probes_load(k, programs, n, &more, reterr);
        if (r < 0)
                return r;
        for (const ProbeRow *row = probes; row->program; row++)
                if (row_is_wanted(k, row, plan, ladder) && !probes_find_link(k, row->program)) {
                        r = attach_row(k, more, row, reterr);
                        if (r < 0)
                                return r;
                }
        return n_ladder > 0 ? attach_functions(k, more, ladder, reterr) : 0;
}

static bool link_is_wanted(Kernel *k, const KernelLink *link, const Plan *plan, const SyscallLadder *ladder) {
        char name[56];

        if (link->name[0] == 'h')
                return hooks_link_is_wanted(k, link->name);
        if (link->row)
                return row_is_wanted(k, link->row, plan, ladder);
        if (ladder->rung != SYSCALL_RUNG_FUNCTIONS)
                return false;
        functions_link_name((const char *const *) ladder->enter, ladder->n_enter, false, name);
        if (strcmp(link->name, name) == 0)
                return true;
        functions_link_name((const char *const *) ladder->exit, ladder->n_exit, true, name);
        return strcmp(link->name, name) == 0;
}

void probes_detach_unwanted(Kernel *k, const Plan *plan) {
        _cleanup_free_ SyscallLadder *ladder = new0(SyscallLadder, 1);
        size_t n = 0;

        if (!ladder)
                return;
        syscall_ladder(k->features, &k->symbols, plan, ladder);
        for (size_t i = 0; i < k->n_links; i++)
                if (link_is_wanted(k, k->links + i, plan, ladder))
                        k->links[n++] = k->links[i];
                else
                        safe_close(k->links[i].fd);
        k->n_links = n;
}

int probes_iterate(Kernel *k, const char *program) {
        _cleanup_(skeleton_freep) struct sct *more = NULL;
        struct bpf_link *link;
        char buffer[4096];
        int fd, r;

        if (!k->features->granted[FEATURE_ITER_TASK])
                return -ENOTSUP;
        r = probes_load(k, &program, 1, &more, NULL);
        if (r < 0)
                return r;
        link = bpf_program__attach_iter(probes_program(more, program), NULL);
        if (!link)
                return -errno;
        fd = bpf_iter_create(bpf_link__fd(link));
        if (fd < 0)
                r = -errno;
        else
                while (read(fd, buffer, sizeof(buffer)) > 0)
                        ;
        safe_close(fd);
        bpf_link__destroy(link);
        return r;
}

size_t probes_list_fds(Kernel *k, KernelFd *fds, size_t max) {
        struct bpf_map *map;
        size_t n = 0;

        bpf_object__for_each_map(map, k->skeleton->obj) {
                if (!map_is_kept(map) || n == max)
                        continue;
                fds[n].fd = bpf_map__fd(map);
                snprintf(fds[n++].name, sizeof(fds[0].name), "map-%s", map_stored_name(map));
        }
        n += artifacts_list_fds(k, fds + n, max - n);
        for (size_t i = 0; i < k->n_links && n < max; i++) {
                fds[n].fd = k->links[i].fd;
                snprintf(fds[n++].name, sizeof(fds[0].name), "link-%s", k->links[i].name);
        }
        return n;
}

static int can_serve_by(const FeatureSet *features, const Feature *needed, size_t n_needed, const char *hook,
                        const char **ret_hook, Feature *ret_missing) {
        for (size_t i = 0; i < n_needed; i++)
                if (!features->granted[needed[i]]) {
                        if (ret_missing)
                                *ret_missing = needed[i];
                        return -ENOTSUP;
                }
        if (ret_hook)
                *ret_hook = hook;
        return 0;
}

static bool is_of_packets(const EventSpec *spec) {
        return event_packet_kind(spec) != 0 || spec->id == SCT_EVENT_CAPTURE_PACKET;
}

int kernel_can_serve(const FeatureSet *features, const EventSpec *spec, const char **ret_hook, Feature *ret_missing) {
        static const Feature packets[] = { FEATURE_CGROUP2, FEATURE_CGROUP_SKB, FEATURE_CGROUP_SOCK };
        static const Feature modules[] = { FEATURE_MODULES, FEATURE_KPROBE };

        if (is_of_packets(spec))
                return can_serve_by(features, packets, ELEMENTSOF(packets), "cgroup", ret_hook, ret_missing);
        if (spec->id == SCT_EVENT_CAPTURE_MODULE)
                return can_serve_by(features, modules, ELEMENTSOF(modules), "kprobe", ret_hook, ret_missing);
        /* Everything else in the catalogue today stands on BTF tracepoints, which kernel_new() insists on. */
        if (features->granted[FEATURE_TP_BTF]) {
                if (ret_hook)
                        *ret_hook = "tp_btf";
                return 0;
        }
        if (ret_missing)
                *ret_missing = FEATURE_TP_BTF;
        return -ENOTSUP;
}

const char *kernel_event_hook(const Kernel *k, const EventSpec *spec) {
        if (spec->family == EVENT_FAMILY_HOOK)
                return hooks_event_method(k, spec->id) ?: spec->hook;
        if (is_of_packets(spec))
                return "cgroup";
        if (spec->id == SCT_EVENT_CAPTURE_MODULE)
                return "kprobe";
        if (spec->family != EVENT_FAMILY_SYSCALL)
                return strncmp(spec->hook, "tp_btf:sys_", 11) == 0 ? "raw_tp" : "tp_btf";
        /* System calls are all on one rung, but for the moment of a change: the newest link says which. */
        for (size_t i = k->n_links; i > 0; i--) {
                const KernelLink *link = k->links + i - 1;

                if (link->row && link->row->event == SCT_EVENT_SYS_ENTER)
                        return link->row->hook;
                if (strncmp(link->name, "km.", 3) == 0)
                        return "kprobe.multi";
                if (strncmp(link->name, "tp.", 3) == 0)
                        return "tracepoint";
        }
        return NULL;
}

static const ProbeRow probes[] = {
        { "sct_exec", FOR_POLICIES, "tp_btf" }, /* a task's executable */
        { "sct_rename", FOR_POLICIES, "tp_btf" }, /* its name */
        { "sct_cg_mkdir", 0, "tp_btf" },        /* units, slices, sessions, containers */
        { "sct_cg_rmdir", 0, "tp_btf" },
        { "sct_fork", SCT_EVENT_SCHED_PROCESS_FORK, "tp_btf" },
        { "sct_exit", SCT_EVENT_SCHED_PROCESS_EXIT, "tp_btf" },
        { "sct_switch", SCT_EVENT_SCHED_SWITCH, "tp_btf" },
        { "sct_cg_attach", SCT_EVENT_CGROUP_ATTACH_TASK, "tp_btf" },
        { "sct_sys_enter", SCT_EVENT_SYS_ENTER, "raw_tp" },
        { "sct_sys_exit", SCT_EVENT_SYS_EXIT, "raw_tp" },
        { "sct_x_exec", SCT_EVENT_CAPTURE_EXEC, "tp_btf" },
        { "sct_x_mement", SCT_EVENT_CAPTURE_MEM, "raw_tp" },
        { "sct_x_memexit", SCT_EVENT_CAPTURE_MEM, "raw_tp" },
        { "sct_x_modfile", SCT_EVENT_CAPTURE_MODULE, "kprobe" },
        { "sct_x_modmem", SCT_EVENT_CAPTURE_MODULE, "kprobe" },
        { "sct_x_modend", SCT_EVENT_CAPTURE_MODULE, "kprobe" },
        { "sct_x_modfend", SCT_EVENT_CAPTURE_MODULE, "kprobe" },
        { "sct_a_sysexit", SCT_EVENT_CAPTURE_WRITE, "raw_tp", SCT_EVENT_CAPTURE_READ },
        { "sct_a_exit", SCT_EVENT_CAPTURE_WRITE, "tp_btf" },
        { "sct_a_vfswrite", SCT_EVENT_CAPTURE_WRITE, "fexit", 0, "fexit:vfs_write" },
        { "sct_a_kwrite", SCT_EVENT_CAPTURE_WRITE, "fexit", 0, "fexit:__kernel_write" },
        { "sct_a_kwriteit", SCT_EVENT_CAPTURE_WRITE, "fexit", 0, "fexit:__kernel_write_iter" },
        { "sct_a_uring", SCT_EVENT_CAPTURE_WRITE, "tp_btf", SCT_EVENT_CAPTURE_READ, "io_uring_complete" },
        { "sct_a_urqueue", SCT_EVENT_CAPTURE_WRITE, "tp_btf", SCT_EVENT_CAPTURE_READ, "io_uring_queue_async_work" },
        { "sct_sock_new", FOR_PACKETS, "cgroup" },      /* owners first, then packets */
        { "sct_egress", FOR_PACKETS, "cgroup" },
        { "sct_ingress", FOR_PACKETS, "cgroup" },
        { "sct_sock_state", FOR_TCP, "tp_btf" },        /* what comes when a connection's socket is gone */
        { "sct_closed_in", FOR_TCP, "tp_btf" },
        { "sct_synack", FOR_SYNACKS, "tp_btf" },
        { "sct_h_fdfork", FOR_FD_NAMES, "tp_btf" },
        { "sct_h_fdexit", FOR_FD_NAMES, "tp_btf" },
        {},
};
