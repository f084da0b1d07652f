BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    $model = Get-Gpt2Model 3M
    $tale = 'Once upon a time there was a king who had three daughters.'
    function ConvertTo-PlainText([string] $Text) { $Text -replace '\e\[[\d;]*m' }
}

Describe 'Measure-Gpt2Text' {
    It 'measures each token, and all together' {
        $measure = Measure-Gpt2Text $tale -Model $model
        $measure.Tokens.Id | Should -Be ($tale | ConvertTo-Gpt2Token -Model $model).Id
        -join $measure.Tokens.Text | Should -BeExactly $tale
        $measure.TokenCount, $measure.CharacterCount, $measure.ByteCount | Should -Be $measure.Tokens.Count, $tale.Length, $tale.Length
        $nats = ($measure.Tokens | Measure-Object LogProbability -Sum).Sum
        $measure.LogProbability | Should -BeGreaterThan ($nats - 1e-9)
        $measure.LogProbability | Should -BeLessThan ($nats + 1e-9)
        [Math]::Round($measure.Perplexity, 9) | Should -Be ([Math]::Round([Math]::Exp(-$nats / $measure.TokenCount), 9))
        [Math]::Round($measure.BitsPerCharacter, 9) | Should -Be ([Math]::Round(-$nats / [Math]::Log(2) / $tale.Length, 9))
    }

    It 'says of each token what the logit lens says of it' {
        $measure = Measure-Gpt2Text $tale -Model $model -AllowSpecial -Top 2
        $lens = (Trace-Gpt2Text "<|endoftext|>$tale" -Model $model -AllowSpecial -LogitLens -Layer 5 -Top 2).LogitLens[5]
        foreach ($token in $measure.Tokens) {
            $prediction = $lens[$token.Index]
            $token.Probability | Should -Be $prediction.NextProbability
            $token.Rank | Should -Be $prediction.NextRank
            $token.Entropy | Should -Be $prediction.Entropy
            $token.Top.Text | Should -Be $prediction.Top.Text
            $token.Top.Probability | Should -Be $prediction.Top.Probability
        }
    }

    It 'finds what greedy generation says the likeliest' {
        $completion = Invoke-Gpt2Generate $tale -Model $model -MaxTokens 10
        $tokens = (Measure-Gpt2Text ($tale + $completion.Text) -Model $model -NoStartToken).Tokens
        $tokens[ - $completion.Ids.Count..-1].Id | Should -Be $completion.Ids
        $tokens[ - $completion.Ids.Count..-1].Rank | Select-Object -Unique | Should -Be 1
    }

    It 'gives the same measures in the order of the texts, alone, together and with any threads' {
        $texts = @('The king', '', $tale, 'naïve ☃', ($tale * 20), 'a') * 3
        $alone = foreach ($text in $texts) { (Measure-Gpt2Text $text -Model $model -BatchSize 1).LogProbability }
        foreach ($more in @{}, @{ BatchSize = 2; Threads = 1 }, @{ BatchSize = 64; Threads = 3 }) {
            $together = $texts | Measure-Gpt2Text -Model $model @more
            $together.Text | Should -Be $texts
            $together.LogProbability | Should -Be $alone
        }
    }

    It 'emits each measure before the next text is taken, with -BatchSize 1' {
        $order = [System.Collections.Generic.List[string]]::new()
        'a', 'b' | ForEach-Object { $order.Add("in $_"); $_ } | Measure-Gpt2Text -Model $model -BatchSize 1 | ForEach-Object { $order.Add("out $($_.Text)") }
        $order | Should -Be 'in a', 'out a', 'in b', 'out b'
    }

    It 'reads a text that is longer than the context in strides' {
        $measure = Measure-Gpt2Text ($tale * 40) -Model $model -Stride 100
        $measure.Stride | Should -Be 100
        $measure.TokenCount | Should -BeGreaterThan 512
        $contexts = $measure.Tokens | Select-Object -Skip 256 | Measure-Object ContextLength -Minimum -Maximum
        $contexts.Minimum, $contexts.Maximum | Should -Be 157, 256
        (Measure-Gpt2Text $tale -Model $model).Stride | Should -Be 128
    }

    It 'does not measure the first token with -NoStartToken' {
        $measure = Measure-Gpt2Text $tale -Model $model -NoStartToken
        $measure.TokenCount | Should -Be ($measure.Tokens.Count - 1)
        $measure.Tokens[0].Surprisal | Should -BeNullOrEmpty
        $measure.Tokens[1].Surprisal | Should -BeGreaterThan 0
    }

    It 'takes the special token only where it is allowed' {
        (Measure-Gpt2Text 'The end.<|endoftext|>' -Model $model).Tokens[-1].Text | Should -Be '>'
        (Measure-Gpt2Text 'The end.<|endoftext|>' -Model $model -AllowSpecial).Tokens[-1].Text | Should -Be '<|endoftext|>'
    }

    It 'has no perplexity for a text of no token' {
        $measure = Measure-Gpt2Text '' -Model $model
        $measure.TokenCount | Should -Be 0
        $measure.Perplexity | Should -BeNullOrEmpty
    }

    It 'lists so many alternatives as -Top says' {
        (Measure-Gpt2Text Once -Model $model).Tokens[0].Top | Should -HaveCount 3
        (Measure-Gpt2Text Once -Model $model -Top 0).Tokens[0].Top | Should -HaveCount 0
        (Measure-Gpt2Text Once -Model $model -Top 7).Tokens[0].Top | Should -HaveCount 7
    }

    It 'takes models from the pipeline, in any precision' {
        $measures = $model, '3M' | Measure-Gpt2Text $tale, 'a' -Precision Int8
        $measures.Text | Should -Be $tale, 'a', $tale, 'a'
        $measures.Precision | Select-Object -Unique | Should -Be 'Int8'
        $measures[0].LogProbability | Should -Be $measures[2].LogProbability
    }

    It 'takes texts from properties' {
        ('Text', 'a', 'b' | ConvertFrom-Csv | Measure-Gpt2Text -Model $model).Text | Should -Be 'a', 'b'
    }

    It 'ends where an option cannot be: <Option>' -ForEach @(
        @{ Option = @{ Stride = 257 }; Says = 'Stride is 257*give 1 to 256.' }
        @{ Option = @{ Top = 2049 }; Says = 'Top is 2049*' }
    ) {
        $made = [System.Collections.Generic.List[object]]::new()
        { 'a', 'b' | Measure-Gpt2Text -Model $model @Option | ForEach-Object { $made.Add($_) } } | Should -Throw $Says -ErrorId 'InvalidArgument,*'
        $made | Should -HaveCount 0
    }

    It 'ends where there is no such model' {
        { 'a' | Measure-Gpt2Text -Model 9M } | Should -Throw -ErrorId 'UnknownModel,*'
    }

    It 'tells the speed with -Verbose' {
        Measure-Gpt2Text $tale -Model $model -Verbose 4>&1 | Out-String | Should -Match '3M: 1\d tokens, perplexity .* tokens/s'
    }
}

