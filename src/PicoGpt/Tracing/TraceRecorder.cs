using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using PicoGpt.Architecture;
using PicoGpt.Inference;
using PicoGpt.Numerics;

namespace PicoGpt.Tracing;

/// <summary>Keeps of a pass what the options ask for.</summary>
[SuppressMessage("Performance", "CA1814", Justification = "What is kept are matrices.")]
internal sealed class TraceRecorder : IForwardObserver
{
    private readonly Gpt2HyperParameters _h;
    private readonly int _tokens;
    private readonly Dictionary<string, float[,]> _activations = [];

    public TraceRecorder(Gpt2HyperParameters h, TraceOptions options, int tokens)
    {
        (_h, _tokens) = (h, tokens);
        Layers = Chosen(options.Layers, h.NLayer);
        Heads = Chosen(options.Heads, h.NHead);
        if (options.Attention) Attention = [.. Enumerable.Range(0, h.NLayer).Select(layer => Layers.Contains(layer) ? NewPatterns() : null)];
        if (options.Norms) Norms = [.. Enumerable.Range(0, h.NLayer + 1).Select(_ => new double[tokens])];
        foreach (string name in options.Activations) _activations[name] = new float[tokens, Gpt2Activations.WidthOf(name, h)];
    }

    public int[] Layers { get; }

    public int[] Heads { get; }

    /// <summary>[n_layer][n_head][n_seq, n_seq].</summary>
    public float[,]?[]?[]? Attention { get; }

    /// <summary>[n_layer + 1][n_seq].</summary>
    public double[][]? Norms { get; }

    public IReadOnlyDictionary<string, float[,]> Activations => _activations;

    /// <summary>The position of the batch's first row.</summary>
    public int Position { get; set; }

    /// <summary>Called with every layer whose residual stream is complete.</summary>
    public Action<int, int>? LayerDone { get; set; }

    public void Observe(ActivationSite site, int layer, Matrix values)
    {
        foreach ((string name, int from) in _activations.Count == 0 ? [] : Gpt2Activations.At(site, layer))
        {
            if (_activations.TryGetValue(name, out float[,]? kept)) Keep(values, from * _h.NEmbd, kept);
        }

        if (site == ActivationSite.ResidualBefore && layer == 0) KeepNorms(values, 0);
        if (site != ActivationSite.ResidualAfter) return;
        KeepNorms(values, layer + 1);
        LayerDone?.Invoke(layer, values.Rows);
    }

    public void ObserveAttention(int layer, int head, int row, ReadOnlySpan<float> weights)
    {
        if (Attention?[layer]?[head] is { } pattern) weights.CopyTo(RowOf(pattern, Position + row));
    }

    /// <summary>Whether <see cref="KeepFinalNorm"/> is to be called.</summary>
    public bool WantsFinalNorm => _activations.ContainsKey(Gpt2Activations.FinalNorm);

    /// <summary>Keeps the final layer norm of the batch's rows.</summary>
    public void KeepFinalNorm(Matrix normed) => Keep(normed, 0, _activations[Gpt2Activations.FinalNorm]);

    private static int[] Chosen(IReadOnlyCollection<int> chosen, int count) =>
        chosen.Count == 0 ? [.. Enumerable.Range(0, count)] : [.. chosen.Distinct().Order()];

    private static Span<float> RowOf(float[,] matrix, int row) => MemoryMarshal.CreateSpan(ref matrix[row, 0], matrix.GetLength(1));

    private float[,]?[] NewPatterns() =>
        [.. Enumerable.Range(0, _h.NHead).Select(head => Heads.Contains(head) ? new float[_tokens, _tokens] : null)];

    private void Keep(Matrix values, int from, float[,] kept)
    {
        int width = kept.GetLength(1);
        for (int row = 0; row < values.Rows; row++) values.Row(row).Slice(from, width).CopyTo(RowOf(kept, Position + row));
    }

    private void KeepNorms(Matrix residual, int index)
    {
        if (Norms is null) return;
        for (int row = 0; row < residual.Rows; row++)
        {
            double sum = 0;
            foreach (float value in residual.Row(row)) sum += (double)value * value;
            Norms[index][Position + row] = Math.Sqrt(sum);
        }
    }
}
