#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Where TracingPolicy's hooks are attached, on a kernel that may be locked down: raw tracepoints, lists of system calls,
# several places of a binary, enforcers that send signals; and what such a kernel refuses, by name.
. "$(dirname "$0")/../lib/test.sh"
. "$(dirname "$0")/cases.bash"

setup() {
        local libc PYTHONHOME
        libc=$(ldd /bin/cat | awk '/libc.so/ { print $3 }')
        mkdir -p "$BASE/policies"
        cp "$(python3 -c 'import os, sys; print(os.path.realpath(sys.executable))')" "$BASE/sct-python"
        PYTHONHOME=$(python3 -c 'import sys; print(sys.base_prefix)')
        cat >"$BASE/policies/attach.yaml" <<-END
	apiVersion: cilium.io/v1alpha1
	kind: TracingPolicy
	metadata:
	  name: raw
	  annotations: {scopetrace.org/scope: "9"}
	spec:
	  tracepoints:
	  - subsystem: signal
	    event: signal_generate
	    raw: true
	    message: a signal for the test
	    tags: [signals, attach.test]
	    args:
	    - {index: 0, type: int, label: number}
	    selectors:
	    - matchBinaries: [{operator: In, followChildren: false, values: [$BASE/sct-python]}]
	      matchArgs: [{index: 0, operator: Equal, values: ["12"]}]
	---
	apiVersion: cilium.io/v1alpha1
	kind: TracingPolicy
	metadata: {name: listed}
	spec:
	  lists:
	  - {name: pair, type: syscalls, values: [sys_lseek, sys_dup3, i386/sys_close]}
	  kprobes:
	  - call: "list:pair"
	    syscall: true
	    return: true
	    args: [{index: 0, type: int}]
	    selectors:
	    - matchBinaries: [{operator: In, followChildren: false, values: [$BASE/sct-python]}]
	      matchArgs: [{index: 0, operator: Equal, values: ["-77"]}]
	---
	apiVersion: cilium.io/v1alpha1
	kind: TracingPolicy
	metadata: {name: everything}
	spec:
	  lists:
	  - {name: all, type: generated_syscalls}
	  kprobes:
	  - call: "list:all"
	    syscall: true
	    args: [{index: 0, type: int}]
	    selectors:
	    - matchBinaries: [{operator: In, followChildren: false, values: [$BASE/sct-python]}]
	      matchArgs: [{index: 0, operator: Equal, values: ["-77"]}]
	---
	apiVersion: cilium.io/v1alpha1
	kind: TracingPolicy
	metadata: {name: library}
	spec:
	  uprobes:
	  - path: $libc
	    symbols: [getenv, secure_getenv]
	    args: [{index: 0, type: string}]
	    selectors:
	    - matchArgs: [{index: 0, operator: Equal, values: [SCT_PLACES_$$]}]
	  - path: $libc
	    symbol: labs
	    args: [{index: 0, type: int64}]
	    return: true
	    returnArg: {index: 0, type: int64}
	    selectors:
	    - matchBinaries: [{operator: In, followChildren: false, values: [$BASE/sct-python]}]
	      matchArgs: [{index: 0, operator: Equal, values: ["-4711"]}]
	---
	# Which call a thread is about to make is known at the tracepoint; the enforcer stops those that are listed.
	apiVersion: cilium.io/v1alpha1
	kind: TracingPolicy
	metadata: {name: enforced}
	spec:
	  lists:
	  - {name: bad, type: syscalls, values: [sys_swapoff, sys_acct]}
	  enforcers:
	  - calls: ["list:bad"]
	  tracepoints:
	  - subsystem: raw_syscalls
	    event: sys_enter
	    args: [{index: 4, type: int64}]
	    selectors:
	    - matchBinaries: [{operator: In, followChildren: false, values: [$BASE/sct-python]}]
	      matchArgs: [{index: 4, operator: InMap, values: ["163", "168"]}]
	      matchActions: [{action: NotifyEnforcer, argSig: 9}]
	---
	apiVersion: cilium.io/v1alpha1
	kind: TracingPolicy
	metadata: {name: watching}
	spec:
	  options: [{name: policy-mode, value: monitor}]
	  enforcers:
	  - calls: [sys_sethostname]
	  tracepoints:
	  - subsystem: raw_syscalls
	    event: sys_enter
	    args: [{index: 4, type: int64}]
	    selectors:
	    - matchBinaries: [{operator: In, followChildren: false, values: [$BASE/sct-python]}]
	      matchArgs: [{index: 4, operator: InMap, values: ["170"]}]
	      matchActions: [{action: NotifyEnforcer, argSig: 9}]
	END
        service_start -o json
        # Calls that change nothing: descriptors that are none, names that are no file, memory that is none.
        PYTHONHOME=$PYTHONHOME "$BASE/sct-python" - <<-END
	import ctypes, os, signal
	libc = ctypes.CDLL(None)
	libc.lseek.argtypes = [ctypes.c_int, ctypes.c_long, ctypes.c_int]
	libc.labs.argtypes = [ctypes.c_long]
	libc.labs.restype = ctypes.c_long
	libc.lseek(-77, 1, 2)
	libc.dup3(-77, -78, 0)
	libc.close(-77)
	libc.lseek(-79, 1, 2)
	signal.signal(12, signal.SIG_IGN)
	os.kill(os.getpid(), 12)
	libc.getenv(b'SCT_PLACES_$$')
	libc.secure_getenv(b'SCT_PLACES_$$')
	libc.labs(-4711)
	libc.labs(-4712)
	libc.sethostname(None, 10)
	open('$BASE/watched', 'w').close()
	END
        echo 0 >"$BASE/killed"
        PYTHONHOME=$PYTHONHOME "$BASE/sct-python" - <<-END 2>/dev/null || echo $? >"$BASE/killed"
	import ctypes, time
	open('$BASE/before', 'w').close()
	ctypes.CDLL(None).swapoff(b'/nonexistent/scopetrace-test')
	time.sleep(0.2)
	open('$BASE/after', 'w').close()
	END
        # Another program makes the same call and lives.
        python3 - <<-END
	import ctypes
	ctypes.CDLL(None).swapoff(b'/nonexistent/scopetrace-test')
	open('$BASE/spared', 'w').close()
	END
        service_stop
}

