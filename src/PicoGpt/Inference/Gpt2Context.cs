using PicoGpt.Numerics;
using PicoGpt.Weights;

namespace PicoGpt.Inference;

/// <summary>
/// One text being read by a model: the forward pass and its key/value cache. Tokens are fed in any portions; the logits
/// do not depend on the portions, on the number of threads or on the vector width, to the last bit. A context is for one
/// thread at a time; several contexts may share a model.
/// </summary>
public sealed unsafe class Gpt2Context : IDisposable
{
    // Positions computed together. Bounds the working memory and the time to notice a cancellation.
    private const int Chunk = 256;

    private readonly Gpt2HyperParameters _h;
    private readonly PinnedParameters _parameters;
    private readonly KeyValueCache _cache;
    private readonly WorkerPool _pool;
    private readonly List<AlignedBuffer> _buffers = [];
    private readonly Matrix _x, _normed, _qkv, _heads, _hidden, _projected, _logits;
    private readonly LayerNormJob _layerNorm;
    private readonly ProjectionJob _projection;
    private readonly AttentionJob _attention;
    private readonly LogitsJob _toVocabulary;

    /// <summary>Starts an empty context.</summary>
    /// <param name="model">The model; it may be closed while the context lives.</param>
    /// <param name="threads">Threads to compute with; 0 for one a processor.</param>
    /// <exception cref="Gpt2Exception">The checkpoint's data is not as its index says.</exception>
    /// <exception cref="ObjectDisposedException">The model is closed.</exception>
    public Gpt2Context(Gpt2Model model, int threads = 0)
        : this(model, threads, Kernels.Best)
    {
    }

    internal Gpt2Context(Gpt2Model model, int threads, Kernels kernels)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentOutOfRangeException.ThrowIfNegative(threads);
        model.ThrowIfDisposed();
        _h = model.HyperParameters;
        if (threads == 0) threads = Environment.ProcessorCount;
        _cache = new KeyValueCache(_h.NLayer, _h.NHead, _h.HeadSize, _h.NCtx);
        int rows = Math.Min(Chunk, _h.NCtx);
        _x = Buffer(rows, _h.NEmbd);
        _normed = Buffer(rows, _h.NEmbd);
        _qkv = Buffer(rows, 3 * _h.NEmbd);
        _heads = Buffer(rows, _h.NEmbd);
        _hidden = Buffer(rows, 4 * _h.NEmbd);
        _projected = Buffer(rows, _h.NEmbd);
        _logits = Buffer(1, _h.NVocab);
        _layerNorm = new LayerNormJob(kernels);
        _projection = new ProjectionJob(kernels, 4 * _h.NEmbd, threads);
        _attention = new AttentionJob(kernels, _cache, _h.NHead, _h.HeadSize, _h.NCtx, threads);
        _toVocabulary = new LogitsJob(kernels);

