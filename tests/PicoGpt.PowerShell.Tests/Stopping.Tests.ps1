BeforeAll {
    . "$PSScriptRoot/Common.ps1"

    # Threads and open handles of this process once it has come to rest: finalizers have run, and what ends has had time to end.
    function Measure-Process {
        [GC]::Collect()
        [GC]::WaitForPendingFinalizers()
        [GC]::Collect()
        $process = Get-Process -Id $PID
        [pscustomobject]@{
            Threads   = $process.Threads.Count
            Handles   = $IsLinux ? (Get-ChildItem "/proc/$PID/fd").Count : $process.HandleCount
            Mappings  = $IsLinux ? @(Get-Content "/proc/$PID/maps" | Select-String 'model\.ckpt').Count : 0
            Runspaces = @(Get-Runspace).Count
        }
    }

    # A server that takes every connection and answers none.
    $silent = [System.Net.Sockets.TcpListener]::new([ipaddress]::Loopback, 0)
    $silent.Start(100)
    $old = Set-Environment @{ PICOGPT_HOME = "$TestDrive/home"; PICOGPT_OFFLINE = '' }

    # What a few runs leave behind when each is stopped at once.
    function Measure-Rest([scriptblock] $Run) {
        $rounds = 8
        1..3 | ForEach-Object { & $Run } | Out-Null
        $before = Measure-Process
        1..$rounds | ForEach-Object { & $Run } | Out-Null
        foreach ($try in 1..50) {
            $after = Measure-Process
            if ($after.Threads -lt $before.Threads + $rounds) { break }
            Start-Sleep -Milliseconds 100
        }

        [pscustomobject]@{
            Threads   = $after.Threads - $before.Threads
            Handles   = $after.Handles - $before.Handles
            Mappings  = $after.Mappings - $before.Mappings
            Runspaces = $after.Runspaces - $before.Runspaces
        }
    }
}

AfterAll {
    $silent.Stop()
    Set-Environment $old | Out-Null
}

# Every round that left a worker thread or the handle of a file would raise the counts by its number; the pool of threads may vary a little.
Describe 'Stopping <What>' -ForEach @(
    @{ What = 'a stream by a downstream command'; Run = { Invoke-Gpt2Generate 'Once upon a time' -Model 3M -Stream -MaxTokens 200 -Threads 2 | Select-Object -First 1 } }
    @{ What = 'single completions by a downstream command'; Run = { 1..50 | ForEach-Object { "Tale $_" } | Invoke-Gpt2Generate -Model 3M -MaxTokens 5 -BatchSize 1 -Threads 2 | Select-Object -First 1 } }
    @{ What = 'a batch by a downstream command'; Run = { 1..50 | ForEach-Object { "Tale $_" } | Invoke-Gpt2Generate -Model 3M -MaxTokens 5 -BatchSize 4 -Threads 2 | Select-Object -First 1 } }
    @{ What = 'measures by a downstream command'; Run = { 1..200 | ForEach-Object { "Tale $_" } | Measure-Gpt2Text -Model 3M -BatchSize 4 -Threads 2 | Select-Object -First 1 } }
    @{ What = 'a list of weights'; Run = { Get-Gpt2Model 3M | Get-Gpt2Weight | Select-Object -First 1 } }
    @{ What = 'the stream of a pipeline'; Run = {
            Measure-Stop 'Invoke-Gpt2Generate "Once upon a time" -Model 3M -Stream -Overflow Slide -IgnoreEndOfText -MaxTokens 100000 -Threads 2 | ForEach-Object { $signal.Set() }'
        }
    }
    @{ What = 'the batch of a pipeline'; Run = {
            Measure-Stop '1..100000 | ForEach-Object { if ($_ -gt 6) { $signal.Set() }; "Tale $_" } | Invoke-Gpt2Generate -Model 3M -MaxTokens 5 -BatchSize 4 -Threads 2'
        }
    }
    @{ What = 'the measuring of a long text'; Run = {
            Measure-Stop '$signal.Set(); Measure-Gpt2Text ("a king " * 30000) -Model 3M -Stride 1 -Threads 2' -Delay 300
        }
    }
    @{ What = 'a download'; Run = {
            Measure-Stop '$signal.Set(); Save-Gpt2Model 124M -Source $source' @{ source = "http://$($silent.LocalEndpoint)" } -Delay 150
        }
    }
    @{ What = 'the check of a model'; Run = { Measure-Stop 'while ($true) { Test-Gpt2Model 3M | ForEach-Object { $signal.Set() } }' } }
) {
    It 'ends the work and leaves neither thread nor handle nor mapping' {
        $stopped = @(& $Run)[-1]
        if ($stopped.State) {
            $stopped.State | Should -Be 'Stopped'
            $stopped.Milliseconds | Should -BeLessThan 30000 # the whole work takes minutes
        }

        $rest = Measure-Rest $Run
        $rest.Threads | Should -BeLessThan 8
        $rest.Handles | Should -BeLessThan 8
        $rest.Mappings | Should -BeLessThan 8
        $rest.Runspaces | Should -Be 0
    }
}
