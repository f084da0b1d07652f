BeforeDiscovery {
    # What each emitted type means to each command that takes pipeline input; the table stands in the repository.
    $rows = Import-Csv "$PSScriptRoot/Pipeline.csv"
    $commands = $rows[0].PSObject.Properties.Name | Where-Object { $_ -like '*-*' }
    $pairs = foreach ($row in $rows) { foreach ($command in $commands) { @{ Type = $row.Type; Command = $command; Means = $row.$command } } }
}

BeforeAll { . "$PSScriptRoot/Common.ps1" }

Describe 'Texts from the pipeline' {
    BeforeAll {
        $old = Set-Environment @{ PICOGPT_MODEL = '' }
        Set-Content "$TestDrive/tale.txt" 'Once upon a time' -NoNewline
        Set-Content "$TestDrive/king.txt" 'The king' -NoNewline
        function Copy-Object([object] $Object) {
            [System.Management.Automation.PSSerializer]::Deserialize([System.Management.Automation.PSSerializer]::Serialize($Object))
        }
    }

    AfterAll { Set-Environment $old | Out-Null }

    It 'are read from files, and never their names: <Case>' -ForEach @(
        @{ Case = 'a file'; Make = { Get-Item "$TestDrive/tale.txt" } }
        @{ Case = 'a file of another session'; Make = { Copy-Object (Get-Item "$TestDrive/tale.txt") } }
        @{ Case = 'a row with a path'; Make = { Get-Item "$TestDrive/tale.txt" | Select-Object PSPath } }
    ) {
        (& $Make | Invoke-Gpt2Generate -Model 3M -MaxTokens 2).Prompt | Should -BeExactly 'Once upon a time'
        -join (& $Make | ConvertTo-Gpt2Token -Model 3M).Text | Should -BeExactly 'Once upon a time'
        (& $Make | Measure-Gpt2Text -Model 3M).Text | Should -BeExactly 'Once upon a time'
        (& $Make | Trace-Gpt2Text -Model 3M -Norm).Text | Should -BeExactly 'Once upon a time'
    }

    It 'are read from -Path with wildcards and from -LiteralPath by <_>' -ForEach 'Invoke-Gpt2Generate', 'ConvertTo-Gpt2Token', 'Measure-Gpt2Text', 'Trace-Gpt2Text' {
        $text = { $args[0].PSObject.Properties['Prompt'] ? $args[0].Prompt : $args[0].Text }
        $found = & $_ -Path "$TestDrive/*.txt" -Model 3M
        if ($_ -eq 'ConvertTo-Gpt2Token') { -join $found.Text | Should -BeExactly 'The kingOnce upon a time' }
        else { $found.ForEach({ & $text $_ }) | Should -BeExactly 'The king', 'Once upon a time' }
        $found = 'tale' | ForEach-Object { Get-Gpt2Model 3M } | & $_ -LiteralPath "$TestDrive/king.txt"
        if ($_ -eq 'ConvertTo-Gpt2Token') { -join $found.Text | Should -BeExactly 'The king' }
        else { & $text $found | Should -BeExactly 'The king' }
        { & $_ -LiteralPath "$TestDrive/*.txt" -Model 3M -ErrorAction Stop } | Should -Throw -ErrorId 'FileNotFound,*'
    }

    It 'tell a folder, and continue with the next' {
        $completions = (Get-Item $TestDrive), 'Once' | Invoke-Gpt2Generate -Model 3M -MaxTokens 2 -ErrorAction SilentlyContinue -ErrorVariable faults
        $completions.Prompt | Should -Be 'Once'
        $faults[0].FullyQualifiedErrorId | Should -BeLike 'FileNotFound,*'
        $faults[0].Exception.Message | Should -BeLike '*is a folder; give the files in it.'
    }

    It 'continue the whole text of a completion, here or from another session' {
        $completion = Invoke-Gpt2Generate Once -Model 3M -MaxTokens 3
        foreach ($given in $completion, (Copy-Object $completion)) {
            $next = $given | Invoke-Gpt2Generate -Model 3M -MaxTokens 3
            $next.Prompt | Should -BeExactly ($completion.Prompt + $completion.Text)
            $next.Seed | Should -BeNullOrEmpty
        }
        $sampled = Invoke-Gpt2Generate Once -Model 3M -MaxTokens 3 -Seed 4
        ($sampled | Invoke-Gpt2Generate -Model 3M -MaxTokens 3).Seed | Should -BeNullOrEmpty -Because 'the seed of a completion is not an option'
    }

    It 'are joined of tokens, a text for each that the tokens are of' {
        ('Once upon', 'naïve ☃' | ConvertTo-Gpt2Token -Model 3M | Invoke-Gpt2Generate -Model 3M -MaxTokens 2).Prompt | Should -BeExactly 'Once upon', 'naïve ☃'
        (Copy-Object ('naïve ☃' | ConvertTo-Gpt2Token -Model 3M) | Invoke-Gpt2Generate -Model 3M -MaxTokens 2).Prompt | Should -BeExactly 'naïve ☃'
        ('Once upon a time' | ConvertTo-Gpt2Token -Model 3M | Select-Object -First 3 | Measure-Gpt2Text -Model 3M).Text | Should -BeExactly 'Once upon'
        ((Measure-Gpt2Text 'Once upon' -Model 3M).Tokens | Invoke-Gpt2Generate -Model 3M -MaxTokens 2).Prompt | Should -BeExactly 'Once upon'
        'ö' | ConvertTo-Gpt2Token -Model 3M | Select-Object -First 1 | Invoke-Gpt2Generate -Model 3M -ErrorAction SilentlyContinue -ErrorVariable faults
        $faults[0].Exception.Message | Should -BeLike '*begin or end within a character; pipe all tokens of a text.'
    }

    It 'are refused where there is none: <Case>' -ForEach @(
        @{ Case = 'a hash table'; Value = @{ Prompt = 'x' }; Says = "*(Hashtable) has no text; pipe texts, files, completions, tokens, or objects with a property Text or Prompt.*" }
        @{ Case = 'an object'; Value = [pscustomobject]@{ Name = 'x' }; Says = '*An object has no text;*' }
        @{ Case = 'a process'; Value = [System.Diagnostics.Process]::GetCurrentProcess(); Says = '*(Process) has no text;*' }
        @{ Case = 'nothing'; Value = $null; Says = '*No text was given;*' }
    ) {
        foreach ($command in 'Invoke-Gpt2Generate', 'ConvertTo-Gpt2Token', 'Measure-Gpt2Text', 'Trace-Gpt2Text') {
            $Value | & $command -Model 3M -ErrorAction SilentlyContinue -ErrorVariable faults
            $faults[0].Exception.Message | Should -BeLike $Says
        }
    }

    It 'are jobs in the rows of a table' {
        'Prompt,MaxTokens,Seed,Temperature,Model', 'Once,3,,,', 'The king,5,3,0.8,3M', 'The queen,4,3,,3M', 'The wolf,abc,,,', 'The wolf,1.5,,,', 'The fox,2,,,744M', 'Once,,,,' |
            ConvertFrom-Csv | Invoke-Gpt2Generate -ErrorAction SilentlyContinue -ErrorVariable faults -OutVariable completions | Out-Null
        $completions.Prompt | Should -BeExactly 'Once', 'The king', 'The queen', 'Once'
        $completions.ForEach({ $_.Ids.Count }) | Should -Be 3, 5, 4, 40
        $completions.Seed | Should -Be $null, 3, 3, $null
        $completions[1].Text | Should -BeExactly (Invoke-Gpt2Generate 'The king' -Model 3M -MaxTokens 5 -Seed 3 -Temperature 0.8).Text
        $completions[2].Text | Should -BeExactly (Invoke-Gpt2Generate 'The queen' -Model 3M -MaxTokens 4 -Seed 3 -Temperature 1).Text
        $faults | Should -HaveCount 3
        $faults[0..1].Exception.Message | Should -BeLike '*is not a whole number*'
        $faults[2].Exception.Message | Should -BeLike "*no model named '744M'*"
    }

    It 'keep the model of a completion: its name alone does not choose one' {
        $null = New-Item "$TestDrive/copy" -ItemType Directory
        Copy-Item (Get-Gpt2Model 3M).Path "$TestDrive/copy/124M" -Recurse
        $completion = Invoke-Gpt2Generate Once -Model "$TestDrive/copy/124M" -MaxTokens 2
        { $completion | Invoke-Gpt2Generate -ErrorAction Stop } | Should -Throw -ErrorId 'InvalidArgument,*' -ExpectedMessage "*made with a model named '124M'*-Model.*"
        (Invoke-Gpt2Generate Once -Model 3M -MaxTokens 2 | Invoke-Gpt2Generate -MaxTokens 2).Prompt | Should -BeLike 'Once*'
    }
}

