/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

/* Arguments that are kernel objects (bpf/abi/arg-struct.h): what a TracingPolicy's file, sock, cred, ... become. */

#include "../abi/arg-struct.h"
#include "path.bpf.h"

#include <bpf/bpf_endian.h>

/* Reserves a fixed struct as argument payload; NULL: no room. object_done() must follow. */
#define OBJECT_AT(b, off, type)                                                                 \
        ({                                                                                      \
                type *_object = NULL;                                                           \
                                                                                                \
                if ((off) <= SCT_ARGS_END - 8 - sizeof(type)) {                                 \
                        barrier_var(off);      /* no address before the check */                \
                        _object = (type *) ((b)->data + (off) + 8);                             \
                }                                                                               \
                _object;                                                                        \
        })

/* In a function of its own, so that the checks on the way to a struct are not mixed with those on the way to none. */
__weak __noinline int put_missing(struct sct_buf *b, u32 index, u32 type) {
        if (!b)
                return -1;
        put_fault(b, index, type, SCT_ARG_FAULT);
        return 0;
}

static __always_inline void object_done(struct sct_buf *b, u32 off, u32 index, u32 type, u32 size) {
        arg_done(b, off, index, type, 0, size);
}

/* struct sct_file and the path behind it. The struct's content is given in s->file. */
__weak __noinline int put_file_object(struct sct_buf *b, struct sct_scratch *s, u32 index_type, u64 dentry, u64 mnt) {
        u32 index = index_type & 0xff, type = index_type >> 8, off, len = 0;
        int path, truncated = 0;
        long n = 0;

        if (!b || !s)
                return -1;
        off = b->used;
        if (off > SCT_ARGS_END - 8 - sizeof(struct sct_file))
                return -1;
        *(u64 *) (b->data + off + 8) = s->file;
        path = dentry ? path_resolve(s, dentry, mnt, &len) : -1;
        if (path < 0 || path >= SCT_STR_MAX) {
                put_missing(b, index, type);
                return 0;
        }
        n = read_str_at(b, off + 8 + sizeof(struct sct_file), s->path + path, 0, &truncated);
        if (n < 0 || n > SCT_STR_MAX)
                n = 0;
        arg_done(b, off, index, type, truncated ? SCT_ARG_TRUNCATED : 0, sizeof(struct sct_file) + n);
        return 0;
}

static __always_inline u64 file_bits(u32 flags, u16 mode) {
        return (u64) flags | (u64) mode << 32;
}

static __always_inline void put_struct_file(struct sct_buf *b, struct sct_scratch *s, u32 index_type, struct file *file) {
        s->file = file_bits(BPF_CORE_READ(file, f_flags), BPF_CORE_READ(file, f_inode, i_mode));
        put_file_object(b, s, index_type, (u64) BPF_CORE_READ(file, f_path.dentry), (u64) BPF_CORE_READ(file, f_path.mnt));
}

static __always_inline void endpoint_v4(struct sct_endpoint *e, u32 address, u16 port) {
        *(u32 *) e->address = address;
        e->family = address || port ? 4 : 0;
        e->port = port;
}

static __always_inline void endpoint_v6(struct sct_endpoint *e, const struct in6_addr *from, u16 port) {
        struct in6_addr a = {};

        bpf_probe_read_kernel(&a, sizeof(a), from);
        e->port = port;
        if (!a.in6_u.u6_addr32[0] && !a.in6_u.u6_addr32[1] && a.in6_u.u6_addr32[2] == bpf_htonl(0xffff)) {
                *(u32 *) e->address = a.in6_u.u6_addr32[3];
                e->family = 4;
                return;
        }
        __builtin_memcpy(e->address, &a, sizeof(a));
        e->family = 6;
}

