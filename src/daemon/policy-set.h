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
        uint8_t scope;            /* resolved 1..64; 0: none (policy is NULL, or no number was free) */
        ProblemList problems;     /* errors and warnings of the newest version that was read */
        bool stale;               /* the file's newest version is bad: `policy` is the last good one */
        bool disabled;            /* by DisablePolicy; holds over reloads until EnablePolicy */
        bool compile_failed;      /* this kernel or a limit refused it; tried again with every new plan */
        uint64_t load_flags;      /* enum PolicyLoadFlags, transient ones only */
        char *owner;              /* unique bus name that loaded it, or NULL */
        uint64_t loaded_ns;       /* CLOCK_BOOTTIME: what pid=new compares with */
        uint8_t follow_slot;      /* 0xff none */

        uint64_t n_events;        /* matched and delivered */
        uint64_t n_suppressed;    /* over its own rate limit */
        uint64_t rate_begin_ns;   /* token bucket over the window of the policy's rateLimit */
        uint64_t rate_n;

        bool seen;                /* mark and sweep of one reload */
};

typedef enum PolicyLoadFlags {
        POLICY_LOAD_TRACK_OWNER = 1 << 0,   /* the bus layer unloads it when the owner leaves */
        POLICY_LOAD_EXCLUSIVE = 1 << 1,     /* refuse (-EBUSY) a scope number that a loaded policy uses */
        _POLICY_LOAD_ALL = (1 << 2) - 1,
} PolicyLoadFlags;
