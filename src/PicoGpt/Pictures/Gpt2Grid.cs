using PicoGpt.Files;

namespace PicoGpt.Pictures;

/// <summary>A matrix of numbers about the parts of a model or the tokens of a text, with names for its rows and columns.</summary>
public sealed class Gpt2Grid
{
    // Arrays, which scripts can index; a compiler's own lists they cannot.
    private readonly string[] _rowLabels = [], _columnLabels = [];
    private readonly double[][] _values = [];
    private readonly KeyValuePair<string, double>[] _others = [];

    /// <summary>The name of the model.</summary>
    public required string Model { get; init; }

    /// <summary>What the numbers are, in a line.</summary>
    public required string Title { get; init; }

    /// <summary>What they mean, in a sentence or two.</summary>
    public required string Description { get; init; }

    /// <summary>What a row is, such as <c>layer</c>.</summary>
    public required string RowName { get; init; }

    /// <summary>What a column is, such as <c>position</c>.</summary>
    public required string ColumnName { get; init; }

    /// <summary>The names of the rows.</summary>
    public required IReadOnlyList<string> RowLabels { get => _rowLabels; init => _rowLabels = [.. value]; }

    /// <summary>The names of the columns; tokens are as they stand in the text.</summary>
    public required IReadOnlyList<string> ColumnLabels { get => _columnLabels; init => _columnLabels = [.. value]; }

    /// <summary>The numbers, <c>Values[row][column]</c>.</summary>
    public required IReadOnlyList<IReadOnlyList<double>> Values { get => _values; init => _values = [.. value.Select(row => row.ToArray())]; }

    /// <summary>Numbers that belong to the matrix but have no place in it, by name, in their order.</summary>
    public IReadOnlyList<KeyValuePair<string, double>> Others { get => _others; init => _others = [.. value]; }

    /// <summary>All numbers of the matrix, each with its place, row by row.</summary>
    public IEnumerable<Gpt2GridCell> Cells =>
        from row in Enumerable.Range(0, RowLabels.Count)
        from column in Enumerable.Range(0, ColumnLabels.Count)
        select new Gpt2GridCell(row, column, RowLabels[row], ColumnLabels[column], Values[row][column]);

    /// <summary>The greatest size of a number: where the colours end.</summary>
    internal double Limit => Values.SelectMany(row => row).Where(double.IsFinite).Select(Math.Abs).DefaultIfEmpty(0).Max();

    /// <summary>Saves the matrix as a picture for documents, whole or not at all.</summary>
    /// <param name="path">The file.</param>
    /// <param name="overwrite">Whether a file that already exists may be replaced.</param>
    /// <exception cref="Gpt2Exception">The file exists or cannot be written.</exception>
    public void SaveSvg(string path, bool overwrite = false)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        OutputFile.Save(path, stream => stream.Write(System.Text.Encoding.UTF8.GetBytes(GridSvg.Of(this))), overwrite);
    }

    /// <summary>Saves the matrix as one HTML page for a browser, which loads nothing from anywhere, whole or not at all.</summary>
    /// <param name="path">The file.</param>
    /// <param name="overwrite">Whether a file that already exists may be replaced.</param>
    /// <exception cref="Gpt2Exception">The file exists or cannot be written.</exception>
    public void SaveHtml(string path, bool overwrite = false)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        OutputFile.Save(path, stream => GridPage.Write(this, stream), overwrite);
    }

    /// <inheritdoc/>
    public override string ToString() => Title;
}
