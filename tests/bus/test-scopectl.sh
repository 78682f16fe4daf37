#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# scopectl against a service on the fake kernel layer: what each verb prints, its JSON, its exit codes and its errors.
TEST_PREFIX=bus/scopectl/
. "$(dirname "$0")/../lib/test.sh"

address=unix:path=$test_tmp/bus
here=$(cd "$(dirname "$0")" && pwd)

ctl() {
        "$SCOPECTL" --bus-address "$address" "$@"
}

# exits CODE ARGUMENT...: scopectl must end with this code; stdout and stderr are left in files.
exits() {
        local expected=$1 code=0
        shift
        ctl "$@" >out 2>err || code=$?
        assert_eq "$code" "$expected" "exit code of scopectl $*"
}

# One sentence, on stderr alone.
one_sentence() {
        assert_eq "$(wc -l <err)" 1 "number of lines on stderr"
        assert_eq "$(cat out)" "" "stdout"
        assert_contains "$(cat err)" "$1"
}

policy() {
        printf 'apiVersion: scopetrace.org/v1\nkind: ScopePolicy\nmetadata:\n  name: %s\nspec:\n  scope: %s\n' "$1" "$2"
        shift 2
        echo "  filters:"
        printf '    - "%s"\n' "$@"
}

event() {
        "$FAKE_RECORDS" "$@" >"$test_tmp/records"
}

# start_trace ARGUMENT...: in the background, as $pid itself and no shell around it.
start_trace() {
        rm -f trace.out trace.err   # the header of an earlier one is no sign of this one
        "$SCOPECTL" --bus-address "$address" trace "$@" >trace.out 2>trace.err &
        pid=$!
}

field() {
        jq -r "$1" out
}

setup() {
        command -v dbus-daemon >/dev/null || skip "there is no dbus-daemon"
        command -v jq >/dev/null || skip "there is no jq"
        cat >"$test_tmp/bus.conf" <<END
<busconfig><type>session</type><listen>$address</listen><auth>EXTERNAL</auth>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy>
</busconfig>
END
        dbus-daemon --config-file="$test_tmp/bus.conf" --nofork --nopidfile 2>"$test_tmp/bus.log" &
        echo $! >"$test_tmp/bus.pid"
        mkdir "$test_tmp/policies.d"
        policy opens 42 event=openat >"$test_tmp/policies.d/10-opens.yaml"
        policy wrong 5 evnt=openat >"$test_tmp/policies.d/20-wrong.yaml"
        # Artifacts of a run whose index is gone: nothing is known of them but that they are there.
        mkdir -p "$test_tmp/state/captures/host" "$test_tmp/state/captures/pcap"
        printf abc >"$test_tmp/state/captures/host/exec.1700000000.ls"
        chmod 0700 "$test_tmp/state/captures/host/exec.1700000000.ls"
        truncate --size 3M "$test_tmp/state/captures/host/write.dev-1.inode-2"
        printf x >"$test_tmp/state/captures/pcap/single.pcap"
        mkfifo "$test_tmp/records"
        STATE_DIRECTORY=$test_tmp/state SCOPETRACE_FAKE_RECORDS=$test_tmp/records "$SCOPETRACED_FAKE" --console --policy="$test_tmp/policies.d" \
                --bus-address="$address" >"$test_tmp/service.out" 2>"$test_tmp/service.err" &
        echo $! >"$test_tmp/service.pid"
        wait_for 20 ctl status
}

teardown() {
        kill "$(cat "$test_tmp/service.pid")" "$(cat "$test_tmp/bus.pid")"
}

test_status() {
        exits 0
        assert_contains "$(cat out)" "2 policies in 1 scope, 1 failed"
        assert_contains "$(cat out)" "20-wrong.yaml:8:8: error: spec.filters[0]: evnt is not a filter"
        exits 0 status --json=short
        assert_eq "$(field .NFailed)" 1
        assert_eq "$(field '.Features | length > 5')" true
        assert_eq "$(wc -l <out)" 1
}

test_scopes() {
        exits 0 scopes
        assert_contains "$(cat out)" "SCOPE ENABLED EVENTS LOST POLICIES"
        assert_contains "$(cat out)" "1 scopes listed."
        exits 0 scopes --no-legend
        assert_eq "$(awk '{print $1, $2, $NF}' out)" "42 yes opens"
        exits 0 scopes -j
        assert_eq "$(field '.scopes[0] | [.scope, .enabled, .policies[0]] | @csv')" '42,true,"opens"'
}

