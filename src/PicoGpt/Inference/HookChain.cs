using PicoGpt.Numerics;

namespace PicoGpt.Inference;

/// <summary>Several hooks, one after the other: each sees what the ones before it have left.</summary>
internal sealed class HookChain(IReadOnlyList<IForwardHook> hooks) : IForwardHook
{
    /// <summary>What makes changes in their order, and whoever looks on after them; <see langword="null"/> for nobody.</summary>
    /// <exception cref="Gpt2Exception">A change cannot be made in the model, or at these positions.</exception>
    public static IForwardHook? Of(Gpt2Model model, IReadOnlyList<ForwardChange> changes, int positions, IForwardHook? last = null)
    {
        List<IForwardHook> hooks = [.. changes.Select(change => change.HookFor(model, positions))];
        if (last is not null) hooks.Add(last);
        return hooks.Count switch { 0 => null, 1 => hooks[0], _ => new HookChain(hooks) };
    }

    /// <inheritdoc/>
    public bool Wants(ActivationSite site, int layer)
    {
        foreach (IForwardHook hook in hooks)
        {
            if (hook.Wants(site, layer)) return true;
        }

        return false;
    }

    /// <inheritdoc/>
    public void Visit(ActivationSite site, int layer, Matrix values, ReadOnlySpan<RowPlace> rows)
    {
        foreach (IForwardHook hook in hooks)
        {
            if (hook.Wants(site, layer)) hook.Visit(site, layer, values, rows);
        }
    }

    /// <inheritdoc/>
    public void VisitPattern(int layer, int head, RowPlace row, Span<float> weights)
    {
        foreach (IForwardHook hook in hooks)
        {
            if (hook.Wants(ActivationSite.Pattern, layer)) hook.VisitPattern(layer, head, row, weights);
        }
    }
}
