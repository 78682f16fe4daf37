/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The handle of the kernel side and the order of things when a generation becomes active. The order is what keeps the
 * promise that no event is missed or judged by half a set: tables of the other parity first, then hooks, then the one
 * word that flips, and only then what nobody wants any more is detached. */

#include <stdarg.h>
#include <stdio.h>
#include <sys/utsname.h>

#include "event-id.h"
#include "kernel-internal.h"
#include "../../bpf/abi/plan.h"
#include "state.h"

int kernel_error(char **reterr, int r, const char *format, ...) {
        va_list ap;

        if (reterr && !*reterr) {
                va_start(ap, format);
                if (vasprintf(reterr, format, ap) < 0)
                        *reterr = NULL;
                va_end(ap);
        }
        return r;
}

bool kernel_is_since(unsigned major, unsigned minor) {
        unsigned running_major = 0, running_minor = 0;
        struct utsname u;

        if (uname(&u) < 0 || sscanf(u.release, "%u.%u", &running_major, &running_minor) != 2)
                return false;
        return running_major > major || (running_major == major && running_minor >= minor);
}

Kernel *kernel_free(Kernel *k) {
        if (!k)
                return NULL;
        node_name_unwatch(k);
        ringbuf_close(k);
        for (size_t i = 0; i < k->n_links; i++)
                safe_close(k->links[i].fd);
        free(k->links);
        probes_close_former(k);
        for (size_t i = 0; i < k->n_predecessor; i++)
                safe_close(k->predecessor[i].fd);
        free(k->predecessor);
        probes_close(k);
        syscall_symbols_done(&k->symbols);
        hooks_done(k);
        artifacts_done(k);
        safe_close(k->cgroup_root_fd);
        free(k->cgroup_root);
        free(k);
        return NULL;
}

int kernel_new(const KernelConfig *config, const FeatureSet *features, KernelFd *stored, size_t n_stored, Kernel **ret,
               char **reterr) {
        _cleanup_(kernel_freep) Kernel *k = NULL;
        int r;

        assert(features);
        assert(ret);

        if (geteuid() != 0 && !features->granted[FEATURE_TP_BTF])
                return kernel_error(reterr, -EPERM, "Only root may load programs into the kernel.");
        if (!features->granted[FEATURE_TP_BTF] || !features->granted[FEATURE_TASK_STORAGE])
                return kernel_error(reterr, -ENOTSUP, "This kernel cannot run scopetrace: %s (%s).",
                                    feature_sentence(features->granted[FEATURE_TP_BTF] ? FEATURE_TASK_STORAGE
                                                                                       : FEATURE_TP_BTF),
                                    features->reason[features->granted[FEATURE_TP_BTF] ? FEATURE_TASK_STORAGE
                                                                                       : FEATURE_TP_BTF]);
        k = new0(Kernel, 1);
        if (!k)
                return -ENOMEM;
        k->features = features;
        k->cgroup_root_fd = -EBADF;
        k->seen_uses = k->seen_uses_types = config && config->whole_programs ? UINT64_MAX : 0;
        k->artifact_ring_bytes = config ? config->artifact_ring_bytes : 0;
        (void) artifacts_take(k, stored, n_stored);

        r = probes_open(k, config ? config->ring_bytes : 0, stored, n_stored, reterr);
        if (r < 0)
                return r;
        k->state = probes_bss(k);
        if (!k->state)
                return kernel_error(reterr, -errno, "The kernel side's globals could not be mapped: %s.", strerror(errno));
        k->instance = k->state->active_instance + 1;
        k->generation = k->state->generation;
        if (k->state->next_seq == 0)        /* 0 is "no number" to readers */
                k->state->next_seq = k->state->flushed_seq = 1;

        r = maps_write_constants(k);
        if (r < 0)
                return kernel_error(reterr, r, "The kernel side's constant tables could not be written: %s.", strerror(-r));
        r = ringbuf_open(k);
        if (r < 0)
                return kernel_error(reterr, r, "The event ring could not be mapped: %s.", strerror(-r));

        /* Hooks first, then the scan: a cgroup that begins meanwhile is seen by either. */
        r = probes_attach_lifetime(k, reterr);
        if (r < 0)
                return r;
        r = cgroups_open(k, config ? config->cgroup_root : NULL);
        if (r >= 0) {
                if (k->generation == 0)
                        k->state->active_instance = k->instance;
                r = cgroups_scan(k);
        }
        if (r < 0 && r != -ENOENT)
                return kernel_error(reterr, r, "The cgroups that exist could not be read: %s.", strerror(-r));
        cgroups_find_journald(k);
        if (k->generation == 0)
                k->state->active_instance = k->instance;

        *ret = TAKE_PTR(k);
        return 0;
}

/* The set could not be attached. What judged goes on judging. At the start nothing of ours judged: what was attached is
 * kept for the next attempt. */
static void give_up(Kernel *k) {
        if (k->applied) {
                probes_restore_former(k);
                return;
        }
        if (k->generation == 0)
                k->state->active_instance = k->instance;
        probes_close_former(k);
}

