/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Policies → Plan. Pure: asks nothing of the kernel. */

#include "feature-set.h"
#include "plan.h"

typedef enum PolicyMode {
        POLICY_MODE_DEFAULT,        /* as the policy says */
        POLICY_MODE_ENFORCE,
        POLICY_MODE_MONITOR,
        _POLICY_MODE_MAX,
} PolicyMode;

typedef struct CompileInput {
        Policy *policy;
        PolicyMode mode;
        uint8_t scope;              /* resolved, 1..64 */
        uint64_t loaded_ns;         /* CLOCK_BOOTTIME when this policy was loaded: what pid=new compares with */
        uint8_t follow_slot;        /* stable over generations for the same policy; 0xff none */
} CompileInput;

static inline bool compile_input_is_monitor(const CompileInput *in) {
        return in->mode == POLICY_MODE_DEFAULT ? in->policy->monitor : in->mode == POLICY_MODE_MONITOR;
}

/* Policies that this kernel cannot serve or that pass a limit are left out, each with a problem and failed[i] set;
 * everything else is compiled. */
int policy_compile(const CompileInput *inputs, size_t n, uint32_t generation, const FeatureSet *features, Plan **ret,
                   bool *failed, ProblemList *problems);
