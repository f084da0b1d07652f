BeforeDiscovery {
    # Every name is refused by all who take the name of a model, and what is outside of the cache stays as it is.
    $names = @(
        '../outside', '..\outside', '/tmp', 'C:x', 'C:\x', '\\server\share', 'file:///tmp', 'CON', 'NUL', 'COM1.txt', '124M:x', '124M::$DATA', 'Env:PATH',
        '.', '..', '~', '124M/', '124M/../355M', '  ', ' 124M', '124M ', "124M`t", "124M`n", "124M`0", "124`u{39c}", "124`u{41c}", "124M`u{200b}", "`u{202e}M421",
        '-Force', ';exit', '$(exit)', '%TEMP%', ('x' * 5000), ('../' * 2000)
    )
    $hostile = -not $IsWindows # has no such names of files
}

BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    $sequence = "`e]0;owned`a`e[2J`b`r`u{9b}1A`u{202e}txt`u{200b}`u{feff}"
    $unprintable = "[\p{Cc}\p{Cf}\u2028\u2029-[`n`t]]"

    # The text as a screen gets it, but for the colours and line ends that are PowerShell's own.
    function Get-Shown { $input | Out-String -Width 200 | ForEach-Object { $_ -replace "`r`n", "`n" -replace '\e\[[\d;]*m' } }

    # A checkpoint whose three tensors are named to command the terminal, to end a quoted string, and to hide characters.
    function Write-HostileCheckpoint($Folder) {
        $null = New-Item $Folder -ItemType Directory -Force
        [System.IO.File]::WriteAllBytes("$Folder/model.ckpt.data-00000-of-00001", [byte[]](@(0, 0, 128, 63, 0, 0, 0, 64, 0, 0, 64, 64, 0, 0, 128, 64) * 3))
        [System.IO.File]::WriteAllBytes("$Folder/model.ckpt.index", [Convert]::FromBase64String(
                'AAAGCAEaAggBAC0TaBtbMzFtRQdMDVjigK5S4oCLWgo8c2NyaXB0PmFsZXJ0KDEpPC9zY3JpcHQ+CAESCBICCAISAggCKBA1TCiYdAAHFXRhZ/OggYEIARIIEgIIAhICCAIg' +
                'ICgQNUwomHQAMRV44oCdOyBXcml0ZS1Ib3N0IG93bmVkOyAiJChXcml0ZS1Ib3N0IG93bmVkKWAn4oCZCAESCBICCAISAggCIBAoEDVMKJh0AAAAAAEAAAAAm0yLHgAAAAAB' +
                'AAAAAMDyobAAAQN5ALwBAAAAAAEAAAAAR8JPLcEBCM4BDwAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAABX+4CLJHVH2w=='))
    }
}

