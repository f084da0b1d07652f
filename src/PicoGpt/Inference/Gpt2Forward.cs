using PicoGpt.Adapters;
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
    /// <summary>The most rows of a batch, unless its workspace is for another number. Bounds the working memory and the time to notice a cancellation.</summary>
    public const int MaxRows = Gpt2MemoryNeed.Portion;

    /// <summary>The most rows whose logits are computed together.</summary>
    public const int MaxLogits = 64;

    // In milliseconds. What a pass has read is used only after its last look at the files; the looks between its layers only end it earlier,
    // and each takes as long as a layer norm.
    private const long LookInterval = 100;

    private readonly Gpt2Model _model;
    private readonly Gpt2HyperParameters _h;
    private readonly PinnedParameters _pinned;
    private readonly Residence _residence;
    private readonly Workspace _workspace;
    private readonly bool _ownsWorkspace;
    private readonly LayerNormJob _layerNorm;
    private readonly ProjectionJob _projection;
    private readonly LowRankJob _lowRank;
    private readonly AlignedBuffer? _narrow;
    private readonly QuantizeJob _quantize;
    private readonly AlignedBuffer? _quantized;
    private readonly AttentionJob _attention;
    private readonly LogitsJob _toVocabulary;
    private readonly RowPlace[] _places;
    private readonly RowPlace[] _chosen;
    private int _rows;
    private long _lookedAt; // as Environment.TickCount64

    /// <param name="model">The model; it may be closed meanwhile.</param>
    /// <param name="threads">Threads to compute with; 0 for one per physical core.</param>
    /// <param name="kernels">The loops.</param>
    /// <exception cref="Gpt2Exception">The checkpoint's data is not as its index says.</exception>
    /// <exception cref="ObjectDisposedException">The model is closed.</exception>
    public Gpt2Forward(Gpt2Model model, int threads, Kernels kernels)
        : this(model, new Workspace(model.HyperParameters, threads, kernels), ownsWorkspace: true)
    {
    }

    /// <param name="model">The model; it may be closed meanwhile.</param>
    /// <param name="workspace">What to compute with; it belongs to whoever made it, and outlives the pass.</param>
    /// <exception cref="Gpt2Exception">The checkpoint's data is not as its index says.</exception>
    /// <exception cref="ObjectDisposedException">The model is closed.</exception>
    public Gpt2Forward(Gpt2Model model, Workspace workspace)
        : this(model, workspace, ownsWorkspace: false)
    {
    }

    private Gpt2Forward(Gpt2Model model, Workspace workspace, bool ownsWorkspace)
    {
        (_model, _h, _workspace, _ownsWorkspace) = (model, model.HyperParameters, workspace, ownsWorkspace);
        (_places, _chosen) = (new RowPlace[workspace.Rows], new RowPlace[workspace.Rows]);
        _layerNorm = new LayerNormJob(workspace.Kernels, (float)_h.LayerNormEpsilon);
        _projection = new ProjectionJob(workspace.Kernels, ActivationFunction.Of(_h.Activation));
        _lowRank = new LowRankJob(workspace.Kernels);
        if (model.Adapter is { } adapter) _narrow = new AlignedBuffer((long)workspace.Rows * adapter.Rank);
        _quantize = new QuantizeJob(workspace.Kernels);
        if (Gpt2MemoryNeed.QuantizedLength(_h, model.Precision) is > 0 and long length) _quantized = new AlignedBuffer(Math.Max(workspace.Rows, workspace.Pool.Threads) * Kernels.Padded(length));
        _attention = new AttentionJob(workspace.Kernels, _h.NHead, _h.HeadSize, _h.NCtx, workspace.AttentionScratch);
        _toVocabulary = new LogitsJob(workspace.Kernels);
        try
        {
            model.ThrowIfDisposed();
            _pinned = new PinnedParameters(model.Parameters, model.Pack(), model.Adapter);
            _residence = new Residence(model, _pinned, workspace.Pool);
        }
        catch
        {
            _narrow?.Dispose();
            _quantized?.Dispose();
            if (ownsWorkspace) workspace.Dispose();
            throw;
        }
    }

    /// <summary>Who sees what passes through, and may change it, if anybody.</summary>
    public IForwardHook? Hook { get; set; }

    /// <summary>The weights that it computes with.</summary>
    public Gpt2Tree<PinnedWeight> Parameters => _pinned.Tree;

    /// <summary>Tokens of the vocabulary.</summary>
    public int Vocabulary => _h.NVocab;

    /// <summary>How the model runs.</summary>
    public Gpt2Precision Precision => _model.Precision;

    /// <summary>The fault of tokens that pass the end of the context.</summary>
    public static Gpt2Exception DoesNotFit(KeyValueCache cache, int tokens) => new(
        Gpt2Error.ContextExceeded,
        $"{tokens} tokens do not fit: the model's context has {cache.Capacity} positions, of which {cache.Length} are taken.");

    /// <summary>The fault of a token that the model does not know.</summary>
    public static Gpt2Exception OutsideVocabulary(int id, Gpt2Model model)
    {
        int n_vocab = model.HyperParameters.NVocab;
        return new Gpt2Exception(
            Gpt2Error.InvalidToken,
            model.HasVocabulary && model.Encoder.HasToken(id)
                ? $"The token '{Excerpt.Of(model.Encoder.GetSymbol(id))}' has the id {id} in '{model.Encoder.Location}', for which {model.Name} has no row: it has {n_vocab} (0 to {n_vocab - 1}), "
                    + "and was not trained with that token; leave it out."
                : $"The token id {id} is outside the model's vocabulary of {n_vocab} (0 to {n_vocab - 1}).");
    }

    /// <summary>An empty cache for a text.</summary>
    public KeyValueCache NewCache() => NewCache(_h.NCtx);

    /// <summary>An empty cache for a text of so many positions at most.</summary>
    public KeyValueCache NewCache(int capacity) =>
        new(_h.NLayer, _h.NHead, _h.HeadSize, capacity, isRounded: _model.Precision != Gpt2Precision.Float32);

    /// <summary>Tells between two batches how many are to come, as it seems: where it pays, the weights are read from faster memory then.</summary>
    /// <param name="passes">How many.</param>
    /// <param name="resident">Whether to do so at once, whatever it costs, or never; by default where it pays.</param>
    public void Expect(int passes, bool? resident = null) => _residence.Expect(passes, resident);

    /// <summary>Begins a batch.</summary>
    /// <exception cref="Gpt2Exception"><see cref="Gpt2Error.FileChanged"/>: a file of the weights is being overwritten.</exception>
    public void Begin()
    {
        LookOften();
        _rows = 0;
        _attention.Texts.Clear();
    }

    /// <summary>Adds a text's next tokens to the batch; a text is added once.</summary>
    /// <returns>The row of the first of them.</returns>
    /// <exception cref="Gpt2Exception">The context would overflow, or an id is outside the vocabulary.</exception>
    public int Add(KeyValueCache cache, ReadOnlySpan<int> ids) // [n_seq] -> [n_seq, n_embd]
    {
        Check(cache, ids);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(ids.Length, _workspace.Rows - _rows);
        cache.Reserve(cache.Length + ids.Length);
        int first = _rows;
        foreach (int id in ids)
        {
            _places[_rows] = new RowPlace(cache, cache.Length + _rows - first);
            Embed(id, _workspace.Activations.First.Row(_rows++));
        }

        _attention.Texts.Add(new TextRows(cache, first, ids.Length));
        return first;
    }

    /// <summary>
    /// Adds a text's next positions to the batch by what enters a layer there: <see cref="Run(int, CancellationToken)"/> takes it from that
    /// layer on. The cache needs the earlier positions of these layers only.
    /// </summary>
    /// <returns>The row of the first of them.</returns>
    /// <exception cref="Gpt2Exception">The context would overflow.</exception>
    public int Add(KeyValueCache cache, int layer, ReadOnlySpan<float> residual) // [n, n_embd]
    {
        int first = _rows, rows = residual.Length / _h.NEmbd;
        if (rows > cache.Capacity - cache.Length) throw DoesNotFit(cache, rows);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(rows, _workspace.Rows - _rows);
        cache.Reserve(cache.Length + rows);
        for (int t = 0; t < rows; t++)
        {
            _places[_rows] = new RowPlace(cache, cache.Length + t);
            residual.Slice(t * _h.NEmbd, _h.NEmbd).CopyTo(_workspace.Activations[layer].ResidualBefore.Row(_rows++));
        }

        _attention.Texts.Add(new TextRows(cache, first, rows));
        return first;
    }

    /// <summary>Runs the batch through all blocks and remembers its positions.</summary>
    /// <exception cref="OperationCanceledException">It was cancelled; no position is remembered.</exception>
    /// <exception cref="Gpt2Exception"><see cref="Gpt2Error.FileChanged"/>: a file of the weights is being overwritten.</exception>
    public void Run(CancellationToken cancellationToken)
    {
        AddPositions(_workspace.Activations.First.Take(_rows));
        Run(0, cancellationToken);
    }

    /// <summary>Runs the batch through the blocks from a layer on and remembers its positions.</summary>
    /// <exception cref="OperationCanceledException">It was cancelled; no position is remembered.</exception>
    /// <exception cref="Gpt2Exception"><see cref="Gpt2Error.FileChanged"/>: a file of the weights is being overwritten.</exception>
    public void Run(int firstLayer, CancellationToken cancellationToken)
    {
        for (int layer = firstLayer; layer < _h.NLayer; layer++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            LookOften();
            TransformerBlock(_workspace.Activations[layer], layer);
        }

        _model.ThrowIfChanged(); // before anything is remembered
        foreach (TextRows text in _attention.Texts) text.Cache.Length += text.Rows;
    }

    /// <summary>The final layer norm of the given rows; valid until the next call.</summary>
    /// <exception cref="Gpt2Exception"><see cref="Gpt2Error.FileChanged"/>: a file of the weights is being overwritten.</exception>
    public Matrix FinalNorm(ReadOnlySpan<int> rows) // [n_rows, n_embd] -> [n, n_embd]
    {
        Matrix normed = SeenFinalNorm(rows);
        _model.ThrowIfChanged();
        return normed;
    }

    /// <summary>The logits of the token after each of the given rows; valid until the next call.</summary>
    /// <exception cref="Gpt2Exception"><see cref="Gpt2Error.FileChanged"/>: a file of the weights is being overwritten.</exception>
    public Matrix Logits(ReadOnlySpan<int> rows) // [n_rows, n_embd] -> [n, n_vocab]
    {
        Matrix logits = ToVocabulary(SeenFinalNorm(rows));
        Visit(ActivationSite.Logits, logits, rows);
        return logits;
    }

    /// <summary>
    /// What the logits of the given rows would be if the model ended after a layer. A hook may ask for it when it is called at
    /// <see cref="ActivationSite.ResidualAfter"/>; it is not called for it. Valid until the next call.
    /// </summary>
    /// <exception cref="Gpt2Exception"><see cref="Gpt2Error.FileChanged"/>: a file of the weights is being overwritten.</exception>
    public Matrix Lens(int layer, ReadOnlySpan<int> rows) => // [n_rows, n_embd] -> [n, n_vocab]
        ToVocabulary(FinalNorm(_workspace.Activations[layer].ResidualAfter, rows));

    /// <summary>Lets a batch of whole texts be read, or a block of it be run, once more: none of its positions is remembered.</summary>
    public void Rewind()
    {
        foreach (TextRows text in _attention.Texts) text.Cache.Length = 0;
    }

    /// <summary>Runs a block again on what entered it, after <see cref="Rewind"/>, where the memory of what passes through it is shared.</summary>
    public void Repeat(int layer) => TransformerBlock(_workspace.Activations[layer], layer);

    /// <summary>Which rows of the batch belong to which text.</summary>
    public List<TextRows> Texts => _attention.Texts;

    /// <summary>The threads of the pass, for further work.</summary>
    public WorkerPool Pool => _workspace.Pool;

    public void Dispose()
    {
        _pinned.Dispose();
        _narrow?.Dispose();
        _quantized?.Dispose();
        if (_ownsWorkspace) _workspace.Dispose();
    }

    private void LookOften()
    {
        long now = Environment.TickCount64;
        if (now - _lookedAt < LookInterval) return;
        _model.ThrowIfChanged();
        _lookedAt = now;
    }

    private Matrix SeenFinalNorm(ReadOnlySpan<int> rows)
    {
        Matrix normed = FinalNorm(_workspace.Activations.Last, rows);
        Visit(ActivationSite.FinalNorm, normed, rows);
        return normed;
    }

    private Matrix FinalNorm(Matrix x, ReadOnlySpan<int> rows)
    {
        Matrix normed = _workspace.Activations.FinalNorm.Take(rows.Length);
        for (int i = 0; i < rows.Length; i++)
            LayerNorm(x.Only(rows[i]), Parameters.LnF, normed.Only(i));
        return normed;
    }

    private Matrix ToVocabulary(Matrix normed) // [n, n_embd] -> [n, n_vocab]
    {
        PrepareLogits(normed);
        _workspace.Pool.Run(_toVocabulary);
        _model.ThrowIfChanged();
        return _toVocabulary.Y;
    }

    private void PrepareLogits(Matrix normed)
    {
        _toVocabulary.X = normed;
        _toVocabulary.Quantized = Quantize(normed, Parameters.LmHead);
        _toVocabulary.W = Parameters.LmHead;
        _toVocabulary.Y = _workspace.Activations.Logits.Take(normed.Rows);
    }

    // the token's embedding
    private void Embed(int id, Span<float> x) // [n_embd]
    {
        PinnedWeight wte = Parameters.Wte;
        if (wte.IsPacked) wte.Packed.CopyColumn(id, x);
        else wte.Plain.Row(id).CopyTo(x);
    }

    // the positions' embeddings, as they are or as a hook makes them
    private void AddPositions(Matrix x) // [n_rows, n_embd]
    {
        Visit(ActivationSite.TokenEmbedding, IForwardHook.NoLayer, x);
        bool isSeen = Wants(ActivationSite.PositionEmbedding, IForwardHook.NoLayer);
        Matrix seen = _workspace.Activations.FinalNorm.Take(isSeen ? x.Rows : 0); // free until the last block is done
        for (int t = 0; t < seen.Rows; t++) Parameters.Wpe.Plain.Row(_places[t].Position).CopyTo(seen.Row(t));
        if (isSeen) Visit(ActivationSite.PositionEmbedding, IForwardHook.NoLayer, seen);
        for (int t = 0; t < x.Rows; t++)
        {
            Span<float> row = x.Row(t);
            ReadOnlySpan<float> wpe = isSeen ? seen.Row(t) : Parameters.Wpe.Plain.Row(_places[t].Position);
            for (int i = 0; i < row.Length; i++) row[i] += wpe[i];
        }
    }

    private void TransformerBlock(BlockActivations a, int layer) // [n_rows, n_embd] -> [n_rows, n_embd]
    {
        Gpt2Block<PinnedWeight> block = Parameters.Blocks[layer];
        Matrix x = a.ResidualBefore.Take(_rows);
        Visit(ActivationSite.ResidualBefore, layer, x);

        // multi-head causal self attention
        Matrix normed = LayerNorm(x, block.Ln1, a.Ln1, ActivationSite.Ln1, layer); // [n_rows, n_embd]
        Matrix qkv = Project(normed, block.Attn.CAttn, a.Qkv.Take(_rows)); // [n_rows, n_embd] -> [n_rows, 3 n_embd]
        Visit(ActivationSite.Query, layer, qkv.Only(0, _h.NEmbd));
        Visit(ActivationSite.Key, layer, qkv.Only(_h.NEmbd, _h.NEmbd));
        Visit(ActivationSite.Value, layer, qkv.Only(2 * _h.NEmbd, _h.NEmbd));
        Matrix heads = Attend(qkv, layer, a.Heads.Take(_rows)); // [n_rows, 3 n_embd] -> [n_rows, n_embd]
        Visit(ActivationSite.Heads, layer, heads);
        x = Add(x, heads, block.Attn.CProj, a.Attention.Take(_rows), a.ResidualMiddle.Take(_rows), ActivationSite.Attention, layer);
        Visit(ActivationSite.ResidualMiddle, layer, x);

        // position-wise feed-forward network
        normed = LayerNorm(x, block.Ln2, a.Ln2, ActivationSite.Ln2, layer); // [n_rows, n_embd]
        Matrix hidden = FeedForward(normed, block.Mlp.CFc, a.Hidden.Take(_rows), a.Gelu.Take(_rows), layer); // -> [n_rows, n_inner]
        Visit(ActivationSite.Gelu, layer, hidden);
        x = Add(x, hidden, block.Mlp.CProj, a.Mlp.Take(_rows), a.ResidualAfter.Take(_rows), ActivationSite.Mlp, layer);
        Visit(ActivationSite.ResidualAfter, layer, x);
    }

    // A projection and what follows it are computed together, unless a hook is to see between them.
    private Matrix FeedForward(Matrix normed, Gpt2Linear<PinnedWeight> linear, Matrix hidden, Matrix gelu, int layer) // -> [n_rows, n_inner]
    {
        bool isSeen = Wants(ActivationSite.Hidden, layer);
        Project(normed, linear, hidden, activated: isSeen ? default : gelu);
        if (!isSeen) return gelu;
        Visit(ActivationSite.Hidden, layer, hidden);
        _projection.Activate(hidden, gelu, 0, gelu.Columns);
        return gelu;
    }

    private Matrix Add(Matrix x, Matrix y, Gpt2Linear<PinnedWeight> linear, Matrix added, Matrix sum, ActivationSite site, int layer) // -> [n_rows, n_embd]
    {
        bool isSeen = Wants(site, layer);
        Project(y, linear, added, residual: x, sum: isSeen ? default : sum);
        if (!isSeen) return sum;
        Visit(site, layer, added);
        _projection.Add(x, added, sum, 0, sum.Columns);
        return sum;
    }

    // A single row that nobody is to see is left to the threads of the projection that it enters.
    private Matrix LayerNorm(Matrix x, Gpt2LayerNorm<PinnedWeight> norm, Matrix memory, ActivationSite site, int layer) // -> [n_rows, n_embd]
    {
        Matrix y = memory.Take(x.Rows);
        bool isLeft = x.Rows == 1 && _narrow is null && memory.Rows >= _workspace.Pool.Threads && !Wants(site, layer);
        _projection.Norm = isLeft ? _layerNorm : null;
        if (isLeft)
        {
            Prepare(x, norm, memory);
            return y;
        }

        LayerNorm(x, norm, y);
        Visit(site, layer, y);
        return y;
    }

    private void LayerNorm(Matrix x, Gpt2LayerNorm<PinnedWeight> norm, Matrix y)
    {
        Prepare(x, norm, y);
        if (x.Rows == 1) _layerNorm.Execute(0, 1); // a barrier would cost more than the row
        else _workspace.Pool.Run(_layerNorm);
    }

    private void Prepare(Matrix x, Gpt2LayerNorm<PinnedWeight> norm, Matrix y)
    {
        _layerNorm.X = x;
        _layerNorm.G = norm.G;
        _layerNorm.B = norm.B;
        _layerNorm.Y = y;
    }

    private Matrix Project(Matrix x, Gpt2Linear<PinnedWeight> linear, Matrix y, Matrix activated = default, Matrix residual = default, Matrix sum = default)
    {
        linear.W.Require(x.Columns, y.Columns);
        _projection.X = x;
        _projection.Quantized = Quantize(x, linear.W);
        _projection.W = linear.W;
        _projection.B = linear.B;
        _projection.Narrow = linear.W.LowRank.IsThere ? Narrow(x, linear.W.LowRank) : default;
        _projection.Y = y;
        _projection.Activated = activated;
        _projection.Residual = residual;
        _projection.Sum = sum;
        _workspace.Pool.Run(_projection);
        _projection.Norm = null;
        return y;
    }

    // in integers, where it is multiplied by integers; a single row is left to the threads
    private QuantizedMatrix Quantize(Matrix x, PinnedWeight w) // [n, n_in] -> [n, n_in]
    {
        if (!w.HasPanels || w.Packed.Format is not QuantizedFormat format) return default;
        _quantize.X = x;
        _quantize.Y = new QuantizedMatrix(_quantized!.Data, x.Rows, x.Columns, format);
        if (x.Rows > 1) _workspace.Pool.Run(_quantize);
        return _quantize.Y;
    }

    // The first half of an adapter; the projection adds the second.
    private Matrix Narrow(Matrix x, LowRankPair pair) // [n, n_in] -> [n, rank]
    {
        _lowRank.X = x;
        _lowRank.Pair = pair;
        _lowRank.Y = new Matrix(_narrow!.Data, x.Rows, pair.A.Rows);
        _workspace.Pool.Run(_lowRank);
        return _lowRank.Y;
    }

    private Matrix Attend(Matrix qkv, int layer, Matrix y)
    {
        _attention.Hook = Wants(ActivationSite.Pattern, layer) ? Hook : null;
        _attention.Layer = layer;
        _attention.Scale = _h.AttentionScale(layer);
        _attention.Qkv = qkv;
        _attention.Y = y;
        _workspace.Pool.Run(_attention);
        return y;
    }

    private bool Wants(ActivationSite site, int layer) => Hook is not null && Hook.Wants(site, layer);

    private void Visit(ActivationSite site, int layer, Matrix values)
    {
        if (Wants(site, layer)) Hook!.Visit(site, layer, values, _places.AsSpan(0, _rows));
    }

    private void Visit(ActivationSite site, Matrix values, ReadOnlySpan<int> rows)
    {
        if (!Wants(site, IForwardHook.NoLayer)) return;
        for (int i = 0; i < rows.Length; i++) _chosen[i] = _places[rows[i]];
        Hook!.Visit(site, IForwardHook.NoLayer, values, _chosen.AsSpan(0, rows.Length));
    }

    private void Check(KeyValueCache cache, ReadOnlySpan<int> ids)
    {
        if (ids.IsEmpty) throw new ArgumentException("There is no token to read.", nameof(ids));
        if (ids.Length > cache.Capacity - cache.Length) throw DoesNotFit(cache, ids.Length);
        foreach (int id in ids)
        {
            if ((uint)id >= (uint)_h.NVocab) throw OutsideVocabulary(id, _model);
        }
    }
}
