using System.Diagnostics.CodeAnalysis;
using System.Management.Automation;
using PicoGpt.Intervening;
using PicoGpt.Tracing;

namespace PicoGpt.PowerShell.Commands;

/// <summary>Describes a change of what passes through a model: <c>New-Gpt2Intervention 'h*/attn/z' -Zero -Head 2</c>.</summary>
[Cmdlet(VerbsCommon.New, "Gpt2Intervention", DefaultParameterSetName = ZeroSet, HelpUri = HelpAddress.Pages + "New-Gpt2Intervention.md")]
[OutputType(typeof(Gpt2Intervention))]
[SuppressMessage("Performance", "CA1814", Justification = "Rows of one width are a matrix.")]
[SuppressMessage("Performance", "CA1819", Justification = "Parameters are arrays.")]
public sealed class NewGpt2InterventionCommand : PSCmdlet
{
    private const string ZeroSet = "Zero", MeanSet = "Mean", ValueSet = "Value", FromSet = "From", ScaleSet = "Scale", AddSet = "Add";
    private const string TraceHere = "make it in this session, as by Trace-Gpt2Text -Activation h0/mlp";

    /// <summary>Where: names of activations, and <c>h*/attn/pattern</c>; wildcards are allowed.</summary>
    [Parameter(Mandatory = true, Position = 0)]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(SiteCompleter))]
    public string[] Site { get; set; } = [];

    /// <summary>Set to zero.</summary>
    [Parameter(Mandatory = true, ParameterSetName = ZeroSet)]
    public SwitchParameter Zero { get; set; }

    /// <summary>Set to the mean over the positions of these traces.</summary>
    [Parameter(Mandatory = true, ParameterSetName = MeanSet)]
    [ValidateNotNullOrEmpty]
    [ObjectOf(typeof(Gpt2Trace), "a trace", TraceHere)]
    public Gpt2Trace[] Mean { get; set; } = [];

    /// <summary>Set to these values: one for all, one for each value that is chosen, or a row of them for each position that is.</summary>
    [Parameter(Mandatory = true, ParameterSetName = ValueSet)]
    [NumberMatrix]
    public float[,]? Value { get; set; }

    /// <summary>Set to what stood there in this trace, at the same positions.</summary>
    [Parameter(Mandatory = true, ParameterSetName = FromSet)]
    [ObjectOf(typeof(Gpt2Trace), "a trace", TraceHere)]
    public Gpt2Trace? From { get; set; }

    /// <summary>Multiply by this.</summary>
    [Parameter(Mandatory = true, ParameterSetName = ScaleSet)]
    [ArgumentCompleter(typeof(NumberCompleter))]
    public float Scale { get; set; }

    /// <summary>Add these values, given as for -Value.</summary>
    [Parameter(Mandatory = true, ParameterSetName = AddSet)]
    [NumberMatrix]
    public float[,]? Add { get; set; }

    /// <summary>How many times the values are added.</summary>
    [Parameter(ParameterSetName = AddSet)]
    [ArgumentCompleter(typeof(NumberCompleter))]
    public float Factor { get; set; } = 1;

    /// <summary>The layers; all where it is left out.</summary>
    [Parameter]
    [IndexRange]
    [ValidateRange(0, int.MaxValue)]
    [ArgumentCompleter(typeof(NumberCompleter))]
    public int[] Layer { get; set; } = [];

    /// <summary>The heads; all where it is left out.</summary>
    [Parameter]
    [IndexRange]
    [ValidateRange(0, int.MaxValue)]
    [ArgumentCompleter(typeof(NumberCompleter))]
    public int[] Head { get; set; } = [];

    /// <summary>The positions, from 0; all where it is left out.</summary>
    [Parameter]
    [IndexRange]
    [ValidateRange(0, int.MaxValue)]
    [ArgumentCompleter(typeof(NumberCompleter))]
    public int[] Position { get; set; } = [];

    /// <summary>The values of a position, from 0; all where it is left out.</summary>
    [Parameter]
    [IndexRange]
    [ValidateRange(0, int.MaxValue)]
    [ArgumentCompleter(typeof(NumberCompleter))]
    public int[] Neuron { get; set; } = [];

    /// <inheritdoc/>
    protected override void EndProcessing()
    {
        InterventionKind kind = ParameterSetName switch
        {
            MeanSet => InterventionKind.Mean,
            ValueSet => InterventionKind.Value,
            FromSet => InterventionKind.Patch,
            ScaleSet => InterventionKind.Scale,
            AddSet => InterventionKind.Add,
            _ => InterventionKind.Zero,
        };
        WriteObject(new Gpt2Intervention(kind, Site)
        {
            Layers = Layer,
            Heads = Head,
            Positions = Position,
            Neurons = Neuron,
            Values = Value ?? Add,
            Factor = kind == InterventionKind.Scale ? Scale : Factor,
            From = From is null ? Mean : [From],
        });
    }
}
