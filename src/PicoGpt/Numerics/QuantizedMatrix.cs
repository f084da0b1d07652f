namespace PicoGpt.Numerics;

/// <summary>
/// A matrix whose values are integers of 16 bits with a scale for each group of some columns of a row, as many as the blocks of what it is
/// multiplied by have rows. Integers behind the last column are zero. Somebody else keeps the memory alive.
/// </summary>
/// <remarks>
/// The scale is the group's greatest magnitude divided by 32767, so that a value errs by at most half of that: where the weights are rounded
/// to 8 bits, by less than a hundredth of what their rounding costs.
/// </remarks>
internal readonly unsafe struct QuantizedMatrix
{
    /// <summary>The greatest integer.</summary>
    public const int Largest = short.MaxValue;

    /// <summary>A group with no greater value than this is zero: its scale would have no inverse.</summary>
    public const float Least = 1e-30f;

    public QuantizedMatrix(float* memory, int rows, int columns, int groupSize)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(rows);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(groupSize);
        (Rows, Columns, GroupSize) = (rows, columns, groupSize);
        Data = (short*)memory;
        Scales = memory + ((long)rows * Stride * sizeof(short) / sizeof(float));
    }

    private QuantizedMatrix(QuantizedMatrix other, int row, int rows)
    {
        (Rows, Columns, GroupSize) = (rows, other.Columns, other.GroupSize);
        Data = other.Data + ((nint)row * other.Stride);
        Scales = other.Scales + ((nint)row * other.Groups);
    }

    /// <summary>The integers: [rows, stride].</summary>
    public short* Data { get; }

    /// <summary>The scales: [rows, groups].</summary>
    public float* Scales { get; }

    public int Rows { get; }

    public int Columns { get; }

    /// <summary>Columns of a group, an even number.</summary>
    public int GroupSize { get; }

    /// <summary>Groups of a row.</summary>
    public int Groups => (Columns + GroupSize - 1) / GroupSize;

    /// <summary>The distance between the starts of two rows, in integers.</summary>
    public int Stride => Groups * GroupSize;

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
        return new QuantizedMatrix((float*)Data + ((nint)thread * (nint)Kernels.Padded(LengthOf(Columns, GroupSize))), Rows, Columns, GroupSize);
    }

    /// <summary>Floats of memory that a row takes.</summary>
    public static long LengthOf(int columns, int groupSize)
    {
        long groups = (columns + groupSize - 1) / groupSize;
        return (groups * groupSize * sizeof(short) / sizeof(float)) + groups;
    }
}
