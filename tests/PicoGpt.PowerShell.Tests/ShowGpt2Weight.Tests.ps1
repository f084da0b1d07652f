BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    $model = Get-Gpt2Model 3M
    $wpe = Get-Gpt2Weight wpe -Model $model
    $bias = Get-Gpt2Weight h0/attn/c_attn/b -Model $model
}

Describe 'Show-Gpt2Weight on the screen' {
    BeforeEach { $rendering = $PSStyle.OutputRendering }
    AfterEach { $PSStyle.OutputRendering = $rendering }

    It 'fits a heatmap into the width and the height' {
        $picture = $wpe | Show-Gpt2Weight -Width 64 -Height 12
        $picture.PSTypeNames[0] | Should -Be 'PicoGpt.Pictures.WeightPicture'
        $lines = "$picture" -split '\r?\n'
        $lines[0] | Should -Be 'wpe  256 × 192'
        $lines[1..12].ForEach('Length') | Should -Be (@(64) * 12)
        $lines.Where({ $_.Length -gt 64 }) | Should -BeNullOrEmpty
        $picture.Caption | Should -Match '^Each cell is the mean of 21 or 22 × 3 values; the colours reach to ±[\d.]+'
    }

    It 'is coloured, and without the colours made of characters that tell them' {
        $PSStyle.OutputRendering = 'Ansi'
        $colored = $wpe | Show-Gpt2Weight -Width 64 | Out-String -Width 64
        $colored | Should -Match '\e\[38;2;(\d+;\d+;\d+)m\e\[48;2;\1m[░▒▓█·=≡-]'
        $PSStyle.OutputRendering = 'PlainText'
        $plain = $wpe | Show-Gpt2Weight -Width 64 | Out-String -Width 64
        $plain | Should -Not -Match '\e'
        $plain | Should -Match '[░▒▓█]'
        $plain | Should -Match '[=≡]'
        $plain.TrimEnd() | Should -BeExactly ($colored -replace '\e\[[\d;]*m').TrimEnd()
        $plain.Trim() | Should -BeExactly "$($wpe | Show-Gpt2Weight -Width 64)"
    }

    It 'shows every value of a small matrix' {
        $picture = $wpe | Show-Gpt2Weight -Slice '0:3, 0:5' -Width 40
        $picture.Name | Should -Be 'wpe[0:3, 0:5]'
        $picture.Caption | Should -BeLike 'Each cell is one value;*'
        ("$picture" -split '\r?\n')[1].Length | Should -Be (5 * 4)
    }

    It 'shows a vector as a histogram, and as a heatmap where that is asked for' {
        "$($bias | Show-Gpt2Weight -Width 60)" | Should -Match '(?m)^0? +0 204 █+'
        ("$($bias | Show-Gpt2Weight -Width 60 -As Heatmap)" -split '\r?\n').Count | Should -BeLessThan 7
        "$(Show-Gpt2Weight $wpe.Row(3) -Width 60)" | Should -BeLike 'wpe`[3, :`]  192*Each bin is*'
    }

    It 'says what a cell is, and respects a limit' {
        ($wpe | Show-Gpt2Weight -Cell Extreme -Width 64).Caption | Should -BeLike '*the value of greatest magnitude of *'
        ($wpe | Show-Gpt2Weight -Limit 0.25 -Width 64).Caption | Should -BeLike '*reach to ±0.25*'
    }

    It 'takes many weights, and continues after one that cannot be drawn' {
        $pictures = $bias, $wpe | Show-Gpt2Weight -Slice '0:4, 0:4' -ErrorAction SilentlyContinue -ErrorVariable fault
        $pictures.Name | Should -Be 'wpe[0:4, 0:4]'
        $fault[0].FullyQualifiedErrorId | Should -BeLike 'InvalidArgument,*'
        { $wpe | Show-Gpt2Weight -Slice '0:0' -ErrorAction Stop } | Should -Throw '*has no values to show*'
    }

    It 'takes the tensors of any checkpoint' {
        (Get-Gpt2Weight model/wpe -Raw -Model 3M | Show-Gpt2Weight -Width 40).Name | Should -Be 'model/wpe'
    }
}

Describe 'Show-Gpt2Weight -Path' {
    It 'writes a PNG that has the size of the cells, and tells how to read it' {
        $file = $wpe | Show-Gpt2Weight -Path "$TestDrive/wpe.png"
        $file.FullName | Should -Be (Get-Item "$TestDrive/wpe.png").FullName
        $bytes = [System.IO.File]::ReadAllBytes($file)
        $bytes[0..7] | Should -Be 0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10
        [System.BitConverter]::ToInt32($bytes[19..16], 0) | Should -Be (192 * 2)
        [System.BitConverter]::ToInt32($bytes[23..20], 0) | Should -Be (256 * 2)
        [System.Text.Encoding]::UTF8.GetString($bytes) | Should -BeLike '*Title*wpe  256 × 192*Each cell is one value*'
    }

    It 'writes an SVG with title, caption and scale' {
        foreach ($kind in 'Heatmap', 'Histogram') {
            $wpe | Show-Gpt2Weight -As $kind -Path "$TestDrive/$kind.svg"
            $svg = [xml](Get-Content "$TestDrive/$kind.svg" -Raw)
            $svg.svg.title | Should -Be 'wpe  256 × 192'
            $svg.svg.desc | Should -Match '^Each (cell|bin) is '
            $svg.svg.text.Count | Should -BeGreaterThan 5
        }

        ([xml](Get-Content "$TestDrive/Heatmap.svg" -Raw)).svg.image.href | Should -BeLike 'data:image/png;base64,*'
    }

    It 'does not replace a file without -Force, and leaves nothing else behind' {
        $path = "$TestDrive/mine/w.svg"
        New-Item (Split-Path $path) -ItemType Directory
        Set-Content $path mine
        { $wpe | Show-Gpt2Weight -Path $path -ErrorAction Stop } | Should -Throw '*already exists; choose another path, or use -Force to overwrite it.' -ErrorId 'AlreadyExists,*'
        Get-Content $path | Should -Be mine
        $null = $wpe | Show-Gpt2Weight -Path $path -Force
        Get-Content $path -TotalCount 1 | Should -BeLike '<svg *'
        (Get-ChildItem (Split-Path $path)).Name | Should -Be 'w.svg'
    }

    It 'writes nothing with -WhatIf' {
        $wpe | Show-Gpt2Weight -Path "$TestDrive/never.png" -WhatIf | Should -BeNullOrEmpty
        "$TestDrive/never.png" | Should -Not -Exist
    }

    It 'gives each weight a file of its own, and refuses one for two' {
        (Get-Gpt2Weight 'h0/ln_?/g' -Model $model | Show-Gpt2Weight -Path { "$TestDrive/$($_.Name -replace '/', '.').svg" }).Name | Should -Be 'h0.ln_1.g.svg', 'h0.ln_2.g.svg'
        $written = @(Get-Gpt2Weight 'h0/ln_?/g' -Model $model | Show-Gpt2Weight -Path "$TestDrive/one.svg" -Force -ErrorAction SilentlyContinue -ErrorVariable fault)
        $written.Count | Should -Be 1
        $fault[0].Exception.Message | Should -BeLike '*was just written for another weight*'
    }

    It 'refuses <Path>' -ForEach @(
        @{ Path = 'x.jpg'; Fault = 'InvalidArgument' }
        @{ Path = 'nowhere/x.svg'; Fault = 'Unwritable' }
    ) {
        { $wpe | Show-Gpt2Weight -Path "$TestDrive/$Path" -ErrorAction Stop } | Should -Throw -ErrorId "$Fault,*"
    }
}
