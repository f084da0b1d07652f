using PicoGpt.Adapters;
using PicoGpt.Architecture;
using PicoGpt.Numerics;
using PicoGpt.Training;
using PicoGpt.Weights;
using Xunit;

namespace PicoGpt.Tests.Training;

/// <summary>The gradients of low-rank adapters against those that follow from the plain loops' gradient of the sum <c>w + scale · aᵀ·b</c>.</summary>
public sealed class AdapterGradientTests
{
    private const int Length = 11;

    private static readonly int[] Ids = [.. Enumerable.Range(0, 2 * Length).Select(i => (i * 37) % 200)];
    private static readonly int[] Targets = [.. Ids.Select(id => (id * 5) % 257)];

    [Theory]
    [InlineData(3, true)]
    [InlineData(1, false)]
    [InlineData(20, true)]
    public void The_gradients_of_an_adapter_are_those_of_the_plain_loops(int rank, bool bias)
    {
        using Gpt2Model model = NewModel(bias);
        using LowRankAdapter adapter = NewAdapter(model, rank);
        var plain = new PlainBackward(model.HyperParameters, Merged(model, adapter));
        double loss = plain.Add(Ids[..Length], Targets[..Length], 1.0 / Ids.Length) + plain.Add(Ids[Length..], Targets[Length..], 1.0 / Ids.Length);
        using Gpt2Backward backward = Run(model, adapter, 2, Kernels.Best, recomputes: false, out double actual);
        Assert.Equal(loss, actual, 1e-5 * loss);
        Dictionary<string, double[]> gradients = model.Parameters.Zip(plain.Gradients).ToDictionary(pair => pair.First.Name, pair => pair.Second);
        Assert.Equal(7, adapter.Pairs.Count); // of eight projections one is frozen
        foreach (((Gpt2Leaf leaf, LowRankPair pair), (_, LowRankPair gradient)) in adapter.Pairs.Zip(backward.AdapterGradients!.Pairs))
        {
            double[] dw = gradients[leaf.Name], a = Doubles(pair.A), b = Doubles(pair.B);
            int nIn = leaf.Shape[0], nOut = leaf.Shape[1];
            double[] da = new double[a.Length], db = new double[b.Length];
            for (int k = 0; k < rank; k++)
            {
                for (int i = 0; i < nIn; i++)
                {
                    for (int o = 0; o < nOut; o++)
                    {
                        da[(k * nIn) + i] += pair.Scale * b[(k * nOut) + o] * dw[(i * nOut) + o];
                        db[(k * nOut) + o] += pair.Scale * a[(k * nIn) + i] * dw[(i * nOut) + o];
                    }
                }
            }

            AssertNear(da, gradient.A, $"{leaf.Name} A");
            AssertNear(db, gradient.B, $"{leaf.Name} B");
        }

        Assert.All(backward.Gradients.Tree, leaf => Assert.Equal(0, leaf.Rows));
    }

    [Fact]
    public void The_gradients_of_an_adapter_are_the_same_bits_whatever_threads_width_and_recomputation()
    {
        using Gpt2Model model = NewModel(bias: true);
        using LowRankAdapter adapter = NewAdapter(model, rank: 3);
        float[] expected = Gradients(1, new PlainKernels(), recomputes: false);
        Assert.All(Kernels.All, kernels => Assert.Equal(expected, Gradients(2, kernels, recomputes: false)));
        Assert.Equal(expected, Gradients(3, Kernels.Best, recomputes: true));

        float[] Gradients(int threads, Kernels kernels, bool recomputes)
        {
            using Gpt2Backward backward = Run(model, adapter, threads, kernels, recomputes, out double loss);
            return [(float)loss, .. backward.AdapterGradients!.Matrices.SelectMany(matrix => matrix.Values.ToArray())];
        }
    }

