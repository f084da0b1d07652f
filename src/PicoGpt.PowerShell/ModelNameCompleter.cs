using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Language;
using PicoGpt.Store;

namespace PicoGpt.PowerShell;

/// <summary>Completes names of models from the catalog and the cache; never asks the network.</summary>
public sealed class ModelNameCompleter : IArgumentCompleter
{
    /// <inheritdoc/>
    public IEnumerable<CompletionResult> CompleteArgument(
        string commandName, string parameterName, string wordToComplete, CommandAst commandAst, IDictionary fakeBoundParameters)
    {
        var pattern = new WildcardPattern(Completion.Unquote(wordToComplete) + "*", WildcardOptions.IgnoreCase);
        return ModelStore.Default.List()
            .Where(model => pattern.IsMatch(model.Name))
            .Select(model => Completion.Result(model.Name, $"{model.Name}: {Format.Count(model.ParameterCount)} parameters, {Format.State(model)}"));
    }
}
