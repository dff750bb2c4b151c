# Completions for vmfa, by `vmfa completions elvish`. Each TAB asks vmfa itself.

use str

set edit:completion:arg-completer[vmfa] = {|@words|
    tmp E:VMFA_COMPLETE = (to-string (- (count $words) 1))
    try {
        e:vmfa -- $@words 2>/dev/null | each {|answer|
            var value about = (str:split &max=2 "\t" $answer)
            if (eq $value '') {
                edit:complete-filename $words[-1]
            } elif (eq $about '') {
                edit:complex-candidate $value &code-suffix=' '
            } else {
                edit:complex-candidate $value &code-suffix=' ' &display=$value'  '$about
            }
        }
    } catch {
        nop
    }
}
