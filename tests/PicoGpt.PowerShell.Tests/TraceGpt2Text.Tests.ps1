BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    $model = Get-Gpt2Model 3M
    function ConvertTo-PlainText([string] $Text) { $Text -replace '\e\[[\d;]*m' }
}

Describe 'Trace-Gpt2Text' {
    It 'keeps attention, the logit lens and the norms when nothing is asked for' {
        $trace = Trace-Gpt2Text 'Once upon a time' -Model $model
        $n = $trace.Tokens.Count
        $trace.Attention.Count | Should -Be 6
        $trace.Attention[0].Count | Should -Be 3
        $trace.Attention[5][2].GetType().Name | Should -Be 'Single[,]'
        $trace.Attention[5][2].GetLength(0), $trace.Attention[5][2].GetLength(1) | Should -Be $n, $n
        $trace.LogitLens[5][0].Top.Count | Should -Be 5
        $trace.ResidualNorms.Count | Should -Be 7
        $trace.Activations.Count | Should -Be 0
    }

    It 'keeps only what is asked for' {
        $trace = Trace-Gpt2Text 'Once upon' -Model $model -LogitLens -Layer 5 -Top 2
        $trace.Attention | Should -BeNullOrEmpty
        $trace.ResidualNorms | Should -BeNullOrEmpty
        $trace.LogitLens[4] | Should -BeNullOrEmpty
        $trace.LogitLens[5][0].Top.Count | Should -Be 2
    }

    It 'says at the last layer what the model says' {
        $next = (Invoke-Gpt2Generate 'Once upon a time' -Model $model -MaxTokens 1).Text
        (Trace-Gpt2Text 'Once upon a time' -Model $model).LogitLens[5][-1].Top[0].Text | Should -BeExactly $next
    }

    It 'warns of what is not a number, and writes its page all the same' {
        $clone = (Get-Gpt2Model 3M).Clone()
        $gain = Get-Gpt2Weight h1/ln_2/g -Model $clone
        $gain[3] = [float]::NaN
        $trace = Trace-Gpt2Text 'The king' -Model $clone -WarningVariable warnings -WarningAction SilentlyContinue
        "$warnings" | Should -BeLike 'What leaves layer 1 of * is infinite or not a number: its weight h1/ln_2/g holds such values, 1 of 192;*'
        $trace.Fault.Message | Should -Be "$warnings"
        Trace-Gpt2Text 'The king' -Model $clone -Html "$TestDrive/nan.html" -WarningAction SilentlyContinue | Should -Exist
        { Measure-Gpt2Head -Model $clone -ErrorAction Stop } | Should -Throw '*h1/ln_2/g*'
    }

    It 'takes activations by wildcard, in any case' {
        $trace = Trace-Gpt2Text 'Once' -Model $model -Activation 'H?/attn', ln_f, 'h9*'
        $trace.Activations.Keys | Should -Be 'h0/attn', 'h1/attn', 'h2/attn', 'h3/attn', 'h4/attn', 'h5/attn', 'ln_f'
        $trace.Attention | Should -BeNullOrEmpty
        { Trace-Gpt2Text 'Once' -Model $model -Activation h9/attn -ErrorAction Stop } | Should -Throw -ErrorId 'InvalidArgument,*'
    }

    It 'completes names of activations' {
        $line = 'Trace-Gpt2Text x -Model 3M -Activation h5/attn/'
        $found = [System.Management.Automation.CommandCompletion]::CompleteInput($line, $line.Length, $null).CompletionMatches
        $found.CompletionText | Should -Be 'h5/attn/q', 'h5/attn/k', 'h5/attn/v', 'h5/attn/z'
        $found[0].ToolTip | Should -BeLike '*n_seq × 192*'
    }

    It 'takes texts from the pipeline, one trace each, and continues after one that does not fit' {
        $traces = 'Once', (' king' * 300), 'The end' | Trace-Gpt2Text -Model $model -Norm -ErrorVariable faults -ErrorAction SilentlyContinue
        $traces.Text | Should -Be 'Once', 'The end'
        $faults.FullyQualifiedErrorId | Should -BeLike 'ContextExceeded,*'
    }

    It 'takes the model from the pipeline, in any precision' {
        $model | Trace-Gpt2Text 'Once' -Precision Int8 -Norm | ForEach-Object Model | Should -Be '3M'
    }

    It 'names a layer that does not exist' {
        { Trace-Gpt2Text 'Once' -Model $model -Layer 6 -ErrorAction Stop } | Should -Throw '*no layer 6 in 3M*' -ErrorId 'InvalidArgument,*'
    }

    It 'takes ranges of layers and heads as they are typed' {
        $trace = Trace-Gpt2Text 'Once' -Model $model -Attention -Layer 1..3 -Head 0..1
        "$($trace.Layers); $($trace.Heads)" | Should -Be '1 2 3; 0 1'
    }

    It 'tells the memory with -Verbose' {
        Trace-Gpt2Text 'Once' -Model $model -Attention -Verbose 4>&1 | Out-String | Should -Match '2 tokens, the trace takes \d+ B'
    }
}

