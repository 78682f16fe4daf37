#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Every kind of filter and every operator on real processes, and how they combine.
. "$(dirname "$0")/../lib/test.sh"
. "$(dirname "$0")/cases.bash"

cgroot=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
id=$$
hex=$(printf "%08d$(printf 'ab%.0s' $(seq 28))" $id)
hex2=$(printf "%08d$(printf 'cd%.0s' $(seq 28))" $id)
hex3=$(printf "%08d$(printf 'ef%.0s' $(seq 28))" $id)

setup() {
        cases_setup
}

teardown() {
        cases_teardown
        find "$cgroot" -depth -type d -name "*sct$id*" -exec rmdir {} \; 2>/dev/null
        find "$cgroot" -depth -type d -name "*$hex*" -exec rmdir {} \; 2>/dev/null
}

# A cgroup below the root that this machine has; without one the tests of cgroups cannot be.
cgroup() {
        mkdir -p "$cgroot/$1"
}

# --- comm ---

test_comm() {
        policy comm-eq event=truncate comm=sct-alpha
        policy comm-ne event=truncate comm!=sct-alpha,sct-beta
        policy comm-list event=truncate comm=sct-alpha,sct-beta
        policy comm-prefix event=truncate 'comm=sct-al*'
        policy comm-suffix event=truncate 'comm=*t-beta'
        policy comm-inner event=truncate 'comm=*t-b*'
        policy comm-not-prefix event=truncate 'comm!=sct-al*' 'comm!=*beta'
        # = wins where both hold, and where a != stands everything that it does not name is wanted too.
        policy comm-both event=truncate 'comm=sct-*' comm!=sct-alpha
        policy comm-longest event=truncate comm=sct-89012345678
        run comm sct-alpha say alpha comm sct-beta say beta comm sct-890123456789 say cut comm other say other
        hits comm-eq alpha
        hits comm-ne cut other
        hits comm-list alpha beta
        hits comm-prefix alpha
        hits comm-suffix beta
        hits comm-inner beta
        hits comm-not-prefix cut other
        hits comm-both alpha beta cut other
        hits comm-longest cut
}

# A value that stands in = and != is wanted; what another != does not name is, too.
test_comm_equal_and_excluded() {
        policy comm-wins event=truncate comm!=sct-a,sct-b comm=sct-a
        run comm sct-a say a comm sct-b say b comm sct-c say c
        hits comm-wins a c
}

# --- binary ---

test_binary() {
        local ns
        do_run cp "$trigger" "$BASE/binary/one"
        do_run cp "$trigger" "$BASE/binary/two"
        policy binary-eq event=truncate "binary=$BASE/binary/one"
        policy binary-bin event=truncate "bin=$BASE/binary/one"
        policy binary-exe event=truncate "exe=$BASE/binary/one,$BASE/binary/two"
        policy binary-ne event=truncate "binary!=$BASE/binary/one"
        policy binary-prefix event=truncate "binary=$BASE/binary/*"
        policy binary-suffix event=truncate "binary=*/binary/two"
        policy binary-inner event=truncate "binary=*/binary/tw*"
        ns=$(stat -Lc %i /proc/self/ns/mnt)
        policy binary-ns event=truncate "binary=$ns:$BASE/binary/one"
        policy binary-other-ns event=truncate "binary=1:$BASE/binary/one"
        run say trigger exec "$BASE/binary/one" say one exec "$BASE/binary/two" say two
        run exec "$BASE/binary/one" unshare mnt say elsewhere exec "$BASE/binary/one" say elsewhere-too
        hits binary-eq one elsewhere elsewhere-too
        hits binary-bin one elsewhere elsewhere-too
        hits binary-exe one two elsewhere elsewhere-too
        hits binary-ne trigger two
        hits binary-prefix one two elsewhere elsewhere-too
        hits binary-suffix two
        hits binary-inner two
        hits binary-ns one
        hits binary-other-ns
}

# `host:` is the mount namespace of process 1.
test_binary_host() {
        local host
        needs "the mount namespace of process 1 cannot be read here" stat -L /proc/1/ns/mnt || return 0
        host=$(stat -Lc %i /proc/1/ns/mnt)
        policy binary-host event=truncate "binary=host:$trigger"
        policy binary-host-number event=truncate "binary=$host:$trigger"
        run unshare mnt say elsewhere
        do_run nsenter -t 1 -m env "BASE=$BASE" "CASE=$CASE" "$trigger" say host
        hits binary-host host
        hits binary-host-number host
}

# --- who ---

