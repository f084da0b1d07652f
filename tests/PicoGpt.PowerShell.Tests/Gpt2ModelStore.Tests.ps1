BeforeDiscovery {
    $shared = Join-Path $PSScriptRoot '../../../shared/data'
    $hasShared = Test-Path $shared
}

BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    $shared = Join-Path $PSScriptRoot '../../../shared/data'
}

Describe 'The model store' {
    BeforeEach {
        $old = $env:PICOGPT_HOME, $env:PICOGPT_SOURCE, $env:PICOGPT_OFFLINE
        $env:PICOGPT_HOME = Join-Path $TestDrive ([guid]::NewGuid())
        $env:PICOGPT_SOURCE = ''
        $env:PICOGPT_OFFLINE = '1' # no test asks anybody but this machine
    }

    AfterEach { $env:PICOGPT_HOME, $env:PICOGPT_SOURCE, $env:PICOGPT_OFFLINE = $old }

    It 'says what it would fetch from where to where, and fetches nothing, with -WhatIf' {
        $said = pwsh -NoProfile -Command "Import-Module '$module'; Save-Gpt2Model 124M -WhatIf"
        "$said" | Should -Match '499,263,233 bytes.*openaipublic.*124M'
        Test-Path $env:PICOGPT_HOME | Should -BeFalse
    }

    It 'asks nobody while downloads are switched off' {
        { Save-Gpt2Model 124M -ErrorAction Stop } | Should -Throw -ErrorId 'Offline,*SaveGpt2ModelCommand' -ExpectedMessage '*PICOGPT_OFFLINE*'
        { Get-Gpt2Model 124M -ErrorAction Stop } | Should -Throw -ErrorId 'Offline,*GetGpt2ModelCommand'
        Test-Path "$env:PICOGPT_HOME/124M" | Should -BeFalse
    }

    It 'refuses a source that could be tampered with' {
        { Save-Gpt2Model 124M -Source http://example.com -ErrorAction Stop } | Should -Throw -ErrorId 'InvalidSource,*' -ExpectedMessage '*plain http*'
    }

    It 'refuses an unknown name in every command' {
        foreach ($command in 'Save-Gpt2Model', 'Test-Gpt2Model', 'Remove-Gpt2Model') {
            { & $command 744M -ErrorAction Stop } | Should -Throw -ErrorId 'UnknownModel,*'
        }
    }

    It 'verifies the built-in model, file by file and group by group' {
        Test-Gpt2Model 3M -Quiet | Should -BeTrue
        $checks = Test-Gpt2Model 3M
        $checks.IsValid | Should -Not -Contain $false
        $checks.Tensors | Where-Object { $_ } | Sort-Object | Should -Be 'h0', 'h1', 'h2', 'h3', 'h4', 'h5', 'ln_f', 'wpe', 'wte'
        $checks | Out-String | Should -Match 'model.ckpt.data-00000-of-00001\s+wte\s+ok'
    }

    It 'takes wildcards for what is on this machine, and asks nobody for the rest' {
        (Get-Gpt2Model *M).Name | Should -Be '3M'
        Get-Gpt2Model gpt2* | Should -BeNullOrEmpty
        Test-Gpt2Model [0-9]M -Quiet | Should -BeTrue
        Test-Gpt2Model 124* | Should -BeNullOrEmpty
        Remove-Gpt2Model 1*
    }

    It 'reports what a model lacks' {
        Test-Gpt2Model 124M -Quiet | Should -BeFalse
        (Test-Gpt2Model 124M | Where-Object File -eq 'encoder.json').Problem | Should -BeLike '*missing*'
    }

    It 'removes neither the built-in model nor what is not there' {
        { Remove-Gpt2Model 3M -ErrorAction Stop } | Should -Throw -ErrorId 'InvalidArgument,*' -ExpectedMessage '*ships with the module*'
        { Remove-Gpt2Model 124M -ErrorAction Stop } | Should -Throw -ErrorId 'ModelNotCached,*'
    }

    It 'fetches only the tokenizer to make tokens' -Skip:(-not $hasShared) {
        $source = Join-Path $TestDrive 'source'
        New-Item "$source/124M" -ItemType Directory | Out-Null
        Copy-Item "$shared/encoding/encoder.json", "$shared/encoding/vocab.bpe" "$source/124M"
        $env:PICOGPT_SOURCE = $source
        ('Hello world' | ConvertTo-Gpt2Token -Model 124M).Id | Should -Be 15496, 995
        (Get-ChildItem "$env:PICOGPT_HOME/124M").Name | Sort-Object | Should -Be 'encoder.json', 'vocab.bpe'
        (Get-Gpt2Model -ListAvailable)[1].State | Should -Be 'Partial'
        Remove-Gpt2Model 124M
        Test-Path "$env:PICOGPT_HOME/124M" | Should -BeFalse
    }

    It 'never gives a wrong file its name' -Skip:(-not $hasShared) {
        $source = Join-Path $TestDrive 'wrong'
        New-Item "$source/124M" -ItemType Directory | Out-Null
        Copy-Item "$shared/checkpoints/failure-bodies/azure-BlobNotFound.xml" "$source/124M/encoder.json"
        Copy-Item "$shared/encoding/vocab.bpe" "$source/124M"
        $env:PICOGPT_SOURCE = $source
        { ConvertTo-Gpt2Token 'a' -Model 124M } | Should -Throw -ErrorId 'ErrorBody,*' -ExpectedMessage '*BlobNotFound*'
        Test-Path "$env:PICOGPT_HOME/124M/encoder.json" | Should -BeFalse
    }
}
