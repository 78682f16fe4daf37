// SPDX-License-Identifier: GPL-2.0-only
/* Packets of processes: which socket belongs to whom, and the packets themselves into the artifact ring. Programs at
 * the root cgroup see each packet once where its socket is known, in the socket's own network namespace: datagrams
 * before they are cut into fragments and after they were put together again. They always let a packet pass. */

#include "lib/artifact.bpf.h"
#include "lib/packet-owner.bpf.h"
#include "event-id.h"

char LICENSE[] SEC("license") = "GPL";

#define PASS 1
#define PIECE 4096U                  /* of a packet's data, at most what s->path holds */
#define PACKET_MAX 65535U
#define ETH_P_IP_BE 0x0008           /* __sk_buff.protocol is in network order */
#define ETH_P_IPV6_BE 0xdd86
#define IPPROTO_FRAGMENT 44
#define AF_INET 2
#define AF_INET6 10

struct packet {
        struct __sk_buff *skb;
        u64 dev;                     /* struct net_device */
        u32 ifindex, net_ns;
        u32 length;                  /* of the packet from its IP header on */
        u32 headers;                 /* bytes up to the end of the transport header */
        u16 source, dest;            /* ports, 0 where there are none */
        u8 protocol;                 /* IPPROTO_* */
        u8 out;
};

/* A field of the kernel's struct sk_buff, which is what the context points to. */
#define SKB_READ(dst, skb, field)                                                               \
        bpf_probe_read_kernel(dst, sizeof(*(dst)), (void *) (skb) + bpf_core_field_offset(struct sk_buff, field))

/* Whether the current task sends: TCP's socket is held by it, and a datagram is always sent by who asks for it. The
 * kernel's own sockets (resets, ICMP replies, IGMP) belong to nobody. */
