#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Actions of TracingPolicy where kernel functions can be hooked: descriptors followed as they are installed, stacks of
# functions, sockets that belong to whoever connected them.
. "$(dirname "$0")/../../lib/test.sh"
. "$(dirname "$0")/../../lib/service.sh"

setup() {
        cp /usr/bin/bash /usr/local/bin/st-act
        mkdir -p "$policies"
        cat >"$policies/actions.yaml" <<-'END'
	apiVersion: cilium.io/v1alpha1
	kind: TracingPolicy
	metadata: {name: follow}
	spec:
	  kprobes:
	  - call: fd_install
	    syscall: false
	    args:
	    - {index: 0, type: int}
	    - {index: 1, type: file}
	    selectors:
	    - matchBinaries: [{operator: In, followChildren: false, values: [/usr/local/bin/st-act]}]
	      matchArgs: [{index: 1, operator: Equal, values: [/root/st-followed]}]
	      matchActions: [{action: FollowFD, argFd: 0, argName: 1}]
	  - call: __x64_sys_close
	    syscall: true
	    args: [{index: 0, type: int}]
	    selectors:
	    - matchBinaries: [{operator: In, followChildren: false, values: [/usr/local/bin/st-act]}]
	      matchActions: [{action: UnfollowFD, argFd: 0}, {action: NoPost}]
	  - call: __x64_sys_dup2
	    syscall: true
	    args: [{index: 0, type: fd}, {index: 1, type: int}]
	    selectors:
	    - matchBinaries: [{operator: In, followChildren: false, values: [/usr/local/bin/st-act]}]
	      matchActions: [{action: CopyFD, argFd: 0, argName: 1}, {action: NoPost}]
	  - call: __x64_sys_write
	    syscall: true
	    args:
	    - {index: 0, type: fd}
	    - {index: 1, type: char_buf, sizeArgIndex: 3}
	    - {index: 2, type: size_t}
	    selectors:
	    - matchBinaries: [{operator: In, followChildren: false, values: [/usr/local/bin/st-act]}]
	      matchArgs: [{index: 0, operator: Equal, values: [/root/st-followed]}]
	---
	apiVersion: cilium.io/v1alpha1
	kind: TracingPolicy
	metadata: {name: stack}
	spec:
	  kprobes:
	  - call: security_inode_rename
	    syscall: false
	    args: [{index: 0, type: nop}]
	    selectors:
	    - matchBinaries: [{operator: In, followChildren: false, values: [/usr/local/bin/st-mv]}]
	      matchActions: [{action: Post, kernelStackTrace: true, userStackTrace: true}]
	---
	apiVersion: cilium.io/v1alpha1
	kind: TracingPolicy
	metadata: {name: owner}
	spec:
	  kprobes:
	  - call: tcp_connect
	    syscall: false
	    args: [{index: 0, type: sock}]
	    selectors:
	    - matchBinaries: [{operator: In, followChildren: false, values: [/usr/local/bin/st-act]}]
	      matchActions: [{action: TrackSock, argSock: 0}]
	  - call: tcp_rcv_established
	    syscall: false
	    args: [{index: 0, type: sock}]
	    selectors:
	    - matchBinaries: [{operator: In, followChildren: false, values: [/usr/local/bin/st-act]}]
	      matchArgs: [{index: 0, operator: DPort, values: ["4713"]}]
	  - call: tcp_close
	    syscall: false
	    args: [{index: 0, type: sock}]
	    selectors:
	    - matchBinaries: [{operator: In, followChildren: false, values: [/usr/local/bin/st-act]}]
	      matchActions: [{action: UntrackSock, argSock: 0}, {action: NoPost}]
	END
        cp /usr/bin/mv /usr/local/bin/st-mv
        systemctl restart scopetrace.service
        scopectl policies --no-pager --no-legend
}

teardown() {
        rm -f "$policies/actions.yaml"
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

# Known by the name that it was opened under, also as a copy, and no longer when it was closed.
test_followed_descriptor() {
        st-act -c 'exec 8>/root/st-followed; mv /root/st-followed /root/st-moved; echo one >&8; exec 9>&8 8>&-; echo three >&9
                   exec 9>&-; exec 8>/root/st-other; echo fivesix >&8'
        expect_count 2 POLICY=follow TRACE_EVENT=__x64_sys_write
        assert_eq "$(field TRACE_ARG_COUNT POLICY=follow TRACE_EVENT=__x64_sys_write | paste -sd' ')" '4 6'
        assert_contains "$(field TRACE_ACTION POLICY=follow TRACE_EVENT=fd_install)" followfd
}

test_stack_of_function() {
        local stack
        touch /root/st-from
        st-mv /root/st-from /root/st-to
        expect_count 1 POLICY=stack
        stack=$(field TRACE_KERNEL_STACK POLICY=stack)
        assert_contains "$stack" 'vfs_rename+0x'
        assert_contains "$stack" 'do_syscall_64+0x'
        refused grep -E 'bpf_|kprobe_|fprobe_' <<<"$stack"
}

# What arrives is taken by the kernel while the one who sent it runs.
test_owner_of_socket() {
        perl -MSocket -e 'socket(my $s, PF_INET, SOCK_STREAM, 0); setsockopt($s, SOL_SOCKET, SO_REUSEADDR, 1);
                bind($s, sockaddr_in(4713, INADDR_LOOPBACK)) or die; listen($s, 5);
                accept(my $c, $s) or die; select(undef, undef, undef, 0.5); syswrite($c, "hello\n"); close($c)' &
        wait_for 60 grep -q ':1269 00000000:0000 0A' /proc/net/tcp
        st-act -c 'exec 3<>/dev/tcp/127.0.0.1/4713; read -r line <&3; [ "$line" = hello ]'
        wait
        expect_some POLICY=owner TRACE_EVENT=tcp_rcv_established
        assert_eq "$(field TRACE_EXE POLICY=owner TRACE_EVENT=tcp_rcv_established | sort -u)" /usr/local/bin/st-act
}

test_counters() {
        scopectl --json=short show stack >out
        jq -e '.Selectors[0] | .[0] == "security_inode_rename" and .[3] == 1 and .[4] == 1 and .[7] == [["post", 1, 0]]' out
}

run_tests
