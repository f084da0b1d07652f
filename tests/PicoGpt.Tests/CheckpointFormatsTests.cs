using PicoGpt.Architecture;
using PicoGpt.Checkpoints;
using PicoGpt.Exporting;
using PicoGpt.Fuzz;
using PicoGpt.Weights;
using Xunit;

namespace PicoGpt.Tests;

public sealed class CheckpointFormatsTests : IDisposable
{
    private static readonly Gpt2HyperParameters Shape = new(NVocab: 300, NCtx: 8, NEmbd: 8, NHead: 2, NLayer: 1);

    private readonly TemporaryFolder _folder = new();

    public static TheoryData<string> Written => [.. ModelExport.Formats];

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("a.gguf")]
    [InlineData("model.safetensors")]
    [InlineData("ckpt.pt")]
    [InlineData("model.npz")]
    public void A_file_of_a_format_that_is_not_there_is_no_prefix_of_one(string name)
    {
        Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() => Gpt2Model.Open(_folder.File(name)));
        Assert.Equal((Gpt2Error.FileNotFound, $"The file '{_folder.File(name)}' does not exist."), (fault.Error, fault.Message));
    }

    [Fact]
    public void Every_format_has_a_name_of_its_own()
    {
        string[] names = [.. CheckpointFormats.All.Select(format => format.Name)];
        Assert.Equal(names.Distinct(StringComparer.OrdinalIgnoreCase), names);
        Assert.Equal(CheckpointFormats.All.OfType<WritableFormat>().Select(format => format.Name).Order(StringComparer.Ordinal), ModelExport.Formats);
    }

    [Theory]
    [MemberData(nameof(Written))]
    public void What_is_written_is_found_in_its_folder_and_known_by_its_names(string name)
    {
        WritableFormat format = CheckpointFormats.ToWrite(name.ToUpperInvariant());
        IReadOnlyList<string> files = Export(name);
        Assert.Same(CheckpointFormats.All.Single(known => known.Name == name), CheckpointFormats.FindIn(_folder.File("out"))!.Value.Format);
        foreach (string file in format.FilesOf(_folder.File($"out/{format.WeightsName}")))
        {
            Assert.Contains(file, files);
            Assert.Equal(name, CheckpointFormats.Of(file).Name);
        }
    }

    [Theory]
    [InlineData("Npz", "model.npz", "weights")]
    [InlineData("Npz", "model.npz", "weights.bin")]
    [InlineData("Safetensors", "model.safetensors", "weights")]
    [InlineData("Safetensors", "model.safetensors", "weights.pth")]
    public void A_file_under_another_name_is_known_by_its_content(string format, string file, string name)
    {
        Export(format);
        File.Move(_folder.File($"out/{file}"), _folder.File($"out/{name}"));
        using var model = Gpt2Model.Open(_folder.File($"out/{name}"));
        Assert.Equal(format, CheckpointFormats.Of(_folder.File($"out/{name}")).Name);
        Assert.Equal(Shape, model.HyperParameters);
        Assert.NotEqual(0, model.Parameters.Wte.Values.Span[0]);
    }

    [Fact]
    public void A_PyTorch_archive_is_known_by_its_content()
    {
        File.WriteAllBytes(_folder.File("a.npz"), TorchBytes.Archive(TorchBytes.StateDictionary()));
        Assert.Equal("PyTorch", CheckpointFormats.Of(_folder.File("a.npz")).Name);
    }

    [Fact]
    public void A_damaged_file_is_of_the_format_of_its_name()
    {
        foreach (CheckpointFormat format in CheckpointFormats.All.OfType<WritableFormat>())
        {
            string path = _folder.File("a" + (format.Name == "TensorFlow" ? ".index" : ((WritableFormat)format).Extension));
            File.WriteAllBytes(path, new byte[100]);
            Assert.Same(format, CheckpointFormats.Of(path));
            Assert.Contains(path, Assert.Throws<Gpt2Exception>(() => format.Open(path)).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_file_and_a_folder_without_weights_are_told_what_there_may_be()
    {
        File.WriteAllText(_folder.File("notes.txt"), "no weights");
        Gpt2Exception file = Assert.Throws<Gpt2Exception>(() => Gpt2Model.Open(_folder.File("notes.txt")));
        Gpt2Exception folder = Assert.Throws<Gpt2Exception>(() => Gpt2Model.Open(_folder.Path));
        Assert.Equal((Gpt2Error.NotAFormat, Gpt2Error.FileNotFound), (file.Error, folder.Error));
        foreach (CheckpointFormat format in CheckpointFormats.All)
        {
            Assert.Contains(format.FileMark, file.Message, StringComparison.Ordinal);
            Assert.Contains(format.FolderMark, folder.Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("checkpoint", "epoch 3\n")]
    [InlineData("checkpoint", "model_checkpoint_path: \"gone\"\n")]
    [InlineData("passages.index", "IxF2\b\0\0\0\0\0\0\0\0\0\0\0")]
    [InlineData("._model.ckpt.index", "\0\u0005\u0016\u0007")]
    [InlineData("._other.safetensors", "\0\u0005\u0016\u0007")]
    public void A_file_of_another_program_does_not_hide_the_weights_beside_it(string name, string content)
    {
        foreach (string format in (string[])["Safetensors", "Npz", "TensorFlow"])
        {
            if (format == "TensorFlow" && name == "checkpoint") continue; // which is then what names the weights
            Export(format);
            File.WriteAllText(_folder.File($"out/{name}"), content);
            if (format == "TensorFlow") File.Delete(_folder.File("out/checkpoint"));
            using (Gpt2Model model = Gpt2Model.Open(_folder.File("out"))) Assert.Equal(Shape, model.HyperParameters);
            Directory.Delete(_folder.File("out"), recursive: true);
        }
    }

    [Fact]
    public void A_single_file_of_weights_needs_no_particular_name()
    {
        Export("Safetensors");
        File.Move(_folder.File("out/model.safetensors"), _folder.File("out/tales.safetensors"));
        using (Gpt2Model model = Gpt2Model.Open(_folder.File("out"))) Assert.EndsWith("tales.safetensors", model.Prefix, StringComparison.Ordinal);
        File.Delete(_folder.File("out/tales.safetensors"));
        foreach (string name in (string[])["ckpt.pt", "gpt2_small.pth"])
        {
            File.WriteAllBytes(_folder.File($"out/{name}"), []);
            (CheckpointFormat format, string path) = CheckpointFormats.FindIn(_folder.File("out"))!.Value;
            Assert.Equal(("PyTorch", _folder.File($"out/{name}")), (format.Name, path));
            File.Delete(_folder.File($"out/{name}"));
        }
    }

    [Fact]
    public void A_format_that_is_not_written_is_refused_with_those_that_are()
    {
        using Gpt2Model model = BuiltInModel.Open();
        foreach (string name in (string[])["PyTorch", "Onnx"])
        {
            Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() => ModelExport.Plan(model, _folder.File("out"), name));
            Assert.Equal(Gpt2Error.InvalidArgument, fault.Error);
            Assert.Contains($"'{name}' to write; the names are Gguf, Npz, Safetensors, TensorFlow.", fault.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void What_a_file_tells_of_itself_goes_before_what_lies_beside_it()
    {
        (Shape with { NCtx = 77 }).Save(_folder.File("hparams.json"));
        Assert.Equal(Shape, ModelFiles.ReadShape(_folder.Path, new TellingSource()).HyperParameters);
        Assert.Equal("a.x", Gpt2Parameters.Load(new TellingSource(), Shape).Wte.Stored.Name);
    }

    private IReadOnlyList<string> Export(string format)
    {
        RandomModel.Write(_folder.File("in"), Shape);
        using var model = Gpt2Model.Open(_folder.File("in"));
        var export = ModelExport.Plan(model, _folder.File("out"), format);
        export.Run();
        return export.Files;
    }

    // A file that has hyperparameters in it, and names of its own.
    private sealed class TellingSource : ITensorSource
    {
        public string Location => "a file";

        public IReadOnlyList<string> DataFiles => [];

        public Gpt2HyperParameters HyperParameters => Shape;

        public WeightNaming Naming { get; } = new OwnNaming();

        public IReadOnlyList<StoredTensor> Tensors =>
        [
            .. Gpt2Architecture.Leaves(Shape).Select(leaf => new MemoryTensor(
                Naming.Of(leaf.Name), new TensorShape([.. leaf.Shape.Select(d => (long)d)]))),
        ];

        public void Dispose()
        {
        }
    }

    private sealed class OwnNaming : WeightNaming
    {
        public override IReadOnlyList<string> PartsOf(string weight) => [weight == "wte" ? "a.x" : $"b.{weight}"];
    }
}
