/* SPDX-License-Identifier: GPL-2.0-only OR LGPL-2.1-or-later */
#pragma once

/* Wire format of one record in the event ring: what the kernel side writes and src/event/record.c alone reads.
 *
 *   struct sct_record            fixed header
 *   struct sct_arg + payload     n_args times, each padded to 8 bytes; the first may be SCT_ARG_INDEX_EXE
 *   u64 rules[n_banks]           which rules matched, at the very end (offset: size - 8 * n_banks)
 *
 * All numbers are host endian. Records are self-contained: a daemon that restarts can read what its predecessor
 * left in the ring. Rule: every change of layout bumps SCT_ABI_VERSION; appending an argument type does not. */

#include "types.h"

#define SCT_ABI_VERSION 3

#define SCT_COMM_LEN 16          /* TASK_COMM_LEN */
#define SCT_UTS_LEN 64           /* __NEW_UTS_LEN: the whole node name, not only its first 15 bytes */
#define SCT_EXE_MAX 256          /* bytes of an executable's path that are kept per task, NUL included */
#define SCT_STR_MAX 4096         /* bytes of one string argument, NUL included (PATH_MAX) */
#define SCT_RECORD_MAX 16384     /* bytes of one record */
#define SCT_ARGS_MAX 16          /* arguments of one event */
#define SCT_BANKS_MAX 32         /* 64 rules a bank */

enum sct_record_type {
        SCT_RECORD_EVENT = 1,           /* an event that at least one rule matched */
        SCT_RECORD_CGROUP_MKDIR = 2,    /* bookkeeping: a cgroup began (header only: cgroup_id) */
        SCT_RECORD_CGROUP_RMDIR = 3,    /* bookkeeping: a cgroup ended; no record of its tasks follows */
        _SCT_RECORD_TYPE_MAX,
};

enum sct_record_flags {
        SCT_RECORD_TRUNCATED = 1 << 0,  /* an argument was longer than its limit (the argument's flag says which) */
        SCT_RECORD_COMPAT = 1 << 1,     /* 32-bit system call, or a 32-bit task */
        SCT_RECORD_HAS_RETVAL = 1 << 2,
        SCT_RECORD_CGROUP_NEW = 1 << 3, /* the subject's cgroup began after the service did */
        SCT_RECORD_KTHREAD = 1 << 4,
        SCT_RECORD_LATE = 1 << 5,       /* rules were judged again at exit: the policy set changed meanwhile */
};

struct sct_record {
        u8 type;                /* enum sct_record_type */
        u8 n_args;
        u8 n_banks;             /* u64 masks at the end; bank i of them is bank_first + i */
        u8 bank_first;
        u16 event;              /* id in events.list, or SCT_EVENT_HOOK_FIRST + index of a policy's own hook */
        u16 flags;              /* enum sct_record_flags */
        u32 generation;         /* of the policy set that judged this event: rule numbers are of that set */
        u32 lost;               /* low 32 bits of the count of lost events when this one was submitted */
        u64 time_ns;            /* CLOCK_BOOTTIME */
        s64 retval;
        u64 start_ns;           /* CLOCK_BOOTTIME start of the thread (task_struct.start_boottime) */
        u64 cgroup_id;          /* of the default (v2) hierarchy; the kernfs id, which is the inode number */
        u32 pid, tid, ppid;                  /* as seen in the subject's pid namespace */
        u32 host_pid, host_tid, host_ppid;   /* as seen in the initial one */
        u32 uid, gid;                        /* real ids in the initial user namespace */
        u32 mnt_ns, pid_ns;                  /* inode numbers */
        u32 cpu;
        s32 syscall;            /* event id of the system call in progress, -1 when none */
        u32 caps_lo, auid;      /* auid: loginuid, (u32) -1 when unset */
        char comm[SCT_COMM_LEN];
        char uts_name[SCT_UTS_LEN];
};

/* Pseudo arguments. */
#define SCT_ARG_INDEX_EXE 0xff   /* the subject's executable */
#define SCT_ARG_INDEX_KERNEL_STACK 0xfe   /* type BYTES: u64 addresses, the innermost first */
#define SCT_ARG_INDEX_USER_STACK 0xfd
#define SCT_STACK_MAX 127        /* frames: the kernel's own limit (perf_event_max_stack) */

enum sct_arg_flags {
        SCT_ARG_FAULT = 1 << 0,       /* could not be read (bad address, not resident): no payload */
        SCT_ARG_TRUNCATED = 1 << 1,   /* the payload is a prefix of the value */
};

/* One argument. The payload follows and is padded to 8 bytes; what the padding holds is undefined. */
struct sct_arg {
        u8 index;        /* position in the event's argument list, or SCT_ARG_INDEX_EXE */
        u8 type;         /* enum sct_arg_type: how the payload is laid out */
        u8 flags;        /* enum sct_arg_flags */
        u8 pad;
        u32 size;        /* payload bytes without padding */
};

enum sct_arg_type {
        SCT_ARG_NONE = 0,
#define SCT_ARG_TYPE(id, sym, name, wire, doc) SCT_ARG_##sym = id,
#include "arg-types.def"
#undef SCT_ARG_TYPE
        _SCT_ARG_TYPE_MAX,
};

#define SCT_EVENT_HOOK_FIRST 8192   /* event numbers from here on are hooks that a policy brought itself */

#ifndef __bpf__
_Static_assert(sizeof(struct sct_record) == 184, "record header changed: bump SCT_ABI_VERSION");
_Static_assert(sizeof(struct sct_arg) == 8, "argument header changed: bump SCT_ABI_VERSION");
#endif
