#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The native tests of selectors on the process, on this kernel.
export SCOPETRACED=/usr/libexec/scopetraced SCOPETRACE_BUILD=/usr/lib/scopetrace-tests/build
exec bash /usr/lib/scopetrace-tests/native/hooks-subject.sh
