using System.Management.Automation;
using PicoGpt.Inference;
using PicoGpt.Machine;
using PicoGpt.Tracing;

namespace PicoGpt.PowerShell.Commands;

/// <summary>Shows what passes through a model while it reads: <c>Trace-Gpt2Text 'Once upon a time' -Model 124M</c>.</summary>
[Cmdlet(
    VerbsDiagnostic.Trace, "Gpt2Text", DefaultParameterSetName = InputSet, SupportsShouldProcess = true,
    HelpUri = HelpAddress.Pages + "Trace-Gpt2Text.md")]
[OutputType(typeof(Gpt2Trace), typeof(FileInfo))]
public sealed class TraceGpt2TextCommand : Gpt2RunCmdlet
{
    private bool _hasPage;

    /// <summary>The texts. An empty one is <c>&lt;|endoftext|&gt;</c>.</summary>
    [Parameter(Mandatory = true, Position = 0, ParameterSetName = TextSet)]
    [AllowEmptyString]
    public string[] Text { get; set; } = [];

    /// <summary>Keeps the attention patterns.</summary>
    [Parameter]
    public SwitchParameter Attention { get; set; }

    /// <summary>Keeps what each layer would say next.</summary>
    [Parameter]
    public SwitchParameter LogitLens { get; set; }

    /// <summary>Keeps the norms of the residual stream.</summary>
    [Parameter]
    public SwitchParameter Norm { get; set; }

    /// <summary>Keeps activations of these names or patterns.</summary>
    [Parameter]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(ActivationNameCompleter))]
    public string[] Activation { get; set; } = [];

    /// <summary>The layers whose attention and logit lens are kept; all when it is left out.</summary>
    [Parameter]
    [ValidateRange(0, int.MaxValue)]
    [ArgumentCompleter(typeof(NumberCompleter))]
    public int[] Layer { get; set; } = [];

    /// <summary>The heads whose attention is kept; all when it is left out.</summary>
    [Parameter]
    [ValidateRange(0, int.MaxValue)]
    [ArgumentCompleter(typeof(NumberCompleter))]
    public int[] Head { get; set; } = [];

    /// <summary>How many tokens the logit lens keeps of each layer and position.</summary>
    [Parameter]
    [ValidateRange(1, int.MaxValue)]
    [ArgumentCompleter(typeof(NumberCompleter))]
    public int Top { get; set; } = 5;

    /// <summary>Write one HTML page for a browser to this file, instead of emitting the trace.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? Html { get; set; }

    /// <inheritdoc/>
    private protected override IEnumerable<string> Arguments => Text;

    /// <inheritdoc/>
    private protected override void Begin(Gpt2ModelReference model) => OpenToRun(model, texts: 1, Force);

    /// <inheritdoc/>
    private protected override void Take(SourceText text) => Trace(InUse, text.Text);

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
            Interventions = Intervention,
            Threads = Threads,
        };
    }

    // A name that matches nothing goes to the engine, whose error lists the names.
    private static string[] Expand(Gpt2Model model, string name)
    {
        WildcardPattern pattern = NamePattern.Of(name);
        string[] names = [.. Gpt2Activations.Names(model.HyperParameters).Where(pattern.IsMatch)];
        return names.Length > 0 || NamePattern.HasWildcards(name) ? names : [name];
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
        if (!Force) throw new Gpt2Exception(Gpt2Error.InsufficientMemory, $"{message} Use -Force to try anyway.");
        WriteWarning(message);
    }
}
