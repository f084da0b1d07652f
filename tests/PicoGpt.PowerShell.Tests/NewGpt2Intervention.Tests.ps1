BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    $model = Get-Gpt2Model 3M
    $text = 'Once upon a time there was a king'
}

Describe 'New-Gpt2Intervention' {
    It 'takes ranges as they are typed' {
        $made = New-Gpt2Intervention h*/mlp -Zero -Layer 0..2, 5 -Position 3..1 -Neuron 7
        $made.Layers | Should -Be 0, 1, 2, 5
        $made.Positions | Should -Be 3, 2, 1
        $made.Neurons | Should -Be 7
    }

    It 'refuses the range <Range> in a sentence' -ForEach @(
        @{ Range = '0..x'; Says = "*'0..x' is not a range; give one such as 0..3.*" }
        @{ Range = '1..2..3'; Says = "*'1..2..3' is not a range; give one such as 0..3.*" }
        @{ Range = '0..2000000'; Says = '*0..2000000 has 2000001 numbers; give 1048576 at most.*' }
        @{ Range = '2147483647..0'; Says = '*2147483647..0 has 2147483648 numbers; give 1048576 at most.*' }
    ) {
        { New-Gpt2Intervention h*/mlp -Zero -Layer $Range } | Should -Throw $Says
    }

    It 'takes numbers as <Name>' -ForEach @(
        @{ Name = 'one number'; Given = 3; Shape = 1, 1 }
        @{ Name = 'a list'; Given = 1, 2.5, 3; Shape = 1, 3 }
        @{ Name = 'a list of lists'; Given = (1, 2), (3, 4), (5, 6); Shape = 3, 2 }
        @{ Name = 'a matrix'; Given = [double[,]]::new(2, 4); Shape = 2, 4 }
    ) {
        $values = (New-Gpt2Intervention h0/mlp -Value $Given).Values
        $values.GetLength(0), $values.GetLength(1) | Should -Be $Shape
    }

    It 'refuses what is not a number, and rows of several lengths' {
        { New-Gpt2Intervention h0/mlp -Add 1, two } | Should -Throw "*'two' is not a number*"
        { New-Gpt2Intervention h0/mlp -Value (1, 2), (3, 4, 5) } | Should -Throw '*Row 1 has 3 numbers, and the first row has 2*'
    }

    It 'does one thing at a time' {
        { New-Gpt2Intervention h0/mlp -Zero -Scale 2 } | Should -Throw -ErrorId 'AmbiguousParameterSet,*'
    }

    It 'completes sites with what they are, in the layer that is begun' {
        $found = (TabExpansion2 'New-Gpt2Intervention h2/mlp' 27).CompletionMatches
        $found.CompletionText | Should -Be 'h2/mlp/c_fc', 'h2/mlp/gelu', 'h2/mlp'
        $found[2].ToolTip | Should -Be 'h2/mlp · what the mlp adds to the residual stream'
        (TabExpansion2 'New-Gpt2Intervention ' 21).CompletionMatches.CompletionText | Should -Contain "'h*/attn/pattern'"
        (TabExpansion2 'New-Gpt2Intervention -Site resid_po' 35).CompletionMatches.CompletionText | Should -Be 'resid_post' -Because '-Layer may follow'
    }
}

Describe 'The parameter -Intervention' {
    It 'changes a trace: patched at the first residual stream, a text is the other one' {
        $other = Trace-Gpt2Text 'Once upon a time there was a queen' -Model $model -Activation h0/resid_pre, logits
        $other.Tokens.Count | Should -Be (ConvertTo-Gpt2Token $text -Model $model).Count
        $patch = New-Gpt2Intervention h0/resid_pre -From $other
        $patched = Trace-Gpt2Text $text -Model $model -Activation logits -Intervention $patch
        [linq.enumerable]::SequenceEqual([float[]]@($patched.Activations['logits']), [float[]]@($other.Activations['logits'])) | Should -BeTrue
    }

    It 'changes a measure and a generation' {
        $without = New-Gpt2Intervention h*/attn, h*/mlp -Zero
        (Measure-Gpt2Text $text -Model $model -Intervention $without).Perplexity | Should -BeGreaterThan (Measure-Gpt2Text $text -Model $model).Perplexity
        (Invoke-Gpt2Generate $text -Model $model -Intervention $without).Text | Should -Not -Be (Invoke-Gpt2Generate $text -Model $model).Text
    }

    It 'makes several in their order' {
        $add, $scale = (New-Gpt2Intervention h1/mlp -Add 1), (New-Gpt2Intervention h1/mlp -Scale 2)
        $one = Trace-Gpt2Text $text -Model $model -Activation h1/mlp -Intervention $add, $scale
        $other = Trace-Gpt2Text $text -Model $model -Activation h1/mlp -Intervention $scale, $add
        [Math]::Round($one.Activations['h1/mlp'][2, 3] - $other.Activations['h1/mlp'][2, 3], 4) | Should -Be 1
    }

    It 'says what there is in an error of <Command>' -ForEach @{ Command = 'Trace-Gpt2Text' }, @{ Command = 'Measure-Gpt2Text' }, @{ Command = 'Invoke-Gpt2Generate' } {
        $wrong = New-Gpt2Intervention h9/mlp -Zero
        try { $null = & $Command $text -Model $model -Intervention $wrong } catch { $fault = $_ }
        $fault.FullyQualifiedErrorId | Should -BeLike 'InvalidArgument,*'
        "$fault" | Should -BeLike "3M has no site 'h9/mlp'; there are wte, wpe, ln_f, logits, and in the layers h0 to h5 resid_pre, *"
    }

    It 'costs a text that is too short no other text its measure' {
        $late = New-Gpt2Intervention h0/mlp -Zero -Position 5
        $measures = 'No', $text | Measure-Gpt2Text -Model $model -Intervention $late -ErrorVariable fault -ErrorAction SilentlyContinue
        $measures.Text | Should -Be $text
        "$fault" | Should -Be 'Position 5 is to be changed, but the text has positions 0 to 0 only.'
    }
}
