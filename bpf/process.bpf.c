// SPDX-License-Identifier: GPL-2.0-only
/* Lifetime of tasks: fork, exec, exit, rename. The hooks are always attached: what a process inherits (tree, follow) and
 * what it is (its executable) is decided here, at the moment it begins, whether or not a rule wants the event. */

#include "lib/event.bpf.h"
#include "event-id.h"

char LICENSE[] SEC("license") = "GPL";

static __always_inline struct sct_gen_config *config_get(u32 generation) {
        u32 parity = generation & 1;

        return bpf_map_lookup_elem(&sct_config, &parity);
}

static __always_inline u32 ns_pid(struct task_struct *task) {
        struct pid *pid = BPF_CORE_READ(task, thread_pid);

        return pid_at_level(pid, BPF_CORE_READ(pid, level));
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(sct_fork, struct task_struct *parent, struct task_struct *child) {
        u32 generation = active_generation();
        struct sct_gen_config *config;
        struct event_run r = {};
        struct sct_task *t, *c;

        if (!generation)
                return 0;
        config = config_get(generation);
        if (!config)
                return 0;

        /* The parent is answered first, so that a rule that it matched without ever having had an event is inherited. */
        if (sct_uses & (SCT_USE_TREE | SCT_USE_FOLLOW | SCT_USE_KIN | SCT_USE_ORIGIN) &&
            (config->n_tree_roots || config->any_follow || config->n_kin || config->any_origin)) {
                t = subject_get(bpf_get_current_task_btf(), generation);
                if (t && (t->tree || t->follow || config->n_kin || config->any_origin)) {
                        c = bpf_task_storage_get(&sct_tasks, child, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
                        if (c) {
                                c->tree = t->tree;
                                c->tree_generation = generation;
                                c->follow = t->follow;
                                if (USES(KIN) && config->n_kin)
                                        kin_fork(t, c, task_address(child), generation);
                                if (USES(ORIGIN) && config->any_origin)
                                        origin_fork(t, c, task_address(child), child->tgid == parent->tgid);
                        } else
                                COUNT(n_internal);
                }
        }

        if (event_begin(&r, SCT_EVENT_SCHED_PROCESS_FORK)) {
                struct sct_buf *b = &r.s->buf;

                put_u64(b, 0, SCT_ARG_S32, (s64) parent->pid);
                put_u64(b, 1, SCT_ARG_S32, (s64) ns_pid(parent));
                put_u64(b, 2, SCT_ARG_S32, (s64) parent->tgid);
                put_u64(b, 3, SCT_ARG_S32, (s64) ns_pid(BPF_CORE_READ(parent, group_leader)));
                put_u64(b, 4, SCT_ARG_S32, (s64) child->pid);
                put_u64(b, 5, SCT_ARG_S32, (s64) ns_pid(child));
                put_u64(b, 6, SCT_ARG_S32, (s64) child->tgid);
                put_u64(b, 7, SCT_ARG_S32, (s64) ns_pid(BPF_CORE_READ(child, group_leader)));
                put_u64(b, 8, SCT_ARG_U64, BPF_CORE_READ(child, start_boottime));
                event_end(&r);
        }
        return 0;
}

/* A block of strings that stands in the process's memory: argv or envp right after exec. */
__weak __noinline int put_block(struct sct_buf *b, u32 index, u64 start, u64 end) {
        u64 size = end - start;
        int truncated;

        if (!b)
                return -1;
        if (end < start)
                size = 0;
        truncated = size > SCT_STR_MAX;
        put_bytes_user(b, index, SCT_ARG_KSTRV, start, truncated ? SCT_STR_MAX : size);
        return 0;
}

struct interpreter {
        u64 file;
};

static long interpreter_found(struct task_struct *task, struct vm_area_struct *vma, struct interpreter *ret) {
        ret->file = (u64) BPF_CORE_READ(vma, vm_file);
        return 0;
}

/* The ELF interpreter is what is mapped where the auxiliary vector's AT_BASE (7) points. bpf_find_vma is of 5.17. */
static __always_inline u64 interpreter_file(struct task_struct *task) {
        struct mm_struct *mm = BPF_CORE_READ(task, mm);
        struct interpreter found = {};
        u64 aux[2], base = 0;

        for (u32 i = 0; i < 22; i++) {
                if (bpf_probe_read_kernel(aux, sizeof(aux), (void *) mm + bpf_core_field_offset(struct mm_struct, saved_auxv) +
                                          i * sizeof(aux)))
                        break;
                if (aux[0] == 7) {
                        base = aux[1];
                        break;
                }
                if (aux[0] == 0)
                        break;
        }
        if (base)
                bpf_find_vma(task, base, interpreter_found, &found, 0);
        return found.file;
}

static __always_inline void put_inode(struct sct_buf *b, u32 first, struct inode *inode, int mode) {
        put_u64(b, first, SCT_ARG_U32, BPF_CORE_READ(inode, i_sb, s_dev));
        put_u64(b, first + 1, SCT_ARG_U64, BPF_CORE_READ(inode, i_ino));
        put_u64(b, first + 2, SCT_ARG_U64, inode_ctime_ns(inode));
        if (mode)
                put_u64(b, first + 3, SCT_ARG_U16, BPF_CORE_READ(inode, i_mode));
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(sct_exec, struct task_struct *task, pid_t old_pid, struct linux_binprm *bprm) {
        u32 generation = active_generation();
        struct task_struct *current = bpf_get_current_task_btf();
        struct sct_gen_config *config;
        struct event_run r = {};
        struct sct_task *t;

        if (!generation)
                return 0;
        config = config_get(generation);
        t = bpf_task_storage_get(&sct_tasks, current, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
        if (t) {
                /* What the old program matched stays matched (follow): its answers are in t->follow already, because
                 * fork answered them or an event did; a task without either is answered as the new program. */
                t->flags &= ~SCT_TASK_EXE;
                t->generation = 0;
                t->born_ns = bpf_ktime_get_boot_ns();
                if (USES(ORIGIN))
                        origin_exec(t, bpf_get_current_task());
                if (USES(KIN) && config && config->n_kin)
                        kin_exec(t, bpf_get_current_task(), generation, config->n_kin_preds);
        }

        if (event_begin(&r, SCT_EVENT_SCHED_PROCESS_EXEC)) {
                struct sct_buf *b = &r.s->buf;
                struct file *file = BPF_CORE_READ(bprm, file), *in = NULL, **fds;
                struct inode *inode = BPF_CORE_READ(file, f_inode);
                struct mm_struct *mm = BPF_CORE_READ(current, mm);
                u64 interpreter;

                put_str(b, 0, SCT_ARG_KSTR, (u64) BPF_CORE_READ(bprm, filename), 0);
                put_file_path(b, r.s, 1, (u64) file);
                put_inode(b, 2, inode, 1);
                interpreter = interpreter_file(current);
                if (interpreter && interpreter != (u64) file) {
                        put_file_path(b, r.s, 6, interpreter);
                        put_inode(b, 7, BPF_CORE_READ((struct file *) interpreter, f_inode), 0);
                }
                put_block(b, 10, BPF_CORE_READ(mm, arg_start), BPF_CORE_READ(mm, arg_end));
                put_str(b, 11, SCT_ARG_KSTR, (u64) BPF_CORE_READ(bprm, interp), 0);
                fds = BPF_CORE_READ(current, files, fdt, fd);
                bpf_probe_read_kernel(&in, sizeof(in), fds);
                if (in) {
                        put_u64(b, 12, SCT_ARG_U16, BPF_CORE_READ(in, f_inode, i_mode));
                        put_file_path(b, r.s, 13, (u64) in);
                }
                put_u64(b, 14, SCT_ARG_S32, !!(BPF_CORE_READ(current, real_parent, flags) & SCT_PF_KTHREAD));
                if (r.plan->flags & SCT_PLAN_EXEC_ENV)
                        put_block(b, 15, BPF_CORE_READ(mm, env_start), BPF_CORE_READ(mm, env_end));
                event_end(&r);
        }

        /* Read now, whoever asks later: at exit there may be no memory map any more that tells (before 6.16). */
        if (t && !(t->flags & SCT_TASK_EXE)) {
                struct sct_scratch *s = scratch_get();

                if (s) {
                        read_exe(s, t);
                        t->flags |= SCT_TASK_EXE;
                        scratch_put();
                }
        }
        return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(sct_exit, struct task_struct *task) {
        struct event_run r = {};
        struct sct_buf *pending;

        /* A call that never returns, because its task was killed in it, is awaited no longer. */
        if (sct_state.n_pending) {
                pending = bpf_task_storage_get(&sct_pending, bpf_get_current_task_btf(), NULL, 0);
                if (pending && pending->pending) {
                        pending->pending = 0;
                        __sync_fetch_and_add(&sct_state.n_pending, -1);
                }
        }
        if (event_begin(&r, SCT_EVENT_SCHED_PROCESS_EXIT)) {
                u64 status = (u32) BPF_CORE_READ(task, exit_code);   /* as wait(2) tells it */
                struct sct_buf *b = &r.s->buf;

                put_u64(b, 0, SCT_ARG_S64, status & 0x7f ? 128 + (status & 0x7f) : status >> 8 & 0xff);
                put_u64(b, 1, SCT_ARG_BOOL, BPF_CORE_READ(task, signal, live.counter) == 0);
                event_end(&r);
        }
        return 0;
}

SEC("tp_btf/task_rename")
int BPF_PROG(sct_rename, struct task_struct *task, const char *comm) {
        struct event_run r = {};
        struct sct_task *t;

        /* The task may be another one (a write to /proc/PID/comm). The event's subject is who did it. */
        if (event_begin(&r, SCT_EVENT_TASK_RENAME)) {
                struct sct_buf *b = &r.s->buf;

                put_comm(b, 0, task->comm);
                put_str(b, 1, SCT_ARG_KSTR, (u64) comm, 0);
                event_end(&r);
        }
        t = bpf_task_storage_get(&sct_tasks, task, NULL, 0);
        if (t)
                t->generation = 0;
        return 0;
}

SEC("tp_btf/sched_switch")
int BPF_PROG(sct_switch, bool preempt, struct task_struct *prev, struct task_struct *next) {
        struct event_run r = {};

        if (event_begin(&r, SCT_EVENT_SCHED_SWITCH)) {
                struct sct_buf *b = &r.s->buf;

                put_u64(b, 0, SCT_ARG_S32, bpf_get_smp_processor_id());
                put_u64(b, 1, SCT_ARG_S32, (s64) prev->pid);
                put_comm(b, 2, prev->comm);
                put_u64(b, 3, SCT_ARG_S32, (s64) next->pid);
                put_comm(b, 4, next->comm);
                event_end(&r);
        }
        return 0;
}

/* Tasks that run already, at a change of the policy set: what they have from their ancestors is answered now, while those
 * live, and what they are now is noted as their origin. */
SEC("iter/task")
int sct_iter_task(struct bpf_iter__task *ctx) {
        struct task_struct *task = ctx->task;
        u32 generation = active_generation();
        struct sct_gen_config *config;
        struct sct_scratch *s;
        struct sct_task *t;
        u64 tree;
        int all;

        if (!task || !generation)
                return 0;
        config = config_get(generation);
        if (!config)
                return 0;
        tree = tree_of(task, config, generation & 1);
        all = tree || config->n_kin || config->any_origin;
        t = bpf_task_storage_get(&sct_tasks, task, NULL, all ? BPF_LOCAL_STORAGE_GET_F_CREATE : 0);
        if (!t)
                return 0;
        if (config->n_tree_roots && t->tree_generation != generation) {
                t->tree = tree | tree_carried(t, config);
                t->tree_generation = generation;
        }
        if (USES(ORIGIN) && config->any_origin)
                origin_first_sight(t, task_address(task));
        if (USES(KIN) && config->n_kin) {
                s = scratch_get();
                if (s) {
                        kin_update(s, t, task_address(task), generation);
                        scratch_put();
                }
        }
        return 0;
}
