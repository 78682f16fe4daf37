/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

/* Building a record: scratch space per nesting level, and the functions that append one argument. The verifier cannot
 * relate "bytes used" and "bytes left", so room() returns one of a few constant limits. */

#include "maps.bpf.h"

#define SCT_ARGS_END (SCT_DATA_MAX - 8 * SCT_BANKS_MAX)

#define COUNT(counter) __sync_fetch_and_add(&sct_state.counter, 1)

/* A program that was preempted, or interrupted by a softirq, keeps its own level. NULL: too deep (counted). */
static __always_inline struct sct_scratch *scratch_get(void) {
        u32 zero = 0, level;
        u32 *nest = bpf_map_lookup_elem(&sct_nest, &zero);
        struct sct_scratch *s;

        if (!nest)
                return NULL;
        level = *nest;
        if (level >= SCT_NEST_MAX) {
                COUNT(n_internal);
                return NULL;
        }
        s = bpf_map_lookup_elem(&sct_scratches, &level);
        if (s) {
                s->level = level;
                *nest = level + 1;
        }
        return s;
}

static __always_inline void scratch_put(void) {
        u32 zero = 0;
        u32 *nest = bpf_map_lookup_elem(&sct_nest, &zero);

        if (nest && *nest > 0)
                *nest -= 1;
}

/* The largest payload that certainly fits at offset off (behind an argument header): a constant, or 0. What emit()
 * appends has its own space behind SCT_ARGS_END. */
static __always_inline u32 room(u64 off) {
        if (off <= SCT_ARGS_END - 4096 - 16)
                return 4096;
        if (off <= SCT_ARGS_END - 2048 - 16)
                return 2048;
        if (off <= SCT_ARGS_END - 1024 - 16)
                return 1024;
        if (off <= SCT_ARGS_END - 512 - 16)
                return 512;
        if (off <= SCT_ARGS_END - 256 - 16)
                return 256;
        return 0;
}

static __always_inline void arg_header(struct sct_buf *b, u32 off, u32 index, u32 type, u32 flags, u32 size) {
        struct sct_arg *arg;

        if (off > SCT_DATA_MAX - sizeof(*arg) - 8)
                return;
        arg = (struct sct_arg *) (b->data + off);
        arg->index = index;
        arg->type = type;
        arg->flags = flags;
        arg->pad = 0;
        arg->size = size;
}

/* After `size` bytes of payload stand at off + 8: pads, counts the argument. */
static __always_inline void arg_done(struct sct_buf *b, u32 off, u32 index, u32 type, u32 flags, u32 size) {
        u32 end = off + 8 + size;

        arg_header(b, off, index, type, flags, size);
        b->used = (end + 7) & ~7U;
        b->rec.n_args++;
        if (index < SCT_ARGS_MAX)
                b->arg_off[index & (SCT_ARGS_MAX - 1)] = off + 8;
        if (flags & SCT_ARG_TRUNCATED) {
                b->rec.flags |= SCT_RECORD_TRUNCATED;
                COUNT(n_truncated);
        }
}

static __always_inline int put_u64(struct sct_buf *b, u32 index, u32 type, u64 value) {
        u32 off = b->used;

        if (off > SCT_ARGS_END - 16)
                return -1;
        *(u64 *) (b->data + off + 8) = value;
        arg_done(b, off, index, type, 0, 8);
        return 0;
}

/* An argument that could not be read, or found no room: present by name, without a value. Not yet, when its memory may
 * only not be resident: no program can wait for a page, but the kernel will. */
static __always_inline void put_fault(struct sct_buf *b, u32 index, u32 type, u32 flags) {
        u32 off = b->used;

        if (b->may_defer && flags & SCT_ARG_FAULT) {
                b->deferred |= 1 << (index & (SCT_ARGS_MAX - 1));
                return;
        }
        if (off > SCT_ARGS_END - 16)
                return;
        arg_done(b, off, index, type, flags, 0);
        if (index < SCT_ARGS_MAX)
                b->arg_off[index & (SCT_ARGS_MAX - 1)] = 0;
        if (flags & SCT_ARG_FAULT)
                COUNT(n_faults);
}

