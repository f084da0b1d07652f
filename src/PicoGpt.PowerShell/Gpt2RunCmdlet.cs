using System.Diagnostics.CodeAnalysis;
using System.Management.Automation;
using PicoGpt.Intervening;
using PicoGpt.Machine;

namespace PicoGpt.PowerShell;

/// <summary>A command that runs a model over texts.</summary>
public abstract class Gpt2RunCmdlet : Gpt2TextCmdlet
{
    /// <summary>Threads to compute with; 0 for one per physical core.</summary>
    [Parameter]
    [ValidateRange(0, Processors.MaxThreads)]
    [ArgumentCompleter(typeof(NumberCompleter))]
    public int Threads { get; set; }

    /// <summary>
    /// How the matrices are held: Float32 (exact), Float16, BFloat16, Int8 or Int4; by default that of the model object, or Float32.
    /// </summary>
    [Parameter]
    [PrecisionTransformation]
    [ArgumentCompleter(typeof(PrecisionCompleter))]
    public string? Precision { get; set; }

    /// <summary>What is done, in this order, to what passes through the model.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    [ObjectOf(typeof(Gpt2Intervention), "an intervention", MakeIntervention)]
    [SuppressMessage("Performance", "CA1819", Justification = "Parameters are arrays.")]
    public Gpt2Intervention[] Intervention { get; set; } = [];

    /// <summary>Go on where the memory seems too little for the model.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    /// <inheritdoc/>
    private protected override int WantedThreads => Threads;

    /// <inheritdoc/>
    protected override Gpt2Precision? WantedPrecision => Precision is null ? null : Enum.Parse<Gpt2Precision>(Precision);
}
