#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Arguments of kernel functions: one function a type, with what makes it happen and what does not.
. "$(dirname "$0")/../../lib/test.sh"
. "$(dirname "$0")/../../lib/service.sh"

# hook NAME FUNCTION ARGS [FILTERS [RETURN]]: RETURN is the type of the return value.
hook() {
        printf -- '---\napiVersion: cilium.io/v1alpha1\nkind: TracingPolicy\nmetadata: {name: %s}\nspec:\n  kprobes:\n' "$1"
        printf '  - call: %s\n    syscall: false\n    args: [%s]\n' "$2" "$3"
        [ -z "${5:-}" ] || printf '    return: true\n    returnArg: {index: 0, type: %s}\n' "$5"
        printf '    selectors:\n    - matchArgs: [%s]\n' "${4:-}"
        printf '      matchBinaries: [{operator: In, values: [/usr/local/bin/st-bash, /usr/local/bin/st-cat, /usr/local/bin/st-perl]}]\n'
}

setup() {
        cp /usr/bin/bash /usr/local/bin/st-bash
        cp /usr/bin/cat /usr/local/bin/st-cat
        cp /usr/bin/perl /usr/local/bin/st-perl
        mkdir -p "$policies"
        ip link set lo up || true
        {
                hook t-auto security_file_open '{index: 0}' '{index: 0, operator: Equal, values: [/etc/hostname]}'
                hook t-inode security_file_open '{index: 0, type: file, resolve: f_inode.i_mode, label: mode}, {index: 0, type: file, label: file}' \
                        '{args: [1], operator: Equal, values: [/etc/hostname]}'
                hook t-path security_path_mkdir '{index: 0, type: path}, {index: 1, type: dentry}' \
                        '{index: 1, operator: Postfix, values: [st-directory]}'
                hook t-filename do_filp_open '{index: 1, type: filename}' '{index: 1, operator: Equal, values: [/etc/hostname]}'
                hook t-cred commit_creds '{index: 0, type: cred}, {index: 0, type: cap_effective, label: caps}'
                hook t-sockaddr security_socket_connect '{index: 0, type: socket}, {index: 1, type: sockaddr}, {index: 2}' \
                        '{index: 1, operator: SAddr, values: [127.9.0.0/16]}, {index: 1, operator: SPort, values: ["4711"]}'
                hook t-sock udp_sendmsg '{index: 0, type: sock}, {index: 2, type: size_t}' \
                        '{index: 0, operator: DAddr, values: [127.9.0.1]}, {index: 0, operator: Protocol, values: [IPPROTO_UDP]}'
                hook t-skb ip_send_skb '{index: 1, type: skb}' '{index: 1, operator: DAddr, values: [127.9.0.0/16]}, {index: 1, operator: DPort, values: ["4711"]}'
                hook t-iter udp_sendmsg '{index: 0, type: nop}, {index: 1, type: iov_iter, resolve: msg_iter, label: data}' \
                        '{index: 1, operator: Prefix, values: [st-data]}'
                hook t-caps security_capset '{index: 2, type: kernel_cap_t}, {index: 3, type: kernel_cap_t}'
                hook t-return security_file_permission '{index: 0, type: file}, {index: 1}' \
                        '{index: 0, operator: Equal, values: [/etc/hostname]}' int
                hook t-gained security_capset '{index: 1, type: cap_effective, label: old}, {index: 2, type: kernel_cap_t, label: new}' \
                        '{args: [0, 1], operator: CapabilitiesGained}'
                # The seventh argument stands on the stack, and the tenth where only values are read.
                hook t-seventh do_futex '{index: 2, type: uint32, label: val}, {index: 6, type: uint32, label: val3}' \
                        '{index: 6, operator: Equal, values: ["77777"]}'
                hook t-tenth ip_make_skb '{index: 4, type: int, label: length}, {index: 9, type: uint32, label: flags}' \
                        '{index: 9, operator: Mask, values: ["0x40"]}'
                hook t-module ext4_mb_new_blocks '{index: 1, type: uint32, btfType: ext4_allocation_request, btfTypeModule: ext4, resolve: len, label: blocks}, {index: 1, type: uint64, resolve: inode.i_ino, label: inode}' \
                        '{args: [0], operator: GT, values: ["0"]}'
                hook t-no-module ext4_mb_new_blocks '{index: 1, type: uint32, btfType: ext4_allocation_request, btfTypeModule: st_none, resolve: len}'
                hook t-no-type ext4_mb_new_blocks '{index: 1, type: uint32, btfType: st_none, btfTypeModule: ext4, resolve: len}'
                hook t-bad security_file_open '{index: 0, type: file, resolve: f_inode.nothing}'
                hook t-index security_file_open '{index: 5, type: int}'
        } >"$policies/types.yaml"
        systemctl restart scopetrace.service
}

