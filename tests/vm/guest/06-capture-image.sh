#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The native tests of captured programs and memory, on this kernel.
export SCOPETRACED=/usr/libexec/scopetraced SCOPETRACE_BUILD=/usr/lib/scopetrace-tests/build
r=0
for test in capture-exec capture-mem; do
        TEST_PREFIX=${TEST_PREFIX:-}$test/ bash /usr/lib/scopetrace-tests/native/$test.sh || r=1
done
exit $r
