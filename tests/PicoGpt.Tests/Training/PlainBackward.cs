using PicoGpt.Architecture;
using PicoGpt.Tests.Inference;
using PicoGpt.Tests.Numerics;

namespace PicoGpt.Tests.Training;

/// <summary>
/// Forward and backward pass as plain loops in double precision, each derivative written out: no blocks, no cache, no threads, nothing
/// computed twice. The oracle of the engine's gradients.
/// </summary>
/// <param name="h">The shape.</param>
/// <param name="weights">The weights, row-major.</param>
internal sealed class PlainBackward(Gpt2HyperParameters h, Gpt2Tree<double[]> weights)
{
    /// <summary>The gradients, which every text adds to.</summary>
    public Gpt2Tree<double[]> Gradients { get; } = weights.Map(values => new double[values?.Length ?? 0]);

    /// <summary>The weights of a model in double precision.</summary>
    public static Gpt2Tree<double[]> ValuesOf(Gpt2Model model) => model.Parameters.Map(weight => weight.ToArray().Select(v => (double)v).ToArray());

    /// <summary>The sum of a text's cross-entropies, in nats.</summary>
    public double Loss(int[] ids, int[] targets)
    {
        (double[][] normed, _, _) = Forward(ids);
        return normed.Select((row, t) => -Math.Log(Softmax(Logits(row))[targets[t]])).Sum();
    }

    /// <summary>Adds the gradient of a text's cross-entropies, each times a weight.</summary>
    /// <returns>Their sum, in nats.</returns>
    public double Add(int[] ids, int[] targets, double weight)
    {
        (double[][] normed, double[][] last, Block[] blocks) = Forward(ids);
        double loss = 0;
        double[][] dnormed = Zeros(ids.Length, h.NEmbd);
        for (int t = 0; t < ids.Length; t++)
        {
            double[] p = Softmax(Logits(normed[t]));
            loss -= Math.Log(p[targets[t]]);
            for (int v = 0; v < h.NVocab; v++)
            {
                double dlogit = (p[v] - (v == targets[t] ? 1 : 0)) * weight;
                for (int i = 0; i < h.NEmbd; i++)
                {
                    dnormed[t][i] += dlogit * weights.LmHead[(v * h.NEmbd) + i];
                    Gradients.LmHead[(v * h.NEmbd) + i] += dlogit * normed[t][i];
                }
            }
        }

        double[][] dx = Zeros(ids.Length, h.NEmbd);
        LayerNormBackward(last, weights.LnF, dnormed, Gradients.LnF, dx);
        for (int layer = h.NLayer - 1; layer >= 0; layer--) BlockBackward(blocks[layer], layer, dx);
        for (int t = 0; t < ids.Length; t++)
        {
            for (int i = 0; i < h.NEmbd; i++)
            {
                Gradients.Wte[(ids[t] * h.NEmbd) + i] += dx[t][i];
                Gradients.Wpe[(t * h.NEmbd) + i] += dx[t][i];
            }
        }

        return loss;
    }

    private (double[][] Normed, double[][] Last, Block[] Blocks) Forward(int[] ids)
    {
        double[][] x = Zeros(ids.Length, h.NEmbd);
        for (int t = 0; t < ids.Length; t++)
        {
            for (int i = 0; i < h.NEmbd; i++) x[t][i] = weights.Wte[(ids[t] * h.NEmbd) + i] + weights.Wpe[(t * h.NEmbd) + i];
        }

        var blocks = new Block[h.NLayer];
        for (int layer = 0; layer < h.NLayer; layer++)
        {
            Gpt2Block<double[]> w = weights.Blocks[layer];
            double[][] ln1 = LayerNorm(x, w.Ln1), qkv = Linear(ln1, w.Attn.CAttn, 3 * h.NEmbd);
            double[][][] patterns = [.. Enumerable.Range(0, h.NHead).Select(head => Pattern(qkv, head, layer))];
            double[][] heads = Read(patterns, qkv), middle = Sum(x, Linear(heads, w.Attn.CProj, h.NEmbd));
            double[][] ln2 = LayerNorm(middle, w.Ln2), hidden = Linear(ln2, w.Mlp.CFc, h.NInner);
            double[][] active = [.. hidden.Select(row => row.Select(v => ActivationFunctionTests.Exact(h.Activation, v)).ToArray())];
            blocks[layer] = new Block(x, ln1, qkv, patterns, heads, middle, ln2, hidden, active);
            x = Sum(middle, Linear(active, w.Mlp.CProj, h.NEmbd));
        }

        return (LayerNorm(x, weights.LnF), x, blocks);
    }