test_policies() {
        exits 0 policies
        assert_contains "$(cat out)" "evnt is not a filter; did you mean event?"
        exits 0 policies --no-legend
        assert_eq "$(awk '{print $3}' out | sort | paste -sd,)" active,failed
        exits 0 policies --json=pretty
        assert_eq "$(field '.policies[] | select(.name == "opens") | .problems | length')" 0
        assert_eq "$(field '[.policies[] | select(.state == "failed") | .problems[]] | length > 0')" true
}

test_show() {
        exits 0 show 42 opens
        assert_contains "$(cat out)" "Number: 42"
        assert_contains "$(cat out)" "Hooks: openat raw_tp"
        exits 0 show -j opens
        assert_eq "$(field .Scope)" 42
        exits 4 show 43
        one_sentence "No policy is assigned to scope 43"
        exits 4 show nope
        one_sentence "There is no policy 'nope'"
        exits 4 show 1000
        one_sentence "1 to 64"
}

test_load_and_unload() {
        { echo "# two documents"; policy one 11 event=openat; echo ---; policy two 12 event=close; } >two.yaml
        exits 0 load two.yaml
        assert_eq "$(sort out | paste -sd,)" "Loaded policy one.,Loaded policy two."
        exits 1 load two.yaml
        assert_contains "$(cat err)" "Failed to load two.yaml"
        exits 0 unload one two
        exits 4 unload one
        one_sentence "There is no policy 'one'"
        exits 1 unload opens
        one_sentence "comes from a file"
        policy three 13 event=close | ctl load -q - >out
        assert_eq "$(cat out)" ""
        exits 0 unload three
}

# The line is the one in the file, not in the document.
test_load_says_where() {
        { policy good 14 event=openat; echo ---; policy bad 15 evnt=openat; } >bad.yaml
        exits 1 load -q bad.yaml
        one_sentence "$(grep -n evnt bad.yaml | cut -d: -f1):"
        assert_contains "$(cat err)" "did you mean event?"
        exits 0 unload good
        exits 1 load no-such-file.yaml
        one_sentence "No such file"
        printf '# nothing\n---\n' >empty.yaml
        exits 1 load empty.yaml
        one_sentence "no document"
        printf 'a\0b' >nul.yaml
        exits 1 load nul.yaml
        one_sentence "NUL"
        printf 'a: \xff\n' >bytes.yaml
        exits 1 load bytes.yaml
        one_sentence "UTF-8"
}

test_enable_and_disable() {
        exits 0 disable opens
        assert_eq "$(ctl policies -j | jq -r '.policies[] | select(.name == "opens") | .state')" disabled
        exits 0 enable opens
        exits 0 disable 42
        assert_eq "$(ctl scopes -j | jq -r '.scopes[0].enabled')" false
        exits 0 enable 42
        assert_eq "$(ctl policies -j | jq -r '.policies[] | select(.name == "opens") | .state')" active
        exits 4 enable 9
        one_sentence "scope 9"
}

test_reload() {
        policy late 21 event=close >"$test_tmp/policies.d/30-late.yaml"
        exits 0 reload
        exits 0 show 21
        rm "$test_tmp/policies.d/30-late.yaml"
        exits 0 reload
        exits 4 show 21
}

# scopectl runs the service's program, which stands beside it here.
test_check_needs_no_service() {
        cp "$SCOPECTL" scopectl
        ln -s "$SCOPETRACED_FAKE" scopetraced
        policy good 1 event=openat >good.yaml
        policy bad 1 evnt=openat >bad.yaml
        ./scopectl check good.yaml
        refused ./scopectl check bad.yaml good.yaml >out 2>&1
        assert_contains "$(cat out)" "bad.yaml:8:8"
        assert_contains "$(cat out)" "did you mean event?"

        # A directory is one set: who is named twice shows, and what is no policy file is not looked at.
        mkdir set
        mv good.yaml bad.yaml set
        policy good 2 event=close >set/zgood.yml
        echo : : >set/note.txt
        ln -s /dev/null set/masked.yaml
        refused ./scopectl check set >ok 2>out
        assert_eq "$(cat ok)" "set/good.yaml: good: ok"
        assert_contains "$(cat out)" "set/bad.yaml:8:8"
        assert_contains "$(cat out)" "set/zgood.yml:4:9: error: metadata.name: the name \"good\" is taken by set/good.yaml"
        assert_eq "$(wc -l <out)" 2
        rm set/bad.yaml set/zgood.yml
        ./scopectl check set >ok 2>out
        assert_eq "$(cat out)" ""
}

