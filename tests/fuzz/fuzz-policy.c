/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Any bytes as a policy file: accepted policies are sound and compile, everything else is a printable sentence. */

#include <stdint.h>

#include "fuzz-check.h"
#include "policy/policy-parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        ProblemList problems = {};
        Policy **policies = NULL;
        size_t n = 0;

        MUST(policy_parse((const char *) data, size, "fuzz", &policies, &n, &problems) >= 0);
        check_all(policies, n, &problems);
        return 0;
}
