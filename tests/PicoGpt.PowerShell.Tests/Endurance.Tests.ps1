BeforeAll { . "$PSScriptRoot/Common.ps1" }

Describe 'Many runspaces at one model' {
    It 'give the texts of single runs, some of them stopped, and leave no handle behind' {
        $result = & "$PSScriptRoot/Endurance.ps1" -Module $module -Minutes 0.1 -Runspaces 8 6> $null
        $result.Wrong | Should -Be 0
        $result.Right | Should -BeGreaterThan 0
        $result.Stopped | Should -BeGreaterThan 0
        $result.HandlesGrown | Should -BeLessThan 20
        $result.ThreadsGrown | Should -BeLessThan 20
    }
}
