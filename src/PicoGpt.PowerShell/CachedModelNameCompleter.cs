using PicoGpt.Store;

namespace PicoGpt.PowerShell;

/// <summary>Completes names of models that can be removed: those that are, whole or in part, in the cache.</summary>
public sealed class CachedModelNameCompleter : ModelNameCompleter
{
    /// <inheritdoc/>
    private protected override bool Offers(CatalogModel model) => ModelStore.Default.Describe(model).State is ModelState.Cached or ModelState.Partial;
}
