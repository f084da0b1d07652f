BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    $model = Get-Gpt2Model 3M
}

Describe 'Measure-Gpt2Head' {
    It 'scores every head, the same with the same seed, others with another' {
        $heads = Measure-Gpt2Head -Model $model -Length 10 -Count 2 -Seed 3
        $heads | Should -HaveCount 18
        $heads[4].Layer, $heads[4].Head | Should -Be 1, 1
        "$((Measure-Gpt2Head -Model $model -Length 10 -Count 2 -Seed 3 -Threads 1).Induction)" | Should -Be "$($heads.Induction)"
        "$((Measure-Gpt2Head -Model $model -Length 10 -Count 2 -Seed 4).Induction)" | Should -Not -Be "$($heads.Induction)"
    }

    It 'gives shares of attention' {
        foreach ($head in Measure-Gpt2Head -Model $model -Length 5 -Count 1) {
            foreach ($score in 'PreviousToken', 'DuplicateToken', 'Induction', 'FirstToken') {
                $head.$score | Should -BeGreaterOrEqual 0
                $head.$score | Should -BeLessOrEqual 1
            }
        }
    }

    It 'refuses more tokens than the context has room for' {
        { Measure-Gpt2Head -Model $model -Length 4000 -ErrorAction Stop } | Should -Throw '*do not make a text for 3M, whose context has*'
    }

    It 'scores with every model of the pipeline' {
        $model, $model | Measure-Gpt2Head -Length 5 -Count 1 | Should -HaveCount 36
    }

    It 'looks the same from another session' {
        $heads = Measure-Gpt2Head -Model $model -Length 5 -Count 1
        $heads | Export-Clixml "$TestDrive/heads.xml"
        Import-Clixml "$TestDrive/heads.xml" | Out-String | Should -BeExactly ($heads | Out-String)
    }
}
