namespace PicoGpt.Weights;

/// <summary>A part of a tensor, which looks at the tensor's memory: rows, a column, a block.</summary>
public sealed class WeightSlice : FloatTensor
{
    internal WeightSlice(FloatTensor source, IReadOnlyList<TensorPick> picks)
    {
        Source = source;
        Layout = source.Layout.Slice(picks);
        IEnumerable<string> taken = source.Layout.Shape.Select((length, d) => d < picks.Count ? Describe(picks[d], length) : ":");
        Name = $"{source.Name}[{string.Join(", ", taken)}]";
    }

    /// <summary>The tensor that it is a part of.</summary>
    public FloatTensor Source { get; }

    /// <inheritdoc/>
    public override string Name { get; }

    /// <summary>The dimensions; a single value has none.</summary>
    public IReadOnlyList<int> Shape => Layout.Shape;

    /// <summary>The number of values.</summary>
    public long Count => Layout.Count;

    internal override TensorLayout Layout { get; }

    /// <inheritdoc/>
    public override bool IsReadOnly => Source.IsReadOnly;

    internal override ReadOnlyMemory<float> Memory => Source.Memory;

    internal override int Version => Source.Version;

    internal override Memory<float> BeginChange() => Source.BeginChange();

    private static string Describe(TensorPick pick, int dimension)
    {
        if (pick.DropsDimension) return $"{pick.Start}";
        if (pick == TensorPick.All(dimension)) return ":";
        int end = pick.Start + (pick.Length * pick.Step);
        return pick.Step == 1 ? $"{pick.Start}:{end}" : $"{pick.Start}:{(end < 0 ? "" : end)}:{pick.Step}";
    }
}
