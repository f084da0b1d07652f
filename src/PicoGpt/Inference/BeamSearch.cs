using PicoGpt.Tokens;

namespace PicoGpt.Inference;

/// <summary>
/// Searches for the text whose log-probabilities have the greatest sum, by its length: of all tokens with which the beams could continue,
/// the best become the beams of the next step (transformers' <c>BeamSearchScorer</c>, with the length of the generated part). A text
/// ends where an end token, or one that completes a stop string, is among the best as many as there are beams.
/// </summary>
internal sealed class BeamSearch
{
    private readonly Gpt2Model _model;
    private readonly Prompt _prompt;
    private readonly GenerationOptions _options;
    private readonly IReadOnlySet<int> _ends;
    private readonly int _candidates;
    private readonly LogitsProcessor _processor;
    private readonly TokenScorer? _scorer;
    private readonly float[] _logProbabilities;
    private readonly List<Found> _found = []; // the best first
    private int _open = 1;
    private int _length; // of what is generated
    private FinishReason _finish;
    private Exception? _fault;
    private TimeSpan _prefill, _decode;
    private bool _isGiven;

    public BeamSearch(Gpt2Model model, Prompt prompt, GenerationOptions options)
    {
        (_model, _prompt, _options) = (model, prompt, options);
        int n_vocab = model.HyperParameters.NVocab;
        _ends = options.IgnoreEndOfText ? new HashSet<int>() : model.EndOfTextIds;
        _candidates = Math.Min(Math.Max(2, 1 + _ends.Count) * options.Beams, n_vocab); // enough continue, even if all ends are among them
        _processor = new LogitsProcessor(options, n_vocab, prompt.Ids.Length, model.Encoder.PaddingIds);
        _logProbabilities = _processor.IsNeeded ? new float[n_vocab] : [];
        _scorer = options.TopLogProbs is { } top ? new TokenScorer(new TokenTexts(model.Encoder), top) : null;
        Beams = [.. Enumerable.Range(0, options.Beams).Select(i => new Beam(this, i, new BeamState(prompt.Ids, 0, [])))];
        if (options.MaxTokens == 0) _finish = FinishReason.MaxTokens;
    }

    /// <summary>All beams, those that have nothing to read included.</summary>
    public IReadOnlyList<Beam> Beams { get; }

    /// <summary>Whether the search has ended.</summary>
    public bool IsDone => _finish != FinishReason.None;

    /// <summary>What was found, the best first; before the end what there is.</summary>
    public IReadOnlyList<Gpt2Completion> Completions
    {
        get
        {
            FinishReason reason = IsDone ? _finish : FinishReason.Cancelled;
            BeamState best = Beams[0].State;
            IEnumerable<Found> found = _found.Count > 0 ? _found : [new Found(best, ScoreOf(best.Sum, Math.Max(_length, 1)), reason)];
            return [.. found.Take(_options.Count).Select(CompletionOf)];
        }
    }

    /// <summary>Whether a beam has something to read.</summary>
    public bool IsOpen(Beam beam) => !IsDone && beam.Index < _open;

    /// <summary>How far the search is, where so many positions are read.</summary>
    public GenerationProgress ProgressAt(int read)
    {
        int length = _prompt.Ids.Length;
        return new GenerationProgress(
            length, Math.Min(length, read), _length, _options.MaxTokens, _length > 1 ? (_length - 1) / _decode.TotalSeconds : 0);
    }

    /// <summary>Adds the time of a step.</summary>
    public void Spend(TimeSpan elapsed)
    {
        if (_length == 0) _prefill += elapsed;
        else _decode += elapsed;
    }

    /// <summary>The likeliest tokens after a beam, no more of them than the search can use of one beam.</summary>
    public IReadOnlyList<BeamCandidate> CandidatesOf(Beam beam, ReadOnlySpan<float> logits) // [n_vocab]
    {
        var distribution = new TokenDistribution(logits);
        if (!_processor.IsNeeded)
        {
            List<BeamCandidate> candidates = [];
            foreach (int id in distribution.Likeliest(_candidates))
                candidates.Add(CandidateOf(beam, id, distribution.LogProbabilityOf(id), logits));
            return candidates;
        }

        for (int id = 0; id < logits.Length; id++) _logProbabilities[id] = (float)distribution.LogProbabilityOf(id);
        _processor.Restart();
        return Changed(beam, _processor.Process(_logProbabilities, beam.State.Ids), logits);
    }

    /// <summary>Makes the next beams, when each that is open has given the tokens with which it may continue.</summary>
    public void Choose()
    {
        IEnumerable<Beam> open = Beams.Take(_open);
        if (IsDone || !open.All(beam => beam.Candidates is not null)) return;
        List<BeamCandidate> candidates = [.. open.SelectMany(beam => beam.Candidates!)];
        candidates.Sort();
        foreach (Beam beam in open) beam.Candidates = null;
        _length++;
        List<BeamCandidate> next = Sort(candidates);
        if (next.Count == 0 || IsGoodEnough(candidates[0].Sum)) _finish = _found[0].Reason;
        else GoOn(next);
    }

    /// <summary>Ends the search; the beams that are open are found texts too.</summary>
    public void Finish(FinishReason reason)
    {
        if (IsDone) return;
        foreach (Beam beam in Beams.Take(_length == 0 ? 0 : _open)) Add(beam.State, beam.State.Sum, reason);
        _finish = reason;
    }

