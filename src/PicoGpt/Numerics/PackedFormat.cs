namespace PicoGpt.Numerics;

/// <summary>How matrices are held in a precision where they are packed: the one place that tells which format a precision has.</summary>
internal abstract unsafe class PackedFormat
{
    private static readonly PackedFormat Float32 = new PackedFormatOf<Float32Format>();
    private static readonly PackedFormat Float16 = new PackedFormatOf<Float16Format>();
    private static readonly PackedFormat BFloat16 = new PackedFormatOf<BFloat16Format>();
    private static readonly PackedFormat Int8 = new PackedFormatOf<Int8Format>();
    private static readonly PackedFormat Int4 = new PackedFormatOf<Int4Format>();

    /// <summary>Rows of a block.</summary>
    public abstract int BlockRows { get; }

    /// <summary>Bytes of a block.</summary>
    public abstract int BlockSize { get; }

    /// <exception cref="ArgumentOutOfRangeException">It is not a precision.</exception>
    public static PackedFormat Of(Gpt2Precision precision) => precision switch
    {
        Gpt2Precision.Float32 => Float32,
        Gpt2Precision.Float16 => Float16,
        Gpt2Precision.BFloat16 => BFloat16,
        Gpt2Precision.Int8 => Int8,
        Gpt2Precision.Int4 => Int4,
        _ => throw new ArgumentOutOfRangeException(nameof(precision), precision, "It is not a precision."),
    };

    /// <summary>Packs a block of float32, [<see cref="BlockRows"/>, 32].</summary>
    public abstract void Pack(float* block, byte* packed);

    /// <summary>Writes one column of a panel as float32: [rows].</summary>
    public abstract void CopyColumn(byte* panel, int column, Span<float> values);

    /// <inheritdoc cref="Kernels.MatMulPacked"/>
    public abstract void MatMul<TWidth, TVector>(Matrix x, PackedMatrix w, float* b, Matrix y, int from, int to)
        where TWidth : struct, IWidth<TVector>
        where TVector : struct;
}
