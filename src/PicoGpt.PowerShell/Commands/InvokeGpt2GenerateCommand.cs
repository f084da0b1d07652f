using System.Diagnostics;
using System.Management.Automation;
using System.Runtime.ExceptionServices;
using PicoGpt.Inference;

namespace PicoGpt.PowerShell.Commands;

/// <summary>Generates text: <c>Get-Gpt2Model 124M | Invoke-Gpt2Generate -Prompt '…'</c>.</summary>
[Cmdlet(VerbsLifecycle.Invoke, "Gpt2Generate", DefaultParameterSetName = PromptSet, HelpUri = HelpAddress.Pages + "Invoke-Gpt2Generate.md")]
[OutputType(typeof(Gpt2Completion), typeof(string))]
public sealed class InvokeGpt2GenerateCommand : Gpt2FetchingCmdlet
{
    private const string PromptSet = "PromptFromPipeline";
    private const string ModelSet = "ModelFromPipeline";

    private BatchGenerator? _batch;
    private ProgressBar? _bar;
    private long _batchStart;
    private string? _waiting;
    private int _overflow; // a field of the engine's own type would load the engine on import

    /// <summary>The texts to go on from. An empty text starts from <c>&lt;|endoftext|&gt;</c>.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true, ParameterSetName = PromptSet)]
    [Parameter(Mandatory = true, Position = 0, ParameterSetName = ModelSet)]
    [AllowEmptyString]
    public string[] Prompt { get; set; } = [];

    /// <summary>The model: an object, a name or a path.</summary>
    [Parameter(Mandatory = true, ParameterSetName = PromptSet)]
    [Parameter(Mandatory = true, ValueFromPipeline = true, ParameterSetName = ModelSet)]
    [ModelTransformation]
    [ArgumentCompleter(typeof(ModelNameCompleter))]
    public Gpt2ModelReference Model { get; set; } = null!;

    /// <summary>The most tokens to make.</summary>
    [Parameter]
    [Alias("n_tokens_to_generate", "max_tokens", "MaxToken")]
    [ValidateRange(0, int.MaxValue)]
    public int MaxTokens { get; set; } = 40;

    /// <summary>0 (the default) takes the likeliest token always; higher values are more varied.</summary>
    [Parameter]
    [ValidateRange(0f, float.MaxValue)]
    public float Temperature { get; set; }

    /// <summary>Sample from so many of the likeliest tokens; 0 for all.</summary>
    [Parameter]
    [Alias("top_k")]
    [ValidateRange(0, int.MaxValue)]
    public int TopK { get; set; }

    /// <summary>Sample from the likeliest tokens whose probabilities just reach this sum; 1 for all.</summary>
    [Parameter]
    [Alias("top_p")]
    [ValidateRange(float.Epsilon, 1f)]
    public float TopP { get; set; } = 1f;

    /// <summary>The seed of the sampling; the same seed gives the same text on every machine.</summary>
    [Parameter]
    public long Seed { get; set; }

    /// <summary>Strings that end the text.</summary>
    [Parameter]
    [Alias("StopSequence")]
    [ValidateNotNullOrEmpty]
    public string[] Stop { get; set; } = [];

    /// <summary>Go on when the model says <c>&lt;|endoftext|&gt;</c>.</summary>
    [Parameter]
    public SwitchParameter IgnoreEndOfText { get; set; }

    /// <summary>What to do when the context is full: Stop, or Slide, which re-reads the last half of the context and goes on.</summary>
    [Parameter]
    public ContextOverflow Overflow { get => (ContextOverflow)_overflow; set => _overflow = (int)value; }

    /// <summary>Threads to compute with; 0 for one a physical core.</summary>
    [Parameter]
    [ValidateRange(0, 1024)]
    public int Threads { get; set; }

    /// <summary>
    /// Prompts that are read together, which makes many of them several times as fast; by default 16 a core, as far as
    /// memory allows. 1 takes each prompt as it comes and emits its completion before the next is read.
    /// </summary>
    [Parameter]
    [ValidateRange(1, 64)]
    public int BatchSize { get; set; }

    /// <summary>Do not guess tokens from what stands already. The text is the same, only slower.</summary>
    [Parameter]
    public SwitchParameter NoSpeculation { get; set; }

    /// <summary>Emit the text piece by piece, as it is made, instead of a completion.</summary>
    [Parameter]
    public SwitchParameter Stream { get; set; }

    /// <summary>
    /// How the matrices are held: Float32 (exact), Float16, BFloat16, Int8 or Int4; by default that of the model object, or Float32.
    /// </summary>
    [Parameter]
    [PrecisionTransformation]
    [ArgumentCompleter(typeof(PrecisionCompleter))]
    public string? Precision { get; set; }

    /// <summary>Go on where the memory seems too little for the model.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    /// <inheritdoc/>
    protected override Gpt2Precision? WantedPrecision => Precision is null ? null : Enum.Parse<Gpt2Precision>(Precision);

