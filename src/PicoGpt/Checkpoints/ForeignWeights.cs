using System.Buffers.Binary;
using PicoGpt.Files;

namespace PicoGpt.Checkpoints;

/// <summary>
/// Recognizes what people have in place of weights that can be read: files of other formats, archives, a server's answer. The error says
/// what each is and what to do next.
/// </summary>
internal static class ForeignWeights
{
    /// <summary>How many bytes of a file are looked at.</summary>
    public const int InspectedLength = 512;

    // A few letters alone can begin anything.
    private const int ShortestText = 9;

    private const string SaveInTransformers =
        "open it in Python with transformers, save the model with save_pretrained, and give that folder";

    private const string ConvertOriginal =
        "convert the model that it was made of with llama.cpp's convert_hf_to_gguf.py, or give that model itself";

    private const string OnnxModel = "an ONNX model";

    private const string CoreMlModel = "a model of Core ML";

    private const string ExportedFrom = "give the model that it was exported from: a folder with model.safetensors or pytorch_model.bin";

    private const string Unpack = "unpack it and give the folder";

    // Sources: ggml.h before August 2023; llm.c's train_gpt2.py, dev/data/data_common.py and train_gpt2.cu; onnx.proto; the HDF5 file format
    // specification; the MessagePack specification; saved_model.proto; FAISS's index_write.cpp; CTranslate2's model_spec.py; RFC 1952 and the other archives' own.
    private static readonly ForeignKind[] Kinds =
    [
        new(
            "a file of ggml from before GGUF",
            ConvertOriginal,
            start => BeginsWith(start, "lmgg") || BeginsWith(start, "fmgg") || BeginsWith(start, "tjgg")),
        new(
            "a LoRA adapter of ggml from before GGUF",
            "merge it into its model, and convert that with llama.cpp's convert_hf_to_gguf.py",
            start => BeginsWith(start, "algg")),
        new(
            "a file of llm.c's with weights",
            "convert it with llm.c's dev/eval/export_hf.py, and give the folder that it writes",
            start => IsOfLlmC(start, 20240326)),
        new(
            "a file of llm.c's for debugging",
            "give llm.c's file of weights, converted with its dev/eval/export_hf.py",
            start => IsOfLlmC(start, 20240327)),
        new(
            "llm.c's file of the tokenizer",
            "give the folder with encoder.json and vocab.bpe, or vocab.json and merges.txt",
            start => IsOfLlmC(start, 20240328)),
        new(
            "a file of tokens for training with llm.c",
            "give the model's weights; it has none",
            start => IsOfLlmC(start, 20240520) || IsOfLlmC(start, 20240522)),
        new(
            "the state of a training run of llm.c",
            "give the weights beside it, converted with llm.c's dev/eval/export_hf.py",
            start => IsOfLlmC(start, 20240527)),
        new("a model of CTranslate2", "give the model that it was converted from", IsOfCTranslate2),
        new(
            "a SavedModel of TensorFlow",
            "its weights are in the folder 'variables' beside it; give that, or save the model with transformers' save_pretrained",
            IsSavedModel),
        new(OnnxModel, ExportedFrom, IsOnnx),
        new(
            "a model of TensorFlow Lite",
            "give the model that it was converted from",
            start => start.Length >= 8 && BeginsWith(start.AsSpan(4), "TFL")),
        new(
            "an HDF5 file, as Keras writes it",
            SaveInTransformers,
            start => start is [0x89, ..] && BeginsWith(start.AsSpan(1), "HDF\r\n\x1a\n")),
        new("a model of Keras 3", SaveInTransformers, start => Zip.FirstName(start) is "metadata.json" or "config.json" or "model.weights.h5"),
        new("Flax weights in MessagePack", SaveInTransformers, IsFlax),
        new(
            "a single array of NumPy",
            "save all arrays in one file with numpy.savez, by picoGPT's names",
            start => start is [0x93, ..] && BeginsWith(start.AsSpan(1), "NUMPY")),
        new(
            "an index of FAISS",
            "give a model's weights",
            start => start is [(byte)'I', (byte)'x' or (byte)'w' or (byte)'H', >= (byte)'0' and <= (byte)'z', >= (byte)'0' and <= (byte)'z', ..]),
        new(
            "what macOS keeps of a file's attributes",
            "give the file of the same name without '._'",
            start => start is [0, 5, 0x16, 7, ..]),
        new("a ZIP archive", Unpack, IsOtherZip),
        new("an archive compressed with gzip", Unpack, start => start is [0x1F, 0x8B, ..]),
        new("a tar archive", Unpack, start => start.Length > 262 && BeginsWith(start.AsSpan(257), "ustar")),
        new("a 7-Zip archive", Unpack, start => start is [(byte)'7', (byte)'z', 0xBC, 0xAF, 0x27, 0x1C, ..]),
        new("a RAR archive", Unpack, start => BeginsWith(start, "Rar!")),
        new("an archive compressed with xz", Unpack, start => start is [0xFD, (byte)'7', (byte)'z', (byte)'X', (byte)'Z', 0, ..]),
        new("an archive compressed with Zstandard", Unpack, start => start is [0x28, 0xB5, 0x2F, 0xFD, ..]),
        new("an archive compressed with bzip2", Unpack, start => BeginsWith(start, "BZh")),
        new("a pickle of Python's that torch.save did not write", "give a file of weights; nothing in it was run", IsOtherPickle),
    ];

