using PicoGpt.Numerics;

namespace PicoGpt.Inference;

/// <summary>
/// Sees what passes through <see cref="Gpt2Forward"/>, and may change it: the pass continues with what it leaves. What it is given is the
/// pass's own memory, valid during the call. A hook that changes nothing changes no bit, and a place that it does not want costs nothing.
/// </summary>
internal interface IForwardHook
{
    /// <summary>The layer of the sites that are outside the layers.</summary>
    const int NoLayer = -1;

    /// <summary>Whether the hook is to be called there; asked in every pass.</summary>
    /// <param name="site">The place.</param>
    /// <param name="layer">The layer, or <see cref="NoLayer"/>.</param>
    bool Wants(ActivationSite site, int layer);

    /// <summary>Called on the thread that runs the pass.</summary>
    /// <param name="site">The place.</param>
    /// <param name="layer">The layer, or <see cref="NoLayer"/>.</param>
    /// <param name="values">What passes: [n, width].</param>
    /// <param name="rows">Which text and position each row is of: [n].</param>
    void Visit(ActivationSite site, int layer, Matrix values, ReadOnlySpan<RowPlace> rows);

    /// <summary>Called where <see cref="ActivationSite.Pattern"/> is wanted, from any thread of the pass, for each head and row once.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="head">The head.</param>
    /// <param name="row">Which text and position the row is of.</param>
    /// <param name="weights">How much it looks at the positions up to its own: [position + 1].</param>
    void VisitPattern(int layer, int head, RowPlace row, Span<float> weights);
}
