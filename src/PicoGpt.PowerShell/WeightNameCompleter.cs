using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Language;
using PicoGpt.Architecture;
using PicoGpt.Checkpoints;
using PicoGpt.Store;

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
        WildcardPattern pattern = NamePattern.Begun(wordToComplete);
        return Completion.Ask(Read) ?? [];

        CompletionResult[] Read(CancellationToken cancellationToken)
        {
            object? path = commandName == "Export-Gpt2Model" ? null : fakeBoundParameters["Path"] ?? fakeBoundParameters["LiteralPath"];
            object? source = path ?? CommandLineModel.Find(commandAst, fakeBoundParameters);
            return
            [
                .. (fakeBoundParameters.Contains("Raw") ? Tensors(source, cancellationToken) : Weights(source, cancellationToken))
                    .Where(weight => pattern.IsMatch(weight.Name))
                    .Select(weight => Completion.Result(wordToComplete, weight.Name, Describe(weight))),
            ];
        }
    }

    private static IEnumerable<(string Name, IEnumerable Shape, long Size)> Weights(object? model, CancellationToken cancellationToken) => model switch
    {
        Gpt2Model open => Weights(open),
        ModelInfo info => Weights(info.Name, cancellationToken),
        string name when ModelCatalog.TryResolve(name, out CatalogModel? entry) => Weights(entry),
        string path => WeightsAt(CommandLineModel.Resolve(path), cancellationToken),
        _ => [],
    };

    private static IEnumerable<(string Name, IEnumerable Shape, long Size)> Weights(Gpt2Model model) =>
        model.Parameters.Select(weight => (weight.Name, (IEnumerable)weight.Shape, weight.Size));

    private static IEnumerable<(string Name, IEnumerable Shape, long Size)> Weights(CatalogModel model) =>
        Gpt2Architecture.Leaves(model.HyperParameters).Select(leaf => (leaf.Name, (IEnumerable)leaf.Shape, leaf.Count * sizeof(float)));

    private static (string Name, IEnumerable Shape, long Size)[] WeightsAt(string path, CancellationToken cancellationToken)
    {
        using Gpt2Model model = Gpt2Model.Open(path, cancellationToken: cancellationToken);
        return [.. Weights(model)];
    }

    private static IEnumerable<(string Name, IEnumerable Shape, long Size)> Tensors(object? source, CancellationToken cancellationToken) => source switch
    {
        Gpt2Model open => TensorsAt(open.Prefix, cancellationToken),
        string name when ModelCatalog.TryResolve(name, out CatalogModel? entry) =>
            Weights(entry).Select(weight => (WeightNaming.TensorFlow.Of(weight.Name), weight.Shape, weight.Size)),
        string path => TensorsAt(CommandLineModel.Resolve(path), cancellationToken),
        _ => [],
    };

    private static (string Name, IEnumerable Shape, long Size)[] TensorsAt(string path, CancellationToken cancellationToken)
    {
        using ITensorSource source = ModelFiles.OpenWeights(path, cancellationToken);
        return [.. source.Tensors.Select(tensor => (tensor.Name, (IEnumerable)tensor.Shape.Dimensions, tensor.Size))];
    }

    private static string Describe((string Name, IEnumerable Shape, long Size) weight) =>
        $"{weight.Name} · {Format.Shape(weight.Shape)} · {Format.Bytes(weight.Size)}";
}