Describe 'Measure-Gpt2Text of files' {
    BeforeAll {
        $null = New-Item "$TestDrive/files" -ItemType Directory
        Set-Content "$TestDrive/files/a.txt" $tale -NoNewline
        Set-Content -LiteralPath "$TestDrive/files/b[1].txt" 'naïve ☃' -NoNewline -Encoding utf8BOM
        Set-Content "$TestDrive/files/c.txt" 'naïve ☃' -NoNewline -Encoding unicode
        [System.IO.File]::WriteAllBytes("$TestDrive/files/latin.dat", [byte[]](0x6e, 0x61, 0xef, 0x76, 0x65))
    }

    BeforeEach { Push-Location "$TestDrive/files" }
    AfterEach { Pop-Location }

    It 'reads each as one text, in Unicode''s encodings' {
        $measures = Measure-Gpt2Text -Path *.txt -Model $model
        $measures.Text | Should -Be $tale, 'naïve ☃', 'naïve ☃'
        $measures.Path | Should -Be (Get-ChildItem *.txt).FullName
        $measures[0].LogProbability | Should -Be (Measure-Gpt2Text $tale -Model $model).LogProbability
        (Measure-Gpt2Text $tale -Model $model).Path | Should -BeNullOrEmpty
    }

    It 'takes files from the pipeline, but lines of a file as texts' {
        (Get-ChildItem *.txt | Measure-Gpt2Text -Model $model).Path | Should -Be (Get-ChildItem *.txt).FullName
        $lines = Get-Content a.txt | Measure-Gpt2Text -Model $model
        $lines.Text | Should -Be $tale
        $lines.Path | Should -BeNullOrEmpty
    }

    It 'takes literal paths, and the model from the pipeline' {
        ($model | Measure-Gpt2Text -LiteralPath 'b[1].txt').Text | Should -Be 'naïve ☃'
        ($model | Measure-Gpt2Text -Path 'b`[1`].txt', a.txt).Text | Should -Be 'naïve ☃', $tale
    }

    It 'tells what cannot be read, and continues: <Path>' -ForEach @(
        @{ Path = 'nothing.txt'; Id = 'FileNotFound'; Says = "There is no file '*nothing.txt'." }
        @{ Path = '.'; Id = 'FileNotFound'; Says = '*is a folder; give the files in it.' }
        @{ Path = 'latin.dat'; Id = 'NotAFormat'; Says = '*is not text in UTF-8;*' }
        @{ Path = 'Env:/PATH'; Id = 'FileNotFound'; Says = '*provider Environment*' }
    ) {
        $measures = Measure-Gpt2Text -Path $Path, a.txt -Model $model -ErrorVariable faults -ErrorAction SilentlyContinue
        $measures.Text | Should -Be $tale
        $faults | Should -HaveCount 1
        $faults[0].FullyQualifiedErrorId | Should -Be "$Id,PicoGpt.PowerShell.Commands.MeasureGpt2TextCommand"
        $faults[0].Exception.Message | Should -BeLike $Says
    }
}