    /// <inheritdoc/>
    protected override void BeginProcessing()
    {
        if (ParameterSetName == PromptSet) SetUp(Model, OpenToRun);
    }

    /// <inheritdoc/>
    protected override void ProcessRecord() => PerItem(Model, () =>
    {
        Gpt2Model model = ParameterSetName == ModelSet ? OpenToRun() : Open(Model);
        foreach (string prompt in Prompt) PerItem(prompt, () => Take(model, prompt));
        if (ParameterSetName == ModelSet) Finish(model);
    });

    /// <inheritdoc/>
    protected override void EndProcessing()
    {
        if (ParameterSetName == PromptSet) PerItem(Model, () => Finish(Open(Model)));
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing) _batch?.Dispose(); // the bar cannot be written to any more: a stopped pipeline takes it away itself
        base.Dispose(disposing);
    }

    private Gpt2Model OpenToRun()
    {
        Gpt2Model model = Open(Model);
        CheckMemory(model, Math.Max(1, BatchSize), Force);
        Prepare(model);
        return model;
    }

    // A prompt waits for a second one: by itself it is faster alone, with others together.
    private void Take(Gpt2Model model, string prompt)
    {
        if (Stream || BatchSize == 1) Generate(model, prompt);
        else if (_batch is null && _waiting is null) _waiting = prompt;
        else Add(model, prompt);
    }

    private void Add(Gpt2Model model, string prompt)
    {
        if (_batch is null)
        {
            _batch = new BatchGenerator(model, Options(), BatchSize > 0 ? BatchSize : BatchGenerator.DefaultBatchSize(model));
            _batchStart = Stopwatch.GetTimestamp();
        }

        if (Interlocked.Exchange(ref _waiting, null) is { } waiting) PerItem(waiting, () => _batch.Add(waiting));
        while (_batch.IsFull) Advance();
        _batch.Add(prompt);
    }

    private void Finish(Gpt2Model model)
    {
        if (Interlocked.Exchange(ref _waiting, null) is { } waiting) PerItem(waiting, () => Generate(model, waiting));
        while (_batch is { IsEmpty: false }) Advance();
        _bar?.Dispose();
        _bar = null;
        _batch?.Dispose();
        _batch = null;
    }

    private void Show(ProgressBar bar, GenerationProgress p)
    {
        double share = p.NewTokens == 0 ? (double)p.PromptTokensRead / p.PromptTokens : (double)p.NewTokens / p.MaxTokens;
        if (p.NewTokens == 0) bar.Show($"reading the prompt: {p.PromptTokensRead} of {p.PromptTokens} tokens", share);
        else if (!Stream) bar.Show($"{p.NewTokens} of {p.MaxTokens} tokens, {p.TokensPerSecond:F1} tokens/s", share, p.TimeLeft);
    }

    private void Advance()
    {
        _bar ??= new ProgressBar(this, $"Generating with {Model}");
        double rate = _batch!.NewTokens / Stopwatch.GetElapsedTime(_batchStart).TotalSeconds;
        _bar.Show($"{_batch.Active} texts at once, {_batch.NewTokens} tokens, {rate:F1} tokens/s", 0);
        foreach (Gpt2Completion completion in _batch.Advance(StopToken)) Emit(completion);
    }

    private void Generate(Gpt2Model model, string prompt)
    {
        using var bar = new ProgressBar(this, $"Generating with {model.Name}");
        var generation = new TextGeneration(model, prompt, Options()) { Progress = progress => Show(bar, progress) };
        foreach (string piece in generation.Stream(StopToken))
        {
            if (Stream) WriteObject(piece);
        }

        Emit(generation.Completion);
    }

    private void Emit(Gpt2Completion completion)
    {
        WriteVerbose(
            $"{completion.Model}: {completion.PromptIds.Count} prompt tokens in {completion.PrefillDuration.TotalMilliseconds:F0} ms, "
            + $"{completion.Ids.Count} new tokens, {completion.TokensPerSecond:F1} tokens/s, "
            + $"{completion.SpeculatedTokens} of them guessed, ended by {completion.FinishReason}.");
        if (!Stream) WriteObject(completion);
        if (completion.Fault is { } fault) PerItem(completion.Prompt, () => ExceptionDispatchInfo.Throw(fault)); // the text so far is out
    }

    private GenerationOptions Options() => new()
    {
        MaxTokens = MaxTokens,
        Temperature = Temperature,
        TopK = TopK,
        TopP = TopP,
        Seed = MyInvocation.BoundParameters.ContainsKey(nameof(Seed)) ? Seed : null,
        Stop = Stop,
        IgnoreEndOfText = IgnoreEndOfText,
        Overflow = Overflow,
        Threads = Threads,
        Speculation = !NoSpeculation,
    };
}
