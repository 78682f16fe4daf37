#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Captured packets against those that `tcpdump -w` kept of the same traffic, packet for packet: in network namespaces of
# the test's own, so that nobody else's packets are there.
. "$(dirname "$0")/../lib/test.sh"

BASE=/tmp/.sct-capture-pcap-$$
here=$(cd "$(dirname "$0")" && pwd)
export PYTHONDONTWRITEBYTECODE=1 MANY=${MANY:-1000}

# here_net, peer_net: the service and most traffic; what stands at the other end of veth.
here_net() {
        nsenter --net="/proc/$(cat "$BASE/net-here")/ns/net" "$@"
}

peer_net() {
        nsenter --net="/proc/$(cat "$BASE/net-peer")/ns/net" "$@"
}

traffic() {
        here_net python3 "$here/pcap-traffic.py" "$@"
}

has_own_net() {
        [ "$(readlink "/proc/$1/ns/net")" != "$(readlink /proc/self/ns/net)" ]
}

make_nets() {
        local n
        for n in here peer; do
                unshare --net sleep infinity </dev/null >/dev/null 2>&1 &
                echo $! >"$BASE/net-$n"
                wait_for 30 has_own_net "$(cat "$BASE/net-$n")"
        done
        here_net ip link set lo up
        here_net ip link add sct-a type veth peer name sct-b
        here_net ip link set sct-b netns "$(cat "$BASE/net-peer")"
        here_net ip addr add 10.99.0.1/24 dev sct-a
        here_net ip -6 addr add fd99::1/64 dev sct-a nodad
        here_net ip link set sct-a up
        peer_net ip link set lo up
        peer_net ip addr add 10.99.0.2/24 dev sct-b
        peer_net ip -6 addr add fd99::2/64 dev sct-b nodad
        peer_net ip link set sct-b up
}

# policy NAME SCOPE CAPTURES COMM...
policy() {
        local name=$1 scope=$2 captures=$3
        shift 3
        cat >>"$BASE/policies/packets.yaml" <<-END
	---
	apiVersion: scopetrace.org/v1
	kind: ScopePolicy
	metadata: {name: $name}
	spec:
	  scope: $scope
	  filters: ["comm=$(echo "$*" | tr ' ' ',')", event=sched_process_exit]
	  capture: [$captures]
	END
}

