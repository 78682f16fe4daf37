/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

/* Arguments of hooks that policies brought: where each value is, and one branch a type. Whether an address is of user or
 * of kernel memory shows by itself: the two never overlap. */

#include "arg-read.bpf.h"
#include "follow.bpf.h"
#include "iov-read.bpf.h"
#include "net-read.bpf.h"
#include "object-read.bpf.h"

enum hook_how {
        HOOK_USER = 1 << 0,          /* strings stand in user memory (uprobes, system calls) */
        HOOK_RECORD = 1 << 1,        /* args[0] is a tracepoint's record, arguments are its fields */
        HOOK_EXIT = 1 << 2,          /* arguments that are read at return */
        HOOK_SYSCALL = 1 << 3,       /* the registers are those of a system call */
        HOOK_TRAMPOLINE = 1 << 4,    /* called by a BPF trampoline: LSM hooks, fmod_ret; with SYSCALL: argument 0 is the registers */
        HOOK_RAW = 1 << 5,           /* the context is the arguments: raw tracepoints */
};

#define SCT_HOOK_REGS 8              /* arguments of a place that can be read: sct_buf.args */

/* Where the field of a tracepoint's record is: sct_arg_plan.max as user space fills it. */
#define HOOK_FIELD_OFFSET(max) ((max) & 0xffff)
#define HOOK_FIELD_SIZE(max) ((max) >> 16)

/* A number of the type's width from wherever it stands. */
static __always_inline u64 widen(u32 type, u64 v) {
        switch (type) {
        case SCT_ARG_S32:
        case SCT_ARG_FD:
                return (s64) (s32) v;
        case SCT_ARG_U32:
                return (u32) v;
        case SCT_ARG_S16:
                return (s64) (s16) v;
        case SCT_ARG_U16:
                return (u16) v;
        case SCT_ARG_S8:
                return (s64) (s8) v;
        case SCT_ARG_U8:
                return (u8) v;
        case SCT_ARG_BOOL:
                return (u8) v != 0;
        }
        return v;
}

static __always_inline int address_is_user(u64 v) {
        return v <= SCT_TASK_SIZE_MAX;
}

/* Follows a path to its value; s->missing says that there is none. */
__weak __noinline u64 hook_follow(struct sct_scratch *s, struct sct_buf *b, u32 key) {
        struct sct_arg_path *path = bpf_map_lookup_elem(&sct_argpaths, &key);
        u64 v = 0, at;
        u32 i, n;

        if (!s || !b || !path || !USES(ARG_PATHS))
                return 0;
        s->missing = 0;
        if (path->base == SCT_ARG_BASE_TASK)
                v = (u64) bpf_get_current_task();
        else if (path->base == SCT_ARG_BASE_REGS)
                v = s->regs;
        else if (path->base == SCT_ARG_BASE_RETVAL)
                return b->rec.retval;
        else
                v = b->args[path->base & 7];
        n = path->n_steps;
        if (!n)
                return v;
        for (i = 0; i < SCT_ARG_PATH_STEPS; i++) {
                if (!v)
                        goto missing;
                at = v + path->steps[i];
                if (i + 1 >= n)
                        break;
                v = 0;
                if (bpf_probe_read_kernel(&v, sizeof(v), (void *) at))
                        goto missing;
        }
        if (!path->bytes)
                return at;
        v = 0;
        n = path->bytes;
        barrier_var(n);
        if (n > 8 || bpf_probe_read_kernel(&v, n, (void *) at))
                goto missing;
        if (path->bits)
                v = v >> (path->shift & 63) & ((1ULL << (path->bits & 63)) - 1);
        return v;
missing:
        s->missing = 1;
        return 0;
}

/* Bytes from where `from` points to; of what nobody knows the length those up to the end of the page, at least. */
static __always_inline void put_buffer(struct sct_buf *b, u32 index, u64 from, u32 size, u32 guessed) {
        u64 before = b->used;
        u32 user = address_is_user(from);

        if (user)
                put_bytes_user(b, index, SCT_ARG_BYTES, from, size);
        else
                put_bytes_kernel(b, index, SCT_ARG_BYTES, from, size);
        barrier_var(before);
        if (!guessed || before > SCT_ARGS_END - 16 ||
            !(((struct sct_arg *) (b->data + before))->flags & SCT_ARG_FAULT))
                return;
        b->used = before;
        b->rec.n_args--;
        size = 4096 - (from & 4095);
        if (user)
                put_bytes_user(b, index, SCT_ARG_BYTES, from, size);
        else
                put_bytes_kernel(b, index, SCT_ARG_BYTES, from, size);
}

#define HOOK_PUT(index, type, how) ((index) | (type) << 8 | (how) << 16)

