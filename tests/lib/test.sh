# SPDX-License-Identifier: LGPL-2.1-or-later
# The runner of shell tests, sourced (bash). Every function named test_* of the script is a test; they run in the order
# in which they stand, each in a subshell under `set -e`, and each prints one line of the protocol that all tiers share:
#
#   PASS tier/script/name
#   FAIL tier/script/name        (what it printed follows, indented)
#   SKIP tier/script/name: the fact that stopped it
#
# A script ends with `run_tests`. TEST_PREFIX is what stands before the name; TESTFUNCS="a:b" runs only the tests whose
# name contains one of these. `setup` and `teardown`, where defined, run once around all of them.

test_dir=$(cd "$(dirname "${BASH_SOURCE[1]:-$0}")" && pwd)
test_tmp=$(mktemp -d "${TMPDIR:-/tmp}/scopetrace-test.XXXXXX")

# Ends the running test as skipped; the text names the fact.
skip() {
        echo "$*" >"$test_tmp/.skip"
        exit 77
}

# Ends the running test as failed.
fail() {
        echo "failed: $*" >&2
        exit 1
}

# assert_eq ACTUAL EXPECTED [WHAT]
assert_eq() {
        [ "$1" = "$2" ] || fail "${3:-value} is '$1', expected '$2'"
}

# assert_contains TEXT PART
assert_contains() {
        case $1 in
        *"$2"*) ;;
        *) fail "'$2' is not in: $1" ;;
        esac
}

# assert_lacks TEXT PART
assert_lacks() {
        case $1 in
        *"$2"*) fail "'$2' is in: $1" ;;
        esac
}

# refused COMMAND...: the command must fail. (`!` before a command is no test: `set -e` does not look at it.)
refused() {
        if "$@"; then
                fail "this succeeded: $*"
        fi
}

# wait_for SECONDS COMMAND...: until the command succeeds. Looks 20 times a second: for states that announce nothing. A
# command that takes its time on an emulated processor is still asked again, but never for longer than five times that.
wait_for() {
        # What is asked sees these: names that no test has.
        local wait_left=$(($1 * 20)) wait_end=$((SECONDS + $1 * 5))
        shift
        while ! "$@" >/dev/null 2>&1; do
                wait_left=$((wait_left - 1))
                [ $wait_left -gt 0 ] && [ $SECONDS -lt $wait_end ] || fail "this did not come true: $*"
                sleep 0.05
        done
}

# Lets everything that was sent to the journal reach its files.
journal_sync() {
        journalctl --sync
}

# journal_count MATCH...: how many entries match.
journal_count() {
        journalctl --sync
        journalctl -q -o json --output-fields=PRIORITY "$@" | wc -l
}

test_selected() {
        [ -n "${TESTFUNCS:-}" ] || return 0
        local part
        for part in ${TESTFUNCS//:/ }; do
                case $1 in
                *"$part"*) return 0 ;;
                esac
        done
        return 1
}

# What a failed test printed: the beginning and the end.
details() {
        awk '{ line[NR] = $0 } END { for (i = 1; i <= NR; i++)
                if (i <= 30 || i > NR - 30) print "        " line[i]; else if (i == 31) print "        ..." }' \
                "$test_tmp/.log"
}

# In a subshell of its own, so that what a test sets or leaves ends with it; `set -e` holds because nothing tests the
# subshell's result where it stands.
run_one() {
        local name=$1 r
        rm -f "$test_tmp/.skip"
        (
                set -eE
                trap 'echo "line $LINENO of $0: $BASH_COMMAND" >&2' ERR
                cd "$test_tmp"
                "$name"
        ) >"$test_tmp/.log" 2>&1 </dev/null
        r=$?
        case $r in
        0) echo "PASS ${TEST_PREFIX:-}${name#test_}" ;;
        77)
                if [ -e "$test_tmp/.skip" ]; then
                        echo "SKIP ${TEST_PREFIX:-}${name#test_}: $(cat "$test_tmp/.skip")"
                        r=0
                fi ;;
        esac
        if [ $r != 0 ]; then
                echo "FAIL ${TEST_PREFIX:-}${name#test_}"
                details
                n_failed=$((n_failed + 1))
        fi
}

run_tests() {
        local name n_failed=0
        set +e
        if declare -F setup >/dev/null; then
                (set -e; setup) >"$test_tmp/.log" 2>&1 </dev/null
                case $? in
                0) ;;
                77)
                        echo "SKIP ${TEST_PREFIX:-}setup: $(cat "$test_tmp/.skip" 2>/dev/null)"
                        rm -rf "$test_tmp"
                        exit 0 ;;
                *)
                        # Without it every test would fail, each after its own patience.
                        echo "FAIL ${TEST_PREFIX:-}setup"
                        details
                        if declare -F teardown >/dev/null; then
                                (teardown) >/dev/null 2>&1 </dev/null
                        fi
                        rm -rf "$test_tmp"
                        exit 1 ;;
                esac
        fi
        for name in $(sed -n 's/^\(test_[A-Za-z0-9_]*\)() *{.*/\1/p' "$0"); do
                if test_selected "$name"; then
                        run_one "$name"
                fi
        done
        if declare -F teardown >/dev/null; then
                (teardown) >/dev/null 2>&1 </dev/null
        fi
        rm -rf "$test_tmp"
        [ $n_failed = 0 ]
        exit
}
