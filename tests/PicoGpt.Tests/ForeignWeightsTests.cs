using System.Buffers.Binary;
using System.Formats.Tar;
using System.IO.Compression;
using System.Text;
using PicoGpt.Checkpoints;
using PicoGpt.Checkpoints.TensorFlow;
using PicoGpt.Exporting;
using PicoGpt.Fuzz;
using PicoGpt.Tests.Checkpoints;
using Xunit;

namespace PicoGpt.Tests;

/// <summary>What people give in place of weights: each is called what it is, with the next step, under whatever name, and never sent in a circle.</summary>
public sealed class ForeignWeightsTests : IDisposable
{
    private static readonly Dictionary<string, (byte[] Bytes, string What, string Advice)> Kinds = new()
    {
        // ggml's examples/gpt-2/convert-ckpt-to-ggml.py: the magic 0x67676d6c, then n_vocab, n_ctx, n_embd, n_head, n_layer, ftype
        ["ggml-model-f32.bin"] = (Ints(0x67676d6c, 50257, 1024, 768, 12, 12, 0), "a file of ggml from before GGUF", "convert_hf_to_gguf.py"),
        ["ggjt.bin"] = (Ints(0x67676a74, 3, 50257, 768), "a file of ggml from before GGUF", "convert_hf_to_gguf.py"),

        // llm.c's train_gpt2.py: 256 integers, the magic and the version first
        ["gpt2_124M.bin"] = (LlmC(20240326, 3, 1024, 50257, 12, 12, 768, 50304), "a file of llm.c's with weights", "dev/eval/export_hf.py"),
        ["gpt2_tokenizer.bin"] = (LlmC(20240328, 2, 50257, 50256), "llm.c's file of the tokenizer", "encoder.json"),
        ["tiny_shakespeare_val.bin"] = (LlmC(20240520, 1, 32768), "a file of tokens for training with llm.c", "the model's weights"),

        // CTranslate2's model_spec.py: the version, then the specification's name with its length
        ["model.bin"] = ([6, 0, 0, 0, 9, 0, .. "GPT2Spec\0"u8, 9, 0, 0, 0], "a model of CTranslate2", "converted from"),

        // onnx.proto: ir_version 8, producer_name, producer_version
        ["model.onnx"] = ([0x08, 0x08, 0x12, 7, .. "pytorch"u8, 0x1A, 5, .. "2.1.0"u8, 0x3A, 0], "an ONNX model", "it was exported from"),

        // the superblock, version 0
        ["tf_model.h5"] = ([0x89, .. "HDF\r\n\x1a\n"u8, 0, 0, 0, 0, 0, 8, 8, 0, 4, 0, 16, 0], "an HDF5 file, as Keras writes it", "save_pretrained"),

        // keras.saving: an archive of three files
        ["model.keras"] = (TorchBytes.Zip([("metadata.json", "{}"u8.ToArray()), ("model.weights.h5", [0x89])]), "a model of Keras 3", "save_pretrained"),

        // flax.serialization.to_bytes: maps of maps, the arrays as extension 1
        ["flax_model.msgpack"] =
            ([0x81, 0xAB, .. "transformer"u8, 0x82, 0xA3, .. "wpe"u8, 0x81, 0xA9, .. "embedding"u8, 0xC7, 4, 1, 0x93, 0x92, 2, 2], "Flax weights in MessagePack", "save_pretrained"),

        // saved_model.proto: schema version 1, a graph of 256 bytes
        ["saved_model.pb"] = ([0x08, 0x01, 0x12, 0x80, 0x02, .. new byte[256]], "a SavedModel of TensorFlow", "'variables'"),
        ["model.tflite"] = ([0x1C, 0, 0, 0, .. "TFL3"u8, 0, 0], "a model of TensorFlow Lite", "converted from"),
        ["weights.npy"] = ([0x93, .. "NUMPY"u8, 1, 0, 0x76, 0], "a single array of NumPy", "numpy.savez"),
        ["passages.index"] = ([.. "IxF2"u8, .. Ints(768, 0, 0)], "an index of FAISS", "weights"),
        ["._model.safetensors"] = ([0, 5, 0x16, 7, 0, 2, 0, 0, .. "Mac OS X        "u8], "what macOS keeps of a file's attributes", "without '._'"),
        ["gpt2.zip"] = (TorchBytes.Zip([("gpt2/hparams.json", "{}"u8.ToArray())]), "a ZIP archive", "unpack it and give the folder"),
        ["gpt2.tar"] = (Tar(), "a tar archive", "unpack it and give the folder"),
        ["gpt2.tar.gz"] = (Gzip(Tar()), "an archive compressed with gzip", "unpack it and give the folder"),
        ["gpt2.7z"] = ([(byte)'7', (byte)'z', 0xBC, 0xAF, 0x27, 0x1C, 0, 4], "a 7-Zip archive", "unpack it and give the folder"),
        ["train.pkl"] = ([0x80, 4, 0x95, 5, 0, 0, 0, 0, 0, 0, 0, (byte)'}', 0x94, (byte)'.'], "a pickle of Python's that torch.save did not write", "nothing in it was run"),
    };

