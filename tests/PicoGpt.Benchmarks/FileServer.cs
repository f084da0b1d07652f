using System.Globalization;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace PicoGpt.Benchmarks;

/// <summary>
/// A web server on 127.0.0.1, a process of its own, that gives the files of a folder, in ranges, at a limited rate a connection.
/// <c>GET /sent</c> tells the bytes that it has sent. It ends with its standard input.
/// </summary>
internal static class FileServer
{
    public const string Verb = "serve";

    private const int BufferSize = 1 << 20;

    private static long _sent;

    /// <param name="folder">The folder.</param>
    /// <param name="rate">Bytes a second a connection; 0 for as fast as it goes.</param>
    public static async Task RunAsync(string folder, long rate)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        await using WebApplication application = builder.Build();
        application.Run(context => context.Request.Path == "/sent"
            ? context.Response.WriteAsync(Interlocked.Read(ref _sent).ToString(CultureInfo.InvariantCulture))
            : SendAsync(context, Path.Combine(folder, Path.GetFileName(context.Request.Path.Value!)), rate));
        await application.StartAsync();
        Console.WriteLine(application.Urls.First());
        await Console.In.ReadToEndAsync();
    }

    private static async Task SendAsync(HttpContext context, string path, long rate)
    {
        await using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0, FileOptions.Asynchronous);
        (long start, long end) = Range(context.Request, file.Length);
        context.Response.StatusCode = context.Request.Headers.Range.Count > 0 ? 206 : 200;
        context.Response.ContentLength = end - start;
        context.Response.Headers.ETag = "\"1\"";
        context.Response.Headers.ContentRange = string.Create(CultureInfo.InvariantCulture, $"bytes {start}-{end - 1}/{file.Length}");
        byte[] buffer = new byte[rate > 0 ? rate / 50 : BufferSize];
        file.Position = start;
        for (long left = end - start; left > 0;)
        {
            Task pause = rate > 0 ? Task.Delay(20) : Task.CompletedTask; // a fiftieth of a second
            int read = await file.ReadAsync(buffer.AsMemory(0, (int)Math.Min(buffer.Length, left)));
            await context.Response.Body.WriteAsync(buffer.AsMemory(0, read));
            Interlocked.Add(ref _sent, read);
            left -= read;
            await pause;
        }
    }

    private static (long Start, long End) Range(HttpRequest request, long length)
    {
        string[] bounds = request.Headers.Range.ToString().Replace("bytes=", "", StringComparison.Ordinal).Split('-');
        if (bounds.Length != 2) return (0, length);
        long last = bounds[1].Length > 0 ? long.Parse(bounds[1], CultureInfo.InvariantCulture) : length - 1;
        return (long.Parse(bounds[0], CultureInfo.InvariantCulture), Math.Min(last + 1, length));
    }
}
