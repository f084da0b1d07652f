namespace PicoGpt.Inference;

/// <summary>
/// A text that a person and a model write in turns. What the model has read of it is kept, so that going on costs what is new. For one
/// thread at a time.
/// </summary>
public sealed class Gpt2Session : IDisposable
{
    private readonly Gpt2Model _model;
    private readonly List<Gpt2SessionTurn> _turns = [];
    private GenerationOptions _options;
    private BatchGenerator? _batch; // of the options

    /// <summary>Begins an empty text.</summary>
    /// <param name="model">The model.</param>
    /// <param name="options">How the model continues; <see langword="null"/> for greedy, 40 tokens per turn.</param>
    /// <exception cref="Gpt2Exception">An option is outside its range, or asks for several texts.</exception>
    public Gpt2Session(Gpt2Model model, GenerationOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        _model = model;
        _options = Checked(options ?? new GenerationOptions());
    }

    /// <summary>The model's name.</summary>
    public string Model => _model.Name;

    /// <summary>How the model continues from here.</summary>
    /// <exception cref="Gpt2Exception">An option is outside its range, or asks for several texts.</exception>
    public GenerationOptions Options
    {
        get => _options;
        set
        {
            _options = Checked(value);
            _batch?.Dispose();
            _batch = null;
        }
    }

    /// <summary>The turns, the first of them first.</summary>
    public IReadOnlyList<Gpt2SessionTurn> Turns => _turns;

    /// <summary>The whole text.</summary>
    public string Text => string.Concat(_turns.Select(turn => turn.Text));

    /// <summary>Adds what the person writes.</summary>
    /// <param name="text">The text, as it is.</param>
    public void Write(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (text.Length > 0) _turns.Add(new Gpt2SessionTurn(text, null));
    }

    /// <summary>Has the model continue. What there is of its turn is kept, also where it is cancelled or the enumeration is left.</summary>
    /// <param name="cancellationToken">Stops within a token.</param>
    /// <returns>The text, piece by piece, as soon as each is certain; to be enumerated once.</returns>
    /// <exception cref="Gpt2Exception">The text has more tokens than the context, or a file of the model is not as it should be.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public IEnumerable<string> Continue(CancellationToken cancellationToken = default)
    {
        GeneratedText text = GeneratedText.Of(_model, PromptOf(Text), _options)[0];
        _batch ??= new BatchGenerator(_model, _options, batchSize: 1);
        _batch.Add(text);
        try
        {
            foreach (string piece in _batch.Stream(text, cancellationToken)) yield return piece;
        }
        finally
        {
            if (!text.IsFinished) _batch.Cancel();
            Keep(text.Completions[0]);
        }
    }

    /// <summary>Takes the last turn back.</summary>
    /// <returns>The turn; <see langword="null"/> where there is none.</returns>
    public Gpt2SessionTurn? TakeBack()
    {
        if (_turns.Count == 0) return null;
        Gpt2SessionTurn last = _turns[^1];
        _turns.RemoveAt(_turns.Count - 1);
        return last;
    }

    /// <inheritdoc/>
    public void Dispose() => _batch?.Dispose();

    /// <inheritdoc/>
    public override string ToString() => Text;

    // Of a text that has outgrown the context the model sees as much as it does where the context slides.
    private Prompt PromptOf(string text)
    {
        if (_options.Overflow == ContextOverflow.Stop || text.Length == 0) return Prompt.Of(_model, text, _options.AllowSpecial);
        int[] ids = _model.Encoder.Encode(text, _options.AllowSpecial);
        int n_ctx = _model.HyperParameters.NCtx;
        return ids.Length < n_ctx ? new Prompt(text, ids) : Prompt.Of(_model, ids[^Math.Max(1, n_ctx / 2)..]);
    }

    private void Keep(Gpt2Completion completion)
    {
        if (completion.Ids.Count > 0) _turns.Add(new Gpt2SessionTurn(completion.Text, completion));
    }

    private GenerationOptions Checked(GenerationOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate(_model);
        return options is { Count: 1, Beams: 1 }
            ? options
            : throw new Gpt2Exception(Gpt2Error.InvalidArgument, $"Count is {options.Count} and Beams is {options.Beams}, but a session has one text; give 1.");
    }
}
