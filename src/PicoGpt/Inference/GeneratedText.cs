namespace PicoGpt.Inference;

/// <summary>A text that is being generated, or a beam of a search for one.</summary>
internal abstract class GeneratedText : QueuedText
{
    /// <summary>Told how far the text is, after what a step reads.</summary>
    public Action<GenerationProgress>? Progress { get; set; }

    /// <inheritdoc/>
    public override int MinRows => 1;

    /// <summary>What has been generated so far; a beam that does not speak for its search has nothing.</summary>
    public abstract IReadOnlyList<Gpt2Completion> Completions { get; }

    /// <summary>The texts that the options ask for of a prompt.</summary>
    /// <exception cref="Gpt2Exception">A position is to be changed that they do not come to.</exception>
    public static IReadOnlyList<GeneratedText> Of(Gpt2Model model, Prompt prompt, GenerationOptions options)
    {
        int reach = (int)Math.Min((long)prompt.Ids.Length + options.MaxTokens, model.HyperParameters.NCtx);
        foreach (ForwardChange change in options.Interventions) change.CheckReach(reach);
        if (options.Beams > 1) return new BeamSearch(model, prompt, options).Beams;
        return [.. Enumerable.Range(0, options.Count).Select(i => new StepwiseText(
            model, prompt, options with { Seed = unchecked(options.Seed + i) }, options.Speculation ? new PromptLookup(isSampled: options.Temperature > 0) : null))];
    }

    /// <summary>Takes the logits after a row that was read: [n_vocab].</summary>
    public abstract void Take(ReadOnlySpan<float> logits);

    /// <summary>The text that has become certain since the last call.</summary>
    public abstract string TakePiece();

    /// <summary>Ends the text as it is.</summary>
    public abstract void Cancel();
}
