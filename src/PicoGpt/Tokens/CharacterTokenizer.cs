using System.Text;

namespace PicoGpt.Tokens;

/// <summary>A vocabulary in which every token is one character, as nanoGPT's models of characters have it.</summary>
internal sealed class CharacterTokenizer : Tokenizer
{
    private readonly Dictionary<int, int> _idOfCharacter;
    private readonly TokenTable _characters;
    private readonly byte[] _file;

    /// <param name="path">The file that tells it.</param>
    /// <param name="file">The bytes of that.</param>
    /// <param name="ids">The ids by character, each a whole one; at least one, and no two the same.</param>
    public CharacterTokenizer(string path, byte[] file, Dictionary<string, int> ids)
        : base(path)
    {
        _file = file;
        _characters = new TokenTable(ids);
        _idOfCharacter = ids.ToDictionary(pair => Rune.GetRuneAt(pair.Key, 0).Value, pair => pair.Value);
        Files = [path];
    }

    public override int Count => _characters.Count;

    public override int MinId => _characters.MinId;

    public override int MaxId => _characters.MaxId;

    internal override int MaxIdOfVocabulary => MaxId;

    // The layouts differ in the names of files that this vocabulary does not have.
    internal override IReadOnlyList<(string Name, byte[] Content)> FilesFor(VocabularyLayout layout) => [(MetaPickleFormat.FileName, _file)];

    private protected override void EncodeOrdinary(ReadOnlySpan<char> text, List<int> ids)
    {
        foreach (Rune character in text.EnumerateRunes())
        {
            if (!_idOfCharacter.TryGetValue(character.Value, out int id))
            {
                throw new Gpt2Exception(
                    Gpt2Error.InvalidToken,
                    $"The vocabulary '{Location}' has no '{VisibleText.Of(character.ToString())}' (U+{character.Value:X4}): its {Count} tokens are the characters that the model "
                        + "was trained on.",
                    Location);
            }

            ids.Add(id);
        }
    }

    private protected override byte[]? TryGetBytes(int id) => _characters.Find(id) is { } character ? Encoding.UTF8.GetBytes(character) : null;

    private protected override string? TryGetSymbol(int id) => _characters.Find(id);
}
