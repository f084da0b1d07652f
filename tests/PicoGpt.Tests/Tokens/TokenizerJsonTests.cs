using System.Text.Json;
using System.Text.Json.Nodes;
using PicoGpt.Tokens;
using Xunit;

namespace PicoGpt.Tests.Tokens;

public sealed class TokenizerJsonTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [Theory]
    [InlineData("plain")]
    [InlineData("prefix")]
    [InlineData("sequence")]
    public void Texts_get_the_ids_that_Hugging_Faces_own_library_gives_them(string kind)
    {
        Tokenizer tokenizer = Load(TransformersTokenizer.Json(kind));
        int count = 0;
        foreach (JsonElement known in TransformersTokenizer.Known.GetProperty("texts").EnumerateArray().Where(text => text.GetProperty("kind").GetString() == kind))
        {
            string text = known.GetProperty("text").GetString()!;
            int[] ids = tokenizer.Encode(text, allowSpecial: true);
            Assert.Equal(known.Ints("ids"), ids);
            Assert.Equal(ids, tokenizer.Tokenize(text, allowSpecial: true).Select(token => token.Id));
            count++;
        }

        Assert.True(count > 40, $"{count} texts are of that kind");
    }

    [Fact]
    public void The_files_of_byte_pairs_with_a_tokenizer_config_say_the_same()
    {
        TransformersTokenizer.WriteConfigured(_folder.Path);
        Tokenizer tokenizer = Tokenizer.Load(_folder.Path);
        foreach (JsonElement known in TransformersTokenizer.Known.GetProperty("texts").EnumerateArray().Where(text => text.GetProperty("kind").GetString() == "plain"))
            Assert.Equal(known.Ints("ids"), tokenizer.Encode(known.GetProperty("text").GetString()!, allowSpecial: true));
        Assert.Equal(2048, tokenizer.IdOf(TokenRoles.Begin));
        Assert.Equal(2050, tokenizer.IdOf(TokenRoles.End));
    }

    [Fact]
    public void It_is_taken_before_the_two_files_that_say_a_part_of_the_same_and_its_path_means_its_folder()
    {
        TransformersTokenizer.WritePairs(_folder.Path);
        Assert.Equal(7, Tokenizer.Load(_folder.Path).Encode("<|BOS|>").Length);
        File.WriteAllText(_folder.File("tokenizer.json"), TransformersTokenizer.Json());
        Assert.Equal([2048], Tokenizer.Load(_folder.Path).Encode("<|BOS|>"));
        Assert.Equal([2048], Tokenizer.Load(_folder.File("tokenizer.json")).Encode("<|BOS|>"));
    }

    [Fact]
    public void What_its_config_says_of_a_leading_space_counts()
    {
        File.WriteAllText(_folder.File("tokenizer_config.json"), """{"add_prefix_space": false}""");
        Tokenizer plain = Load(TransformersTokenizer.Json("plain")), prefix = Load(TransformersTokenizer.Json("prefix"));
        Assert.Equal(plain.Encode("a"), prefix.Encode("a"));
    }

    [Fact]
    public void It_is_written_as_files_that_say_the_same()
    {
        Tokenizer tokenizer = Load(TransformersTokenizer.Json("sequence"));
        using var written = new TemporaryFolder();
        foreach ((string name, byte[] content) in tokenizer.FilesFor(VocabularyLayout.HuggingFace)) File.WriteAllBytes(written.File(name), content);
        Tokenizer again = Tokenizer.Load(written.Path);
        Assert.Equal(tokenizer.Added, again.Added);
        Assert.Equal(tokenizer.Prefix, again.Prefix);
        Assert.False(JsonDocument.Parse(File.ReadAllText(written.File("vocab.json"))).RootElement.TryGetProperty("wolf", out _));
    }

    [Theory]
    [InlineData("""{"normalizer": {"type": "NFC"}}""", "normalizer NFC")]
    [InlineData("""{"normalizer": {"type": "Sequence", "normalizers": [{"type": "Lowercase"}]}}""", "normalizer Lowercase")]
    [InlineData("""{"pre_tokenizer": {"type": "Whitespace"}}""", "pre-tokenizer Whitespace")]
    [InlineData("""{"pre_tokenizer": null}""", "no pre-tokenizer ByteLevel")]
    [InlineData("""{"pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "use_regex": false}}""", "use_regex")]
    [InlineData("""{"pre_tokenizer": {"type": "Sequence", "pretokenizers": [{"type": "Digits"}, {"type": "ByteLevel"}]}}""", "pre-tokenizer Digits")]
    [InlineData("""{"pre_tokenizer": {"type": "Sequence", "pretokenizers": [{"type": "Split", "pattern": {"Regex": "\\d"}, "behavior": "Isolated"}, {"type": "ByteLevel"}]}}""", @"pattern than GPT-2's, '\d'")]
    [InlineData("""{"pre_tokenizer": {"type": "Split", "pattern": {"Regex": "\\s+"}, "behavior": "Removed"}}""", "pattern than GPT-2's")]
    [InlineData("""{"pre_tokenizer": {"type": "Split", "pattern": {"Regex": "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+"}, "behavior": "Removed"}}""", "the behavior Removed")]
    [InlineData("""{"pre_tokenizer": {"type": "Split", "pattern": {"Regex": "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+"}, "behavior": "Isolated", "invert": true}}""", "inverted")]
    [InlineData("""{"pre_tokenizer": {"type": "Sequence", "pretokenizers": [{"type": "ByteLevel"}, {"type": "ByteLevel"}]}}""", "pre-tokenizer ByteLevel behind ByteLevel")]
    [InlineData("""{"pre_tokenizer": {"type": "Sequence", "pretokenizers": [{"type": "ByteLevel"}, {"type": "Split", "pattern": {"Regex": "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+"}, "behavior": "Isolated"}]}}""", "pre-tokenizer Split behind ByteLevel")]
    [InlineData("""{"pre_tokenizer": {"type": "Sequence", "pretokenizers": [{"type": "Split", "pattern": {"Regex": "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+"}, "behavior": "Isolated"}, {"type": "ByteLevel", "add_prefix_space": true}]}}""", "a space before every piece")]
    [InlineData("""{"decoder": {"type": "WordPiece"}}""", "decoder WordPiece")]
    [InlineData("""{"post_processor": {"type": "BertProcessing"}}""", "post-processor BertProcessing")]
    [InlineData("""{"post_processor": {"type": "TemplateProcessing", "single": [{"Sequence": {"id": "A"}}, {"SpecialToken": {"id": "</s>"}}], "special_tokens": {}}}""", "ends every text with </s>")]
    public void Another_pipeline_than_GPT_2s_is_refused_by_its_name(string change, string word) =>
        AssertRefused(Gpt2Error.Unsupported, word, json => Merge(json, change));

    [Theory]
    [InlineData("""{"type": "WordPiece"}""", "type WordPiece")]
    [InlineData("""{"type": "Unigram"}""", "type Unigram")]
    [InlineData("""{"byte_fallback": true}""", "byte_fallback")]
    [InlineData("""{"ignore_merges": true}""", "ignore_merges")]
    [InlineData("""{"dropout": 0.1}""", "dropout")]
    [InlineData("""{"end_of_word_suffix": "</w>"}""", "end_of_word_suffix = \"</w>\"")]
    [InlineData("""{"continuing_subword_prefix": "##"}""", "continuing_subword_prefix")]
    public void Another_model_than_GPT_2s_is_refused_by_its_name(string change, string word) =>
        AssertRefused(Gpt2Error.Unsupported, word, json => Merge(json["model"]!.AsObject(), change));

    [Theory]
    [InlineData("""{"vocab": {}}""", Gpt2Error.NotAFormat, "no token")]
    [InlineData("""{"vocab": []}""", Gpt2Error.NotAFormat, "vocab")]
    [InlineData("""{"vocab": {"a": "x"}}""", Gpt2Error.NotAFormat, "'a'")]
    [InlineData("""{"vocab": {"a": 1, "b": 1}}""", Gpt2Error.NotAFormat, "id 1")]
    [InlineData("""{"merges": null}""", Gpt2Error.NotAFormat, "merges")]
    [InlineData("""{"merges": ["a"]}""", Gpt2Error.NotAFormat, "merge 1")]
    [InlineData("""{"merges": [["a", "b"], ["a", 5]]}""", Gpt2Error.NotAFormat, "merge 2")]
    [InlineData("""{"merges": ["a b"]}""", Gpt2Error.Truncated, "1 merges")]
    [InlineData("""{"merges": []}""", Gpt2Error.Truncated, "0 merges")]
    public void A_damaged_one_is_named_with_what_is_wrong(string change, Gpt2Error error, string word) =>
        AssertRefused(error, word, json => Merge(json["model"]!.AsObject(), change));

    [Theory]
    [InlineData("""{"added_tokens": {"id": 1}}""", Gpt2Error.NotAFormat, "not a list")]
    [InlineData("""{"added_tokens": [{"id": 3000}]}""", Gpt2Error.NotAFormat, "content")]
    [InlineData("""{"added_tokens": [{"id": -1, "content": "x"}]}""", Gpt2Error.NotAFormat, "-1")]
    [InlineData("""{"added_tokens": [{"content": "x"}]}""", Gpt2Error.NotAFormat, "id ''")]
    [InlineData("""{"added_tokens": [{"id": 3000, "content": ""}]}""", Gpt2Error.NotAFormat, "0 characters")]
    [InlineData("""{"added_tokens": [{"id": 3000, "content": "<a>"}, {"id": 3000, "content": "<b>"}]}""", Gpt2Error.NotAFormat, "'<b>'")]
    [InlineData("""{"added_tokens": [{"id": 5, "content": "<a>"}]}""", Gpt2Error.Corrupt, "the id 5")]
    [InlineData("""{"added_tokens": [{"id": 3000, "content": "the"}]}""", Gpt2Error.Corrupt, "'the'")]
    public void Added_tokens_that_cannot_be_are_refused_by_name(string change, Gpt2Error error, string word) =>
        AssertRefused(error, word, json => Merge(json, change));

    [Theory]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("{\"model\": 5}")]
    [InlineData("")]
    [InlineData("{\"model\": {\"vocab\": {\"\\ud800\": 1}}}")]
    public void What_is_no_tokenizer_is_called_so(string content) =>
        Assert.Contains(Assert.Throws<Gpt2Exception>(() => Load(content)).Error, new[] { Gpt2Error.NotAFormat, Gpt2Error.Unsupported });

    [Fact]
    public void Reading_it_can_be_cancelled()
    {
        File.WriteAllText(_folder.File("tokenizer.json"), TransformersTokenizer.Json());
        Assert.Throws<OperationCanceledException>(() => Tokenizer.Load(_folder.Path, new CancellationToken(canceled: true)));
    }

    public void Dispose() => _folder.Dispose();

    private static void Merge(JsonObject target, string change)
    {
        foreach ((string name, JsonNode? value) in JsonNode.Parse(change)!.AsObject()) target[name] = value?.DeepClone();
    }

    private Tokenizer Load(string json)
    {
        File.WriteAllText(_folder.File("tokenizer.json"), json);
        return Tokenizer.Load(_folder.Path);
    }

    private void AssertRefused(Gpt2Error error, string word, Action<JsonObject> change)
    {
        Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() => Load(TransformersTokenizer.Json(change: change)));
        Assert.Contains(word, fault.Message, StringComparison.Ordinal);
        Assert.Equal(error, fault.Error);
        Assert.Equal(_folder.File("tokenizer.json"), fault.Path);
    }
}
