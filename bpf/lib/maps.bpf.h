/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

/* Every map and every global of the kernel side. All are __weak: several objects include this header and are linked
 * into one. Owner means who writes; "restart" says what a new daemon takes over from its predecessor. */

#include "../abi/arg-struct.h"
#include "../abi/artifact.h"
#include "../abi/plan.h"
#include "../abi/state.h"
#include "../abi/uses.h"
#include "compat.bpf.h"

#define SCT_NEST_MAX 3        /* programs that may interrupt each other on one CPU: task, softirq, and one preempted */

/* Bytes of arguments of one record. Chosen so that struct sct_buf, kept per task between a system call's entry and its
 * exit, fits the kernel's 8 KiB allocation class together with the storage header. */
#define SCT_DATA_MAX 7360

/* A record under construction. rec and data are contiguous: they go to the ring in one copy. */
struct sct_buf {
        u32 used;                    /* bytes of data in use, multiple of 8 */
        u32 generation;              /* that judged the entry */
        u32 pending;                 /* 1: of a system call whose exit is awaited; counted in sct_state.n_pending */
        u32 syscall_index;           /* index in sct_syscalls of the call that is pending, 0 none */
        u32 plan;                    /* index of the plan, without parity */
        u16 arg_off[SCT_ARGS_MAX];   /* where an argument's payload stands in data; 0: absent */
        u16 exe_off, exe_len;
        u32 begin_args, begin_used;  /* what record_fill() left: header and executable stand there for `stamp` */
        u64 stamp;                   /* of the sct_task whose header and executable stand in rec and data; 0: nobody's */
        u16 may_defer, deferred;     /* system calls: arguments not resident at entry wait for the exit; which ones do */
        u32 decided;                 /* hooks that wait for the return: the rule that is left has acted at entry */
        s32 error;                   /* hooks: what the acting rule's Override says, 0 none */
        u64 socks[2];                /* hooks: struct sock of the first argument that is one, and of the returned one */
        u64 args[8];                 /* registers: arguments that are read at exit; 7: the mm, where some are deferred */
        u64 active[SCT_BANKS_MAX];   /* rules that still hold, by absolute bank */
        struct sct_chunk chunk;      /* packets that are captured: what stands before the record in the ring */
        struct sct_record rec;
        u8 data[SCT_DATA_MAX];
};

enum sct_task_flags {
        SCT_TASK_PENDING = 1 << 0,   /* sct_pending of this task may hold a system call's entry: it says so itself */
        SCT_TASK_EXE = 1 << 1,       /* exe is known */
};

/* Not among the task's flags: a walk over all tasks writes them while the task sets those. */
enum sct_origin_flags {
        SCT_ORIGIN_KNOWN = 1 << 0,
        SCT_ORIGIN_EXECED = 1 << 1,  /* it is that of the process's first exec: it stays */
};

/* Kin sets that a task or an ancestor of it has met. */
struct sct_kin {
        u64 bits[SCT_KIN_WORDS];
        u32 generation;              /* that they were answered for */
        u32 pad;
};

/* What is known of a task. */
struct sct_task {
        u32 generation;              /* that subject[] was answered for; 0: stale */
        u32 flags;
        u64 cgroup_id;
        u64 born_ns;
        u64 tree;                    /* bit i: descends from config.tree_root[i] */
        u64 follow;                  /* bit i: carries follow slot i */
        u32 tree_generation;
        u32 pad;
        u64 epoch;                   /* sct_state.epoch when it was answered */
        u64 stamp;                   /* unique to this refresh, of all tasks */
        u64 parent, nsproxy, node_name[2], comm[2];   /* as they were when header was filled */
        u64 subject[SCT_BANKS_MAX];  /* rules whose subject conditions hold */
        struct sct_record header;    /* what does not change between refreshes */
        struct sct_kin kin[2];       /* by parity of the generation */
        u64 origin_caps[3];          /* effective, permitted, inheritable */
        u32 origin_ns[_SCT_NS_MAX];
        u32 origin_flags;
        u16 exe_len;
        char exe[SCT_EXE_MAX + 8];   /* zero padded */
};

struct sct_answer {
        u64 pos, neg;
};

/* A string and where to look it up. */
struct str_args {
        u64 str;
        u32 size;             /* without NUL */
        u32 slot, parity, dfa_first;
        u32 level;            /* of the scratch space for the key: before 6.2 or so a key must be known to stand in a map */
        struct sct_answer answer;
};

/* A descriptor's name (FollowFD). */
#define SCT_FD_NAME_MAX 1024

