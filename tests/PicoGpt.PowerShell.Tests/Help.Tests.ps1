BeforeDiscovery {
    $manifest = $env:PICOGPT_TEST_MODULE ?? "$PSScriptRoot/../../PicoGpt.psd1"
    $commands = (Import-PowerShellDataFile $manifest).CmdletsToExport | ForEach-Object { @{ Command = $_ } }
    $topics = @{ Topic = 'about_PicoGpt' }, @{ Topic = 'about_PicoGpt_Circuits' }, @{ Topic = 'about_PicoGpt_Inside' }, @{ Topic = 'about_PicoGpt_Models' }, @{ Topic = 'about_PicoGpt_Pipeline' }, @{ Topic = 'about_PicoGpt_Remote' }, @{ Topic = 'about_PicoGpt_Training' }

    # An example whose output stands in a fence "text" gives just that everywhere; "console" stands for what differs, such as paths.
    $example = '(?s)### (?<Title>Example [^\n]+)\n\n```powershell\n(?<Code>((?!```).)*)```\n\n```text\n(?<Output>.*?)\n```'
    $examples = Get-ChildItem "$PSScriptRoot/../../src/PicoGpt.PowerShell/Help/*-*.md" | ForEach-Object {
        $page = $_.BaseName
        $text = (Get-Content $_ -Raw) -replace "`r"
        foreach ($match in [regex]::Matches($text, $example)) {
            @{ Command = $page; Title = $match.Groups['Title'].Value; Code = $match.Groups['Code'].Value; Output = $match.Groups['Output'].Value }
        }
    }
}

BeforeAll {
    . "$PSScriptRoot/Common.ps1"

    function Get-OwnParameter([string] $Command) {
        $common = [System.Management.Automation.PSCmdlet]::CommonParameters
        (Get-Command $Command).Parameters.Values | Where-Object Name -notin $common
    }
}

Describe 'Help of <Command>' -ForEach $commands {
    BeforeAll { $help = Get-Help $Command -Full }

    It 'says what the command does' {
        $help.Synopsis | Should -Match '^[A-Z].*\.$'
        $help.Synopsis.Length | Should -BeLessThan 80
        $help.description.Text | Should -Not -BeNullOrEmpty
    }

    It 'has the parameters of the command, no other, and says something of each' {
        $parameters = Get-OwnParameter $Command
        $described = @($help.parameters.parameter)
        $described.name | Sort-Object | Should -Be ($parameters.Name | Sort-Object)
        foreach ($parameter in $described) { $parameter.description.Text | Should -Match '\w.*\.\s*$' -Because $parameter.name }
    }

    It 'tells the facts of each parameter as the command has them' {
        foreach ($parameter in Get-OwnParameter $Command) {
            $described = Get-Help $Command -Parameter $parameter.Name
            $uses = $parameter.ParameterSets.Values
            $described.required | Should -Be "$($uses.IsMandatory -contains $true)" -Because $parameter.Name
            $described.pipelineInput -like '*ByValue*' | Should -Be ($uses.ValueFromPipeline -contains $true) -Because $parameter.Name
            $described.pipelineInput -like '*ByPropertyName*' | Should -Be ($uses.ValueFromPipelineByPropertyName -contains $true) -Because $parameter.Name
            $described.aliases -split ', ' | Sort-Object | Should -Be ($parameter.Aliases.Count ? ($parameter.Aliases | Sort-Object) : 'none')
            if ($parameter.ParameterType -ne [switch]) { $described.parameterValue -as [type] | Should -BeIn ([Nullable]::GetUnderlyingType($parameter.ParameterType), $parameter.ParameterType, $null) }
        }
    }

    It 'has a syntax for each parameter set' {
        @($help.syntax.syntaxItem).Count | Should -Be (Get-Command $Command).ParameterSets.Count
    }

    It 'has no syntax twice' {
        $lines = (Get-Command $Command -Syntax) -split '\r?\n' | Where-Object { $_ }
        $lines | Select-Object -Unique | Should -HaveCount $lines.Count
    }

    It 'lists inputs, and every output the command declares' {
        $help.inputTypes.inputType.type.name | Should -Not -BeNullOrEmpty
        $declared = (Get-Command $Command).OutputType.Name -replace '^System\.Void$', 'None' | Select-Object -Unique | Sort-Object
        $help.returnValues.returnValue.type.name | Sort-Object | Should -Be $declared
    }

    It 'links to commands and topics that there are' {
        $links = $help.relatedLinks.navigationLink.linkText
        $links | Should -Not -BeNullOrEmpty
        foreach ($link in $links) { (Get-Help $link).Name | Should -Be $link }
    }

    It 'has an address online' {
        $address = [uri](Get-Command $Command).HelpUri
        $address.Scheme | Should -Be 'https'
        "$address" | Should -BeLike "*[#/]$Command.md"
    }

    It 'has three examples or more' {
        $help.examples.example.Count | Should -BeGreaterOrEqual 3
        foreach ($example in $help.examples.example) { $example.code | Should -BeLike "*Gpt2*" }
    }
}

