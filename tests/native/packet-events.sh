#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Events of packets against what `tcpdump -w` kept of the same traffic, and captures of the packets that are events: in a
# network namespace of the test's own.
. "$(dirname "$0")/../lib/test.sh"

BASE=/tmp/.sct-packet-events-$$
here=$(cd "$(dirname "$0")" && pwd)
export PYTHONDONTWRITEBYTECODE=1

in_net() {
        nsenter --net="/proc/$(cat "$BASE/net")/ns/net" "$@"
}

has_own_net() {
        [ "$(readlink "/proc/$1/ns/net")" != "$(readlink /proc/self/ns/net)" ]
}

# policy NAME SCOPE FILTERS [CAPTURES]
policy() {
        printf '%s\n' --- 'apiVersion: scopetrace.org/v1' 'kind: ScopePolicy' "metadata: {name: $1}" spec: "  scope: $2" \
                "  filters: [$3]" ${4:+"  capture: [$4]"} >>"$BASE/policies/packets.yaml"
}

# service_start NAME POLICIES FORMAT: writes $BASE/NAME.out.
service_start() {
        mkdir -p "$BASE/root/etc/scopetrace"
        printf '%s\n' '[Scopetrace]' "CaptureDirectory=$BASE/captures" >"$BASE/root/etc/scopetrace/scopetraced.conf"
        : >"$BASE/$1.err"
        SCOPETRACE_ROOT=$BASE/root "$SCOPETRACED" --console --no-bus --policy "$2" -o "$3" \
                >"$BASE/$1.out" 2>"$BASE/$1.err" </dev/null &
        echo $! >"$BASE/service"
        wait_for 60 grep -q ' is ready ' "$BASE/$1.err"
}

service_stop() {
        local pid
        pid=$(cat "$BASE/service")
        kill "$pid"
        wait_for 120 eval "! kill -0 $pid"
        rm "$BASE/service"
}

# server NAME KIND ADDRESS PORT: until it listens.
server() {
        rm -f "$BASE/ready"
        in_net python3 "$here/pcap-traffic.py" serve "$@" "$BASE/ready" &
        wait_for 60 test -s "$BASE/ready"
}

# both NAME-OF-SERVER NAME-OF-CLIENT KIND ADDRESS PORT SIZE...
both() {
        local server=$1 client=$2
        server "$server" "${@:3:3}"
        in_net python3 "$here/pcap-traffic.py" talk "$client" "${@:3}"
}

dump_start() {
        in_net tcpdump -i lo -w "$BASE/lo.dump" --time-stamp-precision=nano -U -B 8192 -s 0 >/dev/null 2>"$BASE/dump.log" &
        echo $! >"$BASE/tcpdump"
        wait_for 30 grep -q 'listening on' "$BASE/dump.log"
}

# When nothing more comes.
dump_stop() {
        local pid size=-1
        pid=$(cat "$BASE/tcpdump")
        while [ "$(stat -c %s "$BASE/lo.dump")" != "$size" ]; do
                size=$(stat -c %s "$BASE/lo.dump")
                sleep 2
        done
        kill "$pid"
        wait_for 60 eval "! kill -0 $pid"
        rm "$BASE/tcpdump"
}

