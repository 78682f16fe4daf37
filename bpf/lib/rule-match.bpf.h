/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

/* Rules as bits: one predicate answers one field for all rules of a bank at once. The cost of an event depends on the
 * fields that its rules ask, not on how many rules or scopes ask them. */

#include "../abi/arg-struct.h"
#include "arg-part.bpf.h"
#include "origin.bpf.h"
#include "path.bpf.h"
#include "table-match.bpf.h"

/* String fields: where the text stands and how long it is (without NUL). 0: absent. */
static __always_inline u64 field_string(struct sct_buf *b, u32 field, u32 *ret_size) {
        u32 off, size, type;

        if (field == SCT_FIELD_COMM || field == SCT_FIELD_UTS) {
                char *s = field == SCT_FIELD_COMM ? b->rec.comm : b->rec.uts_name;
                u32 most = USES(UTS) ? SCT_UTS_LEN : SCT_COMM_LEN, max = field == SCT_FIELD_COMM ? SCT_COMM_LEN : most;

                for (size = 0; size < most; size++)
                        if (size >= max || !s[size & (SCT_UTS_LEN - 1)])
                                break;
                *ret_size = size;
                return (u64) s;
        }
        if (field == SCT_FIELD_EXE || field == SCT_FIELD_NS_EXE) {
                off = b->exe_off;
                if (!off || off > SCT_DATA_MAX - 8)
                        return 0;
                *ret_size = b->exe_len;
                return (u64) (b->data + off);
        }
        if (field < SCT_FIELD_ARG)
                return 0;
        if (SCT_FIELD_PART(field) != SCT_PART_VALUE)
                return 0;
        off = b->arg_off[(field - SCT_FIELD_ARG) & (SCT_ARGS_MAX - 1)];
        if (off < 8 || off > SCT_DATA_MAX - 8)
                return 0;
        size = arg_size(b, off);
        type = ((struct sct_arg *) (b->data + off - 8))->type;
        if (type == SCT_ARG_FD || (type >= SCT_ARG_FILE && type <= SCT_ARG_BINPRM)) {
                /* The text stands behind a number, or struct sct_file: 8 bytes both. */
                if (size < 8)
                        return 0;
                size -= 8;
                off += 8;
                if (off > SCT_DATA_MAX - 8)
                        return 0;
        }
        if (type == SCT_ARG_STRV || type == SCT_ARG_KSTRV) {
                /* The strings with NUL behind each; the byte before them, the header's last, is NUL too. */
                *ret_size = size + 1;
                return (u64) (b->data + off - 1);
        }
        if (size > SCT_STR_MAX)
                return 0;
        if (type == SCT_ARG_BYTES || type == SCT_ARG_INET || type == SCT_ARG_CONST_BUF || type == SCT_ARG_IOVEC ||
            type == SCT_ARG_IOV_ITER)
                *ret_size = size;
        else
                *ret_size = size ? size - 1 : 0;     /* without NUL */
        return (u64) (b->data + off);
}

/* Strings that are made from an argument when they are asked for. */
static __always_inline int field_is_text_of_part(struct sct_buf *b, u32 field) {
        u64 off;

        if (!USES(PARTS) || !SCT_FIELD_IS_ARG(field))
                return 0;
        if (SCT_FIELD_PART(field) != SCT_PART_VALUE)
                return 1;
        off = part_offset(b, SCT_FIELD_ARG_INDEX(field));
        barrier_var(off);
        if (off < 8 || off > SCT_DATA_MAX - 256)
                return 0;
        return type_is_sockaddr(((struct sct_arg *) (b->data + off - 8))->type);
}

/* What is asked of the current task too rarely to stand in every record. */
static __always_inline int task_number(u32 field, u64 *ret) {
        struct task_struct *task = (struct task_struct *) bpf_get_current_task();
        const struct cred *cred = BPF_CORE_READ(task, cred);

        switch (field) {
        case SCT_FIELD_UTS_NS: *ret = BPF_CORE_READ(task, nsproxy, uts_ns, ns.inum); return 1;
        case SCT_FIELD_IPC_NS: *ret = BPF_CORE_READ(task, nsproxy, ipc_ns, ns.inum); return 1;
        case SCT_FIELD_PID_NS_FOR_CHILDREN: *ret = BPF_CORE_READ(task, nsproxy, pid_ns_for_children, ns.inum); return 1;
        case SCT_FIELD_NET_NS: *ret = BPF_CORE_READ(task, nsproxy, net_ns, ns.inum); return 1;
        case SCT_FIELD_TIME_NS: *ret = BPF_CORE_READ(task, nsproxy, time_ns, ns.inum); return 1;
        case SCT_FIELD_TIME_NS_FOR_CHILDREN:
                *ret = BPF_CORE_READ(task, nsproxy, time_ns_for_children, ns.inum);
                return 1;
        case SCT_FIELD_CGROUP_NS: *ret = BPF_CORE_READ(task, nsproxy, cgroup_ns, ns.inum); return 1;
        case SCT_FIELD_USER_NS: *ret = BPF_CORE_READ(cred, user_ns, ns.inum); return 1;
        case SCT_FIELD_CAPS_EFFECTIVE: return !bpf_probe_read_kernel(ret, 8, &cred->cap_effective);
        case SCT_FIELD_CAPS_PERMITTED: return !bpf_probe_read_kernel(ret, 8, &cred->cap_permitted);
        case SCT_FIELD_CAPS_INHERITABLE: return !bpf_probe_read_kernel(ret, 8, &cred->cap_inheritable);
        }
        return 0;
}

