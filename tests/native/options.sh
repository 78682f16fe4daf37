#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What policies ask for beyond the usual: descriptors with their paths, environments.
. "$(dirname "$0")/../lib/test.sh"
. "$(dirname "$0")/cases.bash"

setup() {
        mkdir -p "$BASE/policies"
        cat >"$BASE/policies/options.yaml" <<-END
	apiVersion: scopetrace.org/v1
	kind: ScopePolicy
	metadata: {name: paths}
	spec:
	  scope: 1
	  filters: ['event=fchmod,fdatasync,dup3', 'comm=sct-fds']
	  options: fd-paths
	---
	apiVersion: scopetrace.org/v1
	kind: ScopePolicy
	metadata: {name: numbers}
	spec:
	  scope: 2
	  filters: ['event=fchmod,fsync', 'comm=sct-fds']
	---
	apiVersion: scopetrace.org/v1
	kind: ScopePolicy
	metadata: {name: environments}
	spec:
	  scope: 3
	  filters: [event=sched_process_exec, comm=sct-env]
	  options: [exec-env]
	END
        service_start -o export
        python3 - "$BASE" <<-'END'
	import ctypes, os, socket, sys
	libc = ctypes.CDLL(None, use_errno=True)
	open('/proc/self/comm', 'w').write('sct-fds')
	base = sys.argv[1]
	pipe, _ = os.pipe()
	sock = socket.socketpair()[0].fileno()
	event = libc.eventfd(0, 0)
	pid = libc.syscall(434, os.getpid(), 0)
	file = os.open(base + '/file', os.O_CREAT | os.O_RDWR)
	directory = os.open(base, os.O_RDONLY)
	with open(base + '/expected', 'w') as out:
	    for fd in (pipe, sock, event, pid, file, directory):
	        libc.fchmod(fd, 0o600)
	        if fd >= 0:
	            out.write(f'{fd}={os.readlink(f"/proc/self/fd/{fd}")}\n')
	libc.fchmod(777, 0o600)
	libc.fchmod(-1, 0o600)
	libc.fdatasync(file)
	libc.fsync(file)
	END
        cp /bin/true "$BASE/sct-env"
        env -i SCT_KEY=green LONG="$(printf 'x%.0s' $(seq 5000))" "$BASE/sct-env"
        env -i SCT_KEY=blue "$BASE/sct-env"
        service_stop
}

teardown() {
        cases_teardown
}

field() {
        awk -v event="TRACE_EVENT=$1" -v field="^TRACE_ARG_$2=" '
                $0 == event { wanted = 1 }
                $0 ~ field { value = substr($0, index($0, "=") + 1) }
                /^$/ { if (wanted) print value; wanted = 0; value = "" }' "$BASE/out"
}

# Files and pipes as /proc names them; what is no descriptor has only its number.
test_paths_of_descriptors() {
        field fchmod FD >seen
        { cat "$BASE/expected"; printf '777\n-1\n'; } >wanted
        diff wanted seen
        grep -q "^[0-9]*=pipe:\[[0-9]*\]$" seen && grep -q "=socket:\[" seen && grep -q "=anon_inode:\[eventfd\]$" seen
        assert_eq "$(field fdatasync FD | cut -d= -f2)" "$BASE/file"
        grep -q "^MESSAGE=sct-fds\[[0-9]*\] fdatasync(fd: [0-9]*=$BASE/file) = 0$" "$BASE/out"
}

# Only where a policy asks: the event that no such policy wants has the number alone.
test_plain_descriptors() {
        field fsync FD | grep -qx '[0-9]*'
}

test_environment() {
        field sched_process_exec ENV >seen
        assert_eq "$(wc -l <seen)" 2
        head -1 seen | grep -q '^SCT_KEY=green LONG=xxxx'
        assert_eq "$(tail -1 seen)" SCT_KEY=blue
}

run_tests
