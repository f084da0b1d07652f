using System.Text;
using System.Text.Json;
using PicoGpt.Numerics;
using PicoGpt.Tokens;
using Xunit;

namespace PicoGpt.Tests.Tokens;

public sealed class BytePairEncoderTests
{
    private static readonly Tokenizer BuiltIn = Tokenizer.Load(BuiltInModel.Folder);

    /// <summary>OpenAI's vocabulary; skips the calling test where it is not here.</summary>
    private static readonly Lazy<Tokenizer> OpenAI = new(() => Tokenizer.Load(SharedData.Path("encoding")));

    public static TheoryData<string> Texts =>
    [
        "", " ", "  ", "   a", "a   ", "\n", "\n\n a", "a\nb", "\t \r\n x", "Hello world", "don't we'll 'tis they've I'm he'd it's you're",
        "'S 'RE '", "123 456a7", "a𝓣b", "中𠀀文", "☃️", "👨‍👩‍👧‍👦 family", "naïve café", "٣٤ ½ Ⅷ", "x\u00a0y\u2003z\u0085w",
        "<|endoftext|>", "ends in a space ", "!!! ?? ...", "\u001c\u001f\u180e\u200b", "مرحبا بالعالم", "Straße", "\0\u0001\u007f",
    ];

    [Fact]
    public void Every_known_vector_encodes_to_its_ids_and_decodes_back()
    {
        using JsonDocument vectors = JsonDocument.Parse(File.ReadAllBytes(SharedData.Path("encoding/vectors.json")));
        int count = 0;
        foreach (JsonElement vector in vectors.RootElement.EnumerateArray())
        {
            string text = vector.GetProperty("text").GetString()!;
            int[] ids = vector.Ints("ids");
            Assert.Equal(ids, OpenAI.Value.Encode(text, allowSpecial: ids.Contains(50256)));
            Assert.Equal(text, OpenAI.Value.Decode(ids));
            count++;
        }

        Assert.Equal(422, count);
    }

    [Theory]
    [InlineData("a 'b", 64, 705, 65)] // a space and a quote are one token
    [InlineData("it's 'quoted'", 270, 338, 705, 421, 5191, 6)]
    [InlineData("👋", 41840, 233)]
    [InlineData("😀 hi", 47249, 222, 23105)]
    [InlineData("你好，世界", 19526, 254, 25001, 121, 171, 120, 234, 10310, 244, 45911, 234)]
    public void What_other_tokenizers_of_this_platform_count_wrongly_is_counted_rightly(string text, params int[] ids) =>
        Assert.Equal(ids, OpenAI.Value.Encode(text));

    [Fact]
    public void The_reference_prompts_of_the_built_in_model_encode_to_their_ids()
    {
        foreach (JsonElement known in BuiltInModel.Reference.GetProperty("greedy").EnumerateArray())
        {
            string prompt = known.GetProperty("prompt").GetString()!;
            if (prompt.Length > 0) Assert.Equal(known.Ints("prompt_ids"), BuiltIn.Encode(prompt));
            Assert.Equal(known.GetProperty("text").GetString(), BuiltIn.Decode(known.Ints("new_ids")));
        }
    }

    [Theory]
    [MemberData(nameof(Texts))]
    public void Text_comes_back_from_its_ids(string text) => Assert.Equal(text, BuiltIn.Decode(BuiltIn.Encode(text)));

    [Fact]
    public void An_unpaired_surrogate_becomes_the_replacement_character()
    {
        foreach (string text in new[] { "\ud83d", "a\ude00b", "x \ud83d y" })
        {
            int[] ids = BuiltIn.Encode(text);
            Assert.Equal([0xEF, 0xBF, 0xBD], ids.SelectMany(BuiltIn.GetBytes).Where(b => b > 127));
            Assert.Contains('\ufffd', BuiltIn.Decode(ids));
        }
    }

    [Fact]
    public void The_special_token_is_ordinary_text_unless_allowed()
    {
        Assert.DoesNotContain(BuiltIn.EndOfText!.Value, BuiltIn.Encode("a<|endoftext|>b"));
        int[] ids = BuiltIn.Encode("a<|endoftext|>b<|endoftext|>", allowSpecial: true);
        Assert.Equal([.. BuiltIn.Encode("a"), 2047, .. BuiltIn.Encode("b"), 2047], ids);
        Assert.Equal("a<|endoftext|>b<|endoftext|>", BuiltIn.Decode(ids));
    }

