BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    $model = Get-Gpt2Model 3M
    $clean = 'Once upon a time there was a king who had a daughter, and'
    $texts = @{ Clean = $clean; Corrupted = $clean -replace 'king', 'queen'; Answer = ' he'; Against = ' she'; Model = $model }
}

Describe 'Measure-Gpt2Patching' {
    It 'emits a grid of the expected shape by <By>' -ForEach @{ By = 'Position'; Rows = 6; Columns = 15 }, @{ By = 'Head'; Rows = 6; Columns = 3 },
        @{ By = 'HeadPosition'; Rows = 18; Columns = 15 }, @{ By = 'Part'; Rows = 6; Columns = 2 } {
        $grid = Measure-Gpt2Patching @texts -By $By
        $grid.Values.Count, $grid.Values[0].Count | Should -Be $Rows, $Columns
        @($grid.Cells).Count | Should -Be ($Rows * $Columns)
    }

    It 'gives what an intervention by hand gives' {
        $from = Trace-Gpt2Text $texts.Clean -Model $model -Activation h2/attn/z
        $patch = New-Gpt2Intervention h2/attn/z -From $from -Head 2
        $logits = (Trace-Gpt2Text $texts.Corrupted -Model $model -Activation logits -Intervention $patch).Activations['logits']
        $he, $she = ' he', ' she' | ConvertTo-Gpt2Token -Model $model | ForEach-Object Id
        $grid = Measure-Gpt2Patching @texts -By Head
        $low, $high = $grid.Others[1].Value, $grid.Others[0].Value
        $grid.Values[2][2] | Should -Be (([double]$logits[14, $he] - $logits[14, $she] - $low) / ($high - $low))
    }

    It 'writes a picture and a page, and no file over another without -Force' {
        $files = Measure-Gpt2Patching @texts -Svg "$TestDrive/g.svg" -Html "$TestDrive/g.html"
        $files.Name | Should -Be g.svg, g.html
        ([xml](Get-Content "$TestDrive/g.svg" -Raw)).svg.title | Should -Be 'Patching resid_pre, by layer and position'
        Get-Content "$TestDrive/g.html" -Raw | Should -Not -Match '(src|href)\s*='
        { Measure-Gpt2Patching @texts -Svg "$TestDrive/g.svg" -ErrorAction Stop } | Should -Throw -ErrorId 'AlreadyExists,*'
        Measure-Gpt2Patching @texts -Svg "$TestDrive/other.svg" -WhatIf
        "$TestDrive/other.svg" | Should -Not -Exist
    }

    It 'looks the same from another session' {
        $grid = Measure-Gpt2Patching @texts
        $grid | Export-Clixml "$TestDrive/grid.xml"
        Import-Clixml "$TestDrive/grid.xml" | Out-String | Should -BeExactly ($grid | Out-String)
    }

    It 'refuses a site that would be ignored, and texts of different lengths' {
        { Measure-Gpt2Patching @texts -By Head -Site mlp } | Should -Throw '*-Site chooses what is patched by Position*'
        $other = @{} + $texts
        $other.Corrupted = 'The queen'
        { Measure-Gpt2Patching @other -ErrorAction Stop } | Should -Throw '*give texts of as many tokens*'
    }
}
