/* SPDX-License-Identifier: GPL-2.0-only OR LGPL-2.1-or-later */
#pragma once

/* Payloads of arguments that are kernel objects: what TracingPolicy's sock, skb, cred, ... become on the wire. Fixed
 * little structs in host byte order but for addresses; text is NUL-terminated or fills its array, unused bytes are 0.
 * Part of the record's format: append new structs, never change one. */

#include "types.h"

#define SCT_ADDRESS_LEN 16

/* One end of a connection. family 4 or 6 says how many bytes of the address count; 0: there is none (a unix socket). An
 * IPv4 address inside of IPv6 (::ffff:a.b.c.d) travels as IPv4, so that it compares as one. */
struct sct_endpoint {
        u8 address[SCT_ADDRESS_LEN];    /* network byte order */
        u16 port;                       /* 0: none */
        u8 family;                      /* 0, 4, 6 */
        u8 pad;
        u32 pad2;
};

/* SOCK (struct sock) and SOCKET (struct socket). */
struct sct_sock {
        struct sct_endpoint source, dest;
        u16 family, type, protocol;     /* AF_*, SOCK_*, IPPROTO_* */
        u8 state;                       /* TCP_* */
        u8 pad;
        u32 mark, priority;
        u64 cookie;                     /* of the socket; 0 unknown */
};

/* SKB (struct sk_buff). */
struct sct_skb {
        struct sct_endpoint source, dest;
        u16 family, protocol;           /* AF_INET, AF_INET6 or 0; IPPROTO_* of the innermost header that is known */
        u32 hash, len, priority, mark;
        u32 secpath_len, secpath_olen;
        u32 pad;
};

/* CRED (struct cred); ids in the initial user namespace. */
struct sct_cred {
        u32 uid, gid, suid, sgid, euid, egid, fsuid, fsgid;
        u64 permitted, effective, inheritable;
        u32 securebits;
        u32 user_ns;                    /* inode number */
        s32 user_ns_level;
        u32 user_ns_owner, user_ns_group;
        u32 pad;
};

/* USER_NS (struct user_namespace). */
struct sct_user_ns {
        s32 level;
        u32 owner, group;
        u32 inum;                       /* inode number */
};

#define SCT_OBJECT_NAME_LEN 16          /* BPF_OBJ_NAME_LEN */

/* BPF_ATTR (union bpf_attr of BPF_PROG_LOAD) and BPF_PROG (struct bpf_prog). */
struct sct_bpf_prog {
        u32 type;                       /* BPF_PROG_TYPE_* */
        u32 insns;
        char name[SCT_OBJECT_NAME_LEN];
};

/* BPF_MAP (struct bpf_map). */
struct sct_bpf_map {
        u32 type, key_size, value_size, max_entries;
        char name[SCT_OBJECT_NAME_LEN];
};

#define SCT_SYMBOL_LEN 64

/* PERF_EVENT (struct perf_event). */
struct sct_perf_event {
        u64 config, probe_offset;
        u32 type;                       /* PERF_TYPE_* or a dynamic one */
        u32 pad;
        char function[SCT_SYMBOL_LEN];  /* of a kprobe or uprobe event */
};

#define SCT_MODULE_NAME_LEN 56          /* MODULE_NAME_LEN on 64-bit kernels */

enum sct_module_flags {
        SCT_MODULE_SIGNATURE_KNOWN = 1 << 0,
        SCT_MODULE_SIGNATURE_OK = 1 << 1,
};

/* MODULE (struct module) and LOAD_INFO (struct load_info). */
struct sct_module {
        u64 taints;                     /* bits of struct module; 0 of a load_info */
        u64 size;                       /* bytes of the file being loaded; 0 of a struct module */
        u32 flags;                      /* enum sct_module_flags */
        u32 pad;
        char name[SCT_MODULE_NAME_LEN];
};

/* FILE, KPATH, DENTRY, KIOCB, BINPRM: this, then the path as str. */
struct sct_file {
        u32 flags;                      /* f_flags; 0 where there is no open file */
        u16 mode;                       /* i_mode: type and permissions */
        u16 pad;
};

/* PROTO_*: bytes of the headers, as they stand in the packet. */
#define SCT_IPV4_HEADER 20
#define SCT_IPV6_HEADER 40
#define SCT_TCP_HEADER 20
#define SCT_UDP_HEADER 8
#define SCT_ICMP_HEADER 8
#define SCT_ICMPV6_HEADER 4

#define SCT_SYSCALL_COMPAT 0x80000000U  /* SYSCALL64: the number is of the 32-bit ABI */

#ifndef __bpf__
_Static_assert(sizeof(struct sct_endpoint) == 24, "sct_endpoint layout");
_Static_assert(sizeof(struct sct_sock) == 72, "sct_sock layout");
_Static_assert(sizeof(struct sct_skb) == 80, "sct_skb layout");
_Static_assert(sizeof(struct sct_cred) == 80, "sct_cred layout");
_Static_assert(sizeof(struct sct_user_ns) == 16, "sct_user_ns layout");
_Static_assert(sizeof(struct sct_bpf_prog) == 24, "sct_bpf_prog layout");
_Static_assert(sizeof(struct sct_bpf_map) == 32, "sct_bpf_map layout");
_Static_assert(sizeof(struct sct_perf_event) == 88, "sct_perf_event layout");
_Static_assert(sizeof(struct sct_module) == 80, "sct_module layout");
_Static_assert(sizeof(struct sct_file) == 8, "sct_file layout");
#endif
