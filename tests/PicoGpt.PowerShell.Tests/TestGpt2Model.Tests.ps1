BeforeAll { . "$PSScriptRoot/Common.ps1" }

Describe 'Test-Gpt2Model' {
    BeforeEach {
        $old = $env:PICOGPT_HOME, $env:PICOGPT_SOURCE, $env:PICOGPT_OFFLINE
        $env:PICOGPT_HOME = Join-Path $TestDrive ([guid]::NewGuid())
        $env:PICOGPT_SOURCE = ''
        $env:PICOGPT_OFFLINE = '1' # no test asks anybody but this machine
    }

    AfterEach { $env:PICOGPT_HOME, $env:PICOGPT_SOURCE, $env:PICOGPT_OFFLINE = $old }

    It 'verifies the built-in model, file by file and group by group' {
        Test-Gpt2Model 3M -Quiet | Should -BeTrue
        $checks = Test-Gpt2Model 3M
        $checks.IsValid | Should -Not -Contain $false
        $checks.Tensors | Where-Object { $_ } | Sort-Object | Should -Be 'h0', 'h1', 'h2', 'h3', 'h4', 'h5', 'ln_f', 'wpe', 'wte'
        $checks | Out-String | Should -Match 'model.ckpt.data-00000-of-00001\s+wte\s+ok'
    }

    It 'reports what a model lacks' {
        Test-Gpt2Model 124M -Quiet | Should -BeFalse
        (Test-Gpt2Model 124M | Where-Object File -eq 'encoder.json').Problem | Should -BeLike '*missing*'
    }

    It 'refuses an unknown name' {
        { Test-Gpt2Model 744M -ErrorAction Stop } | Should -Throw -ErrorId 'UnknownModel,*'
    }

    It 'takes wildcards for what is on this machine, and asks nobody for the rest' {
        Test-Gpt2Model [0-9]M -Quiet | Should -BeTrue
        Test-Gpt2Model 124* | Should -BeNullOrEmpty
    }
}