Describe 'Trace-Gpt2Text -Html' {
    BeforeEach { $page = "$TestDrive/$([guid]::NewGuid()).html" }

    It 'writes a page and emits the file' {
        $file = Trace-Gpt2Text 'Once upon a time' -Model $model -Html $page
        $file.FullName | Should -Be (Get-Item $page).FullName
        Get-Content $page -Raw | Should -BeLike '<!DOCTYPE html>*Content-Security-Policy*"tokens":*</html>*'
    }

    It 'resolves the path as the session does' {
        Push-Location $TestDrive
        try { (Trace-Gpt2Text 'Once' -Model $model -Html here.html).FullName | Should -Be (Get-Item "$TestDrive/here.html").FullName }
        finally { Pop-Location }
    }

    It 'leaves a page that is there, unless -Force is given' {
        Set-Content $page mine
        { Trace-Gpt2Text 'Once' -Model $model -Html $page -ErrorAction Stop } | Should -Throw '*-Force*' -ErrorId 'AlreadyExists,*'
        Get-Content $page | Should -Be mine
        Trace-Gpt2Text 'Once' -Model $model -Html $page -Force | Should -Not -BeNullOrEmpty
        Get-Content $page -TotalCount 1 | Should -Be '<!DOCTYPE html>'
    }

    It 'writes nothing with -WhatIf' {
        Trace-Gpt2Text 'Once' -Model $model -Html $page -WhatIf | Should -BeNullOrEmpty
        Test-Path $page | Should -BeFalse
    }

    It 'shows before and after, what adds to the answer, and grids' {
        $without = New-Gpt2Intervention h*/attn/z -Zero -Head 2
        $sweep = Measure-Gpt2Patching 'The king said' 'The queen said' -Answer ' he' -Against ' she' -Model $model
        $null = Trace-Gpt2Text 'The queen said' -Model $model -Html $page -Intervention $without -Answer ' he' -Against ' she' -Grid $sweep
        $data = [regex]::Match((Get-Content $page -Raw), '(?s)id="trace">(.*?)</script>').Groups[1].Value | ConvertFrom-Json
        $data.changes | Should -Be 'Zero h*/attn/z, head 2'
        $data.before.attention | Should -Not -Be $data.attention
        $data.grids.title | Should -Be "What adds to the logit of ' he' less that of ' she'", 'Patching resid_pre, by layer and position'
        $data.grids[0].before.values[0][0] | Should -Not -BeNullOrEmpty
        $data.grids[0].values[3][2] | Should -Be 0
    }

    It 'takes a logit apart without interventions too, but not of what was left out' {
        $null = Trace-Gpt2Text 'The queen said' -Model $model -Html $page
        Get-Content $page -Raw | Should -BeLike "*What adds to the logit of*"
        $null = Trace-Gpt2Text 'The queen said' -Model $model -Html $page -LogitLens -Force
        Get-Content $page -Raw | Should -Not -BeLike "*What adds to the logit of*"
    }

    It 'refuses <Name> without a page' -ForEach @{ Name = 'Answer'; Value = ' he' }, @{ Name = 'Against'; Value = ' he' } {
        $given = @{ $Name = $Value }
        { Trace-Gpt2Text 'Once' -Model $model @given } | Should -Throw "-$Name tells what a page shows*"
    }

    It 'leaves no page where the answer is not one token' {
        { Trace-Gpt2Text 'Once' -Model $model -Html $page -Answer ' he said' -ErrorAction Stop } | Should -Throw '*is not one token*'
        Test-Path $page | Should -BeFalse
    }

    It 'writes one text a page' {
        $files = 'Once', 'Twice' | Trace-Gpt2Text -Model $model -Html $page -Force -ErrorVariable faults -ErrorAction SilentlyContinue
        @($files).Count | Should -Be 1
        $faults.FullyQualifiedErrorId | Should -BeLike 'InvalidArgument,*'
    }
}

