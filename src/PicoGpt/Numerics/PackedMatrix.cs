namespace PicoGpt.Numerics;

/// <summary>
/// A matrix [rows, columns] in less than float32, laid out as it is walked: panels of 32 columns one after the other, each from the
/// first row to the last in blocks of some rows by 32 columns. Rows and columns that fill up the last block are zero. Somebody else
/// keeps the memory alive.
/// </summary>
internal readonly unsafe struct PackedMatrix
{
    /// <summary>Columns of a panel.</summary>
    public const int Side = 32;

    public PackedMatrix(byte* data, Gpt2Precision precision, int rows, int columns)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(rows);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(columns);
        Data = data;
        Precision = precision;
        Rows = rows;
        Columns = columns;
        (BlockRows, BlockSize) = BlockOf(precision);
    }

    public byte* Data { get; }

    public Gpt2Precision Precision { get; }

    public int Rows { get; }

    public int Columns { get; }

    /// <summary>Rows of a block.</summary>
    public int BlockRows { get; }

    /// <summary>Bytes of a block.</summary>
    public int BlockSize { get; }

    /// <summary>Panels, the last of which may have columns that are not the matrix's.</summary>
    public int Panels => Quotient(Columns, Side);

    /// <summary>Bytes of a panel.</summary>
    public nint PanelSize => (nint)Quotient(Rows, BlockRows) * BlockSize;

    /// <summary>Bytes that a matrix takes.</summary>
    public static long SizeOf(Gpt2Precision precision, int rows, int columns)
    {
        (int blockRows, int blockSize) = BlockOf(precision);
        return (long)Quotient(columns, Side) * Quotient(rows, blockRows) * blockSize;
    }

    /// <summary>The first block of a panel. The caller keeps <paramref name="panel"/> below <see cref="Panels"/>.</summary>
    public byte* PanelPointer(int panel) => Data + (panel * PanelSize);

    /// <summary>Writes one column as float32: [rows].</summary>
    public void CopyColumn(int column, Span<float> values)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)column, (uint)Columns, nameof(column));
        ArgumentOutOfRangeException.ThrowIfNotEqual(values.Length, Rows, nameof(values));
        switch (Precision)
        {
            case Gpt2Precision.Float16: CopyColumn<Float16Format>(column, values); break;
            case Gpt2Precision.BFloat16: CopyColumn<BFloat16Format>(column, values); break;
            case Gpt2Precision.Int8: CopyColumn<Int8Format>(column, values); break;
            default: CopyColumn<Int4Format>(column, values); break;
        }
    }

    /// <summary>Packs a panel of a float32 matrix, or of its transpose.</summary>
    public void PackPanel(int panel, float* source, nint rowStride, nint columnStride)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)panel, (uint)Panels, nameof(panel));
        switch (Precision)
        {
            case Gpt2Precision.Float16: PackPanel<Float16Format>(panel, source, rowStride, columnStride); break;
            case Gpt2Precision.BFloat16: PackPanel<BFloat16Format>(panel, source, rowStride, columnStride); break;
            case Gpt2Precision.Int8: PackPanel<Int8Format>(panel, source, rowStride, columnStride); break;
            default: PackPanel<Int4Format>(panel, source, rowStride, columnStride); break;
        }
    }

    private static int Quotient(int count, int size) => (count + size - 1) / size; // rounded up

    private static (int Rows, int Size) BlockOf(Gpt2Precision precision) => precision switch
    {
        Gpt2Precision.Float16 => (Float16Format.Rows, Float16Format.BlockSize),
        Gpt2Precision.BFloat16 => (BFloat16Format.Rows, BFloat16Format.BlockSize),
        Gpt2Precision.Int8 => (Int8Format.Rows, Int8Format.BlockSize),
        Gpt2Precision.Int4 => (Int4Format.Rows, Int4Format.BlockSize),
        _ => throw new ArgumentOutOfRangeException(nameof(precision), precision, "not a packed precision"),
    };

    private void CopyColumn<TFormat>(int column, Span<float> values)
        where TFormat : struct, IPackedFormat
    {
        byte* panel = PanelPointer(column / Side);
        for (int i = 0; i < values.Length; i++) values[i] = TFormat.Element(panel + ((nint)(i / BlockRows) * BlockSize), i % BlockRows, column % Side);
    }

    private void PackPanel<TFormat>(int panel, float* source, nint rowStride, nint columnStride)
        where TFormat : struct, IPackedFormat
    {
        float* block = stackalloc float[TFormat.Rows * Side];
        byte* packed = PanelPointer(panel);
        int first = panel * Side, columns = Math.Min(Side, Columns - first);
        for (int row = 0; row < Rows; row += BlockRows, packed += BlockSize)
        {
            int rows = Math.Min(BlockRows, Rows - row);
            new Span<float>(block, BlockRows * Side).Clear();
            for (int i = 0; i < rows; i++)
            {
                float* values = source + ((row + i) * rowStride) + (first * columnStride);
                for (int j = 0; j < columns; j++) block[(i * Side) + j] = values[j * columnStride];
            }

            TFormat.Pack(block, packed);
        }
    }
}
