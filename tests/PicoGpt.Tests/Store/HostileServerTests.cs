using System.Net;
using System.Text;
using PicoGpt.Store;
using Xunit;

namespace PicoGpt.Tests.Store;

/// <summary>What a server sends is told, and commands no terminal.</summary>
public sealed class HostileServerTests
{
    private const string Sequences = "no\e]0;owned\a\e[2J\b\u009b1A\u202etxt\u200b\u2028<script>";

    [Theory]
    [InlineData("https://example.org/a", "https://127.0.0.1/b", "it is this machine")]
    [InlineData("https://example.org/a", "http://localhost/b", "it is this machine")]
    [InlineData("https://example.org/a", "http://example.org/b", "it is not HTTPS")]
    [InlineData("https://example.org/a", "https://example.net/b", null)]
    [InlineData("http://127.0.0.1/a", "http://127.0.0.1:8080/b", null)]
    public void A_redirect_leads_neither_from_another_machine_to_this_one_nor_away_from_https(string from, string to, string? refusal)
    {
        using var answer = new HttpResponseMessage(HttpStatusCode.Found);
        answer.Headers.Location = new Uri(to);
        if (refusal is null) Assert.Equal(new Uri(to), HttpTransport.RedirectOf(new Uri(from), answer));
        else Assert.Contains(refusal, Assert.Throws<SourceFault>(() => HttpTransport.RedirectOf(new Uri(from), answer)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(403)]
    [InlineData(503)]
    public async Task Words_of_an_error_are_harmless(int status) =>
        AssertHarmless(await FaultOf(new FaultyAnswer { Status = status, Body = Encoding.UTF8.GetBytes(Sequences) }), "no");

    [Fact]
    public async Task Words_in_place_of_a_file_are_harmless() =>
        AssertHarmless(await FaultOf(new FaultyAnswer { Status = 200, IgnoreRange = true, Body = Encoding.UTF8.GetBytes("<html>" + Sequences) }), "<html>no");

    [Fact]
    public async Task The_address_of_a_redirection_is_harmless() => AssertHarmless(
        await FaultOf(new FaultyAnswer { Status = 302, Body = [], Headers = { ["Location"] = "http://example.org/%1b]0;owned%07%e2%80%ae" } }), "redirects");

    private static async Task<Gpt2Exception> FaultOf(FaultyAnswer answer)
    {
        await using FaultyServer server = await FaultyServer.StartAsync(_ => answer);
        using var root = new TemporaryFolder();
        var downloader = new ModelDownloader(new ModelStore(root.Path));
        Gpt2Exception fault = await Assert.ThrowsAsync<Gpt2Exception>(
            () => downloader.FetchAsync(TestModel.Catalog, server.Options, TestContext.Current.CancellationToken));
        Assert.Empty(Directory.EnumerateFiles(root.File("Tiny")));
        return fault;
    }

    private static void AssertHarmless(Gpt2Exception fault, string words)
    {
        Assert.Contains(words, fault.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(fault.Message, c => char.IsControl(c) || c is '\u202e' or '\u200b' or '\u2028');
    }
}
