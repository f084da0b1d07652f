using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Language;
using PicoGpt.Store;
using PicoGpt.Weights;

namespace PicoGpt.PowerShell;

/// <summary>Completes names of weights of the model that the command line names, or of the built-in one.</summary>
public sealed class WeightNameCompleter : IArgumentCompleter
{
    /// <inheritdoc/>
    public IEnumerable<CompletionResult> CompleteArgument(
        string commandName, string parameterName, string wordToComplete, CommandAst commandAst, IDictionary fakeBoundParameters)
    {
        ArgumentNullException.ThrowIfNull(fakeBoundParameters);
        var pattern = new WildcardPattern(Completion.Unquote(wordToComplete) + "*", WildcardOptions.IgnoreCase);
        return Weights(fakeBoundParameters["Model"])
            .Where(weight => pattern.IsMatch(weight.Name))
            .Select(weight => Completion.Result(weight.Name, $"{weight} {weight.DType}, {Format.Bytes(weight.Size)}"));
    }

    private static IReadOnlyCollection<Gpt2Weight> Weights(object? model)
    {
        try
        {
            return (model is PSObject wrapped ? wrapped.BaseObject : model) switch
            {
                Gpt2Model open => open.Parameters,
                string name when ModelCatalog.TryResolve(name, out CatalogModel? entry) => ModelStore.Default.Open(entry).Parameters,
                string path when Path.Exists(path) => Gpt2Model.Open(path).Parameters,
                _ => [],
            };
        }
        catch (Gpt2Exception) // a completer has nowhere to report to
        {
            return [];
        }
    }
}
