#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What a record says of its task is as it is at that moment, also where no rule asks for it.
. "$(dirname "$0")/../lib/test.sh"
. "$(dirname "$0")/cases.bash"

setup() {
        rm -rf "$BASE"
        mkdir -p "$BASE/policies"
        printf '%s\n' 'apiVersion: scopetrace.org/v1' 'kind: ScopePolicy' 'metadata: {name: headers}' \
                'spec: {scope: 1, filters: [event=truncate, comm=sct-headers]}' >"$BASE/policies/headers.yaml"
        service_start -o json
        unshare --uts python3 - "$BASE" "$(findmnt --noheadings --first-only --output TARGET --types cgroup2)/sct-headers-$$" <<-'END'
	import os, socket, sys, time
	base, cgroup = sys.argv[1:]
	open('/proc/self/comm', 'w').write('sct-headers')
	def say(name):
	    try:
	        os.truncate(f'{base}/{name}', 0)
	    except OSError:
	        pass
	say('before')
	socket.sethostname('sct-renamed')
	say('host')
	os.mkdir(cgroup)
	open(cgroup + '/cgroup.procs', 'w').write('0')
	say('cgroup')
	with open(base + '/cgroup-id', 'w') as f:
	    f.write(str(os.stat(cgroup).st_ino))
	open(os.path.dirname(cgroup) + '/cgroup.procs', 'w').write('0')
	os.rmdir(cgroup)
	ready, ended = os.pipe(), os.pipe()
	if os.fork() == 0:
	    child = os.getpid()
	    if os.fork() == 0:
	        say('grandchild')
	        os.write(ready[1], b'x')
	        while os.getppid() == child:
	            time.sleep(0.01)
	        with open(base + '/new-parent', 'w') as f:
	            f.write(str(os.getppid()))
	        say('orphan')
	        os.write(ended[1], b'x')
	    else:
	        os.read(ready[0], 1)
	    os._exit(0)
	os.wait()
	os.read(ended[0], 1)
	os.setgid(1)
	os.setuid(2)
	say('ids')
	END
        service_stop
}

teardown() {
        cases_teardown
}

# member NAME MEMBER: of the record that says NAME.
member() {
        jq --arg path "$BASE/$1" "select(any(.args[]; .value == \$path)) | .$2" "$BASE/out"
}

test_node_name() {
        [ "$(member before hostName)" != '"sct-renamed"' ]
        assert_eq "$(member host hostName)" '"sct-renamed"'
}

test_cgroup() {
        assert_eq "$(member cgroup cgroupId)" "$(cat "$BASE/cgroup-id")"
        [ "$(member before cgroupId)" != "$(cat "$BASE/cgroup-id")" ]
        [ "$(member ids cgroupId)" != "$(cat "$BASE/cgroup-id")" ]
}

test_parent() {
        [ "$(member grandchild hostParentProcessId)" != "$(cat "$BASE/new-parent")" ]
        assert_eq "$(member orphan hostParentProcessId)" "$(cat "$BASE/new-parent")"
}

test_ids() {
        assert_eq "$(member before userId)" 0
        assert_eq "$(member ids userId)" 2
}

run_tests
