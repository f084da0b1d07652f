using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Language;
using PicoGpt.PowerShell.Commands;
using PicoGpt.Store;

namespace PicoGpt.PowerShell;

/// <summary>
/// Completes names of models, and paths where a parameter takes those too; looks at the catalog and the cache, never at the network.
/// </summary>
public class ModelNameCompleter : IArgumentCompleter
{
    /// <inheritdoc/>
    public IEnumerable<CompletionResult> CompleteArgument(
        string commandName, string parameterName, string wordToComplete, CommandAst commandAst, IDictionary fakeBoundParameters)
    {
        string prefix = Completion.Unquote(wordToComplete);
        CompletionResult[] results = [.. Names(prefix).Select(found => Completion.Result(wordToComplete, found.Name, Describe(found.Model)))];
        return results.Length > 0 || parameterName != nameof(GetGpt2WeightCommand.Model) ? results : CompletionCompleters.CompleteFilename(wordToComplete);
    }

    /// <summary>Whether a model is one to offer.</summary>
    /// <param name="model">A model of the catalog.</param>
    private protected virtual bool Offers(CatalogModel model) => true;

    // Other names are for those who begin to type them.
    private IEnumerable<(string Name, CatalogModel Model)> Names(string prefix)
    {
        CatalogModel[] models = [.. ModelCatalog.Models.Where(Offers)];
        (string, CatalogModel)[] names = [.. models.Where(model => Begins(model.Name, prefix)).Select(model => (model.Name, model))];
        return names.Length > 0
            ? names
            : models.SelectMany(model => model.Aliases.Where(alias => Begins(alias, prefix)).Select(alias => (alias, model)));
    }

    private static bool Begins(string name, string prefix) => name.StartsWith(prefix, StringComparison.OrdinalIgnoreCase);

    private static string Describe(CatalogModel model)
    {
        ModelInfo info = ModelStore.Default.Describe(model);
        long size = info.State is ModelState.NotFetched ? info.SizeToFetch : info.SizeOnDisk;
        return $"{info.Name} · {Format.Count(info.ParameterCount)} parameters · {Format.State(info.State.ToString(), info.Percent)} · {Format.Bytes(size)}";
    }
}
