using System.Numerics.Tensors;

namespace PicoGpt.Inference;

/// <summary>
/// Changes the logits by the options before a token is chosen: bias, then the repetition penalty, then the frequency and presence
/// penalties, then what repeats an n-gram, then ids without a token. It remembers what it has counted of a text, which may only grow.
/// </summary>
internal sealed class LogitsProcessor
{
    private readonly GenerationOptions _options;
    private readonly int _promptLength;
    private readonly IReadOnlyList<int> _padding;
    private readonly float[] _changed;
    private readonly Dictionary<int, int> _generated = []; // how often by id; 0 for what stands in the prompt alone
    private int _counted;

    /// <param name="options">The options.</param>
    /// <param name="vocabulary">n_vocab.</param>
    /// <param name="promptLength">Ids of the text that are the prompt's.</param>
    /// <param name="padding">Ids without a token, which no text continues with; <see langword="null"/> for none.</param>
    public LogitsProcessor(GenerationOptions options, int vocabulary, int promptLength, IReadOnlyList<int>? padding = null)
    {
        (_options, _promptLength, _padding) = (options, promptLength, padding ?? []);
        IsNeeded = Penalizes || options.NoRepeatNgramSize > 0 || options.LogitBias.Count > 0 || _padding.Count > 0;
        _changed = IsNeeded ? new float[vocabulary] : [];
    }

    /// <summary>Whether the options change anything.</summary>
    public bool IsNeeded { get; }

    private bool Penalizes => _options is not { RepetitionPenalty: 1, PresencePenalty: 0, FrequencyPenalty: 0 };

    /// <summary>What is to be chosen from: [n_vocab] -> [n_vocab], valid until the next call.</summary>
    /// <param name="logits">The logits, or log-probabilities.</param>
    /// <param name="ids">The text before the token that is to be chosen.</param>
    /// <exception cref="Gpt2Exception">No token is left.</exception>
    public ReadOnlySpan<float> Process(ReadOnlySpan<float> logits, ReadOnlySpan<int> ids)
    {
        if (!IsNeeded) return logits;
        logits.CopyTo(_changed);
        foreach ((int id, float bias) in _options.LogitBias) _changed[id] += bias;
        if (Penalizes) Penalize(ids);
        if (_options.NoRepeatNgramSize > 0) ForbidRepetition(ids, _options.NoRepeatNgramSize);
        foreach (int id in _padding) _changed[id] = float.NegativeInfinity;
        if (!float.IsNegativeInfinity(TensorPrimitives.Max<float>(_changed))) return _changed;
        throw new Gpt2Exception(
            Gpt2Error.InvalidArgument, "LogitBias, NoRepeatNgramSize and the padding of the vocabulary leave no token with which the text could continue; forbid fewer.");
    }

    /// <summary>Forgets the text, as another follows.</summary>
    public void Restart()
    {
        _generated.Clear();
        _counted = 0;
    }

    private void Penalize(ReadOnlySpan<int> ids)
    {
        for (; _counted < ids.Length; _counted++)
        {
            int before = _generated.GetValueOrDefault(ids[_counted]);
            _generated[ids[_counted]] = _counted < _promptLength ? 0 : before + 1;
        }

        foreach ((int id, int count) in _generated)
        {
            ref float logit = ref _changed[id];
            logit = logit < 0 ? logit * _options.RepetitionPenalty : logit / _options.RepetitionPenalty;
            logit -= (count * _options.FrequencyPenalty) + (count > 0 ? _options.PresencePenalty : 0);
        }
    }

    // What followed earlier where the last size - 1 ids stand.
    private void ForbidRepetition(ReadOnlySpan<int> ids, int size)
    {
        if (ids.Length < size) return;
        ReadOnlySpan<int> last = ids[^(size - 1)..];
        for (int start = 0; start + size <= ids.Length; start++)
        {
            if (ids.Slice(start, size - 1).SequenceEqual(last)) _changed[ids[start + size - 1]] = float.NegativeInfinity;
        }
    }
}
