using PicoGpt.Weights;
using Xunit;

namespace PicoGpt.Tests.Weights;

public sealed class FloatTensorTests : IDisposable
{
    private const int Columns = 192;

    private readonly Gpt2Model _model = BuiltInModel.Open();
    private readonly Gpt2Weight _wpe; // [256, 192]
    private readonly float[] _values;

    public FloatTensorTests()
    {
        _wpe = _model.Parameters.Wpe;
        _values = _wpe.ToArray();
    }

    public void Dispose() => _model.Dispose();

    [Fact]
    public void Indexes_count_from_either_end()
    {
        Assert.Equal(_values[(3 * Columns) + 5], _wpe[3, 5]);
        Assert.Equal(_values[^1], _wpe[-1, -1]);
        Assert.Equal(_values[(255 * Columns) + 191], _wpe[255, 191]);
        Gpt2Weight vector = _model.Parameters.LnF.G;
        Assert.Equal(vector.ToArray()[7], vector[7]);
        Assert.Equal(vector.ToArray()[191], vector[-1]);
    }

    [Theory]
    [InlineData(256, 0)]
    [InlineData(-257, 0)]
    [InlineData(0, 192)]
    [InlineData(0, -193)]
    [InlineData(int.MinValue, int.MaxValue)]
    public void Indexes_outside_are_refused(int row, int column) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => _wpe[row, column]);

    [Fact]
    public void As_many_indexes_as_dimensions_are_needed()
    {
        Assert.Contains("1 dimensions, [192], but 2", Assert.Throws<ArgumentException>(() => _model.Parameters.LnF.G[0, 0]).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => _model.Parameters.LnF.G.Row(0));
    }

    [Fact]
    public void One_index_of_a_matrix_is_its_row()
    {
        Assert.Equal("wpe[3, :] [192]", _wpe[3].ToString());
        Assert.Equal(_values[(3 * Columns)..(4 * Columns)], ((WeightSlice)_wpe[3]).ToArray());
        Assert.Throws<ArgumentOutOfRangeException>(() => _wpe[256]);
        Assert.Throws<Gpt2Exception>(() => _wpe[3] = new float[Columns]);
    }

    [Fact]
    public void Rows_and_columns_are_views()
    {
        WeightSlice row = _wpe.Row(3), column = _wpe.Column(-1);
        Assert.Equal("wpe[3, :] [192]", row.ToString());
        Assert.Equal("wpe[:, 191] [256]", column.ToString());
        Assert.Equal(_values[(3 * Columns)..(4 * Columns)], row.ToArray());
        Assert.Equal(_values.Where((_, i) => i % Columns == 191), column.ToArray());
        Assert.Equal(column.ToArray(), column.AsList());
        Assert.Equal(_values[(9 * Columns) + 191], column.AsList()[9]);
        Assert.Equal(row[9], row.AsList()[9]);
        Assert.Throws<ArgumentOutOfRangeException>(() => row.AsList()[192]);
        Assert.Same(_wpe, row.Source);
    }

    [Theory]
    [InlineData("0:64, :", "0:64, :", 0, 1, 64, 0, 1, 192)]
    [InlineData("5", "5, :", 5, 1, 1, 0, 1, 192)]
    [InlineData("-1", "255, :", 255, 1, 1, 0, 1, 192)]
    [InlineData(":, -1", ":, 191", 0, 1, 256, 191, 1, 1)]
    [InlineData("::2,::-1", "0:256:2, 191::-1", 0, 2, 128, 191, -1, 192)]
    [InlineData("250:300, -3:", "250:256, 189:192", 250, 1, 6, 189, 1, 3)]
    [InlineData("10:0:-3,4:5", "10::-3, 4:5", 10, -3, 4, 4, 1, 1)]
    [InlineData("3:3", "3:3, :", 3, 1, 0, 0, 1, 192)]
    [InlineData("300:", "256:256, :", 256, 1, 0, 0, 1, 192)]
    public void A_slice_takes_what_NumPy_s_notation_says(
        string text, string name, int row, int rowStep, int rows, int column, int columnStep, int columns)
    {
        WeightSlice slice = _wpe.Slice(text);
        IEnumerable<float> expected =
            from i in Enumerable.Range(0, rows)
            from j in Enumerable.Range(0, columns)
            select _values[((row + (i * rowStep)) * Columns) + column + (j * columnStep)];
        Assert.Equal(expected, slice.ToArray());
        Assert.Equal(rows * columns, slice.Count);
        Assert.Equal($"wpe[{name}]", slice.Name);
    }

    [Theory]
    [InlineData("")]
    [InlineData("0, 0, 0")]
    [InlineData("256")]
    [InlineData("0, -193")]
    [InlineData("a:b")]
    [InlineData("::0")]
    [InlineData("1:2:3:4")]
    [InlineData("99999999999999")]
    public void What_is_no_slice_is_said(string text)
    {
        Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() => _wpe.Slice(text));
        Assert.Equal(Gpt2Error.InvalidArgument, fault.Error);
        Assert.StartsWith($"'{text}' is not a slice of wpe [256, 192]: ", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Slices_are_taken_of_slices_and_by_ranges()
    {
        Assert.Equal(_wpe.Slice("10:20, 5").ToArray(), _wpe.Slice(10, 10).Slice("::-1, 5").Slice("::-1").ToArray());
        Assert.Equal(_wpe.Slice("10:20, -5:").ToArray(), _wpe.Slice(10..20, ^5..).ToArray());
        Assert.Equal(_wpe.Slice("::3, ::5")[-1, -1], _wpe[255, 190]);
        Assert.Throws<ArgumentOutOfRangeException>(() => _wpe.Slice(250, 10));
        Assert.Throws<ArgumentException>(() => _wpe.Slice(.., .., ..));
        Assert.Equal(_wpe[2, 3], Assert.Single(_wpe.Slice("2, 3").ToArray()));
    }

    [Fact]
    public void Statistics_of_a_slice_are_those_of_its_copy()
    {
        WeightSlice slice = _model.Parameters.Wte.Slice(":, 3:190:2");
        WeightStatistics copied = WeightStatistics.Of((slice.ToArray(), TensorLayout.RowMajor("copy", [(int)slice.Count])));
        Assert.Equal(copied.Mean, slice.Mean);
        Assert.Equal(copied.StandardDeviation, slice.StandardDeviation);
        Assert.Equal(copied.Histogram, slice.Statistics.Histogram);
        Assert.Equal(0, _wpe.Slice("0:0").Statistics.Count);
    }

    [Fact]
    public void A_closed_model_has_no_values()
    {
        WeightSlice row = _wpe.Row(0);
        _model.Dispose();
        Assert.Throws<ObjectDisposedException>(() => row[0]);
        Assert.Throws<ObjectDisposedException>(row.ToArray);
        Assert.Throws<ObjectDisposedException>(() => row.Mean);
    }
}
