#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The worked examples of Tracee's documentation of scopes, flag for flag, on the running service: the same masks in the
# table, in JSON and in the journal. The whole machine is traced, so others' commands of these names may show up too:
# what is held is that ours are there, and that every line has a mask that its command and event may have.
. "$(dirname "$0")/../lib/test.sh"

header='TIME             SCOPES            UTS_NAME          CONTAINER_ID  MNT_NS       PID_NS       UID    COMM             '
seeds=/tmp/.scopetrace-seeds.$PPID

setup() {
        mkdir -p "$seeds/policies"
        "$SCOPETRACED" --policy "$seeds/policies" >"$seeds/daemon" 2>&1 </dev/null &
        echo $! >"$seeds/pid"
        for _ in $(seq 600); do
                busctl --system status org.scopetrace.Scopetrace1 >/dev/null 2>&1 && return
                kill -0 "$(cat "$seeds/pid")" 2>/dev/null || break
                sleep 0.1
        done
        cat "$seeds/daemon"
        false
}

teardown() {
        local pid
        pid=$(cat "$seeds/pid")
        kill "$pid" && while kill -0 "$pid" 2>/dev/null; do sleep 0.1; done
        rm -rf "$seeds"
}

# trace SCOPE PATTERN COMMAND FLAG...: runs `scopectl trace FLAG...`, the command once the scope is there, and ends when
# a line of the output matches the pattern.
trace() {
        local scope=$1 pattern=$2 command=$3 pid
        shift 3
        kill -0 "$(cat "$seeds/pid")" || fail "the service has ended: $(tail -n 30 "$seeds/daemon")"
        "$SCOPECTL" trace "$@" >out 2>err &
        pid=$!
        wait_for 30 sh -c "\"$SCOPECTL\" scopes --no-legend | grep -Eq '^ *$scope '" || { cat err; return 1; }
        eval "$command"
        for _ in $(seq 100); do
                if grep -Eq "$pattern" out; then
                        break
                fi
                sleep 0.1
        done
        kill -INT $pid
        wait $pid || true
        grep -Eq "$pattern" out || { cat err; head -30 out; fail "no line matches $pattern"; }
}

# only REGEX: every line but the heading matches.
only() {
        tail -n +2 out | grep -vE "$1" | head -5 >other || true
        [ ! -s other ] || fail "these lines should not be there: $(cat other)"
}

journal_has() {
        journalctl --sync
        journalctl -q -o json "$@" | grep -q . || fail "the journal has no entry with $*"
}

# Scope 42: starts of ls.
test_exec_of_ls() {
        trace 42 ' 0000020000000000 .* sched_process_exec .*seed-one' 'ls --color=auto --ignore=seed-one /' \
                -t 42:event=sched_process_exec -t 42:binary=/usr/bin/ls -o format:table-verbose
        assert_eq "$(head -1 out | cut -c1-${#header})" "$header"
        only ' 0000020000000000 .* ls  .* sched_process_exec +cmdpath: .*pathname: /usr/bin/ls, dev: [0-9]+, inode: [0-9]+, ctime: [0-9]+, inode_mode: [0-9]+'
        grep seed-one out | grep -q 'argv: \[ls --color=auto --ignore=seed-one /\]'
        grep seed-one out | grep -q 'invoked_from_kernel: 0'
        journal_has MATCHED_SCOPES=2199023255552 SCOPE=42 TRACE_EVENT=sched_process_exec TRACE_COMM=ls
}

test_exec_of_ls_json() {
        trace 42 seed-two 'ls --ignore=seed-two /' \
                -f 42:event=sched_process_exec -f 42:binary=/usr/bin/ls -o json
        grep seed-two out | head -1 >one
        assert_eq "$(jq -r .matchedScopes one)" 2199023255552
        assert_eq "$(jq -r .eventName one)" sched_process_exec
        assert_eq "$(jq -r .processName one)" ls
        assert_eq "$(jq -r '.args[] | select(.name == "pathname") | .value' one)" /usr/bin/ls
        assert_eq "$(jq -r .userId one)" 0
}

# Scopes 3 and 9, apart.
test_exits_detached() {
        trace 9 ' 0000000000000100 .* ls .* sched_process_exit' 'id; ls' \
                -t 3:event=sched_process_exit -t 3:comm=id -t 9:event=sched_process_exit -t 9:comm=ls \
                -o format:table-verbose
        grep -Eq ' 0000000000000004 .* id  .* 0 +sched_process_exit +exit_code: 0, process_group_exit: true$' out
        only ' 0000000000000004 .* id  .* sched_process_exit | 0000000000000100 .* ls  .* sched_process_exit '
        journal_has MATCHED_SCOPES=4 TRACE_COMM=id TRACE_EVENT=sched_process_exit
        journal_has MATCHED_SCOPES=256 TRACE_COMM=ls TRACE_EVENT=sched_process_exit
}

