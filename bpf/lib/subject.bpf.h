/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

/* What a task's rules say, answered once and cached in task storage, stamped with the generation. An event of a task
 * that no rule wants costs one lookup and a few loads. The stamp is dropped by exec and rename (their hooks); names,
 * credentials, parent, namespaces and cgroup are compared at each event, because their changes have no tracepoint or one
 * that comes too early. */

#include "lineage.bpf.h"

#define SCT_PF_KTHREAD 0x00200000

static __always_inline u64 task_cgroup_id(struct task_struct *task) {
        return task->cgroups->dfl_cgrp->kn->id;
}

static __always_inline void fill_parent(struct task_struct *task, struct sct_record *h) {
        struct task_struct *parent = BPF_CORE_READ(task, real_parent);
        struct pid *pid = BPF_CORE_READ(task, thread_pid);
        struct pid *parent_pid = BPF_CORE_READ(parent, group_leader, thread_pid);

        h->host_ppid = BPF_CORE_READ(parent, tgid);
        h->ppid = pid_at_level(parent_pid, BPF_CORE_READ(pid, level));
}

/* Everything of the header that belongs to the task at `address`. Own functions keep the frames of what calls them small:
 * all of a chain may have 512 bytes. */
__weak __noinline int fill_header_of(struct sct_record *h, u64 address) {
        struct task_struct *task = (struct task_struct *) address;
        struct pid *pid = BPF_CORE_READ(task, thread_pid);
        u32 level = BPF_CORE_READ(pid, level);
        u32 flags = BPF_CORE_READ(task, flags);
        struct upid upid = {};

        if (!h)
                return -1;
        h->type = SCT_RECORD_EVENT;
        h->flags = flags & SCT_PF_KTHREAD ? SCT_RECORD_KTHREAD : 0;
        h->start_ns = BPF_CORE_READ(task, start_boottime);
        h->cgroup_id = BPF_CORE_READ(task, cgroups, dfl_cgrp, kn, id);
        h->host_tid = BPF_CORE_READ(task, pid);
        h->host_pid = BPF_CORE_READ(task, tgid);
        h->tid = pid_at_level(pid, level);
        h->pid = pid_at_level(BPF_CORE_READ(task, group_leader, thread_pid), level);
        fill_parent(task, h);
        h->uid = BPF_CORE_READ(task, real_cred, uid.val);
        h->gid = BPF_CORE_READ(task, real_cred, gid.val);
        h->auid = BPF_CORE_READ(task, loginuid.val);
        h->mnt_ns = BPF_CORE_READ(task, nsproxy, mnt_ns, ns.inum);
        bpf_probe_read_kernel(&upid, sizeof(upid), (void *) pid + bpf_core_field_offset(struct pid, numbers) +
                                                   (level & 31) * bpf_core_type_size(struct upid));
        h->pid_ns = BPF_CORE_READ(upid.ns, ns.inum);
        for (u32 i = 0; i < SCT_COMM_LEN / 8; i++)      /* 5.18 to 6.3 do not pad the name with zeros */
                ((u64 *) h->comm)[i] = 0;
        bpf_probe_read_kernel_str(h->comm, sizeof(h->comm), task->comm);
        for (u32 i = 0; i < SCT_UTS_LEN / 8; i++)
                ((u64 *) h->uts_name)[i] = 0;
        bpf_probe_read_kernel_str(h->uts_name, sizeof(h->uts_name), BPF_CORE_READ(task, nsproxy, uts_ns, name.nodename));
        return 0;
}

static __always_inline int fill_header(struct sct_record *h) {
        return fill_header_of(h, bpf_get_current_task());
}

/* The task's executable, as the first argument of a record. */
static __always_inline void put_exe(struct sct_buf *b, struct sct_task *t) {
        u32 size = t->exe_len;

        b->exe_off = b->exe_len = 0;
        b->used = 0;
        b->rec.n_args = 0;
        if (!size || size > SCT_EXE_MAX)
                return;
        arg_header(b, 0, SCT_ARG_INDEX_EXE, SCT_ARG_PATH, 0, size);
        bpf_probe_read_kernel(b->data + 8, size, t->exe);
        b->exe_off = 8;
        b->exe_len = size - 1;
        b->used = (8 + size + 7) & ~7U;
        b->rec.n_args = 1;
}

__weak __noinline int read_exe_of(struct sct_scratch *s, struct sct_task *t, u64 address) {
        struct task_struct *task = (struct task_struct *) address;
        struct file *file = BPF_CORE_READ(task, mm, exe_file);
        u32 len = 0, i;
        long n;
        int off;

        if (!s || !t)
                return -1;
        t->exe_len = 0;
        if (!file)
                return 0;
        off = path_resolve_of(task, s, (u64) BPF_CORE_READ(file, f_path.dentry), (u64) BPF_CORE_READ(file, f_path.mnt),
                              &len);
        if (off < 0 || off >= SCT_STR_MAX)
                return 0;
        for (i = 0; i < (SCT_EXE_MAX + 8) / 8; i++)
                ((u64 *) t->exe)[i] = 0;
        n = bpf_probe_read_kernel_str(t->exe, SCT_EXE_MAX, s->path + off);
        if (n < 0 || n > SCT_EXE_MAX)
                return 0;
        t->exe_len = n;
        if (len >= SCT_EXE_MAX)
                COUNT(n_truncated);
        return 0;
}

