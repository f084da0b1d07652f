using PicoGpt.Architecture;
using PicoGpt.Numerics;

namespace PicoGpt.Adapters;

/// <summary>
/// Low-rank adapters of a model's projections, in memory and zero at first (E. Hu and others, "LoRA: low-rank adaptation of large language
/// models", 2021): what is trained while the model stays as it is; and of the same shape their gradient and its moments.
/// </summary>
internal sealed unsafe class LowRankAdapter : IDisposable
{
    private readonly AlignedBuffer _buffer;
    private readonly List<(Gpt2Leaf Leaf, LowRankPair Pair)> _pairs = [];

    /// <param name="h">The shape of the model.</param>
    /// <param name="rank">The rank.</param>
    /// <param name="alpha">What is divided by the rank for the scale.</param>
    /// <param name="adapts">Whether the projection of a name has an adapter.</param>
    public LowRankAdapter(Gpt2HyperParameters h, int rank, double alpha, Func<string, bool> adapts)
    {
        (Rank, Alpha, Adapts) = (rank, alpha, adapts);
        _buffer = new AlignedBuffer(Gpt2Architecture.Leaves(h).Where(Has).Sum(leaf => LengthOf(rank, leaf.Shape[0]) + LengthOf(rank, leaf.Shape[1])));
        float* next = _buffer.Data;
        Tree = new Gpt2Tree<LowRankPair>(h, leaf =>
        {
            LowRankPair pair = Has(leaf) ? new LowRankPair(Next(leaf.Shape[0]), Next(leaf.Shape[1]), (float)(alpha / rank)) : default;
            if (pair.IsThere) _pairs.Add((leaf, pair));
            return pair;
        });

        bool Has(Gpt2Leaf leaf) => leaf.Kind == Gpt2LeafKind.Projection && adapts(leaf.Name);

        Matrix Next(int columns)
        {
            var matrix = new Matrix(next, rank, columns);
            next += LengthOf(rank, columns);
            return matrix;
        }
    }

    /// <summary>The rank.</summary>
    public int Rank { get; }

    /// <summary>The scale times the rank.</summary>
    public double Alpha { get; }

    /// <summary>Whether the projection of a name has an adapter.</summary>
    public Func<string, bool> Adapts { get; }

    /// <summary>The adapters by the weights that they belong to.</summary>
    public Gpt2Tree<LowRankPair> Tree { get; }

    /// <summary>Those that are there, in the order of the model.</summary>
    public IReadOnlyList<(Gpt2Leaf Leaf, LowRankPair Pair)> Pairs => _pairs;

    /// <summary>All of their matrices, in one order.</summary>
    public IEnumerable<Matrix> Matrices
    {
        get
        {
            foreach ((_, LowRankPair pair) in _pairs)
            {
                yield return pair.A;
                yield return pair.B;
            }
        }
    }

    /// <summary>Memory of the same shape, zero: for the gradient or a moment of it.</summary>
    public LowRankAdapter OfSameShape() => new(Tree.HyperParameters, Rank, Alpha, Adapts);

    /// <summary>Fills every A with normal numbers of the variance 1 / in, and leaves every B zero: the model is what it is without the adapter.</summary>
    public void Initialize(ulong seed)
    {
        var random = new Random64(seed);
        foreach ((_, LowRankPair pair) in _pairs)
        {
            double deviation = 1 / Math.Sqrt(pair.A.Columns);
            foreach (ref float value in pair.A.Values) value = (float)(NormalRandom.Pair(random).First * deviation);
        }
    }

    /// <summary>The memory of them all.</summary>
    public AlignedBuffer Memory => _buffer;

    /// <inheritdoc/>
    public void Dispose() => _buffer.Dispose();

    // Every matrix begins where a cache line does.
    private static long LengthOf(int rows, int columns) => Kernels.Padded((long)rows * columns);
}
