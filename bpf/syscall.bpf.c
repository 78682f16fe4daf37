// SPDX-License-Identifier: GPL-2.0-only
/* System calls: one event from entry and return. Entry judges the subject and the arguments and keeps the record in the
 * task's own storage; exit adds the return value and what the kernel filled in, judges that, and sends. Which calls are
 * wanted is a table, so that one pair of programs serves all of them; how they are hooked (raw tracepoints,
 * entry functions) is the attach ladder's choice in src/kernel/probes.c. */

#include "lib/arg-read.bpf.h"
#include "lib/event.bpf.h"

char LICENSE[] SEC("license") = "GPL";

#include "event-id.h"

/* What sys_enter and sys_exit report as their argument. */
static __always_inline s32 syscall_event(u32 index) {
        u32 key = index & (2 * SCT_SYSCALL_NR_MAX - 1), *id = bpf_map_lookup_elem(&sct_sysnames, &key);

        return id ? (s32) *id - 1 : -1;
}

static __always_inline u32 syscall_plan(u32 index, u32 generation) {
        u32 key = (generation & 1) * 2 * SCT_SYSCALL_NR_MAX + index, *plan = bpf_map_lookup_elem(&sct_syscalls, &key);

        return plan ? *plan : 0;
}

static __always_inline int syscall_judge(struct sct_buf *b, struct sct_task *t, struct sct_plan *plan, u32 parity,
                                         struct sct_scratch *s, int exit) {
        struct match_args m = {
                .first = plan->pred_first, .count = plan->n_preds_entry, .parity = parity,
                .bank_first = plan->bank_first, .n_banks = plan->n_banks,
        };

        if (exit) {
                m.first += plan->n_preds_entry;
                m.count = plan->n_preds - plan->n_preds_entry;
        }
        return !m.count || match_preds(s, b, t, &m);
}

#define SYSCALL_MM 7            /* in sct_buf.args, behind the six arguments */

/* What was not resident at entry and is gone with the program that execve() replaced. */
__weak __noinline int put_lost(struct sct_buf *b, u32 plan_key) {
        struct sct_plan *plan = bpf_map_lookup_elem(&sct_plans, &plan_key);

        if (!b || !plan)
                return -1;
        for (u32 i = 0; i < SCT_ARGS_MAX; i++)
                if (b->deferred >> i & 1)
                        put_fault(b, i, plan->args[i].type, SCT_ARG_FAULT);
        b->deferred = 0;
        return 0;
}

/* The current task's system call whose exit is awaited, which it then no longer is. NULL: there is none. */
static __always_inline struct sct_buf *pending_take(struct task_struct *task) {
        struct sct_buf *b = bpf_task_storage_get(&sct_pending, task, NULL, 0);

        if (!b || !b->pending)
                return NULL;
        b->pending = 0;
        __sync_fetch_and_add(&sct_state.n_pending, -1);
        return b;
}

/* Which call it is, in one word: what goes into a function of its own is at most five. */
#define SYSCALL_CALL(index, plan_index) ((index) | (plan_index) << 16)
#define SYSCALL_INDEX(call) ((call) & (2 * SCT_SYSCALL_NR_MAX - 1))
#define SYSCALL_PLAN(call) ((call) >> 16 & (SCT_PLANS_MAX - 1))

