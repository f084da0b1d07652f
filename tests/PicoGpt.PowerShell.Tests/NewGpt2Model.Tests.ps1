BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    $text = (1..60 | ForEach-Object { "The grey cat number $_ sat upon the old wall and sang to the moon.`n" }) -join ''
    $tiny = @{ Layers = 2; Width = 64; Context = 32 }
}

Describe 'New-Gpt2Model' {
    It 'has the built-in model''s shape unless told otherwise, and one head for each 64 of the width' {
        $model = New-Gpt2Model -Vocabulary 3M
        $model.ParameterCount | Should -Be (Get-Gpt2Model 3M).ParameterCount
        (New-Gpt2Model -Vocabulary 3M -Width 128 -Layers 1).HyperParameters.NHead | Should -Be 2
        (New-Gpt2Model -Vocabulary 3M -Heads 2 -Layers 1).HyperParameters.NEmbd | Should -Be 128
        $model.Encoder.Encode('Once upon') | Should -Be (Get-Gpt2Model 3M).Encoder.Encode('Once upon')
    }

    It 'writes a model with a vocabulary learnt from texts, which opens, generates and can be trained' {
        Set-Content "$TestDrive/cat.txt" $text -NoNewline
        $model = Get-Item "$TestDrive/cat.txt" | New-Gpt2Model @tiny -VocabularySize 290 -Destination "$TestDrive/new"
        $model.Path | Should -Be (Get-Item "$TestDrive/new").FullName
        (Get-ChildItem "$TestDrive/new").Name | Sort-Object |
            Should -Be 'checkpoint', 'encoder.json', 'hparams.json', 'model.ckpt.data-00000-of-00001', 'model.ckpt.index', 'vocab.bpe'
        ($model | Test-Gpt2Model).IsValid | Should -Not -Contain $false
        -join (ConvertTo-Gpt2Token 'The grey cat' -Model "$TestDrive/new").Text | Should -BeExactly 'The grey cat'
        (Invoke-Gpt2Generate 'The' -Model $model -MaxTokens 3).Ids.Count | Should -Be 3
        $steps = Invoke-Gpt2Training $text -Model $model -Destination "$TestDrive/taught" -Steps 20 -BatchSize 2 -LearningRate 3e-3 | Where-Object Step
        $steps[0].Loss | Should -BeGreaterThan 5.4
        $steps[-1].Loss | Should -BeLessThan 4
    }

    It 'is the same for the same seed, and in memory without -Destination' {
        $one, $same, $other = 1, 1, 2 | ForEach-Object { New-Gpt2Model $text @tiny -VocabularySize 270 -Seed $_ }
        $one.Path | Should -BeNullOrEmpty
        $one.Parameters.Wte[0, 0] | Should -Be $same.Parameters.Wte[0, 0]
        $one.Parameters.Wte[0, 0] | Should -Not -Be $other.Parameters.Wte[0, 0]
        (Get-Gpt2Weight wpe -Model $one).StandardDeviation | Should -BeLessThan 0.012
        Export-Gpt2Model "$TestDrive/sf" Safetensors -Model $one | Out-Null
        (Get-Gpt2Model -Path "$TestDrive/sf").HyperParameters.NVocab | Should -Be 270
    }

    It 'learns from files by path, with a fault of its own for each that is not there' {
        Set-Content "$TestDrive/a.txt" $text -NoNewline
        $model = New-Gpt2Model -LiteralPath "$TestDrive/none.txt", "$TestDrive/a.txt" @tiny -VocabularySize 270 -ErrorAction SilentlyContinue -ErrorVariable faults
        $model.HyperParameters.NVocab | Should -Be 270
        $faults[0].FullyQualifiedErrorId | Should -BeLike 'FileNotFound,*'
    }

    It 'refuses <Line>' -ForEach @(
        @{ Line = { New-Gpt2Model -Vocabulary 3M -Width 100 -Heads 3 }; Says = 'A width of 100 cannot be shared equally by 3 heads; take a multiple of 3, such as 99 or 102.' }
        @{ Line = { New-Gpt2Model -Vocabulary 3M -Width 100 }; Says = '*give -Heads, or a multiple of 64.' }
        @{ Line = { New-Gpt2Model -Vocabulary 3M -Layers 0 }; Says = '*n_layer = 0*' }
        @{ Line = { New-Gpt2Model -Vocabulary 3M -Context 0 }; Says = '*n_ctx = 0*' }
        @{ Line = { New-Gpt2Model -Vocabulary 3M -Heads 99999999 }; Says = '*n_embd*' }
        @{ Line = { New-Gpt2Model 'The cat.' -VocabularySize 300 }; Says = '*have 0 pairs that come more than once*ask for 257 tokens or fewer.' }
        @{ Line = { New-Gpt2Model 'The cat.' -VocabularySize 200 }; Says = 'A vocabulary of 200 tokens cannot be learnt*' }
        @{ Line = { New-Gpt2Model 'The cat.' -Vocabulary 3M }; Says = '*leave out -Vocabulary or the texts.' }
        @{ Line = { New-Gpt2Model -VocabularySize 300 }; Says = '*pipe them, or give -Text or -Path.' }
        @{ Line = { New-Gpt2Model -Vocabulary 3M -Destination $TestDrive }; Says = '*already exists and is not empty*-Force*' }
    ) {
        Set-Content "$TestDrive/there.txt" 'mine'
        { $ErrorActionPreference = 'Stop'; . $Line } | Should -Throw -ExpectedMessage $Says
    }

    It 'writes nothing with -WhatIf' {
        New-Gpt2Model -Vocabulary 3M @tiny -Destination "$TestDrive/what" -WhatIf | Should -BeNullOrEmpty
        "$TestDrive/what" | Should -Not -Exist
    }
}
