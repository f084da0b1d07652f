BeforeDiscovery {
    $emitted = @(
        @{ Type = 'PicoGpt.Gpt2Model'; Make = { Get-Gpt2Model 3M }; Without = 'Parameters', 'Encoder' }
        @{ Type = 'PicoGpt.Store.ModelInfo'; Make = { Get-Gpt2Model | Select-Object -First 1 }; Without = @() }
        @{ Type = 'PicoGpt.Store.ModelCheck'; Make = { Test-Gpt2Model 3M | Select-Object -Last 1 }; Without = @() }
        @{ Type = 'PicoGpt.Weights.Gpt2Weight'; Make = { Get-Gpt2Weight h0/attn/c_attn/b -Model 3M }; Without = 'Values', 'IsReadOnly', 'Histogram', 'Statistics' }
        @{ Type = 'PicoGpt.Weights.RawTensor'; Make = { Get-Gpt2Weight model/h0/attn/c_attn/b -Raw -Model 3M }; Without = 'IsReadOnly', 'Histogram', 'Statistics' }
        @{ Type = 'PicoGpt.Weights.WeightSlice'; Make = { (Get-Gpt2Weight wte -Model 3M).Row(3) }; Without = 'Source', 'IsReadOnly', 'Histogram', 'Statistics' }
        @{ Type = 'PicoGpt.Pictures.WeightPicture'; Make = { Get-Gpt2Weight wpe -Model 3M | Show-Gpt2Weight -Width 40 }; Without = @() }
        @{ Type = 'PicoGpt.Tokens.Gpt2Token'; Make = { 'wörld' | ConvertTo-Gpt2Token -Model 3M | Select-Object -Last 1 }; Without = @() }
        @{ Type = 'PicoGpt.Inference.Gpt2Completion'; Make = { Invoke-Gpt2Generate 'Once upon' -Model 3M -Temperature 1 -Seed 2 }; Without = @() }
        @{ Type = 'PicoGpt.Inference.GeneratedToken'; Make = { (Invoke-Gpt2Generate 'Once upon' -Model 3M -MaxTokens 2 -Top 2).Tokens[1] }; Without = @() }
        @{ Type = 'PicoGpt.Inference.Gpt2Session'; Make = { 'Once', '' | Enter-Gpt2Session 3M -MaxTokens 3 -Seed 1 }; Without = 'Options' }
        @{ Type = 'PicoGpt.Inference.Gpt2Piece'; Make = { Invoke-Gpt2Generate 'Once upon' -Model 3M -Stream -MaxTokens 3 | Select-Object -Last 1 }; Without = @() }
        @{ Type = 'PicoGpt.Measuring.Gpt2TextMeasure'; Make = { Measure-Gpt2Text 'naïve ☃ frogs' -Model 3M -NoStartToken }; Without = @() }
        @{ Type = 'PicoGpt.Measuring.Gpt2TextCount'; Make = { 'naïve ☃ frogs' | Measure-Gpt2Text -Model 3M -CountOnly -First 3 }; Without = @() }
        @{ Type = 'PicoGpt.Measuring.Gpt2TokenMeasure'; Make = { (Measure-Gpt2Text 'A frog' -Model 3M).Tokens[1] }; Without = @() }
        @{ Type = 'PicoGpt.Intervening.Gpt2Intervention'; Make = { New-Gpt2Intervention h0/attn/z, 'h*/mlp' -Scale 2 -Layer 0..3 -Position 5 }; Without = 'Values', 'From' }
        @{ Type = 'PicoGpt.Circuits.Gpt2HeadScore'; Make = { Measure-Gpt2Head -Model 3M -Length 8 -Count 1 | Select-Object -First 1 }; Without = @() }
        @{ Type = 'PicoGpt.Circuits.Gpt2NearestToken'; Make = { Measure-Gpt2Similarity -Direction (Get-Gpt2Weight wte -Model 3M).Row(5) -Top 1 -Model 3M }; Without = @() }
        @{ Type = 'PicoGpt.Circuits.Gpt2Direction'; Make = { New-Gpt2Direction h1/mlp -Toward 'A king' -Model 3M }; Without = @() }
        @{ Type = 'PicoGpt.Comparing.Gpt2WeightDifference'; Make = { Compare-Gpt2Model 3M 3M h0/attn/c_attn/b }; Without = @() }
        @{ Type = 'PicoGpt.Comparing.Gpt2TextDifference'; Make = { Compare-Gpt2Model 3M (Get-Gpt2Model 3M -Precision Int4) -Text 'naïve ☃ frogs' }; Without = @() }
        @{ Type = 'PicoGpt.Comparing.Gpt2TokenDifference'; Make = { (Compare-Gpt2Model 3M 3M -Text 'A frog').Tokens[1] }; Without = @() }
        @{ Type = 'PicoGpt.Training.Gpt2TrainingStep'; Make = { Invoke-Gpt2Training ('A frog. ' * 40) -Model 3M -Destination "$TestDrive/frog" -Steps 1 -ContextLength 16 | Select-Object -First 1 }; Without = @() }
        @{ Type = 'PicoGpt.Inference.TokenAlternative'; Make = { (Measure-Gpt2Text 'A frog' -Model 3M).Tokens[1].Top[0] }; Without = @() }
    )
}

