using System.Reflection;
using System.Runtime.InteropServices;
using System.Runtime.Loader;

namespace PicoGpt.PowerShell.Isolation;

/// <summary>
/// The load context of the engine and of everything it depends on, all from one folder beside this assembly. A session may hold
/// other versions of the same libraries in its own context; neither side sees the other's.
/// </summary>
internal sealed class EngineLoadContext : AssemblyLoadContext
{
    /// <summary>The engine's simple name.</summary>
    public const string EngineName = "PicoGpt";

    private static readonly string Folder = Path.Combine(Path.GetDirectoryName(typeof(EngineLoadContext).Assembly.Location)!, "lib");

    // What a file that is compiled ahead of time for this platform has in its name: "linux-x64".
    private static readonly string Platform = string.Join(
        '-',
        OperatingSystem.IsWindows() ? "win" : OperatingSystem.IsMacOS() ? "osx" : OperatingSystem.IsLinux() ? "linux" : "none",
        RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant());

    private EngineLoadContext()
        : base(EngineName)
    {
    }

    /// <summary>The one context of the process: every runspace shares the engine, and models with it.</summary>
    public static EngineLoadContext Instance { get; } = new();

    /// <inheritdoc/>
    /// <remarks>
    /// A file that is compiled for this platform is preferred to the one for every platform. What is not in the folder is the framework's, which
    /// all contexts share.
    /// </remarks>
    protected override Assembly? Load(AssemblyName assemblyName)
    {
        string[] paths = [Path.Combine(Folder, $"{assemblyName.Name}.{Platform}.dll"), Path.Combine(Folder, assemblyName.Name + ".dll")];
        return Array.Find(paths, File.Exists) is { } path ? LoadFromAssemblyPath(path) : null;
    }
}
