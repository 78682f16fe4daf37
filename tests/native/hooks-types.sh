#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Arguments of hooks on a real kernel, as far as a locked-down one lets hooks be attached: their names and types where the
# policy leaves them out, every type that system calls and tracepoints can have, the operators' answers on values where
# signs and widths matter, data from the task's own structs; and filters of ScopePolicy on addresses, times and pairs.
. "$(dirname "$0")/../lib/test.sh"
. "$(dirname "$0")/cases.bash"

python=$(python3 -c 'import os, sys; print(os.path.realpath(sys.executable))')
libc=$(ldd /bin/cat | awk '/libc.so/ { print $3 }')
fd_high=500

# call NAME CALL ARGS [FILTERS]: a policy on a system call. ARGS and FILTERS in YAML's flow style.
call() {
        cat <<-END
	---
	apiVersion: cilium.io/v1alpha1
	kind: TracingPolicy
	metadata: {name: $1}
	spec:
	  kprobes:
	  - call: $2
	    syscall: true
	    args: [$3]
	    selectors:
	    - matchBinaries: [{operator: In, values: ["$python"]}]
	      matchArgs: [${4:-}]
	END
}

# priority NAME TYPE OPERATOR VALUES: numbers, by the first argument of getpriority.
priority() {
        call "$1" sys_getpriority "{index: 0, type: $2, label: which}, {index: 1, type: int, label: who}" \
                "{index: 1, operator: Equal, values: [\"-4242\"]}, {index: 0, operator: $3, values: $4}"
}

# offset NAME TYPE OPERATOR VALUES: the same in 64 bits.
offset() {
        call "$1" sys_lseek "{index: 0, type: int}, {index: 1, type: $2, label: offset}" \
                "{index: 0, operator: Equal, values: [\"-4242\"]}, {index: 1, operator: $3, values: $4}"
}

# scope NAME FILTER...
scope() {
        local name=$1 f
        shift
        printf -- '---\napiVersion: scopetrace.org/v1\nkind: ScopePolicy\nmetadata: {name: %s}\nspec:\n  filters:\n' "$name"
        printf '  - exe=%s\n' "$python"
        for f in "$@"; do
                printf '  - "%s"\n' "$f"
        done
}

tracepoint() {
        cat <<-END
	---
	apiVersion: cilium.io/v1alpha1
	kind: TracingPolicy
	metadata: {name: $1}
	spec:
	  tracepoints:
	  - subsystem: $2
	    event: $3
	    args: [$4]
	    selectors:
	    - matchBinaries: [{operator: In, values: ["$python"]}]
	      matchArgs: [${5:-}]
	END
}

# Index of a field in the format of a tracepoint.
field_of() {
        grep 'field:' "/sys/kernel/tracing/events/$1/format" | grep -n "[ *]$2\(\[[0-9]*\]\)\?;" | cut -d: -f1 |
                awk '{ print $1 - 1 }'
}

