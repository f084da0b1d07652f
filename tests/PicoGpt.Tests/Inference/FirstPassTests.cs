using PicoGpt.Inference;
using Xunit;

namespace PicoGpt.Tests.Inference;

public sealed class FirstPassTests
{
    [Fact]
    public void A_model_that_is_closed_at_once_ends_what_was_begun_for_it()
    {
        using TemporaryFolder folder = RandomModel.InFolder(Shapes.Odd);
        for (int i = 0; i < 50; i++)
        {
            Gpt2Model model = Gpt2Model.Open(folder.Path);
            _ = FirstPass.Begin(model);
            _ = FirstPass.Begin(model);
            model.Dispose();
            _ = FirstPass.Begin(model);
            Assert.Throws<ObjectDisposedException>(() => new Gpt2Context(model));
        }
    }

    [Fact]
    public async Task It_tells_how_much_of_the_weights_is_read()
    {
        using TemporaryFolder folder = RandomModel.InFolder(Shapes.Odd);
        using var model = Gpt2Model.Open(folder.Path);
        Assert.Equal(0, FirstPass.ShareOf(model));
        _ = model.Parameters.Wte.Values;
        Assert.InRange(FirstPass.ShareOf(model), 0.01, 0.99);
        await FirstPass.Begin(model);
        Assert.Equal(1, FirstPass.ShareOf(model));
    }

    [Fact]
    public void Reading_ends_where_it_is_cancelled_and_can_begin_again()
    {
        using TemporaryFolder folder = RandomModel.InFolder(Shapes.Odd);
        using var model = Gpt2Model.Open(folder.Path);
        Assert.ThrowsAny<OperationCanceledException>(() => new PinnedParameters(model.Parameters, null, null, new CancellationToken(canceled: true)));
        Assert.Equal(0, FirstPass.ShareOf(model));
        using var context = new Gpt2Context(model);
        Assert.Equal(1, FirstPass.ShareOf(model));
    }

    [Fact]
    public void Its_fault_is_told_to_whoever_computes_with_the_model()
    {
        using TemporaryFolder folder = RandomModel.InFolder(Shapes.Odd);
        string data = Directory.EnumerateFiles(folder.Path, "*.data-*").Single();
        byte[] bytes = File.ReadAllBytes(data);
        bytes[^1] ^= 1;
        File.WriteAllBytes(data, bytes);
        using var model = Gpt2Model.Open(folder.Path);
        _ = FirstPass.Begin(model);
        Assert.Equal(Gpt2Error.ChecksumMismatch, Assert.Throws<Gpt2Exception>(() => new Gpt2Context(model)).Error);
        Assert.Equal(Gpt2Error.ChecksumMismatch, Assert.Throws<Gpt2Exception>(() => new Gpt2Context(model)).Error);
    }

    [Fact]
    public void Texts_are_the_same_with_it()
    {
        using TemporaryFolder folder = RandomModel.InFolder(Shapes.Odd);
        using var model = Gpt2Model.Open(folder.Path);
        using var context = new Gpt2Context(model, threads: 1);
        float[] expected = context.Forward([1, 2, 3], TestContext.Current.CancellationToken).ToArray();
        using var other = Gpt2Model.Open(folder.Path);
        _ = FirstPass.Begin(other);
        using var beside = new Gpt2Context(other, threads: 1);
        Assert.Equal(expected, beside.Forward([1, 2, 3], TestContext.Current.CancellationToken).ToArray());
    }

    [Theory]
    [InlineData(Gpt2Precision.Float32)]
    [InlineData(Gpt2Precision.Float16)]
    [InlineData(Gpt2Precision.BFloat16)]
    [InlineData(Gpt2Precision.Int8)]
    [InlineData(Gpt2Precision.Int4)]
    public void A_rehearsal_runs_to_its_end_in_every_precision(Gpt2Precision precision) => Assert.InRange(FirstPass.Run(precision), 0, 63);
}
