using PicoGpt.Numerics;

namespace PicoGpt.Training;

/// <summary>The gradient's norm, and the update of the weights, each divided by parts of the weights, which are the same for any number of threads.</summary>
/// <param name="kernels">The loops.</param>
/// <param name="parts">The values that are updated.</param>
internal sealed unsafe class UpdateJob(Kernels kernels, WeightPart[] parts) : Job
{
    private readonly double[] _squares = new double[parts.Length];
    private bool _updates;
    private AdamWFactors _factors;

    /// <summary>The norm of the gradient.</summary>
    public double Norm(WorkerPool pool)
    {
        _updates = false;
        pool.Run(this);
        double sum = 0;
        foreach (double square in _squares) sum += square;
        return Math.Sqrt(sum);
    }

    /// <summary>Updates the weights.</summary>
    public void Update(WorkerPool pool, AdamWFactors factors)
    {
        (_updates, _factors) = (true, factors);
        pool.Run(this);
    }

    public override void Execute(int part, int count)
    {
        (int from, int to) = Share(parts.Length, part, count);
        for (int i = from; i < to; i++)
        {
            WeightPart of = parts[i];
            if (!_updates) _squares[i] = kernels.SumOfSquares(of.G, of.Count);
            else kernels.AdamW(of.W, of.G, of.M, of.V, of.Count, of.Decays ? _factors : _factors with { Keep = 1 });
        }
    }
}
