namespace PicoGpt.Inference;

/// <summary>One generation: a prompt, the text that follows it piece by piece, and what became of it. It is a batch of one text.</summary>
public sealed class TextGeneration
{
    private readonly Gpt2Model _model;
    private readonly GenerationOptions _options;
    private readonly IReadOnlyList<GeneratedText> _texts; // one, or the beams of one search, of which the first speaks for all

    /// <summary>Prepares a generation; the model's weights are not read yet.</summary>
    /// <param name="model">The model.</param>
    /// <param name="prompt">The text to continue; an empty one starts from <c>&lt;|endoftext|&gt;</c>.</param>
    /// <param name="options">How to generate; <see langword="null"/> for greedy, 40 tokens.</param>
    /// <exception cref="Gpt2Exception">
    /// The prompt has more tokens than the context, or an option is outside its range; <see cref="GenerationOptions.Count"/> must be 1.
    /// </exception>
    public TextGeneration(Gpt2Model model, string prompt, GenerationOptions? options = null)
        : this(model, options, () => Inference.Prompt.Of(
            model, prompt ?? throw new ArgumentNullException(nameof(prompt)), options?.AllowSpecial ?? false))
    {
    }

    /// <summary>Prepares a generation from ids; the model's weights are not read yet.</summary>
    /// <param name="model">The model.</param>
    /// <param name="promptIds">The ids to continue from; none start from <c>&lt;|endoftext|&gt;</c>.</param>
    /// <param name="options">How to generate; <see langword="null"/> for greedy, 40 tokens.</param>
    /// <exception cref="Gpt2Exception">
    /// The prompt has more tokens than the context or one that the model does not know, or an option is outside its range;
    /// <see cref="GenerationOptions.Count"/> must be 1.
    /// </exception>
    public TextGeneration(Gpt2Model model, IReadOnlyList<int> promptIds, GenerationOptions? options = null)
        : this(model, options, () => Inference.Prompt.Of(model, promptIds ?? throw new ArgumentNullException(nameof(promptIds))))
    {
    }

    private TextGeneration(Gpt2Model model, GenerationOptions? options, Func<Prompt> prompt)
    {
        ArgumentNullException.ThrowIfNull(model);
        _model = model;
        _options = options ?? new GenerationOptions();
        _options.Validate(model);
        if (_options.Count > 1)
        {
            throw new Gpt2Exception(
                Gpt2Error.InvalidArgument, $"Count is {_options.Count}, but this makes one text; {nameof(BatchGenerator)} makes several.");
        }

        _ = FirstPass.Begin(model);
        Prompt given = prompt();
        Prompt = given.Text;
        _texts = GeneratedText.Of(model, given, _options);
    }

    /// <summary>The prompt.</summary>
    public string Prompt { get; }

    /// <summary>Told how far the generation is, on the thread that generates: after every portion of a long prompt and every step.</summary>
    public Action<GenerationProgress>? Progress { get => Text.Progress; set => Text.Progress = value; }

    /// <summary>What has been generated so far.</summary>
    public Gpt2Completion Completion => Text.Completions[0];

    /// <summary>Whether the text has ended.</summary>
    public bool IsFinished => Text.IsFinished;

    private GeneratedText Text => _texts[0];

    /// <summary>Generates from beginning to end.</summary>
    /// <param name="model">The model.</param>
    /// <param name="prompt">The text to continue.</param>
    /// <param name="options">How to generate.</param>
    /// <param name="cancellationToken">Stops within a token.</param>
    /// <returns>The completion.</returns>
    /// <exception cref="Gpt2Exception">The prompt has more tokens than the context, or an option is outside its range.</exception>
    /// <exception cref="OperationCanceledException">The generation was cancelled.</exception>
    public static Gpt2Completion Run(Gpt2Model model, string prompt, GenerationOptions? options = null, CancellationToken cancellationToken = default)
    {
        var generation = new TextGeneration(model, prompt, options);
        foreach (string _ in generation.Stream(cancellationToken))
        {
            // the completion collects the pieces
        }

        return generation.Completion;
    }

    /// <summary>
    /// Generates, giving each piece of text as soon as it is certain: whole characters only, and nothing that may turn out
    /// to begin a stop string. To be enumerated once.
    /// </summary>
    /// <param name="cancellationToken">Stops within a token.</param>
    /// <returns>The pieces; joined, they are the completion's text.</returns>
    /// <exception cref="Gpt2Exception">A file of the model is not as it should be.</exception>
    /// <exception cref="OperationCanceledException">The generation was cancelled.</exception>
    public IEnumerable<string> Stream(CancellationToken cancellationToken = default)
    {
        if (Text.IsFinished) yield break;
        using var batch = new BatchGenerator(_model, _options, batchSize: 1);
        foreach (GeneratedText text in _texts) batch.Add(text);
        foreach (string piece in batch.Stream(Text, cancellationToken)) yield return piece;
    }
}
