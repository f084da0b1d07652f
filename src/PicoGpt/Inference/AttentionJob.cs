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
        _scratchLength = Kernels.TileRows * (_scoresLength + cache.PaddedHeadSize);
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
            for (int t = 0; t < Qkv.Rows; t += Kernels.TileRows) Attend(head, t, Math.Min(Kernels.TileRows, Qkv.Rows - t), scratch);
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

    // the rows t to t + rows
    private void Attend(int head, int t, int rows, float* scratch)
    {
        int positions = Past + t + 1; // causal: row t sees itself and those before it, every further row one more
        int blocks = (positions + rows - 1 + Kernels.KeyBlock - 1) / Kernels.KeyBlock;
        var q = new Matrix(Qkv.RowPointer(t) + (head * _headSize), rows, _headSize, Qkv.Stride); // [rows, head_size]
        var scores = new Matrix(scratch, rows, blocks * Kernels.KeyBlock, _scoresLength); // [rows, positions]
        var result = new Matrix(scratch + (Kernels.TileRows * _scoresLength), rows, _cache.PaddedHeadSize); // [rows, head_size]
        _kernels.Scores(q, _cache.Keys(Layer, head), _cache.BlockStride, _scale, scores);
        for (int row = 0; row < rows; row++) _kernels.Softmax(scores.RowPointer(row), positions + row);
        _kernels.WeightedSum(scores, _cache.Values(Layer, head), positions, result);
        for (int row = 0; row < rows; row++)
            new ReadOnlySpan<float>(result.RowPointer(row), _headSize).CopyTo(new Span<float>(Y.RowPointer(t + row) + (head * _headSize), _headSize));
    }
}
