BeforeAll { . "$PSScriptRoot/Common.ps1" }

Describe 'Remove-Gpt2Model' {
    BeforeEach {
        $old = $env:PICOGPT_HOME, $env:PICOGPT_SOURCE, $env:PICOGPT_OFFLINE
        $env:PICOGPT_HOME = Join-Path $TestDrive ([guid]::NewGuid())
        $env:PICOGPT_SOURCE = ''
        $env:PICOGPT_OFFLINE = '1' # no test asks anybody but this machine
    }

    AfterEach { $env:PICOGPT_HOME, $env:PICOGPT_SOURCE, $env:PICOGPT_OFFLINE = $old }

    It 'removes neither the built-in model nor what is not there' {
        { Remove-Gpt2Model 3M -ErrorAction Stop } | Should -Throw -ErrorId 'InvalidArgument,*' -ExpectedMessage '*ships with the module*'
        { Remove-Gpt2Model 124M -ErrorAction Stop } | Should -Throw -ErrorId 'ModelNotCached,*'
    }

    It 'refuses an unknown name' {
        { Remove-Gpt2Model 744M -ErrorAction Stop } | Should -Throw -ErrorId 'UnknownModel,*'
    }

    It 'takes wildcards for what is on this machine' {
        Remove-Gpt2Model 1* -ErrorAction Stop
        $null = New-Item "$env:PICOGPT_HOME/124M/vocab.bpe", "$env:PICOGPT_HOME/355M/vocab.bpe" -Force
        Remove-Gpt2Model 1*
        (Get-ChildItem $env:PICOGPT_HOME).Name | Should -Be '355M'
    }

    It 'removes nothing with -WhatIf, and says what it would' {
        $null = New-Item "$env:PICOGPT_HOME/124M/vocab.bpe" -Force
        $said = Invoke-PowerShell -Command "Import-Module '$module'; Remove-Gpt2Model 124M -WhatIf"
        "$said" | Should -BeLike 'What if:*Delete*124M*'
        Test-Path "$env:PICOGPT_HOME/124M/vocab.bpe" | Should -BeTrue
    }
}
