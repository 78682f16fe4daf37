/* SPDX-License-Identifier: GPL-2.0-only OR LGPL-2.1-or-later */
#pragma once

/* What user space tells the kernel side: one generation of the policy set, as tables.
 *
 * The model. Rules are numbered through the whole generation, 64 to a bank. A *field* is something that has a value
 * when an event happens (the task's uid, the event's third argument). A *predicate* answers one field for all rules
 * of one bank at once, as two masks:
 *
 *     pos   rules for which a wanted value was met
 *     neg   rules for which an excluded value was met
 *     pass  = pos | (has_neg & ~neg) | keep        keep: rules of the bank that do not ask this field
 *
 * Predicates chained by SCT_PRED_MORE add up their pos and neg before pass is taken ("pid= matches the process or
 * the thread"). An event's active rules are the subject's rules AND the rules that want the event AND every pass.
 *
 * The subject's predicates stand in plan 0 and are answered once per task (lib/subject.bpf.h); those of an event
 * are answered per event. Tables live in inner maps, two sets of them: the generation's parity selects one. */

#include "record.h"

#define SCT_PLANS_MAX 1024        /* plans of a generation: plan 0 is the subject */
#define SCT_SYSCALL_NR_MAX 1024   /* numbers 0..1023 native, 1024..2047 the 32-bit ABI */
#define SCT_PLAN_SUBJECT 0
#define SCT_EVENT_ID_MAX 4096     /* ids of the catalogue are below */
#define SCT_PREDS_MAX 4096        /* predicates of a generation */

/* Fields of a subject: predicates of plan 0, and context.* predicates of events. Stable numbers. */
enum sct_field {
        SCT_FIELD_NONE = 0,
        SCT_FIELD_UID = 1,          /* u32 real uid, initial user namespace */
        SCT_FIELD_GID = 2,
        SCT_FIELD_AUID = 3,         /* loginuid */
        SCT_FIELD_HOST_PID = 4,     /* tgid in the initial namespace */
        SCT_FIELD_HOST_TID = 5,
        SCT_FIELD_HOST_PPID = 6,
        SCT_FIELD_PID = 7,          /* in the task's own pid namespace */
        SCT_FIELD_TID = 8,
        SCT_FIELD_PPID = 9,
        SCT_FIELD_MNT_NS = 10,      /* inode numbers */
        SCT_FIELD_PID_NS = 11,
        SCT_FIELD_BORN = 12,        /* CLOCK_BOOTTIME ns of the process's fork or last exec, whichever is later */
        SCT_FIELD_CGROUP_BORN = 13, /* CLOCK_BOOTTIME ns when the cgroup was made; 0 when before the service */
        SCT_FIELD_CGROUP_ID = 14,
        SCT_FIELD_COMM = 15,        /* string */
        SCT_FIELD_UTS = 16,         /* string */
        SCT_FIELD_EXE = 17,         /* string */
        SCT_FIELD_NS_EXE = 18,      /* 8 bytes mount namespace inode (u64), then the string EXE */
        SCT_FIELD_CGROUP = 19,      /* class CGROUP: which cgroup patterns the task's cgroup matches */
        SCT_FIELD_TREE = 20,        /* class BITS: tree roots that the task descends from */
        SCT_FIELD_FOLLOW = 21,      /* class BITS: follow slots that the task carries */
        SCT_FIELD_TIMESTAMP = 22,   /* CLOCK_BOOTTIME ns of the event */
        SCT_FIELD_CPU = 23,
        SCT_FIELD_SYSCALL = 24,     /* event id of the system call in progress, -1 (as u64) when none */
        SCT_FIELD_RETVAL = 25,      /* s64, order-biased, see SCT_BIAS */
        SCT_FIELD_UTS_NS = 26,      /* namespaces: inode numbers */
        SCT_FIELD_IPC_NS = 27,
        SCT_FIELD_PID_NS_FOR_CHILDREN = 28,
        SCT_FIELD_NET_NS = 29,
        SCT_FIELD_TIME_NS = 30,     /* absent where the kernel has none */
        SCT_FIELD_TIME_NS_FOR_CHILDREN = 31,
        SCT_FIELD_CGROUP_NS = 32,
        SCT_FIELD_USER_NS = 33,
        SCT_FIELD_CAPS_EFFECTIVE = 34,   /* u64: bit N is capability N; as they are now */
        SCT_FIELD_CAPS_PERMITTED = 35,
        SCT_FIELD_CAPS_INHERITABLE = 36,
        SCT_FIELD_NS_CHANGED = 37,       /* bits 1 << enum sct_ns: namespaces that are not those of the process's origin,
                                          * which is its first exec, or its fork as long as there was none */
        SCT_FIELD_CAPS_EFFECTIVE_CHANGED = 38,  /* bits that differ from the set at the process's origin */
        SCT_FIELD_CAPS_PERMITTED_CHANGED = 39,
        SCT_FIELD_CAPS_INHERITABLE_CHANGED = 40,
        SCT_FIELD_EXE_TREE = 41,    /* string: EXE of the task and of all its ancestors; one that hits is a hit */
        SCT_FIELD_PARENT_EXE = 42,  /* string: EXE of the parent */
        SCT_FIELD_NS_TREE = 43,     /* PID of the task and, unless it is in the initial pid namespace, of those of its
                                     * ancestors that are in the same one; one that hits is a hit */
        SCT_FIELD_INTERFACE = 44,   /* string: the interface of a packet; events of packets alone are asked for it */
        SCT_FIELD_ARG = 64,         /* SCT_FIELD_ARG + i: argument i of the event */
};