test_uid() {
        policy uid-eq event=truncate uid=4001
        policy uid-ne event=truncate uid!=4001
        policy uid-gt event=truncate 'uid>4001'
        policy uid-ge event=truncate 'uid>=4001'
        policy uid-lt event=truncate 'uid<4001'
        policy uid-le event=truncate 'uid<=4001'
        policy uid-range event=truncate 'uid>4000' 'uid<4002'
        policy uid-mixed event=truncate uid=0 'uid>4001'
        policy uid-but event=truncate 'uid>=4000' uid!=4001
        policy uid-max event=truncate 'uid>4294967294'
        run say 0 child { uid 4000 say 4000 } child { uid 4001 say 4001 } child { uid 4002 say 4002 }
        hits uid-eq 4001
        hits uid-ne 0 4000 4002
        hits uid-gt 4002
        hits uid-ge 4001 4002
        hits uid-lt 0 4000
        hits uid-le 0 4000 4001
        hits uid-range 4001
        hits uid-mixed 0 4002
        hits uid-but 4000 4002
        hits uid-max
}

# A change is seen at the very next call.
test_uid_changes() {
        policy uid-changes event=truncate uid=4003
        run say before uid 4003 say after
        run thread say before-in-thread uid 4003 say after-in-thread
        hits uid-changes after after-in-thread
}

test_gid() {
        policy gid-eq event=truncate gid=4005
        policy gid-ne event=truncate gid!=4005
        policy gid-ge event=truncate 'gid>=4005'
        run say 0 child { gid 4004 say 4004 } child { gid 4005 say 4005 } child { gid 4006 say 4006 }
        hits gid-eq 4005
        hits gid-ne 0 4004 4006
        hits gid-ge 4005 4006
}

test_auid() {
        policy auid-eq event=truncate auid=4242
        policy auid-none event=truncate auid=4294967295
        policy auid-ne event=truncate auid!=4242
        policy auid-lt event=truncate 'auid<4243'
        # Where process 1 has a login uid already, it cannot be set again without privilege that tests may lack.
        if [ $phase = run ] && ! "$trigger" fork auid 4242 2>/dev/null; then
                touch "$BASE/no-auid"
        fi
        [ ! -e "$BASE/no-auid" ] || { [ $phase = run ] && return; skip "the login uid cannot be set here"; }
        run say none child { auid 4242 say set child { say inherited } }
        hits auid-eq set inherited
        [ "$(cat /proc/self/loginuid)" != 4294967295 ] || hits auid-none none
        hits auid-ne none
        hits auid-lt set inherited
}

test_pid() {
        early pid-a meet MEET say process child { say child } thread say thread
        early pid-b meet MEET say other
        policy pid-eq event=truncate "pid=$(early_pid pid-a)"
        policy pid-ne event=truncate "pid!=$(early_pid pid-a)"
        policy pid-list event=truncate "pid=$(early_pid pid-a),$(early_pid pid-b)"
        policy pid-le event=truncate "pid<=$(early_pid pid-b)" "pid>=$(early_pid pid-b)"
        release pid-a
        release pid-b
        hits pid-eq process thread
        hits pid-ne child other
        hits pid-list process thread other
        hits pid-le other
}

# The number of a thread is one for pid= too, and != of the process means all its threads.
test_pid_of_threads() {
        early thread-a say nobody-sees thread meet MEET say in-thread
        policy pid-process event=truncate "pid=$(early_pid thread-a)"
        policy pid-thread event=truncate "pid=$(early_tid thread-a)"
        policy pid-not-process event=truncate "pid!=$(early_pid thread-a)"
        policy tid-eq event=truncate "tid=$(early_tid thread-a)"
        policy tid-leader event=truncate "tid=$(early_pid thread-a)"
        policy tid-ne event=truncate "tid!=$(early_tid thread-a)"
        release thread-a
        hits pid-process in-thread
        hits pid-thread in-thread
        hits pid-not-process
        hits tid-eq in-thread
        hits tid-leader
        hits tid-ne
}

test_pid_new() {
        early old meet MEET say old child { say new-child } exec "$trigger" say new-program
        policy pid-new event=truncate pid=new
        policy pid-old event=truncate pid!=new
        early old-thread meet MEET exec "$trigger" thread say new-thread
        release old
        release old-thread
        run say new
        hits pid-new new-child new-program new new-thread
        hits pid-old old
}

test_ppid() {
        early parent meet MEET say parent child { say child child { say grandchild } } reap say reaped
        policy ppid-eq event=truncate "ppid=$(early_pid parent)"
        policy ppid-ne event=truncate "ppid!=$(early_pid parent)"
        policy ppid-ge event=truncate "ppid>=$(early_pid parent)" "ppid<=$(early_pid parent)"
        release parent
        hits ppid-eq child reaped
        hits ppid-ne parent grandchild
        hits ppid-ge child reaped
}

