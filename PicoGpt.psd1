@{
    RootModule           = 'bin/PicoGpt.PowerShell.dll'
    ModuleVersion        = '0.1.0'
    GUID                 = 'c3b0f6a2-6d0e-4d0c-9a53-5e1f2a7d9b41'
    Author               = 'The PicoGpt authors'
    CompanyName          = 'PicoGpt'
    Copyright            = '(c) The PicoGpt authors. MIT licence.'
    Description          = 'GPT-2 in PowerShell, fully managed: reads OpenAI''s TensorFlow checkpoints, tokenizes and generates text on the CPU with no Python, no TensorFlow and no native library.'
    PowerShellVersion    = '7.6'
    CompatiblePSEditions = @('Core')
    FormatsToProcess     = @('bin/PicoGpt.Format.ps1xml')
    TypesToProcess       = @('bin/PicoGpt.Types.ps1xml')
    CmdletsToExport      = @(
        'Compare-Gpt2Model'
        'ConvertFrom-Gpt2Token'
        'ConvertTo-Gpt2Token'
        'Enter-Gpt2Session'
        'Export-Gpt2Model'
        'Get-Gpt2Model'
        'Get-Gpt2Weight'
        'Invoke-Gpt2Generate'
        'Invoke-Gpt2Training'
        'Measure-Gpt2Attribution'
        'Measure-Gpt2Head'
        'Measure-Gpt2Patching'
        'Measure-Gpt2Similarity'
        'Measure-Gpt2Text'
        'New-Gpt2Direction'
        'New-Gpt2Intervention'
        'New-Gpt2Model'
        'Remove-Gpt2Model'
        'Save-Gpt2Model'
        'Show-Gpt2Weight'
        'Test-Gpt2Model'
        'Trace-Gpt2Text'
    )
    FunctionsToExport    = @()
    VariablesToExport    = @()
    AliasesToExport      = @()
    PrivateData          = @{
        PSData = @{
            Tags         = @('GPT2', 'LLM', 'AI', 'tokenizer', 'inference', 'TensorFlow', 'PSEdition_Core', 'Windows', 'Linux', 'MacOS')
            LicenseUri   = 'https://licenses.nuget.org/MIT'
            ReleaseNotes = 'The first release. CHANGELOG.md in the folder of the module lists what is in it.'
        }
    }
}
