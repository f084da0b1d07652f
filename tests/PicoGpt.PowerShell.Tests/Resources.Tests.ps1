BeforeDiscovery {
    $hasLimits = $IsLinux
    $canPin = $IsLinux -and (id -u) -eq 0 -and (Get-Command chattr -ErrorAction Ignore)
}

BeforeAll {
    . "$PSScriptRoot/Common.ps1"
}

Describe 'A session' -Tag 'needs Linux' -Skip:(-not $hasLimits) {
    It 'of little memory tells what does not fit, and continues' {
        Set-Content "$TestDrive/little.ps1" @(
            "Import-Module '$module'"
            'function say { $_ ? "$(($_.FullyQualifiedErrorId -split ",")[0]) $($_.CategoryInfo.Category) $($_.Exception.Message)" : "ok" }'
            '$ErrorActionPreference = "Stop"'
            'try { $null = Invoke-Gpt2Generate a -Model 3M -MaxTokens 2; say } catch { say }'
            'try { $null = 1..64 | ForEach-Object { "text $_" } | Invoke-Gpt2Generate -Model 3M -MaxTokens 2 -BatchSize 64; say } catch { say }'
            "try { `$null = Get-Gpt2Weight wpe -Model 3M | Show-Gpt2Weight -As Histogram -Width 4096 -Height 4096 -Path '$TestDrive/large.png'; say } catch { say }"
            'try { $null = Invoke-Gpt2Generate a -Model 3M -MaxTokens 2; say } catch { say }'
        )
        $old = Set-Environment @{ DOTNET_GCHeapHardLimit = '0x5000000' } # 80 MiB in all
        try { $said = Invoke-PowerShell -File "$TestDrive/little.ps1" 2>&1 }
        finally { Set-Environment $old | Out-Null }
        $said | Should -HaveCount 4
        $said[0, 3] | Should -Be 'ok', 'ok'
        $said[1] | Should -BeLike 'InsufficientMemory ResourceUnavailable The model 3M needs * MiB of memory*; take a smaller model. Use -Force to try anyway.'
        $said[2] | Should -BeLike 'InsufficientMemory ResourceUnavailable There was not enough memory; *.'
    }

    It 'without a home and a temporary folder runs what ships, and makes no cache where it is' {
        $null = New-Item "$TestDrive/here" -ItemType Directory
        $old = Set-Environment @{ HOME = '/proc/nothing'; XDG_CACHE_HOME = ''; PICOGPT_HOME = ''; TMPDIR = '/proc/nothing' }
        Push-Location "$TestDrive/here"
        [System.Environment]::CurrentDirectory = "$TestDrive/here"
        try {
            Invoke-Gpt2Generate a -Model 3M -MaxTokens 2 -ErrorAction Stop | Should -HaveCount 1
            (Get-Gpt2Model -ListAvailable)[1].Path | Should -Be '/proc/nothing/.cache/picogpt/124M'
            { Save-Gpt2Model 124M -Source $TestDrive -ErrorAction Stop } | Should -Throw -ErrorId 'Unwritable,*' -ExpectedMessage '*''/proc/nothing/.cache/picogpt/124M''*PICOGPT_HOME*'
            Export-Gpt2Model "$TestDrive/exported" Npz -Model 3M -ErrorAction Stop | Should -HaveCount 4
        }
        finally {
            Set-Environment $old | Out-Null
            Pop-Location
            [System.Environment]::CurrentDirectory = $PSScriptRoot
        }

        Get-ChildItem "$TestDrive/here" -Force | Should -BeNullOrEmpty
    }
}

Describe 'A cache that cannot be' {
    BeforeEach {
        $old = Set-Environment @{ PICOGPT_HOME = ''; PICOGPT_SOURCE = "$TestDrive/source" }
        $null = New-Item "$TestDrive/source/124M", "$TestDrive/cache" -ItemType Directory -Force
    }

    AfterEach { Set-Environment $old | Out-Null }

    It 'is told by Save-Gpt2Model: <Case>' -ForEach @(
        @{ Case = 'a file'; Path = 'file' }
        @{ Case = 'below a file'; Path = 'file/below' }
        if (-not $IsWindows) { @{ Case = 'too long a path'; Path = (, ('x' * 200) * 30) -join '/' } } # Windows takes as long a path as a variable can have
        @{ Case = 'too long a name'; Path = 'x' * 300 }
    ) {
        Set-Content "$TestDrive/cache/file" 'mine'
        $env:PICOGPT_HOME = "$TestDrive/cache/$Path"
        { Save-Gpt2Model 124M -ErrorAction Stop } | Should -Throw -ErrorId 'Unwritable,*' -ExpectedMessage '*set PICOGPT_HOME to a folder where they can.'
        (Get-Gpt2Model).Name | Should -Be '3M'
        { Remove-Gpt2Model 124M -ErrorAction Stop } | Should -Throw -ErrorId 'ModelNotCached,*'
        Test-Gpt2Model 124M -Quiet | Should -BeFalse
        Get-Content "$TestDrive/cache/file" | Should -Be 'mine'
        Get-ChildItem "$TestDrive/cache" | Should -HaveCount 1
    }
}