# A parent that ends is no parent any more, from the very next call on.
test_ppid_changes() {
        early keeper reap child { meet MEET } orphan-after before say orphaned
        policy ppid-changes event=truncate "ppid=$(cat "$BASE/early-keeper.pid")"
        release keeper
        hits ppid-changes orphaned
}

# --- namespaces ---

test_mntns() {
        local own
        own=$(stat -Lc %i /proc/self/ns/mnt)
        policy mntns-eq event=truncate "mntns=$own"
        policy mntns-ne event=truncate "mntns!=$own"
        run say here unshare mnt say elsewhere child { say child-elsewhere }
        hits mntns-eq here
        hits mntns-ne elsewhere child-elsewhere
}

test_pidns() {
        local own
        own=$(stat -Lc %i /proc/self/ns/pid)
        policy pidns-eq event=truncate "pidns=$own"
        policy pidns-ne event=truncate "pidns!=$own"
        run say here unshare pid say still-here child { say elsewhere }
        hits pidns-eq here still-here
        hits pidns-ne elsewhere
        [ $phase = check ] || return 0
        events pidns-ne truncate | grep pidns/elsewhere | jq -e '.processId == 1 and .threadId == 1 and
                .parentProcessId == 0 and .hostProcessId > 1 and .hostParentProcessId > 1 and .pidNamespace > 1'
}

test_uts() {
        local long=sct-a-host-name-that-is-longer-than-a-command-name.example.org
        policy uts-eq event=truncate uts=sct-host
        policy uts-ne event=truncate uts!=sct-host
        policy uts-prefix event=truncate 'uts=sct-*'
        policy uts-tail event=truncate uts=sct-0123456789-abcdefg-b
        policy uts-long event=truncate "uts=$long"
        run say here unshare uts hostname sct-host say there child { say child-there } hostname sct-other say other
        run unshare uts hostname $long say long
        run unshare uts hostname sct-0123456789-abcdefg-a say a hostname sct-0123456789-abcdefg-b pause 200 say b
        hits uts-tail b
        hits uts-eq there child-there
        hits uts-ne here other long a b
        hits uts-prefix there child-there other long a b
        hits uts-long long
        [ $phase = check ] || return 0
        assert_eq "$(events uts-long truncate | jq -r .hostName)" $long
}

# --- descent ---

test_tree() {
        early root meet MEET say root child { say child child { say grandchild } } reap orphan say orphan
        policy tree-eq event=truncate "tree=$(early_pid root)"
        policy tree-ne event=truncate "tree!=$(early_pid root)"
        release root
        run say stranger
        hits tree-eq root child grandchild orphan
        hits tree-ne stranger
}

# Those that were there before the policy; what has lost its parents already cannot be known, what loses them later is.
test_tree_before() {
        early tree-up child { child { meet MEET say deep orphan say orphan } }
        policy tree-before event=truncate "tree=$(early_pid tree-up)"
        policy tree-before-list event=truncate "tree=1999999999,$(early_pid tree-up)"
        release tree-up
        hits tree-before deep orphan
        hits tree-before-list deep orphan
}

test_follow() {
        policy follow-comm event=truncate comm=sct-lead follow
        run comm sct-lead say lead child { comm sct-else say renamed exec "$trigger" say executed child { say grandchild } }
        run say stranger
        run reap orphan comm sct-lead orphan comm sct-else say orphan
        run comm sct-lead thread comm sct-thread say thread
        hits follow-comm lead renamed executed grandchild orphan thread
}

# Also what never had an event of its own before it started another program.
test_follow_binary() {
        do_run cp "$trigger" "$BASE/follow_binary/lead"
        policy follow-binary event=truncate "binary=$BASE/follow_binary/lead" follow
        run exec "$BASE/follow_binary/lead" exec "$trigger" say executed
        run exec "$BASE/follow_binary/lead" child { exec "$trigger" say child }
        run exec "$BASE/follow_binary/lead" vfork "$trigger" say vforked
        run say stranger
        hits follow-binary executed child vforked
}

# --- cgroups ---

