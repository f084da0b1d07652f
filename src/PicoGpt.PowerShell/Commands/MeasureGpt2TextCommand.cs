using System.Diagnostics;
using System.Management.Automation;
using System.Runtime.ExceptionServices;
using PicoGpt.Inference;
using PicoGpt.Measuring;
using PicoGpt.Tokens;

namespace PicoGpt.PowerShell.Commands;

/// <summary>Measures how well a model predicts texts: <c>Get-Content tale.txt -Raw | Measure-Gpt2Text -Model 124M</c>.</summary>
[Cmdlet(VerbsDiagnostic.Measure, "Gpt2Text", DefaultParameterSetName = InputSet, SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.Low, HelpUri = HelpAddress.Pages + "Measure-Gpt2Text.md")]
[OutputType(typeof(Gpt2TextMeasure), typeof(Gpt2TextCount), typeof(FileInfo))]
public sealed class MeasureGpt2TextCommand : Gpt2RunCmdlet
{
    private TextMeasurer? _measurer;
    private Tokenizer? _encoder;
    private ProgressBar? _bar;
    private readonly List<Gpt2TextMeasure> _ofPage = [];
    private long _start;
    private string _model = "";

    /// <summary>The texts, of any length.</summary>
    [Parameter(Mandatory = true, Position = 0, ParameterSetName = TextSet)]
    [AllowEmptyString]
    public string[] Text { get; set; } = [];

    /// <summary>How many of the likeliest tokens are listed for each token; 0 for none.</summary>
    [Parameter]
    [ValidateRange(0, int.MaxValue)]
    [ArgumentCompleter(typeof(NumberCompleter))]
    public int Top { get; set; } = 3;

    /// <summary>How many tokens a text that is longer than the context is advanced by at a time; half the context by default.</summary>
    [Parameter]
    [ValidateRange(1, int.MaxValue)]
    [ArgumentCompleter(typeof(NumberCompleter))]
    public int Stride { get; set; }

    /// <summary>Begin with the first token, which is not measured then, instead of with <c>&lt;|endoftext|&gt;</c>.</summary>
    [Parameter]
    public SwitchParameter NoStartToken { get; set; }

    /// <summary>
    /// Texts that are read together, which makes many short ones several times as fast; by default 16 per core, as far as memory
    /// allows. 1 takes each text as it comes and emits its measure before the next is read.
    /// </summary>
    [Parameter]
    [ValidateRange(1, 64)]
    [ArgumentCompleter(typeof(NumberCompleter))]
    public int BatchSize { get; set; }

    /// <summary>Write one HTML page for a browser with all texts to this file, instead of emitting their measures.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    [PlainPath]
    public string? Html { get; set; }

    /// <summary>Count tokens, words, characters and bytes only; the model is not run.</summary>
    [Parameter]
    public SwitchParameter CountOnly { get; set; }

    /// <summary>Take only so many of the first tokens of each text.</summary>
    [Parameter]
    [ValidateRange(0, int.MaxValue)]
    [ArgumentCompleter(typeof(NumberCompleter))]
    public int First { get; set; } = int.MaxValue;

    /// <inheritdoc/>
    private protected override IEnumerable<string> Arguments => Text;

    /// <inheritdoc/>
    protected override void BeginProcessing()
    {
        if (Html is not null && CountOnly)
            _ = SetUp<string>(null, () => throw Refused("-Html shows what a model says of a text, which -CountOnly does not run; leave one of them out."));
        base.BeginProcessing();
    }

    /// <inheritdoc/>
    protected override void EndProcessing()
    {
        base.EndProcessing();
        if (_ofPage.Count == 0) return;
        string page = SessionPath.Resolve(SessionState, Html!);
        if (!ShouldProcess(page, $"Write a page of {(_ofPage.Count == 1 ? "a text" : $"{_ofPage.Count} texts")}")) return;
        PerItem(page, () =>
        {
            Gpt2TextMeasure.SaveHtml(_ofPage, page, Force);
            WriteItem(page);
        });
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing) _measurer?.Dispose(); // the bar cannot be written to any more: a stopped pipeline takes it away itself
        base.Dispose(disposing);
    }

    /// <inheritdoc/>
    private protected override void Begin(Gpt2ModelReference model)
    {
        _measurer?.Dispose();
        _measurer = null;
        if (CountOnly)
        {
            _encoder = OpenEncoder(model);
            return;
        }

        Gpt2Model open = OpenToRun(model, Math.Max(1, BatchSize), Force);
        (_start, _model) = (0, open.Name);
        _measurer = new TextMeasurer(open, Options(), BatchSize > 0 ? BatchSize : BatchGenerator.DefaultBatchSize(open));
    }

    /// <inheritdoc/>
    private protected override void Take(SourceText text)
    {
        if (CountOnly)
        {
            WriteObject(TextCounter.Count(_encoder!, text.Text, First, AllowSpecial) with { Path = text.Path, Line = text.Line });
            return;
        }

        if (_start == 0) _start = Stopwatch.GetTimestamp();
        string measured = First == int.MaxValue ? text.Text : TextCounter.Cut(InUse.Encoder, text.Text, First, AllowSpecial);
        _measurer!.Add(measured, text.Line == 0 ? text.Path : null); // a line is not the file
        while (_measurer.IsFull) Advance();
    }

    /// <inheritdoc/>
    private protected override void Finish()
    {
        while (_measurer is { IsEmpty: false }) Advance();
        _bar?.Dispose();
        _bar = null;
    }

    private void Advance()
    {
        _bar ??= new ProgressBar(this, $"Measuring with {_model}");
        _bar.ShowTokens(_measurer!.TokensMeasured, _measurer.TokensLeft, Stopwatch.GetElapsedTime(_start));
        foreach (Gpt2TextMeasure measure in _measurer.Advance(StopToken)) Emit(measure);
    }

    private void Emit(Gpt2TextMeasure measure)
    {
        if (measure.Fault is { } fault)
        {
            PerItem(measure.Path ?? measure.Text, () => ExceptionDispatchInfo.Throw(fault)); // a part's numbers are not the text's
            return;
        }

        double seconds = Stopwatch.GetElapsedTime(_start).TotalSeconds;
        long all = _measurer!.TokensMeasured;
        WriteVerbose(FormattableString.Invariant($"{measure.Model}: {measure}; {all} tokens in all, {all / seconds:F1} tokens/s."));
        if (Html is null) WriteObject(measure);
        else _ofPage.Add(measure);
    }

    private MeasureOptions Options() => new()
    {
        Top = Top,
        Stride = Stride,
        NoStartToken = NoStartToken,
        AllowSpecial = AllowSpecial,
        Interventions = Intervention,
        Threads = Threads,
    };
}
