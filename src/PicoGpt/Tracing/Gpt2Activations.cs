using PicoGpt.Architecture;
using PicoGpt.Inference;

namespace PicoGpt.Tracing;

/// <summary>
/// The names of what passes through a model, after the names of the weights that make it: <c>h0/resid_pre</c>, <c>h0/ln_1</c>,
/// <c>h0/attn/q</c>, <c>h0/attn/k</c>, <c>h0/attn/v</c>, <c>h0/attn/z</c> (what the heads read, before <c>c_proj</c>), <c>h0/attn</c>
/// (what attention adds), <c>h0/resid_mid</c>, <c>h0/ln_2</c>, <c>h0/mlp/c_fc</c>, <c>h0/mlp/gelu</c>, <c>h0/mlp</c> (what the mlp adds),
/// <c>h0/resid_post</c>, the same for every layer, and <c>ln_f</c>.
/// </summary>
public static class Gpt2Activations
{
    internal const string FinalNorm = "ln_f";

    private static readonly (string Name, ActivationSite Site, int From, int Width)[] Places =
    [
        ("resid_pre", ActivationSite.ResidualBefore, 0, 1),
        ("ln_1", ActivationSite.Ln1, 0, 1),
        ("attn/q", ActivationSite.Qkv, 0, 1),
        ("attn/k", ActivationSite.Qkv, 1, 1),
        ("attn/v", ActivationSite.Qkv, 2, 1),
        ("attn/z", ActivationSite.Heads, 0, 1),
        ("attn", ActivationSite.Attention, 0, 1),
        ("resid_mid", ActivationSite.ResidualMiddle, 0, 1),
        ("ln_2", ActivationSite.Ln2, 0, 1),
        ("mlp/c_fc", ActivationSite.Hidden, 0, 4),
        ("mlp/gelu", ActivationSite.Gelu, 0, 4),
        ("mlp", ActivationSite.Mlp, 0, 1),
        ("resid_post", ActivationSite.ResidualAfter, 0, 1),
    ];

    /// <summary>All names, in the order of the pass.</summary>
    /// <param name="hyperParameters">The model's shape.</param>
    /// <returns>The names.</returns>
    public static IReadOnlyList<string> Names(Gpt2HyperParameters hyperParameters)
    {
        ArgumentNullException.ThrowIfNull(hyperParameters);
        IEnumerable<int> layers = Enumerable.Range(0, hyperParameters.NLayer);
        return [.. layers.SelectMany(layer => Places.Select(place => NameOf(layer, place.Name))), FinalNorm];
    }

    /// <summary>How many values a position has under a name: <c>n_embd</c>, or four times as many inside the mlp.</summary>
    internal static int WidthOf(string name, Gpt2HyperParameters hyperParameters)
    {
        string inLayer = name[(name.IndexOf('/', StringComparison.Ordinal) + 1)..];
        return hyperParameters.NEmbd * (name == FinalNorm ? 1 : Places.Single(place => place.Name == inLayer).Width);
    }

    /// <summary>What a place of a layer holds: names, and from which column on, in multiples of n_embd.</summary>
    internal static IEnumerable<(string Name, int From)> At(ActivationSite site, int layer) =>
        Places.Where(place => place.Site == site).Select(place => (NameOf(layer, place.Name), place.From));

    private static string NameOf(int layer, string place) => FormattableString.Invariant($"h{layer}/{place}");
}
