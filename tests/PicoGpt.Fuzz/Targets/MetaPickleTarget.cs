using PicoGpt.Tokens;
using static PicoGpt.Fuzz.TorchBytes;

namespace PicoGpt.Fuzz.Targets;

/// <summary>The vocabulary of a nanoGPT of characters.</summary>
internal sealed class MetaPickleTarget : FuzzTarget
{
    private const string File = "meta.pkl";
    private const string Characters = "\n !aé☃😀";

    private readonly byte[] _pickle;

    public MetaPickleTarget(string root)
        : base(File, root)
    {
        string[] all = [.. Characters.EnumerateRunes().Select(rune => rune.ToString())];
        _pickle = Pickle(
            "}(",
            Text("vocab_size"), Int(all.Length),
            Text("itos"), "}(", string.Concat(all.Select((character, id) => Int(id) + Text(character))), "u",
            Text("stoi"), "}(", string.Concat(all.Select((character, id) => Text(character) + Int(id))), "u", "u");
        System.IO.File.WriteAllBytes(Path.Combine(Folder, File), _pickle);
        Begin();
    }

    public override string Read()
    {
        Tokenizer tokenizer = Tokenizer.Load(Folder);
        int[] ids = [.. Enumerable.Range(tokenizer.MinId, Math.Min(tokenizer.MaxId - tokenizer.MinId, 100) + 1).Where(tokenizer.HasToken)];
        string text = tokenizer.Decode(ids);
        return $"{tokenizer.Count} {text} {string.Join(' ', tokenizer.Encode(text))} {tokenizer.Tokenize(text).Count}";
    }

    public override Mutant Mutate(Dice dice) => new([(File, PickleMutations.Change(_pickle, dice))], IsCovered: false);
}
