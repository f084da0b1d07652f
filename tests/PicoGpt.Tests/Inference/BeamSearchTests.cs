using PicoGpt.Inference;
using Xunit;

namespace PicoGpt.Tests.Inference;

/// <summary>Held against a search that is written out plainly: every text is read again for every step, and all tokens of all beams are sorted.</summary>
public sealed class BeamSearchTests : IDisposable
{
    private const int EndOfText = 2047;

    private static readonly string[] Prompts = ["Once upon a time", "The king", "", "And the wolf said"];

    private readonly Gpt2Model _model = BuiltInModel.Open();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _model.Dispose();

    [Theory]
    [InlineData(2, 1f, BeamStopping.Heuristic, 0f)]
    [InlineData(4, 1f, BeamStopping.Heuristic, 6f)]
    [InlineData(4, 1f, BeamStopping.AtOnce, 6f)]
    [InlineData(4, 1f, BeamStopping.Never, 6f)]
    [InlineData(3, 0f, BeamStopping.Never, 6f)]
    [InlineData(3, 2.5f, BeamStopping.Never, 6f)]
    [InlineData(3, -1f, BeamStopping.Heuristic, 6f)]
    public void What_is_found_is_what_a_plain_search_finds(int beams, float lengthPenalty, BeamStopping stopping, float endBias)
    {
        var options = new GenerationOptions
        {
            MaxTokens = 12,
            Beams = beams,
            Count = beams,
            LengthPenalty = lengthPenalty,
            EarlyStopping = stopping,
            LogitBias = endBias == 0 ? new Dictionary<int, float>() : new Dictionary<int, float> { [EndOfText] = endBias },
        };
        using var batch = new BatchGenerator(_model, options, beams + 1); // the second prompt waits for the first
        foreach (string prompt in Prompts) batch.Add(prompt);
        Gpt2Completion[] completions = Drain(batch);
        Assert.Equal(Prompts.SelectMany(prompt => Enumerable.Repeat(prompt, beams)), completions.Select(c => c.Prompt));
        for (int i = 0; i < Prompts.Length; i++)
        {
            List<(int[] Ids, double Score, bool Ended)> expected = Plain(Prompts[i], options);
            for (int k = 0; k < beams; k++)
            {
                Gpt2Completion actual = completions[(i * beams) + k];
                Assert.Equal(expected[k].Ids, actual.Ids);
                Assert.Equal(expected[k].Score, actual.BeamScore!.Value, 1e-4);
                Assert.Equal(expected[k].Ended ? FinishReason.EndOfText : FinishReason.MaxTokens, actual.FinishReason);
                Assert.Equal(_model.Encoder.Decode(actual.Ids), actual.Text);
            }
        }

        if (endBias > 0) Assert.Contains(completions, c => c.FinishReason == FinishReason.EndOfText);
    }

    [Fact]
    public void Penalties_change_the_log_probabilities_of_each_beam_by_its_own_text()
    {
        var options = new GenerationOptions { MaxTokens = 14, Beams = 3, Count = 3, NoRepeatNgramSize = 2, RepetitionPenalty = 1.3f, IgnoreEndOfText = true };
        const string Loop = "the king and the queen and the king and the queen and";
        List<(int[] Ids, double Score, bool Ended)> expected = Plain(Loop, options);
        Gpt2Completion[] actual = Run(Loop, options);
        Assert.Equal(expected.Select(found => found.Ids), actual.Select(c => c.Ids));
        Assert.NotEqual(Run(Loop, options with { NoRepeatNgramSize = 0 }).Select(c => c.Text), actual.Select(c => c.Text));
        Assert.NotEqual(Run(Loop, options with { RepetitionPenalty = 1 }).Select(c => c.Text), actual.Select(c => c.Text));
    }

    [Fact]
    public void Beams_find_a_text_that_is_likelier_than_the_greedy_one()
    {
        var options = new GenerationOptions { MaxTokens = 20, IgnoreEndOfText = true, TopLogProbs = 0 };
        Gpt2Completion greedy = TextGeneration.Run(_model, "The king", options, Cancellation);
        Gpt2Completion found = TextGeneration.Run(_model, "The king", options with { Beams = 5 }, Cancellation);
        Assert.True(found.Tokens.Sum(token => token.LogProbability) > greedy.Tokens.Sum(token => token.LogProbability));
        Assert.Equal(found.Tokens.Average(token => token.LogProbability), found.BeamScore!.Value, 1e-12);
        Assert.Equal(found.Ids, found.Tokens.Select(token => token.Id));
    }

    [Fact]
    public void A_search_has_the_same_bits_with_any_threads_alone_and_in_a_batch_and_is_streamed_as_one_piece()
    {
        var options = new GenerationOptions { MaxTokens = 15, Beams = 4 };
        Gpt2Completion alone = TextGeneration.Run(_model, Prompts[0], options with { Threads = 1 }, Cancellation);
        using var batch = new BatchGenerator(_model, options with { Threads = 3 }, 32);
        foreach (string prompt in Prompts) batch.Add(prompt);
        Gpt2Completion together = Drain(batch)[0];
        Assert.Equal(alone.Ids, together.Ids);
        Assert.Equal(alone.BeamScore, together.BeamScore);
        Assert.Equal([alone.Text], new TextGeneration(_model, Prompts[0], options).Stream(Cancellation));
    }

