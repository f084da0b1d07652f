using System.Diagnostics.CodeAnalysis;
using System.Management.Automation;
using PicoGpt.Circuits;

namespace PicoGpt.PowerShell.Commands;

/// <summary>Makes a steering vector: <c>New-Gpt2Direction h3/resid_post -Toward $happy -From $sad</c>.</summary>
[Cmdlet(VerbsCommon.New, "Gpt2Direction", DefaultParameterSetName = TextSet, HelpUri = HelpAddress.Pages + "New-Gpt2Direction.md")]
[OutputType(typeof(Gpt2Direction))]
[SuppressMessage("Performance", "CA1819", Justification = "Parameters are arrays.")]
public sealed class NewGpt2DirectionCommand : Gpt2CircuitCmdlet
{
    private const string TextSet = "Text", FileSet = "File";

    /// <summary>The site, such as h3/resid_post.</summary>
    [Parameter(Mandatory = true, Position = 0, ParameterSetName = TextSet)]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(ActivationNameCompleter))]
    public string Site { get; set; } = "";

    /// <summary>The texts that the direction leads to.</summary>
    [Parameter(Mandatory = true, ParameterSetName = TextSet)]
    [ValidateNotNullOrEmpty]
    public string[] Toward { get; set; } = [];

    /// <summary>The texts that it leads away from.</summary>
    [Parameter(ParameterSetName = TextSet)]
    [ValidateNotNullOrEmpty]
    public string[] From { get; set; } = [];

    /// <summary>How the positions of a text become one: Mean or Last.</summary>
    [Parameter(ParameterSetName = TextSet)]
    [ValidateSet("Mean", "Last")]
    public string Pooling { get; set; } = "Mean";

    /// <summary>Read the direction from this npz file.</summary>
    [Parameter(Mandatory = true, ParameterSetName = FileSet)]
    [ValidateNotNullOrEmpty]
    public string LiteralPath { get; set; } = "";

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        if (ParameterSetName == TextSet) base.ProcessRecord();
        else PerItem(LiteralPath, () => WriteObject(Gpt2Direction.Load(SessionPath.Resolve(SessionState, LiteralPath), StopToken)));
    }

    /// <inheritdoc/>
    private protected override void Take(Gpt2Model model) => WriteObject(Work(
        $"Reading {Toward.Length + From.Length} texts with {model.Name}",
        () => 0,
        () => Gpt2Direction.Between(model, Toward, From, Site, Enum.Parse<Pooling>(Pooling, ignoreCase: true), Threads, StopToken)));
}
