BeforeAll { . "$PSScriptRoot/Common.ps1" }

Describe 'Get-Gpt2Weight' {
    It 'tells whoever knows the name that a file has what it is called here: <Name>' -ForEach @(
        @{ Name = 'transformer.h.0.attn.c_attn.weight'; Here = 'h0/attn/c_attn/w' }
        @{ Name = 'wte.weight'; Here = 'wte' }
    ) {
        if (-not (Test-Path "$TestDrive/hub")) { Export-Gpt2Model "$TestDrive/hub" Safetensors -Model 3M | Out-Null }
        $says = "hub has no weight named '$Name'; what its files call so is the weight '$Here'."
        { Get-Gpt2Weight $Name -Model "$TestDrive/hub" -ErrorAction Stop } | Should -Throw -ErrorId 'TensorNotFound,*' -ExpectedMessage $says
        { Export-Gpt2Model "$TestDrive/none.npz" -Name $Name -Model "$TestDrive/hub" -ErrorAction Stop } | Should -Throw -ErrorId 'TensorNotFound,*' -ExpectedMessage $says
    }

    It 'lists every weight in the order of the model' {
        $weights = Get-Gpt2Model 3M | Get-Gpt2Weight
        $weights.Count | Should -Be 76
        $weights[0].Name | Should -Be 'wte'
        $weights[-1].Name | Should -Be 'ln_f/b'
    }

    It 'selects by wildcard, in any case' {
        (Get-Gpt2Weight 'h0/attn/*' -Model 3M).Name | Should -Be 'h0/attn/c_attn/w', 'h0/attn/c_attn/b', 'h0/attn/c_proj/w', 'h0/attn/c_proj/b'
        (Get-Gpt2Weight 'H?/LN_1/G' -Model 3M).Count | Should -Be 6
    }

    It 'gives shape, type, size, values and statistics' {
        $weight = Get-Gpt2Weight wpe -Model 3M
        $weight.Shape | Should -Be 256, 192
        $weight.DType | Should -Be 'Float32'
        $weight.Size | Should -Be (256 * 192 * 4)
        $values = $weight.ToArray()
        $values.Count | Should -Be (256 * 192)
        $measure = $values | Measure-Object -Minimum -Maximum -Average
        $weight.Min | Should -Be $measure.Minimum
        $weight.Max | Should -Be $measure.Maximum
        [Math]::Abs($weight.Mean - $measure.Average) | Should -BeLessThan 1e-6
        $weight.StandardDeviation | Should -BeGreaterThan 0
    }

    It 'reports a name that does not exist, but not a pattern that matches nothing' {
        { Get-Gpt2Weight h99/ln_1/g -Model 3M -ErrorAction Stop } | Should -Throw -ErrorId 'TensorNotFound,*'
        Get-Gpt2Weight 'h99/*' -Model 3M -ErrorAction Stop | Should -BeNullOrEmpty
    }

    It 'completes the names of the model on the line' {
        $line = 'Get-Gpt2Weight -Model 3M -Name h5/at'
        $found = [System.Management.Automation.CommandCompletion]::CompleteInput($line, $line.Length, $null).CompletionMatches
        $found.CompletionText | Should -Be 'h5/attn/c_attn/w', 'h5/attn/c_attn/b', 'h5/attn/c_proj/w', 'h5/attn/c_proj/b'
        $found[0].ToolTip | Should -BeLike '*192 × 576*'
    }

    It 'shows one row a weight' {
        Get-Gpt2Weight 'h0/attn/c_attn/w' -Model 3M | Out-String | Should -Match 'h0/attn/c_attn/w\s+192 × 576 Float32\s+432.0 KiB [▁▂▃▄▅▆▇█ ]*██[▁▂▃▄▅▆▇█ ]*\r?\n'
    }

    It 'shows all statistics as a list' {
        $list = Get-Gpt2Weight ln_f/g -Model 3M | Format-List | Out-String
        foreach ($name in 'Min', 'Max', 'Mean', 'StandardDeviation', 'Zeros', 'NaNs', 'Infinities', 'Histogram') { $list | Should -Match "(?m)^$name +: \S" }
    }

    It 'gives values, rows, columns and slices' {
        $weight = Get-Gpt2Weight wpe -Model 3M
        $values = $weight.ToArray()
        $weight[0, 5] | Should -Be $values[5]
        $weight[-1, -1] | Should -Be $values[-1]
        $weight.Row(3)[5] | Should -Be $values[3 * 192 + 5]
        $weight.Row(3).ToArray() | Should -Be $values[(3 * 192)..(4 * 192 - 1)]
        $weight.Column(2).Count | Should -Be 256
        $weight.Column(2).AsList()[0, 1] | Should -Be $values[2], $values[194]
        $weight.Slice('0:4, ::50').Shape | Should -Be 4, 4
        $weight.Slice(10, 2)[0, 0] | Should -Be $values[1920]
        $weight.Slice([range]::new(10, 12), [range]::All)[0, 0] | Should -Be $values[1920]
        ($weight.Row(0).AsList() | Measure-Object -Average).Average | Should -BeGreaterThan -1
        (Get-Gpt2Weight ln_f/g -Model 3M)[-1] | Should -BeGreaterThan 0
        { $weight.Slice('0:x') } | Should -Throw '*is not a slice of wpe*'
    }

    It 'shows a slice with its name, shape and bounds' {
        (Get-Gpt2Weight wpe -Model 3M).Slice('0:8, -1') | Out-String | Should -Match 'wpe\[0:8, 191\]\s+8\s+-?[\d.]+\s+[\d.]+ [▁▂▃▄▅▆▇█]'
    }

    It 'gives a histogram of bins that can be counted' {
        $histogram = (Get-Gpt2Weight wte -Model 3M).Histogram
        $histogram.Count | Should -BeLessOrEqual 64
        ($histogram | Measure-Object Count -Sum).Sum | Should -Be (2048 * 192)
        $histogram[0].Upper - $histogram[0].Lower | Should -Be $histogram.BinWidth
    }
}

