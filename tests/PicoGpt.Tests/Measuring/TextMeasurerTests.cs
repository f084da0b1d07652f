using System.Text;
using PicoGpt.Architecture;
using PicoGpt.Inference;
using PicoGpt.Measuring;
using PicoGpt.Numerics;
using PicoGpt.Tests.Inference;
using Xunit;

namespace PicoGpt.Tests.Measuring;

public sealed class TextMeasurerTests
{
    private const string Tale = "Once upon a time there was a king who had three daughters, and the youngest was so beautiful that the sun";

    private static readonly Gpt2HyperParameters Small = new(NVocab: 300, NCtx: 12, NEmbd: 24, NHead: 3, NLayer: 2);

    [Theory]
    [InlineData(Tale)]
    [InlineData("The")]
    public void All_numbers_agree_with_the_plain_loops_in_double_precision(string text)
    {
        using Gpt2Model model = BuiltInModel.Open();
        int n_vocab = model.HyperParameters.NVocab;
        Gpt2TextMeasure measure = Measure(model, text, new MeasureOptions { Top = 4 });
        int[] ids = [model.BeginningOfText, .. model.Encoder.Encode(text)];
        double[][] rows = [.. PlainForward.Logits(model, ids).Chunk(n_vocab).Select(LogSoftmax)];
        Assert.Equal(ids[1..], measure.Tokens.Select(token => token.Id));
        foreach (Gpt2TokenMeasure token in measure.Tokens)
        {
            double[] row = rows[token.Index];
            Assert.Equal(row[token.Id], token.LogProbability!.Value, 1e-4);
            Assert.Equal(-row[token.Id] / Math.Log(2), token.Surprisal!.Value, 2e-4);
            Assert.Equal(Math.Exp(row[token.Id]), token.Probability!.Value, 1e-4);
            Assert.Equal(-row.Sum(p => Math.Exp(p) * p) / Math.Log(2), token.Entropy!.Value, 2e-4);
            Assert.Equal(row.Count(p => p > row[token.Id]) + 1, token.Rank);
            int[] likeliest = [.. Enumerable.Range(0, n_vocab).OrderByDescending(id => row[id]).Take(4)];
            Assert.Equal(likeliest, token.Top.Select(alternative => alternative.Id));
            Assert.Equal(likeliest.Select(model.Encoder.GetText), token.Top.Select(alternative => alternative.Text));
            foreach (TokenAlternative alternative in token.Top) Assert.Equal(row[alternative.Id], alternative.LogProbability, 1e-4);
        }

        double crossEntropy = -measure.Tokens.Average(token => rows[token.Index][token.Id]);
        Assert.Equal(Math.Exp(crossEntropy), measure.Perplexity!.Value, 1e-4);
        Assert.Equal(crossEntropy, measure.CrossEntropy!.Value, 1e-5);
        Assert.Equal(crossEntropy / Math.Log(2), measure.BitsPerToken!.Value, 1e-5);
        Assert.Equal(crossEntropy * measure.TokenCount, -measure.LogProbability, 1e-3);
    }