test_unit() {
        local s=sct$id.slice u=sct$id-web.service
        policy unit-eq event=truncate "unit=$u"
        policy unit-ne event=truncate "unit!=$u"
        policy unit-star event=truncate "unit=sct$id-*.service"
        policy unit-bare event=truncate "unit=sct$id-web"
        policy slice-eq event=truncate "slice=$s"
        policy slice-ne event=truncate "slice!=$s"
        policy slice-star event=truncate "slice=sct$id*.slice"
        policy cgroup-eq event=truncate "cgroup=/$s/$u"
        policy cgroup-up event=truncate "cgroup=/$s"
        policy cgroup-ne event=truncate "cgroup!=/$s"
        policy cgroup-star event=truncate "cgroup=/$s/*-web.service"
        do_run cgroup "$s/$u/inner"
        do_run cgroup "$s/sct$id-db.service"
        run say outside
        run into "$cgroot/$s/$u" say unit
        run into "$cgroot/$s/$u/inner" say below
        run into "$cgroot/$s/sct$id-db.service" say sister
        run say before cgroup "$cgroot/$s/$u" say moved child { say child } cgroup "$cgroot" say back
        hits unit-eq unit below moved child
        hits unit-ne outside sister before back
        hits unit-star unit below sister moved child
        hits unit-bare unit below moved child
        hits slice-eq unit below sister moved child
        hits slice-ne outside before back
        hits slice-star unit below sister moved child
        hits cgroup-eq unit below moved child
        hits cgroup-up unit below sister moved child
        hits cgroup-ne outside before back
        hits cgroup-star unit below moved child
        [ $phase = check ] || return 0
        assert_eq "$(events unit-eq truncate | grep unit/below | jq -r .unit)" "$u"
}

# So many cgroups that several share a place in the kernel side's table.
test_unit_among_many() {
        local s=sct$id-many.slice i
        if [ $phase = policy ]; then
                mkdir -p "$cgroot/$s"
                (cd "$cgroot/$s" && seq -f "sct$id-%g.service" 1500 | xargs mkdir)
        fi
        policy among-many event=truncate "unit=sct$id-*7.service"
        run into "$cgroot/$s/sct$id-16.service" say no into "$cgroot/$s/sct$id-1497.service" say yes
        [ $phase != run ] || (cd "$cgroot/$s" && seq -f "sct$id-%g.service" 1500 | xargs rmdir)
        hits among-many yes
}

# Cgroups and processes that are there before the service.
test_unit_before() {
        local u=sct$id-old.service
        [ $phase != policy ] || cgroup "sct$id.slice/$u/inner"
        early in-unit into "$cgroot/sct$id.slice/$u/inner" meet MEET say process child { say child }
        policy unit-before event=truncate "unit=$u"
        policy slice-before event=truncate "slice=sct$id.slice"
        run into "$cgroot/sct$id.slice/$u" say later
        release in-unit
        hits unit-before process child later
        hits slice-before process child later
}

# Deeper than the path of a cgroup is kept: what it belongs to is known all the same.
test_unit_deep() {
        local u=sct$id-deep.service part deep old
        part=$(printf 'long%.0s' $(seq 25))
        deep=sct$id.slice/$u/$part-1/$part-2/$part-3/$part-4/$part-5/$part-6
        old=sct$id.slice/$u/$part-a/$part-b/$part-c/$part-d/$part-e/$part-f
        [ $phase != policy ] || cgroup "$old"
        early deep-old into "$cgroot/$old" meet MEET say old
        policy deep-unit event=truncate "unit=$u"
        policy deep-slice event=truncate "slice=sct$id.slice" "unit!=sct$id-other.service"
        policy deep-cgroup event=truncate "cgroup=/sct$id.slice/$u"
        do_run cgroup "$deep"
        run into "$cgroot/$deep" say deep
        release deep-old
        run say outside
        hits deep-unit deep old
        hits deep-slice deep old
        hits deep-cgroup deep old
}

test_unit_of_user() {
        local base="user.slice/user-1000.slice"
        policy user-unit event=truncate "unit=user@1000.service/app.slice/sct$id.service"
        policy user-manager event=truncate unit=user@1000.service
        policy session-eq event=truncate "session=sct$id"
        policy session-ne event=truncate "session!=sct$id"
        policy session-star event=truncate "session=sct$id*"
        do_run cgroup "$base/user@1000.service/app.slice/sct$id.service"
        do_run cgroup "$base/session-sct$id.scope"
        run into "$cgroot/$base/user@1000.service/app.slice/sct$id.service" say user-unit
        run into "$cgroot/$base/session-sct$id.scope" say session
        run say neither
        hits user-unit user-unit
        hits user-manager user-unit
        hits session-eq session
        hits session-ne user-unit neither
        hits session-star session
        [ $phase != run ] || rmdir "$cgroot/$base/user@1000.service/app.slice/sct$id.service" \
                "$cgroot/$base/user@1000.service/app.slice" "$cgroot/$base/user@1000.service" \
                "$cgroot/$base/session-sct$id.scope" "$cgroot/$base" "$cgroot/user.slice" 2>/dev/null || true
}