    private void BlockBackward(Block a, int layer, double[][] dx)
    {
        Gpt2Block<double[]> w = weights.Blocks[layer], g = Gradients.Blocks[layer];
        double[][] dhidden = LinearBackward(a.Active, w.Mlp.CProj, dx, g.Mlp.CProj);
        for (int t = 0; t < dx.Length; t++)
        {
            for (int i = 0; i < h.NInner; i++) dhidden[t][i] *= Slope(h.Activation, a.Hidden[t][i]);
        }

        LayerNormBackward(a.Middle, w.Ln2, LinearBackward(a.Ln2, w.Mlp.CFc, dhidden, g.Mlp.CFc), g.Ln2, dx);
        double[][] dqkv = AttentionBackward(a, layer, LinearBackward(a.Heads, w.Attn.CProj, dx, g.Attn.CProj));
        LayerNormBackward(a.Before, w.Ln1, LinearBackward(a.Ln1, w.Attn.CAttn, dqkv, g.Attn.CAttn), g.Ln1, dx);
    }

    private double[][] AttentionBackward(Block a, int layer, double[][] dheads)
    {
        int n = h.NEmbd, size = h.HeadSize;
        double[][] dqkv = Zeros(dheads.Length, 3 * n);
        for (int head = 0; head < h.NHead; head++)
        {
            int at = head * size;
            for (int t = 0; t < dheads.Length; t++)
            {
                double[] p = a.Patterns[head][t], dp = new double[t + 1];
                for (int j = 0; j <= t; j++)
                {
                    for (int i = at; i < at + size; i++)
                    {
                        dp[j] += dheads[t][i] * a.Qkv[j][(2 * n) + i];
                        dqkv[j][(2 * n) + i] += p[j] * dheads[t][i];
                    }
                }

                double mean = p.Zip(dp, (x, y) => x * y).Sum();
                for (int j = 0; j <= t; j++)
                {
                    double dscore = p[j] * (dp[j] - mean) / Divisor(layer);
                    for (int i = at; i < at + size; i++)
                    {
                        dqkv[t][i] += dscore * a.Qkv[j][n + i];
                        dqkv[j][n + i] += dscore * a.Qkv[t][i];
                    }
                }
            }
        }

        return dqkv;
    }

    private double Divisor(int layer) => (h.ScaleAttnWeights ? Math.Sqrt(h.HeadSize) : 1) * (h.ScaleAttnByInverseLayerIdx ? layer + 1 : 1);

    // [n_seq][t + 1]
    private double[][] Pattern(double[][] qkv, int head, int layer) => [.. qkv.Select((row, t) => Softmax([.. Enumerable.Range(0, t + 1).Select(j =>
    {
        double sum = 0;
        for (int i = head * h.HeadSize; i < (head + 1) * h.HeadSize; i++) sum += row[i] * qkv[j][h.NEmbd + i];
        return sum / Divisor(layer);
    })]))];

    private double[][] Read(double[][][] patterns, double[][] qkv)
    {
        double[][] y = Zeros(qkv.Length, h.NEmbd);
        for (int t = 0; t < qkv.Length; t++)
        {
            for (int i = 0; i < h.NEmbd; i++)
            {
                for (int j = 0; j <= t; j++) y[t][i] += patterns[i / h.HeadSize][t][j] * qkv[j][(2 * h.NEmbd) + i];
            }
        }

        return y;
    }

    private double[] Logits(double[] normed) =>
        [.. Enumerable.Range(0, h.NVocab).Select(v => normed.Select((x, i) => x * weights.LmHead[(v * h.NEmbd) + i]).Sum())];

    private double[][] LayerNorm(double[][] x, Gpt2LayerNorm<double[]> norm) =>
        [.. x.Select(row => Normed(row).Select((v, i) => (v * norm.G[i]) + (norm.B?[i] ?? 0)).ToArray())];