test_trace() {
        start_trace -o format:table-verbose -t 3:event=close -t 9:event=close -t 9:event=openat -n 3
        wait_for 20 ctl show 9
        wait_for 20 grep -q SCOPES trace.out
        event close id ""
        event openat id /etc/passwd
        event close id ""
        wait $pid
        assert_eq "$(awk '{print $2}' trace.out | paste -sd,)" \
                "SCOPES,0000000000000104,0000020000000100,0000000000000104"
        assert_eq "$(cat trace.err)" ""
        wait_for 20 refused ctl show 9
}

test_trace_json() {
        start_trace -o json -t 7:event=close -n 1
        # The stream is there before the policy: no event is missed.
        wait_for 20 ctl show 7
        event close id ""
        wait $pid
        assert_eq "$(jq -r '[.eventName, .matchedScopes] | @csv' trace.out)" '"close",64'
}

# What was on its way is printed, then the policies are gone and the exit code is 0.
test_trace_ends_with_a_signal() {
        start_trace -t 7:event=close
        wait_for 20 grep -q TIME trace.out
        event close id "" 200
        kill -TERM $pid
        wait $pid
        assert_eq "$(wc -l <trace.out)" 201
        exits 4 show 7
}

test_trace_refuses() {
        exits 1 trace -t 42:event=openat
        one_sentence "--share"
        exits 1 trace -t 65:event=openat
        one_sentence "1 to 64"
        exits 1 trace -t :event=openat
        one_sentence "1 to 64"
        exits 1 trace -t 3:event=openat -t 3:colour=red
        one_sentence "Filter '3:colour=red': "
        exits 1 trace -t 3:event=nonsense
        one_sentence "Filter '3:event=nonsense': "
        exits 1 trace -o gob -t event=openat
        one_sentence "Unknown output format"
        exits 1 trace -o option:nope -t event=openat
        one_sentence "Unknown output option"
        exits 1 trace --capture exce -t event=openat
        one_sentence "did you mean exec?"
        exits 1 trace --capture dir:/tmp/x -t event=openat
        one_sentence "its own directory"
        exits 0 scopes --no-legend
        assert_eq "$(wc -l <out)" 1 "number of scopes left"
}

test_trace_shares() {
        start_trace --share -t 42:event=close -n 1
        wait_for 20 grep -q TIME trace.out
        event openat id /x
        wait $pid
        assert_contains "$(cat trace.out)" openat
}

# A tracer that is killed leaves nothing behind.
test_trace_killed() {
        start_trace -t 7:event=close
        wait_for 20 grep -q TIME trace.out
        kill -KILL $pid
        wait_for 20 refused ctl show 7
}

# Not a tracer that says nothing for ever: it ends with the service. Another service, so that the others go on.
test_trace_ends_with_the_service() {
        local other=$test_tmp/other service bus
        mkdir -p "$other/policies.d"
        sed "s|$test_tmp/bus|$other/bus|" "$test_tmp/bus.conf" >"$other/bus.conf"
        address=unix:path=$other/bus
        dbus-daemon --config-file="$other/bus.conf" --nofork --nopidfile 2>/dev/null &
        bus=$!
        "$SCOPETRACED_FAKE" --console --policy="$other/policies.d" --bus-address="$address" >/dev/null 2>&1 &
        service=$!
        wait_for 20 ctl status

        start_trace -t 7:event=close
        wait_for 20 grep -q TIME trace.out
        kill -TERM $service
        local code=0
        wait $pid || code=$?
        kill $bus
        assert_eq $code 3
        assert_eq "$(cat trace.err)" "The service ended."
}

test_events() {
        local n
        n=$(ctl events --no-legend | wc -l)
        [ "$n" -gt 300 ] || fail "only $n events"
        assert_eq "$("$SCOPECTL" events -j openat | jq -r '.events[0].arguments[1]')" "pathname: const char*"
        exits 0 events openat
        assert_contains "$(cat out)" "pathname: const char*"
        exits 0 events 'sched_process_*' --no-pager
        assert_eq "$(grep -c '^sched_process_' out)" 3
        exits 4 events nonsense
        one_sentence "There is no event 'nonsense'"
}

test_features() {
        exits 0 features
        assert_contains "$(cat out)" "Operation not permitted"
        exits 0 features -j
        assert_eq "$(field '.features[] | select(.name == "kprobe") | .granted')" false
}

test_top() {
        exits 0 top -j
        assert_eq "$(field '.scopes[0].scope')" 42
}

