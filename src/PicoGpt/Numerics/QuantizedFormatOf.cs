namespace PicoGpt.Numerics;

/// <summary>The loops over blocks of one format of integers.</summary>
internal sealed unsafe class QuantizedFormatOf<TFormat> : QuantizedFormat
    where TFormat : struct, IQuantizedFormat
{
    public override int BlockRows => TFormat.Rows;

    public override int BlockSize => TFormat.BlockSize;

    public override void Pack(float* block, byte* packed) => TFormat.Pack(block, packed);

    public override void CopyColumn(byte* panel, int column, Span<float> values) => PackedColumn.Copy<TFormat>(panel, column, values);

    public override int Largest => TFormat.Largest;

    public override int IntegerSize => TFormat.IntegerSize;

    public override int Level(byte* block, int row, int column) => TFormat.Level(block, row, column);

    public override void MatMul<TWidth, TVector>(QuantizedMatrix x, PackedMatrix w, float* b, Matrix y, int from, int to) =>
        QuantizedProducts<TFormat, TWidth, TVector>.MatMul(x, w, b, y, from, to);
}