service_start() {
        mkdir -p "$BASE/root/etc/scopetrace"
        printf '%s\n' '[Scopetrace]' "CaptureDirectory=$BASE/captures" >"$BASE/root/etc/scopetrace/scopetraced.conf"
        rm -f "$BASE/err"
        (ulimit -n 256
        SCOPETRACE_ROOT=$BASE/root exec nsenter --net="/proc/$(cat "$BASE/net-here")/ns/net" \
                "$SCOPETRACED" --console --no-bus --policy "$BASE/policies") >"$BASE/out" 2>"$BASE/err" </dev/null &
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

ends() {
        wait_for 60 eval "! kill -0 $1"
}

# dump NAME INTERFACE: what tcpdump keeps, until dump_stop.
dump() {
        nsenter --net="/proc/$(cat "$BASE/net-here")/ns/net" \
                tcpdump -i "$2" -w "$BASE/$1.dump" --time-stamp-precision=nano -U -B 8192 -s 0 >/dev/null 2>"$BASE/$1.log" &
        echo $! >"$BASE/$1.tcpdump"
        wait_for 30 grep -q 'listening on' "$BASE/$1.log"
}

dump_stop() {
        local pid
        pid=$(cat "$BASE/$1.tcpdump")
        # What the kernel still holds for it: until nothing more comes.
        local size=-1
        while [ "$(stat -c %s "$BASE/$1.dump")" != "$size" ]; do
                size=$(stat -c %s "$BASE/$1.dump")
                sleep 2
        done
        kill "$pid"
        ends "$pid"
        rm "$BASE/$1.tcpdump"
}

# server NAME KIND ADDRESS PORT: until it listens; with side=peer in the other namespace.
server() {
        local ready=$BASE/$1.ready
        rm -f "$ready"
        nsenter --net="/proc/$(cat "$BASE/net-${side:-here}")/ns/net" \
                python3 "$here/pcap-traffic.py" serve "$@" "$ready" &
        wait_for 60 test -s "$ready"
}

setup() {
        rm -rf "$BASE"
        mkdir -p "$BASE/policies"
        make_nets
        : >"$BASE/policies/packets.yaml"
        policy seed 9 'network, "pcap:single,process,container,command", "pcap-snaplen:max"' ping sct-srv sct-cli sct-udps sct-udpc
        policy veth 10 '"pcap:command", "pcap-snaplen:max"' sct-veth
        policy device 11 'net=sct-a, "pcap-snaplen:max"' sct-dev
        policy headers 12 '"pcap:command", "pcap-snaplen:headers"' sct-head
        policy short 13 '"pcap:command", "pcap-snaplen:120b"' sct-short
        policy default 14 '"pcap:command"' sct-default
        policy filter 15 '"pcap:command", "pcap-snaplen:max", "pcap-filter:udp dst port 7015"' sct-filter
        policy hangup 18 '"pcap:command", "pcap-snaplen:max"' sct-hang
        policy many 16 '"pcap:process"' sct-many
        policy early 17 '"pcap:command", "pcap-snaplen:max"' sct-early
        server sct-early udp 127.0.0.1 7017
        service_start

        # All of loopback's packets of this part are of processes that are captured.
        dump lo lo
        here_net ping -c 3 -i 0.2 127.0.0.1 >/dev/null
        here_net ping -c 3 -i 0.2 ::1 >/dev/null
        server sct-srv tcp 127.0.0.1 7001
        traffic talk sct-cli tcp 127.0.0.1 7001 1 1000 100000
        server sct-srv tcp ::1 7002
        traffic talk sct-cli tcp ::1 7002 5000
        server sct-udps udp 127.0.0.1 7003
        traffic talk sct-udpc udp 127.0.0.1 7003 1 512 1400
        dump_stop lo

        dump veth sct-a
        side=peer server other tcp 10.99.0.2 7004
        traffic talk sct-veth tcp 10.99.0.2 7004 100 30000
        side=peer server other udp fd99::2 7005
        traffic talk sct-veth udp fd99::2 7005 100 1000
        dump_stop veth

        dump device sct-a
        side=peer server other udp 10.99.0.2 7006
        server other udp 127.0.0.1 7007
        traffic talk sct-dev udp 10.99.0.2 7006 77
        traffic talk sct-dev udp 127.0.0.1 7007 78
        dump_stop device

        # Closed before the other end is: a TIME-WAIT without a socket answers.
        dump hangup sct-a
        side=peer server other tcp 10.99.0.2 7020
        traffic hangup sct-hang tcp 10.99.0.2 7020 100
        side=peer server other tcp fd99::2 7021
        traffic hangup sct-hang tcp fd99::2 7021 100
        sleep 1
        dump_stop hangup

        # Longer than a frame: whole here, fragments on the wire.
        side=peer server other udp 10.99.0.2 7008
        traffic talk sct-filter udp 10.99.0.2 7008 20
        side=peer server other udp 10.99.0.2 7015
        traffic talk sct-filter udp 10.99.0.2 7015 20000

        for name in sct-head sct-short sct-default; do
                server other udp 127.0.0.1 7010
                traffic talk $name udp 127.0.0.1 7010 1000
        done

        # A socket that was there before the service.
        traffic send nobody 127.0.0.1 7017 'to early'
        traffic send nobody 127.0.0.1 7017 ''

        # One whose process sleeps while the policies change: judged by the new ones when its packet comes.
        server sct-late udp 127.0.0.1 7018
        policy late 19 '"pcap:command", "pcap-snaplen:max"' sct-late
        kill -HUP "$(cat "$BASE/service")"
        wait_for 60 grep -q 'were read again' "$BASE/err"
        traffic send nobody 127.0.0.1 7018 'to late'
        traffic send nobody 127.0.0.1 7018 ''

        traffic_many >"$BASE/many.log" 2>&1
        service_stop
}

# Many processes, each a file of its own: a thousand, but where processors are emulated.
traffic_many() {
        here_net python3 - <<-'END'
	import ctypes, os, socket
	for i in range(int(os.environ['MANY'])):
	    pid = os.fork()
	    if pid == 0:
	        ctypes.CDLL(None).prctl(15, b'sct-many', 0, 0, 0)
	        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
	        for part in range(2):
	            s.sendto(b'%d %d' % (i, part), ('127.0.0.1', 7099))
	        os._exit(0)
	    if i % 50 == 0:
	        os.waitpid(pid, 0)
	while True:
	    try:
	        os.wait()
	    except ChildProcessError:
	        break
	END
}

teardown() {
        local f
        # Also servers that still wait, when something failed.
        for f in $(jobs -p) $(cat "$BASE"/*.tcpdump "$BASE/service" "$BASE"/net-here "$BASE"/net-peer 2>/dev/null); do
                kill "$f" 2>/dev/null
        done
        rm -rf "$BASE"
}

pcap() {
        echo "$BASE/captures/$1"
}

lines() {
        python3 "$here/pcap-traffic.py" "${3:-whole}" "$1" >"$2"
}

# same FILE DUMP: the same packets, as many, those of a flow in the same order; nothing cut.
same() {
        python3 "$here/pcap-traffic.py" compare "$1" "$2" 2>differences || fail "$1 differs from $2: $(cat differences)"
}

# same_of FILE DUMP FILTER: as above, with what a filter of tcpdump's takes of the dump.
same_of() {
        tcpdump -r "$2" -w part --time-stamp-precision=nano "$3" 2>/dev/null
        same "$1" part
}

test_single() { same "$(pcap pcap/single.pcap)" "$BASE/lo.dump"; }
test_container() { same "$(pcap pcap/containers/host.pcap)" "$BASE/lo.dump"; }
test_command_ping() { same_of "$(pcap pcap/commands/host/ping.pcap)" "$BASE/lo.dump" 'icmp or icmp6'; }
test_command_tcp_client() { same_of "$(pcap pcap/commands/host/sct-cli.pcap)" "$BASE/lo.dump" tcp; }
test_command_tcp_server() { same_of "$(pcap pcap/commands/host/sct-srv.pcap)" "$BASE/lo.dump" tcp; }
test_command_udp_client() { same_of "$(pcap pcap/commands/host/sct-udpc.pcap)" "$BASE/lo.dump" udp; }
test_command_udp_server() { same_of "$(pcap pcap/commands/host/sct-udps.pcap)" "$BASE/lo.dump" udp; }

# One file a process; together they are the command's.
test_processes() {
        local f
        assert_eq "$(ls "$BASE"/captures/pcap/processes/host/ping_*.pcap | wc -l)" 2
        assert_eq "$(ls "$BASE"/captures/pcap/processes/host/sct-cli_*.pcap | wc -l)" 2
        for f in "$BASE"/captures/pcap/processes/host/sct-cli_*.pcap; do
                case $(basename "$f") in
                sct-cli_[0-9]*_[0-9]*.pcap) ;;
                *) fail "this is no name of a process's file: $f" ;;
                esac
        done
        same_of "$(ls "$BASE"/captures/pcap/processes/host/ping_*.pcap | head -1)" "$BASE/lo.dump" icmp
}

# Between hosts: what only one end is captured of, in both directions.
test_veth() { same_of "$(pcap pcap/commands/host/sct-veth.pcap)" "$BASE/veth.dump" 'tcp or udp'; }

test_hangup() { same_of "$(pcap pcap/commands/host/sct-hang.pcap)" "$BASE/hangup.dump" tcp; }

# net=: that interface's packets of the processes, no others.
test_interface() { same_of "$(pcap host/capture.pcap)" "$BASE/device.dump" 'udp port 7006'; }

# A filter, and datagrams longer than a frame: whole, where tcpdump has fragments.
test_filter() {
        lines "$(pcap pcap/commands/host/sct-filter.pcap)" got
        assert_eq "$(cut -d' ' -f1 got | tr '\n' ' ')" '20028 28 '
}

test_snaplen() {
        local name length
        for name in head:28 short:148 default:124; do
                length=${name#*:}
                lines "$(pcap "pcap/commands/host/sct-${name%:*}.pcap")" got print
                # Two of 1,000 bytes and the end: original lengths stay.
                assert_eq "$(cut -d' ' -f1 got | tr '\n' ' ')" '1028 1028 28 ' "original lengths of $name"
                assert_eq "$(awk '{ print length($2) / 2 }' got | tr '\n' ' ')" "$length $length 28 " "kept of $name"
        done
}

test_socket_from_before() {
        lines "$(pcap pcap/commands/host/sct-early.pcap)" got
        assert_contains "$(cat got)" "$(printf 'to early' | od -An -tx1 | tr -d ' ')"
}

test_policy_from_later() {
        lines "$(pcap pcap/commands/host/sct-late.pcap)" got
        assert_contains "$(cat got)" "$(printf 'to late' | od -An -tx1 | tr -d ' ')"
}

test_many_files() {
        local f n=0
        cat "$BASE/many.log"
        for f in "$BASE"/captures/pcap/processes/host/sct-many_*.pcap; do
                n=$((n + 1))
                [ "$(stat -c %s "$f")" -gt 88 ] || fail "$f holds fewer than two packets"
        done
        assert_eq $n "$MANY"
}

# Other tools read them.
test_tcpdump_reads() {
        assert_contains "$(tcpdump -n -r "$(pcap pcap/commands/host/ping.pcap)" 2>&1)" '127.0.0.1 > 127.0.0.1: ICMP echo request'
        if command -v tshark >/dev/null; then
                assert_eq "$(tshark -r "$(pcap pcap/commands/host/ping.pcap)" 2>/dev/null | wc -l)" 12
        fi
}

# Names, sizes and scopes in the index; every packet was kept.
test_index() {
        assert_contains "$(cat "$BASE/captures/.index")" 'path=pcap/single.pcap '
        assert_lacks "$(cat "$BASE/err")" 'lost bytes'
}

run_tests