teardown() {
        cases_teardown
}

of() {
        jq -c --arg policy "$1" 'select(.matchedPolicies | index($policy))' "$BASE/out" | jq -c "$2"
}

test_raw_tracepoint() {
        assert_eq "$(of raw '[.eventName, .matchedScopes, .args[0].name, .args[0].value]' | sort -u)" \
                '["signal_generate",256,"number",12]'
        assert_eq "$(of raw '[.message, .tags]' | sort -u)" '["a signal for the test",["signals","attach.test"]]'
}

# The call that was hit is the event; of i386/ only the 32-bit one would be.
test_list_of_calls() {
        assert_eq "$(of listed '[.eventName, .args[0].value, .returnValue]' | sort)" \
                "$(printf '["sys_dup3",-77,-9]\n["sys_lseek",-77,-9]')"
}

test_all_calls() {
        assert_eq "$(of everything .eventName | sort -u)" "$(printf '"sys_close"\n"sys_dup3"\n"sys_lseek"')"
}

test_places_of_a_binary() {
        assert_eq "$(of library 'select(.args[0].value | strings) | .eventName' | sort -u)" "$(printf '"getenv"\n"secure_getenv"')"
        assert_eq "$(of library 'select(.eventName == "labs") | [.args[0].value, .returnValue]')" '[-4711,4711]'
}

test_enforcer_signals() {
        assert_eq "$(cat "$BASE/killed")" 137
        test -e "$BASE/before"
        refused test -e "$BASE/after"
        test -e "$BASE/spared"
        assert_eq "$(of enforced '.args[0].value')" 168
}

