#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Programs hold only what the policies use, and are loaded anew when a set uses more: meanwhile no event is lost or seen
# twice, and what is new works.
. "$(dirname "$0")/../lib/test.sh"
. "$(dirname "$0")/cases.bash"

# guest N FILTER...: a policy of its own, beside the steady one.
guest() {
        local i=$1 f
        shift
        {
                printf '%s\n' 'apiVersion: scopetrace.org/v1' 'kind: ScopePolicy' "metadata: {name: guest-$i}" 'spec:' \
                        "  scope: $i" '  filters:' "    - 'truncate.args.path=$BASE/guest-$i'"
                for f; do
                        printf "    - '%s'\n" "$f"
                done
        } >"$BASE/policies/guest-$i.yaml"
        kill -HUP "$(cat "$BASE/service")"
        wait_for 120 seen_by_guest "$i"
}

seen_by_guest() {
        "$trigger" say "$BASE/guest-$1"
        sleep 0.2
        grep -q "\"guest-$1\"" "$BASE/out"
}

setup() {
        rm -rf "$BASE"
        mkdir -p "$BASE/policies"
        printf '%s\n' 'apiVersion: scopetrace.org/v1' 'kind: ScopePolicy' 'metadata: {name: steady}' \
                'spec: {scope: 64, filters: [event=truncate, comm=sct-steady]}' >"$BASE/policies/steady.yaml"
        # Without the journal, which has losses of its own.
        mkdir -p "$BASE/root/etc/scopetrace"
        printf "[Scopetrace]\nJournal=no\n" >"$BASE/root/etc/scopetrace/scopetraced.conf"
        export SCOPETRACE_ROOT=$BASE/root
        service_start -o json
}

teardown() {
        service_stop || true
        rm -rf "$BASE"
}

# Each guest asks for something that no policy before it did.
test_growth() {
        "$trigger" comm sct-steady say-count count 4000000 500 &
        local pid=$!
        guest 1 event=truncate
        guest 2 event=truncate,execve 'uid>=0'
        guest 3 event=truncate 'comm!=*nobody*'
        guest 4 event=truncate 'exe!=/no/*'
        guest 5 event=truncate 'tree=1'
        guest 6 event=truncate 'uts!=nowhere' follow
        guest 7 event=truncate,connect,openat 'connect.args.addr=10.0.0.0/8' 'truncate.retval<0'
        kill -0 $pid || fail 'the steady events ended before the guests came'
        # One that goes while all its programs stay.
        rm "$BASE/policies/guest-7.yaml"
        guest 8 event=truncate
        kill -0 $pid || fail 'the steady events ended before the guests came'
        kill $pid
        wait $pid || true
        service_stop
        jq -c 'select(.matchedPolicies | index("steady")) | .args[1].value' "$BASE/out" >seen
        [ "$(wc -l <seen)" -gt 1000 ] || fail "only $(wc -l <seen) steady events"
        seq 0 $(($(wc -l <seen) - 1)) | cmp - seen || fail 'events are missing, or there are some twice'
        grep -q ', 0 lost' "$BASE/err" || fail "$(tail -1 "$BASE/err")"
}

# Nothing that can be left out is refused where nothing is left out.
test_whole() {
        rm -f "$BASE"/policies/guest-*
        export SCOPETRACE_SPECIALIZE=0
        service_start -o json
        guest 1 event=truncate
}

run_tests
