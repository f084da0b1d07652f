BeforeDiscovery {
    . "$PSScriptRoot/Common.ps1"
    $hasCompiled = Test-Path "$(Split-Path $module)/bin/lib/$(Get-EngineName)"
}

BeforeAll {
    . "$PSScriptRoot/Common.ps1"

    # A library that has nothing but the name of one of the engine's dependencies, in another version.
    function Build-OtherLibrary([string] $Folder, [string] $Name, [string] $Version, [string] $Namespace) {
        New-Item $Folder -ItemType Directory -Force | Out-Null
        $identity = [System.Reflection.AssemblyName]::new("$Name, Version=$Version")
        $assembly = [System.Reflection.Emit.PersistedAssemblyBuilder]::new($identity, [object].Assembly)
        $type = $assembly.DefineDynamicModule($Name).DefineType("$Namespace.Other", 'Public')
        $type.DefineField('Says', [string], 'Public, Static, Literal').SetConstant("$Name $Version")
        $null = $type.CreateType()
        $assembly.Save("$Folder/$Name.dll")
    }

    # Runs a script in a process of its own, where $module and $libraries are set, and gives what it emits.
    function Invoke-Child([string] $Script, [string] $Libraries) {
        $full = (Resolve-Path $module).Path
        $lines = "`$ErrorActionPreference = 'Stop'; `$module = '$full'; `$libraries = '$Libraries'; & { $Script } | ConvertTo-Json -AsArray -Compress -Depth 3"
        $said = Invoke-PowerShell -Command $lines 2>&1
        if ($LASTEXITCODE -ne 0) { throw "The child failed: $said" }
        $said | ConvertFrom-Json
    }

    $useEngine = @'
        Import-Module $module
        $env:PICOGPT_HOME = "$libraries/home"
        (Invoke-Gpt2Generate 'Once upon a time' -Model 3M -MaxTokens 5 -Temperature 1 -IgnoreEndOfText).Ids.Count
        try { Save-Gpt2Model 124M -Source $libraries } catch { $_.FullyQualifiedErrorId }
'@
    $useOthers = @'
        Add-Type -Path "$libraries/System.Numerics.Tensors.dll", "$libraries/Polly.Core.dll"
        [System.Numerics.Tensors.Other]::Says
        [Polly.Other]::Says
'@
    $engineSays = 5, 'DownloadFailed,PicoGpt.PowerShell.Commands.SaveGpt2ModelCommand'
    $countBoth = @'
        [AppDomain]::CurrentDomain.GetAssemblies().GetName() | Where-Object Name -in 'System.Numerics.Tensors', 'Polly.Core' | Group-Object Name | ForEach-Object Count
'@
}

