/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

/* What a policy set says of a task that does not run now, by a copy of what was known of it: owners of packets and of
 * tracked sockets, when the policy set has changed since. */

#include "emit.bpf.h"

/* Answers plan 0 for the copy, as things stand. What a rule asks of the task itself and not of its record is as it was when the copy was
 * made. */
__weak __noinline int owner_judge(struct sct_scratch *s, struct sct_task *t, u32 generation) {
        u32 parity = generation & 1, i, tgid;
        struct sct_gen_config *config = bpf_map_lookup_elem(&sct_config, &parity);
        struct sct_buf *b;
        int excluded, journald;

        if (!s || !t || !config)
                return -1;
        b = &s->buf;
        tgid = t->header.host_pid;
        if (t->tree_generation != generation) {
                t->tree = tree_carried(t, config);
                t->tree_generation = generation;
        }
        t->epoch = sct_state.epoch;
        b->stamp = 0;
        b->rec = t->header;
        put_exe(b, t);
        *(u64 *) b->data = t->header.mnt_ns;   /* NS_EXE, see subject_refresh() */
        excluded = bpf_map_lookup_elem(&sct_excluded, &tgid) != NULL;
        journald = sct_state.journal_cgroup && t->cgroup_id == sct_state.journal_cgroup;
        for (i = 0; i < SCT_BANKS_MAX; i++)
                b->active[i] = excluded ? 0 : journald ? config->all[i] & config->names_journal[i] : config->all[i];
        if (!excluded) {
                struct match_args m = {
                        .first = config->subject_first, .count = config->n_subject_preds, .parity = parity,
                        .n_banks = config->n_banks,
                };

                match_preds(s, b, t, &m);
        }
        for (i = 0; i < SCT_BANKS_MAX; i++)
                t->subject[i] = b->active[i];
        if (USES(FOLLOW) && config->any_follow && !excluded) {
                struct follow_walk w = { .t = t, .parity = parity };

                bpf_loop(config->n_banks * 64, follow_step, &w, 0);
        }
        t->generation = generation;
        t->stamp = __sync_fetch_and_add(&sct_state.n_stamps, 1) + 1;
        return 0;
}

/* One predicate on the copy, where kin_step() asks a living task. */
static long owner_kin_step(u32 i, struct kin_context *c) {
        struct sct_scratch *s = c->s;
        u32 index = s->kin.first + i;
        struct sct_pred *p = bpf_map_lookup_elem(&sct_preds, &index);

        if (!p)
                return 1;
        s->kin.answer.pos = 0;
        match_field(s, &s->buf, c->t, index, &s->kin.answer);
        s->buf.active[KIN_FOUND + (p->bank & (SCT_KIN_WORDS - 1))] |= s->kin.answer.pos;
        return 0;
}

/* Kin sets of the copy: those that the generation before had too as they were; new ones by the task itself, since its
 * ancestors are not known any more. Comes before owner_judge(). */
__weak __noinline int owner_kin(struct sct_scratch *s, struct sct_task *t, u32 generation) {
        u32 parity = generation & 1, before = !parity, i;
        struct sct_gen_config *config = bpf_map_lookup_elem(&sct_config, &parity);
        struct sct_gen_config *previous = bpf_map_lookup_elem(&sct_config, &before);
        struct kin_context c = {};

        if (!s || !t || !config || !previous || !USES(KIN) || !config->n_kin ||
            kin_of(t, generation)->generation == generation)
                return 0;
        c.s = s;
        c.t = t;
        for (i = 0; i < _KIN_END; i++)
                s->buf.active[i] = 0;
        s->kin.first = config->kin_first + parity * SCT_PREDS_MAX;
        s->kin.parity = parity;
        s->kin.n_kept = 0;
        if (previous->n_kin && previous->generation && previous->generation == kin_of(t, before)->generation)
                bpf_loop(previous->n_kin, kin_carry_step, &c, 0);
        s->buf.stamp = 0;
        s->buf.rec = t->header;
        put_exe(&s->buf, t);
        bpf_loop(config->n_kin_preds, owner_kin_step, &c, 0);
        return kin_store(s, t, generation);
}