test_container() {
        local a=system.slice/docker-$hex.scope
        [ $phase != policy ] || cgroup "sct$id.slice/docker-$hex2.scope"
        policy container event=truncate container
        policy container-not event=truncate '!container'
        policy container-new event=truncate container=new
        policy container-not-new event=truncate container!=new
        policy container-id event=truncate "container=${hex:0:12}"
        policy container-full event=truncate "container=$hex"
        policy container-not-id event=truncate "container!=${hex:0:12}"
        policy container-two event=truncate "container=${hex:0:12},${hex2:0:12}"
        do_run cgroup "sct$id.slice/docker-$hex.scope/inner"
        do_run cgroup "sct$id.slice/libpod-conmon-$hex3.scope"
        run into "$cgroot/sct$id.slice/docker-$hex.scope" say new
        run into "$cgroot/sct$id.slice/docker-$hex.scope/inner" say inner
        run into "$cgroot/sct$id.slice/docker-$hex2.scope" say old
        run into "$cgroot/sct$id.slice/libpod-conmon-$hex3.scope" say monitor
        run say host
        hits container new inner old
        hits container-not host monitor
        hits container-new new inner
        hits container-not-new old
        hits container-id new inner
        hits container-full new inner
        hits container-not-id host monitor old
        hits container-two new inner old
        [ $phase = check ] || return 0
        assert_eq "$(events container-new truncate | grep container/inner | jq -r .containerId)" "$hex"
}

# Machines of systemd-nspawn, by hand and as a service; the slice above all others.
test_machine() {
        local by_hand="machine.slice/machine-my\\x2dsct$id.scope" service="machine.slice/systemd-nspawn@my-sct$id.service"
        policy machine event=truncate "container=my-sct$id"
        policy machine-not event=truncate "container!=my-sct$id"
        policy slice-root event=truncate slice=-.slice
        policy slice-not-root event=truncate slice!=-.slice
        do_run cgroup "$by_hand"
        do_run cgroup "$service"
        run into "$cgroot/$by_hand" say scope
        run into "$cgroot/$service" say service
        run say host
        hits machine scope service
        hits machine-not host
        hits slice-root scope service host
        hits slice-not-root
        [ $phase != run ] || rmdir "$cgroot/$by_hand" "$cgroot/$service" "$cgroot/machine.slice" 2>/dev/null || true
        [ $phase = check ] || return 0
        assert_eq "$(events machine truncate | jq -r .containerId | sort -u)" "my-sct$id"
}

# The first system call of the first process of a unit that begins now.
test_unit_first_call() {
        local u=sct$id-first.service
        policy unit-first event=truncate "unit=$u"
        policy unit-exec event=sched_process_exec "unit=$u"
        do_run cgroup "sct$id.slice/$u"
        run into "$cgroot/sct$id.slice/$u" say first exec "$trigger" say second
        hits unit-first first second
        [ $phase = check ] || return 0
        assert_eq "$(events unit-exec sched_process_exec | wc -l)" 1
}

# --- arguments ---

# One word of a list is enough; the environment is read because a filter asks for it.
test_lists() {
        local p=$BASE/lists exec=event=sched_process_exec args=sched_process_exec.args
        policy list-eq $exec $args.argv=needle
        policy list-ne $exec $args.argv!=needle "$args.cmdpath=$p/*"
        policy list-prefix $exec "$args.argv=need*"
        policy list-suffix $exec "$args.argv=*dle"
        policy list-inner $exec "$args.argv=*eed*"
        policy list-first $exec "$args.argv=$p/none"
        policy list-call event=execve execve.args.argv=needle
        policy list-env $exec "$args.env=SCT_NEEDLE=*"
        do_run cp /bin/true "$p/exact"
        do_run cp /bin/true "$p/part"
        do_run cp /bin/true "$p/none"
        do_run "$p/exact" hay needle straw
        do_run "$p/part" 'hay needle' needles
        do_run env SCT_NEEDLE=x "$p/none" hay
        hits list-eq exact
        hits list-ne part none
        hits list-prefix exact part
        hits list-suffix exact part
        hits list-inner exact part
        hits list-first none
        hits list-call exact
        hits list-env none
}

