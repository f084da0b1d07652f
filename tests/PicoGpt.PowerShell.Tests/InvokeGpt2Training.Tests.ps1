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
