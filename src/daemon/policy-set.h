/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Which policies there are, and in which state: those of the search path, those given on the command line and those
 * that came over the bus. Loads, merges a reload with what was there, resolves scope numbers and names, and says which
 * go into the next plan. Applies nothing itself: manager_apply() does. */

#include <stdbool.h>
#include <stdint.h>

#include "../kernel/kernel.h"
#include "../policy/plan.h"
#include "../policy/policy-compile.h"
#include "../policy/policy.h"

typedef struct LoadedPolicy LoadedPolicy;
typedef struct PolicySet PolicySet;

typedef enum PolicyState {
        POLICY_ACTIVE,
        POLICY_DISABLED,
        POLICY_FAILED,
        POLICY_MASKED,
        _POLICY_STATE_MAX,
        _POLICY_STATE_INVALID = -22,
} PolicyState;

const char *policy_state_to_string(PolicyState s);

/* One row of `scopectl policies`. Its address stays the same over reloads as long as the name exists. */
struct LoadedPolicy {
        char *name;               /* unique: metadata.name, or the file's name when nothing could be read of it */
        char *path;               /* file; NULL: came over the bus (transient) */
        PolicyState state;
        Policy *policy;           /* the version that is in force, or would be; NULL: masked, or never was good */
        Policy *good;             /* the version that was active last, and its loaded_ns; NULL: none was */
        uint64_t good_loaded_ns;
        uint8_t scope;            /* resolved 1..64; 0: none (policy is NULL, or no number was free) */
        ProblemList problems;     /* errors and warnings of the newest version that was read, then those of this plan */
        size_t n_read_problems;   /* how many of them came from reading it */
        bool stale;               /* the file's newest version is bad: `policy` is the last good one */
        bool disabled;            /* by DisablePolicy; holds over reloads until EnablePolicy */
        bool compile_failed;      /* this kernel or a limit refused it; tried again with every new plan */
        uint64_t load_flags;      /* enum PolicyLoadFlags, transient ones only */
        char *owner;              /* unique bus name that loaded it, or NULL */
        uint64_t loaded_ns;       /* CLOCK_BOOTTIME: what pid=new compares with */
        uint8_t follow_slot;      /* 0xff none */

        Policy *plain;            /* `policy` is `derived` and this is what its document says (captures.c); else NULL */
        Policy *derived;
        unsigned derived_version;
        uint8_t derived_scope;

        uint64_t n_events;        /* matched and delivered */
        uint64_t n_suppressed;    /* over its own rate limit */
        uint64_t rate_next_ns;    /* when the next event would be on time by the policy's rateLimit (dispatch.c) */

        PolicyMode mode;          /* by SetMode; holds over reloads */
        struct RuleCounts *counts;        /* by rule of counts_of; see loaded_policy_counts() */
        const Policy *counts_of;  /* compared only */

        bool seen;                /* mark and sweep of one reload */
};

typedef enum PolicyLoadFlags {
        POLICY_LOAD_TRACK_OWNER = 1 << 0,   /* the bus layer unloads it when the owner leaves */
        POLICY_LOAD_EXCLUSIVE = 1 << 1,     /* refuse (-EBUSY) a scope number that a loaded policy uses */
        _POLICY_LOAD_ALL = (1 << 2) - 1,
} PolicyLoadFlags;

/* What the set tells its owner. Called right after the change; removed: right before the object goes away. */
typedef struct PolicySetHandlers {
        void (*on_added)(LoadedPolicy *p, void *userdata);
        void (*on_changed)(LoadedPolicy *p, void *userdata);
        void (*on_removed)(LoadedPolicy *p, void *userdata);
} PolicySetHandlers;

struct PolicySet {
        LoadedPolicy **items;           /* files in order, then transient ones in order of loading */
        size_t n, n_allocated;
        uint64_t disabled_scopes;       /* mask: Scope.Disable */
        uint64_t follow_slots;          /* in use */
        bool by_name;                   /* read from the search path, where names of files count and not their paths */
        PolicySetHandlers handlers;
        void *userdata;
};

void policy_set_done(PolicySet *s);
LoadedPolicy *policy_set_find(const PolicySet *s, const char *name);

/* Reads all files of the search path below `root`, or only `paths` (files and directories) when they are given, and
 * merges them with what is there. Unchanged documents keep their object. Negative only for lack of memory. */
int policy_set_read(PolicySet *s, const char *root, char *const *paths);
/* One document as a transient policy. Errors as manager_load_policy(). */
int policy_set_add_transient(PolicySet *s, const char *text, uint64_t flags, const char *owner, LoadedPolicy **ret,
                             ProblemList *problems);
void policy_set_remove(PolicySet *s, LoadedPolicy *p);
/* A follow slot of a predecessor; taken when it is free. */
void policy_set_take_follow_slot(PolicySet *s, LoadedPolicy *p, uint8_t slot);

/* Gives every policy its scope number and follow slot. What is left without one has failed, with a problem. */
int policy_set_number(PolicySet *s);

/* Those that belong into the next plan, as inputs; ret_policies[i] goes with ret_inputs[i]. Policies that this kernel
 * refuses are left out and failed. Caller frees both arrays. */
int policy_set_select(PolicySet *s, const FeatureSet *features, CompileInput **ret_inputs, LoadedPolicy ***ret_policies,
                      size_t *ret_n);
/* Why this kernel cannot serve the policy: problems are added and -ENOTSUP is returned; 0 when it can. */
int policy_check_features(Policy *p, const FeatureSet *features, ProblemList *problems);

/* When what a file has become cannot be active and what it was could, the old version again, stale. Returns whether there
 * was such a one: then number and select anew. */
bool policy_set_go_back(PolicySet *s);
bool policy_can_go_back(const LoadedPolicy *p);

/* Sets the state and tells the owner when anything changed. */
void policy_set_state(PolicySet *s, LoadedPolicy *p, PolicyState state);
/* Appends copies. */
int problem_list_extend(ProblemList *l, const ProblemList *more);
/* Counters of one rule of the policy that is in force; they begin anew with another version of it. NULL: no memory. */
struct RuleCounts *loaded_policy_counts(LoadedPolicy *p, size_t rule);
/* Forgets what an earlier plan said of it. */
void loaded_policy_forget_plan(LoadedPolicy *p);
