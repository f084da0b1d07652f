namespace PicoGpt.Architecture;

/// <summary>What follows from the tree of a GPT-2 of given hyperparameters, before there is a checkpoint.</summary>
internal static class Gpt2Architecture
{
    /// <summary>The descriptions of all weights, in the order of the model.</summary>
    public static IEnumerable<Gpt2Leaf> Leaves(Gpt2HyperParameters h) => new Gpt2Tree<Gpt2Leaf>(h, leaf => leaf);

    /// <summary>A sum over all weights. All blocks are alike, so that one is measured for all of them.</summary>
    public static long Sum(Gpt2HyperParameters h, Func<Gpt2Leaf, long> measure) =>
        Leaves(h with { NLayer = 1 }).Sum(leaf => measure(leaf) * (leaf.IsInBlock ? h.NLayer : 1));
}
