#!/usr/bin/env pwsh
#requires -Version 7.6

<#
.SYNOPSIS
    Builds PicoGpt and stages an importable module under out/PicoGpt/<version>.
.DESCRIPTION
    Needs the .NET 10 SDK. Without parameters it builds Release and stages the module; the parameters say what to do with
    it then, and may be combined.
.PARAMETER Test
    Runs the xunit tests and, on the staged module, the Pester tests. The last line is "N passed, N failed, N skipped".
.PARAMETER Demo
    Imports the staged module and generates text with the built-in model.
.PARAMETER Bench
    Measures speeds on random weights of the 124M shape, beside the machine's limits, and prints the table. It takes some
    minutes and 500 MB of temporary disk.
.PARAMETER Fuzz
    Reads hostile files of every format for some minutes, on one processor, and prints what came of them.
.PARAMETER Minutes
    How long -Fuzz goes on.
.PARAMETER FuzzFrom
    The number of the first case of -Fuzz; every number makes the same case again.
.PARAMETER Package
    Makes the package for the PowerShell Gallery in out/packages, installs it from that folder into a new profile, and
    generates text there.
.PARAMETER ProjectUri
    Where the project is published: the package names it, and its changelog there as its release notes.
.PARAMETER Install
    Copies the staged module to the current user's module folder.
.EXAMPLE
    ./build.ps1 -Demo
    Builds and shows what PicoGpt does, on a fresh machine, offline.
.EXAMPLE
    ./build.ps1 -Test
    Builds and runs every test.
.EXAMPLE
    ./build.ps1 -Package
    Builds out/packages/PicoGpt.<version>.nupkg and tries it. Publish-PSResource -NupkgPath takes it to the Gallery.
#>
[Diagnostics.CodeAnalysis.SuppressMessageAttribute('PSAvoidUsingWriteHost', '', Justification = 'The last line of a test run is for people.')]
[CmdletBinding()]
param(
    [switch] $Test,
    [switch] $Demo,
    [switch] $Bench,
    [switch] $Fuzz,
    [double] $Minutes = 10,
    [ulong] $FuzzFrom,
    [switch] $Package,
    [uri] $ProjectUri,
    [switch] $Install
)

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

$root = $PSScriptRoot
$version = (Import-PowerShellDataFile "$root/PicoGpt.psd1").ModuleVersion
$staged = "$root/out/PicoGpt/$version"
. "$root/tests/PicoGpt.PowerShell.Tests/PowerShellCommand.ps1"

function Invoke-Dotnet([string[]] $Arguments) {
    & dotnet @Arguments
    if ($LASTEXITCODE -ne 0) { throw "dotnet $Arguments ended with exit code $LASTEXITCODE." }
}

function Build-Module {
    # What an earlier build left must not be staged.
    foreach ($folder in 'bin', 'en-US', 'out/PicoGpt') {
        if (Test-Path "$root/$folder") { Remove-Item "$root/$folder" -Recurse -Force }
    }

    Invoke-Dotnet 'build', "$root/PicoGpt.PowerShell.sln", '--configuration', 'Release', '--nologo', '--verbosity', 'quiet' | Out-Host
    New-Item "$staged/bin" -ItemType Directory -Force | Out-Null
    Copy-Item "$root/bin/*" "$staged/bin" -Recurse -Exclude '*.pdb', 'PicoGpt*.xml'
    Copy-Item "$root/en-US" $staged -Recurse
    Copy-Item "$root/PicoGpt.psd1", "$root/README.md", "$root/CHANGELOG.md", "$root/LICENSE", "$root/src/PicoGpt.PowerShell/THIRD-PARTY-NOTICES.txt" $staged
    Write-Information "Staged $staged" -InformationAction Continue
}