    [Fact]
    public void A_stop_string_ends_a_beam()
    {
        var options = new GenerationOptions { MaxTokens = 30, Beams = 3, Count = 3, Stop = [" the", ","] };
        Gpt2Completion[] found = Run("Once upon a time", options);
        Assert.Contains(found, c => c.FinishReason == FinishReason.Stop);
        Assert.All(found, c => Assert.DoesNotContain(" the", c.Text, StringComparison.Ordinal));
        Assert.All(found, c => Assert.DoesNotContain(",", c.Text, StringComparison.Ordinal));
    }

    [Fact]
    public void A_full_context_ends_the_search()
    {
        string prompt = string.Concat(Enumerable.Repeat("a ", 120));
        int left = 256 - _model.Encoder.Encode(prompt).Length;
        Gpt2Completion found = TextGeneration.Run(
            _model, prompt, new GenerationOptions { MaxTokens = 1000, Beams = 2, IgnoreEndOfText = true }, Cancellation);
        Assert.Equal(FinishReason.Length, found.FinishReason);
        Assert.Equal(left + 1, found.Ids.Count);
    }

    [Fact]
    public void A_cancelled_search_gives_the_best_beam()
    {
        using var batch = new BatchGenerator(_model, new GenerationOptions { MaxTokens = 50, Beams = 3, IgnoreEndOfText = true });
        batch.Add("The king");
        for (int i = 0; i < 6; i++) batch.Advance(Cancellation);
        Gpt2Completion found = Assert.Single(batch.Cancel());
        Assert.Equal(FinishReason.Cancelled, found.FinishReason);
        Assert.Equal(6, found.Ids.Count);
    }

    private static Gpt2Completion[] Drain(BatchGenerator batch)
    {
        List<Gpt2Completion> completions = [];
        while (!batch.IsEmpty) completions.AddRange(batch.Advance(Cancellation));
        return [.. completions];
    }

    private Gpt2Completion[] Run(string prompt, GenerationOptions options)
    {
        using var batch = new BatchGenerator(_model, options);
        batch.Add(prompt);
        return Drain(batch);
    }

    private List<(int[] Ids, double Score, bool Ended)> Plain(string prompt, GenerationOptions options)
    {
        int[] promptIds = prompt.Length == 0 ? [EndOfText] : _model.Encoder.Encode(prompt);
        int n = options.Beams;
        double Score(double sum, int length) => sum / Math.Pow(length, options.LengthPenalty);
        List<(int[] Ids, double Sum)> beams = [([], 0)];
        List<(int[] Ids, double Score, bool Ended)> found = [];
        void Add(int[] ids, double sum, int length, bool ended)
        {
            found.Add((ids, Score(sum, length), ended));
            found = [.. found.OrderByDescending(text => text.Score).Take(n)];
        }

        for (int length = 1; length <= options.MaxTokens; length++)
        {
            (int[] Ids, int Id, double Sum)[] all =
            [
                .. beams.SelectMany(beam => LogProbabilities([.. promptIds, .. beam.Ids], options)
                        .Select((p, id) => (beam.Ids, id, beam.Sum + p)))
                    .OrderByDescending(candidate => candidate.Item3).Take(2 * n),
            ];
            List<(int[] Ids, double Sum)> next = [];
            for (int rank = 0; rank < all.Length && next.Count < n; rank++)
            {
                bool ends = all[rank].Id == EndOfText && !options.IgnoreEndOfText;
                if (!ends) next.Add(([.. all[rank].Ids, all[rank].Id], all[rank].Sum));
                else if (rank < n) Add(all[rank].Ids, all[rank].Sum, length, ended: true);
            }

            double reachable = options is { EarlyStopping: BeamStopping.Never, LengthPenalty: > 0 }
                ? Score(all[0].Sum, options.MaxTokens) : Score(all[0].Sum, length);
            if (found.Count == n && (options.EarlyStopping == BeamStopping.AtOnce || found[^1].Score >= reachable)) return found;
            beams = next;
        }

        foreach ((int[] ids, double sum) in beams) Add(ids, sum, options.MaxTokens, ended: false);
        return found;
    }

    private double[] LogProbabilities(int[] ids, GenerationOptions options)
    {
        using var context = new Gpt2Context(_model, threads: 1);
        double[] logits = [.. context.Forward(ids, Cancellation).ToArray().Select(logit => (double)logit)];
        double greatest = logits.Max(), log = Math.Log(logits.Sum(logit => Math.Exp(logit - greatest)));
        double[] p = [.. logits.Select((logit, id) => logit - greatest - log + options.LogitBias.GetValueOrDefault(id))];
        foreach (int id in ids.Distinct()) p[id] = p[id] < 0 ? p[id] * options.RepetitionPenalty : p[id] / options.RepetitionPenalty;
        int size = options.NoRepeatNgramSize;
        for (int start = 0; size > 0 && start + size <= ids.Length; start++)
        {
            if (ids.AsSpan(start, size - 1).SequenceEqual(ids.AsSpan(ids.Length - size + 1))) p[ids[start + size - 1]] = double.NegativeInfinity;
        }

        return p;
    }
}
