namespace PicoGpt.Training;

/// <summary>
/// Sees when the loss explodes: when its mean over some steps is half as much again as the least that it was, and a nat above that. The
/// loss of another text, or of what is not known yet, does not rise so far.
/// </summary>
internal sealed class LossWatch
{
    /// <summary>The steps of a mean.</summary>
    public const int Span = 10;

    private readonly Queue<double> _last = new(Span + 1);

    /// <summary>The mean of the last steps.</summary>
    public double Mean { get; private set; } = double.PositiveInfinity;

    /// <summary>The least mean that there was.</summary>
    public double Least { get; private set; } = double.PositiveInfinity;

    /// <summary>Takes the loss of the next step.</summary>
    /// <returns>Whether it has exploded.</returns>
    public bool Add(double loss)
    {
        _last.Enqueue(loss);
        if (_last.Count > Span) _last.Dequeue();
        if (_last.Count < Span) return false;
        Mean = _last.Average();
        Least = Math.Min(Least, Mean);
        return Mean > (1.5 * Least) + 1;
    }
}
