BeforeAll { . "$PSScriptRoot/Common.ps1" }

Describe 'Test-Gpt2Model' {
    BeforeEach {
        $old = $env:PICOGPT_HOME, $env:PICOGPT_SOURCE, $env:PICOGPT_OFFLINE
        $env:PICOGPT_HOME = Join-Path $TestDrive ([guid]::NewGuid())
        $env:PICOGPT_SOURCE = ''
        $env:PICOGPT_OFFLINE = '1' # no test asks anybody but this machine
    }

    AfterEach { $env:PICOGPT_HOME, $env:PICOGPT_SOURCE, $env:PICOGPT_OFFLINE = $old }

    It 'verifies the built-in model, file by file and group by group' {
        Test-Gpt2Model 3M -Quiet | Should -BeTrue
        $checks = Test-Gpt2Model 3M
        $checks.IsValid | Should -Not -Contain $false
        $checks.Tensors | Where-Object { $_ } | Sort-Object | Should -Be 'h0', 'h1', 'h2', 'h3', 'h4', 'h5', 'ln_f', 'wpe', 'wte'
        $checks | Out-String | Should -Match 'model.ckpt.data-00000-of-00001\s+wte\s+ok'
    }

    It 'sees any single bit that changed in the index or in the data' {
        $null = New-Item "$TestDrive/copy" -ItemType Directory
        'PicoGpt.psd1', 'bin', 'en-US' | ForEach-Object { Copy-Item "$(Split-Path $module)/$_" "$TestDrive/copy" -Recurse }
        Set-Content "$TestDrive/flip.ps1" @'
            param($copy)
            Import-Module "$copy/PicoGpt.psd1"
            $folder = (Get-Gpt2Model 3M).Path
            if (-not $folder.StartsWith((Resolve-Path $copy).Path)) { throw "$folder is not the copy's" }
            "as it was: $(Test-Gpt2Model 3M -Quiet)"
            foreach ($file in 'model.ckpt.index', 'model.ckpt.data-00000-of-00001') {
                $bytes = [System.IO.File]::ReadAllBytes("$folder/$file")
                foreach ($share in 0, 0.3, 0.7, 1) {
                    $at = [int][Math]::Floor($share * ($bytes.Length - 1))
                    $bytes[$at] = $bytes[$at] -bxor 4
                    [System.IO.File]::WriteAllBytes("$folder/$file", $bytes)
                    "$file $share`: $(Test-Gpt2Model 3M -Quiet) $((Test-Gpt2Model 3M | Where-Object IsValid -eq $false).Problem)"
                    $bytes[$at] = $bytes[$at] -bxor 4
                    [System.IO.File]::WriteAllBytes("$folder/$file", $bytes)
                }
            }
            "as it was: $(Test-Gpt2Model 3M -Quiet)"
'@
        $said = Invoke-PowerShell -File "$TestDrive/flip.ps1" "$TestDrive/copy"
        $said.Count | Should -Be 10
        $said[0, 9] | Should -Be 'as it was: True', 'as it was: True'
        $said[1..4] | Should -BeLike 'model.ckpt.index *: False *model.ckpt.index''*'
        $said[5..8] | Should -BeLike 'model.ckpt.data-*: False Tensor ''model/*is damaged*its CRC32C should be*'
    }

    It 'reports what a model lacks' {
        Test-Gpt2Model 124M -Quiet | Should -BeFalse
        (Test-Gpt2Model 124M | Where-Object File -eq 'encoder.json').Problem | Should -BeLike '*missing*'
    }

    It 'refuses an unknown name' {
        { Test-Gpt2Model 744M -ErrorAction Stop } | Should -Throw -ErrorId 'UnknownModel,*'
    }

    It 'takes wildcards for what is on this machine, and asks nobody for the rest' {
        Test-Gpt2Model [0-9]M -Quiet | Should -BeTrue
        Test-Gpt2Model 124* | Should -BeNullOrEmpty
    }
}