struct fd_name {
        u64 file;                    /* struct file that the descriptor stood for when it was named, 0: it stood for none yet */
        u64 inode;                   /* struct inode of that: a struct file is used again at once */
        u32 size, pad;               /* with NUL */
        char name[SCT_FD_NAME_MAX];
};

/* Whose socket it is (TrackSock): the process as it was then. */
struct sock_owner {
        u64 ino;                     /* of the socket: its struct is used again when it is gone */
        struct sct_task t;           /* t.subject[] is of generation t.generation */
};

/* Where a path's walk is (path.bpf.h). */
struct path_walk {
        u64 dentry, mnt;              /* struct dentry *, struct mount * */
        u64 root_dentry, root_mnt;
        u32 off;                      /* first used byte in path */
        u32 done;                     /* 1: reached the root, 2: reached a file system without one (pipe:, memfd:) */
};

/* Where a walk over a task and its ancestors is (lineage.bpf.h). */
struct kin_walk {
        u64 task;                     /* whose turn it is */
        u64 pid_ns;                   /* whose numbers count: the first one's */
        u32 level;                    /* of that one; in the initial one ancestors' numbers do not count */
        u32 first, count;             /* predicates, parity counted in */
        u32 pred;                     /* the next one for this task */
        u32 exe_is_read, only_self;
        u32 parity, n_kept;           /* of the generation, and sets that the one before had too */
        struct sct_answer answer;
};

/* What events say of a packet, in network byte order. */
struct packet_headers {
        u8 source[20], dest[20];      /* of type INET */
        u8 network[SCT_IPV6_HEADER];
        u8 transport[24];             /* the longest, that of TCP, in whole words */
        char interface[16];           /* its name, IFNAMSIZ */
};

/* Work space of one program run: large things that do not fit the stack. */
struct sct_scratch {
        struct sct_buf buf;
        u32 level, pad;                 /* index of this one in sct_scratches */
        struct str_args str;
        struct path_walk walk;
        struct kin_walk kin;
        u64 file;                       /* struct sct_file of the argument that is being put */
        u64 part;                       /* of the argument that is asked for one: part_number() */
        u64 regs;                       /* struct pt_regs at a hook; 0: not there */
        u64 missing;                    /* the last path of an argument led to no value */
        u64 sock;                       /* struct sock whose owner is to be judged again */
        union {
                struct sct_str_key_0 k0;
                struct sct_str_key_1 k1;
                struct sct_str_key_2 k2;
                struct sct_str_key_3 k3;
                struct sct_affix_key affix;
        } key;
        struct packet_headers packet;
        u64 packet_rules[SCT_BANKS_MAX];        /* rules that an event of the packet matched */
        char path[SCT_STR_MAX + 256];   /* built from its end */
        struct sct_cgroup cgroup;
        char cgroup_spare[256];         /* a last component that is too long spills here */
        union {                         /* of an action, before it goes into its map */
                struct fd_name fd_name;
                struct sock_owner sock_owner;
        };
};

/* ---- Events ---- */

struct {                             /* owner: kernel side; restart: kept, the new daemon drains it first */
        __uint(type, BPF_MAP_TYPE_RINGBUF);
        __uint(max_entries, 8 * 1024 * 1024);
} sct_ring __weak SEC(".maps");

/* ---- Tasks ---- */

struct {                             /* owner: kernel side; restart: kept */
        __uint(type, BPF_MAP_TYPE_TASK_STORAGE);
        __uint(map_flags, BPF_F_NO_PREALLOC);
        __type(key, int);
        __type(value, struct sct_task);
} sct_tasks __weak SEC(".maps");

struct {                             /* owner: kernel side; restart: kept, so that a call in flight is not lost */
        __uint(type, BPF_MAP_TYPE_TASK_STORAGE);
        __uint(map_flags, BPF_F_NO_PREALLOC);
        __type(key, int);
        __type(value, struct sct_buf);
} sct_pending __weak SEC(".maps");

struct {                             /* owner: kernel side; restart: new */
        __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
        __uint(max_entries, SCT_NEST_MAX);
        __type(key, u32);
        __type(value, struct sct_scratch);
} sct_scratches __weak SEC(".maps");

struct {                             /* owner: kernel side: how deep programs are nested on this CPU */
        __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
        __uint(max_entries, 1);
        __type(key, u32);
        __type(value, u32);
} sct_nest __weak SEC(".maps");

struct {                             /* owner: user space: processes that are never traced (tgid) */
        __uint(type, BPF_MAP_TYPE_HASH);
        __uint(max_entries, 1024);
        __type(key, u32);
        __type(value, u32);
} sct_excluded __weak SEC(".maps");