    private double[] Normed(double[] row)
    {
        double mean = row.Average();
        return [.. row.Select(v => (v - mean) / Deviation(row))];
    }

    private double Deviation(double[] row)
    {
        double mean = row.Average();
        return Math.Sqrt(row.Average(v => (v - mean) * (v - mean)) + h.LayerNormEpsilon);
    }

    private void LayerNormBackward(double[][] x, Gpt2LayerNorm<double[]> norm, double[][] dy, Gpt2LayerNorm<double[]> gradient, double[][] dx)
    {
        for (int t = 0; t < x.Length; t++)
        {
            double[] normed = Normed(x[t]), dnormed = [.. dy[t].Select((v, i) => v * norm.G[i])];
            double mean = dnormed.Average(), slope = dnormed.Zip(normed, (a, b) => a * b).Average(), deviation = Deviation(x[t]);
            for (int i = 0; i < h.NEmbd; i++)
            {
                dx[t][i] += (dnormed[i] - mean - (normed[i] * slope)) / deviation;
                gradient.G[i] += dy[t][i] * normed[i];
                if (norm.B is not null) gradient.B![i] += dy[t][i];
            }
        }
    }

    private static double[][] Linear(double[][] x, Gpt2Linear<double[]> linear, int columns)
    {
        double[][] y = Zeros(x.Length, columns);
        for (int t = 0; t < x.Length; t++)
        {
            for (int o = 0; o < columns; o++)
            {
                for (int i = 0; i < x[t].Length; i++) y[t][o] += x[t][i] * linear.W[(i * columns) + o];
                y[t][o] += linear.B?[o] ?? 0;
            }
        }

        return y;
    }

    private static double[][] LinearBackward(double[][] x, Gpt2Linear<double[]> linear, double[][] dy, Gpt2Linear<double[]> gradient)
    {
        int columns = dy[0].Length;
        double[][] dx = Zeros(x.Length, x[0].Length);
        for (int t = 0; t < x.Length; t++)
        {
            for (int o = 0; o < columns; o++)
            {
                for (int i = 0; i < x[t].Length; i++)
                {
                    dx[t][i] += dy[t][o] * linear.W[(i * columns) + o];
                    gradient.W[(i * columns) + o] += x[t][i] * dy[t][o];
                }

                if (linear.B is not null) gradient.B![o] += dy[t][o];
            }
        }

        return dx;
    }

    private static double Slope(Gpt2Activation activation, double x)
    {
        const double Root = 0.7978845608028654, Cubic = 0.044715; // √(2/π)
        switch (activation)
        {
            case Gpt2Activation.GeluTanh:
                double tanh = Math.Tanh(Root * (x + (Cubic * x * x * x)));
                return (0.5 * (1 + tanh)) + (0.5 * x * (1 - (tanh * tanh)) * Root * (1 + (3 * Cubic * x * x)));
            case Gpt2Activation.Gelu:
                return NormalDistribution.Of(x) + (x * Math.Exp(-x * x / 2) / Math.Sqrt(2 * Math.PI));
            case Gpt2Activation.Relu:
                return x > 0 ? 1 : 0;
            default:
                double sigmoid = 1 / (1 + Math.Exp(-x));
                return sigmoid * (1 + (x * (1 - sigmoid)));
        }
    }

    private static double[] Softmax(double[] x)
    {
        double max = x.Max();
        double[] e = [.. x.Select(v => Math.Exp(v - max))];
        double sum = e.Sum();
        return [.. e.Select(v => v / sum)];
    }

    private static double[][] Sum(double[][] x, double[][] y) => [.. x.Zip(y, (a, b) => a.Zip(b, (c, d) => c + d).ToArray())];

    private static double[][] Zeros(int rows, int columns) => [.. Enumerable.Range(0, rows).Select(_ => new double[columns])];

    /// <summary>What passed through a block: rows of values each.</summary>
    private sealed record Block(
        double[][] Before, double[][] Ln1, double[][] Qkv, double[][][] Patterns, double[][] Heads, double[][] Middle, double[][] Ln2, double[][] Hidden, double[][] Active);
}
