/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Between the readers of TracingPolicy: tracing-policy.c (sections), tracing-hook.c (one hook), tracing-arg.c (its arguments),
 * tracing-type.c (argument types), tracing-selector.c (selectors), tracing-subject.c (their filters on the process),
 * tracing-operator.c (their filters on arguments), tracing-value.c (values of these), tracing-action.c. Nobody else
 * includes this. */

#include "../../bpf/abi/plan.h"
#include "condition-builder.h"
#include "hook.h"
#include "wording.h"
#include "yaml-util.h"

#define TRACING_SELECTORS_MAX 1024U     /* of one hook: each is a rule, and there are 2048 in all */
#define TRACING_VALUES_MAX POLICY_VALUES_MAX
#define TRACING_HOOKS_MAX 1024U         /* of one policy: there are no more plans (SCT_PLANS_MAX) */
#define TRACING_NAMES_MAX 1024U         /* of one list of functions, symbols, offsets or calls */
#define TRACING_NAME_MAX 128U           /* bytes of a function's, tracepoint's, label's name */

/* lists: */
typedef enum TracingListKind {
        TRACING_LIST_FUNCTIONS,         /* type "": functions */
        TRACING_LIST_SYSCALLS,          /* type syscalls, generated_syscalls */
        TRACING_LIST_PATTERN,           /* type generated_ftrace */
} TracingListKind;

typedef struct TracingList {
        char *name, *pattern;
        TracingListKind kind;
        char **values;
} TracingList;

/* One policy while it is read. */
typedef struct TracingReader {
        Policy *policy;
        TracingList *lists;
        size_t n_lists, n_lists_allocated;
        const YamlNode *macros;         /* selectorsMacros, NULL: none */
        bool has_enforcers;
        size_t n_enforcer_calls;
        bool host_only;                 /* hostSelector: {} without a podSelector */
        size_t n_hooks_max, n_rules_allocated;
} TracingReader;

/* What values of an argument type can be asked. */
typedef enum TracingTypeFlags {
        TRACING_NUMBER = 1 << 0,
        TRACING_SIGNED = 1 << 1,
        TRACING_STRING = 1 << 2,
        TRACING_PATH = 1 << 3,          /* the string is a path: one that is empty matches nothing at all */
        TRACING_MODE = 1 << 4,          /* FileType */
        TRACING_CAPS = 1 << 5,          /* a set of capabilities */
        TRACING_FAMILY = 1 << 6,
        TRACING_PROTOCOL = 1 << 7,
        TRACING_STATE = 1 << 8,
        TRACING_SOURCE = 1 << 9,        /* SAddr, SPort */
        TRACING_DEST = 1 << 10,         /* DAddr, DPort */
        TRACING_BYTES = 1 << 11,        /* a NUL at the end of a value counts */
        TRACING_SIZED = 1 << 12,        /* needs sizeArgIndex, returnCopy or maxData */
        TRACING_AUTO = 1 << 13,         /* what it is shows when the hook is attached; the values say what is meant */
        TRACING_SYSCALL = 1 << 14,      /* number of a system call */
} TracingTypeFlags;

#define TRACING_NETWORK (TRACING_FAMILY | TRACING_PROTOCOL | TRACING_STATE | TRACING_SOURCE | TRACING_DEST)

typedef struct TracingType {
        const char *name;
        uint8_t type;                   /* enum sct_arg_type */
        uint8_t printer;
        uint8_t bits;                   /* numbers: width */
        unsigned flags;                 /* enum TracingTypeFlags */
        unsigned hooks;                 /* 1 << HookKind where it cannot be used */
} TracingType;

const TracingType *tracing_type_find(const char *name);
const char *tracing_type_name(size_t i);        /* NULL ends */

/* One hook while it is read. */
typedef struct HookDraft {
        TracingReader *reader;
        Hook *hook;
        const YamlNode *node, *call, *args, *data, *selectors, *return_arg;
        size_t n_args_allocated;
        size_t n_names;                 /* symbols and offsets */
        unsigned n_places;              /* symbol, symbols, offsets, addrs: how many of these */
        bool raw;
} HookDraft;

/* tracing-arg.c: args, data and returnArg; then the hook's spec. */
int tracing_read_arguments(YamlReader *r, HookDraft *d);
int tracing_make_spec(const TracingReader *t, Hook *h);

/* A name that becomes an event's, a function's or a file's: one word. 1, or 0 after a problem. */
int tracing_get_word(YamlReader *r, const YamlNode *n, size_t max, const char **ret);
int tracing_keep_word(YamlReader *r, const YamlNode *n, size_t max, char **ret);

/* tracing-hook.c: reads one entry of kprobes, tracepoints, ... into the next hook of the policy, with its rules. */
int tracing_read_kprobe(YamlReader *r, const YamlNode *n, void *reader);
int tracing_read_tracepoint(YamlReader *r, const YamlNode *n, void *reader);
int tracing_read_uprobe(YamlReader *r, const YamlNode *n, void *reader);
int tracing_read_lsm(YamlReader *r, const YamlNode *n, void *reader);
int tracing_add_loader(YamlReader *r, const YamlNode *n, TracingReader *t);