BeforeAll { . "$PSScriptRoot/Common.ps1" }

Describe 'A <Type> in another session' -ForEach $emitted {
    BeforeAll {
        $here = & $Make

        # A depth of 1 is what remoting and jobs have.
        $there = [System.Management.Automation.PSSerializer]::Deserialize([System.Management.Automation.PSSerializer]::Serialize($here, 1))
    }

    It 'is what it was' {
        $there.PSTypeNames[0] | Should -Be "Deserialized.$Type"
        "$there" | Should -BeExactly "$here"
    }

    It 'has all its data' {
        $names = $here.PSObject.Properties.Name | Where-Object { $_ -notin $Without }
        $there.PSObject.Properties.Name | Sort-Object | Should -Be ($names | Sort-Object)
        foreach ($name in $names) {
            "$($there.$name)" | Should -BeExactly "$($here.$name)" -Because $name
        }
    }

    It 'looks on the screen as it did' {
        $there | Out-String -Width 100 | Should -BeExactly ($here | Out-String -Width 100)
    }

    It 'survives a file' {
        $here | Export-Clixml "$TestDrive/object.xml"
        $there = Import-Clixml "$TestDrive/object.xml"
        $there | Out-String | Should -BeExactly ($here | Out-String)
    }
}

Describe 'Every command' {
    It 'emits what is tested here' -ForEach @(@{ Tested = @($emitted.Type -replace '.*\.') + 'Gpt2Trace', 'Gpt2Grid' }) { # these have files of tests of their own
        $declared = (Get-Command -Module PicoGpt).OutputType.Type | Where-Object Namespace -Like 'PicoGpt*' | Select-Object -Unique
        $declared.Name | Should -BeIn $Tested
    }
}

