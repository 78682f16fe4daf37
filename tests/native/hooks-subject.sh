#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Selectors of TracingPolicy on the process: matchPIDs, matchBinaries, matchParentBinaries, matchNamespaces,
# matchCapabilities and the two ...Changes. Each case has what is met and what is not; all of them ask the system call
# truncate, which the trigger alone makes on these paths.
. "$(dirname "$0")/../lib/test.sh"
. "$(dirname "$0")/cases.bash"

# tracing NAME SELECTOR...: a policy; selectors as YAML in one line.
tracing() {
        [ $phase = policy ] || return 0
        local name=$1 selector
        shift
        {
                printf -- '---\napiVersion: cilium.io/v1alpha1\nkind: TracingPolicy\nmetadata: {name: %s}\nspec:\n' "$name"
                printf '  kprobes:\n  - call: sys_truncate\n    syscall: true\n    args: [{index: 0, type: string}]\n'
                printf '    selectors:\n'
                for selector; do
                        printf '    - {%s}\n' "$selector"
                done
        } >>"$BASE/policies/cases.yaml"
}

# program NAME: a copy of the trigger, in this case's directory.
program() {
        [ $phase != policy ] || cp "$trigger" "$BASE/$CASE/$1"
}

setup() {
        cases_setup
}

teardown() {
        cases_teardown
}

# ---- matchBinaries ----

test_binaries() {
        local bin=$BASE/$CASE/program
        program program
        tracing bin-in "matchBinaries: [{operator: In, followChildren: false, values: [$bin, /nowhere]}]"
        tracing bin-notin "matchBinaries: [{operator: NotIn, values: [$bin, /nowhere]}]"
        tracing bin-prefix "matchBinaries: [{operator: Prefix, values: [$BASE/$CASE/prog]}]"
        tracing bin-notprefix "matchBinaries: [{operator: NotPrefix, values: [$BASE/$CASE/prog]}]"
        tracing bin-postfix "matchBinaries: [{operator: Postfix, values: [$CASE/program]}]"
        tracing bin-notpostfix "matchBinaries: [{operator: NotPostfix, values: [$CASE/program]}]"
        do_run "$bin" say self child { exec "$trigger" say kid } say after
        run say other
        hits bin-in self after
        hits bin-prefix self after
        hits bin-postfix self after
        hits bin-notin kid other
        hits bin-notprefix kid other
        hits bin-notpostfix kid other
}

# What a binary's descendants do counts, whatever they run, and also what the same process runs later.
test_binaries_follow() {
        local bin=$BASE/$CASE/program
        program program
        tracing tree-in "matchBinaries: [{operator: In, values: [$bin]}]"
        tracing tree-many "matchBinaries: [{operator: In, values: [/nowhere/1, $bin, $(seq -s, -f '/nowhere/x%g' 1000)]}]"
        tracing tree-notin "matchBinaries: [{operator: NotIn, followChildren: true, values: [$bin]}]"
        tracing tree-prefix "matchBinaries: [{operator: Prefix, followChildren: true, values: [$BASE/$CASE/prog]}]"
        tracing tree-postfix "matchBinaries: [{operator: Postfix, followChildren: true, values: [$CASE/program]}]"
        tracing tree-notprefix "matchBinaries: [{operator: NotPrefix, followChildren: true, values: [$BASE/$CASE/prog]}]"
        tracing tree-none "matchBinaries: [{operator: In, values: [$bin-not]}]"
        do_run "$bin" say self child { exec "$trigger" say kid child { say grandkid } } thread say thread
        do_run "$bin" exec "$trigger" say later
        run say other child { exec "$bin" say born } say parent
        hits tree-in self kid grandkid thread later born
        hits tree-many self kid grandkid thread later born
        hits tree-prefix self kid grandkid thread later born
        hits tree-postfix self kid grandkid thread later born
        hits tree-notin other parent
        hits tree-notprefix other parent
        hits tree-none
}