policies() {
        priority int-equal int Equal '["-5"]'
        priority int-unsigned-word int Equal '["4294967291"]'
        priority uint-equal uint32 Equal '["4294967291"]'
        priority uint-below uint32 LT '["5"]'
        priority int-below int LT '["-4"]'
        priority int-above int GT '["-6"]'
        priority int-map int InMap '["-10:-5"]'
        priority int-not-map int NotInMap '["-10:-5"]'
        priority uint-map-all uint32 InMap '["0:4294967295"]'
        priority int-range int InRange '["-5:-5"]'
        priority int8-below int8 LT '["0"]'
        priority int8-equal int8 Equal '["-5"]'
        priority uint8-equal uint8 Equal '["251"]'
        priority int16-below int16 LT '["-4"]'
        priority uint16-above uint16 GT '["65530"]'
        priority mask int Mask '["0x40000000"]'
        priority several int NotEqual '["1", "-5"]'
        offset size-above size_t GT '["4294967296"]'
        offset size-low-word size_t Equal '["7"]'
        offset uint64-range uint64 InRange '["9223372036854775808:18446744073709551615"]'
        offset int64-below int64 LT '["-4294967296"]'
        offset uint64-equal uint64 Equal '["18446744073709551609"]'

        call auto sys_openat '{index: 0}, {index: 1}, {index: 2, type: auto}, {index: 3, label: rights}' \
                "{index: 1, operator: Equal, values: [\"$BASE/auto\"]}, {index: 2, operator: Mask, values: [\"O_CREAT\"]}"
        call iovec sys_writev '{index: 0, type: fd}, {index: 1, type: char_iovec, sizeArgIndex: 3}, {index: 2, type: int}' \
                "{index: 1, operator: Equal, values: [\"onetwothree\"]}"
        call iovec-none sys_writev '{index: 1, type: char_iovec, sizeArgIndex: 3}' \
                "{index: 1, operator: Prefix, values: [\"two\"]}"
        call iovec-returned sys_readv '{index: 1, type: char_iovec, sizeArgIndex: 3, returnCopy: true}' \
                "{index: 1, operator: Prefix, values: [\"types-\"]}"
        call returned sys_read '{index: 0, type: fd}, {index: 1, type: char_buf, returnCopy: true}' \
                "{index: 1, operator: Prefix, values: [\"types-\"]}"
        call cut sys_write '{index: 1, type: char_buf, sizeArgIndex: 3, maxData: 8}' \
                "{index: 1, operator: Equal, values: [\"types-cu\"]}"
        call sized sys_write '{index: 1, type: char_buf, sizeArgIndex: 3}' \
                "{index: 1, operator: SubString, values: [\"-cut\"]}"
        call unsized sys_write '{index: 1, type: char_buf, maxData: 16}' \
                "{index: 1, operator: Prefix, values: [\"types-cut\"]}"
        call address sys_connect '{index: 1, type: sockaddr, sizeArgIndex: 3}' \
                "{index: 1, operator: SAddr, values: [\"127.9.0.0/16\"]}, {index: 1, operator: SPort, values: [\"4700:4710\"]}"
        call address-not sys_connect '{index: 1, type: sockaddr}' \
                "{index: 1, operator: NotSAddr, values: [\"127.9.0.0/17\"]}, {index: 1, operator: NotSPort, values: [\"1:4711\"]}, {index: 1, operator: Family, values: [\"AF_INET\", \"AF_INET6\"]}"
        call address-6 sys_connect '{index: 1, type: sockaddr}' \
                "{index: 1, operator: SAddr, values: [\"::1\"]}, {index: 1, operator: SPortPriv}"
        call address-unix sys_connect '{index: 1, type: sockaddr_un}' \
                "{index: 1, operator: Prefix, values: [\"$BASE/so\", \"@sct-\"]}"
        call vector sys_execve '{index: 0}, {index: 1}' "{index: 0, operator: Equal, values: [\"$BASE/nothing\"]}"
        call pair sys_pipe2 '{index: 0}, {index: 1}' "{index: 1, operator: Equal, values: [\"O_CLOEXEC|O_NONBLOCK\"]}"
        call pause sys_clock_nanosleep '{index: 2}' "{index: 2, operator: InRange, values: [\"1000001:1000003\"]}"

        tracepoint seek syscalls sys_enter_lseek '{index: 5}, {index: 6}, {index: 7}' \
                '{index: 5, operator: Equal, values: ["-4242"]}, {index: 6, operator: LT, values: ["0"]}'
        tracepoint written syscalls sys_enter_write '{index: 5}, {index: 6, type: char_buf, sizeArgIndex: 8}, {index: 7}' \
                '{index: 6, operator: Equal, values: ["types-cut off"]}'
        tracepoint number raw_syscalls sys_enter "{index: 4, type: syscall64}, {index: 5}" \
                '{index: 4, operator: InMap, values: ["sys_getpgid"]}'
        tracepoint renamed task task_rename \
                "{index: $(field_of task/task_rename oldcomm)}, {index: $(field_of task/task_rename newcomm)}, {index: $(field_of task/task_rename pid)}" \
                "{index: $(field_of task/task_rename newcomm), operator: Equal, values: [\"sct-types\"]}"

        cat <<-END
	---
	apiVersion: cilium.io/v1alpha1
	kind: TracingPolicy
	metadata: {name: data}
	spec:
	  kprobes:
	  - call: sys_getpgid
	    syscall: true
	    args: [{index: 0, type: int}]
	    data:
	    - {source: current_task, resolve: cred.uid.val, label: uid}
	    - {source: current_task, resolve: comm, label: comm}
	    - {source: current_task, resolve: nsproxy.uts_ns.name.nodename, label: node}
	    - {source: current_task, resolve: cred.cap_effective, label: caps}
	    - {source: current_task, resolve: real_parent.tgid, label: parent}
	    - {source: current_task, resolve: mm.exe_file, label: exe, type: file}
	    - {source: current_task, resolve: "signal.rlim[7].rlim_cur", label: files}
	    selectors:
	    - matchBinaries: [{operator: In, values: ["$python"]}]
	      matchData:
	      - {args: [0], operator: Equal, values: ["0"]}
	      - {args: [1], operator: Prefix, values: ["sct-"]}
	      - {args: [5], operator: Equal, values: ["$python"]}
	---
	apiVersion: cilium.io/v1alpha1
	kind: TracingPolicy
	metadata: {name: registers}
	spec:
	  uprobes:
	  - path: $libc
	    symbols: [getenv]
	    args: [{index: 0, type: string}]
	    data: [{source: pt_regs, resolve: rdi, label: rdi}]
	    selectors:
	    - matchArgs:
	      - {index: 0, operator: Equal, values: [SCT_TYPES_$$]}
	END
        scope to-address event=connect "connect.args.addr=127.9.0.0/16:4701"
        scope to-port event=connect "connect.args.addr=*:4702"
        scope to-unix event=connect "connect.args.addr=$BASE/so*"
        scope to-abstract event=connect "connect.args.addr=@sct-types"
        scope to-six event=connect "connect.args.addr=[::1]:77"
        scope to-others event=connect "connect.args.addr!=127.0.0.0/8,AF_UNIX,AF_INET6"
        scope from-socket event=getsockname "getsockname.args.addr=127.9.0.1"
        scope short-pause event=clock_nanosleep "clock_nanosleep.args.request<2ms" "clock_nanosleep.args.request>=1000001ns"
        scope this-pause event=clock_nanosleep "clock_nanosleep.args.request=0.003"
        scope pipe-200 event=pipe2 "pipe2.args.pipefd=$((fd_high + 1))"
        scope pipe-high event=pipe2 "pipe2.args.pipefd>=$fd_high"
        scope how event=openat2 "openat2.args.how=O_DIRECTORY"
}

