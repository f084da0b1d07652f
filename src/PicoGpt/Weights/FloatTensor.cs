using System.Collections;
using System.Globalization;
using PicoGpt.Files;

namespace PicoGpt.Weights;

/// <summary>
/// A tensor whose elements are read as float32: a weight, a slice of one, or a tensor of any checkpoint. Nothing is read before a value
/// or a statistic is asked for; slices look at the same memory, without a copy.
/// </summary>
public abstract class FloatTensor
{
    private (int Version, WeightStatistics Statistics)? _gathered;
    private readonly Lock _gathering = new();

    private protected FloatTensor()
    {
    }

    /// <summary>The name; of a slice, with what was taken: <c>wte[0:64, 5]</c>.</summary>
    public abstract string Name { get; }

    /// <summary>The least finite value; NaN where there is none.</summary>
    public float Min => Statistics.Min;

    /// <summary>The greatest finite value; NaN where there is none.</summary>
    public float Max => Statistics.Max;

    /// <summary>The mean of the finite values.</summary>
    public double Mean => Statistics.Mean;

    /// <summary>The standard deviation of the finite values, with the biased variance (as NumPy's <c>std</c>).</summary>
    public double StandardDeviation => Statistics.StandardDeviation;

    /// <summary>How many values are zero.</summary>
    public long Zeros => Statistics.Zeros;

    /// <summary>How many values are NaN.</summary>
    public long NaNs => Statistics.NaNs;

    /// <summary>How many values are infinite.</summary>
    public long Infinities => Statistics.Infinities;

    /// <summary>How the finite values are spread, in up to 64 bins; <see cref="WeightStatistics.Histogram"/> has more.</summary>
    public WeightHistogram Histogram => Statistics.Histogram.Rebin(64);

    /// <summary>The histogram as one line of up to 16 blocks, from the least value on the left to the greatest.</summary>
    public string Sparkline => Statistics.Histogram.Rebin(16).ToString();

    /// <summary>All statistics, gathered in one pass over the values when the first is asked for.</summary>
    /// <exception cref="Gpt2Exception">The values are not those that the checkpoint's index describes.</exception>
    /// <exception cref="ObjectDisposedException">The model was closed.</exception>
    public WeightStatistics Statistics
    {
        get
        {
            lock (_gathering)
            {
                int version = Version;
                if (_gathered is not { } gathered || gathered.Version != version) _gathered = gathered = (version, WeightStatistics.Of(Portions));
                return gathered.Statistics;
            }
        }
    }

    /// <summary>Whether the values cannot be changed: those of a checkpoint; a model's <see cref="Gpt2Model.Clone"/> has others.</summary>
    public virtual bool IsReadOnly => true;

    internal abstract TensorLayout Layout { get; }

    /// <summary>The memory that <see cref="Layout"/> speaks of; its checksum is verified.</summary>
    internal abstract ReadOnlyMemory<float> Memory { get; }

    /// <summary>The values from first to last, in pieces of memory: a tensor may have more than one piece can hold.</summary>
    private protected virtual IEnumerable<(ReadOnlyMemory<float> Memory, TensorLayout Layout)> Portions => [(Memory, Layout)];

    /// <summary>How often the values were changed.</summary>
    internal virtual int Version => 0;

    /// <summary>A value of a tensor of one dimension, a <see cref="float"/>; of one of more its row, a <see cref="WeightSlice"/>.</summary>
    /// <param name="index">From 0, or from −1 backwards from the end.</param>
    /// <exception cref="ArgumentException">The tensor has no dimension, or what is to be set is not numbers.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The index is outside.</exception>
    /// <exception cref="Gpt2Exception">It is to be set, and is read-only, or there are more or fewer values.</exception>
    /// <remarks>
    /// It is long, as the count is: PowerShell cannot call an indexer by int beside a count that is long. Of a matrix it gives the row, as in
    /// NumPy, since PowerShell ignores what an indexer throws.
    /// </remarks>
    public object this[long index]
    {
        get
        {
            int place = (int)Math.Clamp(index, int.MinValue, int.MaxValue);
            return Layout.Shape.Count > 1 ? Row(place) : ValueAt([place]);
        }

        set
        {
            int place = (int)Math.Clamp(index, int.MinValue, int.MaxValue);
            if (Layout.Shape.Count <= 1) SetValueAt([place], Convert.ToSingle(value, CultureInfo.InvariantCulture));
            else if (value is FloatTensor row) Row(place).SetValues(row);
            else if (value is IEnumerable values) Row(place).SetValues([.. values.Cast<object>().Select(number => Convert.ToSingle(number, CultureInfo.InvariantCulture))]);
            else throw new ArgumentException($"{Name} has {Layout.Shape.Count} dimensions; a row of it is set to as many values.", nameof(value));
        }
    }

