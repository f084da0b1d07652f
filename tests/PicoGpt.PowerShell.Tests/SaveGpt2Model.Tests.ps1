BeforeDiscovery { $hasShared = Test-Path "$PSScriptRoot/../../../shared/data" }

BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    $shared = "$PSScriptRoot/../../../shared/data"
}

Describe 'Save-Gpt2Model' {
    BeforeEach {
        $old = Set-EmptyCache
    }

    AfterEach { Set-Environment $old | Out-Null }

    It 'says what it would fetch from where to where, and fetches nothing, with -WhatIf' {
        $said = Invoke-PowerShell -Command "Import-Module '$module'; Save-Gpt2Model 124M -WhatIf"
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

    It 'refuses a wildcard and an address as what they are' {
        { Save-Gpt2Model *M -ErrorAction Stop } | Should -Throw -ErrorId 'UnknownModel,*' -ExpectedMessage '*; here none has a wildcard.'
        { Save-Gpt2Model https://example.org/gpt2 -ErrorAction Stop } | Should -Throw -ErrorId 'UnknownModel,*' -ExpectedMessage '*; of what is at another address fetch all files*'
    }

    It 'refuses an unknown name' {
        { Save-Gpt2Model 744M -ErrorAction Stop } | Should -Throw -ErrorId 'UnknownModel,*'
    }

    It 'never gives a wrong file its name' -Tag 'needs the files of OpenAI''s tokenizer' -Skip:(-not $hasShared) {
        $source = Join-Path $TestDrive 'wrong'
        New-Item "$source/124M" -ItemType Directory | Out-Null
        Copy-Item "$shared/checkpoints/failure-bodies/azure-BlobNotFound.xml" "$source/124M/encoder.json"
        Copy-Item "$shared/encoding/vocab.bpe" "$source/124M"
        $env:PICOGPT_SOURCE = $source
        { ConvertTo-Gpt2Token 'a' -Model 124M } | Should -Throw -ErrorId 'ErrorBody,*' -ExpectedMessage '*BlobNotFound*'
        Test-Path "$env:PICOGPT_HOME/124M/encoder.json" | Should -BeFalse
    }

    It 'fetches what an entry of the list means, and nothing for a model that lies elsewhere' {
        $said = pwsh -NoProfile -Command "Import-Module '$module'; (Get-Gpt2Model -ListAvailable)[1] | Save-Gpt2Model -WhatIf"
        "$said" | Should -BeLike '*Fetch 476.1 MiB*124M*'
        $null = New-Item "$TestDrive/elsewhere" -ItemType Directory
        Copy-Item (Get-Gpt2Model 3M).Path "$TestDrive/elsewhere/124M" -Recurse
        foreach ($given in (Get-Gpt2Model -Path "$TestDrive/elsewhere/124M"), (Get-Item "$TestDrive/elsewhere/124M")) {
            { $given | Save-Gpt2Model -ErrorAction Stop } | Should -Throw -ErrorId 'InvalidArgument,*' -ExpectedMessage '*elsewhere?124M'' is not the folder of a model of the cache*'
        }
    }
}
