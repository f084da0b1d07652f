namespace PicoGpt.Numerics;

/// <summary>Columns of panels as float32.</summary>
internal static unsafe class PackedColumn
{
    /// <summary>Writes one column of a panel: [rows].</summary>
    public static void Copy<TFormat>(byte* panel, int column, Span<float> values)
        where TFormat : struct, IPackedFormat
    {
        for (int i = 0; i < values.Length; i++)
            values[i] = TFormat.Element(panel + ((nint)(i / TFormat.Rows) * TFormat.BlockSize), i % TFormat.Rows, column);
    }
}
