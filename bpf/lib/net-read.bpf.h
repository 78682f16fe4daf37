/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

/* Packets and addresses at hooks: what a TracingPolicy's skb and sockaddr become. */

#include "arg-part.bpf.h"
#include "object-read.bpf.h"

/* include/uapi/linux/in.h, in6.h and if_ether.h */
#define SCT_IPPROTO_TCP 6
#define SCT_IPPROTO_UDP 17
#define SCT_IPPROTO_DCCP 33
#define SCT_IPPROTO_ROUTING 43
#define SCT_IPPROTO_FRAGMENT 44
#define SCT_IPPROTO_AH 51
#define SCT_IPPROTO_DSTOPTS 60
#define SCT_IPPROTO_SCTP 132
#define SCT_IPPROTO_UDPLITE 136
#define SCT_ETH_P_IP 0x0800
#define SCT_ETH_P_IPV6 0x86dd

#define SCT_IP6_HEADERS_MAX 8

/* A kernel without CONFIG_XFRM has no such extension. */
enum skb_ext_id___xfrm { SKB_EXT_SEC_PATH___xfrm = 1 };
struct sec_path___xfrm {
        int len, olen;
} __attribute__((preserve_access_index));

static __always_inline void skb_sec_path(struct sct_skb *out, struct sk_buff *skb) {
        struct skb_ext *extensions;
        struct sec_path___xfrm *path;
        u32 id;
        u8 chunk = 0;

        if (!bpf_core_field_exists(skb->active_extensions) ||
            !bpf_core_enum_value_exists(enum skb_ext_id___xfrm, SKB_EXT_SEC_PATH___xfrm))
                return;
        id = bpf_core_enum_value(enum skb_ext_id___xfrm, SKB_EXT_SEC_PATH___xfrm);
        if (!(BPF_CORE_READ(skb, active_extensions) >> (id & 7) & 1))
                return;
        extensions = BPF_CORE_READ(skb, extensions);
        bpf_probe_read_kernel(&chunk, 1, &extensions->offset[id & 7]);
        path = (void *) ((u64) extensions + chunk * 8);       /* SKB_EXT_ALIGN_VALUE */
        out->secpath_len = BPF_CORE_READ(path, len);
        out->secpath_olen = BPF_CORE_READ(path, olen);
}

static __always_inline int protocol_has_ports(u32 protocol) {
        return protocol == SCT_IPPROTO_TCP || protocol == SCT_IPPROTO_UDP || protocol == SCT_IPPROTO_SCTP ||
               protocol == SCT_IPPROTO_DCCP || protocol == SCT_IPPROTO_UDPLITE;
}

/* Where the headers are while they are walked. */
struct skb_walk {
        u64 at, end;                 /* addresses; end: of what lies in one piece */
        u32 protocol;
        u32 whole;                   /* 0: a later fragment, without ports */
};

/* Steps over what may stand between an IPv6 header and the transport's. */
static __always_inline void skb_skip_extensions(struct skb_walk *w) {
        u8 h[4];

        for (u32 i = 0; i < SCT_IP6_HEADERS_MAX; i++) {
                if (w->protocol != 0 && w->protocol != SCT_IPPROTO_ROUTING && w->protocol != SCT_IPPROTO_DSTOPTS &&
                    w->protocol != SCT_IPPROTO_FRAGMENT && w->protocol != SCT_IPPROTO_AH)
                        return;
                if (w->at + 8 > w->end || bpf_probe_read_kernel(h, sizeof(h), (void *) w->at)) {
                        w->whole = 0;
                        return;
                }
                if (w->protocol == SCT_IPPROTO_FRAGMENT) {
                        if ((h[2] << 8 | h[3]) & 0xfff8)
                                w->whole = 0;
                        w->at += 8;
                } else if (w->protocol == SCT_IPPROTO_AH)
                        w->at += (h[1] + 2) * 4;
                else
                        w->at += (h[1] + 1) * 8;
                w->protocol = h[0];
        }
        w->whole = 0;
}

static __always_inline void skb_ports(struct sct_skb *out, struct skb_walk *w) {
        u16 ports[2] = {};

        out->protocol = w->protocol;
        if (w->whole && protocol_has_ports(w->protocol) && w->at + 4 <= w->end)
                bpf_probe_read_kernel(ports, sizeof(ports), (void *) w->at);
        out->source.port = bpf_ntohs(ports[0]);
        out->dest.port = bpf_ntohs(ports[1]);
}

static __always_inline void skb_ip4(struct sct_skb *out, struct skb_walk *w) {
        struct iphdr ip = {};

        if (w->at + sizeof(ip) > w->end || bpf_probe_read_kernel(&ip, sizeof(ip), (void *) w->at))
                return;
        out->family = SCT_AF_INET;
        w->protocol = ip.protocol;
        w->whole = !(bpf_ntohs(ip.frag_off) & 0x1fff);
        w->at += (*(u8 *) &ip & 15) * 4;
        endpoint_v4(&out->source, ip.saddr, 0);
        endpoint_v4(&out->dest, ip.daddr, 0);
        out->source.family = out->dest.family = 4;      /* 0.0.0.0 is an address, too, in a packet */
        skb_ports(out, w);
}

