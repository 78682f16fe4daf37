/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The Policy object: what a document says, validated and in one form, whatever language it was written in.
 * Immutable once parsed, reference counted. Knows nothing of files on disk beyond their path, of the kernel or of
 * numbering: policy-compile.c turns a set of policies into a Plan.
 *
 * A policy is a list of rules. A rule is one AND-group: conditions on the subject (held once for all events of a
 * ScopePolicy), and for each event that it selects further conditions on that event. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../event/record.h"

#define POLICY_SCOPE_MAX 64
#define POLICY_NAME_MAX 253           /* RFC 1123 subdomain, as metadata.name */
#define POLICY_FILE_MAX (1024U * 1024U)
#define POLICY_VALUES_MAX 65536U      /* values of one filter */

typedef enum PolicyKind {
        POLICY_KIND_SCOPE,            /* ScopePolicy */
        POLICY_KIND_TRACING,          /* TracingPolicy, TracingPolicyNamespaced */
        POLICY_KIND_TRACEE,           /* Policy, TraceePolicy */
        _POLICY_KIND_MAX,
        _POLICY_KIND_INVALID = -22,
} PolicyKind;

typedef enum ProblemSeverity {
        PROBLEM_ERROR,
        PROBLEM_WARNING,
} ProblemSeverity;

/* What is wrong with a document, for a person. */
typedef struct Problem {
        ProblemSeverity severity;
        char *path;                   /* file, or "-" */
        unsigned line, column;        /* from 1; 0 unknown */
        char *key;                    /* spec.filters[2] */
        char *message;                /* a sentence that says what to write instead */
} Problem;

typedef struct ProblemList {
        Problem *items;
        size_t n, n_allocated;
        size_t n_errors;
} ProblemList;

void problem_list_done(ProblemList *l);
int problem_add(ProblemList *l, ProblemSeverity severity, const char *path, unsigned line, unsigned column,
                const char *key, const char *format, ...) __attribute__((format(printf, 7, 8)));

/* A condition on one field: what a reader of the expressions expects, merged over all expressions on that field in one
 * AND-group.
 *
 * Numbers: eq OR range, where range = the interval (low, high) when both bounds overlap (x > 5, x < 10), else either
 * side (x < 5, x > 10); AND none of ne, except that eq wins. Only ne: everything but those. (reference 1.2, 1.4)
 * Strings: any positive pattern; else, when there are negative patterns, none of them.
 * Masks (flags by name): any positive item hit; else, with negatives, none of them hit.
 * Cgroups and trees: any of the wanted ones, when there are some, AND none of the excluded ones, which lie inside them
 * (cgroup=/a cgroup!=/a/b); the same one both wanted and excluded is wanted. */
typedef enum ConditionClass {
        CONDITION_NUMBER,
        CONDITION_MASK,
        CONDITION_STRING,
        CONDITION_CGROUP,             /* glob patterns on the cgroup: unit, slice, session, cgroup, container */
        CONDITION_TREE,               /* pids in eq / ne */
        CONDITION_PRESENT,
} ConditionClass;

typedef enum PatternKind {
        PATTERN_EQUAL,
        PATTERN_PREFIX,
        PATTERN_SUFFIX,
        PATTERN_SUBSTRING,
        PATTERN_GLOB,                 /* CONDITION_CGROUP only */
} PatternKind;

typedef struct Pattern {
        PatternKind kind;
        bool negative;
        uint8_t cgroup_kind;          /* enum sct_cgroup_pattern_kind, CONDITION_CGROUP only */
        char *text;
        size_t size;
        bool has_mnt_ns;              /* binary=host:/x or binary=<mntns>:/x: only in that mount namespace */
        uint32_t mnt_ns;
} Pattern;

typedef struct MaskItem {
        uint64_t and, cmp;
        bool nonzero;                 /* hit when value & and is not 0 (cmp ignored) */
        bool negative;
} MaskItem;

typedef struct NumberRange {          /* inclusive, in the field's order (signed fields: as int64 in u64) */
        uint64_t low, high;
        bool negative;
} NumberRange;

