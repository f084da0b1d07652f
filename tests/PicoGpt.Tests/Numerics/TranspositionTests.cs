using PicoGpt.Numerics;
using Xunit;

namespace PicoGpt.Tests.Numerics;

/// <summary>Columns become rows.</summary>
public sealed unsafe class TranspositionTests
{
    [Theory]
    [InlineData(1, 1)]
    [InlineData(3, 9)]
    [InlineData(4, 4)]
    [InlineData(8, 5)]
    [InlineData(17, 30)]
    public void Every_value_is_where_row_and_column_have_changed_places_and_nothing_else_is_written(int rows, int columns)
    {
        using var x = new AlignedBuffer(rows * (columns + 2));
        using var y = new AlignedBuffer(columns * (rows + 3));
        for (int i = 0; i < x.Length; i++) x.Data[i] = i + 1;
        for (int i = 0; i < y.Length; i++) y.Data[i] = -1;
        Transposition.Copy(x.Data, columns + 2, rows, columns, y.Data, rows + 3);
        for (int j = 0; j < columns; j++)
        {
            for (int i = 0; i < rows + 3; i++) Assert.Equal(i < rows ? x.Data[(i * (columns + 2)) + j] : -1, y.Data[(j * (rows + 3)) + i]);
        }
    }
}
