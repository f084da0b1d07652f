using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Language;
using PicoGpt.Inference;

namespace PicoGpt.PowerShell;

/// <summary>Completes names of activations of the model that the command line gives. It reads no weights and never asks the network.</summary>
public sealed class ActivationNameCompleter : IArgumentCompleter
{
    /// <inheritdoc/>
    public IEnumerable<CompletionResult> CompleteArgument(
        string commandName, string parameterName, string wordToComplete, CommandAst commandAst, IDictionary fakeBoundParameters)
    {
        ArgumentNullException.ThrowIfNull(commandAst);
        ArgumentNullException.ThrowIfNull(fakeBoundParameters);
        if (Completion.Ask(token => CommandLineModel.ShapeOf(commandAst, fakeBoundParameters, token)) is not { } shape) return [];
        WildcardPattern pattern = NamePattern.Begun(wordToComplete);
        return Gpt2Activations.Names(shape)
            .Where(name => pattern.IsMatch(name))
            .Select(name => Completion.Result(wordToComplete, name, $"{name} · n_seq × {Gpt2Activations.WidthOf(name, shape)}"));
    }
}