/* Namespaces, in the order of the bits of SCT_FIELD_NS_CHANGED. */
enum sct_ns {
        SCT_NS_UTS,
        SCT_NS_IPC,
        SCT_NS_MNT,
        SCT_NS_PID,
        SCT_NS_PID_FOR_CHILDREN,
        SCT_NS_NET,
        SCT_NS_TIME,
        SCT_NS_TIME_FOR_CHILDREN,
        SCT_NS_CGROUP,
        SCT_NS_USER,
        _SCT_NS_MAX,
};

/* Parts of an argument that is a struct (arg-struct.h): SCT_FIELD_ARG_PART(part, i). A part that the value does not have
 * (the port of a unix socket is 0, but its address) is a string of no bytes. */
enum sct_arg_part {
        SCT_PART_VALUE,             /* the argument itself: SCT_FIELD_ARG + i */
        SCT_PART_FAMILY,            /* SOCK, SOCKET, SKB, SOCKADDR and its like: AF_* */
        SCT_PART_PROTOCOL,          /* IPPROTO_* */
        SCT_PART_STATE,             /* SOCK, SOCKET: TCP_* */
        SCT_PART_SPORT,             /* of SOCKADDR and its like, the only one */
        SCT_PART_DPORT,
        SCT_PART_SADDR,             /* string: byte 4 and 4 bytes of address, byte 6 and 16 bytes of address, or empty */
        SCT_PART_DADDR,
        SCT_PART_MODE,              /* FILE, KPATH: i_mode */
        SCT_PART_ENDPOINT,          /* string. SOCKADDR and its like: byte 0x80 | family; then a unix address as it is printed
                                     * (@name for an abstract one), or of AF_INET and AF_INET6 two bytes of port and the
                                     * address in network order, then the string of SADDR backwards: so beginnings ask for
                                     * ports, and ends for addresses */
        SCT_PART_NSEC,              /* TIMESPEC: nanoseconds, s64 */
        SCT_PART_FIRST,             /* INT2: its elements, s64 */
        SCT_PART_SECOND,
        SCT_PART_GAINED = 16,       /* KCAP: SCT_PART_GAINED + j: bits of this argument that argument j has not */
};
#define SCT_FIELD_ARG_PART(part, i) (SCT_FIELD_ARG + (part) * SCT_ARGS_MAX + (i))
#define SCT_FIELD_IS_ARG(field) ((field) >= SCT_FIELD_ARG)
#define SCT_FIELD_ARG_INDEX(field) (((field) - SCT_FIELD_ARG) % SCT_ARGS_MAX)
#define SCT_FIELD_PART(field) (((field) - SCT_FIELD_ARG) / SCT_ARGS_MAX)

/* Numbers are compared as u64. Signed values are stored with the sign bit flipped, which keeps their order. */
#define SCT_BIAS(v) ((u64) (v) ^ (1ULL << 63))

