using PicoGpt.Exporting;
using PicoGpt.Store;
using PicoGpt.Tests.Store;
using PicoGpt.Tracing;
using PicoGpt.Training;
using PicoGpt.Weights;
using Xunit;

namespace PicoGpt.Tests.Resources;

/// <summary>
/// Everything that writes, on a small disk that has ever more room, so that it becomes full at every place of the work. What fails tells
/// it, leaves nothing half-written, and works as soon as there is room.
/// </summary>
internal sealed class FullDisk
{
    private static readonly int[] FreeKilobytes = [.. Enumerable.Range(0, 20).Select(i => 4 * i), .. Enumerable.Range(2, 18).Select(i => 40 * i)];

    private readonly string _disk;
    private readonly string _filler;
    private int _full;

    private FullDisk(string disk) => (_disk, _filler) = (disk, Path.Combine(disk, "filler"));

    /// <summary>Does all of it.</summary>
    /// <param name="disk">A disk of less than two megabytes, empty.</param>
    /// <param name="source">The folder of a model's folder, on another disk.</param>
    /// <returns>How often each work found the disk full.</returns>
    public static async Task<string> SweepAsync(string disk, string source)
    {
        var sweep = new FullDisk(disk);
        using var model = Gpt2Model.Open(Path.Combine(source, "Tiny"));
        List<string> counts = [$"fetch {await sweep.EachAsync(free => sweep.FetchAsync(free, new Uri(source).AbsoluteUri))}"];
        foreach (string format in ModelExport.Formats)
            counts.Add($"{format} {await sweep.EachAsync(free => sweep.Export(free, model, format))}");
        counts.Add($"convert {await sweep.EachAsync(free => sweep.Convert(free, Path.Combine(source, "Tiny")))}");
        Gpt2Trace trace = new TextTracer(model, "abcdefgh", new TraceOptions { Attention = true, LogitLens = true, Norms = true }).Trace();
        counts.Add($"page {await sweep.EachAsync(free => sweep.Page(free, trace))}");
        foreach (int rank in (int[])[0, 4]) counts.Add($"training {await sweep.EachAsync(free => sweep.Train(free, model, rank))}");
        return string.Join(", ", counts);
    }

    private async Task<int> EachAsync(Func<int, Task> work)
    {
        _full = 0;
        foreach (int free in FreeKilobytes)
        {
            await work(free);
            foreach (string folder in Directory.EnumerateDirectories(_disk)) Directory.Delete(folder, recursive: true);
        }

        return _full;
    }

    private async Task FetchAsync(int free, string source)
    {
        string root = Path.Combine(_disk, "root"), folder = Path.Combine(root, "Tiny");
        await TryAsync(free, () => FetchAsync(root, source));
        if (Directory.Exists(folder)) TestModel.AssertNothingWrong(folder);
        await FetchAsync(root, source);
        TestModel.AssertWhole(folder);
        Assert.DoesNotContain(Directory.EnumerateFiles(Path.Combine(root, ".locks")), file => file.EndsWith(".owner", StringComparison.Ordinal));
    }

    private static Task FetchAsync(string root, string source) => new ModelDownloader(new ModelStore(root))
        .FetchAsync(TestModel.Catalog, TestModel.Options(source) with { FreeSpace = _ => long.MaxValue });

    private async Task Export(int free, Gpt2Model model, string format)
    {
        string folder = Path.Combine(_disk, "exported");
        bool isFull = await TryAsync(free, () => Task.Run(() => ModelExport.Plan(model, folder, format).Run()));
        if (isFull && Directory.Exists(folder)) Assert.Empty(Directory.EnumerateFileSystemEntries(folder));
        ModelExport.Plan(model, folder, format).Run(overwrite: !isFull);
        using var exported = Gpt2Model.Open(folder);
        Assert.Equal(model.Parameters.Wte.ToArray(), exported.Parameters.Wte.ToArray()); // not through a span, whose pages would stay
    }

    // The work continues without a file, which is made the next time.
    private async Task Convert(int free, string source)
    {
        string folder = Directory.CreateDirectory(Path.Combine(_disk, "model")).FullName;
        foreach (string file in Directory.EnumerateFiles(source)) File.CreateSymbolicLink(Path.Combine(folder, Path.GetFileName(file)), file);
        using var model = Gpt2Model.Open(folder);
        bool isInMemory = false;
        await TryAsync(free, () => Task.Run(() => isInMemory = Convert(model, folder)));
        string converted = Path.Combine(folder, "converted");
        if (isInMemory && Directory.Exists(converted)) Assert.Empty(Directory.EnumerateFileSystemEntries(converted));
        if (isInMemory) _full++;
        Assert.False(Convert(model, folder));
    }

    private static bool Convert(Gpt2Model model, string folder)
    {
        using var weights = PackedWeights.Open(model.Parameters, folder, Gpt2Precision.Int8, smallestFile: 0);
        return !File.Exists(Path.Combine(folder, "converted", "int8.index"));
    }

    // What is certain to find no room is refused before the first step; here the disk becomes full after it.
    private async Task Train(int free, Gpt2Model model, int rank)
    {
        string folder = Path.Combine(_disk, "deep", "trained");
        string[] frozen = rank > 0 ? [] : [.. model.Parameters.Select(weight => weight.Name).Where(name => name != "ln_f/b")];
        int[] tokens = [.. Enumerable.Range(0, 100).Select(i => i * i % 41)];
        using TrainingRun run = Begin();
        run.Next();
        bool isFull = await TryAsync(free, () => Task.Run(() => run.Save()));
        Assert.Equal(!isFull, Directory.Exists(Path.Combine(_disk, "deep")));
        if (isFull && free == 0) await TryAsync(free, () => Task.Run(() => Begin().Dispose()));
        run.Save();
        using TrainingRun resumed = TrainingRun.Resume(folder, tokens, options => options, model: model);
        Assert.Equal(1, resumed.Step);

        TrainingRun Begin() => TrainingRun.Begin(
            model, folder, tokens, new TrainingOptions { Steps = 2, BatchSize = 1, ContextLength = 8, Threads = 1, Rank = rank, ValidationShare = 0 }, frozen);
    }

    private async Task Page(int free, Gpt2Trace trace)
    {
        string folder = Directory.CreateDirectory(Path.Combine(_disk, "pages")).FullName, page = Path.Combine(folder, "page.html");
        bool isFull = await TryAsync(free, () => Task.Run(() => trace.SaveHtml(page)));
        if (isFull) Assert.Empty(Directory.EnumerateFileSystemEntries(folder));
        trace.SaveHtml(page, overwrite: !isFull);
        Assert.EndsWith("</html>", File.ReadAllText(page).TrimEnd(), StringComparison.Ordinal);
    }

    /// <summary>Does some work with so much room and gives the rest back; whether the disk became full.</summary>
    private async Task<bool> TryAsync(int freeKilobytes, Func<Task> work)
    {
        long fill = new DriveInfo(_disk).AvailableFreeSpace - (1024L * freeKilobytes);
        Assert.InRange(fill, 0, 4 << 20);
        await File.WriteAllBytesAsync(_filler, new byte[fill]);
        try
        {
            await work();
            return false;
        }
        catch (Gpt2Exception fault)
        {
            Assert.Equal(Gpt2Error.DiskFull, fault.Error);
            TestModel.AssertSentence(fault.Message);
            _full++;
            return true;
        }
        finally
        {
            File.Delete(_filler);
        }
    }
}
