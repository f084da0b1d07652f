using System.Collections.Concurrent;
using System.Text;
using PicoGpt.Store;
using Xunit;

namespace PicoGpt.Tests.Store;

/// <summary>A user, a password and a query in a source's address are sent to that source alone, and told to nobody.</summary>
public sealed class SourceSecretTests
{
    private const string Password = "p@ss:wörd";
    private const string Signature = "sv=2024&sig=Zm9v%2FYmFy";

    private static string Authorization => "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes("anna:" + Password));

    [Fact]
    public void An_address_shows_neither()
    {
        ModelSource source = ModelSource.Parse($"https://anna:{Uri.EscapeDataString(Password)}@example.org:8443/a%20b?{Signature}");
        Assert.Equal("https://example.org:8443/a%20b/", source.ToString());
        Assert.Equal(source.ToString(), source.Address.AbsoluteUri);
        Assert.Equal(("anna", Password), (source.Credentials!.UserName, source.Credentials.Password));
        Assert.Equal($"https://example.org:8443/a%20b/Tiny/encoder.json?{Signature}", source.AddressOf(TestModel.Catalog, new("encoder.json", null, null)).AbsoluteUri);
        Assert.Equal("https://example.org//x/", ModelSource.Parse("https://example.org//x").ToString());
    }

    [Theory]
    [InlineData("http://anna:geheim@example.org/?sig=geheim2")]
    [InlineData("ftp://anna:geheim@example.org/")]
    [InlineData("https://anna:geheim@example.org/#geheim")]
    [InlineData("anna:geheim@example.org/m")]
    [InlineData("//anna:geheim@example.org:x/?sig=geheim2")]
    [InlineData("https://anna:geheim@example.org:99999/?sig=geheim2")]
    public void An_address_that_is_refused_shows_no_password(string address)
    {
        Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() => ModelSource.Parse(address));
        Assert.Equal(Gpt2Error.InvalidSource, fault.Error);
        Assert.DoesNotContain("anna:", fault.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("geheim2", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_source_with_user_password_and_query_gives_a_model_and_nothing_of_them_stays()
    {
        ConcurrentBag<(string Authorization, string Query)> seen = [];
        await using FaultyServer server = await FaultyServer.StartAsync(request =>
        {
            seen.Add((request.Authorization, request.Query));
            return request.Authorization == Authorization ? null : new FaultyAnswer { Status = 401, Body = [] };
        });
        using var root = new TemporaryFolder();
        string address = server.Address.Replace("http://", $"http://anna:{Uri.EscapeDataString(Password)}@", StringComparison.Ordinal) + "m?" + Signature;
        await TestModel.FetchAsync(root, TestModel.Options(address), TestContext.Current.CancellationToken);
        TestModel.AssertWhole(root.File("Tiny"));
        Assert.All(seen, request => Assert.Equal((Authorization, "?" + Signature), request));
    }

    [Theory]
    [InlineData(401)]
    [InlineData(403)]
    [InlineData(404)]
    [InlineData(407)]
    [InlineData(500)]
    public async Task A_refusal_tells_no_secret_and_is_not_tried_again(int status)
    {
        string echo = $"denied anna {Password} {Authorization} ?{Signature} Zm9v/YmFy Zm9v%2FYmFy https://x:geheim@proxy/ end";
        await using FaultyServer server = await FaultyServer.StartAsync(_ => new FaultyAnswer { Status = status, Body = Encoding.UTF8.GetBytes(echo) });
        using var root = new TemporaryFolder();
        string address = server.Address.Replace("http://", $"http://anna:{Uri.EscapeDataString(Password)}@", StringComparison.Ordinal) + "?" + Signature;
        Gpt2Exception fault = await FaultOfAsync(root, address);
        Assert.Contains($"answered {status}", fault.Message, StringComparison.Ordinal);
        foreach (string secret in (string[])[Password, Authorization["Basic ".Length..], "Zm9v", "geheim", Uri.EscapeDataString(Password)])
            Assert.DoesNotContain(secret, fault.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("Zm9v", string.Concat(Directory.EnumerateFiles(root.Path, "*", SearchOption.AllDirectories).Select(File.ReadAllText)), StringComparison.Ordinal);
        bool mayPass = status == 500;
        Assert.Equal(mayPass, fault.Message.Contains("try again later", StringComparison.Ordinal));
        Assert.Equal(mayPass ? 4 : 1, TestModel.Files.Keys.Max(server.Requests));
    }

    [Fact]
    public async Task Another_server_to_which_a_source_redirects_is_told_no_password()
    {
        ConcurrentBag<string> seen = [];
        await using FaultyServer other = await FaultyServer.StartAsync(request =>
        {
            seen.Add(request.Authorization + request.Query);
            return null;
        });
        await using FaultyServer server = await FaultyServer.StartAsync(
            request => new FaultyAnswer { Status = 302, Body = [], Headers = { ["Location"] = $"{other.Address}{request.File}?other=1" } });
        using var root = new TemporaryFolder();
        string address = server.Address.Replace("http://", "http://anna:geheim@", StringComparison.Ordinal) + "?" + Signature;
        await TestModel.FetchAsync(root, TestModel.Options(address), TestContext.Current.CancellationToken);
        Assert.All(seen, told => Assert.Equal("?other=1", told));
    }

    [Fact]
    public void The_words_of_a_proxy_show_no_password()
    {
        const string Words = "to proxy 'http://anna:geheim@proxy:3128/' failed";
        var secrets = new SourceSecrets(null);
        Assert.Equal("to proxy 'http://proxy:3128/' failed", secrets.Hide(Words));
        Assert.Null(secrets.Harmless(new HttpRequestException("no", new IOException(Words))));
        var harmless = new IOException("The disk is full.");
        Assert.Same(harmless, secrets.Harmless(harmless));
    }

    private static Task<Gpt2Exception> FaultOfAsync(TemporaryFolder root, string address) => Assert.ThrowsAsync<Gpt2Exception>(
        () => TestModel.FetchAsync(root, TestModel.Options(address), TestContext.Current.CancellationToken));
}
