namespace PicoGpt.Numerics;

/// <summary>The loops over blocks of one format.</summary>
internal sealed unsafe class PackedFormatOf<TFormat> : PackedFormat
    where TFormat : struct, IPackedFormat
{
    public override int BlockRows => TFormat.Rows;

    public override int BlockSize => TFormat.BlockSize;

    public override void Pack(float* block, byte* packed) => TFormat.Pack(block, packed);

    public override void CopyColumn(byte* panel, int column, Span<float> values)
    {
        for (int i = 0; i < values.Length; i++)
            values[i] = TFormat.Element(panel + ((nint)(i / TFormat.Rows) * TFormat.BlockSize), i % TFormat.Rows, column);
    }

    public override void MatMul<TWidth, TVector>(Matrix x, PackedMatrix w, float* b, Matrix y, int from, int to) =>
        PackedProducts<TFormat, TWidth, TVector>.MatMul(x, w, b, y, from, to);
}
