using System.Text;
using PicoGpt.Files;
using PicoGpt.Pickles;
using Items = System.Collections.Generic.List<System.Collections.Generic.KeyValuePair<object?, object?>>;

namespace PicoGpt.Tokens;

/// <summary>
/// The vocabulary of a nanoGPT of characters: a pickle of plain dictionaries, <c>stoi</c> with the id of each character and <c>itos</c> the other
/// way (data/shakespeare_char/prepare.py of karpathy/nanoGPT). Nothing in it is run.
/// </summary>
internal sealed class MetaPickleFormat : VocabularyFormat
{
    public const string FileName = "meta.pkl";

    private const string IdsKey = "stoi", CharactersKey = "itos";
    private const int Most = 64 << 20;

    public override IReadOnlyList<string> FileNames => [FileName];

    public override Tokenizer Open(string folder, int rowCount, CancellationToken cancellationToken)
    {
        string path = Path.Combine(folder, FileName);
        byte[] file = SmallFile.Read(path, Most);
        Items meta = Read(path, file);
        cancellationToken.ThrowIfCancellationRequested();
        Dictionary<string, int> ids = new(StringComparer.Ordinal);
        foreach ((object? key, object? value) in Dictionary(meta, IdsKey, path))
        {
            if (key is not string character || value is not (long and >= 0 and <= int.MaxValue and var id)) throw Bad(path, $"has in '{IdsKey}' what is not a character with an id");
            if (!Rune.TryGetRuneAt(character.Length > 0 ? character : "\0\0", 0, out Rune rune) || rune.Utf16SequenceLength != character.Length)
                throw Bad(path, $"has in '{IdsKey}' the text '{VisibleText.Of(character)}', where a single character should be");
            if (!ids.TryAdd(character, (int)id)) throw Bad(path, $"has in '{IdsKey}' the character '{VisibleText.Of(character)}' twice");
        }

        if (ids.Count == 0) throw Bad(path, $"has no character in '{IdsKey}'");
        if (new TokenTable(ids).Shared is (int shared, string one, string other))
            throw Bad(path, $"gives the id {shared} to '{VisibleText.Of(one)}' and to '{VisibleText.Of(other)}'");
        foreach ((object? key, object? value) in Dictionary(meta, CharactersKey, path))
        {
            if (key is not long id || value is not string character || ids.GetValueOrDefault(character, -1) != id)
                throw Bad(path, $"has dictionaries '{IdsKey}' and '{CharactersKey}' that contradict each other");
        }

        return new CharacterTokenizer(path, file, ids) { RowCount = rowCount };
    }

    private static Items Read(string path, byte[] file)
    {
        try
        {
            object? content = new PickleReader(
                file,
                (module, name) => throw new NotSupportedException($"it asks for '{new PickleGlobal(module, name)}'"),
                (_, _) => throw new NotSupportedException("it calls something"),
                _ => throw new NotSupportedException("it asks for what lies outside of it")).Read();
            return content as Items ?? throw new InvalidDataException("it is not a dictionary");
        }
        catch (Exception fault) when (fault is InvalidDataException or NotSupportedException)
        {
            throw new Gpt2Exception(
                fault is NotSupportedException ? Gpt2Error.Unsupported : Gpt2Error.NotAFormat,
                $"'{path}' is not the vocabulary of a nanoGPT of characters, and nothing in it was run: {fault.Message}.",
                path,
                fault);
        }
    }

    private static Items Dictionary(Items meta, string name, string path) =>
        meta.FindLast(item => item.Key is string key && key == name).Value as Items ?? throw Bad(path, $"has no dictionary '{name}'");

    private static Gpt2Exception Bad(string path, string what) =>
        new(Gpt2Error.NotAFormat, $"'{path}' {what}; is it the meta.pkl that nanoGPT's prepare.py wrote?", path);
}
