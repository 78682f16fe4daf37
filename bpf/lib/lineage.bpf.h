/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

/* What a task has from its ancestors: tree roots (tree=), and kin sets (what of its own or of an ancestor's binaries and
 * process numbers a condition names). Decided where a task begins and handed down from there, so that an ancestor may exit or
 * run another program. A walk over living ancestors is made only for what is new to a generation and for tasks
 * that were there before the service. */

#include "path.bpf.h"
#include "rule-match.bpf.h"

/* A task's number in the pid namespace at `level` (and not its own deepest one when that differs). */
static __always_inline u32 pid_at_level(struct pid *pid, u32 level) {
        struct upid upid = {};

        if (!pid || BPF_CORE_READ(pid, level) < level)
                return 0;
        bpf_probe_read_kernel(&upid, sizeof(upid), (void *) pid + bpf_core_field_offset(struct pid, numbers) +
                                                   (level & 31) * bpf_core_type_size(struct upid));
        return upid.nr;
}

/* A task's address as a number: the verifier takes no typed pointer in the place of one. */
static __always_inline u64 task_address(struct task_struct *task) {
        u64 pointer = (u64) task, address = 0;

        bpf_probe_read_kernel(&address, sizeof(address), &pointer);
        return address;
}

/* ---- Tree roots ---- */

struct tree_walk {
        u64 task;
        u64 tree;
        u32 parity;
};

static __always_inline u64 tree_root_bits(void *table, u32 pid) {
        struct sct_num_key key = { .slot = SCT_SLOT_TREE, .value = pid };
        struct sct_mask *mask = bpf_map_lookup_elem(table, &key);

        return mask ? mask->pos : 0;
}

static long tree_step(u32 i, struct tree_walk *w) {
        struct task_struct *task = (struct task_struct *) w->task, *parent;
        void *table = bpf_map_lookup_elem(&sct_g_num, &w->parity);

        if (!table)
                return 1;
        w->tree |= tree_root_bits(table, BPF_CORE_READ(task, tgid));
        w->tree |= tree_root_bits(table, BPF_CORE_READ(task, pid));
        parent = BPF_CORE_READ(task, real_parent);
        if (!parent || parent == task)
                return 1;
        w->task = (u64) parent;
        return 0;
}

/* Which tree roots a task descends from, by its living ancestors. For tasks that were there before the generation;
 * later ones inherit at fork, so that an ancestor may exit. */
static __always_inline u64 tree_of(struct task_struct *task, struct sct_gen_config *config, u32 parity) {
        struct tree_walk w = { .task = (u64) task, .parity = parity };

        if (USES(TREE) && config->n_tree_roots)
                bpf_loop(256, tree_step, &w, 0);
        return w.tree;
}

struct tree_carry {
        u64 old, tree;                /* bits of the generation before, and of this one */
        u32 parity, pad;              /* of this one */
};

static long tree_carry_step(u32 i, struct tree_carry *w) {
        u32 before = !w->parity;
        struct sct_gen_config *config = bpf_map_lookup_elem(&sct_config, &before);
        void *table = bpf_map_lookup_elem(&sct_g_num, &w->parity);

        if (!config || !table)
                return 1;
        if ((w->old >> (i & 63)) & 1)
                w->tree |= tree_root_bits(table, config->tree_root[i & 63]);
        return 0;
}

/* Roots that the generation before had too: who descended from them still does, although the ancestors between may have
 * exited. */
static __always_inline u64 tree_carried(struct sct_task *t, struct sct_gen_config *config) {
        struct tree_carry w = { .old = t->tree, .parity = config->generation & 1 };
        u32 before = !w.parity;
        struct sct_gen_config *previous = bpf_map_lookup_elem(&sct_config, &before);

        if (USES(TREE) && w.old && previous && previous->generation == t->tree_generation)
                bpf_loop(64, tree_carry_step, &w, 0);
        return w.tree;
}

static __always_inline void tree_update(struct task_struct *task, struct sct_task *t, struct sct_gen_config *config) {
        if (!USES(TREE) || t->tree_generation == config->generation)
                return;
        t->tree = tree_of(task, config, config->generation & 1) | tree_carried(t, config);
        t->tree_generation = config->generation;
}

/* ---- Kin sets ---- */

#define KIN_DEPTH 128                /* ancestors that are looked at */

/* Where the pieces are put together: buf.active of a scratch space that no event uses at the time. */
enum kin_words {
        KIN_CARRIED = 0,             /* bits that the task had in the generation before */
        KIN_KEPT = SCT_KIN_WORDS,    /* sets that the generation before had too */
        KIN_FOUND = 2 * SCT_KIN_WORDS,
        _KIN_END = 3 * SCT_KIN_WORDS,
};
_Static_assert(_KIN_END <= SCT_BANKS_MAX, "kin sets outgrew the scratch space");

/* The walk's state stands in the scratch space: frames are small. */
struct kin_context {
        struct sct_scratch *s;
        struct sct_task *t;
};

