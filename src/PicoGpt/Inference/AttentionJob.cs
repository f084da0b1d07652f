using PicoGpt.Numerics;

namespace PicoGpt.Inference;

/// <summary>Multi-head causal self attention of new positions over all positions of their text, divided by texts and heads.</summary>
internal sealed unsafe class AttentionJob : Job
{
    private readonly Kernels _kernels;
    private readonly int _heads;
    private readonly int _headSize;
    private readonly int _paddedHeadSize;
    private readonly AlignedBuffer _scratch;
    private readonly int _scoresLength;
    private readonly int _tileLength;
    private readonly long _scratchLength;
    private readonly WorkShares _items = new(); // heads of texts

    /// <param name="kernels">The loops.</param>
    /// <param name="heads">n_head.</param>
    /// <param name="headSize">n_embd / n_head.</param>
    /// <param name="capacity">n_ctx.</param>
    /// <param name="scratch">For every thread <see cref="ScratchLength"/> elements.</param>
    public AttentionJob(Kernels kernels, int heads, int headSize, int capacity, AlignedBuffer scratch)
    {
        _kernels = kernels;
        _heads = heads;
        _headSize = headSize;
        _paddedHeadSize = KeyValueCache.Pad(headSize);
        _scoresLength = ScoresLength(capacity);
        _tileLength = TileLength(headSize, capacity);
        _scratchLength = ScratchLength(headSize, capacity);
        _scratch = scratch;
    }

    /// <summary>Which rows belong to which text.</summary>
    public List<TextRows> Texts { get; } = [];

    /// <summary>The layer whose cache is used.</summary>
    public int Layer { get; set; }

    /// <summary>What the scores are multiplied by.</summary>
    public float Scale { get; set; }

    /// <summary>Queries, keys and values of the new positions: [n_rows, 3 n_embd].</summary>
    public Matrix Qkv { get; set; }

    /// <summary>The heads' results side by side: [n_rows, n_embd].</summary>
    public Matrix Y { get; set; }

    /// <summary>Who sees the weights of every row, and may change them, if anybody.</summary>
    public IForwardHook? Hook { get; set; }

    /// <summary>The elements of scratch memory that a thread takes.</summary>
    public static long ScratchLength(int headSize, int capacity) =>
        TileLength(headSize, capacity) + ((long)ScoresLength(capacity) * (headSize + KeyValueCache.Pad(headSize)));

    public override void Prepare(int parts) => _items.Divide(Texts.Count * _heads, parts);

    public override void Execute(int part, int parts)
    {
        float* scratch = _scratch.Data + (part * _scratchLength);
        while (_items.TryTake(part, out WorkPiece some))
        {
            for (int item = some.From; item < some.To; item++) Attend(Texts[item / _heads], item % _heads, scratch);
        }
    }

    // of the scores and results of a tile; what is widened lies behind it
    private static int TileLength(int headSize, int capacity) => Kernels.TileRows * (ScoresLength(capacity) + KeyValueCache.Pad(headSize));

    private static int ScoresLength(int capacity) => Kernels.KeyBlocks(capacity) * Kernels.KeyBlock;

    private void Attend(TextRows text, int head, float* scratch)
    {
        int n_embd = _heads * _headSize;
        float* k = Qkv.RowPointer(text.Row) + n_embd + (head * _headSize);
        text.Cache.Store(
            _kernels,
            Layer,
            head,
            text.Cache.Length,
            new Matrix(k, text.Rows, _headSize, Qkv.Stride),
            new Matrix(k + n_embd, text.Rows, _headSize, Qkv.Stride));
        bool isWidened = text.Cache.IsRounded && text.Rows >= Kernels.TileRows;
        if (isWidened) Widen(text, head, scratch + _tileLength);
        for (int t = 0; t < text.Rows; t += Kernels.TileRows)
            Attend(text, head, t, Math.Min(Kernels.TileRows, text.Rows - t), isWidened, scratch);
    }

    // Many rows would widen the same integers many times.
    private void Widen(TextRows text, int head, float* floats)
    {
        KeyValueCache cache = text.Cache;
        int positions = cache.Length + text.Rows;
        short* keys = cache.RoundedKeys(Layer, head);
        for (int j = 0; j < positions; j += Kernels.KeyBlock, keys += (nint)_headSize * Kernels.KeyBlock)
            _kernels.WidenKeys(keys, cache.KeyScales(Layer, head) + j, _headSize, floats + ((nint)j * _headSize));
        floats += (nint)_scoresLength * _headSize;
        _kernels.WidenValues(cache.RoundedValues(Layer, head), cache.ValueScales(Layer, head), positions, _paddedHeadSize, floats);
    }

    // the text's rows t to t + rows
    private void Attend(TextRows text, int head, int t, int rows, bool isWidened, float* scratch)
    {
        KeyValueCache cache = text.Cache;
        int positions = cache.Length + t + 1; // causal: row t sees itself and those before it, every further row one more
        int blocks = Kernels.KeyBlocks(positions + rows - 1);
        int row = text.Row + t;
        var q = new Matrix(Qkv.RowPointer(row) + (head * _headSize), rows, _headSize, Qkv.Stride); // [rows, head_size]
        var scores = new Matrix(scratch, rows, blocks * Kernels.KeyBlock, _scoresLength); // [rows, positions]
        var result = new Matrix(scratch + (Kernels.TileRows * _scoresLength), rows, _paddedHeadSize); // [rows, head_size]
        float* keys = isWidened ? scratch + _tileLength : cache.Keys(Layer, head);
        float* values = isWidened ? keys + ((nint)_scoresLength * _headSize) : cache.Values(Layer, head);
        bool isRounded = cache.IsRounded && !isWidened;
        if (isRounded) _kernels.Scores(q, cache.RoundedKeys(Layer, head), cache.KeyScales(Layer, head), Scale, scores);
        else _kernels.Scores(q, keys, Scale, scores);
        for (int r = 0; r < rows; r++) _kernels.Softmax(scores.RowPointer(r), positions + r);
        for (int r = 0; Hook is not null && r < rows; r++)
            Hook.VisitPattern(Layer, head, new RowPlace(cache, positions + r - 1), scores.Row(r)[..(positions + r)]);
        if (isRounded) _kernels.WeightedSum(scores, cache.RoundedValues(Layer, head), cache.ValueScales(Layer, head), positions, result);
        else _kernels.WeightedSum(scores, values, positions, result);
        for (int r = 0; r < rows; r++) result.Row(r)[.._headSize].CopyTo(Y.Row(row + r)[(head * _headSize)..]);
    }
}
