namespace PicoGpt.Pictures;

/// <summary>A number of a grid and where it stands.</summary>
/// <param name="Row">The row, from 0.</param>
/// <param name="Column">The column, from 0.</param>
/// <param name="RowLabel">What the row is, such as <c>h3</c>.</param>
/// <param name="ColumnLabel">What the column is, such as a token or <c>head 2</c>.</param>
/// <param name="Value">The number.</param>
public sealed record Gpt2GridCell(int Row, int Column, string RowLabel, string ColumnLabel, double Value)
{
    /// <inheritdoc/>
    public override string ToString() => FormattableString.Invariant($"{RowLabel} {ColumnLabel}: {Value:0.###}");
}
