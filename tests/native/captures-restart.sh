#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Captures that were started at run time hold over a restart and over a crash of the service, until somebody stops them.
. "$(dirname "$0")/../lib/test.sh"

BASE=/tmp/.sct-captures-restart-$$

# A service manager in small keeps the descriptors; ask COMMAND...: prints its answer.
ask() {
        local answer
        echo "$*" >&8
        read -r -t 90 answer <&9
        echo "$answer"
}

start() {
        assert_eq "$(ask start --policy "$BASE/policies")" ready "answer to start: $(cat output)"
        wait_for 60 "$SCOPECTL" captures
}

writer() {
        "$BASE/sct-restart-w" -c 'printf "%s" "$2" >"$1"' - "$1" "$2"
}

kept() {
        "$SCOPECTL" artifacts -j --source="$1" | jq -e '.artifacts[0].complete'
}

at_run_time() {
        "$SCOPECTL" captures -j | jq -c '[.captures[] | [.scope, .kind, .run_time]]'
}

setup() {
        rm -rf "$BASE"
        mkdir -p "$BASE/root/etc/scopetrace" "$BASE/policies" "$BASE/files"
        cp /bin/bash "$BASE/sct-restart-w"
        printf '%s\n' '[Scopetrace]' "CaptureDirectory=$BASE/captures" >"$BASE/root/etc/scopetrace/scopetraced.conf"
        cat >"$BASE/policies/plain.yaml" <<-END
	apiVersion: scopetrace.org/v1
	kind: ScopePolicy
	metadata: {name: restart-plain}
	spec:
	  scope: 7
	  filters: [comm=sct-restart-w, event=sched_process_exec]
	END
}

teardown() {
        rm -rf "$BASE"
}

test_restart_and_crash() {
        local manager signal
        mkfifo commands answers
        SCOPETRACE_ROOT=$BASE/root "$test_dir/small-manager.py" "$SCOPETRACED" <commands >answers 2>output &
        manager=$!
        exec 8>commands 9<answers
        trap 'exec 8>&-; wait $manager; cat output' EXIT
        start
        "$SCOPECTL" start-capture 7 "write=$BASE/files/*"
        for signal in TERM KILL; do
                ask kill $signal >/dev/null
                ask end >/dev/null
                start
                assert_eq "$(at_run_time)" '[[7,"write",true]]' "captures after SIG$signal"
                writer "$BASE/files/$signal" "after SIG$signal"
                wait_for 60 kept "$BASE/files/$signal"
        done
        "$SCOPECTL" stop-capture 7
        ask kill TERM >/dev/null
        ask end >/dev/null
        start
        assert_eq "$(at_run_time)" '[]'
        ask kill TERM >/dev/null
        assert_eq "$(ask end)" "ended 0"
}

run_tests