static __always_inline void skb_ip6(struct sct_skb *out, struct skb_walk *w) {
        u64 header = w->at;
        u8 next = 0;

        if (header + 40 > w->end || bpf_probe_read_kernel(&next, 1, (void *) (header + 6)))
                return;
        out->family = SCT_AF_INET6;
        endpoint_v6(&out->source, (void *) (header + 8), 0);
        endpoint_v6(&out->dest, (void *) (header + 24), 0);
        w->protocol = next;
        w->whole = 1;
        w->at += 40;
        skb_skip_extensions(w);
        skb_ports(out, w);
}

/* A packet whose headers are not written yet is on its way out of a socket: that knows the ends. */
static __always_inline void skb_of_sock(struct sct_skb *out, struct sock *sk) {
        u32 family = BPF_CORE_READ(sk, __sk_common.skc_family);
        u16 sport = BPF_CORE_READ(sk, __sk_common.skc_num), dport = bpf_ntohs(BPF_CORE_READ(sk, __sk_common.skc_dport));

        if (family != SCT_AF_INET && family != SCT_AF_INET6)
                return;
        out->family = family;
        out->protocol = BPF_CORE_READ(sk, sk_protocol);
        if (family == SCT_AF_INET) {
                endpoint_v4(&out->source, BPF_CORE_READ(sk, __sk_common.skc_rcv_saddr), sport);
                endpoint_v4(&out->dest, BPF_CORE_READ(sk, __sk_common.skc_daddr), dport);
        } else {
                endpoint_v6(&out->source, &sk->__sk_common.skc_v6_rcv_saddr, sport);
                endpoint_v6(&out->dest, &sk->__sk_common.skc_v6_daddr, dport);
        }
}

__weak __noinline int skb_headers(struct sct_skb *out, u64 address) {
        struct sk_buff *skb = (struct sk_buff *) address;
        u64 head = (u64) BPF_CORE_READ(skb, head);
        struct skb_walk w = { .at = head + BPF_CORE_READ(skb, network_header), .end = head + BPF_CORE_READ(skb, tail) };
        u16 kind = bpf_ntohs(BPF_CORE_READ(skb, protocol));
        u8 version = 0;
        struct sock *sk;

        if (!out || !USES_TYPE(SKB))
                return -1;
        if (w.at > head && w.at < w.end && (kind == SCT_ETH_P_IP || kind == SCT_ETH_P_IPV6)) {
                bpf_probe_read_kernel(&version, 1, (void *) w.at);
                if (kind == SCT_ETH_P_IP && version >> 4 == 4)
                        skb_ip4(out, &w);
                else if (kind == SCT_ETH_P_IPV6 && version >> 4 == 6)
                        skb_ip6(out, &w);
        }
        if (!out->family) {
                sk = BPF_CORE_READ(skb, sk);
                if (sk)
                        skb_of_sock(out, sk);
        }
        return 0;
}

__weak __noinline int put_skb(struct sct_buf *b, u32 index, u64 address) {
        struct sk_buff *skb = (struct sk_buff *) address;
        struct sct_skb *out;
        u64 off;

        if (!b || !USES_TYPE(SKB))
                return -1;
        off = b->used;
        out = OBJECT_AT(b, off, struct sct_skb);
        if (!out || !skb) {
                put_missing(b, index, SCT_ARG_SKB);
                return 0;
        }
        __builtin_memset(out, 0, sizeof(*out));
        out->hash = BPF_CORE_READ(skb, hash);
        out->len = BPF_CORE_READ(skb, len);
        out->priority = BPF_CORE_READ(skb, priority);
        out->mark = BPF_CORE_READ(skb, mark);
        skb_sec_path(out, skb);
        skb_headers(out, address);
        object_done(b, off, index, SCT_ARG_SKB, sizeof(*out));
        return 0;
}

/* struct sockaddr in kernel or user memory. Without a size as many bytes as its family has. */
__weak __noinline int put_sockaddr(struct sct_buf *b, u32 index, u64 address, u32 size) {
        u32 user = address <= SCT_TASK_SIZE_MAX;
        int truncated = 0;
        u16 family = 0;
        long n;

        if (!b)
                return -1;
        if (!address || (user ? bpf_probe_read_user(&family, 2, (void *) address)
                              : bpf_probe_read_kernel(&family, 2, (void *) address))) {
                put_missing(b, index, SCT_ARG_KSOCKADDR);
                return 0;
        }
        if (!size && family == SCT_AF_UNIX) {
                /* Up to the first NUL behind the one that an abstract name begins with. */
                n = read_str_at(b, b->used + 8, (const void *) (address + 3), user, &truncated);
                if (n > 0 && n <= SCT_UNIX_PATH_MAX)
                        size = 2 + n;
        }
        if (!size)
                size = family == SCT_AF_INET ? 16 : family == SCT_AF_INET6 ? 28 : family == SCT_AF_UNIX ? 110 : 16;
        if (size > 128)
                size = 128;
        if (user)
                put_bytes_user(b, index, SCT_ARG_KSOCKADDR, address, size);
        else
                put_bytes_kernel(b, index, SCT_ARG_KSOCKADDR, address, size);
        return 0;
}
