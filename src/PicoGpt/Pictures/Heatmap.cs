using System.Globalization;
using PicoGpt.Files;
using PicoGpt.Numerics;
using PicoGpt.Weights;

namespace PicoGpt.Pictures;

/// <summary>A tensor as a grid of cells, each of which stands for a block of values, with the scale of its colours.</summary>
internal sealed class Heatmap
{
    // Colours that reached to the one greatest value would leave the others pale.
    private const double ShareWithinLimit = 0.995;

    private readonly CellValue _cellValue;

    private Heatmap(FloatTensor tensor, int rows, int columns, CellValue cellValue, float? limit)
    {
        TensorLayout layout = tensor.Layout;
        Title = TextLines.Title(tensor);
        SourceColumns = layout.Shape.Count == 0 ? 1 : layout.Shape[^1];
        SourceRows = layout.Count / SourceColumns;
        _cellValue = cellValue;
        (Rows, Columns) = (Math.Min(rows, SourceRows), Math.Min(columns, SourceColumns));
        Cells = new float[Rows * Columns];
        Fill(tensor.Memory, layout);
        Limit = limit ?? FindLimit(Cells);
    }

    /// <summary>What it shows.</summary>
    public string Title { get; }

    /// <summary>The rows that the cells stand for.</summary>
    public int SourceRows { get; }

    /// <summary>The columns that the cells stand for.</summary>
    public int SourceColumns { get; }

    /// <summary>The number of rows of cells.</summary>
    public int Rows { get; }

    /// <summary>The number of columns of cells.</summary>
    public int Columns { get; }

    /// <summary>The cells, [rows, columns].</summary>
    public float[] Cells { get; }

    /// <summary>The magnitude at which the colours end.</summary>
    public float Limit { get; }

    /// <summary>How to read it: what a cell stands for, and how far the colours reach.</summary>
    public string Caption => $"{Blocks}; {Reach}.";

    private string Blocks
    {
        get
        {
            string height = Extent(SourceRows, Rows), width = Extent(SourceColumns, Columns);
            if (height == "1" && width == "1") return "Each cell is one value";
            string what = _cellValue == CellValue.Mean ? "the mean" : "the value of greatest magnitude";
            return $"Each cell is {what} of {height} × {width} values";
        }
    }

    private string Reach
    {
        get
        {
            int beyond = Cells.Count(cell => Math.Abs(cell) > Limit), nans = Cells.Count(float.IsNaN);
            string reach = $"the colours reach to ±{Number(Limit)}";
            float farthest = Cells.Where(cell => !float.IsNaN(cell)).DefaultIfEmpty().MaxBy(Math.Abs);
            if (beyond > 0) reach += $", and {beyond} of {Cells.Length} cells are beyond, as far as {Number(farthest)}";
            return nans > 0 ? $"{reach}; {nans} cells have NaN" : reach;
        }
    }

    /// <summary>Reads a tensor into cells. Of more than two dimensions, all but the last become rows; one dimension is one row.</summary>
    /// <param name="tensor">The tensor, with a value at least.</param>
    /// <param name="rows">The most rows of cells.</param>
    /// <param name="columns">The most columns of cells.</param>
    /// <param name="cellValue">What a cell shows of its values.</param>
    /// <param name="limit">Where the colours end; <see langword="null"/> to choose.</param>
    /// <exception cref="Gpt2Exception">The tensor has no values.</exception>
    public static Heatmap Of(FloatTensor tensor, int rows, int columns, CellValue cellValue, float? limit)
    {
        if (tensor.Layout.Count == 0) throw new Gpt2Exception(Gpt2Error.InvalidArgument, $"{tensor} has no values to show.");
        return new Heatmap(tensor, rows, columns, cellValue, limit);
    }

    /// <summary>A cell's value as a share of the limit, from −1 to 1; NaN for NaN.</summary>
    public double Level(int row, int column) => Limit == 0 ? 0 : Math.Clamp(Cells[(row * Columns) + column] / (double)Limit, -1, 1);

    /// <summary>A number with the digits that count.</summary>
    public static string Number(double value) => value.ToString("G3", CultureInfo.InvariantCulture);

    private static string Extent(int source, int cells) =>
        source % cells == 0 ? $"{source / cells}" : $"{source / cells} or {(source / cells) + 1}";

    private static float FindLimit(float[] cells)
    {
        float[] magnitudes = [.. cells.Where(float.IsFinite).Select(Math.Abs).Order()];
        if (magnitudes.Length == 0) return 1;
        float limit = magnitudes[(int)Math.Ceiling(ShareWithinLimit * magnitudes.Length) - 1];
        return limit > 0 ? limit : magnitudes[^1];
    }

    private unsafe void Fill(ReadOnlyMemory<float> memory, TensorLayout layout)
    {
        using var held = new HeldMemory<float>(memory);
        nint start = (nint)held.Start;
        int length = held.Length;
        ParallelLoop.For(Rows, row =>
        {
            double[] sums = new double[Columns];
            float[] line = new float[SourceColumns];
            int first = Edge(row, SourceRows, Rows), end = Edge(row + 1, SourceRows, Rows);
            for (int y = first; y < end; y++)
            {
                ReadOnlySpan<float> values = layout.Read(new ReadOnlySpan<float>((float*)start, length), y * SourceColumns, line);
                for (int column = 0; column < Columns; column++)
                {
                    ReadOnlySpan<float> block = values[Edge(column, SourceColumns, Columns)..Edge(column + 1, SourceColumns, Columns)];
                    sums[column] = _cellValue == CellValue.Mean ? sums[column] + Sum(block) : Extreme(sums[column], block);
                }
            }

            for (int column = 0; column < Columns; column++)
            {
                long count = (long)(end - first) * (Edge(column + 1, SourceColumns, Columns) - Edge(column, SourceColumns, Columns));
                Cells[(row * Columns) + column] = (float)(_cellValue == CellValue.Mean ? sums[column] / count : sums[column]);
            }
        });
        held.ThrowIfChanged();
    }

    private static int Edge(int cell, int source, int cells) => (int)((long)cell * source / cells);

    private static double Sum(ReadOnlySpan<float> values)
    {
        double sum = 0;
        foreach (float value in values) sum += value;
        return sum;
    }

    private static double Extreme(double extreme, ReadOnlySpan<float> values)
    {
        foreach (float value in values)
        {
            if (Math.Abs(value) > Math.Abs(extreme) || float.IsNaN(value)) extreme = value;
        }

        return extreme;
    }
}
