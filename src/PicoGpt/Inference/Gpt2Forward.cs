using PicoGpt.Architecture;
using PicoGpt.Numerics;
using PicoGpt.Weights;

namespace PicoGpt.Inference;

/// <summary>
/// The forward pass, as picoGPT's gpt2.py has it, over a batch of rows: the next positions of one text or of several, each
/// with its own key/value cache. No row's result depends on the others. It is for one thread at a time.
/// </summary>
internal sealed unsafe class Gpt2Forward : IDisposable
{
    /// <summary>The most rows of a batch. Bounds the working memory and the time to notice a cancellation.</summary>
    public const int MostRows = Gpt2MemoryNeed.Portion;

    /// <summary>The most rows whose logits are computed together.</summary>
    public const int MostLogits = 64;

    private readonly Gpt2Model _model;
    private readonly Gpt2HyperParameters _h;
    private readonly PinnedParameters _pinned;
    private readonly Gpt2Tree<PinnedWeight> _parameters;
    private readonly Workspace _workspace;
    private readonly bool _ownsWorkspace;
    private readonly LayerNormJob _layerNorm;
    private readonly ProjectionJob _projection;
    private readonly AttentionJob _attention;
    private readonly LogitsJob _toVocabulary;
    private int _rows;

    /// <param name="model">The model; it may be closed meanwhile.</param>
    /// <param name="threads">Threads to compute with; 0 for one a physical core.</param>
    /// <param name="kernels">The loops.</param>
    /// <exception cref="Gpt2Exception">The checkpoint's data is not as its index says.</exception>
    /// <exception cref="ObjectDisposedException">The model is closed.</exception>
    public Gpt2Forward(Gpt2Model model, int threads, Kernels kernels)
        : this(model, new Workspace(model.HyperParameters, threads, kernels), ownsWorkspace: true)
    {
    }

    /// <param name="model">The model; it may be closed meanwhile.</param>
    /// <param name="workspace">What to compute with; it belongs to who made it, and outlives the pass.</param>
    /// <exception cref="Gpt2Exception">The checkpoint's data is not as its index says.</exception>
    /// <exception cref="ObjectDisposedException">The model is closed.</exception>
    public Gpt2Forward(Gpt2Model model, Workspace workspace)
        : this(model, workspace, ownsWorkspace: false)
    {
    }

    private Gpt2Forward(Gpt2Model model, Workspace workspace, bool ownsWorkspace)
    {
        (_model, _h, _workspace, _ownsWorkspace) = (model, model.HyperParameters, workspace, ownsWorkspace);
        _layerNorm = new LayerNormJob(workspace.Kernels);
        _projection = new ProjectionJob(workspace.Kernels);
        _attention = new AttentionJob(workspace.Kernels, _h.NHead, _h.HeadSize, _h.NCtx, workspace.AttentionScratch);
        _toVocabulary = new LogitsJob(workspace.Kernels);
        try
        {
            model.ThrowIfDisposed();
            _pinned = new PinnedParameters(model.Parameters, model.Pack());
            _parameters = _pinned.Tree;
        }
        catch
        {
            if (ownsWorkspace) workspace.Dispose();
            throw;
        }
    }

    /// <summary>Who is shown what passes through, if anybody. The results are the same bits with and without.</summary>
    public IForwardObserver? Observer { get => _attention.Observer; set => _attention.Observer = value; }

    /// <summary>Tokens of the vocabulary.</summary>
    public int Vocabulary => _h.NVocab;

    /// <summary>The fault of tokens that pass the end of the context.</summary>
    public static Gpt2Exception DoesNotFit(KeyValueCache cache, int tokens) => new(
        Gpt2Error.ContextExceeded,
        $"{tokens} tokens do not fit: the model's context has {cache.Capacity} positions, of which {cache.Length} are taken.");

    /// <summary>An empty cache for a text.</summary>
    public KeyValueCache NewCache() => new(_h.NLayer, _h.NHead, _h.HeadSize, _h.NCtx);

