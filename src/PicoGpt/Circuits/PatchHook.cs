using PicoGpt.Inference;
using PicoGpt.Numerics;

namespace PicoGpt.Circuits;

/// <summary>Patches the texts of a batch, each in its own way, from one record.</summary>
internal sealed class PatchHook(PassRecord from) : IForwardHook
{
    private readonly Dictionary<KeyValueCache, Patch> _patches = [];

    /// <summary>Sets what is done to a text.</summary>
    public void Set(KeyValueCache text, Patch patch) => _patches[text] = patch;

    /// <summary>Leaves a text as it is.</summary>
    public void Forget(KeyValueCache text) => _patches.Remove(text);

    /// <inheritdoc/>
    public bool Wants(ActivationSite site, int layer)
    {
        foreach (Patch patch in _patches.Values)
        {
            if (patch.Site == site && patch.Layer == layer) return true;
        }

        return false;
    }

    /// <inheritdoc/>
    public void Visit(ActivationSite site, int layer, Matrix values, ReadOnlySpan<RowPlace> rows)
    {
        for (int row = 0; row < values.Rows; row++)
        {
            Patch patch = _patches[rows[row].Text];
            int position = rows[row].Position;
            if (patch.Site != site || patch.Layer != layer || position < patch.Position || position >= patch.Position + patch.Positions) continue;
            from.At(site, layer, position).Slice(patch.Column, patch.Columns).CopyTo(values.Row(row)[patch.Column..]);
        }
    }

    /// <inheritdoc/>
    public void VisitPattern(int layer, int head, RowPlace row, Span<float> weights)
    {
    }
}
