BeforeAll { . "$PSScriptRoot/Common.ps1" }

Describe 'ConvertFrom-Gpt2Token' {
    It 'takes ids as they stand in a text, and refuses what is none: <Given>' -ForEach @(
        @{ Given = '1529, 321' }
        @{ Given = "[1529,`n 321]" }
    ) {
        ConvertFrom-Gpt2Token $Given -Model 3M | Should -BeExactly 'Once'
        $Given | ConvertFrom-Gpt2Token -Model 3M | Should -BeExactly 'Once'
    }

    It 'refuses <Given>, which is not the id of a token' -ForEach @{ Given = 1.5 }, @{ Given = 'king' }, @{ Given = '1.5' }, @{ Given = $true }, @{ Given = '1529, x' } {
        { ConvertFrom-Gpt2Token $Given -Model 3M } | Should -Throw -ExpectedMessage '* is not the id of a token, nor several; whole numbers are expected.'
    }

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

Describe 'A text that commands a terminal' {
    BeforeAll {
        $hostile = "a`e]0;owned`a`e[2Jb`r`nc`rd`u{202e}e`u{200b}f`tg 👨‍👩 `u{9b}1A`n`nend"
        $ids = ($hostile | ConvertTo-Gpt2Token -Model 3M).Id
        $text = $ids | ConvertFrom-Gpt2Token -Model 3M
    }

    It 'is the string that it is, to whatever asks for it' {
        $text | Should -BeOfType string
        $text | Should -BeExactly $hostile
        "$text" | Should -BeExactly $hostile
        [string]$text | Should -BeExactly $hostile
        $text.Length | Should -Be $hostile.Length
        ($text | Get-Member).TypeName | Select-Object -Unique | Should -Be 'System.String'
        $text | ConvertTo-Json | Should -BeExactly ($hostile | ConvertTo-Json)
        @{ $text = 1 }[$hostile] | Should -Be 1
    }

    It 'goes into files and strings as it is' {
        $text | Out-String | Should -BeExactly ($hostile | Out-String)
        $text | Out-String -Width 20 | Should -BeExactly ($hostile | Out-String -Width 20)
        $text > "$TestDrive/redirected"
        $hostile > "$TestDrive/expected"
        Get-Content "$TestDrive/redirected" -Raw | Should -BeExactly (Get-Content "$TestDrive/expected" -Raw)
        Set-Content "$TestDrive/set" $text -NoNewline
        Get-Content "$TestDrive/set" -Raw | Should -BeExactly $hostile
    }

    It 'comes back from a job as the same string' {
        $job = Start-Job { Import-Module $using:module; $using:ids | ConvertFrom-Gpt2Token -Model 3M }
        $job | Receive-Job -Wait -AutoRemoveJob | Should -BeExactly $hostile
    }

    It 'leaves other strings as they are' {
        ConvertFrom-Gpt2Token @() -Model 3M | Should -BeExactly ''
        [psobject]::new('').PSTypeNames | Should -Be 'System.String', 'System.Object'
    }

    It 'goes to another program as it is, and is spelled out on a terminal' -Tag 'needs a terminal, which script of util-linux makes' -Skip:(-not ($IsLinux -and (Get-Command script -ErrorAction Ignore))) {
        Set-Content "$TestDrive/show.ps1" "
            Import-Module '$module'
            `$t = ConvertFrom-Gpt2Token $($ids -join ',') -Model 3M
            'first'; `$t; 'second'; `$t | Out-Host; 'last'
            `$t | Set-Content -NoNewline '$TestDrive/beside'"
        $command = @(Get-PowerShellCommand) + '-NoProfile', '-File', "$TestDrive/show.ps1" | ForEach-Object { "'$_'" } | Join-String -Separator ' '
        $onTerminal, $inPipe = "script -qec `"$command`" /dev/null", $command | ForEach-Object {
            bash -c "$_ > '$TestDrive/shown'"
            (Get-Content "$TestDrive/shown" -Raw) -replace "`r`n", "`n" -match '(?s)first\n(?<one>.*)\nsecond\n(?<two>.*)\nlast' | Should -BeTrue
            , ($Matches.one, $Matches.two)
        }
        $onTerminal | Should -BeExactly (, ("a\x1b]0;owned\x07\x1b[2Jb`nc`nd\u202ee\u200bf`tg 👨‍👩 \x9b1A`n`nend") * 2)
        $inPipe | Should -BeExactly (, ($hostile -replace "`r`n", "`n") * 2)
        Get-Content "$TestDrive/beside" -Raw | Should -BeExactly $hostile
    }
}
