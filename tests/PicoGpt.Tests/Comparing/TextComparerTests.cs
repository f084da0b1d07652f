using System.Text;
using PicoGpt.Comparing;
using PicoGpt.Measuring;
using Xunit;

namespace PicoGpt.Tests.Comparing;

public sealed class TextComparerTests : IDisposable
{
    private const string Tale = "Once upon a time there was a king who had three daughters. Zwölf ☃ frogs sang.";

    private readonly Gpt2Model _reference = BuiltInModel.Open();
    private readonly Gpt2Model _model;

    public TextComparerTests()
    {
        _model = _reference.Clone();
        var bias = _model.Parameters.Single(weight => weight.Name == "ln_f/b");
        for (int i = 0; i < bias.Count; i += 3) bias[i] = (float)bias[i] + 0.3f;
    }

    public void Dispose()
    {
        _reference.Dispose();
        _model.Dispose();
    }

    [Fact]
    public void Of_one_vocabulary_each_token_has_the_surprisal_of_both()
    {
        Gpt2TextDifference difference = Compare(_model, Tale);
        Gpt2TextMeasure a = TextMeasurer.Measure(_reference, Tale, null, TestContext.Current.CancellationToken);
        Gpt2TextMeasure b = TextMeasurer.Measure(_model, Tale, null, TestContext.Current.CancellationToken);
        Assert.Equal(Tale, string.Concat(difference.Tokens.Select(token => token.Text)));
        Assert.Equal(a.Tokens.Count(token => token.Length > 0), difference.TokenCount);
        Assert.Equal(a.Tokens[4].Surprisal, difference.Tokens[4].ReferenceSurprisal);
        Assert.Equal(b.Tokens[4].Surprisal, difference.Tokens[4].Surprisal);
        Assert.Equal(b.Tokens[4].Surprisal - a.Tokens[4].Surprisal, difference.Tokens[4].Difference);
        Assert.Equal(Encoding.UTF8.GetByteCount(Tale), difference.ByteCount);
        Assert.Equal(a.BitsPerByte!.Value, difference.ReferenceBitsPerByte!.Value, 1e-12);
        Assert.Equal(b.BitsPerByte!.Value, difference.BitsPerByte!.Value, 1e-12);
        Assert.Equal(a.CrossEntropy!.Value, difference.ReferenceCrossEntropy!.Value, 1e-12);
        Assert.Equal(b.Perplexity!.Value, difference.Perplexity!.Value, 1e-9);
        Assert.Equal(b.BitsPerByte!.Value - a.BitsPerByte!.Value, difference.Difference!.Value, 1e-12);
    }

    [Fact]
    public void The_standard_error_is_that_of_paired_differences_and_the_greatest_come_first()
    {
        Gpt2TextDifference difference = Compare(_model, Tale);
        double[] d = [.. difference.Tokens.Select(token => token.Difference!.Value)];
        double variance = d.Sum(x => Math.Pow(x - d.Average(), 2)) / (d.Length - 1);
        Assert.Equal(Math.Sqrt(variance / d.Length) * d.Length / difference.ByteCount, difference.StandardError!.Value, 1e-12);
        double[] greatest = [.. d.OrderByDescending(Math.Abs).Take(10)];
        Assert.Equal(greatest, difference.MostDifferent.Select(token => token.Difference!.Value));
        Gpt2TextDifference same = Compare(_reference, Tale);
        Assert.Equal((0, 0), (same.Difference, same.StandardError));
    }

    [Fact]
    public void Vocabularies_that_cut_a_text_in_different_ways_meet_where_both_begin_a_token()
    {
        using TemporaryFolder folder = RandomModel.InFolder(Shapes.Small);
        using Gpt2Model bytes = Gpt2Model.Open(folder.Path);
        Gpt2TextDifference difference = Compare(bytes, Tale);
        Gpt2TextMeasure a = difference.ReferenceMeasure, b = difference.Measure;
        Assert.NotEqual(a.Tokens.Count, b.Tokens.Count);
        Assert.Equal(Tale, string.Concat(difference.Tokens.Select(token => token.Text)));
        int[] ends = [.. difference.Tokens.Select(token => token.Start)];
        foreach (Gpt2TextMeasure measure in (Gpt2TextMeasure[])[a, b]) Assert.Subset(measure.Tokens.Select(token => token.Start).ToHashSet(), ends.ToHashSet());
        Assert.Equal(a.Tokens.Sum(token => token.Surprisal!.Value), difference.Tokens.Sum(token => token.ReferenceSurprisal!.Value), 1e-9);
        Assert.Equal(b.Tokens.Sum(token => token.Surprisal!.Value), difference.Tokens.Sum(token => token.Surprisal!.Value), 1e-9);
        Assert.Equal(a.CrossEntropy!.Value, difference.ReferenceCrossEntropy!.Value, 1e-12);
        Assert.Equal(b.CrossEntropy!.Value, difference.CrossEntropy!.Value, 1e-12);
    }

    [Theory]
    [InlineData("")]
    [InlineData("A")]
    public void Of_too_few_tokens_there_is_no_mean_or_no_error(string text)
    {
        Gpt2TextDifference difference = TextComparer.Compare(_reference, _model, text, new MeasureOptions { NoStartToken = true }, TestContext.Current.CancellationToken);
        Assert.Equal((0, 0), (difference.TokenCount, difference.ByteCount));
        Assert.Null(difference.Difference);
        Assert.Null(difference.CrossEntropy);
        Assert.Null(difference.StandardError);
        Assert.Empty(difference.MostDifferent);
        Assert.Null(Compare(_model, "A").StandardError);
    }

    [Fact]
    public void Texts_are_compared_together_as_each_alone_in_their_order()
    {
        using TemporaryFolder folder = RandomModel.InFolder(Shapes.Small);
        using Gpt2Model bytes = Gpt2Model.Open(folder.Path);
        using var comparer = new TextComparer(_reference, bytes);
        string[] texts = [Tale, "The king.", "", string.Concat(Enumerable.Repeat(Tale, 9)), "A frog."];
        List<Gpt2TextDifference> together = [];
        foreach (string text in texts)
        {
            comparer.Add(text, text.Length > 0 ? "tale.txt" : null);
            while (comparer.IsFull) together.AddRange(comparer.Advance(TestContext.Current.CancellationToken));
        }

        while (!comparer.IsEmpty) together.AddRange(comparer.Advance(TestContext.Current.CancellationToken));
        Assert.Equal(texts, together.Select(difference => difference.Text));
        Assert.Equal("tale.txt", together[0].Path);
        for (int i = 0; i < texts.Length; i++)
        {
            Gpt2TextDifference alone = Compare(bytes, texts[i]);
            Assert.Equal((alone.Difference, alone.StandardError, alone.TokenCount), (together[i].Difference, together[i].StandardError, together[i].TokenCount));
        }

        Assert.True(comparer.TokensMeasured > 0);
        Assert.Equal(0, comparer.TokensLeft);
    }

    private Gpt2TextDifference Compare(Gpt2Model model, string text) =>
        TextComparer.Compare(_reference, model, text, null, TestContext.Current.CancellationToken);
}