Describe 'A name of a model' {
    BeforeAll {
        $old = Set-Environment @{ PICOGPT_HOME = "$TestDrive/cache"; PICOGPT_SOURCE = ''; PICOGPT_OFFLINE = '1' }
        $null = New-Item "$TestDrive/cache/124M/vocab.bpe", "$TestDrive/cache/outside/precious", "$TestDrive/outside/precious" -Force
        $before = (Get-ChildItem $TestDrive -Recurse).FullName
        Push-Location "$TestDrive/outside"
    }

    AfterAll {
        Pop-Location
        Set-Environment $old | Out-Null
    }

    It 'leads <Command> nowhere outside of the cache' -ForEach @(
        foreach ($command in 'Get-Gpt2Model', 'Save-Gpt2Model', 'Remove-Gpt2Model', 'Test-Gpt2Model') { @{ Command = $command; Names = $names } }
    ) {
        foreach ($name in $Names) { { & $Command $name -ErrorAction Stop } | Should -Throw -ErrorId 'UnknownModel,*' -Because $name }
        (Get-ChildItem $TestDrive -Recurse).FullName | Should -Be $before
    }

    It 'is a path to <Case>, which reads it and reports what it is not' -ForEach @(
        @{ Case = 'Get-Gpt2Weight -Model'; Command = { Get-Gpt2Weight -Model $args[0] -ErrorAction Stop }; Names = $names }
        @{ Case = 'Get-Gpt2Weight -Raw'; Command = { Get-Gpt2Weight -Raw -LiteralPath $args[0] -ErrorAction Stop }; Names = $names }
        @{ Case = 'ConvertTo-Gpt2Token'; Command = { ConvertTo-Gpt2Token a -Model $args[0] -ErrorAction Stop }; Names = $names }
        @{ Case = 'Invoke-Gpt2Generate'; Command = { Invoke-Gpt2Generate a -Model $args[0] -ErrorAction Stop }; Names = $names }
        @{ Case = 'Measure-Gpt2Text'; Command = { Measure-Gpt2Text a -Model $args[0] -ErrorAction Stop }; Names = $names }
        @{ Case = 'Trace-Gpt2Text'; Command = { Trace-Gpt2Text a -Model $args[0] -ErrorAction Stop }; Names = $names }
        @{ Case = 'Export-Gpt2Model'; Command = { Export-Gpt2Model exported Npz -Model $args[0] -ErrorAction Stop }; Names = $names }
    ) {
        foreach ($name in $Names) {
            $record = try { & $Command $name } catch { $_ }
            ($record.FullyQualifiedErrorId -split ',')[0] | Should -BeIn 'UnknownModel', 'FileNotFound', 'InvalidArgument' -Because $name
            $record.Exception.Message | Should -Not -Match $unprintable -Because $name
        }

        (Get-ChildItem $TestDrive -Recurse).FullName | Should -Be $before
    }

    It 'that is not a pattern is refused by <Case>, and the next one is taken' -ForEach @(
        @{ Case = 'Get-Gpt2Model'; Command = { '[', 'a[b', '3M' | Get-Gpt2Model -ErrorAction SilentlyContinue -ErrorVariable +faults }; Count = 1 }
        @{ Case = 'Test-Gpt2Model'; Command = { '[', 'a[b', '3M' | Test-Gpt2Model -Quiet -ErrorAction SilentlyContinue -ErrorVariable +faults }; Count = 1 }
        @{ Case = 'Remove-Gpt2Model'; Command = { '[', 'a[b', '355*' | Remove-Gpt2Model -ErrorAction SilentlyContinue -ErrorVariable +faults }; Count = 0 }
        @{ Case = 'Get-Gpt2Weight'; Command = { 1, 2 | ForEach-Object { Get-Gpt2Weight 'a[' -Model 3M -ErrorAction SilentlyContinue -ErrorVariable +faults } }; Count = 0 }
        @{ Case = 'Export-Gpt2Model'; Command = { 1, 2 | ForEach-Object { Export-Gpt2Model exported Npz -Name 'a[' -Model 3M -ErrorAction SilentlyContinue -ErrorVariable +faults } }; Count = 0 }
        @{ Case = 'Trace-Gpt2Text'; Command = { 1, 2 | ForEach-Object { Trace-Gpt2Text a -Activation 'a[' -Model 3M -ErrorAction SilentlyContinue -ErrorVariable +faults } }; Count = 0 }
    ) {
        $faults = [System.Collections.ArrayList]::new()
        @(. $Command).Count | Should -Be $Count
        $faults | Should -HaveCount 2
        $faults.FullyQualifiedErrorId | Should -BeLike 'InvalidArgument,*'
        $faults[0].CategoryInfo.Category | Should -Be 'InvalidArgument'
    }

    It 'of a null character is not a path to write to' {
        foreach ($write in { Export-Gpt2Model "a`0b" Npz -Model 3M -ErrorAction Stop }, { Trace-Gpt2Text a -Model 3M -Html "a`0b.html" -ErrorAction Stop }) {
            $write | Should -Throw -ErrorId 'InvalidArgument,*'
        }
    }
}

