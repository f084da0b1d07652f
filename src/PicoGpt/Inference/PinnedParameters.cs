using System.Buffers;
using PicoGpt.Adapters;
using PicoGpt.Architecture;
using PicoGpt.Machine;
using PicoGpt.Numerics;
using PicoGpt.Weights;

namespace PicoGpt.Inference;

/// <summary>
/// The weights at fixed addresses for the length of a computation. While they are pinned the files stay mapped, even if
/// the model is closed meanwhile.
/// </summary>
internal sealed unsafe class PinnedParameters : IDisposable
{
    private readonly List<MemoryHandle> _handles = [];
    private readonly Gpt2Parameters _parameters;
    private readonly PackedWeights? _packed;
    private LargePages? _resident; // held

    /// <param name="parameters">The weights.</param>
    /// <param name="packed">The matrices in less than float32, or <see langword="null"/> for the weights' own.</param>
    /// <param name="adapter">What is added to the projections; <see langword="null"/> for nothing.</param>
    /// <param name="cancellationToken">Ends the reading, after the weight that is being read.</param>
    public PinnedParameters(Gpt2Parameters parameters, PackedWeights? packed, LowRankAdapter? adapter, CancellationToken cancellationToken = default)
    {
        (_parameters, _packed) = (parameters, packed);
        Verify([.. parameters.Where(weight => !IsPacked(weight))], cancellationToken);
        try
        {
            using IEnumerator<LowRankPair>? pairs = adapter?.Tree.GetEnumerator();
            Tree = parameters.Map(weight => Pin(weight) with { LowRank = pairs?.MoveNext() == true ? pairs.Current : default });
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The tree of them. Token embeddings, <c>[n_vocab, n_embd]</c>, are transposed where they are packed.</summary>
    public Gpt2Tree<PinnedWeight> Tree { get; private set; }

    /// <summary>
    /// Goes on with the same matrices where they are read faster. What stands in the tree from before stays where it is: no address that was
    /// given out goes.
    /// </summary>
    /// <param name="resident">The matrices; they are held until this is disposed of.</param>
    /// <exception cref="ObjectDisposedException">They are gone already.</exception>
    public void Move(ResidentWeights resident)
    {
        bool isHeld = false;
        resident.Memory.DangerousAddRef(ref isHeld);
        _resident = resident.Memory;
        using IEnumerator<PinnedWeight> before = Tree.GetEnumerator();
        Tree = _parameters.Map(weight => before.MoveNext() ? Moved(weight, before.Current, resident) : default);
    }

    public void Dispose()
    {
        foreach (MemoryHandle handle in _handles) handle.Dispose();
        _handles.Clear();
        _resident?.DangerousRelease();
        _resident = null;
    }

    // The first use of a weight reads it all, to verify its checksum: side by side that takes a tenth of a second per gigabyte.
    private static void Verify(Gpt2Weight[] weights, CancellationToken cancellationToken) => ParallelLoop.For(weights.Length, i =>
    {
        cancellationToken.ThrowIfCancellationRequested();
        _ = weights[i].Values;
    });

    private bool IsPacked(Gpt2Weight weight) => _packed is not null && weight.Leaf.IsMatrix;

    // An embedding is read by rows, in its place in memory as in the file; a projection keeps its rows for whoever needs them.
    private PinnedWeight Moved(Gpt2Weight weight, PinnedWeight before, ResidentWeights resident)
    {
        if (!weight.Leaf.IsMatrix) return before;
        if (before.IsPacked) return new PinnedWeight(_packed!.MatrixOf(weight, resident[weight])) { LowRank = before.LowRank };
        return ResidentWeights.IsWalkedByRows(weight.Leaf)
            ? new PinnedWeight(new Matrix((float*)resident[weight], before.Plain.Rows, before.Plain.Columns)) { LowRank = before.LowRank }
            : before with { Packed = ResidentWeights.PanelsOf(weight, resident[weight]) };
    }

    private PinnedWeight Pin(Gpt2Weight weight)
    {
        if (IsPacked(weight)) return new PinnedWeight(_packed!.MatrixOf(weight, (byte*)Pin(_packed[weight])));
        ReadOnlyMemory<float> values = weight.Values;
        if (values.Length != weight.Count)
            throw new InvalidOperationException($"{weight.Name} has {values.Length} values where its shape has {weight.Count}.");
        int rows = weight.Shape.Count == 1 ? 1 : weight.Shape[0];
        return new PinnedWeight(new Matrix((float*)Pin(values), rows, weight.Shape[^1]));
    }

    private void* Pin<T>(ReadOnlyMemory<T> memory)
    {
        MemoryHandle handle = memory.Pin();
        _handles.Add(handle);
        return handle.Pointer;
    }
}
