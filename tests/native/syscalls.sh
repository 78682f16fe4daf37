#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# System calls: name, arguments and return value of each, against what the caller passed and got (trigger-syscalls.c).
. "$(dirname "$0")/../lib/test.sh"
. "$(dirname "$0")/cases.bash"

calls=$SCOPETRACE_BUILD/tests/trigger-syscalls

setup() {
        local kind
        mkdir -p "$BASE/policies"
        phase=policy
        policy calls set=syscalls comm=sct-calls
        policy not-resident event=access access.args.pathname=/sct/not-resident
        printf '%s\n' --- 'apiVersion: scopetrace.org/v1' 'kind: ScopePolicy' 'metadata: {name: fd-paths}' \
                'spec: {scope: 7, filters: [event=fchdir, comm=sct-fds], options: [fd-paths]}' >>"$BASE/policies/cases.yaml"
        service_start -o export
        CASE=fd_paths
        mkdir "$BASE/$CASE"
        CASE=$CASE "$trigger" comm sct-fds fchdir file fchdir pipe fchdir none fchdir "$BASE/fd_paths"
        for kind in native strings compat ends; do
                mkdir "$BASE/$kind"
                "$calls" $kind "$BASE/$kind.expected" "$BASE/$kind" &
                echo $! >"$BASE/$kind.pid"
                wait $! || echo $? >"$BASE/$kind.status"
        done
        service_stop
}

teardown() {
        cases_teardown
}

# The messages of one process and its children, in order.
same() {
        if [ -e "$BASE/$1.status" ]; then
                [ "$(cat "$BASE/$1.status")" = 77 ] || fail "trigger-syscalls $1 ended with $(cat "$BASE/$1.status")"
                skip "$2"
        fi
        awk -v pid="$(cat "$BASE/$1.pid")" '
                sub(/^MESSAGE=/, "") { message = $0; sub(/^[^ ]* /, "", message) }
                /^TRACE_HOST_PID=/ { host = substr($0, 16) }
                /^TRACE_HOST_PPID=/ { parent = substr($0, 17) }
                /^$/ && (host == pid || parent == pid) { print message }' "$BASE/out" >seen
        diff -U0 "$BASE/$1.expected" seen
}

test_arguments_and_results() {
        same native "the calls could not be made"
        [ "$(sed 's/(.*//' seen | sort -u | wc -l)" -ge 120 ] || fail "too few different calls"
}

# Copied at entry; longest; unreadable; escaped; lists.
test_strings() {
        same strings "the calls could not be made"
}

# What no program can read before the kernel has brought it in is judged, too.
test_filter_on_a_string_that_is_not_resident() {
        grep -qx POLICY=not-resident "$BASE/out" || fail 'the filter has not matched'
        assert_eq "$(grep -cx POLICY=not-resident "$BASE/out")" 1
}

# What MESSAGE cuts is whole in the argument's own field, to the kernel's limit.
test_long_strings() {
        grep -q "^TRACE_ARG_PATHNAME=$(printf 'a%.0s' $(seq 4095))$" "$BASE/out" || fail '4,095 bytes did not arrive'
        grep -q "^TRACE_ARG_PATHNAME=$(printf 'c%.0s' $(seq 4000))$" "$BASE/out" || fail '4,000 bytes did not arrive'
        grep -q "^TRACE_ARG_PATHNAME=$(printf 'b%.0s' $(seq 4095))$" "$BASE/out" || fail 'a string that is too long lost its beginning'
        grep -q "^TRACE_ARG_OLDPATH=$(printf 'a%.0s' $(seq 4095))$" "$BASE/out" || fail 'the first of two long paths is cut'
}

# Descriptors with what they refer to, for a policy that asks for it.
test_fd_paths() {
        sed -n 's/^MESSAGE=sct-fds[^ ]* //p' "$BASE/out" >seen
        assert_eq "$(sed 's/pipe:\[[0-9]*\]/pipe:[N]/' seen)" "fchdir(fd: 3=$BASE/fd_paths/file) = -20 (ENOTDIR)
fchdir(fd: 3=pipe:[N]) = -20 (ENOTDIR)
fchdir(fd: -1) = -9 (EBADF)
fchdir(fd: 3=$BASE/fd_paths) = 0"
}

test_compat() {
        same compat "this kernel has no 32-bit system calls"
}

test_calls_without_return() {
        same ends "the calls could not be made"
}

run_tests