static __always_inline u64 task_pid_ns(u64 address, u32 *ret_level) {
        struct pid *pid = BPF_CORE_READ((struct task_struct *) address, thread_pid);
        struct upid upid = {};

        *ret_level = BPF_CORE_READ(pid, level);
        bpf_probe_read_kernel(&upid, sizeof(upid), (void *) pid + bpf_core_field_offset(struct pid, numbers) +
                                                   (*ret_level & 31) * bpf_core_type_size(struct upid));
        return (u64) upid.ns;
}

/* The executable where predicates look for one. */
__weak __noinline int kin_read_exe(struct sct_scratch *s, u64 address) {
        int off;
        long n;

        if (!s || !USES(KIN))
                return -1;
        s->buf.exe_off = s->buf.exe_len = 0;
        off = task_exe(s, address);
        if (off < 0 || off >= SCT_STR_MAX)
                return 0;
        n = bpf_probe_read_kernel_str(s->buf.data + 8, SCT_EXE_MAX, s->path + off);
        if (n < 1 || n > SCT_EXE_MAX)
                return 0;
        s->buf.exe_off = 8;
        s->buf.exe_len = n - 1;
        return 0;
}

/* The number in its own pid namespace, where predicates look for it. Returns whether it counts. */
__weak __noinline int kin_read_pid(struct sct_scratch *s) {
        struct task_struct *task;
        u32 level = 0;

        if (!s || !USES(KIN) || task_pid_ns(s->kin.task, &level) != s->kin.pid_ns)
                return 0;
        task = (struct task_struct *) s->kin.task;
        s->buf.rec.pid = pid_at_level(BPF_CORE_READ(task, group_leader, thread_pid), level);
        return 1;
}

/* Goes to the parent. Returns whether there is one. */
__weak __noinline int kin_ascend(struct sct_scratch *s) {
        struct task_struct *task, *parent;

        if (!s || !USES(KIN))
                return 0;
        task = (struct task_struct *) s->kin.task;
        parent = BPF_CORE_READ(task, real_parent);
        if (s->kin.only_self || !parent || parent == task)
                return 0;
        if (!s->kin.level)
                s->kin.pid_ns = 0;
        s->kin.task = (u64) parent;
        s->kin.pred = s->kin.exe_is_read = 0;
        return 1;
}

/* One predicate on one task. Predicates and ancestors are one loop and not two, one in the other: frames are few. */
static long kin_step(u32 i, struct kin_context *c) {
        struct sct_scratch *s = c->s;
        u32 index = s->kin.first + s->kin.pred;
        struct sct_pred *p = bpf_map_lookup_elem(&sct_preds, &index);
        int there = 1;

        if (!p)
                return 1;
        if (p->field == SCT_FIELD_PID)
                there = kin_read_pid(s);
        else if (!s->kin.exe_is_read) {
                kin_read_exe(s, s->kin.task);
                s->kin.exe_is_read = 1;
        }
        if (there) {
                s->kin.answer.pos = 0;
                match_field(s, &s->buf, c->t, index, &s->kin.answer);
                s->buf.active[KIN_FOUND + (p->bank & (SCT_KIN_WORDS - 1))] |= s->kin.answer.pos;
        }
        s->kin.pred++;
        if (s->kin.pred < s->kin.count)
                return 0;
        return !kin_ascend(s);
}

/* Prepares a walk that begins at a task. */
static __always_inline void kin_begin(struct sct_scratch *s, u64 address, u32 parity, u32 first, u32 count) {
        u32 i, level = 0;

        for (i = 0; i < _KIN_END; i++)
                s->buf.active[i] = 0;
        s->kin.task = address;
        s->kin.pid_ns = task_pid_ns(address, &level);
        s->kin.level = level;
        s->kin.first = first + (parity & 1) * SCT_PREDS_MAX;
        s->kin.count = count;
        s->kin.pred = s->kin.exe_is_read = s->kin.only_self = 0;
        s->kin.parity = parity;
        s->kin.n_kept = 0;
}

static long kin_carry_step(u32 i, struct kin_context *c) {
        u32 parity = c->s->kin.parity, before = !parity, word = (i / 64) & (SCT_KIN_WORDS - 1), to;
        struct sct_gen_config *config = bpf_map_lookup_elem(&sct_config, &before);
        void *table = bpf_map_lookup_elem(&sct_g_num, &parity);
        struct sct_num_key key = { .slot = SCT_SLOT_KIN };
        struct sct_mask *mask;
        u64 bit;

        if (!config || !table)
                return 1;
        key.value = config->kin_id[i & (SCT_KIN_SETS_MAX - 1)];
        mask = bpf_map_lookup_elem(table, &key);
        if (!mask || !mask->pos)
                return 0;
        to = mask->pos - 1;
        bit = 1ULL << (to & 63);
        to = (to / 64) & (SCT_KIN_WORDS - 1);
        c->s->kin.n_kept++;
        c->s->buf.active[KIN_KEPT + to] |= bit;
        if ((kin_of(c->t, before)->bits[word] >> (i & 63)) & 1)
                c->s->buf.active[KIN_CARRIED + to] |= bit;
        return 0;
}

