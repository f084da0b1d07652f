using System.Diagnostics;
using System.Management.Automation;
using System.Runtime.ExceptionServices;
using PicoGpt.Comparing;
using PicoGpt.Machine;
using PicoGpt.Measuring;

namespace PicoGpt.PowerShell.Commands;

/// <summary>Shows what two models differ in, by weight or by text: <c>Compare-Gpt2Model 124M ./mine</c>.</summary>
[Cmdlet(VerbsData.Compare, "Gpt2Model", DefaultParameterSetName = WeightSet, HelpUri = HelpAddress.Pages + "Compare-Gpt2Model.md")]
[OutputType(typeof(Gpt2WeightDifference), ParameterSetName = [WeightSet])]
[OutputType(typeof(Gpt2TextDifference), ParameterSetName = [InputSet, TextSet, PathSet, LiteralPathSet])]
public sealed class CompareGpt2ModelCommand : Gpt2TextCmdlet
{
    private const string WeightSet = "Weight";

    private Gpt2Model? _opened;
    private TextComparer? _comparer;
    private ProgressBar? _bar;
    private long _start;

    /// <summary>The model that is compared with: an object, a name or a path.</summary>
    [Parameter(Mandatory = true, Position = 0)]
    [ModelTransformation]
    [ArgumentCompleter(typeof(ModelNameCompleter))]
    public Gpt2ModelReference Reference { get; set; } = null!;

    /// <inheritdoc/>
    [Parameter(Mandatory = true, Position = 1, ParameterSetName = InputSet)]
    [Parameter(Mandatory = true, Position = 1, ValueFromPipeline = true, ParameterSetName = WeightSet)]
    [Parameter(Mandatory = true, Position = 1, ValueFromPipeline = true, ParameterSetName = TextSet)]
    [Parameter(Mandatory = true, Position = 1, ValueFromPipeline = true, ParameterSetName = PathSet)]
    [Parameter(Mandatory = true, Position = 1, ValueFromPipeline = true, ParameterSetName = LiteralPathSet)]
    [ModelTransformation]
    [ArgumentCompleter(typeof(ModelNameCompleter))]
    public override Gpt2ModelReference? Model { get; set; }

