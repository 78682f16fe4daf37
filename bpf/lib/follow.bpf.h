/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

/* What actions of policies have told the kernel side to remember: names of descriptors (FollowFD, CopyFD, UnfollowFD) and
 * owners of sockets (TrackSock, UntrackSock). A name is believed only while the descriptor stands for the file that it
 * was given for, an owner only while the socket is the one that was tracked: both numbers are used again. */

#include "event.bpf.h"
#include "owner-judge.bpf.h"

/* ---- Descriptors ---- */

struct fd_key {
        u32 tgid;
        s32 fd;
};

struct {                             /* owner: kernel side: names of descriptors (FollowFD); gone with their process */
        __uint(type, BPF_MAP_TYPE_HASH);
        __uint(map_flags, BPF_F_NO_PREALLOC);
        __uint(max_entries, 16384);
        __type(key, struct fd_key);
        __type(value, struct fd_name);
} sct_fds __weak SEC(".maps");

struct {                             /* owner: kernel side: process → one more than its highest descriptor that has a name */
        __uint(type, BPF_MAP_TYPE_HASH);
        __uint(map_flags, BPF_F_NO_PREALLOC);
        __uint(max_entries, 16384);
        __type(key, u32);
        __type(value, u32);
} sct_fdprocs __weak SEC(".maps");

#define SCT_FD_MAX 4096         /* descriptors of one process that are taken over by fork and dropped at its end */

static __always_inline u64 fd_file(s64 fd) {
        struct task_struct *task = (struct task_struct *) bpf_get_current_task();
        struct file **table, *file = NULL;

        if (fd < 0 || fd >= BPF_CORE_READ(task, files, fdt, max_fds))
                return 0;
        table = BPF_CORE_READ(task, files, fdt, fd);
        bpf_probe_read_kernel(&file, sizeof(file), table + fd);
        return (u64) file;
}

static __always_inline u64 file_inode_of(u64 file) {
        return file ? (u64) BPF_CORE_READ((struct file *) file, f_inode) : 0;
}

/* A descriptor with the name that it was followed by, as argument `index`. Returns 1 when it has one. */
__weak __noinline int put_fd_name(struct sct_buf *b, u32 index, s64 fd) {
        struct fd_key key = { .tgid = bpf_get_current_pid_tgid() >> 32, .fd = fd };
        struct fd_name *name = bpf_map_lookup_elem(&sct_fds, &key);
        int truncated = 0;
        u64 file;
        u32 at;
        long n;

        if (!b || !name || !USES(FD_NAMES))
                return 0;
        file = fd_file(fd);
        if (!name->file) {
                name->inode = file_inode_of(file);
                name->file = file;
        } else if (name->file != file || name->inode != file_inode_of(file)) {
                bpf_map_delete_elem(&sct_fds, &key);
                return 0;
        }
        at = b->used;
        if (at > SCT_ARGS_END - 32)
                return 0;
        *(s64 *) (b->data + at + 8) = fd;
        n = read_str_at(b, at + 16, name->name, 0, &truncated);
        if (n < 0 || n > SCT_STR_MAX)
                n = 0;
        arg_done(b, at, index, SCT_ARG_FD, truncated ? SCT_ARG_TRUNCATED : 0, 8 + n);
        return 1;
}

static __always_inline void fd_count(u32 tgid, s32 fd) {
        u32 end = fd + 1, *known = bpf_map_lookup_elem(&sct_fdprocs, &tgid);

        if (!known || *known < end)
                bpf_map_update_elem(&sct_fdprocs, &tgid, &end, BPF_ANY);
}

static __always_inline s64 arg_number(struct sct_buf *b, u32 i, s64 missing) {
        u64 off = b->arg_off[i & (SCT_ARGS_MAX - 1)];

        barrier_var(off);
        if (off < 8 || off > SCT_ARGS_END)
                return missing;
        return *(s64 *) (b->data + off);
}

