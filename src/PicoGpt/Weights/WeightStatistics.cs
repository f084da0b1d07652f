using System.Numerics.Tensors;

namespace PicoGpt.Weights;

/// <summary>Statistics of a tensor's values, gathered in one pass over memory.</summary>
internal readonly record struct WeightStatistics(float Min, float Max, double Mean, double StandardDeviation)
{
    // Small enough for the first-level cache, so that the values are read from memory once.
    private const int ChunkLength = 4096;

    /// <summary>
    /// Means and squared deviations of chunks are merged pairwise in double precision: T. F. Chan, G. H. Golub,
    /// R. J. LeVeque, "Updating formulae and a pairwise algorithm for computing sample variances", 1979.
    /// </summary>
    public static WeightStatistics Of(ReadOnlySpan<float> values)
    {
        if (values.IsEmpty) return new WeightStatistics(float.NaN, float.NaN, double.NaN, double.NaN);
        float min = float.PositiveInfinity, max = float.NegativeInfinity;
        double count = 0, mean = 0, squares = 0;
        Span<float> deviations = stackalloc float[ChunkLength];
        while (!values.IsEmpty)
        {
            ReadOnlySpan<float> chunk = values[..Math.Min(ChunkLength, values.Length)];
            values = values[chunk.Length..];
            min = MathF.Min(min, TensorPrimitives.Min(chunk));
            max = MathF.Max(max, TensorPrimitives.Max(chunk));

            float chunkMean = TensorPrimitives.Sum(chunk) / chunk.Length;
            TensorPrimitives.Subtract(chunk, chunkMean, deviations);
            double residue = TensorPrimitives.Sum(deviations[..chunk.Length]);
            double chunkSquares = TensorPrimitives.SumOfSquares(deviations[..chunk.Length]) - (residue * residue / chunk.Length);
            double delta = chunkMean + (residue / chunk.Length) - mean;

            double total = count + chunk.Length;
            squares += chunkSquares + (delta * delta * count * chunk.Length / total);
            mean += delta * chunk.Length / total;
            count = total;
        }

        return new WeightStatistics(min, max, mean, Math.Sqrt(Math.Max(squares, 0) / count));
    }
}
