#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Events that cannot be served: one that a set brings is left out, one that a policy names is an error. Without a cgroup
# hierarchy there are no packets.
. "$(dirname "$0")/../lib/test.sh"
. "$(dirname "$0")/cases.bash"

setup() {
        rm -rf "$BASE"
        mkdir -p "$BASE/policies"
        printf '%s\n' 'apiVersion: scopetrace.org/v1' 'kind: ScopePolicy' 'metadata: {name: implied}' \
                'spec: {scope: 1, filters: [comm=sct-implied]}' >"$BASE/policies/implied.yaml"
        printf '%s\n' 'apiVersion: scopetrace.org/v1' 'kind: ScopePolicy' 'metadata: {name: named}' \
                'spec: {scope: 2, filters: [comm=sct-named, "event=net_packet_icmp,sched_process_exec"]}' >"$BASE/policies/named.yaml"
        export -f service_start
        # The service keeps the namespace in which the hierarchy is out of sight.
        unshare --mount bash -c 'umount --lazy $(findmnt --noheadings --output TARGET --types cgroup2); service_start -o json'
        cp /bin/true "$BASE/sct-implied"
        cp /bin/true "$BASE/sct-named"
        "$BASE/sct-implied"
        "$BASE/sct-named"
        service_stop
}

teardown() {
        cases_teardown
}

test_implied_event_is_left_out() {
        grep -q 'implied.yaml:[0-9:]* net_packet_icmp: .* is left out, with others of its kind: no cgroup v2 hierarchy' "$BASE/err"
        jq -e 'select(.eventName == "sched_process_exec" and .matchedPolicies == ["implied"])' "$BASE/out" >/dev/null
}

test_named_event_is_an_error() {
        grep -q 'named.yaml:[0-9:]* net_packet_icmp: the event net_packet_icmp cannot be taken here: no cgroup v2' "$BASE/err"
        ! grep -q '"named"' "$BASE/out"
}

run_tests
