using System.Diagnostics.CodeAnalysis;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using PicoGpt.Architecture;
using PicoGpt.Inference;
using PicoGpt.Numerics;

namespace PicoGpt.Tracing;

/// <summary>Keeps of a pass what the options ask for.</summary>
[SuppressMessage("Performance", "CA1814", Justification = "What is kept are matrices.")]
internal sealed class TraceRecorder : IForwardHook
{
    private readonly Gpt2HyperParameters _h;
    private readonly int _tokens;
    private readonly Dictionary<string, float[,]> _activations = [];
    private readonly Dictionary<(ActivationSite Site, int Layer), float[,]> _kept = [];

    public TraceRecorder(Gpt2HyperParameters h, TraceOptions options, int tokens)
    {
        (_h, _tokens) = (h, tokens);
        Layers = Chosen(options.Layers, h.NLayer);
        Heads = Chosen(options.Heads, h.NHead);
        if (options.Attention) Attention = [.. Enumerable.Range(0, h.NLayer).Select(layer => Layers.Contains(layer) ? NewPatterns() : null)];
        if (options.Norms) Norms = [.. Enumerable.Range(0, h.NLayer + 1).Select(_ => new double[tokens])];
        foreach (string name in options.Activations.Distinct())
            _activations[name] = _kept[Gpt2Activations.PlaceOf(name, h)] = new float[tokens, Gpt2Activations.WidthOf(name, h)];
    }

    public int[] Layers { get; }

    public int[] Heads { get; }

    /// <summary>[n_layer][n_head][n_seq, n_seq].</summary>
    public float[,]?[]?[]? Attention { get; }

    /// <summary>[n_layer + 1][n_seq].</summary>
    public double[][]? Norms { get; }

    public IReadOnlyDictionary<string, float[,]> Activations => _activations;

    /// <summary>The first layer that something infinite or not a number leaves; <see langword="null"/> where none does.</summary>
    public int? NotFiniteAfter { get; private set; }

    /// <summary>Called with every layer whose residual stream is complete, and with the positions of the rows.</summary>
    public Action<int, ReadOnlySpan<RowPlace>>? LayerDone { get; set; }

    /// <inheritdoc/>
    public bool Wants(ActivationSite site, int layer) => site switch
    {
        ActivationSite.Pattern => Attention?[layer] is not null,
        ActivationSite.ResidualBefore when layer == 0 && Norms is not null => true,
        ActivationSite.ResidualAfter => true,
        _ => _kept.ContainsKey((site, layer)),
    };

    /// <inheritdoc/>
    public void Visit(ActivationSite site, int layer, Matrix values, ReadOnlySpan<RowPlace> rows)
    {
        if (_kept.TryGetValue((site, layer), out float[,]? kept)) Keep(values, rows, kept);
        if (site == ActivationSite.ResidualBefore && layer == 0) KeepNorms(values, rows, 0);
        if (site != ActivationSite.ResidualAfter) return;
        KeepNorms(values, rows, layer + 1);
        if (!(layer >= NotFiniteAfter) && !IsFinite(values)) NotFiniteAfter = layer;
        LayerDone?.Invoke(layer, rows);
    }

    /// <inheritdoc/>
    public void VisitPattern(int layer, int head, RowPlace row, Span<float> weights)
    {
        if (Attention?[layer]?[head] is { } pattern) weights.CopyTo(RowOf(pattern, row.Position));
    }

    private static int[] Chosen(IReadOnlyCollection<int> chosen, int count) =>
        chosen.Count == 0 ? [.. Enumerable.Range(0, count)] : [.. chosen.Distinct().Order()];

    private static Span<float> RowOf(float[,] matrix, int row) => MemoryMarshal.CreateSpan(ref matrix[row, 0], matrix.GetLength(1));

    private float[,]?[] NewPatterns() =>
        [.. Enumerable.Range(0, _h.NHead).Select(head => Heads.Contains(head) ? new float[_tokens, _tokens] : null)];

    private static void Keep(Matrix values, ReadOnlySpan<RowPlace> rows, float[,] kept)
    {
        for (int row = 0; row < values.Rows; row++) values.Row(row).CopyTo(RowOf(kept, rows[row].Position));
    }

    private static bool IsFinite(Matrix values)
    {
        for (int row = 0; row < values.Rows; row++)
        {
            if (!TensorPrimitives.IsFiniteAll<float>(values.Row(row))) return false;
        }

        return true;
    }

    private void KeepNorms(Matrix residual, ReadOnlySpan<RowPlace> rows, int index)
    {
        if (Norms is null) return;
        for (int row = 0; row < residual.Rows; row++)
        {
            double sum = 0;
            foreach (float value in residual.Row(row)) sum += (double)value * value;
            Norms[index][rows[row].Position] = Math.Sqrt(sum);
        }
    }
}
