using PicoGpt.Inference;
using PicoGpt.Numerics;

namespace PicoGpt.Training;

/// <summary>A layer norm backward: first its input's part of the gradient, divided by rows, then gain's and bias's, divided by columns.</summary>
/// <param name="kernels">The loops.</param>
/// <param name="epsilon">What is added to the variance.</param>
internal sealed unsafe class LayerNormGradientJob(Kernels kernels, float epsilon) : Job
{
    /// <summary>Whether the input's part is there, and gain and bias are to do.</summary>
    public bool IsOfWeights { get; set; }

    public Matrix X { get; set; }

    public PinnedWeight G { get; set; }

    public Matrix Dy { get; set; }

    /// <summary>The rows without gain and bias: [n_rows, n_embd].</summary>
    public Matrix Normed { get; set; }

    /// <summary>Grows by the input's part.</summary>
    public Matrix Dx { get; set; }

    /// <summary>The gain's; null where it is not wanted.</summary>
    public float* Dg { get; set; }

    /// <summary>The bias's; null where it is not wanted.</summary>
    public float* Db { get; set; }

    public override void Execute(int part, int parts)
    {
        if (IsOfWeights)
        {
            (int from, int to) = Share(X.Columns, part, parts, Kernels.Lanes);
            AddToWeights(from, to - from);
        }
        else
        {
            (int from, int to) = Share(X.Rows, part, parts);
            kernels.LayerNormBackward(X, G.Vector, epsilon, Dy, Normed, Dx, from, to);
        }
    }

    private void AddToWeights(int from, int count)
    {
        for (int t = 0; t < X.Rows; t++)
        {
            if (Dg is not null) kernels.MultiplyAdd(Dg + from, Dy.RowPointer(t) + from, Normed.RowPointer(t) + from, count);
            if (Db is not null) kernels.Add(Db + from, Dy.RowPointer(t) + from, count);
        }
    }
}
