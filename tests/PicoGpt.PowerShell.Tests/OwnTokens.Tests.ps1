BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    $folder = Join-Path $TestDrive 'tuned'
    Get-Gpt2Model 3M | Export-Gpt2Model -Path $folder -Format Safetensors | Out-Null

    $prompt = 'Once upon a time'
    $plain = Invoke-Gpt2Generate $prompt -Model 3M -MaxTokens 5 # it begins with a comma
    $vocabulary = Join-Path $TestDrive 'vocabulary'
    New-Item $vocabulary -ItemType Directory | Out-Null
    Copy-Item "$folder/vocab.json", "$folder/merges.txt" $vocabulary
    '{"<|BOS|>": 2048, "<|SEP|>": 2049}' | Set-Content "$vocabulary/added_tokens.json"
    '{"additional_special_tokens": ["<|BOS|>", "<|SEP|>"]}' | Set-Content "$vocabulary/special_tokens_map.json"
}

Describe 'Folders that hold a vocabulary alone' {
    It 'serve the commands for tokens, as a folder, as a file, and from the pipeline' {
        foreach ($path in $vocabulary, "$vocabulary/vocab.json", "$vocabulary/added_tokens.json") {
            (ConvertTo-Gpt2Token '<|BOS|>king<|SEP|>' -Model $path)[0, -1].Id | Should -Be 2048, 2049
        }
        (Get-Item $vocabulary | ConvertTo-Gpt2Token -Text '<|SEP|>').Id | Should -Be 2049
        ConvertTo-Gpt2Token '<|BOS|>king<|SEP|>' -Model $vocabulary | ConvertFrom-Gpt2Token -Model $vocabulary | Should -BeExactly '<|BOS|>king<|SEP|>'
    }

    It 'serve them beside weights that cannot be opened, too' {
        $broken = New-Item (Join-Path $TestDrive 'broken') -ItemType Directory
        Copy-Item "$vocabulary/*" $broken
        'no weights' | Set-Content "$broken/model.safetensors"
        { Get-Gpt2Model -Path $broken } | Should -Throw
        (ConvertTo-Gpt2Token '<|SEP|>' -Model $broken).Id | Should -Be 2049
        "$(ConvertTo-Gpt2Token a -Model $broken -Verbose 4>&1)" | Should -BeLike '*without the weights*model.safetensors*'
    }

    It 'are called what they are where a model is wanted' {
        $fault = { Get-Gpt2Model -Path $vocabulary } | Should -Throw -PassThru
        $fault.FullyQualifiedErrorId | Should -BeLike 'NoWeights,*'
        $fault.Exception.Message | Should -BeLike '*a vocabulary alone*ConvertTo-Gpt2Token*'
    }

    It 'are refused by the name of their kind where they are another tokenizer''s' {
        $bert = New-Item (Join-Path $TestDrive 'bert') -ItemType Directory
        '[PAD]' | Set-Content "$bert/vocab.txt"
        { ConvertTo-Gpt2Token a -Model $bert } | Should -Throw '*WordPiece vocabulary of a BERT tokenizer*'
    }

    It 'are refused where their merges were cut short' {
        $cut = New-Item (Join-Path $TestDrive 'cut') -ItemType Directory
        Copy-Item "$vocabulary/vocab.json" $cut
        Get-Content "$vocabulary/merges.txt" -TotalCount 700 | Set-Content "$cut/merges.txt"
        $fault = { ConvertTo-Gpt2Token a -Model $cut } | Should -Throw -PassThru
        $fault.FullyQualifiedErrorId | Should -BeLike 'Truncated,*'
        $fault.Exception.Message | Should -BeLike '*cut short*'
    }
}

Describe 'A model with ends and special tokens of its own' {
    It 'ends its texts with them' {
        "{""eos_token_id"": [$($plain.Ids[0])]}" | Set-Content "$folder/generation_config.json"
        $tuned = Invoke-Gpt2Generate $prompt -Model $folder -MaxTokens 5
        $tuned.FinishReason | Should -Be 'EndOfText'
        $tuned.Text | Should -BeExactly ''
        (Invoke-Gpt2Generate $prompt -Model $folder -MaxTokens 5 -IgnoreEndOfText).Ids | Should -Be $plain.Ids
    }

    It 'tells with -Verbose what its generation_config.json says and is not used' {
        '{"eos_token_id": 5, "do_sample": true, "temperature": 0.7, "transformers_version": "5"}' | Set-Content "$folder/generation_config.json"
        "$(Get-Gpt2Model -Path $folder -Verbose 4>&1 | Where-Object { $_ -is [System.Management.Automation.VerboseRecord] })" |
            Should -BeLike '*says do_sample = true, temperature = 0.7, which is not used*'
    }

    It 'has special tokens left out of the text unless they are kept' {
        Remove-Item "$folder/generation_config.json"
        '{"additional_special_tokens": [","]}' | Set-Content "$folder/special_tokens_map.json"
        $without = Invoke-Gpt2Generate $prompt -Model $folder -MaxTokens 5
        $with = Invoke-Gpt2Generate $prompt -Model $folder -MaxTokens 5 -KeepSpecial
        $without.Ids, $with.Ids | ForEach-Object { $_ } | Should -Be ($plain.Ids + $plain.Ids)
        $with.Text | Should -BeExactly $plain.Text
        $without.Text | Should -BeExactly $plain.Text.Replace(',', '')
        -join (Invoke-Gpt2Generate $prompt -Model $folder -MaxTokens 5 -Stream) | Should -BeExactly $without.Text
    }
}
