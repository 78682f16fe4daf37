// SPDX-License-Identifier: GPL-2.0-only
/* Packets of processes, as events and as such into the artifact ring. Programs at the root cgroup see each packet once where
 * its socket is known, in the socket's own network namespace: datagrams before they are cut into fragments and after they
 * were put together again. They always let a packet pass. */

#include "lib/artifact.bpf.h"
#include "lib/packet.bpf.h"
#include "event-id.h"

char LICENSE[] SEC("license") = "GPL";

#define PASS 1
#define PIECE 4096U                  /* of a packet's data, at most what s->path holds */
#define PACKET_SMALL_MAX 2048U        /* data that is sent with its head from s->buf */
#define PACKET_HEAD_MAX 4096U         /* head and record: what is behind them in s->buf holds small data */
_Static_assert(sizeof(struct sct_chunk) + sizeof(struct sct_record) + SCT_DATA_MAX >= PACKET_HEAD_MAX + PACKET_SMALL_MAX,
               "room for a small packet");
#define PACKET_MAX 65535U
#define AF_INET 2
#define AF_INET6 10

/* ---- Captures ---- */

/* What rules may ask (events.list). Nothing of it is put when none does: the packet says most of it. */
static __noinline int packet_args(struct sct_buf *b, struct packet *p) {
        put_str(b, 0, SCT_ARG_KSTR, packet_dev(p) + bpf_core_field_offset(struct net_device, name), 0);
        put_u64(b, 1, SCT_ARG_U32, p->ifindex);
        put_u64(b, 2, SCT_ARG_U32, p->out);
        put_u64(b, 3, SCT_ARG_U32, p->protocol);
        return 0;
}

/* Head and record in s->buf, from `chunk` on. Returns how much that is, 0 when nothing can be sent. The data follows. */
static __noinline u32 packet_record(struct sct_scratch *s, struct packet *p, u32 keep) {
        struct sct_artifact_state *a = artifact_state();
        struct sct_buf *b = &s->buf;
        u32 size = record_end(b);

        if (!a || !size)
                return 0;
        b->chunk = (struct sct_chunk) {
                .type = SCT_CHUNK_SINGLE,
                .flags = p->out ? SCT_CHUNK_OUT : 0,
                .event = SCT_EVENT_CAPTURE_PACKET,
                .record_size = size,
                .size = keep,
                .operation = __sync_fetch_and_add(&a->next_operation, 1) + 1,
                .size_total = p->length,
                .dev = p->ifindex,
                .inode = p->net_ns,
        };
        return sizeof(b->chunk) + size;
}

static __always_inline void packet_lost(struct sct_artifact_state *a, u32 keep) {
        __sync_fetch_and_add(&a->n_lost, 1);
        __sync_fetch_and_add(&a->lost_bytes, keep);
}

