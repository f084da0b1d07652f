using PicoGpt.Store;
using PicoGpt.Tokens;
using Xunit;

namespace PicoGpt.Tests.Tokens;

public sealed class AddedTokenFilesTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public AddedTokenFilesTests() => TransformersTokenizer.WritePairs(_folder.Path);

    [Fact]
    public void The_two_older_files_tell_the_tokens_and_which_of_them_are_special()
    {
        Write("added_tokens.json", """{"<|BOS|>": 2048, "<|EOS|>": 2049, "<|SEP|>": 2050, "wolfskin": 2051}""");
        Write("special_tokens_map.json", """
            {"bos_token": "<|BOS|>", "eos_token": {"content": "<|EOS|>", "lstrip": true, "normalized": false, "rstrip": false, "single_word": false},
             "unk_token": "<|endoftext|>", "additional_special_tokens": ["<|SEP|>"]}
            """);
        Tokenizer tokenizer = Tokenizer.Load(_folder.Path);
        Assert.Equal([2048, .. Tokenizer.Load(BuiltInModel.Folder).Encode(" great product "), 2050], tokenizer.Encode("<|BOS|> great product <|SEP|>"));
        Assert.Equal([2051, 2049], tokenizer.Encode("wolfskin <|EOS|>"));
        Assert.Equal(["<|BOS|>", "<|EOS|>", "<|SEP|>", "<|endoftext|>"], tokenizer.SpecialTokens.Keys.Order(StringComparer.Ordinal));
        Assert.Equal((2048, 2049), (tokenizer.IdOf(TokenRoles.Begin), tokenizer.IdOf(TokenRoles.End)));
        Assert.Equal((2052, 2051), (tokenizer.Count, tokenizer.MaxId));
    }

    [Fact]
    public void A_special_token_without_an_id_gets_the_next_one()
    {
        Write("special_tokens_map.json", """{"pad_token": "[PAD]", "eos_token": "the"}""");
        Tokenizer tokenizer = Tokenizer.Load(_folder.Path);
        Assert.Equal([2048], tokenizer.Encode("[PAD]"));
        int the = Tokenizer.Load(BuiltInModel.Folder).Encode("the")[0];
        Assert.Equal(the, tokenizer.IdOf(TokenRoles.End));
        Assert.True(tokenizer.IsSpecial(the));
    }

    [Fact]
    public void A_special_token_that_no_id_is_left_for_is_named()
    {
        Write("added_tokens.json", """{"<a>": 2147483647}""");
        Write("special_tokens_map.json", """{"pad_token": "[PAD]"}""");
        Assert.Contains("'[PAD]' without an id", Assert.Throws<Gpt2Exception>(() => Tokenizer.Load(_folder.Path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_text_begins_as_the_config_says()
    {
        Write("tokenizer_config.json", """{"add_bos_token": true, "add_prefix_space": true, "bos_token": "<s>", "added_tokens_decoder": {"2048": {"content": "<s>", "special": true} } }""");
        Tokenizer tokenizer = Tokenizer.Load(_folder.Path), plain = Tokenizer.Load(BuiltInModel.Folder);
        Assert.Equal([2048, .. plain.Encode(" king")], tokenizer.Encode("king"));
        Assert.Equal([2048, .. plain.Encode(" king")], tokenizer.Encode(" king"));
        Assert.Equal(plain.Encode(" king"), tokenizer.Tokenize("king", allowSpecial: false, withPrefix: false).Select(token => token.Id));
    }

    [Fact]
    public void Special_tokens_that_are_to_be_split_are_found_only_where_they_are_allowed()
    {
        Write("tokenizer_config.json", """{"split_special_tokens": true, "added_tokens_decoder": {"2048": {"content": "<s>", "special": true}, "2049": {"content": "wolfskin"} } }""");
        Tokenizer tokenizer = Tokenizer.Load(_folder.Path);
        Assert.DoesNotContain(2048, tokenizer.Encode("<s>wolfskin"));
        Assert.Equal(2049, tokenizer.Encode("<s>wolfskin")[^1]);
        Assert.Equal([2048, 2049], tokenizer.Encode("<s>wolfskin", allowSpecial: true));
    }

    [Theory]
    [InlineData("added_tokens.json", "[]", "not a JSON object")]
    [InlineData("added_tokens.json", """{"<a>": "5"}""", "'<a>'")]
    [InlineData("added_tokens.json", """{"<a>": 2048, "<b>": 2048}""", "'<b>'")]
    [InlineData("added_tokens.json", """{"<a>": 5}""", "the id 5")]
    [InlineData("added_tokens.json", """{"the": 2050}""", "'the'")]
    [InlineData("added_tokens.json", """{"\ud800": 2050}""", "JSON")]
    [InlineData("special_tokens_map.json", """{"eos_token": 5}""", "content")]
    [InlineData("special_tokens_map.json", """{"additional_special_tokens": "x"}""", "additional_special_tokens")]
    [InlineData("tokenizer_config.json", """{"add_prefix_space": "yes"}""", "add_prefix_space")]
    [InlineData("tokenizer_config.json", """{"add_bos_token": true, "bos_token": null, "added_tokens_decoder": {"x": {"content": "<s>"} } }""", "'x'")]
    [InlineData("tokenizer_config.json", """{"added_tokens_decoder": []}""", "added_tokens_decoder")]
    [InlineData("tokenizer_config.json", """{"tokenizer_class": "OpenAIGPTTokenizer"}""", "OpenAIGPTTokenizer")]
    [InlineData("tokenizer_config.json", """{"tokenizer_class": "CLIPTokenizerFast"}""", "CLIPTokenizerFast")]
    public void What_cannot_be_is_refused_by_its_name(string file, string content, string word)
    {
        Write(file, content);
        Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() => Tokenizer.Load(_folder.Path));
        Assert.Contains(word, fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Two_files_that_contradict_each_other_are_refused()
    {
        Write("added_tokens.json", """{"<a>": 2048}""");
        Write("tokenizer_config.json", """{"added_tokens_decoder": {"2049": {"content": "<a>"} } }""");
        Assert.Contains("2049", Assert.Throws<Gpt2Exception>(() => Tokenizer.Load(_folder.Path)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(900)]
    [InlineData(1600)]
    public void Merges_that_were_cut_short_are_seen(int kept)
    {
        string path = _folder.File("merges.txt");
        File.WriteAllLines(path, File.ReadAllLines(path).Take(1 + kept));
        Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() => Tokenizer.Load(_folder.Path));
        Assert.Equal((Gpt2Error.Truncated, path), (fault.Error, fault.Path));
        Assert.Contains("cut short", fault.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0, null)]
    [InlineData(8, null)]
    [InlineData(9, "merges, from which 9 of the 1,791 longer tokens of '")]
    [InlineData(170, "merges, from which 170 of the 1,791 longer tokens of '")]
    public void Merges_that_lack_an_end_are_doubted(int lost, string? said)
    {
        string path = _folder.File("merges.txt");
        File.WriteAllLines(path, File.ReadAllLines(path).SkipLast(lost));
        string? doubt = Tokenizer.Load(_folder.Path).Doubt;
        if (said is null) Assert.Null(doubt);
        else Assert.Contains($"'{path}' has {1791 - lost:N0} {said}", doubt, StringComparison.Ordinal);
        IEnumerable<ModelCheck> checks = FolderChecker.Check(_folder.Path, null, TestContext.Current.CancellationToken);
        Assert.Equal(doubt, checks.Single(check => check.File == "merges.txt").Doubt);
    }

    [Fact]
    public void Marks_that_no_merge_makes_are_nobodys_doubt()
    {
        string bytes = string.Join(", ", ByteAlphabet.Characters.Select((c, id) => $"{System.Text.Json.JsonSerializer.Serialize(c.ToString())}: {id}"));
        Write("vocab.json", $"{{{bytes}, {string.Join(", ", Enumerable.Range(256, 20).Select(id => $"\"<extra_{id}>\": {id}, \"[unused{id}]\": {id + 20}"))}}}");
        Write("merges.txt", "#version: 0.2\n");
        Assert.Null(Tokenizer.Load(_folder.Path).Doubt);
    }

    [Fact]
    public void A_few_tokens_that_no_merge_makes_are_somebodys_own()
    {
        string bytes = string.Join(", ", ByteAlphabet.Characters.Select((c, id) => $"{System.Text.Json.JsonSerializer.Serialize(c.ToString())}: {id}"));
        Write("vocab.json", $$"""{{{bytes}}, "<s>": 256, "<pad>": 257, "</s>": 258, "<unk>": 259, "<mask>": 260}""");
        Write("merges.txt", "#version: 0.2\n");
        Assert.Equal("<s>", Tokenizer.Load(_folder.Path).GetText(256));
    }

    [Fact]
    public void Merges_of_no_bytes_are_refused_even_where_none_are_needed()
    {
        string bytes = string.Join(", ", ByteAlphabet.Characters.Select((c, id) => $"{System.Text.Json.JsonSerializer.Serialize(c.ToString())}: {id}"));
        Write("vocab.json", $"{{{bytes}}}");
        Write("merges.txt", "");
        Assert.Equal(Gpt2Error.Truncated, Assert.Throws<Gpt2Exception>(() => Tokenizer.Load(_folder.Path)).Error);
        Write("merges.txt", "#version: 0.2\n");
        Assert.Equal(2, Tokenizer.Load(_folder.Path).Encode("ab").Length);
    }

    [Theory]
    [InlineData("vocab.txt", "BERT")]
    [InlineData("spiece.model", "SentencePiece")]
    [InlineData("tokenizer.model", "SentencePiece")]
    public void Another_kind_of_vocabulary_is_called_by_its_name(string file, string word)
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.File(file), "[PAD]\n[UNK]\n");
        foreach (Action open in (Action[])[() => Tokenizer.Load(folder.Path), () => Gpt2Model.Open(folder.Path), () => Gpt2Model.Open(folder.File(file))])
        {
            Gpt2Exception fault = Assert.Throws<Gpt2Exception>(open);
            Assert.Contains(word, fault.Message, StringComparison.Ordinal);
            Assert.Equal((Gpt2Error.Unsupported, folder.File(file)), (fault.Error, fault.Path));
        }
    }

    [Fact]
    public void A_folder_with_a_vocabulary_alone_is_called_so()
    {
        foreach (string path in (string[])[_folder.Path, _folder.File("merges.txt")])
        {
            Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() => Gpt2Model.Open(path));
            Assert.Contains("a vocabulary alone (vocab.json, merges.txt)", fault.Message, StringComparison.Ordinal);
            Assert.NotNull(ModelFiles.OpenVocabulary(path, besideWeights: false, default));
        }

        Assert.Null(ModelFiles.OpenVocabulary(BuiltInModel.Folder, besideWeights: false, default));
    }

    [Fact]
    public void More_added_tokens_than_anybody_has_are_refused_before_they_take_memory()
    {
        Write("added_tokens.json", System.Text.Json.JsonSerializer.Serialize(Enumerable.Range(0, 10_000).ToDictionary(i => $"{i:d120}", i => 3000 + i)));
        Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() => Tokenizer.Load(_folder.Path));
        Assert.Equal(Gpt2Error.Unsupported, fault.Error);
        Assert.Contains("10,001 added tokens", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Reading_a_vocabulary_can_be_cancelled()
    {
        Assert.Throws<OperationCanceledException>(() => Tokenizer.Load(_folder.Path, new CancellationToken(canceled: true)));
        using Gpt2Model model = BuiltInModel.Open();
        Assert.Throws<OperationCanceledException>(() => model.ReadEncoder(new CancellationToken(canceled: true)));
        Assert.Equal("a", model.Encoder.Decode(model.Encoder.Encode("a")));
    }

    [Fact]
    public void Ids_and_merges_that_somebody_chose_take_no_longer_than_others()
    {
        // Ids that fall together modulo every small prime, and pairs that a multiplication by the golden ratio puts into one place.
        int step = 2 * 3 * 5 * 7 * 11 * 13;
        Dictionary<string, int> ids = Enumerable.Range(0, 50_000).ToDictionary(i => $"t{i}", i => i * step);
        var table = new TokenTable(ids);
        Assert.Equal("t49999", table.Find(49_999 * step));
        Assert.Null(table.Find(1));
        var merges = new MergeMap(0);
        for (long i = 0; i < 50_000; i++) merges.Set(i << 44, new Merge((int)i, (int)i));
        for (long i = 0; i < 50_000; i++) Assert.Equal((int)i, merges.Find(i << 44).Rank);
    }

    public void Dispose() => _folder.Dispose();

    private void Write(string name, string content) => File.WriteAllText(_folder.File(name), content);
}
