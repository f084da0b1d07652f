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
.PARAMETER Long
    With -Test, runs the long suite after it: what takes minutes and is counted in SECURITY.md, and the test of the bits on
    other systems, each where it can run; tests/README.md tells what that takes.
.PARAMETER Coverage
    Runs the tests of the engine with every line counted, which takes twice as long, and tells the share of lines that they ran.
.PARAMETER Demo
    Imports the staged module and generates text with the built-in model.
.PARAMETER Bench
    Measures speeds on random weights of the 124M shape, beside the machine's limits, and prints the table. It takes some
    minutes and 500 MB of temporary disk.
.PARAMETER Fuzz
    Reads hostile files of every format for some minutes, on one processor, and prints what came of them. The branches that
    they take in the engine lead to the next ones.
.PARAMETER Minutes
    How long -Fuzz runs.
.PARAMETER FuzzTarget
    The kinds of files that -Fuzz reads; all by default.
.PARAMETER FuzzFrom
    The number of the first case of -Fuzz; other numbers make other cases.
.PARAMETER Afl
    With -Fuzz, AFL++ leads the cases, of one kind of files after another, in a share of the minutes each; its findings stay
    in out/Fuzz.
.PARAMETER Package
    Makes the packages in out/packages: the module for the PowerShell Gallery, and the engine and the command line for NuGet.
    Each is installed from there where nothing else is, and generates text.
.PARAMETER ProjectUri
    Where the project is published: the packages name it, its changelog there is their release notes, and Get-Help -Online
    leads to the pages there.
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
    Makes and tries the packages. Publish-PSResource -NupkgPath takes the one in out/packages/gallery to the Gallery.
#>
[Diagnostics.CodeAnalysis.SuppressMessageAttribute('PSAvoidUsingWriteHost', '', Justification = 'The last line of a test run is for people.')]
[CmdletBinding()]
param(
    [switch] $Test,
    [switch] $Long,
    [switch] $Coverage,
    [switch] $Demo,
    [switch] $Bench,
    [switch] $Fuzz,
    [double] $Minutes = 10,
    [string[]] $FuzzTarget,
    [ulong] $FuzzFrom,
    [switch] $Afl,
    [switch] $Package,
    [uri] $ProjectUri,
    [switch] $Install
)

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

$root = $PSScriptRoot
$version = (Import-PowerShellDataFile "$root/PicoGpt.psd1").ModuleVersion
$staged = "$root/out/PicoGpt/$version"
$packages = "$root/out/packages"
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

    Invoke-Dotnet 'build', "$root/PicoGpt.PowerShell.sln", '--configuration', 'Release', '--nologo', '--verbosity', 'quiet', "-p:ProjectUri=$ProjectUri", "-p:ForEveryPlatform=$Package" | Out-Host
    New-Item "$staged/bin" -ItemType Directory -Force | Out-Null
    Copy-Item "$root/bin/*" "$staged/bin" -Recurse -Exclude '*.pdb', 'PicoGpt*.xml'
    Copy-Item "$root/en-US" $staged -Recurse
    Copy-Item "$root/PicoGpt.psd1", "$root/README.md", "$root/CHANGELOG.md", "$root/SECURITY.md", "$root/LICENSE", "$root/src/PicoGpt.PowerShell/THIRD-PARTY-NOTICES.txt" $staged
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
    $env:PICOGPT_TEST_RESULTS = $results
    try { & dotnet test --solution "$root/PicoGpt.PowerShell.sln" --configuration Release --no-build | Out-Host }
    finally { $env:PICOGPT_TEST_RESULTS = $null }
    $isGreen = $LASTEXITCODE -eq 0
    foreach ($project in 'PicoGpt.Tests', 'PicoGpt.PowerShell.Tests') {
        if (-not (Test-Path "$results/$project.trx")) { throw "$project left no results." }
    }
    $result = Read-TestResult $results
    # What ends a run without a failed test, such as a test project that cannot start, is a failure too.
    if (-not $isGreen -and $result.Failed -eq 0) { $result.Failed = 1 }
    $result
}

