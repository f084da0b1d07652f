BeforeAll { . "$PSScriptRoot/Common.ps1" }

Describe 'Units and words' {
    It 'shows <Bytes> bytes as <Text>' -ForEach @(
        @{ Bytes = 0; Text = '0 B' }
        @{ Bytes = 1023; Text = '1023 B' }
        @{ Bytes = 1536; Text = '1.5 KiB' }
        @{ Bytes = 499263233; Text = '476.1 MiB' }
        @{ Bytes = 6230444800; Text = '5.8 GiB' }
    ) { [PicoGpt.PowerShell.Format]::Bytes($Bytes) | Should -BeExactly $Text }

    It 'shows <Count> as <Text>' -ForEach @(
        @{ Count = 999; Text = '999' }
        @{ Count = 124439808; Text = '124.4 M' }
    ) { [PicoGpt.PowerShell.Format]::Count($Count) | Should -BeExactly $Text }

    It 'shows a time in milliseconds or seconds, and a speed with one digit' {
        [PicoGpt.PowerShell.Format]::Time([timespan]::FromMilliseconds(999.4)) | Should -BeExactly '999 ms'
        [PicoGpt.PowerShell.Format]::Time([timespan]::FromMilliseconds(61260)) | Should -BeExactly '61.3 s'
        [PicoGpt.PowerShell.Format]::Rate(332.68) | Should -BeExactly '332.7'
    }

    It 'makes control characters visible' {
        [PicoGpt.PowerShell.Format]::Visible("a`n`t`e[2J") | Should -BeExactly 'a\n\t\x1b[2J'
        [PicoGpt.PowerShell.Format]::Printable("a`n`e[2J$([char]0x9b)1m") | Should -BeExactly "a`n\x1b[2J\x9b1m"
    }
}

Describe 'What is on the screen' {
    BeforeEach { $rendering = $PSStyle.OutputRendering }
    AfterEach { $PSStyle.OutputRendering = $rendering }

    It 'is a completion with its prompt dim and its text bold' {
        $PSStyle.OutputRendering = 'Ansi'
        $shown = Invoke-Gpt2Generate 'Once upon a time' -Model 3M -MaxTokens 3 | Out-String
        $shown | Should -Match ([regex]::Escape("$($PSStyle.Dim)Once upon a time$($PSStyle.Reset)$($PSStyle.Bold)"))
    }

    It 'is plain text where that is asked for' {
        $PSStyle.OutputRendering = 'PlainText'
        Invoke-Gpt2Generate 'Once upon a time' -Model 3M -MaxTokens 3 | Out-String | Should -Not -Match '\e'
        'Once upon' | ConvertTo-Gpt2Token -Model 3M | Out-String | Should -Not -Match '\e'
    }

    It 'is a text cut at the borders of its tokens in alternating colours' {
        $PSStyle.OutputRendering = 'Ansi'
        $wide = 'Once upon a time' | ConvertTo-Gpt2Token -Model 3M | Format-Wide -AutoSize | Out-String
        $first, $second = [regex]::Escape($PSStyle.Foreground.Yellow), [regex]::Escape($PSStyle.Foreground.Cyan)
        $wide | Should -Match "${first}On\S*\e\[0m\s+$second"
    }

    It 'is a model with a bar of where its parameters are' {
        Get-Gpt2Model 3M | Out-String | Should -Match '█{6}▓{11}░{23}'
        Get-Gpt2Model 3M | Out-String | Should -Match 'embeddings 14\s*%.*attention 29\s*%.*mlp 57\s*%'
    }
}

