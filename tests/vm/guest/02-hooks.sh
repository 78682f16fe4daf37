#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# TracingPolicy where kernel functions can be hooked: entry and return by kprobe.multi, kernel objects as arguments. With
# programs that hold all that there is, so that each kernel's verifier sees it.
. "$(dirname "$0")/../../lib/test.sh"
. "$(dirname "$0")/../../lib/service.sh"

setup() {
        probe st-killer
        cp /usr/bin/cat /usr/local/bin/st-cat
        mkdir -p "$policies"
        # The first example of the documentation of TracingPolicy, with a binary that only this test runs.
        cat >"$policies/hooks.yaml" <<-END
	apiVersion: cilium.io/v1alpha1
	kind: TracingPolicy
	metadata:
	  name: fd-install
	  annotations: {scopetrace.org/scope: "50"}
	spec:
	  kprobes:
	  - call: fd_install
	    syscall: false
	    args:
	    - {index: 0, type: int}
	    - {index: 1, type: file}
	    selectors:
	    - matchArgs:
	      - {index: 1, operator: Equal, values: [/etc/passwd, /etc/shadow]}
	      matchBinaries:
	      - {operator: In, followChildren: false, values: [/usr/local/bin/st-cat]}
	---
	apiVersion: cilium.io/v1alpha1
	kind: TracingPolicy
	metadata: {name: creds}
	spec:
	  kprobes:
	  - call: security_file_permission
	    syscall: false
	    return: true
	    args:
	    - {index: 0, type: file}
	    - {index: 1, type: int}
	    returnArg: {index: 0, type: int}
	    selectors:
	    - matchArgs:
	      - {index: 0, operator: Postfix, values: [st-hostname]}
	---
	apiVersion: cilium.io/v1alpha1
	kind: TracingPolicy
	metadata: {name: connect}
	spec:
	  kprobes:
	  - call: tcp_connect
	    syscall: false
	    args: [{index: 0, type: sock}]
	    selectors:
	    - matchArgs:
	      - {index: 0, operator: DPort, values: ["4711"]}
	---
	apiVersion: cilium.io/v1alpha1
	kind: TracingPolicy
	metadata: {name: killer}
	spec:
	  kprobes:
	  - call: security_inode_rename
	    syscall: false
	    args: [{index: 0, type: nop}]
	    selectors:
	    - matchBinaries:
	      - {operator: In, followChildren: false, values: [/usr/local/bin/st-mv]}
	      matchActions: [{action: Sigkill}]
	---
	apiVersion: cilium.io/v1alpha1
	kind: TracingPolicy
	metadata: {name: wrong}
	spec:
	  kprobes:
	  - call: fd_install
	    syscall: false
	    args: [{index: 0, type: file}]
	END
        cp /usr/bin/mv /usr/local/bin/st-mv
        echo name >/root/st-hostname
        mkdir -p /run/systemd/system/scopetrace.service.d
        printf '[Service]\nEnvironment=SCOPETRACE_SPECIALIZE=0\n' >/run/systemd/system/scopetrace.service.d/whole.conf
        systemctl daemon-reload
        systemctl restart scopetrace.service
}

teardown() {
        rm -f "$policies/hooks.yaml" /run/systemd/system/scopetrace.service.d/whole.conf
        systemctl daemon-reload
        systemctl restart scopetrace.service
}

test_file_argument() {
        st-cat /etc/passwd /etc/hostname >/dev/null
        expect_count 1 POLICY=fd-install
        assert_contains "$(field TRACE_ARG_FILE POLICY=fd-install)$(field TRACE_ARGS POLICY=fd-install)" /etc/passwd
        assert_eq "$(field SCOPE POLICY=fd-install)" 50
        assert_eq "$(field TRACE_EVENT POLICY=fd-install)" fd_install
}

test_return_value() {
        st-cat /root/st-hostname >/dev/null
        expect_some POLICY=creds
        assert_eq "$(field TRACE_RETVAL POLICY=creds | sort -u)" 0
}

test_socket() {
        refused bash -c 'exec 3<>/dev/tcp/127.0.0.1/4711'
        refused bash -c 'exec 3<>/dev/tcp/127.0.0.1/4712'
        expect_count 1 POLICY=connect
        assert_contains "$(field TRACE_ARGS POLICY=connect)" 4711
}

# Sigkill comes at the hook: before the rename has happened or after, but the process does not go on.
test_sigkill() {
        local r=0
        touch /root/st-from
        st-mv /root/st-from /root/st-to || r=$?
        assert_eq "$r" 137
        expect_count 1 POLICY=killer
        assert_eq "$(field TRACE_ACTION POLICY=killer | paste -sd' ')" 'post sigkill'
}

# The prototype says what an argument is: a wrong type is refused and reads nothing.
test_wrong_type() {
        scopectl policies --no-pager --no-legend >out
        grep -E '(^| )wrong ' out | grep -q failed
        scopectl show wrong --no-pager | grep -q 'argument 0 of fd_install is no file'
}

expect_some() {
        local i
        for i in $(seq 100); do
                [ "$(count "$@")" = 0 ] || return 0
                sleep 0.1
        done
        fail "no entry has $*"
}

run_tests
