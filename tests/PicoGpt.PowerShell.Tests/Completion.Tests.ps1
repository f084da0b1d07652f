BeforeAll {
    . "$PSScriptRoot/Common.ps1"

    function Complete([string] $Line) {
        (TabExpansion2 -inputScript $Line -cursorColumn $Line.Length).CompletionMatches
    }
}

Describe 'Completion' {
    BeforeAll {
        $listener = [System.Net.Sockets.TcpListener]::new([ipaddress]::Loopback, 0)
        $listener.Start()
        $old = Set-Environment @{ PICOGPT_HOME = "$TestDrive/home"; PICOGPT_SOURCE = "http://$($listener.LocalEndpoint)"; PICOGPT_OFFLINE = '' }
        New-Item "$env:PICOGPT_HOME/355M", "$TestDrive/my models" -ItemType Directory
        [System.IO.File]::WriteAllBytes("$env:PICOGPT_HOME/355M/vocab.bpe", [byte[]]::new(456318))
        Copy-Item (Get-Gpt2Model 3M).Path "$TestDrive/my models/tales" -Recurse
        Push-Location $TestDrive
    }

    AfterAll {
        Pop-Location
        $listener.Stop()
        Set-Environment $old | Out-Null
    }

    Context 'of models' {
        It 'offers every name after <Line>' -ForEach @(
            @{ Line = 'Get-Gpt2Model ' }
            @{ Line = 'Save-Gpt2Model -Name ' }
            @{ Line = 'Test-Gpt2Model ' }
            @{ Line = 'Get-Gpt2Weight -Model ' }
            @{ Line = 'Invoke-Gpt2Generate Once -Model ' }
            @{ Line = 'Measure-Gpt2Text Once -Model ' }
            @{ Line = 'ConvertTo-Gpt2Token Once -Model ' }
            @{ Line = 'ConvertFrom-Gpt2Token 1 -Model ' }
        ) {
            (Complete $Line).CompletionText | Should -Be '3M', '124M', '355M', '774M', '1558M'
        }

        It 'offers to remove only what is in the cache' {
            (Complete 'Remove-Gpt2Model ').CompletionText | Should -Be '355M'
            Complete 'Remove-Gpt2Model 12' | Should -BeNullOrEmpty
            (Complete 'Remove-Gpt2Model gpt2-').CompletionText | Should -Be 'gpt2-medium'
        }

        It 'tells size and state in the tooltip' {
            (Complete 'Get-Gpt2Model 3').ToolTip | Should -Be @(
                '3M · 3.1 M parameters · built in · 11.9 MiB'
                '355M · 354.8 M parameters · partial 0 % · 445.6 KiB'
            )
            (Complete 'Get-Gpt2Model 124').ToolTip | Should -Be '124M · 124.4 M parameters · not fetched · 476.1 MiB'
        }

        It 'knows the other names when they are begun' {
            (Complete 'Get-Gpt2Model GPT2-').CompletionText | Should -Be 'gpt2-small', 'gpt2-medium', 'gpt2-large', 'gpt2-xl'
            (Complete 'Get-Gpt2Weight -Model open').CompletionText | Should -Be 'openai-community/gpt2', 'openai-community/gpt2-medium', 'openai-community/gpt2-large', 'openai-community/gpt2-xl'
            (Complete 'Get-Gpt2Model GPT2-x').ToolTip | Should -BeLike '1558M · *'
        }

        It 'continues in a list' {
            (Complete 'Get-Gpt2Model 3M, 12').CompletionText | Should -Be '124M'
        }

        It 'keeps the quote that was opened' {
            (Complete 'Get-Gpt2Model ''12').CompletionText | Should -Be "'124M'"
            (Complete 'Get-Gpt2Model "12').CompletionText | Should -Be '"124M"'
            (Complete 'Get-Gpt2Model “12').CompletionText | Should -Be '"124M"'
        }

        It 'completes a path where a path may be, with quotes where they are needed' {
            (Complete 'Get-Gpt2Weight -Model ./my').CompletionText -replace '\\', '/' | Should -Be "'./my models'"
            Complete 'Remove-Gpt2Model nothing-like-this' | Should -BeNullOrEmpty
        }
    }

    Context 'of weights' {
        It 'takes the model from <Line>' -ForEach @(
            @{ Line = 'Get-Gpt2Weight -Model 3M -Name w'; Shape = '2048 × 192' }
            @{ Line = 'Get-Gpt2Weight -Model $model -Name w'; Shape = '2048 × 192' }
            @{ Line = 'Get-Gpt2Weight -Model "./my models/tales" w'; Shape = '2048 × 192' }
            @{ Line = 'Get-Gpt2Weight -Model "./my models/tales/model.ckpt" w'; Shape = '2048 × 192' }
            @{ Line = '$model | Get-Gpt2Weight w'; Shape = '2048 × 192' }
            @{ Line = '"124M" | Get-Gpt2Weight w'; Shape = '50257 × 768' }
            @{ Line = 'Get-Gpt2Model gpt2-xl | Get-Gpt2Weight w'; Shape = '50257 × 1600' }
            @{ Line = 'Get-Gpt2Model openai-community/gpt2 | Get-Gpt2Weight w'; Shape = '50257 × 768' }
            @{ Line = 'Get-Gpt2Model -LiteralPath "./my models/tales" | Get-Gpt2Weight w'; Shape = '2048 × 192' }
        ) {
            Set-Variable model (Get-Gpt2Model 3M) -Scope Global
            try {
                $found = Complete $Line
                $found.CompletionText | Should -Be 'wte', 'wpe'
                $found[0].ToolTip | Should -BeLike "wte · $Shape · *iB"
            }
            finally { Remove-Variable model -Scope global }
        }

        It 'tells shape and size as the weights have them' {
            $weights = Get-Gpt2Model 3M | Get-Gpt2Weight
            $offered = Complete 'Get-Gpt2Weight -Model 3M -Name '
            $offered.CompletionText | Should -Be $weights.Name
            $offered.ToolTip | Should -Be $weights.ForEach({ "$($_.Name) · $([PicoGpt.PowerShell.Format]::Shape($_.Shape)) · $([PicoGpt.PowerShell.Format]::Bytes($_.Size))" })
        }

        It 'completes behind a wildcard' {
            (Complete 'Get-Gpt2Weight -Model 3M -Name h?/ln_1/g').Count | Should -Be 6
        }

        It 'keeps the quote that was opened' {
            (Complete 'Get-Gpt2Weight -Model 3M -Name ''ln_f/').CompletionText | Should -Be "'ln_f/g'", "'ln_f/b'"
            (Complete 'Get-Gpt2Weight -Model 3M -Name "ln_f/').CompletionText | Should -Be '"ln_f/g"', '"ln_f/b"'
        }

        It 'gives up on files that take too long, for <Line>' -ForEach @(
            @{ Line = 'Get-Gpt2Weight -Model "./my models/tales" ln_f' }
            @{ Line = 'Get-Gpt2Weight -Model "./my models/tales" -Raw model/ln_f' }
            @{ Line = 'Trace-Gpt2Text Once -Model "./my models/tales" -Activation h3/resid_p' }
        ) {
            (Complete $Line).CompletionText | Should -Not -BeNullOrEmpty
            try {
                Set-CompletionPatience 0
                (Complete $Line).CompletionText | Should -BeNullOrEmpty
            }
            finally { Set-CompletionPatience '0:01:00' }
            (Complete $Line).CompletionText | Should -Not -BeNullOrEmpty
        }

        It 'offers no weight, and fails not, where there is not a model: <Line>' -ForEach @(
            @{ Line = 'Get-Gpt2Weight -Name w' }
            @{ Line = 'Get-Gpt2Weight -Model nothing -Name w' }
            @{ Line = 'Get-Gpt2Weight -Model nowhere:/x -Name w' }
            @{ Line = 'Get-Gpt2Weight -Model 3M -Name h0/[' }
            @{ Line = '42 | Get-Gpt2Weight w' }
        ) {
            Complete $Line | Where-Object ToolTip -Like '* · *' | Should -BeNullOrEmpty
        }
    }

    Context 'of precisions' {
        It 'offers each, the exact one first, with what it means' {
            $found = Complete 'Invoke-Gpt2Generate Once -Precision '
            $found.CompletionText | Should -Be 'Float32', 'Float16', 'BFloat16', 'Int8', 'Int4'
            $found[0].ToolTip | Should -BeExactly 'Float32 · exact'
            (Complete 'Get-Gpt2Model -Precision "in').CompletionText | Should -Be '"Int8"', '"Int4"'
        }

        It 'tells the size of the weights after <Line>' -ForEach @(
            @{ Line = 'Get-Gpt2Model 124M -Precision f' }
            @{ Line = 'Invoke-Gpt2Generate Once -Model gpt2 -Precision f' }
            @{ Line = 'Measure-Gpt2Text -Path tale.txt -Model gpt2 -Precision f' }
            @{ Line = '"124m" | Invoke-Gpt2Generate -Prompt Once -Precision f' }
            @{ Line = 'Get-Gpt2Model 124M | Invoke-Gpt2Generate -Prompt Once -Precision f' }
        ) {
            (Complete $Line).ToolTip | Should -BeExactly 'Float32 · exact · 474.7 MiB for 124M', 'Float16 · half precision · 239.1 MiB for 124M'
        }
    }

    Context 'of numbers' {
        It 'offers no files after <Line>' -ForEach @(
            @{ Line = 'Trace-Gpt2Text Once -Model 3M -Layer '; Offers = '0', '1', '2', '3', '4', '5' }
            @{ Line = 'Trace-Gpt2Text Once -Model 124M -Head 1'; Offers = '1', '10', '11' }
            @{ Line = 'Trace-Gpt2Text Once -Layer '; Offers = '0' }
            @{ Line = 'Invoke-Gpt2Generate Once -Seed '; Offers = '1' }
            @{ Line = 'Invoke-Gpt2Generate Once -Seed 42'; Offers = '42' }
            @{ Line = 'Invoke-Gpt2Generate Once -TopP 0'; Offers = '0.9', '0.95' }
            @{ Line = 'Invoke-Gpt2Generate Once -MaxTokens '; Offers = '40', '200', '1000' }
            @{ Line = 'Show-Gpt2Weight -Slice '; Offers = "'0:64, 0:64'", '0', "':, -1'", "'::2'" }
            @{ Line = 'Show-Gpt2Weight -Width '; Offers = '80', '120' }
            @{ Line = 'Measure-Gpt2Text Once -Stride '; Offers = '512', '64' }
        ) { (Complete $Line).CompletionText | Should -Be $Offers }
    }

    It 'asks nobody' {
        $null = Complete 'Get-Gpt2Model '
        $null = Complete 'Invoke-Gpt2Generate Once -Model '
        $null = Complete 'Get-Gpt2Model 124M | Get-Gpt2Weight w'
        $null = Complete 'Get-Gpt2Weight -Model 774M -Name w'
        $null = Complete 'Get-Gpt2Model 774M -Precision '
        $listener.Pending() | Should -BeFalse
        (Get-ChildItem $env:PICOGPT_HOME).Name | Should -Be '355M'
    }
}
