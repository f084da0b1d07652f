namespace PicoGpt.Store;

/// <summary>
/// Where models are fetched from: a base address under which <c>{model}/{file}</c> is found, as at OpenAI's. It is HTTPS, a local
/// folder, or plain HTTP on this machine alone.
/// </summary>
public sealed class ModelSource
{
    /// <summary>The environment variable that replaces OpenAI's address: one or several, separated by <c>;</c>, tried in order.</summary>
    public const string Variable = "PICOGPT_SOURCE";

    private ModelSource(Uri address) => Address = address;

    /// <summary>OpenAI's own.</summary>
    public static ModelSource OpenAI { get; } = new(new Uri("https://openaipublic.blob.core.windows.net/gpt-2/models/"));

    /// <summary>The base address; it ends in a slash.</summary>
    public Uri Address { get; }

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
        if (!Uri.TryCreate(address.EndsWith('/') ? address : address + "/", UriKind.Absolute, out Uri? uri))
            throw Invalid(address, "it is not an absolute address");
        if (uri.Query.Length > 0 || uri.Fragment.Length > 0) throw Invalid(address, "nothing may follow its path");
        if (!IsAllowed(uri) && !uri.IsFile)
            throw Invalid(address, uri.Scheme == Uri.UriSchemeHttp ? "plain http is allowed on this machine only" : $"'{uri.Scheme}' is unknown");
        return new ModelSource(uri);
    }

    /// <inheritdoc/>
    public override string ToString() => Address.AbsoluteUri;

    /// <summary>Whether nobody between can change what comes from that address.</summary>
    internal static bool IsAllowed(Uri address) =>
        address.Scheme == Uri.UriSchemeHttps || (address.Scheme == Uri.UriSchemeHttp && address.IsLoopback);

    /// <summary>The address of one file.</summary>
    internal Uri AddressOf(CatalogModel model, CatalogFile file) => new(Address, $"{model.Name}/{file.Name}");

    internal ITransport CreateTransport(DownloadOptions options) => IsFolder ? new FolderTransport() : new HttpTransport(this, options);

    private static Gpt2Exception Invalid(string address, string reason) => new(
        Gpt2Error.InvalidSource,
        $"'{address}' cannot be a source of models: {reason}; give https://…, file:///… or http://127.0.0.1:…, several separated by ';'.");
}
