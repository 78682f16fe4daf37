#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Executed files: every content is kept once, byte for byte, however short the program's life and whatever became of its
# file.
. "$(dirname "$0")/../lib/test.sh"
. "$(dirname "$0")/image.bash"

# The test's own programs have names of their own; comm is what is executed last.
setup() {
        image_setup exec event=sched_process_exec comm=sctx-*
}

teardown() {
        image_teardown
}

# The session of the documentation: /bin/ls, and the copy can be run.
test_ls() {
        cp /bin/ls "$work/sctx-ls"
        "$work/sctx-ls" / >one
        "$work/sctx-ls" / >/dev/null
        kept /bin/ls
        assert_contains "$(basename "$artifact")" .sctx-ls
        assert_eq "$(basename "$artifact" | grep -cE '^exec\.[0-9]{19}\.sctx-ls$')" 1 'names of that form'
        # With a group that may read captures they are 0640.
        assert_eq $((8#$(stat -c %a "$artifact") & 8#137)) 0 'bits of its mode that it must not have'
        chmod +x "$artifact"
        "$artifact" / >two
        cmp one two
}

# The same content under another name is the same artifact; a changed file is a new one.
test_once() {
        cp /bin/cat "$work/sctx-cat"
        cp /bin/cat "$work/sctx-cat-again"
        "$work/sctx-cat" /dev/null
        kept /bin/cat
        "$work/sctx-cat-again" /dev/null
        "$work/sctx-cat" /dev/null
        echo more >>"$work/sctx-cat"
        "$work/sctx-cat" /dev/null
        kept "$work/sctx-cat"
        kept /bin/cat
}

test_memfd() {
        cp "$image" "$work/sctx-memfd"
        cp /bin/echo "$work/echo"
        echo nameless >>"$work/echo"
        # comm of an executed descriptor is its number.
        "$work/sctx-memfd" memfd "$work/echo" hello >/dev/null
        kept "$work/sctx-memfd"
}

test_unlinked() {
        cp "$image" "$work/sctx-unlink"
        echo unlinked >>"$work/sctx-unlink"
        cp "$work/sctx-unlink" same
        "$work/sctx-unlink" unlink
        [ ! -e "$work/sctx-unlink" ] || fail 'it is still there'
        kept same
}

# Two hundred programs that are gone in a millisecond, each replaced by the next one.
test_distinct() {
        local i sums
        mkdir -p all
        "$image" distinct /bin/true "$work/sctx-one" "$PWD/all" 200
        sha256sum all/* | cut -d' ' -f1 | sort >expected
        assert_eq "$(uniq expected | wc -l)" 200 'contents'
        all_kept() {
                find "$host" -name '*.sctx-one' -exec sha256sum {} + | cut -d' ' -f1 | sort >found
                cmp -s expected found
        }
        wait_for 60 all_kept || {
                comm -23 expected found | wc -l
                fail 'some are missing'
        }
}

test_overwritten() {
        cp /bin/true same
        echo overwritten >>same
        "$image" overwrite same "$work/sctx-over"
        kept same
}

# A script is kept and so is what runs it.
test_script() {
        cp /bin/sh "$work/sh"
        printf '#!%s\nrm "$0"\n: a script of this test\n' "$work/sh" >"$work/sctx-script"
        chmod +x "$work/sctx-script"
        cp "$work/sctx-script" same
        "$work/sctx-script"
        [ ! -e "$work/sctx-script" ] || fail 'it is still there'
        kept same
        assert_contains "$(basename "$artifact")" .sctx-script
        kept /bin/sh
}

# A root of its own, which nobody else sees: the path means something else outside.
test_other_root() {
        mkdir -p "$work/root"
        cp /bin/true "$work/root/file"
        echo inside >>"$work/root/file"
        cp "$work/root/file" same
        cat >in.sh <<-END
	set -e
	mount -t tmpfs -o size=16m x "$work/root"
	mkdir -p "$work/root/bin" "$work/root/lib64" "$work/root/lib"
	cp $PWD/same "$work/root/bin/sctx-inside"
	cp --parents \$(ldd /bin/true | grep -o '/[^ ]*') "$work/root/"
	exec chroot "$work/root" /bin/sctx-inside
	END
        unshare -m bash in.sh
        kept same
        assert_contains "$(index_of "$artifact")" ' source=/bin/sctx-inside '
}

# A large program whose pages are not all resident, as long as it lives: the rest is read from the file.
test_not_resident() {
        cp /bin/sleep "$work/sctx-large"
        head -c 20000000 /dev/urandom >>"$work/sctx-large"
        sync "$work/sctx-large"
        # Drops its pages from memory.
        dd if="$work/sctx-large" iflag=nocache count=0 status=none
        "$work/sctx-large" 30 &
        kept "$work/sctx-large"
        kill %1
}

# What was kept before is known after a restart.
test_restart() {
        local n
        kept /bin/ls
        n=$(find "$host" -type f | wc -l)
        service_stop
        service_start
        "$work/sctx-ls" / >/dev/null
        "$work/sctx-cat-again" /dev/null
        cp /bin/date "$work/sctx-date"
        "$work/sctx-date" >/dev/null
        kept /bin/date
        # What was kept before is read again by the new service, and dropped when its content is known.
        wait_for 60 eval "[ \$(find $host -type f | wc -l) = $((n + 1)) ]"
}

run_tests