/* A rule of the task wants the call. regs: those of its entry, with its arguments; typed: the verifier knows that they are. */
static __always_inline int syscall_take(struct task_struct *task, struct sct_task *t, struct sct_plan *plan,
                                        struct pt_regs *regs, u32 call, int typed) {
        u32 generation = t->generation, parity = generation & 1, index = SYSCALL_INDEX(call), plan_index = SYSCALL_PLAN(call);
        struct sct_scratch *s;
        struct sct_buf *b;
        int wanted;

        if (!subject_is_described(task, t)) {
                t = subject_renew(task, generation);
                if (!t || !rules_wanted(t, plan))
                        return 0;
        }
        b = bpf_task_storage_get(&sct_pending, task, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
        s = scratch_get();
        if (!b || !s) {
                COUNT(n_internal);
                if (s)
                        scratch_put();
                return 0;
        }
        if (b->pending) {
                b->pending = 0;
                __sync_fetch_and_add(&sct_state.n_pending, -1);
        }

        record_begin(b, t, plan->event);
        rules_begin(b, t, plan);
        b->rec.syscall = plan->event;
        if (index >= SCT_SYSCALL_NR_MAX)
                b->rec.flags |= SCT_RECORD_COMPAT;
        if (typed && index < SCT_SYSCALL_NR_MAX)
                syscall_args_direct(regs, b->args);
        else
                syscall_args(regs, index >= SCT_SYSCALL_NR_MAX, b->args);
        b->may_defer = !(plan->flags & SCT_PLAN_NO_RETURN);
        read_args(s, b, parity * SCT_PLANS_MAX + plan_index, 0);
        b->may_defer = 0;
        if (b->deferred) {
                b->args[SYSCALL_MM] = (u64) BPF_CORE_READ(task, mm);
                wanted = 1;     /* judged at exit */
        } else
                wanted = syscall_judge(b, t, plan, parity, s, 0);
        if (wanted && plan->flags & SCT_PLAN_NO_RETURN) {
                emit(b, plan->bank_first, plan->n_banks);
                wanted = 0;
        }
        scratch_put();
        if (wanted) {
                b->generation = generation;
                b->plan = plan_index;
                b->syscall_index = index;
                b->pending = 1;
                __sync_fetch_and_add(&sct_state.n_pending, 1);
                t->flags |= SCT_TASK_PENDING;
        }
        return 0;
}

/* A function of its own: most calls of raw tracepoints are not wanted, and pass a program with a small frame that saves few
 * registers. */
static __noinline int syscall_take_typed(struct task_struct *task, struct sct_task *t, struct sct_plan *plan,
                                         struct pt_regs *regs, u32 call) {
        return syscall_take(task, t, plan, regs, call, 1);
}

static __always_inline int syscall_enter(struct task_struct *task, u32 index, u32 plan_index, struct pt_regs *regs, int typed,
                                         u32 generation) {
        struct sct_plan *plan;
        struct sct_task *t;

        if (!plan_index)
                return 0;
        plan = plan_get(plan_index, generation & 1);
        t = subject_get_judged(task, generation);
        if (!t || !plan)
                return 0;
        if (!rules_wanted(t, plan)) {
                if (t->flags & SCT_TASK_PENDING) {
                        pending_take(task);
                        t->flags &= ~SCT_TASK_PENDING;
                }
                return 0;
        }
        return typed ? syscall_take_typed(task, t, plan, regs, SYSCALL_CALL(index, plan_index))
                     : syscall_take(task, t, plan, regs, SYSCALL_CALL(index, plan_index), 0);
}

static __always_inline int syscall_exit(struct task_struct *task, s64 retval, u32 generation) {
        struct sct_buf *b = pending_take(task);
        struct sct_task *t = NULL;
        struct sct_scratch *s;
        struct sct_plan *plan;
        u32 parity, index;
        int late, judge;

        if (!b)
                return 0;

        index = b->plan;
        late = b->generation != generation;
        if (late)
                index = syscall_plan(b->syscall_index & (2 * SCT_SYSCALL_NR_MAX - 1), generation);
        parity = generation & 1;
        plan = plan_get(index, parity);
        if (!index || !plan)
                return 0;
        if (late) {
                /* The policy set changed while the call was under way: judge the whole event by the new one. */
                t = subject_get(task, generation);
                if (!t || !rules_begin(b, t, plan))
                        return 0;
                b->rec.generation = generation;
                b->rec.flags |= SCT_RECORD_LATE;
        }
        b->rec.retval = retval;
        b->rec.flags |= SCT_RECORD_HAS_RETVAL;
        judge = late || b->deferred;
        if (!judge && !(plan->flags & SCT_PLAN_EXIT_ARGS) && plan->n_preds == plan->n_preds_entry) {
                emit(b, plan->bank_first, plan->n_banks);
                return 0;
        }
        if (!t)
                t = bpf_task_storage_get(&sct_tasks, task, NULL, 0);
        s = scratch_get();
        if (!s || !t) {
                if (s)
                        scratch_put();
                return 0;
        }
        if (b->deferred && b->args[SYSCALL_MM] != (u64) BPF_CORE_READ(task, mm))
                put_lost(b, parity * SCT_PLANS_MAX + (index & (SCT_PLANS_MAX - 1)));
        if (plan->flags & SCT_PLAN_EXIT_ARGS || b->deferred)
                read_args(s, b, parity * SCT_PLANS_MAX + (index & (SCT_PLANS_MAX - 1)), 1);
        if ((!judge || syscall_judge(b, t, plan, parity, s, 0)) && syscall_judge(b, t, plan, parity, s, 1))
                emit(b, plan->bank_first, plan->n_banks);
        scratch_put();
        return 0;
}

/* The events sys_enter and sys_exit: every call of a task, by name. */
static __always_inline int syscall_any(u32 index, u32 event, s64 retval, u32 generation) {
        struct event_run r = {};
        s32 id = syscall_event(index);
        u32 key = (generation & 1) * SCT_EVENT_ID_MAX + event, *plan = bpf_map_lookup_elem(&sct_events, &key);

        if (!plan || !*plan || !event_begin_plan(&r, *plan, event, generation))
                return 0;
        r.s->buf.rec.syscall = id;
        if (event == SCT_EVENT_SYS_EXIT) {
                r.s->buf.rec.retval = retval;
                r.s->buf.rec.flags |= SCT_RECORD_HAS_RETVAL;
        }
        if (index >= SCT_SYSCALL_NR_MAX)
                r.s->buf.rec.flags |= SCT_RECORD_COMPAT;
        put_u64(&r.s->buf, 0, SCT_ARG_S32, (s64) id);
        event_end(&r);
        return 0;
}

/* Of its own, as syscall_take_typed(); at exit the chain of functions leaves no room for one more. */
static __noinline int syscall_any_enter(u32 index, u32 generation) {
        return syscall_any(index, SCT_EVENT_SYS_ENTER, 0, generation);
}

static __always_inline void syscall_any_exit(struct pt_regs *regs, s64 retval, u32 generation) {
        u64 nr = syscall_nr(regs);

        if (nr < SCT_SYSCALL_NR_MAX)
                syscall_any((syscall_is_compat(bpf_get_current_task_btf()) ? SCT_SYSCALL_NR_MAX : 0) + (nr & (SCT_SYSCALL_NR_MAX - 1)),
                            SCT_EVENT_SYS_EXIT, retval, generation);
}

SEC("tp_btf/sys_enter")
int BPF_PROG(sct_sys_enter, struct pt_regs *regs, long nr) {
        u32 generation = active_generation(), index, plan;
        struct task_struct *task;

        if (!generation || nr < 0 || nr >= SCT_SYSCALL_NR_MAX)
                return 0;
        /* Most calls are wanted by nobody, whichever table the number is of. */
        index = nr & (SCT_SYSCALL_NR_MAX - 1);
        plan = syscall_plan(index, generation);
        if (!plan && !(sct_state.syscalls_all & 1) && !syscall_plan(SCT_SYSCALL_NR_MAX + index, generation))
                return 0;
        task = bpf_get_current_task_btf();
        if (syscall_is_compat(task)) {
                index += SCT_SYSCALL_NR_MAX;
                plan = syscall_plan(index, generation);
        }
        if (sct_state.syscalls_all & 1)
                syscall_any_enter(index, generation);
        return syscall_enter(task, index, plan, regs, 1, generation);
}

SEC("tp_btf/sys_exit")
int BPF_PROG(sct_sys_exit, struct pt_regs *regs, long retval) {
        u32 generation = active_generation();

        if (!generation)
                return 0;
        if (sct_state.syscalls_all & 2)
                syscall_any_exit(regs, retval, generation);
        if (!sct_state.n_pending)
                return 0;
        return syscall_exit(bpf_get_current_task_btf(), retval, generation);
}

/* The entry functions __x64_sys_NAME, __ia32_sys_NAME and __ia32_compat_sys_NAME, whose one argument is the registers of
 * the call: attached to the wanted calls alone, all others run as if nothing were there. Which call it is stands in the
 * registers, so a function may be hooked that serves several numbers. */
SEC("kprobe.multi")
int sct_km_enter(struct pt_regs *ctx) {
        struct task_struct *task = bpf_get_current_task_btf();
        struct pt_regs *regs = (struct pt_regs *) PT_REGS_PARM1(ctx);
        u32 generation = active_generation();
        u64 nr;

        if (!generation)
                return 0;
        nr = syscall_nr(regs);
        if (nr >= SCT_SYSCALL_NR_MAX)
                return 0;
        if (syscall_is_compat(task))
                nr += SCT_SYSCALL_NR_MAX;
        nr &= 2 * SCT_SYSCALL_NR_MAX - 1;
        return syscall_enter(task, nr, syscall_plan(nr, generation), regs, 0, generation);
}

SEC("kprobe.multi")
int sct_km_exit(struct pt_regs *ctx) {
        u32 generation = active_generation();

        if (!generation || !sct_state.n_pending)
                return 0;
        return syscall_exit(bpf_get_current_task_btf(), PT_REGS_RC(ctx), generation);
}
