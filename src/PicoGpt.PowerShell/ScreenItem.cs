using System.ComponentModel;
using System.Globalization;
using System.Management.Automation;

namespace PicoGpt.PowerShell;

/// <summary>
/// What the format views show of an object, from here or from another session. It is the hidden property <c>Screen</c> of the engine's
/// types: a view may read properties where the session's language is constrained, but call no method.
/// </summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public sealed class ScreenItem
{
    private const string Cyan = "\e[36m", Yellow = "\e[33m";

    private readonly PSObject _item;

    private ScreenItem(PSObject item) => _item = item;

    /// <summary>The object for the views.</summary>
    /// <param name="item">An object.</param>
    /// <returns>What is shown of it.</returns>
    public static ScreenItem Of(PSObject item) => new(item);

    /// <summary>The name on one line.</summary>
    public string Name => Visible(nameof(Name));

    /// <summary>The text on one line.</summary>
    public string Text => Visible(nameof(Text));

    /// <summary>The text on one line, in quotes.</summary>
    public string QuotedText => $"'{Text}'";

    /// <summary>The text in one of two colours in turn.</summary>
    public string StripedText => Striped(Text);

    /// <summary>The text in quotes, in one of two colours in turn.</summary>
    public string StripedQuotedText => Striped(QuotedText);

    /// <summary>The prompt on one line.</summary>
    public string Prompt => Visible(nameof(Prompt));

    /// <summary>The text with its line ends.</summary>
    public string PrintableText => VisibleText.Printable(ObjectReader.Text(_item, nameof(Text)));

    /// <summary>The prompt with its line ends.</summary>
    public string PrintablePrompt => VisibleText.Printable(ObjectReader.Text(_item, nameof(Prompt)));

    /// <summary>The sites on one line.</summary>
    public string Sites => Format.Visible(string.Join(", ", ObjectReader.Items(_item, nameof(Sites)).Select(site => $"{site}")));

    /// <summary>The site on one line.</summary>
    public string Site => Visible(nameof(Site));

    /// <summary>The name of the row on one line.</summary>
    public string RowLabel => Visible(nameof(RowLabel));

    /// <summary>The name of the column on one line.</summary>
    public string ColumnLabel => Visible(nameof(ColumnLabel));

    /// <summary>The layers on one line; all where none is named.</summary>
    public string Layers => Chosen(nameof(Layers));

    /// <summary>The heads on one line; all where none is named.</summary>
    public string Heads => Chosen(nameof(Heads));

    /// <summary>The positions on one line; all where none is named.</summary>
    public string Positions => Chosen(nameof(Positions));

    /// <summary>The neurons on one line; all where none is named.</summary>
    public string Neurons => Chosen(nameof(Neurons));

    /// <summary>The path on one line.</summary>
    public string Path => Visible(nameof(Path));

    /// <summary>What a model wrote, on one line.</summary>
    public string Sample => Visible(nameof(Sample));

    /// <summary>The loss of a step as a bar, which has its full length at the loss of the first: rows of them are the curve.</summary>
    public string LossBar => TrainingView.Bar(ObjectReader.Number(_item, "Loss") ?? 0, ObjectReader.Number(_item, "FirstLoss") ?? 0);

    /// <summary>The time that is left, in hours.</summary>
    public string TimeLeft => TrainingView.Hours(_item.Properties[nameof(TimeLeft)]?.Value is TimeSpan left ? left : TimeSpan.Zero);

    /// <summary>The model on one line.</summary>
    public string Model => Visible(nameof(Model));

    /// <summary>The file on one line.</summary>
    public string File => Visible(nameof(File));

    /// <summary>The group of tensors.</summary>
    public string Tensors => Visible(nameof(Tensors));

    /// <summary>The problem on one line.</summary>
    public string Problem => Visible(nameof(Problem));

    /// <summary>What is suspicious, on one line.</summary>
    public string Doubt => Visible(nameof(Doubt));

    /// <summary>The problem, or that there is none; a warning has told what is suspicious.</summary>
    public string Result => Problem is { Length: > 0 } problem ? problem : Doubt.Length > 0 ? "suspicious" : "ok";

    /// <summary>The checkpoint on one line.</summary>
    public string Checkpoint => Visible(nameof(Checkpoint));

    /// <summary>The spelling of a token on one line.</summary>
    public string Symbol => Visible(nameof(Symbol));

    /// <summary>The bytes in hexadecimal.</summary>
    public string Bytes => string.Join(' ', ObjectReader.Items(_item, nameof(Bytes)).Select(value => Hex(value, "x2")));

    /// <summary>The checksum in hexadecimal; nothing where there is none.</summary>
    public string Crc32C => _item.Properties[nameof(Crc32C)]?.Value is { } value ? Hex(PSObject.AsPSObject(value), "x8") : "";

    /// <summary>The dimensions.</summary>
    public string Shape => Format.Shape(ObjectReader.Items(_item, nameof(Shape)));

    /// <summary>The type of the elements: that of the blocks of few bits in which they stand, where they do.</summary>
    public string DType => Visible("Quantization") is { Length: > 0 } blocks ? blocks : Visible(nameof(DType));

    /// <summary>The number of parameters in units.</summary>
    public string ParameterCount => Format.Count((long)Number(nameof(ParameterCount)));

    /// <summary>Where the parameters are.</summary>
    public string ParameterBar => _item.Properties["HyperParameters"]?.Value is { } value ? BarOf(PSObject.AsPSObject(value)) : "";

    /// <summary>What of a model is here.</summary>
    public string State => Format.State(ObjectReader.Text(_item, nameof(State)), (int)Number("Percent"));

    /// <summary>The size in units.</summary>
    public string Size => Format.Bytes((long)Number(nameof(Size)));

    /// <summary>The size on disk in units.</summary>
    public string SizeOnDisk => Format.Bytes((long)Number(nameof(SizeOnDisk)));

    /// <summary>The size to fetch in units.</summary>
    public string SizeToFetch => Format.Bytes((long)Number(nameof(SizeToFetch)));

    /// <summary>The memory in units.</summary>
    public string MemoryNeeded => Format.Bytes((long)Number(nameof(MemoryNeeded)));

    /// <summary>The speed.</summary>
    public string TokensPerSecond => Format.Rate(Number(nameof(TokensPerSecond)));

    /// <summary>The time to read the prompt.</summary>
    public string PrefillDuration => Time(nameof(PrefillDuration));

    /// <summary>The time to make the text.</summary>
    public string DecodeDuration => Time(nameof(DecodeDuration));

    /// <summary>The least value.</summary>
    public string Min => Format.Number(Number(nameof(Min)));

    /// <summary>The greatest value.</summary>
    public string Max => Format.Number(Number(nameof(Max)));

    /// <summary>The probability.</summary>
    public string Probability => Format.Number(Number(nameof(Probability)));

    /// <summary>The histogram on one line, or the word of a fault.</summary>
    public string? Sparkline => Format.Sparkline(_item, explains: false);

    /// <summary>The histogram on one line, or the sentence of a fault.</summary>
    public string? SparklineOrFault => Format.Sparkline(_item, explains: true);

    /// <summary>The likeliest tokens on one line.</summary>
    public string Top => TraceView.Top(_item);

    /// <summary>The surprisal.</summary>
    public string Surprisal => Measured(nameof(Surprisal));

    /// <summary>The entropy.</summary>
    public string Entropy => Measured(nameof(Entropy));

    /// <summary>The log-probability.</summary>
    public string LogProbability => Measured(nameof(LogProbability));

    /// <summary>The cross-entropy.</summary>
    public string CrossEntropy => Measured(nameof(CrossEntropy));

    /// <summary>The perplexity.</summary>
    public string Perplexity => Measured(nameof(Perplexity));

    /// <summary>Bits a token.</summary>
    public string BitsPerToken => Measured(nameof(BitsPerToken));

    /// <summary>Bits a character.</summary>
    public string BitsPerCharacter => Measured(nameof(BitsPerCharacter));

    /// <summary>Bits a byte.</summary>
    public string BitsPerByte => Measured(nameof(BitsPerByte));

    /// <summary>The token in quotes, on the colour of its surprisal.</summary>
    public string ColouredToken => MeasureView.Token(_item);

    /// <summary>The beginning of the text.</summary>
    public string Beginning => MeasureView.Beginning(ObjectReader.Text(_item, nameof(Text)));

    /// <summary>What a measure was made with, and what its colours or marks mean.</summary>
    public string Legend => Screen.HasColours ? MeasureView.Legend(_item) : MeasureView.MarkLegend(_item);

    /// <summary>What a measure was made with, and what its marks mean.</summary>
    public string MarkLegend => MeasureView.MarkLegend(_item);

    /// <summary>A measure, as much of it as a screen has room for.</summary>
    public string[] MeasureLines => MeasureView.Draw(_item, Screen.Width, whole: false, hasMarks: !Screen.HasColours);

    /// <summary>A whole measure.</summary>
    public string[] WholeMeasureLines => MeasureView.Draw(_item, Screen.Width, whole: true, hasMarks: !Screen.HasColours);

    /// <summary>A whole measure with marks instead of colours.</summary>
    public string[] MarkedMeasureLines => MeasureView.Draw(_item, Screen.Width, whole: true, hasMarks: true);

    /// <summary>Which models are compared.</summary>
    public string Models => DifferenceView.Models(_item);

    /// <summary>Which models are compared, and what the colours or marks mean.</summary>
    public string DifferenceLegend => DifferenceView.Legend(_item, hasMarks: !Screen.HasColours);

    /// <summary>A comparison by text, as much of it as a screen has room for.</summary>
    public string[] DifferenceLines => DifferenceView.Draw(_item, Screen.Width, whole: false, hasMarks: !Screen.HasColours);

    /// <summary>A whole comparison by text.</summary>
    public string[] WholeDifferenceLines => DifferenceView.Draw(_item, Screen.Width, whole: true, hasMarks: !Screen.HasColours);

    /// <summary>A part of a text in quotes, on the colour of its change.</summary>
    public string ChangedToken => DifferenceView.Token(_item);

    /// <summary>The difference with its sign.</summary>
    public string Difference => DifferenceView.Change(ObjectReader.Number(_item, nameof(Difference)), 3);

    /// <summary>The norm in four digits.</summary>
    public string Norm => Format.Number(Number(nameof(Norm)));

    /// <summary>The share in per cent.</summary>
    public string Share => Measured(nameof(Share), "P2");

    /// <summary>The cosine.</summary>
    public string Cosine => Measured(nameof(Cosine), "F6");

    /// <summary>The reference's surprisal.</summary>
    public string ReferenceSurprisal => Measured(nameof(ReferenceSurprisal));

    /// <summary>The reference's perplexity.</summary>
    public string ReferencePerplexity => Measured(nameof(ReferencePerplexity));

    /// <summary>Bits a byte by the reference, in three digits.</summary>
    public string ReferenceBits => Measured("ReferenceBitsPerByte", "N3");

    /// <summary>Bits a byte by the model, in three digits.</summary>
    public string Bits => Measured(nameof(BitsPerByte), "N3");

    /// <summary>The standard error in three digits.</summary>
    public string StandardError => Measured(nameof(StandardError), "N3");

    /// <summary>Where a text is from, or how it begins.</summary>
    public string Place => MeasureView.Place(_item);

    /// <summary>A trace.</summary>
    public string[] TraceLines => TraceView.Draw(_item, Screen.Width);

    /// <summary>The text of a session.</summary>
    public string[] SessionLines => GenerationView.Session(_item, Screen.Width);

    /// <summary>A grid.</summary>
    public string[] GridLines => GridView.Draw(_item, Screen.Width);

    /// <summary>A prompt and its text.</summary>
    public string[] CompletionLines => GenerationView.Completion(_item, Screen.Width);

    /// <summary>A piece of a text.</summary>
    public string Piece => string.Join('\n', GenerationView.Piece(_item, Screen.Width));

    private string Chosen(string property) =>
        ObjectReader.Items(_item, property).ToArray() is { Length: > 0 } numbers ? string.Join(' ', numbers.Select(number => $"{number}")) : "all";

    private string Visible(string property) => Format.Visible(ObjectReader.Text(_item, property));

    private double Number(string property) => ObjectReader.Number(_item, property) ?? 0;

    private string Measured(string property, string format = "N2") =>
        ObjectReader.Number(_item, property)?.ToString(format, CultureInfo.InvariantCulture) ?? "";

    private string Time(string property) =>
        _item.Properties[property]?.Value is { } value && (value as PSObject)?.BaseObject is var inner && (inner ?? value) is TimeSpan time ? Format.Time(time) : "";

    private string Striped(string text) => $"{(Number("Index") % 2 == 0 ? Yellow : Cyan)}{text}{ScreenText.Reset}";

    private string BarOf(PSObject shape) => Format.ParameterBar(
        (long)(ObjectReader.Number(shape, "AttentionParameterCount") ?? 0),
        (long)(ObjectReader.Number(shape, "MlpParameterCount") ?? 0),
        (long)Number("ParameterCount"));

    private static string Hex(PSObject value, string format) =>
        ((long)ObjectReader.Number(value)).ToString(format, CultureInfo.InvariantCulture);
}
