namespace PicoGpt.Numerics;

/// <summary>Work that <see cref="WorkerPool"/> divides among its threads. An instance is made once and run many times.</summary>
internal abstract class Job
{
    // Measured: what one core wrote takes another so long to get that a prompt of 256 positions is read a tenth faster where each core keeps
    // its rows; with fewer rows a share, weights would be unpacked too often.
    private const int LeastRows = 64;

    /// <summary>Called before the threads begin, by one.</summary>
    /// <param name="parts">Threads.</param>
    public virtual void Prepare(int parts)
    {
    }

    /// <summary>Does the share <paramref name="part"/> of <paramref name="parts"/> shares.</summary>
    public abstract void Execute(int part, int parts);

    /// <summary>The bounds of a share of <paramref name="count"/> elements, in whole multiples of <paramref name="grain"/>.</summary>
    public static (int From, int To) Share(int count, int part, int parts, int grain = 1)
    {
        long grains = (count + grain - 1) / grain;
        int from = (int)Math.Min(grains * part / parts * grain, count);
        int to = (int)Math.Min(grains * (part + 1) / parts * grain, count);
        return (from, to);
    }

    /// <summary>Whether each share has so many rows that it should have all columns of them.</summary>
    protected static bool IsByRows(int rows, int parts) => rows >= parts * LeastRows;
}
