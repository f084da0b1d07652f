using System.Diagnostics.CodeAnalysis;
using System.Management.Automation;
using PicoGpt.Circuits;
using PicoGpt.Pictures;

namespace PicoGpt.PowerShell.Commands;

/// <summary>Measures how similar tokens, texts and directions are: <c>Measure-Gpt2Similarity -Token ' king', ' queen'</c>.</summary>
[Cmdlet(
    VerbsDiagnostic.Measure, "Gpt2Similarity", DefaultParameterSetName = TokenSet, SupportsShouldProcess = true,
    HelpUri = HelpAddress.Pages + "Measure-Gpt2Similarity.md")]
[OutputType(typeof(Gpt2Grid), typeof(Gpt2NearestToken), typeof(FileInfo))]
[SuppressMessage("Performance", "CA1814", Justification = "Rows of one width are a matrix.")]
[SuppressMessage("Performance", "CA1819", Justification = "Parameters are arrays.")]
public sealed class MeasureGpt2SimilarityCommand : Gpt2GridCmdlet
{
    private const string TokenSet = "Token", TextSet = "Text", DirectionSet = "Direction";

    /// <summary>Tokens, which are compared in wte.</summary>
    [Parameter(Mandatory = true, ParameterSetName = TokenSet)]
    [ValidateNotNullOrEmpty]
    public string[] Token { get; set; } = [];

    /// <summary>Texts, which are compared at a site.</summary>
    [Parameter(Mandatory = true, ParameterSetName = TextSet)]
    [ValidateNotNullOrEmpty]
    public string[] Text { get; set; } = [];

    /// <summary>The site, such as h3/resid_post.</summary>
    [Parameter(Mandatory = true, ParameterSetName = TextSet)]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(ActivationNameCompleter))]
    public string Site { get; set; } = "";

    /// <summary>How the positions of a text become one: Mean or Last.</summary>
    [Parameter(ParameterSetName = TextSet)]
    [ValidateSet("Mean", "Last")]
    public string Pooling { get; set; } = "Mean";

    /// <summary>A vector of the residual stream, whose nearest tokens are wanted.</summary>
    [Parameter(Mandatory = true, ParameterSetName = DirectionSet)]
    [NumberMatrix]
    public float[,]? Direction { get; set; }

    /// <summary>How many nearest tokens.</summary>
    [Parameter(ParameterSetName = DirectionSet)]
    [ValidateRange(1, int.MaxValue)]
    [ArgumentCompleter(typeof(NumberCompleter))]
    public int Top { get; set; } = 10;

    /// <inheritdoc/>
    protected override void BeginProcessing()
    {
        if (ParameterSetName != DirectionSet || (Svg ?? Html) is null) return;
        _ = SetUp<string>(Svg ?? Html, () => throw new Gpt2Exception(
            Gpt2Error.InvalidArgument, "The nearest tokens of a direction are a list, which -Svg and -Html do not draw; leave them out."));
    }

    /// <inheritdoc/>
    private protected override void Take(Gpt2Model model)
    {
        if (ParameterSetName == TokenSet) Emit($"Comparing {Token.Length} tokens of {model.Name}", () => 0, () => Similarity.OfTokens(model, Token));
        else if (ParameterSetName == TextSet) Emit($"Comparing {Text.Length} texts with {model.Name}", () => 0, () => TextGrid(model));
        else WriteObject(Similarity.NearestTokens(model, Vector(), Top), enumerateCollection: true);
    }

    private Gpt2Grid TextGrid(Gpt2Model model) =>
        Similarity.OfTexts(model, Text, Site, Enum.Parse<Pooling>(Pooling, ignoreCase: true), Threads, StopToken);

    private float[] Vector()
    {
        if (Direction!.GetLength(0) == 1) return [.. Direction.Cast<float>()];
        throw Refused($"{Direction.GetLength(0)} rows were given for one direction; give one row.");
    }
}
