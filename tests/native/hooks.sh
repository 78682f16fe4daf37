#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# TracingPolicy on a real kernel: what exists on a locked-down one too. System calls as kprobes, classic tracepoints,
# uprobes, their arguments, filters, return values and actions; what cannot be is refused with a sentence.
. "$(dirname "$0")/../lib/test.sh"
. "$(dirname "$0")/cases.bash"

setup() {
        mkdir -p "$BASE/policies"
        cp /bin/cat "$BASE/sct-cat"
        cat >"$BASE/policies/hooks.yaml" <<-END
	apiVersion: cilium.io/v1alpha1
	kind: TracingPolicy
	metadata:
	  name: calls
	  annotations: {scopetrace.org/scope: "7"}
	spec:
	  kprobes:
	  - call: sys_openat
	    syscall: true
	    return: true
	    args:
	    - {index: 1, type: string, label: opened}
	    returnArg: {index: 0, type: int}
	    selectors:
	    - matchArgs:
	      - {index: 1, operator: Prefix, values: ["$BASE/open-"]}
	      matchReturnArgs:
	      - {operator: NotEqual, values: ["-2"]}
	  - call: __x64_sys_write
	    syscall: true
	    args:
	    - {index: 0, type: fd}
	    - {index: 1, type: char_buf, sizeArgIndex: 3}
	    - {index: 2, type: size_t}
	    selectors:
	    - matchArgs:
	      - {index: 0, operator: Equal, values: ["$BASE/watched"]}
	      matchActions:
	      - {action: Post}
	    - matchArgs:
	      - {index: 0, operator: Equal, values: ["$BASE/deadly"]}
	      matchActions:
	      - {action: Sigkill}
	    - matchArgs:
	      - {index: 0, operator: Prefix, values: ["$BASE/"]}
	      - {index: 0, operator: Postfix, values: ["silent"]}
	      matchActions:
	      - {action: NoPost}
	---
	apiVersion: cilium.io/v1alpha1
	kind: TracingPolicy
	metadata: {name: points}
	spec:
	  tracepoints:
	  - subsystem: syscalls
	    event: sys_enter_lseek
	    args:
	    - {index: 5, type: int32}
	    - {index: 6, type: int64}
	    - {index: 7, type: uint32}
	    selectors:
	    - matchArgs:
	      - {index: 5, operator: Equal, values: ["-77"]}
	      - {index: 6, operator: GT, values: ["1000"]}
	---
	apiVersion: cilium.io/v1alpha1
	kind: TracingPolicy
	metadata: {name: again}
	spec:
	  tracepoints:
	  - subsystem: syscalls
	    event: sys_enter_lseek
	    args:
	    - {index: 5, type: int32}
	    selectors:
	    - matchArgs:
	      - {index: 5, operator: Equal, values: ["-77"]}
	---
	apiVersion: cilium.io/v1alpha1
	kind: TracingPolicy
	metadata: {name: library}
	spec:
	  uprobes:
	  - path: $(ldd /bin/cat | awk '/libc.so/ { print $3 }')
	    symbols: [getenv]
	    args:
	    - {index: 0, type: string}
	    selectors:
	    - matchArgs:
	      - {index: 0, operator: Equal, values: [SCT_PROBED_$$]}
	END
        service_start -o json
        echo here >"$BASE/open-here"
        cat "$BASE/open-here" "$BASE/open-missing" >/dev/null 2>&1 || true
        bash -c "echo seen >$BASE/watched"
        bash -c "echo unseen >$BASE/silent"
        bash -c "echo doomed >$BASE/deadly; echo alive >$BASE/alive" 2>/dev/null || true
        python3 - <<-END
	import ctypes
	libc = ctypes.CDLL(None)
	libc.lseek.argtypes = [ctypes.c_int, ctypes.c_long, ctypes.c_int]
	libc.lseek(-77, 1001, 2)
	libc.lseek(-77, 999, 2)
	libc.lseek(-78, 1001, 2)
	libc.getenv(b'SCT_PROBED_$$')
	libc.getenv(b'SCT_OTHER')
	END
        service_stop
}

teardown() {
        cases_teardown
}

# of POLICY FILTER: what jq says of the events of one policy.
of() {
        jq -c --arg policy "$1" 'select(.matchedPolicies | index($policy))' "$BASE/out" | jq -c "$2"
}

test_system_call_with_return() {
        assert_eq "$(of calls 'select(.eventName == "sys_openat") | [.args[0].name, .args[0].value, .returnValue >= 0]' | sort -u)" \
                "[\"opened\",\"$BASE/open-here\",true]"
}

test_first_selector_acts() {
        of calls 'select(.eventName == "__x64_sys_write") | .args[] | select(.name == "count") | .value' >seen
        # "seen" and "doomed" with their newlines; "unseen" is not posted.
        assert_eq "$(sort <seen | tr '\n' ' ')" '5 7 '
}

# The killed shell wrote nothing more; the one that only was seen did.
test_sigkill() {
        refused test -e "$BASE/alive"
        assert_eq "$(cat "$BASE/watched")" seen
        assert_eq "$(cat "$BASE/silent")" unseen
}

# Two policies on one place are judged each on its own.
test_tracepoint_shared() {
        assert_eq "$(of points '[.args[].value]')" '[-77,1001,2]'
        assert_eq "$(of again '[.args[].value]')" "$(printf '[-77]\n[-77]')"
}

test_uprobe() {
        assert_eq "$(of library '.args[0].value')" "\"SCT_PROBED_$$\""
}

# What this kernel or this version lacks is said, and nothing else is harmed.
test_refusals() {
        local text
        mkdir -p "$BASE/refused"
        cat >"$BASE/refused/a.yaml" <<-END
	apiVersion: cilium.io/v1alpha1
	kind: TracingPolicy
	metadata: {name: no-field}
	spec:
	  tracepoints:
	  - subsystem: syscalls
	    event: sys_enter_lseek
	    args: [{index: 77, type: int32}]
	---
	apiVersion: cilium.io/v1alpha1
	kind: TracingPolicy
	metadata: {name: no-tracepoint}
	spec:
	  tracepoints:
	  - {subsystem: syscalls, event: sys_enter_nothing}
	---
	apiVersion: cilium.io/v1alpha1
	kind: TracingPolicy
	metadata: {name: no-action}
	spec:
	  kprobes:
	  - call: sys_symlinkat
	    syscall: true
	    args: [{index: 0, type: string}]
	    selectors:
	    - matchActions: [{action: Override, argError: -1}]
	---
	apiVersion: cilium.io/v1alpha1
	kind: TracingPolicy
	metadata: {name: fine}
	spec:
	  kprobes:
	  - {call: sys_symlinkat, syscall: true, args: [{index: 0, type: string}]}
	END
        timeout -s TERM 20 "$SCOPETRACED" --console --no-bus --policy "$BASE/refused" >"$test_tmp/none" 2>"$test_tmp/said" &
        wait_for 15 grep -q ' is ready ' "$test_tmp/said"
        kill $!
        wait || true
        text=$(cat "$test_tmp/said")
        assert_contains "$text" 'has no field 77'
        assert_contains "$text" 'there is no tracepoint syscalls/sys_enter_nothing'
        assert_contains "$text" 'hook inode_symlink under lsmhooks'
        assert_contains "$text" '3 failed'
}

run_tests
