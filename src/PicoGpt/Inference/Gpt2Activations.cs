using PicoGpt.Architecture;

namespace PicoGpt.Inference;

/// <summary>
/// The names of what passes through a model, after the names of the weights that make it: <c>wte</c> and <c>wpe</c> (the embeddings of
/// the text's tokens and positions), <c>h0/resid_pre</c>, <c>h0/ln_1</c>,
/// <c>h0/attn/q</c>, <c>h0/attn/k</c>, <c>h0/attn/v</c>, <c>h0/attn/z</c> (what the heads read, before <c>c_proj</c>), <c>h0/attn</c>
/// (what attention adds), <c>h0/resid_mid</c>, <c>h0/ln_2</c>, <c>h0/mlp/c_fc</c>, <c>h0/mlp/gelu</c>, <c>h0/mlp</c> (what the mlp adds),
/// <c>h0/resid_post</c>, the same for every layer, <c>ln_f</c> and <c>logits</c>. The attention patterns, <c>h0/attn/pattern</c>, can be
/// changed by their name; a trace keeps them apart, because they have no row of one width for each position.
/// </summary>
public static class Gpt2Activations
{
    private static readonly (string Name, ActivationSite Site)[] Before =
        [("wte", ActivationSite.TokenEmbedding), ("wpe", ActivationSite.PositionEmbedding)];

    private static readonly (string Name, ActivationSite Site)[] InLayer =
    [
        ("resid_pre", ActivationSite.ResidualBefore),
        ("ln_1", ActivationSite.Ln1),
        ("attn/q", ActivationSite.Query),
        ("attn/k", ActivationSite.Key),
        ("attn/v", ActivationSite.Value),
        ("attn/pattern", ActivationSite.Pattern),
        ("attn/z", ActivationSite.Heads),
        ("attn", ActivationSite.Attention),
        ("resid_mid", ActivationSite.ResidualMiddle),
        ("ln_2", ActivationSite.Ln2),
        ("mlp/c_fc", ActivationSite.Hidden),
        ("mlp/gelu", ActivationSite.Gelu),
        ("mlp", ActivationSite.Mlp),
        ("resid_post", ActivationSite.ResidualAfter),
    ];

    private static readonly (string Name, ActivationSite Site)[] After =
        [("ln_f", ActivationSite.FinalNorm), ("logits", ActivationSite.Logits)];

    /// <summary>The names of what a trace keeps as <c>[n_seq, width]</c>, in the order of the pass.</summary>
    /// <param name="hyperParameters">The model's shape.</param>
    /// <returns>The names.</returns>
    public static IReadOnlyList<string> Names(Gpt2HyperParameters hyperParameters) =>
        [.. Places(hyperParameters).Where(place => place.Site != ActivationSite.Pattern).Select(place => place.Name)];

    /// <summary>The names of all that can be changed: those of <see cref="Names"/> and the attention patterns, in the order of the pass.</summary>
    /// <param name="hyperParameters">The model's shape.</param>
    /// <returns>The names.</returns>
    public static IReadOnlyList<string> Sites(Gpt2HyperParameters hyperParameters) => [.. Places(hyperParameters).Select(place => place.Name)];

    /// <summary>All sites in a sentence.</summary>
    internal static string Describe(Gpt2HyperParameters h)
    {
        string layers = h.NLayer == 1 ? "in the layer h0" : $"in the layers h0 to h{h.NLayer - 1}";
        return $"{string.Join(", ", Before.Concat(After).Select(place => place.Name))}, and {layers} {string.Join(", ", InLayer.Select(place => place.Name))}";
    }

    /// <summary>How many values a position has under a name; of a pattern, the most that it can have.</summary>
    internal static int WidthOf(string name, Gpt2HyperParameters hyperParameters) => WidthOf(PlaceOf(name, hyperParameters).Site, hyperParameters);

    /// <summary>How many values a position has at a site; of a pattern, the most that it can have.</summary>
    internal static int WidthOf(ActivationSite site, Gpt2HyperParameters hyperParameters) => site switch
    {
        ActivationSite.Hidden or ActivationSite.Gelu => hyperParameters.NInner,
        ActivationSite.Logits => hyperParameters.NVocab,
        ActivationSite.Pattern => hyperParameters.NCtx,
        _ => hyperParameters.NEmbd,
    };

    /// <summary>Whether the values of a site are those of the heads, side by side or each by itself.</summary>
    internal static bool HasHeads(ActivationSite site) =>
        site is ActivationSite.Query or ActivationSite.Key or ActivationSite.Value or ActivationSite.Pattern or ActivationSite.Heads;

    /// <summary>Where in a pass that is which has a name.</summary>
    internal static (ActivationSite Site, int Layer) PlaceOf(string name, Gpt2HyperParameters hyperParameters)
    {
        (_, ActivationSite site, int layer) = Places(hyperParameters).First(place => place.Name == name);
        return (site, layer);
    }

    /// <summary>All places, in the order of the pass.</summary>
    internal static IReadOnlyList<ActivationPlace> Places(Gpt2HyperParameters hyperParameters)
    {
        ArgumentNullException.ThrowIfNull(hyperParameters);
        return
        [
            .. Before.Select(place => new ActivationPlace(place.Name, place.Site, IForwardHook.NoLayer)),
            .. Enumerable.Range(0, hyperParameters.NLayer).SelectMany(layer =>
                InLayer.Select(place => new ActivationPlace(FormattableString.Invariant($"h{layer}/{place.Name}"), place.Site, layer))),
            .. After.Select(place => new ActivationPlace(place.Name, place.Site, IForwardHook.NoLayer)),
        ];
    }
}
