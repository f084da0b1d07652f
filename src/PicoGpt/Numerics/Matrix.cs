namespace PicoGpt.Numerics;

/// <summary>
/// A row-major view of float32 memory that someone else keeps alive. It carries its shape so that a kernel can prove
/// its bounds once, at the entry, and then walk pointers.
/// </summary>
internal readonly unsafe struct Matrix
{
    public Matrix(float* data, int rows, int columns)
        : this(data, rows, columns, columns)
    {
    }

    public Matrix(float* data, int rows, int columns, int stride)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(rows);
        ArgumentOutOfRangeException.ThrowIfNegative(columns);
        ArgumentOutOfRangeException.ThrowIfLessThan(stride, columns);
        Data = data;
        Rows = rows;
        Columns = columns;
        Stride = stride;
    }

    public float* Data { get; }

    public int Rows { get; }

    public int Columns { get; }

    /// <summary>The distance between the starts of two rows, in elements.</summary>
    public int Stride { get; }

    /// <summary>The address of a row. The caller keeps <paramref name="row"/> below <see cref="Rows"/>.</summary>
    public float* RowPointer(int row) => Data + ((nint)row * Stride);

    public Span<float> Row(int row)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)row, (uint)Rows, nameof(row));
        return new Span<float>(RowPointer(row), Columns);
    }

    /// <summary>All values, of a matrix whose rows lie one after another.</summary>
    public Span<float> Values => Stride == Columns
        ? new Span<float>(Data, checked(Rows * Columns))
        : throw new InvalidOperationException($"The rows of a matrix lie {Stride} elements apart, where {Columns} are expected.");

    /// <summary>The first <paramref name="rows"/> rows.</summary>
    public Matrix Take(int rows)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(rows, Rows);
        return new Matrix(Data, rows, Columns, Stride);
    }

    /// <summary>All but the first <paramref name="rows"/> rows.</summary>
    public Matrix Skip(int rows)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)rows, (uint)Rows, nameof(rows));
        return new Matrix(RowPointer(rows), Rows - rows, Columns, Stride);
    }

    /// <summary>One row as a matrix of one row.</summary>
    public Matrix Only(int row)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)row, (uint)Rows, nameof(row));
        return new Matrix(RowPointer(row), 1, Columns, Stride);
    }

    /// <summary>Some columns of all rows.</summary>
    public Matrix Only(int column, int columns)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)column, (uint)Columns, nameof(column));
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)columns, (uint)(Columns - column), nameof(columns));
        return new Matrix(Data + column, Rows, columns, Stride);
    }

    /// <summary>Throws unless the matrix has the given shape.</summary>
    public void Require(int rows, int columns)
    {
        if (Rows != rows || Columns != columns)
            throw new ArgumentException($"A matrix of shape [{Rows}, {Columns}] stands where [{rows}, {columns}] is needed.");
    }
}
