#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# How few and many system calls are hooked, and that the change from one way to the other loses nothing. EXPECTED_HOOK: of
# few calls, where who runs this knows the kernel.
. "$(dirname "$0")/../lib/test.sh"
. "$(dirname "$0")/cases.bash"

export CASE=few

# ask NAME FILTER...: one policy more, in a file of its own.
ask() {
        local name=$1 f
        shift
        {
                printf '%s\n' 'apiVersion: scopetrace.org/v1' 'kind: ScopePolicy' "metadata: {name: $name}" 'spec:' \
                        "  scope: $((++n_policies))" '  filters:'
                for f; do
                        printf "    - '%s'\n" "$f"
                done
        } >"$BASE/policies/$name.yaml"
}

# Until the marker of a policy is seen: from then on the set is active.
reload() {
        kill -HUP "$(cat "$BASE/service")"
        wait_for 60 seen "$1"
}

seen() {
        "$trigger" comm "sct-$1" say "$1"
        sleep 0.2
        [ -n "$(hook_of "$1")" ]
}

# hook_of POLICY: of its newest event.
hook_of() {
        awk -v policy="POLICY=$1" '$0 == policy { mine = 1 } sub(/^TRACE_HOOK=/, "") { hook = $0 }
                /^$/ { if (mine) last = hook; mine = 0 } END { print last }' "$BASE/out"
}

# messages POLICY: of all its events, without who did it.
messages() {
        awk -v policy="POLICY=$1" 'sub(/^MESSAGE=[^ ]* /, "") { message = $0 } $0 == policy { mine = 1 }
                /^$/ { if (mine) print message; mine = 0 }' "$BASE/out"
}

seen_messages() {
        [ "$(messages "$1" | wc -l)" -ge "$2" ]
}

setup() {
        rm -rf "$BASE"
        mkdir -p "$BASE/policies" "$BASE/few" "$BASE/root/etc/scopetrace"
        printf "[Scopetrace]\nJournal=no\n" >"$BASE/root/etc/scopetrace/scopetraced.conf"
        ask few event=truncate,symlinkat,execve,exit_group comm=sct-few
        ask asleep event=clock_nanosleep comm=sct-asleep
        service_start -o export
}

teardown() {
        service_stop || true
        rm -rf "$BASE"
}

# Entry with return, the 32-bit table, a call that changes the program, one that does not return.
test_few() {
        local hook
        "$trigger" comm sct-few say here symlink-32 target "$BASE/few/link" || true      # no 32-bit calls here: SIGSEGV
        "$trigger" comm sct-few exec /bin/true
        "$trigger" comm sct-few exit 0
        wait_for 30 seen_messages few 5
        messages few >messages
        assert_eq "$(sed -n 1p messages)" "truncate(path: $BASE/few/here, length: 0) = -2 (ENOENT)"
        [ ! -L "$BASE/few/link" ] ||
                grep -qxF "symlinkat(target: target, newdirfd: AT_FDCWD, linkpath: $BASE/few/link) = 0" messages ||
                fail "no symlinkat of the 32-bit table"
        grep -q '^execve(pathname: /bin/true, .* = 0$' messages || fail 'no execve'
        grep -q '^exit_group(' messages || fail 'no exit_group'
        hook=$(hook_of few)
        case $hook in
        kprobe.multi | raw_tp) ;;
        *) fail "the hook is '$hook'" ;;
        esac
        assert_eq "$hook" "${EXPECTED_HOOK:-$hook}"
}

# More than return probes have places for.
test_many_calls_under_way() {
        local i
        for i in $(seq 60); do
                "$trigger" comm sct-asleep pause 4000 &
        done
        wait_for 60 seen_messages asleep 60
        sleep 0.5
        assert_eq "$(messages asleep | grep -c ' = 0$')" 60
}

test_more_and_many() {
        local before pid
        reload few
        before=$(hook_of few)
        "$trigger" comm sct-few say-count steady 4000000 500 &
        pid=$!
        ask more event=truncate,fchmodat comm=sct-more
        reload more
        assert_eq "$(hook_of more)" "$before"
        ask many "event=$(printf '%s,' access chdir chmod chown close connect creat dup fchdir fchmod fchown flock \
                getcwd getdents getpgid getsid link listen)truncate" comm=sct-many
        reload many
        [ "$before" = kprobe.multi ] || assert_eq "$(hook_of many)" raw_tp
        rm "$BASE/policies/many.yaml"
        ask last event=truncate comm=sct-last
        reload last
        assert_eq "$(hook_of last)" "$before"
        kill -0 $pid || fail 'the steady calls ended before'
        kill $pid
        wait $pid || true
        service_stop
        messages few | sed -n 's/.*few\/steady, length: \([0-9]*\)).*/\1/p' >steady
        [ "$(wc -l <steady)" -gt 500 ] || fail "only $(wc -l <steady) steady events"
        seq 0 $(($(wc -l <steady) - 1)) | cmp - steady || fail 'events are missing, or there are some twice'
        grep -q ', 0 lost' "$BASE/err" || fail "$(tail -1 "$BASE/err")"
}

run_tests
