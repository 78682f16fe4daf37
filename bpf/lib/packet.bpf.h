/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

/* What a packet is: where its headers stand, and the events that it is. Read from the context of a program on a cgroup, or
 * from the kernel's memory where a packet has no socket that such programs see. */

#include "emit.bpf.h"
#include "packet-owner.bpf.h"
#include "event-id.h"

#define ETH_P_IP_BE 0x0008           /* __sk_buff.protocol is in network order */
#define ETH_P_IPV6_BE 0xdd86
#define IPPROTO_ICMP 1
#define IPPROTO_UDP 17
#define IPPROTO_FRAGMENT 44
#define IPPROTO_ICMPV6 58

struct packet {
        struct __sk_buff *skb;       /* NULL: not the context of the program, */
        u64 data;                    /* but here in the kernel's memory, from its IP header on */
        u64 dev;                     /* struct net_device; 0: the context knows */
        struct sct_gen_config *config;
        u32 parity;                  /* of the generation that judges it */
        u32 ifindex, net_ns;
        u32 length;                  /* of the packet from its IP header on */
        u32 headers;                 /* bytes up to the end of the transport header */
        u32 transport;               /* where that begins; 0: there is none, or not all of it */
        u16 source, dest;            /* ports, 0 where there are none */
        u8 protocol;                 /* IPPROTO_* */
        u8 out;
        u8 version;                  /* 4, 6 */
};

/* A field of the kernel's struct sk_buff, which is what the context points to. */
#define SKB_READ(dst, skb, field)                                                               \
        bpf_probe_read_kernel(dst, sizeof(*(dst)), (void *) (skb) + bpf_core_field_offset(struct sk_buff, field))

/* Inode of the network namespace that the packet's device is in, which is the socket's. */
static __noinline u32 packet_net(struct __sk_buff *skb) {
        struct net_device *dev = NULL;

        SKB_READ(&dev, skb, dev);
        return BPF_CORE_READ(dev, nd_net.net, ns.inum);
}

static __always_inline u64 packet_dev(struct packet *p) {
        if (!p->dev)
                SKB_READ(&p->dev, p->skb, dev);
        return p->dev;
}

/* IPv6 extension headers that may stand before the transport header. */
static __always_inline void ipv6_headers(struct packet *p) {
        u8 next = p->protocol, header[2];

        for (u32 i = 0; i < 6; i++) {
                if (next != 0 && next != 43 && next != 60 && next != IPPROTO_FRAGMENT && next != 51)
                        break;
                if (bpf_skb_load_bytes(p->skb, p->headers, header, sizeof(header)))
                        break;
                p->headers += next == IPPROTO_FRAGMENT ? 8 : next == 51 ? (header[1] + 2) * 4 : (header[1] + 1) * 8;
                next = header[0];
        }
        p->protocol = next;
}

/* Where the transport header ends, and what it says. One load is enough for most packets of IPv4. */
static __noinline int packet_parse(struct packet *p) {
        u8 b[40] = {}, t[14] = {};
        u32 loaded = 20;

        p->ifindex = p->skb->ifindex;
        p->length = p->skb->len;
        if (p->length >= sizeof(b)) {
                if (bpf_skb_load_bytes(p->skb, 0, b, sizeof(b)))
                        return -1;
                loaded = sizeof(b);
        } else if (bpf_skb_load_bytes(p->skb, 0, b, 20))
                return -1;
        if (p->skb->protocol == ETH_P_IP_BE) {
                p->version = 4;
                p->headers = (b[0] & 15) * 4;
                p->protocol = b[9];
                if (((b[6] & 0x1f) << 8 | b[7]) != 0)
                        return 0;    /* a later fragment: no transport header */
        } else if (p->skb->protocol == ETH_P_IPV6_BE) {
                p->version = 6;
                p->headers = 40;
                p->protocol = b[6];
                ipv6_headers(p);
        } else
                return -1;

        if (p->protocol == SCT_IPPROTO_TCP || p->protocol == IPPROTO_UDP) {
                if (p->headers == 20 && loaded == sizeof(b))
                        __builtin_memcpy(t, b + 20, sizeof(t));
                else if (p->protocol == SCT_IPPROTO_TCP ? bpf_skb_load_bytes(p->skb, p->headers, t, sizeof(t))
                                                        : bpf_skb_load_bytes(p->skb, p->headers, t, 8))
                        return 0;
                p->source = t[0] << 8 | t[1];
                p->dest = t[2] << 8 | t[3];
                p->transport = p->headers;
                p->headers += p->protocol == SCT_IPPROTO_TCP ? (t[12] >> 4) * 4 : 8;
        } else if (p->protocol == IPPROTO_ICMP || p->protocol == IPPROTO_ICMPV6) {
                p->transport = p->headers;
                p->headers += 8;
        }
        return 0;
}

