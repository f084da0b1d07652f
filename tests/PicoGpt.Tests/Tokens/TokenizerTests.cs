using PicoGpt.Tokens;
using Xunit;

namespace PicoGpt.Tests.Tokens;

public sealed class TokenizerTests
{
    private const int Bytes = 256;

    private static readonly AddedToken Begin = new("<|BOS|>", 300, IsSpecial: true);
    private static readonly AddedToken Pair = new("<|BOS|><|SEP|>", 301, IsSpecial: true);
    private static readonly AddedToken Word = new("☃ man", 302, IsSpecial: false);

    [Fact]
    public void Special_tokens_are_found_where_they_are_allowed_and_added_words_always()
    {
        Tokenizer tokenizer = Make(Begin, Word);
        Assert.Equal([300, 'a', 302, 'b'], tokenizer.Encode("<|BOS|>a☃ manb", allowSpecial: true));
        Assert.Equal([.. "<|BOS|>a".Select(c => (int)c), 302, 'b'], tokenizer.Encode("<|BOS|>a☃ manb"));
        Assert.Equal(new Dictionary<string, int> { ["<|BOS|>"] = 300 }, tokenizer.SpecialTokens);
    }

    [Fact]
    public void The_longest_of_the_added_tokens_that_begin_at_a_place_is_taken()
    {
        Assert.Equal([301, 300, 'x'], Make(Begin, Pair).Encode("<|BOS|><|SEP|><|BOS|>x", allowSpecial: true));
        Assert.Equal([301], Make(Pair, Begin).Encode("<|BOS|><|SEP|>", allowSpecial: true));
    }

    [Fact]
    public void An_added_token_is_decoded_as_it_is_spelled_and_knows_its_place()
    {
        Tokenizer tokenizer = Make(Begin, Word);
        Assert.Equal("a☃ man<|BOS|>", tokenizer.Decode('a', 302, 300));
        IReadOnlyList<Gpt2Token> tokens = tokenizer.Tokenize("a☃ manb");
        Assert.Equal([("a", 0, 1), ("☃ man", 1, 5), ("b", 6, 1)], tokens.Select(token => (token.Text, token.Start, token.Length)));
        Assert.Equal("☃ man", tokens[1].Symbol);
        Assert.Equal((Bytes + 2, 0, 302), (tokenizer.Count, tokenizer.MinId, tokenizer.MaxId));
    }

    [Fact]
    public void Ids_of_a_padded_vocabulary_mean_nothing_and_those_beyond_are_refused()
    {
        Tokenizer tokenizer = Make();
        Assert.Equal(("", "", 0), (tokenizer.GetText(Bytes), tokenizer.GetSymbol(Bytes), tokenizer.GetBytes(303).Length));
        Assert.Equal("ab", tokenizer.Decode('a', 280, 'b'));
        Assert.Equal("[280]", new TokenTexts(tokenizer)[280]);
        foreach (int id in (int[])[-1, 304])
            Assert.Equal(Gpt2Error.InvalidToken, Assert.Throws<Gpt2Exception>(() => tokenizer.GetBytes(id)).Error);
    }

    [Fact]
    public void A_model_says_nothing_for_an_id_without_a_token()
    {
        using var folder = new TemporaryFolder();
        RandomModel.Write(folder.Path, new(NVocab: 300, NCtx: 8, NEmbd: 8, NHead: 2, NLayer: 1));
        string encoder = folder.File("encoder.json");
        File.WriteAllText(encoder, File.ReadAllText(encoder).Replace(", \"<|endoftext|>\": 299", "", StringComparison.Ordinal));
        using var model = Gpt2Model.Open(folder.Path);
        Assert.Equal("", model.Encoder.GetText(299));
        Assert.Throws<Gpt2Exception>(() => model.Encoder.GetText(300));
        Assert.Throws<Gpt2Exception>(() => Tokenizer.Load(folder.Path).GetText(299));
    }

    [Fact]
    public void A_vocabulary_that_was_not_read_from_files_is_written_as_files_that_say_the_same()
    {
        var read = (BytePairEncoder)Tokenizer.Load(BuiltInModel.Folder);
        var made = new BytePairEncoder("memory", read.Symbols.ToDictionary(pair => pair.Value, pair => pair.Key), MergesOf(read));
        using var folder = new TemporaryFolder();
        foreach ((string name, byte[] content) in made.FilesFor(VocabularyLayout.HuggingFace)) File.WriteAllBytes(folder.File(name), content);
        Assert.Equal(["merges.txt", "vocab.json"], Directory.GetFiles(folder.Path).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        var again = (BytePairEncoder)Tokenizer.Load(folder.Path);
        const string Text = "Once upon a time, \"they\" said: naïve ☃ <|endoftext|>";
        Assert.Equal(read.Encode(Text, allowSpecial: true), again.Encode(Text, allowSpecial: true));
        Assert.Equal(read.Symbols.OrderBy(pair => pair.Key), again.Symbols.OrderBy(pair => pair.Key));
        Assert.Equal(read.Merges, again.Merges);
    }

    [Fact]
    public void Pieces_are_cut_as_the_scanner_says()
    {
        MergeTable merges = new();
        merges.Add("a", "b", 0);
        Dictionary<string, int> ids = Ids();
        ids.Add("ab", 256);
        Assert.Equal([256], new BytePairEncoder("toy", ids, merges).Encode("ab"));
        Assert.Equal(['a', 'b'], new BytePairEncoder("toy", ids, merges, scanner: new LetterByLetter()).Encode("ab"));
    }

    private static MergeTable MergesOf(BytePairEncoder encoder)
    {
        var merges = new MergeTable();
        int rank = 0;
        foreach ((string left, string right) in encoder.Merges) merges.Add(left, right, rank++);
        return merges;
    }

    // Every byte is the token of its own number.
    private static BytePairEncoder Make(params IReadOnlyList<AddedToken> added) =>
        new("toy", Ids(), new MergeTable(), added) { RowCount = 304 };

    private static Dictionary<string, int> Ids() => ByteAlphabet.Characters.Select((c, id) => (c, id)).ToDictionary(pair => pair.c.ToString(), pair => pair.id);

    private sealed class LetterByLetter : IPieceScanner
    {
        public int NextLength(ReadOnlySpan<char> text) => 1;
    }
}