    /// <summary>A value of a matrix.</summary>
    /// <param name="row">From 0, or from −1 backwards from the end.</param>
    /// <param name="column">From 0, or from −1 backwards from the end.</param>
    /// <exception cref="ArgumentException">The tensor has not two dimensions.</exception>
    /// <exception cref="ArgumentOutOfRangeException">An index is outside.</exception>
    /// <exception cref="Gpt2Exception">It is to be set, and is read-only.</exception>
    public float this[int row, int column]
    {
        get => ValueAt([row, column]);
        set => SetValueAt([row, column], value);
    }

    /// <summary>One row, or what else the first dimension holds.</summary>
    /// <param name="index">From 0, or from −1 backwards from the end.</param>
    /// <returns>A view, without the first dimension.</returns>
    /// <exception cref="ArgumentException">The tensor has no two dimensions.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The index is outside.</exception>
    public WeightSlice Row(int index)
    {
        RequireMatrix();
        return new WeightSlice(this, [TensorPick.Only(index, Layout.Shape[0])]);
    }

    /// <summary>One column: what has this index in the last dimension.</summary>
    /// <param name="index">From 0, or from −1 backwards from the end.</param>
    /// <returns>A view, without the last dimension.</returns>
    /// <exception cref="ArgumentException">The tensor has no two dimensions.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The index is outside.</exception>
    public WeightSlice Column(int index)
    {
        RequireMatrix();
        return new WeightSlice(this, [.. Layout.Shape.SkipLast(1).Select(TensorPick.All), TensorPick.Only(index, Layout.Shape[^1])]);
    }

    /// <summary>
    /// A part, in NumPy's notation: <c>0:64, :</c> are the first 64 rows, <c>:, -1</c> is the last column, <c>::2</c> every other row.
    /// </summary>
    /// <param name="text">An index or <c>start:end:step</c> for each dimension, with commas between; dimensions left out stay whole.</param>
    /// <returns>A view, without the dimensions of which a single index was taken.</returns>
    /// <exception cref="Gpt2Exception"><see cref="Gpt2Error.InvalidArgument"/>: the text does not fit the tensor.</exception>
    public WeightSlice Slice(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        string[] parts = text.Split(',');
        IReadOnlyList<int> shape = Layout.Shape;
        try
        {
            if (parts.Length > shape.Count) throw new FormatException($"it speaks of {parts.Length} dimensions");
            return new WeightSlice(this, [.. parts.Select((part, d) => TensorPick.Parse(part, shape[d]))]);
        }
        catch (FormatException fault)
        {
            throw new Gpt2Exception(
                Gpt2Error.InvalidArgument,
                $"'{text}' is not a slice of {Name} [{string.Join(", ", shape)}]: {fault.Message}; "
                    + "give an index or start:end for each dimension, such as '0:64, :'.",
                innerException: fault);
        }
    }

    /// <summary>Rows one after another, or what else the first dimension holds.</summary>
    /// <param name="start">The first.</param>
    /// <param name="length">How many.</param>
    /// <returns>A view.</returns>
    /// <exception cref="ArgumentOutOfRangeException">There are not as many.</exception>
    public WeightSlice Slice(int start, int length) => Slice(new Range(start, checked(start + length)));

    /// <summary>A part: one range for each of the first dimensions; the others stay whole.</summary>
    /// <param name="ranges">The ranges.</param>
    /// <returns>A view.</returns>
    /// <exception cref="ArgumentException">There are more ranges than dimensions.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A range is outside its dimension.</exception>
    public WeightSlice Slice(params Range[] ranges)
    {
        ArgumentNullException.ThrowIfNull(ranges);
        IReadOnlyList<int> shape = Layout.Shape;
        if (ranges.Length > shape.Count)
            throw new ArgumentException($"{Name} has {shape.Count} dimensions, not {ranges.Length}.", nameof(ranges));
        return new WeightSlice(this, [.. ranges.Select((range, d) => Pick(range, shape[d]))]);
    }

