using System.Buffers.Binary;
using PicoGpt.Architecture;
using PicoGpt.Files;
using PicoGpt.Tokens;

namespace PicoGpt.Checkpoints.Safetensors;

/// <summary>Hugging Face's format, with the names of its GPT-2: <c>transformer.h.0.attn.c_attn.weight</c>.</summary>
internal sealed class SafetensorsFormat : WritableFormat
{
    public const string FileName = "model.safetensors";

    private const string IndexExtension = ".safetensors.index.json";

    public override string Name => "Safetensors";

    public override string FolderMark => $"a {FileName}";

    public override string FileMark => $"a '{Extension}' file";

    public override string WeightsName => FileName;

    public override string Extension => ".safetensors";

    public override WeightNaming Naming => WeightNaming.HuggingFace;

    public override string? FindIn(string folder) =>
        FirstIn(folder, FileName, "model" + IndexExtension) ?? OnlyOne(folder, "*" + Extension);

    public override bool HasName(string path) => HasEnd(path, Extension, IndexExtension);

    // A header's length, and the brace with which it begins.
    public override bool HasContent(string path, ReadOnlySpan<byte> start) =>
        start.Length > SafetensorsFile.PrefixLength && start[SafetensorsFile.PrefixLength] == '{'
        && BinaryPrimitives.ReadUInt64LittleEndian(start) is >= 2 and <= SafetensorsFile.MaxHeaderLength;

    public override ITensorSource Open(string path, CancellationToken cancellationToken = default) => HasEnd(path, IndexExtension)
        ? MappedSource.OpenSharded(path, SafetensorsFile.ListTensors, cancellationToken)
        : MappedSource.Open(path, SafetensorsFile.ListTensors, cancellationToken);

    // The larger types first, which keeps every tensor aligned.
    public override int Compare(TensorDescription left, TensorDescription right) =>
        right.DType.ElementSize()!.Value.CompareTo(left.DType.ElementSize()!.Value);

    public override IEnumerable<(string Name, byte[] Content)> Companions(ModelFacts model) =>
        [ConfigOf(model), .. model.Encoder?.FilesFor(VocabularyLayout.HuggingFace) ?? []];

    public override ITensorWriter Create(string weightsPath, IReadOnlyList<TensorDescription> tensors, ModelFacts? model, WriteMeter meter) =>
        new SafetensorsWriter(weightsPath, tensors, meter);
}