static __always_inline int read_exe(struct sct_scratch *s, struct sct_task *t) {
        return read_exe_of(s, t, bpf_get_current_task());
}

/* journald, by what it cannot fake: its unit's cgroup, or the inode of its binary. */
static __always_inline int task_is_journald(struct task_struct *task, u64 cgroup_id) {
        struct inode *inode;

        if (sct_state.journal_cgroup && cgroup_id == sct_state.journal_cgroup)
                return 1;
        if (!sct_state.journal_ino)
                return 0;
        inode = BPF_CORE_READ(task, mm, exe_file, f_inode);
        return inode && BPF_CORE_READ(inode, i_ino) == sct_state.journal_ino &&
               BPF_CORE_READ(inode, i_sb, s_dev) == sct_state.journal_dev;
}

struct follow_walk {
        struct sct_task *t;
        u32 parity;
};

/* A task that a rule with `follow` matched carries the rule's slot, and with it the rule, whatever else changes. */
static long follow_step(u32 rule, struct follow_walk *w) {
        u32 key = w->parity & 1, bank = (rule / 64) & (SCT_BANKS_MAX - 1), slot;
        struct sct_gen_config *config = bpf_map_lookup_elem(&sct_config, &key);
        u64 bit = 1ULL << (rule & 63);

        if (!config)
                return 1;
        slot = config->follow_slot[rule & (SCT_BANKS_MAX * 64 - 1)];
        if (!(config->follow[bank] & bit) || slot > 63)
                return 0;
        if (w->t->subject[bank] & bit)
                w->t->follow |= 1ULL << slot;
        else if ((w->t->follow >> slot) & 1)
                w->t->subject[bank] |= bit;
        return 0;
}

/* The first 16 bytes of the node name: a change behind them raises the epoch (src/kernel/node-name.c). */
static __always_inline u64 node_name_word(struct task_struct *task, u32 i) {
        return *(u64 *) (task->nsproxy->uts_ns->name.nodename + 8 * i);
}

static __always_inline u64 comm_word(struct task_struct *task, u32 i) {
        return *(u64 *) (task->comm + 8 * i);
}

/* When the process began, or its last program did: exec noted that with the thread that is the leader since. */
static __always_inline u64 process_born(struct task_struct *task) {
        struct sct_task *leader = bpf_task_storage_get(&sct_tasks, task->group_leader, NULL, 0);

        return leader && leader->born_ns ? leader->born_ns : BPF_CORE_READ(task, group_leader, start_boottime);
}

/* What of a task may change without a notice, by what rules use of it. */
static __always_inline int subject_is_as_it_was(struct task_struct *task, struct sct_task *t, u64 uses) {
        const struct cred *cred;

        if (uses & SCT_USE_COMM && (t->comm[0] != comm_word(task, 0) || t->comm[1] != comm_word(task, 1)))
                return 0;
        if (uses & SCT_USE_IDS) {
                cred = task->real_cred;
                if (t->header.uid != cred->uid.val || t->header.gid != cred->gid.val ||
                    t->header.auid != task->loginuid.val)
                        return 0;
        }
        if (uses & SCT_USE_CGROUPS && t->cgroup_id != task_cgroup_id(task))
                return 0;
        if (uses & SCT_USE_PARENTS && t->parent != (u64) task->real_parent)
                return 0;
        if (uses & SCT_USE_NAMESPACES && t->nsproxy != (u64) task->nsproxy)
                return 0;
        if (uses & SCT_USE_UTS &&
            (t->node_name[0] != node_name_word(task, 0) || t->node_name[1] != node_name_word(task, 1)))
                return 0;
        return 1;
}

/* Whether rules would say the same of the task: what they ask is compared. The cgroup of journald is asked for always. */
static __always_inline int subject_is_judged(struct task_struct *task, struct sct_task *t, u32 generation) {
        return t->generation == generation && t->epoch == sct_state.epoch && subject_is_as_it_was(task, t, sct_uses) &&
               (t->cgroup_id != sct_state.journal_cgroup || t->cgroup_id == task_cgroup_id(task));
}

/* Whether the rest of its header is as it was, too. */
static __always_inline int subject_is_described(struct task_struct *task, struct sct_task *t) {
        return subject_is_as_it_was(task, t, ~sct_uses);
}

/* Whether what is cached still holds. */
static __always_inline int subject_is_fresh(struct task_struct *task, struct sct_task *t, u32 generation) {
        return subject_is_judged(task, t, generation) && subject_is_described(task, t);
}

struct journald_walk {
        struct sct_buf *b;
        struct sct_gen_config *config;
};

/* journald's events are for those rules alone that name it. */
static long journald_step(u32 i, struct journald_walk *w) {
        u32 bank = i & (SCT_BANKS_MAX - 1);

        w->b->active[bank] &= w->config->names_journal[bank];
        return 0;
}