Describe 'Sampling' {
    It 'takes -TopK, -TopP or -Seed without a temperature for the wish to sample, and says so: <Case>' -ForEach @(
        @{ Case = 'TopK'; Options = @{ TopK = 40 } }
        @{ Case = 'TopP'; Options = @{ TopP = 0.9 } }
        @{ Case = 'Seed'; Options = @{ } }
    ) {
        $said = Invoke-Gpt2Generate 'The king' -Model 3M -Seed 7 @Options -Verbose 4>&1
        $completion = $said | Where-Object { $_ -isnot [System.Management.Automation.VerboseRecord] }
        "$said" | Should -BeLike "*-Temperature is 1, because -$Case asks for sampling; -Temperature 0 takes the likeliest token always.*"
        $completion.Text | Should -BeExactly (Invoke-Gpt2Generate 'The king' -Model 3M -Seed 7 @Options -Temperature 1).Text
        (Invoke-Gpt2Generate 'The king' -Model 3M -Seed 7 @Options -Temperature 0).Text | Should -BeExactly (Invoke-Gpt2Generate 'The king' -Model 3M).Text
    }

    It 'refuses <Line> in plain words' -ForEach @(
        @{ Line = { Invoke-Gpt2Generate a -Model 3M -TopP 0 }; Says = '*0 is outside its range; give more than 0 and at most 1.' }
        @{ Line = { Invoke-Gpt2Generate a -Model 3M -TopP 1.5 }; Says = '*1.5 is outside its range; give more than 0 and at most 1.' }
        @{ Line = { Invoke-Gpt2Generate a -Model 3M -Temperature -1 }; Says = '*-1 is outside its range; give 0 or more.' }
        @{ Line = { Invoke-Gpt2Generate a -Model 3M -Temperature NaN }; Says = '*NaN is outside its range; give 0 or more.' }
        @{ Line = { Invoke-Gpt2Generate a -Model 3M -MaxTokens many }; Says = "*'many' is not a whole number that can be taken." }
        @{ Line = { Invoke-Gpt2Generate a -Model 3M -Temperature 0, 7 }; Says = '*2 values were given for one number, 0, 7; a number has a decimal point, as in 0.7.' }
        @{ Line = { Invoke-Gpt2Generate a -Model 3M -Temperature '0,7' }; Says = "*'0,7' has a comma; write numbers with a decimal point*" }
        @{ Line = { [pscustomobject]@{ Prompt = 'a'; TopP = '0,9' } | Invoke-Gpt2Generate -Model 3M -ErrorAction Stop }; Says = "*'0,9' has a comma; write numbers with a decimal point*" }
        @{ Line = { Invoke-Gpt2Generate a -Model 3M -Intervention h0/mlp }; Says = "*'h0/mlp' (String) is not an intervention; *New-Gpt2Intervention h0/mlp -Zero." }
        @{ Line = { Show-Gpt2Weight wte -Model 3M }; Says = "*'wte' (String) is not a weight; *Get-Gpt2Weight*" }
        @{ Line = { Get-Gpt2Model 3M | Show-Gpt2Weight -ErrorAction Stop }; Says = "*'3M' (Gpt2Model) is not a weight; *" }
        @{ Line = { Trace-Gpt2Text a -Model 3M -Html { "$_.html" } }; Says = '*{ "$_.html" } is a script, which this parameter does not run; *ForEach-Object.' }
        @{ Line = { 'Once' | Invoke-Gpt2Generate ./mine -ErrorAction Stop }; Says = "*no model named 'Once'*what is piped are models; to pipe texts give the model with -Model." }
        @{ Line = { Invoke-Gpt2Generate a -Model 3M -Stop '' }; Says = '*-Stop is empty*' }
        @{ Line = { Get-Gpt2Weight wpe -Model 3M | Show-Gpt2Weight -Limit 0 }; Says = '*0 is outside its range; give more than 0.' }
    ) { $Line | Should -Throw -ExpectedMessage $Says }
}

