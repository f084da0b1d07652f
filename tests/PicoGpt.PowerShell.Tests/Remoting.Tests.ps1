BeforeDiscovery {
    # A server's folder is not in every user's path.
    $sshd = @(Get-Command sshd, /usr/sbin/sshd -CommandType Application -ErrorAction Ignore)[0].Source
    $hasSsh = $sshd -and (Get-Command ssh -ErrorAction Ignore) -and (Get-Command ssh-keygen -ErrorAction Ignore)
}

# Two servers of OpenSSH on this machine stand for two hosts: each has keys, a home and a port of its own, and all of it goes with the test.
Describe 'Remoting over SSH' -Tag 'needs OpenSSH and its server sshd' -Skip:(-not $hasSsh) -ForEach @{ Sshd = $sshd } {
    BeforeAll {
        . "$PSScriptRoot/Common.ps1"
        $path = (Resolve-Path $module).Path
        $folder = (New-Item "$TestDrive/ssh" -ItemType Directory).FullName
        $separation = '/run/sshd'
        $madeSeparation = -not (Test-Path $separation) -and (id -u) -eq 0
        if ($madeSeparation) { $null = New-Item $separation -ItemType Directory } # a server of root's asks for it

        function Add-Key([string] $Name) { ssh-keygen -q -t ed25519 -N '' -f "$folder/$Name" }

        function Get-FreePort {
            $listener = [System.Net.Sockets.TcpListener]::new([ipaddress]::Loopback, 0)
            $listener.Start()
            try { $listener.LocalEndpoint.Port } finally { $listener.Stop() }
        }

        function Open-Server([string] $Name) {
            Add-Key $Name
            $port = Get-FreePort
            $userHome = (New-Item "$folder/home-$Name" -ItemType Directory).FullName
            @"
            ListenAddress 127.0.0.1:$port
            HostKey $folder/$Name
            PidFile none
            AuthorizedKeysFile $folder/user.pub
            StrictModes no
            PasswordAuthentication no
            UsePAM no
            SetEnv HOME=$userHome PICOGPT_OFFLINE=1
            Subsystem powershell $(Get-PowerShellCommand) -NoProfile -NoLogo -sshs
"@ | Set-Content "$folder/$Name.conf"
            $process = Start-Process $Sshd '-D', '-e', '-f', "$folder/$Name.conf" -RedirectStandardError "$folder/$Name.log" -PassThru
            [pscustomobject]@{ Name = $Name; Port = $port; Process = $process }
        }

        function Connect-Server([object] $Server) {
            $options = @{ StrictHostKeyChecking = 'no'; UserKnownHostsFile = "$folder/known"; LogLevel = 'ERROR'; BatchMode = 'yes' }
            foreach ($try in 1..300) {
                if ((Get-Content "$folder/$($Server.Name).log") -match 'listening') { break }
                if ($Server.Process.HasExited) { throw "sshd ended: $(Get-Content "$folder/$($Server.Name).log")" }
                Start-Sleep -Milliseconds 100
            }

            New-PSSession 127.0.0.1 -Port $Server.Port -UserName ([Environment]::UserName) -KeyFilePath "$folder/user" -Options $options -ConnectingTimeout 60000
        }

        Add-Key user
        $servers = 'ada', 'grace' | ForEach-Object { Open-Server $_ }
        try { $sessions = $servers | ForEach-Object { Connect-Server $_ } }
        catch { $cannot = "no session was had: $_" }
        if (-not $cannot) { Invoke-Command $sessions { Import-Module $using:path } }
    }

    AfterAll {
        $sessions | Where-Object { $_ } | Remove-PSSession
        $servers.Process | Where-Object { $_ } | Stop-Process -ErrorAction Ignore
        if ($madeSeparation) { Remove-Item $separation -ErrorAction Ignore }
    }

    BeforeEach {
        if ($cannot) { Set-ItResult -Skipped -Because $cannot }
    }

    It 'splits a batch of prompts over two hosts, and the completions arrive readable' {
        $prompts = 1..6 | ForEach-Object { "Tale $_ of the king" }
        $jobs = foreach ($n in 0, 1) {
            $share = $prompts | Select-Object -Skip (3 * $n) -First 3
            Invoke-Command $sessions[$n] -AsJob { $using:share | Invoke-Gpt2Generate -Model 3M -MaxTokens 8 }
        }
        # One by one, for the order; -AutoRemoveJob now and then removes a job twice and fails on the second time.
        $there = $jobs | ForEach-Object { $_ | Receive-Job -Wait }
        $jobs | Remove-Job
        $here = $prompts | Invoke-Gpt2Generate -Model 3M -MaxTokens 8
        $there.Prompt | Should -BeExactly $prompts
        $there.Text | Should -BeExactly $here.Text
        $there.RunspaceId | Select-Object -Unique | Should -HaveCount 2
        $there | Out-String | Should -BeExactly ($here | Out-String)
    }

    It 'tells the faults of the other side with their ids' {
        $fault = try { Invoke-Command $sessions[0] { Get-Gpt2Model 744M -ErrorAction Stop } } catch { $_ }
        $fault.FullyQualifiedErrorId | Should -BeLike 'UnknownModel,*'
        $fault.CategoryInfo.Category | Should -Be 'ObjectNotFound'
        $fault.Exception.Message | Should -BeLike '*774M*'
    }

    It 'stops on the other side too' {
        $job = Invoke-Command $sessions[1] -AsJob {
            Invoke-Gpt2Generate Once -Model 3M -Stream -Overflow Slide -IgnoreEndOfText -MaxTokens 1000000
        }
        try {
            foreach ($try in 1..1200) { if ($job.ChildJobs[0].Output.Count -gt 3) { break } else { Start-Sleep -Milliseconds 50 } }
            $job | Stop-Job
            $job.State | Should -Be 'Stopped'
            (Invoke-Command $sessions[1] { Invoke-Gpt2Generate Once -Model 3M -MaxTokens 3 }).Ids | Should -HaveCount 3
        }
        finally { $job | Remove-Job -Force }
    }
}
