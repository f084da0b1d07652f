using System.Runtime.InteropServices;
using System.Security.Cryptography;
using PicoGpt.Adapters;
using PicoGpt.Numerics;
using PicoGpt.Training;
using Xunit;

namespace PicoGpt.Tests.Training;

public sealed class TrainerTests
{
    private static readonly int[] Tokens = [.. Enumerable.Range(0, 600).Select(i => (i * i) % 41)];

    [Fact]
    public void Losses_and_weights_are_the_same_bits_whatever_threads_width_and_recomputation()
    {
        var options = new TrainingOptions { Steps = 4, BatchSize = 4, ContextLength = 70, LearningRate = 1e-2, WarmupSteps = 1, Threads = 1 };
        string expected = Train(options, new PlainKernels());
        Assert.All(Kernels.All, kernels => Assert.Equal(expected, Train(options, kernels)));
        Assert.Equal(expected, Train(options with { Threads = 3 }, Kernels.Best));
        Assert.Equal(expected, Train(options with { LowMemory = true, Threads = 2 }, Kernels.Best));
        Assert.NotEqual(expected, Train(options with { Seed = 2 }, Kernels.Best));
    }

    [Fact]
    public void The_loss_of_a_text_that_repeats_falls()
    {
        using Gpt2Model model = NewModel();
        using var trainer = new Trainer(model, Tokens, new TrainingOptions { Steps = 30, BatchSize = 2, ContextLength = 32, LearningRate = 3e-3, ValidationShare = 0.2 });
        double before = trainer.Evaluate(TestContext.Current.CancellationToken)!.Value;
        for (int i = 0; i < 30; i++) trainer.Next(TestContext.Current.CancellationToken);
        double after = trainer.Evaluate(TestContext.Current.CancellationToken)!.Value;
        Assert.InRange(before, 5, 6.5);
        Assert.True(after < before - 1.5, $"{before} -> {after}");
    }

    [Fact]
    public void Frozen_weights_stay_as_they_are_and_others_do_not()
    {
        using Gpt2Model model = NewModel();
        float[] wte = model.Parameters.Wte.ToArray(), gain = model.Parameters.LnF.G.ToArray();
        using var trainer = new Trainer(model, Tokens, new TrainingOptions { BatchSize = 1, ContextLength = 16 }, name => name == "wte");
        trainer.Next(TestContext.Current.CancellationToken);
        Assert.Equal(wte, model.Parameters.Wte.ToArray());
        Assert.NotEqual(gain, model.Parameters.LnF.G.ToArray());
    }

