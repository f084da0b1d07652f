BeforeAll {
    . "$PSScriptRoot/Common.ps1"

    $model = Get-Gpt2Model 3M
    'Once upon a time', '', 'the naïve king 👑 ruled.' | Set-Content "$TestDrive/tale.txt"
    $whole = [System.IO.File]::ReadAllText("$TestDrive/tale.txt")
}

Describe 'Counting' {
    It 'gives tokens, words, characters and bytes of files, and runs no model' {
        $count = Measure-Gpt2Text -Path "$TestDrive/tale.txt" -Model $model -CountOnly
        $count | Should -BeOfType PicoGpt.Measuring.Gpt2TextCount
        $count.TokenCount | Should -Be @(ConvertTo-Gpt2Token $whole -Model $model).Count
        $count.WordCount | Should -Be ($whole | Measure-Object -Word).Words
        $count.CharacterCount | Should -Be @($whole.EnumerateRunes()).Count
        $count.ByteCount | Should -Be (Get-Item "$TestDrive/tale.txt").Length
        $count.Path | Should -Be (Get-Item "$TestDrive/tale.txt").FullName
        $count.IsCut | Should -BeFalse
        ($count | Out-String) | Should -BeLike '*Tokens*Words*Characters*Bytes*Text*tale.txt*'
    }

    It 'tells the line of what Get-Content brings' {
        $counts = Get-Content "$TestDrive/tale.txt" | Measure-Gpt2Text -Model $model -CountOnly
        $counts.Line | Should -Be 1, 2, 3
        $counts.TokenCount[1] | Should -Be 0
        ($counts | Measure-Object TokenCount -Sum).Sum | Should -BeGreaterThan 10
    }

    It 'cuts texts to so many tokens, and no character in two' {
        $tokens = ConvertTo-Gpt2Token $whole -Model $model
        foreach ($first in 0..$tokens.Count) {
            $cut = Measure-Gpt2Text $whole -Model $model -CountOnly -First $first
            $whole.StartsWith($cut.Text, [StringComparison]::Ordinal) | Should -BeTrue
            $cut.TokenCount | Should -Be $first
            $cut.IsCut | Should -Be ($first -lt $tokens.Count)
            @(ConvertTo-Gpt2Token $cut.Text -Model $model).Count | Should -BeLessOrEqual $first
            [char]::IsHighSurrogate($cut.Text.PadLeft(1)[-1]) | Should -BeFalse
        }
        (Measure-Gpt2Text $whole -Model $model -CountOnly -First 3).Text | Should -BeExactly (-join $tokens[0..2].Text)
        (Measure-Gpt2Text $whole -Model $model -First 3).TokenCount | Should -Be 3
        @(ConvertTo-Gpt2Token $whole -Model $model -First 3).Id | Should -Be $tokens[0..2].Id
    }

    It 'tells of a token which file and line it came from' {
        $tokens = ConvertTo-Gpt2Token -Path "$TestDrive/tale.txt" -Model $model
        $tokens.Path | Select-Object -Unique | Should -Be (Get-Item "$TestDrive/tale.txt").FullName
        ($tokens | Where-Object Text -EQ ' ruled' | ForEach-Object Line) ?? ($tokens[-1].Line) | Should -Be 3
        $tokens[0].Line | Should -Be 1
        $lines = Get-Content "$TestDrive/tale.txt" | ConvertTo-Gpt2Token -Model $model
        $lines[-1].Line | Should -Be 3
        $lines[-1].Path | Should -Be $tokens[-1].Path
        $plain = ConvertTo-Gpt2Token "a`nb" -Model $model
        $plain[-1].Line | Should -Be 2
        $plain[-1].Path | Should -BeNullOrEmpty
    }
}

Describe 'A stopped generation' {
    It 'leaves what there is in a variable: <Case>' -ForEach @(
        @{ Case = 'one text'; Script = "'Once' | Invoke-Gpt2Generate -Model 3M -MaxTokens 100000 -IgnoreEndOfText -Overflow Slide -PartialVariable kept" }
        @{ Case = 'a batch'; Script = "'Once', 'The king', 'The queen' | Invoke-Gpt2Generate -Model 3M -MaxTokens 100000 -IgnoreEndOfText -Overflow Slide -PartialVariable kept" }
        @{ Case = 'a stream'; Script = "Invoke-Gpt2Generate Once -Model 3M -MaxTokens 100000 -IgnoreEndOfText -Overflow Slide -Stream -PartialVariable kept | Out-Null" }
    ) {
        $shell = [powershell]::Create()
        try {
            $null = $shell.AddScript("Import-Module '$module'").Invoke()
            $shell.Commands.Clear()
            $null = $shell.AddScript($Script).BeginInvoke()
            Start-Sleep -Milliseconds 1500
            $shell.Stop()
            $kept = $shell.Runspace.SessionStateProxy.GetVariable('kept')
            $kept.Count | Should -Be ($Case -eq 'a batch' ? 3 : 1)
            $kept[0].Prompt | Should -Be 'Once'
            $kept[0].FinishReason | Should -Be 'Cancelled'
            $kept[0].Ids.Count | Should -BeGreaterThan 0
            $kept[0].Text.Length | Should -BeGreaterThan 0
        }
        finally { $shell.Dispose() }
    }

    It 'leaves nothing where it came to its end' {
        $null = Invoke-Gpt2Generate Once -Model 3M -MaxTokens 2 -PartialVariable kept
        , $kept | Should -BeOfType [object[]] -Because 'it is an empty list'
        $kept.Count | Should -Be 0
    }
}
