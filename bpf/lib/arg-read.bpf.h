/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

/* Arguments of system calls, by type: one branch a type of arg-types.def. Strings are copied at entry, which is what
 * the kernel is about to see, unless the kernel fills them. */

#include "path.bpf.h"

/* A descriptor, with the path of what it refers to behind the number. */
__weak __noinline int put_fd_path(struct sct_buf *b, struct sct_scratch *s, u32 index, s64 fd) {
        struct task_struct *task = (struct task_struct *) bpf_get_current_task();
        struct file **table, *file = NULL;
        int off, truncated = 0;
        u32 len = 0, at;
        long n = 0;

        if (!b || !s || !USES_TYPE(FD))
                return -1;
        at = b->used;
        if (at > SCT_ARGS_END - 32)
                return -1;
        *(s64 *) (b->data + at + 8) = fd;
        if (fd >= 0 && fd < BPF_CORE_READ(task, files, fdt, max_fds)) {
                table = BPF_CORE_READ(task, files, fdt, fd);
                bpf_probe_read_kernel(&file, sizeof(file), table + fd);
        }
        if (file) {
                off = path_resolve(s, (u64) BPF_CORE_READ(file, f_path.dentry), (u64) BPF_CORE_READ(file, f_path.mnt),
                                   &len);
                if (off >= 0 && off < SCT_STR_MAX)
                        n = read_str_at(b, at + 16, s->path + off, 0, &truncated);
                if (n < 0 || n > SCT_STR_MAX)
                        n = 0;
        }
        arg_done(b, at, index, SCT_ARG_FD, truncated ? SCT_ARG_TRUNCATED : 0, 8 + n);
        return 0;
}

static __always_inline void put_timespec(struct sct_buf *b, u32 index, u64 from, u32 time32) {
        u32 off = b->used;
        s64 ts[2] = {};

        if (off > SCT_ARGS_END - 32)
                return;
        if (time32) {
                s32 ts32[2] = {};

                if (bpf_probe_read_user(ts32, sizeof(ts32), (void *) from))
                        goto fault;
                ts[0] = ts32[0];
                ts[1] = ts32[1];
        } else if (bpf_probe_read_user(ts, sizeof(ts), (void *) from))
                goto fault;
        *(s64 *) (b->data + off + 8) = ts[0];
        *(s64 *) (b->data + off + 16) = ts[1];
        arg_done(b, off, index, SCT_ARG_TIMESPEC, 0, 16);
        return;
fault:
        put_fault(b, index, SCT_ARG_TIMESPEC, SCT_ARG_FAULT);
}

/* How many bits of a register a number of each type has; 0: no number, or one that read_arg() reads. A table, because a
 * switch would be verified once for each of sixteen arguments. */
#define ARG_SIGNED 0x80
#define ARG_NUMBER(bits) (64 - (bits) + 1)      /* how far to shift it up and down again, plus one */
static const u8 arg_numbers[] = {
        [SCT_ARG_S32] = ARG_SIGNED | ARG_NUMBER(32),
        [SCT_ARG_FD] = ARG_SIGNED | ARG_NUMBER(32),
        [SCT_ARG_U32] = ARG_NUMBER(32),
        [SCT_ARG_S64] = ARG_SIGNED | ARG_NUMBER(64),
        [SCT_ARG_U64] = ARG_NUMBER(64),
        [SCT_ARG_PTR] = ARG_NUMBER(64),
        [SCT_ARG_S16] = ARG_SIGNED | ARG_NUMBER(16),
        [SCT_ARG_U16] = ARG_NUMBER(16),
        [SCT_ARG_S8] = ARG_SIGNED | ARG_NUMBER(8),
        [SCT_ARG_U8] = ARG_NUMBER(8),
        [63] = 0,
};
_Static_assert(_SCT_ARG_TYPE_MAX <= sizeof(arg_numbers), "arg_numbers[] is asked with a mask");

/* `number`: a row of arg_numbers[]. */
static __always_inline void put_number(struct sct_buf *b, u32 i, u32 type, u32 number, u64 v) {
        u32 shift = ((number & ~ARG_SIGNED) - 1) & 63;

        v <<= shift;
        put_u64(b, i, type, number & ARG_SIGNED ? (u64) ((s64) v >> shift) : v >> shift);
}

#define READ_EXIT 0x100          /* with an argument's index: the call has returned */

