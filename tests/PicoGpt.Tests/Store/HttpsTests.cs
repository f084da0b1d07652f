using System.Net;
using System.Net.Sockets;
using PicoGpt.Store;
using Xunit;

namespace PicoGpt.Tests.Store;

public sealed class HttpsTests
{
    [Fact]
    public async Task A_server_that_does_not_speak_TLS_is_a_sentence()
    {
        await using FaultyServer server = await FaultyServer.StartAsync();
        Gpt2Exception fault = await FetchAsync(server.Address.Replace("http:", "https:", StringComparison.Ordinal));
        Assert.Contains("https://127.0.0.1", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_systems_proxy_is_asked_for_a_distant_server()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        Task<string?> asked = ReadLineAsync(listener);
        IWebProxy before = HttpClient.DefaultProxy;
        HttpClient.DefaultProxy = new WebProxy($"http://{listener.LocalEndpoint}");
        try
        {
            Gpt2Exception fault = await FetchAsync("https://models.invalid/");
            Assert.Equal("CONNECT models.invalid:443 HTTP/1.1", await asked);
            Assert.Contains("https://models.invalid", fault.Message, StringComparison.Ordinal);
        }
        finally
        {
            HttpClient.DefaultProxy = before;
        }
    }

    private static async Task<Gpt2Exception> FetchAsync(string source)
    {
        using var root = new TemporaryFolder();
        var downloader = new ModelDownloader(new ModelStore(root.Path));
        Gpt2Exception fault = await Assert.ThrowsAsync<Gpt2Exception>(
            () => downloader.FetchAsync(TestModel.Catalog, TestModel.Options(source) with { Retries = 1 }));
        Assert.Equal(Gpt2Error.DownloadFailed, fault.Error);
        TestModel.AssertSentence(fault.Message);
        return fault;
    }

    // refuses every tunnel
    private static async Task<string?> ReadLineAsync(TcpListener listener)
    {
        using TcpClient client = await listener.AcceptTcpClientAsync();
        using var reader = new StreamReader(client.GetStream());
        string? line = await reader.ReadLineAsync();
        listener.Stop(); // whoever asks again is refused at once
        await client.GetStream().WriteAsync("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"u8.ToArray());
        return line;
    }
}
