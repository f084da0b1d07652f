using System.Diagnostics.CodeAnalysis;

namespace PicoGpt.Intervening;

/// <summary>Means over texts, summed in double precision in the order of the texts.</summary>
[SuppressMessage("Performance", "CA1814", Justification = "Rows of one width are a matrix.")]
internal static class Average
{
    /// <summary>The mean row of all rows: [texts][n_seq, width] -> [1, width].</summary>
    public static float[,] OfAllRows(IReadOnlyList<float[,]> texts)
    {
        int width = texts[0].GetLength(1);
        double[] sums = new double[width];
        int rows = 0;
        foreach (float[,] text in texts)
        {
            rows += text.GetLength(0);
            for (int t = 0; t < text.GetLength(0); t++)
            {
                for (int i = 0; i < width; i++) sums[i] += text[t, i];
            }
        }

        float[,] mean = new float[1, width];
        for (int i = 0; i < width; i++) mean[0, i] = (float)(sums[i] / rows);
        return mean;
    }

    /// <summary>The mean of each row over the texts that are so long: [texts][n_seq, n_seq] -> [longest, longest].</summary>
    public static float[,] OfRows(IReadOnlyList<float[,]> texts)
    {
        int longest = texts.Max(text => text.GetLength(0));
        float[,] mean = new float[longest, longest];
        for (int t = 0; t < longest; t++)
        {
            float[][,] reaching = [.. texts.Where(text => text.GetLength(0) > t)];
            for (int j = 0; j <= t; j++) mean[t, j] = (float)(reaching.Sum(text => (double)text[t, j]) / reaching.Length);
        }

        return mean;
    }
}
