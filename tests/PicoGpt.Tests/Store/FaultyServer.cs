using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using PicoGpt.Store;

namespace PicoGpt.Tests.Store;

/// <summary>A web server on 127.0.0.1 that has <see cref="TestModel"/> and may misbehave at any request.</summary>
internal sealed class FaultyServer : IAsyncDisposable
{
    private const string Tag = "\"v1\"";

    private readonly WebApplication _application;
    private readonly ConcurrentDictionary<string, int> _requests = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, long> _sent = new(StringComparer.Ordinal);
    private int _connections;

    private FaultyServer(WebApplication application) => _application = application;

    /// <summary>What goes wrong; <see langword="null"/> for nothing.</summary>
    public Func<FaultyRequest, FaultyAnswer?> Script { get; set; } = _ => null;

    /// <summary>Waited before every answer.</summary>
    public TimeSpan Delay { get; set; }

    public IReadOnlyDictionary<string, byte[]> Files { get; set; } = TestModel.Files;

    public string Address => _application.Urls.First() + "/";

    /// <summary>How to fetch the model from here.</summary>
    public DownloadOptions Options => TestModel.Options(Address);

    public int Connections => Volatile.Read(ref _connections);

    public long Sent(string file) => _sent.GetValueOrDefault(file);

    public int Requests(string file) => _requests.GetValueOrDefault(file);

    public static async Task<FaultyServer> StartAsync(Func<FaultyRequest, FaultyAnswer?>? script = null)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        FaultyServer? server = null;
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.ResponseHeaderEncodingSelector = _ => Encoding.Latin1; // what a header must not hold, too
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Use(next => async connection =>
            {
                Interlocked.Increment(ref server!._connections);
                try
                {
                    await next(connection);
                }
                finally
                {
                    Interlocked.Decrement(ref server._connections);
                }
            }));
        });
        server = new FaultyServer(builder.Build());
        if (script is not null) server.Script = script;
        server._application.Run(server.AnswerAsync);
        await server._application.StartAsync();
        return server;
    }

    public async ValueTask DisposeAsync()
    {
        using var atOnce = new CancellationTokenSource();
        await atOnce.CancelAsync();
        await _application.StopAsync(atOnce.Token);
        await _application.DisposeAsync();
    }

    private async Task AnswerAsync(HttpContext context)
    {
        string name = context.Request.Path.Value!.Split('/')[^1];
        int number = _requests.AddOrUpdate(name, 1, (_, count) => count + 1) - 1;
        (long start, long end) = RangeOf(context.Request);
        var request = new FaultyRequest(name, number, start, context.Request.Path.Value)
        {
            Authorization = context.Request.Headers.Authorization.ToString(),
            Query = context.Request.QueryString.Value ?? "",
            IfRange = context.Request.Headers.IfRange.ToString(),
        };
        FaultyAnswer answer = Script(request) ?? new FaultyAnswer();
        if (Delay > TimeSpan.Zero) await Task.Delay(Delay);
        if (answer.StallAfter == -1) await StallAsync(context);
        Prepare(context, answer, name, start, end, out ReadOnlyMemory<byte> body);
        if (!context.RequestAborted.IsCancellationRequested) await SendAsync(context, answer, name, body);
    }

    private void Prepare(HttpContext context, FaultyAnswer answer, string name, long start, long end, out ReadOnlyMemory<byte> body)
    {
        byte[]? file = Files.GetValueOrDefault(name);
        body = answer.Body ?? file ?? "<?xml version=\"1.0\"?><Error><Code>BlobNotFound</Code></Error>"u8.ToArray();
        HttpResponse response = context.Response;
        response.StatusCode = answer.Status ?? (file is null ? 404 : 200);
        string tag = answer.Headers.GetValueOrDefault("ETag", Tag);
        string condition = context.Request.Headers.IfRange.ToString();
        bool isRange = response.StatusCode == 200 && answer.Body is null && !answer.IgnoreRange && end > 0 && (condition.Length == 0 || condition == tag || answer.HideTag);
        if (answer.CorruptAt is long wrong) body = Corrupt(body.ToArray(), wrong);
        if (isRange)
        {
            response.StatusCode = start < body.Length ? 206 : 416;
            end = Math.Min(end, start + (answer.AtMost ?? end));
            response.Headers.ContentRange = string.Create(CultureInfo.InvariantCulture, $"bytes {start}-{Math.Min(end, body.Length) - 1}/{(answer.HideTotal ? "*" : body.Length)}");
            body = start < body.Length ? body[(int)start..(int)Math.Min(end, body.Length)] : default;
        }

        if (!answer.HideTag) response.Headers.ETag = Tag;
        if (!answer.HideLength) response.ContentLength = body.Length;
        foreach ((string header, string value) in answer.Headers) response.Headers[header] = value;
    }

    private async Task SendAsync(HttpContext context, FaultyAnswer answer, string name, ReadOnlyMemory<byte> body)
    {
        int length = Math.Min(body.Length, answer.CutAfter ?? answer.StallAfter ?? answer.DripAfter ?? int.MaxValue);
        await context.Response.StartAsync();
        await context.Response.Body.WriteAsync(body[..length]);
        await context.Response.Body.FlushAsync();
        _sent.AddOrUpdate(name, length, (_, sent) => sent + length);
        if (answer.StallAfter is not null) await StallAsync(context);
        if (answer.DripAfter is not null) await DripAsync(context, body[length..]);
        if (answer.CutAfter is null) return;
        await Task.Delay(10); // what was written goes out before the connection is cut
        context.Abort();
    }

    private static byte[] Corrupt(byte[] bytes, long position)
    {
        bytes[position] ^= 0x55;
        return bytes;
    }

    private static async Task DripAsync(HttpContext context, ReadOnlyMemory<byte> body)
    {
        for (int i = 0; i < body.Length && !context.RequestAborted.IsCancellationRequested; i++)
        {
            await context.Response.Body.WriteAsync(body.Slice(i, 1));
            await context.Response.Body.FlushAsync();
            await Task.Delay(20);
        }
    }

    private static Task StallAsync(HttpContext context) => Task.Delay(Timeout.Infinite, context.RequestAborted)
        .ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);

    private static (long Start, long End) RangeOf(HttpRequest request)
    {
        string[] bounds = request.Headers.Range.ToString().Replace("bytes=", "", StringComparison.Ordinal).Split('-');
        return bounds.Length == 2 ? (long.Parse(bounds[0], CultureInfo.InvariantCulture), long.Parse(bounds[1], CultureInfo.InvariantCulture) + 1) : (0, 0);
    }
}