/* A null pointer: as an unreadable value, but nothing went wrong. Where the kernel was to fill it, there is no value. */
static __always_inline void put_null(struct sct_buf *b, u32 index, u32 type, u32 exit) {
        u32 off = b->used;

        if (off > SCT_ARGS_END - 16)
                return;
        arg_done(b, off, index, type, exit ? 0 : SCT_ARG_FAULT, 0);
        if (index < SCT_ARGS_MAX)
                b->arg_off[index & (SCT_ARGS_MAX - 1)] = 0;
}

/* The size of an argument's payload, as its header says. */
static __always_inline u32 arg_size(struct sct_buf *b, u32 payload_off) {
        u32 off = payload_off - 8;

        if (off > SCT_DATA_MAX - 8)
                return 0;
        return ((struct sct_arg *) (b->data + off))->size;
}

/* One string, from user or kernel memory, at b->data + off; returns bytes with NUL, 0 when there is no room, negative
 * when it cannot be read. Sets *ret_truncated when it filled all the room there was. */
static __always_inline long read_str_at(struct sct_buf *b, u64 off, const void *from, int user, int *ret_truncated) {
        u32 max;
        long n = 0;

        barrier_var(off);     /* bounds must hold for the register that is used, not for one it was made from */
        max = room(off);

        /* Each branch hands the helper a constant size: that is all the verifier can check. */
#define READ_STR(limit)                                                                         \
        if (max == (limit) && off <= SCT_ARGS_END - (limit) - 16) {                             \
                n = user ? bpf_probe_read_user_str(b->data + off, (limit), from)                \
                         : bpf_probe_read_kernel_str(b->data + off, (limit), from);             \
                *ret_truncated = n == (limit);                                                  \
                return n;                                                                       \
        }
        READ_STR(4096);
        READ_STR(2048);
        READ_STR(1024);
        READ_STR(512);
        READ_STR(256);
#undef READ_STR
        *ret_truncated = 1;
        return 0;
}

__weak __noinline int put_str(struct sct_buf *b, u32 index, u32 type, u64 from, u32 user) {
        int truncated = 0;
        u32 off;
        long n;

        if (!b)
                return -1;
        off = b->used;
        n = read_str_at(b, off + 8, (const void *) from, user, &truncated);
        if (n < 0) {
                put_fault(b, index, type, SCT_ARG_FAULT);
                return 0;
        }
        if (n > SCT_STR_MAX)
                return -1;
        arg_done(b, off, index, type, truncated ? SCT_ARG_TRUNCATED : 0, n);
        return 0;
}

/* A task's name: the kernel's pointers may not be passed on as numbers, so this one is read in place. */
static __always_inline void put_comm(struct sct_buf *b, u32 index, const char *comm) {
        u32 off = b->used;
        long n;

        if (off > SCT_ARGS_END - 8 - SCT_COMM_LEN)
                return;
        n = bpf_probe_read_kernel_str(b->data + off + 8, SCT_COMM_LEN, comm);
        if (n > 0 && n <= SCT_COMM_LEN)
                arg_done(b, off, index, SCT_ARG_KSTR, 0, n);
}