enum sct_pred_class {
        SCT_CLASS_NUMBER = 1,   /* equality table and sorted boundaries */
        SCT_CLASS_MASK = 2,     /* list of {and, cmp}: hit when (v & and) == cmp; and {and, 0, nonzero} */
        SCT_CLASS_STRING = 3,   /* equality, prefixes, suffixes, substrings */
        SCT_CLASS_BITS = 4,     /* list of {bit index}: hit when the field's bit set has it (cgroup, tree, follow) */
        SCT_CLASS_PRESENT = 5,  /* hit when the argument could be read at all */
};

enum sct_pred_flags {
        SCT_PRED_MORE = 1 << 0,      /* the next predicate adds to this one's pos and neg */
        SCT_PRED_EQ = 1 << 1,        /* has entries in the equality table (NUMBER, STRING) */
        SCT_PRED_RANGE = 1 << 2,     /* has boundaries (NUMBER) */
        SCT_PRED_PREFIX = 1 << 3,    /* STRING */
        SCT_PRED_SUFFIX = 1 << 4,
        SCT_PRED_SUBSTRING = 1 << 5,
        SCT_PRED_SIGNED = 1 << 6,    /* NUMBER: flip the sign bit of the value before comparing */
        SCT_PRED_EXIT = 1 << 7,      /* needs the return value, or an argument that the kernel fills */
};

struct sct_pred {
        u16 field;        /* enum sct_field */
        u8 class;         /* enum sct_pred_class */
        u8 bank;          /* absolute bank */
        u32 flags;        /* enum sct_pred_flags */
        u32 slot;         /* names this predicate's entries in the hash tables and tries */
        u32 first, count; /* its entries in ranges[] (NUMBER), lists[] (MASK, BITS) */
        u32 dfa_first;    /* STRING/SUBSTRING: first entry in the automaton's table, a multiple of 256 */
        u64 keep;
        u64 has_neg;
};

/* What every table answers. */
struct sct_mask {
        u64 pos, neg;
};

struct sct_num_key {
        u32 slot;
        u32 pad;
        u64 value;
};

#define SCT_SLOT_TREE 0xffffffffU   /* process number of a tree= root → its bit, in pos */
#define SCT_SLOT_KIN 0xfffffffeU    /* id of a kin set → its number + 1, in pos */

/* Kin sets: what is asked of a task and of its ancestors (SCT_FIELD_EXE_TREE, SCT_FIELD_NS_TREE). All values of one condition
 * are one set; a task keeps a bit a set: it, or one it descends from, has met a value. The sets' predicates are like those of a
 * plan, over EXE and PID, with the set's number in the place of a rule's: the bank is number / 64. They are answered
 * where a task begins (fork, exec); rules ask the bits by predicates of class BITS. */
#define SCT_KIN_SETS_MAX 512
#define SCT_KIN_WORDS (SCT_KIN_SETS_MAX / 64)

/* Boundaries of one predicate, ascending by low: the answer holds from low up to the next one's low - 1. */
struct sct_range {
        u64 low;
        struct sct_mask mask;
};

/* MASK: hit when (value & and) == cmp, or with nonzero set when (value & and) != 0. BITS: bit `cmp`. */
struct sct_list_item {
        u64 and, cmp;
        u64 nonzero;
        struct sct_mask mask;
};

/* Equality of strings: one hash map per size class, zero padded, so that short strings hash short keys. */
#define SCT_STR_CLASSES 4
#define SCT_STR_CLASS_0 24
#define SCT_STR_CLASS_1 56
#define SCT_STR_CLASS_2 248
#define SCT_STR_CLASS_3 4088
struct sct_str_key_0 { u32 slot, size; char str[SCT_STR_CLASS_0]; };
struct sct_str_key_1 { u32 slot, size; char str[SCT_STR_CLASS_1]; };
struct sct_str_key_2 { u32 slot, size; char str[SCT_STR_CLASS_2]; };
struct sct_str_key_3 { u32 slot, size; char str[SCT_STR_CLASS_3]; };

/* Prefixes and (reversed) suffixes: longest-prefix tries. Their values hold the merged masks of all shorter entries
 * that also match, because a trie returns only the longest. Data of a trie key may have 256 bytes (LPM_DATA_SIZE_MAX). */
#define SCT_AFFIX_MAX 252
struct sct_affix_key {
        u32 prefixlen;    /* bits: 32 for slot + 8 for each byte */
        u32 slot;
        char str[SCT_AFFIX_MAX];
};

