using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Http.Headers;
using PicoGpt.Files;

namespace PicoGpt.Store;

/// <summary>Gives files from a web server (RFC 9110: ranges, section 14; If-Range, 13.1.5; Retry-After, 10.2.3).</summary>
internal sealed class HttpTransport : ITransport
{
    private const int MaxRedirects = 10;
    private const int QuotedLength = 512;

    private const string NeedsCredentials = "which needs a user and a password in its address, as in https://user:password@example.org/";

    private readonly HttpClient _client;
    private readonly TimeSpan _timeout;
    private readonly ModelSource _source;

    public HttpTransport(ModelSource source, DownloadOptions options)
    {
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            AutomaticDecompression = DecompressionMethods.None,
            ConnectTimeout = options.StallTimeout,
            DefaultProxyCredentials = CredentialCache.DefaultCredentials,
            MaxConnectionsPerServer = options.Connections,
            MaxResponseDrainSize = 0, // an abandoned connection is closed, not read to its end
            UseCookies = false,
            UseProxy = !source.Address.IsLoopback,
        };
        _client = new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan };
        _client.DefaultRequestHeaders.UserAgent.Add(new ProductInfoHeaderValue("PicoGpt", null));
        (_timeout, _source) = (options.StallTimeout, source);
    }

    public async Task<FilePart> OpenAsync(Uri address, ByteRange range, string validator, CancellationToken cancellationToken)
    {
        HttpResponseMessage response = await SendAsync(address, range, validator, cancellationToken).ConfigureAwait(false);
        try
        {
            return await ReadHeadAsync(address, range, response, cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            response.Dispose();
            throw;
        }
    }

    public void Dispose() => _client.Dispose();

    private static async Task<FilePart> ReadHeadAsync(
        Uri address, ByteRange range, HttpResponseMessage response, CancellationToken cancellationToken)
    {
        if (response.Content.Headers.ContentEncoding.Any(coding => !coding.Equals("identity", StringComparison.OrdinalIgnoreCase)))
            throw new SourceFault(Gpt2Error.DownloadFailed, $"{SourceSecrets.Shown(address)} sends the file compressed, although that was not asked for");

        bool isRange = response.StatusCode == HttpStatusCode.PartialContent;
        long? end = isRange ? EndOf(address, range, response.Content.Headers.ContentRange) : null;
        long? total = isRange ? response.Content.Headers.ContentRange!.Length : response.Content.Headers.ContentLength;
        Stream body = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        return new FilePart(body, isRange, total, ValidatorOf(response), response) { End = end };
    }

    // A strong validator comes first, since If-Range takes no other. One with characters that no header can have could not be sent back.
    private static string ValidatorOf(HttpResponseMessage response)
    {
        EntityTagHeaderValue? tag = response.Headers.ETag is { } given && IsPrintable(given.ToString()) ? given : null;
        string? date = response.Content.Headers.LastModified?.ToString("R");
        return tag is { IsWeak: false } ? tag.ToString() : date ?? tag?.ToString() ?? "";
    }

    private static bool IsPrintable(string text) => text.All(c => c is >= ' ' and <= '~');

    // A server may send less than it was asked for, and need not know the length of the file (RFC 9110, 15.3.7 and 14.4).
    private static long EndOf(Uri address, ByteRange asked, ContentRangeHeaderValue? given)
    {
        if (given is { Unit: "bytes", From: long from, To: long to } && from == asked.Start && to < asked.End && (given.Length is null || to < given.Length))
            return to + 1;
        string answered = given?.ToString() ?? "nothing";
        throw new TransientFault($"{SourceSecrets.Shown(address)} was asked for the bytes {asked.Start}-{asked.End - 1} and answered '{answered}'");
    }

    private async Task<HttpResponseMessage> SendAsync(
        Uri address, ByteRange range, string validator, CancellationToken cancellationToken)
    {
        Uri target = address;
        for (int redirects = 0; redirects <= MaxRedirects; redirects++)
        {
            HttpResponseMessage response = await SendOnceAsync(target, range, validator, cancellationToken).ConfigureAwait(false);
            if (response.StatusCode is HttpStatusCode.OK or HttpStatusCode.PartialContent) return response;
            using (response)
            {
                target = RedirectOf(target, response)
                    ?? throw await FaultOfAsync(target, response, cancellationToken).ConfigureAwait(false);
            }
        }

        throw new SourceFault(Gpt2Error.DownloadFailed, $"{SourceSecrets.Shown(address)} redirects more than {MaxRedirects} times");
    }

    private async Task<HttpResponseMessage> SendOnceAsync(
        Uri address, ByteRange range, string validator, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, address) { Version = HttpVersion.Version11 };
        request.Headers.Range = new RangeHeaderValue(range.Start, range.End - 1);
        if (_source.Credentials is { } credentials && IsOfSource(address)) request.Headers.Authorization = new AuthenticationHeaderValue("Basic", SourceSecrets.Encode(credentials));
        if (validator.Length > 0 && IsPrintable(validator) && !validator.StartsWith("W/", StringComparison.Ordinal))
            request.Headers.TryAddWithoutValidation("If-Range", validator);

        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(_timeout);
        try
        {
            return await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, limit.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new TransientFault(FormattableString.Invariant($"{SourceSecrets.Shown(address)} did not answer within {_timeout.TotalSeconds:0.#} s"));
        }
        catch (HttpRequestException fault) when (fault.HttpRequestError == HttpRequestError.SecureConnectionError)
        {
            throw new SourceFault(Gpt2Error.DownloadFailed, $"{SourceSecrets.Shown(address)} cannot be trusted: {Innermost(fault, address)}", SecretsOf(address).Harmless(fault));
        }
        catch (HttpRequestException fault) when (fault.HttpRequestError == HttpRequestError.ProxyTunnelError && fault.Message.Contains("'407'", StringComparison.Ordinal))
        {
            throw new SourceFault(
                Gpt2Error.DownloadFailed,
                $"{SourceSecrets.Shown(address)} cannot be reached: the proxy answered 407, which needs a user and a password in the address of the proxy, "
                    + "as in HTTPS_PROXY=http://user:password@proxy.example.org:8080",
                SecretsOf(address).Harmless(fault));
        }
        catch (HttpRequestException fault)
        {
            throw new TransientFault($"{SourceSecrets.Shown(address)} cannot be reached: {Innermost(fault, address)}", innerException: SecretsOf(address).Harmless(fault));
        }
    }

    private bool IsOfSource(Uri address) => Uri.Compare(address, _source.Address, UriComponents.SchemeAndServer, UriFormat.UriEscaped, StringComparison.OrdinalIgnoreCase) == 0;

    // The outer exceptions only refer to the inner ones.
    private string Innermost(Exception fault, Uri address) => SecretsOf(address).Hide(fault.GetBaseException().Message.TrimEnd('.'));

    private SourceSecrets SecretsOf(Uri address) => new(_source.Credentials, address);

    /// <summary>Where an answer redirects to; <see langword="null"/> where it does not.</summary>
    /// <exception cref="SourceFault">It redirects to where nobody may be led: away from HTTPS, or to this machine from another.</exception>
    internal static Uri? RedirectOf(Uri from, HttpResponseMessage response)
    {
        if ((int)response.StatusCode is not (301 or 302 or 303 or 307 or 308) || response.Headers.Location is not Uri location) return null;
        if (!TryResolve(from, location, out Uri? to))
            throw new SourceFault(Gpt2Error.DownloadFailed, $"{SourceSecrets.Shown(from)} redirects to what is not an address");
        if (!ModelSource.IsAllowed(to) || (to.IsLoopback && !from.IsLoopback))
            throw new SourceFault(Gpt2Error.DownloadFailed, $"{SourceSecrets.Shown(from)} redirects to {SourceSecrets.Shown(to)}, which is refused: it is {(ModelSource.IsAllowed(to) ? "this machine" : "not HTTPS")}");
        return to;
    }

    // What looks like a relative address may be invalid once it is resolved against the other, and throws then.
    private static bool TryResolve(Uri from, Uri location, [NotNullWhen(true)] out Uri? to)
    {
        try
        {
            to = new Uri(from, location);
            return to.Host.Length > 0 || to.IsFile;
        }
        catch (Exception fault) when (fault is UriFormatException or InvalidOperationException)
        {
            to = null;
            return false;
        }
    }

    private async Task<Exception> FaultOfAsync(Uri address, HttpResponseMessage response, CancellationToken cancellationToken)
    {
        int status = (int)response.StatusCode;
        if (response.StatusCode == HttpStatusCode.RequestedRangeNotSatisfiable)
            return new RefetchFault(Gpt2Error.DownloadFailed, $"{SourceSecrets.Shown(address)} is shorter than it was");

        string words = await FirstWordsAsync(response, cancellationToken).ConfigureAwait(false);
        string answer = SecretsOf(address).Hide($"{status} {response.ReasonPhrase}".TrimEnd() + words);
        string message = $"{SourceSecrets.Shown(address)} answered {answer}{(status != 401 ? "" : _source.Credentials is null ? $", {NeedsCredentials}" : ", as the user or the password in its address is wrong")}";
        return status is 408 or 429 or >= 500
            ? new TransientFault(message, RetryAfterOf(response))
            : new SourceFault(Gpt2Error.DownloadFailed, message);
    }

    private static TimeSpan? RetryAfterOf(HttpResponseMessage response) => response.Headers.RetryAfter switch
    {
        { Delta: TimeSpan delta } => delta,
        { Date: DateTimeOffset date } => date > DateTimeOffset.UtcNow ? date - DateTimeOffset.UtcNow : TimeSpan.Zero,
        _ => null,
    };

    // What a server says about its error helps, but failing to read it is not worth another error.
    private async Task<string> FirstWordsAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(_timeout < TimeSpan.FromSeconds(5) ? _timeout : TimeSpan.FromSeconds(5));
        try
        {
            byte[] start = new byte[QuotedLength];
            Stream body = await response.Content.ReadAsStreamAsync(limit.Token).ConfigureAwait(false);
            int length = await body.ReadAtLeastAsync(start, start.Length, throwOnEndOfStream: false, limit.Token).ConfigureAwait(false);
            return ForeignFile.FirstWords(start.AsSpan(0, length)) is { } words ? $" ({words})" : "";
        }
        catch (Exception fault) when (fault is IOException or HttpRequestException or OperationCanceledException && !cancellationToken.IsCancellationRequested)
        {
            return "";
        }
    }
}
