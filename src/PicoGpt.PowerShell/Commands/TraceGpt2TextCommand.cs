using System.Management.Automation;
using PicoGpt.Machine;
using PicoGpt.Tracing;

namespace PicoGpt.PowerShell.Commands;

/// <summary>Shows what passes through a model while it reads: <c>Trace-Gpt2Text 'Once upon a time' -Model 124M</c>.</summary>
[Cmdlet(
    VerbsDiagnostic.Trace, "Gpt2Text", DefaultParameterSetName = TextSet, SupportsShouldProcess = true,
    HelpUri = HelpAddress.Pages + "Trace-Gpt2Text.md")]
[OutputType(typeof(Gpt2Trace), typeof(FileInfo))]
public sealed class TraceGpt2TextCommand : Gpt2FetchingCmdlet
{
    private const string TextSet = "TextFromPipeline";
    private const string ModelSet = "ModelFromPipeline";

    private bool _hasPage;

    /// <summary>The texts. An empty one is <c>&lt;|endoftext|&gt;</c>.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true, ParameterSetName = TextSet)]
    [Parameter(Mandatory = true, Position = 0, ParameterSetName = ModelSet)]
    [AllowEmptyString]
    public string[] Text { get; set; } = [];

    /// <summary>The model: an object, a name or a path.</summary>
    [Parameter(Mandatory = true, ParameterSetName = TextSet)]
    [Parameter(Mandatory = true, ValueFromPipeline = true, ParameterSetName = ModelSet)]
    [ModelTransformation]
    [ArgumentCompleter(typeof(ModelNameCompleter))]
    public Gpt2ModelReference Model { get; set; } = null!;

    /// <summary>Keep the attention patterns.</summary>
    [Parameter]
    public SwitchParameter Attention { get; set; }

    /// <summary>Keep what each layer would say next.</summary>
    [Parameter]
    public SwitchParameter LogitLens { get; set; }

    /// <summary>Keep the norms of the residual stream.</summary>
    [Parameter]
    public SwitchParameter Norm { get; set; }

