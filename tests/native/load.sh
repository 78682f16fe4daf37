#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Much at once: all scopes, more rules than a mask has bits, long lists of values, reloads while events flow, bursts.
. "$(dirname "$0")/../lib/test.sh"
. "$(dirname "$0")/cases.bash"

setup() {
        cases_setup
}

teardown() {
        cases_teardown
}

# One event, 64 scopes: one record with every bit.
test_all_scopes() {
        local i
        for i in $(seq 64); do
                scope=$i policy all-$i event=truncate 'truncate.args.path=*/all_scopes/*'
        done
        scope=64 policy all-last event=truncate 'truncate.args.path=*/all_scopes/some'
        run say every say some
        [ $phase = check ] || return 0
        grep /all_scopes/ "$BASE/out" >all
        assert_eq "$(wc -l <all)" 2
        assert_eq "$(grep -c '"matchedScopes":18446744073709551615,' all)" 2
        assert_eq "$(head -1 all | jq '.matchedPolicies | length')" 64
        assert_eq "$(tail -1 all | jq '.matchedPolicies | length')" 65
        hits all-1 every some
        hits all-64 every some
        hits all-last some
}

# Each of 200 rules on one event, by a condition of its own; they fill several masks.
test_rules_on_one_event() {
        local i
        for i in $(seq 200); do
                case $((i % 4)) in
                0) policy rule-$i event=truncate "truncate.args.path=$BASE/rules_on_one_event/$i" ;;
                1) policy rule-$i event=truncate "truncate.args.path=*/rules_on_one_event/$i" ;;
                2) policy rule-$i event=truncate "truncate.args.path=*_on_one_event/$i" comm=sct-rules ;;
                3) policy rule-$i event=truncate truncate.args.length=$((50000000 + i)) comm=sct-rules ;;
                esac
        done
        if [ $phase = run ]; then
                for i in $(seq 200); do
                        echo say-number $i $((50000000 + i))
                done | xargs "$trigger" comm sct-rules
        fi
        [ $phase = check ] || return 0
        for i in $(seq 200); do
                hits rule-$i $i
        done
}

# Many processes and threads on all processors at a time: each call goes to the rule of who made it, once.
test_many_at_once() {
        local i
        for i in $(seq 16); do
                policy crowd-$i event=truncate comm=sct-crowd-$i uid=$((4100 + i % 4))
                policy crowd-length-$i event=truncate comm=sct-crowd-$i 'truncate.args.length>=400'
                do_run "$trigger" uid $((4100 + i % 4)) comm sct-crowd-$i say-count $i 500 0 &
                do_run "$trigger" thread uid $((4101 + i % 4)) comm sct-crowd-$i say-count other 100 0 &
        done
        wait
        [ $phase = check ] || return 0
        for i in $(seq 16); do
                assert_eq "$(cut -f2 "$BASE/by-policy/crowd-$i" | sort | uniq -c | sed 's/^ *//')" "500 many_at_once/$i"
                assert_eq "$(events crowd-$i truncate | jq '.args[1].value' | sort -n | uniq | wc -l)" 500
                assert_eq "$(events crowd-length-$i truncate | wc -l)" 100
        done
}

# Events that one hook serves, in scopes of their own: neither takes the other's bits.
test_two_events_of_one_hook() {
        scope=3 policy hook-enter event=sys_enter comm=sct-hook sys_enter.args.syscall=truncate
        scope=5 policy hook-call event=truncate comm=sct-hook
        scope=7 policy hook-leave event=sys_exit comm=sct-hook sys_exit.args.syscall=truncate
        scope=9 policy hook-both event=sys_enter,truncate comm=sct-hook
        run comm sct-hook say x
        [ $phase = check ] || return 0
        local only='select(.processName == "sct-hook" and (.syscall == "truncate" or .eventName == "truncate")) |
                    "\(.eventName) \(.matchedScopes)"'
        assert_eq "$(grep '"processName":"sct-hook"' "$BASE/out" | jq -r "$only" | sort | paste -sd,)" \
                'sys_enter 260,sys_exit 64,truncate 272'
}

