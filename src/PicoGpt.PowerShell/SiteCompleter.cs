using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Language;
using PicoGpt.Architecture;
using PicoGpt.Inference;

namespace PicoGpt.PowerShell;

/// <summary>
/// Completes the sites that can be changed: of the layers that the word begins with, else of all layers; and a word that begins like a kind
/// of sites to that kind alone, for -Layer to say where. An intervention knows no model, so that only kinds of sites are offered.
/// </summary>
public sealed class SiteCompleter : IArgumentCompleter
{
    private const string AllLayers = "h*";

    private static readonly Dictionary<string, string> Meanings = new()
    {
        ["wte"] = "the embeddings of the tokens",
        ["wpe"] = "the embeddings of the positions",
        ["resid_pre"] = "the residual stream as it comes in",
        ["ln_1"] = "the first layer norm",
        ["attn/q"] = "the heads' queries",
        ["attn/k"] = "the heads' keys",
        ["attn/v"] = "the heads' values",
        ["attn/pattern"] = "how much each position looks at those before it, by head",
        ["attn/z"] = "what the heads read, before c_proj",
        ["attn"] = "what attention adds to the residual stream",
        ["resid_mid"] = "the residual stream between attention and mlp",
        ["ln_2"] = "the second layer norm",
        ["mlp/c_fc"] = "the hidden values of the mlp before the activation function",
        ["mlp/gelu"] = "the hidden values of the mlp after it",
        ["mlp"] = "what the mlp adds to the residual stream",
        ["resid_post"] = "the residual stream as it goes out",
        ["ln_f"] = "the final layer norm",
        ["logits"] = "the logits",
    };

    /// <inheritdoc/>
    public IEnumerable<CompletionResult> CompleteArgument(
        string commandName, string parameterName, string wordToComplete, CommandAst commandAst, IDictionary fakeBoundParameters)
    {
        string word = Completion.Unquote(wordToComplete);
        int slash = word.IndexOf('/', StringComparison.Ordinal);
        string layers = word.StartsWith('h') && slash > 0 ? word[..slash] : AllLayers;
        return Sites()
            .Select(kind => (Kind: kind, Name: kind.IsInLayer && !BeginsLike(word, kind.Name) ? $"{layers}/{kind.Name}" : kind.Name))
            .Where(site => site.Name.StartsWith(word, StringComparison.OrdinalIgnoreCase))
            .Select(site => Completion.Result(wordToComplete, site.Name, $"{site.Name} · {Meanings[site.Kind.Name]}"))
            .ToArray();
    }

    private static bool BeginsLike(string word, string kind) => word.Length > 0 && kind.StartsWith(word, StringComparison.OrdinalIgnoreCase);

    private static IEnumerable<(string Name, bool IsInLayer)> Sites()
    {
        const string First = "h0/";
        return Gpt2Activations.Sites(new Gpt2HyperParameters(1, 1, 1, 1, 1)).Select(name =>
            name.StartsWith(First, StringComparison.Ordinal) ? (name[First.Length..], true) : (name, false));
    }
}
