<#
.SYNOPSIS
    Generates for a long time in many runspaces that share a model, stops some at random moments, and tells whether every text is the one
    of a single run and whether memory, handles and threads stay as they are.
.DESCRIPTION
    Prints a row every tenth of the time and an object with the counts at the end; ends with an error where a text is wrong or something grew.
    The Pester tests run it for some seconds.
.PARAMETER Module
    The module's manifest.
.PARAMETER Minutes
    How long to run.
.PARAMETER Runspaces
    How many runspaces generate at the same time.
.PARAMETER Seed
    Which random choices are made.
.EXAMPLE
    ./tests/PicoGpt.PowerShell.Tests/Endurance.ps1 -Module ./PicoGpt.psd1 -Minutes 10
#>
param(
    [Parameter(Mandatory)] [string] $Module,
    [double] $Minutes = 10,
    [int] $Runspaces = 16,
    [int] $Seed = 1
)

$ErrorActionPreference = 'Stop'
$Module = (Resolve-Path -LiteralPath $Module).Path
Import-Module $Module
$model = Get-Gpt2Model 3M
$random = [Random]::new($Seed)

# Greedy, sampled and streamed, three in a batch; each gives one string.
$works = foreach ($i in 1..12) {
    "(Invoke-Gpt2Generate 'Tale $i of the king' -Model `$model -MaxTokens 24 -Threads 1).Text"
    "(Invoke-Gpt2Generate 'Tale $i of the king' -Model `$model -MaxTokens 24 -Threads 2 -Temperature 1 -Seed 7 -Stream) -join ''"
    "('Tale $i', 'Tale $i of', 'The king $i' | Invoke-Gpt2Generate -Model `$model -MaxTokens 12 -Threads 1).Text -join '|'"
}
$endless = "Invoke-Gpt2Generate 'Tale for ever' -Model `$model -Stream -Overflow Slide -IgnoreEndOfText -MaxTokens 100000000 -Threads 1"
$expected = $works.ForEach({ & ([scriptblock]::Create($_)) })

function Measure-Self {
    [GC]::Collect()
    [GC]::WaitForPendingFinalizers()
    [GC]::Collect()
    $self = Get-Process -Id $PID
    [pscustomobject]@{
        Minute = [Math]::Round($watch.Elapsed.TotalMinutes, 2)
        Right = $counts.Right; Stopped = $counts.Stopped; Wrong = $counts.Wrong
        PrivateMiB = [int](($IsLinux ? 1KB * ((Get-Content /proc/self/status -Raw) -replace '(?s).*RssAnon:\s*(\d+).*', '$1') : $self.PrivateMemorySize64) / 1MB)
        Handles = $IsLinux ? (Get-ChildItem "/proc/$PID/fd").Count : $self.HandleCount
        Threads = $self.Threads.Count
    }
}

function Invoke-Work {
    $kind = $random.Next(16)
    $index = $random.Next($works.Count)
    $script = $kind -eq 0 ? $endless : $works[$index]
    $shell = [powershell]::Create()
    $shell.Runspace = $free.Dequeue()
    $null = $shell.AddScript("param(`$model) $script").AddParameter('model', $model)
    $stopAt = $kind -lt 4 ? [DateTime]::UtcNow.AddMilliseconds($random.Next(150)) : [DateTime]::MaxValue
    [pscustomobject]@{ Index = $index; Shell = $shell; Task = $shell.BeginInvoke(); Script = $script; StopAt = $stopAt; Stopping = $null }
}

# Counts a work that has ended; what was stopped too late has its whole text.
function Complete-Work($Work) {
    $result, $fault = '', $null
    try { $result = "$($Work.Shell.EndInvoke($Work.Task))" } catch { $fault = $_ }
    if ($Work.Shell.InvocationStateInfo.State -eq 'Stopped' -and $Work.Stopping) { $counts.Stopped++ }
    elseif (-not $fault -and $result -ceq $expected[$Work.Index] -and -not $Work.Shell.HadErrors) { $counts.Right++ }
    else {
        $counts.Wrong++
        Write-Warning "$($Work.Script): expected '$($expected[$Work.Index])', found '$result' $fault $($Work.Shell.Streams.Error)"
    }
    $free.Enqueue($Work.Shell.Runspace)
    $Work.Shell.Dispose()
}

$counts = @{ Right = 0; Stopped = 0; Wrong = 0 }
# No pool: its runspaces share their state, and two that import a module at the same time fail now and then.
$free = [System.Collections.Generic.Queue[runspace]]::new()
foreach ($i in 1..$Runspaces) {
    $state = [initialsessionstate]::CreateDefault2()
    $state.ImportPSModule($Module)
    $runspace = [runspacefactory]::CreateRunspace($state)
    $runspace.Open()
    $free.Enqueue($runspace)
}

$watch = [System.Diagnostics.Stopwatch]::StartNew()
$active = [System.Collections.Generic.List[object]]::new()
$samples = foreach ($tenth in 1..10) {
    do { # once at least, however slow the machine is
        while ($active.Count -lt $Runspaces) { $active.Add((Invoke-Work)) }
        Start-Sleep -Milliseconds 5
        foreach ($work in $active.ToArray()) {
            if ($work.Task.IsCompleted) {
                Complete-Work $work
                $null = $active.Remove($work)
            }
            elseif (-not $work.Stopping -and [DateTime]::UtcNow -ge $work.StopAt) { $work.Stopping = $work.Shell.BeginStop($null, $null) }
        }
    } while ($watch.Elapsed.TotalMinutes -lt $Minutes * $tenth / 10)

    # At rest, so that samples can be compared.
    foreach ($work in $active) { if (-not $work.Stopping -and $work.Script -eq $endless) { $work.Stopping = $work.Shell.BeginStop($null, $null) } }
    foreach ($work in $active) { Complete-Work $work }
    $active.Clear()
    $sample = Measure-Self
    Write-Information ($sample | Format-Table -HideTableHeaders | Out-String).Trim() -InformationAction Continue
    $sample
}
foreach ($runspace in $free) { $runspace.Dispose() }

# The first samples still see code being compiled and pools being filled.
$early, $late = $samples[3..5], $samples[7..9]
$growth = { param($name) ($late.$name | Measure-Object -Minimum).Minimum - ($early.$name | Measure-Object -Maximum).Maximum }
[pscustomobject]@{
    Right = $counts.Right; Stopped = $counts.Stopped; Wrong = $counts.Wrong
    PrivateMiBGrown = & $growth PrivateMiB; HandlesGrown = & $growth Handles; ThreadsGrown = & $growth Threads
}
if ($counts.Wrong -gt 0) { throw "$($counts.Wrong) of $($counts.Right + $counts.Stopped + $counts.Wrong) runs gave a wrong text or an error." }
