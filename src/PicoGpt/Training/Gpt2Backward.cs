using PicoGpt.Adapters;
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
    /// <summary>The rows whose logits are computed together: enough that reading the vocabulary's matrix and its gradient is the least of it.</summary>
    public const int LogitsRows = 128;

    private readonly Gpt2HyperParameters _h;
    private readonly Gpt2Forward _forward;
    private readonly Workspace _workspace;
    private readonly bool _recomputes;
    private readonly Gpt2Tree<PinnedWeight> _parameters;
    private readonly KeyValueCache[] _caches;
    private readonly BlocksBackward _blocks;
    private readonly AlignedBuffer _memory;
    private readonly Matrix _dlogitsT;
    private readonly TransposeJob _transpose = new();
    private readonly EmbeddingGradientJob _embedding;
    private readonly LossJob _loss;
    private readonly ClassifierGradientJob _classifier;
    private readonly ClearJob? _clearAdapter;
    private readonly int[] _chosen = new int[LogitsRows];

    /// <param name="model">The model, in float32; one with an adapter in memory has gradients of that, and none of its weights.</param>
    /// <param name="texts">The most texts of a batch.</param>
    /// <param name="length">The most tokens of a text.</param>
    /// <param name="threads">Threads to compute with; 0 for one per physical core.</param>
    /// <param name="kernels">The loops.</param>
    /// <param name="recomputes">Whether every block is run again instead of keeping what passed through it: a quarter more time, and a fraction of the memory.</param>
    /// <param name="isTrained">Whether the gradient of a weight is wanted; <see langword="null"/> for all.</param>
    public Gpt2Backward(
        Gpt2Model model, int texts, int length, int threads, Kernels kernels, bool recomputes, Func<string, bool>? isTrained = null)
    {
        _h = model.HyperParameters;
        _recomputes = recomputes;
        int rows = texts * length;
        _workspace = new Workspace(_h, threads, kernels, recomputes ? ActivationMemory.Residual : ActivationMemory.Kept, rows, LogitsRows);
        _forward = new Gpt2Forward(model, _workspace);
        _parameters = _forward.Parameters;
        _caches = [.. Enumerable.Range(0, texts).Select(_ => _forward.NewCache(length))];
        bool isAdapted = model.Adapter is not null;
        Gradients = new LeafMemory(_h, isAdapted ? _ => false : isTrained ?? (_ => true));
        AdapterGradients = model.Adapter?.OfSameShape();
        if (AdapterGradients is not null) _clearAdapter = new ClearJob(AdapterGradients.Memory);

        _blocks = new BlocksBackward(_h, _forward, _workspace, length, isAdapted ? null : Gradients.Tree, AdapterGradients);
        _memory = new AlignedBuffer((long)_h.NVocab * (LogitsRows + Kernels.Lanes));
        _dlogitsT = new Matrix(_memory.Data, _h.NVocab, LogitsRows, LogitsRows + Kernels.Lanes);
        _embedding = new EmbeddingGradientJob(kernels);
        _loss = new LossJob(kernels);
        _classifier = new ClassifierGradientJob(kernels);
    }

    /// <summary>The gradients, which batches add to.</summary>
    public LeafMemory Gradients { get; }

    /// <summary>The gradients of the adapter; <see langword="null"/> where the model has none.</summary>
    public LowRankAdapter? AdapterGradients { get; }

    /// <summary>Where the weights lie.</summary>
    public Gpt2Tree<PinnedWeight> Parameters => _parameters;

    /// <summary>The threads, for further work.</summary>
    public WorkerPool Pool => _workspace.Pool;

    /// <summary>Makes all gradients zero.</summary>
    public void Clear()
    {
        Gradients.Clear(Pool);
        if (_clearAdapter is not null) Pool.Run(_clearAdapter);
    }

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
        Matrix dx = _blocks.Residual.Take(ids.Length);
        _blocks.FinalNorm(_workspace.Activations.Last.Take(ids.Length), _blocks.Normed.Take(ids.Length), Cleared(dx));
        _blocks.Run(ids.Length, _recomputes, cancellationToken);
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
        _blocks.Dispose();
        _memory.Dispose();
        Gradients.Dispose();
        AdapterGradients?.Dispose();
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
        for (int first = 0; first < targets.Length; first += LogitsRows)
        {
            cancellationToken.ThrowIfCancellationRequested();
            int count = Math.Min(LogitsRows, targets.Length - first);
            for (int i = 0; i < count; i++) _chosen[i] = first + i;
            _loss.Logits = _forward.Logits(_chosen.AsSpan(0, count)); // [n, n_embd] -> [n, n_vocab]
            _loss.Targets = targets.Slice(first, count);
            _loss.Weight = weight;
            Pool.Run(_loss);
            for (int i = 0; i < count; i++) sum += _loss.Losses[i];
            if (addsGradients) ToVocabulary(_loss.Logits, _blocks.Normed.Skip(first).Take(count)); // [n, n_vocab] -> [n, n_embd]
        }

        return sum;
    }

    private void ToVocabulary(Matrix dlogits, Matrix dnormed)
    {
        _classifier.Dy = dlogits;
        if (Gradients.Tree.LmHead.Rows > 0) _classifier.Dyt = Transpose(dlogits);
        _classifier.W = _parameters.LmHead;
        _classifier.X = _workspace.Activations.FinalNorm.Take(dlogits.Rows);
        _classifier.Dx = dnormed;
        _classifier.Dw = Gradients.Tree.LmHead;
        Pool.Run(_classifier);
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

    private Matrix Transpose(Matrix dlogits) // [n, n_vocab] -> [n_vocab, n]
    {
        _transpose.X = dlogits;
        _transpose.Y = new Matrix(_dlogitsT.Data, dlogits.Columns, dlogits.Rows, _dlogitsT.Stride);
        Pool.Run(_transpose);
        return _transpose.Y;
    }

    private static Matrix Cleared(Matrix x)
    {
        for (int t = 0; t < x.Rows; t++) x.Row(t).Clear();
        return x;
    }
}