test_args_strings() {
        policy arg-eq event=truncate "truncate.args.path=$BASE/args_strings/one"
        policy arg-ne event=truncate "truncate.args.path!=$BASE/args_strings/one"
        policy arg-prefix event=truncate "truncate.args.path=$BASE/args_strings/t*"
        policy arg-suffix event=truncate "truncate.args.path=*/args_strings/one,*three"
        policy arg-inner event=truncate "truncate.args.path=*gs/tw*,*_strings/th*"
        policy arg-mixed event=truncate "truncate.args.path=$BASE/args_strings/*" 'truncate.args.path!=*e'
        policy arg-data event=truncate "truncate.data.path=$BASE/args_strings/one"
        run say one say two say three
        hits arg-eq one
        hits arg-ne two three
        hits arg-prefix two three
        hits arg-suffix one three
        hits arg-inner two three
        hits arg-mixed one two three
        hits arg-data one
}

# Strings of every size that the kernel side treats in its own way, and those just below and above.
test_args_string_sizes() {
        local n sizes="1 7 8 9 23 24 25 55 56 57 247 248 249 251 252 253 255 256 257 1000 1023 1024 2047 4000" path
        path=/$(printf 'dir/%.0s' $(seq 1024))
        for n in $sizes; do
                policy size-eq-$n event=truncate comm=sct-sizes "truncate.args.path=${path:0:$n}"
                if [ $n -ge 7 ] && [ $n -le 252 ]; then
                        policy size-prefix-$n event=truncate comm=sct-sizes "truncate.args.path=${path:0:$n}*"
                        policy size-suffix-$n event=truncate comm=sct-sizes "truncate.args.path=*${path: -$((n - 4))}-end"
                fi
                if [ $phase = run ]; then
                        printf ' say %s say %s-end' "${path:0:$n}" "$BASE/args_string_sizes/${path: -$n}" >>"$BASE/sizes"
                fi
        done
        # The whole, as long as a path can be, with what is looked for at its end.
        policy size-inner event=truncate comm=sct-sizes 'truncate.args.path=*here it is*'
        if [ $phase = run ]; then
                printf ' say %s-here-it-is\\ not\n say %s-here\\ it\\ is' "${path:0:4050}" "${path:0:4050}" >>"$BASE/sizes"
                xargs "$trigger" comm sct-sizes <"$BASE/sizes"
        fi
        [ $phase = check ] || return 0
        for n in $sizes; do
                assert_eq "$(events size-eq-$n truncate | jq '.args[0].value | length')" $n "equal to $n bytes"
                [ $n -ge 7 ] && [ $n -le 252 ] || continue
                # All that are at least as long; those with an end, which the service's own limit does not cut.
                assert_eq "$(events size-prefix-$n truncate | jq ".args[0].value | length | select(. < $n)")" ''
                assert_eq "$(events size-prefix-$n truncate | jq -r '.args[0].value | select(startswith("/dir")) | length' | sort -un |
                             grep -vx 406. | paste -sd' ')" "$(for m in $sizes; do [ $m -lt $n ] || printf ' %s' $m; done | cut -c2-)"
                events size-suffix-$n truncate | jq -r '.args[0].value | length' >lengths
                [ "$(wc -l <lengths)" -ge 1 ] || fail "no string ends with $n bytes"
        done
        assert_eq "$(events size-inner truncate | jq -r '.args[0].value | length')" 4061
}

# What the kernel fills in is judged when the call ends.
test_args_of_results() {
        policy out-eq event=readlink comm=sct-result readlink.args.buf=to-here
        policy out-prefix event=readlink comm=sct-result 'readlink.args.buf=to-*'
        policy out-ne event=readlink comm=sct-result readlink.args.buf!=to-here
        policy out-both event=readlink comm=sct-result 'readlink.args.buf=*here' 'readlink.retval>=7' \
                "readlink.args.pathname=*/one"
        if [ $phase = run ]; then
                ln -s to-here "$BASE/args_of_results/one"
                ln -s to-there "$BASE/args_of_results/two"
        fi
        run comm sct-result readlink one readlink two readlink missing
        hits out-eq one
        hits out-prefix one two
        hits out-ne two
        hits out-both one
}

test_args_numbers() {
        policy num-eq event=truncate truncate.args.length=5
        policy num-ne event=truncate truncate.args.length!=5
        policy num-lt event=truncate 'truncate.args.length<0'
        policy num-ge event=truncate 'truncate.args.length>=5'
        policy num-range event=truncate 'truncate.args.length>4' 'truncate.args.length<=6'
        policy num-mixed event=truncate truncate.args.length=-1 'truncate.args.length>5'
        policy num-list event=truncate truncate.args.length=-1,7
        run say-number m1 -1 say-number z 0 say-number f 5 say-number s 6 say-number v 7
        hits num-eq f
        hits num-ne m1 z s v
        hits num-lt m1
        hits num-ge f s v
        hits num-range f s
        hits num-mixed m1 s v
        hits num-list m1 v
}

