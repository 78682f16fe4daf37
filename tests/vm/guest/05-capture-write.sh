#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The native tests of written and read files, on this kernel: io_uring's own threads, core dumps, an ext4 root.
echo core >/proc/sys/kernel/core_pattern
export SCOPETRACED=/usr/libexec/scopetraced SCOPETRACE_BUILD=/usr/lib/scopetrace-tests/build STORM_MIB=24
exec bash /usr/lib/scopetrace-tests/native/capture-write.sh
