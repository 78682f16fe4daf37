#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The service's own life on the live kernel: what it tells a service manager and the journal, reload, bad policies, a
# restart without a gap, a journald that goes away, losses that add up. A small service manager of our own stands for
# systemd; what needs the real one is in tests/nspawn.
. "$(dirname "$0")/../lib/test.sh"

base=/tmp/.sct-service-$$
mkdir -p "$base"
trap 'rm -rf "$base"' EXIT

# policy NAME SCOPE FILTER...
policy() {
        local name=$1 scope=$2 f
        shift 2
        {
                printf 'apiVersion: scopetrace.org/v1\nkind: ScopePolicy\nmetadata:\n  name: %s\nspec:\n' "$name"
                printf '  scope: %s\n  filters:\n' "$scope"
                for f; do
                        printf "    - '%s'\n" "$f"
                done
        } >policies/"$name.yaml"
}

# probe NAME: a program of the test's own.
probe() {
        cp /usr/bin/true "./$1"
}

begin() {
        rm -rf policies root
        mkdir -p policies root/etc/scopetrace
        rm -f commands answers
        mkfifo commands answers
        SCOPETRACE_ROOT=$PWD/root "$test_dir/small-manager.py" "$SCOPETRACED" <commands >answers 2>output &
        manager=$!
        exec 8>commands 9<answers
        trap 'exec 8>&-; wait $manager; cat output' EXIT
}

# ask COMMAND...: prints the answer.
ask() {
        local answer
        echo "$*" >&8
        read -r -t 60 answer <&9
        echo "$answer"
}

start() {
        assert_eq "$(ask start --no-bus --policy "$PWD/policies" "$@")" ready "answer to start: $(cat output)"
}

finish() {
        ask kill TERM >/dev/null
        assert_eq "$(ask end)" "ended 0"
}

entries() {
        journalctl --sync
        journalctl -q -o json --all "$@"
}

has_entries() {
        [ "$(entries "${@:2}" | wc -l)" = "$1" ]
}

# The journal has exactly N entries that match, now or soon.
expect() {
        local i
        for i in $(seq 100); do
                has_entries "$@" && return
                sleep 0.1
        done
        fail "$(entries "${@:2}" | wc -l) entries with ${*:2}, expected $1"
}

test_notifications() {
        begin
        probe sct-notify
        policy notify 5 event=sched_process_exec "binary=$PWD/sct-notify"
        start
        assert_contains "$(ask wait STATUS=)" "STATUS=1 policy in 1 scope; "
        assert_contains "$(ask wait STATUS=)" "; 0 lost"
        ask forget >/dev/null
        policy notify-2 6 event=sched_process_exec "binary=$PWD/sct-notify"
        ask kill HUP >/dev/null
        assert_eq "$(ask wait RELOADING=)" RELOADING=1
        assert_contains "$(ask wait MONOTONIC_USEC=)" MONOTONIC_USEC=
        assert_eq "$(ask wait READY=)" READY=1
        assert_contains "$(ask wait 'STATUS=2 pol')" "2 policies in 2 scopes"
        ./sct-notify
        expect 1 "TRACE_EXE=$PWD/sct-notify" MATCHED_SCOPES=48
        ask forget >/dev/null
        ask kill TERM >/dev/null
        assert_eq "$(ask wait STOPPING=)" STOPPING=1
        assert_eq "$(ask end)" "ended 0"
}

