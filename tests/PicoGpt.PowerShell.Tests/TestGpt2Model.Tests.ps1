BeforeAll { . "$PSScriptRoot/Common.ps1" }

Describe 'Test-Gpt2Model' {
    BeforeEach {
        $old = Set-EmptyCache
    }

    AfterEach { Set-Environment $old | Out-Null }

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

    Context 'with a damaged copy of a model' {
        BeforeAll {
            $copy = "$TestDrive/copies/3M"
            $null = New-Item "$TestDrive/copies" -ItemType Directory
            Copy-Item (Get-Gpt2Model 3M).Path $copy -Recurse
            $data = "$copy/model.ckpt.data-00000-of-00001"
            $bytes = [System.IO.File]::ReadAllBytes($data)
            $bytes[5000000] = $bytes[5000000] -bxor 4
            [System.IO.File]::WriteAllBytes($data, $bytes)
        }

        It 'verifies that, and not the catalog''s of that name, given <Case>' -ForEach @(
            @{ Case = 'the open model'; Line = { Get-Gpt2Model -Path $copy | Test-Gpt2Model -Quiet } }
            @{ Case = 'its folder'; Line = { Get-Item $copy | Test-Gpt2Model -Quiet } }
            @{ Case = 'a file of it'; Line = { Get-Item "$copy/vocab.bpe" | Test-Gpt2Model -Quiet } }
            @{ Case = 'all its files'; Line = { Get-ChildItem $copy | Test-Gpt2Model -Quiet } }
            @{ Case = 'a row with a path'; Line = { Get-Gpt2Model -Path $copy | Select-Object Name, Path | Test-Gpt2Model -Quiet } }
            @{ Case = 'a path'; Line = { Test-Gpt2Model -Path "$TestDrive/copies/*" -Quiet } }
            @{ Case = 'a literal path'; Line = { Test-Gpt2Model -LiteralPath $copy -Quiet } }
        ) { & $Line | Should -BeExactly $false }

        It 'names the file, the tensors and the problem' {
            $bad = Test-Gpt2Model -LiteralPath $copy | Where-Object IsValid -eq $false
            $bad | Should -HaveCount 1
            $bad.Model, $bad.File, $bad.Tensors | Should -Be '3M', 'model.ckpt.data-00000-of-00001', 'h2'
            $bad.Problem | Should -BeLike "Tensor 'model/h2/mlp/c_proj/w' in *is damaged*"
        }

        It 'repairs only in the cache, and says so' {
            $null = Get-Item $copy | Test-Gpt2Model -Repair -ErrorAction SilentlyContinue -ErrorVariable faults
            $faults[0].FullyQualifiedErrorId | Should -BeLike 'InvalidArgument,*'
            $faults[0].Exception.Message | Should -BeLike '*is not a model of the cache in*'
        }
    }

    Context 'with a folder of another layout' {
        BeforeEach {
            $folder = "$TestDrive/$([guid]::NewGuid())"
            $null = Get-Gpt2Model 3M | Export-Gpt2Model $folder -Format Safetensors
        }

        It 'verifies every file and tensor of it, and the vocabulary' {
            $checks = Test-Gpt2Model -Path $folder
            $checks.IsValid | Should -Not -Contain $false
            $checks.File | Select-Object -Unique | Should -Be 'config.json', 'model.safetensors', 'vocab.json', 'merges.txt'
            $checks.Tensors | Where-Object { $_ } | Should -Be 'wte', 'wpe', 'h0', 'h1', 'h2', 'h3', 'h4', 'h5', 'ln_f'
        }

        It 'finds values that are not numbers, where there are no checksums' {
            $file = "$folder/model.safetensors"
            $bytes = [System.IO.File]::ReadAllBytes($file)
            [System.BitConverter]::GetBytes([float]::NaN).CopyTo($bytes, $bytes.Length - 4)
            [System.IO.File]::WriteAllBytes($file, $bytes)
            Test-Gpt2Model -Path $folder -Quiet | Should -BeFalse
            (Test-Gpt2Model -Path $folder | Where-Object IsValid -eq $false).Problem | Should -BeLike '*has values that are infinite or are not numbers.'
        }

        It 'finds the zeros of a download that did not end though the file has its whole length' {
            $file = "$folder/model.safetensors"
            $bytes = [System.IO.File]::ReadAllBytes($file)
            [array]::Clear($bytes, $bytes.Length / 2, $bytes.Length / 2)
            [System.IO.File]::WriteAllBytes($file, $bytes)
            (Test-Gpt2Model -Path $folder -WarningAction SilentlyContinue | Where-Object IsValid -eq $false).Problem | Should -Match "holds nothing but zeros, as where a download did not end: fetch the file again\.`$"
        }

        It 'finds a hole in a matrix, of which whoever runs the model is warned' {
            $file = "$folder/model.safetensors"
            $bytes = [System.IO.File]::ReadAllBytes($file)
            [array]::Clear($bytes, 7900001, 100000)
            [System.IO.File]::WriteAllBytes($file, $bytes)
            $checks = Test-Gpt2Model -Path $folder -WarningVariable warnings -WarningAction SilentlyContinue
            $checks.IsValid | Should -Not -Contain $false -Because 'somebody may have made it so'
            $checks.Doubt | Where-Object { $_ } | Should -BeLike "'*model.safetensors' holds 0.1 MiB of nothing but zeros in 'transformer.h.*', from byte 79* on, as where a download did not end; if the model was not made so, fetch the file again."
            $warnings | Should -Be ($checks.Doubt | Where-Object { $_ })
            "$($checks | Out-String)" | Should -Match '(?m)^model\.safetensors +h\d +suspicious'
            Test-Gpt2Model -Path $folder -Quiet -WarningVariable warnings -WarningAction SilentlyContinue | Should -BeTrue
            $warnings | Should -HaveCount 1
            foreach ($precision in 'Float32', 'Int8') {
                $null = Invoke-Gpt2Generate 'Once' -Model $folder -MaxTokens 1 -Precision $precision -WarningVariable warnings -WarningAction SilentlyContinue
                $warnings | Should -BeLike "'*model.safetensors' holds 0.1 MiB of nothing but zeros in 'h*/w', from byte 79* on, as where a download did not end; if the model was not made so, fetch the file again."
            }
        }

        It 'lets nobody export a model with a hole, or train it, without a warning' {
            $file = "$folder/model.safetensors"
            $bytes = [System.IO.File]::ReadAllBytes($file)
            [array]::Clear($bytes, 7900001, 100000)
            [System.IO.File]::WriteAllBytes($file, $bytes)
            $words = 'the king and the queen went to the wood and the wolf. ' * 40
            foreach ($use in
                { Export-Gpt2Model "$folder.npz" Npz -Model $folder -WarningVariable script:told -WarningAction SilentlyContinue },
                { Invoke-Gpt2Training $words -Model $folder -Steps 1 -Destination "$folder.0" -WarningVariable script:told -WarningAction SilentlyContinue },
                { Invoke-Gpt2Training $words -Model $folder -Steps 1 -Rank 1 -Destination "$folder.1" -WarningVariable script:told -WarningAction SilentlyContinue }) {
                $script:told = $null
                $null = & $use
                ($script:told | Out-String) | Should -Match 'holds 0\.1 MiB of nothing but zeros'
            }
        }

        It 'finds a weights'' file that is cut, and says what is wrong with <File> <Case>' -ForEach @(
            @{ File = 'vocab.json'; Case = 'gone'; Break = { Remove-Item $args[0] }; Says = "*vocab.json' is missing*" }
            @{ File = 'vocab.json'; Case = 'of another model'; Break = { Set-Content $args[0] '{"a":0,"b":70000}' }; Says = '*ids up to 70000, but the model has 2048 tokens*' }
            @{ File = 'merges.txt'; Case = 'that is not a list of merges'; Break = { Set-Content $args[0] 'a b c' }; Says = '*merges.txt''*a merge of two symbols*' }
            @{ File = 'config.json'; Case = 'of another shape'; Break = { (Get-Content $args[0]) -replace '192', '256' | Set-Content $args[0] }; Says = '*' }
            @{ File = 'model.safetensors'; Case = 'cut short'; Break = { $b = [System.IO.File]::ReadAllBytes($args[0]); [System.IO.File]::WriteAllBytes($args[0], $b[0..1000000]) }; Says = '*' }
        ) {
            & $Break "$folder/$File"
            Test-Gpt2Model -Path $folder -Quiet | Should -BeFalse
            (Test-Gpt2Model -Path $folder | Where-Object IsValid -eq $false).Problem -join ' ' | Should -BeLike $Says
        }

        It 'says that a folder has no vocabulary' {
            Remove-Item "$folder/vocab.json", "$folder/merges.txt"
            (Test-Gpt2Model -Path $folder | Where-Object IsValid -eq $false).Problem | Should -BeLike '*has no vocabulary, so*'
        }
    }

    It 'verifies an adapter, and the model that it was applied to' {
        $words = 'the king and the queen went to the wood and the wolf. ' * 40
        $null = Invoke-Gpt2Training $words -Model 3M -Rank 2 -Steps 1 -Destination "$TestDrive/adapter" -WarningAction SilentlyContinue
        $model = Get-Gpt2Model 3M -Adapter "$TestDrive/adapter"
        $checks = $model | Test-Gpt2Model
        $checks.Model | Select-Object -Unique | Should -Be '3M', '3M + adapter'
        $checks.File | Select-Object -Last 2 | Should -Be 'adapter_config.json', 'adapter_model.safetensors'
        $checks.IsValid | Should -Not -Contain $false
        $file = "$TestDrive/adapter/adapter_model.safetensors"
        $bytes = [System.IO.File]::ReadAllBytes($file)
        [System.BitConverter]::GetBytes([float]::NaN).CopyTo($bytes, $bytes.Length - 4)
        [System.IO.File]::WriteAllBytes($file, $bytes)
        ($model | Test-Gpt2Model | Where-Object IsValid -eq $false).Problem | Should -BeLike "What the adapter '*' adds to 'h*' has values that are infinite or are not numbers."
    }

    It 'verifies a GGUF file, and the vocabulary in it' {
        $null = Export-Gpt2Model "$TestDrive/one.gguf" Gguf -Model 3M -Precision Int8
        $checks = Test-Gpt2Model -Path "$TestDrive/one.gguf"
        $checks.IsValid | Should -Not -Contain $false
        $checks.File | Select-Object -Unique | Should -Be 'one.gguf'
        $checks.Tensors | Where-Object { $_ } | Should -Be 'token_embd', 'position_embd', 'h0', 'h1', 'h2', 'h3', 'h4', 'h5', 'output_norm', 'vocabulary'
    }

    It 'refuses what does not exist' {
        { Test-Gpt2Model -Path "$TestDrive/nothing" -ErrorAction Stop } | Should -Throw -ErrorId 'FileNotFound,*'
    }

    It 'takes nothing beside a GGUF file for a part of it, and blames no folder for what is in a broken one' {
        $null = New-Item "$TestDrive/gguf" -ItemType Directory
        $file = (Export-Gpt2Model "$TestDrive/gguf/one.gguf" Gguf -Model 3M).FullName
        Set-Content "$TestDrive/gguf/config.json" 'no JSON'
        (Test-Gpt2Model -Path $file).File | Select-Object -Unique | Should -Be 'one.gguf'
        Test-Gpt2Model -Path $file -Quiet | Should -BeTrue
        $bytes = [System.IO.File]::ReadAllBytes($file)
        [System.IO.File]::WriteAllBytes($file, $bytes[0..5000000])
        $checks = Test-Gpt2Model -Path $file
        $checks | Should -HaveCount 1
        $checks.Problem | Should -BeLike "*one.gguf' is not a whole GGUF file: its tensor 'blk.*"
    }

    It 'verifies both files of the shape where both are there' {
        $null = Export-Gpt2Model "$TestDrive/both" Safetensors -Model 3M
        Copy-Item "$((Get-Gpt2Model 3M).Path)/hparams.json" "$TestDrive/both"
        (Test-Gpt2Model -Path "$TestDrive/both").File | Select-Object -Unique -First 2 | Should -Be 'hparams.json', 'config.json'
        (Get-Content "$TestDrive/both/hparams.json") -replace '192', '384' | Set-Content "$TestDrive/both/hparams.json"
        (Test-Gpt2Model -Path "$TestDrive/both" | Where-Object IsValid -eq $false).Problem | Should -BeLike '*hparams.json*n_embd = 384*config.json*192*'
    }
}
