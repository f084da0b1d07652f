using System.Text.Json;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using PicoGpt.Training;
using Xunit;

namespace PicoGpt.Tests.Training;

public sealed class TrainingReportTests
{
    private static readonly int[] Tokens = [.. Enumerable.Range(0, 600).Select(i => (i * i) % 41)];

    [Fact]
    public void The_page_has_both_curves_and_the_samples_and_loads_nothing()
    {
        using var folder = new TemporaryFolder();
        string html = Reported(folder, "new/x.html");
        Assert.Contains("Content-Security-Policy\" content=\"default-src 'none';", html, StringComparison.Ordinal);
        Assert.DoesNotMatch("https?://(?!www.w3.org/2000/svg)", html);
        Assert.Contains("<title>Training of b&amp;c</title>", html, StringComparison.Ordinal);
        using var data = JsonDocument.Parse(Regex.Match(html, "id=\"data\">(.*?)</script>", RegexOptions.Singleline).Groups[1].Value);
        Assert.Equal([1, 2, 3], data.RootElement.GetProperty("losses").EnumerateArray().Select(point => point[0].GetInt32()));
        Assert.Equal([3], data.RootElement.GetProperty("validations").EnumerateArray().Select(point => point[0].GetInt32()));
        Assert.Equal("</script>\n\\u202e", data.RootElement.GetProperty("samples")[0][1].GetString());
        Assert.Contains(data.RootElement.GetProperty("facts").EnumerateArray(), fact => fact[0].GetString() == "seed");
    }

    [Fact]
    public void The_picture_is_XML_with_both_curves()
    {
        using var folder = new TemporaryFolder();
        XElement svg = XDocument.Parse(Reported(folder, "x.SVG")).Root!;
        XElement[] curves = [.. svg.Elements().Where(element => element.Name.LocalName == "polyline")];
        Assert.Equal([3, 1], curves.Select(curve => curve.Attribute("points")!.Value.Split(' ').Length));
        Assert.Contains("Training of", svg.Elements().First(element => element.Name.LocalName == "title").Value, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0, 1, new[] { 0, 0.2, 0.4, 0.6, 0.8, 1 })]
    [InlineData(2.9, 7.7, new[] { 3, 3.5, 4, 4.5, 5, 5.5, 6, 6.5, 7, 7.5 })]
    [InlineData(0, 700, new double[] { 0, 100, 200, 300, 400, 500, 600, 700 })]
    public void Axes_have_round_numbers(double low, double high, double[] expected)
    {
        double[] found = [.. LossSvg.Ticks(low, high)];
        Assert.Equal(expected.Length, found.Length);
        for (int i = 0; i < found.Length; i++) Assert.Equal(expected[i], found[i], 9);
    }

    [Fact]
    public void Very_many_losses_become_means_that_end_with_the_last_step()
    {
        IReadOnlyList<(int Step, double Loss)> thin = TrainingReport.Thin([.. Enumerable.Range(1, 4_001).Select(i => (double)i)]);
        Assert.Equal((3, 2), thin[0]);
        Assert.Equal(4_001, thin[^1].Step);
        Assert.InRange(thin.Count, 1_000, 2_000);
        Assert.Empty(TrainingReport.Thin([]));
    }

    private static string Reported(TemporaryFolder folder, string name)
    {
        using TemporaryFolder from = RandomModel.InFolder(Shapes.Odd);
        using Gpt2Model model = Gpt2Model.Open(from.Path);
        using TrainingRun run = TrainingRun.Begin(
            model, folder.File("b&c"), Tokens, new TrainingOptions { Steps = 3, BatchSize = 1, ContextLength = 16, ValidationShare = 0.2, Threads = 1 });
        for (int i = 0; i < 3; i++) run.Next(TestContext.Current.CancellationToken);
        run.Evaluate(TestContext.Current.CancellationToken);
        run.AddSample("</script>\r\n\u202e");
        string path = folder.File(name);
        new TrainingReport(run).Save(path);
        Assert.Equal(Gpt2Error.AlreadyExists, Assert.Throws<Gpt2Exception>(() => new TrainingReport(run).Save(path)).Error);
        return File.ReadAllText(path);
    }
}
