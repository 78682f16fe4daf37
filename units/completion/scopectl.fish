# SPDX-License-Identifier: LGPL-2.1-or-later
# fish completion for scopectl. Scopes and policies are asked of the service, events of the catalogue in scopectl.

function __scopectl_first_words
    scopectl --no-pager --no-legend $argv 2>/dev/null | string trim | string replace -r ' .*' ''
end

set -l verbs captures artifacts start-capture stop-capture vacuum status scopes show trace log top policies check load unload enable disable set-mode reload events features help
set -l no_verb "not __fish_seen_subcommand_from $verbs"

complete -c scopectl -f
complete -c scopectl -n $no_verb -a "$verbs"
complete -c scopectl -n '__fish_seen_subcommand_from show enable disable log' -a '(__scopectl_first_words scopes)'
complete -c scopectl -n '__fish_seen_subcommand_from show enable disable log unload set-mode' -a '(__scopectl_first_words policies)'
complete -c scopectl -n '__fish_seen_subcommand_from artifacts' -a 'list cat export remove'
complete -c scopectl -n '__fish_seen_subcommand_from start-capture stop-capture' -a '(__scopectl_first_words scopes) write read exec mem network module'
complete -c scopectl -n '__fish_seen_subcommand_from events' -a '(__scopectl_first_words events)'
complete -c scopectl -n '__fish_seen_subcommand_from check load' -F

complete -c scopectl -s h -l help -d 'Show a short help'
complete -c scopectl -l version -d 'Show the version'
complete -c scopectl -s H -l host -x -a '(__fish_print_hostnames)' -d 'Operate on a remote host'
complete -c scopectl -s M -l machine -x -d 'Operate on a local container'
complete -c scopectl -l bus-address -x -d 'Operate on a service on this bus'
complete -c scopectl -l json -x -a 'pretty short off' -d 'Tables as JSON'
complete -c scopectl -s j -d 'Tables as JSON'
complete -c scopectl -l no-pager -d 'Do not pipe output into a pager'
complete -c scopectl -l no-legend -d 'No headings and no totals'
complete -c scopectl -l no-ask-password -d 'Do not ask to be authorized'
complete -c scopectl -s l -l full -d 'Do not cut columns'
complete -c scopectl -s q -l quiet -d 'Print only what was asked for'
complete -c scopectl -s n -l lines -x -d 'Number of events, records or scopes'
complete -c scopectl -s o -l output -x -a 'table table-verbose json export' -d 'Output format'
complete -c scopectl -s t -s f -l filter -l trace -x -d 'A filter'
complete -c scopectl -l share -d 'Use a scope that is in use'
complete -c scopectl -l capture -x -d 'Keep artifacts'
complete -c scopectl -l follow -d 'Go on with new records'
complete -c scopectl -l scope -x -d 'A scope'
complete -c scopectl -l kind -x -d 'A kind of artifact'
complete -c scopectl -l container -x -d 'A container'
complete -c scopectl -l source -x -d 'Path of the captured file'
complete -c scopectl -l comm -x -d 'Name of the process'
complete -c scopectl -l pid -x -d 'Process'
complete -c scopectl -l policy -x -d 'A policy'
complete -c scopectl -l since -x -d 'Not longer ago'
complete -c scopectl -l until -x -d 'Longer ago'
complete -c scopectl -l max-use -x -d 'What artifacts may take'
complete -c scopectl -l max-age -x -d 'How old artifacts may be'
complete -c scopectl -l all -d 'Every artifact'
