using System.Management.Automation;
using PicoGpt.Weights;

namespace PicoGpt.PowerShell.Commands;

/// <summary>Lists and inspects weights: <c>Get-Gpt2Model 124M | Get-Gpt2Weight 'h0/attn/*'</c>.</summary>
[Cmdlet(VerbsCommon.Get, "Gpt2Weight")]
[OutputType(typeof(Gpt2Weight))]
public sealed class GetGpt2WeightCommand : Gpt2FetchingCmdlet
{
    /// <summary>Names or wildcard patterns of weights; all when it is left out.</summary>
    [Parameter(Position = 0)]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(WeightNameCompleter))]
    public string[] Name { get; set; } = ["*"];

    /// <summary>The model: an object, a name or a path.</summary>
    [Parameter(Mandatory = true, ValueFromPipeline = true)]
    [ModelTransformation]
    [ArgumentCompleter(typeof(ModelNameCompleter))]
    public Gpt2ModelReference Model { get; set; } = null!;

    /// <inheritdoc/>
    protected override bool EmitsPartsOfModel => true;

    /// <inheritdoc/>
    protected override void ProcessRecord() => PerItem(Model, () =>
    {
        Gpt2Model model = Open(Model);
        foreach (string name in Name) List(model, name);
    });

    private void List(Gpt2Model model, string name)
    {
        var pattern = new WildcardPattern(name, WildcardOptions.IgnoreCase | WildcardOptions.CultureInvariant);
        bool found = false;
        foreach (Gpt2Weight weight in model.Parameters.Where(w => pattern.IsMatch(w.Name)))
        {
            found = true;
            WriteObject(weight);
        }

        if (found || WildcardPattern.ContainsWildcardCharacters(name)) return;
        WriteError(ErrorRecords.From(
            new Gpt2Exception(
                Gpt2Error.TensorNotFound,
                $"{model.Name} has no weight named '{name}'; its names are like 'wte', 'h0/attn/c_attn/w' and 'ln_f/g', and wildcards such as 'h0/*' list them.",
                model.Path),
            name));
    }
}
