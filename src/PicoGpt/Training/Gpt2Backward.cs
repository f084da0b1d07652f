using PicoGpt.Architecture;
using PicoGpt.Inference;
using PicoGpt.Numerics;

namespace PicoGpt.Training;

/// <summary>
/// The backward pass: from whole texts and the tokens that came to the gradient of the mean cross-entropy for every weight. It goes through
/// <see cref="Gpt2Forward"/> from its end to its beginning. Gradients add up from batch to batch.
/// </summary>
internal sealed unsafe class Gpt2Backward : IDisposable
{
    private readonly Gpt2HyperParameters _h;
    private readonly Gpt2Forward _forward;
    private readonly Workspace _workspace;
    private readonly bool _recomputes;
    private readonly Gpt2Tree<PinnedWeight> _parameters;
    private readonly KeyValueCache[] _caches;
    private readonly AlignedBuffer _memory;
    private readonly Matrix _dx, _dnormed, _dqkv, _dhidden, _normed, _transposed, _dlogitsT;
    private readonly TransposeJob _transpose = new();
    private readonly InputGradientJob _input;
    private readonly WeightGradientJob _weights;
    private readonly LayerNormGradientJob _layerNorm;
    private readonly ActivationGradientJob _activation;
    private readonly AttentionGradientJob _attention;
    private readonly EmbeddingGradientJob _embedding;
    private readonly LossJob _loss;
    private readonly ClassifierGradientJob _classifier;
    private readonly int[] _chosen = new int[Gpt2Forward.MaxLogits];

    /// <param name="model">The model, in float32 and in memory.</param>
    /// <param name="texts">The most texts of a batch.</param>
    /// <param name="length">The most tokens of a text.</param>
    /// <param name="threads">Threads to compute with; 0 for one per physical core.</param>
    /// <param name="kernels">The loops.</param>
    /// <param name="recomputes">Whether every block is run again instead of keeping what passed through it: a third more time, and a fraction of the memory.</param>
    public Gpt2Backward(Gpt2Model model, int texts, int length, int threads, Kernels kernels, bool recomputes)
    {
        _h = model.HyperParameters;
        _recomputes = recomputes;
        int rows = texts * length;
        _workspace = new Workspace(_h, threads, kernels, recomputes ? ActivationMemory.Residual : ActivationMemory.Kept, rows);
        _forward = new Gpt2Forward(model, _workspace);
        _parameters = _forward.Parameters;
        _caches = [.. Enumerable.Range(0, texts).Select(_ => new KeyValueCache(_h.NLayer, _h.NHead, _h.HeadSize, length))];
        Gradients = new LeafMemory(_parameters);

        int widest = Math.Max(_h.NInner, _h.NEmbd);
        int[] widths = [_h.NEmbd, _h.NEmbd, 3 * _h.NEmbd, _h.NInner, _h.NEmbd];
        long sizes = widths.Sum(width => (long)rows * (width + Kernels.Lanes)) + ((long)widest * (rows + Kernels.Lanes));
        _memory = new AlignedBuffer(sizes + ((long)_h.NVocab * (Gpt2Forward.MaxLogits + Kernels.Lanes)));
        float* next = _memory.Data;
        (_dx, _dnormed, _dqkv, _dhidden, _normed) = (Take(widths[0]), Take(widths[1]), Take(widths[2]), Take(widths[3]), Take(widths[4]));
        (_transposed, _dlogitsT) = (Matrix(widest, rows), Matrix(_h.NVocab, Gpt2Forward.MaxLogits));

        _input = new InputGradientJob(kernels);
        _weights = new WeightGradientJob(kernels);
        _layerNorm = new LayerNormGradientJob(kernels, (float)_h.LayerNormEpsilon);
        _activation = new ActivationGradientJob(kernels, ActivationFunction.Of(_h.Activation));
        _attention = new AttentionGradientJob(kernels, _h.NHead, _h.HeadSize, length, _workspace.Pool.Threads);
        _embedding = new EmbeddingGradientJob(kernels);
        _loss = new LossJob(kernels);
        _classifier = new ClassifierGradientJob(kernels);

        Matrix Take(int columns) => Matrix(rows, columns);

        // A cache line is added to every row, as the activations have it.
        Matrix Matrix(int count, int columns)
        {
            var matrix = new Matrix(next, count, columns, columns + Kernels.Lanes);
            next += (nint)count * (columns + Kernels.Lanes);
            return matrix;
        }
    }

