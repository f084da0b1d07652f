using PicoGpt.Architecture;
using PicoGpt.Training;
using Xunit;

namespace PicoGpt.Tests.Training;

public sealed class TrainingMemoryTests
{
    private static readonly Gpt2HyperParameters Small = new(NVocab: 50257, NCtx: 1024, NEmbd: 768, NHead: 12, NLayer: 12);

    [Fact]
    public void A_parameter_takes_sixteen_bytes_and_activations_come_beside()
    {
        TrainingMemory need = TrainingMemory.Of(Small, new TrainingOptions());
        Assert.Equal(16 * Small.ParameterCount, need.Weights + need.Gradients + need.Moments);
        Assert.InRange(need.Activations, 750L << 20, 850L << 20); // 1,024 rows of 12 layers, and 64 rows of logits twice
        Assert.InRange(TrainingMemory.Of(Small, new TrainingOptions { LowMemory = true }).Activations, 100L << 20, 350L << 20);
        Assert.Matches(@"^2\.\d GiB of memory \(474\.7 MiB weights, 474\.7 MiB gradients, 949\.4 MiB moments, .* activations\)$", need.ToString());
    }

    [Fact]
    public void Where_it_does_not_suffice_a_sentence_tells_all_numbers_and_what_would_do()
    {
        TrainingMemory need = TrainingMemory.Of(Small, new TrainingOptions()), low = TrainingMemory.Of(Small, new TrainingOptions { LowMemory = true });
        need.Require("124M", low, need.Total);
        Assert.Contains("only 2.3 GiB are free; with the blocks computed again it takes", Fault(2_400L << 20), StringComparison.Ordinal);
        Assert.Contains("take shorter texts, or fewer of them together", Fault(1_950L << 20), StringComparison.Ordinal);
        Assert.Contains("take a smaller model", Fault(1L << 30), StringComparison.Ordinal);

        string Fault(long free)
        {
            Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() => need.Require("124M", low, free));
            Assert.Equal(Gpt2Error.InsufficientMemory, fault.Error);
            Assert.StartsWith("Training 124M takes ", fault.Message, StringComparison.Ordinal);
            return fault.Message;
        }
    }
}
