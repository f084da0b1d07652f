namespace PicoGpt.Inference;

/// <summary>
/// What a pass takes by its number of rows, as the last passes tell it: a straight line through their times, by least squares in which a
/// pass counts the less the longer ago it was. What it tells is only ever used to choose how far to guess: no text depends on it.
/// </summary>
internal sealed class PassCost
{
    /// <summary>What a further row takes in Float32 (measured at the shape of 124M: 0.04 to 0.07).</summary>
    public const double UsualFurther = 0.06;

    // The weight of what is usual beside that of the last passes, each of which weighs as much as the square of its further rows.
    private const double UsualWeight = 10;

    // Up to here rows wait for the weights, beyond for the arithmetic, and each takes twice as long (measured in Float32).
    private const int WaitingRows = 10;

    private const double Memory = 0.9;

    // The system may take the processor away in the middle of a pass.
    private const double MostSlower = 2;

    private readonly double _usualFurther;
    private double _weight, _x, _xx, _time, _xTime; // sums
    private double _first = 1;

    /// <param name="usualFurther">What a further row usually takes, as a share of a single one; it counts until the passes tell.</param>
    public PassCost(double usualFurther = UsualFurther) => FurtherRow = _usualFurther = usualFurther;

    /// <summary>Whether any pass has told its time. Before that, a pass over one row counts as 1.</summary>
    public bool IsKnown => _weight > 0;

    /// <summary>What a further row takes, as a share of a single one.</summary>
    public double FurtherRow { get; private set; }

    /// <summary>The seconds of a pass.</summary>
    public double Of(int rows) => _first * (1 + (FurtherRow * Further(rows)));

    /// <summary>Learns what a pass took.</summary>
    public void Note(int rows, double seconds)
    {
        if (seconds <= 0) return; // a clock that is too coarse tells nothing
        double expected = Of(rows), x = Further(rows);
        if (IsKnown && seconds < expected / MostSlower) _weight = _x = _xx = _time = _xTime = 0; // what came before was not the usual
        else if (IsKnown) seconds = Math.Min(seconds, MostSlower * expected);
        _weight = (Memory * _weight) + 1;
        _x = (Memory * _x) + x;
        _xx = (Memory * _xx) + (x * x);
        _time = (Memory * _time) + seconds;
        _xTime = (Memory * _xTime) + (x * seconds);
        Fit();
    }

    private static double Further(int rows) => rows - 1 + Math.Max(rows - WaitingRows, 0);

    // The first and the further rows' times a and b for which Σ (a + b·x − t)² + w·(b − usual·a)² is least.
    private void Fit()
    {
        double aa = _weight + (UsualWeight * _usualFurther * _usualFurther), ab = _x - (UsualWeight * _usualFurther), bb = _xx + UsualWeight;
        double determinant = (aa * bb) - (ab * ab);
        double first = ((_time * bb) - (_xTime * ab)) / determinant, further = ((_xTime * aa) - (_time * ab)) / determinant;
        if (first > 0 && further >= 0) (_first, FurtherRow) = (first, further / first);
        else (_first, FurtherRow) = (_time / _weight, 0);
    }
}
