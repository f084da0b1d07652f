BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    $text = (1..120 | ForEach-Object { "The grey cat number $_ sat upon the old wall and sang to the moon, and the moon said nothing.`n" }) -join ''
    $small = @{ Model = '3M'; Steps = 6; BatchSize = 2; ContextLength = 32; LearningRate = 1e-3; WarmupSteps = 1 }
    function Get-WeightHash([string] $Folder) { (Get-FileHash "$Folder/model-6.data-00000-of-00001").Hash }
}

Describe 'Invoke-Gpt2Training' {
    It 'lowers the loss of a held-out text, and leaves a folder that is a model' {
        $given = $text | Invoke-Gpt2Training @small -Destination "$TestDrive/mine" -EvaluateEvery 3
        $steps = $given | Where-Object Step
        $steps.Step | Should -Be (1..6)
        $steps[5].ValidationLoss | Should -BeLessThan $steps[0].Loss
        $steps[1].ValidationLoss | Should -BeNullOrEmpty
        ($given | Out-String -Width 100) | Should -Match 'FullName\s*:\s*\S' -Because 'the folder is one line among the steps'
        ($given | Out-String -Width 100) | Should -Not -Match 'CreationTime'
        $given[-1].FullName | Should -Be (Get-Item "$TestDrive/mine").FullName
        (Measure-Gpt2Text $text.Substring(0, 200) -Model "$TestDrive/mine").CrossEntropy |
            Should -BeLessThan (Measure-Gpt2Text $text.Substring(0, 200) -Model 3M).CrossEntropy
    }

    It 'saves when what follows in the pipeline stops it, and resumes to the same weights' {
        $null = Invoke-Gpt2Training $text @small -Destination "$TestDrive/whole"
        $null = Invoke-Gpt2Training $text @small -Destination "$TestDrive/parts" | Select-Object -First 2
        "$TestDrive/parts/training-2.json" | Should -Exist
        $rest = Invoke-Gpt2Training $text -Model 3M -Destination "$TestDrive/parts" -Resume -Threads 1 -LowMemory
        ($rest | Where-Object Step).Step | Should -Be (3..6)
        Get-WeightHash "$TestDrive/parts" | Should -Be (Get-WeightHash "$TestDrive/whole")
    }

    It 'says that nothing is left to do where a training that is done is resumed' {
        $null = Invoke-Gpt2Training $text @small -Destination "$TestDrive/done"
        $given = Invoke-Gpt2Training $text -Model 3M -Destination "$TestDrive/done" -Resume -InformationVariable told
        $given.FullName | Should -Be (Get-Item "$TestDrive/done").FullName
        "$told" | Should -BeLike "All 6 steps of the training were done already.*-Model '*done'."
    }

    It 'refuses a folder that is not empty, a weight that is not there, and too little text' {
        New-Item "$TestDrive/full" -ItemType Directory | Out-Null
        Set-Content "$TestDrive/full/mine.txt" 'mine'
        { Invoke-Gpt2Training $text @small -Destination "$TestDrive/full" -ErrorAction Stop } | Should -Throw -ErrorId 'AlreadyExists,*'
        { Invoke-Gpt2Training $text @small -Destination "$TestDrive/new" -Freeze 'h9/*' -ErrorAction Stop } | Should -Throw -ErrorId 'TensorNotFound,*'
        { Invoke-Gpt2Training 'The cat.' @small -Destination "$TestDrive/new" -ErrorAction Stop } | Should -Throw -ErrorId 'InvalidArgument,*'
        "$TestDrive/new" | Should -Not -Exist
    }

    It 'says that nothing is validated where what is held out is too short' {
        $given = Invoke-Gpt2Training $text.Substring(0, 1200) @small -Destination "$TestDrive/short" -ValidationShare 0.02 -WarningVariable said -WarningAction SilentlyContinue
        $given | Where-Object ValidationLoss | Should -BeNullOrEmpty
        "$said" | Should -BeLike 'The share of the text that is held out, 0.02, is shorter than a window of 32 tokens,*'
    }

    It 'says that nothing is left when it is stopped after its last step' {
        $null = Invoke-Gpt2Training $text @small -Destination "$TestDrive/six" -WarningVariable said -WarningAction SilentlyContinue | Select-Object -First 6
        "$said" | Should -BeLike 'The training was stopped after its last step, 6, which is saved in *six'': it is complete.'
        (Get-Content "$TestDrive/six/training-6.json" -Raw | ConvertFrom-Json).Step | Should -Be 6
    }

    It 'says with what command to go on when it is stopped, and a stopped pipeline is saved' {
        $null = Invoke-Gpt2Training $text @small -Destination "$TestDrive/three" -WarningVariable said -WarningAction SilentlyContinue | Select-Object -First 3
        "$said" | Should -BeLike ('The training was stopped after step 3 of 6, which is saved in *three''. To go on, give the same texts to: ' +
            '*Invoke-Gpt2Training -Resume $text @small -Destination "$TestDrive/three"*')
        $shell = [powershell]::Create()
        $null = $shell.AddScript("Import-Module '$((Get-Module PicoGpt).Path)'; Invoke-Gpt2Training ('A grey cat. ' * 400) -Model 3M -Destination '$TestDrive/stopped' -Steps 100000 -ContextLength 32 -BatchSize 1")
        $output = [System.Management.Automation.PSDataCollection[psobject]]::new()
        $running = $shell.BeginInvoke([System.Management.Automation.PSDataCollection[psobject]]::new(), $output)
        while ($output.Count -lt 3 -and -not $running.IsCompleted) { Start-Sleep -Milliseconds 50 }
        $shell.Stop()
        (Get-Content (Get-Item "$TestDrive/stopped/training-*.json") -Raw | ConvertFrom-Json).Step | Should -BeGreaterOrEqual $output[-1].Step
        $rest = Invoke-Gpt2Training ('A grey cat. ' * 400) -Model 3M -Destination "$TestDrive/stopped" -Resume -WarningAction SilentlyContinue | Select-Object -First 1
        $rest.Step | Should -BeGreaterThan 3
    }

    It 'reads the text -Epochs times' {
        $steps = Invoke-Gpt2Training $text -Model 3M -Destination "$TestDrive/epoch" -Epochs 0.1 -BatchSize 2 -ContextLength 32 -ValidationShare 0 -EvaluateEvery 0 | Where-Object Step
        $windows = [math]::Floor(@(ConvertTo-Gpt2Token $text -Model 3M).Count / 32)
        $steps | Should -HaveCount ([math]::Ceiling($windows * 0.1 / 2))
    }

    It 'validates with files, stops when they are predicted no better, and keeps the best' {
        Set-Content "$TestDrive/held.txt" ('Zebras do not sing, and the sea was 90 fathoms deep. ' * 20)
        $given = Invoke-Gpt2Training $text -Model 3M -Destination "$TestDrive/best" -Steps 60 -BatchSize 2 -ContextLength 32 -LearningRate 3e-3 -ValidationPath "$TestDrive/he*.txt" -EvaluateEvery 2 -Patience 2 6>&1
        $steps = $given | Where-Object Step
        $steps.Count | Should -BeLessThan 60
        $best = ($steps | Where-Object ValidationLoss | Sort-Object ValidationLoss)[0]
        "$given" | Should -BeLike "*The training ended after step $($steps[-1].Step): the validation loss had not fallen for 2 validations. The model is that of step $($best.Step),*"
        (Get-ChildItem "$TestDrive/best/*.index").Name | Should -Be "model-$($best.Step).index"
        { Invoke-Gpt2Training $text @small -Destination "$TestDrive/none" -ValidationLiteralPath "$TestDrive/he*.txt" -ErrorAction Stop } | Should -Throw -ErrorId 'FileNotFound,*'
    }

    It 'writes the curves as a page and as a picture' {
        $given = Invoke-Gpt2Training $text @small -Destination "$TestDrive/page" -Report "$TestDrive/page.html" -SampleEvery 3
        $given[-1].FullName | Should -Be (Get-Item "$TestDrive/page.html").FullName
        Get-Content "$TestDrive/page.html" -Raw | Should -Match '(?s)step 6 of 6.*"losses":\[\[1,.*"samples":\[\[3,'
        $given[2].Sample | Should -Not -BeNullOrEmpty
        $null = Invoke-Gpt2Training $text @small -Destination "$TestDrive/page" -Report "$TestDrive/page.svg" -Resume
        ([xml](Get-Content "$TestDrive/page.svg" -Raw)).svg.polyline | Should -HaveCount 2
        { Invoke-Gpt2Training $text @small -Destination "$TestDrive/again" -Report "$TestDrive/page.html" -ErrorAction Stop } | Should -Throw -ErrorId 'AlreadyExists,*'
        "$TestDrive/again" | Should -Not -Exist
    }

    It 'refuses before the first step what could not be written after the last' {
        Set-Content "$TestDrive/file" ''
        foreach ($places in @{ Destination = "$TestDrive/file/a" }, @{ Destination = "$TestDrive/fine"; Report = "$TestDrive/file/r.html" }) {
            $steps = Invoke-Gpt2Training $text @small @places -ErrorAction SilentlyContinue -ErrorVariable faults
            $steps | Should -BeNullOrEmpty
            $faults[0].FullyQualifiedErrorId | Should -BeLike 'Unwritable,*'
        }

        "$TestDrive/fine" | Should -Not -Exist
    }

    It 'tells once what cannot be written, also where no model is given' {
        Set-Content "$TestDrive/file" ''
        $old = Set-EmptyCache
        try { Invoke-Gpt2Training $text -Destination "$TestDrive/file/a" -ErrorAction SilentlyContinue -ErrorVariable faults }
        finally { Set-Environment $old | Out-Null }
        $faults | Should -HaveCount 1
    }

    It 'keeps the model where its report cannot be written any more' {
        $given = Invoke-Gpt2Training $text @small -Destination "$TestDrive/kept" -Report "$TestDrive/gone.html" -SaveEvery 1 -ErrorAction SilentlyContinue -ErrorVariable faults |
            ForEach-Object {
                if ($_.Step -eq 2) { Remove-Item "$TestDrive/gone.html"; $null = New-Item "$TestDrive/gone.html" -ItemType Directory }
                $_
            }
        $given[-1].FullName | Should -Be (Get-Item "$TestDrive/kept").FullName
        $given | Should -HaveCount 7
        $faults | Should -HaveCount 1
        $faults[0].FullyQualifiedErrorId | Should -BeLike 'Unwritable,*'
        "$($faults[0])" | Should -BeLike '*gone.html*'
    }

    It 'says so where it is stopped and what was learnt cannot be saved' {
        Invoke-Gpt2Training $text @small -Destination "$TestDrive/unsaved" -WarningVariable said -WarningAction SilentlyContinue |
            ForEach-Object { Set-Content "$TestDrive/unsaved" 'mine'; $_ } | Select-Object -First 2 | Out-Null
        "$said" | Should -BeLike 'The training was stopped after step 2 of 6, which could not be saved. *unsaved*'
        Get-Content "$TestDrive/unsaved" | Should -Be 'mine'
    }

    It 'names the option that differs when it is resumed' {
        $null = Invoke-Gpt2Training $text @small -Destination "$TestDrive/named" -WarningAction SilentlyContinue | Select-Object -First 1
        { Invoke-Gpt2Training $text -Model 3M -Destination "$TestDrive/named" -Resume -Seed 7 -WeightDecay 0.5 -ErrorAction Stop } |
            Should -Throw -ErrorId 'InvalidArgument,*' -ExpectedMessage '*begun with other options: WeightDecay 0.01, Seed 1; leave them out to resume it.'
    }

    It 'stops at a loss that explodes, and names the checkpoint that stays' {
        { Invoke-Gpt2Training $text -Model 3M -Destination "$TestDrive/wild" -Steps 60 -BatchSize 1 -ContextLength 32 -LearningRate 2 -ClipNorm 0 -SaveEvery 1 -ErrorAction Stop } |
            Should -Throw -ErrorId 'InvalidArgument,*' -ExpectedMessage '*Begin again with a smaller*such as 0.2*'
    }

    It 'warns of <Case>' -ForEach @(
        @{ Case = 'a text that is read too often'; Options = @{ Steps = 3000 }; Says = 'The text is short: in 3*000 steps each part of it is read * times*-Patience 3.' }
        @{ Case = 'a patience without validation'; Options = @{ Patience = 2; ValidationShare = 0 }; Says = 'Nothing is validated, so -Patience cannot end the training.' }
    ) {
        $few = $small + @{ Destination = "$TestDrive/$([guid]::NewGuid())" }
        foreach ($name in $Options.Keys) { $few[$name] = $Options[$name] }
        $null = Invoke-Gpt2Training $text @few -WarningVariable said -WarningAction SilentlyContinue | Select-Object -First 1
        @($said) -like $Says | Should -Not -BeNullOrEmpty
    }

    It 'says that a model which knows nothing needs more' {
        $new = New-Gpt2Model $text -VocabularySize 280 -Layers 1 -Width 64 -Context 32
        $null = Invoke-Gpt2Training $text -Model $new -Destination "$TestDrive/green" -Steps 2 -WarningVariable said -WarningAction SilentlyContinue
        "$said" | Should -BeLike 'The model knows nothing yet: its first loss, 5.*, is that of guessing.*-LearningRate 1e-3.'
    }

    It 'refuses <Line>' -ForEach @(
        @{ Line = { Invoke-Gpt2Training $text @small -Epochs 2 -Destination x }; Says = '*-Steps and -Epochs*' }
        @{ Line = { Invoke-Gpt2Training $text -Model 3M -Destination x -ValidationPath a.txt -ValidationShare 0.1 }; Says = '*leave -ValidationShare out, or them.' }
        @{ Line = { Invoke-Gpt2Training $text -Model 3M -Destination x -Patience 2 -EvaluateEvery 0 }; Says = '*-EvaluateEvery 0 leaves out*' }
        @{ Line = { Invoke-Gpt2Training $text -Model 3M -Destination x -Epochs 0 }; Says = '*0 is outside its range; give more than 0.' }
        @{ Line = { Invoke-Gpt2Training $text -Model 3M -Destination x -ContextLength 300 -ErrorAction Stop }; Says = '*context has 256*' }
        @{ Line = { Invoke-Gpt2Training $text -Model 3M -Destination x -BatchSize 1024 -ContextLength 256 -GradientAccumulation 0 }; Says = '*GradientAccumulation*' }
    ) { $Line | Should -Throw -ExpectedMessage $Says }

    It 'shows the losses as a curve of bars' {
        $steps = Invoke-Gpt2Training $text @small -Destination "$TestDrive/bars" | Where-Object Step
        $rows = ($steps | Out-String -Width 80) -split '\r?\n' | Where-Object { $_ -match '^\s*\d' }
        $rows[0] | Should -Match '^ +1 +\d+\.\d{4} █{12} '
        ([regex]::Matches($rows[5], '█')).Count | Should -BeLessThan 12
    }

    It 'writes nothing with -WhatIf' {
        Invoke-Gpt2Training $text @small -Destination "$TestDrive/what" -WhatIf | Should -BeNullOrEmpty
        "$TestDrive/what" | Should -Not -Exist
    }
}