    // Those whose beginning says nothing, by the ends of their names.
    private static readonly (string End, string What)[] Named =
    [
        (".onnx", OnnxModel),
        (".ot", "a file of weights of Rust's tch"),
        ("openvino_model.xml", "a model of OpenVINO"),
        ("openvino_model.bin", "a file of weights of OpenVINO"),
        (".mlmodel", CoreMlModel),
        (".mlpackage", CoreMlModel),
        (".engine", "an engine of TensorRT"),
        (".pte", "a program of ExecuTorch"),
    ];

    /// <summary>Whether a file or folder is called as what is not read.</summary>
    public static bool IsNamed(string path) => NamedKind(path) is not null;

    /// <summary>The kind of a file by its beginning, or else its name, which may be a folder's; <see langword="null"/> for one that is not known.</summary>
    /// <param name="path">The file.</param>
    /// <param name="start">Its first bytes, <see cref="InspectedLength"/> of a file that has them.</param>
    public static ForeignKind? KindOf(string path, byte[] start) =>
        KindOf(start) ?? NamedKind(path);

    /// <summary>The kind of a file; <see langword="null"/> for one that is not known.</summary>
    /// <param name="start">The file's first bytes, <see cref="InspectedLength"/> of a file that has them.</param>
    public static ForeignKind? KindOf(byte[] start) => Array.Find(Kinds, kind => kind.Matches(start));

    /// <summary>The error for a file of a known kind; <see langword="null"/> for any other.</summary>
    /// <param name="path">The file.</param>
    /// <param name="start">Its first bytes, <see cref="InspectedLength"/> of a file that has them.</param>
    public static Gpt2Exception? FaultOf(string path, byte[] start) => KindOf(path, start) is { } kind
        ? new Gpt2Exception(Gpt2Error.Unsupported, $"'{path}' is {kind.What}; {kind.Advice}.", path)
        : null;

    /// <summary>Throws if the first bytes of what should be weights show that they are something else.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="Gpt2Exception">They do; or the file cannot be opened.</exception>
    public static void ThrowIfForeign(string path)
    {
        byte[] start = ReadableFile.ReadStart(path, InspectedLength);
        ThrowIfKnown(path, start);
        if (start.Length >= ShortestText && ForeignFile.FirstWords(start) is { } words)
        {
            throw new Gpt2Exception(
                Gpt2Error.NotAFormat, $"'{path}' is a text that begins '{words}', and not weights; give the model's folder, or the file of its weights.", path);
        }
    }

    /// <summary>Throws if a file is of a known kind; a text of any kind passes.</summary>
    /// <inheritdoc cref="ThrowIfForeign"/>
    public static void ThrowIfKnown(string path) => ThrowIfKnown(path, ReadableFile.ReadStart(path, InspectedLength));

    private static void ThrowIfKnown(string path, byte[] start)
    {
        ForeignFile.ThrowIfForeign(path, start);
        if (FaultOf(path, start) is { } fault) throw fault;
    }

    private static ForeignKind? NamedKind(string path) =>
        Array.Find(Named, named => path.EndsWith(named.End, StringComparison.OrdinalIgnoreCase)).What is { } what ? new ForeignKind(what, ExportedFrom, _ => true) : null;

    private static bool BeginsWith(ReadOnlySpan<byte> start, string letters)
    {
        if (start.Length < letters.Length) return false;
        for (int i = 0; i < letters.Length; i++)
        {
            if (start[i] != letters[i]) return false;
        }

        return true;
    }

    private static bool IsOfLlmC(byte[] start, int magic) => start.Length >= sizeof(int) && BinaryPrimitives.ReadInt32LittleEndian(start) == magic;

    // A version, and the name of a specification with its length: GPT2Spec.
    private static bool IsOfCTranslate2(byte[] start) =>
        start is [> 0 and < 32, 0, 0, 0, > 5 and < 64 and var length, 0, ..] && start.Length >= 6 + length && start.AsSpan(6, length).EndsWith("Spec\0"u8);

    // ModelProto: ir_version (field 1, from 3 on), then the name of the producer (field 2), a text.
    private static bool IsOnnx(byte[] start) =>
        start is [0x08, >= 3 and <= 32, 0x12, > 0 and < 128 and var length, ..] && start.Length > 4 + length && IsPrintable(start.AsSpan(4, length));

    // SavedModel: saved_model_schema_version (field 1), always 1, then a graph (field 2).
    private static bool IsSavedModel(byte[] start) => start is [0x08, 0x01, 0x12, >= 0x80, ..];

    // A map whose first key is a text, and its value another map: the tree of the parameters.
    private static bool IsFlax(byte[] start)
    {
        int at = start switch { [>= 0x81 and <= 0x8F, ..] => 1, [0xDE, _, _, ..] => 3, _ => -1 };
        if (at < 0 || start.Length <= at + 1 || start[at] is not (> 0xA0 and <= 0xBF)) return false;
        int length = start[at] - 0xA0;
        return start.Length > at + 1 + length && IsPrintable(start.AsSpan(at + 1, length)) && start[at + 1 + length] is (>= 0x81 and <= 0x8F) or 0xDE;
    }

    // What is wrong with NumPy's and PyTorch's own archives is left to their readers to say.
    private static bool IsOtherZip(byte[] start) => Zip.FirstName(start) is { } name
        && !name.EndsWith(".npy", StringComparison.Ordinal) && !name.EndsWith("data.pkl", StringComparison.Ordinal);

    private static bool IsOtherPickle(byte[] start) => start is [0x80, >= 2 and <= 5, _, ..] and not [0x80, 2, 0x8A, ..];

    private static bool IsPrintable(ReadOnlySpan<byte> text) => text.IndexOfAnyExceptInRange((byte)' ', (byte)'~') < 0;
}
