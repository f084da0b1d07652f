using PicoGpt.Architecture;
using PicoGpt.Exporting;
using PicoGpt.Inference;
using PicoGpt.Store;
using PicoGpt.Tests.Weights;
using PicoGpt.Tokens;
using Xunit;
using static PicoGpt.Fuzz.TorchBytes;

namespace PicoGpt.Tests.Tokens;

/// <summary>nanoGPT's models of characters, with the meta.pkl that its prepare.py writes.</summary>
public sealed class CharacterTokenizerTests : IDisposable
{
    private const string Characters = "\n !,.aeé☃😀";

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Every_character_is_a_token_whatever_its_width()
    {
        Write(Meta(Characters));
        Tokenizer tokenizer = Tokenizer.Load(_folder.Path);
        Assert.Equal((10, 0, 9), (tokenizer.Count, tokenizer.MinId, tokenizer.MaxId));
        Assert.Equal([5, 9, 1, 7, 8, 0], tokenizer.Encode("a😀 é☃\n"));
        Assert.Equal("a😀 é☃\n", tokenizer.Decode(5, 9, 1, 7, 8, 0));
        Assert.Equal([0, 1, 3], tokenizer.Tokenize("a😀!").Select(token => token.Start));
        Assert.Null(tokenizer.EndOfText);
    }

    [Fact]
    public void What_Python_itself_pickles_is_read()
    {
        // pickle.dump({'vocab_size': 2, 'itos': {0: 'a', 1: '☃'}, 'stoi': {'a': 0, '☃': 1}}, file) of Python 3.11, protocol 4
        const string Pickled = "80049540000000000000007d94288c0a766f6361625f73697a65944b028c0469746f73947d94284b008c0161944b018c03e2988394"
            + "758c0473746f69947d942868044b0068054b0175752e";
        Write(Convert.FromHexString(Pickled));
        Assert.Equal([1, 0], Tokenizer.Load(_folder.Path).Encode("☃a"));
    }

    [Fact]
    public void A_character_that_the_model_does_not_know_is_named()
    {
        Write(Meta(Characters));
        Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() => Tokenizer.Load(_folder.Path).Encode("ab"));
        Assert.Equal(Gpt2Error.InvalidToken, fault.Error);
        Assert.Contains("has no 'b' (U+0062): its 10 tokens are the characters that the model was trained on", fault.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("}", "has no dictionary 'stoi'")]
    [InlineData("N", "it is not a dictionary")]
    [InlineData("cos\nsystem\n", "nothing in it was run: it asks for 'os.system'")]
    [InlineData("}(X\x04\0\0\0stoi}(X\x02\0\0\0abK\0uu", "has in 'stoi' the text 'ab', where a single character should be")]
    [InlineData("}(X\x04\0\0\0stoi}(X\0\0\0\0K\0uu", "where a single character should be")]
    [InlineData("}(X\x04\0\0\0stoi}(X\x01\0\0\0aX\x01\0\0\0auu", "has in 'stoi' what is not a character with an id")]
    [InlineData("}(X\x04\0\0\0stoi}(X\x01\0\0\0aK\0X\x01\0\0\0bK\0uu", "gives the id 0 to 'a' and to 'b'")]
    [InlineData("}(X\x04\0\0\0stoi}(X\x01\0\0\0aK\0uX\x04\0\0\0itos}(K\x01X\x01\0\0\0auu", "contradict each other")]
    public void What_makes_no_vocabulary_is_refused(string pickle, string part)
    {
        Write(Pickle(pickle));
        Assert.Contains(part, Assert.Throws<Gpt2Exception>(() => Tokenizer.Load(_folder.Path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_nanoGPT_of_characters_writes_text_and_is_exported_with_its_vocabulary()
    {
        var shape = new Gpt2HyperParameters(NVocab: 300, NCtx: 32, NEmbd: 24, NHead: 3, NLayer: 2);
        string characters = string.Concat(Enumerable.Range(0, 300).Select(i => (char)(0x4E00 + i)));
        RandomModel.Write(_folder.File("random"), shape, seed: 3);
        using (Gpt2Model random = Gpt2Model.Open(_folder.File("random")))
        {
            string arguments = Text("n_layer") + Int(2) + Text("n_head") + Int(3) + Text("n_embd") + Int(24) + Text("block_size") + Int(32)
                + Text("bias") + "\x88" + Text("vocab_size") + Int(300) + Text("dropout") + Int(0);
            byte[] file = TorchModels.File(random, "nanoGPT", weights => "}(" + Text("model") + weights + Text("model_args") + "}(" + arguments + "uu");
            File.WriteAllBytes(_folder.File("ckpt.pt"), file);
        }

        Write(Meta(characters));
        using Gpt2Model model = Gpt2Model.Open(_folder.Path);
        Gpt2Completion completion = TextGeneration.Run(model, characters[..3], new GenerationOptions { MaxTokens = 8 });
        Assert.Equal(8, completion.Ids.Count);
        Assert.Equal(completion.Ids, model.Encoder.Encode(completion.Text[^8..]));

        ModelExport.Plan(model, _folder.File("npz"), "Npz").Run();
        using Gpt2Model exported = Gpt2Model.Open(_folder.File("npz"));
        Assert.Equal(completion.Ids, TextGeneration.Run(exported, characters[..3], new GenerationOptions { MaxTokens = 8 }).Ids);
    }

    [Theory]
    [InlineData("shakespeare_char", true)]
    [InlineData("../data/shakespeare_char", false)]
    [InlineData("another", false)]
    public void The_vocabulary_is_found_where_nanoGPT_keeps_it(string dataset, bool isFound)
    {
        var shape = new Gpt2HyperParameters(NVocab: 300, NCtx: 32, NEmbd: 64, NHead: 1, NLayer: 1);
        RandomModel.Write(_folder.File("random"), shape);
        Directory.CreateDirectory(_folder.File("out"));
        Directory.CreateDirectory(_folder.File("data/shakespeare_char"));
        File.WriteAllBytes(_folder.File("data/shakespeare_char/meta.pkl"), Meta(string.Concat(Enumerable.Range(0x4E00, 300).Select(code => (char)code))));
        using (Gpt2Model random = Gpt2Model.Open(_folder.File("random")))
        {
            byte[] file = TorchModels.File(random, "nanoGPT", weights => "}(" + Text("model") + weights + Text("config") + "}" + Text("dataset") + Text(dataset) + "su");
            File.WriteAllBytes(_folder.File("out/ckpt.pt"), file);
        }

        using Gpt2Model model = Gpt2Model.Open(_folder.File("out"));
        Assert.Equal(isFound, model.HasVocabulary);
        ModelCheck[] checks = [.. FolderChecker.Check(_folder.File("out"), progress: null, TestContext.Current.CancellationToken)];
        Assert.Equal(isFound, checks.Any(check => check.File == "meta.pkl" && check.IsValid));
    }

    private static byte[] Meta(string characters)
    {
        string[] all = [.. characters.EnumerateRunes().Select(rune => rune.ToString())];
        string idsOf = string.Concat(all.Select((character, id) => Text(character) + Int(id))), charactersOf = string.Concat(all.Select((character, id) => Int(id) + Text(character)));
        return Pickle("}(", Text("vocab_size"), Int(all.Length), Text("itos"), "}(", charactersOf, "u", Text("stoi"), "}(", idsOf, "uu");
    }

    private void Write(byte[] pickle) => File.WriteAllBytes(_folder.File("meta.pkl"), pickle);
}
