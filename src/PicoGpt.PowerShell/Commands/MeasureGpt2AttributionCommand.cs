using System.Management.Automation;
using PicoGpt.Circuits;

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

    /// <summary>Take <c>&lt;|endoftext|&gt;</c> in the text for the special token.</summary>
    [Parameter]
    public SwitchParameter AllowSpecial { get; set; }

    /// <inheritdoc/>
    private protected override void Take(Gpt2Model model)
    {
        var options = new AttributionOptions { Answer = Answer, Against = Against, AllowSpecial = AllowSpecial, Threads = Threads };
        bool isByToken = string.Equals(By, "Token", StringComparison.OrdinalIgnoreCase);
        Emit($"Attributing with {model.Name}", () => 0, () => isByToken
            ? TokenAttribution.LeaveOneOut(model, Text, options, StopToken)
            : LogitAttribution.Of(model, Text, options, StopToken));
    }
}
