using System.Diagnostics;
using System.Management.Automation;
using System.Runtime.ExceptionServices;
using PicoGpt.Inference;
using PicoGpt.Measuring;

namespace PicoGpt.PowerShell.Commands;

/// <summary>Measures how well a model foresees texts: <c>Get-Content tale.txt -Raw | Measure-Gpt2Text -Model 124M</c>.</summary>
[Cmdlet(VerbsDiagnostic.Measure, "Gpt2Text", DefaultParameterSetName = TextSet, HelpUri = HelpAddress.Pages + "Measure-Gpt2Text.md")]
[OutputType(typeof(Gpt2TextMeasure))]
public sealed class MeasureGpt2TextCommand : Gpt2FetchingCmdlet
{
    private const string TextSet = "TextFromPipeline";
    private const string ModelSet = "ModelFromPipeline";
    private const string PathSet = "Path";
    private const string LiteralPathSet = "LiteralPath";

    private bool _isModelGiven;
    private TextMeasurer? _measurer;
    private ProgressBar? _bar;
    private long _start;

    /// <summary>The texts, of any length.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true, ParameterSetName = TextSet)]
    [Parameter(Mandatory = true, Position = 0, ParameterSetName = ModelSet)]
    [AllowEmptyString]
    public string[] Text { get; set; } = [];

    /// <summary>Files of text in UTF-8, with wildcards.</summary>
    [Parameter(Mandatory = true, ParameterSetName = PathSet)]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    public string[] Path { get; set; } = [];

    /// <summary>Files of text in UTF-8, taken literally.</summary>
    [Parameter(Mandatory = true, ValueFromPipelineByPropertyName = true, ParameterSetName = LiteralPathSet)]
    [Alias("PSPath")]
    [ValidateNotNullOrEmpty]
    public string[] LiteralPath { get; set; } = [];

    /// <summary>The model: an object, a name or a path.</summary>
    [Parameter(Mandatory = true, ParameterSetName = TextSet)]
    [Parameter(Mandatory = true, ValueFromPipeline = true, ParameterSetName = ModelSet)]
    [Parameter(Mandatory = true, ValueFromPipeline = true, ParameterSetName = PathSet)]
    [Parameter(Mandatory = true, ValueFromPipeline = true, ParameterSetName = LiteralPathSet)]
    [ModelTransformation]
    [ArgumentCompleter(typeof(ModelNameCompleter))]
    public Gpt2ModelReference Model { get; set; } = null!;

    /// <summary>How many of the likeliest tokens are listed for each token; 0 for none.</summary>
    [Parameter]
    [ValidateRange(0, int.MaxValue)]
    public int Top { get; set; } = 3;

    /// <summary>How many tokens a text that is longer than the context is moved on by at a time; half the context by default.</summary>
    [Parameter]
    [ValidateRange(1, int.MaxValue)]
    public int Stride { get; set; }

    /// <summary>Begin with the first token, which is not measured then, instead of with <c>&lt;|endoftext|&gt;</c>.</summary>
    [Parameter]
    public SwitchParameter NoStartToken { get; set; }

    /// <summary>Take <c>&lt;|endoftext|&gt;</c> in a text for the special token instead of for ordinary characters.</summary>
    [Parameter]
    public SwitchParameter AllowSpecial { get; set; }

    /// <summary>
    /// Texts that are read together, which makes many short ones several times as fast; by default 16 a core, as far as memory
    /// allows. 1 takes each text as it comes and emits its measure before the next is read.
    /// </summary>
    [Parameter]
    [ValidateRange(1, 64)]
    public int BatchSize { get; set; }

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

    /// <summary>Go on where the memory seems too little for the model.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    /// <inheritdoc/>
    protected override Gpt2Precision? WantedPrecision => Precision is null ? null : Enum.Parse<Gpt2Precision>(Precision);

    /// <inheritdoc/>
    protected override void BeginProcessing()
    {
        _isModelGiven = MyInvocation.BoundParameters.ContainsKey(nameof(Model));
        if (_isModelGiven) _measurer = SetUp(Model, Start);
    }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        if (_isModelGiven) TakeAll();
        else PerItem(Model, MeasureAll);
    }

    /// <inheritdoc/>
    protected override void EndProcessing()
    {
        if (_isModelGiven) PerItem(Model, Finish);
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing) _measurer?.Dispose(); // the bar cannot be written to any more: a stopped pipeline takes it away itself
        base.Dispose(disposing);
    }

    private void MeasureAll()
    {
        _measurer?.Dispose();
        _measurer = null;
        _measurer = Start();
        TakeAll();
        Finish();
    }

    private TextMeasurer Start()
    {
        Gpt2Model model = Open(Model);
        CheckMemory(model, Math.Max(1, BatchSize), Force);
        Prepare(model);
        _start = 0;
        return new TextMeasurer(model, Options(), BatchSize > 0 ? BatchSize : BatchGenerator.DefaultBatchSize(model));
    }

    private void TakeAll()
    {
        switch (ParameterSetName)
        {
            case PathSet:
                foreach (string path in Path) PerItem(path, () => TakeFiles(SessionPath.Expand(SessionState, path)));
                break;
            case LiteralPathSet:
                foreach (string path in LiteralPath) PerItem(path, () => TakeFiles([SessionPath.Resolve(SessionState, path)]));
                break;
            default:
                foreach (string text in Text) PerItem(text, () => Take(text));
                break;
        }
    }

    private void TakeFiles(IEnumerable<string> files)
    {
        foreach (string file in files) PerItem(file, () => Take(TextFile.Read(file), file));
    }

    private void Take(string text, string? file = null)
    {
        if (_start == 0) _start = Stopwatch.GetTimestamp();
        _measurer!.Add(text, file);
        while (_measurer.IsFull) Advance();
    }

    private void Finish()
    {
        while (!_measurer!.IsEmpty) Advance();
        _bar?.Dispose();
        _bar = null;
    }

    private void Advance()
    {
        _bar ??= new ProgressBar(this, $"Measuring with {Model}");
        long measured = _measurer!.TokensMeasured, left = _measurer.TokensLeft;
        double rate = measured / Stopwatch.GetElapsedTime(_start).TotalSeconds;
        TimeSpan? timeLeft = measured == 0 ? null : TimeSpan.FromSeconds(left / rate);
        _bar.Show($"{measured} of {measured + left} tokens, {rate:F1} tokens/s", (double)measured / Math.Max(1, measured + left), timeLeft);
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
        WriteVerbose($"{measure.Model}: {measure}; {all} tokens in all, {all / seconds:F1} tokens/s.");
        WriteObject(measure);
    }

    private MeasureOptions Options() => new()
    {
        Top = Top,
        Stride = Stride,
        NoStartToken = NoStartToken,
        AllowSpecial = AllowSpecial,
        Threads = Threads,
    };
}
