using System.Numerics.Tensors;
using PicoGpt.Inference;
using PicoGpt.Numerics;
using Xunit;

namespace PicoGpt.Tests.Inference;

public sealed class ShadowTests : IDisposable
{
    private readonly Gpt2Model _model = BuiltInModel.Open();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private static GenerationOptions Long => new() { MaxTokens = 100, IgnoreEndOfText = true, AlwaysShadow = true };

    public void Dispose() => _model.Dispose();

    [Theory]
    [InlineData("Once upon a time", 0)]
    [InlineData("The princess said", 0)]
    [InlineData("Once upon a time", 0.8)]
    [InlineData("The princess said", 1)]
    public void A_shadow_saves_passes_and_changes_no_token(string prompt, double temperature)
    {
        GenerationOptions options = Long with { Temperature = (float)temperature, Seed = 7 };
        Gpt2Completion plain = TextGeneration.Run(_model, prompt, options with { Speculation = false }, Cancellation);
        Gpt2Completion guessed = TextGeneration.Run(_model, prompt, options, Cancellation);
        Assert.Equal(plain.Ids, guessed.Ids);
        Assert.Equal(plain.Text, guessed.Text);
        Assert.Equal((0, 0, 0, 0), (plain.LookupDrafted, plain.LookupAccepted, plain.ShadowDrafted, plain.ShadowAccepted));
        Assert.True(guessed.ShadowAccepted > 50, $"{guessed.ShadowAccepted} of {guessed.ShadowDrafted} were right");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Threads_change_nothing(int threads)
    {
        GenerationOptions options = Long with { Threads = threads };
        Assert.Equal(
            TextGeneration.Run(_model, "Once", options with { Speculation = false, Threads = 1 }, Cancellation).Ids,
            TextGeneration.Run(_model, "Once", options, Cancellation).Ids);
    }

    [Fact]
    public void A_generation_that_is_cancelled_among_guesses_can_go_on()
    {
        IReadOnlyList<int> expected = TextGeneration.Run(_model, "Once", Long with { Speculation = false }, Cancellation).Ids;
        using var batch = new BatchGenerator(_model, Long, 2);
        batch.Add("Once");
        List<Gpt2Completion> done = [];
        for (int i = 0; done.Count == 0; i++)
        {
            using var stop = new CancellationTokenSource();
            if (i % 3 == 0) stop.CancelAfter(TimeSpan.FromMicroseconds(300 * (i % 7)));
            try
            {
                done.AddRange(batch.Advance(stop.Token));
            }
            catch (OperationCanceledException)
            {
            }
        }

        Assert.Equal(expected, done[0].Ids);
    }

    [Fact]
    public void Guesses_get_longer_as_they_are_right_and_end_as_they_are_wrong()
    {
        using Shadow shadow = NewShadow();
        Assert.Equal(1, Worthwhile(shadow));
        shadow.Learn(guessed: 1, right: 1);
        int first = Worthwhile(shadow);
        Assert.InRange(first, 2, Shadow.MaxGuesses);
        shadow.Learn(guessed: 8, right: 8);
        Assert.InRange(Worthwhile(shadow), first, Shadow.MaxGuesses);
        for (int i = 0; i < 30; i++) shadow.Learn(guessed: 1, right: 0);
        Assert.Equal(0, Worthwhile(shadow));
    }

    [Fact]
    public void The_first_wrong_guesses_end_it_sooner_than_later_ones()
    {
        using Shadow young = NewShadow(), old = NewShadow();
        old.Learn(guessed: 8, right: 8);
        Assert.InRange(WrongUntilItEnds(young), 1, 2);
        Assert.InRange(WrongUntilItEnds(old), 3, 10);
    }

    [Theory]
    [InlineData(10)]
    [InlineData(40)]
    [InlineData(1000)]
    public void Guesses_that_are_all_wrong_lose_a_small_share_of_a_text(int tokens)
    {
        const double Cost = 0.38; // no clock decides
        GenerationOptions options = new() { MaxTokens = tokens, IgnoreEndOfText = true, Overflow = ContextOverflow.Slide, Temperature = 1, Seed = 3, Threads = 1 };
        using var workspace = new Workspace(_model.HyperParameters, 1, Kernels.Best);
        using var driver = new TextDriver<GeneratedText>(new Gpt2Forward(_model, workspace), batchSize: 1, Choose) { Account = new GuessAccount(new PassCost(isMeasured: false)) };
        driver.Shadow = new Shadow(new Gpt2Forward(_model, workspace) { Hook = new Negation() }, driver.Account, Cost);
        driver.Add(Assert.Single(GeneratedText.Of(_model, Prompt.Of(_model, "Once"), options)));
        List<GeneratedText> done;
        do done = driver.Advance(Cancellation);
        while (done.Count == 0);
        Gpt2Completion guessed = done[0].Completions[0];
        Assert.InRange(guessed.ShadowDrafted, Math.Min(tokens / 40, 4), tokens * GuessAccount.MostLoss / (Cost + driver.Account.Pass.FurtherRow));
        Assert.Equal(0, guessed.ShadowAccepted);
        Assert.Equal(TextGeneration.Run(_model, "Once", options with { Speculation = false }, Cancellation).Ids, guessed.Ids);
    }

    [Fact]
    public void The_more_texts_are_read_together_the_less_is_guessed()
    {
        using Shadow shadow = NewShadow();
        for (int i = 0; i < 30; i++) shadow.Learn(guessed: 8, right: 8);
        int[] lengths = [.. ((int[])[1, 4, 5, 8, 12]).Select(texts => Worthwhile(shadow, texts))];
        Assert.Equal(lengths.OrderDescending(), lengths);
        Assert.True(lengths[0] > lengths[^1]);
    }

    [Fact]
    public void What_its_steps_take_decides_too_and_is_measured_again_where_it_was_too_much()
    {
        var pass = new PassCost();
        pass.Note(rows: 1, seconds: 0.010);
        using Shadow shadow = NewShadow(pass);
        Assert.True(Worthwhile(shadow) > 0);
        for (int i = 0; i < 40; i++) shadow.Learn(rows: 1, seconds: 0.020);
        Assert.Equal(0, Worthwhile(shadow));
        for (int i = 0; i < 200 && Worthwhile(shadow) == 0; i++) shadow.Rest();
        Assert.True(Worthwhile(shadow) > 0);
        int dear = WorthwhileWhenRight(shadow);
        for (int i = 0; i < 10; i++) shadow.Learn(rows: 1, seconds: 0.001);
        Assert.True(WorthwhileWhenRight(shadow) >= dear);
    }

    [Fact]
    public void Each_attempt_after_wrong_guesses_waits_twice_as_long_and_a_right_one_ends_that()
    {
        using Shadow shadow = NewShadow();
        int first = RestAfterWrong(shadow), second = RestAfterWrong(shadow), third = RestAfterWrong(shadow);
        Assert.Equal((2 * first, 4 * first), (second, third));
        shadow.Learn(guessed: 1, right: 1);
        Assert.Equal(first, RestAfterWrong(shadow));
    }

    [Fact]
    public void Passes_over_more_rows_than_are_scored_together_are_not_made()
    {
        using Shadow shadow = NewShadow();
        shadow.Learn(rows: 1, seconds: 0);
        for (int i = 0; i < 30; i++) shadow.Learn(guessed: 8, right: 8);
        foreach (int texts in (int[])[4, 8, 16, 33, 64]) Assert.InRange(texts * (Worthwhile(shadow, texts) + 1), texts, Gpt2Forward.MaxLogits);
    }

    [Fact]
    public void Small_and_reduced_models_and_clones_have_none()
    {
        using var workspace = new Workspace(_model.HyperParameters, 1, Kernels.Best);
        using Gpt2Model clone = _model.Clone();
        Assert.Null(ShadowMaker.For(_model, workspace, new GenerationOptions()));
        Assert.Null(ShadowMaker.For(clone, workspace, Long));
        Assert.Null(ShadowMaker.For(_model, workspace, Long with { Speculation = false }));
    }

    private static void Choose(ReadOnlySpan<GeneratedText> texts, Matrix logits)
    {
        for (int i = 0; i < texts.Length; i++)
        {
            if (texts[i].WantsLogits) texts[i].Take(logits.Row(i));
        }
    }

    private static int Worthwhile(Shadow shadow, int texts = 1) => shadow.Worthwhile(texts, out _);

    private static int WorthwhileWhenRight(Shadow shadow)
    {
        for (int i = 0; i < 30; i++) shadow.Learn(guessed: 8, right: 8);
        return Worthwhile(shadow);
    }

    private static int WrongUntilItEnds(Shadow shadow)
    {
        int wrong = 0;
        for (; Worthwhile(shadow) > 0; wrong++) shadow.Learn(guessed: 1, right: 0);
        return wrong;
    }

    private static int RestAfterWrong(Shadow shadow)
    {
        WrongUntilItEnds(shadow);
        int rest = 0;
        for (; Worthwhile(shadow) == 0; rest++) shadow.Rest();
        return rest;
    }

    private Shadow NewShadow(PassCost? pass = null) =>
        new(new Gpt2Forward(_model.WithPrecision(Gpt2Precision.Int8), 1, Kernels.Best), new GuessAccount(pass ?? new PassCost(), double.PositiveInfinity), usualCost: 0.35);

    /// <summary>Makes the likeliest the least likely.</summary>
    private sealed class Negation : IForwardHook
    {
        public bool Wants(ActivationSite site, int layer) => site == ActivationSite.Logits;

        public void Visit(ActivationSite site, int layer, Matrix values, ReadOnlySpan<RowPlace> places)
        {
            for (int row = 0; row < values.Rows; row++) TensorPrimitives.Negate(values.Row(row), values.Row(row));
        }

        public void VisitPattern(int layer, int head, RowPlace row, Span<float> weights)
        {
        }
    }
}