    /// <summary>Keep activations of these names or patterns.</summary>
    [Parameter]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(ActivationNameCompleter))]
    public string[] Activation { get; set; } = [];

    /// <summary>The layers whose attention and logit lens are kept; all when it is left out.</summary>
    [Parameter]
    [ValidateRange(0, int.MaxValue)]
    public int[] Layer { get; set; } = [];

    /// <summary>The heads whose attention is kept; all when it is left out.</summary>
    [Parameter]
    [ValidateRange(0, int.MaxValue)]
    public int[] Head { get; set; } = [];

    /// <summary>How many tokens the logit lens keeps of each layer and position.</summary>
    [Parameter]
    [ValidateRange(1, int.MaxValue)]
    public int Top { get; set; } = 5;

    /// <summary>Take <c>&lt;|endoftext|&gt;</c> in the text for the special token instead of for ordinary characters.</summary>
    [Parameter]
    public SwitchParameter AllowSpecial { get; set; }

    /// <summary>Write one HTML page for a browser to this file, instead of emitting the trace.</summary>
    [Parameter]
    [Alias("Path")]
    [ValidateNotNullOrEmpty]
    public string? Html { get; set; }

    /// <summary>Write over a page that is there, and go on where the memory seems too little.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    /// <summary>Threads to compute with; 0 for one a physical core.</summary>
    [Parameter]
    [ValidateRange(0, 1024)]
    public int Threads { get; set; }

    /// <summary>
    /// How the matrices are held: Float32 (exact), Float16, BFloat16, Int8 or Int4; by default that of the model object, or Float32.
    /// </summary>
    [Parameter]
    [PrecisionTransformation]
    [ArgumentCompleter(typeof(PrecisionCompleter))]
    public string? Precision { get; set; }

    /// <inheritdoc/>
    protected override Gpt2Precision? WantedPrecision => Precision is null ? null : Enum.Parse<Gpt2Precision>(Precision);

    /// <inheritdoc/>
    protected override void BeginProcessing()
    {
        if (ParameterSetName == TextSet) SetUp(Model, OpenToRun);
    }

    /// <inheritdoc/>
    protected override void ProcessRecord() => PerItem(Model, () =>
    {
        Gpt2Model model = ParameterSetName == ModelSet ? OpenToRun() : Open(Model);
        foreach (string text in Text) PerItem(text, () => Trace(model, text));
    });

    private Gpt2Model OpenToRun()
    {
        Gpt2Model model = Open(Model);
        CheckMemory(model, texts: 1, Force);
        Prepare(model);
        return model;
    }

    private void Trace(Gpt2Model model, string text)
    {
        double share = 0;
        var tracer = new TextTracer(model, text, Options(model) with { Progress = value => Volatile.Write(ref share, value) });
        string? page = Html is null ? null : PageOf(model, tracer);
        if (page is not null && !ShouldProcess(page, $"Write the trace of {tracer.Tokens.Count} tokens")) return;
        WriteVerbose($"{model.Name}: {tracer.Tokens.Count} tokens, the trace takes {Format.Bytes(tracer.MemoryNeeded)}.");
        CheckTraceMemory(tracer);
        Gpt2Trace? trace = null;
        using (var bar = new ProgressBar(this, $"Tracing with {model.Name}"))
            Await(() => trace = tracer.Trace(StopToken), () => bar.Show($"{tracer.Tokens.Count} tokens", Volatile.Read(ref share)));
        if (page is null)
        {
            WriteObject(trace);
            return;
        }

        trace!.SaveHtml(page, Force);
        _hasPage = true;
        WriteObject(InvokeProvider.Item.Get([page], force: true, literalPath: true), enumerateCollection: true);
    }

    private TraceOptions Options(Gpt2Model model)
    {
        bool isDefault = !Attention && !LogitLens && !Norm && Activation.Length == 0;
        return new TraceOptions
        {
            Attention = Attention || isDefault,
            LogitLens = LogitLens || isDefault,
            Norms = Norm || isDefault,
            Activations = [.. Activation.SelectMany(name => Expand(model, name)).Distinct()],
            Layers = Layer,
            Heads = Head,
            Top = Top,
            AllowSpecial = AllowSpecial,
            Threads = Threads,
        };
    }

    // A name that matches nothing goes to the engine, which tells the names that there are.
    private static string[] Expand(Gpt2Model model, string name)
    {
        var pattern = new WildcardPattern(name, WildcardOptions.IgnoreCase | WildcardOptions.CultureInvariant);
        string[] names = [.. Gpt2Activations.Names(model.HyperParameters).Where(pattern.IsMatch)];
        return names.Length > 0 || WildcardPattern.ContainsWildcardCharacters(name) ? names : [name];
    }

    private string PageOf(Gpt2Model model, TextTracer tracer)
    {
        string page = SessionPath.Resolve(SessionState, Html!);
        if (_hasPage)
        {
            throw new Gpt2Exception(
                Gpt2Error.InvalidArgument, $"A page shows one text, and '{page}' has its text already; give each text a page of its own.", page);
        }

        tracer.CheckPage(page, Force);
        return page;
    }

    private void CheckTraceMemory(TextTracer tracer)
    {
        if (tracer.MemoryNeeded <= AvailableMemory.Bytes) return;
        string message = $"The trace takes {Format.Bytes(tracer.MemoryNeeded)} of memory, but only {Format.Bytes(AvailableMemory.Bytes)} are free; "
            + "choose less with -Layer, -Head, -Activation or -Top, or a shorter text.";
        if (!Force) throw new Gpt2Exception(Gpt2Error.InsufficientMemory, $"{message} With -Force it is tried all the same.");
        WriteWarning(message);
    }
}
