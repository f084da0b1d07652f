using System.Diagnostics;
using System.Management.Automation;
using System.Runtime.ExceptionServices;
using PicoGpt.Inference;

namespace PicoGpt.PowerShell.Commands;

/// <summary>Generates text: <c>Get-Gpt2Model 124M | Invoke-Gpt2Generate -Prompt '…'</c>.</summary>
[Cmdlet(VerbsLifecycle.Invoke, "Gpt2Generate", DefaultParameterSetName = InputSet, HelpUri = HelpAddress.Pages + "Invoke-Gpt2Generate.md")]
[OutputType(typeof(Gpt2Completion), typeof(Gpt2Piece))]
public sealed class InvokeGpt2GenerateCommand : Gpt2SamplingCmdlet
{
    private BatchGenerator? _batch;
    private ProgressBar? _bar;
    private long _batchStart;
    private SourceText? _waiting;
    private GenerationOptions? _options; // of the prompts that are read together
    private int _prompts;

    /// <summary>The texts to continue. An empty text starts from <c>&lt;|endoftext|&gt;</c>.</summary>
    [Parameter(Mandatory = true, Position = 0, ParameterSetName = TextSet)]
    [AllowEmptyString]
    public string[] Prompt { get; set; } = [];

    /// <summary>
    /// Prompts that are read together, which makes many of them several times as fast; by default 16 per core, as far as
    /// memory allows. 1 takes each prompt as it comes and emits its completion before the next is read.
    /// </summary>
    [Parameter]
    [ValidateRange(1, 64)]
    [ArgumentCompleter(typeof(NumberCompleter))]
    public int BatchSize { get; set; }

    /// <summary>Emit the text piece by piece, as it is made, instead of a completion.</summary>
    [Parameter]
    public SwitchParameter Stream { get; set; }

    /// <summary>The name of a variable that gets what there is of the texts under way when the command is stopped.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? PartialVariable { get; set; }

    /// <inheritdoc/>
    private protected override IEnumerable<string> Arguments => Prompt;

    /// <inheritdoc/>
    private protected override bool GoesOn => true;

