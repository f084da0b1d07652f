using PicoGpt.Inference;
using PicoGpt.Numerics;

namespace PicoGpt.Training;

/// <summary>What a projection's input has in the gradient, <c>dx = dy · wᵀ</c>, divided by its columns.</summary>
/// <param name="kernels">The loops.</param>
internal sealed class InputGradientJob(Kernels kernels) : Job
{
    public Matrix Dy { get; set; }

    public PinnedWeight W { get; set; }

    public Matrix Dx { get; set; }

    public override void Execute(int part, int parts)
    {
        (int from, int to) = Share(Dx.Columns, part, parts, Kernels.PanelColumns);
        if (from < to) kernels.MatMulBackward(Dy, W.Plain, Dx, from, to);
    }
}