int kernel_apply(Kernel *k, const Plan *plan, char **reterr) {
        _cleanup_(hook_tables_freep) HookTables *hooks = new0(HookTables, 1);
        uint32_t n_any = 0;
        int r;

        assert(k);
        assert(plan);
        assert(plan->config.generation != 0);

        if (!hooks)
                return -ENOMEM;
        r = hooks_resolve(k, plan, hooks, reterr);
        if (r < 0)
                return r;
        r = maps_write_plan(k, plan, hooks, reterr);
        if (r < 0)
                return r;
        r = cgroups_match(k, plan);
        if (r < 0)
                return kernel_error(reterr, r, "The cgroups could not be matched against the policies: %s.", strerror(-r));
        r = artifacts_make(k, plan, reterr);
        if (r < 0)
                return r;
        probes_specialise(k, plan);
        r = probes_attach_wanted(k, plan, reterr);
        if (r >= 0)
                r = hooks_attach(k, reterr);
        if (r < 0) {
                give_up(k);
                return r;
        }
        cgroups_find_journald(k);

        if (plan->config.plan_sys_enter)
                n_any |= 1;
        if (plan->config.plan_sys_exit)
                n_any |= 2;
        k->state->syscalls_all |= n_any;
        __atomic_thread_fence(__ATOMIC_SEQ_CST);
        k->state->generation = plan->config.generation;
        k->state->active_instance = k->instance;
        __atomic_thread_fence(__ATOMIC_SEQ_CST);
        k->state->syscalls_all = n_any;
        k->generation = plan->config.generation;
        k->applied = true;

        /* Our programs judge now; a predecessor's returned at the flip. */
        for (size_t i = 0; i < k->n_predecessor; i++)
                safe_close(k->predecessor[i].fd);
        k->n_predecessor = 0;
        probes_close_former(k);

        if (plan->config.n_tree_roots > 0 || plan->config.n_kin > 0 || plan->config.any_origin)
                (void) probes_iterate(k, "sct_iter_task");
        if (plan->config.packet_kinds != 0 && !k->packets)
                (void) probes_iterate(k, "sct_iter_sock");
        k->packets = plan->config.packet_kinds != 0;
        probes_detach_unwanted(k, plan);
        return 0;
}

uint32_t kernel_generation(const Kernel *k) {
        return k->generation;
}

unsigned kernel_n_hooks(const Kernel *k) {
        return k->n_links;
}

void kernel_counters(Kernel *k, KernelCounters *ret) {
        *ret = (KernelCounters) {
                .n_lost = k->state->n_lost,
                .n_truncated = k->state->n_truncated,
                .n_faults = k->state->n_faults,
                .n_path_errors = k->state->n_path_errors,
                .n_internal = k->state->n_internal,
                .ring_bytes = k->ring_bytes,
        };
}

uint64_t kernel_n_lost(const Kernel *k) {
        return k->state->n_lost;
}

int kernel_lost_by_rule(Kernel *k, uint64_t *counts, size_t n_rules) {
        int fd = map_fd(k, "sct_lost_rules");

        for (uint32_t i = 0; i < n_rules; i++)
                if (bpf_map_lookup_elem(fd, &i, counts + i) < 0)
                        return -errno;
        return 0;
}

int kernel_rule_acted(Kernel *k, uint32_t generation, uint32_t rule, struct sct_acted *ret) {
        uint32_t key = (generation & 1) * SCT_BANKS_MAX * 64 + rule;

        if (generation + 1 < k->generation || generation > k->generation || rule >= SCT_BANKS_MAX * 64)
                return -ESTALE;
        if (bpf_map_lookup_elem(map_fd(k, "sct_acted"), &key, ret) < 0)
                return -errno;
        return 0;
}

int kernel_cgroup_lookup(Kernel *k, uint64_t cgroup_id, struct sct_cgroup *ret) {
        if (bpf_map_lookup_elem(map_fd(k, "sct_cgroups"), &cgroup_id, ret) < 0)
                return -errno;
        return 0;
}

void kernel_cgroup_forget(Kernel *k, uint64_t cgroup_id) {
        (void) bpf_map_delete_elem(map_fd(k, "sct_cgroups"), &cgroup_id);
}

int kernel_exclude_process(Kernel *k, uint32_t host_pid, bool exclude) {
        int fd = map_fd(k, "sct_excluded"), r;
        uint32_t one = 1;

        r = exclude ? bpf_map_update_elem(fd, &host_pid, &one, BPF_ANY) : bpf_map_delete_elem(fd, &host_pid);
        if (r < 0)
                return -errno;
        k->state->epoch++;
        return 0;
}

size_t kernel_list_fds(Kernel *k, KernelFd *fds, size_t max) {
        return probes_list_fds(k, fds, max);
}

uint64_t kernel_next_seq(Kernel *k, uint64_t advance) {
        uint64_t v = k->state->next_seq;

        k->state->next_seq = v + advance;
        return v;
}

uint64_t kernel_flushed_seq(Kernel *k, bool all) {
        uint64_t v = k->state->flushed_seq;

        if (all)
                k->state->flushed_seq = k->state->next_seq;
        return v;
}
