using System.Text.Json.Nodes;
using PicoGpt.Tokens;

namespace PicoGpt.Fuzz.Targets;

/// <summary>One of the files in which transformers keeps a tokenizer: <c>tokenizer.json</c>, or what adds to the two files of byte pairs.</summary>
internal sealed class TransformersTarget : FuzzTarget
{
    private const string Text = "<|BOS|> a dragon<|SEP|>  said: 😀 \ud800 <|endoftext|> wolf wolf_  aaaaaaaaaaaa<|SEP|><|SEP|>";

    private readonly string _file;

    public TransformersTarget(string file, string root)
        : base(file, root)
    {
        _file = file;
        RandomModel.Write(Folder, ToyModel.Shape);
        string encoder = Path.Combine(Folder, "encoder.json"), merges = Path.Combine(Folder, "vocab.bpe");
        if (file == TokenizerJson.FileName) Write(file, TokenizerOf(File.ReadAllText(encoder), File.ReadAllLines(merges)[1..]));
        File.Move(encoder, Path.Combine(Folder, "vocab.json"));
        File.Move(merges, Path.Combine(Folder, "merges.txt"));
        Write(AddedTokenFiles.AddedName, """{"<|BOS|>": 260, "<|SEP|>": 261, "wolf": 262}""");
        Write(AddedTokenFiles.SpecialName, """{"bos_token": "<|BOS|>", "pad_token": {"content": "[PAD]", "rstrip": true}, "additional_special_tokens": ["<|SEP|>"]}""");
        Write(AddedTokenFiles.ConfigName, file == AddedTokenFiles.ConfigName
            ? """{"added_tokens_decoder": {"260": {"content": "<|BOS|>", "special": true, "lstrip": true}, "262": {"content": "wolf", "single_word": true}}, "add_bos_token": true, "add_prefix_space": true, "bos_token": "<|BOS|>", "tokenizer_class": "GPT2Tokenizer"}"""
            : """{"tokenizer_class": "GPT2Tokenizer"}""");
        Write(GenerationConfig.FileName, """{"bos_token_id": 260, "eos_token_id": [259, 261]}""");
        Begin();
    }

    public override string Read()
    {
        Tokenizer tokenizer = Tokenizer.Load(Folder);
        SpecialIds ids = GenerationConfig.Read(Path.Combine(Folder, GenerationConfig.FileName));
        int written = tokenizer.FilesFor(VocabularyLayout.HuggingFace).Count;
        return $"{tokenizer.Decode(tokenizer.Encode(Text))} {tokenizer.Tokenize(Text, allowSpecial: true).Count} {tokenizer.MaxId} {written} {ids.Begin} {ids.Ends.Count}";
    }

    public override Mutant Mutate(Dice dice) => new([(_file, TextMutations.Change(Good(_file), dice))], IsCovered: false);

    private static string TokenizerOf(string encoder, string[] merges)
    {
        JsonNode tokenizer = JsonNode.Parse(
            """
            {"added_tokens": [{"id": 260, "content": "<|BOS|>", "special": true, "lstrip": true, "normalized": true}, {"id": 262, "content": "wolf", "single_word": true}],
             "normalizer": null, "decoder": {"type": "ByteLevel"},
             "pre_tokenizer": {"type": "Sequence", "pretokenizers": [{"type": "ByteLevel", "add_prefix_space": true}]},
             "post_processor": {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "b"}}, {"Sequence": {"id": "A"}}], "special_tokens": {"b": {"ids": [260]}}},
             "model": {"type": "BPE", "dropout": null, "byte_fallback": false}}
            """)!;
        tokenizer["model"]!["vocab"] = JsonNode.Parse(encoder);
        tokenizer["model"]!["merges"] = new JsonArray([.. merges.Select((merge, i) => i % 2 == 0 ? (JsonNode)merge : new JsonArray([.. merge.Split(' ').Select(s => (JsonNode)s)]))]);
        return tokenizer.ToJsonString();
    }

    private void Write(string name, string content) => File.WriteAllText(Path.Combine(Folder, name), content);
}