# A copy of the fuzzer with an engine that counts its branches. The loops of arithmetic have no say in how a file is read.
function New-Fuzzer {
    $folder = "$root/out/Fuzz/bin"
    if (Test-Path $folder) { Remove-Item $folder -Recurse -Force }
    $null = New-Item "$root/out/Fuzz" -ItemType Directory -Force
    Copy-Item "$root/tests/PicoGpt.Fuzz/bin/Release/net10.0" $folder -Recurse
    Invoke-Dotnet 'tool', 'restore', '--tool-manifest', "$root/.config/dotnet-tools.json" | Out-Host
    Push-Location $root
    try { Invoke-Dotnet 'sharpfuzz', "$folder/PicoGpt.dll", '-PicoGpt.Numerics,PicoGpt.Inference' | Out-Host }
    finally { Pop-Location }
    "$folder/PicoGpt.Fuzz.dll"
}

# AFL++ mutates the choices of a case; what it finds is an input in out/Fuzz/<target>/default/crashes or hangs.
function Invoke-Afl([string] $Fuzzer, [string[]] $Targets) {
    if (-not (Get-Command afl-fuzz -ErrorAction Ignore)) { throw 'afl-fuzz is not there; install AFL++ (Debian: afl++), or leave out -Afl.' }
    $env:AFL_SKIP_BIN_CHECK = $env:AFL_SKIP_CPUFREQ = $env:AFL_NO_UI = $env:AFL_NO_AFFINITY = $env:AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES = 1
    $seconds = [Math]::Max(5, [int](60 * $Minutes / $Targets.Count))
    $found = 0
    foreach ($target in $Targets) {
        $folder = "$root/out/Fuzz/$target"
        if (Test-Path $folder) { Remove-Item $folder -Recurse -Force }
        Invoke-Dotnet $Fuzzer, 'seeds', "$folder/seeds", $target
        & afl-fuzz -i "$folder/seeds" -o $folder -t 20000 -m none -V $seconds -- dotnet $Fuzzer afl $target > "$folder/afl.log"
        if ($LASTEXITCODE -ne 0) { throw "afl-fuzz ended with exit code $LASTEXITCODE; see $folder/afl.log." }
        $stats = Get-Content "$folder/default/fuzzer_stats" -Raw | ForEach-Object { $_ -replace '(?m)\s*:\s*', '=' } | ConvertFrom-StringData
        $found += [int]$stats.saved_crashes + [int]$stats.saved_hangs
        Write-Host ('{0,-24}{1,12:N0} cases{2,8} kept{3,6} crashes{4,6} hangs' -f $target, [long]$stats.execs_done, $stats.corpus_count, $stats.saved_crashes, $stats.saved_hangs)
    }
    if ($found -gt 0) { throw "AFL++ found $found cases that end as none may; they are in out/Fuzz." }
}

# The percentage of the engine's lines that its tests run.
function Measure-Coverage {
    $folder = "$root/out/Coverage"
    if (Test-Path $folder) { Remove-Item $folder -Recurse -Force }
    $null = New-Item $folder -ItemType Directory
    # A copy, because the assemblies are rewritten where they lie.
    Copy-Item "$root/tests/PicoGpt.Tests/bin/Release/net10.0" "$folder/bin" -Recurse
    # The children of ResourceTests may not write as much as the counts take.
    & dotnet test --test-modules 'bin/PicoGpt.Tests.dll' --root-directory $folder --results-directory $folder --filter-not-class PicoGpt.Tests.Resources.ResourceTests --coverlet --coverlet-include '[PicoGpt]*' --coverlet-single-hit --coverlet-output-format cobertura | Out-Host
    if ($LASTEXITCODE -ne 0) { throw 'Tests failed while lines were counted.' }
    $rate = ([xml](Get-Content "$folder/*.cobertura.*.xml" -Raw)).coverage.'line-rate'
    [Math]::Round(100 * [double]::Parse($rate, [cultureinfo]::InvariantCulture), 1)
}

# The manifest in the repository cannot know where the project is published.
function Add-ProjectUri([string] $Manifest) {
    $address = "$ProjectUri".TrimEnd('/') -replace "'", "''"
    $links = "ProjectUri   = '$address'`n            ReleaseNotes = '$address/blob/main/CHANGELOG.md'"
    (Get-Content -LiteralPath $Manifest -Raw) -replace "ReleaseNotes = '.*'", $links | Set-Content -LiteralPath $Manifest -NoNewline
}

