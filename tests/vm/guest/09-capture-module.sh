#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Kernel modules: the bytes that the kernel was given, whoever gave them, loaded or not; and the copy loads again.
. "$(dirname "$0")/../../lib/test.sh"
. "$(dirname "$0")/../../lib/service.sh"

host=/var/lib/scopetrace/captures/host

setup() {
        local file
        cp /usr/bin/kmod /usr/local/bin/insmod
        cp /usr/bin/kmod /usr/local/bin/rmmod
        file=$(find "/usr/lib/modules/$(uname -r)" -name 'dummy.ko*' | head -1)
        mkdir -p /var/tmp/modules
        case $file in
        # Small trees have no xz.
        *.xz) python3 -c 'import lzma, sys; sys.stdout.buffer.write(lzma.open(sys.argv[1]).read())' "$file" \
                        >/var/tmp/modules/dummy.ko ;;
        *.zst) zstd -dcq "$file" >/var/tmp/modules/dummy.ko ;;
        *) cp "$file" /var/tmp/modules/dummy.ko ;;
        esac
        mkdir -p "$policies"
        cat >"$policies/modules.yaml" <<-END
	apiVersion: scopetrace.org/v1
	kind: ScopePolicy
	metadata: {name: modules}
	spec:
	  scope: 51
	  capture: [module]
	  filters: [event=sched_process_exec, comm=insmod]
	END
        if ! systemctl is-active --quiet scopetrace.service; then
                start_service
        fi
        systemctl reload scopetrace.service
}

teardown() {
        rm -f "$policies/modules.yaml"
        systemctl reload scopetrace.service
}

# kept FILE: one module with this content; its path in $artifact.
kept() {
        local sum
        sum=$(sha256sum <"$1" | cut -d' ' -f1)
        wait_for 60 eval "ls $host/module.*.$sum"
        artifact=$(ls $host/module.*."$sum")
        assert_eq "$(wc -l <<<"$artifact")" 1 'artifacts of one content'
        cmp "$1" "$artifact"
}

test_load() {
        /usr/local/bin/insmod /var/tmp/modules/dummy.ko
        grep -q '^dummy ' /proc/modules
        kept /var/tmp/modules/dummy.ko
        assert_eq "$(basename "$artifact" | grep -cE '^module\.dev-[0-9]+\.inode-[0-9]+\.pid-[0-9]+\.[0-9a-f]{64}$')" 1 names
        assert_contains "$(basename "$artifact")" ".inode-$(stat -c %i /var/tmp/modules/dummy.ko)."
        /usr/local/bin/rmmod dummy
}

# From its capture, which is not captured a second time.
test_load_again() {
        kept /var/tmp/modules/dummy.ko
        /usr/local/bin/insmod "$artifact"
        grep -q '^dummy ' /proc/modules
        /usr/local/bin/rmmod dummy
        kept /var/tmp/modules/dummy.ko
}

# What the kernel refuses is kept too, and says so.
test_refused() {
        local sum
        cp /var/tmp/modules/dummy.ko /var/tmp/modules/broken.ko
        # A module of another kernel, as far as this one can tell.
        sed -i 's/vermagic=/vermagic=9/' /var/tmp/modules/broken.ko
        refused /usr/local/bin/insmod /var/tmp/modules/broken.ko
        kept /var/tmp/modules/broken.ko
        grep -aF "$(basename "$artifact")" /var/lib/scopetrace/captures/.index >lines
        grep -aq refused lines
}

# From memory: init_module() has no file.
test_from_memory() {
        command -v python3 >/dev/null || skip 'no python3 in this tree'
        cp /var/tmp/modules/dummy.ko /var/tmp/modules/memory.ko
        echo 'bytes behind its end' >>/var/tmp/modules/memory.ko
        cp "$(command -v python3)" /usr/local/bin/insmod-memory
        python3 - <<-END || true
	import ctypes
	open("/proc/self/comm", "w").write("insmod")
	data = open("/var/tmp/modules/memory.ko", "rb").read()
	ctypes.CDLL(None).syscall(175, data, len(data), b"")
	END
        kept /var/tmp/modules/memory.ko
        assert_eq "$(basename "$artifact" | grep -cE '^module\.pid-[0-9]+\.[0-9a-f]{64}$')" 1 names
        /usr/local/bin/rmmod dummy || true
}

run_tests
