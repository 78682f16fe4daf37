# SPDX-License-Identifier: LGPL-2.1-or-later
# What tests of the installed service share; sourced after test.sh, inside a booted container or machine.
#
# The kernel is shared with everything outside a container: a test counts only events that carry a name of its own.

policies=/etc/scopetrace/policies.d

# probe NAME: a program of the test's own, /usr/local/bin/NAME, that does nothing and succeeds.
probe() {
        mkdir -p /usr/local/bin
        cp /usr/bin/true "/usr/local/bin/$1"
}

# policy NAME SCOPE FILTER...: writes /etc/scopetrace/policies.d/NAME.yaml.
policy() {
        local name=$1 scope=$2 f
        shift 2
        mkdir -p "$policies"
        {
                printf 'apiVersion: scopetrace.org/v1\nkind: ScopePolicy\nmetadata:\n  name: %s\n' "$name"
                printf 'spec:\n  scope: %s\n  filters:\n' "$scope"
                for f in "$@"; do
                        printf "    - '%s'\n" "$f"
                done
        } >"$policies/$name.yaml"
}

# The records of matching entries, one JSON object a line.
records() {
        journalctl --sync
        journalctl -q -b -o json --all "$@"
}

count() {
        records "$@" | wc -l
}

# field NAME MATCH...: the values of one field over all matching entries, sorted; lists are flattened.
field() {
        local name=$1
        shift
        records "$@" | jq -r --arg name "$name" '.[$name] | if type == "array" then .[] else . end | strings' | sort
}

count_is() {
        local n=$1
        shift
        [ "$(count "$@")" = "$n" ]
}

# expect_count N MATCH...: N entries match, now or within seconds: records travel through a ring and the journal.
expect_count() {
        local n=$1 i
        for i in $(seq 100); do
                if count_is "$@"; then
                        break
                fi
                sleep 0.1
        done
        assert_eq "$(shift; count "$@")" "$n" "number of entries with ${*:2}"
}

status_text() {
        systemctl show -P StatusText scopetrace.service
}

main_pid() {
        systemctl show -P MainPID scopetrace.service
}

# Fails with the service's own words.
start_service() {
        systemctl enable --now scopetrace.service || {
                systemctl --no-pager -l status scopetrace.service
                journalctl -b --no-pager -u scopetrace.service | tail -40
                return 1
        }
}
