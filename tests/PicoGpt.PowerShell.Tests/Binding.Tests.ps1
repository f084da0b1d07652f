BeforeAll {
    . "$PSScriptRoot/Common.ps1"

    function Copy-Object([object] $Object) {
        [System.Management.Automation.PSSerializer]::Deserialize([System.Management.Automation.PSSerializer]::Serialize($Object))
    }

    $model = Get-Gpt2Model 3M
    $once = (Invoke-Gpt2Generate Once -Model $model -MaxTokens 2).Text
}

Describe 'A -Model parameter' {
    It 'takes <Case>' -ForEach @(
        @{ Case = 'a name'; Make = { '3M' } }
        @{ Case = 'a name with a note'; Make = { '3M' | Add-Member Note x -PassThru } }
        @{ Case = 'an array of one name'; Make = { , @('3M') } }
        @{ Case = 'a list of one wrapped name'; Make = { , [System.Collections.Generic.List[object]]@([psobject]'3M') } }
        @{ Case = 'an object'; Make = { $model } }
        @{ Case = 'an object with a note'; Make = { Get-Gpt2Model 3M | Add-Member Note x -PassThru } }
        @{ Case = 'an array of one object'; Make = { , @($model) } }
        @{ Case = 'an object from another session'; Make = { Copy-Object $model } }
        @{ Case = 'a list entry from another session'; Make = { Copy-Object (Get-Gpt2Model)[0] } }
        @{ Case = 'a folder'; Make = { Get-Item $model.Path } }
        @{ Case = 'a file'; Make = { Get-Item "$($model.Path)/model.ckpt.index" } }
        @{ Case = 'a path with a provider'; Make = { (Get-Item $model.Path).PSPath } }
    ) {
        (Invoke-Gpt2Generate Once -Model (& $Make) -MaxTokens 2).Text | Should -BeExactly $once
    }

    It 'refuses <Case> with a sentence' -ForEach @(
        @{ Case = 'nothing'; Value = $null; Says = '*No model was given;*a name such as 124M*' }
        @{ Case = 'an empty name'; Value = ''; Says = '*No model was given;*' }
        @{ Case = 'an empty array'; Value = @(); Says = '*0 things were given for one model;*' }
        @{ Case = 'two names'; Value = '3M', '3M'; Says = '*2 things were given for one model;*' }
        @{ Case = 'a number'; Value = 42; Says = "*'42' (Int32) is not a model;*" }
        @{ Case = 'a hashtable'; Value = @{ Name = '3M' }; Says = '*(Hashtable) is not a model;*' }
        @{ Case = 'an array of a number'; Value = @(42); Says = "*'42' (Int32) is not a model;*" }
        @{ Case = 'an array of nothing'; Value = @($null); Says = '*No model was given;*' }
        @{ Case = 'an object of another kind'; Value = [pscustomobject]@{ Name = '3M' }; Says = '*is not a model;*' }
    ) {
        foreach ($call in { Invoke-Gpt2Generate Once -Model $Value }, { Get-Gpt2Weight -Model $Value }, { 'a' | ConvertTo-Gpt2Token -Model $Value }) {
            $fault = try { & $call } catch { $_ }
            $fault.FullyQualifiedErrorId | Should -BeLike 'ParameterArgumentTransformationError,*'
            $fault.Exception.Message | Should -BeLike $Says
        }
    }

    It 'opens a model from another session by name where its folder is not here' {
        $there = Copy-Object $model
        $there.Path = 'C:/nowhere/3M'
        (Invoke-Gpt2Generate Once -Model $there -MaxTokens 2).Text | Should -BeExactly $once
    }

    It 'continues with the next one in a pipeline' {
        $completions = 42, $model | Invoke-Gpt2Generate -Prompt Once -MaxTokens 2 -ErrorAction SilentlyContinue -ErrorVariable faults
        $completions.Text | Should -BeExactly $once
        $faults | Should -HaveCount 1
    }
}