test_records() {
        local entry
        begin
        probe sct-records
        policy records 35 'event=sched_process_exec,sched_process_exit' "binary=$PWD/sct-records"
        start
        ./sct-records
        expect 2 "TRACE_EXE=$PWD/sct-records" SCOPE=35
        entry=$(entries "TRACE_EXE=$PWD/sct-records" TRACE_EVENT=sched_process_exec)
        jq -e --arg exe "$PWD/sct-records" --arg uid "$(id -u)" --arg host "$(uname -n)" '
                .TRACE_COMM == "sct-records" and .TRACE_EXE == $exe and .TRACE_UID == $uid and .TRACE_UTS_NAME == $host and
                .SYSLOG_IDENTIFIER == "scopetrace" and .POLICY == "records" and .PRIORITY == "6" and
                .MATCHED_SCOPES == "17179869184" and .MESSAGE_ID != null and .TRACE_ARG_PATHNAME == $exe and
                .TRACE_HOST_PID != null and .TRACE_HOOK != null and .OBJECT_PID == null and ._UID == "0"' <<<"$entry"
        # The wall clock of the event, to the second.
        jq -e --arg now "$(date +%s)" '(.TRACE_TIME_NS[:10] | tonumber) as $t | ($now | tonumber) - $t | . >= 0 and . < 60' \
                <<<"$entry"
        finish
        journalctl -o json MESSAGE_ID=298a1c09703d4ff6bfefbd5170480c50 | grep -q .
}

# Numbers go up by one for every event that matched, whatever its scope.
test_sequence() {
        begin
        probe sct-sequence
        policy sequence-1 1 event=sched_process_exec "binary=$PWD/sct-sequence"
        policy sequence-2 2 event=sched_process_exit "binary=$PWD/sct-sequence"
        start
        for _ in $(seq 50); do ./sct-sequence; done
        expect 100 "TRACE_EXE=$PWD/sct-sequence"
        entries "TRACE_EXE=$PWD/sct-sequence" | jq -r .TRACE_SEQ | sort -n >seq
        assert_eq "$(($(tail -1 seq) - $(head -1 seq)))" 99
        assert_eq "$(uniq seq | wc -l)" 100
        finish
}

test_bad_policies() {
        local e
        begin
        probe sct-bad
        policy good 5 event=sched_process_exec "binary=$PWD/sct-bad"
        policy scope-0 0 event=openat
        policy scope-65 65 event=openat
        policy unknown-event 7 event=nonsense
        policy unknown-argument 7 openat.args.nonsense=1
        policy unknown-filter 7 colour=red
        policy operator 7 event=openat 'comm>x'
        cp policies/good.yaml policies/twin.yaml
        mkdir policies/directory.yaml
        printf 'apiVersion: scopetrace.org/v1\nkind: ScopePolicy\nmetadata: {name: bytes}\nspec: {filters: ["comm=\xff"]}\n' \
                >policies/bytes.yaml
        printf 'a\0b' >policies/nul.yaml
        printf 'a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\nc: [*b,*b,*b,*b,*b,*b,*b,*b]\n' >policies/bomb.yaml
        head -c 200000 /dev/zero | tr '\0' '[' >policies/deep.yaml
        head -c 10000000 /dev/zero | tr '\0' 'x' >policies/large.yaml
        ln -s /nonexistent policies/dangling.yaml
        ln -s /dev/null policies/masked.yaml
        start
        assert_contains "$(ask wait STATUS=)" "14 failed"
        ./sct-bad
        expect 1 "TRACE_EXE=$PWD/sct-bad" SCOPE=5

        # A sentence with its place for each.
        entries MESSAGE_ID=425452a3ff064b899237949481ed5a1b >problems
        for e in scope-0 scope-65 unknown-event unknown-argument unknown-filter operator twin directory bytes nul bomb deep \
                 large dangling; do
                jq -es --arg file "$PWD/policies/$e.yaml" \
                        'any(.[]; .POLICY_FILE == $file and (.MESSAGE | startswith($file + ":")))' problems ||
                        fail "no sentence for $e.yaml"
        done
        for e in scope-0 scope-65 unknown-event unknown-argument unknown-filter operator; do
                jq -es --arg file "$PWD/policies/$e.yaml" \
                        'any(.[]; .POLICY_FILE == $file and .POLICY_LINE and .POLICY_COLUMN)' problems ||
                        fail "no place for $e.yaml"
        done
        finish
}

