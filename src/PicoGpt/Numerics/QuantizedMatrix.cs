namespace PicoGpt.Numerics;

/// <summary>
/// A matrix whose values are integers with a scale for each group of some columns of a row, as many as the blocks of what it is multiplied by
/// have rows. Integers behind the last column are zero. Somebody else keeps the memory alive.
/// </summary>
/// <remarks>
/// The scale is the group's greatest magnitude divided by the greatest integer, which the format of what it is multiplied by tells; so a value
/// errs by at most half of that. Where weights are rounded to 8 bits integers have 16, whose error is less than a hundredth of what rounding
/// the weights costs; where weights have fewer bits, integers have 8, whose error is a sixth of that, or less than a fiftieth of it in the sum.
/// </remarks>
internal readonly unsafe struct QuantizedMatrix
{
    /// <summary>A group with no greater value than this is zero: its scale would have no inverse.</summary>
    public const float Least = 1e-30f;

    public QuantizedMatrix(float* memory, int rows, int columns, QuantizedFormat format)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(rows);
        ArgumentOutOfRangeException.ThrowIfNegative(columns);
        (Rows, Columns, Format) = (rows, columns, format);
        Groups = GroupsOf(columns, format);
        Stride = Groups * format.BlockRows * format.IntegerSize;
        Data = (byte*)memory;
        Scales = (float*)(Data + ((nint)rows * Stride));
        Sums = (int*)(Scales + ((nint)rows * Groups));
    }

    private QuantizedMatrix(QuantizedMatrix other, int row, int rows)
    {
        (Rows, Columns, Format) = (rows, other.Columns, other.Format);
        (Groups, Stride) = (other.Groups, other.Stride);
        Data = other.Data + ((nint)row * other.Stride);
        Scales = other.Scales + ((nint)row * other.Groups);
        Sums = other.Sums + ((nint)row * other.Groups);
    }

    /// <summary>The format of what it is multiplied by.</summary>
    public QuantizedFormat Format { get; }

    /// <summary>The integers, of 8 bits or of 16: [rows, groups · <see cref="GroupSize"/>].</summary>
    public byte* Data { get; }

    /// <summary>The scales: [rows, groups].</summary>
    public float* Scales { get; }

    /// <summary>The sums of the groups' integers, [rows, groups], which are there where these have 8 bits.</summary>
    public int* Sums { get; }

    public int Rows { get; }

    public int Columns { get; }

    /// <summary>Columns of a group, an even number.</summary>
    public int GroupSize => Format.BlockRows;

    /// <summary>Groups of a row.</summary>
    public int Groups { get; }

    /// <summary>The distance between the starts of two rows, in bytes.</summary>
    public int Stride { get; }

    /// <summary>An integer.</summary>
    public int this[int row, int column]
    {
        get => Format.IntegerSize == 1 ? ((sbyte*)RowPointer(row))[column] : ((short*)RowPointer(row))[column];
        set
        {
            if (Format.IntegerSize == 1) ((sbyte*)RowPointer(row))[column] = (sbyte)value;
            else ((short*)RowPointer(row))[column] = (short)value;
        }
    }

    /// <summary>The integers of a row.</summary>
    public byte* RowPointer(int row) => Data + ((nint)row * Stride);

    /// <summary>Some rows.</summary>
    public QuantizedMatrix Only(int row, int rows)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)row, (uint)Rows, nameof(row));
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)rows, (uint)(Rows - row), nameof(rows));
        return new QuantizedMatrix(this, row, rows);
    }

    /// <summary>A matrix of one row like this one, in memory of a thread's own behind it, which no other thread has a cache line of.</summary>
    public QuantizedMatrix OfThread(int thread)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(Rows, 1);
        return new QuantizedMatrix((float*)Data + ((nint)thread * (nint)Kernels.Padded(LengthOf(Columns, Format))), Rows, Columns, Format);
    }

    /// <summary>Floats of memory that a row takes.</summary>
    public static long LengthOf(int columns, QuantizedFormat format)
    {
        long groups = GroupsOf(columns, format);
        return (groups * format.BlockRows * format.IntegerSize / sizeof(float)) + (groups * (format.IntegerSize == 1 ? 2 : 1));
    }

    private static int GroupsOf(int columns, QuantizedFormat format) => (columns + format.BlockRows - 1) / format.BlockRows;
}
