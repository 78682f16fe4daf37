#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What a process has from ancestors that are gone outlives a change of the policies, a restart and a crash of the
# service. A small service manager of our own stands for systemd.
. "$(dirname "$0")/../lib/test.sh"

base=/tmp/.sct-lineage-$$
export BASE=$base CASE=say
trigger=$SCOPETRACE_BUILD/tests/trigger
mkdir -p "$base/say"
trap 'rm -rf "$base"' EXIT

# tracing NAME SELECTOR: a policy on truncate, which the trigger alone calls on these paths.
tracing() {
        {
                printf 'apiVersion: cilium.io/v1alpha1\nkind: TracingPolicy\nmetadata: {name: %s}\nspec:\n' "$1"
                printf '  kprobes:\n  - call: sys_truncate\n    syscall: true\n    args: [{index: 0, type: string}]\n'
                printf '    selectors:\n    - {%s}\n' "$2"
        } >policies/"$1.yaml"
}

begin() {
        rm -rf policies root
        mkdir -p policies root/etc/scopetrace
        rm -f commands answers
        mkfifo commands answers
        SCOPETRACE_ROOT=$PWD/root "$test_dir/small-manager.py" "$SCOPETRACED" <commands >answers 2>output &
        manager=$!
        exec 8>commands 9<answers
        trap 'leave' EXIT
}

# Ends the service, and the processes that wait.
leave() {
        local f
        exec 8>&-
        wait $manager
        for f in "$PWD"/meet-*; do
                if [ -s "$f" ]; then
                        kill "$(cut -d' ' -f1 "$f")" || true
                fi
        done
        rm -f "$PWD"/meet-*
        cat output
}

ask() {
        local answer
        echo "$*" >&8
        read -r -t 60 answer <&9
        echo "$answer"
}

start() {
        assert_eq "$(ask start --no-bus --policy "$PWD/policies")" ready "answer to start: $(cat output)"
}

reload() {
        ask forget >/dev/null
        ask kill HUP >/dev/null
        assert_eq "$(ask wait READY=)" READY=1
}

# said: what the policy matched, by the last component of the path.
said() {
        journalctl --sync
        journalctl -q -o json --all "POLICY=$1" | jq -r '.TRACE_ARG_PATH // .TRACE_ARG_PATHNAME' | sed 's/.*\///' | sort | paste -sd' '
}

is_said() {
        [ "$(said "$1")" = "$2" ]
}

# expect POLICY WORDS
expect() {
        wait_for 60 is_said "$1" "$2" || true
        assert_eq "$(said "$1")" "$2" "what $1 matched"
}

# descend PROGRAM WORD...: a process that descends from the program alone, which is gone, and that waits before each word.
descend() {
        local program=$1 words='' w pid
        shift
        for w; do
                words+=" meet $PWD/meet-$w say $w"
        done
        "$program" exec /bin/sh -c "'$trigger' $words </dev/null >&- 2>&- 8>&- 9>&- &"
        wait_for 60 test -s "$PWD/meet-$1"
}

go() {
        rm "$PWD/meet-$1"
        [ -z "${2:-}" ] || wait_for 60 test -s "$PWD/meet-$2"
}

# lineage CASE CHANGE: three words, with a change between them.
lineage() {
        local bin=$PWD/program-$1
        cp "$trigger" "$bin"
        begin
        tracing "in-$1" "matchBinaries: [{operator: In, values: [$bin, /nowhere]}]"
        tracing "not-$1" "matchBinaries: [{operator: NotIn, followChildren: true, values: [$bin]}]"
        start
        descend "$bin" one two three
        go one two
        "$2" 1
        go two three
        "$2" 2
        go three
        "$trigger" say other
        expect "in-$1" 'one three two'
        expect "not-$1" other
        ask kill TERM >/dev/null
        assert_eq "$(ask end)" 'ended 0'
}

# The rules get other numbers, and other lists other sets.
many_policies() {
        local i
        rm -f policies/a-*.yaml
        for i in $(seq $((70 * $1))); do
                tracing "a-$1-$i" "matchBinaries: [{operator: In, values: [/nowhere/$1/$i]}]"
        done
}

change_policies() {
        many_policies "$1"
        reload
}

restart() {
        many_policies "$1"
        ask kill TERM >/dev/null
        ask end >/dev/null
        start
}

crash() {
        ask kill KILL >/dev/null
        ask end >/dev/null
        start
}

test_reload() {
        lineage reload change_policies
}

test_restart() {
        lineage restart restart
}

test_crash() {
        lineage crash crash
}

# A set that comes with a reload: descendants of living ancestors are known at once, of a program that was never one's
# ancestor none.
test_policy_comes_later() {
        local bin=$PWD/program-later
        cp "$trigger" "$bin"
        begin
        tracing nothing 'matchBinaries: [{operator: In, values: [/nowhere]}]'
        start
        "$bin" child { exec "$trigger" meet "$PWD/meet-kid" say kid } </dev/null 8>&- 9>&- &
        wait_for 60 test -s "$PWD/meet-kid"
        tracing later "matchBinaries: [{operator: In, values: [$bin]}]"
        reload
        # Now the ancestor goes: its child still is what it was.
        kill $!
        wait_for 60 refused_parent "$(cut -d' ' -f1 "$PWD/meet-kid")" $!
        rm "$PWD/meet-kid"
        "$trigger" say other
        "$bin" say self
        expect later 'kid self'
        ask kill TERM >/dev/null
        assert_eq "$(ask end)" 'ended 0'
}

refused_parent() {
        ! grep -q "^PPid:[[:space:]]*$2\$" "/proc/$1/status"
}

run_tests
