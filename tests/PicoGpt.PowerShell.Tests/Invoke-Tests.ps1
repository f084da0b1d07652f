# Runs the Pester tests of this folder against a module and writes "passed failed skipped" to a file.
param(
    [Parameter(Mandatory)] [string] $Module,
    [Parameter(Mandatory)] [string] $Counts
)

$ErrorActionPreference = 'Stop'
$env:PICOGPT_TEST_MODULE = (Resolve-Path -LiteralPath $Module).Path
Import-Module Pester -MinimumVersion 5.0
$configuration = New-PesterConfiguration
$configuration.Run.Path = $PSScriptRoot
$configuration.Run.PassThru = $true
$configuration.Output.Verbosity = 'Normal'
$result = Invoke-Pester -Configuration $configuration
$failed = $result.FailedCount + $result.FailedBlocksCount + $result.FailedContainersCount
New-Item (Split-Path $Counts) -ItemType Directory -Force | Out-Null
Set-Content -LiteralPath $Counts "$($result.PassedCount) $failed $($result.SkippedCount + $result.NotRunCount)"
