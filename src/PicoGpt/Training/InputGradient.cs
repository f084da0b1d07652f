using PicoGpt.Architecture;
using PicoGpt.Inference;
using PicoGpt.Numerics;

namespace PicoGpt.Training;

/// <summary>
/// The backward pass to what enters the first block: how a score of the logits after whole texts changes with it. The gradients of the
/// weights are not computed.
/// </summary>
internal sealed unsafe class InputGradient : IDisposable
{
    private readonly Gpt2HyperParameters _h;
    private readonly int _length;
    private readonly Workspace _workspace;
    private readonly Gpt2Forward _forward;
    private readonly BlocksBackward _blocks;
    private readonly ClassifierGradientJob _classifier;
    private readonly KeyValueCache[] _caches;

    /// <param name="model">The model, in float32.</param>
    /// <param name="texts">The most texts of a batch, <see cref="Gpt2Forward.MaxLogits"/> or fewer.</param>
    /// <param name="length">The tokens of a text.</param>
    /// <param name="threads">Threads to compute with; 0 for one per physical core.</param>
    /// <param name="kernels">The loops.</param>
    /// <exception cref="Gpt2Exception">The model is held in less than float32.</exception>
    public InputGradient(Gpt2Model model, int texts, int length, int threads, Kernels kernels)
    {
        if (model.Precision != Gpt2Precision.Float32)
        {
            throw new Gpt2Exception(
                Gpt2Error.InvalidArgument, $"Gradients are computed from float32 weights, and {model.Name} is held in {model.Precision}; use it in Float32.", model.Path);
        }

        (_h, _length) = (model.HyperParameters, length);
        _workspace = new Workspace(_h, threads, kernels, ActivationMemory.Residual, texts * length);
        try
        {
            _forward = new Gpt2Forward(model, _workspace);
        }
        catch
        {
            _workspace.Dispose();
            throw;
        }

        _blocks = new BlocksBackward(_h, _forward, _workspace, length, gradients: null);
        _classifier = new ClassifierGradientJob(kernels) { W = _forward.Parameters.LmHead };
        _caches = [.. Enumerable.Range(0, texts).Select(_ => _forward.NewCache(length))];
    }

    /// <summary>Gives the score of logits, and leaves its gradient in their place: [n_vocab].</summary>
    /// <param name="logits">The logits.</param>
    /// <returns>The score.</returns>
    public delegate double Score(Span<float> logits);

    /// <summary>Where the weights lie.</summary>
    public Gpt2Tree<PinnedWeight> Parameters => _forward.Parameters;

    /// <summary>Reads texts, and finds how their scores change with what enters the first block.</summary>
    /// <param name="residual">What enters it, the gradient afterwards: [n_texts · length, n_embd].</param>
    /// <param name="score">The score of the logits after a text.</param>
    /// <param name="cancellationToken">Stops between two layers.</param>
    /// <returns>The scores: [n_texts].</returns>
    public double[] Run(Span<float> residual, Score score, CancellationToken cancellationToken)
    {
        int size = _length * _h.NEmbd, texts = residual.Length / size, rows = texts * _length;
        _forward.Begin();
        for (int text = 0; text < texts; text++)
        {
            _caches[text].Length = 0;
            _forward.Add(_caches[text], layer: 0, residual.Slice(text * size, size));
        }

        _forward.Run(firstLayer: 0, cancellationToken);
        Matrix logits = _forward.Logits([.. Enumerable.Range(1, texts).Select(text => (text * _length) - 1)]); // [n_texts, n_vocab]
        double[] scores = new double[texts];
        for (int text = 0; text < texts; text++) scores[text] = score(logits.Row(text));

        Matrix dx = _blocks.Residual.Take(rows);
        for (int t = 0; t < rows; t++) dx.Row(t).Clear();
        _classifier.Dy = logits;
        _classifier.Dx = _blocks.Normed.Take(texts);
        _forward.Pool.Run(_classifier); // [n_texts, n_vocab] -> [n_texts, n_embd]
        _blocks.FinalNorm(Last(_workspace.Activations.Last, texts), _classifier.Dx, Last(dx, texts));
        _blocks.Run(rows, recomputes: true, cancellationToken);
        for (int t = 0; t < rows; t++) dx.Row(t).CopyTo(residual[(t * _h.NEmbd)..]);
        return scores;
    }

    public void Dispose()
    {
        _forward.Dispose();
        _workspace.Dispose();
        _blocks.Dispose();
        foreach (KeyValueCache cache in _caches) cache.Dispose();
    }

    // The last position of every text: [n_texts · length, n_embd] -> [n_texts, n_embd].
    private Matrix Last(Matrix m, int texts) => new(m.RowPointer(_length - 1), texts, m.Columns, checked(m.Stride * _length));
}
