#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Every policy of the guide to TracingPolicy, unchanged and tried.
. "$(dirname "$0")/../../lib/test.sh"
. "$(dirname "$0")/../../lib/service.sh"
. "$(dirname "$0")/../conformance.bash"

test_guide_arguments() { row guide-arguments 'yes open /etc/passwd' ''; }
test_guide_start() { row guide-start 'yes open /etc/passwd' 'no open /etc/group'; }
test_guide_equal() { row guide-equal 'yes open /etc/shadow' 'no open /etc/group'; }
test_guide_prefix() { row guide-prefix 'yes open /etc/group' ''; }   # every program opens /etc/ld.so.cache
test_guide_specification() { row guide-specification 'yes open /etc/passwd' ''; }
test_guide_binaries() { row guide-binaries 'cat /etc/passwd >/dev/null' 'no open /etc/passwd' '' TRACE_COMM=cat; }
test_guide_binaries_in() { quiet guide-binaries-in; }
test_guide_binaries_sshd() { row guide-binaries-sshd '/usr/sbin/sshd "$deed" stdout hello' 'no stdout hello' '' TRACE_COMM=sshd; }
test_guide_binarys() { row guide-binarys '/usr/sbin/sshd "$deed" open /etc/passwd' 'no open /etc/passwd' '' TRACE_COMM=sshd; }
test_guide_capabilities() { row guide-capabilities 'yes open /etc/passwd' 'setpriv --reuid=65534 --clear-groups --inh-caps=-all st-no "$deed" open /etc/passwd'; }
test_guide_capability_changes() { row guide-capability-changes 'yes setuid_open 65534 /etc/passwd' 'no open /etc/passwd'; }
test_guide_copyfd() { row guide-copyfd 'yes dup2' 'no open /etc/passwd'; }
test_guide_dnslookup() { row guide-dnslookup 'yes open /etc/passwd' ''; }
test_guide_geturl() { row guide-geturl 'yes open /etc/passwd' ''; }
test_guide_followfd() { row guide-followfd 'yes open /etc/passwd' ''; }
test_guide_namespace() { row guide-namespace 'yes open /etc/passwd' 'unshare --pid --fork st-no "$deed" open /etc/passwd' "s/4026531835/$(my_ns pid)/"; }
test_guide_namespace_changes() { row guide-namespace-changes 'yes mntns_open /etc/passwd' 'no open /etc/passwd'; }
test_guide_namespaces() { row guide-namespaces 'yes open /etc/passwd' 'unshare --mount st-no "$deed" open /etc/passwd' "s/4026531833/$(my_ns mnt)/;s/4026531835/$(my_ns pid)/"; }
test_guide_namespaces_and() { row guide-namespaces-and '/bin/cat /etc/shadow >/dev/null' 'unshare --net cat /etc/shadow >/dev/null; no open /etc/shadow' '' TRACE_COMM=cat; }
test_guide_namespaces_or() { row guide-namespaces-or '/bin/cat /etc/shadow >/dev/null' 'no open /etc/shadow' '' TRACE_COMM=cat; }
test_guide_namespaces_or_1() { row guide-namespaces-or-1 '/bin/cat /etc/shadow >/dev/null' 'no open /etc/shadow' '' TRACE_COMM=cat; }
test_guide_namespaces_or_2() { row guide-namespaces-or-2 '/bin/cat /etc/shadow >/dev/null' 'no open /etc/shadow' '' TRACE_COMM=cat; }
test_guide_override() { refused_row guide-override 'error injection'; }
test_guide_pids_followforks() { row guide-pids-followforks 'yes open /etc/passwd' 'setsid --fork --wait true' "s/4001/$BASHPID/"; }
test_guide_pids_in() { row guide-pids-in 'unshare --pid --fork st-yes "$deed" open /etc/passwd' 'no open /etc/passwd' '' ''; }
test_guide_pids_namespace() { row guide-pids-namespace 'yes open /etc/passwd' 'unshare --pid --fork st-no "$deed" open /etc/passwd'; }
test_guide_pids_notin() { row guide-pids-notin 'yes open /etc/passwd' 'unshare --pid --fork st-no "$deed" open /etc/passwd'; }
test_guide_sigkill() { kills guide-sigkill 'yes append /etc/passwd ""' 'no append /root/st-other'; }
test_guide_two_calls() { row guide-two-calls 'yes stdout hello' ''; }
test_guide_two_filters() { row guide-two-filters 'yes open /etc/group' ''; }
test_guide_two_operators() { row guide-two-operators 'yes open /etc/passwd' '' "s/4001/$BASHPID/"; }
test_guide_two_selectors() { row guide-two-selectors 'yes openat 1 st-x 0' 'no openat 3 st-x 0' "s/4001/$BASHPID/"; }
test_guide_less_than() { row guide-less-than 'yes openat 1 st-x 64' 'no openat 1 st-x 1024' "s/4001/$BASHPID/"; }
test_guide_return() { row guide-return 'yes open /etc/passwd' ''; }
test_guide_unfollowfd() { row guide-unfollowfd 'yes open /etc/passwd' ''; }
test_guide_unfollowfd_action() { row guide-unfollowfd-action 'yes open /etc/passwd' ''; }
test_guide_write() { row guide-write 'yes stdout hello' 'no nothing'; }
test_guide_write_two_arguments() { row guide-write-two-arguments 'yes stdout hello' 'no nothing'; }
# The first argument of openat is a descriptor, whatever these files call it: no text can be read there, and a value that is
# not there fulfils no filter.
test_guide_equal_passwd() { quiet guide-equal-passwd; }
test_guide_equal_values() { quiet guide-equal-values; }
test_guide_semantics_and() { quiet guide-semantics-and; }
test_guide_values_and() { quiet guide-values-and; }
test_guide_values_or() { quiet guide-values-or; }
test_guide_notequal_values() { quiet guide-notequal-values; }
test_guide_unfollowfd_argument() { row guide-unfollowfd-argument 'yes open /etc/passwd' ''; }

run_tests
