<#
.SYNOPSIS
    Runs the Pester tests of this folder and writes what came of each as JSON: its name, its outcome, and why it failed or was skipped.
.PARAMETER Pester
    The manifest of the module Pester.
.PARAMETER Results
    The file to write.
.PARAMETER Path
    The test files; all of this folder otherwise.
#>
param(
    [Parameter(Mandatory)] [string] $Pester,
    [Parameter(Mandatory)] [string] $Results,
    [string[]] $Path = $PSScriptRoot
)

$ErrorActionPreference = 'Stop'
Import-Module $Pester
$configuration = New-PesterConfiguration
$configuration.Run.Path = $Path
$configuration.Run.PassThru = $true
$configuration.Output.Verbosity = 'None'
$run = Invoke-Pester -Configuration $configuration

function Get-Fault([object] $Item) { ($Item.ErrorRecord | ForEach-Object { "$_`n$($_.ScriptStackTrace)" }) -join "`n" }

function Get-Name([object] $Container, [string] $Path) {
    $file = (Split-Path "$($Container.Item)" -Leaf) -replace '\.Tests\.ps1$'
    $Path ? "$file`: $Path" : $file
}

# Why a test is skipped stands in Set-ItResult, or beside -Skip in a tag that begins with "needs".
function Get-SkipReason([object] $Test) {
    if ("$($Test.ErrorRecord)" -match 'is skipped, because (.+)') { return $Matches[1] }
    $tags = $Test.Tag
    for ($block = $Test.Block; $block; $block = $block.Parent) { $tags += $block.Tag }
    @($tags) -like 'needs *' | Select-Object -First 1
}

function ConvertTo-Result([object] $Test) {
    $name = Get-Name $Test.Block.BlockContainer $Test.ExpandedPath
    $reason = $Test.Result -eq 'Skipped' ? (Get-SkipReason $Test) : $null
    if ($Test.Result -eq 'Passed') { @{ Name = $name; Outcome = 'Passed' } }
    elseif ($reason) { @{ Name = $name; Outcome = 'Skipped'; Message = $reason } }
    elseif ($Test.Result -eq 'Failed') { @{ Name = $name; Outcome = 'Failed'; Message = Get-Fault $Test } }
    else { @{ Name = $name; Outcome = 'Failed'; Message = "Pester says '$($Test.Result)' and no reason." } }
}

# What fails outside of tests: files that cannot be read, and what runs before and after all tests of a block.
$others = @(
    $run.FailedBlocks | ForEach-Object { @{ Name = Get-Name $_.BlockContainer $_.ExpandedPath; Outcome = 'Failed'; Message = Get-Fault $_ } }
    $run.FailedContainers | ForEach-Object { @{ Name = Get-Name $_; Outcome = 'Failed'; Message = Get-Fault $_ } }
)
@($run.Tests | ForEach-Object { ConvertTo-Result $_ }) + $others | ConvertTo-Json -AsArray | Set-Content -LiteralPath $Results
