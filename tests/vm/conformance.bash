# SPDX-License-Identifier: LGPL-2.1-or-later
# Policies as others wrote them, unchanged: what the scripts that try them share; sourced after service.sh. One row a file:
# loaded or refused with which sentence, what must be an event and what must not. Policies act on everything that
# happens here, which is nobody's machine but this test's.

data=$test_dir/../../data
deed=$test_dir/../../lib/deed.pl
kernel=$(uname -r | cut -d. -f1,2)

setup() {
        cp /usr/bin/perl /usr/local/bin/st-yes
        cp /usr/bin/perl /usr/local/bin/st-no
        cp /usr/bin/perl /usr/bin/vim
        cp /usr/bin/perl /usr/sbin/sshd
        ln -sfn /proc /procRoot
        ln -sf "$(ldd /bin/bash | sed -n 's/.*=> \(.*libc\.so\.6\) .*/\1/p')" /lib64/libc.so.6
        chmod 666 /etc/hostname
        start_service
}

teardown() {
        rm -f /usr/bin/vim /usr/sbin/sshd /procRoot /lib64/libc.so.6
}

yes() {
        st-yes "$deed" "$@"
}

no() {
        st-no "$deed" "$@"
}

file_of() {
        case $1 in
        guide-*) echo "$data/policies/tracing/good/$1.yaml" ;;
        *) echo "$data/tetragon-v0.9/$1.yaml" ;;
        esac
}

# load FILE [SED]: with the test's own numbers where the file has a placeholder.
load() {
        sed -e "${2:-}" "$(file_of "$1")" >policy.yaml
        load_written
}

# What stands in policy.yaml; $cursor is where the journal was before.
load_written() {
        # What a test that failed has left.
        if [ -e loaded ]; then
                scopectl unload "$(cat loaded)" || true
                rm loaded
        fi
        name=$(sed -n 's/^ *\(metadata: {\)\{0,1\}name: *"\{0,1\}\([^"}]*\)"\{0,1\}}\{0,1\}$/\2/p' policy.yaml | head -1)
        # Read from an entry of its own on: --after-cursor with matches loses the first of them before systemd 253.
        logger -t st-mark "$name"
        journalctl --sync
        cursor=$(journalctl -q -n 1 -t st-mark --show-cursor -o cat | sed -n 's/^-- cursor: //p')
        scopectl load policy.yaml 2>&1 || return
        echo "$name" >loaded
}

unload() {
        scopectl unload "$name"
        rm loaded
}

# hits MATCH...: events of the loaded policy since it was loaded; what the service says of the policy itself is none.
hits() {
        journalctl -q --cursor "$cursor" -o json --output-fields=TRACE_EVENT "POLICY=$name" "$@" |
                grep -c '"TRACE_EVENT"' || true
}

# saw N [MATCH...]: at least N events, within a minute; looking alone takes seconds where a processor is emulated.
saw() {
        local end=$((SECONDS + 60))
        until [ "$(hits "${@:2}")" -ge "$1" ]; do
                [ $SECONDS -lt $end ] || fail "$(hits "${@:2}") events instead of $1: ${*:2}"
                sleep 0.2
        done
}

# Two times the deed that counts, with the one that does not count in between: what the first and the last one caused is
# there, so nothing of the one between can be on its way. ONLY: a match for the events that are meant, where another hook of
# the policy sees both.
judged() {
        local yes=$1 no=$2 match="${3:-TRACE_COMM=st-yes} ${only:-}"
        eval "$yes" || true
        saw 1 $match
        if [ -n "$no" ]; then
                eval "$no" || true
                local n
                n=$(hits $match)
                eval "$yes" || true
                saw $((n + 1)) $match
                assert_eq "$(hits TRACE_COMM=st-no ${only:-})" 0 "events of what does not count"
        fi
}

# row FILE YES NO [SED [MATCH]]
row() {
        load "$1" "${4:-}"
        judged "$2" "$3" "${5:-}"
        unload
}

# kills FILE DEED OTHER [SED [WHO]]: the deed ends by a signal, the other does not.
kills() {
        local r=0
        load "$1" "${4:-}"
        eval "$2" || r=$?
        assert_eq "$r" 137 "end of what must be killed"
        saw 1 "TRACE_ACTION=sigkill"
        r=0
        eval "$3" || r=$?
        [ "$r" -lt 128 ] || fail "what must go on ended with $r"
        unload
}

# refused_row FILE SENTENCE: not loaded, and the sentence says why.
refused_row() {
        local out
        if out=$(load "$1" "${3:-}"); then
                fail "this was loaded: $1"
        fi
        assert_contains "$out" "$2"
}

# loads FILE [SED]: its values match nothing that there is (numbers of one machine, words like arg0).
quiet() {
        load "$1"
        no open /etc/passwd
        journalctl -q --cursor "$cursor" -o cat "POLICY=$name" | head -5
        assert_eq "$(hits)" 0 events
        unload
}

my_ns() {
        stat -Lc %i "/proc/self/ns/$1"
}

interactive() {
        echo exit | script -qec 'bash --norc --noprofile -i' /dev/null >/dev/null
}
