#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Traffic for packet captures, each end a process of its own name, and files of packets compared.

  serve NAME tcp|udp ADDRESS PORT READY     echoes what it gets until a connection, or a datagram of no bytes, ends;
                                            writes its process number to READY when it listens
  talk NAME tcp|udp ADDRESS PORT SIZE...    sends SIZE bytes and reads them back, for each SIZE; closes when the peer has
  hangup NAME tcp ADDRESS PORT SIZE...      the same, but closes first: the peer's end comes when the socket is gone
  send NAME ADDRESS PORT TEXT               one datagram from a fresh socket
  print FILE                                one packet a line: length, kept bytes in hex (from the IP header on)
  whole FILE                                the same, checks that nothing was cut
  compare GOT WANTED                        says how a capture differs from what tcpdump kept of the same traffic
"""
import ctypes
import difflib
import os
import socket
import struct
import sys


def rename(name):
    ctypes.CDLL(None).prctl(15, name.encode(), 0, 0, 0)


def family(address):
    return socket.AF_INET6 if ':' in address else socket.AF_INET


def serve(name, kind, address, port, ready):
    rename(name)
    s = socket.socket(family(address), socket.SOCK_STREAM if kind == 'tcp' else socket.SOCK_DGRAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind((address, int(port)))
    if kind == 'tcp':
        s.listen(8)
    with open(ready + '.new', 'w') as f:
        f.write(str(os.getpid()))
    os.rename(ready + '.new', ready)
    if kind == 'udp':
        while True:
            data, peer = s.recvfrom(65536)
            if not data:
                return
            s.sendto(data, peer)
    c, _ = s.accept()
    while True:
        data = c.recv(65536)
        if not data:
            break
        c.sendall(data)
    c.close()


def hangup(name, kind, address, port, *sizes):
    talk(name, kind, address, port, *sizes, polite=False)


def talk(name, kind, address, port, *sizes, polite=True):
    rename(name)
    s = socket.socket(family(address), socket.SOCK_STREAM if kind == 'tcp' else socket.SOCK_DGRAM)
    s.settimeout(60)
    s.connect((address, int(port)))
    for size in map(int, sizes):
        data = bytes(i * 7 % 251 for i in range(size))
        s.sendall(data)
        got = b''
        while len(got) < size:
            got += s.recv(65536)
        assert got == data
    if kind == 'udp':
        s.send(b'')
        return
    if polite:
        s.shutdown(socket.SHUT_WR)
        while s.recv(4096):
            pass
    s.close()


def send(name, address, port, text):
    rename(name)
    s = socket.socket(family(address), socket.SOCK_DGRAM)
    s.sendto(text.encode(), (address, int(port)))


def packets(path):
    """(time in ns, original length, kept bytes), from the IP header on; both lengths without a link header."""
    with open(path, 'rb') as f:
        data = f.read()
    magic, link = struct.unpack('<I', data[:4])[0], struct.unpack('<I', data[20:24])[0]
    assert magic in (0xa1b2c3d4, 0xa1b23c4d), hex(magic)
    unit = 1 if magic == 0xa1b23c4d else 1000
    skip = {1: 14, 101: 0}[link]
    at = 24
    while at < len(data):
        sec, frac, kept, length = struct.unpack('<IIII', data[at:at + 16])
        assert at + 16 + kept <= len(data), 'a packet is cut off'
        raw = data[at + 16:at + 16 + kept]
        at += 16 + kept
        if skip and raw[12:14] not in (b'\x08\x00', b'\x86\xdd'):
            continue
        yield sec * 10**9 + frac * unit, length - skip, raw[skip:]


def flow(raw):
    """Addresses and ports: what goes one way. Two ends on two processors take their times beside each other."""
    return raw[12:24] if raw[0] >> 4 == 4 else raw[8:44]


def show(path, whole=False):
    last = {}
    for time, length, raw in packets(path):
        assert time >= last.get(flow(raw), 0), f'time goes back by {last[flow(raw)] - time} ns in {path}'
        assert not whole or len(raw) == length, 'a packet was cut'
        last[flow(raw)] = time
        print(length, raw.hex())


def sent_order(raw):
    """Where a packet stands among those that a TCP socket sends; 0 of others."""
    if (raw[9] if raw[0] >> 4 == 4 else raw[6]) != socket.IPPROTO_TCP:
        return 0
    at = (raw[0] & 15) * 4 if raw[0] >> 4 == 4 else 40
    return struct.unpack('>II', raw[at + 4:at + 12])


def flows(path, whole):
    found = {}
    for time, length, raw in packets(path):
        assert not whole or len(raw) == length, f'a packet was cut in {path}'
        found.setdefault(flow(raw), []).append((time, raw))
    return found


def compare(got_path, wanted_path):
    """The same packets, whole, those of a flow in the order in which they were sent. tcpdump sees those of loopback as they
    arrive, and two that were sent on two processors may arrive in either order."""
    got, wanted = flows(got_path, True), flows(wanted_path, True)
    assert wanted, f'tcpdump kept nothing in {wanted_path}'
    wrong = []
    for f in sorted({*got, *wanted}):
        g, w = [raw for _, raw in got.get(f, [])], [raw for _, raw in wanted.get(f, [])]
        times, orders = [time for time, _ in got.get(f, [])], [sent_order(raw) for raw in g]
        if times != sorted(times):
            wrong.append(f'{f.hex()}: time goes back')
        if g != w and (sorted(g) != sorted(w) or orders != sorted(orders)):
            wrong.append(f'{f.hex()}: {len(g)} kept, {len(w)} wanted')
            wrong += difflib.unified_diff([p.hex() for p in w], [p.hex() for p in g], 'wanted', 'got', lineterm='', n=1)
    if wrong:
        sys.exit('\n'.join(line[:230] for line in wrong[:40]))


if __name__ == '__main__':
    command, rest = sys.argv[1], sys.argv[2:]
    {'serve': serve, 'talk': talk, 'hangup': hangup, 'send': send, 'print': show, 'whole': lambda p: show(p, True),
     'compare': compare}[command](*rest)