Describe 'Get-Gpt2Weight -Raw' {
    BeforeAll {
        Copy-Item (Get-Gpt2Model 3M).Path "$TestDrive/one" -Recurse
        Copy-Item (Get-Gpt2Model 3M).Path "$TestDrive/two" -Recurse
        New-Item "$TestDrive/none" -ItemType Directory
    }

    It 'lists the tensors of a model as its checkpoint has them' {
        foreach ($model in '3M', (Get-Gpt2Model 3M)) {
            $tensor = Get-Gpt2Weight model/h0/attn/c_attn/w -Raw -Model $model
            $tensor.PSTypeNames[0] | Should -Be 'PicoGpt.Weights.RawTensor'
            $tensor.Shape | Should -Be 1, 192, 576
            $tensor.DType | Should -Be 'Float32'
            $tensor.Shard | Should -Be 0
            $tensor.Size | Should -Be (192 * 576 * 4)
            $tensor.GetBytes().Count | Should -Be $tensor.Size
            $tensor.GetValues()[7] | Should -Be (Get-Gpt2Weight h0/attn/c_attn/w -Model 3M)[0, 7]
            $tensor.Mean | Should -Be (Get-Gpt2Weight h0/attn/c_attn/w -Model 3M).Mean
        }

        (Get-Gpt2Weight -Raw -Model 3M).Count | Should -Be 76
        (Get-Gpt2Weight '*/WTE' -Raw -Model 3M).Name | Should -Be 'model/wte'
    }

    It 'takes folders, prefixes and files, with wildcards and from the pipeline' {
        (Get-Gpt2Weight -Raw -Path "$TestDrive/one").Count | Should -Be 76
        (Get-Gpt2Weight -Raw -LiteralPath "$TestDrive/one/model.ckpt").Count | Should -Be 76
        (Get-Gpt2Weight */wte -Raw -Path "$TestDrive/[ot]*").Checkpoint | Split-Path | Split-Path -Leaf | Should -Be 'one', 'two'
        (Get-Gpt2Weight */wte -Raw -Path "$TestDrive/*/model.ckpt.*").Count | Should -Be 2
        (Get-ChildItem "$TestDrive/*/*.index" | Get-Gpt2Weight */wte -Raw).Count | Should -Be 2
    }

    It 'lists the tensors of a model in <Format>' -ForEach @(
        @{ Format = 'Npz'; Name = 'blocks/0/attn/c_attn/w' }
        @{ Format = 'Safetensors'; Name = 'transformer.h.0.attn.c_attn.weight' }
    ) {
        $file = (Export-Gpt2Model "$TestDrive/in $Format" $Format -Model 3M)[0]
        $weight = Get-Gpt2Weight h0/attn/c_attn/w -Model 3M
        $model = Get-Gpt2Model -LiteralPath $file
        $found = @(Get-Gpt2Weight $Name -Raw -LiteralPath "$TestDrive/in $Format"; Get-Gpt2Weight $Name -Raw -Model $file.FullName; Get-Gpt2Weight $Name -Raw -Model $model)
        $found.Count | Should -Be 3
        foreach ($tensor in $found) {
            $tensor.Checkpoint | Should -Be $file.FullName
            $tensor.File | Should -Be $file.FullName
            $tensor.Mean | Should -Be $weight.Mean
            $tensor.GetValues()[7] | Should -Be $weight[0, 7]
        }
        $found[0] | Out-String -Width 120 | Should -Match "Float32 +192 × 576 +0 +\d+ 432.0 KiB +$([regex]::Escape($Name))"
        { Get-Gpt2Weight ln_9 -Raw -LiteralPath $file -ErrorAction Stop } | Should -Throw '*the nearest names are*' -ErrorId 'TensorNotFound,*'
    }

    It 'reports each path that is not a checkpoint, and continues' {
        $found = @(Get-Gpt2Weight */wte -Raw -Path "$TestDrive/none", "$TestDrive/one" -ErrorAction SilentlyContinue -ErrorVariable faults)
        $found.Count | Should -Be 1
        $faults.FullyQualifiedErrorId | Should -Be 'FileNotFound,PicoGpt.PowerShell.Commands.GetGpt2WeightCommand'
    }

    It 'completes the names that the checkpoint has: <Line>' -ForEach @(
        @{ Line = 'Get-Gpt2Weight -Raw -Model 3M -Name model/ln_f' }
        @{ Line = 'Get-Gpt2Weight -Raw -Path TestDrive:/one -Name model/ln_f' }
    ) {
        $found = [System.Management.Automation.CommandCompletion]::CompleteInput($Line, $Line.Length, $null).CompletionMatches
        $found.CompletionText | Sort-Object | Should -Be 'model/ln_f/b', 'model/ln_f/g'
    }

    It 'reports a name that does not exist, with the nearest' {
        { Get-Gpt2Weight wte -Raw -Model 3M -ErrorAction Stop } | Should -Throw "*the nearest names are 'model/wte'*" -ErrorId 'TensorNotFound,*'
    }

    It 'lists what has no data, and says so where data is asked for' {
        Copy-Item "$TestDrive/one" "$TestDrive/hollow" -Recurse
        Remove-Item "$TestDrive/hollow/*.data-*"
        $tensor = Get-Gpt2Weight model/wpe -Raw -Path "$TestDrive/hollow"
        $tensor.Size | Should -Be (256 * 192 * 4)
        { $tensor.GetValues() } | Should -Throw '*model.ckpt.data-00000-of-00001*'
        $tensor | Format-List | Out-String | Should -Match 'Histogram.*:.*missing'
    }

    It 'shows where each tensor is' {
        $crc = (Get-Gpt2Weight model/wpe -Raw -Model 3M).Crc32C.ToString('x8')
        Get-Gpt2Weight model/wpe -Raw -Model 3M | Out-String -Width 100 | Should -Match "Float32 +256 × 192 +0 +\d+ 192.0 KiB $crc model/wpe"
    }
}

Describe 'An index' {
    BeforeAll { $wpe, $b = Get-Gpt2Weight wpe, ln_f/b -Model 3M }

    It 'of a matrix gives the row, and of a vector the value' {
        $wpe[0].Name | Should -Be 'wpe[0, :]'
        $wpe[0][5] | Should -Be $wpe[0, 5]
        $wpe[-1][-1] | Should -Be $wpe[-1, -1]
        $b[3] | Should -Be $b.ToArray()[3]
        $b[3] | Should -BeOfType ([float])
    }

    It 'sets a value of a vector, and a row of a matrix' {
        $copy = (Get-Gpt2Model 3M).Clone()
        $row = 1..192
        $copy.Parameters.Wpe[2] = $row
        $copy.Parameters.Wpe[2, 191] | Should -Be 192
        $copy.Parameters.Wpe[3] = $wpe[0]
        $copy.Parameters.Wpe[3, 7] | Should -Be $wpe[0, 7]
        $copy.Parameters.LnF.B[1] = 5
        $copy.Parameters.LnF.B[1] | Should -Be 5
    }
}
