#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Actions of TracingPolicy on a real kernel, a locked-down one too: rate limits, stacks, names of descriptors, owners of
# sockets, several actions and actions at return, monitor and enforce, counters, requests to servers that the test runs on
# loopback. What is stopped or followed are programs of the test's own.
. "$(dirname "$0")/../lib/test.sh"
. "$(dirname "$0")/cases.bash"

policy() {
        printf 'apiVersion: cilium.io/v1alpha1\nkind: TracingPolicy\nmetadata: {name: %s}\nspec:\n' "$1"
        cat
        echo ---
}

lseek_hook() {
        cat <<-END
	  tracepoints:
	  - subsystem: syscalls
	    event: sys_enter_lseek
	    args:
	    - {index: 5, type: int32}
	    - {index: 6, type: int64}
	    selectors:
	    - matchArgs:
	      - {index: 5, operator: Equal, values: ["$1"]}
	      matchActions:
	END
        cat
}

# A web server and a name server that write down what they are asked.
servers() {
        cat >"$BASE/servers.py" <<-'END'
	import http.server, socket, sys, threading
	base = sys.argv[1]
	def note(what):
	    with open(base + '/asked', 'a') as f:
	        f.write(what + '\n')
	class Handler(http.server.BaseHTTPRequestHandler):
	    def do_GET(self):
	        note('url ' + self.path)
	        code = 404 if self.path.startswith('/missing') else 200
	        self.send_response(code)
	        self.send_header('Content-Length', '3')
	        self.end_headers()
	        self.wfile.write(b'ok\n')
	    def log_message(self, *args):
	        pass
	web = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
	dns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
	dns.bind(('127.0.0.1', 0))
	def answer():
	    while True:
	        data, peer = dns.recvfrom(512)
	        name, i = [], 12
	        while data[i]:
	            name.append(data[i + 1:i + 1 + data[i]].decode())
	            i += data[i] + 1
	        kind = data[i + 2]
	        note('dns ' + '.'.join(name))
	        question = data[12:i + 5]
	        known = name[0] == 'known' and kind == 1
	        head = data[:2] + (b'\x81\x80' if name[0] == 'known' else b'\x81\x83') + b'\0\1' + (b'\0\1' if known else b'\0\0') + b'\0\0\0\0'
	        reply = b'\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\x7f\0\0\1' if known else b''
	        dns.sendto(head + question + reply, peer)
	threading.Thread(target=answer, daemon=True).start()
	with open(base + '/ports', 'w') as f:
	    f.write('%d %d\n' % (web.server_port, dns.getsockname()[1]))
	web.serve_forever()
	END
        : >"$BASE/asked"
        python3 "$BASE/servers.py" "$BASE" &
        echo $! >"$BASE/servers.pid"
        wait_for 60 test -s "$BASE/ports"
        read -r web dns <"$BASE/ports"
}