/* fd_name: positions of the descriptor and of the name, eight bits each. Returns 0, or negative when it cannot be. */
__weak __noinline int fd_follow(struct sct_scratch *s, struct sct_buf *b, u32 plan_key, u32 fd_name) {
        struct sct_plan *plan = bpf_map_lookup_elem(&sct_plans, &plan_key);
        struct fd_key key = { .tgid = bpf_get_current_pid_tgid() >> 32 };
        struct sct_arg_plan *arg;
        u32 size = 0, level;
        u64 text;
        s64 fd;
        long n;

        if (!s || !b || !plan || !USES(FD_NAMES))
                return -1;
        level = s->level;
        s = bpf_map_lookup_elem(&sct_scratches, &level);     /* before 6.2 or so it must be known to stand in a map */
        if (!s)
                return -1;
        fd = arg_number(b, fd_name & 0xff, -1);
        text = field_string(b, SCT_FIELD_ARG + (fd_name >> 8 & (SCT_ARGS_MAX - 1)), &size);
        if (fd < 0 || fd >= SCT_FD_MAX || !text || !size)
                return -1;
        key.fd = fd;
        /* While a descriptor is being installed its file is not in the table yet, but it is the argument. */
        arg = plan->args + (fd_name >> 8 & (SCT_ARGS_MAX - 1));
        s->fd_name.file = arg->type == SCT_ARG_FILE && !arg->max ? b->args[arg->source & 7] : fd_file(fd);
        s->fd_name.inode = file_inode_of(s->fd_name.file);
        n = bpf_probe_read_kernel_str(s->fd_name.name, SCT_FD_NAME_MAX, (void *) text);
        if (n <= 0 || n >= SCT_FD_NAME_MAX)
                return -1;
        s->fd_name.size = n;
        if (bpf_map_update_elem(&sct_fds, &key, &s->fd_name, BPF_ANY))
                return -1;
        fd_count(key.tgid, fd);
        return 0;
}

__weak __noinline int fd_unfollow(struct sct_buf *b, u32 fd) {
        struct fd_key key = { .tgid = bpf_get_current_pid_tgid() >> 32 };

        if (!b || !USES(FD_NAMES))
                return -1;
        key.fd = arg_number(b, fd, -1);
        return bpf_map_delete_elem(&sct_fds, &key);
}

__weak __noinline int fd_copy(struct sct_buf *b, u32 from_to) {
        struct fd_key key = { .tgid = bpf_get_current_pid_tgid() >> 32 };
        struct fd_name *name;
        s64 to;

        if (!b || !USES(FD_NAMES))
                return -1;
        key.fd = arg_number(b, from_to & 0xff, -1);
        to = arg_number(b, from_to >> 8 & 0xff, -1);
        if (to < 0 || to >= SCT_FD_MAX)
                return -1;
        name = bpf_map_lookup_elem(&sct_fds, &key);
        if (!name) {
                /* What the copy replaces goes, if there is something to copy. */
                if (!fd_file(key.fd))
                        return -1;
                key.fd = to;
                return bpf_map_delete_elem(&sct_fds, &key);
        }
        key.fd = to;
        if (bpf_map_update_elem(&sct_fds, &key, name, BPF_ANY))
                return -1;
        fd_count(key.tgid, to);
        return 0;
}

struct fd_walk {
        u32 from, to;                /* processes; to 0: the names go */
};

static long fd_step(u32 i, struct fd_walk *w) {
        struct fd_key key = { .tgid = w->from, .fd = i };
        struct fd_name *name;

        if (!w->to) {
                bpf_map_delete_elem(&sct_fds, &key);
                return 0;
        }
        name = bpf_map_lookup_elem(&sct_fds, &key);
        if (name) {
                key.tgid = w->to;
                bpf_map_update_elem(&sct_fds, &key, name, BPF_ANY);
        }
        return 0;
}

/* A child has its parent's descriptors. */
static __always_inline int fd_fork(u32 parent, u32 child) {
        struct fd_walk w = { .from = parent, .to = child };
        u32 *end = bpf_map_lookup_elem(&sct_fdprocs, &parent), n;

        if (!end || parent == child)
                return 0;
        n = *end;
        bpf_map_update_elem(&sct_fdprocs, &child, &n, BPF_ANY);
        bpf_loop(n > SCT_FD_MAX ? SCT_FD_MAX : n, fd_step, &w, 0);
        return 0;
}

static __always_inline int fd_exit(u32 tgid) {
        struct fd_walk w = { .from = tgid };
        u32 *end = bpf_map_lookup_elem(&sct_fdprocs, &tgid), n;

        if (!end)
                return 0;
        n = *end;
        bpf_loop(n > SCT_FD_MAX ? SCT_FD_MAX : n, fd_step, &w, 0);
        bpf_map_delete_elem(&sct_fdprocs, &tgid);
        return 0;
}

/* ---- Sockets ---- */

struct {                             /* owner: kernel side: struct sock → its process */
        __uint(type, BPF_MAP_TYPE_LRU_HASH);
        __uint(max_entries, 4096);
        __type(key, u64);
        __type(value, struct sock_owner);
} sct_socks __weak SEC(".maps");

