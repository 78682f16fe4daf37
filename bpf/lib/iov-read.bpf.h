/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

/* Data that lies in several pieces: struct iovec[] and struct iov_iter, their bytes one after the other. */

#include "buf.bpf.h"

#define SCT_IOV_MAX 64        /* pieces of one argument */

/* Puts bytes at b->data + at. Returns how many there was room for, negative when they cannot be read. A function of its
 * own, so that its branches are looked at once and not for every piece. */
__weak __noinline int append_bytes(struct sct_buf *b, u32 at, u64 from, u32 size, u32 user) {
        u64 off = at, n = size;
        long r = -1;
        u32 max;

        if (!b)
                return -1;
        barrier_var(off);
        max = room(off);
#define APPEND(limit)                                                                           \
        if (max == (limit) && off <= SCT_ARGS_END - (limit) - 16) {                             \
                barrier_var(n);                                                                 \
                if (n > (limit))                                                                \
                        n = (limit);                                                            \
                r = user ? bpf_probe_read_user(b->data + off, n, (const void *) from)           \
                         : bpf_probe_read_kernel(b->data + off, n, (const void *) from);        \
                return r < 0 ? -1 : (int) n;                                                    \
        }
        APPEND(4096);
        APPEND(2048);
        APPEND(1024);
        APPEND(512);
        APPEND(256);
#undef APPEND
        return 0;
}

enum iov_how {
        IOV_VECTOR_USER = 1 << 0,     /* the array stands in user memory */
        IOV_DATA_USER = 1 << 1,       /* what its entries point to does */
        IOV_COMPAT = 1 << 2,          /* entries of a 32-bit program */
};

struct iov_walk {
        struct sct_buf *b;
        u64 vector;
        u64 left;                     /* bytes that are wanted yet, at most SCT_STR_MAX */
        u64 skip;                     /* of the first piece */
        u32 at, how, flags;
        u32 cut;                      /* flags when there is more: none where a policy said how much it wants */
};

static long iov_step(u32 i, struct iov_walk *w) {
        u64 entry[2] = {}, n;
        u32 narrow[2] = {};
        long r;
        int got;

        if (!w->left) {
                w->flags |= w->cut;
                return 1;
        }
        if (w->how & IOV_COMPAT) {
                r = bpf_probe_read_user(narrow, sizeof(narrow), (void *) (w->vector + i * 8));
                entry[0] = narrow[0];
                entry[1] = narrow[1];
        } else if (w->how & IOV_VECTOR_USER)
                r = bpf_probe_read_user(entry, sizeof(entry), (void *) (w->vector + i * 16));
        else
                r = bpf_probe_read_kernel(entry, sizeof(entry), (void *) (w->vector + i * 16));
        if (r)
                goto fault;
        n = entry[1] > w->skip ? entry[1] - w->skip : 0;
        if (n > w->left) {
                n = w->left;
                w->flags |= w->cut;
        }
        got = append_bytes(w->b, w->at, entry[0] + w->skip, n, w->how & IOV_DATA_USER);
        w->skip = 0;
        if (got < 0)
                goto fault;
        w->at += got;
        w->left -= got;
        if ((u64) got == n)
                return 0;
        w->flags |= SCT_ARG_TRUNCATED;
        return 1;
fault:
        w->flags |= i ? SCT_ARG_TRUNCATED : SCT_ARG_FAULT;
        return 1;
}

static __always_inline void iov_put(struct sct_buf *b, u32 index, u32 type, struct iov_walk *w, u64 count) {
        u32 off = b->used;

        w->b = b;
        w->at = off + 8;
        if (count > SCT_IOV_MAX) {
                count = SCT_IOV_MAX;
                w->flags |= SCT_ARG_TRUNCATED;
        }
        bpf_loop(count, iov_step, w, 0);
        if (w->flags & SCT_ARG_FAULT)
                put_fault(b, index, type, SCT_ARG_FAULT);
        else
                arg_done(b, off, index, type, w->flags & SCT_ARG_TRUNCATED, w->at - off - 8);
}

/* struct iovec[count]; max: bytes, 0: as many as there is room for. */
__weak __noinline int put_iovec(struct sct_buf *b, u32 index_how, u64 vector, u64 count, u32 max) {
        struct iov_walk w = { .vector = vector, .left = max, .how = index_how >> 8 };

        if (!max || max > SCT_STR_MAX) {
                w.left = SCT_STR_MAX;
                w.cut = SCT_ARG_TRUNCATED;
        }

        if (!b || !USES_TYPE(IOVEC))
                return -1;
        iov_put(b, index_how & 0xff, SCT_ARG_IOVEC, &w, count);
        return 0;
}

/* Its arrays changed their names: iov until 6.4 (747b1f65d39a), and a buffer of its own came with 6.0. */
struct iov_iter___61 {
        const struct iovec *iov;
        void *ubuf;
} __attribute__((preserve_access_index));
struct iov_iter___64 {
        const struct iovec *__iov;
        void *ubuf;
} __attribute__((preserve_access_index));

__weak __noinline int put_iov_iter(struct sct_buf *b, u32 index, u64 address, u32 max) {
        struct iov_iter *it = (struct iov_iter *) address;
        struct iov_iter___61 *old = (void *) address;
        struct iov_iter___64 *newer = (void *) address;
        struct iov_walk w = {};
        u32 type, flags = 0, limit = max && max < SCT_STR_MAX ? max : SCT_STR_MAX;
        u64 count, segments;
        int n;

        if (!b || !USES_TYPE(IOV_ITER))
                return -1;
        count = BPF_CORE_READ(it, count);
        if (count > limit) {
                count = limit;
                if (limit == SCT_STR_MAX)
                        w.flags = flags = SCT_ARG_TRUNCATED;
        }
        type = BPF_CORE_READ(it, iter_type);
        w.left = count;
        w.skip = BPF_CORE_READ(it, iov_offset);
        segments = BPF_CORE_READ(it, nr_segs);
        if (type == bpf_core_enum_value(enum iter_type, ITER_UBUF)) {
                u32 off = b->used;

                n = append_bytes(b, off + 8, (u64) BPF_CORE_READ(newer, ubuf) + w.skip, count, 1);
                if (n < 0)
                        put_fault(b, index, SCT_ARG_IOV_ITER, SCT_ARG_FAULT);
                else
                        arg_done(b, off, index, SCT_ARG_IOV_ITER, (u64) n < count ? SCT_ARG_TRUNCATED : flags, n);
                return 0;
        }
        if (type == bpf_core_enum_value(enum iter_type, ITER_IOVEC))
                w.how = IOV_DATA_USER;
        else if (type != bpf_core_enum_value(enum iter_type, ITER_KVEC)) {
                /* Pages of a pipe or of the page cache: no address that could be read. */
                put_fault(b, index, SCT_ARG_IOV_ITER, SCT_ARG_FAULT);
                return 0;
        }
        if (bpf_core_field_exists(newer->__iov))
                w.vector = (u64) BPF_CORE_READ(newer, __iov);
        else
                w.vector = (u64) BPF_CORE_READ(old, iov);
        iov_put(b, index, SCT_ARG_IOV_ITER, &w, segments);
        return 0;
}