setup() {
        rm -rf "$BASE"
        mkdir -p "$BASE/policies" "$BASE/icmp"
        unshare --net sleep infinity </dev/null >/dev/null 2>&1 &
        echo $! >"$BASE/net"
        wait_for 30 has_own_net "$(cat "$BASE/net")"
        in_net ip link set lo up

        # First with ICMP alone, as the set of events that a policy without any gets has it.
        policy icmp 5 'event=net_packet_icmp, comm=ping'
        mv "$BASE/policies/packets.yaml" "$BASE/icmp/"
        service_start icmp "$BASE/icmp" table-verbose
        in_net ping -c 1 127.0.0.1 >/dev/null
        both sct-srv ping tcp 127.0.0.1 7200 10
        # Then captures come: programs without them are replaced by those that have them.
        server other udp 127.0.0.1 7208
        policy late 19 'net_packet_udp.args.src_port=7208, comm=sct-late' \
                'network, "pcap:command", "pcap-snaplen:max", "pcap-options:filtered"'
        mv "$BASE/policies/packets.yaml" "$BASE/icmp/late.yaml"
        kill -HUP "$(cat "$BASE/service")"
        wait_for 60 grep -q 'were read again' "$BASE/icmp.err"
        in_net python3 "$here/pcap-traffic.py" talk sct-late udp 127.0.0.1 7208 704
        in_net ping -c 1 127.0.0.1 >/dev/null
        service_stop

        # More rules than one word has bits.
        for i in $(seq 70); do
                policy "many-$i" $((i % 64 + 1)) "event=net_packet_tcp, comm=sct-none-$i"
        done
        policy many-filtered 14 'net_packet_udp.args.dst_port=7209, comm=sct-many' \
                'network, "pcap:command", "pcap-snaplen:max", "pcap-options:filtered"'
        mkdir "$BASE/many"
        mv "$BASE/policies/packets.yaml" "$BASE/many/"
        service_start many "$BASE/many" json
        both other sct-many udp 127.0.0.1 7209 705
        both other sct-many udp 127.0.0.1 7210 706
        both other sct-none-70 tcp 127.0.0.1 7211 707
        service_stop

        policy icmp 5 'event=net_packet_icmp, comm=ping'
        policy ip 6 '"event=net_packet_icmpv6,net_packet_ipv4,net_packet_ipv6", comm=ping'
        policy client 7 'event=net_packet_tcp, comm=sct-cli'
        policy server 8 'event=net_packet_tcp, comm=sct-srv'
        policy port 9 'net_packet_tcp.args.dst_port=7201, comm=sct-cli'
        policy address 10 '"net_packet_tcp.args.src=::/64", comm=sct-cli'
        policy network 11 'net_packet_tcp.args.dst!=127.0.0.0/8, comm=sct-cli'
        policy udp 12 'event=net_packet_udp, comm=sct-udpc'
        policy device 17 'event=net_packet_udp, net=lo, comm=sct-udpc'
        policy no-device 18 '"event=net_packet_udp,sched_process_exit", net!=l*, comm=sct-udpc'
        policy nothing 13 'event=net_packet_udp, comm=sct-none'
        policy filtered 14 'net_packet_udp.args.dst_port=7205, comm=sct-fil' \
                'network, "pcap:command", "pcap-snaplen:max", "pcap-options:filtered"'
        policy kinds 15 'event=net_packet_udp, comm=sct-kind' \
                'network, "pcap:command", "pcap-snaplen:max", "pcap-options:filtered"'
        policy all 16 'event=net_packet_udp, comm=sct-all' 'network, "pcap:command", "pcap-snaplen:max"'
        service_start all "$BASE/policies" json

        dump_start
        in_net ping -c 3 -i 0.2 127.0.0.1 >/dev/null
        in_net ping -c 2 -i 0.2 ::1 >/dev/null
        both sct-srv sct-cli tcp 127.0.0.1 7201 1 1000 100000
        both sct-srv sct-cli tcp ::1 7202 5000
        both other sct-udpc udp 127.0.0.1 7203 1 512
        both other sct-udpc udp ::1 7204 1400
        for name in sct-fil sct-kind sct-all; do
                both other $name udp 127.0.0.1 7205 700 701
                both other $name udp 127.0.0.1 7206 702
                both other $name tcp 127.0.0.1 7207 703
        done
        dump_stop
        service_stop
}

teardown() {
        local f
        for f in $(jobs -p) $(cat "$BASE/tcpdump" "$BASE/service" "$BASE/net" 2>/dev/null); do
                kill "$f" 2>/dev/null
        done
        rm -rf "$BASE"
}

events() {
        python3 "$here/packet-lines.py" events "$BASE/all.out" "$1" "net_packet_$2"
}

# wanted KIND FILTER: what tcpdump's filter takes of the traffic.
wanted() {
        tcpdump -r "$BASE/lo.dump" -w part --time-stamp-precision=nano "$2" 2>/dev/null
        python3 "$here/packet-lines.py" file part "$1" | sort >wanted
        [ -s wanted ] || fail "tcpdump kept no $2"
}

# same SCOPE KIND COMM FILTER: events of the scope are these packets, each once, and all are COMM's.
same() {
        events "$1" "$2" >got
        assert_eq "$(cut -d' ' -f1 got | sort -u)" "$3" 'process'
        cut -d' ' -f2- got | sort >got-words
        wanted "$2" "$4"
        diff wanted got-words >differences || fail "$(cat differences)"
}

