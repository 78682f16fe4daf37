#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Every TracingPolicy of Tetragon's v0.9 collection and of its guide on a locked-down kernel: what exists there is
# loaded, caused and not caused; what does not is refused by its sentence. A row a file; the same files on kernels that
# grant everything are tests/vm/guest's.
#
# All are loaded at once, each under its file's name, and each deed is done by a program of the row's own. This machine
# is not the test's: a policy that acts, or that would see everything that happens here, is bound to those programs
# (`bound`, `lone`); nothing else about a file is changed but numbers and paths of another machine.
. "$(dirname "$0")/../lib/test.sh"
. "$(dirname "$0")/cases.bash"

data=$test_dir/../data
deed=$test_dir/../lib/deed.pl
bound='s~^\( *\)- \(match[A-Za-z]*\):$~\1- OWN\n\1  \2:~'                      # one more condition of each selector
lone='s~^\( *\)\(- call\|  event\): .*~&\n\1  selectors:\n\1  - OWN~'           # a hook that has no selectors

files() {
        (cd "$data" && ls tetragon-v0.9/*.yaml policies/tracing/good/guide-*.yaml)
}

case_name() {
        local f
        for f in "${FUNCNAME[@]}"; do
                [ "$f" = "${f#test_}" ] || echo "${f#test_}"
        done
}

# The programs of this row are called y and n and this number: there is no room for its name.
row_number() {
        cksum <<<"$(case_name)" | cut -d' ' -f1
}

# lay FILE SED...: the file as it is loaded. Each SED must say something, or a policy that acts might act on others.
lay() {
        local from=$data/tetragon-v0.9/$1.yaml n s
        n=$(row_number)
        [ "${1#guide-}" = "$1" ] || from=$data/policies/tracing/good/$1.yaml
        cp "$from" "$BASE/laid"
        for s in "${@:2}" "0,/name:/s/^\( *\)name:.*/\1name: $1\n\1annotations: {scopetrace.org\/scope: \"$((n % 64 + 1))\"}/"; do
                s=${s//OWN/"matchBinaries: [{operator: In, values: [$BASE/bin/y$n, $BASE/bin/n$n]}]"}
                sed -e "$s" "$BASE/laid" >"$BASE/laid.new" || exit 1
                ! cmp -s "$BASE/laid" "$BASE/laid.new" || fail "nothing in $1 is changed by $s"
                mv "$BASE/laid.new" "$BASE/laid"
        done
        mv "$BASE/laid" "$BASE/policies/$1.yaml"
        echo "$1" >>"$BASE/rows"
}

# The deed that counts and the one that does not; what they ended with is kept.
do_deeds() {
        local yes no r=0
        yes=$BASE/bin/y$(row_number) no=$BASE/bin/n$(row_number)
        ln "$BASE/perl" "$yes"
        ln "$BASE/perl" "$no"
        eval "$1" >/dev/null 2>"$BASE/$CASE/yes.log" || r=$?
        echo $r >"$BASE/$CASE/yes"
        r=0
        eval "${2:-true}" >/dev/null 2>"$BASE/$CASE/no.log" || r=$?
        echo $r >"$BASE/$CASE/no"
}

# by POLICY COMM [ACTION]: how many events of a policy a program of that name caused. No COMM: anybody.
by() {
        awk -F'\t' -v policy=",$1," -v comm="${2:-}" -v action="${3:+,$3,}" '
                index($1, policy) && (comm == "" || $2 == comm) && index($3, action) { n++ } END { print n + 0 }' "$BASE/events"
}

# The service says nothing of the file but what is announced here.
is_loaded() {
        if grep "/$1\.yaml:" "$BASE/err" | grep -v "${warned:-^$}"; then
                fail 'that was said of the file'
        fi
}

# row FILE YES NO [SED...]: one deed gives events of the policy, the other none. `who`: the name of what does it, when
# that is not the row's own program.
row() {
        local n
        case $phase in
        policy) lay "$1" "${@:4}" ;;
        run) do_deeds "$2" "$3" ;;
        check)
                is_loaded "$1"
                n=$(by "$1" "${who:-y$(row_number)}")
                [ "$n" -gt 0 ] || fail "no event: $(cat "$BASE/$(case_name)/yes.log")"
                assert_eq "$(by "$1" "n$(row_number)")" 0 'events of what does not count' ;;
        esac
}

