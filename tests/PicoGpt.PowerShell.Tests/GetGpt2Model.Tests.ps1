BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    $builtIn = (Get-Gpt2Model 3M).Path
}

Describe 'Get-Gpt2Model' {
    BeforeEach {
        $old = Set-Environment @{ PICOGPT_HOME = Join-Path $TestDrive 'cache' }
    }

    AfterEach { Set-Environment $old | Out-Null }

    It 'opens the built-in model by name, in any case, from the pipeline too' {
        $models = Get-Gpt2Model 3m
        $models.GetType().FullName | Should -Be 'PicoGpt.Gpt2Model'
        $models.ParameterCount | Should -Be 3111936
        ('3M', '3M' | Get-Gpt2Model).Name | Should -Be '3M', '3M'
    }

    It 'knows OpenAI''s models by Hugging Face''s names, and takes what lies at such a path in their place, in <Case>' -ForEach @(
        @{ Case = 'Get-Gpt2Model'; Use = { (Get-Gpt2Model $name -ErrorAction Stop).Path } }
        @{ Case = 'a pipeline'; Use = { ($name | Get-Gpt2Weight wte -ErrorAction Stop).Count -eq 2048 * 192 ? $there : 'another' } }
        @{ Case = '-Model'; Use = { (Invoke-Gpt2Generate 'The king' -Model $name -MaxTokens 1 -ErrorAction Stop).Model -eq 'gpt2' ? $there : 'another' } }
        @{ Case = 'a column'; Use = { ([pscustomobject]@{ Prompt = 'The king'; Model = $name } | Invoke-Gpt2Generate -MaxTokens 1 -ErrorAction Stop).Model -eq 'gpt2' ? $there : 'another' } }
        @{ Case = 'a vocabulary'; Use = { ('The king' | ConvertTo-Gpt2Token -Model $name -ErrorAction Stop).Count -eq 2 ? $there : 'another' } }
        @{ Case = 'PICOGPT_MODEL'; Use = { $env:PICOGPT_MODEL = $name; (Invoke-Gpt2Generate 'The king' -MaxTokens 1 -ErrorAction Stop).Model -eq 'gpt2' ? $there : 'another' } }
        @{ Case = 'Test-Gpt2Model'; Use = { Test-Gpt2Model $name -Quiet -ErrorAction Stop | ForEach-Object { $_ ? $there : $(throw 'The model 124M is not here.') } } }
        @{ Case = 'Save-Gpt2Model'; Use = { Save-Gpt2Model $name -ErrorAction Stop } }
        @{ Case = 'Remove-Gpt2Model'; Use = { Remove-Gpt2Model $name -ErrorAction Stop } }
    ) {
        $name = 'openai-community/gpt2'
        $there = Join-Path (New-Item "$TestDrive/$([guid]::NewGuid())" -ItemType Directory) 'openai-community' 'gpt2'
        $offline = Set-Environment @{ PICOGPT_OFFLINE = '1'; PICOGPT_SOURCE = ''; PICOGPT_MODEL = '' }
        Push-Location (Split-Path (Split-Path $there))
        try {
            $Use | Should -Throw -ExpectedMessage 'The model 124M *'
            $null = New-Item openai-community -ItemType Directory
            Copy-Item $builtIn $there -Recurse
            if ($Case -notmatch 'Save|Remove') { & $Use | Should -Be $there }
            else { $Use | Should -Throw -ErrorId 'InvalidArgument,*' -ExpectedMessage "'*openai-community?gpt2' is not the folder of a model of the cache*" }
        }
        finally {
            Pop-Location
            $null = Set-Environment $offline
        }
    }

    It 'lists what is here, and with -ListAvailable everything it knows' {
        (Get-Gpt2Model).Name | Should -Be '3M'
        $all = Get-Gpt2Model -ListAvailable
        $all.Name | Should -Be '3M', '124M', '355M', '774M', '1558M'
        $all.State | Should -Be 'BuiltIn', 'NotFetched', 'NotFetched', 'NotFetched', 'NotFetched'
        $all[1].SizeToFetch | Should -Be (497759232 + 5215 + 90 + 77 + 1042301 + 456318)
    }

    It 'opens a folder, a prefix or a file relative to the location of PowerShell' {
        Push-Location $builtIn
        try {
            (Get-Gpt2Model -Path .).Path | Should -Be $builtIn
            (Get-Gpt2Model -Path ./model.ckpt).Path | Should -Be $builtIn
            (Get-Gpt2Model -LiteralPath model.ckpt.index).Path | Should -Be $builtIn
            (Get-Gpt2Model -Path '../3*').Path | Should -Be $builtIn
        }
        finally { Pop-Location }
    }

    It 'takes folders from Get-Item' {
        (Get-Item $builtIn | Get-Gpt2Model).Name | Should -Be '3M'
    }

    It 'takes entries of its own list' {
        (Get-Gpt2Model | Get-Gpt2Model).GetType().FullName | Should -Be 'PicoGpt.Gpt2Model'
    }

    It 'refuses <Case> with the error <Id>' -ForEach @(
        @{ Case = 'an unknown name'; Call = { Get-Gpt2Model 744M -ErrorAction Stop }; Id = 'UnknownModel'; Category = 'ObjectNotFound'; Says = '*774M*' }
        @{ Case = 'a model that is not here'; Call = { Get-Gpt2Model 124M -NoDownload -ErrorAction Stop }; Id = 'ModelNotCached'; Category = 'ObjectNotFound'; Says = '*Save-Gpt2Model 124M*' }
        @{ Case = 'a path where nothing is'; Call = { Get-Gpt2Model -Path ./nothing -ErrorAction Stop }; Id = 'FileNotFound'; Category = 'ObjectNotFound'; Says = '*nothing*' }
        @{ Case = 'a folder without a checkpoint'; Call = { Get-Gpt2Model -LiteralPath $TestDrive -ErrorAction Stop }; Id = 'FileNotFound'; Category = 'ObjectNotFound'; Says = '*' }
    ) {
        $record = try { & $Call } catch { $_ }
        $record.FullyQualifiedErrorId | Should -BeLike "$Id,*GetGpt2ModelCommand"
        $record.CategoryInfo.Category | Should -Be $Category
        $record.Exception.Message | Should -BeLike $Says
    }

    It 'refuses a pytorch_model.bin that would run something, and runs nothing' {
        $folder = New-Item -ItemType Directory "$TestDrive/hostile"
        $marker = Join-Path $TestDrive 'was-run'
        $zip = [IO.Compression.ZipFile]::Open("$folder/pytorch_model.bin", 'Create')
        $pickle = $zip.CreateEntry('archive/data.pkl').Open()
        $pickle.Write([Text.Encoding]::Latin1.GetBytes("$([char]0x80)`u{2}cos`nsystem`n(U$([char]($marker.Length + 6))touch ${marker}tR."))
        $pickle.Dispose()
        $zip.Dispose()
        $record = try { Get-Gpt2Model -Path $folder -ErrorAction Stop } catch { $_ }
        $record.FullyQualifiedErrorId | Should -BeLike 'Unsupported,*GetGpt2ModelCommand'
        $record.Exception.Message | Should -BeLike "*nothing in it was run: it asks for 'os.system'*"
        $marker | Should -Not -Exist
    }

    It 'continues with the next name after a fault' {
        $models = Get-Gpt2Model 744M, 3M -ErrorAction SilentlyContinue -ErrorVariable faults
        $models.Name | Should -Be '3M'
        $faults.Count | Should -Be 1
    }

    It 'calls an LFS pointer what it is' {
        $pointer = Join-Path $TestDrive 'lfs'
        New-Item $pointer -ItemType Directory | Out-Null
        'model_checkpoint_path: "model.ckpt"' | Set-Content "$pointer/checkpoint"
        "version https://git-lfs.github.com/spec/v1`noid sha256:0`nsize 5215`n" | Set-Content "$pointer/model.ckpt.index"
        { Get-Gpt2Model -Path $pointer -ErrorAction Stop } | Should -Throw -ErrorId 'LfsPointer,*' -ExpectedMessage '*git lfs pull*'
    }

    It 'completes names with their state' {
        $line = 'Get-Gpt2Model 1'
        $completion = [System.Management.Automation.CommandCompletion]::CompleteInput($line, $line.Length, $null)
        $completion.CompletionMatches.CompletionText | Should -Be '124M', '1558M'
        $completion.CompletionMatches[0].ToolTip | Should -BeLike '*124.4 M parameters*'
    }

    It 'takes no path for a name with wildcards that nothing matches' {
        Copy-Item $builtIn -Destination "$TestDrive/[old]" -Recurse
        Get-Gpt2Model "$TestDrive/[old]" -ErrorVariable errors -ErrorAction SilentlyContinue | Should -BeNullOrEmpty
        "$errors" | Should -BeLike '*There is no model named*Get-Gpt2Model -Path*'
        (Get-Gpt2Model -Path "$TestDrive/[old]").Name | Should -Be '[old]'
        Get-Gpt2Model 'x*' -ErrorVariable none | Should -BeNullOrEmpty
        $none | Should -BeNullOrEmpty
    }

    It 'takes wildcards for what is on this machine' {
        (Get-Gpt2Model *M).Name | Should -Be '3M'
        Get-Gpt2Model gpt2* | Should -BeNullOrEmpty
    }

    It 'shows a model as a card' {
        Get-Gpt2Model 3M | Out-String | Should -Match 'Parameters\s*:\s*3.1 M'
    }

    It 'opens what an object means, and no other of that name' {
        $null = New-Item "$TestDrive/named" -ItemType Directory
        Copy-Item (Get-Gpt2Model 3M).Path "$TestDrive/named/124M" -Recurse
        $model = Get-Gpt2Model -Path "$TestDrive/named/124M"
        $model | Get-Gpt2Model | Should -Be $model
        ($model | Get-Gpt2Model -Precision Int8).Precision | Should -Be 'Int8'
        ($model | Select-Object Name, Path | Get-Gpt2Model).Path | Should -Be $model.Path
        (Get-Item $model.Path | Get-Gpt2Model).Path | Should -Be $model.Path
        ((Get-Gpt2Model)[0] | Get-Gpt2Model).Path | Should -Be (Get-Gpt2Model 3M).Path
        { 42 | Get-Gpt2Model -ErrorAction Stop } | Should -Throw -ExpectedMessage '*is not a model;*'
    }

    It 'opens once what an export wrote, or the files of a folder are' {
        $files = Get-Gpt2Model 3M | Export-Gpt2Model "$TestDrive/hf" -Format Safetensors
        $files.Count | Should -BeGreaterThan 2
        ($files | Get-Gpt2Model).Path | Should -Be (Get-Item "$TestDrive/hf").FullName
        (Get-ChildItem (Get-Gpt2Model 3M).Path -File | Where-Object Extension -notin .md, .ps1 | Get-Gpt2Model).Name | Should -Be '3M'
    }

    It 'takes a path that would be a pattern for what has this very name, where the pattern matches nothing' {
        $folder = New-Item -ItemType Directory "$TestDrive/[odd] names"
        Copy-Item "$builtIn/*" -Destination $folder.FullName
        (Get-Gpt2Model -Path $folder.FullName).Name | Should -Be '[odd] names'
        Get-Gpt2Model -Path "$TestDrive/[xyz] names" | Should -BeNullOrEmpty
    }

    It 'calls a file by its own name' {
        $file = Get-Gpt2Model 3M | Export-Gpt2Model -Path "$TestDrive/many/tales.F32.gguf" -Format Gguf
        (Get-Gpt2Model -Path $file).Name | Should -Be 'tales.F32'
    }

    It 'warns of an output projection that is not the embedding where config.json says that it is' {
        $clone = (Get-Gpt2Model 3M).Clone()
        $clone | Export-Gpt2Model -Path "$TestDrive/tied" -Format Safetensors | Out-Null
        $bytes = [System.IO.File]::ReadAllBytes("$TestDrive/tied/model.safetensors")
        $length = [BitConverter]::ToInt64($bytes, 0)
        $header = [System.Text.Encoding]::UTF8.GetString($bytes, 8, $length) | ConvertFrom-Json -AsHashtable
        $end = $bytes.Length - 8 - $length
        $header['lm_head.weight'] = @{ dtype = 'F32'; shape = 2048, 192; data_offsets = $end, ($end + 2048 * 192 * 4) }
        $json = [System.Text.Encoding]::UTF8.GetBytes(($header | ConvertTo-Json -Depth 5 -Compress))
        $all = [BitConverter]::GetBytes([long] $json.Length) + $json + $bytes[(8 + $length)..($bytes.Length - 1)] + [byte[]]::new(2048 * 192 * 4)
        [System.IO.File]::WriteAllBytes("$TestDrive/tied/model.safetensors", $all)
        $model = Get-Gpt2Model -Path "$TestDrive/tied" -WarningVariable warnings -WarningAction SilentlyContinue
        $warnings | Should -HaveCount 1
        "$warnings" | Should -BeLike "'lm_head.weight'*config.json' says that it is*"
        $model.Contradiction | Should -Be "$warnings"
        $model.Dispose()
    }

    It 'warns of a vocabulary that is another model''s, wherever texts are read or written' {
        New-Gpt2Model -Layers 1 -Width 64 -Context 16 -VocabularySize 260 -Text ('a b c d e f g h ' * 99) -Destination "$TestDrive/other" | Out-Null
        Copy-Item "$builtIn/encoder.json", "$builtIn/vocab.bpe" -Destination "$TestDrive/other"
        foreach ($command in { Invoke-Gpt2Generate a -MaxTokens 1 @with }, { Measure-Gpt2Text a @with }, { Trace-Gpt2Text a @with }) {
            $with = @{ Model = "$TestDrive/other"; WarningVariable = 'warnings'; WarningAction = 'SilentlyContinue'; ErrorAction = 'SilentlyContinue' }
            . $command | Out-Null
            "$warnings" | Should -BeLike '*has ids up to 2047, but the model has *; it is another model''s vocabulary. other reads and writes texts wrongly with it.'
        }
    }

    It 'names with -Verbose what it leaves out' {
        $null = Export-Gpt2Model "$TestDrive/headed" Safetensors -Model 3M
        $file = "$TestDrive/headed/model.safetensors"
        $bytes = [System.IO.File]::ReadAllBytes($file)
        $length = [System.BitConverter]::ToInt64($bytes, 0)
        $header = [System.Text.Encoding]::UTF8.GetString($bytes, 8, $length) | ConvertFrom-Json -AsHashtable
        $end = $bytes.Length - 8 - $length
        $header['score.weight'] = @{ dtype = 'F32'; shape = @(1); data_offsets = @($end, ($end + 4)) }
        $json = [System.Text.Encoding]::UTF8.GetBytes((ConvertTo-Json $header -Compress -Depth 4))
        [System.IO.File]::WriteAllBytes($file, [System.BitConverter]::GetBytes([long]$json.Length) + $json + $bytes[(8 + $length)..($bytes.Length - 1)] + [byte[]]::new(4))
        $said = Get-Gpt2Model -Path "$TestDrive/headed" -Verbose 4>&1
        "$($said | Where-Object { $_ -is [System.Management.Automation.VerboseRecord] })" | Should -BeLike '*left out are tensors that are not a part of a GPT-2: score.weight.*'
    }

    Context 'weights that do not tell the number of heads' {
        BeforeAll {
            Export-Gpt2Model -Model 3M -Path "$TestDrive/bare" -Format Safetensors
            Remove-Item "$TestDrive/bare/config.json"
        }

        It 'warns of what is assumed, wherever the model is opened by its path' {
            $model = Get-Gpt2Model -Path "$TestDrive/bare" -WarningVariable warnings -WarningAction SilentlyContinue
            $model.HyperParameters.NHead | Should -Be 3
            "$warnings" | Should -BeLike "*does not tell the number of heads*; 3 are assumed*-HeadCount*"
            $null = Invoke-Gpt2Generate 'Once' -Model "$TestDrive/bare" -MaxTokens 1 -WarningVariable warnings -WarningAction SilentlyContinue
            "$warnings" | Should -BeLike '*3 are assumed*'
        }

        It 'takes the number from -HeadCount, without a warning' {
            $model = Get-Gpt2Model -LiteralPath "$TestDrive/bare" -HeadCount 6 -WarningVariable warnings
            $model.HyperParameters.NHead, $model.HyperParameters.HeadSize | Should -Be 6, 32
            $warnings | Should -BeNullOrEmpty
        }

        It 'refuses a number that the files or the model contradict' {
            { Get-Gpt2Model -Path "$TestDrive/bare" -HeadCount 5 -ErrorAction Stop } | Should -Throw '*n_embd = 192 and n_head = 5*'
            $model = Get-Gpt2Model 3M
            { $model | Get-Gpt2Model -HeadCount 6 -ErrorAction Stop } | Should -Throw '*n_head = 3, where 6 heads were asked for*'
            { Get-Gpt2Model -Path $model.Path -HeadCount 6 -ErrorAction Stop } | Should -Throw '*hparams.json*n_head = 3, where 6 heads were asked for*'
        }
    }
}
