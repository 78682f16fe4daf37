#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# TracingPolicy where the kernel grants LSM programs and fmod_ret: hooks on LSM hooks, Override, enforcers, the loader,
# functions by pattern, functions of modules. Only programs that this test made are stopped from anything.
. "$(dirname "$0")/../../lib/test.sh"
. "$(dirname "$0")/../../lib/service.sh"

setup() {
        local name
        mkdir -p /usr/local/bin "$policies"
        for name in st-ln-lsm st-ln-fn st-ln-mon; do
                cp /usr/bin/ln "/usr/local/bin/$name"
        done
        cp /usr/bin/cat /usr/local/bin/st-reader
        cp /usr/bin/mkdir /usr/local/bin/st-mkdir
        cp /usr/bin/rmdir /usr/local/bin/st-rmdir
        cat >"$policies/enforce.yaml" <<-END
	apiVersion: cilium.io/v1alpha1
	kind: TracingPolicy
	metadata:
	  name: opens
	  annotations: {scopetrace.org/scope: "51"}
	spec:
	  lsmhooks:
	  - hook: file_open
	    message: opened by the test
	    args: [{index: 0, type: file}]
	    selectors:
	    - matchArgs: [{index: 0, operator: Equal, values: [/etc/passwd]}]
	      matchBinaries: [{operator: In, followChildren: false, values: [/usr/local/bin/st-reader]}]
	---
	# symlinkat by its LSM hook, and by the function that calls all of them.
	apiVersion: cilium.io/v1alpha1
	kind: TracingPolicy
	metadata: {name: no-symlink}
	spec:
	  lsmhooks:
	  - hook: inode_symlink
	    args: [{index: 2, type: string}]
	    selectors:
	    - matchArgs: [{index: 2, operator: Equal, values: [/etc/passwd]}]
	      matchBinaries: [{operator: In, followChildren: false, values: [/usr/local/bin/st-ln-lsm]}]
	      matchActions: [{action: Override, argError: -1}]
	---
	apiVersion: cilium.io/v1alpha1
	kind: TracingPolicy
	metadata: {name: no-symlink-fn}
	spec:
	  kprobes:
	  - call: security_inode_symlink
	    syscall: false
	    args: [{index: 2, type: string}]
	    selectors:
	    - matchArgs: [{index: 2, operator: Equal, values: [/etc/passwd]}]
	      matchBinaries: [{operator: In, followChildren: false, values: [/usr/local/bin/st-ln-fn]}]
	      matchActions: [{action: Override, argError: -13}]
	---
	apiVersion: cilium.io/v1alpha1
	kind: TracingPolicy
	metadata: {name: only-watch}
	spec:
	  options: [{name: policy-mode, value: monitor}]
	  lsmhooks:
	  - hook: inode_symlink
	    args: [{index: 2, type: string}]
	    selectors:
	    - matchBinaries: [{operator: In, followChildren: false, values: [/usr/local/bin/st-ln-mon]}]
	      matchActions: [{action: Override, argError: -1}]
	---
	# What is about to be called is seen at the tracepoint, and stopped at the function.
	apiVersion: cilium.io/v1alpha1
	kind: TracingPolicy
	metadata: {name: enforcer}
	spec:
	  enforcers: [{calls: [security_inode_mkdir]}]
	  tracepoints:
	  - subsystem: raw_syscalls
	    event: sys_enter
	    args: [{index: 4, type: int64}]
	    selectors:
	    - matchArgs: [{index: 4, operator: InMap, values: ["83", "258"]}]
	      matchBinaries: [{operator: In, followChildren: false, values: [/usr/local/bin/st-mkdir]}]
	      matchActions: [{action: NotifyEnforcer, argError: -122}]
	---
	apiVersion: cilium.io/v1alpha1
	kind: TracingPolicy
	metadata: {name: by-pattern}
	spec:
	  lists: [{name: dirs, type: generated_ftrace, pattern: "^security_inode_(mkdir|rmdir)\$"}]
	  kprobes:
	  - call: "list:dirs"
	    syscall: false
	    args: [{index: 1, type: dentry}]
	    selectors:
	    - matchBinaries: [{operator: In, followChildren: false, values: [/usr/local/bin/st-rmdir]}]
	---
	apiVersion: cilium.io/v1alpha1
	kind: TracingPolicy
	metadata: {name: many}
	spec:
	  lists: [{name: all, type: generated_ftrace, pattern: "^security_(inode|file|path|task|socket|sb)_"}]
	  kprobes:
	  - call: "list:all"
	    syscall: false
	    selectors:
	    - matchBinaries: [{operator: In, followChildren: false, values: [/usr/local/bin/st-rmdir]}]
	  - call: nothing_of_this_name
	    syscall: false
	    ignore: {callNotFound: true}
	---
	apiVersion: cilium.io/v1alpha1
	kind: TracingPolicy
	metadata: {name: of-module}
	spec:
	  kprobes:
	  - call: p9_client_walk
	    syscall: false
	    args: [{index: 1, type: uint16}]
	    selectors:
	    - matchBinaries: [{operator: In, followChildren: false, values: [/usr/local/bin/st-reader]}]
	---
	apiVersion: cilium.io/v1alpha1
	kind: TracingPolicy
	metadata: {name: loading}
	spec: {loader: true}
	---
	# The example of the documentation: this kernel cannot stop a system call, and says what can be stopped.
	apiVersion: cilium.io/v1alpha1
	kind: TracingPolicy
	metadata: {name: sys-symlink-passwd}
	spec:
	  kprobes:
	  - call: __x64_sys_symlinkat
	    syscall: true
	    args: [{index: 0, type: string}, {index: 1, type: int}, {index: 2, type: string}]
	    selectors:
	    - matchArgs: [{index: 0, operator: Equal, values: ["/etc/passwd\\0"]}]
	      matchBinaries: [{operator: In, followChildren: false, values: [/usr/local/bin/st-nobody]}]
	      matchActions: [{action: Override, argError: -1}]
	---
	apiVersion: cilium.io/v1alpha1
	kind: TracingPolicy
	metadata: {name: void-hook}
	spec:
	  lsmhooks:
	  - hook: bprm_committed_creds
	    selectors:
	    - matchBinaries: [{operator: In, followChildren: false, values: [/usr/local/bin/st-nobody]}]
	      matchActions: [{action: Override, argError: -1}]
	END
        # An emulated machine on a busy host takes minutes to load all of this.
        mkdir -p /run/systemd/system/scopetrace.service.d
        printf '[Service]\nTimeoutStartSec=infinity\n' >/run/systemd/system/scopetrace.service.d/patience.conf
        systemctl daemon-reload
        systemctl restart scopetrace.service
}

