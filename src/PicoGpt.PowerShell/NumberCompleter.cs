using System.Collections;
using System.Globalization;
using System.Management.Automation;
using System.Management.Automation.Language;
using PicoGpt.Architecture;

namespace PicoGpt.PowerShell;

/// <summary>
/// Completes numbers: those that there are of the layers and heads of the model that the command line gives, and else some that are often
/// taken, with what they mean. Where nothing is offered, PowerShell offers the names of files.
/// </summary>
public sealed class NumberCompleter : IArgumentCompleter
{
    private static readonly Dictionary<string, (string Value, string Meaning)[]> Usual = new(StringComparer.OrdinalIgnoreCase)
    {
        ["MaxTokens"] = [("40", "the default"), ("200", "about a page"), ("1000", "nearly the context of GPT-2")],
        ["Temperature"] = [("0", "the likeliest token always"), ("0.7", "varied a little"), ("1", "as likely as the model says")],
        ["TopK"] = [("40", "as OpenAI sampled"), ("0", "all tokens")],
        ["TopP"] = [("0.9", "nine tenths of the probability"), ("0.95", "a little more"), ("1", "all tokens")],
        ["MinP"] = [("0.05", "a twentieth of the likeliest token's probability"), ("0.1", "a tenth"), ("0", "all tokens")],
        ["Count"] = [("3", "three texts of each prompt"), ("1", "one")],
        ["Beams"] = [("4", "a search along four texts at once"), ("1", "no search")],
        ["LengthPenalty"] = [("1", "the mean log-probability"), ("2", "favours long texts"), ("0", "favours short ones")],
        ["RepetitionPenalty"] = [("1.1", "a little"), ("1.3", "much"), ("1", "none")],
        ["PresencePenalty"] = [("0.5", "a little"), ("1.5", "much"), ("0", "none")],
        ["FrequencyPenalty"] = [("0.5", "a little"), ("1.5", "much"), ("0", "none")],
        ["NoRepeatNgramSize"] = [("3", "no three tokens twice"), ("2", "no pair twice"), ("0", "no such rule")],
        ["First"] = [("1000", "nearly the context of GPT-2"), ("100", "about a paragraph")],
        ["Seed"] = [("1", "any whole number; the same gives the same text")],
        ["Top"] = [("3", "the three likeliest"), ("10", "the ten likeliest"), ("0", "none")],
        ["Stride"] = [("512", "half the context of GPT-2"), ("64", "more context for each token, and slower")],
        ["BatchSize"] = [("1", "each by itself, as it comes"), ("16", "sixteen together"), ("64", "the most")],
        ["Threads"] = [("0", "one per physical core"), ("1", "one alone")],
        ["Slice"] = [("0:64, 0:64", "the first 64 rows and columns"), ("0", "the first row"), (":, -1", "the last column"), ("::2", "every other row")],
        ["Width"] = [("80", "columns"), ("120", "columns")],
        ["Height"] = [("24", "rows"), ("48", "rows")],
        ["Length"] = [("50", "the default"), ("20", "a shorter text")],
        ["Scale"] = [("0.5", "half of it"), ("2", "twice as much"), ("-1", "the opposite")],
        ["Factor"] = [("1", "the default"), ("5", "five times as much"), ("-1", "subtracted")],
        ["Position"] = [("0", "the first token"), ("0..4", "the first five tokens")],
        ["Neuron"] = [("0", "the first value of a position"), ("0..63", "the first 64")],
        ["Limit"] = [("0.1", "where the colours end"), ("1", "where the colours end")],
    };

    /// <inheritdoc/>
    public IEnumerable<CompletionResult> CompleteArgument(
        string commandName, string parameterName, string wordToComplete, CommandAst commandAst, IDictionary fakeBoundParameters)
    {
        ArgumentNullException.ThrowIfNull(commandAst);
        ArgumentNullException.ThrowIfNull(fakeBoundParameters);
        string prefix = Completion.Unquote(wordToComplete);
        (string Value, string Meaning)[] all = [.. Values(parameterName, commandAst, fakeBoundParameters)];
        (string Value, string Meaning)[] begun = [.. all.Where(value => value.Value.StartsWith(prefix, StringComparison.OrdinalIgnoreCase))];
        if (begun.Length == 0) begun = [(prefix, $"as it is typed; such as {string.Join(" or ", all.Take(2).Select(value => value.Value))}")];
        return begun.Select(value => Completion.Result(wordToComplete, value.Value, $"{value.Value} · {value.Meaning}"));
    }

    private static IEnumerable<(string Value, string Meaning)> Values(string parameter, CommandAst command, IDictionary parameters)
    {
        if (Usual.TryGetValue(parameter, out (string, string)[]? usual)) return usual;
        Gpt2HyperParameters? shape = Completion.Ask(token => CommandLineModel.ShapeOf(command, parameters, token));
        (int count, string what) = parameter == "Layer" ? (shape?.NLayer ?? 1, "layer") : (shape?.NHead ?? 1, "head");
        return Enumerable.Range(0, count).Select(n => (n.ToString(CultureInfo.InvariantCulture), shape is null ? $"the first {what}" : $"{what} {n} of 0 to {count - 1}"));
    }
}
