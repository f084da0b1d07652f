using PicoGpt.Numerics;

namespace PicoGpt.Inference;

/// <summary>The projection to the vocabulary, <c>y = x · wteᵀ</c>, divided by tokens.</summary>
internal sealed unsafe class LogitsJob(Kernels kernels, int width, int threads) : Job, IDisposable
{
    private readonly AlignedBuffer _panels = new((long)Kernels.PackedLength(width) * threads);

    public Matrix X { get; set; }

    /// <summary>[n_vocab, n_embd]; packed, it is transposed.</summary>
    public PinnedMatrix Wte { get; set; }

    public Matrix Y { get; set; }

    public override void Execute(int part, int parts)
    {
        (int from, int to) = Share(Y.Columns, part, parts, PackedMatrix.Side);
        if (from == to) return;
        if (Wte.IsPacked) kernels.MatMulPacked(X, Wte.Packed, null, Y, from, to, _panels.Data + ((nint)part * Kernels.PackedLength(width)));
        else kernels.MatMulTransposed(X, Wte.Plain, Y, from, to);
    }

    public void Dispose() => _panels.Dispose();
}
