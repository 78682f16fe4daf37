# SPDX-License-Identifier: LGPL-2.1-or-later
# Many policies, one service, one run. Sourced after tests/lib/test.sh. Each test_* function of the script is walked three
# times: `policy` and `early` speak before the service starts, `run` and `release` while it runs, and what compares
# (`hits`, `events`) after it ended. A function therefore holds its case as a whole: what is asked, what is done, what must
# have been seen.
#
# Files and system calls of a case have paths below $BASE/$CASE, so that two runs on one machine do not see each other's.

export BASE=/tmp/.sct-$$
trigger=$SCOPETRACE_BUILD/tests/trigger
phase=check
n_policies=0

# policy NAME FILTER...: only letters, digits and dashes in NAME. With $scope set, of that scope.
policy() {
        [ $phase = policy ] || return 0
        local name=$1 f
        shift
        n_policies=$((n_policies + 1))
        {
                printf -- '---\napiVersion: scopetrace.org/v1\nkind: ScopePolicy\nmetadata: {name: %s}\nspec:\n' "$name"
                printf '  scope: %d\n  filters:\n' "${scope:-$((n_policies % 64 + 1))}"
                for f; do
                        printf "  - '%s'\n" "${f//\'/\'\'}"
                done
        } >>"$BASE/policies/cases.yaml"
}

# run WORD...: the trigger. do_run COMMAND...: any command.
run() {
        [ $phase = run ] || return 0
        "$trigger" "$@"
}

do_run() {
        [ $phase = run ] || return 0
        "$@"
}

# needs FACT COMMAND...: where the command fails the case is skipped for that fact. Follow it with `|| return 0`.
needs() {
        local fact=$1
        shift
        "$@" >/dev/null 2>&1 && return
        [ $phase != check ] || skip "$fact"
        return 1
}

# early NAME WORD...: a trigger that is there before the policies are; it waits at `meet NAME` for `release NAME`. Its
# process number is what `early_pid NAME` prints, the thread's `early_tid NAME`.
early() {
        [ $phase = policy ] || return 0
        local name=$1
        shift
        "$trigger" "${@//MEET/$BASE/meet-$name}" >>"$BASE/early.log" 2>&1 </dev/null &
        echo $! >"$BASE/early-$name.pid"
        for _ in $(seq 400); do
                if [ -s "$BASE/meet-$name" ]; then
                        cp "$BASE/meet-$name" "$BASE/early-$name"
                        return 0
                fi
                sleep 0.02
        done
        fail "$name did not start: $(cat "$BASE/early.log")"
}

early_pid() {
        cut -d' ' -f1 "$BASE/early-$1"
}

early_tid() {
        cut -d' ' -f2 "$BASE/early-$1"
}

release() {
        [ $phase = run ] || return 0
        rm -f "$BASE/meet-$1"
        wait_for 20 ended "$(cat "$BASE/early-$1.pid")"
}

# A process that nobody has collected yet has ended, too.
ended() {
        local pid name state
        ! read -r pid name state _ 2>/dev/null <"/proc/$1/stat" || [ "$state" = Z ]
}

service_start() {
        rm -f "$BASE/out" "$BASE/err"      # else the last service's readiness would count
        # A root of its own, where no other service keeps captures.
        SCOPETRACE_ROOT=${SCOPETRACE_ROOT:-$BASE/root} "$SCOPETRACED" --console --no-bus --policy "$BASE/policies" "$@" \
                >"$BASE/out" 2>"$BASE/err" </dev/null &
        echo $! >"$BASE/service"
        for _ in $(seq 2400); do
                grep -q ' is ready ' "$BASE/err" && return
                kill -0 "$(cat "$BASE/service")" 2>/dev/null || break
                sleep 0.05
        done
        cat "$BASE/err"
        false
}

# What is in the ring at SIGTERM is still written.
service_stop() {
        local pid
        pid=$(cat "$BASE/service")
        kill "$pid" 2>/dev/null
        wait_for 60 ended "$pid"
}

walk() {
        local name
        phase=$1
        for name in $(sed -n 's/^\(test_[A-Za-z0-9_]*\)() *{.*/\1/p' "$0"); do
                if test_selected "$name"; then
                        export CASE=${name#test_}
                        [ $phase != policy ] || mkdir -p "$BASE/$CASE"
                        (set -eE; "$name") || { echo "case $name, phase $phase"; return 1; }
                        [ $phase != policy ] || n_policies=$(grep -c '^---' "$BASE/policies/cases.yaml" || true)
                fi
        done
}

cases_setup() {
        rm -rf "$BASE"
        mkdir -p "$BASE/policies"
        : >"$BASE/policies/cases.yaml"
        walk policy
        service_start -o json
        if grep -E ':[0-9]+:[0-9]+: |cannot|refused' "$BASE/err"; then
                fail 'the service complains'
        fi
        walk run
        service_stop
        # One line per event and policy: event, path below $BASE, the whole; a file for each policy.
        jq -r --arg base "$BASE/" '. as $e |
                ([.args[] | select(.value | strings | startswith($base)) | .value | ltrimstr($base)][0] // "") as $path |
                .matchedPolicies[] | [., $e.eventName, $path, ($e | tojson)] | join("\t")' "$BASE/out" >"$BASE/events"
        mkdir "$BASE/by-policy"
        awk -F'\t' -v d="$BASE/by-policy/" '{ f = d $1; sub(/^[^\t]*\t/, ""); print >>f; close(f) }' "$BASE/events"
}

cases_teardown() {
        local f
        for f in "$BASE"/early-*.pid "$BASE/service"; do
                if [ -s "$f" ]; then
                        kill "$(cat "$f")" 2>/dev/null
                fi
        done
        rm -rf "$BASE"
}

# hits POLICY TAG...: the policy matched just these of this case (by their path), each as often as it stands here.
hits() {
        [ $phase = check ] || return 0
        local policy=$1 case=${FUNCNAME[1]#test_}/ event path rest tag
        local -A balance=()
        local -a seen=()
        shift
        if [ -e "$BASE/by-policy/$policy" ]; then
                while IFS=$'\t' read -r event path rest; do
                        if [ "${path#"$case"}" != "$path" ]; then
                                seen+=("${path#"$case"}")
                                balance[${path#"$case"}]=$((${balance[${path#"$case"}]:-0} + 1))
                        fi
                done <"$BASE/by-policy/$policy"
        fi
        for tag; do
                balance[$tag]=$((${balance[$tag]:-0} - 1))
        done
        for tag in "${!balance[@]}"; do
                [ "${balance[$tag]}" = 0 ] || fail "policy $policy matched '${seen[*]}', expected '$*'"
        done
}

# events POLICY EVENT: the JSON of all events of that name that matched the policy.
events() {
        [ -e "$BASE/by-policy/$1" ] || return 0
        awk -F'\t' -v e="$2" '$1 == e' "$BASE/by-policy/$1" | cut -f3-
}
