using PicoGpt.Inference;
using PicoGpt.Numerics;

namespace PicoGpt.Intervening;

/// <summary>Makes an intervention in the passes of a model.</summary>
/// <param name="changes">What to do at the sites.</param>
/// <param name="positions">The positions; all where it is empty.</param>
/// <param name="heads">The heads whose patterns are changed.</param>
internal sealed class InterventionHook(
    IReadOnlyDictionary<(ActivationSite Site, int Layer), SiteChange> changes, IReadOnlySet<int> positions, IReadOnlySet<int> heads) : IForwardHook
{
    /// <inheritdoc/>
    public bool Wants(ActivationSite site, int layer) => changes.ContainsKey((site, layer));

    /// <inheritdoc/>
    public void Visit(ActivationSite site, int layer, Matrix values, ReadOnlySpan<RowPlace> rows)
    {
        SiteChange change = changes[(site, layer)];
        for (int row = 0; row < values.Rows; row++)
        {
            if (IsMeant(rows[row].Position)) change.Apply(rows[row].Position, values.Row(row));
        }
    }

    /// <inheritdoc/>
    public void VisitPattern(int layer, int head, RowPlace row, Span<float> weights)
    {
        if (heads.Contains(head) && IsMeant(row.Position)) changes[(ActivationSite.Pattern, layer)].Apply(row.Position, weights, head);
    }

    private bool IsMeant(int position) => positions.Count == 0 || positions.Contains(position);
}
