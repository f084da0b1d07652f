using System.Management.Automation;
using PicoGpt.Circuits;

namespace PicoGpt.PowerShell.Commands;

/// <summary>Scores heads by what they look at: <c>Measure-Gpt2Head -Model 124M | Sort-Object Induction -Descending</c>.</summary>
[Cmdlet(VerbsDiagnostic.Measure, "Gpt2Head", HelpUri = HelpAddress.Pages + "Measure-Gpt2Head.md")]
[OutputType(typeof(Gpt2HeadScore))]
public sealed class MeasureGpt2HeadCommand : Gpt2CircuitCmdlet
{
    /// <summary>How many random texts to average over.</summary>
    [Parameter]
    [ValidateRange(1, 1000)]
    [ArgumentCompleter(typeof(NumberCompleter))]
    public int Count { get; set; } = 4;

    /// <summary>How many random tokens each text repeats; 50, or as many as the context has room for, when it is left out.</summary>
    [Parameter]
    [ValidateRange(2, int.MaxValue)]
    [ArgumentCompleter(typeof(NumberCompleter))]
    public int Length { get; set; }

    /// <summary>The seed of the tokens.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(NumberCompleter))]
    public long Seed { get; set; } = 1;

    /// <inheritdoc/>
    private protected override void Take(Gpt2Model model) => WriteObject(
        Work($"Scoring the heads of {model.Name}", () => 0, () => HeadScores.Of(model, Count, Length, Seed, Threads, StopToken)), enumerateCollection: true);
}