# kills FILE YES NO SED...: one deed ends by a signal that the record names, the other does not.
kills() {
        case $phase in
        policy) lay "$1" "${@:4}" ;;
        run) do_deeds "$2" "$3" ;;
        check)
                is_loaded "$1"
                assert_eq "$(cat "$BASE/$(case_name)/yes")" 137 'end of what must be killed'
                assert_eq "$(cat "$BASE/$(case_name)/no")" 0 'end of what must go on'
                [ "$(by "$1" "y$(row_number)" sigkill)" -gt 0 ] || fail 'no record says that it was killed' ;;
        esac
}

# quiet FILE [SED...]: its values match nothing that there is.
quiet() {
        case $phase in
        policy) lay "$1" "${@:2}" ;;
        run) do_deeds '$yes "$deed" open /etc/passwd' '' ;;
        check)
                is_loaded "$1"
                assert_eq "$(by "$1")" 0 events ;;
        esac
}

# refusal FILE SENTENCE...: each of them is said of the file, and it has no events.
refusal() {
        local s bind=()
        case $phase in
        policy)
                case $1 in
                names) bind=("s,/usr/bin/vim,$BASE/vim,") ;;
                *kill* | *override) bind=("$bound") ;;       # in case that it is not refused
                esac
                lay "$1" "${bind[@]}" ${numbers:+"$numbers"} ;;
        check)
                for s in "${@:2}"; do
                        assert_contains "$(grep "/$1\.yaml:[0-9]*:[0-9]*: " "$BASE/err")" "$s"
                done
                assert_eq "$(by "$1")" 0 events ;;
        esac
}

# functions FILE FUNCTION...: hooks on kernel functions, which a locked-down kernel has none of.
functions() {
        local f sentences=()
        needs 'this kernel grants hooks on its functions: tested in machines' test ! -e /sys/bus/event_source/devices/kprobe || {
                [ $phase != policy ] || echo "$1" >>"$BASE/rows"
                return 0
        }
        for f in "${@:2}"; do
                sentences+=("$f: kprobes are refused; hooks on kernel functions are not available on this kernel")
        done
        refusal "$1" "${sentences[@]}"
}

setup() {
        rm -rf "$BASE"
        mkdir -p "$BASE/policies" "$BASE/bin"
        : >"$BASE/policies/cases.yaml"
        cp "$(ldd /bin/bash | sed -n 's/.*=> \(.*libc\.so\.6\) .*/\1/p')" "$BASE/libc.so.6"
        cp -L "$(type -P perl)" "$BASE/perl"
        cp "$BASE/perl" "$BASE/sshd"
        walk policy
        service_start -o json
        walk run
        service_stop
        jq -r '[",\(.matchedPolicies | join(",")),", .processName, ",\(.actions // [] | join(",")),"] | @tsv' "$BASE/out" \
                >"$BASE/events"
        [ -z "${KEEP:-}" ] || cp -r "$BASE" "$KEEP"
}

teardown() {
        cases_teardown
}

# ---- The collection ----

test_bpf() { functions bpf bpf_check security_perf_event_alloc security_bpf_map_alloc; }
test_dev_queue_xmit() { functions dev_queue_xmit dev_queue_xmit; }
test_fd_install_cap_changes() { functions fd_install_cap_changes fd_install; }
test_fd_install_caps() { functions fd_install_caps fd_install; }
test_fd_install_ns() { functions fd_install_ns fd_install; }
test_fd_install_ns_host() { functions fd_install_ns_host fd_install; }
test_fd_memfd_kill() { kills fd_memfd_kill '$yes "$deed" memfd' '$no "$deed" exec /usr/bin/true' "$bound"; }
test_hardlink_observe() { row hardlink-observe '$yes "$deed" linkat /etc/passwd /st-none/link' '$no "$deed" linkat /etc/group /st-none/link'; }
test_hardlink_override() { refusal hardlink-override 'no error injection' 'hook inode_link under lsmhooks'; }
test_kill_userns() { functions kill_unprivileged_user_namespace create_user_ns; }
test_kill_userns_in_pidns() { functions kill_unprivileged_user_namespace_in_pid_namespace create_user_ns; }
test_kprobe_commit_creds() { functions kprobe_commit_creds commit_creds; }

