using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using System.Xml.Linq;
using PicoGpt.Checkpoints;
using PicoGpt.Checkpoints.TensorFlow;
using PicoGpt.Files;
using PicoGpt.Pictures;
using PicoGpt.Weights;
using Xunit;

namespace PicoGpt.Tests.Pictures;

public sealed class PictureTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Cells_have_the_mean_or_the_extreme_of_their_values()
    {
        RawTensor tensor = Tensor(new TensorShape(4, 3), [1, 2, 3, -5, 4, 0, 7, 8, 9, -10, 11, 12]);
        Heatmap mean = Heatmap.Of(tensor, 2, 2, CellValue.Mean, limit: null);
        Assert.Equal([-2f, 2.25f, -1.5f, 10f], mean.Cells);
        Assert.StartsWith("Each cell is the mean of 2 × 1 or 2 values; ", mean.Caption, StringComparison.Ordinal);
        Heatmap extreme = Heatmap.Of(tensor, 2, 2, CellValue.Extreme, limit: 10);
        Assert.Equal([-5f, 4f, -10f, 12f], extreme.Cells);
        Assert.Equal([-0.5, 1], new[] { extreme.Level(0, 0), extreme.Level(1, 1) });
        Assert.EndsWith("the colours reach to ±10, and 1 of 4 cells are beyond, as far as 12.", extreme.Caption, StringComparison.Ordinal);
        Assert.Equal(12, Heatmap.Of(tensor, 99, 99, CellValue.Mean, limit: null).Cells.Length);
    }

    [Fact]
    public void Cells_of_a_view_are_those_of_its_copy()
    {
        using Gpt2Model model = BuiltInModel.Open();
        WeightSlice view = model.Parameters.Wpe.Slice("::-3, 5:190:2");
        Heatmap map = Heatmap.Of(view, 10, 20, CellValue.Mean, limit: null);
        RawTensor copy = Tensor(new TensorShape(view.Shape[0], view.Shape[1]), view.ToArray());
        Assert.Equal(Heatmap.Of(copy, 10, 20, CellValue.Mean, limit: null).Cells, map.Cells);
        Assert.Equal(256, Heatmap.Of(model.Parameters.Wpe.Column(3), 10, 999, CellValue.Mean, limit: null).Columns);
        Assert.Single(Heatmap.Of(model.Parameters.Wpe.Slice("3, 4"), 10, 10, CellValue.Mean, limit: null).Cells);
    }

    [Theory]
    [InlineData(CellValue.Mean)]
    [InlineData(CellValue.Extreme)]
    internal void What_is_no_number_is_not_hidden(CellValue cellValue)
    {
        RawTensor tensor = Tensor(new TensorShape(1, 6), [1, float.NaN, 2, float.PositiveInfinity, 3, 4]);
        Heatmap map = Heatmap.Of(tensor, 1, 3, cellValue, limit: null);
        Assert.True(float.IsNaN(map.Cells[0]) && float.IsPositiveInfinity(map.Cells[1]));
        Assert.Equal(1, map.Level(0, 1));
        Assert.Contains("as far as Infinity; 1 cells have NaN", map.Caption, StringComparison.Ordinal);
        Assert.Contains("?", TerminalPicture.Lines(map, 40)[1], StringComparison.Ordinal);
        Assert.Equal(DivergingColors.NotANumber, DivergingColors.Of(map.Level(0, 0)));
    }

    [Fact]
    public void Zeros_alone_and_NaN_alone_have_pictures_too()
    {
        Assert.Equal(0, Heatmap.Of(Tensor(new TensorShape(2, 2), new float[4]), 2, 2, CellValue.Mean, limit: null).Level(1, 1));
        RawTensor nans = Tensor(new TensorShape(2), [float.NaN, float.NaN]);
        Assert.Equal(1, Heatmap.Of(nans, 2, 2, CellValue.Mean, limit: null).Limit);
        Assert.Equal(Gpt2Error.InvalidArgument, Assert.Throws<Gpt2Exception>(() => HistogramChart.Of(nans, 10)).Error);
        RawTensor empty = Tensor(new TensorShape(0, 3), []);
        Assert.Equal(Gpt2Error.InvalidArgument, Assert.Throws<Gpt2Exception>(() => Heatmap.Of(empty, 2, 2, CellValue.Mean, limit: null)).Error);
    }

    [Fact]
    public void Colours_of_equal_magnitude_are_equally_dark_and_darken_evenly()
    {
        double previous = double.MaxValue;
        for (double level = 0; level <= 1; level += 0.125)
        {
            double blue = Lightness(DivergingColors.Of(-level)), red = Lightness(DivergingColors.Of(level));
            Assert.Equal(blue, red, 0.01);
            Assert.True(red < previous);
            if (level > 0) Assert.Equal(0.065, previous - red, 0.01);
            previous = red;
        }

        Assert.Equal(DivergingColors.Of(1), DivergingColors.Of(7));
        Assert.True(DivergingColors.Of(-1).B > DivergingColors.Of(-1).R && DivergingColors.Of(1).R > DivergingColors.Of(1).B);
    }

    [Fact]
    public void A_PNG_has_the_pixels_the_texts_and_right_checksums()
    {
        Rgb[] pixels = [.. Enumerable.Range(0, 6).Select(i => new Rgb((byte)(i * 50), (byte)(255 - i), (byte)(i * i)))];
        byte[] png = PngEncoder.Encode(pixels, 3, "wörld", "how");
        Dictionary<string, byte[]> chunks = Chunks(png);
        Assert.Equal([0, 0, 0, 3, 0, 0, 0, 2, 8, 2, 0, 0, 0], chunks["IHDR"]);
        Assert.Equal("Description\0\0\0\0\0how", Encoding.UTF8.GetString(chunks["iTXt"]));
        using var zlib = new ZLibStream(new MemoryStream(chunks["IDAT"]), CompressionMode.Decompress);
        byte[] lines = new byte[2 * (1 + 9)];
        zlib.ReadExactly(lines);
        Assert.Equal(-1, zlib.ReadByte());
        for (int y = 0; y < 2; y++)
        {
            Assert.Equal(1, lines[y * 10]); // filter Sub: undone by adding the pixel to the left
            for (int i = 4; i < 10; i++) lines[(y * 10) + i] += lines[(y * 10) + i - 3];
            for (int x = 0; x < 3; x++)
                Assert.Equal(pixels[(y * 3) + x], new Rgb(lines[(y * 10) + 1 + (3 * x)], lines[(y * 10) + 2 + (3 * x)], lines[(y * 10) + 3 + (3 * x)]));
        }
    }

    [Fact]
    public void A_vector_is_a_strip_and_a_small_matrix_is_enlarged()
    {
        Assert.Equal((512, 32), Size(ImagePicture.Png(Heatmap.Of(Tensor(new TensorShape(512), new float[512]), 1024, 1024, CellValue.Mean, null))));
        Assert.Equal((512, 256), Size(ImagePicture.Png(Heatmap.Of(Tensor(new TensorShape(2, 4), new float[8]), 1024, 1024, CellValue.Mean, null))));
        Assert.Equal((1024, 600), Size(ImagePicture.Png(Heatmap.Of(Tensor(new TensorShape(600, 2000), new float[1_200_000]), 1024, 1024, CellValue.Mean, null))));
    }

    [Fact]
    public void The_SVG_of_a_grid_keeps_every_character_and_cuts_between_them()
    {
        string faces = string.Concat(Enumerable.Repeat("\ud83d\ude00", 20));
        var grid = new Gpt2Grid
        {
            Model = "m",
            Title = "a\u0001\ud83d\ude00",
            Description = "d",
            RowName = "r",
            ColumnName = "c",
            RowLabels = ["\ud800"],
            ColumnLabels = [faces],
            Values = [[double.NaN]],
        };
        XElement svg = XDocument.Parse(GridSvg.Of(grid)).Root!;
        string[] texts = [.. svg.Descendants().Where(element => element.Name.LocalName == "text").Select(element => element.Value)];
        Assert.Contains("a\\u0001\ud83d\ude00", texts);
        Assert.Contains(faces[..26] + "\u2026", texts);
        Assert.Contains(faces, svg.Descendants().First(element => element.Name.LocalName == "rect" && element.HasElements).Value, StringComparison.Ordinal);
    }

    [Fact]
    public void An_SVG_is_well_formed_whatever_the_name()
    {
        RawTensor tensor = Tensor(new TensorShape(2, 2), [1, -2, 3, -4], name: "a<b>&\"'\u0001\e[2J");
        foreach (string svg in (string[])[SvgPicture.Of(Heatmap.Of(tensor, 9, 9, CellValue.Mean, null)), SvgPicture.Of(HistogramChart.Of(tensor, 8))])
            Assert.Equal("a<b>&\"'\\u0001\\u001b[2J  2 × 2", XDocument.Parse(svg).Root!.Elements().First().Value);
        Assert.Equal("\ud83d\ude00 \ufffd\ufffd<", XDocument.Parse($"<a>{Svg.Escape("\ud83d\ude00 \ud83d\uffff<")}</a>").Root!.Value);
        Assert.DoesNotContain("\e[2J", TerminalPicture.Lines(HistogramChart.Of(tensor, 8), 40)[0], StringComparison.Ordinal);
    }

    [Fact]
    public void A_histogram_has_a_line_a_bin_with_its_count()
    {
        RawTensor tensor = Tensor(new TensorShape(5), [-1, -1, 0, 0.5f, float.NaN]);
        List<string> lines = TerminalPicture.Lines(HistogramChart.Of(tensor, 4), 40);
        string[] plain = [.. lines.Select(line => System.Text.RegularExpressions.Regex.Replace(line, @"\e\[[\d;]*m", ""))];
        Assert.Equal(["t  5", "  -1 2 " + new string('█', 33), "-0.5 0 ", "   0 1 " + new string('█', 16) + "▌", " 0.5 1 " + new string('█', 16) + "▌"], plain[..5]);
        Assert.EndsWith("1 zeros, 1 NaN.", string.Join(' ', plain), StringComparison.Ordinal);
    }

    private static (int Width, int Height) Size(byte[] png) =>
        (BinaryPrimitives.ReadInt32BigEndian(png.AsSpan(16)), BinaryPrimitives.ReadInt32BigEndian(png.AsSpan(20)));

    // The lightness of OKLab, from its definition.
    private static double Lightness(Rgb color)
    {
        double r = Light(color.R), g = Light(color.G), b = Light(color.B);
        return (0.2104542553 * Math.Cbrt((0.4122214708 * r) + (0.5363325363 * g) + (0.0514459929 * b)))
            + (0.7936177850 * Math.Cbrt((0.2119034982 * r) + (0.6806995451 * g) + (0.1073969566 * b)))
            - (0.0040720468 * Math.Cbrt((0.0883024619 * r) + (0.2817188376 * g) + (0.6299787005 * b)));

        static double Light(byte channel) =>
            channel / 255.0 <= 0.04045 ? channel / 255.0 / 12.92 : Math.Pow(((channel / 255.0) + 0.055) / 1.055, 2.4);
    }

    private static Dictionary<string, byte[]> Chunks(byte[] png)
    {
        Dictionary<string, byte[]> chunks = [];
        for (int at = 8; at < png.Length;)
        {
            int length = BinaryPrimitives.ReadInt32BigEndian(png.AsSpan(at));
            ReadOnlySpan<byte> content = png.AsSpan(at + 4, 4 + length);
            Assert.Equal(Crc32(content), BinaryPrimitives.ReadUInt32BigEndian(png.AsSpan(at + 8 + length)));
            chunks[Encoding.ASCII.GetString(content[..4])] = content[4..].ToArray();
            at += 12 + length;
        }

        return chunks;
    }

    private static uint Crc32(ReadOnlySpan<byte> bytes)
    {
        uint crc = uint.MaxValue;
        foreach (byte value in bytes)
        {
            crc ^= value;
            for (int bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ ((crc & 1) * 0xedb88320);
        }

        return ~crc;
    }

    private RawTensor Tensor(TensorShape shape, float[] values, string name = "t")
    {
        string prefix = _folder.File($"{Guid.NewGuid():N}");
        using (var writer = new TensorBundleWriter(prefix))
        {
            writer.AddFloats(name, shape, values);
            writer.Finish();
        }

        TensorBundle bundle = TensorBundle.Open(prefix);
        return new RawTensor(bundle, ((ITensorSource)bundle).Tensors[0]);
    }
}
