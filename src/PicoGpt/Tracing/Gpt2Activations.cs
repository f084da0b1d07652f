using PicoGpt.Architecture;
using PicoGpt.Inference;

namespace PicoGpt.Tracing;

/// <summary>
/// The names of what passes through a model, after the names of the weights that make it: <c>wte</c> and <c>wpe</c> (the embeddings of
/// the text's tokens and positions), <c>h0/resid_pre</c>, <c>h0/ln_1</c>,
/// <c>h0/attn/q</c>, <c>h0/attn/k</c>, <c>h0/attn/v</c>, <c>h0/attn/z</c> (what the heads read, before <c>c_proj</c>), <c>h0/attn</c>
/// (what attention adds), <c>h0/resid_mid</c>, <c>h0/ln_2</c>, <c>h0/mlp/c_fc</c>, <c>h0/mlp/gelu</c>, <c>h0/mlp</c> (what the mlp adds),
/// <c>h0/resid_post</c>, the same for every layer, <c>ln_f</c> and <c>logits</c>.
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

    /// <summary>All names, in the order of the pass.</summary>
    /// <param name="hyperParameters">The model's shape.</param>
    /// <returns>The names.</returns>
    public static IReadOnlyList<string> Names(Gpt2HyperParameters hyperParameters)
    {
        ArgumentNullException.ThrowIfNull(hyperParameters);
        return [.. All(hyperParameters).Select(place => place.Name)];
    }

    /// <summary>How many values a position has under a name.</summary>
    internal static int WidthOf(string name, Gpt2HyperParameters hyperParameters) => PlaceOf(name, hyperParameters).Site switch
    {
        ActivationSite.Hidden or ActivationSite.Gelu => hyperParameters.NInner,
        ActivationSite.Logits => hyperParameters.NVocab,
        _ => hyperParameters.NEmbd,
    };

    /// <summary>Where in a pass that is which has a name.</summary>
    internal static (ActivationSite Site, int Layer) PlaceOf(string name, Gpt2HyperParameters hyperParameters)
    {
        (_, ActivationSite site, int layer) = All(hyperParameters).First(place => place.Name == name);
        return (site, layer);
    }

    private static IEnumerable<(string Name, ActivationSite Site, int Layer)> All(Gpt2HyperParameters h) =>
    [
        .. Before.Select(place => (place.Name, place.Site, IForwardHook.NoLayer)),
        .. Enumerable.Range(0, h.NLayer).SelectMany(layer =>
            InLayer.Select(place => (FormattableString.Invariant($"h{layer}/{place.Name}"), place.Site, layer))),
        .. After.Select(place => (place.Name, place.Site, IForwardHook.NoLayer)),
    ];
}