teardown() {
        rm -f "$policies/types.yaml"
        systemctl reload scopetrace.service
}

some() {
        local i
        for i in $(seq 200); do
                [ "$(count "$@")" = 0 ] || return 0
                sleep 0.1
        done
        fail "no entry has $*"
}

test_names_and_types() {
        st-cat /etc/hostname /etc/passwd >/dev/null
        some POLICY=t-auto
        assert_eq "$(field TRACE_ARG_FILE POLICY=t-auto | sort -u)" /etc/hostname
        some POLICY=t-filename
        some POLICY=t-return
        assert_eq "$(field TRACE_RETVAL POLICY=t-return | sort -u)" 0
}

test_resolve() {
        st-cat /etc/hostname >/dev/null
        some POLICY=t-inode
        assert_eq "$(field TRACE_ARG_MODE POLICY=t-inode | sort -u)" "$((16#$(stat -c %f /etc/hostname)))"
}

test_addresses() {
        st-bash -c 'exec 3<>/dev/udp/127.9.0.1/4711; echo st-data >&3; exec 4<>/dev/udp/127.8.0.1/4712; echo no-data >&4'
        some POLICY=t-sockaddr
        assert_eq "$(field TRACE_ARG_ADDRESS POLICY=t-sockaddr | sort -u)" 127.9.0.1:4711
        some POLICY=t-sock
        some POLICY=t-skb
        assert_contains "$(field TRACE_ARGS POLICY=t-skb)" 127.9.0.1:4711
        some POLICY=t-iter
        assert_contains "$(field TRACE_ARG_DATA POLICY=t-iter)" st-data
}

# Capabilities that were there before, and that one loses, are not gained.
test_capabilities_gained() {
        st-perl -e 'my ($head, $data) = (pack("LL", 0x20080522, 0), "\0" x 24);
                    syscall(125, $head, $data) == 0 or die $!;
                    my @caps = unpack("L6", $data);
                    for my $effective ($caps[0] & ~(1 << 13), $caps[0] & ~(1 << 13), $caps[0]) {
                            $data = pack("L6", $effective, @caps[1 .. 5]);
                            syscall(126, $head, $data) == 0 or die $!;
                    }'
        expect_count 1 POLICY=t-gained
        assert_lacks "$(field TRACE_ARG_OLD POLICY=t-gained)" CAP_NET_RAW
        assert_contains "$(field TRACE_ARG_NEW POLICY=t-gained)" CAP_NET_RAW
}

test_arguments_on_the_stack() {
        # FUTEX_WAKE of nobody.
        st-perl -e 'my $word = "\0" x 4; syscall(202, $word, 1, 4242, 0, 0, $_) for 77777, 77778'
        expect_count 1 POLICY=t-seventh
        assert_eq "$(field TRACE_ARG_VAL POLICY=t-seventh) $(field TRACE_ARG_VAL3 POLICY=t-seventh)" '4242 77777'
        # MSG_DONTWAIT: what it is sent with comes last.
        st-perl -MSocket -e 'socket(my $s, PF_INET, SOCK_DGRAM, 0) or die $!;
                             connect($s, sockaddr_in(4713, inet_aton("127.9.0.1"))) or die $!;
                             send($s, "st-tenth", $_) for 0, 0x40'
        expect_count 1 POLICY=t-tenth
        assert_eq "$(field TRACE_ARG_FLAGS POLICY=t-tenth)" 64
        assert_eq "$(field TRACE_ARG_LENGTH POLICY=t-tenth)" 16
}

test_types_of_modules() {
        st-perl -e 'open(my $f, ">", "/root/st-blocks") or die $!; syswrite($f, "x" x 20000); syscall(74, fileno($f)) == 0 or die $!'
        some POLICY=t-module
        assert_eq "$(field TRACE_ARG_INODE POLICY=t-module | sort -u)" "$(stat -c %i /root/st-blocks)"
        assert_eq "$(field TRACE_ARG_BLOCKS POLICY=t-module | awk '{ n += $1 } END { print (n >= 5) }')" 1
        rm -f /root/st-blocks
}

test_refusals() {
        scopectl show t-bad --no-pager | grep -q 'has no member nothing'
        scopectl show t-no-module --no-pager | grep -q 'no type information of a module st_none'
        scopectl show t-no-type --no-pager | grep -q 'no struct st_none'
        scopectl show t-index --no-pager | grep -q 'none with index 5'
}

run_tests
