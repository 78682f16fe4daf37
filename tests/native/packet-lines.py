#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Packets, one a line, in the same words whether an event or a file says them.

  events FILE SCOPE NAME    events of the service's JSON, of that name and scope, each: process, then the packet's words
  file FILE KIND            packets of a pcap file (-: none of the words that KIND's header alone has)

The words: source, destination, and of its header all but the checksum, which is not there yet when a program sees what
goes out over a device that makes it.
"""
import importlib.util
import ipaddress
import json
import os
import struct
import sys

spec = importlib.util.spec_from_file_location('traffic', os.path.join(os.path.dirname(__file__), 'pcap-traffic.py'))
traffic = importlib.util.module_from_spec(spec)
spec.loader.exec_module(traffic)

FLAGS = ('FIN', 'SYN', 'RST', 'PSH', 'ACK', 'URG', 'ECE', 'CWR')
ICMP = {0: 'EchoReply', 8: 'EchoRequest', 128: 'EchoRequest', 129: 'EchoReply'}


def words_of_file(raw, kind):
    version = raw[0] >> 4
    if version == 4:
        at, src, dst = (raw[0] & 15) * 4, raw[12:16], raw[16:20]
    else:
        at, src, dst = 40, raw[8:24], raw[24:40]
    words = [ipaddress.ip_address(src), ipaddress.ip_address(dst)]
    if kind == 'ipv4':
        return words + list(struct.unpack('>H', raw[4:6])) + [raw[8]]
    if kind == 'ipv6':
        return words + [struct.unpack('>I', raw[:4])[0] & 0xfffff, raw[7]]
    if kind == 'tcp':
        sport, dport, seq, ack, offset, flags, window = struct.unpack('>HHIIBBH', raw[at:at + 16])
        return words + [sport, dport, seq, ack, offset >> 4] + [flags >> i & 1 for i in range(8)] + [window]
    if kind == 'udp':
        return words + list(struct.unpack('>HHH', raw[at:at + 6]))
    if kind == 'icmp':
        return words + [ICMP[raw[at]]] + list(struct.unpack('>HHH', raw[at + 2:at + 8]))
    return words + [ICMP[raw[at]]] + list(struct.unpack('>H', raw[at + 2:at + 4]))


def words_of_event(args, kind):
    header = args[f'proto_{kind}']
    words = [args['src'], args['dst']]
    if kind == 'ipv4':
        assert header['srcIP'] == args['src'] and header['dstIP'] == args['dst'] and header['version'] == 4, header
        return words + [header['id'], header['TTL']]
    if kind == 'ipv6':
        assert header['srcIP'] == args['src'] and header['dstIP'] == args['dst'] and header['version'] == 6, header
        return words + [header['flowLabel'], header['hopLimit']]
    if kind in ('tcp', 'udp'):
        assert (header['srcPort'], header['dstPort']) == (args['src_port'], args['dst_port']), header
        words += [args['src_port'], args['dst_port']]
    if kind == 'tcp':
        return words + [header[n] for n in ('seq', 'ack', 'dataOffset', *FLAGS, 'window')]
    if kind == 'udp':
        return words + [header['length']]
    return words + [header[n] for n in ('typeCode', 'checksum', 'id', 'seq') if n in header]


def show_events(path, scope, name):
    with open(path) as f:
        for line in f:
            e = json.loads(line)
            if e['eventName'] != name or not e['matchedScopes'] >> int(scope) - 1 & 1:
                continue
            assert e['returnValue'] == 0 and e['syscall'] == '', line
            args = {a['name']: a['value'] for a in e['args']}
            print(e['processName'], *words_of_event(args, name.removeprefix('net_packet_')))


def show_file(path, kind):
    for _, _, raw in traffic.packets(path):
        print(*words_of_file(raw, kind))


if __name__ == '__main__':
    {'events': show_events, 'file': show_file}[sys.argv[1]](*sys.argv[2:])
