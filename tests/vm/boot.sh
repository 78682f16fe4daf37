#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Boots one virtual machine of a Debian suite with that suite's own kernel, scopetrace installed by `meson install`,
# runs every tests/vm/guest/*.sh in it, and prints their PASS, FAIL and SKIP lines.
#
#   tests/vm/boot.sh SUITE [SCRIPT...]
#
# SCOPETRACE_TIER=error-injection boots a kernel of the same version that has error injection, and runs
# tests/vm/error-injection/*.sh; SCOPETRACE_TIER=bench measures, see tools/bench-machine.
#
# QEMU emulates the processor, which makes everything about ten times slower: guests are minimal and boot once a run.
# TEST_VM_ACCEL=kvm asks for KVM; it is not taken by itself, because nested machines offer a /dev/kvm that never gets a
# kernel started. The root disk is made from the laid tree for this run and thrown away.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
suite=$1
shift

if [ -z "${SCOPETRACE_VM_INSIDE:-}" ]; then
        exec env SCOPETRACE_VM_INSIDE=1 unshare --mount --propagation private "$0" "$suite" "$@"
fi

machine=${SCOPETRACE_TIER:-vm}
tier=$machine-$suite
if ! command -v qemu-system-x86_64 >/dev/null; then
        echo "SKIP $tier: qemu-system-x86_64 is not installed"
        exit 0
fi

work=$(mktemp -d "${TMPDIR:-/tmp}/scopetrace-vm.XXXXXX")
trap 'umount -l "$work/tree" "$work" 2>/dev/null || true; rmdir "$work" 2>/dev/null || true' EXIT

case $machine in
error-injection) kernel=$("$here/../trees/make-tree" error-injection "$suite") ;;
*) kernel=$("$here/../trees/make-tree" kernel "$suite") ;;
esac
if ! "$here/../trees/lay-tree" "$suite" "$work"; then
        echo "FAIL $tier/install: scopetrace was not built or installed into the $suite tree"
        exit 1
fi
cat >"$work/share/environment" <<END
TEST_TIER=$machine
TEST_SCRIPTS=$*
TESTFUNCS=${TESTFUNCS:-}
TEST_TIMEOUT=${TEST_TIMEOUT:-1200}
BENCH_ROUNDS=${BENCH_ROUNDS:-}
END

# What only a machine of its own needs: the kernel's modules, the shared folder, no waiting for hardware to settle.
initrd=()
if [ -e "$kernel/initrd" ]; then
        initrd=(-initrd "$kernel/initrd")
        mkdir -p "$work/tree/usr/lib/modules"
        cp -a "$kernel/modules/lib/modules/." "$work/tree/usr/lib/modules/"
fi
echo 'share /share 9p trans=virtio,version=9p2000.L,msize=262144 0 0' >"$work/tree/etc/fstab"
for unit in systemd-udev-settle.service systemd-rfkill.socket systemd-backlight@.service modprobe@drm.service \
            systemd-fsck-root.service systemd-remount-fs.service systemd-random-seed.service; do
        ln -sf /dev/null "$work/tree/etc/systemd/system/$unit"
done

mib=$(($(du -sm --apparent-size "$work/tree" | cut -f1) * 5 / 4 + 300))
mkfs.ext4 -q -F -d "$work/tree" -E lazy_itable_init=1,nodiscard -O ^has_journal -m 0 "$work/disk" "${mib}M" >/dev/null

accel=(-accel "tcg,thread=multi" -cpu max)
if [ "${TEST_VM_ACCEL:-tcg}" = kvm ]; then
        accel=(-accel kvm -cpu host)
fi
boot() {
        r=0
        timeout -k 10 "${TEST_BOOT_TIMEOUT:-4000}" qemu-system-x86_64 "${accel[@]}" -machine q35 -smp 2 -m 2048 \
                -nodefaults -no-user-config -display none -no-reboot \
                -kernel "$kernel/vmlinuz" "${initrd[@]}" \
                -append "console=ttyS0 quiet root=/dev/vda rw panic=-1 mitigations=off lsm=landlock,lockdown,yama,bpf \
systemd.show_status=0 systemd.getty_auto=0 systemd.firstboot=0 net.ifnames=0 \
oops=panic watchdog_thresh=60 softlockup_panic=1 softlockup_all_cpu_backtrace=1" \
                -drive "file=$work/disk,if=none,id=disk,format=raw,cache=unsafe" -snapshot \
                -device virtio-blk-pci,drive=disk \
                -fsdev "local,id=share,path=$work/share,security_model=none" \
                -device virtio-9p-pci,fsdev=share,mount_tag=share \
                -device virtio-rng-pci -serial "file:$work/console" </dev/null >"$work/qemu" 2>&1 || r=$?
}

# With two threads QEMU 7.2 at times goes on with what it translated while the other processor changed the code, as every
# probe does: the guest takes a breakpoint (int3) that is in its memory no longer, or runs into what was freed, and dies
# or hangs. With one thread it does not, and takes twice as long. So a machine whose kernel died is started again for the
# scripts that it has not finished, three times: what a script does to a kernel each time is still a failure.
boot
for _ in 1 2 3; do
        if grep -q '^DONE ' "$work/share/results" 2>/dev/null || ! grep -q 'Kernel panic' "$work/console"; then
                break
        fi
        echo "($tier: the guest's kernel died; the machine is started again)"
        if [ -n "${TEST_LOGS:-}" ]; then
                mkdir -p "$TEST_LOGS/$tier"
                cat "$work/console" >>"$TEST_LOGS/$tier/died"
        fi
        boot
done

results=$work/share/results
[ -e "$results" ] || : >"$results"
grep -v '^DONE ' "$results" || true
failed=0
if ! grep -q '^DONE 0$' "$results"; then
        failed=1
fi
if ! grep -q '^DONE ' "$results"; then
        echo "FAIL $tier/boot: the machine ended before its tests did (qemu: $r)"
        tail -n 60 "$work/qemu" "$work/console" "$work/share/console" 2>/dev/null | sed 's/^/        /'
fi
if [ -n "${TEST_LOGS:-}" ]; then
        mkdir -p "$TEST_LOGS/$tier"
        cp "$work/console" "$TEST_LOGS/$tier/boot" 2>/dev/null || true
        cp "$work"/share/{journal,console,results,core*} "$TEST_LOGS/$tier/" 2>/dev/null || true
fi
exit $failed