write_policies() {
        {
                lseek_hook -301 <<-END | policy limited
	      - {action: Post, rateLimit: 5m}
	END
                lseek_hook -302 <<-END | policy limited-process
	      - {action: Post, rateLimit: 5m, rateLimitScope: process}
	END
                lseek_hook -303 <<-END | policy limited-global
	      - {action: Post, rateLimit: 5m, rateLimitScope: global}
	END
                lseek_hook -304 <<-END | policy stacks
	      - {action: Post, kernelStackTrace: true, userStackTrace: true}
	END
                lseek_hook -305 <<-END | policy asks
	      - {action: GetUrl, argUrl: "http://127.0.0.1:$web/asked"}
	      - {action: DnsLookup, argFqdn: known.sct-test.example}
	END
                lseek_hook -306 <<-END | policy asks-silently
	      - {action: GetUrl, argUrl: "http://127.0.0.1:$web/silent"}
	      - {action: NoPost}
	END
                lseek_hook -307 <<-END | policy asks-in-vain
	      - {action: GetUrl, argUrl: "http://127.0.0.1:$web/missing"}
	      - {action: GetUrl, argUrl: "http://127.0.0.1:1/"}
	      - {action: DnsLookup, argFqdn: unknown.sct-test.example}
	END
                lseek_hook -308 <<-END | policy several
	      - {action: Signal, argSig: SIGUSR1}
	      - {action: Signal, argSig: SIGUSR2}
	END
                policy watching <<-END
	  options: [{name: policy-mode, value: monitor}]
	  kprobes:
	  - call: sys_truncate
	    syscall: true
	    args: [{index: 0, type: string}]
	    selectors:
	    - matchArgs: [{index: 0, operator: Equal, values: ["$BASE/deadly"]}]
	      matchActions: [{action: Sigkill}]
	END
                policy returning <<-END
	  kprobes:
	  - call: sys_truncate
	    syscall: true
	    return: true
	    args: [{index: 0, type: string}]
	    returnArg: {index: 0, type: int}
	    selectors:
	    - matchArgs: [{index: 0, operator: Prefix, values: ["$BASE/at-return"]}]
	      matchReturnArgs: [{operator: Equal, values: ["-2"]}]
	      matchActions: [{action: Signal, argSig: SIGUSR1}]
	    - matchArgs: [{index: 0, operator: Prefix, values: ["$BASE/at-return"]}]
	      matchReturnActions: [{action: Signal, argSig: SIGUSR2}]
	END
                # The way of the kernel's own files: what was opened by name is followed, then known by it.
                policy following <<-END
	  kprobes:
	  - call: sys_fchmod
	    syscall: true
	    args: [{index: 0, type: fd}, {index: 1, type: int}]
	    selectors:
	    - matchArgs: [{index: 1, operator: Equal, values: ["0321"]}]
	      matchActions: [{action: FollowFD, argFd: 0, argName: 0}, {action: NoPost}]
	    - matchArgs: [{index: 1, operator: Equal, values: ["0322"]}]
	      matchActions: [{action: UnfollowFD, argFd: 0}, {action: NoPost}]
	  - call: sys_dup2
	    syscall: true
	    args: [{index: 0, type: fd}, {index: 1, type: int}]
	    selectors:
	    - matchArgs: [{index: 0, operator: Equal, values: ["$BASE/followed"]}]
	      matchActions: [{action: CopyFD, argFd: 0, argName: 1}]
	    - matchArgs: [{index: 1, operator: Equal, values: ["78"]}]
	      matchActions: [{action: CopyFD, argFd: 0, argName: 1}, {action: NoPost}]
	  - call: sys_fchown
	    syscall: true
	    args: [{index: 0, type: fd}, {index: 1, type: int}]
	    selectors:
	    - matchArgs: [{index: 0, operator: Prefix, values: ["$BASE/follow"]}]
	END
                # A connection's own end changes its state while the other process runs.
                policy owners <<-END
	  tracepoints:
	  - subsystem: sock
	    event: inet_sock_set_state
	    args: [{index: 4, type: sock}, {index: 6, type: int}]
	    selectors:
	    - matchBinaries: [{operator: In, values: ["$BASE/sct-client"]}]
	      matchArgs: [{index: 6, operator: Equal, values: ["2"]}]
	      matchActions: [{action: TrackSock, argSock: 4}]
	    - matchBinaries: [{operator: In, values: ["$BASE/sct-client"]}]
	      matchArgs: [{index: 6, operator: Equal, values: ["8"]}]
	END
        } >"$BASE/policies/all.yaml"
}

