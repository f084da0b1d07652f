using PicoGpt.Tokens;
using Xunit;

namespace PicoGpt.Tests.Tokens;

public sealed class TokenizerTests
{
    private const int Bytes = 256;

    private static readonly AddedToken Begin = new("<|BOS|>", 300, IsSpecial: true);
    private static readonly AddedToken Pair = new("<|BOS|><|SEP|>", 301, IsSpecial: true);
    private static readonly AddedToken End = new(Tokenizer.EndOfTextSymbol, 303, IsSpecial: true);
    private static readonly AddedToken Word = new("☃ man", 302, IsSpecial: false);

    [Fact]
    public void A_models_own_tokens_are_found_always_and_the_end_of_text_where_it_is_allowed()
    {
        Tokenizer tokenizer = Make(Begin, Word, End);
        Assert.Equal([300, 'a', 302, 'b'], tokenizer.Encode("<|BOS|>a☃ manb"));
        Assert.Equal([.. Tokenizer.EndOfTextSymbol.Select(c => (int)c), 300], tokenizer.Encode("<|endoftext|><|BOS|>"));
        Assert.Equal([303, 300], tokenizer.Encode("<|endoftext|><|BOS|>", allowSpecial: true));
        Assert.Equal(new Dictionary<string, int> { ["<|BOS|>"] = 300, ["<|endoftext|>"] = 303 }, tokenizer.SpecialTokens);
    }

    [Fact]
    public void White_space_beside_a_token_belongs_to_it_where_its_flags_say_so()
    {
        AddedToken left = new("<l>", 300, IsSpecial: true) { LStrip = true }, right = new("<r>", 301, IsSpecial: true) { RStrip = true };
        Tokenizer tokenizer = Make(left, right);
        Assert.Equal(['a', 300, ' ', 'b'], tokenizer.Encode("a \u3000\n<l> b"));
        Assert.Equal(['a', ' ', 301, 'b'], tokenizer.Encode("a <r> \tb"));
        Assert.Equal([301, 300, ' ', 301], tokenizer.Encode("<r>  <l> <r>  "));
        Assert.Equal([("a", 0, 1), ("<l>", 1, 4), ("b", 5, 1)], tokenizer.Tokenize("a <l>b").Select(token => (token.Text, token.Start, token.Length)));
    }

    [Theory]
    [InlineData("a man b", true)]
    [InlineData("man", true)]
    [InlineData("-man!", true)]
    [InlineData("human", false)]
    [InlineData("man_", false)]
    [InlineData("man9", false)]
    [InlineData("éman", false)]
    [InlineData("𝓣man", false)]
    public void A_single_word_is_found_only_by_itself(string text, bool isFound) =>
        Assert.Equal(isFound, Make(new AddedToken("man", 300, IsSpecial: false) { SingleWord = true }).Encode(text).Contains(300));

    [Fact]
    public void Normalized_tokens_are_found_in_what_the_others_leave()
    {
        AddedToken early = new("ab", 300, IsSpecial: false) { Normalized = true }, late = new("bc", 301, IsSpecial: false);
        Assert.Equal(['a', 301, 300], Make(early, late).Encode("abcab"));
        Assert.Equal([300, 'c', 300], Make(early with { Normalized = false }, late).Encode("abcab"));
    }

    [Fact]
    public void A_text_that_is_to_begin_with_a_space_gets_one_that_stands_nowhere_in_it()
    {
        Tokenizer tokenizer = new BytePairEncoder("toy", Ids(), new MergeTable(), [Begin]) { AddPrefixSpace = true, Prefix = [300] };
        Assert.Equal([300, ' ', 0xC3, 0xA9, 300, ' ', 'b'], tokenizer.Encode("é<|BOS|> b"));
        Assert.Equal([300, ' ', 'a', 300, ' ', 'b'], tokenizer.Encode("a<|BOS|>b"));
        Assert.Equal(
            [(300, 0, 0), (' ', 0, 0), ('a', 0, 1), (300, 1, 7), (' ', 8, 0), ('b', 8, 1)],
            tokenizer.Tokenize("a<|BOS|>b").Select(token => (token.Id, token.Start, token.Length)));
    }

    [Fact]
    public void Many_tokens_that_begin_alike_take_no_longer_than_few()
    {
        AddedToken[] tokens = [.. Enumerable.Range(0, 20_000).Select(i => new AddedToken($"aaaaaaaaaaaa{i}", 300 + i, IsSpecial: false))];
        var tokenizer = new BytePairEncoder("toy", Ids(), new MergeTable(), tokens);
        Assert.Equal(20_000, tokenizer.Encode(string.Concat(tokens.Select(token => token.Text + " "))).Count(id => id >= 300));
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
        using TemporaryFolder folder = RandomModel.InFolder(new(NVocab: 300, NCtx: 8, NEmbd: 8, NHead: 2, NLayer: 1));
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
