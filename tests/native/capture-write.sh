#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Written and read files: whatever call moved the data, the artifact holds the same bytes at the same places; what could not
# be kept is a hole and nothing else. Most kinds of calls need nothing of the kernel that a locked-down one refuses.
. "$(dirname "$0")/../lib/test.sh"

BASE=/tmp/.sct-capture-write-$$
trigger=$SCOPETRACE_BUILD/tests/trigger-capture

# service CONFIG-LINE...: with the captures of this test.
service_start() {
        mkdir -p "$BASE/root/etc/scopetrace" "$BASE/policies" "$BASE/files" "$BASE/other" "$BASE/read"
        printf '%s\n' '[Scopetrace]' "CaptureDirectory=$BASE/captures" "$@" \
                >"$BASE/root/etc/scopetrace/scopetraced.conf"
        cp "$trigger" "$BASE/sct-capture-w"
        cat >"$BASE/policies/capture.yaml" <<-END
	apiVersion: scopetrace.org/v1
	kind: ScopePolicy
	metadata: {name: writes}
	spec:
	  scope: 42
	  filters: [comm=sct-capture-w, event=sched_process_exec]
	  capture: ["write=$BASE/files/*", "write=*.suffix", "read=$BASE/read/*"]
	---
	apiVersion: scopetrace.org/v1
	kind: ScopePolicy
	metadata: {name: output}
	spec:
	  scope: 7
	  filters: [comm=sct-capture-w, event=sched_process_exec]
	  capture: ["write:fd=stdout", "write:type=regular", "write=$BASE/files/out*"]
	END
        rm -f "$BASE/err"
        SCOPETRACE_ROOT=$BASE/root "$SCOPETRACED" --console --no-bus --policy "$BASE/policies" >"$BASE/out" 2>"$BASE/err" \
                </dev/null &
        echo $! >"$BASE/service"
        wait_for 60 grep -q ' is ready ' "$BASE/err"
}

service_stop() {
        local pid
        pid=$(cat "$BASE/service")
        kill "$pid"
        wait_for 120 eval "! kill -0 $pid"
        rm "$BASE/service"
}

setup() {
        rm -rf "$BASE"
        mkdir -p "$BASE/sh"
        cp /bin/bash "$BASE/sh/sct-capture-w"
        service_start
}

teardown() {
        if [ -s "$BASE/service" ]; then
                kill "$(cat "$BASE/service")"
        fi
        rm -rf "$BASE"
}

# The artifact of a file: artifact KIND FILE. An inode that a file of before had gives it another name.
artifact() {
        local path
        path=$(grep " kind=$1 .* source=$2 " "$BASE/captures/.index" | tail -1 | sed 's/.* path=\([^ ]*\) .*/\1/')
        [ -n "$path" ] && echo "$BASE/captures/$path"
}

# What the index says last of an artifact: field PATH KEY.
field() {
        grep "path=host/$(basename "$1") " "$BASE/captures/.index" | tail -1 | tr ' ' '\n' | sed -n "s/^$2=//p"
}

is_done() {
        [ "$(field "$1" done)" = 1 ]
}

same() {
        [ -e "$(artifact write "$1")" ] && cmp -s "$1" "$(artifact write "$1")"
}

# way NAME [SIZE]: the trigger's way, then both files compared.
way() {
        local file=$BASE/files/$1 r=0
        "$BASE/sct-capture-w" "$1" "$file" "${@:2}" >way.log 2>&1 || r=$?
        [ $r != 77 ] || skip "$(cat way.log)"
        assert_eq $r 0 "$(cat way.log)"
        wait_for 60 same "$file"
}

# The session of the documentation.
test_echo() {
        "$BASE/sh/sct-capture-w" -c "echo testing 123 > $BASE/files/testing.txt"
        wait_for 60 same "$BASE/files/testing.txt"
        assert_eq "$(cat "$(artifact write "$BASE/files/testing.txt")")" 'testing 123'
}

test_write() { way write; }
test_pwrite() { way pwrite; }
test_writev() { way writev; }
test_pwritev() { way pwritev; }
test_pwritev2() { way pwritev2; }
test_append() { way append; }
test_many_small() { way many 300000; }
test_shared_position() { way shared; }
test_sendfile() { way sendfile; }
test_splice() { way splice; }
test_copy_file_range() { way copy_file_range; }
test_direct() { way direct; }
test_untouched_pages() { way untouched; }
test_uring() { way uring; }
test_aio() { way aio; }