setup() {
        rm -rf "$BASE"
        mkdir -p "$BASE/policies" "$BASE/conf/etc/scopetrace"
        cp "$(python3 -c 'import os, sys; print(os.path.realpath(sys.executable))')" "$BASE/sct-client"
        servers
        printf '[Scopetrace]\nDnsServers=127.0.0.1:%s\n' "$dns" >"$BASE/conf/etc/scopetrace/scopetraced.conf"
        write_policies
        export SCOPETRACE_ROOT=$BASE/conf
        service_start -o json
        unset SCOPETRACE_ROOT
        cat "$BASE/err"
        echo x >"$BASE/followed"
        : >"$BASE/deadly"
        : >"$BASE/at-return"
        cat >"$BASE/calls.py" <<-'END'
	import ctypes, os, signal, sys, threading, time
	base = sys.argv[1]
	libc = ctypes.CDLL(None, use_errno=True)
	libc.lseek.argtypes = [ctypes.c_int, ctypes.c_long, ctypes.c_int]
	def seek(fd, at=7, n=1):
	    for i in range(n):
	        libc.lseek(fd, at, 0)
	def thread(f):
	    t = threading.Thread(target=f)
	    t.start()
	    t.join()
	got = []
	signal.signal(signal.SIGUSR1, lambda *a: got.append('USR1'))
	signal.signal(signal.SIGUSR2, lambda *a: got.append('USR2'))
	def take():
	    s = sorted(got)
	    got.clear()
	    return ' '.join(s) or 'none'
	# Repetitions of one thread, of another thread, with another argument.
	for fd in -301, -302, -303:
	    seek(fd, n=5)
	    thread(lambda: seek(fd, n=3))
	    seek(fd, at=8, n=2)
	    pid = os.fork()
	    if pid == 0:
	        seek(fd, n=2)
	        os._exit(0)
	    os.waitpid(pid, 0)
	seek(-304)
	seek(-305)
	seek(-306)
	seek(-307)
	seek(-308)
	print('several', take())
	libc.truncate((base + '/deadly').encode(), ctypes.c_long(0))
	print('monitored alive')
	libc.truncate((base + '/at-return-missing').encode(), ctypes.c_long(0))
	print('missing', take())
	libc.truncate((base + '/at-return').encode(), ctypes.c_long(0))
	print('present', take())
	# Followed under its name, though it is called something else by now.
	fd = os.open(base + '/followed', os.O_RDWR)
	libc.fchmod(fd, 0o321)
	os.rename(base + '/followed', base + '/elsewhere')
	libc.fchown(fd, 1001, -1)
	libc.dup2(fd, 77)
	libc.fchown(77, 1002, -1)
	pid = os.fork()
	if pid == 0:
	    libc.fchown(77, 1003, -1)
	    os._exit(0)
	os.waitpid(pid, 0)
	libc.fchmod(77, 0o322)
	libc.fchown(77, 1004, -1)
	# The number is another file's: the name is gone with the old one.
	other = os.open(base + '/other', os.O_RDWR | os.O_CREAT)
	os.close(fd)
	libc.dup2(other, fd)
	libc.fchown(fd, 1005, -1)
	plain = os.open(base + '/follow-by-path', os.O_RDWR | os.O_CREAT)
	libc.fchown(plain, 1006, -1)
	# A copy that replaces another takes its name away, and the kernel gives the struct of a closed file to the next one.
	for i in range(30):
	    fd = os.open(base + '/followed', os.O_RDWR | os.O_CREAT)
	    libc.fchmod(fd, 0o321)
	    libc.dup2(fd, 78)
	    libc.dup2(other, 78)
	    os.close(fd)
	    fd = os.open(base + '/other', os.O_RDWR)
	    libc.fchown(fd, 1100 + i, -1)
	    libc.dup2(fd, 78)
	    libc.fchown(78, 1200 + i, -1)
	    os.close(fd)
	# Its mappings are asked for when the event arrives.
	sys.stdout.flush()
	for i in range(600):
	    if 'userStackTrace' in open(base + '/out').read():
	        break
	    time.sleep(0.1)
	END
        python3 "$BASE/calls.py" "$BASE" >"$BASE/said"
        cat >"$BASE/peers.py" <<-'END'
	import socket, subprocess, sys
	server = socket.create_server(('127.0.0.1', 0))
	server.settimeout(60)
	port = server.getsockname()[1]
	client = subprocess.Popen([sys.argv[1], '-c', '''
	import socket, sys
	s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
	s.recv(1)
	''', str(port)])
	peer, _ = server.accept()
	peer.close()
	print(client.pid)
	client.wait()
	END
        PYTHONHOME=$(python3 -c 'import sys; print(sys.prefix)') python3 "$BASE/peers.py" "$BASE/sct-client" >"$BASE/client"
        wait_for 60 grep -q 'dns unknown' "$BASE/asked"
        wait_for 60 grep -q 'url /missing' "$BASE/asked"
        wait_for 60 grep -q 'GetUrl: ' "$BASE/err"
        service_stop
}

teardown() {
        [ ! -e "$BASE/servers.pid" ] || kill "$(cat "$BASE/servers.pid")" || true
        cases_teardown
}