/* Answers plan 0 for the current task. Returns 0, or negative when there is no storage. */
__weak __noinline int subject_refresh(struct sct_scratch *s, u32 generation) {
        struct task_struct *task = bpf_get_current_task_btf();
        u32 parity = generation & 1, excluded, tgid = task->tgid;
        struct sct_gen_config *config = bpf_map_lookup_elem(&sct_config, &parity);
        struct sct_task *t;
        struct sct_buf *b;
        int journald;

        if (!s || !config)
                return -1;
        t = bpf_task_storage_get(&sct_tasks, task, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
        if (!t) {
                COUNT(n_internal);
                return -1;
        }
        b = &s->buf;

        fill_header(&t->header);
        t->cgroup_id = t->header.cgroup_id;
        t->nsproxy = (u64) task->nsproxy;
        t->parent = (u64) task->real_parent;
        t->comm[0] = comm_word(task, 0);
        t->comm[1] = comm_word(task, 1);
        t->node_name[0] = node_name_word(task, 0);
        t->node_name[1] = node_name_word(task, 1);
        if (!t->born_ns)
                t->born_ns = process_born(task);
        t->epoch = sct_state.epoch;
        if (!(t->flags & SCT_TASK_EXE)) {
                read_exe(s, t);
                t->flags |= SCT_TASK_EXE;
        }
        tree_update(task, t, config);
        if (USES(KIN) && config->n_kin)
                kin_update(s, t, bpf_get_current_task(), generation);
        if (USES(ORIGIN) && config->any_origin)
                origin_first_sight(t, bpf_get_current_task());

        b->stamp = 0;
        b->rec = t->header;
        put_exe(b, t);
        *(u64 *) b->data = t->header.mnt_ns;   /* NS_EXE: in the argument header's place, right before the text */
        excluded = bpf_map_lookup_elem(&sct_excluded, &tgid) != NULL;
        journald = task_is_journald(task, t->cgroup_id);
        bpf_probe_read_kernel(b->active, sizeof(b->active), excluded ? (const void *) sct_zeros : config->all);
        if (journald) {
                struct journald_walk w = { .b = b, .config = config };

                bpf_loop(SCT_BANKS_MAX, journald_step, &w, 0);
        }
        if (!excluded) {
                struct match_args m = {
                        .first = config->subject_first, .count = config->n_subject_preds, .parity = parity,
                        .n_banks = config->n_banks,
                };

                match_preds(s, b, t, &m);
        }

        bpf_probe_read_kernel(t->subject, sizeof(t->subject), b->active);
        if (USES(FOLLOW) && config->any_follow && !excluded) {
                struct follow_walk w = { .t = t, .parity = parity };

                bpf_loop(config->n_banks * 64, follow_step, &w, 0);
        }
        t->stamp = __sync_fetch_and_add(&sct_state.n_stamps, 1) + 1;
        t->generation = generation;
        return 0;
}

static __always_inline struct sct_task *subject_renew(struct task_struct *task, u32 generation) {
        struct sct_scratch *s = scratch_get();
        int r;

        if (!s)
                return NULL;
        r = subject_refresh(s, generation);
        scratch_put();
        return r < 0 ? NULL : bpf_task_storage_get(&sct_tasks, task, NULL, 0);
}

/* The current task's answers, refreshed when needed. NULL: nothing is known (counted). */
static __always_inline struct sct_task *subject_get(struct task_struct *task, u32 generation) {
        struct sct_task *t = bpf_task_storage_get(&sct_tasks, task, NULL, 0);

        return t && subject_is_fresh(task, t, generation) ? t : subject_renew(task, generation);
}

/* The same, but good for asking whether a rule wants an event alone: most events end there. When one does, and the task
 * is not described any more, subject_renew() makes its header good. */
static __always_inline struct sct_task *subject_get_judged(struct task_struct *task, u32 generation) {
        struct sct_task *t = bpf_task_storage_get(&sct_tasks, task, NULL, 0);

        return t && subject_is_judged(task, t, generation) ? t : subject_renew(task, generation);
}

/* Starts a record of the current task: header and executable. They change rarely: what the buffer's last record of this
 * task left there is as good as a copy. */
__weak __noinline int record_begin(struct sct_buf *b, struct sct_task *t, u32 event) {
        u32 i;

        if (!b || !t)
                return -1;
        if (b->stamp != t->stamp) {
                b->rec = t->header;
                put_exe(b, t);
                b->begin_args = b->rec.n_args;
                b->begin_used = b->used;
                b->stamp = t->stamp;
        } else {
                b->rec.flags = t->header.flags;
                b->rec.retval = 0;
                b->rec.n_args = b->begin_args;
                b->used = b->begin_used;
        }
        b->rec.event = event;
        b->rec.generation = t->generation;
        b->rec.time_ns = bpf_ktime_get_boot_ns();
        b->rec.cpu = bpf_get_smp_processor_id();
        b->rec.syscall = -1;
        b->may_defer = b->deferred = 0;
        for (i = 0; i < SCT_ARGS_MAX / 4; i++)
                ((u64 *) b->arg_off)[i] = 0;
        return 0;
}
