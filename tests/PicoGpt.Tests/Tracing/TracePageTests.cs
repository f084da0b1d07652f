using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using PicoGpt.Architecture;
using PicoGpt.Circuits;
using PicoGpt.Intervening;
using PicoGpt.Pictures;
using PicoGpt.Tracing;
using Xunit;

namespace PicoGpt.Tests.Tracing;

public sealed class TracePageTests
{
    private const string Hostile = "</script><script>alert(1)</script> <!-- \e[31m \u202e é 🙂 \0\n";

    private static readonly TraceOptions Everything = new() { Attention = true, LogitLens = true, Norms = true };

    [Fact]
    public void A_page_holds_the_trace()
    {
        Gpt2Trace trace = Trace("Once upon a time", Everything);
        JsonElement data = Data(Page(trace));
        Assert.Equal(trace.Tokens.Select(token => token.Text), data.GetProperty("tokens").EnumerateArray().Select(token => token.GetString()));
        int n = trace.Tokens.Count;
        byte[] attention = data.GetProperty("attention").GetBytesFromBase64();
        Assert.Equal(6 * 3 * n * (n + 1) / 2, attention.Length);
        int at = (((4 * 3) + 1) * n * (n + 1) / 2) + 4; // layer 4, head 1; row 2 begins after 1 + 2 weights, and this is its second
        Assert.Equal(trace.Attention![4]![1]![2, 1], attention[at] / 255f, 0.5f / 255);
        JsonElement cell = data.GetProperty("lens").GetProperty("rows")[5][1];
        LensToken likeliest = trace.LogitLens![5]![1].Top[0];
        Assert.Equal(likeliest.Text, data.GetProperty("lens").GetProperty("texts")[cell.GetProperty("top")[0][0].GetInt32()].GetString());
        Assert.Equal(likeliest.Probability, cell.GetProperty("top")[0][1].GetDouble(), 1e-5);
        Assert.Equal(trace.ResidualNorms![6][2], data.GetProperty("norms")[6][2].GetDouble(), 1e-3);
    }

    [Fact]
    public void A_page_loads_nothing_and_runs_only_its_own_script()
    {
        string page = Page(Trace("Once", Everything));
        string policy = Regex.Match(page, "Content-Security-Policy\" content=\"([^\"]+)\"").Groups[1].Value;
        Assert.StartsWith("default-src 'none';", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("unsafe", policy, StringComparison.Ordinal);
        Assert.Contains($"script-src '{Hash(Between(page, "<script>", "</script>"))}'", policy, StringComparison.Ordinal);
        Assert.Contains($"style-src '{Hash(Between(page, "<style>", "</style>"))}'", policy, StringComparison.Ordinal);
        string own = page.Replace("http://www.w3.org/2000/svg", "", StringComparison.Ordinal);
        Assert.DoesNotMatch("(?i)https?:|//[a-z]|@import|url\\(|<link|<img|<iframe", Regex.Replace(own, "\"attention\":\"[^\"]*\"|sha256-[^']*|(?m)^ *// .*$", ""));
    }

    [Fact]
    public void Texts_cannot_leave_their_place()
    {
        string page = Page(Trace(Hostile, Everything));
        Assert.Equal(2, Regex.Count(page, "<script"));
        Assert.Equal(2, Regex.Count(page, "</script"));
        Assert.DoesNotContain("<!-- ", page, StringComparison.Ordinal);
        Assert.DoesNotContain(page, c => char.IsControl(c) && c != '\n');
        string tokens = string.Concat(Data(page).GetProperty("tokens").EnumerateArray().Select(token => token.GetString()));
        Assert.Equal("</script><script>alert(1)</script> <!-- \\u001b[31m ⟨e2⟩⟨80⟩⟨ae⟩ ⟨c3⟩⟨a9⟩ ⟨f0⟩⟨9f⟩⟨99⟩⟨82⟩ \\u0000↵", tokens);
    }

    [Fact]
    public void A_models_name_is_text_as_well()
    {
        using var folder = new TemporaryFolder();
        string name = OperatingSystem.IsWindows() ? "{data}{script}&'" : "<b>{data}{script}&"; // Windows has no such brackets in names
        string odd = Path.Combine(folder.Path, name);
        RandomModel.Write(odd, new Gpt2HyperParameters(NVocab: 300, NCtx: 8, NEmbd: 16, NHead: 2, NLayer: 1));
        using Gpt2Model model = Gpt2Model.Open(odd);
        string page = Page(new TextTracer(model, "ab", Everything).Trace(TestContext.Current.CancellationToken));
        Assert.Contains($"<title>{WebUtility.HtmlEncode(name)} reads 2 tokens</title>", page, StringComparison.Ordinal);
    }

    [Fact]
    public void A_page_has_only_what_was_asked_for()
    {
        JsonElement data = Data(Page(Trace("Once upon", new TraceOptions { LogitLens = true })));
        Assert.True(data.TryGetProperty("lens", out _));
        Assert.False(data.TryGetProperty("attention", out _));
        Assert.False(data.TryGetProperty("norms", out _));
    }

    [Fact]
    public void A_page_shows_what_was_changed_with_the_trace_before_and_grids()
    {
        using Gpt2Model model = BuiltInModel.Open();
        Gpt2Intervention without = new(InterventionKind.Zero, "h*/attn/z") { Heads = [2] };
        Gpt2Trace before = Trace("Once upon a time", Everything), after = Trace("Once upon a time", Everything with { Interventions = [without] });
        Gpt2GridPair pair = LogitAttribution.Compare(
            model, "Once upon a time", new LogitAttributionOptions { Interventions = [without] }, TestContext.Current.CancellationToken);
        JsonElement data = Data(Page(after, new TraceAdditions { Before = before, Grids = [pair, new Gpt2GridPair(pair.Grid)] }));
        Assert.Equal("Zero h*/attn/z, head 2", Assert.Single(data.GetProperty("changes").EnumerateArray()).GetString());
        JsonElement alone = Data(Page(before));
        Assert.Equal(alone.GetProperty("attention").GetString(), data.GetProperty("before").GetProperty("attention").GetString());
        Assert.Equal(alone.GetProperty("lens").GetRawText(), data.GetProperty("before").GetProperty("lens").GetRawText());
        Assert.NotEqual(alone.GetProperty("lens").GetRawText(), data.GetProperty("lens").GetRawText());
        Assert.Empty(alone.GetProperty("changes").EnumerateArray());
        JsonElement[] grids = [.. data.GetProperty("grids").EnumerateArray()];
        Assert.Equal(pair.Grid.Values[3][1], grids[0].GetProperty("values")[3][1].GetDouble(), 1e-5);
        Assert.Equal(pair.Before!.Values[3][1], grids[0].GetProperty("before").GetProperty("values")[3][1].GetDouble(), 1e-5);
        Assert.False(grids[1].TryGetProperty("before", out _));
    }

    [Fact]
    public void Traces_of_two_texts_or_of_different_things_are_not_compared()
    {
        using var folder = new TemporaryFolder();
        string path = Path.Combine(folder.Path, "trace.html");
        Gpt2Trace trace = Trace("Once upon a time", Everything);
        foreach (Gpt2Trace other in (Gpt2Trace[])[Trace("Once upon a day", Everything), Trace("Once upon a time", new TraceOptions { LogitLens = true })])
        {
            Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() => trace.SaveHtml(path, new TraceAdditions { Before = other }));
            Assert.Contains("of different texts, or did not keep the same", fault.Message, StringComparison.Ordinal);
        }

        Assert.False(File.Exists(path));
    }