Describe 'Isolation' {
    It 'loads no part of the engine on import' {
        $names = Invoke-Child 'Import-Module $module; [AppDomain]::CurrentDomain.GetAssemblies().GetName().Name'
        $names | Should -Contain 'PicoGpt.PowerShell'
        $names | Should -Not -Contain 'PicoGpt'
        $names | Should -Not -Contain 'System.Numerics.Tensors'
        $names | Should -Not -Contain 'Polly.Core'
        $names | Should -Not -Contain 'Snappier'
    }

    It 'keeps the engine and all it needs out of the session''s own load context' {
        $names = Invoke-Child "$useEngine; [System.Runtime.Loader.AssemblyLoadContext]::Default.Assemblies.GetName().Name" "$TestDrive/none"
        $names | Should -Contain 'PicoGpt.PowerShell'
        $names | Should -Not -Contain 'PicoGpt'
        $names | Should -Not -Contain 'System.Numerics.Tensors'
        $names | Should -Not -Contain 'Polly.Core'
        $names | Should -Not -Contain 'Snappier'
    }

    Context 'beside version <Version> of its libraries' -ForEach @(
        @{ Version = '1.0.0.0' }
        @{ Version = '99.0.0.0' }
    ) {
        BeforeAll {
            $libraries = Join-Path $TestDrive $Version
            Build-OtherLibrary -Folder $libraries -Name System.Numerics.Tensors -Version $Version -Namespace System.Numerics.Tensors
            Build-OtherLibrary -Folder $libraries -Name Polly.Core -Version $Version -Namespace Polly
            $othersSay = "System.Numerics.Tensors $Version", "Polly.Core $Version"
        }

        It 'works in a session that has loaded them first' {
            Invoke-Child "$useOthers; $useEngine; $countBoth" $libraries | Should -Be ($othersSay + $engineSays + 2, 2)
        }

        It 'lets a session load them later' {
            Invoke-Child "$useEngine; $useOthers; $countBoth" $libraries | Should -Be ($engineSays + $othersSay + 2, 2)
        }
    }

    Context 'with the engine compiled for this platform' {
        BeforeAll {
            $folder = Join-Path $TestDrive 'module'
            Copy-Item (Split-Path (Resolve-Path $module).Path) $folder -Recurse
            $run = @"
                Import-Module '$folder/PicoGpt.psd1'
                `$before = [Runtime.JitInfo]::GetCompiledMethodCount()
                (Invoke-Gpt2Generate 'Once upon a time' -Model 3M -MaxTokens 8).Text
                [Runtime.JitInfo]::GetCompiledMethodCount() - `$before
                (Get-Gpt2Model 3M).GetType().Assembly.Location
"@
            $portable = Join-Path $folder bin lib PicoGpt.dll
            $own = Join-Path $folder bin lib (Get-EngineName)
            $expected = (Test-Path $own) ? $own : $portable
            $text, $methods, $location = Invoke-Child $run
            $bytes = [IO.File]::ReadAllBytes($location)
            Remove-Item "$folder/bin/lib/PicoGpt.*-*.dll"
            $sameText, $allMethods, $sameLocation = Invoke-Child $run
        }

        It 'runs it, or else the one for every platform, with the same result' {
            $location | Should -Be $expected
            $sameLocation | Should -Be $portable
            $sameText | Should -Be $text
        }

        # Code that the runtime refuses leaves no other trace. What is left are the loops of arithmetic, which are compiled for the very processor,
        # the framework's generic types with the engine's own arguments, the commands and PowerShell: a quarter of all.
        It 'has more than half of what comes before the first token compiled' -Skip:(-not $hasCompiled) -Tag 'needs a compiler in the SDK that builds' {
            $methods | Should -BeLessThan ($allMethods / 2)
        }

        It 'runs the one for every platform where the other <Is>' -ForEach @(
            @{ Is = 'is cut off'; Change = { param($bytes) , $bytes[0..($bytes.Length / 2)] } }
            @{ Is = 'is empty'; Change = { , [byte[]]::new(0) } }
            @{ Is = 'is a text'; Change = { , [Text.Encoding]::ASCII.GetBytes('not found' * 20) } }
            @{ Is = 'is of another machine'; Change = { param($bytes) $bytes[[BitConverter]::ToInt32($bytes, 60) + 5] = 0x1; , $bytes } }
        ) {
            [IO.File]::WriteAllBytes($own, (& $Change $bytes.Clone()))
            $changedText, $null, $changedLocation = Invoke-Child $run
            $changedText | Should -Be $text
            $changedLocation | Should -Be $portable
        }
    }

    It 'hands out the engine as long as a runspace has the module' {
        $found = Invoke-Child @'
            $name = 'PicoGpt.Gpt2Model, PicoGpt'
            $other = [powershell]::Create()
            $null = $other.AddScript("Import-Module '$module'").Invoke()
            Import-Module $module
            Remove-Module PicoGpt
            $null -ne ($name -as [type])
'@
        $found | Should -BeTrue
    }

    It 'leaves no resolver behind when the module is removed, and works when it is imported again' {
        $found = Invoke-Child @'
            $name = 'PicoGpt.Gpt2Model, PicoGpt'
            Import-Module $module
            Remove-Module PicoGpt
            $null -eq ($name -as [type])
            Import-Module $module
            (Get-Gpt2Model 3M).Name
            Remove-Module PicoGpt
            Import-Module $module -Force
            (Invoke-Gpt2Generate Once -Model 3M -MaxTokens 3).Ids.Count
            ($name -as [type]).Name
'@
        $found | Should -Be $true, '3M', 3, 'Gpt2Model'
    }
}
