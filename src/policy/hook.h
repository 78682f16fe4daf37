/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Hooks that a policy brings itself (TracingPolicy): where in the kernel or in a binary, which arguments, what to do on a
 * match. A Hook is what one entry of kprobes, tracepoints, uprobes or lsmhooks says. Hooks of several policies on one
 * place in the kernel share one program and one plan; which place that is, and how it is attached, is decided later. */

#include "../../bpf/abi/plan.h"
#include "policy.h"

typedef enum HookKind {
        HOOK_KPROBE,           /* kprobes: a kernel function; syscall: the entry function of a system call */
        HOOK_TRACEPOINT,       /* tracepoints: subsystem/event, arguments by position in its format file */
        HOOK_RAW_TRACEPOINT,   /* tracepoints with raw: true: arguments of the tracepoint itself */
        HOOK_UPROBE,           /* uprobes: path and symbols or offsets */
        HOOK_LSM,              /* lsmhooks */
        HOOK_LOADER,           /* loader: true: shared objects that are mapped, with their build id */
        _HOOK_KIND_MAX,
        _HOOK_KIND_INVALID = -22,
} HookKind;

typedef enum HookArgSource {
        HOOK_ARG_OF_HOOK,      /* args: an argument of the hook */
        HOOK_ARG_CURRENT_TASK, /* data: struct task_struct of the caller, from where `resolve` leads on */
        HOOK_ARG_PT_REGS,      /* data: a register, named by `resolve` */
} HookArgSource;

typedef struct HookArg {
        HookArgSource source;
        uint32_t index;           /* argument of the function from 0; tracepoints: field of the format,
        common_ ones count */
        uint8_t type;             /* enum sct_arg_type: how it is read and filtered; NONE: auto, as format or BTF say */
        const char *type_name;    /* as TracingPolicy names it; a row's string */
        char *label;              /* NULL: the name from BTF or the format */
        uint32_t size_arg;        /* number of the argument that holds the size,
        from 1 as the language counts; 0 none */
        uint32_t max_data;        /* bytes; 0: the default */
        bool return_copy;         /* read at return */
        char *resolve;            /* a.b[1].c, NULL none */
        char *btf_type, *btf_module;    /* where `resolve` begins, NULL: what BTF says */
        unsigned line, column;
        /* Found by kernel/ when it looks at the hook. */
        struct sct_arg_path path;       /* when has_path: not an argument as it stands */
        bool has_path;
        uint32_t field_offset, field_size;      /* tracepoints: in the record */
} HookArg;

typedef enum HookActionKind {
        HOOK_ACTION_POST,
        HOOK_ACTION_NO_POST,
        HOOK_ACTION_SIGKILL,
        HOOK_ACTION_SIGNAL,
        HOOK_ACTION_OVERRIDE,
        HOOK_ACTION_FOLLOW_FD,
        HOOK_ACTION_UNFOLLOW_FD,
        HOOK_ACTION_COPY_FD,
        HOOK_ACTION_GET_URL,
        HOOK_ACTION_DNS_LOOKUP,
        HOOK_ACTION_TRACK_SOCK,
        HOOK_ACTION_UNTRACK_SOCK,
        HOOK_ACTION_NOTIFY_ENFORCER,
        _HOOK_ACTION_MAX,
        _HOOK_ACTION_INVALID = -22,
} HookActionKind;

typedef enum HookRateScope {
        HOOK_RATE_THREAD,
        HOOK_RATE_PROCESS,
        HOOK_RATE_GLOBAL,
} HookRateScope;

typedef struct HookAction {
        HookActionKind kind;
        int32_t error;                 /* Override, NotifyEnforcer: argError */
        uint32_t signal;               /* Signal, NotifyEnforcer: argSig */
        uint32_t fd_arg, name_arg;     /* positions in args. FollowFD: argFd, argName; CopyFD:
        argName is the new descriptor */
        uint32_t sock_arg;             /* position in args. TrackSock, UntrackSock */
        char *url, *fqdn;              /* GetUrl, DnsLookup */
        uint64_t rate_limit_usec;      /* Post: repeats within it are suppressed; 0 none */
        HookRateScope rate_scope;
        bool kernel_stack, user_stack;
        bool at_return;                /* of matchReturnActions */
        unsigned line, column;
} HookAction;

