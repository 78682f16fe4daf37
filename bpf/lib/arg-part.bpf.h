/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

/* Parts of arguments that are structs (enum sct_arg_part), for predicates: numbers into s->part, strings into the
 * beginning of s->path. An argument that was not read has none. */

#include "../abi/arg-struct.h"
#include "buf.bpf.h"

#include <bpf/bpf_endian.h>

#define SCT_AF_UNIX 1
#define SCT_AF_INET 2
#define SCT_AF_INET6 10
#define SCT_UNIX_PATH_MAX 108

/* Offset of the argument's payload, 0: absent. What lies from there on may be read up to the largest struct. */
static __always_inline u64 part_offset(struct sct_buf *b, u32 index) {
        u64 off = b->arg_off[index & (SCT_ARGS_MAX - 1)];

        if (off < 8 || off > SCT_DATA_MAX - 256)
                return 0;
        return off;
}

static __always_inline int type_is_sockaddr(u32 type) {
        return type == SCT_ARG_SOCKADDR || type == SCT_ARG_SOCKADDR_OUT || type == SCT_ARG_KSOCKADDR;
}

static __always_inline s64 timespec_ns(s64 sec, s64 nsec) {
        if (sec >= 9223372035LL)
                return 0x7fffffffffffffffLL;
        if (sec <= -9223372035LL)
                return -0x7fffffffffffffffLL;
        return sec * 1000000000LL + nsec;
}

/* Bits of a set of capabilities that another argument has not. */
static __always_inline int part_gained(struct sct_scratch *s, struct sct_buf *b, u64 now, u32 old) {
        u64 off = part_offset(b, old);

        if (!off)
                return 0;
        barrier_var(off);
        if (off > SCT_DATA_MAX - 256)
                return 0;
        s->part = now & ~*(u64 *) (b->data + off);
        return 1;
}

/* Returns 0 when the argument, or the part, is absent. */
__weak __noinline int part_number(struct sct_scratch *s, struct sct_buf *b, u32 field) {
        u32 part = SCT_FIELD_PART(field), type, size;
        struct sct_sock *sock;
        struct sct_skb *skb;
        u64 off, v;

        if (!s || !b || !USES(PARTS))
                return 0;
        off = part_offset(b, SCT_FIELD_ARG_INDEX(field));
        barrier_var(off);
        if (off < 8 || off > SCT_DATA_MAX - 256)
                return 0;
        type = ((struct sct_arg *) (b->data + off - 8))->type;
        size = ((struct sct_arg *) (b->data + off - 8))->size;
        v = *(u64 *) (b->data + off);
        if (type == SCT_ARG_KCAP && part >= SCT_PART_GAINED)
                return part_gained(s, b, v, part - SCT_PART_GAINED);
        if (type == SCT_ARG_TIMESPEC && part == SCT_PART_NSEC) {
                s->part = timespec_ns(v, *(s64 *) (b->data + off + 8));
                return 1;
        }
        if (type == SCT_ARG_INT2 && (part == SCT_PART_FIRST || part == SCT_PART_SECOND)) {
                s->part = (s64) (s32) (part == SCT_PART_FIRST ? v : v >> 32);
                return 1;
        }
        if (type >= SCT_ARG_FILE && type <= SCT_ARG_BINPRM && part == SCT_PART_MODE) {
                s->part = ((struct sct_file *) (b->data + off))->mode;
                return 1;
        }
        if (type_is_sockaddr(type)) {
                if (size < 2)
                        return 0;
                if (part == SCT_PART_FAMILY)
                        s->part = (u16) v;
                else if (part == SCT_PART_SPORT && size >= 4)
                        /* Of other families there is none, which is 0 as in a socket. */
                        s->part = (u16) v == SCT_AF_INET || (u16) v == SCT_AF_INET6 ? bpf_ntohs((u16) (v >> 16)) : 0;
                else
                        return 0;
                return 1;
        }
        if (type == SCT_ARG_SKB) {
                skb = (struct sct_skb *) (b->data + off);
                switch (part) {
                case SCT_PART_FAMILY: s->part = skb->family; return 1;
                case SCT_PART_PROTOCOL: s->part = skb->protocol; return 1;
                case SCT_PART_SPORT: s->part = skb->source.port; return 1;
                case SCT_PART_DPORT: s->part = skb->dest.port; return 1;
                }
                return 0;
        }
        if (type != SCT_ARG_SOCK && type != SCT_ARG_SOCKET)
                return 0;
        sock = (struct sct_sock *) (b->data + off);
        switch (part) {
        case SCT_PART_FAMILY: s->part = sock->family; return 1;
        case SCT_PART_PROTOCOL: s->part = sock->protocol; return 1;
        case SCT_PART_STATE: s->part = sock->state; return 1;
        case SCT_PART_SPORT: s->part = sock->source.port; return 1;
        case SCT_PART_DPORT: s->part = sock->dest.port; return 1;
        }
        return 0;
}