# The ancestor is gone before the descendant does anything.
test_binaries_follow_orphan() {
        local bin=$BASE/$CASE/program
        program program
        tracing orphan-in "matchBinaries: [{operator: In, values: [$bin]}]"
        tracing orphan-notin "matchBinaries: [{operator: NotIn, followChildren: true, values: [$bin]}]"
        if [ $phase = run ]; then
                # The shell that the program turned into ends at once; its child is nobody's.
                "$bin" exec /bin/sh -c "'$trigger' meet $BASE/orphaned say orphan </dev/null &"
                wait_for 60 test -s "$BASE/orphaned"
                read -r pid _ <"$BASE/orphaned"
                wait_for 60 grep -qvE "^PPid:.*\b$$\b" "/proc/$pid/status"
                rm "$BASE/orphaned"
                wait_for 60 ended "$pid"
        fi
        run say other
        hits orphan-in orphan
        hits orphan-notin other
}

# Processes that were there before the service.
test_binaries_follow_early() {
        local bin=$BASE/$CASE/program
        program program
        tracing early-in "matchBinaries: [{operator: In, values: [$bin]}]"
        tracing early-notin "matchBinaries: [{operator: NotIn, followChildren: true, values: [$bin]}]"
        # It waits as a child of the program; the program itself never does anything while the service runs.
        early kid exec "$bin" child { exec "$trigger" meet MEET say kid child { say grandkid } }
        early other meet MEET say other
        release kid
        release other
        hits early-in kid grandkid
        hits early-notin other
}

test_parent_binaries() {
        local bin=$BASE/$CASE/program
        program program
        tracing parent-in "matchParentBinaries: [{operator: In, values: [$bin]}]"
        tracing parent-postfix "matchParentBinaries: [{operator: Postfix, values: [$CASE/program]}]"
        tracing parent-notin "matchParentBinaries: [{operator: NotIn, values: [$bin]}]"
        do_run "$bin" say self child { exec "$trigger" say kid child { say grandkid } }
        run say other
        hits parent-in kid
        hits parent-postfix kid
        hits parent-notin self grandkid other
}

# The parent runs another program meanwhile: what it runs at the event counts.
test_parent_binaries_change() {
        local bin=$BASE/$CASE/program
        program program
        tracing parent-now "matchParentBinaries: [{operator: In, values: [$bin]}]"
        if [ $phase = run ]; then
                "$trigger" fork child { say before meet "$BASE/parent-go" say after } &
                wait_for 60 test -s "$BASE/parent-go"
                rm "$BASE/parent-go"
                wait $!
                /bin/sh -c "'$trigger' meet $BASE/parent-then say changed & exec '$bin' meet $BASE/parent-exec reap" &
                wait_for 60 test -s "$BASE/parent-then"
                wait_for 60 test -s "$BASE/parent-exec"
                rm "$BASE/parent-then"
                read -r pid _ <"$BASE/parent-exec"
                wait_for 60 events_said changed
                rm "$BASE/parent-exec"
                wait $!
        fi
        hits parent-now changed
}

events_said() {
        grep -q "$BASE/$CASE/$1" "$BASE/out"
}

# ---- matchPIDs ----

