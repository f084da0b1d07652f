using PicoGpt.Numerics;

namespace PicoGpt.Training;

/// <summary>Copies a matrix so that its columns are rows: [n, m] -> [m, n].</summary>
internal sealed unsafe class TransposeJob : Job
{
    // A square of so many fits into the first-level cache, read and written.
    private const int Side = 32;

    public Matrix X { get; set; }

    public Matrix Y { get; set; }

    public override void Execute(int part, int parts)
    {
        (int from, int to) = Share(X.Columns, part, parts, Side);
        for (int column = from; column < to; column += Side)
        {
            int columns = Math.Min(Side, to - column);
            for (int row = 0; row < X.Rows; row += Side)
                Transposition.Copy(X.RowPointer(row) + column, X.Stride, Math.Min(Side, X.Rows - row), columns, Y.RowPointer(column) + row, Y.Stride);
        }
    }
}