    [Theory]
    [InlineData("a", 1_000_000)]
    [InlineData(" ", 1_000_000)]
    [InlineData("😀", 250_000)]
    [InlineData("中", 300_000)]
    [InlineData("ab c", 250_000)]
    public void A_megabyte_of_one_thing_comes_back(string unit, int count)
    {
        string text = new StringBuilder().Insert(0, unit, count).ToString();
        Assert.Equal(text, BuiltIn.Decode(BuiltIn.Encode(text)));
    }

    [Fact]
    public void A_megabyte_of_random_bytes_taken_for_text_comes_back()
    {
        var random = new Random64(1);
        string text = Encoding.Latin1.GetString([.. Enumerable.Range(0, 1_000_000).Select(_ => (byte)random.Next())]);
        Assert.Equal(text, BuiltIn.Decode(BuiltIn.Encode(text)));
    }

    [Fact]
    public void Every_id_decodes_to_the_bytes_that_its_symbol_spells()
    {
        HashSet<string> spelled = [];
        for (int id = 0; id < BuiltIn.Count; id++)
        {
            Assert.True(spelled.Add(BuiltIn.GetSymbol(id)));
            if (id != BuiltIn.EndOfText) Assert.Equal(BuiltIn.GetSymbol(id), string.Concat(BuiltIn.GetBytes(id).Select(b => ByteAlphabet.Characters[b])));
        }
    }

    [Fact]
    public void Every_single_byte_has_a_token() =>
        Assert.Equal(Enumerable.Range(0, 256).Select(b => (byte)b), Enumerable.Range(0, BuiltIn.Count).Select(BuiltIn.GetBytes).Where(b => b.Length == 1).Select(b => b[0]).Order());

