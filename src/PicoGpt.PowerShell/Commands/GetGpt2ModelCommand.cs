using System.Management.Automation;
using PicoGpt.Inference;
using PicoGpt.Store;

namespace PicoGpt.PowerShell.Commands;

/// <summary>Finds and opens models, or lists them: <c>Get-Gpt2Model 124M</c>.</summary>
[Cmdlet(VerbsCommon.Get, "Gpt2Model", DefaultParameterSetName = ListSet, HelpUri = HelpAddress.Pages + "Get-Gpt2Model.md")]
[OutputType(typeof(Gpt2Model), ParameterSetName = [NameSet, ModelSet, PathSet, LiteralPathSet])]
[OutputType(typeof(ModelInfo), ParameterSetName = [ListSet])]
public sealed class GetGpt2ModelCommand : Gpt2PathCmdlet
{
    private const string ListSet = "List";
    private const string NameSet = "Name";
    private const string ModelSet = "Model";

    private readonly HashSet<string> _opened = []; // what files of the pipeline led to: several may be of one model

    /// <summary>Names of models; see <c>-ListAvailable</c>. With wildcards, of those on this machine.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ParameterSetName = NameSet)]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(ModelNameCompleter))]
    [ValidateNotNullOrEmpty]
    public string[] Name { get; set; } = [];

    /// <summary>Do not fetch a model that is not here.</summary>
    [Parameter(ParameterSetName = NameSet)]
    [Parameter(ParameterSetName = ModelSet)]
    public SwitchParameter NoDownload { get; set; }

    /// <summary>Base addresses to fetch from, tried in order: https, a folder, or http on this machine.</summary>
    [Parameter(ParameterSetName = NameSet)]
    [Parameter(ParameterSetName = ModelSet)]
    [ValidateNotNullOrEmpty]
    public string[]? Source { get; set; }

    /// <summary>A model as an object: an entry of the list, a folder or file, a row with a name or path, or an open model.</summary>
    [Parameter(Mandatory = true, ValueFromPipeline = true, ParameterSetName = ModelSet)]
    [ModelTarget]
    public ModelTarget? Model { get; set; }

    /// <summary>List every model of the catalog and whether it is on this machine.</summary>
    [Parameter(ParameterSetName = ListSet)]
    public SwitchParameter ListAvailable { get; set; }

    /// <summary>
    /// How the matrices are held while the model runs. Anything but Float32 is converted once, when first needed, beside the
    /// checkpoint; it takes less memory, is faster, and not exact.
    /// </summary>
    [Parameter(ParameterSetName = NameSet)]
    [Parameter(ParameterSetName = ModelSet)]
    [Parameter(ParameterSetName = PathSet)]
    [Parameter(ParameterSetName = LiteralPathSet)]
    [PrecisionTransformation]
    [ArgumentCompleter(typeof(PrecisionCompleter))]
    public string Precision { get; set; } = nameof(Gpt2Precision.Float32);

    /// <summary>The number of attention heads, for weights that neither tell it nor have a file beside them that does.</summary>
    [Parameter(ParameterSetName = ModelSet)]
    [Parameter(ParameterSetName = PathSet)]
    [Parameter(ParameterSetName = LiteralPathSet)]
    [ValidateRange(1, int.MaxValue)]
    public int HeadCount { get; set; }

    /// <inheritdoc/>
    protected override Gpt2Precision? WantedPrecision => Enum.Parse<Gpt2Precision>(IsPrecisionGiven ? Precision : Model?.Carried?.Precision ?? Precision);

    /// <summary>The folder of a low-rank adapter to open the model with, as training with a rank or PEFT writes it.</summary>
    [Parameter(ParameterSetName = NameSet)]
    [Parameter(ParameterSetName = ModelSet)]
    [Parameter(ParameterSetName = PathSet)]
    [Parameter(ParameterSetName = LiteralPathSet)]
    [ValidateNotNullOrEmpty]
    public string? Adapter { get; set; }

    private int? WantedHeadCount => HeadCount > 0 ? HeadCount : Model?.Carried?.HeadCount;

    private bool IsPrecisionGiven => MyInvocation.BoundParameters.ContainsKey(nameof(Precision));

    /// <inheritdoc/>
    protected override void BeginProcessing()
    {
        base.BeginProcessing();
        FirstPass.Expected = PrecisionToOpen; // a command behind this one begins before a model comes
    }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        switch (ParameterSetName)
        {
            case NameSet:
                foreach (string name in Name) PerItem(name, () => OpenByName(name));
                break;
            case ModelSet:
                PerItem(Model, () => Open(Model!));
                break;
            case ListSet:
                IEnumerable<ModelInfo> all = ModelStore.Default.List();
                WriteObject(all.Where(model => ListAvailable || model.State != ModelState.NotFetched), enumerateCollection: true);
                break;
            default:
                ForEachPath((path, _) => WriteObject(Adapted(Open(path))));
                break;
        }
    }

    private void OpenByName(string name)
    {
        foreach (ModelTarget model in ModelsOf(name)) PerItem($"{model}", () => Open(model));
    }

    private void Open(ModelTarget target)
    {
        if (target.Model is { } open)
        {
            if (WantedHeadCount is { } heads && heads != open.HyperParameters.NHead) throw ModelFiles.ContradictedHeads(open.Path, open.HyperParameters, heads);
            Gpt2Model view = IsPrecisionGiven ? open.WithPrecision(WantedPrecision!.Value) : open;
            WriteObject(Adapter is null ? view : view.WithAdapter(SessionPath.Resolve(SessionState, Adapter)));
            return;
        }

        if (target.CachedModel(SessionState) is { } model)
        {
            if (WantedHeadCount is { } heads && heads != model.HyperParameters.NHead)
                throw ModelFiles.ContradictedHeads(ModelStore.Default.GetFolder(model), model.HyperParameters, heads);
            if (!target.IsFile || _opened.Add(model.Name)) WriteObject(Adapted(Open(model)));
            return;
        }

        Gpt2Model found = Open(target.Path(SessionState));
        if (!target.IsFile || _opened.Add(found.Prefix)) WriteObject(Adapted(found));
        else found.Dispose();
    }

    private Gpt2Model Adapted(Gpt2Model model) => Adapted(model, Adapter ?? Model?.Carried?.Adapter);

    private Gpt2Model Open(CatalogModel model) =>
        NoDownload ? ModelStore.Default.Open(model, PrecisionToOpen, StopToken) : FetchAndOpen(model, OptionsOf(Source));

    private Gpt2Model Open(string path)
    {
        var model = Gpt2Model.Open(path, precision: PrecisionToOpen, headCount: WantedHeadCount, cancellationToken: StopToken);
        TellOf(path, model);
        return model;
    }
}