# Flags by name: all the bits that were asked for; O_RDONLY is the absence of the others in the access mode.
test_args_flags() {
        policy flags-wronly event=openat comm=trigger openat.args.flags=O_WRONLY
        policy flags-rdonly event=openat comm=trigger openat.args.flags=O_RDONLY
        policy flags-creat event=openat comm=trigger openat.args.flags=O_CREAT
        policy flags-both event=openat comm=trigger 'openat.args.flags=O_WRONLY|O_CREAT'
        policy flags-either event=openat comm=trigger openat.args.flags=O_RDWR,O_CREAT
        policy flags-ne event=openat comm=trigger openat.args.flags!=O_RDONLY
        policy flags-zero event=openat comm=trigger openat.args.flags=0
        policy mode-eq event=openat comm=trigger openat.args.mode=0640
        policy mode-decimal event=openat comm=trigger openat.args.mode=416
        run open rdonly 0 0 open wronly 1 0 open rdwr 2 0 open create 0x41 0640 open cloexec 0x80000 0
        hits flags-wronly wronly create
        hits flags-rdonly rdonly cloexec
        hits flags-creat create
        hits flags-both create
        hits flags-either rdwr create
        hits flags-ne wronly rdwr create
        hits flags-zero rdonly
        hits mode-eq create
        hits mode-decimal create
}

test_args_modes_and_descriptors() {
        policy fd-cwd event=faccessat faccessat.args.dirfd=AT_FDCWD
        policy fd-number event=faccessat faccessat.args.dirfd=7
        policy fd-negative event=faccessat 'faccessat.args.dirfd<0'
        policy inode-mode event=fchmodat fchmodat.args.mode=0755
        policy inode-bit event=fchmodat fchmodat.args.mode=S_ISUID
        run faccessat -100 cwd faccessat 7 seven faccessat -1 minus
        run chmod plain 0755 chmod suid 04711
        hits fd-cwd cwd
        hits fd-number seven
        hits fd-negative cwd minus
        hits inode-mode plain
        hits inode-bit suid
}

# Names, truth values and codes of events that are no system calls; signals, protections, processes below zero.
test_args_of_other_kinds() {
        policy kind-signal event=kill comm=sct-kinds kill.args.sig=SIGUSR1
        policy kind-signal-ne event=kill comm=sct-kinds kill.args.sig!=SIGUSR1 kill.args.sig!=SIGUSR2
        policy kind-pid event=kill comm=sct-kinds kill.args.pid=-2147483000
        policy kind-prot event=mprotect comm=sct-kinds mprotect.args.prot=PROT_EXEC
        policy kind-address event=mprotect comm=sct-kinds mprotect.args.addr=0x10000
        policy kind-code event=sched_process_exit comm=sct-kinds sched_process_exit.args.exit_code!=0
        policy kind-group event=sched_process_exit comm=sct-kinds sched_process_exit.args.process_group_exit=false
        policy kind-call event=sys_enter comm=sct-kinds sys_enter.args.syscall=kill,mprotect
        run comm sct-kinds kill 0 10 kill 2147483000 12 kill -2147483000 1 protect 0x10000 5 protect 0x20000 1 protect 0x20000 4
        run comm sct-kinds child { exit 0 } thread exit-thread
        [ $phase != run ] || "$trigger" comm sct-kinds exit 3 || true
        [ $phase = check ] || return 0
        assert_eq "$(events kind-signal kill | jq -c '[.args[].value]')" '[0,10]'
        assert_eq "$(events kind-signal-ne kill | jq -c '[.args[].value]')" '[-2147483000,1]'
        assert_eq "$(events kind-pid kill | jq -c '[.args[].value]')" '[-2147483000,1]'
        assert_eq "$(events kind-prot mprotect | jq -c '[.args[].value]' | paste -sd' ')" '[65536,0,5] [131072,0,4]'
        assert_eq "$(events kind-address mprotect | jq -c '[.args[].value]')" '[65536,0,5]'
        assert_eq "$(events kind-code sched_process_exit | jq -c '.args[0].value')" 3
        assert_eq "$(events kind-group sched_process_exit | jq -c '.args[0].value')" 0
        assert_eq "$(events kind-call sys_enter | jq -r .syscall | sort -u | paste -sd' ')" 'kill mprotect'
}