    private readonly TemporaryFolder _folder = new();

    public static TheoryData<string> Names => [.. Kinds.Keys];

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Names))]
    public void A_file_of_another_kind_is_called_what_it_is_under_every_name(string kind)
    {
        (byte[] bytes, string what, string advice) = Kinds[kind];
        foreach (string name in (string[])[kind, "pytorch_model.bin", "model.safetensors", "weights.npz", "a.gguf", "model.index", "weights"])
        {
            string folder = _folder.File(name + ".d"), path = Path.Combine(folder, name);
            Directory.CreateDirectory(folder);
            File.WriteAllBytes(path, bytes);
            AssertFault(Gpt2Error.Unsupported, path, $"'{path}' is {what}; ", advice);
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void A_folder_with_nothing_else_says_what_it_holds(string kind)
    {
        (byte[] bytes, string what, string advice) = Kinds[kind];
        if (kind.StartsWith("._", StringComparison.Ordinal)) return; // which hides nothing
        File.WriteAllBytes(_folder.File(kind), bytes);
        File.WriteAllText(_folder.File("README.md"), "# A model");
        File.WriteAllText(_folder.File("config.json"), "{}");
        AssertFault(Gpt2Error.Unsupported, _folder.Path, $"{kind}' is {what}", advice);
    }

    [Theory]
    [InlineData("onnx/decoder_model.onnx", "an ONNX model")]
    [InlineData("openvino_model.bin", "a file of weights of OpenVINO")]
    [InlineData("rust_model.ot", "a file of weights of Rust's tch")]
    [InlineData("gpt2.mlmodel", "a model of Core ML")]
    [InlineData("gpt2.mlpackage/Manifest.json", "a model of Core ML")]
    public void A_folder_whose_weights_say_nothing_of_themselves_is_known_by_their_names(string file, string what)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_folder.File(file))!);
        File.WriteAllBytes(_folder.File(file), [1, 2, 3, 4]);
        File.WriteAllText(_folder.File("vocab.json"), "{}");
        Directory.CreateDirectory(_folder.File("logs"));
        File.WriteAllBytes(_folder.File("logs/a.gz"), [0x1F, 0x8B, 8, 0]); // which is nobody's model
        AssertFault(Gpt2Error.Unsupported, _folder.Path, $"is {what}: ", "it was exported from");
    }

    [Theory]
    [InlineData("Entry not found")]
    [InlineData("404: Not Found")]
    [InlineData("Invalid username or password.")]
    [InlineData("{\"error\":\"Repository not found\"}")]
    public void A_server_s_answer_under_the_name_of_weights_is_told_from_them(string text)
    {
        foreach (string name in (string[])["pytorch_model.bin", "model.safetensors", "model.gguf", "model.npz", "config.json", "model.ckpt.index"])
        {
            string folder = _folder.File(name + ".d");
            RandomModel.Write(folder, Shapes.Small);
            if (name != "config.json") Directory.EnumerateFiles(folder, "*model*").ToList().ForEach(File.Delete);
            File.WriteAllText(Path.Combine(folder, name), text);
            AssertFault(Gpt2Error.ErrorBody, folder, "not the file it is named after but a server's answer", "from the right address");
        }
    }

    [Fact]
    public void Any_other_text_is_called_a_text()
    {
        File.WriteAllText(_folder.File("model.safetensors"), "epoch,loss\n1,3.2\n");
        AssertFault(Gpt2Error.NotAFormat, _folder.Path, "is a text that begins 'epoch,loss 1,3.2', and not weights");
    }

    [Fact]
    public void A_damaged_archive_of_PyTorch_is_not_called_a_ZIP_archive_to_be_unpacked()
    {
        File.WriteAllBytes(_folder.File("pytorch_model.bin"), TorchBytes.Archive(TorchBytes.StateDictionary())[..200]);
        AssertFault(Gpt2Error.NotAFormat, _folder.Path, "is not a whole PyTorch file");
    }

    [Theory]
    [InlineData("F8_E4M3", "float8")]
    [InlineData("F4", "float4")]
    [InlineData("C64", "complex numbers")]
    public void Types_of_safetensors_that_are_not_read_are_called_by_their_names(string type, string what)
    {
        File.WriteAllBytes(_folder.File("model.safetensors"), SafetensorsBytes.Of([("wte.weight", type, [1], [0])]));
        AssertFault(Gpt2Error.Unsupported, _folder.Path, $"its tensor 'wte.weight' is of the type {type} ({what}); give the model as it was before");
    }

    [Fact]
    public void A_checkpoint_of_TensorFlow_s_first_format_is_known_by_way_of_the_file_checkpoint_too()
    {
        // SavedTensorSlices: meta with one tensor's SavedSliceMeta, named "a", under the empty key
        byte[] meta = [0x0A, 5, 0x0A, 3, 0x0A, 1, (byte)'a'];
        using (FileStream file = File.Create(_folder.File("model.ckpt-7")))
        {
            var table = new SortedTableWriter(file, new TensorBundleWriterOptions());
            table.Add([], meta);
            table.Finish();
        }

        File.WriteAllText(_folder.File("checkpoint"), CheckpointState.Format("model.ckpt-7"));
        foreach (string path in (string[])["", "checkpoint", "model.ckpt-7"])
            AssertFault(Gpt2Error.Unsupported, _folder.File(path), "model.ckpt-7' is a checkpoint in TensorFlow's first format (V1, one file)", "save it again with SaverDef.V2");
    }

    [Theory]
    [InlineData("layer-0/_variables/0/.ATTRIBUTES/VARIABLE_VALUE", Gpt2Error.Unsupported, "holds objects of TensorFlow 2, such as 'layer-0/")]
    [InlineData("encoder/layer.0/kernel", Gpt2Error.WrongArchitecture, "it has no tensor 'model/wte' of two dimensions, but encoder/layer.0/kernel")]
    public void A_dot_in_a_name_of_TensorFlow_s_does_not_make_it_one_of_PyTorch_s(string name, Gpt2Error error, string part)
    {
        using (var writer = new TensorBundleWriter(_folder.File("variables")))
        {
            writer.AddFloats(name, new TensorShape(2), [1, 2]);
            writer.Finish();
        }

        AssertFault(error, _folder.Path, part);
    }

    [Fact]
    public void A_link_of_the_hub_s_cache_that_leads_to_nothing_is_told_from_a_missing_model()
    {
        Directory.CreateDirectory(_folder.File("snapshots/abc"));
        string link = _folder.File("snapshots/abc/model.safetensors");
        Links.ToFile(link, "../../blobs/0123");
        File.WriteAllText(_folder.File("snapshots/abc/vocab.json"), "{}");
        foreach (string path in (string[])[link, _folder.File("snapshots/abc")])
            AssertFault(Gpt2Error.FileNotFound, path, $"'{link}' is a link to '../../blobs/0123', which does not exist", "fetch the model again");
    }

    [Fact]
    public void A_folder_of_folders_names_those_that_hold_models()
    {
        foreach (string name in (string[])["snapshots/e7da7f2", "out/checkpoint-500", "out/checkpoint-1000"])
            Write(name);
        Directory.SetLastWriteTimeUtc(_folder.File("out/checkpoint-500"), new DateTime(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        AssertFault(Gpt2Error.FileNotFound, _folder.Path, "is a model's folder in Hugging Face's cache; give '" + _folder.File("snapshots/e7da7f2") + "'");
        AssertFault(
            Gpt2Error.FileNotFound,
            _folder.File("out"),
            "has no weights of its own; give one of the folders below it, '" + _folder.File("out/checkpoint-1000") + "', '" + _folder.File("out/checkpoint-500") + "'");
    }

    [Fact]
    public void Of_several_files_one_has_to_be_named()
    {
        foreach (string name in (string[])["q4", "q5", "q6", "q8"]) File.WriteAllBytes(_folder.File($"gpt2.{name}.gguf"), "GGUF\x03\0\0\0"u8.ToArray());
        AssertFault(Gpt2Error.FileNotFound, _folder.Path, "holds several files of weights; give one of 'gpt2.q4.gguf', 'gpt2.q5.gguf', 'gpt2.q6.gguf' and 1 more");
    }

    [Fact]
    public void Parts_of_a_checkpoint_without_their_index_ask_for_it()
    {
        string[] parts = [.. Enumerable.Range(1, 2).Select(part => $"model-0000{part}-of-00002.safetensors")];
        foreach (string part in parts) File.WriteAllBytes(_folder.File(part), [2, 0, 0, 0, 0, 0, 0, 0, (byte)'{', (byte)'}']);
        AssertFault(Gpt2Error.FileNotFound, _folder.Path, $"has a checkpoint in several files ('{parts[0]}', '{parts[1]}'), but not 'model.safetensors.index.json'");
    }

    [Theory]
    [InlineData("model.ckpt")]
    [InlineData("last.bin")]
    public void The_only_file_of_weights_of_a_folder_is_opened_by_what_is_in_it(string name)
    {
        File.WriteAllBytes(_folder.File("other" + Path.GetExtension(name)), "another program's file"u8.ToArray());
        File.WriteAllBytes(_folder.File(name), TorchBytes.Archive(TorchBytes.StateDictionary()));
        AssertFault(Gpt2Error.Unsupported, _folder.Path, name + "' is not read");
    }

    [Fact]
    public void What_a_trainer_keeps_beside_weights_is_not_taken_for_them()
    {
        foreach (string name in (string[])["optimizer.pt", "scheduler.pt", "rng_state_0.pth", "training_args.bin", "optimizer.bin"])
            File.WriteAllBytes(_folder.File(name), TorchBytes.Archive(TorchBytes.StateDictionary()));
        AssertFault(Gpt2Error.FileNotFound, _folder.Path, "There is no checkpoint in");
        File.WriteAllBytes(_folder.File("gpt2-tales.pth"), TorchBytes.Archive(TorchBytes.StateDictionary()));
        AssertFault(Gpt2Error.Unsupported, _folder.Path, "gpt2-tales.pth' is not read");
    }

    [Theory]
    [InlineData("model.safetensors.crdownload")]
    [InlineData("gpt2.gguf.part")]
    [InlineData(".cache/huggingface/download/x.incomplete")]
    [InlineData("blobs/0123.incomplete")]
    public void A_download_that_has_not_ended_is_called_one_in_place_of_weights(string name)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_folder.File(name))!);
        File.WriteAllBytes(_folder.File(name), "GGUF\x03\0\0\0"u8.ToArray());
        File.WriteAllText(_folder.File("vocab.json"), "{}");
        AssertFault(Gpt2Error.FileNotFound, _folder.Path, $"has no whole weights: '{Path.Combine(name.Split('/'))}' is a download that is under way, or was broken off", "fetch the file again");
    }

    [Theory]
    [InlineData("model.ckpt.data-00000-of-00001")]
    [InlineData("model.ckpt.index")]
    [InlineData("hparams.json")]
    public void A_file_that_aria2_has_not_ended_is_refused_though_it_has_its_full_length(string name)
    {
        RandomModel.Write(_folder.Path, Shapes.Small);
        File.WriteAllBytes(_folder.File(name + ".aria2"), [0, 1]);
        AssertFault(Gpt2Error.Truncated, _folder.Path, $"'{_folder.File(name)}' is not whole: ", "or fetch the file again");
    }

    [Theory]
    [InlineData("model.ckpt.data-00000-of-00001")]
    [InlineData("hparams.json")]
    public void An_empty_file_that_keeps_the_name_for_a_download_tells_of_that(string name)
    {
        RandomModel.Write(_folder.Path, Shapes.Small);
        File.Move(_folder.File(name), _folder.File(name + ".part"));
        File.WriteAllBytes(_folder.File(name), []);
        AssertFault(Gpt2Error.Truncated, _folder.Path, $"'{_folder.File(name)}' is empty ('{name}.part' beside it is a download that has not ended)", "or fetch the file again");
    }

    [Theory]
    [InlineData("")]
    [InlineData("models/")]
    public void Models_of_Ollama_are_named_with_the_files_of_their_weights(string root)
    {
        Directory.CreateDirectory(_folder.File(root + "blobs"));
        AddToOllama(root, "library/gpt2/latest", "sha256:01", "blobs/sha256-01");
        AddToOllama(root, "somebody/tales/q8", "sha256:02", "blobs/sha256-02");
        AddToOllama(root, "library/gone/latest", "sha256:03", null);
        File.WriteAllText(_folder.File(root + "manifests/registry.ollama.ai/library/gpt2/other"), "{}");
        AssertFault(
            Gpt2Error.FileNotFound,
            _folder.Path,
            $"is Ollama's folder of models; give the file of one of them, gpt2:latest, '{_folder.File(root + "blobs/sha256-01")}', somebody/tales:q8, '{_folder.File(root + "blobs/sha256-02")}'.");
    }

    [Fact]
    public void Weights_of_a_kind_that_is_not_known_are_named_beside_a_vocabulary()
    {
        File.WriteAllText(_folder.File("vocab.json"), "{}");
        File.WriteAllBytes(_folder.File("small.bin"), [1, 2, 3]);
        AssertFault(Gpt2Error.NoWeights, _folder.Path, "and no weights; ");
        File.WriteAllBytes(_folder.File("model.bin"), new byte[1 << 20]);
        AssertFault(Gpt2Error.NoWeights, _folder.Path, "and no weights ('model.bin' beside it holds none that are read); ");
    }

    [Theory]
    [InlineData("config.json.txt", " (rename 'config.json.txt', if that is it); ")]
    [InlineData("hparams (1).json", " (rename 'hparams (1).json', if that is it); ")]
    [InlineData("generation_config.json", "beside it; ")]
    public void A_shape_under_another_name_is_named_where_heads_are_assumed(string name, string expected)
    {
        Write("model");
        File.Delete(_folder.File("model/config.json"));
        File.WriteAllText(_folder.File("model/" + name), "{}");
        using var model = Gpt2Model.Open(_folder.File("model"));
        Assert.Contains(expected, model.Assumption, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("GPT2.SAFETENSORS")]
    [InlineData("Model.SafeTensors")]
    public void The_only_weights_of_a_folder_are_found_in_whatever_case_they_are_named(string name)
    {
        Write("model");
        File.Move(_folder.File("model/model.safetensors"), _folder.File("model/" + name));
        using var model = Gpt2Model.Open(_folder.File("model"));
        Assert.Equal(name, Path.GetFileName(model.Prefix), StringComparer.OrdinalIgnoreCase);
    }

    [Fact]
    public void A_missing_file_tells_of_its_download()
    {
        RandomModel.Write(_folder.Path, Shapes.Small);
        string data = _folder.File("model.ckpt.data-00000-of-00001");
        File.Move(data, data + ".crdownload");
        AssertFault(Gpt2Error.FileNotFound, _folder.Path, "is missing ('model.ckpt.data-00000-of-00001.crdownload' beside it is a download that has not ended)");
        AssertFault(Gpt2Error.FileNotFound, _folder.File("a.gguf"), "does not exist.");
    }

    [Fact]
    public void Weights_under_a_name_that_no_format_has_are_named()
    {
        File.WriteAllBytes(_folder.File("sha256-0123"), "GGUF\x03\0\0\0"u8.ToArray());
        File.WriteAllText(_folder.File("sha256-4567"), "MIT License");
        AssertFault(Gpt2Error.FileNotFound, _folder.Path, $"has no file that is named as weights; give '{_folder.File("sha256-0123")}'");
    }

    [Theory]
    [InlineData("models/124M", "")]
    [InlineData("models--gpt2/snapshots/abc", "")]
    [InlineData("hub/models--gpt2/snapshots/abc", "hub")]
    public void Models_two_folders_below_are_named(string model, string given)
    {
        Write(model);
        AssertFault(Gpt2Error.FileNotFound, _folder.File(given), $"has no weights of its own; give '{_folder.File(model)}'");
    }

    [Theory]
    [InlineData("modles/124M", "the folder '{0}/modles' does not exist; '{0}/models' is there.")]
    [InlineData("models/124m", "the file '{0}/models/124m.index' is missing; '{0}/models/124M' is there.")]
    [InlineData("models/124M/ckpt", "the file '{0}/models/124M/ckpt.index' is missing; '{0}/models/124M/ckpt.pt' is there.")]
    [InlineData("models/fairytales", "the file '{0}/models/fairytales.index' is missing.")]
    public void A_mistyped_path_is_told_with_what_is_called_nearly_so(string path, string end)
    {
        if (OperatingSystem.IsWindows() || OperatingSystem.IsMacOS()) Assert.SkipWhen(path == "models/124m", "names differ by more than case here");
        Directory.CreateDirectory(_folder.File("models/124M"));
        File.WriteAllBytes(_folder.File("models/124M/ckpt.pt"), []);
        string expected = end.Replace("{0}", _folder.Path, StringComparison.Ordinal).Replace('/', Path.DirectorySeparatorChar);
        Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() => Gpt2Model.Open(_folder.File(path)).Dispose());
        Assert.Equal((Gpt2Error.FileNotFound, $"There is no checkpoint '{Path.GetFullPath(_folder.File(path))}', nor a folder or file of that name: {expected}"), (fault.Error, fault.Message));
    }

    [Fact]
    public void An_unpacked_archive_of_PyTorch_is_called_one()
    {
        using (var archive = new ZipArchive(new MemoryStream(TorchBytes.Archive(TorchBytes.StateDictionary(), ("0", [1, 2, 3, 4])))))
            archive.ExtractToDirectory(_folder.Path);
        AssertFault(Gpt2Error.FileNotFound, _folder.File("archive"), "is an unpacked archive of PyTorch's", "zip -0 -r model.pt");
    }

    private void AddToOllama(string root, string model, string digest, string? blob)
    {
        string manifest = _folder.File($"{root}manifests/registry.ollama.ai/{model}");
        Directory.CreateDirectory(Path.GetDirectoryName(manifest)!);
        File.WriteAllText(
            manifest,
            """{"schemaVersion":2,"layers":[{"mediaType":"application/vnd.ollama.image.license","digest":"sha256:ff"},{"mediaType":"application/vnd.ollama.image.model","digest":"DIGEST"}]}"""
                .Replace("DIGEST", digest, StringComparison.Ordinal));
        if (blob is not null) File.WriteAllBytes(_folder.File(root + blob), "GGUF\x03\0\0\0"u8.ToArray());
    }

    private void Write(string name)
    {
        RandomModel.Write(_folder.File("random"), Shapes.Small);
        using (var model = Gpt2Model.Open(_folder.File("random"))) ModelExport.Plan(model, _folder.File(name), "Safetensors").Run();
        Directory.Delete(_folder.File("random"), recursive: true);
    }

    private static void AssertFault(Gpt2Error error, string path, params string[] parts)
    {
        Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() => Gpt2Model.Open(path).Dispose());
        foreach (string part in parts) Assert.Contains(part, fault.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("again", parts.Any(part => part.Contains("again", StringComparison.Ordinal)) || error is Gpt2Error.NotAFormat ? "" : fault.Message, StringComparison.Ordinal);
        Assert.Equal(error, fault.Error);
    }

    private static byte[] LlmC(params int[] header) => Ints([.. header, .. new int[256 - header.Length]]);

    private static byte[] Ints(params int[] numbers)
    {
        byte[] bytes = new byte[numbers.Length * sizeof(int)];
        for (int i = 0; i < numbers.Length; i++) BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(i * sizeof(int)), numbers[i]);
        return bytes;
    }

    private static byte[] Tar()
    {
        using var stream = new MemoryStream();
        using (var tar = new TarWriter(stream, leaveOpen: true))
            tar.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, "gpt2/hparams.json") { DataStream = new MemoryStream(Encoding.UTF8.GetBytes("{}")) });
        return stream.ToArray();
    }

    private static byte[] Gzip(byte[] bytes)
    {
        using var stream = new MemoryStream();
        using (var gzip = new GZipStream(stream, CompressionLevel.Fastest)) gzip.Write(bytes);
        return stream.ToArray();
    }
}