    /// <summary>The gradients, which batches add to.</summary>
    public LeafMemory Gradients { get; }

    /// <summary>Where the weights lie.</summary>
    public Gpt2Tree<PinnedWeight> Parameters => _parameters;

    /// <summary>The threads, for further work.</summary>
    public WorkerPool Pool => _workspace.Pool;

    /// <summary>Reads texts of one length, and adds to the gradients what each token weighs.</summary>
    /// <param name="ids">The tokens of the texts, one text after another: [n_texts · length].</param>
    /// <param name="targets">The token that came after each: [n_texts · length].</param>
    /// <param name="length">The tokens of a text.</param>
    /// <param name="weight">What a token weighs in the mean: 1 / the number of all.</param>
    /// <param name="cancellationToken">Ends it; the gradients are half done then.</param>
    /// <returns>The sum of the tokens' cross-entropy, in nats.</returns>
    public double Run(ReadOnlyMemory<int> ids, ReadOnlyMemory<int> targets, int length, float weight, CancellationToken cancellationToken)
    {
        Forward(ids, length, cancellationToken);
        double loss = Logits(targets, weight, addsGradients: true, cancellationToken);
        Matrix dx = _dx.Take(ids.Length);
        LayerNorm(_workspace.Activations.Last.Take(ids.Length), _parameters.LnF, _dnormed.Take(ids.Length), Gradients.Tree.LnF, Cleared(dx));
        _forward.Rewind();
        for (int layer = _h.NLayer - 1; layer >= 0; layer--)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (_recomputes) _forward.Repeat(layer);
            TransformerBlock(_workspace.Activations[layer], layer, dx);
        }