Describe 'The view of a measure' {
    BeforeAll {
        function Show-Measure([object] $Measure, [int] $Width = 80, [bool] $Whole) { [PicoGpt.PowerShell.MeasureView]::Draw($Measure, $Width, $Whole) }
        $rendering, $PSStyle.OutputRendering = $PSStyle.OutputRendering, 'Ansi'
    }

    AfterAll { $PSStyle.OutputRendering = $rendering }

    It 'has the legend once, and for each text the totals and the text' {
        $lines = (ConvertTo-PlainText ('The king', 'The frog' | Measure-Gpt2Text -Model $model | Out-String)) -split '\r?\n'
        $lines | Where-Object { $_ -eq '3M, surprisal in bits:  0  3  6  9  12+' } | Should -HaveCount 1
        $lines | Where-Object { $_ -match '^\d tokens, perplexity [\d,.]+, [\d.]+ bits per token, [\d.]+ bits per character$' } | Should -HaveCount 2
        $lines | Should -Contain 'The king'
        $lines | Should -Contain 'The frog'
    }

    It 'colours each token by its surprisal' {
        $measure = [pscustomobject]@{
            Text   = 'abcd'
            Tokens = @(
                [pscustomobject]@{ Start = 0; Length = 1; Surprisal = $null }
                [pscustomobject]@{ Start = 1; Length = 1; Surprisal = 0.0 }
                [pscustomobject]@{ Start = 2; Length = 1; Surprisal = 6.0 }
                [pscustomobject]@{ Start = 3; Length = 1; Surprisal = 99.0 }
            )
        }
        $light = "`e[38;2;240;245;245m"
        (Show-Measure $measure)[1] | Should -BeExactly "a$light`e[48;2;22;27;38mb$light`e[48;2;176;48;92mc`e[38;2;18;18;24m`e[48;2;252;220;118md`e[0m"
    }

    It 'shows a character of several tokens whole, on the colour of the most surprising' {
        $measure = Measure-Gpt2Text '☃' -Model $model
        $measure.Tokens.Count | Should -BeGreaterThan 1
        ($measure.Tokens | Measure-Object Surprisal -Maximum).Maximum | Should -BeGreaterThan 12
        (Show-Measure $measure)[1] | Should -BeExactly "`e[38;2;18;18;24m`e[48;2;252;220;118m☃`e[0m"
    }

    It 'breaks lines after words, within the width, and keeps those of the text' {
        $measure = Measure-Gpt2Text "$tale`r`n`nHe had 日本語日本語日本語日本語日本語日本語" -Model $model -Top 0
        foreach ($width in 24, 40, 80, 200) {
            $lines = (Show-Measure $measure $width).ForEach({ ConvertTo-PlainText $_ }) | Select-Object -Skip 1
            foreach ($line in $lines) {
                $columns = $line.Length + [regex]::Matches($line, '[日本語]').Count
                $columns | Should -BeLessThan $width
            }

            -join $lines | Should -BeExactly ($measure.Text -replace "`r" -replace "`n", '↵')
            $lines | Where-Object { $_ -match '\.↵$' } | Should -HaveCount 1
            $lines | Should -Contain '↵'
        }

        (Show-Measure $measure 40).ForEach({ ConvertTo-PlainText $_ })[1] | Should -BeExactly 'Once upon a time there was a king who '
        (Show-Measure $measure 0).ForEach({ ConvertTo-PlainText $_ })[1] | Should -BeExactly $tale.Replace('.', '.↵')
    }

    It 'shows the beginning of a long text, and all of it on demand' {
        $measure = Measure-Gpt2Text ("$tale`n" * 25) -Model $model -Top 0
        $lines = Show-Measure $measure 100
        $lines | Should -HaveCount 22
        $lines[-1] | Should -BeExactly '… Format-Custom -View Whole shows the whole text.'
        Show-Measure $measure -Width 100 -Whole $true | Should -HaveCount 26
        Show-Measure (Measure-Gpt2Text ("$tale`n" * 20) -Model $model -Top 0) 100 | Should -HaveCount 21
        foreach ($width in 20, 31, 58, 59, 60) { Show-Measure $measure $width | Should -HaveCount 22 }
        $whole = ConvertTo-PlainText ($measure | Format-Custom -View Whole | Out-String)
        [regex]::Matches($whole, 'daughters').Count | Should -Be 25
        [regex]::Matches((ConvertTo-PlainText ($measure | Out-String)), 'daughters').Count | Should -BeLessThan 25
    }

    It 'names the file' {
        Set-Content "$TestDrive/tale.txt" $tale
        (Show-Measure (Measure-Gpt2Text -Path "$TestDrive/tale.txt" -Model $model))[0] | Should -BeExactly 'tale.txt'
    }

    It 'cannot command the terminal' {
        $measure = Measure-Gpt2Text "a`e[31m`a`u{9b}2J`b" -Model $model -Top 9
        $old = $PSStyle.OutputRendering
        $PSStyle.OutputRendering = 'Ansi'
        try {
            $views = @(
                ($measure | Out-String), ($measure | Format-Table | Out-String), ($measure | Format-List | Out-String)
                ($measure.Tokens | Out-String), ($measure.Tokens | Format-List | Out-String)
                ($measure.Tokens.Top | Out-String), ($measure.Tokens.Top | Format-List | Out-String)
                (1, $measure, $measure.Tokens[1], $measure.Tokens[1].Top[0] | Out-String)
                ((Get-Item $PSScriptRoot), $measure, $measure.Tokens[1], $measure.Tokens[1].Top[0] | Out-String)
            )
        }
        finally { $PSStyle.OutputRendering = $old }
        $views[0] | Should -Match '\e\[48;2;'
        foreach ($view in $views) { $view -replace '\e\[[\d;]*m' | Should -Not -Match '[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]' }
        $views[0..2] | Should -Not -Match '\e\[31m'
        $views[0] -replace '\e\[[\d;]*m' | Should -Match '(?m)^a\\u001b\[31m\\u0007\\u009b2J\\u0008\r?$'
    }

    It 'has a table of tokens' {
        $table = ConvertTo-PlainText ((Measure-Gpt2Text 'Once upon' -Model $model).Tokens | Out-String -Width 80)
        $table | Should -Match " 2 ' upon' +0\.74 +1 +3\.34 ' upon' 59\.7 %, ',' "
    }

    It 'has a table of texts' {
        $table = Measure-Gpt2Text 'Once upon', '' -Model $model | Format-Table | Out-String -Width 80
        ConvertTo-PlainText $table | Should -Match '(?m)^ +3 +2\.95 +1\.56 +0\.52 Once upon\s+0\s*$'
    }
}

