using System.Runtime.ExceptionServices;
using PicoGpt.Machine;
using PicoGpt.Numerics;
using PicoGpt.Weights;

namespace PicoGpt.Inference;

/// <summary>
/// Generates from many prompts at once: their tokens are read together, so that the weights are read from memory once for
/// all of them. A text that ends makes room for the next prompt. Every completion is the same, to the last bit of its
/// logits, as if it had been generated alone; they come in the order of their prompts. For one thread at a time.
/// </summary>
public sealed class BatchGenerator : IDisposable
{
    // How many tokens a pass gives where the model's reduced form guesses (measured: 4 to 9).
    private const int GuessedTogether = 4;

    private readonly Gpt2Model _model;
    private readonly GenerationOptions _options;
    private readonly Workspace _workspace;
    private readonly TextDriver<GeneratedText> _driver;
    private readonly LogitsCheck _check;
    private readonly ShadowMaker? _shadow;

    /// <summary>Prepares to generate.</summary>
    /// <param name="model">The model; it may be closed meanwhile.</param>
    /// <param name="options">How to generate; <see langword="null"/> for greedy, 40 tokens.</param>
    /// <param name="batchSize">The most texts that are read together, from 1 to 64.</param>
    /// <exception cref="ArgumentOutOfRangeException">The batch size is not from 1 to 64.</exception>
    /// <exception cref="Gpt2Exception">An option is outside its range, or a file of the model is not as it should be.</exception>
    public BatchGenerator(Gpt2Model model, GenerationOptions? options = null, int batchSize = 16)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentOutOfRangeException.ThrowIfLessThan(batchSize, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(batchSize, Gpt2Forward.MaxLogits);
        _model = model;
        _options = options ?? new GenerationOptions();
        _options.Validate(model);
        BatchSize = batchSize;
        IForwardHook? hook = HookChain.Of(model, _options.Interventions, model.HyperParameters.NCtx);
        _check = new LogitsCheck(model, isChanged: hook is not null);
        _workspace = new Workspace(model.HyperParameters, _options.Threads, _options.Kernels ?? Kernels.Best);
        try
        {
            _driver = new TextDriver<GeneratedText>(new Gpt2Forward(model, _workspace) { Hook = hook }, batchSize, Choose) { Account = AccountOf(model, _options) };
            _shadow = ShadowMaker.For(model, _workspace, _options);
        }
        catch
        {
            _driver?.Dispose();
            _workspace.Dispose();
            throw;
        }
    }

    /// <summary>
    /// How many texts to read together by default: 16 per physical core, as long as their keys and values take no more than half of
    /// the memory that there is.
    /// </summary>
    /// <param name="model">The model.</param>
    /// <returns>From 1 to 64.</returns>
    public static int DefaultBatchSize(Gpt2Model model)
    {
        ArgumentNullException.ThrowIfNull(model);
        return DefaultBatchSize([model]);
    }

    /// <summary>The same of several models that each read so many texts at the same time.</summary>
    internal static int DefaultBatchSize(params ReadOnlySpan<Gpt2Model> models)
    {
        long cache = 0;
        foreach (Gpt2Model model in models) cache += Gpt2MemoryNeed.Of(model.HyperParameters, model.Precision).Cache;
        long byMemory = AvailableMemory.Bytes / 2 / cache;
        return (int)Math.Clamp(Math.Min(byMemory, 16L * Processors.PhysicalCount), 1, Gpt2Forward.MaxLogits);
    }

    /// <summary>The most texts that are read together.</summary>
    public int BatchSize { get; }

    /// <summary>Tokens that were generated so far, in all texts.</summary>
    public long NewTokens { get; private set; }

    /// <summary>Positions that were read so far, guessed ones included.</summary>
    internal long RowsRead => _driver.RowsRead;

    /// <summary>Texts that have not ended.</summary>
    public int Active => _driver.Unfinished;

    /// <summary>Whether as many texts are under way as are read together.</summary>
    public bool IsFull => Active >= BatchSize;

    /// <summary>Whether no text is under way or waiting to be given out.</summary>
    public bool IsEmpty => _driver.IsEmpty;