    [Fact]
    public void The_first_token_follows_endoftext_or_is_not_measured()
    {
        using Gpt2Model model = BuiltInModel.Open();
        Gpt2TextMeasure without = Measure(model, Tale, new MeasureOptions { NoStartToken = true });
        Gpt2TokenMeasure first = without.Tokens[0];
        Assert.Null(first.LogProbability);
        Assert.Null(first.Surprisal);
        Assert.Null(first.Probability);
        Assert.Null(first.Rank);
        Assert.Null(first.Entropy);
        Assert.Empty(first.Top);
        Assert.Equal(0, first.ContextLength);
        Assert.Equal(without.Tokens.Count - 1, without.TokenCount);
        Assert.Equal(Tale.Length - first.Text.Length, without.CharacterCount);

        // The same rows come about when the text itself begins with the token.
        Gpt2TextMeasure spelled = Measure(model, "<|endoftext|>" + Tale, new MeasureOptions { NoStartToken = true, AllowSpecial = true });
        Gpt2TextMeasure with = Measure(model, Tale);
        Assert.Equal(Bits(with), Bits(spelled)[1..]);
        Assert.Equal(with.CrossEntropy, spelled.CrossEntropy);
        Assert.Equal(with.BitsPerCharacter, spelled.BitsPerCharacter);
        Assert.Equal(Enumerable.Range(1, with.TokenCount), with.Tokens.Select(token => token.ContextLength));
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(1, false)]
    [InlineData(5, true)]
    [InlineData(12, false)]
    [InlineData(12, true)]
    public void A_long_text_is_measured_in_strides_each_token_once_after_the_documented_context(int stride, bool noStartToken)
    {
        using var folder = new TemporaryFolder();
        using Gpt2Model model = Random(folder, Small);
        string text = string.Concat(Enumerable.Repeat("the king and I ", 4));
        Gpt2TextMeasure measure = Measure(model, text, new MeasureOptions { Stride = stride, NoStartToken = noStartToken });
        int[] ids = [.. (IEnumerable<int>)(noStartToken ? [] : [model.BeginningOfText]), .. model.Encoder.Encode(text)];
        int step = stride == 0 ? 6 : stride;
        Assert.Equal(step, measure.Stride);
        Assert.True(ids.Length > 3 * Small.NCtx);
        using var context = new Gpt2Context(model);
        double sum = 0;
        for (int target = 1; target < ids.Length; target++)
        {
            int start = 0;
            while (target > start + Small.NCtx) start += step;
            context.Truncate(0);
            double[] row = LogSoftmax([.. context.Forward(ids.AsSpan(start, target - start)).ToArray().Select(logit => (double)logit)]);
            Gpt2TokenMeasure token = measure.Tokens[noStartToken ? target : target - 1];
            Assert.Equal(row[ids[target]], token.LogProbability!.Value, 1e-12);
            Assert.Equal(target - start, token.ContextLength);
            if (target > Small.NCtx) Assert.InRange(token.ContextLength, Small.NCtx - step + 1, Small.NCtx);
            sum -= row[ids[target]];
        }

        Assert.Equal(Math.Exp(sum / (ids.Length - 1)), measure.Perplexity!.Value, 1e-9);
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 3)]
    [InlineData(64, 2)]
    public void A_text_has_the_same_bits_alone_and_in_any_batch_with_any_threads_and_vectors(int batchSize, int threads)
    {
        using Gpt2Model model = BuiltInModel.Open();
        string[] texts = [Tale, "", "The king", string.Concat(Enumerable.Repeat(Tale, 9)), "!", "", "naïve ☃️", Tale + Tale, "a"];
        Gpt2TextMeasure[] alone = [.. texts.Select(text => Measure(model, text, new MeasureOptions { Stride = 100 }))];
        foreach (Kernels kernels in Kernels.All)
        {
            using var measurer = new TextMeasurer(model, new MeasureOptions { Stride = 100, Threads = threads }, batchSize, kernels);
            List<Gpt2TextMeasure> measures = MeasureAll(measurer, texts);
            Assert.Equal(texts, measures.Select(measure => measure.Text));
            for (int i = 0; i < texts.Length; i++)
            {
                Assert.Equal(Bits(alone[i]), Bits(measures[i]));
                Assert.Equal(alone[i].LogProbability, measures[i].LogProbability);
            }

            Assert.Equal(alone.Sum(measure => measure.TokenCount), measurer.TokensMeasured);
            Assert.Equal(0, measurer.TokensLeft);
        }
    }

    [Fact]
    public void A_token_does_not_depend_on_what_comes_after_it()
    {
        using var folder = new TemporaryFolder();
        using Gpt2Model model = Random(folder, Small);
        string text = string.Concat(Enumerable.Range(0, 12).Select(i => $" {i}!"));
        (string, int, int?, double?)[] all = Bits(Measure(model, text));
        for (int length = 3; length < text.Length; length += 3) Assert.Equal(all[..length], Bits(Measure(model, text[..length])));
    }

    [Fact]
    public void Measures_come_as_soon_as_they_and_all_before_them_are_ready()
    {
        using Gpt2Model model = BuiltInModel.Open();
        using var measurer = new TextMeasurer(model, batchSize: 2);
        measurer.Add("");
        Assert.True(measurer.IsFull);
        Assert.Equal("", Assert.Single(measurer.Advance(TestContext.Current.CancellationToken)).Text);
        measurer.Add("a");
        Assert.False(measurer.IsFull);
        measurer.Add("b");
        Assert.True(measurer.IsFull);
        Assert.Equal(["a", "b"], measurer.Advance(TestContext.Current.CancellationToken).Select(measure => measure.Text));
        Assert.True(measurer.IsEmpty);
    }

    [Fact]
    public void Characters_are_code_points_and_bytes_are_those_of_utf8()
    {
        const string Text = "naïve ☃️ 🐸\ud800!";
        using Gpt2Model model = BuiltInModel.Open();
        Gpt2TextMeasure measure = Measure(model, Text);
        Assert.Equal(Text.EnumerateRunes().Count(), measure.CharacterCount);
        Assert.Equal(Encoding.UTF8.GetByteCount(Text), measure.ByteCount);
        Assert.Equal(measure.BitsPerToken!.Value * measure.TokenCount / measure.CharacterCount, measure.BitsPerCharacter!.Value, 1e-12);
        Assert.Equal(measure.BitsPerToken!.Value * measure.TokenCount / measure.ByteCount, measure.BitsPerByte!.Value, 1e-12);
        Assert.Equal(Text, string.Concat(measure.Tokens.Select(token => Text.Substring(token.Start, token.Length))));
    }

    [Theory]
    [InlineData("", false, 0)]
    [InlineData("", true, 0)]
    [InlineData("a", true, 1)]
    public void Where_nothing_is_measured_there_are_no_means(string text, bool noStartToken, int tokens)
    {
        using Gpt2Model model = BuiltInModel.Open();
        Gpt2TextMeasure measure = Measure(model, text, new MeasureOptions { NoStartToken = noStartToken });
        Assert.Equal(tokens, measure.Tokens.Count);
        Assert.Equal(0, measure.TokenCount);
        Assert.Equal(0, measure.LogProbability);
        Assert.Null(measure.CrossEntropy);
        Assert.Null(measure.BitsPerToken);
        Assert.Null(measure.Perplexity);
        Assert.Null(measure.BitsPerCharacter);
        Assert.Null(measure.BitsPerByte);
        Assert.Equal("0 tokens", $"{measure}");
    }

    [Fact]
    public void A_reduced_precision_is_told_and_measured_in()
    {
        using Gpt2Model model = BuiltInModel.Open();
        Gpt2TextMeasure exact = Measure(model, Tale), reduced = Measure(model.WithPrecision(Gpt2Precision.Int4), Tale);
        Assert.Equal((Gpt2Precision.Float32, Gpt2Precision.Int4), (exact.Precision, reduced.Precision));
        Assert.NotEqual(exact.Perplexity, reduced.Perplexity);
        Assert.Equal(exact.CrossEntropy!.Value, reduced.CrossEntropy!.Value, 0.3);
    }

    [Fact]
    public void Cancellation_stops_the_work()
    {
        using Gpt2Model model = BuiltInModel.Open();
        using var measurer = new TextMeasurer(model);
        measurer.Add(Tale);
        Assert.Throws<OperationCanceledException>(() => measurer.Advance(new CancellationToken(canceled: true)));
    }

    [Theory]
    [InlineData(257, 0, "Stride is 257*give 1 to 256.")]
    [InlineData(-1, 0, "Stride is -1*")]
    [InlineData(0, 2049, "Top is 2049*vocabulary of 2048*")]
    public void Options_out_of_their_range_are_told(int stride, int top, string message)
    {
        using Gpt2Model model = BuiltInModel.Open();
        Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() => Measure(model, Tale, new MeasureOptions { Stride = stride, Top = top }));
        Assert.Equal(Gpt2Error.InvalidArgument, fault.Error);
        Assert.Matches("^" + message.Replace("*", ".*", StringComparison.Ordinal) + "$", fault.Message);
    }

    [Fact]
    public void A_vocabulary_without_endoftext_needs_no_start_token()
    {
        using var folder = new TemporaryFolder();
        Random(folder, Small).Dispose();
        string encoder = folder.File("encoder.json");
        File.WriteAllText(encoder, File.ReadAllText(encoder).Replace("<|endoftext|>", "<|end|>", StringComparison.Ordinal));
        using Gpt2Model model = Gpt2Model.Open(folder.Path);
        Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() => Measure(model, "abc"));
        Assert.Equal(Gpt2Error.InvalidArgument, fault.Error);
        Assert.Contains("NoStartToken", fault.Message, StringComparison.Ordinal);
        Assert.Equal(2, Measure(model, "abc", new MeasureOptions { NoStartToken = true }).TokenCount);
    }

    [Fact]
    public void A_token_that_the_model_lacks_is_told_before_the_work()
    {
        using var folder = new TemporaryFolder();
        Random(folder, Small).Dispose();
        string[] files = ["encoder.json", "vocab.bpe"];
        foreach (string file in files) File.Copy(Path.Combine(BuiltInModel.Folder, file), folder.File(file), overwrite: true);
        using Gpt2Model model = Gpt2Model.Open(folder.Path);
        Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() => Measure(model, "the king", new MeasureOptions { NoStartToken = true }));
        Assert.Equal(Gpt2Error.InvalidToken, fault.Error);
        Assert.Contains("vocabulary of 300", fault.Message, StringComparison.Ordinal);
    }

    private static Gpt2TextMeasure Measure(Gpt2Model model, string text, MeasureOptions? options = null) =>
        TextMeasurer.Measure(model, text, options, TestContext.Current.CancellationToken);

    private static List<Gpt2TextMeasure> MeasureAll(TextMeasurer measurer, string[] texts)
    {
        List<Gpt2TextMeasure> measures = [];
        foreach (string text in texts)
        {
            measurer.Add(text);
            while (measurer.IsFull) measures.AddRange(measurer.Advance(TestContext.Current.CancellationToken));
        }

        while (!measurer.IsEmpty) measures.AddRange(measurer.Advance(TestContext.Current.CancellationToken));
        return measures;
    }

    private static (string Top, int Context, int? Rank, double? Number)[] Bits(Gpt2TextMeasure measure) =>
        [.. measure.Tokens.Select(token => (
            string.Join(' ', token.Top.Select(top => FormattableString.Invariant($"{top.Id} {top.LogProbability:R} {token.Entropy:R}"))),
            token.ContextLength, token.Rank, token.LogProbability))];

    private static Gpt2Model Random(TemporaryFolder folder, Gpt2HyperParameters shape)
    {
        RandomModel.Write(folder.Path, shape, seed: 3);
        return Gpt2Model.Open(folder.Path);
    }

    private static double[] LogSoftmax(double[] logits)
    {
        double max = logits.Max(), log = Math.Log(logits.Sum(logit => Math.Exp(logit - max)));
        return [.. logits.Select(logit => logit - max - log)];
    }
}
