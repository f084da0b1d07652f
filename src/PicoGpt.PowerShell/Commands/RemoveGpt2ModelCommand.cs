using System.Management.Automation;
using PicoGpt.Store;

namespace PicoGpt.PowerShell.Commands;

/// <summary>Deletes models from the cache: <c>Remove-Gpt2Model 124M</c>.</summary>
[Cmdlet(
    VerbsCommon.Remove, "Gpt2Model", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.Medium,
    HelpUri = HelpAddress.Pages + "Remove-Gpt2Model.md")]
[OutputType(typeof(void))]
public sealed class RemoveGpt2ModelCommand : Gpt2Cmdlet
{
    /// <summary>Names of models. With wildcards, of those on this machine.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(ModelNameCompleter))]
    [ValidateNotNullOrEmpty]
    public string[] Name { get; set; } = [];

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        foreach (string name in Name)
        {
            PerItem(name, () =>
            {
                foreach (CatalogModel model in ModelsOf(name)) PerItem(model.Name, () => Remove(model));
            });
        }
    }

    private void Remove(CatalogModel model)
    {
        ModelInfo info = ModelStore.Default.Describe(model);
        if (info.State == ModelState.NotFetched && new DirectoryInfo(info.Path).LinkTarget is null)
            throw new Gpt2Exception(Gpt2Error.ModelNotCached, $"The model {model.Name} is not in the cache: there is nothing in '{info.Path}'.", info.Path);
        if (model.IsBuiltIn || ShouldProcess(info.Path, $"Delete {Format.Bytes(info.SizeOnDisk)}")) ModelStore.Default.Remove(model);
    }
}
