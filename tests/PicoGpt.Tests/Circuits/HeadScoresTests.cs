using PicoGpt.Circuits;
using PicoGpt.Numerics;
using PicoGpt.Tests.Inference;
using Xunit;

namespace PicoGpt.Tests.Circuits;

public sealed class HeadScoresTests
{
    [Fact]
    public void Scores_are_the_means_of_the_patterns_of_the_plain_loops()
    {
        using Gpt2Model model = BuiltInModel.Open();
        const int Length = 6, Seed = 5;
        IReadOnlyList<Gpt2HeadScore> scores =
            HeadScores.Of(model, texts: 2, Length, Seed, threads: 2, TestContext.Current.CancellationToken);
        Assert.Equal(18, scores.Count);
        var random = new Random64(Seed);
        double[][][][][] texts =
        [
            .. Enumerable.Range(0, 2).Select(_ =>
            {
                int[] half = [.. Enumerable.Range(0, Length).Select(_ => (int)(random.NextDouble() * 2048))];
                return PlainForward.Trace(model, [model.Encoder.EndOfText!.Value, .. half, .. half]).Attention;
            }),
        ];
        foreach (Gpt2HeadScore score in scores)
        {
            double[][][] patterns = [.. texts.Select(text => text[score.Layer][score.Head])];
            double Mean(int first, Func<int, int> at) => patterns.Average(pattern => Enumerable.Range(first, (2 * Length) + 1 - first).Average(t => pattern[t][at(t)]));
            Assert.Equal(Mean(1, t => t - 1), score.PreviousToken, 1e-4);
            Assert.Equal(Mean(1, _ => 0), score.FirstToken, 1e-4);
            Assert.Equal(Mean(Length + 1, t => t - Length), score.DuplicateToken, 1e-4);
            Assert.Equal(Mean(Length + 1, t => t - Length + 1), score.Induction, 1e-4);
        }
    }

    [Fact]
    public void Scores_are_the_same_bits_for_any_threads_and_the_same_seed()
    {
        using Gpt2Model model = BuiltInModel.Open();
        IReadOnlyList<Gpt2HeadScore> Scores(int threads, long seed) =>
            HeadScores.Of(model, texts: 2, length: 20, seed, threads, TestContext.Current.CancellationToken);
        Assert.Equal(Scores(1, 3), Scores(3, 3));
        Assert.NotEqual(Scores(1, 3), Scores(1, 4));
    }

    [Fact]
    public void A_text_that_does_not_fit_is_refused_with_what_does()
    {
        using Gpt2Model model = BuiltInModel.Open();
        Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() => HeadScores.Of(model, length: 128, cancellationToken: TestContext.Current.CancellationToken));
        Assert.Contains("whose context has 256 positions; give 2 to 127.", fault.Message, StringComparison.Ordinal);
    }
}