Describe 'Examples of <Command>' -ForEach @($examples) {
    BeforeAll {
        $old = Set-Environment @{ PICOGPT_HOME = "$TestDrive/home"; PICOGPT_SOURCE = ''; PICOGPT_OFFLINE = '1'; COLUMNS = '76' }
        $culture, [cultureinfo]::CurrentCulture = [cultureinfo]::CurrentCulture, [cultureinfo]::InvariantCulture
        $work = New-Item "$TestDrive/$([guid]::NewGuid())" -ItemType Directory
        Push-Location $work
        'Once upon a time there was a king.', 'He had three daughters and no son.', 'The end.' | Join-String -Separator "`n" -OutputSuffix "`n" | Set-Content ./tale.txt -NoNewline # the same text everywhere
        'Prompt', 'The king', 'The queen' | Set-Content ./prompts.csv
        New-Item ./models -ItemType Directory
        Copy-Item (Get-Gpt2Model 3M).Path ./models/tales -Recurse
    }

    AfterAll {
        Pop-Location
        [cultureinfo]::CurrentCulture = $culture
        Set-Environment $old | Out-Null
    }

    It '<Title>: gives what the help shows' {
        $given = & ([scriptblock]::Create($Code)) *>&1 | Out-String -Width 76
        $lines = $given -replace '\e\[[\d;]*m' -split '\r?\n' | ForEach-Object TrimEnd
        ($lines -join "`n").Trim("`n") | Should -BeExactly $Output
    }
}

Describe 'Topic <Topic>' -ForEach $topics {
    It 'is found, with a synopsis' {
        $found = Get-Help $Topic
        $found | Should -Match "^TOPIC\s+$Topic\s"
        (Get-Help "$Topic*" | Where-Object Name -eq $Topic).Synopsis | Should -BeLike 'Describes *'
    }

    It 'fits on a screen of 80 columns' {
        (Get-Help $Topic) -split '\r?\n' | Where-Object Length -gt 79 | Should -BeNullOrEmpty
    }
}

Describe 'about_PicoGpt_Inside' {
    It 'has examples that run one after another' {
        Mock Invoke-Item { }
        $examples = [regex]::Matches((Get-Help about_PicoGpt_Inside), '(?m)(^ {8}.*\r?\n|^\r?\n(?= {8}))+').Value -notmatch '^\s*h0/'
        $examples.Count | Should -BeGreaterThan 10
        $ErrorActionPreference = 'Stop'
        Push-Location $TestDrive
        try {
            foreach ($example in $examples) {
                try { . ([scriptblock]::Create($example)) | Out-Null }
                catch { throw "$_ in:`n$example" }
            }
        }
        finally { Pop-Location }
        $bias.Max | Should -Be 0
        'mlp.npz', 'mine/model.ckpt.index', 'trace.html' | ForEach-Object { "$TestDrive/$_" | Should -Exist }
    }
}

Describe 'about_PicoGpt' {
    It 'lists every command' {
        $text = Get-Help about_PicoGpt
        foreach ($command in (Get-Command -Module PicoGpt).Name) { $text | Should -Match "(?m)^    $command  " }
    }

    It 'lists every error with its category' {
        $engine = [PicoGpt.Foundation.Gpt2Exception, PicoGpt]
        $kind = [PicoGpt.Foundation.Gpt2Error, PicoGpt]
        $faults = @([enum]::GetValues($kind) | ForEach-Object { $engine::new($_, 'A fault.', $null, $null) }) +
            [System.ObjectDisposedException]::new('3M') + [System.UnauthorizedAccessException]::new() + [System.IO.IOException]::new()
        $from = [PicoGpt.PowerShell.Format].Assembly.GetType('PicoGpt.PowerShell.ErrorRecords').GetMethod('From')
        $rows = foreach ($fault in $faults) {
            $record = $from.Invoke($null, @($fault, $null))
            '{0} {1}' -f $record.FullyQualifiedErrorId, $record.CategoryInfo.Category
        }
        $listed = [regex]::Matches((Get-Help about_PicoGpt), '(?m)^    (\w+) +([A-Z]\w+)  +\w').ForEach({ '{0} {1}' -f $_.Groups[1].Value, $_.Groups[2].Value })
        $listed | Where-Object { $_ -ne 'Id Category' } | Sort-Object | Should -Be ($rows | Sort-Object)
    }
}
