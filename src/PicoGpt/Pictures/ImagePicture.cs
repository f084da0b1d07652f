using PicoGpt.Weights;

namespace PicoGpt.Pictures;

/// <summary>Pictures as PNG images. They have no letters; title and caption stand in the file's own text fields.</summary>
internal static class ImagePicture
{
    private const int SmallestSide = 512;
    private const int MinHeight = 32;
    private const int BarWidth = 8;

    private static readonly Rgb Paper = new(255, 255, 255);
    private static readonly Rgb Axis = new(0x60, 0x60, 0x60);

    /// <summary>A heatmap: a square of pixels a cell, which is one where there are many cells.</summary>
    public static byte[] Png(Heatmap map)
    {
        int across = Math.Max(SmallestSide / Math.Max(map.Rows, map.Columns), 1);
        int down = Math.Max(across, MinHeight / map.Rows); // so that a vector is a strip, not a hairline
        return Pixels(map, across, down);
    }

    /// <summary>A heatmap of so many pixels that to smooth them, as some viewers do where it is scaled, is not seen.</summary>
    /// <param name="map">The heatmap.</param>
    /// <param name="side">Pixels of each side, about.</param>
    public static byte[] PngToScale(Heatmap map, int side) => Pixels(map, Math.Max(side / map.Columns, 1), Math.Max(side / map.Rows, 1));

    /// <summary>A histogram: upright bars, a line below and one where zero is.</summary>
    public static byte[] Png(HistogramChart chart, int height)
    {
        int width = chart.Bins.Count * BarWidth;
        Rgb[] pixels = new Rgb[height * width]; // [height, width]
        Array.Fill(pixels, Paper);
        for (int x = 0; x < width; x++)
        {
            HistogramBin bin = chart.Bins[x / BarWidth];
            int top = height - 1 - BarHeight(bin, chart.MaxCount, height - 2);
            for (int y = top; y < height - 1; y++) pixels[(y * width) + x] = chart.ColorOf(bin);
            if (bin.Lower == 0 && x % BarWidth == 0)
            {
                for (int y = 0; y < top; y++) pixels[(y * width) + x] = Axis;
            }

            pixels[((height - 1) * width) + x] = Axis;
        }

        return PngEncoder.Encode(pixels, width, chart.Title, chart.Caption);
    }

    private static int BarHeight(HistogramBin bin, long max, int height) =>
        bin.Count == 0 ? 0 : Math.Max((int)Math.Round((double)bin.Count / max * height), 1);

    private static byte[] Pixels(Heatmap map, int across, int down)
    {
        int width = map.Columns * across, height = map.Rows * down;
        Rgb[] pixels = new Rgb[height * width]; // [height, width]
        for (int y = 0; y < height; y++)
        {
            for (int x = 0; x < width; x++) pixels[(y * width) + x] = DivergingColors.Of(map.Level(y / down, x / across));
        }

        return PngEncoder.Encode(pixels, width, map.Title, map.Caption);
    }
}