test_pids() {
        early own meet MEET say self child { say kid exec "$trigger" say kid-exec }
        local pid=0
        [ $phase = run ] || pid=$(early_pid own)
        tracing pid-in "matchPIDs: [{operator: In, values: [1, $pid]}]"
        tracing pid-follow "matchPIDs: [{operator: In, followForks: true, values: [$pid, 2147483000]}]"
        tracing pid-notin "matchPIDs: [{operator: NotIn, values: [$pid, 2147483000]}]"
        tracing pid-notfollow "matchPIDs: [{operator: NotIn, followForks: true, values: [$pid]}]"
        tracing pid-both "matchPIDs: [{operator: In, followForks: true, values: [$pid]}, {operator: NotIn, values: [$pid]}]"
        tracing pid-both-none "matchPIDs: [{operator: In, values: [$pid]}, {operator: In, values: [2147483000]}]"
        local others='2147483000, 2147483001, 2147483002, 2147483003, 2147483004'
        tracing pid-sixth "matchPIDs: [{operator: In, values: [$others, $pid]}]"
        tracing pid-notin-sixth "matchPIDs: [{operator: NotIn, values: [$others, $pid]}]"
        release own
        run say other
        hits pid-sixth self
        hits pid-notin-sixth kid kid-exec other
        hits pid-in self
        hits pid-follow self kid kid-exec
        hits pid-notin kid kid-exec other
        hits pid-notfollow other
        hits pid-both kid kid-exec
        hits pid-both-none
}

# In a pid namespace: process 1 and what descends from it; on the host a number is that process alone.
test_namespace_pids() {
        early one unshare pid fork meet MEET say one child { say two exec "$trigger" say two-exec }
        tracing ns-in "matchPIDs: [{operator: In, isNamespacePID: true, values: [1]}]"
        tracing ns-follow "matchPIDs: [{operator: In, followForks: true, isNamespacePID: true, values: [1]}]"
        tracing ns-notin "matchPIDs: [{operator: NotIn, followForks: false, isNamespacePID: true, values: [1]}]"
        tracing ns-notfollow "matchPIDs: [{operator: NotIn, followForks: true, isNamespacePID: true, values: [0, 1]}]"
        tracing ns-second "matchPIDs: [{operator: In, followForks: true, isNamespacePID: true, values: [2]}]"
        release one
        run unshare pid fork say new-one child { say new-two child { say new-three } }
        run say other
        hits ns-in one new-one
        hits ns-follow one two two-exec new-one new-two new-three
        hits ns-notin two two-exec new-two new-three other
        hits ns-notfollow other
        hits ns-second two two-exec new-two new-three
}

# The number of a host process is not inherited in its children's place.
test_namespace_pids_on_the_host() {
        early own meet MEET say self child { say kid }
        local pid=0
        [ $phase = run ] || pid=$(early_pid own)
        tracing nshost-follow "matchPIDs: [{operator: In, followForks: true, isNamespacePID: true, values: [$pid]}]"
        release own
        hits nshost-follow self
}

# ---- matchNamespaces ----

# The test itself lives in a mount namespace of its own, and process 1 may be one that must not be looked at: where
# host_ns has no number of its own in the kernel, this process's is taken.
test_namespaces() {
        local kind
        for kind in Uts Ipc Cgroup User Pid PidForChildren Time TimeForChildren; do
                tracing "away-${kind,,}" "matchNamespaces: [{namespace: $kind, operator: NotIn, values: [host_ns]}]"
        done
        for kind in Net Mnt; do
                tracing "away-${kind,,}" "matchNamespaces: [{namespace: $kind, operator: NotIn, values: ['$(stat -Lc %i "/proc/self/ns/${kind,,}")']}]"
        done
        tracing at-home "matchNamespaces: [{namespace: Uts, operator: In, values: [host_ns, '1']}]"
        tracing uts-and-ipc "matchNamespaces: [{namespace: Uts, operator: NotIn, values: [host_ns]}, {namespace: Ipc, operator: NotIn, values: [host_ns]}]"
        for kind in uts ipc net cgroup user mnt; do
                run say "no-$kind" unshare $kind say "$kind"
        done
        run unshare pid say pid-children fork say pid
        run unshare time say time-children fork say time
        run unshare uts unshare ipc say both
        [ $phase = check ] || return 0
        hits away-uts uts both
        hits away-ipc ipc both
        hits away-net net
        hits away-cgroup cgroup
        hits away-user user
        hits away-mnt mnt
        hits away-pid pid
        hits away-pidforchildren pid-children pid
        hits away-time time
        hits away-timeforchildren time-children time
        hits uts-and-ipc both
        hits at-home no-uts no-ipc no-net no-cgroup no-user no-mnt ipc net cgroup user mnt pid-children pid time-children time
}