__weak __noinline int put_sock(struct sct_buf *b, u32 index, u32 type, u64 address) {
        struct sock *sk = (struct sock *) address;
        struct sct_sock *out;
        u64 off;

        if (!b || !(USES_TYPE(SOCK) | USES_TYPE(SOCKET)))
                return -1;
        off = b->used;
        out = OBJECT_AT(b, off, struct sct_sock);
        if (!out || !sk) {
                put_missing(b, index, type);
                return 0;
        }
        __builtin_memset(out, 0, sizeof(*out));
        out->family = BPF_CORE_READ(sk, __sk_common.skc_family);
        out->type = BPF_CORE_READ(sk, sk_type);
        out->protocol = BPF_CORE_READ(sk, sk_protocol);
        out->state = BPF_CORE_READ(sk, __sk_common.skc_state);
        out->mark = BPF_CORE_READ(sk, sk_mark);
        out->priority = BPF_CORE_READ(sk, sk_priority);
        out->cookie = BPF_CORE_READ(sk, __sk_common.skc_cookie.counter);
        if (out->family == 2) {
                endpoint_v4(&out->source, BPF_CORE_READ(sk, __sk_common.skc_rcv_saddr),
                            BPF_CORE_READ(sk, __sk_common.skc_num));
                endpoint_v4(&out->dest, BPF_CORE_READ(sk, __sk_common.skc_daddr),
                            bpf_ntohs(BPF_CORE_READ(sk, __sk_common.skc_dport)));
        } else if (out->family == 10) {
                endpoint_v6(&out->source, &sk->__sk_common.skc_v6_rcv_saddr, BPF_CORE_READ(sk, __sk_common.skc_num));
                endpoint_v6(&out->dest, &sk->__sk_common.skc_v6_daddr,
                            bpf_ntohs(BPF_CORE_READ(sk, __sk_common.skc_dport)));
        }
        object_done(b, off, index, type, sizeof(*out));
        return 0;
}

/* kernel_cap_t was two u32 until 6.3 (f122a08b197d): the same 8 bytes. */
static __always_inline u64 cap_bits(const void *set) {
        u64 v = 0;

        bpf_probe_read_kernel(&v, sizeof(v), set);
        return v;
}

__weak __noinline int put_cred(struct sct_buf *b, u32 index, u64 address) {
        struct cred *cred = (struct cred *) address;
        struct sct_cred *out;
        u64 off;

        if (!b || !USES_TYPE(CRED))
                return -1;
        off = b->used;
        out = OBJECT_AT(b, off, struct sct_cred);
        if (!out || !cred) {
                put_missing(b, index, SCT_ARG_CRED);
                return 0;
        }
        out->uid = BPF_CORE_READ(cred, uid.val);
        out->gid = BPF_CORE_READ(cred, gid.val);
        out->suid = BPF_CORE_READ(cred, suid.val);
        out->sgid = BPF_CORE_READ(cred, sgid.val);
        out->euid = BPF_CORE_READ(cred, euid.val);
        out->egid = BPF_CORE_READ(cred, egid.val);
        out->fsuid = BPF_CORE_READ(cred, fsuid.val);
        out->fsgid = BPF_CORE_READ(cred, fsgid.val);
        out->permitted = cap_bits(&cred->cap_permitted);
        out->effective = cap_bits(&cred->cap_effective);
        out->inheritable = cap_bits(&cred->cap_inheritable);
        out->securebits = BPF_CORE_READ(cred, securebits);
        out->user_ns = BPF_CORE_READ(cred, user_ns, ns.inum);
        out->user_ns_level = BPF_CORE_READ(cred, user_ns, level);
        out->user_ns_owner = BPF_CORE_READ(cred, user_ns, owner.val);
        out->user_ns_group = BPF_CORE_READ(cred, user_ns, group.val);
        out->pad = 0;
        object_done(b, off, index, SCT_ARG_CRED, sizeof(*out));
        return 0;
}

