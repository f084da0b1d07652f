namespace PicoGpt.Weights;

/// <summary>
/// One bin of a <see cref="WeightHistogram"/>: the values from <paramref name="Lower"/> on that are below <paramref name="Upper"/>.
/// </summary>
/// <param name="Lower">The least value that falls into the bin.</param>
/// <param name="Upper">The first value that does not any more.</param>
/// <param name="Count">How many values are in the bin.</param>
public readonly record struct HistogramBin(double Lower, double Upper, long Count);