# The module for the PowerShell Gallery, and for NuGet the engine, with its symbols, and the command line. Gives their folders.
function New-Package {
    $null = Test-ModuleManifest "$staged/PicoGpt.psd1" -WarningVariable warnings
    if ($warnings) { throw "The manifest is not clean: $warnings" }
    if (Test-Path $packages) { Remove-Item $packages -Recurse -Force }
    $null = New-Item "$packages/gallery", "$packages/nuget" -ItemType Directory
    Compress-PSResource $staged -DestinationPath "$packages/gallery"
    foreach ($project in 'PicoGpt', 'PicoGpt.Cli') {
        Invoke-Dotnet 'pack', "$root/src/$project", '--configuration', 'Release', '--no-build', '--nologo', '--verbosity', 'quiet', '--output', "$packages/nuget", "-p:ProjectUri=$ProjectUri" | Out-Host
    }
}

# Installs the module from its package into a profile that has nothing else, and generates text there.
function Test-ModulePackage([string] $Folder) {
    $null = New-Item "$Folder/Modules" -ItemType Directory
    Register-PSResourceRepository PicoGptPackage -Uri "$packages/gallery" -Trusted -Force
    try { Save-PSResource PicoGpt -Repository PicoGptPackage -Path "$Folder/Modules" }
    finally { Unregister-PSResourceRepository PicoGptPackage }
    Invoke-PowerShell -Command "
        `$ErrorActionPreference = 'Stop'
        `$env:PSModulePath, `$env:HOME, `$env:PICOGPT_HOME, `$env:PICOGPT_OFFLINE = '$Folder/Modules', '$Folder', '$Folder/cache', 1
        Import-Module PicoGpt
        Get-Module PicoGpt | ForEach-Object { `"`$(`$_.Name) `$(`$_.Version) from `$(`$_.ModuleBase)`" }
        Get-Gpt2Model 3M | Invoke-Gpt2Generate -Prompt 'Once upon a time' | Out-String"
}

# Generates text with a program that has nothing but a reference to the engine's package.
function Test-EnginePackage {
    $consumer = "$root/tests/PicoGpt.Consumer"
    foreach ($folder in 'bin', 'obj') { if (Test-Path "$consumer/$folder") { Remove-Item "$consumer/$folder" -Recurse -Force } }
    Invoke-Dotnet 'run', '--project', $consumer, '--configuration', 'Release', '--', 'Once upon a time'
}

# Installs the command line from its package as a .NET tool, and generates text with it.
function Test-ToolPackage([string] $Folder) {
    Invoke-Dotnet 'tool', 'install', 'PicoGpt.Cli', '--version', $version, '--tool-path', "$Folder/tools", '--source', "$packages/nuget" | Out-Host
    & "$Folder/tools/picogpt" 'Once upon a time'
}

function Test-Package {
    $folder = (New-Item (Join-Path ([IO.Path]::GetTempPath()) "PicoGpt-$([guid]::NewGuid())") -ItemType Directory).FullName
    try {
        foreach ($test in { Test-ModulePackage $folder }, { Test-EnginePackage }, { Test-ToolPackage $folder }) {
            $tale = & $test
            if ($LASTEXITCODE -ne 0 -or "$tale" -notlike '*Once upon a time*' -and "$tale" -notlike '*the king*') { throw "A package does not work:$test$tale" }
            $tale | Out-Host
        }
    }
    finally { Remove-Item $folder -Recurse -Force }
}

# Why the build for a system cannot run here; nothing where it can.
function Get-Obstacle([string] $System) {
    if (-not $IsLinux -or [Runtime.InteropServices.RuntimeInformation]::OSArchitecture -ne 'X64') { return 'needs Linux on x64' }
    $variable, $what, $there = switch ($System) {
        'linux-arm64' { 'PICOGPT_ARM64_ROOT', 'the files of a Linux on ARM64, and qemu-aarch64', (Get-Command qemu-aarch64 -ErrorAction Ignore) }
        'linux-musl-x64' { 'PICOGPT_MUSL_ROOT', "musl's libstdc++, and /lib/ld-musl-x86_64.so.1", (Test-Path /lib/ld-musl-x86_64.so.1) }
        'win-x64' { 'PICOGPT_WINE', 'a program that starts one of Windows', $true }
    }
    $value = [Environment]::GetEnvironmentVariable($variable)
    if (-not $value -or -not $there) { "needs $variable and what it names: $what" }
    elseif (-not (Test-Path $value)) { "needs '$value', which $variable names" }
}

