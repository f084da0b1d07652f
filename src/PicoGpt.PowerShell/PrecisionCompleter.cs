using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Language;
using PicoGpt.Architecture;
using PicoGpt.Store;
using PicoGpt.Weights;

namespace PicoGpt.PowerShell;

/// <summary>
/// Completes precisions, the exact one first, with what each means and what the weights of the model that the command line gives
/// take in it; opens no file and asks nobody.
/// </summary>
public sealed class PrecisionCompleter : IArgumentCompleter
{
    /// <inheritdoc/>
    public IEnumerable<CompletionResult> CompleteArgument(
        string commandName, string parameterName, string wordToComplete, CommandAst commandAst, IDictionary fakeBoundParameters)
    {
        ArgumentNullException.ThrowIfNull(commandAst);
        ArgumentNullException.ThrowIfNull(fakeBoundParameters);
        string prefix = Completion.Unquote(wordToComplete);
        object? model = CommandLineModel.Meant(fakeBoundParameters["Name"]) ?? CommandLineModel.Find(commandAst, fakeBoundParameters);
        return Enum.GetValues<Gpt2Precision>()
            .Where(precision => precision.ToString().StartsWith(prefix, StringComparison.OrdinalIgnoreCase))
            .Select(precision => Completion.Result(wordToComplete, precision.ToString(), Describe(precision) + SizeOf(model, precision)));
    }

    private static string Describe(Gpt2Precision precision) => precision switch
    {
        Gpt2Precision.Float32 => "Float32 · exact",
        Gpt2Precision.Float16 => "Float16 · half precision",
        Gpt2Precision.BFloat16 => "BFloat16 · 8 bits of precision in 16",
        Gpt2Precision.Int8 => "Int8 · 8 bits, a scale for every 32 values",
        Gpt2Precision.Int4 => "Int4 · 4 and 5 bits, a scale for every 32 or 96 values",
        _ => precision.ToString(),
    };

    private static string SizeOf(object? model, Gpt2Precision precision)
    {
        (string? name, Gpt2HyperParameters? shape) = model switch
        {
            Gpt2Model open => (open.Name, open.HyperParameters),
            ModelInfo info when ModelCatalog.TryResolve(info.Name, out CatalogModel? entry) => (entry.Name, entry.HyperParameters),
            string given when ModelCatalog.TryResolve(given, out CatalogModel? entry) => (entry.Name, entry.HyperParameters),
            _ => default,
        };
        return shape is null ? "" : $" · {Format.Bytes(Gpt2MemoryNeed.Of(shape, precision).Weights)} for {name}";
    }
}
