using System.Management.Automation;
using PicoGpt.Store;

namespace PicoGpt.PowerShell.Commands;

/// <summary>Fetches models into the cache without opening them: <c>Save-Gpt2Model 124M</c>.</summary>
[Cmdlet(VerbsData.Save, "Gpt2Model", SupportsShouldProcess = true, HelpUri = HelpAddress.Pages + "Save-Gpt2Model.md")]
[OutputType(typeof(ModelInfo))]
public sealed class SaveGpt2ModelCommand : Gpt2FetchingCmdlet
{
    /// <summary>Names of models.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [ArgumentCompleter(typeof(ModelNameCompleter))]
    [ValidateNotNullOrEmpty]
    public string[] Name { get; set; } = [];

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
        foreach (string name in Name) PerItem(name, () => Save(name));
    }

    private void Save(string name)
    {
        CatalogModel model = ModelCatalog.Resolve(name);
        DownloadOptions options = OptionsOf(Source) with { Force = Force };
        DownloadPlan plan = new ModelDownloader(ModelStore.Default).Plan(model, options);
        string action = $"Fetch {Format.Bytes(plan.Bytes)} ({plan.Bytes:N0} bytes) from {string.Join(", ", plan.Sources)}";
        if (plan.Files.Count > 0 && !ShouldProcess(plan.Folder, action)) return;
        Fetch(model, options);
        WriteObject(ModelStore.Default.Describe(model));
    }
}
