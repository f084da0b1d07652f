using System.Management.Automation;
using System.Reflection;
using System.Runtime.Loader;

namespace PicoGpt.PowerShell.Isolation;

/// <summary>
/// Hands the engine out of its own load context to this assembly, which lives in the session's, when the first command needs it.
/// </summary>
/// <remarks>
/// The resolver pattern of Microsoft's "Resolving PowerShell module assembly dependency conflicts". PowerShell lists the exported
/// types before <see cref="OnImport"/> runs, and their public constructors after it. So that the engine is neither missed nor loaded
/// by an import, no exported type may have a base class, an interface, a field of a value type (an enumeration too) or a
/// parameter of a public constructor that is the engine's.
/// </remarks>
public sealed class EngineResolver : IModuleAssemblyInitializer, IModuleAssemblyCleanup
{
    private static readonly Lock Gate = new();
    private static int _imports;

    /// <inheritdoc/>
    public void OnImport()
    {
        // One process may hold many runspaces, each with an import of its own.
        lock (Gate)
        {
            if (_imports++ == 0) AssemblyLoadContext.Default.Resolving += Resolve;
        }
    }

    /// <inheritdoc/>
    public void OnRemove(PSModuleInfo psModuleInfo)
    {
        lock (Gate)
        {
            if (_imports > 0 && --_imports == 0) AssemblyLoadContext.Default.Resolving -= Resolve;
        }
    }

    private static Assembly? Resolve(AssemblyLoadContext context, AssemblyName name) =>
        name.Name == EngineLoadContext.EngineName && IsSatisfied(name.Version) ? EngineLoadContext.Instance.LoadFromAssemblyName(name) : null;

    // The engine carries the version of this assembly.
    private static bool IsSatisfied(Version? version) => version is null || version <= typeof(EngineResolver).Assembly.GetName().Version;
}