    /// <summary>Begins a batch.</summary>
    /// <exception cref="Gpt2Exception"><see cref="Gpt2Error.FileChanged"/>: a file of the weights is being overwritten.</exception>
    public void Begin()
    {
        _model.ThrowIfChanged();
        _rows = 0;
        _attention.Segments.Clear();
    }

    /// <summary>Adds a text's next tokens to the batch; a text is added once.</summary>
    /// <returns>The row of the first of them.</returns>
    /// <exception cref="Gpt2Exception">The context would overflow, or an id is outside the vocabulary.</exception>
    public int Add(KeyValueCache cache, ReadOnlySpan<int> ids) // [n_seq] -> [n_seq, n_embd]
    {
        Check(cache, ids);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(ids.Length, MostRows - _rows);
        int first = _rows;
        for (int t = 0; t < ids.Length; t++) Embed(ids[t], cache.Length + t, _workspace.X.Row(first + t));
        _attention.Segments.Add(new Segment(cache, first, ids.Length));
        _rows += ids.Length;
        return first;
    }

    /// <summary>Runs the batch through all blocks and remembers its positions.</summary>
    /// <exception cref="OperationCanceledException">It was cancelled; no position is remembered.</exception>
    /// <exception cref="Gpt2Exception"><see cref="Gpt2Error.FileChanged"/>: a file of the weights is being overwritten.</exception>
    public void Run(CancellationToken cancellationToken)
    {
        Matrix x = _workspace.X.Take(_rows); // [n_rows, n_embd]
        for (int layer = 0; layer < _h.NLayer; layer++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            _model.ThrowIfChanged();
            TransformerBlock(x, layer);
        }

        foreach (Segment segment in _attention.Segments) segment.Cache.Length += segment.Rows;
    }

    /// <summary>The final layer norm of the given rows; valid until the next call.</summary>
    /// <exception cref="Gpt2Exception"><see cref="Gpt2Error.FileChanged"/>: a file of the weights is being overwritten.</exception>
    public Matrix FinalNorm(ReadOnlySpan<int> rows) // [n_rows, n_embd] -> [n, n_embd]
    {
        _model.ThrowIfChanged();
        Matrix normed = _workspace.Normed.Take(rows.Length);
        for (int i = 0; i < rows.Length; i++)
            _workspace.Kernels.LayerNorm(
                _workspace.X.Only(rows[i]), _parameters.LnF.G.Vector, _parameters.LnF.B.Vector, normed.Only(i), 0, 1);
        return normed;
    }

    /// <summary>The logits of the token after each of the given rows; valid until the next call.</summary>
    /// <exception cref="Gpt2Exception"><see cref="Gpt2Error.FileChanged"/>: a file of the weights is being overwritten.</exception>
    public Matrix Logits(ReadOnlySpan<int> rows) // [n_rows, n_embd] -> [n, n_vocab]
    {
        _toVocabulary.X = FinalNorm(rows);
        _toVocabulary.Wte = _parameters.Wte;
        _toVocabulary.Y = _workspace.Logits.Take(rows.Length);
        _workspace.Pool.Run(_toVocabulary);
        return _toVocabulary.Y;
    }

    /// <summary>Divides further work among the threads of the pass.</summary>
    public void Run(Job job) => _workspace.Pool.Run(job);

    public void Dispose()
    {
        _pinned.Dispose();
        if (_ownsWorkspace) _workspace.Dispose();
    }

    // token and position embeddings
    private void Embed(int id, int position, Span<float> x) // [n_embd]
    {
        PinnedWeight wte = _parameters.Wte;
        if (wte.IsPacked) wte.Packed.CopyColumn(id, x);
        else wte.Plain.Row(id).CopyTo(x);
        ReadOnlySpan<float> wpe = _parameters.Wpe.Plain.Row(position);
        for (int i = 0; i < x.Length; i++) x[i] += wpe[i];
    }

