BeforeAll {
    . "$PSScriptRoot/Common.ps1"

    $model = Get-Gpt2Model 3M
    function Enter([string[]] $Line, [hashtable] $Option = @{}) { $Line | Enter-Gpt2Session $model -MaxTokens 6 -Seed 1 @Option }
}

Describe 'Enter-Gpt2Session' {
    It 'has the model continue what is written, as a generation does' {
        $session = Enter 'Once upon a time'
        $alone = Invoke-Gpt2Generate 'Once upon a time' -Model $model -MaxTokens 6 -Seed 1 -Temperature 0.8 -TopK 40
        $session.Turns.Text | Should -BeExactly 'Once upon a time', $alone.Text
        $session.Turns.IsByModel | Should -Be $false, $true
        $session.Turns[1].Completion.Seed | Should -Be 1
        $session.Text | Should -BeExactly "Once upon a time$($alone.Text)"
        "$session" | Should -BeExactly $session.Text
    }

    It 'continues from the whole text, turn after turn' {
        $session = Enter 'The king', '', 'and the queen', '' @{ Temperature = 0 }
        $text = ''
        foreach ($turn in $session.Turns) {
            if ($turn.IsByModel) { $turn.Text | Should -BeExactly (Invoke-Gpt2Generate $text -Model $model -MaxTokens 6).Text }
            $text += $turn.Text
        }
        $session.Turns.IsByModel | Should -Be $false, $true, $true, $false, $true, $true
    }

    It 'puts a space between what is written and what stands where neither side has one' {
        (Enter 'The king', 'said' @{ Temperature = 0 }).Turns[2].Text | Should -BeExactly ' said'
        (Enter 'The king', ', who' @{ Temperature = 0 }).Turns[2].Text | Should -BeExactly ', who'
    }

    It 'takes turns back, and has the model vary its own' {
        (Enter 'The king', '/back').Turns.Text | Should -BeExactly 'The king'
        (Enter 'The king', '/back', '/back', '/back').Turns | Should -BeNullOrEmpty
        (Enter 'The king', '/new').Text | Should -BeExactly ''
        $varied = Enter 'The king', '/again'
        $varied.Turns | Should -HaveCount 2
        $varied.Turns[1].Completion.Seed | Should -Be 2
        $varied.Turns[1].Text | Should -Not -BeExactly (Enter 'The king').Turns[1].Text
    }

    It 'changes its settings between turns' {
        $session = Enter 'The king', '/set maxtokens 2', '', '/set Stop .', '/set Temperature 0', '/set Seed drawn', ''
        $session.Turns[2].Completion.Ids | Should -HaveCount 2
        $session.Options.Temperature | Should -Be 0
        $session.Options.Stop | Should -Be '.'
        $session.Options.Seed | Should -BeNullOrEmpty
    }

    It 'leaves at /quit, and takes no line after it' {
        (Enter 'The king', '/quit', 'The queen').Turns | Should -HaveCount 2
    }

    It 'continues after a line that is wrong: <Line>' -ForEach @(
        @{ Line = '/set Temperature hot'; Says = "*'hot' is not a number that Temperature can have.*" }
        @{ Line = '/set Temperature -1'; Says = '*Temperature is -1;*' }
        @{ Line = '/set Colour red'; Says = "*There is no setting 'Colour'; there are MaxTokens, Temperature,*" }
    ) {
        $session = 'The king', $Line, '' | Enter-Gpt2Session $model -MaxTokens 2 -ErrorAction SilentlyContinue -ErrorVariable faults
        $faults[0].Exception.Message | Should -BeLike $Says
        $session.Turns | Should -HaveCount 3
    }

    It 'continues where the text has outgrown the context' {
        $session = ('the king and the queen ' * 200), '' | Enter-Gpt2Session $model -MaxTokens 4 -Temperature 0
        $session.Turns | Should -HaveCount 3
        $session.Turns[1].Completion.Ids | Should -HaveCount 4
    }

    It 'says what it takes where something else is piped' {
        $null = 42 | Enter-Gpt2Session $model -ErrorAction SilentlyContinue -ErrorVariable faults
        $faults[0].Exception.Message | Should -BeLike "'42' (Int32) is not a line of text;*"
    }

    It 'leaves the session in a variable where it is stopped' {
        $shell = [powershell]::Create()
        try {
            $null = $shell.AddScript("Import-Module '$module'").Invoke()
            $shell.Commands.Clear()
            $null = $shell.AddScript("'Once' | Enter-Gpt2Session 3M -MaxTokens 1000000 -PartialVariable kept").BeginInvoke()
            Start-Sleep -Milliseconds 2000
            $shell.Stop()
            $kept = $shell.Runspace.SessionStateProxy.GetVariable('kept')
            $kept.Turns[0].Text | Should -Be 'Once'
            $kept.Turns[1].Completion.FinishReason | Should -Be 'Cancelled'
        }
        finally { $shell.Dispose() }
    }
}
