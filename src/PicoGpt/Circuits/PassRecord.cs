using PicoGpt.Architecture;
using PicoGpt.Inference;
using PicoGpt.Numerics;

namespace PicoGpt.Circuits;

/// <summary>Keeps what passes at some sites of every layer: n_embd values for each position.</summary>
internal sealed class PassRecord : IForwardHook
{
    private readonly int _width;
    private readonly Dictionary<(ActivationSite Site, int Layer), float[]> _kept = [];

    /// <param name="h">The shape.</param>
    /// <param name="tokens">Tokens of the text.</param>
    /// <param name="sites">Sites of n_embd values.</param>
    public PassRecord(Gpt2HyperParameters h, int tokens, params ReadOnlySpan<ActivationSite> sites)
    {
        _width = h.NEmbd;
        foreach (ActivationSite site in sites)
        {
            bool isInLayer = site is not (ActivationSite.TokenEmbedding or ActivationSite.PositionEmbedding or ActivationSite.FinalNorm);
            for (int layer = isInLayer ? 0 : IForwardHook.NoLayer; layer < (isInLayer ? h.NLayer : 0); layer++)
                _kept[(site, layer)] = new float[tokens * h.NEmbd];
        }
    }

    /// <summary>What stood at some positions: [rows, n_embd].</summary>
    public ReadOnlySpan<float> At(ActivationSite site, int layer, int position, int rows = 1) =>
        _kept[(site, layer)].AsSpan(position * _width, rows * _width);

    /// <inheritdoc/>
    public bool Wants(ActivationSite site, int layer) => _kept.ContainsKey((site, layer));

    /// <inheritdoc/>
    public void Visit(ActivationSite site, int layer, Matrix values, ReadOnlySpan<RowPlace> rows)
    {
        float[] kept = _kept[(site, layer)];
        for (int row = 0; row < values.Rows; row++) values.Row(row).CopyTo(kept.AsSpan(rows[row].Position * _width));
    }

    /// <inheritdoc/>
    public void VisitPattern(int layer, int head, RowPlace row, Span<float> weights)
    {
    }
}