/* Substrings: one automaton (Aho-Corasick, complete transitions) a predicate. Row r, byte b stands at
 * dfa_first + (r << 8 | b) of the transition table; entry: next row in the low 24 bits (counted from dfa_first),
 * SCT_DFA_HIT when the mask of that row, dfa_masks[(dfa_first >> 8) + row], is not empty. */
#define SCT_DFA_ROW 0x00ffffffU
#define SCT_DFA_HIT 0x80000000U

enum sct_arg_plan_flags {
        SCT_ARG_PLAN_EXIT = 1 << 0,    /* filled by the kernel: read at exit */
        SCT_ARG_PLAN_FD_PATH = 1 << 1, /* type FD: append the path */
        SCT_ARG_PLAN_TIME32 = 1 << 2,  /* type TIMESPEC: a 32-bit caller's has two s32 (else two s64, as *_time64 calls) */
        SCT_ARG_PLAN_REGS32 = 1 << 3,  /* system calls: a 32-bit caller's stands in low32 and, its upper half, in high32 */
        SCT_ARG_PLAN_PATH = 1 << 4,    /* hooks: source and size_source are low and high byte of an index in the paths */
};

/* How to get at a value that is not an argument of a hook as it stands: from a base, along pointers. */
#define SCT_ARG_PATHS_MAX 2048        /* of one generation */
#define SCT_ARG_PATH_STEPS 12

enum sct_arg_base {
        /* 0..7: that argument of the hook */
        SCT_ARG_BASE_TASK = 0x40,      /* the current task_struct */
        SCT_ARG_BASE_REGS = 0x41,      /* struct pt_regs at the hook */
        SCT_ARG_BASE_RETVAL = 0x42,    /* what the function returned */
};

/* v = base; for every step: v += offset, and for all but the last one v = *(u64 *) v. In the end v is the value's
 * address, which is the value of struct types; `bytes` of it are read for all others. No step: the base is the value. */
struct sct_arg_path {
        u8 base;            /* enum sct_arg_base */
        u8 n_steps;
        u8 size_source;     /* as in struct sct_arg_plan */
        u8 bytes;           /* 0..8 */
        u8 shift, bits;     /* of a bit field in these bytes; bits 0: none */
        u8 pad[2];
        u32 max;            /* as in struct sct_arg_plan */
        u32 pad2;
        u32 steps[SCT_ARG_PATH_STEPS];
};

/* How the kernel side gets one argument. */
struct sct_arg_plan {
        u8 type;        /* enum sct_arg_type; SCT_ARG_NONE ends the list */
        u8 source;      /* number of the hook's argument that holds it (0..5 for system calls) */
        u8 size_source; /* BYTES, SOCKADDR: number of the argument that holds the size, 0xff none */
        u8 flags;       /* enum sct_arg_plan_flags */
        union {
                u32 max;        /* bytes at most; 0: the type's own limit */
                struct {
                        u8 low32, high32;   /* REGS32: numbers of arguments; high32 0xff: no upper half */
                };
        };
};

enum sct_plan_flags {
        SCT_PLAN_NO_RETURN = 1 << 0,   /* the call does not return to its caller: reported at entry */
        SCT_PLAN_EXIT_ARGS = 1 << 1,   /* some argument is read at exit */
        SCT_PLAN_HOOK = 1 << 2,        /* of a hook that a policy brought: its rules act, the first that matches alone */
        SCT_PLAN_RETURN = 1 << 3,      /* HOOK: judged and sent at return */
        SCT_PLAN_EXEC_ENV = 1 << 4,    /* sched_process_exec: the environment too */
        SCT_PLAN_FD_NAMES = 1 << 5,    /* HOOK: descriptors may have been followed (FollowFD of any rule) */
};

struct sct_plan {
        u16 event;          /* id in events.list or SCT_EVENT_HOOK_FIRST + n */
        u8 n_args;
        u8 bank_first;
        u8 n_banks;         /* banks that have a rule for this event: bank_first .. bank_first + n_banks - 1 */
        u8 flags;           /* enum sct_plan_flags */
        u16 n_preds;        /* entry predicates first, then those with SCT_PRED_EXIT */
        u16 n_preds_entry;
        u8 return_type;     /* HOOK: enum sct_arg_type of a return value that is a number: how many of its bits count */
        u8 sock_arg;        /* HOOK: argument that is a socket, one more than its number: says whose event it is; 0: none */
        u32 pred_first;
        struct sct_arg_plan args[SCT_ARGS_MAX];
        u64 wants[SCT_BANKS_MAX]; /* rules that want this event, by absolute bank */
};

