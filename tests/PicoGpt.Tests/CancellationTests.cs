using PicoGpt.Architecture;
using PicoGpt.Checkpoints;
using PicoGpt.Checkpoints.Numpy;
using PicoGpt.Exporting;
using PicoGpt.Files;
using PicoGpt.Fuzz;
using PicoGpt.Pickles;
using Xunit;

namespace PicoGpt.Tests;

/// <summary>Whatever is opened, verified or hashed ends when it is cancelled, and leaves nothing open.</summary>
public sealed class CancellationTests : IDisposable
{
    private static readonly Gpt2HyperParameters Shape = new(NVocab: 300, NCtx: 8, NEmbd: 8, NHead: 2, NLayer: 1);
    private static readonly CancellationToken Cancelled = new(canceled: true);

    private readonly TemporaryFolder _folder = new();

    public static TheoryData<string> Formats => [.. ModelExport.Formats, "a PyTorch archive", "PyTorch's old file"];

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Formats))]
    public void Every_format_looks_at_the_cancellation_while_it_opens(string format)
    {
        string path = Write(format);
        Assert.Throws<OperationCanceledException>(() => ModelFiles.OpenWeights(path, Cancelled));
        File.Move(path, path + ".moved"); // which Windows refuses where the file is still open
        File.Move(path + ".moved", path);
        using ITensorSource source = ModelFiles.OpenWeights(path);
        Assert.NotEmpty(source.Tensors);
    }

    [Fact]
    public void A_checkpoint_in_several_files_is_not_read_on_after_a_cancellation()
    {
        string[] files = ["a.npz", "b.npz"];
        foreach (string file in files)
        {
            using var writer = new NpzWriter(_folder.File(file));
            writer.Add(file, TensorDType.UInt8, new TensorShape(1), [7]);
            writer.Finish();
        }

        string index = _folder.File("index.json");
        File.WriteAllText(index, """{"weight_map": {"a.npz": "a.npz", "b.npz": "b.npz"}}""");
        using var stop = new CancellationTokenSource();
        List<int> listed = [];
        Assert.Throws<OperationCanceledException>(() => MappedSource.OpenSharded(index, List, stop.Token));
        Assert.Equal([0], listed);

        IEnumerable<StoredTensor> List(ShardMappings mappings, int number, CancellationToken cancellationToken)
        {
            IEnumerable<StoredTensor> tensors = Npz.ListTensors(mappings, number, cancellationToken);
            listed.Add(number);
            stop.Cancel();
            return tensors;
        }
    }

    [Fact]
    public void A_pickle_is_not_read_on_after_a_cancellation()
    {
        using var stop = new CancellationTokenSource();
        int found = 0;
        byte[] pickle = TorchBytes.Pickle(Enumerable.Repeat(TorchBytes.Global("torch", "Size"), 10_000));
        var reader = new PickleReader(pickle, Find, (_, _) => null, _ => null);
        Assert.Throws<OperationCanceledException>(() => reader.Read(stop.Token));
        Assert.InRange(found, 1, 1000);

        object Find(string module, string name)
        {
            found++;
            stop.Cancel();
            return new PickleGlobal(module, name);
        }
    }

    [Fact]
    public void Hashing_a_file_ends_and_leaves_no_note()
    {
        string path = Write("Safetensors");
        using ITensorSource source = ModelFiles.OpenWeights(path);
        Assert.Throws<OperationCanceledException>(() => source.Tensors[0].GetFingerprint(Cancelled));
        Assert.False(Directory.Exists(Path.Combine(Path.GetDirectoryName(path)!, ConvertedFolder.Name)));
        Assert.NotEmpty(source.Tensors[0].GetFingerprint(default));
    }

    [Theory]
    [InlineData("TensorFlow")]
    [InlineData("Npz")]
    public void Verifying_a_tensor_ends(string format)
    {
        using ITensorSource source = ModelFiles.OpenWeights(Write(format));
        Assert.Throws<OperationCanceledException>(() => source.Tensors[0].Verify(Cancelled));
        source.Tensors[0].Verify();
    }

    [Fact]
    public void A_vocabulary_that_lies_with_the_weights_is_not_read_on()
    {
        using Gpt2Model model = Gpt2Model.Open(Write("Gguf"));
        Assert.Throws<OperationCanceledException>(() => model.ReadEncoder(Cancelled));
        Assert.Equal("a", model.Encoder.Decode(model.Encoder.Encode("a")));
    }

    [Fact]
    public void Opening_a_model_ends()
    {
        string path = Write("TensorFlow");
        Assert.Throws<OperationCanceledException>(() => Gpt2Model.Open(path, cancellationToken: Cancelled));
    }

    private string Write(string format)
    {
        byte[] storage = new byte[4];
        string tensor = TorchBytes.Tensor("FloatStorage", "0", 1, [1]);
        switch (format)
        {
            case "a PyTorch archive":
                File.WriteAllBytes(_folder.File("a.pt"), TorchBytes.Archive(TorchBytes.StateDictionary(("x", tensor)), ("0", storage)));
                return _folder.File("a.pt");
            case "PyTorch's old file":
                string old = TorchBytes.OldTensor("FloatStorage", "0", 1, [1]);
                File.WriteAllBytes(_folder.File("a.pt"), TorchBytes.OldFile(TorchBytes.StateDictionary(("x", old)), ("0", 1, storage)));
                return _folder.File("a.pt");
            default:
                RandomModel.Write(_folder.File("model"), Shape);
                using (Gpt2Model model = Gpt2Model.Open(_folder.File("model"))) ModelExport.Plan(model, _folder.File("out"), format).Run();
                return format == "TensorFlow" ? _folder.File("out/model.ckpt.index") : _folder.File($"out/{CheckpointFormats.ToWrite(format).WeightsName}");
        }
    }
}