__weak __noinline int put_user_ns(struct sct_buf *b, u32 index, u64 address) {
        struct user_namespace *ns = (struct user_namespace *) address;
        struct sct_user_ns *out;
        u64 off;

        if (!b || !USES_TYPE(USER_NS))
                return -1;
        off = b->used;
        out = OBJECT_AT(b, off, struct sct_user_ns);
        if (!out || !ns) {
                put_missing(b, index, SCT_ARG_USER_NS);
                return 0;
        }
        out->level = BPF_CORE_READ(ns, level);
        out->owner = BPF_CORE_READ(ns, owner.val);
        out->group = BPF_CORE_READ(ns, group.val);
        out->inum = BPF_CORE_READ(ns, ns.inum);
        object_done(b, off, index, SCT_ARG_USER_NS, sizeof(*out));
        return 0;
}

/* The attributes of BPF_PROG_LOAD stand in kernel memory at bpf_check() and in user memory at the system call. */
__weak __noinline int put_bpf_object(struct sct_buf *b, u32 index, u32 type, u64 address) {
        struct sct_bpf_prog *out;
        u64 off;

        if (!b || !(USES_TYPE(BPF_ATTR) | USES_TYPE(BPF_PROG)))
                return -1;
        off = b->used;
        out = OBJECT_AT(b, off, struct sct_bpf_prog);
        if (!out || !address) {
                put_missing(b, index, type);
                return 0;
        }
        if (type == SCT_ARG_BPF_PROG) {
                struct bpf_prog *prog = (struct bpf_prog *) address;

                out->type = BPF_CORE_READ(prog, type);
                out->insns = BPF_CORE_READ(prog, len);
                BPF_CORE_READ_INTO(&out->name, prog, aux, name);
        } else {
                union bpf_attr *attr = (union bpf_attr *) address;

                out->type = BPF_CORE_READ(attr, prog_type);
                out->insns = BPF_CORE_READ(attr, insn_cnt);
                bpf_probe_read_kernel(out->name, sizeof(out->name), attr->prog_name);
        }
        object_done(b, off, index, type, sizeof(*out));
        return 0;
}

__weak __noinline int put_bpf_map(struct sct_buf *b, u32 index, u64 address) {
        struct bpf_map *map = (struct bpf_map *) address;
        struct sct_bpf_map *out;
        u64 off;

        if (!b || !USES_TYPE(BPF_MAP))
                return -1;
        off = b->used;
        out = OBJECT_AT(b, off, struct sct_bpf_map);
        if (!out || !map) {
                put_missing(b, index, SCT_ARG_BPF_MAP);
                return 0;
        }
        out->type = BPF_CORE_READ(map, map_type);
        out->key_size = BPF_CORE_READ(map, key_size);
        out->value_size = BPF_CORE_READ(map, value_size);
        out->max_entries = BPF_CORE_READ(map, max_entries);
        bpf_probe_read_kernel(out->name, sizeof(out->name), map->name);
        object_done(b, off, index, SCT_ARG_BPF_MAP, sizeof(*out));
        return 0;
}

__weak __noinline int put_module(struct sct_buf *b, u32 index, u32 type, u64 address) {
        struct sct_module *out;
        u64 off;

        if (!b || !(USES_TYPE(MODULE) | USES_TYPE(LOAD_INFO)))
                return -1;
        off = b->used;
        out = OBJECT_AT(b, off, struct sct_module);
        if (!out || !address) {
                put_missing(b, index, type);
                return 0;
        }
        __builtin_memset(out, 0, sizeof(*out));
        if (type == SCT_ARG_MODULE) {
                struct module *mod = (struct module *) address;

                out->taints = BPF_CORE_READ(mod, taints);
                bpf_probe_read_kernel_str(out->name, sizeof(out->name), mod->name);
        } else {
                struct load_info___modules *info = (void *) address;

                if (!bpf_core_type_exists(struct load_info___modules)) {
                        put_missing(b, index, type);
                        return 0;
                }
                out->size = BPF_CORE_READ(info, len);
                out->flags = SCT_MODULE_SIGNATURE_KNOWN | (BPF_CORE_READ(info, sig_ok) ? SCT_MODULE_SIGNATURE_OK : 0);
                bpf_probe_read_kernel_str(out->name, sizeof(out->name), BPF_CORE_READ(info, name));
        }
        object_done(b, off, index, type, sizeof(*out));
        return 0;
}