/* Hooks that policies brought: places in the kernel, numbered by user space for as long as they are attached. A place
 * leads to the first of its links, which are chained; 0 is the end. */
#define SCT_HOOKS_MAX 2048
#define SCT_LINKS_MAX 4096

struct sct_hook_link {
        u32 plan;
        u32 event;          /* number in records: a hook on a list of calls has one plan, but each call its own event */
        u32 next;
        u32 pad;
};

/* What a rule of such a hook does when it is the first that matches: its actions, in the order of the policy. */
#define SCT_OPS_MAX 16

enum sct_op_kind {
        SCT_OP_POST = 1,
        SCT_OP_NO_POST,
        SCT_OP_SIGNAL,                 /* value: the signal */
        SCT_OP_OVERRIDE,               /* value: what the hook returns instead */
        SCT_OP_FOLLOW_FD,              /* arg: descriptor, other: name */
        SCT_OP_UNFOLLOW_FD,            /* arg: descriptor */
        SCT_OP_COPY_FD,                /* arg: old, other: new descriptor */
        SCT_OP_TRACK_SOCK,             /* arg: 0 the socket that the hook has, 1 the one that it returns */
        SCT_OP_UNTRACK_SOCK,
        SCT_OP_ENFORCER,               /* value: error, arg: signal, 0 none, other: number of the enforcer */
        SCT_OP_DAEMON,                 /* user space does it when the record comes */
};

struct sct_op {
        u8 kind;            /* enum sct_op_kind */
        u8 at_return;
        u8 arg, other;      /* positions in the record, see above */
        s32 value;
};

enum sct_action_flags {
        SCT_ACTION_NO_POST = 1 << 0,
        SCT_ACTION_MONITOR = 1 << 1,        /* signals, overrides, enforcers: count what would have been done, do nothing */
        SCT_ACTION_WAITS = 1 << 2,          /* asks for the return value: matches, and acts, when the call returns */
        SCT_ACTION_KERNEL_STACK = 1 << 3,
        SCT_ACTION_USER_STACK = 1 << 4,
};

enum sct_rate_scope {
        SCT_RATE_THREAD,
        SCT_RATE_PROCESS,
        SCT_RATE_GLOBAL,
};

struct sct_action {
        u32 flags;          /* enum sct_action_flags */
        u32 n_ops;
        u32 slot;           /* names the rule over generations, while its policy is loaded */
        u32 rate_scope;     /* enum sct_rate_scope */
        u64 rate_ns;        /* a repetition within it is not posted; 0: all are */
        struct sct_op ops[SCT_OPS_MAX];
};

/* How often, by rule. */
struct sct_acted {
        u64 n_hits;                 /* it was the first that matched */
        u64 n_posted;
        u64 n_limited;              /* not posted: a repetition within its rate limit */
        u64 n_failed;               /* actions that could not be taken */
        u64 n_done[SCT_OPS_MAX];    /* by action: taken, or with MONITOR what would have been */
};

/* What a packet may be wanted for: bits of config.packet_kinds. Those of events are 1 << (id - SCT_EVENT_NET_PACKET_IPV4). */
enum sct_packet_kind {
        SCT_PACKET_IPV4 = 1 << 0,
        SCT_PACKET_IPV6 = 1 << 1,
        SCT_PACKET_TCP = 1 << 2,
        SCT_PACKET_UDP = 1 << 3,
        SCT_PACKET_ICMP = 1 << 4,
        SCT_PACKET_ICMPV6 = 1 << 5,
        SCT_PACKET_CAPTURE = 1 << 15,

        /* All that a packet of TCP may be, and one of UDP. */
        SCT_PACKETS_OF_TCP = SCT_PACKET_IPV4 | SCT_PACKET_IPV6 | SCT_PACKET_TCP | SCT_PACKET_CAPTURE,
        SCT_PACKETS_OF_UDP = SCT_PACKET_IPV4 | SCT_PACKET_IPV6 | SCT_PACKET_UDP | SCT_PACKET_CAPTURE,
};

