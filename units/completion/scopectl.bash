# SPDX-License-Identifier: LGPL-2.1-or-later
# bash completion for scopectl. Scopes and policies are asked of the service, events of the catalogue in scopectl.

__scopectl_words() {
    scopectl --no-pager --no-legend "$@" 2>/dev/null
}

__scopectl_scopes() {
    __scopectl_words scopes | while read -r number _; do echo "$number"; done
}

__scopectl_policies() {
    __scopectl_words policies | while read -r name _; do echo "$name"; done
}

__scopectl_artifacts() {
    __scopectl_words artifacts | while read -r _ id _; do echo "$id"; done
}

__scopectl_events() {
    __scopectl_words events | while read -r name _; do echo "$name"; done
}

# What may stand in a filter: names of filters and of events; behind event= the events.
__scopectl_filters() {
    local cur=$1 prefix="" rest
    case $cur in
        [0-9]:*|[0-9][0-9]:*) prefix=${cur%%:*}: ;;
    esac
    rest=${cur#"$prefix"}
    case $rest in
        event=*|event!=*)
            prefix=$prefix${rest%%=*}=
            compgen -P "$prefix" -W "$(__scopectl_events)" -- "${rest#*=}" ;;
        *)
            compgen -P "$prefix" -W "event= set= comm= binary= exe= uid= gid= auid= pid= pid=new tid= ppid= mntns= pidns=
                uts= tree= follow container !container container=new unit= slice= session= cgroup=" -- "$rest" ;;
    esac
}

_scopectl() {
    local cur prev words cword verb="" i comps=""
    local -A VERBS=(
        [NONE]='captures artifacts vacuum status scopes trace top policies reload features help'
        [SCOPES]='log start-capture stop-capture'
        [BOTH]='show enable disable'
        [POLICIES]='unload set-mode'
        [FILES]='check load'
        [EVENTS]='events'
    )
    local options='-h --help --version -H --host= -M --machine= --bus-address= --json= -j --no-pager --no-legend
        --no-ask-password -l --full -q --quiet -n --lines= -o --output= -t -f --filter= --trace= --share --capture=
        --follow --scope= --kind= --container= --source= --comm= --pid= --policy= --since= --until= --all --max-use=
        --max-age='

    _init_completion -n =: || return

    for ((i = 1; i < cword; i++)); do
        if [[ ${words[i]} != -* && ! ${words[i-1]} =~ ^-[HMnotf]$ ]]; then
            verb=${words[i]}
            break
        fi
    done

    case $prev in
        -o|--output)
            COMPREPLY=($(compgen -W 'table table-verbose json export option:parse-arguments
                option:parse-arguments-fds option:exec-env option:relative-time' -- "$cur"))
            return ;;
        -H|--host|-M|--machine|-n|--lines|--bus-address|--capture)
            return ;;
        -t|-f|--filter|--trace)
            COMPREPLY=($(__scopectl_filters "$cur"))
            [[ ${COMPREPLY[0]} == *= ]] && compopt -o nospace
            # readline completes what stands behind the last : or = only.
            i=${cur%"${cur##*[:=]}"}
            COMPREPLY=("${COMPREPLY[@]#"$i"}")
            return ;;
    esac

    if [[ $cur == --json=* ]]; then
        COMPREPLY=($(compgen -W 'pretty short off' -- "${cur#*=}"))
        return
    elif [[ $cur == -* ]]; then
        COMPREPLY=($(compgen -W "$options" -- "$cur"))
        [[ ${COMPREPLY[0]} == *= ]] && compopt -o nospace
        return
    fi

    if [[ -z $verb ]]; then
        comps=${VERBS[*]}
    elif [[ $verb == artifacts ]]; then
        comps="list cat export remove $(__scopectl_artifacts)"
    elif [[ $verb == *-capture && $prev != *-capture ]]; then
        comps='write read exec mem network module'
    elif [[ " ${VERBS[SCOPES]} ${VERBS[BOTH]} " == *" $verb "* ]]; then
        comps="$(__scopectl_scopes) $(__scopectl_policies)"
    elif [[ " ${VERBS[POLICIES]} " == *" $verb "* ]]; then
        comps=$(__scopectl_policies)
    elif [[ " ${VERBS[EVENTS]} " == *" $verb "* ]]; then
        comps=$(__scopectl_events)
    elif [[ " ${VERBS[FILES]} " == *" $verb "* ]]; then
        _filedir '@(yaml|yml)'
        return
    fi

    COMPREPLY=($(compgen -W "$comps" -- "$cur"))
}

complete -F _scopectl scopectl
