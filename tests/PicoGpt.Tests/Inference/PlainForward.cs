using PicoGpt.Architecture;
using PicoGpt.Weights;

namespace PicoGpt.Tests.Inference;

/// <summary>
/// The forward pass as plain loops in double precision, line by line what picoGPT's gpt2.py does: no cache, no blocks, no
/// threads. The oracle of the engine's.
/// </summary>
internal static class PlainForward
{
    /// <summary>ids [n_seq] -> logits [n_seq, n_vocab], row-major.</summary>
    public static double[] Logits(Gpt2Model model, int[] ids) => Logits(model, Trace(model, ids).Activations["ln_f"]);

    /// <summary>What each layer would say next: ln_f and wte applied to a residual stream, [n_seq, n_embd] -> [n_seq, n_vocab], row-major.</summary>
    public static double[] LensLogits(Gpt2Model model, double[][] residual) => Logits(model, LayerNorm(residual, model.Parameters.LnF));

    /// <summary>All that passes through, under the tracer's names; attention by layer and head, [n_seq][t + 1].</summary>
    public static (Dictionary<string, double[][]> Activations, double[][][][] Attention) Trace(Gpt2Model model, int[] ids)
    {
        Gpt2Parameters p = model.Parameters;
        int n = model.HyperParameters.NEmbd;
        double[] wte = Values(p.Wte), wpe = Values(p.Wpe);
        Dictionary<string, double[][]> seen = [];
        double[][][][] attention = new double[p.Blocks.Count][][][];

        // [n_seq, n_embd]
        double[][] x = [.. ids.Select((id, position) => Enumerable.Range(0, n).Select(i => wte[(id * n) + i] + wpe[(position * n) + i]).ToArray())];
        for (int layer = 0; layer < p.Blocks.Count; layer++)
        {
            Gpt2Block<Gpt2Weight> block = p.Blocks[layer];
            string h = $"h{layer}/";
            seen[h + "resid_pre"] = x;
            double[][] normed = seen[h + "ln_1"] = LayerNorm(x, block.Ln1);
            double[][] qkv = Linear(normed, block.Attn.CAttn); // [n_seq, 3 n_embd]
            foreach ((string name, int part) in (ReadOnlySpan<(string, int)>)[("q", 0), ("k", 1), ("v", 2)])
                seen[h + "attn/" + name] = [.. qkv.Select(row => row[(part * n)..((part + 1) * n)])];
            (double[][] z, attention[layer]) = Attention(qkv, model.HyperParameters.NHead);
            seen[h + "attn/z"] = z;
            double[][] added = seen[h + "attn"] = Linear(z, block.Attn.CProj);
            x = seen[h + "resid_mid"] = Add(x, added);
            normed = seen[h + "ln_2"] = LayerNorm(x, block.Ln2);
            double[][] hidden = seen[h + "mlp/c_fc"] = Linear(normed, block.Mlp.CFc);
            hidden = seen[h + "mlp/gelu"] = Gelu(hidden);
            added = seen[h + "mlp"] = Linear(hidden, block.Mlp.CProj);
            x = seen[h + "resid_post"] = Add(x, added);
        }

        seen["ln_f"] = LayerNorm(x, p.LnF);
        return (seen, attention);
    }

    private static double[] Logits(Gpt2Model model, double[][] normed)
    {
        int n = model.HyperParameters.NEmbd;
        double[] wte = Values(model.Parameters.Wte);
        return [.. normed.SelectMany(row => Enumerable.Range(0, model.HyperParameters.NVocab).Select(v => Dot(row, wte.AsSpan(v * n, n))))];
    }

    private static (double[][] Heads, double[][][] Patterns) Attention(double[][] qkv, int heads)
    {
        int n = qkv[0].Length / 3, size = n / heads;
        double[][] y = [.. qkv.Select(_ => new double[n])];
        double[][][] patterns = [.. Enumerable.Range(0, heads).Select(_ => new double[qkv.Length][])];
        for (int head = 0; head < heads; head++)
        {
            int q = head * size, k = n + q, v = n + k;
            for (int t = 0; t < qkv.Length; t++)
            {
                double[] scores = [.. qkv[..(t + 1)].Select(past => Dot(qkv[t].AsSpan(q, size), past.AsSpan(k, size)) / Math.Sqrt(size))];
                double[] weights = patterns[head][t] = Softmax(scores);
                for (int j = 0; j <= t; j++)
                {
                    for (int d = 0; d < size; d++) y[t][q + d] += weights[j] * qkv[j][v + d];
                }
            }
        }

        return (y, patterns);
    }

    private static double[] Softmax(double[] x)
    {
        double[] e = [.. x.Select(v => Math.Exp(v - x.Max()))];
        return [.. e.Select(v => v / e.Sum())];
    }

    private static double[][] LayerNorm(double[][] x, Gpt2LayerNorm<Gpt2Weight> norm)
    {
        double[] g = Values(norm.G), b = Values(norm.B);
        return [.. x.Select(row =>
        {
            double mean = row.Average(), variance = row.Average(v => (v - mean) * (v - mean));
            return row.Select((v, i) => ((v - mean) / Math.Sqrt(variance + 1e-5) * g[i]) + b[i]).ToArray();
        })];
    }

    private static double[][] Gelu(double[][] x) => [.. x.Select(row =>
        row.Select(v => 0.5 * v * (1 + Math.Tanh(Math.Sqrt(2 / Math.PI) * (v + (0.044715 * v * v * v))))).ToArray())];

    private static double[][] Linear(double[][] x, Gpt2Linear<Gpt2Weight> linear)
    {
        double[] w = Values(linear.W), b = Values(linear.B);
        int nOut = b.Length;
        return [.. x.Select(row =>
        {
            double[] y = [.. b];
            for (int i = 0; i < row.Length; i++)
            {
                for (int o = 0; o < nOut; o++) y[o] += row[i] * w[(i * nOut) + o];
            }

            return y;
        })];
    }

    private static double[][] Add(double[][] x, double[][] y) => [.. x.Zip(y, (a, b) => a.Zip(b, (c, d) => c + d).ToArray())];

    private static double Dot(ReadOnlySpan<double> x, ReadOnlySpan<double> y)
    {
        double sum = 0;
        for (int i = 0; i < x.Length; i++) sum += x[i] * y[i];
        return sum;
    }

    private static double[] Values(Gpt2Weight weight) => [.. weight.ToArray().Select(v => (double)v)];
}