Describe 'The pipeline' {
    It 'brings prompts from lines of a file, an empty one too' {
        Set-Content "$TestDrive/prompts.txt" 'Once', '', 'The king'
        (Get-Content "$TestDrive/prompts.txt" | Invoke-Gpt2Generate -Model 3M -MaxTokens 2).Prompt | Should -BeExactly 'Once', '', 'The king'
    }

    It 'brings prompts from a table with a column Prompt' {
        Set-Content "$TestDrive/prompts.csv" 'Id,prompt', '1,Once', '2,"The king, he"'
        (Import-Csv "$TestDrive/prompts.csv" | Invoke-Gpt2Generate -Model 3M -MaxTokens 2).Prompt | Should -BeExactly 'Once', 'The king, he'
    }

    It 'brings models, entries of the list, folders and names where the prompt is given' {
        $from = $model, (Get-Gpt2Model)[0], (Get-Item $model.Path), '3m'
        ($from | Invoke-Gpt2Generate -Prompt Once -MaxTokens 2).Text | Should -BeExactly ($once, $once, $once, $once)
        ($from | Get-Gpt2Weight wte).Name | Should -BeExactly 'wte', 'wte', 'wte', 'wte'
    }

    It 'brings texts and ids, by value and by property name' {
        ('a', 'b' | ConvertTo-Gpt2Token -Model 3M).Text | Should -BeExactly 'a', 'b'
        ('Text', 'a', 'b' | ConvertFrom-Csv | ConvertTo-Gpt2Token -Model 3M).Text | Should -BeExactly 'a', 'b'
        $completion = Invoke-Gpt2Generate Once -Model 3M -MaxTokens 5
        -join ($completion | ConvertTo-Gpt2Token -Model 3M).Text | Should -BeExactly $completion.Text
        'wolf' | ConvertTo-Gpt2Token -Model 3M | ConvertFrom-Gpt2Token -Model 3M | Should -BeExactly 'wolf'
        $completion | ConvertFrom-Gpt2Token -Model 3M | Should -BeExactly $completion.Text
        $completion.Ids | ConvertFrom-Gpt2Token -Model 3M | Should -BeExactly $completion.Text
    }

    It 'brings names by property name to <_>' -ForEach 'Test-Gpt2Model', 'Save-Gpt2Model', 'Remove-Gpt2Model' {
        $row = [pscustomobject]@{ Name = '744M' }
        $row | & $_ -WhatIf -ErrorAction SilentlyContinue -ErrorVariable faults
        $faults[0].FullyQualifiedErrorId | Should -BeLike 'UnknownModel,*'
        $faults[0].Exception.Message | Should -BeLike "*named '744M'.*"
        Get-Gpt2Model | & $_ -WhatIf -ErrorAction SilentlyContinue -ErrorVariable faults
        $faults.FullyQualifiedErrorId | Should -Not -BeLike 'UnknownModel,*'
    }
}

Describe 'Names with wildcards' {
    It 'are taken by <Line>' -ForEach @(
        @{ Line = { (Get-Gpt2Model '?m').Name }; Gives = '3M' }
        @{ Line = { (Get-Gpt2Model 'x*', '[3]*').Name }; Gives = '3M' }
        @{ Line = { (Test-Gpt2Model '3*').Model | Select-Object -Unique }; Gives = '3M' }
        @{ Line = { (Get-Gpt2Weight 'h[01]/LN_1/*' -Model 3M).Name }; Gives = 'h0/ln_1/g', 'h0/ln_1/b', 'h1/ln_1/g', 'h1/ln_1/b' }
        @{ Line = { (Get-Gpt2Weight 'ln_f/?' -Model 3M).Name }; Gives = 'ln_f/g', 'ln_f/b' }
    ) { & $Line | Should -Be $Gives }

    It 'may match nothing' {
        Get-Gpt2Model 'x*' -ErrorAction Stop | Should -BeNullOrEmpty
        Get-Gpt2Weight 'x*' -Model 3M -ErrorAction Stop | Should -BeNullOrEmpty
    }
}

