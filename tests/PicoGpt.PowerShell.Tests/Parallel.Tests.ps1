BeforeDiscovery {
    $hasThreadJob = $null -ne (Get-Command Start-ThreadJob -ErrorAction Ignore)
}

BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    $path = (Resolve-Path $module).Path
    $prompts = 1..6 | ForEach-Object { "Tale $_ of the king" }
    $single = ($prompts | Invoke-Gpt2Generate -Model 3M -MaxTokens 12 -BatchSize 1).Text
}

Describe 'Work side by side' {
    It 'gives the same texts in a job of another process, and they arrive readable' {
        $model = Get-Gpt2Model 3M
        $job = Start-Job -ScriptBlock {
            Import-Module $using:path
            $using:prompts | Invoke-Gpt2Generate -Model $using:model -MaxTokens 12
        }
        $completions = $job | Receive-Job -Wait
        $job | Remove-Job
        $completions.Text | Should -BeExactly $single
        $completions.Prompt | Should -BeExactly $prompts
        $completions[0].PSTypeNames[0] | Should -Be 'Deserialized.PicoGpt.Inference.Gpt2Completion'
        (($completions[0] | Out-String) -replace '\e\[[\d;]*m').Trim() | Should -BeLike "$($prompts[0] + $single[0])*"
    }

    It 'gives the same texts in threads that share a model' -Tag 'needs Start-ThreadJob' -Skip:(-not $hasThreadJob) {
        $model = Get-Gpt2Model 3M
        $jobs = foreach ($prompt in $prompts) {
            Start-ThreadJob -ThrottleLimit 3 -ScriptBlock {
                Import-Module $using:path
                Invoke-Gpt2Generate $using:prompt -Model $using:model -MaxTokens 12 -Threads 1
            }
        }
        ($jobs | Receive-Job -Wait | Sort-Object Prompt).Text | Should -BeExactly $single
        $jobs | Remove-Job
    }

    It 'gives the same texts in runspaces that share a model' {
        $model = Get-Gpt2Model 3M
        $completions = $prompts | ForEach-Object -ThrottleLimit 3 -Parallel {
            Import-Module $using:path
            Invoke-Gpt2Generate $_ -Model $using:model -MaxTokens 12
        }
        ($completions | Sort-Object Prompt).Text | Should -BeExactly $single
        $completions[0].GetType().FullName | Should -Be 'PicoGpt.Inference.Gpt2Completion'
    }

    It 'reads weights and tokens of a shared model from several runspaces' {
        $model = Get-Gpt2Model 3M
        $found = 1..6 | ForEach-Object -ThrottleLimit 3 -Parallel {
            Import-Module $using:path
            $model = $using:model
            '{0:R} {1}' -f (Get-Gpt2Weight wte -Model $model).StandardDeviation, ('Once upon a time' | ConvertTo-Gpt2Token -Model $model).Count
        }
        $found.Count | Should -Be 6
        $found | Select-Object -Unique | Should -Be ('{0:R} 5' -f (Get-Gpt2Weight wte -Model 3M).StandardDeviation)
    }
}
