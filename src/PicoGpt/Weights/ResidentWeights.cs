using PicoGpt.Architecture;
using PicoGpt.Machine;
using PicoGpt.Numerics;

namespace PicoGpt.Weights;

/// <summary>
/// The matrices of a model once more, in memory of this process's own and in the order in which products walk them: what is packed as it is,
/// projections in float32 as panels, the embedding in float32, whose rows the logits walk, as it is. Their values are the same to the last
/// bit; they are read faster than those of the mapped file, in which pages are small and a projection's columns in float32 lie far apart.
/// They are copied piece by piece, by the threads of whoever needs them. For any thread.
/// </summary>
internal sealed class ResidentWeights : IDisposable
{
    private readonly Dictionary<string, long> _places = new(StringComparer.Ordinal);
    private readonly List<ResidentBand> _bands = [];
    private readonly Lock _copying = new();
    private int _copied; // bands
    private bool _isClosed;

    /// <param name="parameters">The weights; nothing of them is copied yet.</param>
    /// <param name="precision">How the model runs.</param>
    /// <param name="packed">The matrices in that precision; <see langword="null"/> in float32.</param>
    /// <exception cref="OutOfMemoryException">There is no memory for them.</exception>
    public ResidentWeights(Gpt2Parameters parameters, Gpt2Precision precision, PackedWeights? packed)
    {
        long end = 0;
        foreach (Gpt2Weight weight in PackedWeights.MatricesOf(parameters))
        {
            _places.Add(weight.Name, end);
            _bands.AddRange(packed is null ? ResidentBand.Of(weight, end) : ResidentBand.Of(packed[weight], end));
            end += SizeOf(weight.Leaf, precision);
        }

        Memory = new LargePages(end);
    }

    /// <summary>What they lie in. Whoever reads them holds it; it goes when all have let go and the weights are disposed of.</summary>
    public LargePages Memory { get; }

    /// <summary>Whether all of them are copied.</summary>
    public bool IsComplete => Volatile.Read(ref _copied) == _bands.Count;

    /// <summary>Where a matrix begins; the caller holds <see cref="Memory"/>.</summary>
    public unsafe byte* this[Gpt2Weight weight] => Memory.Data + _places[weight.Name];

    /// <summary>The bytes that they take.</summary>
    public static long SizeOf(Gpt2HyperParameters h, Gpt2Precision precision) =>
        Gpt2Architecture.Sum(h, leaf => leaf.IsMatrix ? SizeOf(leaf, precision) : 0);

    /// <summary>Whether a matrix in float32 keeps the order that it has in the file.</summary>
    public static bool IsWalkedByRows(Gpt2Leaf leaf) => leaf.Kind == Gpt2LeafKind.TokenEmbedding;

    /// <summary>A projection in float32 over its panels, which begin at an address.</summary>
    public static unsafe PackedMatrix PanelsOf(Gpt2Weight weight, byte* data) =>
        new(data, PackedFormat.Of(Gpt2Precision.Float32), weight.Leaf.Walk.Rows, weight.Leaf.Walk.Columns);

    /// <summary>Copies the next of them, unless somebody else does so now.</summary>
    /// <param name="pool">The threads.</param>
    /// <param name="share">Which share of all.</param>
    /// <exception cref="Gpt2Exception">The weights are not as they should be, or their file is being overwritten.</exception>
    /// <exception cref="ObjectDisposedException">The model is closed.</exception>
    public void CopyOn(WorkerPool pool, double share)
    {
        if (!_copying.TryEnter()) return;
        try
        {
            ObjectDisposedException.ThrowIf(_isClosed, this);
            int count = Math.Min((int)Math.Ceiling(share * _bands.Count), _bands.Count - _copied);
            pool.Run(new ResidentJob(_bands.GetRange(_copied, count), Memory));
            Volatile.Write(ref _copied, _copied + count);
        }
        finally
        {
            _copying.Exit();
        }
    }

    /// <summary>Ends the copying.</summary>
    public void Dispose()
    {
        lock (_copying)
        {
            _isClosed = true;
            Memory.Dispose();
        }
    }

    // whole cache lines
    private static long SizeOf(Gpt2Leaf leaf, Gpt2Precision precision) => precision == Gpt2Precision.Float32 && IsWalkedByRows(leaf)
        ? Kernels.Padded(leaf.Count) * sizeof(float)
        : PackedWeights.SizeOf(leaf, precision);
}
