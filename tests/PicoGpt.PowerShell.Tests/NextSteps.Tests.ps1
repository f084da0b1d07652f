BeforeAll {
    . $PSScriptRoot/Common.ps1
    $builtIn = (Get-Gpt2Model 3M).Path
}

Describe 'The next step of an error' {
    BeforeAll {
        $old = Set-EmptyCache
        $null = New-Item "$TestDrive/vocabulary", "$TestDrive/short" -ItemType Directory
        Copy-Item "$builtIn/encoder.json", "$builtIn/vocab.bpe" "$TestDrive/vocabulary"
        Copy-Item "$builtIn/*" "$TestDrive/short"
        Set-Content "$TestDrive/short/model.ckpt.data-00000-of-00001" 'short'
        $null = New-Item "$TestDrive/page.html"
        $closed = Get-Gpt2Model -Path $builtIn
        $closed.Dispose()
    }

    AfterAll { Set-Environment $old | Out-Null }

    It 'is in the sentence and in RecommendedAction: <Id>' -ForEach @(
        @{ Id = 'AlreadyExists'; Call = { Trace-Gpt2Text Once -Model 3M -Html "$TestDrive/page.html" -ErrorAction Stop }
            Says = "*page.html' already exists; choose another path, or use -Force to overwrite it."; Step = '*-Force*' }
        @{ Id = 'ModelNotCached'; Call = { Get-Gpt2Model 124M -NoDownload -ErrorAction Stop }
            Says = '*; fetch it first with Save-Gpt2Model 124M, or give the path of a folder that has it.'; Step = 'Run Save-Gpt2Model 124M.' }
        @{ Id = 'UnknownModel'; Call = { Save-Gpt2Model models/mine -ErrorAction Stop }
            Says = "*named 'models/mine'*; a model's folder is opened by Get-Gpt2Model -Path, and verified by Test-Gpt2Model -Path."; Step = '*Get-Gpt2Model -ListAvailable*' }
        @{ Id = 'NoWeights'; Call = { Get-Gpt2Model -Path "$TestDrive/vocabulary" -ErrorAction Stop }
            Says = '*no weights*ConvertTo-Gpt2Token and ConvertFrom-Gpt2Token take it as -Model.'; Step = '*ConvertTo-Gpt2Token*' }
        @{ Id = 'ModelClosed'; Call = { Invoke-Gpt2Generate Once -Model $closed -ErrorAction Stop }
            Says = '*. Open the model again with Get-Gpt2Model.'; Step = 'Open the model again with Get-Gpt2Model.' }
        @{ Id = 'TensorNotFound'; Call = { Get-Gpt2Weight wtf -Model 3M -ErrorAction Stop }; Says = '*'; Step = '*Get-Gpt2Weight*-Raw*' }
        @{ Id = 'Truncated'; Call = { Invoke-Gpt2Generate Once -Model "$TestDrive/short" -ErrorAction Stop }; Says = '*'; Step = '*Test-Gpt2Model*-Repair*' }
    ) {
        $record = try { & $Call } catch { $_ }
        $record.FullyQualifiedErrorId | Should -BeLike "$Id,*"
        $record.Exception.Message | Should -BeLike $Says
        "$record" | Should -Be $record.Exception.Message
        $record.ErrorDetails.RecommendedAction | Should -BeLike $Step
    }

    It 'does not say what the sentence says' {
        foreach ($call in { Save-Gpt2Model models/mine -ErrorAction Stop }, { Save-Gpt2Model 744M -ErrorAction Stop }) {
            $details = try { & $call } catch { $_.ErrorDetails }
            $details.RecommendedAction | Should -Be 'Get-Gpt2Model -ListAvailable lists the models, and what of them is on this machine.'
            $details.Message | Should -Not -BeLike '*-ListAvailable*'
        }
    }

    It 'is on the screen' {
        $said = Get-Gpt2Model 124M -NoDownload -ErrorAction Continue 2>&1 | Out-String -Width 500
        $said | Should -BeLike '*Recommendation: Run Save-Gpt2Model 124M.*'
    }

    It 'is left out where the sentence has all there is to say' {
        $record = try { Invoke-Gpt2Generate Once -Model 3M -Threads 0 -ErrorAction Stop; Get-Gpt2Weight '[' -Model 3M -ErrorAction Stop } catch { $_ }
        $record.ErrorDetails.RecommendedAction | Should -BeNullOrEmpty
    }
}