        Embed(ids, dx);
        return loss;
    }

    /// <summary>The sum of the tokens' cross-entropy alone, in nats.</summary>
    /// <inheritdoc cref="Run"/>
    public double Evaluate(ReadOnlyMemory<int> ids, ReadOnlyMemory<int> targets, int length, CancellationToken cancellationToken)
    {
        Forward(ids, length, cancellationToken);
        double loss = Logits(targets, weight: 1, addsGradients: false, cancellationToken);
        _forward.Rewind();
        return loss;
    }

    public void Dispose()
    {
        _forward.Dispose();
        _workspace.Dispose();
        _attention.Dispose();
        _memory.Dispose();
        Gradients.Dispose();
        foreach (KeyValueCache cache in _caches) cache.Dispose();
    }

    private void Forward(ReadOnlyMemory<int> ids, int length, CancellationToken cancellationToken) // [n_rows] -> [n_rows, n_embd]
    {
        _forward.Begin();
        for (int text = 0; text * length < ids.Length; text++)
        {
            _caches[text].Length = 0;
            _forward.Add(_caches[text], ids.Span.Slice(text * length, length));
        }

        _forward.Run(cancellationToken);
    }

    // Some rows at a time: the logits of all of them never stand in memory together.
    private double Logits(ReadOnlyMemory<int> targets, float weight, bool addsGradients, CancellationToken cancellationToken)
    {
        double sum = 0;
        for (int first = 0; first < targets.Length; first += Gpt2Forward.MaxLogits)
        {
            cancellationToken.ThrowIfCancellationRequested();
            int count = Math.Min(Gpt2Forward.MaxLogits, targets.Length - first);
            for (int i = 0; i < count; i++) _chosen[i] = first + i;
            _loss.Logits = _forward.Logits(_chosen.AsSpan(0, count)); // [n, n_embd] -> [n, n_vocab]
            _loss.Targets = targets.Slice(first, count);
            _loss.Weight = weight;
            Pool.Run(_loss);
            for (int i = 0; i < count; i++) sum += _loss.Losses[i];
            if (addsGradients) ToVocabulary(_loss.Logits, Rows(_dnormed, first, count)); // [n, n_vocab] -> [n, n_embd]
        }

        return sum;
    }

    private void ToVocabulary(Matrix dlogits, Matrix dnormed)
    {
        _classifier.Dy = dlogits;
        _classifier.Dyt = Transpose(dlogits, _dlogitsT);
        _classifier.W = _parameters.LmHead;
        _classifier.X = _workspace.Activations.FinalNorm.Take(dlogits.Rows);
        _classifier.Dx = dnormed;
        _classifier.Dw = Gradients.Tree.LmHead;
        Pool.Run(_classifier);
    }

    private void TransformerBlock(BlockActivations a, int layer, Matrix dx) // [n_rows, n_embd] -> [n_rows, n_embd], in place
    {
        Gpt2Block<PinnedWeight> block = _parameters.Blocks[layer];
        Gpt2Block<Matrix> gradient = Gradients.Tree.Blocks[layer];
        int rows = dx.Rows;

        // position-wise feed-forward network
        Matrix dhidden = Project(a.Gelu.Take(rows), block.Mlp.CProj, dx, gradient.Mlp.CProj, _dhidden.Take(rows)); // -> [n_rows, n_inner]
        Activate(a.Hidden.Take(rows), dhidden);
        Matrix dnormed = Project(a.Ln2.Take(rows), block.Mlp.CFc, dhidden, gradient.Mlp.CFc, _dnormed.Take(rows)); // -> [n_rows, n_embd]
        LayerNorm(a.ResidualMiddle.Take(rows), block.Ln2, dnormed, gradient.Ln2, dx);

        // multi-head causal self attention
        Matrix dheads = Project(a.Heads.Take(rows), block.Attn.CProj, dx, gradient.Attn.CProj, _dnormed.Take(rows)); // -> [n_rows, n_embd]
        Matrix dqkv = Attend(a.Qkv.Take(rows), layer, dheads, _dqkv.Take(rows)); // [n_rows, n_embd] -> [n_rows, 3 n_embd]
        dnormed = Project(a.Ln1.Take(rows), block.Attn.CAttn, dqkv, gradient.Attn.CAttn, _dnormed.Take(rows)); // -> [n_rows, n_embd]
        LayerNorm(a.ResidualBefore.Take(rows), block.Ln1, dnormed, gradient.Ln1, dx);
    }

    private Matrix Project(Matrix x, Gpt2Linear<PinnedWeight> linear, Matrix dy, Gpt2Linear<Matrix> gradient, Matrix dx)
    {
        _weights.Xt = Transpose(x, _transposed);
        _weights.Dy = dy;
        _weights.Dw = gradient.W;
        _weights.Db = gradient.B.Data;
        Pool.Run(_weights);
        _input.Dy = dy;
        _input.W = linear.W;
        _input.Dx = dx;
        Pool.Run(_input);
        return dx;
    }

    private void LayerNorm(Matrix x, Gpt2LayerNorm<PinnedWeight> norm, Matrix dy, Gpt2LayerNorm<Matrix> gradient, Matrix dx)
    {
        _layerNorm.X = x;
        _layerNorm.G = norm.G;
        _layerNorm.Dy = dy;
        _layerNorm.Normed = _normed.Take(x.Rows);
        _layerNorm.Dx = dx;
        _layerNorm.Dg = gradient.G.Data;
        _layerNorm.Db = gradient.B.Data;
        _layerNorm.IsOfWeights = false;
        Pool.Run(_layerNorm);
        _layerNorm.IsOfWeights = true;
        Pool.Run(_layerNorm);
    }

    private void Activate(Matrix x, Matrix dy)
    {
        _activation.X = x;
        _activation.Dy = dy;
        Pool.Run(_activation);
    }

    private Matrix Attend(Matrix qkv, int layer, Matrix dy, Matrix dqkv)
    {
        _attention.Texts = _forward.Texts;
        _attention.Layer = layer;
        _attention.Scale = _h.AttentionScale(layer);
        _attention.Qkv = qkv;
        _attention.Dy = dy;
        _attention.Dqkv = dqkv;
        Pool.Run(_attention);
        return dqkv;
    }

    private void Embed(ReadOnlyMemory<int> ids, Matrix dx)
    {
        _embedding.Texts = _forward.Texts;
        _embedding.Ids = ids;
        _embedding.Dx = dx;
        _embedding.Dwte = Gradients.Tree.Wte;
        _embedding.Dwpe = Gradients.Tree.Wpe;
        Pool.Run(_embedding);
    }

    private Matrix Transpose(Matrix x, Matrix memory) // [n, m] -> [m, n]
    {
        _transpose.X = x;
        _transpose.Y = new Matrix(memory.Data, x.Columns, x.Rows, memory.Stride);
        Pool.Run(_transpose);
        return _transpose.Y;
    }

    private static Matrix Cleared(Matrix x)
    {
        for (int t = 0; t < x.Rows; t++) x.Row(t).Clear();
        return x;
    }

    private static Matrix Rows(Matrix m, int first, int count) => new(m.RowPointer(first), count, m.Columns, m.Stride);
}