/* Types whose length another argument, or the return value, says. size: that, ~0: nobody does. */
__weak __noinline int hook_put_sized(struct sct_buf *b, u32 packed, u64 v, u64 size, u32 max) {
        u32 index = packed & 0xff, type = packed >> 8 & 0xff, how = packed >> 16, known;
        s64 retval;

        if (!b)
                return -1;
        retval = b->rec.retval;
        if (how & HOOK_EXIT && retval < 0) {
                put_fault(b, index, type, 0);        /* a call that failed has filled nothing */
                return 0;
        }
        if (type == SCT_ARG_IOVEC) {
                u32 iov = address_is_user(v) ? IOV_VECTOR_USER | IOV_DATA_USER : IOV_DATA_USER;

                if (how & HOOK_SYSCALL && syscall_is_compat(bpf_get_current_task_btf()))
                        iov |= IOV_COMPAT;
                if (how & HOOK_EXIT) {
                        if (!retval) {
                                put_fault(b, index, type, 0);
                                return 0;
                        }
                        if (!max || retval < max)
                                max = retval > SCT_STR_MAX ? 0 : retval;
                }
                if (size > SCT_IOV_MAX)
                        size = size == ~0ULL ? 1 : SCT_IOV_MAX + 1;
                put_iovec(b, index | iov << 8, v, size, max);
                return 0;
        }
        known = size != ~0ULL;
        if (how & HOOK_EXIT && (!known || (u64) retval < size)) {
                size = retval;
                known = 1;
        }
        if (max && size > max)
                size = max;
        if (size > 0x7fffffff)
                size = 0x7fffffff;
        put_buffer(b, index, v, size, !known);
        return 0;
}

/* Types of system calls' arguments, from user memory. */
__weak __noinline int hook_put_user(struct sct_buf *b, u32 packed, u64 v, u64 size, u32 time32) {
        u32 index = packed & 0xff, type = packed >> 8 & 0xff, how = packed >> 16, n = 0;
        s64 retval, ts[2] = {};

        if (!b)
                return -1;
        retval = b->rec.retval;
        if (how & HOOK_EXIT && retval < 0) {
                put_fault(b, index, type, 0);
                return 0;
        }
        if (!v) {
                put_null(b, index, type, how & HOOK_EXIT);
                return 0;
        }
        switch (type) {
        case SCT_ARG_STRV:
                put_user_strv(b, index, v, how & HOOK_SYSCALL && syscall_is_compat(bpf_get_current_task_btf()));
                break;
        case SCT_ARG_TIMESPEC:
                if (address_is_user(v)) {
                        put_timespec(b, index, v, time32 && syscall_is_compat(bpf_get_current_task_btf()));
                        break;
                }
                if (bpf_probe_read_kernel(ts, sizeof(ts), (void *) v) || b->used > SCT_ARGS_END - 32) {
                        put_fault(b, index, type, SCT_ARG_FAULT);
                        break;
                }
                n = b->used;
                barrier_var(n);
                if (n > SCT_ARGS_END - 32)
                        break;
                *(s64 *) (b->data + n + 8) = ts[0];
                *(s64 *) (b->data + n + 16) = ts[1];
                arg_done(b, n, index, type, 0, 16);
                break;
        case SCT_ARG_INT2:
                put_bytes_user(b, index, type, v, 8);
                break;
        case SCT_ARG_STR_OUT:
                put_str_out(b, index, v, retval > 4095 ? 4095 : retval);
                break;
        case SCT_ARG_SOCKADDR_OUT:
                bpf_probe_read_user(&n, sizeof(n), (void *) size);
                put_bytes_user(b, index, type, v, n > 128 ? 128 : n);
                break;
        case SCT_ARG_SOCKADDR:
                put_bytes_user(b, index, type, v, size > 128 ? 128 : size);
                break;
        }
        return 0;
}

static __always_inline int type_is_user_struct(u32 type) {
        return type == SCT_ARG_STRV || type == SCT_ARG_TIMESPEC || type == SCT_ARG_INT2 || type == SCT_ARG_STR_OUT ||
               type == SCT_ARG_SOCKADDR || type == SCT_ARG_SOCKADDR_OUT;
}

/* One value of a type that needs no more than itself. */
__weak __noinline int hook_put(struct sct_scratch *s, struct sct_buf *b, u32 packed, u64 v) {
        u32 index = packed & 0xff, type = packed >> 8 & 0xff;
        u64 word = 0;

        if (!s || !b)
                return -1;
        switch (type) {
        case SCT_ARG_STR:
                put_str(b, index, type, v, address_is_user(v));
                return 0;
        case SCT_ARG_KSTR:
                put_str(b, index, type, v, 0);
                return 0;
        case SCT_ARG_FD:
                put_fd_path(b, s, index, (s64) (s32) v);
                return 0;
        case SCT_ARG_KCAP:
                /* By value it is a small number, by reference the kernel's address. */
                if (address_is_user(v))
                        put_u64(b, index, type, v);
                else if (bpf_probe_read_kernel(&word, sizeof(word), (void *) v))
                        put_missing(b, index, type);
                else
                        put_u64(b, index, type, word);
                return 0;
        case SCT_ARG_SYSCALL64:
                v &= 0x7fffffff;
                if (syscall_is_compat(bpf_get_current_task_btf()))
                        v |= SCT_SYSCALL_COMPAT;
                put_u64(b, index, type, v);
                return 0;
        case SCT_ARG_SKB:
                put_skb(b, index, v);
                return 0;
        }
        put_u64(b, index, type, widen(type, v));
        return 0;
}

