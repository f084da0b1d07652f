BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    $model = Get-Gpt2Model 3M
    $said = (Invoke-Gpt2Generate Once -Model $model -MaxTokens 8).Text
}

Describe 'Export-Gpt2Model' {
    It 'writes a folder that says the same as <Format>' -ForEach @(
        @{ Format = 'Npz'; Names = 'model.npz', 'hparams.json', 'encoder.json', 'vocab.bpe' }
        @{ Format = 'safetensors'; Names = 'model.safetensors', 'config.json', 'vocab.json', 'merges.txt' }
        @{ Format = 'TensorFlow'; Names = 'model.ckpt.data-00000-of-00001', 'model.ckpt.index', 'checkpoint', 'hparams.json', 'encoder.json', 'vocab.bpe' }
    ) {
        $files = $model | Export-Gpt2Model "$TestDrive/as $Format" -Format $Format
        $files | ForEach-Object { $_ | Should -BeOfType System.IO.FileInfo }
        $files.Name | Should -BeExactly $Names
        $files.Name | Sort-Object | Should -Be (Get-ChildItem "$TestDrive/as $Format").Name
        (Invoke-Gpt2Generate Once -Model "$TestDrive/as $Format" -MaxTokens 8).Text | Should -BeExactly $said
        (Invoke-Gpt2Generate Once -Model $files[0].FullName -MaxTokens 8 -Precision Int8).Text | Should -Not -BeNullOrEmpty
    }

    It 'knows the format by the ending of a file, and asks for it otherwise' {
        (Export-Gpt2Model "$TestDrive/ending/tales.GGUF" -Model $model).Name | Should -Be 'tales.GGUF'
        (Export-Gpt2Model "$TestDrive/ending/ln.npz" -Model $model -Name ln_f/g).Name | Should -Be 'ln.npz'
        (Get-Gpt2Model -Path "$TestDrive/ending/tales.GGUF").Name | Should -Be 'tales'
        { Export-Gpt2Model "$TestDrive/none" -Model $model -ErrorAction Stop } | Should -Throw -ErrorId 'InvalidArgument,*' -ExpectedMessage "*none' tells no format; give one with -Format, Gguf, *"
        { Export-Gpt2Model "$TestDrive/ending/a.safetensors" Gguf -Model $model -ErrorAction Stop } |
            Should -Throw -ErrorId 'InvalidArgument,*' -ExpectedMessage "*a.safetensors' ends as a file of Safetensors does, and Gguf is to be written; give a path that ends in .gguf, or a folder."
        { Export-Gpt2Model { "$_.npz" } Npz -Model $model } | Should -Throw -ExpectedMessage '*is a script, which this parameter does not run*'
        (Get-ChildItem "$TestDrive/ending").Name | Should -Be 'ln.npz', 'tales.GGUF'
    }

    It 'takes names, paths and objects, and resolves paths as PowerShell does' {
        Push-Location $TestDrive
        try {
            '3M' | Export-Gpt2Model from-name Npz | Should -HaveCount 4
            Export-Gpt2Model TestDrive:/from-path Safetensors -Model ./from-name | Should -HaveCount 4
        }
        finally { Pop-Location }
        (Get-Gpt2Weight 'h0/ln_1/g' -Model "$TestDrive/from-path").Mean | Should -Be (Get-Gpt2Weight 'h0/ln_1/g' -Model $model).Mean
    }

    It 'writes the same whatever the precision in which the model runs' {
        $model | Export-Gpt2Model "$TestDrive/exact.npz" Npz -Name 'h0/*' | Out-Null
        Get-Gpt2Model 3M -Precision Int4 | Export-Gpt2Model "$TestDrive/int4.npz" Npz -Name 'h0/*' | Out-Null
        (Get-FileHash "$TestDrive/int4.npz").Hash | Should -Be (Get-FileHash "$TestDrive/exact.npz").Hash
    }

    It 'writes a part alone' {
        $file = Export-Gpt2Model "$TestDrive/part/ln.safetensors" Safetensors -Model $model -Name 'H0/ln_?/*', 'ln_f/g'
        $file | Should -HaveCount 1
        (Get-ChildItem "$TestDrive/part").Name | Should -Be 'ln.safetensors'
        $file.Length | Should -BeGreaterThan (5 * 192 * 4)
        $file.Length | Should -BeLessThan (5 * 192 * 4 + 1000)
    }

    It 'names a weight that there is not, and writes nothing' {
        foreach ($name in 'wtx', 'h9/*') {
            { Export-Gpt2Model "$TestDrive/none" Npz -Model $model -Name $name -ErrorAction Stop } | Should -Throw -ErrorId 'TensorNotFound,*'
        }

        "$TestDrive/none" | Should -Not -Exist
    }

    It 'leaves what is there alone unless it is forced' {
        $first = Export-Gpt2Model "$TestDrive/twice" Npz -Model $model
        Set-Content $first[0] 'mine'
        { Export-Gpt2Model "$TestDrive/twice" Npz -Model $model -ErrorAction Stop } | Should -Throw '*model.npz'' already exists; choose another path, or use -Force to overwrite it.' -ErrorId 'AlreadyExists,*'
        Get-Content $first[0] | Should -Be 'mine'
        (Export-Gpt2Model "$TestDrive/twice" Npz -Model $model -Force)[0].Length | Should -BeGreaterThan 11MB
    }

    It 'says what it would do' {
        Export-Gpt2Model "$TestDrive/what-if" TensorFlow -Model $model -WhatIf | Should -BeNullOrEmpty
        "$TestDrive/what-if" | Should -Not -Exist
        Set-Content "$TestDrive/what-if.ps1" "Import-Module '$module'; Export-Gpt2Model '$TestDrive/what-if' TensorFlow -Model 3M -WhatIf"
        Invoke-PowerShell -File "$TestDrive/what-if.ps1" | Should -BeLike 'What if: *"Write 76 weights of 3M (11.9 MiB) as TensorFlow"*what-if*'
    }

    It 'does not write a model over itself' {
        $files = Export-Gpt2Model "$TestDrive/self" Safetensors -Model $model
        { Export-Gpt2Model "$TestDrive/self" Safetensors -Model "$TestDrive/self" -Force -ErrorAction Stop } | Should -Throw -ErrorId 'InvalidArgument,*'
        $files[0] | Should -Exist
    }

    It 'completes formats and names of weights' {
        (TabExpansion2 'Export-Gpt2Model x -Model 3M -Format s').CompletionMatches.CompletionText | Should -Be 'Safetensors'
        (TabExpansion2 'Export-Gpt2Model x -Model 3M -Format ').CompletionMatches.ToolTip | Should -Be 'Gguf · model.gguf', 'Npz · model.npz', 'Safetensors · model.safetensors', 'TensorFlow · model.ckpt'
        (TabExpansion2 'Export-Gpt2Model x Npz -Model 3M -Name ln_f/').CompletionMatches.CompletionText | Should -Be 'ln_f/g', 'ln_f/b'
    }

    It 'writes in the precision that is asked for, and refuses one that a format does not have' {
        $file = Export-Gpt2Model "$TestDrive/half" Safetensors -Model 3M -Precision Float16
        $half = Get-Gpt2Model -Path "$TestDrive/half"
        $half | Get-Gpt2Weight | ForEach-Object DType | Select-Object -Unique | Should -Be 'Float16'
        $file[0].Length | Should -BeLessThan 7MB
        $null = Export-Gpt2Model "$TestDrive/wide" TensorFlow -Model $half
        Get-Gpt2Weight -Model "$TestDrive/wide" | ForEach-Object DType | Select-Object -Unique | Should -Be 'Float32'
        $null = Export-Gpt2Model "$TestDrive/asked" TensorFlow -Model $half -Precision BFloat16
        Get-Gpt2Weight -Model "$TestDrive/asked" | ForEach-Object DType | Select-Object -Unique | Should -Be 'BFloat16'
        { Export-Gpt2Model "$TestDrive/no" Npz -Model 3M -Precision Int8 -ErrorAction Stop } |
            Should -Throw '*not written in Int8 as Npz, but in Float32, Float16.' -ErrorId 'InvalidArgument,*'
    }

    It 'writes one GGUF file that is a model with its vocabulary' {
        $file = Export-Gpt2Model "$TestDrive/one.gguf" Gguf -Model 3M
        $file.Name | Should -Be 'one.gguf'
        (Invoke-Gpt2Generate 'Once upon a time' -Model $file.FullName -MaxTokens 12).Text |
            Should -Be (Invoke-Gpt2Generate 'Once upon a time' -Model 3M -MaxTokens 12).Text
    }
}
