using System.Runtime.ExceptionServices;

namespace PicoGpt.Inference;

/// <summary>One generation: a prompt, the text that follows it piece by piece, and what became of it. It is a batch of one text.</summary>
public sealed class TextGeneration
{
    private readonly Gpt2Model _model;
    private readonly GenerationOptions _options;
    private readonly GeneratedText _text;

    /// <summary>Prepares a generation; the model's weights are not read yet.</summary>
    /// <param name="model">The model.</param>
    /// <param name="prompt">The text to go on from; an empty one starts from <c>&lt;|endoftext|&gt;</c>.</param>
    /// <param name="options">How to generate; <see langword="null"/> for greedy, 40 tokens.</param>
    /// <exception cref="Gpt2Exception">The prompt has more tokens than the context, or an option is outside its range.</exception>
    public TextGeneration(Gpt2Model model, string prompt, GenerationOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(prompt);
        _model = model;
        _options = options ?? new GenerationOptions();
        _options.Validate();
        Prompt = prompt;
        _text = new GeneratedText(model, prompt, _options, _options.Speculation ? new PromptLookup() : null);
    }

    /// <summary>The prompt.</summary>
    public string Prompt { get; }

    /// <summary>Told how far the generation is, on the thread that generates: after every portion of a long prompt and every step.</summary>
    public Action<GenerationProgress>? Progress { get => _text.Progress; set => _text.Progress = value; }

    /// <summary>What has been generated so far.</summary>
    public Gpt2Completion Completion => _text.Completion;

    /// <summary>Generates from beginning to end.</summary>
    /// <param name="model">The model.</param>
    /// <param name="prompt">The text to go on from.</param>
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
        if (_text.IsFinished) yield break;
        using var batch = new BatchGenerator(_model, _options, batchSize: 1);
        batch.Add(_text);
        while (!_text.IsFinished)
        {
            batch.Advance(cancellationToken);
            string piece = _text.TakePiece();
            if (piece.Length > 0) yield return piece;
        }

        if (_text.Fault is { } fault) ExceptionDispatchInfo.Throw(fault);
    }
}
