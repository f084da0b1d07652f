using PicoGpt.Numerics;

namespace PicoGpt.Training;

/// <summary>Cross-entropy of the logits with the tokens that came, and its gradient in the logits' place, divided by rows.</summary>
/// <param name="kernels">The loops.</param>
internal sealed unsafe class LossJob(Kernels kernels) : Job
{
    /// <summary>The logits, with room to the next multiple of <see cref="Kernels.Lanes"/>: [n, n_vocab]; the gradient afterwards.</summary>
    public Matrix Logits { get; set; }

    /// <summary>The tokens that came: [n].</summary>
    public ReadOnlyMemory<int> Targets { get; set; }

    /// <summary>What the gradient is multiplied by.</summary>
    public float Weight { get; set; }

    /// <summary>−ln p of each, in nats: [n].</summary>
    public double[] Losses { get; } = new double[Gpt2Backward.LogitsRows];

    public override void Execute(int part, int parts)
    {
        (int from, int to) = Share(Logits.Rows, part, parts);
        for (int t = from; t < to; t++)
        {
            float* row = Logits.RowPointer(t);
            int target = Targets.Span[t];
            kernels.Softmax(row, Logits.Columns);
            Losses[t] = -PortableMath.Log(Math.Max(row[target], double.CreateChecked(float.Epsilon))); // NaN stays NaN
            row[target] -= 1f;
            kernels.Scale(row, Weight, Logits.Columns);
        }
    }
}