        // Last, what the garbage collector would not take back if something before it failed.
        _parameters = new PinnedParameters(model.Parameters);
        _pool = new WorkerPool(threads);
    }

    /// <summary>The most positions that the context holds: <c>n_ctx</c>.</summary>
    public int Capacity => _h.NCtx;

    /// <summary>Positions read so far.</summary>
    public int Length { get; private set; }

    /// <summary>Reads further tokens.</summary>
    /// <param name="ids">Token ids, <c>[n_seq]</c>; at least one.</param>
    /// <param name="cancellationToken">Stops between two layers; what was read by this call is forgotten then.</param>
    /// <returns>The logits of the token after the last, <c>[n_vocab]</c>; valid until the next call.</returns>
    /// <exception cref="Gpt2Exception">The context would overflow, or an id is outside the vocabulary.</exception>
    /// <exception cref="OperationCanceledException">The call was cancelled.</exception>
    public ReadOnlySpan<float> Forward(scoped ReadOnlySpan<int> ids, CancellationToken cancellationToken = default)
    {
        CheckFits(ids);
        int length = Length;
        try
        {
            Matrix x = default;
            for (ReadOnlySpan<int> rest = ids; rest.Length > 0; rest = rest[x.Rows..])
                x = Blocks(rest[..Math.Min(Chunk, rest.Length)], cancellationToken); // [n_seq] -> [n_seq, n_embd]
            ToVocabulary(x.Only(x.Rows - 1), _logits); // [1, n_embd] -> [1, n_vocab]
            return _logits.Row(0);
        }
        catch
        {
            Length = length;
            throw;
        }
    }

    /// <summary>Reads further tokens and gives the logits after each of them.</summary>
    /// <param name="ids">Token ids, <c>[n_seq]</c>; at least one.</param>
    /// <param name="logits">Receives the logits, <c>[n_seq, n_vocab]</c> row-major.</param>
    /// <param name="cancellationToken">Stops between two layers; what was read by this call is forgotten then.</param>
    /// <exception cref="ArgumentException"><paramref name="logits"/> is not of that size.</exception>
    /// <exception cref="Gpt2Exception">The context would overflow, or an id is outside the vocabulary.</exception>
    /// <exception cref="OperationCanceledException">The call was cancelled.</exception>
    public void Forward(ReadOnlySpan<int> ids, Span<float> logits, CancellationToken cancellationToken = default)
    {
        CheckFits(ids);
        if (logits.Length != (long)ids.Length * _h.NVocab)
            throw new ArgumentException($"{logits.Length} elements where the logits of {ids.Length} tokens take {(long)ids.Length * _h.NVocab}.", nameof(logits));
        int length = Length;
        try
        {
            while (ids.Length > 0)
            {
                Matrix x = Blocks(ids[..Math.Min(Chunk, ids.Length)], cancellationToken);
                fixed (float* target = logits) ToVocabulary(x, new Matrix(target, x.Rows, _h.NVocab));
                ids = ids[x.Rows..];
                logits = logits[(x.Rows * _h.NVocab)..];
            }
        }
        catch
        {
            Length = length;
            throw;
        }
    }

    /// <summary>Forgets all positions from <paramref name="length"/> on.</summary>
    /// <param name="length">Positions to keep, at most <see cref="Length"/>.</param>
    public void Truncate(int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, Length);
        Length = length;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _pool.Dispose();
        _attention.Dispose();
        _projection.Dispose();
        _cache.Dispose();
        _parameters.Dispose();
        foreach (AlignedBuffer buffer in _buffers) buffer.Dispose();
    }

    private Matrix Blocks(ReadOnlySpan<int> ids, CancellationToken cancellationToken) // [n_seq] -> [n_seq, n_embd]
    {
        Matrix x = Embed(ids);
        for (int layer = 0; layer < _h.NLayer; layer++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            TransformerBlock(x, layer);
        }

        Length += ids.Length;
        return x;
    }

    // token and position embeddings
    private Matrix Embed(ReadOnlySpan<int> ids) // [n_seq] -> [n_seq, n_embd]
    {
        Matrix x = _x.Take(ids.Length);
        for (int t = 0; t < ids.Length; t++)
        {
            Span<float> row = x.Row(t);
            ReadOnlySpan<float> wte = _parameters.Wte.Row(ids[t]);
            ReadOnlySpan<float> wpe = _parameters.Wpe.Row(Length + t);
            for (int i = 0; i < row.Length; i++) row[i] = wte[i] + wpe[i];
        }

        return x;
    }

    private void TransformerBlock(Matrix x, int layer) // [n_seq, n_embd] -> [n_seq, n_embd], in place
    {
        PinnedBlock block = _parameters.Blocks[layer];
        int n_seq = x.Rows;

        // multi-head causal self attention
        Matrix normed = LayerNorm(x, block.Ln1, _normed.Take(n_seq)); // [n_seq, n_embd]
        Matrix qkv = Project(normed, block.CAttn, _qkv.Take(n_seq)); // [n_seq, n_embd] -> [n_seq, 3 n_embd]
        Matrix heads = Attend(qkv, layer, _heads.Take(n_seq)); // [n_seq, 3 n_embd] -> [n_seq, n_embd]
        Project(heads, block.AttnCProj, _projected.Take(n_seq), residual: x); // [n_seq, n_embd]

        // position-wise feed-forward network
        normed = LayerNorm(x, block.Ln2, _normed.Take(n_seq)); // [n_seq, n_embd]
        Matrix hidden = Project(normed, block.CFc, _hidden.Take(n_seq), gelu: true); // [n_seq, n_embd] -> [n_seq, 4 n_embd]
        Project(hidden, block.MlpCProj, _projected.Take(n_seq), residual: x); // [n_seq, 4 n_embd] -> [n_seq, n_embd]
    }

    private void ToVocabulary(Matrix x, Matrix logits) // [n_seq, n_embd] -> [n_seq, n_vocab]
    {
        _toVocabulary.Wte = _parameters.Wte;
        _toVocabulary.X = LayerNorm(x, _parameters.LnF, _normed.Take(x.Rows));
        _toVocabulary.Y = logits;
        _pool.Run(_toVocabulary);
    }

    private Matrix LayerNorm(Matrix x, PinnedLayerNorm norm, Matrix y)
    {
        _layerNorm.X = x;
        _layerNorm.Norm = norm;
        _layerNorm.Y = y;
        if (x.Rows == 1) _layerNorm.Execute(0, 1); // a barrier would cost more than the row
        else _pool.Run(_layerNorm);
        return y;
    }

    private Matrix Project(Matrix x, PinnedLinear linear, Matrix y, bool gelu = false, Matrix residual = default)
    {
        linear.W.Require(x.Columns, y.Columns);
        _projection.X = x;
        _projection.Linear = linear;
        _projection.Y = y;
        _projection.Gelu = gelu;
        _projection.Residual = residual;
        _pool.Run(_projection);
        return y;
    }

    private Matrix Attend(Matrix qkv, int layer, Matrix y)
    {
        _attention.Layer = layer;
        _attention.Past = Length;
        _attention.Qkv = qkv;
        _attention.Y = y;
        _pool.Run(_attention);
        return y;
    }

    // A cache line is added to every row: rows a multiple of 4 KiB apart would all fall into the same few cache sets.
    private Matrix Buffer(int rows, int columns)
    {
        int stride = columns + Kernels.Lanes;
        var buffer = new AlignedBuffer((long)rows * stride);
        _buffers.Add(buffer);
        return new Matrix(buffer.Data, rows, columns, stride);
    }

    private void CheckFits(ReadOnlySpan<int> ids)
    {
        if (ids.IsEmpty) throw new ArgumentException("There is no token to read.", nameof(ids));
        if (ids.Length > Capacity - Length)
        {
            throw new Gpt2Exception(
                Gpt2Error.ContextExceeded,
                $"{ids.Length} tokens do not fit: the model's context has {Capacity} positions, of which {Length} are taken.");
        }

        foreach (int id in ids)
        {
            if ((uint)id >= (uint)_h.NVocab)
                throw new Gpt2Exception(Gpt2Error.InvalidToken, $"The token id {id} is outside the model's vocabulary of {_h.NVocab} (0 to {_h.NVocab - 1}).");
        }
    }
}
