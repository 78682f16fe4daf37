#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The filters whose subjects systemd makes: units, slices, sessions, control groups, containers.
. "$(dirname "$0")/../../lib/test.sh"
. "$(dirname "$0")/../../lib/service.sh"

container_id=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
exec_of_probe=(event=sched_process_exec binary=/usr/local/bin/st-filter)

setup() {
        probe st-filter
        probe st-host
        useradd --uid 60123 st-high
        rm -f "$policies"/*.yaml
        policy st-exact 1 "${exec_of_probe[@]}" unit=st-exact.service
        policy st-wild 2 "${exec_of_probe[@]}" 'unit=st-*.service'
        policy st-not 3 "${exec_of_probe[@]}" 'unit!=st-exact.service'
        policy st-slice 4 "${exec_of_probe[@]}" slice=st-deep.slice
        policy st-cgroup 5 "${exec_of_probe[@]}" cgroup=/st.slice
        policy st-container 6 "${exec_of_probe[@]}" container
        policy st-no-container 7 "${exec_of_probe[@]}" '!container'
        policy st-container-id 8 "${exec_of_probe[@]}" container=0123456789ab
        policy st-container-new 9 "${exec_of_probe[@]}" container=new
        policy st-session 10 "${exec_of_probe[@]}" 'session=*'
        policy st-tree 11 "${exec_of_probe[@]}" 'uid>=60000'
        policy st-pid-new 12 "${exec_of_probe[@]}" pid=new
        policy st-host 13 event=sched_process_exec binary=host:/usr/local/bin/st-host
        policy st-host-number 14 event=sched_process_exec "binary=$(stat -Lc %i /proc/1/ns/mnt):/usr/local/bin/st-host"
        policy st-any-host 15 event=sched_process_exec binary=/usr/local/bin/st-host
        start_service
        systemctl reload scopetrace.service
        assert_lacks "$(status_text)" failed
}

teardown() {
        rm -f "$policies"/*.yaml
        systemctl reload scopetrace.service
}

# scopes COMMAND...: runs the command, which starts the probe once, and prints the scopes of that one record.
scopes() {
        local before
        before=$(count TRACE_EXE=/usr/local/bin/st-filter)
        "$@"
        expect_count $((before + 1)) TRACE_EXE=/usr/local/bin/st-filter
        records TRACE_EXE=/usr/local/bin/st-filter | tail -n 1 |
                jq -r '.SCOPE | if type == "array" then .[] else . end' | sort -n | paste -sd' '
}

run() {
        systemd-run --quiet --wait --collect "$@" /usr/local/bin/st-filter
}

# Scope 7 (not in a container) and 12 (a new process) match throughout.
test_unit_exact() {
        assert_eq "$(scopes run --unit=st-exact)" '1 2 7 12'
}

test_unit_wildcard_and_not() {
        assert_eq "$(scopes run --unit=st-other)" '2 3 7 12'
        assert_eq "$(scopes run --unit=not-st)" '3 7 12'
}

# `host:` is the mount namespace of process 1.
test_binary_host() {
        unshare --mount /usr/local/bin/st-host
        expect_count 1 POLICY=st-any-host
        assert_eq "$(field SCOPE TRACE_EXE=/usr/local/bin/st-host)" 15
        /usr/local/bin/st-host
        expect_count 2 POLICY=st-any-host
        expect_count 1 POLICY=st-host
        expect_count 1 POLICY=st-host-number
}

test_slice_and_cgroup() {
        assert_eq "$(scopes run --unit=deep --slice=st-deep.slice)" '3 4 5 7 12'
        assert_eq "$(scopes run --unit=shallow --slice=st.slice)" '3 5 7 12'
}

test_uid() {
        assert_eq "$(scopes run --unit=by-user --uid=st-high)" '3 7 11 12'
}

# A login through PAM becomes a session of logind, whose control group names it.
test_session() {
        assert_eq "$(scopes runuser --login st-high --command=/usr/local/bin/st-filter)" '3 7 10 11 12'
        assert_contains "$(field OBJECT_SYSTEMD_UNIT SCOPE=10)" session-
}

# What runs in a scope that is named as container managers name theirs is a container, from its first process on.
test_container() {
        assert_eq "$(scopes systemd-run --quiet --scope --unit="docker-$container_id" /usr/local/bin/st-filter)" '3 6 8 9 12'
        assert_eq "$(field TRACE_CONTAINER_ID SCOPE=8 | sort -u)" "$container_id"
}

test_other_container() {
        assert_eq "$(scopes systemd-run --quiet --scope --unit="docker-${container_id//0/f}" /usr/local/bin/st-filter)" \
                '3 6 9 12'
}

# A container in the container, with namespaces of its own: the path is the container's, the unit its scope or service.
test_nested() {
        mkdir -p root/{usr,tmp,etc}
        ln -s usr/bin usr/lib usr/lib64 usr/sbin root/ 2>/dev/null || true
        touch root/etc/os-release
        systemd-run --quiet --wait --collect --unit=st-nested \
                systemd-nspawn --quiet --directory="$PWD/root" --bind-ro=/usr --register=no --keep-unit --as-pid2 \
                --pipe /usr/local/bin/st-filter >out 2>&1 || skip "systemd-nspawn does not run here: $(tail -1 out)"
        expect_count 1 TRACE_EXE=/usr/local/bin/st-filter OBJECT_SYSTEMD_UNIT=st-nested.service
        assert_eq "$(field SCOPE OBJECT_SYSTEMD_UNIT=st-nested.service | grep -c '^2$')" 1
        # In its own pid namespace it has a small number, on the host another.
        assert_eq "$(field TRACE_PID OBJECT_SYSTEMD_UNIT=st-nested.service)" 2
        [ "$(field TRACE_HOST_PID OBJECT_SYSTEMD_UNIT=st-nested.service)" != 2 ]
}

run_tests
