# Completions for vmfa, by `vmfa completions nushell`. Each TAB asks vmfa itself.

let vmfa_others = $env.config.completions?.external?.completer?

$env.config.completions.external.enable = true
$env.config.completions.external.completer = {|spans|
    if ($spans | first) != "vmfa" {
        if $vmfa_others != null { do $vmfa_others $spans }
    } else {
        let words = $spans | each {|word| $word | str trim --char "'" | str trim --char '"' | str trim --char '`' }
        let answers = with-env { VMFA_COMPLETE: $"(($spans | length) - 1)" } { ^vmfa -- ...$words | complete } | get stdout | lines | split column "\t" value description
        let values = $answers | where value != ""
        # Where there is nothing but files, nushell completes them by itself.
        if ($values | is-empty) and ($answers | is-not-empty) {
            null
        } else {
            $values | update value {|row|
                if $row.value =~ '^[\w./:+%@-][\w./:+=%@-]*$' { $row.value } else { $row.value | to json }
            }
        }
    }
}
