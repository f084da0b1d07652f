using System.Diagnostics;
using System.Management.Automation;
using System.Runtime.ExceptionServices;
using PicoGpt.Inference;

namespace PicoGpt.PowerShell.Commands;

/// <summary>Generates text: <c>Get-Gpt2Model 124M | Invoke-Gpt2Generate -Prompt '…'</c>.</summary>
[Cmdlet(VerbsLifecycle.Invoke, "Gpt2Generate", DefaultParameterSetName = InputSet, HelpUri = HelpAddress.Pages + "Invoke-Gpt2Generate.md")]
[OutputType(typeof(Gpt2Completion), typeof(Gpt2Piece))]
public sealed class InvokeGpt2GenerateCommand : Gpt2RunCmdlet
{
    private BatchGenerator? _batch;
    private ProgressBar? _bar;
    private long _batchStart;
    private string? _waiting;
    private GenerationOptions? _options; // of the prompts that are read together
    private bool _hasToldTemperature;
    private int _prompts;
    private int _overflow; // a field of the engine's own type would load the engine on import

    /// <summary>The texts to continue. An empty text starts from <c>&lt;|endoftext|&gt;</c>.</summary>
    [Parameter(Mandatory = true, Position = 0, ParameterSetName = TextSet)]
    [AllowEmptyString]
    public string[] Prompt { get; set; } = [];

    /// <summary>How many tokens to make at most.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [Alias("n_tokens_to_generate", "max_tokens", "MaxToken")]
    [Cell(typeof(int), 40)]
    [ValidateRange(0, int.MaxValue)]
    [ArgumentCompleter(typeof(NumberCompleter))]
    public int MaxTokens { get; set; } = 40;

    /// <summary>
    /// 0 takes the likeliest token always; higher values are more varied. Where it is not given, it is 1 with -TopK, -TopP or -Seed, and 0
    /// without.
    /// </summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [Cell(typeof(float))]
    [InRange(0, float.MaxValue)]
    [ArgumentCompleter(typeof(NumberCompleter))]
    public float? Temperature { get; set; }

    /// <summary>Sample from so many of the likeliest tokens; 0 for all.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [Alias("top_k")]
    [Cell(typeof(int))]
    [InRange(0, int.MaxValue)]
    [ArgumentCompleter(typeof(NumberCompleter))]
    public int? TopK { get; set; }

    /// <summary>Sample from the likeliest tokens whose probabilities just reach this sum; 1 for all.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [Alias("top_p")]
    [Cell(typeof(float))]
    [InRange(0, 1, Above = true)]
    [ArgumentCompleter(typeof(NumberCompleter))]
    public float? TopP { get; set; }

    /// <summary>The seed of the sampling; the same seed gives the same text on every machine.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [Cell(typeof(long))]
    [ArgumentCompleter(typeof(NumberCompleter))]
    public long? Seed { get; set; }

    /// <summary>Strings that end the text.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [Alias("StopSequence")]
    [Cell(typeof(string[]))]
    public string[]? Stop { get; set; }

    /// <summary>Go on when the model says <c>&lt;|endoftext|&gt;</c>, or another token that ends its texts.</summary>
    [Parameter]
    public SwitchParameter IgnoreEndOfText { get; set; }

    /// <summary>Keep special tokens, such as <c>&lt;|SEP|&gt;</c>, in the text as they are spelled, instead of leaving them out.</summary>
    [Parameter]
    public SwitchParameter KeepSpecial { get; set; }

    /// <summary>What to do when the context is full: Stop, or Slide, which re-reads the last half of the context and continues.</summary>
    [Parameter]
    public ContextOverflow Overflow { get => (ContextOverflow)_overflow; set => _overflow = (int)value; }

    /// <summary>
    /// Prompts that are read together, which makes many of them several times as fast; by default 16 a core, as far as
    /// memory allows. 1 takes each prompt as it comes and emits its completion before the next is read.
    /// </summary>
    [Parameter]
    [ValidateRange(1, 64)]
    [ArgumentCompleter(typeof(NumberCompleter))]
    public int BatchSize { get; set; }

    /// <summary>Do not guess tokens from what stands already. The text is the same, only slower.</summary>
    [Parameter]
    public SwitchParameter NoSpeculation { get; set; }

    /// <summary>Emit the text piece by piece, as it is made, instead of a completion.</summary>
    [Parameter]
    public SwitchParameter Stream { get; set; }

    /// <inheritdoc/>
    private protected override IEnumerable<string> Arguments => Prompt;

    /// <inheritdoc/>
    private protected override bool GoesOn => true;