Describe 'A link in the cache' -Tag 'needs a system that lets everybody make links' -Skip:(-not $hostile) {
    BeforeEach {
        $old = Set-EmptyCache
        $elsewhere = Join-Path $TestDrive ([guid]::NewGuid())
        $null = New-Item "$elsewhere/vocab.bpe" -Value mine -Force
        $null = New-Item $env:PICOGPT_HOME -ItemType Directory
    }

    AfterEach { Set-Environment $old | Out-Null }

    It 'to a folder is deleted by Remove-Gpt2Model, and the folder is not' {
        $null = New-Item "$env:PICOGPT_HOME/124M" -ItemType SymbolicLink -Value $elsewhere
        (Get-Gpt2Model).State | Should -Be 'BuiltIn', 'Partial'
        Remove-Gpt2Model 124M -ErrorAction Stop
        Get-ChildItem $env:PICOGPT_HOME | Should -BeNullOrEmpty
        Get-Content "$elsewhere/vocab.bpe" | Should -Be 'mine'
    }

    It 'to a file of a model is deleted with it, what it leads to is not, and a link of somebody else stays' {
        $null = New-Item "$env:PICOGPT_HOME/124M/folder" -ItemType SymbolicLink -Value $elsewhere -Force
        $null = New-Item "$env:PICOGPT_HOME/124M/vocab.bpe" -ItemType SymbolicLink -Value "$elsewhere/vocab.bpe"
        Remove-Gpt2Model 124M -ErrorAction Stop -WarningVariable warnings -WarningAction SilentlyContinue
        (Get-ChildItem "$env:PICOGPT_HOME/124M").Name | Should -Be 'folder'
        $warnings | Should -BeLike '*did not put folder there.'
        Get-Content "$elsewhere/vocab.bpe" | Should -Be 'mine'
    }

    It 'to nothing or to itself is not a model, and can be removed' {
        $null = New-Item "$env:PICOGPT_HOME/124M" -ItemType SymbolicLink -Value "$elsewhere/nothing" -Force
        bash -c "ln -s 355M '$env:PICOGPT_HOME/355M'"
        (Get-Gpt2Model).Name | Should -Be '3M'
        Remove-Gpt2Model 124M, 355M -ErrorAction Stop
        Get-ChildItem $env:PICOGPT_HOME | Should -BeNullOrEmpty
    }
}

