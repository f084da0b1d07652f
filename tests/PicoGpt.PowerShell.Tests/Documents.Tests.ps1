BeforeDiscovery {
    $root = (Resolve-Path "$PSScriptRoot/../..").Path
    $documents = 'README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md', 'src/*/README.md', 'src/PicoGpt.PowerShell/Help/*.md' |
        ForEach-Object { Get-Item "$root/$_" } | ForEach-Object { @{ Document = [IO.Path]::GetRelativePath($root, $_); Path = $_.FullName } }
}

BeforeAll {
    $root = (Resolve-Path "$PSScriptRoot/../..").Path
    $readme = Get-Content "$root/README.md" -Raw

    # Where the links and pictures of a document lead, without code blocks; addresses elsewhere are left out.
    function Get-Link([string] $Text) {
        $prose = $Text -replace '(?ms)^```.*?^```' -replace '`[^`\n]*`'
        [regex]::Matches($prose, '\]\((?<target>[^)\s]+)\)').ForEach({ $_.Groups['target'].Value }) -notmatch '^\w+:'
    }
}

Describe 'The document <Document>' -ForEach $documents {
    It 'has links that lead to files and headings that are there' {
        $text = Get-Content $Path -Raw
        foreach ($link in Get-Link $text) {
            $file, $heading = $link -split '#', 2
            $target = $file ? (Join-Path (Split-Path $Path) $file) : $Path
            $target | Should -Exist -Because "$link is linked"
            if ($heading) {
                $headings = [regex]::Matches((Get-Content $target -Raw), '(?m)^#+ (.+?)\r?$').ForEach({ $_.Groups[1].Value.ToLowerInvariant() -replace '[^\w -]' -replace ' ', '-' })
                $heading | Should -BeIn $headings -Because "$link is linked"
            }
        }
    }
}

Describe 'The README' {
    It 'links to every page and topic of the help, and to every picture' {
        $links = Get-Link $readme
        $pages = Get-ChildItem "$root/src/PicoGpt.PowerShell/Help", "$root/src/PicoGpt.PowerShell/Help/Pictures" -File | Where-Object Extension -ne .ps1
        $pages | Should -Not -BeNullOrEmpty
        foreach ($page in $pages) { [IO.Path]::GetRelativePath($root, $page).Replace('\', '/') | Should -BeIn $links }
    }

    It 'begins with the two commands, of which the automatic run calls the second' {
        $demo, $test, $rest = [regex]::Match($readme, '(?s)```sh\n(.*?)\n```').Groups[1].Value -split '\n'
        $demo | Should -BeLike '*build.ps1 -Demo'
        $test | Should -BeLike '*build.ps1 -Test'
        $rest | Should -BeNullOrEmpty
        (Get-Content "$root/.ci/run")[-1] | Should -BeExactly "exec $test"
    }
}

Describe 'The changelog' {
    It 'begins with the version of the module, and dates every other one' {
        $version = (Import-PowerShellDataFile "$root/PicoGpt.psd1").ModuleVersion
        $first, $others = (Get-Content "$root/CHANGELOG.md") -match '^## '
        $first | Should -Match "^## v$([regex]::Escape($version)) - (unreleased|\d{4}-\d\d-\d\d)$"
        foreach ($heading in $others) { $heading | Should -Match '^## v\d+\.\d+\.\d+ - \d{4}-\d\d-\d\d$' }
    }
}
