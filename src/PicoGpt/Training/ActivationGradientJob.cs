using PicoGpt.Numerics;

namespace PicoGpt.Training;

/// <summary>The activation backward, <c>dy *= f'(x)</c>, divided by rows.</summary>
/// <param name="kernels">The loops.</param>
/// <param name="activation">The activation.</param>
internal sealed unsafe class ActivationGradientJob(Kernels kernels, ActivationFunction activation) : Job
{
    public Matrix X { get; set; }

    public Matrix Dy { get; set; }

    public override void Execute(int part, int parts)
    {
        (int from, int to) = Share(X.Rows, part, parts);
        for (int t = from; t < to; t++) kernels.ActivateBackward(activation, X.RowPointer(t), Dy.RowPointer(t), X.Columns);
    }
}