/* Head, record and data in one entry of the ring, of just the size that they need. */
static __noinline int packet_emit(struct sct_scratch *s, struct packet *p, u32 keep) {
        struct sct_artifact_state *a = artifact_state();
        u32 done = 0, at = packet_record(s, p, keep), left;
        struct sct_buf *b = &s->buf;
        struct bpf_dynptr ring;
        void *to;
        u64 n;

        if (!a || !at)
                return -1;
        left = keep - 1;              /* 6.1 must see that it is 1 at least: inequality with 0 says nothing to it */
        if (left < PACKET_SMALL_MAX) {
                barrier_var(left);
                left &= PACKET_SMALL_MAX - 1;
                n = at;
                barrier_var(n);
                if (n > PACKET_HEAD_MAX || bpf_skb_load_bytes(p->skb, 0, (void *) &b->chunk + n, left + 1))
                        return -1;
                n += left + 1;
                barrier_var(n);
                if (n > PACKET_HEAD_MAX + PACKET_SMALL_MAX)
                        return -1;
                if (bpf_ringbuf_output(&sct_art_ring, &b->chunk, n, artifact_wakeup(a)))
                        goto lost;
                return 0;
        }

        n = at;
        barrier_var(n);               /* clang 19 bounds a copy */
        if (n > PACKET_HEAD_MAX)
                return -1;
        if (bpf_ringbuf_reserve_dynptr(&sct_art_ring, at + keep, 0, &ring))
                goto discard;
        bpf_dynptr_write(&ring, 0, &b->chunk, n, 0);
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

static long packet_filtered_step(u32 i, struct event_run *r) {
        u32 bank = (r->plan->bank_first + i) & (SCT_BANKS_MAX - 1);
        struct sct_gen_config *config = bpf_map_lookup_elem(&sct_config, &r->parity);

        if (config)
                r->s->buf.active[bank] &= ~config->packets_filtered[bank] | r->s->packet_rules[bank];
        r->s->part |= r->s->buf.active[bank];
        return 0;
}

/* Packets over loopback leave and come back, mostly as the very same buffer and at once. When both times they are the
 * same subject's, and nothing but the subject decides, the second one says nothing new: it is not even looked at. What
 * this does not know (another processor received it, it was put together of fragments) user space finds out. */
#define LOOPBACK_IFINDEX 1           /* include/net/net_namespace.h, LOOPBACK_IFINDEX */
#define PACKET_ECHOES 64

struct packet_echo {
        u64 skb;                     /* struct sk_buff; 0: none */
        u64 stamp;                   /* of the owner, sct_task.stamp */
        u64 words[2];                /* ends and beginning of the transport header: buffers are used again */
        u64 length;
};

struct {                             /* owner: kernel side, by a part of the buffer's address; restart: kept */
        __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
        __uint(max_entries, PACKET_ECHOES);
        __type(key, u32);
        __type(value, struct packet_echo);
} sct_pktechoes SEC(".maps");

static __always_inline struct packet_echo *packet_echo_make(struct __sk_buff *skb, u64 stamp, struct packet_echo *echo) {
        u32 key = ((u64) skb >> 8) & (PACKET_ECHOES - 1);

        *echo = (struct packet_echo) { .skb = (u64) skb, .stamp = stamp, .length = skb->len };
        return bpf_skb_load_bytes(skb, skb->protocol == ETH_P_IP_BE ? 12 : 32, echo->words, sizeof(echo->words))
                       ? NULL : bpf_map_lookup_elem(&sct_pktechoes, &key);
}

/* It is captured as it leaves. */
static __noinline int packet_echo_note(struct __sk_buff *skb, u64 stamp) {
        struct packet_echo echo, *slot = packet_echo_make(skb, stamp, &echo);

        if (slot)
                *slot = echo;
        return 0;
}

/* Whether it was captured as it left. */
static __noinline int packet_is_echo(struct __sk_buff *skb, u64 stamp) {
        struct packet_echo echo, *slot = packet_echo_make(skb, stamp, &echo);

        if (!slot || slot->skb != echo.skb || slot->stamp != stamp || slot->words[0] != echo.words[0] ||
            slot->words[1] != echo.words[1] || slot->length != echo.length)
                return 0;
        slot->skb = 0;
        return 1;
}

enum packet_verdict {
        PACKET_UNWANTED,
        PACKET_WANTED,
        PACKET_WANTED_OF_SUBJECT,     /* whatever it holds, and whichever way it goes */
};

/* Begins the record of a captured packet when a rule of its owner wants it. */
static __noinline int packet_wanted(struct sct_scratch *s, struct sct_task *t, struct packet *p) {
        struct event_run r = { .s = s, .t = t, .parity = p->parity };

        r.plan = packet_plan(SCT_EVENT_CAPTURE_PACKET, p->parity);
        if (!r.plan)
                return PACKET_UNWANTED;
        record_begin(&s->buf, t, SCT_EVENT_CAPTURE_PACKET);
        if (!rules_begin(&s->buf, t, r.plan))
                return PACKET_UNWANTED;
        if (USES(PACKETS_FILTERED)) {
                s->part = 0;          /* rules that are left */
                bpf_loop(r.plan->n_banks, packet_filtered_step, &r, 0);
                if (!s->part)
                        return PACKET_UNWANTED;
        }
        if (r.plan->n_preds)
                packet_args(&s->buf, p);
        if (!artifact_match(&r))
                return PACKET_UNWANTED;
        return USES(PACKETS_FILTERED) || r.plan->n_preds ? PACKET_WANTED : PACKET_WANTED_OF_SUBJECT;
}

/* How much of it is kept. */
static __always_inline u32 packet_keep(struct packet *p) {
        u32 keep = p->headers;

        if (p->config)
                keep += p->config->packet_bytes;
        if (keep > p->length)
                keep = p->length;
        return keep > PACKET_MAX ? PACKET_MAX : keep;
}

static __always_inline void packet_capture(struct sct_scratch *s, struct sct_task *t, struct packet *p) {
        u32 keep = packet_keep(p), verdict = keep ? packet_wanted(s, t, p) : PACKET_UNWANTED;

        if (verdict == PACKET_UNWANTED || packet_emit(s, p, keep))
                return;
        if (p->out && p->ifindex == LOOPBACK_IFINDEX && verdict == PACKET_WANTED_OF_SUBJECT)
                packet_echo_note(p->skb, t->stamp);
}

static __always_inline void packet_rules_clear(struct sct_scratch *s) {
        for (u32 i = 0; i < (USES(BANKS) ? SCT_BANKS_MAX : 1); i++)
                s->packet_rules[i] = 0;
}

/* Whether any rule of its owner wants anything of packets. */
static __always_inline int packet_of_interest(struct sct_task *t, struct packet *p) {
        struct sct_plan *plan = plan_get(p->config->plan_packets, p->parity);

        return plan && rules_wanted(t, plan);
}

/* Own functions keep the frames small: all of a chain may have 512 bytes. `is_echo`: it is captured already. */
static __noinline int packet_judge(struct packet *p, struct packet_owner *o, u32 is_echo) {
        struct sct_task *t = &o->t;
        struct sct_scratch *s;

        if (packet_parse(p))
                return 0;
        if (!o->net_ns)
                o->net_ns = packet_net(p->skb);
        p->net_ns = o->net_ns;
        s = scratch_get();
        if (!s)
                return 0;
        if (USES(PACKETS_FILTERED))
                packet_rules_clear(s);
        if (USES(PACKET_EVENTS))
                packet_events(s, t, p);
        if (USES(PACKET_CAPTURES) && !is_echo)
                packet_capture(s, t, p);
        scratch_put();
        return 0;
}

/* ---- Connections that their process has closed: TIME-WAIT has no socket that programs on cgroups see ---- */

/* The connection of a packet, from the end that sent it. */
static __noinline int packet_key(struct __sk_buff *skb, struct closed_key *key) {
        struct packet p = { .skb = skb };

        if (packet_parse(&p) || p.protocol != SCT_IPPROTO_TCP)
                return -1;
        key->net = packet_net(skb);
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

static __always_inline void closed_put(struct closed_key *key, struct packet_owner *o) {
        bpf_map_update_elem(&sct_pktclosed, key, o, BPF_ANY);
        sct_state.closed_seen = 1;
}

/* Before 6.6 a SYN-ACK of IPv6 passes no program of the cgroup, because it belongs to the request and not to the listener:
 * sct_synack asks for whom it is. */
static __noinline int connection_begins(struct __sk_buff *skb, struct packet_owner *o, u32 out) {
        struct closed_key key = {};

        if (sct_state.synacks_seen)
                return 0;
        if (out) {
                sct_state.synacks_seen = 1;
                return 0;
        }
        /* From the peer's end: as sct_synack, which reads what goes to the peer as what comes from there, asks for it. */
        if (packet_key(skb, &key))
                return 0;
        key.net ^= SCT_CONNECTION_BEGINS;
        closed_put(&key, o);
        return 0;
}

/* Whether the current task sends: TCP's socket is held by it, and a datagram is always sent by who asks for it. The
 * kernel's own sockets (resets, ICMP replies, IGMP) belong to nobody, and so never come to be known. */
static __noinline int sent_by_current(struct __sk_buff *skb, u32 is_tcp, u32 is_known) {
        struct sock *sk = NULL;

        if (is_known && !is_tcp)
                return 1;
        SKB_READ(&sk, skb, sk);
        if (!sk || (!is_known && BPF_CORE_READ_BITFIELD_PROBED(sk, sk_kern_sock)))
                return 0;
        return !is_tcp || BPF_CORE_READ(sk, sk_lock.owned);
}

/* Whether anything is made of a socket's packets: most are of TCP, and what is wanted may be of ICMP alone. */
static __always_inline int packets_wanted(struct bpf_sock *sk, u32 kinds) {
        if (sk->protocol == SCT_IPPROTO_TCP)
                return (kinds & SCT_PACKETS_OF_TCP) != 0;
        if (sk->protocol == IPPROTO_UDP)
                return (kinds & SCT_PACKETS_OF_UDP) != 0;
        return kinds != 0;
}

static __always_inline int packet_run(struct __sk_buff *skb, int out) {
        u32 generation = active_generation(), is_echo = 0;
        struct packet p = { .skb = skb, .out = out, .config = packet_config(generation), .parity = generation & 1 };
        struct bpf_sock *sk = skb->sk;
        struct packet_owner *o;
        int current;

        if (!p.config || !sk)
                return PASS;
        sk = bpf_sk_fullsock(sk);
        if (!sk || !packets_wanted(sk, p.config->packet_kinds))
                return PASS;
        o = bpf_sk_storage_get(&sct_pktowners, sk, NULL, 0);
        current = out && sent_by_current(skb, sk->protocol == SCT_IPPROTO_TCP, o != NULL);
        if (!o && current)
                o = bpf_sk_storage_get(&sct_pktowners, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);
        if (!o && out)
                o = closed_owner(skb);
        if (!o)
                return PASS;
        if (current ? owner_update(o, generation) : owner_refresh(o, generation))
                return PASS;
        if (sk->state == SCT_TCP_LISTEN && skb->protocol == ETH_P_IPV6_BE)
                connection_begins(skb, o, out);
        if (!packet_of_interest(&o->t, &p))
                return PASS;
        if (USES(PACKET_CAPTURES) && !out && skb->ifindex == LOOPBACK_IFINDEX) {
                is_echo = packet_is_echo(skb, o->t.stamp);
                if (is_echo && !packets_wanted(sk, p.config->packet_kinds & ~SCT_PACKET_CAPTURE))
                        return PASS;
        }
        packet_judge(&p, o, is_echo);
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
        struct sct_gen_config *config = packet_config(generation);
        struct packet_owner *o;

        if (!config || !config->packet_kinds)
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
        struct sct_gen_config *config = packet_config(active_generation());
        struct packet_owner *o;
        struct closed_key key;
        u64 address = 0;

        if (BPF_CORE_READ(sk, sk_protocol) != SCT_IPPROTO_TCP || !config || !(config->packet_kinds & SCT_PACKETS_OF_TCP))
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
                closed_put(&key, o);
        }
        return 0;
}

/* A TCP packet as it arrives, or a SYN-ACK as it is sent; only those of connections without a socket are looked at further,
 * which are few and small. */
static __always_inline int closed_parse(struct packet *p, struct closed_key *key) {
        u8 b[40], t[14];
        u32 v6;

        if (bpf_probe_read_kernel(b, sizeof(b), (void *) p->data))
                return -1;
        v6 = b[0] >> 4 == 6;
        p->headers = v6 ? 40 : (b[0] & 15) * 4;
        if ((v6 ? b[6] : b[9]) != SCT_IPPROTO_TCP || bpf_probe_read_kernel(t, sizeof(t), (void *) p->data + p->headers))
                return -1;
        if (!(t[13] & 2) != !p->out)
                return -1;      /* SYN: a new connection's */
        p->protocol = SCT_IPPROTO_TCP;
        p->version = v6 ? 6 : 4;
        p->transport = p->headers;
        p->source = t[0] << 8 | t[1];
        p->dest = t[2] << 8 | t[3];
        p->length = v6 ? 40 + (b[4] << 8 | b[5]) : b[2] << 8 | b[3];
        p->headers += (t[12] >> 4) * 4;
        key->port = p->dest;
        key->peer_port = p->source;
        if (v6) {
                __builtin_memcpy(key->address, b + 24, 16);
                __builtin_memcpy(key->peer, b + 8, 16);
        } else {
                __builtin_memcpy(key->address, b + 16, 4);
                __builtin_memcpy(key->peer, b + 12, 4);
        }
        return 0;
}

/* Fills *p and finds whose it is. Its own frame, as above. */
static __noinline struct packet_owner *closed_find(struct packet *p, struct sk_buff *skb) {
        struct closed_key key = {};

        if (closed_parse(p, &key))
                return NULL;
        bpf_probe_read_kernel(&p->dev, sizeof(p->dev), &skb->dev);    /* as a number */
        p->ifindex = BPF_CORE_READ(skb, dev, ifindex);
        key.net = p->net_ns = BPF_CORE_READ(skb, dev, nd_net.net, ns.inum);
        if (p->out)
                key.net ^= SCT_CONNECTION_BEGINS;
        return bpf_map_lookup_elem(&sct_pktclosed, &key);
}

static __noinline int closed_emit(struct sct_scratch *s, struct packet *p, u32 keep) {
        struct sct_artifact_state *a = artifact_state();
        u32 at = packet_record(s, p, keep);
        struct sct_buf *b = &s->buf;
        u64 n = keep - 1;

        if (!a || !at || n >= PACKET_SMALL_MAX)
                return -1;
        barrier_var(at);              /* clang 19 bounds a copy */
        if (at > PACKET_HEAD_MAX)
                return -1;
        barrier_var(n);
        n &= PACKET_SMALL_MAX - 1;
        if (bpf_probe_read_kernel((void *) &b->chunk + at, n + 1, (void *) p->data))
                return -1;
        n += at + 1;
        barrier_var(n);
        if (n <= PACKET_HEAD_MAX + PACKET_SMALL_MAX &&
            bpf_ringbuf_output(&sct_art_ring, &b->chunk, n, artifact_wakeup(a)))
                packet_lost(a, keep);
        return 0;
}

static __noinline int closed_judge(struct packet *p, struct sct_task *t, u32 generation) {
        struct sct_scratch *s = scratch_get();
        u32 keep;

        p->config = packet_config(generation);
        p->parity = generation & 1;

        if (!s)
                return 0;
        if (USES(PACKETS_FILTERED))
                packet_rules_clear(s);
        if (USES(PACKET_EVENTS))
                packet_events(s, t, p);
        if (USES(PACKET_CAPTURES)) {
                keep = packet_keep(p);
                if (keep && packet_wanted(s, t, p))
                        closed_emit(s, p, keep);
        }
        scratch_put();
        return 0;
}

SEC("tp_btf/netif_receive_skb")
int BPF_PROG(sct_closed_in, struct sk_buff *skb) {
        u32 generation = active_generation();
        struct packet p = {};
        struct packet_owner *o;

        if (!sct_state.closed_seen || (skb->protocol != ETH_P_IP_BE && skb->protocol != ETH_P_IPV6_BE))
                return 0;
        p.data = (u64) skb->data;
        o = closed_find(&p, skb);
        if (!o || !generation || owner_refresh(o, generation))
                return 0;
        closed_judge(&p, &o->t, generation);
        return 0;
}

/* A packet may be queued by one device after the other (VLAN, bond): the first one counts. Sent again it is after a second. */
#define SYNACK_AGAIN_NS 100000000ULL

SEC("tp_btf/net_dev_queue")
int BPF_PROG(sct_synack, struct sk_buff *skb) {
        u32 generation = active_generation();
        struct packet p = { .out = 1 };
        struct packet_owner *o;
        struct sock *sk = skb->sk;
        u64 now;

        if (skb->protocol != ETH_P_IPV6_BE || !sk || sk->__sk_common.skc_state != SCT_TCP_NEW_SYN_RECV)
                return 0;
        if (sct_state.synacks_seen)
                return 0;
        p.data = (u64) skb->head + skb->network_header;
        o = closed_find(&p, skb);
        now = bpf_ktime_get_boot_ns();
        if (!o || !generation || now - o->mm < SYNACK_AGAIN_NS || owner_refresh(o, generation))
                return 0;
        o->mm = now;
        closed_judge(&p, &o->t, generation);
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
