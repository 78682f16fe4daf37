#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The collection of TracingPolicies of Tetragon v0.9, each file unchanged and tried.
. "$(dirname "$0")/../../lib/test.sh"
. "$(dirname "$0")/../../lib/service.sh"
. "$(dirname "$0")/../conformance.bash"

test_bpf() {
        if [ "$kernel" = 6.1 ]; then
                row bpf 'yes bpfmap' 'no open /etc/passwd'
        else
                # Renamed in 6.9 (a2a5172cf16a).
                refused_row bpf security_bpf_map_alloc
        fi
}

test_dev_queue_xmit() { refused_row dev_queue_xmit dev_queue_xmit; }   # inline since 5.18 (c526fd8f9f4f)
test_fd_install_cap_changes() { row fd_install_cap_changes 'unshare --user st-yes "$deed" open /etc/passwd' 'no setuid_open 65534 /etc/passwd'; }   # isNamespaceCapability
test_fd_install_caps() { row fd_install_caps 'unshare --user --map-root-user st-yes "$deed" open /etc/passwd' 'no open /etc/passwd'; }   # isNamespaceCapability
test_fd_install_ns() { row fd_install_ns 'yes open /etc/passwd' 'unshare --mount st-no "$deed" open /etc/passwd' "s/4026531833\|4026531834/$(my_ns mnt)/;s/4026531835/$(my_ns pid)/"; }
test_fd_install_ns_host() { row fd_install_ns_host 'yes open /etc/passwd' 'unshare --pid --fork st-no "$deed" open /etc/passwd'; }
test_fd_memfd_kill() { kills fd_memfd_kill 'yes memfd' 'no exec /usr/bin/true'; }
test_hardlink_observe() { row hardlink-observe 'yes linkat /etc/passwd /etc/st-link; rm -f /etc/st-link' 'no linkat /etc/group /etc/st-link; rm -f /etc/st-link'; }
test_hardlink_override() { refused_row hardlink-override 'error injection'; }
test_kill_userns() { kills kill_unprivileged_user_namespace 'yes userns 65534' 'no userns 0'; }
test_kill_userns_in_pidns() { kills kill_unprivileged_user_namespace_in_pid_namespace 'unshare --pid --fork bash -c "st-yes $deed userns 65534; exit \$?"' 'no userns 65534'; }
test_kprobe_commit_creds() { row kprobe_commit_creds 'yes setuid 65534' ''; }   # every program's start commits some
test_loader() { row loader 'yes nothing' ''; }
test_match_capability_changes() { only=TRACE_EVENT=__x64_sys_write; row match_capability_changes 'yes strange /root/strange.txt caps' 'no strange /root/strange.txt none' "s/{{.Pid}}/$BASHPID/"; }

# The number of its new namespace is known when it has it.
test_match_namespace_changes() {
        local ns
        yes unshared after "$PWD/go" strange /root/strange.txt none &
        wait_for 60 other_mnt_ns
        # Held: the next namespace would get the number of one that is gone.
        exec 9<"/proc/$(pgrep -n -x st-yes)/ns/mnt"
        ns=$(stat -Lc %i /proc/self/fd/9)
        load match_namespace_changes "s/{{.Pid}}/$BASHPID/;s/4026532288/$ns/"
        touch go
        wait
        saw 1 TRACE_COMM=st-yes TRACE_EVENT=__x64_sys_write
        no strange /root/strange.txt none
        # Its second namespace is not one of those that are listed: changed, but not there.
        no unshared strange /root/strange.txt none
        saw 2 TRACE_COMM=st-no TRACE_EVENT=fd_install
        assert_eq "$(hits TRACE_COMM=st-no TRACE_EVENT=__x64_sys_write)" 0
        unload
}

other_mnt_ns() {
        [ "$(stat -Lc %i "/proc/$(pgrep -n -x st-yes)/ns/mnt")" != "$(my_ns mnt)" ]
}

test_names() { kills names '/usr/bin/vim "$deed" append /tmp/test' 'no append /tmp/test'; }
test_open_dnsrequest() { row open_dnsrequest 'yes open /etc/passwd' 'no open /etc/group'; }
test_open_geturl() { row open_geturl 'yes open /etc/passwd' 'no open /etc/group'; }
test_open_kill() { kills open_kill 'yes append /etc/passwd ""' 'no append /root/st-other'; }
test_raw_syscalls() { row raw_syscalls 'yes nothing' ''; }
test_symlink_observe() { row symlink-observe 'yes symlinkat /etc/passwd /root/st-link; rm -f /root/st-link' 'no symlinkat /etc/group /root/st-link; rm -f /root/st-link'; }
test_symlink_override() { refused_row symlink-override 'error injection'; }
test_sys_clock_settime() { row sys_clock_settime 'yes settime' 'no open /etc/passwd'; }
test_sys_mount() { row sys_mount 'yes mount /st-a /st-b' 'no open /etc/passwd'; }
test_sys_pivot_root() { row sys_pivot_root 'yes pivot /st-a /st-b' 'no open /etc/passwd'; }
test_sys_ptrace() { row sys_ptrace 'yes ptrace' 'no open /etc/passwd'; }
test_sys_setuid() { row sys_setuid 'yes setuid 65534' 'no open /etc/passwd'; }
test_sys_write_follow_fd_etc_pwd() { row sys_write_follow_fd_etc_pwd 'yes append /root/st-other' 'no open /etc/passwd'; }
test_sys_write_follow_fd_prefix() { row sys_write_follow_fd_prefix 'yes append /root/st-other' ''; }
test_sys_write_sigkill() { refused_row sys_write_sigkill 'argument 0 of do_dup2 is no number'; }   # struct files_struct since 5.11 (fa67bf885e52)
test_tcp_connect() { row tcp-connect 'yes connect 4711' 'no open /etc/passwd'; }

# Children of bash count, and this script is bash: each time it reads the journal thousands of calls are events. It is read
# when the policy is gone.
test_uprobe_binaries() {
        load uprobe-binaries
        bash -c 'echo {1..100} >/dev/null'
        systemd-run -q --wait st-no "$deed" nothing
        bash -c 'echo -n st-last >/proc/self/comm; echo {1..100} >/dev/null'
        unload
        saw 1 TRACE_COMM=bash
        saw 1 TRACE_COMM=st-last
        assert_eq "$(hits TRACE_COMM=st-no)" 0 "events of what does not count"
}

test_uprobe_host() { row uprobe-host 'bash -c true' 'no nothing' '' TRACE_COMM=bash; }
test_uprobe_pid() { row uprobe-pid 'interactive' 'no nothing' "s/61697/$BASHPID/" TRACE_COMM=bash; }
test_uprobe() { row uprobe 'interactive' 'no nothing' '' TRACE_COMM=bash; }
test_write() { row write 'yes stdout hello' 'no append /root/st-other'; }

run_tests
