using System.Diagnostics;
using PicoGpt.Files;
using Xunit;

namespace PicoGpt.Tests.Inference;

/// <summary>
/// Processes that are stopped for longer than the system protects what they have mapped, while another program cuts the file short. Counted
/// in SECURITY.md; a part of the long suite, because each takes a minute.
/// </summary>
public sealed class PausedProcessTests : IDisposable
{
    private const int Processes = 100, AtOnce = 25;

    // The system takes leases back after 45 seconds.
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(50), Patience = TimeSpan.FromMinutes(3);

    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact(Explicit = true)]
    public async Task Of_a_hundred_stopped_processes_whose_file_is_cut_short_meanwhile_none_ends_without_a_sentence()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && FaultHandler.IsActive, "The handler is made for Linux on x64 and ARM64.");
        List<string> ends = [];
        for (int first = 0; first < Processes; first += AtOnce)
            ends.AddRange(await Task.WhenAll(Enumerable.Range(first, AtOnce).Select(EndOf)));
        Assert.Equal(Processes, ends.Count);
        Assert.All(ends, end => Assert.StartsWith($"0 {ChildGeneration.End}The file", end, StringComparison.Ordinal));
    }

    // Stopped at a moment of its own within the work.
    private async Task<string> EndOf(int number)
    {
        string folder = Directory.CreateDirectory(_folder.File($"{number}")).FullName, data = Path.Combine(folder, "model.ckpt.data-00000-of-00001");
        foreach (string file in Directory.EnumerateFiles(BuiltInModel.Folder)) File.Copy(file, Path.Combine(folder, Path.GetFileName(file)));
        using Process child = ChildGeneration.Start(folder);
        await child.StandardOutput.ReadLineAsync(Cancellation);
        Thread.SpinWait(new Random(number).Next(1_000_000));
        Signal(child, "STOP");
        Task<string> output = child.StandardOutput.ReadToEndAsync(Cancellation);
        Task cut = Task.Run(
            () =>
            {
                using FileStream file = new(data, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
                file.SetLength(0);
            },
            Cancellation);
        await Task.Delay(Pause, Cancellation);
        await cut.WaitAsync(Patience, Cancellation);
        Signal(child, "CONT");
        string last = (await output.WaitAsync(Patience, Cancellation)).Split('\n', StringSplitOptions.RemoveEmptyEntries)[^1];
        await child.WaitForExitAsync(Cancellation);
        return $"{child.ExitCode} {last}";
    }

    private static void Signal(Process process, string signal)
    {
        using Process kill = Process.Start("kill", [$"-{signal}", $"{process.Id}"]);
        kill.WaitForExit();
    }
}