Describe 'A view of <Type>' -ForEach @(
    @{ Type = 'Gpt2Model'; Make = { Get-Gpt2Model 3M }; Table = 'Name', 'Parameters', 'Layers', 'Heads', 'Width', 'Context', 'Precision', 'Path'; List = 'Name', 'Where they are', 'Path' }
    @{ Type = 'ModelInfo'; Make = { Get-Gpt2Model -ListAvailable }; Table = 'Name', 'State', 'Parameters', 'On disk', 'To fetch', 'Memory', 'Path'; List = 'Name', 'State', 'To fetch', 'Path' }
    @{ Type = 'ModelCheck'; Make = { Test-Gpt2Model 3M }; Table = 'File', 'Tensors', 'Result'; List = 'Model', 'File', 'Problem' }
    @{ Type = 'Gpt2Weight'; Make = { Get-Gpt2Weight -Model 3M }; Table = 'Name', 'Shape', 'DType', 'Size', 'Histogram'; List = 'Name', 'Shape', 'Size', 'StandardDeviation' }
    @{ Type = 'Gpt2Token'; Make = { "Wörter`n und 😀" | ConvertTo-Gpt2Token -Model 3M }; Table = 'Id', 'Text', 'Symbol', 'Bytes'; List = 'Id', 'Text', 'Bytes' }
    @{ Type = 'Gpt2Completion'; Make = { 'The king', ('Once upon a time ' * 9) | Invoke-Gpt2Generate -Model 3M }; Table = 'Prompt', 'Text', 'Tokens', 'Tokens/s', 'Ended by'; List = 'Prompt', 'Text', 'Ended by', 'Prefill' }
) {
    BeforeAll {
        $rendering, $PSStyle.OutputRendering = $PSStyle.OutputRendering, 'PlainText'
        $objects = & $Make
    }

    AfterAll { $PSStyle.OutputRendering = $rendering }

    It 'has every column and fits on a screen <_> wide' -ForEach 80, 120 {
        $rows = ($objects | Format-Table | Out-String -Width $_) -split '\r?\n'
        $rows -match "^ *$($Table -join ' +') *$" | Should -HaveCount 1
        ($rows | Measure-Object Length -Maximum).Maximum | Should -BeLessOrEqual $_
        $lines = ($objects | Format-List | Out-String -Width $_) -split '\r?\n'
        foreach ($label in $List) { $lines -match "^$label +: " | Should -Not -BeNullOrEmpty -Because $label }
        ($lines | Measure-Object Length -Maximum).Maximum | Should -BeLessOrEqual $_
    }

    It 'shows little of it among objects of other types' {
        $shown = (@([System.IO.FileInfo]"$TestDrive/a", $objects[0]) | Out-String -Width 80) -split '\r?\n'
        $shown -match '^\w+ +: ' | Should -Not -BeNullOrEmpty
        $shown.Count | Should -BeLessThan 22
        $shown -match '^(Parameters|Encoder|Values|Ids|HyperParameters) +: ' | Should -BeNullOrEmpty
    }
}

Describe 'Progress' {
    It 'tells tokens per second while many texts are generated, and is gone at the end' {
        $shell = [powershell]::Create()
        try {
            $null = $shell.AddScript("Import-Module '$module'; 1..200 | ForEach-Object { `"Once upon `$_`" } | Invoke-Gpt2Generate -Model 3M -MaxTokens 100 -Threads 1 -BatchSize 8 -NoSpeculation")
            $null = $shell.Invoke()
            $records = @($shell.Streams.Progress)
            $records.Count | Should -BeGreaterThan 1
            $records[0].Activity | Should -Be 'Generating with 3M'
            $records[0].StatusDescription | Should -Match '8 texts at once, \d+ tokens, [\d.]+ tokens/s'
            $records[-1].RecordType | Should -Be 'Completed'
        }
        finally { $shell.Dispose() }
    }

    It 'is not there for what takes less than a second' {
        $shell = [powershell]::Create()
        try {
            $null = $shell.AddScript("Import-Module '$module'; Invoke-Gpt2Generate Once -Model 3M -MaxTokens 3").Invoke()
            $shell.Streams.Progress | Where-Object Activity -Like 'Generating*' | Should -BeNullOrEmpty
        }
        finally { $shell.Dispose() }
    }
}

Describe 'A view in a session whose language is constrained' {
    BeforeAll {
        $shell = [powershell]::Create()
        $null = $shell.AddScript("Import-Module '$module'; `$ExecutionContext.SessionState.LanguageMode = 'ConstrainedLanguage'").Invoke()
        function Show-Constrained([string] $Line) {
            $shell.Commands.Clear()
            ($shell.AddScript("$Line | Out-String -Width 100").Invoke() | Out-String) -replace '\e\[[\d;]*m'
        }
    }

    AfterAll { $shell.Dispose() }

    It 'shows <Line> as elsewhere' -ForEach @(
        @{ Line = 'Get-Gpt2Model 3M'; Says = 'Where they are : █+' }
        @{ Line = 'Get-Gpt2Model'; Says = '3M +built in +3.1 M +11.9 MiB' }
        @{ Line = 'Get-Gpt2Model | Format-List'; Says = 'On disk +: 11.9 MiB' }
        @{ Line = 'Test-Gpt2Model 3M'; Says = 'Model: 3M(.|\n)*vocab.bpe +ok' }
        @{ Line = 'Get-Gpt2Weight ln_f/* -Model 3M'; Says = 'ln_f/g +192 Float32 +768 B [▁▂▃▄▅▆▇█ ]+' }
        @{ Line = 'Get-Gpt2Weight model/ln_f/b -Raw -Model 3M'; Says = '768 B 64aebd80 +model/ln_f/b' }
        @{ Line = '"wörld" | ConvertTo-Gpt2Token -Model 3M'; Says = "86 'w' +w +77" }
        @{ Line = '"wörld" | ConvertTo-Gpt2Token -Model 3M | Format-Wide'; Says = 'ld' }
        @{ Line = 'Invoke-Gpt2Generate "Once upon a time" -Model 3M -MaxTokens 4'; Says = 'Once upon a time, and the' }
        @{ Line = 'Invoke-Gpt2Generate "Once upon a time" -Model 3M -MaxTokens 4 | Format-List'; Says = 'Prefill +: \d+ ms' }
        @{ Line = 'Invoke-Gpt2Generate "Once upon a time" -Model 3M -MaxTokens 4 -Stream'; Says = '(?m)^ the\r?$' }
        @{ Line = 'Measure-Gpt2Text "The king had a modem." -Model 3M'; Says = '3M, surprisal in bits:(.|\n)*The king had a modem.' }
        @{ Line = '(Measure-Gpt2Text "The king" -Model 3M).Tokens'; Says = "' king' +5.62 +5 +7.56 ' old' 8.6 %" }
        @{ Line = 'Trace-Gpt2Text "The king" -Model 3M'; Says = 'Logit lens: what a layer would say next' }
        @{ Line = '(Trace-Gpt2Text "The king" -Model 3M -LogitLens).LogitLens[0]'; Says = "\d %, '" }
        @{ Line = 'Get-Gpt2Weight wpe -Model 3M | Show-Gpt2Weight -Width 40'; Says = 'wpe' }
    ) {
        Show-Constrained $Line | Should -Match $Says
    }
}

