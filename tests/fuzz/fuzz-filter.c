/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Any lines as filters of the command line. */

#include <stdint.h>

#include "fuzz-check.h"
#include "policy/policy-parse.h"

#define FILTERS_MAX 256

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        const char *filters[FILTERS_MAX];
        ProblemList problems = {};
        Policy **policies = NULL;
        size_t n = 0, n_filters = 0;
        char *text = malloc(size + 1), *save = NULL;

        if (!text)
                return 0;
        if (size > 0)
                memcpy(text, data, size);
        text[size] = '\0';
        for (char *line = strtok_r(text, "\n", &save); line && n_filters < FILTERS_MAX; line = strtok_r(NULL, "\n",
                                                                                                        &save))
                filters[n_filters++] = line;

        MUST(policy_from_filters(filters, n_filters, "fuzz", &policies, &n, &problems) >= 0);
        check_all(policies, n, &problems);
        free(text);
        return 0;
}
