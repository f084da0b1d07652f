using PicoGpt.Numerics;

namespace PicoGpt.Inference;

/// <summary>The projection to the vocabulary, <c>y = x · wᵀ</c>, divided by tokens.</summary>
internal sealed unsafe class LogitsJob(Kernels kernels) : Job
{
    private readonly WorkShares _tokens = new();

    public Matrix X { get; set; }

    /// <summary>The same in integers, or where each thread puts a single row, where <see cref="W"/> is in integers; a matrix of no rows otherwise.</summary>
    public QuantizedMatrix Quantized { get; set; }

    /// <summary>The output projection, [n_vocab, n_embd]; packed, it is transposed.</summary>
    public PinnedWeight W { get; set; }

    public Matrix Y { get; set; }

    public override void Prepare(int parts) => _tokens.Divide(Y.Columns, parts, PackedMatrix.Side);

    public override void Execute(int part, int parts)
    {
        if (!_tokens.TryTake(part, out WorkPiece some)) return;
        QuantizedMatrix quantized = QuantizeJob.Rounded(kernels, X, Quantized, part);
        do
        {
            Execute(quantized, some.From, some.To);
        }
        while (_tokens.TryTake(part, out some));
    }

    private void Execute(QuantizedMatrix quantized, int from, int to)
    {
        if (quantized.Rows > 0) kernels.MatMulQuantized(quantized, W.Packed, null, Y, from, to);
        else if (W.IsPacked) kernels.MatMulPacked(X, W.Packed, null, Y, from, to);
        else kernels.MatMulTransposed(X, W.Plain, Y, from, to);
    }
}
