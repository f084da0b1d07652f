# Dot-sourced by what starts another PowerShell: it is the one that runs, and need not be on the PATH.

# The command line of the PowerShell that runs this: its program; or .NET with its assembly, where PowerShell is a .NET tool.
function Get-PowerShellCommand {
    $program = Join-Path $PSHOME ($IsWindows ? 'pwsh.exe' : 'pwsh')
    if (Test-Path -LiteralPath $program -PathType Leaf) { return $program }
    [Environment]::ProcessPath
    Join-Path $PSHOME 'pwsh.dll'
}

# Runs the same PowerShell as a process of its own, with no profile and nobody to ask, and gives what it says.
function Invoke-PowerShell {
    $program, $assembly = Get-PowerShellCommand
    & $program @assembly -NoProfile -NonInteractive @args
}
