using System.Buffers;
using PicoGpt.Architecture;
using PicoGpt.Numerics;
using PicoGpt.Tests.Numerics;
using PicoGpt.Weights;

namespace PicoGpt.Tests.Inference;

/// <summary>
/// The forward pass as plain loops in double precision, line by line what picoGPT's gpt2.py does: no cache, no blocks, no
/// threads. The oracle of the engine's.
/// </summary>
internal static class PlainForward
{
    /// <summary>Changes what passes under one of the tracer's names, or a head's pattern as <c>h0/attn/pattern/1</c>.</summary>
    public delegate double[][] Change(string name, double[][] values);

    /// <summary>ids [n_seq] -> logits [n_seq, n_vocab], row-major.</summary>
    public static double[] Logits(Gpt2Model model, int[] ids, Change? change = null) =>
        [.. Trace(model, ids, change).Activations["logits"].SelectMany(row => row)];

    /// <summary>What each layer would say next: ln_f and wte applied to a residual stream, [n_seq, n_embd] -> [n_seq, n_vocab], row-major.</summary>
    public static double[] LensLogits(Gpt2Model model, double[][] residual) =>
        [.. Logits(model, LayerNorm(residual, ValuesOf(model).LnF, model.HyperParameters.LayerNormEpsilon)).SelectMany(row => row)];

    /// <summary>All that passes through, under the tracer's names; attention by layer and head, [n_seq][t + 1].</summary>
    public static (Dictionary<string, double[][]> Activations, double[][][][] Attention) Trace(Gpt2Model model, int[] ids, Change? change = null)
    {
        Gpt2Tree<double[]> p = ValuesOf(model);
        Gpt2HyperParameters hyper = model.HyperParameters;
        int n = hyper.NEmbd;
        double[] wte = p.Wte, wpe = p.Wpe;
        Dictionary<string, double[][]> seen = [];
        double[][][][] attention = new double[p.Blocks.Count][][][];
        double[][] See(string name, double[][] values) => seen[name] = Changed(name, values);
        double[][] Changed(string name, double[][] values) => change is null ? values : change(name, values);

        double[][] tokens = See("wte", [.. ids.Select(id => wte.AsSpan(id * n, n).ToArray())]); // [n_seq, n_embd]
        double[][] positions = See("wpe", [.. ids.Select((_, position) => wpe.AsSpan(position * n, n).ToArray())]);
        double[][] x = Add(tokens, positions);
        for (int layer = 0; layer < p.Blocks.Count; layer++)
        {
            Gpt2Block<double[]> block = p.Blocks[layer];
            string h = $"h{layer}/";
            x = See(h + "resid_pre", x);
            double[][] normed = See(h + "ln_1", LayerNorm(x, block.Ln1, hyper.LayerNormEpsilon));
            double[][] qkv = Linear(Factors(model, normed), block.Attn.CAttn); // [n_seq, 3 n_embd]
            double[][] q = See(h + "attn/q", Part(qkv, 0, n)), k = See(h + "attn/k", Part(qkv, 1, n)), v = See(h + "attn/v", Part(qkv, 2, n));
            if (model.Precision != Gpt2Precision.Float32) (k, v) = (Rounded(k, n / hyper.NHead, short.MaxValue), Rounded(v, n / hyper.NHead, short.MaxValue));
            attention[layer] =
            [
                .. Patterns(q, k, hyper, layer).Select((pattern, head) => Changed($"{h}attn/pattern/{head}", pattern)),
            ];
            double[][] z = See(h + "attn/z", Read(attention[layer], v));
            x = See(h + "resid_mid", Add(x, See(h + "attn", Linear(Factors(model, z), block.Attn.CProj))));
            normed = See(h + "ln_2", LayerNorm(x, block.Ln2, hyper.LayerNormEpsilon));
            double[][] hidden = See(h + "mlp/gelu", Activate(hyper.Activation, See(h + "mlp/c_fc", Linear(Factors(model, normed), block.Mlp.CFc))));
            x = See(h + "resid_post", Add(x, See(h + "mlp", Linear(Factors(model, hidden), block.Mlp.CProj))));
        }

        See("logits", Logits(model, See("ln_f", LayerNorm(x, p.LnF, hyper.LayerNormEpsilon))));
        return (seen, attention);
    }

