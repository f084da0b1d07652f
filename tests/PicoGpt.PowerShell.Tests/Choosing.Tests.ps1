BeforeAll {
    . "$PSScriptRoot/Common.ps1"

    $model = Get-Gpt2Model 3M
    $plain = Invoke-Gpt2Generate 'The king' -Model $model -MaxTokens 20
}

Describe 'Choosing tokens' {
    It 'gives each token with its log-probability, rank and the likelier ones' {
        $completion = Invoke-Gpt2Generate 'The king' -Model $model -MaxTokens 20 -Top 3
        $completion.Text | Should -BeExactly $plain.Text
        $completion.Tokens | Should -HaveCount 20
        $completion.Tokens.Id | Should -Be $completion.Ids
        $completion.Tokens.Rank | Select-Object -Unique | Should -Be 1 -Because 'greedy text takes the likeliest token'
        $completion.Tokens[4].Top | Should -HaveCount 3
        $completion.Tokens[4].Top[0].Id | Should -Be $completion.Ids[4]
        $completion.Tokens[4].Top[0].Probability | Should -Be $completion.Tokens[4].Probability
        $completion.Tokens[4].Surprisal | Should -Be (-[math]::Log2($completion.Tokens[4].Probability)) -Because 'it is in bits'
    }

    It 'shows the tokens as a table, coloured where colours arrive' {
        $completion = Invoke-Gpt2Generate 'The king' -Model $model -MaxTokens 2 -Top 2
        $plainText = $completion.Tokens | Out-String
        $plainText | Should -BeLike '*Index*Text*Surprisal*Rank*Entropy*Top*'
        $plainText | Should -BeLike "*'$($completion.Tokens[0].Text)'*"
        ($completion.Tokens | Format-Wide | Out-String) | Should -BeLike "*'$($completion.Tokens[1].Text)'*"
    }

    It 'makes several texts of a prompt, each of which its seed gives alone' {
        $texts = Invoke-Gpt2Generate 'The king' -Model $model -MaxTokens 8 -Count 3 -Seed 10 -Temperature 0.9
        $texts.Seed | Should -Be 10, 11, 12
        foreach ($text in $texts) {
            (Invoke-Gpt2Generate 'The king' -Model $model -MaxTokens 8 -Seed $text.Seed -Temperature 0.9).Text | Should -BeExactly $text.Text
        }
        ('The king', 'The queen' | Invoke-Gpt2Generate -Model $model -MaxTokens 3 -Count 2 -BatchSize 1).Prompt | Should -Be 'The king', 'The king', 'The queen', 'The queen'
    }

    It 'finds a text by beams that is at least as likely as the greedy one' {
        $found = Invoke-Gpt2Generate 'The king' -Model $model -MaxTokens 8 -Beams 4 -Count 2 -IgnoreEndOfText
        $found | Should -HaveCount 2
        $greedy = (Invoke-Gpt2Generate 'The king' -Model $model -MaxTokens 8 -Top 0 -IgnoreEndOfText).Tokens | Measure-Object LogProbability -Sum
        $found[0].BeamScore | Should -BeGreaterOrEqual ($greedy.Sum / 8)
        $found[0].BeamScore | Should -BeGreaterOrEqual $found[1].BeamScore
    }

    It 'forbids and favours tokens, by id and by text' {
        $first = $plain.Ids[0]
        (Invoke-Gpt2Generate 'The king' -Model $model -MaxTokens 5 -LogitBias @{ $first = $false }).Ids | Should -Not -Contain $first
        $text = (Get-Gpt2Model 3M | ForEach-Object { ConvertFrom-Gpt2Token $first -Model $_ })
        (Invoke-Gpt2Generate 'The king' -Model $model -MaxTokens 5 -LogitBias @{ $text = -1000 }).Ids | Should -Not -Contain $first
        (Invoke-Gpt2Generate 'The king' -Model $model -MaxTokens 3 -LogitBias @{ 42 = 1e6 }).Ids | Should -Be 42, 42, 42
        (Invoke-Gpt2Generate 'The king' -Model $model -MaxTokens 3 -LogitBias (ConvertFrom-Json '{ "42": 1000000 }' -AsHashtable)).Ids | Should -Be 42, 42, 42
    }

    It 'says what is wrong with -LogitBias <Case>' -ForEach @(
        @{ Case = 'of several tokens'; Bias = @{ 'once upon a time' = 1 }; Says = "-LogitBias has the text 'once upon a time', which is * tokens of 3M:*" }
        @{ Case = 'without a number'; Bias = @{ 42 = 'much' }; Says = "-LogitBias has 'much' for '42'; give a number*" }
        @{ Case = 'that is $true'; Bias = @{ 42 = $true }; Says = "-LogitBias has 'True' for '42'; give a number*" }
        @{ Case = 'outside the vocabulary'; Bias = @{ 99999 = 1 }; Says = '*99999*vocabulary of 2048*' }
        @{ Case = 'by a date'; Bias = @{ [datetime]'2024-01-01' = 1 }; Says = '*neither the id of a token nor a text*' }
    ) {
        $null = Invoke-Gpt2Generate a -Model $model -LogitBias $Bias -ErrorAction SilentlyContinue -ErrorVariable faults
        $faults[0].Exception.Message | Should -BeLike $Says
        $faults[0].FullyQualifiedErrorId | Should -BeLike 'InvalidArgument,*'
    }

    It 'repeats less where it is told to' {
        $loop = Invoke-Gpt2Generate 'the king and the queen and the king and the queen and' -Model $model -MaxTokens 40 -IgnoreEndOfText
        foreach ($option in @{ RepetitionPenalty = 1.5 }, @{ FrequencyPenalty = 2 }, @{ PresencePenalty = 3 }, @{ NoRepeatNgramSize = 2 }) {
            $less = Invoke-Gpt2Generate 'the king and the queen and the king and the queen and' -Model $model -MaxTokens 40 -IgnoreEndOfText @option
            ($less.Ids | Select-Object -Unique).Count | Should -BeGreaterThan ($loop.Ids | Select-Object -Unique).Count
        }
    }

    It 'takes the new options of sampling from the columns of a table, and says so where they ask for sampling' {
        $rows = 'Prompt,MinP,RepetitionPenalty,Seed', 'The king,0.1,1.2,3', 'The king,,,' | ConvertFrom-Csv
        $completions = $rows | Invoke-Gpt2Generate -Model $model -MaxTokens 6
        $completions[0].Text | Should -BeExactly (Invoke-Gpt2Generate 'The king' -Model $model -MaxTokens 6 -MinP 0.1 -RepetitionPenalty 1.2 -Seed 3).Text
        $completions[1].Text | Should -BeExactly (Invoke-Gpt2Generate 'The king' -Model $model -MaxTokens 6).Text
        "$(Invoke-Gpt2Generate 'The king' -Model $model -MaxTokens 2 -MinP 0.1 -Verbose 4>&1)" | Should -BeLike '*-Temperature is 1, because -MinP asks for sampling*'
    }

    It 'says in a sentence why options cannot go together: <Case>' -ForEach @(
        @{ Case = 'beams and sampling'; Options = @{ Beams = 2; Temperature = 1 }; Says = 'A beam search does not sample;*' }
        @{ Case = 'more texts than beams'; Options = @{ Beams = 2; Count = 3 }; Says = 'Count is 3, but a search with 2 beams finds no more than 2 texts;*' }
        @{ Case = 'several greedy texts'; Options = @{ Count = 2; Temperature = 0 }; Says = 'Count is 2, but greedy text is the same every time;*' }
        @{ Case = 'a length penalty without beams'; Options = @{ LengthPenalty = 2 }; Says = 'LengthPenalty and EarlyStopping choose among beams;*' }
    ) {
        $null = Invoke-Gpt2Generate a -Model $model @Options -ErrorAction SilentlyContinue -ErrorVariable faults
        $faults[0].Exception.Message | Should -BeLike $Says
    }

    It 'streams one text of a prompt' {
        { Invoke-Gpt2Generate a -Model $model -Count 2 -Seed 1 -Stream } | Should -Throw -ErrorId 'InvalidArgument,*' -ExpectedMessage '-Stream gives one text as it is made, but -Count asks for 2 of each prompt;*'
        -join (Invoke-Gpt2Generate 'The king' -Model $model -MaxTokens 8 -Beams 2 -Stream) | Should -BeExactly (Invoke-Gpt2Generate 'The king' -Model $model -MaxTokens 8 -Beams 2).Text
    }

    It 'continues from ids as they are' {
        $ids = @(11, 11, 262)
        $completion = [pscustomobject]@{ PromptIds = $ids } | Invoke-Gpt2Generate -Model $model -MaxTokens 3
        $completion.PromptIds | Should -Be $ids
        $tokens = 'Once upon a time' | ConvertTo-Gpt2Token -Model $model
        ($tokens | Invoke-Gpt2Generate -Model $model -MaxTokens 3).PromptIds | Should -Be $tokens.Id
        $made = Invoke-Gpt2Generate Once -Model $model -MaxTokens 4 -Top 0
        ($made.Tokens | Invoke-Gpt2Generate -Model $model -MaxTokens 1).PromptIds | Should -Be $made.Ids
        { [pscustomobject]@{ PromptIds = 1.5 } | Invoke-Gpt2Generate -Model $model -ErrorAction Stop } | Should -Throw
        { [pscustomobject]@{ PromptIds = @('x') } | Invoke-Gpt2Generate -Model $model -ErrorAction Stop } | Should -Throw -ExpectedMessage "*'x' in PromptIds is not the id of a token*"
    }
}