# of POLICY FILTER: what jq says of the events of one policy.
of() {
        jq -c --arg policy "$1" 'select(.matchedPolicies | index($policy))' "$BASE/out" | jq -c "$2"
}

n_of() {
        of "$1" .eventName | wc -l
}

# One for each thread and each argument: the main thread twice, the other one, the child.
test_rate_limit_by_thread() {
        assert_eq "$(n_of limited)" 4
}

test_rate_limit_by_process() {
        assert_eq "$(n_of limited-process)" 3
}

test_rate_limit_global() {
        assert_eq "$(n_of limited-global)" 2
}

# 36 calls, 9 recorded: the others are lost, and said so.
test_rate_limit_is_reported() {
        local n
        n=$(sed -n 's/^\([0-9]*\) events lost .*rateLimit.*/\1/p' "$BASE/err" | awk '{ n += $1 } END { print n }')
        assert_eq "$n" 27
}

test_stacks() {
        local stack
        stack=$(of stacks '.kernelStackTrace | join(" ")')
        assert_contains "$stack" 'entry_SYSCALL_64_after_hwframe+0x'
        refused grep -q 'bpf_' <<<"$stack"
        assert_contains "$(of stacks '.userStackTrace[0]')" 'libc.so.6+0x'
}

test_get_url_and_dns() {
        grep -qx 'url /asked' "$BASE/asked"
        grep -qx 'dns known.sct-test.example' "$BASE/asked"
        assert_eq "$(of asks .actions)" '["geturl","dnslookup","post"]'
}

test_no_post_asks_all_the_same() {
        grep -qx 'url /silent' "$BASE/asked"
        assert_eq "$(n_of asks-silently)" 0
}

test_failures_are_logged() {
        assert_contains "$(grep 'GetUrl: ' "$BASE/err")" 'failed'
        wait_for 1 grep -q 'DnsLookup: ' "$BASE/err"
}

test_several_actions() {
        grep -qx 'several USR1 USR2' "$BASE/said"
        assert_eq "$(of several .actions)" '["signal","signal","post"]'
}

test_monitor() {
        grep -qx 'monitored alive' "$BASE/said"
        assert_eq "$(of watching .actions)" '["monitor-sigkill","post"]'
}

# The first selector waits for the return value; when it does not match the second one acts, at return too.
test_actions_at_return() {
        grep -qx 'missing USR1' "$BASE/said"
        grep -qx 'present USR2' "$BASE/said"
        assert_eq "$(of returning '.returnValue')" "$(printf '%s\n' -2 0)"
}

# By the owner that each call sets: followed, copied, inherited, then neither forgotten (1004) nor replaced (1005, 1100 and
# more), and one that was never followed.
test_followed_descriptors() {
        assert_eq "$(of following 'select(.eventName == "sys_fchown") | .args[1].value' | paste -sd' ')" '1001 1002 1003 1006'
}

test_owner_of_socket() {
        local pid
        pid=$(cat "$BASE/client")
        assert_eq "$(of owners '[.args[1].value, .hostProcessId, .processName]' | sort -u)" \
                "$(printf '[2,%s,"sct-client"]\n[8,%s,"sct-client"]' "$pid" "$pid")"
}

