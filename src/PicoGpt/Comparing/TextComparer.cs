using PicoGpt.Inference;
using PicoGpt.Measuring;

namespace PicoGpt.Comparing;

/// <summary>
/// Compares how well two models predict texts. The numbers are those of <see cref="TextMeasurer"/>, to the last bit, and come in the
/// order of the texts. For one thread at a time.
/// </summary>
public sealed class TextComparer : IDisposable
{
    private readonly TextMeasurer _reference;
    private readonly TextMeasurer _model;
    private readonly Queue<Gpt2TextMeasure> _byReference = [], _byModel = [];

    /// <summary>Prepares to compare.</summary>
    /// <param name="reference">The model that is compared with.</param>
    /// <param name="model">The model.</param>
    /// <param name="options">How both are measured; <see langword="null"/> for the defaults.</param>
    /// <param name="batchSize">The most texts that are read together, from 1 to 64; 0 for as many as both models have memory for.</param>
    /// <exception cref="ArgumentOutOfRangeException">The batch size is not from 0 to 64.</exception>
    /// <exception cref="Gpt2Exception">An option is out of its range for one of the models, or a file of it is not as it should be.</exception>
    public TextComparer(Gpt2Model reference, Gpt2Model model, MeasureOptions? options = null, int batchSize = 0)
    {
        ArgumentNullException.ThrowIfNull(reference);
        ArgumentNullException.ThrowIfNull(model);
        ArgumentOutOfRangeException.ThrowIfNegative(batchSize);
        if (batchSize == 0) batchSize = BatchGenerator.DefaultBatchSize(reference, model);
        _reference = new TextMeasurer(reference, options, batchSize);
        try
        {
            _model = new TextMeasurer(model, options, batchSize);
        }
        catch
        {
            _reference.Dispose();
            throw;
        }
    }

    /// <summary>Tokens that were measured so far, by both models together.</summary>
    public long TokensMeasured => _reference.TokensMeasured + _model.TokensMeasured;

    /// <summary>Tokens that are to be measured still, by both models together.</summary>
    public long TokensLeft => _reference.TokensLeft + _model.TokensLeft;

    /// <summary>Whether it is time to advance before more is added.</summary>
    public bool IsFull => _reference.IsFull || _model.IsFull || _byReference.Count > 0 || _byModel.Count > 0;

    /// <summary>Whether no text is under way or waiting to be given out.</summary>
    public bool IsEmpty => _reference.IsEmpty && _model.IsEmpty;

    /// <summary>Compares two models by one text.</summary>
    /// <param name="reference">The model that is compared with.</param>
    /// <param name="model">The model.</param>
    /// <param name="text">The text.</param>
    /// <param name="options">How both are measured; <see langword="null"/> for the defaults.</param>
    /// <param name="cancellationToken">Stops between two layers.</param>
    /// <returns>The comparison.</returns>
    /// <exception cref="Gpt2Exception">An option is out of its range, or a file of a model is not as it should be.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static Gpt2TextDifference Compare(
        Gpt2Model reference, Gpt2Model model, string text, MeasureOptions? options = null, CancellationToken cancellationToken = default) =>
        TextAlignment.Of(
            TextMeasurer.Measure(reference, text, options, cancellationToken), TextMeasurer.Measure(model, text, options, cancellationToken));

    /// <summary>Adds a text.</summary>
    /// <param name="text">The text, of any length.</param>
    /// <param name="path">The file that it is from, if any.</param>
    /// <exception cref="Gpt2Exception">The text has a token that the vocabulary of one of the models, or the model, does not have.</exception>
    public void Add(string text, string? path = null)
    {
        MeasuredText byReference = _reference.Prepare(text, path), byModel = _model.Prepare(text, path); // both, or none is added
        _reference.Add(byReference);
        _model.Add(byModel);
    }

    /// <summary>Reads on: no more than a few hundred tokens.</summary>
    /// <param name="cancellationToken">Stops between two layers; what was measured before is kept.</param>
    /// <returns>
    /// What is now ready, in the order of the texts; often nothing. Where a fault ended one of the measures, that has its
    /// <see cref="Gpt2TextMeasure.Fault"/>; the others continue.
    /// </returns>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public IReadOnlyList<Gpt2TextDifference> Advance(CancellationToken cancellationToken = default)
    {
        bool isReferenceBehind = !_reference.IsEmpty && (_byReference.Count <= _byModel.Count || _model.IsEmpty);
        (TextMeasurer measurer, Queue<Gpt2TextMeasure> ready) = isReferenceBehind ? (_reference, _byReference) : (_model, _byModel);
        foreach (Gpt2TextMeasure measure in measurer.Advance(cancellationToken)) ready.Enqueue(measure);
        var pairs = new List<Gpt2TextDifference>();
        while (_byReference.Count > 0 && _byModel.Count > 0) pairs.Add(TextAlignment.Of(_byReference.Dequeue(), _byModel.Dequeue()));
        return pairs;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _reference.Dispose();
        _model.Dispose();
    }
}
