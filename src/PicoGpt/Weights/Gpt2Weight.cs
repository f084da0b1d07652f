using PicoGpt.Adapters;
using PicoGpt.Architecture;
using PicoGpt.Checkpoints;
using PicoGpt.Files;
using PicoGpt.Machine;

namespace PicoGpt.Weights;

/// <summary>
/// One leaf of the parameter tree: a tensor of the checkpoint under the checkpoint's own name. Nothing is read from the
/// file before the values or a statistic are asked for.
/// </summary>
public sealed class Gpt2Weight : FloatTensor
{
    private readonly StoredTensor _tensor;
    private readonly Lazy<ReadOnlyMemory<float>> _values;
    private FileHole? _hole;
    private volatile bool _isLookedThrough;

    internal Gpt2Weight(StoredTensor tensor, Gpt2Leaf leaf)
    {
        _tensor = tensor;
        Leaf = leaf;
        _values = new Lazy<ReadOnlyMemory<float>>(Read);
    }

    /// <summary>The name in the tree, such as <c>h0/attn/c_attn/w</c>: the checkpoint's name without the scope <c>model/</c>.</summary>
    public override string Name => Leaf.Name;

    /// <summary>The dimensions, the leading 1 of a projection's weight left out: <c>[n_embd, 3 n_embd]</c>.</summary>
    public IReadOnlyList<int> Shape => Leaf.Shape;

    /// <summary>The type in which the checkpoint stores the values.</summary>
    public TensorDType DType => _tensor.DType;

    /// <summary>
    /// The checkpoint's name for the blocks of few bits in which the values stand, such as <c>Q4_K</c>; <see langword="null"/> where each is
    /// a number of its own. They are read as float32 then.
    /// </summary>
    public string? Quantization => _tensor.Quantization;

    /// <summary>The number of values.</summary>
    public long Count => Leaf.Count;

    /// <summary>Bytes in the checkpoint.</summary>
    public long Size => _tensor.Size;

    /// <summary>
    /// The values as float32, row-major. For a float32 checkpoint this is the mapped file itself, without a copy, and
    /// valid while the model is open; pages of which a span was taken stay as long as something refers to their memory, but what
    /// is read of them after another program has overwritten the file is not the checkpoint's.
    /// <see cref="FloatTensor.ToArray"/> and <see cref="FloatTensor.AsList"/> look at that too. Its checksum is verified when it is
    /// first asked for.
    /// </summary>
    /// <exception cref="Gpt2Exception">The values are not those that the checkpoint's index describes.</exception>
    /// <exception cref="ObjectDisposedException">The model was closed.</exception>
    public ReadOnlyMemory<float> Values => _values.Value;

    /// <summary>Whether the values were asked for already, and are those of the checkpoint.</summary>
    internal bool IsRead => _values.IsValueCreated;

    /// <summary>What a hole in the file took of it; <see langword="null"/> where there is none. A few bytes are read to find it, once.</summary>
    /// <exception cref="Gpt2Exception">The file cannot be read.</exception>
    internal FileHole? Hole
    {
        get
        {
            if (_isLookedThrough) return _hole;
            _hole = _tensor.FindHole();
            _isLookedThrough = true;
            return _hole;
        }
    }

    /// <summary>Spares the looking where somebody did it before, in these very values, and found no hole.</summary>
    internal void SetWhole() => _isLookedThrough = true;

    /// <summary>What the architecture tells of it.</summary>
    internal Gpt2Leaf Leaf { get; }

    /// <summary>The tensor as the checkpoint has it.</summary>
    internal StoredTensor Stored => _tensor;

    internal override TensorLayout Layout => field ??= TensorLayout.RowMajor(Name, [.. Shape.Select(length => (long)length)]);

    /// <inheritdoc/>
    public override bool IsReadOnly => _tensor is not MemoryTensor;

    internal override ReadOnlyMemory<float> Memory => Values;

    private protected override IEnumerable<(ReadOnlyMemory<float> Memory, TensorLayout Layout)> Portions =>
        _tensor.Portions() is { Count: > 1 } portions ? VerifiedPortions(portions) : [(ReadOnce(), Layout)];

    internal override int Version => _tensor is MemoryTensor tensor ? tensor.Version : 0;

    internal override Memory<float> BeginChange() => _tensor is MemoryTensor tensor ? tensor.BeginChange() : base.BeginChange();

    /// <summary>
    /// The values for whoever goes through them once: they are kept only where that takes no memory. Of a file in other types than float32 all weights
    /// would stay in memory otherwise, two to eight times as large as the file.
    /// </summary>
    internal ReadOnlyMemory<float> ReadOnce() => IsRead || _tensor.IsInPlace ? Values : Read();

    /// <summary>A line that changes with the values: name, type, shape and the checksum that the checkpoint has for them, if any.</summary>
    internal string GetFingerprint(CancellationToken cancellationToken = default) =>
        FormattableString.Invariant($"{Name} {DType} [{string.Join(',', Shape)}] {_tensor.Size} {_tensor.GetFingerprint(cancellationToken)}");

    /// <summary>Compares the values with their checksum.</summary>
    /// <exception cref="Gpt2Exception">The values are not what was written.</exception>
    internal void Verify(CancellationToken cancellationToken = default) => _tensor.Verify(cancellationToken);

    /// <summary>A copy in memory, under the name that OpenAI's checkpoints have for it.</summary>
    internal MemoryTensor ToMemory()
    {
        Verify();
        using var values = new HeldMemory<float>(_tensor.GetFloats());
        var copy = new MemoryTensor(WeightNaming.TensorFlow.Of(Name), TensorShape.Of(Shape));
        values.Span.CopyTo(copy.Values.Span);
        return values.IfUnchanged(copy);
    }

    /// <summary>The same with what an adapter adds, under the name that OpenAI's checkpoints have for it.</summary>
    internal StoredTensor Adapted(AdapterFile adapter)
    {
        string name = WeightNaming.TensorFlow.Of(Name);
        return adapter.Matrices.TryGetValue(Name, out AdapterMatrices? matrices) ? new AdaptedTensor(name, _tensor, adapter, matrices) : new RenamedTensor(name, _tensor);
    }

    private IEnumerable<(ReadOnlyMemory<float> Memory, TensorLayout Layout)> VerifiedPortions(IEnumerable<StoredTensor> portions)
    {
        Verify();
        return portions.Select(portion => (portion.GetFloats(), TensorLayout.RowMajor(Name, portion.Shape.Dimensions)));
    }

    private ReadOnlyMemory<float> Read()
    {
        Verify();
        ReadOnlyMemory<float> values = _tensor.GetFloats();
        if (!_tensor.IsInPlace) LargeArrays.Made(Count * sizeof(float));
        return values;
    }
}
