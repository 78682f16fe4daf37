/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

/* Whose packet it is. A socket belongs to the task that made it or, from then on, to the process that last sent on
 * it; a connection that was not accepted yet to its listener's. What is known of the owner is copied to the socket, because
 * most packets arrive when some other task runs: they are judged by the copy. When the policy set changes, the copy is
 * judged again by the new one, until the owner is met next.
 *
 * Programs on cgroups may not look into task storage. They read it as they read any other memory of the kernel. */

#include "emit.bpf.h"
#include "owner-judge.bpf.h"

#include <bpf/bpf_endian.h>

#define SCT_TCP_ESTABLISHED 1
#define SCT_TCP_FIN_WAIT1 4
#define SCT_TCP_FIN_WAIT2 5
#define SCT_TCP_TIME_WAIT 6
#define SCT_TCP_CLOSE 7
#define SCT_TCP_LISTEN 10
#define SCT_TCP_CLOSING 11
#define SCT_TCP_NEW_SYN_RECV 12
#define SCT_IPPROTO_TCP 6
#define SCT_AF_INET 2

struct packet_owner {
        u64 mm;                      /* another one: the task has run another program since. Of a connection that
                                      * begins: CLOCK_BOOTTIME of its last SYN-ACK, far away before the first */
        u32 net_ns, pad;             /* inode of the socket's network namespace; 0: not asked yet */
        struct sct_task t;           /* a copy; t.subject[] is of generation t.generation */
};

struct {                             /* owner: kernel side; restart: kept. Cloned: a connection has its listener's */
        __uint(type, BPF_MAP_TYPE_SK_STORAGE);
        __uint(map_flags, BPF_F_NO_PREALLOC | BPF_F_CLONE);
        __type(key, int);
        __type(value, struct packet_owner);
} sct_pktowners __weak SEC(".maps");

/* A TCP connection, from one end; ports in host order. */
struct closed_key {
        u32 net;                     /* inode of the network namespace */
        u16 port, peer_port;
        u8 address[16], peer[16];    /* IPv4: 4 bytes of them */
};

/* Flips a bit of closed_key.net: not established yet, its owner is the listener's. Inodes of namespaces all have it set
 * (PROC_DYNAMIC_FIRST is 0xf0000000, those that the kernel begins with stand next to it). */
#define SCT_CONNECTION_BEGINS (1U << 31)

struct {                             /* owner: kernel side: of connections that have no socket; restart: kept */
        __uint(type, BPF_MAP_TYPE_LRU_HASH);
        __uint(max_entries, 512);
        __type(key, struct closed_key);
        __type(value, struct packet_owner);
} sct_pktclosed __weak SEC(".maps");

__weak __noinline int closed_key_of(struct closed_key *key, u64 address) {
        struct sock *sk = (struct sock *) address;
        u32 i;

        if (!key)
                return -1;
        for (i = 0; i < sizeof(*key) / 4; i++)
                ((u32 *) key)[i] = 0;
        key->net = BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum);
        key->port = BPF_CORE_READ(sk, __sk_common.skc_num);
        key->peer_port = bpf_ntohs(BPF_CORE_READ(sk, __sk_common.skc_dport));
        bpf_probe_read_kernel(key->address, 16, &sk->__sk_common.skc_v6_rcv_saddr);
        bpf_probe_read_kernel(key->peer, 16, &sk->__sk_common.skc_v6_daddr);
        /* A socket of IPv6 may have a peer of IPv4: ::ffff:a.b.c.d. */
        if (BPF_CORE_READ(sk, __sk_common.skc_family) == SCT_AF_INET ||
            (*(u64 *) key->peer == 0 && *(u32 *) (key->peer + 8) == 0xffff0000)) {
                for (i = 4; i < 16; i++)
                        key->address[i] = key->peer[i] = 0;
                bpf_probe_read_kernel(key->address, 4, &sk->__sk_common.skc_rcv_saddr);
                bpf_probe_read_kernel(key->peer, 4, &sk->__sk_common.skc_daddr);
        }
        return 0;
}

struct storage_walk {
        u64 node;                    /* struct hlist_node of the element that is looked at */
        u64 map;
        u64 found;
};

static long storage_step(u32 i, struct storage_walk *w) {
        struct bpf_local_storage_elem *elem;

        if (!w->node)
                return 1;
        elem = (void *) w->node - bpf_core_field_offset(struct bpf_local_storage_elem, snode);
        if ((u64) BPF_CORE_READ(elem, sdata.smap) == w->map) {
                w->found = (u64) elem + bpf_core_field_offset(struct bpf_local_storage_elem, sdata) +
                           bpf_core_field_offset(struct bpf_local_storage_data, data);
                return 1;
        }
        w->node = (u64) BPF_CORE_READ(elem, snode.next);
        return 0;
}

