#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Memory that was written and then executed: kept as it was when it stopped being writable, byte for byte.
. "$(dirname "$0")/../lib/test.sh"
. "$(dirname "$0")/image.bash"

setup() {
        image_setup mem event=sched_process_exec comm=sctm-*
        cp "$image" "$work/sctm-one"
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

# A region without the right to read it. With protection keys not even the kernel reads it on the process's behalf; what is
# left then is the process's memory file, and this process is gone too soon.
test_executable_alone() {
        ! grep -qw pku /proc/cpuinfo || skip 'the processor has protection keys: memory that can only be executed has none to read'
        "$work/sctm-one" unpack 20480 rwx,x "$PWD/expected"
        kept expected
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
