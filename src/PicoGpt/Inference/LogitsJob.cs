using PicoGpt.Numerics;

namespace PicoGpt.Inference;

/// <summary>The projection to the vocabulary, <c>y = x · wteᵀ</c>, divided by tokens.</summary>
internal sealed unsafe class LogitsJob(Kernels kernels) : Job
{
    public Matrix X { get; set; }

    /// <summary>[n_vocab, n_embd]; packed, it is transposed.</summary>
    public PinnedWeight Wte { get; set; }

    public Matrix Y { get; set; }

    public override void Execute(int part, int parts)
    {
        (int from, int to) = Share(Y.Columns, part, parts, PackedMatrix.Side);
        if (from == to) return;
        if (Wte.IsPacked) kernels.MatMulPacked(X, Wte.Packed, null, Y, from, to);
        else kernels.MatMulTransposed(X, Wte.Plain, Y, from, to);
    }
}
