namespace PicoGpt.Training;

/// <summary>The learning rate of every step: a straight rise, then half a cosine down to a tenth.</summary>
internal static class LearningRateSchedule
{
    private const double Least = 0.1;

    /// <summary>The rate of a step, from 1.</summary>
    public static double At(int step, TrainingOptions options)
    {
        if (step <= options.WarmupSteps) return options.LearningRate * step / options.WarmupSteps;
        double way = (double)(step - options.WarmupSteps) / Math.Max(1, options.Steps - options.WarmupSteps);
        return options.LearningRate * (Least + ((1 - Least) * 0.5 * (1 + CosineOfPi(Math.Min(way, 1)))));
    }

    // cos(πx), x from 0 to 1, by its Taylor series: the C library's last bit depends on the machine.
    private static double CosineOfPi(double x)
    {
        double square = Math.PI * x * Math.PI * x, term = 1, sum = 1;
        for (int n = 2; n <= 30; n += 2)
        {
            term *= -square / (n * (n - 1));
            sum += term;
        }

        return sum;
    }
}