setup() {
        mkdir -p "$BASE/policies"
        policies >"$BASE/policies/types.yaml"
        printf 'types-in the file' >"$BASE/in"
        service_start -o json
        cat >"$BASE/trigger.py" <<-END
	import ctypes, os, socket, struct
	libc = ctypes.CDLL(None, use_errno=True)
	open('/proc/self/comm', 'w').write('sct-types')
	for which in (-5, 5, 4):
	    libc.getpriority(which, -4242)
	libc.lseek.argtypes = [ctypes.c_int, ctypes.c_long, ctypes.c_int]
	for offset in (-7, 7, 1 << 32 | 7, -(1 << 33)):
	    libc.lseek(-4242, offset, 0)
	os.close(os.open('$BASE/auto', os.O_CREAT | os.O_WRONLY, 0o640))
	try:
	    os.open('$BASE/auto', os.O_RDONLY)
	except OSError:
	    pass
	fd = os.open('$BASE/written', os.O_CREAT | os.O_WRONLY)
	os.writev(fd, [b'one', b'two', b'three'])
	os.writev(fd, [b'two', b'one'])
	os.write(fd, b'types-cut off')
	os.write(fd, b'typos-cat off')
	fd = os.open('$BASE/in', os.O_RDONLY)
	os.read(fd, 4096)
	os.lseek(fd, 0, 0)
	a, b = bytearray(4), bytearray(40)
	os.readv(fd, [a, b])
	def connect(family, to, kind=socket.SOCK_DGRAM):
	    s = socket.socket(family, kind)
	    try:
	        s.connect(to)
	    except OSError:
	        pass
	    return s
	s = connect(socket.AF_INET, ('127.9.0.1', 4701))
	connect(socket.AF_INET, ('127.8.0.1', 4702))
	connect(socket.AF_INET, ('127.9.200.1', 4712))
	connect(socket.AF_INET6, ('::1', 77))
	connect(socket.AF_INET6, ('::1', 7777))
	connect(socket.AF_UNIX, '$BASE/socket')
	connect(socket.AF_UNIX, '$BASE/other')
	connect(socket.AF_UNIX, '\0sct-types')
	connect(socket.AF_INET, ('198.51.100.1', 9))
	t = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
	t.bind(('127.9.0.1', 0))
	t.getsockname()
	u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
	u.bind(('127.9.0.2', 0))
	u.getsockname()
	argv = (ctypes.c_char_p * 4)(b'one', b'two words', b'three', None)
	libc.execve(b'$BASE/nothing', argv, None)
	for fd in range(3, $fd_high):
	    try:
	        os.fstat(fd)
	    except OSError:
	        os.dup2(0, fd)
	os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
	os.pipe2(os.O_CLOEXEC)
	class timespec(ctypes.Structure):
	    _fields_ = [('sec', ctypes.c_long), ('nsec', ctypes.c_long)]
	for ns in (1000002, 3000000, 5000):
	    libc.clock_nanosleep(1, 0, ctypes.byref(timespec(0, ns)), None)
	libc.syscall(437, -100, b'$BASE', ctypes.byref((ctypes.c_ulonglong * 3)(os.O_DIRECTORY, 0, 0)), 24)
	libc.syscall(437, -100, b'$BASE', ctypes.byref((ctypes.c_ulonglong * 3)(os.O_PATH, 0, 0)), 24)
	os.getpgid(0)
	libc.getenv(b'SCT_TYPES_$$')
	END
        "$python" "$BASE/trigger.py" </dev/null >/dev/null 2>"$BASE/trigger.log" &
        echo $! >"$BASE/trigger.pid"
        wait $!
        service_stop
        [ -z "${KEEP:-}" ] || cp -r "$BASE" "$KEEP"
}

