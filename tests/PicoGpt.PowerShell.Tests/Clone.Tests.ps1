BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    $model = Get-Gpt2Model 3M
}

Describe 'A clone of a model' {
    It 'has weights that PowerShell can set' {
        $clone = $model.Clone()
        $wpe = $clone.Parameters.Wpe
        $wpe[0, 1] = 5
        $wpe[0, 1] | Should -Be 5
        $wpe.Row(2)[-1] = 6
        $wpe[2, -1] | Should -Be 6
        $clone.Parameters.LnF.B.SetValues(@(1) * 192)
        $clone.Parameters.LnF.B.Mean | Should -Be 1
        $wpe.SetValues($model.Parameters.Wpe)
        $wpe.Statistics.Max | Should -Be $model.Parameters.Wpe.Max
    }

    It 'is taken by every command' {
        $clone = $model.Clone()
        (Invoke-Gpt2Generate Once -Model $clone -MaxTokens 4).Text | Should -BeExactly (Invoke-Gpt2Generate Once -Model $model -MaxTokens 4).Text
        ($clone | Get-Gpt2Weight 'h0/ln_1/?').Name | Should -Be 'h0/ln_1/g', 'h0/ln_1/b'
        ($clone | Out-String).Trim() | Should -Match '3M \(clone\)'
        { Get-Gpt2Weight -Raw -Model $clone -ErrorAction Stop } | Should -Throw -ErrorId 'FileNotFound,*'
        { Invoke-Gpt2Generate Once -Model $clone -Precision Int8 -ErrorAction Stop } | Should -Throw '*export it*' -ErrorId 'InvalidArgument,*'
    }

    It 'is saved and opened again' {
        $clone = $model.Clone('mine')
        $clone.Parameters.Wte[7, 3] = 0.5
        $clone | Export-Gpt2Model "$TestDrive/mine" TensorFlow | Should -HaveCount 6
        (Get-Gpt2Model -Path "$TestDrive/mine").Parameters.Wte[7, 3] | Should -Be 0.5
        (Test-Path "$TestDrive/mine/vocab.bpe") | Should -BeTrue
    }

    It 'is not taken for the model on disk by another session' {
        $clone = $model.Clone()
        $there = [System.Management.Automation.PSSerializer]::Deserialize([System.Management.Automation.PSSerializer]::Serialize($clone))
        { Invoke-Gpt2Generate Once -Model $there -MaxTokens 1 } | Should -Throw '*3M (clone) is a copy in the memory of another session*'
    }

    It 'leaves the weights of a checkpoint as they are' {
        { $model.Parameters.Wpe[0, 0] = 1 } | Should -Throw '*Clone()*'
        { $model.Parameters.Wpe.SetValues(@(1)) } | Should -Throw '*49152 values; 1 values do not fit*'
    }
}
