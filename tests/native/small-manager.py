#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A service manager in small: runs a program with NOTIFY_SOCKET, keeps its descriptor store, and starts it again with
what it stored. Commands come one a line on stdin, answers go out one a line on stdout:

  start ARGS...      starts the program (READY=1, or an end, is waited for) -> ready | ended CODE
  kill SIGNAL        sends a signal -> ok
  wait TEXT          waits for a notification line that contains TEXT -> the line | timeout
  end                waits for the program's end -> ended CODE
  store              -> names in the store, sorted
  pid                -> the program's process number
  forget             forgets what was notified so far -> ok
  drop NAME          takes a name out of the store -> ok
"""
import array
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time

TIMEOUT = 30


class Manager:
    def __init__(self, program):
        self.program = program
        self.store = []          # (name, fd), as they came
        self.lines = []
        self.process = None
        self.path = tempfile.mktemp(prefix='scopetrace-notify')
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)

    def receive(self, timeout):
        if not select.select([self.socket], [], [], timeout)[0]:
            return False
        data, control, _, _ = self.socket.recvmsg(65536, socket.CMSG_SPACE(4 * 256))
        fds = array.array('i')
        for level, kind, payload in control:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                fds.frombytes(payload[:len(payload) - len(payload) % fds.itemsize])
        lines = data.decode().split('\n')
        fields = dict(x.split('=', 1) for x in lines if '=' in x)
        name = fields.get('FDNAME', 'stored')
        if fields.get('FDSTORE') == '1':
            self.store += [(name, fd) for fd in fds]
        elif fields.get('FDSTOREREMOVE') == '1':
            for n, fd in self.store:
                if n == name:
                    os.close(fd)
            self.store = [x for x in self.store if x[0] != name]
        self.lines += lines
        return True

    def drain(self):
        while self.receive(0):
            pass

    def next_command(self):
        """Nobody who notifies may wait for us: the socket takes few messages."""
        while True:
            ready = select.select([self.socket, sys.stdin], [], [])[0]
            if self.socket in ready:
                self.drain()
            if sys.stdin in ready:
                return sys.stdin.readline()     # one question at a time: nothing is read ahead

    def start(self, *args):
        self.drain()
        self.lines = []
        fds = [fd for _, fd in self.store]
        names = ':'.join(n for n, _ in self.store)
        env = dict(os.environ, NOTIFY_SOCKET=self.path)
        # A shell puts the descriptors to 3 and beyond and is the process that LISTEN_PID names.
        script = ''
        for i, fd in enumerate(fds):
            script += 'exec %d<&%d; ' % (1000 + i, fd)
        for i in range(len(fds)):
            script += 'exec %d<&%d %d<&-; ' % (3 + i, 1000 + i, 1000 + i)
        if fds:
            script += 'export LISTEN_PID=$$ LISTEN_FDS=%d LISTEN_FDNAMES=%s; ' % (len(fds), names)
        script += 'exec "$@"'
        self.process = subprocess.Popen(['bash', '-c', script, 'bash', self.program, *args], env=env, pass_fds=fds,
                                        stdin=subprocess.DEVNULL, stdout=sys.stderr)
        return 'ready' if self.wait('READY=1') != 'timeout' else self.end()

    def wait(self, text):
        limit = time.monotonic() + TIMEOUT
        while True:
            for line in self.lines:
                if text in line:
                    return line
            if time.monotonic() > limit or (self.process.poll() is not None and not self.receive(0)):
                return 'timeout'
            self.receive(0.1)

    def end(self):
        limit = time.monotonic() + TIMEOUT
        while self.process.poll() is None:
            if time.monotonic() > limit:
                return 'timeout'
            self.receive(0.1)
        self.drain()
        return 'ended %d' % self.process.returncode

    def run(self, words):
        if words[0] == 'start':
            return self.start(*words[1:])
        if words[0] == 'kill':
            self.process.send_signal(getattr(signal, 'SIG' + words[1]))
            return 'ok'
        if words[0] == 'wait':
            return self.wait(' '.join(words[1:]))
        if words[0] == 'end':
            return self.end()
        if words[0] == 'pid':
            return str(self.process.pid)
        if words[0] == 'store':
            self.drain()
            return ' '.join(sorted(n for n, _ in self.store))
        if words[0] == 'forget':
            self.drain()
            self.lines = []
            return 'ok'
        if words[0] == 'drop':
            self.store = [x for x in self.store if x[0] != words[1]]
            return 'ok'
        return 'what?'


def main():
    manager = Manager(sys.argv[1])
    try:
        for line in iter(manager.next_command, ''):
            if line.split():
                print(manager.run(line.split()), flush=True)
    finally:
        if manager.process and manager.process.poll() is None:
            manager.process.kill()
            manager.process.wait()
        os.unlink(manager.path)


main()
