using PicoGpt.Weights;

namespace PicoGpt.Tests.Inference;

/// <summary>
/// The forward pass as plain loops in double precision, line by line what picoGPT's gpt2.py does: no cache, no blocks, no
/// threads. The oracle of the engine's.
/// </summary>
internal static class PlainForward
{
    /// <summary>ids [n_seq] -> logits [n_seq, n_vocab], row-major.</summary>
    public static double[] Logits(Gpt2Model model, int[] ids)
    {
        Gpt2Parameters p = model.Parameters;
        int n = model.HyperParameters.NEmbd;
        double[] wte = Values(p.Wte), wpe = Values(p.Wpe);

        // [n_seq, n_embd]
        double[][] x = [.. ids.Select((id, position) => Enumerable.Range(0, n).Select(i => wte[(id * n) + i] + wpe[(position * n) + i]).ToArray())];
        foreach (Gpt2Block block in p.Blocks)
        {
            x = Add(x, Attention(LayerNorm(x, block.Ln1), block.Attn, model.HyperParameters.NHead));
            x = Add(x, Linear(Gelu(Linear(LayerNorm(x, block.Ln2), block.Mlp.CFc)), block.Mlp.CProj));
        }

        x = LayerNorm(x, p.LnF);
        return [.. x.SelectMany(row => Enumerable.Range(0, model.HyperParameters.NVocab).Select(v => Dot(row, wte.AsSpan(v * n, n))))];
    }

    private static double[][] Attention(double[][] x, Gpt2Attention attn, int heads)
    {
        int n = x[0].Length, size = n / heads;
        double[][] qkv = Linear(x, attn.CAttn); // [n_seq, 3 n_embd]
        double[][] y = [.. x.Select(_ => new double[n])];
        for (int head = 0; head < heads; head++)
        {
            int q = head * size, k = n + q, v = n + k;
            for (int t = 0; t < x.Length; t++)
            {
                double[] scores = [.. qkv[..(t + 1)].Select(past => Dot(qkv[t].AsSpan(q, size), past.AsSpan(k, size)) / Math.Sqrt(size))];
                double[] weights = Softmax(scores);
                for (int j = 0; j <= t; j++)
                {
                    for (int d = 0; d < size; d++) y[t][q + d] += weights[j] * qkv[j][v + d];
                }
            }
        }

        return Linear(y, attn.CProj);
    }

    private static double[] Softmax(double[] x)
    {
        double[] e = [.. x.Select(v => Math.Exp(v - x.Max()))];
        return [.. e.Select(v => v / e.Sum())];
    }

    private static double[][] LayerNorm(double[][] x, Gpt2LayerNorm norm)
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

    private static double[][] Linear(double[][] x, Gpt2Linear linear)
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
