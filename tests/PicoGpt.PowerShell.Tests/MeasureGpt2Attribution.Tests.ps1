BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    $model = Get-Gpt2Model 3M
    $text = 'Once upon a time there was a king who had a daughter, and'
    $asked = @{ Text = $text; Answer = ' he'; Against = ' she'; Model = $model }
}

Describe 'Measure-Gpt2Attribution' {
    It 'takes a logit apart so that the parts add up' {
        $grid = Measure-Gpt2Attribution $text -Answer ' he' -Model $model
        $grid.RowName, $grid.ColumnName | Should -Be layer, part
        $sum = ($grid.Cells | Measure-Object Value -Sum).Sum + ($grid.Others | Select-Object -SkipLast 1 | Measure-Object Value -Sum).Sum
        [Math]::Abs($sum - $grid.Others[-1].Value) | Should -BeLessThan 1e-4
    }

    It 'takes a changed model apart, with what the change adds by itself' {
        $change = New-Gpt2Intervention h2/resid_pre -Add 1 -Neuron 5
        $grid = Measure-Gpt2Attribution @asked -Intervention $change
        $grid.Others.Key | Should -Be wte, wpe, 'ln_f bias', interventions, logit
        { Measure-Gpt2Attribution @asked -By Token -Intervention $change } | Should -Throw '*-Intervention changes what is taken apart by Part*'
    }

    It 'leaves out tokens by default' {
        $grid = Measure-Gpt2Attribution @asked -By Token
        $grid.ColumnLabels | Should -HaveCount 15
        $shorter = $text -replace ' king'
        $less = (Measure-Gpt2Attribution $shorter -Answer ' he' -Against ' she' -Model $model -By Token).Others[0].Value
        $grid.Values[0][8] | Should -Be ($grid.Others[0].Value - $less)
    }

    It 'takes <_> as the wish for tokens' -ForEach 'LeaveOneOut', 'GradientTimesInput', 'integratedgradients' {
        (Measure-Gpt2Attribution @asked -Method $_).ColumnName | Should -Be token
    }

    It 'integrates gradients from another text so that they add up' {
        $grid = Measure-Gpt2Attribution @asked -Method IntegratedGradients -Baseline ($text -replace 'king', 'queen') -Step 16
        $sum = ($grid.Cells | Measure-Object Value -Sum).Sum
        [Math]::Abs($sum - ($grid.Others[0].Value - $grid.Others[1].Value)) | Should -BeLessThan 1e-3
    }

    It 'refuses <Name>, which would do nothing' -ForEach @(
        @{ Name = '-Method by Part'; Given = @{ By = 'Part'; Method = 'LeaveOneOut' }; Says = '*-Method tells how tokens are attributed*' }
        @{ Name = '-Baseline without integrated gradients'; Given = @{ By = 'Token'; Baseline = 'x' }; Says = '*-Baseline is where integrated gradients begin*' }
        @{ Name = '-Step without integrated gradients'; Given = @{ Method = 'GradientTimesInput'; Step = 3 }; Says = '*-Step is the number of points*' }
        @{ Name = '-Baseline by part'; Given = @{ Baseline = 'x' }; Says = '*-Baseline is where integrated gradients begin*' }
    ) {
        { Measure-Gpt2Attribution @asked @Given } | Should -Throw $Says
    }

    It 'refuses gradients of a model in <_> in a sentence' -ForEach 'Int8', 'Float16' {
        { Measure-Gpt2Attribution @asked -Method GradientTimesInput -Precision $_ -ErrorAction Stop } | Should -Throw "*3M is held in $_; use it in Float32.*"
        { Measure-Gpt2Attribution @asked -Precision $_ -ErrorAction Stop } | Should -Not -Throw
    }

    It 'refuses a baseline of another length, and an answer of two tokens' {
        { Measure-Gpt2Attribution @asked -Method IntegratedGradients -Baseline 'Hi' -ErrorAction Stop } | Should -Throw '*give a baseline of as many tokens*'
        { Measure-Gpt2Attribution $text -Answer ' he said' -Model $model -ErrorAction Stop } | Should -Throw "*' he said' is not one token*"
    }

    It 'attributes with every model of the pipeline' {
        $grids = $model, $model | Measure-Gpt2Attribution $text -Answer ' he'
        $grids | Should -HaveCount 2
        "$($grids[0].Values[0])" | Should -Be "$($grids[1].Values[0])"
    }
}