# ---- matchCapabilities ----

# Nothing but the set changes between two calls.
test_capabilities() {
        tracing cap-effective 'matchCapabilities: [{type: Effective, operator: In, values: [CAP_WAKE_ALARM]}]'
        tracing cap-default 'matchCapabilities: [{operator: In, values: [CAP_WAKE_ALARM]}]'
        tracing cap-not 'matchCapabilities: [{type: Effective, operator: NotIn, values: [CAP_WAKE_ALARM]}]'
        tracing cap-permitted 'matchCapabilities: [{type: Permitted, operator: In, values: [CAP_WAKE_ALARM]}]'
        tracing cap-inheritable 'matchCapabilities: [{type: Inheritable, operator: In, values: [CAP_WAKE_ALARM]}]'
        tracing cap-any 'matchCapabilities: [{type: Effective, operator: In, values: [CAP_WAKE_ALARM, CAP_SYS_PACCT]}]'
        tracing cap-two 'matchCapabilities: [{type: Effective, operator: NotIn, values: [CAP_WAKE_ALARM]}, {type: Permitted, operator: In, values: [CAP_WAKE_ALARM]}]'
        tracing cap-in-ns 'matchCapabilities: [{type: Effective, operator: In, isNamespaceCapability: true, values: [CAP_CHOWN]}]'
        run say with uncap 35 say without uncap 20 say neither
        run inherit-cap 35 say inherited
        run uid 4020 say user
        run unshare user say namespace uncap 0 say namespace-without
        hits cap-effective with inherited namespace namespace-without
        hits cap-default with inherited namespace namespace-without
        hits cap-not without neither user
        hits cap-permitted with without neither inherited namespace namespace-without
        hits cap-inheritable inherited
        hits cap-any with without inherited namespace namespace-without
        hits cap-two without neither
        hits cap-in-ns namespace
}

# ---- Changes ----

test_capability_changes() {
        early old meet MEET say old-before uncap 35 say old-after
        tracing capch-in 'matchCapabilityChanges: [{type: Effective, operator: In, values: [CAP_WAKE_ALARM]}]'
        tracing capch-notin 'matchCapabilityChanges: [{type: Effective, operator: NotIn, values: [CAP_WAKE_ALARM]}]'
        tracing capch-inheritable 'matchCapabilityChanges: [{type: Inheritable, operator: In, values: [CAP_WAKE_ALARM]}]'
        run say before uncap 35 say after
        run uncap 20 say other-cap
        run inherit-cap 35 say inherited
        run uncap 35 thread say thread
        # A new process begins anew; a new program in the same process does not.
        run uncap 35 child { say child }
        run uid 4020 exec "$trigger" say dropped
        release old
        hits capch-in after thread old-after dropped
        hits capch-notin other-cap
        hits capch-inheritable inherited
}

test_namespace_changes() {
        early old meet MEET say old-before unshare uts say old-after
        tracing nsch-uts 'matchNamespaceChanges: [{operator: In, values: [Uts]}]'
        tracing nsch-many 'matchNamespaceChanges: [{operator: In, values: [Mnt, User, TimeForChildren, Cgroup]}]'
        tracing nsch-notin 'matchNamespaceChanges: [{operator: NotIn, values: [Uts, User]}]'
        run say before unshare uts say after
        run unshare mnt say mnt exec "$trigger" say mnt-exec
        run unshare user say user
        run unshare time say time
        run unshare cgroup say cgroup
        run unshare net child { say child }
        run unshare uts thread say thread
        release old
        hits nsch-uts after thread old-after
        hits nsch-many mnt mnt-exec user time cgroup
        hits nsch-notin mnt mnt-exec time cgroup
}

run_tests