const TracingList *tracing_find_list(const TracingReader *t, const char *name);
/* A problem: there is no list `name`. */
int tracing_no_list(YamlReader *r, const YamlNode *n, const TracingReader *t, const char *name);

/* tracing-selector.c: the rules of a hook. `selectors` NULL: one rule without conditions. */
int tracing_read_selectors(YamlReader *r, const YamlNode *selectors, TracingReader *t, Hook *hook);

/* One selector while it is read. */
typedef struct TracingSelector {
        TracingReader *reader;
        Hook *hook;
        PolicyRule rule;
        size_t n_subject_allocated, n_conditions_allocated, n_actions_allocated;
        PolicyEvent *event;             /* of rule, the only one */
        bool has_return_conditions, has_override;
        const YamlNode *override_at;
        uint32_t seen;                  /* fields that stood in the selector or in a macro */
        bool in_macro;
} TracingSelector;

/* Merges and adds. Both return 0 or -ENOMEM and leave the builder empty. `at`: where the condition stands. */
int tracing_add_subject(YamlReader *r, const YamlNode *at, TracingSelector *s, uint16_t field, ConditionClass class,
                        ConditionBuilder *b);
int tracing_add_condition(YamlReader *r, const YamlNode *at, TracingSelector *s, uint16_t field, ConditionClass class,
                          ConditionBuilder *b);

/* In, NotIn. 1, or 0 after a problem. */
int tracing_get_in(YamlReader *r, const YamlNode *n, bool *ret_negative);
/* Calls `add` on every item of a list of values. */
typedef int (*TracingAddValue)(YamlReader *r, const YamlNode *value, void *userdata);
int tracing_each_value(YamlReader *r, const YamlNode *n, TracingAddValue add, void *userdata);
int tracing_get_flag(YamlReader *r, const YamlNode *n, void *target);       /* YamlRead; target: bool */

/* tracing-subject.c: one entry each; target: TracingSelector. */
int tracing_read_pids(YamlReader *r, const YamlNode *n, void *selector);
int tracing_read_binary(YamlReader *r, const YamlNode *n, void *selector);
int tracing_read_parent_binary(YamlReader *r, const YamlNode *n, void *selector);
int tracing_read_namespace(YamlReader *r, const YamlNode *n, void *selector);
int tracing_read_namespace_change(YamlReader *r, const YamlNode *n, void *selector);
int tracing_read_capability(YamlReader *r, const YamlNode *n, void *selector);
int tracing_read_capability_change(YamlReader *r, const YamlNode *n, void *selector);

/* tracing-operator.c */
int tracing_read_match_args(YamlReader *r, const YamlNode *n, TracingSelector *s);
int tracing_read_match_data(YamlReader *r, const YamlNode *n, TracingSelector *s);
int tracing_read_match_return_args(YamlReader *r, const YamlNode *n, TracingSelector *s);

/* tracing-action.c */
int tracing_read_actions(YamlReader *r, const YamlNode *n, TracingSelector *s, bool at_return);
int tracing_check_actions(YamlReader *r, const YamlNode *n, const TracingSelector *s);
/* Position of the argument with this index, -ENOENT. */
int tracing_arg_position(const Hook *hook, uint64_t index);

/* tracing-value.c. What returns bool or an errno reports nothing. */
/* Base 0 as in Go: 10, 0x1f, 0o17, 017, 0b1, with a sign. */
bool tracing_parse_integer(const char *text, size_t size, bool *ret_negative, uint64_t *ret_magnitude);
bool tracing_is_integer(const char *text);
/* As a value of `bits` width. exact: the bit pattern may be written as the other signedness, too. 0, -EINVAL (no number)
 * or -ERANGE. */
int tracing_get_integer(const char *text, size_t size, unsigned bits, bool is_signed, bool exact, uint64_t *ret);
/* min:max; a single number is both. */
int tracing_get_range(const char *text, unsigned bits, bool is_signed, uint64_t *ret_low, uint64_t *ret_high);
/* A name of a printer's values with or without its prefix ("AF_"), in any case, or a number. */
int tracing_get_name(uint8_t printer, const char *prefix, const char *text, uint64_t *ret);
/* CAP_A,CAP_B or a number → bits. -ENOENT: *ret_word is what nobody knows. */
int tracing_get_capabilities(const char *text, uint64_t *ret, char ret_word[static SUGGEST_WORD_MAX + 1]);
/* An address or CIDR → prefixes as SCT_PART_SADDR's strings. 1; 0: no address; -ENOMEM. */
int tracing_add_cidr(ConditionBuilder *b, const char *text, bool negative);
/* The same file by another name, when directories on the way to it are symbolic links on this host; last: resolve the last
 * component, too. NULL in *ret: there is none. */
int tracing_resolve_path(const char *path, bool last, char **ret);
