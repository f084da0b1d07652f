using PicoGpt.Architecture;
using PicoGpt.Numerics;
using PicoGpt.Tests.Inference;
using PicoGpt.Training;
using PicoGpt.Weights;
using Xunit;

namespace PicoGpt.Tests.Training;

/// <summary>The gradients of every weight against central differences of the plain forward pass in double precision.</summary>
public sealed class GradientTests
{
    public static TheoryData<string> Shapes => [.. Models.Keys];

    private static Dictionary<string, Gpt2HyperParameters> Models { get; } = new()
    {
        ["odd heads"] = new Gpt2HyperParameters(NVocab: 263, NCtx: 16, NEmbd: 21, NHead: 3, NLayer: 2),
        ["one layer, one head"] = new Gpt2HyperParameters(NVocab: 257, NCtx: 16, NEmbd: 16, NHead: 1, NLayer: 1),
    };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void The_gradient_of_every_weight_agrees_with_central_differences(string shape)
    {
        using TemporaryFolder folder = RandomModel.InFolder(Models[shape]);
        using Gpt2Model opened = Gpt2Model.Open(folder.Path);
        using Gpt2Model model = opened.Clone();
        Shake(model);
        const int Length = 7;
        int[] ids = [.. Enumerable.Range(0, 2 * Length).Select(i => (i * 37) % 200)], targets = [.. ids.Select(id => (id * 5) % 257)];
        using var backward = new Gpt2Backward(model, texts: 2, Length, threads: 2, Kernels.Best, recomputes: false);
        double loss = backward.Run(ids, targets, Length, 1f / ids.Length, TestContext.Current.CancellationToken) / ids.Length;
        Assert.Equal(Loss(model, ids, targets, Length), loss, 1e-5);

        foreach ((Gpt2Weight weight, Matrix gradient) in model.Parameters.Zip(backward.Gradients.Tree))
        {
            float[] values = weight.ToArray(), g = LeafMemory.Span(gradient).ToArray();
            int greatest = Array.IndexOf(g, g.MaxBy(Math.Abs));
            Assert.True(g[greatest] != 0, $"{weight.Name} has no gradient");
            foreach (Func<int, int> direction in (Func<int, int>[])[i => i == greatest ? 1 : 0, i => ((i * 2654435761L) >> 7) % 2 == 0 ? 1 : -1])
            {
                double expected = Slope(model, weight, values, direction, ids, targets, Length);
                double actual = g.Select((v, i) => (double)v * direction(i)).Sum();
                double size = Math.Sqrt(g.Sum(v => (double)v * v)) + 1e-3;
                Assert.True(Math.Abs(expected - actual) < 2e-3 * size, $"{shape}: {weight.Name} has a slope of {actual}, by differences {expected}");
            }

            weight.SetValues(values);
        }
    }

    private static double Slope(Gpt2Model model, Gpt2Weight weight, float[] values, Func<int, int> direction, int[] ids, int[] targets, int length)
    {
        const float Step = 1 / 4096f;
        weight.SetValues([.. values.Select((v, i) => v + (Step * direction(i)))]);
        double above = Loss(model, ids, targets, length);
        weight.SetValues([.. values.Select((v, i) => v - (Step * direction(i)))]);
        return (above - Loss(model, ids, targets, length)) / (2 * Step);
    }

    private static double Loss(Gpt2Model model, int[] ids, int[] targets, int length)
    {
        double sum = 0;
        for (int first = 0; first < ids.Length; first += length)
        {
            double[] logits = PlainForward.Logits(model, ids[first..(first + length)]);
            int vocabulary = logits.Length / length;
            for (int t = 0; t < length; t++)
            {
                double[] row = logits[(t * vocabulary)..((t + 1) * vocabulary)];
                sum += Math.Log(row.Sum(Math.Exp)) - row[targets[first + t]];
            }
        }

        return sum / ids.Length;
    }

    // Values so great that attention looks somewhere, and biases that are not zero; multiples of 1/4096, whose small changes are exact.
    private static void Shake(Gpt2Model model)
    {
        var random = new Random64(7);
        foreach (Gpt2Weight weight in model.Parameters)
        {
            float middle = weight.Leaf.Kind == Gpt2LeafKind.Gain ? 1 : 0;
            weight.SetValues([.. Enumerable.Range(0, (int)weight.Count).Select(_ => middle + ((float)Math.Round((random.NextDouble() - 0.5) * 2048) / 4096))]);
        }
    }
}