Describe 'A measure in another session' {
    It 'has all its tokens and their alternatives' {
        $here = Measure-Gpt2Text $tale -Model $model

        # A depth of 1 is what remoting and jobs have.
        $there = [System.Management.Automation.PSSerializer]::Deserialize([System.Management.Automation.PSSerializer]::Serialize($here, 1))
        $there.Tokens.Surprisal | Should -Be $here.Tokens.Surprisal
        $there.Tokens.Top.Text | Should -Be $here.Tokens.Top.Text
        $there.Tokens.Top.Probability | Should -Be $here.Tokens.Top.Probability
        $there.Perplexity | Should -Be $here.Perplexity
    }
}

Describe 'A measure in plain text' {
    BeforeAll {
        $measure = Measure-Gpt2Text 'The king had a daughter, and she was a modem.' -Model 3M
        $rendering, $PSStyle.OutputRendering = $PSStyle.OutputRendering, 'PlainText'
    }

    AfterAll { $PSStyle.OutputRendering = $rendering }

    It 'has marks for what are colours elsewhere' {
        $lines = ($measure | Out-String) -split '\r?\n'
        $lines | Should -Contain '3M, surprisal in bits: ▁ 1  ▂ 3  ▄ 6  ▆ 9  █ 12+'
        $at = $lines.IndexOf('The king had a daughter, and she was a modem.')
        $lines[$at + 1] | Should -BeExactly '▂▂▂▂▂▂▂▂▁▁▁▁▂▂▂▂▂▂▂▂▂▂▂▁▁▁▁▁▂▂▂▂▁▁▁▁▂▂███▂██▂'
        $measure.Tokens[10, 12].Surprisal | ForEach-Object { $_ | Should -BeGreaterThan 12 }
    }

    It 'has them in a file by a view, whatever the session does' {
        $PSStyle.OutputRendering = 'Ansi'
        try { $lines = ($measure | Format-Custom -View Marks | Out-String) -split '\r?\n' }
        finally { $PSStyle.OutputRendering = 'PlainText' }
        $lines | Should -Contain '▂▂▂▂▂▂▂▂▁▁▁▁▂▂▂▂▂▂▂▂▂▂▂▁▁▁▁▁▂▂▂▂▁▁▁▁▂▂███▂██▂'
    }

    It 'keeps marks below their words where lines break' {
        $drawn = [PicoGpt.PowerShell.MeasureView]::Draw($measure, 24, $true, $true)
        $drawn[1] | Should -BeExactly 'The king had a '
        $drawn[2].Length | Should -BeLessOrEqual $drawn[1].Length
        foreach ($line in $drawn | Select-Object -Skip 1) { $line.Length | Should -BeLessThan 24 }
    }
}