__weak __noinline int put_perf_event(struct sct_buf *b, u32 index, u64 address) {
        struct perf_event *event = (struct perf_event *) address;
        struct sct_perf_event *out;
        u64 off;

        if (!b || !USES_TYPE(PERF_EVENT))
                return -1;
        off = b->used;
        out = OBJECT_AT(b, off, struct sct_perf_event);
        if (!out || !event) {
                put_missing(b, index, SCT_ARG_PERF_EVENT);
                return 0;
        }
        __builtin_memset(out, 0, sizeof(*out));
        out->config = BPF_CORE_READ(event, attr.config);
        out->type = BPF_CORE_READ(event, attr.type);
        /* kprobe_func and probe_offset share their words with config1 and config2. */
        out->probe_offset = BPF_CORE_READ(event, attr.config2);
        bpf_probe_read_user_str(out->function, sizeof(out->function), (void *) BPF_CORE_READ(event, attr.config1));
        object_done(b, off, index, SCT_ARG_PERF_EVENT, sizeof(*out));
        return 0;
}

/* One argument of a hook that is a kernel object. Returns 0 when `type` is none. */
__weak __noinline int put_object(struct sct_buf *b, struct sct_scratch *s, u32 index, u32 type, u64 v) {
        u32 index_type = index | type << 8;

        if (!b || !s)
                return 0;
        switch (type) {
        case SCT_ARG_NOP:
                return 1;
        case SCT_ARG_FILE:
                put_struct_file(b, s, index_type, (struct file *) v);
                return 1;
        case SCT_ARG_KIOCB:
                put_struct_file(b, s, index_type, BPF_CORE_READ((struct kiocb *) v, ki_filp));
                return 1;
        case SCT_ARG_BINPRM:
                put_struct_file(b, s, index_type, BPF_CORE_READ((struct linux_binprm *) v, file));
                return 1;
        case SCT_ARG_KPATH:
                s->file = file_bits(0, BPF_CORE_READ((struct path *) v, dentry, d_inode, i_mode));
                put_file_object(b, s, index_type, (u64) BPF_CORE_READ((struct path *) v, dentry),
                                (u64) BPF_CORE_READ((struct path *) v, mnt));
                return 1;
        case SCT_ARG_DENTRY:
                s->file = file_bits(0, BPF_CORE_READ((struct dentry *) v, d_inode, i_mode));
                put_file_object(b, s, index_type, v, 0);
                return 1;
        case SCT_ARG_FILENAME:
                put_str(b, index, type, (u64) BPF_CORE_READ((struct filename *) v, name), 0);
                return 1;
        case SCT_ARG_NET_DEVICE:
                put_str(b, index, type, v + bpf_core_field_offset(struct net_device, name), 0);
                return 1;
        case SCT_ARG_SOCKET:
                put_sock(b, index, type, (u64) BPF_CORE_READ((struct socket *) v, sk));
                return 1;
        case SCT_ARG_SOCK:
                put_sock(b, index, type, v);
                return 1;
        case SCT_ARG_CRED:
                put_cred(b, index, v);
                return 1;
        case SCT_ARG_USER_NS:
                put_user_ns(b, index, v);
                return 1;
        case SCT_ARG_BPF_ATTR:
        case SCT_ARG_BPF_PROG:
                put_bpf_object(b, index, type, v);
                return 1;
        case SCT_ARG_BPF_MAP:
                put_bpf_map(b, index, v);
                return 1;
        case SCT_ARG_PERF_EVENT:
                put_perf_event(b, index, v);
                return 1;
        case SCT_ARG_MODULE:
        case SCT_ARG_LOAD_INFO:
                put_module(b, index, type, v);
                return 1;
        }
        return 0;
}
