#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Processes and cgroups: what is reported of fork, exec, exit, names, switches and moves, against what /proc, stat and the
# shell say; and who the subject is, however short its life.
. "$(dirname "$0")/../lib/test.sh"
. "$(dirname "$0")/cases.bash"

cgroot=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
id=$$
odd=$'two words\nand a line'

setup() {
        cases_setup
}

teardown() {
        cases_teardown
        find "$cgroot" -depth -type d -name "sctp$id*" -exec rmdir {} \; 2>/dev/null
}

# arg NAME: the value of an argument, of the one event on stdin.
arg() {
        jq -r --arg name "$1" '.args[] | select(.name == $name) | .value'
}

# one POLICY EVENT: the only such event.
one() {
        events "$1" "$2" >one
        assert_eq "$(wc -l <one)" 1 "the number of $2 of policy $1"
}

# is NAME VALUE: an argument of what one() found.
is() {
        assert_eq "$(arg "$1" <one)" "$2" "argument $1"
}

test_fork() {
        policy fork event=sched_process_fork comm=sct-fork
        do_run "$trigger" comm sct-fork child { unshare pid child { say x } } thread say x
        [ $phase = check ] || return 0
        events fork sched_process_fork >forks
        assert_eq "$(wc -l <forks)" 3
        assert_eq "$(sed -n 2p forks | jq .hostProcessId)" "$(head -1 forks | arg child_pid)"
        # In its own namespace the first child is 1.
        sed -n 2p forks >one
        is child_ns_pid 1
        is child_ns_tid 1
        assert_eq "$(arg parent_pid <one)" "$(jq .hostProcessId one)"
        assert_eq "$(arg parent_tid <one)" "$(jq .hostThreadId one)"
        assert_eq "$(arg child_pid <one)" "$(arg child_tid <one)"
        [ "$(arg start_time <one)" -ge "$(jq .threadStartTime one)" ] || fail 'the child is older than its parent'
        # The thread: same process, another thread.
        tail -1 forks >one
        is child_pid "$(jq .hostProcessId one)"
        [ "$(arg child_tid <one)" != "$(arg child_pid <one)" ] || fail 'a thread has the number of its process'
}

