using System.Diagnostics;
using System.Globalization;
using PicoGpt.Fuzz;

// dotnet run -c Release --project tests/PicoGpt.Fuzz                         ten minutes, all targets
// dotnet run -c Release --project tests/PicoGpt.Fuzz -- 60                   an hour
// dotnet run -c Release --project tests/PicoGpt.Fuzz -- 60 7000000 index     an hour of one target, from that case on
// dotnet run -c Release --project tests/PicoGpt.Fuzz -- case 1234 index      one case, whose files stay
const int Portion = 500;

string shared = Directory.Exists("/dev/shm") ? "/dev/shm" : Path.GetTempPath();
string root = Path.Combine(shared, $"picogpt-fuzz-{Environment.ProcessId}");
bool isOneCase = args is ["case", ..];
string[] names = args.Length > 2 ? args[2..] : [.. FuzzTargets.All.Keys];
ulong first = args.Length > 1 ? ulong.Parse(args[1], CultureInfo.InvariantCulture) : 0;
FuzzRunner[] runners = [.. names.Select(name => new FuzzRunner(FuzzTargets.All[name](root)))];
if (isOneCase)
{
    foreach (FuzzRunner runner in runners) Console.WriteLine(runner.Run(first)?.What ?? "as it should be");
    Console.WriteLine(root);
    return 0;
}

TimeSpan time = TimeSpan.FromMinutes(args.Length > 0 ? double.Parse(args[0], CultureInfo.InvariantCulture) : 10);
using var watchdog = new Timer(_ => EndIfHung(), null, TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(5));
long start = Stopwatch.GetTimestamp(), printed = start;
for (ulong number = first; Stopwatch.GetElapsedTime(start) < time; number += Portion)
{
    foreach (FuzzRunner runner in runners) RunPortion(runner, number);
    if (Stopwatch.GetElapsedTime(printed) < TimeSpan.FromMinutes(1)) continue;
    printed = Stopwatch.GetTimestamp();
    Console.WriteLine($"{Stopwatch.GetElapsedTime(start):hh\\:mm\\:ss}  {runners.Sum(runner => runner.Count.Cases):N0} cases, {runners.Sum(runner => runner.Count.Finds.Count)} finds");
}

Print();
Directory.Delete(root, recursive: true);
return runners.Any(runner => runner.Count.Finds.Count > 0) ? 1 : 0;

void RunPortion(FuzzRunner runner, ulong from)
{
    const int MaxFinds = 20;
    for (ulong number = from; number < from + Portion && runner.Count.Finds.Count < MaxFinds; number++)
    {
        if (runner.Run(number) is { } find) Console.WriteLine($"FIND {find.Target} {find.Case}: {find.What}");
    }

    runner.Since = 0;
}

void Print()
{
    Console.WriteLine($"{"target",-18}{"cases",12}{"read",12}{"refused",12}{"finds",8}{"longest",12}{"most memory",15}");
    foreach (FuzzCount count in runners.Select(runner => runner.Count))
    {
        Console.WriteLine(
            $"{count.Target,-18}{count.Cases,12:N0}{count.Read,12:N0}{count.Refused,12:N0}{count.Finds.Count,8}"
                + $"{count.MaxTime.TotalMilliseconds,9:N0} ms{count.MaxBytes / 1024,12:N0} KB");
    }

    Console.WriteLine($"{runners.Sum(runner => runner.Count.Cases):N0} cases from {first} on in {Stopwatch.GetElapsedTime(start):hh\\:mm\\:ss}");
}

void EndIfHung()
{
    foreach (FuzzRunner runner in runners)
    {
        if (runner.Since is 0 || Stopwatch.GetElapsedTime(runner.Since) < FuzzLimits.Hang) continue;
        Console.WriteLine($"FIND {runner.Count.Target} {runner.Case}: it does not end; its files are in {root}");
        Environment.Exit(2);
    }
}