/* One place of a hook that has several (a list of calls, several symbols or offsets): an event of its own. */
typedef struct HookMember {
        EventSpec spec;                /* named as the place is written; arguments are the hook's */
        const EventSpec *syscall;      /* of a list of system calls */
        bool native, compat;           /* ... in which of the two tables */
} HookMember;

typedef struct Hook {
        HookKind kind;
        char *call;                    /* function, LSM hook; tracepoint: its event; as written:
        what the event is named */
        char *subsystem;               /* HOOK_TRACEPOINT */
        char *path;                    /* HOOK_UPROBE */
        char **symbols;                /* HOOK_UPROBE,
        also symbol+offset; members of list:NAME for kprobes. NULL-terminated */
        char *pattern;                 /* HOOK_KPROBE on a list generated_ftrace:
        functions whose name this regex matches; kernel_expand_hook() makes them symbols */
        HookMember *members;           /* one for each of symbols, or offsets; none: the hook is at one place */
        size_t n_members;
        uint64_t *offsets;             /* HOOK_UPROBE */
        size_t n_offsets;
        uint64_t *ref_ctr_offsets;     /* as many as there are symbols or offsets; NULL: none */
        size_t n_ref_ctr_offsets;
        bool offsets_are_addresses;    /* as the file's program headers map them */
        bool syscall;                  /* HOOK_KPROBE: call names a system call, in any of its spellings */
        const EventSpec *syscall_spec; /* ... which one, when it is in the catalogue */
        bool has_return;               /* return: true */
        HookArg *args;                 /* in the order of the document; record arguments have the same numbers */
        size_t n_args;
        HookArg return_arg;            /* when has_return */
        HookActionKind return_action;  /* returnArgAction: TrackSock, UntrackSock; else HOOK_ACTION_POST */
        bool ignore_not_found;
        bool overrides;                /* a rule of it has Override */
        bool absent;                   /* ignore_not_found, and it is not there: kernel_expand_hook() says so */
        bool expanded;                 /* ... which is asked once */
        char *message;
        char **tags;
        /* Named `call`, family HOOK, args as above. A return value that is no number is one argument more, named return,
         * with SCT_ARG_PLAN_EXIT; one that is a number is the record's. id: SCT_EVENT_HOOK_FIRST + index in its policy,
         * until the set of all policies gives it another. size_source: number of the hook's argument, from 0. */
        EventSpec spec;
        EventArgSpec *arg_specs;       /* their names are owned by the hook */
        unsigned line, column;
        bool settled;                  /* kernel/ has looked at it: types and names are those of this kernel */
} Hook;

/* What kernel/ tells of arguments when it looks at a hook (hook-type.c), before the hook is compiled. i: position in args;
 * n_args: the return value. */
/* Another type than the one that was written, or the one that auto stands for. Conditions that ask for the argument are
 * adapted. 0; -ENOTSUP and a sentence: they ask for what the type does not have. */
int hook_set_type(const Policy *policy, Hook *h, size_t i, const char *type_name, char **reterr);
/* The argument's own name; a label stays. */
int hook_set_name(Hook *h, size_t i, const char *name);
unsigned hook_type_bits(const char *type_name);         /* of a number, 0: it is none */
/* The type that an argument of a system call has, NULL: none that policies know. */
const char *hook_type_of_syscall(const EventArgSpec *a, bool *ret_pointer);

/* The system call that a name means in any spelling (write, sys_write, __x64_sys_write), NULL: none. */
const EventSpec *tracing_find_syscall(const char *name);
/* The same with x64/ or i386/ in front, as lists have it: in which tables it is meant. */
const EventSpec *tracing_find_listed_syscall(const char *name, bool *ret_native, bool *ret_compat);

void hook_arg_done(HookArg *a);
void hook_action_done(HookAction *a);
void hook_done(Hook *h);
/* Makes the members from symbols or offsets; their event numbers come with the hook's own. */
int hook_make_members(Hook *h);
const char *hook_kind_to_string(HookKind k);
const char *hook_action_to_string(HookActionKind k);         /* as TRACE_ACTION has it: sigkill */
HookActionKind hook_action_from_string(const char *s);       /* case-insensitive, as the language is */
