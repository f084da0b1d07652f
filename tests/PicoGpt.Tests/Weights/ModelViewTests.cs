using PicoGpt.Inference;
using Xunit;

namespace PicoGpt.Tests.Weights;

/// <summary>Whose life ends with whose: a model's, its views', its clones'.</summary>
public sealed class ModelViewTests
{
    private static readonly GenerationOptions Eight = new() { MaxTokens = 8, Threads = 1 };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(Gpt2Precision.Float32)]
    [InlineData(Gpt2Precision.Int8)]
    public void Disposing_of_a_view_leaves_the_model_and_its_views_as_they_are(Gpt2Precision precision)
    {
        using Gpt2Model model = BuiltInModel.Open();
        Gpt2Model kept = model.WithPrecision(precision), disposed = model.WithPrecision(precision);
        string expected = Say(disposed);
        disposed.Dispose();
        disposed.WithPrecision(Gpt2Precision.Float32).Dispose();
        model.WithPrecision(model.Precision).Dispose();
        Assert.Equal(expected, Say(kept));
        Assert.Equal(expected, Say(model.WithPrecision(precision)));
        Assert.Equal(expected, Say(disposed));
        Assert.NotEmpty(Say(model));
    }

    [Fact]
    public void Closing_a_model_closes_every_view_of_it_and_no_clone()
    {
        Gpt2Model model = BuiltInModel.Open();
        Gpt2Model used = model.WithPrecision(Gpt2Precision.Int8), unused = model.WithPrecision(Gpt2Precision.Int4), exact = used.WithPrecision(Gpt2Precision.Float32);
        using Gpt2Model clone = exact.Clone();
        string expected = Say(exact);
        used.Prepare(cancellationToken: Cancellation);
        model.Dispose();
        model.Dispose();
        foreach (Gpt2Model closed in (Gpt2Model[])[model, used, unused, exact, model.WithPrecision(Gpt2Precision.Float16)])
        {
            Assert.Throws<ObjectDisposedException>(() => new Gpt2Context(closed));
            Assert.Throws<ObjectDisposedException>(() => closed.Clone());
        }

        Assert.Throws<ObjectDisposedException>(() => unused.Prepare(cancellationToken: Cancellation));
        Assert.Equal(expected, Say(clone));
    }

    [Fact]
    public void A_model_opened_in_a_precision_has_views_of_the_others()
    {
        using Gpt2Model exact = BuiltInModel.Open(), packed = Gpt2Model.Open(exact.Path, precision: Gpt2Precision.Int4);
        Assert.Equal((Gpt2Precision.Int4, Gpt2Precision.Float32), (packed.Precision, packed.WithPrecision(Gpt2Precision.Float32).Precision));
        Assert.Equal(Say(exact), Say(packed.WithPrecision(Gpt2Precision.Float32)));
    }

    [Fact]
    public void Threads_that_ask_for_a_precision_at_once_share_one_conversion()
    {
        using Gpt2Model model = BuiltInModel.Open();
        object?[] packed = new object?[8];
        Parallel.For(0, packed.Length, i => packed[i] = model.WithPrecision(i % 2 == 0 ? Gpt2Precision.Int8 : Gpt2Precision.Float16).Pack(cancellationToken: Cancellation));
        for (int i = 0; i < packed.Length; i++) Assert.Same(packed[i % 2], packed[i]);
        Assert.NotSame(packed[0], packed[1]);
    }

    [Fact]
    public void Views_that_come_and_go_disturb_no_text_that_is_generated()
    {
        using Gpt2Model model = BuiltInModel.Open();
        Gpt2Precision[] precisions = Enum.GetValues<Gpt2Precision>();
        string[] expected = [.. precisions.Select(precision => Say(model.WithPrecision(precision)))];
        Parallel.For(0, 24, i =>
        {
            Gpt2Model view = model.WithPrecision(precisions[i % precisions.Length]);
            var generation = new TextGeneration(view, "Once", Eight);
            foreach (string _ in generation.Stream(Cancellation)) model.WithPrecision(view.Precision).Dispose();
            view.Dispose();
            Assert.Equal(expected[i % precisions.Length], generation.Completion.Text);
        });
    }

    [Fact]
    public async Task Closing_a_model_ends_a_conversion_that_is_under_way()
    {
        Gpt2Model model = BuiltInModel.Open();
        Task closing = Task.CompletedTask;
        var firstMatrix = new Moment(() =>
        {
            closing = Task.Run(model.Dispose, Cancellation);
            Assert.True(SpinWait.SpinUntil(() => IsClosed(model), TimeSpan.FromMinutes(1)));
        });
        Assert.Throws<ObjectDisposedException>(() => model.WithPrecision(Gpt2Precision.Int8).Prepare(firstMatrix, Cancellation));
        Assert.True(IsClosed(model));
        await closing;
    }

    [Fact]
    public void A_conversion_that_was_cancelled_is_begun_again_when_it_is_needed()
    {
        using Gpt2Model model = BuiltInModel.Open();
        using var cancellation = new CancellationTokenSource();
        Gpt2Model view = model.WithPrecision(Gpt2Precision.Int8);
        Assert.Throws<OperationCanceledException>(() => view.Prepare(new Moment(cancellation.Cancel), cancellation.Token));
        Assert.NotEmpty(Say(view));
    }

    private static string Say(Gpt2Model model) => TextGeneration.Run(model, "Once", Eight, Cancellation).Text;

    private static bool IsClosed(Gpt2Model model)
    {
        try
        {
            model.ThrowIfDisposed();
            return false;
        }
        catch (ObjectDisposedException)
        {
            return true;
        }
    }

    /// <summary>Does something when the first share of a work is done, at once.</summary>
    private sealed class Moment(Action action) : IProgress<double>
    {
        private Action? _action = action;

        public void Report(double value) => Interlocked.Exchange(ref _action, null)?.Invoke();
    }
}
