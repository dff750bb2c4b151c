# Completions for vmfa, by `vmfa completions powershell`. Each TAB asks vmfa itself.

Register-ArgumentCompleter -Native -CommandName vmfa -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $words = @($commandAst.CommandElements | Where-Object { $_.Extent.EndOffset -lt $cursorPosition } | ForEach-Object {
        if ($_ -is [System.Management.Automation.Language.StringConstantExpressionAst]) { $_.Value } else { $_.Extent.Text }
    })
    $before = $env:VMFA_COMPLETE
    $env:VMFA_COMPLETE = $words.Count
    # An empty word can't be given to a program everywhere; vmfa does without it.
    $word = $wordToComplete.Trim([char[]]"'`"")
    if ($word -ne '') { $words += $word }
    try {
        $program = Get-Command -CommandType Application -Name vmfa | Select-Object -First 1
        & $program -- @words 2>$null | ForEach-Object {
            $value, $about = $_ -split "`t", 2
            # Without any answer, PowerShell completes files by itself.
            if ($value -ne '') {
                if (-not $about) { $about = $value }
                $text = $value
                if ($text -notmatch '^[\w./:+-][\w./:+=%@-]*$') {
                    $text = "'" + ($text -replace "['\u2018-\u201B]", '$0$0') + "'"
                }
                [System.Management.Automation.CompletionResult]::new($text, $value, 'ParameterValue', $about)
            }
        }
    } finally {
        $env:VMFA_COMPLETE = $before
    }
}
