BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    $model = Get-Gpt2Model 3M
}

Describe 'New-Gpt2Direction' {
    It 'is saved, read, and steers' {
        $made = New-Gpt2Direction h3/resid_post -Toward 'The queen' -From 'The king' -Model $model
        $made.Save("$TestDrive/d.npz")
        $read = New-Gpt2Direction -LiteralPath "$TestDrive/d.npz"
        "$read" | Should -Be "$made"
        $read.Values | Should -Be $made.Values
        $steer = New-Gpt2Intervention $read.Site -Add $read -Factor 5
        (Invoke-Gpt2Generate 'Once upon' -Model $model -MaxTokens 9 -Intervention $steer).Text |
            Should -Not -Be (Invoke-Gpt2Generate 'Once upon' -Model $model -MaxTokens 9).Text
    }

    It 'is the difference of the means, and the other way about its negative' {
        $there = New-Gpt2Direction h2/mlp -Toward 'The queen', 'A girl' -From 'The king', 'A boy' -Model $model
        $back = New-Gpt2Direction h2/mlp -Toward 'The king', 'A boy' -From 'The queen', 'A girl' -Model $model
        $there.Count | Should -Be 192
        $there.Norm | Should -BeGreaterThan 0
        foreach ($i in 0, 50, 191) { $there.Values[$i] | Should -Be (-$back.Values[$i]) }
    }

    It 'is the mean itself without -From' {
        $activation = (Trace-Gpt2Text 'The queen' -Model $model -Activation h2/mlp).Activations['h2/mlp']
        $last = New-Gpt2Direction h2/mlp -Toward 'The queen' -Pooling Last -Model $model
        $last.Values[7] | Should -Be $activation[($activation.GetLength(0) - 1), 7]
    }

    It 'completes its site with what stands there' {
        $found = (TabExpansion2 'New-Gpt2Direction -Model 3M h3/resid_p' 38).CompletionMatches
        $found.CompletionText | Should -Be h3/resid_pre, h3/resid_post
        $found[0].ToolTip | Should -BeLike 'h3/resid_pre*'
    }

    It 'refuses a site that there is not, and files that are not one' {
        { New-Gpt2Direction h9/mlp -Toward a -Model $model -ErrorAction Stop } | Should -Throw "*has no activation named 'h9/mlp'*"
        { New-Gpt2Direction -LiteralPath "$TestDrive/none.npz" -ErrorAction Stop } | Should -Throw '*does not exist*'
        $null = Export-Gpt2Model "$TestDrive/two.npz" Npz -Model $model -Name h0/ln_1/*
        { New-Gpt2Direction -LiteralPath "$TestDrive/two.npz" -ErrorAction Stop } | Should -Throw '*has 2 arrays*'
    }

    It 'looks the same from another session, and can be added there' {
        $made = New-Gpt2Direction h3/resid_post -Toward 'The queen' -From 'The king' -Model $model
        $made | Export-Clixml "$TestDrive/d.xml"
        $back = Import-Clixml "$TestDrive/d.xml"
        $back | Out-String | Should -BeExactly ($made | Out-String)
        (New-Gpt2Intervention $back.Site -Add $back.Values).Values[0, 5] | Should -Be $made.Values[5]
    }
}