    [Theory]
    [InlineData(-1)]
    [InlineData(2048)]
    [InlineData(int.MaxValue)]
    public void An_id_that_no_token_has_is_refused_by_name(int id)
    {
        Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() => BuiltIn.Decode(1, id));
        Assert.Equal(Gpt2Error.InvalidToken, fault.Error);
        Assert.Contains($"{id}", fault.Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Texts))]
    public void Tokens_cover_the_text_without_gap_or_overlap(string text)
    {
        IReadOnlyList<Gpt2Token> tokens = BuiltIn.Tokenize(text);
        Assert.Equal(BuiltIn.Encode(text), tokens.Select(t => t.Id));
        int end = 0;
        foreach (Gpt2Token token in tokens)
        {
            Assert.Equal(end, token.Start);
            end += token.Length;
        }

        Assert.Equal(text.Length, end);
    }

    [Fact]
    public void A_character_of_several_tokens_belongs_to_the_first_of_them()
    {
        IReadOnlyList<Gpt2Token> tokens = BuiltIn.Tokenize("😀!");
        Assert.Equal([2, 0, 0, 0, 1], tokens.Select(t => t.Length));
        Assert.Equal("\ufffd", tokens[0].Text);
        Assert.Equal("!", tokens[^1].Text);
    }

    [Fact]
    public async Task One_encoder_serves_many_threads()
    {
        string text = File.ReadAllText(Path.Combine(BuiltInModel.Folder, "MODEL-CARD.md"));
        int[] expected = BuiltIn.Encode(text);
        foreach (int[] ids in await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => BuiltIn.Encode(text))))) Assert.Equal(expected, ids);
    }

    [Fact]
    public void A_vocabulary_with_gaps_encodes_what_it_can_and_names_what_it_lacks()
    {
        Tokenizer toy = Tokenizer.Load(SharedData.Path("checkpoints/gpt2-toy-keras-gpt-2"));
        Assert.Equal([13434, 1577, 502, 517, 1176, 0], toy.Encode("Power give me more power!"));
        Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() => toy.Encode("more power?"));
        Assert.Equal(Gpt2Error.InvalidToken, fault.Error);
        Assert.Contains("has no token '", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Carriage_returns_and_a_byte_order_mark_make_no_difference()
    {
        using var folder = new TemporaryFolder();
        string merges = File.ReadAllText(Path.Combine(BuiltInModel.Folder, "vocab.bpe"));
        File.WriteAllText(folder.File("vocab.bpe"), merges.ReplaceLineEndings("\r\n"), new UTF8Encoding(encoderShouldEmitUTF8Identifier: true));
        File.WriteAllText(folder.File("encoder.json"), File.ReadAllText(Path.Combine(BuiltInModel.Folder, "encoder.json")), new UTF8Encoding(true));
        string text = "Once upon a time there was a king's son.";
        Assert.Equal(BuiltIn.Encode(text), Tokenizer.Load(folder.Path).Encode(text));
    }

    [Theory]
    [InlineData("encoder.json", "{\"a\": 0, \"b\"", Gpt2Error.NotAFormat, "JSON")]
    [InlineData("encoder.json", "{\"a\": \"0\"}", Gpt2Error.NotAFormat, "'a'")]
    [InlineData("encoder.json", "{\"a\": -1}", Gpt2Error.NotAFormat, "'a'")]
    [InlineData("encoder.json", "{\"a\": 0.5}", Gpt2Error.NotAFormat, "'a'")]
    [InlineData("encoder.json", "{\"a\": 1, \"b\": 1}", Gpt2Error.NotAFormat, "1")]
    [InlineData("encoder.json", "{\"a\": 1, \"a\": 2}", Gpt2Error.NotAFormat, "twice")]
    [InlineData("encoder.json", "{}", Gpt2Error.NotAFormat, "no token")]
    [InlineData("encoder.json", "[]", Gpt2Error.NotAFormat, "{")]
    [InlineData("encoder.json", "", Gpt2Error.NotAFormat, "is empty")]
    [InlineData("encoder.json", "<?xml version=\"1.0\"?><Error><Code>BlobNotFound</Code></Error>", Gpt2Error.ErrorBody, "BlobNotFound")]
    [InlineData("vocab.bpe", "version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 456318\n", Gpt2Error.LfsPointer, "git lfs pull")]
    [InlineData("vocab.bpe", "#version: 0.2\na b\nc\n", Gpt2Error.NotAFormat, "line 3")]
    [InlineData("vocab.bpe", "#version: 0.2\na b c\n", Gpt2Error.NotAFormat, "line 2")]
    [InlineData("vocab.bpe", "#version: 0.2\na 中\n", Gpt2Error.NotAFormat, "U+4E2D")]
    public void A_damaged_file_is_named_with_what_is_wrong(string file, string content, Gpt2Error error, string word)
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.File("encoder.json"), "{\"a\": 0, \"b\": 1, \"ab\": 2}");
        File.WriteAllText(folder.File("vocab.bpe"), "#version: 0.2\na b\n");
        File.WriteAllText(folder.File(file), content);
        Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() => Tokenizer.Load(folder.Path));
        Assert.Equal(error, fault.Error);
        Assert.Equal(folder.File(file), fault.Path);
        Assert.Contains(word, fault.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("encoder.json")]
    [InlineData("vocab.bpe")]
    public void A_missing_file_is_named(string file)
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.File("encoder.json"), "{\"a\": 0}");
        File.WriteAllText(folder.File("vocab.bpe"), "#version: 0.2\n");
        File.Delete(folder.File(file));
        Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() => Tokenizer.Load(folder.Path));
        Assert.Equal(Gpt2Error.FileNotFound, fault.Error);
        Assert.Contains(folder.File(file), fault.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("encoder.json")]
    [InlineData("vocab.bpe")]
    public void A_file_saved_in_another_code_page_is_refused(string file)
    {
        using var folder = new TemporaryFolder();
        foreach (string name in new[] { "encoder.json", "vocab.bpe" }) File.Copy(Path.Combine(BuiltInModel.Folder, name), folder.File(name));
        string text = file == "vocab.bpe" ? "#version: 0.2\né e\n" : "{\"é\": 0}";
        File.WriteAllBytes(folder.File(file), Encoding.Latin1.GetBytes(text));
        Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() => Tokenizer.Load(folder.Path));
        Assert.Equal(Gpt2Error.NotAFormat, fault.Error);
        Assert.Contains("UTF-8", fault.Message, StringComparison.Ordinal);
    }
}