/* What struct sock an argument of the types SOCK, SOCKET and SKB leads to. */
static __always_inline u64 sock_of(u32 type, u64 v) {
        if (type == SCT_ARG_SOCKET)
                return (u64) BPF_CORE_READ((struct socket *) v, sk);
        if (type == SCT_ARG_SKB)
                return (u64) BPF_CORE_READ((struct sk_buff *) v, sk);
        return v;
}

/* 0 when no process holds it any more. */
static __always_inline u64 sock_inode(u64 address) {
        struct socket *socket = BPF_CORE_READ((struct sock *) address, sk_socket);

        if (!socket)
                return 0;
        return BPF_CORE_READ((struct socket_alloc *) ((void *) socket - bpf_core_field_offset(struct socket_alloc, socket)),
                             vfs_inode.i_ino);
}

/* The event's process owns this socket from now on. */
__weak __noinline int sock_track(struct sct_scratch *s, struct sct_buf *b, struct sct_task *t, u64 sock) {
        u32 level;

        if (!s || !b || !t || !sock || !USES(SOCKS))
                return -1;
        level = s->level;
        s = bpf_map_lookup_elem(&sct_scratches, &level);
        if (!s)
                return -1;
        if (b->rec.host_tid != t->header.host_tid)
                return 0;       /* its owner's event: it stays so */
        s->sock_owner.ino = sock_inode(sock);
        if (bpf_probe_read_kernel(&s->sock_owner.t, sizeof(s->sock_owner.t), (void *) t))
                return -1;
        return bpf_map_update_elem(&sct_socks, &sock, &s->sock_owner, BPF_ANY);
}

/* Begins a record of the socket's owner. 1: so it is; 0: it has none, the event is the current task's; negative: no rule
 * of the owner wants it; SOCK_STALE: the policy set has changed, the owner of s->sock is to be judged again. */
#define SOCK_STALE 2

__weak __noinline int sock_begin(struct sct_scratch *s, u32 plan_key, u32 record) {
        struct sct_plan *plan = bpf_map_lookup_elem(&sct_plans, &plan_key);
        u32 i, size, bank, generation = sct_state.generation;
        struct sock_owner *owner;
        struct sct_arg_plan *arg;
        u64 sock, ino, any = 0;
        struct sct_buf *b;

        if (!s || !plan || !USES(SOCKS))
                return 0;
        arg = plan->args + ((plan->sock_arg - 1) & (SCT_ARGS_MAX - 1));
        sock = s->buf.args[arg->source & 7];
        if (record && bpf_probe_read_kernel(&sock, sizeof(sock), (void *) s->buf.args[0] + (arg->max & 0xffff)))
                return 0;
        sock = sock_of(arg->type, sock);
        owner = bpf_map_lookup_elem(&sct_socks, &sock);
        if (!owner || (plan_key >= SCT_PLANS_MAX) != (generation & 1))
                return 0;
        ino = sock_inode(sock);
        if (ino && owner->ino && ino != owner->ino) {
                bpf_map_delete_elem(&sct_socks, &sock);
                return 0;
        }
        if (owner->t.generation != generation) {
                s->sock = sock;
                return SOCK_STALE;
        }
        b = &s->buf;
        for (i = 0; i < SCT_BANKS_MAX && i < plan->n_banks; i++) {
                bank = (plan->bank_first + i) & (SCT_BANKS_MAX - 1);
                b->active[bank] = owner->t.subject[bank] & plan->wants[bank];
                any |= b->active[bank];
        }
        if (!any)
                return -1;
        b->stamp = 0;   /* what stands here now is not the current task's */
        b->rec = owner->t.header;
        b->rec.event = plan->event;
        b->rec.generation = generation;
        b->rec.time_ns = bpf_ktime_get_boot_ns();
        b->rec.cpu = bpf_get_smp_processor_id();
        b->rec.syscall = -1;
        b->may_defer = b->deferred = 0;
        for (i = 0; i < SCT_ARGS_MAX / 4; i++)
                ((u64 *) b->arg_off)[i] = 0;
        b->exe_off = b->exe_len = 0;
        b->used = 0;
        b->rec.n_args = 0;
        size = owner->t.exe_len;
        if (!size || size > SCT_EXE_MAX)
                return 1;
        arg_header(b, 0, SCT_ARG_INDEX_EXE, SCT_ARG_PATH, 0, size);
        bpf_probe_read_kernel(b->data + 8, size, owner->t.exe);
        b->exe_off = 8;
        b->exe_len = size - 1;
        b->used = (8 + size + 7) & ~7U;
        b->rec.n_args = 1;
        return 1;
}