    /// <inheritdoc/>
    protected override void BeginProcessing()
    {
        if (IsGiven(nameof(Stop)) && Stop is null)
            _ = SetUp<string>(Stop, () => throw new Gpt2Exception(Gpt2Error.InvalidArgument, "-Stop is empty, which would end every text before it begins; leave it out."));
        base.BeginProcessing();
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing) _batch?.Dispose(); // the bar cannot be written to any more: a stopped pipeline takes it away itself
        base.Dispose(disposing);
    }

    /// <inheritdoc/>
    private protected override void Begin(Gpt2ModelReference model) => OpenToRun(model, Math.Max(1, BatchSize));

    // A prompt waits for a second one: by itself it is faster alone, with others together.
    private protected override void Take(SourceText text)
    {
        GenerationOptions options = Options(text.Input);
        if (_options is not null && options != _options) Finish(); // prompts that are read together have the same options
        _options = options;
        string prompt = text.Text;
        if (Stream || BatchSize == 1) Generate(prompt);
        else if (_batch is null && _waiting is null) _waiting = prompt;
        else Add(prompt);
    }

    /// <inheritdoc/>
    private protected override void Finish()
    {
        if (Interlocked.Exchange(ref _waiting, null) is { } waiting) PerItem(waiting, () => Generate(waiting));
        while (_batch is { IsEmpty: false }) Advance();
        _bar?.Dispose();
        _bar = null;
        _batch?.Dispose();
        _batch = null;
    }

    private void Add(string prompt)
    {
        if (_batch is null)
        {
            _batch = new BatchGenerator(InUse, _options, BatchSize > 0 ? BatchSize : BatchGenerator.DefaultBatchSize(InUse));
            _batchStart = Stopwatch.GetTimestamp();
        }

        if (Interlocked.Exchange(ref _waiting, null) is { } waiting) PerItem(waiting, () => _batch.Add(waiting));
        while (_batch.IsFull) Advance();
        _batch.Add(prompt);
    }

    private void Show(ProgressBar bar, GenerationProgress p)
    {
        double share = p.NewTokens == 0 ? (double)p.PromptTokensRead / p.PromptTokens : (double)p.NewTokens / p.MaxTokens;
        if (p.NewTokens == 0) bar.Show($"reading the prompt: {p.PromptTokensRead} of {p.PromptTokens} tokens", share);
        else if (!Stream) bar.Show($"{p.NewTokens} of {p.MaxTokens} tokens, {p.TokensPerSecond:F1} tokens/s", share, p.TimeLeft);
    }

    private void Advance()
    {
        _bar ??= new ProgressBar(this, $"Generating with {InUse.Name}");
        double rate = _batch!.NewTokens / Stopwatch.GetElapsedTime(_batchStart).TotalSeconds;
        _bar.Show($"{_batch.Active} texts at once, {_batch.NewTokens} tokens, {rate:F1} tokens/s", 0);
        foreach (Gpt2Completion completion in _batch.Advance(StopToken)) Emit(completion);
    }

    private void Generate(string prompt)
    {
        Gpt2Model model = InUse;
        using var bar = new ProgressBar(this, $"Generating with {model.Name}");
        var generation = new TextGeneration(model, prompt, _options) { Progress = progress => Show(bar, progress) };
        var pieces = new PieceWriter(generation, model.Name, _prompts++);
        foreach (string piece in generation.Stream(StopToken))
        {
            if (Stream) WriteObject(pieces.Next(piece));
        }

        if (Stream && pieces.Last() is { } last) WriteObject(last);
        Emit(generation.Completion);
    }

    private void Emit(Gpt2Completion completion)
    {
        WriteVerbose(
            $"{completion.Model}: {completion.PromptIds.Count} prompt tokens in {completion.PrefillDuration.TotalMilliseconds:F0} ms, "
            + $"{completion.Ids.Count} new tokens, {completion.TokensPerSecond:F1} tokens/s, "
            + $"{completion.LookupAccepted} of {completion.LookupDrafted} guesses from the text and "
            + $"{completion.ShadowAccepted} of {completion.ShadowDrafted} of the Int8 form were right, ended by {completion.FinishReason}.");
        if (!Stream) WriteObject(completion);
        if (completion.Fault is { } fault) PerItem(completion.Prompt, () => ExceptionDispatchInfo.Throw(fault)); // the text so far is out
    }

    private GenerationOptions Options(TextInput? input)
    {
        // A completion has a seed too: that of the text that it is.
        bool isSeedMeant = input is null || input.Row is not null || IsGiven(nameof(Seed));
        long? seed = isSeedMeant ? Seed : null;
        var options = new GenerationOptions
        {
            MaxTokens = MaxTokens,
            Temperature = Temperature ?? ImpliedTemperature(seed),
            TopK = TopK ?? 0,
            TopP = TopP ?? 1,
            Seed = seed,
            Stop = Stop ?? [],
            AllowSpecial = AllowSpecial,
            Interventions = Intervention,
            IgnoreEndOfText = IgnoreEndOfText,
            KeepSpecial = KeepSpecial,
            Overflow = Overflow,
            Threads = Threads,
            Speculation = !NoSpeculation,
        };
        return _options is { } last && options with { Stop = last.Stop } == last && options.Stop.SequenceEqual(last.Stop) ? last : options;
    }

    // Whoever asks for a part of the likely tokens, or for a seed, wants to sample, as in other tools.
    private float ImpliedTemperature(long? seed)
    {
        string? asked = TopK is not null ? nameof(TopK) : TopP is not null ? nameof(TopP) : seed is not null ? nameof(Seed) : null;
        if (asked is null) return 0;
        if (!_hasToldTemperature) WriteVerbose($"-Temperature is 1, because -{asked} asks for sampling; -Temperature 0 takes the likeliest token always.");
        _hasToldTemperature = true;
        return 1;
    }
}
