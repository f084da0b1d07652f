namespace PicoGpt.Numerics;

/// <summary>
/// A matrix [rows, columns] in any precision, laid out as it is walked: panels of 32 columns one after the other, each from the
/// first row to the last in blocks of some rows by 32 columns. Rows and columns that fill up the last block are zero. Somebody else
/// keeps the memory alive.
/// </summary>
internal readonly unsafe struct PackedMatrix
{
    /// <summary>Columns of a panel.</summary>
    public const int Side = 32;

    public PackedMatrix(byte* data, PackedFormat format, int rows, int columns)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(rows);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(columns);
        Data = data;
        Format = format;
        Rows = rows;
        Columns = columns;
        PanelSize = SizeOfPanel(Format, rows);
    }

    public byte* Data { get; }

    public PackedFormat Format { get; }

    public int Rows { get; }

    public int Columns { get; }

    /// <summary>Panels, the last of which may have columns that are not the matrix's.</summary>
    public int Panels => Quotient(Columns, Side);

    /// <summary>Bytes of a panel.</summary>
    public nint PanelSize { get; }

    /// <summary>Bytes that a matrix takes.</summary>
    public static long SizeOf(PackedFormat format, int rows, int columns) => Quotient(columns, Side) * (long)SizeOfPanel(format, rows);

    /// <summary>The first block of a panel. The caller keeps <paramref name="panel"/> below <see cref="Panels"/>.</summary>
    public byte* PanelPointer(int panel) => Data + (panel * PanelSize);

    /// <summary>Writes one column as float32: [rows].</summary>
    public void CopyColumn(int column, Span<float> values)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)column, (uint)Columns, nameof(column));
        ArgumentOutOfRangeException.ThrowIfNotEqual(values.Length, Rows, nameof(values));
        Format.CopyColumn(PanelPointer(column / Side), column % Side, values);
    }

    /// <summary>Packs a panel of a float32 matrix, or of its transpose.</summary>
    public void PackPanel(int panel, float* source, nint rowStride, nint columnStride)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)panel, (uint)Panels, nameof(panel));
        int blockRows = Format.BlockRows, first = panel * Side, columns = Math.Min(Side, Columns - first);
        float* block = stackalloc float[blockRows * Side];
        byte* packed = PanelPointer(panel);
        for (int row = 0; row < Rows; row += blockRows, packed += Format.BlockSize)
        {
            int rows = Math.Min(blockRows, Rows - row);
            new Span<float>(block, blockRows * Side).Clear();
            for (int i = 0; i < rows; i++)
            {
                float* values = source + ((row + i) * rowStride) + (first * columnStride);
                for (int j = 0; j < columns; j++) block[(i * Side) + j] = values[j * columnStride];
            }

            Format.Pack(block, packed);
        }
    }

    private static nint SizeOfPanel(PackedFormat format, int rows) => (nint)Quotient(rows, format.BlockRows) * format.BlockSize;

    private static int Quotient(int count, int size) => (count + size - 1) / size; // rounded up
}