# The counts of the trx files of all test projects as an object with Passed, Failed and Skipped.
function Read-TestResult([string] $Folder) {
    $sum = [pscustomobject]@{ Passed = 0; Failed = 0; Skipped = 0 }
    foreach ($file in Get-ChildItem $Folder -Filter '*.trx') {
        $counters = ([xml](Get-Content -LiteralPath $file -Raw)).TestRun.ResultSummary.Counters
        $skipped = [int]$counters.total - [int]$counters.executed
        $sum.Passed += [int]$counters.passed
        $sum.Skipped += $skipped
        $sum.Failed += [int]$counters.total - [int]$counters.passed - $skipped
    }
    $sum
}

# The Pester tests are a test project too: they run in another process of this PowerShell, which may be replaced by the next build.
function Invoke-Test {
    $results = "$root/out/TestResults"
    if (Test-Path $results) { Remove-Item $results -Recurse -Force }
    $env:PICOGPT_TEST_MODULE = "$staged/PicoGpt.psd1"
    $env:PICOGPT_TEST_POWERSHELL = (Get-PowerShellCommand) -join "`n"
    & dotnet test --solution "$root/PicoGpt.PowerShell.sln" --configuration Release --no-build --report-xunit-trx --results-directory $results | Out-Host
    $isGreen = $LASTEXITCODE -eq 0
    $result = Read-TestResult $results
    # What ends a run without a failed test, such as a test project that cannot start, is a failure too.
    if (-not $isGreen -and $result.Failed -eq 0) { $result.Failed = 1 }
    $result
}

# What the manifest says, as a package of the Gallery says it.
# The manifest in the repository cannot know where the project is published.
function Add-ProjectUri([string] $Manifest) {
    $address = "$ProjectUri".TrimEnd('/') -replace "'", "''"
    $links = "ProjectUri   = '$address'`n            ReleaseNotes = '$address/blob/main/CHANGELOG.md'"
    (Get-Content -LiteralPath $Manifest -Raw) -replace "ReleaseNotes = '.*'", $links | Set-Content -LiteralPath $Manifest -NoNewline
}

function Get-PackageSpecification {
    $manifest = Test-ModuleManifest "$staged/PicoGpt.psd1" -WarningVariable warnings
    if ($warnings) { throw "The manifest is not clean: $warnings" }
    $commands = $manifest.ExportedCmdlets.Keys | Sort-Object
    $facts = [ordered]@{
        id           = $manifest.Name
        version      = $manifest.Version
        authors      = $manifest.Author
        description  = $manifest.Description
        releaseNotes = $manifest.ReleaseNotes
        copyright    = $manifest.Copyright
        tags         = $manifest.Tags + 'PSModule' + 'PSIncludes_Cmdlet' + $commands.ForEach({ "PSCmdlet_$_"; "PSCommand_$_" }) -join ' '
    }
    if ($manifest.ProjectUri) { $facts.projectUrl = $manifest.ProjectUri }
    $elements = foreach ($fact in $facts.GetEnumerator()) { "<{0}>{1}</{0}>" -f $fact.Key, [Security.SecurityElement]::Escape($fact.Value) }
    @"
<package xmlns="http://schemas.microsoft.com/packaging/2013/05/nuspec.xsd">
  <metadata>
    $($elements -join "`n    ")
    <license type="expression">MIT</license>
  </metadata>
  <files>
    <file src="**" />
  </files>
</package>
"@
}

function Compress-Module([string] $Folder) {
    if (Test-Path $Folder) { Remove-Item $Folder -Recurse -Force }
    New-Item $Folder -ItemType Directory | Out-Null
    $specification = "$root/out/PicoGpt.nuspec"
    Get-PackageSpecification | Set-Content $specification
    $properties = "-p:NuspecFile=$specification", "-p:NuspecBasePath=$staged", '-p:NoPackageAnalysis=true'
    $options = '--configuration', 'Release', '--no-build', '--nologo', '--verbosity', 'quiet', '--output', $Folder
    Invoke-Dotnet (@('pack', "$root/src/PicoGpt.PowerShell") + $options + $properties) | Out-Host
    "$Folder/PicoGpt.$version.nupkg"
}

