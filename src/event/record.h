/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Kernel bytes → Event. record_parse() is the only reader of the wire format; it checks every bound, so that a
 * damaged or hostile record is an error and never a read outside the sample. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "record-abi.h"

typedef struct EventArgSpec EventArgSpec;
typedef struct EventSpec EventSpec;

/* How an argument that is a number is shown. Rows in arg-type.c; names as events.list writes them. */
typedef uint8_t ArgPrinter;

struct EventArgSpec {
        const char *name;       /* pathname */
        const char *ctype;      /* the C type that JSON output names: "const char*" */
        const char *doc;
        uint8_t type;           /* enum sct_arg_type */
        ArgPrinter printer;
        uint8_t source;         /* which argument of the hook holds it (system calls: 0..5) */
        uint8_t size_source;    /* BYTES, SOCKADDR: which argument holds the length; 0xff none */
        uint8_t flags;          /* enum sct_arg_plan_flags */
        uint8_t low32, high32;  /* SCT_ARG_PLAN_REGS32: as in struct sct_arg_plan */
};

typedef enum EventFamily {
        EVENT_FAMILY_SYSCALL,
        EVENT_FAMILY_PROCESS,
        EVENT_FAMILY_CGROUP,
        EVENT_FAMILY_SECURITY,
        EVENT_FAMILY_FILE,
        EVENT_FAMILY_MEMORY,
        EVENT_FAMILY_MODULE,
        EVENT_FAMILY_BPF,
        EVENT_FAMILY_NETWORK,
        EVENT_FAMILY_CONTAINER,
        EVENT_FAMILY_SIGNATURE,
        EVENT_FAMILY_CAPTURE,         /* pseudo events whose data goes to the artifact ring: never a record of their own */
        EVENT_FAMILY_HOOK,            /* a policy's own hook */
        _EVENT_FAMILY_MAX,
        _EVENT_FAMILY_INVALID = -22,
} EventFamily;

struct EventSpec {
        uint16_t id;            /* stable */
        const char *name;
        EventFamily family;
        const char *hook;       /* sys_enter, tp_btf:sched_process_exec, ...: as events.list writes it */
        const char *doc;
        const EventArgSpec *args;
        uint8_t n_args;
        uint64_t sets;          /* bit i: member of event_sets[i] */
        bool internal;          /* not selectable by name */
        bool compat_only;       /* exists in the 32-bit system call table alone */
        bool no_return;         /* reported at entry (exit, exit_group, rt_sigreturn) */
        const char *message;    /* hooks of policies: what the policy says of it; NULL: nothing */
        char *const *tags;      /* hooks of policies; NULL-terminated or NULL */
};

typedef struct EventArg {
        const EventArgSpec *spec;
        uint8_t type;           /* enum sct_arg_type as the record says */
        uint8_t flags;          /* enum sct_arg_flags */
        uint32_t size;
        const uint8_t *data;    /* points into the sample */
} EventArg;

/* A stack that came with the event. */
typedef struct EventStack {
        const uint8_t *addresses;      /* n u64, possibly unaligned, the innermost first; NULL: none */
        size_t n;
        const char *text;              /* a frame a line, as the daemon's stack.c resolved it; NULL: not yet */
        size_t size;
} EventStack;

/* One event. Everything points into the sample or at objects that outlive the call that delivers it. */
typedef struct Event {
        const struct sct_record *header;
        const EventSpec *spec;
        EventArg args[SCT_ARGS_MAX];   /* in the order of the record; absent ones are skipped */
        size_t n_args;
        const char *exe;               /* not NUL-terminated; NULL when unknown */
        size_t exe_size;               /* without NUL */
        const uint8_t *rules;          /* n_banks u64, possibly unaligned: read with memcpy */

        /* Filled by the daemon's subject.c before the event is formatted. */
        uint64_t seq;
        uint64_t time_ns;              /* CLOCK_REALTIME */
        uint64_t scopes;               /* bit N-1: scope N */
        const char *const *policies;
        size_t n_policies;
        int priority;                  /* LOG_* */
        const char *hook;              /* how it was taken: tp_btf, raw_tp, tracepoint, fentry, kprobe, lsm */
        EventStack kernel_stack, user_stack;   /* addresses by record_parse() */
        const char *const *actions;    /* what was taken: post, sigkill, ...; none: post */
        size_t n_actions;
        const char *container_id;      /* "" when none */
        const char *cgroup_path;       /* "" when unknown */
        const char *unit, *user_unit, *slice, *user_slice, *session;   /* NULL when none */
} Event;

/* Finds the description of an event number ≥ SCT_EVENT_HOOK_FIRST; NULL: unknown. */
typedef const EventSpec *(*EventSpecLookup)(uint16_t id, void *userdata);

/* Returns 0, -EBADMSG (malformed), -ENOENT (unknown event) or -EPROTO (record type is not an event). */
int record_parse(const void *data, size_t size, EventSpecLookup lookup, void *userdata, Event *ret);

/* The generated table (event-table.c from bpf/abi/events.list). */
const EventSpec *event_spec_by_id(uint16_t id);
const EventSpec *event_spec_by_name(const char *name);
const EventSpec *event_spec_next(const EventSpec *prev);        /* NULL starts; NULL ends; in order of id */
uint32_t event_packet_kind(const EventSpec *spec);              /* enum sct_packet_kind; 0: no event of packets */
int event_arg_index(const EventSpec *spec, const char *name);   /* -ENOENT */

extern const char *const event_sets[];   /* NULL-terminated: name of set i */
extern const char *const event_set_docs[];   /* what set i holds */
int event_set_index(const char *name);   /* -ENOENT */

/* System call numbers. abi 0: native, 1: 32-bit. Returns NULL when the number has no event. */
const EventSpec *event_spec_by_syscall(unsigned abi, unsigned nr);
/* Native and 32-bit number of a system call event; -1 where that table lacks it. */
void event_syscall_numbers(const EventSpec *spec, int *ret_native, int *ret_compat);