    /// <summary>A copy of the values, row-major.</summary>
    /// <returns>As many values as there are.</returns>
    /// <exception cref="Gpt2Exception">The values are not those that the checkpoint's index describes.</exception>
    /// <exception cref="ObjectDisposedException">The model was closed.</exception>
    public float[] ToArray()
    {
        TensorLayout layout = Layout;
        using var held = new HeldMemory<float>(Memory);
        float[] values = new float[layout.Count];
        ReadOnlySpan<float> read = layout.Read(held.Span, 0, values);
        if (layout.IsContiguous) read.CopyTo(values);
        return held.IfUnchanged(values);
    }

    /// <summary>Sets all values. Of a slice, those of the weight that it looks at change.</summary>
    /// <param name="values">As many values as there are, row-major.</param>
    /// <exception cref="Gpt2Exception"><see cref="Gpt2Error.InvalidArgument"/>: there are more or fewer, or this is read-only.</exception>
    public void SetValues(float[] values)
    {
        ArgumentNullException.ThrowIfNull(values);
        if (values.Length != Layout.Count) throw Unfit($"{values.Length} values");
        Set(values);
    }

    /// <summary>Sets all values of a matrix.</summary>
    /// <param name="values">A matrix of the same dimensions.</param>
    /// <exception cref="Gpt2Exception"><see cref="Gpt2Error.InvalidArgument"/>: it has other dimensions, or this is read-only.</exception>
    /// <remarks>It has a name of its own because PowerShell cannot tell which of two kinds of array a list is meant for.</remarks>
    public void SetMatrix(float[,] values)
    {
        ArgumentNullException.ThrowIfNull(values);
        int rows = values.GetLength(0), columns = values.GetLength(1);
        if (!Layout.Shape.SequenceEqual([rows, columns])) throw Unfit($"[{rows}, {columns}]");
        Set(values.Cast<float>().ToArray());
    }

    /// <summary>Sets all values to those of another tensor: a weight of another model, a slice.</summary>
    /// <param name="values">A tensor of the same dimensions.</param>
    /// <exception cref="Gpt2Exception"><see cref="Gpt2Error.InvalidArgument"/>: it has other dimensions, or this is read-only.</exception>
    public void SetValues(FloatTensor values)
    {
        ArgumentNullException.ThrowIfNull(values);
        if (!Layout.Shape.SequenceEqual(values.Layout.Shape)) throw Unfit($"[{string.Join(", ", values.Layout.Shape)}]");
        Set(values.ToArray());
    }

    /// <summary>The values as a list that looks at them where they are, row-major.</summary>
    /// <returns>A view, for loops and for PowerShell's ranges: <c>$w.Row(3).AsList()[0..9]</c>.</returns>
    /// <exception cref="Gpt2Exception">The values are not those that the checkpoint's index describes.</exception>
    public IReadOnlyList<float> AsList() => new TensorValues(Memory, Layout);

    /// <inheritdoc/>
    public override string ToString() => $"{VisibleText.Of(Name)} [{string.Join(", ", Layout.Shape)}]";

    private static TensorPick Pick(Range range, int dimension)
    {
        (int start, int length) = range.GetOffsetAndLength(dimension);
        return new TensorPick(start, 1, length);
    }

    private float ValueAt(ReadOnlySpan<int> indexes)
    {
        int place = Layout.PlaceOf(indexes);
        using var held = new HeldMemory<float>(Memory); // another thread may close the model meanwhile
        return held.IfUnchanged(held.Span[place]);
    }

    /// <summary>The memory that <see cref="Layout"/> speaks of, to be changed.</summary>
    /// <exception cref="Gpt2Exception">It is read-only.</exception>
    internal virtual Memory<float> BeginChange() => throw new Gpt2Exception(
        Gpt2Error.InvalidArgument, $"{Name} is of a checkpoint, which is never changed; change it in a copy of the model: $copy = $model.Clone().");

    private void SetValueAt(ReadOnlySpan<int> indexes, float value)
    {
        int place = Layout.PlaceOf(indexes);
        BeginChange().Span[place] = value;
    }

    private void Set(float[] values)
    {
        Span<float> memory = BeginChange().Span;
        TensorLayout layout = Layout;
        if (layout.IsContiguous) values.CopyTo(memory[layout.Offset..]);
        else for (int i = 0; i < values.Length; i++) memory[layout.PlaceOf(i)] = values[i];
    }

    private Gpt2Exception Unfit(string given) =>
        new(Gpt2Error.InvalidArgument, $"{Name} is [{string.Join(", ", Layout.Shape)}] and has {Layout.Count} values; {given} do not fit.");

    private void RequireMatrix()
    {
        if (Layout.Shape.Count < 2)
            throw new ArgumentException($"{Name} has {Layout.Shape.Count} dimensions; only a matrix has rows and columns.");
    }
}