typedef struct Condition {
        uint16_t field;               /* enum sct_field; SCT_FIELD_ARG + i for an event's argument */
        uint16_t or_field;            /* pid=: the same condition on a second field counts too (0: none) */
        ConditionClass class;
        bool is_signed;
        uint64_t *eq, *ne;            /* numbers, sorted, unique */
        size_t n_eq, n_ne;
        NumberRange *ranges;          /* the merged result of < > <= >= (at most 2 for filter expressions) */
        size_t n_ranges;
        Pattern *patterns;
        size_t n_patterns;
        MaskItem *masks;
        size_t n_masks;
        unsigned line, column;        /* of the first expression, for problems found later */
} Condition;

/* Several conditions of one AND-group may be on the same field (unit= and container both ask SCT_FIELD_CGROUP): each
 * stands for itself and all must hold. A PATTERN_GLOB knows `*` alone, which never runs across a slash. Times are
 * CLOCK_BOOTTIME already: whoever parses a wall clock time converts it, nobody behind the parsers knows of one. */

typedef struct PolicyEvent {
        const EventSpec *spec;        /* from the catalogue, or of a policy's own hook */
        Condition *conditions;
        size_t n_conditions;
        unsigned line, column;
        bool is_implied;              /* by a set, a wildcard or the lack of events; nothing else was said of it */
} PolicyEvent;

typedef struct PolicyRule {
        Condition *subject;           /* ANDed */
        size_t n_subject;
        bool follow;
        bool born_after_load;         /* pid=new: compile adds BORN > the time the policy was loaded */
        bool not_born_after_load;     /* pid!=new */
        bool cgroup_after_load;       /* container=new */
        bool not_cgroup_after_load;   /* container!=new */
        bool names_journal;           /* names journald by unit, comm, binary or pid */
        PolicyEvent *events;
        size_t n_events;
        /* TracingPolicy: a selector of one hook. Among the rules of one hook the first that matches acts. */
        struct Hook *hook;            /* in policy->hooks; NULL: events of the catalogue */
        uint32_t selector;            /* index in its hook */
        char *label;                  /* NULL: none */
        struct HookAction *actions;
        size_t n_actions;
} PolicyRule;

/* spec.options: what records of the policy's events carry beyond the usual. Bits of Policy.options. */
typedef enum PolicyOption {
        POLICY_OPTION_FD_PATHS = 1 << 0,      /* descriptors with the paths behind them */
        POLICY_OPTION_EXEC_ENV = 1 << 1,      /* sched_process_exec with the environment */
} PolicyOption;

typedef struct Policy {
        unsigned n_ref;
        PolicyKind kind;
        char *name, *description;
        char *path;                   /* file, NULL for one that came over the bus */
        unsigned document;            /* index in its file */
        unsigned line, column;        /* of its name */
        char *text;                   /* the document as written */
        uint8_t scope;                /* 1..64; 0: the lowest free number */
        int priority;                 /* LOG_*, default LOG_INFO */
        uint64_t rate_limit_n, rate_limit_usec;   /* 0: none */
        unsigned options;             /* enum PolicyOption */
        char **capture;               /* NULL-terminated, as written */
        struct CaptureSpecList *captures;     /* what they mean (capture-spec.h); NULL: none */
        PolicyRule *rules;
        size_t n_rules;
        struct Hook *hooks;           /* TracingPolicy: see hook.h */
        size_t n_hooks;
        bool hooks_numbered;          /* their event numbers are given: the one thing that the first compilation sets */
        char **enforcer_calls;        /* TracingPolicy: enforcers; NULL-terminated */
        uint8_t enforcer_number;      /* ... names it in actions and in the kernel; given with the hooks' numbers */
        bool monitor;                 /* TracingPolicy: options policy-mode monitor: count, do not act */
} Policy;

void policy_event_done(PolicyEvent *e);
void policy_rule_done(PolicyRule *rule);

Policy *policy_new(void);
Policy *policy_ref(Policy *p);
Policy *policy_unref(Policy *p);
static inline void policy_unrefp(Policy **p) {
        policy_unref(*p);
}

const char *policy_kind_to_string(PolicyKind k);

void condition_done(Condition *c);
/* The number class's truth at one value, and the strings': the compiler and the tests ask these, the kernel's tables
 * are filled from the answers. */
bool condition_number_matches(const Condition *c, uint64_t value);
bool condition_mask_matches(const Condition *c, uint64_t value);
bool condition_string_matches(const Condition *c, const char *s, size_t size);