Describe 'A model from another session' {
    BeforeAll {
        function Send-There($Model) { [System.Management.Automation.PSSerializer]::Deserialize([System.Management.Automation.PSSerializer]::Serialize($Model, 1)) }
        $text = 'Once upon a time there was a king.'
    }

    It 'runs in the precision that it had, unless another is asked for' {
        $there = Send-There (Get-Gpt2Model 3M -Precision Int4)
        $int4, $exact = 'Int4', 'Float32' | ForEach-Object { (Measure-Gpt2Text $text -Model 3M -Precision $_).Perplexity }
        $int4 | Should -Not -Be $exact
        (Measure-Gpt2Text $text -Model $there).Perplexity | Should -Be $int4
        (Measure-Gpt2Text $text -Model $there -Precision Float32).Perplexity | Should -Be $exact
        (Get-Gpt2Model -Model $there).Precision | Should -Be 'Int4'
        (Get-Gpt2Model -Model $there -Precision Float32).Precision | Should -Be 'Float32'
    }

    It 'is the file that it was of a folder with several' {
        Export-Gpt2Model "$TestDrive/two/exact.gguf" Gguf -Model 3M | Out-Null
        Export-Gpt2Model "$TestDrive/two/model.safetensors" Safetensors -Model 3M | Out-Null
        $there = Send-There (Get-Gpt2Model -Path "$TestDrive/two/exact.gguf")
        (Get-Gpt2Model -Model $there).Prefix | Should -Be (Get-Item "$TestDrive/two/exact.gguf").FullName
        (Invoke-Gpt2Generate $text -Model $there -MaxTokens 1).Model | Should -Be 'exact'
    }

    It 'keeps the number of heads that was told, and warns anew of one that was assumed' {
        Export-Gpt2Model -Model 3M -Path "$TestDrive/bare" -Format Safetensors | Out-Null
        Remove-Item "$TestDrive/bare/config.json"
        $there = Send-There (Get-Gpt2Model -Path "$TestDrive/bare" -HeadCount 6)
        (Get-Gpt2Model -Model $there -WarningVariable warnings).HyperParameters.NHead | Should -Be 6
        $said = (Measure-Gpt2Text $text -Model $there -WarningVariable +warnings).Perplexity
        $warnings | Should -BeNullOrEmpty
        $said | Should -Be (Measure-Gpt2Text $text -Model (Get-Gpt2Model -Path "$TestDrive/bare" -HeadCount 6)).Perplexity
        $there = Send-There (Get-Gpt2Model -Path "$TestDrive/bare" -WarningAction SilentlyContinue)
        Get-Gpt2Model -Model $there -WarningVariable warnings -WarningAction SilentlyContinue | Out-Null
        "$warnings" | Should -BeLike '*3 are assumed*'
    }

    It 'keeps its adapter' {
        ('The cat sat on the mat. ' * 80) | Invoke-Gpt2Training -Model 3M -Rank 2 -Steps 2 -ContextLength 16 -BatchSize 1 -LearningRate 0.01 -Destination "$TestDrive/adapter" -WarningAction SilentlyContinue | Out-Null
        $here = Get-Gpt2Model 3M -Adapter "$TestDrive/adapter" -Precision Float32
        $here.AdapterOf | Should -Be (Get-Gpt2Model 3M).Prefix
        $there = Send-There $here
        (Get-Gpt2Model -Model $there).Name | Should -Be $here.Name
        $expected = (Measure-Gpt2Text $text -Model $here).Perplexity
        (Measure-Gpt2Text $text -Model $there).Perplexity | Should -Be $expected
        $expected | Should -Not -Be (Measure-Gpt2Text $text -Model 3M).Perplexity
    }

    It 'is told from a model of the catalog where it was a copy in memory' {
        $there = Send-There (Get-Gpt2Model 3M).Clone()
        { Invoke-Gpt2Generate $text -Model $there } | Should -Throw '*is a copy in the memory of another session; Export-Gpt2Model writes it there*'
    }
}

Describe 'What came from another session, given back' {
    BeforeAll {
        function Send-There($Thing) { [System.Management.Automation.PSSerializer]::Deserialize([System.Management.Automation.PSSerializer]::Serialize($Thing, 1)) }
        $model = Get-Gpt2Model 3M
    }

    It 'is a direction as it was' {
        $here = New-Gpt2Direction h1/mlp -Toward 'A king' -Model $model
        $nearest = Measure-Gpt2Similarity -Direction $here -Model $model
        Measure-Gpt2Similarity -Direction (Send-There $here) -Model $model | ForEach-Object Similarity | Should -Be $nearest.Similarity
        $added = { param($it) (Measure-Gpt2Text 'The king' -Model $model -Intervention (New-Gpt2Intervention h1/mlp -Add $it)).Perplexity }
        & $added (Send-There $here) | Should -Be (& $added $here)
    }

    It 'is refused with a sentence where it lacks its values: <Case>' -ForEach @(
        @{ Case = 'a weight'; Says = 'A Gpt2Weight from *Get-Gpt2Weight*'; Use = { Send-There (Get-Gpt2Weight wpe -Model $model) | Show-Gpt2Weight -ErrorAction Stop } }
        @{ Case = 'weights'; Says = 'A Gpt2Weight from *Get-Gpt2Weight*'; Use = { Show-Gpt2Weight (Send-There (Get-Gpt2Weight wpe, wte -Model $model)) } }
        @{ Case = 'a row'; Says = 'A WeightSlice from *ToArray()*'; Use = { Measure-Gpt2Similarity -Direction (Send-There (Get-Gpt2Weight wte -Model $model).Row(3)) -Model $model } }
        @{ Case = 'an intervention'; Says = 'A Gpt2Intervention from *New-Gpt2Intervention*'; Use = { Measure-Gpt2Text a -Model $model -Intervention (Send-There (New-Gpt2Intervention h0/mlp -Zero)) } }
        @{ Case = 'a trace'; Says = 'A Gpt2Trace from *Trace-Gpt2Text -Activation*'; Use = { New-Gpt2Intervention h0/mlp -From (Send-There (Trace-Gpt2Text a -Model $model)) } }
    ) {
        $record = try { & $Use } catch { $_ }
        $record.FullyQualifiedErrorId | Should -BeLike 'ParameterArgumentTransformationError,*'
        $record.Exception.Message | Should -BeLike "*$Says"
    }
}