/* ---- Cgroups ---- */

struct {                             /* owner: both; a removed cgroup stays until user space has read its last record */
        __uint(type, BPF_MAP_TYPE_HASH);
        __uint(map_flags, BPF_F_NO_PREALLOC);
        __uint(max_entries, 65536);
        __type(key, u64);
        __type(value, struct sct_cgroup);
} sct_cgroups __weak SEC(".maps");

struct {                             /* owner: user space, by parity */
        __uint(type, BPF_MAP_TYPE_ARRAY);
        __uint(max_entries, 2 * SCT_CGROUP_PATTERNS_MAX);
        __type(key, u32);
        __type(value, struct sct_cgroup_pattern);
} sct_cgpatterns __weak SEC(".maps");

/* ---- Plans: fixed sizes, both parities in one array ---- */

struct {
        __uint(type, BPF_MAP_TYPE_ARRAY);
        __uint(max_entries, 2);
        __type(key, u32);
        __type(value, struct sct_gen_config);
} sct_config __weak SEC(".maps");

struct {                             /* parity * 2 * SCT_SYSCALL_NR_MAX + abi * SCT_SYSCALL_NR_MAX + number → plan */
        __uint(type, BPF_MAP_TYPE_ARRAY);
        __uint(max_entries, 4 * SCT_SYSCALL_NR_MAX);
        __type(key, u32);
        __type(value, u32);
} sct_syscalls __weak SEC(".maps");

struct {                             /* parity * SCT_EVENT_ID_MAX + event id → plan */
        __uint(type, BPF_MAP_TYPE_ARRAY);
        __uint(max_entries, 2 * SCT_EVENT_ID_MAX);
        __type(key, u32);
        __type(value, u32);
} sct_events __weak SEC(".maps");

struct {                             /* abi * SCT_SYSCALL_NR_MAX + number → event id + 1, for context.syscall; constant */
        __uint(type, BPF_MAP_TYPE_ARRAY);
        __uint(max_entries, 2 * SCT_SYSCALL_NR_MAX);
        __type(key, u32);
        __type(value, u32);
} sct_sysnames __weak SEC(".maps");

struct {                             /* parity * SCT_PLANS_MAX + plan */
        __uint(type, BPF_MAP_TYPE_ARRAY);
        __uint(max_entries, 2 * SCT_PLANS_MAX);
        __type(key, u32);
        __type(value, struct sct_plan);
} sct_plans __weak SEC(".maps");

struct {                             /* parity * SCT_PREDS_MAX + predicate */
        __uint(type, BPF_MAP_TYPE_ARRAY);
        __uint(max_entries, 2 * SCT_PREDS_MAX);
        __type(key, u32);
        __type(value, struct sct_pred);
} sct_preds __weak SEC(".maps");

/* ---- Hooks that policies brought ---- */

struct {                             /* parity * SCT_HOOKS_MAX + place → first link */
        __uint(type, BPF_MAP_TYPE_ARRAY);
        __uint(max_entries, 2 * SCT_HOOKS_MAX);
        __type(key, u32);
        __type(value, u32);
} sct_hooks __weak SEC(".maps");

struct {                             /* parity * SCT_LINKS_MAX + link */
        __uint(type, BPF_MAP_TYPE_ARRAY);
        __uint(max_entries, 2 * SCT_LINKS_MAX);
        __type(key, u32);
        __type(value, struct sct_hook_link);
} sct_links __weak SEC(".maps");

struct {                             /* parity * SCT_ARG_PATHS_MAX + path */
        __uint(type, BPF_MAP_TYPE_ARRAY);
        __uint(max_entries, 2 * SCT_ARG_PATHS_MAX);
        __type(key, u32);
        __type(value, struct sct_arg_path);
} sct_argpaths __weak SEC(".maps");

struct {                             /* parity * 2 * SCT_SYSCALL_NR_MAX + abi * SCT_SYSCALL_NR_MAX + number → place + 1 */
        __uint(type, BPF_MAP_TYPE_ARRAY);
        __uint(max_entries, 4 * SCT_SYSCALL_NR_MAX);
        __type(key, u32);
        __type(value, u32);
} sct_hsyscalls __weak SEC(".maps");

struct {                             /* parity * rules + rule → what it does */
        __uint(type, BPF_MAP_TYPE_ARRAY);
        __uint(max_entries, 2 * SCT_BANKS_MAX * 64);
        __type(key, u32);
        __type(value, struct sct_action);
} sct_actions __weak SEC(".maps");

struct hook_pending_key {
        u64 pid_tgid;
        u64 place;                   /* and the plan's position in its chain, so that recursion overwrites only itself */
};

