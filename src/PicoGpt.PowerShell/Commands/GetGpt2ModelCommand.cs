using System.Management.Automation;
using PicoGpt.Store;

namespace PicoGpt.PowerShell.Commands;

/// <summary>Finds and opens models, or lists them: <c>Get-Gpt2Model 124M</c>.</summary>
[Cmdlet(VerbsCommon.Get, "Gpt2Model", DefaultParameterSetName = ListSet, HelpUri = HelpAddress.Pages + "Get-Gpt2Model.md")]
[OutputType(typeof(Gpt2Model), ParameterSetName = [NameSet, PathSet, LiteralPathSet])]
[OutputType(typeof(ModelInfo), ParameterSetName = [ListSet])]
public sealed class GetGpt2ModelCommand : Gpt2FetchingCmdlet
{
    private const string ListSet = "List";
    private const string NameSet = "Name";
    private const string PathSet = "Path";
    private const string LiteralPathSet = "LiteralPath";

    /// <summary>Names of models; see <c>-ListAvailable</c>. With wildcards, of those on this machine.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ParameterSetName = NameSet)]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(ModelNameCompleter))]
    [ValidateNotNullOrEmpty]
    public string[] Name { get; set; } = [];

    /// <summary>Do not fetch a model that is not here.</summary>
    [Parameter(ParameterSetName = NameSet)]
    public SwitchParameter NoDownload { get; set; }

    /// <summary>Base addresses to fetch from, tried in order: https, a folder, or http on this machine.</summary>
    [Parameter(ParameterSetName = NameSet)]
    [ValidateNotNullOrEmpty]
    public string[]? Source { get; set; }

    /// <summary>Folders or files of models, with wildcards.</summary>
    [Parameter(Mandatory = true, ParameterSetName = PathSet)]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    public string[] Path { get; set; } = [];

    /// <summary>Folders or files of models, taken literally.</summary>
    [Parameter(Mandatory = true, ValueFromPipelineByPropertyName = true, ParameterSetName = LiteralPathSet)]
    [Alias("PSPath")]
    [ValidateNotNullOrEmpty]
    public string[] LiteralPath { get; set; } = [];

    /// <summary>List every model of the catalog and whether it is on this machine.</summary>
    [Parameter(ParameterSetName = ListSet)]
    public SwitchParameter ListAvailable { get; set; }

    /// <summary>
    /// How the matrices are held while the model runs. Anything but Float32 is converted once, when first needed, beside the
    /// checkpoint; it takes less memory, is faster, and not exact.
    /// </summary>
    [Parameter(ParameterSetName = NameSet)]
    [Parameter(ParameterSetName = PathSet)]
    [Parameter(ParameterSetName = LiteralPathSet)]
    [PrecisionTransformation]
    [ArgumentCompleter(typeof(PrecisionCompleter))]
    public string Precision { get; set; } = nameof(Gpt2Precision.Float32);

    /// <inheritdoc/>
    protected override Gpt2Precision? WantedPrecision => Enum.Parse<Gpt2Precision>(Precision);

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        switch (ParameterSetName)
        {
            case NameSet:
                foreach (string name in Name) PerItem(name, () => OpenByName(name));
                break;
            case PathSet:
                foreach (string path in Path) PerItem(path, () => OpenAll(SessionPath.Expand(SessionState, path)));
                break;
            case LiteralPathSet:
                foreach (string path in LiteralPath) PerItem(path, () => Open(SessionPath.Resolve(SessionState, path)));
                break;
            default:
                IEnumerable<ModelInfo> all = ModelStore.Default.List();
                WriteObject(all.Where(model => ListAvailable || model.State != ModelState.NotFetched), enumerateCollection: true);
                break;
        }
    }

    private void OpenByName(string name)
    {
        foreach (CatalogModel model in ModelsOf(name))
        {
            PerItem(model.Name, () =>
                WriteObject(NoDownload
                    ? ModelStore.Default.Open(model, WantedPrecision ?? default)
                    : FetchAndOpen(model, OptionsOf(Source))));
        }
    }

    private void OpenAll(IEnumerable<string> paths)
    {
        foreach (string path in paths) PerItem(path, () => Open(path));
    }

    private void Open(string path)
    {
        var model = Gpt2Model.Open(path, precision: WantedPrecision ?? default);
        WarnOfElsewhere(path, model.Prefix);
        WriteObject(model);
    }
}
