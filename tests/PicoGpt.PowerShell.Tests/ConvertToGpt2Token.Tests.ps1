BeforeDiscovery { $hasShared = Test-Path "$PSScriptRoot/../../../shared/data" }

BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    $shared = "$PSScriptRoot/../../../shared/data"
}

Describe 'ConvertTo-Gpt2Token' {
    It 'emits a token with id, text, symbol and place for each token of the text' {
        $tokens = 'Once upon a time' | ConvertTo-Gpt2Token -Model 3M
        $tokens.Id | Should -Be 1529, 321, 575, 258, 541
        -join $tokens.Text | Should -BeExactly 'Once upon a time'
        $tokens[-1].Symbol | Should -BeExactly 'Ġtime'
        $tokens[-1].Start | Should -Be 11
    }

    It 'takes the special token for ordinary text unless allowed' {
        (ConvertTo-Gpt2Token '<|endoftext|>' -Model 3M).Count | Should -BeGreaterThan 1
        (ConvertTo-Gpt2Token '<|endoftext|>' -Model 3M -AllowSpecial).Id | Should -Be 2047
    }

    It 'makes no token of an empty text' { ConvertTo-Gpt2Token '' -Model 3M | Should -BeNullOrEmpty }

    It 'shows control characters harmlessly' {
        "a`n`e[31m" | ConvertTo-Gpt2Token -Model 3M | Out-String -Width 120 | Should -Not -Match '\e\[31m'
    }

    Context 'with a model that is not here' {
        BeforeEach {
            $old = Set-EmptyCache
        }

        AfterEach { Set-Environment $old | Out-Null }

        It 'fetches only the tokenizer to make tokens' -Tag 'needs the files of OpenAI''s tokenizer' -Skip:(-not $hasShared) {
            $source = Join-Path $TestDrive 'source'
            New-Item "$source/124M" -ItemType Directory | Out-Null
            Copy-Item "$shared/encoding/encoder.json", "$shared/encoding/vocab.bpe" "$source/124M"
            $env:PICOGPT_SOURCE = $source
            ('Hello world' | ConvertTo-Gpt2Token -Model 124M).Id | Should -Be 15496, 995
            (Get-ChildItem "$env:PICOGPT_HOME/124M").Name | Sort-Object | Should -Be 'encoder.json', 'vocab.bpe'
            (Get-Gpt2Model -ListAvailable)[1].State | Should -Be 'Partial'
            Remove-Gpt2Model 124M
            Test-Path "$env:PICOGPT_HOME/124M" | Should -BeFalse
        }
    }
}