/* Types that put_object() knows: not by way of hook_put(), for paths are long ways and frames are few. */
static __always_inline int type_is_object(u32 type) {
        return type >= SCT_ARG_FILE && type != SCT_ARG_KCAP && type != SCT_ARG_SYSCALL64 && type != SCT_ARG_SKB;
}

/* A field of a tracepoint's record. Returns 1 when it has been put, else it is a value in *ret. */
static __always_inline int hook_field(struct sct_buf *b, u32 index, u32 type, u32 max, u64 *ret) {
        u64 at = b->args[0] + HOOK_FIELD_OFFSET(max), v = 0;
        u32 size = HOOK_FIELD_SIZE(max);

        if (type == SCT_ARG_DATA_LOC) {
                bpf_probe_read_kernel(&v, 4, (void *) at);
                put_str(b, index, type, b->args[0] + (v & 0xffff), 0);
                return 1;
        }
        if (type == SCT_ARG_CONST_BUF) {
                put_bytes_kernel(b, index, type, at, size);
                return 1;
        }
        if (size > 8) {
                *ret = at;             /* a struct, or text, that stands in the record itself */
                return 0;
        }
        barrier_var(size);
        if (size > 8)
                return 0;
        bpf_probe_read_kernel(&v, size, (void *) at);
        *ret = v;
        return 0;
}

struct hook_args_walk {
        struct sct_scratch *s;
        struct sct_buf *b;
        u32 plan_key;
        u32 how;
};

static long hook_arg_step(u32 i, struct hook_args_walk *w) {
        struct sct_plan *plan = bpf_map_lookup_elem(&sct_plans, &w->plan_key);
        u32 type, packed, max, size_source, key;
        struct sct_arg_path *path;
        struct sct_arg_plan *arg;
        struct sct_buf *b = w->b;
        u64 v, size;

        if (!plan)
                return 1;
        arg = &plan->args[i & (SCT_ARGS_MAX - 1)];
        type = arg->type;
        if (!(arg->flags & SCT_ARG_PLAN_EXIT) != !(w->how & HOOK_EXIT) || type == SCT_ARG_NOP)
                return 0;

        max = arg->max;
        size_source = arg->size_source;
        packed = HOOK_PUT(i, type, w->how);
        if (arg->flags & SCT_ARG_PLAN_PATH) {
                key = (w->plan_key >= SCT_PLANS_MAX ? SCT_ARG_PATHS_MAX : 0) +
                      ((arg->source | (u32) arg->size_source << 8) & (SCT_ARG_PATHS_MAX - 1));
                v = hook_follow(w->s, b, key);
                if (w->s->missing) {
                        put_missing(b, i, type);
                        return 0;
                }
                path = bpf_map_lookup_elem(&sct_argpaths, &key);
                if (!path)
                        return 1;
                max = path->max;
                size_source = path->size_source;
        } else if (w->how & HOOK_RECORD) {
                if (hook_field(b, i, type, max, &v))
                        return 0;
                max = 0;
        } else
                v = b->args[arg->source & 7];

        if (type == SCT_ARG_FD && plan->flags & SCT_PLAN_FD_NAMES && put_fd_name(b, i, (s64) (s32) v))
                return 0;
        if (type >= SCT_ARG_SOCK && type <= SCT_ARG_SKB) {
                if (w->how & HOOK_EXIT)
                        b->socks[1] = sock_of(type, v);
                else if (!b->socks[0])
                        b->socks[0] = sock_of(type, v);
        }
        size = ~0ULL;
        if (w->how & HOOK_RECORD && size_source != 0xff) {
                size = 0;              /* the size's field: its offset */
                bpf_probe_read_kernel(&size, 4, (void *) (b->args[0] + size_source));
        } else if (size_source < 8)
                size = b->args[size_source & 7];
        if (type == SCT_ARG_BYTES || type == SCT_ARG_IOVEC)
                hook_put_sized(b, packed, v, size, max);
        else if (type == SCT_ARG_IOV_ITER)
                put_iov_iter(b, i, v, max);
        else if (type == SCT_ARG_KSOCKADDR)
                put_sockaddr(b, i, v, size == ~0ULL ? 0 : size);
        else if (type_is_user_struct(type))
                hook_put_user(b, packed, v, size, arg->flags & SCT_ARG_PLAN_TIME32);
        else if (!type_is_object(type))
                hook_put(w->s, b, packed, v);
        else if (!put_object(b, w->s, i, type, v))
                put_missing(b, i, type);
        return 0;
}

__weak __noinline int hook_args(struct sct_scratch *s, struct sct_buf *b, u32 plan_key, u32 how) {
        struct hook_args_walk w = { .plan_key = plan_key, .how = how };
        struct sct_plan *plan = bpf_map_lookup_elem(&sct_plans, &plan_key);

        if (!s || !b || !plan)
                return -1;
        w.s = s;
        w.b = b;
        b->socks[1] = 0;
        if (!(how & HOOK_EXIT))
                b->socks[0] = 0;
        bpf_loop(plan->n_args, hook_arg_step, &w, 0);
        return 0;
}
