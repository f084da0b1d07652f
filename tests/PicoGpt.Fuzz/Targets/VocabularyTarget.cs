using PicoGpt.Tokens;

namespace PicoGpt.Fuzz.Targets;

/// <summary><c>encoder.json</c> or <c>vocab.bpe</c>.</summary>
internal sealed class VocabularyTarget : FuzzTarget
{
    private const string Text = "Once upon a time, a \u001b[31mdragon\0\n\n said: 😀 \ud800 <|endoftext|> 12345   aaaaaaaaaaaa";

    private readonly string _file;

    public VocabularyTarget(string file, string root)
        : base(file, root)
    {
        _file = file;
        RandomModel.Write(Folder, ToyModel.Shape);
        Begin();
    }

    public override string Read()
    {
        Tokenizer encoder = Tokenizer.Load(Folder);
        return encoder.Decode(encoder.Encode(Text, allowSpecial: true)) + encoder.Tokenize("aaa !").Count + encoder.GetSymbol(encoder.MaxId);
    }

    public override Mutant Mutate(Dice dice) => new([(_file, TextMutations.Change(Good(_file), dice))], IsCovered: false);
}