    /// <inheritdoc/>
    protected override void BeginProcessing()
    {
        if (Stream && Count > 1)
        {
            _ = SetUp<string>(null, () => throw new Gpt2Exception(
                Gpt2Error.InvalidArgument, $"-Stream gives one text as it is made, but -Count asks for {Count} of each prompt; leave one of them out."));
        }

        KeepPartial([]);
        FirstPass.Rehearse(WantedPrecision ?? Model?.Model?.Precision ?? (MyInvocation.ExpectingInput ? FirstPass.Expected : default)); // the model may come later
        base.BeginProcessing();
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing) _batch?.Dispose(); // the bar cannot be written to any more: a stopped pipeline takes it away itself
        base.Dispose(disposing);
    }

    /// <inheritdoc/>
    private protected override void Begin(Gpt2ModelReference model) => OpenToRun(model, Math.Max(1, BatchSize), Force);

    // A prompt waits for a second one: by itself it is faster alone, with others together.
    private protected override void Take(SourceText text)
    {
        GenerationOptions options = Options(text.Input, InUse, _options, new GenerationOptions { Interventions = Intervention });
        if (_options is not null && options != _options) Finish(); // prompts that are read together have the same options
        _options = options;
        if (Stream || (BatchSize == 1 && options.Count == 1)) Generate(text);
        else if (_batch is null && _waiting is null && options is { Count: 1, Beams: 1 }) _waiting = text;
        else Add(text);
    }

    /// <inheritdoc/>
    private protected override void Finish()
    {
        if (Interlocked.Exchange(ref _waiting, null) is { } waiting) PerItem(waiting.Text, () => Generate(waiting));
        while (_batch is { IsEmpty: false }) Advance();
        _bar?.Dispose();
        _bar = null;
        _batch?.Dispose();
        _batch = null;
    }

    private void Add(SourceText prompt)
    {
        if (_batch is null)
        {
            _batch = new BatchGenerator(InUse, _options, BatchSize > 0 ? BatchSize : BatchGenerator.DefaultBatchSize(InUse));
            _batchStart = Stopwatch.GetTimestamp();
        }

        if (Interlocked.Exchange(ref _waiting, null) is { } waiting) PerItem(waiting.Text, () => Add(_batch, waiting));
        while (_batch.IsFull) Advance();
        Add(_batch, prompt);
    }

    private void Add(BatchGenerator batch, SourceText prompt)
    {
        if (IdsOf(prompt) is { } ids) batch.Add(ids);
        else batch.Add(prompt.Text);
    }

    // The ids that a prompt was given as, unless they are another vocabulary's.
    private IReadOnlyList<int>? IdsOf(SourceText prompt)
    {
        if (prompt.Ids is not { } ids || prompt.Input?.Part is null) return prompt.Ids;
        int n_vocab = InUse.HyperParameters.NVocab;
        return ids.All(id => (uint)id < (uint)n_vocab) && InUse.Encoder.Decode(ids) == prompt.Text ? ids : null;
    }

    private void Show(ProgressBar bar, GenerationProgress p)
    {
        double share = p.NewTokens == 0 ? (double)p.PromptTokensRead / p.PromptTokens : (double)p.NewTokens / p.MaxTokens;
        if (p.NewTokens == 0) bar.Show($"reading the prompt: {p.PromptTokensRead} of {p.PromptTokens} tokens", share);
        else if (!Stream) bar.Show(FormattableString.Invariant($"{p.NewTokens} of {p.MaxTokens} tokens, {p.TokensPerSecond:F1} tokens/s"), share, p.TimeLeft);
    }

    private void Advance()
    {
        _bar ??= new ProgressBar(this, $"Generating with {InUse.Name}");
        double rate = _batch!.NewTokens / Stopwatch.GetElapsedTime(_batchStart).TotalSeconds;
        _bar.Show(FormattableString.Invariant($"{_batch.Active} texts at once, {_batch.NewTokens} tokens, {rate:F1} tokens/s"), 0);
        try
        {
            foreach (Gpt2Completion completion in _batch.Advance(StopToken)) Emit(completion);
        }
        finally
        {
            if (StopToken.IsCancellationRequested) KeepPartial(_batch.Cancel());
        }
    }

    private void KeepPartial(IReadOnlyList<Gpt2Completion> completions)
    {
        if (PartialVariable is { } name) SessionState.PSVariable.Set(name, completions.ToArray());
    }

    private void Generate(SourceText prompt)
    {
        Gpt2Model model = InUse;
        using var bar = new ProgressBar(this, $"Generating with {model.Name}");
        var generation = IdsOf(prompt) is { } ids ? new TextGeneration(model, ids, _options) : new TextGeneration(model, prompt.Text, _options);
        generation.Progress = progress => Show(bar, progress);
        var pieces = new PieceWriter(generation, model.Name, _prompts++);
        try
        {
            foreach (string piece in generation.Stream(StopToken))
            {
                if (Stream) WriteObject(pieces.Next(piece));
            }
        }
        finally
        {
            if (StopToken.IsCancellationRequested) KeepPartial([generation.Completion]);
        }

        if (Stream && pieces.Last() is { } last) WriteObject(last);
        Emit(generation.Completion);
    }

    private static string GuessesOf(Gpt2Completion c) => (c.LookupDrafted, c.ShadowDrafted) switch
    {
        (0, 0) => "",
        (_, 0) => $" ({c.LookupAccepted} of {c.LookupDrafted} guesses from the text were right)",
        (0, _) => $" ({c.ShadowAccepted} of {c.ShadowDrafted} guesses of the Int8 form were right)",
        _ => $" ({c.LookupAccepted} of {c.LookupDrafted} guesses from the text and {c.ShadowAccepted} of {c.ShadowDrafted} of the Int8 form were right)",
    };

    private void Emit(Gpt2Completion completion)
    {
        WriteVerbose(
            FormattableString.Invariant($"{completion.Model}: {completion.PromptIds.Count} prompt tokens in {completion.PrefillDuration.TotalMilliseconds:F0} ms, ")
            + FormattableString.Invariant($"{completion.Ids.Count} new tokens, {completion.TokensPerSecond:F1} tokens/s, ")
            + $"{completion.SpeculatedTokens} of them guessed{GuessesOf(completion)}, ended by {completion.FinishReason}.");
        if (!Stream) WriteObject(completion);
        if (completion.Fault is { } fault) PerItem(completion.Prompt, () => ExceptionDispatchInfo.Throw(fault)); // the text so far is out
    }
}
