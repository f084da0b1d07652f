BeforeAll { . "$PSScriptRoot/Common.ps1" }

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
}

Describe 'ConvertFrom-Gpt2Token' {
    It 'joins all ids of the pipeline into one text' {
        1529, 321, 575, 258, 541 | ConvertFrom-Gpt2Token -Model 3M | Should -BeExactly 'Once upon a time'
        ConvertFrom-Gpt2Token 1529, 321 -Model 3M | Should -BeExactly 'Once'
    }

    It 'takes tokens back' {
        foreach ($text in 'naïve ☃️ 👨‍👩‍👧‍👦', "it's 中𠀀文`n") {
            $text | ConvertTo-Gpt2Token -Model 3M | ConvertFrom-Gpt2Token -Model 3M | Should -BeExactly $text
        }
    }

    It 'reports an id that no token has and goes on' {
        $text = 1529, 99999, 321 | ConvertFrom-Gpt2Token -Model 3M -ErrorAction SilentlyContinue -ErrorVariable faults
        $text | Should -BeExactly 'Once'
        $faults[0].FullyQualifiedErrorId | Should -BeLike 'InvalidToken,*ConvertFromGpt2TokenCommand'
        $faults[0].TargetObject | Should -Be 99999
    }
}
