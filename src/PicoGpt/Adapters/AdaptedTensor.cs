using System.Runtime.InteropServices;
using PicoGpt.Checkpoints;
using PicoGpt.Files;
using PicoGpt.Numerics;

namespace PicoGpt.Adapters;

/// <summary>The matrix of a projection with what an adapter adds to it, <c>w + scale · aᵀ·b</c>, computed when its elements are asked for.</summary>
/// <param name="name">The name.</param>
/// <param name="tensor">The matrix: [in, out], or that behind dimensions of 1.</param>
/// <param name="adapter">The adapter.</param>
/// <param name="matrices">Its matrices for this one.</param>
internal sealed unsafe class AdaptedTensor(string name, StoredTensor tensor, AdapterFile adapter, AdapterMatrices matrices)
    : StoredTensor(name, TensorDType.Float32, new TensorShape(matrices.A.Length / adapter.Config.Rank, matrices.B.Length / adapter.Config.Rank))
{
    public override long Size => Shape.ElementCount * sizeof(float);

    public override string GetFingerprint(CancellationToken cancellationToken) => $"{tensor.GetFingerprint(cancellationToken)} adapted by {adapter.Digest}";

    public override void Verify(CancellationToken cancellationToken = default) => tensor.Verify(cancellationToken);

    public override FileHole? FindHole() => tensor.FindHole();

    public override ReadOnlyMemory<byte> GetBytes() => MemoryMarshal.AsBytes(GetFloats().Span).ToArray();

    public override ReadOnlyMemory<float> GetFloats()
    {
        int nIn = (int)Shape[0], nOut = (int)Shape[1], rank = adapter.Config.Rank;
        using var values = new HeldMemory<float>(tensor.GetFloats());
        float[] sum = values.Span.ToArray(), scaled = new float[nIn * rank];
        for (int i = 0; i < nIn; i++)
        {
            for (int k = 0; k < rank; k++) scaled[(i * rank) + k] = (float)(matrices.A[(k * nIn) + i] * adapter.Config.Scale);
        }

        fixed (float* a = scaled, b = matrices.B, y = sum)
            Kernels.Best.MatMulAdd(new Matrix(a, nIn, rank), new Matrix(b, rank, nOut), new Matrix(y, nIn, nOut), 0, nOut);
        return values.IfUnchanged(sum);
    }
}