# A policy set that is loaded later judges the owners that the one before tracked: by what was known of them.
test_owner_of_socket_after_reload() {
        local pid client i
        mkdir -p "$BASE/again"
        policy kept >"$BASE/again/a.yaml" <<-END
	  tracepoints:
	  - subsystem: sock
	    event: inet_sock_set_state
	    args: [{index: 4, type: sock}, {index: 6, type: int}]
	    selectors:
	    - matchBinaries: [{operator: In, values: ["$BASE/sct-client"]}]
	      matchArgs: [{index: 6, operator: Equal, values: ["2"]}]
	      matchActions: [{action: TrackSock, argSock: 4}]
	    - matchBinaries: [{operator: In, values: ["$BASE/sct-client"]}]
	      matchArgs: [{index: 6, operator: Equal, values: ["8"]}]
	END
        "$SCOPETRACED" --console --policy "$BASE/again" -o json >"$BASE/again/out" 2>"$BASE/again/err" &
        pid=$!
        wait_for 60 grep -q ' is ready ' "$BASE/again/err"
        wait_for 60 "$SCOPECTL" policies
        cat >"$BASE/again/peers.py" <<-'END'
	import os, socket, subprocess, sys, time
	server = socket.create_server(('127.0.0.1', 0))
	server.settimeout(60)
	client = subprocess.Popen([sys.argv[1], '-c', """
	import socket, sys
	s = socket.create_connection(('127.0.0.1', int(sys.argv[1])))
	s.recv(1)
	""", str(server.getsockname()[1])])
	peer, _ = server.accept()
	open(sys.argv[2] + '/client', 'w').write(str(client.pid))
	while not os.path.exists(sys.argv[2] + '/go'):
	    time.sleep(0.05)
	peer.close()
	client.wait()
	END
        PYTHONHOME=$(python3 -c 'import sys; print(sys.prefix)') python3 "$BASE/again/peers.py" "$BASE/sct-client" "$BASE/again" &
        client=$!
        wait_for 60 test -s "$BASE/again/client"
        for i in 1 2 3; do
                printf 'apiVersion: scopetrace.org/v1\nkind: ScopePolicy\nmetadata: {name: other-%d}\nspec: {filters: [event=openat, comm=sct-nobody]}\n' \
                        $i >"$BASE/again/other-$i.yaml"
                "$SCOPECTL" reload
        done
        touch "$BASE/again/go"
        wait "$client"
        kill "$pid"
        wait_for 60 ended "$pid"
        assert_eq "$(jq -c --argjson pid "$(cat "$BASE/again/client")" \
                'select(.hostProcessId == $pid) | [.args[1].value, .processName]' "$BASE/again/out" | sort -u)" \
                "$(printf '[2,"sct-client"]\n[8,"sct-client"]')"
}

# What a policy may do is switched while it runs, and its counters go on over that, over other policies' reloads too.
test_mode_and_counters() {
        local pid counts
        mkdir -p "$BASE/mode"
        policy switched >"$BASE/mode/a.yaml" <<-END
	  kprobes:
	  - call: sys_truncate
	    syscall: true
	    args: [{index: 0, type: string}]
	    selectors:
	    - matchArgs: [{index: 0, operator: Equal, values: ["$BASE/mode/deadly"]}]
	      matchActions: [{action: Sigkill}]
	END
        : >"$BASE/mode/deadly"
        "$SCOPETRACED" --console --policy "$BASE/mode" >/dev/null 2>"$BASE/mode/err" &
        pid=$!
        wait_for 60 grep -q ' is ready ' "$BASE/mode/err"
        wait_for 60 "$SCOPECTL" policies
        doomed() {
                python3 -c 'import os, sys; os.truncate(sys.argv[1], 0)' "$BASE/mode/deadly"
        }
        refused doomed
        "$SCOPECTL" set-mode switched monitor
        doomed
        doomed
        printf 'apiVersion: scopetrace.org/v1\nkind: ScopePolicy\nmetadata: {name: other}\nspec: {filters: [event=openat, comm=sct-nobody]}\n' \
                >"$BASE/mode/other.yaml"
        "$SCOPECTL" reload
        doomed
        "$SCOPECTL" --json=short policies | jq -e '.policies[] | select(.name == "switched") | .mode == "monitor"'
        "$SCOPECTL" set-mode switched enforce
        refused doomed
        counts=$("$SCOPECTL" --json=short show switched | jq -c .Selectors)
        refused "$SCOPECTL" set-mode other enforce 2>"$BASE/mode/said"
        refused "$SCOPECTL" set-mode switched forgive 2>>"$BASE/mode/said"
        refused "$SCOPECTL" set-mode nobody enforce 2>>"$BASE/mode/said"
        kill "$pid"
        wait_for 60 ended "$pid"
        assert_eq "$counts" '[["sys_truncate",0,"",5,5,0,0,[["sigkill",2,3]]]]'
        assert_contains "$(cat "$BASE/mode/said")" 'no action that could be enforced'
        assert_contains "$(cat "$BASE/mode/said")" "is no mode; write enforce or monitor"
}

run_tests
