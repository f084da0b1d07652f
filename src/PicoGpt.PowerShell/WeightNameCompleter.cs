using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Language;
using PicoGpt.Store;
using PicoGpt.Weights;

namespace PicoGpt.PowerShell;

/// <summary>
/// Completes names of weights of the model that the command line gives. What weights a model of the catalog has follows from its
/// shape, so that its files need not be here; never asks the network.
/// </summary>
public sealed class WeightNameCompleter : IArgumentCompleter
{
    /// <inheritdoc/>
    public IEnumerable<CompletionResult> CompleteArgument(
        string commandName, string parameterName, string wordToComplete, CommandAst commandAst, IDictionary fakeBoundParameters)
    {
        ArgumentNullException.ThrowIfNull(commandAst);
        ArgumentNullException.ThrowIfNull(fakeBoundParameters);
        try
        {
            var pattern = new WildcardPattern(Completion.Unquote(wordToComplete) + "*", WildcardOptions.IgnoreCase);
            return Weights(CommandLineModel.Find(commandAst, fakeBoundParameters))
                .Where(weight => pattern.IsMatch(weight.Name))
                .Select(weight => Completion.Result(wordToComplete, weight.Name, Describe(weight)))
                .ToArray();
        }
        catch (Exception fault) when (fault is Gpt2Exception or RuntimeException or IOException or UnauthorizedAccessException)
        {
            return []; // a completer has nowhere to report to
        }
    }

    private static IEnumerable<(string Name, IReadOnlyList<int> Shape, long Size)> Weights(object? model) => model switch
    {
        Gpt2Model open => Weights(open),
        ModelInfo info => Weights(info.Name),
        string name when ModelCatalog.TryResolve(name, out CatalogModel? entry) => Weights(entry),
        string path => WeightsAt(CommandLineModel.Resolve(path)),
        _ => [],
    };

    private static IEnumerable<(string, IReadOnlyList<int>, long)> Weights(Gpt2Model model) =>
        model.Parameters.Select(weight => (weight.Name, weight.Shape, weight.Size));

    private static IEnumerable<(string, IReadOnlyList<int>, long)> Weights(CatalogModel model) =>
        from tensor in Gpt2Architecture.Tensors(model.HyperParameters)
        select (tensor.Name, (IReadOnlyList<int>)tensor.Shape, tensor.Shape.Aggregate((long)sizeof(float), (size, dimension) => size * dimension));

    private static (string, IReadOnlyList<int>, long)[] WeightsAt(string path)
    {
        using Gpt2Model model = Gpt2Model.Open(path);
        return [.. Weights(model)];
    }

    private static string Describe((string Name, IReadOnlyList<int> Shape, long Size) weight) =>
        $"{weight.Name} · {Format.Shape(weight.Shape)} · {Format.Bytes(weight.Size)}";
}
