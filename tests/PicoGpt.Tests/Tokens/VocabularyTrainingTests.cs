using System.Text;
using System.Text.RegularExpressions;
using Microsoft.ML.Tokenizers;
using PicoGpt.Numerics;
using PicoGpt.Tokens;
using Xunit;
using Tokenizer = PicoGpt.Tokens.Tokenizer;

namespace PicoGpt.Tests.Tokens;

public sealed class VocabularyTrainingTests
{
    private const string Pattern = @"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";

    private const string Tale = "Once upon a time there was a king's daughter, and the king's daughter wasn't glad; the king was glad that it was so.\n\n";

    [Theory]
    [InlineData("ab ")]
    [InlineData("aa aaa")]
    [InlineData("the ha't ")]
    [InlineData("äö 😀's9\n ")]
    public void The_merges_are_those_of_passes_over_all_words_again_and_again(string letters)
    {
        Rune[] runes = [.. letters.EnumerateRunes()];
        var random = new Random64((ulong)letters.Length);
        for (int round = 0; round < 40; round++)
        {
            string text = string.Concat(Enumerable.Range(0, 20 + (round * 12)).Select(_ => runes[random.Next() % (ulong)runes.Length].ToString()));
            List<(string Left, string Right)> expected = RepeatedPasses(text);
            var training = new VocabularyTraining();
            training.Add(text, TestContext.Current.CancellationToken);
            BytePairEncoder learnt = training.Learn(VocabularyTraining.LeastSize + expected.Count, cancellationToken: TestContext.Current.CancellationToken);
            Assert.Equal(expected, learnt.Merges);
            string fault = Assert.Throws<Gpt2Exception>(() => training.Learn(VocabularyTraining.LeastSize + expected.Count + 1)).Message;
            Assert.Contains($"ask for {VocabularyTraining.LeastSize + expected.Count} tokens or fewer", fault, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Ids_are_the_bytes_in_OpenAIs_order_then_the_merges_then_the_end_of_text()
    {
        BytePairEncoder learnt = Learn(Tale, 280);
        using Gpt2Model model = Gpt2Model.Open(BuiltInModel.Folder);
        for (int id = 0; id < 256; id++) Assert.Equal(model.Encoder.GetSymbol(id), learnt.GetSymbol(id));
        Assert.Equal(learnt.Merges.Select(merge => merge.Left + merge.Right), Enumerable.Range(256, 23).Select(learnt.GetSymbol));
        Assert.Equal(279, learnt.EndOfText);
        Assert.Equal(280, learnt.Count);
    }

    [Fact]
    public void The_files_are_read_again_by_us_and_by_another_tokenizer_to_the_same_tokens()
    {
        BytePairEncoder learnt = Learn(Tale, 280);
        using var folder = new TemporaryFolder();
        foreach ((string name, byte[] content) in learnt.FilesFor(VocabularyLayout.OpenAI)) File.WriteAllBytes(folder.File(name), content);
        Tokenizer ours = Tokenizer.Load(folder.Path);
        BpeTokenizer theirs = BpeTokenizer.Create(new BpeOptions(folder.File("encoder.json"), folder.File("vocab.bpe"))
        {
            ByteLevel = true,
            PreTokenizer = new RegexPreTokenizer(new Regex(Pattern), specialTokens: null),
        });
        foreach (string text in (string[])[Tale, "a  king\tand  9 kings ", "naïve ☃ 😀", "there't 's\r\n\r\n x"])
        {
            Assert.Equal(learnt.Encode(text), ours.Encode(text));
            Assert.Equal(learnt.Encode(text), theirs.EncodeToIds(text));
            Assert.Equal(text, ours.Decode(ours.Encode(text)));
        }
    }

    [Fact]
    public void Words_end_where_texts_do()
    {
        string[] parts = ["ab", "ab", "cab"];
        BytePairEncoder apart = Learn(parts, 258), joined = Learn([string.Join("<|endoftext|>", parts)], 258);
        Assert.Equal([("a", "b")], apart.Merges);
        Assert.Equal(apart.Merges, joined.Merges);
        Assert.DoesNotContain(Learn(["x<|endoftext|>x", "x<|endoftext|>x", "xy xy"], 258).Merges, merge => merge.Right == "e");
    }

    [Fact]
    public void What_would_pass_the_memory_is_forgotten_the_rarest_first()
    {
        var training = new VocabularyTraining(capacity: 64);
        string often = string.Concat(Enumerable.Repeat(" king", 50));
        training.Add(often, TestContext.Current.CancellationToken);
        training.Add(string.Concat(Enumerable.Range(0, 500).Select(i => $" {new string((char)('a' + (i % 26)), 1 + (i / 26))}")), TestContext.Current.CancellationToken);
        Assert.InRange(training.Words, 1, 64);
        training.Add(new string('q', 1000), TestContext.Current.CancellationToken); // a word that is longer than all that may be kept
        training.Add(often, TestContext.Current.CancellationToken);
        Assert.Equal("Ġking", training.Learn(VocabularyTraining.LeastSize + 4, cancellationToken: TestContext.Current.CancellationToken).GetSymbol(259));
    }

    // Down to half of what may be kept, and no further: words of 2 characters, three of them twice.
    [Theory]
    [InlineData(10, 0)]
    [InlineData(12, 3)]
    public void Words_that_come_as_often_as_one_another_are_forgotten_together(int capacity, int left)
    {
        var words = new WordCounts(new Gpt2PieceScanner(), capacity);
        words.Add(" a b c a b c", TestContext.Current.CancellationToken);
        words.Add(string.Concat(" d e f g".Take(capacity == 10 ? 6 : 8).ToArray()), TestContext.Current.CancellationToken);
        Assert.Equal(left, words.Count);
        Assert.All(words, word => Assert.Equal(2, word.Value));
    }

    [Theory]
    [InlineData(256)]
    [InlineData(VocabularyTraining.LargestSize + 1)]
    public void A_size_that_cannot_be_is_refused(int size) =>
        Assert.Contains("cannot be learnt", Assert.Throws<Gpt2Exception>(() => Learn(Tale, size)).Message, StringComparison.Ordinal);

    [Fact]
    public void The_least_vocabulary_is_the_bytes()
    {
        BytePairEncoder bytes = Learn("", VocabularyTraining.LeastSize);
        Assert.Equal("ö", bytes.Decode(bytes.Encode("ö")));
        Assert.Equal(2, bytes.Encode("ö").Length);
    }

    [Fact]
    public void It_can_be_cancelled()
    {
        using var stop = new CancellationTokenSource();
        stop.Cancel();
        var training = new VocabularyTraining();
        Assert.Throws<OperationCanceledException>(() => training.Add(Tale, stop.Token));
        training.Add(Tale, TestContext.Current.CancellationToken);
        Assert.Throws<OperationCanceledException>(() => training.Learn(260, cancellationToken: stop.Token));
    }

    private static BytePairEncoder Learn(string text, int size) => Learn([text], size);

    private static BytePairEncoder Learn(string[] texts, int size)
    {
        var training = new VocabularyTraining();
        foreach (string text in texts) training.Add(text, TestContext.Current.CancellationToken);
        return training.Learn(size, cancellationToken: TestContext.Current.CancellationToken);
    }

    // As the papers tell it: count all pairs, merge the most frequent everywhere, again, until none comes twice.
    private static List<(string Left, string Right)> RepeatedPasses(string text)
    {
        List<(List<string> Symbols, int Count)> words = [.. Words(text).GroupBy(word => word).Select(group => (Spell(group.Key), group.Count()))];
        Dictionary<string, int> age = [];
        foreach (byte value in ByteAlphabet.InOrder) age.Add(ByteAlphabet.Characters[value].ToString(), age.Count);
        List<(string, string)> merges = [];
        while (true)
        {
            Dictionary<(string Left, string Right), int> counts = [];
            foreach ((List<string> symbols, int count) in words)
            {
                for (int i = 0; i + 1 < symbols.Count; i++) counts[(symbols[i], symbols[i + 1])] = counts.GetValueOrDefault((symbols[i], symbols[i + 1])) + count;
            }

            ((string Left, string Right) best, int most) = counts.OrderByDescending(pair => pair.Value)
                .ThenBy(pair => age[pair.Key.Left]).ThenBy(pair => age[pair.Key.Right]).FirstOrDefault();
            if (most < 2) return merges;
            merges.Add(best);
            age.Add(best.Left + best.Right, age.Count);
            foreach ((List<string> symbols, int _) in words)
            {
                for (int i = 0; i + 1 < symbols.Count; i++)
                {
                    if ((symbols[i], symbols[i + 1]) != best) continue;
                    symbols[i] += symbols[i + 1];
                    symbols.RemoveAt(i + 1);
                }
            }
        }
    }

    private static IEnumerable<string> Words(string text)
    {
        for (int start = 0; start < text.Length;)
        {
            int length = Gpt2PieceScanner.Instance.NextLength(text.AsSpan(start));
            yield return text.Substring(start, length);
            start += length;
        }
    }

    private static List<string> Spell(string word) => [.. Encoding.UTF8.GetBytes(word).Select(value => ByteAlphabet.Characters[value].ToString())];
}
