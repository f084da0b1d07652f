<#
.SYNOPSIS
    Makes a model like 3M from nothing: learns a vocabulary and three million weights from fairy tales.
.DESCRIPTION
    Needs the module PicoGpt, the books named below, and about eight minutes on two cores. The books are in the public domain; Project
    Gutenberg has each at https://www.gutenberg.org/ebooks/<number>, as "Plain Text UTF-8". One that is missing is left out, and said.

    Each twentieth tale is held out. Validated with them, the model card says what the training came to.
.EXAMPLE
    & "$((Get-Gpt2Model 3M).Path)/Recipe.ps1" -Path ./books -Destination ./tales
.EXAMPLE
    & "$((Get-Gpt2Model 3M).Path)/Recipe.ps1" -Path ./books -Destination ./tales -Resume

    Goes on where the training was stopped.
#>
[CmdletBinding()]
param(
    # The folder of the books, named as Project Gutenberg does: pg503.txt, 503-0.txt or 503.txt.
    [Parameter(Mandatory)] [string] $Path,
    # The folder of the new model. Beside it, with .tales.txt and .held-out.txt after its name, lie the texts that were made of the books.
    [Parameter(Mandatory)] [string] $Destination,
    # Updates of the weights, each by 1,024 tokens.
    [int] $Steps = 2600,
    # Goes on with a training that was stopped.
    [switch] $Resume
)
$ErrorActionPreference = 'Stop'

$books = [ordered]@{
    503 = 'The Blue Fairy Book'; 540 = 'The Red Fairy Book'; 7277 = 'The Green Fairy Book'; 640 = 'The Yellow Fairy Book'
    5615 = 'The Pink Fairy Book'; 6746 = 'The Grey Fairy Book'; 641 = 'The Violet Fairy Book'; 2435 = 'The Crimson Fairy Book'
    3282 = 'The Brown Fairy Book'; 3027 = 'The Orange Fairy Book'; 27826 = 'The Olive Fairy Book'; 3454 = 'The Lilac Fairy Book' # Andrew Lang
    2591 = 'Grimms'' Fairy Tales'; 1597 = 'Andersen''s Fairy Tales'
    7439 = 'English Fairy Tales'; 14241 = 'More English Fairy Tales'; 7885 = 'Celtic Fairy Tales'; 7128 = 'Indian Fairy Tales' # Joseph Jacobs
    4018 = 'Japanese Fairy Tales' # Yei Theodora Ozaki
}

# The tales of a book: what stands between gaps of three empty lines and is long enough, a paragraph a line.
function Get-Tale([string] $Book) {
    $text = (Get-Content $Book -Raw) -replace '\r' -replace '(?s)^.*?\*\*\* ?START OF[^\n]*\n' -replace '(?s)\*\*\* ?END OF.*$'
    $text = $text -replace '(?s)\[Illustration.*?\]' -replace '_' -replace '[\u2018\u2019]', "'" -replace '[\u201c\u201d]', '"' -replace '\u2014', '--'
    foreach ($part in $text -split '\n(?:[ \t]*\n){3,}') {
        $part = $part.Trim()
        if ($part.Length -lt 2000 -or $part -match '^\W*(preface|contents|introduction|notes|footnotes|list of|the fairy book series)') { continue }
        $part -replace '(?<!\n)\n(?! {2,}|\n)', ' ' -replace '\n\s+', "`n" -replace ' {2,}', ' '
    }
}

$tales = foreach ($number in $books.Keys) {
    $file = "pg$number.txt", "$number-0.txt", "$number.txt" | ForEach-Object { Join-Path $Path $_ } | Where-Object { Test-Path $_ } | Select-Object -First 1
    if ($file) { Get-Tale $file } else { Write-Warning "'$($books[$number])', https://www.gutenberg.org/ebooks/$number, is not in '$Path', and is left out." }
}
$told = 0..($tales.Count - 1) | Where-Object { $_ % 20 -ne 19 } | ForEach-Object { $tales[$_] }
$heldOut = 0..($tales.Count - 1) | Where-Object { $_ % 20 -eq 19 } | ForEach-Object { $tales[$_] }
Set-Content "$Destination.tales.txt" ($told -join '<|endoftext|>') -NoNewline
Set-Content "$Destination.held-out.txt" ($heldOut -join '<|endoftext|>') -NoNewline
Write-Verbose ('{0} tales of {1:N0} characters, and {2} of {3:N0} held out' -f $told.Count, ($told | Measure-Object Length -Sum).Sum, $heldOut.Count, ($heldOut | Measure-Object Length -Sum).Sum)

$model = $told | New-Gpt2Model -Layers 6 -Heads 3 -Width 192 -Context 256 -VocabularySize 2048
$training = @{
    Model = $model; Destination = $Destination; LiteralPath = "$Destination.tales.txt"; ValidationLiteralPath = "$Destination.held-out.txt"; AllowSpecial = $true
    Steps = $Steps; BatchSize = 4; ContextLength = 256; LearningRate = 1.5e-3; WarmupSteps = 100; Beta2 = 0.99; WeightDecay = 0.1
    EvaluateEvery = 650; SampleEvery = 650; SaveEvery = 200; Report = "$Destination.html"
}
Invoke-Gpt2Training @training -Resume:$Resume
