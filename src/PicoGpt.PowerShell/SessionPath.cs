using System.Collections.ObjectModel;
using System.Management.Automation;
using PicoGpt.Store;

namespace PicoGpt.PowerShell;

/// <summary>Paths as a session means them: on any drive that lies in the file system, relative to the session's location.</summary>
internal static class SessionPath
{
    /// <summary>A path taken literally, whether something is there or not.</summary>
    /// <exception cref="Gpt2Exception">It is not in the file system.</exception>
    public static string Resolve(SessionState session, string path)
    {
        if (path.Contains('\0', StringComparison.Ordinal))
            throw new Gpt2Exception(Gpt2Error.InvalidArgument, $"'{path}' cannot be a path: it has a null character.", path);
        try
        {
            string resolved = session.Path.GetUnresolvedProviderPathFromPSPath(path, out ProviderInfo provider, out _);
            return provider.Name == "FileSystem" ? resolved : throw Outside(path, provider);
        }
        catch (SessionStateException fault)
        {
            throw Missing(path, fault);
        }
    }

    /// <summary>A name of the catalog that is a path as well, such as <c>openai-community/gpt2</c>, as its full path where something lies there; any other text as it is.</summary>
    public static string NameOrPath(SessionState session, string text)
    {
        if (!ModelCatalog.TryResolve(text, out _)) return text;
        string path = session.Path.GetUnresolvedProviderPathFromPSPath(text, out ProviderInfo provider, out _);
        return provider.Name != "FileSystem" || ModelCatalog.TryResolve(text, path, out _) ? text : path;
    }

    /// <summary>
    /// What the wildcards of a path match; where that is nothing, what has this very name, such as <c>[old] models</c>. Without any the path is
    /// taken as it is: a checkpoint's prefix is not a file.
    /// </summary>
    /// <exception cref="Gpt2Exception">It is not in the file system.</exception>
    public static IReadOnlyList<string> Expand(SessionState session, string path)
    {
        if (!NamePattern.HasWildcards(path)) return [Resolve(session, WildcardPattern.Unescape(path))];
        try
        {
            Collection<string> found = session.Path.GetResolvedProviderPathFromPSPath(path, out ProviderInfo provider);
            if (provider.Name != "FileSystem") throw Outside(path, provider);
            return found.Count == 0 && Resolve(session, path) is var literal && System.IO.Path.Exists(literal) ? [literal] : found;
        }
        catch (SessionStateException fault)
        {
            throw Missing(path, fault);
        }
    }

    private static Gpt2Exception Outside(string path, ProviderInfo provider) => new(
        Gpt2Error.FileNotFound, $"'{path}' is a path of the provider {provider.Name}; give one of the file system, where models are.", path);

    private static Gpt2Exception Missing(string path, SessionStateException fault) => new(
        Gpt2Error.FileNotFound,
        path.Contains("://", StringComparison.Ordinal)
            ? $"'{path}' is an address, and not a path of this machine; fetch what is there, and give the path where it is then."
            : $"'{path}' leads nowhere: {fault.Message}",
        path,
        fault);
}