static __always_inline struct sct_gen_config *packet_config(u32 generation) {
        u32 parity = generation & 1;

        return generation ? bpf_map_lookup_elem(&sct_config, &parity) : NULL;
}

static __always_inline struct sct_plan *packet_plan(u32 event, u32 parity) {
        u32 key = (parity & 1) * SCT_EVENT_ID_MAX + (event & (SCT_EVENT_ID_MAX - 1)), *index;

        index = bpf_map_lookup_elem(&sct_events, &key);
        return index && *index ? plan_get(*index, parity) : NULL;
}

/* ---- Events ---- */

/* What an event of packets has of one, by enum sct_packet_kind. */
static const struct packet_row {
        u8 type;                     /* of the argument that is a header */
        u8 size;                     /* of the header */
        u8 is_transport;             /* the header is that of what IP carries */
        u8 has_ports;
} packet_rows[] = {
        { SCT_ARG_PROTO_IPV4, SCT_IPV4_HEADER, 0, 0 },
        { SCT_ARG_PROTO_IPV6, SCT_IPV6_HEADER, 0, 0 },
        { SCT_ARG_PROTO_TCP, SCT_TCP_HEADER, 1, 1 },
        { SCT_ARG_PROTO_UDP, SCT_UDP_HEADER, 1, 1 },
        { SCT_ARG_PROTO_ICMP, SCT_ICMP_HEADER, 1, 0 },
        { SCT_ARG_PROTO_ICMPV6, SCT_ICMPV6_HEADER, 1, 0 },
};
#define PACKET_EVENTS (sizeof(packet_rows) / sizeof(packet_rows[0]))
_Static_assert(1 << (SCT_EVENT_NET_PACKET_IPV6 - SCT_EVENT_NET_PACKET_IPV4) == SCT_PACKET_IPV6, "order of packet events");
_Static_assert(1 << (SCT_EVENT_NET_PACKET_TCP - SCT_EVENT_NET_PACKET_IPV4) == SCT_PACKET_TCP, "order of packet events");
_Static_assert(1 << (SCT_EVENT_NET_PACKET_UDP - SCT_EVENT_NET_PACKET_IPV4) == SCT_PACKET_UDP, "order of packet events");
_Static_assert(1 << (SCT_EVENT_NET_PACKET_ICMP - SCT_EVENT_NET_PACKET_IPV4) == SCT_PACKET_ICMP, "order of packet events");
_Static_assert(1 << (SCT_EVENT_NET_PACKET_ICMPV6 - SCT_EVENT_NET_PACKET_IPV4) == SCT_PACKET_ICMPV6,
               "order of packet events");

#define PACKET_LOAD(p, at, to, size)                                                            \
        ((p)->skb ? bpf_skb_load_bytes((p)->skb, at, to, size)                                  \
                  : bpf_probe_read_kernel(to, size, (void *) ((p)->data + (at))))

static __always_inline void packet_addresses(struct packet_headers *h, u32 from, u32 size) {
        __builtin_memcpy(h->source + 1, h->network + from, size);
        __builtin_memcpy(h->dest + 1, h->network + from + size, size);
}

