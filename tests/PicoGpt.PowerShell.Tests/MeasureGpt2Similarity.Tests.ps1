BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    $model = Get-Gpt2Model 3M
    $row = (Get-Gpt2Weight wte -Model $model).Row(99)
}

Describe 'Measure-Gpt2Similarity' {
    It 'compares tokens: each is like itself, and others as it is like them' {
        $grid = Measure-Gpt2Similarity -Token ' king', ' queen', ' the' -Model $model
        foreach ($i in 0..2) {
            [Math]::Abs($grid.Values[$i][$i] - 1) | Should -BeLessThan 1e-9
            $grid.Values[$i][0] | Should -Be $grid.Values[0][$i]
        }
        $grid.Values[0][1] | Should -BeGreaterThan $grid.Values[0][2]
    }

    It 'compares texts at a site by mean and by last position' {
        $texts = @{ Text = 'The king was old.', 'The queen was old.'; Site = 'h4/resid_post'; Model = $model }
        $mean, $last = 'Mean', 'Last' | ForEach-Object { (Measure-Gpt2Similarity @texts -Pooling $_).Values[0][1] }
        $mean | Should -Not -Be $last
        $activations = 'The king was old.', 'The queen was old.' | Trace-Gpt2Text -Model $model -Activation h4/resid_post | ForEach-Object { , $_.Activations['h4/resid_post'] }
        $end = $activations[0].GetLength(0) - 1
        $dot = $one = $other = 0.0
        foreach ($i in 0..191) {
            $a, $b = [double]$activations[0][$end, $i], [double]$activations[1][$end, $i]
            $dot += $a * $b; $one += $a * $a; $other += $b * $b
        }
        [Math]::Abs($last - ($dot / [Math]::Sqrt($one * $other))) | Should -BeLessThan 1e-9
    }

    It 'finds the token of a row of wte, and as many as are wanted' {
        (Measure-Gpt2Similarity -Direction $row -Top 1 -Model $model).Id | Should -Be 99
        $near = Measure-Gpt2Similarity -Direction $row -Top 7 -Model $model
        $near | Should -HaveCount 7
        $near.Similarity | Should -Be ($near.Similarity | Sort-Object -Descending)
    }

    It 'refuses to draw a list, a text that is not one token, and what is not a direction' {
        { Measure-Gpt2Similarity -Direction $row -Svg "$TestDrive/n.svg" -Model $model } | Should -Throw '*do not draw*'
        { Measure-Gpt2Similarity -Token ' king of' -Model $model -ErrorAction Stop } | Should -Throw '*is not one token of 3M but 2*'
        { Measure-Gpt2Similarity -Direction 1, 2 -Model $model -ErrorAction Stop } | Should -Throw '*has 2 values, but the residual stream of 3M has 192*'
        { Measure-Gpt2Similarity -Direction ([float[]]::new(192)) -Model $model -ErrorAction Stop } | Should -Throw '*leads nowhere*'
        { Measure-Gpt2Similarity -Direction ([float[,]]::new(2, 192)) -Model $model -ErrorAction Stop } | Should -Throw '*give one row*'
    }

    It 'draws texts, and looks the same from another session' {
        $grid = Measure-Gpt2Similarity -Token ' king', ' queen' -Model $model
        (Measure-Gpt2Similarity -Token ' king', ' queen' -Model $model -Html "$TestDrive/s.html").Name | Should -Be s.html
        $grid, (Measure-Gpt2Similarity -Direction $row -Top 2 -Model $model)[0] | Export-Clixml "$TestDrive/s.xml"
        $back = Import-Clixml "$TestDrive/s.xml"
        $back[0] | Out-String | Should -BeExactly ($grid | Out-String)
        $back[1].Text | Should -Be (Measure-Gpt2Similarity -Direction $row -Top 1 -Model $model).Text
    }
}