# The even numbers of a range, one by one.
test_65536_values() {
        [ $phase != policy ] ||
                policy values event=truncate "truncate.args.length=$(seq -s, 1000000 2 1131070)" 'truncate.args.path=*/65536_values/*'
        run say-number low 999998 say-number first 1000000 say-number odd 1000001 say-number middle 1065536 \
                say-number last 1131070 say-number high 1131072
        hits values first middle last
}

seen_by_guest() {
        "$trigger" say "guest-$1"
        sleep 0.03
        grep -q "\"guest-$1\"" "$BASE/out"
}

# Every call of a policy that stays is there just once, while the set around it changes again and again.
test_reload() {
        local i
        policy steady event=truncate 'truncate.args.path=*/reload/count'
        policy steady-path event=open "open.args.pathname=$BASE/reload/fifo"
        if [ $phase = run ]; then
                mkfifo "$BASE/reload/fifo"
                # A call that is under way over all the reloads.
                "$SCOPETRACE_BUILD/tests/trigger" open-old fifo &
                "$trigger" say-count count 20000 50 &
                for i in $(seq 12); do
                        # The set has changed when the new policy sees its call.
                        printf '%s\n' --- 'apiVersion: scopetrace.org/v1' 'kind: ScopePolicy' "metadata: {name: guest-$i}" \
                                "spec: {scope: $i, filters: [event=truncate, 'truncate.args.path=*/reload/guest-$i']}" \
                                >"$BASE/policies/a-guest.yaml"
                        kill -HUP "$(cat "$BASE/service")"
                        wait_for 30 seen_by_guest "$i"
                        kill -0 $! 2>/dev/null || break
                done
                echo "$i" >"$BASE/reloads"
                : >"$BASE/reload/fifo"
                wait
                rm "$BASE/policies/a-guest.yaml"
        fi
        [ $phase = check ] || return 0
        [ "$(cat "$BASE/reloads")" -ge 3 ] || fail "only $(cat "$BASE/reloads") reloads happened meanwhile"
        events steady truncate | jq -c '.args[1].value' | sort -n >seen
        seq 0 19999 >expected
        cmp seen expected || fail "$(comm -13 <(sort seen) <(sort expected) | wc -l) calls are missing, $(uniq -d seen | wc -l) are doubled"
        assert_eq "$(events steady-path open | wc -l)" 1 'calls under way'
}

# burst N [SETTING]: what arrives and what is told to be lost is what was done, and the numbers say where. Without the
# journal, which has losses of its own.
burst() {
        local n=$1 got lost holes
        [ $phase = check ] || return 0
        mkdir -p "$BASE/burst" "$BASE/root/etc/scopetrace"
        printf '[Scopetrace]\nJournal=no\n%s\n' "${2:-}" >"$BASE/root/etc/scopetrace/scopetraced.conf"
        export SCOPETRACE_ROOT=$BASE/root
        printf '%s\n' 'apiVersion: scopetrace.org/v1' 'kind: ScopePolicy' 'metadata: {name: burst}' \
                'spec: {scope: 64, filters: [event=getsid, comm=sct-burst]}' >"$BASE/burst/one.yaml"
        rm -rf "$BASE/policies"
        mv "$BASE/burst" "$BASE/policies"
        service_start -o json
        "$trigger" comm sct-burst burst "$n"
        service_stop
        read -r got holes < <(grep -o '"sequence":[0-9]*' "$BASE/out" | awk -F: '
                { if (NR > 1 && $2 != last + 1) holes += $2 - last - 1; else if (NR == 1) holes += $2 - 1; last = $2 }
                END { print NR, holes + 0 }')
        lost=$(sed -n 's/.* ends: .* events, \([0-9]*\) lost.*/\1/p' "$BASE/err")
        echo "$got arrived, $lost lost, $holes missing in the sequence"
        assert_eq $((got + lost)) "$n" 'what arrived and what was lost'
        [ "$holes" -le "$lost" ] || fail "$holes numbers are missing, $lost events were lost"
        rm -f "$BASE/out"
}

test_burst() {
        burst 200000
}

# With the smallest ring most are lost, and none silently.
test_burst_beyond_the_ring() {
        burst 50000 RingSize=64K
}

run_tests
