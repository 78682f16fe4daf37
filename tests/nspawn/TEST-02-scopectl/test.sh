#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The client on the running service: every verb does what it says, with systemctl's manners.
. "$(dirname "$0")/../../lib/test.sh"
. "$(dirname "$0")/../../lib/service.sh"

setup() {
        probe st-ctl
        probe st-live
        rm -f "$policies"/*.yaml
        policy st-ctl 21 event=sched_process_exec binary=/usr/local/bin/st-ctl
        policy st-second 22 event=sched_process_exec binary=/usr/local/bin/st-ctl
        start_service
        systemctl reload scopetrace.service
}

teardown() {
        rm -f "$policies"/*.yaml
        systemctl reload scopetrace.service
}

test_help_and_version() {
        scopectl --help >help
        awk 'length > 80 { exit 1 }' help
        scopectl --version | grep -q '^scopetrace '
}

# One sentence to stderr, nothing to stdout, exit 1.
test_unknown() {
        local r=0
        scopectl nonsense >out 2>err || r=$?
        assert_eq $r 1
        test ! -s out
        assert_eq "$(wc -l <err)" 1
        refused scopectl --nonsense >out 2>err
        test ! -s out
        test -s err
}

test_status() {
        scopectl status >out
        assert_contains "$(cat out)" running
        grep -Eq '[0-9]+ policies in [0-9]+ scopes' out
}

test_policies() {
        scopectl policies --no-legend >out
        grep -q 'st-ctl .*active' out
        scopectl policies --json=short >out
        jq -e '.policies[] | select(.name == "st-ctl" and .state == "active" and .scope == 21)' out
}

test_scopes() {
        scopectl scopes --no-legend >out
        grep -Eq '^ *21 ' out
        grep -Eq '^ *22 ' out
}

test_show() {
        scopectl show 21 >out
        assert_contains "$(cat out)" st-ctl
        scopectl show st-second >out
        assert_contains "$(cat out)" 22
        refused scopectl show 60 2>err
        test -s err
}

# Without the service and without root.
test_check_offline() {
        local r=0
        scopectl check "$policies/st-ctl.yaml"
        printf 'apiVersion: scopetrace.org/v1\nkind: ScopePolicy\nmetadata:\n  name: x\nspec:\n  scope: 0\n  filters: [event=openat]\n' >bad.yaml
        scopectl check bad.yaml >out 2>&1 || r=$?
        [ $r != 0 ]
        grep -q 'bad.yaml:6:' out
}

test_disable_enable() {
        local before
        scopectl disable st-second
        before=$(count SCOPE=22)
        /usr/local/bin/st-ctl
        expect_count 1 --since=-5s SCOPE=21 TRACE_EXE=/usr/local/bin/st-ctl
        assert_eq "$(count SCOPE=22)" "$before"
        scopectl enable st-second
        /usr/local/bin/st-ctl
        expect_count $((before + 1)) SCOPE=22
}

test_load_unload() {
        printf 'apiVersion: scopetrace.org/v1\nkind: ScopePolicy\nmetadata:\n  name: st-transient\nspec:\n  scope: 23\n  filters: [event=sched_process_exec, binary=/usr/local/bin/st-ctl]\n' >transient.yaml
        scopectl load transient.yaml
        /usr/local/bin/st-ctl
        expect_count 1 SCOPE=23
        scopectl unload st-transient
        /usr/local/bin/st-ctl
        expect_count 1 SCOPE=23
        # What comes from a file is not unloaded but disabled.
        refused scopectl unload st-ctl 2>err
        test -s err
}

test_reload() {
        policy st-third 24 event=sched_process_exec binary=/usr/local/bin/st-ctl
        scopectl reload
        /usr/local/bin/st-ctl
        expect_count 1 SCOPE=24
}

# A live table; the policy ends with the command.
test_trace() {
        scopectl trace -n 1 -t 42:event=sched_process_exec -t 42:binary=/usr/local/bin/st-live -o table-verbose >out 2>err &
        wait_for 20 sh -c 'scopectl scopes --no-legend | grep -Eq "^ *42 "'
        /usr/local/bin/st-live hello
        wait
        assert_contains "$(cat out)" '0000020000000000'
        assert_contains "$(head -1 out)" 'SCOPES'
        assert_contains "$(cat out)" 'st-live hello'
        wait_for 10 sh -c '! scopectl scopes --no-legend | grep -Eq "^ *42 "'
}

test_trace_json() {
        scopectl trace -n 1 -t 43:event=sched_process_exec -t 43:binary=/usr/local/bin/st-live -o json >out 2>err &
        wait_for 20 sh -c 'scopectl scopes --no-legend | grep -Eq "^ *43 "'
        /usr/local/bin/st-live
        wait
        assert_eq "$(jq -r .matchedScopes out)" 4398046511104
        assert_eq "$(jq -r .eventName out)" sched_process_exec
}

# A number that a loaded policy uses is not taken without being told to.
test_trace_refuses_used_scope() {
        refused timeout 20 scopectl trace -n 1 -t 21:event=openat >out 2>err
        test -s err
}

test_log() {
        /usr/local/bin/st-ctl
        expect_count 1 --since=-3s SCOPE=21
        scopectl log 21 --no-pager >out
        assert_contains "$(cat out)" sched_process_exec
}

test_events_and_features() {
        scopectl events --no-pager --no-legend >out
        grep -q '^ *openat ' out
        [ "$(wc -l <out)" -gt 300 ]
        scopectl features --no-pager >out
        assert_contains "$(cat out)" task-storage
}

# Without root the state may be read, nothing is changed.
test_unprivileged() {
        useradd st-nobody 2>/dev/null || true
        runuser -u st-nobody -- scopectl status >out
        refused runuser -u st-nobody -- scopectl reload 2>err
        refused runuser -u st-nobody -- scopectl trace -n 1 -t event=openat >out 2>err
        runuser -u st-nobody -- scopectl check /dev/stdin <"$policies/st-ctl.yaml" || true
}

# LSB exit codes: 3 when the service does not run.
test_not_running() {
        local r=0
        systemctl stop scopetrace.service
        scopectl status >out 2>&1 || r=$?
        systemctl start scopetrace.service
        assert_eq $r 3
}

run_tests