    [Fact]
    public void A_page_that_is_there_stays_unless_it_may_be_written_over()
    {
        using var folder = new TemporaryFolder();
        string path = Path.Combine(folder.Path, "trace.html");
        File.WriteAllText(path, "mine");
        Gpt2Trace trace = Trace("Once", Everything);
        Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() => trace.SaveHtml(path));
        Assert.Equal(Gpt2Error.AlreadyExists, fault.Error);
        Assert.Equal("mine", File.ReadAllText(path));
        trace.SaveHtml(path, overwrite: true);
        Assert.StartsWith("<!DOCTYPE html>", File.ReadAllText(path), StringComparison.Ordinal);
        Assert.Equal([path], Directory.GetFiles(folder.Path));
    }

    [Fact]
    public void A_page_that_cannot_be_written_is_one_sentence_and_leaves_nothing()
    {
        using var folder = new TemporaryFolder();
        Gpt2Trace trace = Trace("Once", Everything);
        Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() => trace.SaveHtml(Path.Combine(folder.Path, "nowhere", "trace.html")));
        Assert.Equal(Gpt2Error.Unwritable, fault.Error);
        Directory.CreateDirectory(Path.Combine(folder.Path, "taken"));
        fault = Assert.Throws<Gpt2Exception>(() => trace.SaveHtml(Path.Combine(folder.Path, "taken"), overwrite: true));
        Assert.Equal(Gpt2Error.Unwritable, fault.Error);
        Assert.Empty(Directory.GetFiles(folder.Path));
    }

    [Fact]
    public void A_page_too_large_for_a_browser_is_refused_before_the_work()
    {
        using Gpt2Model model = BuiltInModel.Open();
        new TextTracer(model, "Once", Everything).CheckPage("trace.html");
        Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() => TracePage.CheckSize(48, 25, 1024));
        Assert.Contains("48 layers and 25 heads over 1024 tokens", fault.Message, StringComparison.Ordinal);
        TracePage.CheckSize(12, 12, 1024);
        fault = Assert.Throws<Gpt2Exception>(() => TracePage.CheckSize(12, 12, 1024, traces: 2));
        Assert.Contains("the attention of two traces, 12 layers and 12 heads", fault.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a\u202eb", "a\\u202eb")]
    [InlineData("\e[0m\t\n\r", "\\u001b[0m⇥↵\\u000d")]
    [InlineData("日本 \ue000", "日本 \\ue000")]
    public void What_has_no_shape_is_spelled_out(string text, string visible) => Assert.Equal(visible, VisibleText.Of(text));

    [Fact]
    public void Half_a_surrogate_pair_is_a_replacement_character() => Assert.Equal("a\ufffd", VisibleText.Of("a\ud83d"));

    [Fact]
    public void Parts_of_characters_are_their_bytes() => Assert.Equal("a⟨e2 80⟩", VisibleText.Of([0x61, 0xE2, 0x80]));

    private static Gpt2Trace Trace(string text, TraceOptions options)
    {
        using Gpt2Model model = BuiltInModel.Open();
        return new TextTracer(model, text, options).Trace(TestContext.Current.CancellationToken);
    }

    private static string Page(Gpt2Trace trace, TraceAdditions? additions = null)
    {
        using var stream = new MemoryStream();
        TracePage.Write(trace, additions ?? new TraceAdditions(), stream);
        return Encoding.UTF8.GetString(stream.ToArray());
    }

    private static JsonElement Data(string page) => JsonDocument.Parse(Between(page, "<script type=\"application/json\" id=\"trace\">", "</script>")).RootElement;

    private static string Between(string page, string start, string end)
    {
        int from = page.IndexOf(start, StringComparison.Ordinal) + start.Length;
        return page[from..page.IndexOf(end, from, StringComparison.Ordinal)];
    }

    private static string Hash(string text) => "sha256-" + Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
}
