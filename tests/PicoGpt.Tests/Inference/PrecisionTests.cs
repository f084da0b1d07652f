using PicoGpt.Architecture;
using PicoGpt.Inference;
using PicoGpt.Numerics;
using Xunit;

namespace PicoGpt.Tests.Inference;

public sealed class PrecisionTests
{
    private static readonly int[] Prompt = [.. Enumerable.Range(0, 70).Select(i => (i * 37) % 2048)];

    public static TheoryData<Gpt2Precision> Reduced => [Gpt2Precision.Float16, Gpt2Precision.BFloat16, Gpt2Precision.Int8, Gpt2Precision.Int4];

    [Theory]
    [InlineData(Gpt2Precision.Float16, 0.001)]
    [InlineData(Gpt2Precision.BFloat16, 0.008)]
    [InlineData(Gpt2Precision.Int8, 0.024)]
    [InlineData(Gpt2Precision.Int4, 0.25)]
    public void Logits_stay_close_to_those_of_float32(Gpt2Precision precision, double tolerance)
    {
        using TemporaryFolder folder = RandomModel.InFolder(new Gpt2HyperParameters(1000, 64, 128, 2, 4));
        using Gpt2Model random = Gpt2Model.Open(folder.Path);
        int[] ids = [.. Prompt.Take(60).Select(id => id % 1000)];
        Assert.InRange(RelativeError(Logits(random, ids), Logits(random.WithPrecision(precision), ids)), 0, tolerance);
    }

    [Theory]
    [MemberData(nameof(Reduced))]
    public void Every_vector_width_thread_count_and_portion_gives_the_same_bits(Gpt2Precision precision)
    {
        float[] expected = Read(precision, Kernels.Choose("plain"), threads: 1, Prompt.Length);
        foreach (Kernels kernels in Kernels.All)
        {
            Assert.Equal(expected, Read(precision, kernels, threads: 2, Prompt.Length));
            Assert.Equal(expected, Read(precision, kernels, threads: 3, portion: 1));
            Assert.Equal(expected, Read(precision, kernels, threads: 1, portion: 4));
            Assert.Equal(expected, Read(precision, kernels, threads: 1, portion: 33));
        }
    }

    [Theory]
    [MemberData(nameof(Reduced))]
    public void A_batch_and_speculation_change_nothing(Gpt2Precision precision)
    {
        using Gpt2Model owner = BuiltInModel.Open();
        Gpt2Model model = owner.WithPrecision(precision);
        string[] prompts = ["Once upon a time", "The king", "Once upon a hill", "And so, and so, and so, and"];
        string[] alone = [.. prompts.Select(prompt => TextGeneration.Run(model, prompt, new GenerationOptions { Speculation = false }).Text)];
        Assert.Equal(alone, prompts.Select(prompt => TextGeneration.Run(model, prompt).Text));
        using var batch = new BatchGenerator(model, batchSize: 3);
        List<string> together = [];
        foreach (string prompt in prompts)
        {
            while (batch.IsFull) together.AddRange(batch.Advance().Select(completion => completion.Text));
            batch.Add(prompt);
        }

        while (!batch.IsEmpty) together.AddRange(batch.Advance().Select(completion => completion.Text));
        Assert.Equal(alone, together);
    }

    private static float[] Read(Gpt2Precision precision, Kernels kernels, int threads, int portion)
    {
        using Gpt2Model model = BuiltInModel.Open();
        using var context = new Gpt2Context(model.WithPrecision(precision), threads, kernels);
        ReadOnlySpan<float> logits = default;
        foreach (int[] part in Prompt.Chunk(portion)) logits = context.Forward(part);
        return logits.ToArray();
    }

    private static float[] Logits(Gpt2Model model, int[] ids)
    {
        using var context = new Gpt2Context(model);
        float[] logits = new float[ids.Length * model.HyperParameters.NVocab];
        context.Forward(ids, logits);
        return logits;
    }

    private static double RelativeError(float[] expected, float[] actual) =>
        Math.Sqrt(expected.Zip(actual, (a, b) => Math.Pow(a - b, 2)).Sum() / expected.Sum(a => (double)a * a));
}