Describe 'A file named checkpoint' {
    BeforeAll {
        $null = New-Item "$TestDrive/mine/run" -ItemType Directory -Force
        Copy-Item "$((Get-Gpt2Model 3M).Path)" "$TestDrive/other" -Recurse
        Remove-Item "$TestDrive/other/checkpoint"
    }

    It 'may lead out of the folder that was given, by <Named>, and <Case> tells it' -ForEach @(
        foreach ($named in '../other/model.ckpt', '{0}/other/model.ckpt') {
            @{ Case = 'Get-Gpt2Model'; Named = $named; Command = { Get-Gpt2Model -Path "$TestDrive/mine" } }
            @{ Case = 'Get-Gpt2Model -LiteralPath'; Named = $named; Command = { Get-Gpt2Model -LiteralPath "$TestDrive/mine/checkpoint" } }
            @{ Case = 'Get-Gpt2Weight'; Named = $named; Command = { Get-Gpt2Weight wte -Model "$TestDrive/mine" } }
            @{ Case = 'Get-Gpt2Weight -Raw'; Named = $named; Command = { Get-Gpt2Weight model/wte -Raw -Path "$TestDrive/mine" } }
            @{ Case = 'ConvertTo-Gpt2Token'; Named = $named; Command = { ConvertTo-Gpt2Token a -Model "$TestDrive/mine" } }
        }
    ) {
        $path = $Named -f ($TestDrive -replace '\\', '/')
        Set-Content "$TestDrive/mine/checkpoint" "model_checkpoint_path: `"$path`""
        $warning = & $Command 3>&1 | Where-Object { $_ -is [System.Management.Automation.WarningRecord] }
        $warning | Should -HaveCount 1
        "$warning" | Should -BeLike "The file 'checkpoint' in '*mine' names weights outside of that folder; '*other*model.ckpt' is opened."
    }

    It 'that stays in the folder needs no word' {
        Copy-Item "$TestDrive/other/*" "$TestDrive/mine/run"
        Set-Content "$TestDrive/mine/checkpoint" 'model_checkpoint_path: "run/model.ckpt"'
        Get-Gpt2Model -Path "$TestDrive/mine" 3>&1 | Should -BeOfType PicoGpt.Gpt2Model
        Get-Gpt2Model -Path "$TestDrive/mine/run" 3>&1 | Should -BeOfType PicoGpt.Gpt2Model
    }
}

Describe 'On the screen' {
    BeforeAll {
        $rendering, $PSStyle.OutputRendering = $PSStyle.OutputRendering, 'Ansi'
        $view, $ErrorView = $ErrorView, 'NormalView'
        Write-HostileCheckpoint "$TestDrive/tensors"
        $name = $IsWindows ? "a`u{202e}b`u{200b}" : "a<script>alert(1)$sequence"
        $folder = Join-Path $TestDrive $name
        Copy-Item -LiteralPath (Get-Gpt2Model 3M).Path $folder -Recurse
        $model = Get-Gpt2Model -LiteralPath $folder
        $old = Set-Environment @{ PICOGPT_HOME = $folder; PICOGPT_OFFLINE = '1' }
        $tensor = Get-Gpt2Weight h* -Raw -Path "$TestDrive/tensors"
        $text = "Once$sequence"
    }

    AfterAll {
        $PSStyle.OutputRendering, $ErrorView = $rendering, $view
        Set-Environment $old | Out-Null
        [System.IO.Directory]::Delete($folder, $true) # which PowerShell's own commands cannot, for its name
    }

    It '<Case> commands no terminal' -ForEach @(
        @{ Case = 'a tensor'; Show = { $tensor; $tensor | Format-List; $tensor | Format-Wide; "$tensor" }; Spelled = '*h\x1b`[31mE\x07L\rX\u202eR\u200bZ\n<script>*' }
        @{ Case = 'a slice of a tensor'; Show = { $tensor.Slice('0'); $tensor.Slice('0') | Format-List }; Spelled = '*h\x1b`[31mE\x07L\rX\u202eR\u200bZ\n<script>*' }
        @{ Case = 'a picture of a tensor'; Show = { ($tensor | Show-Gpt2Weight).Lines; ($tensor | Show-Gpt2Weight -As Histogram).Lines }; Spelled = '*h\u001b`[31mE\u0007L\u000dX\u202e*' }
        @{ Case = 'a model'; Show = { $model; $model | Format-Table; $model | Format-Wide }; Spelled = '*\u202e*' }
        @{ Case = 'the list of models'; Show = { Get-Gpt2Model -ListAvailable | Format-List; Get-Gpt2Model -ListAvailable | Format-Table }; Spelled = '*\u202e*' }
        @{ Case = 'a check'; Show = { Test-Gpt2Model 124M; Test-Gpt2Model 124M | Format-List }; Spelled = '*\u202e*' }
        @{ Case = 'a text'; Show = { $c = Invoke-Gpt2Generate $text -Model $model -MaxTokens 1; $c; $c | Format-List; $c | Format-Table }; Spelled = '*Once\x1b]0;owned\x07\x1b`[2J*\u202etxt\u200b*' }
        @{ Case = 'a token'; Show = { $t = $text | ConvertTo-Gpt2Token -Model $model; $t; $t | Format-Wide; $t | Format-List }; Spelled = '*\x1b*\x07*' }
        @{ Case = 'a measure'; Show = { $m = Measure-Gpt2Text $text -Model $model; $m; $m | Format-List; $m | Format-Table; $m | Format-Wide }; Spelled = '*\u202e*Once\u001b]0;owned\u0007\u001b`[2J*\u202etxt\u200b*' }
        @{ Case = 'the measure of a token'; Show = { $m = (Measure-Gpt2Text $text -Model $model).Tokens; $m; $m | Format-List; $m | Format-Wide; $m.Top; $m.Top | Format-List; $m.Top | Format-Wide }; Spelled = '*\u001b*\u0007*' }
        @{ Case = 'a trace'; Show = { $t = Trace-Gpt2Text $text -Model $model; $t; $t | Format-List }; Spelled = '*\u202e*' }
        @{ Case = 'what the logit lens says'; Show = { $p = (Trace-Gpt2Text $text -Model $model -LogitLens).LogitLens[0]; $p; $p | Format-List; $p.Top; $p.Top | Format-List }; Spelled = '*Top*' }
        @{ Case = 'an error'; Show = { Get-Gpt2Model $text; Get-Gpt2Weight $text -Raw -Path "$TestDrive/tensors"; Get-Gpt2Weight "w$text" -Model $model; Get-Gpt2Model -LiteralPath "$folder/none" } ; Spelled = '*\u202e*' }
        @{ Case = 'a fault of the system'; Show = { Get-Gpt2Model "x$([char]0x1b)[" }; Spelled = '*\x1b`[*' }
        @{ Case = 'a warning or a remark'; Show = { ConvertTo-Gpt2Token a -Model $folder -Verbose; $null = Trace-Gpt2Text a -Model $folder -Verbose }; Spelled = '*\u202e*' }
    ) {
        $ErrorActionPreference = 'Continue'
        $shown = & $Show *>&1 | Get-Shown
        $shown | Should -BeLike $Spelled
        $shown | Should -Not -MatchExactly $unprintable
    }

    It 'a question or a completion commands no terminal, and what is completed is what is meant' {
        $script = "Import-Module '$module'; Export-Gpt2Model x Npz -Model (Get-Item '$TestDrive/a*') -WhatIf; Get-Gpt2Weight h* -Raw -Path '$TestDrive/tensors' | Show-Gpt2Weight -Path x.png -WhatIf"
        Set-Content "$TestDrive/what-if.ps1" $script
        $said = (Invoke-PowerShell -File "$TestDrive/what-if.ps1") -join "`n"
        $said | Should -BeLike 'What if: *\u202e*What if: *u001b*'
        $said | Should -Not -Match $unprintable

        foreach ($word in 'h', '"h', "'h", 'x', '"x', "'x", 't') {
            $line = "Get-Gpt2Weight -Raw -Path '$TestDrive/tensors' -Name $word"
            $found = (TabExpansion2 $line).CompletionMatches
            $found | Should -HaveCount 1
            $found.ListItemText + $found.ToolTip + $found.CompletionText | Should -Not -Match $unprintable
            $tokens, $faults = $null
            $ast = [System.Management.Automation.Language.Parser]::ParseInput("Get-Gpt2Weight $($found.CompletionText)", [ref] $tokens, [ref] $faults)
            $faults | Should -BeNullOrEmpty
            $meant = $ast.Find({ $args[0] -is [System.Management.Automation.Language.CommandAst] }, $true).CommandElements[1]
            $meant | Should -BeOfType System.Management.Automation.Language.StringConstantExpressionAst
            $meant.Value | Should -BeIn (Get-Gpt2Weight -Raw -Path "$TestDrive/tensors").Name
        }
    }

    It 'a page runs no script of a model or a text, and hides nothing' {
        $pages = (Trace-Gpt2Text Once -Model 3M -Html "$TestDrive/plain.html"), (Trace-Gpt2Text "<script>alert(2)</script>$text" -Model $folder -Html "$TestDrive/page.html")
        $plain, $page = $pages | ForEach-Object { Get-Content $_ -Raw }
        [regex]::Matches($page, '<script').Count | Should -Be ([regex]::Matches($plain, '<script').Count)
        $page | Should -Not -Match 'alert\(2\)</'
        $page | Should -Not -MatchExactly "[\p{Cc}\p{Cf}-[`r`n`t]]"
    }
}