teardown() {
        cases_teardown
}

# of POLICY FILTER: what jq says of the events of one policy. Other programs of this machine may run the same binary.
of() {
        jq -c --arg policy "$1" --argjson pid "$(cat "$BASE/trigger.pid")" \
                'select(.hostProcessId == $pid and (.matchedPolicies | index($policy)))' "$BASE/out" | jq -c "$2"
}

# values POLICY [ARGUMENT]: the values of one argument (the first) of a policy's events, in order, on one line.
values() {
        of "$1" ".args[] | select(.name == \"${2:-which}\") | .value" | tr '\n' ' ' | sed 's/ $//'
}

test_all_loaded() {
        refused grep -E 'error|failed' "$BASE/log"
        assert_eq "$(cat "$BASE/trigger.log")" ''
}

# Negative numbers, of any width, and the same bits without a sign.
test_numbers_of_32_bits() {
        assert_eq "$(values int-equal)" -5
        assert_eq "$(values int-unsigned-word)" -5
        assert_eq "$(values uint-equal)" 4294967291
        assert_eq "$(values uint-below)" 4
        assert_eq "$(values int-below)" -5
        assert_eq "$(values int-above)" '-5 5 4'
        assert_eq "$(values int-map)" -5
        assert_eq "$(values int-not-map)" '5 4'
        assert_eq "$(values uint-map-all)" '4294967291 5 4'
        assert_eq "$(values int-range)" -5
        assert_eq "$(values mask)" -5
        assert_eq "$(values several)" '5 4'
}