    /// <summary>Ends the search by a fault.</summary>
    public void Fail(Exception fault)
    {
        _fault ??= fault;
        Finish(FinishReason.Fault);
    }

    /// <summary>The text, once, when it is found: before that nothing is certain.</summary>
    public string TakePiece()
    {
        if (!IsDone || _isGiven) return "";
        _isGiven = true;
        return Completions[0].Text;
    }

    private List<BeamCandidate> Changed(Beam beam, ReadOnlySpan<float> values, ReadOnlySpan<float> logits)
    {
        List<BeamCandidate> candidates = [];
        foreach (int id in TokenDistribution.Likeliest(values, _candidates))
        {
            if (values[id] > float.NegativeInfinity) candidates.Add(CandidateOf(beam, id, values[id], logits));
        }

        return candidates;
    }

    private BeamCandidate CandidateOf(Beam beam, int id, double logProbability, ReadOnlySpan<float> logits) =>
        new(beam, id, beam.State.Sum + logProbability, _scorer?.TokenOf(_length, logits, id));

    // Which of the candidates are found texts, and which continue.
    private List<BeamCandidate> Sort(List<BeamCandidate> candidates)
    {
        List<BeamCandidate> next = [];
        for (int rank = 0; rank < candidates.Count && next.Count < Beams.Count; rank++)
        {
            BeamCandidate candidate = candidates[rank];
            FinishReason end = EndOf(candidate);
            BeamState state = candidate.Beam.State;
            if (end == FinishReason.None) next.Add(candidate);
            else if (rank < Beams.Count) Add(end == FinishReason.Stop ? state.With(candidate) : state, candidate.Sum, end);
        }

        return next;
    }

    private FinishReason EndOf(BeamCandidate candidate)
    {
        if (_ends.Contains(candidate.Id)) return FinishReason.EndOfText;
        if (_options.Stop.Count == 0) return FinishReason.None;
        return TextOf([.. candidate.Beam.State.Ids, candidate.Id]).Stopped ? FinishReason.Stop : FinishReason.None;
    }

    private TextCollector TextOf(ReadOnlySpan<int> ids)
    {
        var text = new TextCollector(_model.Encoder, _options.Stop, _options.KeepSpecial);
        foreach (int id in ids[_prompt.Ids.Length..]) text.Append(id);
        return text;
    }

    // As many texts as there are beams are kept, the best ones.
    private void Add(BeamState state, double sum, FinishReason reason)
    {
        double score = ScoreOf(sum, _length);
        int at = _found.FindIndex(found => found.Score < score);
        _found.Insert(at < 0 ? _found.Count : at, new Found(state, score, reason));
        if (_found.Count > Beams.Count) _found.RemoveAt(_found.Count - 1);
    }

    private double ScoreOf(double sum, int length) => sum / Math.Pow(length, _options.LengthPenalty);

    private bool IsGoodEnough(double bestSum)
    {
        if (_found.Count < Beams.Count) return false;
        int longest = Math.Min(_options.MaxTokens, _model.HyperParameters.NCtx + 1 - _prompt.Ids.Length);
        return _options.EarlyStopping switch
        {
            BeamStopping.AtOnce => true,
            BeamStopping.Never when _options.LengthPenalty > 0 => _found[^1].Score >= ScoreOf(bestSum, longest),
            _ => _found[^1].Score >= ScoreOf(bestSum, _length),
        };
    }

    // The first that follows a beam continues in its cache; another gets what it lacks of it in the cache of a beam that nothing follows.
    private void GoOn(List<BeamCandidate> next)
    {
        HashSet<Beam> followed = [.. next.Select(candidate => candidate.Beam)], continued = [];
        var free = new Queue<Beam>(Beams.Where(beam => !followed.Contains(beam)));
        List<(BeamState State, KeyValueCache Cache)> states = [];
        foreach (BeamCandidate candidate in next)
        {
            Beam parent = candidate.Beam;
            KeyValueCache cache = continued.Add(parent) ? parent.Cache! : Copy(parent, free.Dequeue());
            states.Add((parent.State.With(candidate), cache));
        }

        foreach (Beam beam in free) states.Add((beam.State, beam.Cache!));
        for (int i = 0; i < states.Count; i++) (Beams[i].State, Beams[i].Cache) = states[i];
        _open = next.Count;
        if (_length == _options.MaxTokens) Finish(FinishReason.MaxTokens);
    }

    private static KeyValueCache Copy(Beam parent, Beam free)
    {
        int positions = parent.Cache!.Length;
        int common = parent.State.Ids.AsSpan(0, positions).CommonPrefixLength(free.State.Ids.AsSpan(0, free.Cache!.Length));
        free.Cache.CopyFrom(parent.Cache, positions, common);
        return free.Cache;
    }

    private Gpt2Completion CompletionOf(Found found)
    {
        TextCollector text = TextOf(found.State.Ids);
        text.Finish();
        return new Gpt2Completion
        {
            Model = _model.Name,
            Prompt = _prompt.Text,
            Text = text.Text,
            PromptIds = _prompt.Ids,
            Ids = found.State.Ids[_prompt.Ids.Length..],
            Tokens = found.State.Tokens,
            FinishReason = found.Reason,
            Fault = _fault,
            BeamScore = found.Score,
            PrefillDuration = _prefill,
            DecodeDuration = _decode,
        };
    }

    /// <summary>A text that has ended.</summary>
    private sealed record Found(BeamState State, double Score, FinishReason Reason);
}
