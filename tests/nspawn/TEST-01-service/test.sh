#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The service under systemd: installation, readiness, the journal, reload, restart and crash without a gap, hardening.
. "$(dirname "$0")/../../lib/test.sh"
. "$(dirname "$0")/../../lib/service.sh"

setup() {
        probe st-run
        probe st-unit
        probe st-user
        probe st-gap
        probe st-crash
        probe st-reload
        policy st-run 42 event=sched_process_exec binary=/usr/local/bin/st-run
        policy st-unit 43 event=sched_process_exec 'unit=st-first-*.service' binary=/usr/local/bin/st-unit
        policy st-user 44 event=sched_process_exec binary=/usr/local/bin/st-user
        policy st-gap 45 event=sched_process_exec binary=/usr/local/bin/st-gap
        policy st-crash 46 event=sched_process_exec binary=/usr/local/bin/st-crash
}

# `meson install` and nothing else: files are where systemd, the bus and the shell look for them.
test_installed() {
        systemctl cat scopetrace.service >/dev/null
        systemd-analyze verify --man=no scopetrace.service
        test -x /usr/bin/scopectl
        getent group scopetrace
        test -f /usr/share/dbus-1/system.d/org.scopetrace.Scopetrace1.conf
        test -f /usr/share/dbus-1/interfaces/org.scopetrace.Scopetrace1.xml
        test -d /usr/lib/scopetrace/policies.d
}

test_enable_now() {
        assert_eq "$(systemctl is-enabled scopetrace.service || true)" disabled
        start_service
        assert_eq "$(systemctl is-active scopetrace.service)" active
        assert_eq "$(systemctl is-enabled scopetrace.service)" enabled
}

# The type that this systemd knows: with a wrong one READY would be thrown away.
test_type() {
        local version type
        version=$(systemctl --version | awk 'NR == 1 { print $2 }')
        type=$(systemctl show -P Type scopetrace.service)
        if [ "$version" -ge 253 ]; then
                assert_eq "$type" notify-reload
        else
                assert_eq "$type" notify
        fi
}

