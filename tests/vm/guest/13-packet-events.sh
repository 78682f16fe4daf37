#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The native tests of packets as events, on this kernel.
for tool in tcpdump python3; do
        if ! command -v $tool >/dev/null; then
                echo "SKIP vm/packet-events: the tree has no $tool"
                exit 0
        fi
done
export SCOPETRACED=/usr/libexec/scopetraced SCOPETRACE_BUILD=/usr/lib/scopetrace-tests/build
exec bash /usr/lib/scopetrace-tests/native/packet-events.sh