# In monitor mode the event says what would have been done, and nothing is.
test_enforcer_monitors() {
        test -e "$BASE/watched"
        assert_eq "$(of watching '.args[0].value')" 170
}

# Everything that is refused says what to write instead, and harms nothing else.
test_refusals() {
        local text
        mkdir -p "$BASE/refused"
        cat >"$BASE/refused/a.yaml" <<-END
	apiVersion: cilium.io/v1alpha1
	kind: TracingPolicy
	metadata: {name: no-raw}
	spec:
	  tracepoints: [{subsystem: sched, event: sched_nothing, raw: true}]
	---
	apiVersion: cilium.io/v1alpha1
	kind: TracingPolicy
	metadata: {name: no-raw-index}
	spec:
	  tracepoints: [{subsystem: sched, event: sched_switch, raw: true, args: [{index: 7, type: int}]}]
	---
	apiVersion: cilium.io/v1alpha1
	kind: TracingPolicy
	metadata: {name: no-override}
	spec:
	  kprobes:
	  - call: sys_linkat
	    args: [{index: 1, type: string}]
	    selectors:
	    - matchBinaries: [{operator: In, followChildren: false, values: [$BASE/nobody]}]
	      matchActions: [{action: Override, argError: -1}]
	---
	apiVersion: cilium.io/v1alpha1
	kind: TracingPolicy
	metadata: {name: no-enforcer}
	spec:
	  enforcers: [{calls: [sys_unlinkat]}]
	  kprobes:
	  - call: sys_unlinkat
	    selectors:
	    - matchBinaries: [{operator: In, followChildren: false, values: [$BASE/nobody]}]
	      matchActions: [{action: NotifyEnforcer, argError: -1}]
	---
	apiVersion: cilium.io/v1alpha1
	kind: TracingPolicy
	metadata: {name: fine}
	spec:
	  kprobes: [{call: sys_lseek}]
	END
        timeout -s TERM 60 "$SCOPETRACED" --console --no-bus --policy "$BASE/refused" >"$test_tmp/none" 2>"$test_tmp/said" &
        wait_for 60 grep -q ' is ready ' "$test_tmp/said"
        kill $!
        wait || true
        text=$(cat "$test_tmp/said")
        assert_contains "$text" 'tracepoint sched_nothing with type information'
        assert_contains "$text" 'sched_switch has 4 arguments, there is none with index 7'
        assert_contains "$text" 'hook inode_link under lsmhooks'
        assert_contains "$text" 'hook inode_unlink under lsmhooks'
        assert_contains "$text" '4 failed'
}

# What hooks the kernel itself is served where the kernel allows it, and refused by name where it does not.
test_locked_down() {
        local text
        mkdir -p "$BASE/kernel"
        cat >"$BASE/kernel/a.yaml" <<-END
	apiVersion: cilium.io/v1alpha1
	kind: TracingPolicy
	metadata: {name: lsm}
	spec:
	  lsmhooks:
	  - hook: file_open
	    args: [{index: 0, type: file}]
	    selectors: [{matchBinaries: [{operator: In, followChildren: false, values: [$BASE/nobody]}]}]
	---
	apiVersion: cilium.io/v1alpha1
	kind: TracingPolicy
	metadata: {name: loader}
	spec: {loader: true}
	END
        "$SCOPECTL" features --no-pager --no-legend >"$test_tmp/features" 2>/dev/null || true
        timeout -s TERM 60 "$SCOPETRACED" --console --no-bus --policy "$BASE/kernel" >"$test_tmp/none" 2>"$test_tmp/said-kernel" &
        wait_for 60 grep -q ' is ready ' "$test_tmp/said-kernel"
        kill $!
        wait || true
        text=$(cat "$test_tmp/said-kernel")
        if [[ "$text" == *'0 failed'* || "$text" != *'failed'* ]]; then
                return 0
        fi
        assert_contains "$text" 'BPF LSM programs are refused'
        assert_contains "$text" 'loader sees files where they are mapped'
}

run_tests
