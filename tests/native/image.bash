# SPDX-License-Identifier: LGPL-2.1-or-later
# What tests of captured images share: one service that keeps what programs of this test do, in a store of its own.
# Sourced after test.sh.

image=$SCOPETRACE_BUILD/tests/trigger-image
store=$test_tmp/store
host=$store/captures/host
work=$test_tmp/work

# image_setup CAPTURE FILTER...: starts the service with one policy. Programs of the test stand below $work.
image_setup() {
        local capture=$1 f
        shift
        mkdir -p "$test_tmp/policies" "$store" /var/lib/scopetrace
        mkdir -p "$work"
        # The native tier has a mount namespace of its own.
        mount --bind "$store" /var/lib/scopetrace
        {
                printf 'apiVersion: scopetrace.org/v1\nkind: ScopePolicy\nmetadata: {name: image}\n'
                printf 'spec:\n  scope: 42\n  capture: [%s]\n  filters:\n' "$capture"
                for f in "$@"; do
                        printf "  - '%s'\n" "$f"
                done
        } >"$test_tmp/policies/image.yaml"
        chmod 600 "$test_tmp/policies/image.yaml"
        # The disk of a small machine would leave less than the largest artifact of these tests.
        mkdir -p "$test_tmp/root/etc/scopetrace"
        printf '[Scopetrace]\nCaptureDirectory=%s\nCaptureMaxUse=1G\nCaptureMaxArtifactSize=512M\nCaptureKeepFree=0\n' \
                "$store/captures" >"$test_tmp/root/etc/scopetrace/scopetraced.conf"
        service_start
}

service_start() {
        rm -f "$test_tmp/err"           # what a service of before said in it
        SCOPETRACE_ROOT=$test_tmp/root "$SCOPETRACED" --console --no-bus --policy "$test_tmp/policies" -o json \
                >"$test_tmp/out" 2>"$test_tmp/err" </dev/null &
        echo $! >"$test_tmp/pid"
        wait_for 60 grep -q 'is ready' "$test_tmp/err"
}

# Ends the service, which writes everything it has.
service_stop() {
        local pid
        pid=$(cat "$test_tmp/pid") || return 0
        kill "$pid" 2>/dev/null
        wait_for 60 eval "! kill -0 $pid 2>/dev/null"
        rm -f "$test_tmp/pid"
}

image_teardown() {
        service_stop
        umount -l /var/lib/scopetrace
}

# kept FILE: an artifact of the host has exactly this content, and no other has; $artifact is its path. Waits.
kept() {
        local sum size
        sum=$(sha256sum <"$1" | cut -d' ' -f1)
        size=$(stat -Lc %s "$1")
        wait_for 60 find_artifact "$sum" "$size"
        artifact=$(find_artifact "$sum" "$size" | head -1)
        assert_eq "$(find_artifact "$sum" "$size" | wc -l)" 1 "artifacts with the content of $1"
}

# find_artifact SHA256 SIZE: only files of that size are read, for an emulated processor takes seconds over the large ones.
find_artifact() {
        find "$host" -type f -size "$2"c -exec sha256sum {} + 2>/dev/null | grep "^$1 " | cut -d' ' -f3- | grep .
}

# index ID-PATTERN: the newest line of the index for an artifact's path.
index_of() {
        grep -aF " path=host/$(basename "$1") " "$store/captures/.index" | tail -1
}
