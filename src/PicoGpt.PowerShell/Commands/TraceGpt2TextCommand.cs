using System.Management.Automation;
using PicoGpt.Circuits;
using PicoGpt.Inference;
using PicoGpt.Intervening;
using PicoGpt.Machine;
using PicoGpt.Pictures;
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
    [IndexRange]
    [ValidateRange(0, int.MaxValue)]
    [ArgumentCompleter(typeof(NumberCompleter))]
    public int[] Layer { get; set; } = [];

    /// <summary>The heads whose attention is kept; all when it is left out.</summary>
    [Parameter]
    [IndexRange]
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
    [PlainPath]
    public string? Html { get; set; }

    /// <summary>The token whose logit the page takes apart; the likeliest one after the text when it is left out.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? Answer { get; set; }

    /// <summary>The token whose logit is subtracted from it.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? Against { get; set; }

    /// <summary>Grids that the page shows too, such as sweeps.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public Gpt2Grid[] Grid { get; set; } = [];

    /// <inheritdoc/>
    private protected override IEnumerable<string> Arguments => Text;

    private bool IsCompared => Intervention.Length > 0;

    private bool KeepsAll => !Attention && !LogitLens && !Norm && Activation.Length == 0;

    /// <inheritdoc/>
    private protected override void Begin(Gpt2ModelReference model)
    {
        foreach (string parameter in (string[])[nameof(Answer), nameof(Against), nameof(Grid)])
        {
            if (Html is null && IsGiven(parameter)) throw Refused($"-{parameter} tells what a page shows beside the trace; give -Html with it.");
        }

        OpenToRun(model, texts: 1, Force);
    }

    /// <inheritdoc/>
    private protected override void Take(SourceText text) => Trace(InUse, text.Text);

    private void Trace(Gpt2Model model, string text)
    {
        double share = 0;
        var tracer = new TextTracer(model, text, Options(model, Intervention) with { Progress = value => Volatile.Write(ref share, value) });
        string? page = Html is null ? null : PageOf(model, tracer);
        if (page is not null && !ShouldProcess(page, $"Write the trace of {tracer.Tokens.Count} tokens")) return;
        WriteVerbose($"{model.Name}: {tracer.Tokens.Count} tokens, the trace takes {Format.Bytes(tracer.MemoryNeeded)}.");
        CheckTraceMemory(page is not null && IsCompared ? 2 * tracer.MemoryNeeded : tracer.MemoryNeeded);
        Gpt2Trace? trace = null;
        TraceAdditions? additions = null;
        using (var bar = new ProgressBar(this, $"Tracing with {model.Name}"))
        {
            Await(
                () =>
                {
                    trace = tracer.Trace(StopToken);
                    if (page is not null) additions = Additions(model, text, hasLogit: trace.Fault is null);
                },
                () => bar.Show($"{tracer.Tokens.Count} tokens", Volatile.Read(ref share)));
        }

        if (trace!.Fault is { } fault) WriteWarning(fault.Message);
        if (page is null)
        {
            WriteObject(trace);
            return;
        }

        trace.SaveHtml(page, additions!, Force);
        _hasPage = true;
        WriteItem(page);
    }

    // What a page shows beside the trace: the same without interventions, what adds to the answer's logit, and the grids that are given.
    private TraceAdditions Additions(Gpt2Model model, string text, bool hasLogit) => new()
    {
        Before = IsCompared ? new TextTracer(model, text, Options(model, [])).Trace(StopToken) : null,
        Grids = [.. Contributions(model, text, hasLogit), .. Grid.Select(grid => new Gpt2GridPair(grid))],
    };

    private IEnumerable<Gpt2GridPair> Contributions(Gpt2Model model, string text, bool hasLogit)
    {
        bool isAsked = (Answer ?? Against) is not null;
        if (!isAsked && (!KeepsAll || text.Length == 0 || !hasLogit)) yield break;
        var options = new LogitAttributionOptions
        {
            Answer = Answer,
            Against = Against,
            AllowSpecial = AllowSpecial,
            Interventions = Intervention,
            Threads = Threads,
        };
        yield return IsCompared ? LogitAttribution.Compare(model, text, options, StopToken) : new Gpt2GridPair(LogitAttribution.Of(model, text, options, StopToken));
    }

    private TraceOptions Options(Gpt2Model model, Gpt2Intervention[] interventions) =>
        new()
        {
            Attention = Attention || KeepsAll,
            LogitLens = LogitLens || KeepsAll,
            Norms = Norm || KeepsAll,
            Activations = [.. Activation.SelectMany(name => Expand(model, name)).Distinct()],
            Layers = Layer,
            Heads = Head,
            Top = Top,
            AllowSpecial = AllowSpecial,
            Interventions = interventions,
            Threads = Threads,
        };

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

        tracer.CheckPage(page, Force, IsCompared);
        return page;
    }

    private void CheckTraceMemory(long needed)
    {
        if (needed <= AvailableMemory.Bytes) return;
        string message = $"The trace takes {Format.Bytes(needed)} of memory, but only {Format.Bytes(AvailableMemory.Bytes)} are free; "
            + "choose less with -Layer, -Head, -Activation or -Top, or a shorter text.";
        if (!Force) throw new Gpt2Exception(Gpt2Error.InsufficientMemory, $"{message} Use -Force to try anyway.");
        WriteWarning(message);
    }
}
