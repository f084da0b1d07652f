using System.Management.Automation;
using PicoGpt.Checkpoints;
using PicoGpt.Store;
using PicoGpt.Weights;

namespace PicoGpt.PowerShell.Commands;

/// <summary>Lists and inspects weights: <c>Get-Gpt2Model 124M | Get-Gpt2Weight 'h0/attn/*'</c>.</summary>
[Cmdlet(VerbsCommon.Get, "Gpt2Weight", DefaultParameterSetName = ModelSet, HelpUri = HelpAddress.Pages + "Get-Gpt2Weight.md")]
[OutputType(typeof(Gpt2Weight), ParameterSetName = [ModelSet])]
[OutputType(typeof(RawTensor), ParameterSetName = [ModelSet, PathSet, LiteralPathSet])]
public sealed class GetGpt2WeightCommand : Gpt2PathCmdlet
{
    private const string ModelSet = "Model";

    private readonly HashSet<string> _listed = []; // the files that a wildcard finds may be several of one checkpoint

    /// <summary>Names or wildcard patterns of weights; all when it is left out.</summary>
    [Parameter(Position = 0)]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(WeightNameCompleter))]
    public string[] Name { get; set; } = ["*"];

    /// <summary>The model: an object, a name or a path.</summary>
    [Parameter(Mandatory = true, ValueFromPipeline = true, ParameterSetName = ModelSet)]
    [ModelTransformation]
    [ArgumentCompleter(typeof(ModelNameCompleter))]
    public Gpt2ModelReference Model { get; set; } = null!;

    /// <summary>List the tensors of the checkpoint as they are, of whatever model.</summary>
    [Parameter(ParameterSetName = ModelSet)]
    [Parameter(Mandatory = true, ParameterSetName = PathSet)]
    [Parameter(Mandatory = true, ParameterSetName = LiteralPathSet)]
    public SwitchParameter Raw { get; set; }

    /// <inheritdoc/>
    protected override bool EmitsPartsOfModel => true;

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        if (ParameterSetName == ModelSet) PerItem(Model, ListModel);
        else ForEachPath(ListRaw);
    }

    private void ListModel()
    {
        if (!Raw)
        {
            Gpt2Model model = Open(Model);
            foreach (string name in Name) List(model, name);
        }
        else if (Model.NameOrPath is { } path && !ModelCatalog.TryResolve(path, out _))
        {
            ListRaw(Resolve(path), isOneOfMany: false); // it need not be a GPT-2
        }
        else
        {
            ListRaw(Open(Model).Prefix, isOneOfMany: false);
        }
    }

    private void List(Gpt2Model model, string name)
    {
        if (Emit(model.Parameters, name)) return;
        WriteError(ErrorRecords.From(NoWeight(model, name), name));
    }

    private void ListRaw(string path, bool isOneOfMany)
    {
        ITensorSource source = ModelFiles.OpenWeights(path, StopToken);
        if (!_listed.Add(source.Location) && isOneOfMany)
        {
            source.Dispose();
            return;
        }

        WarnOfElsewhere(path, source.Location);
        RawTensor[] tensors = [.. source.Tensors.Select(tensor => new RawTensor(source, tensor))];
        foreach (string name in Name)
        {
            if (!Emit(tensors, name)) WriteError(ErrorRecords.From(TensorSources.NotFound(source, name), name));
        }
    }

    /// <summary>Emits what a name or a pattern means; false where a name means nothing.</summary>
    private bool Emit(IEnumerable<FloatTensor> tensors, string name)
    {
        WildcardPattern pattern = NamePattern.Of(name);
        bool isFound = false;
        foreach (FloatTensor tensor in tensors.Where(tensor => pattern.IsMatch(tensor.Name)))
        {
            isFound = true;
            WriteObject(tensor);
        }

        return isFound || NamePattern.HasWildcards(name);
    }

    private string Resolve(string path) => SessionPath.Resolve(SessionState, path);
}
