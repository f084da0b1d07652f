using PicoGpt.Architecture;
using PicoGpt.Numerics;
using PicoGpt.Training;
using PicoGpt.Weights;
using Xunit;

namespace PicoGpt.Tests.Training;

/// <summary>
/// The gradients of every weight against those of plain loops in double precision, and these against central differences: of every kind of
/// model that there is.
/// </summary>
public sealed class GradientTests
{
    // Two texts that are read together, and one after them; the last fills the context.
    private static readonly int[] FirstIds = [.. Enumerable.Range(0, 14).Select(i => (i * 37) % 200)];
    private static readonly int[] SecondIds = [.. Enumerable.Range(0, 16).Select(i => (i * i * 11) % 257)];
    private static readonly int Tokens = FirstIds.Length + SecondIds.Length;

    private static readonly Gpt2HyperParameters Odd = new(NVocab: 263, NCtx: 16, NEmbd: 21, NHead: 3, NLayer: 2);

    public static TheoryData<string> Shapes => [.. Models.Keys];

    private static Dictionary<string, Gpt2HyperParameters> Models { get; } = new()
    {
        ["odd heads"] = Odd,
        ["one layer, one head"] = new Gpt2HyperParameters(NVocab: 257, NCtx: 16, NEmbd: 16, NHead: 1, NLayer: 1),
        ["heads of one value"] = new Gpt2HyperParameters(NVocab: 260, NCtx: 16, NEmbd: 5, NHead: 5, NLayer: 1),
        ["no biases"] = Odd with { Bias = false },
        ["an output projection of its own"] = Odd with { TieWordEmbeddings = false },
        ["exact Gelu, a narrow network"] = Odd with { Activation = Gpt2Activation.Gelu, NInner = 50 },
        ["Relu"] = Odd with { Activation = Gpt2Activation.Relu },
        ["Silu, other scores"] = Odd with { Activation = Gpt2Activation.Silu, ScaleAttnWeights = false, ScaleAttnByInverseLayerIdx = true, LayerNormEpsilon = 0.003 },
    };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void The_gradients_of_the_plain_loops_agree_with_central_differences(string shape)
    {
        const double Step = 1e-6;
        using Gpt2Model model = NewModel(Models[shape]);
        Gpt2Tree<double[]> weights = PlainBackward.ValuesOf(model);
        var plain = new PlainBackward(Models[shape], weights);
        AddTexts((ids, targets) => plain.Add(ids, targets, 1));
        foreach ((Gpt2Weight weight, (double[] values, double[] gradient)) in model.Parameters.Zip(weights.Zip(plain.Gradients)))
        {
            int greatest = Array.IndexOf(gradient, gradient.MaxBy(Math.Abs));
            foreach (Func<int, int> direction in (Func<int, int>[])[i => i == greatest ? 1 : 0, i => ((i * 2654435761L) >> 7) % 2 == 0 ? 1 : -1])
            {
                double slope = (Moved(values, direction, Step, Loss) - Moved(values, direction, -Step, Loss)) / (2 * Step);
                double expected = gradient.Select((v, i) => v * direction(i)).Sum(), size = Math.Sqrt(gradient.Sum(v => v * v));
                Assert.True(Math.Abs(slope - expected) < 1e-5 * (size + 1), $"{shape}: {weight.Name} has a slope of {expected}, by differences {slope}");
            }
        }

        double Loss()
        {
            double sum = 0;
            AddTexts((ids, targets) => sum += plain.Loss(ids, targets));
            return sum;
        }
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void The_gradient_of_every_weight_is_that_of_the_plain_loops(string shape)
    {
        using Gpt2Model model = NewModel(Models[shape]);
        var plain = new PlainBackward(Models[shape], PlainBackward.ValuesOf(model));
        double expected = 0;
        AddTexts((ids, targets) => expected += plain.Add(ids, targets, 1.0 / Tokens));
        using Gpt2Backward backward = Backward(model, threads: 2, Kernels.Best, recomputes: false);
        Assert.Equal(expected, Run(backward), 1e-5 * expected);
        foreach ((Gpt2Weight weight, (double[] right, Matrix gradient)) in model.Parameters.Zip(plain.Gradients.Zip(backward.Gradients.Tree)))
        {
            float[] actual = gradient.Values.ToArray();
            double greatest = right.Max(Math.Abs), off = right.Zip(actual, (a, b) => Math.Abs(a - b)).Max();
            Assert.Equal(right.Length, actual.Length);
            Assert.True(greatest > 0, $"{weight.Name} has no gradient");
            Assert.True(off <= 2e-5 * greatest, $"{shape}: a value of {weight.Name} is off by {off}, of {greatest}");
        }
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void The_gradients_are_the_same_bits_whatever_threads_width_and_recomputation(string shape)
    {
        using Gpt2Model model = NewModel(Models[shape]);
        float[] expected = Gradients(model, threads: 1, new PlainKernels(), recomputes: false);
        Assert.All(Kernels.All, kernels => Assert.Equal(expected, Gradients(model, threads: 2, kernels, recomputes: false)));
        Assert.Equal(expected, Gradients(model, threads: 3, Kernels.Best, recomputes: true));
    }

    private static float[] Gradients(Gpt2Model model, int threads, Kernels kernels, bool recomputes)
    {
        using Gpt2Backward backward = Backward(model, threads, kernels, recomputes);
        double loss = Run(backward);
        return [(float)loss, .. backward.Gradients.Tree.SelectMany(gradient => gradient.Values.ToArray())];
    }

    private static Gpt2Backward Backward(Gpt2Model model, int threads, Kernels kernels, bool recomputes) =>
        new(model, texts: 2, length: SecondIds.Length, threads, kernels, recomputes);

    private static double Run(Gpt2Backward backward) => Run(backward, FirstIds, FirstIds.Length / 2) + Run(backward, SecondIds, SecondIds.Length);

    private static double Run(Gpt2Backward backward, int[] ids, int length) =>
        backward.Run(ids, TargetsOf(ids), length, 1f / Tokens, TestContext.Current.CancellationToken);

    private static void AddTexts(Action<int[], int[]> add)
    {
        int half = FirstIds.Length / 2;
        add(FirstIds[..half], TargetsOf(FirstIds)[..half]);
        add(FirstIds[half..], TargetsOf(FirstIds)[half..]);
        add(SecondIds, TargetsOf(SecondIds));
    }

    private static int[] TargetsOf(int[] ids) => [.. ids.Select(id => (id * 5) % 257)];

    private static double Moved(double[] values, Func<int, int> direction, double step, Func<double> loss)
    {
        double[] before = [.. values];
        for (int i = 0; i < values.Length; i++) values[i] += step * direction(i);
        double result = loss();
        before.CopyTo(values, 0);
        return result;
    }

    private static Gpt2Model NewModel(Gpt2HyperParameters h)
    {
        using TemporaryFolder folder = RandomModel.InFolder(h);
        File.WriteAllBytes(folder.File(HuggingFaceConfig.FileName), HuggingFaceConfig.Format(h, _ => { }, "float32"));
        using Gpt2Model opened = Gpt2Model.Open(folder.Path);
        Gpt2Model model = opened.Clone();
        Shake(model);
        return model;
    }

    // Values so great that attention looks somewhere, and biases that are not zero.
    private static void Shake(Gpt2Model model)
    {
        var random = new Random64(7);
        foreach (Gpt2Weight weight in model.Parameters)
        {
            float middle = weight.Leaf.Kind == Gpt2LeafKind.Gain ? 1 : 0;
            weight.SetValues([.. Enumerable.Range(0, (int)weight.Count).Select(_ => middle + ((float)random.NextDouble() - 0.5f) / 2)]);
        }
    }
}
