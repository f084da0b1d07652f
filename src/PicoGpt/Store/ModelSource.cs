using System.Net;

namespace PicoGpt.Store;

/// <summary>
/// Where models are fetched from: a base address under which <c>{model}/{file}</c> is found, as at OpenAI's. It is HTTPS, a local
/// folder, or plain HTTP on this machine alone. A user and a password in it are sent as such, and its query with every file; neither is
/// ever shown.
/// </summary>
public sealed class ModelSource
{
    /// <summary>The environment variable that replaces OpenAI's address: one or several, separated by <c>;</c>, tried in order.</summary>
    public const string Variable = "PICOGPT_SOURCE";

    private readonly string _query;

    private ModelSource(Uri address, string query = "", NetworkCredential? credentials = null) => (Address, _query, Credentials) = (address, query, credentials);

    /// <summary>OpenAI's own.</summary>
    public static ModelSource OpenAI { get; } = new(new Uri("https://openaipublic.blob.core.windows.net/gpt-2/models/"));

    /// <summary>The base address, without user, password and query; it ends in a slash.</summary>
    public Uri Address { get; }

    /// <summary>The user and password in the address, if it has any.</summary>
    internal NetworkCredential? Credentials { get; }

    /// <summary>Whether it is a folder of this machine or its network.</summary>
    public bool IsFolder => Address.IsFile;

    /// <summary>The sources that <c>PICOGPT_SOURCE</c> names, or OpenAI's.</summary>
    /// <returns>At least one source.</returns>
    /// <exception cref="Gpt2Exception"><see cref="Gpt2Error.InvalidSource"/>: an address cannot be used.</exception>
    public static IReadOnlyList<ModelSource> FromEnvironment() =>
        Environment.GetEnvironmentVariable(Variable) is { } list && !string.IsNullOrWhiteSpace(list) ? ParseList(list) : [OpenAI];

    /// <summary>Reads base addresses that are separated by <c>;</c>.</summary>
    /// <param name="list">The addresses, <c>https://…</c>, <c>file://…</c>, a folder's full path, or <c>http://127.0.0.1:…</c>.</param>
    /// <returns>At least one source.</returns>
    /// <exception cref="Gpt2Exception"><see cref="Gpt2Error.InvalidSource"/>: an address cannot be used.</exception>
    public static IReadOnlyList<ModelSource> ParseList(string list)
    {
        ArgumentNullException.ThrowIfNull(list);
        string[] addresses = list.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return addresses.Length > 0 ? [.. addresses.Select(Parse)] : throw Invalid(list, "it is empty");
    }

    /// <summary>Reads one base address.</summary>
    /// <param name="address">The address.</param>
    /// <returns>The source.</returns>
    /// <exception cref="Gpt2Exception"><see cref="Gpt2Error.InvalidSource"/>: the address cannot be used.</exception>
    public static ModelSource Parse(string address)
    {
        ArgumentNullException.ThrowIfNull(address);
        if (!Uri.TryCreate(address, UriKind.Absolute, out Uri? uri)) throw Invalid(WithoutSecrets(address), "it is not an absolute address");
        if (uri.Fragment.Length > 0 || (uri.IsFile && uri.Query.Length > 0)) throw Invalid(WithoutSecrets(address), "nothing may follow its path");
        if (!IsAllowed(uri) && !uri.IsFile)
            throw Invalid(WithoutSecrets(address), uri.Scheme == Uri.UriSchemeHttp ? "plain http is allowed on this machine only" : $"'{uri.Scheme}' is unknown");
        if (uri.IsFile) return new ModelSource(new Uri(address.EndsWith('/') ? address : address + "/"));
        string path = uri.AbsolutePath.EndsWith('/') ? uri.AbsolutePath : uri.AbsolutePath + "/";
        Uri plain = new UriBuilder(uri) { UserName = "", Password = "", Query = "", Path = path }.Uri;
        return new ModelSource(plain, uri.Query, CredentialsOf(uri));
    }

    /// <summary>The address, without user, password and query.</summary>
    /// <returns>What may be shown.</returns>
    public override string ToString() => Address.AbsoluteUri;

    /// <summary>Whether nobody on the way can change what comes from that address.</summary>
    internal static bool IsAllowed(Uri address) =>
        address.Scheme == Uri.UriSchemeHttps || (address.Scheme == Uri.UriSchemeHttp && address.IsLoopback);

    /// <summary>The address of one file.</summary>
    internal Uri AddressOf(CatalogModel model, CatalogFile file) => new(Address, $"{model.Name}/{file.Name}{_query}");

    internal ITransport CreateTransport(DownloadOptions options) => IsFolder ? new FolderTransport() : new HttpTransport(this, options);

    private static NetworkCredential? CredentialsOf(Uri address)
    {
        if (address.UserInfo.Length == 0) return null;
        string[] parts = [.. address.UserInfo.Split(':', 2).Select(Uri.UnescapeDataString)];
        return new NetworkCredential(parts[0], parts.Length > 1 ? parts[1] : "");
    }

    private static string WithoutSecrets(string address)
    {
        int user = address.LastIndexOf('@');
        string shown = address.Contains("://", StringComparison.Ordinal) || user < 0 ? new SourceSecrets(null).Hide(address) : $"…{address[user..]}";
        int query = shown.IndexOf('?', StringComparison.Ordinal);
        return query < 0 ? shown : shown[..query] + "?…";
    }

    private static Gpt2Exception Invalid(string address, string reason) => new(
        Gpt2Error.InvalidSource,
        $"'{address}' cannot be a source of models: {reason}; give https://…, file:///… or http://127.0.0.1:…, several separated by ';'.");
}
