using PicoGpt.Exporting;
using PicoGpt.Files;
using PicoGpt.Store;
using PicoGpt.Weights;
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

    [Fact]
    public void A_hole_begins_and_ends_with_whole_numbers() => Assert.Equal((5 * Row + 8, Piece + 4), HoleOf(5 * Row + 6, Piece + 8));

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
    public void A_model_with_a_hole_is_doubted_and_suspicious_when_it_is_tested(string format, Gpt2Precision? precision)
    {
        using Gpt2Model whole = BuiltInModel.Open();
        string file = Export(whole, "whole", format, precision);
        Assert.Null(DoubtOf(file));
        Assert.Empty(Suspicions(file));
        BreakInto(file);
        string doubt = Assert.IsType<string>(DoubtOf(file));
        Assert.StartsWith($"'{file}' holds 0.", doubt, StringComparison.Ordinal);
        Assert.EndsWith("as where a download did not end; if the model was not made so, fetch the file again.", doubt, StringComparison.Ordinal);
        Assert.Equal(doubt[..doubt.IndexOf(" in ", StringComparison.Ordinal)], Suspicions(file)[0][..doubt.IndexOf(" in ", StringComparison.Ordinal)]);
    }

    [Theory]
    [InlineData("Npz", null)]
    [InlineData("Npz", Gpt2Precision.Float16)]
    [InlineData("TensorFlow", null)]
    public void What_was_exported_from_a_file_with_a_hole_is_suspicious_though_its_checksums_are_right(string format, Gpt2Precision? precision)
    {
        using Gpt2Model whole = BuiltInModel.Open();
        string file = Export(whole, "whole", "Safetensors");
        BreakInto(file);
        using var broken = Gpt2Model.Open(file);
        string written = Export(broken, "written", format, precision);
        Assert.Null(DoubtOf(written)); // it is as it was written
        string suspicion = Assert.Single(Suspicions(Path.GetDirectoryName(written)!));
        Assert.EndsWith("and was written so; if the model was not made so, it was exported from a file whose download did not end: fetch that again.", suspicion, StringComparison.Ordinal);
    }

    [Fact]
    public void Zeros_that_are_too_few_in_a_file_without_checksums_are_not_suspicious_as_numbers_of_more_bytes()
    {
        using Gpt2Model whole = BuiltInModel.Open();
        string file = Export(whole, "whole", "Safetensors", Gpt2Precision.Float16), checksummed = Export(whole, "checksummed", "Npz");
        BreakInto(file, 3 * Piece / 4); // one and a half times a piece as float32
        Assert.Empty(Suspicions(file));
        using var broken = Gpt2Model.Open(file);
        Assert.Single(Suspicions(Path.GetDirectoryName(Export(broken, "written", "Npz"))!));
        Assert.Empty(Suspicions(Path.GetDirectoryName(checksummed)!));
    }

    [Theory]
    [InlineData("ln_f/g")]
    [InlineData("h5/ln_1/g")]
    [InlineData("h0/ln_2/g")]
    public void A_layer_norm_whose_gain_is_zero_everywhere_is_a_problem(string name)
    {
        using Gpt2Model whole = BuiltInModel.Open();
        using Gpt2Model changed = whole.Clone();
        changed.Parameters.Single(weight => weight.Name == name).BeginChange().Span.Clear();
        string file = Export(changed, "changed", "Safetensors");
        string problem = Assert.Single(FolderChecker.Check(file, progress: null, TestContext.Current.CancellationToken).Select(check => check.Problem).OfType<string>());
        Assert.Contains("holds nothing but zeros", problem, StringComparison.Ordinal);
    }

    [Fact]
    public void A_hole_is_told_again_of_what_was_converted_before()
    {
        using Gpt2Model whole = BuiltInModel.Open();
        string file = Export(whole, "whole", "Safetensors");
        BreakInto(file);
        string doubt = Assert.IsType<string>(DoubtOf(file));
        Assert.Equal(doubt, Converted());
        Assert.Equal(doubt, Converted());

        string? Converted()
        {
            using var model = Gpt2Model.Open(file);
            using var packed = PackedWeights.Open(model.Parameters, model.Path, Gpt2Precision.Int8, smallestFile: 0, cancellationToken: TestContext.Current.CancellationToken);
            Assert.True(PackedWeights.HasFile(model.Path, Gpt2Precision.Int8));
            return model.WeightDoubt;
        }
    }

    private static string? DoubtOf(string path)
    {
        using var model = Gpt2Model.Open(path);
        return model.WeightDoubt;
    }

    private static string[] Suspicions(string path)
    {
        ModelCheck[] checks = [.. FolderChecker.Check(path, progress: null, TestContext.Current.CancellationToken)];
        Assert.All(checks, check => Assert.True(check.IsValid, check.Problem));
        return [.. checks.Select(check => check.Doubt).OfType<string>()];
    }

    // within wte, which comes first in every format: a layer norm's gain of zeros would be a problem
    private static void BreakInto(string file, int length = 3 * Piece)
    {
        using FileStream data = File.OpenWrite(file);
        data.Seek((data.Length / 16) + 1, SeekOrigin.Begin);
        data.Write(new byte[length]);
    }

    private string Export(Gpt2Model model, string folder, string format, Gpt2Precision? precision = null)
    {
        ModelExport.Plan(model, _folder.File(folder), format, precision: precision).Run();
        return Directory.GetFiles(_folder.File(folder)).MaxBy(file => new FileInfo(file).Length)!;
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
