BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    $old = Set-Environment @{ PICOGPT_MODEL = '' }
    $mine = (Get-Gpt2Model 3M).Clone()
    $gain = Get-Gpt2Weight h2/ln_1/g -Model $mine
    $gain[5] = $gain[5] + 0.75
    $null = $mine | Export-Gpt2Model "$TestDrive/mine" TensorFlow
    Set-Content "$TestDrive/tale.txt" 'Once upon a time there was a king.' -NoNewline
    Set-Content "$TestDrive/frog.txt" 'The frog sang.' -NoNewline
}

AfterAll { Set-Environment $old | Out-Null }

Describe 'Compare-Gpt2Model by weight' {
    It 'tells of every weight how far it differs, in the order in which the model uses them' {
        $differences = Compare-Gpt2Model 3M "$TestDrive/mine"
        $differences.Name | Should -Be (Get-Gpt2Weight -Model 3M).Name
        $changed = $differences | Where-Object Changed
        $changed.Name | Should -Be 'h2/ln_1/g'
        $changed.Reference, $changed.Model | Should -Be '3M', 'mine'
        $changed.Norm | Should -BeGreaterThan 0.7499
        $changed.Norm | Should -BeLessThan 0.7501
        $changed.Share | Should -Be ($changed.Norm / $changed.ReferenceNorm)
        ($differences | Out-String -Width 100) | Should -Match '(?s)3M -> mine.*h2/ln_1/g\s+192\s+0\.75\s+\d+\.\d\d\s?%\s+0\.9\d+\s+0\.75'
    }

    It 'takes names with wildcards, each once, and tells of one that is not there' {
        (Compare-Gpt2Model 3M "$TestDrive/mine" 'h2/ln_*', h2/ln_1/g, wte).Name | Should -Be 'h2/ln_1/g', 'h2/ln_1/b', 'h2/ln_2/g', 'h2/ln_2/b', 'wte'
        $given = Compare-Gpt2Model 3M "$TestDrive/mine" h9/ln_1/g, wpe -ErrorVariable faults -ErrorAction SilentlyContinue
        $given.Name | Should -Be wpe
        $faults[0].FullyQualifiedErrorId | Should -BeLike 'TensorNotFound,*'
    }

    It 'takes models from the pipeline, each for its own' {
        $differences = 'there-is-none', "$TestDrive/mine", (Get-Gpt2Model 3M) | Compare-Gpt2Model 3M -Name h2/ln_1/g -ErrorVariable faults -ErrorAction SilentlyContinue
        $differences.Model | Should -Be 'mine', '3M'
        $differences[1].Changed | Should -Be 0
        $faults | Should -HaveCount 1
        (Get-Gpt2Model -Path "$TestDrive/mine" | Compare-Gpt2Model (Get-Gpt2Model 3M) -Name wte).Norm | Should -Be 0
    }

    It 'says where no weight can be compared, and of each that cannot' {
        $other = New-Gpt2Model -Layers 1 -Width 64 -Context 64 -Vocabulary 3M
        { Compare-Gpt2Model 3M $other -ErrorAction Stop } | Should -Throw -ErrorId 'InvalidArgument,*' -ExpectedMessage '*they can by texts*'
        $deeper = New-Gpt2Model -Layers 7 -Vocabulary 3M
        $given = Compare-Gpt2Model 3M $deeper -ErrorVariable faults -ErrorAction SilentlyContinue
        $given | Should -HaveCount @(Get-Gpt2Weight -Model 3M).Count
        $faults | Should -HaveCount 12
        $faults[0].Exception.Message | Should -BeLike "3M has no weight 'h6/ln_1/g'*"
    }

    It 'warns where the models differ by more than weights' {
        $null = Compare-Gpt2Model 3M (New-Gpt2Model -Heads 4 -Width 192 -Vocabulary 3M) wpe -WarningVariable said -WarningAction SilentlyContinue
        "$said" | Should -BeLike 'The models differ not by their weights alone: n_head is 3 in 3M and 4 in *.'
    }

    It 'refuses what is of texts alone' {
        { Compare-Gpt2Model 3M 3M -Name wte -AllowSpecial } | Should -Throw -ErrorId 'AmbiguousParameterSet,*'
        { Compare-Gpt2Model 3M 3M -Text a -Name wte } | Should -Throw -ErrorId 'AmbiguousParameterSet,*'
        { Compare-Gpt2Model 3M there-is-none -ErrorAction Stop } | Should -Throw -ErrorId 'UnknownModel,*'
        { Compare-Gpt2Model there-is-none 3M -ErrorAction Stop } | Should -Throw -ErrorId 'UnknownModel,*'
    }
}

