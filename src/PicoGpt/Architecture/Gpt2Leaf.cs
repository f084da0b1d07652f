namespace PicoGpt.Architecture;

/// <summary>A leaf of the tree that the architecture has: the description of one weight.</summary>
/// <param name="Name">Its name, such as <c>h0/attn/c_attn/w</c>: the checkpoint's name without the scope <c>model/</c>.</param>
/// <param name="Kind">What it does.</param>
/// <param name="Shape">Its dimensions.</param>
internal sealed record Gpt2Leaf(string Name, Gpt2LeafKind Kind, int[] Shape)
{
    /// <summary>The number of values.</summary>
    public long Count => Shape.Aggregate(1L, (product, dimension) => product * dimension);

    /// <summary>Whether it is one of the matrices in which nearly all values are; they can be held in fewer bits.</summary>
    public bool IsMatrix => Kind is Gpt2LeafKind.TokenEmbedding or Gpt2LeafKind.Projection;

    /// <summary>Rows and columns of a matrix as a product walks it: the inner dimension first.</summary>
    public (int Rows, int Columns) Walk => Kind == Gpt2LeafKind.TokenEmbedding ? (Shape[1], Shape[0]) : (Shape[0], Shape[1]);

    /// <summary>Whether every transformer block has its like.</summary>
    public bool IsInBlock => Name is ['h', >= '0' and <= '9', ..];

    /// <summary>The part of a block that it belongs to, such as <c>ln_1</c> or <c>attn</c>; of others, the name's own beginning.</summary>
    public string Part => Name.Split('/')[IsInBlock ? 1 : 0];
}
