using System.Collections;

namespace PicoGpt.Architecture;

/// <summary>
/// The tree that the architecture has, with something for each weight: the weights themselves, where they lie in memory, their
/// gradients. This is the one place that tells what weights a GPT-2 has, of what names and shapes; enumerating the tree lists the
/// leaves in the order in which the model uses them.
/// </summary>
/// <typeparam name="T">What stands for each weight.</typeparam>
public class Gpt2Tree<T> : IReadOnlyCollection<T>
{
    private readonly List<T> _leaves = [];

    /// <param name="h">The shape of the model.</param>
    /// <param name="make">Makes what stands for a weight; called once for each, in the order of the model.</param>
    internal Gpt2Tree(Gpt2HyperParameters h, Func<Gpt2Leaf, T> make)
    {
        HyperParameters = h;
        int n = h.NEmbd;
        Wte = Leaf("wte", Gpt2LeafKind.TokenEmbedding, h.NVocab, n);
        Wpe = Leaf("wpe", Gpt2LeafKind.PositionEmbedding, h.NCtx, n);
        var blocks = new Gpt2Block<T>[h.NLayer]; // an array: PowerShell cannot index the list that the compiler makes for an interface
        for (int i = 0; i < blocks.Length; i++) blocks[i] = Block($"h{i}");
        Blocks = blocks;
        LnF = LayerNorm("ln_f");
        LmHead = h.TieWordEmbeddings ? Wte : Leaf("lm_head", Gpt2LeafKind.TokenEmbedding, h.NVocab, n);

        Gpt2Block<T> Block(string name) => new(
            LayerNorm($"{name}/ln_1"),
            new Gpt2Attention<T>(Linear($"{name}/attn/c_attn", n, 3 * n), Linear($"{name}/attn/c_proj", n, n)),
            LayerNorm($"{name}/ln_2"),
            new Gpt2Mlp<T>(Linear($"{name}/mlp/c_fc", n, h.NInner), Linear($"{name}/mlp/c_proj", h.NInner, n)));

        Gpt2LayerNorm<T> LayerNorm(string name) => new(Leaf($"{name}/g", Gpt2LeafKind.Gain, n), Bias(name, n));

        Gpt2Linear<T> Linear(string name, int nIn, int nOut) => new(Leaf($"{name}/w", Gpt2LeafKind.Projection, nIn, nOut), Bias(name, nOut));

        T? Bias(string name, int length) => !h.Bias ? default : Leaf($"{name}/b", Gpt2LeafKind.Bias, length);

        T Leaf(string name, Gpt2LeafKind kind, params int[] shape)
        {
            T leaf = make(new Gpt2Leaf(name, kind, shape));
            _leaves.Add(leaf);
            return leaf;
        }
    }

    /// <summary>The token embedding, <c>[n_vocab, n_embd]</c>.</summary>
    public T Wte { get; }

    /// <summary>The position embedding, <c>[n_ctx, n_embd]</c>.</summary>
    public T Wpe { get; }

    /// <summary>The transformer blocks, <c>n_layer</c> of them.</summary>
    public IReadOnlyList<Gpt2Block<T>> Blocks { get; }

    /// <summary>The final norm.</summary>
    public Gpt2LayerNorm<T> LnF { get; }

    /// <summary>
    /// The output projection, <c>[n_vocab, n_embd]</c>, whose transpose makes the logits: the token embedding itself, unless the model has
    /// a matrix of its own for it.
    /// </summary>
    public T LmHead { get; }

    /// <summary>The number of leaves.</summary>
    public int Count => _leaves.Count;

    /// <inheritdoc/>
    public IEnumerator<T> GetEnumerator() => _leaves.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>The shape of the model.</summary>
    internal Gpt2HyperParameters HyperParameters { get; }

    /// <summary>The same tree of other things, one made of each leaf.</summary>
    internal Gpt2Tree<TOther> Map<TOther>(Func<T, TOther> map)
    {
        int next = 0;
        return new Gpt2Tree<TOther>(HyperParameters, _ => map(_leaves[next++]));
    }
}