static __noinline int sent_by_current(struct __sk_buff *skb) {
        struct sock *sk = NULL;
        u32 state;

        SKB_READ(&sk, skb, sk);
        if (!sk)
                return 0;
        state = BPF_CORE_READ(sk, __sk_common.skc_state);
        if (state == SCT_TCP_TIME_WAIT || state == SCT_TCP_NEW_SYN_RECV ||
            BPF_CORE_READ_BITFIELD_PROBED(sk, sk_kern_sock))
                return 0;
        return BPF_CORE_READ(sk, sk_protocol) != SCT_IPPROTO_TCP || BPF_CORE_READ(sk, sk_lock.owned);
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

/* Where the transport header ends, and what it says. */
static __noinline int packet_parse(struct packet *p) {
        struct net_device *dev = NULL;
        u8 b[20] = {};

        SKB_READ(&dev, p->skb, dev);
        p->dev = (u64) dev;
        p->ifindex = p->skb->ifindex;
        p->net_ns = BPF_CORE_READ(dev, nd_net.net, ns.inum);
        p->length = p->skb->len;

        if (bpf_skb_load_bytes(p->skb, 0, b, sizeof(b)))
                return -1;
        if (p->skb->protocol == ETH_P_IP_BE) {
                p->headers = (b[0] & 15) * 4;
                p->protocol = b[9];
                if (((b[6] & 0x1f) << 8 | b[7]) != 0)
                        return 0;    /* a later fragment: no transport header */
        } else if (p->skb->protocol == ETH_P_IPV6_BE) {
                p->headers = 40;
                p->protocol = b[6];
                ipv6_headers(p);
        } else
                return -1;

        if (p->protocol == 6 || p->protocol == 17) {
                u8 t[14] = {};

                if (p->protocol == 6 ? bpf_skb_load_bytes(p->skb, p->headers, t, 14)
                                     : bpf_skb_load_bytes(p->skb, p->headers, t, 8))
                        return 0;
                p->source = t[0] << 8 | t[1];
                p->dest = t[2] << 8 | t[3];
                p->headers += p->protocol == 6 ? (t[12] >> 4) * 4 : 8;
        } else if (p->protocol == 1 || p->protocol == 58)
                p->headers += 8;
        return 0;
}

/* What rules may ask (events.list). Nothing of it is put when none does: the packet says most of it. */
static __noinline int packet_args(struct sct_buf *b, struct packet *p) {
        put_str(b, 0, SCT_ARG_KSTR, p->dev + bpf_core_field_offset(struct net_device, name), 0);
        put_u64(b, 1, SCT_ARG_U32, p->ifindex);
        put_u64(b, 2, SCT_ARG_U32, p->out);
        put_u64(b, 3, SCT_ARG_U32, p->protocol);
        return 0;
}

/* Head and record in s's work space. Returns where data goes there, 0 when nothing can. */
static __noinline u32 packet_record(struct sct_scratch *s, struct packet *p, u32 keep) {
        struct artifact_work *w = artifact_work_get(s->level, SCT_EVENT_CAPTURE_PACKET);
        struct sct_artifact_state *a = artifact_state();
        u32 at;

        if (!w || !a)
                return 0;
        w->op.chunk.flags = p->out ? SCT_CHUNK_OUT : 0;
        w->op.chunk.size_total = p->length;
        w->op.chunk.dev = p->ifindex;
        w->op.chunk.inode = p->net_ns;
        at = artifact_record(&s->buf, w);
        w->chunk = w->op.chunk;
        w->chunk.type = SCT_CHUNK_SINGLE;
        w->chunk.size = keep;
        w->chunk.operation = __sync_fetch_and_add(&a->next_operation, 1) + 1;
        return at;
}

static __always_inline void packet_lost(struct sct_artifact_state *a, u32 keep) {
        __sync_fetch_and_add(&a->n_lost, 1);
        __sync_fetch_and_add(&a->lost_bytes, keep);
}

/* Head, record and data in one entry of the ring, of just the size that they need. */
static __noinline int packet_emit(struct sct_scratch *s, struct packet *p, u32 keep) {
        struct sct_artifact_state *a = artifact_state();
        u32 done = 0, at = packet_record(s, p, keep), left, level = s->level;
        struct artifact_work *w = bpf_map_lookup_elem(&sct_art_work, &level);
        struct bpf_dynptr ring;
        void *to;
        u64 n;

        if (!w || !a || !at || at > ARTIFACT_RECORD_MAX - 8)
                return -1;
        left = keep - 1;              /* 6.1 must see that it is 1 at least: inequality with 0 says nothing to it */
        if (left < ARTIFACT_SMALL_MAX) {
                barrier_var(left);
                left &= ARTIFACT_SMALL_MAX - 1;
                n = at;
                barrier_var(n);
                if (n > ARTIFACT_RECORD_MAX || bpf_skb_load_bytes(p->skb, 0, w->data + n, left + 1))
                        return -1;
                n += sizeof(w->chunk) + left + 1;
                barrier_var(n);
                if (n > sizeof(w->chunk) + sizeof(w->data))
                        return -1;
                if (bpf_ringbuf_output(&sct_art_ring, &w->chunk, n, artifact_wakeup(a)))
                        goto lost;
                return 0;
        }

        at += sizeof(w->chunk);
        n = at;
        barrier_var(n);               /* clang 19 bounds a copy */
        if (n > sizeof(w->chunk) + ARTIFACT_RECORD_MAX)
                return -1;
        if (bpf_ringbuf_reserve_dynptr(&sct_art_ring, at + keep, 0, &ring))
                goto discard;
        bpf_dynptr_write(&ring, 0, &w->chunk, n, 0);
        for (u32 i = 0; i < 65536 / PIECE; i++) {
                if (keep - done < PIECE)
                        break;
                to = bpf_dynptr_data(&ring, at + done, PIECE);
                if (!to || bpf_skb_load_bytes(p->skb, done, to, PIECE))
                        goto discard;
                done += PIECE;
        }
        if (keep > done) {
                left = keep - done - 1;
                barrier_var(left);
                left &= PIECE - 1;
                barrier_var(left);
                left++;
                if (bpf_skb_load_bytes(p->skb, done, s->path, left))
                        goto discard;
                bpf_dynptr_write(&ring, at + done, s->path, left, 0);
        }
        bpf_ringbuf_submit_dynptr(&ring, artifact_wakeup(a));
        return 0;
discard:
        bpf_ringbuf_discard_dynptr(&ring, BPF_RB_NO_WAKEUP);
lost:
        packet_lost(a, keep);
        return -1;
}

static __always_inline struct sct_plan *packet_plan(u32 generation) {
        u32 key = (generation & 1) * SCT_EVENT_ID_MAX + SCT_EVENT_CAPTURE_PACKET, *index;

        if (!generation)
                return NULL;
        index = bpf_map_lookup_elem(&sct_events, &key);
        return index && *index ? plan_get(*index, generation & 1) : NULL;
}

/* Own functions keep the frames small: all of a chain may have 512 bytes. */
static __noinline int packet_capture(struct __sk_buff *skb, struct sct_task *t, u32 generation, u32 out) {
        u32 parity = generation & 1, keep;
        struct sct_gen_config *config = bpf_map_lookup_elem(&sct_config, &parity);
        struct event_run r = { .t = t, .parity = parity };
        struct packet p = { .skb = skb, .out = out };
        struct sct_buf *b;

        r.plan = packet_plan(generation);
        if (!config || !r.plan || packet_parse(&p))
                return 0;
        r.s = scratch_get();
        if (!r.s)
                return 0;
        b = &r.s->buf;
        record_begin(b, t, SCT_EVENT_CAPTURE_PACKET);
        if (rules_begin(b, t, r.plan)) {
                if (r.plan->n_preds)
                        packet_args(b, &p);
                keep = p.headers + config->packet_bytes;
                if (keep > p.length)
                        keep = p.length;
                if (keep > PACKET_MAX)
                        keep = PACKET_MAX;
                if (artifact_match(&r) && keep)
                        packet_emit(r.s, &p, keep);
        }
        scratch_put();
        return 0;
}

/* ---- Connections that their process has closed: TIME-WAIT has no socket that programs on cgroups see ---- */

/* The connection of a packet, from the end that sent it. */
static __noinline int packet_key(struct __sk_buff *skb, struct closed_key *key) {
        struct packet p = { .skb = skb };

        if (packet_parse(&p) || p.protocol != SCT_IPPROTO_TCP)
                return -1;
        key->net = p.net_ns;
        key->port = p.source;
        key->peer_port = p.dest;
        if (skb->protocol == ETH_P_IP_BE)
                return bpf_skb_load_bytes(skb, 12, key->address, 4) || bpf_skb_load_bytes(skb, 16, key->peer, 4) ? -1 : 0;
        return bpf_skb_load_bytes(skb, 8, key->address, 16) || bpf_skb_load_bytes(skb, 24, key->peer, 16) ? -1 : 0;
}

/* Of a packet that the kernel sends for one. */
static __noinline struct packet_owner *closed_owner(struct __sk_buff *skb) {
        struct closed_key key = {};

        return packet_key(skb, &key) ? NULL : bpf_map_lookup_elem(&sct_pktclosed, &key);
}

/* Before 6.6 a SYN-ACK of IPv6 passes no program of the cgroup, because it belongs to the request and not to the listener:
 * sct_synack asks for whom it is. */
static __noinline int connection_begins(struct __sk_buff *skb, struct packet_owner *o, u32 out) {
        struct sct_artifact_state *a = artifact_state();
        struct closed_key key = {};

        if (!a || a->synacks_seen)
                return 0;
        if (out) {
                a->synacks_seen = 1;
                return 0;
        }
        /* From the peer's end: as sct_synack, which reads what goes to the peer as what comes from there, asks for it. */
        if (packet_key(skb, &key))
                return 0;
        key.net ^= SCT_CONNECTION_BEGINS;
        bpf_map_update_elem(&sct_pktclosed, &key, o, BPF_ANY);
        return 0;
}

static __always_inline int packet_run(struct __sk_buff *skb, int out) {
        u32 generation = active_generation();
        struct sct_plan *plan = packet_plan(generation);
        struct bpf_sock *sk = skb->sk;
        struct packet_owner *o;
        int current;

        if (!plan || !sk)
                return PASS;
        sk = bpf_sk_fullsock(sk);
        if (!sk)
                return PASS;
        current = out && sent_by_current(skb);
        o = bpf_sk_storage_get(&sct_pktowners, sk, NULL, current ? BPF_SK_STORAGE_GET_F_CREATE : 0);
        if (!o && out)
                o = closed_owner(skb);
        if (!o)
                return PASS;
        if (current ? owner_update(o, generation) : owner_refresh(o, generation))
                return PASS;
        if (sk->state == SCT_TCP_LISTEN && skb->protocol == ETH_P_IPV6_BE)
                connection_begins(skb, o, out);
        if (rules_wanted(&o->t, plan))
                packet_capture(skb, &o->t, generation, out);
        return PASS;
}

SEC("cgroup_skb/egress")
int sct_egress(struct __sk_buff *skb) {
        return packet_run(skb, 1);
}

SEC("cgroup_skb/ingress")
int sct_ingress(struct __sk_buff *skb) {
        return packet_run(skb, 0);
}

/* A socket that receives before it ever sends has the owner that made it. */
SEC("cgroup/sock_create")
int sct_sock_new(struct bpf_sock *sk) {
        u32 generation = active_generation();
        struct packet_owner *o;

        if (!packet_plan(generation))
                return PASS;
        o = bpf_sk_storage_get(&sct_pktowners, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);
        if (o)
                owner_update(o, generation);
        return PASS;
}

/* The end of a socket leaves its owner to what still comes for the connection; a new one on the same addresses has
 * its own. */
SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(sct_sock_state, const struct sock *sk, int old, int new) {
        struct packet_owner *o;
        struct closed_key key;
        u64 address = 0;

        if (BPF_CORE_READ(sk, sk_protocol) != SCT_IPPROTO_TCP || !packet_plan(active_generation()))
                return 0;
        bpf_probe_read_kernel(&address, sizeof(address), ctx);       /* sk, as a number */
        if (new == SCT_TCP_ESTABLISHED) {
                closed_key_of(&key, address);
                bpf_map_delete_elem(&sct_pktclosed, &key);
        } else if (new == SCT_TCP_CLOSE &&
                   (old == SCT_TCP_FIN_WAIT1 || old == SCT_TCP_FIN_WAIT2 || old == SCT_TCP_CLOSING)) {
                o = bpf_sk_storage_get(&sct_pktowners, (void *) sk, NULL, 0);
                if (!o)
                        return 0;
                closed_key_of(&key, address);
                bpf_map_update_elem(&sct_pktclosed, &key, o, BPF_ANY);
        }
        return 0;
}

/* A TCP packet as it arrives, or a SYN-ACK as it is sent; only those of connections without a socket are looked at further,
 * which are few and small. */
static __always_inline int closed_parse(struct packet *p, u64 data, struct closed_key *key) {
        u8 b[40], t[14];
        u32 v6;

        if (bpf_probe_read_kernel(b, sizeof(b), (void *) data))
                return -1;
        v6 = b[0] >> 4 == 6;
        p->headers = v6 ? 40 : (b[0] & 15) * 4;
        if ((v6 ? b[6] : b[9]) != SCT_IPPROTO_TCP || bpf_probe_read_kernel(t, sizeof(t), (void *) data + p->headers))
                return -1;
        if (!(t[13] & 2) != !p->out)
                return -1;      /* SYN: a new connection's */
        p->protocol = SCT_IPPROTO_TCP;
        p->length = v6 ? 40 + (b[4] << 8 | b[5]) : b[2] << 8 | b[3];
        p->headers += (t[12] >> 4) * 4;
        key->net = p->net_ns;
        key->port = t[2] << 8 | t[3];
        key->peer_port = t[0] << 8 | t[1];
        if (v6) {
                __builtin_memcpy(key->address, b + 24, 16);
                __builtin_memcpy(key->peer, b + 8, 16);
        } else {
                __builtin_memcpy(key->address, b + 16, 4);
                __builtin_memcpy(key->peer, b + 12, 4);
        }
        return 0;
}

static __noinline int closed_capture(struct packet *p, struct sct_task *t, u64 data) {
        u32 generation = active_generation(), parity = generation & 1, keep = p->headers, level, at;
        struct sct_gen_config *config = bpf_map_lookup_elem(&sct_config, &parity);
        struct event_run r = { .t = t, .parity = parity };
        struct sct_artifact_state *a = artifact_state();
        struct artifact_work *w;
        u64 n;

        r.plan = packet_plan(generation);
        if (!config || !r.plan || !a)
                return 0;
        r.s = scratch_get();
        if (!r.s)
                return 0;
        record_begin(&r.s->buf, t, SCT_EVENT_CAPTURE_PACKET);
        if (!rules_begin(&r.s->buf, t, r.plan))
                goto out;
        if (r.plan->n_preds)
                packet_args(&r.s->buf, p);
        if (!artifact_match(&r))
                goto out;
        keep += config->packet_bytes;
        if (keep > p->length)
                keep = p->length;
        at = packet_record(r.s, p, keep);
        level = r.s->level;
        w = bpf_map_lookup_elem(&sct_art_work, &level);
        n = keep - 1;
        if (!w || !at || n >= ARTIFACT_SMALL_MAX)
                goto out;
        barrier_var(at);              /* clang 19 bounds a copy */
        if (at > ARTIFACT_RECORD_MAX - 8)
                goto out;
        barrier_var(n);
        n &= ARTIFACT_SMALL_MAX - 1;
        if (bpf_probe_read_kernel(w->data + at, n + 1, (void *) data))
                goto out;
        n += sizeof(w->chunk) + at + 1;
        barrier_var(n);
        if (n <= sizeof(w->chunk) + sizeof(w->data) &&
            bpf_ringbuf_output(&sct_art_ring, &w->chunk, n, artifact_wakeup(a)))
                packet_lost(a, keep);
out:
        scratch_put();
        return 0;
}

SEC("tp_btf/netif_receive_skb")
int BPF_PROG(sct_closed_in, struct sk_buff *skb) {
        u32 generation = active_generation();
        struct closed_key key = {};
        struct packet p = {};
        struct packet_owner *o;
        u64 data;

        if (skb->protocol != ETH_P_IP_BE && skb->protocol != ETH_P_IPV6_BE)
                return 0;
        data = (u64) BPF_CORE_READ(skb, data);
        p.dev = (u64) BPF_CORE_READ(skb, dev);
        p.ifindex = BPF_CORE_READ(skb, dev, ifindex);
        p.net_ns = BPF_CORE_READ(skb, dev, nd_net.net, ns.inum);
        if (closed_parse(&p, data, &key))
                return 0;
        o = bpf_map_lookup_elem(&sct_pktclosed, &key);
        if (!o || !generation || owner_refresh(o, generation))
                return 0;
        closed_capture(&p, &o->t, data);
        return 0;
}

/* A packet may be queued by one device after the other (VLAN, bond): the first one counts. Sent again it is after a second. */
#define SYNACK_AGAIN_NS 100000000ULL

SEC("tp_btf/net_dev_queue")
int BPF_PROG(sct_synack, struct sk_buff *skb) {
        u32 generation = active_generation();
        struct packet p = { .out = 1 };
        struct closed_key key = {};
        struct sct_artifact_state *a;
        struct packet_owner *o;
        struct sock *sk = skb->sk;
        u64 data, now;

        if (skb->protocol != ETH_P_IPV6_BE || !sk || sk->__sk_common.skc_state != SCT_TCP_NEW_SYN_RECV)
                return 0;
        a = artifact_state();
        if (!a || a->synacks_seen)
                return 0;
        data = (u64) BPF_CORE_READ(skb, head) + BPF_CORE_READ(skb, network_header);
        p.dev = (u64) BPF_CORE_READ(skb, dev);
        p.ifindex = BPF_CORE_READ(skb, dev, ifindex);
        p.net_ns = BPF_CORE_READ(skb, dev, nd_net.net, ns.inum);
        if (closed_parse(&p, data, &key))
                return 0;
        key.net ^= SCT_CONNECTION_BEGINS;
        o = bpf_map_lookup_elem(&sct_pktclosed, &key);
        now = bpf_ktime_get_boot_ns();
        if (!o || !generation || now - o->mm < SYNACK_AGAIN_NS || owner_refresh(o, generation))
                return 0;
        o->mm = now;
        closed_capture(&p, &o->t, data);
        return 0;
}

/* Sockets that were there before packets were wanted: of several processes that have one, the first that is met. */
SEC("iter/task_file")
int sct_iter_sock(struct bpf_iter__task_file *ctx) {
        u32 generation = active_generation();
        struct task_struct *task = ctx->task;
        struct file *file = ctx->file;
        struct packet_owner *o;
        struct sct_scratch *s;
        struct socket *socket;
        struct sock *sk;
        u64 address = 0;
        u16 family;

        if (!generation || !task || !file)
                return 0;
        socket = bpf_sock_from_file(file);
        if (!socket)
                return 0;
        sk = socket->sk;
        if (!sk)
                return 0;
        family = sk->__sk_common.skc_family;
        if (family != AF_INET && family != AF_INET6)
                return 0;
        o = bpf_sk_storage_get(&sct_pktowners, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);
        if (!o || o->t.generation)
                return 0;
        /* The pointer as a number: what stands on the stack is read back. */
        bpf_probe_read_kernel(&address, sizeof(address), &task);
        s = scratch_get();
        if (!s)
                return 0;
        if (!owner_copy_of(o, task, address, generation) && !owner_ask(s, &o->t, address, generation))
                owner_judge(s, &o->t, generation);
        scratch_put();
        return 0;
}