teardown() {
        rm -f "$policies/enforce.yaml"
        systemctl reload scopetrace.service
}

expect_some() {
        local i
        for i in $(seq 100); do
                [ "$(count "$@")" = 0 ] || return 0
                sleep 0.1
        done
        fail "no entry has $*"
}

# What is not there: which policies failed, in words, when a test did not find its event.
active() {
        scopectl policies --no-pager --no-legend | grep -E "(^| )$1 " | grep -q active || {
                scopectl show "$1" --no-pager
                fail "$1 is not active"
        }
}

test_lsm_hook() {
        active opens
        st-reader /etc/passwd /etc/hostname >/dev/null
        expect_count 1 POLICY=opens
        assert_contains "$(field TRACE_ARGS POLICY=opens)" /etc/passwd
        assert_eq "$(field TRACE_EVENT POLICY=opens)" file_open
        assert_eq "$(field TRACE_HOOK POLICY=opens)" lsm
        assert_eq "$(field TRACE_MESSAGE POLICY=opens)" 'opened by the test'
}

test_override_by_lsm() {
        local said
        active no-symlink
        rm -f /root/st-link*
        said=$(LC_ALL=C st-ln-lsm -s /etc/passwd /root/st-link 2>&1 || true)
        assert_contains "$said" 'Operation not permitted'
        refused test -L /root/st-link
        st-ln-lsm -s /etc/hostname /root/st-link-host
        ln -s /etc/passwd /root/st-link-other
        test -L /root/st-link-host
        test -L /root/st-link-other
        expect_count 1 POLICY=no-symlink
        assert_contains "$(field TRACE_ACTION POLICY=no-symlink)" override
}

test_override_of_function() {
        local said
        active no-symlink-fn
        rm -f /root/st-fn*
        said=$(LC_ALL=C st-ln-fn -s /etc/passwd /root/st-fn 2>&1 || true)
        assert_contains "$said" 'Permission denied'
        refused test -L /root/st-fn
        ln -s /etc/passwd /root/st-fn-other
        expect_count 1 POLICY=no-symlink-fn
        assert_eq "$(field TRACE_HOOK POLICY=no-symlink-fn)" fmod_ret
}

test_monitor() {
        active only-watch
        rm -f /root/st-mon
        st-ln-mon -s /etc/passwd /root/st-mon
        test -L /root/st-mon
        expect_count 1 POLICY=only-watch
}

test_enforcer() {
        local said
        active enforcer
        rm -rf /root/st-made /root/st-made-other
        said=$(LC_ALL=C st-mkdir /root/st-made 2>&1 || true)
        assert_contains "$said" 'quota'
        refused test -d /root/st-made
        mkdir /root/st-made-other
        test -d /root/st-made-other
}

test_functions_by_pattern() {
        active by-pattern
        active many
        mkdir -p /root/st-dir
        st-rmdir /root/st-dir
        expect_count 1 POLICY=by-pattern
        assert_eq "$(field TRACE_EVENT POLICY=by-pattern)" security_inode_rmdir
        expect_count 1 POLICY=many TRACE_EVENT=security_inode_rmdir
}

test_function_of_module() {
        grep -q ' p9_client_walk.*\[' /proc/kallsyms || skip 'the machine has no 9p module'
        active of-module
        st-reader /share/environment >/dev/null
        expect_some POLICY=of-module
        assert_contains "$(field TRACE_ARGS POLICY=of-module)" 'nwname: 1'
}

# Which file was mapped, so that it can be executed, and which build of it that is.
test_loader() {
        local id
        active loading
        st-reader /etc/hostname >/dev/null
        expect_some POLICY=loading TRACE_COMM=st-reader
        assert_contains "$(field TRACE_ARG_PATH POLICY=loading TRACE_COMM=st-reader)" libc.so.6
        id=$(field TRACE_ARG_BUILDID POLICY=loading TRACE_COMM=st-reader TRACE_ARG_PATH="$(readlink -f /lib/x86_64-linux-gnu/libc.so.6)" |
                sort -u)
        assert_eq "${#id}" 40 'digits of the build id'
        od -An -v -tx1 /lib/x86_64-linux-gnu/libc.so.6 | tr -d ' \n' | grep -q "$id"
}

test_refusals() {
        scopectl policies --no-pager --no-legend >out
        grep -E '(^| )sys-symlink-passwd ' out | grep -q failed
        scopectl show sys-symlink-passwd --no-pager | grep -q 'hook inode_symlink under lsmhooks'
        grep -E '(^| )void-hook ' out | grep -q failed
        scopectl show void-hook --no-pager | grep -q 'returns no error'
}

run_tests
