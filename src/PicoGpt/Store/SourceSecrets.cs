using System.Net;
using System.Text;
using System.Text.RegularExpressions;

namespace PicoGpt.Store;

/// <summary>
/// Keeps secrets out of everything that is shown: passwords of a source or a proxy, and the queries of addresses, which may be
/// signatures.
/// </summary>
internal sealed partial class SourceSecrets
{
    // Anything shorter is part of too many words.
    private const int Shortest = 4;

    private const string Hidden = "…";

    private readonly string[] _secrets;

    /// <param name="credentials">The user and password that are sent, if any.</param>
    /// <param name="addresses">The addresses whose queries are secret.</param>
    public SourceSecrets(NetworkCredential? credentials, params IEnumerable<Uri> addresses)
    {
        List<string> secrets = credentials is null ? [] : [credentials.Password, Encode(credentials)];
        foreach (Uri address in addresses.Where(address => !address.IsFile))
        {
            secrets.Add(address.Query.TrimStart('?'));
            secrets.AddRange(address.Query.Split('?', '&', '='));
        }

        _secrets = [.. secrets.SelectMany(secret => new[] { secret, WebUtility.UrlDecode(secret), Uri.UnescapeDataString(secret) })
            .Where(secret => secret.Length >= Shortest).Distinct().OrderByDescending(secret => secret.Length)];
    }

    /// <summary>An address without user, password and query.</summary>
    public static string Shown(Uri address)
    {
        if (address.IsFile) return address.AbsoluteUri;
        string shown = address.GetComponents(UriComponents.SchemeAndServer | UriComponents.Path, UriFormat.UriEscaped);
        return address.Query.Length > 0 ? $"{shown}?{Hidden}" : shown;
    }

    /// <summary>What follows the word Basic in the header Authorization (RFC 7617).</summary>
    public static string Encode(NetworkCredential credentials) =>
        Convert.ToBase64String(Encoding.UTF8.GetBytes($"{credentials.UserName}:{credentials.Password}"));

    /// <summary>Words that someone else wrote, without the secrets in them.</summary>
    public string Hide(string words)
    {
        foreach (string secret in _secrets) words = words.Replace(secret, Hidden, StringComparison.Ordinal);
        return UserInformation().Replace(words, "://");
    }

    /// <summary>What caused a fault, or <see langword="null"/> where that would tell a secret, since anything of an exception may be shown.</summary>
    public Exception? Harmless(Exception cause)
    {
        string told = cause.ToString();
        return Hide(told) == told ? cause : null;
    }

    [GeneratedRegex(@"://[^/@\s'""]*@")]
    private static partial Regex UserInformation();
}
