using System.Management.Automation;
using PicoGpt.Store;

namespace PicoGpt.PowerShell.Commands;

/// <summary>Deletes models from the cache: <c>Remove-Gpt2Model 124M</c>.</summary>
[Cmdlet(
    VerbsCommon.Remove, "Gpt2Model", DefaultParameterSetName = NameSet, SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.Medium,
    HelpUri = HelpAddress.Pages + "Remove-Gpt2Model.md")]
[OutputType(typeof(void))]
public sealed class RemoveGpt2ModelCommand : Gpt2Cmdlet
{
    private const string NameSet = "Name";
    private const string ModelSet = "Model";

    // A question that lists hundreds of files is not read.
    private const int MaxNamed = 5;

    /// <summary>Names of models. With wildcards, of those on this machine.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ParameterSetName = NameSet)]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(CachedModelNameCompleter))]
    [ValidateNotNullOrEmpty]
    public string[] Name { get; set; } = [];

    /// <summary>A model of the cache as an object: from <c>Get-Gpt2Model</c>, its folder, or a row with its name or path.</summary>
    [Parameter(Mandatory = true, ValueFromPipeline = true, ParameterSetName = ModelSet)]
    [ModelTarget]
    public ModelTarget? Model { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        if (Model is { } target) PerItem(target, () => Remove(target));
        foreach (string name in Name)
        {
            PerItem(name, () =>
            {
                foreach (ModelTarget model in ModelsOf(name)) PerItem($"{model}", () => Remove(model));
            });
        }
    }

    private void Remove(ModelTarget target)
    {
        CatalogModel model = target.RequireCached(SessionState, "delete it with Remove-Item");
        ModelRemoval removal = ModelStore.Default.PlanRemoval(model);
        if (removal.IsEmpty)
        {
            string there = removal.Kept.Count == 0 ? "there is nothing" : $"{Excerpt.Of(removal.Kept, MaxNamed)} in it was not put there by PicoGpt";
            throw new Gpt2Exception(Gpt2Error.ModelNotCached, $"The model {model.Name} is not in the cache: '{removal.Folder}': {there}.", removal.Folder);
        }

        if (!ShouldProcess(removal.Folder, Describe(removal))) return;
        removal = ModelStore.Default.Remove(model);
        foreach (string file in removal.Files) WriteVerbose($"Deleted '{System.IO.Path.Combine(removal.Folder, file)}'.");
        if (removal.Kept.Count > 0) WriteWarning($"'{removal.Folder}' stays, because PicoGpt did not put {Excerpt.Of(removal.Kept, MaxNamed)} there.");
    }

    private static string Describe(ModelRemoval removal)
    {
        if (removal.LinkTarget is { } target) return $"Delete the link, and not what it leads to, '{target}'";
        string kept = removal.Kept.Count == 0 ? "" : $"; the folder stays, because PicoGpt did not put {Excerpt.Of(removal.Kept, MaxNamed)} there";
        return $"Delete {Format.Bytes(removal.Size)} in {removal.Files.Count} {(removal.Files.Count == 1 ? "file" : "files")}: {Excerpt.Of(removal.Files, MaxNamed)}{kept}";
    }
}