Describe 'A text that is the name of a file too' {
    BeforeAll {
        Push-Location $TestDrive
        Set-Content king.txt 'The king'
        Set-Content queen.txt 'The queen'
    }

    AfterAll { Pop-Location }

    It 'comes with a warning, once: <Case>' -ForEach @(
        @{ Case = 'argument'; Read = { Measure-Gpt2Text king.txt -Model 3M } }
        @{ Case = 'pipeline'; Read = { Get-ChildItem *.txt -Name | Measure-Gpt2Text -Model 3M } }
    ) {
        $said = & $Read 3>&1
        $warnings = @($said | Where-Object { $_ -is [System.Management.Automation.WarningRecord] })
        $warnings | Should -HaveCount 1
        "$warnings" | Should -BeLike "'king.txt' is taken as a text, and is the name of a file too; to read the file give it as -Path, *"
        $said[-1].Text | Should -BeLike '*.txt'
    }

    It 'comes with none where the file is meant, or there is none' {
        $said = { Measure-Gpt2Text -Path king.txt -Model 3M; Get-ChildItem king.txt | Measure-Gpt2Text -Model 3M; Get-Content king.txt | Measure-Gpt2Text -Model 3M; Measure-Gpt2Text none.txt, 'A king.' -Model 3M }
        @(& $said 3>&1 | Where-Object { $_ -is [System.Management.Automation.WarningRecord] }) | Should -BeNullOrEmpty
    }
}