/* One argument, whatever it is. On its own, or the verifier would go through all types for each of sixteen arguments. */
__weak __noinline int read_arg(struct sct_scratch *s, struct sct_buf *b, u32 plan_key, u32 index) {
        struct sct_plan *plan = bpf_map_lookup_elem(&sct_plans, &plan_key);
        u32 i = index & (SCT_ARGS_MAX - 1), exit = index & READ_EXIT, compat, type, size, wide, number;
        struct sct_arg_plan *arg;
        u64 v;

        if (!s || !b || !plan)
                return -1;
        arg = plan->args + i;
        type = arg->type;
        compat = b->rec.flags & SCT_RECORD_COMPAT;
        wide = !compat;
        v = b->args[arg->source & 7];
        if (compat && arg->flags & SCT_ARG_PLAN_REGS32) {
                v = b->args[arg->low32 & 7];
                wide = arg->high32 != 0xff;
                if (wide)
                        v |= b->args[arg->high32 & 7] << 32;
        }
        number = arg_numbers[type & (sizeof(arg_numbers) - 1)];
        if (number && !(arg->flags & SCT_ARG_PLAN_FD_PATH)) {
                put_number(b, i, type, type == SCT_ARG_S64 && !wide ? arg_numbers[SCT_ARG_S32] : number, v);
                return 0;
        }
        if (!v && type >= SCT_ARG_STR && type <= SCT_ARG_SOCKADDR_OUT) {
                /* A null pointer is no fault: most of them mean that the caller wants no value. */
                put_null(b, i, type, exit);
                return 0;
        }
        switch (type) {
        case SCT_ARG_BOOL:
                put_u64(b, i, type, (u32) v != 0);
                break;
        case SCT_ARG_FD:
                put_fd_path(b, s, i, (s64) (s32) v);
                break;
        case SCT_ARG_STR:
                put_str(b, i, type, v, 1);
                break;
        case SCT_ARG_STRV:
                put_user_strv(b, i, v, compat);
                break;
        case SCT_ARG_TIMESPEC:
                if (arg->flags & SCT_ARG_PLAN_EXIT && b->rec.retval < 0)
                        put_fault(b, i, type, 0);
                else
                        put_timespec(b, i, v, compat && (arg->flags & SCT_ARG_PLAN_TIME32));
                break;
        case SCT_ARG_INT2:
                if (b->rec.retval < 0)
                        put_fault(b, i, type, 0);
                else
                        put_bytes_user(b, i, type, v, 8);
                break;
        case SCT_ARG_SOCKADDR:
        case SCT_ARG_BYTES:
                size = arg->size_source < 8 ? b->args[arg->size_source & 7] : arg->max;
                if (type == SCT_ARG_SOCKADDR && size > 128)
                        size = 128;
                if (arg->max && size > arg->max)
                        size = arg->max;
                put_bytes_user(b, i, type, v, size);
                break;
        case SCT_ARG_SOCKADDR_OUT:
                size = 0;
                if (arg->size_source < 8)
                        bpf_probe_read_user(&size, 4, (void *) b->args[arg->size_source & 7]);
                if (size > 128)
                        size = 128;
                if (b->rec.retval < 0 || !v)
                        put_fault(b, i, type, 0);
                else
                        put_bytes_user(b, i, type, v, size);
                break;
        case SCT_ARG_STR_OUT:
                if (b->rec.retval < 0)
                        put_fault(b, i, type, 0);
                else
                        put_str_out(b, i, v, b->rec.retval > 4095 ? 4095 : b->rec.retval);
                break;
        }
        return 0;
}

/* Reads the arguments that exist at entry (exit = 0), or those that the kernel has filled and those that were deferred
 * (exit = 1). plan_key counts the parity in. */
__weak __noinline int read_args(struct sct_scratch *s, struct sct_buf *b, u32 plan_key, u32 exit) {
        struct sct_plan *plan = bpf_map_lookup_elem(&sct_plans, &plan_key);
        u32 i, compat, deferred;

        if (!s || !b || !plan)
                return -1;
        compat = b->rec.flags & SCT_RECORD_COMPAT;
        deferred = b->deferred;
        for (i = 0; i < SCT_ARGS_MAX; i++) {
                struct sct_arg_plan *arg = &plan->args[i];
                u32 type = arg->type, number;

                if (type == SCT_ARG_NONE)
                        break;
                if (!(arg->flags & SCT_ARG_PLAN_EXIT) != !exit && !(exit && deferred >> i & 1))
                        continue;
                number = arg_numbers[type & (sizeof(arg_numbers) - 1)];
                if (compat || !number || arg->flags & SCT_ARG_PLAN_FD_PATH)
                        read_arg(s, b, plan_key, i | (exit ? READ_EXIT : 0));
                else
                        put_number(b, i, type, number, b->args[arg->source & 7]);
        }
        return 0;
}