/* What to do for the task at `address` in a generation: begins the walk, and takes over from the generation before. Returns
 * how many predicates there are on the way up, 0 when nothing is new. */
__weak __noinline int kin_prepare(struct sct_scratch *s, struct sct_task *t, u64 address, u32 generation) {
        u32 parity = generation & 1, before = !parity;
        struct sct_gen_config *config = bpf_map_lookup_elem(&sct_config, &parity);
        struct sct_gen_config *previous = bpf_map_lookup_elem(&sct_config, &before);
        struct kin_context c = {};

        if (!s || !t || !config || !previous || !USES(KIN))
                return 0;
        kin_begin(s, address, parity, config->kin_first, config->n_kin_preds);
        if (previous->n_kin && previous->generation && previous->generation == kin_of(t, before)->generation) {
                c.s = s;
                c.t = t;
                bpf_loop(previous->n_kin, kin_carry_step, &c, 0);
        }
        return s->kin.n_kept < config->n_kin ? KIN_DEPTH * (config->n_kin_preds & 0xff) : 0;
}

/* Puts the pieces together. The other processor may have answered meanwhile, and a fork or exec added something. */
__weak __noinline int kin_store(struct sct_scratch *s, struct sct_task *t, u32 generation) {
        struct sct_kin *kin;
        u32 i;

        if (!s || !t || !USES(KIN))
                return -1;
        kin = kin_of(t, generation);
        for (i = 0; i < SCT_KIN_WORDS; i++) {
                u64 bits = s->buf.active[KIN_CARRIED + i] | (s->buf.active[KIN_FOUND + i] & ~s->buf.active[KIN_KEPT + i]);

                if (kin->generation == generation)
                        kin->bits[i] |= bits;
                else
                        kin->bits[i] = bits;
        }
        kin->generation = generation;
        return 0;
}

/* Answers the kin sets of a generation for the task at `address`, once. Sets that the generation before had too are
 * taken over as they were. Overwrites s->buf. */
__weak __noinline int kin_update(struct sct_scratch *s, struct sct_task *t, u64 address, u32 generation) {
        struct kin_context c = {};
        int n;

        if (!s || !t || !USES(KIN) || kin_of(t, generation)->generation == generation)
                return 0;
        n = kin_prepare(s, t, address, generation);
        c.s = s;
        c.t = t;
        if (n > 0)
                bpf_loop(n, kin_step, &c, 0);
        return kin_store(s, t, generation);
}

/* Adds what the task is itself: the first `count` predicates. At exec and, for its number, at fork. Overwrites s->buf. */
__weak __noinline int kin_add_self(struct sct_scratch *s, struct sct_task *t, u64 address, u32 generation, u32 count) {
        u32 parity = generation & 1;
        struct sct_gen_config *config = bpf_map_lookup_elem(&sct_config, &parity);
        struct kin_context c = {};

        if (!s || !t || !config || !USES(KIN))
                return -1;
        kin_begin(s, address, parity, config->kin_first, count);
        s->kin.only_self = 1;
        c.s = s;
        c.t = t;
        bpf_loop(count, kin_step, &c, 0);
        return kin_store(s, t, generation);
}

/* A new task inherits what its creator has met; process numbers, though, mean something in one pid namespace only, and in
 * the initial one each stands for itself. */
static __always_inline void kin_fork(struct sct_task *parent, struct sct_task *child, u64 task, u32 generation) {
        u32 parity = generation & 1, parent_level = 0, level = 0, i;
        struct sct_gen_config *config = bpf_map_lookup_elem(&sct_config, &parity);
        struct sct_kin *from = kin_of(parent, generation), *to = kin_of(child, generation);
        u64 ns = task_pid_ns(task, &level), keep, bits;
        struct sct_scratch *s;

        if (!config || from->generation != generation)
                return;
        keep = level && ns == task_pid_ns((u64) bpf_get_current_task(), &parent_level);
        for (i = 0; i < SCT_KIN_WORDS; i++) {
                bits = from->bits[i] & ~(keep ? 0 : config->kin_pid[i]);
                if (to->generation == generation)
                        to->bits[i] |= bits;
                else
                        to->bits[i] = bits;
        }
        to->generation = generation;
        if (!config->n_kin_pid_preds)
                return;
        s = scratch_get();
        if (!s)
                return;
        kin_add_self(s, child, task, generation, config->n_kin_pid_preds);
        scratch_put();
}

/* The program that a task runs now, beside all that it ran before. */
static __always_inline void kin_exec(struct sct_task *t, u64 task, u32 generation, u32 count) {
        struct sct_scratch *s = scratch_get();

        if (!s)
                return;
        kin_update(s, t, task, generation);
        kin_add_self(s, t, task, generation, count);
        scratch_put();
}
