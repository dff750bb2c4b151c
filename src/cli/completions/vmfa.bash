# Completions for vmfa, by `vmfa completions bash`. Each TAB asks vmfa itself.

_vmfa() {
    # Bash splits words at `@`, `:` and `=` as well, which names may have; so the line is split here. `word` is the one to
    # complete, without its quotes; what it has before `start` stays as it is.
    local line=${COMP_LINE:0:COMP_POINT} breaks=${COMP_WORDBREAKS//[[:space:]]/}
    local words=() word= begun= start=0 quote= opened=0 character i
    for ((i = 0; i < ${#line}; i++)); do
        character=${line:i:1}
        if [[ $quote == "'" && $character != "'" ]]; then
            word+=$character
        elif [[ $character == \\ ]]; then
            ((++i))
            character=${line:i:1} begun=1
            if [[ $quote && $character != [\"\\\$\`] ]]; then word+=\\; fi
            word+=$character
        elif [[ $quote ]]; then
            if [[ $character == "$quote" ]]; then quote=; else word+=$character; fi
        elif [[ $character == [\'\"] ]]; then
            quote=$character begun=1 opened=${#word}
        elif [[ $character == [[:space:]] ]]; then
            if [[ $begun ]]; then words+=("$word"); fi
            word= begun= start=0
        else
            # Bash takes an `@` for the beginning of the word behind it.
            if [[ $character == @ && $breaks == *@* ]]; then start=${#word}; fi
            word+=$character begun=1
            if [[ $character != @ && $breaks == *"$character"* ]]; then start=${#word}; fi
        fi
    done
    if [[ $quote ]]; then start=$opened; fi

    local answer value escaped files=
    COMPREPLY=()
    while IFS= read -r answer; do
        value=${answer%%$'\t'*}
        if [[ ! $value ]]; then
            files=1
            continue
        fi
        value=${value#"${word:0:start}"}
        if [[ $quote ]]; then
            escaped=
            for ((i = 0; i < ${#value}; i++)); do
                character=${value:i:1}
                case $quote$character in
                    "''") escaped+="'\\''" ;;
                    '"'[\"\\\$\`]) escaped+=\\$character ;;
                    *) escaped+=$character ;;
                esac
            done
        elif [[ $value ]]; then
            printf -v escaped %q "$value"
        else
            escaped=
        fi
        COMPREPLY+=("$escaped")
    done < <(VMFA_COMPLETE=${#words[@]} command vmfa -- "${words[@]}" "$word" 2>/dev/null)

    if [[ $files ]]; then
        if [[ ${#COMPREPLY[@]} -eq 0 ]] && compopt -o default 2>/dev/null; then return; fi
        compopt -o filenames 2>/dev/null
        while IFS= read -r value; do COMPREPLY+=("$value"); done < <(compgen -f -- "${word:start}")
    fi
}

# Older versions can only sort.
complete -o nosort -F _vmfa vmfa 2>/dev/null || complete -F _vmfa vmfa
