using PicoGpt.Inference;
using PicoGpt.Numerics;

namespace PicoGpt.Circuits;

/// <summary>
/// Runs a text many times, each time with another patch. A run begins at the layer and the first position that its patch touches, with the
/// residual stream, keys and values that the unpatched text has there, and runs of one layer are read together; so every score is the
/// same, to the last bit, as if the text had been read from the beginning.
/// </summary>
internal sealed class PatchedRuns : IDisposable
{
    private readonly Gpt2Forward _forward;
    private readonly PassRecord _base;
    private readonly KeyValueCache _cache;
    private readonly AnswerScore _score;
    private readonly PatchHook _hook;
    private readonly int _tokens;
    private readonly Stack<KeyValueCache> _spare = new();
    private readonly List<Run> _underWay = [];

    /// <param name="forward">The forward pass; it belongs to who made it.</param>
    /// <param name="record">The residual stream of the unpatched text before every layer.</param>
    /// <param name="cache">Its keys and values.</param>
    /// <param name="from">What is patched in.</param>
    /// <param name="score">What is compared.</param>
    public PatchedRuns(Gpt2Forward forward, PassRecord record, KeyValueCache cache, PassRecord from, AnswerScore score)
    {
        (_forward, _base, _cache, _score, _tokens) = (forward, record, cache, score, cache.Length);
        _hook = new PatchHook(from);
    }

    /// <summary>The scores of the text under each of some patches of one layer.</summary>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public double[] Score(int layer, IReadOnlyList<Patch> patches, CancellationToken cancellationToken)
    {
        double[] scores = new double[patches.Count];
        int next = 0;
        _forward.Hook = _hook;
        do
        {
            int room = Gpt2Forward.MaxRows - _underWay.Sum(run => run.Left);
            while (next < patches.Count && _underWay.Count < Gpt2Forward.MaxLogits && (room > 0 || _underWay.Count == 0))
            {
                Run run = Begin(next, patches[next], layer);
                room -= run.Left;
                _underWay.Add(run);
                next++;
            }

            Step(layer, scores, cancellationToken);
        }
        while (next < patches.Count || _underWay.Count > 0);
        return scores;
    }

    public void Dispose()
    {
        foreach (KeyValueCache cache in _spare) cache.Dispose();
        foreach (Run run in _underWay) run.Cache.Dispose();
    }

    private Run Begin(int index, Patch patch, int layer)
    {
        KeyValueCache cache = _spare.Count > 0 ? _spare.Pop() : _forward.NewCache(_tokens);
        cache.Length = 0;
        cache.CopyFrom(_cache, patch.Position, firstLayer: layer);
        _hook.Set(cache, patch);
        return new Run(index, cache, _tokens - patch.Position);
    }

    // As many rows of the runs under way as a batch has; the last ones may be left for the next step.
    private void Step(int layer, double[] scores, CancellationToken cancellationToken)
    {
        _forward.Begin();
        List<(Run Run, int Row)> ended = [];
        int room = Gpt2Forward.MaxRows;
        foreach (Run run in _underWay)
        {
            int rows = Math.Min(run.Left, room);
            if (rows == 0) break;
            int first = _forward.Add(run.Cache, layer, _base.At(ActivationSite.ResidualBefore, layer, run.Cache.Length, rows));
            run.Left -= rows;
            room -= rows;
            if (run.Left == 0) ended.Add((run, first + rows - 1));
        }

        _forward.Run(layer, cancellationToken);
        if (ended.Count == 0) return;
        Matrix logits = _forward.Logits([.. ended.Select(end => end.Row)]); // [ended, n_vocab]
        for (int i = 0; i < ended.Count; i++)
        {
            Run run = ended[i].Run;
            scores[run.Index] = _score.Of(logits.Row(i));
            _hook.Forget(run.Cache);
            _spare.Push(run.Cache);
            _underWay.Remove(run);
        }
    }

    private sealed class Run(int index, KeyValueCache cache, int left)
    {
        public int Index { get; } = index;

        public KeyValueCache Cache { get; } = cache;

        /// <summary>Rows that are still to be read.</summary>
        public int Left { get; set; } = left;
    }
}