Describe 'A file that cannot be written' {
    BeforeAll {
        Set-Content "$TestDrive/file" 'mine'
        $model = Get-Gpt2Model 3M
    }

    It 'is told by <Case>' -ForEach @(
        @{ Case = 'Export-Gpt2Model'; Write = { Export-Gpt2Model "$TestDrive/file/below" TensorFlow -Model $model -ErrorAction Stop } }
        @{ Case = 'Trace-Gpt2Text'; Write = { Trace-Gpt2Text a -Model $model -Html "$TestDrive/file/below.html" -ErrorAction Stop } }
        @{ Case = 'Show-Gpt2Weight'; Write = { Get-Gpt2Weight wpe -Model $model | Show-Gpt2Weight -Path "$TestDrive/file/below.png" -ErrorAction Stop } }
        @{ Case = 'Trace-Gpt2Text of too long a name'; Write = { Trace-Gpt2Text a -Model $model -Html "$TestDrive/$('x' * 300).html" -ErrorAction Stop } }
        @{ Case = 'Show-Gpt2Weight of too long a name'; Write = { Get-Gpt2Weight wpe -Model $model | Show-Gpt2Weight -Path "$TestDrive/$('x' * 300).svg" -ErrorAction Stop } }
    ) {
        $record = try { & $Write } catch { $_ }
        $record.FullyQualifiedErrorId | Should -BeLike 'Unwritable,*'
        $record.CategoryInfo.Category | Should -Be 'WriteError'
        $record.Exception.Message | Should -BeLike '*.'
        Get-Content "$TestDrive/file" | Should -Be 'mine'
        Get-ChildItem $TestDrive -File | Should -HaveCount 1
    }

    It 'is told why: <Says>' -ForEach @(
        @{ Path = 'no/where/below.html'; Says = "*below.html' cannot be written: the folder '*no' does not exist." }
        @{ Path = ''; Says = "* cannot be written, since it is a folder; give the path of a file." }
    ) {
        { Trace-Gpt2Text a -Model $model -Html "$TestDrive/$Path" -ErrorAction Stop } | Should -Throw -ErrorId 'Unwritable,*' -ExpectedMessage $Says
    }
}

Describe 'A file that nobody may replace' -Tag 'needs Linux, its user root and chattr' -Skip:(-not $canPin) {
    BeforeAll {
        $model = Get-Gpt2Model 3M
        $text = 'The grey cat sat upon the old wall. ' * 60
        $folder = "$TestDrive/pinned"
        $null = Export-Gpt2Model $folder TensorFlow -Model $model
        chattr +i "$folder/checkpoint" 2>$null
        $cannot = $LASTEXITCODE -ne 0
    }

    AfterAll { chattr -i "$folder/checkpoint" 2>$null }

    It 'stays, with nothing beside it, by <Case>' -ForEach @(
        @{ Case = 'Export-Gpt2Model'; Write = { Export-Gpt2Model $folder TensorFlow -Model $model -Force -ErrorAction Stop } }
        @{ Case = 'New-Gpt2Model'; Write = { New-Gpt2Model -Destination $folder -Vocabulary $model -Layers 1 -Force -ErrorAction Stop } }
        @{ Case = 'Invoke-Gpt2Training'; Write = { Invoke-Gpt2Training $text -Model $model -Destination $folder -Steps 1 -BatchSize 1 -ContextLength 16 -Force -ErrorAction Stop -WarningAction Ignore } }
    ) {
        if ($cannot) { Set-ItResult -Skipped -Because 'this file system cannot do that' }
        $before = Get-ChildItem $folder | Get-FileHash
        $record = try { & $Write } catch { $_ }
        $record.FullyQualifiedErrorId | Should -BeLike 'Unwritable,*'
        $record.CategoryInfo.Category | Should -Be 'WriteError'
        Get-ChildItem $folder | Get-FileHash | ForEach-Object { "$($_.Path) $($_.Hash)" } | Should -Be ($before | ForEach-Object { "$($_.Path) $($_.Hash)" })
    }
}