# The tests built for another system. A copy of the sources is, because such a build would note its system in the lock files.
function Publish-Test([string] $System) {
    $copy, $folder = "$root/out/OtherSystems/sources", "$root/out/OtherSystems/$System"
    foreach ($old in $copy, $folder) { if (Test-Path $old) { Remove-Item $old -Recurse -Force } }
    $files = @(Get-ChildItem $root -File -Force) + @(Get-ChildItem "$root/src", "$root/tests" -File -Recurse -Force)
    foreach ($file in $files.FullName | ForEach-Object { [IO.Path]::GetRelativePath($root, $_) } | Where-Object { $_ -notmatch '/(bin|obj)/' }) {
        $null = New-Item (Split-Path "$copy/$file") -ItemType Directory -Force
        Copy-Item -LiteralPath "$root/$file" "$copy/$file"
    }
    Invoke-Dotnet 'publish', "$copy/tests/PicoGpt.Tests", '--configuration', 'Release', '--runtime', $System, '--self-contained', '--nologo', '--verbosity', 'quiet', '--output', $folder, '-p:RestoreLockedMode=false' | Out-Host
    "$folder/PicoGpt.Tests"
}

# Runs tests by a command, and tells how many there were.
function Invoke-Counted([string] $What, [string[]] $Command) {
    $lines = & env DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1 @Command -noColor
    if ($LASTEXITCODE -ne 0) { throw "${What}: $($lines -join "`n")" }
    Write-Host "${What}: $(($lines -match ' Total: ') -replace '^.*(?=Total)')"
}

# On systems that are not this one: all tests under Wine, and elsewhere the test of the bits with each width of vectors.
function Test-OtherSystem {
    foreach ($system in 'linux-arm64', 'linux-musl-x64', 'win-x64') {
        if ($obstacle = Get-Obstacle $system) {
            Write-Host "${system}: not run; it $obstacle"
            continue
        }
        $program = Publish-Test $system
        if ($system -eq 'win-x64') {
            Invoke-Counted $system $env:PICOGPT_WINE, "$program.exe"
            continue
        }
        $command = $system -eq 'linux-arm64' ? @('qemu-aarch64', '-L', $env:PICOGPT_ARM64_ROOT) : "LD_LIBRARY_PATH=$env:PICOGPT_MUSL_ROOT/lib:$env:PICOGPT_MUSL_ROOT/usr/lib"
        foreach ($width in '512', '256', '128', 'plain') {
            Invoke-Counted "$system, vectors $width" (@("PICOGPT_SIMD=$width") + $command + $program + '-class', 'PicoGpt.Tests.Inference.SameBitsEverywhereTests', '-method', '*.The_bits_of_*')
        }
    }
}

Build-Module

if ($Package) {
    if ($ProjectUri) { Add-ProjectUri "$staged/PicoGpt.psd1" }
    New-Package
    Test-Package
    Get-ChildItem $packages -Recurse -File | ForEach-Object { Write-Information "Packed $_" -InformationAction Continue }
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
    $env:PICOGPT_TEST_MODULE = "$staged/PicoGpt.psd1"
    $env:PICOGPT_TEST_POWERSHELL = (Get-PowerShellCommand) -join "`n"
    Invoke-Dotnet 'run', '--configuration', 'Release', '--no-build', '--project', "$root/tests/PicoGpt.Benchmarks" | Out-Host
}

if ($Fuzz) {
    $fuzzer = New-Fuzzer
    if ($Afl) {
        if (-not $FuzzTarget) { $FuzzTarget = (& dotnet $fuzzer targets) }
        Invoke-Afl $fuzzer $FuzzTarget
    }
    else {
        $minuteText = $Minutes.ToString([cultureinfo]::InvariantCulture)
        Invoke-Dotnet (@($fuzzer, $minuteText, $FuzzFrom) + @($FuzzTarget | Where-Object { $_ })) | Out-Host
    }
}

if ($Coverage) { Write-Host "Coverage: $(Measure-Coverage) % of the engine's lines" }

if ($Test) {
    $result = Invoke-Test
    Write-Host "$($result.Passed) passed, $($result.Failed) failed, $($result.Skipped) skipped"
    if ($result.Failed -gt 0 -or $result.Passed -eq 0) { exit 1 }
}

if ($Test -and $Long) {
    Invoke-Dotnet "$root/tests/PicoGpt.Tests/bin/Release/net10.0/PicoGpt.Tests.dll", '-explicit', 'only' | Out-Host
    Test-OtherSystem
}