Describe 'The model where none is given' {
    BeforeEach {
        $old = Set-EmptyCache
    }

    AfterEach { Set-Environment $old | Out-Null }

    It 'is the built-in one, and a verbose line says so' {
        $said = Invoke-Gpt2Generate Once -MaxTokens 2 -Verbose 4>&1
        "$said" | Should -BeLike 'No -Model was given; 3M is used, the built-in one: none is in the cache, and PICOGPT_MODEL names none.*'
        $said[-1].Model | Should -Be '3M'
        ('Once' | Measure-Gpt2Text).Model | Should -Be '3M'
        ('Once' | Trace-Gpt2Text -Norm).Model | Should -Be '3M'
        ('Once' | ConvertTo-Gpt2Token).Id | ConvertFrom-Gpt2Token | Should -Be 'Once'
    }

    It 'is the one that PICOGPT_MODEL names, by name or path' {
        Copy-Item (Get-Gpt2Model 3M).Path "$TestDrive/mine" -Recurse -Force
        $env:PICOGPT_MODEL = "$TestDrive/mine"
        (Invoke-Gpt2Generate Once -MaxTokens 2).Model | Should -Be 'mine'
        $env:PICOGPT_MODEL = '3m'
        (Invoke-Gpt2Generate Once -MaxTokens 2).Model | Should -Be '3M'
        $env:PICOGPT_MODEL = 'nothing'
        { Invoke-Gpt2Generate Once } | Should -Throw -ErrorId 'UnknownModel,*' -ExpectedMessage "*PICOGPT_MODEL names 'nothing'*"
    }

    It 'is the only one in the cache' {
        foreach ($name in 'checkpoint', 'hparams.json', 'encoder.json', 'vocab.bpe', 'model.ckpt.index', 'model.ckpt.data-00000-of-00001') {
            $file = [System.IO.FileInfo]::new("$env:PICOGPT_HOME/774M/$name")
            $file.Directory.Create()
            $stream = $file.Create()
            $size = @{ 'checkpoint' = 77; 'hparams.json' = 91; 'encoder.json' = 1042301; 'vocab.bpe' = 456318; 'model.ckpt.data-00000-of-00001' = 3096120320 }[$name]
            if ($size) { $stream.SetLength($size) }
            $stream.Dispose()
        }
        { Invoke-Gpt2Generate Once } | Should -Throw -ExpectedMessage '*774M*'
    }
}

