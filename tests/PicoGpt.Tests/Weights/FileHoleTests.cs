using PicoGpt.Exporting;
using PicoGpt.Files;
using PicoGpt.Inference;
using Xunit;

namespace PicoGpt.Tests.Weights;

/// <summary>Zeros where a program that fetched or copied a file left a piece out; most formats have no checksum that would tell.</summary>
public sealed class FileHoleTests : IDisposable
{
    private const int Row = 3072, Rows = 400, Piece = 64 * 1024, Offset = 1000;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(5 * Row + 4, Piece)]
    [InlineData(5 * Row, Piece)] // ends within a row
    [InlineData(Row * Rows - Piece, Piece)] // to the end
    [InlineData(0, Piece)]
    [InlineData(0, Row * Rows)]
    [InlineData(Row * 100, Row * 100)] // rows, but a quarter of all
    public void A_hole_is_found_where_it_is(int begin, int length) => Assert.Equal((begin, length), HoleOf(begin, length));

    [Theory]
    [InlineData(0, 0)]
    [InlineData(5 * Row + 4, Piece - 8)] // no program writes such pieces
    [InlineData(Row * 7, Row * 64)] // a head that was taken out
    [InlineData(Row * (Rows - 47), Row * 47)] // tokens that no text has
    public void Zeros_that_somebody_made_are_none(int begin, int length) => Assert.Null(HoleOf(begin, length));

    [Theory]
    [InlineData("Safetensors", null)]
    [InlineData("Safetensors", Gpt2Precision.Float16)]
    [InlineData("Gguf", null)] // matrices lie the other way round
    [InlineData("Gguf", Gpt2Precision.Int8)]
    public void A_model_with_a_hole_is_doubted_as_soon_as_it_is_read_and_found_when_it_is_tested(string format, Gpt2Precision? precision)
    {
        string file = Export(format, precision);
        Assert.Null(DoubtOf(file, Gpt2Precision.Float32));
        Assert.True(IsValid(file));
        using (FileStream data = File.OpenWrite(file))
        {
            data.Seek((data.Length * 7 / 10) + 1, SeekOrigin.Begin);
            data.Write(new byte[3 * Piece]);
        }

        foreach (Gpt2Precision held in (Gpt2Precision[])[Gpt2Precision.Float32, Gpt2Precision.Int8])
        {
            string doubt = Assert.IsType<string>(DoubtOf(file, held));
            Assert.StartsWith($"'{file}' holds 0.", doubt, StringComparison.Ordinal);
            Assert.EndsWith("if the model was not made so, fetch the file again.", doubt, StringComparison.Ordinal);
        }

        Assert.False(IsValid(file));
    }

    private static string? DoubtOf(string path, Gpt2Precision precision)
    {
        using var opened = Gpt2Model.Open(path);
        using Gpt2Model model = opened.WithPrecision(precision);
        Assert.Null(model.WeightDoubt); // nothing was read
        using (new Gpt2Context(model)) return model.WeightDoubt;
    }

    private static bool IsValid(string path) => FolderChecker.Check(path, progress: null, TestContext.Current.CancellationToken).All(check => check.IsValid);

    private string Export(string format, Gpt2Precision? precision)
    {
        using Gpt2Model model = BuiltInModel.Open();
        ModelExport.Plan(model, _folder.Path, format, precision: precision).Run();
        return Directory.GetFiles(_folder.Path).MaxBy(file => new FileInfo(file).Length)!;
    }

    private (int Begin, int Length)? HoleOf(int begin, int length)
    {
        byte[] bytes = new byte[Offset + (Row * Rows)];
        bytes.AsSpan().Fill(1);
        bytes.AsSpan(Offset + begin, length).Clear();
        string path = _folder.File("matrix");
        File.WriteAllBytes(path, bytes);
        using var file = new MappedFile(path);
        return FileHole.In(file, Offset, Row * Rows, Row, sizeof(float)) is { } hole ? ((int)hole.Offset - Offset, (int)hole.Length) : null;
    }
}