/* Number fields. Returns 0 when the field is absent. */
static __always_inline int field_number(struct sct_scratch *s, struct sct_buf *b, u32 field, u64 *ret) {
        u64 off;

        switch (field) {
        case SCT_FIELD_UID: *ret = b->rec.uid; return 1;
        case SCT_FIELD_GID: *ret = b->rec.gid; return 1;
        case SCT_FIELD_AUID: *ret = b->rec.auid; return 1;
        case SCT_FIELD_HOST_PID: *ret = b->rec.host_pid; return 1;
        case SCT_FIELD_HOST_TID: *ret = b->rec.host_tid; return 1;
        case SCT_FIELD_HOST_PPID: *ret = b->rec.host_ppid; return 1;
        case SCT_FIELD_PID: *ret = b->rec.pid; return 1;
        case SCT_FIELD_TID: *ret = b->rec.tid; return 1;
        case SCT_FIELD_PPID: *ret = b->rec.ppid; return 1;
        case SCT_FIELD_MNT_NS: *ret = b->rec.mnt_ns; return 1;
        case SCT_FIELD_PID_NS: *ret = b->rec.pid_ns; return 1;
        case SCT_FIELD_CGROUP_ID: *ret = b->rec.cgroup_id; return 1;
        case SCT_FIELD_TIMESTAMP: *ret = b->rec.time_ns; return 1;
        case SCT_FIELD_CPU: *ret = b->rec.cpu; return 1;
        case SCT_FIELD_SYSCALL: *ret = (s64) b->rec.syscall; return 1;
        case SCT_FIELD_RETVAL: *ret = b->rec.retval; return !!(b->rec.flags & SCT_RECORD_HAS_RETVAL);
        }
        if (field < SCT_FIELD_ARG)
                return USES(TASK_NUMBERS) ? task_number(field, ret) : 0;
        if (USES(PARTS) && SCT_FIELD_PART(field) != SCT_PART_VALUE) {
                if (!part_number(s, b, field))
                        return 0;
                *ret = s->part;
                return 1;
        }
        off = b->arg_off[SCT_FIELD_ARG_INDEX(field) & (SCT_ARGS_MAX - 1)];
        barrier_var(off);
        if (off < 8 || off > SCT_DATA_MAX - sizeof(struct sct_skb))
                return 0;
        barrier_var(off);
        if (((struct sct_arg *) (b->data + off - 8))->size < 8)
                return 0;
        *ret = *(u64 *) (b->data + off);
        return 1;
}

/* The executable of the current task's parent, which may run another one at any time: looked at each time. A parent
 * without one has the empty string. */
static __always_inline u64 parent_exe(struct sct_scratch *s, u32 *ret_size) {
        struct task_struct *task = (struct task_struct *) bpf_get_current_task();
        int off = task_exe(s, (u64) BPF_CORE_READ(task, real_parent));
        u64 at = off;

        *ret_size = 0;
        if (off < 0 || at >= SCT_STR_MAX)
                return (u64) s->path;
        *ret_size = SCT_STR_MAX - 1 - at;
        if (*ret_size > SCT_EXE_MAX - 1)
                *ret_size = SCT_EXE_MAX - 1;
        return (u64) s->path + at;
}

/* The interface of the packet in hand. */
static __always_inline u64 packet_interface(struct sct_scratch *s, u32 *ret_size) {
        u32 n;

        for (n = 0; n < sizeof(s->packet.interface); n++)
                if (!s->packet.interface[n])
                        break;
        *ret_size = n;
        return (u64) s->packet.interface;
}

/* One predicate's answer on a record under construction. Returns 0 when the field is absent: then only rules that do not
 * ask it pass. */
