/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A set of policies, compiled, and what its tables say: shared by the compiler's tests. */

#include "basic/macro.h"
#include "plan-eval.h"
#include "policy-build.h"
#include "test.h"

#define ARG(i) (SCT_FIELD_ARG + (i))

typedef struct Set {
        CompileInput inputs[80];
        bool failed[80];
        size_t n;
        ProblemList problems;
        Plan *plan;
} Set;

static inline void set_add(Set *s, Policy *p) {
        s->inputs[s->n] = (CompileInput) {
                .policy = p, .scope = s->n % 64 + 1, .loaded_ns = 1000, .follow_slot = 0xff,
        };
        s->n++;
}

static inline void set_compile(Set *s) {
        static const FeatureSet features = {};
        const char *wrong;

        ASSERT_OK(policy_compile(s->inputs, s->n, 7, &features, &s->plan, s->failed, &s->problems));
        wrong = eval_check_plan(s->plan);
        if (wrong)
                TEST_FAIL("%s", wrong);
}

static inline void set_done(Set *s) {
        plan_free(s->plan);
        for (size_t i = 0; i < s->n; i++)
                policy_unref(s->inputs[i].policy);
        problem_list_done(&s->problems);
        *s = (Set) {};
}

static inline bool matches(const Set *s, uint16_t event, const EvalInput *in, size_t rule) {
        uint64_t active[SCT_BANKS_MAX];

        ASSERT_TRUE(s->plan->events[event] > 0);
        eval_event(s->plan, s->plan->plans + s->plan->events[event], in, active);
        return active[rule / 64] >> (rule % 64) & 1;
}
