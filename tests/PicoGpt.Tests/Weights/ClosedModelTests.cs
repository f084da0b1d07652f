using System.Diagnostics;
using System.Reflection;
using PicoGpt.Checkpoints.TensorFlow;
using PicoGpt.Weights;
using Xunit;

namespace PicoGpt.Tests.Weights;

/// <summary>A model that is closed while another thread reads it: the right result or a sentence, and never the end of the process.</summary>
public sealed class ClosedModelTests
{
    public static TheoryData<string> Readers => [.. MemoryReaders.OfModel.Keys, .. MemoryReaders.OfBundle.Keys];

    // What hands out or changes nothing that is mapped.
    private static readonly HashSet<string> Harmless =
    [
        "Name", "IsReadOnly", "ToString", "SetMatrix", "Shape", "DType", "Quantization", "Count", "Size", "Source", "Shard", "File", "Offset", "Crc32C", "Slices",
        "Checkpoint", "Prefix", "IndexPath", "ShardCount", "Entries", "Open", "GetShardPath", "TryGetEntry", "GetEntry", "EnsureComplete", "Hold",
        "ThrowIfChanged", "Dispose",
        "ReadStrings", // of strings, which no model has; it reads as GetBytes does
        "Min", "Max", "StandardDeviation", "Zeros", "NaNs", "Infinities", "Histogram", "Sparkline", // all of them Statistics
    ];

    [Fact]
    public void Every_member_that_hands_out_or_reads_mapped_memory_is_among_those_that_are_tried()
    {
        HashSet<string> tried = [.. MemoryReaders.OfModel.Keys.Concat(MemoryReaders.OfBundle.Keys).Select(name => name.Split(' ')[0].Split('.')[^1])];
        Type[] types = [typeof(FloatTensor), typeof(Gpt2Weight), typeof(WeightSlice), typeof(RawTensor), typeof(TensorBundle)];
        IEnumerable<string> members = types
            .SelectMany(type => type.GetMembers(BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly))
            .Where(member => member is not MethodBase { IsSpecialName: true })
            .Select(member => member.Name);
        Assert.Equal("", string.Join(", ", members.Distinct().Where(name => !tried.Contains(name) && !Harmless.Contains(name))));
    }

    [Theory]
    [MemberData(nameof(Readers))]
    public void What_is_read_while_the_model_is_closed_is_right_or_refused(string reader) => ClosedModel.Try(reader, rounds: 6, seed: 1);

    [Fact]
    public void A_span_that_was_taken_before_the_model_was_closed_can_be_read_as_long_as_its_memory_is_referred_to()
    {
        Gpt2Model model = BuiltInModel.Open();
        float[] expected = model.Parameters.Wte.ToArray();
        ReadOnlyMemory<float> memory = model.Parameters.Wte.Values;
        ReadOnlySpan<float> span = memory.Span;
        model.Dispose();
        GC.Collect();
        GC.WaitForPendingFinalizers();
        Assert.True(span.SequenceEqual(expected));
        Assert.Throws<ObjectDisposedException>(() => memory.Span.Length);
        GC.KeepAlive(memory);
    }

    [Fact]
    public void Of_a_closed_model_nothing_stays_mapped_whose_memory_was_only_pinned()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Linux tells what is mapped.");
        using var folder = new TemporaryFolder();
        foreach (string file in Directory.EnumerateFiles(BuiltInModel.Folder)) File.Copy(file, folder.File(Path.GetFileName(file)));
        using (Gpt2Model model = Gpt2Model.Open(folder.Path))
        {
            foreach ((string name, Func<Gpt2Model, string> read) in MemoryReaders.OfModel)
            {
                if (!name.StartsWith("Gpt2Weight.Values", StringComparison.Ordinal)) read(model);
            }
        }

        Assert.DoesNotContain(folder.Path, File.ReadAllText("/proc/self/maps"), StringComparison.Ordinal);
    }

    /// <summary>Counted in SECURITY.md; a part of the long suite.</summary>
    [Fact(Explicit = true)]
    public async Task In_ten_thousand_runs_over_all_members_no_process_ends()
    {
        const int Children = 10, Runs = 1000;
        int rounds = (int)Math.Ceiling(Runs / (double)Readers.Count);
        for (int seed = 1; seed <= Children; seed++)
        {
            using Process child = ChildProcess.Start(ClosedModel.Verb, $"{rounds}", $"{seed}");
            string output = await child.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
            await child.WaitForExitAsync(TestContext.Current.CancellationToken);
            Assert.Equal((0, $"{rounds * Readers.Count} runs"), (child.ExitCode, output.Trim()));
        }
    }
}