# Events and the bus before threads that copy.
test_priorities() {
        local task
        for task in /proc/"$(systemctl show -P MainPID scopetrace.service)"/task/*; do
                echo "$(cat "$task/comm") $(sed 's/.*) //' "$task/stat" | cut -d' ' -f17)"
        done | sort >tasks
        cat tasks
        grep -qx 'scopetraced -4' tasks
        grep -q '^sct-' tasks
        ! grep '^sct-' tasks | grep -v ' 0$' || fail 'a thread for work that may take long has the nice value of the loop'
}

test_status_sentence() {
        [[ $(status_text) =~ ^[0-9]+\ policies\ in\ [0-9]+\ scopes.*[0-9]+\ hooks.*0\ lost ]] || fail "$(status_text)"
}

test_start_record() {
        expect_count 1 -u scopetrace.service MESSAGE_ID=298a1c09703d4ff6bfefbd5170480c50
}

test_bus_name() {
        busctl --system status org.scopetrace.Scopetrace1 >/dev/null
        assert_eq "$(busctl get-property org.scopetrace.Scopetrace1 /org/scopetrace/Scopetrace1 \
                org.scopetrace.Scopetrace1.Manager NFailed | awk '{ print $2 }')" 0
}

# One record, with the fields that administrators search by.
test_record() {
        local r
        /usr/local/bin/st-run one two
        expect_count 1 -u scopetrace.service MATCHED_SCOPES=2199023255552 POLICY=st-run
        r=$(records POLICY=st-run)
        assert_eq "$(jq -r .SCOPE <<<"$r")" 42
        assert_eq "$(jq -r .TRACE_EVENT <<<"$r")" sched_process_exec
        assert_eq "$(jq -r .TRACE_EXE <<<"$r")" /usr/local/bin/st-run
        assert_eq "$(jq -r .TRACE_ARG_PATHNAME <<<"$r")" /usr/local/bin/st-run
        assert_eq "$(jq -r .TRACE_COMM <<<"$r")" st-run
        assert_eq "$(jq -r .TRACE_UID <<<"$r")" 0
        assert_eq "$(jq -r .SYSLOG_IDENTIFIER <<<"$r")" scopetrace
        assert_eq "$(jq -r .PRIORITY <<<"$r")" 6
        assert_eq "$(jq -r ._SYSTEMD_UNIT <<<"$r")" scopetrace.service
        assert_eq "$(jq -r .OBJECT_SYSTEMD_UNIT <<<"$r")" scopetrace-tests.service
        assert_contains "$(jq -r .TRACE_ARGS <<<"$r")" 'one two'
        assert_contains "$(jq -r .MESSAGE <<<"$r")" 'sched_process_exec('
        [ "$(jq -r .TRACE_SEQ <<<"$r")" -ge 0 ]
        # Taken in the kernel: between now and a minute ago.
        [ $(($(date +%s) - $(jq -r '.TRACE_TIME_NS | tonumber / 1000000000 | floor' <<<"$r"))) -lt 60 ]
}

# `journalctl -u UNIT` shows the event among the unit's own lines, and the first process of a unit is never missed.
test_unit_inline() {
        local i
        for i in $(seq 20); do
                systemd-run --quiet --wait --collect --unit="st-first-$i" /usr/local/bin/st-unit
        done
        expect_count 20 TRACE_EVENT=sched_process_exec POLICY=st-unit
        for i in 1 7 20; do
                expect_count 1 -u "st-first-$i.service" TRACE_EVENT=sched_process_exec
        done
        assert_eq "$(field OBJECT_SYSTEMD_SLICE POLICY=st-unit | sort -u)" system.slice
}

test_other_units_do_not_match() {
        local before runs
        before=$(count TRACE_EVENT=sched_process_exec POLICY=st-unit)
        runs=$(count TRACE_EVENT=sched_process_exec POLICY=st-run)
        systemd-run --quiet --wait --collect --unit=st-other /usr/local/bin/st-unit
        # Records arrive in order: after this one the other would be there.
        /usr/local/bin/st-run
        expect_count $((runs + 1)) TRACE_EVENT=sched_process_exec POLICY=st-run
        assert_eq "$(count TRACE_EVENT=sched_process_exec POLICY=st-unit)" "$before"
}

# A user's own unit is named as one.
test_user_unit() {
        local uid
        useradd --create-home st-user
        uid=$(id -u st-user)
        loginctl enable-linger st-user
        wait_for 20 systemctl is-active "user@$uid.service"
        wait_for 20 test -S "/run/user/$uid/systemd/private"
        systemd-run --quiet --machine=st-user@ --user --wait --collect --unit=st-mine /usr/local/bin/st-user
        expect_count 1 TRACE_EVENT=sched_process_exec POLICY=st-user
        assert_eq "$(field OBJECT_SYSTEMD_USER_UNIT POLICY=st-user)" st-mine.service
        assert_eq "$(field OBJECT_SYSTEMD_UNIT POLICY=st-user)" "user@$uid.service"
        assert_eq "$(field TRACE_UID POLICY=st-user)" "$uid"
        loginctl disable-linger st-user
}

# The new set is active when the command returns.
test_reload() {
        local pid
        pid=$(main_pid)
        policy st-reload 47 event=sched_process_exec binary=/usr/local/bin/st-reload
        systemctl reload scopetrace.service
        /usr/local/bin/st-reload
        expect_count 1 TRACE_EVENT=sched_process_exec POLICY=st-reload SCOPE=47
        assert_eq "$(main_pid)" "$pid"
}

test_sighup() {
        local n before runs
        rm -f "$policies/st-reload.yaml"
        runs=$(count TRACE_EVENT=sched_process_exec POLICY=st-run)
        before=$(count MESSAGE_ID=495b429e7c344369adac22fab0d48a03)
        systemctl kill --signal=SIGHUP --kill-who=main scopetrace.service
        expect_count $((before + 1)) MESSAGE_ID=495b429e7c344369adac22fab0d48a03
        n=$(count TRACE_EVENT=sched_process_exec POLICY=st-reload)
        /usr/local/bin/st-reload
        /usr/local/bin/st-run
        expect_count $((runs + 1)) TRACE_EVENT=sched_process_exec POLICY=st-run
        assert_eq "$(count TRACE_EVENT=sched_process_exec POLICY=st-reload)" "$n"
}

# run_during PROGRAM N COMMAND...: N starts of the program, one after another, while the command runs among them.
run_during() {
        local program=$1 n=$2 i
        shift 2
        (
                for ((i = 0; i < n; i++)); do
                        "$program"
                done
        ) &
        "$@"
        wait
}

# Nothing is lost while the service is away: descriptors wait in the descriptor store.
test_restart_without_gap() {
        run_during /usr/local/bin/st-gap 500 systemctl restart scopetrace.service
        assert_eq "$(systemctl is-active scopetrace.service)" active
        expect_count 500 TRACE_EVENT=sched_process_exec POLICY=st-gap
        # Numbers without holes: none of these records was reported as lost.
        assert_contains "$(status_text)" '0 lost'
}

kill_service() {
        local pid
        pid=$(main_pid)
        systemctl kill --signal=SIGKILL --kill-who=main scopetrace.service
        wait_for 30 sh -c "[ \"\$(systemctl show -P MainPID scopetrace.service)\" != $pid ] &&
                [ \"\$(systemctl is-active scopetrace.service)\" = active ]"
}

count_reached() {
        local got told
        got=$(count TRACE_EVENT=sched_process_exec POLICY=st-crash)
        told=$(field LOST_EVENTS LOST_REASON=crash | awk '{ n += $1 } END { print n + 0 }')
        [ $((got + told)) -ge "$1" ]
}

# The kernel side goes on; what the service held in its hands when it was killed is at most a batch, and is told.
test_crash_without_gap() {
        local got told
        run_during /usr/local/bin/st-crash 500 kill_service
        wait_for 10 count_reached 500
        got=$(count TRACE_EVENT=sched_process_exec POLICY=st-crash)
        told=$(field LOST_EVENTS LOST_REASON=crash | awk '{ n += $1 } END { print n + 0 }')
        [ "$got" -le 500 ] && [ $((got + told)) -ge 500 ] && [ "$told" -le 192 ] || fail "$got arrived, $told are told as lost"
        [ "$(systemctl show -P NRestarts scopetrace.service)" -ge 1 ]
}

# Fed from the event loop: with two seconds of patience it is still there after several times that.
test_watchdog() {
        local pid usec
        usec=$(systemctl show -P WatchdogUSec scopetrace.service)
        [ "$usec" != 0 ] && [ "$usec" != infinity ] || fail "WatchdogSec= is $usec"
        mkdir -p /run/systemd/system/scopetrace.service.d
        printf '[Service]\nWatchdogSec=2s\n' >/run/systemd/system/scopetrace.service.d/watchdog.conf
        systemctl daemon-reload
        systemctl restart scopetrace.service
        pid=$(main_pid)
        fed_for 6
        assert_eq "$(main_pid)" "$pid"
        rm /run/systemd/system/scopetrace.service.d/watchdog.conf
        systemctl daemon-reload
        systemctl restart scopetrace.service
}

# fed_for SECONDS: the last sign of life is that much later than the start.
fed_for() {
        local start
        start=$(systemctl show -P ExecMainStartTimestampMonotonic scopetrace.service)
        wait_for 30 sh -c "[ \$(systemctl show -P WatchdogTimestampMonotonic scopetrace.service) -gt $((start + $1 * 1000000)) ]"
}

test_security() {
        systemd-analyze security --no-pager --threshold=40 scopetrace.service >out || { cat out; false; }
}

# What journald would drop of any other service: the unit's own limit is none.
test_journal_rate_limit() {
        mkdir -p /run/systemd/journald.conf.d
        printf '[Journal]\nRateLimitIntervalSec=1min\nRateLimitBurst=10\n' >/run/systemd/journald.conf.d/50-few.conf
        systemctl restart systemd-journald.service
        cp /bin/bash /usr/local/bin/st-flood
        policy st-flood 12 event=openat comm=st-flood openat.args.pathname=/etc/hostname
        systemctl reload scopetrace.service
        st-flood -c 'for i in {1..1000}; do : </etc/hostname; done'
        expect_count 1000 TRACE_EVENT=openat POLICY=st-flood
        rm "$policies/st-flood.yaml" /run/systemd/journald.conf.d/50-few.conf
        systemctl reload scopetrace.service
        systemctl restart systemd-journald.service
}

test_state_directory() {
        test -d /var/lib/scopetrace
        # Nothing to see for others, whatever the way to the captures below needs.
        [[ $(stat -c %a /var/lib/scopetrace) == 7[015][01] ]] || fail "$(stat -c %a /var/lib/scopetrace)"
}

test_catalog() {
        journalctl --update-catalog
        journalctl --list-catalog 298a1c09703d4ff6bfefbd5170480c50
        journalctl -q -b -x -o short --no-pager -u scopetrace.service MESSAGE_ID=298a1c09703d4ff6bfefbd5170480c50 >out
        grep -Eq '^(░░|--) ' out
}

# One bad file never stops the rest: it is named with line and column, and counted.
test_bad_policy() {
        local before
        printf 'apiVersion: scopetrace.org/v1\nkind: ScopePolicy\nmetadata:\n  name: st-bad\nspec:\n  scope: 65\n  filters: [event=openat]\n' \
                >"$policies/st-bad.yaml"
        systemctl reload scopetrace.service
        before=$(count TRACE_EVENT=sched_process_exec POLICY=st-run)
        assert_contains "$(status_text)" '1 failed'
        records MESSAGE_ID=425452a3ff064b899237949481ed5a1b | jq -r .MESSAGE >out
        grep -q 'st-bad.yaml:6:' out || { cat out; fail "no place in the message"; }
        /usr/local/bin/st-run
        expect_count $((before + 1)) TRACE_EVENT=sched_process_exec POLICY=st-run
        rm "$policies/st-bad.yaml"
        systemctl reload scopetrace.service
        assert_lacks "$(status_text)" failed
}

# A file that others may write is not obeyed; a link to /dev/null masks one of /usr/lib.
test_ownership_and_mask() {
        policy st-open 48 event=sched_process_exec binary=/usr/local/bin/st-open
        chmod 666 "$policies/st-open.yaml"
        systemctl reload scopetrace.service
        assert_contains "$(status_text)" '1 failed'
        rm "$policies/st-open.yaml"

        mkdir -p /usr/lib/scopetrace/policies.d
        policy st-masked 48 event=sched_process_exec binary=/usr/local/bin/st-run
        mv "$policies/st-masked.yaml" /usr/lib/scopetrace/policies.d/
        ln -s /dev/null "$policies/st-masked.yaml"
        systemctl reload scopetrace.service
        /usr/local/bin/st-run
        expect_count 0 TRACE_EVENT=sched_process_exec POLICY=st-masked
        rm "$policies/st-masked.yaml" /usr/lib/scopetrace/policies.d/st-masked.yaml
        systemctl reload scopetrace.service
}

# A reload in which a policy turned bad keeps its last good version.
test_stale_policy() {
        local before
        before=$(count TRACE_EVENT=sched_process_exec POLICY=st-run)
        cp "$policies/st-run.yaml" good
        sed -i 's/sched_process_exec/sched_process_exce/' "$policies/st-run.yaml"
        systemctl reload scopetrace.service
        /usr/local/bin/st-run
        expect_count $((before + 1)) TRACE_EVENT=sched_process_exec POLICY=st-run
        expect_count 1 MESSAGE_ID=032d0e333974454f9c0a574e42b2fddf
        cp good "$policies/st-run.yaml"
        systemctl reload scopetrace.service
}

# What the service and journald do is no event of a policy for everybody (in this container: others may be busy).
test_no_feedback() {
        policy st-all 49 event=openat "uts=$(hostname)"
        systemctl reload scopetrace.service
        cat /etc/hostname
        wait_for 10 sh -c 'journalctl --sync; journalctl -q POLICY=st-all TRACE_COMM=cat | grep -q .'
        assert_eq "$(field TRACE_COMM POLICY=st-all OBJECT_SYSTEMD_UNIT=systemd-journald.service | uniq -c)" ''
        assert_eq "$(field TRACE_COMM POLICY=st-all OBJECT_SYSTEMD_UNIT=scopetrace.service | uniq -c)" ''
        rm "$policies/st-all.yaml"
        systemctl reload scopetrace.service
}

test_stop() {
        local before
        before=$(count TRACE_EVENT=sched_process_exec POLICY=st-run)
        systemctl stop scopetrace.service
        assert_eq "$(systemctl show -P Result scopetrace.service)" success
        /usr/local/bin/st-run
        systemctl start scopetrace.service
        /usr/local/bin/st-run
        expect_count $((before + 1)) TRACE_EVENT=sched_process_exec POLICY=st-run
}

test_nothing_failed() {
        assert_eq "$(systemctl --failed --no-legend --plain | awk '{ print $1 }')" ''
        journalctl -q -b -u scopetrace.service -p err -o cat >out
        assert_lacks "$(cat out)" Sanitizer
}

run_tests
