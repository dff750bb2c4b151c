# Completions for vmfa, by `vmfa completions fish`. Each TAB asks vmfa itself.

function __vmfa_answers
    set -l words (commandline --current-process --tokenize --cut-at-cursor)
    set -l word (commandline --current-token --cut-at-cursor)
    if string match --quiet --regex '^[\'"]' -- $word
        set word (string sub --start 2 -- $word)
    else
        set word (string unescape -- $word)
    end
    VMFA_COMPLETE=(count $words) command vmfa -- $words "$word" 2>/dev/null
end

complete --command vmfa --no-files --keep-order --arguments '(__vmfa_answers | string match --invert \t"*")'
complete --command vmfa --condition '__vmfa_answers | string match --quiet \t"*"' --force-files
