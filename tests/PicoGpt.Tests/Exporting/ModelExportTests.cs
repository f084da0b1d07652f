using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text.Json;
using PicoGpt.Architecture;
using PicoGpt.Checkpoints;
using PicoGpt.Checkpoints.TensorFlow;
using PicoGpt.Exporting;
using PicoGpt.Files;
using PicoGpt.Inference;
using PicoGpt.Tests.Checkpoints;
using PicoGpt.Weights;
using Xunit;

namespace PicoGpt.Tests.Exporting;

public sealed class ModelExportTests : IDisposable
{
    private static readonly Gpt2HyperParameters Shape = Shapes.FiveHeads with { NLayer = 11 };

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("Npz")]
    [InlineData("Safetensors")]
    [InlineData("TensorFlow")]
    public void A_model_goes_there_and_back_without_a_byte_changed(string format) => AssertGoesThereAndBack(BuiltInModel.Folder, format);

    [Theory]
    [InlineData("Npz")]
    [InlineData("Safetensors")]
    [InlineData("TensorFlow")]
    public void A_third_party_s_model_goes_there_and_back_without_a_byte_changed(string format) =>
        AssertGoesThereAndBack(SharedData.Path("checkpoints/gpt2-toy-keras-gpt-2"), format, "model.ckpt.index");

    [Theory]
    [InlineData("Npz")]
    [InlineData("Safetensors")]
    [InlineData("TensorFlow")]
    public void An_export_says_what_the_model_says(string format)
    {
        using Gpt2Model model = BuiltInModel.Open();
        Export(model, "out", format);
        using Gpt2Model exported = Gpt2Model.Open(_folder.File("out"));
        var options = new GenerationOptions { MaxTokens = 12 };
        Assert.Equal(TextGeneration.Run(model, "Once upon a time", options).Ids, TextGeneration.Run(exported, "Once upon a time", options).Ids);
        Assert.False(MemoryMarshal.TryGetArray(exported.Parameters.Wte.Values, out _)); // mapped, not copied
    }

    [Theory]
    [InlineData("Npz")]
    [InlineData("Safetensors")]
    public void The_same_weights_give_the_same_bytes(string format)
    {
        using Gpt2Model model = Random(seed: 3), reduced = Gpt2Model.Open(model.Path, precision: Gpt2Precision.Int8);
        Export(model, "a", format);
        Export(reduced, "b", format);
        string[] files = [.. Directory.GetFiles(_folder.File("a")).Select(Path.GetFileName)!];
        Assert.Equal(4, files.Length);
        Assert.All(files, file => Assert.Equal(File.ReadAllBytes(_folder.File($"a/{file}")), File.ReadAllBytes(_folder.File($"b/{file}"))));
    }

    [Fact]
    public void NumPy_reads_the_npz_by_the_names_of_picoGPT_s_tree()
    {
        using Gpt2Model model = Random(seed: 4);
        string path = Export(model, "out", "Npz")[0];
        string output = NumPy.Run(
            """
            import json, sys, zlib, numpy
            with numpy.load(sys.argv[1]) as file:
                print(json.dumps({name: [str(file[name].dtype), list(file[name].shape), bool(file[name].flags.c_contiguous),
                                         zlib.crc32(file[name].tobytes())] for name in file.files}))
            """,
            path);
        using JsonDocument read = JsonDocument.Parse(output);
        Assert.Equal(model.Parameters.Count, read.RootElement.EnumerateObject().Count());
        foreach (Gpt2Weight weight in model.Parameters)
        {
            string name = weight.Name[0] == 'h' ? "blocks/" + weight.Name[1..] : weight.Name;
            uint crc = Crc32.Compute(MemoryMarshal.AsBytes(weight.Values.Span));
            Assert.Equal($"[\"float32\", [{string.Join(", ", weight.Shape)}], true, {crc}]", read.RootElement.GetProperty(name).GetRawText());
        }

        Assert.True(read.RootElement.TryGetProperty("blocks/10/attn/c_attn/w", out _));
    }

    [Fact]
    public void Another_reader_finds_Hugging_Face_s_names_and_shapes_in_the_safetensors()
    {
        using Gpt2Model model = Random(seed: 5);
        byte[] file = File.ReadAllBytes(Export(model, "out", "Safetensors")[0]);
        Dictionary<string, (string Type, long[] Shape, byte[] Bytes)> tensors = SafetensorsBytes.Read(file);
        Assert.Equal(model.Parameters.Count, tensors.Count);
        (string Type, long[] Shape, byte[] Bytes) attention = tensors["transformer.h.10.attn.c_attn.weight"];
        Assert.Equal(("F32", 30L, 90L), (attention.Type, attention.Shape[0], attention.Shape[1]));
        Assert.Equal(MemoryMarshal.AsBytes(model.Parameters.Blocks[10].Attn.CAttn.W.Values.Span), attention.Bytes);
        Assert.Equal(MemoryMarshal.AsBytes(model.Parameters.LnF.G.Values.Span), tensors["transformer.ln_f.weight"].Bytes);
        Assert.Equal(MemoryMarshal.AsBytes(model.Parameters.Blocks[1].Mlp.CFc.B!.Values.Span), tensors["transformer.h.1.mlp.c_fc.bias"].Bytes);
        Assert.Equal("pt", JsonDocument.Parse(file.AsMemory(8, BitConverter.ToInt32(file))).RootElement.GetProperty("__metadata__").GetProperty("format").GetString());
        using JsonDocument config = JsonDocument.Parse(File.ReadAllBytes(_folder.File("out/config.json")));
        Assert.Equal("gpt2", config.RootElement.GetProperty("model_type").GetString());
        Assert.Equal(299, config.RootElement.GetProperty("eos_token_id").GetInt32());
    }

    [Theory]
    [InlineData(TensorDType.Float16, "Npz", TensorDType.Float16)]
    [InlineData(TensorDType.Float16, "Safetensors", TensorDType.Float16)]
    [InlineData(TensorDType.Float16, "TensorFlow", TensorDType.Float32)]
    [InlineData(TensorDType.BFloat16, "Npz", TensorDType.Float32)]
    [InlineData(TensorDType.BFloat16, "Safetensors", TensorDType.BFloat16)]
    [InlineData(TensorDType.BFloat16, "TensorFlow", TensorDType.Float32)]
    public void Half_precision_is_kept_or_widened_and_says_the_same(TensorDType source, string format, TensorDType expected)
    {
        using Gpt2Model model = Halved(source);
        Export(model, "out", format);
        using Gpt2Model exported = Gpt2Model.Open(_folder.File("out"));
        Assert.All(exported.Parameters, weight => Assert.Equal(expected, weight.DType));
        Assert.All(model.Parameters.Zip(exported.Parameters), pair => Assert.Equal(pair.First.ToArray(), pair.Second.ToArray()));
    }

    [Theory]
    [InlineData("Npz", 1)]
    [InlineData("Safetensors", 1)]
    [InlineData("TensorFlow", 3)]
    public void A_part_is_written_alone(string format, int files)
    {
        using Gpt2Model model = Random(seed: 6);
        var export = ModelExport.Plan(model, _folder.File("out"), format, weight => weight.Name.StartsWith("h3/ln_1", StringComparison.Ordinal));
        Assert.Equal((2, 240L), (export.Count, export.Size));
        export.Run();
        Assert.Equal(export.Files.Order(), Directory.GetFiles(_folder.File("out")).Order());
        Assert.Equal(files, export.Files.Count);
    }

    [Fact]
    public void The_path_of_a_file_names_the_weights()
    {
        using Gpt2Model model = Random(seed: 6);
        Assert.Equal(_folder.File("x/mine.npz"), ModelExport.Plan(model, _folder.File("x/mine.npz"), "Npz").Files[0]);
        Assert.Equal(_folder.File("x/mine.safetensors"), ModelExport.Plan(model, _folder.File("x/mine.safetensors"), "Safetensors").Files[0]);
        Assert.Equal(_folder.File("x/mine.ckpt.index"), ModelExport.Plan(model, _folder.File("x/mine.ckpt"), "TensorFlow").Files[1]);
    }

    [Theory]
    [InlineData("Npz")]
    [InlineData("Safetensors")]
    [InlineData("TensorFlow")]
    public void What_is_there_stays_unless_it_is_to_be_replaced(string format)
    {
        using Gpt2Model first = Random(seed: 7), second = Random(seed: 8);
        Export(first, "out", format);
        Dictionary<string, byte[]> before = Contents("out");
        Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() => Export(second, "out", format));
        Assert.Equal(Gpt2Error.AlreadyExists, fault.Error);
        Assert.EndsWith("already exists; choose another path.", fault.Message, StringComparison.Ordinal);
        Assert.Equal(before, Contents("out"));
        ModelExport.Plan(second, _folder.File("out"), format).Run(overwrite: true);
        Assert.Equal(before.Keys.Order(), Contents("out").Keys.Order());
        using Gpt2Model read = Gpt2Model.Open(_folder.File("out"));
        Assert.Equal(second.Parameters.Wpe.ToArray(), read.Parameters.Wpe.ToArray());
    }

    [Fact]
    public void Two_formats_share_a_folder_and_its_vocabulary_but_not_another_model_s()
    {
        using Gpt2Model model = Random(seed: 7), other = Random(seed: 8, Shape with { NVocab = 301 });
        Export(model, "out", "TensorFlow");
        Export(model, "out", "Npz");
        File.Delete(_folder.File("out/model.npz"));
        Assert.Contains("hparams.json", Assert.Throws<Gpt2Exception>(() => Export(other, "out", "Npz")).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Npz")]
    [InlineData("Safetensors")]
    [InlineData("TensorFlow")]
    public void A_model_is_not_written_over_itself(string format)
    {
        using (Gpt2Model model = Random(seed: 7)) Export(model, "out", format);
        using Gpt2Model exported = Gpt2Model.Open(_folder.File("out"));
        Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() => ModelExport.Plan(exported, _folder.File("out"), format).Run(overwrite: true));
        Assert.Equal(Gpt2Error.InvalidArgument, fault.Error);
    }

    [Theory]
    [InlineData("Npz")]
    [InlineData("Safetensors")]
    [InlineData("TensorFlow")]
    public void A_model_is_not_written_over_itself_by_another_name(string format)
    {
        using (Gpt2Model model = Random(seed: 7)) Export(model, "out", format);
        Links.ToFolder(_folder.File("link"), _folder.File("out"));
        using Gpt2Model exported = Gpt2Model.Open(_folder.File("out"));
        Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() => ModelExport.Plan(exported, _folder.File("link"), format).Run(overwrite: true));
        Assert.Equal(Gpt2Error.InvalidArgument, fault.Error);
        using Gpt2Model linked = Gpt2Model.Open(_folder.File("link"));
        fault = Assert.Throws<Gpt2Exception>(() => ModelExport.Plan(linked, _folder.File("out"), format).Run(overwrite: true));
        Assert.Equal(Gpt2Error.InvalidArgument, fault.Error);
    }

    [Fact]
    public void A_hard_link_to_a_file_is_that_file_and_a_copy_is_another()
    {
        string file = _folder.File("file"), copy = _folder.File("copy"), hard = _folder.File("hard");
        File.WriteAllText(file, "content");
        File.Copy(file, copy);
        HardLink(file, hard);
        Assert.All((string[])[file, hard], path => Assert.True(FileIdentity.AreSame(path, file), path));
        Assert.False(FileIdentity.AreSame(copy, file));
        Assert.Null(FileIdentity.TryOf(_folder.File("missing")));
    }

    [Fact]
    public void A_symbolic_link_to_a_file_is_that_file()
    {
        string file = _folder.File("file"), symbolic = _folder.File("symbolic");
        File.WriteAllText(file, "content");
        Links.ToFile(symbolic, file);
        Assert.True(FileIdentity.AreSame(symbolic, file));
    }

    [Theory]
    [InlineData("Npz")]
    [InlineData("Safetensors")]
    [InlineData("TensorFlow")]
    public async Task Of_a_source_that_changes_after_its_last_byte_was_written_nothing_gets_a_name(string format)
    {
        using (Gpt2Model model = Random(seed: 7)) Export(model, "source", "Safetensors");
        string data = _folder.File("source/model.safetensors");
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows lets nobody change a mapped file.");
        using (var file = new MappedFile(data)) Assert.SkipUnless(file.IsLeased, "The system protects no mapping of this folder's files; they are copied instead.");
        using Gpt2Model source = Gpt2Model.Open(_folder.File("source"));
        var export = ModelExport.Plan(source, _folder.File("out"), format);
        Task overwriting = Task.CompletedTask;
        var last = new Trigger(export.Size, () =>
        {
            overwriting = Task.Run(() => File.WriteAllText(data, "of another program"));
            SpinWait.SpinUntil(() => IsChanged(source));
        });
        Assert.Equal(Gpt2Error.FileChanged, Assert.Throws<Gpt2Exception>(() => export.Run(progress: last)).Error);
        Assert.False(Directory.Exists(_folder.File("out")));
        source.Dispose();
        await overwriting;
    }

    [Theory]
    [InlineData("Npz")]
    [InlineData("Safetensors")]
    [InlineData("TensorFlow")]
    public void Nothing_is_left_of_an_export_that_is_stopped(string format)
    {
        using Gpt2Model model = Random(seed: 7);
        using var stop = new CancellationTokenSource();
        var export = ModelExport.Plan(model, _folder.File("out"), format);
        Assert.Throws<OperationCanceledException>(() => export.Run(progress: new Stopper(stop, export.Size / 2), cancellationToken: stop.Token));
        Assert.False(Directory.Exists(_folder.File("out")));
    }

    [Fact]
    public void Folders_that_were_made_in_vain_go_and_others_stay()
    {
        using Gpt2Model model = Random(seed: 7);
        using var stop = new CancellationTokenSource();
        Directory.CreateDirectory(_folder.File("there"));
        var export = ModelExport.Plan(model, _folder.File("there/new/out"), "Npz");
        Assert.Throws<OperationCanceledException>(() => export.Run(progress: new Stopper(stop, 0), cancellationToken: stop.Token));
        Assert.Empty(Directory.GetFileSystemEntries(_folder.File("there")));
    }

    [Theory]
    [InlineData("Npz")]
    [InlineData("Safetensors")]
    [InlineData("TensorFlow")]
    public void Progress_is_told_up_to_the_last_byte(string format)
    {
        using Gpt2Model model = Random(seed: 7);
        var told = new Recorder();
        var export = ModelExport.Plan(model, _folder.File("out"), format);
        export.Run(progress: told);
        Assert.Equal(told.Values.Order(), told.Values);
        Assert.Equal(export.Size, told.Values[^1]);
    }

    [Fact]
    public void A_folder_in_the_place_of_a_file_is_a_sentence_before_anything_is_written()
    {
        using Gpt2Model model = Random(seed: 7);
        Directory.CreateDirectory(_folder.File("out/vocab.bpe"));
        var export = ModelExport.Plan(model, _folder.File("out"), "Npz");
        Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() => export.Run(overwrite: true));
        Assert.Equal(Gpt2Error.Unwritable, fault.Error);
        Assert.Contains("vocab.bpe' is a folder", fault.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(_folder.File("out")));
    }

    [Theory]
    [InlineData("Npz")]
    [InlineData("Safetensors")]
    [InlineData("TensorFlow")]
    public void Damaged_weights_are_not_passed_on(string format)
    {
        using (Gpt2Model whole = Random(seed: 7)) Export(whole, "npz", "Npz");
        byte[] bytes = File.ReadAllBytes(_folder.File("npz/model.npz"));
        bytes[5000] ^= 1;
        File.WriteAllBytes(_folder.File("npz/model.npz"), bytes);
        using Gpt2Model model = Gpt2Model.Open(_folder.File("npz"));
        Assert.Equal(Gpt2Error.ChecksumMismatch, Assert.Throws<Gpt2Exception>(() => Export(model, "out", format)).Error);
        Assert.False(Directory.Exists(_folder.File("out")));
    }

    [Fact]
    public void A_folder_that_cannot_be_made_is_a_sentence()
    {
        using Gpt2Model model = Random(seed: 7);
        File.WriteAllText(_folder.File("file"), "");
        Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() => Export(model, "file/out", "Npz"));
        Assert.Equal(Gpt2Error.Unwritable, fault.Error);
    }

    private IReadOnlyList<string> Export(Gpt2Model model, string name, string format)
    {
        var export = ModelExport.Plan(model, _folder.File(name), format);
        export.Run();
        return export.Files;
    }

    // An index has the same entries; it has the same bytes where it was written by TensorFlow itself.
    private void AssertGoesThereAndBack(string source, string format, params string[] indexes)
    {
        using (Gpt2Model model = Gpt2Model.Open(source)) Export(model, "there", format);
        using (Gpt2Model there = Gpt2Model.Open(_folder.File("there"))) Export(there, "back", "TensorFlow");
        foreach (string file in (string[])["model.ckpt.data-00000-of-00001", "encoder.json", "vocab.bpe", .. indexes])
            Assert.Equal(File.ReadAllBytes(Path.Combine(source, file)), File.ReadAllBytes(_folder.File($"back/{file}")));
        Assert.Equal(Index(source), Index(_folder.File("back")));
        Assert.Equal(Gpt2HyperParameters.Load(Path.Combine(source, "hparams.json")), Gpt2HyperParameters.Load(_folder.File("back/hparams.json")));
    }

    private static string[] Index(string folder)
    {
        using TensorBundle bundle = TensorBundle.Open(folder);
        return [.. bundle.Entries.Select(e => $"{e.Name} {e.DType} {e.Shape} {e.ShardId} {e.Offset} {e.Size} {e.Crc32C:x8}")];
    }

    private Dictionary<string, byte[]> Contents(string name) =>
        Directory.GetFiles(_folder.File(name)).ToDictionary(path => Path.GetFileName(path)!, File.ReadAllBytes);

    private Gpt2Model Random(ulong seed, Gpt2HyperParameters? shape = null)
    {
        RandomModel.Write(_folder.File($"random-{seed}"), shape ?? Shape, seed);
        return Gpt2Model.Open(_folder.File($"random-{seed}"));
    }

    private Gpt2Model Halved(TensorDType dtype)
    {
        using Gpt2Model model = Random(seed: 9);
        string folder = _folder.File("half");
        Directory.CreateDirectory(folder);
        foreach (string file in (string[])["hparams.json", "encoder.json", "vocab.bpe"]) File.Copy(Path.Combine(model.Path, file), Path.Combine(folder, file));
        using var writer = new TensorBundleWriter(Path.Combine(folder, "model.ckpt"));
        foreach (Gpt2Weight weight in model.Parameters)
        {
            ushort[] halves = [.. weight.ToArray().Select(value => dtype == TensorDType.Float16
                ? BitConverter.HalfToUInt16Bits((Half)value)
                : (ushort)(BitConverter.SingleToUInt32Bits(value) >> 16))];
            writer.Add("model/" + weight.Name, dtype, new TensorShape([.. weight.Shape.Select(d => (long)d)]), MemoryMarshal.AsBytes(halves.AsSpan()));
        }

        writer.Finish();
        return Gpt2Model.Open(folder);
    }

    private static bool IsChanged(Gpt2Model model)
    {
        try
        {
            model.ThrowIfChanged();
            return false;
        }
        catch (Gpt2Exception)
        {
            return true;
        }
    }

    private static void HardLink(string file, string link)
    {
        string[] command = OperatingSystem.IsWindows() ? ["cmd", "/c", "mklink", "/H", link, file] : ["ln", file, link];
        using Process process = Process.Start(new ProcessStartInfo(command[0], command[1..]) { RedirectStandardOutput = true })!;
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
    }

    private sealed class Trigger(long at, Action action) : IProgress<long>
    {
        public void Report(long value)
        {
            if (value == at) action();
        }
    }

    private sealed class Stopper(CancellationTokenSource source, long most) : IProgress<long>
    {
        public void Report(long value)
        {
            if (value > most) source.Cancel();
        }
    }

    private sealed class Recorder : IProgress<long>
    {
        public List<long> Values { get; } = [];

        public void Report(long value) => Values.Add(value);
    }
}
