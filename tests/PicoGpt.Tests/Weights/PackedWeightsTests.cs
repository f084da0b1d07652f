using PicoGpt.Exporting;
using PicoGpt.Files;
using PicoGpt.Weights;
using Xunit;

namespace PicoGpt.Tests.Weights;

public sealed class PackedWeightsTests
{
    [Fact]
    public void What_was_converted_once_is_mapped_ever_after()
    {
        using TemporaryFolder folder = RandomModel.InFolder(Shapes.Small);
        byte[] first = Open(folder, out List<double> converted);
        Assert.Equal(1, converted[^1]);
        Assert.Equal(first, Open(folder, out converted));
        Assert.Empty(converted);
        Assert.Equal(["int8.data-00000-of-00001", "int8.index"], Converted(folder));
    }

    [Fact]
    public void A_damaged_conversion_is_made_again()
    {
        using TemporaryFolder folder = RandomModel.InFolder(Shapes.Small);
        byte[] good = Open(folder, out _);
        foreach (string name in Converted(folder))
        {
            string path = folder.File($"converted/{name}");
            byte[] bytes = File.ReadAllBytes(path);
            bytes[bytes.Length / 3] ^= 4;
            TestFile.Overwrite(path, bytes);
            Assert.Equal(good, Open(folder, out List<double> converted));
            Assert.NotEmpty(converted);
        }

        TestFile.Overwrite(folder.File("converted/int8.data-00000-of-00001"), []);
        Assert.Equal(good, Open(folder, out _));
    }

    [Fact]
    public void Other_weights_are_converted_again()
    {
        using TemporaryFolder folder = RandomModel.InFolder(Shapes.Small, seed: 1);
        byte[] first = Open(folder, out _);
        RandomModel.Write(folder.Path, Shapes.Small, seed: 2);
        byte[] second = Open(folder, out List<double> converted);
        Assert.NotEmpty(converted);
        Assert.NotEqual(first, second);
    }

    [Fact]
    public void Another_file_of_the_same_length_and_time_is_converted_anew()
    {
        using var folder = new TemporaryFolder();
        string weights = folder.File("model/model.safetensors");
        WriteSafetensors(folder, seed: 1);
        DateTime written = File.GetLastWriteTimeUtc(weights);
        byte[] first = Open(folder.File("model"), out _);
        byte[] other = File.ReadAllBytes(WriteSafetensors(folder, seed: 2));
        TestFile.Overwrite(weights, other); // in place, as a program does that keeps the file
        File.SetLastWriteTimeUtc(weights, written);
        byte[] second = Open(folder.File("model"), out List<double> converted);
        Assert.NotEmpty(converted);
        Assert.NotEqual(first, second);
        Assert.Equal(second, Open(folder.File("model"), out converted));
        Assert.Empty(converted);
    }

    [Fact]
    public void A_file_without_checksums_is_read_again_only_when_anything_of_it_has_changed()
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("weights"), note = folder.File("converted/weights.sha256");
        File.WriteAllBytes(path, new byte[100]);
        using (var file = new MappedFile(path))
        {
            Assert.Equal(Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(new byte[100])), file.GetDigest());
            Assert.False(File.Exists(note)); // it changed just now, and may again within a tick of the clock
            FileIdentity identity = file.Identity!.Value;
            Directory.CreateDirectory(folder.File("converted"));
            File.WriteAllText(note, $"{identity.Volume:x} {identity.High:x} {identity.Low:x} 100 {identity.ChangedAt.Ticks}\nnoted\n");
        }

        using (var file = new MappedFile(path)) Assert.NotEqual("noted", file.GetDigest());
        Assert.True(ConvertedFolder.IsOwn("model.safetensors.sha256"));
    }

    [Fact]
    public void Where_no_file_can_be_written_the_weights_are_in_memory()
    {
        using TemporaryFolder folder = RandomModel.InFolder(Shapes.Small);
        File.WriteAllText(folder.File("converted"), "a file where the folder should be");
        using Gpt2Model model = Gpt2Model.Open(folder.Path);
        using var weights = PackedWeights.Open(model.Parameters, folder.Path, Gpt2Precision.Int8, smallestFile: 0);
        Assert.StartsWith($"The weights in Int8 cannot be kept in '{folder.File("converted")}': ", weights.Unkept, StringComparison.Ordinal);
        Assert.DoesNotContain(".tmp", weights.Unkept, StringComparison.Ordinal);
        byte[] inMemory = weights[model.Parameters.Wte].ToArray();
        File.Delete(folder.File("converted"));
        Assert.Equal(inMemory, Open(folder, out _));
        using var kept = PackedWeights.Open(model.Parameters, folder.Path, Gpt2Precision.Int8, smallestFile: 0);
        using var small = PackedWeights.Open(model.Parameters, folder.Path, Gpt2Precision.Int4);
        Assert.Equal((null, null), (kept.Unkept, small.Unkept));
    }

    [Fact]
    public void Small_weights_need_no_file()
    {
        using TemporaryFolder folder = RandomModel.InFolder(Shapes.Small);
        using Gpt2Model model = Gpt2Model.Open(folder.Path, precision: Gpt2Precision.Float16);
        model.Prepare();
        Assert.False(Directory.Exists(folder.File("converted")));
    }

    [Fact]
    public void A_cancelled_conversion_leaves_nothing()
    {
        using TemporaryFolder folder = RandomModel.InFolder(Shapes.Small);
        using Gpt2Model model = Gpt2Model.Open(folder.Path);
        Assert.Throws<OperationCanceledException>(() => PackedWeights.Open(
            model.Parameters, folder.Path, Gpt2Precision.Int4, smallestFile: 0, cancellationToken: new CancellationToken(canceled: true)));
        Assert.Empty(Converted(folder));
    }

    // Fresh from a writer, as a file that was given the place of another.
    private static string WriteSafetensors(TemporaryFolder folder, ulong seed)
    {
        RandomModel.Write(folder.File("source"), Shapes.Small, seed);
        using Gpt2Model model = Gpt2Model.Open(folder.File("source"));
        string target = folder.File(seed == 1 ? "model" : $"model{seed}");
        ModelExport.Plan(model, target, "Safetensors").Run();
        return Path.Combine(target, "model.safetensors");
    }

    private static byte[] Open(TemporaryFolder folder, out List<double> converted) => Open(folder.Path, out converted);

    private static byte[] Open(string folder, out List<double> converted)
    {
        var progress = new Recorder();
        using Gpt2Model model = Gpt2Model.Open(folder);
        using var weights = PackedWeights.Open(model.Parameters, folder, Gpt2Precision.Int8, progress, smallestFile: 0);
        Assert.True(File.Exists(Path.Combine(folder, "converted/int8.index")));
        converted = progress.Values;
        return weights[model.Parameters.Wte].ToArray();
    }

    private static IEnumerable<string> Converted(TemporaryFolder folder) =>
        Directory.EnumerateFiles(folder.File("converted")).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal);

    /// <summary>Remembers what was reported, at once.</summary>
    private sealed class Recorder : IProgress<double>
    {
        public List<double> Values { get; } = [];

        public void Report(double value) => Values.Add(value);
    }
}