# Unpacks a package as Install-PSResource does, for a PowerShell that does not have it.
function Expand-Package([string] $Path, [string] $Modules) {
    $target = "$Modules/PicoGpt/$version"
    [IO.Compression.ZipFile]::ExtractToDirectory($Path, $target)
    Remove-Item -LiteralPath "$target/_rels", "$target/package", "$target/[Content_Types].xml", "$target/PicoGpt.nuspec" -Recurse -Force
}

# Installs a package from its folder into a profile that has nothing else, and generates text there.
function Test-Package([string] $Path) {
    $profileFolder = (New-Item (Join-Path ([IO.Path]::GetTempPath()) "PicoGpt-$([guid]::NewGuid())") -ItemType Directory).FullName
    $modules = "$profileFolder/Modules"
    try {
        New-Item $modules -ItemType Directory | Out-Null
        if (Get-Command Save-PSResource -ErrorAction Ignore) {
            Register-PSResourceRepository PicoGptPackage -Uri (Split-Path $Path) -Trusted -Force
            try { Save-PSResource PicoGpt -Repository PicoGptPackage -Path $modules }
            finally { Unregister-PSResourceRepository PicoGptPackage }
        }
        else {
            Write-Host 'Save-PSResource is not in this PowerShell, so the package is unpacked by hand as it does.'
            Expand-Package $Path $modules
        }

        $tale = & (Get-Process -Id $PID).Path -NoProfile -NonInteractive -Command "
            `$ErrorActionPreference = 'Stop'
            `$env:PSModulePath, `$env:HOME, `$env:PICOGPT_HOME, `$env:PICOGPT_OFFLINE = '$modules', '$profileFolder', '$profileFolder/cache', 1
            Import-Module PicoGpt
            Get-Module PicoGpt | ForEach-Object { `"`$(`$_.Name) `$(`$_.Version) from `$(`$_.ModuleBase)`" }
            Get-Gpt2Model 3M | Invoke-Gpt2Generate -Prompt 'Once upon a time' | Out-String"
        if ($LASTEXITCODE -ne 0 -or "$tale" -notlike "*$modules*Once upon a time*") { throw "The installed package does not work: $tale" }
        $tale | Out-Host
    }
    finally { Remove-Item $profileFolder -Recurse -Force }
}

Build-Module

if ($Package) {
    if ($ProjectUri) { Add-ProjectUri "$staged/PicoGpt.psd1" }
    $nupkg = Compress-Module "$root/out/packages"
    Test-Package $nupkg
    Write-Information "Packed $nupkg" -InformationAction Continue
}

if ($Demo) {
    Import-Module "$staged/PicoGpt.psd1" -Force
    Get-Gpt2Model 3M | Invoke-Gpt2Generate -Prompt 'Once upon a time' | Out-Host
}

if ($Install) {
    $folder = ($env:PSModulePath -split [IO.Path]::PathSeparator)[0]
    New-Item "$folder/PicoGpt" -ItemType Directory -Force | Out-Null
    if (Test-Path "$folder/PicoGpt/$version") { Remove-Item "$folder/PicoGpt/$version" -Recurse -Force }
    Copy-Item $staged "$folder/PicoGpt/$version" -Recurse
    Write-Information "Installed $folder/PicoGpt/$version; import it with: Import-Module PicoGpt" -InformationAction Continue
}

if ($Bench) {
    Invoke-Dotnet 'run', '--configuration', 'Release', '--no-build', '--project', "$root/tests/PicoGpt.Benchmarks" | Out-Host
}

if ($Fuzz) {
    $minuteText = $Minutes.ToString([cultureinfo]::InvariantCulture)
    $options = '--configuration', 'Release', '--no-build', '--project', "$root/tests/PicoGpt.Fuzz"
    Invoke-Dotnet (@('run') + $options + '--', $minuteText, $FuzzFrom) | Out-Host
}

if ($Test) {
    $result = Invoke-Test
    Write-Host "$($result.Passed) passed, $($result.Failed) failed, $($result.Skipped) skipped"
    if ($result.Failed -gt 0 -or $result.Passed -eq 0) { exit 1 }
}
