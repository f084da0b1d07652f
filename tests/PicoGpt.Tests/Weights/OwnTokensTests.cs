using System.Text.Json;
using PicoGpt.Architecture;
using PicoGpt.Exporting;
using PicoGpt.Inference;
using PicoGpt.Store;
using PicoGpt.Tokens;
using Xunit;

namespace PicoGpt.Tests.Weights;

/// <summary>A fine-tuned model, in transformers' folder layout, with tokens of its own and rows to spare.</summary>
public sealed class OwnTokensTests : IDisposable
{
    private const int EndOfText = 290, Begin = 291, End = 292, Separator = 293, FirstPadding = 295, Rows = 300;

    private readonly TemporaryFolder _folder = new();

    public OwnTokensTests()
    {
        using (var source = new TemporaryFolder())
        {
            RandomModel.Write(source.Path, new Gpt2HyperParameters(Rows, NCtx: 32, NEmbd: 16, NHead: 2, NLayer: 1));
            using Gpt2Model model = Gpt2Model.Open(source.Path);
            HuggingFaceFolder.Write(_folder.Path, model);
        }

        Dictionary<string, int> ids = JsonSerializer.Deserialize<Dictionary<string, int>>(File.ReadAllText(_folder.File("vocab.json")))!;
        ids = ids.Where(pair => pair.Value < EndOfText).Append(new(Tokenizer.EndOfTextSymbol, EndOfText)).ToDictionary();
        Write("vocab.json", JsonSerializer.Serialize(ids));
        File.WriteAllLines(_folder.File("merges.txt"), File.ReadAllLines(_folder.File("merges.txt")).Take(1 + EndOfText - 256));
        Write("added_tokens.json", $$"""{"<|BOS|>": {{Begin}}, "<|EOS|>": {{End}}, "<|SEP|>": {{Separator}}}""");
        Write("special_tokens_map.json", """{"bos_token": "<|BOS|>", "eos_token": "<|EOS|>", "pad_token": "[PAD]", "additional_special_tokens": ["<|SEP|>"]}""");
    }

