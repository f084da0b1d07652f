BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    $tale = ", and the king's son was so much pleased to be a great deal of his wife.`n`"I am very glad to be a man,`" said the king, `"and I am a"
}

Describe 'Invoke-Gpt2Generate' {
    It 'generates greedily, forty tokens, with the model from the pipeline' {
        $completion = Get-Gpt2Model 3M | Invoke-Gpt2Generate -Prompt 'Once upon a time'
        $completion.GetType().FullName | Should -Be 'PicoGpt.Inference.Gpt2Completion'
        $completion.Text | Should -BeExactly $tale
        $completion.Prompt | Should -Be 'Once upon a time'
        $completion.Ids.Count | Should -Be 40
        $completion.FinishReason | Should -Be 'MaxTokens'
        $completion.TokensPerSecond | Should -BeGreaterThan 0
        "$completion" | Should -BeExactly $tale
    }

    It 'takes the model as <Case>' -ForEach @(
        @{ Case = 'a name'; Model = { '3M' } }
        @{ Case = 'an object'; Model = { Get-Gpt2Model 3M } }
        @{ Case = 'a wrapped object'; Model = { Get-Gpt2Model 3M | Add-Member Note x -PassThru } }
        @{ Case = 'a path'; Model = { (Get-Gpt2Model 3M).Path } }
        @{ Case = 'a folder object'; Model = { Get-Item (Get-Gpt2Model 3M).Path } }
        @{ Case = 'a list entry'; Model = { Get-Gpt2Model | Select-Object -First 1 } }
    ) {
        (Invoke-Gpt2Generate 'Once upon a time' -Model (& $Model)).Text | Should -BeExactly $tale
    }

    It 'takes prompts from the pipeline, by value and by property name, and emits one completion each' {
        'Once', 'The king' | Invoke-Gpt2Generate -Model 3M -MaxTokens 2 | Select-Object -ExpandProperty Prompt | Should -Be 'Once', 'The king'
        "Prompt`nOnce`nThe king" | ConvertFrom-Csv | Invoke-Gpt2Generate -Model 3M -MaxTokens 2 | Select-Object -ExpandProperty Prompt | Should -Be 'Once', 'The king'
    }

    It 'knows the parameter names of other tools' {
        (Invoke-Gpt2Generate Once -Model 3M -n_tokens_to_generate 3).Ids.Count | Should -Be 3
        (Invoke-Gpt2Generate Once -Model 3M -max_tokens 3 -top_p 0.9 -Temperature 1 -Seed 1).Ids.Count | Should -Be 3
        (Invoke-Gpt2Generate 'Once upon a time' -Model 3M -StopSequence "king's").Text | Should -BeExactly ', and the '
    }

    It 'repeats a seeded text' {
        $first = Invoke-Gpt2Generate 'The king' -Model 3M -Temperature 1 -TopK 40 -Seed 3
        $again = Invoke-Gpt2Generate 'The king' -Model 3M -Temperature 1 -TopK 40 -Seed 3 -Threads 1
        $again.Text | Should -BeExactly $first.Text
        $first.Seed | Should -Be 3
    }

    It 'streams pieces that make the text' {
        $pieces = Invoke-Gpt2Generate 'Once upon a time' -Model 3M -Stream
        $pieces.Count | Should -BeGreaterThan 10
        -join $pieces | Should -BeExactly $tale
    }

    It 'computes no more than a downstream command takes' {
        # Every piece comes before the next is computed: a generation of 250 tokens would take 250.
        $seen = [System.Collections.Generic.List[string]]::new()
        Invoke-Gpt2Generate 'Once upon a time' -Model 3M -Stream -MaxTokens 250 | ForEach-Object { $seen.Add($_); $_ } | Select-Object -First 3 | Out-Null
        $seen.Count | Should -Be 3
    }

    It 'takes a precision, and a model of a precision' {
        $exact = Invoke-Gpt2Generate 'Once upon a time' -Model 3M -MaxTokens 8
        foreach ($precision in 'Float16', 'BFloat16', 'Int8') {
            (Invoke-Gpt2Generate 'Once upon a time' -Model 3M -MaxTokens 8 -Precision $precision).Text | Should -BeExactly $exact.Text
        }
        $model = Get-Gpt2Model 3M -Precision Int4
        $model.Precision | Should -Be 'Int4'
        $int4 = ($model | Invoke-Gpt2Generate -Prompt 'Once upon a time').Text
        Invoke-Gpt2Generate 'Once upon a time' -Model 3M -Precision Int4 | ForEach-Object Text | Should -BeExactly $int4
        ($model | Invoke-Gpt2Generate -Prompt 'Once upon a time' -Precision Float32).Text | Should -BeExactly $tale
        (Invoke-Gpt2Generate 'Once upon a time' -Model 3M -Precision $model.Precision).Text | Should -BeExactly $int4
    }

    It 'rehearses a first pass in the precision of the model that the pipeline brings, and in no other' {
        $rehearsed, $expected = Invoke-PowerShell -Command @"
            Import-Module '$((Resolve-Path $module).Path)'
            `$null = Get-Gpt2Model 3M -Precision Int8 -OutVariable model | Invoke-Gpt2Generate -Prompt Once -MaxTokens 1
            `$model[0].GetType().Assembly.GetType('PicoGpt.Inference.FirstPass').GetField('_rehearsed', 'NonPublic, Static').GetValue(`$null)
            1 -shl [int]`$model[0].Precision
"@
        $rehearsed | Should -Be $expected
    }

    It 'refuses <_> as a precision with a sentence' -ForEach 'Int3', '3', '', $null {
        $fault = try { Invoke-Gpt2Generate Once -Model 3M -Precision $_ } catch { $_ }
        $fault.FullyQualifiedErrorId | Should -BeLike 'ParameterArgumentTransformationError,*'
        $fault.Exception.Message | Should -BeLike '*There is no precision*Float32, Float16, BFloat16, Int8 or Int4.'
    }

    It 'tells beforehand that the memory will not do, and tries anyway with -Force' {
        $old = Set-Environment @{ DOTNET_GCHeapHardLimit = '0x8000000' } # 128 MiB in all
        try {
            $run = "Import-Module '$module'; Invoke-Gpt2Generate Once, More -Model 3M -BatchSize 64 -MaxTokens 2"
            $refused = Invoke-PowerShell -Command "try { $run } catch { `$_.FullyQualifiedErrorId; `$_.CategoryInfo.Category; `$_.Exception.Message }"
            $refused | Should -HaveCount 3
            $refused[0] | Should -Be 'InsufficientMemory,PicoGpt.PowerShell.Commands.InvokeGpt2GenerateCommand'
            $refused[1] | Should -Be 'ResourceUnavailable'
            $refused[2] | Should -BeLike '*needs *MiB of memory*this machine has 128.0 MiB in all*-Force*'
            $forced = Invoke-PowerShell -Command "$run -Force -WarningVariable w -WarningAction SilentlyContinue | ForEach-Object Prompt; `$w.Count"
            $forced | Should -Be 'Once', 'More', '1'
        }
        finally { Set-Environment $old | Out-Null }
    }

    It 'stops when the pipeline is stopped' {
        $stop = Measure-Stop @'
            1..10000 | ForEach-Object { 'Once upon a time' } | Invoke-Gpt2Generate -Model 3M -MaxTokens 200 -Stream | ForEach-Object { $signal.Set() }
'@
        $stop.State | Should -Be 'Stopped'
        $stop.Milliseconds | Should -BeLessThan 30000 # the whole work takes hours
    }

    It 'reports a prompt that is too long and continues with the next' {
        $long = 'a ' * 400
        $completions = $long, 'Once' | Invoke-Gpt2Generate -Model 3M -MaxTokens 2 -ErrorAction SilentlyContinue -ErrorVariable faults
        $completions.Prompt | Should -Be 'Once'
        $faults[0].FullyQualifiedErrorId | Should -BeLike 'ContextExceeded,*'
        $faults[0].CategoryInfo.Category | Should -Be 'LimitsExceeded'
        $faults[0].Exception.Message | Should -BeLike '*256*'
        $faults[0].TargetObject | Should -BeExactly $long
    }

    It 'warns once of more threads than processors, as <Command> does' -ForEach @(
        @{ Command = 'it'; Run = { 'a', 'b' | Invoke-Gpt2Generate -Model 3M -MaxTokens 1 -BatchSize 1 @args } }
        @{ Command = 'Measure-Gpt2Text'; Run = { 'a', 'b' | Measure-Gpt2Text -Model 3M @args } }
        @{ Command = 'Measure-Gpt2Head'; Run = { '3M', '3M' | Measure-Gpt2Head -Length 4 -Count 1 @args } }
        @{ Command = 'Invoke-Gpt2Training'; Run = { 'Once upon a time ' * 20 | Invoke-Gpt2Training -Model 3M -Steps 1 -BatchSize 1 -ContextLength 4 -ValidationShare 0 -Destination "$TestDrive/$([guid]::NewGuid())" @args } }
    ) {
        $processors = [Environment]::ProcessorCount
        $null = & $Run -Threads ($processors + 1) -WarningAction SilentlyContinue -WarningVariable warnings
        @($warnings -like "Threads is $($processors + 1), but there *") | Should -HaveCount 1
        $null = & $Run -Threads $processors -WarningAction SilentlyContinue -WarningVariable warnings
        @($warnings) -like 'Threads*' | Should -BeNullOrEmpty
    }

    It 'warns, once for a model, where what it converted cannot be kept' {
        $null = New-Gpt2Model -Vocabulary 3M -Width 1024 -Layers 3 -Destination "$TestDrive/wide"
        $null = New-Item "$TestDrive/wide/converted" # a file where the folder would be
        $model = Get-Gpt2Model -Path "$TestDrive/wide" -Precision Float16
        $null = Invoke-Gpt2Generate Once -Model $model -MaxTokens 1 -WarningAction SilentlyContinue -WarningVariable warnings
        $warnings | Should -HaveCount 1
        "$warnings" | Should -BeLike "The weights in Float16 cannot be kept in '*wide?converted': *"
        $null = Invoke-Gpt2Generate Once -Model $model -MaxTokens 1 -WarningVariable warnings
        $warnings | Should -BeNullOrEmpty
        Remove-Item "$TestDrive/wide/converted"
        $null = Invoke-Gpt2Generate Once -Model "$TestDrive/wide" -Precision Float16 -MaxTokens 1 -WarningVariable warnings
        $warnings | Should -BeNullOrEmpty
        "$TestDrive/wide/converted/float16.index" | Should -Exist
        $model.Dispose()
    }

    It 'ends at once where there is no such model' {
        { 'a', 'b' | Invoke-Gpt2Generate -Model 744M } | Should -Throw -ErrorId 'UnknownModel,*InvokeGpt2GenerateCommand'
    }

    It 'refuses what is not a model with a sentence' {
        { Invoke-Gpt2Generate a -Model 42 } | Should -Throw -ExpectedMessage '*is not a model*'
        { Invoke-Gpt2Generate a -Model $null } | Should -Throw
    }

    It 'reports a closed model' {
        $model = Get-Gpt2Model 3M
        $model.Dispose()
        { Invoke-Gpt2Generate a -Model $model -ErrorAction Stop } | Should -Throw -ErrorId 'ModelClosed,*' -ExpectedMessage '*closed*'
        Export-Gpt2Model "$TestDrive/closed.safetensors" -Model 3M | Out-Null
        $model = Get-Gpt2Model -Path "$TestDrive/closed.safetensors"
        $model.Dispose()
        { Invoke-Gpt2Generate a -Model $model -ErrorAction Stop } | Should -Throw -ErrorId 'ModelClosed,*' -ExpectedMessage 'The model closed was closed.*'
    }

    It 'tells timings with -Verbose' {
        $said = Invoke-Gpt2Generate Once -Model 3M -MaxTokens 3 -Verbose 4>&1 | Where-Object { $_ -is [System.Management.Automation.VerboseRecord] }
        "$said" | Should -Match '2 prompt tokens in \d+ ms, 3 new tokens, [\d.]+ tokens/s, \d+ of them guessed'
    }

    It 'reads as text on the screen' {
        $shown = Invoke-Gpt2Generate 'Once upon a time' -Model 3M | Out-String
        ($shown -replace '\e\[[\d;]*m').Trim() | Should -BeLike "Once upon a time, and the king's son*"
    }

    It 'gives the same texts in a batch, in order, as one by one' {
        $prompts = 1..40 | ForEach-Object { "Tale $_ of the king" }
        $together = $prompts | Invoke-Gpt2Generate -Model 3M -MaxTokens 12
        $alone = $prompts | Invoke-Gpt2Generate -Model 3M -MaxTokens 12 -BatchSize 1 -NoSpeculation
        $together.Prompt | Should -Be $prompts
        $together.Text | Should -Be $alone.Text
    }

    It 'emits each completion before the next prompt is read with -BatchSize 1' {
        $order = [System.Collections.Generic.List[string]]::new()
        1..3 | ForEach-Object { $order.Add("in $_"); "Tale $_" } | Invoke-Gpt2Generate -Model 3M -MaxTokens 2 -BatchSize 1 | ForEach-Object { $order.Add('out') }
        $order | Should -Be 'in 1', 'out', 'in 2', 'out', 'in 3', 'out'
    }

    It 'runs several prompts on each of several models' {
        $completions = '3M', '3M' | Invoke-Gpt2Generate -Prompt 'Once', 'The king' -MaxTokens 2
        $completions.Prompt | Should -Be 'Once', 'The king', 'Once', 'The king'
    }

    It 'continues past the context with -Overflow Slide, and ends with Length without' {
        (Invoke-Gpt2Generate Once -Model 3M -MaxTokens 300 -IgnoreEndOfText).FinishReason | Should -Be 'Length'
        (Invoke-Gpt2Generate Once -Model 3M -MaxTokens 300 -IgnoreEndOfText -Overflow Slide).Ids.Count | Should -Be 300
    }
}