Describe 'Paths' {
    BeforeAll {
        foreach ($name in 'tale', 'tale[1]') { Copy-Item $model.Path "$TestDrive/$name" -Recurse }
        $null = New-PSDrive -Name Tales -PSProvider FileSystem -Root $TestDrive
        $process = [System.IO.Directory]::GetCurrentDirectory()
    }

    AfterEach { Set-Location $PSScriptRoot }

    It 'may be of any drive of the file system: <Path>' -ForEach @(
        @{ Path = 'Tales:/tale' }
        @{ Path = 'Tales:tale' }
        @{ Path = 'Tales:/tale/model.ckpt' }
        @{ Path = 'TestDrive:/tale' }
        @{ Path = 'Microsoft.PowerShell.Core\FileSystem::{0}/tale' }
        @{ Path = 'FileSystem::{0}/tale/model.ckpt.index' }
    ) {
        $path = $Path -f (Get-Item TestDrive:/).FullName
        $folder = (Get-Item "$TestDrive/tale").FullName
        (Get-Gpt2Model -Path $path).Path | Should -Be $folder
        (Get-Gpt2Model -LiteralPath $path).Path | Should -Be $folder
        (Invoke-Gpt2Generate Once -Model $path -MaxTokens 2).Text | Should -BeExactly $once
    }

    It 'are relative to the location of PowerShell, and not to that of the process' {
        Set-Location Tales:/
        [System.IO.Directory]::GetCurrentDirectory() | Should -Be $process
        (Get-Gpt2Model -Path tale).Name | Should -Be 'tale'
        (Get-Gpt2Model -LiteralPath ./tale/../tale).Name | Should -Be 'tale'
        (Get-Gpt2Weight wte -Model tale).Name | Should -Be 'wte'
        Set-Location tale
        (Get-Gpt2Model -Path .).Name | Should -Be 'tale'
        (Get-Gpt2Weight wte -Model ./model.ckpt).Name | Should -Be 'wte'
    }

    It 'have wildcards in -Path, and none in -LiteralPath' {
        (Get-Gpt2Model -Path 'Tales:/tal?').Name | Should -Be 'tale'
        (Get-Gpt2Model -Path 'Tales:/tale*').Name | Sort-Object | Should -Be 'tale', 'tale[1]'
        (Get-Gpt2Model -Path 'Tales:/tale`[1`]').Name | Should -Be 'tale[1]'
        (Get-Gpt2Model -LiteralPath 'Tales:/tale[1]').Name | Should -Be 'tale[1]'
        (Get-Item -LiteralPath 'Tales:/tale[1]' | Get-Gpt2Model).Name | Should -Be 'tale[1]'
        (Get-ChildItem Tales:/ -Directory | Get-Gpt2Model).Name | Sort-Object | Should -Be 'tale', 'tale[1]'
        (Get-Gpt2Weight wte -Model 'Tales:/tale[1]').Name | Should -Be 'wte'
        Get-Gpt2Model -Path 'Tales:/x*' -ErrorAction Stop | Should -BeNullOrEmpty
        { Get-Gpt2Model -LiteralPath 'Tales:/tal?' -ErrorAction Stop } | Should -Throw -ErrorId 'FileNotFound,*'
    }

    It 'tell where they lead to no file, and the next one is opened: <Path>' -ForEach @(
        @{ Path = 'Env:/PATH'; Says = "'Env:/PATH' is a path of the provider Environment; *" }
        @{ Path = 'Function:/*'; Says = "'Function:/\*' is a path of the provider Function; *" }
        @{ Path = 'NoDrive:/tale'; Says = "'NoDrive:/tale' leads nowhere: *'NoDrive'*" }
        @{ Path = 'NoDrive:/*'; Says = "'NoDrive:/\*' leads nowhere: *'NoDrive'*" }
        @{ Path = 'https://example.org/gpt2'; Says = "'https://example.org/gpt2' is an address, and not a path of this machine; *" }
        @{ Path = 'NoProvider::/tale'; Says = "'NoProvider::/tale' leads nowhere: *'NoProvider'*" }
    ) {
        $models = Get-Gpt2Model -Path $Path, "$TestDrive/tale" -ErrorAction SilentlyContinue -ErrorVariable faults
        $models.Name | Should -Be 'tale'
        $faults | Should -HaveCount 1
        $faults[0].FullyQualifiedErrorId | Should -Be 'FileNotFound,PicoGpt.PowerShell.Commands.GetGpt2ModelCommand'
        $faults[0].CategoryInfo.Category | Should -Be 'ObjectNotFound'
        $faults[0].Exception.Message | Should -BeLike $Says.Replace('\*', '[*]')
        { Invoke-Gpt2Generate Once -Model $Path -ErrorAction Stop } | Should -Throw -ErrorId 'FileNotFound,*'
    }

    It 'leave a name a name on every drive' {
        Set-Location Env:/
        (Get-Gpt2Weight wte -Model 3M).Name | Should -Be 'wte'
        (Get-Gpt2Model 3M).Name | Should -Be '3M'
    }
}