    [Fact]
    public void A_new_adapter_changes_nothing_and_a_seed_tells_it()
    {
        using Gpt2Model model = NewModel(bias: true);
        using LowRankAdapter one = new(model.HyperParameters, 4, 8, _ => true), same = one.OfSameShape(), other = one.OfSameShape();
        one.Initialize(5);
        same.Initialize(5);
        other.Initialize(6);
        float[] a = Floats(one, pair => pair.A);
        Assert.Equal(a, Floats(same, pair => pair.A));
        Assert.NotEqual(a, Floats(other, pair => pair.A));
        Assert.All(Floats(one, pair => pair.B), value => Assert.Equal(0, value));
        float[] wide = one.Tree.Blocks[0].Mlp.CProj.W.A.Values.ToArray(); // [4, 84]
        Assert.InRange(wide.Sum(v => v * v) / wide.Length * 84, 0.8, 1.2);
        using Gpt2Backward plain = new(model, 2, Length, 2, Kernels.Best, recomputes: false);
        double expected = plain.Run(Ids, Targets, Length, 1f, TestContext.Current.CancellationToken);
        using Gpt2Backward adapted = Run(model, one, 2, Kernels.Best, recomputes: false, out double loss);
        Assert.Equal(expected, loss);
    }

    private static float[] Floats(LowRankAdapter adapter, Func<LowRankPair, Matrix> of) => [.. adapter.Pairs.SelectMany(pair => of(pair.Pair).Values.ToArray())];

    private static Gpt2Backward Run(Gpt2Model model, LowRankAdapter adapter, int threads, Kernels kernels, bool recomputes, out double loss)
    {
        var backward = new Gpt2Backward(model.WithAdapter(adapter), texts: 2, Length, threads, kernels, recomputes);
        loss = backward.Run(Ids, Targets, Length, 1f / Ids.Length, TestContext.Current.CancellationToken);
        return backward;
    }

    private static void AssertNear(double[] expected, Matrix actual, string name)
    {
        double greatest = expected.Max(Math.Abs), off = expected.Zip(Doubles(actual), (x, y) => Math.Abs(x - y)).Max();
        Assert.True(greatest > 0, $"{name} has no gradient");
        Assert.True(off <= 3e-5 * greatest, $"a value of {name} is off by {off}, of {greatest}");
    }

    private static Gpt2Tree<double[]> Merged(Gpt2Model model, LowRankAdapter adapter)
    {
        Gpt2Tree<double[]> weights = PlainBackward.ValuesOf(model);
        foreach (((string name, double[] w), LowRankPair pair) in model.Parameters.Select(weight => weight.Name).Zip(weights).Zip(adapter.Tree))
        {
            if (!pair.IsThere) continue;
            Assert.EndsWith("/w", name, StringComparison.Ordinal);
            double[] a = Doubles(pair.A), b = Doubles(pair.B);
            int nIn = pair.A.Columns, nOut = pair.B.Columns;
            for (int k = 0; k < adapter.Rank; k++)
            {
                for (int i = 0; i < nIn; i++)
                {
                    for (int o = 0; o < nOut; o++) w[(i * nOut) + o] += pair.Scale * a[(k * nIn) + i] * b[(k * nOut) + o];
                }
            }
        }

        return weights;
    }

    private static double[] Doubles(Matrix matrix) => [.. matrix.Values.ToArray().Select(v => (double)v)];

    private static LowRankAdapter NewAdapter(Gpt2Model model, int rank)
    {
        var adapter = new LowRankAdapter(model.HyperParameters, rank, 2.5 * rank, name => name != "h1/attn/c_proj/w");
        adapter.Initialize(3);
        var random = new Random64(9);
        foreach ((_, LowRankPair pair) in adapter.Pairs)
        {
            foreach (ref float value in pair.B.Values) value = ((float)random.NextDouble() - 0.5f) / 8;
        }

        return adapter;
    }

    private static Gpt2Model NewModel(bool bias)
    {
        Gpt2HyperParameters h = Shapes.Odd with { Bias = bias };
        using TemporaryFolder folder = RandomModel.InFolder(h);
        File.WriteAllBytes(folder.File(HuggingFaceConfig.FileName), HuggingFaceConfig.Format(h, _ => { }, "float32"));
        using Gpt2Model opened = Gpt2Model.Open(folder.Path);
        Gpt2Model model = opened.Clone();
        var random = new Random64(7);
        foreach (Gpt2Weight weight in model.Parameters)
        {
            float middle = weight.Leaf.Kind == Gpt2LeafKind.Gain ? 1 : 0;
            weight.SetValues([.. Enumerable.Range(0, (int)weight.Count).Select(_ => middle + (((float)random.NextDouble() - 0.5f) / 4))]);
        }

        return model;
    }
}
