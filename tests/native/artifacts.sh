#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Artifacts from end to end: what a process writes is listed, read, exported and removed by scopectl, has its record in the
# journal, and belongs to the scopes that asked; captures are started and stopped at run time; the directory may go away.
. "$(dirname "$0")/../lib/test.sh"

BASE=/tmp/.sct-artifacts-$$

# writer FILE TEXT: by a process of its own that the policies name.
writer() {
        "$BASE/sct-artifact-w" -c 'printf "%s" "$2" >"$1"' - "$1" "$2"
}

listed() {
        "$SCOPECTL" artifacts -j "$@"
}

# The artifact of a file is complete.
complete() {
        listed --source="$1" | jq -e '.artifacts[0].complete and .artifacts[0].sha256 != ""'
}

n_of() {
        listed --source="$1" | jq '.artifacts | length'
}

entries() {
        journalctl --sync
        journalctl -q -o json --all "$@"
}

setup() {
        rm -rf "$BASE"
        mkdir -p "$BASE/root/etc/scopetrace" "$BASE/policies" "$BASE/files" "$BASE/other"
        cp /bin/bash "$BASE/sct-artifact-w"
        printf '%s\n' '[Scopetrace]' "CaptureDirectory=$BASE/captures" CaptureMaxUse=64M >"$BASE/root/etc/scopetrace/scopetraced.conf"
        cat >"$BASE/policies/artifacts.yaml" <<-END
	apiVersion: scopetrace.org/v1
	kind: ScopePolicy
	metadata: {name: art-writes}
	spec:
	  scope: 42
	  filters: [comm=sct-artifact-w, event=sched_process_exec]
	  capture: ["write=$BASE/files/*"]
	---
	apiVersion: scopetrace.org/v1
	kind: ScopePolicy
	metadata: {name: art-plain}
	spec:
	  scope: 7
	  filters: [comm=sct-artifact-w, event=sched_process_exec]
	END
        SCOPETRACE_ROOT=$BASE/root "$SCOPETRACED" --console --policy "$BASE/policies" >"$BASE/out" 2>"$BASE/err" </dev/null &
        echo $! >"$BASE/service"
        wait_for 60 grep -q ' is ready ' "$BASE/err"
        wait_for 60 "$SCOPECTL" captures
}

teardown() {
        kill "$(cat "$BASE/service")" || :
        wait_for 60 eval "! kill -0 $(cat "$BASE/service")"
        rm -rf "$BASE"
}

test_written_listed_read() {
        local id
        writer "$BASE/files/one" "testing 123"
        wait_for 60 complete "$BASE/files/one"
        listed --source="$BASE/files/one" >list
        id=$(jq -r '.artifacts[0].id' list)
        assert_eq "$(jq -c '.artifacts[0] | [.kind, .bytes, .scopes, .policies, .comm, .holes]' list)" \
                '["write",11,["42"],["art-writes"],"sct-artifact-w",[]]'
        assert_eq "$(jq -r '.artifacts[0].file' list)" "host/write.dev-$(stat -c %Hd:%Ld "$BASE/files/one" |
                { IFS=: read -r major minor; echo $((major << 20 | minor)); }).inode-$(stat -c %i "$BASE/files/one")"
        "$SCOPECTL" artifacts cat "$id" >content
        cmp content "$BASE/files/one"
        assert_eq "$(jq -r '.artifacts[0].sha256' list)" "$(sha256sum <content | cut -d' ' -f1)" digest
        mkdir exported
        "$SCOPECTL" artifacts export "$id" exported
        cmp exported/write.* "$BASE/files/one"
}

test_record_in_the_journal() {
        writer "$BASE/files/two" "for the journal"
        wait_for 60 complete "$BASE/files/two"
        record_there() {
                entries TRACE_ARTIFACT_KIND=write SCOPE=42 TRACE_ARTIFACT_SOURCE="$BASE/files/two" >record && [ -s record ]
        }
        wait_for 60 record_there
        assert_eq "$(jq -r '[.MATCHED_SCOPES, .SCOPE, .POLICY, .TRACE_ARTIFACT_SIZE, .TRACE_COMM, .TRACE_ARTIFACT_SHA256] | @csv' record)" \
                "\"2199023255552\",\"42\",\"art-writes\",\"15\",\"sct-artifact-w\",\"$(sha256sum <"$BASE/files/two" | cut -d' ' -f1)\""
        cmp "$(jq -r .TRACE_ARTIFACT_FILE record)" "$BASE/files/two"
        assert_contains "$(jq -r .MESSAGE record)" "15 bytes, of $BASE/files/two, by sct-artifact-w["
}

test_started_and_stopped_at_run_time() {
        writer "$BASE/other/before" "nobody asked"
        "$SCOPECTL" start-capture 7 "write=$BASE/other/*"
        assert_eq "$("$SCOPECTL" captures -j | jq -c '[.captures[] | [.scope, .kind, .run_time]]')" \
                '[[7,"write",true],[42,"write",false]]'
        writer "$BASE/other/during" "somebody asked"
        wait_for 60 complete "$BASE/other/during"
        assert_eq "$(listed --source="$BASE/other/during" | jq -c '.artifacts[0].scopes')" '["7"]'
        "$SCOPECTL" reload
        writer "$BASE/other/reloaded" "still asked"
        wait_for 60 complete "$BASE/other/reloaded"
        "$SCOPECTL" stop-capture 7
        writer "$BASE/other/after" "nobody asks"
        writer "$BASE/files/after" "the policy does"
        wait_for 60 complete "$BASE/files/after"
        assert_eq "$(n_of "$BASE/other/after")" 0
        assert_eq "$(n_of "$BASE/other/before")" 0
        assert_eq "$(n_of "$BASE/other/during")" 1
}

test_removed_and_vacuumed() {
        writer "$BASE/files/three" "to be removed"
        wait_for 60 complete "$BASE/files/three"
        "$SCOPECTL" artifacts remove --source="$BASE/files/three"
        assert_eq "$(n_of "$BASE/files/three")" 0
        writer "$BASE/files/three" "written again"
        wait_for 60 complete "$BASE/files/three"
        "$SCOPECTL" vacuum --max-use=0
        assert_eq "$(listed | jq '.artifacts | length')" 0
        assert_eq "$(find "$BASE/captures" -type f ! -path '*/.*' | wc -l)" 0
}

test_directory_removed() {
        writer "$BASE/files/four" "before"
        wait_for 60 complete "$BASE/files/four"
        rm -rf "$BASE/captures"
        # The first may still go to what is gone; the service finds out and makes the directory anew.
        captured_again() {
                writer "$BASE/files/five.$RANDOM" "after"
                listed | jq -e '[.artifacts[] | select(.complete)] | length > 0'
        }
        wait_for 60 captured_again
        "$SCOPECTL" status >status
        assert_contains "$(cat status)" "Captures: 1,"
}

run_tests