test_icmp() { same 5 icmp ping icmp; }
test_icmpv6() { same 6 icmpv6 ping icmp6; }
test_ipv4() { same 6 ipv4 ping icmp; }
test_ipv6() { same 6 ipv6 ping icmp6; }

# Both directions of both ends, up to what is said when a socket is gone.
test_tcp_client() { same 7 tcp sct-cli 'tcp port 7201 or tcp port 7202'; }
test_tcp_server() { same 8 tcp sct-srv 'tcp port 7201 or tcp port 7202'; }
test_udp() { same 12 udp sct-udpc 'udp port 7203 or udp port 7204'; }

test_filter_by_port() { same 9 tcp sct-cli 'tcp dst port 7201'; }
test_filter_by_address() { same 10 tcp sct-cli 'tcp and ip6'; }
test_filter_by_network() { same 11 tcp sct-cli 'tcp and ip6'; }

test_filter_by_interface() {
        same 17 udp sct-udpc 'udp port 7203 or udp port 7204'
        assert_eq "$(events 18 udp)" ''
        grep -q '"eventName":"sched_process_exit","matchedScopes":131072' "$BASE/all.out" || fail 'other events are filtered, too'
}

test_only_what_is_wanted() {
        assert_eq "$(events 13 udp)" ''
        assert_eq "$(grep -c '"eventName":"net_packet_ipv' "$BASE/all.out")" 10
}

# The tables of who asks for ICMP alone, while others use TCP.
test_table() {
        assert_eq "$(grep -c ' ping .* net_packet_icmp ' "$BASE/icmp.out")" 4
        assert_eq "$(grep -c net_packet_ "$BASE/icmp.out")" 5 'with one of the capture that came later'
        grep -qE ' ping +[0-9]+ +[0-9]+ +[0-9]+ +0 +net_packet_icmp +src: 127\.0\.0\.1, dst: 127\.0\.0\.1, proto_icmp: \{EchoRequest [0-9]+ [0-9]+ 1\}$' \
                "$BASE/icmp.out" || fail "$(cat "$BASE/icmp.out")"
        grep -qE 'proto_icmp: \{EchoReply [0-9]+ [0-9]+ 1\}$' "$BASE/icmp.out" || fail "$(cat "$BASE/icmp.out")"
}

# kept NAME: lengths of the packets that a command's file holds, with its destination ports.
kept() {
        tcpdump -n -r "$BASE/captures/pcap/commands/host/$1.pcap" 2>/dev/null |
                sed -nE 's/^.* > [0-9.]*\.([0-9]+): UDP, length ([0-9]+)$/\1 \2/p' | tr '\n' ,
}

n_packets() {
        tcpdump -n -r "$BASE/captures/pcap/commands/host/$1.pcap" 2>/dev/null | wc -l
}

# Filters on arguments of the event hold for the packets that are kept.
test_filtered_capture() {
        assert_eq "$(kept sct-fil)" '7205 700,7205 701,7205 0,'
        assert_eq "$(n_packets sct-fil)" 3
}

test_capture_that_comes_later() {
        assert_eq "$(n_packets sct-late)" 1
        assert_eq "$(grep -c ' sct-late .* net_packet_udp .* proto_udp: {7208 [0-9]* 712 ' "$BASE/icmp.out")" 1
}

test_many_rules() {
        assert_eq "$(kept sct-many)" '7209 705,7209 0,'
        assert_eq "$(n_packets sct-many)" 2
        assert_eq "$(grep -c '"processName":"sct-many".*"eventName":"net_packet_udp","matchedScopes":8192,' "$BASE/many.out")" 2
        assert_eq "$(grep '"eventName":"net_packet_tcp"' "$BASE/many.out" | jq -r '"\(.processName) \(.matchedScopes)"' |
                sort -u)" 'sct-none-70 64'
}

test_filtered_by_kind() {
        assert_eq "$(kept sct-kind | tr , '\n' | grep -c .)" 8
        assert_eq "$(n_packets sct-kind)" 8
}

test_unfiltered_capture() {
        tcpdump -r "$BASE/captures/pcap/commands/host/sct-all.pcap" 2>/dev/null | grep -q 'Flags \[S' || fail "TCP is missing"
}

run_tests
