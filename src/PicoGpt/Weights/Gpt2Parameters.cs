using System.Collections;
using PicoGpt.Architecture;
using PicoGpt.Checkpoints;

namespace PicoGpt.Weights;

/// <summary>
/// The weights as the tree that the architecture has, by the checkpoint's own names; enumerating it lists the leaves in
/// the order in which the model uses them.
/// </summary>
public sealed class Gpt2Parameters : IReadOnlyCollection<Gpt2Weight>
{
    private readonly Dictionary<string, Gpt2Weight> _leaves;

    private Gpt2Parameters(Dictionary<string, Gpt2Weight> leaves, int layers)
    {
        _leaves = leaves;
        Wte = leaves["wte"];
        Wpe = leaves["wpe"];
        Gpt2Block[] blocks = [.. Enumerable.Range(0, layers).Select(i => Block($"h{i}"))];
        Blocks = blocks; // an array: PowerShell cannot index the list that the compiler makes for an interface
        LnF = LayerNorm("ln_f");
    }

    /// <summary>The token embedding, <c>[n_vocab, n_embd]</c>; its transpose makes the logits.</summary>
    public Gpt2Weight Wte { get; }

    /// <summary>The position embedding, <c>[n_ctx, n_embd]</c>.</summary>
    public Gpt2Weight Wpe { get; }

    /// <summary>The transformer blocks, <c>n_layer</c> of them.</summary>
    public IReadOnlyList<Gpt2Block> Blocks { get; }

    /// <summary>The final norm.</summary>
    public Gpt2LayerNorm LnF { get; }

    /// <summary>The number of leaves.</summary>
    public int Count => _leaves.Count;

    /// <inheritdoc/>
    public IEnumerator<Gpt2Weight> GetEnumerator() => _leaves.Values.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>Lays a checkpoint's tensors out as the tree.</summary>
    /// <exception cref="Gpt2Exception">Tensors are missing, misshapen or surplus; the message names them.</exception>
    internal static Gpt2Parameters Load(ITensorSource source, Gpt2HyperParameters hyperParameters) =>
        new(TensorMatch.Leaves(source, hyperParameters), hyperParameters.NLayer);

    private Gpt2Block Block(string name) => new(
        LayerNorm(name + "/ln_1"),
        new Gpt2Attention(Linear(name + "/attn/c_attn"), Linear(name + "/attn/c_proj")),
        LayerNorm(name + "/ln_2"),
        new Gpt2Mlp(Linear(name + "/mlp/c_fc"), Linear(name + "/mlp/c_proj")));

    private Gpt2LayerNorm LayerNorm(string name) => new(_leaves[name + "/g"], _leaves[name + "/b"]);

    private Gpt2Linear Linear(string name) => new(_leaves[name + "/w"], _leaves[name + "/b"]);
}
