using System.Collections.Concurrent;

namespace PicoGpt.Tokens;

/// <summary>The texts of tokens that a model names, each made once. For any number of threads.</summary>
internal sealed class TokenTexts(Tokenizer tokenizer)
{
    private readonly ConcurrentDictionary<int, string> _texts = new();

    /// <summary>A token's text by itself; <c>[id]</c> where the vocabulary has fewer tokens than the model has rows for.</summary>
    public string this[int id] => _texts.GetOrAdd(id, TextOf);

    private string TextOf(int id) => tokenizer.HasToken(id) ? tokenizer.GetText(id) : FormattableString.Invariant($"[{id}]");
}
