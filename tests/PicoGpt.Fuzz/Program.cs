using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using PicoGpt.Fuzz;

// build.ps1 -Fuzz writes branch counts into a copy of the engine and starts this beside it; what follows works without them, not led by anything.
// PicoGpt.Fuzz                            ten minutes, all targets
// PicoGpt.Fuzz 60 7000000 index gguf      an hour of two targets, with other cases
// PicoGpt.Fuzz again <folder> index       the files of a find once more
// PicoGpt.Fuzz targets                    their names
// PicoGpt.Fuzz seeds <folder> index       what afl-fuzz begins with
// PicoGpt.Fuzz afl index                  what afl-fuzz starts
TimeSpan slice = TimeSpan.FromMilliseconds(250);

string shared = Directory.Exists("/dev/shm") ? "/dev/shm" : Path.GetTempPath();
string root = Path.Combine(shared, $"picogpt-fuzz-{Environment.ProcessId}");
using var coverage = new CoverageMap();
try
{
    return args switch
    {
        ["again", string folder, string name] => Again(folder, name),
        ["targets"] => PrintTargets(),
        ["seeds", string folder, string name] => WriteSeeds(folder, name),
        ["afl", string name] => RunAfl(name),
        _ => RunAll(),
    };
}
finally
{
    if (Directory.Exists(root)) Directory.Delete(root, recursive: true);
}

int RunAll()
{
    string[] names = args.Length > 2 ? args[2..] : [.. FuzzTargets.All.Keys];
    ulong next = args.Length > 1 ? ulong.Parse(args[1], CultureInfo.InvariantCulture) : 0;
    TimeSpan time = TimeSpan.FromMinutes(args.Length > 0 ? double.Parse(args[0], CultureInfo.InvariantCulture) : 10);
    GuidedFuzzing[] all = [.. names.Select(name => new GuidedFuzzing(FuzzTargets.All[name](root), coverage))];
    bool isStopped = false;
    using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
    using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
    using var watchdog = new Timer(_ => EndIfHung(all), null, TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(5));
    long start = Stopwatch.GetTimestamp(), printed = start;
    while (!isStopped && Stopwatch.GetElapsedTime(start) < time)
    {
        foreach (GuidedFuzzing fuzzing in all) RunSlice(fuzzing);
        if (Stopwatch.GetElapsedTime(printed) < TimeSpan.FromMinutes(1)) continue;
        printed = Stopwatch.GetTimestamp();
        Console.WriteLine(
            $"{Stopwatch.GetElapsedTime(start):hh\\:mm\\:ss}  {all.Sum(fuzzing => fuzzing.Runner.Count.Cases):N0} cases, {all.Sum(fuzzing => fuzzing.Branches):N0} branches, {all.Sum(fuzzing => fuzzing.Runner.Count.Finds.Count)} finds");
    }

    Print(all, Stopwatch.GetElapsedTime(start));
    return all.Any(fuzzing => fuzzing.Runner.Count.Finds.Count > 0) ? 1 : 0;

    void Stop(PosixSignalContext signal) => signal.Cancel = isStopped = true;

    void RunSlice(GuidedFuzzing fuzzing)
    {
        const int MaxFinds = 20;
        long begun = Stopwatch.GetTimestamp();
        while (!isStopped && Stopwatch.GetElapsedTime(begun) < slice && fuzzing.Runner.Count.Finds.Count < MaxFinds)
        {
            if (fuzzing.Run(next++) is { } find) Console.WriteLine($"FIND {find.Target} {find.Case}, files in {Save(find)}: {find.What}");
        }

        fuzzing.Runner.Since = 0;
    }
}

int Again(string folder, string name)
{
    FuzzTarget target = FuzzTargets.All[name](root);
    (string Name, byte[] Bytes)[] files = [.. Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Select(path => (Path.GetRelativePath(folder, path), File.ReadAllBytes(path)))];
    FuzzFind? find = new FuzzRunner(target).Run(0, new Mutant(files, IsCovered: false));
    Console.WriteLine(find?.What ?? "as it should be");
    return find is null ? 0 : 1;
}

static int PrintTargets()
{
    foreach (string name in FuzzTargets.All.Keys) Console.WriteLine(name);
    return 0;
}

int WriteSeeds(string folder, string name)
{
    AflDriver.WriteSeeds(FuzzTargets.All[name](root), folder);
    return 0;
}

int RunAfl(string name)
{
    AflDriver.Run(FuzzTargets.All[name](root));
    return 0;
}

static string Save(FuzzFind find)
{
    string folder = Path.Combine(Path.GetTempPath(), "picogpt-finds", $"{find.Target}-{find.Case}");
    foreach ((string name, byte[] bytes) in find.Mutant.Files)
    {
        string path = Path.Combine(folder, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, bytes);
    }

    return folder;
}

static void Print(GuidedFuzzing[] all, TimeSpan time)
{
    Console.WriteLine($"{"target",-24}{"cases",12}{"read",12}{"refused",12}{"finds",8}{"branches",10}{"kept",8}{"longest",12}{"most memory",15}");
    foreach (GuidedFuzzing fuzzing in all)
    {
        FuzzCount count = fuzzing.Runner.Count;
        Console.WriteLine(
            $"{count.Target,-24}{count.Cases,12:N0}{count.Read,12:N0}{count.Refused,12:N0}{count.Finds.Count,8}{fuzzing.Branches,10:N0}{fuzzing.Kept,8:N0}"
                + $"{count.MaxTime.TotalMilliseconds,9:N0} ms{count.MaxBytes / 1024,12:N0} KB");
    }

    Console.WriteLine($"{all.Sum(fuzzing => fuzzing.Runner.Count.Cases):N0} cases in {time:hh\\:mm\\:ss}");
}

static void EndIfHung(GuidedFuzzing[] all)
{
    foreach (FuzzRunner runner in all.Select(fuzzing => fuzzing.Runner))
    {
        if (runner.Since is 0 || Stopwatch.GetElapsedTime(runner.Since) < FuzzLimits.Hang) continue;
        Console.WriteLine($"FIND {runner.Count.Target} {runner.Case}: it does not end");
        Environment.Exit(2);
    }
}