test_log_runs_journalctl() {
        mkdir bin
        printf '#!/bin/sh\nprintf "%%s\\n" "$*"\n' >bin/journalctl
        chmod +x bin/journalctl
        PATH=$PWD/bin:$PATH
        assert_eq "$(ctl log 6 7 -n 10 --follow -- --since today)" \
                "--follow --lines=10 --since today SYSLOG_IDENTIFIER=scopetrace SCOPE=6 SCOPE=7"
        assert_eq "$(ctl log 6 opens -o json)" \
                "--output json SYSLOG_IDENTIFIER=scopetrace SCOPE=6 + SYSLOG_IDENTIFIER=scopetrace POLICY=opens"
        assert_eq "$(ctl log)" "SYSLOG_IDENTIFIER=scopetrace"
        exits 1 log 65
}

test_artifacts() {
        exits 0 artifacts --no-legend
        assert_eq "$(awk '{print $3}' out | sort | paste -sd,)" exec,pcap,write
        assert_contains "$(grep write out)" "3M"
        exits 0 artifacts list -j --kind=exec
        assert_eq "$(field '.artifacts | length')" 1
        assert_eq "$(field '.artifacts[0] | [.kind, .file, .bytes] | @csv')" '"exec","host/exec.1700000000.ls",3'
        id=$(field '.artifacts[0].id')
        exits 0 artifacts cat "$id" host/exec.1700000000.ls
        assert_eq "$(cat out)" abcabc

        mkdir exported
        exits 0 artifacts export "$id" exported
        assert_eq "$(cat out)" exported/exec.1700000000.ls
        assert_eq "$(cat exported/exec.1700000000.ls)" abc
        assert_eq "$(stat -c %a exported/exec.1700000000.ls)" 600
        exits 1 artifacts export "$id" exported
        one_sentence "File exists"
        exits 4 artifacts cat 0000000000
        one_sentence "There is no artifact '0000000000'"

        exits 1 artifacts remove
        one_sentence "Which artifacts?"
        exits 1 artifacts melt
        one_sentence "use list, cat, export or remove"
        exits 1 artifacts --scope=many
        one_sentence "--scope=many is no number"
        exits 1 artifacts --kind=nonsense
        one_sentence "is no kind of artifact"
        exits 0 artifacts remove "$id"
        assert_contains "$(cat out)" "Removed 1 artifact,"
        exits 1 vacuum
        one_sentence "--max-use=SIZE"
        exits 0 vacuum --max-age=1h
        exits 0 artifacts remove --all --quiet
        assert_eq "$(cat out)" ""
        exits 0 artifacts -j
        assert_eq "$(field '.artifacts | length')" 0
        assert_eq "$(find "$test_tmp/state/captures" -type f ! -name .index | wc -l)" 0
}

test_captures() {
        exits 0 captures -j
        assert_eq "$(field '.captures | length')" 0
        exits 0 start-capture 42 exec 'write=/tmp/*' pcap:process
        exits 0 captures --no-legend
        assert_eq "$(awk '{print $1 $2}' out | paste -sd,)" 42write,42exec,42network
        exits 0 status
        assert_contains "$(cat out)" "Captures: 3"
        exits 0 stop-capture 42 exec network
        exits 0 captures -j
        assert_eq "$(field '.captures[0] | [.scope, .kind, .run_time] | @csv')" '42,"write",true'
        exits 0 stop-capture 42
        exits 4 stop-capture 42
        one_sentence "Nothing was started"
        exits 4 stop-capture 42 mem
        one_sentence "does not capture mem"
        exits 1 start-capture 42 'write=*'
        one_sentence "write write alone"
        exits 4 start-capture 9 write
        exits 1 start-capture 65 write
        one_sentence "from 1 to 64"
}

test_no_service() {
        local code=0
        "$SCOPECTL" --bus-address unix:path=/nonexistent/bus status >out 2>err || code=$?
        assert_eq $code 3
        one_sentence "Failed to connect to the bus"
}

# A pager only on a terminal, and never against the wish.
test_colour_and_pager() {
        exits 0 status
        assert_lacks "$(cat out)" $'\033'
        unset NO_COLOR
        assert_contains "$(SYSTEMD_COLORS=1 ctl status)" $'\033'
        command -v script >/dev/null || skip "there is no script(1)"
        printf '#!/bin/sh\nsed s/^/paged:/\n' >pager
        chmod +x pager
        export SYSTEMD_PAGERSECURE=1 SYSTEMD_PAGER=$PWD/pager
        assert_contains "$(script -qec "'$SCOPECTL' --bus-address '$address' scopes" /dev/null)" paged:
        assert_lacks "$(script -qec "'$SCOPECTL' --bus-address '$address' --no-pager scopes" /dev/null)" paged:
        assert_lacks "$(ctl scopes)" paged:
}

run_tests