# A policy that turned bad goes on as it was; a good one is swapped; one that is gone is gone.
test_reload() {
        begin
        probe sct-reload
        policy first 5 event=sched_process_exec "binary=$PWD/sct-reload"
        policy second 6 event=sched_process_exec "binary=$PWD/sct-reload"
        policy third 7 event=sched_process_exec "binary=$PWD/sct-reload"
        start
        policy first 5 event=nonsense
        policy second 8 event=sched_process_exec "binary=$PWD/sct-reload"
        rm policies/third.yaml
        ask forget >/dev/null
        ask kill HUP >/dev/null
        assert_eq "$(ask wait READY=)" READY=1
        assert_contains "$(ask wait STATUS=2)" "2 policies in 2 scopes, 1 failed"
        ./sct-reload
        expect 1 "TRACE_EXE=$PWD/sct-reload" MATCHED_SCOPES=144
        expect 1 MESSAGE_ID=032d0e333974454f9c0a574e42b2fddf POLICY=first
        finish
}

# Reloads under load: every start of the program is seen, whatever generation judges it.
test_reload_without_a_gap() {
        begin
        probe sct-gap
        policy gap 5 event=sched_process_exec "binary=$PWD/sct-gap"
        start
        for i in $(seq 10); do
                for _ in $(seq 20); do ./sct-gap; done &
                policy other-$i 6 event=sched_process_exec comm=nothing-of-this-name
                ask forget >/dev/null
                ask kill HUP >/dev/null
                ask wait READY=1 >/dev/null
                wait $!
        done
        expect 200 "TRACE_EXE=$PWD/sct-gap" SCOPE=5
        finish
}

# restart SIGNAL: events while the daemon is away are there afterwards, once, and numbers go on.
restart() {
        begin
        probe "sct-restart-$1"
        policy restart 5 event=sched_process_exec "binary=$PWD/sct-restart-$1"
        start
        "./sct-restart-$1"
        expect 1 "TRACE_EXE=$PWD/sct-restart-$1"
        ask kill "$1" >/dev/null
        ask end >/dev/null
        [ -n "$(ask store)" ]
        for _ in $(seq 30); do "./sct-restart-$1"; done
        start
        "./sct-restart-$1"
        expect 32 "TRACE_EXE=$PWD/sct-restart-$1" SCOPE=5 POLICY=restart
        entries "TRACE_EXE=$PWD/sct-restart-$1" | jq -r .TRACE_SEQ | sort -n >seq
        assert_eq "$(uniq seq | wc -l)" 32
        assert_eq "$(($(tail -1 seq) - $(head -1 seq)))" 31
        finish
}

test_restart() {
        restart TERM
}

test_crash() {
        restart KILL
}

# Records of a policy's own hook are described by the state: the policy is gone when they are read.
test_restart_hooks() {
        begin
        probe sct-restart-hook
        cat >policies/hooked.yaml <<-END
	apiVersion: cilium.io/v1alpha1
	kind: TracingPolicy
	metadata: {name: hooked, annotations: {scopetrace.org/scope: "11"}}
	spec:
	  kprobes:
	  - call: sys_exit_group
	    message: the probe ends
	    args: [{index: 0, type: int, label: how}]
	    selectors:
	    - matchBinaries: [{operator: In, followChildren: false, values: [$PWD/sct-restart-hook]}]
	END
        start
        ./sct-restart-hook
        expect 1 POLICY=hooked
        ask kill KILL >/dev/null
        ask end >/dev/null
        for _ in $(seq 10); do ./sct-restart-hook; done
        rm policies/hooked.yaml
        policy other 6 event=sched_process_exec comm=nothing
        start
        expect 11 POLICY=hooked SCOPE=11 TRACE_EVENT=sys_exit_group TRACE_ARG_HOW=0
        expect 11 POLICY=hooked 'TRACE_MESSAGE=the probe ends'
        finish
}