# An argument that cannot be read has no value: neither = nor != holds for it, the policy's other filters do.
test_args_faults() {
        policy fault-eq event=truncate comm=sct-fault 'truncate.args.path=*a*,/*'
        policy fault-ne event=truncate 'truncate.args.path!=/nowhere' comm=sct-fault
        policy fault-number event=truncate comm=sct-fault truncate.args.length=77
        do_run "$trigger" comm sct-fault say-fault 77
        [ $phase = check ] || return 0
        assert_eq "$(events fault-eq truncate | wc -l)" 0
        assert_eq "$(events fault-number truncate | wc -l)" 1
        assert_eq "$(events fault-ne truncate | wc -l)" 0
}

test_retval() {
        policy ret-name event=openat comm=trigger openat.retval=-ENOENT
        policy ret-bare-name event=openat comm=trigger openat.retval=ENOENT
        policy ret-lt event=openat comm=trigger 'openat.retval<0'
        policy ret-ge event=openat comm=trigger 'openat.retval>=0'
        policy ret-ne event=openat comm=trigger openat.retval!=-ENOENT
        policy ret-list event=openat comm=trigger openat.retval=-ENOENT,-ENOTDIR
        policy ret-range event=openat comm=trigger 'openat.retval>-21' 'openat.retval<-2'
        [ $phase != policy ] || echo >"$BASE/retval/there"
        run open missing 0 0 open there 0 0 open there/below 0 0 open there 0x10000 0
        hits ret-name missing
        hits ret-bare-name missing
        hits ret-lt missing there there/below
        hits ret-ge there
        hits ret-ne there there/below there
        hits ret-list missing there/below there
        hits ret-range there/below there
}

test_context() {
        local own now
        now=$(date +%s)
        own=$(stat -Lc %i /proc/self/ns/mnt)
        policy ctx-comm event=truncate,openat truncate.context.comm=sct-ctx openat.context.comm=nobody
        policy ctx-name event=truncate truncate.context.processName=sct-ctx
        policy ctx-uid event=truncate 'truncate.context.userId>=4007'
        policy ctx-uid-short event=truncate truncate.context.uid=4007
        policy ctx-host event=truncate truncate.context.host
        policy ctx-container event=truncate truncate.context.container
        policy ctx-mntns event=truncate "truncate.context.mntns!=$own"
        policy ctx-syscall event=truncate truncate.context.syscall=truncate
        policy ctx-syscall-not event=truncate truncate.context.syscall=openat
        policy ctx-hostname event=truncate truncate.context.hostName=sct-context
        policy ctx-time event=truncate "truncate.context.timestamp>${now}000000000"
        policy ctx-time-not event=truncate "truncate.context.timestamp<${now}000000000"
        policy ctx-cpu event=truncate 'truncate.context.processorId<4096'
        policy ctx-binary event=truncate "truncate.context.binary=$trigger"
        policy ctx-pid event=truncate truncate.context.pid=1
        policy ctx-host-pid event=truncate 'truncate.context.hostPid>1'
        run say plain comm sct-ctx say named child { uid 4007 say user } unshare uts hostname sct-context say host \
                unshare mnt say mount
        run unshare pid child { say first }
        hits ctx-comm named user host mount
        hits ctx-name named user host mount
        hits ctx-uid user
        hits ctx-uid-short user
        hits ctx-host plain named user host mount first
        hits ctx-container
        hits ctx-mntns mount
        hits ctx-syscall plain named user host mount first
        hits ctx-syscall-not
        hits ctx-hostname host mount
        hits ctx-time plain named user host mount first
        hits ctx-time-not
        hits ctx-cpu plain named user host mount first
        hits ctx-binary plain named user host mount first
        hits ctx-pid first
        hits ctx-host-pid plain named user host mount first
}

# --- together ---

test_and() {
        policy and-three event=truncate comm=sct-and uid=4008 'truncate.args.path=*/yes*'
        run comm sct-and say yes-root child { uid 4008 say yes say no } comm sct-or child { uid 4008 say yes-other }
        hits and-three yes
}

# A filter on one event's argument leaves the other events of the policy alone.
test_and_is_per_event() {
        policy and-events event=truncate,openat comm=sct-two 'truncate.args.path=*/yes'
        run comm sct-two say yes say no open any 0 0
        hits and-events yes any
}

test_sets() {
        policy set-fs set=fs comm=sct-set
        policy set-minus set=fs_file_ops event!=openat comm=sct-set
        policy event-star 'event=trunc*' comm=sct-set
        policy set-default comm=sct-set
        run comm sct-set say truncate open openat 0 0 chmod fchmodat 0600
        hits set-fs truncate openat fchmodat
        hits set-minus truncate
        hits event-star truncate
        hits set-default fchmodat
}

run_tests
