// SPDX-License-Identifier: GPL-2.0-only
/* Cgroups: units, slices, sessions and containers are cgroups, and which rules ask for one is decided at the moment it
 * begins, in the kernel, so that its first process is never missed because user space was late. */

#include "lib/event.bpf.h"
#include "abi/glob.h"
#include "event-id.h"

char LICENSE[] SEC("license") = "GPL";

struct pattern_walk {
        struct sct_cgroup *cgroup;
        u32 parity;
};

static long pattern_step(u32 i, struct pattern_walk *w) {
        u32 key = (w->parity & 1) * SCT_CGROUP_PATTERNS_MAX + (i & (SCT_CGROUP_PATTERNS_MAX - 1));
        struct sct_cgroup_pattern *pattern = bpf_map_lookup_elem(&sct_cgpatterns, &key);

        if (pattern && sct_cgroup_match(pattern, w->cgroup))
                w->cgroup->bits[w->parity & 1][(i / 64) & (SCT_CGROUP_PATTERNS_MAX / 64 - 1)] |= 1ULL << (i & 63);
        return 0;
}

static __always_inline void match_patterns(struct sct_cgroup *cgroup, u32 parity) {
        struct sct_gen_config *config = bpf_map_lookup_elem(&sct_config, &parity);
        struct pattern_walk w = { .cgroup = cgroup, .parity = parity };

        if (config && config->n_cgroup_patterns)
                bpf_loop(config->n_cgroup_patterns, pattern_step, &w, 0);
}

static __always_inline void cgroup_store(struct sct_scratch *s, u64 id) {
        if (bpf_map_update_elem(&sct_cgroups, &id, &s->cgroup, BPF_ANY))
                COUNT(n_internal);
        emit_cgroup(&s->buf, SCT_RECORD_CGROUP_MKDIR, id);
}

/* The path is the parent's and the name: relative to the root that the service sees. A parent that is not known is
 * outside of that root. */
static __always_inline int cgroup_begin(struct sct_scratch *s, struct cgroup *cgrp) {
        struct cgroup *parent = (struct cgroup *) BPF_CORE_READ(cgrp, self.parent, cgroup);
        u64 id = BPF_CORE_READ(cgrp, kn, id), parent_id = BPF_CORE_READ(parent, kn, id);
        struct sct_cgroup *up = bpf_map_lookup_elem(&sct_cgroups, &parent_id), *c = &s->cgroup;
        const char *name = BPF_CORE_READ(cgrp, kn, name);
        u32 len;
        long n;

        if (!up)
                return 0;
        bpf_probe_read_kernel(c, sizeof(*c), up);
        c->parent_id = parent_id;
        c->born_ns = bpf_ktime_get_boot_ns();
        len = c->path_len;
        if (len == 1)      /* the root is "/" */
                len = 0;
        if (len > SCT_CGROUP_PATH_MAX - 2) {
                /* Too deep for its own name: it belongs to what its parent belongs to. */
                COUNT(n_truncated);
                c->flags &= SCT_CGROUP_IN_UNIT | SCT_CGROUP_IN_CONTAINER;
                cgroup_store(s, id);
                return 0;
        }
        c->path[len & (SCT_CGROUP_PATH_MAX - 1)] = '/';
        len++;
        n = bpf_probe_read_kernel_str(c->path + (len & (SCT_CGROUP_PATH_MAX - 1)), 256, name);
        if (n <= 0 || n > 256)
                return -1;
        c->name_offset = len;
        len += n - 1;
        if (len > SCT_CGROUP_PATH_MAX - 1) {
                COUNT(n_truncated);
                len = SCT_CGROUP_PATH_MAX - 1;
                c->path[SCT_CGROUP_PATH_MAX - 1] = 0;
        }
        c->path_len = len;
        sct_cgroup_parse(c, up);
        match_patterns(c, 0);
        match_patterns(c, 1);
        cgroup_store(s, id);
        return 0;
}

/* Only the default hierarchy counts: that is where systemd keeps units, also in hybrid mode. */
static __always_inline int cgroup_is_default(struct cgroup *cgrp) {
        struct task_struct *task = bpf_get_current_task_btf();

        return BPF_CORE_READ(cgrp, root) == BPF_CORE_READ(task, cgroups, dfl_cgrp, root);
}

static __always_inline void cgroup_event(struct cgroup *cgrp, const char *path, u32 event) {
        struct event_run r = {};

        if (event_begin(&r, event)) {
                struct sct_buf *b = &r.s->buf;

                put_u64(b, 0, SCT_ARG_U64, BPF_CORE_READ(cgrp, kn, id));
                put_str(b, 1, SCT_ARG_KSTR, (u64) path, 0);
                put_u64(b, 2, SCT_ARG_U32, BPF_CORE_READ(cgrp, root, hierarchy_id));
                event_end(&r);
        }
}

SEC("tp_btf/cgroup_mkdir")
int BPF_PROG(sct_cg_mkdir, struct cgroup *cgrp, const char *path) {
        struct sct_scratch *s;

        /* Bookkeeping runs before the first policy too: what begins now will be asked for later. */
        if (sct_state.active_instance != sct_instance)
                return 0;
        if (cgroup_is_default(cgrp)) {
                s = scratch_get();
                if (s) {
                        cgroup_begin(s, cgrp);
                        scratch_put();
                }
        }
        cgroup_event(cgrp, path, SCT_EVENT_CGROUP_MKDIR);
        return 0;
}

SEC("tp_btf/cgroup_rmdir")
int BPF_PROG(sct_cg_rmdir, struct cgroup *cgrp, const char *path) {
        struct sct_scratch *s;

        if (sct_state.active_instance != sct_instance)
                return 0;
        cgroup_event(cgrp, path, SCT_EVENT_CGROUP_RMDIR);
        if (cgroup_is_default(cgrp)) {
                s = scratch_get();
                if (s) {
                        emit_cgroup(&s->buf, SCT_RECORD_CGROUP_RMDIR, BPF_CORE_READ(cgrp, kn, id));
                        scratch_put();
                }
        }
        return 0;
}

SEC("tp_btf/cgroup_attach_task")
int BPF_PROG(sct_cg_attach, struct cgroup *cgrp, const char *path, struct task_struct *task, bool threadgroup) {
        struct event_run r = {};

        /* The task's own cached answers notice the move by themselves: its cgroup id differs. */
        if (event_begin(&r, SCT_EVENT_CGROUP_ATTACH_TASK)) {
                struct sct_buf *b = &r.s->buf;

                put_str(b, 0, SCT_ARG_KSTR, (u64) path, 0);
                put_comm(b, 1, task->comm);
                put_u64(b, 2, SCT_ARG_S32, (s64) task->pid);
                event_end(&r);
        }
        return 0;
}