# Scopes 6 and 7: two system calls of one program.
test_openat_and_close() {
        trace 7 ' 0000000000000040 .* close +fd: ' id \
                -t 6:event=openat -t 6:comm=id -t 7:event=close -t 7:comm=id -o format:table-verbose
        grep -Eq ' 0000000000000020 .* id .* [0-9]+ +openat +dirfd: -100, pathname: /etc/ld.so.cache, flags: O_RDONLY\|O_CLOEXEC, mode: 0$' out
        grep -Eq ' 0000000000000040 .* id .* 0 +close +fd: [0-9]+$' out
        only ' 0000000000000020 .* id  .* openat | 0000000000000040 .* id  .* close '
}

# Scope 9: ptrace of all.
test_ptrace() {
        command -v strace >/dev/null || skip "strace is not installed"
        trace 9 ' 0000000000000100 .* strace .* ptrace +request: PTRACE_' 'strace -o /dev/null true' \
                -t 9:event=ptrace -o format:table-verbose
        grep -Eq ' 0000000000000100 .* strace .* ptrace +request: PTRACE_SEIZE, pid: [0-9]+, addr: 0x0, data: 0x' out
}

# Scope 5: packets of ping; scope 3: those of containers, of which this is none.
test_icmp() {
        command -v ping >/dev/null || skip "ping is not installed"
        trace 5 ' 0000000000000010 .* ping .* 0 +net_packet_icmp +src: 127.0.0.1, dst: 127.0.0.1, proto_icmp: \{EchoReply [0-9]+ [0-9]+ 1\}$' \
                'unshare --net sh -c "ip link set lo up; ping -c 1 127.0.0.1"' \
                -t 3:event=net_packet_icmp -t 3:container -t 5:event=net_packet_icmp -t 5:comm=ping -o format:table-verbose
        grep -Eq ' 0000000000000010 .* ping .* proto_icmp: \{EchoRequest [0-9]+ [0-9]+ 1\}$' out
        only ' 0000000000000010 .* ping  .* net_packet_icmp '
        journal_has MATCHED_SCOPES=16 TRACE_EVENT=net_packet_icmp TRACE_COMM=ping TRACE_HOOK=cgroup TRACE_ARG_SRC=127.0.0.1
}

# Scope 3 with 9 of all: one event, both bits.
test_exits_intertwined() {
        trace 9 ' 0000000000000104 .* id .* sched_process_exit ' 'sleep 0; id' \
                -t 3:event=sched_process_exit -t 3:comm=id -t 9:event=sched_process_exit -o format:table-verbose
        grep -Eq ' 0000000000000100 .* sleep .* 0 +sched_process_exit +exit_code: 0, process_group_exit: true' out
        only ' 0000000000000104 .* id  .* sched_process_exit | 0000000000000100 .* sched_process_exit '
        ! grep -E ' 0000000000000100 .* id  .* sched_process_exit ' out || fail 'an exit of id lacks scope 3'
        journal_has MATCHED_SCOPES=260 TRACE_COMM=id SCOPE=3 SCOPE=9
}

# Scope 3 has both bits' event beside scope 9's.
test_ptrace_intertwined() {
        command -v strace >/dev/null || skip "strace is not installed"
        trace 9 ' 0000000000000104 .* strace .* ptrace ' 'strace -o /dev/null true' \
                -t 3:event=ptrace -t 9:event=ptrace -o format:table-verbose
        # The search for leaks in a sanitized client is a ptrace of its own, at the end, when one scope may be gone already.
        only ' 0000000000000104 .* ptrace | scopectl .* ptrace '
}

# Without a number it is scope 1.
test_scope_is_1() {
        trace 1 ' 0000000000000001 .* sched_process_exec .*seed-three' 'ls --ignore=seed-three /' \
                -t event=sched_process_exec -t binary=/usr/bin/ls -o table-verbose
        only ' 0000000000000001 '
}

# Options that change what records carry, for as long as the trace runs.
test_options() {
        trace 11 seed-four 'dd if=/dev/null of=seed-four conv=fsync status=none' \
                -t 11:event=fsync,close -t 11:comm=dd -o option:parse-arguments-fds -o json
        assert_eq "$(jq -r 'select(.eventName == "fsync") | .args[0].value' out)" "1=$PWD/seed-four"
        assert_eq "$(jq -r 'select(.eventName == "fsync") | .args[0].type' out)" string
        trace 12 seed-five 'SEED_FIVE=seed-five ls /' -t 12:event=sched_process_exec -t 12:comm=ls -o option:exec-env -o json
        jq -e '.args[] | select(.name == "env") | .value | index("SEED_FIVE=seed-five")' out >/dev/null
        trace 12 seed-six 'SEED_SIX=seed-six ls --ignore=seed-six /' -t 12:event=sched_process_exec -t 12:comm=ls -o json
        ! grep -q SEED_SIX out || fail 'the environment is there without being asked for'
}

run_tests