test_loader() {
        needs 'this kernel grants hooks on its functions: tested in machines' test ! -e /sys/bus/event_source/devices/kprobe || {
                [ $phase != policy ] || echo loader >>"$BASE/rows"
                return 0
        }
        refusal loader 'this kernel refuses both' 'hook the system call mmap instead'
}

test_match_capability_changes() { numbers='s/{{.Pid}}/1/' functions match_capability_changes fd_install; }
test_match_namespace_changes() { numbers='s/{{.Pid}}/1/' functions match_namespace_changes fd_install; }
test_names() { functions names fd_install; }
test_open_dnsrequest() { functions open_dnsrequest fd_install; }
test_open_geturl() { functions open_geturl fd_install; }
test_open_kill() { functions open_kill fd_install; }
test_raw_syscalls() { warned='key apiVersion is missing' row raw_syscalls '$yes "$deed" nothing' '' "$lone"; }
test_symlink_observe() { row symlink-observe '$yes "$deed" symlinkat /etc/passwd /st-none/link' '$no "$deed" symlinkat /etc/group /st-none/link'; }
test_symlink_override() { refusal symlink-override 'no error injection' 'hook inode_symlink under lsmhooks'; }
test_sys_clock_settime() { row sys_clock_settime '$yes "$deed" settime' '$no "$deed" nothing'; }
test_sys_mount() { row sys_mount '$yes "$deed" mount /st-a /st-b' '$no "$deed" nothing'; }
test_sys_pivot_root() { row sys_pivot_root '$yes "$deed" pivot /st-a /st-b' '$no "$deed" nothing'; }
test_sys_ptrace() { row sys_ptrace '$yes "$deed" ptrace' '$no "$deed" nothing'; }
test_sys_setuid() { row sys_setuid '$yes "$deed" setuid 65534' '$no "$deed" nothing'; }
test_sys_write_follow_fd_etc_pwd() { functions sys_write_follow_fd_etc_pwd fd_install; }
test_sys_write_follow_fd_prefix() { functions sys_write_follow_fd_prefix fd_install; }
test_sys_write_sigkill() { functions sys_write_sigkill fd_install do_dup2; }
test_tcp_connect() { functions tcp-connect tcp_connect tcp_close tcp_sendmsg; }

# A libc of the test's own, so that no other program's malloc stops at a breakpoint.
test_uprobe_binaries() {
        who=bash row uprobe-binaries 'LD_LIBRARY_PATH=$BASE bash -c "echo {1..100}"' '$no "$deed" nothing' "s,/lib64/libc,$BASE/libc,"
}

test_uprobe_host() { who=bash row uprobe-host 'bash -c true' '$no "$deed" nothing' "s~/procRoot/1~/proc/$$~"; }
test_uprobe_pid() { who=bash row uprobe-pid interactive '$no "$deed" nothing' "s/61697/$$/"; }
test_uprobe() { who=bash row uprobe interactive '$no "$deed" nothing'; }
test_write() { row write '$yes "$deed" stdout hello' '$no "$deed" stderr hello' "$bound"; }

interactive() {
        echo exit | script -qec 'bash --norc --noprofile -i' /dev/null
}

# ---- The guide ----

