using System.Management.Automation;

namespace PicoGpt.PowerShell;

/// <summary>A command that takes files or folders by <c>-Path</c>, with wildcards, or by <c>-LiteralPath</c>, without.</summary>
public abstract class Gpt2PathCmdlet : Gpt2FetchingCmdlet
{
    /// <summary>The parameter set in which paths have wildcards.</summary>
    protected const string PathSet = "Path";

    /// <summary>The parameter set in which paths are taken as they stand.</summary>
    protected const string LiteralPathSet = "LiteralPath";

    /// <summary>Files or folders, with wildcards.</summary>
    [Parameter(Mandatory = true, ParameterSetName = PathSet)]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    public string[] Path { get; set; } = [];

    /// <summary>Files or folders, taken literally.</summary>
    [Parameter(Mandatory = true, ParameterSetName = LiteralPathSet)]
    [Alias("PSPath")]
    [ValidateNotNullOrEmpty]
    public string[] LiteralPath { get; set; } = [];

    /// <summary>Does the work for each path that was given, with an error of its own for each that leads nowhere.</summary>
    /// <param name="work">The work for a full path; it is told whether the path is one of those that a wildcard found.</param>
    protected void ForEachPath(Action<string, bool> work)
    {
        foreach (string path in LiteralPath) PerItem(path, () => work(SessionPath.Resolve(SessionState, path), false));
        foreach (string path in Path)
        {
            bool isPattern = NamePattern.HasWildcards(path);
            PerItem(path, () =>
            {
                foreach (string found in SessionPath.Expand(SessionState, path)) PerItem(found, () => work(found, isPattern));
            });
        }
    }
}
