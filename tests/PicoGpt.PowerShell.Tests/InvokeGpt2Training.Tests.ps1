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
