BeforeAll { . "$PSScriptRoot/Common.ps1" }

Describe 'Remove-Gpt2Model' {
    BeforeEach {
        $old = Set-EmptyCache
    }

    AfterEach { Set-Environment $old | Out-Null }

    It 'removes neither the built-in model nor what is not in the cache' {
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
        (Get-ChildItem $env:PICOGPT_HOME -Exclude .locks).Name | Should -Be '355M' # which Windows does not hide
    }

    It 'removes nothing with -WhatIf, and says what it would' {
        $null = New-Item "$env:PICOGPT_HOME/124M/vocab.bpe" -Force
        $said = Invoke-PowerShell -Command "Import-Module '$module'; Remove-Gpt2Model 124M -WhatIf"
        "$said" | Should -BeLike 'What if:*Delete*124M*'
        Test-Path "$env:PICOGPT_HOME/124M/vocab.bpe" | Should -BeTrue
    }

    It 'removes the model that an object means, and no other of that name: <Case>' -ForEach @(
        @{ Case = 'an open model'; Make = { Get-Gpt2Model -Path $args[0] } }
        @{ Case = 'a folder'; Make = { Get-Item $args[0] } }
        @{ Case = 'a file of the cache'; Make = { Get-Item "$env:PICOGPT_HOME/124M/vocab.bpe" } }
        @{ Case = 'a row with a path'; Make = { [pscustomobject]@{ Name = '124M'; Path = "$($args[0])" } } }
        @{ Case = 'a model of another session'; Make = { [System.Management.Automation.PSSerializer]::Deserialize([System.Management.Automation.PSSerializer]::Serialize((Get-Gpt2Model -Path $args[0]))) } }
        @{ Case = 'a list entry of another cache'; Make = { $home1, $env:PICOGPT_HOME = $env:PICOGPT_HOME, "$TestDrive/elsewhere"; (Get-Gpt2Model -ListAvailable)[1]; $env:PICOGPT_HOME = $home1 } }
    ) {
        $null = New-Item "$env:PICOGPT_HOME/124M/vocab.bpe" -Force
        $other = "$TestDrive/$([guid]::NewGuid())/124M"
        $null = New-Item (Split-Path $other) -ItemType Directory
        Copy-Item (Get-Gpt2Model 3M).Path $other -Recurse
        @(& $Make $other) | Remove-Gpt2Model -ErrorAction SilentlyContinue -ErrorVariable faults
        $faults | Should -HaveCount 1
        $faults[0].FullyQualifiedErrorId | Should -BeLike 'InvalidArgument,*'
        $faults[0].Exception.Message | Should -BeLike '*is not the folder of a model of the cache in*delete it with Remove-Item.'
        "$env:PICOGPT_HOME/124M/vocab.bpe" | Should -Exist
        "$other/vocab.bpe" | Should -Exist
    }

    It 'takes a model of the cache as <Case>' -ForEach @(
        @{ Case = 'a list entry'; Make = { (Get-Gpt2Model -ListAvailable)[1] } }
        @{ Case = 'a list entry of another session'; Make = { [System.Management.Automation.PSSerializer]::Deserialize([System.Management.Automation.PSSerializer]::Serialize((Get-Gpt2Model -ListAvailable)[1])) } }
        @{ Case = 'its folder'; Make = { Get-Item "$env:PICOGPT_HOME/124M" } }
        @{ Case = 'a row with a name'; Make = { [pscustomobject]@{ Name = 'gpt2' } } }
        @{ Case = 'a name'; Make = { '124m' } }
    ) {
        $null = New-Item "$env:PICOGPT_HOME/124M/vocab.bpe" -Force
        & $Make | Remove-Gpt2Model
        "$env:PICOGPT_HOME/124M" | Should -Not -Exist
    }

    It 'refuses <Case> with a sentence' -ForEach @(
        @{ Case = 'a hash table'; Value = @{ Name = '124M' }; Says = '*(Hashtable) is not a model;*' }
        @{ Case = 'a number'; Value = 42; Says = "*'42' (Int32) is not a model;*" }
        @{ Case = 'a row without name and path'; Value = [pscustomobject]@{ Model = '124M' }; Says = '*is not a model;*' }
    ) {
        $Value | Remove-Gpt2Model -ErrorAction SilentlyContinue -ErrorVariable faults
        $faults[0].Exception.Message | Should -BeLike $Says
    }

    Context 'where there is more than the model''s files' {
        BeforeEach {
            $folder = "$env:PICOGPT_HOME/124M"
            foreach ($file in 'vocab.bpe', 'encoder.json.part', 'encoder.json.part.journal', 'converted/int8.index', 'converted/mine.txt', 'notes.txt', 'drafts/a.txt') {
                $null = New-Item "$folder/$file" -Force -Value ('x' * 100)
            }
        }

        It 'counts and names all that goes and what stays, in the list and with -WhatIf' {
            (Get-Gpt2Model -ListAvailable)[1].SizeOnDisk | Should -Be 400
            $said = pwsh -NoProfile -Command "Import-Module '$module'; Remove-Gpt2Model 124M -WhatIf"
            "$said" | Should -BeLike ('What if:*"Delete 400 B in 4 files: converted*int8.index, encoder.json.part, encoder.json.part.journal, vocab.bpe; the folder stays, ' +
                'because PicoGpt did not put converted/mine.txt, drafts, notes.txt there"*124M*')
            (Get-ChildItem $folder -Recurse -File).Count | Should -Be 7
        }

        It 'leaves what is not PicoGpt''s, and says so' {
            $said = Remove-Gpt2Model 124M -Verbose -WarningVariable warnings -WarningAction SilentlyContinue 4>&1
            (Get-ChildItem $folder -Recurse -File).Name | Sort-Object | Should -Be 'a.txt', 'mine.txt', 'notes.txt'
            $said -like 'Deleted *' | Should -HaveCount 4
            $warnings | Should -BeLike '*124M'' stays, because PicoGpt did not put converted/mine.txt, drafts, notes.txt there.'
            { Remove-Gpt2Model 124M -ErrorAction Stop } | Should -Throw -ErrorId 'ModelNotCached,*' -ExpectedMessage '*converted/mine.txt, drafts, notes.txt in it was not put there by PicoGpt.'
        }
    }

    It 'deletes a link, and not what it leads to' -Tag 'needs a system that lets everybody make links' -Skip:$IsWindows {
        $null = New-Item "$TestDrive/far/vocab.bpe" -Force
        $null = New-Item $env:PICOGPT_HOME -ItemType Directory
        $null = New-Item "$env:PICOGPT_HOME/124M" -ItemType SymbolicLink -Value "$TestDrive/far"
        $said = Invoke-PowerShell -Command "Import-Module '$module'; Remove-Gpt2Model 124M -WhatIf"
        "$said" | Should -BeLike '*Delete the link, and not what it leads to, *far*'
        Remove-Gpt2Model 124M
        "$env:PICOGPT_HOME/124M" | Should -Not -Exist
        "$TestDrive/far/vocab.bpe" | Should -Exist
    }
}
