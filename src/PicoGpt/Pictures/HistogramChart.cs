using PicoGpt.Weights;

namespace PicoGpt.Pictures;

/// <summary>What a picture of a histogram shows: bins, and the statistics in words.</summary>
internal sealed class HistogramChart
{
    // Nearer to zero a bar would be as white as the paper.
    private const double Palest = 0.25;

    private HistogramChart(FloatTensor tensor, int bins)
    {
        WeightStatistics statistics = tensor.Statistics;
        Title = TextLines.Title(tensor);
        Bins = statistics.Histogram.Rebin(bins);
        Caption = Describe(statistics);
    }

    /// <summary>What it shows.</summary>
    public string Title { get; }

    /// <summary>The bins, one at least.</summary>
    public WeightHistogram Bins { get; }

    /// <summary>How wide the bins are, and the statistics.</summary>
    public string Caption { get; }

    /// <summary>The count of the fullest bin.</summary>
    public long MaxCount => Bins.Max(bin => bin.Count);

    /// <summary>Counts a tensor's values.</summary>
    /// <param name="tensor">The tensor, with a finite value at least.</param>
    /// <param name="bins">The most bins.</param>
    /// <exception cref="Gpt2Exception">The tensor has no finite values.</exception>
    public static HistogramChart Of(FloatTensor tensor, int bins)
    {
        if (tensor.Statistics.Histogram.Count == 0)
            throw new Gpt2Exception(Gpt2Error.InvalidArgument, $"{tensor} has no finite values to show.");
        return new HistogramChart(tensor, bins);
    }

    /// <summary>The colour of a bin: how far it is from zero, as far as the farthest.</summary>
    public Rgb ColorOf(HistogramBin bin)
    {
        double reach = Math.Max(Math.Abs(Bins[0].Lower), Math.Abs(Bins[^1].Upper)), middle = (bin.Lower + bin.Upper) / 2 / reach;
        return DivergingColors.Of(middle < 0 ? Math.Min(middle, -Palest) : Math.Max(middle, Palest));
    }

    private string Describe(WeightStatistics statistics)
    {
        string text = $"Each bin is {Heatmap.Number(Bins.BinWidth)} wide; {statistics.Count} values "
            + $"from {Heatmap.Number(statistics.Min)} to {Heatmap.Number(statistics.Max)}, "
            + $"mean {Heatmap.Number(statistics.Mean)}, standard deviation {Heatmap.Number(statistics.StandardDeviation)}";
        if (statistics.Zeros > 0) text += $", {statistics.Zeros} zeros";
        if (statistics.NaNs > 0) text += $", {statistics.NaNs} NaN";
        if (statistics.Infinities > 0) text += $", {statistics.Infinities} infinite";
        return text + ".";
    }
}