# A store without its state is of no use: said, dropped, and everything works.
test_store_without_state() {
        begin
        probe sct-stateless
        policy stateless 5 event=sched_process_exec "binary=$PWD/sct-stateless"
        start
        finish
        ask drop state-0 >/dev/null
        ask drop state-1 >/dev/null
        start
        ./sct-stateless
        expect 1 "TRACE_EXE=$PWD/sct-stateless"
        finish
        entries MESSAGE_ID=58ad2c87f5fa412ab346bb14b98edad4 | grep -q .
}

# More than the ring can hold: what arrived and what is told to be lost is everything.
test_losses_add_up() {
        local n=200000 got lost pid
        begin
        cp "$SCOPETRACE_BUILD/tests/trigger" ./sct-loss
        printf '[Scopetrace]\nRingSize=64K\n' >root/etc/scopetrace/scopetraced.conf
        policy loss 5 event=truncate "binary=$PWD/sct-loss"
        start
        pid=$(ask pid)
        BASE= CASE= ./sct-loss say-many $n /nonexistent
        sleep 3
        finish
        entries "TRACE_EXE=$PWD/sct-loss" --output-fields=TRACE_SEQ >got
        got=$(wc -l <got)
        # Other services of this run have their own losses in this journal.
        lost=$(entries MESSAGE_ID=b683e11378bc48db8ecb3430419273b5 "_PID=$pid" | jq -s 'map(.LOST_EVENTS | tonumber) | add // 0')
        assert_eq "$((got + lost))" "$n"
}

test_rate_limit() {
        local n
        begin
        probe sct-rate
        policy rate 5 event=sched_process_exec "binary=$PWD/sct-rate"
        echo '  rateLimit: 5/min' >>policies/rate.yaml
        start
        for _ in $(seq 20); do ./sct-rate; done
        expect 5 "TRACE_EXE=$PWD/sct-rate"
        expect 1 LOST_REASON=rate-limit LOST_EVENTS=15 SCOPE=5
        finish
}

# What journald and the service do is no event, or one record would breed the next.
test_no_feedback() {
        local pid
        begin
        policy everything 5 event=openat,sendmsg,sendmmsg,write
        start
        pid=$(ask pid)
        sleep 2
        finish
        entries SCOPE=5 POLICY=everything --output-fields=TRACE_HOST_PID,TRACE_COMM >everything
        test -s everything
        assert_eq "$(jq -c --arg pid "$pid" 'select(.TRACE_HOST_PID == $pid)' everything | wc -l)" 0 "own events"
        assert_eq "$(jq -c 'select(.TRACE_COMM == "systemd-journal")' everything | wc -l)" 0 "events of journald"
}

test_console() {
        begin
        probe sct-console
        policy console 42 event=sched_process_exec "binary=$PWD/sct-console"
        for format in table-verbose json export; do
                rm -f out err
                "$SCOPETRACED" --console --no-bus --policy policies -o $format >out 2>err &
                pid=$!
                wait_for 30 grep -q 'is ready' err
                ./sct-console
                wait_for 10 grep -q sct-console out
                kill -INT $pid
                wait $pid
                case $format in
                table-verbose) grep -q '^[0-9:]* *0000020000000000 .*sched_process_exec' out ;;
                json) jq -es 'any(.[]; .eventName == "sched_process_exec" and .matchedScopes == 2199023255552)' out ;;
                export) grep -q '^MATCHED_SCOPES=2199023255552$' out ;;
                esac
        done
}

test_command_line() {
        local r=0
        "$SCOPETRACED" --version | grep -q '^scopetrace '
        "$SCOPETRACED" --help | awk 'length > 80 { exit 1 }'
        "$SCOPETRACED" --nonsense >out 2>err || r=$?
        assert_eq $r 2
        test ! -s out
        r=0
        "$SCOPETRACED" --console -o nonsense 2>err || r=$?
        assert_eq $r 2
        r=0
        "$SCOPETRACED" --check /dev/null/x 2>err || r=$?
        assert_eq $r 1
        grep -q . err
        r=0
        setpriv --reuid=65534 --regid=65534 --clear-groups "$SCOPETRACED" --console --no-bus 2>err || r=$?
        refused test $r = 0
        grep -q . err
}

run_tests