test_guide_arguments() { functions guide-arguments fd_install; }
test_guide_binaries() { functions guide-binaries fd_install; }
test_guide_binaries_in() { functions guide-binaries-in fd_install; }
test_guide_binaries_sshd() { who=sshd row guide-binaries-sshd '$BASE/sshd "$deed" stdout hello' '$no "$deed" stdout hello' "s,/usr/sbin/sshd,$BASE/sshd,"; }
test_guide_binarys() { functions guide-binarys fd_install; }
test_guide_capabilities() { functions guide-capabilities fd_install; }
test_guide_capability_changes() { functions guide-capability-changes fd_install; }
test_guide_copyfd() { row guide-copyfd '$yes "$deed" dup2' '$no "$deed" nothing'; }
test_guide_dnslookup() { functions guide-dnslookup fd_install; }
test_guide_equal() { functions guide-equal fd_install; }
# The first argument of openat is a descriptor, whatever these files call it: no text can be read there, and a value
# that is not there fulfils no filter.
test_guide_equal_passwd() { quiet guide-equal-passwd; }
test_guide_equal_values() { quiet guide-equal-values; }
test_guide_followfd() { functions guide-followfd fd_install; }
test_guide_geturl() { functions guide-geturl fd_install; }
test_guide_less_than() { row guide-less-than '$yes "$deed" openat 1 st-x 64' '$no "$deed" openat 1 st-x 1024' "s/4001/$$/"; }
test_guide_namespace() { functions guide-namespace fd_install; }
test_guide_namespace_changes() { functions guide-namespace-changes fd_install; }
test_guide_namespaces() { functions guide-namespaces fd_install; }
test_guide_namespaces_and() { functions guide-namespaces-and fd_install; }
test_guide_namespaces_or() { functions guide-namespaces-or fd_install; }
test_guide_namespaces_or_1() { functions guide-namespaces-or-1 fd_install; }
test_guide_namespaces_or_2() { functions guide-namespaces-or-2 fd_install; }
test_guide_notequal_values() { quiet guide-notequal-values; }
test_guide_override() { refusal guide-override 'no error injection' 'hook inode_symlink under lsmhooks'; }
test_guide_pids_followforks() { functions guide-pids-followforks fd_install; }
test_guide_pids_in() { functions guide-pids-in fd_install; }
test_guide_pids_namespace() { functions guide-pids-namespace fd_install; }
test_guide_pids_notin() { functions guide-pids-notin fd_install; }
test_guide_prefix() { functions guide-prefix fd_install; }
test_guide_return() { row guide-return '$yes "$deed" open /etc/passwd' '' "$bound"; }
test_guide_semantics_and() { quiet guide-semantics-and "s/4001/$$/"; }
test_guide_sigkill() { kills guide-sigkill '$yes "$deed" append /etc/passwd ""' '$no "$deed" append $BASE/other' "$bound"; }
test_guide_specification() { functions guide-specification fd_install; }
test_guide_start() { functions guide-start fd_install; }
test_guide_two_calls() { row guide-two-calls '$yes "$deed" stdout hello' '' "$lone"; }
test_guide_two_filters() { functions guide-two-filters fd_install; }
test_guide_two_operators() { functions guide-two-operators fd_install; }
test_guide_two_selectors() { row guide-two-selectors '$yes "$deed" openat 1 st-x 0' '$no "$deed" openat 3 st-x 0' "s/4001/$$/"; }
test_guide_unfollowfd() { row guide-unfollowfd '$yes "$deed" open /etc/passwd' '' "$bound"; }
test_guide_unfollowfd_action() { functions guide-unfollowfd-action fd_install; }
test_guide_unfollowfd_argument() { row guide-unfollowfd-argument '$yes "$deed" open /etc/passwd' '' "$lone"; }
test_guide_values_and() { warned='Every process descends from process 1' quiet guide-values-and; }
test_guide_values_or() { warned='Every process descends from process 1' quiet guide-values-or; }
test_guide_write() { row guide-write '$yes "$deed" stdout hello' '$no "$deed" openat 1 st-x 0' "$lone"; }
test_guide_write_two_arguments() { row guide-write-two-arguments '$yes "$deed" stdout hello' '$no "$deed" openat 1 st-x 0' "$lone"; }

test_every_file_has_a_row() {
        [ $phase = check ] || return 0
        [ -z "${TESTFUNCS:-}" ] || skip 'only some rows ran'
        assert_eq "$(sort "$BASE/rows")" "$(files | sed 's,.*/,,; s,\.yaml$,,' | sort)"
}

run_tests
