using PicoGpt.Architecture;
using PicoGpt.Inference;
using PicoGpt.Numerics;
using Xunit;

namespace PicoGpt.Tests.Inference;

public sealed class ShadowTests : IDisposable
{
    private readonly Gpt2Model _model = BuiltInModel.Open();
    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private static GenerationOptions Long => new() { MaxTokens = 100, IgnoreEndOfText = true, AlwaysShadow = true };

    public void Dispose()
    {
        _model.Dispose();
        _folder.Dispose();
    }

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

    // Every kind of end, of choice and of company, at odd shapes: what is said depends on none of the guesses.
    [Fact]
    public void Hundreds_of_random_cases_say_the_same_with_and_without()
    {
        var random = new Random64(20);
        for (int model = 0; model < 10; model++)
        {
            using Gpt2Model tiny = Tiny(random);
            for (int i = 0; i < 30; i++) Compare(tiny, random);
        }
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
        int first = Worthwhile(shadow);
        shadow.Learn(guessed: 8, right: 8);
        Assert.InRange(Worthwhile(shadow), first + 1, Shadow.MaxGuesses);
        for (int i = 0; i < 30; i++) shadow.Learn(guessed: 1, right: 0);
        Assert.Equal(0, Worthwhile(shadow));
    }

    [Fact]
    public void The_first_wrong_guesses_end_it_sooner_than_later_ones()
    {
        using Shadow young = NewShadow(), old = NewShadow();
        old.Learn(guessed: 8, right: 8);
        Assert.InRange(WrongUntilItEnds(young), 1, 3);
        Assert.InRange(WrongUntilItEnds(old), 5, 10);
    }

    [Fact]
    public void The_more_texts_are_read_together_the_less_is_guessed()
    {
        using Shadow shadow = NewShadow();
        for (int i = 0; i < 30; i++) shadow.Learn(guessed: 8, right: 8);
        int[] lengths = [.. Enumerable.Range(1, 12).Select(texts => Worthwhile(shadow, texts))];
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
        for (int i = 0; i < 10; i++) shadow.Learn(rows: 1, seconds: 0.020);
        Assert.Equal(0, Worthwhile(shadow));
        for (int i = 0; i < 200 && Worthwhile(shadow) == 0; i++) shadow.Recover();
        Assert.True(Worthwhile(shadow) > 0);
        int dear = WorthwhileWhenRight(shadow);
        for (int i = 0; i < 10; i++) shadow.Learn(rows: 1, seconds: 0.001);
        Assert.True(WorthwhileWhenRight(shadow) >= dear);
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

    private static void Compare(Gpt2Model model, Random64 random)
    {
        string[] prompts = [.. Enumerable.Range(0, Below(random, 4) + 1).Select(_ => Prompt(random))];
        GenerationOptions options = new()
        {
            MaxTokens = Below(random, 40),
            Temperature = Below(random, 2) == 0 ? 0 : 0.5f + (Below(random, 10) / 10f),
            TopK = Below(random, 3) * 20,
            TopP = Below(random, 2) == 0 ? 1 : 0.9f,
            Seed = (long)random.Next(),
            Overflow = (ContextOverflow)Below(random, 2),
            IgnoreEndOfText = Below(random, 2) == 0,
            RepetitionPenalty = Below(random, 4) == 0 ? 1.3f : 1,
            NoRepeatNgramSize = Below(random, 4) == 0 ? 2 : 0,
            Stop = Below(random, 3) == 0 ? ["a"] : [],
            Count = Below(random, 3) == 0 ? 2 : 1,
            Threads = Below(random, 2) + 1,
            AlwaysShadow = true,
            Resident = Below(random, 2) == 0,
        };
        if (options.Temperature == 0) options = options with { TopK = 0, TopP = 1, Count = 1 };
        Assert.Equal(Run(model, prompts, options with { Speculation = false, Resident = false }), Run(model, prompts, options));
    }

    private static List<string> Run(Gpt2Model model, string[] prompts, GenerationOptions options)
    {
        using var batch = new BatchGenerator(model, options, 3);
        foreach (string prompt in prompts) batch.Add(prompt);
        List<string> said = [];
        while (!batch.IsEmpty) said.AddRange(batch.Advance(Cancellation).Select(text => $"{string.Join(' ', text.Ids)} {text.FinishReason} {text.Text}"));
        return said;
    }

    private static int Below(Random64 random, int end) => (int)(random.Next() % (ulong)end);

    private static string Prompt(Random64 random) => new([.. Enumerable.Range(0, Below(random, 20) + 1).Select(_ => (char)('a' + Below(random, 3)))]);

    private Gpt2Model Tiny(Random64 random)
    {
        int heads = Below(random, 3) + 1;
        string path = Path.Combine(_folder.Path, random.Next().ToString("x"));
        RandomModel.Write(path, new Gpt2HyperParameters(257 + Below(random, 60), 24 + Below(random, 60), heads * (1 + Below(random, 13)), heads, 1 + Below(random, 2)), random.Next());
        return Gpt2Model.Open(path);
    }

    private Shadow NewShadow(PassCost? pass = null) =>
        new(new Gpt2Forward(_model.WithPrecision(Gpt2Precision.Int8), 1, Kernels.Best), pass ?? new PassCost(), usualCost: 0.35);
}
