namespace PicoGpt.Inference;

/// <summary>
/// A beam of a search: a text that continues with a token that the search chooses for it. The first speaks for the search; the others have
/// nothing to read until it has read the prompt.
/// </summary>
internal sealed class Beam(BeamSearch search, int index, BeamState state) : GeneratedText
{
    /// <summary>Its place: the beams stand by their sums, the greatest first.</summary>
    public int Index { get; } = index;

    /// <summary>How far it is.</summary>
    public BeamState State { get; set; } = state;

    /// <summary>The tokens with which it may continue, the likeliest; only while the search has not chosen among them.</summary>
    public IReadOnlyList<BeamCandidate>? Candidates { get; set; }

    /// <inheritdoc/>
    public override int Width => Index == 0 ? search.Beams.Count : 0;

    /// <inheritdoc/>
    public override ReadOnlySpan<int> Beginning => Index == 0 ? State.Ids.AsSpan(0, State.Ids.Length - 1) : [];

    /// <inheritdoc/>
    public override bool WantsLogits => !IsFinished;

    /// <inheritdoc/>
    public override IReadOnlyList<Gpt2Completion> Completions => Index == 0 ? search.Completions : [];

    /// <inheritdoc/>
    protected override bool IsDone => search.IsDone;

    /// <inheritdoc/>
    public override ReadOnlySpan<int> Next(int max)
    {
        Candidates = null;
        if (!search.IsOpen(this)) return [];
        if (Cache!.Length == Cache.Capacity)
        {
            search.Finish(FinishReason.Length);
            return [];
        }

        ReadOnlySpan<int> unread = State.Ids.AsSpan(Cache.Length);
        FirstScored = unread.Length - 1;
        return unread[..Math.Min(unread.Length, max)];
    }

    /// <inheritdoc/>
    public override void HasRead()
    {
        if (Index == 0) Progress?.Invoke(search.ProgressAt(Cache!.Length));
    }

    /// <inheritdoc/>
    public override void Take(ReadOnlySpan<float> logits) => Candidates = search.CandidatesOf(this, logits);

    /// <inheritdoc/>
    public override void Settle(TimeSpan elapsed)
    {
        if (Index == 0) search.Spend(elapsed);
        search.Choose();
    }

    /// <inheritdoc/>
    public override string TakePiece() => search.TakePiece();

    /// <inheritdoc/>
    public override void Fail(Exception fault)
    {
        base.Fail(fault);
        search.Fail(fault);
    }

    /// <inheritdoc/>
    public override void Cancel() => search.Finish(FinishReason.Cancelled);
}