test_numbers_of_few_bits() {
        assert_eq "$(values int8-below)" -5
        assert_eq "$(values int8-equal)" -5
        assert_eq "$(values uint8-equal)" 251
        assert_eq "$(values int16-below)" -5
        assert_eq "$(values uint16-above)" 65531
}

# offsets POLICY: the same of `offset`, whose numbers are too large for jq.
offsets() {
        grep "\"matchedPolicies\":\[\"$1\"" "$BASE/out" | sed 's/.*"name":"offset","type":"[^"]*","value":\([-0-9]*\).*/\1/' |
                tr '\n' ' ' | sed 's/ $//'
}

# size_t has 64 bits, and so have its comparisons; numbers above 2^63 are numbers.
test_numbers_of_64_bits() {
        assert_eq "$(offsets size-above)" '18446744073709551609 4294967303 18446744065119617024'
        assert_eq "$(offsets size-low-word)" 7
        assert_eq "$(offsets uint64-range)" '18446744073709551609 18446744065119617024'
        assert_eq "$(offsets int64-below)" -8589934592
        assert_eq "$(offsets uint64-equal)" 18446744073709551609
}

# A system call's arguments without a word of their types: what its own event says.
test_auto_of_system_calls() {
        assert_eq "$(of auto '[.args[].name]')" '["dirfd","pathname","flags","rights"]'
        assert_eq "$(of auto '[.args[1].value, .args[1].type]')" "[\"$BASE/auto\",\"string\"]"
        assert_eq "$(of auto '.args[3].value')" 416
        assert_eq "$(of vector '[.args[] | .name, .type]')" '["pathname","string","argv","strv"]'
        assert_eq "$(of vector '.args[1].value')" '["one","two words","three"]'
        assert_eq "$(of pair '.args[0].value | .[1] - .[0]')" 1
        assert_eq "$(of pause '.args[0].value')" 0.001000002
}

test_vectors_of_buffers() {
        assert_eq "$(values iovec iov)$(values iovec vec)" '"onetwothree"'
        assert_eq "$(of iovec-none '.args[0].value')" '"twoone"'
        assert_eq "$(of iovec-returned '.args[0].value')" '"types-in the file"'
}

test_buffers() {
        assert_eq "$(of returned '.args[1].value')" '"types-in the file"'
        assert_eq "$(of cut '.args[0].value')" '"types-cu"'
        assert_eq "$(of sized '.args[0].value')" '"types-cut off"'
        assert_contains "$(of unsized '.args[0].value')" 'types-cut off'
}

test_addresses() {
        assert_eq "$(of address '.args[0].value | .sin_addr + " " + .sin_port')" '"127.9.0.1 4701"'
        assert_eq "$(of address-not '.args[0].value | .sin_addr + .sin6_addr + " " + .sin_port + .sin6_port' | tr '\n' ' ')" \
                '"127.9.200.1 4712" "::1 7777" '
        assert_eq "$(of address-6 '.args[0].value.sin6_port')" '"77"'
        assert_eq "$(of address-unix '.args[0].value.sun_path' | tr '\n' ' ')" "\"$BASE/socket\" \"\\u0000sct-types\" "
}

# Fields of tracepoints, by the words of their format file.
test_tracepoints() {
        assert_eq "$(of seek '[.args[].name]' | sort -u)" '["fd","offset","whence"]'
        assert_eq "$(values seek offset)" '-7 -8589934592'
        assert_eq "$(of written '[.args[1].name, .args[1].value, .args[2].value]')" '["buf","types-cut off",13]'
        assert_eq "$(of number '[.args[].name]')" '["id","args"]'
        assert_eq "$(of number '.args[0].value')" "$(of number '.args[0].value | if type == "string" then . else 121 end')"
        assert_eq "$(of renamed '[.args[] | .name, .value] | .[0:4]')" \
                "[\"oldcomm\",\"$(basename "$python" | cut -c1-15)\",\"newcomm\",\"sct-types\"]"
}

