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
            for (int row = 0; row < X.Rows; row += Side) Copy(row, Math.Min(row + Side, X.Rows), column, Math.Min(column + Side, to));
        }
    }

    private void Copy(int row, int endRow, int column, int endColumn)
    {
        for (int i = column; i < endColumn; i++)
        {
            float* target = Y.RowPointer(i);
            for (int t = row; t < endRow; t++) target[t] = X.RowPointer(t)[i];
        }
    }
}