    [Fact]
    public void Texts_begin_and_end_with_the_models_own_tokens()
    {
        using Gpt2Model model = Open();
        Assert.Equal([End], model.EndOfTextIds);
        Assert.Equal([Begin], Run(model, "", new()).PromptIds);
        Assert.Equal([Begin, ' ', 'a', ' ', Separator], Run(model, "<|BOS|> a <|SEP|>", new()).PromptIds.Select(id => id == IdOf(model, ' ') ? ' ' : id == IdOf(model, 'a') ? 'a' : id));
        Gpt2Completion ended = Run(model, "a", Favour(End));
        Assert.Equal((FinishReason.EndOfText, 0, ""), (ended.FinishReason, ended.Ids.Count, ended.Text));
        Assert.Equal(FinishReason.MaxTokens, Run(model, "a", Favour(EndOfText)).FinishReason);
        Assert.Equal(FinishReason.MaxTokens, Run(model, "a", Favour(End) with { IgnoreEndOfText = true }).FinishReason);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void Special_tokens_are_left_out_of_the_text_unless_they_are_to_be_kept(int beams)
    {
        using Gpt2Model model = Open();
        GenerationOptions options = Favour(Separator) with { MaxTokens = 3, Beams = beams };
        Gpt2Completion without = Run(model, "a", options), with = Run(model, "a", options with { KeepSpecial = true });
        Assert.Equal([Separator, Separator, Separator], without.Ids);
        Assert.Equal(("", "<|SEP|><|SEP|><|SEP|>"), (without.Text, with.Text));
        Assert.Equal(without.Ids, with.Ids);
        Gpt2Completion stopped = Run(model, "a", options with { Stop = ["<|SEP|>"] });
        Assert.Equal((FinishReason.Stop, "", 1), (stopped.FinishReason, stopped.Text, stopped.Ids.Count));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Padding_is_never_chosen(int beams)
    {
        using Gpt2Model model = Open();
        Assert.Equal(Enumerable.Range(FirstPadding, Rows - FirstPadding), model.Encoder.PaddingIds);
        Gpt2Completion completion = Run(model, "a", Favour(Rows - 1) with { Beams = beams, IgnoreEndOfText = true, TopLogProbs = 1 });
        Assert.Equal(5, completion.Ids.Count);
        Assert.DoesNotContain(completion.Ids, id => id >= FirstPadding);
    }

    [Fact]
    public void A_token_that_the_model_has_no_row_for_costs_no_other_prompt_its_text()
    {
        Write("added_tokens.json", $$"""{"<|BOS|>": {{Begin}}, "<|EOS|>": {{End}}, "<|SEP|>": {{Separator}}, "<far>": {{Rows}}}""");
        using Gpt2Model model = Open();
        GenerationOptions options = new() { MaxTokens = 5, IgnoreEndOfText = true };
        string[] prompts = ["ab", "a<far>b", "<|SEP|>"];
        using var batch = new BatchGenerator(model, options, batchSize: 3);
        foreach (string prompt in prompts) batch.Add(prompt);
        List<Gpt2Completion> completions = [];
        while (!batch.IsEmpty) completions.AddRange(batch.Advance(TestContext.Current.CancellationToken));
        Assert.Equal(prompts, completions.Select(completion => completion.Prompt));
        Assert.Contains($"The token '<far>' has the id {Rows} in '", Assert.IsType<Gpt2Exception>(completions[1].Fault).Message, StringComparison.Ordinal);
        Assert.Equal(Run(model, "ab", options).Ids, completions[0].Ids);
        Assert.Equal(Run(model, "<|SEP|>", options).Ids, completions[2].Ids);
    }

    [Theory]
    [InlineData("config.json", """ "eos_token_id": 65, "bos_token_id": 66 """, new[] { 65, End }, 66)]
    [InlineData("config.json", """ "eos_token_id": [65, 290], "bos_token_id": null """, new[] { 65, 290, End }, Begin)]
    [InlineData("config.json", """ "eos_token_id": null, "bos_token_id": 50256 """, new[] { End }, Begin)]
    [InlineData("generation_config.json", """ "eos_token_id": 67, "do_sample": true """, new[] { 67, End }, Begin)]
    public void The_files_of_the_model_tell_its_ends(string file, string keys, int[] ends, int begin)
    {
        string content = file == "config.json" ? File.ReadAllText(_folder.File(file)).TrimEnd()[..^1] + "," : "{";
        Write(file, content + keys + "}");
        using Gpt2Model model = Open();
        Assert.Equal(ends, model.SpecialIds.Ends);
        Assert.Equal(begin, model.SpecialIds.Begin);
    }

    [Fact]
    public void What_two_files_tell_of_the_ends_is_that_of_the_first()
    {
        Write("generation_config.json", """{"eos_token_id": 67}""");
        Write("config.json", """{"eos_token_id": 65, "bos_token_id": 66}""");
        SpecialIds ids = GenerationConfig.Read(_folder.File("generation_config.json"), _folder.File("none.json"), _folder.File("config.json"));
        Assert.Equal([67], ids.Ends);
        Assert.Equal(66, ids.Begin);
    }

    [Theory]
    [InlineData("99999", $"generation_config.json' says that the id 99999 ends a text, but no token of '")]
    [InlineData("[65, 296]", "says that the id 296 ends a text")] // padding, which is never chosen
    [InlineData("-1", null)]
    [InlineData("null", null)]
    [InlineData("65", null)]
    public void An_end_that_no_token_is_is_left_out_and_told(string ends, string? said)
    {
        Write("generation_config.json", $"{{\"eos_token_id\": {ends}}}");
        using (Gpt2Model agreed = Open()) Assert.Empty(agreed.VocabularyDoubts); // the tokenizer's own end is known
        Write("special_tokens_map.json", "{}");
        using Gpt2Model model = Open();
        Assert.Equal([ends.Contains("65", StringComparison.Ordinal) ? 65 : EndOfText], model.SpecialIds.Ends);
        if (said is null) Assert.Empty(model.VocabularyDoubts);
        else Assert.Contains(said, Assert.Single(model.VocabularyDoubts), StringComparison.Ordinal);
    }

    [Fact]
    public void No_id_that_no_token_has_is_written_as_an_end()
    {
        Write("special_tokens_map.json", "{}");
        Write("generation_config.json", """{"eos_token_id": -1}""");
        using var target = new TemporaryFolder();
        using (Gpt2Model model = Open()) ModelExport.Plan(model, target.Path, "Gguf").Run(cancellationToken: TestContext.Current.CancellationToken);
        using Gpt2Model again = Gpt2Model.Open(target.Path);
        Assert.Equal([EndOfText], again.SpecialIds.Ends);
    }

    [Theory]
    [InlineData(""" "eos_token_id": "2" """, "eos_token_id = \"2\"")]
    [InlineData(""" "eos_token_id": [1, "2"] """, "eos_token_id")]
    [InlineData(""" "bos_token_id": [1, 2] """, "bos_token_id")]
    public void An_end_that_is_not_an_id_is_refused_by_name(string keys, string word)
    {
        Write("generation_config.json", $"{{{keys}}}");
        Assert.Contains(word, Assert.Single(Checked(_folder.Path), check => !check.IsValid).Problem, StringComparison.Ordinal);
        using Gpt2Model model = Open();
        Assert.Contains(word, Assert.Throws<Gpt2Exception>(() => Run(model, "a", new())).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Bytes_that_are_not_text_are_refused_where_the_file_is_quoted()
    {
        File.WriteAllBytes(_folder.File("generation_config.json"), [.. "{\"eos_token_id\": [\""u8, 0xFF, .. "\"]}"u8]);
        Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() => GenerationConfig.Read(_folder.File("generation_config.json")));
        Assert.Equal(Gpt2Error.NotAFormat, fault.Error);
        Assert.Contains("is not valid JSON", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_end_that_is_a_token_of_the_vocabulary_itself_ends_the_text()
    {
        File.Delete(_folder.File("added_tokens.json"));
        File.Delete(_folder.File("special_tokens_map.json"));
        Dictionary<string, int> ids = JsonSerializer.Deserialize<Dictionary<string, int>>(File.ReadAllText(_folder.File("vocab.json")))!;
        ids.Add("</s>", 291);
        Write("vocab.json", JsonSerializer.Serialize(ids));
        Write("generation_config.json", """{"eos_token_id": 291}""");
        using Gpt2Model model = Open();
        Assert.Equal((FinishReason.EndOfText, ""), (Run(model, "a", Favour(291)).FinishReason, Run(model, "a", Favour(291)).Text));
    }

    [Theory]
    [InlineData("Safetensors")]
    [InlineData("Npz")]
    [InlineData("TensorFlow")]
    public void An_export_gives_the_same_ids_and_texts(string format)
    {
        Write("tokenizer_config.json", """{"add_prefix_space": true, "add_bos_token": true}""");
        Write("generation_config.json", """{"eos_token_id": [292, 65]}""");
        using Gpt2Model model = Open();
        using var target = new TemporaryFolder();
        ModelExport.Plan(model, target.Path, format).Run(cancellationToken: TestContext.Current.CancellationToken);
        using Gpt2Model again = Gpt2Model.Open(target.Path);
        Assert.Equal(model.Encoder.Added, again.Encoder.Added);
        Assert.Equal(model.Encoder.Roles.OrderBy(role => role.Key), again.Encoder.Roles.OrderBy(role => role.Key));
        Assert.Equal((model.SpecialIds.Begin, model.SpecialIds.Ends), (again.SpecialIds.Begin, again.SpecialIds.Ends), Same);
        const string Text = "a<|BOS|> é <|SEP|>[PAD]<|endoftext|>";
        Assert.Equal(model.Encoder.Encode(Text, allowSpecial: true), again.Encoder.Encode(Text, allowSpecial: true));
        Assert.Equal(Run(model, Text, new()).Text, Run(again, Text, new()).Text);
        Assert.All(Checked(target.Path), check => Assert.Null(check.Problem));

        static bool Same((int?, IReadOnlyList<int>) one, (int?, IReadOnlyList<int>) other) => one.Item1 == other.Item1 && one.Item2.SequenceEqual(other.Item2);
    }

    [Fact]
    public void A_file_of_llama_cpp_has_the_tokens_and_what_they_are_for_or_is_refused()
    {
        using var target = new TemporaryFolder();
        using (Gpt2Model model = Open())
        {
            ModelExport.Plan(model, target.Path, "Gguf").Run(cancellationToken: TestContext.Current.CancellationToken);
            using Gpt2Model again = Gpt2Model.Open(target.Path);
            Assert.Equal(model.Encoder.Roles.OrderBy(role => role.Key), again.Encoder.Roles.OrderBy(role => role.Key));
            Assert.Equal(model.Encoder.SpecialTokens.OrderBy(token => token.Value), again.Encoder.SpecialTokens.OrderBy(token => token.Value));
            Assert.Equal(model.Encoder.PaddingIds, again.Encoder.PaddingIds);
            Assert.Equal(model.SpecialIds.Ends, again.SpecialIds.Ends);
        }

        Write("special_tokens_map.json", """{"eos_token": "<|EOS|>", "mask_token": {"content": "<|SEP|>", "lstrip": true} }""");
        using Gpt2Model stripping = Open();
        Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() => ModelExport.Plan(stripping, target.File("second"), "Gguf"));
        Assert.Equal(Gpt2Error.Unsupported, fault.Error);
        Assert.Contains("'<|SEP|>', which takes the white space", fault.Message, StringComparison.Ordinal);
    }

    public void Dispose() => _folder.Dispose();

    private static IEnumerable<ModelCheck> Checked(string path) => FolderChecker.Check(path, null, TestContext.Current.CancellationToken);

    private static int IdOf(Gpt2Model model, char c) => model.Encoder.Encode(c.ToString())[0];

    private static GenerationOptions Favour(int id) => new() { MaxTokens = 5, LogitBias = new Dictionary<int, float> { [id] = 1000 } };

    private static Gpt2Completion Run(Gpt2Model model, string prompt, GenerationOptions options) =>
        TextGeneration.Run(model, prompt, options, TestContext.Current.CancellationToken);

    private Gpt2Model Open() => Gpt2Model.Open(_folder.Path);

    private void Write(string name, string content) => File.WriteAllText(_folder.File(name), content);
}
