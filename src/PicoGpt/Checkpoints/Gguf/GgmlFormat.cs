namespace PicoGpt.Checkpoints.Gguf;

/// <summary>How a type of ggml's lies in a file: every block has so many bytes for so many elements of a row.</summary>
/// <param name="Type">The type.</param>
/// <param name="BlockLength">The elements of a block; 1 where each is a number of its own.</param>
/// <param name="BlockSize">The bytes of a block.</param>
/// <param name="DType">The type of the numbers; float32 where they are in blocks, which are read as that.</param>
/// <param name="Decode">Reads one block; <see langword="null"/> where each element is a number of its own.</param>
internal sealed record GgmlFormat(GgmlType Type, int BlockLength, int BlockSize, TensorDType DType, BlockDecoder? Decode = null)
{
    private static readonly Dictionary<GgmlType, GgmlFormat> Known = new GgmlFormat[]
    {
        new(GgmlType.F32, 1, 4, TensorDType.Float32),
        new(GgmlType.F16, 1, 2, TensorDType.Float16),
        new(GgmlType.BF16, 1, 2, TensorDType.BFloat16),
        new(GgmlType.F64, 1, 8, TensorDType.Float64),
        new(GgmlType.I8, 1, 1, TensorDType.Int8),
        new(GgmlType.I16, 1, 2, TensorDType.Int16),
        new(GgmlType.I32, 1, 4, TensorDType.Int32),
        new(GgmlType.I64, 1, 8, TensorDType.Int64),
        Blocks(GgmlType.Q4_0, GgmlBlocks.Length, 18, GgmlBlocks.DecodeQ4_0),
        Blocks(GgmlType.Q4_1, GgmlBlocks.Length, 20, GgmlBlocks.DecodeQ4_1),
        Blocks(GgmlType.Q5_0, GgmlBlocks.Length, 22, GgmlBlocks.DecodeQ5_0),
        Blocks(GgmlType.Q5_1, GgmlBlocks.Length, 24, GgmlBlocks.DecodeQ5_1),
        Blocks(GgmlType.Q8_0, GgmlBlocks.Length, GgmlBlocks.SizeOfQ8_0, GgmlBlocks.DecodeQ8_0),
        Blocks(GgmlType.IQ4_NL, GgmlBlocks.Length, 18, GgmlBlocks.DecodeIQ4_NL),
        Blocks(GgmlType.Q2_K, GgmlSuperBlocks.Length, 84, GgmlSuperBlocks.DecodeQ2_K),
        Blocks(GgmlType.Q3_K, GgmlSuperBlocks.Length, 110, GgmlSuperBlocks.DecodeQ3_K),
        Blocks(GgmlType.Q4_K, GgmlSuperBlocks.Length, 144, GgmlSuperBlocks.DecodeQ4_K),
        Blocks(GgmlType.Q5_K, GgmlSuperBlocks.Length, 176, GgmlSuperBlocks.DecodeQ5_K),
        Blocks(GgmlType.Q6_K, GgmlSuperBlocks.Length, 210, GgmlSuperBlocks.DecodeQ6_K),
        Blocks(GgmlType.Q8_K, GgmlSuperBlocks.Length, 292, GgmlSuperBlocks.DecodeQ8_K),
        Blocks(GgmlType.IQ4_XS, GgmlSuperBlocks.Length, 136, GgmlSuperBlocks.DecodeIQ4_XS),
    }.ToDictionary(format => format.Type);

    /// <summary>The format of a type; <see langword="null"/> where it is not read.</summary>
    public static GgmlFormat? Of(GgmlType type) => Known.GetValueOrDefault(type);

    /// <summary>The bytes of a tensor, whose rows are multiples of a block.</summary>
    public long SizeOf(TensorShape shape) => checked(shape.ElementCount / BlockLength * BlockSize);

    private static GgmlFormat Blocks(GgmlType type, int length, int size, BlockDecoder decode) => new(type, length, size, TensorDType.Float32, decode);
}