# What the file lost the artifact has lost too, and says that there was more.
test_cut() {
        way cut
        assert_contains "$(field "$(artifact write "$BASE/files/cut")" note)" cut%20or%20punched
        assert_eq "$(field "$(artifact write "$BASE/files/cut")" hole)" ''
}

# A file that is emptied begins anew; what was captured of it before stays, under a name of its own.
test_emptied() {
        local f=$BASE/files/emptied inode
        "$BASE/sh/sct-capture-w" -c "echo 'a long line of before' > $f"
        wait_for 60 same "$f"
        "$BASE/sh/sct-capture-w" -c "echo short > $f"
        wait_for 60 same "$f"
        inode=$(stat -c %i "$f")
        assert_eq "$(cat "$BASE"/captures/host/write.*."inode-$inode.until-"*)" 'a long line of before'
        wait_for 60 is_done "$BASE/captures/host/$(basename "$BASE"/captures/host/write.*."inode-$inode.until-"*)"
        "$BASE/sh/sct-capture-w" -c ": > $f"
        wait_for 60 eval "grep -lx short $BASE/captures/host/write.*.inode-$inode.until-*"
        assert_eq "$(find "$BASE/captures/host" -name "write.*.inode-$inode")" ''
}

# A limit on the file's size: half of it was written, the second call and one from nowhere failed.
test_partial() {
        way partial 100000
        assert_eq "$(stat -c %s "$(artifact write "$BASE/files/partial")")" 50000
}

test_mapping() {
        way mmap
        wait_for 60 is_done "$(artifact write "$BASE/files/mmap")"
        assert_contains "$(field "$(artifact write "$BASE/files/mmap")" note)" shared%20mapping
}

test_mapping_at_exit() { way mmap-exit; }

