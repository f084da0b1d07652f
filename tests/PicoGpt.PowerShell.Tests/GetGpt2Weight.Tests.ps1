BeforeAll { . "$PSScriptRoot/Common.ps1" }

Describe 'Get-Gpt2Weight' {
    It 'lists every weight in the order of the model' {
        $weights = Get-Gpt2Model 3M | Get-Gpt2Weight
        $weights.Count | Should -Be 76
        $weights[0].Name | Should -Be 'wte'
        $weights[-1].Name | Should -Be 'ln_f/b'
    }

    It 'selects by wildcard, in any case' {
        (Get-Gpt2Weight 'h0/attn/*' -Model 3M).Name | Should -Be 'h0/attn/c_attn/w', 'h0/attn/c_attn/b', 'h0/attn/c_proj/w', 'h0/attn/c_proj/b'
        (Get-Gpt2Weight 'H?/LN_1/G' -Model 3M).Count | Should -Be 6
    }

    It 'gives shape, type, size, values and statistics' {
        $weight = Get-Gpt2Weight wpe -Model 3M
        $weight.Shape | Should -Be 256, 192
        $weight.DType | Should -Be 'Float32'
        $weight.Size | Should -Be (256 * 192 * 4)
        $values = $weight.ToArray()
        $values.Count | Should -Be (256 * 192)
        $measure = $values | Measure-Object -Minimum -Maximum -Average
        $weight.Min | Should -Be $measure.Minimum
        $weight.Max | Should -Be $measure.Maximum
        [Math]::Abs($weight.Mean - $measure.Average) | Should -BeLessThan 1e-6
        $weight.StandardDeviation | Should -BeGreaterThan 0
    }

    It 'reports a name that is not there, but not a pattern that matches nothing' {
        { Get-Gpt2Weight h99/ln_1/g -Model 3M -ErrorAction Stop } | Should -Throw -ErrorId 'TensorNotFound,*'
        Get-Gpt2Weight 'h99/*' -Model 3M -ErrorAction Stop | Should -BeNullOrEmpty
    }

    It 'completes the names of the model on the line' {
        $line = 'Get-Gpt2Weight -Model 3M -Name h5/at'
        $matches = [System.Management.Automation.CommandCompletion]::CompleteInput($line, $line.Length, $null).CompletionMatches
        $matches.CompletionText | Should -Be 'h5/attn/c_attn/w', 'h5/attn/c_attn/b', 'h5/attn/c_proj/w', 'h5/attn/c_proj/b'
        $matches[0].ToolTip | Should -BeLike '*192 × 576*'
    }

    It 'shows one row a weight' {
        Get-Gpt2Weight 'h0/attn/c_attn/w' -Model 3M | Out-String | Should -Match 'h0/attn/c_attn/w\s+192 × 576 Float32\s+432.0 KiB'
    }
}
