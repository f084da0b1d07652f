using System.Management.Automation;
using PicoGpt.Store;

namespace PicoGpt.PowerShell.Commands;

/// <summary>Fetches models into the cache without opening them: <c>Save-Gpt2Model 124M</c>.</summary>
[Cmdlet(VerbsData.Save, "Gpt2Model", DefaultParameterSetName = NameSet, SupportsShouldProcess = true, HelpUri = HelpAddress.Pages + "Save-Gpt2Model.md")]
[OutputType(typeof(ModelInfo))]
public sealed class SaveGpt2ModelCommand : Gpt2FetchingCmdlet
{
    private const string NameSet = "Name";
    private const string ModelSet = "Model";

    /// <summary>Names of models.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ParameterSetName = NameSet)]
    [ArgumentCompleter(typeof(ModelNameCompleter))]
    [ValidateNotNullOrEmpty]
    public string[] Name { get; set; } = [];

    /// <summary>A model of the catalog as an object: an entry of <c>Get-Gpt2Model -ListAvailable</c>, or a row with its name.</summary>
    [Parameter(Mandatory = true, ValueFromPipeline = true, ParameterSetName = ModelSet)]
    [ModelTarget]
    public ModelTarget? Model { get; set; }

    /// <summary>Base addresses to fetch from, tried in order: https, a folder, or http on this machine.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string[]? Source { get; set; }

    /// <summary>Fetch again what is here.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        if (Model is { } target) PerItem(target, () => Save(target));
        foreach (string name in Name) PerItem(name, () => Save(ModelOf(name)));
    }

    private void Save(ModelTarget target)
    {
        CatalogModel model = target.RequireCached(SessionState, "give the name of a model of the catalog");
        DownloadOptions options = OptionsOf(Source) with { Force = Force };
        DownloadPlan plan = new ModelDownloader(ModelStore.Default).Plan(model, options);
        string action = FormattableString.Invariant($"Fetch {Format.Bytes(plan.Bytes)} ({plan.Bytes:N0} bytes) from {string.Join(", ", plan.Sources)}");
        if (plan.Files.Count > 0 && !ShouldProcess(plan.Folder, action)) return;
        Fetch(model, options);
        WriteObject(ModelStore.Default.Describe(model));
    }
}