    /// <summary>Names or wildcard patterns of weights; all when it is left out.</summary>
    [Parameter(Position = 2, ParameterSetName = WeightSet)]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(WeightNameCompleter))]
    public string[] Name { get; set; } = ["*"];

    /// <summary>The texts, of any length.</summary>
    [Parameter(Mandatory = true, ParameterSetName = TextSet)]
    [AllowEmptyString]
    public string[] Text { get; set; } = [];

    /// <summary>How many of the likeliest tokens are listed for each token of a measure; 0 for none.</summary>
    [Parameter(ParameterSetName = InputSet)]
    [Parameter(ParameterSetName = TextSet)]
    [Parameter(ParameterSetName = PathSet)]
    [Parameter(ParameterSetName = LiteralPathSet)]
    [ValidateRange(0, int.MaxValue)]
    [ArgumentCompleter(typeof(NumberCompleter))]
    public int Top { get; set; } = 3;

    /// <summary>How many tokens a text that is longer than the context is advanced by at a time; half the context by default.</summary>
    [Parameter(ParameterSetName = InputSet)]
    [Parameter(ParameterSetName = TextSet)]
    [Parameter(ParameterSetName = PathSet)]
    [Parameter(ParameterSetName = LiteralPathSet)]
    [ValidateRange(1, int.MaxValue)]
    [ArgumentCompleter(typeof(NumberCompleter))]
    public int Stride { get; set; }

    /// <summary>Begin with the first token, which is not measured then, instead of with <c>&lt;|endoftext|&gt;</c>.</summary>
    [Parameter(ParameterSetName = InputSet)]
    [Parameter(ParameterSetName = TextSet)]
    [Parameter(ParameterSetName = PathSet)]
    [Parameter(ParameterSetName = LiteralPathSet)]
    public SwitchParameter NoStartToken { get; set; }

    /// <inheritdoc/>
    [Parameter(ParameterSetName = InputSet)]
    [Parameter(ParameterSetName = TextSet)]
    [Parameter(ParameterSetName = PathSet)]
    [Parameter(ParameterSetName = LiteralPathSet)]
    public override SwitchParameter AllowSpecial { get; set; }

    /// <summary>Texts that are read together; by default 16 per core, as far as memory allows.</summary>
    [Parameter(ParameterSetName = InputSet)]
    [Parameter(ParameterSetName = TextSet)]
    [Parameter(ParameterSetName = PathSet)]
    [Parameter(ParameterSetName = LiteralPathSet)]
    [ValidateRange(1, 64)]
    [ArgumentCompleter(typeof(NumberCompleter))]
    public int BatchSize { get; set; }

    /// <summary>Threads to compute with; 0 for one per physical core.</summary>
    [Parameter(ParameterSetName = InputSet)]
    [Parameter(ParameterSetName = TextSet)]
    [Parameter(ParameterSetName = PathSet)]
    [Parameter(ParameterSetName = LiteralPathSet)]
    [ValidateRange(0, Processors.MaxThreads)]
    [ArgumentCompleter(typeof(NumberCompleter))]
    public int Threads { get; set; }

    /// <summary>Go on where the memory seems too little for the models.</summary>
    [Parameter(ParameterSetName = InputSet)]
    [Parameter(ParameterSetName = TextSet)]
    [Parameter(ParameterSetName = PathSet)]
    [Parameter(ParameterSetName = LiteralPathSet)]
    public SwitchParameter Force { get; set; }

    /// <inheritdoc/>
    private protected override int WantedThreads => Threads;

    /// <inheritdoc/>
    private protected override IEnumerable<string> Arguments => Text;

    private Gpt2Model InReference => Reference.Model ?? (_opened ??= OpenModel(Reference.NameOrPath!));

    // Where the pipeline brings nothing the parameter set is the default one, though texts were meant.
    private bool ComparesWeights => ParameterSetName == WeightSet && !(MyInvocation.ExpectingInput && IsGiven(nameof(Model)));

    /// <inheritdoc/>
    protected override void BeginProcessing()
    {
        _ = SetUp(Reference, () => InReference);
        base.BeginProcessing();
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _comparer?.Dispose(); // the bar cannot be written to any more: a stopped pipeline takes it away itself
            _opened?.Dispose();
        }

        base.Dispose(disposing);
    }

    // The texts are not known yet, and with them what is to be compared.
    private protected override void Begin(Gpt2ModelReference model)
    {
        _comparer?.Dispose();
        _comparer = null;
        _ = Open(model);
    }

    /// <inheritdoc/>
    private protected override void Take(SourceText text)
    {
        _comparer ??= NewComparer();
        if (_start == 0) _start = Stopwatch.GetTimestamp();
        _comparer.Add(text.Text, text.Line == 0 ? text.Path : null); // a line is not the file
        while (_comparer.IsFull) Advance(_comparer);
    }

    /// <inheritdoc/>
    private protected override void Finish()
    {
        if (ComparesWeights) CompareWeights(InReference, InUse);
        while (_comparer is { IsEmpty: false } comparer) Advance(comparer);
        _bar?.Dispose();
        _bar = null;
    }

    private TextComparer NewComparer()
    {
        Gpt2Model[] both = OpenToRun([new Gpt2ModelReference(InReference), new Gpt2ModelReference(InUse)], Math.Max(1, BatchSize), Force);
        var options = new MeasureOptions { Top = Top, Stride = Stride, NoStartToken = NoStartToken, AllowSpecial = AllowSpecial, Threads = Threads };
        return new TextComparer(both[0], both[1], options, BatchSize);
    }

    private void Advance(TextComparer comparer)
    {
        _bar ??= new ProgressBar(this, $"Comparing {InUse.Name} with {InReference.Name}");
        _bar.ShowTokens(comparer.TokensMeasured, comparer.TokensLeft, Stopwatch.GetElapsedTime(_start));
        foreach (Gpt2TextDifference difference in comparer.Advance(StopToken)) Emit(difference);
    }

    private void Emit(Gpt2TextDifference difference)
    {
        if ((difference.ReferenceMeasure.Fault ?? difference.Measure.Fault) is { } fault)
            PerItem(difference.Path ?? difference.Text, () => ExceptionDispatchInfo.Throw(fault)); // a part's numbers are not the text's
        else
            WriteObject(difference);
    }

    private void CompareWeights(Gpt2Model reference, Gpt2Model model)
    {
        WarnOfOtherNumbers(reference, model);
        if (!WeightComparer.CanCompare(reference, model))
        {
            throw Refused(
                $"No weight of {model.Name} has the shape that it has in {reference.Name}, so that they cannot be compared by weight; "
                    + "they can by texts: -Text, -Path, or from the pipeline.");
        }

        string[] names = [.. WeightComparer.NamesOf(reference, model)];
        HashSet<string> done = [];
        using var bar = new ProgressBar(this, $"Comparing {model.Name} with {reference.Name}");
        foreach (string pattern in Name)
        {
            string[] found = [.. names.Where(NamePattern.Of(pattern).IsMatch)];
            if (found.Length == 0 && !NamePattern.HasWildcards(pattern)) found = [pattern]; // to be told that there is none
            foreach (string name in found.Where(done.Add))
                PerItem(name, () => CompareWeight(reference, model, name, bar, (double)done.Count / names.Length));
        }
    }

    private void CompareWeight(Gpt2Model reference, Gpt2Model model, string name, ProgressBar bar, double share)
    {
        Gpt2WeightDifference? difference = null;
        Await(() => difference = WeightComparer.Compare(reference, model, name, StopToken), () => bar.Show(name, share));
        WriteObject(difference);
    }

    // What a model does with its weights is told by numbers that are not weights.
    private void WarnOfOtherNumbers(Gpt2Model reference, Gpt2Model model)
    {
        var (a, b) = (reference.HyperParameters, model.HyperParameters);
        List<string> other = [];
        Look("n_head", a.NHead, b.NHead);
        Look("activation function", a.Activation, b.Activation);
        Look("layer_norm_epsilon", a.LayerNormEpsilon, b.LayerNormEpsilon);
        Look("scale_attn_weights", a.ScaleAttnWeights, b.ScaleAttnWeights);
        Look("scale_attn_by_inverse_layer_idx", a.ScaleAttnByInverseLayerIdx, b.ScaleAttnByInverseLayerIdx);
        if (other.Count > 0) WriteWarning($"The models differ not by their weights alone: {string.Join(", ", other)}.");

        void Look<T>(string name, T before, T after)
        {
            if (!Equals(before, after)) other.Add(FormattableString.Invariant($"{name} is {before} in {reference.Name} and {after} in {model.Name}"));
        }
    }
}
