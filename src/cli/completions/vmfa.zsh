#compdef vmfa
# Completions for vmfa, by `vmfa completions zsh`. Each TAB asks vmfa itself.

_vmfa() {
    local answer value about files=
    local -a values
    for answer in "${(@f)$(VMFA_COMPLETE=$((CURRENT - 1)) command vmfa -- "${(@Q)words[1,CURRENT-1]}" "${(Q)PREFIX}" 2>/dev/null)}"; do
        [[ -n $answer ]] || continue
        value=${answer%%$'\t'*} about=${answer#*$'\t'}
        if [[ -z $value ]]; then
            files=1
            continue
        fi
        # `_describe` has a backslash for each backslash and colon.
        value=${${value//\\/\\\\}//:/\\:}
        values+=("$value${about:+:$about}")
    done
    local found=1
    if (( $#values )); then _describe -V value values && found=0; fi
    if [[ -n $files ]]; then
        if [[ $PREFIX == --*=* ]]; then compset -P 1 '*='; fi
        _files && found=0
    fi
    return found
}

# In a directory of $fpath this file is the function; elsewhere it defines it.
if [[ $funcstack[1] == _vmfa ]]; then _vmfa "$@"; else compdef _vmfa vmfa; fi