    /// <summary>Adds a prompt; where the batch is full, it waits until another text ends.</summary>
    /// <param name="prompt">The text to continue; an empty one starts from <c>&lt;|endoftext|&gt;</c>.</param>
    /// <exception cref="Gpt2Exception">The prompt has more tokens than the context.</exception>
    public void Add(string prompt)
    {
        ArgumentNullException.ThrowIfNull(prompt);
        Add(Prompt.Of(_model, prompt, _options.AllowSpecial));
    }

    /// <summary>Adds a prompt that is given as ids; where the batch is full, it waits until another text ends.</summary>
    /// <param name="promptIds">The ids to continue from; none start from <c>&lt;|endoftext|&gt;</c>.</param>
    /// <exception cref="Gpt2Exception">The prompt has more tokens than the context, or one that the model does not know.</exception>
    public void Add(IReadOnlyList<int> promptIds)
    {
        ArgumentNullException.ThrowIfNull(promptIds);
        Add(Prompt.Of(_model, promptIds));
    }

    /// <summary>Makes the next tokens of every text under way, or reads on in a long prompt.</summary>
    /// <param name="cancellationToken">Stops between two layers; what was made before is kept.</param>
    /// <returns>
    /// The completions that are now ready, in the order of their prompts; often none; several of a prompt, where the options ask for them,
    /// follow each other. One that a fault ended is what there was of it, and
    /// has the <see cref="Gpt2Completion.Fault"/>; the others continue.
    /// </returns>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public IReadOnlyList<Gpt2Completion> Advance(CancellationToken cancellationToken = default)
    {
        int toCome = TokensToCome();
        _driver.Expect(_shadow is null ? toCome : toCome / GuessedTogether, toCome, _options.Resident);
        if (_shadow is not null) _driver.Shadow ??= _shadow.Make(toCome, _driver.Account);
        return [.. _driver.Advance(cancellationToken).SelectMany(text => text.Completions)];
    }

    /// <summary>Ends all texts as they are.</summary>
    /// <returns>The completions that were not given out yet, in the order of their prompts, ended or not.</returns>
    public IReadOnlyList<Gpt2Completion> Cancel()
    {
        List<GeneratedText> texts = _driver.TakeAll();
        foreach (GeneratedText text in texts) text.Cancel();
        return [.. texts.SelectMany(text => text.Completions)];
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _shadow?.Dispose();
        _driver.Dispose();
        _workspace.Dispose();
    }

    internal void Add(GeneratedText text) => _driver.Add(text);

    /// <summary>Generates until a text that was added ends, giving its pieces as soon as each is certain.</summary>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    internal IEnumerable<string> Stream(GeneratedText text, CancellationToken cancellationToken)
    {
        while (!text.IsFinished)
        {
            Advance(cancellationToken);
            string piece = text.TakePiece();
            if (piece.Length > 0) yield return piece;
        }

        if (text.Fault is { } fault) ExceptionDispatchInfo.Throw(fault);
    }

    // What the longest text may still take; none before the first token, which nothing is to make later.
    private int TokensToCome() => NewTokens == 0 ? 0 : _driver.Texts.Aggregate(0, (most, text) => Math.Max(most, text.TokensToCome));

    private void Add(Prompt prompt)
    {
        foreach (GeneratedText text in GeneratedText.Of(_model, prompt, _options)) Add(text);
    }

    // Where guesses are made always, no clock decides.
    private static GuessAccount AccountOf(Gpt2Model model, GenerationOptions options) => options.AlwaysShadow
        ? new GuessAccount(new PassCost(isMeasured: false), double.PositiveInfinity)
        : new GuessAccount(new PassCost(model.Precision));

    private void Choose(ReadOnlySpan<GeneratedText> texts, Matrix logits) // [rows, n_vocab]
    {
        for (int i = 0; i < texts.Length; i++)
        {
            GeneratedText text = texts[i];
            if (!text.WantsLogits) continue; // a guess before this row was wrong, or the text has ended
            try
            {
                if (_check.FaultOf(logits.Row(i)) is { } notNumbers) throw notNumbers;
                text.Take(logits.Row(i));
                NewTokens++;
            }
            catch (Exception fault)
            {
                text.Fail(fault);
            }
        }
    }
}
