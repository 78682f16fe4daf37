#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The native tests of how system calls are hooked, on this kernel. Return probes of 6.12 would miss some of many calls that
# are under way.
export EXPECTED_HOOK=raw_tp
export SCOPETRACED=/usr/libexec/scopetraced SCOPETRACE_BUILD=/usr/lib/scopetrace-tests/build
exec bash /usr/lib/scopetrace-tests/native/syscall-ladder.sh
