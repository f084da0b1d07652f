namespace PicoGpt.Inference;

/// <summary>
/// What a pass takes by its number of rows, as the last passes tell it: a single row, a second one, and from then on a straight line, by least
/// squares in which a pass counts the less the longer ago it was. What it tells is only ever used to choose how far to guess: no text depends on it.
/// </summary>
internal sealed class PassCost
{
    // The weight of what is usual beside that of the last passes, each of which weighs one where it has a second row, and the square of its further rows.
    private const double FirstWeight = 2;
    private const double SecondWeight = 0.3;
    private const double FurtherWeight = 5;

    // Up to here rows wait for the weights, beyond for the arithmetic, and each takes twice as long (measured in Float32). Where the weights are fewer
    // bytes, every row waits for the arithmetic.
    private const int WaitingRows = 10;

    private const double Memory = 0.9;

    // The system may take the processor away in the middle of a pass: one that is slow is taken for no slower than this, and the next tell more.
    private const double MostSlower = 1.25;
    private const double MuchFaster = 0.5;

    private readonly double _usualSecond, _usualFurther;
    private readonly int _waitingRows;
    private readonly bool _isMeasured;
    private double _weight, _s, _x, _xx, _time, _sTime, _xTime; // sums
    private double _first = 1;

    /// <param name="precision">How the model runs: what is usual counts until the passes tell.</param>
    /// <param name="isMeasured">Whether the passes tell at all, or what is usual stays: for tests.</param>
    /// <param name="usualFirst">What a single row usually takes, if that is known.</param>
    public PassCost(Gpt2Precision precision = Gpt2Precision.Float32, bool isMeasured = true, double? usualFirst = null)
    {
        (SecondRow, FurtherRow) = (_usualSecond, _usualFurther) = UsualOf(precision);
        _isMeasured = isMeasured;
        _waitingRows = precision is Gpt2Precision.Int8 or Gpt2Precision.Int4 ? int.MaxValue : WaitingRows;
        if (usualFirst is not { } first) return;
        (_first, _weight, _time) = (first, FirstWeight, FirstWeight * first);
    }

    /// <summary>Whether any pass has told its time. Before that, a pass over one row counts as 1.</summary>
    public bool IsKnown => _weight > 0;

    /// <summary>What a second row takes, as a share of a single one.</summary>
    public double SecondRow { get; private set; }

    /// <summary>What each further row takes, as a share of a single one.</summary>
    public double FurtherRow { get; private set; }

    /// <summary>The seconds of a pass.</summary>
    public double Of(int rows) => _first * (1 + (SecondRow * Second(rows)) + (FurtherRow * Further(rows)));

    /// <summary>Learns what a pass took.</summary>
    public void Note(int rows, double seconds)
    {
        if (!_isMeasured || seconds <= 0) return; // a clock that is too coarse tells nothing
        double expected = Of(rows), s = Second(rows), x = Further(rows);
        if (IsKnown && seconds < MuchFaster * expected) _weight = _s = _x = _xx = _time = _sTime = _xTime = 0; // what came before was not the usual
        else if (IsKnown) seconds = Math.Min(seconds, MostSlower * expected);
        _weight = (Memory * _weight) + 1;
        _s = (Memory * _s) + s;
        _x = (Memory * _x) + x;
        _xx = (Memory * _xx) + (x * x);
        _time = (Memory * _time) + seconds;
        _sTime = (Memory * _sTime) + (s * seconds);
        _xTime = (Memory * _xTime) + (x * seconds);
        Fit();
    }

    // Measured at the shape of 124M. The less is read, the more of a pass is arithmetic.
    private static (double Second, double Further) UsualOf(Gpt2Precision precision) => precision switch
    {
        Gpt2Precision.Float32 => (0.15, 0.05),
        Gpt2Precision.Int8 => (0.1, 0.22),
        Gpt2Precision.Int4 => (0.1, 0.33),
        _ => (0.15, 0.12),
    };

    private static double Second(int rows) => rows > 1 ? 1 : 0;

    private double Further(int rows) => Math.Max(rows - 2, 0) + Math.Max(rows - _waitingRows, 0);

    // No row saves time: where it seems so, it takes none.
    private void Fit()
    {
        Prior second = new(_usualSecond, SecondWeight), further = new(_usualFurther, FurtherWeight);
        (double a, double b, double c) = Fit(second, further);
        if (c < 0) (a, b, c) = Fit(second, further = Prior.Nothing);
        if (b < 0) (a, b, c) = Fit(Prior.Nothing, further);
        if (a > 0) (_first, SecondRow, FurtherRow) = (a, Math.Max(b / a, 0), Math.Max(c / a, 0));
        else (_first, SecondRow, FurtherRow) = (_time / (_weight + (_usualSecond * _s) + (_usualFurther * _x)), _usualSecond, _usualFurther);
    }

    // The times a, b and c of the first, the second and the further rows for which
    // Σ (a + b·s + c·x − t)² + second.Weight · (b − second.Share · a)² + further.Weight · (c − further.Share · a)² is least.
    private (double A, double B, double C) Fit(Prior second, Prior further)
    {
        double aa = _weight + (second.Weight * second.Share * second.Share) + (further.Weight * further.Share * further.Share);
        double ab = _s - (second.Weight * second.Share), ac = _x - (further.Weight * further.Share);
        double bb = _s + second.Weight, bc = _x, cc = _xx + further.Weight;
        double determinant = (bb * cc) - (bc * bc); // of the last two equations, by which b = b0 − b1·a and c = c0 − c1·a
        double b0 = ((_sTime * cc) - (_xTime * bc)) / determinant, c0 = ((_xTime * bb) - (_sTime * bc)) / determinant;
        double b1 = ((ab * cc) - (ac * bc)) / determinant, c1 = ((ac * bb) - (ab * bc)) / determinant;
        double a = (_time - (ab * b0) - (ac * c0)) / (aa - (ab * b1) - (ac * c1));
        return (a, b0 - (b1 * a), c0 - (c1 * a));
    }

    /// <summary>What rows usually take, as a share of a single one, and how much that weighs.</summary>
    private readonly record struct Prior(double Share, double Weight)
    {
        public static Prior Nothing => new(0, 1e9);
    }
}
