using PicoGpt.Numerics;

namespace PicoGpt.Inference;

/// <summary>Multi-head causal self attention of new positions over all positions, divided by heads.</summary>
internal sealed unsafe class AttentionJob : Job, IDisposable
{
    private readonly Kernels _kernels;
    private readonly KeyValueCache _cache;
    private readonly int _heads;
    private readonly int _headSize;
    private readonly float _scale;
    private readonly AlignedBuffer _scratch;
    private readonly int _scoresLength;
    private readonly int _scratchLength;

    public AttentionJob(Kernels kernels, KeyValueCache cache, int heads, int headSize, int capacity, int threads)
    {
        _kernels = kernels;
        _cache = cache;
        _heads = heads;
        _headSize = headSize;
        _scale = 1f / MathF.Sqrt(headSize);
        _scoresLength = (capacity + Kernels.KeyBlock - 1) / Kernels.KeyBlock * Kernels.KeyBlock;
        _scratchLength = _scoresLength + cache.PaddedHeadSize;
        _scratch = new AlignedBuffer((long)_scratchLength * threads);
    }

    /// <summary>The layer whose cache is used.</summary>
    public int Layer { get; set; }

    /// <summary>Positions that the cache holds already.</summary>
    public int Past { get; set; }

    /// <summary>Queries, keys and values of the new positions: [n_seq, 3 n_embd].</summary>
    public Matrix Qkv { get; set; }

    /// <summary>The heads' results side by side: [n_seq, n_embd].</summary>
    public Matrix Y { get; set; }

    public override void Execute(int part, int parts)
    {
        (int from, int to) = Share(_heads, part, parts);
        float* scratch = _scratch.Data + ((nint)part * _scratchLength);
        for (int head = from; head < to; head++)
        {
            Remember(head);
            for (int t = 0; t < Qkv.Rows; t++) Attend(head, t, scratch, scratch + _scoresLength);
        }
    }

    public void Dispose() => _scratch.Dispose();

    private void Remember(int head)
    {
        int n_embd = _heads * _headSize;
        for (int t = 0; t < Qkv.Rows; t++)
        {
            float* k = Qkv.RowPointer(t) + n_embd + (head * _headSize);
            _cache.Store(Layer, head, Past + t, k, k + n_embd);
        }
    }

    private void Attend(int head, int t, float* scores, float* result)
    {
        int positions = Past + t + 1; // causal: this one and those before it
        int blocks = (positions + Kernels.KeyBlock - 1) / Kernels.KeyBlock;
        float* q = Qkv.RowPointer(t) + (head * _headSize);
        _kernels.Scores(q, _cache.Keys(Layer, head), _cache.BlockStride, blocks, _headSize, _scale, scores);
        _kernels.Softmax(scores, positions);
        _kernels.WeightedSum(scores, _cache.Values(Layer, head), positions, _cache.PaddedHeadSize, result);
        new ReadOnlySpan<float>(result, _headSize).CopyTo(new Span<float>(Y.RowPointer(t) + (head * _headSize), _headSize));
    }
}