    private void TransformerBlock(Matrix x, int layer) // [n_rows, n_embd] -> [n_rows, n_embd], in place
    {
        Gpt2Block<PinnedWeight> block = _parameters.Blocks[layer];
        Observer?.Observe(ActivationSite.ResidualBefore, layer, x);

        // multi-head causal self attention
        Matrix normed = LayerNorm(x, block.Ln1, _workspace.Normed.Take(x.Rows)); // [n_rows, n_embd]
        Observer?.Observe(ActivationSite.Ln1, layer, normed);
        Matrix qkv = Project(normed, block.Attn.CAttn, _workspace.Qkv.Take(x.Rows)); // [n_rows, n_embd] -> [n_rows, 3 n_embd]
        Observer?.Observe(ActivationSite.Qkv, layer, qkv);
        Matrix heads = Attend(qkv, layer, _workspace.Heads.Take(x.Rows)); // [n_rows, 3 n_embd] -> [n_rows, n_embd]
        Observer?.Observe(ActivationSite.Heads, layer, heads);
        Matrix added = Project(heads, block.Attn.CProj, _workspace.Projected.Take(x.Rows), residual: x); // [n_rows, n_embd]
        Observer?.Observe(ActivationSite.Attention, layer, added);
        Observer?.Observe(ActivationSite.ResidualMiddle, layer, x);

        // position-wise feed-forward network
        normed = LayerNorm(x, block.Ln2, _workspace.Normed.Take(x.Rows)); // [n_rows, n_embd]
        Observer?.Observe(ActivationSite.Ln2, layer, normed);
        Matrix hidden = FeedForward(normed, block.Mlp.CFc, layer, _workspace.Hidden.Take(x.Rows)); // [n_rows, n_embd] -> [n_rows, 4 n_embd]
        added = Project(hidden, block.Mlp.CProj, _workspace.Projected.Take(x.Rows), residual: x); // [n_rows, 4 n_embd] -> [n_rows, n_embd]
        Observer?.Observe(ActivationSite.Mlp, layer, added);
        Observer?.Observe(ActivationSite.ResidualAfter, layer, x);
    }

    // An observer sees the hidden values before GELU too, so that both cannot be done at once then.
    private Matrix FeedForward(Matrix normed, Gpt2Linear<PinnedWeight> linear, int layer, Matrix hidden)
    {
        Project(normed, linear, hidden, gelu: Observer is null);
        if (Observer is null) return hidden;
        Observer.Observe(ActivationSite.Hidden, layer, hidden);
        for (int t = 0; t < hidden.Rows; t++) _workspace.Kernels.Gelu(hidden.RowPointer(t), hidden.Columns);
        Observer.Observe(ActivationSite.Gelu, layer, hidden);
        return hidden;
    }

    private Matrix LayerNorm(Matrix x, Gpt2LayerNorm<PinnedWeight> norm, Matrix y)
    {
        _layerNorm.X = x;
        _layerNorm.G = norm.G;
        _layerNorm.B = norm.B;
        _layerNorm.Y = y;
        if (x.Rows == 1) _layerNorm.Execute(0, 1); // a barrier would cost more than the row
        else _workspace.Pool.Run(_layerNorm);
        return y;
    }

    private Matrix Project(Matrix x, Gpt2Linear<PinnedWeight> linear, Matrix y, bool gelu = false, Matrix residual = default)
    {
        linear.W.Require(x.Columns, y.Columns);
        _projection.X = x;
        _projection.W = linear.W;
        _projection.B = linear.B;
        _projection.Y = y;
        _projection.Gelu = gelu;
        _projection.Residual = residual;
        _workspace.Pool.Run(_projection);
        return y;
    }

    private Matrix Attend(Matrix qkv, int layer, Matrix y)
    {
        _attention.Layer = layer;
        _attention.Qkv = qkv;
        _attention.Y = y;
        _workspace.Pool.Run(_attention);
        return y;
    }

    private void Check(KeyValueCache cache, ReadOnlySpan<int> ids)
    {
        if (ids.IsEmpty) throw new ArgumentException("There is no token to read.", nameof(ids));
        if (ids.Length > cache.Capacity - cache.Length) throw DoesNotFit(cache, ids.Length);
        foreach (int id in ids)
        {
            if ((uint)id < (uint)_h.NVocab) continue;
            throw new Gpt2Exception(
                Gpt2Error.InvalidToken, $"The token id {id} is outside the model's vocabulary of {_h.NVocab} (0 to {_h.NVocab - 1}).");
        }
    }
}