Describe 'Lines' {
    It 'of a completion break after words, at <_> columns' -ForEach 80, 120, 33 {
        $old = Set-Environment @{ COLUMNS = $_ }
        try { $shown = (Invoke-Gpt2Generate 'Once upon a time' -Model 3M -MaxTokens 60 | Out-String -Width 200) -replace '\e\[[\d;]*m' -split '\r?\n' }
        finally { Set-Environment $old | Out-Null }
        $text = (Invoke-Gpt2Generate 'Once upon a time' -Model 3M -MaxTokens 60).Text
        ($shown | Measure-Object Length -Maximum).Maximum | Should -BeLessThan $_
        $shown.Where({ $_ }).Count | Should -BeGreaterThan 2
        (-split "$shown") | Should -Be (-split "Once upon a time$text") -Because 'no word is broken'
    }

    It 'of a word that is longer than a line break in it' {
        $old = Set-Environment @{ COLUMNS = 30 }
        try { $shown = (Invoke-Gpt2Generate ('x' * 70) -Model 3M -MaxTokens 0 | Out-String -Width 200) -replace '\e\[[\d;]*m' -split '\r?\n' }
        finally { Set-Environment $old | Out-Null }
        $shown.Where({ $_ }).Length | Should -Be 29, 29, 12
    }

    It 'of pieces are theirs where they do not go to a terminal' {
        $pieces = Invoke-Gpt2Generate 'Once upon a time' -Model 3M -MaxTokens 3 -Stream
        ($pieces | Out-String) -replace '\r' | Should -Not -Match '\e\[A'
        ($pieces | Out-String).Trim() -split '\r?\n' | Should -Be ',', ' and', ' the'
        $pieces | Out-File "$TestDrive/pieces.txt"
        (Get-Content "$TestDrive/pieces.txt" -Raw) | Should -Not -Match '\e'
    }
}

Describe 'What can harm the screen' {
    It 'is spelled out, and joiners within words and emoji are a part of the text: <Case>' -ForEach @(
        @{ Case = 'a Persian word'; Text = "\u0645\u06CC\u200C\u062E\u0648\u0627\u0647\u0645"; Stays = $true }
        @{ Case = 'a family'; Text = "\U0001F468\u200D\U0001F469\u200D\U0001F467"; Stays = $true }
        @{ Case = 'a joiner between digits'; Text = "12\u200D4M"; Stays = $false }
        @{ Case = 'a joiner between Latin letters'; Text = "gpt\u200Cx"; Stays = $false }
        @{ Case = 'a joiner at the end'; Text = "\u0645\u200C"; Stays = $false }
        @{ Case = 'a direction'; Text = "\u0645\u202E\u0645"; Stays = $false }
        @{ Case = 'a control'; Text = "a\u001Bb"; Stays = $false }
    ) {
        $Text = [regex]::Replace([regex]::Replace($Text, '\\U([0-9A-F]{8})', { [char]::ConvertFromUtf32([Convert]::ToInt32($args[0].Groups[1].Value, 16)) }), '\\u([0-9A-F]{4})', { [char][Convert]::ToInt32($args[0].Groups[1].Value, 16) })
        $shows = @(
            [PicoGpt.PowerShell.Format]::Visible($Text)
            [PicoGpt.PowerShell.Format]::Printable($Text)
            [PicoGpt.PowerShell.MeasureView]::Beginning($Text)
            ([PicoGpt.PowerShell.MeasureView]::Draw((Measure-Gpt2Text $Text -Model 3M), 80, $false, $true)[1])
        )
        foreach ($shown in $shows) { $shown.Contains($Text) | Should -Be $Stays }
        if (-not $Stays) { foreach ($shown in $shows) { $shown | Should -Match '\\[xu]' } }
    }
}