    [Fact]
    public void A_weight_that_is_not_a_number_is_not_blamed_on_the_learning_rate()
    {
        using Gpt2Model model = NewModel();
        float[] gain = model.Parameters.LnF.G.ToArray();
        gain[3] = float.NaN;
        model.Parameters.LnF.G.SetValues(gain);
        using var trainer = new Trainer(model, Tokens, new TrainingOptions { BatchSize = 1, ContextLength = 16 });
        Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() => trainer.Next(TestContext.Current.CancellationToken));
        Assert.Equal(Gpt2Error.NotFinite, fault.Error);
        Assert.Contains("is infinite or not a number: its weight ln_f/g holds such values, 1 of ", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_learning_rate_that_makes_the_loss_explode_is_told_before_a_weight_is_lost()
    {
        using Gpt2Model model = NewModel();
        using var trainer = new Trainer(model, Tokens, new TrainingOptions { BatchSize = 1, ContextLength = 16, LearningRate = 1e30, WarmupSteps = 0, WeightDecay = 0 });
        var fault = Assert.Throws<Gpt2Exception>(() =>
        {
            for (int i = 0; i < 50; i++) trainer.Next(TestContext.Current.CancellationToken);
        });
        Assert.Contains("smaller", fault.Message, StringComparison.Ordinal);
        Assert.All(model.Parameters.Wte.ToArray(), value => Assert.True(float.IsFinite(value)));
    }

    [Fact]
    public void A_cancelled_step_changes_nothing()
    {
        using Gpt2Model model = NewModel();
        float[] wte = model.Parameters.Wte.ToArray();
        using var trainer = new Trainer(model, Tokens, new TrainingOptions { BatchSize = 1, ContextLength = 16 });
        Assert.Throws<OperationCanceledException>(() => trainer.Next(new CancellationToken(canceled: true)));
        Assert.Equal(wte, model.Parameters.Wte.ToArray());
        Assert.Equal(0, trainer.Step);
    }

    [Fact]
    public void What_is_hopeless_is_refused_in_a_sentence()
    {
        using Gpt2Model model = NewModel();
        Assert.Contains("too few", Refusal(model, Tokens[..10], new TrainingOptions { ContextLength = 32 }), StringComparison.Ordinal);
        Assert.Contains("context has 80", Refusal(model, Tokens, new TrainingOptions { ContextLength = 81 }), StringComparison.Ordinal);
        Assert.Contains("learning rate", Refusal(model, Tokens, new TrainingOptions { LearningRate = double.NaN }), StringComparison.Ordinal);
        Assert.Contains("vocabulary", Refusal(model, [.. Tokens, 300], new TrainingOptions { ContextLength = 16 }), StringComparison.Ordinal);
    }

    public static TheoryData<TrainingOptions, string> ImpossibleOptions => new()
    {
        { new TrainingOptions { Steps = 0 }, "0 steps" },
        { new TrainingOptions { BatchSize = 0 }, "batch of 0" },
        { new TrainingOptions { BatchSize = 1025 }, "batch of 1025" },
        { new TrainingOptions { GradientAccumulation = 0 }, "gradients of 0" },
        { new TrainingOptions { GradientAccumulation = 65537 }, "gradients of 65537" },
        { new TrainingOptions { BatchSize = 1024, GradientAccumulation = 65536, ContextLength = 80 }, "5,368,709,120 tokens a step" },
        { new TrainingOptions { ContextLength = -1 }, "-1 tokens" },
        { new TrainingOptions { LearningRate = 0 }, "learning rate of 0" },
        { new TrainingOptions { LearningRate = double.PositiveInfinity }, "learning rate of Infinity" },
        { new TrainingOptions { WarmupSteps = -1 }, "-1 steps of warm-up" },
        { new TrainingOptions { WeightDecay = -0.5 }, "weight decay of -0.5" },
        { new TrainingOptions { WeightDecay = 10, LearningRate = 0.1 }, "weight decay of 10" },
        { new TrainingOptions { Beta1 = 1 }, "Betas of 1 and" },
        { new TrainingOptions { Beta2 = -0.5 }, "and -0.5" },
        { new TrainingOptions { Epsilon = 0 }, "epsilon of 0" },
        { new TrainingOptions { ClipNorm = -1 }, "norm of at most -1" },
        { new TrainingOptions { ValidationShare = 1 }, "validation share of 1" },
        { new TrainingOptions { Rank = -1 }, "rank of -1" },
        { new TrainingOptions { Rank = 4097 }, "rank of 4097" },
        { new TrainingOptions { Alpha = 8 }, "alpha of 8" },
        { new TrainingOptions { Rank = 4, Alpha = -1 }, "alpha of -1" },
    };

    [Theory]
    [MemberData(nameof(ImpossibleOptions), DisableDiscoveryEnumeration = true)]
    public void Each_option_that_is_out_of_its_range_is_named_with_its_value(TrainingOptions options, string part)
    {
        using Gpt2Model model = NewModel();
        Assert.Contains(part, Refusal(model, Tokens, options), StringComparison.Ordinal);
    }

    // Of one thread, which does the others' shares too.
    [Theory]
    [InlineData(0, false, 1)]
    [InlineData(0, true, 1)]
    [InlineData(0, false, 2)]
    [InlineData(4, false, 1)]
    public void A_step_after_the_first_allocates_nothing_but_the_object_that_it_returns(int rank, bool lowMemory, int accumulation)
    {
        var options = new TrainingOptions
        {
            BatchSize = 2,
            ContextLength = 16,
            Rank = rank,
            LowMemory = lowMemory,
            GradientAccumulation = accumulation,
            ValidationShare = 0,
            Threads = 1,
        };
        using Gpt2Model model = NewModel();
        using LowRankAdapter? adapter = rank > 0 ? new LowRankAdapter(model.HyperParameters, rank, rank, _ => true) : null;
        using Gpt2Model trained = adapter is null ? model.Clone() : model.WithAdapter(adapter);
        using var trainer = new Trainer(trained, Tokens, options);
        Gpt2TrainingStep step = trainer.Next(TestContext.Current.CancellationToken);
        long ofSteps = Steps * Allocated(1, () => GC.KeepAlive(step with { Loss = 1 }));
        Assert.Equal(ofSteps, Allocated(Steps, () => trainer.Next(CancellationToken.None)));
    }

    private const int Steps = 25; // more than an epoch

    // What a collection by another thread's doing leaves unused of this thread's share counts as allocated; ten times running is not chance.
    private static long Allocated(int times, Action action)
    {
        action();
        return Enumerable.Range(0, 10).Min(_ =>
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            for (int i = 0; i < times; i++) action();
            return GC.GetAllocatedBytesForCurrentThread() - before;
        });
    }

    private static string Refusal(Gpt2Model model, int[] tokens, TrainingOptions options) =>
        Assert.Throws<Gpt2Exception>(() => new Trainer(model, tokens, options).Dispose()).Message;

    private static string Train(TrainingOptions options, Kernels kernels)
    {
        using Gpt2Model model = NewModel();
        using var trainer = new Trainer(model, Tokens, options, null, kernels);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        for (int i = 0; i < options.Steps; i++)
        {
            Gpt2TrainingStep step = trainer.Next(TestContext.Current.CancellationToken);
            hash.AppendData(BitConverter.GetBytes(step.Loss));
            hash.AppendData(BitConverter.GetBytes(step.GradientNorm));
        }

        foreach (var weight in model.Parameters) hash.AppendData(MemoryMarshal.AsBytes(weight.Values.Span));
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static Gpt2Model NewModel()
    {
        using TemporaryFolder folder = RandomModel.InFolder(Shapes.Odd);
        using Gpt2Model opened = Gpt2Model.Open(folder.Path);
        return opened.Clone();
    }
}
