using PicoGpt.Architecture;
using PicoGpt.Files;

namespace PicoGpt.Checkpoints.Gguf;

/// <summary>
/// The format of llama.cpp and what is built on it, with its names: <c>blk.0.attn_qkv.weight</c>. Shape and vocabulary are in the file. It is
/// written as llama.cpp's conversion does it of a GPT-2 (convert_hf_to_gguf.py): vectors and the position embedding are float32 always, and
/// 8 bits are blocks of Q8_0.
/// </summary>
internal sealed class GgufFormat : WritableFormat
{
    private const uint QuantizationVersion = 2; // GGML_QNT_VERSION

    public override string Name => "Gguf";

    public override string FolderMark => $"a single '{Extension}'";

    public override string FileMark => $"a '{Extension}' file";

    public override string WeightsName => "model.gguf";

    public override string Extension => ".gguf";

    public override WeightNaming Naming => WeightNaming.Gguf;

    public override IReadOnlyList<Gpt2Precision> Precisions => [.. base.Precisions, Gpt2Precision.Int8];

    public override string? FindIn(string folder) => OnlyOne(folder, "*" + Extension);

    public override bool HasName(string path) => HasEnd(path, Extension);

    public override bool HasContent(string path, ReadOnlySpan<byte> start) => start.StartsWith(GgufFile.Magic);

    public override ITensorSource Open(string path, CancellationToken cancellationToken = default) => GgufSource.Open(path, cancellationToken);

    // llama.cpp does not run float64.
    public override TensorDType TypeOf(TensorDType dtype) => dtype == TensorDType.Float64 ? TensorDType.Float32 : dtype;

    public override TensorShape ShapeOf(string weight, TensorShape shape) => Naming.IsTransposed(weight) ? new TensorShape(shape[1], shape[0]) : shape;

    public override TensorDescription Describe(string weight, TensorDType dtype, TensorShape shape, Gpt2Precision? precision)
    {
        TensorDescription plain = base.Describe(weight, dtype, shape, precision);
        if (shape.Rank < 2 || weight == "wpe") return plain with { DType = TensorDType.Float32 };
        if (precision != Gpt2Precision.Int8) return plain;
        if (plain.Shape[1] % GgmlBlocks.Length != 0) return plain with { DType = TensorDType.Float16 }; // as llama.cpp does it
        return plain with
        {
            DType = TensorDType.Float32,
            Quantization = nameof(GgmlType.Q8_0),
            Size = GgmlFormat.Of(GgmlType.Q8_0)!.SizeOf(plain.Shape),
        };
    }

    // All is in the one file; what it has no place for is said before anything is written.
    public override IEnumerable<(string Name, byte[] Content)> Companions(ModelFacts model)
    {
        GgufHyperParameters.RequireWritable(model.HyperParameters);
        GgufVocabulary.RequireWritable(model);
        return [];
    }

    public override ITensorWriter Create(string weightsPath, IReadOnlyList<TensorDescription> tensors, ModelFacts? model, WriteMeter meter)
    {
        var header = new GgufHeader();
        GgufHyperParameters.WriteArchitecture(header);
        if (model is not null) header.Add("general.name", model.Name);
        header.Add(GgufFile.AlignmentKey, GgufFile.DefaultAlignment);
        header.Add("general.file_type", FileTypeOf(tensors));
        header.Add("general.quantization_version", QuantizationVersion);
        if (model is not null)
        {
            GgufHyperParameters.Write(header, model.HyperParameters);
            GgufVocabulary.Write(header, model);
        }

        return new GgufWriter(weightsPath, header, tensors, meter);
    }

    // llama.cpp's llama_ftype: what most of the matrices are
    private uint FileTypeOf(IReadOnlyList<TensorDescription> tensors)
    {
        TensorDescription embedding = tensors.FirstOrDefault(tensor => tensor.Name == Naming.Of("wte"));
        return embedding.Quantization is not null ? 7u : embedding.DType switch { TensorDType.Float16 => 1, TensorDType.BFloat16 => 32, _ => 0 };
    }
}