/* Address of what sct_tasks has of a task, 0: nothing. */
static __always_inline u64 task_known(u64 task) {
        struct bpf_local_storage *storage = BPF_CORE_READ((struct task_struct *) task, bpf_storage);
        struct storage_walk w = { .map = (u64) &sct_tasks };

        if (!storage)
                return 0;
        w.node = (u64) BPF_CORE_READ(storage, list.first);
        bpf_loop(64, storage_step, &w, 0);
        return w.found;
}

/* Copies it. Returns 1 when there was something. */
__weak __noinline int task_known_copy(struct sct_task *t, u64 task) {
        u64 known = task_known(task);

        return t && known && !bpf_probe_read_kernel(t, sizeof(*t), (void *) known);
}

__weak __noinline u64 task_known_born(u64 task) {
        u64 leader = (u64) BPF_CORE_READ((struct task_struct *) task, group_leader), known = task_known(leader);
        u64 born = 0;

        if (known)
                bpf_probe_read_kernel(&born, sizeof(born), (void *) known + offsetof(struct sct_task, born_ns));
        return born ? born : BPF_CORE_READ((struct task_struct *) leader, start_boottime);
}

/* What is found out of a task that has no fresh answers of its own. A function of its own keeps frames small. */
__weak __noinline int owner_ask(struct sct_scratch *s, struct sct_task *t, u64 task, u32 generation) {
        u32 parity = generation & 1;
        struct sct_gen_config *config = bpf_map_lookup_elem(&sct_config, &parity);
        u64 carried;

        if (!s || !t || !config)
                return -1;
        fill_header_of(&t->header, task);
        t->cgroup_id = t->header.cgroup_id;
        if (!t->born_ns)
                t->born_ns = task_known_born(task);
        if (!(t->flags & SCT_TASK_EXE)) {
                read_exe_of(s, t, task);
                t->flags |= SCT_TASK_EXE;
        }
        if (t->tree_generation != generation) {
                carried = tree_carried(t, config);
                t->tree = tree_of((struct task_struct *) task, config, parity) | carried;
                t->tree_generation = generation;
        }
        return 0;
}

/* Copies what is known of a task; address: the same one, as a number. Returns 1 when its answers still hold. */
static __always_inline int owner_copy_of(struct packet_owner *o, struct task_struct *task, u64 address,
                                         u32 generation) {
        struct sct_task *t = &o->t;

        o->mm = (u64) task->mm;
        if (!task_known_copy(t, address)) {
                t->generation = t->tree_generation = t->flags = 0;
                t->tree = t->follow = t->born_ns = 0;
                t->exe_len = 0;
        } else if (subject_is_fresh(task, t, generation))
                return 1;

        t->nsproxy = (u64) task->nsproxy;
        t->parent = (u64) task->real_parent;
        t->comm[0] = comm_word(task, 0);
        t->comm[1] = comm_word(task, 1);
        t->node_name[0] = node_name_word(task, 0);
        t->node_name[1] = node_name_word(task, 1);
        return 0;
}

static __noinline int owner_copy(struct packet_owner *o, u32 generation) {
        return owner_copy_of(o, bpf_get_current_task_btf(), bpf_get_current_task(), generation);
}

/* Whether the copy is of the process that runs now, as it is now. Any of its threads may use the socket. */
static __noinline int owner_is_current(struct packet_owner *o, u32 generation) {
        struct task_struct *task = bpf_get_current_task_btf();
        struct sct_task *t = &o->t;

        if (t->header.host_pid != task->tgid || o->mm != (u64) task->mm || t->epoch != sct_state.epoch ||
            t->generation != generation)
                return 0;
        return t->header.host_tid != task->pid || subject_is_fresh(task, t, generation);
}

/* The current task has the socket. */
static __always_inline int owner_update(struct packet_owner *o, u32 generation) {
        struct sct_scratch *s;

        if (owner_is_current(o, generation) || owner_copy(o, generation))
                return 0;
        s = scratch_get();
        if (!s)
                return -1;
        if (!owner_ask(s, &o->t, bpf_get_current_task(), generation))
                owner_judge(s, &o->t, generation);
        scratch_put();
        return 0;
}

/* Nobody is known to use it now: what is known of its owner is judged as things stand. */
static __always_inline int owner_refresh(struct packet_owner *o, u32 generation) {
        struct sct_scratch *s;

        if (o->t.generation == generation && o->t.epoch == sct_state.epoch)
                return 0;
        s = scratch_get();
        if (!s)
                return -1;
        owner_judge(s, &o->t, generation);
        scratch_put();
        return 0;
}
