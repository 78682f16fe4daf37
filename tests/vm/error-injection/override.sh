#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Override of system calls, on a kernel that has error injection: Debian's own have not, so this one is built from
# Debian's sources with tests/trees/error-injection.config. The policies of others are unchanged, as in
# guest/04-conformance.sh. Nothing but these tests runs in this machine.
. "$(dirname "$0")/../../lib/test.sh"
. "$(dirname "$0")/../../lib/service.sh"
. "$(dirname "$0")/../conformance.bash"

trigger=$test_dir/../../build/tests/trigger

test_features() {
        scopectl features --no-pager --no-legend >out
        cat out
        grep -E '(^|[^-a-z])error-injection( |$)' out | grep -qiE 'yes|granted' || fail "error-injection is not granted"
}

# overrides FILE CALL: what the policy is about fails with EPERM and does nothing, the rest and later calls do not.
overrides() {
        local r=0
        load "$1"
        rm -f /etc/st-link /etc/st-other
        yes "$2" /etc/passwd /etc/st-link || r=$?
        assert_eq "$r" 1 "errno of $2"
        [ ! -e /etc/st-link ] || fail "$2 made its link"
        no "$2" /etc/group /etc/st-other
        test -e /etc/st-other
        saw 1 TRACE_COMM=st-yes TRACE_ACTION=override
        assert_eq "$(journalctl -q --cursor "$cursor" -o json "POLICY=$name" TRACE_COMM=st-yes TRACE_ACTION=override |
                jq -r '.TRACE_EVENT')" "__x64_sys_$2"
        assert_eq "$(hits TRACE_COMM=st-no)" 0 "events of what does not count"
        unload
        yes "$2" /etc/passwd /etc/st-link
        rm -f /etc/st-link /etc/st-other
}

test_hardlink_override() { overrides hardlink-override linkat; }
test_symlink_override() { overrides symlink-override symlinkat; }
test_guide_override() { overrides guide-override symlinkat; }

# own CALL ERROR [OPTIONS]: a policy of this test's own; only st-yes is stopped from anything.
own() {
        cat >policy.yaml <<-END
	apiVersion: cilium.io/v1alpha1
	kind: TracingPolicy
	metadata: {name: st-own}
	spec:
	  lists: [{name: links, type: syscalls, values: [sys_symlink, sys_symlinkat, sys_linkat]}]
	  options: [${3:-}]
	  kprobes:
	  - call: "$1"
	    syscall: true
	    return: true
	    returnArg: {index: 0, type: int}
	    selectors:
	    - matchBinaries: [{operator: In, followChildren: false, values: [/usr/local/bin/st-yes, /usr/local/bin/st-32]}]
	      matchActions: [{action: Override, argError: $2}]
	END
        load_written
}

# errno_of CALL: as st-yes.
errno_of() {
        local r=0
        yes "$1" /etc/group /etc/st-link || r=$?
        rm -f /etc/st-link
        echo "$r"
}

# The errors at both ends, and what the record says of the call.
test_errors() {
        local error
        for error in 1 13 133; do
                own sys_symlinkat "-$error"
                assert_eq "$(errno_of symlinkat)" "$error"
                saw 1 TRACE_COMM=st-yes TRACE_ACTION=override
                unload
        done
}

# Any spelling of a call, and lists of calls.
test_spellings() {
        local call
        for call in symlinkat sys_symlinkat __x64_sys_symlinkat list:links; do
                own "$call" -1
                assert_eq "$(errno_of symlinkat)" 1 "$call"
                unload
        done
        own list:links -17
        assert_eq "$(errno_of linkat)" 17
        unload
        assert_eq "$(errno_of symlinkat)" 0
}

# The same call of the 32-bit ABI is served by another function.
test_compat() {
        cp "$trigger" /usr/local/bin/st-32
        own symlinkat -1
        rm -f /etc/st-link
        assert_eq "$(st-32 symlink-32 /etc/group /etc/st-link)" EPERM
        [ ! -e /etc/st-link ]
        saw 1 TRACE_COMM=st-32 TRACE_ACTION=override
        unload
        assert_eq "$(st-32 symlink-32 /etc/group /etc/st-link)" 0
        rm -f /etc/st-link
}

# Monitor says what it would have done, and lets the call run; enforcing is switched on while it runs.
test_monitor() {
        own symlinkat -1 '{name: policy-mode, value: monitor}'
        assert_eq "$(errno_of symlinkat)" 0
        saw 1 TRACE_COMM=st-yes
        scopectl set-mode st-own enforce
        assert_eq "$(errno_of symlinkat)" 1
        unload
}

# A call that an enforcer stops: decided at a tracepoint, before the call runs.
test_enforcer() {
        cat >policy.yaml <<-END
	apiVersion: cilium.io/v1alpha1
	kind: TracingPolicy
	metadata: {name: st-own}
	spec:
	  enforcers: [{calls: [sys_symlinkat]}]
	  tracepoints:
	  - subsystem: raw_syscalls
	    event: sys_enter
	    args: [{index: 4, type: int64}]
	    selectors:
	    - matchArgs: [{index: 4, operator: InMap, values: ["266"]}]
	      matchBinaries: [{operator: In, followChildren: false, values: [/usr/local/bin/st-yes]}]
	      matchActions: [{action: NotifyEnforcer, argError: -122}]
	END
        load_written
        assert_eq "$(errno_of symlinkat)" 122
        no symlinkat /etc/group /etc/st-link
        rm /etc/st-link
        unload
        assert_eq "$(errno_of symlinkat)" 0
}

run_tests