Describe 'Low-rank adapters' {
    BeforeAll {
        $adapted = $small + @{ Rank = 4 }
        $adapted.Remove('LearningRate')
        $null = $text | Invoke-Gpt2Training @adapted -Destination "$TestDrive/adapter" -Verbose 4>&1 | Tee-Object -Variable said
    }

    It 'are trained in place of the weights, and kept as PEFT keeps them' {
        (Get-ChildItem "$TestDrive/adapter").Name | Sort-Object |
            Should -Be 'adapter_config.json', 'adapter_model.safetensors', 'training-6.json', 'training-6.safetensors'
        "$said" | Should -Match '73,728 of 3,111,936 parameters trained'
        $config = Get-Content "$TestDrive/adapter/adapter_config.json" | ConvertFrom-Json
        $config.peft_type, $config.r, $config.lora_alpha, $config.base_model_name_or_path | Should -Be 'LORA', 4, 8, '3M'
        $config.target_modules | Should -Be 'attn.c_attn', 'attn.c_proj', 'mlp.c_fc', 'mlp.c_proj'
    }

    It 'are applied by Get-Gpt2Model, and merged by Export-Gpt2Model to the same bits' {
        $model = Get-Gpt2Model 3M -Adapter "$TestDrive/adapter"
        $model.Name | Should -Be '3M + adapter'
        $piece = $text.Substring(0, 200)
        $bits = (Measure-Gpt2Text $piece -Model $model).CrossEntropy
        $bits | Should -BeLessThan (Measure-Gpt2Text $piece -Model 3M).CrossEntropy
        (Measure-Gpt2Text $piece -Model (Get-Gpt2Model 3M | Get-Gpt2Model -Adapter "$TestDrive/adapter")).CrossEntropy | Should -Be $bits
        $null = Export-Gpt2Model "$TestDrive/merged" -Format Safetensors -Model $model
        (Measure-Gpt2Text $piece -Model "$TestDrive/merged").CrossEntropy | Should -Be $bits
    }

    It 'resume to the same bits with the same model' {
        $null = $text | Invoke-Gpt2Training @adapted -Destination "$TestDrive/parts" | Select-Object -First 2
        $null = $text | Invoke-Gpt2Training -Model 3M -Destination "$TestDrive/parts" -Resume
        (Get-FileHash "$TestDrive/parts/adapter_model.safetensors").Hash | Should -Be (Get-FileHash "$TestDrive/adapter/adapter_model.safetensors").Hash
    }

    It 'are named where a model is asked for, and refused where there is none' {
        { Get-Gpt2Model -Path "$TestDrive/adapter" -ErrorAction Stop } | Should -Throw -ErrorId 'AdapterAlone,*' -ExpectedMessage "*'3M'*by Get-Gpt2Model -Adapter."
        { Get-Gpt2Model 3M -Adapter "$TestDrive/nothing" -ErrorAction Stop } | Should -Throw -ErrorId 'FileNotFound,*'
        { Invoke-Gpt2Training $text @small -Alpha 3 -Destination "$TestDrive/new" -ErrorAction Stop } | Should -Throw -ErrorId 'InvalidArgument,*'
    }
}