/* Fills s->packet. Returns the event that the packet is beside that of IP, 0: none; negative: it is no event. */
static __noinline int packet_headers(struct sct_scratch *s, struct packet *p) {
        struct packet_headers *h = &s->packet;
        u32 at = p->transport;

        if (USES(INTERFACES))
                bpf_probe_read_kernel_str(h->interface, sizeof(h->interface),
                                          (void *) packet_dev(p) + bpf_core_field_offset(struct net_device, name));
        h->source[0] = h->dest[0] = p->version;
        if (p->version == 4) {
                if (PACKET_LOAD(p, 0, h->network, SCT_IPV4_HEADER))
                        return -1;
                packet_addresses(h, 12, 4);
        } else {
                if (PACKET_LOAD(p, 0, h->network, SCT_IPV6_HEADER))
                        return -1;
                packet_addresses(h, 8, 16);
        }
        if (!at)
                return 0;
        switch (p->protocol) {
        case SCT_IPPROTO_TCP:
                return PACKET_LOAD(p, at, h->transport, SCT_TCP_HEADER) ? 0 : SCT_EVENT_NET_PACKET_TCP;
        case IPPROTO_UDP:
                return PACKET_LOAD(p, at, h->transport, SCT_UDP_HEADER) ? 0 : SCT_EVENT_NET_PACKET_UDP;
        case IPPROTO_ICMP:
                return PACKET_LOAD(p, at, h->transport, SCT_ICMP_HEADER) ? 0 : SCT_EVENT_NET_PACKET_ICMP;
        case IPPROTO_ICMPV6:
                return PACKET_LOAD(p, at, h->transport, SCT_ICMPV6_HEADER) ? 0 : SCT_EVENT_NET_PACKET_ICMPV6;
        }
        return 0;
}

/* `size` bytes of s->packet; where they stand there is room for `most`, which is copied. */
static __always_inline void put_packet(struct sct_buf *b, u32 index, u32 type, const u8 *from, u32 most, u32 size) {
        u32 off = b->used;

        if (off <= SCT_ARGS_END - 16 - SCT_IPV6_HEADER && !bpf_probe_read_kernel(b->data + off + 8, most, from))
                arg_done(b, off, index, type, 0, size);
}

static __noinline int packet_event_args(struct sct_scratch *s, struct packet *p, u32 event) {
        u32 kind = event - SCT_EVENT_NET_PACKET_IPV4, size = p->version == 4 ? 5 : 17, header = 2;
        struct packet_headers *h = &s->packet;
        const struct packet_row *row;

        if (kind >= PACKET_EVENTS)
                return -1;
        row = packet_rows + kind;
        put_packet(&s->buf, 0, SCT_ARG_INET, h->source, sizeof(h->source), size);
        put_packet(&s->buf, 1, SCT_ARG_INET, h->dest, sizeof(h->dest), size);
        if (row->has_ports) {
                put_u64(&s->buf, 2, SCT_ARG_U16, p->source);
                put_u64(&s->buf, 3, SCT_ARG_U16, p->dest);
                header = 4;
        }
        if (row->is_transport)
                put_packet(&s->buf, header, row->type, h->transport, sizeof(h->transport), row->size);
        else
                put_packet(&s->buf, header, row->type, h->network, sizeof(h->network), row->size);
        return 0;
}

static long packet_rules_step(u32 i, struct event_run *r) {
        u32 bank = (r->plan->bank_first + i) & (SCT_BANKS_MAX - 1);

        r->s->packet_rules[bank] |= r->s->buf.active[bank];
        return 0;
}

static __noinline int packet_event(struct sct_scratch *s, struct sct_task *t, struct packet *p, u32 event) {
        struct event_run r = { .s = s, .t = t, .parity = p->parity };

        r.plan = packet_plan(event, p->parity);
        if (!r.plan || !rules_wanted(t, r.plan))
                return 0;
        record_begin(&s->buf, t, event);
        rules_begin(&s->buf, t, r.plan);
        packet_event_args(s, p, event);
        if (!event_matches(&r))
                return 0;
        if (USES(PACKETS_FILTERED))
                bpf_loop(r.plan->n_banks, packet_rules_step, &r, 0);
        emit(&s->buf, r.plan->bank_first, r.plan->n_banks);
        return 0;
}

/* What a packet is: one of IP, and one of what that carries. No function of its own: a chain may have eight. */
static __always_inline void packet_events(struct sct_scratch *s, struct sct_task *t, struct packet *p) {
        int event = packet_headers(s, p);

        if (event < 0)
                return;
        packet_event(s, t, p, p->version == 4 ? SCT_EVENT_NET_PACKET_IPV4 : SCT_EVENT_NET_PACKET_IPV6);
        if (event)
                packet_event(s, t, p, event);
}
