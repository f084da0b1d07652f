using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;

namespace PicoGpt.Intervening;

/// <summary>What is to stand at a site, row by row, each as wide as the site.</summary>
[SuppressMessage("Performance", "CA1814", Justification = "Rows of one width are a matrix.")]
internal sealed class GivenValues
{
    private readonly float[,] _rows;
    private readonly Dictionary<int, int>? _rowOfPosition;
    private readonly bool _isSame;

    private GivenValues(float[,] rows, bool isSame, Dictionary<int, int>? rowOfPosition) =>
        (_rows, _isSame, _rowOfPosition) = (rows, isSame, rowOfPosition);

    /// <summary>One row for all positions: [1, width].</summary>
    public static GivenValues Same(float[,] row) => new(row, isSame: true, rowOfPosition: null);

    /// <summary>A row for each position from 0 on: [n_seq, width].</summary>
    public static GivenValues FromFirst(float[,] rows) => new(rows, isSame: false, rowOfPosition: null);

    /// <summary>A row for each of some positions: [positions, width].</summary>
    public static GivenValues Each(float[,] rows, IReadOnlyList<int> positions) =>
        new(rows, isSame: false, positions.Index().ToDictionary(pair => pair.Item, pair => pair.Index));

    /// <summary>The row of a position; empty where there is none.</summary>
    public ReadOnlySpan<float> At(int position)
    {
        int row = _isSame ? 0 : position;
        if (_rowOfPosition is not null && !_rowOfPosition.TryGetValue(position, out row)) return [];
        return row >= _rows.GetLength(0) ? [] : MemoryMarshal.CreateReadOnlySpan(ref _rows[row, 0], _rows.GetLength(1));
    }
}
