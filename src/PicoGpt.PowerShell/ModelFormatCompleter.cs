using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Language;

namespace PicoGpt.PowerShell;

/// <summary>Completes the formats in which models are written, with the name that the weights get in each.</summary>
public sealed class ModelFormatCompleter : IArgumentCompleter
{
    /// <inheritdoc/>
    public IEnumerable<CompletionResult> CompleteArgument(
        string commandName, string parameterName, string wordToComplete, CommandAst commandAst, IDictionary fakeBoundParameters) =>
        CheckpointFormats.Writable
            .Where(format => format.Name.StartsWith(Completion.Unquote(wordToComplete), StringComparison.OrdinalIgnoreCase))
            .Select(format => Completion.Result(wordToComplete, format.Name, $"{format.Name} · {format.WeightsName}"));
}
