namespace PicoGpt.Numerics;

/// <summary>The loops over blocks of one format of floating-point values.</summary>
internal unsafe class FloatFormatOf<TFormat> : FloatFormat
    where TFormat : struct, IFloatFormat
{
    public override int BlockRows => TFormat.Rows;

    public override int BlockSize => TFormat.BlockSize;

    public override void Pack(float* block, byte* packed) => TFormat.Pack(block, packed);

    public override void CopyColumn(byte* panel, int column, Span<float> values) => PackedColumn.Copy<TFormat>(panel, column, values);

    public override void MatMul<TWidth, TVector>(Matrix x, PackedMatrix w, float* b, Matrix y, int from, int to) =>
        PackedProducts<TFormat, TWidth, TVector>.MatMul(x, w, b, y, from, to);
}
