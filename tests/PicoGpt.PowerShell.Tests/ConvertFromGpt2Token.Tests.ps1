BeforeAll { . "$PSScriptRoot/Common.ps1" }

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

    It 'reports an id that no token has and continues' {
        $text = 1529, 99999, 321 | ConvertFrom-Gpt2Token -Model 3M -ErrorAction SilentlyContinue -ErrorVariable faults
        $text | Should -BeExactly 'Once'
        $faults[0].FullyQualifiedErrorId | Should -BeLike 'InvalidToken,*ConvertFromGpt2TokenCommand'
        $faults[0].TargetObject | Should -Be 99999
    }
}