Describe 'Measure-Gpt2Text -Html' {
    BeforeEach { $page = "$TestDrive/$([guid]::NewGuid()).html" }

    It 'writes a page that holds the texts and loads nothing' {
        $file = 'Once upon a time', 'The wolf ate the frog.' | Measure-Gpt2Text -Model 3M -Html $page
        $file | Should -BeOfType System.IO.FileInfo
        $file.FullName | Should -Be (Get-Item $page).FullName
        $html = Get-Content $page -Raw
        $html | Should -Match "default-src 'none'"
        $html | Should -Not -Match '(src|href)\s*=|https?:'
        $json = [regex]::Match($html, '(?s)<script type="application/json" id="data">(.*?)</script>').Groups[1].Value | ConvertFrom-Json
        $json | Should -HaveCount 2
        -join $json[1].tokens.ForEach({ $_[0] }) | Should -BeExactly 'The wolf ate the frog.'
        $measure = Measure-Gpt2Text 'The wolf ate the frog.' -Model 3M
        $json[1].tokens[1][2] | Should -Be ([math]::Round($measure.Tokens[1].Surprisal, 2))
        $json[1].tokens[1][6][0][0] | Should -BeExactly $measure.Tokens[1].Top[0].Text
    }

    It 'escapes what a browser or a screen could take for something else' {
        $hostile = "</script><script>alert(1)</script> <!-- `e[31m naïve 👑 `u{202e}"
        $null = Measure-Gpt2Text $hostile -Model 3M -Html $page
        $html = Get-Content $page -Raw
        $html | Should -Not -Match 'alert\(1\)</script>'
        [regex]::Matches($html, '<script').Count | Should -Be 2
        $html | Should -Not -Match '[\x1b\u202e]'
        $json = [regex]::Match($html, '(?s)id="data">(.*?)</script>').Groups[1].Value | ConvertFrom-Json
        -join $json[0].tokens.ForEach({ $_[0] }) | Should -BeLike '</script><script>alert(1)</script> <!-- *naïve 👑 *'
    }

    It 'keeps an existing file without -Force, and writes nothing with -WhatIf' {
        Set-Content $page 'mine'
        { Measure-Gpt2Text Once -Model 3M -Html $page -ErrorAction Stop } | Should -Throw -ErrorId 'AlreadyExists,*'
        Measure-Gpt2Text Once -Model 3M -Html $page -Force -WhatIf | Should -BeNullOrEmpty
        Get-Content $page | Should -Be 'mine'
        Measure-Gpt2Text Once -Model 3M -Html $page -Force | Should -Not -BeNullOrEmpty
    }

    It 'does not go with -CountOnly' {
        { Measure-Gpt2Text Once -Model 3M -Html $page -CountOnly } | Should -Throw -ErrorId 'InvalidArgument,*'
    }
}