    private static double[][] Logits(Gpt2Model model, double[][] normed)
    {
        int n = model.HyperParameters.NEmbd;
        double[] head = ValuesOf(model).LmHead;
        double[][] factors = Factors(model, normed, isEmbedding: true);
        return [.. factors.Select(row => Enumerable.Range(0, model.HyperParameters.NVocab).Select(v => Dot(row, head.AsSpan(v * n, n))).ToArray())];
    }

    private static double[][] Part(double[][] qkv, int part, int n) => [.. qkv.Select(row => row[(part * n)..((part + 1) * n)])];

    // What a matrix of the model is multiplied by: where that is in integers, in integers too.
    private static double[][] Factors(Gpt2Model model, double[][] x, bool isEmbedding = false) =>
        PackedFormat.Of(model.Precision, isEmbedding) is QuantizedFormat format ? Rounded(x, format.BlockRows, format.Largest) : x;

    // as integers times the scale of so many values
    private static double[][] Rounded(double[][] x, int together, int largest) => [.. x.Select(row => row.Chunk(together).SelectMany(group =>
    {
        double scale = group.Max(Math.Abs) / largest;
        return group.Select(value => scale == 0 ? 0 : Math.Round(value / scale) * scale);
    }).ToArray())];

    // [n_head][n_seq][t + 1]
    private static IEnumerable<double[][]> Patterns(double[][] q, double[][] k, Gpt2HyperParameters hyper, int layer)
    {
        int size = q[0].Length / hyper.NHead;
        double divisor = (hyper.ScaleAttnWeights ? Math.Sqrt(size) : 1) * (hyper.ScaleAttnByInverseLayerIdx ? layer + 1 : 1);
        return Enumerable.Range(0, hyper.NHead).Select(head => q.Select((row, t) => Softmax(
            [.. k[..(t + 1)].Select(past => Dot(row.AsSpan(head * size, size), past.AsSpan(head * size, size)) / divisor)])).ToArray());
    }

    private static double[][] Read(double[][][] patterns, double[][] v)
    {
        int n = v[0].Length, size = n / patterns.Length;
        double[][] z = [.. v.Select(_ => new double[n])];
        for (int i = 0; i < n; i++)
        {
            for (int t = 0; t < v.Length; t++) z[t][i] = patterns[i / size][t].Select((weight, j) => weight * v[j][i]).Sum();
        }

        return z;
    }

    private static double[] Softmax(double[] x)
    {
        double[] e = [.. x.Select(v => Math.Exp(v - x.Max()))];
        return [.. e.Select(v => v / e.Sum())];
    }

    private static double[][] Activate(Gpt2Activation activation, double[][] x) =>
        [.. x.Select(row => row.Select(v => ActivationFunctionTests.Exact(activation, v)).ToArray())];

    private static double[][] LayerNorm(double[][] x, Gpt2LayerNorm<double[]> norm, double epsilon)
    {
        return [.. x.Select(row =>
        {
            double mean = row.Average(), variance = row.Average(v => (v - mean) * (v - mean));
            return row.Select((v, i) => ((v - mean) / Math.Sqrt(variance + epsilon) * norm.G[i]) + (norm.B?[i] ?? 0)).ToArray();
        })];
    }

    private static double[][] Linear(double[][] x, Gpt2Linear<double[]> linear)
    {
        double[] w = linear.W;
        int nOut = w.Length / x[0].Length;
        return [.. x.Select(row =>
        {
            double[] y = [.. linear.B ?? new double[nOut]];
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

    private static Gpt2Tree<double[]> ValuesOf(Gpt2Model model)
    {
        PackedWeights? packed = model.Pack();
        return model.Parameters.Map(weight => packed is null || !weight.Leaf.IsMatrix
            ? [.. weight.ToArray().Select(v => (double)v)]
            : Unpacked(packed, weight));
    }

    // The values that a packed matrix stands for, row-major in the weight's own shape.
    private static unsafe double[] Unpacked(PackedWeights packed, Gpt2Weight weight)
    {
        using MemoryHandle hold = packed[weight].Pin();
        PackedMatrix matrix = packed.MatrixOf(weight, (byte*)hold.Pointer);
        double[] values = new double[weight.Count];
        float[] column = new float[matrix.Rows];
        bool isTransposed = weight.Leaf.Kind == Gpt2LeafKind.TokenEmbedding;
        for (int c = 0; c < matrix.Columns; c++)
        {
            matrix.CopyColumn(c, column);
            for (int r = 0; r < matrix.Rows; r++) values[isTransposed ? (c * matrix.Rows) + r : (r * matrix.Columns) + c] = column[r];
        }

        return values;
    }
}
