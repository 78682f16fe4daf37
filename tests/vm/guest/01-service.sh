#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The service on a distribution's own kernel: it starts, its programs pass that kernel's verifier, events arrive.
. "$(dirname "$0")/../../lib/test.sh"
. "$(dirname "$0")/../../lib/service.sh"

setup() {
        probe st-vm
        policy st-exec 42 event=sched_process_exec binary=/usr/local/bin/st-vm
        policy st-open 43 event=openat comm=cat openat.args.pathname=/etc/hostname
        policy st-unit 44 event=sched_process_exec unit=st-vm.service binary=/usr/local/bin/st-vm
        policy st-exit 45 event=sched_process_exit comm=st-vm
}

test_enable_now() {
        start_service
        assert_eq "$(systemctl is-active scopetrace.service)" active
        assert_lacks "$(status_text)" failed
}

# Unlike a locked-down kernel these grant functions as hooks.
test_features() {
        local feature
        scopectl features --no-pager --no-legend >out
        cat out
        for feature in btf tp-btf raw-tp tracepoint task-storage cgroup2 fentry kprobe lsm uprobe iter-task; do
                grep -E "(^|[^-a-z])$feature( |$)" out | grep -qiE 'yes|granted' || fail "$feature is not granted"
        done
}

test_exec() {
        /usr/local/bin/st-vm one
        expect_count 1 POLICY=st-exec MATCHED_SCOPES=2199023255552
        assert_eq "$(field TRACE_ARG_PATHNAME POLICY=st-exec)" /usr/local/bin/st-vm
        expect_count 1 POLICY=st-exit
}

test_open() {
        cat /etc/hostname >/dev/null
        expect_count 1 POLICY=st-open
        assert_eq "$(field TRACE_ARG_FLAGS POLICY=st-open)" O_RDONLY
        [ "$(field TRACE_RETVAL POLICY=st-open)" -ge 3 ]
}

test_unit() {
        systemd-run --quiet --wait --collect --unit=st-vm /usr/local/bin/st-vm
        expect_count 1 POLICY=st-unit
        expect_count 1 -u st-vm.service TRACE_EVENT=sched_process_exec POLICY=st-unit
}

test_restart_without_gap() {
        local before i
        before=$(count POLICY=st-exec)
        (
                for i in $(seq 50); do
                        /usr/local/bin/st-vm
                done
        ) &
        systemctl restart scopetrace.service
        wait
        expect_count $((before + 50)) POLICY=st-exec
}

test_nothing_failed() {
        assert_eq "$(systemctl --failed --no-legend --plain | awk '{ print $1 }')" ''
        dmesg >out
        assert_lacks "$(cat out)" 'BUG:'
        assert_lacks "$(cat out)" 'Call Trace:'
}

run_tests