Describe 'The table of what the pipeline means' {
    BeforeAll {
        $old = Set-EmptyCache
        $null = New-Item "$TestDrive/there" -ItemType Directory
        Copy-Item (Get-Gpt2Model 3M).Path "$TestDrive/there/124M" -Recurse
        $there = (Get-Item "$TestDrive/there/124M").FullName
        Set-Content "$TestDrive/tale.txt" 'Once upon' -NoNewline
        $completion = Invoke-Gpt2Generate Once -Model 3M -MaxTokens 3 -Top 2
        $measure = Measure-Gpt2Text 'Once upon' -Model 3M
        $difference = Compare-Gpt2Model 3M 3M -Text 'Once upon'
        $trace = Trace-Gpt2Text 'Once upon' -Model 3M -LogitLens

        $grid = Measure-Gpt2Similarity -Token ' king', ' queen' -Model 3M
        $heads = Measure-Gpt2Head -Count 1 -Length 8 -Model 3M
        $direction = New-Gpt2Direction h3/resid_post -Toward 'She was happy.' -Model 3M
        $nearest = Measure-Gpt2Similarity -Direction (Get-Gpt2Weight wte -Model 3M).Row(300) -Top 1 -Model 3M
        $step = Invoke-Gpt2Training ('A frog. ' * 40) -Model 3M -Destination "$TestDrive/frog" -Steps 1 -ContextLength 16 | Select-Object -First 1

        # An object of each type, and what a word of the table stands for.
        $objects = @{
            'Gpt2Model'                = @{ Make = { Get-Gpt2Model -Path $there }; place = $there }
            'ModelInfo'                = @{ Make = { (Get-Gpt2Model)[0] }; place = (Get-Gpt2Model 3M).Path }
            'ModelCheck'               = @{ Make = { Test-Gpt2Model 3M | Select-Object -First 1 } }
            'FileInfo of a model'      = @{ Make = { Get-Item "$there/model.ckpt.index" }; place = $there }
            'DirectoryInfo of a model' = @{ Make = { Get-Item $there }; place = $there }
            'FileInfo of a text'       = @{ Make = { Get-Item "$TestDrive/tale.txt" }; content = 'Once upon' }
            'String that is a name'    = @{ Make = { '3M' }; name = (Get-Gpt2Model 3M).Path; text = '3M' }
            'Gpt2Weight'               = @{ Make = { Get-Gpt2Weight ln_f/b -Model 3M }; tensor = 'ln_f/b' }
            'RawTensor'                = @{ Make = { Get-Gpt2Weight model/ln_f/b -Raw -Model 3M }; tensor = 'model/ln_f/b' }
            'WeightSlice'              = @{ Make = { (Get-Gpt2Weight wte -Model 3M).Row(3) }; tensor = 'wte[3, :]' }
            'WeightPicture'            = @{ Make = { Get-Gpt2Weight wpe -Model 3M | Show-Gpt2Weight -Width 40 } }
            'Gpt2Token'                = @{ Make = { 'Once upon' | ConvertTo-Gpt2Token -Model 3M }; joined = 'Once upon'; ids = 'Once upon' }
            'Gpt2Completion'           = @{ Make = { $completion }; text = $completion.Text; 'prompt and text' = "Once$completion"; ids = $completion.Text }
            'GeneratedToken'           = @{ Make = { $completion.Tokens }; joined = $completion.Text; ids = $completion.Text }
            'Gpt2Session'              = @{ Make = { 'Once upon', '/back' | Enter-Gpt2Session 3M -MaxTokens 1 }; text = 'Once upon' }
            'Gpt2Piece'                = @{ Make = { Invoke-Gpt2Generate Once -Model 3M -MaxTokens 3 -Stream }; joined = $completion.Text; 'prompt and text' = "Once$completion" }
            'Gpt2TextMeasure'          = @{ Make = { $measure }; text = 'Once upon' }
            'Gpt2TokenMeasure'         = @{ Make = { $measure.Tokens }; joined = 'Once upon'; ids = 'Once upon' }
            'TokenAlternative'         = @{ Make = { $measure.Tokens[0].Top[0] }; text = $measure.Tokens[0].Top[0].Text; ids = $measure.Tokens[0].Top[0].Text }
            'Gpt2TextCount'            = @{ Make = { Measure-Gpt2Text 'Once upon' -Model 3M -CountOnly }; text = 'Once upon' }
            'Gpt2TextDifference'       = @{ Make = { $difference }; text = 'Once upon' }
            'Gpt2TokenDifference'      = @{ Make = { $difference.Tokens[0] }; text = 'On' }
            'Gpt2Trace'                = @{ Make = { $trace }; text = 'Once upon' }
            'LensPrediction'           = @{ Make = { $trace.LogitLens[0][0] } }
            'LensToken'                = @{ Make = { $trace.LogitLens[0][0].Top[0] }; text = $trace.LogitLens[0][0].Top[0].Text; ids = $trace.LogitLens[0][0].Top[0].Text }
            'Gpt2Intervention'         = @{ Make = { New-Gpt2Intervention 'h*/attn' -Zero } }
            'Gpt2Grid'                 = @{ Make = { $grid } }
            'Gpt2HeadScore'            = @{ Make = { $heads[0] } }
            'Gpt2WeightDifference'     = @{ Make = { Compare-Gpt2Model 3M 3M wpe } }
            'Gpt2NearestToken'         = @{ Make = { $nearest }; text = $nearest.Text; ids = $nearest.Text }
            'Gpt2Direction'            = @{ Make = { $direction } }
            'Gpt2TrainingStep'         = @{ Make = { $step } }
            'Int32'                    = @{ Make = { 321 }; text = '321'; ids = ConvertFrom-Gpt2Token 321 -Model 3M }
            'Hashtable'                = @{ Make = { @{ Name = '3M'; Text = 'x'; Prompt = 'x' } } }
        }

        # What a command took: the place of a model, the name of a tensor, a text; "refused" where it took nothing.
        $taken = @{
            'Compare-Gpt2Model'     = { ($input | Compare-Gpt2Model 3M 3M -ErrorAction Stop).Text }
            'Get-Gpt2Model'         = { $input | Get-Gpt2Model -ErrorAction Stop | ForEach-Object Path }
            'Test-Gpt2Model'        = { $input | Test-Gpt2Model -ErrorAction Stop | Select-Object -First 1 | ForEach-Object { $_.Model -eq '124M' ? $there : (Get-Gpt2Model $_.Model).Path } }
            'Remove-Gpt2Model'      = { $input | Remove-Gpt2Model -ErrorAction Stop }
            'Save-Gpt2Model'        = { $input | Save-Gpt2Model -ErrorAction Stop | ForEach-Object Path }
            'Get-Gpt2Weight'        = { $input | Get-Gpt2Weight wte -Raw -ErrorAction SilentlyContinue -ErrorVariable faults; if ("$faults" -match "The checkpoint '(.+)[\\/]model.ckpt' has no tensor 'wte'") { $Matches[1] } else { throw $faults[0] } }
            'Export-Gpt2Model'      = { $input | Export-Gpt2Model "$TestDrive/$([guid]::NewGuid())" -Format Npz -Name ln_f/b -ErrorAction Stop -Verbose 4>&1 | Out-Null; 'exported' }
            'Show-Gpt2Weight'       = { $input | Show-Gpt2Weight -ErrorAction Stop | ForEach-Object Name }
            'ConvertTo-Gpt2Token'   = { -join ($input | ConvertTo-Gpt2Token -Model 3M -ErrorAction Stop).Text }
            'ConvertFrom-Gpt2Token' = { $input | ConvertFrom-Gpt2Token -Model 3M -ErrorAction Stop }
            'Invoke-Gpt2Generate'   = { ($input | Invoke-Gpt2Generate -Model 3M -MaxTokens 1 -ErrorAction Stop).Prompt }
            'Invoke-Gpt2Training'   = { $input | Invoke-Gpt2Training -Model 3M -Destination "$TestDrive/none" -ErrorAction Stop }
            'New-Gpt2Model'         = { # tells how many characters it learnt from
                $said = $input | New-Gpt2Model -VocabularySize 257 -Layers 1 -Width 64 -Context 8 -ErrorAction Stop -Verbose 4>&1
                [regex]::Match("$said", 'of ([\d,.]+) characters').Groups[1].Value
            }
            'Measure-Gpt2Text'      = { ($input | Measure-Gpt2Text -Model 3M -ErrorAction Stop).Text }
            'Enter-Gpt2Session'     = { ($input | Enter-Gpt2Session 3M -MaxTokens 1 -Seed 1 -ErrorAction Stop).Turns[0].Text }
            'Measure-Gpt2Attribution' = { $null = $input | Measure-Gpt2Attribution Once -ErrorAction Stop; 'ran' }
            'Measure-Gpt2Head'      = { $null = $input | Measure-Gpt2Head -Count 1 -Length 8 -ErrorAction Stop; 'ran' }
            'Measure-Gpt2Patching'  = { $null = $input | Measure-Gpt2Patching 'The king was' 'The queen was' -Answer ' he' -By Part -ErrorAction Stop; 'ran' }
            'Measure-Gpt2Similarity' = { $null = $input | Measure-Gpt2Similarity -Token ' king', ' queen' -ErrorAction Stop; 'ran' }
            'New-Gpt2Direction'     = { $null = $input | New-Gpt2Direction h3/resid_post -Toward Once -ErrorAction Stop; 'ran' }
            'Trace-Gpt2Text'        = { ($input | Trace-Gpt2Text -Model 3M -Norm -ErrorAction Stop).Text }
        }
    }

    AfterAll { Set-Environment $old | Out-Null }

    It 'has every type that a command emits, and every command that takes pipeline input' {
        $types = (Import-Csv "$PSScriptRoot/Pipeline.csv").Type -replace ' .*'
        (Get-Command -Module PicoGpt).OutputType.Name -replace '.*\.' | Select-Object -Unique | Where-Object { $_ -notin 'Void', 'Boolean' } | Should -BeIn $types
        $takes = Get-Command -Module PicoGpt | Where-Object { $_.Parameters.Values.ParameterSets.Values.ValueFromPipeline -contains $true }
        (Import-Csv "$PSScriptRoot/Pipeline.csv")[0].PSObject.Properties.Name | Where-Object { $_ -ne 'Type' } | Sort-Object | Should -Be ($takes.Name | Sort-Object)
    }

    # A list of a type that is not public has no index to PowerShell, which then takes the whole list for its first element.
    It 'has types whose lists can be indexed: <Type>' -ForEach @((Import-Csv "$PSScriptRoot/Pipeline.csv").Type | ForEach-Object { @{ Type = $_ } }) {
        foreach ($property in (& $objects[$Type].Make | Select-Object -First 1).PSObject.Properties) {
            $list = $property.Value
            if ($list -isnot [System.Collections.IEnumerable] -or $list -is [string] -or $list -is [System.Collections.IDictionary]) { continue }
            $first = foreach ($item in $list) { , $item; break }
            if ($null -ne $first) { [object]::ReferenceEquals($list[0], $first) -or $list[0] -ceq $first | Should -BeTrue -Because "of $($property.Name)[0]" }
        }
    }

    It '<Command> takes a <Type> as: <Means>' -ForEach @($pairs) {
        $object = $objects[$Type]
        $fault = $null
        $given = @(& $object.Make)
        $got = try { $given | & $taken[$Command] } catch { $fault = $_; 'refused' }
        if ($Command -eq 'Invoke-Gpt2Training') { # its fault tells how many tokens it took, <|endoftext|> first
            $tooFew = "The text has $(1 + @(ConvertTo-Gpt2Token "$($object[$Means])" -Model 3M).Count) tokens, too few*"
            if ($Means -eq 'refused') { "$fault" | Should -Match '\w'; "$fault" | Should -Not -BeLike 'The text has *' } else { "$fault" | Should -BeLike $tooFew }
        }
        elseif ($Means -eq 'refused') { $got | Should -Be 'refused' }
        elseif ($Command -eq 'New-Gpt2Model') { $got | Should -Be ($object[$Means].Length.ToString('N0')) }
        elseif ($Means -eq 'runs') { $got | Should -Be 'ran' }
        elseif ($Means -eq 'elsewhere') { "$fault" | Should -BeLike '*is not the folder of a model of the cache in*' }
        elseif ($Command -eq 'Remove-Gpt2Model') { "$fault" | Should -BeLike 'The model 3M ships with the module*' }
        elseif ($Command -eq 'Export-Gpt2Model') { $got | Should -Be 'exported' }
        else { $got | Should -BeExactly $object[$Means] }
    }
}
