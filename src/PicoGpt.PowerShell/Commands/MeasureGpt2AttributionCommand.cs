using System.Diagnostics.CodeAnalysis;
using System.Management.Automation;
using PicoGpt.Circuits;
using PicoGpt.Intervening;
using PicoGpt.Pictures;

namespace PicoGpt.PowerShell.Commands;

/// <summary>Tells what adds to a token's logit: <c>Measure-Gpt2Attribution 'Once upon a' -Answer ' time'</c>.</summary>
[Cmdlet(VerbsDiagnostic.Measure, "Gpt2Attribution", SupportsShouldProcess = true, HelpUri = HelpAddress.Pages + "Measure-Gpt2Attribution.md")]
[OutputType(typeof(Gpt2Grid), typeof(FileInfo))]
public sealed class MeasureGpt2AttributionCommand : Gpt2GridCmdlet
{
    /// <summary>The text.</summary>
    [Parameter(Mandatory = true, Position = 0)]
    [ValidateNotNullOrEmpty]
    public string Text { get; set; } = "";

    /// <summary>The token after the text whose logit is attributed; the likeliest one when it is left out.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? Answer { get; set; }

    /// <summary>The token whose logit is subtracted.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? Against { get; set; }

    /// <summary>To what: Part, the heads, mlps, biases and embeddings of the model, or Token, the tokens of the text.</summary>
    [Parameter]
    [ValidateSet("Part", "Token")]
    public string By { get; set; } = "Part";

    /// <summary>What is done, in this order, to what passes through the model, by part.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    [ObjectOf(typeof(Gpt2Intervention), "an intervention", MakeIntervention)]
    [SuppressMessage("Performance", "CA1819", Justification = "Parameters are arrays.")]
    public Gpt2Intervention[] Intervention { get; set; } = [];

    /// <summary>How the tokens are attributed: LeaveOneOut, GradientTimesInput or IntegratedGradients.</summary>
    [Parameter]
    [ValidateSet("LeaveOneOut", "GradientTimesInput", "IntegratedGradients")]
    public string Method { get; set; } = nameof(AttributionMethod.LeaveOneOut);

    /// <summary>The text from which integrated gradients begin, of as many tokens; embeddings of zeros when it is left out.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? Baseline { get; set; }

    /// <summary>How many points of the way from the baseline to the text integrated gradients look at.</summary>
    [Parameter]
    [ValidateRange(1, 1 << 16)]
    [ArgumentCompleter(typeof(NumberCompleter))]
    public int Step { get; set; } = TokenAttributionOptions.DefaultSteps;

    /// <summary>Take <c>&lt;|endoftext|&gt;</c> in the text for the special token.</summary>
    [Parameter]
    public SwitchParameter AllowSpecial { get; set; }

    private bool IsByToken => string.Equals(By, "Token", StringComparison.OrdinalIgnoreCase);

    /// <inheritdoc/>
    protected override void BeginProcessing()
    {
        if (!IsGiven(nameof(By)) && IsGiven(nameof(Method))) By = "Token";
        if (!IsByToken) Refuse(nameof(Method), "tells how tokens are attributed, and does nothing by Part");
        else Refuse(nameof(Intervention), "changes what is taken apart by Part, and is not taken by Token");
        if (Enum.Parse<AttributionMethod>(Method, ignoreCase: true) == AttributionMethod.IntegratedGradients) return;
        Refuse(nameof(Baseline), "is where integrated gradients begin; give -Method IntegratedGradients with it");
        Refuse(nameof(Step), "is the number of points that integrated gradients look at; give -Method IntegratedGradients with it");
    }

    /// <inheritdoc/>
    private protected override void Take(Gpt2Model model)
    {
        if (IsByToken) AttributeTokens(model);
        else AttributeParts(model);
    }

    private void AttributeParts(Gpt2Model model)
    {
        var options = new LogitAttributionOptions
        {
            Answer = Answer,
            Against = Against,
            AllowSpecial = AllowSpecial,
            Interventions = Intervention,
            Threads = Threads,
        };
        Emit($"Attributing with {model.Name}", () => 0, () => LogitAttribution.Of(model, Text, options, StopToken));
    }

    private void AttributeTokens(Gpt2Model model)
    {
        double share = 0;
        var options = new TokenAttributionOptions
        {
            Answer = Answer,
            Against = Against,
            AllowSpecial = AllowSpecial,
            Threads = Threads,
            Method = Enum.Parse<AttributionMethod>(Method, ignoreCase: true),
            Baseline = Baseline,
            Steps = Step,
            Progress = value => Volatile.Write(ref share, value),
        };
        Emit($"Attributing with {model.Name}", () => Volatile.Read(ref share), () => TokenAttribution.Of(model, Text, options, StopToken));
    }

    // A parameter that would do nothing.
    private void Refuse(string parameter, string why)
    {
        if (IsGiven(parameter)) _ = SetUp<string>(parameter, () => throw Refused($"-{parameter} {why}."));
    }
}