/* Byte 4 and an IPv4 address, byte 6 and an IPv6 address; one that holds an IPv4 address is that. Returns the length. */
static __always_inline int address_string(char *out, u32 family, const u8 *address) {
        const u32 *words = (const u32 *) address;

        if (family == 4 || (family == 6 && !words[0] && !words[1] && words[2] == bpf_htonl(0xffff))) {
                out[0] = 4;
                __builtin_memcpy(out + 1, family == 4 ? address : address + 12, 4);
                return 5;
        }
        if (family != 6)
                return 0;
        out[0] = 6;
        __builtin_memcpy(out + 1, address, 16);
        return 17;
}

#define SCT_UNIX_WORDS 14            /* of SCT_UNIX_PATH_MAX bytes */

/* Its family, and the path of a unix address as it is printed: @name for an abstract one. */
__weak __noinline int unix_string(struct sct_scratch *s, struct sct_buf *b, u32 at, u32 size) {
        u64 off = at, n = size - 2, last = 0;
        u32 i, end = 0;
        u64 *words;
        long r;

        if (!s || !b || !USES(PARTS) || size <= 2)
                return 1;
        words = (u64 *) (s->path + 1);
        barrier_var(off);
        if (off > SCT_DATA_MAX - 256)
                return 1;
        barrier_var(n);
        if (n > SCT_UNIX_PATH_MAX)
                n = SCT_UNIX_PATH_MAX;
        if (b->data[off + 2]) {
                r = bpf_probe_read_kernel_str(s->path + 1, n + 1, b->data + off + 2);
                return r > 0 ? r : 1;
        }
        /* The length of what the kernel fills is not always known: it may end in zeros, which do not count. */
        for (i = 0; i < SCT_UNIX_WORDS; i++)
                words[i] = 0;
        bpf_probe_read_kernel(s->path + 1, n, b->data + off + 2);
        for (i = 0; i < SCT_UNIX_WORDS; i++)
                if (words[i]) {
                        last = words[i];
                        end = 8 * i;
                }
        for (i = 0; i < 8 && last; i++) {
                last >>= 8;
                end++;
        }
        if (!end)
                return 1;
        s->path[1] = '@';
        return 1 + end;
}

/* A struct sockaddr as address alone (SADDR), or whole. */
static __always_inline int sockaddr_string(struct sct_scratch *s, struct sct_buf *b, u64 off, u32 size, u32 part) {
        u32 family, n, i;
        u8 *data;

        barrier_var(off);
        if (off > SCT_DATA_MAX - 256 || size < 2)
                return -1;
        data = b->data + off;
        family = *(u16 *) data;
        s->path[0] = 0x80 | family;
        if (family == SCT_AF_INET && size >= 8) {
                if (part == SCT_PART_SADDR)
                        return address_string(s->path, 4, data + 4);
                __builtin_memcpy(s->path + 1, data + 2, 6);
                for (i = 0; i < 4; i++)
                        s->path[7 + i] = data[7 - i];
                s->path[11] = 4;
                return 12;
        }
        if (family == SCT_AF_INET6 && size >= 24) {
                if (part == SCT_PART_SADDR)
                        return address_string(s->path, 6, data + 8);
                __builtin_memcpy(s->path + 1, data + 2, 2);
                __builtin_memcpy(s->path + 3, data + 8, 16);
                for (i = 0; i < 16; i++)
                        s->path[19 + i] = data[23 - i];
                n = address_string(s->path + SCT_STR_MAX / 2, 6, data + 8) == 5 ? 4 : 16;
                s->path[19 + (n & 31)] = n == 4 ? 4 : 6;
                return 20 + n;
        }
        if (part == SCT_PART_SADDR)
                return 0;
        return family == SCT_AF_UNIX ? unix_string(s, b, off, size) : 1;
}

/* Returns the length of the string at s->path, negative when the argument is absent. */
__weak __noinline int part_string(struct sct_scratch *s, struct sct_buf *b, u32 field) {
        u32 part = SCT_FIELD_PART(field), type, size;
        struct sct_endpoint *e;
        u64 off;

        if (!s || !b || !USES(PARTS))
                return -1;
        off = part_offset(b, SCT_FIELD_ARG_INDEX(field));
        barrier_var(off);
        if (off < 8 || off > SCT_DATA_MAX - 256)
                return -1;
        type = ((struct sct_arg *) (b->data + off - 8))->type;
        size = ((struct sct_arg *) (b->data + off - 8))->size;
        if (type_is_sockaddr(type)) {
                return sockaddr_string(s, b, off, size, part);
        }
        /* Both structs begin with the two ends. */
        if (type != SCT_ARG_SOCK && type != SCT_ARG_SOCKET && type != SCT_ARG_SKB)
                return -1;
        e = (struct sct_endpoint *) (b->data + off);
        if (part == SCT_PART_DADDR)
                e++;
        else if (part != SCT_PART_SADDR)
                return -1;
        return address_string(s->path, e->family, e->address);
}