test_data_of_the_task() {
        assert_eq "$(of data '[.args[].name]')" '["pid","uid","comm","node","caps","parent","exe","files"]'
        assert_eq "$(of data '[.args[1].value, .args[2].value, .args[3].value]')" "[0,\"sct-types\",\"$(uname -n)\"]"
        assert_eq "$(of data '[.args[].type] | .[1:3]')" '["uint32","string"]'
        assert_eq "$(of data '.args[6].value.path')" "\"$python\""
        assert_eq "$(of data '.args[5].value > 1')" true
        assert_eq "$(of data '.args[7].value > 3')" true
        assert_eq "$(of registers '.args[1].value > 65536')" true
}

test_filters_on_addresses() {
        assert_eq "$(of to-address '.args[1].value.sin_port')" '"4701"'
        assert_eq "$(of to-port '.args[1].value.sin_addr')" '"127.8.0.1"'
        assert_eq "$(of to-unix '.args[1].value.sun_path')" "\"$BASE/socket\""
        assert_eq "$(of to-abstract '.args[1].value.sun_path')" '"\u0000sct-types"'
        assert_eq "$(of to-six '.args[1].value.sin6_port')" '"77"'
        assert_eq "$(of to-others '.args[1].value.sin_addr')" '"198.51.100.1"'
        assert_eq "$(of from-socket '.args[1].value.sin_addr' | sort -u)" '"127.9.0.1"'
}

test_filters_on_times() {
        assert_eq "$(of short-pause '.args[2].value')" 0.001000002
        assert_eq "$(of this-pause '.args[2].value')" 0.003
}

test_filters_on_pairs() {
        assert_eq "$(of pipe-200 '.args[0].value')" "[$fd_high,$((fd_high + 1))]"
        assert_eq "$(of pipe-high '.args[0].value' | wc -l)" 2
}

test_filter_on_a_struct() {
        assert_eq "$(of how '.eventName' | wc -l)" 1
}

# What cannot be found is said with the name of what is missing.
test_refusals() {
        local text
        mkdir -p "$BASE/refused"
        {
                call no-member sys_getpgid '{index: 0, type: int}' | sed 's/^    selectors:/    data: [{resolve: cred.nothing}]\n    selectors:/'
                call no-struct sys_getpgid '{index: 0, type: int}' | sed 's/^    selectors:/    data: [{resolve: tgid.x}]\n    selectors:/'
                call no-element sys_getpgid '{index: 0, type: int}' | sed 's/^    selectors:/    data: [{resolve: "signal.rlim[99].rlim_cur"}]\n    selectors:/'
                call user-memory sys_openat '{index: 1, type: string, resolve: name}'
                tracepoint text-of-number syscalls sys_enter_lseek '{index: 6}' '{index: 6, operator: Prefix, values: ["x"]}'
                tracepoint address-of-number syscalls sys_enter_lseek '{index: 5}' '{index: 5, operator: SAddr, values: ["::1"]}'
                tracepoint wrong-type syscalls sys_enter_lseek '{index: 5, type: sock}'
                tracepoint beyond syscalls sys_enter_lseek '{index: 7}' '{index: 7, operator: LT, values: ["-1"]}'
        } >"$BASE/refused/a.yaml"
        timeout -s TERM 60 "$SCOPETRACED" --console --no-bus --policy "$BASE/refused" >"$test_tmp/none" 2>"$test_tmp/said" &
        wait_for 60 grep -q ' is ready ' "$test_tmp/said"
        kill $!
        wait || true
        text=$(cat "$test_tmp/said")
        assert_contains "$text" 'the struct cred of this kernel has no member nothing'
        assert_contains "$text" 'what comes before x is no struct'
        assert_contains "$text" "is beyond the array's"
        assert_contains "$text" "points to the program's memory"
        assert_contains "$text" 'and no text'
        assert_contains "$text" 'has no SAddr'
        assert_contains "$text" 'the type sock does not fit it'
        assert_contains "$text" 'is never below 0'
        assert_contains "$text" '8 failed'
}

run_tests
