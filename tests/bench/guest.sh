#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Inside an emulated machine (tools/bench-machine): CPU time of a call untraced and traced, in turn, and one burst. Prints
# rows; nothing here fails because it is slow.
set -euo pipefail

build=/usr/lib/scopetrace-tests/build
work=$(mktemp -d)
rounds=${BENCH_ROUNDS:-7}
calls=${BENCH_CALLS:-20000}

# start FILTER...: the service with one policy, until it is ready.
start() {
        local f i
        {
                printf 'apiVersion: scopetrace.org/v1\nkind: ScopePolicy\nmetadata: {name: bench}\nspec:\n  scope: 1\n  filters:\n'
                for f in "$@"; do
                        printf "  - '%s'\n" "$f"
                done
        } >"$work/policy.yaml"
        chmod 600 "$work/policy.yaml"
        /usr/libexec/scopetraced --console --no-bus --policy "$work/policy.yaml" -o json >"$work/out" 2>"$work/err" &
        for i in $(seq 600); do
                ! grep -q 'is ready' "$work/err" || return 0
                sleep 0.1
        done
        cat "$work/err"
        exit 1
}

stop() {
        sleep 1
        kill %1
        wait %1 || true
}

# run KIND: CPU nanoseconds of one call, the least of two passes.
run() {
        "$build/tests/workload" --comm=sctbench --repeat=2 --path=/nothing/of/that/name "$1" "$calls" | cut -d' ' -f3
}

median() {
        sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'
}

# report WHAT NAME
report() {
        local untraced traced
        untraced=$(median <"$work/$1.untraced")
        traced=$(median <"$work/$1.traced")
        echo "$2 ${kinds[$1]}: untraced $untraced, traced $traced, ratio $(awk "BEGIN { printf \"%.2f\", $traced / $untraced }")" \
                "(untraced $(sort -n "$work/$1.untraced" | sed -n '1p;$p' | tr '\n' ' ')traced $(sort -n "$work/$1.traced" |
                        sed -n '1p;$p' | tr '\n' ' '))"
}

declare -A filters=(
        [matching]='event=openat comm=sctbench'
        [unwanted]='event=openat comm=sctnobody'
        [unrelated]='event=openat comm=sctbench'
)
declare -A kinds=([matching]=miss [unwanted]=miss [unrelated]=getppid)

echo "Linux $(uname -r), $rounds rounds of $calls calls, ns of CPU"
for what in matching unwanted unrelated; do
        for _ in $(seq "$rounds"); do
                run "${kinds[$what]}" >>"$work/$what.untraced"
                read -ra list <<<"${filters[$what]}"
                start "${list[@]}"
                run "${kinds[$what]}" >>"$work/$what.traced"
                stop
        done
        report "$what" "$what"
done

# The kernel's audit with a rule for the same calls of the same program, as a peer. Once it was on, all system calls of tasks
# that begin afterwards take the long way; so it comes last of what is compared.
auditd_start() {
        auditd -s nochange >/dev/null
        auditctl -D >/dev/null
        auditctl -b 8192 >/dev/null
        auditctl -a always,exit -F arch=b64 -S openat -F "exe=$build/tests/workload"
        auditctl -e 1 >/dev/null
}

auditd_stop() {
        auditctl -D >/dev/null
        auditctl -e 0 >/dev/null
        pkill -x auditd
        while pgrep -x auditd >/dev/null; do
                sleep 0.1
        done
}

for what in matching unrelated; do
        rm "$work/$what".*
        for _ in $(seq "$rounds"); do
                run "${kinds[$what]}" >>"$work/$what.untraced"
                auditd_start
                run "${kinds[$what]}" >>"$work/$what.traced"
                auditd_stop
        done
        report "$what" "auditd: $what"
done
echo "auditd: lost $(auditctl -s | sed -n 's/^lost //p')"

start event=openat comm=sctbench
"$build/tests/workload" --comm=sctbench --repeat=1 --path=/nothing/of/that/name miss 20000 >/dev/null
sleep 10
stop
echo "burst of 20000: $(grep -c '"openat"' "$work/out") written; $(tail -1 "$work/err")"
