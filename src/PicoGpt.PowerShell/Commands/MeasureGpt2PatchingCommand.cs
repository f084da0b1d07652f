using System.Management.Automation;
using PicoGpt.Circuits;
using PicoGpt.Pictures;

namespace PicoGpt.PowerShell.Commands;

/// <summary>Patches one part of a model after another: <c>Measure-Gpt2Patching $clean $corrupted -Answer ' Mary' -Against ' John'</c>.</summary>
[Cmdlet(VerbsDiagnostic.Measure, "Gpt2Patching", SupportsShouldProcess = true, HelpUri = HelpAddress.Pages + "Measure-Gpt2Patching.md")]
[OutputType(typeof(Gpt2Grid), typeof(FileInfo))]
public sealed class MeasureGpt2PatchingCommand : Gpt2GridCmdlet
{
    /// <summary>The text whose activations are patched in.</summary>
    [Parameter(Mandatory = true, Position = 0)]
    [ValidateNotNullOrEmpty]
    public string Clean { get; set; } = "";

    /// <summary>The text that they are patched into, of as many tokens.</summary>
    [Parameter(Mandatory = true, Position = 1)]
    [ValidateNotNullOrEmpty]
    public string Corrupted { get; set; } = "";

    /// <summary>The token whose logit or log-probability is compared.</summary>
    [Parameter(Mandatory = true)]
    [ValidateNotNullOrEmpty]
    public string Answer { get; set; } = "";

    /// <summary>The token whose logit is subtracted; without it the log-probability of the answer is compared.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? Against { get; set; }

    /// <summary>What is patched in turn: Position, Head, HeadPosition or Part.</summary>
    [Parameter]
    [ValidateSet("Position", "Head", "HeadPosition", "Part")]
    public string By { get; set; } = "Position";

    /// <summary>What is patched by position: resid_pre, attn or mlp.</summary>
    [Parameter]
    [ValidateSet("resid_pre", "attn", "mlp")]
    public string Site { get; set; } = "resid_pre";

    /// <summary>Take <c>&lt;|endoftext|&gt;</c> in the texts for the special token.</summary>
    [Parameter]
    public SwitchParameter AllowSpecial { get; set; }

    /// <inheritdoc/>
    protected override void BeginProcessing()
    {
        if (By == nameof(PatchingKind.Position) || !IsGiven(nameof(Site))) return;
        _ = SetUp<string>(Site, () => throw Refused($"-Site chooses what is patched by Position, and does nothing by {By}; leave it out."));
    }

    /// <inheritdoc/>
    private protected override void Take(Gpt2Model model)
    {
        double share = 0;
        var sweep = new PatchingSweep(model, Clean, Corrupted, new PatchingOptions
        {
            Answer = Answer,
            Against = Against,
            Kind = Enum.Parse<PatchingKind>(By, ignoreCase: true),
            Site = Site.ToLowerInvariant(),
            AllowSpecial = AllowSpecial,
            Threads = Threads,
            Progress = value => Volatile.Write(ref share, value),
        });
        Emit($"Patching {model.Name}, {sweep.Runs} times", () => Volatile.Read(ref share), () => sweep.Run(StopToken));
    }
}
