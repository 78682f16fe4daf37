#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Memory that was written and then executed: kept as it was when it stopped being writable, byte for byte.
. "$(dirname "$0")/../lib/test.sh"
. "$(dirname "$0")/image.bash"

setup() {
        mkdir -p "$test_tmp/policies"
        cat >"$test_tmp/policies/other.yaml" <<-END
	apiVersion: scopetrace.org/v1
	kind: ScopePolicy
	metadata: {name: other}
	spec:
	  scope: 43
	  capture: ["mem=to-exec,exec-to-wx"]
	  filters: [event=sched_process_exec, comm=sctn-*]
	END
        chmod 600 "$test_tmp/policies/other.yaml"
        image_setup mem event=sched_process_exec comm=sctm-*
        cp "$image" "$work/sctm-one"
        cp "$image" "$work/sctn-one"
}

teardown() {
        image_teardown
}

# An unpacker: writable and executable, then executable alone.
test_unpacker() {
        "$work/sctm-one" unpack 65536 rwx,rx "$PWD/expected"
        kept expected
        assert_eq "$(basename "$artifact" | grep -cE '^bin\.pid-[0-9]+\.ts-[0-9]{19}$')" 1 'names of that form'
}

# What never was both writable and executable is no unpacker.
test_other_transitions() {
        "$work/sctm-one" unpack 8192 rw,rx "$PWD/not"
        "$work/sctm-one" unpack 12288 rwx,rx "$PWD/expected"
        kept expected
        assert_eq "$(find "$host" -size -3 -name 'bin.*' | wc -l)" 0 'regions of 8192 bytes'
}

# On request: memory that becomes executable, and executable memory that becomes writable.
test_asked_transitions() {
        local n
        "$work/sctn-one" unpack 24576 rw,rx "$PWD/expected"
        kept expected
        assert_contains "$(index_of "$artifact")" " scopes=$((1 << 42)) "
        n=$(find "$host" -name 'bin.*' | wc -l)
        "$work/sctn-one" unpack 28672 rx,rwx,rx "$PWD/expected"
        # It became executable, then writable: twice, and with the same content.
        twice() {
                [ "$(find "$host" -name 'bin.*' | wc -l)" = $((n + 2)) ] &&
                        [ "$(find "$host" -name 'bin.*' -size 56 | wc -l)" = 2 ]
        }
        wait_for 60 twice
}

# A region without the right to read it. With protection keys not even the kernel reads it on the process's behalf; what is
# left then is the process's memory file, as long as the process lives.
test_executable_alone() {
        if grep -qw pku /proc/cpuinfo; then
                "$work/sctm-one" unpack 20480 rwx,x+ "$PWD/expected" &
                wait_for 60 eval '[ "$(stat -c %s expected)" = 20480 ]'
                kept expected
                kill $!
                assert_contains "$(index_of "$artifact")" 'after'
        else
                "$work/sctm-one" unpack 20480 rwx,x "$PWD/expected"
                kept expected
        fi
}

# Many megabytes, of a process that is gone at once.
test_large() {
        "$work/sctm-one" unpack 16777216 rwx,rx "$PWD/expected"
        kept expected
        assert_lacks "$(index_of "$artifact")" hole
}

# More than the kernel side copies: the rest comes from the process, and the artifact says so.
test_larger_than_the_ring() {
        "$work/sctm-one" unpack 75497472 rwx,rx+ "$PWD/larger" &
        wait_for 60 eval '[ "$(stat -c %s larger)" = 75497472 ]'
        kept larger
        kill %1
        assert_contains "$(index_of "$artifact")" 'after'
}

run_tests
