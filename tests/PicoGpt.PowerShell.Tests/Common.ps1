# Dot-sourced by every test file: the module under test, and what several files need.
$ErrorActionPreference = 'Stop'
$module = $env:PICOGPT_TEST_MODULE ?? "$PSScriptRoot/../../PicoGpt.psd1"
Import-Module $module -Force
. "$PSScriptRoot/PowerShellCommand.ps1"

# The file of the engine that is compiled for this platform.
function Get-EngineName {
    $system = $IsWindows ? 'win' : $IsMacOS ? 'osx' : 'linux'
    $processor = "$([Runtime.InteropServices.RuntimeInformation]::ProcessArchitecture)".ToLowerInvariant()
    "PicoGpt.$system-$processor.dll"
}

# How long completion waits for a model's files. A busy machine is slow, and no test counts milliseconds: a minute is as good as ever.
function Set-CompletionPatience([timespan] $Time) {
    $type = [PicoGpt.PowerShell.ModelNameCompleter].Assembly.GetType('PicoGpt.PowerShell.Completion', $true)
    $type.GetProperty('Patience', [System.Reflection.BindingFlags]'Static, NonPublic').SetValue($null, $Time)
}

Set-CompletionPatience '0:01:00'

# Sets environment variables of this process, and gives what they were, which sets them back.
function Set-Environment([hashtable] $Variable) {
    $old = @{}
    foreach ($name in $Variable.Keys) {
        $old[$name] = [System.Environment]::GetEnvironmentVariable($name)
        Set-Item "Env:$name" $Variable[$name]
    }

    $old
}

# The same for an empty cache, and for sources of which none is asked: no test asks anybody but this machine.
function Set-EmptyCache {
    Set-Environment @{ PICOGPT_HOME = "$TestDrive/$([guid]::NewGuid())"; PICOGPT_SOURCE = ''; PICOGPT_OFFLINE = '1'; PICOGPT_MODEL = '' }
}

# Runs a script in a runspace of its own, stops it when the script has set its signal and some milliseconds have passed, and gives
# the milliseconds it took to stop.
function Measure-Stop([string] $Script, [hashtable] $Variable = @{}, [int] $Delay = 0) {
    $signal = [System.Threading.ManualResetEventSlim]::new()
    $shell = [powershell]::Create()
    try {
        $shell.Runspace.SessionStateProxy.SetVariable('signal', $signal)
        foreach ($name in $Variable.Keys) { $shell.Runspace.SessionStateProxy.SetVariable($name, $Variable[$name]) }
        $null = $shell.AddScript("Import-Module '$module'; $Script")
        $task = $shell.BeginInvoke()
        if (-not $signal.Wait(60000)) { throw 'The script never set its signal.' }
        Start-Sleep -Milliseconds $Delay
        $watch = [System.Diagnostics.Stopwatch]::StartNew()
        $shell.Stop()
        $watch.Stop()
        try { $null = $shell.EndInvoke($task) } catch [System.Management.Automation.PipelineStoppedException] { $null = $_ }
        [pscustomobject]@{ Milliseconds = $watch.ElapsedMilliseconds; State = $shell.InvocationStateInfo.State }
    }
    finally {
        $shell.Dispose()
        $signal.Dispose()
    }
}
