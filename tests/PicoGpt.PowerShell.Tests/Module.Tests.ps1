BeforeDiscovery { $hasAnalyzer = $null -ne (Get-Module PSScriptAnalyzer -ListAvailable) }

BeforeAll { . "$PSScriptRoot/Common.ps1" }

Describe 'The module' {
    It 'has a valid manifest' {
        $manifest = Test-ModuleManifest $module -WarningVariable warnings
        $warnings | Should -BeNullOrEmpty
        $manifest.Name | Should -Be 'PicoGpt'
        $manifest.PowerShellVersion | Should -Be '7.6'
    }

    It 'says in its manifest what the Gallery asks for' {
        $manifest = Test-ModuleManifest $module
        "$($manifest.Version)" | Should -Match '^\d+\.\d+\.\d+$'
        foreach ($fact in 'Author', 'Description', 'Copyright', 'LicenseUri', 'ReleaseNotes') { $manifest.$fact | Should -Not -BeNullOrEmpty -Because $fact }
        'PSEdition_Core', 'Windows', 'Linux', 'MacOS' | Should -BeIn $manifest.Tags
        $exports = Import-PowerShellDataFile $module
        foreach ($kind in 'CmdletsToExport', 'FunctionsToExport', 'AliasesToExport', 'VariablesToExport') {
            $exports.ContainsKey($kind) | Should -BeTrue -Because $kind
            $exports[$kind] | Should -Not -Match '[*?]' -Because $kind
        }
    }

    It 'exports exactly the commands that its manifest lists' {
        $listed = (Import-PowerShellDataFile $module).CmdletsToExport | Sort-Object
        $found = Get-Command -Module PicoGpt | Sort-Object Name
        $found.Name | Should -Be $listed
        $found.CommandType | Select-Object -Unique | Should -Be 'Cmdlet'
    }

    It 'brings no native library along, and needs nothing but what it brings, .NET, PowerShell and the operating system' {
        $files = Get-ChildItem (Split-Path (Get-Module PicoGpt).Path) -Recurse -File
        $files.Extension | Should -Not -Match '^\.(so|dylib|a|lib|exe)$'
        $own = $files | Where-Object Extension -eq .dll
        $there = @($own; Get-ChildItem $PSHOME, ([Runtime.InteropServices.RuntimeEnvironment]::GetRuntimeDirectory()) -Filter *.dll).BaseName
        $own.Count | Should -BeGreaterThan 2
        foreach ($file in $own) {
            $reader = [System.Reflection.PortableExecutable.PEReader]::new([System.IO.File]::OpenRead($file.FullName))
            try {
                $reader.HasMetadata | Should -BeTrue -Because "$($file.Name) is to be .NET's"
                $metadata = [System.Reflection.Metadata.PEReaderExtensions]::GetMetadataReader($reader)
                foreach ($reference in $metadata.AssemblyReferences) {
                    $metadata.GetString($metadata.GetAssemblyReference($reference).Name) | Should -BeIn $there -Because $file.Name
                }

                $count = [System.Reflection.Metadata.Ecma335.MetadataReaderExtensions]::GetTableRowCount($metadata, 'ModuleRef')
                for ($row = 1; $row -le $count; $row++) {
                    $handle = [System.Reflection.Metadata.Ecma335.MetadataTokens]::ModuleReferenceHandle($row)
                    $metadata.GetString($metadata.GetModuleReference($handle).Name) | Should -BeIn 'libc', 'kernel32' -Because $file.Name
                }
            }
            finally { $reader.Dispose() }
        }
    }

    It 'names every command by an approved verb, but Invoke-Gpt2Generate by its own' {
        (Get-Command -Module PicoGpt).Verb | Select-Object -Unique | Should -BeIn (Get-Verb).Verb
    }

    It 'declares what every command emits' {
        foreach ($command in Get-Command -Module PicoGpt) { $command.OutputType | Should -Not -BeNullOrEmpty -Because $command.Name }
    }

    It 'can be removed and imported again' {
        Remove-Module PicoGpt
        Get-Command Get-Gpt2Model -ErrorAction Ignore -Module PicoGpt | Should -BeNullOrEmpty
        Import-Module $module
        (Get-Gpt2Model 3M).Name | Should -Be '3M'
    }
}

Describe 'The scripts' {
    It 'give PSScriptAnalyzer nothing to say' -Tag 'needs the module PSScriptAnalyzer' -Skip:(-not $hasAnalyzer) {
        $root = "$PSScriptRoot/../.."
        $found = "$root/build.ps1", "$root/PicoGpt.psd1", "$root/src/PicoGpt.PowerShell/Help/Pictures", "$root/src/PicoGpt/Models", $PSScriptRoot |
            ForEach-Object { Invoke-ScriptAnalyzer -Path $_ -Recurse -Settings "$root/tests/PSScriptAnalyzerSettings.psd1" }
        $found | ForEach-Object { "$($_.ScriptName):$($_.Line) $($_.RuleName)" } | Should -BeNullOrEmpty
    }
}
