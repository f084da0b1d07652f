using PicoGpt.Inference;
using PicoGpt.Numerics;

namespace PicoGpt.Tests.Inference;

/// <summary>A hook that wants what it is told to, and does with each row what it is told to.</summary>
internal sealed class TestHook(Func<ActivationSite, int, bool> wants, TestHook.Work work) : IForwardHook
{
    /// <summary>Takes a row of a site: for a pattern the head, otherwise 0.</summary>
    public delegate void Work(ActivationSite site, int layer, int head, RowPlace row, Span<float> values);

    public bool Wants(ActivationSite site, int layer) => wants(site, layer);

    public void Visit(ActivationSite site, int layer, Matrix values, ReadOnlySpan<RowPlace> rows)
    {
        for (int i = 0; i < rows.Length; i++) work(site, layer, 0, rows[i], values.Row(i));
    }

    public void VisitPattern(int layer, int head, RowPlace row, Span<float> weights) => work(ActivationSite.Pattern, layer, head, row, weights);
}
