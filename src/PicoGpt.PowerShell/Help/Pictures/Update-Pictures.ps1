#requires -Version 7.6

<#
.SYNOPSIS
    Makes the pictures of the README again, from what the module itself shows.
.DESCRIPTION
    terminal.svg has the prompts and the output of commands, with their colours; heatmap.png is what Show-Gpt2Weight writes;
    trace.png is a photograph of the page that Trace-Gpt2Text writes, made by Chromium, and stays as it is where there is none.
.PARAMETER Module
    The module's manifest; the one at the root of the repository otherwise.
.PARAMETER Browser
    The program of Chromium or Chrome.
.EXAMPLE
    ./src/PicoGpt.PowerShell/Help/Pictures/Update-Pictures.ps1
#>
param(
    [string] $Module = "$PSScriptRoot/../../../../PicoGpt.psd1",
    [string] $Browser = @(Get-Command chromium, chromium-browser, google-chrome, chrome -CommandType Application -ErrorAction Ignore)[0].Source
)

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
Import-Module $Module
$columns = 88

# The pieces of a line in equal colours: a text, and its colours as #rrggbb, or nothing for the terminal's own.
function Split-Line([string] $Line) {
    $ink = $paper = $null
    foreach ($match in [regex]::Matches($Line, '\e\[(?<codes>[\d;]*)m|(?<text>[^\e]+)')) {
        if ($match.Groups['text'].Success) {
            [pscustomobject]@{ Text = $match.Value; Ink = $ink; Paper = $paper }
            continue
        }
        $codes = $match.Groups['codes'].Value
        if ($codes -in '', '0') { $ink = $paper = $null }
        foreach ($color in [regex]::Matches($codes, '(?<ground>[34])8;2;(?<r>\d+);(?<g>\d+);(?<b>\d+)')) {
            $hex = '#' + -join ('r', 'g', 'b' | ForEach-Object { ([int]$color.Groups[$_].Value).ToString('x2') })
            if ($color.Groups['ground'].Value -eq '3') { $ink = $hex } else { $paper = $hex }
        }
    }
}

# An SVG picture of a terminal that shows some lines.
function ConvertTo-TerminalPicture([string[]] $Line) {
    $cell, $row, $margin = 8.4, 19, 16
    $width, $height = ($columns * $cell + 2 * $margin), ($Line.Count * $row + 2 * $margin)
    "<svg xmlns=`"http://www.w3.org/2000/svg`" width=`"$width`" height=`"$height`" viewBox=`"0 0 $width $height`">"
    "<rect width=`"$width`" height=`"$height`" rx=`"8`" fill=`"#16161e`"/>"
    '<g font-family="Cascadia Mono, Consolas, Menlo, DejaVu Sans Mono, monospace" font-size="14">'
    $y = $margin
    foreach ($one in $Line) {
        $x = $margin
        foreach ($piece in Split-Line $one) {
            $length = [Math]::Round($piece.Text.Length * $cell, 1)
            if ($piece.Paper) { "<rect x=`"$x`" y=`"$y`" width=`"$length`" height=`"$row`" fill=`"$($piece.Paper)`"/>" }
            $text = [System.Security.SecurityElement]::Escape($piece.Text) -replace ' ', "`u{a0}" # viewers run ordinary spaces together
            "<text x=`"$x`" y=`"$($y + 14)`" textLength=`"$length`" lengthAdjust=`"spacingAndGlyphs`" fill=`"$($piece.Ink ?? '#c8ccd4')`">$text</text>"
            $x = [Math]::Round($x + $length, 1)
        }
        $y += $row
    }
    '</g></svg>'
}

# What a person sees who types a command: the prompt, the command, and its output.
function Get-Screen([string] $Command) {
    "`e[38;2;120;170;250mPS>`e[0m $Command"
    $output = & ([scriptblock]::Create($Command)) | Out-String -Width $columns
    ($output -replace '^\s*\n' -replace '\s+$') -split '\r?\n'
    ''
}

$PSStyle.OutputRendering = 'Ansi'
[cultureinfo]::CurrentCulture = [cultureinfo]::InvariantCulture
$lines = @(
    Get-Screen "Get-Gpt2Model 3M | Invoke-Gpt2Generate -Prompt 'Once upon a time'"
    Get-Screen "Measure-Gpt2Text 'Once upon a time there was a king, and the king had a spreadsheet.' -Model 3M"
    Get-Screen "Trace-Gpt2Text 'The king and the queen' -Model 3M"
) | Select-Object -SkipLast 1
$picture = ConvertTo-TerminalPicture $lines
Set-Content "$PSScriptRoot/terminal.svg" $picture
$null = Get-Gpt2Weight wpe -Model 3M | Show-Gpt2Weight -Path "$PSScriptRoot/heatmap.png" -Width 768 -Height 384 -Force

if ($Browser) {
    $page = Join-Path ([IO.Path]::GetTempPath()) "$([guid]::NewGuid()).html"
    try {
        $null = Trace-Gpt2Text 'Once upon a time there was a king who had three daughters' -Model 3M -Html $page
        & $Browser --headless --no-sandbox --hide-scrollbars --window-size=1200,900 --screenshot="$PSScriptRoot/trace.png" "file://$page" 2>&1 | Out-Null
    }
    finally { Remove-Item $page -ErrorAction Ignore }
}
else { Write-Warning 'trace.png stays as it is: neither Chromium nor Chrome is here.' }