Describe 'The view of a trace' {
    It 'tells what was changed, from another session too' {
        $trace = Trace-Gpt2Text 'Once upon' -Model $model -LogitLens -Intervention (New-Gpt2Intervention h0/mlp -Zero -Neuron 1..3)
        $trace | Export-Clixml "$TestDrive/changed.xml"
        foreach ($one in $trace, (Import-Clixml "$TestDrive/changed.xml")) {
            (ConvertTo-PlainText ($one | Out-String)) | Should -BeLike '*Changed: Zero h0/mlp, neuron 1 2 3*'
        }
    }

    It 'has the lens, the norms and the attention' {
        $lines = (ConvertTo-PlainText (Trace-Gpt2Text 'Once upon a time' -Model $model -Layer 0, 5 | Out-String)) -split '\r?\n'
        $lines[0..1] | Should -Contain '3M reads 5 tokens'
        $lines | Where-Object { $_ -match '^reads +layer 0 +layer 5' } | Should -HaveCount 1
        $lines | Where-Object { $_ -match '^ upon .* the +\d+%' } | Should -HaveCount 1
        $lines | Should -Contain 'Attention, mean of 2 layers, mean of 3 heads: rows look at columns'
        $lines | Where-Object { $_ -match '^On +██$' } | Should -HaveCount 1
    }

    It 'has 24-bit colours over characters of as much shade' {
        $trace = Trace-Gpt2Text 'Once' -Model $model -Attention
        $draw = [PicoGpt.PowerShell.TraceView]::Draw($trace, 80)
        $draw[-2] | Should -BeExactly "On           `e[38;2;96;165;250;48;2;96;165;250m██`e[0m"
    }

    It 'fits the screen and cannot command the terminal' {
        $trace = Trace-Gpt2Text ("`e[2J日本語 " * 6) -Model $model
        foreach ($width in 72, 80, 200) {
            $plain = [PicoGpt.PowerShell.TraceView]::Draw($trace, $width) | ForEach-Object { ConvertTo-PlainText $_ }
            ($plain | Measure-Object Length -Maximum).Maximum | Should -BeLessOrEqual $width
            $plain -join '' | Should -Not -Match '[\x00-\x1f\x7f]'
        }
    }

    It 'lists the tokens of a prediction' {
        $prediction = (Trace-Gpt2Text 'Once upon' -Model $model -LogitLens).LogitLens[5][1]
        ConvertTo-PlainText ($prediction | Out-String) | Should -Match "5 +1 +5\.57 +1 ' upon' 16\.2 %, ',' "
    }
}

Describe 'A trace in another session' {
    BeforeAll {
        $here = Trace-Gpt2Text 'Once upon a time' -Model $model -LogitLens -Norm -Layer 1, 5

        # A depth of 1 is what remoting and jobs have.
        $there = [System.Management.Automation.PSSerializer]::Deserialize([System.Management.Automation.PSSerializer]::Serialize($here, 1))
    }

    It 'has its data, but for the matrices' {
        $there.PSTypeNames[0] | Should -Be 'Deserialized.PicoGpt.Tracing.Gpt2Trace'
        $there.PSObject.Properties.Name | Sort-Object | Should -Be 'Fault', 'Heads', 'Interventions', 'Layers', 'LogitLens', 'Model', 'ResidualNorms', 'Text', 'Tokens'
        $there.Tokens.Id | Should -Be $here.Tokens.Id
        $there.Layers | Should -Be 1, 5
        $there.LogitLens[5][2].Top[1].Probability | Should -Be $here.LogitLens[5][2].Top[1].Probability
        $there.LogitLens[1][4].Entropy | Should -Be $here.LogitLens[1][4].Entropy
        $there.ResidualNorms[6][3] | Should -Be $here.ResidualNorms[6][3]
    }

    It 'looks on the screen as it did' {
        $there | Out-String | Should -BeExactly ($here | Out-String)
        $there.LogitLens[5] | Out-String | Should -BeExactly ($here.LogitLens[5] | Out-String)
    }
}
