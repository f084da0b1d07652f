using PicoGpt.Numerics;

namespace PicoGpt.Inference;

/// <summary>A projection, with what follows it on the same columns: <c>y = x·w + b</c>, then the activation or the residual sum.</summary>
/// <param name="kernels">The loops.</param>
/// <param name="activation">What is applied to results that ask for it.</param>
internal sealed unsafe class ProjectionJob(Kernels kernels, ActivationFunction activation) : Job
{
    private const int ColumnsTogether = 8 * Kernels.PanelColumns;
    private const int FewRows = 16;

    private readonly WorkShares _columns = new();

    public Matrix X { get; set; }

    /// <summary>The layer norm that a single row is yet to take, which is <see cref="X"/> then; null for none.</summary>
    public LayerNormJob? Norm { get; set; }

    /// <summary>The same in integers, or where each thread puts a single row, where <see cref="W"/> is in integers; a matrix of no rows otherwise.</summary>
    public QuantizedMatrix Quantized { get; set; }

    public PinnedWeight W { get; set; }

    public PinnedWeight B { get; set; }

    /// <summary>What an adapter's second matrix multiplies, [n, rank]; a matrix of no rows where there is no adapter.</summary>
    public Matrix Narrow { get; set; }

    public Matrix Y { get; set; }

    /// <summary>Where the activation of the result goes, which may be <see cref="Y"/> itself; a matrix of no rows for nowhere.</summary>
    public Matrix Activated { get; set; }

    /// <summary>What the result is added to.</summary>
    public Matrix Residual { get; set; }

    /// <summary>Where that sum goes, which may be <see cref="Residual"/> itself; a matrix of no rows for nowhere.</summary>
    public Matrix Sum { get; set; }

    public override void Prepare(int parts)
    {
        if (IsByRows(Y.Rows, parts)) _columns.GiveEach(Y.Columns, parts, ColumnsTogether);
        else _columns.Divide(Y.Columns, parts, Kernels.PanelColumns, areWhole: !W.HasPanels); // rows of few columns are read slowly
    }

    public override void Execute(int part, int parts)
    {
        if (!_columns.TryTake(part, out WorkPiece some)) return;
        Matrix x = Norm?.OfThread(part) ?? X;
        QuantizedMatrix quantized = QuantizeJob.Rounded(kernels, x, Quantized, part);
        do
        {
            (int row, int end) = IsByRows(Y.Rows, parts) ? Share(Y.Rows, some.Owner, parts, Kernels.TileRows) : (0, Y.Rows);
            Execute(x, quantized, row, end - row, some.From, some.To);
        }
        while (_columns.TryTake(part, out some));
    }

    // Some rows, and some columns of them: of many rows so few columns at a time that what follows the product finds it in the caches.
    private void Execute(Matrix x, QuantizedMatrix quantized, int row, int rows, int from, int to)
    {
        int together = rows > FewRows ? ColumnsTogether : to - from;
        for (int first = from; first < to; first += together) ExecuteTogether(x, quantized, row, rows, first, Math.Min(first + together, to));
    }

    private void ExecuteTogether(Matrix x, QuantizedMatrix quantized, int row, int rows, int from, int to)
    {
        Matrix y = Only(Y, row, rows);
        if (quantized.Rows > 0) kernels.MatMulQuantized(quantized.Only(row, rows), W.Packed, B.Vector, y, from, to);
        else if (W.HasPanels) kernels.MatMulPacked(Only(x, row, rows), W.Packed, B.Vector, y, from, to);
        else kernels.MatMul(Only(x, row, rows), W.Plain, B.Vector, y, from, to);
        if (Narrow.Rows > 0) kernels.MatMulAdd(Only(Narrow, row, rows), W.LowRank.B, y, from, to);
        if (Activated.Rows > 0) Activate(y, Only(Activated, row, rows), from, to);
        if (Sum.Rows > 0) Add(Only(Residual, row, rows), y, Only(Sum, row, rows), from, to);
    }

    private static Matrix Only(Matrix x, int row, int rows) => x.Skip(row).Take(rows);

    /// <summary>The activation of x, in some columns.</summary>
    public void Activate(Matrix x, Matrix y, int from, int to)
    {
        for (int t = 0; t < y.Rows; t++)
        {
            Copy(x.RowPointer(t) + from, y.RowPointer(t) + from, to - from);
            kernels.Activate(activation, y.RowPointer(t) + from, to - from);
        }
    }

    /// <summary><c>y = x + added</c> in some columns.</summary>
    public void Add(Matrix x, Matrix added, Matrix y, int from, int to)
    {
        for (int t = 0; t < y.Rows; t++)
        {
            Copy(x.RowPointer(t) + from, y.RowPointer(t) + from, to - from);
            kernels.Add(y.RowPointer(t) + from, added.RowPointer(t) + from, to - from);
        }
    }

    private static void Copy(float* x, float* y, int count)
    {
        if (x != y) new ReadOnlySpan<float>(x, count).CopyTo(new Span<float>(y, count));
    }
}