/* Cgroup patterns (unit=, slice=, session=, cgroup=, container=): matched once per cgroup, when it begins. */
#define SCT_CGROUP_PATTERNS_MAX 512
#define SCT_CGROUP_PATTERN_LEN 128
#define SCT_CGROUP_PATH_MAX 512   /* longer cgroup paths keep their first bytes; counted as truncated */

enum sct_cgroup_pattern_kind {
        SCT_CGROUP_UNIT = 1,      /* glob on the path from the system unit on: user@1000.service/app.slice/x.service */
        SCT_CGROUP_SLICE = 2,     /* glob on a slice's name, holds for everything below */
        SCT_CGROUP_SESSION = 3,   /* glob on N of session-N.scope */
        SCT_CGROUP_PATH = 4,      /* glob on the whole path, holds for everything below */
        SCT_CGROUP_CONTAINER = 5, /* glob on the container id; "*" means: any container */
};

struct sct_cgroup_pattern {
        u8 kind;
        u8 pad[7];
        char glob[SCT_CGROUP_PATTERN_LEN];
};

enum sct_cgroup_flags {
        SCT_CGROUP_IN_UNIT = 1 << 0,      /* unit_offset is valid */
        SCT_CGROUP_IN_CONTAINER = 1 << 1, /* container_offset is valid */
        SCT_CGROUP_IS_SLICE = 1 << 2,     /* a slice below slices only, or the root: a child may be a unit */
        SCT_CGROUP_IS_SESSION = 1 << 3,   /* the unit session-N.scope itself */
};

/* What is known of one cgroup; key: its id. Written by the kernel side at cgroup_mkdir, by user space for those that
 * were there before and, the bits of the new generation's parity, at each change of the policy set. */
struct sct_cgroup {
        u64 parent_id;
        u64 born_ns;             /* CLOCK_BOOTTIME; 0: was there before the service */
        u16 flags;
        u16 path_len;            /* without NUL */
        u16 unit_offset;         /* of the system unit's component in path */
        u16 container_offset;    /* of the container id in path */
        u32 container_len;
        u32 name_offset;         /* of the last component in path */
        u64 bits[2][SCT_CGROUP_PATTERNS_MAX / 64];  /* patterns matched, by generation parity */
        char path[SCT_CGROUP_PATH_MAX];
};

/* One word flips a generation; the rest is constant while it is active. In an array map of 2, by parity. */
struct sct_gen_config {
        u32 generation;
        u16 n_banks;              /* banks in use */
        u16 n_cgroup_patterns;
        u32 subject_first, n_subject_preds;   /* predicates of plan 0 */
        u16 plan_sys_enter, plan_sys_exit;    /* plans of the pseudo events, 0: unwanted */
        u64 all[SCT_BANKS_MAX];            /* rules that exist */
        u64 names_journal[SCT_BANKS_MAX];  /* rules that may match journald: they name it by unit, comm, binary or pid */
        u64 follow[SCT_BANKS_MAX];         /* rules with `follow` */
        u8 follow_slot[SCT_BANKS_MAX * 64];/* rule → follow slot (0..63), 0xff none */
        u32 tree_root[64];                 /* pids (initial namespace) of tree= roots, by bit */
        u32 n_tree_roots;
        u32 any_follow;                    /* 1: some rule has `follow` */
        u32 any_origin;                    /* 1: some rule asks what changed since a process's origin */
        u32 n_kin;                         /* kin sets */
        u32 kin_first, n_kin_preds;        /* their predicates, those over PID first */
        u32 n_kin_pid_preds;
        u32 packet_bytes;                  /* kept of a captured packet behind its headers: the most that a rule asks */
        u32 packet_kinds;                  /* enum sct_packet_kind: what packets are wanted for at all */
        u32 plan_packets;                  /* plan that wants what the plans of all these want; it has no event. 0: none */
        u64 packets_filtered[SCT_BANKS_MAX]; /* rules whose capture keeps only packets that are an event of theirs */
        u64 kin_pid[SCT_KIN_WORDS];        /* sets of process numbers: inherited within one pid namespace alone */
        u64 kin_id[SCT_KIN_SETS_MAX];      /* made of the values: a set keeps it over generations */
};

#ifndef __bpf__
_Static_assert(sizeof(struct sct_pred) == 40, "sct_pred layout");
_Static_assert(sizeof(struct sct_plan) % 8 == 0, "sct_plan layout");
_Static_assert(sizeof(struct sct_arg_path) == 64, "sct_arg_path layout");
#endif