/* Raw bytes, at most 4,096. */
static __always_inline int put_bytes(struct sct_buf *b, u32 index, u32 type, u64 from, u32 size, int user) {
        u64 at, n = size;
        u32 flags = 0, off, max;
        long r = -1;

        if (!b)
                return -1;
        off = b->used;
        at = off + 8;
        barrier_var(at);
        max = room(at);
        if (n > max)
                flags = SCT_ARG_TRUNCATED;
#define READ_BYTES(limit)                                                                       \
        if (max == (limit) && at <= SCT_ARGS_END - (limit) - 16) {                              \
                barrier_var(n);                                                                 \
                if (n > (limit))                                                                \
                        n = (limit);                                                            \
                r = user ? bpf_probe_read_user(b->data + at, n, (const void *) from)            \
                         : bpf_probe_read_kernel(b->data + at, n, (const void *) from);         \
        }
        READ_BYTES(4096) else READ_BYTES(2048) else READ_BYTES(1024) else READ_BYTES(512) else READ_BYTES(256)
#undef READ_BYTES
        if (r < 0)
                put_fault(b, index, type, SCT_ARG_FAULT);
        else
                arg_done(b, off, index, type, flags, n);
        return 0;
}

__weak __noinline int put_bytes_user(struct sct_buf *b, u32 index, u32 type, u64 from, u32 size) {
        return put_bytes(b, index, type, from, size, 1);
}

__weak __noinline int put_bytes_kernel(struct sct_buf *b, u32 index, u32 type, u64 from, u32 size) {
        return put_bytes(b, index, type, from, size, 0);
}

/* A string that the kernel filled, `size` bytes of it: with or without NUL from it, with one from here. */
__weak __noinline int put_str_out(struct sct_buf *b, u32 index, u64 from, u32 size) {
        u32 off, end;

        if (!b)
                return -1;
        off = b->used;
        put_bytes_user(b, index, SCT_ARG_STR_OUT, from, size);
        if (off > SCT_ARGS_END - 16 || b->used <= off + 8)
                return 0;       /* unreadable, or empty */
        off += 8;
        end = off + arg_size(b, off) - 1;
        barrier_var(end);
        if (end < off || end >= SCT_ARGS_END - 1 || !b->data[end])
                return 0;
        end++;
        barrier_var(end);
        if (end >= SCT_ARGS_END)
                return 0;
        b->data[end] = 0;
        ((struct sct_arg *) (b->data + off - 8))->size++;
        b->used = (end + 1 + 7) & ~7U;
        return 0;
}

/* NULL-terminated array of user strings: one after the other, NUL-terminated. */
#define SCT_STRV_MAX 256

struct strv_walk {
        struct sct_buf *b;
        u64 array;
        u32 at, flags, compat;
        u32 fault;            /* met something that cannot be read */
};

static long strv_step(u32 i, struct strv_walk *w) {
        int truncated = 0;
        u64 p = 0;
        long n;

        if (w->compat ? bpf_probe_read_user(&p, 4, (void *) (w->array + 4 * i))
                      : bpf_probe_read_user(&p, 8, (void *) (w->array + 8 * i))) {
                w->flags = i == 0 ? SCT_ARG_FAULT : SCT_ARG_TRUNCATED;
                w->fault = 1;
                return 1;
        }
        if (!p) {
                w->flags = 0;
                return 1;
        }
        n = read_str_at(w->b, w->at, (void *) p, 1, &truncated);
        if (n <= 0 || n > SCT_STR_MAX) {
                w->fault = n < 0;
                return 1;
        }
        w->at += n;
        return truncated;
}

__weak __noinline int put_user_strv(struct sct_buf *b, u32 index, u64 array, u32 compat) {
        /* Truncated unless the walk meets the end. */
        struct strv_walk w = { .array = array, .compat = compat, .flags = SCT_ARG_TRUNCATED };
        u32 off;

        if (!b || !USES_TYPE(STRV))
                return -1;
        off = b->used;
        w.b = b;
        w.at = off + 8;
        bpf_loop(SCT_STRV_MAX, strv_step, &w, 0);
        if (w.flags & SCT_ARG_FAULT || (w.fault && b->may_defer))
                put_fault(b, index, SCT_ARG_STRV, SCT_ARG_FAULT);
        else
                arg_done(b, off, index, SCT_ARG_STRV, w.flags, w.at - off - 8);
        return 0;
}
