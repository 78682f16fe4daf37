/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* For tests of TracingPolicy: a spec or a list of kprobes as one call. */

#include "../../bpf/abi/plan.h"
#include "basic/buffer.h"
#include "basic/string-util.h"
#include "policy-test.h"
#include "policy/hook.h"
#include "policy/policy-compile.h"
#include "policy/tracing-internal.h"

#define TRACING_HEAD "apiVersion: cilium.io/v1alpha1\nkind: TracingPolicy\nmetadata:\n  name: t\nspec:\n"

__attribute__((unused)) static Parsed parse_spec(const char *spec) {
        _cleanup_(buffer_done) Buffer b = {};

        (void) buffer_add_string(&b, TRACING_HEAD);
        (void) buffer_add_string(&b, spec);
        return parse_text(buffer_cstring(&b));
}

/* Accepted. */
__attribute__((unused)) static Parsed good_spec(const char *spec) {
        Parsed p = parse_spec(spec);

        if (p.n != 1 || p.problems.n_errors > 0) {
                print_problems(&p.problems);
                TEST_FAIL("not accepted:\n%s", spec);
        }
        return p;
}

__attribute__((unused)) static Parsed good_hook(const char *kprobes) {
        _cleanup_(buffer_done) Buffer b = {};

        (void) buffer_add_string(&b, "  kprobes:\n");
        (void) buffer_add_string(&b, kprobes);
        return good_spec(buffer_cstring(&b));
}