# A core dump, which no call of the process writes.
test_core() {
        case $(cat /proc/sys/kernel/core_pattern) in
        /* | \|*) skip 'core dumps do not go into the directory of the process' ;;
        esac
        grep -q __kernel_write_iter /sys/kernel/tracing/available_filter_functions ||
                skip 'functions of the kernel cannot be hooked'
        mkdir "$BASE/files/dump"
        "$BASE/sct-capture-w" core "$BASE/files/dump" || true
        wait_for 60 eval "same $BASE/files/dump/core*"
        assert_contains "$(field "$(artifact write "$BASE"/files/dump/core*)" note)" kernel
}

# No offsets there: in the order in which they came, from write() and from vmsplice().
test_pipes() {
        local way f
        for way in fifo vmsplice; do
                f=$BASE/files/$way
                mkfifo "$f"
                cat "$f" >"got-$way" &
                "$BASE/sct-capture-w" $way "$f" 200000
                wait $!
                wait_for 60 artifact write "$f"
                wait_for 60 cmp -s "got-$way" "$(artifact write "$f")"
        done
}

# Only what the policies name: by path, by suffix; and whose scopes it is.
test_filters() {
        local f
        "$BASE/sct-capture-w" write "$BASE/other/not" 1000
        "$BASE/sct-capture-w" write "$BASE/other/this.suffix" 1000
        "$BASE/sct-capture-w" write "$BASE/files/scopes" 1000
        wait_for 60 same "$BASE/files/scopes"
        wait_for 60 same "$BASE/other/this.suffix"
        [ -z "$(ls "$BASE/captures/host/" | grep "inode-$(stat -c %i "$BASE/other/not")\$")" ] || fail 'not asked for'
        assert_eq "$(field "$(artifact write "$BASE/files/scopes")" scopes)" $((1 << 41))
        # stdout and a regular file below the path, by the other policy as well.
        for f in out-1 out-2; do
                "$BASE/sh/sct-capture-w" -c 'echo to stdout; echo to stderr >&2' >"$BASE/files/$f" 2>"$BASE/files/err-$f"
                wait_for 60 same "$BASE/files/$f"
                assert_eq "$(field "$(artifact write "$BASE/files/$f")" scopes)" $(((1 << 41) | (1 << 6)))
        done
}

# The bytes that were read, where they were; what was not read is a gap.
test_read() {
        local f=$BASE/read/source a
        head -c 100000 /dev/urandom >"$f"
        "$BASE/sct-capture-w" read "$f" 3000
        wait_for 60 artifact read "$f"
        a=$(artifact read "$f")
        wait_for 60 eval "[ \$(stat -c %s $a) = 20110 ]"
        # 0-1000 and 1000-1110 and 1110-4110 one after the other, 5000-5500, 20000-20110.
        cmp -n 4110 "$f" "$a"
        cmp -i 5000 -n 500 "$f" "$a"
        cmp -i 20000 -n 110 "$f" "$a"
        assert_eq "$(dd if="$a" bs=1 skip=6000 count=5000 status=none | tr -d '\0' | wc -c)" 0
}

test_read_by_sendfile() {
        local f=$BASE/read/sent
        head -c 50000 /dev/urandom >"$f"
        "$BASE/sct-capture-w" sendfile-from "$f" 50000
        wait_for 60 artifact read "$f"
        wait_for 60 cmp -s "$f" "$(artifact read "$f")"
}

# An inode that is used again is another file.
test_inode_used_again() {
        local f=$BASE/files/again inode i first
        "$BASE/sct-capture-w" write "$f" 5000
        inode=$(stat -c %i "$f")
        wait_for 60 same "$f"
        cp "$f" first
        first=$(artifact write "$f")
        for i in $(seq 200); do
                rm "$f"
                "$BASE/sct-capture-w" pwrite "$f" 100
                [ "$(stat -c %i "$f")" != "$inode" ] || break
        done
        [ "$(stat -c %i "$f")" = "$inode" ] || skip 'this file system does not use an inode again soon'
        wait_for 60 same "$f"
        cmp first "$first"
        assert_contains "$(artifact write "$f")" "inode-$inode.generation-"
}

# Deleted before anybody looked: what passed through a call is kept all the same.
test_deleted() {
        local inode
        "$BASE/sh/sct-capture-w" -c "exec 3>$BASE/files/deleted; rm $BASE/files/deleted; echo gone >&3; stat -L -c %i /proc/self/fd/3" \
                >inode
        inode=$(cat inode)
        wait_for 60 eval "[ \"\$(cat $BASE/captures/host/write.*inode-$inode)\" = gone ]"
}

# Every byte, or exactly the holes that the index tells.
check_bytes() {
        local file=$1 a holes hole offset at=0 lost=0
        wait_for 60 artifact write "$file"
        a=$(artifact write "$file")
        wait_for 120 is_done "$a"
        holes=$(field "$a" hole)
        for hole in $holes "$(stat -c %s "$file")+0"; do
                offset=${hole%+*}
                if [ "$offset" -gt $at ]; then
                        cmp -i $at -n $((offset - at)) "$file" "$a"
                fi
                at=$((offset + ${hole#*+}))
                lost=$((lost + ${hole#*+}))
        done
        echo "$(wc -w <<<"$holes") holes, $lost of $(stat -c %s "$file") bytes"
}

# STORM_MIB=1024 for a gigabyte; what it costs the events and the bus is measured by `tools/bench BUILD storm`.
test_storm() {
        "$BASE/sct-capture-w" storm "$BASE/files/storm" $((${STORM_MIB:-256} << 20))
        check_bytes "$BASE/files/storm"
        rm "$BASE/files/storm"
}

# A ring that cannot hold it.
test_storm_tiny_ring() {
        local lost
        service_stop
        rm -rf "$BASE/captures"
        service_start CaptureRingSize=256K
        "$BASE/sct-capture-w" write "$BASE/files/storm" $((64 << 20))
        "$BASE/sct-capture-w" many "$BASE/files/storm-many" $((8 << 20))
        check_bytes "$BASE/files/storm" >holes
        [ "$(field "$(artifact write "$BASE/files/storm")" hole)" ] || fail 'a ring of 256K lost nothing of 64M'
        check_bytes "$BASE/files/storm-many" >>holes
        cat holes
        assert_lacks "$(cat "$BASE/err")" 'bad record'
}

run_tests