__weak __noinline int match_field(struct sct_scratch *s, struct sct_buf *b, struct sct_task *t, u32 index,
                                  struct sct_answer *a) {
        u32 class, flags, size = 0, field, parity = index >= SCT_PREDS_MAX;
        struct sct_pred *p;
        u64 value = 0, str;

        if (!s || !b || !t || !a)
                return 0;
        p = bpf_map_lookup_elem(&sct_preds, &index);
        if (!p)
                return 0;
        class = p->class;
        flags = p->flags;
        field = p->field;

        if (class == SCT_CLASS_STRING) {
                if (field_is_text_of_part(b, field)) {
                        int n = part_string(s, b, field);

                        if (n < 0)
                                return 0;
                        str = (u64) s->path;
                        size = n;
                        if (SCT_FIELD_PART(field) == SCT_PART_VALUE) {
                                /* The text of a unix address; others have none. */
                                if (!n || (u8) s->path[0] != (0x80 | SCT_AF_UNIX))
                                        return 0;
                                str++;
                                size--;
                        }
                } else if (USES(PARENT_EXE) && field == SCT_FIELD_PARENT_EXE)
                        str = parent_exe(s, &size);
                else if (USES(INTERFACES) && field == SCT_FIELD_INTERFACE)
                        str = packet_interface(s, &size);
                else
                        str = field_string(b, field, &size);
                if (!str)
                        return 0;
                if (field == SCT_FIELD_NS_EXE) {
                        /* The mount namespace stands right before the text, see subject.bpf.h. */
                        str -= 8;
                        size += 8;
                }
                struct str_args *sa = &s->str;

                sa->str = str;
                sa->size = size;
                sa->slot = p->slot;
                sa->parity = parity;
                sa->dfa_first = p->dfa_first;
                sa->level = s->level;
                sa->answer.pos = sa->answer.neg = 0;
                if (flags & SCT_PRED_EQ)
                        match_str_equal(sa);
                if (flags & SCT_PRED_PREFIX)
                        match_prefix(sa);
                if (flags & SCT_PRED_SUFFIX)
                        match_suffix(sa);
                if (flags & SCT_PRED_SUBSTRING)
                        match_substring(sa);
                a->pos |= sa->answer.pos;
                a->neg |= sa->answer.neg;
                return 1;
        }
        if (class == SCT_CLASS_BITS) {
                if (field == SCT_FIELD_CGROUP)
                        match_list(p, parity, b->rec.cgroup_id, LIST_CGROUP, a);
                else if (field == SCT_FIELD_EXE_TREE || field == SCT_FIELD_NS_TREE)
                        match_kin(t, p->first, p->count, parity, a);
                else
                        match_list(p, parity, field == SCT_FIELD_TREE ? t->tree : t->follow, LIST_BITS, a);
                return 1;
        }

        if (field >= SCT_FIELD_NS_CHANGED && field <= SCT_FIELD_CAPS_INHERITABLE_CHANGED) {
                if (!origin_changed(t, field, &value))
                        return 0;
        } else if (field == SCT_FIELD_BORN)
                value = t->born_ns;
        else if (field == SCT_FIELD_CGROUP_BORN) {
                u64 id = b->rec.cgroup_id;
                struct sct_cgroup *cgroup = bpf_map_lookup_elem(&sct_cgroups, &id);

                if (!cgroup)
                        return 0;
                value = cgroup->born_ns;
        } else if (!field_number(s, b, field, &value))
                return 0;

        if (class == SCT_CLASS_PRESENT)
                a->pos = ~0ULL;
        else if (class == SCT_CLASS_MASK)
                match_list(p, parity, value, LIST_MASK, a);
        else
                match_number(p, parity, value, a);
        return 1;
}

/* Takes the rules from b->active that fail predicates first .. first + count - 1. Five arguments are all that a function
 * may have, so those that go together travel in struct match_args. */
struct match_args {
        u32 first, count, parity;
        u32 bank_first, n_banks;      /* where the rules stand */
};

struct match_walk {
        struct sct_scratch *s;
        struct sct_buf *b;
        struct sct_task *t;
        u32 first;                    /* parity counted in */
        u32 present;
        struct sct_answer answer;     /* of the chain so far */
};

static long match_step(u32 i, struct match_walk *w) {
        u32 index = w->first + i, bank;
        struct sct_pred *p = bpf_map_lookup_elem(&sct_preds, &index);
        u64 pass;

        if (!p)
                return 1;
        bank = p->bank & (SCT_BANKS_MAX - 1);
        if (w->b->active[bank] & ~p->keep)
                w->present |= match_field(w->s, w->b, w->t, index, &w->answer);
        if (p->flags & SCT_PRED_MORE)
                return 0;
        pass = p->keep;
        if (w->present)
                pass |= w->answer.pos | (p->has_neg & ~w->answer.neg);
        w->b->active[bank] &= pass;
        w->answer.pos = w->answer.neg = 0;
        w->present = 0;
        return 0;
}

/* Returns 1 when any rule is left. */
__weak __noinline int match_preds(struct sct_scratch *s, struct sct_buf *b, struct sct_task *t, struct match_args *m) {
        struct match_walk w = {};
        u64 left = 0;
        u32 i;

        if (!s || !b || !t || !m)
                return 0;
        w.s = s;
        w.b = b;
        w.t = t;
        w.first = m->first + (m->parity & 1) * SCT_PREDS_MAX;
        bpf_loop(m->count, match_step, &w, 0);
        if (!USES(BANKS))
                return b->active[0] != 0;
        for (i = 0; i < SCT_BANKS_MAX && i < m->n_banks; i++)
                left |= b->active[(m->bank_first + i) & (SCT_BANKS_MAX - 1)];
        return left != 0;
}
