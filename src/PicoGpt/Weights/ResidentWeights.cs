using System.Runtime.CompilerServices;
using PicoGpt.Architecture;
using PicoGpt.Files;
using PicoGpt.Machine;
using PicoGpt.Numerics;

namespace PicoGpt.Weights;

/// <summary>
/// The matrices of a model once more, in memory of this process's own and in the order in which products walk them: projections in float32
/// as panels, what is packed as it is, the embedding, whose rows the logits walk, as it is. Their values are the same to the last bit; what
/// is read of them is read faster than the mapped file, in which a projection's columns lie far apart and pages are small.
/// </summary>
internal sealed unsafe class ResidentWeights : IDisposable
{
    private const nint RowSize = PackedMatrix.Side * sizeof(float);

    private readonly Dictionary<string, long> _places;

    private ResidentWeights(LargePages memory, Dictionary<string, long> places) => (Memory, _places) = (memory, places);

    /// <summary>What they lie in. Whoever reads them holds it; it goes when all have let go and the weights are disposed of.</summary>
    public LargePages Memory { get; }

    /// <summary>Where a matrix begins; the caller holds <see cref="Memory"/>.</summary>
    public byte* this[Gpt2Weight weight] => Memory.Data + _places[weight.Name];

    /// <summary>The bytes that they take.</summary>
    public static long SizeOf(Gpt2HyperParameters h, Gpt2Precision precision) =>
        Gpt2Architecture.Sum(h, leaf => leaf.IsMatrix ? SizeOf(leaf, precision) : 0);

    /// <summary>Copies a model's matrices.</summary>
    /// <param name="parameters">The weights.</param>
    /// <param name="precision">How the model runs.</param>
    /// <param name="packed">The matrices in that precision; <see langword="null"/> in float32.</param>
    /// <param name="cancellationToken">Ends the copying.</param>
    /// <exception cref="Gpt2Exception">The weights are not as they should be, or their file is being overwritten.</exception>
    /// <exception cref="OutOfMemoryException">There is no memory for them.</exception>
    /// <exception cref="ObjectDisposedException">The model is closed.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static ResidentWeights Copy(Gpt2Parameters parameters, Gpt2Precision precision, PackedWeights? packed, CancellationToken cancellationToken)
    {
        var memory = new LargePages(SizeOf(parameters.HyperParameters, precision));
        try
        {
            var places = new Dictionary<string, long>(StringComparer.Ordinal);
            long end = 0;
            foreach (Gpt2Weight weight in PackedWeights.MatricesOf(parameters))
            {
                byte* target = memory.Data + end;
                long size = SizeOf(weight.Leaf, precision);
                if (packed is not null) Copy(packed[weight][..(int)size], target, cancellationToken);
                else if (IsWalkedByRows(weight.Leaf)) Copy(weight.Values[..(int)weight.Count], (float*)target, cancellationToken);
                else CopyPanels(weight, target, cancellationToken);
                places.Add(weight.Name, end);
                end += size;
            }

            return new ResidentWeights(memory, places);
        }
        catch
        {
            memory.Dispose();
            throw;
        }
    }

    public void Dispose() => Memory.Dispose();

    /// <summary>A projection in float32 over its panels.</summary>
    public PackedMatrix PanelsOf(Gpt2Weight weight) => PanelsOf(weight.Leaf, this[weight]);

    private static bool IsWalkedByRows(Gpt2Leaf leaf) => leaf.Kind == Gpt2LeafKind.TokenEmbedding;

    private static PackedMatrix PanelsOf(Gpt2Leaf leaf, byte* data) => new(data, PackedFormat.Of(Gpt2Precision.Float32), leaf.Walk.Rows, leaf.Walk.Columns);

    // whole cache lines
    private static long SizeOf(Gpt2Leaf leaf, Gpt2Precision precision) => precision == Gpt2Precision.Float32 && IsWalkedByRows(leaf)
        ? Kernels.Padded(leaf.Count) * sizeof(float)
        : PackedWeights.SizeOf(leaf, precision);

    private static void Copy<T>(ReadOnlyMemory<T> source, T* target, CancellationToken cancellationToken)
        where T : unmanaged
    {
        const int Piece = 1 << 20;
        using var held = new HeldMemory<T>(source);
        for (int at = 0; at < held.Length; at += Piece)
        {
            cancellationToken.ThrowIfCancellationRequested();
            ReadOnlySpan<T> piece = held.Span.Slice(at, Math.Min(Piece, held.Length - at));
            piece.CopyTo(new Span<T>(target + at, piece.Length));
        }

        held.ThrowIfChanged();
    }

    // Row by row, as memory reads fastest; compiled with all optimizations at once, since it runs once.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void CopyPanels(Gpt2Weight weight, byte* target, CancellationToken cancellationToken) // [n_in, n_out]
    {
        using var held = new HeldMemory<float>(weight.Values[..(int)weight.Count]);
        PackedMatrix panels = PanelsOf(weight.Leaf, target);
        float* source = held.Start;
        for (int row = 0; row < panels.Rows; row++)
        {
            if (row % PackedMatrix.Side == 0) cancellationToken.ThrowIfCancellationRequested();
            for (int panel = 0, left = panels.Columns; left > 0; panel++, left -= PackedMatrix.Side)
            {
                var start = new Span<float>((float*)panels.PanelPointer(panel) + (row * PackedMatrix.Side), PackedMatrix.Side);
                int columns = Math.Min(left, PackedMatrix.Side);
                new ReadOnlySpan<float>(source, columns).CopyTo(start);
                start[columns..].Clear();
                source += columns;
            }
        }

        for (int panel = 0; panel < panels.Panels; panel++) // the rows that fill up the last block
            new Span<byte>(panels.PanelPointer(panel) + (panels.Rows * RowSize), (int)(panels.PanelSize - (panels.Rows * RowSize))).Clear();
        held.ThrowIfChanged();
    }
}
