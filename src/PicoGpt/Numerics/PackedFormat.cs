namespace PicoGpt.Numerics;

/// <summary>How matrices are held in a precision where they are packed: the one place that tells which format a precision has.</summary>
internal abstract unsafe class PackedFormat
{
    private static readonly PackedFormat Float32 = new FloatFormatOf<Float32Format>();
    private static readonly PackedFormat Float16 = new Float16Products(avoidsSubnormals: ProcessorKind.IsIntel);
    private static readonly PackedFormat BFloat16 = new FloatFormatOf<BFloat16Format>();
    private static readonly PackedFormat Int8 = new QuantizedFormatOf<Int8Format>();
    private static readonly PackedFormat Int5 = new QuantizedFormatOf<LevelFormat<Int5Codes>>();
    private static readonly PackedFormat Int4 = new QuantizedFormatOf<LevelFormat<Int4Codes>>();

    /// <summary>Rows of a block.</summary>
    public abstract int BlockRows { get; }

    /// <summary>Bytes of a block.</summary>
    public abstract int BlockSize { get; }

    /// <summary>
    /// The format of a matrix. The precision of 4 bits has 5 for the projections: of their errors, which add up from layer to layer, most of
    /// a logit's error comes, while the embedding is the largest matrix of a small model and adds little.
    /// </summary>
    /// <param name="precision">The precision.</param>
    /// <param name="isEmbedding">Whether it is the tokens' embedding.</param>
    /// <exception cref="ArgumentOutOfRangeException">It is not a precision.</exception>
    public static PackedFormat Of(Gpt2Precision precision, bool isEmbedding = false) => precision switch
    {
        Gpt2Precision.Float32 => Float32,
        Gpt2Precision.Float16 => Float16,
        Gpt2Precision.BFloat16 => BFloat16,
        Gpt2Precision.Int8 => Int8,
        Gpt2Precision.Int4 => isEmbedding ? Int4 : Int5,
        _ => throw new ArgumentOutOfRangeException(nameof(precision), precision, "It is not a precision."),
    };

    /// <summary>Packs a block of float32, [<see cref="BlockRows"/>, 32].</summary>
    public abstract void Pack(float* block, byte* packed);

    /// <summary>Writes one column of a panel as float32: [rows].</summary>
    public abstract void CopyColumn(byte* panel, int column, Span<float> values);
}