struct {                             /* owner: kernel side: calls between entry and return */
        __uint(type, BPF_MAP_TYPE_HASH);
        __uint(map_flags, BPF_F_NO_PREALLOC);
        __uint(max_entries, 8192);
        __type(key, struct hook_pending_key);
        __type(value, struct sct_buf);
} sct_hpending __weak SEC(".maps");

struct {                             /* parity * rules + rule; user space clears a parity before it becomes active */
        __uint(type, BPF_MAP_TYPE_ARRAY);
        __uint(max_entries, 2 * SCT_BANKS_MAX * 64);
        __type(key, u32);
        __type(value, struct sct_acted);
} sct_acted __weak SEC(".maps");

/* ---- Tables: sized for each generation, one inner map a parity (owner: user space). By size, not by type: clang 14
 * emits only forward declarations for types that stand behind two pointers. ---- */

#define SCT_TABLE(name, inner_type, flags, key_type, value_type)                                \
        struct name##_inner {                                                                   \
                __uint(type, inner_type);                                                       \
                __uint(map_flags, flags);                                                       \
                __uint(max_entries, 1);                                                         \
                __uint(key_size, sizeof(key_type));                                             \
                __uint(value_size, sizeof(value_type));                                         \
        };                                                                                      \
        struct {                                                                                \
                __uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);                                       \
                __uint(max_entries, 2);                                                         \
                __type(key, u32);                                                               \
                __array(values, struct name##_inner);                                           \
        } name __weak SEC(".maps")

SCT_TABLE(sct_g_num, BPF_MAP_TYPE_HASH, 0, struct sct_num_key, struct sct_mask);
SCT_TABLE(sct_g_range, BPF_MAP_TYPE_ARRAY, BPF_F_INNER_MAP, u32, struct sct_range);
SCT_TABLE(sct_g_list, BPF_MAP_TYPE_ARRAY, BPF_F_INNER_MAP, u32, struct sct_list_item);
SCT_TABLE(sct_g_str0, BPF_MAP_TYPE_HASH, 0, struct sct_str_key_0, struct sct_mask);
SCT_TABLE(sct_g_str1, BPF_MAP_TYPE_HASH, 0, struct sct_str_key_1, struct sct_mask);
SCT_TABLE(sct_g_str2, BPF_MAP_TYPE_HASH, 0, struct sct_str_key_2, struct sct_mask);
SCT_TABLE(sct_g_str3, BPF_MAP_TYPE_HASH, 0, struct sct_str_key_3, struct sct_mask);
SCT_TABLE(sct_g_prefix, BPF_MAP_TYPE_LPM_TRIE, BPF_F_NO_PREALLOC, struct sct_affix_key, struct sct_mask);
SCT_TABLE(sct_g_suffix, BPF_MAP_TYPE_LPM_TRIE, BPF_F_NO_PREALLOC, struct sct_affix_key, struct sct_mask);
SCT_TABLE(sct_g_dfa, BPF_MAP_TYPE_ARRAY, BPF_F_INNER_MAP, u32, u32);
SCT_TABLE(sct_g_dfamask, BPF_MAP_TYPE_ARRAY, BPF_F_INNER_MAP, u32, struct sct_mask);

struct {                             /* events lost, by rule of the current generation */
        __uint(type, BPF_MAP_TYPE_ARRAY);
        __uint(max_entries, SCT_BANKS_MAX * 64);
        __type(key, u32);
        __type(value, u64);
} sct_lost_rules __weak SEC(".maps");

/* ---- Globals (abi/state.h). .bss is memory that the daemon maps: reading a counter costs it nothing. Restart: kept. ---- */

struct sct_state sct_state __weak SEC(".bss");

const volatile u32 sct_instance __weak = 0;
/* What the policies use (abi/uses.h): all, until the daemon says less before it loads. */
const volatile u64 sct_uses __weak = ~0ULL;
const volatile u64 sct_uses_types __weak = ~0ULL;
#define USES(what) (sct_uses & SCT_USE_##what)
#define USES_TYPE(type) (sct_uses_types >> SCT_ARG_##type & 1)
const volatile u32 sct_has_tree __weak = 1;
/* Programs that are loaded once a place know it: there is no attach cookie for them before 6.10 (raw tracepoints). */
const volatile u32 sct_place __weak = 0;
const volatile u32 sct_place_n_args __weak = 1;    /* raw tracepoints: the kernel attaches no program that reads more */
const volatile u32 sct_place_syscall __weak = 0;   /* fmod_ret: the function is a system call's entry */