Describe 'Compare-Gpt2Model by text' {
    It 'has the numbers of Measure-Gpt2Text' {
        $difference = Compare-Gpt2Model 3M "$TestDrive/mine" -Text 'The king had a daughter.'
        $before, $after = 'The king had a daughter.' | ForEach-Object { Measure-Gpt2Text $_ -Model 3M; Measure-Gpt2Text $_ -Model "$TestDrive/mine" }
        $difference.ReferencePerplexity | Should -Be $before.Perplexity
        $difference.Perplexity | Should -Be $after.Perplexity
        $difference.Difference | Should -Be ($difference.BitsPerByte - $difference.ReferenceBitsPerByte)
        $difference.StandardError | Should -BeGreaterThan 0
        -join $difference.Tokens.Text | Should -BeExactly 'The king had a daughter.'
        $difference.Tokens[2].Difference | Should -Be ($after.Tokens[2].Surprisal - $before.Tokens[2].Surprisal)
        $most = ($difference.Tokens | ForEach-Object { [math]::Abs($_.Difference) } | Measure-Object -Maximum).Maximum
        [math]::Abs($difference.MostDifferent[0].Difference) | Should -Be $most
        $difference.Measure.Tokens[1].Top | Should -HaveCount 3
    }

    It 'takes texts from files, from paths and from the pipeline, an error for each that there is not' {
        $given = (Get-Item "$TestDrive/tale.txt"), (Get-Item $TestDrive), 'A frog.' | Compare-Gpt2Model 3M "$TestDrive/mine" -ErrorVariable faults -ErrorAction SilentlyContinue
        $given.Text | Should -BeExactly 'Once upon a time there was a king.', 'A frog.'
        $given[0].Path | Should -Be (Get-Item "$TestDrive/tale.txt").FullName
        $faults[0].FullyQualifiedErrorId | Should -BeLike 'FileNotFound,*'
        $all = Compare-Gpt2Model 3M "$TestDrive/mine" -Path "$TestDrive/*.txt" -Top 0 -BatchSize 1 -Threads 1
        $all.Text | Should -BeExactly 'The frog sang.', 'Once upon a time there was a king.'
        $all[1].Difference | Should -Be $given[0].Difference
        ("$TestDrive/mine", '3M' | Compare-Gpt2Model 3M -LiteralPath "$TestDrive/tale.txt").Difference | Should -Be $given[0].Difference, 0
    }

    It 'compares a model with itself in few bits, and models of different vocabularies' {
        $few = Get-Gpt2Model 3M | Compare-Gpt2Model (Get-Gpt2Model 3M -Precision Int4) -Text 'Once upon a time'
        $few.Difference | Should -Not -Be 0
        $few | Out-String -Width 100 | Should -BeLike '*3M in Int4 -> 3M, *'
        $new = 'a frog sang to a frog. ' * 20 | New-Gpt2Model -VocabularySize 262 -Layers 1 -Width 64 -Context 64
        $difference = Compare-Gpt2Model 3M $new -Text 'The frog sang to a frog.'
        -join $difference.Tokens.Text | Should -BeExactly 'The frog sang to a frog.'
        $difference.BitsPerByte | Should -BeGreaterThan $difference.ReferenceBitsPerByte
    }

    It 'emits what the pipeline wants, and nothing of an empty one' {
        (1..200 | ForEach-Object { "Frog $_" } | Compare-Gpt2Model 3M "$TestDrive/mine" -BatchSize 1 | Select-Object -First 2).Text | Should -Be 'Frog 1', 'Frog 2'
        @() | Compare-Gpt2Model 3M "$TestDrive/mine" | Should -BeNullOrEmpty
    }

    It 'shows the text over marks, and what differs most' {
        $shown = Compare-Gpt2Model 3M "$TestDrive/mine" -Text 'The king had a daughter, and the sea was green.' | Out-String -Width 100
        $shown | Should -Match '3M -> mine, change of surprisal in bits: ▼ -3  ▾ -1  ▴ \+1  ▲ \+3'
        $shown | Should -Match '\d+ tokens, perplexity [\d.,]+ -> [\d.,]+\r?\nbits per byte [\d.]+ -> [\d.]+: [-+]?[\d.]+ ± [\d.]+\r?\n'
        $shown | Should -Match "likel(y|ier): '"
        Compare-Gpt2Model 3M "$TestDrive/mine" -Path "$TestDrive/*.txt" | Format-Table | Out-String -Width 100 | Should -Match '(?s)Before.*After.*Difference.*Error.*frog.txt'
    }

    It 'shows colours where there are any' {
        $rendering, $PSStyle.OutputRendering = $PSStyle.OutputRendering, 'Ansi'
        try { $shown = Compare-Gpt2Model 3M "$TestDrive/mine" -Text 'The king' | Out-String -Width 100 }
        finally { $PSStyle.OutputRendering = $rendering }
        $shown | Should -Match '\e\[48;2;'
        $shown | Should -Not -Match '▼'
    }
}