test_exec() {
        policy exec event=sched_process_exec "sched_process_exec.args.pathname=$BASE/exec/program"
        do_run cp "$trigger" "$BASE/exec/program"
        do_run cp "$trigger" "$BASE/exec/kept"
        # Only a program that takes any word: true does.
        do_run cp /bin/true "$BASE/exec/program"
        [ $phase != run ] || (cd "$BASE/exec" && ./program "$odd" $'\xff\xfe' '' last <"$BASE/policies/cases.yaml")
        [ $phase != run ] || stat -c '%i %Z %f %Hd %Ld' "$BASE/exec/program" >"$BASE/exec/stat"
        [ $phase = check ] || return 0
        local inode ctime mode major minor interpreter
        read -r inode ctime mode major minor <"$BASE/exec/stat"
        one exec sched_process_exec
        is cmdpath ./program
        is pathname "$BASE/exec/program"
        is inode "$inode"
        is dev $((major << 20 | minor))
        is interp ./program
        is invoked_from_kernel 0
        is stdin_path "$BASE/policies/cases.yaml"
        is inode_mode $((16#$mode))
        assert_eq "$(($(arg ctime <one) / 1000000000))" "$ctime" ctime
        assert_eq "$(jq -c '.args[] | select(.name == "argv") | .value' one)" \
                "$(jq -nc --arg odd "$odd" '["./program", $odd, "\ufffd\ufffd", "", "last"]')" argv
        interpreter=$(readlink -f "$(readelf -l /bin/true | sed -n 's/.*interpreter: \(.*\)]/\1/p')")
        is interpreter_pathname "$interpreter"
        is interpreter_inode "$(stat -c %i "$interpreter")"
        assert_eq "$(jq -r .executable one)" "$BASE/exec/program"
        assert_eq "$(jq -r .processName one)" program
        assert_eq "$(jq -r .syscall one)" execve
}

test_exec_of_a_script() {
        policy script event=sched_process_exec comm=sct-script
        [ $phase != run ] || printf '#!/bin/sh -e\n:\n' >"$BASE/exec_of_a_script/sct-script"
        do_run chmod +x "$BASE/exec_of_a_script/sct-script"
        [ $phase != run ] || : | "$BASE/exec_of_a_script/sct-script" word
        [ $phase = check ] || return 0
        one script sched_process_exec
        is cmdpath "$BASE/exec_of_a_script/sct-script"
        is interp /bin/sh
        is pathname "$(readlink -f /bin/sh)"
        assert_eq "$(jq -c '.args[] | select(.name == "argv") | .value' one)" \
                "$(jq -nc --arg s "$BASE/exec_of_a_script/sct-script" '["/bin/sh", "-e", $s, "word"]')"
}

# What standard input is: a pipe, a directory, a device, nothing.
test_exec_stdin() {
        policy stdin event=sched_process_exec "sched_process_exec.args.pathname=$BASE/exec_stdin/program"
        policy stdin-pipe event=sched_process_exec sched_process_exec.args.stdin_type=S_IFIFO \
                "sched_process_exec.args.pathname=$BASE/exec_stdin/program"
        do_run cp /bin/true "$BASE/exec_stdin/program"
        [ $phase != run ] || : | "$BASE/exec_stdin/program"
        [ $phase != run ] || "$BASE/exec_stdin/program" </dev/null
        [ $phase != run ] || "$BASE/exec_stdin/program" <&-
        [ $phase = check ] || return 0
        events stdin sched_process_exec >all
        assert_eq "$(wc -l <all)" 3
        sed -n 1p all >one
        assert_contains "$(arg stdin_path <one)" pipe:
        assert_eq $(($(arg stdin_type <one) & 0170000)) $((0010000))
        sed -n 2p all >one
        is stdin_path /dev/null
        assert_eq $(($(arg stdin_type <one) & 0170000)) $((0020000))
        sed -n 3p all >one
        is stdin_path ''
        assert_eq "$(events stdin-pipe sched_process_exec | wc -l)" 1
}

test_exec_from_memory() {
        policy memory event=sched_process_exec,truncate uid=4010
        run uid 4010 exec-memory sct-memory say from-memory
        hits memory from-memory
        [ $phase = check ] || return 0
        one memory sched_process_exec
        assert_contains "$(arg pathname <one)" memfd:sct-memory
        assert_contains "$(events memory truncate | jq -r .executable)" memfd:sct-memory
}

test_exec_of_a_deleted_file() {
        policy deleted event=sched_process_exec,truncate "binary=$BASE/exec_of_a_deleted_file/program"
        do_run cp "$trigger" "$BASE/exec_of_a_deleted_file/program"
        run exec-deleted "$BASE/exec_of_a_deleted_file/program" say deleted
        [ $phase = check ] || return 0
        assert_eq "$(events deleted truncate | jq -r .executable)" "$BASE/exec_of_a_deleted_file/program"
        one deleted sched_process_exec
        is pathname "$BASE/exec_of_a_deleted_file/program"
}

# A failed exec changes nothing.
test_exec_fails() {
        policy failed event=sched_process_exec comm=sct-failed
        policy failed-call event=execve comm=sct-failed
        [ $phase != run ] || { "$trigger" comm sct-failed exec /sct/none say x || true; }
        [ $phase = check ] || return 0
        assert_eq "$(events failed sched_process_exec | wc -l)" 0
        one failed-call execve
        assert_eq "$(jq .returnValue one)" -2
}

test_exit() {
        policy exit event=sched_process_exit comm=sct-exit
        run comm sct-exit child { exit 0 } || true
        [ $phase != run ] || { "$trigger" comm sct-exit exit 7 || true; }
        [ $phase != run ] || { "$trigger" comm sct-exit thread say x; }
        [ $phase != run ] || { "$trigger" comm sct-exit die-by 9 || true; }
        [ $phase = check ] || return 0
        events exit sched_process_exit | jq -c '[.args[].value]' >codes
        assert_eq "$(sort codes | uniq -c | sed 's/^ *//' | paste -sd' ')" '1 [0,false] 3 [0,true] 1 [137,true] 1 [7,true]'
}

test_task_rename() {
        policy rename event=task_rename 'task_rename.args.new_name=sct-new*'
        policy rename-from event=task_rename task_rename.args.old_name=sct-newer
        run comm sct-new comm sct-newer comm sct-old comm 1234567890123456789
        [ $phase = check ] || return 0
        events rename task_rename | jq -r '[.args[].value] | join(" ")' >names
        assert_eq "$(paste -sd, names)" 'trigger sct-new,sct-new sct-newer'
        one rename-from task_rename
        is new_name sct-old
}

# The name counts from the very next call on, and not before.
test_rename_then_call() {
        policy renamed event=truncate comm=sct-after
        run say before comm sct-after say after comm sct-again say again
        hits renamed after
}

test_sched_switch() {
        policy switch event=sched_switch comm=sct-switch
        do_run "$trigger" comm sct-switch meet "$BASE/switch" &
        if [ $phase = run ]; then
                wait_for 10 test -s "$BASE/switch"
                sleep 0.1
                rm "$BASE/switch"
                wait
        fi
        [ $phase = check ] || return 0
        events switch sched_switch >all
        [ "$(wc -l <all)" -ge 5 ] || fail 'a process that sleeps was hardly switched'
        jq -e '(.args | from_entries) as $a | $a.prev_comm == "sct-switch" and $a.prev_tid == .hostThreadId and
                $a.next_tid != $a.prev_tid and $a.cpu == .processorId' all >/dev/null
}

test_cgroup_events() {
        policy cgroups 'event=cgroup_*' "cgroup_mkdir.args.cgroup_path=/sctp$id" "cgroup_rmdir.args.cgroup_path=/sctp$id" \
                "cgroup_attach_task.args.cgroup_path=/sctp$id"
        if [ $phase = run ]; then
                mkdir "$cgroot/sctp$id"
                stat -c %i "$cgroot/sctp$id" >"$BASE/cgroup-id"
        fi
        run comm sct-attach cgroup "$cgroot/sctp$id" say moved
        do_run rmdir "$cgroot/sctp$id"
        [ $phase = check ] || return 0
        one cgroups cgroup_mkdir
        is cgroup_path "/sctp$id"
        is cgroup_id "$(cat "$BASE/cgroup-id")"
        is hierarchy_id 0
        one cgroups cgroup_attach_task
        is cgroup_path "/sctp$id"
        is comm sct-attach
        is pid "$(jq .hostThreadId one)"
        one cgroups cgroup_rmdir
        is cgroup_id "$(cat "$BASE/cgroup-id")"
}

# Every call of a process by name, in order, entries apart from ends.
test_sys_enter_and_sys_exit() {
        policy enter event=sys_enter comm=sct-any
        policy leave event=sys_exit comm=sct-any
        policy enter-named event=sys_enter comm=sct-any sys_enter.args.syscall=truncate
        run comm sct-any say x faccessat -1 y exit 0
        [ $phase = check ] || return 0
        # prctl's entry came under the old name.
        events enter sys_enter | jq -r .syscall >names
        assert_eq "$(paste -sd' ' names)" 'truncate faccessat exit_group'
        events leave sys_exit | jq -r '"\(.syscall)=\(.returnValue)"' >names
        assert_eq "$(paste -sd' ' names)" 'prctl=0 truncate=-2 faccessat=-2'
        assert_eq "$(events enter-named sys_enter | wc -l)" 1
}

# A 32-bit call says so.
test_compat_flag() {
        policy compat-calls event=open,getpid,stat64 comm=sct-calls uid=4011
        [ $phase != run ] || setpriv --reuid 4011 "$SCOPETRACE_BUILD/tests/trigger-syscalls" compat "$BASE/none/none" "$BASE" ||
                [ $? != 77 ] || touch "$BASE/no-compat"
        [ ! -e "$BASE/no-compat" ] || skip "this kernel has no 32-bit system calls"
        [ $phase = check ] || return 0
        assert_eq "$(sort -u "$BASE/by-policy/compat-calls" | cut -f1 | sort | paste -sd' ')" 'getpid open stat64'
        cut -f3- "$BASE/by-policy/compat-calls" | jq -e .contextFlags.isCompat >/dev/null
}

# No process is too short-lived: the start and the end of each is there, with its program.
test_a_thousand_short_lives() {
        policy lives event=sched_process_exec,sched_process_exit "binary=$BASE/a_thousand_short_lives/true"
        policy lives-fork event=sched_process_fork comm=sct-maker
        do_run cp /bin/true "$BASE/a_thousand_short_lives/true"
        if [ $phase = run ]; then
                (
                        printf sct-maker >/proc/self/comm
                        for ((i = 0; i < 1000; i++)); do
                                "$BASE/a_thousand_short_lives/true"
                        done
                )
        fi
        [ $phase = check ] || return 0
        assert_eq "$(events lives sched_process_exec | wc -l)" 1000 'starts'
        assert_eq "$(events lives sched_process_exit | wc -l)" 1000 'ends'
        assert_eq "$(events lives-fork sched_process_fork | wc -l)" 1000 'forks'
        assert_eq "$(events lives sched_process_exit | jq -r .executable | sort -u)" "$BASE/a_thousand_short_lives/true"
        assert_eq "$(events lives sched_process_exec | jq .hostProcessId | sort -u | wc -l)" 1000 'processes'
}

# What ends without ever having had an event is known all the same.
test_exit_of_what_was_there() {
        [ $phase != policy ] || cp "$trigger" "$BASE/exit_of_what_was_there/program"
        early was-there exec "$BASE/exit_of_what_was_there/program" meet MEET exit 9
        policy was-there event=sched_process_exit "binary=$BASE/exit_of_what_was_there/program"
        [ $phase != run ] || { release was-there || true; }
        [ $phase = check ] || return 0
        one was-there sched_process_exit
        is exit_code 9
        assert_eq "$(jq .hostProcessId one)" "$(early_pid was-there)"
}

run_tests
